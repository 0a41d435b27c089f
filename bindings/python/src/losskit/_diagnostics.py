"""Measures of language models, of sets of models, and of neural collapse."""

from __future__ import annotations

from typing import Any, Sequence, Tuple

import numpy as np

from ._core import as_integers, as_reals, as_reals_like, call, check_shape, documented, empty, fail, scalar

__all__ = [
    "accuracy_disparity",
    "cdnv",
    "dc_pdd_score",
    "false_head_rate",
    "min_k_plus_plus",
    "min_k_prob",
    "nc1_variability",
    "nc2_equiangularity",
    "nc2_equinorm",
    "nc2_orthogonality",
    "nc3_self_duality",
    "nc4_ncc_mismatch",
    "predictive_multiplicity",
    "token_proxy_metrics",
    "viable_prediction_range",
]

_INT64 = np.dtype(np.int64)
_FLOAT64 = np.dtype(np.float64)


def _check_axes(name: str, what: str, x: np.ndarray, axes: int) -> None:
    if x.ndim != axes:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {x.shape}, but must have {axes} axes")


# --- Language models -------------------------------------------------------------------------------------------------


def _tokens(name: str, logits: Any, y: Any) -> Tuple[Any, Any, Any]:
    dtype, logits = as_reals(name, logits)
    _check_axes(name, "logits", logits, 2)
    y = as_integers(name, "y", y)
    check_shape(name, "y", y, logits.shape[:1])
    return dtype, logits, y


@documented
def token_proxy_metrics(logits: Any, y: Any, *, k: int = 5) -> Tuple[Any, Any, Any, Any]:
    """How well a language model foresees an expert's tokens: ``(aggregates, nll, entropy, rank)``.

    Examples
    --------
    >>> import losskit
    >>> logits = [[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]]
    >>> aggregates, nll, entropy, rank = losskit.token_proxy_metrics(logits, [0, 1, 0, 2], k=1)
    >>> aggregates.round(6).tolist(), rank.tolist()
    ([0.551373, 0.783625, 0.75, 1.25, 0.173287, 0.875], [1, 1, 2, 1])
    """
    name = "token_proxy_metrics"
    dtype, logits, y = _tokens(name, logits, y)
    aggregates, nll, entropy, rank = empty((6,), dtype), empty(y.shape, dtype), empty(y.shape, dtype), empty(y.shape, _INT64)
    call(name, dtype, logits, y, *logits.shape, k, aggregates, nll, entropy, rank)
    return aggregates, nll, entropy, rank


@documented
def min_k_prob(token_log_probs: Any, *, k: float = 0.2) -> Any:
    """The mean of a text's least token log-probabilities: high where it was likely seen in training.

    Examples
    --------
    >>> import losskit
    >>> losskit.min_k_prob([-1, -3, -0.5, -2], k=0.5).item()
    -2.5
    """
    name = "min_k_prob"
    dtype, token_log_probs = as_reals(name, token_log_probs)
    _check_axes(name, "token_log_probs", token_log_probs, 1)
    score = empty((), dtype)
    call(name, dtype, token_log_probs, token_log_probs.size, k, score)
    return scalar(score)


@documented
def min_k_plus_plus(logits: Any, y: Any, *, k: float = 0.2, eps: float = 1e-12) -> Any:
    """The mean of a text's least token log-probabilities, standardised over the vocabulary.

    Examples
    --------
    >>> import losskit
    >>> logits = [[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]]
    >>> losskit.min_k_plus_plus(logits, [0, 1, 0, 2], k=0.5).round(7).item()
    0.0297526
    """
    name = "min_k_plus_plus"
    dtype, logits, y = _tokens(name, logits, y)
    score = empty((), dtype)
    call(name, dtype, logits, y, *logits.shape, k, eps, score)
    return scalar(score)


@documented
def dc_pdd_score(token_log_probs: Any, token_ids: Any, token_counts: Any, *, a: float = 0.01) -> Any:
    """The divergence of a text's token probabilities from the tokens' frequencies.

    Examples
    --------
    >>> import losskit
    >>> losskit.dc_pdd_score([-1, -3, -6], [2, 0, 2], [5, 0, 3], a=0.5).round(7).item()
    0.2011625
    """
    name = "dc_pdd_score"
    dtype, token_log_probs = as_reals(name, token_log_probs)
    _check_axes(name, "token_log_probs", token_log_probs, 1)
    token_ids = as_integers(name, "token_ids", token_ids)
    token_counts = as_integers(name, "token_counts", token_counts)
    check_shape(name, "token_ids", token_ids, token_log_probs.shape)
    _check_axes(name, "token_counts", token_counts, 1)
    score = empty((), dtype)
    call(name, dtype, token_log_probs, token_ids, token_counts, token_ids.size, token_counts.size, a, score)
    return scalar(score)


# --- Sets of models --------------------------------------------------------------------------------------------------


