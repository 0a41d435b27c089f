"""Boxes and masks: conversion, areas, overlap."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._box_arrays import box_rows
from ._core import as_reals, call, documented

__all__ = [
    "box_iou",
]


@documented
def box_iou(boxes1: Any, boxes2: Any, *, offset: float = 0.0) -> np.ndarray:
    """Intersection over union of every box of one list with every box of another.

    Examples
    --------
    >>> import losskit
    >>> losskit.box_iou([[0, 0, 2, 2]], [[1, 1, 3, 4], [5, 5, 6, 6]]).round(7).tolist()
    [[0.1111111, 0.0]]
    """
    dtype, boxes1, boxes2 = as_reals("box_iou", boxes1, boxes2)
    boxes1, boxes2 = box_rows("box_iou", "boxes1", boxes1), box_rows("box_iou", "boxes2", boxes2)
    iou = np.empty((len(boxes1), len(boxes2)), dtype)
    call("box_iou", dtype, boxes1, boxes2, len(boxes1), len(boxes2), offset, iou)
    return iou
