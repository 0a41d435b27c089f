"""Robust, normalized, polynomial and substitute losses of rows."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import as_integers, as_reals, as_reals_like, call, check_shape, documented, empty, fail, rows_of, scalar
from ._losses import check_reduction, row_loss

__all__ = [
    "active_passive_loss",
    "brier_loss",
    "comp_sum_loss",
    "encouraging_loss",
    "generalized_cross_entropy",
    "log_spherical_softmax_loss",
    "log_taylor_softmax_loss",
    "mae_softmax_loss",
    "normalized_cross_entropy",
    "normalized_focal_loss",
    "normalized_generalized_cross_entropy",
    "normalized_mae_loss",
    "normalized_reverse_cross_entropy",
    "poly1_cross_entropy",
    "poly1_focal_loss",
    "poly_loss",
    "poly_n_cross_entropy",
    "rescaled_square_loss",
    "reverse_cross_entropy",
    "smooth_adversarial_comp_sum_loss",
    "spherical_score_loss",
    "squentropy_loss",
    "stablemax_cross_entropy",
    "sum_exponential_loss",
    "symmetric_cross_entropy",
    "z_loss",
]


@documented
def comp_sum_loss(
    z: Any,
    y: Any,
    *,
    tau: float = 1.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Comp-sum loss: sum losses composed with a concave function, from the sum-exponential loss to the MAE.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.comp_sum_loss(z, [0, 2], tau=1.7, reduction="none").round(6).tolist()
    [0.222031, 1.291552]
    """
    return row_loss(
        "comp_sum_loss", z, y, tau, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def sum_exponential_loss(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Sum-exponential loss: the exponential loss of Weston-Watkins type.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.sum_exponential_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.272917, 27.474593]
    """
    return row_loss(
        "sum_exponential_loss", z, y, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def generalized_cross_entropy(
    z: Any,
    y: Any,
    *,
    q: float = 0.7,
    k: float = 0.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Generalized cross-entropy: between cross-entropy and the mean absolute error.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.generalized_cross_entropy(z, [0, 2], reduction="none").round(6).tolist()
    [0.222031, 1.291552]
    """
    return row_loss(
        "generalized_cross_entropy", z, y, q, k, reduction=reduction, sample_weight=sample_weight, grad=grad,
        axis=axis,
    )


@documented
def mae_softmax_loss(
    z: Any,
    y: Any,
    *,
    reduced: bool = True,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Mean absolute error of softmax probabilities: bounded, hence robust to wrong labels.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.mae_softmax_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.214403, 0.964881]
    """
    return row_loss(
        "mae_softmax_loss", z, y, reduced, reduction=reduction, sample_weight=sample_weight, grad=grad,
        axis=axis,
    )


@documented
def normalized_mae_loss(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Mean absolute error of softmax probabilities, divided by its sum over all targets.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.normalized_mae_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.107201, 0.48244]
    """
    return row_loss(
        "normalized_mae_loss", z, y, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def reverse_cross_entropy(
    z: Any,
    y: Any,
    *,
    log_zero: float = -9.210340371976182,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Reverse cross-entropy: of the target under the prediction, with a finite log 0.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.reverse_cross_entropy(z, [0, 2], reduction="none").round(6).tolist()
    [1.974724, 8.886882]
    """
    return row_loss(
        "reverse_cross_entropy", z, y, log_zero, reduction=reduction, sample_weight=sample_weight, grad=grad,
        axis=axis,
    )


@documented
def normalized_reverse_cross_entropy(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Reverse cross-entropy, divided by its sum over all targets: the normalized mean absolute error.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.normalized_reverse_cross_entropy(z, [0, 2], reduction="none").round(6).tolist()
    [0.107201, 0.48244]
    """
    return row_loss(
        "normalized_reverse_cross_entropy", z, y, reduction=reduction, sample_weight=sample_weight, grad=grad,
        axis=axis,
    )


@documented
def symmetric_cross_entropy(
    z: Any,
    y: Any,
    *,
    alpha: float = 0.1,
    beta: float = 1.0,
    log_zero: float = -9.210340371976182,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Symmetric cross-entropy: cross-entropy and its reverse.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.symmetric_cross_entropy(z, [0, 2], reduction="none").round(6).tolist()
    [1.998855, 9.221783]
    """
    return row_loss(
        "symmetric_cross_entropy", z, y, alpha, beta, log_zero, reduction=reduction,
        sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def normalized_cross_entropy(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Cross-entropy, divided by its sum over all targets.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.normalized_cross_entropy(z, [0, 2], reduction="none").round(6).tolist()
    [0.046193, 0.66356]
    """
    return row_loss(
        "normalized_cross_entropy", z, y, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def normalized_focal_loss(
    z: Any,
    y: Any,
    *,
    gamma: float = 0.5,
    detach_modulator: bool = False,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Focal loss, divided by its sum over all targets.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.normalized_focal_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.022942, 0.708986]
    """
    return row_loss(
        "normalized_focal_loss", z, y, gamma, detach_modulator, reduction=reduction,
        sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def normalized_generalized_cross_entropy(
    z: Any,
    y: Any,
    *,
    q: float = 0.7,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Generalized cross-entropy, divided by its sum over all targets.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.normalized_generalized_cross_entropy(z, [0, 2], reduction="none").round(6).tolist()
    [0.088486, 0.522022]
    """
    return row_loss(
        "normalized_generalized_cross_entropy", z, y, q, reduction=reduction, sample_weight=sample_weight,
        grad=grad, axis=axis,
    )


@documented
def active_passive_loss(
    z: Any,
    y: Any,
    *,
    active: str = "nce",
    passive: str = "mae",
    alpha: float = 1.0,
    beta: float = 1.0,
    gamma: float = 0.5,
    q: float = 0.7,
    log_zero: float = -9.210340371976182,
    detach_modulator: bool = False,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Active-passive loss: one part raises the target's probability, the other lowers those of the other classes.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.active_passive_loss(z, [0, 2], passive="rce", reduction="none").round(6).tolist()
    [2.020918, 9.550442]
    """
    return row_loss(
        "active_passive_loss", z, y, active, passive, alpha, beta, gamma, q, log_zero, detach_modulator,
        reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def brier_loss(
    z: Any,
    target: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Brier loss: the squared distance of softmax probabilities to the target, a proper scoring rule.

    Parameters
    ----------
    target : array_like
        Integers, one for each row, in 0 to C - 1; or real numbers shaped as `z`, the weight of each class (not checked).

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.brier_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.078225, 1.495901]
    """
    return row_loss(
        "brier_loss", z, target, dense_parameters=(), reduction=reduction, sample_weight=sample_weight,
        grad=grad, axis=axis,
    )


@documented
def spherical_score_loss(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Spherical score loss: one minus the cosine of softmax probabilities and target, a proper scoring rule.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.spherical_score_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.025151, 0.953325]
    """
    return row_loss(
        "spherical_score_loss", z, y, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def z_loss(
    z: Any,
    y: Any,
    *,
    a: float = 1.0,
    b: float = 0.0,
    eps: float = 1e-12,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Z-loss: the softplus of the standardised target logit, invariant to shift and scale of the logits.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.z_loss(z, [0, 2], a=0.5, b=1.0, reduction="none").round(6).tolist()
    [1.277077, 2.877796]
    """
    return row_loss(
        "z_loss", z, y, a, b, eps, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def log_taylor_softmax_loss(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Cross-entropy of the Taylor softmax.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.log_taylor_softmax_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.354172, 1.504077]
    """
    return row_loss(
        "log_taylor_softmax_loss", z, y, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def log_spherical_softmax_loss(
    z: Any,
    y: Any,
    *,
    eps: float = 1e-6,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Cross-entropy of the spherical softmax.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.log_spherical_softmax_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.271934, 0.223144]
    """
    return row_loss(
        "log_spherical_softmax_loss", z, y, eps, reduction=reduction, sample_weight=sample_weight, grad=grad,
        axis=axis,
    )


@documented
def stablemax_cross_entropy(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Cross-entropy of the stablemax.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.stablemax_cross_entropy(z, [0, 2], reduction="none").round(6).tolist()
    [0.510826, 2.302585]
    """
    return row_loss(
        "stablemax_cross_entropy", z, y, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def rescaled_square_loss(
    z: Any,
    y: Any,
    *,
    k: float = 1.0,
    M: float = 1.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Rescaled square loss on raw outputs: the square loss to a one-hot target, with the target class scaled.

    Parameters
    ----------
    M : float, default 1.0
        What the target's output should be. With many classes, k = 15 and M = 30 are used.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.rescaled_square_loss(z, [0, 2], k=5.0, M=2.0, reduction="none").round(6).tolist()
    [0.416667, 27.0]
    """
    return row_loss(
        "rescaled_square_loss", z, y, k, M, reduction=reduction, sample_weight=sample_weight, grad=grad,
        axis=axis,
    )


@documented
def squentropy_loss(
    z: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Squentropy: cross-entropy and the mean square of the logits of the other classes.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.squentropy_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.866311, 3.849012]
    """
    return row_loss(
        "squentropy_loss", z, y, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def poly1_cross_entropy(
    z: Any,
    target: Any,
    *,
    epsilon: float = 1.0,
    label_smoothing: float = 0.0,
    weight: Any = None,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Poly-1 cross-entropy: the first coefficient of its polynomial expansion is raised.

    Parameters
    ----------
    target : array_like
        Integers, one for each row, in 0 to C - 1; or real numbers shaped as `z`, the weight of each class (not checked).

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.poly1_cross_entropy(z, [0, 2], label_smoothing=0.1, reduction="none").round(6).tolist()
    [0.650941, 4.117405]
    """
    return row_loss(
        "poly1_cross_entropy", z, target, epsilon, label_smoothing, ...,
        dense_parameters=(epsilon, label_smoothing, ...), class_weight=weight, reduction=reduction,
        sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def poly_n_cross_entropy(
    z: Any,
    y: Any,
    *,
    epsilons: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Poly-N cross-entropy: the first coefficients of its polynomial expansion are raised.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.poly_n_cross_entropy(z, [0, 2], epsilons=[1.0, 0.5], reduction="none").round(6).tolist()
    [0.478699, 4.779391]
    """
    coefficients = as_coefficients("poly_n_cross_entropy", "epsilons", epsilons)
    return row_loss(
        "poly_n_cross_entropy", z, y, coefficients, coefficients.size, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def poly_loss(
    z: Any,
    y: Any,
    *,
    alphas: Any,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Poly loss: a polynomial in one minus the target's probability.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.poly_loss(z, [0, 2], alphas=[1.0, 0.5], reduction="none").round(6).tolist()
    [0.237387, 1.430379]
    """
    coefficients = as_coefficients("poly_loss", "alphas", alphas)
    return row_loss(
        "poly_loss", z, y, coefficients, coefficients.size, reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def poly1_focal_loss(
    z: Any,
    y: Any,
    *,
    gamma: float = 2.0,
    epsilon: float = 1.0,
    alpha: Any = None,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Poly-1 focal loss: the first coefficient of its polynomial expansion is raised.

    Parameters
    ----------
    alpha : float or array_like, default None
        One factor of the focal part for all classes, or one for each.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.poly1_focal_loss(z, [0, 2], reduction="none").round(6).tolist()
    [0.020949, 4.016214]
    """
    return row_loss(
        "poly1_focal_loss", z, y, gamma, epsilon, ..., class_weight=alpha, class_weight_name="alpha",
        reduction=reduction, sample_weight=sample_weight, grad=grad, axis=axis,
    )


@documented
def encouraging_loss(
    z: Any,
    y: Any,
    *,
    log_end: float = 0.75,
    eps: float = 1e-5,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Encouraging loss: cross-entropy and a bonus for well-classified rows. It may be negative.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> losskit.encouraging_loss(z, [0, 2], reduction="none").round(6).tolist()
    [-1.287371, 3.313262]
    """
    return row_loss(
        "encouraging_loss", z, y, log_end, eps, reduction=reduction, sample_weight=sample_weight, grad=grad,
        axis=axis,
    )


@documented
def smooth_adversarial_comp_sum_loss(
    z: Any,
    z_adv: Any,
    y: Any,
    *,
    tau: float = 1.0,
    rho: float = 1.0,
    nu: float = 1.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Smooth adversarial comp-sum loss: the comp-sum loss of clean logits, and how far an attack moves the margins.

    With `grad` it returns the loss and the gradients with respect to `z` and `z_adv`.

    It computes::

        D_k(z) = z_y − z_k
        L = comp_sum_loss(z/ρ, y; τ) + ν ‖D(z_adv) − D(z)‖₂

    Examples
    --------
    >>> import losskit
    >>> z, z_adv = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]], [[1.5, -0.5, 0.7], [0.2, 1.1, -2.5]]
    >>> losskit.smooth_adversarial_comp_sum_loss(z, z_adv, [0, 2], rho=2.0, nu=0.5, reduction="none").round(6).tolist()
    [1.138304, 2.565108]
    """
    name = "smooth_adversarial_comp_sum_loss"
    dtype, z, z_adv = as_reals(name, z, z_adv)
    check_shape(name, "z_adv", z_adv, z.shape)
    rows = rows_of(name, z, axis)
    y = as_integers(name, "y", y)
    check_shape(name, "y", y, rows.shape)
    (sample_weight,) = as_reals_like(name, dtype, sample_weight)
    check_shape(name, "sample_weight", sample_weight, rows.shape)
    check_reduction(name, reduction)
    loss = empty(rows.shape if reduction == "none" else (), dtype)
    gradients = (empty(z.shape, dtype), empty(z.shape, dtype)) if grad else (None, None)
    call(name, dtype, z, z_adv, y, *rows[:3], tau, rho, nu, reduction, sample_weight, loss, *gradients)
    return (scalar(loss), gradients) if grad else scalar(loss)


def as_coefficients(name: str, what: str, x: Any) -> np.ndarray:
    """The coefficients of a polynomial, in double precision whatever the logits are."""
    (coefficients,) = as_reals_like(name, np.dtype(np.float64), x)
    if coefficients is None or coefficients.ndim != 1:
        raise fail("INVALID_PARAMETER", name, f"{what} must be a list of numbers")
    return coefficients
