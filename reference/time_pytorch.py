"""Times a training step (forward, backward, Adam) in eager PyTorch, in the style of the paper's scripts.

    python reference/time_pytorch.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]

One loop over time goes through all layers, and autograd records every operation of every step.
"""

import timing

ARGS = timing.arguments(__doc__.splitlines()[0])

import shapes  # noqa: E402
import torch  # noqa: E402

import model  # noqa: E402
import torch_step  # noqa: E402


def network(shape, layers):
    parameters = [value.requires_grad_() for p in layers for value in p.values()]
    *hidden, readout = layers
    spiking = shape.readout["kind"] == "alif"

    def forward(x):
        batch = x.shape[1]
        states = [model.alif_rest(p, config["b0"], batch) for p, config in zip(hidden, shape.layers)]
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
        return torch.stack(membranes), torch.stack(spikes) if spiking else None, trace

    return parameters, forward


if __name__ == "__main__":
    torch_step.run(ARGS, "pytorch", torch.__version__, network)
