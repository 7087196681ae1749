"""Golden numbers for the optimizers: ten steps of torch.optim on given gradients, in float32.

    python reference/optimizer_golden.py > crates/barnowl/tests/data/optimizer.json

Two parameters, `weight` [3, 2] and `log_tau` [2], are updated from gradients of very different sizes, some of them
zero. Each case names Barnowl's configuration; the PyTorch optimizer beside it must mean the same.
"""

import json

import numpy as np
import torch

STEPS = 10
# Barnowl's name -> optimizer class and the names of its constants there.
OPTIMIZERS = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
    "adagrad": torch.optim.Adagrad,
    "adamax": torch.optim.Adamax,
    "radam": torch.optim.RAdam,
}
BETAS = {"beta_1": 0.8, "beta_2": 0.99}
CASES = [
    # configuration, learning rate, multiplier for log_tau, clipping
    ({"kind": "adam"}, 0.03, 1.0, None),
    ({"kind": "adam", "weight_decay": 0.1, "epsilon": 1e-3, **BETAS}, 0.03, 2.0, {"norm": 1.0}),
    ({"kind": "adamw"}, 0.03, 2.0, None),
    ({"kind": "adamw", "weight_decay": 0.5, **BETAS}, 0.03, 1.0, {"value": 0.5}),
    ({"kind": "sgd"}, 0.1, 0.5, {"norm": 1.0}),
    ({"kind": "sgd", "momentum": 0.9, "weight_decay": 0.1}, 0.1, 1.0, None),
    ({"kind": "sgd", "momentum": 0.9, "nesterov": True}, 0.1, 1.0, {"norm": 1e9}),
    ({"kind": "rmsprop"}, 0.01, 1.0, None),
    ({"kind": "rmsprop", "momentum": 0.5, "alpha": 0.9, "weight_decay": 0.1}, 0.01, 2.0, None),
    ({"kind": "adagrad"}, 0.1, 1.0, None),
    ({"kind": "adagrad", "lr_decay": 0.1, "weight_decay": 0.1}, 0.1, 2.0, None),
    ({"kind": "adamax"}, 0.03, 1.0, None),
    ({"kind": "adamax", "weight_decay": 0.1, "epsilon": 1e-3, **BETAS}, 0.03, 2.0, {"norm": 1.0}),
    ({"kind": "radam"}, 0.03, 1.0, None),
    ({"kind": "radam", "weight_decay": 0.1, "epsilon": 1e-3, **BETAS}, 0.03, 2.0, {"norm": 1.0}),
]


def torch_optimizer(config, rate, multiplier, weight, log_tau):
    constants = {name: value for name, value in config.items() if name != "kind"}
    if "beta_1" in constants:
        constants["betas"] = (constants.pop("beta_1"), constants.pop("beta_2"))
    if "epsilon" in constants:
        constants["eps"] = constants.pop("epsilon")
    groups = [{"params": [weight]}, {"params": [log_tau], "lr": rate * multiplier}]
    return OPTIMIZERS[config["kind"]](groups, lr=rate, foreach=False, **constants)


def run(config, rate, multiplier, clipping, initial, gradients):
    """The parameters after each step, weight before log_tau."""
    weight = torch.tensor(initial[:6]).reshape(3, 2).requires_grad_()
    log_tau = torch.tensor(initial[6:]).requires_grad_()
    optimizer = torch_optimizer(config, rate, multiplier, weight, log_tau)
    trajectory = []
    for gradient in gradients:
        weight.grad = torch.tensor(gradient[:6]).reshape(3, 2)
        log_tau.grad = torch.tensor(gradient[6:])
        if clipping and "norm" in clipping:
            torch.nn.utils.clip_grad_norm_([weight, log_tau], clipping["norm"])
        if clipping and "value" in clipping:
            torch.nn.utils.clip_grad_value_([weight, log_tau], clipping["value"])
        optimizer.step()
        trajectory.append(torch.cat([weight.detach().flatten(), log_tau.detach()]).numpy())
    return trajectory


def row(values):
    """Nine digits tell every float32 from its neighbours."""
    return "[" + ", ".join(f"{float(value):.9g}" for value in values) + "]"


def rows(values, indent):
    separator = ",\n" + " " * indent
    return "[\n" + " " * indent + separator.join(map(row, values)) + "\n" + " " * (indent - 2) + "]"


def main():
    rng = np.random.default_rng(1)
    initial = rng.normal(size=8).astype(np.float32)
    sizes = np.array([1e-5, 1e-3, 0.1, 0.0, 1.0, 30.0, 0.3, 3.0])
    gradients = (sizes * rng.normal(size=(STEPS, 8))).astype(np.float32)
    gradients[0, 2] = 0.0
    gradients[5, 3] = 0.7

    print("{")
    print(f'  "written_by": "reference/optimizer_golden.py, PyTorch {torch.__version__.split("+")[0]}",')
    print(f'  "initial": {row(initial)},')
    print(f'  "gradients": {rows(gradients, 4)},')
    print('  "cases": [')
    for index, (config, rate, multiplier, clipping) in enumerate(CASES):
        trajectory = run(config, rate, multiplier, clipping, initial, gradients)
        print("    {")
        print(f'      "optimizer": {json.dumps(config)},')
        print(f'      "learning_rate": {rate}, "multiplier": {multiplier},')
        print(f'      "clipping": {json.dumps(clipping)},')
        print(f'      "parameters": {rows(trajectory, 8)}')
        print("    }" + ("," if index + 1 < len(CASES) else ""))
    print("  ]\n}")


if __name__ == "__main__":
    main()
