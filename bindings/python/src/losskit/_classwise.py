"""Losses of embeddings and a class matrix."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ._core import as_integers, as_reals, as_reals_like, call, check_shape, documented, empty, fail, scalar
from ._losses import check_reduction

__all__ = [
    "gaussian_naive_bayes_fit",
    "gaussian_naive_bayes_logits",
    "gaussian_naive_bayes_logits_vjp",
    "halfspace_sigmoid_loss",
    "linear_cross_entropy",
]


@documented
def linear_cross_entropy(
    e: Any,
    c: Any,
    targets: Any,
    *,
    bias: Any = None,
    ignore_index: int = -100,
    softcap: float | None = None,
    shift: int = 0,
    filter_eps: float | str | None = None,
    return_lse: bool = False,
    reduction: str = "mean",
    grad: bool = False,
) -> Any:
    """Cross-entropy of a linear layer's scores, without the array of scores.

    Parameters
    ----------
    e : array_like
        Embeddings; the last axis is the dimension, the others are those of `targets`.
    targets : array_like
        Integers, one for each embedding; sequences run along the last axis.
    softcap : float, default None
        > 0; None for none.
    filter_eps : float or "auto", default None
        >= 0, None for 0, or "auto" for the precision's epsilon / 32: what is so small is lost to rounding anyway.
    return_lse : bool, default False
        Return log-sum-exps as well, shaped as the targets that are used: (loss, lse), or (loss, lse, gradients).

    Returns
    -------
    loss : float or ndarray
        With `grad` a pair (loss, gradients), the gradients being (grad_e, grad_c), or (grad_e, grad_c, grad_bias) with
        `bias`.

    Examples
    --------
    >>> import losskit
    >>> e, c = [[1.0, 0.5], [-0.5, 2.0]], [[0.5, 1.0], [-1.0, 0.25], [2.0, -1.0]]
    >>> loss, (grad_e, grad_c) = losskit.linear_cross_entropy(e, c, [0, 2], grad=True)
    >>> round(float(loss), 6)
    3.086545
    >>> grad_e.round(4).tolist()
    [[0.4002, -0.6089], [-0.9848, 0.8746]]
    """
    name = "linear_cross_entropy"
    dtype, e, c = as_reals(name, e, c)
    (bias,) = as_reals_like(name, dtype, bias)
    targets = as_integers(name, "targets", targets)
    if c.ndim != 2 or e.ndim == 0:
        raise fail("INVALID_SHAPE", name, f"c has shape {c.shape}, e has shape {e.shape}; they must be [V, D] and [..., D]")
    check_shape(name, "e", e, targets.shape + c.shape[1:])
    check_shape(name, "bias", bias, c.shape[:1])
    check_reduction(name, reduction)
    if filter_eps == "auto":
        filter_eps = float(np.finfo(dtype).eps) / 32
    sequences, length = targets.shape[:-1], targets.shape[-1] if targets.ndim else 1
    if isinstance(shift, (int, np.integer)) and not 0 <= shift < max(length, 1):
        raise fail("INVALID_PARAMETER", name, f"shift must be in 0 to {max(length, 1) - 1}, not {shift}")
    used = sequences + (length - shift,) if targets.ndim else ()
    loss = empty(used if reduction == "none" else (), dtype)
    lse = empty(used, dtype) if return_lse else None
    gradients = [empty(x.shape, dtype) if grad and x is not None else None for x in (e, c, bias)]
    call(
        name,
        dtype,
        e,
        c,
        targets,
        math.prod(sequences),
        length,
        c.shape[1],
        c.shape[0],
        bias,
        ignore_index,
        math.inf if softcap is None else softcap,
        shift,
        0.0 if filter_eps is None else filter_eps,
        reduction,
        None,
        loss,
        lse,
        *gradients,
    )
    results = [scalar(loss)]
    if return_lse:
        results.append(scalar(lse))
    if grad:
        results.append(tuple(gradient for gradient in gradients if gradient is not None))
    return tuple(results) if len(results) > 1 else results[0]


@documented
def halfspace_sigmoid_loss(
    x: Any,
    w: Any,
    y: Any,
    *,
    sigma: float = 0.1,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """Sigmoid loss of a halfspace: a smooth stand-in for the 0-1 loss of a linear separator.

    Parameters
    ----------
    x : array_like
        Points; the last axis is the dimension, the others are those of `y`.

    Returns
    -------
    loss : float or ndarray
        With `grad` a pair (loss, (grad_x, grad_w)).

    Examples
    --------
    >>> import losskit
    >>> x, w = [[1.0, 0.5], [-0.5, 2.0]], [3.0, 4.0]
    >>> loss, (grad_x, grad_w) = losskit.halfspace_sigmoid_loss(x, w, [1, -1], sigma=1.0, grad=True)
    >>> round(float(loss), 6)
    0.527388
    >>> grad_w.round(4).tolist()
    [-0.0294, 0.0221]
    """
    name = "halfspace_sigmoid_loss"
    dtype, x, w = as_reals(name, x, w)
    y, sample_weight = as_reals_like(name, dtype, y, sample_weight)
    if w.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"w has shape {w.shape}, it must be [D]")
    check_shape(name, "x", x, y.shape + w.shape)
    check_shape(name, "sample_weight", sample_weight, y.shape)
    check_reduction(name, reduction)
    loss = empty(y.shape if reduction == "none" else (), dtype)
    gradients = [empty(array.shape, dtype) if grad else None for array in (x, w)]
    call(name, dtype, x, w, y, y.size, w.size, sigma, reduction, sample_weight, loss, *gradients)
    return (scalar(loss), tuple(gradients)) if grad else scalar(loss)


@documented
def gaussian_naive_bayes_fit(
    x: Any, y: Any, *, num_classes: int, eps: float = 1e-9, shared_variance: bool = True
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gaussian naive Bayes: the means, variances and class frequencies of labelled points.

    Returns
    -------
    mean : ndarray
        [C, D].
    var : ndarray
        [1, D] if shared, else [C, D].
    log_prior : ndarray
        [C].

    Examples
    --------
    >>> import losskit
    >>> x = [[1.0, 2.0], [3.0, 4.0], [0.0, 0.0], [2.0, -2.0]]
    >>> mean, var, log_prior = losskit.gaussian_naive_bayes_fit(x, [0, 0, 1, 1], num_classes=2)
    >>> mean.tolist(), var.round(6).tolist(), log_prior.round(6).tolist()
    ([[2.0, 3.0], [1.0, -1.0]], [[1.0, 1.0]], [-0.693147, -0.693147])
    """
    name = "gaussian_naive_bayes_fit"
    dtype, x = as_reals(name, x)
    y = as_integers(name, "y", y)
    if x.ndim == 0:
        raise fail("INVALID_SHAPE", name, "a scalar has no rows")
    check_shape(name, "y", y, x.shape[:-1])
    if not isinstance(num_classes, (int, np.integer)) or num_classes < 1:
        raise fail("INVALID_SHAPE", name, f"num_classes must be a positive integer, not {num_classes!r}")
    mean = empty((num_classes, x.shape[-1]), dtype)
    var = empty((1 if shared_variance else num_classes, x.shape[-1]), dtype)
    log_prior = empty((num_classes,), dtype)
    call(name, dtype, x, y, y.size, x.shape[-1], num_classes, eps, shared_variance, mean, var, log_prior)
    return mean, var, log_prior


