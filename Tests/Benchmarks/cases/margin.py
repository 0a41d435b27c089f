"""Margin losses, value and gradient in one call: against PyTorch, and against cross-entropy, which shows what their engine
makes of them.
"""

import losskit
import numpy as np
from contest import Contest, close, compare

SHAPES = ((8192, 1000), (65536, 80))


def scores(rows, classes):
    rng = np.random.default_rng(rows)
    return (rng.standard_normal((rows, classes)) * 3).astype(np.float32), rng


def with_gradient(loss, z):
    """Forward and backward of a torch loss of ``z``: (value, gradient)."""
    import torch

    tensor = torch.from_numpy(z.copy()).requires_grad_()

    def run():
        tensor.grad = None
        value = loss(tensor)
        value.backward()
        return value.detach(), tensor.grad

    return run


@compare(
    "Classification losses", "multi-margin loss, value and gradient, {}×{}", SHAPES,
    peer="torch", needs=["multi_margin_loss"], target=3,
)  # fmt: skip
def multi_margin_loss(rows, classes):
    import torch

    z, rng = scores(rows, classes)
    y = rng.integers(0, classes, rows)
    targets = torch.from_numpy(y)
    peer = with_gradient(lambda tensor: torch.nn.functional.multi_margin_loss(tensor, targets), z)
    return Contest(lambda: losskit.multi_margin_loss(z, y, grad=True), peer, close(2e-5))


def elementwise(name):
    @compare(
        "Classification losses", name.replace("_", " ") + ", value and gradient, {}×{}", ((8192, 1000),),
        peer="torch", needs=[name], target=3,
    )  # fmt: skip
    def case(rows, columns):
        import torch

        z, rng = scores(rows, columns)
        y = rng.choice([-1, 1], (rows, columns)).astype(np.float32)
        targets, loss = torch.from_numpy(y), getattr(torch.nn.functional, name)
        peer = with_gradient(lambda tensor: loss(tensor, targets), z)
        return Contest(lambda: getattr(losskit, name)(z, y, grad=True), peer, close(2e-5))


elementwise("soft_margin_loss")
elementwise("hinge_embedding_loss")
