"""Writes the sounds and features that `crates/barnowl/tests/speech.rs` reads.

    python reference/speech_golden.py [FOLDER]

FOLDER defaults to crates/barnowl/tests/fixtures. Needs numpy, soundfile, librosa, python_speech_features and safetensors.
`speech.safetensors` holds the features of two sounds by librosa and python_speech_features; `sound_*.wav` and `.sph` hold one
sound in many formats; `timit/`, `gsc/` and `fsdd/` are laid out as those data sets are, with tones in place of speech.
"""

import sys
from pathlib import Path

import librosa
import numpy as np
import python_speech_features as psf
import soundfile
from safetensors.numpy import save_file


def sound(rate, seconds, seed):
    """A rising tone in noise."""
    t = np.arange(int(rate * seconds)) / rate
    noise = np.random.default_rng(seed).normal(size=len(t))
    return (0.4 * np.sin(2 * np.pi * (200 + 1500 * t) * t) + 0.02 * noise).astype(np.float32)


def mel(x, rate):
    return librosa.feature.melspectrogram(
        y=x, sr=rate, n_fft=int(0.03 * rate), hop_length=int(0.01 * rate), n_mels=40, fmin=20, fmax=4000
    )


def features(x, rate):
    """The features of a word, [steps, 120], as in the scripts of Yin, Corradi & Bohté."""
    x = x / np.abs(x).max()
    before = (rate - len(x)) // 2
    power = mel(np.pad(x, (before, rate - len(x) - before)), rate)
    bands = np.log1p(power / power.max())
    parts = [bands] + [librosa.feature.delta(bands, order=order) for order in (1, 2)]
    stack = np.concatenate(parts).T
    sd = stack.std(axis=0, keepdims=True)
    return stack / np.where(sd == 0, 1, sd)


def golden(folder):
    tensors = {}
    for rate in (8000, 16000):
        x = sound(rate, 0.3, rate)
        mfcc = psf.mfcc(x.astype(np.float64) * 32768, rate, nfft=512 if rate == 16000 else 256)
        slopes = psf.delta(mfcc, 2)
        tensors |= {
            f"{rate}.sound": x,
            f"{rate}.power": mel(x, rate).T,
            f"{rate}.delta": librosa.feature.delta(mel(x, rate), order=1).T,
            f"{rate}.delta2": librosa.feature.delta(mel(x, rate), order=2).T,
            f"{rate}.word": features(x, rate)[::5],
            f"{rate}.mfcc": np.concatenate([mfcc, slopes, psf.delta(slopes, 2)], axis=1),
        }
    save_file({name: np.ascontiguousarray(x, dtype=np.float32) for name, x in tensors.items()}, folder / "speech.safetensors")


def formats(folder):
    """One sound in many formats; in two channels, the second is silent."""
    x = sound(8000, 0.02, 1)
    both = np.stack([x, 0 * x], axis=1)
    for name, data, kind, subtype in (
        ("8.wav", x, "WAV", "PCM_U8"),
        ("16.wav", x, "WAV", "PCM_16"),
        ("24.wav", x, "WAV", "PCM_24"),
        ("32.wav", x, "WAV", "PCM_32"),
        ("float.wav", x, "WAV", "FLOAT"),
        ("extensible.wav", x, "WAVEX", "PCM_16"),
        ("stereo.wav", both, "WAV", "PCM_16"),
        ("16.sph", x, "NIST", "PCM_16"),
        ("ulaw.sph", x, "NIST", "ULAW"),
    ):
        soundfile.write(folder / f"sound_{name}", data, 8000, format=kind, subtype=subtype)
    save_file({"sound": x}, folder / "sound.safetensors")


def tone(rate, frequency, seconds):
    t = np.arange(int(rate * seconds)) / rate
    return np.round(100 * np.sin(2 * np.pi * frequency * t)) / 32768


def words(folder):
    """Speech Commands of three words, and spoken digits of two speakers."""
    gsc = folder / "data/gsc"
    lists = {"validation_list.txt": [], "testing_list.txt": []}
    for w, word in enumerate(("bed", "no", "yes")):
        (gsc / word).mkdir(parents=True, exist_ok=True)
        for i in range(4):
            name = f"{word}/{i}_nohash_0.wav"
            soundfile.write(gsc / name, tone(16000, 300 * (w + 1) + 40 * i, 0.2), 16000)
            if i >= 2:
                lists[("validation_list.txt", "testing_list.txt")[i - 2]].append(name)
    (gsc / "_background_noise_").mkdir(exist_ok=True)
    soundfile.write(gsc / "_background_noise_/hum.wav", tone(16000, 50, 0.5), 16000)
    for name, lines in lists.items():
        (gsc / name).write_text("\n".join(lines) + "\n")
    fsdd = folder / "data/fsdd/recordings"
    fsdd.mkdir(parents=True, exist_ok=True)
    for digit in range(10):
        for index in (0, 5, 6):
            soundfile.write(fsdd / f"{digit}_ann_{index}.wav", tone(8000, 200 + 150 * digit + 5 * index, 0.1), 8000)


def sentences(folder):
    """TIMIT of one speaker each for training, development and test."""
    for part, speaker in (("TRAIN", "FABC0"), ("TEST", "FAKS0"), ("TEST", "MDAB0")):
        place = folder / f"data/timit/{part}/DR1/{speaker}"
        place.mkdir(parents=True, exist_ok=True)
        for i, name in enumerate(("SA1", "SI1", "SX2")):
            x = np.concatenate([0 * tone(16000, 1, 0.1), tone(16000, 400 + 50 * i, 0.2), tone(16000, 2000, 0.15)])
            soundfile.write(place / f"{name}.WAV", x, 16000, format="NIST", subtype="PCM_16")
            (place / f"{name}.PHN").write_text("0 1600 h#\n1600 4800 iy\n4800 7200 s\n")


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "crates/barnowl/tests/fixtures")
    golden(folder)
    formats(folder)
    words(folder)
    sentences(folder)


if __name__ == "__main__":
    main()
