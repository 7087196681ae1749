"""A training step in JAX, for the scripts whose networks differ in their neurons only."""

import jax
import jax.numpy as jnp
import optax

import jax_network
import shapes
import timing


def run(args, framework, version, network):
    """Times `network(shape, layers) -> (parameters, forward, project)`, on layers of arrays as `shapes.problem` has them.

    `parameters` is a tree; `forward(parameters, x)` gives the spikes of each hidden layer, and the spikes and membranes
    of the readout, [T, B, neurons]; `project(parameters)` is what follows an update.
    """

    def build(shape):
        layers, x, target = jax.tree.map(jnp.asarray, shapes.problem(shape))
        parameters, forward, project = network(shape, layers)
        optimizer = optax.adam(shapes.LEARNING_RATE)

        def loss(parameters, x, target):
            return jax_network.loss(shape, forward(parameters, x)[1], target)

        @jax.jit
        def train(parameters, state, x, target):
            value, gradient = jax.value_and_grad(loss)(parameters, x, target)
            updates, state = optimizer.update(gradient, state, parameters)
            return project(optax.apply_updates(parameters, updates)), state, value

        @jax.jit
        def rates(parameters, x):
            return [s.mean() for s in forward(parameters, x)[0]]

        state, first = optimizer.init(parameters), []

        def step():
            nonlocal parameters, state
            if not first:
                # A pass of its own: the steps that are timed do not count spikes.
                first.extend(rates(parameters, x))
            parameters, state, value = jax.block_until_ready(train(parameters, state, x, target))
            return value

        return step, first

    timing.run(args, framework, version, build)
