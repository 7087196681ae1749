"""Compares the networks that `time_jax.py` times with PyTorch, in double precision: loss, spikes and every gradient.

    python reference/jax_check.py            the shapes of `shapes.py` made small, with each of the neurons
    python reference/jax_check.py FOLDER...  and the golden vectors of these folders that such networks can compute

Adaptive neurons are compared with `model.py`, the others with the functions below, written by hand after their authors'
equations and not after the JAX code. Both scans are checked. A golden vector is one of crates/barnowl/tests/golden, or
of other neurons in the form of `neuron_golden.py`; what is not timed (bidirectional layers, other decoders) is left out.
"""

import argparse
import dataclasses
import json
import os
from pathlib import Path

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ["JAX_ENABLE_X64"] = "1"

import shapes  # noqa: E402  before any framework: it settles the environment

import jax  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import torch.nn.functional as F  # noqa: E402
from safetensors import safe_open  # noqa: E402

import golden  # noqa: E402
import jax_network  # noqa: E402
import model  # noqa: E402
import neuron_golden  # noqa: E402  adds a surrogate to those of `model`

model.SURROGATES["exponential"] = lambda v, gamma, steepness: gamma * torch.exp(-steepness * v.abs())

# Of two computations in double precision, and of golden vectors, which are rounded; relative, in the Euclidean norm.
TOLERANCE = {"computed": 1e-9, "golden": golden.TOLERANCE}
DECODERS = ("per_step", "softmax_sum", "mean_membrane", "spike_count")


# One step each: state and currents to the state after, which begins with the spike.


def adlif_se(p, c, spike, i, state):
    """Baronig, Ferrand, Sabathiel & Legenstein 2024, arXiv 2408.07517: the adaptation has the membrane of its own step."""
    z, u, w = state
    decay_u, decay_w = torch.exp(-1 / p["tau_u"]), torch.exp(-1 / p["tau_w"])
    u = torch.lerp(i - w, u, decay_u)
    z = spike(u - c["threshold"])
    u = torch.where(z.detach() > 0, torch.zeros_like(u), u)
    w = torch.lerp((p["a"] * u + p["b"] * z) * c["q"], w, decay_w)
    return z, u, w


def brf(p, c, spike, i, state):
    """Higuchi, Kairat, Bohte & Otte 2024, arXiv 2402.14603: a complex oscillator, u its real part."""
    z, u, v, q = state
    omega = p["omega"].abs()
    divergence = (-1 + torch.sqrt(1 - torch.square(c["dt"] * omega))) / c["dt"]
    b = divergence - p["b_offset"].abs() - q
    oscillator = torch.complex(u, v)
    oscillator = oscillator + c["dt"] * (torch.complex(b, omega.expand_as(b)) * oscillator + i)
    z = spike(oscillator.real - c["threshold"] - q)
    return z, oscillator.real, oscillator.imag, c["gamma"] * q + z


STEPS = {"adlif_se": (adlif_se, 3), "brf": (brf, 4)}


def torch_layer(shape, p, config, x):
    """Spikes [T, B, H] of a hidden layer, and its membranes."""
    if shape.neuron == "alif":
        return model.Network({"surrogate": shape.surrogate}, {f"one.{name}": v for name, v in p.items()}).alif("one", config, x)
    step, states = STEPS[shape.neuron]
    spike = lambda v: model.Spike.apply(v, shape.surrogate)  # noqa: E731
    state, spikes = (x.new_zeros(x.shape[1], config["size"]),) * states, []
    for x_t in x.unbind(0):
        i = F.linear(x_t, p["input.weight"], p["input.bias"])
        if "recurrent.weight" in p:
            i = i + F.linear(state[0], p["recurrent.weight"], p.get("recurrent.bias"))
        state = step(p, shapes.NEURONS[shape.neuron]["constants"], spike, i, state)
        spikes.append(state[0])
    return torch.stack(spikes), None


def torch_results(shape, layers, x, target):
    """Loss, spikes of the hidden layers, and gradients by layer and name."""
    layers = [{name: torch.tensor(value, requires_grad=True) for name, value in p.items()} for p in layers]
    s, hidden = torch.tensor(x), []
    for p, config in zip(layers, shape.layers):
        s, _ = torch_layer(shape, p, config, s)
        hidden.append(s)
    network = model.Network({"surrogate": shapes.SURROGATE}, {f"readout.{name}": v for name, v in layers[-1].items()})
    if shape.readout["kind"] == "alif":
        spikes, membrane = network.alif("readout", shape.readout, s)
    else:
        spikes, membrane = None, network.integrator("readout", s)
    loss = model.loss(shape.decode, model.decode(shape.decode, membrane, spikes), torch.tensor(target))
    loss.backward()
    results = {f"spikes of layer {n}": s for n, s in enumerate(hidden)} | {"loss": loss}
    results |= {f"{name} of layer {n}": v.grad for n, p in enumerate(layers) for name, v in p.items()}
    return {name: value.detach().numpy() for name, value in results.items()}


def jax_results(shape, scan, layers, x, target):
    """The same of the network that is timed."""

    @jax.jit
    def loss(layers):
        hidden, out = jax_network.SCANS[scan](shape, layers, x)
        return jax_network.loss(shape, out, target), hidden

    (value, hidden), gradient = jax.value_and_grad(loss, has_aux=True)(layers)
    results = {f"spikes of layer {n}": s for n, s in enumerate(hidden)} | {"loss": value}
    results |= {f"{name} of layer {n}": g for n, p in enumerate(gradient) for name, g in p.items()}
    return {name: np.asarray(value) for name, value in results.items()}


