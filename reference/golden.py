"""Golden vectors: whole networks in double precision, differentiated by autograd, rounded to single precision.

    python reference/golden.py [FOLDER]        write every case to FOLDER (default crates/barnowl/tests/golden)
    python reference/golden.py --check FOLDER  recompute every file of FOLDER from its own inputs and parameters

Each case tries the seeds 0, 1, 2, ... and keeps the first whose neurons all stay 1e-4 away from their thresholds, so
that single precision gives exactly the same spikes.
"""

import argparse
import json
import math
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save

import model

FOLDER = Path(__file__).resolve().parent.parent / "crates/barnowl/tests/golden"
MARGIN = 1e-4
SEEDS = range(2000)
# Relative, in the Euclidean norm: single precision rounds at 6e-8.
TOLERANCE = 1e-6

MULTI_GAUSSIAN = {"kind": "multi_gaussian", "gamma": 0.5, "sigma": 0.5, "height": 0.15, "scale": 6.0}
OTHERS = [{"kind": kind, "gamma": 0.5} for kind in ["gaussian", "linear", "slayer", "fast_sigmoid", "arctan"]]


def layer(size, recurrent=True, b0=0.01, beta=1.8, **more):
    return dict(size=size, recurrent=recurrent, b0=b0, beta=beta, **more)


def alif(size, b0=0.1, beta=1.8):
    return dict(kind="alif", size=size, b0=b0, beta=beta)


def integrator(size):
    return dict(kind="leaky_integrator", size=size)


def decode(kind, skip=0, **answer):
    return dict(kind=kind, **answer) if kind == "last_membrane" else dict(kind=kind, skip=skip, **answer)


def cases():
    """Name, [T, B, inputs], layers, readout, decoder; then options of `make`, if any."""
    total = decode("softmax_sum")
    for surrogate in [MULTI_GAUSSIAN, *OTHERS]:
        yield f"recurrent_{surrogate['kind']}", (30, 3, 6), [layer(9)], integrator(4), total, dict(surrogate=surrogate)
    yield "feed_forward", (30, 3, 6), [layer(9, recurrent=False)], integrator(4), total
    yield "two_layers_skip", (40, 2, 6), [layer(10), layer(7)], integrator(5), decode("softmax_sum", 11)
    mixed = [layer(7, recurrent=False), layer(8), layer(6, recurrent=False)]
    yield "three_layers", (25, 2, 5), mixed, alif(4, b0=0.01), decode("spike_count", 1)
    yield "lif", (40, 3, 5), [layer(8, b0=0.3, beta=0.0)], integrator(4), total

    both = layer(6, bidirectional=True)
    yield "bidirectional", (24, 2, 5), [both], integrator(4), decode("per_step", 3)
    both = layer(5, bidirectional=True)
    yield "bidirectional_then_forward", (16, 2, 4), [both, layer(6)], alif(3), decode("per_step")
    both = layer(4, recurrent=False, bidirectional=True)
    yield "bidirectional_twice", (16, 2, 4), [both, layer(5, bidirectional=True)], integrator(3), total

    yield "alif_readout_per_step", (40, 3, 4), [layer(12, b0=0.1, beta=0.0)], alif(6), decode("per_step", 10)
    yield "alif_readout_spike_count", (40, 3, 4), [layer(8)], alif(5, b0=0.01), decode("spike_count", 1)
    for kind in ["mean_membrane", "last_membrane", "max_membrane"]:
        yield f"integrator_{kind}", (25, 3, 5), [layer(7)], integrator(4), decode(kind, 4)

    yield "values_per_step", (25, 3, 5), [layer(7)], integrator(3), decode("per_step", 4, answer="values")
    yield "values_mean_membrane", (25, 3, 5), [layer(7)], alif(2), decode("mean_membrane", 4, answer="values")
    yield "labels_last_membrane", (25, 3, 5), [layer(7)], integrator(4), decode("last_membrane", answer="labels")
    yield "labels_per_step", (25, 3, 5), [layer(7)], alif(3), decode("per_step", answer="labels")

    yield "extreme_tau", (40, 2, 5), [layer(8)], integrator(4), total, dict(tau=(0.5, 2000.0))
    yield "real_valued_input", (30, 3, 5), [layer(8)], alif(4), decode("mean_membrane"), dict(real=True)

    yield "one_step", (1, 3, 4), [layer(6)], integrator(3), total
    yield "one_sequence", (30, 1, 4), [layer(6)], integrator(3), total
    yield "one_neuron", (30, 2, 3), [layer(1)], integrator(3), total
    yield "nine_sequences", (20, 9, 4), [layer(10)], integrator(3), total
    yield "seventeen_neurons", (20, 2, 4), [layer(17)], integrator(3), total
    yield "thirty_three_neurons", (20, 2, 4), [layer(33)], integrator(3), total
    # So many neurons and steps only keep their distance where potentials spread widely.
    wide = dict(gain=8.0)
    yield "forty_neurons", (200, 2, 4), [layer(40, b0=1.0, beta=0.5)], integrator(4), decode("softmax_sum", 11), wide


