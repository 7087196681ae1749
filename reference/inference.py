"""A Barnowl model in NumPy: Model(path).run(x) of x [steps, channels] gives scores [steps, classes], or [classes]. It runs ALIF
and LIF layers that read forward, without an encoder; docs/file-format.md says what is in the file."""
import json
import struct
import numpy as np

def decays(tau, dt):  # exp(-dt/tau) and 1 minus that
    exponent = (np.float32(-dt) / tau).astype("f8")
    return np.exp(exponent).astype("f4"), -np.expm1(exponent).astype("f4")

class Layer:
    def __init__(self, tensors, name, config):
        of = lambda key: tensors.get(f"{name}.{key}", np.float32(0))
        self.w, self.v, zeros = of("input.weight"), of("recurrent.weight"), np.zeros(config["size"], "f4")
        self.bias = zeros + of("input.bias") + of("recurrent.bias")
        self.alpha, self.leak = decays(of("tau_m"), config["dt"])
        self.spikes = f"{name}.tau_adp" in tensors
        if self.spikes:
            self.rho, self.gain = decays(of("tau_adp"), config["dt"])
            self.b0, self.beta, self.r = (np.float32(config[key]) for key in ("b0", "beta", "resistance"))
            self.b = zeros + self.b0  # the adaptation starts at b0, not at 0
        self.u, self.s = zeros.copy(), zeros.copy()

    def step(self, x):
        current = self.bias.copy()
        for j in np.flatnonzero(x):  # one after the other: the order of a sum decides its last digit
            current = (x[j] * self.w[:, j].astype("f8") + current).astype("f4")
        for j in np.flatnonzero(self.s) if np.ndim(self.v) else []:
            current += self.v[:, j]
        if not self.spikes:
            self.u = self.alpha * self.u + self.leak * current
            return self.u
        self.b = self.rho * self.b + self.gain * self.s
        theta = self.b0 + self.beta * self.b
        self.u = self.alpha * self.u + self.leak * (self.r * current) - theta * self.s
        self.s = (self.u > theta).astype("f4")
        return self.s

class Model:
    def __init__(self, path):
        data = open(path, "rb").read()
        end = 8 + struct.unpack("<Q", data[:8])[0]
        header = json.loads(data[8:end])
        meta, at = header.pop("__metadata__"), lambda e: data[end + e["data_offsets"][0] : end + e["data_offsets"][1]]
        self.tensors = {name: np.frombuffer(at(e), "<f4").reshape(e["shape"]) for name, e in header.items()}
        self.task, self.card = json.loads(meta["barnowl.task"]), json.loads(meta.get("barnowl.data", "{}"))

    def run(self, x):
        net, norm = self.task["network"], self.card.get("normalization")
        x = (x - np.array(norm["center"], "f4")) / np.array(norm["scale"], "f4") if norm else np.asarray(x, "f4")
        layers = [Layer(self.tensors, f"layers.{i}", c) for i, c in enumerate(net["layers"])]
        layers, m, s = layers + [Layer(self.tensors, "readout", net["readout"])], [], []
        for signal in x:
            for layer in layers:
                signal = layer.step(signal)
            m.append(layers[-1].u), s.append(layers[-1].s)
        m, s, kind, skip = np.array(m), np.array(s), net["decode"]["kind"], net["decode"]["skip"]
        p = np.exp(m - m.max(1, keepdims=True)) / np.exp(m - m.max(1, keepdims=True)).sum(1, keepdims=True)
        return {"per_step": p, "softmax_sum": p[skip:].sum(0), "mean_membrane": m[skip:].mean(0), "last_membrane": m[-1],
                "max_membrane": m[skip:].max(0), "spike_count": s[skip:].sum(0)}[kind]
