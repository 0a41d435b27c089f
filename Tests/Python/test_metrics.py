"""Classification and ranking metrics, against their definitions in NumPy and against scikit-learn."""

import losskit.metrics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_same_bits

REALS = (np.float32, np.float64)

# The specification's example inputs.
PROBS, PROBS_Y = [[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]], [0, 1, 2, 2]
LOGITS, LOGITS_Y = [[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]], [0, 1, 0, 2]
CONF, RIGHT = [0.1, 0.35, 0.4, 0.65, 0.8, 0.9], [0, 0, 1, 0, 1, 1]
PRED, LABEL = [0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2]
SCORES, RELEVANCE = [[0.9, 0.1, 0.4, 0.4], [0.2, 0.8, 0.5, 0.3]], [[1, 0, 2, 0], [0, 0, 1, 1]]

EXAMPLES = [
    ("confusion_matrix", (PRED, LABEL), dict(num_classes=3), [[1, 0, 0], [1, 1, 0], [0, 1, 2]]),
    ("accuracy_score", (PRED, LABEL), dict(num_classes=3, average="macro"), 0.7222222),
    ("accuracy_score", (PRED, LABEL), dict(num_classes=3), 4 / 6),
    ("top_k_accuracy", (LOGITS, LOGITS_Y), dict(k=2), 1),
    ("precision_recall_fbeta", (PRED, LABEL), dict(num_classes=3), [0.6666667, 0.7222222, 0.6555556]),
    ("specificity_score", (PRED, LABEL), dict(num_classes=3), 0.85),
    ("jaccard_score", (PRED, LABEL), dict(num_classes=3), 0.5),
    ("matthews_corrcoef", (PRED, LABEL), dict(num_classes=3), 0.522233),
    ("cohen_kappa_score", (PRED, LABEL), dict(num_classes=3, weights="linear"), 0.625),
    ("roc_auc", (CONF, RIGHT), {}, 0.8888889),
    ("roc_auc_multiclass", (PROBS, PROBS_Y), {}, 0.9166667),
    ("average_precision", (CONF, RIGHT), {}, 0.9166667),
    ("fpr_at_tpr", (CONF, RIGHT), {}, (0.3333333, 0.4)),
    ("equal_error_rate", (CONF, RIGHT), {}, 0.3333333),
    ("detection_auroc", ([0.9, 0.4, 0.7], [0.4, 0.1]), {}, 0.9166667),
    ("roc_curve", (CONF, RIGHT), {}, (
        [0, 0, 0, 0.3333333, 0.3333333, 0.6666667, 1], [0, 0.3333333, 0.6666667, 0.6666667, 1, 1, 1],
        [np.inf, 0.9, 0.8, 0.65, 0.4, 0.35, 0.1])),
    ("precision_recall_curve", (CONF, RIGHT), {}, (
        [0.5, 0.6, 0.75, 0.6666667, 1, 1, 1], [1, 1, 1, 0.6666667, 0.6666667, 0.3333333, 0],
        [0.1, 0.35, 0.4, 0.65, 0.8, 0.9])),
    ("macro_auc", (PROBS, [[1, 0, 0], [0, 1, 1], [1, 0, 0], [0, 0, 1]]), {}, (1, [1, 1, 1])),
    ("ndcg_score", (SCORES, RELEVANCE), {}, (0.7516898, [0.8099531, 0.6934264])),
    ("mean_reciprocal_rank", (SCORES, RELEVANCE), {}, (0.75, [1, 0.5])),
    ("recall_at_k", (SCORES, RELEVANCE), dict(k=2), (0.75, [1, 0.5])),
    ("precision_at_k", (SCORES, RELEVANCE), dict(k=2), (0.75, [1, 0.5])),
    ("mean_average_precision", (SCORES, RELEVANCE), {}, (0.7916667, [1, 0.5833333])),
]  # fmt: skip


@pytest.mark.parametrize("name, inputs, parameters, expected", EXAMPLES)
def test_worked_examples(name, inputs, parameters, expected):
    actual = getattr(losskit, name)(*inputs, **parameters)
    assert getattr(losskit.metrics, name) is getattr(losskit, name)
    if not isinstance(expected, tuple):
        actual, expected = (actual,), (expected,)
    for one, other in zip(actual, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=6e-8)


# --- Decisions -------------------------------------------------------------------------------------------------------


def confusion(pred, y, classes, weights=None):
    matrix = np.zeros((classes, classes))
    np.add.at(matrix, (np.asarray(y, int), np.asarray(pred, int)), 1 if weights is None else np.float64(weights))
    return matrix


def ratio(a, b, none=0.0):
    a, b = np.broadcast_arrays(np.float64(a), np.float64(b))
    return np.where(b == 0, none, a / np.where(b == 0, 1, b))


def averaged(m, average, score, none=0.0):
    """``score(tp, pp, sp, n)`` as the specification averages it."""
    tp, pp, sp = np.diag(m), m.sum(0), m.sum(1)
    n = np.full(len(m), m.sum())
    if average == "micro":
        return score(tp.sum(), pp.sum(), sp.sum(), n.sum())
    value = score(tp, pp, sp, n)
    if average == "none":
        return value
    weight = sp if average == "weighted" else (sp + pp > 0).astype(float)
    return (weight * value).sum() / weight.sum() if weight.sum() else none


def kappa(m, mode):
    i, j = np.indices(m.shape)
    w = {None: i != j, "linear": abs(i - j), "quadratic": (i - j) ** 2}[mode]
    expected = np.outer(m.sum(1), m.sum(0)) / max(m.sum(), 1)
    return 1 - (w * m).sum() / (w * expected).sum() if (w * expected).sum() else 0.0


def matthews(m):
    tp, pp, sp, s = np.trace(m), m.sum(0), m.sum(1), m.sum()
    root = np.sqrt(max(s**2 - (pp**2).sum(), 0) * max(s**2 - (sp**2).sum(), 0))
    return (tp * s - sp @ pp) / root if root > 1e-9 * s * s else 0.0


