"""Boxes, suppression and decoding against NumPy loops written from their definitions."""

import ctypes
import mmap
import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from hypothesis.extra import numpy as hnp

import losskit
from losskit import LossKitError, _core

REALS = (np.float32, np.float64)
BOXES = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [0, 0, 9, 10], [20, 20, 30, 30]], np.float64)
SCORES = np.array([0.9, 0.8, 0.7, 0.6])
INT32_MAX = 2**31 - 1

# --- References: one pair, one round, one row at a time --------------------------------------------------------------


def reference_iou(box, others, offset=0):
    """IoU of one box with each of the others, in the precision of the arrays."""
    real = others.dtype.type
    with np.errstate(all="ignore"):
        extent = lambda low, high: high - low + real(offset)  # noqa: E731
        area = lambda b: extent(b[..., 0], b[..., 2]) * extent(b[..., 1], b[..., 3])  # noqa: E731
        width = np.maximum(extent(np.maximum(box[0], others[:, 0]), np.minimum(box[2], others[:, 2])), real(0))
        height = np.maximum(extent(np.maximum(box[1], others[:, 1]), np.minimum(box[3], others[:, 3])), real(0))
        intersection = width * height
        union = area(box) + area(others) - intersection
        return np.where(union == 0, real(0), intersection / union)


def by_score(scores):
    return np.argsort(-scores.astype(np.float64), kind="stable")


def reference_nms(boxes, scores, threshold, idxs=None):
    idxs = np.zeros(len(boxes)) if idxs is None else idxs
    order = by_score(scores)
    removed = np.zeros(len(boxes), bool)
    keep = []
    for i in order:
        if removed[i]:
            continue
        keep.append(i)
        exceeds = reference_iou(boxes[i], boxes).astype(np.float64) > threshold
        removed |= exceeds & (idxs == idxs[i])
    return np.array(keep, np.int64)


def reference_soft_nms(
    boxes, scores, idxs=None, *, method="linear", iou_threshold=0.3, sigma=0.5, score_threshold=0.001,
    max_output=None, offset=0.0
):  # fmt: skip
    real = boxes.dtype.type
    idxs = np.zeros(len(boxes)) if idxs is None else idxs
    scores = scores.copy()
    remaining = np.ones(len(boxes), bool)
    indices, new_scores = [], []
    while remaining.any() and len(indices) < (len(boxes) if max_output is None else max_output):
        best = scores[remaining].max()
        i = np.flatnonzero(remaining & (scores == best))[0]
        if float(best) < score_threshold:
            break
        indices.append(i)
        new_scores.append(best)
        remaining[i] = False
        overlap = reference_iou(boxes[i], boxes, offset)
        mine = idxs == idxs[i]
        exceeds = mine & (overlap.astype(np.float64) > iou_threshold)
        if method == "linear":
            scores = np.where(exceeds, scores * (real(1) - overlap), scores)
        elif method == "gaussian":
            known = np.where(np.isnan(overlap), real(0), overlap)
            scores = np.where(mine, scores * np.exp(-(known * known) / real(sigma)), scores)
        else:
            remaining &= ~exceeds
    return np.array(indices, np.int64), np.array(new_scores, real)


def random_boxes(rng, n, real, extent=100, side=30, whole=False):
    center, size = rng.random((n, 2)) * extent, rng.random((n, 2)) * side
    boxes = np.concatenate([center - size / 2, center + size / 2], 1)
    return (boxes.round() if whole else boxes).astype(real)


def status_of(call, *arguments, **keywords):
    with pytest.raises(LossKitError) as caught:
        call(*arguments, **keywords)
    return caught.value.status


# --- Overlap and decoding --------------------------------------------------------------------------------------------


def test_box_iou_example():
    iou = losskit.box_iou([[0, 0, 2, 2]], [[1, 1, 3, 4], [5, 5, 6, 6]])
    assert iou.round(7).tolist() == [[0.1111111, 0]]


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("offset", [0, 1])
@pytest.mark.parametrize("n, m", [(1, 1), (3, 7), (70, 16), (5, 33), (130, 17), (0, 4), (4, 0)])
def test_box_iou(real, offset, n, m):
    rng = np.random.default_rng(n * 100 + m)
    boxes1 = random_boxes(rng, n, real, whole=True)
    boxes2 = random_boxes(rng, m, real, whole=True)
    boxes2[: m // 3] = boxes2[: m // 3, [2, 1, 0, 3]]  # reversed
    got = losskit.box_iou(boxes1, boxes2, offset=offset)
    want = np.array([reference_iou(box, boxes2, offset) for box in boxes1], real).reshape(n, m)
    assert got.dtype == real and got.tobytes() == want.tobytes() or np.array_equal(got, want)


def test_box_iou_degenerate():
    point = [[3, 3, 3, 3]]
    assert losskit.box_iou(point, point).tolist() == [[0]]
    assert losskit.box_iou(point, point, offset=1).tolist() == [[1]]
    assert np.isnan(losskit.box_iou([[0, 0, np.nan, 1]], [[0, 0, 1, 1]])).all()
    assert status_of(losskit.box_iou, point, point, offset=0.5) == "INVALID_PARAMETER"
    assert status_of(losskit.box_iou, point, point, offset=np.nan) == "INVALID_PARAMETER"
    assert status_of(losskit.box_iou, [[1, 2, 3]], point) == "INVALID_SHAPE"


def test_decode_boxes_example():
    got = losskit.decode_boxes([[0.1, 0, 0.2, -1]], [[0, 0, 10, 20]])
    np.testing.assert_allclose(got, [[-0.1070138, 6.321206, 12.10701, 13.67879]], rtol=1e-6)


def reference_decode(deltas, anchors, weights, clip):
    d, a, w = (np.asarray(x, np.float64) for x in (deltas, anchors, weights))
    size = a[:, 2:] - a[:, :2]
    center = a[:, :2] + size / 2 + d[:, :2] / w[:2] * size
    size = size * np.exp(np.minimum(d[:, 2:] / w[2:], clip))
    return np.concatenate([center - size / 2, center + size / 2], 1)


@pytest.mark.parametrize("real, tolerance", [(np.float32, 3e-6), (np.float64, 1e-14)])
@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 100])
def test_decode_boxes(real, tolerance, n):
    rng = np.random.default_rng(n)
    deltas, anchors = rng.normal(0, 3, (n, 4)).astype(real), random_boxes(rng, n, real)
    weights = (10, 9, 5, 4)
    got = losskit.decode_boxes(deltas, anchors, weights=weights, clip=0.7)
    want = reference_decode(deltas, anchors, weights, 0.7)
    assert got.dtype == real
    np.testing.assert_allclose(got, want, rtol=tolerance, atol=100 * tolerance)


