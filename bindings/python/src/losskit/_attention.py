"""Softmax-free attention; diagnostics of softmax and small objectives of attention."""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np

from ._core import as_reals, as_reals_like, call, check_shape, documented, empty, fail, rows_of, scalar

__all__ = [
    "gaussian_kernel_matrix",
    "gaussian_kernel_matrix_vjp",
    "newton_inverse",
    "newton_inverse_vjp",
    "one_step_gd_predictor",
    "one_step_gd_predictor_vjp",
    "perp_grad",
    "softmax_free_attention",
    "softmax_free_attention_vjp",
    "softmax_regression_loss",
    "softmax_step_radius",
    "symmetric_normalize",
    "symmetric_normalize_vjp",
]


def _batch(name: str, what: str, x: np.ndarray, rows: Optional[int] = None) -> tuple[tuple[int, ...], int, int]:
    """Leading axes, rows and columns of an array of matrices; square ones where ``rows`` is -1."""
    if x.ndim < 2:
        raise fail("INVALID_SHAPE", name, f"{what} has {x.ndim} dimensions, expected at least 2")
    if rows == -1 and x.shape[-1] != x.shape[-2]:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {x.shape}, expected square matrices")
    return x.shape[:-2], x.shape[-2], x.shape[-1]


def _points(name: str, q: np.ndarray, k: np.ndarray, what: str) -> tuple[tuple[int, ...], int, int, int]:
    """Leading axes, the numbers of first and of second points, and of their coordinates."""
    leading, n, dimensions = _batch(name, "q", q)
    _, m, _ = _batch(name, what, k)
    check_shape(name, what, k, (*leading, m, dimensions))
    return leading, n, m, dimensions


def _scale(scale: Optional[float], dimensions: int) -> float:
    return 0.5 / math.sqrt(max(1, dimensions)) if scale is None else scale


@documented
def gaussian_kernel_matrix(q: Any, k: Any, *, scale: Optional[float] = None) -> np.ndarray:
    """Gaussian kernel of two lists of points.

    Parameters
    ----------
    q : array_like
        Points, shape (..., n, D).
    k : array_like
        Points, shape (..., m, D).
    scale : float, default None
        > 0; 1 / (2 sqrt(D)) if absent.

    Returns
    -------
    K : ndarray
        Shape (..., n, m).

    Examples
    --------
    >>> import losskit
    >>> losskit.gaussian_kernel_matrix([[1.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]]).round(4).tolist()
    [[0.7022, 0.7022]]
    """
    name = "gaussian_kernel_matrix"
    dtype, q, k = as_reals(name, q, k)
    leading, n, m, dimensions = _points(name, q, k, "k")
    kernel = empty((*leading, n, m), dtype)
    call(name, dtype, q, k, math.prod(leading), n, m, dimensions, _scale(scale, dimensions), kernel)
    return kernel


@documented
def gaussian_kernel_matrix_vjp(
    q: Any, k: Any, K: Any, grad_output: Any, *, scale: Optional[float] = None
) -> tuple[np.ndarray, np.ndarray]:
    """Vector-Jacobian product of gaussian_kernel_matrix: the gradients of `q` and `k`.

    Parameters
    ----------
    q : array_like
        Points, shape (..., n, D).
    k : array_like
        Points, shape (..., m, D).
    K : array_like
        What `gaussian_kernel_matrix` returned, shape (..., n, m).
    scale : float, default None
        > 0; 1 / (2 sqrt(D)) if absent.

    Examples
    --------
    >>> import losskit
    >>> q, k = [[1.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]]
    >>> K = losskit.gaussian_kernel_matrix(q, k)
    >>> grad_q, grad_k = losskit.gaussian_kernel_matrix_vjp(q, k, K, [[1.0, 2.0]])
    >>> grad_q.round(4).tolist()
    [[-0.4965, 0.993]]
    """
    name = "gaussian_kernel_matrix_vjp"
    dtype, q, k, K, grad_output = as_reals(name, q, k, K, grad_output)
    leading, n, m, dimensions = _points(name, q, k, "k")
    check_shape(name, "K", K, (*leading, n, m))
    check_shape(name, "grad_output", grad_output, (*leading, n, m))
    grad_q, grad_k = empty(q.shape, dtype), empty(k.shape, dtype)
    sizes = (math.prod(leading), n, m, dimensions)
    call(name, dtype, q, k, K, grad_output, *sizes, _scale(scale, dimensions), grad_q, grad_k)
    return grad_q, grad_k


@documented
def symmetric_normalize(s: Any) -> np.ndarray:
    """Symmetric normalisation of a square matrix by its row sums.

    Parameters
    ----------
    s : array_like
        Matrices with positive row sums, shape (..., m, m).

    Examples
    --------
    >>> import losskit
    >>> losskit.symmetric_normalize([[1.0, 0.5], [0.2, 1.0]]).round(4).tolist()
    [[0.6667, 0.3727], [0.1491, 0.8333]]
    """
    name = "symmetric_normalize"
    dtype, s = as_reals(name, s)
    leading, m, _ = _batch(name, "s", s, -1)
    normalized = empty(s.shape, dtype)
    call(name, dtype, s, math.prod(leading), m, normalized)
    return normalized


@documented
def symmetric_normalize_vjp(s: Any, grad_output: Any) -> np.ndarray:
    """Vector-Jacobian product of symmetric_normalize.

    Parameters
    ----------
    s : array_like
        What was given to `symmetric_normalize`, shape (..., m, m).

    Examples
    --------
    >>> import losskit
    >>> losskit.symmetric_normalize_vjp([[1.0, 0.5], [0.2, 1.0]], [[1.0, 2.0], [0.0, 1.0]]).round(4).tolist()
    [[-0.0262, 0.7978], [-1.005, -0.1717]]
    """
    name = "symmetric_normalize_vjp"
    dtype, s, grad_output = as_reals(name, s, grad_output)
    leading, m, _ = _batch(name, "s", s, -1)
    check_shape(name, "grad_output", grad_output, s.shape)
    grad = empty(s.shape, dtype)
    call(name, dtype, s, grad_output, math.prod(leading), m, grad)
    return grad


