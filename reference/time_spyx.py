"""Times a training step (forward, backward, Adam) of an adaptive neuron of one's own in Spyx, on JAX.

    python reference/time_spyx.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]

One `spyx.nn.run`, a scan over time, goes through all layers, as through Spyx's `Sequential`. Spyx's own `ALIF` has no
recurrent weights and fixed strength of adaptation, so the neurons are one's own, by Spyx's two methods for them, with
its surrogate of a function of one's own.

Equal: layer sizes, weights, biases, recurrence, inputs, spikes, decoder, loss, equations, surrogate gradient and trained
parameters of Barnowl.
Not equal to time_jax.py: the input currents of the first layer are a product at each step, not one for all.
"""

import importlib.metadata
import os

import timing

ARGS = timing.arguments(__doc__.splitlines()[0])
timing.limit_processors(ARGS.threads)
os.environ.setdefault("JAX_PLATFORMS", ARGS.device)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import spyx  # noqa: E402
import spyx.axn  # noqa: E402
import spyx.nn  # noqa: E402
from flax import nnx  # noqa: E402

import jax_network  # noqa: E402
import jax_step  # noqa: E402
import shapes  # noqa: E402

CONSTANTS = {name: value for name, value in shapes.SURROGATE.items() if name != "kind"}
SPIKE = spyx.axn.custom(bwd=lambda v: jax_network.multi_gaussian(v, **CONSTANTS))


class Alif(nnx.Module):
    """Adaptive leaky integrate-and-fire neurons, with recurrent weights if there are some."""

    def __init__(self, p, config):
        self.tau_m, self.tau_adp = nnx.Param(p["tau_m"]), nnx.Param(p["tau_adp"])
        self.b0, self.beta = config["b0"], config["beta"]
        self.recurrent = linear(p["recurrent.weight"], p["recurrent.bias"]) if config.get("recurrent") else None

    def initial_state(self, batch):
        zero = jnp.zeros((batch, len(self.tau_m)))
        return zero, zero, zero + self.b0

    def __call__(self, i, state):
        s, u, b = state
        alpha, rho = jnp.exp(-1 / self.tau_m[...]), jnp.exp(-1 / self.tau_adp[...])
        if self.recurrent is not None:
            i = i + self.recurrent(s)
        b = rho * b + (1 - rho) * s
        theta = self.b0 + self.beta * b
        u = alpha * u + (1 - alpha) * i - theta * s
        s = SPIKE(u - theta)
        return s, (s, u, b)


class Integrator(nnx.Module):
    """Leaky integrators."""

    def __init__(self, p):
        self.tau_m = nnx.Param(p["tau_m"])

    def initial_state(self, batch):
        zero = jnp.zeros((batch, len(self.tau_m)))
        return zero, zero

    def __call__(self, i, state):
        alpha = jnp.exp(-1 / self.tau_m[...])
        m = alpha * state[1] + (1 - alpha) * i
        return m, (m, m)


class Network(nnx.Module):
    """All layers; what comes out are the hidden spikes, and the readout's first two states."""

    def __init__(self, shape, layers):
        configs = (*shape.layers, shape.readout)
        integrates = [config.get("kind") == "leaky_integrator" for config in configs]
        self.dense = nnx.List([linear(p["input.weight"], p["input.bias"]) for p in layers])
        self.neurons = nnx.List([Integrator(p) if i else Alif(p, c) for p, c, i in zip(layers, configs, integrates)])

    def initial_state(self, batch):
        return [neuron.initial_state(batch) for neuron in self.neurons]

    def __call__(self, s, states):
        after = []
        for dense, neuron, state in zip(self.dense, self.neurons, states):
            s, state = neuron(dense(s), state)
            after.append(state)
        return ([state[0] for state in after[:-1]], after[-1][:2]), after


def linear(weight, bias):
    """Flax' linear layer of these weights."""
    layer = nnx.Linear(weight.shape[1], weight.shape[0], rngs=nnx.Rngs(0))
    layer.kernel, layer.bias = nnx.Param(weight.T), nnx.Param(bias)
    return layer


def network(shape, layers):
    definition, parameters = nnx.split(Network(shape, layers))

    def forward(parameters, x):
        return spyx.nn.run(nnx.merge(definition, parameters), x)[0]

    return parameters, forward, lambda parameters: parameters


if __name__ == "__main__":
    jax_step.run(ARGS, "spyx", importlib.metadata.version("spyx"), network)