def test_decode_boxes_vjp():
    rng = np.random.default_rng(3)
    n, weights, clip, step = 21, (2.0, 3.0, 1.5, 1.0), 0.5, 1e-6
    deltas, anchors = rng.normal(0, 1, (n, 4)), random_boxes(rng, n, np.float64)
    grad_output = rng.normal(0, 1, (n, 4))
    got = losskit.decode_boxes_vjp(deltas, anchors, grad_output, weights=weights, clip=clip)
    want = np.empty_like(deltas)
    for column in range(4):
        move = np.zeros(4)
        move[column] = step
        change = reference_decode(deltas + move, anchors, weights, clip) - reference_decode(
            deltas - move, anchors, weights, clip
        )
        want[:, column] = (change * grad_output).sum(1) / (2 * step)
    np.testing.assert_allclose(got, want, rtol=1e-6, atol=1e-6)
    # At the clip the gradient passes, above it is 0.
    at = losskit.decode_boxes_vjp([[0, 0, 0.5, 0.6]], [[0, 0, 2, 2]], [[0, 0, 1, 1]], clip=0.5)
    assert at[0, 2] > 0 and at[0, 3] == 0
    single = losskit.decode_boxes_vjp(
        *(x.astype(np.float32) for x in (deltas, anchors, grad_output)), weights=weights, clip=clip
    )
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, got, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("function", [losskit.decode_boxes, losskit.decode_boxes_vjp])
def test_decode_boxes_errors(function):
    box = np.ones((1, 4))
    arrays = (box,) * (2 if function is losskit.decode_boxes else 3)
    for bad in (0, -1, np.nan, np.inf):
        for place in range(4):
            weights = [1.0] * 4
            weights[place] = bad
            assert status_of(function, *arrays, weights=weights) == "INVALID_PARAMETER"
    assert status_of(function, *arrays, clip=np.nan) == "INVALID_PARAMETER"
    assert status_of(function, *arrays, weights=(1, 1)) == "INVALID_PARAMETER"
    assert status_of(function, np.ones((2, 4)), *arrays[1:]) == "INVALID_SHAPE"
    assert np.isnan(function(np.full((1, 4), np.nan), *arrays[1:])).any()


def test_distance_to_box():
    assert losskit.distance_to_box([[5, 5]], [[1, 2, 3, 4]]).tolist() == [[4, 3, 8, 9]]
    rng = np.random.default_rng(4)
    for real in REALS:
        for n in (0, 1, 7, 8, 9, 31, 32, 33):
            points = (rng.random((n, 2)) * 50).astype(real)
            distances = (rng.random((n, 4)) * 30).astype(real)
            want = np.concatenate([points - distances[:, :2], points + distances[:, 2:]], 1)
            assert np.array_equal(losskit.distance_to_box(points, distances), want)
            assert np.array_equal(losskit.distance_to_box(points, distances, height=40), want)
            want[:, 0::2] = want[:, 0::2].clip(0, 60)
            want[:, 1::2] = want[:, 1::2].clip(0, 40)
            assert np.array_equal(losskit.distance_to_box(points, distances, height=40, width=60), want)
    assert np.isnan(losskit.distance_to_box([[np.nan, 1]], [[1, 1, 1, 1]], height=5, width=5)).tolist() == [
        [True, False, True, False]
    ]


def test_distance_to_box_vjp():
    grad = [[1.0, 2.0, 3.0, 4.0]]
    assert losskit.distance_to_box_vjp([[5, 5]], [[1, 2, 3, 4]], grad).tolist() == [[-1, -2, 3, 4]]
    inside = losskit.distance_to_box_vjp([[5, 5]], [[5, 6, 5, 6]], grad, height=10, width=10)
    assert inside.tolist() == [[-1, 0, 3, 0]]  # on the edge it passes
    rng = np.random.default_rng(5)
    points, distances, grad = rng.random((50, 2)) * 50, rng.random((50, 4)) * 30, rng.normal(0, 1, (50, 4))
    got = losskit.distance_to_box_vjp(points, distances, grad, height=40, width=60)
    step = 1e-6
    plus = losskit.distance_to_box(points, distances + step, height=40, width=60)
    minus = losskit.distance_to_box(points, distances - step, height=40, width=60)
    np.testing.assert_allclose(got, (plus - minus) / (2 * step) * grad, rtol=1e-6, atol=1e-8)


def test_distance_to_box_errors():
    point, distances = [[1, 1]], [[1, 1, 1, 1]]
    for size in ((-1, 5), (5, -1), (np.nan, 5), (5, np.nan)):
        sizes = dict(zip(("height", "width"), size))
        assert status_of(losskit.distance_to_box, point, distances, **sizes) == "INVALID_PARAMETER"
        assert status_of(losskit.distance_to_box_vjp, point, distances, distances, **sizes) == "INVALID_PARAMETER"
    assert status_of(losskit.distance_to_box, [[1, 1], [2, 2]], distances) == "INVALID_SHAPE"


def softmax(x, axis=-1):
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)


def test_dfl_decode_example():
    got = losskit.dfl_decode([[0, 1, 2, 0, 0, 0, 2, 1, 0, 5, 0, 0]], reg_max=2)
    np.testing.assert_allclose(got, [[1.57521, 1, 0.4247896, 0.01994506]], rtol=1e-6)


@pytest.mark.parametrize("reg_max", [0, 1, 6, 7, 8, 15, 16, 17, 40])
@pytest.mark.parametrize("real, tolerance", [(np.float32, 2e-6), (np.float64, 1e-14)])
def test_dfl_decode(reg_max, real, tolerance):
    rng = np.random.default_rng(reg_max)
    logits = rng.normal(0, 4, (9, 4 * (reg_max + 1))).astype(real)
    p = softmax(logits.astype(np.float64).reshape(9, 4, reg_max + 1))
    bins = np.arange(reg_max + 1)
    mean = (p * bins).sum(-1)
    np.testing.assert_allclose(losskit.dfl_decode(logits, reg_max=reg_max), mean, rtol=tolerance, atol=tolerance)
    grad = rng.normal(0, 1, (9, 4)).astype(real)
    want = (p * (bins - mean[..., None]) * grad[..., None]).reshape(9, -1)
    got = losskit.dfl_decode_vjp(logits, grad, reg_max=reg_max)
    np.testing.assert_allclose(got, want, rtol=20 * tolerance, atol=20 * tolerance)


def test_dfl_decode_vjp_by_differences():
    rng = np.random.default_rng(1)
    logits, grad, step = rng.normal(0, 1, (3, 12)), rng.normal(0, 1, (3, 4)), 1e-6
    got = losskit.dfl_decode_vjp(logits, grad, reg_max=2)
    for column in range(12):
        move = np.zeros(12)
        move[column] = step
        change = losskit.dfl_decode(logits + move, reg_max=2) - losskit.dfl_decode(logits - move, reg_max=2)
        np.testing.assert_allclose(got[:, column], (change * grad).sum(1) / (2 * step), atol=1e-8)


