"""Proper scores, selective prediction, calibration of regression, judged by NumPy float64 formulas and other libraries."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits, guarded
from test_calibration import BINNINGS, EDGES, YZ, C, P, R, Z, dtypes
from test_calibration_errors import bins_of, check, some_data

import losskit

# --- Hinge loss ------------------------------------------------------------------------------------------------------


def hinge(z, y, squared=False):
    """Losses and gradients of the rows."""
    z = np.asarray(z, np.float64)
    rows = np.arange(len(y))
    gradient = np.zeros(z.shape)
    if z.ndim == 1:
        sign = 2 * np.asarray(y) - 1
        u = 1 - sign * z
        h = np.maximum(0, u)
        gradient = np.where(u > 0, -sign * (2 * h if squared else 1), 0)
    elif z.shape[1] == 1:
        h = np.zeros(len(y))
    else:
        others = z.copy()
        others[rows, y] = -np.inf
        with np.errstate(invalid="ignore"):
            u = 1 - (z[rows, y] - others.max(1))
        h = np.maximum(0, u)
        slope = np.where(u > 0, 2 * h if squared else 1, 0)
        gradient[rows, y] = -slope
        gradient[rows, others.argmax(1)] = slope
        gradient[np.isnan(u)] = np.nan
    return (h * h if squared else h), gradient


@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@given(
    seed=st.integers(0, 2**32 - 1), dtype=dtypes, n=st.sampled_from([0, 1, 2, 7, 16, 33]),
    classes=st.sampled_from([0, 1, 2, 3, 8, 10, 16, 17, 40, 300]), scale=st.sampled_from([0.5, 3.0, 1e4]),
    squared=st.booleans(), weighted=st.booleans(),
)  # fmt: skip
def test_hinge_loss_follows_its_definition(reduction, seed, dtype, n, classes, scale, squared, weighted):
    rng = np.random.default_rng(seed)
    z = (rng.standard_normal((n, classes) if classes else (n,)) * scale).astype(dtype)
    if classes > 1 and n > 1:
        z[0] = np.round(z[0])  # ties
        z[1, rng.integers(0, classes)] = -np.inf
    y = rng.integers(0, max(classes, 1) if classes else 2, n)
    if classes > 1:
        y = np.where(np.isinf(z[np.arange(n), y]), (y + 1) % classes, y) if n else y
    weights = rng.random(n).astype(dtype) if weighted else None
    losses, gradients = hinge(z, y, squared)
    w = np.ones(n) if weights is None else weights.astype(np.float64)
    if reduction == "mean":
        w = w / w.sum() if n else w
    value, gradient = losskit.hinge_loss(z, y, squared=squared, sample_weight=weights, reduction=reduction, grad=True)
    check(value, w * losses if reduction == "none" else (w * losses).sum())
    assert_close(gradient, gradients * (w if z.ndim == 1 else w[:, None]), axis=None)


def test_hinge_loss_of_undefined_rows(dtype):
    z = np.array([[0.0, np.nan, 1], [1, 0, 0], [-np.inf, 0, 1], [np.inf, 0, 1]], dtype)
    losses, gradient = losskit.hinge_loss(z, [0, 0, 0, 0], reduction="none", grad=True)
    np.testing.assert_array_equal(losses, [np.nan, 0, np.inf, 0])
    np.testing.assert_array_equal(gradient, [[np.nan] * 3, [0, 0, 0], [-1, 0, 1], [0, 0, 0]])
    losses, gradient = losskit.hinge_loss(np.array([np.nan, 1, -np.inf, np.inf], dtype), [1, 1, 1, 1], reduction="none", grad=True)
    np.testing.assert_array_equal(losses, [np.nan, 0, np.inf, 0])
    np.testing.assert_array_equal(gradient, [np.nan, 0, -1, 0])


def test_examples_and_gradients_of_hinge_loss(rng):
    value, gradient = losskit.hinge_loss(Z, YZ, grad=True)
    assert value == 0.5
    np.testing.assert_array_equal(gradient, [[0, 0, 0], [0, 0, 0], [-0.25, 0.25, 0], [0, 0.25, -0.25]])
    z, y = rng.standard_normal((9, 5)), rng.integers(0, 5, 9)
    for squared in (False, True):
        for scores, labels in ((z, y), (z[:, 0].copy(), y % 2)):
            gradient = losskit.hinge_loss(scores, labels, squared=squared, grad=True)[1]
            assert_gradient(lambda q: losskit.hinge_loss(q, labels, squared=squared), scores, gradient, step=1e-6)


def test_rows_along_another_axis(rng, dtype):
    for name in ("hinge_loss", "brier_score", "log_loss"):
        function = getattr(losskit, name)
        x = rng.random((3, 4, 5)).astype(dtype)
        y = rng.integers(0, 4, (3, 5))
        value, gradient = function(x, y, axis=1, grad=True)
        moved, moved_gradient = function(np.moveaxis(x, 1, -1), y, grad=True)
        assert value == moved
        np.testing.assert_array_equal(gradient, np.moveaxis(moved_gradient, -1, 1))
        assert function(x, y, axis=-2, reduction="none").shape == (3, 5)
        assert_error("INVALID_PARAMETER", function, x, y, axis=3)


@pytest.mark.parametrize("name", ["brier_score", "log_loss", "hinge_loss"])
@pytest.mark.parametrize("classes", [0, 1, 2, 5, 8, 9, 15, 16, 17, 31, 33, 130, 300, 5000])
def test_scores_at_every_row_length(name, classes, dtype, rng):
    for n in (1, 7, 16, 35):
        x = (rng.random((n, classes) if classes else n) ** 2).astype(dtype)
        y = rng.integers(0, max(classes, 1) if classes else 2, n)
        function = getattr(losskit, name)
        rows = np.arange(n)
        if name == "hinge_loss":
            expected = hinge(x, y)[0]
        else:
            p = x.astype(np.float64)
            if name == "brier_score":
                expected = ((p - np.eye(classes)[y]) ** 2).sum(1) if classes else (p - y) ** 2
            else:
                q = p[rows, y] if classes else np.where(y == 1, p, 1 - p)
                expected = -np.log(np.maximum(q, 1e-12))
        losses = function(guarded(x), guarded(y), reduction="none")
        assert_close(losses, expected)
        check(function(x, y), expected.mean()), check(function(x, y, reduction="sum"), expected.sum())


def test_threads_give_the_same_bits(rng, dtype):
    probs = rng.dirichlet(np.full(7, 0.4), 60_000).astype(dtype).clip(0, 1)
    y = rng.integers(0, 7, len(probs))
    results = []
    for threads in (1, 2, 3):
        losskit.set_num_threads(threads)
        results.append([
            np.array(part).tobytes()
            for name in ("brier_score", "log_loss", "hinge_loss")
            for part in getattr(losskit, name)(probs, y, grad=True)
        ])  # fmt: skip
    assert results[0] == results[1] == results[2]


def test_bits_do_not_depend_on_instruction_set():
    code = """
