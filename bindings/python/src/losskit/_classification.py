"""Classification losses."""

from __future__ import annotations

from typing import Any

from ._core import as_reals, as_reals_like, call, check_shape, documented, empty, rows_of, scalar
from ._losses import check_reduction, row_loss

__all__ = ["cross_entropy", "cross_entropy_from_probs", "focal_loss", "nll_loss", "softmax_cross_entropy_hvp"]


@documented
def cross_entropy(
    z: Any,
    target: Any,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    label_smoothing: float = 0.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Cross-entropy of softmax probabilities and integer or dense targets.

    Parameters
    ----------
    target : array_like
        Integers, one for each row, in 0 to C - 1 or `ignore_index`; or real numbers shaped as `z`, the weight of each
        class. Dense targets are not checked; class weights are then no part of the mean's denominator.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> loss, grad = losskit.cross_entropy(z, [0, 2], weight=[1, 2, 0.5], label_smoothing=0.1, grad=True)
    >>> round(float(loss), 5)
    1.40096
    >>> grad.round(4).tolist()
    [[-0.0898, -0.0179, 0.1077], [0.0758, 0.222, -0.2978]]
    """
    return row_loss(
        "cross_entropy",
        z,
        target,
        ...,
        ignore_index,
        label_smoothing,
        dense_parameters=(..., label_smoothing),
        class_weight=weight,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def cross_entropy_from_probs(
    p: Any,
    target: Any,
    *,
    eps: float = 1e-7,
    normalize: bool = True,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Cross-entropy of probabilities, clamped, and integer or dense targets.

    Parameters
    ----------
    target : array_like
        Integers, one for each row, in 0 to C - 1; or real numbers shaped as `p`, the weight of each class (not checked).

    Examples
    --------
    >>> import losskit
    >>> p = [[0.2, 0.5, 0.3], [1.0, 1.0, 2.0]]
    >>> losskit.cross_entropy_from_probs(p, [0, 2], reduction="none").round(6).tolist()
    [1.609438, 0.693147]
    """
    return row_loss(
        "cross_entropy_from_probs",
        p,
        target,
        eps,
        normalize,
        dense_parameters=(eps, normalize),
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def softmax_cross_entropy_hvp(z: Any, v: Any, *, reduction: str = "none", axis: int = -1) -> Any:
    """Hessian-vector product of cross-entropy by the logits. The Hessian does not depend on the target.

    Parameters
    ----------
    reduction : str, default 'none'
        ``'mean'`` divides by the number of rows; ``'sum'`` does as ``'none'``.

    Examples
    --------
    >>> import losskit
    >>> z, v = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]], [[1.0, 0.0, -1.0], [0.5, 2.0, 0.0]]
    >>> losskit.softmax_cross_entropy_hvp(z, v).round(4).tolist()
    [[0.3061, -0.0239, -0.2823], [-0.27, 0.3241, -0.0541]]
    """
    name = "softmax_cross_entropy_hvp"
    dtype, z, v = as_reals(name, z, v)
    check_shape(name, "v", v, z.shape)
    check_reduction(name, reduction)
    out = empty(z.shape, dtype)
    call(name, dtype, z, v, *rows_of(name, z, axis)[:3], reduction, out)
    return out


@documented
def nll_loss(
    logp: Any,
    y: Any,
    *,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Negative log-likelihood of log-probabilities and integer targets.

    Examples
    --------
    >>> import losskit
    >>> logp = [[-0.5, -1.5, -2.0], [-3.0, -0.1, -2.5]]
    >>> round(float(losskit.nll_loss(logp, [0, 2], weight=[1, 2, 0.5])), 6)
    1.166667
    """
    return row_loss(
        "nll_loss",
        logp,
        y,
        ...,
        ignore_index,
        class_weight=weight,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def focal_loss(
    z: Any,
    target: Any,
    *,
    gamma: float = 2.0,
    alpha: Any = None,
    detach_modulator: bool = False,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Focal loss on softmax probabilities: cross-entropy that down-weights well-classified rows.

    Parameters
    ----------
    target : array_like
        Integers, one for each row, in 0 to C - 1; or real numbers shaped as `z`, the weight of each class (not checked).
    alpha : float or array_like, default None
        One factor for all classes, or one for each; part of the loss, not of the mean's denominator.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.focal_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.011093, 3.117915]
    """
    return row_loss(
        "focal_loss",
        z,
        target,
        gamma,
        ...,
        detach_modulator,
        dense_parameters=(gamma, ..., detach_modulator),
        class_weight=alpha,
        class_weight_name="alpha",
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )
