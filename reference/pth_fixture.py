"""Writes the small PyTorch files that `crates/barnowl/tests/exchange.rs` reads.

    python reference/pth_fixture.py [FOLDER]

FOLDER defaults to crates/barnowl/tests/fixtures. Needs torch and safetensors. Every value is a small multiple of 1/8,
so that each element type holds it exactly. The files named `legacy` differ from run to run: they number storages by
their addresses.
"""

import sys
import warnings
import zipfile
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import nn

INPUTS, HIDDEN, OUTPUTS = 2, 3, 2


class Net(nn.Module):
    """The parameters of the authors' ECG network, in a smaller size."""

    def __init__(self, inputs=INPUTS, hidden=HIDDEN, outputs=OUTPUTS):
        super().__init__()
        self.i2h = nn.Linear(inputs, hidden)
        self.h2h = nn.Linear(hidden, hidden)
        self.h2o = nn.Linear(hidden, outputs)
        self.tau_m_h = nn.Parameter(torch.empty(hidden))
        self.tau_adp_h = nn.Parameter(torch.empty(hidden))
        self.tau_m_o = nn.Parameter(torch.empty(outputs))
        self.tau_adp_o = nn.Parameter(torch.empty(outputs))
        with torch.no_grad():
            for offset, parameter in enumerate(self.parameters()):
                values = torch.arange(parameter.numel()) / 8 - offset
                parameter.copy_(values.reshape(parameter.shape))


# Made without a `class` statement, so that the file, which would hold its source and the path of that, holds neither.
Bare = type("Bare", (nn.Module,), {"__module__": __name__})


def element_types():
    """One tensor of each element type, and views of a shared storage."""
    ramp = torch.arange(-3.0, 3.0).reshape(2, 3) / 8
    types = {
        "f64": ramp.double(),
        "f32": ramp,
        "f16": ramp.half(),
        "bf16": ramp.bfloat16(),
        "i64": torch.tensor([-(2**40), 7]),
        "i32": torch.tensor([-3, 7], dtype=torch.int32),
        "i16": torch.tensor([-300, 7], dtype=torch.int16),
        "i8": torch.tensor([-3, 7], dtype=torch.int8),
        "u8": torch.tensor([255, 7], dtype=torch.uint8),
        "bool": torch.tensor([True, False]),
        "scalar": torch.tensor(0.125),
        "empty": torch.zeros(0, 3),
    }
    views = {"transposed": ramp.t(), "column": ramp[:, 1], "tied": ramp}
    return types | views


def without_paths(path):
    """Takes what names the folders of this machine out of a TorchScript archive."""
    with zipfile.ZipFile(path) as archive:
        entries = [(entry, archive.read(entry)) for entry in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for entry, content in entries:
            if not entry.filename.endswith(".debug_pkl"):
                archive.writestr(entry, content)


def main():
    folder = Path(__file__).parent.parent / "crates/barnowl/tests/fixtures"
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else folder
    folder.mkdir(parents=True, exist_ok=True)
    net = Net()
    state = net.state_dict()

    def save(name, content, zipped=True):
        torch.save(content, folder / name, _use_new_zipfile_serialization=zipped)

    save("state_dict.pth", state)
    save("state_dict_legacy.pth", state, zipped=False)
    save_file(state, folder / "state_dict.safetensors", metadata={"format": "pt"})
    optimizer = torch.optim.SGD(net.parameters(), lr=0.0, momentum=0.9)
    sum(parameter.sum() for parameter in net.parameters()).backward()
    optimizer.step()
    optimizer.zero_grad()
    save("nested.pth", {"epoch": 3, "model": state, "optimizer": optimizer.state_dict()})
    save("data_parallel.pth", nn.DataParallel(net).state_dict())
    save("module.pth", net)
    bare = Bare()
    bare.register_parameter("tau_m", nn.Parameter(torch.zeros(2)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # "Couldn't retrieve source code": as meant
        save("module_legacy.pth", bare, zipped=False)

    # As people bring them: a checkpoint, a model on several GPUs beside its loss, a key that is missing, TorchScript.
    pair = Net(inputs=4, hidden=2, outputs=6).state_dict()
    optimizer = torch.optim.SGD([v.clone().requires_grad_() for v in pair.values()], lr=0.1, momentum=0.9)
    for group in optimizer.param_groups:
        for parameter in group["params"]:
            parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    save("wrapper.pth", {"epoch": 3, "state_dict": pair, "optimizer": optimizer.state_dict(), "best": 0.8})
    extra = {f"module.{name}": value for name, value in pair.items()}
    save("module_and_extra.pth", extra | {"criterion.weight": torch.ones(6)})
    save("missing_key.pth", {name: value for name, value in pair.items() if name != "tau_m_h"})
    script = folder / "torchscript.pth"
    torch.jit.trace(nn.Linear(1, 1), torch.zeros(1, 1)).save(str(script))
    without_paths(script)

    types = element_types()
    save("types.pth", types)
    save("types_legacy.pth", types, zipped=False)
    types = {name: tensor.contiguous().clone() for name, tensor in types.items()}
    save_file(types, folder / "types.safetensors", metadata={"format": "pt"})
    types = {name: tensor.float() for name, tensor in types.items()}
    save_file(types, folder / "types_f32.safetensors")

    save("too_precise.pth", {"count": torch.tensor([1, 2**24 + 1])})
    save("complex.pth", {"z": torch.tensor([1j])})
    save("expanded.pth", {"weight": torch.zeros(1).expand(1 << 26)})
    save("not_a_dict.pth", torch.zeros(2))
    save("no_tensors.pth", {"epoch": 3})


if __name__ == "__main__":
    main()
