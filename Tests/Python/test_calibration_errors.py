"""Calibration errors, judged by NumPy float64 formulas written from the definitions, mpmath, and other libraries."""

import math
import pickle

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits
from test_calibration import BINNINGS, EDGES, MODES, C, P, R, YP, confidences, dtypes, reference_bins, reference_views

import losskit

N_OF_VIEWS = st.sampled_from([0, 1, 2, 3, 7, 8, 16, 17, 40])


# --- The definitions, in NumPy ---------------------------------------------------------------------------------------


def bins_of(conf, hit, n_bins, binning, edge):
    """(n, mean confidence, accuracy, gap) of each bin; gaps from correctly rounded sums."""
    index, _, total = reference_bins(conf, n_bins, binning, edge)
    result = []
    for b in range(total):
        inside = index == b
        n = int(inside.sum())
        mean, acc = (math.fsum(conf[inside]) / n, hit[inside].sum() / n) if n else (0.0, 0.0)
        gap = math.fsum([*conf[inside], *-hit[inside].astype(float)]) / n if n else 0.0
        result.append((n, mean, acc, gap))
    return result


def over_views(probs, y, mode, number):
    return [number(conf, np.asarray(hit)) for _, conf, hit in reference_views(probs, y, mode)]


def adaptive(probs, y, n_ranges=15, threshold=0.0):
    def of_class(conf, hit):
        kept = conf >= threshold
        ranges = bins_of(conf[kept], hit[kept], n_ranges, "rank", "right") if kept.any() else []
        return sum(abs(gap) for *_, gap in ranges) / n_ranges

    return np.mean(over_views(probs, y, "classwise", of_class)) if len(y) else np.nan


def average(probs, y, n_bins=10, binning="uniform", edge="left", mode="top"):
    def of_view(conf, hit):
        return np.mean([abs(gap) for n, *_, gap in bins_of(conf, hit, n_bins, binning, edge) if n])

    return np.mean(over_views(probs, y, mode, of_view)) if len(y) else np.nan


def debiased(probs, y, n_bins=15, binning="midpoint", edge="right", mode="top"):
    def of_view(conf, hit):
        bins = bins_of(conf, hit, n_bins, binning, edge)
        return max(0, math.fsum(n / len(y) * (gap**2 - acc * (1 - acc) / (n - 1)) for n, _, acc, gap in bins if n > 1))

    return math.sqrt(np.mean(over_views(probs, y, mode, of_view))) if len(y) else np.nan


def bias(probs, y, n_bins=15, binning="uniform", edge="right", mode="top", weighting="conf"):
    def of_view(conf, hit):
        bins = bins_of(conf, hit, n_bins, binning, edge)
        weigh = weighting == "conf"
        over = sum(n / len(y) * (mean if weigh else 1) * max(gap, 0) for n, mean, _, gap in bins)
        return over, sum(n / len(y) * (1 - mean if weigh else 1) * max(-gap, 0) for n, mean, _, gap in bins)

    return np.mean(over_views(probs, y, mode, of_view), axis=0) if len(y) else (np.nan, np.nan)


def ascending(probs, y):
    ((_, conf, hit),) = reference_views(probs, y, "top")
    order = np.argsort(conf, kind="stable")
    return conf[order], np.asarray(hit)[order].astype(float)


