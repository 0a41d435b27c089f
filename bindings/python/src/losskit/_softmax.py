"""Softmax family."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import as_reals, as_reals_like, call, check_shape, documented, empty, fail, rows_of, scalar

__all__ = [
    "log_sigmoid",
    "log_sigmoid_vjp",
    "log_softmax",
    "log_softmax_vjp",
    "logsumexp",
    "logsumexp_vjp",
    "sigmoid",
    "sigmoid_vjp",
    "softmax",
    "softmax_vjp",
    "softplus",
    "softplus_vjp",
]


def _map(name: str, *inputs: Any, parameters: tuple[Any, ...] = (), axis: Any = ...) -> np.ndarray:
    """A map of one or two arrays of the same shape: of rows along ``axis``, or of elements where there is none."""
    dtype, *arrays = as_reals(name, *inputs)
    shape = arrays[0].shape
    for array in arrays[1:]:
        check_shape(name, "grad_output", array, shape)
    sizes = (arrays[0].size,) if axis is ... else rows_of(name, arrays[0], axis)[:3]
    output = empty(shape, dtype)
    call(name, dtype, *arrays, *sizes, *parameters, output)
    return output


@documented
def softmax(z: Any, *, temperature: float = 1.0, axis: int = -1) -> np.ndarray:
    """Softmax of each row.

    Examples
    --------
    >>> import losskit
    >>> losskit.softmax([[1.0, 2.0, 3.0]]).round(4).tolist()
    [[0.09, 0.2447, 0.6652]]
    """
    return _map("softmax", z, parameters=(temperature,), axis=axis)


@documented
def softmax_vjp(p: Any, grad_output: Any, *, temperature: float = 1.0, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of softmax.

    Examples
    --------
    >>> import losskit
    >>> p = losskit.softmax([[1.0, 2.0, 3.0]])
    >>> losskit.softmax_vjp(p, [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[-0.0379, -0.3476, 0.3855]]
    """
    return _map("softmax_vjp", p, grad_output, parameters=(temperature,), axis=axis)


@documented
def log_softmax(z: Any, *, temperature: float = 1.0, axis: int = -1) -> np.ndarray:
    """Logarithm of the softmax of each row.

    Examples
    --------
    >>> import losskit
    >>> losskit.log_softmax([[1.0, 2.0, 3.0]]).round(4).tolist()
    [[-2.4076, -1.4076, -0.4076]]
    """
    return _map("log_softmax", z, parameters=(temperature,), axis=axis)


@documented
def log_softmax_vjp(log_p: Any, grad_output: Any, *, temperature: float = 1.0, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of log_softmax.

    Examples
    --------
    >>> import losskit
    >>> log_p = losskit.log_softmax([[1.0, 2.0, 3.0]])
    >>> losskit.log_softmax_vjp(log_p, [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[0.7299, -0.7342, 0.0043]]
    """
    return _map("log_softmax_vjp", log_p, grad_output, parameters=(temperature,), axis=axis)


@documented
def logsumexp(z: Any, *, weights: Any = None, axis: int = -1) -> Any:
    """Logarithm of the (weighted) sum of exponentials of each row.

    Examples
    --------
    >>> import losskit
    >>> losskit.logsumexp([[1.0, 2.0, 3.0]], weights=[1, 0, 2]).round(4).tolist()
    [3.7586]
    """
    dtype, z = as_reals("logsumexp", z)
    rows = rows_of("logsumexp", z, axis)
    weights, per_element = _row_weights("logsumexp", weights, z, rows.classes)
    lse = empty(rows.shape, dtype)
    call("logsumexp", dtype, z, *rows[:3], weights, per_element, lse)
    return scalar(lse)


@documented
def logsumexp_vjp(z: Any, lse: Any, grad_output: Any, *, weights: Any = None, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of logsumexp.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.0, 2.0, 3.0]]
    >>> losskit.logsumexp_vjp(z, losskit.logsumexp(z), [1.0]).round(4).tolist()
    [[0.09, 0.2447, 0.6652]]
    """
    name = "logsumexp_vjp"
    dtype, z, lse, grad_output = as_reals(name, z, lse, grad_output)
    rows = rows_of(name, z, axis)
    check_shape(name, "lse", lse, rows.shape)
    check_shape(name, "grad_output", grad_output, rows.shape)
    weights, per_element = _row_weights(name, weights, z, rows.classes)
    grad_z = empty(z.shape, dtype)
    call(name, dtype, z, lse, grad_output, *rows[:3], weights, per_element, grad_z)
    return grad_z


def _row_weights(name: str, weights: Any, z: np.ndarray, classes: int) -> tuple[Any, bool]:
    """Weights of the classes, or of the elements."""
    (weights,) = as_reals_like(name, z.dtype, weights)
    if weights is None or weights.shape == (classes,):
        return weights, False
    if weights.shape != z.shape:
        raise fail("INVALID_SHAPE", name, f"weights has shape {weights.shape}, expected {(classes,)} or {z.shape}")
    return weights, True


@documented
def sigmoid(x: Any) -> np.ndarray:
    """Logistic function, element by element.

    Examples
    --------
    >>> import losskit
    >>> losskit.sigmoid([-2.0, 0.0, 3.0]).round(4).tolist()
    [0.1192, 0.5, 0.9526]
    """
    return _map("sigmoid", x)


@documented
def sigmoid_vjp(y: Any, grad_output: Any) -> np.ndarray:
    """Vector-Jacobian product of the logistic function, `grad_output · y · (1 − y)`.

    Examples
    --------
    >>> import losskit
    >>> losskit.sigmoid_vjp([0.5, 0.9], [1.0, 2.0]).round(4).tolist()
    [0.25, 0.18]
    """
    return _map("sigmoid_vjp", y, grad_output)


@documented
def log_sigmoid(x: Any) -> np.ndarray:
    """Logarithm of the logistic function, element by element.

    Examples
    --------
    >>> import losskit
    >>> losskit.log_sigmoid([-2.0, 0.0, 3.0]).round(4).tolist()
    [-2.1269, -0.6931, -0.0486]
    """
    return _map("log_sigmoid", x)


@documented
def log_sigmoid_vjp(x: Any, grad_output: Any) -> np.ndarray:
    """Vector-Jacobian product of log_sigmoid, `grad_output · σ(−x)`.

    Examples
    --------
    >>> import losskit
    >>> losskit.log_sigmoid_vjp([-2.0, 0.0], [1.0, 2.0]).round(4).tolist()
    [0.8808, 1.0]
    """
    return _map("log_sigmoid_vjp", x, grad_output)


@documented
def softplus(x: Any, *, beta: float = 1.0, threshold: float = 20.0) -> np.ndarray:
    """Smooth form of max(x, 0), element by element.

    Examples
    --------
    >>> import losskit
    >>> losskit.softplus([-2.0, 0.0, 3.0]).round(4).tolist()
    [0.1269, 0.6931, 3.0486]
    """
    return _map("softplus", x, parameters=(beta, threshold))


@documented
def softplus_vjp(x: Any, grad_output: Any, *, beta: float = 1.0, threshold: float = 20.0) -> np.ndarray:
    """Vector-Jacobian product of softplus.

    Examples
    --------
    >>> import losskit
    >>> losskit.softplus_vjp([-2.0, 0.0, 30.0], [1.0, 1.0, 1.0]).round(4).tolist()
    [0.1192, 0.5, 1.0]
    """
    return _map("softplus_vjp", x, grad_output, parameters=(beta, threshold))
