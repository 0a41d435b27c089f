"""Conformal prediction."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from ._core import as_array, as_integers, as_reals, as_reals_like, call, check_shape, documented, empty, fail, scalar

__all__ = [
    "conformal_cqr_scores",
    "conformal_quantile",
    "conformal_scores",
    "conformal_set",
    "conformal_set_metrics",
]


@documented
def conformal_quantile(scores: Any, *, alpha: float = 0.1) -> Any:
    """Conformal quantile: the threshold that a new score stays below with probability ``1 - alpha`` at least.

    Examples
    --------
    >>> import losskit
    >>> losskit.conformal_quantile([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], alpha=0.3).item()
    0.8
    """
    name = "conformal_quantile"
    dtype, scores = as_reals(name, scores)
    quantile = np.empty((), dtype)
    call(name, dtype, scores, scores.size, alpha, quantile)
    return scalar(quantile)


def _rows(name: str, probs: Any, u: Any) -> Tuple[np.dtype, np.ndarray, Optional[np.ndarray]]:
    dtype, probs = as_reals(name, probs)
    if probs.ndim == 0:
        raise fail("INVALID_SHAPE", name, "probs has shape (), expected [N, C]")
    (u,) = as_reals_like(name, dtype, u)
    if u is not None and u.ndim == 0:
        u = np.full(probs.shape[:-1], u, dtype)
    check_shape(name, "u", u, probs.shape[:-1])
    return dtype, probs, u


@documented
def conformal_scores(
    probs: Any, y: Any, *, method: str = "lac", lam: float = 0.0, k_reg: int = 0, u: Any = None
) -> Any:
    """Conformal scores of the true classes, ``method`` ``"lac"``, ``"aps"`` or ``"raps"``.

    RAPS as in aangelopoulos/conformal_classification.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.conformal_scores(probs, [0, 1, 2, 2], method="raps", lam=0.1, k_reg=1).round(7).tolist()
    [0.7, 0.6, 1.2, 0.6]
    """
    name = "conformal_scores"
    dtype, probs, u = _rows(name, probs, u)
    y = as_integers(name, "y", y)
    check_shape(name, "y", y, probs.shape[:-1])
    scores = empty(y.shape, dtype)
    call(name, dtype, probs, y, y.size, probs.shape[-1], method, lam, k_reg, u, scores)
    return scalar(scores)


@documented
def conformal_set(
    probs: Any,
    *,
    qhat: float,
    method: str = "lac",
    lam: float = 0.0,
    k_reg: int = 0,
    u: Any = None,
    allow_empty: bool = True,
    include_last: bool = False,
) -> np.ndarray:
    """Conformal prediction sets: a mask ``[N, C]`` that is 1 for the classes whose score is at most ``qhat``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.conformal_set(probs, qhat=0.75, method="aps").tolist()
    [[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]
    """
    name = "conformal_set"
    dtype, probs, u = _rows(name, probs, u)
    mask = empty(probs.shape, np.dtype(np.uint8))
    rows = int(np.prod(probs.shape[:-1]))
    call(
        name, dtype, probs, rows, probs.shape[-1], qhat, method, lam, k_reg, u, allow_empty, include_last, mask
    )
    return mask


@documented
def conformal_cqr_scores(lower: Any, upper: Any, target: Any) -> Any:
    """Scores of conformalised quantile regression: ``max(lower - target, target - upper)``.

    Examples
    --------
    >>> import losskit
    >>> losskit.conformal_cqr_scores([0, 1], [1, 2], [0.4, 2.5]).round(7).tolist()
    [-0.4, 0.5]
    """
    name = "conformal_cqr_scores"
    dtype, lower, upper, target = as_reals(name, lower, upper, target)
    check_shape(name, "upper", upper, lower.shape)
    check_shape(name, "target", target, lower.shape)
    scores = empty(lower.shape, dtype)
    call(name, dtype, lower, upper, target, lower.size, scores)
    return scalar(scores)


@documented
def conformal_set_metrics(mask: Any, y: Any) -> Tuple[Any, Any, Any]:
    """Quality of prediction sets: ``(coverage, mean set size, smallest coverage among rows of equal set size)``.

    Examples
    --------
    >>> import losskit
    >>> mask = [[1, 0, 0], [1, 1, 0], [0, 1, 1], [0, 0, 1]]
    >>> [x.item() for x in losskit.conformal_set_metrics(mask, [0, 1, 2, 2])]
    [1.0, 1.5, 1.0]
    """
    name = "conformal_set_metrics"
    mask = as_array(mask, name)
    if mask.ndim == 0 or mask.dtype.kind not in "fiub":
        raise fail("INVALID_SHAPE", name, f"mask is {mask.dtype} of shape {mask.shape}, expected numbers [N, C]")
    y = as_integers(name, "y", y)
    check_shape(name, "y", y, mask.shape[:-1])
    members = np.ascontiguousarray(mask != 0).view(np.uint8)
    dtype = np.dtype(np.float64)
    results = tuple(np.empty((), dtype) for _ in range(3))
    call(name, dtype, members, y, y.size, mask.shape[-1], *results)
    coverage, size, stratified = map(scalar, results)
    return coverage, size, stratified
