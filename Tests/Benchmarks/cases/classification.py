"""Cross-entropy and focal loss, value and gradient in one call."""

import losskit
import numpy as np
from contest import Contest, close, compare


def with_gradient(loss, tensor):
    """Forward and backward of a torch loss of ``tensor``: (value, gradient)."""

    def run():
        tensor.grad = None
        value = loss()
        value.backward()
        return value.detach(), tensor.grad

    return run


@compare(
    "Classification losses", "cross-entropy, value and gradient, {}×{}", ((8192, 1000), (65536, 80), (256, 50257)),
    peer="torch", needs=["cross_entropy"], target=(3, 3, 6), threads=(1, 2),
)  # fmt: skip
def cross_entropy(rows, classes):
    import torch

    rng = np.random.default_rng(rows)
    z = (rng.standard_normal((rows, classes)) * 3).astype(np.float32)
    y = rng.integers(0, classes, rows)
    tensor, targets = torch.from_numpy(z.copy()).requires_grad_(), torch.from_numpy(y)
    peer = with_gradient(lambda: torch.nn.functional.cross_entropy(tensor, targets), tensor)
    return Contest(lambda: losskit.cross_entropy(z, y, grad=True), peer, close(2e-5))


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
