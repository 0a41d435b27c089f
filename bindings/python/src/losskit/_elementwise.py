"""Classification losses of single scores."""

from __future__ import annotations

from typing import Any

from ._core import as_integers, as_reals, as_reals_like, call, check_shape, documented, empty, fail, scalar
from ._losses import check_reduction, element_loss

__all__ = [
    "aggregate_loss",
    "binary_margin_loss",
    "ens_loss",
    "halted_focal_loss",
    "hinge_embedding_loss",
    "poly1_sigmoid_focal_loss",
    "sigmoid_focal_loss",
    "sigmoid_focal_star_loss",
    "soft_margin_loss",
]


@documented
def sigmoid_focal_loss(
    z: Any,
    t: Any,
    *,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """Focal loss on sigmoid scores, element by element: binary cross-entropy that down-weights easy examples.

    Parameters
    ----------
    alpha : float, default 0.25
        In [0, 1]; negative or None: no factor α_t.
    sample_weight : array_like, default None
        Weights along the leading axes of `z`; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> losskit.sigmoid_focal_loss([1.5, -0.5, 0.2], [1, 1, 0], reduction="none").round(6).tolist()
    [0.001676, 0.094353, 0.180968]
    """
    return element_loss(
        "sigmoid_focal_loss",
        z,
        t,
        -1.0 if alpha is None else alpha,
        gamma,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
    )


@documented
def sigmoid_focal_star_loss(
    z: Any,
    t: Any,
    *,
    alpha: float | None = -1.0,
    gamma: float = 2.0,
    beta: float = 1.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """The focal loss's variant FL*: a logistic loss of a scaled and shifted score, element by element.

    Parameters
    ----------
    alpha : float, default -1.0
        In [0, 1]; negative or None: no factor α_t.
    sample_weight : array_like, default None
        Weights along the leading axes of `z`; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> losskit.sigmoid_focal_star_loss([1.5, -0.5, 0.2], [1, 1, 0], reduction="none").round(6).tolist()
    [0.009075, 0.346574, 0.218744]
    """
    return element_loss(
        "sigmoid_focal_star_loss",
        z,
        t,
        -1.0 if alpha is None else alpha,
        gamma,
        beta,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
    )


@documented
def poly1_sigmoid_focal_loss(
    z: Any,
    t: Any,
    *,
    alpha: float | None = 0.25,
    gamma: float = 2.0,
    epsilon: float = 1.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """Focal loss on sigmoid scores with the first term of its expansion strengthened, element by element.

    Parameters
    ----------
    alpha : float, default 0.25
        In [0, 1]; negative or None: no factor α_t.
    sample_weight : array_like, default None
        Weights along the leading axes of `z`; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> losskit.poly1_sigmoid_focal_loss([1.5, -0.5, 0.2], [1, 1, 0], reduction="none").round(6).tolist()
    [0.007747, 0.335528, 0.347193]
    """
    return element_loss(
        "poly1_sigmoid_focal_loss",
        z,
        t,
        -1.0 if alpha is None else alpha,
        gamma,
        epsilon,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
    )


@documented
def halted_focal_loss(
    z: Any,
    t: Any,
    *,
    alpha: float | None = -1.0,
    gamma: float = 2.0,
    side: str = "positive",
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """Focal loss on sigmoid scores that stops down-weighting on the right side of ½.

    Parameters
    ----------
    alpha : float, default -1.0
        In [0, 1]; negative or None: no factor α_t.
    sample_weight : array_like, default None
        Weights along the leading axes of `z`; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> losskit.halted_focal_loss([1.5, -0.5, 0.2], [1, 1, 0], reduction="none").round(6).tolist()
    [-0.318447, 0.377412, 0.241291]
    """
    return element_loss(
        "halted_focal_loss",
        z,
        t,
        -1.0 if alpha is None else alpha,
        gamma,
        side,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
    )


@documented
def binary_margin_loss(
    f: Any,
    y: Any,
    *,
    kind: str = "logistic",
    margin: float = 1.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """Losses of binary classification that are functions of the margin, element by element.

    Parameters
    ----------
    sample_weight : array_like, default None
        Weights along the leading axes of `f`; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> losskit.binary_margin_loss([1.5, -0.5, 3], [1, 1, -1], kind="modified_huber", reduction="none").tolist()
    [0.0, 2.25, 12.0]
    """
    return element_loss(
        "binary_margin_loss",
        f,
        y,
        kind,
        margin,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        what="y",
    )


@documented
def soft_margin_loss(
    f: Any,
    y: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """Logistic loss of scores and signs, element by element.

    Parameters
    ----------
    sample_weight : array_like, default None
        Weights along the leading axes of `f`; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> losskit.soft_margin_loss([1.5, -0.5, 3], [1, 1, -1], reduction="none").round(6).tolist()
    [0.201413, 0.974077, 3.048587]
    """
    return element_loss(
        "soft_margin_loss",
        f,
        y,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        what="y",
    )


@documented
def hinge_embedding_loss(
    x: Any,
    y: Any,
    *,
    margin: float = 1.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """Hinge embedding loss of distances: small ones are wanted between what is alike, large ones between what is not.

    Parameters
    ----------
    sample_weight : array_like, default None
        Weights along the leading axes of `x`; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> losskit.hinge_embedding_loss([0.4, 0.4, 1.7], [1, -1, -1], reduction="none").tolist()
    [0.4, 0.6, 0.0]
    """
    return element_loss(
        "hinge_embedding_loss",
        x,
        y,
        margin,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        what="y",
    )


@documented
def aggregate_loss(
    f: Any,
    bag: Any,
    ybar: Any,
    *,
    level: str = "interpolated",
    rho: float = 0.5,
    loss: str = "square",
    bag_reduction: str = "mean",
    grad: bool = False,
) -> Any:
    """Loss of instances of which only the mean responses of bags are known.

    Parameters
    ----------
    loss : {'square', 'logistic'}, default 'square'
        The loss of a response.

    Examples
    --------
    >>> import losskit
    >>> f, bag, ybar = [0.5, 1.5, -1, 2, 0], [0, 0, 1, 1, 1], [0.75, 0.25]
    >>> round(float(losskit.aggregate_loss(f, bag, ybar, rho=0.25)), 6)
    0.260417
    """
    name = "aggregate_loss"
    if loss not in ("square", "logistic"):
        raise fail("INVALID_PARAMETER", name, f"loss must be 'square' or 'logistic', not {loss!r}")
    dtype, f = as_reals(name, f)
    (ybar,) = as_reals_like(name, dtype, ybar)
    if f.ndim != 1 or ybar.ndim != 1:
        raise fail("INVALID_SHAPE", name, "f and ybar must have one axis each")
    bag = as_integers(name, "bag", bag)
    check_shape(name, "bag", bag, f.shape)
    value = empty((), dtype)
    gradient = empty(f.shape, dtype) if grad else None
    call(name, dtype, f, bag, ybar, f.size, ybar.size, level, rho, loss, bag_reduction, value, gradient)
    return (scalar(value), gradient) if grad else scalar(value)


@documented
def ens_loss(
    f: Any,
    y: Any,
    *,
    seed: int = 0,
    lam: float = 0.0,
    noise: Any = None,
    tail: bool = True,
    shift: float = 1e-6,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """EnsLoss: the gradient of a random convex, calibrated loss of the margin, drawn anew in each call.

    Parameters
    ----------
    f : array_like
        Scores, in one dimension. A NaN has the largest margin.
    y : array_like
        1 or −1, shaped as `f`.
    noise : array_like, optional
        ξ, shaped as `f`; drawn if absent.
    sample_weight : array_like, optional
        Shaped as `f`, ≥ 0; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> loss, grad = losskit.ens_loss([1.5, -0.5, 3, 0.2], [1, 1, 1, -1], seed=7, reduction="none", grad=True)
    >>> loss.round(6).tolist(), grad.round(6).tolist()
    ([-1.000002, 0.5, -1.000003, 0.2], [-0.666668, -1.000001, -0.333334, 1.000001])
    """
    name = "ens_loss"
    dtype, f = as_reals(name, f)
    y, noise, sample_weight = as_reals_like(name, dtype, y, noise, sample_weight)
    if f.ndim != 1:
        raise fail("INVALID_SHAPE", name, f"f has shape {f.shape}, expected one dimension")
    for what, array in (("y", y), ("noise", noise), ("sample_weight", sample_weight)):
        check_shape(name, what, array, f.shape)
    check_reduction(name, reduction)
    loss = empty(f.shape if reduction == "none" else (), dtype)
    gradient = empty(f.shape, dtype) if grad else None
    call(name, dtype, f, y, f.size, seed, lam, noise, tail, shift, reduction, sample_weight, loss, gradient)
    return (scalar(loss), gradient) if grad else scalar(loss)
