"""Encoding and decoding of boxes, and everything after the head of a detector."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

import numpy as np

from ._box_arrays import Count, box_rows, clip_size, output_limit
from ._core import as_array, as_integers, as_reals, as_reals_like, call, check_shape, documented, fail

__all__ = [
    "box_to_distance",
    "decode_boxes",
    "decode_boxes_vjp",
    "decode_yolo",
    "decode_yolo_vjp",
    "detection_postprocess",
    "dfl_decode",
    "dfl_decode_vjp",
    "distance_to_box",
    "distance_to_box_vjp",
    "encode_boxes",
    "fcos_postprocess",
    "gfl_postprocess",
    "grid_points",
    "retinanet_postprocess",
    "ssd_postprocess",
    "yolo_postprocess",
]


@documented
def decode_boxes(
    deltas: Any,
    anchors: Any,
    *,
    weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
    clip: float = 4.135166556742356,
) -> np.ndarray:
    """Boxes from the offsets that a regression head predicts for its anchors.

    Parameters
    ----------
    weights : sequence of four numbers, default (1.0, 1.0, 1.0, 1.0)
        wx, wy, ww, wh, > 0; R-CNN heads have 10, 10, 5, 5.

    Examples
    --------
    >>> import losskit
    >>> losskit.decode_boxes([[0.1, 0, 0.2, -1]], [[0, 0, 10, 20]]).round(5).tolist()
    [[-0.10701, 6.32121, 12.10701, 13.67879]]
    """
    dtype, deltas, anchors = as_reals("decode_boxes", deltas, anchors)
    deltas = box_rows("decode_boxes", "deltas", deltas)
    check_shape("decode_boxes", "anchors", box_rows("decode_boxes", "anchors", anchors), deltas.shape)
    boxes = np.empty_like(deltas)
    call("decode_boxes", dtype, deltas, anchors, len(deltas), *_four("decode_boxes", weights), clip, boxes)
    return boxes


@documented
def decode_boxes_vjp(
    deltas: Any,
    anchors: Any,
    grad_output: Any,
    *,
    weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
    clip: float = 4.135166556742356,
) -> np.ndarray:
    """Vector-Jacobian product of :func:`decode_boxes` with respect to ``deltas``.

    Parameters
    ----------
    weights : sequence of four numbers, default (1.0, 1.0, 1.0, 1.0)
        wx, wy, ww, wh, > 0; R-CNN heads have 10, 10, 5, 5.

    Examples
    --------
    >>> import losskit
    >>> losskit.decode_boxes_vjp([[0.1, 0, 0.2, -1]], [[0, 0, 10, 20]], [[1, 0, 0, 0]]).round(5).tolist()
    [[10.0, 0.0, -6.10701, 0.0]]
    """
    name = "decode_boxes_vjp"
    dtype, deltas, anchors, grad_output = as_reals(name, deltas, anchors, grad_output)
    deltas = box_rows(name, "deltas", deltas)
    check_shape(name, "anchors", box_rows(name, "anchors", anchors), deltas.shape)
    check_shape(name, "grad_output", box_rows(name, "grad_output", grad_output), deltas.shape)
    grad = np.empty_like(deltas)
    call(name, dtype, deltas, anchors, grad_output, len(deltas), *_four(name, weights), clip, grad)
    return grad


@documented
def encode_boxes(boxes: Any, anchors: Any, *, weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0)) -> np.ndarray:
    """The offsets from anchors that :func:`decode_boxes` turns into the boxes.

    Parameters
    ----------
    weights : sequence of four numbers, default (1.0, 1.0, 1.0, 1.0)
        wx, wy, ww, wh, > 0; R-CNN heads have 10, 10, 5, 5.

    Examples
    --------
    >>> import losskit
    >>> losskit.encode_boxes([[0, 0, 20, 20]], [[0, 0, 10, 20]]).round(5).tolist()
    [[0.5, 0.0, 0.69315, 0.0]]
    """
    dtype, boxes, anchors = as_reals("encode_boxes", boxes, anchors)
    boxes = box_rows("encode_boxes", "boxes", boxes)
    check_shape("encode_boxes", "anchors", box_rows("encode_boxes", "anchors", anchors), boxes.shape)
    deltas = np.empty_like(boxes)
    call("encode_boxes", dtype, boxes, anchors, len(boxes), *_four("encode_boxes", weights), deltas)
    return deltas


def _four(name: str, weights: Sequence[float]) -> Sequence[float]:
    if len(weights) != 4:
        raise fail("INVALID_PARAMETER", name, "weights are four numbers")
    return weights


@documented
def distance_to_box(
    points: Any, distances: Any, *, height: Optional[float] = None, width: Optional[float] = None
) -> np.ndarray:
    """Boxes from the distances of a point to the four sides, clipped to the image if its size is given.

    Examples
    --------
    >>> import losskit
    >>> losskit.distance_to_box([[5, 5]], [[1, 2, 3, 4]]).tolist()
    [[4.0, 3.0, 8.0, 9.0]]
    """
    dtype, points, distances = as_reals("distance_to_box", points, distances)
    distances = box_rows("distance_to_box", "distances", distances)
    points = box_rows("distance_to_box", "points", points, 2)
    check_shape("distance_to_box", "points", points, (len(distances), 2))
    boxes = np.empty_like(distances)
    call("distance_to_box", dtype, points, distances, len(distances), *clip_size(height, width), boxes)
    return boxes


@documented
def distance_to_box_vjp(
    points: Any,
    distances: Any,
    grad_output: Any,
    *,
    height: Optional[float] = None,
    width: Optional[float] = None,
) -> np.ndarray:
    """Vector-Jacobian product of :func:`distance_to_box` with respect to ``distances``.

    Examples
    --------
    >>> import losskit
    >>> losskit.distance_to_box_vjp([[5, 5]], [[2, 3, 4, 6]], [[1, 2, 3, 4]]).tolist()
    [[-1.0, -2.0, 3.0, 4.0]]
    """
    name = "distance_to_box_vjp"
    dtype, points, distances, grad_output = as_reals(name, points, distances, grad_output)
    distances = box_rows(name, "distances", distances)
    points = box_rows(name, "points", points, 2)
    check_shape(name, "points", points, (len(distances), 2))
    check_shape(name, "grad_output", box_rows(name, "grad_output", grad_output), distances.shape)
    grad = np.empty_like(distances)
    call(name, dtype, points, distances, grad_output, len(distances), *clip_size(height, width), grad)
    return grad


@documented
def box_to_distance(points: Any, boxes: Any, *, max_distance: Optional[float] = None, eps: float = 0.1) -> np.ndarray:
    """Distances of a point to the four sides of a box, clamped to [0, max_distance - eps] if that is given.

    Examples
    --------
    >>> import losskit
    >>> losskit.box_to_distance([[5, 5]], [[4, 3, 8, 9]]).tolist()
    [[1.0, 2.0, 3.0, 4.0]]
    """
    dtype, points, boxes = as_reals("box_to_distance", points, boxes)
    boxes = box_rows("box_to_distance", "boxes", boxes)
    points = box_rows("box_to_distance", "points", points, 2)
    check_shape("box_to_distance", "points", points, (len(boxes), 2))
    distances = np.empty_like(boxes)
    limit = (False, 0.0) if max_distance is None else (True, max_distance)
    call("box_to_distance", dtype, points, boxes, len(boxes), *limit, eps, distances)
    return distances


@documented
def decode_yolo(pred: Any, grid: Any, stride: Any, anchors: Any = None, *, version: str = "v5") -> np.ndarray:
    """Boxes from the raw outputs of a YOLO head.

    Parameters
    ----------
    stride : array_like
        Pixels per cell, > 0: one for each prediction, or one for all.

    Examples
    --------
    >>> import losskit
    >>> losskit.decode_yolo([[0.2, -0.3, 0.1, 0.4]], [[3, 5]], 8, [[10, 13]]).round(4).tolist()
    [[23.2853, 33.4898, 34.3094, 52.128]]
    """
    dtype, pred, *cells = _yolo_cells("decode_yolo", pred, grid, stride, anchors)
    boxes = np.empty_like(pred)
    call("decode_yolo", dtype, pred, *cells, len(pred), version, boxes)
    return boxes


@documented
def decode_yolo_vjp(
    pred: Any, grid: Any, stride: Any, anchors: Any, grad_output: Any, *, version: str = "v5"
) -> np.ndarray:
    """Vector-Jacobian product of :func:`decode_yolo` with respect to ``pred``.

    Parameters
    ----------
    stride : array_like
        Pixels per cell, > 0: one for each prediction, or one for all.

    Examples
    --------
    >>> import losskit
    >>> losskit.decode_yolo_vjp([[0, 0, 0, 0]], [[3, 5]], 8, [[10, 13]], [[1, 2, 3, 4]]).tolist()
    [[16.0, 24.0, 10.0, 13.0]]
    """
    dtype, pred, *cells = _yolo_cells("decode_yolo_vjp", pred, grid, stride, anchors)
    (grad_output,) = as_reals_like("decode_yolo_vjp", dtype, grad_output)
    check_shape("decode_yolo_vjp", "grad_output", box_rows("decode_yolo_vjp", "grad_output", grad_output), pred.shape)
    grad = np.empty_like(pred)
    call("decode_yolo_vjp", dtype, pred, *cells, grad_output, len(pred), version, grad)
    return grad


def _yolo_cells(name: str, pred: Any, grid: Any, stride: Any, anchors: Any) -> Tuple[Any, ...]:
    """Predictions decide the precision: cells and strides often come as integers."""
    dtype, pred = as_reals(name, pred)
    pred = box_rows(name, "pred", pred)
    grid, stride, anchors = as_reals_like(name, dtype, grid, stride, anchors)
    grid = box_rows(name, "grid", grid, 2)
    check_shape(name, "grid", grid, (len(pred), 2))
    if stride.ndim == 0:
        stride = np.full(len(pred), stride, dtype)
    check_shape(name, "stride", stride, (len(pred),))
    if anchors is not None:
        anchors = box_rows(name, "anchors", anchors, 2)
        check_shape(name, "anchors", anchors, (len(pred), 2))
    return dtype, pred, grid, stride, anchors


@documented
def dfl_decode(logits: Any, *, reg_max: int = 16) -> np.ndarray:
    """Distances to the four sides from the distributions that a distribution-focal-loss head predicts.

    Examples
    --------
    >>> import losskit
    >>> logits = [[0, 1, 2, 0, 0, 0, 2, 1, 0, 5, 0, 0]]
    >>> losskit.dfl_decode(logits, reg_max=2).round(5).tolist()
    [[1.57521, 1.0, 0.42479, 0.01995]]
    """
    dtype, logits = as_reals("dfl_decode", logits)
    logits = _bins("dfl_decode", logits, reg_max)
    distances = np.empty((len(logits), 4), dtype)
    call("dfl_decode", dtype, logits, len(logits), reg_max, distances)
    return distances


@documented
def dfl_decode_vjp(logits: Any, grad_output: Any, *, reg_max: int = 16) -> np.ndarray:
    """Vector-Jacobian product of :func:`dfl_decode`.

    Examples
    --------
    >>> import losskit
    >>> logits = [[0, 0, 0, 0, 0, 0, 0, 0]]
    >>> losskit.dfl_decode_vjp(logits, [[1, 2, 3, 4]], reg_max=1).tolist()
    [[-0.25, 0.25, -0.5, 0.5, -0.75, 0.75, -1.0, 1.0]]
    """
    dtype, logits, grad_output = as_reals("dfl_decode_vjp", logits, grad_output)
    logits = _bins("dfl_decode_vjp", logits, reg_max)
    grad_output = box_rows("dfl_decode_vjp", "grad_output", grad_output)
    check_shape("dfl_decode_vjp", "grad_output", grad_output, (len(logits), 4))
    grad = np.empty_like(logits)
    call("dfl_decode_vjp", dtype, logits, grad_output, len(logits), reg_max, grad)
    return grad


def _bins(name: str, logits: np.ndarray, reg_max: int) -> np.ndarray:
    if not 0 <= reg_max < 2**40:
        raise fail("INVALID_PARAMETER", name, f"reg_max is {reg_max}")
    return box_rows(name, "logits", logits, 4 * (reg_max + 1))


@documented
def detection_postprocess(
    logits: Any,
    boxes: Any,
    objectness: Any = None,
    *,
    activation: str = "sigmoid",
    objectness_mode: str = "product",
    score_threshold: float = 0.05,
    pre_nms_top_k: int = 1000,
    nms: str = "hard",
    iou_threshold: float = 0.5,
    sigma: float = 0.5,
    soft_score_threshold: float = 0.001,
    class_agnostic: bool = False,
    multi_label: bool = True,
    background_index: Optional[int] = None,
    max_detections: int = 300,
    image_size: Optional[Tuple[float, float]] = None,
    min_size: float = 0.0,
) -> Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Detections from a model's raw outputs, as ``(boxes, scores, labels, anchor_indices)``.

    ``logits`` has the shape (anchors, classes); ``image_size`` is (height, width).

    Parameters
    ----------
    nms : {'hard', 'soft_linear', 'soft_gaussian', 'none'}, default 'hard'
        How overlapping detections suppress each other.
    image_size : tuple (height, width), optional
        The image that boxes are clipped to; without it they are not.

    Examples
    --------
    >>> import losskit
    >>> logits = [[2, -3], [1.5, 0], [-4, 1]]
    >>> boxes = [[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]]
    >>> _, scores, labels, anchors = losskit.detection_postprocess(logits, boxes)
    >>> scores.round(4).tolist(), labels.tolist(), anchors.tolist()
    ([0.8808, 0.7311, 0.5], [0, 1, 1], [0, 2, 1])
    """
    name = "detection_postprocess"
    dtype, logits, boxes, objectness = as_reals(name, logits, boxes, objectness)
    anchors, classes = _scores_shape(name, logits)
    check_shape(name, "boxes", box_rows(name, "boxes", boxes), (anchors, 4))
    check_shape(name, "objectness", objectness, (anchors,))
    return _detect(
        name, dtype, logits.size, (logits, boxes, objectness, anchors, classes, activation, objectness_mode),
        score_threshold, pre_nms_top_k, nms, iou_threshold, sigma, soft_score_threshold, class_agnostic, multi_label,
        max_detections, image_size, min_size, background=(_background(name, background_index),),
    )  # fmt: skip


