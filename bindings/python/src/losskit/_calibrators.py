"""Post-hoc calibrators: fits, and what applies them."""

from __future__ import annotations

import warnings
from typing import Any, Tuple

import numpy as np

from ._core import (
    as_array,
    as_integers,
    as_reals,
    as_reals_like,
    call,
    check_shape,
    documented,
    empty,
    fail,
    rows_of,
    scalar,
)
from ._losses import check_reduction
from ._probabilities import bin_count, labelled_probabilities

__all__ = [
    "beta_calibration_apply",
    "beta_calibration_fit",
    "binning_apply",
    "correctness_aware_loss",
    "dirichlet_calibration_fit",
    "ensemble_temperature_scaling_fit",
    "group_fairness",
    "histogram_binning_fit",
    "isotonic_calibration_apply",
    "isotonic_calibration_fit",
    "isotonic_regression",
    "isotonic_regression_vjp",
    "matrix_scaling_fit",
    "multicalibrate",
    "multicalibration_audit",
    "platt_scaling_fit",
    "scaling_binning_fit",
    "temperature_scaling_fit",
    "vector_scaling_fit",
]


def _labelled_rows(name: str, x: Any, y: Any, what: str) -> Tuple[np.dtype, np.ndarray, np.ndarray]:
    """Rows of scores with a label each."""
    dtype, x = as_reals(name, x)
    y = as_integers(name, "y", y)
    if x.ndim == 0:
        raise fail("INVALID_SHAPE", name, f"{what} has shape (), expected [N, C]")
    check_shape(name, "y", y, x.shape[:-1])
    return dtype, x, y


def _binary(name: str, x: Any, y: Any, what: str = "y") -> Tuple[np.dtype, np.ndarray, np.ndarray]:
    """Numbers with a label 0 or 1 each."""
    dtype, x = as_reals(name, x)
    y = as_integers(name, what, y)
    check_shape(name, what, y, x.shape)
    return dtype, x, y


def _scalars(count: int, dtype: Any) -> Tuple[np.ndarray, ...]:
    return tuple(np.empty((), dtype) for _ in range(count))


def _warn_unless(converged: np.ndarray, name: str, why: str, stacklevel: int = 3) -> None:
    if not converged:
        warnings.warn(f"{name} has not converged: {why}", RuntimeWarning, stacklevel=stacklevel)


_SEPARABLE = "the data are separable, or too ill-conditioned; more extreme parameters would fit still better"


@documented
def temperature_scaling_fit(logits: Any, y: Any, *, t_min: float = 0.01, t_max: float = 100.0) -> Tuple[Any, Any]:
    """Temperature scaling: ``(T, nll)``, the T for which ``softmax(logits / T)`` is most likely, and its mean NLL.

    Examples
    --------
    >>> import losskit
    >>> logits = [[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]]
    >>> temperature, nll = losskit.temperature_scaling_fit(logits, [0, 1, 0, 2])
    >>> temperature.round(7).item(), nll.round(7).item()
    (0.4880899, 0.4575499)
    """
    name = "temperature_scaling_fit"
    dtype, logits, y = _labelled_rows(name, logits, y, "logits")
    temperature, nll = _scalars(2, dtype)
    call(name, dtype, logits, y, y.size, logits.shape[-1], t_min, t_max, temperature, nll)
    return scalar(temperature), scalar(nll)


@documented
def vector_scaling_fit(logits: Any, y: Any) -> Tuple[np.ndarray, np.ndarray, Any]:
    """Vector scaling: ``(w, b, nll)`` for which ``softmax(w * logits + b)`` is most likely, and its mean NLL.

    Warns if the fit has not converged, as on separable data.

    Examples
    --------
    >>> import losskit
    >>> logits = [[1, 0], [0.5, -0.5], [-1, 1], [0, 0.8], [0.3, 0.1], [2, -1], [1, 0], [-1, 1]]
    >>> w, b, nll = losskit.vector_scaling_fit(logits, [0, 1, 1, 0, 1, 0, 1, 0])
    >>> w.round(6).tolist(), b.round(7).tolist(), nll.round(7).item()
    ([2.695274, -3.695516], [-0.8099911, 0.8099911], 0.5803318)
    """
    name = "vector_scaling_fit"
    dtype, logits, y = _labelled_rows(name, logits, y, "logits")
    classes = logits.shape[-1]
    w, b = empty((classes,), dtype), empty((classes,), dtype)
    (nll,), converged = _scalars(1, dtype), np.empty((), np.uint8)
    call(name, dtype, logits, y, y.size, classes, w, b, nll, converged)
    _warn_unless(converged, name, _SEPARABLE)
    return w, b, scalar(nll)


