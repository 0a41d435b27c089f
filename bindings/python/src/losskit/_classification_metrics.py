"""Classification and ranking metrics."""

from __future__ import annotations

from typing import Any, Optional, Tuple

import numpy as np

from ._box_arrays import Count
from ._core import as_integers, as_reals, as_reals_like, call, check_shape, documented, empty, fail, scalar

__all__ = [
    "accuracy_score",
    "average_precision",
    "cohen_kappa_score",
    "confusion_matrix",
    "detection_auroc",
    "equal_error_rate",
    "fpr_at_tpr",
    "jaccard_score",
    "macro_auc",
    "matthews_corrcoef",
    "mean_average_precision",
    "mean_reciprocal_rank",
    "ndcg_score",
    "precision_at_k",
    "precision_recall_curve",
    "precision_recall_fbeta",
    "recall_at_k",
    "roc_auc",
    "roc_auc_multiclass",
    "roc_curve",
    "specificity_score",
    "top_k_accuracy",
]

_FLOAT64 = np.dtype(np.float64)


# --- Predicted classes -----------------------------------------------------------------------------------------------


def _decisions(name: str, pred: Any, y: Any) -> Tuple[np.ndarray, np.ndarray]:
    pred, y = as_integers(name, "pred", pred), as_integers(name, "y", y)
    check_shape(name, "y", y, pred.shape)
    return pred, y


def _weights(name: str, sample_weight: Any, shape: Tuple[int, ...], dtype: np.dtype = _FLOAT64) -> Optional[np.ndarray]:
    (weights,) = as_reals_like(name, dtype, sample_weight)
    check_shape(name, "sample_weight", weights, shape)
    return weights


def _class_count(name: str, num_classes: Any) -> int:
    if isinstance(num_classes, bool) or not isinstance(num_classes, (int, np.integer)) or num_classes < 1:
        raise fail("INVALID_SHAPE", name, f"num_classes is {num_classes!r}, expected an integer from 1 on")
    return int(num_classes)


def _of_classes(name: str, num_classes: Any, average: str) -> np.ndarray:
    return np.empty((_class_count(name, num_classes),) if average == "none" else (), np.float64)


@documented
def confusion_matrix(
    pred: Any, y: Any, *, num_classes: int, sample_weight: Any = None, normalize: Optional[str] = None
) -> np.ndarray:
    """Confusion matrix ``[num_classes, num_classes]``, a row for each label, a column for each prediction.

    Equal to ``sklearn.metrics.confusion_matrix``, which takes its arguments in the other order. Always float64.

    Parameters
    ----------
    normalize
        ``"true"`` divides by the sums of rows, ``"pred"`` of columns, ``"all"`` of everything.

    Examples
    --------
    >>> import losskit
    >>> losskit.confusion_matrix([0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2], num_classes=3).astype(int).tolist()
    [[1, 0, 0], [1, 1, 0], [0, 1, 2]]
    """
    name = "confusion_matrix"
    pred, y = _decisions(name, pred, y)
    weights = _weights(name, sample_weight, pred.shape)
    num_classes = _class_count(name, num_classes)
    matrix = np.empty((num_classes, num_classes))
    mode = "none" if normalize is None else normalize
    call(name, _FLOAT64, pred, y, weights, pred.size, num_classes, mode, matrix)
    return matrix


@documented
def accuracy_score(pred: Any, y: Any, *, num_classes: int, average: str = "micro", sample_weight: Any = None) -> Any:
    """Accuracy, or with ``average="macro"`` balanced accuracy.

    Equal to ``sklearn.metrics.accuracy_score`` and ``balanced_accuracy_score``.

    Examples
    --------
    >>> import losskit
    >>> pred, y = [0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2]
    >>> losskit.accuracy_score(pred, y, num_classes=3, average="macro").round(7).item()
    0.7222222
    """
    name = "accuracy_score"
    pred, y = _decisions(name, pred, y)
    weights = _weights(name, sample_weight, pred.shape)
    value = np.empty(())
    call(name, _FLOAT64, pred, y, weights, pred.size, num_classes, average, value)
    return scalar(value)


