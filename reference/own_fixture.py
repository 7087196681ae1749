"""Writes the arrays that `crates/barnowl/tests/own.rs` reads.

    python reference/own_fixture.py [FOLDER]

FOLDER defaults to crates/barnowl/tests/fixtures. Needs numpy.
"""

import sys
from pathlib import Path

import numpy as np


def main():
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else "crates/barnowl/tests/fixtures") / "own"
    folder.mkdir(parents=True, exist_ok=True)
    x = np.arange(24).reshape(4, 3, 2)
    np.savez(folder / "plain.npz", x=x / 2, y=np.array([0, 1, 2, 1]))
    np.savez_compressed(folder / "packed.npz", x=np.asfortranarray(x.astype("f4") / 2), y=np.array([0, 1, 2, 1], "u1"))
    np.savez(folder / "steps.npz", x=x.astype(">i2"), y=np.arange(12).reshape(4, 3) % 3)
    np.savez(folder / "wrong.npz", x=x, y=np.array([0, 1]))
    np.savez(folder / "text.npz", x=np.array(["a"]), y=np.array([0]))
    np.savez(folder / "alone.npz", x=x)
    np.save(folder / "x.npy", x / 2)
    np.save(folder / "y.npy", np.array([0, 1, 2, 1]))


if __name__ == "__main__":
    main()
