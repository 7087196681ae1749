"""A Barnowl model in NumPy: `Model(path).run(x)` with x [steps, channels] gives scores [steps, classes], or [classes].

Everything that it needs is in docs/file-format.md. It runs networks of ALIF and LIF layers that read forward.
"""

import json
import struct

import numpy as np


def decays(tau, dt):
    """exp(-dt/tau) and 1 minus that, in single precision."""
    exponent = -(np.float64(dt) / tau.astype("f8"))
    return np.exp(exponent).astype("f4"), -np.expm1(exponent).astype("f4")


class Layer:
    def __init__(self, tensors, name, config):
        of = lambda key: tensors.get(f"{name}.{key}")
        self.w, self.v, self.config = of("input.weight"), of("recurrent.weight"), config
        zeros = np.zeros(len(self.w), "f4")
        self.bias = (zeros if of("input.bias") is None else of("input.bias")) + (zeros if of("recurrent.bias") is None else of("recurrent.bias"))
        self.alpha, self.leak = decays(of("tau_m"), config["dt"])
        self.spiking = of("tau_adp") is not None
        if self.spiking:
            self.rho, self.gain = decays(of("tau_adp"), config["dt"])
            self.b0, self.beta, self.r = (np.float32(config[key]) for key in ("b0", "beta", "resistance"))
            self.b = zeros + self.b0  # the adaptation starts at b0
        self.u, self.s = zeros.copy(), zeros.copy()  # the membrane at 0, without a spike before

    def step(self, x):
        """One step: inputs or spikes [inputs] in; the membrane and spikes [neurons] out."""
        current = self.bias.copy()
        for j in np.flatnonzero(x):  # one after the other: the order of the sums decides the last digit
            current = (x[j] * self.w[:, j].astype("f8") + current).astype("f4")
        if self.v is not None:
            for j in np.flatnonzero(self.s):
                current += self.v[:, j]
        if not self.spiking:
            self.u = self.alpha * self.u + self.leak * current
            return self.u, None
        self.b = self.rho * self.b + self.gain * self.s
        theta = self.b0 + self.beta * self.b
        self.u = self.alpha * self.u + self.leak * (self.r * current) - theta * self.s
        self.s = (self.u > theta).astype("f4")
        return self.u, self.s


class Model:
    def __init__(self, path):
        data = open(path, "rb").read()
        end = 8 + struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:end])
        self.meta = header.pop("__metadata__")
        at = lambda e: np.frombuffer(data[end + e["data_offsets"][0] : end + e["data_offsets"][1]], "<f4").reshape(e["shape"])
        self.tensors = {name: at(entry) for name, entry in header.items()}
        self.task, self.card = json.loads(self.meta["barnowl.task"]), json.loads(self.meta.get("barnowl.data", "{}"))

    def run(self, x):
        norm, net = self.card.get("normalization"), self.task["network"]
        if norm:
            x = (x - np.array(norm["center"], "f4")) / np.array(norm["scale"], "f4")
        parts = [Layer(self.tensors, f"layers.{i}", c) for i, c in enumerate(net["layers"])] + [Layer(self.tensors, "readout", net["readout"])]
        m, s = [], []
        for signal in np.asarray(x, "f4"):
            for layer in parts:
                u, spikes = layer.step(signal)
                signal = u if spikes is None else spikes
            m.append(u), s.append(spikes)
        m, kind, skip = np.array(m), net["decode"]["kind"], net["decode"].get("skip", 0)
        p = np.exp(m - m.max(1, keepdims=True)) / np.exp(m - m.max(1, keepdims=True)).sum(1, keepdims=True)
        return {"per_step": lambda: p, "softmax_sum": lambda: p[skip:].sum(0), "mean_membrane": lambda: m[skip:].mean(0), "last_membrane": lambda: m[-1],
                "max_membrane": lambda: m[skip:].max(0), "spike_count": lambda: np.array(s)[skip:].sum(0)}[kind]()
