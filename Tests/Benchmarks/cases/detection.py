"""Non-maximum suppression, hard and soft, on random boxes and on layouts that defeat the usual short cuts."""

import losskit
import numpy as np
from contest import Contest, compare


def random_boxes(count, seed=0):
    """Centres uniform in 1000 × 1000, sides 10 to 100; corners, float32."""
    rng = np.random.default_rng(seed + count)
    centres, sides = rng.uniform(0, 1000, (count, 2)), rng.uniform(10, 100, (count, 2))
    return np.concatenate([centres - sides / 2, centres + sides / 2], 1).astype(np.float32), scores(count)


def scores(count):
    """Distinct scores, so that contestants cannot differ in the order of equals."""
    return (np.random.default_rng(count).permutation(count) + 1).astype(np.float32) / np.float32(count + 1)


def identical(ours, peer):
    assert np.array_equal(np.asarray(ours), np.asarray(peer)), f"{len(ours)} boxes kept, the peer keeps {len(peer)}"


def almost_identical(ours, peer):
    """OpenCV computes overlaps from (x, y, width, height), rounded otherwise: a few boxes may fall on the other side."""
    ours, peer = set(np.asarray(ours).tolist()), set(np.asarray(peer).ravel().tolist())
    assert len(ours ^ peer) <= max(2, len(peer) // 1000), f"{len(ours ^ peer)} of {len(peer)} boxes differ"


def against_torchvision(boxes, scores):
    import torch
    import torchvision

    tensors = torch.from_numpy(boxes), torch.from_numpy(scores)
    return Contest(
        lambda: losskit.nms(boxes, scores, iou_threshold=0.5), lambda: torchvision.ops.nms(*tensors, 0.5), identical
    )


@compare(
    "Detection", "NMS, {} random boxes", ((1000,), (10_000,), (50_000,)),
    peer="torchvision", needs=["nms"], target=(20, 100, 200),
)  # fmt: skip
def random_nms(count):
    return against_torchvision(*random_boxes(count))


@compare("Detection", "NMS, {} random boxes", ((1000,), (10_000,)), peer="OpenCV", needs=["cv_nms_boxes"])
def random_nms_opencv(count):
    import cv2

    boxes, values = random_boxes(count)
    rectangles = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1).astype(np.float64)
    return Contest(
        lambda: losskit.cv_nms_boxes(rectangles, values, score_threshold=0.0, nms_threshold=0.5),
        lambda: cv2.dnn.NMSBoxes(rectangles, values, 0.0, 0.5),
        almost_identical,
    )


@compare("Detection", "NonMaxSuppression, {} boxes, {} classes", ((1000, 80),), peer="onnxruntime",
         needs=["onnx_non_max_suppression"])  # fmt: skip
def onnx_nms(count, classes):
    import onnxruntime
    from onnx_model import operator_on

    boxes = random_boxes(count)[0][None]
    values = np.stack([np.random.default_rng(label).permutation(scores(count)) for label in range(classes)])[None]
    limits = np.array([100]), np.array([0.5], np.float32), np.array([0.05], np.float32)
    inputs = {f"x{index}": array for index, array in enumerate((boxes, values, *limits))}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    model = operator_on("NonMaxSuppression", inputs.values(), "int64", 2)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return Contest(
        lambda: losskit.onnx_non_max_suppression(
            boxes, values, max_output_boxes_per_class=100, iou_threshold=0.5, score_threshold=0.05
        ),
        lambda: session.run(None, inputs)[0],
        identical,
    )


@compare(
    "Detection", "NMS, {} random boxes", ((1_000_000,),), peer="a clock of 2 s", needs=["nms"], target=1
)  # fmt: skip
def million_nms(count):
    """Peers would take hours: the peer is a clock that waits for two seconds."""
    import time

    boxes, values = random_boxes(count)
    return Contest(
        lambda: losskit.nms(boxes, values, iou_threshold=0.5), lambda: time.sleep(2), lambda ours, peer: None
    )


def nested(count):
    """One centre, sides from 1000 down to a thousandth: all boxes overlap."""
    half = (500 * 10 ** np.linspace(0, -6, count))[:, None]
    return np.concatenate([500 - half, 500 - half, 500 + half, 500 + half], 1)


