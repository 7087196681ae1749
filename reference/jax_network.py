"""The networks of `shapes.py` in JAX: spikes, neurons, one scan over time, loss. `jax_check.py` compares it with PyTorch.

Time comes first, as in `model.py`: inputs are [T, B, C]. What no step changes, decays and the like, is computed before
the scan, and so are the input currents of the first layer, one product for all steps.
"""

import math

import jax
import jax.numpy as jnp

import shapes


def normal(v, mean, sigma):
    return jnp.exp(-((v - mean) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))


def multi_gaussian(v, gamma, sigma, height, scale):
    centre = (1 + height) * normal(v, 0.0, sigma)
    flanks = normal(v, sigma, scale * sigma) + normal(v, -sigma, scale * sigma)
    return gamma * (centre - height * flanks)


def exponential(v, gamma, steepness):
    return gamma * jnp.exp(-steepness * jnp.abs(v))


def double_gaussian(v):
    return 0.5 * (1.15 * normal(v, 0.0, 0.5) - 0.3 * normal(v, 0.0, 3.0))


SURROGATES = {f.__name__: f for f in (multi_gaussian, exponential, double_gaussian)}


def spike_with(surrogate):
    """s = 1 if v > 0 else 0, with ds/dv = psi(v); `surrogate` is the name of psi under `kind`, and its constants."""
    constants = dict(surrogate)
    psi = SURROGATES[constants.pop("kind")]

    @jax.custom_vjp
    def spike(v):
        return (v > 0).astype(v.dtype)

    spike.defvjp(lambda v: (spike(v), v), lambda v, gradient: (gradient * psi(v, **constants),))
    return spike


# Neurons: `(p, config, spike) -> (rest, step)`. `rest(zero)` is the state before the first step, `step(state, i)` the one
# after input current i. A state begins with what goes to the next layer, spikes or the readout's membrane; the membrane
# follows.


def alif(p, config, spike):
    alpha, rho = jnp.exp(-1 / p["tau_m"]), jnp.exp(-1 / p["tau_adp"])
    b0, beta = config["b0"], config["beta"]

    def step(state, i):
        s, u, b = state
        b = rho * b + (1 - rho) * s
        theta = b0 + beta * b
        u = alpha * u + (1 - alpha) * i - theta * s
        return spike(u - theta), u, b

    return lambda zero: (zero, zero, zero + b0), step


def adlif_se(p, config, spike):
    alpha, rho = jnp.exp(-1 / p["tau_u"]), jnp.exp(-1 / p["tau_w"])
    constants = shapes.NEURONS["adlif_se"]["constants"]

    def step(state, i):
        _, u, w = state
        v = alpha * u + (1 - alpha) * (i - w)
        s = spike(v - constants["threshold"])
        u = v * (1 - jax.lax.stop_gradient(s))
        w = rho * w + (1 - rho) * constants["q"] * (p["a"] * u + p["b"] * s)
        return s, u, w

    return lambda zero: (zero, zero, zero), step


def brf(p, config, spike):
    constants = shapes.NEURONS["brf"]["constants"]
    dt = constants["dt"]
    omega = jnp.abs(p["omega"])
    damping = (jnp.sqrt(1 - (dt * omega) ** 2) - 1) / dt - jnp.abs(p["b_offset"])

    def step(state, i):
        _, u, v, q = state
        d = damping - q
        u, v = u + dt * (d * u - omega * v + i), v + dt * (omega * u + d * v)
        s = spike(u - constants["threshold"] - q)
        return s, u, v, constants["gamma"] * q + s

    return lambda zero: (zero, zero, zero, zero), step


def integrator(p, config, spike):
    alpha = jnp.exp(-1 / p["tau_m"])

    def step(state, i):
        m = alpha * state[1] + (1 - alpha) * i
        return m, m

    return lambda zero: (zero, zero), step


NEURONS = {f.__name__: f for f in (alif, adlif_se, brf)}


def cells(shape, layers):
    """(rest, step) of every layer, the readout last."""
    *hidden, readout = layers
    spike = spike_with(shape.surrogate)
    made = [NEURONS[shape.neuron](p, config, spike) for p, config in zip(hidden, shape.layers)]
    last = alif if shape.readout["kind"] == "alif" else integrator
    return [*made, last(readout, shape.readout, spike_with(shapes.SURROGATE))]


def dense(p, x):
    """What comes in from outside, with the biases that there are."""
    bias = p["input.bias"] + p["recurrent.bias"] if "recurrent.bias" in p else p["input.bias"]
    return x @ p["input.weight"].T + bias


def advance(p, step, state, i):
    if "recurrent.weight" in p:
        i = i + state[0] @ p["recurrent.weight"].T
    return step(state, i)


def one_scan(shape, layers, x):
    """[T, B, neurons] of every hidden layer's spikes, and of the readout's first two states; one scan for all layers."""
    made = cells(shape, layers)
    first = dense(layers[0], x)
    states = tuple(
        rest(jnp.zeros((x.shape[1], len(p["input.bias"])), first.dtype)) for p, (rest, _) in zip(layers, made)
    )

    def body(states, i):
        after = []
        for n, (p, (_, step), state) in enumerate(zip(layers, made, states)):
            if n > 0:
                i = dense(p, after[-1][0])
            after.append(advance(p, step, state, i))
        return tuple(after), ([state[0] for state in after[:-1]], after[-1][:2])

    return jax.lax.scan(body, states, first)[1]


def scan_per_layer(shape, layers, x):
    """The same, layer by layer: input currents of each in one product, and a scan of its own."""
    hidden = []
    for p, (rest, step) in zip(layers, cells(shape, layers)):
        current = dense(p, x)

        def body(state, i):
            state = advance(p, step, state, i)
            return state, state[:2]

        out = jax.lax.scan(body, rest(jnp.zeros_like(current[0])), current)[1]
        x = out[0]
        hidden.append(x)
    return hidden[:-1], out


SCANS = {"network": one_scan, "layers": scan_per_layer}


def likelihood(scores, target):
    return jnp.take_along_axis(jax.nn.log_softmax(scores), target[..., None], axis=-1)


def loss(shape, out, target):
    """The loss of the readout's spikes and membranes, as `model.loss` has it."""
    s, m = out
    kind, skip = shape.decode["kind"], shape.decode["skip"]
    if kind == "per_step":
        return -likelihood(m[skip:], target[skip:]).sum() / m.shape[1]
    if kind == "softmax_sum":
        score = jax.nn.softmax(m[skip:]).sum(0)
    elif kind == "mean_membrane":
        score = m[skip:].mean(0)
    elif kind == "spike_count":
        score = s[skip:].sum(0)
    else:
        raise ValueError(f"decoder {kind!r} is not timed")
    return -likelihood(score, target).mean()


def clipped(shape, layers):
    """After an update: the parameters of the hidden neurons within their ranges, where their equations need it."""
    if shape.neuron != "adlif_se":
        return layers
    ranges = shapes.NEURONS["adlif_se"]["start"]
    *hidden, readout = layers
    inside = [{name: jnp.clip(value, *ranges[name]) if name in ranges else value for name, value in p.items()} for p in hidden]
    return [*inside, readout]