def _matrix_fit(name: str, x: Any, y: Any, what: str, *parameters: Any) -> Tuple[np.ndarray, np.ndarray, Any]:
    dtype, x, y = _labelled_rows(name, x, y, what)
    classes = x.shape[-1]
    w, b = empty((classes, classes), dtype), empty((classes,), dtype)
    (objective,), converged = _scalars(1, dtype), np.empty((), np.uint8)
    call(name, dtype, x, y, y.size, classes, *parameters, w, b, objective, converged)
    _warn_unless(converged, name, _SEPARABLE, stacklevel=4)
    return w, b, scalar(objective)


@documented
def matrix_scaling_fit(
    logits: Any, y: Any, *, reg_lambda: float = 0.001, reg_mu: float = 0.001
) -> Tuple[np.ndarray, np.ndarray, Any]:
    """Matrix scaling with ODIR: ``(W, b, objective)`` of the best ``softmax(W @ logits + b)``.

    Warns if the fit has not converged.

    Examples
    --------
    >>> import losskit
    >>> logits = [[1, 0], [0.5, -0.5], [-1, 1], [0, 0.8], [0.3, 0.1], [2, -1], [1, 0], [-1, 1]]
    >>> w, b, objective = losskit.matrix_scaling_fit(logits, [0, 1, 1, 0, 1, 0, 1, 0])
    >>> w.diagonal().round(6).tolist(), b.round(7).tolist(), objective.round(7).item()
    ([2.674505, -3.66497], [-0.8013871, 0.8013871], 0.5809809)
    """
    return _matrix_fit("matrix_scaling_fit", logits, y, "logits", reg_lambda, reg_mu)


@documented
def dirichlet_calibration_fit(
    probs: Any, y: Any, *, reg_lambda: float = 0.001, reg_mu: float = 0.001, eps: float = 1e-12
) -> Tuple[np.ndarray, np.ndarray, Any]:
    """Dirichlet calibration: ``(W, b, objective)`` of the best ``softmax(W @ log(max(probs, eps)) + b)``.

    Warns if the fit has not converged.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> w, b, objective = losskit.dirichlet_calibration_fit(probs, [0, 1, 2, 0], reg_lambda=0.1, reg_mu=0.1)
    >>> w[0].round(6).tolist(), b.round(7).tolist(), objective.round(7).item()
    ([1.752146, -1.089474, 0.40458], [-0.2105069, 0.1686653, 0.0418416], 0.4641187)
    """
    return _matrix_fit("dirichlet_calibration_fit", probs, y, "probs", reg_lambda, reg_mu, eps)


@documented
def platt_scaling_fit(scores: Any, y: Any, *, target_smoothing: bool = True) -> Tuple[Any, Any, Any]:
    """Platt scaling: ``(a, b, loss)`` of the best ``sigmoid(a * scores + b)``.

    Warns if the fit has not converged, as on scores that separate the labels without ``target_smoothing``. Agrees with
    scikit-learn's sigmoid calibration, where A = -a and B = -b.

    Examples
    --------
    >>> import losskit
    >>> fit = losskit.platt_scaling_fit([-2, -1, 0.5, 1, 2, 3], [0, 0, 1, 0, 1, 1])
    >>> [x.round(7).item() for x in fit]
    [0.6003693, -0.3620306, 0.5883893]
    """
    name = "platt_scaling_fit"
    dtype, scores, y = _binary(name, scores, y)
    fit, converged = _scalars(3, dtype), np.empty((), np.uint8)
    call(name, dtype, scores, y, y.size, target_smoothing, *fit, converged)
    _warn_unless(converged, name, _SEPARABLE)
    a, b, loss = map(scalar, fit)
    return a, b, loss