def test_dfl_decode_edges():
    masked = [[-np.inf, 0, 0, np.nan, 0, 0, -np.inf, -np.inf, -np.inf, 1, 1, 1]]
    got = losskit.dfl_decode(masked, reg_max=2)[0]
    assert got[0] == 1.5 and np.isnan(got[1]) and np.isnan(got[2]) and abs(got[3] - 1) < 1e-15
    assert losskit.dfl_decode(np.empty((0, 68))).shape == (0, 4)
    assert status_of(losskit.dfl_decode, np.ones((1, 8)), reg_max=-1) == "INVALID_PARAMETER"
    assert status_of(losskit.dfl_decode, np.ones((1, 8)), reg_max=2**62) == "INVALID_PARAMETER"
    assert status_of(losskit.dfl_decode, np.ones((1, 8)), reg_max=2) == "INVALID_SHAPE"
    assert status_of(losskit.dfl_decode_vjp, np.ones((1, 8)), np.ones((2, 4)), reg_max=1) == "INVALID_SHAPE"


# --- Suppression -----------------------------------------------------------------------------------------------------


def test_suppression_examples():
    assert losskit.nms(BOXES, SCORES, iou_threshold=0.5).tolist() == [0, 3]
    assert losskit.batched_nms(BOXES, SCORES, [0, 1, 0, 0], iou_threshold=0.5).tolist() == [0, 1, 3]
    indices, scores = losskit.soft_nms(BOXES, SCORES)
    assert indices.tolist() == [0, 3, 1, 2]
    np.testing.assert_allclose(scores, [0.9, 0.6, 0.2554622, 0.02728814], rtol=1e-6)
    indices, scores = losskit.soft_nms(BOXES, SCORES, method="gaussian")
    assert indices.tolist() == [0, 3, 1, 2]
    np.testing.assert_allclose(scores, [0.9, 0.6, 0.3167086, 0.06578993], rtol=1e-6)
    indices, scores = losskit.batched_soft_nms(BOXES, SCORES, [0, 1, 0, 0])
    assert indices.tolist() == [0, 1, 3, 2]
    np.testing.assert_allclose(scores, [0.9, 0.8, 0.6, 0.07], rtol=1e-6)


# Coordinates that make ties, touching sides, reversed and empty boxes, subnormal and overflowing areas, NaN, infinity.
COORDINATES = st.one_of(
    st.integers(-6, 6).map(float),
    st.floats(-6, 6, width=32),
    st.sampled_from([np.nan, np.inf, -np.inf, 1e-30, -1e-30, 1e-22, 3e-22, 1e19, -1e19, 3e38, -3e38, 16777216.0, -0.0]),
)
TIED_SCORES = st.one_of(st.sampled_from([0.0, -0.0, 0.5, 1.0, -1.0, np.inf, -np.inf]), st.floats(0, 1, width=32))
THRESHOLDS = st.one_of(st.sampled_from([-1.0, 0.0, 1e-30, 0.1, 0.25, 1 / 3, 0.5, 1.0, 2.0, np.inf]), st.floats(0, 1))


@st.composite
def scored_boxes(draw, scores=TIED_SCORES):
    """Boxes from a handful of coordinates, so that most of them tie with something."""
    real = draw(st.sampled_from(REALS))
    n = draw(st.one_of(st.integers(0, 12), st.sampled_from([17, 40, 99, 150])))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    boxes = rng.choice(draw(st.lists(COORDINATES, min_size=1, max_size=12)), (n, 4)).astype(np.float32)
    if draw(st.booleans()):  # the right way round
        boxes = np.concatenate([np.minimum(boxes[:, :2], boxes[:, 2:]), np.maximum(boxes[:, :2], boxes[:, 2:])], 1)
    values = rng.choice(draw(st.lists(scores, min_size=1, max_size=12)), n).astype(np.float32)
    idxs = rng.choice([0, 1, -5, 2**62], n)
    return boxes.astype(real), values.astype(real), idxs


@settings(max_examples=300, deadline=None)
@given(scored_boxes(), THRESHOLDS)
def test_nms_on_any_boxes(case, threshold):
    boxes, scores, idxs = case
    assert losskit.nms(boxes, scores, iou_threshold=threshold).tolist() == reference_nms(
        boxes, scores, threshold
    ).tolist()
    assert losskit.batched_nms(boxes, scores, idxs, iou_threshold=threshold).tolist() == reference_nms(
        boxes, scores, threshold, idxs
    ).tolist()


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("whole", [False, True])
@pytest.mark.parametrize("threshold", [0.0, 1e-9, 0.05, 0.3, 0.5, 0.75, 1.0, -0.1])
def test_nms_on_many_boxes(real, whole, threshold):
    rng = np.random.default_rng(7)
    for n, extent in ((95, 100), (96, 100), (1500, 100), (1500, 500)):
        boxes = random_boxes(rng, n, real, extent, whole=whole)
        scores = (rng.integers(0, 50, n) / 50).astype(real) if whole else rng.random(n).astype(real)
        idxs = rng.integers(0, 3, n)
        assert np.array_equal(
            losskit.nms(boxes, scores, iou_threshold=threshold), reference_nms(boxes, scores, threshold)
        )
        assert np.array_equal(
            losskit.batched_nms(boxes, scores, idxs, iou_threshold=threshold),
            reference_nms(boxes, scores, threshold, idxs),
        )


def awkward_layouts(n, rng):
    base = random_boxes(rng, n, np.float64, 1000, 90)
    yield "alike", np.tile(base[:1], (n, 1))
    giant = base.copy()
    giant[0] = [-500, -500, 1500, 1500]
    yield "giant", giant
    sizes = np.exp(rng.uniform(-30, 30, (n, 2)))
    yield "concentric", np.concatenate([-sizes, sizes], 1)
    strips = np.where((rng.random(n) < 0.5)[:, None], [[1000, 1]], [[1, 1000]])
    yield "strips", np.concatenate([base[:, :2] - strips / 2, base[:, :2] + strips / 2], 1)
    outlier = base.copy() * 1e-3
    outlier[0] = [1e9, 1e9, 1e9 + 64, 1e9 + 64]
    yield "outlier", outlier
    yield "far away", base + 1e6
    yield "tiny", base * 1e-20
    yield "huge", base * 1e16
    mixed = base.copy()
    mixed[::3] *= 1e-22
    mixed[1::7] = np.nan
    mixed[2::11, 2] = np.inf
    mixed[5::13] = mixed[5::13, [2, 3, 0, 1]]
    yield "mixed", mixed


