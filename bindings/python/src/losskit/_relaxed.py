"""Random numbers; relaxed top-k, sorting and sampling; gates of mixtures of experts."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ._core import LossKitError, as_integers, as_reals, call, check_shape, documented, empty, fail, rows_of, scalar

__all__ = [
    "gumbel_softmax",
    "gumbel_softmax_vjp",
    "log_soft_topk",
    "log_soft_topk_vjp",
    "neuralsort",
    "neuralsort_vjp",
    "philox_gumbel",
    "philox_normal",
    "philox_uniform",
    "soft_topk",
    "soft_topk_vjp",
    "softsort",
    "softsort_vjp",
]


# --- Random numbers --------------------------------------------------------------------------------------------------


def _draw(name: str, n: int, seed: int, offset: int, stream: int) -> np.ndarray:
    """``n`` numbers in double precision; float32 calls of C give these, rounded."""
    try:
        output = empty((int(n),), np.dtype(np.float64))
    except (TypeError, ValueError, MemoryError):
        raise fail("INVALID_SHAPE", name, f"n must be a number of elements that fits into memory, not {n!r}") from None
    call(name, output.dtype, output.size, seed, offset, stream, output)
    return output


@documented
def philox_uniform(*, n: int, seed: int = 0, offset: int = 0, stream: int = 0) -> np.ndarray:
    """Random numbers, uniform in (0, 1).

    Parameters
    ----------
    n : int
        How many.

    Examples
    --------
    >>> import losskit
    >>> losskit.philox_uniform(n=3, seed=42).round(7).tolist()
    [0.6129599, 0.9877187, 0.8258668]
    """
    return _draw("philox_uniform", n, seed, offset, stream)


@documented
def philox_normal(*, n: int, seed: int = 0, offset: int = 0, stream: int = 0) -> np.ndarray:
    """Random numbers of the standard normal distribution.

    Parameters
    ----------
    n : int
        How many.

    Examples
    --------
    >>> import losskit
    >>> losskit.philox_normal(n=3, seed=42).round(7).tolist()
    [0.8864975, -0.1566096, -0.4941005]
    """
    return _draw("philox_normal", n, seed, offset, stream)


@documented
def philox_gumbel(*, n: int, seed: int = 0, offset: int = 0, stream: int = 0) -> np.ndarray:
    """Random numbers of the standard Gumbel distribution.

    Parameters
    ----------
    n : int
        How many.

    Examples
    --------
    >>> import losskit
    >>> losskit.philox_gumbel(n=3, seed=42, offset=5).round(7).tolist()
    [-0.1446776, -0.3984503, -0.025878]
    """
    return _draw("philox_gumbel", n, seed, offset, stream)


# --- Relaxed top-k ---------------------------------------------------------------------------------------------------


def _vjp(name: str, output: Any, grad_output: Any, parameter: float, axis: int) -> np.ndarray:
    """A vector-Jacobian product of rows that takes what the map returned."""
    dtype, output, grad_output = as_reals(name, output, grad_output)
    rows = rows_of(name, output, axis)
    check_shape(name, "grad_output", grad_output, output.shape)
    grad_z = empty(output.shape, dtype)
    call(name, dtype, output, grad_output, *rows[:3], parameter, grad_z)
    return grad_z


def _soft_topk(name: str, z: Any, k: Any, alpha: float, n_iter: int, axis: int) -> np.ndarray:
    dtype, z = as_reals(name, z)
    rows = rows_of(name, z, axis)
    try:
        k = as_integers(name, "k", k)
    except LossKitError as error:
        raise fail("INVALID_PARAMETER", name, "k must be an integer, or one for each row") from error
    if k.ndim:
        check_shape(name, "k", k, rows.shape)
    output = empty(z.shape, dtype)
    call(name, dtype, z, k, *rows[:3], k.ndim > 0, alpha, n_iter, output)
    return output


@documented
def soft_topk(z: Any, *, k: Any, alpha: float = 1.0, n_iter: int = 64, axis: int = -1) -> np.ndarray:
    """Soft top-k: each row's probabilities of being among the k largest, which sum to k.

    Parameters
    ----------
    k : int or array_like
        0 < k < C: one number, or one for each row.

    Examples
    --------
    >>> import losskit
    >>> losskit.soft_topk([[1.0, 2.0, 3.0, 0.0]], k=2).round(7).tolist()
    [[0.3775407, 0.6224593, 0.8175745, 0.1824255]]
    """
    return _soft_topk("soft_topk", z, k, alpha, n_iter, axis)


@documented
def log_soft_topk(z: Any, *, k: Any, alpha: float = 1.0, n_iter: int = 64, axis: int = -1) -> np.ndarray:
    """Logarithm of the soft top-k probabilities.

    Parameters
    ----------
    k : int or array_like
        0 < k < C: one number, or one for each row.

    Examples
    --------
    >>> import losskit
    >>> losskit.log_soft_topk([[1.0, 2.0, 3.0, 0.0]], k=2).round(6).tolist()
    [[-0.974077, -0.474077, -0.201413, -1.701413]]
    """
    return _soft_topk("log_soft_topk", z, k, alpha, n_iter, axis)


@documented
def soft_topk_vjp(p: Any, grad_output: Any, *, alpha: float = 1.0, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of soft_topk, by the implicit function theorem.

    Examples
    --------
    >>> import losskit
    >>> p = losskit.soft_topk([[1.0, 2.0, 3.0, 0.0]], k=2)
    >>> losskit.soft_topk_vjp(p, [[1.0, 0.0, 2.0, 0.0]]).round(7).tolist()
    [[0.0718817, -0.163122, 0.1947666, -0.1035263]]
    """
    return _vjp("soft_topk_vjp", p, grad_output, alpha, axis)


