"""Boosting objectives: gradients and diagonal Hessians."""

from __future__ import annotations

import math
from typing import Any, Optional

import numpy as np

from ._core import as_array, as_integers, as_reals, as_reals_like, call, check_shape, documented, empty, fail, rows_of
from ._losses import element_rows

__all__ = [
    "condensed_leaf_values",
    "focal_grad_hess",
    "logistic_grad_hess",
    "newton_targets",
    "poly1_grad_hess",
    "poly1_sigmoid_grad_hess",
    "sigmoid_focal_grad_hess",
    "softmax_grad_hess",
    "squared_error_grad_hess",
]

_Pair = tuple[np.ndarray, np.ndarray]


def _of_elements(name: str, f: Any, y: Any, *parameters: Any, sample_weight: Any) -> _Pair:
    """Gradient and Hessian of an objective of single scores."""
    dtype, f = as_reals(name, f)
    y, sample_weight = as_reals_like(name, dtype, y, sample_weight)
    check_shape(name, "targets", y, f.shape)
    rows, columns = element_rows(name, f, sample_weight)
    grad, hess = empty(f.shape, dtype), empty(f.shape, dtype)
    between = [sample_weight if parameter is ... else parameter for parameter in parameters]
    call(name, dtype, f, y, rows, columns, *between, grad, hess)
    return grad, hess


def _of_rows(
    name: str, z: Any, target: Any, *parameters: Any, alpha: Any = None, sample_weight: Any, min_hess: Any, axis: int
) -> _Pair:
    """Gradient and Hessian of an objective of rows. The class factors stand where ``...`` stands among the parameters."""
    dtype, z = as_reals(name, z)
    rows = rows_of(name, z, axis)
    entry = name
    target = as_array(target, name)
    if name == "softmax_grad_hess" and target.shape == z.shape:
        (target,) = as_reals_like(name, dtype, target)
        entry += "_dense"
    else:
        target = as_integers(name, "target", target)
        check_shape(name, "target", target, rows.shape)
    alpha, sample_weight = as_reals_like(name, dtype, alpha, sample_weight)
    if alpha is not None and alpha.ndim == 0:
        alpha = np.full(rows.classes, alpha, dtype)
    check_shape(name, "alpha", alpha, (rows.classes,))
    check_shape(name, "sample_weight", sample_weight, rows.shape)
    grad, hess = empty(z.shape, dtype), empty(z.shape, dtype)
    between = [alpha if parameter is ... else parameter for parameter in parameters]
    call(entry, dtype, z, target, *rows[:3], *between, sample_weight, _floor(min_hess), grad, hess)
    return grad, hess


def _floor(min_hess: Optional[float]) -> float:
    return -math.inf if min_hess is None else min_hess


@documented
def logistic_grad_hess(f: Any, y: Any, *, sample_weight: Any = None, min_hess: Optional[float] = 0.0) -> _Pair:
    """Gradient and Hessian of the logistic loss, for boosters.

    Parameters
    ----------
    f : array_like
        Raw scores, of any shape.
    sample_weight : array_like, default None
        Weights along the leading axes of `f`; 1 if absent.
    min_hess : float, default 0.0
        A floor under the weighted Hessians; None for none.

    Examples
    --------
    >>> import losskit
    >>> grad, hess = losskit.logistic_grad_hess([1.5, -0.5], [1, 1])
    >>> grad.round(4).tolist(), hess.round(4).tolist()
    ([-0.1824, -0.6225], [0.1491, 0.235])
    """
    return _of_elements("logistic_grad_hess", f, y, ..., _floor(min_hess), sample_weight=sample_weight)


@documented
def squared_error_grad_hess(z: Any, t: Any, *, sample_weight: Any = None) -> _Pair:
    """Gradient and Hessian of half the squared error of each output, for boosters.

    Parameters
    ----------
    z : array_like
        Predictions, of any shape.
    sample_weight : array_like, default None
        Weights along the leading axes of `z`; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> grad, hess = losskit.squared_error_grad_hess([[1.0, 2.0]], [[0.0, 2.5]])
    >>> grad.tolist(), hess.tolist()
    ([[1.0, -0.5]], [[1.0, 1.0]])
    """
    return _of_elements("squared_error_grad_hess", z, t, ..., sample_weight=sample_weight)


@documented
def sigmoid_focal_grad_hess(
    f: Any,
    y: Any,
    *,
    alpha: Optional[float] = 0.25,
    gamma: float = 2.0,
    sample_weight: Any = None,
    min_hess: Optional[float] = None,
) -> _Pair:
    """Gradient and Hessian of the focal loss on sigmoid scores, for boosters.

    Parameters
    ----------
    f : array_like
        Raw scores, of any shape.
    alpha : float, default 0.25
        In [0, 1]: the factor of samples with target 1, the others have 1 − `alpha`. Negative or None: no such factor.
    sample_weight : array_like, default None
        Weights along the leading axes of `f`; 1 if absent.
    min_hess : float, default None
        A floor under the weighted Hessians; None for none.

    Examples
    --------
    >>> import losskit
    >>> grad, hess = losskit.sigmoid_focal_grad_hess([1.5, -0.5, -3.0], [1, 1, 1])
    >>> grad.round(4).tolist(), hess.round(4).tolist()
    ([-0.0043, -0.1315, -0.2817], [0.0102, 0.1233, -0.005])
    """
    alpha = -1.0 if alpha is None else alpha
    return _of_elements(
        "sigmoid_focal_grad_hess", f, y, alpha, gamma, ..., _floor(min_hess), sample_weight=sample_weight
    )


@documented
def poly1_sigmoid_grad_hess(
    f: Any, y: Any, *, epsilon: float = 1.0, sample_weight: Any = None, min_hess: Optional[float] = None
) -> _Pair:
    """Gradient and Hessian of the Poly-1 loss on sigmoid scores, for boosters.

    Parameters
    ----------
    f : array_like
        Raw scores, of any shape.
    sample_weight : array_like, default None
        Weights along the leading axes of `f`; 1 if absent.
    min_hess : float, default None
        A floor under the weighted Hessians; None for none.

    Examples
    --------
    >>> import losskit
    >>> grad, hess = losskit.poly1_sigmoid_grad_hess([1.5, -0.5], [1, 1])
    >>> grad.round(4).tolist(), hess.round(4).tolist()
    ([-0.3316, -0.8575], [0.2439, 0.1774])
    """
    return _of_elements("poly1_sigmoid_grad_hess", f, y, epsilon, ..., _floor(min_hess), sample_weight=sample_weight)


@documented
def softmax_grad_hess(
    z: Any,
    target: Any,
    *,
    hess: str = "lightgbm",
    sample_weight: Any = None,
    min_hess: Optional[float] = 0.0,
    axis: int = -1,
) -> _Pair:
    """Gradient and diagonal Hessian of the softmax cross-entropy, for boosters.

    Parameters
    ----------
    z : array_like
        Raw scores, with the classes along `axis`: the last one for XGBoost's layout, the first one for LightGBM's.
    target : array_like
        Integers, one for each row, in 0 to C - 1; or real numbers shaped as `z`, the probability of each class.
    hess : {"lightgbm", "xgboost", "exact"}, default "lightgbm"
        Multiplies the Hessian by C/(C − 1), by 2, or by 1.
    min_hess : float, default 0.0
        A floor under the weighted Hessians; None for none.

    Examples
    --------
    >>> import losskit
    >>> grad, hess = losskit.softmax_grad_hess([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]], [0, 2])
    >>> grad.round(4).tolist()
    [[-0.2144, 0.0391, 0.1753], [0.2595, 0.7054, -0.9649]]
    >>> hess.round(4).tolist()
    [[0.2527, 0.0564, 0.2168], [0.2882, 0.3117, 0.0508]]
    """
    return _of_rows("softmax_grad_hess", z, target, hess, sample_weight=sample_weight, min_hess=min_hess, axis=axis)


@documented
def focal_grad_hess(
    z: Any,
    y: Any,
    *,
    gamma: float = 2.0,
    alpha: Any = None,
    sample_weight: Any = None,
    min_hess: Optional[float] = None,
    axis: int = -1,
) -> _Pair:
    """Gradient and diagonal Hessian of the focal loss on softmax probabilities, for boosters.

    Parameters
    ----------
    z : array_like
        Raw scores, with the classes along `axis`: the last one for XGBoost's layout, the first one for LightGBM's.
    alpha : float or array_like, default None
        One factor for all classes, or one for each.
    min_hess : float, default None
        A floor under the weighted Hessians; None for none.

    Examples
    --------
    >>> import losskit
    >>> grad, hess = losskit.focal_grad_hess([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]], [0, 2])
    >>> grad.round(4).tolist()
    [[-0.0273, 0.005, 0.0223], [0.3005, 0.8168, -1.1173]]
    >>> hess.round(4).tolist()
    [[0.0624, 0.0061, 0.0458], [0.2169, 0.1993, -0.0382]]
    """
    return _of_rows(
        "focal_grad_hess", z, y, gamma, ..., alpha=alpha, sample_weight=sample_weight, min_hess=min_hess, axis=axis
    )


