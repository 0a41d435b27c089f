"""Softmax family."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._core import as_array, as_reals, as_reals_like, call, check_shape, documented, empty, fail, rows_of, scalar

__all__ = [
    "causal_softmax",
    "causal_softmax_vjp",
    "extexp_sum",
    "hardmax",
    "harmonic_max",
    "harmonic_max_vjp",
    "log_sigmoid",
    "log_sigmoid_vjp",
    "log_softmax",
    "log_softmax_vjp",
    "log_stablemax",
    "log_stablemax_vjp",
    "log_taylor_softmax",
    "log_taylor_softmax_vjp",
    "logsumexp",
    "logsumexp_vjp",
    "masked_softmax",
    "masked_softmax_vjp",
    "online_softmax_combine",
    "online_softmax_combine_vjp",
    "online_softmax_merge",
    "online_softmax_stats",
    "sdm_activation",
    "sdm_activation_vjp",
    "sigmoid",
    "sigmoid_vjp",
    "sigsoftmax",
    "sigsoftmax_vjp",
    "softmax",
    "softmax_vjp",
    "softmax_with_sink",
    "softmax_with_sink_vjp",
    "softmin",
    "softmin_vjp",
    "softplus",
    "softplus_vjp",
    "spherical_softmax",
    "spherical_softmax_vjp",
    "stablemax",
    "stablemax_vjp",
    "taylor_softmax",
    "taylor_softmax_vjp",
    "two_pass_softmax",
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
def softmin(z: Any, *, temperature: float = 1.0, axis: int = -1) -> np.ndarray:
    """Softmax of the negated scores of each row.

    Examples
    --------
    >>> import losskit
    >>> losskit.softmin([[1.0, 2.0, 3.0]]).round(4).tolist()
    [[0.6652, 0.2447, 0.09]]
    """
    return _map("softmin", z, parameters=(temperature,), axis=axis)


@documented
def softmin_vjp(p: Any, grad_output: Any, *, temperature: float = 1.0, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of softmin.

    Examples
    --------
    >>> import losskit
    >>> p = losskit.softmin([[1.0, 2.0, 3.0]])
    >>> losskit.softmin_vjp(p, [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[-0.1029, 0.2069, -0.104]]
    """
    return _map("softmin_vjp", p, grad_output, parameters=(temperature,), axis=axis)


@documented
def masked_softmax(z: Any, mask: Any, *, temperature: float = 1.0, axis: int = -1) -> np.ndarray:
    """Softmax over the elements of each row that a mask lets take part; the others are 0, whatever they hold.

    Parameters
    ----------
    mask : array_like
        True where an element takes part: one for each class, or shaped as `z`.

    Examples
    --------
    >>> import losskit
    >>> losskit.masked_softmax([[1.0, 2.0, 3.0]], [[True, False, True]]).round(4).tolist()
    [[0.1192, 0.0, 0.8808]]
    """
    name = "masked_softmax"
    dtype, z = as_reals(name, z)
    rows = rows_of(name, z, axis)
    mask = as_array(mask, name)
    if mask.dtype.kind not in "biuf":
        raise fail("INVALID_VALUE", name, f"mask must be boolean, not {mask.dtype}")
    per_element = mask.shape == z.shape and mask.shape != (rows.classes,)
    if not per_element:
        check_shape(name, "mask", mask, (rows.classes,))
    bits = np.ascontiguousarray(mask, bool).view(np.uint8)
    p = empty(z.shape, dtype)
    call(name, dtype, z, bits, per_element, *rows[:3], temperature, p)
    return p