def agree(title, ours, theirs, tolerance):
    """Says whether two sets of results are the same, spikes exactly."""
    assert ours.keys() == theirs.keys(), sorted(ours.keys() ^ theirs.keys())
    worst, where, good = 0.0, "", True
    for name, value in theirs.items():
        size = np.linalg.norm(value)
        difference = np.linalg.norm(ours[name] - value) / (size if size > 0 else 1.0)
        good &= bool(difference == 0 if name.startswith("spikes") else difference < tolerance)
        worst, where = max((worst, where), (difference, name))
    rates = [float(value.mean()) for name, value in theirs.items() if name.startswith("spikes")]
    lively = all(0.01 < rate < 0.99 for rate in rates)
    verdict = ("agrees" if good else "DIFFERS") if lively else "has SILENT or always spiking neurons"
    print(f"{title}: {verdict}; worst relative difference {worst:.1e} ({where}), spike rates {', '.join(f'{r:.2f}' for r in rates)}")
    return good and lively


def small_shapes():
    """Title, shape, layers, inputs, targets of the shapes made small, with parameters spread as training spreads them."""
    for name, shape in shapes.SHAPES.items():
        for neuron in ("alif", "adlif_se", "brf"):
            layers = tuple(config | {"size": 7 + n} for n, config in enumerate(shape.layers))
            small = dataclasses.replace(shape, inputs=9, layers=layers, batch=3, steps=40, density=0.3, rate=0.2, neuron=neuron)
            parameters, x, target = shapes.problem(small)
            rng = np.random.default_rng(2)
            for p in parameters:
                for key, value in p.items():
                    spread = rng.uniform(0.8, 1.2, value.shape) if key.startswith(("tau", "input")) else 1.0
                    p[key] = np.asarray(value * spread, np.float64)
            yield f"{name}, {neuron}", small, parameters, x.astype(np.float64), target


def from_golden(path):
    """Shape, layers, inputs, targets and results of a golden vector; None if such a network is not timed."""
    with safe_open(path, "np") as file:
        case = json.loads(file.metadata()["case"])
        stored = {name: file.get_tensor(name) for name in file.keys()}
    neuron = case.get("neuron", "alif")
    decode = case["decode"] if isinstance(case["decode"], dict) else dict(kind=case["decode"], skip=0)
    surrogate = case["surrogate"] if isinstance(case["surrogate"], dict) else dict(kind=case["surrogate"])
    known = shapes.SURROGATE if neuron == "alif" else shapes.NEURONS.get(neuron, {}).get("surrogate")
    same = known is not None and surrogate["kind"] == known["kind"] and all(known[key] == value for key, value in surrogate.items())
    if not same or neuron not in jax_network.NEURONS or decode["kind"] not in DECODERS or decode.get("answer", "class") != "class":
        return None
    if any(config.get("bidirectional") for config in case["layers"]) or case.get("rule", "bptt") != "bptt":
        return None
    x, target = stored.pop("x").astype(np.float64), stored.pop("target")
    prefixes = [f"layers.{n}." for n in range(len(case["layers"]))] + ["readout."]
    layers = [{k.removeprefix(f): stored[k].astype(np.float64) for k in stored if k.startswith(f)} for f in prefixes]
    results = {f"spikes of layer {n}": stored[f"out.layers.{n}.spikes"] for n in range(len(case["layers"]))}
    results["loss"] = stored["out.loss"].reshape(())
    for n, (prefix, p) in enumerate(zip(prefixes, layers)):
        results |= {f"{name} of layer {n}": stored[f"grad.{prefix}{name}"] for name in p}
    readout = case.get("readout", dict(kind="leaky_integrator", size=stored["readout.tau_m"].size))
    shape = shapes.Shape(
        inputs=x.shape[2], layers=tuple(case["layers"]), readout=readout, decode=decode, batch=x.shape[1],
        steps=x.shape[0], density=0.0, rate=0.0, neuron=neuron,
    )  # fmt: skip
    return shape, layers, x, target, results


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", metavar="FOLDER", type=Path, nargs="*")
    folders = parser.parse_args().folders
    torch.set_num_threads(1)
    verdicts = []
    for title, shape, layers, x, target in small_shapes():
        theirs = torch_results(shape, layers, x, target)
        for scan in jax_network.SCANS:
            ours = jax_results(shape, scan, layers, x, target)
            verdicts.append(agree(f"{title}, scan of {scan}", ours, theirs, TOLERANCE["computed"]))
    for folder in folders:
        paths = sorted(folder.glob("*.safetensors"))
        if not paths:
            parser.error(f"{folder} holds no .safetensors file")
        for path in paths:
            if (vector := from_golden(path)) is None:
                print(f"{path.name}: left out, such a network is not timed")
                continue
            *problem, theirs = vector
            for scan in jax_network.SCANS:
                ours = jax_results(problem[0], scan, *problem[1:])
                verdicts.append(agree(f"{path.name}, scan of {scan}", ours, theirs, TOLERANCE["golden"]))
    if not all(verdicts):
        raise SystemExit(f"{verdicts.count(False)} of {len(verdicts)} comparisons differ")


if __name__ == "__main__":
    main()
