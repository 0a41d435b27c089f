"""Losses of boxes, and of the distributions that stand for their sides."""

from __future__ import annotations

from typing import Any

from ._box_arrays import box_rows
from ._core import as_reals, as_reals_like, call, check_shape, documented, empty, scalar
from ._losses import check_reduction, element_loss

__all__ = [
    "alpha_box_iou_loss",
    "box_iou_loss",
    "complete_box_iou_loss",
    "distance_box_iou_loss",
    "distribution_focal_loss",
    "efficient_box_iou_loss",
    "generalized_box_iou_loss",
    "quality_focal_loss",
    "scylla_box_iou_loss",
]


def _box_loss(
    name: str, boxes1: Any, boxes2: Any, *parameters: Any, eps: float, reduction: str, sample_weight: Any, grad: bool
) -> Any:
    dtype, boxes1, boxes2 = as_reals(name, boxes1, boxes2)
    boxes1 = box_rows(name, "boxes1", boxes1)
    boxes2 = box_rows(name, "boxes2", boxes2)
    check_shape(name, "boxes2", boxes2, boxes1.shape)
    (sample_weight,) = as_reals_like(name, dtype, sample_weight)
    check_shape(name, "sample_weight", sample_weight, (len(boxes1),))
    check_reduction(name, reduction)
    loss = empty((len(boxes1),) if reduction == "none" else (), dtype)
    grads = (empty(boxes1.shape, dtype), empty(boxes1.shape, dtype)) if grad else (None, None)
    call(name, dtype, boxes1, boxes2, len(boxes1), *parameters, eps, reduction, sample_weight, loss, *grads)
    return (scalar(loss), grads) if grad else scalar(loss)


@documented
def box_iou_loss(
    boxes1: Any,
    boxes2: Any,
    *,
    form: str = "linear",
    reduction: str = "none",
    sample_weight: Any = None,
    eps: float = 1e-7,
    grad: bool = False,
) -> Any:
    """IoU loss of pairs of boxes: row i of ``boxes1`` with row i of ``boxes2``.

    Parameters
    ----------
    grad : bool, default False
        Return ``(loss, (grad_boxes1, grad_boxes2))``.

    Examples
    --------
    >>> import losskit
    >>> loss, (grad1, grad2) = losskit.box_iou_loss([[0, 0, 2, 2]], [[1, 1, 3, 4]], grad=True)
    >>> loss.round(7).tolist(), grad1.round(7).tolist()
    ([0.8888889], [[-0.0246914, -0.0246914, -0.0987654, -0.0987654]])
    """
    return _box_loss(
        "box_iou_loss", boxes1, boxes2, form, eps=eps, reduction=reduction, sample_weight=sample_weight, grad=grad
    )


@documented
def generalized_box_iou_loss(
    boxes1: Any,
    boxes2: Any,
    *,
    reduction: str = "none",
    sample_weight: Any = None,
    eps: float = 1e-7,
    grad: bool = False,
) -> Any:
    """Generalized-IoU loss of pairs of boxes.

    Parameters
    ----------
    grad : bool, default False
        Return ``(loss, (grad_boxes1, grad_boxes2))``.

    Examples
    --------
    >>> import losskit
    >>> losskit.generalized_box_iou_loss([[0, 0, 2, 2]], [[1, 1, 3, 4]]).round(6).tolist()
    [1.138889]
    """
    return _box_loss(
        "generalized_box_iou_loss", boxes1, boxes2,
        eps=eps, reduction=reduction, sample_weight=sample_weight, grad=grad,
    )  # fmt: skip


@documented
def distance_box_iou_loss(
    boxes1: Any,
    boxes2: Any,
    *,
    reduction: str = "none",
    sample_weight: Any = None,
    eps: float = 1e-7,
    grad: bool = False,
) -> Any:
    """Distance-IoU loss of pairs of boxes.

    Parameters
    ----------
    grad : bool, default False
        Return ``(loss, (grad_boxes1, grad_boxes2))``.

    Examples
    --------
    >>> import losskit
    >>> losskit.distance_box_iou_loss([[0, 0, 2, 2]], [[1, 1, 3, 4]]).round(6).tolist()
    [1.018889]
    """
    return _box_loss(
        "distance_box_iou_loss", boxes1, boxes2, eps=eps, reduction=reduction, sample_weight=sample_weight, grad=grad
    )


@documented
def complete_box_iou_loss(
    boxes1: Any,
    boxes2: Any,
    *,
    reduction: str = "none",
    sample_weight: Any = None,
    eps: float = 1e-7,
    grad: bool = False,
) -> Any:
    """Complete-IoU loss of pairs of boxes.

    Parameters
    ----------
    grad : bool, default False
        Return ``(loss, (grad_boxes1, grad_boxes2))``.

    Examples
    --------
    >>> import losskit
    >>> losskit.complete_box_iou_loss([[0, 0, 2, 2]], [[1, 1, 3, 4]]).round(6).tolist()
    [1.019165]
    """
    return _box_loss(
        "complete_box_iou_loss", boxes1, boxes2, eps=eps, reduction=reduction, sample_weight=sample_weight, grad=grad
    )