@documented
def poly1_grad_hess(
    z: Any,
    y: Any,
    *,
    epsilon: float = 1.0,
    sample_weight: Any = None,
    min_hess: Optional[float] = None,
    axis: int = -1,
) -> _Pair:
    """Gradient and diagonal Hessian of the Poly-1 loss on softmax probabilities, for boosters.

    Parameters
    ----------
    z : array_like
        Raw scores, with the classes along `axis`: the last one for XGBoost's layout, the first one for LightGBM's.
    min_hess : float, default None
        A floor under the weighted Hessians; None for none.

    Examples
    --------
    >>> import losskit
    >>> grad, hess = losskit.poly1_grad_hess([[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]], [0, 2])
    >>> grad.round(4).tolist()
    [[-0.3828, 0.0698, 0.313], [0.2686, 0.7302, -0.9988]]
    >>> hess.round(4).tolist()
    [[0.2646, 0.0659, 0.234], [0.1965, 0.1976, 0.0024]]
    """
    return _of_rows("poly1_grad_hess", z, y, epsilon, sample_weight=sample_weight, min_hess=min_hess, axis=axis)


@documented
def newton_targets(grad: Any, hess: Any, *, eps: float = 1e-12, order: str = "second") -> _Pair:
    """Regression targets and weights for a weak learner, from gradients and Hessians.

    Parameters
    ----------
    grad : array_like
        Of any shape.
    order : {"second", "first"}, default "second"
        The Newton step, with the Hessian as weight; or the negative gradient, with weight 1.

    Examples
    --------
    >>> import losskit
    >>> target, weight = losskit.newton_targets([-0.3, 0.2], [0.21, 0.16])
    >>> target.round(4).tolist(), weight.tolist()
    ([1.4286, -1.25], [0.21, 0.16])
    """
    name = "newton_targets"
    dtype, grad, hess = as_reals(name, grad, hess)
    check_shape(name, "hess", hess, grad.shape)
    target, weight = empty(grad.shape, dtype), empty(grad.shape, dtype)
    call(name, dtype, grad, hess, grad.size, eps, order, target, weight)
    return target, weight


@documented
def condensed_leaf_values(
    residual: Any, t: Any, leaf: Any, *, n_leaves: int, sample_weight: Any = None
) -> np.ndarray:
    """The values of the leaves of one multi-output tree that is boosted for all classes at once.

    Parameters
    ----------
    residual : array_like
        t − p, of shape (rows, classes).
    leaf : array_like
        Integers: the leaf of each row, in 0 to `n_leaves` - 1.

    Examples
    --------
    >>> import losskit
    >>> residual = [[0.4, -0.1, -0.3], [-0.2, 0.5, -0.3], [0.6, -0.4, -0.2]]
    >>> t = [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    >>> losskit.condensed_leaf_values(residual, t, [0, 0, 1], n_leaves=2).round(4).tolist()
    [[0.3333, 0.7843, -0.9524], [1.6667, -1.1111, -0.8333]]
    """
    name = "condensed_leaf_values"
    dtype, residual = as_reals(name, residual)
    t, sample_weight = as_reals_like(name, dtype, t, sample_weight)
    if residual.ndim != 2:
        raise fail("INVALID_SHAPE", name, f"residual has shape {residual.shape}, expected (rows, classes)")
    rows, classes = residual.shape
    check_shape(name, "t", t, residual.shape)
    leaf = as_integers(name, "leaf", leaf)
    check_shape(name, "leaf", leaf, (rows,))
    check_shape(name, "sample_weight", sample_weight, (rows,))
    if not isinstance(n_leaves, (int, np.integer)) or n_leaves < 0:
        raise fail("INVALID_SHAPE", name, f"n_leaves is {n_leaves!r}, expected an integer ≥ 0")
    value = empty((n_leaves, classes), dtype)
    call(name, dtype, residual, t, leaf, rows, classes, n_leaves, sample_weight, value)
    return value