@documented
def top_k_accuracy(scores: Any, y: Any, *, k: int = 5) -> Any:
    """How often the label is among the k classes with the highest ``scores[N, C]``.

    Equal to ``sklearn.metrics.top_k_accuracy_score`` but for ties, where it takes the lower classes first.

    Examples
    --------
    >>> import losskit
    >>> losskit.top_k_accuracy([[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]], [0, 1, 0, 2], k=2).item()
    1.0
    """
    name = "top_k_accuracy"
    dtype, scores = as_reals(name, scores)
    y = as_integers(name, "y", y)
    if scores.ndim == 0:
        raise fail("INVALID_SHAPE", name, "scores has shape (), expected [N, C]")
    check_shape(name, "y", y, scores.shape[:-1])
    value = np.empty((), dtype)
    call(name, dtype, scores, y, y.size, scores.shape[-1], k, value)
    return scalar(value)


@documented
def precision_recall_fbeta(
    pred: Any,
    y: Any,
    *,
    num_classes: int,
    beta: float = 1.0,
    average: str = "macro",
    zero_division: float = 0.0,
    sample_weight: Any = None,
) -> Tuple[Any, Any, Any]:
    """``(precision, recall, F)``, each a number, or with ``average="none"`` an array over the classes.

    Equal to ``sklearn.metrics.precision_recall_fscore_support``.

    Examples
    --------
    >>> import losskit
    >>> scores = losskit.precision_recall_fbeta([0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2], num_classes=3)
    >>> [score.round(7).item() for score in scores]
    [0.6666667, 0.7222222, 0.6555556]
    """
    name = "precision_recall_fbeta"
    pred, y = _decisions(name, pred, y)
    weights = _weights(name, sample_weight, pred.shape)
    scores = [_of_classes(name, num_classes, average) for _ in range(3)]
    call(name, _FLOAT64, pred, y, weights, pred.size, num_classes, beta, average, zero_division, *scores)
    precision, recall, f_score = map(scalar, scores)
    return precision, recall, f_score


def _class_score(name: str, pred: Any, y: Any, num_classes: int, average: str) -> Any:
    pred, y = _decisions(name, pred, y)
    value = _of_classes(name, num_classes, average)
    call(name, _FLOAT64, pred, y, pred.size, num_classes, average, value)
    return scalar(value)


@documented
def specificity_score(pred: Any, y: Any, *, num_classes: int, average: str = "macro") -> Any:
    """Specificity, the true negative rate; averaged over the classes, or one for each with ``average="none"``.

    Equal to ``torchmetrics.functional.specificity``.

    Examples
    --------
    >>> import losskit
    >>> losskit.specificity_score([0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2], num_classes=3).round(7).item()
    0.85
    """
    return _class_score("specificity_score", pred, y, num_classes, average)


@documented
def jaccard_score(pred: Any, y: Any, *, num_classes: int, average: str = "macro") -> Any:
    """Jaccard index, intersection over union of classes; averaged, or one for each with ``average="none"``.

    Equal to ``sklearn.metrics.jaccard_score``.

    Examples
    --------
    >>> import losskit
    >>> losskit.jaccard_score([0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2], num_classes=3).round(7).item()
    0.5
    """
    return _class_score("jaccard_score", pred, y, num_classes, average)


@documented
def matthews_corrcoef(pred: Any, y: Any, *, num_classes: int, sample_weight: Any = None) -> Any:
    """Matthews correlation coefficient for any number of classes.

    Equal to ``sklearn.metrics.matthews_corrcoef``.

    Examples
    --------
    >>> import losskit
    >>> losskit.matthews_corrcoef([0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2], num_classes=3).round(7).item()
    0.522233
    """
    name = "matthews_corrcoef"
    pred, y = _decisions(name, pred, y)
    weights = _weights(name, sample_weight, pred.shape)
    value = np.empty(())
    call(name, _FLOAT64, pred, y, weights, pred.size, num_classes, value)
    return scalar(value)


@documented
def cohen_kappa_score(pred: Any, y: Any, *, num_classes: int, weights: Optional[str] = None) -> Any:
    """Cohen's kappa, agreement beyond chance.

    Equal to ``sklearn.metrics.cohen_kappa_score``.

    Parameters
    ----------
    weights
        ``None``, ``"linear"`` or ``"quadratic"``: what a disagreement costs.

    Examples
    --------
    >>> import losskit
    >>> pred, y = [0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2]
    >>> losskit.cohen_kappa_score(pred, y, num_classes=3, weights="linear").round(7).item()
    0.625
    """
    name = "cohen_kappa_score"
    pred, y = _decisions(name, pred, y)
    value = np.empty(())
    mode = "none" if weights is None else weights
    call(name, _FLOAT64, pred, y, pred.size, num_classes, mode, value)
    return scalar(value)


