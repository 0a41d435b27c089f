"""What the wrappers of the detection kernels share: the shapes of boxes, scores and counts."""

from __future__ import annotations

import ctypes
import sys
from typing import Any, Optional, Tuple

import numpy as np

from ._core import as_integers, as_reals, check_shape, fail


def box_rows(name: str, what: str, x: np.ndarray, width: int = 4) -> np.ndarray:
    """``x`` with the shape (n, width); an empty list is no rows."""
    if x.size == 0 and x.ndim == 1:
        return x.reshape(0, width)
    if x.ndim != 2 or x.shape[1] != width:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {x.shape}, expected (n, {width})")
    return x


def clip_size(height: Optional[float], width: Optional[float]) -> Tuple[bool, float, float]:
    if height is None or width is None:
        return False, 0.0, 0.0
    return True, height, width


class Count:
    """The number of results that the library reports."""

    def __init__(self) -> None:
        self._value = ctypes.c_ssize_t()
        self.address = ctypes.addressof(self._value)

    def __index__(self) -> int:
        return self._value.value


def scored_boxes(name: str, boxes: Any, scores: Any) -> Tuple[np.dtype, np.ndarray, np.ndarray]:
    dtype, boxes, scores = as_reals(name, boxes, scores)
    boxes = box_rows(name, "boxes", boxes)
    check_shape(name, "scores", scores, (len(boxes),))
    return dtype, boxes, scores


def box_groups(name: str, idxs: Any, n: int) -> np.ndarray:
    idxs = as_integers(name, "idxs", idxs)
    check_shape(name, "idxs", idxs, (n,))
    return idxs


def output_limit(maximum: Optional[int]) -> int:
    return sys.maxsize if maximum is None else min(maximum, sys.maxsize)
