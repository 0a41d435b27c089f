"""Sparsemax and 1.5-entmax, forward and backward, against the entmax package."""

import losskit
import numpy as np
from contest import Contest, close, compare

SHAPES = ((4096, 1000),)


def data(rows, classes):
    import torch

    rng = np.random.default_rng(rows)
    z = (rng.standard_normal((rows, classes)) * 3).astype(np.float32)
    g = rng.standard_normal((rows, classes)).astype(np.float32)
    return z, g, torch.from_numpy(z.copy()), torch.from_numpy(g.copy())


def forward(name, rows, classes):
    import entmax

    z, _, tensor, _ = data(rows, classes)
    function = getattr(entmax, name)
    return Contest(lambda: getattr(losskit, name)(z), lambda: function(tensor, dim=-1), close(2e-5))


def backward(name, rows, classes):
    """The backward pass alone: the forward one has been run before, and is kept."""
    import entmax
    import torch

    z, g, tensor, gradient = data(rows, classes)
    tensor.requires_grad_()
    output = getattr(entmax, name)(tensor, dim=-1)
    p, vjp = output.detach().numpy(), getattr(losskit, name + "_vjp")
    peer = lambda: torch.autograd.grad(output, tensor, gradient, retain_graph=True)[0]  # noqa: E731
    return Contest(lambda: vjp(p, g), peer, close(2e-5))


@compare("Sparse maps", "sparsemax, {}×{}", SHAPES, peer="entmax", needs=["sparsemax"], target=10)
def sparsemax(rows, classes):
    return forward("sparsemax", rows, classes)


@compare("Sparse maps", "1.5-entmax, {}×{}", SHAPES, peer="entmax", needs=["entmax15"], target=10)
def entmax15(rows, classes):
    return forward("entmax15", rows, classes)


@compare("Sparse maps", "sparsemax, backward, {}×{}", SHAPES, peer="entmax", needs=["sparsemax_vjp"], target=10)
def sparsemax_backward(rows, classes):
    return backward("sparsemax", rows, classes)


@compare("Sparse maps", "1.5-entmax, backward, {}×{}", SHAPES, peer="entmax", needs=["entmax15_vjp"], target=10)
def entmax15_backward(rows, classes):
    return backward("entmax15", rows, classes)
