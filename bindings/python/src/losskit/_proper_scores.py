"""Proper scores, selective prediction, regression intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, Tuple

import numpy as np

from ._core import as_integers, as_reals, call, check_shape, documented, fail, scalar
from ._probabilities import bin_count, labelled_probabilities

__all__ = [
    "aurc",
    "brier_decomposition",
    "brier_score",
    "ence",
    "ensemble_uncertainty",
    "hinge_loss",
    "log_loss",
    "picp_mpiw",
    "regression_calibration_error",
    "risk_coverage_curve",
    "uncertainty_calibration_error",
]


def _loss(
    name: str, probs: Any, y: Any, parameter: Any, sample_weight: Any, reduction: str, grad: bool, axis: int
) -> Any:
    _, probs, sample_weight = as_reals(name, probs, sample_weight)
    if axis != -1 and probs.ndim > 1:
        try:
            probs = np.moveaxis(probs, axis, -1)
        except (TypeError, ValueError) as error:
            raise fail("INVALID_PARAMETER", name, f"axis: {error}") from None
    dtype, probs, y, classes = labelled_probabilities(name, probs, y)
    check_shape(name, "sample_weight", sample_weight, y.shape)
    loss = np.empty(y.shape if reduction == "none" else (), dtype)
    gradient = np.empty_like(probs) if grad else None
    call(name, dtype, probs, y, y.size, classes, parameter, sample_weight, reduction, loss, gradient)
    if gradient is not None and axis != -1 and probs.ndim > 1:
        gradient = np.ascontiguousarray(np.moveaxis(gradient, -1, axis))
    return (scalar(loss), gradient) if grad else scalar(loss)


def _numbers(name: str, outputs: int, *arguments: Any) -> Any:
    """Numbers of one-dimensional arrays of the same length; what is no array comes after them."""
    arrays = [argument for argument in arguments if not isinstance(argument, int)]
    dtype, *arrays = as_reals(name, *arrays)
    if arrays[0].ndim != 1:
        raise fail("INVALID_SHAPE", name, f"an array of shape {arrays[0].shape} where [N] is wanted")
    for array in arrays:
        check_shape(name, "an array", array, arrays[0].shape)
    values = [np.empty((), dtype) for _ in range(outputs)]
    call(name, dtype, *arrays, arrays[0].size, *arguments[len(arrays) :], *values)
    return tuple(map(scalar, values)) if outputs > 1 else scalar(values[0])


@documented
def brier_score(
    probs: Any,
    y: Any,
    *,
    scale_by_half: bool = False,
    sample_weight: Any = None,
    reduction: str = "mean",
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Brier score, ``probs[N]`` (binary) or ``[N, C]``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.brier_score(probs, [0, 1, 2, 2]).round(7).item()
    0.405
    """
    return _loss("brier_score", probs, y, bool(scale_by_half), sample_weight, reduction, grad, axis)


@documented
def log_loss(
    probs: Any,
    y: Any,
    *,
    eps: float = 1e-12,
    sample_weight: Any = None,
    reduction: str = "mean",
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Log loss of probabilities, ``probs[N]`` (binary) or ``[N, C]``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.log_loss(probs, [0, 1, 2, 2]).round(7).item()
    0.746941
    """
    return _loss("log_loss", probs, y, eps, sample_weight, reduction, grad, axis)


@documented
def hinge_loss(
    scores: Any,
    y: Any,
    *,
    squared: bool = False,
    sample_weight: Any = None,
    reduction: str = "mean",
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Hinge loss, ``scores[N]`` (binary) or ``[N, C]``.

    Examples
    --------
    >>> import losskit
    >>> losskit.hinge_loss([[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]], [0, 1, 0, 2]).item()
    0.5
    """
    return _loss("hinge_loss", scores, y, bool(squared), sample_weight, reduction, grad, axis)


@documented
def brier_decomposition(
    probs: Any, y: Any, *, n_bins: int = 10, binning: str = "uniform", edge: str = "right"
) -> Tuple[Any, Any, Any, Any, Any]:
    """The parts of the Brier score of binary probabilities: ``(REL, RES, UNC, WBV, WBC)``.

    Examples
    --------
    >>> import losskit
    >>> parts = losskit.brier_decomposition([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1], n_bins=3)
    >>> [x.round(7).item() for x in parts]
    [0.0180556, 0.1388889, 0.25, 0.0094444, -0.0222222]
    """
    name = "brier_decomposition"
    dtype, probs = as_reals(name, probs)
    y = as_integers(name, "y", y)
    if probs.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"probs has shape {probs.shape}, expected [N]")
    check_shape(name, "y", y, probs.shape)
    parts = [np.empty((), dtype) for _ in range(5)]
    call(name, dtype, probs, y, y.size, bin_count(name, n_bins), binning, edge, *parts)
    return tuple(map(scalar, parts))  # type: ignore[return-value]


