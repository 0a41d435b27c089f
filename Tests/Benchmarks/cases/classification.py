"""Cross-entropy and focal loss, value and gradient in one call."""

import losskit
import numpy as np
from contest import Contest, close, compare
from losskit import _core


def with_gradient(loss, tensor):
    """Forward and backward of a torch loss of ``tensor``: (value, gradient)."""

    def run():
        tensor.grad = None
        value = loss()
        value.backward()
        return value.detach(), tensor.grad

    return run


SHAPES = ((8192, 1000), (65536, 80), (256, 50257))


def cross_entropy_data(rows, classes):
    """Logits, targets, and torch's forward and backward of them."""
    import torch

    rng = np.random.default_rng(rows)
    z = (rng.standard_normal((rows, classes)) * 3).astype(np.float32)
    y = rng.integers(0, classes, rows)
    tensor, targets = torch.from_numpy(z.copy()).requires_grad_(), torch.from_numpy(y)
    return tensor.detach().numpy(), y, with_gradient(lambda: torch.nn.functional.cross_entropy(tensor, targets), tensor)


@compare(
    "Classification losses", "cross-entropy, value and gradient, {}×{}", SHAPES,
    peer="torch", needs=["cross_entropy"], target=(3, 3, 6), threads=(1, 2),
)  # fmt: skip
def cross_entropy(rows, classes):
    z, y, peer = cross_entropy_data(rows, classes)
    return Contest(lambda: losskit.cross_entropy(z, y, grad=True), peer, close(2e-5))


@compare(
    "Classification losses", "cross-entropy, value and gradient, {}×{}, LossKit's output given", SHAPES,
    peer="torch", needs=["cross_entropy"],
)  # fmt: skip
def cross_entropy_into(rows, classes):
    """The kernel alone; torch has no way to be given the gradient's memory."""
    z, y, peer = cross_entropy_data(rows, classes)
    loss, grad = np.zeros((), np.float32), _core.empty(z.shape, z.dtype)

    def ours():
        _core.call("cross_entropy", z.dtype, z, y, rows, classes, 1, None, -100, 0.0, "mean", None, loss, grad)
        return loss, grad

    return Contest(ours, peer, close(2e-5))


@compare(
    "Classification losses", "sigmoid focal loss, value and gradient, {}×{}", ((100_000, 80),),
    peer="torchvision", needs=["sigmoid_focal_loss"], target=12, threads=(1, 2),
)  # fmt: skip
def sigmoid_focal_loss(rows, classes):
    import torch
    import torchvision

    rng = np.random.default_rng(rows)
    z = (rng.standard_normal((rows, classes)) * 3 - 2).astype(np.float32)
    t = np.zeros((rows, classes), np.float32)
    t[np.arange(rows // 10), rng.integers(0, classes, rows // 10)] = 1
    tensor, targets = torch.from_numpy(z.copy()).requires_grad_(), torch.from_numpy(t)
    loss = torchvision.ops.sigmoid_focal_loss
    peer = with_gradient(lambda: loss(tensor, targets, alpha=0.25, gamma=2.0, reduction="mean"), tensor)
    return Contest(lambda: losskit.sigmoid_focal_loss(z, t, alpha=0.25, gamma=2.0, grad=True), peer, close(2e-5))
