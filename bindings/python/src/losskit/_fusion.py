"""Fusion of several models' boxes."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from ._box_arrays import Count, scored_boxes
from ._core import as_integers, as_reals_like, call, check_shape, documented

__all__ = ["non_maximum_weighted", "weighted_boxes_fusion"]


@documented
def weighted_boxes_fusion(
    boxes: Any,
    scores: Any,
    labels: Any,
    models: Any,
    *,
    weights: Any = None,
    n_models: Optional[int] = None,
    iou_threshold: float = 0.55,
    skip_box_threshold: float = 0.0,
    conf_type: str = "avg",
    allows_overflow: bool = False,
    normalized: bool = True,
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weighted boxes fusion: ``(boxes, scores, labels)`` of several models made one, best first.

    Parameters
    ----------
    n_models : int, optional
        Number of models; by default as many as ``models`` or ``weights`` show.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0.1, 0.1, 0.5, 0.5], [0.12, 0.1, 0.5, 0.52], [0.6, 0.6, 0.9, 0.9]]
    >>> fused, scores, labels = losskit.weighted_boxes_fusion(boxes, [0.9, 0.6, 0.5], [0, 0, 0], [0, 1, 1])
    >>> fused.round(7).tolist(), scores.round(7).tolist(), labels.tolist()
    ([[0.108, 0.1, 0.5, 0.508], [0.6, 0.6, 0.9, 0.9]], [0.75, 0.25], [0, 0])
    """
    parameters = (iou_threshold, skip_box_threshold, conf_type, allows_overflow, normalized)
    return _fuse("weighted_boxes_fusion", boxes, scores, labels, models, weights, n_models, parameters)


@documented
def non_maximum_weighted(
    boxes: Any,
    scores: Any,
    labels: Any,
    models: Any,
    *,
    weights: Any = None,
    n_models: Optional[int] = None,
    iou_threshold: float = 0.55,
    skip_box_threshold: float = 0.0,
    normalized: bool = True,
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Non-maximum weighted: ``(boxes, scores, labels)`` of several models made one around the best, best first.

    Parameters
    ----------
    n_models : int, optional
        Number of models; by default as many as ``models`` or ``weights`` show.

    Examples
    --------
    >>> import losskit
    >>> boxes = [[0.1, 0.1, 0.5, 0.5], [0.12, 0.1, 0.5, 0.52], [0.6, 0.6, 0.9, 0.9]]
    >>> fused, scores, labels = losskit.non_maximum_weighted(boxes, [0.9, 0.6, 0.5], [0, 0, 0], [0, 1, 1])
    >>> fused.round(7).tolist(), scores.round(7).tolist(), labels.tolist()
    ([[0.1075359, 0.1, 0.5, 0.5075359], [0.6, 0.6, 0.9, 0.9]], [0.9, 0.5], [0, 0])
    """
    parameters = (iou_threshold, skip_box_threshold, normalized)
    return _fuse("non_maximum_weighted", boxes, scores, labels, models, weights, n_models, parameters)


def _fuse(
    name: str,
    boxes: Any,
    scores: Any,
    labels: Any,
    models: Any,
    weights: Any,
    n_models: Optional[int],
    parameters: Tuple[Any, ...],
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    dtype, boxes, scores = scored_boxes(name, boxes, scores)
    labels, models = as_integers(name, "labels", labels), as_integers(name, "models", models)
    n = len(boxes)
    check_shape(name, "labels", labels, (n,))
    check_shape(name, "models", models, (n,))
    (weights,) = as_reals_like(name, np.dtype(np.float64), weights)
    if n_models is None:
        n_models = max(int(models.max(initial=-1)) + 1, 0)
        if weights is not None and weights.ndim == 1:
            n_models = max(n_models, len(weights))
    check_shape(name, "weights", weights, (n_models,))
    fused, values, kinds = np.empty((n, 4), dtype), np.empty(n, dtype), np.empty(n, np.int64)
    count = Count()
    arrays = (boxes, scores, labels, models, n, weights, n_models)
    call(name, dtype, *arrays, *parameters, fused, values, kinds, n, count.address, None, 0)
    return fused[:count].copy(), values[:count].copy(), kinds[:count].copy()