# --- Ranked binary scores --------------------------------------------------------------------------------------------


def _binary(name: str, scores: Any, y: Any) -> Tuple[np.dtype, np.ndarray, np.ndarray]:
    dtype, scores = as_reals(name, scores)
    y = as_integers(name, "y", y)
    check_shape(name, "y", y, scores.shape)
    return dtype, scores, y


def _curve(name: str, scores: Any, y: Any, sample_weight: Any) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    dtype, scores, y = _binary(name, scores, y)
    weights = _weights(name, sample_weight, scores.shape, dtype)
    capacity, points = scores.size + 1, Count()
    first, second, thresholds = (empty((capacity,), dtype) for _ in range(3))
    call(name, dtype, scores, y, weights, scores.size, first, second, thresholds, capacity, points.address)
    return first[:points].copy(), second[:points].copy(), thresholds[:points].copy()


@documented
def roc_curve(scores: Any, y: Any, *, sample_weight: Any = None) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ROC curve: ``(fpr, tpr, thresholds)``.

    Equal to ``sklearn.metrics.roc_curve`` with ``drop_intermediate=False``, where both classes occur and no weight is 0
    (sklearn drops samples of weight 0).

    Examples
    --------
    >>> import losskit
    >>> fpr, tpr, thresholds = losskit.roc_curve([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1])
    >>> fpr.round(7).tolist(), thresholds.tolist()
    ([0.0, 0.0, 0.0, 0.3333333, 0.3333333, 0.6666667, 1.0], [inf, 0.9, 0.8, 0.65, 0.4, 0.35, 0.1])
    >>> tpr.round(7).tolist()
    [0.0, 0.3333333, 0.6666667, 0.6666667, 1.0, 1.0, 1.0]
    """
    return _curve("roc_curve", scores, y, sample_weight)


@documented
def precision_recall_curve(
    scores: Any, y: Any, *, sample_weight: Any = None
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The precision-recall curve: ``(precision, recall, thresholds)``, the last shorter by one.

    Equal to ``sklearn.metrics.precision_recall_curve``, where no weight is 0 (sklearn drops samples of weight 0).

    Examples
    --------
    >>> import losskit
    >>> scores, y = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> precision, recall, thresholds = losskit.precision_recall_curve(scores, y)
    >>> precision.round(7).tolist(), thresholds.tolist()
    ([0.5, 0.6, 0.75, 0.6666667, 1.0, 1.0, 1.0], [0.1, 0.35, 0.4, 0.65, 0.8, 0.9])
    >>> recall.round(7).tolist()
    [1.0, 1.0, 1.0, 0.6666667, 0.6666667, 0.3333333, 0.0]
    """
    precision, recall, thresholds = _curve("precision_recall_curve", scores, y, sample_weight)
    return precision, recall, thresholds[:-1]


@documented
def roc_auc(scores: Any, y: Any, *, sample_weight: Any = None, max_fpr: Optional[float] = None) -> Any:
    """Area under the ROC curve, ties counted by half; with ``max_fpr`` the standardised partial area.

    Equal to ``sklearn.metrics.roc_auc_score``. Needs the memory of the scores (and weights) once more.

    Examples
    --------
    >>> import losskit
    >>> losskit.roc_auc([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]).round(7).item()
    0.8888889
    """
    name = "roc_auc"
    dtype, scores, y = _binary(name, scores, y)
    weights = _weights(name, sample_weight, scores.shape, dtype)
    value = np.empty((), dtype)
    call(name, dtype, scores, y, weights, scores.size, 1.0 if max_fpr is None else max_fpr, value)
    return scalar(value)


@documented
def average_precision(scores: Any, y: Any, *, sample_weight: Any = None) -> Any:
    """Average precision, the area under the precision-recall curve by the step rule.

    Equal to ``sklearn.metrics.average_precision_score``. Needs the memory of the scores (and weights) once more.

    Examples
    --------
    >>> import losskit
    >>> losskit.average_precision([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]).round(7).item()
    0.9166667
    """
    name = "average_precision"
    dtype, scores, y = _binary(name, scores, y)
    weights = _weights(name, sample_weight, scores.shape, dtype)
    value = np.empty((), dtype)
    call(name, dtype, scores, y, weights, scores.size, value)
    return scalar(value)


