"""What the wrappers of calibration kernels share: probabilities with labels, and numbers of bins."""

from __future__ import annotations

from typing import Any, Tuple

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


def bin_count(name: str, n_bins: Any) -> int:
    if isinstance(n_bins, bool) or not isinstance(n_bins, (int, np.integer)) or not 1 <= n_bins <= 1 << 24:
        raise fail("INVALID_PARAMETER", name, f"n_bins is {n_bins!r}, expected an integer from 1 to 2**24")
    return int(n_bins)
