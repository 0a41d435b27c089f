"""Losses of embeddings and a class matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._core import as_array, as_integers, as_reals, as_reals_like, call, check_shape, documented, empty, fail, scalar
from ._losses import check_reduction

__all__ = ["linear_cross_entropy"]


@documented
def linear_cross_entropy(
    e: Any,
    c: Any,
    targets: Any,
    *,
    bias: Any = None,
    ignore_index: int = -100,
    softcap: float | None = None,
    shift: int = 0,
    filter_eps: float | str | None = None,
    return_lse: bool = False,
    reduction: str = "mean",
    grad: bool = False,
) -> Any:
    """Cross-entropy of a linear layer's scores, without the array of scores.

    Parameters
    ----------
    e : array_like
        Embeddings; the last axis is the dimension, the others are those of `targets`.
    targets : array_like
        Integers, one for each embedding; sequences run along the last axis.
    softcap : float, default None
        > 0; None for none.
    filter_eps : float or "auto", default None
        >= 0, None for 0, or "auto" for the precision's epsilon / 32: what is so small is lost to rounding anyway.
    return_lse : bool, default False
        Return log-sum-exps as well, shaped as the targets that are used: (loss, lse), or (loss, lse, gradients).

    Returns
    -------
    loss : float or ndarray
        With `grad` a pair (loss, gradients), the gradients being (grad_e, grad_c), or (grad_e, grad_c, grad_bias) with
        `bias`.

    Examples
    --------
    >>> import losskit
    >>> e, c = [[1.0, 0.5], [-0.5, 2.0]], [[0.5, 1.0], [-1.0, 0.25], [2.0, -1.0]]
    >>> loss, (grad_e, grad_c) = losskit.linear_cross_entropy(e, c, [0, 2], grad=True)
    >>> round(float(loss), 6)
    2.978989
    >>> grad_e.round(4).tolist()
    [[0.3158, -0.5264], [-0.8169, 0.9704]]
    """
    name = "linear_cross_entropy"
    dtype, e, c = as_reals(name, e, c)
    (bias,) = as_reals_like(name, dtype, bias)
    targets = as_integers(name, "targets", targets)
    if c.ndim != 2 or e.ndim == 0:
        raise fail("INVALID_SHAPE", name, f"c has shape {c.shape}, e has shape {e.shape}; they must be [V, D] and [..., D]")
    check_shape(name, "e", e, targets.shape + c.shape[1:])
    check_shape(name, "bias", bias, c.shape[:1])
    check_reduction(name, reduction)
    if filter_eps == "auto":
        filter_eps = float(np.finfo(dtype).eps) / 32
    sequences, length = targets.shape[:-1], targets.shape[-1] if targets.ndim else 1
    if isinstance(shift, (int, np.integer)) and not 0 <= shift < max(length, 1):
        raise fail("INVALID_PARAMETER", name, f"shift must be in 0 to {max(length, 1) - 1}, not {shift}")
    used = sequences + (length - shift,) if targets.ndim else ()
    loss = empty(used if reduction == "none" else (), dtype)
    lse = empty(used, dtype) if return_lse else None
    gradients = [empty(x.shape, dtype) if grad and x is not None else None for x in (e, c, bias)]
    call(
        name,
        dtype,
        e,
        c,
        targets,
        math.prod(sequences),
        length,
        c.shape[1],
        c.shape[0],
        bias,
        ignore_index,
        math.inf if softcap is None else softcap,
        shift,
        0.0 if filter_eps is None else filter_eps,
        reduction,
        None,
        loss,
        lse,
        *gradients,
    )
    results = [scalar(loss)]
    if return_lse:
        results.append(scalar(lse))
    if grad:
        results.append(tuple(gradient for gradient in gradients if gradient is not None))
    return tuple(results) if len(results) > 1 else results[0]