@documented
def risk_coverage_curve(confidence: Any, risk: Any) -> Tuple[np.ndarray, np.ndarray]:
    """Risk-coverage curve: ``(coverage[N], risk[N])``.

    Examples
    --------
    >>> import losskit
    >>> coverage, risk = losskit.risk_coverage_curve([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [1, 1, 0, 1, 0, 0])
    >>> risk.round(7).tolist()
    [0.0, 0.0, 0.3333333, 0.25, 0.4, 0.5]
    """
    name = "risk_coverage_curve"
    dtype, confidence, risk = as_reals(name, confidence, risk)
    if confidence.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"confidence has shape {confidence.shape}, expected [N]")
    check_shape(name, "risk", risk, confidence.shape)
    coverage, selective = np.empty_like(confidence), np.empty_like(confidence)
    call(name, dtype, confidence, risk, confidence.size, coverage, selective)
    return coverage, selective


@documented
def aurc(confidence: Any, risk: Any) -> Tuple[Any, Any]:
    """Area under the risk-coverage curve: ``(AURC, E-AURC)``.

    Examples
    --------
    >>> import losskit
    >>> area, excess = losskit.aurc([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [1, 1, 0, 1, 0, 0])
    >>> area.round(7).item(), excess.round(7).item()
    (0.2472222, 0.0555556)
    """
    return _numbers("aurc", 2, confidence, risk)


@documented
def ensemble_uncertainty(probs: Any) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Uncertainty of an ensemble, ``probs[M, N, C]``: ``(total[N], expected[N], mutual_information[N])``.

    Examples
    --------
    >>> import losskit
    >>> total, expected, mutual = losskit.ensemble_uncertainty([[[0.7, 0.2, 0.1]], [[0.5, 0.3, 0.2]]])
    >>> total.round(6).item(), expected.round(6).item(), mutual.round(6).item()
    (0.937637, 0.915736, 0.021901)
    """
    name = "ensemble_uncertainty"
    dtype, probs = as_reals(name, probs)
    if probs.ndim != 3:
        raise fail("INVALID_SHAPE", name, f"probs has shape {probs.shape}, expected [M, N, C]")
    total, expected, mutual = (np.empty(probs.shape[1], dtype) for _ in range(3))
    call(name, dtype, probs, *probs.shape, total, expected, mutual)
    return total, expected, mutual


@documented
def picp_mpiw(lower: Any, upper: Any, target: Any) -> Tuple[Any, Any]:
    """Coverage and mean width of prediction intervals: ``(PICP, MPIW)``.

    Examples
    --------
    >>> import losskit
    >>> coverage, width = losskit.picp_mpiw([0, 1, 2], [1, 3, 2.5], [0.5, 3.5, 2])
    >>> coverage.round(7).item(), width.round(7).item()
    (0.6666667, 1.1666667)
    """
    return _numbers("picp_mpiw", 2, lower, upper, target)


@documented
def regression_calibration_error(cdf: Any, *, levels: Optional[Sequence[float]] = None, norm: str = "l2") -> Any:
    """Calibration error of predictive distributions: ``(error, observed[levels])``.

    Examples
    --------
    >>> import losskit
    >>> cdf = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9]
    >>> error, observed = losskit.regression_calibration_error(cdf, levels=[0.25, 0.5, 0.75])
    >>> error.round(7).item(), observed.round(7).tolist()
    (0.0138889, [0.1666667, 0.5, 0.6666667])
    """
    name = "regression_calibration_error"
    dtype, cdf = as_reals(name, cdf)
    if cdf.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"cdf has shape {cdf.shape}, expected [N]")
    _, chosen = as_reals(name, np.arange(1, 20) / 20 if levels is None else np.asarray(levels, np.float64))
    if chosen.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"levels has shape {chosen.shape}, expected [L]")
    value, observed = np.empty((), dtype), np.empty(chosen.size, dtype)
    call(name, dtype, cdf, cdf.size, chosen, chosen.size, norm, value, observed)
    return scalar(value), observed


@documented
def ence(variance: Any, sq_error: Any, *, n_bins: int = 10) -> Any:
    """Expected normalized calibration error of variances. Equal to netcal's.

    Examples
    --------
    >>> import losskit
    >>> losskit.ence([1, 2, 3, 4], [1.5, 1, 5, 2], n_bins=2).round(7).item()
    0.0435645
    """
    return _numbers("ence", 1, variance, sq_error, bin_count("ence", n_bins))


@documented
def uncertainty_calibration_error(variance: Any, sq_error: Any, *, n_bins: int = 10) -> Any:
    """Uncertainty calibration error of variances. Equal to netcal's.

    Examples
    --------
    >>> import losskit
    >>> losskit.uncertainty_calibration_error([1, 2, 3, 4], [1.5, 1, 5, 2], n_bins=2).item()
    0.125
    """
    name = "uncertainty_calibration_error"
    return _numbers(name, 1, variance, sq_error, bin_count(name, n_bins))