Detections = Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def _scores_shape(name: str, logits: np.ndarray) -> Tuple[int, int]:
    if logits.ndim != 2:
        raise fail("INVALID_SHAPE", name, f"logits has shape {logits.shape}, expected (anchors, classes)")
    return logits.shape


def _background(name: str, index: Optional[int]) -> int:
    if index is not None and index < 0:
        raise fail("INVALID_PARAMETER", name, f"background_index is {index}")
    return -1 if index is None else index


def _detect(
    name: str, dtype: np.dtype, most: int, inputs: Tuple[Any, ...], score_threshold: float, pre_nms_top_k: int,
    nms: str, iou_threshold: float, sigma: float, soft_score_threshold: float, class_agnostic: bool, multi_label: bool,
    max_detections: int, image_size: Optional[Tuple[float, float]], min_size: float, *,
    background: Tuple[int, ...] = (),
) -> Detections:  # fmt: skip
    """Calls a chain of post-processing; there are at most ``most`` scores."""
    size = (None, None) if image_size is None else image_size
    capacity = max(min(max_detections, most), 0)
    found = Count()
    outputs = (
        np.empty((capacity, 4), dtype),
        np.empty(capacity, dtype),
        np.empty(capacity, np.int64),
        np.empty(capacity, np.int64),
    )
    call(
        name, dtype, *inputs, score_threshold, output_limit(pre_nms_top_k), nms, iou_threshold, sigma,
        soft_score_threshold, class_agnostic, multi_label, *background, output_limit(max_detections), *clip_size(*size),
        min_size, *outputs, capacity, found.address, None, 0,
    )  # fmt: skip
    return tuple(output[:found].copy() for output in outputs)  # type: ignore[return-value]


