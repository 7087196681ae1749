"""The networks that the timing scripts train: four of the paper's tasks in shape, on random spikes.

numpy only, so that every framework is timed on the same weights, inputs and targets. The spikes of the hidden layers
matter to whoever skips silent neurons: the bias of each layer is set so that it spikes as in the authors' networks.
"""

import math
import os
from dataclasses import dataclass, replace

# Another processor's kernels, were they asked for, would be timed in place of this one's. Read when numpy is loaded.
os.environ.pop("OPENBLAS_CORETYPE", None)

import numpy as np  # noqa: E402

SURROGATE = {"kind": "multi_gaussian", "gamma": 0.5, "sigma": 0.5, "height": 0.15, "scale": 6.0}
TAU_M, TAU_ADP = 20.0, 150.0
# Neurons that hidden layers may have instead of adaptive leaky integrate-and-fire ones: how each parameter starts,
# uniformly within this range, and what is not trained. Equations and sources: crates/barnowl-model/models.
NEURONS = {
    "adlif_se": dict(
        start=dict(tau_u=(5.0, 25.0), tau_w=(60.0, 300.0), a=(0.0, 1.0), b=(0.0, 2.0)),
        constants=dict(q=120.0, threshold=1.0),
        surrogate={"kind": "exponential", "gamma": 1.0, "steepness": 5.0},
    ),
    "brf": dict(
        start=dict(omega=(15.0, 50.0), b_offset=(0.1, 1.0)),
        constants=dict(dt=0.01, gamma=0.9, threshold=1.0),
        surrogate={"kind": "double_gaussian"},
    ),
}
# So small that the spikes, and with them the time of a step, stay as they are from step to step.
LEARNING_RATE = 1e-9


@dataclass(frozen=True)
class Shape:
    """A network as in `model.py`, its data, and the spike rate wanted of the hidden layers."""

    inputs: int
    layers: tuple
    readout: dict
    decode: dict
    batch: int
    steps: int
    density: float
    rate: float
    # Of the hidden layers: alif, or one of NEURONS.
    neuron: str = "alif"

    @property
    def classes(self):
        return self.readout["size"]

    @property
    def surrogate(self):
        """That of the hidden layers."""
        return SURROGATE if self.neuron == "alif" else NEURONS[self.neuron]["surrogate"]


def hidden(size, recurrent=True, b0=0.01, beta=1.8):
    return dict(size=size, recurrent=recurrent, b0=b0, beta=beta)


SHAPES = {
    "ecg": Shape(
        inputs=4,
        layers=(hidden(36, b0=0.1, beta=0.0),),
        readout=dict(kind="alif", size=6, b0=0.1, beta=1.8),
        decode=dict(kind="per_step", skip=10),
        batch=64,
        steps=1300,
        density=0.1,
        rate=0.34,
    ),
    "shd": Shape(
        inputs=700,
        layers=(hidden(128), hidden(128)),
        readout=dict(kind="leaky_integrator", size=20),
        decode=dict(kind="softmax_sum", skip=11),
        batch=64,
        steps=250,
        density=0.02,
        rate=0.11,
    ),
    "gsc": Shape(
        inputs=120,
        layers=(hidden(256, recurrent=False, b0=1.6, beta=0.184), hidden(256, b0=1.6, beta=0.184)),
        readout=dict(kind="leaky_integrator", size=12),
        decode=dict(kind="mean_membrane", skip=0),
        batch=32,
        steps=101,
        density=0.3,
        rate=0.15,
    ),
    "smnist": Shape(
        inputs=4,
        layers=(hidden(64), hidden(256), hidden(256, recurrent=False)),
        readout=dict(kind="alif", size=10, b0=0.01, beta=1.8),
        decode=dict(kind="spike_count", skip=1),
        batch=256,
        steps=784,
        density=0.2,
        rate=0.14,
    ),
}


def xavier(rng, fan_out, fan_in):
    limit = math.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_out, fan_in)).astype(np.float32)


def neurons(rng, fan_in, config, adaptive, neuron="alif"):
    """The parameters of one layer, by the names of the golden vectors."""
    size = config["size"]
    p = {"input.weight": xavier(rng, size, fan_in), "input.bias": np.zeros(size, np.float32)}
    if config.get("recurrent"):
        p |= {"recurrent.weight": xavier(rng, size, size), "recurrent.bias": np.zeros(size, np.float32)}
    if neuron != "alif":
        start = NEURONS[neuron]["start"]
        return p | {name: rng.uniform(*limits, size).astype(np.float32) for name, limits in start.items()}
    p["tau_m"] = np.full(size, TAU_M, np.float32)
    if adaptive:
        p["tau_adp"] = np.full(size, TAU_ADP, np.float32)
    return p


