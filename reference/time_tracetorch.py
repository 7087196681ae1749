"""Times a training step (forward, backward, Adam) of an adaptive neuron of one's own in traceTorch.

    python reference/time_tracetorch.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]

traceTorch 0.19 has no neuron with an adaptive threshold; here is one, on its class for neurons of one's own, which keeps
states and parameters. One loop over time goes through all layers, as in traceTorch's models. Readouts that do not spike
are its `LI`.

Equal: layer sizes, weights, biases, recurrence, inputs, spikes, decoder, loss, the equations and the surrogate gradient
of Barnowl.
Not equal: what is learned are the decays, through a sigmoid, not the time constants; traceTorch computes the sigmoid at
each use. `LI` takes its input whole, so 1 - alpha is in the weights of the readout and not learned with alpha.
"""

import importlib.metadata

import timing

ARGS = timing.arguments(__doc__.splitlines()[0])

import torch  # noqa: E402
import tracetorch  # noqa: E402

import model  # noqa: E402
import shapes  # noqa: E402
import torch_step  # noqa: E402


class Alif(tracetorch.snn.Layer):
    """Adaptive leaky integrate-and-fire neurons, as `model.alif_step` has them."""

    def __init__(self, p, config):
        super().__init__(config["size"])
        for state in ("u", "b", "s"):
            self._initialize_state(state)
        self._register_decay("alpha", torch.exp(-1 / p["tau_m"]), 1, True)
        self._register_decay("rho", torch.exp(-1 / p["tau_adp"]), 1, True)
        self.b0, self.beta = config["b0"], config["beta"]
        self.recurrent = torch_step.linear(p["recurrent.weight"], p["recurrent.bias"]) if config.get("recurrent") else None

    def forward(self, i):
        if self.b is None:
            self.b = torch.full_like(i, self.b0)
        self._ensure_states(i)
        if self.recurrent is not None:
            i = i + self.recurrent(self.s)
        alpha, rho = self.alpha, self.rho
        self.b = rho * self.b + (1 - rho) * self.s
        theta = self.b0 + self.beta * self.b
        self.u = alpha * self.u + (1 - alpha) * i - theta * self.s
        self.s = model.Spike.apply(self.u - theta, shapes.SURROGATE)
        return self.s


class Network(tracetorch.Model):
    def __init__(self, shape, layers):
        super().__init__()
        *hidden, readout = layers
        self.dense = torch.nn.ModuleList(torch_step.linear(p["input.weight"], p["input.bias"]) for p in hidden)
        self.neurons = torch.nn.ModuleList(Alif(p, config) for p, config in zip(hidden, shape.layers))
        if shape.readout["kind"] == "alif":
            self.dense.append(torch_step.linear(readout["input.weight"], readout["input.bias"]))
            self.neurons.append(Alif(readout, shape.readout))
        else:
            alpha = torch.exp(-1 / readout["tau_m"])
            gain = 1 - alpha
            self.dense.append(torch_step.linear(gain[:, None] * readout["input.weight"], gain * readout["input.bias"]))
            self.neurons.append(tracetorch.snn.LI(shape.classes, beta=alpha))

    def forward(self, s):
        """What each layer gives at one step."""
        out = []
        for dense, neuron in zip(self.dense, self.neurons):
            s = neuron(dense(s))
            out.append(s)
        return out


def network(shape, layers):
    net = Network(shape, layers)
    spiking = shape.readout["kind"] == "alif"

    def forward(x):
        net.zero_states()
        trace, membranes = [[] for _ in layers], []
        for s in x.unbind(0):
            for own, out in zip(trace, net(s)):
                own.append(out)
            if spiking:
                membranes.append(net.neurons[-1].u)
        *hidden, out = trace
        out = torch.stack(out)
        return (torch.stack(membranes), out, hidden) if spiking else (out, None, hidden)

    return list(net.parameters()), forward


if __name__ == "__main__":
    torch_step.run(ARGS, "tracetorch", importlib.metadata.version("tracetorch"), network)
