"""Reliability diagrams and calibration errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Optional, Tuple

import numpy as np

from . import _prototypes
from ._core import as_integers, as_reals, call, check_shape, documented, fail, scalar
from ._probabilities import bin_count, labelled_probabilities, optional_width

__all__ = [
    "ClasswiseAccumulator",
    "GroupAccumulator",
    "ReliabilityAccumulator",
    "ScoreAccumulator",
    "adaptive_calibration_error",
    "average_calibration_error",
    "calibration_error",
    "calibration_slope_intercept",
    "calibration_suite",
    "confidence_bias_error",
    "debiased_calibration_error",
    "detection_calibration_error",
    "ecce",
    "ece_kde",
    "ece_sweep",
    "expected_calibration_error",
    "hosmer_lemeshow",
    "ks_calibration_error",
    "maximum_calibration_error",
    "mmce",
    "reliability_bins",
    "skce",
    "smooth_ece",
    "spiegelhalter_z",
    "static_calibration_error",
    "thresholded_adaptive_calibration_error",
]


@documented
def reliability_bins(
    conf: Any, correct: Any, *, n_bins: int = 15, binning: str = "uniform", edge: str = "right"
) -> Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Reliability diagram: ``(count, conf_mean, acc_mean, edges)`` of the bins of the confidences.

    Examples
    --------
    >>> import losskit
    >>> count, conf, acc, edges = losskit.reliability_bins(
    ...     [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1], n_bins=3)
    >>> count.tolist(), conf.round(7).tolist(), acc.round(7).tolist(), edges.round(7).tolist()
    ([1, 3, 2], [0.1, 0.4666667, 0.85], [0.0, 0.3333333, 1.0], [0.0, 0.3333333, 0.6666667, 1.0])
    """
    name = "reliability_bins"
    dtype, conf = as_reals(name, conf)
    correct = as_integers(name, "correct", correct)
    check_shape(name, "correct", correct, conf.shape)
    n_bins = bin_count(name, n_bins)
    total = n_bins + (edge == "left_extra")
    count = np.empty(total, np.int64)
    conf_mean, acc_mean = np.empty(total, dtype), np.empty(total, dtype)
    edges = np.empty(n_bins + 1, dtype)
    call(name, dtype, conf, correct, conf.size, n_bins, binning, edge, count, conf_mean, acc_mean, edges)
    return count, conf_mean, acc_mean, edges


def _error(name: str, probs: Any, y: Any, grad: bool, *parameters: Any) -> Any:
    dtype, probs, y, classes = labelled_probabilities(name, probs, y)
    value = np.empty((), dtype)
    gradient = np.empty_like(probs) if grad else None
    call(name, dtype, probs, y, y.size, classes, *parameters, value, gradient)
    return (scalar(value), gradient) if grad else scalar(value)


def _numbers(name: str, probs: Any, y: Any, *parameters: Any, outputs: int = 1) -> Any:
    """One number, or a tuple of several."""
    dtype, probs, y, classes = labelled_probabilities(name, probs, y)
    values = [np.empty((), dtype) for _ in range(outputs)]
    call(name, dtype, probs, y, y.size, classes, *parameters, *values)
    return tuple(map(scalar, values)) if outputs > 1 else scalar(values[0])


def _binary_numbers(name: str, probs: Any, y: Any, *parameters: Any, outputs: int, what: str = "y") -> Any:
    dtype, probs = as_reals(name, probs)
    y = as_integers(name, what, y)
    if probs.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"an array of shape {probs.shape} where [N] is wanted")
    check_shape(name, what, y, probs.shape)
    values = [np.empty((), dtype) for _ in range(outputs)]
    call(name, dtype, probs, y, y.size, *parameters, *values)
    return tuple(map(scalar, values))


@documented
def calibration_error(
    probs: Any,
    y: Any,
    *,
    n_bins: int = 15,
    norm: str = "l1",
    binning: str = "uniform",
    edge: str = "right",
    mode: str = "top",
    grad: bool = False,
) -> Any:
    """Calibration error over bins of like confidence, ``probs[N]`` (binary) or ``[N, C]``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.calibration_error(probs, [0, 1, 2, 2], n_bins=5, norm="l2", mode="classwise").round(7).item()
    0.3175426
    """
    n_bins = bin_count("calibration_error", n_bins)
    return _error("calibration_error", probs, y, grad, n_bins, norm, binning, edge, mode)


