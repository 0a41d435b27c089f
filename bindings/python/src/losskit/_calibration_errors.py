"""Reliability diagrams and calibration errors."""

from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from . import _prototypes
from ._core import as_integers, as_reals, call, check_shape, documented, fail, scalar
from ._probabilities import bin_count, labelled_probabilities

__all__ = [
    "ReliabilityAccumulator",
    "calibration_error",
    "expected_calibration_error",
    "maximum_calibration_error",
    "reliability_bins",
    "static_calibration_error",
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


class ReliabilityAccumulator:
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
        name = "reliability_accumulator_init"
        self.n_bins, self.edge = bin_count(name, n_bins), edge
        size = np.empty((), np.intp)
        call("reliability_accumulator_size", None, self.n_bins, size)
        self._state = np.zeros(int(size), np.uint8)
        call(name, None, self._state, self._state.size, self.n_bins, edge)

    def update(self, probs: Any, y: Any) -> ReliabilityAccumulator:
        """Adds a batch, ``probs[N, C]`` (the largest of a row is its confidence) or ``probs[N]`` (binary)."""
        name = "reliability_accumulator_update"
        dtype, probs, y, classes = labelled_probabilities(name, probs, y)
        call(name, dtype, self._state, self._state.size, probs, y, y.size, classes)
        return self

    def merge(self, other: ReliabilityAccumulator) -> ReliabilityAccumulator:
        """Adds all that another accumulator of as many bins and the same edge holds."""
        name = "reliability_accumulator_merge"
        call(name, None, self._state, self._state.size, other._state, other._state.size)
        return self

    def to_bytes(self) -> bytes:
        """The state as bytes, the same on every machine."""
        return self._state.tobytes()

    @classmethod
    def from_bytes(cls, data: bytes) -> ReliabilityAccumulator:
        """The accumulator that ``to_bytes`` was called on."""
        state = np.frombuffer(data, np.uint8).copy()
        n_bins, edge = np.empty((), np.intp), np.empty((), np.int32)
        call("reliability_accumulator_check", None, state, state.size, n_bins, edge)
        names = {value: name for name, value in _prototypes.ENUMS["BinEdge"].items()}
        result = cls(int(n_bins), names[int(edge)])
        if state.size != result._state.size:
            raise fail(
                "INVALID_VALUE", "reliability_accumulator_check", f"{state.size} bytes, not {result._state.size}"
            )
        result._state = state
        return result

    def result(self) -> Tuple[Tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray], float, float]:
        """``((count, conf_mean, acc_mean, edges), ece, mce)``: the bins, as ``reliability_bins`` gives them, and errors."""
        total = self.n_bins + (self.edge == "left_extra")
        count = np.empty(total, np.int64)
        conf_mean, acc_mean = np.empty(total), np.empty(total)
        edges = np.empty(self.n_bins + 1)
        ece, mce = np.empty(()), np.empty(())
        name = "reliability_accumulator_result"
        call(name, None, self._state, self._state.size, count, conf_mean, acc_mean, edges, ece, mce)
        return (count, conf_mean, acc_mean, edges), float(ece), float(mce)

    def __getstate__(self) -> bytes:
        return self.to_bytes()

    def __setstate__(self, data: bytes) -> None:
        self.__dict__.update(type(self).from_bytes(data).__dict__)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ReliabilityAccumulator) and self.to_bytes() == other.to_bytes()

    __hash__ = None  # type: ignore[assignment]  # mutable

    def __repr__(self) -> str:
        samples = int(self.result()[0][0].sum())
        return f"ReliabilityAccumulator(n_bins={self.n_bins}, edge={self.edge!r})  # {samples} samples"