@pytest.mark.parametrize("real", REALS)
def test_nms_on_awkward_layouts(real):
    rng = np.random.default_rng(11)
    n = 400
    scores = rng.random(n).astype(real)
    for name, boxes in awkward_layouts(n, rng):
        boxes = boxes.astype(real)
        for threshold in (0.0, 1e-7, 0.2, 0.5, 0.9, -1.0):
            got = losskit.nms(boxes, scores, iou_threshold=threshold)
            assert np.array_equal(got, reference_nms(boxes, scores, threshold)), (name, threshold)


def test_nms_threshold_is_not_rounded():
    # IoU is 3/10, in single precision a little more than 0.3.
    boxes = np.array([[0, 0, 10, 1], [0, 0, 3, 1]], np.float32)
    scores = np.array([0.9, 0.8], np.float32)
    assert losskit.nms(boxes, scores, iou_threshold=0.3).tolist() == [0]
    assert losskit.nms(boxes, scores, iou_threshold=float(np.float32(0.3))).tolist() == [0, 1]


@pytest.mark.parametrize("n", [1, 2, 39, 40, 41, 500, 2999, 3000, 6000])
@pytest.mark.parametrize("real", REALS)
def test_order_of_scores(n, real):
    """With boxes that do not overlap, nms is the stable descending order of the scores."""
    rng = np.random.default_rng(n)
    boxes = np.zeros((n, 4), real)
    for scores in (
        rng.normal(0, 1, n), np.sort(rng.random(n)), -np.sort(rng.random(n)), rng.integers(-2, 3, n) * 0.0,
        rng.integers(-3, 4, n), np.exp(rng.uniform(-700, 700, n)) * rng.choice([-1, 1], n),
    ):  # fmt: skip
        with np.errstate(over="ignore"):
            scores = scores.astype(real)
        assert np.array_equal(losskit.nms(boxes, scores, iou_threshold=0.5), by_score(scores))


def test_nms_equals_torchvision():
    torch = pytest.importorskip("torch")
    torchvision = pytest.importorskip("torchvision")
    rng = np.random.default_rng(13)
    for trial in range(60):
        n = int(rng.integers(1, 1200))
        boxes = random_boxes(rng, n, np.float32, 200, 60, whole=trial % 2 == 0)
        scores = (rng.integers(0, 30, n) / 30).astype(np.float32)
        for threshold in (0.1, 0.3, 0.5, 0.7):
            theirs = torchvision.ops.nms(torch.from_numpy(boxes), torch.from_numpy(scores), threshold).numpy()
            assert np.array_equal(losskit.nms(boxes, scores, iou_threshold=threshold), theirs)


SOFT_SCORES = st.one_of(st.sampled_from([0.0, 0.5, 1.0, 0.001, -1.0]), st.floats(0, 1, width=32))


@settings(max_examples=300, deadline=None)
@given(
    scored_boxes(SOFT_SCORES), THRESHOLDS, st.sampled_from(["linear", "hard"]),
    st.sampled_from([0.001, 0.3, 0.0, -2.0]), st.sampled_from([None, 0, 1, 7]), st.sampled_from([0, 1]),
)  # fmt: skip
def test_soft_nms_on_any_boxes(case, threshold, method, score_threshold, max_output, offset):
    boxes, scores, idxs = case
    rule = dict(
        method=method, iou_threshold=threshold, score_threshold=score_threshold, max_output=max_output, offset=offset
    )
    for groups in ((), (idxs,)):
        function = losskit.batched_soft_nms if groups else losskit.soft_nms
        indices, new_scores = function(boxes, scores, *groups, **rule)
        want_indices, want_scores = reference_soft_nms(boxes, scores, *groups, **rule)
        assert indices.tolist() == want_indices.tolist()
        assert new_scores.tolist() == want_scores.tolist()


@pytest.mark.parametrize("real, tolerance", [(np.float32, 1e-5), (np.float64, 1e-13)])
@pytest.mark.parametrize("method", ["linear", "gaussian", "hard"])
@pytest.mark.parametrize("offset", [0, 1])
def test_soft_nms_on_many_boxes(real, tolerance, method, offset):
    rng = np.random.default_rng(17)
    for n in (1, 30, 64, 65, 700):
        boxes, scores = random_boxes(rng, n, real), rng.random(n).astype(real)
        idxs = rng.integers(0, 3, n)
        for groups in ((), (idxs,)):
            function = losskit.batched_soft_nms if groups else losskit.soft_nms
            indices, new_scores = function(boxes, scores, *groups, method=method, offset=offset)
            want_indices, want_scores = reference_soft_nms(boxes, scores, *groups, method=method, offset=offset)
            assert np.array_equal(indices, want_indices)
            np.testing.assert_allclose(new_scores, want_scores, rtol=tolerance)


def test_soft_nms_edges():
    # NaN coordinates decay nothing; sigma 0 leaves nothing of what overlaps; the inputs stay as they are.
    boxes = np.array([[0, 0, np.nan, 10], [0, 0, 10, 10], [0, 0, 10, 9]])
    scores = np.array([0.9, 0.8, 0.7])
    indices, new_scores = losskit.soft_nms(boxes, scores, method="gaussian", sigma=0)
    assert indices.tolist() == [0, 1] and new_scores.tolist() == [0.9, 0.8]
    assert scores.tolist() == [0.9, 0.8, 0.7]
    assert [len(x) for x in losskit.soft_nms(np.empty((0, 4)), [])] == [0, 0]


SUPPRESSIONS = {
    "nms": lambda b, s, **k: losskit.nms(b, s, **{"iou_threshold": 0.5, **k}),
    "batched_nms": lambda b, s, **k: losskit.batched_nms(b, s, np.zeros(len(s), int), **{"iou_threshold": 0.5, **k}),
    "soft_nms": losskit.soft_nms,
    "batched_soft_nms": lambda b, s, **k: losskit.batched_soft_nms(b, s, np.zeros(len(s), int), **k),
}


@pytest.mark.parametrize("name", SUPPRESSIONS)
def test_suppression_errors(name):
    function = SUPPRESSIONS[name]
    assert status_of(function, BOXES, [0.1, np.nan, 0.2, 0.3]) == "INVALID_VALUE"
    assert status_of(function, BOXES, SCORES, iou_threshold=np.nan) == "INVALID_PARAMETER"
    assert status_of(function, BOXES, SCORES[:3]) == "INVALID_SHAPE"
    assert status_of(function, BOXES[:, :3], SCORES) == "INVALID_SHAPE"
    if "soft" in name:
        for bad in (
            dict(sigma=-1), dict(sigma=np.nan), dict(score_threshold=np.nan), dict(max_output=-1), dict(offset=2),
            dict(method="quadratic"),
        ):  # fmt: skip
            assert status_of(function, BOXES, SCORES, **bad) == "INVALID_PARAMETER"
    if "batched" in name:
        assert status_of(getattr(losskit, name), BOXES, SCORES, [0.5] * 4, iou_threshold=0.5) == "INVALID_TARGET"
        assert status_of(getattr(losskit, name), BOXES, SCORES, [0] * 3, iou_threshold=0.5) == "INVALID_SHAPE"


