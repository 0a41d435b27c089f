"""Measures of language models, of sets of models and of neural collapse: judged by NumPy float64 formulas."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_same_bits

import losskit

INF, NAN = math.inf, math.nan
Z = [[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]]
Y = [0, 1, 0, 2]
A, T = [0, 1, 1, 2, 0, 2], [0, 1, 2, 2, 1, 2]
X, YX = [[1, 0], [1.2, 0.2], [0, 1], [0.1, 1.4]], [0, 0, 1, 1]
W, B, M = [[1, -0.5], [-0.3, 1]], [0, 0.1], [[1.1, 0.1], [0.05, 1.2]]
MEANS = [[2, 0, 0.1], [0, 1, 0], [0, 0.2, 1.5]]
PROBS, LOSSES = [[0.2, 0.6, 0.9], [0.35, 0.55, 0.9], [0.9, 0.1, 0.1]], [0.5, 0.505, 0.6]


def examples(dtype):
    a = lambda x: np.array(x, dtype)  # noqa: E731
    proxies = losskit.token_proxy_metrics(a(Z), Y, k=1)
    return {
        "aggregates": (proxies[0], [0.5513729, 0.783625, 0.75, 1.25, 0.1732868, 0.875]),
        "nll": (proxies[1], [0.407606, 0.169846, 1.023909, 0.6041306]),
        "entropy": (proxies[2], [0.8323956, 0.5242666, 0.8250302, 0.9528076]),
        "min_k_prob": (losskit.min_k_prob(a([-1, -3, -0.5, -2]), k=0.5), -2.5),
        "min_k_plus_plus": (losskit.min_k_plus_plus(a(Z), Y, k=0.5), 0.02975258),
        "dc_pdd_score": (losskit.dc_pdd_score(a([-1, -3, -6]), [2, 0, 2], [5, 0, 3], a=0.5), 0.2011625),
        "low": (losskit.viable_prediction_range(a(PROBS), a(LOSSES))[0], [0.2, 0.55, 0.9]),
        "high": (losskit.viable_prediction_range(a(PROBS), a(LOSSES))[1], [0.35, 0.6, 0.9]),
        "ambiguity": (losskit.predictive_multiplicity(a(PROBS), a(LOSSES))[0], 1 / 3),
        "discrepancy": (losskit.predictive_multiplicity(a(PROBS), a(LOSSES))[1], 1 / 3),
        "nc1_variability": (losskit.nc1_variability(a(X), YX, num_classes=2), 0.005251132),
        "cdnv": (losskit.cdnv(a(X), YX, num_classes=2), 0.01351351),
        "nc2_equinorm": (losskit.nc2_equinorm(a(MEANS)), 0.1393351),
        "nc2_equiangularity": (losskit.nc2_equiangularity(a(MEANS)), 0.2144509),
        "nc2_orthogonality": (losskit.nc2_orthogonality(a(MEANS)), 0.06055443),
        "nc3_self_duality": (losskit.nc3_self_duality(a(W), a(M)), 0.1670378),
        "nc4_ncc_mismatch": (losskit.nc4_ncc_mismatch(a(X), a(W), a(B), a(M)), 0),
    }


@pytest.mark.parametrize("name", examples(np.float64))
def test_worked_example(name, dtype):
    result, expected = examples(dtype)[name]
    assert result.dtype == dtype
    assert_close(result, np.array(expected, np.float64), tolerance=3e-6 if dtype == np.float32 else 6e-7)


def test_worked_examples_of_labels():
    assert losskit.token_proxy_metrics(Z, Y, k=1)[3].tolist() == [1, 1, 2, 1]
    competing = losskit.viable_prediction_range(PROBS, LOSSES)[2]
    assert competing.tolist() == [1, 1, 0] and competing.dtype == np.bool_
    rates, mean = losskit.false_head_rate(A, T, num_classes=3)
    assert_close(rates, np.array([0.2, 1 / 3, 1 / 3]))
    assert_close(mean, np.float64(0.26 / 0.9))
    accuracy, *rest = losskit.accuracy_disparity(A, T, num_classes=3)
    assert_close(accuracy, np.array([1, 0.5, 2 / 3]))
    assert_close(np.array(rest), np.array([0.5, 0.5, 0.2078699]), tolerance=1e-7)


def tolerance_of(dtype, loose=1):
    return loose * (3e-6 if dtype == np.float32 else 1e-12)


# --- Language models -------------------------------------------------------------------------------------------------

TOKENS = st.tuples(st.sampled_from([0, 1, 2, 9, 33]), st.sampled_from([1, 2, 5, 16, 17, 100, 1003]), st.integers(0, 2**32 - 1))
DTYPES = st.sampled_from([np.float32, np.float64])
SCALES = st.sampled_from([1e-3, 1, 10, 1e4])


def log_softmax(z):
    shifted = z - z.max(1, keepdims=True)
    others = np.exp(shifted)
    np.put_along_axis(others, z.argmax(1)[:, None], 0, 1)
    return shifted - np.log1p(others.sum(1, keepdims=True))


def tokens(drawn, dtype, scale):
    n, v, seed = drawn
    rng = np.random.default_rng(seed)
    z = rng.normal(0, scale, (n, v)).round(2 if scale > 1 else 6).astype(dtype)
    y = rng.integers(0, v, n)
    if v > 4:
        z[rng.random((n, v)) < 0.1] = -INF
        z[:, 0] = np.where(np.isfinite(z[:, 0]), z[:, 0], 0)
        y = np.where(np.isfinite(z[np.arange(n), y]), y, 0)
    return z, y


@given(TOKENS, DTYPES, SCALES, st.integers(1, 7))
def test_token_proxies(drawn, dtype, scale, k):
    z, y = tokens(drawn, dtype, scale)
    n = len(y)
    aggregates, nll, entropy, rank = losskit.token_proxy_metrics(z, y, k=k)
    logp = log_softmax(z.astype(np.float64))
    mine = logp[np.arange(n), y]
    p = np.exp(logp)
    expected_entropy = -(p * np.where(p > 0, logp, 0)).sum(1)
    expected_rank = 1 + (z > z[np.arange(n), y][:, None]).sum(1)
    assert rank.dtype == np.int64 and rank.tolist() == expected_rank.tolist()
    np.testing.assert_allclose(nll, -mine, rtol=tolerance_of(dtype), atol=1e-14)
    np.testing.assert_allclose(entropy, expected_entropy, rtol=tolerance_of(dtype), atol=1e-14)
    if n == 0:
        assert np.isnan(aggregates).all()
        return
    r = expected_rank.astype(float)
    expected = np.array([-mine.mean(), expected_entropy.mean(), (r <= k).mean(), r.mean(), np.log(r).mean(), (1 / r).mean()])
    np.testing.assert_allclose(aggregates, expected, rtol=tolerance_of(dtype), atol=1e-14)


def smallest_mean(x, k):
    return np.sort(x)[: max(1, math.floor(k * x.size + 1e-9))].mean() if x.size else NAN


@given(TOKENS, DTYPES, st.sampled_from([1e-3, 1, 10]), st.sampled_from([0.01, 0.2, 0.3, 1.0]))
def test_min_k(drawn, dtype, scale, k):
    z, y = tokens(drawn, dtype, scale)
    n = len(y)
    logp = log_softmax(z.astype(np.float64))
    p = np.exp(logp)
    finite = np.where(p > 0, logp, 0)
    mean = (p * finite).sum(1)
    variance = (p * np.where(p > 0, logp - mean[:, None], 0) ** 2).sum(1)
    scores = (logp[np.arange(n), y] - mean) / np.sqrt(np.maximum(variance, 1e-12))
    value = losskit.min_k_plus_plus(z, y, k=k)
    # log p − μ subtracts; the scores are of the order of 1.
    np.testing.assert_allclose(value, smallest_mean(scores, k), rtol=tolerance_of(dtype, 100), atol=1e-9)
    mine = logp[np.arange(n), y].astype(dtype)
    np.testing.assert_allclose(losskit.min_k_prob(mine, k=k), smallest_mean(mine.astype(float), k), rtol=tolerance_of(dtype))


@given(st.integers(0, 60), st.integers(1, 30), DTYPES, st.sampled_from([1e-3, 0.05, 0.5, INF]), st.integers(0, 2**32 - 1))
def test_dc_pdd(n, v, dtype, a, seed):
    rng = np.random.default_rng(seed)
    logs, ids, counts = rng.uniform(-9, 0, n).astype(dtype), rng.integers(0, v, n), rng.integers(0, 2**40, v)
    counts[rng.random(v) < 0.3] = 0
    values, seen = [], set()
    for log, token in zip(logs, ids):
        if token not in seen:
            seen.add(token)
            values.append(min(math.exp(log) * math.log((float(counts.sum()) + v) / (counts[token] + 1)), a))
    value = losskit.dc_pdd_score(logs, ids, counts, a=a)
    np.testing.assert_allclose(value, np.mean(values) if values else NAN, rtol=tolerance_of(dtype))


def test_refusals_of_tokens(dtype):
    z = np.array(Z, dtype)
    nan = np.where(z == 3, dtype.type(NAN), z)
    for function in (losskit.token_proxy_metrics, losskit.min_k_plus_plus):
        assert_error("INVALID_TARGET", function, z, [0, 1, 3, 0])
        assert_error("INVALID_TARGET", function, z, [0, -1, 0, 0])
        assert_error("INVALID_VALUE", function, nan, Y)
        assert_error("INVALID_SHAPE", function, z, Y[:3])
        assert_error("INVALID_SHAPE", function, z[:, :0], Y)
    assert_error("INVALID_PARAMETER", losskit.token_proxy_metrics, z, Y, k=0)
    for k in (0, -0.1, 1.1, NAN):
        assert_error("INVALID_PARAMETER", losskit.min_k_plus_plus, z, Y, k=k)
        assert_error("INVALID_PARAMETER", losskit.min_k_prob, z[0], k=k)
    assert_error("INVALID_PARAMETER", losskit.min_k_plus_plus, z, Y, eps=0)
    assert_error("INVALID_VALUE", losskit.min_k_prob, nan[1])
    assert losskit.min_k_prob([-1, -INF, 0], k=0.1) == -INF
    assert_error("INVALID_TARGET", losskit.dc_pdd_score, z[0], [0, 1, 2], [1, 1])
    assert_error("INVALID_VALUE", losskit.dc_pdd_score, z[0], [0, 1, 1], [1, -1])
    assert_error("INVALID_PARAMETER", losskit.dc_pdd_score, z[0], [0, 1, 1], [1, 1], a=0)
    assert np.isnan(losskit.dc_pdd_score([], [], [1, 2]))


# --- Sets of models --------------------------------------------------------------------------------------------------


@given(st.integers(1, 6), st.integers(0, 40), DTYPES, st.sampled_from([0, 0.1, 0.3]), st.integers(0, 2**32 - 1))
def test_multiplicity(m, n, dtype, delta, seed):
    rng = np.random.default_rng(seed)
    probs, losses = rng.integers(0, 11, (m, n)).astype(dtype) / dtype(10), rng.uniform(0.4, 0.6, m).astype(dtype)
    baseline, epsilon = int(rng.integers(0, m)), float(rng.choice([0, 0.05, 1]))
    low, high, competing = losskit.viable_prediction_range(probs, losses, baseline=baseline, epsilon=epsilon)
    expected = losses.astype(float) <= float(losses[baseline]) + epsilon
    assert competing.tolist() == expected.tolist()
    np.testing.assert_array_equal(low, probs[expected].min(0))
    np.testing.assert_array_equal(high, probs[expected].max(0))
    ambiguity, discrepancy = losskit.predictive_multiplicity(
        probs, losses, baseline=baseline, epsilon=epsilon, delta=delta
    )
    if n == 0:
        assert np.isnan(ambiguity) and np.isnan(discrepancy)
        return
    conflicts = np.abs(probs.astype(float) - probs[baseline].astype(float))[expected] >= delta - 1e-12
    assert_close(ambiguity, np.float64(conflicts.any(0).mean()))
    assert_close(discrepancy, np.float64(conflicts.mean(1).max()))


def test_refusals_of_models():
    for function in (losskit.viable_prediction_range, losskit.predictive_multiplicity):
        for baseline in (-1, 3):
            assert_error("INVALID_PARAMETER", function, PROBS, LOSSES, baseline=baseline)
        for epsilon in (-0.1, NAN):
            assert_error("INVALID_PARAMETER", function, PROBS, LOSSES, epsilon=epsilon)
        assert_error("INVALID_VALUE", function, np.array(PROBS) + 0.2, LOSSES)
        assert_error("INVALID_VALUE", function, np.array(PROBS) * NAN, LOSSES)
        assert_error("INVALID_VALUE", function, PROBS, [NAN, 1, 1])
        assert_error("INVALID_SHAPE", function, PROBS, LOSSES[:2])
    assert_error("INVALID_PARAMETER", losskit.predictive_multiplicity, PROBS, LOSSES, delta=-0.1)


# --- Classes ---------------------------------------------------------------------------------------------------------


@given(st.integers(0, 60), st.integers(1, 9), st.booleans(), st.integers(0, 2**32 - 1))
def test_false_heads_and_disparity(n, c, counted, seed):
    rng = np.random.default_rng(seed)
    pred, y = rng.integers(0, c, n), rng.integers(0, c, n)
    counts, ratios = rng.integers(0, 4, c) if counted else None, [0, 0.3, 0.5, 1]
    ranks = np.arange(c)
    if counted:
        ranks[np.argsort(-counts, kind="stable")] = np.arange(c)
    expected = []
    for ratio in ratios:
        border = math.floor(c * ratio + 0.5)
        tail = ranks[y] >= border
        expected.append((ranks[pred][tail] < border).mean() if tail.any() else NAN)
    rates, mean = losskit.false_head_rate(pred, y, num_classes=c, ratios=ratios, class_counts=counts)
    np.testing.assert_allclose(rates, expected, rtol=1e-14)
    defined = [rate for rate in expected if rate == rate]
    np.testing.assert_allclose(mean, np.mean(defined) if defined else NAN, rtol=1e-14)

    accuracy, gap, least, deviation = losskit.accuracy_disparity(pred, y, num_classes=c)
    shares = np.array([(pred[y == k] == k).mean() if (y == k).any() else NAN for k in range(c)])
    np.testing.assert_allclose(accuracy, shares, rtol=1e-14)
    present = shares[~np.isnan(shares)]
    expected = [np.ptp(present), present.min(), present.std()] if present.size else [NAN] * 3
    np.testing.assert_allclose([gap, least, deviation], expected, rtol=1e-12, atol=1e-15)


def test_refusals_of_classes():
    for function in (losskit.false_head_rate, losskit.accuracy_disparity):
        assert_error("INVALID_TARGET", function, [0, 3], [0, 1], num_classes=3)
        assert_error("INVALID_TARGET", function, [0, 1], [0, -1], num_classes=3)
        assert_error("INVALID_SHAPE", function, [0, 1], [0], num_classes=3)
        assert_error("INVALID_SHAPE", function, [], [], num_classes=0)
    for ratio in (-0.1, 1.1, NAN):
        assert_error("INVALID_PARAMETER", losskit.false_head_rate, A, T, num_classes=3, ratios=[0.5, ratio])
    assert_error("INVALID_VALUE", losskit.false_head_rate, A, T, num_classes=3, class_counts=[1, NAN, 2])
    assert_error("INVALID_SHAPE", losskit.false_head_rate, A, T, num_classes=3, class_counts=[1, 2])


# --- Neural collapse -------------------------------------------------------------------------------------------------


def class_moments(x, y):
    present = np.unique(y)
    means = np.array([x[y == c].mean(0) for c in present])
    spread = x - means[np.searchsorted(present, y)]
    return present, means, spread


def nc1(x, y):
    present, means, spread = class_moments(x, y)
    centered = means - means.mean(0)
    within, between = spread.T @ spread / len(x), centered.T @ centered / len(present)
    values, vectors = np.linalg.eigh(between)
    keep = values > 1e-10 * values.max(initial=0)
    return np.trace(within @ (vectors[:, keep] / values[keep]) @ vectors[:, keep].T) / len(present)


def cdnv(x, y):
    present, means, spread = class_moments(x, y)
    variances = np.array([(spread[y == c] ** 2).sum(1).mean() for c in present])
    pairs = [
        (variances[i] + variances[j]) / (2 * max(((means[i] - means[j]) ** 2).sum(), 1e-12))
        for i in range(len(present))
        for j in range(len(present))
        if i != j
    ]
    return np.mean(pairs) if pairs else NAN


@given(st.integers(1, 80), st.sampled_from([1, 2, 5, 17, 40]), st.sampled_from([2, 3, 8, 20]), DTYPES, st.integers(0, 2**32 - 1))
def test_variability(n, d, c, dtype, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, c, n)
    x = (rng.normal(0, 0.5, (n, d)) + rng.normal(0, 2, (c, d))[y] + 3).astype(dtype)
    xs = x.astype(np.float64)
    np.testing.assert_allclose(losskit.cdnv(x, y, num_classes=c + 2), cdnv(xs, y), rtol=tolerance_of(dtype, 10))
    if len(np.unique(y)) > 1:
        # Small eigenvalues of Σ_B have few digits.
        rtol = 1e-5 if dtype == np.float32 else 1e-7
        np.testing.assert_allclose(losskit.nc1_variability(x, y, num_classes=c + 2), nc1(xs, y), rtol=rtol, atol=1e-15)


def centered_rows(means):
    return means - means.mean(0)


def cosines(rows):
    unit = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
    return (unit @ unit.T)[~np.eye(len(rows), dtype=bool)]


@given(st.integers(2, 40), st.sampled_from([1, 2, 5, 16, 17, 40]), DTYPES, st.integers(0, 2**32 - 1))
def test_geometry(c, d, dtype, seed):
    rng = np.random.default_rng(seed)
    means, weight = rng.normal(0.5, 1, (c, d)).astype(dtype), rng.normal(0, 1, (c, d)).astype(dtype)
    if c > 3:
        means[1] = 0
    ms, ws = means.astype(np.float64), weight.astype(np.float64)
    norms = np.linalg.norm(centered_rows(ms), axis=1)
    scaled = lambda a: a / np.linalg.norm(a)  # noqa: E731
    expected = {
        "nc2_equinorm": norms.std() / norms.mean(),
        "nc2_equiangularity": np.abs(cosines(centered_rows(ms)) + 1 / (c - 1)).mean(),
        "nc2_orthogonality": np.abs(cosines(ms)).mean(),
        "nc3_self_duality": ((scaled(ws) - scaled(centered_rows(ms))) ** 2).sum(),
    }
    for name, value in expected.items():
        inputs = (weight, means) if name.startswith("nc3") else (means,)
        result = getattr(losskit, name)(*inputs)
        np.testing.assert_allclose(result, value, rtol=tolerance_of(dtype), atol=1e-13, err_msg=name)


@given(st.integers(1, 60), st.sampled_from([1, 2, 17, 40]), st.integers(1, 20), DTYPES, st.integers(0, 2**32 - 1))
def test_mismatch(n, d, c, dtype, seed):
    rng = np.random.default_rng(seed)
    x, w, b, m = (rng.normal(0, 1, shape).astype(dtype) for shape in ((n, d), (c, d), (c,), (c, d)))
    xs, ws, bs, ms = (array.astype(np.float64) for array in (x, w, b, m))
    nearest = ((xs[:, None] - ms) ** 2).sum(2).argmin(1)
    assert_close(losskit.nc4_ncc_mismatch(x, w, b, m), np.float64(((xs @ ws.T + bs).argmax(1) != nearest).mean()))


def test_collapse_edges():
    nan = lambda value: bool(np.isnan(value))  # noqa: E731
    none = np.zeros((0, 2))
    for name in ("nc1_variability", "cdnv"):
        function = getattr(losskit, name)
        assert nan(function(none, [], num_classes=2)) and nan(function([[1, NAN]], [0], num_classes=1))
        assert_error("INVALID_TARGET", function, X, [0, 0, 1, 2], num_classes=2)
        assert_error("INVALID_SHAPE", function, X, YX, num_classes=0)
        assert_error("INVALID_SHAPE", function, np.zeros((2, 0)), [0, 0], num_classes=2)
    assert nan(losskit.cdnv(X, [0, 0, 0, 0], num_classes=2))
    assert losskit.nc1_variability(X, [0, 0, 0, 0], num_classes=2) == 0
    for name in ("nc2_equinorm", "nc2_equiangularity", "nc2_orthogonality"):
        function = getattr(losskit, name)
        assert nan(function(none)) and nan(function([[1.0, 2.0]]))
        assert nan(function([[1.0, NAN], [1, 0]]))
    assert nan(losskit.nc2_equinorm(np.ones((3, 2))))
    assert losskit.nc2_equiangularity(np.ones((3, 2))) == 0.5
    assert nan(losskit.nc3_self_duality(none, none)) and nan(losskit.nc3_self_duality(np.zeros((2, 2)), M))
    assert nan(losskit.nc4_ncc_mismatch(none, W, B, M))
    assert losskit.nc4_ncc_mismatch([[0.0, 0.0]], np.ones((2, 2)), [0, 0], [[1, 0], [0, 1]]) == 0
    assert_error("INVALID_VALUE", losskit.nc4_ncc_mismatch, [[NAN, 1]], W, B, M)
    # A perfect simplex has collapsed.
    simplex = losskit.simplex_vertices(5)
    assert losskit.nc2_equinorm(simplex) < 1e-14 and losskit.nc2_equiangularity(simplex) < 1e-14
    assert losskit.nc3_self_duality(3 * simplex, simplex) < 1e-14
    assert losskit.nc2_orthogonality(np.eye(4)) == 0


# --- Errors, guards, threads -----------------------------------------------------------------------------------------


def test_raw_calls(dtype):
    real = lambda *shape: np.zeros(shape, dtype)  # noqa: E731
    ints = lambda *shape: np.zeros(shape, np.int64)  # noqa: E731
    calls = [
        RawCall(
            "token_proxy_metrics", dtype, ["aggregates", "nll", "entropy", "rank"], logits=real(3, 5), y=ints(3), count=3,
            classes=5, k=2, aggregates=real(6), nll=real(3), entropy=real(3), rank=ints(3),
        ),
        RawCall("min_k_prob", dtype, ["score"], token_log_probs=real(5), count=5, k=0.4, score=real(1)),
        RawCall(
            "min_k_plus_plus", dtype, ["score"], logits=real(3, 5), y=ints(3), count=3, classes=5, k=0.5, eps=1e-12,
            score=real(1),
        ),
        RawCall(
            "cdnv", dtype, ["variance"], x=real(3, 5), y=ints(3), count=3, dimensions=5, classes=2, variance=real(1),
        ),
        RawCall(
            "nc1_variability", dtype, ["variability"], x=real(3, 5), y=ints(3), count=3, dimensions=5, classes=2,
            variability=real(1),
        ),
        RawCall("nc2_equinorm", dtype, ["variation"], means=real(3, 5), classes=3, dimensions=5, variation=real(1)),
        RawCall(
            "nc4_ncc_mismatch", dtype, ["mismatch"], x=real(3, 5), weight=real(2, 5), bias=real(2), means=real(2, 5), count=3,
            dimensions=5, classes=2, mismatch=real(1),
        ),
        RawCall(
            "viable_prediction_range", dtype, ["low", "high", "competing"], probs=real(2, 5), losses=real(2), models=2, count=5,
            baseline=0, epsilon=0.1, low=real(5), high=real(5), competing=np.zeros(2, np.uint8),
        ),
    ]  # fmt: skip
    for call in calls:
        assert call() == "OK"
        for side in ("start", "end"):
            call.inside_guards(side)
        for name, value in call.arguments.items():
            optional = call.name == "token_proxy_metrics" and name in call.outputs
            if isinstance(value, np.ndarray) and not optional:
                assert call(**{name: None}) == "NULL_POINTER", (call.name, name)
            if name in ("count", "classes", "dimensions", "models"):
                assert call(**{name: -1}) == "INVALID_SHAPE", (call.name, name)
                assert call(**{name: 2**61}) in ("INVALID_SHAPE", "OUT_OF_MEMORY"), (call.name, name)


def test_same_bits_everywhere():
    assert_same_bits("""
