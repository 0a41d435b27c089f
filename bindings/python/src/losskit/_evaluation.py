"""Evaluation of detections."""

from __future__ import annotations

from typing import Any, Optional, Sequence, Tuple

import numpy as np

from ._box_arrays import Count, box_rows
from ._core import (
    LossKitError,
    as_array,
    as_integers,
    as_reals,
    as_reals_like,
    call,
    check_shape,
    documented,
    fail,
    scalar,
)

__all__ = ["CocoEvaluator", "coco_eval", "detection_average_precision"]

_FLOAT64 = np.dtype(np.float64)
_METHODS = {"area": "area", "11point": "eleven_point", "101point": "hundred_one_point"}
_MAX_DETS = (1, 10, 100)
_AREA_RANGES = ((0, 1e10), (0, 1024), (1024, 9216), (9216, 1e10))


@documented
def detection_average_precision(scores: Any, matched: Any, *, n_gt: int, method: str = "area") -> Any:
    """Average precision of detections of which it is known whether they are true.

    Parameters
    ----------
    method : {'area', '11point', '101point'}, default 'area'
        The area under the precision-recall curve, or the mean of its precision at 11 or 101 recalls.

    Examples
    --------
    >>> import losskit
    >>> scores, matched = [0.9, 0.8, 0.7, 0.6], [True, False, True, False]
    >>> losskit.detection_average_precision(scores, matched, n_gt=3).round(7).item()
    0.5555556
    >>> losskit.detection_average_precision(scores, matched, n_gt=3, method="11point").round(7).item()
    0.5454545
    """
    name = "detection_average_precision"
    dtype, scores = as_reals(name, scores)
    if scores.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"scores has shape {scores.shape}, expected (n,)")
    matched = _flags(name, "matched", matched)
    check_shape(name, "matched", matched, scores.shape)
    if method not in _METHODS:
        raise fail("INVALID_PARAMETER", name, f"method must be one of {', '.join(map(repr, _METHODS))}, not {method!r}")
    value = np.empty((), dtype)
    call(name, dtype, scores, matched, scores.size, n_gt, _METHODS[method], value)
    return scalar(value)