def _joined(name: str, *outputs: Any) -> Tuple[Any, ...]:
    """Outputs of a head as one array each, and how many anchors each level has if they came as lists of levels."""
    sizes = None
    joined = []
    for output in outputs:
        if isinstance(output, (list, tuple)) and output and getattr(output[0], "ndim", 0) > 1:
            output = [as_array(level, name) for level in output]
            sizes = [len(level) for level in output]
            try:
                output = np.concatenate(output)
            except ValueError as error:
                raise fail("INVALID_SHAPE", name, str(error)) from error
        joined.append(output)
    return (*joined, sizes)


def _level_sizes(name: str, given: Any, found: Any) -> Tuple[Optional[np.ndarray], int]:
    sizes = found if given is None else given
    if sizes is None:
        return None, 0
    sizes = as_integers(name, "level_sizes", sizes)
    if sizes.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"level_sizes has shape {sizes.shape}, expected (levels,)")
    return sizes, len(sizes)


@documented
def retinanet_postprocess(
    logits: Any,
    deltas: Any,
    anchors: Any,
    *,
    level_sizes: Any = None,
    activation: str = "sigmoid",
    weights: Sequence[float] = (1.0, 1.0, 1.0, 1.0),
    clip: float = 4.135166556742356,
    score_threshold: float = 0.05,
    pre_nms_top_k: int = 1000,
    nms: str = "hard",
    iou_threshold: float = 0.5,
    sigma: float = 0.5,
    soft_score_threshold: float = 0.001,
    class_agnostic: bool = False,
    multi_label: bool = True,
    max_detections: int = 300,
    image_size: Optional[Tuple[float, float]] = None,
    min_size: float = 0.0,
) -> Detections:
    """Detections from the raw outputs of a RetinaNet-style head, as ``(boxes, scores, labels, anchor_indices)``.

    Parameters
    ----------
    anchors : array_like
        Boxes of the shape (anchors, 4): x1, y1, x2, y2.
    level_sizes : array_like, optional
        How many anchors each feature level has. Without it all are one level; but a head's outputs may also be given as
        lists of the levels' arrays.
    weights : sequence of four numbers, default (1.0, 1.0, 1.0, 1.0)
        wx, wy, ww, wh, > 0.
    nms : {'hard', 'soft_linear', 'soft_gaussian', 'none'}, default 'hard'
        How overlapping detections suppress each other.
    image_size : tuple (height, width), optional
        The image that boxes are clipped to; without it they are not.

    Examples
    --------
    >>> import losskit
    >>> logits, deltas = [[2.0, -3.0], [1.5, 0.0]], [[0.1, 0, 0, 0], [0, 0, 0, 0]]
    >>> anchors = [[0, 0, 10, 10], [20, 20, 30, 30]]
    >>> boxes, scores, labels, _ = losskit.retinanet_postprocess(logits, deltas, anchors)
    >>> boxes.tolist(), labels.tolist()
    ([[1.0, 0.0, 11.0, 10.0], [20.0, 20.0, 30.0, 30.0], [20.0, 20.0, 30.0, 30.0]], [0, 0, 1])
    """
    name = "retinanet_postprocess"
    logits, deltas, sizes = _joined(name, logits, deltas)
    dtype, logits, deltas, anchors = as_reals(name, logits, deltas, anchors)
    count, classes = _scores_shape(name, logits)
    check_shape(name, "deltas", box_rows(name, "deltas", deltas), (count, 4))
    check_shape(name, "anchors", box_rows(name, "anchors", anchors), (count, 4))
    return _detect(
        name, dtype, logits.size,
        (logits, deltas, anchors, count, classes, *_level_sizes(name, level_sizes, sizes), activation,
         *_four(name, weights), clip),
        score_threshold, pre_nms_top_k, nms, iou_threshold, sigma, soft_score_threshold, class_agnostic, multi_label,
        max_detections, image_size, min_size,
    )  # fmt: skip


