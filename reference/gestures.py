"""Four gestures before a wrist-worn accelerometer, made up: three axes with gravity, 50 Hz, 60 to 159 steps.

    python reference/gestures.py FOLDER                      arrays: train.npz, test.npz, with their lengths
    python reference/gestures.py FOLDER --form csv           a table a recording, in the folder of its class
    python reference/gestures.py FOLDER --form events        level crossings of each axis: time, channel, polarity
    python reference/gestures.py FOLDER --form ts            the format of the UCR/UEA archive
    python reference/gestures.py FOLDER --per-step           recordings of several gestures, a class a step (arrays, csv)

Every recording has a tilt, a speed, a strength and noise of its own. Between two gestures the hand is on its way: those steps have
no label. Needs NumPy alone.
"""

import argparse
import pathlib

import numpy as np

RATE, GRAVITY = 50.0, 9.81  # steps a second, m/s²
CLASSES = ["circle", "shake", "still", "tap"]
AXES = ["x", "y", "z"]
LEVEL = 1.5  # m/s² between two events of an axis


def rotation(rng, most):
    """A rotation by up to `most` radians about an axis drawn at random."""
    axis = rng.normal(size=3)
    axis /= np.linalg.norm(axis)
    angle = rng.uniform(-most, most)
    k = np.array([[0, -axis[2], axis[1]], [axis[2], 0, -axis[0]], [-axis[1], axis[0], 0]])
    return np.eye(3) + np.sin(angle) * k + (1 - np.cos(angle)) * (k @ k)


def movement(rng, name, steps):
    """The acceleration of a gesture without gravity, [steps, 3], in m/s²."""
    t = np.arange(steps) / RATE
    phase = rng.uniform(0, 2 * np.pi)
    a = np.zeros((steps, 3))
    if name == "circle":
        turn = 2 * np.pi * rng.uniform(1.0, 1.8) * t + phase
        a[:, 0], a[:, 1] = np.cos(turn), rng.choice([-1, 1]) * np.sin(turn)
        a *= rng.uniform(3, 6)
    elif name == "shake":
        a[:, 0] = rng.uniform(6, 12) * np.sin(2 * np.pi * rng.uniform(4, 6) * t + phase)
    elif name == "tap":
        period = int(RATE * rng.uniform(0.35, 0.6))
        for start in range(int(rng.integers(0, period)), steps, period):
            knock = np.array([0.3, -1.0, 0.6, -0.2])[: steps - start]
            a[start : start + len(knock), 2] += rng.uniform(8, 16) * knock
    return a


def recording(rng, per_step):
    """Values [steps, 3] and the class: one, or one a step, -1 where there is none."""
    names = rng.choice(CLASSES, size=3 if per_step else 1, replace=not per_step)
    values, labels = [], []
    for i, name in enumerate(names):
        steps = int(rng.integers(60, 160))
        gesture = movement(rng, name, steps)
        label = np.full(steps, CLASSES.index(name))
        if i > 0:  # on the way from one gesture to the next
            gesture[:15] *= np.linspace(0, 1, 15)[:, None]
            label[:15] = -1
        values.append(gesture)
        labels.append(label)
    values, labels = np.concatenate(values), np.concatenate(labels)
    turned = (values + [0, 0, GRAVITY]) @ rotation(rng, 0.6).T
    noisy = turned + rng.normal(scale=0.3, size=values.shape)
    return noisy.astype("float32"), labels if per_step else labels[0]


def events(values):
    """The level crossings of each axis, from its first value on: (time in s, channel, polarity)."""
    found = []
    for channel in range(values.shape[1]):
        level = values[0, channel]
        for step, value in enumerate(values[:, channel]):
            while abs(value - level) >= LEVEL:
                sign = 1 if value > level else -1
                level += sign * LEVEL
                found.append((step / RATE, channel, sign))
    return sorted(found)


def write_csv(path, header, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header] + [",".join(str(cell) for cell in row) for row in rows]) + "\n")


def write(folder, part, form, recordings, per_step, padding):
    if form == "arrays":
        longest = max(len(values) for values, _ in recordings) + padding
        x = np.zeros((len(recordings), longest, 3), "float32")
        y = np.full((len(recordings), longest), -1) if per_step else np.zeros(len(recordings), int)
        for n, (values, label) in enumerate(recordings):
            x[n, : len(values)] = values
            if per_step:
                y[n, : len(values)] = label
            else:
                y[n] = label
        lengths = np.array([len(values) for values, _ in recordings])
        np.savez(folder / f"{part}.npz", x=x, y=y, lengths=lengths, class_names=CLASSES, channel_names=AXES)
        return
    if form == "ts":
        lines = ["@problemName Gestures", "@timeStamps false", "@missing false", "@univariate false", "@dimensions 3",
                 "@equalLength false", "@classLabel true " + " ".join(CLASSES), "@data"]
        for values, label in recordings:
            axes = [",".join(f"{v:.4f}" for v in values[:, axis]) for axis in range(3)]
            lines.append(":".join(axes + [CLASSES[label]]))
        (folder / f"Gestures_{part.upper()}.ts").write_text("\n".join(lines) + "\n")
        return
    for n, (values, label) in enumerate(recordings):
        rows = [[f"{v:.4f}" for v in row] for row in values]
        if per_step:
            named = ["" if k < 0 else CLASSES[k] for k in label]
            write_csv(folder / part / f"{n:04}.csv", "x,y,z,label", [r + [k] for r, k in zip(rows, named)])
        elif form == "csv":
            write_csv(folder / part / CLASSES[label] / f"{n:04}.csv", "x,y,z", rows)
        else:
            listed = [(f"{time:.3f}", channel, sign) for time, channel, sign in events(values)]
            write_csv(folder / part / CLASSES[label] / f"{n:04}.csv", "time,channel,polarity", listed)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--form", choices=["arrays", "csv", "events", "ts"], default="arrays")
    parser.add_argument("--per-step", action="store_true")
    parser.add_argument("--padding", type=int, default=0, help="more steps of padding in arrays")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if args.per_step and args.form not in ("arrays", "csv"):
        parser.error("a class a step is for arrays and csv")
    args.folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(args.seed)
    for part, count in [("train", 180 if args.per_step else 400), ("test", 60 if args.per_step else 120)]:
        recordings = [recording(rng, args.per_step) for _ in range(count)]
        write(args.folder, part, args.form, recordings, args.per_step, args.padding)


if __name__ == "__main__":
    main()