# --- Post-processing -------------------------------------------------------------------------------------------------


def reference_postprocess(
    logits, boxes, objectness=None, *, activation="sigmoid", objectness_mode="product", score_threshold=0.05,
    pre_nms_top_k=1000, nms="hard", iou_threshold=0.5, sigma=0.5, soft_score_threshold=0.001, class_agnostic=False,
    multi_label=True, background_index=None, max_detections=300, image_size=None, min_size=0.0,
):  # fmt: skip
    sigmoid = lambda x: 1 / (1 + np.exp(-x))  # noqa: E731
    with np.errstate(all="ignore"):
        scores = {"sigmoid": sigmoid, "softmax": softmax, "none": np.copy}[activation](logits)
        if objectness is not None:
            scores = scores * sigmoid(objectness)[:, None]
            if objectness_mode == "sqrt":
                scores = np.sqrt(scores)
    candidates = []
    for a in range(scores.shape[0]):
        classes = [c for c in range(scores.shape[1]) if c != background_index]
        if not multi_label and classes:
            classes = [max(classes, key=lambda c: (scores[a, c], -c))]
        candidates += [(a, c) for c in classes if scores[a, c] > score_threshold]
    candidates.sort(key=lambda ac: (-scores[ac], ac))
    candidates = candidates[:pre_nms_top_k]
    out = []
    for a, c in candidates:
        box = boxes[a].copy()
        if image_size is not None:
            box[0::2] = box[0::2].clip(0, image_size[1])
            box[1::2] = box[1::2].clip(0, image_size[0])
        if min_size > 0 and (box[2] - box[0] < min_size or box[3] - box[1] < min_size):
            continue
        out.append((box, scores[a, c], c, a))
    b = np.array([o[0] for o in out], boxes.dtype).reshape(-1, 4)
    s = np.array([o[1] for o in out], boxes.dtype)
    labels, anchors = (np.array([o[i] for o in out], np.int64) for i in (2, 3))
    groups = np.zeros(len(s)) if class_agnostic else labels
    if nms == "hard":
        keep, kept_scores = reference_nms(b, s, iou_threshold, groups), None
    elif nms == "none":
        keep, kept_scores = np.arange(len(s)), None
    else:
        keep, kept_scores = reference_soft_nms(
            b, s, groups, method=nms[5:], iou_threshold=iou_threshold, sigma=sigma,
            score_threshold=soft_score_threshold,
        )  # fmt: skip
    keep = keep[:max_detections]
    kept_scores = s[keep] if kept_scores is None else kept_scores[:max_detections]
    return b[keep], kept_scores, labels[keep], anchors[keep]


def check_postprocess(logits, boxes, objectness=None, tolerance=1e-12, **options):
    got = losskit.detection_postprocess(logits, boxes, objectness, **options)
    want = reference_postprocess(logits, boxes, objectness, **options)
    assert got[2].tolist() == want[2].tolist() and got[3].tolist() == want[3].tolist()
    np.testing.assert_allclose(got[0], want[0], rtol=0)
    np.testing.assert_allclose(got[1], want[1], rtol=tolerance, atol=tolerance * 1e-3)
    assert all(x.dtype == logits.dtype for x in got[:2])
    return got


def test_detection_postprocess_examples():
    logits = np.array([[2, -3], [1.5, 0], [-4, 1]])
    boxes = np.array([[0, 0, 10, 10], [1, 1, 11, 11], [20, 20, 30, 30]], np.float64)
    b, s, labels, anchors = losskit.detection_postprocess(logits, boxes)
    assert b.tolist() == [[0, 0, 10, 10], [20, 20, 30, 30], [1, 1, 11, 11]]
    np.testing.assert_allclose(s, [0.8807971, 0.7310586, 0.5], rtol=1e-6)
    assert (labels.tolist(), anchors.tolist()) == ([0, 1, 1], [0, 2, 1])
    b, s, labels, anchors = losskit.detection_postprocess(logits, boxes, nms="soft_gaussian", multi_label=False)
    assert b.tolist() == [[0, 0, 10, 10], [20, 20, 30, 30], [1, 1, 11, 11]]
    np.testing.assert_allclose(s, [0.8807971, 0.7310586, 0.3236661], rtol=1e-6)
    assert (labels.tolist(), anchors.tolist()) == ([0, 1, 0], [0, 2, 1])


@pytest.mark.parametrize("activation", ["sigmoid", "softmax", "none"])
@pytest.mark.parametrize("nms", ["hard", "soft_linear", "soft_gaussian", "none"])
@pytest.mark.parametrize("classes", [1, 2, 5, 16, 23])
def test_detection_postprocess(activation, nms, classes):
    rng = np.random.default_rng(classes)
    n = 150
    logits = rng.normal(-2, 2, (n, classes)) if activation != "none" else rng.random((n, classes))
    boxes = random_boxes(rng, n, np.float64)
    objectness = rng.normal(0, 2, n)
    options = dict(activation=activation, nms=nms)
    check_postprocess(logits, boxes, **options)
    check_postprocess(logits, boxes, objectness, **options)
    check_postprocess(logits, boxes, objectness, objectness_mode="sqrt", multi_label=False, **options)
    check_postprocess(logits, boxes, background_index=classes - 1, class_agnostic=True, **options)
    check_postprocess(logits, boxes, background_index=0, multi_label=False, **options)
    check_postprocess(logits, boxes, pre_nms_top_k=40, max_detections=17, score_threshold=0.01, **options)
    check_postprocess(logits, boxes, image_size=(60, 80), min_size=5.0, score_threshold=0.2, **options)
    check_postprocess(logits.astype(np.float32), boxes.astype(np.float32), tolerance=1e-5, **options)


@settings(max_examples=200, deadline=None)
@given(
    hnp.arrays(
        np.float64, st.tuples(st.integers(0, 60), st.integers(0, 9)),
        elements=st.sampled_from([0, 0.1, 0.2, 0.5, 1, 2, -1]),
    ),
    st.sampled_from([-2.0, 0.0, 0.1, 0.3, 1.0]), st.integers(0, 50), st.booleans(), st.integers(0, 40),
)  # fmt: skip
def test_detection_postprocess_ties(scores, threshold, top_k, multi_label, max_detections):
    """Tied scores: which are selected, and in which order, is fixed."""
    boxes = np.zeros((len(scores), 4))
    options = dict(pre_nms_top_k=top_k, multi_label=multi_label, max_detections=max_detections)
    for real in REALS:
        check_postprocess(
            scores.astype(real), boxes.astype(real), activation="none", nms="none", tolerance=0,
            score_threshold=float(real(threshold)), **options,
        )  # fmt: skip