@documented
def ssd_postprocess(
    logits: Any,
    deltas: Any,
    anchors: Any,
    *,
    weights: Sequence[float] = (10.0, 10.0, 5.0, 5.0),
    clip: float = 4.135166556742356,
    score_threshold: float = 0.01,
    pre_nms_top_k: int = 400,
    nms: str = "hard",
    iou_threshold: float = 0.45,
    sigma: float = 0.5,
    soft_score_threshold: float = 0.001,
    class_agnostic: bool = False,
    multi_label: bool = True,
    background_index: Optional[int] = 0,
    max_detections: int = 200,
    image_size: Optional[Tuple[float, float]] = None,
    min_size: float = 0.0,
) -> Detections:
    """Detections from the raw outputs of an SSD-style head, as ``(boxes, scores, labels, anchor_indices)``.

    Parameters
    ----------
    logits : array_like
        The shape is (anchors, classes); this and `deltas` may also be lists of the feature levels' arrays.
    anchors : array_like
        Boxes of the shape (anchors, 4): x1, y1, x2, y2.
    weights : sequence of four numbers, default (10.0, 10.0, 5.0, 5.0)
        wx, wy, ww, wh, > 0.
    nms : {'hard', 'soft_linear', 'soft_gaussian', 'none'}, default 'hard'
        How overlapping detections suppress each other.
    image_size : tuple (height, width), optional
        The image that boxes are clipped to; without it they are not.

    Examples
    --------
    >>> import losskit
    >>> logits, deltas = [[0.0, 2.0, -3.0], [5.0, 0.0, 0.0]], [[1, 0, 0, 0], [0, 0, 0, 0]]
    >>> anchors = [[0, 0, 10, 10], [20, 20, 30, 30]]
    >>> boxes, scores, labels, _ = losskit.ssd_postprocess(logits, deltas, anchors)
    >>> boxes.tolist(), scores.round(4).tolist(), labels.tolist()
    ([[1.0, 0.0, 11.0, 10.0]], [0.8756], [1])
    """
    name = "ssd_postprocess"
    logits, deltas, _ = _joined(name, logits, deltas)
    dtype, logits, deltas, anchors = as_reals(name, logits, deltas, anchors)
    count, classes = _scores_shape(name, logits)
    check_shape(name, "deltas", box_rows(name, "deltas", deltas), (count, 4))
    check_shape(name, "anchors", box_rows(name, "anchors", anchors), (count, 4))
    return _detect(
        name, dtype, logits.size, (logits, deltas, anchors, count, classes, *_four(name, weights), clip),
        score_threshold, pre_nms_top_k, nms, iou_threshold, sigma, soft_score_threshold, class_agnostic, multi_label,
        max_detections, image_size, min_size, background=(_background(name, background_index),),
    )  # fmt: skip