@documented
def beta_calibration_fit(
    probs: Any, y: Any, *, variant: str = "abm", eps: float = 1e-12
) -> Tuple[Any, Any, Any, Any]:
    """Beta calibration: ``(a, b, c, loss)`` of the best ``sigmoid(a log p - b log(1 - p) + c)`` with a, b >= 0.

    Warns if the fit has not converged. Agrees with the package betacal where no coefficient is negative.

    Examples
    --------
    >>> import losskit
    >>> fit = losskit.beta_calibration_fit([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1])
    >>> [x.round(6).item() for x in fit]
    [0.65319, 1.834266, -1.217274, 0.458951]
    """
    name = "beta_calibration_fit"
    dtype, probs, y = _binary(name, probs, y)
    fit, converged = _scalars(4, dtype), np.empty((), np.uint8)
    call(name, dtype, probs, y, y.size, variant, eps, *fit, converged)
    _warn_unless(converged, name, _SEPARABLE)
    a, b, c, loss = map(scalar, fit)
    return a, b, c, loss


@documented
def beta_calibration_apply(probs: Any, *, a: float, b: float, c: float, eps: float = 1e-12) -> Any:
    """Applies a beta calibration: ``sigmoid(a log p - b log(1 - p) + c)``.

    Examples
    --------
    >>> import losskit
    >>> losskit.beta_calibration_apply([0.2, 0.7], a=0.5, b=1.5, c=0.1).round(7).tolist()
    [0.4085401, 0.849108]
    """
    name = "beta_calibration_apply"
    dtype, probs = as_reals(name, probs)
    output = empty(probs.shape, dtype)
    call(name, dtype, probs, probs.size, a, b, c, eps, output)
    return scalar(output)


@documented
def histogram_binning_fit(
    conf: Any, correct: Any, *, n_bins: int = 15, binning: str = "uniform"
) -> Tuple[np.ndarray, np.ndarray]:
    """Histogram binning: ``(edges, values)``, the share of hits in each bin, for :func:`binning_apply`.

    With ``binning="midpoint"`` as in uncertainty-calibration.

    Examples
    --------
    >>> import losskit
    >>> edges, values = losskit.histogram_binning_fit(
    ...     [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1], n_bins=3)
    >>> edges.round(7).tolist(), values.round(7).tolist()
    ([0.0, 0.3333333, 0.6666667, 1.0], [0.0, 0.3333333, 1.0])
    """
    name = "histogram_binning_fit"
    dtype, conf, correct = _binary(name, conf, correct, "correct")
    n_bins = bin_count(name, n_bins)
    edges, values = np.empty(n_bins + 1, dtype), np.empty(n_bins, dtype)
    call(name, dtype, conf, correct, conf.size, n_bins, binning, edges, values)
    return edges, values


@documented
def binning_apply(conf: Any, edges: Any, values: Any) -> Any:
    """Applies a calibration by bins: the value of the bin of each confidence.

    Examples
    --------
    >>> import losskit
    >>> losskit.binning_apply([0, 0.5, 0.7], [0, 0.5, 1], [0.2, 0.9]).tolist()
    [0.2, 0.2, 0.9]
    """
    name = "binning_apply"
    dtype, conf, edges, values = as_reals(name, conf, edges, values)
    if values.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"values has shape {values.shape}, expected [n_bins]")
    check_shape(name, "edges", edges, (values.size + 1,))
    output = empty(conf.shape, dtype)
    call(name, dtype, conf, conf.size, edges, values, values.size, output)
    return scalar(output)


@documented
def scaling_binning_fit(
    conf: Any, correct: Any, *, n_bins: int = 15, eps: float = 1e-12
) -> Tuple[Any, Any, np.ndarray, np.ndarray]:
    """The scaling-binning calibrator: ``(a, b, edges, values)``.

    Apply with ``binning_apply(sigmoid(a * logit(conf) + b), edges, values)``. Warns if the logistic fit has not converged.
    Agrees with uncertainty-calibration.

    Examples
    --------
    >>> import losskit
    >>> a, b, edges, values = losskit.scaling_binning_fit(
    ...     [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1], n_bins=2)
    >>> a.round(6).item(), b.round(7).item(), edges.round(7).tolist(), values.round(7).tolist()
    (1.277008, -0.2538461, [0.0, 0.4735824, 1.0], [0.2070785, 0.7929215])
    """
    name = "scaling_binning_fit"
    dtype, conf, correct = _binary(name, conf, correct, "correct")
    n_bins = bin_count(name, n_bins)
    (a, b), edges, values = _scalars(2, dtype), np.empty(n_bins + 1, dtype), np.empty(n_bins, dtype)
    converged = np.empty((), np.uint8)
    call(name, dtype, conf, correct, conf.size, n_bins, eps, a, b, edges, values, converged)
    _warn_unless(converged, name, _SEPARABLE)
    return scalar(a), scalar(b), edges, values