@documented
def expected_calibration_error(probs: Any, y: Any, *, n_bins: int = 15, grad: bool = False) -> Any:
    """Expected calibration error (ECE): ``calibration_error`` with ``norm="l1"``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.expected_calibration_error(probs, [0, 1, 2, 2], n_bins=5).round(7).item()
    0.15
    """
    return _error("expected_calibration_error", probs, y, grad, bin_count("expected_calibration_error", n_bins))


@documented
def maximum_calibration_error(probs: Any, y: Any, *, n_bins: int = 15, grad: bool = False) -> Any:
    """Maximum calibration error (MCE): ``calibration_error`` with ``norm="max"``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.maximum_calibration_error(probs, [0, 1, 2, 2], n_bins=5).round(7).item()
    0.3
    """
    return _error("maximum_calibration_error", probs, y, grad, bin_count("maximum_calibration_error", n_bins))


@documented
def static_calibration_error(probs: Any, y: Any, *, n_bins: int = 15, grad: bool = False) -> Any:
    """Static calibration error (SCE, class-wise ECE): ``calibration_error`` with ``norm="l1", mode="classwise"``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.static_calibration_error(probs, [0, 1, 2, 2], n_bins=5).round(7).item()
    0.3
    """
    return _error("static_calibration_error", probs, y, grad, bin_count("static_calibration_error", n_bins))


@documented
def adaptive_calibration_error(probs: Any, y: Any, *, n_ranges: int = 15, threshold: float = 0.0) -> Any:
    """Adaptive calibration error (ACE) of all classes over ranges of equal mass.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.adaptive_calibration_error(probs, [0, 1, 2, 2], n_ranges=2).round(7).item()
    0.15
    """
    name = "adaptive_calibration_error"
    return _numbers(name, probs, y, bin_count(name, n_ranges, "n_ranges"), threshold)


@documented
def thresholded_adaptive_calibration_error(probs: Any, y: Any, *, n_ranges: int = 15, threshold: float = 0.01) -> Any:
    """Thresholded adaptive calibration error (TACE): ACE of the probabilities that are not below a threshold.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.thresholded_adaptive_calibration_error(probs, [0, 1, 2, 2], n_ranges=2, threshold=0.2).round(7).item()
    0.2583333
    """
    name = "thresholded_adaptive_calibration_error"
    return _numbers(name, probs, y, bin_count(name, n_ranges, "n_ranges"), threshold)


@documented
def average_calibration_error(
    probs: Any, y: Any, *, n_bins: int = 10, binning: str = "uniform", edge: str = "left", mode: str = "top"
) -> Any:
    """Average calibration error: the mean absolute gap of the bins that are not empty.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.average_calibration_error(probs, [0, 1, 2, 2], n_bins=5).round(7).item()
    0.4333333
    """
    name = "average_calibration_error"
    return _numbers(name, probs, y, bin_count(name, n_bins), binning, edge, mode)


@documented
def debiased_calibration_error(
    probs: Any, y: Any, *, n_bins: int = 15, binning: str = "midpoint", edge: str = "right", mode: str = "top"
) -> Any:
    """Debiased L2 calibration error.

    Examples
    --------
    >>> import losskit
    >>> losskit.debiased_calibration_error([0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [1, 1, 0, 1, 0, 0], n_bins=2).round(7).item()
    0.2522124
    """
    name = "debiased_calibration_error"
    return _numbers(name, probs, y, bin_count(name, n_bins), binning, edge, mode)


@documented
def confidence_bias_error(
    probs: Any,
    y: Any,
    *,
    n_bins: int = 15,
    binning: str = "uniform",
    edge: str = "right",
    mode: str = "top",
    weighting: str = "conf",
) -> Tuple[Any, Any]:
    """Overconfidence and underconfidence error, ``(over, under)``.

    Examples
    --------
    >>> import losskit
    >>> conf, correct = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> over, under = losskit.confidence_bias_error(conf, correct, n_bins=3)
    >>> over.round(7).item(), under.round(7).item()
    (0.0327778, 0.0075)
    """
    name = "confidence_bias_error"
    return _numbers(name, probs, y, bin_count(name, n_bins), binning, edge, mode, weighting, outputs=2)