@documented
def fcos_postprocess(
    logits: Any,
    distances: Any,
    centerness: Any,
    points: Any,
    strides: Any,
    *,
    level_sizes: Any = None,
    score_threshold: float = 0.2,
    pre_nms_top_k: int = 1000,
    nms: str = "hard",
    iou_threshold: float = 0.6,
    sigma: float = 0.5,
    soft_score_threshold: float = 0.001,
    class_agnostic: bool = False,
    multi_label: bool = True,
    max_detections: int = 100,
    image_size: Optional[Tuple[float, float]] = None,
    min_size: float = 0.0,
) -> Detections:
    """Detections from the raw outputs of an FCOS-style head, as ``(boxes, scores, labels, anchor_indices)``.

    Parameters
    ----------
    centerness : array_like or None
        Logits of the shape (anchors,); None: the scores are those of the classes alone.
    level_sizes : array_like, optional
        How many anchors each feature level has. Without it all are one level; but a head's outputs may also be given as
        lists of the levels' arrays.
    nms : {'hard', 'soft_linear', 'soft_gaussian', 'none'}, default 'hard'
        How overlapping detections suppress each other.
    image_size : tuple (height, width), optional
        The image that boxes are clipped to; without it they are not.

    Examples
    --------
    >>> import losskit
    >>> logits, distances = [[2.0, -3.0], [1.5, 0.0]], [[1, 1, 2, 2], [1, 1, 1, 1]]
    >>> points, strides = losskit.grid_points([(1, 2)], [8])
    >>> boxes, scores, labels, _ = losskit.fcos_postprocess(logits, distances, [0.0, 3.0], points, strides)
    >>> boxes.tolist(), scores.round(4).tolist(), labels.tolist()
    ([[4.0, -4.0, 20.0, 12.0], [4.0, -4.0, 20.0, 12.0], [-4.0, -4.0, 20.0, 20.0]], [0.8825, 0.6901, 0.6636], [0, 1, 0])
    """
    name = "fcos_postprocess"
    logits, distances, centerness, sizes = _joined(name, logits, distances, centerness)
    dtype, logits, distances, centerness, points, strides = as_reals(
        name, logits, distances, centerness, points, strides
    )
    count, classes = _scores_shape(name, logits)
    if centerness is not None and centerness.shape == (count, 1):
        centerness = centerness.reshape(count)
    check_shape(name, "distances", box_rows(name, "distances", distances), (count, 4))
    check_shape(name, "centerness", centerness, (count,))
    _check_points(name, points, strides, count)
    return _detect(
        name, dtype, logits.size,
        (logits, distances, centerness, points, strides, count, classes, *_level_sizes(name, level_sizes, sizes)),
        score_threshold, pre_nms_top_k, nms, iou_threshold, sigma, soft_score_threshold, class_agnostic, multi_label,
        max_detections, image_size, min_size,
    )  # fmt: skip