def _models(name: str, probs: Any, losses: Any) -> Tuple[Any, Any, Any]:
    dtype, probs, losses = as_reals(name, probs, losses)
    _check_axes(name, "probs", probs, 2)
    check_shape(name, "losses", losses, probs.shape[:1])
    return dtype, probs, losses


@documented
def viable_prediction_range(
    probs: Any, losses: Any, *, baseline: int = 0, epsilon: float = 0.01
) -> Tuple[Any, Any, Any]:
    """Within which limits models about as good as a baseline predict each example: ``(low, high, competing)``.

    Returns
    -------
    low, high : ndarray
        The least and the largest probability of each example, [N].
    competing : ndarray of bool
        Which models are about as good as the baseline, [M].

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.2, 0.6, 0.9], [0.35, 0.55, 0.9], [0.9, 0.1, 0.1]]
    >>> low, high, competing = losskit.viable_prediction_range(probs, [0.5, 0.505, 0.6])
    >>> low.tolist(), high.tolist(), competing.tolist()
    ([0.2, 0.55, 0.9], [0.35, 0.6, 0.9], [True, True, False])
    """
    name = "viable_prediction_range"
    dtype, probs, losses = _models(name, probs, losses)
    models, count = probs.shape
    low, high, competing = empty((count,), dtype), empty((count,), dtype), np.zeros(models, np.bool_)
    call(name, dtype, probs, losses, models, count, baseline, epsilon, low, high, competing)
    return low, high, competing


@documented
def predictive_multiplicity(
    probs: Any, losses: Any, *, baseline: int = 0, epsilon: float = 0.01, delta: float = 0.1
) -> Tuple[Any, Any]:
    """How many predictions depend on which of some equally good models is taken: ``(ambiguity, discrepancy)``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.2, 0.6, 0.9], [0.35, 0.55, 0.9], [0.9, 0.1, 0.1]]
    >>> ambiguity, discrepancy = losskit.predictive_multiplicity(probs, [0.5, 0.505, 0.6])
    >>> ambiguity.round(6).item(), discrepancy.round(6).item()
    (0.333333, 0.333333)
    """
    name = "predictive_multiplicity"
    dtype, probs, losses = _models(name, probs, losses)
    ambiguity, discrepancy = empty((), dtype), empty((), dtype)
    call(name, dtype, probs, losses, *probs.shape, baseline, epsilon, delta, ambiguity, discrepancy)
    return scalar(ambiguity), scalar(discrepancy)


# --- Classes ---------------------------------------------------------------------------------------------------------


def _labels(name: str, pred: Any, y: Any) -> Tuple[Any, Any]:
    pred, y = as_integers(name, "pred", pred), as_integers(name, "y", y)
    check_shape(name, "pred", pred, y.shape)
    return pred, y


@documented
def false_head_rate(
    pred: Any,
    y: Any,
    *,
    num_classes: int,
    ratios: Sequence[float] = (0.25, 0.5, 0.75),
    class_counts: Any = None,
) -> Tuple[Any, Any]:
    """How often samples of the tail classes are taken for head classes: ``(rates, mean)``.

    Parameters
    ----------
    num_classes : int
        How many classes there are, at least 1.
    ratios : sequence of float, default (0.25, 0.5, 0.75)
        Shares of the classes that are head, each in [0, 1].

    Examples
    --------
    >>> import losskit
    >>> rates, mean = losskit.false_head_rate([0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2], num_classes=3)
    >>> rates.round(6).tolist(), mean.round(6).item()
    ([0.2, 0.333333, 0.333333], 0.288889)
    """
    name = "false_head_rate"
    pred, y = _labels(name, pred, y)
    ratio_array, class_counts = as_reals_like(name, _FLOAT64, ratios, class_counts)
    _check_axes(name, "ratios", ratio_array, 1)
    check_shape(name, "class_counts", class_counts, (num_classes,))
    rates, mean = empty(ratio_array.shape, _FLOAT64), empty((), _FLOAT64)
    call(name, _FLOAT64, pred, y, y.size, num_classes, ratio_array, ratio_array.size, class_counts, rates, mean)
    return rates, scalar(mean)


@documented
def accuracy_disparity(pred: Any, y: Any, *, num_classes: int) -> Tuple[Any, Any, Any, Any]:
    """How far the accuracies of the classes lie apart: ``(accuracy, gap, least, deviation)``.

    Parameters
    ----------
    num_classes : int
        How many classes there are, at least 1.

    Examples
    --------
    >>> import losskit
    >>> pred, y = [0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2]
    >>> accuracy, gap, least, deviation = losskit.accuracy_disparity(pred, y, num_classes=3)
    >>> accuracy.round(6).tolist(), gap.item(), least.item(), deviation.round(7).item()
    ([1.0, 0.5, 0.666667], 0.5, 0.5, 0.2078699)
    """
    name = "accuracy_disparity"
    pred, y = _labels(name, pred, y)
    if not 0 <= num_classes <= np.iinfo(np.int64).max // 16:
        raise fail("INVALID_SHAPE", name, f"num_classes is {num_classes}")
    accuracy, *rest = empty((num_classes,), _FLOAT64), *(empty((), _FLOAT64) for _ in range(3))
    call(name, _FLOAT64, pred, y, y.size, num_classes, accuracy, *rest)
    return accuracy, scalar(rest[0]), scalar(rest[1]), scalar(rest[2])


