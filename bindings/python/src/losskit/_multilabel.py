"""Multi-label losses."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._core import as_reals, as_reals_like, call, check_shape, documented, empty, fail, scalar
from ._losses import check_reduction

__all__ = ["binary_cross_entropy_with_logits"]


@documented
def binary_cross_entropy_with_logits(
    z: Any,
    t: Any,
    *,
    weight: Any = None,
    pos_weight: Any = None,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """Binary cross-entropy of sigmoid scores, element by element.

    Parameters
    ----------
    weight : array_like, default None
        Factors of the elements, broadcast to `z`; not part of the mean's denominator.
    pos_weight : array_like, default None
        Weights of the positives, one for each column (the last axis), > 0.
    sample_weight : array_like, default None
        Weights along the leading axes of `z`; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> z, t = [[2.0, -1.0, 0.5]], [[1, 0, 0]]
    >>> loss, grad = losskit.binary_cross_entropy_with_logits(z, t, pos_weight=[3, 1, 1], grad=True)
    >>> round(float(loss), 6)
    0.556041
    >>> grad.round(4).tolist()
    [[-0.1192, 0.0896, 0.2075]]
    """
    name = "binary_cross_entropy_with_logits"
    dtype, z = as_reals(name, z)
    t, weight, pos_weight, sample_weight = as_reals_like(name, dtype, t, weight, pos_weight, sample_weight)
    check_shape(name, "t", t, z.shape)
    shape = z.shape or (1,)
    # One row per sample weight, but no row longer than what repeats along the last axis.
    depth = len(shape) - 1 if sample_weight is None or sample_weight.ndim < len(shape) else len(shape)
    rows, columns = math.prod(shape[:depth]), math.prod(shape[depth:])
    if pos_weight is not None:
        one_for_all = pos_weight.size == 1 and pos_weight.ndim == 1
        pos_weight = _broadcast(name, "pos_weight", pos_weight[0] if one_for_all else pos_weight, shape[depth:])
    per_element = weight is not None and weight.shape != shape[depth:]
    if per_element:
        weight = _broadcast(name, "weight", weight, shape)
    if sample_weight is not None:
        check_shape(name, "sample_weight", sample_weight, z.shape[: sample_weight.ndim])
        trailing = (1,) * (depth - sample_weight.ndim)
        sample_weight = _broadcast(name, "sample_weight", sample_weight.reshape(sample_weight.shape + trailing), shape[:depth])
    check_reduction(name, reduction)
    loss = empty(z.shape if reduction == "none" else (), dtype)
    gradient = empty(z.shape, dtype) if grad else None
    call(name, dtype, z, t, rows, columns, weight, per_element, pos_weight, reduction, sample_weight, loss, gradient)
    return (scalar(loss), gradient) if grad else scalar(loss)


def _broadcast(name: str, what: str, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    try:
        return np.ascontiguousarray(np.broadcast_to(x, shape))
    except ValueError:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {x.shape}, which does not broadcast to {shape}") from None