@documented
def masked_softmax_vjp(p: Any, grad_output: Any, *, temperature: float = 1.0, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of masked_softmax.

    Examples
    --------
    >>> import losskit
    >>> p = losskit.masked_softmax([[1.0, 2.0, 3.0]], [True, False, True])
    >>> losskit.masked_softmax_vjp(p, [[1.0, float("nan"), 2.0]]).round(4).tolist()
    [[-0.105, 0.0, 0.105]]
    """
    return _map("masked_softmax_vjp", p, grad_output, parameters=(temperature,), axis=axis)


@documented
def causal_softmax(z: Any, *, scale: float = 1.0, offset: int = 0) -> np.ndarray:
    """Softmax of attention scores in which a query sees the keys up to its own place.

    Parameters
    ----------
    z : array_like
        Scores of keys for queries: the last axis are the keys, the one before it the queries.

    Examples
    --------
    >>> import losskit
    >>> losskit.causal_softmax([[[1.0, 2.0], [3.0, 5.0]]]).round(4).tolist()
    [[[1.0, 0.0], [0.1192, 0.8808]]]
    """
    return _causal("causal_softmax", z, parameters=(scale, offset))


@documented
def causal_softmax_vjp(p: Any, grad_output: Any, *, scale: float = 1.0, offset: int = 0) -> np.ndarray:
    """Vector-Jacobian product of causal_softmax.

    Examples
    --------
    >>> import losskit
    >>> p = losskit.causal_softmax([[[1.0, 2.0], [3.0, 5.0]]])
    >>> losskit.causal_softmax_vjp(p, [[[1.0, 1.0], [1.0, 2.0]]]).round(4).tolist()
    [[[0.0, 0.0], [-0.105, 0.105]]]
    """
    return _causal("causal_softmax_vjp", p, grad_output, parameters=(scale, offset))


def _causal(name: str, *inputs: Any, parameters: tuple[Any, ...]) -> np.ndarray:
    dtype, *arrays = as_reals(name, *inputs)
    shape = arrays[0].shape
    if len(shape) < 2:
        raise fail("INVALID_SHAPE", name, "the last two axes are queries and keys")
    check_shape(name, "grad_output", arrays[-1], shape)
    output = empty(shape, dtype)
    call(name, dtype, *arrays, math.prod(shape[:-2]), *shape[-2:], *parameters, output)
    return output


@documented
def softmax_with_sink(z: Any, sink: Any, *, axis: int = -1) -> np.ndarray:
    """Softmax with a score of each row's own that takes probability away, but gets no output.

    Examples
    --------
    >>> import losskit
    >>> losskit.softmax_with_sink([[1.0, 2.0]], [0.0]).round(4).tolist()
    [[0.2447, 0.6652]]
    """
    name = "softmax_with_sink"
    dtype, z, sink = as_reals(name, z, sink)
    rows = rows_of(name, z, axis)
    check_shape(name, "sink", sink, rows.shape)
    p = empty(z.shape, dtype)
    call(name, dtype, z, sink, *rows[:3], p)
    return p


@documented
def softmax_with_sink_vjp(z: Any, sink: Any, p: Any, grad_output: Any, *, axis: int = -1) -> tuple[np.ndarray, np.ndarray]:
    """Vector-Jacobian product of softmax_with_sink: the gradients of ``z`` and of ``sink``.

    Examples
    --------
    >>> import losskit
    >>> z, sink = [[1.0, 2.0]], [0.0]
    >>> p = losskit.softmax_with_sink(z, sink)
    >>> grad_z, grad_sink = losskit.softmax_with_sink_vjp(z, sink, p, [[1.0, 3.0]])
    >>> grad_z.round(4).tolist(), grad_sink.round(4).tolist()
    ([[-0.3036, 0.5053]], [-0.2017])
    """
    name = "softmax_with_sink_vjp"
    dtype, z, sink, p, grad_output = as_reals(name, z, sink, p, grad_output)
    rows = rows_of(name, z, axis)
    check_shape(name, "sink", sink, rows.shape)
    check_shape(name, "p", p, z.shape)
    check_shape(name, "grad_output", grad_output, z.shape)
    grad_z, grad_sink = empty(z.shape, dtype), empty(rows.shape, dtype)
    call(name, dtype, z, sink, p, grad_output, *rows[:3], grad_z, grad_sink)
    return grad_z, grad_sink


@documented
def two_pass_softmax(z: Any, *, axis: int = -1) -> np.ndarray:
    """Softmax of each row in two passes over the data, for rows that no cache holds. Its gradient is `softmax_vjp`.

    Examples
    --------
    >>> import losskit
    >>> losskit.two_pass_softmax([[1000.0, 999.0]]).round(4).tolist()
    [[0.7311, 0.2689]]
    """
    return _map("two_pass_softmax", z, axis=axis)


def _two_per_row(name: str, z: Any, axis: int) -> tuple[Any, Any]:
    dtype, z = as_reals(name, z)
    rows = rows_of(name, z, axis)
    first, second = empty(rows.shape, dtype), empty(rows.shape, dtype)
    call(name, dtype, z, *rows[:3], first, second)
    return scalar(first), scalar(second)


@documented
def extexp_sum(z: Any, *, axis: int = -1) -> tuple[Any, Any]:
    """Sum of the exponentials of each row, as a number with an exponent of its own: nothing overflows.

    Examples
    --------
    >>> import losskit
    >>> mantissa, exponent = losskit.extexp_sum([[1000.0, -1000.0]])
    >>> mantissa.round(4).tolist(), exponent.tolist()
    ([0.8095], [1443.0])
    """
    return _two_per_row("extexp_sum", z, axis)


@documented
def online_softmax_stats(z: Any, *, axis: int = -1) -> tuple[Any, Any]:
    """Maximum and shifted sum of exponentials of each row: what a softmax needs to know of a part of its row.

    Examples
    --------
    >>> import losskit
    >>> m, s = losskit.online_softmax_stats([[1.0, 3.0, 2.0]])
    >>> m.tolist(), s.round(4).tolist()
    ([3.0], [1.5032])
    """
    return _two_per_row("online_softmax_stats", z, axis)


@documented
def online_softmax_merge(m_a: Any, s_a: Any, m_b: Any, s_b: Any) -> tuple[Any, Any]:
    """Joins the statistics of two parts of rows.

    Examples
    --------
    >>> import losskit
    >>> m, s = losskit.online_softmax_merge([3.0], [1.5], [5.0], [1.1])
    >>> m.tolist(), s.round(4).tolist()
    ([5.0], [1.303])
    """
    name = "online_softmax_merge"
    dtype, m_a, s_a, m_b, s_b = as_reals(name, m_a, s_a, m_b, s_b)
    for what, array in (("s_a", s_a), ("m_b", m_b), ("s_b", s_b)):
        check_shape(name, what, array, m_a.shape)
    m, s = empty(m_a.shape, dtype), empty(m_a.shape, dtype)
    call(name, dtype, m_a, s_a, m_b, s_b, m_a.size, m, s)
    return scalar(m), scalar(s)


def _partial_results(name: str, *arrays: Any) -> tuple[Any, ...]:
    """Pairs of log-sum-exps and results: precision, checked arrays, numbers of rows and columns."""
    dtype, *loaded = as_reals(name, *arrays)
    shape = loaded[1].shape
    if not shape:
        raise fail("INVALID_SHAPE", name, "out_a is a scalar")
    for what, array in zip(("lse_a", "lse_b", "grad_lse"), loaded[::2]):
        check_shape(name, what, array, shape[:-1])
    for what, array in zip(("out_a", "out_b", "grad_out"), loaded[1::2]):
        check_shape(name, what, array, shape)
    return (dtype, loaded, math.prod(shape[:-1]), shape[-1])


@documented
def online_softmax_combine(lse_a: Any, out_a: Any, lse_b: Any, out_b: Any) -> tuple[np.ndarray, np.ndarray]:
    """Joins two partial results of an attention, each normalised by itself.

    Examples
    --------
    >>> import losskit
    >>> lse, out = losskit.online_softmax_combine([0.0], [[1.0]], [1.0], [[3.0]])
    >>> lse.round(4).tolist(), out.round(4).tolist()
    ([1.3133], [[2.4621]])
    """
    name = "online_softmax_combine"
    dtype, arrays, rows, columns = _partial_results(name, lse_a, out_a, lse_b, out_b)
    lse, out = (empty(array.shape, dtype) for array in arrays[:2])
    call(name, dtype, *arrays, rows, columns, lse, out)
    return lse, out


@documented
def online_softmax_combine_vjp(
    lse_a: Any, out_a: Any, lse_b: Any, out_b: Any, grad_lse: Any, grad_out: Any
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Vector-Jacobian product of online_softmax_combine: the gradients of its inputs, in their order.

    Examples
    --------
    >>> import losskit
    >>> grads = losskit.online_softmax_combine_vjp([0.0], [[1.0]], [1.0], [[3.0]], [1.0], [[1.0]])
    >>> [grad.round(4).tolist() for grad in grads]
    [[-0.1243], [[0.2689]], [1.1243], [[0.7311]]]
    """
    name = "online_softmax_combine_vjp"
    dtype, arrays, rows, columns = _partial_results(name, lse_a, out_a, lse_b, out_b, grad_lse, grad_out)
    grads = tuple(empty(array.shape, dtype) for array in arrays[:4])
    call(name, dtype, *arrays, rows, columns, *grads)
    return grads  # type: ignore[return-value]


@documented
def hardmax(z: Any, *, axis: int = -1) -> np.ndarray:
    """One-hot of the largest score of each row; of several the one of the lowest class.

    Examples
    --------
    >>> import losskit
    >>> losskit.hardmax([[1.0, 3.0, 3.0]]).tolist()
    [[0.0, 1.0, 0.0]]
    """
    return _map("hardmax", z, axis=axis)


@documented
def spherical_softmax(z: Any, *, eps: float = 0.0, axis: int = -1) -> np.ndarray:
    """Spherical softmax: squares instead of exponentials.

    Examples
    --------
    >>> import losskit
    >>> losskit.spherical_softmax([[1.0, -2.0, 3.0]]).round(4).tolist()
    [[0.0714, 0.2857, 0.6429]]
    """
    return _map("spherical_softmax", z, parameters=(eps,), axis=axis)


@documented
def spherical_softmax_vjp(z: Any, grad_output: Any, *, eps: float = 0.0, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of spherical_softmax.

    Examples
    --------
    >>> import losskit
    >>> losskit.spherical_softmax_vjp([[1.0, -2.0, 3.0]], [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[-0.051, 0.3878, 0.2755]]
    """
    return _map("spherical_softmax_vjp", z, grad_output, parameters=(eps,), axis=axis)


@documented
def taylor_softmax(z: Any, *, order: int = 2, axis: int = -1) -> np.ndarray:
    """Taylor softmax: a Taylor polynomial of the exponential in its place.

    Examples
    --------
    >>> import losskit
    >>> losskit.taylor_softmax([[1.0, -2.0, 3.0]]).round(4).tolist()
    [[0.2083, 0.0833, 0.7083]]
    """
    return _map("taylor_softmax", z, parameters=(order,), axis=axis)


@documented
def taylor_softmax_vjp(z: Any, grad_output: Any, *, order: int = 2, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of taylor_softmax.

    Examples
    --------
    >>> import losskit
    >>> losskit.taylor_softmax_vjp([[1.0, -2.0, 3.0]], [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[-0.1042, 0.1354, 0.125]]
    """
    return _map("taylor_softmax_vjp", z, grad_output, parameters=(order,), axis=axis)


@documented
def log_taylor_softmax(z: Any, *, order: int = 2, axis: int = -1) -> np.ndarray:
    """Logarithm of taylor_softmax.

    Examples
    --------
    >>> import losskit
    >>> losskit.log_taylor_softmax([[1.0, -2.0, 3.0]]).round(4).tolist()
    [[-1.5686, -2.4849, -0.3448]]
    """
    return _map("log_taylor_softmax", z, parameters=(order,), axis=axis)


@documented
def log_taylor_softmax_vjp(z: Any, grad_output: Any, *, order: int = 2, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of log_taylor_softmax.

    Examples
    --------
    >>> import losskit
    >>> losskit.log_taylor_softmax_vjp([[1.0, -2.0, 3.0]], [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[0.3, 0.25, -0.0588]]
    """
    return _map("log_taylor_softmax_vjp", z, grad_output, parameters=(order,), axis=axis)


@documented
def stablemax(z: Any, *, axis: int = -1) -> np.ndarray:
    """Stablemax: a function that grows linearly instead of the exponential.

    Examples
    --------
    >>> import losskit
    >>> losskit.stablemax([[1.0, -2.0, 3.0]]).round(4).tolist()
    [[0.3158, 0.0526, 0.6316]]
    """
    return _map("stablemax", z, axis=axis)


@documented
def stablemax_vjp(z: Any, grad_output: Any, *, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of stablemax.

    Examples
    --------
    >>> import losskit
    >>> losskit.stablemax_vjp([[1.0, -2.0, 3.0]], [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[-0.0914, -0.0277, 0.0665]]
    """
    return _map("stablemax_vjp", z, grad_output, axis=axis)


@documented
def log_stablemax(z: Any, *, axis: int = -1) -> np.ndarray:
    """Logarithm of stablemax.

    Examples
    --------
    >>> import losskit
    >>> losskit.log_stablemax([[1.0, -2.0, 3.0]]).round(4).tolist()
    [[-1.1527, -2.9444, -0.4595]]
    """
    return _map("log_stablemax", z, axis=axis)


@documented
def log_stablemax_vjp(z: Any, grad_output: Any, *, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of log_stablemax.

    Examples
    --------
    >>> import losskit
    >>> losskit.log_stablemax_vjp([[1.0, -2.0, 3.0]], [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[0.0263, -0.0526, 0.0263]]
    """
    return _map("log_stablemax_vjp", z, grad_output, axis=axis)


@documented
def harmonic_max(d: Any, *, n: float = 2.0, axis: int = -1) -> np.ndarray:
    """Harmonic max: probabilities from distances, by their inverse powers.

    Examples
    --------
    >>> import losskit
    >>> losskit.harmonic_max([[1.0, 2.0, 4.0]]).round(4).tolist()
    [[0.7619, 0.1905, 0.0476]]
    """
    return _map("harmonic_max", d, parameters=(n,), axis=axis)


@documented
def harmonic_max_vjp(d: Any, p: Any, grad_output: Any, *, n: float = 2.0, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of harmonic_max.

    Examples
    --------
    >>> import losskit
    >>> d = [[1.0, 2.0, 4.0]]
    >>> losskit.harmonic_max_vjp(d, losskit.harmonic_max(d), [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[-0.2177, 0.1633, -0.0272]]
    """
    return _map("harmonic_max_vjp", d, p, grad_output, parameters=(n,), axis=axis)


@documented
def sigsoftmax(z: Any, *, axis: int = -1) -> np.ndarray:
    """Sigsoftmax: each exponential times the logistic function of its score.

    Examples
    --------
    >>> import losskit
    >>> losskit.sigsoftmax([[1.0, -2.0, 3.0]]).round(4).tolist()
    [[0.094, 0.0008, 0.9052]]
    """
    return _map("sigsoftmax", z, axis=axis)


@documented
def sigsoftmax_vjp(z: Any, p: Any, grad_output: Any, *, axis: int = -1) -> np.ndarray:
    """Vector-Jacobian product of sigsoftmax.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.0, -2.0, 3.0]]
    >>> losskit.sigsoftmax_vjp(z, losskit.sigsoftmax(z), [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[-0.1079, -0.0027, 0.0906]]
    """
    return _map("sigsoftmax_vjp", z, p, grad_output, axis=axis)


@documented
def sdm_activation(
    z: Any,
    q: Any,
    d: Any = None,
    *,
    log: bool = False,
    change_of_base: bool = True,
    q_offset: float = 2.0,
    axis: int = -1,
) -> np.ndarray:
    """Similarity-distance-magnitude activation: a softmax whose base and scale say how well an input is known.

    Parameters
    ----------
    log : bool, default False
        Give the logarithm of the probabilities instead of these.

    Examples
    --------
    >>> import losskit
    >>> losskit.sdm_activation([[1.0, 2.0, 3.0]], [3.0], [0.5]).round(4).tolist()
    [[0.1214, 0.2715, 0.6071]]
    """
    name = "sdm_activation"
    dtype, z = as_reals(name, z)
    rows = rows_of(name, z, axis)
    q, d = as_reals_like(name, dtype, q, d)
    check_shape(name, "q", q, rows.shape)
    check_shape(name, "d", d, rows.shape)
    out = empty(z.shape, dtype)
    call(name, dtype, z, q, d, *rows[:3], log, change_of_base, q_offset, out)
    return out


@documented
def sdm_activation_vjp(
    q: Any,
    d: Any,
    out: Any,
    grad_output: Any,
    *,
    log: bool = False,
    change_of_base: bool = True,
    q_offset: float = 2.0,
    axis: int = -1,
) -> np.ndarray:
    """Vector-Jacobian product of sdm_activation with respect to its logits.

    Parameters
    ----------
    log : bool, default False
        As given to `sdm_activation`.

    Examples
    --------
    >>> import losskit
    >>> p = losskit.sdm_activation([[1.0, 2.0, 3.0]], [3.0], [0.5])
    >>> losskit.sdm_activation_vjp([3.0], [0.5], p, [[1.0, 0.0, 2.0]]).round(4).tolist()
    [[-0.0328, -0.2918, 0.3246]]
    """
    name = "sdm_activation_vjp"
    dtype, out, grad_output = as_reals(name, out, grad_output)
    rows = rows_of(name, out, axis)
    check_shape(name, "grad_output", grad_output, out.shape)
    q, d = as_reals_like(name, dtype, q, d)
    check_shape(name, "q", q, rows.shape)
    check_shape(name, "d", d, rows.shape)
    grad_z = empty(out.shape, dtype)
    call(name, dtype, q, d, out, grad_output, *rows[:3], log, change_of_base, q_offset, grad_z)
    return grad_z


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
