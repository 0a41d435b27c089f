"""What the wrappers of losses share: targets, weights, reductions, gradients."""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np

from ._core import as_array, as_integers, as_reals, as_reals_like, call, check_shape, empty, fail, rows_of, scalar

__all__: list[str] = []


def check_reduction(name: str, reduction: Any) -> None:
    if reduction not in ("none", "mean", "sum"):
        raise fail("INVALID_PARAMETER", name, f"reduction must be 'none', 'mean' or 'sum', not {reduction!r}")


def row_loss(
    name: str,
    z: Any,
    target: Any,
    *parameters: Any,
    dense_parameters: Optional[tuple[Any, ...]] = None,
    class_weight: Any = None,
    class_weight_name: str = "weight",
    reduction: str,
    sample_weight: Any,
    grad: bool,
    axis: int,
    more_outputs: tuple[Any, ...] = (),
) -> Any:
    """A loss of rows of logits. ``parameters`` stand between the shape and ``reduction``; among them the class weights are
    where ``...`` stands. With ``dense_parameters``, real targets shaped as ``z`` go to the function ``<name>_dense``.
    ``more_outputs`` come last.
    """
    dtype, z = as_reals(name, z)
    rows = rows_of(name, z, axis)
    target = as_array(target, name)
    is_dense = dense_parameters is not None and target.shape == z.shape and not (
        target.shape == rows.shape and target.dtype.kind in "iub"
    )
    entry = name
    if is_dense:
        assert dense_parameters is not None
        (target,) = as_reals_like(name, dtype, target)
        parameters = dense_parameters
        entry += "_dense"
    else:
        target = as_integers(name, "target", target)
        check_shape(name, "target", target, rows.shape)
    class_weight, sample_weight = as_reals_like(name, dtype, class_weight, sample_weight)
    if class_weight is not None and class_weight.ndim == 0:
        class_weight = np.full(rows.classes, class_weight, dtype)
    check_shape(name, class_weight_name, class_weight, (rows.classes,))
    check_shape(name, "sample_weight", sample_weight, rows.shape)
    check_reduction(name, reduction)
    loss = empty(rows.shape if reduction == "none" else (), dtype)
    gradient = empty(z.shape, dtype) if grad else None
    between = [class_weight if parameter is ... else parameter for parameter in parameters]
    call(entry, dtype, z, target, *rows[:3], *between, reduction, sample_weight, loss, gradient, *more_outputs)
    return (scalar(loss), gradient) if grad else scalar(loss)


def element_loss(
    name: str, x: Any, target: Any, *parameters: Any, reduction: str, sample_weight: Any, grad: bool, what: str = "t"
) -> Any:
    """A loss of elements with a real target each. ``parameters`` stand between the shape and ``reduction``; ``what`` is the
    target's name.
    """
    dtype, x = as_reals(name, x)
    target, sample_weight = as_reals_like(name, dtype, target, sample_weight)
    check_shape(name, what, target, x.shape)
    rows, columns = element_rows(name, x, sample_weight)
    check_reduction(name, reduction)
    loss = empty(x.shape if reduction == "none" else (), dtype)
    gradient = empty(x.shape, dtype) if grad else None
    call(name, dtype, x, target, rows, columns, *parameters, reduction, sample_weight, loss, gradient)
    return (scalar(loss), gradient) if grad else scalar(loss)


def element_rows(name: str, z: np.ndarray, sample_weight: Optional[np.ndarray]) -> tuple[int, int]:
    """How the elements of ``z`` fall into rows, one for each sample weight: the weights' axes are the leading ones."""
    if sample_weight is None:
        return 1, z.size
    leading = z.shape[: sample_weight.ndim]
    check_shape(name, "sample_weight", sample_weight, leading)
    return math.prod(leading), math.prod(z.shape[sample_weight.ndim :])
