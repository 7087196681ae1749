"""Times a training step (forward, backward, Adam) of Sinabs' ALIF, its neuron with an adaptive threshold.

    python reference/time_sinabs.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]

Each layer is a linear layer over the whole sequence and one of Sinabs' modules with time, `ALIFRecurrent`, `ALIF` or
`ExpLeak`, that loops over it.

Equal: layer sizes, weights, biases, recurrence, inputs, decoder, loss, time constants per neuron that are learned, of
membrane and adaptation, and the surrogate gradient, the multi-Gaussian. `ExpLeak` is Barnowl's leaky integrator.
Not equal: the threshold starts at b0; a spike lowers the membrane at once and not after the decay, so the membranes of
spiking readouts are those after the reset; the threshold passes no gradient but through the reset.
"""

import importlib.metadata

import timing

ARGS = timing.arguments(__doc__.splitlines()[0])

import torch  # noqa: E402
from sinabs.activation import MultiGaussian  # noqa: E402
from sinabs.layers import ALIF, ALIFRecurrent, ExpLeak  # noqa: E402

import shapes  # noqa: E402
import torch_step  # noqa: E402


def network(shape, layers):
    constants = shapes.SURROGATE
    surrogate = MultiGaussian(
        sigma=constants["sigma"], h=constants["height"], s=constants["scale"], grad_scale=constants["gamma"]
    )

    def layer(p, config):
        dense = torch_step.linear(p["input.weight"], p["input.bias"])
        if config.get("kind") == "leaky_integrator":
            return torch.nn.Sequential(dense, ExpLeak(p["tau_m"], norm_input=True))
        neuron = dict(
            tau_mem=p["tau_m"],
            tau_adapt=p["tau_adp"],
            adapt_scale=config["beta"],
            spike_threshold=torch.tensor(config["b0"]),
            surrogate_grad_fn=surrogate,
            record_states=config is shape.readout,
        )
        if config.get("recurrent"):
            recurrent = torch_step.linear(p["recurrent.weight"], p["recurrent.bias"])
            return torch.nn.Sequential(dense, ALIFRecurrent(rec_connect=recurrent, **neuron))
        return torch.nn.Sequential(dense, ALIF(**neuron))

    net = torch.nn.ModuleList(layer(p, config) for p, config in zip(layers, (*shape.layers, shape.readout)))

    def forward(x):
        # Sinabs has the sequences first.
        x, hidden = x.transpose(0, 1), []
        for module in net:
            module[1].reset_states()
            x = module(x)
            hidden.append(x.transpose(0, 1))
        *hidden, out = hidden
        if shape.readout["kind"] == "alif":
            return net[-1][1].recordings["v_mem"].transpose(0, 1), out, hidden
        return out, None, hidden

    return list(net.parameters()), forward


if __name__ == "__main__":
    torch_step.run(ARGS, "sinabs", importlib.metadata.version("sinabs"), network)
