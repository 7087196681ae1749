"""Times a training step (forward, backward, Adam) in eager PyTorch, in the style of the paper's scripts.

    python reference/time_pytorch.py [ecg shd gsc smnist] [--threads N] [--steps N] [--length T] [--json]

One loop over time goes through all layers, and autograd records every operation of every step.
"""

import shapes  # first: it settles the environment
import torch

import model


def forward(shape, layers, x):
    """Score, and the spikes of each hidden layer by time step."""
    batch = x.shape[1]
    *hidden, readout = layers
    states = [model.alif_rest(p, config["b0"], batch) for p, config in zip(hidden, shape.layers)]
    spiking = shape.readout["kind"] == "alif"
    if spiking:
        out = model.alif_rest(readout, shape.readout["b0"], batch)
    else:
        m = x.new_zeros(batch, shape.classes)
    membranes, spikes, trace = [], [], [[] for _ in hidden]
    for s in x.unbind(0):
        for n, (p, config) in enumerate(zip(hidden, shape.layers)):
            states[n] = model.alif_step(p, config["b0"], config["beta"], shapes.SURROGATE, s, states[n])
            s = states[n].s
            trace[n].append(s)
        if spiking:
            out = model.alif_step(readout, shape.readout["b0"], shape.readout["beta"], shapes.SURROGATE, s, out)
            membranes.append(out.u)
            spikes.append(out.s)
        else:
            m = model.integrator_step(readout, s, m)
            membranes.append(m)
    score = model.decode(shape.decode, torch.stack(membranes), torch.stack(spikes) if spiking else None)
    return score, trace


def time_shape(shape, repeats):
    layers, x, target = shapes.problem(shape)
    layers = [{name: torch.tensor(value, requires_grad=True) for name, value in p.items()} for p in layers]
    x, target = torch.tensor(x), torch.tensor(target)
    optimizer = torch.optim.Adam([value for p in layers for value in p.values()], lr=shapes.LEARNING_RATE)
    rates = []

    def step():
        optimizer.zero_grad()
        score, trace = forward(shape, layers, x)
        if not rates:  # once, while warming up
            rates.extend(torch.stack(spikes).detach().mean().item() for spikes in trace)
        model.loss(shape.decode, score, target).backward()
        optimizer.step()

    return shapes.median_seconds(step, repeats), rates


def main():
    args = shapes.arguments(__doc__.splitlines()[0])
    torch.set_num_threads(args.threads)
    shapes.run(args, "pytorch", torch.__version__, time_shape)


if __name__ == "__main__":
    main()