def _naive_bayes(name: str, x: Any, mean: Any, var: Any, log_prior: Any) -> tuple[Any, ...]:
    dtype, x, mean, var, log_prior = as_reals(name, x, mean, var, log_prior)
    if x.ndim == 0 or mean.ndim != 2:
        raise fail("INVALID_SHAPE", name, f"mean has shape {mean.shape}, x has shape {x.shape}; they must be [C, D] and [..., D]")
    check_shape(name, "x", x, x.shape[:-1] + mean.shape[1:])
    check_shape(name, "log_prior", log_prior, mean.shape[:1])
    if var.shape != mean.shape:
        check_shape(name, "var", var, (1, mean.shape[1]))
    return dtype, x, mean, var, log_prior


@documented
def gaussian_naive_bayes_logits(x: Any, mean: Any, var: Any, log_prior: Any) -> np.ndarray:
    """Logits of Gaussian naive Bayes: their softmax is the posterior.

    Parameters
    ----------
    var : array_like
        [1, D], shared by the classes, or [C, D].

    Returns
    -------
    out : ndarray
        [..., C].

    Examples
    --------
    >>> import losskit
    >>> losskit.gaussian_naive_bayes_logits([[1.0, 1.0]], [[2, 3], [1, -1]], [[1, 2]], [-0.6931472] * 2).round(6).tolist()
    [[-2.193147, -1.693147]]
    """
    name = "gaussian_naive_bayes_logits"
    dtype, x, mean, var, log_prior = _naive_bayes(name, x, mean, var, log_prior)
    out = empty(x.shape[:-1] + log_prior.shape, dtype)
    call(name, dtype, x, mean, var, log_prior, math.prod(x.shape[:-1]), x.shape[-1], len(mean), len(var) == 1, out)
    return out


@documented
def gaussian_naive_bayes_logits_vjp(x: Any, mean: Any, var: Any, log_prior: Any, grad_output: Any) -> np.ndarray:
    """Gradient of the logits' sum, weighted by `grad_output`, with respect to x.

    Parameters
    ----------
    var : array_like
        [1, D], shared by the classes, or [C, D].

    Examples
    --------
    >>> import losskit
    >>> losskit.gaussian_naive_bayes_logits_vjp([[1.0, 1.0]], [[2, 3], [1, -1]], [[1, 2]], [0, 0], [[1, -1]]).tolist()
    [[1.0, 2.0]]
    """
    name = "gaussian_naive_bayes_logits_vjp"
    dtype, x, mean, var, log_prior = _naive_bayes(name, x, mean, var, log_prior)
    (grad_output,) = as_reals_like(name, dtype, grad_output)
    check_shape(name, "grad_output", grad_output, x.shape[:-1] + log_prior.shape)
    grad_x = empty(x.shape, dtype)
    rows = math.prod(x.shape[:-1])
    call(name, dtype, x, mean, var, log_prior, grad_output, rows, x.shape[-1], len(mean), len(var) == 1, grad_x)
    return grad_x
