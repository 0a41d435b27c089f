"""Random numbers, samples and the losses of mixtures of experts: against NumPy and PyTorch, and the row loss among them
against cross-entropy, which shows what the engine makes of it.
"""

import losskit
import numpy as np
from contest import Contest, close, compare

SHAPES = ((8192, 1000), (65536, 80))


def anything(ours, peer):
    """Streams of random numbers differ: what is compared is how long they take."""


def logits(rows, classes):
    return (np.random.default_rng(rows).standard_normal((rows, classes)) * 3).astype(np.float32)


@compare("Softmax", "{} million normal random numbers", ((1,),), peer="NumPy", needs=["philox_normal"])
def normal(millions):
    generator, n = np.random.Generator(np.random.Philox(1)), millions * 10**6
    return Contest(lambda: losskit.philox_normal(n=n, seed=1), lambda: generator.standard_normal(n), anything)


@compare("Softmax", "gumbel-softmax {}×{}", SHAPES, peer="torch", needs=["gumbel_softmax"])
def gumbel_softmax(rows, classes):
    import torch

    z = logits(rows, classes)
    tensor = torch.from_numpy(z)
    return Contest(
        lambda: losskit.gumbel_softmax(z, seed=1), lambda: torch.nn.functional.gumbel_softmax(tensor, dim=-1), anything
    )


@compare("Softmax", "top-2 gating {}×{}", ((65536, 8), (65536, 80)), peer="torch", needs=["topk_gating"])
def topk_gating(rows, classes):
    import torch

    z = logits(rows, classes)
    tensor = torch.from_numpy(z)

    def peer():
        values, indices = torch.topk(tensor, 2, -1)
        return torch.zeros_like(tensor).scatter_(-1, indices, torch.softmax(values, -1))

    return Contest(lambda: losskit.topk_gating(z)[0], peer, close(2e-5))


@compare(
    "Classification losses", "router z-loss, value and gradient, {}×{}", SHAPES, peer="LossKit's cross-entropy",
    needs=["router_z_loss"], target=1 / 1.5,
)  # fmt: skip
def router_z_loss(rows, classes):
    z = logits(rows, classes)
    y = np.random.default_rng(1).integers(0, classes, rows)
    return Contest(
        lambda: losskit.router_z_loss(z, grad=True), lambda: losskit.cross_entropy(z, y, grad=True), anything
    )