def sweep(probs, y, p=2, binning="rank"):
    if not len(y):
        return np.nan, np.nan
    conf, hit = ascending(probs, y)
    n = len(y)

    def binned(count):
        if binning == "rank":
            return np.array([k * count // n for k in range(n)])
        return np.minimum(count - 1, np.floor(conf * count).astype(int))

    used = 1
    for count in range(2, n):
        index = binned(count)
        accuracies = [hit[index == b].mean() for b in range(count) if (index == b).any()]
        if any(a > b for a, b in zip(accuracies, accuracies[1:])):
            break
        used = count
    index = binned(used)
    parts = [(index == b) for b in range(used) if (index == b).any()]
    return sum(i.sum() / n * abs(conf[i].mean() - hit[i].mean()) ** p for i in parts) ** (1 / p), used


def kolmogorov(probs, y, r=1, within=False):
    if not len(y):
        return np.nan
    probs, y = np.asarray(probs, np.float64), np.asarray(y)
    if probs.ndim == 1:
        conf, hit = probs, y
    else:
        order = np.argsort(-probs, axis=1, kind="stable")[:, :r]
        top = np.take_along_axis(probs, order, 1)
        conf = np.array([math.fsum(row) if r > 2 else sum(row) for row in top]) if within else top[:, -1]
        hit = (order == y[:, None]).any(1) if within else order[:, -1] == y
    order = np.argsort(conf, kind="stable")
    return np.abs(np.cumsum(conf[order] - hit[order])).max() / len(y)


def cumulative(probs, y):
    if not len(y):
        return (np.nan,) * 5
    conf, hit = ascending(probs, y)
    walk = np.concatenate([[0], np.cumsum(hit - conf)]) / len(y)
    sigma = math.sqrt((conf * (1 - conf)).sum()) / len(y)
    mad, range_ = np.abs(walk).max(), walk.max() - walk.min()
    ratio = [x / sigma if sigma else (math.inf if x else 0) for x in (mad, range_)]
    return mad, range_, sigma, *ratio


def mean_embedding(probs, y, bandwidth=0.4, weighted=False, grad=False):
    probs = np.asarray(probs, np.float64)
    if not len(y):
        return (0.0, np.zeros(probs.shape)) if grad else 0.0
    ((column, conf, hit),) = reference_views(probs, y, "top")
    hit = np.asarray(hit).astype(float)
    n, m = len(y), hit.sum()
    kernel = np.exp(-np.abs(conf[:, None] - conf) / bandwidth)
    if weighted:
        weight = np.where(hit == 1, 1 / max(m, 1), 1 / max(n - m, 1))
        v, slope, scale = (hit - conf) * weight, -weight, 1.0
    else:
        v, slope, scale = hit - conf, -np.ones(n), 1 / n**2
    value = math.sqrt(max(0.0, scale * v @ kernel @ v))
    if not grad:
        return value
    towards = kernel * np.sign(conf[:, None] - conf)
    derivative = scale * (slope * (kernel @ v) - v * (towards @ v) / bandwidth) / value if value else np.zeros(n)
    gradient = np.zeros(probs.reshape(n, -1).shape)
    gradient[np.arange(n), column] = derivative
    return value, gradient.reshape(probs.shape)


def kernel_error(probs, y, estimator="unbiased", kernel="exponential", bandwidth=1.0):
    p = np.asarray(probs, np.float64)
    if p.ndim == 1:
        p = np.stack([1 - p, p], 1)
    n = len(y)
    if n == 0 or (n < 2 and estimator != "biased"):
        return np.nan
    delta = np.eye(p.shape[1])[np.asarray(y)] - p
    distance = np.linalg.norm(p[:, None] - p, axis=2)
    k = np.exp(-distance / bandwidth) if kernel == "exponential" else np.exp(-(distance**2) / (2 * bandwidth**2))
    h = k * (delta @ delta.T)
    if estimator == "biased":
        return h.mean()
    if estimator == "unbiased":
        return (h.sum() - np.trace(h)) / (n * (n - 1))
    return np.mean([h[i, i + 1] for i in range(0, n - 1, 2)])


def density(probs, y, p=1, bandwidth=None, n_grid=2048):
    if not len(y):
        return np.nan
    conf, hit = ascending(probs, y)
    n, m = len(y), hit.sum()
    own = conf[hit == 1] if m else conf
    h = bandwidth or max(own.std() * (2 * n) ** -0.2, 1e-3)

    def estimate(d, x):
        d = np.concatenate([d, np.where(d < 0.5, -d, 2 - d)])
        u = (x[:, None] - d) / (3 * h)
        return (35 / 32 * np.maximum(1 - u**2, 0) ** 3 / (3 * h)).sum(1)

    x = (np.arange(n_grid) + 0.5) / n_grid
    f = estimate(conf, x) / n
    f1 = estimate(conf[hit == 1], x) / m if m else np.zeros(n_grid)
    with np.errstate(divide="ignore", invalid="ignore"):
        acc = np.where(f > 0, np.minimum(1, m / n * f1 / f), 0)
    return ((np.maximum(f, f1) > 1e-6) * np.abs(x - acc) ** p * f).sum() / f.sum() if f.sum() else 0.0


def smooth_at(conf, hit, sigma):
    g = max(2000, round(20 / sigma)) // 2 + 1
    position = conf * (g - 1)
    below = np.clip(np.floor(position).astype(int), 0, g - 2)
    m = np.arange(g)
    kernel = np.exp(-((m / (g - 1) - 0.5) ** 2) / (2 * sigma**2)) / (math.sqrt(2 * math.pi) * sigma)
    t = np.linspace(0, 1, max(round(10 / sigma), 200))

    def smoothed(v):
        grid = np.zeros(g)
        np.add.at(grid, below, (1 - (position - below)) * v)
        np.add.at(grid, below + 1, (position - below) * v)
        extended = np.concatenate([grid[:0:-1], grid, grid[-2::-1]])
        return np.interp(t, m / (g - 1), np.convolve(extended, kernel, "valid")[g // 2 : g // 2 + g])

    dens = smoothed(np.ones(len(conf))) + 1e-4
    return (np.abs(smoothed(hit - conf) / dens) * dens).sum() / dens.sum()


def smooth(conf, hit, sigma=None, eps=0.001, refine=10):
    if not len(conf):
        return np.nan, np.nan
    conf = np.asarray(conf, np.float64)
    if sigma is not None:
        return smooth_at(conf, hit, sigma), sigma
    is_small = lambda a: a < eps or a < smooth_at(conf, hit, a)  # noqa: E731
    low, high = 0.0, 1.0
    if not is_small(1.0):
        for _ in range(refine):
            middle = (low + high) / 2
            low, high = (middle, high) if is_small(middle) else (low, middle)
    return smooth_at(conf, hit, high), high


def lemeshow(probs, y, n_groups=10):
    if not len(y):
        return (np.nan,) * 3
    groups = [g for g in bins_of(np.asarray(probs, np.float64), np.asarray(y), n_groups, "rank", "right") if g[0]]
    h = 0.0
    for n, mean, _, gap in groups:
        if gap:
            variance = n * mean * (1 - mean)
            h += (n * gap) ** 2 / variance if variance else math.inf
    dof = max(len(groups) - 2, 1)
    p = float(mpmath.gammainc(mpmath.mpf(dof) / 2, mpmath.mpf(h) / 2, regularized=True)) if math.isfinite(h) else 0.0
    return h, dof, p


def spiegelhalter(probs, y):
    if not len(y):
        return np.nan, np.nan
    p, y = np.asarray(probs, np.float64), np.asarray(y)
    below = ((1 - 2 * p) ** 2 * p * (1 - p)).sum()
    z = ((y - p) * (1 - 2 * p)).sum() / math.sqrt(below) if below else 0.0
    return z, float(mpmath.erfc(abs(z) / mpmath.sqrt(2))) if abs(z) < 1e3 else 0.0


def detection(conf, matched, features, n_bins=10, norm="l1"):
    if not len(conf):
        return np.nan
    x = np.column_stack([conf, features]).astype(np.float64)
    inner = np.arange(1, n_bins) / n_bins
    cells = np.searchsorted(inner, x.ravel(), side="right").reshape(x.shape)
    gaps = []
    for cell in np.unique(cells, axis=0):
        inside = (cells == cell).all(1)
        gaps.append((inside.sum() / len(conf), np.abs(x[inside, 0].mean() - matched[inside].mean())))
    if norm == "l1":
        return sum(w * g for w, g in gaps)
    return math.sqrt(sum(w * g * g for w, g in gaps)) if norm == "l2" else max(g for _, g in gaps)


@st.composite
def some_data(draw, binary=None, size=N_OF_VIEWS):
    """(probs, y) in one of the precisions, with ties and numbers on the edges of few bins."""
    dtype = draw(dtypes)
    n = draw(size)
    classes = 0 if binary else draw(st.sampled_from([0, 1, 2, 3, 9, 20]))
    seed = draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    y = rng.integers(0, max(classes, 1) if classes else 2, n)
    if draw(st.booleans()) and n < 10 and classes < 4:
        probs = draw(confidences((n, classes) if classes else (n,), 5, dtype))
    elif classes:
        probs = rng.dirichlet(np.full(classes, draw(st.sampled_from([0.1, 1.0, 10.0]))), n).astype(dtype).clip(0, 1)
    else:
        probs = (rng.integers(0, 12, n) / 11 if draw(st.booleans()) else rng.random(n)).astype(dtype)
        if draw(st.booleans()):
            y = (rng.random(n) < probs).astype(int)
    return probs, y


def check(actual, expected, *, tolerance=None, atol=1e-13):
    """Numbers, NaN and infinities included; ``atol`` for what cancels."""
    for a, e in zip(np.atleast_1d(actual), np.atleast_1d(expected), strict=True):
        single = np.asarray(a).dtype == np.float32
        limit = tolerance or (3e-6 if single else 1e-11)
        np.testing.assert_allclose(a, e, rtol=limit, atol=max(atol, 1e-7 if single else 0))


# name: (reference, parameters to draw from, needs binary data)
MEASURES = {
    "adaptive_calibration_error": (adaptive, dict(n_ranges=[1, 2, 5, 15, 60], threshold=[0.0, 0.05, 0.5]), False),
    "thresholded_adaptive_calibration_error": (adaptive, dict(n_ranges=[2, 15], threshold=[0.01, 0.3]), False),
    "average_calibration_error": (average, dict(n_bins=[1, 5, 10], binning=BINNINGS, edge=EDGES, mode=MODES), False),
    "debiased_calibration_error": (debiased, dict(n_bins=[1, 5, 10], binning=BINNINGS, edge=EDGES, mode=MODES), False),
    "confidence_bias_error": (
        bias,
        dict(n_bins=[1, 5, 15], binning=BINNINGS, edge=EDGES, mode=MODES, weighting=["conf", "none"]),
        False,
    ),
    "ece_sweep": (sweep, dict(p=[1, 2, 3.5], binning=["rank", "uniform"]), False),
    "ecce": (cumulative, {}, False),
    "mmce": (mean_embedding, dict(bandwidth=[0.4, 0.01, 3.0], weighted=[False, True]), False),
    "skce": (
        kernel_error,
        dict(
            estimator=["unbiased", "biased", "linear"],
            kernel=["exponential", "gaussian"],
            bandwidth=[1.0, 0.1],
        ),
        False,
    ),
    "ece_kde": (density, dict(p=[1, 2], bandwidth=[None, 0.05, 1.0], n_grid=[512, 2048, 77]), False),
    "hosmer_lemeshow": (lemeshow, dict(n_groups=[1, 3, 10, 100]), True),
    "spiegelhalter_z": (spiegelhalter, {}, True),
}


@pytest.mark.parametrize("name", MEASURES)
@given(data=st.data())
def test_measures_follow_their_definition(name, data):
    reference, choices, binary = MEASURES[name]
    probs, y = data.draw(some_data(binary=binary))
    parameters = {key: data.draw(st.sampled_from(values)) for key, values in choices.items()}
    if name == "thresholded_adaptive_calibration_error":
        parameters["threshold"] = parameters.get("threshold", 0.01)
    if name == "hosmer_lemeshow":
        probs[probs < 1e-25] = 0  # the exact sums end at 2^-120
    actual = getattr(losskit, name)(probs, y, **parameters)
    # A difference of sums that cancel (h, gaps that are almost 0, roots of these) keeps its absolute error.
    check(actual, reference(probs, y, **parameters), atol=1e-7 if name in ("mmce", "debiased_calibration_error") else 1e-13)


@given(data=some_data(), r=st.integers(1, 4), within=st.booleans())
def test_ks_error_of_lower_ranks(data, r, within):
    probs, y = data
    if probs.ndim == 2 and r > probs.shape[1]:
        assert_error("INVALID_PARAMETER", losskit.ks_calibration_error, probs, y, r=r)
        return
    if within and probs.ndim == 2:
        # Sums that differ in their last bit would be sorted in another order.
        probs = (np.round(probs.astype(np.float64) * 64) / 64).astype(probs.dtype)
    check(losskit.ks_calibration_error(probs, y, r=r, within=within), kolmogorov(probs, y, r, within))


@given(data=some_data(binary=True, size=st.sampled_from([0, 1, 2, 5, 40])), sigma=st.sampled_from([None, 1.0, 0.1, 0.004]))
def test_smooth_ece(data, sigma):
    conf, hit = data
    actual, expected = losskit.smooth_ece(conf, hit, sigma=sigma), smooth(conf, hit, sigma)
    check(actual, expected, tolerance=3e-6 if conf.dtype == np.float32 else 1e-10)


def test_smooth_ece_at_its_limits():
    conf, hit = np.full(50, 0.999), np.zeros(50, int)
    assert losskit.smooth_ece(conf, hit, eps=2)[1] == 1 and losskit.smooth_ece(conf, hit, refine=0)[1] == 1
    check(losskit.smooth_ece(conf, hit, refine=3), smooth(conf, hit, refine=3))
    perfect = np.array([0.0, 1.0] * 20)
    value, sigma = losskit.smooth_ece(perfect, perfect.astype(int))
    assert value < 1e-12 and sigma == 2.0**-9


@given(
    seed=st.integers(0, 2**32 - 1), n=st.sampled_from([0, 1, 2, 30, 200]), axes=st.sampled_from([0, 1, 2, 5]),
    n_bins=st.sampled_from([1, 2, 3, 10, 100, 2**24]), norm=st.sampled_from(["l1", "l2", "max"]), dtype=dtypes,
)  # fmt: skip
def test_detection_calibration_error(seed, n, axes, n_bins, norm, dtype):
    rng = np.random.default_rng(seed)
    conf, features = rng.integers(0, 21, n) / 20, rng.integers(0, 11, (n, axes)) / 10
    conf, features = conf.astype(dtype), features.astype(dtype)
    matched = rng.integers(0, 2, n)
    actual = losskit.detection_calibration_error(conf, matched, features, n_bins=n_bins, norm=norm)
    if n_bins == 2**24:  # more bins than the reference can list, but few cells
        expected = detection(conf, matched, features, 1000, norm)
    else:
        expected = detection(conf, matched, features, n_bins, norm)
    check(actual, expected)


@given(data=some_data(binary=True, size=st.sampled_from([12, 40, 200])))
def test_calibration_slope_and_intercept(data):
    probs, y = data
    slope, intercept, citl, converged = losskit.calibration_slope_intercept(probs, y, eps=1e-6)
    if not converged:
        return
    p = np.clip(probs.astype(np.float64), 1e-6, 1 - 1e-6)
    s = np.log(p) - np.log1p(-p)
    tolerance = 3e-5 if probs.dtype == np.float32 else 1e-6

    def slopes(a, b):
        with np.errstate(over="ignore"):
            return slopes_of(a, b)

    def slopes_of(a, b):
        error = 1 / (1 + np.exp(-(a * s + b))) - y
        return [(error * s).mean(), error.mean()]

    np.testing.assert_allclose(slopes(float(slope), float(intercept)), 0, atol=tolerance)
    np.testing.assert_allclose(slopes(1.0, float(citl))[1], 0, atol=tolerance)


def test_what_separates_the_classes_has_no_slope():
    assert losskit.calibration_slope_intercept([0.1, 0.2, 0.8, 0.9], [0, 0, 1, 1])[3] == 0
    assert losskit.calibration_slope_intercept([0.1, 0.2, 0.8, 0.9], [1, 1, 1, 1])[3] == 0
    assert_error("INVALID_SHAPE", losskit.calibration_slope_intercept, [], [])


# --- Gradients -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighted", [False, True])
@given(data=some_data(size=st.sampled_from([0, 1, 2, 9, 33])), bandwidth=st.sampled_from([0.4, 0.05, 2.0]))
def test_gradient_of_mmce(weighted, data, bandwidth):
    probs, y = data
    value, gradient = losskit.mmce(probs, y, bandwidth=bandwidth, weighted=weighted, grad=True)
    expected, expected_gradient = mean_embedding(probs, y, bandwidth, weighted, grad=True)
    if value > 1e-4:  # below, V is the root of what is left of a difference in the reference
        check(value, expected)
        assert_close(gradient, expected_gradient, axis=None, tolerance=3e-6 if probs.dtype == np.float32 else 1e-10)


def test_gradient_of_mmce_by_finite_differences(rng):
    probs, y = rng.dirichlet(np.ones(4), 20), rng.integers(0, 4, 20)
    for p, labels in ((probs, y), (probs[:, 0], y % 2)):
        for weighted in (False, True):
            gradient = losskit.mmce(p, labels, weighted=weighted, grad=True)[1]
            assert_gradient(lambda q: losskit.mmce(q, labels, weighted=weighted), p, gradient, step=1e-6, tolerance=1e-7)


@pytest.mark.parametrize("estimator", ["unbiased", "biased", "linear"])
@pytest.mark.parametrize("kernel", ["exponential", "gaussian"])
def test_gradient_of_skce(estimator, kernel, rng):
    probs, y = rng.dirichlet(np.ones(4), 19), rng.integers(0, 4, 19)
    for p, labels in ((probs, y), (probs[:, 0].copy(), y % 2)):
        parameters = dict(estimator=estimator, kernel=kernel, bandwidth=0.7)
        value, gradient = losskit.skce(p, labels, **parameters, grad=True)
        check(value, kernel_error(p, labels, **parameters))
        assert_gradient(lambda q: losskit.skce(q, labels, **parameters), p, gradient, step=1e-5, tolerance=1e-8)
        single, single_gradient = losskit.skce(p.astype(np.float32), labels, **parameters, grad=True)
        assert_close(single_gradient, losskit.skce(p.astype(np.float32).astype(float), labels, **parameters, grad=True)[1])


def test_rows_that_coincide(dtype):
    probs = np.full((4, 3), 1 / 3, dtype)
    value, gradient = losskit.skce(probs, [0, 1, 2, 0], grad=True)
    check(value, kernel_error(probs, [0, 1, 2, 0]))
    assert np.isfinite(gradient).all()
    value, gradient = losskit.mmce(probs, [0, 0, 1, 1], grad=True)
    check(value, mean_embedding(probs, [0, 0, 1, 1]))
    assert np.isfinite(gradient).all()


def test_examples_of_gradients():
    value, gradient = losskit.mmce(P, YP, grad=True)
    expected = [[-0.2900835, 0, 0], [0, -0.007153903, 0], [-0.4424953, 0, 0], [0, 0, -0.007153903]]
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)
    _, gradient = losskit.skce(P, YP, grad=True)
    expected = [
        [0.1162031, 0.01160296, -0.127806],
        [0.01347445, 0.1015793, -0.1150537],
        [-0.03114351, -0.0125509, 0.04369441],
        [0.06371566, 0.001715245, -0.06543091],
    ]
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)


# --- Nothing, one, many ----------------------------------------------------------------------------------------------

SUITE = ["calibration_suite", "ks_calibration_error"]


def test_no_samples(dtype):
    for shape in ((0,), (0, 3)):
        probs = np.empty(shape, dtype)
        for name, (_, _, binary) in MEASURES.items():
            if binary and len(shape) > 1:
                continue
            values = np.atleast_1d(getattr(losskit, name)(probs, []))
            assert (values == 0).all() if name == "mmce" else np.isnan(values).all(), name
        assert np.isnan(losskit.ks_calibration_error(probs, []))
        for name in ("mmce", "skce"):
            assert getattr(losskit, name)(probs, [], grad=True)[1].shape == shape
        table, rest = losskit.calibration_suite(probs, [], bins=(5, 10))
        assert table.shape == (2, 5) and np.isnan(table).all() and np.isnan(rest).all()
    assert np.isnan(losskit.smooth_ece(np.empty(0, dtype), [])).all()
    assert np.isnan(losskit.detection_calibration_error(np.empty(0, dtype), [], np.empty((0, 2), dtype)))


def test_one_sample(dtype):
    p = np.array([[0.25, 0.75]], dtype)
    assert losskit.ece_sweep(p, [1]) == (0.25, 1) and losskit.debiased_calibration_error(p, [1]) == 0
    assert np.isnan(losskit.skce(p, [1])) and np.isnan(losskit.skce(p, [1], estimator="linear"))
    value, gradient = losskit.skce(p, [1], grad=True)
    assert not gradient.any()
    check(losskit.skce(p, [1], estimator="biased"), 2 * 0.25**2)
    check(losskit.mmce(p, [1]), 0.25), check(losskit.ks_calibration_error(p, [1]), 0.25)


@pytest.mark.parametrize("classes", [0, 10])
def test_many_samples(dtype, classes, rng):
    n = 20_000
    probs = rng.dirichlet(np.full(classes, 0.3), n).clip(0, 1) if classes else rng.random(n) ** 2
    probs = probs.astype(dtype)
    y = rng.integers(0, classes, n) if classes else (rng.random(n) < probs).astype(int)
    check(losskit.ks_calibration_error(probs, y), kolmogorov(probs, y))
    check(losskit.ecce(probs, y), cumulative(probs, y))
    check(losskit.ece_sweep(probs, y), sweep(probs, y))
    check(losskit.ece_kde(probs[:3000], y[:3000]), density(probs[:3000], y[:3000]))
    check(losskit.mmce(probs[:2000], y[:2000]), mean_embedding(probs[:2000], y[:2000]))
    check(losskit.skce(probs[:500], y[:500]), kernel_error(probs[:500], y[:500]))
    check(losskit.adaptive_calibration_error(probs, y), adaptive(probs, y))
    if not classes:
        check(losskit.hosmer_lemeshow(probs, y), lemeshow(probs, y), tolerance=1e-5 if dtype == np.float32 else 1e-9)
        check(losskit.spiegelhalter_z(probs, y), spiegelhalter(probs, y), tolerance=1e-5 if dtype == np.float32 else 1e-9)


def test_tails_against_mpmath():
    """p-values over their range: few and many degrees of freedom, small and tiny probabilities."""
    rng = np.random.default_rng(1)
    for n_groups in (1, 3, 4, 5, 12, 63, 500, 3001):
        for skill in (0.0, 0.3, 3.0, 30.0):
            probs = rng.uniform(0.01, 0.99, 6000)
            y = (rng.random(6000) < np.clip(probs + skill / np.sqrt(6000), 0, 1)).astype(int)
            h, dof, p = losskit.hosmer_lemeshow(probs, y, n_groups=n_groups)
            exact = float(mpmath.gammainc(mpmath.mpf(float(dof)) / 2, mpmath.mpf(float(h)) / 2, regularized=True))
            np.testing.assert_allclose(p, exact, rtol=1e-10, atol=1e-300)
    for shift in np.linspace(0, 0.9, 20):
        z, p = losskit.spiegelhalter_z(np.full(300, 0.05 + shift), np.ones(300, int))
        np.testing.assert_allclose(p, float(mpmath.erfc(abs(mpmath.mpf(float(z))) / mpmath.sqrt(2))), rtol=1e-11, atol=1e-300)


@given(data=some_data(size=st.sampled_from([1, 2, 9, 33])), bins=st.sampled_from([(5,), (), (3, 15, 7)]))
def test_the_suite_is_made_of_its_measures(data, bins):
    probs, y = data
    table, rest = losskit.calibration_suite(probs, y, bins=bins)
    for row, n in zip(table, bins):
        error = lambda **kind: losskit.calibration_error(probs, y, n_bins=n, **kind)  # noqa: E731
        check(row[0], error()), check(row[1], error(binning="rank")), check(row[2], error(mode="classwise"))
        check(row[3], error(binning="rank", mode="classwise")), check(row[4], error(norm="max"))
    predicted = (probs > 0.5) if probs.ndim == 1 else probs.argmax(1)
    check(rest[0], (predicted == y).mean())
    others = [losskit.log_loss, losskit.brier_score, losskit.ks_calibration_error, losskit.ece_kde, losskit.mmce]
    check(rest[1:], [measure(probs, y) for measure in others], atol=1e-8)


# --- Properties ------------------------------------------------------------------------------------------------------


@given(data=some_data(size=st.sampled_from([1, 2, 9, 40])), seed=st.integers(0, 2**32 - 1))
def test_order_of_samples_does_not_matter(data, seed):
    probs, y = data
    order = np.random.default_rng(seed).permutation(len(y))
    for mode in MODES:
        for norm in ("l1", "l2", "max"):  # exact sums: not a bit differs
            a, b = (losskit.calibration_error(probs[i], y[i], mode=mode, norm=norm) for i in (slice(None), order))
            assert a == b
        for measure in (losskit.average_calibration_error, losskit.debiased_calibration_error):
            a, b = (measure(probs[i], y[i], mode=mode, binning="uniform") for i in (slice(None), order))
            assert a == b
    for measure in (losskit.mmce, losskit.skce, losskit.ece_kde):
        check(measure(probs[order], y[order]), measure(probs, y), tolerance=1e-5, atol=1e-8)


@given(data=some_data(size=st.sampled_from([1, 2, 9, 40])), n_bins=st.sampled_from([1, 2, 10, 15]))
def test_bounds(data, n_bins):
    probs, y = data
    ((_, conf, hit),) = reference_views(probs, y, "top")
    ece = float(losskit.expected_calibration_error(probs, y, n_bins=n_bins))
    mce = float(losskit.maximum_calibration_error(probs, y, n_bins=n_bins))
    l2 = float(losskit.calibration_error(probs, y, n_bins=n_bins, norm="l2"))
    slack = 1e-6
    assert abs(conf.mean() - np.mean(hit)) - slack <= ece <= l2 + slack and l2 <= mce + slack and mce <= 1
    over, under = losskit.confidence_bias_error(probs, y, n_bins=n_bins, weighting="none")
    check(float(over) + float(under), ece, tolerance=1e-6)
    mad, range_, *_ = losskit.ecce(probs, y)
    assert mad <= range_ + slack and range_ <= 2 * mad + slack
    check(float(losskit.ks_calibration_error(probs, y)), float(mad), tolerance=1e-6)


# --- Accumulators ----------------------------------------------------------------------------------------------------


def accumulators(classes):
    """name: (empty accumulator, how a batch is added)"""
    plain = lambda a, p, y, g: a.update(p, y)  # noqa: E731
    result = {
        "reliability": (lambda: losskit.ReliabilityAccumulator(7, "left"), plain),
        "group": (lambda: losskit.GroupAccumulator(3, 7), lambda a, p, y, g: a.update(p, y, g)),
        "score": (lambda: losskit.ScoreAccumulator(1e-6), plain),
    }
    if classes:
        result["classwise"] = (lambda: losskit.ClasswiseAccumulator(classes, 7, "left_extra"), plain)
    return result


@given(data=some_data(size=st.sampled_from([0, 1, 9, 40, 70])), cuts=st.lists(st.floats(0, 1), min_size=3, max_size=3), seed=st.integers(0, 2**32 - 1))
def test_merged_parts_have_the_bytes_of_the_whole(data, cuts, seed):
    probs, y = data
    rng = np.random.default_rng(seed)
    group = rng.integers(0, 3, len(y))
    order = rng.permutation(len(y))
    parts = np.split(order, sorted(int(cut * len(y)) for cut in cuts))
    for new, add in accumulators(probs.shape[1] if probs.ndim == 2 else 0).values():
        whole = add(new(), probs, y, group)
        a, b, c, d = ((lambda i=i: add(new(), probs[i], y[i], group[i])) for i in parts)
        assert a().merge(b()).merge(c()).merge(d()) == whole == d().merge(c().merge(b().merge(a())))
        assert type(whole).from_bytes(whole.to_bytes()) == whole == pickle.loads(pickle.dumps(whole))
        assert whole.merge(new()) == add(new(), probs, y, group) and repr(whole).startswith(type(whole).__name__)


def test_what_accumulators_hold(dtype, rng):
    n, classes = 3000, 5
    probs = rng.dirichlet(np.full(classes, 0.4), n).astype(dtype).clip(0, 1)
    y, group = rng.integers(0, classes, n), rng.integers(0, 3, n)
    (count, conf, acc, edges), ece, mce = losskit.ClasswiseAccumulator(classes, 10).update(probs, y).result()
    for k in range(classes):
        expected = losskit.reliability_bins(probs[:, k].astype(float), y == k, n_bins=10)
        for a, b in zip((count[k], conf[k], acc[k], edges), expected):
            assert a.tobytes() == b.tobytes()
    check(dtype.type(ece.mean()), losskit.static_calibration_error(probs, y, n_bins=10))
    (count, conf, acc, edges), ece, mce = losskit.GroupAccumulator(3, 10).update(probs, y, group).result()
    for g in range(3):
        inside = group == g
        bins, own_ece, own_mce = losskit.ReliabilityAccumulator(10).update(probs[inside], y[inside]).result()
        for a, b in zip((count[g], conf[g], acc[g], edges), bins):
            assert a.tobytes() == b.tobytes()
        assert (ece[g], mce[g]) == (own_ece, own_mce)
    scores = losskit.ScoreAccumulator()
    for part in np.array_split(np.arange(n), 7):
        scores.update(probs[part], y[part])
    samples, brier, nll = scores.result()
    assert samples == n
    check(dtype.type(brier), losskit.brier_score(probs, y)), check(dtype.type(nll), losskit.log_loss(probs, y))
    wide = rng.random((3, 9000)).astype(dtype)  # rows of which the Brier score is in the thousands
    _, brier, _ = losskit.ScoreAccumulator().update(wide, [0, 1, 2]).result()
    check(dtype.type(brier), losskit.brier_score(wide, [0, 1, 2]))
    assert losskit.ScoreAccumulator().result()[0] == 0 and np.isnan(losskit.ScoreAccumulator().result()[1:]).all()


def test_what_accumulators_refuse(dtype):
    probs, y = P.astype(dtype), YP
    classwise, group, score = losskit.ClasswiseAccumulator(3), losskit.GroupAccumulator(2), losskit.ScoreAccumulator()
    for accumulator in (classwise, group, score):
        add = (lambda p, t: group.update(p, t, [0, 1, 1, 0])) if accumulator is group else accumulator.update
        add(probs, y)
        before = accumulator.to_bytes()
        for bad in (-0.1, 1.5, np.nan, np.inf, 1e30):
            spoiled = probs.copy()
            spoiled[3, 1] = bad
            assert_error("INVALID_VALUE", add, spoiled, y)
        assert_error("INVALID_TARGET", add, probs, y + 1)
        assert accumulator.to_bytes() == before
        for spoiled in (b"", before[:-1], before + b"\0", b"x" + before[1:], bytes(len(before))):
            assert_error("INVALID_VALUE", type(accumulator).from_bytes, spoiled)
        words = np.frombuffer(before, "<i8").copy()
        for place in (1, 2, 3, 4):
            for value in (-1, 2**62):
                copy = words.copy()
                copy[place] = value
                if accumulator is score and (place, value) == (4, 2**62):
                    continue
                assert_error("INVALID_VALUE", type(accumulator).from_bytes, copy.tobytes())
    assert_error("INVALID_TARGET", group.update, probs, y, [0, 1, 2, 0])
    assert_error("INVALID_TARGET", group.update, probs, y, [0, -1, 1, 0])
    assert_error("INVALID_SHAPE", group.update, probs, y, [0, 1])
    assert_error("INVALID_SHAPE", classwise.update, probs[:, :2], [0, 1, 1, 0])
    assert_error("INVALID_SHAPE", classwise.update, probs[:, 0], [0, 1, 1, 0])
    assert_error("INVALID_SHAPE", classwise.merge, losskit.ClasswiseAccumulator(4))
    assert_error("INVALID_SHAPE", score.merge, losskit.ScoreAccumulator(1e-3))
    assert_error("INVALID_VALUE", losskit.ReliabilityAccumulator.from_bytes, classwise.to_bytes())
    assert_error("INVALID_VALUE", losskit.GroupAccumulator.from_bytes, classwise.to_bytes())
    with pytest.raises(TypeError):
        score.merge(classwise)
    for bad in (0, 1, -1, np.nan, np.inf):
        assert_error("INVALID_PARAMETER", losskit.ScoreAccumulator, bad)
    for bad in (0, -1, 2**62):
        assert_error("INVALID_PARAMETER", losskit.ClasswiseAccumulator, bad)
        assert_error("INVALID_PARAMETER", losskit.GroupAccumulator, bad)


# --- Errors ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*MEASURES, "ks_calibration_error", "calibration_suite", "calibration_slope_intercept"])
def test_bad_data_are_refused(name, dtype):
    function = getattr(losskit, name)
    binary = name in MEASURES and MEASURES[name][2] or name == "calibration_slope_intercept"
    for classes, n in ((0, 1), (0, 40)) if binary else ((0, 40), (3, 2), (3, 40), (20, 21)):
        probs = np.full((n, classes) if classes else (n,), 0.3, dtype)
        y = np.zeros(n, np.int64)
        function(probs, y)
        for where in (0, probs.size - 1):
            for bad in (-0.1, 1.0001, np.inf, np.nan):
                spoiled = probs.copy()
                spoiled.flat[where] = bad
                assert_error("INVALID_VALUE", function, spoiled, y)
        for bad in (-1, max(classes, 2), 2**32):
            spoiled = y.copy()
            spoiled[-1] = bad
            assert_error("INVALID_TARGET", function, probs, spoiled)
    assert_error("INVALID_SHAPE", function, C, R[:3])
    if binary:
        assert_error("INVALID_SHAPE", function, P, YP)


def test_bad_parameters_are_refused():
    bad_widths = (0, -1, np.inf, np.nan, "x")
    for bad in bad_widths:
        assert_error("INVALID_PARAMETER", losskit.smooth_ece, C, R, sigma=bad)
        assert_error("INVALID_PARAMETER", losskit.ece_kde, C, R, bandwidth=bad)
        assert_error("INVALID_PARAMETER", losskit.mmce, C, R, bandwidth=bad)
        assert_error("INVALID_PARAMETER", losskit.skce, C, R, bandwidth=bad)
    for bad in (0, -1, 2**24 + 1, 1.5):
        assert_error("INVALID_PARAMETER", losskit.adaptive_calibration_error, C, R, n_ranges=bad)
        assert_error("INVALID_PARAMETER", losskit.hosmer_lemeshow, C, R, n_groups=bad)
        assert_error("INVALID_PARAMETER", losskit.ece_kde, C, R, n_grid=bad)
        assert_error("INVALID_PARAMETER", losskit.calibration_suite, C, R, bins=(5, bad))
        for function in (losskit.average_calibration_error, losskit.confidence_bias_error):
            assert_error("INVALID_PARAMETER", function, C, R, n_bins=bad)
    for bad in (0.5, 0, -1, np.inf, np.nan):
        assert_error("INVALID_PARAMETER", losskit.ece_sweep, C, R, p=bad)
    assert_error("INVALID_PARAMETER", losskit.adaptive_calibration_error, C, R, threshold=np.nan)
    for bad in (0, 0.5, -1, np.nan):
        assert_error("INVALID_PARAMETER", losskit.calibration_slope_intercept, C, R, eps=bad)
    assert_error("INVALID_PARAMETER", losskit.ks_calibration_error, P, YP, r=0)
    assert_error("INVALID_PARAMETER", losskit.ks_calibration_error, P, YP, r=4)
    assert_error("INVALID_PARAMETER", losskit.smooth_ece, C, R, refine=-1)
    assert_error("INVALID_PARAMETER", losskit.smooth_ece, C, R, eps=np.nan)
    for key in ("estimator", "kernel"):
        assert_error("INVALID_PARAMETER", losskit.skce, C, R, **{key: "other"})
    assert_error("INVALID_PARAMETER", losskit.detection_calibration_error, C, R, C[:, None], norm="other")
    assert_error("INVALID_SHAPE", losskit.detection_calibration_error, C, R, C)
    assert_error("INVALID_VALUE", losskit.detection_calibration_error, C, R, 2 * C[:, None])
    assert_error("INVALID_VALUE", losskit.smooth_ece, 2 * C, R)
    assert_error("INVALID_TARGET", losskit.smooth_ece, C, R + 1)


def test_outputs_are_untouched_by_refused_calls(dtype):
    probs, y = P.astype(dtype), YP.copy()
    one = lambda: np.zeros((), dtype)  # noqa: E731
    base = dict(probs=probs, y=y, count=4, classes=3)
    calls = [
        RawCall("skce", dtype, ["value", "grad"], **base, estimator="biased", kernel="gaussian", bandwidth=1.0,
                value=one(), grad=np.zeros_like(probs)),
        RawCall("mmce", dtype, ["value", "grad"], **base, bandwidth=0.4, weighted=False, value=one(),
                grad=np.zeros_like(probs)),
        RawCall("ecce", dtype, ["mad", "range", "sigma", "mad_ratio", "range_ratio"], **base, mad=one(), range=one(),
                sigma=one(), mad_ratio=one(), range_ratio=one()),
        RawCall("calibration_suite", dtype, ["table", "rest"], **base, bins=np.array([5, 9]), bin_count=2,
                table=np.zeros((2, 5), dtype), rest=np.zeros(6, dtype)),
        RawCall("ks_calibration_error", dtype, ["value"], **base, r=2, within=True, value=one()),
    ]  # fmt: skip
    for call in calls:
        assert call() == "OK"
        assert call(probs=None) == "NULL_POINTER" and call(y=None) == "NULL_POINTER"
        assert call(count=-1) == "INVALID_SHAPE" and call(count=2**62) == "INVALID_SHAPE"
        assert call(probs=np.full_like(probs, np.nan)) == "INVALID_VALUE" and call(y=y + 7) == "INVALID_TARGET"
        assert call(**{name: None for name in call.outputs}) == "OK"
        for side in ("end", "begin"):
            call.inside_guards(side)


def test_bits_do_not_depend_on_instruction_set_or_threads():
    code = """
rng = np.random.default_rng(3)
probs = rng.dirichlet(np.full(6, 0.4), 20_000).clip(0, 1)
y = rng.integers(0, 6, len(probs))
for dtype in (np.float32, np.float64):
    p = probs.astype(dtype)
    kind = p.dtype.name + " "
    for name in ("adaptive_calibration_error", "average_calibration_error", "debiased_calibration_error", "ece_sweep",
                 "ks_calibration_error", "ecce", "mmce", "ece_kde"):
        results[kind + name] = np.array(getattr(losskit, name)(p, y))
    results[kind + "mmce grad"] = losskit.mmce(p, y, grad=True)[1]
    results[kind + "skce"], results[kind + "skce grad"] = losskit.skce(p[:700], y[:700], grad=True)
    results[kind + "smooth"] = np.array(losskit.smooth_ece(p[:, 0], (y == 0).astype(int)))
    results[kind + "fit"] = np.array(losskit.calibration_slope_intercept(p[:, 0], (y == 0).astype(int)))
    results[kind + "scores"] = np.frombuffer(losskit.ScoreAccumulator().update(p, y).to_bytes(), np.uint8)
    results[kind + "group"] = np.frombuffer(losskit.GroupAccumulator(6).update(p, y, y).to_bytes(), np.uint8)
"""
    assert_same_bits(code)


# --- Other libraries -------------------------------------------------------------------------------------------------


def clear_of_edges(rng, n, classes):
    """Probabilities that lie on no edge of 10 or 15 bins: there, float32 edges and open ends differ between libraries."""
    probs = rng.dirichlet(np.full(classes, 0.5), n)
    return probs, rng.integers(0, classes, n)


def test_agrees_with_netcal(rng):
    metrics = pytest.importorskip("netcal.metrics")
    probs, y = clear_of_edges(rng, 2000, 5)
    conf, hit = rng.random(2000), rng.integers(0, 2, 2000)
    check(losskit.calibration_error(probs, y, n_bins=10, edge="left"), metrics.ECE(10).measure(probs, y), tolerance=1e-9)
    check(losskit.calibration_error(probs, y, n_bins=10, edge="left", norm="max"), metrics.MCE(10).measure(probs, y), tolerance=1e-9)
    check(losskit.average_calibration_error(probs, y), metrics.ACE(10).measure(probs, y), tolerance=1e-9)
    check(losskit.mmce(probs, y), metrics.MMCE().measure(probs, y), tolerance=1e-6)
    features = rng.random((2000, 2))
    theirs = metrics.ECE(4, detection=True).measure(np.column_stack([conf, features]), hit)
    check(losskit.detection_calibration_error(conf, hit, features, n_bins=4), theirs, tolerance=1e-9)


def test_agrees_with_uncertainty_calibration(rng):
    calibration = pytest.importorskip("calibration")
    probs, y = clear_of_edges(rng, 2000, 5)
    # get_ece compares with `right` edges; the equal-mass form merges equal edges, as `midpoint` does.
    check(losskit.calibration_error(probs, y), calibration.get_ece(probs, y, num_bins=15), tolerance=1e-9)
    theirs = calibration.get_ece_em(probs, y, num_bins=15)
    check(losskit.calibration_error(probs, y, binning="midpoint"), theirs, tolerance=1e-9)
    theirs = calibration.lower_bound_scaling_ce(probs, y, num_bins=15, binning_scheme=calibration.get_equal_bins, mode="top-label")
    check(losskit.debiased_calibration_error(probs, y), theirs, tolerance=1e-9)


def test_agrees_with_relplot(rng):
    relplot = pytest.importorskip("relplot")
    conf = rng.random(3000)
    hit = (rng.random(3000) < conf**1.3).astype(int)
    check(losskit.smooth_ece(conf, hit)[0], relplot.smECE(conf, hit), tolerance=1e-9)
