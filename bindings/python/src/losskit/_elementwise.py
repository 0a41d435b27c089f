"""Classification losses of single scores."""

from __future__ import annotations

from typing import Any

from ._core import as_reals, as_reals_like, call, check_shape, documented, empty, fail, scalar
from ._losses import check_reduction

__all__ = ["ens_loss"]


@documented
def ens_loss(
    f: Any,
    y: Any,
    *,
    seed: int = 0,
    lam: float = 0.0,
    noise: Any = None,
    tail: bool = True,
    shift: float = 1e-6,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """EnsLoss: the gradient of a random convex, calibrated loss of the margin, drawn anew in each call.

    Parameters
    ----------
    f : array_like
        Scores, in one dimension. A NaN has the largest margin.
    y : array_like
        1 or −1, shaped as `f`.
    noise : array_like, optional
        ξ, shaped as `f`; drawn if absent.
    sample_weight : array_like, optional
        Shaped as `f`, ≥ 0; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> loss, grad = losskit.ens_loss([1.5, -0.5, 3, 0.2], [1, 1, 1, -1], seed=7, reduction="none", grad=True)
    >>> loss.round(6).tolist(), grad.round(6).tolist()
    ([-1.000002, 0.5, -1.000003, 0.2], [-0.666668, -1.000001, -0.333334, 1.000001])
    """
    name = "ens_loss"
    dtype, f = as_reals(name, f)
    y, noise, sample_weight = as_reals_like(name, dtype, y, noise, sample_weight)
    if f.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"f has shape {f.shape}, expected one dimension")
    for what, array in (("y", y), ("noise", noise), ("sample_weight", sample_weight)):
        check_shape(name, what, array, f.shape)
    check_reduction(name, reduction)
    loss = empty(f.shape if reduction == "none" else (), dtype)
    gradient = empty(f.shape, dtype) if grad else None
    call(name, dtype, f, y, f.size, seed, lam, noise, tail, shift, reduction, sample_weight, loss, gradient)
    return (scalar(loss), gradient) if grad else scalar(loss)
