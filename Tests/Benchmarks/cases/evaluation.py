"""The COCO evaluation of a synthetic set the size of COCO's validation set."""

import contextlib
import io

import losskit
import numpy as np
from contest import MODULES, Contest, compare

MODULES["pycocotools"] = ("pycocotools",)


def synthetic_set(images, classes):
    """About 7 objects an image, 3 detections near each, and 20 strays an image; boxes on whole pixels."""
    rng = np.random.default_rng(images)
    where = np.repeat(np.arange(images), rng.poisson(7, images))
    extent = np.exp(rng.normal(4, 1, (len(where), 2))).clip(4, 500)
    corner = rng.uniform(0, 600, extent.shape)
    truth, labels = np.concatenate([corner, corner + extent], 1).round(), rng.integers(0, classes, len(where))
    near = truth.repeat(3, 0) + rng.normal(0, 0.08, (3 * len(where), 4)) * np.tile(extent, 2).repeat(3, 0)
    near[:, 2:] = np.maximum(near[:, 2:], near[:, :2] + 1)
    corner = rng.uniform(0, 600, (20 * images, 2))
    stray = np.concatenate([corner, corner + np.exp(rng.normal(4, 1, corner.shape))], 1)
    found = np.concatenate([near, stray]).round()
    found_labels = np.concatenate([labels.repeat(3), rng.integers(0, classes, len(stray))])
    found_where = np.concatenate([where.repeat(3), rng.integers(0, images, len(stray))])
    order = np.argsort(found_where, kind="stable")
    detections = found[order], rng.random(len(found)), found_labels[order], found_where[order]
    return detections, (truth, labels, where), rng.random(len(where)) < 0.02


def as_coco(boxes, labels, images, extra, classes):
    from pycocotools.coco import COCO

    coco = COCO()
    coco.dataset = {
        "images": [{"id": i} for i in range(int(images.max()) + 1)],
        "categories": [{"id": k} for k in range(classes)],
        "annotations": [
            {"id": i + 1, "image_id": image, "category_id": label, "area": (x2 - x1) * (y2 - y1),
             "bbox": [x1, y1, x2 - x1, y2 - y1], **more}
            for i, ((x1, y1, x2, y2), label, image, more) in enumerate(
                zip(boxes.tolist(), labels.tolist(), images.tolist(), extra))
        ],
    }  # fmt: skip
    coco.createIndex()
    return coco


@compare(
    "Detection", "COCO evaluation, {} images, {} classes", ((200, 20), (5000, 80)),
    peer="pycocotools", needs=["coco_eval"], target=20,
)  # fmt: skip
def coco_eval(images, classes):
    from pycocotools.cocoeval import COCOeval

    detections, truths, crowd = synthetic_set(images, classes)
    boxes, scores, labels, where = detections
    with contextlib.redirect_stdout(io.StringIO()):
        truth = as_coco(*truths, [{"iscrowd": int(c)} for c in crowd], classes)
        found = as_coco(boxes, labels, where, [{"score": s, "iscrowd": 0} for s in scores.tolist()], classes)

    def peer():
        with contextlib.redirect_stdout(io.StringIO()):
            evaluation = COCOeval(truth, found, "bbox")
            evaluation.evaluate()
            evaluation.accumulate()
            evaluation.summarize()
        return evaluation.stats, evaluation.eval["precision"], evaluation.eval["recall"]

    def agree(ours, theirs):
        np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-12)
        for one, other in zip(ours[1:], theirs[1:]):
            np.testing.assert_array_equal(one, other)

    return Contest(
        lambda: losskit.coco_eval(*detections, *truths, num_classes=classes, gt_crowd=crowd), peer, agree
    )