@documented
def coco_eval(
    det_boxes: Any,
    det_scores: Any,
    det_labels: Any,
    det_images: Any,
    gt_boxes: Any,
    gt_labels: Any,
    gt_images: Any,
    *,
    num_classes: int,
    gt_crowd: Any = None,
    gt_area: Any = None,
    iou_thresholds: Optional[Sequence[float]] = None,
    max_dets: Sequence[int] = _MAX_DETS,
    area_ranges: Sequence[Sequence[float]] = _AREA_RANGES,
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """COCO's evaluation of detections: ``(stats, precision[T, R, K, A, M], recall[T, K, A, M])``.

    Parameters
    ----------
    iou_thresholds : sequence of numbers, optional
        By default 0.5, 0.55, ..., 0.95.
    max_dets : sequence of int, default (1, 10, 100)
        How many detections of an image and class count, >= 0.
    area_ranges : sequence of pairs, default ((0, 1e10), (0, 1024), (1024, 9216), (9216, 1e10))
        Least and greatest areas: all, small, medium and large objects.

    Returns
    -------
    stats : ndarray
        By default COCO's twelve: AP, AP50, AP75, AP of small, medium and large objects; AR with 1, 10 and 100
        detections, AR of small, medium and large objects.
    precision : ndarray
        By threshold, recall (0, 0.01, ..., 1), class, range of areas and limit.
    recall : ndarray
        By threshold, class, range of areas and limit.

    See Also
    --------
    CocoEvaluator : the same for images that come in batches.

    Examples
    --------
    >>> import losskit
    >>> stats, precision, recall = losskit.coco_eval(
    ...     [[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]], [0.9, 0.8, 0.7], [0, 0, 0], [0, 0, 0],
    ...     [[0, 0, 10, 10], [50, 50, 60, 61]], [0, 0], [0, 0], num_classes=1)
    >>> stats.round(7).tolist()
    [0.8019802, 0.8349835, 0.8349835, 0.8019802, -1.0, -1.0, 0.5, 0.95, 0.95, 0.95, -1.0, -1.0]
    >>> precision.shape, recall.shape
    ((10, 101, 1, 4, 3), (10, 1, 4, 3))
    """
    name = "coco_eval"
    dtype, images = _images(
        name, det_boxes, det_scores, det_labels, det_images, gt_boxes, gt_labels, gt_images, gt_crowd, gt_area
    )
    criteria = _Criteria(name, num_classes, iou_thresholds, max_dets, area_ranges)
    results = criteria.results(name)
    call(name, dtype, *images, *criteria.arguments, results[0], len(results[0]), *results[1:])
    return results


class CocoEvaluator:
    """:func:`coco_eval` of images that come in batches, or that several workers see.

    Images are matched when they are added; what is kept is some 40 bytes for each detection. All detections and ground
    truths of an image belong into one update. Updates, and parts that are merged, have in any order the same result as
    all images at once.

    Parameters
    ----------
    num_classes, iou_thresholds, max_dets, area_ranges
        As in :func:`coco_eval`.

    Examples
    --------
    >>> import losskit
    >>> first, second = losskit.CocoEvaluator(1), losskit.CocoEvaluator(1)
    >>> _ = first.update([[0, 0, 10, 10]], [0.9], [0], [1], [[0, 0, 10, 9]], [0], [1])
    >>> _ = second.update([[5, 5, 9, 9]], [0.8], [0], [2], [[0, 0, 10, 10]], [0], [2])
    >>> stats, precision, recall = first.merge(second).result()
    >>> stats[:3].round(7).tolist()
    [0.4544554, 0.5049505, 0.5049505]
    """

    def __init__(
        self,
        num_classes: int,
        *,
        iou_thresholds: Optional[Sequence[float]] = None,
        max_dets: Sequence[int] = _MAX_DETS,
        area_ranges: Sequence[Sequence[float]] = _AREA_RANGES,
    ):
        name = "coco_accumulator_init"
        self._criteria = _Criteria(name, num_classes, iou_thresholds, max_dets, area_ranges)
        size = Count()
        call("coco_accumulator_size", None, *self._criteria.shape, 0, size.address)
        self._state, self._used = np.zeros(size, np.uint8), int(size.__index__())
        call(name, None, self._state, self._used, *self._criteria.arguments)

    def update(
        self,
        det_boxes: Any,
        det_scores: Any,
        det_labels: Any,
        det_images: Any,
        gt_boxes: Any,
        gt_labels: Any,
        gt_images: Any,
        *,
        gt_crowd: Any = None,
        gt_area: Any = None,
    ) -> CocoEvaluator:
        """Adds images: the arguments are those of :func:`coco_eval`."""
        name = "coco_accumulator_update"
        dtype, images = _images(
            name, det_boxes, det_scores, det_labels, det_images, gt_boxes, gt_labels, gt_images, gt_crowd, gt_area
        )
        self._extend(name, dtype, images)
        return self

    def merge(self, other: CocoEvaluator) -> CocoEvaluator:
        """Adds all images that another evaluator of the same parameters holds."""
        self._extend("coco_accumulator_merge", None, (other._state.copy(), other._state.size))
        return self

    def _extend(self, name: str, dtype: Optional[np.dtype], arguments: Tuple[Any, ...]) -> None:
        """Calls what adds to the state, in a larger block of memory if need be."""
        used = Count()
        try:
            call(name, dtype, self._state, self._state.size, used.address, *arguments)
        except LossKitError as error:
            if error.status != "BUFFER_TOO_SMALL":
                raise
            state = np.zeros(max(used.__index__(), self._state.size // 2 * 3), np.uint8)
            state[: self._used] = self._state[: self._used]
            self._state = state
            call(name, dtype, state, state.size, used.address, *arguments)
        self._used = used.__index__()

    def result(self) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``(stats, precision, recall)`` of all images so far, as :func:`coco_eval` returns them."""
        name = "coco_accumulator_result"
        results = self._criteria.results(name)
        call(name, None, self._state, self._used, results[0], len(results[0]), *results[1:])
        return results

    def to_bytes(self) -> bytes:
        """The state as bytes, the same on every machine."""
        return self._state[: self._used].tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> CocoEvaluator:
        """The evaluator that ``to_bytes`` was called on."""
        name = "coco_accumulator_check"
        state = np.frombuffer(data, np.uint8).copy()
        used, classes, thresholds, limits, ranges, detections = (Count() for _ in range(6))
        counts = (used, classes, thresholds, limits, ranges, detections)
        call(name, None, state, state.size, *(count.address for count in counts))
        if used.__index__() != state.size:
            raise fail("INVALID_VALUE", name, f"{state.size} bytes, not {used.__index__()}")
        t, a, m = thresholds.__index__(), ranges.__index__(), limits.__index__()
        reals = state[48 : 48 + 8 * (t + 2 * a)].view("<f8")
        integers = state[48 + 8 * (t + 2 * a) :][: 8 * m].view("<i8")
        result = cls(
            classes.__index__(),
            iou_thresholds=reals[:t].tolist(),
            max_dets=integers.tolist(),
            area_ranges=reals[t:].reshape(a, 2).tolist(),
        )
        result._state, result._used = state, state.size
        return result

    def __len__(self) -> int:
        """The number of detections it holds."""
        count = Count()
        call("coco_accumulator_check", None, self._state, self._used, None, None, None, None, None, count.address)
        return count.__index__()

    def __getstate__(self) -> bytes:
        return self.to_bytes()

    def __setstate__(self, data: bytes) -> None:
        self.__dict__.update(type(self).from_bytes(data).__dict__)

    def __repr__(self) -> str:
        return f"CocoEvaluator({self._criteria.shape[0]})  # {len(self)} detections"


class _Criteria:
    """Under what detections are judged, as the library takes it."""

    def __init__(self, name: str, num_classes: int, iou_thresholds: Any, max_dets: Any, area_ranges: Any):
        if iou_thresholds is None:
            iou_thresholds = np.linspace(0.5, 0.95, 10)
        thresholds, ranges = as_reals_like(name, _FLOAT64, iou_thresholds, area_ranges)
        limits = as_integers(name, "max_dets", max_dets)
        for what, x in ("iou_thresholds", thresholds), ("max_dets", limits):
            if x.ndim != 1:
                raise fail("INVALID_SHAPE", name, f"{what} has shape {x.shape}, expected (n,)")
        ranges = box_rows(name, "area_ranges", ranges, 2)
        self.shape = num_classes, len(thresholds), len(limits), len(ranges)
        self.arguments = num_classes, thresholds, len(thresholds), limits, len(limits), ranges, len(ranges)

    def results(self, name: str) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Arrays for the statistics, precision and recall."""
        k, t, m, a = self.shape
        if not isinstance(k, (int, np.integer)) or k < 0:
            raise fail("INVALID_SHAPE", name, f"num_classes must be an integer >= 0, not {k!r}")
        return np.empty(1 + 2 * a + m), np.empty((t, 101, k, a, m)), np.empty((t, k, a, m))


def _images(name: str, det_boxes: Any, det_scores: Any, det_labels: Any, det_images: Any, *truths: Any) -> Any:
    """The precision, and detections and ground truths as the library takes them."""
    gt_boxes, gt_labels, gt_images, gt_crowd, gt_area = truths
    dtype, det_boxes, det_scores, gt_boxes, gt_area = as_reals(name, det_boxes, det_scores, gt_boxes, gt_area)
    det_boxes, gt_boxes = box_rows(name, "det_boxes", det_boxes), box_rows(name, "gt_boxes", gt_boxes)
    det_labels, det_images = as_integers(name, "det_labels", det_labels), as_integers(name, "det_images", det_images)
    gt_labels, gt_images = as_integers(name, "gt_labels", gt_labels), as_integers(name, "gt_images", gt_images)
    gt_crowd = None if gt_crowd is None else _flags(name, "gt_crowd", gt_crowd)
    n, m = len(det_boxes), len(gt_boxes)
    for what, x in ("det_scores", det_scores), ("det_labels", det_labels), ("det_images", det_images):
        check_shape(name, what, x, (n,))
    for what, x in ("gt_labels", gt_labels), ("gt_images", gt_images), ("gt_crowd", gt_crowd), ("gt_area", gt_area):
        check_shape(name, what, x, (m,))
    detections = (det_boxes, det_scores, det_labels, det_images, n)
    return dtype, (*detections, gt_boxes, gt_labels, gt_images, gt_crowd, gt_area, m)


def _flags(name: str, what: str, x: Any) -> np.ndarray:
    """Truth values as bytes."""
    x = as_array(x, name)
    if x.dtype.kind not in "biuf":
        raise fail("INVALID_VALUE", name, f"{what} must be boolean, not {x.dtype}")
    return np.ascontiguousarray(x, bool).view(np.uint8)
