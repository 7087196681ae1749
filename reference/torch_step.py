"""A training step in PyTorch, for the scripts whose networks differ in their neurons only."""

import shapes
import timing
import torch

import model


def run(args, framework, version, network, adaptive=True):
    """Times `network(shape, layers) -> (parameters, forward)`, on layers of tensors as `shapes.problem` gives them.

    `forward(x)` gives the membranes and spikes [T, B, classes] of the readout (spikes None if it has none), and the
    spikes of each hidden layer, a tensor or a list by time step.
    """
    torch.set_num_threads(args.threads)
    torch.manual_seed(1)

    def build(shape):
        layers, x, target = shapes.problem(shape, adaptive)
        layers = [{name: torch.tensor(value, device=args.device) for name, value in p.items()} for p in layers]
        x, target = torch.tensor(x, device=args.device), torch.tensor(target, device=args.device)
        parameters, forward = network(shape, layers)
        optimizer = torch.optim.Adam(parameters, lr=shapes.LEARNING_RATE)
        rates = []

        def step():
            optimizer.zero_grad()
            membranes, spikes, hidden = forward(x)
            if not rates:
                rates.extend(torch.stack(tuple(s)).detach().mean().item() for s in hidden)
            loss = model.loss(shape.decode, model.decode(shape.decode, membranes, spikes), target)
            loss.backward()
            optimizer.step()
            if args.device != "cpu":
                torch.cuda.synchronize()
            return loss.detach()

        return step, rates

    timing.run(args, framework, version, build)


def filled(module, **values):
    """The module, its parameters of these names set to these values."""
    with torch.no_grad():
        for name, value in values.items():
            module.get_parameter(name.replace("__", ".")).copy_(value)
    return module


def linear(weight, bias):
    """A linear layer of these weights."""
    return filled(torch.nn.Linear(weight.shape[1], weight.shape[0]), weight=weight, bias=bias)
