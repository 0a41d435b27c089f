"""Non-maximum suppression in every form."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from ._box_arrays import Count, box_groups, output_limit, scored_boxes
from ._core import call, documented

__all__ = [
    "batched_nms",
    "batched_soft_nms",
    "nms",
    "soft_nms",
]


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
    dtype, boxes, scores = scored_boxes("nms", boxes, scores)
    n, kept = len(boxes), Count()
    keep = np.empty(n, np.int64)
    call("nms", dtype, boxes, scores, n, iou_threshold, keep, n, kept.address, None, 0)
    return keep[:kept].copy()


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
    dtype, boxes, scores = scored_boxes("batched_nms", boxes, scores)
    n, kept = len(boxes), Count()
    idxs = box_groups("batched_nms", idxs, n)
    keep = np.empty(n, np.int64)
    call("batched_nms", dtype, boxes, scores, idxs, n, iou_threshold, keep, n, kept.address, None, 0)
    return keep[:kept].copy()


@documented
def soft_nms(
    boxes: Any,
    scores: Any,
    *,
    method: str = "linear",
    iou_threshold: float = 0.3,
    sigma: float = 0.5,
    score_threshold: float = 0.001,
    max_output: Optional[int] = None,
    offset: float = 0.0,
) -> Tuple[np.ndarray, np.ndarray]:
    """Soft non-maximum suppression: the selected boxes and their decayed scores, in order of selection.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]]
    >>> indices, scores = losskit.soft_nms(boxes, [0.9, 0.8, 0.7, 0.6])
    >>> indices.tolist(), scores.round(5).tolist()
    ([0, 3, 1, 2], [0.9, 0.6, 0.25546, 0.02729])
    """
    dtype, boxes, scores = scored_boxes("soft_nms", boxes, scores)
    rule = (method, iou_threshold, sigma, score_threshold, output_limit(max_output), offset)
    return _select("soft_nms", dtype, len(boxes), (boxes, scores), rule)


@documented
def batched_soft_nms(
    boxes: Any,
    scores: Any,
    idxs: Any,
    *,
    method: str = "linear",
    iou_threshold: float = 0.3,
    sigma: float = 0.5,
    score_threshold: float = 0.001,
    max_output: Optional[int] = None,
    offset: float = 0.0,
) -> Tuple[np.ndarray, np.ndarray]:
    """As :func:`soft_nms`, but only boxes with equal ``idxs`` decay each other.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]]
    >>> indices, scores = losskit.batched_soft_nms(boxes, [0.9, 0.8, 0.7, 0.6], [0, 1, 0, 0])
    >>> indices.tolist(), scores.round(5).tolist()
    ([0, 1, 3, 2], [0.9, 0.8, 0.6, 0.07])
    """
    dtype, boxes, scores = scored_boxes("batched_soft_nms", boxes, scores)
    idxs = box_groups("batched_soft_nms", idxs, len(boxes))
    rule = (method, iou_threshold, sigma, score_threshold, output_limit(max_output), offset)
    return _select("batched_soft_nms", dtype, len(boxes), (boxes, scores, idxs), rule)


def _select(
    name: str, dtype: np.dtype, n: int, arrays: Tuple[np.ndarray, ...], rule: Tuple[Any, ...]
) -> Tuple[np.ndarray, np.ndarray]:
    indices, scores, selected = np.empty(n, np.int64), np.empty(n, dtype), Count()
    call(name, dtype, *arrays, n, *rule, indices, scores, n, selected.address, None, 0)
    return indices[:selected].copy(), scores[:selected].copy()