def _check_points(name: str, points: np.ndarray, strides: np.ndarray, count: int, what: str = "points") -> None:
    check_shape(name, what, box_rows(name, what, points, 2), (count, 2))
    check_shape(name, "strides", strides, (count,))


@documented
def gfl_postprocess(
    logits: Any,
    distributions: Any,
    points: Any,
    strides: Any,
    *,
    reg_max: int = 16,
    level_sizes: Any = None,
    activation: str = "sigmoid",
    score_threshold: float = 0.05,
    pre_nms_top_k: int = 1000,
    nms: str = "hard",
    iou_threshold: float = 0.6,
    sigma: float = 0.5,
    soft_score_threshold: float = 0.001,
    class_agnostic: bool = False,
    multi_label: bool = True,
    max_detections: int = 100,
    image_size: Optional[Tuple[float, float]] = None,
    min_size: float = 0.0,
) -> Detections:
    """Detections from the raw outputs of a GFL- or PicoDet-style head, as ``(boxes, scores, labels, anchor_indices)``.

    Parameters
    ----------
    level_sizes : array_like, optional
        How many anchors each feature level has. Without it all are one level; but a head's outputs may also be given as
        lists of the levels' arrays.
    nms : {'hard', 'soft_linear', 'soft_gaussian', 'none'}, default 'hard'
        How overlapping detections suppress each other.
    image_size : tuple (height, width), optional
        The image that boxes are clipped to; without it they are not.

    Examples
    --------
    >>> import losskit
    >>> logits, distributions = [[2.0, -3.0]], [[0, 9, 0, 0, 9, 0, 0, 0, 9, 0, 0, 9]]
    >>> points, strides = losskit.grid_points([(1, 1)], [8])
    >>> boxes, _, _, _ = losskit.gfl_postprocess(logits, distributions, points, strides, reg_max=2)
    >>> boxes.round(2).tolist()
    [[-4.0, -4.0, 20.0, 20.0]]
    """
    name = "gfl_postprocess"
    logits, distributions, sizes = _joined(name, logits, distributions)
    dtype, logits, distributions, points, strides = as_reals(name, logits, distributions, points, strides)
    count, classes = _scores_shape(name, logits)
    distributions = _bins(name, distributions, reg_max)
    check_shape(name, "distributions", distributions, (count, 4 * (reg_max + 1)))
    _check_points(name, points, strides, count)
    return _detect(
        name, dtype, logits.size,
        (logits, distributions, points, strides, count, classes, reg_max, *_level_sizes(name, level_sizes, sizes),
         activation),
        score_threshold, pre_nms_top_k, nms, iou_threshold, sigma, soft_score_threshold, class_agnostic, multi_label,
        max_detections, image_size, min_size,
    )  # fmt: skip