# --- Neural collapse -------------------------------------------------------------------------------------------------


def _of_features(name: str, x: Any, y: Any, num_classes: int) -> Any:
    dtype, x = as_reals(name, x)
    _check_axes(name, "x", x, 2)
    y = as_integers(name, "y", y)
    check_shape(name, "y", y, x.shape[:1])
    result = empty((), dtype)
    call(name, dtype, x, y, *x.shape, num_classes, result)
    return scalar(result)


def _of_means(name: str, means: Any) -> Any:
    dtype, means = as_reals(name, means)
    _check_axes(name, "means", means, 2)
    result = empty((), dtype)
    call(name, dtype, means, *means.shape, result)
    return scalar(result)


@documented
def nc1_variability(x: Any, y: Any, *, num_classes: int) -> Any:
    """The variability of features within the classes beside that between them.

    Parameters
    ----------
    num_classes : int
        How many classes there are, at least 1.

    Examples
    --------
    >>> import losskit
    >>> losskit.nc1_variability([[1, 0], [1.2, 0.2], [0, 1], [0.1, 1.4]], [0, 0, 1, 1], num_classes=2).round(9).item()
    0.005251132
    """
    return _of_features("nc1_variability", x, y, num_classes)


@documented
def cdnv(x: Any, y: Any, *, num_classes: int) -> Any:
    """Class-distance normalised variance: how wide classes are beside the distances between their means.

    Parameters
    ----------
    num_classes : int
        How many classes there are, at least 1.

    Examples
    --------
    >>> import losskit
    >>> losskit.cdnv([[1, 0], [1.2, 0.2], [0, 1], [0.1, 1.4]], [0, 0, 1, 1], num_classes=2).round(8).item()
    0.01351351
    """
    return _of_features("cdnv", x, y, num_classes)


@documented
def nc2_equinorm(means: Any) -> Any:
    """How equal the norms of the class means are: their coefficient of variation.

    Examples
    --------
    >>> import losskit
    >>> losskit.nc2_equinorm([[2, 0, 0.1], [0, 1, 0], [0, 0.2, 1.5]]).round(7).item()
    0.1393351
    """
    return _of_means("nc2_equinorm", means)


@documented
def nc2_equiangularity(means: Any) -> Any:
    """How far the angles between the class means are from those of a simplex.

    Examples
    --------
    >>> import losskit
    >>> losskit.nc2_equiangularity([[2, 0, 0.1], [0, 1, 0], [0, 0.2, 1.5]]).round(7).item()
    0.2144509
    """
    return _of_means("nc2_equiangularity", means)


@documented
def nc2_orthogonality(means: Any) -> Any:
    """How far the class means are from orthogonal ones.

    Examples
    --------
    >>> import losskit
    >>> losskit.nc2_orthogonality([[2, 0, 0.1], [0, 1, 0], [0, 0.2, 1.5]]).round(8).item()
    0.06055443
    """
    return _of_means("nc2_orthogonality", means)


@documented
def nc3_self_duality(weight: Any, means: Any) -> Any:
    """How alike the classifier and the class means are, both scaled.

    Examples
    --------
    >>> import losskit
    >>> losskit.nc3_self_duality([[1, -0.5], [-0.3, 1]], [[1.1, 0.1], [0.05, 1.2]]).round(7).item()
    0.1670378
    """
    name = "nc3_self_duality"
    dtype, weight, means = as_reals(name, weight, means)
    _check_axes(name, "means", means, 2)
    check_shape(name, "weight", weight, means.shape)
    result = empty((), dtype)
    call(name, dtype, weight, means, *means.shape, result)
    return scalar(result)


@documented
def nc4_ncc_mismatch(x: Any, weight: Any, bias: Any, means: Any) -> Any:
    """How often the classifier disagrees with the rule of the nearest class mean.

    Examples
    --------
    >>> import losskit
    >>> x, means = [[1, 0], [1.2, 0.2], [0, 1], [0.1, 1.4]], [[1.1, 0.1], [0.05, 1.2]]
    >>> losskit.nc4_ncc_mismatch(x, [[1, -0.5], [-0.3, 1]], [0, 0.1], means).item()
    0.0
    """
    name = "nc4_ncc_mismatch"
    dtype, x, weight, bias, means = as_reals(name, x, weight, bias, means)
    _check_axes(name, "x", x, 2)
    _check_axes(name, "weight", weight, 2)
    (count, dimensions), classes = x.shape, weight.shape[0]
    check_shape(name, "weight", weight, (classes, dimensions))
    check_shape(name, "bias", bias, (classes,))
    check_shape(name, "means", means, (classes, dimensions))
    result = empty((), dtype)
    call(name, dtype, x, weight, bias, means, count, dimensions, classes, result)
    return scalar(result)