@documented
def fpr_at_tpr(scores: Any, y: Any, *, tpr: float = 0.95) -> Tuple[Any, Any]:
    """False positive rate, and threshold, where the true positive rate first reaches ``tpr``: ``(fpr, threshold)``.

    Examples
    --------
    >>> import losskit
    >>> fpr, threshold = losskit.fpr_at_tpr([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1])
    >>> fpr.round(7).item(), threshold.item()
    (0.3333333, 0.4)
    """
    name = "fpr_at_tpr"
    dtype, scores, y = _binary(name, scores, y)
    fpr, threshold = np.empty((), dtype), np.empty((), dtype)
    call(name, dtype, scores, y, scores.size, tpr, fpr, threshold)
    return scalar(fpr), scalar(threshold)


@documented
def equal_error_rate(scores: Any, y: Any) -> Any:
    """Equal error rate: where false positive and false negative rate meet, interpolated.

    ``torchmetrics`` takes the nearest threshold instead.

    Examples
    --------
    >>> import losskit
    >>> losskit.equal_error_rate([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]).round(7).item()
    0.3333333
    """
    name = "equal_error_rate"
    dtype, scores, y = _binary(name, scores, y)
    value = np.empty((), dtype)
    call(name, dtype, scores, y, scores.size, value)
    return scalar(value)


@documented
def detection_auroc(scores_in: Any, scores_out: Any) -> Any:
    """The probability that an in-distribution sample scores higher than one out of distribution, ties counted by half.

    Examples
    --------
    >>> import losskit
    >>> losskit.detection_auroc([0.9, 0.4, 0.7], [0.4, 0.1]).round(7).item()
    0.9166667
    """
    name = "detection_auroc"
    dtype, scores_in, scores_out = as_reals(name, scores_in, scores_out)
    value = np.empty((), dtype)
    call(name, dtype, scores_in, scores_out, scores_in.size, scores_out.size, value)
    return scalar(value)


def _columns(name: str, what: str, x: np.ndarray) -> Tuple[int, int]:
    if x.ndim != 2:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {x.shape}, expected two dimensions")
    return x.shape


@documented
def roc_auc_multiclass(probs: Any, y: Any, *, multi_class: str = "ovr", average: str = "macro") -> Any:
    """Area under the ROC curve of ``probs[N, C]``: the mean over classes (``"ovr"``) or pairs of them (``"ovo"``).

    Equal to ``sklearn.metrics.roc_auc_score``, where all classes occur.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.roc_auc_multiclass(probs, [0, 1, 2, 2]).round(7).item()
    0.9166667
    """
    name = "roc_auc_multiclass"
    dtype, probs = as_reals(name, probs)
    y = as_integers(name, "y", y)
    rows, classes = _columns(name, "probs", probs)
    check_shape(name, "y", y, (rows,))
    value = np.empty((), dtype)
    call(name, dtype, probs, y, rows, classes, multi_class, average, value)
    return scalar(value)


@documented
def macro_auc(scores: Any, targets: Any) -> Tuple[Any, np.ndarray]:
    """Macro-averaged AUC of ``scores[N, C]`` with multi-label targets of 0 and 1: ``(mean, auc[C])``.

    Equal to ``sklearn.metrics.roc_auc_score`` with ``average="macro"``, where every label has both kinds.

    Examples
    --------
    >>> import losskit
    >>> scores = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> mean, auc = losskit.macro_auc(scores, [[1, 0, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1]])
    >>> mean.item(), auc.tolist()
    (1.0, [1.0, 1.0, 1.0])
    """
    name = "macro_auc"
    dtype, scores = as_reals(name, scores)
    rows, labels = _columns(name, "scores", scores)
    (targets,) = as_reals_like(name, dtype, targets)
    check_shape(name, "targets", targets, scores.shape)
    value, auc = np.empty((), dtype), np.empty(labels, dtype)
    call(name, dtype, scores, targets, rows, labels, value, auc)
    return scalar(value), auc


# --- Rankings of documents -------------------------------------------------------------------------------------------


def _rankings(name: str, scores: Any, relevance: Any, k: Optional[int], *parameters: Any) -> Tuple[Any, np.ndarray]:
    dtype, scores, relevance = as_reals(name, scores, relevance)
    queries, documents = _columns(name, "scores", scores)
    check_shape(name, "relevance", relevance, scores.shape)
    value, per_query = np.empty((), dtype), np.empty(queries, dtype)
    cut = max(documents, 1) if k is None else k
    call(name, dtype, scores, relevance, queries, documents, cut, *parameters, value, per_query)
    return scalar(value), per_query


