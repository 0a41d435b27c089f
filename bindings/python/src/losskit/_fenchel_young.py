"""Fenchel-Young losses."""

from __future__ import annotations

from typing import Any

from ._core import documented
from ._losses import row_loss

__all__ = [
    "entmax15_loss",
    "entmax_loss",
    "fenchel_young_loss",
    "normmax_loss",
    "sparse_softmax_loss",
    "sparsemax_loss",
]


@documented
def fenchel_young_loss(
    z: Any,
    target: Any,
    *,
    regularizer: str = "shannon",
    alpha: float = 1.5,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Fenchel-Young loss of logits and integer or dense targets.

    Parameters
    ----------
    target : array_like
        Integers, one for each row, in 0 to C - 1; or real numbers shaped as `z`, in the domain of the
        regularizer. Dense targets are not checked.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.0, 0.4, -0.2], [0.3, 0.1, -2.0]]
    >>> loss, grad = losskit.fenchel_young_loss(z, [0, 2], regularizer="tsallis", alpha=1.3, reduction="none", grad=True)
    >>> loss.round(4).tolist()
    [0.2802, 2.6878]
    >>> grad.round(4).tolist()
    [[-0.3847, 0.2825, 0.1022], [0.5604, 0.4378, -0.9982]]
    """
    return row_loss(
        "fenchel_young_loss",
        z,
        target,
        regularizer,
        alpha,
        dense_parameters=(regularizer, alpha),
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def sparsemax_loss(
    z: Any,
    target: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Sparsemax loss of logits and integer or dense targets.

    Parameters
    ----------
    target : array_like
        Integers, one for each row, in 0 to C - 1; or real numbers shaped as `z`, the probability of each class.
        Dense targets are not checked.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.0, 0.4, -0.2], [0.3, 0.1, -2.0]]
    >>> loss, grad = losskit.sparsemax_loss(z, [0, 2], reduction="none", grad=True)
    >>> loss.round(4).tolist()
    [0.04, 2.46]
    >>> grad.round(4).tolist()
    [[-0.2, 0.2, 0.0], [0.6, 0.4, -1.0]]
    """
    return row_loss(
        "sparsemax_loss",
        z,
        target,
        dense_parameters=(),
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def entmax15_loss(
    z: Any,
    target: Any,
    *,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """1.5-entmax loss of logits and integer or dense targets.

    Parameters
    ----------
    target : array_like
        Integers, one for each row, in 0 to C - 1; or real numbers shaped as `z`, the probability of each class.
        Dense targets are not checked.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.0, 0.4, -0.2], [0.3, 0.1, -2.0]]
    >>> loss, grad = losskit.entmax15_loss(z, [0, 2], reduction="none", grad=True)
    >>> loss.round(4).tolist()
    [0.1617, 2.5976]
    >>> grad.round(4).tolist()
    [[-0.323, 0.2733, 0.0496], [0.5705, 0.4295, -1.0]]
    """
    return row_loss(
        "entmax15_loss",
        z,
        target,
        dense_parameters=(),
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def entmax_loss(
    z: Any,
    target: Any,
    *,
    alpha: float = 1.5,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """α-entmax loss of logits and integer or dense targets.

    Parameters
    ----------
    target : array_like
        Integers, one for each row, in 0 to C - 1; or real numbers shaped as `z`, the probability of each class.
        Dense targets are not checked.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.0, 0.4, -0.2], [0.3, 0.1, -2.0]]
    >>> loss, grad = losskit.entmax_loss(z, [0, 2], alpha=1.25, reduction="none", grad=True)
    >>> loss.round(4).tolist()
    [0.3205, 2.7167]
    >>> grad.round(4).tolist()
    [[-0.3986, 0.285, 0.1137], [0.5555, 0.4376, -0.9931]]
    """
    return row_loss(
        "entmax_loss",
        z,
        target,
        alpha,
        dense_parameters=(alpha,),
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def normmax_loss(
    z: Any,
    target: Any,
    *,
    alpha: float = 2.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Normmax loss of logits and integer or dense targets.

    Parameters
    ----------
    target : array_like
        Integers, one for each row, in 0 to C - 1; or real numbers shaped as `z`, the probability of each class.
        Dense targets are not checked.

    Examples
    --------
    >>> import losskit
    >>> z = [[1.0, 0.4, -0.2], [0.3, 0.1, -2.0]]
    >>> loss, grad = losskit.normmax_loss(z, [0, 2], reduction="none", grad=True)
    >>> loss.round(4).tolist()
    [0.0597, 2.5]
    >>> grad.round(4).tolist()
    [[-0.2657, 0.2657, 0.0], [0.5714, 0.4286, -1.0]]
    """
    return row_loss(
        "normmax_loss",
        z,
        target,
        alpha,
        dense_parameters=(alpha,),
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )


@documented
def sparse_softmax_loss(
    z: Any,
    y: Any,
    *,
    k: int = 10,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
    axis: int = -1,
) -> Any:
    """Cross-entropy of the softmax of the k largest logits.

    Examples
    --------
    >>> import losskit
    >>> z = [[2.0, -1.0, 0.5], [0.0, 1.0, -2.0]]
    >>> loss, grad = losskit.sparse_softmax_loss(z, [0, 2], k=2, reduction="none", grad=True)
    >>> loss.round(4).tolist()
    [0.2014, 3.3133]
    >>> grad.round(4).tolist()
    [[-0.1824, 0.0, 0.1824], [0.2689, 0.7311, -1.0]]
    """
    return row_loss(
        "sparse_softmax_loss",
        z,
        y,
        k,
        reduction=reduction,
        sample_weight=sample_weight,
        grad=grad,
        axis=axis,
    )