@pytest.mark.parametrize("real", REALS)
def test_detection_postprocess_selects_among_many(real):
    """More candidates than the buffer holds, ascending (the worst order for it), descending and tied."""
    rng = np.random.default_rng(1)
    boxes = np.zeros((3000, 4), real)
    for scores in (np.arange(1, 6001), np.arange(6000, 0, -1), rng.integers(1, 9, 6000), rng.random(6000)):
        scores = (scores / 6001).astype(real).reshape(3000, 2)
        for top_k in (1, 2, 99, 2999, 3000, 5999, 6000, 10**9):
            options = dict(activation="none", nms="none", score_threshold=0.0, max_detections=10**9)
            check_postprocess(scores, boxes, pre_nms_top_k=top_k, tolerance=0, **options)


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("mode", [None, "product", "sqrt"])
def test_detection_postprocess_thresholds(real, mode):
    """Logits at and around the threshold: what decides is the score, as computed."""
    for threshold in (1e-6, 0.001, 0.05, 0.3, 0.5, 0.9, 0.999, 1 - 1e-7, 1.0, 0.0, -1.0):
        inner = np.clip(threshold, 1e-7, 1 - 1e-7)
        logit = np.log(inner / (1 - inner))
        logits = (logit + np.linspace(-1e-3, 1e-3, 401)).astype(real).reshape(-1, 1)
        boxes = np.zeros((len(logits), 4), real)
        objectness = None if mode is None else np.full(len(logits), 40, real)  # o = 1
        options = dict(objectness_mode=mode or "product", nms="none", max_detections=10**6)
        all_scores = np.empty(len(logits), real)
        _, s, _, a = losskit.detection_postprocess(logits, boxes, objectness, score_threshold=-1.0, **options)
        all_scores[a] = s
        _, _, _, a = losskit.detection_postprocess(logits, boxes, objectness, score_threshold=threshold, **options)
        assert sorted(a) == np.flatnonzero(all_scores.astype(np.float64) > threshold).tolist()


def test_detection_postprocess_edges():
    boxes = np.zeros((2, 4))
    empty = losskit.detection_postprocess(np.empty((0, 3)), np.empty((0, 4)))
    assert [x.shape for x in empty] == [(0, 4), (0,), (0,), (0,)]
    assert len(losskit.detection_postprocess(np.empty((2, 0)), boxes)[0]) == 0
    assert len(losskit.detection_postprocess([[5.0], [5.0]], boxes, background_index=0)[0]) == 0
    # NaN coordinates are no reason to drop a detection, nor does clipping hide them.
    nan = losskit.detection_postprocess([[5.0]], [[np.nan, -1, 9, 9]], image_size=(5, 5), min_size=1)[0]
    assert np.array_equal(nan, [[np.nan, 0, 5, 5]], equal_nan=True)
    # -inf is a masked class.
    masked = losskit.detection_postprocess([[-np.inf, 0.0], [1.0, -np.inf]], boxes, activation="softmax", nms="none")
    assert masked[1].tolist() == [1, 1] and masked[2].tolist() == [1, 0]


def test_detection_postprocess_errors():
    logits, boxes = np.zeros((3, 2)), np.zeros((3, 4))
    run = losskit.detection_postprocess
    for bad in (
        dict(score_threshold=np.nan), dict(iou_threshold=np.nan), dict(sigma=-1), dict(sigma=np.nan),
        dict(soft_score_threshold=np.nan), dict(pre_nms_top_k=-1), dict(max_detections=-1), dict(min_size=np.nan),
        dict(background_index=2), dict(background_index=-1), dict(image_size=(-1, 1)), dict(image_size=(1, np.nan)),
        dict(activation="relu"), dict(objectness_mode="sum"), dict(nms="fast"),
    ):  # fmt: skip
        assert status_of(run, logits, boxes, **bad) == "INVALID_PARAMETER", bad
    assert status_of(run, logits, boxes[:2]) == "INVALID_SHAPE"
    assert status_of(run, logits[0], boxes) == "INVALID_SHAPE"
    assert status_of(run, logits, boxes, np.zeros(2)) == "INVALID_SHAPE"
    for activation in ("sigmoid", "softmax", "none"):
        for multi_label in (True, False):
            for place in (0, 5):
                poisoned = np.full((3, 2), -90.0)
                poisoned.flat[place] = np.nan
                options = dict(activation=activation, multi_label=multi_label)
                assert status_of(run, poisoned, boxes, **options) == "INVALID_VALUE"
                assert status_of(run, poisoned, boxes, pre_nms_top_k=0, **options) == "INVALID_VALUE"
        assert status_of(run, logits - 90, boxes, [0, np.nan, 0], activation=activation) == "INVALID_VALUE"


# --- The C interface -------------------------------------------------------------------------------------------------

STATUS = {name.upper(): value for name, value in _core._prototypes.ENUMS["Status"].items()}


class Call:
    """A raw call with named arguments, and outputs that show whether they were written."""

    SENTINEL = 77

    def __init__(self, name, real, outputs=(), count=None, /, **arguments):
        self.name, self.real, self.arguments = name, real, arguments
        self.outputs, self.count = outputs, count

    def __call__(self, **changes):
        kinds = dict(_core._prototypes.FUNCTIONS[self.name][1])
        values = {**self.arguments, **changes}
        for name in self.outputs:
            if values[name] is not None:
                values[name].fill(self.SENTINEL)
        if values.get(self.count) is not None:
            values[self.count].fill(self.SENTINEL)
        dtype = np.dtype(self.real) if _core._prototypes.FUNCTIONS[self.name][0] else None
        status = _core.call_status(self.name, dtype, *(values[name] for name in kinds))
        if status not in (STATUS["OK"],):
            for name in self.outputs:
                assert values[name] is None or (values[name] == self.SENTINEL).all(), f"{name} was written"
            if status != STATUS["BUFFER_TOO_SMALL"] and values.get(self.count) is not None:
                assert values[self.count] == self.SENTINEL
        return status


