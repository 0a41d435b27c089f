"""Sparsemax and 1.5-entmax, forward and backward, against the entmax package, as called and into memory that is there.

The backward passes write little and read less, so that fresh memory for their result costs more than they do: their
targets are for given outputs. The package has no way to be given one.
"""

import losskit
import numpy as np
from contest import Contest, close, compare
from losskit import _core

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


def backward(name, rows, classes, given=False):
    """The backward pass alone: the forward one has been run before, and is kept."""
    import entmax
    import torch

    z, g, tensor, gradient = data(rows, classes)
    tensor.requires_grad_()
    output = getattr(entmax, name)(tensor, dim=-1)
    p, vjp, out = output.detach().numpy(), getattr(losskit, name + "_vjp"), np.zeros_like(z)

    def into():
        _core.call(name + "_vjp", z.dtype, p, g, rows, classes, 1, out)
        return out

    peer = lambda: torch.autograd.grad(output, tensor, gradient, retain_graph=True)[0]  # noqa: E731
    return Contest(into if given else lambda: vjp(p, g), peer, close(2e-5))


@compare("Sparse maps", "sparsemax, {}×{}", SHAPES, peer="entmax", needs=["sparsemax"], target=10)
def sparsemax(rows, classes):
    return forward("sparsemax", rows, classes)


@compare("Sparse maps", "1.5-entmax, {}×{}", SHAPES, peer="entmax", needs=["entmax15"], target=10)
def entmax15(rows, classes):
    return forward("entmax15", rows, classes)


for name, title in (("sparsemax", "sparsemax"), ("entmax15", "1.5-entmax")):
    names = dict(peer="entmax", needs=[name + "_vjp"])

    @compare("Sparse maps", title + ", backward, {}×{}", SHAPES, **names)
    def called(rows, classes, name=name):
        return backward(name, rows, classes)

    @compare("Sparse maps", title + ", backward, {}×{}, output given", SHAPES, target=10, **names)
    def into(rows, classes, name=name):
        return backward(name, rows, classes, given=True)
