"""Confidence, out-of-distribution and open-set scores."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from ._core import as_integers, as_reals, as_reals_like, call, check_shape, documented, empty, fail, rows_of, scalar

__all__ = [
    "costarr_fit",
    "costarr_score",
    "energy_score",
    "energy_weight",
    "entropy_score",
    "generalized_entropy",
    "joint_energy",
    "knn_ood_score",
    "loki_predict",
    "loki_scores",
    "mahalanobis_fit",
    "mahalanobis_score",
    "margin_score",
    "max_logit_score",
    "msp_score",
    "pec_score",
    "relative_mahalanobis_score",
    "sdm_class_thresholds",
    "sdm_distance_quantile",
    "sdm_dkw_error",
    "sdm_rescaled_similarity",
    "sdm_similarity",
    "simplex_open_set_score",
    "simplex_vertices",
]

_INT64 = np.dtype(np.int64)
_FLOAT64 = np.dtype(np.float64)


def _row_score(name: str, logits: Any, *parameters: Any, grad: bool, axis: int) -> Any:
    """A score of each row of logits, and its gradient."""
    dtype, logits = as_reals(name, logits)
    rows = rows_of(name, logits, axis)
    score, gradient = empty(rows.shape, dtype), empty(logits.shape, dtype) if grad else None
    call(name, dtype, logits, *rows[:3], *parameters, score, gradient)
    return (scalar(score), gradient) if grad else scalar(score)


def _matrix(name: str, what: str, x: np.ndarray) -> Tuple[int, int]:
    """The shape of an array that must have two axes."""
    if x.ndim != 2:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {x.shape}, but must have two axes")
    return x.shape[0], x.shape[1]


def _vector(name: str, what: str, x: np.ndarray) -> int:
    """The length of an array that must have one axis."""
    if x.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {x.shape}, but must have one axis")
    return x.shape[0]


# --- Scores of logits ------------------------------------------------------------------------------------------------


@documented
def msp_score(logits: Any, *, grad: bool = False, axis: int = -1) -> Any:
    """Maximum softmax probability of each row: high where the input is like those of the training.

    Examples
    --------
    >>> import losskit
    >>> losskit.msp_score([[2, 1, 0], [0, 3, 1]]).round(6).tolist()
    [0.665241, 0.843795]
    """
    return _row_score("msp_score", logits, grad=grad, axis=axis)


@documented
def max_logit_score(logits: Any, *, grad: bool = False, axis: int = -1) -> Any:
    """Largest logit of each row: high where the input is like those of the training.

    Examples
    --------
    >>> import losskit
    >>> score, grad = losskit.max_logit_score([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0]], grad=True)
    >>> score.tolist(), grad.tolist()
    ([2.0, 3.0], [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    """
    return _row_score("max_logit_score", logits, grad=grad, axis=axis)


@documented
def margin_score(logits: Any, *, grad: bool = False, axis: int = -1) -> Any:
    """The largest probability of each row less the next: high where the prediction is certain.

    Examples
    --------
    >>> import losskit
    >>> losskit.margin_score([[2, 1, 0], [0, 3, 1]]).round(5).tolist()
    [0.42051, 0.7296]
    """
    return _row_score("margin_score", logits, grad=grad, axis=axis)


@documented
def entropy_score(logits: Any, *, normalize: bool = False, grad: bool = False, axis: int = -1) -> Any:
    """Entropy of the softmax of each row: high where the prediction is uncertain.

    Examples
    --------
    >>> import losskit
    >>> losskit.entropy_score([[2, 1, 0], [0, 3, 1]]).round(6).tolist()
    [0.832396, 0.524267]
    """
    return _row_score("entropy_score", logits, normalize, grad=grad, axis=axis)


@documented
def energy_score(logits: Any, *, temperature: float = 1.0, grad: bool = False, axis: int = -1) -> Any:
    """Free energy of each row: low where the input is like those of the training.

    Examples
    --------
    >>> import losskit
    >>> losskit.energy_score([[2, 1, 0], [0, 3, 1]]).round(6).tolist()
    [-2.407606, -3.169846]
    """
    return _row_score("energy_score", logits, temperature, grad=grad, axis=axis)


@documented
def joint_energy(logits: Any, y: Any, *, grad: bool = False, axis: int = -1) -> Any:
    """Joint energy of each row and its label: cross-entropy is this less the free energy.

    Examples
    --------
    >>> import losskit
    >>> losskit.joint_energy([[2.0, 1.0, 0.0], [0.0, 3.0, 1.0]], [0, 2]).tolist()
    [-2.0, -1.0]
    """
    name = "joint_energy"
    dtype, logits = as_reals(name, logits)
    rows = rows_of(name, logits, axis)
    y = as_integers(name, "y", y)
    check_shape(name, "y", y, rows.shape)
    score, gradient = empty(rows.shape, dtype), empty(logits.shape, dtype) if grad else None
    call(name, dtype, logits, y, *rows[:3], score, gradient)
    return (scalar(score), gradient) if grad else scalar(score)


@documented
def energy_weight(logits: Any, *, grad: bool = False, axis: int = -1) -> Any:
    """Weight of each row as a sample of a loss: large where the energy is close to 0.

    Examples
    --------
    >>> import losskit
    >>> losskit.energy_weight([[2, 1, 0], [0, 3, 1]]).round(6).tolist()
    [0.400993, 0.31143]
    """
    return _row_score("energy_weight", logits, grad=grad, axis=axis)


@documented
def generalized_entropy(
    logits: Any, *, gamma: float = 0.1, m: int = 100, grad: bool = False, axis: int = -1
) -> Any:
    """Generalized entropy of each row, negated: high where the prediction is certain.

    Examples
    --------
    >>> import losskit
    >>> losskit.generalized_entropy([[2, 1, 0], [0, 3, 1]]).round(6).tolist()
    [-2.483843, -2.337033]
    """
    return _row_score("generalized_entropy", logits, gamma, m, grad=grad, axis=axis)


# --- Scores of features ----------------------------------------------------------------------------------------------


@documented
def mahalanobis_fit(x: Any, y: Any, *, num_classes: int) -> Tuple[Any, Any]:
    """Means of the classes and the precision matrix around them: ``(means, precision)``.

    Parameters
    ----------
    num_classes : int
        How many classes there are, at least 1.

    Examples
    --------
    >>> import losskit
    >>> means, precision = losskit.mahalanobis_fit([[1, 0], [1.2, 0.2], [0, 1], [0.1, 1.4]], [0, 0, 1, 1], num_classes=2)
    >>> means.round(6).tolist(), precision.round(4).tolist()
    ([[1.1, 0.1], [0.05, 1.2]], [[444.4444, -177.7778], [-177.7778, 111.1111]])
    """
    name = "mahalanobis_fit"
    dtype, x = as_reals(name, x)
    count, dimensions = _matrix(name, "x", x)
    y = as_integers(name, "y", y)
    check_shape(name, "y", y, (count,))
    classes = _classes(name, num_classes, dimensions)
    means, precision = empty((classes, dimensions), dtype), empty((dimensions, dimensions), dtype)
    call(name, dtype, x, y, count, dimensions, num_classes, means, precision)
    return means, precision


def _classes(name: str, num_classes: Any, width: int = 1) -> int:
    """A number of classes that an array of so many entries each can have; the library refuses less than 1."""
    try:
        classes = max(0, num_classes.__index__())
    except AttributeError:
        raise fail("INVALID_PARAMETER", name, f"num_classes must be an integer, not {num_classes!r}") from None
    if classes * max(1, width) > np.iinfo(np.int64).max // 16:
        raise fail("INVALID_SHAPE", name, f"{classes} classes are too many")
    return int(classes)


@documented
def mahalanobis_score(x: Any, means: Any, precision: Any, *, scale: float = 1.0, grad: bool = False) -> Any:
    """Confidence by the Mahalanobis distance to the nearest class.

    Examples
    --------
    >>> import losskit
    >>> losskit.mahalanobis_score([[1, 0], [0, 1]], [[1.1, 0.1], [0.05, 1.2]], [[2, 0.5], [0.5, 1]]).round(6).tolist()
    [-0.04, -0.055]
    """
    name = "mahalanobis_score"
    dtype, x, means, precision = as_reals(name, x, means, precision)
    (count, dimensions), (classes, _) = _matrix(name, "x", x), _matrix(name, "means", means)
    check_shape(name, "means", means, (classes, dimensions))
    check_shape(name, "precision", precision, (dimensions, dimensions))
    score, gradient = empty((count,), dtype), empty(x.shape, dtype) if grad else None
    call(name, dtype, x, means, precision, count, dimensions, classes, scale, score, gradient)
    return (score, gradient) if grad else score


@documented
def relative_mahalanobis_score(
    x: Any, means: Any, precision: Any, mean0: Any, precision0: Any, *, grad: bool = False
) -> Any:
    """The Mahalanobis score less that of all classes together.

    Examples
    --------
    >>> import losskit
    >>> means, precision = [[1.1, 0.1], [0.05, 1.2]], [[2, 0.5], [0.5, 1]]
    >>> losskit.relative_mahalanobis_score([[1, 0]], means, precision, [0.5, 0.5], [[1, 0], [0, 1]]).round(6).tolist()
    [0.46]
    """
    name = "relative_mahalanobis_score"
    dtype, x, means, precision, mean0, precision0 = as_reals(name, x, means, precision, mean0, precision0)
    (count, dimensions), (classes, _) = _matrix(name, "x", x), _matrix(name, "means", means)
    check_shape(name, "means", means, (classes, dimensions))
    check_shape(name, "precision", precision, (dimensions, dimensions))
    check_shape(name, "mean0", mean0, (dimensions,))
    check_shape(name, "precision0", precision0, (dimensions, dimensions))
    score, gradient = empty((count,), dtype), empty(x.shape, dtype) if grad else None
    call(name, dtype, x, means, precision, mean0, precision0, count, dimensions, classes, score, gradient)
    return (score, gradient) if grad else score


@documented
def knn_ood_score(x: Any, bank: Any, *, k: int = 50) -> np.ndarray:
    """Minus the distance to the k-th nearest training feature, all normalised.

    Examples
    --------
    >>> import losskit
    >>> losskit.knn_ood_score([[1, 0], [0, 1]], [[1.1, 0.1], [0.05, 1.2]], k=1).round(6).tolist()
    [-0.090629, -0.04164]
    """
    name = "knn_ood_score"
    dtype, x, bank = as_reals(name, x, bank)
    (count, dimensions), (bank_count, _) = _matrix(name, "x", x), _matrix(name, "bank", bank)
    check_shape(name, "bank", bank, (bank_count, dimensions))
    score = empty((count,), dtype)
    call(name, dtype, x, bank, count, dimensions, bank_count, k, score)
    return score


@documented
def costarr_fit(x: Any, y: Any, weight: Any, bias: Any) -> Tuple[Any, Any, Any]:
    """What :func:`costarr_score` scores with: ``(class_means, logit_min, logit_max)``.

    Examples
    --------
    >>> import losskit
    >>> x, y = [[1, 0], [1.2, 0.2], [0, 1], [0.1, 1.4]], [0, 0, 1, 1]
    >>> means, low, high = losskit.costarr_fit(x, y, [[1, -0.5], [-0.3, 1]], [0, 0.1])
    >>> means.round(6).tolist(), low.item(), round(high.item(), 6)
    ([[1.1, 0.1, 1.1, -0.05], [0.05, 1.2, -0.015, 1.2]], -0.6, 1.47)
    """
    name = "costarr_fit"
    dtype, x, weight, bias = as_reals(name, x, weight, bias)
    (count, dimensions), (classes, _) = _matrix(name, "x", x), _matrix(name, "weight", weight)
    check_shape(name, "weight", weight, (classes, dimensions))
    check_shape(name, "bias", bias, (classes,))
    y = as_integers(name, "y", y)
    check_shape(name, "y", y, (count,))
    means, low, high = empty((classes, 2 * dimensions), dtype), empty((), dtype), empty((), dtype)
    call(name, dtype, x, y, weight, bias, count, dimensions, classes, means, low, high)
    return means, scalar(low), scalar(high)


@documented
def costarr_score(
    x: Any,
    weight: Any,
    bias: Any,
    class_means: Any,
    *,
    logit_min: Optional[float] = None,
    logit_max: Optional[float] = None,
) -> np.ndarray:
    """Open-set confidence: how alike features, and what the weights let through of them, are to those of their class.

    Parameters
    ----------
    logit_min : float, optional
        Of the training; if absent, the smallest of the logits of this call.
    logit_max : float, optional
        Of the training; if absent, the largest of the logits of this call.

    Examples
    --------
    >>> import losskit
    >>> x, means = [[1, 0], [1.2, 0.2], [0, 1], [0.1, 1.4]], [[1, 0.2, 1, -0.1], [0.2, 1, -0.1, 1]]
    >>> losskit.costarr_score(x, [[1, -0.5], [-0.3, 1]], [0, 0.1], means).round(6).tolist()
    [0.768205, 0.821119, 0.816217, 0.997231]
    """
    name = "costarr_score"
    dtype, x, weight, bias, class_means = as_reals(name, x, weight, bias, class_means)
    (count, dimensions), (classes, _) = _matrix(name, "x", x), _matrix(name, "weight", weight)
    check_shape(name, "weight", weight, (classes, dimensions))
    check_shape(name, "bias", bias, (classes,))
    check_shape(name, "class_means", class_means, (classes, 2 * dimensions))
    for what, bound in (("logit_min", logit_min), ("logit_max", logit_max)):
        if bound is not None and not abs(bound) < float("inf"):
            raise fail("INVALID_PARAMETER", name, f"{what} is {bound}")
    low = -float("inf") if logit_min is None else logit_min
    high = float("inf") if logit_max is None else logit_max
    score = empty((count,), dtype)
    call(name, dtype, x, weight, bias, class_means, count, dimensions, classes, low, high, score)
    return score


@documented
def pec_score(student: Any, teacher: Any, *, grad: bool = False) -> Any:
    """Minus the prediction error of one student network for each class.

    Examples
    --------
    >>> import losskit
    >>> score, grad = losskit.pec_score([[[1, 2], [0, 1]]], [[1, 1]], grad=True)
    >>> score.tolist(), (grad + 0).tolist()
    ([[-0.5, -0.5]], [[[0.0, -1.0], [1.0, 0.0]]])
    """
    name = "pec_score"
    dtype, student, teacher = as_reals(name, student, teacher)
    if student.ndim != 3:
        raise fail("INVALID_SHAPE", name, f"student has shape {student.shape}, but must have three axes")
    count, classes, dimensions = student.shape
    check_shape(name, "teacher", teacher, (count, dimensions))
    score, gradient = empty((count, classes), dtype), empty(student.shape, dtype) if grad else None
    call(name, dtype, student, teacher, count, classes, dimensions, score, gradient)
    return (score, gradient) if grad else score


def _loki(name: str, probs: Any, distance: Any) -> Tuple[Any, Any, Any, Tuple[int, int, int]]:
    dtype, probs, distance = as_reals(name, probs, distance)
    (count, observed), (_, labels) = _matrix(name, "probs", probs), _matrix(name, "distance", distance)
    check_shape(name, "distance", distance, (observed, labels))
    return dtype, probs, distance, (count, observed, labels)


@documented
def loki_scores(probs: Any, distance: Any, *, power: float = 2.0, grad: bool = False) -> Any:
    """Scores of candidate labels by their distance to the classes that a model knows.

    Examples
    --------
    >>> import losskit
    >>> losskit.loki_scores([[0.6, 0.4]], [[0, 1, 2], [2, 1, 0]]).round(6).tolist()
    [[-1.6, -1.0, -2.4]]
    """
    name = "loki_scores"
    dtype, probs, distance, sizes = _loki(name, probs, distance)
    scores, gradient = empty((sizes[0], sizes[2]), dtype), empty(probs.shape, dtype) if grad else None
    call(name, dtype, probs, distance, *sizes, power, scores, gradient)
    return (scores, gradient) if grad else scores


@documented
def loki_predict(probs: Any, distance: Any, *, power: float = 2.0) -> np.ndarray:
    """The candidate label of the highest score of :func:`loki_scores`.

    Examples
    --------
    >>> import losskit
    >>> losskit.loki_predict([[0.6, 0.4]], [[0, 1, 2], [2, 1, 0]]).tolist()
    [1]
    """
    name = "loki_predict"
    dtype, probs, distance, sizes = _loki(name, probs, distance)
    prediction = empty((sizes[0],), _INT64)
    call(name, dtype, probs, distance, *sizes, power, prediction)
    return prediction


@documented
def simplex_vertices(num_classes: int, *, radius: float = 1.0) -> np.ndarray:
    """The vertices of a regular simplex around the origin, in float64.

    Parameters
    ----------
    num_classes : int
        How many vertices, at least 2.

    Examples
    --------
    >>> import losskit
    >>> losskit.simplex_vertices(3).round(6).tolist()
    [[1.0, 0.0], [-0.5, 0.866025], [-0.5, -0.866025]]
    """
    name = "simplex_vertices"
    classes = _classes(name, num_classes)
    classes = _classes(name, num_classes, classes)
    vertices = empty((classes, max(0, classes - 1)), _FLOAT64)
    call(name, _FLOAT64, num_classes, vertices.shape[1], radius, vertices)
    return vertices


@documented
def simplex_open_set_score(x: Any, vertices: Any, *, grad: bool = False) -> Any:
    """Minus the distance to the nearest vertex: low where the input is like none of the classes.

    Examples
    --------
    >>> import losskit
    >>> vertices = losskit.simplex_vertices(3)
    >>> losskit.simplex_open_set_score([[1.2, 0.2], [0, 1]], vertices).round(6).tolist()
    [-0.282843, -0.517638]
    """
    name = "simplex_open_set_score"
    dtype, x, vertices = as_reals(name, x, vertices)
    (count, dimensions), (classes, _) = _matrix(name, "x", x), _matrix(name, "vertices", vertices)
    check_shape(name, "vertices", vertices, (classes, dimensions))
    score, gradient = empty((count,), dtype), empty(x.shape, dtype) if grad else None
    call(name, dtype, x, vertices, count, dimensions, classes, score, gradient)
    return (score, gradient) if grad else score


# --- Similarity, distance, magnitude ---------------------------------------------------------------------------------


@documented
def sdm_similarity(train_y: Any, train_pred: Any, neighbors: Any, pred: Any) -> np.ndarray:
    """How many of an input's nearest training samples in a row were predicted rightly and as it is.

    Examples
    --------
    >>> import losskit
    >>> losskit.sdm_similarity([0, 1, 1], [0, 1, 0], [[0, 1, 2], [1, 0, 2]], [0, 1]).tolist()
    [1, 1]
    """
    name = "sdm_similarity"
    train_y, train_pred = as_integers(name, "train_y", train_y), as_integers(name, "train_pred", train_pred)
    neighbors, pred = as_integers(name, "neighbors", neighbors), as_integers(name, "pred", pred)
    check_shape(name, "train_pred", train_pred, (_vector(name, "train_y", train_y),))
    count, k = _matrix(name, "neighbors", neighbors)
    check_shape(name, "pred", pred, (count,))
    q = empty((count,), _INT64)
    call(name, None, train_y, train_pred, neighbors, pred, train_y.size, count, k, q)
    return q


@documented
def sdm_distance_quantile(distance: Any, class_distances: Any, class_of: Any) -> Any:
    """How usual a distance to the training is: the least share of calibration samples of a class that are as far.

    Examples
    --------
    >>> import losskit
    >>> losskit.sdm_distance_quantile([0.2, 0.9], [0.1, 0.3, 0.5, 0.2], [0, 0, 1, 1]).tolist()
    [0.5, 0.0]
    """
    name = "sdm_distance_quantile"
    dtype, distance, class_distances = as_reals(name, distance, class_distances)
    class_of = as_integers(name, "class_of", class_of)
    samples = _vector(name, "class_distances", class_distances)
    check_shape(name, "class_of", class_of, (samples,))
    quantile = empty(distance.shape, dtype)
    call(name, dtype, distance, class_distances, class_of, distance.size, samples, quantile)
    return scalar(quantile)


@documented
def sdm_rescaled_similarity(q: Any, cdf_value: Any) -> Any:
    """Similarity, rescaled by how usual the distance is.

    Examples
    --------
    >>> import losskit
    >>> losskit.sdm_rescaled_similarity([0, 10], [0.5, 0.9]).round(6).tolist()
    [0.346574, 2.236416]
    """
    name = "sdm_rescaled_similarity"
    dtype, cdf_value = as_reals(name, cdf_value)
    (q,) = as_reals_like(name, dtype, q)
    check_shape(name, "q", q, cdf_value.shape)
    rescaled = empty(q.shape, dtype)
    call(name, dtype, q, cdf_value, q.size, rescaled)
    return scalar(rescaled)


@documented
def sdm_dkw_error(sample_size: Any, *, alpha: float = 0.95) -> Any:
    """How far an empirical distribution function of so many samples may be from the true one.

    Examples
    --------
    >>> import losskit
    >>> losskit.sdm_dkw_error([0, 10, 1000]).round(6).tolist()
    [1.0, 0.429469, 0.042947]
    """
    name = "sdm_dkw_error"
    sample_size = as_integers(name, "sample_size", sample_size)
    error = empty(sample_size.shape, _FLOAT64)
    call(name, _FLOAT64, sample_size, sample_size.size, alpha, error)
    return scalar(error)


@documented
def sdm_class_thresholds(
    output: Any, y: Any, similarity: Any, *, num_classes: int, alpha: float = 0.95
) -> Tuple[Any, Any]:
    """Thresholds of the output for each class, and the least similarity at which they hold.

    Parameters
    ----------
    num_classes : int
        How many classes there are, at least 1.

    Examples
    --------
    >>> import losskit
    >>> output, y, similarity = [0.5, 0.9, 0.95, 0.7, 0.8, 0.9], [0, 0, 1, 0, 1, 1], [1, 2, 3, 1, 2, 3]
    >>> thresholds, least = losskit.sdm_class_thresholds(output, y, similarity, num_classes=2, alpha=0.6)
    >>> thresholds.tolist(), least.item()
    ([0.7, 0.9], 1.0)
    """
    name = "sdm_class_thresholds"
    dtype, output, similarity = as_reals(name, output, similarity)
    y = as_integers(name, "y", y)
    count = _vector(name, "output", output)
    check_shape(name, "y", y, (count,))
    check_shape(name, "similarity", similarity, (count,))
    thresholds, least = empty((_classes(name, num_classes),), dtype), empty((), dtype)
    call(name, dtype, output, y, similarity, count, num_classes, alpha, thresholds, least)
    return thresholds, scalar(least)