def interface(real):
    """Every function with arguments that are in order: (call, required pointers, sizes)."""
    n = 4
    boxes, scores, idxs = BOXES.astype(real), SCORES.astype(real), np.array([0, 1, 0, 0])
    four = lambda: np.empty((n, 4), real)  # noqa: E731
    long = lambda: np.empty(n, np.int64)  # noqa: E731
    count = lambda: np.empty((), np.int64)  # noqa: E731
    weights = dict(weight_x=1.0, weight_y=1.0, weight_width=1.0, weight_height=1.0, clip=4.0)
    size = dict(has_image_size=True, height=9.0, width=9.0)
    scored = dict(boxes=boxes, scores=scores, count=n)
    capacity = dict(capacity=n, workspace=None, workspace_size=0)
    soft = dict(
        method="gaussian", iou_threshold=0.3, sigma=0.5, score_threshold=0.001, max_output=n, offset=0.0,
        indices=long(), new_scores=np.empty(n, real), selected_count=count(), **capacity,
    )  # fmt: skip
    yield Call(
        "box_iou", real, ["iou"], boxes1=boxes, boxes2=boxes, count1=n, count2=n, offset=0.0, iou=four()
    ), ["boxes1", "boxes2", "iou"], ["count1", "count2"]
    yield Call(
        "decode_boxes", real, ["boxes"], deltas=boxes, anchors=boxes, count=n, boxes=four(), **weights
    ), ["deltas", "anchors", "boxes"], ["count"]
    yield Call(
        "decode_boxes_vjp", real, ["grad_deltas"], deltas=boxes, anchors=boxes, grad_output=boxes, count=n,
        grad_deltas=four(), **weights,
    ), ["deltas", "anchors", "grad_output", "grad_deltas"], ["count"]  # fmt: skip
    points = np.ones((n, 2), real)
    yield Call(
        "distance_to_box", real, ["boxes"], points=points, distances=boxes, count=n, boxes=four(), **size
    ), ["points", "distances", "boxes"], ["count"]
    yield Call(
        "distance_to_box_vjp", real, ["grad_distances"], points=points, distances=boxes, grad_output=boxes, count=n,
        grad_distances=four(), **size,
    ), ["points", "distances", "grad_output", "grad_distances"], ["count"]  # fmt: skip
    logits = np.ones((n, 12), real)
    yield Call(
        "dfl_decode", real, ["distances"], logits=logits, count=n, reg_max=2, distances=four()
    ), ["logits", "distances"], ["count"]
    yield Call(
        "dfl_decode_vjp", real, ["grad_logits"], logits=logits, grad_output=boxes, count=n, reg_max=2,
        grad_logits=np.empty((n, 12), real),
    ), ["logits", "grad_output", "grad_logits"], ["count"]  # fmt: skip
    yield Call(
        "nms", real, ["keep"], "kept_count", iou_threshold=0.5, keep=long(), kept_count=count(), **scored, **capacity
    ), ["boxes", "scores", "keep", "kept_count"], ["count", "capacity"]
    yield Call(
        "batched_nms", real, ["keep"], "kept_count", idxs=idxs, iou_threshold=0.5, keep=long(), kept_count=count(),
        **scored, **capacity,
    ), ["boxes", "scores", "idxs", "keep", "kept_count"], ["count", "capacity"]  # fmt: skip
    yield Call(
        "soft_nms", real, ["indices", "new_scores"], "selected_count", **scored, **soft
    ), ["boxes", "scores", "selected_count"], ["count", "capacity"]
    yield Call(
        "batched_soft_nms", real, ["indices", "new_scores"], "selected_count", idxs=idxs, **scored, **soft
    ), ["boxes", "scores", "idxs", "selected_count"], ["count", "capacity"]
    outputs = ["detection_boxes", "detection_scores", "labels", "anchor_indices"]
    yield Call(
        "detection_postprocess", real, outputs, "detection_count", logits=np.ones((n, 1), real), boxes=boxes,
        objectness=None, anchors=n, classes=1, activation="sigmoid", objectness_mode="product", score_threshold=0.05,
        pre_nms_top_k=n, suppression="none", iou_threshold=0.5, sigma=0.5, soft_score_threshold=0.001,
        class_agnostic=False, multi_label=True, background_index=-1, max_detections=n, has_image_size=False,
        image_height=0.0, image_width=0.0, min_size=0.0, detection_boxes=four(), detection_scores=np.empty(n, real),
        labels=long(), anchor_indices=long(), detection_count=count(), **capacity,
    ), ["logits", "boxes", "detection_count"], ["anchors", "classes", "capacity"]  # fmt: skip
    for name, sizes in (
        ("nms_workspace_size", {"count": n}),
        ("soft_nms_workspace_size", {"count": n}),
        ("detection_postprocess_workspace_size", {"anchors": n, "classes": 3, "pre_nms_top_k": 5}),
    ):
        yield Call(name, None, [], "size", size=count(), **sizes), ["size"], [k for k in sizes if k != "pre_nms_top_k"]


CALLS = {f"{call.name}-{real.__name__}": (call, *rest) for real in REALS for call, *rest in interface(real)}


@pytest.mark.parametrize("name", CALLS)
def test_interface_refuses(name):
    call, pointers, sizes = CALLS[name]
    assert call() == STATUS["OK"]
    for pointer in pointers:
        assert call(**{pointer: None}) == STATUS["NULL_POINTER"], pointer
    for size in sizes:
        for bad in (-1, -(2**63)) if size == "capacity" else (-1, -(2**63), 2**63 - 1, 2**62):
            assert call(**{size: bad}) == STATUS["INVALID_SHAPE"], (size, bad)
    if call.count in ("kept_count", "selected_count") or call.name.endswith("nms_workspace_size"):
        assert call(count=INT32_MAX + 1) == STATUS["INVALID_SHAPE"]


@pytest.mark.parametrize("name", [name for name, (call, *_) in CALLS.items() if "capacity" in call.arguments])
def test_capacity(name):
    """Too small a capacity: the number needed is reported, and nothing else is written."""
    call, *_ = CALLS[name]
    assert call() == STATUS["OK"]
    needed = int(call.arguments[call.count])
    assert needed > 0
    for capacity in range(needed):
        assert call(capacity=capacity) == STATUS["BUFFER_TOO_SMALL"]
        assert call.arguments[call.count] == needed
    assert call(capacity=needed) == STATUS["OK"]
    assert call(capacity=0, **{output: None for output in call.outputs}) == STATUS["BUFFER_TOO_SMALL"]
    assert call.arguments[call.count] == needed


