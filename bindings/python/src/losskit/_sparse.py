"""Sparse maps: sparsemax, entmax and their relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import as_reals, as_reals_like, call, check_shape, documented, empty, rows_of, scalar

__all__ = [
    "capped_simplex_projection",
    "capped_simplex_projection_vjp",
    "entmax",
    "entmax15",
    "entmax15_vjp",
    "entmax_vjp",
    "normmax",
    "normmax_vjp",
    "sparse_softmax",
    "sparse_softmax_vjp",
    "sparsemax",
    "sparsemax_support",
    "sparsemax_vjp",
]


def _row_map(name: str, *inputs: Any, parameters: tuple[Any, ...] = (), axis: int) -> np.ndarray:
    """A map of rows, or, with a second input, its vector-Jacobian product."""
    dtype, *arrays = as_reals(name, *inputs)
    rows = rows_of(name, arrays[0], axis)
    for array in arrays[1:]:
        check_shape(name, "grad_output", array, arrays[0].shape)
    output = empty(arrays[0].shape, dtype)
    call(name, dtype, *arrays, *rows[:3], *parameters, output)
    return output


@documented
def sparsemax(z: Any, *, axis: int = -1) -> np.ndarray:
    """Sparsemax: the Euclidean projection of each row onto the simplex.

    Examples
    --------
    >>> import losskit
    >>> losskit.sparsemax([[1.0, 0.5, -1.0]]).tolist()
    [[0.75, 0.25, 0.0]]
    """
    return _row_map("sparsemax", z, axis=axis)


@documented
def sparsemax_support(z: Any, *, axis: int = -1) -> tuple[Any, Any]:
    """The threshold of sparsemax and the size of its support.

    Returns
    -------
    tau, k
        The threshold of each row, and how many of its classes are above it (int64).

    Examples
    --------
    >>> import losskit
    >>> tau, k = losskit.sparsemax_support([[1.0, 0.5, -1.0]])
    >>> tau.tolist(), k.tolist()
    ([0.25], [2])
    """
    name = "sparsemax_support"
    dtype, z = as_reals(name, z)
    rows = rows_of(name, z, axis)
    tau, k = empty(rows.shape, dtype), empty(rows.shape, np.dtype(np.int64))
    call(name, dtype, z, *rows[:3], tau, k)
    return scalar(tau), scalar(k)


@documented
def sparsemax_vjp(p: Any, grad_output: Any, *, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of sparsemax.

    Examples
    --------
    >>> import losskit
    >>> losskit.sparsemax_vjp(losskit.sparsemax([[1.0, 0.5, -1.0]]), [[1.0, 2.0, 3.0]]).tolist()
    [[-0.5, 0.5, 0.0]]
    """
    return _row_map("sparsemax_vjp", p, grad_output, axis=axis)


@documented
def entmax15(z: Any, *, axis: int = -1) -> np.ndarray:
    """1.5-entmax: between softmax and sparsemax.

    Examples
    --------
    >>> import losskit
    >>> losskit.entmax15([[1.0, 0.5, -1.0]]).round(4).tolist()
    [[0.674, 0.326, 0.0]]
    """
    return _row_map("entmax15", z, axis=axis)


