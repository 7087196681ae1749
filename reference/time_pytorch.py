"""Times a training step (forward, backward, Adam) in PyTorch, in the style of the paper's scripts: eager, or compiled.

    python reference/time_pytorch.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]
    python reference/time_pytorch.py ecg --compile step     one time step of all layers through torch.compile
    python reference/time_pytorch.py ecg --compile loop     the whole loop over time: minutes to compile, or hours

One loop over time goes through all layers, and autograd records every operation of every step. Compiled, a step's
operations are fused, forward and backward, and the loop stays in Python; or the loop is unrolled and compiled whole,
which takes the longer the more steps a sequence has.
"""

import sys
import time

import timing


def options(parser):
    parser.add_argument(
        "--compile", nargs="?", const="loop", choices=["step", "loop"], help="torch.compile a time step, or the whole loop"
    )


ARGS = timing.arguments(__doc__.splitlines()[0], options=options)

import shapes  # noqa: E402
import torch  # noqa: E402

import model  # noqa: E402
import torch_step  # noqa: E402


def network(shape, layers):
    parameters = [value.requires_grad_() for p in layers for value in p.values()]
    *hidden, readout = layers
    spiking = shape.readout["kind"] == "alif"

    def step(s, states, out):
        """One time step of all layers: their states after it, and the readout's."""
        after = []
        for p, config, state in zip(hidden, shape.layers, states):
            state = model.alif_step(p, config["b0"], config["beta"], shapes.SURROGATE, s, state)
            s = state.s
            after.append(state)
        if spiking:
            return after, model.alif_step(readout, shape.readout["b0"], shape.readout["beta"], shapes.SURROGATE, s, out)
        return after, model.integrator_step(readout, s, out)

    if ARGS.compile == "step":
        step = torch.compile(step)

    def forward(x):
        batch = x.shape[1]
        states = [model.alif_rest(p, config["b0"], batch) for p, config in zip(hidden, shape.layers)]
        if spiking:
            out = model.alif_rest(readout, shape.readout["b0"], batch)
        else:
            out = x.new_zeros(batch, shape.classes)
        membranes, spikes, trace = [], [], [[] for _ in hidden]
        for s in x.unbind(0):
            states, out = step(s, states, out)
            for state, own in zip(states, trace):
                own.append(state.s)
            membranes.append(out.u if spiking else out)
            if spiking:
                spikes.append(out.s)
        return torch.stack(membranes), torch.stack(spikes) if spiking else None, trace

    if ARGS.compile == "loop":
        forward = torch.compile(forward)
    return parameters, forward if ARGS.compile is None else announced(forward, shape)


def announced(forward, shape):
    """Says that it compiles, which may look like a hang, at the first call; on standard error."""
    what = "a time step" if ARGS.compile == "step" else f"the loop over {shape.steps} time steps"
    first = True

    def announcing(x):
        nonlocal first
        if not first:
            return forward(x)
        first = False
        print(f"torch.compile: {what}; this takes from seconds to many minutes", file=sys.stderr, flush=True)
        start = time.perf_counter()
        out = forward(x)
        print(f"torch.compile: forward after {time.perf_counter() - start:.0f} s", file=sys.stderr, flush=True)
        return out

    return announcing


if __name__ == "__main__":
    name = "pytorch" if ARGS.compile is None else f"pytorch-{ARGS.compile}"
    torch_step.run(ARGS, name, torch.__version__, network)
