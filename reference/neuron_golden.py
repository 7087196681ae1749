"""Golden vectors of the neurons that are not adaptive leaky integrate-and-fire: double precision, autograd.

    python reference/neuron_golden.py [FOLDER]   default crates/barnowl-model/tests/golden

One recurrent layer without recurrent bias and a leaky readout that is decoded per step, in the form of golden.py's
vectors; `neuron` and `constants` of the case say what the layer is. Every equation is written by hand after the authors'
own code, in its order, and not after crates/barnowl-model/models.
"""

import json
import math
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save

import golden
import model

FOLDER = golden.FOLDER.parent.parent.parent / "barnowl-model/tests/golden"
STEPS, BATCH, INPUTS, SIZE, CLASSES = 45, 3, 6, 8, 4


def double_gaussian(v):
    """0.5 [1.15 N(v; 0, 0.5) - 0.3 N(v; 0, 3)]"""
    return 0.5 * (1.15 * model.normal(v, 0.0, 0.5) - 0.3 * model.normal(v, 0.0, 3.0))


def boxcar(v):
    """1 from -0.5 to 0.5"""
    return ((v > -0.5) & (v <= 0.5)).to(v.dtype)


model.SURROGATES |= {"double_gaussian": double_gaussian, "boxcar": boxcar}


# One step each: state and currents to (state, what the spike is taken of, spike). A state begins with the spike.


def bhrf(p, c, spike, i, state):
    """brf-neurons, snn/modules/hrf.py"""
    z, u, v, q = state
    b = torch.abs(p["omega"]).square() * 0.005 + torch.abs(p["b_offset"]) + q
    v = v + u * c["dt"]
    u = u + i * c["dt"] - b * u * (2 * c["dt"]) - torch.square(torch.abs(p["omega"])) * v * c["dt"]
    distance = u - c["threshold"] - q
    z = spike(distance)
    q = q * c["gamma"] + z
    return (z, u, v, q), distance


def radlif(p, c, spike, i, state):
    """sparch, models/snns.py"""
    s, u, w = state
    w = p["beta"] * w + p["a"] * u + p["b"] * s
    u = p["alpha"] * (u - s) + (1 - p["alpha"]) * (i - w)
    distance = u - c["threshold"]
    return (spike(distance), u, w), distance


def lsnn(p, c, spike, i, state):
    """LSNN-official, lsnn/spiking_models.py: the buffer holds the spikes of the last n_ref steps."""
    z, v, b, *buffer = state
    decay, decay_b = torch.exp(-1 / p["tau_m"]), torch.exp(-1 / p["tau_adp"])
    b = decay_b * b + (1 - decay_b) * z
    threshold = c["b0"] + b * c["beta"]
    v = decay * v + (1 - decay) * i - z * threshold
    distance = (v - threshold) / threshold
    refractory = torch.stack(buffer).amax(0) > 0
    z = torch.where(refractory, torch.zeros_like(v), spike(distance))
    return (z, v, b, *buffer[1:], z), distance


def glif3(p, c, spike, i, state):
    """Training-data-driven-V1-model, models.py, with E_L = 0 and currents times the membrane's resistance."""
    z, v, r, asc_1, asc_2 = state
    decay = torch.exp(-1 / p["tau_m"])
    new_r = torch.relu(r + z * c["t_ref"] - 1)
    new_asc_1 = torch.exp(-p["k1"]) * asc_1 + z * p["a1"]
    new_asc_2 = torch.exp(-p["k2"]) * asc_2 + z * p["a2"]
    v = decay * v + (1 - decay) * (i + asc_1 + asc_2) + z * (p["u_reset"] - c["threshold"])
    distance = (v - c["threshold"]) / c["threshold"]
    z = torch.where(new_r > 0, torch.zeros_like(v), spike(distance))
    return (z, v, new_r, new_asc_1, new_asc_2), distance


def plif(p, c, spike, i, state):
    """spikingjelly, activation_based/neuron.py: ParametricLIFNode with decay_input, hard reset to 0."""
    z, v = state
    h = v + (i - v) * p["k"]
    distance = h - c["threshold"]
    z = spike(distance)
    return (z, (1 - z) * h), distance


# Step, constants, surrogate, size of the weights, ranges of the parameters; then the states' number, the spike among them.
NEURONS = {
    "bhrf": (bhrf, dict(threshold=1.0, dt=0.01, gamma=0.9), "double_gaussian", 120.0, dict(omega=(15, 50), b_offset=(0.1, 1)), 4),
    "radlif": (
        radlif,
        dict(threshold=1.0),
        "boxcar",
        6.0,
        dict(
            alpha=(math.exp(-1 / 5), math.exp(-1 / 25)),
            beta=(math.exp(-1 / 30), math.exp(-1 / 120)),
            a=(-1, 1),
            b=(0, 2),
        ),
        3,
    ),
    "lsnn": (lsnn, dict(n_ref=3), "linear", 1.0, dict(tau_m=(5, 30), tau_adp=(20, 200)), 6),
    "glif3": (
        glif3,
        dict(threshold=1.0, t_ref=3.75),
        "multi_gaussian",
        8.0,
        dict(tau_m=(4, 20), k1=(0.003, 0.03), k2=(0.05, 0.3), a1=(-0.1, 0.05), a2=(-0.8, -0.1), u_reset=(-0.2, 0.2)),
        5,
    ),
    "plif": (plif, dict(threshold=1.0), "arctan", 6.0, dict(k=(0.05, 0.9)), 2),
}
THRESHOLDS = {"lsnn": dict(b0=0.1, beta=1.8)}