@documented
def newton_inverse(a: Any, *, n_iter: int = 20, ridge: float = 0.01) -> np.ndarray:
    """Inverse of a matrix, nearly, by Newton's iteration.

    Parameters
    ----------
    a : array_like
        Symmetric matrices without negative elements (not checked), shape (..., m, m).

    Examples
    --------
    >>> import losskit
    >>> losskit.newton_inverse([[1.0, 0.5], [0.5, 1.0]]).round(4).tolist()
    [[1.3115, -0.6493], [-0.6493, 1.3115]]
    """
    name = "newton_inverse"
    dtype, a = as_reals(name, a)
    leading, m, _ = _batch(name, "a", a, -1)
    inverse = empty(a.shape, dtype)
    call(name, dtype, a, math.prod(leading), m, n_iter, ridge, inverse)
    return inverse


@documented
def newton_inverse_vjp(v: Any, grad_output: Any) -> np.ndarray:
    """Vector-Jacobian product of newton_inverse, as of the exact inverse: the iterations are constants.

    Parameters
    ----------
    v : array_like
        What `newton_inverse` returned, shape (..., m, m).

    Examples
    --------
    >>> import losskit
    >>> v = losskit.newton_inverse([[1.0, 0.5], [0.5, 1.0]])
    >>> losskit.newton_inverse_vjp(v, [[1.0, 0.0], [0.0, 0.0]]).round(4).tolist()
    [[-1.7201, 0.8515], [0.8515, -0.4215]]
    """
    name = "newton_inverse_vjp"
    dtype, v, grad_output = as_reals(name, v, grad_output)
    leading, m, _ = _batch(name, "v", v, -1)
    check_shape(name, "grad_output", grad_output, v.shape)
    grad = empty(v.shape, dtype)
    call(name, dtype, v, grad_output, math.prod(leading), m, grad)
    return grad


@documented
def softmax_free_attention(
    q: Any,
    landmarks: Any,
    v: Any,
    *,
    n_iter: int = 20,
    ridge: float = 0.01,
    symmetric: bool = False,
    scale: Optional[float] = None,
) -> np.ndarray:
    """Attention with Gaussian kernels of few landmarks instead of softmax: linear in the number of queries.

    Parameters
    ----------
    q : array_like
        Queries, which are the keys as well, shape (..., n, D).
    landmarks : array_like
        Shape (..., m, D).
    v : array_like
        Values, shape (..., n, E).
    scale : float, default None
        > 0; 1 / (2 sqrt(D)) if absent.

    Examples
    --------
    >>> import losskit
    >>> q, landmarks, v = [[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]], [[0.0, 0.0], [1.0, 1.0]], [[1.0], [2.0], [3.0]]
    >>> losskit.softmax_free_attention(q, landmarks, v).round(4).tolist()
    [[3.1144], [3.0415], [1.6531]]
    """
    name = "softmax_free_attention"
    dtype, q, landmarks, v = as_reals(name, q, landmarks, v)
    leading, n, m, dimensions = _points(name, q, landmarks, "landmarks")
    _, _, columns = _batch(name, "v", v)
    check_shape(name, "v", v, (*leading, n, columns))
    output = empty(v.shape, dtype)
    sizes = (math.prod(leading), n, m, dimensions, columns)
    call(name, dtype, q, landmarks, v, *sizes, n_iter, ridge, symmetric, _scale(scale, dimensions), output)
    return output


@documented
def softmax_free_attention_vjp(
    q: Any,
    landmarks: Any,
    v: Any,
    grad_output: Any,
    *,
    n_iter: int = 20,
    ridge: float = 0.01,
    symmetric: bool = False,
    scale: Optional[float] = None,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Vector-Jacobian product of softmax_free_attention: the gradients of `q`, `landmarks` and `v`.

    Parameters
    ----------
    q : array_like
        Queries, shape (..., n, D).
    landmarks : array_like
        Shape (..., m, D).
    v : array_like
        Values, shape (..., n, E).
    scale : float, default None
        > 0; 1 / (2 sqrt(D)) if absent.

    Examples
    --------
    >>> import losskit
    >>> q, landmarks, v = [[0.0, 0.0], [1.0, 0.0]], [[0.0, 0.0], [1.0, 1.0]], [[1.0], [2.0]]
    >>> _, _, grad_v = losskit.softmax_free_attention_vjp(q, landmarks, v, [[1.0], [0.0]])
    >>> grad_v.round(4).tolist()
    [[0.9901], [0.6975]]
    """
    name = "softmax_free_attention_vjp"
    dtype, q, landmarks, v, grad_output = as_reals(name, q, landmarks, v, grad_output)
    leading, n, m, dimensions = _points(name, q, landmarks, "landmarks")
    _, _, columns = _batch(name, "v", v)
    check_shape(name, "v", v, (*leading, n, columns))
    check_shape(name, "grad_output", grad_output, v.shape)
    grad_q, grad_landmarks, grad_v = (empty(array.shape, dtype) for array in (q, landmarks, v))
    sizes = (math.prod(leading), n, m, dimensions, columns)
    parameters = (n_iter, ridge, symmetric, _scale(scale, dimensions))
    call(name, dtype, q, landmarks, v, grad_output, *sizes, *parameters, grad_q, grad_landmarks, grad_v)
    return grad_q, grad_landmarks, grad_v


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