@st.composite
def decisions(draw):
    """(pred, y, classes, weights)"""
    classes = draw(st.sampled_from([1, 2, 3, 5, 40, 300]))
    n = draw(st.one_of(st.integers(0, 20), st.integers(0, 300)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    used = draw(st.integers(1, classes))
    pred, y = rng.integers(0, used, n), rng.integers(0, classes, n)
    pred = np.where(rng.random(n) < draw(st.sampled_from([0, 0.5, 1])), y, pred)
    weights = rng.integers(0, 4, n) * 0.75 if draw(st.booleans()) else None
    return pred, y, classes, weights


@given(decisions())
@settings(max_examples=150, deadline=None)
def test_decisions_follow_their_definitions(data):
    pred, y, classes, weights = data
    c = dict(num_classes=classes)
    w = dict(c, sample_weight=weights)
    plain, m = confusion(pred, y, classes), confusion(pred, y, classes, weights)
    assert_close(losskit.confusion_matrix(pred, y, **w), m)
    for mode, sums in (("true", m.sum(1, keepdims=True)), ("pred", m.sum(0, keepdims=True)), ("all", m.sum())):
        assert_close(losskit.confusion_matrix(pred, y, normalize=mode, **w), ratio(m, sums))
    micro = np.trace(m) / m.sum() if m.sum() else np.nan
    present = m.sum(1) > 0
    macro = (np.diag(m)[present] / m.sum(1)[present]).mean() if present.any() else np.nan
    assert_close(losskit.accuracy_score(pred, y, **w), micro)
    assert_close(losskit.accuracy_score(pred, y, average="macro", **w), macro)
    for average in ("none", "micro", "macro", "weighted"):
        for beta, zero in ((1, 0.0), (0, 1.0), (2.5, 0.25)):
            actual = losskit.precision_recall_fbeta(pred, y, beta=beta, average=average, zero_division=zero, **w)
            scores = (
                lambda tp, pp, sp, n: ratio(tp, pp, zero),
                lambda tp, pp, sp, n: ratio(tp, sp, zero),
                lambda tp, pp, sp, n: ratio((1 + beta**2) * tp, beta**2 * sp + pp, zero),
            )
            for one, score in zip(actual, scores):
                assert_close(one, averaged(m, average, score, zero))
        expected = averaged(plain, average, lambda tp, pp, sp, n: ratio(tp, sp + pp - tp))
        assert_close(losskit.jaccard_score(pred, y, average=average, **c), expected)
        if average != "weighted":
            expected = averaged(plain, average, lambda tp, pp, sp, n: ratio(n - sp - pp + tp, n - sp))
            assert_close(losskit.specificity_score(pred, y, average=average, **c), expected)
    if len(y) == 0:
        assert np.isnan(losskit.matthews_corrcoef(pred, y, **w)) and np.isnan(losskit.cohen_kappa_score(pred, y, **c))
        return
    np.testing.assert_allclose(losskit.matthews_corrcoef(pred, y, **w), matthews(m), rtol=1e-9, atol=1e-12)
    for mode in (None, "linear", "quadratic"):
        actual = losskit.cohen_kappa_score(pred, y, weights=mode, **c)
        np.testing.assert_allclose(actual, kappa(plain, mode), rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_decisions_agree_with_sklearn(weighted):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(5)
    classes, n = 7, 200_000
    y, pred = rng.integers(0, classes, n), rng.integers(0, classes - 1, n)
    pred = np.where(rng.random(n) < 0.6, y, pred)
    weights = rng.random(n) if weighted else None
    c, w = dict(num_classes=classes), dict(sample_weight=weights)
    assert_close(losskit.confusion_matrix(pred, y, **c, **w), metrics.confusion_matrix(y, pred, **w))
    assert_close(losskit.accuracy_score(pred, y, **c, **w), metrics.accuracy_score(y, pred, **w))
    assert_close(
        losskit.accuracy_score(pred, y, average="macro", **c, **w), metrics.balanced_accuracy_score(y, pred, **w)
    )
    assert_close(losskit.matthews_corrcoef(pred, y, **c, **w), metrics.matthews_corrcoef(y, pred, **w), tolerance=1e-11)
    for average in (None, "micro", "macro", "weighted"):
        own = average or "none"
        actual = losskit.precision_recall_fbeta(pred, y, beta=0.7, average=own, **c, **w)
        expected = metrics.precision_recall_fscore_support(y, pred, beta=0.7, average=average, **w)
        for one, other in zip(actual, expected[:3], strict=True):
            assert_close(one, other)
        if not weighted:
            assert_close(
                losskit.jaccard_score(pred, y, average=own, **c), metrics.jaccard_score(y, pred, average=average)
            )
    for mode in (None, "linear", "quadratic"):
        if not weighted:
            expected = metrics.cohen_kappa_score(y, pred, weights=mode)
            assert_close(losskit.cohen_kappa_score(pred, y, weights=mode, **c), expected, tolerance=1e-11)


def test_limits_of_beta_and_zero_division():
    precision, recall, f = losskit.precision_recall_fbeta(PRED, LABEL, num_classes=3, beta=np.inf)
    assert f == recall
    assert losskit.precision_recall_fbeta(PRED, LABEL, num_classes=3, beta=1e200)[2] == recall
    # Class 0 is never predicted: its precision is NaN and left out, as by sklearn.
    values = losskit.precision_recall_fbeta([1, 1, 2], [0, 1, 2], num_classes=3, zero_division=np.nan)
    assert values[0] == 0.75 and values[1] == 2 / 3
    every = losskit.precision_recall_fbeta([1, 1, 2], [0, 1, 2], num_classes=3, zero_division=np.nan, average="none")
    np.testing.assert_array_equal(every[0], [np.nan, 0.5, 1])


@given(st.integers(0, 40), st.sampled_from([1, 2, 5, 16, 17, 40]), st.integers(0, 2**32 - 1), st.sampled_from(REALS))
@settings(max_examples=100, deadline=None)
def test_top_k_accuracy(rows, classes, seed, dtype):
    rng = np.random.default_rng(seed)
    scores = rng.integers(-4, 4, (rows, classes)).astype(dtype)
    scores[rng.random(scores.shape) < 0.1] = -np.inf
    y = rng.integers(0, classes, rows)
    for k in (1, 3, classes, classes + 5):
        first = np.argsort(-scores, axis=1, kind="stable")[:, :k]
        expected = (first == y[:, None]).any(1).mean() if rows else np.nan
        actual = losskit.top_k_accuracy(scores, y, k=k)
        assert actual.dtype == dtype
        assert_close(actual, expected)


# --- Ranked binary scores --------------------------------------------------------------------------------------------


def points(scores, y, weights=None):
    """(positives, negatives, thresholds): the weights that reach each distinct score, from the highest down."""
    scores, y = np.asarray(scores, np.float64), np.asarray(y)
    w = np.ones(len(y)) if weights is None else np.float64(weights)
    thresholds, group = np.unique(-scores, return_inverse=True)
    positives = np.cumsum(np.bincount(group, w * (y == 1), len(thresholds)))
    negatives = np.cumsum(np.bincount(group, w * (y == 0), len(thresholds)))
    return positives, negatives, -thresholds


def reference(scores, y, weights=None, max_fpr=1.0, tpr=0.95):
    """All measures of ranked binary scores."""
    positives, negatives, thresholds = points(scores, y, weights)
    p, n = positives[-1], negatives[-1]
    origin = np.concatenate([[0], positives]), np.concatenate([[0], negatives])
    rise, fall = origin[0] / p if p else origin[0] * 0, origin[1] / n if n else origin[1] * 0
    result = {"roc_curve": (fall, rise, np.concatenate([[np.inf], thresholds]))}
    precision = ratio(positives, positives + negatives)
    recall = positives / p if p else np.ones(len(positives))
    result["precision_recall_curve"] = (
        np.concatenate([precision[::-1], [1]]), np.concatenate([recall[::-1], [0]]), thresholds[::-1])  # fmt: skip
    result["average_precision"] = (np.diff(recall, prepend=0) * precision).sum() if p else 0.0
    if not p or not n:
        return {
            **result,
            "roc_auc": np.nan,
            "partial": np.nan,
            "fpr_at_tpr": (np.nan, np.nan),
            "equal_error_rate": np.nan,
        }
    result["roc_auc"] = (np.diff(fall) * (rise[1:] + rise[:-1]) / 2).sum()
    grid = np.union1d(fall[fall < max_fpr], [max_fpr])
    # From the right of one rate to the left of the next: the curve may jump at each.
    first, last = np.searchsorted(fall, grid, "left"), np.searchsorted(fall, grid, "right") - 1
    right = np.where(fall[last] == grid, rise[last], np.interp(grid, fall, rise))
    first = np.minimum(first, len(fall) - 1)
    left = np.where(fall[first] == grid, rise[first], np.interp(grid, fall, rise))
    area = (np.diff(grid) * (right[:-1] + left[1:]) / 2).sum()
    chance = max_fpr**2 / 2
    result["partial"] = (1 + (area - chance) / (max_fpr - chance)) / 2
    reached = np.argmax(rise >= tpr - 1e-12)
    result["fpr_at_tpr"] = fall[reached], result["roc_curve"][2][reached]
    excess = fall + rise - 1
    i = np.argmax(excess >= 0)
    share = -excess[i - 1] / (excess[i] - excess[i - 1])
    result["equal_error_rate"] = fall[i - 1] + share * (fall[i] - fall[i - 1])
    return result


def assert_curve_measures(scores, y, weights=None, max_fpr=0.3, tpr=0.95):
    expected = reference(scores, y, weights, max_fpr, tpr)
    weighted = dict(sample_weight=weights)
    for name in ("roc_curve", "precision_recall_curve"):
        for one, other in zip(getattr(losskit, name)(scores, y, **weighted), expected[name], strict=True):
            assert one.dtype == scores.dtype
            finite = np.isfinite(other)
            np.testing.assert_array_equal(np.asarray(one)[~finite], other[~finite])
            assert_close(np.asarray(one)[finite], other[finite])
    assert_close(losskit.roc_auc(scores, y, **weighted), expected["roc_auc"])
    assert_close(losskit.roc_auc(scores, y, max_fpr=max_fpr, **weighted), expected["partial"])
    assert_close(losskit.average_precision(scores, y, **weighted), expected["average_precision"])
    if weights is None:
        rate, threshold = losskit.fpr_at_tpr(scores, y, tpr=tpr)
        assert_close(rate, expected["fpr_at_tpr"][0])
        np.testing.assert_array_equal(threshold, np.asarray(expected["fpr_at_tpr"][1]).astype(scores.dtype))
        np.testing.assert_allclose(
            losskit.equal_error_rate(scores, y), expected["equal_error_rate"], rtol=1e-6, atol=1e-9
        )
        area = losskit.detection_auroc(scores[y == 1], scores[y == 0])
        np.testing.assert_array_equal(area, losskit.roc_auc(scores, y))


def some_scores(rng, kind, n, dtype):
    """Scores of every kind: near to each other, far apart, equal, infinite."""
    if kind == "ties":
        scores = rng.integers(-2, 3, n) / 2
    elif kind == "constant":
        scores = np.full(n, 0.25)
    elif kind == "zeros":
        scores = rng.choice([0.0, -0.0, np.nextafter(dtype(0), dtype(1)), -1e-30], n)
    elif kind == "infinities":
        scores = np.where(rng.random(n) < 0.4, rng.choice([-np.inf, np.inf], n), rng.normal(size=n))
    elif kind == "wide":
        scores = rng.choice([-1, 1], n) * 10.0 ** rng.uniform(-37, 37, n)
    elif kind == "narrow":
        scores = 1 + rng.integers(0, 1000, n) * np.finfo(dtype).eps
    elif kind == "outlier":
        scores = np.where(np.arange(n) == n // 2, -1e30, 0.5 + rng.random(n) * 1e-5)
    else:
        scores = rng.random(n)
    return scores.astype(dtype)


KINDS = ["ties", "constant", "zeros", "infinities", "wide", "narrow", "outlier", "uniform"]


@given(
    st.one_of(st.integers(1, 12), st.integers(1, 700)), st.sampled_from(KINDS), st.sampled_from(REALS),
    st.sampled_from([0, 0.1, 0.5, 1]), st.booleans(), st.integers(0, 2**32 - 1))  # fmt: skip
@settings(max_examples=250, deadline=None)
def test_curves_follow_their_definitions(n, kind, dtype, prevalence, weighted, seed):
    rng = np.random.default_rng(seed)
    scores = some_scores(rng, kind, n, dtype)
    y = (rng.random(n) < prevalence).astype(np.int64)
    weights = rng.integers(1, 5, n).astype(dtype) if weighted else None
    assert_curve_measures(
        scores, y, weights, max_fpr=rng.choice([0.05, 0.3, 0.9, 1.0]), tpr=rng.choice([0, 0.5, 0.95, 1])
    )


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("kind", KINDS)
def test_many_scores(kind, dtype):
    """Enough for several parts and many buckets."""
    rng = np.random.default_rng(len(kind))
    n = 700_001
    scores = some_scores(rng, kind, n, dtype)
    y = (rng.random(n) < 0.3).astype(np.int64)
    assert_curve_measures(scores, y)
    assert_curve_measures(scores, y, rng.integers(0, 3, n).astype(dtype) + dtype(0.5))


@given(st.integers(1, 60), st.integers(1, 60), st.integers(1, 10), st.integers(0, 2**32 - 1))
@settings(max_examples=80, deadline=None)
def test_area_is_mann_whitney_and_ignores_order(positives, negatives, levels, seed):
    rng = np.random.default_rng(seed)
    high, low = rng.integers(0, levels, positives) / 3, rng.integers(-1, levels, negatives) / 3
    difference = high[:, None] - low[None, :]
    expected = ((difference > 0) + 0.5 * (difference == 0)).mean()
    assert_close(losskit.detection_auroc(high, low), expected)
    scores, y = np.concatenate([high, low]), np.repeat([1, 0], [positives, negatives])
    order = rng.permutation(len(y))
    for measure in (losskit.roc_auc, losskit.average_precision, losskit.equal_error_rate, losskit.fpr_at_tpr):
        np.testing.assert_array_equal(measure(scores, y), measure(scores[order], y[order]))
    assert losskit.roc_auc(-scores, y) == pytest.approx(1 - expected, abs=1e-12)


@pytest.mark.parametrize("dtype", REALS)
@pytest.mark.parametrize("weighted", [False, True])
def test_curves_agree_with_sklearn(dtype, weighted):
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(11)
    n = 20_000
    y = rng.integers(0, 2, n)
    scores = np.round(rng.normal(size=n) + y, 3).astype(dtype)
    w = dict(sample_weight=(rng.random(n) + 0.1).astype(dtype) if weighted else None)
    for one, other in zip(
        losskit.roc_curve(scores, y, **w), metrics.roc_curve(y, scores, drop_intermediate=False, **w)
    ):
        assert_close(one[1:], other[1:])
    for one, other in zip(
        losskit.precision_recall_curve(scores, y, **w), metrics.precision_recall_curve(y, scores, **w)
    ):
        assert_close(one, other)
    assert_close(losskit.roc_auc(scores, y, **w), metrics.roc_auc_score(y, scores, **w))
    for f in (0.01, 0.2, 1.0):
        assert_close(losskit.roc_auc(scores, y, max_fpr=f, **w), metrics.roc_auc_score(y, scores, max_fpr=f, **w))
    assert_close(losskit.average_precision(scores, y, **w), metrics.average_precision_score(y, scores, **w))


def test_a_class_is_absent():
    for label, recall in ((0, [1, 1, 1, 0]), (1, [1, 2 / 3, 1 / 3, 0])):
        scores, y = np.float64([0.5, 0.1, 0.9]), [label] * 3
        fpr, tpr, _ = losskit.roc_curve(scores, y)
        np.testing.assert_allclose((tpr, fpr)[label], 0)
        np.testing.assert_allclose(losskit.precision_recall_curve(scores, y)[1], recall)
        assert losskit.average_precision(scores, y) == label
        values = [
            losskit.roc_auc(scores, y),
            losskit.roc_auc(scores, y, max_fpr=0.5),
            losskit.equal_error_rate(scores, y),
        ]
        values += losskit.fpr_at_tpr(scores, y)
        assert np.isnan(values).all()
    assert np.isnan(losskit.detection_auroc([], [1.0])) and np.isnan(losskit.detection_auroc([1.0], []))


def test_weights_of_zero():
    # As if the samples were not there, but for their points on the curves.
    scores, y, w = np.float64([0.9, 0.8, 0.7, 0.6]), [1, 1, 0, 1], [0.0, 2, 1, 1]
    assert losskit.roc_auc(scores, y, sample_weight=w) == losskit.roc_auc(scores[1:], y[1:], sample_weight=w[1:])
    expected = losskit.average_precision(scores[1:], y[1:], sample_weight=w[1:])
    assert losskit.average_precision(scores, y, sample_weight=w) == expected
    precision, recall, _ = losskit.precision_recall_curve(scores, y, sample_weight=w)
    np.testing.assert_allclose(precision, [0.75, 2 / 3, 1, 0, 1])
    np.testing.assert_allclose(recall, [1, 2 / 3, 2 / 3, 0, 0])
    assert np.isnan(losskit.roc_auc(scores, y, sample_weight=np.zeros(4)))
    assert losskit.average_precision(scores, y, sample_weight=np.zeros(4)) == 0


# --- Several classes -------------------------------------------------------------------------------------------------


def multiclass_reference(probs, y, scheme, average):
    classes = probs.shape[1]
    areas, sizes = [], []
    if scheme == "ovr":
        for k in range(classes):
            if 0 < (y == k).sum() < len(y):
                areas.append(reference(probs[:, k], y == k)["roc_auc"])
                sizes.append((y == k).sum())
    else:
        for i in range(classes):
            for j in range(i + 1, classes):
                both = (y == i) | (y == j)
                if (y == i).any() and (y == j).any():
                    one, other = reference(probs[both, i], y[both] == i), reference(probs[both, j], y[both] == j)
                    areas.append((one["roc_auc"] + other["roc_auc"]) / 2)
                    sizes.append(both.sum())
    return np.average(areas, weights=sizes if average == "weighted" else None) if areas else np.nan


@given(st.integers(0, 60), st.integers(1, 7), st.integers(0, 2**32 - 1), st.sampled_from(REALS))
@settings(max_examples=60, deadline=None)
def test_several_classes(n, classes, seed, dtype):
    rng = np.random.default_rng(seed)
    probs = (rng.integers(0, 9, (n, classes)) / 8).astype(dtype)
    y = rng.integers(0, rng.integers(1, classes + 1), n)
    for scheme in ("ovr", "ovo"):
        for average in ("macro", "weighted"):
            actual = losskit.roc_auc_multiclass(probs, y, multi_class=scheme, average=average)
            assert_close(actual, multiclass_reference(probs, y, scheme, average))
    targets = rng.integers(0, 2, (n, classes))
    areas = [reference(probs[:, k], targets[:, k])["roc_auc"] if n else np.nan for k in range(classes)]
    mean, each = losskit.macro_auc(probs, targets)
    assert mean.dtype == each.dtype == dtype
    assert_close(each, areas)
    assert_close(mean, np.nan if np.isnan(areas).all() else np.nanmean(areas))


def test_several_classes_agree_with_sklearn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(3)
    probs = rng.dirichlet(np.ones(4), 3000).round(2)
    probs[:, 0] += 1 - probs.sum(1)
    probs = np.clip(probs, 0, 1)
    probs /= probs.sum(1, keepdims=True)
    y = np.where(rng.random(3000) < 0.4, probs.argmax(1), rng.integers(0, 4, 3000))
    for scheme in ("ovr", "ovo"):
        for average in ("macro", "weighted"):
            expected = metrics.roc_auc_score(y, probs, multi_class=scheme, average=average)
            assert_close(losskit.roc_auc_multiclass(probs, y, multi_class=scheme, average=average), expected)
    targets = (probs + rng.normal(0, 0.2, probs.shape) > 0.3).astype(int)
    assert_close(losskit.macro_auc(probs, targets)[0], metrics.roc_auc_score(targets, probs, average="macro"))


# --- Rankings --------------------------------------------------------------------------------------------------------


def ranking_reference(name, scores, relevance, k, **parameters):
    values, counted = [], []
    scores, relevance = np.float64(scores), np.float64(relevance)
    depth = min(scores.shape[1] if k is None else k, scores.shape[1])
    discount = 1 / np.log2(np.arange(2, depth + 2))
    for s, r in zip(scores, relevance):
        order = np.argsort(-s, kind="stable")
        hits = (r[order] > 0)[:depth]
        total = (r > 0).sum()
        ranks = np.arange(1, depth + 1)
        counted.append(total > 0 or name == "ndcg_score")
        if name == "ndcg_score":
            gain = r if parameters["gain"] == "linear" else 2**r - 1
            ideal = (np.sort(gain)[::-1][:depth] * discount).sum()
            own = gain[order]
            if parameters["ties"] == "average":
                own = np.array([gain[s == score].mean() for score in s[order]])
            values.append((own[:depth] * discount).sum() / ideal if ideal else 0.0)
        elif total == 0:
            values.append(0.0)
        elif name == "mean_reciprocal_rank":
            values.append(1 / (np.argmax(hits) + 1) if hits.any() else 0.0)
        elif name == "recall_at_k":
            values.append(hits.sum() / total)
        elif name == "precision_at_k":
            values.append(hits.sum() / k)
        else:
            values.append((np.cumsum(hits) / ranks * hits).sum() / min(total, depth))
    mean = np.nan if not values else np.mean(np.array(values)[counted]) if any(counted) else 0.0
    return mean, np.array(values)


RANKINGS = [
    ("mean_reciprocal_rank", {}), ("recall_at_k", {}), ("precision_at_k", {}), ("mean_average_precision", {}),
    *[("ndcg_score", dict(gain=gain, ties=ties)) for gain in ("linear", "exponential") for ties in ("average", "index")],
]  # fmt: skip


@given(
    st.sampled_from(RANKINGS), st.integers(0, 5), st.one_of(st.integers(0, 12), st.integers(0, 200)),
    st.sampled_from([None, 1, 2, 3, 10, 50]), st.sampled_from([2, 6, 10**6]), st.sampled_from(REALS),
    st.integers(0, 2**32 - 1))  # fmt: skip
@settings(max_examples=300, deadline=None)
def test_rankings_follow_their_definitions(measure, queries, documents, k, levels, dtype, seed):
    name, parameters = measure
    rng = np.random.default_rng(seed)
    scores = (rng.integers(-levels, levels, (queries, documents)) / 7).astype(dtype)
    if rng.random() < 0.3:
        scores[rng.random(scores.shape) < 0.2] = rng.choice([-np.inf, np.inf])
    relevance = rng.integers(0, rng.integers(1, 5), (queries, documents)) * (
        rng.random((queries, documents)) < rng.random()
    )
    if k is None and name in ("recall_at_k", "precision_at_k"):
        k = 10
    mean, each = getattr(losskit, name)(scores, relevance.astype(dtype), k=k, **parameters)
    expected = ranking_reference(name, scores, relevance, k, **parameters)
    assert mean.dtype == each.dtype == dtype
    assert_close(each, expected[1])
    assert_close(mean, expected[0])


def test_rankings_agree_with_sklearn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(8)
    relevance = rng.integers(0, 4, (30, 90)).astype(float)
    tied, distinct = rng.integers(0, 20, (30, 90)).astype(float), rng.random((30, 90))
    for k in (None, 1, 10, 89):
        assert_close(losskit.ndcg_score(tied, relevance, k=k)[0], metrics.ndcg_score(relevance, tied, k=k))
        expected = metrics.ndcg_score(relevance, distinct, k=k, ignore_ties=True)
        assert_close(losskit.ndcg_score(distinct, relevance, k=k, ties="index")[0], expected)


def test_rankings_agree_with_torchmetrics():
    retrieval = pytest.importorskip("torchmetrics.functional.retrieval")
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(9)
    scores, relevance = rng.random((20, 40)), rng.integers(0, 2, (20, 40))
    pairs = [(torch.from_numpy(s), torch.from_numpy(r)) for s, r in zip(scores, relevance)]
    for name, peer, k in (
        ("mean_reciprocal_rank", retrieval.retrieval_reciprocal_rank, 5),
        ("recall_at_k", retrieval.retrieval_recall, 7),
        ("precision_at_k", retrieval.retrieval_precision, 50),
        ("mean_average_precision", retrieval.retrieval_average_precision, None),
    ):
        expected = [float(peer(*pair, top_k=k)) for pair in pairs]
        np.testing.assert_allclose(getattr(losskit, name)(scores, relevance, k=k)[1], expected, rtol=1e-6)


def test_shifted_relevance_of_tiny_gains():
    # 2^r − 1 keeps its digits for small r.
    relevance = np.float64([[1e-12, 3e-12, 2e-12]])
    mean, _ = losskit.ndcg_score([[3.0, 2, 1]], relevance, gain="exponential")
    assert_close(mean, ranking_reference("ndcg_score", [[3, 2, 1]], relevance, None, gain="linear", ties="index")[0])


# --- Nothing, and one ------------------------------------------------------------------------------------------------


def test_no_samples():
    empty = np.empty(0)
    for curve in (losskit.roc_curve, losskit.precision_recall_curve):
        assert [array.shape for array in curve(empty, empty)] == [(0,)] * 3
    undefined = [
        losskit.roc_auc(empty, empty), losskit.average_precision(empty, empty), losskit.equal_error_rate(empty, empty),
        *losskit.fpr_at_tpr(empty, empty), losskit.detection_auroc(empty, empty),
        losskit.roc_auc_multiclass(np.empty((0, 3)), empty), losskit.macro_auc(np.empty((0, 3)), np.empty((0, 3)))[0],
        *losskit.macro_auc(np.empty((0, 3)), np.empty((0, 3)))[1], losskit.macro_auc(np.empty((3, 0)), np.empty((3, 0)))[0],
        losskit.accuracy_score(empty, empty, num_classes=2), losskit.top_k_accuracy(np.empty((0, 3)), empty),
        losskit.matthews_corrcoef(empty, empty, num_classes=2), losskit.cohen_kappa_score(empty, empty, num_classes=2),
        *(getattr(losskit, name)(np.empty((0, 4)), np.empty((0, 4)))[0] for name in {name for name, _ in RANKINGS}),
    ]  # fmt: skip
    assert np.isnan(undefined).all()
    assert (losskit.confusion_matrix(empty, empty, num_classes=2) == 0).all()
    assert losskit.precision_recall_fbeta(empty, empty, num_classes=2, zero_division=0.5) == (0.5, 0.5, 0.5)
    assert (
        losskit.jaccard_score(empty, empty, num_classes=2)
        == losskit.specificity_score(empty, empty, num_classes=2)
        == 0
    )


def test_one_sample():
    assert [array.tolist() for array in losskit.roc_curve([0.3], [1])] == [[0, 0], [0, 1], [np.inf, 0.3]]
    assert [array.tolist() for array in losskit.precision_recall_curve([0.3], [1])] == [[1, 1], [1, 0], [0.3]]
    assert losskit.average_precision([0.3], [1]) == 1
    assert losskit.accuracy_score([1], [1], num_classes=2) == 1
    assert losskit.matthews_corrcoef([1], [1], num_classes=2) == losskit.cohen_kappa_score([1], [1], num_classes=2) == 0
    assert losskit.mean_average_precision([[1.0]], [[1]]) == (1, [1])
    assert losskit.ndcg_score([[1.0]], [[2]]) == (1, [1])


# --- Errors ----------------------------------------------------------------------------------------------------------


def binary_call(name, dtype, **more):
    n = len(CONF)
    outputs = {
        "roc_curve": ("fpr", "tpr", "thresholds"), "precision_recall_curve": ("precision", "recall", "thresholds"),
        "fpr_at_tpr": ("fpr", "threshold"),
    }.get(name, ("value",))  # fmt: skip
    arguments = dict(scores=np.array(CONF, dtype), y=np.array(RIGHT), count=n, **more)
    return RawCall(name, dtype, outputs, **{key: np.zeros(n + 1, dtype) for key in outputs}, **arguments)


@pytest.mark.parametrize("dtype", REALS)
def test_refused_rankings_of_scores(dtype):
    weights = np.ones(6, dtype)
    count = np.zeros(1, np.int64)
    curve = dict(sample_weight=weights, capacity=7, point_count=count)
    calls = {
        "roc_curve": curve, "precision_recall_curve": curve, "roc_auc": dict(sample_weight=weights, max_fpr=1.0),
        "average_precision": dict(sample_weight=weights), "fpr_at_tpr": dict(tpr=0.95), "equal_error_rate": {},
    }  # fmt: skip
    for name, more in calls.items():
        call = binary_call(name, dtype, **more)
        assert call() == "OK"
        assert call(scores=None) == call(y=None) == "NULL_POINTER"
        assert call(count=-1) == call(count=2**31) == "INVALID_SHAPE"
        assert call(y=np.array([0, 1, 2, 0, 0, 0])) == call(y=np.array([0, 1, 0, 0, 0, -1])) == "INVALID_TARGET"
        scores = np.array(CONF, dtype)
        scores[3] = np.nan
        assert call(scores=scores) == "INVALID_VALUE"
        if "sample_weight" in more:
            for bad in (-1, np.nan, np.inf):
                weights = np.ones(6, dtype)
                weights[5] = bad
                assert call(sample_weight=weights) == "INVALID_VALUE"
        if "capacity" in more:
            assert call(capacity=6) == "BUFFER_TOO_SMALL" and count[0] == 7
            assert call(capacity=-1) == "INVALID_SHAPE"
            assert call(point_count=None) == "NULL_POINTER"
            assert call(**{key: None for key in call.outputs}) == "OK"
        for side in ("start", "end"):
            call.inside_guards(side)
    for bad in (0.0, -0.1, 1.1, np.nan):
        assert binary_call("roc_auc", dtype, sample_weight=None)(max_fpr=bad) == "INVALID_PARAMETER"
    for bad in (-0.1, 1.1, np.nan):
        assert binary_call("fpr_at_tpr", dtype)(tpr=bad) == "INVALID_PARAMETER"
    two = RawCall(
        "detection_auroc", dtype, ("value",), scores_in=np.ones(3, dtype), scores_out=np.ones(2, dtype), in_count=3,
        out_count=2, value=np.zeros(1, dtype))  # fmt: skip
    assert two() == two(scores_in=None, in_count=0) == "OK"
    assert two(scores_in=None) == two(scores_out=None) == "NULL_POINTER"
    assert two(in_count=-1) == two(out_count=2**31 - 3) == "INVALID_SHAPE"
    assert two(scores_out=np.array([1, np.nan], dtype)) == "INVALID_VALUE"


@pytest.mark.parametrize("dtype", REALS)
def test_refused_decisions(dtype):
    pairs = dict(pred=np.array(PRED), y=np.array(LABEL), count=6, num_classes=3)
    weights = dict(sample_weight=np.ones(6, dtype))
    value = dict(value=np.zeros(1, dtype))
    calls = {
        "confusion_matrix": dict(weights, normalize="none", matrix=np.zeros((3, 3), dtype)),
        "accuracy_score": dict(weights, average="micro", **value),
        "precision_recall_fbeta": dict(
            weights, beta=1.0, average="none", zero_division=0.0,
            **{key: np.zeros(3, dtype) for key in ("precision", "recall", "f_score")}),
        "specificity_score": dict(average="none", value=np.zeros(3, dtype)),
        "jaccard_score": dict(average="none", value=np.zeros(3, dtype)),
        "matthews_corrcoef": dict(weights, **value),
        "cohen_kappa_score": dict(weights="none", **value),
    }  # fmt: skip
    for name, more in calls.items():
        outputs = [key for key in more if key in ("matrix", "value", "precision", "recall", "f_score")]
        call = RawCall(name, dtype, outputs, **pairs, **more)
        assert call() == call(**{key: None for key in outputs}) == "OK"
        assert call(pred=None) == call(y=None) == "NULL_POINTER"
        assert call(count=-1) == call(num_classes=0) == call(num_classes=2**32) == "INVALID_SHAPE"
        for bad in (-1, 3, 2**40):
            assert (
                call(y=np.array([0, 1, 2, 2, 1, bad])) == call(pred=np.array([bad, 1, 2, 2, 1, 0])) == "INVALID_TARGET"
            )
        if "sample_weight" in more:
            assert call(sample_weight=None) == "OK"
            assert call(sample_weight=np.array([1, 1, -1, 1, 1, 1], dtype)) == "INVALID_VALUE"
        for side in ("start", "end"):
            call.inside_guards(side)
    accuracy = RawCall("accuracy_score", dtype, ("value",), **pairs, **calls["accuracy_score"])
    assert accuracy(average="weighted") == accuracy(average="none") == "INVALID_PARAMETER"
    specificity = RawCall("specificity_score", dtype, ("value",), **pairs, **calls["specificity_score"])
    assert specificity(average="weighted") == "INVALID_PARAMETER"
    fbeta = RawCall(
        "precision_recall_fbeta", dtype, ("precision", "recall", "f_score"), **pairs, **calls["precision_recall_fbeta"]
    )
    assert fbeta(beta=-1.0) == fbeta(beta=np.nan) == "INVALID_PARAMETER"
    top = RawCall(
        "top_k_accuracy", dtype, ("value",), scores=np.array(LOGITS, dtype), y=np.array(LOGITS_Y), count=4, classes=3, k=2,
        **value)  # fmt: skip
    assert top() == "OK"
    assert top(k=0) == "INVALID_PARAMETER"
    assert top(count=-1) == top(classes=0) == "INVALID_SHAPE"
    assert top(scores=None) == top(y=None) == "NULL_POINTER"
    assert top(y=np.array([0, 1, 3, 0])) == "INVALID_TARGET"
    assert top(scores=np.full((4, 3), np.nan, dtype)) == "INVALID_VALUE"


@pytest.mark.parametrize("dtype", REALS)
def test_refused_tables(dtype):
    outputs = dict(value=np.zeros(1, dtype), per_query=np.zeros(2, dtype))
    for name in ("ndcg_score", "mean_reciprocal_rank", "recall_at_k", "precision_at_k", "mean_average_precision"):
        more = dict(gain="linear", ties="average") if name == "ndcg_score" else {}
        call = RawCall(
            name, dtype, tuple(outputs), scores=np.array(SCORES, dtype), relevance=np.array(RELEVANCE, dtype), queries=2,
            documents=4, k=3, **outputs, **more)  # fmt: skip
        assert call() == call(value=None, per_query=None) == call(k=2**62) == "OK"
        assert call(scores=None) == call(relevance=None) == "NULL_POINTER"
        assert call(queries=-1) == call(documents=-1) == call(queries=2**61) == "INVALID_SHAPE"
        assert call(k=0) == call(k=-5) == "INVALID_PARAMETER"
        bad = np.array(SCORES, dtype)
        bad[1, 3] = np.nan
        assert call(scores=bad) == call(relevance=bad) == "INVALID_VALUE"
        assert call(relevance=-np.array(RELEVANCE, dtype)) == ("INVALID_VALUE" if name == "ndcg_score" else "OK")
        for side in ("start", "end"):
            call.inside_guards(side)
    auc = RawCall(
        "roc_auc_multiclass", dtype, ("value",), probs=np.array(PROBS, dtype), y=np.array(PROBS_Y), count=4, classes=3,
        multi_class="ovo", average="macro", value=outputs["value"])  # fmt: skip
    assert auc() == "OK"
    assert auc(average="none") == auc(average="micro") == "INVALID_PARAMETER"
    assert auc(y=np.array([0, 1, 3, 2])) == "INVALID_TARGET"
    for bad in (-0.1, 1.1, np.nan):
        assert auc(probs=np.full((4, 3), bad, dtype)) == "INVALID_VALUE"
    assert auc(classes=0) == auc(count=-1) == "INVALID_SHAPE"
    macro = RawCall(
        "macro_auc", dtype, ("value", "auc"), scores=np.array(PROBS, dtype), t=np.eye(4, 3, dtype=dtype), count=4,
        classes=3, value=outputs["value"], auc=np.zeros(3, dtype))  # fmt: skip
    assert macro() == macro(auc=None, value=None) == "OK"
    assert macro(t=np.full((4, 3), 0.5, dtype)) == "INVALID_TARGET"
    assert macro(scores=np.full((4, 3), np.nan, dtype)) == "INVALID_VALUE"
    assert macro(scores=None) == macro(t=None) == "NULL_POINTER"
    assert macro(classes=-1) == macro(count=-1) == "INVALID_SHAPE"


def test_refused_in_python():
    assert_error("INVALID_SHAPE", losskit.roc_auc, [0.1, 0.2], [1])
    assert_error("INVALID_TARGET", losskit.roc_auc, [0.1, 0.2], [0.5, 1])
    assert_error("INVALID_SHAPE", losskit.confusion_matrix, [0], [0], num_classes=0)
    assert_error("INVALID_PARAMETER", losskit.confusion_matrix, [0], [0], num_classes=2, normalize="rows")
    assert_error("INVALID_PARAMETER", losskit.jaccard_score, [0], [0], num_classes=2, average="binary")
    assert_error("INVALID_SHAPE", losskit.jaccard_score, [0], [0], num_classes=-1, average="none")
    assert_error("INVALID_PARAMETER", losskit.cohen_kappa_score, [0], [0], num_classes=2, weights="cubic")
    assert_error("INVALID_SHAPE", losskit.ndcg_score, [0.1, 0.2], [0, 1])
    assert_error("INVALID_SHAPE", losskit.macro_auc, [[0.1, 0.2]], [[0], [1]])
    assert_error("INVALID_PARAMETER", losskit.recall_at_k, SCORES, RELEVANCE, k=0)


# --- The same bits ---------------------------------------------------------------------------------------------------


def test_same_bits_under_all_tiers_and_threads():
    assert_same_bits(
        """
rng = np.random.default_rng(1)
n = 600_000
y = rng.integers(0, 2, n)
w = rng.random(n)
for dtype in (np.float32, np.float64):
    for kind in ("normal", "outlier"):
        scores = rng.normal(size=n) + y if kind == "normal" else np.append(rng.random(n - 1) * 1e-6 + 1, -5)
        scores = scores.astype(dtype)
        for weights in (None, w.astype(dtype)):
            key = f"{dtype.__name__} {kind} {weights is None}"
            results[key] = np.array([
                losskit.roc_auc(scores, y, sample_weight=weights),
                losskit.roc_auc(scores, y, sample_weight=weights, max_fpr=0.1),
                losskit.average_precision(scores, y, sample_weight=weights)])
            some = weights if weights is None else weights[:300_000]
            for i, array in enumerate(losskit.roc_curve(scores[:300_000], y[:300_000], sample_weight=some)):
                results[f"{key} curve {i}"] = array
    table = rng.normal(size=(3000, 50)).round(1).astype(dtype)
    relevance = rng.integers(0, 3, (3000, 50)).astype(dtype)
    for k in (None, 5):
        results[f"ndcg {dtype.__name__} {k}"] = losskit.ndcg_score(table, relevance, k=k, gain="exponential")[1]
        results[f"map {dtype.__name__} {k}"] = np.array(losskit.mean_average_precision(table, relevance, k=k)[0])
    results[f"top {dtype.__name__}"] = np.array(losskit.top_k_accuracy(table, rng.integers(0, 50, 3000)))
a, b = rng.integers(0, 9, n), rng.integers(0, 9, n)
results["matrix"] = losskit.confusion_matrix(a, b, num_classes=9, sample_weight=w)
results["scores"] = np.array(losskit.precision_recall_fbeta(a, b, num_classes=9, sample_weight=w))
results["kappa"] = np.array(losskit.cohen_kappa_score(a, b, num_classes=9, weights="quadratic"))
"""
    )
