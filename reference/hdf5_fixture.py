"""Writes the small HDF5 files that `crates/barnowl/tests/hdf5.rs` reads.

    python reference/hdf5_fixture.py [FOLDER]

FOLDER defaults to crates/barnowl/tests/fixtures. Needs h5py. `h5_types_*.h5` hold numbers of many types and layouts, in the
oldest and the newest form of the format; `shd_*.h5` are laid out as the Spiking Heidelberg Digits are, right and wrong;
`data/soli/` is laid out as the deep-soli data are.
"""

import json
import sys
from pathlib import Path

import h5py
import numpy as np

TYPES = ["<f2", "<f4", ">f8", "<i1", ">i2", "<i4", "<i8", "<u1", "<u2", ">u4"]


def types(path, libver):
    """Element [i, j] is 10 i + j, less 7 where the type has a sign."""
    with h5py.File(path, "w", libver=libver) as file:
        for name in TYPES:
            values = 10 * np.arange(3)[:, None] + np.arange(4) - (0 if "u" in name else 7)
            file[f"plain/{name}"] = values.astype(name)
            file.create_dataset(f"packed/{name}", data=values.astype(name), chunks=(2, 3), compression="gzip", shuffle=True)
        file["scalar"] = 0.125
        file["text"] = "not a number"
        file["record"] = np.array([(1, 2.0)], dtype=[("a", "i4"), ("b", "f8")])
        file["names"] = np.array(["zero", "eins"], dtype=h5py.string_dtype())
        rows = file.create_dataset("rows", (3,), dtype=h5py.vlen_dtype(np.dtype("<f4")))
        rows[0], rows[1], rows[2] = [0.5, 1.5], [], [2.5]


def digits(path, change=lambda spikes: None, libver="earliest", keys=True, kind_of_times="<f2"):
    """Three recordings; `change` spoils them."""
    spikes = {
        "times": [[0.0, 0.0005, 0.0021, 0.0040, 0.5], [], [0.0039, 0.0041, 0.0119, 1.5]],
        "units": [[3, 699, 3, 0, 12], [], [7, 7, 350, 1]],
        "labels": [1, 0, 1],
    }
    change(spikes)
    with h5py.File(path, "w", libver=libver) as file:
        for name, kind in ("times", kind_of_times), ("units", "<u2"):
            if isinstance(spikes.get(name), np.ndarray):
                file[f"spikes/{name}"] = spikes[name]
            elif name in spikes:
                rows = file.create_dataset(f"spikes/{name}", (len(spikes[name]),), dtype=h5py.vlen_dtype(np.dtype(kind)))
                for i, row in enumerate(spikes[name]):
                    rows[i] = np.array(row, dtype=kind)
        if "labels" in spikes:
            file["labels"] = np.array(spikes["labels"], dtype="<u2")
        file["extra/speaker"] = np.array([4, 5, 4], dtype="<u2")
        if keys:
            file["extra/keys"] = np.array([b"zero", b"one"], dtype="S4")


def wrong(key, row, place, value):
    def change(spikes):
        spikes[key][row][place] = value

    return change


def scaled(factor):
    """Times in another unit; the last spike at 1.5 s comes at 0.9 s instead."""

    def change(spikes):
        spikes["times"][2][3] = 0.9
        spikes["times"] = [[factor * time for time in row] for row in spikes["times"]]

    return change


def fixed(spikes):
    """Rows of one length, filled up."""
    spikes["times"] = np.array([[0.0, 0.1], [0.2, 0.0], [0.3, 0.4]], dtype="<f4")


def late(spikes):
    """The last recording has its spikes from 0.95 s on."""
    spikes["times"][2] = [0.95, 0.96, 0.97, 0.98]


def grid(spikes):
    """Times on the borders of frames of 20 ms."""
    spikes["times"] = [[0.02 * i for i in range(40)]] * 3
    spikes["units"] = [list(range(40))] * 3


def cochlea(folder, name, parts, classes):
    """Recordings of random spikes, each class in channels of its own."""
    (folder / name).mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(classes)
    for part in parts:
        with h5py.File(folder / name / f"{name}_{part}.h5", "w") as file:
            times = file.create_dataset("spikes/times", (4,), dtype=h5py.vlen_dtype(np.dtype("<f2")))
            units = file.create_dataset("spikes/units", (4,), dtype=h5py.vlen_dtype(np.dtype("<u2")))
            labels = np.array([0, 1, 2, 3]) * (classes - 1) // 3
            for i, label in enumerate(labels):
                times[i] = np.sort(rng.uniform(0, 0.9, 300)).astype("<f2")
                units[i] = (rng.integers(0, 60, 300) + 160 * i).astype("<u2")
            file["labels"] = labels.astype("<u2")
            file["extra/keys"] = np.array([f"word {i}".encode() for i in range(classes)])


def soli(folder):
    """Two gestures, two recordings each, and the split."""
    folder.mkdir(parents=True, exist_ok=True)
    names = ["0_1_0", "0_1_1", "3_2_0", "3_2_1"]
    for i, name in enumerate(names):
        frames = [45, 12, 40, 7][i]
        with h5py.File(folder / f"{name}.h5", "w") as file:
            for channel in range(4):
                values = np.zeros((frames, 1024), dtype="<f4")
                values[np.arange(frames), np.arange(frames) * 7 % 1024] = 0.25 * (i + 1) + channel
                file.create_dataset(f"ch{channel}", data=values, chunks=(1, 1024), compression="gzip")
            file["label"] = np.full((frames, 1), int(name[0]), dtype="<i4")
    (folder / "file_half.json").write_text(json.dumps({"train": names[::2], "eval": names[1::2]}) + "\n")


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "crates/barnowl/tests/fixtures")
    types(folder / "h5_types_earliest.h5", "earliest")
    types(folder / "h5_types_latest.h5", "latest")
    digits(folder / "shd_good.h5")
    digits(folder / "shd_latest.h5", libver="latest", keys=False)
    digits(folder / "shd_unit.h5", wrong("units", 2, 2, 700))
    digits(folder / "shd_decreasing.h5", wrong("times", 0, 3, 0.0004))
    digits(folder / "shd_label.h5", lambda spikes: spikes.update(labels=[0, 1, 2]))
    digits(folder / "shd_labels.h5", lambda spikes: spikes.update(labels=[0, 1]))
    digits(folder / "shd_pairs.h5", lambda spikes: spikes["units"][0].pop())
    digits(folder / "shd_no_units.h5", lambda spikes: spikes.pop("units"))
    digits(folder / "shd_ms.h5", scaled(1e3), kind_of_times="<f4")
    digits(folder / "shd_us.h5", scaled(1e6), kind_of_times="<f8")
    digits(folder / "shd_ns.h5", scaled(1e9), kind_of_times="<i8")
    digits(folder / "shd_short.h5", scaled(1e-3), kind_of_times="<f8")
    digits(folder / "shd_fixed.h5", fixed)
    digits(folder / "shd_late.h5", late)
    digits(folder / "shd_grid.h5", grid, kind_of_times="<f4")
    cochlea(folder / "data", "shd", ("train", "test"), 20)
    cochlea(folder / "data", "ssc", ("train", "valid", "test"), 35)
    soli(folder / "data/soli")


if __name__ == "__main__":
    main()
