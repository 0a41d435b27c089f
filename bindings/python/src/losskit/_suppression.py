"""Non-maximum suppression in every form."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from ._box_arrays import Count, box_groups, output_limit, scored_boxes
from ._core import as_reals, call, check_shape, documented, empty, fail

__all__ = [
    "batched_nms",
    "batched_soft_nms",
    "cluster_nms",
    "cluster_nms_spm",
    "cv_nms_boxes",
    "cv_soft_nms_boxes",
    "diou_nms",
    "fast_nms",
    "matrix_nms",
    "nms",
    "onnx_non_max_suppression",
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
    return _keep("nms", dtype, len(boxes), (boxes, scores), (iou_threshold,))


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
    idxs = box_groups("batched_nms", idxs, len(boxes))
    return _keep("batched_nms", dtype, len(boxes), (boxes, scores, idxs), (iou_threshold,))


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


@documented
def diou_nms(
    boxes: Any, scores: Any, *, iou_threshold: float = 0.5, beta: float = 1.0, eps: float = 1e-7
) -> np.ndarray:
    """As :func:`nms`, but IoU is lowered by the distance of the centres.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]]
    >>> losskit.diou_nms(boxes, [0.9, 0.8, 0.7, 0.6]).tolist()
    [0, 3]
    """
    dtype, boxes, scores = scored_boxes("diou_nms", boxes, scores)
    return _keep("diou_nms", dtype, len(boxes), (boxes, scores), (iou_threshold, beta, eps))


@documented
def onnx_non_max_suppression(
    boxes: Any,
    scores: Any,
    *,
    max_output_boxes_per_class: int = 0,
    iou_threshold: float = 0.0,
    score_threshold: Optional[float] = None,
    center_point_box: int = 0,
) -> np.ndarray:
    """ONNX's NonMaxSuppression: rows of batch, class and box.

    Parameters
    ----------
    score_threshold
        None: all boxes are candidates.
    center_point_box
        0: opposite corners; 1: centre and size.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]]]
    >>> scores = [[[0.9, 0.8, 0.7, 0.6]]]
    >>> losskit.onnx_non_max_suppression(boxes, scores, max_output_boxes_per_class=3, iou_threshold=0.5).tolist()
    [[0, 0, 0], [0, 0, 3]]
    """
    name = "onnx_non_max_suppression"
    dtype, boxes, scores = as_reals(name, boxes, scores)
    if boxes.ndim != 3 or boxes.shape[2] != 4:
        raise fail("INVALID_SHAPE", name, f"boxes has shape {boxes.shape}, expected (batches, n, 4)")
    if scores.ndim != 3:
        raise fail("INVALID_SHAPE", name, f"scores has shape {scores.shape}, expected (batches, classes, n)")
    if center_point_box not in (0, 1):
        raise fail("INVALID_PARAMETER", name, f"center_point_box must be 0 or 1, not {center_point_box!r}")
    batches, n, _ = boxes.shape
    classes = scores.shape[1]
    check_shape(name, "scores", scores, (batches, classes, n))
    most = output_limit(max_output_boxes_per_class)
    capacity, count = batches * classes * max(0, min(n, most)), Count()
    selected = empty((capacity, 3), np.dtype(np.int64))
    rule = (most, iou_threshold, score_threshold is not None, score_threshold or 0.0, bool(center_point_box))
    call(name, dtype, boxes, scores, batches, classes, n, *rule, selected, capacity, count.address, None, 0)
    return _first(selected, count)


@documented
def cv_nms_boxes(
    bboxes: Any, scores: Any, *, score_threshold: float, nms_threshold: float, eta: float = 1.0, top_k: int = 0
) -> np.ndarray:
    """OpenCV's NMSBoxes: the indices of the boxes (x, y, width, height) that are kept, best first.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 5, 5]]
    >>> losskit.cv_nms_boxes(boxes, [0.9, 0.8, 0.7], score_threshold=0.1, nms_threshold=0.3).tolist()
    [0, 2]
    """
    dtype, bboxes, scores = scored_boxes("cv_nms_boxes", bboxes, scores)
    rule = (score_threshold, nms_threshold, eta, output_limit(top_k))
    return _keep("cv_nms_boxes", dtype, len(bboxes), (bboxes, scores), rule)


@documented
def cv_soft_nms_boxes(
    bboxes: Any,
    scores: Any,
    *,
    score_threshold: float,
    nms_threshold: float,
    top_k: int = 0,
    sigma: float = 0.5,
    method: str = "gaussian",
) -> Tuple[np.ndarray, np.ndarray]:
    """OpenCV's softNMSBoxes: the decayed scores and the boxes (x, y, width, height) they belong to, best first.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 5, 5]]
    >>> scores, indices = losskit.cv_soft_nms_boxes(boxes, [0.9, 0.8, 0.7], score_threshold=0.1, nms_threshold=0.3)
    >>> scores.round(5).tolist(), indices.tolist()
    ([0.9, 0.7, 0.31671], [0, 2, 1])
    """
    dtype, bboxes, scores = scored_boxes("cv_soft_nms_boxes", bboxes, scores)
    n, selected = len(bboxes), Count()
    indices, updated = np.empty(n, np.int64), np.empty(n, dtype)
    rule = (score_threshold, nms_threshold, output_limit(top_k), sigma, method)
    call("cv_soft_nms_boxes", dtype, bboxes, scores, n, *rule, updated, indices, n, selected.address, None, 0)
    return _first(updated, selected), _first(indices, selected)


@documented
def matrix_nms(
    iou: Any, scores: Any, labels: Any = None, *, kernel: str = "gaussian", sigma: float = 2.0
) -> np.ndarray:
    """Matrix NMS of boxes or masks whose overlaps are given: the decayed scores.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]]
    >>> losskit.matrix_nms(losskit.box_iou(boxes, boxes), [0.9, 0.8, 0.7, 0.6]).round(5).tolist()
    [0.9, 0.31671, 0.13853, 0.6]
    """
    dtype, iou, scores = as_reals("matrix_nms", iou, scores)
    n = len(scores) if scores.ndim == 1 else -1
    check_shape("matrix_nms", "scores", scores, (n,))
    check_shape("matrix_nms", "iou", iou.reshape(0, 0) if iou.size == 0 and n == 0 else iou, (n, n))
    labels = None if labels is None else box_groups("matrix_nms", labels, n)
    new_scores = np.empty(n, dtype)
    call("matrix_nms", dtype, iou, scores, labels, n, kernel, sigma, new_scores, None, 0)
    return new_scores


@documented
def fast_nms(boxes: Any, scores: Any, *, iou_threshold: float = 0.5, top_k: int = 200) -> np.ndarray:
    """Indices of the boxes that Fast NMS keeps, best first: boxes that are not kept suppress as well.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]]
    >>> losskit.fast_nms(boxes, [0.9, 0.8, 0.7, 0.6]).tolist()
    [0, 3]
    """
    dtype, boxes, scores = scored_boxes("fast_nms", boxes, scores)
    return _keep("fast_nms", dtype, len(boxes), (boxes, scores), (iou_threshold, output_limit(top_k)))


@documented
def cluster_nms(
    boxes: Any,
    scores: Any,
    *,
    iou_threshold: float = 0.5,
    top_k: int = 200,
    metric: str = "iou",
    beta: float = 0.9,
    max_iter: int = 200,
    eps: float = 1e-7,
) -> np.ndarray:
    """Indices of the boxes that Cluster-NMS keeps, best first.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]]
    >>> losskit.cluster_nms(boxes, [0.9, 0.8, 0.7, 0.6], metric="diou").tolist()
    [0, 3]
    """
    dtype, boxes, scores = scored_boxes("cluster_nms", boxes, scores)
    rule = (iou_threshold, output_limit(top_k), metric, beta, output_limit(max_iter), eps)
    return _keep("cluster_nms", dtype, len(boxes), (boxes, scores), rule)


@documented
def cluster_nms_spm(
    boxes: Any,
    scores: Any,
    *,
    iou_threshold: float = 0.5,
    top_k: int = 200,
    sigma: float = 0.2,
    distance: bool = False,
    weighted: bool = False,
    beta: float = 0.6,
    merge_iou: float = 0.8,
    min_score: float = 0.01,
    max_iter: int = 200,
    eps: float = 1e-7,
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Cluster-NMS with a score penalty: boxes, their lowered scores, and which boxes they were.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]]
    >>> boxes, scores, indices = losskit.cluster_nms_spm(boxes, [0.9, 0.8, 0.7, 0.6])
    >>> scores.round(5).tolist(), indices.tolist()
    ([0.9, 0.07889, 0.0122, 0.6], [0, 1, 2, 3])
    """
    name = "cluster_nms_spm"
    dtype, boxes, scores = scored_boxes(name, boxes, scores)
    n, selected = len(boxes), Count()
    most = output_limit(top_k)
    room = max(0, min(n, most))
    new_boxes, new_scores, indices = np.empty((room, 4), dtype), np.empty(room, dtype), np.empty(room, np.int64)
    rule = (iou_threshold, most, sigma, distance, weighted, beta, merge_iou, min_score, output_limit(max_iter), eps)
    outputs = (new_boxes, new_scores, indices, room, selected.address)
    call(name, dtype, boxes, scores, n, *rule, *outputs, None, 0)
    return _first(new_boxes, selected), _first(new_scores, selected), _first(indices, selected)


def _keep(
    name: str, dtype: np.dtype, n: int, arrays: Tuple[np.ndarray, ...], rule: Tuple[Any, ...]
) -> np.ndarray:
    keep, kept = np.empty(n, np.int64), Count()
    call(name, dtype, *arrays, n, *rule, keep, n, kept.address, None, 0)
    return _first(keep, kept)


def _select(
    name: str, dtype: np.dtype, n: int, arrays: Tuple[np.ndarray, ...], rule: Tuple[Any, ...]
) -> Tuple[np.ndarray, np.ndarray]:
    indices, scores, selected = np.empty(n, np.int64), np.empty(n, dtype), Count()
    call(name, dtype, *arrays, n, *rule, indices, scores, n, selected.address, None, 0)
    return _first(indices, selected), _first(scores, selected)


def _first(array: np.ndarray, count: Count) -> np.ndarray:
    """The first results: a copy only where the array would keep much more memory than they need."""
    head = array[:count]
    return head if 2 * len(head) >= len(array) else head.copy()
