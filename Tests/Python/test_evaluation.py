"""Average precision and the COCO evaluation, against formulas written from the definition, and against pycocotools."""

import contextlib
import io
import pickle

import losskit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import RawCall, assert_error, assert_same_bits

MAX_DETS = (1, 10, 100)
AREA_RANGES = ((0, 1e10), (0, 1024), (1024, 9216), (9216, 1e10))
RECALLS = np.linspace(0, 1, 101)

# --- References ------------------------------------------------------------------------------------------------------


def reference_average_precision(scores, matched, n_gt, method):
    if n_gt == 0:
        return np.nan
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    hits = np.asarray(matched, bool)[order]
    found, missed = np.cumsum(hits), np.cumsum(~hits)
    recall, precision = found / n_gt, found / np.maximum(found + missed, 1)
    if method == "area":
        recall = np.concatenate([[0], recall, [1]])
        precision = np.concatenate([[0], precision, [0]])
        precision = np.maximum.accumulate(precision[::-1])[::-1]
        return np.sum(np.diff(recall) * precision[1:])
    points = np.linspace(0, 1, 11 if method == "11point" else 101)
    return np.mean([np.max(precision[recall >= t], initial=0) for t in points])


@np.errstate(invalid="ignore")
def overlap(box, truth, crowd):
    width = max(0, min(box[2], truth[2]) - max(box[0], truth[0]))
    height = max(0, min(box[3], truth[3]) - max(box[1], truth[1]))
    area, other = ((b[2] - b[0]) * (b[3] - b[1]) for b in (box, truth))
    if np.isnan(area) or np.isnan(other):
        return np.nan
    whole = area if crowd else area + other - width * height
    return width * height / whole if whole else 0.0



@np.errstate(invalid="ignore")
def reference_coco(detections, truths, classes, thresholds, max_dets, ranges):
    boxes, scores, labels, images = (np.asarray(x) for x in detections)
    gt_boxes, gt_labels, gt_images, crowd, area = truths
    boxes, scores, gt_boxes = (np.asarray(x, np.float64) for x in (boxes, scores, gt_boxes))
    if crowd is None:
        crowd = np.zeros(len(gt_boxes), bool)
    if area is None:
        area = (gt_boxes[:, 2] - gt_boxes[:, 0]) * (gt_boxes[:, 3] - gt_boxes[:, 1])
    shape = len(thresholds), classes, len(ranges), len(max_dets)
    precision, recall = -np.ones((shape[0], 101, *shape[1:])), -np.ones(shape)
    for k in range(classes):
        everywhere = sorted({*images[labels == k].tolist(), *gt_images[gt_labels == k].tolist()})
        for a, (low, high) in enumerate(ranges):
            parts, n_gt = [], 0
            for image in everywhere:
                mine = np.flatnonzero((labels == k) & (images == image))
                mine = mine[np.argsort(-scores[mine], kind="stable")][: max(max_dets)]
                theirs = np.flatnonzero((gt_labels == k) & (gt_images == image))
                ignored = crowd[theirs] | (area[theirs] < low) | (area[theirs] > high)
                order = np.argsort(ignored, kind="stable")
                theirs, ignored = theirs[order], ignored[order]
                n_gt += np.sum(~ignored)
                flags = match(boxes[mine], gt_boxes[theirs], crowd[theirs], ignored, thresholds, low, high)
                parts.append((scores[mine], flags))
            if n_gt == 0:
                continue
            for m, limit in enumerate(max_dets):
                order = np.argsort(-np.concatenate([s[:limit] for s, _ in parts]), kind="stable")
                hits, counted = (np.concatenate([f[i][:, :limit] for _, f in parts], 1)[:, order] for i in (0, 1))
                for t in range(len(thresholds)):
                    found, missed = np.cumsum(hits[t]), np.cumsum(counted[t] & ~hits[t])
                    curve = found / (found + missed + np.spacing(1))
                    curve = np.maximum.accumulate(curve[::-1])[::-1]
                    first = np.searchsorted(found / n_gt, RECALLS)
                    precision[t, :, k, a, m] = np.append(curve, 0)[first]
                    recall[t, k, a, m] = found[-1] / n_gt if len(found) else 0
    widest = int(np.argmax(max_dets))
    mean = lambda x: np.mean(x[x > -1]) if (x > -1).any() else -1  # noqa: E731
    stats = [mean(precision[..., 0, widest])]
    stats += [mean(precision[np.asarray(thresholds) == t][..., 0, widest]) for t in (0.5, 0.75)]
    stats += [mean(precision[..., a, widest]) for a in range(1, len(ranges))]
    stats += [mean(recall[..., 0, m]) for m in range(len(max_dets))]
    stats += [mean(recall[..., a, widest]) for a in range(1, len(ranges))]
    return np.array(stats), precision, recall