rng = np.random.default_rng(1)
for dtype in (np.float32, np.float64):
    key = np.dtype(dtype).name
    z, t = rng.normal(0, 3, (400, 1003)).astype(dtype), rng.integers(0, 1003, 400)
    for i, part in enumerate(losskit.token_proxy_metrics(z, t)):
        results["proxy" + str(i) + key] = part
    results["min_k" + key] = np.array(losskit.min_k_plus_plus(z, t))
    y = rng.integers(0, 7, 3000)
    x = (rng.normal(0, 1, (3000, 33)) + rng.normal(0, 1, (7, 33))[y]).astype(dtype)
    results["nc1" + key] = np.array(losskit.nc1_variability(x, y, num_classes=7))
    results["cdnv" + key] = np.array(losskit.cdnv(x, y, num_classes=7))
    means, weight = x[:300], rng.normal(0, 1, (300, 33)).astype(dtype)
    results["norm" + key] = np.array(losskit.nc2_equinorm(means))
    results["angle" + key] = np.array(losskit.nc2_equiangularity(means))
    results["right" + key] = np.array(losskit.nc2_orthogonality(means))
    results["dual" + key] = np.array(losskit.nc3_self_duality(weight, means))
    results["ncc" + key] = np.array(losskit.nc4_ncc_mismatch(x, weight, np.zeros(300, dtype), means))
""")