@documented
def yolo_postprocess(
    pred: Any,
    grid: Any,
    strides: Any,
    anchors: Any = None,
    *,
    version: str = "v5",
    reg_max: int = 15,
    channels_first: bool = False,
    activation: str = "sigmoid",
    score_threshold: float = 0.25,
    pre_nms_top_k: int = 1000,
    nms: str = "hard",
    iou_threshold: float = 0.45,
    sigma: float = 0.5,
    soft_score_threshold: float = 0.001,
    class_agnostic: bool = False,
    multi_label: bool = True,
    max_detections: int = 300,
    image_size: Optional[Tuple[float, float]] = None,
    min_size: float = 0.0,
) -> Detections:
    """Detections from the raw outputs of a YOLO head, as ``(boxes, scores, labels, anchor_indices)``.

    Parameters
    ----------
    pred : array_like
        The shape is (anchors, channels). Channels: tx, ty, tw, th, objectness, classes; for v8 the bins of the
        four sides, then the classes.
    anchors : array_like, optional
        Widths and heights in pixels, for v3 and v5.
    version : {'v3', 'v5', 'v7', 'v8', 'x'}, default 'v5'
        How boxes are stated; v7 is as v5, and later versions are as v8.
    channels_first : bool, default False
        Whether ``pred`` has the shape (channels, anchors).
    nms : {'hard', 'soft_linear', 'soft_gaussian', 'none'}, default 'hard'
        How overlapping detections suppress each other.
    image_size : tuple (height, width), optional
        The image that boxes are clipped to; without it they are not.

    Examples
    --------
    >>> import losskit
    >>> pred = [[0.2, -0.3, 0.1, 0.4, 3.0, 2.0, -3.0]]
    >>> boxes, scores, labels, _ = losskit.yolo_postprocess(pred, [[3, 5]], [8], [[10, 13]])
    >>> boxes.round(5).tolist(), scores.round(4).tolist(), labels.tolist()
    ([[23.28528, 33.48982, 34.30941, 52.12802]], [0.839], [0])
    """
    name = "yolo_postprocess"
    dtype, pred, grid, strides, anchors = as_reals(name, pred, grid, strides, anchors)
    if pred.ndim != 2:
        raise fail("INVALID_SHAPE", name, f"pred has shape {pred.shape}, expected two dimensions")
    count, channels = pred.shape[::-1] if channels_first else pred.shape
    _check_points(name, grid, strides, count, "grid")
    if anchors is not None:
        check_shape(name, "anchors", box_rows(name, "anchors", anchors, 2), (count, 2))
    return _detect(
        name, dtype, pred.size,
        (pred, grid, strides, anchors, count, channels, "v5" if version == "v7" else version, reg_max, channels_first,
         activation),
        score_threshold, pre_nms_top_k, nms, iou_threshold, sigma, soft_score_threshold, class_agnostic, multi_label,
        max_detections, image_size, min_size,
    )  # fmt: skip