rng = np.random.default_rng(3)
z = rng.standard_normal((3000, 11))
p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
y = rng.integers(0, 11, len(z))
for dtype in (np.float32, np.float64):
    kind = np.dtype(dtype).name
    results[kind + " hinge"], results[kind + " hinge grad"] = losskit.hinge_loss(z.astype(dtype), y, grad=True)
    results[kind + " brier"] = losskit.brier_score(p.astype(dtype), y, reduction="none")
    results[kind + " log"] = losskit.log_loss(p.astype(dtype), y, reduction="none")
    results[kind + " parts"] = np.array(losskit.brier_decomposition(p[:, 0].astype(dtype), (y == 0).astype(int)))
    results[kind + " ensemble"] = np.array(losskit.ensemble_uncertainty(p.reshape(3, 1000, 11).astype(dtype)))
    results[kind + " curve"] = np.array(losskit.aurc(z[:, 0].astype(dtype), p[:, 0].astype(dtype)))
    results[kind + " ence"] = losskit.ence(p[:, 0].astype(dtype), p[:, 1].astype(dtype))
"""
    assert_same_bits(code)


# --- Decomposition of the Brier score --------------------------------------------------------------------------------


@given(data=some_data(binary=True), n_bins=st.sampled_from([1, 3, 10, 50]), binning=st.sampled_from(BINNINGS), edge=st.sampled_from(EDGES))
def test_brier_decomposition(data, n_bins, binning, edge):
    probs, y = data
    parts = losskit.brier_decomposition(probs, y, n_bins=n_bins, binning=binning, edge=edge)
    if not len(y):
        assert np.isnan(parts).all()
        return
    p = probs.astype(np.float64)
    n = len(y)
    bins = bins_of(p, y, n_bins, binning, edge)
    mean = y.mean()
    reliability = sum(k / n * gap**2 for k, _, _, gap in bins)
    resolution = sum(k / n * (acc - mean) ** 2 for k, _, acc, _ in bins)
    check(parts[:3], (reliability, resolution, mean * (1 - mean)))
    rel, res, unc, wbv, wbc = map(float, parts)
    check(rel - res + unc + wbv - wbc, np.mean((p - y) ** 2), tolerance=1e-5 if probs.dtype == np.float32 else 1e-11)
    assert wbv >= 0 and (n_bins > 1 or math.isclose(wbv, p.var(), rel_tol=1e-5, abs_tol=1e-12))


# --- Selective prediction --------------------------------------------------------------------------------------------


def curve(confidence, risk):
    order = np.argsort(-np.asarray(confidence, np.float64), kind="stable")
    k = np.arange(1, len(order) + 1)
    return k / max(len(order), 1), np.cumsum(np.asarray(risk, np.float64)[order]) / k


@given(
    seed=st.integers(0, 2**32 - 1), dtype=dtypes, n=st.sampled_from([0, 1, 2, 17, 60, 4000]), ties=st.booleans(),
    binary=st.booleans(),
)  # fmt: skip
def test_risk_and_coverage(seed, dtype, n, ties, binary):
    rng = np.random.default_rng(seed)
    confidence = (rng.integers(-3, 4, n) if ties else rng.standard_normal(n)).astype(dtype)
    if n > 5:
        confidence[:3] = np.inf, -np.inf, -0.0
    risk = (rng.integers(0, 2, n) if binary else rng.random(n) * 5).astype(dtype)
    coverage, selective = losskit.risk_coverage_curve(confidence, risk)
    expected_coverage, expected = curve(confidence, risk)
    assert_close(coverage, expected_coverage), assert_close(selective, expected)
    area, excess = losskit.aurc(confidence, risk)
    if n == 0:
        assert np.isnan(area) and np.isnan(excess)
        return
    best = curve(-np.sort(risk.astype(np.float64)), np.sort(risk.astype(np.float64)))[1].mean()
    check((area, excess), (expected.mean(), expected.mean() - best), tolerance=1e-5 if dtype == np.float32 else 1e-10)
    assert excess >= -1e-12


def test_bad_risks_are_refused(dtype):
    conf, risk = C.astype(dtype), R.astype(dtype)
    for function in (losskit.risk_coverage_curve, losskit.aurc):
        for bad in (-1, np.nan):
            assert_error("INVALID_VALUE", function, conf, np.where(R == 1, bad, risk))
        assert_error("INVALID_VALUE", function, np.where(R == 1, np.nan, conf), risk)
        assert_error("INVALID_SHAPE", function, conf, risk[:2])
        assert_error("INVALID_SHAPE", function, P, P)


@given(
    seed=st.integers(0, 2**32 - 1), dtype=dtypes, members=st.integers(1, 5), n=st.sampled_from([0, 1, 7, 40]),
    classes=st.sampled_from([1, 2, 7, 8, 9, 33]), sharp=st.booleans(),
)  # fmt: skip
def test_ensemble_uncertainty(seed, dtype, members, n, classes, sharp):
    rng = np.random.default_rng(seed)
    probs = rng.dirichlet(np.full(classes, 0.05 if sharp else 1.0), (members, n)).astype(dtype).clip(0, 1)
    probs[rng.random(probs.shape) < 0.1] = 0

    def entropy(p):
        return -np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0).sum(-1)

    p = probs.astype(np.float64)
    total, expected = entropy(p.mean(0)), entropy(p).mean(0)
    actual = losskit.ensemble_uncertainty(probs)
    for a, e in zip(actual, (total, expected, total - expected)):
        assert a.dtype == dtype
        np.testing.assert_allclose(a, e, rtol=3e-6 if dtype == np.float32 else 1e-12, atol=1e-14 * 100)


def test_ensembles_that_are_none(dtype):
    example = [P, [[0.5, 0.3, 0.2], [0.2, 0.7, 0.1], [0.4, 0.4, 0.2], [0.1, 0.1, 0.8]]]
    total, expected, mutual = losskit.ensemble_uncertainty(np.array(example, dtype))
    np.testing.assert_allclose(total, [0.937637, 0.8864645, 1.048654, 0.8188085], rtol=1e-6)
    np.testing.assert_allclose(expected, [0.9157358, 0.8498821, 1.042287, 0.7946512], rtol=1e-6)
    np.testing.assert_allclose(mutual, [0.02190118, 0.03658234, 0.006367198, 0.02415726], rtol=1e-5)
    function = losskit.ensemble_uncertainty
    assert_error("INVALID_SHAPE", function, np.empty((0, 3, 2), dtype))
    assert_error("INVALID_SHAPE", function, np.empty((2, 3, 0), dtype))
    assert_error("INVALID_SHAPE", function, P)
    spoiled = np.array(example, dtype)
    spoiled[1, 2, 0] = 1.5
    assert_error("INVALID_VALUE", function, spoiled)
    spoiled[1, 2, 0] = np.nan
    assert np.isnan(function(spoiled)[0]).tolist() == [False, False, True, False]


# --- Regression ------------------------------------------------------------------------------------------------------


@given(seed=st.integers(0, 2**32 - 1), dtype=dtypes, n=st.sampled_from([0, 1, 2, 50]))
def test_picp_and_mpiw(seed, dtype, n):
    rng = np.random.default_rng(seed)
    lower, upper, target = (rng.integers(-3, 4, n).astype(dtype) / 2 for _ in range(3))
    if n > 5:
        lower[0], upper[1] = -np.inf, np.inf
    coverage, width = losskit.picp_mpiw(lower, upper, target)
    if n:
        check((coverage, width), (((lower <= target) & (target <= upper)).mean(), np.abs(upper - lower.astype(float)).mean()))
        assert_error("INVALID_VALUE", losskit.picp_mpiw, lower, upper, np.full(n, np.nan, dtype))
    else:
        assert np.isnan(coverage) and np.isnan(width)


@given(
    seed=st.integers(0, 2**32 - 1), dtype=dtypes, n=st.sampled_from([0, 1, 2, 9, 50]),
    norm=st.sampled_from(["l2", "rms", "l1", "max"]), levels=st.sampled_from([None, [0.5], [0.75, 0, 1, 0.25]]),
)  # fmt: skip
def test_regression_calibration_error(seed, dtype, n, norm, levels):
    cdf = np.random.default_rng(seed).integers(0, 21, n).astype(dtype) / dtype.type(20)
    value, observed = losskit.regression_calibration_error(cdf, levels=levels, norm=norm)
    chosen = np.array([j / 20 for j in range(1, 20)] if levels is None else levels)
    if not n:
        assert np.isnan(value) and np.isnan(observed).all() and observed.shape == chosen.shape
        return
    share = (cdf.astype(np.float64)[:, None] <= chosen).mean(0)
    check(observed, share)
    d = share - chosen
    check(value, {"l2": (d**2).sum(), "rms": math.sqrt((d**2).mean()), "l1": np.abs(d).mean(), "max": np.abs(d).max()}[norm])


def test_bad_levels_are_refused():
    for bad in ([-0.1], [1.1], [np.nan]):
        assert_error("INVALID_PARAMETER", losskit.regression_calibration_error, C, levels=bad)
    assert_error("INVALID_PARAMETER", losskit.regression_calibration_error, C, norm="other")
    assert_error("INVALID_SHAPE", losskit.regression_calibration_error, C, levels=[])
    for bad in (-0.1, 1.1, np.nan):
        assert_error("INVALID_VALUE", losskit.regression_calibration_error, [0.5, bad])


def variance_bins(x, n_bins):
    """Bin of each x: edges as numpy.linspace has them, open to the right."""
    if x.min() == x.max():
        return np.zeros(len(x), int)
    return np.searchsorted(np.linspace(x.min(), x.max(), n_bins + 1)[1:-1], x, side="right")


@given(seed=st.integers(0, 2**32 - 1), dtype=dtypes, n=st.sampled_from([0, 1, 2, 9, 100]), n_bins=st.sampled_from([1, 2, 10, 77]), ties=st.booleans())
def test_calibration_of_variances(seed, dtype, n, n_bins, ties):
    rng = np.random.default_rng(seed)
    variance = (rng.integers(0, 4, n) if ties else rng.gamma(2, size=n)).astype(dtype)
    error = rng.gamma(1, size=n).astype(dtype)
    ence, uce = losskit.ence(variance, error, n_bins=n_bins), losskit.uncertainty_calibration_error(variance, error, n_bins=n_bins)
    if not n:
        assert np.isnan(ence) and np.isnan(uce)
        return
    v, e = variance.astype(np.float64), error.astype(np.float64)
    index = variance_bins(np.sqrt(v), n_bins)
    terms = []
    for b in np.unique(index):
        deviation = math.sqrt(v[index == b].mean())
        if deviation > 0:
            terms.append(abs(deviation - math.sqrt(e[index == b].mean())) / deviation)
    check(ence, np.mean(terms) if terms else np.nan)
    index = variance_bins(v, n_bins)
    check(uce, sum((index == b).mean() * abs(e[index == b].mean() - v[index == b].mean()) for b in np.unique(index)))


def test_bad_variances_are_refused():
    for function in (losskit.ence, losskit.uncertainty_calibration_error):
        for bad in (-1, np.nan, np.inf):
            assert_error("INVALID_VALUE", function, [1, bad], [1, 1])
        for bad in (-1, np.nan):
            assert_error("INVALID_VALUE", function, [1, 2], [1, bad])
        for bad in (0, -1, 2**24 + 1, 1.5):
            assert_error("INVALID_PARAMETER", function, [1, 2], [1, 1], n_bins=bad)
        assert_error("INVALID_SHAPE", function, [1, 2], [1])
    assert np.isnan(losskit.ence([0, 0], [1, 1]))


# --- Errors ----------------------------------------------------------------------------------------------------------


def test_outputs_are_untouched_by_refused_calls(dtype):
    z, one = Z.astype(dtype), lambda: np.zeros((), dtype)
    base = dict(count=4, classes=3, sample_weight=None)
    for name, x, parameter in (
        ("hinge_loss", "scores", dict(squared=True)),
        ("brier_score", "probs", dict(scale_by_half=False)),
        ("log_loss", "probs", dict(eps=1e-12)),
    ):
        data = z if name == "hinge_loss" else P.astype(dtype)
        for reduction, loss in ((1, one()), (0, np.zeros(4, dtype))):
            call = RawCall(name, dtype, ["loss", "grad"], **{x: data}, y=YZ.copy(), **base, **parameter,
                           reduction=["none", "mean"][reduction], loss=loss, grad=np.zeros_like(data))  # fmt: skip
            assert call() == "OK" and call(grad=None) == "OK" and call(loss=None) == "OK"
            assert call(**{x: None}) == "NULL_POINTER" and call(y=None) == "NULL_POINTER"
            assert call(y=YZ + 7) == "INVALID_TARGET" and call(y=YZ + 7, grad=None) == "INVALID_TARGET"
            assert call(y=YZ - 1, grad=None) == "INVALID_TARGET" and call(y=YZ + 2**32, grad=None) == "INVALID_TARGET"
            assert call(count=-1) == "INVALID_SHAPE" and call(classes=-1) == "INVALID_SHAPE"
            assert call(sample_weight=np.full(4, -1, dtype), grad=None) == "INVALID_VALUE"
            if name != "hinge_loss":
                assert call(**{x: data + 1}) == "INVALID_VALUE" and call(**{x: data + 1}, grad=None) == "INVALID_VALUE"
            for side in ("end", "begin"):
                call.inside_guards(side)


# --- Other libraries -------------------------------------------------------------------------------------------------


def test_agrees_with_sklearn(rng):
    metrics = pytest.importorskip("sklearn.metrics")
    probs, y = rng.dirichlet(np.ones(5), 400), rng.integers(0, 5, 400)
    check(losskit.log_loss(probs, y), metrics.log_loss(y, probs), tolerance=1e-12)
    check(losskit.brier_score(probs[:, 0], (y == 0).astype(int)), metrics.brier_score_loss(y == 0, probs[:, 0]), tolerance=1e-12)
    check(losskit.hinge_loss(probs, y), metrics.hinge_loss(y, probs, labels=range(5)), tolerance=1e-12)
    score = rng.standard_normal(400)
    check(losskit.hinge_loss(score, y % 2), metrics.hinge_loss(y % 2, score), tolerance=1e-12)


def test_agrees_with_netcal(rng):
    metrics = pytest.importorskip("netcal.metrics")
    mean, deviation = rng.standard_normal(500), rng.gamma(4, size=500) / 4
    target = mean + rng.standard_normal(500)
    pair = (mean[:, None], deviation[:, None])
    theirs = float(np.squeeze(metrics.ENCE(bins=10).measure(pair, target[:, None], kind="meanstd")))
    check(losskit.ence(deviation**2, (mean - target) ** 2), theirs, tolerance=1e-9)
    theirs = float(np.squeeze(metrics.UCE(bins=10).measure(pair, target[:, None], kind="meanstd")))
    check(losskit.uncertainty_calibration_error(deviation**2, (mean - target) ** 2), theirs, tolerance=1e-9)
