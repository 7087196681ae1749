"""Trains the network of the task `fsdd-spikes` in PyTorch, by the recipe of tasks/fsdd-spikes.toml.

    python reference/train_fsdd_spikes.py DATA [--epochs 20] [--seed 1] [--validation 0.1] [--threads 2]

DATA is the folder that holds fsdd-spikes/train.h5 and test.h5. Needs torch, numpy and h5py. Time constants themselves are
trained, as in the authors' scripts; nothing is chosen: the test accuracy is that after the last epoch.
"""

import argparse
from pathlib import Path

import h5py
import model
import numpy as np
import torch

STEPS, STEP, CHANNELS, HIDDEN, CLASSES = 250, 0.004, 700, 128, 10
SURROGATE = {"kind": "multi_gaussian"}.items()
DECODE = {"kind": "softmax_sum", "skip": 11}


def frames(path):
    """Binary frames [N, T, C] and labels."""
    with h5py.File(path) as file:
        labels = torch.tensor(file["labels"][:].astype(np.int64))
        x = torch.zeros(len(labels), STEPS, CHANNELS)
        for i, (times, units) in enumerate(zip(file["spikes/times"], file["spikes/units"])):
            step = (times.astype(np.float64) / STEP).astype(np.int64)
            x[i, step[step < STEPS], units[step < STEPS].astype(np.int64)] = 1
    return x, labels


def layer(inputs, size, recurrent, adaptive=True):
    p = {"input.weight": torch.empty(size, inputs), "input.bias": torch.zeros(size), "tau_m": torch.normal(20.0, 5.0, (size,))}
    torch.nn.init.xavier_uniform_(p["input.weight"])
    if adaptive:
        p["tau_adp"] = torch.normal(150.0, 10.0, (size,))
    if recurrent:
        p |= {"recurrent.weight": torch.empty(size, size), "recurrent.bias": torch.zeros(size)}
        torch.nn.init.orthogonal_(p["recurrent.weight"])
    return {name: value.requires_grad_() for name, value in p.items()}


def forward(layers, x):
    """The score [B, classes] of x [B, T, C]; membranes start between 0 and 1."""
    batch = len(x)
    states = []
    for p in layers[:2]:
        rest = model.alif_rest(p, 0.01, batch)
        states.append(rest._replace(u=torch.rand(batch, HIDDEN)))
    m = torch.rand(batch, CLASSES)
    membranes = []
    for t in range(STEPS):
        states[0] = model.alif_step(layers[0], 0.01, 1.8, SURROGATE, x[:, t], states[0])
        states[1] = model.alif_step(layers[1], 0.01, 1.8, SURROGATE, states[0].s, states[1])
        m = model.integrator_step(layers[2], states[1].s, m)
        membranes.append(m)
    return model.decode(DECODE, torch.stack(membranes), None)


def accuracy(layers, x, labels):
    with torch.no_grad():
        found = torch.cat([forward(layers, part).argmax(1) for part in x.split(100)])
    return (found == labels).float().mean().item()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--validation", type=float, default=0.1, help="share of the training data that is left out")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    torch.set_num_threads(args.threads)
    x, labels = frames(args.data / "fsdd-spikes/train.h5")
    order = torch.randperm(len(x), generator=torch.Generator().manual_seed(1))
    count = round(args.validation * len(x))
    valid, train = order[:count], order[count:]
    layers = [layer(CHANNELS, HIDDEN, True), layer(HIDDEN, HIDDEN, True), layer(HIDDEN, CLASSES, False, adaptive=False)]
    optimizer = torch.optim.Adam([value for p in layers for value in p.values()], lr=1e-2, eps=1e-5)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, 10, 0.5)
    for epoch in range(1, args.epochs + 1):
        right = 0
        for batch in train[torch.randperm(len(train))].split(64):
            score = forward(layers, x[batch])
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(score, labels[batch]).backward()
            optimizer.step()
            right += (score.argmax(1) == labels[batch]).sum().item()
        schedule.step()
        report = f"epoch {epoch}: train {right / len(train):.4f}"
        print(report + (f", valid {accuracy(layers, x[valid], labels[valid]):.4f}" if count else ""), flush=True)
    print(f"test {accuracy(layers, *frames(args.data / 'fsdd-spikes/test.h5')):.4f}")


if __name__ == "__main__":
    main()