@documented
def log_soft_topk_vjp(log_p: Any, grad_output: Any, *, alpha: float = 1.0, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of log_soft_topk.

    Examples
    --------
    >>> import losskit
    >>> log_p = losskit.log_soft_topk([[1.0, 2.0, 3.0, 0.0]], k=2)
    >>> losskit.log_soft_topk_vjp(log_p, [[1.0, 0.0, 2.0, 0.0]]).round(4).tolist()
    [[0.3205, -0.302, 0.1732, -0.1917]]
    """
    return _vjp("log_soft_topk_vjp", log_p, grad_output, alpha, axis)


# --- Relaxed sorting and sampling ------------------------------------------------------------------------------------


def _lists(name: str, s: np.ndarray, lengths: Any = None) -> tuple[int, int, Any]:
    """How scores fall into lists, one for each length."""
    rows = rows_of(name, s)
    if lengths is not None:
        try:
            lengths = as_integers(name, "lengths", lengths)
        except LossKitError as error:
            raise fail("INVALID_VALUE", name, "lengths must be integers") from error
        check_shape(name, "lengths", lengths, rows.shape)
    return rows.outer, rows.classes, lengths


@documented
def neuralsort(s: Any, *, tau: float = 1.0, hard: bool = False, lengths: Any = None) -> np.ndarray:
    """NeuralSort: relaxed permutation matrices that sort scores in descending order.

    Examples
    --------
    >>> import losskit
    >>> losskit.neuralsort([[1.0, 3.0, 2.0]]).round(4).tolist()
    [[[0.0132, 0.7214, 0.2654], [0.2119, 0.2119, 0.5761], [0.7214, 0.0132, 0.2654]]]
    """
    dtype, s = as_reals("neuralsort", s)
    lists, items, lengths = _lists("neuralsort", s, lengths)
    p = empty((*s.shape, items), dtype)
    call("neuralsort", dtype, s, lists, items, tau, hard, lengths, p)
    return p


@documented
def neuralsort_vjp(s: Any, P: Any, grad_output: Any, *, tau: float = 1.0, lengths: Any = None) -> np.ndarray:  # noqa: N803
    """Vector-Jacobian product of neuralsort.

    Examples
    --------
    >>> import losskit
    >>> s = [[1.0, 3.0, 2.0]]
    >>> g = [[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    >>> losskit.neuralsort_vjp(s, losskit.neuralsort(s), g).round(4).tolist()
    [[-0.0496, -0.1819, 0.2316]]
    """
    name = "neuralsort_vjp"
    dtype, s, P, grad_output = as_reals(name, s, P, grad_output)  # noqa: N806
    lists, items, lengths = _lists(name, s, lengths)
    return _pulled(name, dtype, s, P, grad_output, lists, items, tau, lengths)


def _pulled(name: str, dtype: Any, s: np.ndarray, matrix: Any, grad_output: Any, lists: int, items: int, *rest: Any) -> Any:
    check_shape(name, "P", matrix, (*s.shape, items))
    check_shape(name, "grad_output", grad_output, (*s.shape, items))
    grad_s = empty(s.shape, dtype)
    call(name, dtype, s, matrix, grad_output, lists, items, *rest, grad_s)
    return grad_s


@documented
def softsort(s: Any, *, tau: float = 1.0, power: float = 1.0) -> np.ndarray:
    """SoftSort: relaxed permutation matrices that sort scores in descending order, by distance to the sorted scores.

    Examples
    --------
    >>> import losskit
    >>> losskit.softsort([[1.0, 3.0, 2.0]]).round(4).tolist()
    [[[0.09, 0.6652, 0.2447], [0.2119, 0.2119, 0.5761], [0.6652, 0.09, 0.2447]]]
    """
    dtype, s = as_reals("softsort", s)
    lists, items, _ = _lists("softsort", s)
    p = empty((*s.shape, items), dtype)
    call("softsort", dtype, s, lists, items, tau, power, p)
    return p


@documented
def softsort_vjp(s: Any, P: Any, grad_output: Any, *, tau: float = 1.0, power: float = 1.0) -> np.ndarray:  # noqa: N803
    """Vector-Jacobian product of softsort.

    Examples
    --------
    >>> import losskit
    >>> s = [[1.0, 3.0, 2.0]]
    >>> g = [[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]]
    >>> losskit.softsort_vjp(s, losskit.softsort(s), g).round(4).tolist()
    [[-0.104, -0.1029, 0.2069]]
    """
    name = "softsort_vjp"
    dtype, s, P, grad_output = as_reals(name, s, P, grad_output)  # noqa: N806
    lists, items, _ = _lists(name, s)
    return _pulled(name, dtype, s, P, grad_output, lists, items, tau, power)


@documented
def gumbel_softmax(
    z: Any, *, tau: float = 1.0, hard: bool = False, seed: int = 0, offset: int = 0, axis: int = -1
) -> np.ndarray:
    """A sample of the relaxed categorical distribution with logits z: softmax of logits with Gumbel noise.

    Examples
    --------
    >>> import losskit
    >>> losskit.gumbel_softmax([[1.0, 2.0, 3.0]], seed=3).round(7).tolist()
    [[0.1409093, 0.0589533, 0.8001375]]
    >>> losskit.gumbel_softmax([[1.0, 2.0, 3.0]], seed=3, hard=True).tolist()
    [[0.0, 0.0, 1.0]]
    """
    dtype, z = as_reals("gumbel_softmax", z)
    rows = rows_of("gumbel_softmax", z, axis)
    y = empty(z.shape, dtype)
    call("gumbel_softmax", dtype, z, *rows[:3], tau, hard, seed, offset, y)
    return y


@documented
def gumbel_softmax_vjp(y_soft: Any, grad_output: Any, *, tau: float = 1.0, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of gumbel_softmax.

    Examples
    --------
    >>> import losskit
    >>> y = losskit.gumbel_softmax([[1.0, 2.0, 3.0]], seed=3)
    >>> losskit.gumbel_softmax_vjp(y, [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[-0.1044, -0.1026, 0.2071]]
    """
    return _vjp("gumbel_softmax_vjp", y_soft, grad_output, tau, axis)