def _sequence(name: str, values: Any, sample_weight: Any) -> Tuple[np.dtype, np.ndarray, Any]:
    dtype, values = as_reals(name, values)
    if values.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"values has shape {values.shape}, expected [N]")
    (sample_weight,) = as_reals_like(name, dtype, sample_weight)
    check_shape(name, "sample_weight", sample_weight, values.shape)
    return dtype, values, sample_weight


@documented
def isotonic_regression(
    values: Any, *, sample_weight: Any = None, increasing: bool = True, grad: bool = False
) -> Any:
    """Isotonic regression: the monotone sequence nearest to ``values``; with ``grad`` also the Jacobian ``[N, N]``.

    Agrees with ``sklearn.isotonic.isotonic_regression`` and ``scipy.optimize.isotonic_regression``.

    Examples
    --------
    >>> import losskit
    >>> fit, jacobian = losskit.isotonic_regression([1, 3, 2, 2.5, 4], grad=True)
    >>> fit.tolist(), jacobian.sum(0).round(7).tolist()
    ([1.0, 2.5, 2.5, 2.5, 4.0], [1.0, 1.0, 1.0, 1.0, 1.0])
    """
    name = "isotonic_regression"
    dtype, values, sample_weight = _sequence(name, values, sample_weight)
    output = empty(values.shape, dtype)
    jacobian = empty((values.size, values.size), dtype) if grad else None
    call(name, dtype, values, values.size, sample_weight, increasing, output, jacobian)
    return (output, jacobian) if grad else output


@documented
def isotonic_regression_vjp(
    values: Any, grad_output: Any, *, sample_weight: Any = None, increasing: bool = True
) -> np.ndarray:
    """Vector-Jacobian product of :func:`isotonic_regression`.

    Examples
    --------
    >>> import losskit
    >>> losskit.isotonic_regression_vjp([1, 3, 2, 2.5, 4], [0, 1, 0, 0, 0]).round(7).tolist()
    [0.0, 0.3333333, 0.3333333, 0.3333333, 0.0]
    """
    name = "isotonic_regression_vjp"
    dtype, values, grad_output = as_reals(name, values, grad_output)
    dtype, values, sample_weight = _sequence(name, values, sample_weight)
    check_shape(name, "grad_output", grad_output, values.shape)
    output = empty(values.shape, dtype)
    call(name, dtype, values, grad_output, values.size, sample_weight, increasing, output)
    return output


@documented
def isotonic_calibration_fit(
    conf: Any, correct: Any, *, sample_weight: Any = None, centered: bool = False
) -> Tuple[np.ndarray, np.ndarray]:
    """Isotonic calibration: ``(knots_x, knots_y)`` of the best non-decreasing map, for :func:`isotonic_calibration_apply`.

    Agrees with ``sklearn.isotonic.IsotonicRegression(out_of_bounds="clip")``.

    Examples
    --------
    >>> import losskit
    >>> x, y = losskit.isotonic_calibration_fit(
    ...     [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1], centered=True)
    >>> x.round(7).tolist(), y.tolist()
    ([0.1, 0.225, 0.525, 0.85, 0.9], [0.0, 0.0, 0.5, 1.0, 1.0])
    """
    name = "isotonic_calibration_fit"
    dtype, conf, correct = _binary(name, conf, correct, "correct")
    (sample_weight,) = as_reals_like(name, dtype, sample_weight)
    check_shape(name, "sample_weight", sample_weight, conf.shape)
    capacity = conf.size + 1
    x, y, count = np.empty(capacity, dtype), np.empty(capacity, dtype), np.empty((), np.intp)
    call(name, dtype, conf, correct, conf.size, sample_weight, centered, x, y, capacity, count)
    return x[: int(count)].copy(), y[: int(count)].copy()