def parameters(case, inputs, tau, gain, generator):
    """Random parameters that single precision holds exactly: `gain` scales weights, `tau` is a range, log-uniform."""
    params = {}

    def uniform(size, low, high):
        return low + (high - low) * torch.rand(size, generator=generator, dtype=torch.float64)

    def neurons(prefix, fan_in, size, recurrent, adaptive):
        scale = gain / math.sqrt(fan_in)
        params[f"{prefix}.input.weight"] = uniform((size, fan_in), -0.4 * scale, scale)
        params[f"{prefix}.input.bias"] = uniform((size,), -0.1, 0.3)
        if recurrent:
            params[f"{prefix}.recurrent.weight"] = uniform((size, size), -1.0, 1.0) * gain / 3.0 / math.sqrt(size)
            params[f"{prefix}.recurrent.bias"] = uniform((size,), -0.1, 0.1)
        low, high = (math.log(limit) for limit in tau)
        params[f"{prefix}.tau_m"] = uniform((size,), low, high).exp()
        if adaptive:
            params[f"{prefix}.tau_adp"] = 3.0 * uniform((size,), low, high).exp()

    fan_in = inputs
    for n, config in enumerate(case["layers"]):
        directions = [".forward", ".backward"] if config.get("bidirectional") else [""]
        for direction in directions:
            neurons(f"layers.{n}{direction}", fan_in, config["size"], config["recurrent"], True)
        fan_in = config["size"] * len(directions)
    neurons("readout", fan_in, case["readout"]["size"], False, case["readout"]["kind"] == "alif")
    return {name: value.float().double() for name, value in params.items()}


def compute(case, params, x, target):
    """Outputs and gradients by name, and how near a neuron came to its threshold."""
    params = {name: value.detach().requires_grad_() for name, value in params.items()}
    network = model.Network(case, params)
    out = network.forward(x)
    loss = model.loss(case["decode"], out["out.score"], target)
    gradients = torch.autograd.grad(loss, list(params.values()))
    out["out.loss"] = loss.reshape(1)
    out |= {f"grad.{name}": gradient for name, gradient in zip(params, gradients)}
    return {name: value.detach() for name, value in out.items()}, network.margin


def single_precision(tensors):
    return {name: value.float().contiguous() for name, value in tensors.items()}


def same_spikes(case, params, x, out):
    """Whether single precision gives the spikes of `out`."""
    with torch.no_grad():
        single = model.Network(case, single_precision(params)).forward(x.float())
    return all(torch.equal(single[name].double(), out[name]) for name in single if name.endswith("spikes"))


