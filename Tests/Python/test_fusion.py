"""Fusion of boxes against formulas written from the definition, and against ensemble-boxes."""

import warnings

import losskit
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import RawCall, assert_error, assert_same_bits

CONFIDENCES = ["avg", "max", "box_and_model_avg", "absent_model_aware_avg"]
BOXES = [[0.1, 0.1, 0.5, 0.5], [0.12, 0.1, 0.5, 0.52], [0.6, 0.6, 0.9, 0.9]]
EXAMPLE = BOXES, [0.9, 0.6, 0.5], [0, 0, 0], [0, 1, 1]

# --- References ------------------------------------------------------------------------------------------------------


def overlap(a, b):
    width = np.maximum(0, np.minimum(a[2], b[..., 2]) - np.maximum(a[0], b[..., 0]))
    height = np.maximum(0, np.minimum(a[3], b[..., 3]) - np.maximum(a[1], b[..., 1]))
    area, other = ((x[..., 2] - x[..., 0]) * (x[..., 3] - x[..., 1]) for x in (a, b))
    union = area + other - width * height
    return np.where(union == 0, 0, width * height / np.where(union == 0, 1, union))


@np.errstate(invalid="ignore", divide="ignore")
def reference(boxes, scores, labels, models, *, weights=None, n_models=None, iou_threshold=0.55, skip_box_threshold=0.0,
              conf_type="avg", allows_overflow=False, normalized=True, follows=True):  # fmt: skip
    """Weighted boxes fusion, or with ``follows=False`` non-maximum weighted."""
    boxes, scores = np.asarray(boxes, np.float64).reshape(-1, 4), np.asarray(scores, np.float64)
    labels, models = np.asarray(labels, int), np.asarray(models, int)
    n_models = n_models or max(models, default=-1) + 1
    weights = np.ones(n_models) if weights is None else np.asarray(weights, np.float64)
    if not follows and n_models:
        weights = weights / weights.max()
    low, high = np.where(boxes[:, 2:] < boxes[:, :2], boxes[:, [2, 3, 0, 1]].reshape(-1, 2, 2).transpose(1, 0, 2),
                         boxes.reshape(-1, 2, 2).transpose(1, 0, 2))  # fmt: skip
    boxes = np.concatenate([low, high], 1)
    if normalized:
        boxes = np.clip(boxes, 0, 1)
    kept = ~(scores < skip_box_threshold) & ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) != 0)
    results = []
    for label in np.unique(labels[kept]):
        mine = np.flatnonzero(kept & (labels == label))
        confidence = scores * (weights[models] if n_models else 1)
        compared, clusters = np.empty((0, 4)), []
        for i in mine[np.argsort(-confidence[mine], kind="stable")]:
            overlaps = overlap(boxes[i], compared)
            overlaps[np.isnan(overlaps)] = -np.inf
            best = int(np.argmax(overlaps)) if len(overlaps) else -1
            if best < 0 or not overlaps[best] > iou_threshold:
                clusters.append([i])
                compared = np.concatenate([compared, boxes[i : i + 1]])
                continue
            clusters[best].append(i)
            if follows:
                c = confidence[clusters[best]]
                compared[best] = c @ boxes[clusters[best]] / c.sum()
        for cluster, box in zip(clusters, compared):
            c, w = confidence[cluster], weights[models[cluster]]
            if follows:
                score = fused_score(c, w, models[cluster], weights, conf_type, allows_overflow)
            else:
                share = c * overlap(boxes[cluster[0]], boxes[cluster])
                box, score = share @ boxes[cluster] / share.sum(), c[0]
            results.append((box, score, label))
    order = np.argsort([-score for _, score, _ in results], kind="stable") if results else []
    columns = [[results[i][j] for i in order] for j in range(3)]
    return np.array(columns[0]).reshape(-1, 4), np.array(columns[1]), np.array(columns[2], int)


def fused_score(c, w, models, weights, conf_type, allows_overflow):
    if conf_type == "max":
        return c.max() / weights.max()
    present = np.isin(np.arange(len(weights)), models)
    if conf_type == "box_and_model_avg":
        return c.sum() / w.sum() * weights[present].sum() / weights.sum()
    if conf_type == "absent_model_aware_avg":
        return c.sum() / (w.sum() + weights[~present].sum())
    if allows_overflow:
        return c.sum() / weights.sum()
    return c.sum() / len(c) * min(len(weights), len(c)) / weights.sum()


# --- Data ------------------------------------------------------------------------------------------------------------