@documented
def isotonic_calibration_apply(conf: Any, knots_x: Any, knots_y: Any) -> Any:
    """Applies an isotonic calibration: linear between the knots, constant outside.

    Examples
    --------
    >>> import losskit
    >>> losskit.isotonic_calibration_apply([0, 0.25, 0.9], [0.1, 0.4], [0.2, 0.8]).round(7).tolist()
    [0.2, 0.5, 0.8]
    """
    name = "isotonic_calibration_apply"
    dtype, conf, knots_x, knots_y = as_reals(name, conf, knots_x, knots_y)
    if knots_x.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"knots_x has shape {knots_x.shape}, expected [K]")
    check_shape(name, "knots_y", knots_y, knots_x.shape)
    output = empty(conf.shape, dtype)
    call(name, dtype, conf, conf.size, knots_x, knots_y, knots_x.size, output)
    return scalar(output)


@documented
def ensemble_temperature_scaling_fit(
    logits: Any, y: Any, *, loss: str = "mse", max_iter: int = 10000, tol: float = 1e-12
) -> Tuple[Any, np.ndarray, Any]:
    """Ensemble temperature scaling: ``(T, w, objective)`` of ``w[0] softmax(z/T) + w[1] softmax(z) + w[2]/C``.

    Warns if expectation maximisation (``loss="ce"``) has used up ``max_iter``.

    Parameters
    ----------
    loss : {'mse', 'ce'}, default 'mse'
        What the weights minimise: the mean squared error, or the mean negative log-likelihood.

    Examples
    --------
    >>> import losskit
    >>> logits = [[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]]
    >>> temperature, w, objective = losskit.ensemble_temperature_scaling_fit(logits, [0, 1, 0, 2])
    >>> temperature.round(7).item(), w.round(7).tolist(), objective.round(7).item()
    (0.4880899, [0.6613318, 0.3386682, 0.0], 0.1033095)
    """
    name = "ensemble_temperature_scaling_fit"
    dtype, logits, y = _labelled_rows(name, logits, y, "logits")
    temperature, objective = _scalars(2, dtype)
    w, converged = np.empty(3, dtype), np.empty((), np.uint8)
    call(
        name, dtype, logits, y, y.size, logits.shape[-1], loss, max_iter, tol, temperature, w, objective, converged
    )
    _warn_unless(converged, name, "max_iter is too small for tol")
    return scalar(temperature), w, scalar(objective)


@documented
def correctness_aware_loss(
    logits: Any, y: Any, *, balanced: bool = True, reduction: str = "mean", grad: bool = False, axis: int = -1
) -> Any:
    """Correctness-aware loss: confidence should be 1 where the prediction is right, 0 where it is wrong.

    Examples
    --------
    >>> import losskit
    >>> logits = [[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]]
    >>> losskit.correctness_aware_loss(logits, [0, 1, 0, 2]).round(7).item()
    0.2323646
    """
    name = "correctness_aware_loss"
    dtype, logits = as_reals(name, logits)
    rows = rows_of(name, logits, axis)
    y = as_integers(name, "y", y)
    check_shape(name, "y", y, rows.shape)
    check_reduction(name, reduction)
    loss = empty(rows.shape if reduction == "none" else (), dtype)
    gradient = empty(logits.shape, dtype) if grad else None
    call(name, dtype, logits, y, *rows[:3], balanced, reduction, loss, gradient)
    return (scalar(loss), gradient) if grad else scalar(loss)




def _members(name: str, groups: Any, count: int) -> np.ndarray:
    """Membership ``[N, G]`` as bytes."""
    array = as_array(groups, name)
    if array.ndim != 2 or array.shape[0] != count:
        raise fail("INVALID_SHAPE", name, f"groups has shape {array.shape}, expected ({count}, G)")
    if array.dtype.kind not in "fiub" or (array.dtype.kind == "f" and np.isnan(array).any()):
        raise fail("INVALID_VALUE", name, "groups must be numbers, not 0 for members")
    return np.ascontiguousarray(array != 0).view(np.uint8)


