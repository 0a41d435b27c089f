"""Matrices of overlaps, upright and rotated, and suppression of rotated boxes."""

import losskit
import numpy as np
from contest import Contest, close, compare


def corners(count):
    """Centres uniform in 1000 × 1000, sides 10 to 100; float32."""
    rng = np.random.default_rng(count)
    centres, sides = rng.uniform(0, 1000, (count, 2)), rng.uniform(10, 100, (count, 2))
    return np.concatenate([centres - sides / 2, centres + sides / 2], 1).astype(np.float32)


@compare("Boxes", "IoU matrix, {0}×{0} boxes", ((2000,),), peer="torchvision", needs=["box_iou"], target=3)
def box_iou(count):
    return against_torchvision("box_iou", count)


@compare("Boxes", "IoU matrix, {0}×{0} boxes, and a copy", ((2000,),), peer="NumPy copy", needs=["box_iou"], target=0.5)
def box_iou_of_bandwidth(count):
    """Against a copy of the matrix, into memory that is as fresh: its bandwidth."""
    boxes = corners(count)
    matrix = losskit.box_iou(boxes, boxes)
    return Contest(lambda: losskit.box_iou(boxes, boxes), matrix.copy, close(0))


@compare(
    "Boxes", "generalized IoU matrix, {0}×{0} boxes", ((2000,),), peer="torchvision", needs=["generalized_box_iou"]
)
def generalized_box_iou(count):
    return against_torchvision("generalized_box_iou", count)


@compare("Boxes", "complete IoU matrix, {0}×{0} boxes", ((2000,),), peer="torchvision", needs=["complete_box_iou"])
def complete_box_iou(count):
    return against_torchvision("complete_box_iou", count)


def against_torchvision(name, count):
    import torch
    import torchvision

    boxes = corners(count)
    tensor = torch.from_numpy(boxes)
    ours, peer = getattr(losskit, name), getattr(torchvision.ops, name)
    return Contest(lambda: ours(boxes, boxes), lambda: peer(tensor, tensor), close(1e-5))


@compare("Boxes", "IoU matrix, {0}×{0} rotated boxes", ((500,),), peer="torchvision", needs=["box_iou_rotated"])
def box_iou_rotated(count):
    import torch
    import torchvision  # noqa: F401

    boxes = corners(count)
    boxes[:, :2], boxes[:, 2:] = (boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]
    angles = np.random.default_rng(0).uniform(-3, 3, count).astype(np.float32)
    radians, degrees = (np.column_stack([boxes, x]).astype(np.float32) for x in (angles, np.degrees(angles)))
    tensor = torch.from_numpy(degrees)
    return Contest(
        lambda: losskit.box_iou_rotated(radians, radians, clockwise=False),
        lambda: torch.ops.torchvision.box_iou_rotated(tensor, tensor),
        close(1e-3),  # torchvision's is computed in single precision
    )


@compare("Boxes", "boxes around {0} masks of 480×640", ((100,),), peer="torchvision", needs=["masks_to_boxes"])
def masks_to_boxes(count):
    import torch
    import torchvision

    masks = np.zeros((count, 480, 640), bool)
    for mask, (left, top) in zip(masks, np.random.default_rng(0).integers(0, 400, (count, 2))):
        mask[top : top + 60, left : left + 100] = True
    tensor = torch.from_numpy(masks)
    return Contest(lambda: losskit.masks_to_boxes(masks), lambda: torchvision.ops.masks_to_boxes(tensor), close(0))