def detections(rng, count, models=3, labels=2, spread=0.03, size=0.2):
    """Boxes of several models around common objects, some reversed, some outside of [0, 1]."""
    objects = rng.uniform(-0.1, 1, (max(count // 5, 1), 2))
    corner = objects[rng.integers(0, len(objects), count)] + rng.normal(0, spread, (count, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.5 * size, size, (count, 2))], 1)
    reverse = rng.random(count) < 0.1
    boxes[reverse] = boxes[reverse][:, [2, 1, 0, 3]]
    return boxes, rng.random(count), rng.integers(-1, labels - 1, count), rng.integers(0, models, count)


def assert_fused(actual, expected, dtype=np.float64):
    tolerance = 3e-6 if dtype == np.float32 else 1e-12
    assert [x.dtype for x in actual] == [dtype, dtype, np.int64]
    np.testing.assert_array_equal(actual[2], expected[2])
    for one, other in zip(actual, expected):
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance / 10)


# --- Results ---------------------------------------------------------------------------------------------------------


def test_examples():
    boxes, scores, labels = losskit.weighted_boxes_fusion(*EXAMPLE)
    np.testing.assert_allclose(boxes, [[0.108, 0.1, 0.5, 0.508], [0.6, 0.6, 0.9, 0.9]], atol=5e-8)
    np.testing.assert_allclose(scores, [0.75, 0.25], atol=5e-8)
    assert labels.tolist() == [0, 0]
    boxes, scores, labels = losskit.non_maximum_weighted(*EXAMPLE)
    np.testing.assert_allclose(boxes, [[0.1075359, 0.1, 0.5, 0.5075359], [0.6, 0.6, 0.9, 0.9]], atol=5e-8)
    np.testing.assert_allclose(scores, [0.9, 0.5], atol=5e-8)
    assert labels.tolist() == [0, 0]


@given(seed=st.integers(0, 2**32 - 1), count=st.one_of(st.integers(0, 3), st.integers(0, 150)))
def test_fusion(seed, count):
    rng = np.random.default_rng(seed)
    dtype = rng.choice([np.float32, np.float64])
    models = int(rng.integers(1, 6))
    boxes, scores, labels, which = detections(rng, count, models, labels=int(rng.integers(1, 4)))
    boxes, scores = boxes.astype(dtype), scores.astype(dtype)
    parameters = {
        "weights": rng.integers(1, 5, models + 1).astype(float) if seed % 2 else None,
        "n_models": models + 1,
        "iou_threshold": rng.choice([0.3, 0.55, 0.8, 0.05, 1.0]),
        "skip_box_threshold": rng.choice([0.0, 0.2, -1.0]),
        "normalized": bool(rng.random() < 0.7),
    }
    expected = reference(boxes, scores, labels, which, **parameters, follows=False)
    assert_fused(losskit.non_maximum_weighted(boxes, scores, labels, which, **parameters), expected, dtype)
    parameters |= {"conf_type": rng.choice(CONFIDENCES), "allows_overflow": bool(rng.random() < 0.5)}
    expected = reference(boxes, scores, labels, which, **parameters)
    assert_fused(losskit.weighted_boxes_fusion(boxes, scores, labels, which, **parameters), expected, dtype)


@given(seed=st.integers(0, 2**32 - 1), count=st.integers(0, 120))
def test_fusion_of_equals(seed, count):
    """A coarse grid and few scores: equal overlaps, scores and boxes, no area, thresholds met exactly."""
    rng = np.random.default_rng(seed)
    boxes = rng.integers(0, 9, (count, 4)).astype(float)
    scores, labels = rng.choice([0.25, 0.5, 1.0], count), rng.integers(0, 2, count)
    parameters = {"normalized": False, "iou_threshold": rng.choice([0.5, 0.25, 0.0, -0.5, 2.0])}
    for function, follows in (losskit.weighted_boxes_fusion, True), (losskit.non_maximum_weighted, False):
        which = rng.integers(0, 3, count) if not follows else np.zeros(count, int)
        actual = function(boxes, scores, labels, which, **parameters)
        assert_fused(actual, reference(boxes, scores, labels, which, **parameters, follows=follows))


@pytest.mark.parametrize("layout", ["crowd", "spread", "nested", "crossed", "alike", "line"])
@pytest.mark.parametrize("follows", [True, False])
def test_fusion_of_many(layout, follows, rng):
    """Enough boxes for the search to skip most of them; it may skip none that matters."""
    count = 1500
    boxes, scores, _, models = detections(rng, count, spread=0.01, size=0.05)
    if layout == "crowd":
        boxes = detections(rng, count, spread=0.3, size=0.4)[0]
    elif layout == "nested":
        half = 0.5 * 10 ** np.linspace(0, -3, count)[:, None]
        boxes = np.concatenate([0.5 - half, 0.5 - half, 0.5 + half, 0.5 + half], 1)
    elif layout == "crossed":
        lines, zero = rng.random(count // 2), np.zeros(count // 2)
        lying = np.stack([zero, lines, zero + 1, lines + 0.001], 1)
        boxes = np.concatenate([lying, lying[:, [1, 0, 3, 2]]])
    elif layout == "alike":
        boxes = np.array([0.1, 0.1, 0.6, 0.6]) + rng.uniform(0, 0.2, (count, 4))
    elif layout == "line":  # each a bit beside the last: the fused boxes wander
        boxes = np.array([0, 0, 0.1, 1]) + np.array([0.9, 0, 0.9, 0]) * np.linspace(0, 1, count)[:, None]
        scores = np.linspace(1, 0.5, count)
    labels = np.zeros(count, int)
    function = losskit.weighted_boxes_fusion if follows else losskit.non_maximum_weighted
    for threshold in (0.55, 0.1, 0.9):
        expected = reference(boxes, scores, labels, models, iou_threshold=threshold, follows=follows)
        assert_fused(function(boxes, scores, labels, models, iou_threshold=threshold), expected)


def test_boxes_that_are_not_finite():
    boxes = [[0, 0, 4, 4], [np.nan, 0, 4, 4], [0, 0, np.inf, 4], [0, 0, 4, 4], [-np.inf, 0, np.inf, 4]]
    scores, labels, models = [0.9, 0.8, 0.7, 0.6, 0.5], [0] * 5, [0, 1, 0, 1, 0]
    for function, follows in (losskit.weighted_boxes_fusion, True), (losskit.non_maximum_weighted, False):
        for threshold in (0.5, 0.0):
            actual = function(boxes, scores, labels, models, normalized=False, iou_threshold=threshold)
            expected = reference(
                boxes, scores, labels, models, normalized=False, iou_threshold=threshold, follows=follows
            )
            assert_fused(actual, expected)
        assert len(function(boxes, scores, labels, models)[1]) == 2  # clipped, all but NaN are the unit square


def test_scores_of_zero():
    """A cluster without confidence has no mean; a single box is its own for weighted boxes fusion."""
    boxes, scores, labels = losskit.weighted_boxes_fusion(BOXES, [0, 0, 0], [0, 0, 0], [0, 1, 1])
    assert np.isnan(boxes[0]).all() and (scores == 0).all() and boxes[1].tolist() == BOXES[2]
    assert np.isnan(losskit.non_maximum_weighted(BOXES, [0, 0, 0], [0, 0, 0], [0, 1, 1])[0]).all()
    assert len(losskit.weighted_boxes_fusion(BOXES, [0, 0, 0], [0] * 3, [0] * 3, skip_box_threshold=0.1)[1]) == 0


def test_models_that_say_nothing():
    """More models than boxes show: by their number, or by their weights."""
    few = losskit.weighted_boxes_fusion(*EXAMPLE, n_models=4)
    assert_fused(few, reference(*EXAMPLE, n_models=4))
    weighted = losskit.weighted_boxes_fusion(*EXAMPLE, weights=[1, 1, 1, 1])
    assert_fused(weighted, few)
    empty = losskit.weighted_boxes_fusion(np.empty((0, 4), np.float32), np.empty(0, np.float32), [], [])
    assert [x.shape for x in empty] == [(0, 4), (0,), (0,)] and empty[0].dtype == np.float32


# --- ensemble-boxes --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["weighted_boxes_fusion", "non_maximum_weighted"])
def test_like_ensemble_boxes(name):
    """Its boxes are rounded to single precision, and it orders equal scores otherwise."""
    peer = pytest.importorskip("ensemble_boxes", reason="ensemble-boxes is not installed")
    for seed in range(40):
        rng = np.random.default_rng(seed)
        models = int(rng.integers(1, 5))
        boxes, scores, labels, which = detections(rng, int(rng.integers(1, 200)), models)
        weights = rng.uniform(0.5, 3, models) if seed % 2 else None
        parameters = {"iou_threshold": rng.choice([0.4, 0.55, 0.7]), "skip_box_threshold": rng.choice([0.0, 0.3])}
        others = {"iou_thr": parameters["iou_threshold"], "skip_box_thr": parameters["skip_box_threshold"]}
        if name == "weighted_boxes_fusion":
            parameters |= {"conf_type": CONFIDENCES[seed % 4], "allows_overflow": seed % 3 == 0}
            others |= {"conf_type": CONFIDENCES[seed % 4], "allows_overflow": seed % 3 == 0}
        parts = [[x[which == m] for m in range(models)] for x in (boxes, scores, labels)]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            expected = getattr(peer, name)(*parts, weights=weights, **others)
        actual = getattr(losskit, name)(boxes, scores, labels, which, weights=weights, n_models=models, **parameters)
        np.testing.assert_array_equal(actual[2], expected[2])
        np.testing.assert_allclose(actual[0], expected[0], atol=1e-6)
        np.testing.assert_allclose(actual[1], expected[1], atol=1e-6)


# --- Refusals, memory, other machines --------------------------------------------------------------------------------


@pytest.mark.parametrize("function", [losskit.weighted_boxes_fusion, losskit.non_maximum_weighted])
def test_refused_arguments(function):
    boxes, scores, labels, models = EXAMPLE
    assert_error("INVALID_VALUE", function, boxes, [0.9, np.nan, 0.5], labels, models)
    assert_error("INVALID_TARGET", function, boxes, scores, labels, [0, 1, -1])
    assert_error("INVALID_TARGET", function, *EXAMPLE, n_models=1)
    for weights in [1, -1], [0, 0], [1, np.nan], [1, np.inf]:
        assert_error("INVALID_VALUE", function, *EXAMPLE, weights=weights)
    assert_error("INVALID_VALUE", function, boxes, [np.inf, 0.5, 0.5], labels, models, weights=[0, 1])
    assert_error("INVALID_SHAPE", function, *EXAMPLE, weights=[1])
    assert_error("INVALID_SHAPE", function, boxes, scores, labels[:2], models)
    assert_error("INVALID_SHAPE", function, *EXAMPLE, n_models=-1)
    for name in ("iou_threshold", "skip_box_threshold"):
        assert_error("INVALID_PARAMETER", function, *EXAMPLE, **{name: np.nan})
    if function is losskit.weighted_boxes_fusion:
        assert_error("INVALID_PARAMETER", function, *EXAMPLE, conf_type="mean")


@pytest.mark.parametrize("name", ["weighted_boxes_fusion", "non_maximum_weighted"])
def test_the_c_interface(name, dtype):
    from losskit._core import call as call_library

    modes = {"conf_type": "box_and_model_avg", "allows_overflow": False} if name.startswith("weighted") else {}
    count, needed = np.empty(1, np.intp), np.empty((), np.intp)
    call_library("box_fusion_workspace_size", None, 3, 2, needed)
    call = RawCall(
        name, dtype, ["fused_boxes", "fused_scores", "fused_labels"],
        boxes=np.array(BOXES, dtype), scores=np.array(EXAMPLE[1], dtype), labels=np.zeros(3, np.int64),
        models=np.array([0, 1, 1]), count=3, weights=np.array([1.0, 2.0]), n_models=2, iou_threshold=0.55,
        skip_box_threshold=0.0, normalized=True, **modes, fused_boxes=np.empty((2, 4), dtype),
        fused_scores=np.empty(2, dtype), fused_labels=np.empty(2, np.int64), capacity=2, fused_count=count.ctypes.data,
        workspace=np.empty(int(needed), np.uint8), workspace_size=int(needed),
    )  # fmt: skip
    assert call() == "OK" and count[0] == 2
    expected = call.arguments["fused_boxes"].copy()
    assert call(workspace=None, workspace_size=0) == "OK"
    np.testing.assert_array_equal(call.arguments["fused_boxes"], expected)
    assert call(fused_boxes=None, fused_scores=None, fused_labels=None) == "OK" and call(weights=None) == "OK"
    for missing in ("boxes", "scores", "labels", "models", "fused_count"):
        assert call(**{missing: None}) == "NULL_POINTER"
    for size in ("count", "n_models", "capacity"):
        assert call(**{size: -1}) == "INVALID_SHAPE"
    assert call(workspace_size=int(needed) // 2) == "BUFFER_TOO_SMALL"
    count[0] = 0
    assert call(capacity=1) == "BUFFER_TOO_SMALL" and count[0] == 2
    for side in ("start", "end"):
        call.inside_guards(side)


def test_same_bits_everywhere():
    assert_same_bits("""
rng = np.random.default_rng(5)
for dtype in (np.float32, np.float64):
    corner = rng.random((700, 2))
    boxes = np.concatenate([corner, corner + rng.uniform(0.02, 0.3, (700, 2))], 1).astype(dtype)
    scores, labels, models = rng.random(700).astype(dtype), rng.integers(0, 3, 700), rng.integers(0, 4, 700)
    for function in (losskit.weighted_boxes_fusion, losskit.non_maximum_weighted):
        for i, result in enumerate(function(boxes, scores, labels, models, weights=[1, 2, 0.5, 3])):
            results[f"{function.__name__} {np.dtype(dtype)} {i}"] = result
""")