@documented
def multicalibration_audit(
    probs: Any, y: Any, groups: Any, *, n_bins: int = 10
) -> Tuple[np.ndarray, np.ndarray, Any]:
    """Multicalibration audit: ``(mass, gap, violation)`` of every group in every bin, and the greatest ``mass * |gap|``.

    Examples
    --------
    >>> import losskit
    >>> probs, y = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> groups = [[1, 1], [1, 0], [1, 1], [1, 0], [1, 1], [1, 0]]
    >>> mass, gap, violation = losskit.multicalibration_audit(probs, y, groups, n_bins=2)
    >>> mass.round(7).tolist(), gap.round(7).tolist(), violation.round(7).item()
    ([[0.5, 0.5], [0.3333333, 0.1666667]], [[0.05, -0.1166667], [0.25, 0.2]], 0.0833333)
    """
    name = "multicalibration_audit"
    dtype, probs, y = _binary(name, probs, y)
    groups = _members(name, groups, probs.size)
    n_bins = bin_count(name, n_bins)
    shape = (groups.shape[1], n_bins)
    mass, gap, violation = np.empty(shape, dtype), np.empty(shape, dtype), np.empty((), dtype)
    call(name, dtype, probs, y, groups, probs.size, groups.shape[1], n_bins, mass, gap, violation)
    return mass, gap, scalar(violation)


@documented
def multicalibrate(
    probs: Any, y: Any, groups: Any, *, alpha: float = 0.01, n_bins: int = 10, max_iter: int = 1000
) -> Tuple[np.ndarray, int]:
    """Multicalibration: ``(p, updates)``, probabilities that are calibrated for every group in every bin.

    Warns if ``max_iter`` updates were not enough.

    Examples
    --------
    >>> import losskit
    >>> probs, y = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> groups = [[1, 1], [1, 0], [1, 1], [1, 0], [1, 1], [1, 0]]
    >>> p, updates = losskit.multicalibrate(probs, y, groups, n_bins=2, alpha=0.05)
    >>> p.round(7).tolist(), updates
    ([0.0, 0.0, 0.9625, 0.53125, 1.0, 0.78125], 5)
    """
    name = "multicalibrate"
    dtype, probs, y = _binary(name, probs, y)
    groups = _members(name, groups, probs.size)
    n_bins = bin_count(name, n_bins)
    output, updates, violation = empty(probs.shape, dtype), np.empty((), np.intp), np.empty((), dtype)
    call(
        name, dtype, probs, y, groups, probs.size, groups.shape[1], alpha, n_bins, max_iter, output, updates, violation
    )
    _warn_unless(np.asarray(not violation > alpha), name, f"a violation of {violation:.3g} is left")
    return output, int(updates)


@documented
def group_fairness(pred: Any, y: Any, group: Any, *, num_groups: int) -> Tuple[np.ndarray, Any, Any, Any]:
    """Group fairness: ``(rates, dp, eo, opp)``: rates ``[G, 4]`` are positive rate, TPR, FPR and accuracy of each group.

    Demographic parity, equalized odds and equal opportunity are differences between groups, as in fairlearn.

    Examples
    --------
    >>> import losskit
    >>> rates, dp, eo, opp = losskit.group_fairness(
    ...     [1, 0, 1, 1, 0, 0], [0, 0, 1, 0, 1, 1], [0, 0, 0, 1, 1, 1], num_groups=2)
    >>> rates.round(7).tolist(), dp.round(7).item(), eo.item(), opp.item()
    ([[0.6666667, 1.0, 0.5, 0.6666667], [0.3333333, 0.0, 1.0, 0.0]], 0.3333333, 1.0, 1.0)
    """
    name = "group_fairness"
    pred, y, group = (as_integers(name, what, x) for what, x in (("pred", pred), ("y", y), ("group", group)))
    check_shape(name, "y", y, pred.shape)
    check_shape(name, "group", group, pred.shape)
    if isinstance(num_groups, bool) or not isinstance(num_groups, (int, np.integer)) or not 1 <= num_groups < 1 << 40:
        raise fail("INVALID_PARAMETER", name, f"num_groups is {num_groups!r}, expected a positive integer")
    dtype = np.dtype(np.float64)
    rates, (dp, eo, opp) = np.empty((num_groups, 4), dtype), _scalars(3, dtype)
    call(name, dtype, pred, y, group, pred.size, num_groups, rates, dp, eo, opp)
    return rates, scalar(dp), scalar(eo), scalar(opp)
