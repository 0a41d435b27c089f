"""Margin losses of rows."""

from __future__ import annotations

from typing import Any

from ._core import as_reals, call, check_shape, documented, empty, fail, rows_of
from ._losses import row_loss

__all__ = [
    "categorical_hinge",
    "crammer_singer_loss",
    "legendretron_loss",
    "llw_hinge_loss",
    "log_softmax_plus",
    "log_softmax_plus_vjp",
    "multi_margin_loss",
    "multiclass_perceptron_loss",
    "one_vs_rest_svm_loss",
    "ovr_loss",
    "sovr_loss",
]


def _power(name: str, p: Any) -> str:
    """The hinge's power, as the library names it."""
    if p not in (1, 2):
        raise fail("INVALID_PARAMETER", name, f"p must be 1 or 2, not {p!r}")
    return "linear" if p == 1 else "squared"


def _with_classes(x: Any, axis: int, more: int) -> tuple[int, ...]:
    """The shape of ``x`` with so many more classes."""
    shape = list(x.shape)
    shape[axis] += more
    return tuple(shape)


@documented
def multi_margin_loss(
    z: Any,
    y: Any,
    *,
    p: int = 1,
    margin: float = 1.0,
    weight: Any = None,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Multi-class hinge loss of Weston and Watkins: every other class should stay a margin below the target.

    Parameters
    ----------
    p : {1, 2}, default 1
        The power of the hinge.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.2, 0.9, 0.5], [0.2, 1.0, -0.3]]
    >>> losskit.multi_margin_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.333333, 1.266667]
    """
    return row_loss(
        "multi_margin_loss",
        z,
        y,
        ...,
        _power("multi_margin_loss", p),
        margin,
        class_weight=weight,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def crammer_singer_loss(
    z: Any,
    y: Any,
    *,
    margin: float = 1.0,
    p: int = 1,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Multi-class hinge loss of Crammer and Singer: the best other class should stay a margin below the target.

    Parameters
    ----------
    p : {1, 2}, default 1
        The power of the hinge.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.2, 0.9, 0.5], [0.2, 1.0, -0.3]]
    >>> losskit.crammer_singer_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.7, 2.3]
    """
    return row_loss(
        "crammer_singer_loss",
        z,
        y,
        margin,
        _power("crammer_singer_loss", p),
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def categorical_hinge(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Categorical hinge loss: the best other class, but at least 0, should stay 1 below the target.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.2, 0.9, 0.5], [0.2, 1.0, -0.3]]
    >>> losskit.categorical_hinge(z, [0, 2], reduction="none").round(6).tolist()
    [0.7, 2.3]
    """
    return row_loss(
        "categorical_hinge",
        z,
        y,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def multiclass_perceptron_loss(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Multi-class perceptron loss: how far the target is below the best class.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.2, 0.9, 0.5], [0.2, 1.0, -0.3]]
    >>> losskit.multiclass_perceptron_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.0, 1.3]
    """
    return row_loss(
        "multiclass_perceptron_loss",
        z,
        y,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def llw_hinge_loss(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Multi-class hinge loss of Lee, Lin and Wahba, for scores with the sum 0 (which is not enforced).

    Examples
    --------
    >>> import losskit
    >>> z = [[1.2, 0.9, 0.5], [0.2, 1.0, -0.3]]
    >>> losskit.llw_hinge_loss(z, [0, 2], reduction="none").round(6).tolist()
    [2.4, 2.2]
    """
    return row_loss(
        "llw_hinge_loss",
        z,
        y,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def ovr_loss(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """One-versus-rest loss: a logistic loss of every class.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.ovr_loss(z, [0, 2], reduction="none").round(6).tolist()
    [1.414267, 4.133337]
    """
    return row_loss(
        "ovr_loss",
        z,
        y,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def one_vs_rest_svm_loss(
    z: Any,
    y: Any,
    *,
    w: Any = None,
    p: int = 2,
    penalty: float = 1.0,
    regularizer: str = "none",
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """One-versus-rest support vector machine: a hinge loss of every class, and the weights' size.

    Parameters
    ----------
    w : array_like, default None
        The weights that the regularizer is made of, in any shape. With them the gradient is a pair, of `z` and of `w`.
    p : {1, 2}, default 2
        The power of the hinge: 2 is the L2-SVM.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> loss, (grad_z, grad_w) = losskit.one_vs_rest_svm_loss(
    ...     z, [0, 2], w=[[0.5, -1.0]], regularizer="half_sum", grad=True
    ... )
    >>> round(float(loss), 6), grad_w.tolist()
    (3.333333, [[0.5, -1.0]])
    """
    name = "one_vs_rest_svm_loss"
    dtype, z, w = as_reals(name, z, w)
    grad_w = empty(w.shape, dtype) if grad and w is not None else None
    result = row_loss(
        name,
        z,
        y,
        w,
        0 if w is None else w.size,
        _power(name, p),
        penalty,
        regularizer,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
        more_outputs=(grad_w,),
    )
    return result if grad_w is None else (result[0], (result[1], grad_w))


@documented
def sovr_loss(
    z: Any,
    y: Any,
    *,
    fraction: float = 0.4,
    lam: float = 0.4,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Switching one-versus-rest loss: rows close to a wrong class get a one-versus-rest loss, the others cross-entropy.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> round(float(losskit.sovr_loss(z, [0, 2], fraction=0.5)), 6)
    0.947323
    """
    return row_loss(
        "sovr_loss",
        z,
        y,
        fraction,
        lam,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def legendretron_loss(
    u: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Proper canonical loss of LegendreTron, given the scores that its learned link makes: C classes from C - 1 scores.

    Examples
    --------
    >>> import losskit
    >>> u = [[1.0, -0.5], [0.3, 2.0]]
    >>> losskit.legendretron_loss(u, [0, 2], reduction="none").round(6).tolist()
    [0.464369, 2.27613]
    """
    return row_loss(
        "legendretron_loss",
        u,
        y,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def log_softmax_plus(u: Any, *, axis: int = -1) -> Any:
    """Log-probabilities of C classes from C - 1 scores: the last class is the reference, with score 0.

    Examples
    --------
    >>> import losskit
    >>> losskit.log_softmax_plus([[1.0, -0.5]]).round(4).tolist()
    [[-0.4644, -1.9644, -1.4644]]
    """
    name = "log_softmax_plus"
    dtype, u = as_reals(name, u)
    rows = rows_of(name, u, axis)
    logp = empty(_with_classes(u, axis, 1), dtype)
    call(name, dtype, u, *rows[:3], logp)
    return logp


@documented
def log_softmax_plus_vjp(log_p: Any, grad_output: Any, *, axis: int = -1) -> Any:
    """Vector-Jacobian product of log_softmax_plus.

    Examples
    --------
    >>> import losskit
    >>> log_p = losskit.log_softmax_plus([[1.0, -0.5]])
    >>> losskit.log_softmax_plus_vjp(log_p, [[1.0, 0.0, 0.0]]).round(4).tolist()
    [[0.3715, -0.1402]]
    """
    name = "log_softmax_plus_vjp"
    dtype, log_p, grad_output = as_reals(name, log_p, grad_output)
    check_shape(name, "grad_output", grad_output, log_p.shape)
    rows = rows_of(name, log_p, axis)
    if rows.classes == 0:
        raise fail("INVALID_SHAPE", name, "log_p has no classes")
    grad_u = empty(_with_classes(log_p, axis, -1), dtype)
    call(name, dtype, log_p, grad_output, rows.outer, rows.classes - 1, rows.inner, grad_u)
    return grad_u
