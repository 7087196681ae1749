"""Writes the recordings that `crates/barnowl/tests/wfdb.rs` reads, with the package wfdb.

    python reference/wfdb_fixture.py [FOLDER]

FOLDER defaults to crates/barnowl/tests/fixtures. Needs wfdb, numpy and safetensors. `data/qtdb-raw/sel*` are laid out as the QT
Database is, with bumps in place of waves; `wfdb.safetensors` holds what wfdb itself reads back.
"""

import sys
from pathlib import Path

import numpy as np
import wfdb
from safetensors.numpy import save_file

RATE, BEATS, PERIOD = 250, 8, 200


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "crates/barnowl/tests/fixtures")
    place = folder / "data/qtdb-raw"
    place.mkdir(parents=True, exist_ok=True)
    tensors = {}
    for i in range(5):
        name = f"sel{100 + i}"
        t = np.arange(BEATS * PERIOD + 101)
        signal = np.zeros(len(t))
        samples, symbols = [], []
        for beat in range(BEATS):
            start = 50 + beat * PERIOD + 2 * i
            for centre, width, height in ((start + 20, 8, 0.2), (start + 55, 3, 1.0), (start + 110, 15, 0.3)):
                signal += height * np.exp(-(((t - centre) / width) ** 2))
            marks = ((0, "("), (20, "p"), (40, ")"), (45, "("), (55, "N"), (65, ")"), (110, "t"), (140, ")"))
            samples += [start + at for at, _ in marks]
            symbols += [sign for _, sign in marks]
        signals = np.stack([signal, -0.5 * signal], axis=1)
        wfdb.wrsamp(name, fs=RATE, units=["mV", "mV"], sig_name=["MLII", "V5"], p_signal=signals,
                    fmt=["16" if i == 4 else "212"] * 2, adc_gain=[200.0, 200.0], baseline=[10, 0], write_dir=str(place))
        wfdb.wrann(name, "qc", np.array(samples), symbol=symbols, write_dir=str(place))
        record, marks = wfdb.rdrecord(str(place / name)), wfdb.rdann(str(place / name), "qc")
        # The package takes letters only for the extensions that it writes.
        (place / f"{name}.qc").rename(place / f"{name}.q1c")
        tensors[f"{name}.signals"] = record.p_signal.astype(np.float32)
        tensors[f"{name}.samples"] = marks.sample.astype(np.int32)
        tensors[f"{name}.signs"] = np.array([ord(sign) for sign in marks.symbol], dtype=np.int32)
    # A long pause (SKIP), a note (AUX), another channel and subtype.
    wfdb.wrann("sel100", "xtr", np.array([5, 100_000, 100_100]), symbol=["N", "t", "V"], aux_note=["", "(AFIB", ""],
               chan=np.array([0, 1, 1]), subtype=np.array([0, 2, 0]), write_dir=str(place))
    (place / "RECORDS").write_text("".join(f"sel{100 + i}\n" for i in range(5)))
    save_file(tensors, folder / "wfdb.safetensors")


if __name__ == "__main__":
    main()