@documented
def ece_sweep(probs: Any, y: Any, *, p: float = 2, binning: str = "rank") -> Tuple[Any, Any]:
    """Calibration error with as many bins as keep the accuracies monotone: ``(error, bins_used)``.

    Examples
    --------
    >>> import losskit
    >>> conf, correct = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> error, bins_used = losskit.ece_sweep(conf, correct)
    >>> error.round(7).item(), int(bins_used)
    (0.1567907, 3)
    """
    return _numbers("ece_sweep", probs, y, p, binning, outputs=2)


@documented
def ks_calibration_error(probs: Any, y: Any, *, r: int = 1, within: bool = False) -> Any:
    """Kolmogorov-Smirnov calibration error of the r-th (``within``: of the r) most probable class.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.ks_calibration_error(probs, [0, 1, 2, 2]).round(7).item()
    0.15
    """
    return _numbers("ks_calibration_error", probs, y, r, bool(within))


@documented
def ecce(probs: Any, y: Any) -> Tuple[Any, Any, Any, Any, Any]:
    """Cumulative calibration error: ``(mad, range, sigma, mad/sigma, range/sigma)``.

    Examples
    --------
    >>> import losskit
    >>> conf, correct = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> [x.round(7).item() for x in losskit.ecce(conf, correct)]
    [0.0833333, 0.1083333, 0.1695582, 0.4914732, 0.6389151]
    """
    return _numbers("ecce", probs, y, outputs=5)


@documented
def mmce(probs: Any, y: Any, *, bandwidth: float = 0.4, weighted: bool = False, grad: bool = False) -> Any:
    """Maximum mean calibration error. netcal's has the default bandwidth and is not weighted.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.mmce(probs, [0, 1, 2, 2]).round(7).item()
    0.1852067
    """
    return _error("mmce", probs, y, grad, bandwidth, bool(weighted))


@documented
def skce(
    probs: Any,
    y: Any,
    *,
    estimator: str = "unbiased",
    kernel: str = "exponential",
    bandwidth: float = 1.0,
    grad: bool = False,
) -> Any:
    """Squared kernel calibration error of whole distributions.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> losskit.skce(probs, [0, 1, 2, 2]).round(7).item()
    -0.0344181
    """
    return _error("skce", probs, y, grad, estimator, kernel, bandwidth)


@documented
def ece_kde(probs: Any, y: Any, *, p: float = 1, bandwidth: Optional[float] = None, n_grid: int = 2048) -> Any:
    """Calibration error by kernel density estimation.

    Examples
    --------
    >>> import losskit
    >>> conf, correct = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> losskit.ece_kde(conf, correct, n_grid=512).round(7).item()
    0.0624566
    """
    name = "ece_kde"
    return _numbers(name, probs, y, p, optional_width(name, "bandwidth", bandwidth), bin_count(name, n_grid, "n_grid"))


@documented
def smooth_ece(
    conf: Any, correct: Any, *, sigma: Optional[float] = None, eps: float = 0.001, refine: int = 10
) -> Tuple[Any, Any]:
    """Smooth calibration error: ``(smECE, sigma used)``. Equal to relplot's without scaling of logits.

    Examples
    --------
    >>> import losskit
    >>> conf, correct = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> error, sigma = losskit.smooth_ece(conf, correct)
    >>> error.round(7).item(), sigma.round(7).item()
    (0.1121484, 0.1123047)
    """
    name = "smooth_ece"
    sigma = optional_width(name, "sigma", sigma)
    return _binary_numbers(name, conf, correct, sigma, eps, refine, outputs=2, what="correct")


@documented
def calibration_slope_intercept(probs: Any, y: Any, *, eps: float = 1e-12) -> Tuple[Any, Any, Any, Any]:
    """Cox's calibration slope and intercept: ``(slope, intercept, citl, converged)``.

    Examples
    --------
    >>> import losskit
    >>> conf, correct = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> [x.round(6).item() for x in losskit.calibration_slope_intercept(conf, correct)]
    [1.277008, -0.253846, -0.192586, 1.0]
    """
    return _binary_numbers("calibration_slope_intercept", probs, y, eps, outputs=4)


@documented
def hosmer_lemeshow(probs: Any, y: Any, *, n_groups: int = 10) -> Tuple[Any, Any, Any]:
    """Hosmer-Lemeshow test: ``(statistic, dof, p_value)``.

    Examples
    --------
    >>> import losskit
    >>> conf, correct = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> [x.round(7).item() for x in losskit.hosmer_lemeshow(conf, correct, n_groups=3)]
    [0.9385989, 1.0, 0.3326384]
    """
    name = "hosmer_lemeshow"
    return _binary_numbers(name, probs, y, bin_count(name, n_groups, "n_groups"), outputs=3)


