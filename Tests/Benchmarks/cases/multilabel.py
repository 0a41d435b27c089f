"""Binary cross-entropy on logits, value and gradient in one call."""

import losskit
import numpy as np
from contest import Contest, close, compare


@compare(
    "Multi-label losses", "binary cross-entropy with logits, value and gradient, {}×{}", ((4096, 1000),),
    peer="torch", needs=["binary_cross_entropy_with_logits"], target=3, threads=(1, 2),
)  # fmt: skip
def binary_cross_entropy_with_logits(rows, labels):
    import torch

    rng = np.random.default_rng(rows)
    z = (rng.standard_normal((rows, labels)) * 3).astype(np.float32)
    t = (rng.random((rows, labels)) < 0.1).astype(np.float32)
    tensor, targets = torch.from_numpy(z.copy()).requires_grad_(), torch.from_numpy(t)

    def peer():
        tensor.grad = None
        value = torch.nn.functional.binary_cross_entropy_with_logits(tensor, targets)
        value.backward()
        return value.detach(), tensor.grad

    return Contest(lambda: losskit.binary_cross_entropy_with_logits(z, t, grad=True), peer, close(2e-5))