def alif(p, config, zero):
    alpha, rho = np.exp(-1 / p["tau_m"]), np.exp(-1 / p["tau_adp"])
    b0, beta = np.float32(config["b0"]), np.float32(config["beta"])

    def step(state, i):
        s, u, b = state
        b = rho * b + (1 - rho) * s
        theta = b0 + beta * b
        u = alpha * u + (1 - alpha) * i - theta * s
        return u > theta, u, b

    return step, (zero, zero, zero + b0)


def adlif_se(p, config, zero):
    alpha, rho = np.exp(-1 / p["tau_u"]), np.exp(-1 / p["tau_w"])
    q, threshold = (np.float32(NEURONS["adlif_se"]["constants"][name]) for name in ("q", "threshold"))

    def step(state, i):
        _, u, w = state
        u = alpha * u + (1 - alpha) * (i - w)
        s = u > threshold
        u = u * ~s
        return s, u, rho * w + (1 - rho) * q * (p["a"] * u + p["b"] * s)

    return step, (zero, zero, zero)


def brf(p, config, zero):
    dt, gamma, threshold = (np.float32(NEURONS["brf"]["constants"][name]) for name in ("dt", "gamma", "threshold"))
    omega = np.abs(p["omega"])
    damping = (np.sqrt(1 - (dt * omega) ** 2) - 1) / dt - np.abs(p["b_offset"])

    def step(state, i):
        _, u, v, q = state
        b = damping - q
        u, v = u + dt * (b * u - omega * v + i), v + dt * (omega * u + b * v)
        s = u - threshold - q > 0
        return s, u, v, gamma * q + s

    return step, (zero, zero, zero, zero)


def spikes(p, config, x, neuron="alif"):
    """The forward pass of one layer, [T, B, C] -> [T, B, H]; for its spike rate only."""
    current = x @ p["input.weight"].T + p["input.bias"]
    out = np.empty_like(current)
    step, state = {"alif": alif, "adlif_se": adlif_se, "brf": brf}[neuron](p, config, np.zeros_like(current[0]))
    s = state[0]
    for t, i in enumerate(current):
        if config["recurrent"]:
            i = i + s @ p["recurrent.weight"].T
        state = step(state, i)
        s = out[t] = state[0].astype(np.float32)
        state = s, *state[1:]
    return out


def calibrated(p, config, x, rate, neuron="alif"):
    """Sets the layer's bias by bisection, so that it spikes at `rate` on x, as nearly as it can; its spikes there."""

    def spikes_at(bias):
        p["input.bias"].fill(bias)
        return spikes(p, config, x, neuron)

    low, high = -10.0, 10.0
    # Resonators want more.
    while high < 10000 and spikes_at(high).mean() < rate:
        high *= 10
    for _ in range(14):
        bias = 0.5 * (low + high)
        out = spikes_at(bias)
        low, high = (bias, high) if out.mean() < rate else (low, bias)
    return out


def problem(shape, adaptive=True, seed=1):
    """Parameters by layer (the readout last), inputs [T, B, C], and targets [T, B] or [B].

    The biases give the hidden layers their spike rate; for neurons whose threshold does not adapt if `adaptive` is
    false. Everything else is the same either way.
    """
    rng = np.random.default_rng(seed)
    x = (rng.random((shape.steps, shape.batch, shape.inputs), dtype=np.float32) < shape.density).astype(np.float32)
    targets = x.shape[:2] if shape.decode["kind"] == "per_step" else x.shape[1:2]
    target = rng.integers(0, shape.classes, targets)
    fan_in, layers = shape.inputs, []
    part = x[:300, :8]
    for config in shape.layers if adaptive else plain(shape).layers:
        p = neurons(rng, fan_in, config, True, shape.neuron)
        part = calibrated(p, config, part, shape.rate, shape.neuron)
        layers.append(p)
        fan_in = config["size"]
    layers.append(neurons(rng, fan_in, shape.readout, adaptive=shape.readout["kind"] == "alif"))
    return layers, x, target


def plain(shape):
    """The shape with thresholds that do not adapt."""
    return replace(
        shape,
        layers=tuple(config | {"beta": 0.0} for config in shape.layers),
        readout=shape.readout | {"beta": 0.0},
    )
