"""Writes the small MATLAB files that `crates/barnowl/tests/mat.rs` reads.

    python reference/mat_fixture.py [FOLDER]

FOLDER defaults to crates/barnowl/tests/fixtures. Needs numpy and scipy. `mat_types_*.mat` hold one array of each numeric
type and some that are none; `mat_packed_big_endian.mat`, which scipy cannot write, is laid out here by hand: big-endian,
and as MATLAB packs a double array of small integers. `mat_qtdb.mat` is laid out as the QT Database is.
"""

import struct
import sys
from pathlib import Path

import numpy as np
import scipy.io
from scipy.sparse import eye_array

TYPES = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "single", "double"]


def ramp(dtype, shape=(2, 3, 4)):
    """Element [i, j, k] is 100 i + 10 j + k, less 7 where the type has a sign."""
    i, j, k = np.indices(shape)
    offset = 0 if np.dtype(dtype).kind == "u" else 7
    return (100 * i + 10 * j + k - offset).astype(dtype)


def arrays():
    """One array of each type, and others that a reader of numbers has to step over."""
    numeric = {f"ramp_{name}": ramp(name) for name in TYPES}
    return numeric | {
        "extreme_int64": np.array([[-(2**63), 2**63 - 1]]),
        "special": np.array([[np.inf, -np.inf, np.nan, -0.0, 5e-324]]),
        "scalar": 0.125,
        "small": np.array([[3]], dtype=np.uint8),
        "flag": np.array([[True, False]]),
        "empty": np.zeros((0, 3)),
        "text": "not a number",
        "record": {"field": 1.0},
        "cells": np.array([[1.0, "two"]], dtype=object),
        "wave": np.array([[1 + 2j]]),
        "diagonal": eye_array(3, format="csc"),
    }


def packed_big_endian():
    """A double array, 3 x 2, stored as 16-bit integers; its name is in the small element format."""

    def element(kind, data):
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    flags = element(6, struct.pack(">II", 6, 0))
    dimensions = element(5, struct.pack(">2i", 3, 2))
    name = struct.pack(">HH", 1, 1) + b"p\0\0\0"
    values = element(3, struct.pack(">6h", 1, 2, 3, -4, -5, -600))
    header = b"MATLAB 5.0 MAT-file, big-endian".ljust(124) + struct.pack(">H", 0x0100) + b"MI"
    return header + element(14, flags + dimensions + name + values)


def qtdb():
    """Three sequences of five steps and four channels; the first step of the last one has no label."""
    n, t, c = np.indices((3, 5, 4))
    x = (n + 2 * t + 3 * c) % 3 - 1
    n, t, k = np.indices((3, 5, 6))
    y = (n + t) % 6 == k
    y[2, 0] = False
    return {"x": x.astype(np.int16), "y": y.astype(np.uint8), "t": np.arange(5, dtype=np.uint16)}


def save(path, variables, compressed):
    """As `savemat`, but without the date, so that the same file comes out every day."""
    scipy.io.savemat(path, variables, do_compression=compressed)
    contents = path.read_bytes()
    path.write_bytes(b"MATLAB 5.0 MAT-file, written by scipy".ljust(116) + contents[116:])


def main():
    here = Path(__file__).resolve().parent
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else here.parent / "crates/barnowl/tests/fixtures"
    for name, compressed in [("stored", False), ("compressed", True)]:
        path = folder / f"mat_types_{name}.mat"
        save(path, arrays(), compressed)
    save(folder / "mat_qtdb.mat", qtdb(), compressed=True)
    (folder / "mat_packed_big_endian.mat").write_bytes(packed_big_endian())
    packed = scipy.io.loadmat(folder / "mat_packed_big_endian.mat")["p"]
    assert packed.tolist() == [[1, -4], [2, -5], [3, -600]]


main()
