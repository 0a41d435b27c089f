"""Diagnostics of softmax and small objectives of attention; softmax-free attention."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import as_reals, as_reals_like, call, check_shape, documented, empty, fail, rows_of, scalar

__all__ = [
    "one_step_gd_predictor",
    "one_step_gd_predictor_vjp",
    "perp_grad",
    "softmax_regression_loss",
    "softmax_step_radius",
]


@documented
def softmax_step_radius(a: Any, z: Any = None, *, axis: int = -1) -> Any:
    """How far logits may move along a direction before the series of their log-sum-exp stops converging.

    The radius of a batch is the least of its rows.

    Examples
    --------
    >>> import losskit
    >>> losskit.softmax_step_radius([[1.0, 0.0, -2.0]]).round(4).tolist()
    [1.0472]
    """
    name = "softmax_step_radius"
    dtype, a, z = as_reals(name, a, z)
    rows = rows_of(name, a, axis)
    check_shape(name, "z", z, a.shape)
    radius = empty(rows.shape, dtype)
    call(name, dtype, a, z, *rows[:3], radius)
    return scalar(radius)


@documented
def perp_grad(w: Any, g: Any, *, eps: float = 1e-30) -> np.ndarray:
    """The part of a gradient that is perpendicular to the weights, at the gradient's length.

    Examples
    --------
    >>> import losskit
    >>> losskit.perp_grad([1.0, 0.0, 1.0], [1.0, 2.0, 0.0]).round(4).tolist()
    [0.527, 2.1082, -0.527]
    """
    name = "perp_grad"
    dtype, w, g = as_reals(name, w, g)
    check_shape(name, "g", g, w.shape)
    out = empty(g.shape, dtype)
    call(name, dtype, w, g, g.size, eps, out)
    return out


@documented
def softmax_regression_loss(a: Any, x: Any, b: Any, *, grad: bool = False) -> Any:
    """Softmax regression: half the squared distance of the softmax of a linear map from a vector.

    With ``grad`` the gradients of ``a`` and ``x`` follow as a pair.

    Examples
    --------
    >>> import losskit
    >>> a, x, b = [[1, 0], [0, 1], [1, 1]], [0.5, -0.5], [0.2, 0.3, 0.5]
    >>> loss, (grad_a, grad_x) = losskit.softmax_regression_loss(a, x, b, grad=True)
    >>> round(float(loss), 4), grad_x.round(4).tolist()
    (0.072, [0.0351, -0.1173])
    """
    name = "softmax_regression_loss"
    dtype, a, x, b = as_reals(name, a, x, b)
    rows, columns = _sides(name, "a", a)
    check_shape(name, "x", x, (columns,))
    check_shape(name, "b", b, (rows,))
    loss = empty((), dtype)
    grads = (empty(a.shape, dtype), empty(x.shape, dtype)) if grad else (None, None)
    call(name, dtype, a, x, b, rows, columns, loss, *grads)
    return (scalar(loss), grads) if grad else scalar(loss)


@documented
def one_step_gd_predictor(x: Any, y: Any, xq: Any, *, eta: float = 1.0, precond: Any = None) -> np.ndarray:
    """Predictions of a linear model after one step of gradient descent from 0.

    Examples
    --------
    >>> import losskit
    >>> losskit.one_step_gd_predictor([[1, 0], [1, 1]], [2, 1], [[1, 2]], eta=0.5).tolist()
    [2.5]
    """
    name = "one_step_gd_predictor"
    dtype, arrays, sizes = _regression(name, precond, x, y, xq)
    prediction = empty((sizes[2],), dtype)
    call(name, dtype, *arrays, *sizes, eta, prediction)
    return prediction


@documented
def one_step_gd_predictor_vjp(
    x: Any, y: Any, xq: Any, grad_output: Any, *, eta: float = 1.0, precond: Any = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vector-Jacobian product of one_step_gd_predictor: the gradients of ``x``, ``y`` and ``xq``.

    Examples
    --------
    >>> import losskit
    >>> x, y, xq = [[1, 0], [1, 1]], [2, 1], [[1, 2]]
    >>> grads = losskit.one_step_gd_predictor_vjp(x, y, xq, [1.0], eta=0.5)
    >>> [grad.tolist() for grad in grads]
    [[[1.0, 2.0], [0.5, 1.0]], [0.5, 1.5], [[1.5, 0.5]]]
    """
    name = "one_step_gd_predictor_vjp"
    dtype, arrays, sizes = _regression(name, precond, x, y, xq, grad_output)
    check_shape(name, "grad_output", arrays[4], (sizes[2],))
    grads = tuple(empty(array.shape, dtype) for array in arrays[:3])
    call(name, dtype, *arrays, *sizes, eta, *grads)
    return grads  # type: ignore[return-value]


def _regression(name: str, precond: Any, *inputs: Any) -> tuple[Any, list[Any], tuple[int, int, int]]:
    """Precision, checked arrays (the preconditioner behind the queries) and (rows, columns, queries)."""
    dtype, *arrays = as_reals(name, *inputs)
    rows, columns = _sides(name, "x", arrays[0])
    check_shape(name, "y", arrays[1], (rows,))
    queries, _ = _sides(name, "xq", arrays[2])
    check_shape(name, "xq", arrays[2], (queries, columns))
    (precond,) = as_reals_like(name, dtype, precond)
    check_shape(name, "precond", precond, (columns, columns))
    return dtype, [*arrays[:3], precond, *arrays[3:]], (rows, columns, queries)


def _sides(name: str, what: str, matrix: np.ndarray) -> tuple[int, int]:
    if matrix.ndim != 2:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {matrix.shape}, expected a matrix")
    return matrix.shape[0], matrix.shape[1]