@documented
def spiegelhalter_z(probs: Any, y: Any) -> Tuple[Any, Any]:
    """Spiegelhalter's test: ``(z, p)``.

    Examples
    --------
    >>> import losskit
    >>> conf, correct = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> [x.round(7).item() for x in losskit.spiegelhalter_z(conf, correct)]
    [-0.1481171, 0.8822504]
    """
    return _binary_numbers("spiegelhalter_z", probs, y, outputs=2)


@documented
def detection_calibration_error(
    conf: Any, matched: Any, features: Any, *, n_bins: int = 10, norm: str = "l1"
) -> Any:
    """Detection calibration error (D-ECE), ``features[N, F]``.

    Examples
    --------
    >>> import losskit
    >>> conf, correct = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
    >>> features = [[0.1], [0.7], [0.2], [0.9], [0.4], [0.6]]
    >>> losskit.detection_calibration_error(conf, correct, features, n_bins=2).round(7).item()
    0.2666667
    """
    name = "detection_calibration_error"
    dtype, conf, features = as_reals(name, conf, features)
    matched = as_integers(name, "matched", matched)
    if conf.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"conf has shape {conf.shape}, expected [N]")
    check_shape(name, "matched", matched, conf.shape)
    if features.ndim != 2 or features.shape[0] != conf.size:
        raise fail("INVALID_SHAPE", name, f"features has shape {features.shape}, expected [{conf.size}, F]")
    value = np.empty((), dtype)
    n_bins = bin_count(name, n_bins)
    call(name, dtype, conf, matched, features, conf.size, features.shape[1], n_bins, norm, value)
    return scalar(value)


@documented
def calibration_suite(
    probs: Any, y: Any, *, bins: Sequence[int] = (5, 10, 15, 20, 25, 50, 100, 200, 500)
) -> Tuple[np.ndarray, np.ndarray]:
    """The measures of a benchmark of calibration: ``(table, rest)``.

    ``table[i]`` has for ``bins[i]``: ECE, equal-mass ECE, class-wise ECE, class-wise equal-mass ECE, MCE. ``rest`` has
    accuracy, NLL, Brier score, KS error, KDE-ECE, MMCE.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> table, rest = losskit.calibration_suite(probs, [0, 1, 2, 2], bins=(5,))
    >>> table.round(7).tolist(), rest.round(7).tolist()
    ([[0.15, 0.4, 0.3, 0.3166667, 0.3]], [0.75, 0.746941, 0.405, 0.15, 0.3611451, 0.1852067])
    """
    name = "calibration_suite"
    dtype, probs, y, classes = labelled_probabilities(name, probs, y)
    sizes = np.array([bin_count(name, n) for n in bins], np.int64)
    table, rest = np.empty((sizes.size, 5), dtype), np.empty(6, dtype)
    call(name, dtype, probs, y, y.size, classes, sizes, sizes.size, table, rest)
    return table, rest


class _Accumulator:
    """What accumulators share: a state of bytes that merges, goes to files and other machines, and compares."""

    _kind: str  # of the C functions
    _state: np.ndarray

    def _allocate(self, kind: str, sizes: Tuple[Any, ...], *parameters: Any) -> None:
        size = np.empty((), np.intp)
        call(f"{kind}_accumulator_size", None, *sizes, size)
        self._state = np.zeros(int(size), np.uint8)
        call(f"{kind}_accumulator_init", None, self._state, self._state.size, *sizes, *parameters)

    def merge(self, other: Any) -> Any:
        """Adds all that another accumulator of the same form holds."""
        if not isinstance(other, type(self)):
            raise TypeError(f"cannot merge {type(other).__name__} into {type(self).__name__}")
        call(f"{self._kind}_accumulator_merge", None, self._state, self._state.size, other._state, other._state.size)
        return self

    def to_bytes(self) -> bytes:
        """The state as bytes, the same on every machine."""
        return self._state.tobytes()

    @classmethod
    def _parameters(cls, state: np.ndarray) -> Tuple[Any, ...]:
        """What the accumulator with this state was made with."""
        raise NotImplementedError

    @classmethod
    def from_bytes(cls, data: bytes) -> Any:
        """The accumulator that ``to_bytes`` was called on."""
        state = np.frombuffer(data, np.uint8).copy()
        result = cls(*cls._parameters(state))
        if state.size != result._state.size:
            raise fail("INVALID_VALUE", cls.__name__, f"{state.size} bytes, not {result._state.size}")
        result._state = state
        return result

    def __getstate__(self) -> bytes:
        return self.to_bytes()

    def __setstate__(self, data: bytes) -> None:
        self.__dict__.update(type(self).from_bytes(data).__dict__)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # mutable


