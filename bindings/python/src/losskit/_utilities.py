"""Classification utilities and scores."""

from __future__ import annotations

import math
from typing import Any

from ._core import as_reals, call, check_shape, documented, empty, fail, rows_of

__all__ = ["filter_normalize", "relative_signal_strength"]


@documented
def filter_normalize(direction: Any, weight: Any, *, mode: str = "filter", eps: float = 1e-10) -> Any:
    """Scales a random direction in weight space as the weights are scaled, for plots of loss landscapes.

    Parameters
    ----------
    direction : array_like
        One filter for each entry of the first axis; the other axes are flattened.

    Examples
    --------
    >>> import losskit
    >>> losskit.filter_normalize([[3, 4], [1, 0]], [[0, 2], [0.6, 0.8]]).round(6).tolist()
    [[1.2, 1.6], [1.0, 0.0]]
    """
    name = "filter_normalize"
    dtype, direction, weight = as_reals(name, direction, weight)
    if direction.ndim == 0:
        raise fail("INVALID_SHAPE", name, "a scalar has no filters")
    check_shape(name, "weight", weight, direction.shape)
    out = empty(direction.shape, dtype)
    call(name, dtype, direction, weight, direction.shape[0], math.prod(direction.shape[1:]), mode, eps, out)
    return out


@documented
def relative_signal_strength(p_clean: Any, p_noisy: Any, *, axis: int = -1) -> Any:
    """How much of the advantage of the true class in clean posteriors is left in those of noisy labels.

    Examples
    --------
    >>> import losskit
    >>> p_clean, p_noisy = [[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]], [[0.5, 0.3, 0.2], [0.3, 0.4, 0.3]]
    >>> losskit.relative_signal_strength(p_clean, p_noisy).round(6).tolist()
    [0.4, 0.0]
    """
    name = "relative_signal_strength"
    dtype, p_clean, p_noisy = as_reals(name, p_clean, p_noisy)
    check_shape(name, "p_noisy", p_noisy, p_clean.shape)
    rows = rows_of(name, p_clean, axis)
    strength = empty(rows.shape, dtype)
    call(name, dtype, p_clean, p_noisy, *rows[:3], strength)
    return strength
