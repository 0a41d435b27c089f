"""Harmonic losses, and scores from distances."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ._core import as_integers, as_reals, as_reals_like, call, check_shape, documented, empty, fail, scalar
from ._losses import check_reduction

__all__ = ["harmonic_logits", "harmonic_logits_vjp", "harmonic_loss", "singular_kernel_scores"]


def _points(name: str, *names: str, arrays: tuple[np.ndarray, ...]) -> tuple[int, ...]:
    """Two lists of points with as many coordinates: how many first points, coordinates and second points there are."""
    for what, array in zip(names, arrays):
        if array.ndim != 2:
            raise fail("INVALID_SHAPE", name, f"{what} has {array.ndim} dimensions, expected 2")
    first, second = arrays
    if first.shape[1] != second.shape[1]:
        raise fail("INVALID_SHAPE", name, f"{names[0]} has {first.shape[1]} columns, {names[1]} {second.shape[1]}")
    return *first.shape, second.shape[0]


def _precision(name: str, dtype: np.dtype[Any], precision: Any, dimensions: int) -> tuple[Optional[np.ndarray], bool]:
    """The precision, and whether it is a matrix."""
    (precision,) = as_reals_like(name, dtype, precision)
    is_matrix = precision is not None and precision.ndim == 2
    check_shape(name, "precision", precision, (dimensions, dimensions) if is_matrix else (dimensions,))
    return precision, is_matrix


@documented
def harmonic_logits(
    x: Any,
    w: Any,
    *,
    distance: str = "euclidean",
    n: float = 1.0,
    eps: float = 0.0001,
    p: float = 1.5,
    temperature: float = 1.0,
    threshold: float = 0.5,
    smooth: float = 10.0,
    min_denom: float = 1e-8,
    weight_power: float = 1.0,
    precision: Any = None,
) -> np.ndarray:
    """Harmonic logits: the negative logarithms of the distances of features to class centres.

    Parameters
    ----------
    distance : str, default 'euclidean'
        One of the distances below.
    precision : array_like, default None
        S of ``mahalanobis``: a positive semidefinite matrix, its diagonal, or the identity. Other distances ignore it.

    Notes
    -----
    With d = x - w, a = abs(d) and sums over the coordinates, the distances are

    - euclidean: sum d^2 + eps, squared: n counts powers of d^2
    - manhattan: sum a + eps
    - cosine: 1 - cos(x, w) + eps
    - minkowski: (sum (a + eps)^p + eps)^(1/p) + eps
    - hamming_soft: sum abs(sigmoid(x / temperature) - sigmoid(w / temperature)) + eps
    - hamming_hard: sum abs([x > threshold] - [w > threshold]) + eps, its gradient straight through the soft form
    - chebyshev: max a + eps
    - chebyshev_lse: logsumexp(smooth a) / smooth + eps
    - chebyshev_soft: sum softmax(u) u + eps, u = a / (sd + eps), sd the sample standard deviation of a
    - canberra: sum a / max(abs(x) + abs(w), min_denom) + eps
    - canberra_weighted: the mean of a / den, weighted with den^weight_power, + eps, den = abs(x) + abs(w) + eps
    - bray_curtis: sum a / max(abs(sum (x + w)) + eps, 10 eps) + eps
    - bray_curtis_abs: sum a / max(sum (abs(x) + abs(w)) + eps, 10 eps) + eps
    - bray_curtis_normalized: bray_curtis of (abs(x) + eps) / sum (abs(x) + eps) and w likewise
    - mahalanobis: sqrt(d' S d + eps) + eps, S the precision

    Examples
    --------
    >>> import losskit
    >>> x, w = [[1, 0.5], [-0.5, 2]], [[0.5, 1], [-1, 0.25], [2, -1]]
    >>> losskit.harmonic_logits(x, w, n=2.0).round(4).tolist()
    [[1.3859, -2.8036, -2.3574], [-1.3864, -2.3955, -5.4492]]
    """
    name = "harmonic_logits"
    dtype, x, w = as_reals(name, x, w)
    sizes = _points(name, "x", "w", arrays=(x, w))
    parameters = (distance, n, eps, p, temperature, threshold, smooth, min_denom, weight_power)
    logits = empty((sizes[0], sizes[2]), dtype)
    call(name, dtype, x, w, *sizes, *parameters, *_precision(name, dtype, precision, sizes[1]), logits)
    return logits


@documented
def harmonic_logits_vjp(
    x: Any,
    w: Any,
    grad_output: Any,
    *,
    distance: str = "euclidean",
    n: float = 1.0,
    eps: float = 0.0001,
    p: float = 1.5,
    temperature: float = 1.0,
    threshold: float = 0.5,
    smooth: float = 10.0,
    min_denom: float = 1e-8,
    weight_power: float = 1.0,
    precision: Any = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Vector-Jacobian product of harmonic_logits: the gradients of `x` and `w`.

    Parameters
    ----------
    distance : str, default 'euclidean'
        As given to `harmonic_logits`, like all parameters.
    precision : array_like, default None
        Likewise.

    Examples
    --------
    >>> import losskit
    >>> grad_x, grad_w = losskit.harmonic_logits_vjp([[1.0, 0.0]], [[0.0, 0.0], [1.0, 2.0]], [[1.0, 2.0]])
    >>> grad_x.round(3).tolist(), grad_w.round(3).tolist()
    ([[-2.0, 2.0]], [[2.0, 0.0], [0.0, -2.0]])
    """
    name = "harmonic_logits_vjp"
    dtype, x, w, grad_output = as_reals(name, x, w, grad_output)
    sizes = _points(name, "x", "w", arrays=(x, w))
    check_shape(name, "grad_output", grad_output, (sizes[0], sizes[2]))
    parameters = (distance, n, eps, p, temperature, threshold, smooth, min_denom, weight_power)
    grad_x, grad_w = empty(x.shape, dtype), empty(w.shape, dtype)
    precision, is_matrix = _precision(name, dtype, precision, sizes[1])
    call(name, dtype, x, w, grad_output, *sizes, *parameters, precision, is_matrix, grad_x, grad_w)
    return grad_x, grad_w


@documented
def harmonic_loss(
    x: Any,
    w: Any,
    y: Any,
    *,
    distance: str = "euclidean",
    n: float = 1.0,
    eps: float = 0.0001,
    p: float = 1.5,
    temperature: float = 1.0,
    threshold: float = 0.5,
    smooth: float = 10.0,
    min_denom: float = 1e-8,
    weight_power: float = 1.0,
    precision: Any = None,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """Harmonic loss: cross-entropy of class probabilities that fall with a power of the distance to the class centre.

    Parameters
    ----------
    distance : str, default 'euclidean'
        One of the distances that `harmonic_logits` lists.
    precision : array_like, default None
        S of ``mahalanobis``: a positive semidefinite matrix, its diagonal, or the identity. Other distances ignore it.

    Returns
    -------
    loss : float or ndarray
        One value, or one per row without reduction.
    gradients : tuple of ndarray
        Those of `x`, `w` and, if it is given, `precision`. Only if `grad`.

    Examples
    --------
    >>> import losskit
    >>> x, w = [[1, 0.5], [-0.5, 2]], [[0.5, 1], [-1, 0.25], [2, -1]]
    >>> loss, (grad_x, grad_w) = losskit.harmonic_loss(x, w, [0, 2], n=2.0, grad=True)
    >>> float(loss.round(4)), grad_x.round(4).tolist()
    (2.2121, [[0.0744, -0.0976], [0.3202, -0.6139]])
    """
    name = "harmonic_loss"
    dtype, x, w = as_reals(name, x, w)
    sizes = _points(name, "x", "w", arrays=(x, w))
    y = as_integers(name, "y", y)
    (sample_weight,) = as_reals_like(name, dtype, sample_weight)
    check_shape(name, "y", y, sizes[:1])
    check_shape(name, "sample_weight", sample_weight, sizes[:1])
    check_reduction(name, reduction)
    parameters = (distance, n, eps, p, temperature, threshold, smooth, min_denom, weight_power)
    precision, is_matrix = _precision(name, dtype, precision, sizes[1])
    loss = empty(sizes[:1] if reduction == "none" else (), dtype)
    inputs = [x, w, precision] if grad else []
    gradients = [None if array is None else empty(array.shape, dtype) for array in inputs] or [None] * 3
    call(
        name, dtype, x, w, y, *sizes, *parameters, precision, is_matrix, reduction, sample_weight, loss, *gradients
    )
    if not grad:
        return scalar(loss)
    return scalar(loss), tuple(gradient for gradient in gradients if gradient is not None)


@documented
def singular_kernel_scores(x: Any, train_x: Any, train_y: Any, *, num_classes: int, alpha: float = 1.0) -> np.ndarray:
    """Class scores of a singular kernel smoother: neighbours vote with a negative power of their distance.

    Examples
    --------
    >>> import losskit
    >>> train_x, train_y = [[1, 0], [0, 2], [-2, 0]], [0, 1, 1]
    >>> losskit.singular_kernel_scores([[0, 0]], train_x, train_y, num_classes=2, alpha=2.0).round(4).tolist()
    [[0.6667, 0.3333]]
    """
    name = "singular_kernel_scores"
    dtype, x, train_x = as_reals(name, x, train_x)
    train_y = as_integers(name, "train_y", train_y)
    count, dimensions, train_count = _points(name, "x", "train_x", arrays=(x, train_x))
    check_shape(name, "train_y", train_y, (train_count,))
    columns = max(0, num_classes) if isinstance(num_classes, (int, np.integer)) else 0
    scores = empty((count, columns), dtype)
    call(name, dtype, x, train_x, train_y, count, dimensions, train_count, num_classes, alpha, scores)
    return scores
