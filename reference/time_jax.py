"""Times a training step (forward, backward, Adam) in JAX: one jitted function, the time loop a `lax.scan`.

    python reference/time_jax.py [ecg shd gsc smnist] [--threads N] [--steps K] [--warmup W] [--json | --serve]
    python reference/time_jax.py ecg --neuron adlif_se      the same shape, its hidden layers of another neuron
    python reference/time_jax.py ecg --scan layers          a scan for each layer instead of one for the network

`--scan network` goes through all layers and the readout in each step of one scan. `--scan layers` gives each layer a scan
of its own, and its input currents and the gradient of its input weights are one product for all steps. Which is faster
depends on the shape.
"""

import os

import timing


def options(parser):
    parser.add_argument(
        "--scan", default="network", choices=["network", "layers"], help="one scan for all layers (default), or one each"
    )


ARGS = timing.arguments(__doc__.splitlines()[0], neurons=("alif", "adlif_se", "brf"), options=options)
timing.limit_processors(ARGS.threads)
os.environ.setdefault("JAX_PLATFORMS", ARGS.device)

import jax  # noqa: E402

import jax_network  # noqa: E402
import jax_step  # noqa: E402


def network(shape, layers):
    scan = jax_network.SCANS[ARGS.scan]
    return layers, lambda p, x: scan(shape, p, x), lambda p: jax_network.clipped(shape, p)


if __name__ == "__main__":
    jax_step.run(ARGS, "jax", jax.__version__, network)
