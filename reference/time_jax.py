"""Times a training step (forward, backward, Adam) in JAX: one jitted function, the time loop a `lax.scan`.

    python reference/time_jax.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]

Input products and decays do not depend on the step before, so each layer computes them outside its scan.
"""

import math
import os

import shapes
import timing


def limit_threads(threads):
    """XLA starts a thread for each processor that the process may use: leave it as many as wanted."""
    allowed = sorted(os.sched_getaffinity(0))
    if threads > len(allowed):
        raise SystemExit(f"--threads {threads}: this process may use {len(allowed)} processors")
    os.sched_setaffinity(0, allowed[:threads])


ARGS = timing.arguments(__doc__.splitlines()[0])
limit_threads(ARGS.threads)
os.environ.setdefault("JAX_PLATFORMS", ARGS.device)

import jax  # noqa: E402
import jax.numpy as jnp  # noqa: E402
import optax  # noqa: E402


def normal(v, mean, sigma):
    return jnp.exp(-((v - mean) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))


def multi_gaussian(v, gamma, sigma, height, scale, **_):
    centre = (1 + height) * normal(v, 0.0, sigma)
    flanks = normal(v, sigma, scale * sigma) + normal(v, -sigma, scale * sigma)
    return gamma * (centre - height * flanks)


@jax.custom_vjp
def spike(v):
    """s = 1 if v > 0 else 0, with ds/dv = psi(v)."""
    return (v > 0).astype(v.dtype)


spike.defvjp(lambda v: (spike(v), v), lambda v, gradient: (gradient * multi_gaussian(v, **shapes.SURROGATE),))


def alif(p, b0, beta, x):
    """Spikes and membranes [T, B, H] of adaptive neurons on x [T, B, C]."""
    alpha, rho = jnp.exp(-1 / p["tau_m"]), jnp.exp(-1 / p["tau_adp"])
    current = x @ p["input.weight"].T + p["input.bias"]

    def step(state, i):
        u, b, s = state
        if "recurrent.weight" in p:
            i = i + s @ p["recurrent.weight"].T + p["recurrent.bias"]
        b = rho * b + (1 - rho) * s
        theta = b0 + beta * b
        u = alpha * u + (1 - alpha) * i - theta * s
        s = spike(u - theta)
        return (u, b, s), (s, u)

    zero = jnp.zeros_like(current[0])
    return jax.lax.scan(step, (zero, zero + b0, zero), current)[1]


def integrator(p, x):
    """Membranes [T, B, classes] of leaky integrators on x [T, B, C]."""
    alpha = jnp.exp(-1 / p["tau_m"])
    current = x @ p["input.weight"].T + p["input.bias"]

    def step(m, i):
        m = alpha * m + (1 - alpha) * i
        return m, m

    return jax.lax.scan(step, jnp.zeros_like(current[0]), current)[1]


def likelihood(scores, target):
    return jnp.take_along_axis(jax.nn.log_softmax(scores), target[..., None], axis=-1)


def loss(shape, layers, x, target):
    """The loss, and the spike rate of each hidden layer."""
    *hidden, readout = layers
    rates = []
    for p, config in zip(hidden, shape.layers):
        x, _ = alif(p, config["b0"], config["beta"], x)
        rates.append(x.mean())
    if shape.readout["kind"] == "alif":
        s, m = alif(readout, shape.readout["b0"], shape.readout["beta"], x)
    else:
        s, m = None, integrator(readout, x)
    kind, skip = shape.decode["kind"], shape.decode["skip"]
    if kind == "per_step":
        return -likelihood(m[skip:], target[skip:]).sum() / shape.batch, rates
    if kind == "softmax_sum":
        score = jax.nn.softmax(m[skip:]).sum(0)
    elif kind == "mean_membrane":
        score = m[skip:].mean(0)
    elif kind == "spike_count":
        score = s[skip:].sum(0)
    else:
        raise ValueError(f"decoder {kind!r} is not timed")
    return -likelihood(score, target).mean(), rates


def build(shape):
    layers, x, target = jax.tree.map(jnp.asarray, shapes.problem(shape))
    optimizer = optax.adam(shapes.LEARNING_RATE)

    @jax.jit
    def train(layers, state, x, target):
        (value, rates), gradient = jax.value_and_grad(lambda p: loss(shape, p, x, target), has_aux=True)(layers)
        updates, state = optimizer.update(gradient, state, layers)
        return optax.apply_updates(layers, updates), state, value, rates

    state, first = optimizer.init(layers), []

    def step():
        nonlocal layers, state
        layers, state, value, rates = jax.block_until_ready(train(layers, state, x, target))
        if not first:
            first.extend(rates)
        return value

    return step, first


if __name__ == "__main__":
    timing.run(ARGS, "jax", jax.__version__, build)
