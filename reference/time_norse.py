"""Times a training step (forward, backward, Adam) of Norse's LSNN, its neuron with an adaptive threshold.

    python reference/time_norse.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]

Each layer is one of Norse's modules with time, `LSNNRecurrent`, `LSNN` or `LI`, that loops over the sequence; before
the last two a linear layer takes the whole sequence at once.

Equal: layer sizes, weights, recurrence (autapses too), inputs, decoder, loss, and time constants per neuron that are
learned, of membrane and adaptation. With dt = 1 and a synapse that forgets within a step, LSNN has Barnowl's decays and
the same rise of the threshold at a spike; `LI` is then just Barnowl's leaky integrator.
Not equal: LSNN sets the membrane to zero at a spike, where ours loses the threshold; its input counts one step later;
the threshold starts at b0; recurrent layers have one bias (v_leak), not two; what is learned is 1 - alpha and 1 - rho,
not the time constants; the resets of recurrent layers pass no gradient. The synapse is computed all the same, a little
more work than Barnowl's. The surrogate gradient, Norse's triangle of height 0.3 as in the LSNN paper, is less work than
the multi-Gaussian; with Norse's default, SuperSpike, the gradients of ecg overflow. The spike rates are what comes of
all this; the time of dense products does not depend on them.
"""

import importlib.metadata

import timing

ARGS = timing.arguments(__doc__.splitlines()[0])

import torch  # noqa: E402
from norse.torch import LI, LSNN, LIParameters, LSNNParameters, LSNNRecurrent, LSNNState  # noqa: E402
from torch.nn import Parameter  # noqa: E402

import torch_step  # noqa: E402


def network(shape, layers):
    parameters, net = [], []

    def rate(tau):
        """What a step takes of the distance: 1 - exp(-1 / tau), learned."""
        inverse = Parameter(1 - torch.exp(-1 / tau))
        parameters.append(inverse)
        return inverse

    def learned(module):
        parameters.extend(module.parameters())
        return module

    for p, config in zip(layers, (*shape.layers, shape.readout)):
        if config.get("kind") == "leaky_integrator":
            constants = LIParameters(tau_syn_inv=torch.tensor(1.0), tau_mem_inv=rate(p["tau_m"]))
            net.append((learned(torch_step.linear(p["input.weight"], p["input.bias"])), LI(constants, dt=1.0)))
            continue
        constants = LSNNParameters(
            tau_syn_inv=torch.tensor(1.0),
            tau_mem_inv=rate(p["tau_m"]),
            tau_adapt_inv=rate(p["tau_adp"]),
            v_th=torch.tensor(config["b0"]),
            beta=config["beta"] * (1 - torch.exp(-1 / p["tau_adp"])),
            method="triangle",
            alpha=0.3,
        )
        if config.get("recurrent"):
            bias = Parameter(p["input.bias"] + p["recurrent.bias"])
            parameters.append(bias)
            neuron = LSNNRecurrent(
                p["input.weight"].shape[1],
                config["size"],
                constants._replace(v_leak=bias),
                input_weights=Parameter(p["input.weight"]),
                recurrent_weights=Parameter(p["recurrent.weight"]),
                autapses=True,
                dt=1.0,
            )
            net.append((None, learned(neuron)))
        else:
            neuron = LSNN(constants, dt=1.0, record_states=config is shape.readout)
            net.append((learned(torch_step.linear(p["input.weight"], p["input.bias"])), neuron))

    def forward(x):
        hidden = []
        for dense, neuron in net:
            if dense is None:
                # Norse's own initial state wants one v_leak for all neurons.
                zero = x.new_zeros(x.shape[1], int(neuron.hidden_size))
                x, state = neuron(x, LSNNState(z=zero, v=zero, i=zero, b=zero + neuron.p.v_th))
            else:
                x, state = neuron(dense(x))
            hidden.append(x)
        *hidden, out = hidden
        return (state.v, out, hidden) if shape.readout["kind"] == "alif" else (out, None, hidden)

    return parameters, forward


if __name__ == "__main__":
    torch_step.run(ARGS, "norse", importlib.metadata.version("norse"), network)
