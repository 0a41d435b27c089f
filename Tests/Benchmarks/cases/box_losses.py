"""Losses of boxes with the gradients of both."""

import losskit
import numpy as np
from contest import Contest, close, compare


def pairs(count):
    rng = np.random.default_rng(count)
    corner, size = rng.uniform(0, 500, (count, 2)), rng.uniform(60, 160, (count, 2))
    shift = rng.normal(0, 8, (2, count, 2))
    first = np.concatenate([corner, corner + size], 1)
    return first.astype(np.float32), (first + np.concatenate(list(shift), 1)).astype(np.float32)


@compare(
    "Detection", "{1} loss and gradients, {0} pairs", ((1000, "generalized"), (100_000, "complete")), peer="torchvision",
    needs=["generalized_box_iou_loss", "complete_box_iou_loss"],
)  # fmt: skip
def box_loss(count, kind):
    import torch
    from torchvision import ops

    b1, b2 = pairs(count)
    ours, theirs = (getattr(module, f"{kind}_box_iou_loss") for module in (losskit, ops))
    tensors = [torch.from_numpy(b).requires_grad_() for b in (b1, b2)]

    def mine():
        loss, grads = ours(b1, b2, reduction="sum", grad=True)
        return (loss, *grads)

    def peer():
        loss = theirs(*tensors, reduction="sum")
        return (loss.detach().numpy(), *(grad.numpy() for grad in torch.autograd.grad(loss, tensors)))

    return Contest(mine, peer, close(1e-3))
