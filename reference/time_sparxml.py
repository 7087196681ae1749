"""Times a training step (forward, backward, Adam) of the ALIF of sparXML (its module is `sparx`), on JAX.

    python reference/time_sparxml.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]

Each layer is a dense layer over the whole sequence and one of sparx's layers with time, `Recurrent(ALIF)`, `ALIF` or
`LI`, each a scan. It needs Python 3.12.

Equal: layer sizes, weights, recurrence, inputs, loss, decays of membrane and adaptation per neuron that are learned,
strength of adaptation, and the surrogate gradient, the multi-Gaussian. 1 - alpha is in the weights.
Not equal: a spike lowers the membrane at once, by b0 and not by the threshold that it met; the threshold starts at b0;
recurrent layers have one bias, not two; what is learned are the decays, through a sigmoid, not the time constants. The
membranes of a layer that spikes cannot be had, so the readout of ecg, which is decoded by them, is an `LI`: less work
than Barnowl does. The spike rates are what comes of all this; the time of dense products does not depend on them.
"""

import os
import sys

import timing

ARGS = timing.arguments(__doc__.splitlines()[0])
if sys.version_info < (3, 12):
    raise SystemExit(f"sparxml needs Python 3.12 or newer, and this is {sys.version.split()[0]}: left out")
timing.limit_processors(ARGS.threads)
os.environ.setdefault("JAX_PLATFORMS", ARGS.device)

import dataclasses  # noqa: E402
import importlib.metadata  # noqa: E402
import math  # noqa: E402

import flax.linen as nn  # noqa: E402
import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import sparx  # noqa: E402
from sparx.surrogate import Surrogate  # noqa: E402

import jax_network  # noqa: E402
import jax_step  # noqa: E402
import shapes  # noqa: E402


@dataclasses.dataclass(frozen=True)
class MultiGaussian(Surrogate):
    gamma: float
    sigma: float
    height: float
    scale: float

    def derivative(self, x):
        return jax_network.multi_gaussian(x, **dataclasses.asdict(self))


SURROGATE = MultiGaussian(**{name: value for name, value in shapes.SURROGATE.items() if name != "kind"})
KEPT = math.exp(-1 / shapes.TAU_ADP)


class Network(nn.Module):
    """All layers; what comes out are the hidden spikes, and twice what the readout gives."""

    configs: tuple
    spiking: bool

    @nn.compact
    def __call__(self, x):
        hidden = []
        for n, config in enumerate(self.configs):
            x = nn.Dense(config["size"], name=f"dense_{n}")(x)
            last = n == len(self.configs) - 1
            if last and not self.spiking:
                x = sparx.nn.LI(tau=shapes.TAU_M, learn_tau=True, name=f"neuron_{n}")(x)
            else:
                settings = dict(
                    tau=shapes.TAU_M,
                    tau_adapt=shapes.TAU_ADP,
                    # A spike raises the adaptation by 1, Barnowl's by 1 - rho.
                    beta=config["beta"] * (1 - KEPT),
                    threshold=config["b0"],
                    surrogate=SURROGATE,
                    learn_tau=True,
                )
                if config.get("recurrent"):
                    x = sparx.nn.Recurrent(sparx.nn.ALIF(**settings), name=f"neuron_{n}")(x)
                else:
                    x = sparx.nn.ALIF(**settings, name=f"neuron_{n}")(x)
            hidden.append(x)
        return hidden[:-1], (x, x)


def network(shape, layers):
    spiking = shape.decode["kind"] == "spike_count"
    configs = tuple(nn.FrozenDict(config) for config in (*shape.layers, shape.readout))
    net = Network(configs, spiking)
    parameters = net.init(jax.random.key(0), jnp.zeros((1, shape.batch, shape.inputs)))["params"]
    for n, p in enumerate(layers):
        # A layer takes its input whole.
        gain = 1 - jnp.exp(-1 / p["tau_m"])
        bias = p["input.bias"] + p["recurrent.bias"] if "recurrent.bias" in p else p["input.bias"]
        parameters[f"dense_{n}"] = {"kernel": (gain[:, None] * p["input.weight"]).T, "bias": gain * bias}
        if "recurrent.weight" in p:
            assert parameters[f"neuron_{n}"]["recurrent"].shape == p["recurrent.weight"].shape
            parameters[f"neuron_{n}"]["recurrent"] = (gain[:, None] * p["recurrent.weight"]).T

    def forward(parameters, x):
        return net.apply({"params": parameters}, x)

    return parameters, forward, lambda parameters: parameters


if __name__ == "__main__":
    jax_step.run(ARGS, "sparxml", importlib.metadata.version("sparxml"), network)