@documented
def entmax15_vjp(p: Any, grad_output: Any, *, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of 1.5-entmax.

    Examples
    --------
    >>> import losskit
    >>> losskit.entmax15_vjp(losskit.entmax15([[1.0, 0.5, -1.0]]), [[1.0, 2.0, 3.0]]).round(4).tolist()
    [[-0.3368, 0.3368, 0.0]]
    """
    return _row_map("entmax15_vjp", p, grad_output, axis=axis)


@documented
def entmax(z: Any, alpha: Any, *, n_iter: int = 50, axis: int = -1) -> np.ndarray:
    """α-entmax: softmax for α → 1, sparsemax for α = 2, the sparser the larger α.

    Parameters
    ----------
    alpha : float or array_like
        α > 1: one number, or one for each row.

    Examples
    --------
    >>> import losskit
    >>> losskit.entmax([[1.0, 0.5, -1.0]], 1.3).round(4).tolist()
    [[0.6427, 0.3436, 0.0137]]
    """
    dtype, z = as_reals("entmax", z)
    rows = rows_of("entmax", z, axis)
    alpha, per_row = _exponents("entmax", alpha, rows.shape)
    p = empty(z.shape, dtype)
    call("entmax", dtype, z, alpha, per_row, *rows[:3], n_iter, p)
    return p


@documented
def entmax_vjp(p: Any, alpha: Any, grad_output: Any, *, axis: int = -1) -> tuple[np.ndarray, Any]:
    """Vector-Jacobian product of α-entmax, with respect to the logits and to α.

    Parameters
    ----------
    alpha : float or array_like
        α > 1: one number, or one for each row.

    Returns
    -------
    grad_z, grad_alpha
        The gradients; that of α has its shape: for a single α it is the sum over the rows.

    Examples
    --------
    >>> import losskit
    >>> p = losskit.entmax([[1.0, 0.5, -1.0]], 1.3)
    >>> grad_z, grad_alpha = losskit.entmax_vjp(p, [1.3], [[1.0, 2.0, 3.0]])
    >>> grad_z.round(4).tolist(), grad_alpha.round(4).tolist()
    ([[-0.3343, 0.2578, 0.0765]], [-0.4027])
    """
    name = "entmax_vjp"
    dtype, p, grad_output = as_reals(name, p, grad_output)
    rows = rows_of(name, p, axis)
    check_shape(name, "grad_output", grad_output, p.shape)
    alpha, per_row = _exponents(name, alpha, rows.shape)
    grad_z, grad_alpha = empty(p.shape, dtype), empty(rows.shape, dtype)
    call(name, dtype, p, alpha, grad_output, per_row, *rows[:3], grad_z, grad_alpha)
    return grad_z, scalar(grad_alpha) if per_row else dtype.type(grad_alpha.sum(dtype=np.float64))


def _exponents(name: str, alpha: Any, rows: tuple[int, ...]) -> tuple[np.ndarray, bool]:
    """α in double precision, whatever that of the logits; and is there one for each row?"""
    (alpha,) = as_reals_like(name, np.dtype(np.float64), alpha)
    if alpha.ndim == 0:
        return alpha, False
    check_shape(name, "alpha", alpha, rows)
    return alpha, True


@documented
def normmax(z: Any, *, alpha: float = 2.0, n_iter: int = 50, axis: int = -1) -> np.ndarray:
    """Normmax: the probabilities that maximise ⟨p, z⟩ - ‖p‖_α.

    Examples
    --------
    >>> import losskit
    >>> losskit.normmax([[1.0, 0.5, -1.0]]).round(4).tolist()
    [[0.689, 0.311, 0.0]]
    """
    return _row_map("normmax", z, parameters=(alpha, n_iter), axis=axis)


@documented
def normmax_vjp(p: Any, grad_output: Any, *, alpha: float = 2.0, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of normmax.

    Examples
    --------
    >>> import losskit
    >>> losskit.normmax_vjp(losskit.normmax([[1.0, 0.5, -1.0]]), [[1.0, 2.0, 3.0]]).round(4).tolist()
    [[-0.432, 0.432, 0.0]]
    """
    return _row_map("normmax_vjp", p, grad_output, parameters=(alpha,), axis=axis)


@documented
def capped_simplex_projection(z: Any, *, k: float = 2.0, axis: int = -1) -> np.ndarray:
    """The Euclidean projection of each row onto the capped simplex: entries up to 1, sum k.

    Examples
    --------
    >>> import losskit
    >>> losskit.capped_simplex_projection([[2.0, 1.0, 0.5, -1.0]]).tolist()
    [[1.0, 0.75, 0.25, 0.0]]
    """
    return _row_map("capped_simplex_projection", z, parameters=(k,), axis=axis)


@documented
def capped_simplex_projection_vjp(p: Any, grad_output: Any, *, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of capped_simplex_projection.

    Examples
    --------
    >>> import losskit
    >>> p = losskit.capped_simplex_projection([[2.0, 1.0, 0.5, -1.0]])
    >>> losskit.capped_simplex_projection_vjp(p, [[1.0, 2.0, 4.0, 3.0]]).tolist()
    [[0.0, -1.0, 1.0, 0.0]]
    """
    return _row_map("capped_simplex_projection_vjp", p, grad_output, axis=axis)


@documented
def sparse_softmax(z: Any, *, k: int = 10, axis: int = -1) -> np.ndarray:
    """Softmax of the k largest logits of each row; the others have probability 0.

    Examples
    --------
    >>> import losskit
    >>> losskit.sparse_softmax([[1.0, 3.0, 2.0, 0.0]], k=2).round(4).tolist()
    [[0.0, 0.7311, 0.2689, 0.0]]
    """
    return _row_map("sparse_softmax", z, parameters=(k,), axis=axis)


@documented
def sparse_softmax_vjp(p: Any, grad_output: Any, *, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of sparse_softmax: the selection is constant.

    Examples
    --------
    >>> import losskit
    >>> p = losskit.sparse_softmax([[1.0, 3.0, 2.0, 0.0]], k=2)
    >>> losskit.sparse_softmax_vjp(p, [[1.0, 2.0, 3.0, 4.0]]).round(4).tolist()
    [[0.0, -0.1966, 0.1966, 0.0]]
    """
    return _row_map("sparse_softmax_vjp", p, grad_output, axis=axis)
