"""Proper scores, selective prediction, regression intervals."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import as_reals, call, check_shape, documented, scalar
from ._probabilities import labelled_probabilities

__all__ = [
    "brier_score",
    "log_loss",
]


def _loss(name: str, probs: Any, y: Any, parameter: Any, sample_weight: Any, reduction: str, grad: bool) -> Any:
    _, probs, sample_weight = as_reals(name, probs, sample_weight)
    dtype, probs, y, classes = labelled_probabilities(name, probs, y)
    check_shape(name, "sample_weight", sample_weight, y.shape)
    loss = np.empty(y.shape if reduction == "none" else (), dtype)
    gradient = np.empty_like(probs) if grad else None
    call(name, dtype, probs, y, y.size, classes, parameter, sample_weight, reduction, loss, gradient)
    return (scalar(loss), gradient) if grad else scalar(loss)


@documented
def brier_score(
    probs: Any,
    y: Any,
    *,
    scale_by_half: bool = False,
    sample_weight: Any = None,
    reduction: str = "mean",
    grad: bool = False,
) -> Any:
    """Brier score, ``probs[N]`` (binary) or ``[N, C]``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.brier_score(probs, [0, 1, 2, 2]).round(7).item()
    0.405
    """
    return _loss("brier_score", probs, y, bool(scale_by_half), sample_weight, reduction, grad)


@documented
def log_loss(
    probs: Any, y: Any, *, eps: float = 1e-12, sample_weight: Any = None, reduction: str = "mean", grad: bool = False
) -> Any:
    """Log loss of probabilities, ``probs[N]`` (binary) or ``[N, C]``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.log_loss(probs, [0, 1, 2, 2]).round(7).item()
    0.746941
    """
    return _loss("log_loss", probs, y, eps, sample_weight, reduction, grad)