def forward(name, case, params, x):
    """Outputs by name, and how near a neuron came to its threshold."""
    step, states = NEURONS[name][0], NEURONS[name][5]
    layer, readout = model.subset(params, "layers.0"), model.subset(params, "readout")
    constants = case["constants"] | case["layers"][0]
    state = (x.new_zeros(BATCH, SIZE),) * states
    if name == "glif3":
        state = (state[0], layer["u_reset"].expand(BATCH, SIZE), *state[2:])
    m = x.new_zeros(BATCH, CLASSES)
    spikes, membranes, margin = [], [], math.inf
    surrogate = {"kind": case["surrogate"]}
    for x_t in x.unbind(0):
        i = F.linear(x_t, layer["input.weight"], layer["input.bias"]) + F.linear(state[0], layer["recurrent.weight"])
        state, distance = step(layer, constants, lambda v: model.Spike.apply(v, surrogate), i, state)
        margin = min(margin, distance.detach().abs().min().item())
        m = model.integrator_step(readout, state[0], m)
        spikes.append(state[0])
        membranes.append(m)
    return {"out.layers.0.spikes": torch.stack(spikes), "out.readout.membrane": torch.stack(membranes)}, margin


def parameters(name, generator):
    """Random parameters that single precision holds exactly."""

    def uniform(size, low, high):
        return low + (high - low) * torch.rand(size, generator=generator, dtype=torch.float64)

    _, _, _, gain, ranges, _ = NEURONS[name]
    params = {
        "layers.0.input.weight": uniform((SIZE, INPUTS), -0.4, 1.0) * gain / math.sqrt(INPUTS),
        "layers.0.input.bias": uniform((SIZE,), -0.03, 0.1) * gain,
        "layers.0.recurrent.weight": uniform((SIZE, SIZE), -1.0, 1.0) * gain / 3 / math.sqrt(SIZE),
        "readout.input.weight": uniform((CLASSES, SIZE), -1.0, 1.0),
        "readout.input.bias": uniform((CLASSES,), -0.1, 0.1),
        "readout.tau_m": torch.full((CLASSES,), 15.0, dtype=torch.float64),
    }
    params |= {f"layers.0.{key}": uniform((SIZE,), *limits) for key, limits in ranges.items()}
    return {key: value.float().double() for key, value in params.items()}


def make(name):
    """The first seed whose neurons spike and are silent, at a distance from their thresholds."""
    _, constants, surrogate, _, _, _ = NEURONS[name]
    layer = dict(size=SIZE, recurrent=True) | THRESHOLDS.get(name, {})
    case = dict(neuron=name, constants=constants, layers=[layer], surrogate=surrogate, decode="per_step")
    for seed in golden.SEEDS:
        generator = torch.Generator().manual_seed(seed)
        params = parameters(name, generator)
        x = (torch.rand((STEPS, BATCH, INPUTS), generator=generator) < 0.35).double()
        target = torch.randint(CLASSES, (STEPS, BATCH), generator=generator)
        params = {key: value.requires_grad_() for key, value in params.items()}
        out, margin = forward(name, case, params, x)
        rate = out["out.layers.0.spikes"].mean().item()
        silent = (out["out.layers.0.spikes"].sum((0, 1)) == 0).any()
        single, _ = forward(name, case, golden.single_precision(params), x.float())
        same = torch.equal(single["out.layers.0.spikes"].double(), out["out.layers.0.spikes"])
        if margin < golden.MARGIN or not 0.05 < rate < 0.6 or silent or not same:
            continue
        score = F.log_softmax(out["out.readout.membrane"], dim=2)
        loss = model.loss({"kind": "per_step"}, score, target)
        gradients = torch.autograd.grad(loss, list(params.values()))
        out["out.loss"] = loss.reshape(1)
        out |= {f"grad.{key}": gradient for key, gradient in zip(params, gradients)}
        tensors = golden.single_precision(out | params | {"x": x}) | {"target": target.int()}
        print(f"{name}: seed {seed}, spike rate {rate:.2f}, margin {margin:.1e}")
        return save({key: value.detach() for key, value in tensors.items()}, metadata={"case": json.dumps(case)})
    raise RuntimeError(f"no seed for {name}")


def main():
    torch.set_num_threads(1)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for name in NEURONS:
        (folder / f"{name}.safetensors").write_bytes(make(name))


if __name__ == "__main__":
    main()
