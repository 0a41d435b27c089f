"""Boxes, suppression and decoding."""

from __future__ import annotations

import ctypes
from typing import Any, Optional, Tuple

import numpy as np

from ._core import as_integers, as_reals, call, check_shape, documented, fail

__all__ = ["batched_nms", "nms"]


def _boxes(name: str, what: str, boxes: np.ndarray) -> np.ndarray:
    """``boxes`` with the shape (n, 4); an empty list is no boxes."""
    if boxes.size == 0 and boxes.ndim == 1:
        return boxes.reshape(0, 4)
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {boxes.shape}, expected (n, 4)")
    return boxes


@documented
def nms(boxes: Any, scores: Any, *, iou_threshold: float) -> np.ndarray:
    """Indices of the boxes that greedy non-maximum suppression keeps, best first.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]]
    >>> losskit.nms(boxes, [0.9, 0.8, 0.7, 0.6], iou_threshold=0.5).tolist()
    [0, 3]
    """
    dtype, boxes, scores = as_reals("nms", boxes, scores)
    boxes = _boxes("nms", "boxes", boxes)
    n = len(boxes)
    check_shape("nms", "scores", scores, (n,))
    keep, kept = np.empty(n, np.int64), ctypes.c_ssize_t()
    call("nms", dtype, boxes, scores, n, iou_threshold, keep, n, ctypes.addressof(kept), None, 0)
    return keep[: kept.value]


@documented
def batched_nms(boxes: Any, scores: Any, idxs: Any, *, iou_threshold: float) -> np.ndarray:
    """As :func:`nms`, but only boxes with equal ``idxs`` suppress each other.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]]
    >>> losskit.batched_nms(boxes, [0.9, 0.8, 0.7, 0.6], [0, 1, 0, 0], iou_threshold=0.5).tolist()
    [0, 1, 3]
    """
    dtype, boxes, scores = as_reals("batched_nms", boxes, scores)
    boxes = _boxes("batched_nms", "boxes", boxes)
    n = len(boxes)
    check_shape("batched_nms", "scores", scores, (n,))
    idxs = as_integers("batched_nms", "idxs", idxs)
    check_shape("batched_nms", "idxs", idxs, (n,))
    keep, kept = np.empty(n, np.int64), ctypes.c_ssize_t()
    call("batched_nms", dtype, boxes, scores, idxs, n, iou_threshold, keep, n, ctypes.addressof(kept), None, 0)
    return keep[: kept.value]