@documented
def efficient_box_iou_loss(
    boxes1: Any,
    boxes2: Any,
    *,
    gamma: float = 0.0,
    reduction: str = "none",
    sample_weight: Any = None,
    eps: float = 1e-7,
    grad: bool = False,
) -> Any:
    """Efficient-IoU loss of pairs of boxes; with ``gamma`` > 0 its focal form.

    Parameters
    ----------
    grad : bool, default False
        Return ``(loss, (grad_boxes1, grad_boxes2))``.

    Examples
    --------
    >>> import losskit
    >>> losskit.efficient_box_iou_loss([[0, 0, 2, 2]], [[1, 1, 3, 4]], gamma=0.5).round(6).tolist()
    [0.360463]
    """
    return _box_loss(
        "efficient_box_iou_loss", boxes1, boxes2, gamma,
        eps=eps, reduction=reduction, sample_weight=sample_weight, grad=grad,
    )  # fmt: skip


@documented
def scylla_box_iou_loss(
    boxes1: Any,
    boxes2: Any,
    *,
    theta: float = 4.0,
    reduction: str = "none",
    sample_weight: Any = None,
    eps: float = 1e-7,
    grad: bool = False,
) -> Any:
    """SIoU loss of pairs of boxes.

    Parameters
    ----------
    grad : bool, default False
        Return ``(loss, (grad_boxes1, grad_boxes2))``.

    Examples
    --------
    >>> import losskit
    >>> losskit.scylla_box_iou_loss([[0, 0, 2, 2]], [[1, 1, 3, 4]]).round(6).tolist()
    [1.018772]
    """
    return _box_loss(
        "scylla_box_iou_loss", boxes1, boxes2, theta,
        eps=eps, reduction=reduction, sample_weight=sample_weight, grad=grad,
    )  # fmt: skip


@documented
def alpha_box_iou_loss(
    boxes1: Any,
    boxes2: Any,
    *,
    variant: str = "iou",
    alpha: float = 3.0,
    reduction: str = "none",
    sample_weight: Any = None,
    eps: float = 1e-7,
    grad: bool = False,
) -> Any:
    """α-IoU loss of pairs of boxes.

    Parameters
    ----------
    grad : bool, default False
        Return ``(loss, (grad_boxes1, grad_boxes2))``.

    Examples
    --------
    >>> import losskit
    >>> losskit.alpha_box_iou_loss([[0, 0, 2, 2]], [[1, 1, 3, 4]], variant="ciou").round(6).tolist()
    [1.000825]
    """
    return _box_loss(
        "alpha_box_iou_loss", boxes1, boxes2, variant, alpha,
        eps=eps, reduction=reduction, sample_weight=sample_weight, grad=grad,
    )  # fmt: skip


@documented
def distribution_focal_loss(
    logits: Any, target: Any, *, reduction: str = "mean", sample_weight: Any = None, grad: bool = False
) -> Any:
    """Distribution focal loss: cross-entropy of a distribution over bins with a real number as target.

    Parameters
    ----------
    logits : array_like
        The bins are the last axis.
    target : array_like
        The shape of `logits` without the last axis.

    Examples
    --------
    >>> import losskit
    >>> float(losskit.distribution_focal_loss([[0, 1, 2]], [0.25]).round(6))
    2.157606
    """
    name = "distribution_focal_loss"
    dtype, logits = as_reals(name, logits)
    target, sample_weight = as_reals_like(name, dtype, target, sample_weight)
    rows = logits.shape[:-1]
    check_shape(name, "target", target, rows)
    check_shape(name, "sample_weight", sample_weight, rows)
    check_reduction(name, reduction)
    bins = logits.shape[-1] if logits.ndim else 0
    loss = empty(rows if reduction == "none" else (), dtype)
    gradient = empty(logits.shape, dtype) if grad else None
    call(name, dtype, logits, target, target.size, bins, reduction, sample_weight, loss, gradient)
    return (scalar(loss), gradient) if grad else scalar(loss)


@documented
def quality_focal_loss(
    logits: Any,
    target: Any,
    *,
    beta: float = 2.0,
    reduction: str = "mean",
    sample_weight: Any = None,
    grad: bool = False,
) -> Any:
    """Quality focal loss, element by element: a focal loss whose targets are qualities in [0, 1].

    Parameters
    ----------
    sample_weight : array_like, default None
        Weights along the leading axes of `logits`; 1 if absent.

    Examples
    --------
    >>> import losskit
    >>> float(losskit.quality_focal_loss([1.0], [0.3]).round(7))
    0.1882757
    """
    return element_loss(
        "quality_focal_loss", logits, target, beta, reduction=reduction, sample_weight=sample_weight, grad=grad,
        what="target",
    )  # fmt: skip