@documented
def grid_points(
    shapes: Any, strides: Any, *, offset: float = 0.5, in_pixels: bool = True, dtype: Any = np.float32
) -> Tuple[np.ndarray, np.ndarray]:
    """The points of a grid head's anchors, level after level and row after row, and their strides.

    Parameters
    ----------
    shapes : sequence of (rows, columns)
        The grid of each level.
    strides : sequence of numbers
        The stride of each level.
    dtype : dtype, default float32
        float32 or float64.

    Examples
    --------
    >>> import losskit
    >>> points, strides = losskit.grid_points([(1, 2), (1, 1)], [8, 16])
    >>> points.tolist(), strides.tolist()
    ([[4.0, 4.0], [12.0, 4.0], [8.0, 8.0]], [8.0, 8.0, 16.0])
    """
    name = "grid_points"
    dtype = np.dtype(dtype)
    if dtype not in (np.float32, np.float64):
        raise fail("INVALID_PARAMETER", name, f"dtype is {dtype}")
    shapes = box_rows(name, "shapes", as_integers(name, "shapes", shapes), 2)
    (strides,) = as_reals_like(name, dtype, strides)
    check_shape(name, "strides", strides, (len(shapes),))
    rows, columns = (np.ascontiguousarray(shapes[:, i]) for i in (0, 1))
    if (shapes < 0).any():
        raise fail("INVALID_SHAPE", name, f"shapes are {shapes.tolist()}")
    total = int(sum(int(r) * int(c) for r, c in zip(rows, columns)))
    points, all_strides, count = np.empty((total, 2), dtype), np.empty(total, dtype), Count()
    call(
        name, dtype, rows, columns, strides, len(shapes), offset, in_pixels, points, all_strides, total, count.address
    )  # fmt: skip
    return points, all_strides
