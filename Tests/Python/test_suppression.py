"""The variants of non-maximum suppression against loops and matrices written from their definitions."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from support import RawCall, assert_close, assert_error, assert_same_bits
from test_detection import (
    BOXES, REALS, SCORES, SOFT_SCORES, THRESHOLDS, awkward_layouts, by_score, random_boxes, reference_iou,
    reference_nms, reference_soft_nms, scored_boxes,
)  # fmt: skip

import losskit

# --- References, in the precision of the arrays ----------------------------------------------------------------------


def penalty(box, others, beta, eps):
    """(ρ²/(c² + eps))^beta"""
    real = others.dtype.type
    with np.errstate(all="ignore"):
        dx, dy = (((box[k] + box[k + 2]) - (others[:, k] + others[:, k + 2])) * real(0.5) for k in (0, 1))
        w, h = (np.maximum(box[k + 2], others[:, k + 2]) - np.minimum(box[k], others[:, k]) for k in (0, 1))
        return ((dx * dx + dy * dy) / (w * w + h * h + real(eps))) ** real(beta)


def measures(boxes, beta=None, eps=1e-7):
    """All pairs: IoU, or with ``beta`` the distance-IoU; in double precision, to be compared with thresholds."""
    rows = []
    for box in boxes:
        row = reference_iou(box, boxes)
        with np.errstate(all="ignore"):
            rows.append(row if beta is None else row - penalty(box, boxes, beta, eps))
    return np.array(rows, np.float64).reshape(len(boxes), len(boxes))


def greedy(matrix, threshold):
    keep = []
    for j in range(len(matrix)):
        if not any(matrix[i, j] > threshold for i in keep):
            keep.append(j)
    return keep


def reference_diou_nms(boxes, scores, *, iou_threshold=0.5, beta=1.0, eps=1e-7):
    order = by_score(scores)
    return order[greedy(measures(boxes[order], beta, eps), iou_threshold)]


def clusters(matrix, threshold, max_iter):
    """Which columns Cluster-NMS keeps: its iteration, with the matrix masked by rows."""
    exceeds = np.triu(matrix > threshold, 1)
    kept = np.ones(len(matrix), bool)
    for _ in range(min(max_iter, len(matrix) + 1)):
        kept = ~(exceeds & kept[:, None]).any(0)
    return kept


def reference_fast_nms(boxes, scores, *, iou_threshold=0.5, top_k=200):
    order = by_score(scores)[:top_k]
    return order[clusters(measures(boxes[order]), iou_threshold, 1)]


def reference_cluster_nms(
    boxes, scores, *, iou_threshold=0.5, top_k=200, metric="iou", beta=0.9, max_iter=200, eps=1e-7
):
    order = by_score(scores)[:top_k]
    matrix = measures(boxes[order], beta if metric == "diou" else None, eps)
    return order[clusters(matrix, iou_threshold, max_iter)]


def reference_cluster_nms_spm(
    boxes, scores, *, iou_threshold=0.5, top_k=200, sigma=0.2, distance=False, weighted=False, beta=0.6, merge_iou=0.8,
    min_score=0.01, max_iter=200, eps=1e-7,
):  # fmt: skip
    order = by_score(scores)[:top_k]
    real, wide = boxes.dtype.type, boxes[order].astype(np.float64)
    matrix = measures(boxes[order])
    kept = clusters(matrix, iou_threshold, max_iter)
    overlap = np.triu(np.nan_to_num(measures(wide)), 1) * kept[:, None]
    with np.errstate(all="ignore"):
        p = np.where(overlap > 0, np.exp(-(overlap**2) / sigma), 1.0)
        if distance:
            pull = np.array([penalty(box, wide, beta, eps) for box in wide]).reshape(overlap.shape)
            p = np.where(overlap > 0, np.minimum(1, p + pull), 1.0)
    new_scores = scores[order].astype(np.float64) * p.prod(0)
    boxes = boxes[order].astype(np.float64)
    if weighted:
        merges = np.triu(np.nan_to_num(matrix), 1) * kept[:, None] > merge_iou
        weights = np.where(merges, overlap, 0) * new_scores + np.diag(new_scores)
        for i in np.flatnonzero((weights.sum(1) != 0) & merges.any(1)):
            some = weights[i] != 0
            boxes[i] = weights[i, some] @ wide[some] / weights[i].sum()
    selected = new_scores > min_score
    return boxes[selected], new_scores[selected], order[selected]


def corners(rectangles):
    with np.errstate(all="ignore"):
        return np.concatenate([rectangles[:, :2], rectangles[:, :2] + rectangles[:, 2:]], 1)


def cv_overlap(rectangles):
    """All pairs of (x, y, width, height)."""
    with np.errstate(all="ignore"):
        area, boxes = rectangles[:, 2] * rectangles[:, 3], corners(rectangles)
        zero = rectangles.dtype.type(0)
        w, h = (
            np.maximum(np.minimum.outer(boxes[:, k + 2], boxes[:, k + 2]) - np.maximum.outer(boxes[:, k], boxes[:, k]), zero)
            for k in (0, 1)
        )  # fmt: skip
        both, intersection = np.add.outer(area, area), w * h
        union = both - intersection
        overlap = np.where(union == 0, zero, intersection / union)
        overlap = np.where(both.astype(np.float64) <= 2.220446049250313e-16, zero + 1, overlap)
        unknown = np.isnan(boxes).any(1)
        overlap[unknown], overlap[:, unknown] = np.nan, np.nan
    return overlap


def reference_cv_nms_boxes(rectangles, scores, *, score_threshold, nms_threshold, eta=1.0, top_k=0):
    overlap, threshold, keep = cv_overlap(rectangles).astype(np.float64), nms_threshold, []
    candidates = [i for i in by_score(scores) if scores[i] > score_threshold]
    for j in candidates[: top_k or None]:
        if not (overlap[j, keep] > threshold).any():
            keep.append(j)
            if eta < 1 and threshold > 0.5:
                threshold *= eta
    return np.array(keep, np.int64)


def reference_cv_soft_nms_boxes(
    rectangles, scores, *, score_threshold, nms_threshold, top_k=0, sigma=0.5, method="gaussian"
):
    real, overlap, scores = rectangles.dtype.type, cv_overlap(rectangles), scores.copy()
    remaining, indices, updated = np.ones(len(scores), bool), [], []
    while remaining.any() and len(indices) < (top_k or len(scores)):
        best = scores[remaining].max()
        i = np.flatnonzero(remaining & (scores == best))[0]
        if float(best) < score_threshold:
            break
        indices.append(i)
        updated.append(best)
        remaining[i] = False
        with np.errstate(all="ignore"):
            if method == "linear":
                scores = np.where(overlap[i].astype(np.float64) > nms_threshold, scores * (real(1) - overlap[i]), scores)
            else:
                decayed = scores * np.exp(-(overlap[i] * overlap[i]) / real(sigma))
                scores = np.where(overlap[i] > 0, decayed, scores)
    return np.array(updated, real), np.array(indices, np.int64)


def reference_onnx(
    boxes, scores, *, max_output_boxes_per_class=0, iou_threshold=0.0, score_threshold=None, center_point_box=0
):
    if center_point_box:
        half = boxes[..., 2:] / boxes.dtype.type(2)
        boxes = np.concatenate([boxes[..., :2] - half, boxes[..., :2] + half], -1)
    pairs = boxes.reshape(*boxes.shape[:2], 2, 2)
    boxes = np.concatenate([pairs.min(2), pairs.max(2)], -1)  # NaN in both where one is
    selected = []
    for batch, label in np.ndindex(scores.shape[:2]):
        values = scores[batch, label]
        above = np.ones(len(values), bool) if score_threshold is None else values > score_threshold
        candidates = np.flatnonzero(above)
        keep = reference_nms(boxes[batch, candidates], values[candidates], iou_threshold)
        selected += [(batch, label, box) for box in candidates[keep][:max_output_boxes_per_class]]
    return np.array(selected, np.int64).reshape(-1, 3)


def reference_matrix_nms(iou, scores, labels=None, *, kernel="gaussian", sigma=2.0):
    order = by_score(scores)
    labels = np.zeros(len(scores)) if labels is None else labels
    m = np.nan_to_num(iou[np.ix_(order, order)].astype(np.float64))
    m = np.where(labels[order][:, None] == labels[order], m, 0)
    f = {"gaussian": lambda x: np.exp(-sigma * x * x), "linear": lambda x: 1 - x}[kernel]
    result = scores.astype(np.float64)
    c = [max(m[:i, i], default=0) for i in range(len(m))]
    for j in range(len(m)):
        for i in range(j):
            with np.errstate(all="ignore"):
                quotient = np.float64(f(m[i, j])) / np.float64(f(c[i]))
            quotient = 1 if np.isnan(quotient) else quotient
            result[order[j]] = min(result[order[j]], scores[order[j]] * quotient)
    return result


# --- Examples --------------------------------------------------------------------------------------------------------


def test_examples():
    assert losskit.diou_nms(BOXES, SCORES).tolist() == [0, 3]
    rows = losskit.onnx_non_max_suppression(
        BOXES[None], SCORES[None, None], max_output_boxes_per_class=3, iou_threshold=0.5
    )
    assert rows.tolist() == [[0, 0, 0], [0, 0, 3]]
    rectangles, scores = [[0, 0, 10, 10], [1, 1, 10, 10], [20, 20, 5, 5]], [0.9, 0.8, 0.7]
    rule = dict(score_threshold=0.1, nms_threshold=0.3)
    assert losskit.cv_nms_boxes(rectangles, scores, **rule).tolist() == [0, 2]
    updated, indices = losskit.cv_soft_nms_boxes(rectangles, scores, **rule)
    assert indices.tolist() == [0, 2, 1]
    np.testing.assert_allclose(updated, [0.9, 0.7, 0.3167086], rtol=1e-6)
    iou = losskit.box_iou(BOXES, BOXES)
    np.testing.assert_allclose(losskit.matrix_nms(iou, SCORES), [0.9, 0.3167086, 0.1385291, 0.6], rtol=1e-6)
    linear = losskit.matrix_nms(iou, SCORES, kernel="linear")
    np.testing.assert_allclose(linear, [0.9, 0.2554622, 0.07, 0.6], rtol=1e-6)
    assert losskit.fast_nms(BOXES, SCORES).tolist() == [0, 3]
    assert losskit.cluster_nms(BOXES, SCORES, metric="diou").tolist() == [0, 3]
    boxes, updated, indices = losskit.cluster_nms_spm(BOXES, SCORES)
    assert np.array_equal(boxes, BOXES) and indices.tolist() == [0, 1, 2, 3]
    np.testing.assert_allclose(updated, [0.9, 0.0788887, 0.01219566, 0.6], rtol=1e-6)


# --- Boxes that are kept ---------------------------------------------------------------------------------------------

KEEPING = {
    "diou_nms": (losskit.diou_nms, reference_diou_nms, [{}]),
    "fast_nms": (losskit.fast_nms, reference_fast_nms, [{}, dict(top_k=7), dict(top_k=0)]),
    "cluster_nms": (
        losskit.cluster_nms,
        reference_cluster_nms,
        [{}, dict(max_iter=0), dict(max_iter=1), dict(max_iter=2), dict(max_iter=3, top_k=60),
         dict(metric="diou", beta=1.0), dict(metric="diou", beta=1.0, max_iter=2)],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", KEEPING)
@settings(max_examples=120, deadline=None)
@given(scored_boxes(), THRESHOLDS, st.integers(0, 6))
def test_keeps_of_any_boxes(name, case, threshold, choice):
    function, reference, rules = KEEPING[name]
    boxes, scores, _ = case
    rule = dict(rules[choice % len(rules)], iou_threshold=threshold)
    assert function(boxes, scores, **rule).tolist() == reference(boxes, scores, **rule).tolist()


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("name", KEEPING)
def test_keeps_of_many_boxes(name, real):
    """Below and above the sizes at which neighbours are found in other ways."""
    function, reference, rules = KEEPING[name]
    rng = np.random.default_rng(5)
    for n, extent in ((1, 100), (70, 50), (300, 100), (1100, 200)):
        boxes, scores = random_boxes(rng, n, real, extent), (rng.integers(0, n, n) / n).astype(real)
        for rule in rules:
            for threshold in (0.0, 0.3, 0.6):
                rule = dict(rule, iou_threshold=threshold)
                if "top_k" not in rule and name != "diou_nms":
                    rule["top_k"] = n
                assert np.array_equal(function(boxes, scores, **rule), reference(boxes, scores, **rule)), rule


def test_diou_nms_with_a_power():
    rng = np.random.default_rng(6)
    for beta in (0.0, 0.4, 0.9, 2.0):
        boxes, scores = random_boxes(rng, 400, np.float64), rng.random(400)
        for threshold in (-0.5, 0.1, 0.4):
            rule = dict(iou_threshold=threshold, beta=beta, eps=1e-3)
            assert np.array_equal(losskit.diou_nms(boxes, scores, **rule), reference_diou_nms(boxes, scores, **rule))


def test_cluster_nms_is_nms():
    rng = np.random.default_rng(7)
    boxes, scores = random_boxes(rng, 500, np.float32), rng.random(500).astype(np.float32)
    expected = losskit.nms(boxes, scores, iou_threshold=0.3)
    assert np.array_equal(losskit.cluster_nms(boxes, scores, iou_threshold=0.3, top_k=500, max_iter=500), expected)
    best = np.argsort(-scores)[:200]
    expected = best[losskit.nms(boxes[best], scores[best], iou_threshold=0.3)]
    assert np.array_equal(losskit.cluster_nms(boxes, scores, iou_threshold=0.3), expected)


# --- OpenCV's ---------------------------------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(
    scored_boxes(), THRESHOLDS, st.sampled_from([-np.inf, 0.0, 0.5]), st.sampled_from([1.0, 0.9, 0.5, 2.0]),
    st.sampled_from([0, 1, 7, 1000]),
)  # fmt: skip
def test_cv_nms_of_any_boxes(case, threshold, score_threshold, eta, top_k):
    rectangles, scores, _ = case
    rule = dict(score_threshold=score_threshold, nms_threshold=threshold, eta=eta, top_k=top_k)
    got = losskit.cv_nms_boxes(rectangles, scores, **rule)
    assert got.tolist() == reference_cv_nms_boxes(rectangles, scores, **rule).tolist()


@pytest.mark.parametrize("real", REALS)
def test_cv_nms_of_many_boxes(real):
    rng = np.random.default_rng(8)
    for n, extent in ((70, 50), (300, 100), (1100, 200)):
        boxes, scores = random_boxes(rng, n, real, extent), rng.random(n).astype(real)
        boxes[:, 2:] -= boxes[:, :2]
        boxes[::9, 2] = 0
        for threshold in (0.2, 0.7, 0.95):
            for eta in (1.0, 0.99, 0.6):
                rule = dict(score_threshold=0.1, nms_threshold=threshold, eta=eta)
                got = losskit.cv_nms_boxes(boxes, scores, **rule)
                assert np.array_equal(got, reference_cv_nms_boxes(boxes, scores, **rule)), rule


def test_cv_empty_boxes_overlap():
    """Two boxes without area overlap by 1, wherever they are."""
    rectangles, scores = [[0, 0, 0, 5], [90, 90, 0, 0], [0, 0, 5, 5], [1, 1, 1e-9, 1e-9]], [0.9, 0.8, 0.7, 0.6]
    rule = dict(score_threshold=0.0, nms_threshold=0.5)
    assert losskit.cv_nms_boxes(rectangles, scores, **rule).tolist() == [0, 2]
    updated, indices = losskit.cv_soft_nms_boxes(rectangles, scores, **rule, method="linear")
    assert indices.tolist() == [0, 2, 1, 3] and updated.tolist() == [0.9, 0.7, 0, 0]
    assert losskit.cv_nms_boxes(rectangles, scores, score_threshold=0, nms_threshold=1).tolist() == [0, 1, 2, 3]


@settings(max_examples=150, deadline=None)
@given(
    scored_boxes(SOFT_SCORES), THRESHOLDS, st.sampled_from([0.001, 0.3, 0.0, -2.0]), st.sampled_from([0, 1, 7]),
)  # fmt: skip
def test_cv_soft_nms_of_any_boxes(case, threshold, score_threshold, top_k):
    rectangles, scores, _ = case
    rule = dict(method="linear", nms_threshold=threshold, score_threshold=score_threshold, top_k=top_k)
    updated, indices = losskit.cv_soft_nms_boxes(rectangles, scores, **rule)
    want_updated, want_indices = reference_cv_soft_nms_boxes(rectangles, scores, **rule)
    assert indices.tolist() == want_indices.tolist() and updated.tolist() == want_updated.tolist()


@pytest.mark.parametrize("real, tolerance", [(np.float32, 1e-5), (np.float64, 1e-13)])
def test_cv_soft_nms_gaussian(real, tolerance):
    rng = np.random.default_rng(9)
    boxes, scores = random_boxes(rng, 500, real), rng.random(500).astype(real)
    boxes[:, 2:] -= boxes[:, :2]
    boxes[::50, 2] = 0
    rule = dict(score_threshold=0.01, nms_threshold=0.3, sigma=0.4)
    updated, indices = losskit.cv_soft_nms_boxes(boxes, scores, **rule)
    want_updated, want_indices = reference_cv_soft_nms_boxes(boxes, scores, **rule)
    assert np.array_equal(indices, want_indices)
    np.testing.assert_allclose(updated, want_updated, rtol=tolerance)


# --- ONNX's -----------------------------------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    st.lists(scored_boxes(), min_size=1, max_size=1), st.integers(1, 3), st.integers(1, 3), THRESHOLDS,
    st.sampled_from([None, -np.inf, 0.0, 0.5]), st.sampled_from([0, 1, 5, 1000]), st.sampled_from([0, 1]),
)  # fmt: skip
def test_onnx_of_any_boxes(cases, batches, classes, threshold, score_threshold, most, centered):
    boxes, scores, _ = cases[0]
    rng = np.random.default_rng(len(boxes))
    boxes = np.stack([rng.permutation(boxes) for _ in range(batches)])
    scores = np.stack([[rng.permutation(scores) for _ in range(classes)] for _ in range(batches)])
    rule = dict(
        max_output_boxes_per_class=most, iou_threshold=threshold, score_threshold=score_threshold,
        center_point_box=centered,
    )  # fmt: skip
    with np.errstate(all="ignore"):
        assert losskit.onnx_non_max_suppression(boxes, scores, **rule).tolist() == reference_onnx(
            boxes, scores, **rule
        ).tolist()


def test_onnx_capacity():
    """With room for fewer than could be selected the right number still comes, or what is needed is said."""
    rng = np.random.default_rng(10)
    boxes, scores = random_boxes(rng, 80, np.float32).reshape(2, 40, 4), rng.random((2, 3, 40)).astype(np.float32)
    want = losskit.onnx_non_max_suppression(boxes, scores, max_output_boxes_per_class=40, iou_threshold=0.1)
    assert 0 < len(want) < 240
    count = np.zeros((), np.int64)
    call = RawCall(
        "onnx_non_max_suppression", np.float32, ["selected"], boxes=boxes, scores=scores, batches=2, classes=3,
        box_count=40, max_output_boxes_per_class=40, iou_threshold=0.1, has_score_threshold=False, score_threshold=0.0,
        center_point_box=False, selected=np.empty((len(want), 3), np.int64), capacity=len(want), selected_count=count,
        workspace=None, workspace_size=0,
    )  # fmt: skip
    assert call() == "OK" and np.array_equal(call.arguments["selected"], want)
    assert call(capacity=len(want) - 1) == "BUFFER_TOO_SMALL" and count == len(want)
    assert call(capacity=0, selected=None) == "BUFFER_TOO_SMALL" and count == len(want)


# --- Scores ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("kernel", ["gaussian", "linear"])
@pytest.mark.parametrize("n", [0, 1, 2, 8, 15, 33, 90])
def test_matrix_nms(real, kernel, n):
    rng = np.random.default_rng(n)
    boxes, labels = random_boxes(rng, n, real, 40), rng.integers(-1, 2, n)
    boxes[1::7] = boxes[::7][: len(boxes[1::7])]  # overlaps of 1
    iou = measures(boxes).astype(real)
    scores = (rng.integers(1, 40, n) / 40).astype(real)
    for sigma in (0.0, 0.5, 2.0, 2000.0):
        for classes in (None, labels):
            got = losskit.matrix_nms(iou, scores, classes, kernel=kernel, sigma=sigma)
            assert got.dtype == real
            if sigma < 100:
                assert_close(got, reference_matrix_nms(iou, scores, classes, kernel=kernel, sigma=sigma))
            else:  # quotients of what underflows have no digits in the reference
                assert np.isfinite(got).all() and (got <= scores).all() and (got >= 0).all()


def test_matrix_nms_edges():
    # Rows above the diagonal of the sorted order are what is read; NaN is no overlap.
    iou, scores = np.array([[9, 9, 9], [0.5, 9, np.nan], [0.25, 9, 9]]), np.array([0.2, 0.8, 0.5])
    np.testing.assert_allclose(losskit.matrix_nms(iou, scores, kernel="linear"), [0.1, 0.8, 0.5])
    assert losskit.matrix_nms(np.ones((3, 3)), [0.9, 0.8, 0.7], kernel="linear").tolist() == [0.9, 0, 0]
    assert losskit.matrix_nms([], []).shape == (0,)


@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("distance", [False, True])
@pytest.mark.parametrize("weighted", [False, True])
def test_cluster_nms_spm(real, distance, weighted):
    rng = np.random.default_rng(11)
    for n in (1, 2, 17, 40, 250):
        boxes, scores = random_boxes(rng, n, real, 60), rng.random(n).astype(real)
        boxes[1::3] = boxes[::3][: len(boxes[1::3])] + real(0.25)
        for rule in (
            {}, dict(iou_threshold=0.3, merge_iou=0.3, sigma=0.5, beta=1.0), dict(top_k=11, min_score=0.2),
            dict(max_iter=0, merge_iou=-1.0), dict(max_iter=1, min_score=-1.0),
        ):  # fmt: skip
            rule = dict(rule, distance=distance, weighted=weighted)
            got = losskit.cluster_nms_spm(boxes, scores, **rule)
            want = reference_cluster_nms_spm(boxes, scores, **rule)
            assert got[2].tolist() == want[2].tolist(), rule
            tolerance = 3e-6 if real == np.float32 else 1e-12
            np.testing.assert_allclose(got[1], want[1], rtol=tolerance * 3, atol=1e-30)
            np.testing.assert_allclose(got[0], want[0], rtol=tolerance, atol=tolerance * 100)


def test_cluster_nms_spm_edges():
    nan = np.nan
    boxes = np.array([[0, 0, 10, 10], [0, 0, 10, nan], [0, 0, 10, 9], [50, 50, 50, 50], [50, 50, 50, 50]])
    scores = [0.9, 0.8, 0.7, 0.6, 0.5]
    for distance in (False, True):
        b, s, i = losskit.cluster_nms_spm(boxes, scores, sigma=0.0, distance=distance, weighted=True, min_score=-1)
        assert i.tolist() == [0, 1, 2, 3, 4]
        assert s[[0, 1, 3, 4]].tolist() == [0.9, 0.8, 0.6, 0.5] and s[2] < 0.02
        assert np.array_equal(b[1], boxes[1], equal_nan=True) and np.array_equal(b[3], boxes[3])
    assert [x.shape for x in losskit.cluster_nms_spm(np.empty((0, 4)), [])] == [(0, 4), (0,), (0,)]
    assert [len(x) for x in losskit.cluster_nms_spm(BOXES, SCORES, top_k=0)] == [0, 0, 0]


# --- Awkward layouts, errors, the C interface -------------------------------------------------------------------------


@pytest.mark.parametrize("real", REALS)
def test_awkward_layouts(real):
    rng = np.random.default_rng(12)
    n = 150
    scores = rng.random(n).astype(real)
    for layout, boxes in awkward_layouts(n, rng):
        boxes = boxes.astype(real)
        for name, (function, reference, rules) in KEEPING.items():
            for threshold in (0.0, 0.4, -1.0):
                rule = dict(rules[-1], iou_threshold=threshold)
                assert np.array_equal(function(boxes, scores, **rule), reference(boxes, scores, **rule)), (layout, name)
        rule = dict(score_threshold=0.1, nms_threshold=0.4, eta=0.9)
        got = losskit.cv_nms_boxes(boxes, scores, **rule)
        assert np.array_equal(got, reference_cv_nms_boxes(boxes, scores, **rule)), layout


def test_many_groups():
    """As many groups as boxes, numbers that differ in the upper half only, and groups of all sizes."""
    rng = np.random.default_rng(13)
    n = 3000
    boxes = random_boxes(rng, n, np.float32, 60)
    for real in REALS:
        scores = (rng.integers(0, 500, n) / 500).astype(real)
        for idxs in (
            np.arange(n), rng.permutation(n) << 40, (rng.integers(0, 9, n) << 32) - (1 << 34), rng.geometric(0.3, n),
            rng.integers(0, 3, n) << 33 | rng.integers(0, 3, n),
        ):  # fmt: skip
            got = losskit.batched_nms(boxes.astype(real), scores, idxs, iou_threshold=0.3)
            assert np.array_equal(got, reference_nms(boxes.astype(real), scores, 0.3, idxs))
    soft = losskit.batched_soft_nms(boxes[:600], scores[:600], np.arange(600) // 7)
    want = reference_soft_nms(boxes[:600].astype(scores.dtype), scores[:600], np.arange(600) // 7)
    assert np.array_equal(soft[0], want[0]) and np.array_equal(soft[1], want[1])


RULED = dict(score_threshold=0.1, nms_threshold=0.3)
FUNCTIONS = {
    "diou_nms": (losskit.diou_nms, {}, dict(iou_threshold=np.nan, beta=-1, eps=-1e-9)),
    "fast_nms": (losskit.fast_nms, {}, dict(iou_threshold=np.nan, top_k=-1)),
    "cluster_nms": (
        losskit.cluster_nms, {}, dict(iou_threshold=np.nan, top_k=-1, metric="giou", beta=np.nan, max_iter=-1, eps=-1.0),
    ),
    "cluster_nms_spm": (
        losskit.cluster_nms_spm, {},
        dict(iou_threshold=np.nan, top_k=-1, sigma=-1, beta=-1, merge_iou=np.nan, min_score=np.nan, max_iter=-1, eps=-1),
    ),
    "cv_nms_boxes": (
        losskit.cv_nms_boxes, RULED, dict(score_threshold=np.nan, nms_threshold=np.nan, eta=0.0, top_k=-1),
    ),
    "cv_soft_nms_boxes": (
        losskit.cv_soft_nms_boxes, RULED,
        dict(score_threshold=np.nan, nms_threshold=np.nan, sigma=-1, top_k=-1, method="cubic"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", FUNCTIONS)
def test_errors(name):
    function, rule, bad = FUNCTIONS[name]
    for key, value in bad.items():
        assert_error("INVALID_PARAMETER", function, BOXES, SCORES, **{**rule, key: value})
    assert_error("INVALID_VALUE", function, BOXES, [0.1, np.nan, 0.2, 0.3], **rule)
    assert_error("INVALID_SHAPE", function, BOXES, SCORES[:3], **rule)
    assert_error("INVALID_SHAPE", function, BOXES[:, :3], SCORES, **rule)


def test_other_errors():
    iou = np.eye(4)
    for bad in (dict(sigma=-1), dict(sigma=np.nan), dict(sigma=np.inf), dict(kernel="cosine")):
        assert_error("INVALID_PARAMETER", losskit.matrix_nms, iou, SCORES, **bad)
    assert_error("INVALID_SHAPE", losskit.matrix_nms, iou[:3], SCORES)
    assert_error("INVALID_SHAPE", losskit.matrix_nms, iou, SCORES, [1, 2])
    assert_error("INVALID_VALUE", losskit.matrix_nms, iou, SCORES * np.nan)
    onnx, boxes, scores = losskit.onnx_non_max_suppression, BOXES[None], SCORES[None, None]
    for bad in (
        dict(max_output_boxes_per_class=-1), dict(iou_threshold=np.nan), dict(score_threshold=np.nan),
        dict(center_point_box=2),
    ):  # fmt: skip
        assert_error("INVALID_PARAMETER", onnx, boxes, scores, **bad)
    assert_error("INVALID_SHAPE", onnx, BOXES, scores)
    assert_error("INVALID_SHAPE", onnx, boxes, scores[0])
    assert_error("INVALID_SHAPE", onnx, boxes, scores[..., :3])
    assert_error("INVALID_VALUE", onnx, boxes, scores * np.nan)


def interface(real):
    """Every function with arguments that are in order: (call, pointers that are needed, sizes, its workspace's sizes)."""
    n = 70
    rng = np.random.default_rng(14)
    boxes, scores = random_boxes(rng, n, real), rng.random(n).astype(real)
    count = lambda: np.zeros((), np.int64)  # noqa: E731
    scratch = dict(workspace=None, workspace_size=0)
    kept = dict(keep=np.empty(n, np.int64), kept_count=count(), capacity=n, **scratch)
    scored = dict(boxes=boxes, scores=scores, count=n)
    needed = ["boxes", "scores", "keep", "kept_count"]
    cluster = dict(iou_threshold=0.5, top_k=50, beta=0.9, max_iter=9, eps=1e-7)
    yield (
        RawCall("diou_nms", real, ["keep"], iou_threshold=0.5, beta=1.0, eps=1e-7, **scored, **kept),
        needed, ["count", "capacity"], ("nms", [n]),
    )  # fmt: skip
    yield (
        RawCall("fast_nms", real, ["keep"], iou_threshold=0.5, top_k=50, **scored, **kept),
        needed, ["count", "capacity"], ("cluster_nms", [n, 50]),
    )  # fmt: skip
    for metric in ("iou", "diou"):
        yield (
            RawCall("cluster_nms", real, ["keep"], metric=metric, **cluster, **scored, **kept),
            needed, ["count", "capacity"], ("cluster_nms", [n, 50]),
        )  # fmt: skip
    yield (
        RawCall(
            "cluster_nms_spm", real, ["new_boxes", "new_scores", "indices"], sigma=0.2, distance=True, weighted=True,
            merge_iou=0.3, min_score=0.01, new_boxes=np.empty((n, 4), real), new_scores=np.empty(n, real),
            indices=np.empty(n, np.int64), capacity=n, selected_count=count(), **cluster, **scored, **scratch,
        ),
        ["boxes", "scores", "selected_count"], ["count", "capacity"], ("cluster_nms", [n, 50]),
    )  # fmt: skip
    sized = dict(bboxes=boxes, scores=scores, count=n, score_threshold=0.1, nms_threshold=0.6, top_k=0)
    yield (
        RawCall("cv_nms_boxes", real, ["keep"], eta=0.9, **sized, **kept),
        ["bboxes", *needed[1:]], ["count", "capacity"], ("nms", [n]),
    )  # fmt: skip
    yield (
        RawCall(
            "cv_soft_nms_boxes", real, ["updated_scores", "indices"], sigma=0.5, method="gaussian",
            updated_scores=np.empty(n, real), indices=np.empty(n, np.int64), capacity=n, selected_count=count(),
            **sized, **scratch,
        ),
        ["bboxes", "scores", "selected_count"], ["count", "capacity"], ("cv_soft_nms_boxes", [n]),
    )  # fmt: skip
    yield (
        RawCall(
            "onnx_non_max_suppression", real, ["selected"], boxes=boxes, scores=np.stack([scores, scores[::-1]]),
            batches=1, classes=2, box_count=n, max_output_boxes_per_class=n, iou_threshold=0.5,
            has_score_threshold=True, score_threshold=0.1, center_point_box=False,
            selected=np.empty((2 * n, 3), np.int64), capacity=2 * n, selected_count=count(), **scratch,
        ),
        ["boxes", "scores", "selected", "selected_count"], ["batches", "classes", "box_count", "capacity"],
        ("onnx_non_max_suppression", [n]),
    )  # fmt: skip
    yield (
        RawCall(
            "matrix_nms", real, ["new_scores"], iou=np.full((n, n), 0.5, real), scores=scores,
            labels=np.zeros(n, np.int64), count=n, kernel="gaussian", sigma=2.0, new_scores=np.empty(n, real), **scratch,
        ),
        ["iou", "scores", "new_scores"], ["count"], ("matrix_nms", [n]),
    )  # fmt: skip


CALLS = {
    f"{place}-{call.name}-{real.__name__}": (call, *rest)
    for real in REALS
    for place, (call, *rest) in enumerate(interface(real))
}


@pytest.mark.parametrize("name", CALLS)
def test_interface(name):
    from losskit import _core

    call, pointers, sizes, (function, workspace_of) = CALLS[name]
    assert call() == "OK"
    want = [call.arguments[output].copy() for output in call.outputs]
    for pointer in pointers:
        outputs = [output for output in call.outputs if output != pointer]
        assert RawCall(call.name, call.dtype, outputs, **call.arguments)(**{pointer: None}) == "NULL_POINTER", pointer
    for size in sizes:
        for bad in (-1, -(2**63)) if size == "capacity" else (-1, 2**62, 2**63 - 1):
            assert call(**{size: bad}) == "INVALID_SHAPE", size
    # A workspace of the size that is asked for suffices wherever it begins, and is not overrun.
    room = np.zeros((), np.int64)
    assert _core.call_status(f"{function}_workspace_size", None, *workspace_of, room) == _core.OK
    room = int(room)
    for start in (64, 65, 100):
        memory = np.full(room + 256, 170, np.uint8)
        assert call(workspace=memory[start : start + room], workspace_size=room) == "OK"
        for output, expected in zip(call.outputs, want):
            written = len(expected) if call.name == "matrix_nms" else int(call.arguments[result_count(call)])
            assert np.array_equal(call.arguments[output][:written], expected[:written])
        assert (memory[:start] == 170).all() and (memory[start + room :] == 170).all()
    assert call(workspace=memory, workspace_size=0) == "BUFFER_TOO_SMALL"
    if call.name != "matrix_nms":
        count = int(call.arguments[result_count(call)])
        assert call(capacity=count - 1) == "BUFFER_TOO_SMALL" and call.arguments[result_count(call)] == count
        assert call(capacity=count) == "OK"
    for side in ("end", "begin"):
        call.inside_guards(side)


def result_count(call):
    return next(name for name in ("kept_count", "selected_count") if name in call.arguments)


def test_same_bits():
    assert_same_bits("""
rng = np.random.default_rng(15)
for real in (np.float32, np.float64):
    for n in (50, 400, 1500):
        corner, side = rng.random((n, 2)) * 200, rng.random((n, 2)) * 40
        boxes, sized = np.hstack([corner, corner + side]).astype(real), np.hstack([corner, side]).astype(real)
        scores, key = rng.random(n).astype(real), f"{np.dtype(real)}-{n}-"
        results[key + "nms"] = losskit.nms(boxes, scores, iou_threshold=0.3)
        results[key + "batched"] = losskit.batched_nms(boxes, scores, np.arange(n) % 5, iou_threshold=0.3)
        results[key + "soft"] = losskit.soft_nms(boxes, scores, method="gaussian")[1]
        results[key + "diou"] = losskit.diou_nms(boxes, scores, beta=0.7)
        results[key + "fast"] = losskit.fast_nms(boxes, scores)
        results[key + "cluster"] = losskit.cluster_nms(boxes, scores, metric="diou", max_iter=2)
        for i, array in enumerate(losskit.cluster_nms_spm(boxes, scores, weighted=True, distance=True)):
            results[key + f"spm{i}"] = array
        results[key + "cv"] = losskit.cv_nms_boxes(sized, scores, score_threshold=0.1, nms_threshold=0.7, eta=0.95)
        results[key + "cv-soft"] = losskit.cv_soft_nms_boxes(sized, scores, score_threshold=0.1, nms_threshold=0.3)[0]
        iou = losskit.box_iou(boxes[:300], boxes[:300])
        results[key + "matrix"] = losskit.matrix_nms(iou, scores[:300])
        results[key + "onnx"] = losskit.onnx_non_max_suppression(
            boxes[None], scores[None, None], max_output_boxes_per_class=n, iou_threshold=0.4)
""")


# --- Peers -----------------------------------------------------------------------------------------------------------


def test_equals_opencv():
    cv2 = pytest.importorskip("cv2")
    rng = np.random.default_rng(16)
    for trial in range(40):
        n = int(rng.integers(1, 300))
        rectangles = rng.integers(0, 60, (n, 4))
        rectangles[:, 2:] //= 2
        scores = rng.permutation(n).astype(np.float32) / n
        for threshold, eta, top_k in ((0.3, 1.0, 0), (0.8, 0.9, 0), (0.5, 1.0, 20)):
            theirs = cv2.dnn.NMSBoxes(rectangles.astype(np.float64), scores, 0.1, threshold, eta, top_k)
            ours = losskit.cv_nms_boxes(
                rectangles, scores, score_threshold=float(np.float32(0.1)), nms_threshold=float(np.float32(threshold)),
                eta=eta, top_k=top_k,
            )  # fmt: skip
            assert ours.tolist() == np.ravel(theirs).tolist()


def test_equals_onnxruntime():
    onnxruntime, onnx = pytest.importorskip("onnxruntime"), pytest.importorskip("onnx")
    real, integer = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    rng = np.random.default_rng(17)
    for centered in (0, 1):
        names = ["boxes", "scores", "most", "iou", "score"]
        node = onnx.helper.make_node("NonMaxSuppression", names, ["out"], center_point_box=centered)
        shapes = [real, real, integer, real, real]
        inputs = [
            onnx.helper.make_tensor_value_info(name, kind, [None] * 3 if name in names[:2] else [1])
            for name, kind in zip(names, shapes)
        ]
        graph = onnx.helper.make_graph(
            [node], "nms", inputs, [onnx.helper.make_tensor_value_info("out", integer, [None, 3])]
        )
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 11)], ir_version=8)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        for _ in range(10):
            n = int(rng.integers(1, 200))
            boxes = random_boxes(rng, 2 * n, np.float32, whole=True).reshape(2, n, 4)
            if centered:
                boxes[..., 2:] = np.abs(boxes[..., 2:] - boxes[..., :2])
            else:
                boxes[:, ::3] = boxes[:, ::3][..., [2, 1, 0, 3]]
            scores = (rng.integers(0, 20, (2, 3, n)) / 20).astype(np.float32)
            values = [np.array([7]), np.array([0.3], np.float32), np.array([0.25], np.float32)]
            theirs = session.run(None, dict(zip(names, [boxes, scores, *values])))[0]
            ours = losskit.onnx_non_max_suppression(
                boxes, scores, max_output_boxes_per_class=7, iou_threshold=float(np.float32(0.3)), score_threshold=0.25,
                center_point_box=centered,
            )  # fmt: skip
            assert ours.tolist() == theirs.tolist()
