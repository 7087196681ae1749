"""The reference network in PyTorch: each equation once, one line each, differentiated by autograd.

Time comes first: inputs are [T, B, C], spikes and membranes [T, B, H]. Everything runs in the type of the parameters:
double precision makes the golden vectors, single precision times PyTorch. A step of time is the unit of every time
constant. A configuration is the JSON that a golden vector carries under `case`.

Yin, Corradi & Bohte, Nature Machine Intelligence 3, 905-913 (2021), arXiv:2103.12593.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F


# Surrogate gradients: psi(v) stands for ds/dv, where v = u - theta.


def normal(v, mean, sigma):
    """N(v; mean, sigma), the normal density."""
    return torch.exp(-((v - mean) ** 2) / (2 * sigma**2)) / (sigma * math.sqrt(2 * math.pi))


def multi_gaussian(v, gamma=0.5, sigma=0.5, height=0.15, scale=6.0):
    """gamma [(1+h) N(v; 0, sigma) - h N(v; sigma, s sigma) - h N(v; -sigma, s sigma)]"""
    centre = (1 + height) * normal(v, 0.0, sigma)
    flanks = normal(v, sigma, scale * sigma) + normal(v, -sigma, scale * sigma)
    return gamma * (centre - height * flanks)


def gaussian(v, gamma=0.5, sigma=0.5):
    """gamma N(v; 0, sigma)"""
    return gamma * normal(v, 0.0, sigma)


def linear(v, gamma=0.5):
    """gamma max(0, 1 - |v|)"""
    return gamma * torch.clamp(1 - v.abs(), min=0)


def slayer(v, gamma=0.5):
    """gamma exp(-5 |v|)"""
    return gamma * torch.exp(-5 * v.abs())


def fast_sigmoid(v, gamma=0.5):
    """gamma / (1 + 10 |v|)^2"""
    return gamma / (1 + 10 * v.abs()) ** 2


def arctan(v, gamma=0.5):
    """gamma / (1 + (pi v)^2)"""
    return gamma / (1 + (math.pi * v) ** 2)


SURROGATES = {f.__name__: f for f in (multi_gaussian, gaussian, linear, slayer, fast_sigmoid, arctan)}


class Spike(torch.autograd.Function):
    """s = 1 if v > 0 else 0, with ds/dv = psi(v). `surrogate` is its name under `kind`, and its constants."""

    @staticmethod
    def forward(ctx, v, surrogate):
        ctx.save_for_backward(v)
        ctx.surrogate = surrogate
        return (v > 0).to(v.dtype)

    @staticmethod
    def backward(ctx, gradient):
        (v,) = ctx.saved_tensors
        constants = dict(ctx.surrogate)
        psi = SURROGATES[constants.pop("kind")]
        return gradient * psi(v, **constants), None


# Neurons: one step of time. `p` holds a layer's parameters by name.


class Alif(NamedTuple):
    """The state of adaptive neurons, each [B, H]: membrane potential, adaptation, distance to the threshold, spike."""

    u: torch.Tensor
    b: torch.Tensor
    v: torch.Tensor
    s: torch.Tensor


def alif_rest(p, b0, batch):
    """The state before the first step: everything zero, but b = b0."""
    zero = p["tau_m"].new_zeros(batch, len(p["tau_m"]))
    return Alif(u=zero, b=zero + b0, v=zero, s=zero)


def alif_step(p, b0, beta, surrogate, x, state):
    """Adaptive leaky integrate-and-fire neurons (beta = 0: plain ones), recurrent if they have recurrent weights."""
    alpha = torch.exp(-1 / p["tau_m"])
    rho = torch.exp(-1 / p["tau_adp"])
    i = F.linear(x, p["input.weight"], p["input.bias"])
    if "recurrent.weight" in p:
        i = i + F.linear(state.s, p["recurrent.weight"], p["recurrent.bias"])
    b = rho * state.b + (1 - rho) * state.s
    theta = b0 + beta * b
    u = alpha * state.u + (1 - alpha) * i - theta * state.s
    v = u - theta
    return Alif(u, b, v, Spike.apply(v, surrogate))


def integrator_step(p, x, m):
    """Leaky integrators: m_t = alpha m_{t-1} + (1 - alpha) (W x_t + bias)."""
    alpha = torch.exp(-1 / p["tau_m"])
    return alpha * m + (1 - alpha) * F.linear(x, p["input.weight"], p["input.bias"])


# Decoders and losses.


def decode(decoder, m, s):
    """The score, [T, B, classes] per step and [B, classes] otherwise, from the readout's membranes and spikes."""
    kind, skip = decoder["kind"], decoder.get("skip", 0)
    if kind == "per_step":
        return F.log_softmax(m, dim=2) if decoder.get("answer", "class") == "class" else m
    if kind == "softmax_sum":
        return F.softmax(m[skip:], dim=2).sum(0)
    if kind == "mean_membrane":
        return m[skip:].mean(0)
    if kind == "last_membrane":
        return m[-1]
    if kind == "max_membrane":
        return m[skip:].max(0).values
    if kind == "spike_count":
        return s[skip:].sum(0)
    raise ValueError(f"unknown decoder {kind!r}")