def crossed(count):
    """Long thin boxes, half of them lying, half standing: each meets half of the others, none is suppressed."""
    lines = np.linspace(0, 1000, count // 2)
    zero, full = np.zeros_like(lines), np.full_like(lines, 1000)
    lying = np.stack([zero, lines, full, lines + 0.3], 1)
    return np.concatenate([lying, lying[:, [1, 0, 3, 2]]])


def stacked(count):
    """All the same box but for a hair: one is kept."""
    return np.array([100, 100, 200, 200]) + np.random.default_rng(0).uniform(0, 1, (count, 4))


def giants(count):
    """Small boxes side by side, and giants that cover them all."""
    side = int(np.ceil(np.sqrt(count)))
    corner = np.stack(np.meshgrid(np.arange(side), np.arange(side)), -1).reshape(-1, 2)[:count] * 10.0
    boxes = np.concatenate([corner, corner + 8], 1)
    boxes[::100] = [0, 0, side * 10, side * 10]
    return boxes


def one_giant(count):
    """Small boxes side by side under one that covers them all."""
    boxes = giants(count)
    boxes[::100] = boxes[1]
    boxes[0] = boxes[:, [0, 1, 2, 3]].max(0) * [0, 0, 1, 1]
    return boxes


def disjoint(count):
    """Small boxes side by side: all are kept."""
    boxes = giants(count)
    boxes[::100] = boxes[1::100] + [0, -0.5, 0, -0.5]
    return boxes


def alike(count):
    return np.tile([100.0, 100.0, 200.0, 200.0], (count, 1))


def outliers(count):
    """A crowd within 100 × 100, and a few boxes very far away."""
    boxes = random_boxes(count)[0] / 10
    boxes[:3] += np.array([[1e6], [-1e6], [1e5]])
    return boxes


def all_scales(count):
    """Sides from 1 to 1000, each scale as frequent as the others."""
    rng = np.random.default_rng(count)
    centres, half = rng.uniform(0, 1000, (count, 2)), 0.5 * 10 ** rng.uniform(0, 3, (count, 2))
    return np.concatenate([centres - half, centres + half], 1)


LAYOUTS = {
    "nested": nested,
    "crossed": crossed,
    "stacked": stacked,
    "alike": alike,
    "disjoint": disjoint,
    "one giant": one_giant,
    "giants among small": giants,
    "far outliers": outliers,
    "all scales": all_scales,
}


@compare(
    "Detection", "NMS, {1} boxes, {0}", tuple((layout, 10_000) for layout in LAYOUTS),
    peer="torchvision", needs=["nms"], target=1,
)  # fmt: skip
def adversarial_nms(layout, count):
    return against_torchvision(LAYOUTS[layout](count).astype(np.float32), scores(count))


@compare(
    "Detection", "batched NMS, {} boxes, {} classes", ((10_000, 80), (10_000, 10_000)),
    peer="torchvision", needs=["batched_nms"], target=(50, 1),
)  # fmt: skip
def batched_nms(count, classes):
    """With so many boxes torchvision takes its loop over classes, which is the faster of its two ways here."""
    import torch
    import torchvision

    boxes, values = random_boxes(count)
    labels = np.random.default_rng(1).integers(0, classes, count)
    tensors = [torch.from_numpy(x) for x in (boxes, values, labels)]
    return Contest(
        lambda: losskit.batched_nms(boxes, values, labels, iou_threshold=0.5),
        lambda: torchvision.ops.batched_nms(*tensors, 0.5),
        almost_identical,
    )


@compare(
    "Detection", "Soft-NMS ({1}), {0} random boxes", ((1000, "gaussian"), (1000, "linear")),
    peer="OpenCV", needs=["soft_nms"], target=30,
)  # fmt: skip
def soft_nms(count, method):
    import cv2

    boxes, values = random_boxes(count)
    rectangles = np.concatenate([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], 1).astype(np.int32)
    boxes = np.concatenate([rectangles[:, :2], rectangles[:, :2] + rectangles[:, 2:]], 1).astype(np.float32)
    mode = getattr(cv2.dnn, f"SOFT_NMSMETHOD_SOFTNMS_{method.upper()}", None)
    if mode is None:
        mode = getattr(cv2.dnn, f"SoftNMSMethod_SOFTNMS_{method.upper()}")

    def agree(ours, peer):
        """OpenCV's order of equals and rounding are its own: the numbers kept and the scores have to match closely."""
        indices, updated = ours
        theirs = dict(zip(np.asarray(peer[1]).ravel().tolist(), np.asarray(peer[0]).ravel().tolist()))
        assert abs(len(indices) - len(theirs)) <= len(theirs) // 50, f"{len(indices)} kept, the peer keeps {len(theirs)}"
        gaps = [abs(theirs[i] - s) for i, s in zip(np.asarray(indices).tolist(), updated) if i in theirs]
        assert np.median(gaps) < 1e-3, f"scores differ by {np.median(gaps):.2g}"

    return Contest(
        lambda: losskit.soft_nms(boxes, values, method=method, iou_threshold=0.3, sigma=0.5, score_threshold=0.001),
        lambda: cv2.dnn.softNMSBoxes(rectangles, values, 0.001, 0.3, sigma=0.5, method=mode),
        agree,
    )


@compare(
    "Detection", "Soft-NMS (gaussian), {} random boxes, of 15 hard NMS", ((10_000,),), peer="LossKit's nms, 15 times",
    needs=["nms", "soft_nms"], target=1,
)  # fmt: skip
def soft_nms_against_hard(count):
    boxes, values = random_boxes(count)

    def hard():
        for _ in range(15):
            losskit.nms(boxes, values, iou_threshold=0.5)

    return Contest(
        lambda: losskit.soft_nms(boxes, values, method="gaussian"), hard, lambda ours, peer: None
    )
