"""From the raw outputs of a detector's head to boxes."""

import importlib.util
from pathlib import Path
from types import SimpleNamespace

import losskit
import numpy as np
from contest import Contest, compare


def agree(ours, peer):
    """The same boxes; those of nearly equal scores may come in another order."""
    (boxes, scores, labels), (their_boxes, their_scores, their_labels) = ours[:3], peer
    assert len(boxes) == len(their_boxes) > 0, f"{len(boxes)} boxes, the peer finds {len(their_boxes)}"
    one, other = np.lexsort((boxes[:, 0], labels)), np.lexsort((their_boxes[:, 0], their_labels))
    assert np.array_equal(labels[one], their_labels[other]), "the labels differ"
    np.testing.assert_allclose(scores[one], their_scores[other], rtol=1e-4)
    np.testing.assert_allclose(boxes[one], their_boxes[other], atol=0.02)


# --- PicoDet: a page of 608 × 800 pixels, as in bindings/python/examples/document_layout.py --------------------------

HEIGHT, WIDTH, CLASSES, BINS = 800, 608, 10, 8
STRIDES = (8, 16, 32, 64)
SHAPES = [(-(-HEIGHT // s), -(-WIDTH // s)) for s in STRIDES]


def picodet_heads(objects):
    """Scores and distributions by level: around each object a dozen anchors that see it, elsewhere noise."""
    rng = np.random.default_rng(0)
    scores, distributions = [], []
    for (rows, columns), stride in zip(SHAPES, STRIDES):
        score = (0.1 * rng.random((rows, columns, CLASSES)) ** 3).astype(np.float32)
        logits = rng.normal(0, 1, (rows, columns, 4, BINS)).astype(np.float32)
        for _ in range(objects * (stride in (16, 32)) // 2):
            y, x, label = rng.integers(4, rows - 4), rng.integers(4, columns - 4), rng.integers(0, CLASSES)
            for dy, dx in np.ndindex(3, 4):
                score[y + dy - 1, x + dx - 1, label] = 0.95 - 0.06 * (abs(dy - 1) + abs(dx - 1)) - 0.01 * rng.random()
                logits[y + dy - 1, x + dx - 1, np.arange(4), [2, 2, 2, 2]] += 6
        scores.append(score.reshape(1, -1, CLASSES))
        distributions.append(logits.reshape(1, -1, 4 * BINS))
    return scores, distributions


def rapid_layout():
    """The post-processing of the package, without importing what else it needs."""
    package = importlib.util.find_spec("rapid_layout")
    assert package, "rapid-layout is not installed"
    path = Path(package.submodule_search_locations[0], "model_handler", "pp", "post_process.py")
    spec = importlib.util.spec_from_file_location("rapid_layout_post_process", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.PPPostProcess


@compare(
    "Detection", "PicoDet head, 10 105 anchors, {} objects, to boxes", ((20,), (50,)),
    peer="rapid-layout (NumPy)", needs=["gfl_postprocess"], target=10,
)  # fmt: skip
def picodet(objects):
    scores, distributions = picodet_heads(objects)
    points, strides = losskit.grid_points(SHAPES, STRIDES)
    image = np.zeros((1, 3, HEIGHT, WIDTH), np.float32)
    their_process = rapid_layout()([str(label) for label in range(CLASSES)])

    def ours():
        return losskit.gfl_postprocess(
            [score[0] for score in scores], [logits[0] for logits in distributions], points, strides, reg_max=BINS - 1,
            activation="none", score_threshold=0.4, iou_threshold=0.5, max_detections=1000,
        )  # fmt: skip

    def theirs():
        boxes, their_scores, labels = their_process((HEIGHT, WIDTH), image, [*scores, *distributions])
        return np.array(boxes), np.array(their_scores), np.array(labels, np.int64)

    return Contest(ours, theirs, agree)


# --- torchvision's models --------------------------------------------------------------------------------------------


def retinanet_heads(classes):
    """An image of 400 × 400 pixels: five levels of nine anchors a cell."""
    rng = np.random.default_rng(0)
    shapes, strides = [(s, s) for s in (50, 25, 13, 7, 4)], (8, 16, 32, 64, 128)
    points, steps = (np.repeat(x, 9, 0) for x in losskit.grid_points(shapes, strides))
    half = steps[:, None] * rng.uniform(1, 3, (len(points), 2)).astype(np.float32)
    anchors = np.concatenate([points - half, points + half], 1)
    logits = rng.normal(-7, 1.3, (len(points), classes)).astype(np.float32)
    deltas = rng.normal(0, 0.2, (len(points), 4)).astype(np.float32)
    return logits, deltas, anchors, [9 * rows * columns for rows, columns in shapes]


@compare(
    "Detection", "RetinaNet head, 30 321 anchors, {} classes, to boxes", ((91,),), peer="torchvision",
    needs=["retinanet_postprocess"],
)  # fmt: skip
def retinanet(classes):
    import torch
    from torchvision.models.detection import RetinaNet, _utils

    logits, deltas, anchors, sizes = retinanet_heads(classes)
    split = lambda x: [torch.from_numpy(part)[None] for part in np.split(x, np.cumsum(sizes)[:-1])]  # noqa: E731
    outputs = {"cls_logits": split(logits), "bbox_regression": split(deltas)}
    theirs = [[part[0] for part in split(anchors)]]
    model = SimpleNamespace(
        score_thresh=0.05, topk_candidates=1000, nms_thresh=0.5, detections_per_img=300,
        box_coder=_utils.BoxCoder(weights=(1.0, 1.0, 1.0, 1.0)),
    )  # fmt: skip

    def peer():
        found = RetinaNet.postprocess_detections(model, outputs, theirs, [(400, 400)])[0]
        return tuple(found[key].numpy() for key in ("boxes", "scores", "labels"))

    return Contest(
        lambda: losskit.retinanet_postprocess(logits, deltas, anchors, level_sizes=sizes, image_size=(400, 400)),
        peer, agree,
    )  # fmt: skip
