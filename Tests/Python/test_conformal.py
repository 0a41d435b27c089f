"""Conformal prediction: judged by NumPy formulas written from the definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_same_bits

import losskit

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
YP = np.array([0, 1, 2, 2])
METHODS = ["lac", "aps", "raps"]


def scores_of(p, method, lam, k_reg, u):
    """The score of every class of every row, and the classes by rank."""
    p = np.asarray(p, np.float64)
    if p.shape[0] == 0:
        return p.copy(), np.zeros(p.shape, int)
    order = np.argsort(-p, axis=1, kind="stable")
    if method == "lac":
        return 1 - p, order
    ranked = np.take_along_axis(p, order, 1)
    before = np.concatenate([np.zeros((len(p), 1)), np.cumsum(ranked, 1)[:, :-1]], 1)
    scores = before + u[:, None] * ranked
    if method == "raps":
        scores = scores + lam * np.maximum(0, np.arange(1, p.shape[1] + 1) - k_reg)
    result = np.empty_like(p)
    np.put_along_axis(result, order, scores, 1)
    return result, order


@st.composite
def problems(draw):
    n, classes = draw(st.integers(0, 20)), draw(st.sampled_from([1, 2, 3, 17, 50, 300]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    p = rng.dirichlet(np.full(classes, 0.5), n).reshape(n, classes)
    if draw(st.booleans()):
        p = np.round(p * 8) / 8  # ties, and rows that do not sum to 1
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    u = rng.random(n).astype(dtype) if draw(st.booleans()) else None
    return {
        "p": p.astype(dtype),
        "y": rng.integers(0, classes, n),
        "method": draw(st.sampled_from(METHODS)),
        "lam": draw(st.sampled_from([0.0, 0.05])),
        "k_reg": draw(st.integers(0, 3)),
        "u": u,
    }


@given(problems(), st.sampled_from([-0.1, 0.0, 0.3, 0.75, 0.95, 1.0, 1.2, np.inf]), st.booleans(), st.booleans())
def test_scores_and_sets(problem, qhat, allow_empty, include_last):
    p, y = problem.pop("p"), problem.pop("y")
    n, classes = p.shape
    u = np.ones(n) if problem["u"] is None else problem["u"].astype(float)
    scores, order = scores_of(p, problem["method"], problem["lam"], problem["k_reg"], u)
    found = losskit.conformal_scores(p, y, **problem)
    assert found.dtype == p.dtype
    assert_close(found, scores[np.arange(n), y], axis=None)
    expected = scores <= qhat
    for row in range(n):
        if include_last and problem["method"] != "lac" and not expected[row].all():
            expected[row, order[row, expected[row].sum()]] = True
        if not allow_empty and not expected[row].any():
            expected[row, order[row, 0]] = True
    mask = losskit.conformal_set(p, qhat=qhat, allow_empty=allow_empty, include_last=include_last, **problem)
    np.testing.assert_array_equal(mask, expected)
    # Scores that are thresholds themselves are inside.
    if n and p.dtype == np.float64:
        own = losskit.conformal_set(p, qhat=float(found.max()), **problem)
        assert own[np.arange(n), y].all()
    coverage, size, stratified = losskit.conformal_set_metrics(mask, y)
    if n == 0:
        assert np.isnan([coverage, size, stratified]).all()
        return
    covered, sizes = expected[np.arange(n), y], expected.sum(1)
    assert coverage == pytest.approx(covered.mean()) and size == pytest.approx(sizes.mean())
    assert stratified == pytest.approx(min(covered[sizes == s].mean() for s in set(sizes)))


@given(
    st.lists(st.floats(allow_nan=False, width=32), max_size=60),
    st.floats(0.001, 0.999),
    st.sampled_from([np.float32, np.float64]),
)
def test_quantile(scores, alpha, dtype):
    scores = np.array(scores, dtype)
    k = max(1, math.ceil((len(scores) + 1) * (1 - alpha) - 1e-10))
    expected = np.inf if k > len(scores) else np.sort(scores)[k - 1]
    found = losskit.conformal_quantile(scores, alpha=alpha)
    assert found == expected and found.dtype == dtype


def test_quantile_where_the_rank_is_whole():
    scores = np.arange(1, 20, dtype=float)
    for alpha, k in ((0.05, 19), (0.1, 18), (0.3, 14), (0.9, 2), (0.95, 1), (0.049, np.inf)):
        assert losskit.conformal_quantile(scores, alpha=alpha) == k


def test_coverage_is_what_was_promised():
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(6, 0.4), 6000)
    y = (rng.random((6000, 1)) > p.cumsum(1)).sum(1).clip(0, 5)
    u = rng.random(6000)
    for method in METHODS:
        parameters = {"method": method, "lam": 0.01, "k_reg": 2}
        scores = losskit.conformal_scores(p[:3000], y[:3000], u=u[:3000], **parameters)
        qhat = losskit.conformal_quantile(scores, alpha=0.1)
        mask = losskit.conformal_set(p[3000:], qhat=qhat, u=u[3000:], **parameters)
        coverage = losskit.conformal_set_metrics(mask, y[3000:])[0]
        assert 0.88 < coverage < 0.92, method


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cqr_scores(dtype):
    rng = np.random.default_rng(0)
    for n in (0, 1, 15, 16, 100):
        lower, y = rng.normal(size=(2, n)).astype(dtype)
        upper = lower + rng.random(n).astype(dtype)
        assert_close(losskit.conformal_cqr_scores(lower, upper, y), np.maximum(lower - y, y - upper), axis=None)
    special = losskit.conformal_cqr_scores(
        np.array([np.nan, 0, 0, 0, -np.inf], dtype), np.array([1, np.nan, 1, 1, np.inf], dtype), [0, 0, np.nan, np.inf, 0]
    )
    np.testing.assert_array_equal(special, [np.nan, np.nan, np.nan, np.inf, -np.inf])
    assert_error("INVALID_SHAPE", losskit.conformal_cqr_scores, [0, 1], [1], [0, 1])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_errors(dtype):
    p = P.astype(dtype)
    for bad in (0, 1, -0.1, np.nan):
        assert_error("INVALID_PARAMETER", losskit.conformal_quantile, [1.0], alpha=bad)
    assert_error("INVALID_VALUE", losskit.conformal_quantile, np.array([1, np.nan], dtype))
    assert_error("INVALID_PARAMETER", losskit.conformal_set, p, qhat=np.nan)
    for method in METHODS:
        for bad in (np.nan, -0.1, 1.1, np.inf):
            spoiled = p.copy()
            spoiled[3, 0] = bad
            assert_error("INVALID_VALUE", losskit.conformal_scores, spoiled, YP, method=method)
            assert_error("INVALID_VALUE", losskit.conformal_set, spoiled, qhat=0.5, method=method)
            assert_error("INVALID_VALUE", losskit.conformal_set, p, qhat=0.5, method=method, u=[1, 1, bad, 1])
        for bad in (-1, 3, 2**40):
            assert_error("INVALID_TARGET", losskit.conformal_scores, p, [0, 1, 2, bad], method=method)
        assert_error("INVALID_SHAPE", losskit.conformal_scores, p, [0, 1], method=method)
        assert_error("INVALID_SHAPE", losskit.conformal_set, p[:, :0], qhat=0.5, method=method)
        for changes in ({"lam": -1}, {"lam": np.nan}, {"lam": np.inf}, {"k_reg": -1}):
            assert_error("INVALID_PARAMETER", losskit.conformal_scores, p, YP, method=method, **changes)
    assert_error("INVALID_PARAMETER", losskit.conformal_scores, p, YP, method="other")
    assert_error("INVALID_TARGET", losskit.conformal_set_metrics, np.ones((2, 3)), [0, 3])
    assert_error("INVALID_SHAPE", losskit.conformal_set_metrics, np.ones((2, 3)), [0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_refused_calls_write_nothing(dtype):
    p, u = P.astype(dtype), np.ones(4, dtype)
    calls = [
        RawCall(
            "conformal_scores", dtype, ("scores",), probs=p, y=YP, count=4, classes=3, method="raps", lam=0.1, k_reg=1,
            u=u, scores=np.zeros(4, dtype),
        ),
        RawCall(
            "conformal_set", dtype, ("mask",), probs=p, count=4, classes=3, qhat=0.7, method="aps", lam=0.1, k_reg=1,
            u=u, allow_empty=True, include_last=False, mask=np.zeros((4, 3), np.uint8),
        ),
        RawCall(
            "conformal_quantile", dtype, ("quantile",), scores=u, count=4, alpha=0.3, quantile=np.zeros(1, dtype)
        ),
        RawCall(
            "conformal_cqr_scores", dtype, ("scores",), lower=u, upper=u, target=u, count=4, scores=np.zeros(4, dtype)
        ),
    ]  # fmt: skip
    for call in calls:
        call.inside_guards("end")
        call.inside_guards("start")
        assert call() == "OK"
        for name, value in call.arguments.items():
            if isinstance(value, np.ndarray) and name not in (*call.outputs, "u"):
                assert call(**{name: None}) == "NULL_POINTER"
        for bad in (-1, 2**62):
            assert call(count=bad) == "INVALID_SHAPE"


def test_same_bits():
    assert_same_bits("""
rng = np.random.default_rng(0)
for dtype in (np.float32, np.float64):
    p = rng.dirichlet(np.full(60, 0.3), 500).astype(dtype)
    y, u = rng.integers(0, 60, 500), rng.random(500).astype(dtype)
    for method in ("lac", "aps", "raps"):
        scores = losskit.conformal_scores(p, y, method=method, lam=0.01, u=u)
        qhat = losskit.conformal_quantile(scores)
        results[f"{method}{p.dtype}"] = scores
        results[f"{method}{p.dtype}set"] = losskit.conformal_set(p, qhat=qhat, method=method, lam=0.01, u=u)
""")