class _BinAccumulator(_Accumulator):
    """Tables of bins."""

    _kind = "reliability"
    n_bins: int
    edge: str

    @classmethod
    def _parameters(cls, state: np.ndarray) -> Tuple[Any, ...]:
        n_bins, edge = np.empty((), np.intp), np.empty((), np.int32)
        call("reliability_accumulator_check", None, state, state.size, n_bins, edge)
        tables, kinds = np.empty((), np.intp), np.empty(2, np.int32)
        call("reliability_accumulator_tables", None, state, state.size, tables, kinds[:1], kinds[1:])
        if (bool(kinds[0]), bool(kinds[1])) != (cls is ClasswiseAccumulator, cls is GroupAccumulator):
            raise fail("INVALID_VALUE", cls.__name__, "the state of another kind of accumulator")
        names = {value: name for name, value in _prototypes.ENUMS["BinEdge"].items()}
        return (*([int(tables)] if kinds.any() else []), int(n_bins), names[int(edge)])

    def update(self, probs: Any, y: Any) -> Any:
        """Adds a batch, ``probs[N, C]`` or, where there is one table, ``probs[N]`` (binary)."""
        name = "reliability_accumulator_update"
        dtype, probs, y, classes = labelled_probabilities(name, probs, y)
        call(name, dtype, self._state, self._state.size, probs, y, y.size, classes)
        return self

    def _result(self, *tables: int) -> Tuple[Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], Any, Any]:
        total = self.n_bins + (self.edge == "left_extra")
        count = np.empty((*tables, total), np.int64)
        conf_mean, acc_mean = np.empty((*tables, total)), np.empty((*tables, total))
        edges = np.empty(self.n_bins + 1)
        ece, mce = np.empty(tables), np.empty(tables)
        name = "reliability_accumulator_result"
        call(name, None, self._state, self._state.size, count, conf_mean, acc_mean, edges, ece, mce)
        return (count, conf_mean, acc_mean, edges), ece, mce


class ReliabilityAccumulator(_BinAccumulator):
    """A reliability diagram and calibration errors of data that come in batches, in O(bins) memory.

    Sums are exact: batches, and parts that are merged, give in any order the same bits as all data at once.

    Parameters
    ----------
    n_bins : int
        Number of bins of equal width.
    edge : str
        On which side a bin owns its edge: ``"right"``, ``"left"`` or ``"left_extra"``.

    Examples
    --------
    >>> import losskit
    >>> first, second = losskit.ReliabilityAccumulator(3), losskit.ReliabilityAccumulator(3)
    >>> _ = first.update([0.1, 0.35, 0.4], [0, 0, 1])
    >>> _ = second.update([0.65, 0.8, 0.9], [0, 1, 1])
    >>> (count, conf, acc, edges), ece, mce = first.merge(second).result()
    >>> count.tolist(), round(ece, 7), round(mce, 7)
    ([1, 3, 2], 0.1333333, 0.15)
    """

    def __init__(self, n_bins: int = 15, edge: str = "right"):
        self.n_bins, self.edge = bin_count("reliability_accumulator_init", n_bins), edge
        self._allocate("reliability", (self.n_bins,), edge)

    def result(self) -> Tuple[Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], float, float]:
        """``((count, conf_mean, acc_mean, edges), ece, mce)``: the bins, as ``reliability_bins`` gives them, and errors."""
        bins, ece, mce = self._result()
        return bins, float(ece), float(mce)

    def __repr__(self) -> str:
        samples = int(self.result()[0][0].sum())
        return f"ReliabilityAccumulator(n_bins={self.n_bins}, edge={self.edge!r})  # {samples} samples"