@np.errstate(invalid="ignore")
def match(boxes, truths, crowd, ignored, thresholds, low, high):
    """Which detections of an image are true positives, and which count: two arrays [T, D]."""
    hits = np.zeros((len(thresholds), len(boxes)), bool)
    counted = np.zeros_like(hits)
    overlaps = [[overlap(box, truth, c) for truth, c in zip(truths, crowd)] for box in boxes]
    for t, threshold in enumerate(thresholds):
        taken = np.zeros(len(truths), bool)
        for d, box in enumerate(boxes):
            best, held = min(threshold, 1 - 1e-10), -1
            for g in range(len(truths)):
                if taken[g] and not crowd[g]:
                    continue
                if held >= 0 and not ignored[held] and ignored[g]:
                    break
                if overlaps[d][g] >= best:
                    best, held = overlaps[d][g], g
            if held >= 0:
                taken[held] = True
                hits[t, d] = counted[t, d] = not ignored[held]
            else:
                area = (box[2] - box[0]) * (box[3] - box[1])
                counted[t, d] = not (area < low or area > high)
    return hits, counted


# --- Data ------------------------------------------------------------------------------------------------------------


def scene(seed, images=6, classes=3, size=120, grid=4, crowd=0.15, stray=0.3):
    """Ground truths, and detections that are moved or strayed from them, on a coarse grid so that much is equal."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(0, 8 * images))
    corner = rng.integers(0, size // grid, (count, 2)) * grid
    extent = grid * rng.choice([0, 1, 2, 8, 30, -1], (count, 2), p=[0.03, 0.2, 0.25, 0.25, 0.25, 0.02])
    gt_boxes = np.concatenate([corner, corner + extent], 1).astype(float)
    gt_labels, gt_images = rng.integers(0, classes, count), rng.integers(-2, images, count) * 1000
    chosen = rng.integers(0, max(count, 1), int(rng.integers(0, 3 * count + 1)))
    boxes = gt_boxes[chosen] + rng.choice([-grid, 0, 0, 0, grid], (len(chosen), 4))
    n = len(chosen)
    labels = np.where(rng.random(n) < stray, rng.integers(0, classes, n), gt_labels[chosen])
    where = np.where(rng.random(n) < stray / 3, rng.integers(-2, images, n) * 1000, gt_images[chosen])
    scores = rng.integers(0, 12, n) / 8 if seed % 2 else rng.random(n)
    area = gt_boxes[:, 2] * 7.0 if rng.random() < 0.4 else None
    flags = rng.random(count) < crowd
    return (boxes, scores, labels, where), (gt_boxes, gt_labels, gt_images, flags, area), classes


def evaluate(detections, truths, classes, **parameters):
    boxes, labels, images, crowd, area = truths
    return losskit.coco_eval(
        *detections, boxes, labels, images, gt_crowd=crowd, gt_area=area, num_classes=classes, **parameters
    )


def assert_results(actual, expected):
    """Curves are equal; means may be summed in another order."""
    np.testing.assert_array_equal(actual[1], expected[1])
    np.testing.assert_array_equal(actual[2], expected[2])
    np.testing.assert_allclose(actual[0], expected[0], rtol=1e-12)


# --- Average precision -----------------------------------------------------------------------------------------------


def test_average_precision_examples():
    for method, expected in ("area", 0.5555556), ("11point", 0.5454545):
        actual = losskit.detection_average_precision([0.9, 0.8, 0.7, 0.6], [1, 0, 1, 0], n_gt=3, method=method)
        assert actual == pytest.approx(expected, abs=5e-8)


@pytest.mark.parametrize("method", ["area", "11point", "101point"])
@given(seed=st.integers(0, 2**32 - 1), count=st.one_of(st.integers(0, 5), st.integers(0, 300)))
def test_average_precision(method, seed, count):
    rng = np.random.default_rng(seed)
    dtype = rng.choice([np.float32, np.float64])
    scores = (rng.integers(-3, 9, count) / 4 if seed % 2 else rng.normal(size=count)).astype(dtype)
    scores[rng.random(count) < 0.05] = rng.choice([np.inf, -np.inf])
    matched = rng.random(count) < rng.random()
    n_gt = int(rng.integers(0, 2 * matched.sum() + 2))
    actual = losskit.detection_average_precision(scores, matched, n_gt=n_gt, method=method)
    assert actual.dtype == dtype
    expected = reference_average_precision(scores, matched, n_gt, method)
    np.testing.assert_allclose(actual, expected, rtol=1e-6 if dtype == np.float32 else 1e-12, atol=1e-15)


def test_average_precision_of_nothing(dtype):
    none = np.empty(0, dtype)
    assert losskit.detection_average_precision(none, [], n_gt=3) == 0
    assert np.isnan(losskit.detection_average_precision(none, [], n_gt=0))
    assert np.isnan(losskit.detection_average_precision(none.dtype.type([0.5]), [True], n_gt=0))
    assert losskit.detection_average_precision(none.dtype.type([0.5]), [False], n_gt=2) == 0


def test_refused_average_precision(dtype):
    f = losskit.detection_average_precision
    assert_error("INVALID_VALUE", f, [0.5, np.nan], [1, 0], n_gt=2)
    assert_error("INVALID_SHAPE", f, [0.5, 0.6], [1], n_gt=2)
    assert_error("INVALID_SHAPE", f, [[0.5]], [[1]], n_gt=2)
    assert_error("INVALID_PARAMETER", f, [0.5], [1], n_gt=-1)
    assert_error("INVALID_PARAMETER", f, [0.5], [1], n_gt=1, method="12point")
    call = RawCall(
        "detection_average_precision", dtype, ["average_precision"], scores=np.ones(3, dtype),
        matched=np.ones(3, np.uint8), count=3, n_gt=3, method="area", average_precision=np.empty(1, dtype),
    )  # fmt: skip
    assert call() == "OK"
    for change in {"scores": None}, {"matched": None}, {"average_precision": None}:
        assert call(**change) == "NULL_POINTER"
    assert call(count=-1) == "INVALID_SHAPE"
    for side in ("start", "end"):
        call.inside_guards(side)


# --- COCO ------------------------------------------------------------------------------------------------------------


def test_coco_example():
    stats, precision, recall = losskit.coco_eval(
        [[0, 0, 10, 10], [0, 0, 10, 9], [50, 50, 60, 60]], [0.9, 0.8, 0.7], [0] * 3, [0] * 3,
        [[0, 0, 10, 10], [50, 50, 60, 61]], [0, 0], [0, 0], num_classes=1,
    )  # fmt: skip
    expected = [0.8019802, 0.8349835, 0.8349835, 0.8019802, -1, -1, 0.5, 0.95, 0.95, 0.95, -1, -1]
    np.testing.assert_allclose(stats, expected, atol=5e-8)
    assert precision.shape == (10, 101, 1, 4, 3) and recall.shape == (10, 1, 4, 3)
    assert all(x.dtype == np.float64 for x in (stats, precision, recall))


@settings(max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_coco(seed):
    detections, truths, classes = scene(seed)
    expected = reference_coco(detections, truths, classes, np.linspace(0.5, 0.95, 10), MAX_DETS, AREA_RANGES)
    assert_results(evaluate(detections, truths, classes), expected)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_coco_with_other_parameters(seed):
    """Any number of thresholds, in any order and beyond [0, 1], of ranges and of limits; float32; NaN boxes."""
    rng = np.random.default_rng(seed)
    (boxes, *rest), (gt_boxes, *others), classes = scene(seed, images=3, crowd=rng.choice([0, 0.15, 0.7]))
    for array in boxes, gt_boxes:
        array[rng.random(array.shape) < 0.02] = rng.choice([np.nan, np.inf])
    detections, truths = (boxes.astype(np.float32), *rest), (gt_boxes.astype(np.float32), *others)
    thresholds = rng.choice([0.3, 0.5, 0.1, 0.9, 1.5, 1.0, 0.75, -0.5, 0.0, 0.5], int(rng.integers(1, 14)))
    max_dets = rng.integers(0, 6, int(rng.integers(1, 5)))
    ranges = rng.choice([0, 64, 1000, 1e4, -np.inf, np.inf], (int(rng.integers(1, 7)), 2))
    actual = evaluate(
        detections, truths, classes, iou_thresholds=thresholds, max_dets=max_dets, area_ranges=ranges
    )
    assert_results(actual, reference_coco(detections, truths, classes, thresholds, max_dets.tolist(), ranges))


def test_coco_of_many_in_one_image(rng):
    """More detections than any limit, more than 64 of a class, and more criteria than 64."""
    gt_boxes = rng.integers(0, 300, (60, 4)).astype(float)
    gt_boxes[:, 2:] = gt_boxes[:, :2] + rng.integers(1, 60, (60, 2))
    boxes = gt_boxes[rng.integers(0, 60, 400)] + rng.integers(-3, 4, (400, 4))
    detections = boxes, rng.integers(0, 50, 400) / 50, np.zeros(400, int), rng.integers(0, 2, 400)
    truths = gt_boxes, np.zeros(60, int), rng.integers(0, 2, 60), rng.random(60) < 0.1, None
    thresholds, ranges = np.linspace(0.1, 0.9, 17), [(0, 1e10), (0, 400), (400, 900), (900, 1600), (100, 1e10)]
    expected = reference_coco(detections, truths, 1, thresholds, (5, 100, 20), ranges)
    actual = evaluate(
        detections, truths, 1, iou_thresholds=thresholds, max_dets=(5, 100, 20), area_ranges=ranges
    )
    assert_results(actual, expected)


def test_coco_of_nothing():
    none = np.empty((0, 4)), [], [], []
    box, one = [[0, 0, 10, 10]], ([0], [0])
    stats, precision, recall = losskit.coco_eval(*none, np.empty((0, 4)), [], [], num_classes=2)
    assert (stats == -1).all() and (precision == -1).all() and (recall == -1).all()
    stats, precision, recall = losskit.coco_eval(*none, box, *one, num_classes=2)
    assert stats[0] == 0 and (precision[:, :, 0, 0] == 0).all() and (precision[:, :, 1] == -1).all()
    stats, _, _ = losskit.coco_eval(box, [0.5], *one, np.empty((0, 4)), [], [], num_classes=1)
    assert (stats == -1).all()
    stats, precision, _ = losskit.coco_eval(*none, np.empty((0, 4)), [], [], num_classes=0)
    assert (stats == -1).all() and precision.shape == (10, 101, 0, 4, 3)


def test_images_are_ordered_by_number():
    """Equal scores: the image with the lower number comes first, whatever the order of the detections."""
    boxes, truth = [[0, 0, 10, 10], [20, 20, 30, 30]], [[0, 0, 10, 10]]
    _, first, _ = losskit.coco_eval(boxes, [0.5, 0.5], [0, 0], [-7, 5], truth, [0], [-7], num_classes=1)
    _, second, _ = losskit.coco_eval(boxes, [0.5, 0.5], [0, 0], [7, 5], truth, [0], [7], num_classes=1)
    assert first[0, 0, 0, 0, 2] == pytest.approx(1) and second[0, 0, 0, 0, 2] == pytest.approx(0.5)


# --- pycocotools -----------------------------------------------------------------------------------------------------


def pycocotools_eval(detections, truths, classes):
    pytest.importorskip("pycocotools", reason="pycocotools is not installed")
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    boxes, scores, labels, images = (np.asarray(x) for x in detections)
    gt_boxes, gt_labels, gt_images, crowd, area = truths
    corner = lambda b: [*map(float, b[:2]), *map(float, b[2:] - b[:2])]  # noqa: E731
    if area is None:
        area = (gt_boxes[:, 2] - gt_boxes[:, 0]) * (gt_boxes[:, 3] - gt_boxes[:, 1])
    numbers = sorted({*images.tolist(), *gt_images.tolist()})
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": i} for i in numbers],
            "categories": [{"id": k} for k in range(classes)],
            "annotations": [
                {"id": i + 1, "image_id": int(image), "category_id": int(label), "bbox": corner(box),
                 "area": float(size), "iscrowd": int(flag)}
                for i, (box, label, image, flag, size) in enumerate(zip(gt_boxes, gt_labels, gt_images, crowd, area))
            ],
        }  # fmt: skip
        truth.createIndex()
        found = COCO()
        found.dataset = {
            **truth.dataset,
            "annotations": [
                {"id": i + 1, "image_id": int(image), "category_id": int(label), "bbox": corner(box),
                 "score": float(score), "area": float((box[2] - box[0]) * (box[3] - box[1])), "iscrowd": 0}
                for i, (box, score, label, image) in enumerate(zip(boxes, scores, labels, images))
            ],
        }  # fmt: skip
        found.createIndex()
        evaluation = COCOeval(truth, found, "bbox")
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
    return evaluation.stats, evaluation.eval["precision"], evaluation.eval["recall"]


def test_like_pycocotools():
    for seed in range(40):
        detections, truths, classes = scene(seed, images=4 + seed % 9, classes=1 + seed % 4, grid=[1, 4, 5][seed % 3])
        if len(truths[0]):  # pycocotools wants some
            assert_results(evaluate(detections, truths, classes), pycocotools_eval(detections, truths, classes))


def test_recalls_on_the_grid_like_pycocotools():
    """Of n ground truths k are found, for many k and n: recalls that fall on points of the grid, or a bit beside."""
    detections, truths = [], []
    sizes = [3, 7, 10, 20, 25, 50, 100]
    for label, n in enumerate(sizes):
        for i in range(n):
            box = [20.0 * i, 0, 20.0 * i + 10, 10]
            truths.append((box, label, i))
            wrong = [20.0 * i, 50, 20.0 * i + 10, 60]
            detections += [(box, 1 - i / 128, label, i), (wrong, 1 - i / 128 - 1e-3, label, i)]
    detections = [np.array(x) for x in zip(*detections)]
    boxes, labels, images = (np.array(x) for x in zip(*truths))
    truths = boxes, labels, images, np.zeros(len(boxes), bool), None
    expected = pycocotools_eval(detections, truths, len(sizes))
    assert_results(evaluate(detections, truths, len(sizes)), expected)


# --- The evaluator ---------------------------------------------------------------------------------------------------


def rows(mask, arrays):
    return [None if x is None else np.asarray(x)[mask] for x in arrays]


def update(evaluator, detections, truths):
    boxes, labels, images, crowd, area = truths
    return evaluator.update(*detections, boxes, labels, images, gt_crowd=crowd, gt_area=area)


@settings(max_examples=20)
@given(seed=st.integers(0, 2**32 - 1))
def test_parts_in_any_order_give_what_all_images_give(seed):
    rng = np.random.default_rng(seed)
    detections, truths, classes = scene(seed, images=9)
    expected = evaluate(detections, truths, classes)
    images = np.unique(np.concatenate([detections[3], truths[2]]))
    part = rng.integers(0, 4, len(images))
    workers = [losskit.CocoEvaluator(classes) for _ in range(3)]
    for i in rng.permutation(4):
        chosen = images[part == i]
        update(
            workers[rng.integers(0, 3)],
            rows(np.isin(detections[3], chosen), detections),
            rows(np.isin(truths[2], chosen), truths),
        )
    first, *others = (workers[i] for i in rng.permutation(3))
    for other in others:
        first.merge(other if rng.random() < 0.5 else pickle.loads(pickle.dumps(other)))
    for actual, wanted in zip(first.result(), expected):
        np.testing.assert_array_equal(actual, wanted)


def test_evaluator_bytes():
    detections, truths, classes = scene(3)
    parameters = {"iou_thresholds": [0.5, 0.7], "max_dets": [3], "area_ranges": [(0, 1e9), (5, 50), (1, 2)]}
    evaluator = update(losskit.CocoEvaluator(classes, **parameters), detections, truths)
    words = np.frombuffer(evaluator.to_bytes(), "<i8")
    assert evaluator.to_bytes()[:8] == b"LKCOCOE1" and words[1:6].tolist() == [classes, 2, 3, 1, len(evaluator)]
    copy = losskit.CocoEvaluator.from_bytes(evaluator.to_bytes())
    assert copy.to_bytes() == evaluator.to_bytes()
    assert f"({classes})" in repr(copy) and f"{len(copy)} detections" in repr(copy)
    for actual, wanted in zip(copy.merge(losskit.CocoEvaluator(classes, **parameters)).result(), evaluator.result()):
        np.testing.assert_array_equal(actual, wanted)
    update(copy, detections, truths)
    assert len(copy) == 2 * len(evaluator)


def test_what_is_no_state():
    evaluator = update(losskit.CocoEvaluator(3), *scene(3)[:2])
    good = np.frombuffer(evaluator.to_bytes(), np.int64)
    limits = 6 + 10 + 8  # behind ten thresholds and four ranges
    wrong = {0: [1], 1: [-1, 2**40], 2: [0], 3: [1 << 20], 4: [-1], 5: [-1, 10**9], limits: [-1], limits + 3: [-1]}
    for word, value in [(word, value) for word, values in wrong.items() for value in values]:
        bad = good.copy()
        bad[word] = value
        assert_error("INVALID_VALUE", losskit.CocoEvaluator.from_bytes, bad.tobytes())
    bad = good.copy()
    bad[-5 + 2] = 3  # the last detection's class
    assert_error("INVALID_VALUE", losskit.CocoEvaluator.from_bytes, bad.tobytes())
    for data in b"", good.tobytes()[:-8], good.tobytes() + b"\0", good.tobytes()[:40]:
        assert_error("INVALID_VALUE", losskit.CocoEvaluator.from_bytes, data)


def test_refused_updates_leave_the_evaluator_alone():
    evaluator = update(losskit.CocoEvaluator(3), *scene(3)[:2])
    before = evaluator.to_bytes()
    box, gt = [[0, 0, 1, 1]], ([[0, 0, 1, 1]], [0], [0])
    assert_error("INVALID_VALUE", evaluator.update, box, [np.nan], [0], [0], *gt)
    assert_error("INVALID_TARGET", evaluator.update, box, [0.5], [3], [0], *gt)
    assert_error("INVALID_TARGET", evaluator.update, box, [0.5], [0], [0], gt[0], [-1], [0])
    assert_error("INVALID_SHAPE", evaluator.update, box, [0.5], [0], [0, 1], *gt)
    assert_error("INVALID_SHAPE", evaluator.merge, losskit.CocoEvaluator(4))
    assert_error("INVALID_SHAPE", evaluator.merge, losskit.CocoEvaluator(3, max_dets=(1, 10, 99)))
    assert evaluator.to_bytes() == before


def test_refused_evaluations(dtype):
    box, gt = [[0, 0, 1, 1]], ([[0, 0, 1, 1]], [0], [0])
    f = lambda *a, **k: losskit.coco_eval(*a, **{"num_classes": 1, **k})  # noqa: E731
    good = (box, [0.5], [0], [0], *gt)
    f(*good)
    assert_error("INVALID_VALUE", f, box, [np.nan], [0], [0], *gt)
    assert_error("INVALID_TARGET", f, box, [0.5], [1], [0], *gt)
    assert_error("INVALID_TARGET", f, *good[:4], gt[0], [-1], [0])
    assert_error("INVALID_TARGET", f, box, [0.5], [0.5], [0], *gt)
    assert_error("INVALID_SHAPE", f, [[0, 0, 1]], *good[1:])
    assert_error("INVALID_SHAPE", f, *good, gt_crowd=[0, 1])
    assert_error("INVALID_SHAPE", f, *good, gt_area=[[1.0]])
    assert_error("INVALID_SHAPE", f, *good, num_classes=-1)
    for parameters in {"iou_thresholds": []}, {"max_dets": []}, {"area_ranges": []}, {"area_ranges": [(1, 2, 3)]}:
        assert_error("INVALID_SHAPE", f, *good, **parameters)
    for parameters in {"iou_thresholds": [np.nan]}, {"max_dets": [-1]}, {"area_ranges": [(0, np.nan)]}:
        assert_error("INVALID_PARAMETER", f, *good, **parameters)
    integers = lambda *x: np.array(x, np.int64)  # noqa: E731
    call = RawCall(
        "coco_eval", dtype, ["stats", "precision", "recall"],
        det_boxes=np.array([[0, 0, 1, 1], [0, 0, 2, 2]], dtype), det_scores=np.array([0.5, 0.4], dtype),
        det_labels=integers(0, 1), det_images=integers(0, 0), det_count=2, gt_boxes=np.array([[0, 0, 1, 1]], dtype),
        gt_labels=integers(0), gt_images=integers(0), gt_crowd=np.zeros(1, np.uint8), gt_area=np.ones(1, dtype),
        gt_count=1, num_classes=2, iou_thresholds=np.array([0.5]), threshold_count=1, max_dets=integers(10),
        max_det_count=1, area_ranges=np.array([[0, 1e10]]), area_count=1, stats=np.empty(4), stat_capacity=4,
        precision=np.empty(202), recall=np.empty(2),
    )  # fmt: skip
    assert call() == "OK" and call(gt_crowd=None, gt_area=None) == "OK"
    assert call(stats=None, precision=None, recall=None) == "OK"
    for name in ("det_boxes", "det_scores", "det_labels", "det_images", "gt_boxes", "gt_labels", "gt_images",
                 "iou_thresholds", "max_dets", "area_ranges"):  # fmt: skip
        assert call(**{name: None}) == "NULL_POINTER"
    for size in ("det_count", "gt_count", "num_classes", "threshold_count", "max_det_count", "area_count"):
        for value in (-1, 2**62):
            assert call(**{size: value}) == "INVALID_SHAPE"
    assert call(stat_capacity=-1) == "INVALID_SHAPE" and call(stat_capacity=3) == "BUFFER_TOO_SMALL"
    for side in ("start", "end"):
        call.inside_guards(side)


def test_room_for_more_in_c(dtype):
    """Too little room: the needed size is told, nothing else is written; then the same call goes through."""
    from losskit._core import call, call_status

    thresholds, limits, ranges = np.array([0.5]), np.array([10]), np.array([[0, 1e10]])
    size = np.empty((), np.intp)
    call("coco_accumulator_size", None, 2, 1, 1, 1, 0, size)
    state = np.zeros(int(size) + 1, np.uint8)[1:]  # at an odd address
    call("coco_accumulator_init", None, state, state.size, 2, thresholds, 1, limits, 1, ranges, 1)
    before = state.copy()
    batch = (np.array([[0, 0, 1, 1]], dtype), np.ones(1, dtype), np.zeros(1, np.int64), np.zeros(1, np.int64), 1)
    arguments = (*batch, batch[0], *batch[2:4], None, None, 1)
    assert call_status("coco_accumulator_update", dtype, state, state.size, size, *arguments) == 6
    assert (state == before).all() and int(size) == state.size + 40
    larger = np.zeros(int(size), np.uint8)
    larger[: state.size] = state
    call("coco_accumulator_update", dtype, larger, larger.size, size, *arguments)
    assert call_status("coco_accumulator_merge", None, state, state.size, size, larger, larger.size) == 6
    assert (state == before).all() and int(size) == larger.size
    stats = np.empty(4)
    call("coco_accumulator_result", None, larger, larger.size, stats, 4, None, None)
    np.testing.assert_allclose(stats, [1, 1, -1, 1])  # no threshold is 0.75
    criteria = 2, thresholds, 1, limits, 1, ranges, 1
    assert call_status("coco_accumulator_init", None, state, state.size - 1, *criteria) == 6
    others = {"update": (size, *arguments), "merge": (size, larger, larger.size), "result": (stats, 4, None, None)}
    for name, rest in others.items():
        kind = dtype if name == "update" else None
        assert call_status(f"coco_accumulator_{name}", kind, None, 0, *rest) == 1
        assert call_status(f"coco_accumulator_{name}", kind, state, -1, *rest) == 2


def test_same_bits_everywhere():
    assert_same_bits("""
rng = np.random.default_rng(1)
truth = rng.integers(0, 200, (300, 4)).astype(np.float32)
truth[:, 2:] = truth[:, :2] + rng.integers(1, 120, (300, 2))
boxes = np.repeat(truth, 3, 0) + rng.normal(0, 4, (900, 4)).astype(np.float32)
labels, images = rng.integers(0, 5, 300), rng.integers(0, 20, 300)
arrays = (boxes, rng.random(900), np.repeat(labels, 3), np.repeat(images, 3), truth, labels, images)
for i, result in enumerate(losskit.coco_eval(*arrays, num_classes=5, gt_crowd=rng.random(300) < 0.1)):
    results[f"coco {i}"] = result
results["state"] = np.frombuffer(losskit.CocoEvaluator(5).update(*arrays).to_bytes(), np.uint8)
results["ap"] = losskit.detection_average_precision(rng.random(500), rng.random(500) < 0.5, n_gt=400)
""")
