"""Times a training step (forward, backward, Adam) of snnTorch's leaky neurons.

    python reference/time_snntorch.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]

One loop over time goes through all layers, as in snnTorch's tutorials.

Equal: layer sizes, weights, recurrence, inputs, spike rates, decoder, loss, and a decay per neuron that is learned
(`learn_beta`). With 1 - alpha in the weights, `Leaky` and `RLeaky` compute just what neurons of Barnowl compute whose
threshold does not adapt.
Not equal: snnTorch 1.0 has no neuron with an adaptive threshold, so there is neither adaptation nor tau_adp, in the
readouts of ecg and smnist neither; beta is learned, not tau_m; the reset passes no gradient; the surrogate gradient is
snnTorch's own, arctan, cheaper than the multi-Gaussian. All of this is less work than Barnowl does.
"""

import timing

ARGS = timing.arguments(__doc__.splitlines()[0])

import snntorch  # noqa: E402
import torch  # noqa: E402

import torch_step  # noqa: E402


def network(shape, layers):
    def layer(p, config):
        beta = torch.exp(-1 / p["tau_m"])
        # Leaky takes its input whole, our neurons take (1 - alpha) of it.
        gain = 1 - beta
        dense = torch_step.linear(gain[:, None] * p["input.weight"], gain * p["input.bias"])
        if config.get("kind") == "leaky_integrator":
            neuron = snntorch.Leaky(beta, learn_beta=True, reset_mechanism="none")
        elif config.get("recurrent"):
            neuron = snntorch.RLeaky(beta, linear_features=config["size"], threshold=config["b0"], learn_beta=True)
            weight, bias = gain[:, None] * p["recurrent.weight"], gain * p["recurrent.bias"]
            torch_step.filled(neuron, recurrent__weight=weight, recurrent__bias=bias)
        else:
            neuron = snntorch.Leaky(beta, threshold=config["b0"], learn_beta=True)
        return torch.nn.ModuleList([dense, neuron])

    net = torch.nn.ModuleList(layer(p, config) for p, config in zip(layers, (*shape.layers, shape.readout)))

    def forward(x):
        states = []
        for dense, neuron in net:
            zero = x.new_zeros(x.shape[1], dense.out_features)
            states.append((zero, zero) if isinstance(neuron, snntorch.RLeaky) else (zero,))
        trace, membranes = [[] for _ in net], []
        for s in x.unbind(0):
            for n, (dense, neuron) in enumerate(net):
                s, membrane = neuron(dense(s), *states[n])
                states[n] = (s, membrane) if len(states[n]) == 2 else (membrane,)
                trace[n].append(s)
            membranes.append(membrane)
        *hidden, spikes = trace
        spikes = torch.stack(spikes) if shape.readout["kind"] == "alif" else None
        return torch.stack(membranes), spikes, hidden

    return list(net.parameters()), forward


if __name__ == "__main__":
    torch_step.run(ARGS, "snntorch", snntorch.__version__, network, adaptive=False)