@pytest.mark.parametrize("name", [name for name, (call, *_) in CALLS.items() if "workspace" in call.arguments])
def test_workspace(name):
    """A workspace of the size that is asked for suffices wherever it begins, and is not overrun."""
    call, *_ = CALLS[name]
    assert call() == STATUS["OK"]
    want = [call.arguments[output].copy() for output in call.outputs]
    size = np.empty((), np.int64)
    if call.name == "detection_postprocess":
        sizes = [call.arguments[k] for k in ("anchors", "classes", "pre_nms_top_k")]
    else:
        sizes = [call.arguments["count"]]
    function = call.name.removeprefix("batched_") + "_workspace_size"
    assert _core.call_status(function, None, *sizes, size) == STATUS["OK"]
    room = int(size)
    for start in (64, 65, 79, 100):
        memory = np.full(room + 256, 170, np.uint8)
        workspace = memory[start : start + room]
        assert call(workspace=workspace, workspace_size=room) == STATUS["OK"]
        for output, expected in zip(call.outputs, want):
            assert np.array_equal(call.arguments[output], expected)
        assert (memory[:start] == 170).all() and (memory[start + room :] == 170).all()
    assert call(workspace=workspace, workspace_size=0) == STATUS["BUFFER_TOO_SMALL"]
    assert call.arguments[call.count] == Call.SENTINEL
    assert call(workspace=workspace, workspace_size=-1) == STATUS["BUFFER_TOO_SMALL"]


@pytest.mark.parametrize("real", REALS)
def test_workspaces_suffice_for_many(real):
    rng = np.random.default_rng(23)
    n = 1000
    boxes, scores = random_boxes(rng, n, real), rng.random(n).astype(real)
    size, kept, keep, new = np.empty((), np.int64), np.empty((), np.int64), np.empty(n, np.int64), np.empty(n, real)
    idxs = rng.integers(0, 5, n)
    dtype = np.dtype(real)
    _core.call("nms_workspace_size", None, n, size)
    memory = np.full(int(size) + 64, 170, np.uint8)
    _core.call("batched_nms", dtype, boxes, scores, idxs, n, 0.5, keep, n, kept, memory, int(size))
    assert (memory[int(size) :] == 170).all()
    assert np.array_equal(keep[: int(kept)], losskit.batched_nms(boxes, scores, idxs, iou_threshold=0.5))
    _core.call("soft_nms_workspace_size", None, n, size)
    memory = np.full(int(size) + 64, 170, np.uint8)
    _core.call(
        "batched_soft_nms", dtype, boxes, scores, idxs, n, "linear", 0.3, 0.5, 0.001, n, 0.0, keep, new, n, kept,
        memory, int(size),
    )  # fmt: skip
    assert (memory[int(size) :] == 170).all()
    assert np.array_equal(keep[: int(kept)], losskit.batched_soft_nms(boxes, scores, idxs)[0])


def test_nothing_needs_no_pointers():
    count = np.full((), 9, np.int64)
    dtype = np.dtype(np.float32)
    _core.call("nms", dtype, None, None, 0, 0.5, None, 0, count, None, 0)
    assert count == 0
    _core.call("box_iou", dtype, None, None, 0, 5, 0.0, None)
    _core.call("decode_boxes", dtype, None, None, 0, 1.0, 1.0, 1.0, 1.0, 4.0, None)


@pytest.mark.parametrize("name", CALLS)
def test_stays_inside_its_arrays(name):
    """Every array ends where readable memory ends."""
    call, *_ = CALLS[name]
    guarded = {}
    for argument, value in call.arguments.items():
        if isinstance(value, np.ndarray):
            guarded[argument] = at_end_of_memory(value)
    assert call(**guarded) == STATUS["OK"]


def at_end_of_memory(array):
    page = mmap.PAGESIZE
    pages = -(-array.nbytes // page) + 1
    memory = mmap.mmap(-1, pages * page)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mprotect(ctypes.c_void_p(address + (pages - 1) * page), page, 0) == 0
    start = (pages - 1) * page - array.nbytes
    copy = np.frombuffer(memory, array.dtype, array.size, start).reshape(array.shape)
    copy[...] = array
    return copy


def test_workspace_of_no_logits_is_small():
    size = np.full((), -1, np.intp)
    for anchors, classes in ((0, 2**31 - 1), (2**31 - 1, 0), (0, 0)):
        _core.call("detection_postprocess_workspace_size", None, anchors, classes, 1000, size)
        assert 0 <= size < 1024


# --- The same bits on every instruction set --------------------------------------------------------------------------

FINGERPRINT = """
import ctypes, hashlib, numpy as np, losskit
from losskit import _core
rng = np.random.default_rng(0)
exact, fused = hashlib.sha256(), hashlib.sha256()
for real in (np.float32, np.float64):
    for n in (3, 50, 1500):
        center, size = rng.random((n, 2)) * 200, rng.random((n, 2)) * 60
        boxes = np.concatenate([center - size / 2, center + size / 2], 1).astype(real)
        scores, idxs = rng.random(n).astype(real), rng.integers(0, 3, n)
        logits, objectness = rng.normal(-2, 2, (n, 5)).astype(real), rng.normal(0, 1, n).astype(real)
        results = [
            losskit.nms(boxes, scores, iou_threshold=0.5), losskit.batched_nms(boxes, scores, idxs, iou_threshold=0.3),
            *losskit.soft_nms(boxes, scores), *losskit.batched_soft_nms(boxes, scores, idxs, method="hard"),
            losskit.box_iou(boxes[:60], boxes), losskit.distance_to_box(boxes[:, :2], boxes, height=90, width=90),
        ]
        for result in results:
            exact.update(np.ascontiguousarray(result).tobytes())
        results = [
            *losskit.soft_nms(boxes, scores, method="gaussian"), losskit.decode_boxes(boxes / 99, boxes),
            losskit.decode_boxes_vjp(boxes / 99, boxes, boxes), losskit.dfl_decode(np.resize(boxes / 50, (n, 68))),
            losskit.dfl_decode_vjp(np.resize(boxes / 50, (n, 68)), boxes),
            *losskit.detection_postprocess(logits, boxes, objectness),
            *losskit.detection_postprocess(logits, boxes, activation="softmax", nms="soft_gaussian"),
        ]
        for result in results:
            fused.update(np.ascontiguousarray(result).tobytes())
print(_core.library.losskit_isa_name().decode(), exact.hexdigest(), fused.hexdigest())
"""


def test_same_bits_on_every_instruction_set():
    found = {}
    for isa in ("baseline", "avx2", "avx512", "neon"):
        run = subprocess.run(
            [sys.executable, "-c", FINGERPRINT],
            env={**os.environ, "LOSSKIT_ISA": isa, "PYTHONPATH": os.pathsep.join(sys.path)},
            capture_output=True,
            text=True,
        )
        assert run.returncode == 0, run.stderr
        name, exact, fused = run.stdout.split()
        found[name] = (exact, fused)
    # Nothing but exp and the sums of products that use FMA differs, and those on the baseline alone.
    assert len({exact for exact, _ in found.values()}) == 1
    assert len({fused for name, (_, fused) in found.items() if name != "baseline"}) == 1