def make(shape, layers, readout, decoder, surrogate=MULTI_GAUSSIAN, tau=(3.0, 40.0), gain=3.0, real=False):
    """One golden vector: its case, its tensors, and a line about the seed that it took."""
    case = dict(layers=layers, readout=readout, decode=decoder, surrogate=surrogate)
    steps, batch, inputs = shape
    for seed in SEEDS:
        generator = torch.Generator().manual_seed(seed)
        params = parameters(case, inputs, tau, gain, generator)
        if real:
            x = torch.randn(shape, generator=generator, dtype=torch.float64).float().double()
        else:
            x = (torch.rand(shape, generator=generator) < 0.35).double()
        targets = (steps, batch) if decoder["kind"] == "per_step" else (batch,)
        answer = decoder.get("answer", "class")
        if answer == "class":
            target = torch.randint(readout["size"], targets, generator=generator)
        else:
            shape_of_answers = (*targets, readout["size"])
            draw = torch.randn(shape_of_answers, generator=generator).double()
            target = (draw > 0).double() if answer == "labels" else draw
            # What is not known adds nothing.
            target[torch.rand(shape_of_answers, generator=generator) < 0.2] = math.nan
        out, margin = compute(case, params, x, target)
        rate = torch.cat([value.flatten() for name, value in out.items() if name.endswith("spikes")]).mean().item()
        # Spikes and silence both, away from the threshold. A single step starts from rest, where most neurons spike.
        if margin > MARGIN and 0.05 < rate < (0.6 if steps > 1 else 0.9) and same_spikes(case, params, x, out):
            tensors = single_precision(out | params | {"x": x}) | {"target": target.int() if answer == "class" else target.float()}
            return case, tensors, f"seed {seed}, spike rate {rate:.2f}, margin {margin:.1e}"
    raise RuntimeError(f"none of {len(SEEDS)} seeds keeps every neuron {MARGIN} away from its threshold")


def write(folder):
    folder.mkdir(parents=True, exist_ok=True)
    for name, shape, layers, readout, decoder, *options in cases():
        case, tensors, line = make(shape, layers, readout, decoder, **(options[0] if options else {}))
        (folder / f"{name}.safetensors").write_bytes(save(tensors, metadata={"case": json.dumps(case)}))
        print(f"{name}: {line}", flush=True)


def check(path):
    """Whether a file holds every output and gradient of its own inputs and parameters, and nothing else."""
    with safe_open(path, "pt") as file:
        case = json.loads(file.metadata()["case"])
        stored = {name: file.get_tensor(name) for name in file.keys()}
    x, target = stored.pop("x").double(), stored.pop("target")
    target = target.double() if target.is_floating_point() else target.long()
    results = {name: stored.pop(name) for name in list(stored) if name.startswith(("out.", "grad."))}
    out, margin = compute(case, {name: value.double() for name, value in stored.items()}, x, target)
    if out.keys() != results.keys():
        print(f"{path.name}: names differ: {sorted(out.keys() ^ results.keys())}")
        return False
    worst, where, good = 0.0, "", margin > MARGIN
    for name, value in out.items():
        size = value.norm().item()
        difference = (value - results[name].double()).norm().item() / (size if size > 0 else 1.0)
        good &= difference == 0 if name.endswith("spikes") else difference < TOLERANCE
        worst, where = max((worst, where), (difference, name))
    verdict = "agrees" if good else "DIFFERS"
    print(f"{path.name}: {verdict}; margin {margin:.1e}, worst relative difference {worst:.1e} ({where})")
    return good


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", metavar="FOLDER", type=Path, nargs="?", default=FOLDER)
    parser.add_argument("--check", action="store_true", help="recompute the files of FOLDER instead of writing them")
    args = parser.parse_args()
    # Sums in one fixed order, whatever the machine.
    torch.set_num_threads(1)
    if not args.check:
        write(args.folder)
        return
    paths = sorted(args.folder.glob("*.safetensors"))
    if not paths:
        parser.error(f"{args.folder} holds no .safetensors file")
    verdicts = [check(path) for path in paths]
    if not all(verdicts):
        raise SystemExit(f"{verdicts.count(False)} of {len(verdicts)} files differ")


if __name__ == "__main__":
    main()