def loss(decoder, score, target):
    """Per step: negative log-likelihood, mean over the batch, sum over steps >= skip. Otherwise: cross-entropy.

    Of numbers and labels the mean over them, of what is not NaN; mean over the batch, sum over steps.
    """
    if decoder.get("answer", "class") != "class":
        if decoder["kind"] == "per_step":
            score, target = score[decoder.get("skip", 0) :], target[decoder.get("skip", 0) :]
        known = ~target.isnan()
        target = target.nan_to_num()
        if decoder["answer"] == "values":
            losses = F.mse_loss(score, target, reduction="none")
        else:
            losses = F.binary_cross_entropy_with_logits(score, target, reduction="none")
        return losses[known].sum() / (score.shape[-2] * score.shape[-1])
    if decoder["kind"] == "per_step":
        skip = decoder.get("skip", 0)
        likelihood = score[skip:].gather(2, target[skip:].unsqueeze(2))
        return -likelihood.sum() / score.shape[1]
    return F.cross_entropy(score, target)


# Whole networks.


def subset(params, prefix):
    """The parameters of one layer, named within it."""
    return {name.removeprefix(f"{prefix}."): p for name, p in params.items() if name.startswith(f"{prefix}.")}


class Network:
    """Layers and readout as `case` says, with the parameters of a golden vector by their names there."""

    def __init__(self, case, params):
        self.case = case
        self.params = params
        # The least |u - theta| that a forward pass has met.
        self.margin = math.inf

    def alif(self, prefix, config, x):
        """Spikes and membranes of a layer over the whole sequence."""
        p = subset(self.params, prefix)
        state = alif_rest(p, config["b0"], x.shape[1])
        spikes, membranes = [], []
        for x_t in x.unbind(0):
            state = alif_step(p, config["b0"], config["beta"], self.case["surrogate"], x_t, state)
            self.margin = min(self.margin, state.v.detach().abs().min().item())
            spikes.append(state.s)
            membranes.append(state.u)
        return torch.stack(spikes), torch.stack(membranes)

    def bidirectional(self, prefix, config, x):
        """Two layers, one reading backwards in time. Their spikes side by side, forward first, each at its own time."""
        forward, _ = self.alif(f"{prefix}.forward", config, x)
        backward, _ = self.alif(f"{prefix}.backward", config, x.flip(0))
        return torch.cat([forward, backward.flip(0)], dim=2)

    def integrator(self, prefix, x):
        """Membranes of the leaky readout over the whole sequence."""
        p = subset(self.params, prefix)
        m = p["tau_m"].new_zeros(x.shape[1], len(p["tau_m"]))
        membranes = []
        for x_t in x.unbind(0):
            m = integrator_step(p, x_t, m)
            membranes.append(m)
        return torch.stack(membranes)

    def forward(self, x):
        """Every output by its name in the golden vectors."""
        out = {}
        for n, config in enumerate(self.case["layers"]):
            if config.get("bidirectional"):
                x = self.bidirectional(f"layers.{n}", config, x)
            else:
                x, _ = self.alif(f"layers.{n}", config, x)
            out[f"out.layers.{n}.spikes"] = x
        readout = self.case["readout"]
        if readout["kind"] == "alif":
            spikes, membrane = self.alif("readout", readout, x)
            out["out.readout.spikes"] = spikes
        elif readout["kind"] == "leaky_integrator":
            spikes, membrane = None, self.integrator("readout", x)
        else:
            raise ValueError(f"unknown readout {readout['kind']!r}")
        out["out.readout.membrane"] = membrane
        out["out.score"] = decode(self.case["decode"], membrane, spikes)
        return out
