"""Writes the firing chances that `crates/barnowl/tests/cochlea.rs` reads.

    python reference/cochlea_golden.py [FILE]

FILE defaults to crates/barnowl/tests/fixtures/cochlea.safetensors. Needs numpy, scipy and safetensors. The membrane's phase
is integrated numerically here, not by the closed form of the Rust code, and the Bessel functions are scipy's.
"""

import sys

import numpy as np
from safetensors.numpy import save_file
from scipy import special
from scipy.integrate import cumulative_simpson

RATE, VELOCITY_RATE, CHANNELS = 8000, 24000, 12
ALPHA, LENGTH, STIFFNESS, SOFTENING, DENSITY, HEIGHT, MASS = 3.0, 3.5, 1e9, 3500.0, 1.0, 0.1, 0.05
RESISTANCE = 0.15 * np.sqrt(STIFFNESS * MASS)


def response(omega):
    """The velocity of every place under a sound of amplitude 1 and angular frequency omega."""
    per_channel = 2000
    x = np.linspace(0, LENGTH, per_channel * (CHANNELS - 1) + 1)
    u = np.exp(-ALPHA * x / 2)
    xi = STIFFNESS * u**2 - SOFTENING - MASS * omega**2 - 1j * omega * RESISTANCE * u
    g = omega * np.sqrt(DENSITY / (HEIGHT * xi))
    real, imaginary = (cumulative_simpson(part, x=x, initial=0) for part in (g.real, g.imag))
    phase = 2 * g[0] / ALPHA + real + 1j * imaginary
    p = np.sqrt(phase / g) * special.hankel1e(0, phase) * np.exp(1j * (phase - phase[0]))
    k = 2 * omega / ALPHA * np.sqrt(2 / (HEIGHT * STIFFNESS))
    z = 1j * np.sqrt(2 * STIFFNESS / HEIGHT) * special.hankel2(0, k) / special.hankel2(1, k)
    return (2 * omega / xi * p / p[0] * z)[::per_channel]


def velocity(sound):
    """[CHANNELS, steps]"""
    sound = 0.3 * sound / np.sqrt(np.mean(sound**2)) * np.hanning(len(sound))
    # Filled up with silence to a quarter of a second.
    padded = np.concatenate([sound, np.zeros(-len(sound) % (RATE // 4))])
    spectrum = np.fft.rfft(padded)[:-1]
    omega = 2 * np.pi * np.arange(1, len(spectrum)) * RATE / len(padded)
    moved = np.zeros((CHANNELS, len(padded) * VELOCITY_RATE // RATE // 2 + 1), complex)
    moved[:, 1 : len(spectrum)] = np.stack([response(w) for w in omega], axis=1) * spectrum[1:]
    steps = moved.shape[1] * 2 - 2
    wave = np.fft.irfft(moved, steps) * steps / len(padded)
    return wave[:, : len(sound) * VELOCITY_RATE // RATE]


def firing_chances(velocity):
    """Meddis's hair cell, by Euler's method."""
    y, g, l, r, x, a, b, h, m = 5.05, 2000, 2500, 6580, 66.3, 5, 300, 50000, 1
    dt = 1 / VELOCITY_RATE
    k = g * a / (a + b)
    cleft = np.full(len(velocity), m * y * k / (l * k + y * (l + r)))
    free, store = cleft * (l + r) / k, cleft * r / x
    chances = np.empty_like(velocity)
    for t, v in enumerate(velocity.T):
        k = np.where(v + a > 0, g * (v + a) / (v + a + b), 0)
        d_free = y * np.maximum(m - free, 0) + x * store - k * free
        d_cleft, d_store = k * free - (l + r) * cleft, r * cleft - x * store
        free, cleft, store = (np.maximum(q + dt * d, 0) for q, d in ((free, d_free), (cleft, d_cleft), (store, d_store)))
        chances[:, t] = h * cleft * dt
    return chances


def main():
    t = np.arange(1600) / RATE
    noise = np.random.default_rng(1).normal(size=len(t))
    sound = (0.4 * np.sin(2 * np.pi * (200 + 8000 * t) * t) + 0.02 * noise).astype(np.float32)
    chances = firing_chances(velocity(sound.astype(float)))
    path = sys.argv[1] if len(sys.argv) > 1 else "crates/barnowl/tests/fixtures/cochlea.safetensors"
    save_file({"sound": sound, "chances": np.ascontiguousarray(chances[:, ::6], dtype=np.float32)}, path)


if __name__ == "__main__":
    main()