@documented
def ndcg_score(
    scores: Any, relevance: Any, *, k: Optional[int] = None, gain: str = "linear", ties: str = "average"
) -> Tuple[Any, np.ndarray]:
    """Normalised discounted cumulative gain of ``scores[Q, D]``: ``(mean, per_query[Q])``.

    The mean is that of ``sklearn.metrics.ndcg_score``, with ``ties="index"`` that of ``ignore_ties=True`` where no
    scores are equal.

    Examples
    --------
    >>> import losskit
    >>> scores, relevance = [[0.9, 0.1, 0.4, 0.4], [0.2, 0.8, 0.5, 0.3]], [[1, 0, 2, 0], [0, 0, 1, 1]]
    >>> mean, per_query = losskit.ndcg_score(scores, relevance)
    >>> mean.round(7).item(), per_query.round(7).tolist()
    (0.7516898, [0.8099531, 0.6934264])
    """
    return _rankings("ndcg_score", scores, relevance, k, gain, ties)


@documented
def mean_reciprocal_rank(scores: Any, relevance: Any, *, k: Optional[int] = None) -> Tuple[Any, np.ndarray]:
    """Mean reciprocal rank of the first relevant document of ``scores[Q, D]``: ``(mean, per_query[Q])``.

    The mean is that of ``torchmetrics.RetrievalMRR(empty_target_action="skip")``.

    Examples
    --------
    >>> import losskit
    >>> scores, relevance = [[0.9, 0.1, 0.4, 0.4], [0.2, 0.8, 0.5, 0.3]], [[1, 0, 2, 0], [0, 0, 1, 1]]
    >>> mean, per_query = losskit.mean_reciprocal_rank(scores, relevance)
    >>> mean.item(), per_query.tolist()
    (0.75, [1.0, 0.5])
    """
    return _rankings("mean_reciprocal_rank", scores, relevance, k)


@documented
def recall_at_k(scores: Any, relevance: Any, *, k: int = 10) -> Tuple[Any, np.ndarray]:
    """How many of the relevant documents of ``scores[Q, D]`` are among the first k: ``(mean, per_query[Q])``.

    The mean is that of ``torchmetrics.RetrievalRecall(empty_target_action="skip")``.

    Examples
    --------
    >>> import losskit
    >>> scores, relevance = [[0.9, 0.1, 0.4, 0.4], [0.2, 0.8, 0.5, 0.3]], [[1, 0, 2, 0], [0, 0, 1, 1]]
    >>> mean, per_query = losskit.recall_at_k(scores, relevance, k=2)
    >>> mean.item(), per_query.tolist()
    (0.75, [1.0, 0.5])
    """
    return _rankings("recall_at_k", scores, relevance, k)


@documented
def precision_at_k(scores: Any, relevance: Any, *, k: int = 10) -> Tuple[Any, np.ndarray]:
    """How many of the first k documents of ``scores[Q, D]`` are relevant: ``(mean, per_query[Q])``.

    The mean is that of ``torchmetrics.RetrievalPrecision(empty_target_action="skip")``.

    Examples
    --------
    >>> import losskit
    >>> scores, relevance = [[0.9, 0.1, 0.4, 0.4], [0.2, 0.8, 0.5, 0.3]], [[1, 0, 2, 0], [0, 0, 1, 1]]
    >>> mean, per_query = losskit.precision_at_k(scores, relevance, k=2)
    >>> mean.item(), per_query.tolist()
    (0.75, [1.0, 0.5])
    """
    return _rankings("precision_at_k", scores, relevance, k)


@documented
def mean_average_precision(scores: Any, relevance: Any, *, k: Optional[int] = None) -> Tuple[Any, np.ndarray]:
    """Mean average precision of the rankings ``scores[Q, D]``: ``(mean, per_query[Q])``.

    Without ``k`` the mean is that of ``torchmetrics.RetrievalMAP(empty_target_action="skip")``.

    Examples
    --------
    >>> import losskit
    >>> scores, relevance = [[0.9, 0.1, 0.4, 0.4], [0.2, 0.8, 0.5, 0.3]], [[1, 0, 2, 0], [0, 0, 1, 1]]
    >>> mean, per_query = losskit.mean_average_precision(scores, relevance)
    >>> mean.round(7).item(), per_query.round(7).tolist()
    (0.7916667, [1.0, 0.5833333])
    """
    return _rankings("mean_average_precision", scores, relevance, k)
