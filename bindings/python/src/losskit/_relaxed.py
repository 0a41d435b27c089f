"""Random numbers; relaxed top-k, sorting and sampling; gates of mixtures of experts."""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np

from ._core import (
    LossKitError,
    as_integers,
    as_reals,
    as_reals_like,
    call,
    check_shape,
    documented,
    empty,
    fail,
    rows_of,
    scalar,
)
from ._losses import check_reduction

__all__ = [
    "gumbel_softmax",
    "gumbel_softmax_vjp",
    "log_soft_topk",
    "log_soft_topk_vjp",
    "moe_importance_loss",
    "moe_load_balance_loss",
    "neuralsort",
    "neuralsort_vjp",
    "philox_gumbel",
    "philox_normal",
    "philox_uniform",
    "router_z_loss",
    "soft_moe_weights",
    "soft_moe_weights_vjp",
    "soft_topk",
    "soft_topk_vjp",
    "softsort",
    "softsort_vjp",
    "topk_gating",
    "topk_gating_vjp",
    "voronoi_moe_loss",
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


# --- Mixtures of experts ---------------------------------------------------------------------------------------------


@documented
def topk_gating(
    z: Any, noise_logits: Any = None, *, k: int = 2, renormalize: bool = True, seed: int = 0, axis: int = -1
) -> tuple[np.ndarray, np.ndarray]:
    """Noisy top-k gating of a mixture of experts.

    Returns
    -------
    gates : ndarray
        Shaped as `z`: 0 but at the k chosen experts.
    indices : ndarray
        The chosen experts of each row, from the largest score on: int64, shaped as `z` with k along the axis.

    Examples
    --------
    >>> import losskit
    >>> gates, indices = losskit.topk_gating([[1.0, 3.0, 2.0, 0.0]])
    >>> gates.round(7).tolist(), indices.tolist()
    ([[0.0, 0.7310586, 0.2689414, 0.0]], [[1, 2]])
    """
    name = "topk_gating"
    dtype, z, noise_logits = as_reals(name, z, noise_logits)
    rows = rows_of(name, z, axis)
    check_shape(name, "noise_logits", noise_logits, z.shape)
    if not (isinstance(k, (int, np.integer)) and 1 <= k <= max(1, rows.classes)):
        raise fail("INVALID_PARAMETER", name, f"k must be an integer in 1 ... {rows.classes}, not {k!r}")
    gates, indices = empty(z.shape, dtype), empty((*rows.shape, int(k)), np.dtype(np.int64))
    call(name, dtype, z, noise_logits, *rows[:3], k, renormalize, seed, gates, indices)
    return gates, np.moveaxis(indices, -1, axis)


@documented
def topk_gating_vjp(
    z: Any,
    noise_logits: Any,
    indices: Any,
    gates: Any,
    grad_output: Any,
    *,
    renormalize: bool = True,
    seed: int = 0,
    axis: int = -1,
) -> tuple[np.ndarray, Optional[np.ndarray]]:
    """Vector-Jacobian product of topk_gating: the selection is constant.

    Parameters
    ----------
    noise_logits : array_like or None
        As given to `topk_gating`.

    Returns
    -------
    grad_z : ndarray
        Shaped as `z`.
    grad_noise_logits : ndarray or None
        Shaped as `z`; None without noise.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.0, 3.0, 2.0, 0.0]]
    >>> gates, indices = losskit.topk_gating(z)
    >>> grad_z, _ = losskit.topk_gating_vjp(z, None, indices, gates, [[0.0, 1.0, 0.0, 0.0]])
    >>> grad_z.round(4).tolist()
    [[-0.0, 0.1966, -0.1966, -0.0]]
    """
    name = "topk_gating_vjp"
    dtype, z, noise_logits, gates, grad_output = as_reals(name, z, noise_logits, gates, grad_output)
    rows = rows_of(name, z, axis)
    for what, array in (("noise_logits", noise_logits), ("gates", gates), ("grad_output", grad_output)):
        check_shape(name, what, array, z.shape)
    indices = as_integers(name, "indices", indices)
    if indices.ndim != z.ndim:
        raise fail("INVALID_SHAPE", name, f"indices has shape {indices.shape}, expected k for each row of {z.shape}")
    indices = np.ascontiguousarray(np.moveaxis(indices, axis, -1))
    k = indices.shape[-1]
    check_shape(name, "indices", indices, (*rows.shape, k))
    grad_z = empty(z.shape, dtype)
    grad_noise = None if noise_logits is None else empty(z.shape, dtype)
    call(
        name, dtype, z, noise_logits, indices, gates, grad_output, *rows[:3], k, renormalize, seed, grad_z, grad_noise
    )  # fmt: skip
    return grad_z, grad_noise


@documented
def moe_load_balance_loss(z: Any, *, k: int = 1, grad: bool = False, axis: int = -1) -> Any:
    """Load-balance loss of a mixture of experts: small where tokens are spread evenly, 1 where they are.

    Examples
    --------
    >>> import losskit
    >>> float(losskit.moe_load_balance_loss([[1.0, 0.0], [2.0, 1.0], [0.0, 3.0]]).round(6))
    1.002121
    """
    name = "moe_load_balance_loss"
    dtype, z = as_reals(name, z)
    rows = rows_of(name, z, axis)
    loss, grad_z = empty((), dtype), empty(z.shape, dtype) if grad else None
    call(name, dtype, z, *rows[:3], k, loss, grad_z)
    return (scalar(loss), grad_z) if grad else scalar(loss)


@documented
def moe_importance_loss(gates: Any, *, eps: float = 1e-10, grad: bool = False) -> Any:
    """Importance loss of a mixture of experts: the squared coefficient of variation of the experts' total gates.

    Parameters
    ----------
    gates : array_like
        Tokens are rows, experts are columns, along the last axis.

    Examples
    --------
    >>> import losskit
    >>> float(losskit.moe_importance_loss([[1.0, 0.0], [0.5, 0.5]]).round(6))
    0.5
    """
    name = "moe_importance_loss"
    dtype, gates = as_reals(name, gates)
    rows = rows_of(name, gates)
    loss, gradient = empty((), dtype), empty(gates.shape, dtype) if grad else None
    call(name, dtype, gates, *rows[:2], eps, loss, gradient)
    return (scalar(loss), gradient) if grad else scalar(loss)


@documented
def router_z_loss(
    z: Any, *, reduction: str = "mean", sample_weight: Any = None, grad: bool = False, axis: int = -1
) -> Any:
    """Router z-loss: keeps the logits of a router, or of a language model, from growing.

    Examples
    --------
    >>> import losskit
    >>> losskit.router_z_loss([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]], reduction="none").round(6).tolist()
    [5.023476, 1.819834]
    """
    name = "router_z_loss"
    dtype, z = as_reals(name, z)
    rows = rows_of(name, z, axis)
    (sample_weight,) = as_reals_like(name, dtype, sample_weight)
    check_shape(name, "sample_weight", sample_weight, rows.shape)
    check_reduction(name, reduction)
    loss = empty(rows.shape if reduction == "none" else (), dtype)
    gradient = empty(z.shape, dtype) if grad else None
    call(name, dtype, z, *rows[:3], reduction, sample_weight, loss, gradient)
    return (scalar(loss), gradient) if grad else scalar(loss)


def _groups(name: str, z: np.ndarray) -> tuple[int, int, int]:
    if z.ndim < 2:
        raise fail("INVALID_SHAPE", name, f"logits have shape {z.shape}, expected tokens and slots")
    return math.prod(z.shape[:-2]), z.shape[-2], z.shape[-1]


@documented
def soft_moe_weights(z: Any) -> tuple[np.ndarray, np.ndarray]:
    """The two normalisations of a soft mixture of experts: how slots are made of tokens, and tokens of slots.

    Parameters
    ----------
    z : array_like
        Logits: tokens and slots are the last two axes.

    Examples
    --------
    >>> import losskit
    >>> dispatch, combine = losskit.soft_moe_weights([[0.0, 1.0], [2.0, 1.0]])
    >>> dispatch.round(4).tolist(), combine.round(4).tolist()
    ([[0.1192, 0.5], [0.8808, 0.5]], [[0.2689, 0.7311], [0.7311, 0.2689]])
    """
    name = "soft_moe_weights"
    dtype, z = as_reals(name, z)
    sizes = _groups(name, z)
    dispatch, combine = empty(z.shape, dtype), empty(z.shape, dtype)
    call(name, dtype, z, *sizes, dispatch, combine)
    return dispatch, combine


@documented
def soft_moe_weights_vjp(dispatch: Any, combine: Any, grad_dispatch: Any, grad_combine: Any) -> np.ndarray:
    """Vector-Jacobian product of soft_moe_weights: the sum of those of the two softmaxes.

    Examples
    --------
    >>> import losskit
    >>> dispatch, combine = losskit.soft_moe_weights([[0.0, 1.0], [2.0, 1.0]])
    >>> g, h = [[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [1.0, 0.0]]
    >>> losskit.soft_moe_weights_vjp(dispatch, combine, g, h).round(4).tolist()
    [[0.105, 0.0], [0.0916, -0.1966]]
    """
    name = "soft_moe_weights_vjp"
    dtype, *arrays = as_reals(name, dispatch, combine, grad_dispatch, grad_combine)
    sizes = _groups(name, arrays[0])
    for what, array in zip(("combine", "grad_dispatch", "grad_combine"), arrays[1:]):
        check_shape(name, what, array, arrays[0].shape)
    grad_z = empty(arrays[0].shape, dtype)
    call(name, dtype, *arrays, *sizes, grad_z)
    return grad_z


@documented
def voronoi_moe_loss(
    theta: Any,
    bias: Any,
    theta_true: Any,
    bias_true: Any,
    *,
    blocks: Any,
    k: Optional[int] = None,
    grad: bool = False,
) -> Any:
    """Voronoi loss of the parameters of a mixture of experts: how far fitted experts are from the true ones.

    Parameters
    ----------
    blocks : array_like
        The sizes of the groups that the parameters fall into, in order.

    Examples
    --------
    >>> import losskit
    >>> loss = losskit.voronoi_moe_loss([[0, 1], [2, 2]], [0, 0.5], [[0, 0], [2, 1]], [0, 0], blocks=(1, 1))
    >>> float(loss.round(6))
    3.297443
    """
    name = "voronoi_moe_loss"
    dtype, theta, bias, theta_true, bias_true = as_reals(name, theta, bias, theta_true, bias_true)
    try:
        blocks = as_integers(name, "blocks", blocks)
    except LossKitError as error:
        raise fail("INVALID_SHAPE", name, "blocks must be integers") from error
    if theta.ndim != 2 or blocks.ndim != 1:
        raise fail("INVALID_SHAPE", name, "theta has rows of parameters, blocks is a list of sizes")
    experts, parameters = theta.shape
    check_shape(name, "bias", bias, (experts,))
    true_experts = len(bias_true) if bias_true.ndim else 0
    check_shape(name, "bias_true", bias_true, (true_experts,))
    check_shape(name, "theta_true", theta_true, (true_experts, parameters))
    loss = empty((), dtype)
    gradients = (empty(theta.shape, dtype), empty(bias.shape, dtype)) if grad else (None, None)
    sizes = (experts, true_experts, parameters, blocks.size)
    call(name, dtype, theta, bias, theta_true, bias_true, blocks, *sizes, true_experts if k is None else k, loss, *gradients)
    return (scalar(loss), gradients) if grad else scalar(loss)
