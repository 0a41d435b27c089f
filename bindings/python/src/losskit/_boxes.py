"""Boxes and masks: conversion, areas, overlap."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._box_arrays import Count, box_rows
from ._core import as_array, as_reals, call, check_shape, documented, empty, fail

__all__ = [
    "box_area",
    "box_convert",
    "box_convert_vjp",
    "box_iou",
    "box_iou_rotated",
    "clip_boxes_to_image",
    "complete_box_iou",
    "distance_box_iou",
    "generalized_box_iou",
    "mask_iou",
    "masks_to_boxes",
    "remove_small_boxes",
]


@documented
def box_convert(boxes: Any, *, in_fmt: str, out_fmt: str) -> np.ndarray:
    """Boxes in another format.

    Examples
    --------
    >>> import losskit
    >>> losskit.box_convert([[1, 2, 5, 8]], in_fmt="xyxy", out_fmt="cxcywh").tolist()
    [[3.0, 5.0, 4.0, 6.0]]
    """
    return _mapped("box_convert", "boxes", boxes, in_fmt, out_fmt)


@documented
def box_convert_vjp(grad_output: Any, *, in_fmt: str, out_fmt: str) -> np.ndarray:
    """Vector-Jacobian product of :func:`box_convert`, which is the same for all boxes.

    Examples
    --------
    >>> import losskit
    >>> losskit.box_convert_vjp([[1, 2, 5, 8]], in_fmt="xyxy", out_fmt="cxcywh").tolist()
    [[-4.5, -7.0, 5.5, 9.0]]
    """
    return _mapped("box_convert_vjp", "grad_output", grad_output, in_fmt, out_fmt)


@documented
def box_area(boxes: Any, *, fmt: str = "xyxy") -> np.ndarray:
    """Areas of boxes.

    Examples
    --------
    >>> import losskit
    >>> losskit.box_area([[1, 2, 5, 8]]).tolist()
    [24.0]
    """
    dtype, boxes = as_reals("box_area", boxes)
    boxes = box_rows("box_area", "boxes", boxes)
    area = empty((len(boxes),), dtype)
    call("box_area", dtype, boxes, len(boxes), fmt, area)
    return area


@documented
def box_iou(boxes1: Any, boxes2: Any, *, offset: float = 0.0) -> np.ndarray:
    """Intersection over union of every box of one list with every box of another.

    Examples
    --------
    >>> import losskit
    >>> losskit.box_iou([[0, 0, 2, 2]], [[1, 1, 3, 4], [5, 5, 6, 6]]).round(7).tolist()
    [[0.1111111, 0.0]]
    """
    return _pairs("box_iou", boxes1, boxes2, offset)


@documented
def generalized_box_iou(boxes1: Any, boxes2: Any) -> np.ndarray:
    """Generalized IoU of every box of one list with every box of another.

    Examples
    --------
    >>> import losskit
    >>> losskit.generalized_box_iou([[0, 0, 2, 2]], [[1, 1, 3, 4], [5, 5, 6, 6]]).round(7).tolist()
    [[-0.1388889, -0.8611111]]
    """
    return _pairs("generalized_box_iou", boxes1, boxes2)


@documented
def distance_box_iou(boxes1: Any, boxes2: Any, *, eps: float = 1e-7) -> np.ndarray:
    """Distance IoU of every box of one list with every box of another.

    Examples
    --------
    >>> import losskit
    >>> losskit.distance_box_iou([[0, 0, 2, 2]], [[1, 1, 3, 4], [5, 5, 6, 6]]).round(6).tolist()
    [[-0.018889, -0.5625]]
    """
    return _pairs("distance_box_iou", boxes1, boxes2, eps)


@documented
def complete_box_iou(boxes1: Any, boxes2: Any, *, eps: float = 1e-7) -> np.ndarray:
    """Complete IoU of every box of one list with every box of another.

    Examples
    --------
    >>> import losskit
    >>> losskit.complete_box_iou([[0, 0, 2, 2]], [[1, 1, 3, 4], [5, 5, 6, 6]]).round(6).tolist()
    [[-0.019165, -0.5625]]
    """
    return _pairs("complete_box_iou", boxes1, boxes2, eps)


@documented
def box_iou_rotated(
    boxes1: Any, boxes2: Any, *, mode: str = "iou", aligned: bool = False, clockwise: bool = True
) -> np.ndarray:
    """Overlap of rotated boxes (cx, cy, w, h, θ): every box of one list with every box of another, or ``aligned`` pairs.

    Examples
    --------
    >>> import losskit
    >>> losskit.box_iou_rotated([[5, 5, 4, 2, 0.5235988]], [[5, 5, 4, 2, 0]]).round(7).tolist()
    [[0.6233097]]
    """
    name = "box_iou_rotated"
    dtype, boxes1, boxes2 = as_reals(name, boxes1, boxes2)
    boxes1, boxes2 = box_rows(name, "boxes1", boxes1, 5), box_rows(name, "boxes2", boxes2, 5)
    if aligned:
        check_shape(name, "boxes2", boxes2, boxes1.shape)
    overlaps = empty((len(boxes1),) if aligned else (len(boxes1), len(boxes2)), dtype)
    call(name, dtype, boxes1, boxes2, len(boxes1), len(boxes2), mode, aligned, clockwise, overlaps)
    return overlaps


@documented
def mask_iou(masks1: Any, masks2: Any) -> np.ndarray:
    """Intersection over union of every mask of one list with every mask of another.

    Parameters
    ----------
    masks1 : array_like
        Bool, shape (N, height, width).
    masks2 : array_like
        Bool, shape (M, height, width).

    Examples
    --------
    >>> import losskit
    >>> losskit.mask_iou([[[1, 1, 0]]], [[[0, 1, 1]], [[1, 1, 0]]]).round(7).tolist()
    [[0.3333333, 1.0]]
    """
    masks1, masks2 = _masks("mask_iou", "masks1", masks1), _masks("mask_iou", "masks2", masks2)
    if masks1.shape[1:] != masks2.shape[1:] and len(masks1) and len(masks2):
        raise fail("INVALID_SHAPE", "mask_iou", f"masks of shape {masks1.shape[1:]} and {masks2.shape[1:]}")
    pixels = masks1.shape[1] * masks1.shape[2]
    iou = np.empty((len(masks1), len(masks2)))
    call("mask_iou", iou.dtype, masks1, masks2, len(masks1), len(masks2), pixels, iou)
    return iou


@documented
def masks_to_boxes(masks: Any) -> np.ndarray:
    """The box around each mask: first column, first row, last column, last row, inclusive.

    Parameters
    ----------
    masks : array_like
        Bool, shape (N, height, width).

    Examples
    --------
    >>> import losskit
    >>> losskit.masks_to_boxes([[[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1]]]).tolist()
    [[1.0, 1.0, 3.0, 2.0]]
    """
    masks = _masks("masks_to_boxes", "masks", masks)
    boxes = np.empty((len(masks), 4))
    call("masks_to_boxes", boxes.dtype, masks, *masks.shape, boxes)
    return boxes


@documented
def clip_boxes_to_image(boxes: Any, *, height: float, width: float) -> np.ndarray:
    """Boxes clipped to an image.

    Examples
    --------
    >>> import losskit
    >>> losskit.clip_boxes_to_image([[-1, 2, 9, 8]], height=5, width=6).tolist()
    [[0.0, 2.0, 6.0, 5.0]]
    """
    return _mapped("clip_boxes_to_image", "boxes", boxes, height, width)


@documented
def remove_small_boxes(boxes: Any, *, min_size: float) -> np.ndarray:
    """Indices of the boxes that have both sides at least ``min_size`` long.

    Examples
    --------
    >>> import losskit
    >>> losskit.remove_small_boxes([[0, 0, 1, 9], [0, 0, 2, 3]], min_size=2).tolist()
    [1]
    """
    dtype, boxes = as_reals("remove_small_boxes", boxes)
    boxes = box_rows("remove_small_boxes", "boxes", boxes)
    n, kept = len(boxes), Count()
    keep = np.empty(n, np.int64)
    call("remove_small_boxes", dtype, boxes, n, min_size, keep, n, kept.address)
    return keep[:kept].copy()


def _mapped(name: str, what: str, boxes: Any, *parameters: Any) -> np.ndarray:
    dtype, boxes = as_reals(name, boxes)
    boxes = box_rows(name, what, boxes)
    output = empty(boxes.shape, dtype)
    call(name, dtype, boxes, len(boxes), *parameters, output)
    return output


def _pairs(name: str, boxes1: Any, boxes2: Any, *parameters: float) -> np.ndarray:
    dtype, boxes1, boxes2 = as_reals(name, boxes1, boxes2)
    boxes1, boxes2 = box_rows(name, "boxes1", boxes1), box_rows(name, "boxes2", boxes2)
    matrix = empty((len(boxes1), len(boxes2)), dtype)
    call(name, dtype, boxes1, boxes2, len(boxes1), len(boxes2), *parameters, matrix)
    return matrix


def _masks(name: str, what: str, masks: Any) -> np.ndarray:
    """Masks of any real type as bytes, shape (n, height, width); an empty list is no masks."""
    masks = as_array(masks, name)
    if masks.dtype.kind not in "fiub":
        raise fail("INVALID_VALUE", name, f"an array of {masks.dtype} where masks are wanted")
    if masks.size == 0 and masks.ndim == 1:
        masks = masks.reshape(0, 0, 0)
    if masks.ndim != 3:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {masks.shape}, expected (n, height, width)")
    if masks.dtype != np.uint8:
        masks = masks.astype(bool, copy=False)
    return np.ascontiguousarray(masks).view(np.uint8)
