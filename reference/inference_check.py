"""Compares reference/inference.py with `barnowl eval --predictions` and `barnowl predict`: on data of one's own, and, if they are
given, on the spikes of ECG and the pixels of MNIST.

    python reference/inference_check.py BARNOWL [DATA CHECKPOINTS]

BARNOWL is the command; DATA holds qtdb/ and mnist/, CHECKPOINTS the authors' smnist.safetensors. Needs NumPy, and for ECG SciPy,
which reads MATLAB's files.
"""

import concurrent.futures
import functools
import gzip
import pathlib
import struct
import subprocess
import sys
import tempfile

import numpy as np

import gestures
from inference import Model


def barnowl(*args):
    subprocess.run([sys.argv[1], *map(str, args)], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def answer(model, x):
    return model.run(x).argmax(-1)


def agreement(name, model, sequences, predictions, least):
    """The share of answers that are the same; `predictions` are those of Barnowl, 65535 after the end of a sequence."""
    same = count = 0
    with concurrent.futures.ProcessPoolExecutor() as pool:
        answers = list(pool.map(functools.partial(answer, model), sequences))
    for found, wanted in zip(answers, predictions):
        wanted = np.atleast_1d(wanted)[: np.size(found)]
        same, count = same + np.sum(found == wanted), count + np.size(found)
    print(f"{name}: {same} of {count} answers are the same ({same / count:.5f})")
    assert count > 0 and same / count >= least, f"{name}: fewer than {least}"


TASK = """
name = "gestures"
summary = "Four gestures before an accelerometer"
[dataset]
kind = "own"
folder = "gestures"
form = "arrays"
[network]
inputs = 3
decode = { kind = "mean_membrane", skip = 20 }
[[network.layers]]
size = 48
b0 = 0.1
[network.readout]
kind = "leaky_integrator"
size = 4
[train]
epochs = 3
batch = 20
"""


def own(folder):
    rng = np.random.default_rng(1)
    (folder / "gestures").mkdir()
    for part, count in [("train", 60), ("test", 40)]:
        gestures.write(folder / "gestures", part, "arrays", [gestures.recording(rng, False) for _ in range(count)], False, 7)
    (folder / "t.toml").write_text(TASK)
    barnowl("train", folder / "t.toml", "--data", folder, "--out", folder / "own")
    barnowl("eval", folder / "own", "--predictions", folder / "own.npy")
    data = np.load(folder / "gestures/test.npz")
    sequences = [x[:length] for x, length in zip(data["x"], data["lengths"])]
    agreement("own data", Model(folder / "own/best.safetensors"), sequences, np.load(folder / "own.npy"), 1.0)
    # The same files without labels.
    barnowl("predict", folder / "own", folder / "gestures/test.npz", "--out", folder / "p.npy")
    assert np.array_equal(np.load(folder / "p.npy"), np.load(folder / "own.npy")), "predict and eval differ"


def ecg(folder, data):
    from scipy.io import loadmat

    barnowl("train", "ecg", "--data", data, "--epochs", 3, "--out", folder / "ecg")
    barnowl("eval", folder / "ecg", "--predictions", folder / "ecg.npy")
    x = loadmat(next(data.glob("qtdb/*test*.mat")))["x"].astype("f4")
    predictions = np.load(folder / "ecg.npy")
    model = Model(folder / "ecg/best.safetensors")
    # A decay that differs in its last digit may once move a spike, and with it the rest of that sequence.
    agreement("ecg", model, x, predictions, 0.999)
    # What the encoder made of the signals, without labels, as an array.
    np.save(folder / "x.npy", x)
    barnowl("predict", folder / "ecg", folder / "x.npy", "--out", folder / "p.npy")
    assert np.array_equal(np.load(folder / "p.npy"), predictions), "predict and eval differ"


def smnist(folder, data, checkpoints):
    """Of the first images: all of them take a minute, and say no more."""
    count, few = 25, folder / "few/mnist"
    few.mkdir(parents=True)
    for path in data.glob("mnist/*.gz"):
        raw = gzip.open(path).read()
        rank = raw[3]  # of an IDX file: 3 of images, 1 of labels
        sizes = struct.unpack(f">{rank}I", raw[4 : 4 + 4 * rank])
        head = raw[:4] + struct.pack(f">{rank}I", count, *sizes[1:])
        gzip.open(few / path.name, "wb").write(head + raw[4 + 4 * rank :][: count * int(np.prod(sizes[1:]))])
    model = folder / "smnist.safetensors"
    barnowl("import", checkpoints / "smnist.safetensors", "--task", "smnist", "--out", model)
    barnowl("eval", model, "--data", few.parent, "--predictions", folder / "smnist.npy")
    raw = gzip.open(next(few.glob("t10k-images*.gz"))).read()
    pixels = np.frombuffer(raw, np.uint8, offset=16).reshape(count, 784).astype("f4") / np.float32(255)
    window = [np.minimum(np.arange(784), 776)[:, None] + np.arange(8)]  # the last windows stand still at the end
    agreement("smnist", Model(model), [image[window[0]] for image in pixels], np.load(folder / "smnist.npy"), 1.0)


def main():
    given = [pathlib.Path(path) for path in sys.argv[2:]]
    with tempfile.TemporaryDirectory() as temp:
        folder = pathlib.Path(temp)
        own(folder)
        if len(given) == 2:
            ecg(folder, given[0])
            smnist(folder, *given)


if __name__ == "__main__":
    main()
