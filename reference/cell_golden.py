"""Golden vectors of the baseline cells: torch.nn.LSTM, GRU and RNN, and a rectified adaptive layer, in double precision.

    python reference/cell_golden.py crates/barnowl/tests/fixtures/cells.safetensors

For each of `lstm`, `gru`, `rnn`: `x` [T, B, I], `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` in PyTorch's layout, the
outputs `h` [T, B, H], `g` by which they are weighted in the loss sum(g h), and the gradients `d_...` of all the others.
For `relu`, the paper's neuron with s = max(0, u - theta): `current` [T, B, H], `recurrent` [H, H] (row = presynaptic),
`tau_m`, `tau_adp`, and the same.
"""

import sys

import numpy as np
import torch
from safetensors.numpy import save_file

T, B, I, H = 23, 3, 4, 19
B0, BETA, R = 0.1, 1.8, 0.7


def gated(kind: type[torch.nn.RNNBase]) -> dict[str, torch.Tensor]:
    cell = kind(I, H).double()
    x = torch.randn(T, B, I, dtype=torch.float64, requires_grad=True)
    g = torch.randn(T, B, H, dtype=torch.float64)
    with torch.no_grad():
        for weight in cell.parameters():
            weight *= 2
    h, _ = cell(x)
    (g * h).sum().backward()
    found = {"x": x, "d_x": x.grad, "h": h, "g": g}
    for name, weight in cell.named_parameters():
        found[name.removesuffix("_l0")] = weight
        found["d_" + name.removesuffix("_l0")] = weight.grad
    return found


def rectified() -> dict[str, torch.Tensor]:
    current = torch.randn(T, B, H, dtype=torch.float64).mul_(2).requires_grad_()
    recurrent = torch.randn(H, H, dtype=torch.float64).div_(H**0.5).requires_grad_()
    tau_m = torch.empty(H, dtype=torch.float64).uniform_(0.5, 30).requires_grad_()
    tau_adp = torch.empty(H, dtype=torch.float64).uniform_(0.5, 100).requires_grad_()
    g = torch.randn(T, B, H, dtype=torch.float64)
    alpha, rho = torch.exp(-1 / tau_m), torch.exp(-1 / tau_adp)
    u = s = torch.zeros(B, H, dtype=torch.float64)
    b = torch.full((B, H), B0, dtype=torch.float64)
    outputs = []
    for t in range(T):
        b = rho * b + (1 - rho) * s
        theta = B0 + BETA * b
        u = alpha * u + (1 - alpha) * R * (current[t] + s @ recurrent) - theta * s
        s = torch.relu(u - theta)
        outputs.append(s)
    h = torch.stack(outputs)
    (g * h).sum().backward()
    inputs = {"current": current, "recurrent": recurrent, "tau_m": tau_m, "tau_adp": tau_adp}
    return inputs | {"d_" + name: value.grad for name, value in inputs.items()} | {"h": h, "g": g}


def main() -> None:
    torch.manual_seed(7)
    cases = {
        "lstm": gated(torch.nn.LSTM),
        "gru": gated(torch.nn.GRU),
        "rnn": gated(torch.nn.RNN),
        "relu": rectified(),
    }
    tensors = {
        f"{case}.{name}": value.detach().numpy().astype(np.float32)
        for case, values in cases.items()
        for name, value in values.items()
    }
    save_file(tensors, sys.argv[1], {"torch": torch.__version__})


main()
