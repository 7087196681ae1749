"""Times a training step (forward, backward, Adam) of SpikingJelly's parametric LIF neurons.

    python reference/time_spikingjelly.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]

Layers run one after the other in multi-step mode. Without recurrence that is one linear layer over the whole sequence
and one operator, forward and backward written out, for all its steps (Python on a CPU, in SpikingJelly 2.0); recurrent
layers loop over `LinearRecurrentContainer`.

Equal: layer sizes, weights, recurrence, inputs, spike rates (nearly), decoder, loss, decay of the membrane.
Not equal: SpikingJelly has no neuron with an adaptive threshold and a learned time constant, so `ParametricLIFNode`
goes without adaptation and tau_adp, in the readouts of ecg and smnist too; it learns one time constant a layer, not one
a neuron. That, and its own surrogate gradient, a sigmoid, is less work than Barnowl does. A spike lowers the membrane
before the decay, not after; the membranes of spiking readouts are those after the reset; recurrent layers have one
bias, not two. The container's linear layer is replaced: of itself it maps inputs and spikes to the inputs' size, before
a second layer that our networks do not have.
"""

import importlib.metadata

import timing

ARGS = timing.arguments(__doc__.splitlines()[0])

import torch  # noqa: E402
from spikingjelly.activation_based import functional  # noqa: E402
from spikingjelly.activation_based.layer import LinearRecurrentContainer  # noqa: E402
from spikingjelly.activation_based.neuron import ParametricLIFNode  # noqa: E402

import torch_step  # noqa: E402

# No membrane comes near: a leaky integrator.
NEVER = 1e9


def network(shape, layers):
    def layer(p, config):
        # The node's decay is 1 - 1/tau.
        tau = (1 / (1 - torch.exp(-1 / p["tau_m"][0]))).item()
        threshold = NEVER if config.get("kind") == "leaky_integrator" else config["b0"]
        readout = config is shape.readout
        if config.get("recurrent"):
            neuron = ParametricLIFNode(tau, v_threshold=threshold, v_reset=None)
            container = LinearRecurrentContainer(neuron, p["input.weight"].shape[1], config["size"], step_mode="m")
            weight = torch.cat([p["input.weight"], p["recurrent.weight"]], dim=1)
            container.rc = torch_step.linear(weight, p["input.bias"] + p["recurrent.bias"])
            return container
        dense = torch_step.linear(p["input.weight"], p["input.bias"])
        neuron = ParametricLIFNode(tau, v_threshold=threshold, v_reset=None, step_mode="m", store_v_seq=readout)
        return torch.nn.Sequential(dense, neuron)

    net = torch.nn.ModuleList(layer(p, config) for p, config in zip(layers, (*shape.layers, shape.readout)))

    def forward(x):
        functional.reset_net(net)
        hidden = []
        for module in net:
            x = module(x)
            hidden.append(x)
        *hidden, spikes = hidden
        return net[-1][1].v_seq, spikes if shape.readout["kind"] == "alif" else None, hidden

    return list(net.parameters()), forward


if __name__ == "__main__":
    torch_step.run(ARGS, "spikingjelly", importlib.metadata.version("spikingjelly"), network, adaptive=False)
