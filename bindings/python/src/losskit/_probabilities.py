"""What the wrappers of calibration kernels share: probabilities with labels, and numbers of bins."""

from __future__ import annotations

import math
from typing import Any, Optional, Tuple

import numpy as np

from ._core import as_integers, as_reals, check_shape, fail


def labelled_probabilities(name: str, probs: Any, y: Any) -> Tuple[np.dtype, np.ndarray, np.ndarray, int]:
    """Probabilities, labels, and the number of classes as C takes it: 0 for the binary view ``probs[N]``."""
    dtype, probs = as_reals(name, probs)
    y = as_integers(name, "y", y)
    if probs.ndim == 0:
        raise fail("INVALID_SHAPE", name, "probs has shape (), expected [N] or [N, C]")
    if probs.ndim == 1:
        check_shape(name, "y", y, probs.shape)
        return dtype, probs, y, 0
    check_shape(name, "y", y, probs.shape[:-1])
    if probs.shape[-1] == 0:
        raise fail("INVALID_SHAPE", name, "probs has no classes")
    return dtype, probs, y, probs.shape[-1]


def bin_count(name: str, n: Any, what: str = "n_bins") -> int:
    if isinstance(n, bool) or not isinstance(n, (int, np.integer)) or not 1 <= n <= 1 << 24:
        raise fail("INVALID_PARAMETER", name, f"{what} is {n!r}, expected an integer from 1 to 2**24")
    return int(n)


def optional_width(name: str, what: str, width: Optional[float]) -> float:
    """A width > 0 as C takes it: NaN for None, which lets the data decide."""
    if width is None:
        return math.nan
    if not isinstance(width, (int, float, np.integer, np.floating)) or not 0 < width < math.inf:
        raise fail("INVALID_PARAMETER", name, f"{what} is {width!r}, expected None or a number > 0")
    return float(width)