class ClasswiseAccumulator(_BinAccumulator):
    """A reliability diagram for each class, of data that come in batches: :class:`ReliabilityAccumulator` class by class.

    Parameters
    ----------
    classes : int
        Number of classes.
    n_bins : int
        Number of bins of equal width.
    edge : str
        On which side a bin owns its edge: ``"right"``, ``"left"`` or ``"left_extra"``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> bins, ece, mce = losskit.ClasswiseAccumulator(3, 5).update(probs, [0, 1, 2, 2]).result()
    >>> ece.mean().round(7).item()  # the static calibration error
    0.3
    """

    def __init__(self, classes: int, n_bins: int = 15, edge: str = "right"):
        self.classes, self.n_bins, self.edge = classes, bin_count("classwise_accumulator_init", n_bins), edge
        self._allocate("classwise", (classes, self.n_bins), edge)

    def result(self) -> Tuple[Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
        """``((count[C, M], conf_mean[C, M], acc_mean[C, M], edges), ece[C], mce[C])``."""
        return self._result(self.classes)

    def __repr__(self) -> str:
        return f"ClasswiseAccumulator(classes={self.classes}, n_bins={self.n_bins}, edge={self.edge!r})"


class GroupAccumulator(_BinAccumulator):
    """A reliability diagram for each group of samples, of data that come in batches.

    Parameters
    ----------
    groups : int
        Number of groups.
    n_bins : int
        Number of bins of equal width.
    edge : str
        On which side a bin owns its edge: ``"right"``, ``"left"`` or ``"left_extra"``.

    Examples
    --------
    >>> import losskit
    >>> groups = losskit.GroupAccumulator(2, 3)
    >>> bins, ece, mce = groups.update([0.1, 0.35, 0.4, 0.65], [0, 0, 1, 0], [0, 1, 0, 1]).result()
    >>> ece.round(7).tolist()
    [0.35, 0.5]
    """

    def __init__(self, groups: int, n_bins: int = 15, edge: str = "right"):
        self.groups, self.n_bins, self.edge = groups, bin_count("group_accumulator_init", n_bins), edge
        self._allocate("group", (groups, self.n_bins), edge)

    def update(self, probs: Any, y: Any, group: Any = None) -> GroupAccumulator:
        """Adds a batch, ``probs[N, C]`` (the largest of a row is its confidence) or ``probs[N]`` (binary), ``group[N]``."""
        name = "group_accumulator_update"
        dtype, probs, y, classes = labelled_probabilities(name, probs, y)
        group = as_integers(name, "group", group)
        check_shape(name, "group", group, y.shape)
        call(name, dtype, self._state, self._state.size, probs, y, group, y.size, classes)
        return self

    def result(self) -> Tuple[Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], np.ndarray, np.ndarray]:
        """``((count[G, M], conf_mean[G, M], acc_mean[G, M], edges), ece[G], mce[G])``."""
        return self._result(self.groups)

    def __repr__(self) -> str:
        return f"GroupAccumulator(groups={self.groups}, n_bins={self.n_bins}, edge={self.edge!r})"


class ScoreAccumulator(_Accumulator):
    """Mean Brier score and log loss of data that come in batches, in 96 bytes.

    Sums are exact: batches, and parts that are merged, give in any order the same bits as all data at once.

    Parameters
    ----------
    eps : float
        That of ``log_loss``.

    Examples
    --------
    >>> import losskit
    >>> probs = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]]
    >>> first, second = losskit.ScoreAccumulator(), losskit.ScoreAccumulator()
    >>> count, brier, nll = first.update(probs[:2], [0, 1]).merge(second.update(probs[2:], [2, 2])).result()
    >>> count, round(brier, 7), round(nll, 7)
    (4, 0.405, 0.746941)
    """

    _kind = "score"

    def __init__(self, eps: float = 1e-12):
        self.eps = eps
        self._allocate("score", (), eps)

    @classmethod
    def _parameters(cls, state: np.ndarray) -> Tuple[Any, ...]:
        eps = np.empty(())
        call("score_accumulator_check", None, state, state.size, eps)
        return (float(eps),)

    def update(self, probs: Any, y: Any) -> ScoreAccumulator:
        """Adds a batch, ``probs[N, C]`` or ``probs[N]`` (binary)."""
        name = "score_accumulator_update"
        dtype, probs, y, classes = labelled_probabilities(name, probs, y)
        call(name, dtype, self._state, self._state.size, probs, y, y.size, classes)
        return self

    def result(self) -> Tuple[int, float, float]:
        """``(count, brier, nll)``; the means are NaN without data."""
        count, brier, nll = np.empty((), np.int64), np.empty(()), np.empty(())
        call("score_accumulator_result", None, self._state, self._state.size, count, brier, nll)
        return int(count), float(brier), float(nll)

    def __repr__(self) -> str:
        return f"ScoreAccumulator(eps={self.eps!r})  # {self.result()[0]} samples"
