"""Harmonic losses and distance scores: judged by the table of distances in NumPy float64, and by finite differences."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits

import losskit

DISTANCES = [
    "euclidean", "manhattan", "cosine", "minkowski", "hamming_soft", "hamming_hard", "chebyshev", "chebyshev_lse",
    "chebyshev_soft", "canberra", "canberra_weighted", "bray_curtis", "bray_curtis_abs", "bray_curtis_normalized",
    "mahalanobis",
]  # fmt: skip
DEFAULTS = dict(
    n=1.0, eps=1e-4, p=1.5, temperature=1.0, threshold=0.5, smooth=10.0, min_denom=1e-8, weight_power=1.0, precision=None
)


# --- The definitions, in NumPy ---------------------------------------------------------------------------------------


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def bray_curtis(x, w, eps, magnitudes):
    d = x - w
    total = (np.abs(x) + np.abs(w) if magnitudes else x + w).sum(-1, keepdims=True)
    top, bottom = np.abs(d).sum(-1, keepdims=True), np.maximum(np.abs(total) + eps, 10 * eps)
    share = np.where(np.abs(total) + eps > 10 * eps, top * np.sign(total) / bottom**2, 0)
    gx = np.sign(d) / bottom - share * (np.sign(x) if magnitudes else 1)
    gw = -np.sign(d) / bottom - share * (np.sign(w) if magnitudes else 1)
    return (top / bottom)[..., 0] + eps, gx, gw


def table(distance, x, w, eps, p, temperature, threshold, smooth, min_denom, weight_power, precision):
    """delta [N, V] and its derivatives by x and w, [N, V, D]."""
    N, V, D = len(x), len(w), x.shape[1]
    x = np.broadcast_to(x[:, None], (N, V, D))
    w = np.broadcast_to(w[None], (N, V, D))
    d = x - w
    a, s = np.abs(d), np.sign(d)

    def antisymmetric(delta, gx):
        return delta, gx, -gx

    if distance == "euclidean":
        return antisymmetric((d**2).sum(-1) + eps, 2 * d)
    if distance == "manhattan":
        return antisymmetric(a.sum(-1) + eps, s)
    if distance == "cosine":
        nx, nw = (np.sqrt((v**2).sum(-1, keepdims=True)) for v in (x, w))
        xh, wh = x / np.maximum(nx, 1e-12), w / np.maximum(nw, 1e-12)
        c = (xh * wh).sum(-1, keepdims=True)
        return (
            1 - c[..., 0] + eps,
            np.where(nx < 1e-12, 0, -(wh - c * xh) / np.where(nx == 0, 1, nx)),
            np.where(nw < 1e-12, 0, -(xh - c * wh) / np.where(nw == 0, 1, nw)),
        )
    if distance == "minkowski":
        T = ((a + eps) ** p).sum(-1, keepdims=True) + eps
        return antisymmetric(T[..., 0] ** (1 / p) + eps, T ** (1 / p - 1) * (a + eps) ** (p - 1) * s)
    if distance.startswith("hamming"):
        A, B = sigmoid(x / temperature), sigmoid(w / temperature)
        hard = (x > threshold) * 1.0 - (w > threshold)
        difference = A - B if distance == "hamming_soft" else hard
        slopes = [sigmoid(v / temperature) * sigmoid(-v / temperature) / temperature for v in (x, w)]
        return np.abs(difference).sum(-1) + eps, np.sign(difference) * slopes[0], -np.sign(difference) * slopes[1]
    if distance == "chebyshev":
        first = np.arange(D) == a.argmax(-1)[..., None]
        return antisymmetric(a.max(-1) + eps, np.where(first, s, 0))
    if distance == "chebyshev_lse":
        m = a.max(-1, keepdims=True)
        e = np.exp(smooth * (a - m))
        total = e.sum(-1, keepdims=True)
        return antisymmetric((m + np.log(total) / smooth)[..., 0] + eps, e / total * s)
    if distance == "chebyshev_soft":
        sd = a.std(-1, ddof=1, keepdims=True)
        u = a / (sd + eps)
        om = np.exp(u - u.max(-1, keepdims=True))
        om /= om.sum(-1, keepdims=True)
        expected = (om * u).sum(-1, keepdims=True)
        g = om * (1 + u - expected)
        second = (g * u).sum(-1, keepdims=True) / (sd + eps) * (a - a.mean(-1, keepdims=True))
        second = np.where(sd == 0, 0, second / np.where(sd == 0, 1, (D - 1) * sd))
        return antisymmetric(expected[..., 0] + eps, s * (g / (sd + eps) - second))
    if distance == "canberra":
        den = np.maximum(np.abs(x) + np.abs(w), min_denom)
        free = np.where(np.abs(x) + np.abs(w) > min_denom, a / den, 0)
        return (a / den).sum(-1) + eps, (s - free * np.sign(x)) / den, (-s - free * np.sign(w)) / den
    if distance == "canberra_weighted":
        den = np.abs(x) + np.abs(w) + eps
        o = den**weight_power
        share = o / o.sum(-1, keepdims=True)
        D0 = (share * a / den).sum(-1, keepdims=True)
        k = weight_power * (a / den - D0) - a / den
        return D0[..., 0] + eps, share * (s + k * np.sign(x)) / den, share * (-s + k * np.sign(w)) / den
    if distance in ("bray_curtis", "bray_curtis_abs"):
        return bray_curtis(x, w, eps, distance == "bray_curtis_abs")
    if distance == "bray_curtis_normalized":
        sums = [(np.abs(v) + eps).sum(-1, keepdims=True) for v in (x, w)]
        xt, wt = (np.abs(x) + eps) / sums[0], (np.abs(w) + eps) / sums[1]
        delta, gt, ht = bray_curtis(xt, wt, eps, False)
        gx = np.sign(x) * (gt - (gt * xt).sum(-1, keepdims=True)) / sums[0]
        gw = np.sign(w) * (ht - (ht * wt).sum(-1, keepdims=True)) / sums[1]
        return delta, gx, gw
    S = np.eye(D) if precision is None else np.diag(precision) if precision.ndim == 1 else (precision + precision.T) / 2
    image = d @ S
    root = np.sqrt(np.maximum((d * image).sum(-1), 0) + eps)
    return antisymmetric(root + eps, image / root[..., None])


def in_float64(*arrays):
    return [None if array is None else np.asarray(array, np.float64) for array in arrays]


def reference_pull_back(x, w, coefficients, distance, parameters):
    """The gradients from dL/ddelta, and the sums of their terms' magnitudes. Where dL/ddelta is 0 a pair has no part."""
    delta, gx, gw = table(distance, x, w, **parameters)
    c = coefficients(delta)[..., None]
    terms = [np.where(c == 0, 0, c * gx), np.where(c == 0, 0, c * gw)]
    gradients, sizes = [terms[0].sum(1), terms[1].sum(0)], [np.abs(terms[0]).sum(1), np.abs(terms[1]).sum(0)]
    if distance == "chebyshev_soft":  # the derivative itself is a difference, of terms up to 1/sd
        sizes = [np.abs(c / parameters["eps"]).sum(axis) + np.zeros_like(part) for axis, part in ((1, x), (0, w))]
    if parameters["precision"] is not None and distance == "mahalanobis":
        d = x[:, None] - w[None]
        half = c / (2 * (delta - parameters["eps"])[..., None])
        # The kernel takes these sums apart: (x - w) d.
        for collected, factor in ((gradients, d), (sizes, np.abs(x)[:, None] + np.abs(w)[None])):
            outer = np.einsum("nvi,nvj->ij", half * d if collected is gradients else np.abs(half * d), factor)
            collected.append(outer if parameters["precision"].ndim == 2 else np.diag(outer))
    return gradients, sizes


def settings_of(parameters):
    values = {**DEFAULTS, **parameters}
    (values["precision"],) = in_float64(values["precision"])
    return values.pop("n"), values


def reference_logits(x, w, *, distance, **parameters):
    n, parameters = settings_of(parameters)
    with np.errstate(all="ignore"):
        return -n * np.log(np.minimum(table(distance, *in_float64(x, w), **parameters)[0], 1e6))


def reference_logits_vjp(x, w, g, *, distance, **parameters):
    n, parameters = settings_of(parameters)
    x, w, g = in_float64(x, w, g)
    with np.errstate(all="ignore"):
        return reference_pull_back(x, w, lambda delta: np.where(delta >= 1e6, 0, -n * g / delta), distance, parameters)


def reference_loss(x, w, y, *, distance, reduction="mean", sample_weight=None, grad=False, **parameters):
    """The loss and, with `grad`, what `reference_pull_back` gives."""
    logits = reference_logits(x, w, distance=distance, **parameters)
    n, parameters = settings_of(parameters)
    x, w, weight = in_float64(x, w, np.ones(len(x)) if sample_weight is None else sample_weight)
    with np.errstate(all="ignore"):
        m = logits.max(1, keepdims=True)
        e = np.exp(logits - m)
        rows = np.arange(len(x))
        others = e.copy()
        others[rows, y] = 0
        others = others.sum(1)
        losses = weight * (np.log1p(others + (e[rows, y] - 1)) - (logits - m)[rows, y])
        total = weight.sum() if reduction == "mean" else 1.0
        loss = losses if reduction == "none" else 0.0 if total == 0 else losses.sum() / total
        if not grad:
            return loss
        G = e / e.sum(1, keepdims=True)
        G[rows, y] = -others / e.sum(1)
        G *= (weight * (0 if total == 0 else 1 / total))[:, None]
        return loss, reference_pull_back(
            x, w, lambda delta: np.where(delta >= 1e6, 0, -n * G / delta), distance, parameters
        )


def close(actual, reference, **options):
    with np.errstate(over="ignore"):
        assert_close(actual, np.asarray(reference).astype(np.asarray(actual).dtype), **options)


# --- Worked examples -------------------------------------------------------------------------------------------------

X = [[1, 0.5], [-0.5, 2]]
W = [[0.5, 1], [-1, 0.25], [2, -1]]
Y = [0, 2]
EXAMPLES = [
    (dict(n=2.0), 2.212115, [
        [[0.07440516, -0.09757509], [0.3202482, -0.6138985]],
        [[-0.7984215, 0.7984215], [0.09400815, 0.2805565], [0.30976, -0.3675044]]]),
    (dict(distance="cosine"), 1.437005, [
        [[0.3468192, -0.6936385], [0.1874323, 0.04685808]],
        [[-1.13144, 0.5657198], [0.05877128, 0.2350851], [0.02016404, 0.04032808]]]),
    (dict(distance="bray_curtis_abs"), 1.118649, [
        [[0.2520196, -0.3692498], [-0.073403, -0.08530111]],
        [[-0.3880435, 0.3279214], [0.03994343, 0.2089606], [-0.02656398, 0.02656398]]]),
    (dict(distance="chebyshev_soft"), 5.138608, [
        [[0.8020983, -0.5774731], [-1.240699, -0.6032229]],
        [[-0.4999351, 0.4999351], [0.352748, 0.1476153], [0.585788, 0.5331455]]]),
    (dict(distance="mahalanobis", precision=[1, 0.5]), 1.179551, [
        [[0.2935631, -0.1857776], [-0.008061996, -0.1126985]],
        [[-0.4255858, 0.2127929], [0.1000657, 0.1011], [0.040019, -0.01541675]],
        [0.03238672, -0.06480115]]),
]  # fmt: skip


@pytest.mark.parametrize("parameters, loss, gradients", EXAMPLES)
def test_worked_examples(parameters, loss, gradients, dtype):
    x, w = np.array(X, dtype), np.array(W, dtype)
    tolerance = 3e-6 if dtype == np.float32 else 1e-6
    value, results = losskit.harmonic_loss(x, w, Y, grad=True, **parameters)
    assert value.dtype == dtype and isinstance(results, tuple) and len(results) == len(gradients)
    assert_close(value, loss, tolerance=tolerance)
    for result, expected in zip(results, gradients):
        assert result.dtype == dtype
        assert_close(result, expected, tolerance=tolerance)


def test_worked_example_of_logits(dtype):
    logits = losskit.harmonic_logits(np.array(X, dtype), np.array(W, dtype), n=2.0)
    assert logits.dtype == dtype
    assert_close(logits, [[1.385894, -2.803646, -2.357372], [-1.386394, -2.395467, -5.449172]], tolerance=3e-6)


def test_worked_example_of_scores(dtype):
    x, train = np.zeros((1, 2), dtype), np.array([[1, 0], [0, 2], [-2, 0]], dtype)
    scores = losskit.singular_kernel_scores(x, train, [0, 1, 1], num_classes=2, alpha=2.0)
    assert scores.dtype == dtype
    assert_close(scores, [[2 / 3, 1 / 3]])


# --- Definitions -----------------------------------------------------------------------------------------------------


@st.composite
def problems(draw, classes=st.one_of(st.integers(1, 40), st.sampled_from([64, 129, 700, 1100]))):
    """(x, w, g, y, weight, distance, parameters)"""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    distance = draw(st.sampled_from(DISTANCES))
    rows, count = draw(st.one_of(st.integers(0, 20), st.sampled_from([33, 70]))), draw(classes)
    dimensions = draw(st.one_of(st.integers(4 if distance == "chebyshev_soft" else 1, 9), st.sampled_from([16, 37])))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    scale = draw(st.sampled_from([1, 1, 0.01, 30]))
    x, w = (rng.normal(0, scale, (length, dimensions)).astype(dtype) for length in (rows, count))
    if draw(st.booleans()):  # points that coincide, coordinates that do, and zeros
        w[rng.random(count) < 0.3] = x[0] if rows else 0
        x[rng.random(x.shape) < 0.1] = 0
        w[rng.random(w.shape) < 0.1] = 0
    parameters = dict(
        n=draw(st.sampled_from([1.0, 2.0, 0.3, 7.0, 40.0])), eps=draw(st.sampled_from([1e-4, 1e-2])),
        p=draw(st.sampled_from([1.5, 1.0, 2.0, 3.7])), temperature=draw(st.sampled_from([1.0, 0.3])),
        threshold=draw(st.sampled_from([0.5, 0.0])), smooth=draw(st.sampled_from([10.0, 1.0])),
        min_denom=draw(st.sampled_from([1e-8, 0.5])), weight_power=draw(st.sampled_from([1.0, 0.5, -1.0, 2.0])),
    )  # fmt: skip
    kind = draw(st.sampled_from(["identity", "diagonal", "matrix"]))
    if kind == "diagonal":
        parameters["precision"] = rng.random(dimensions).astype(dtype)
    elif kind == "matrix":
        factor = rng.normal(0, 1, (dimensions, dimensions))
        parameters["precision"] = (factor @ factor.T + np.triu(factor, 1) - np.triu(factor, 1).T).astype(dtype)
    weight = np.where(rng.random(rows) < 0.2, 0, rng.random(rows)).astype(dtype) if draw(st.booleans()) else None
    y = rng.integers(0, count, rows)
    if rows and draw(st.booleans()):  # rows that are near their centre, and lost in it
        x[0] = w[y[0]] * dtype(1 + 1e-3)
    return x, w, rng.normal(0, 1, (rows, count)).astype(dtype), y, weight, distance, parameters


def near_kinks(distance, x, w, parameters):
    """A sign of A - B that rounding decides is nobody's to judge."""
    if distance != "hamming_soft":
        return False
    a, b = (sigmoid(np.float64(v) / parameters["temperature"]) for v in (x[:, None], w[None]))
    return bool(((np.abs(a - b) < 1e-15) & (x[:, None] != w[None])).any())


def judge(results, expected, sizes):
    """float32 by the largest of a row; float64, whose reference rounds as well, also by the terms of its sums."""
    for result, reference, size in zip(results, expected, sizes):
        assert (np.isfinite(result) == np.isfinite(reference)).all()
        single = 3e-6 if result.dtype == np.float32 else 0
        limit = single * np.abs(reference).max(-1, keepdims=True, initial=0) + 1e-12 * size.max(-1, keepdims=True, initial=0)
        assert (np.abs(result - reference) <= limit + np.finfo(result.dtype).tiny).all()


@given(problems())
@settings(max_examples=250)
def test_logits_follow_their_definition(problem):
    x, w, g, _, _, distance, parameters = problem
    logits = losskit.harmonic_logits(x, w, distance=distance, **parameters)
    close(logits, reference_logits(x, w, distance=distance, **parameters))
    if near_kinks(distance, x, w, parameters):
        return
    results = losskit.harmonic_logits_vjp(x, w, g, distance=distance, **parameters)
    judge(results, *reference_logits_vjp(x, w, g, distance=distance, **parameters))


@given(problems(), st.sampled_from(["mean", "sum"]))
@settings(max_examples=250)
def test_loss_follows_its_definition(problem, reduction):
    x, w, _, y, weight, distance, parameters = problem
    options = dict(distance=distance, sample_weight=weight, **parameters)
    rows = losskit.harmonic_loss(x, w, y, reduction="none", **options)
    close(rows, reference_loss(x, w, y, reduction="none", **options), tolerance=None if x.dtype == np.float32 else 1e-11)
    loss, gradients = losskit.harmonic_loss(x, w, y, reduction=reduction, grad=True, **options)
    assert len(gradients) == (2 if parameters.get("precision") is None else 3)
    expected, (reference, sizes) = reference_loss(x, w, y, reduction=reduction, grad=True, **options)
    close(loss, expected, tolerance=None if x.dtype == np.float32 else 1e-11)
    assert losskit.harmonic_loss(x, w, y, reduction=reduction, **options) == loss
    if near_kinks(distance, x, w, parameters):
        return
    if len(gradients) > len(reference):
        assert (gradients[2] == 0).all()
    judge(gradients, reference, sizes)


@pytest.mark.parametrize("distance", DISTANCES)
def test_gradients_are_derivatives(distance, rng):
    x, w, g = rng.normal(0, 1, (3, 4)), rng.normal(0, 1, (5, 4)), rng.normal(0, 1, (3, 5))
    y, weight = [1, 4, 0], [0.5, 2.0, 1.0]
    factor = rng.normal(0, 1, (4, 4))
    for precision in (None, rng.random(4), factor @ factor.T):
        if precision is not None and distance != "mahalanobis":
            continue
        if distance == "hamming_hard":  # its gradient is of no function
            continue
        options = dict(distance=distance, n=2.0, weight_power=0.7, precision=precision)
        logits = lambda x, w: (losskit.harmonic_logits(x, w, **options) * g).sum()  # noqa: E731
        grad_x, grad_w = losskit.harmonic_logits_vjp(x, w, g, **options)
        assert_gradient(lambda v: logits(v, w), x, grad_x, step=1e-4, tolerance=1e-7)
        assert_gradient(lambda v: logits(x, v), w, grad_w, step=1e-4, tolerance=1e-7)
        options["sample_weight"] = weight
        _, gradients = losskit.harmonic_loss(x, w, y, grad=True, **options)
        assert_gradient(lambda v: losskit.harmonic_loss(v, w, y, **options), x, gradients[0], step=1e-4, tolerance=1e-7)
        assert_gradient(lambda v: losskit.harmonic_loss(x, v, y, **options), w, gradients[1], step=1e-4, tolerance=1e-7)
        if precision is not None:
            changed = lambda v: losskit.harmonic_loss(x, w, y, **{**options, "precision": v})  # noqa: E731
            assert_gradient(changed, precision, gradients[2], step=1e-4, tolerance=1e-7)


# --- Edge cases ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("distance", DISTANCES)
def test_no_rows_and_one_class(distance, dtype):
    x, w = np.zeros((0, 3), dtype), np.ones((2, 3), dtype)
    assert losskit.harmonic_logits(x, w, distance=distance).shape == (0, 2)
    grad_x, grad_w = losskit.harmonic_logits_vjp(x, w, np.zeros((0, 2), dtype), distance=distance)
    assert grad_x.shape == (0, 3) and (grad_w == 0).all()
    for reduction in ("mean", "sum"):
        loss, (grad_x, grad_w) = losskit.harmonic_loss(x, w, [], distance=distance, reduction=reduction, grad=True)
        assert loss == 0 and grad_x.shape == (0, 3) and (grad_w == 0).all()
    assert losskit.harmonic_loss(x, w, [], distance=distance, reduction="none").shape == (0,)
    x = np.array([[1, -2, 0.5], [0, 0, 0]], dtype)
    loss, (grad_x, grad_w) = losskit.harmonic_loss(x, w[:1], [0, 0], distance=distance, grad=True)
    assert loss == 0 and (grad_x == 0).all() and (grad_w == 0).all()


@pytest.mark.parametrize("distance", DISTANCES)
def test_nan_stays_in_its_row(distance, dtype, rng):
    x, w = rng.normal(0, 1, (20, 5)).astype(dtype), rng.normal(0, 1, (11, 5)).astype(dtype)
    y = rng.integers(0, 11, 20)
    clean = losskit.harmonic_loss(x, w, y, distance=distance, reduction="none")
    clean_logits = losskit.harmonic_logits(x, w, distance=distance)
    _, (clean_x, _) = losskit.harmonic_loss(x, w, y, distance=distance, reduction="sum", grad=True)
    x[9, 2] = np.nan
    others = np.arange(20) != 9
    logits = losskit.harmonic_logits(x, w, distance=distance)
    assert np.isnan(logits[9]).all() and (logits[others] == clean_logits[others]).all()
    losses = losskit.harmonic_loss(x, w, y, distance=distance, reduction="none")
    assert np.isnan(losses[9]) and (losses[others] == clean[others]).all()
    loss, (grad_x, _) = losskit.harmonic_loss(x, w, y, distance=distance, reduction="sum", grad=True)
    assert np.isnan(loss) and (grad_x[others] == clean_x[others]).all()
    assert np.isnan(grad_x[9]).any()


@pytest.mark.parametrize("far", [1e4, 1e18, math.inf])
def test_distances_are_clamped(far, dtype):
    x, w = np.array([[far, 0.0], [0.0, 1.0]], dtype), np.array([[0.5, 0], [1, 1], [-2, 3]], dtype)
    logits = losskit.harmonic_logits(x, w)
    assert_close(logits[0], np.full(3, -math.log(1e6)))
    loss, (grad_x, grad_w) = losskit.harmonic_loss(x, w, [0, 1], grad=True)
    assert_close(losskit.harmonic_loss(x, w, [0, 1], reduction="none")[0], math.log(3))
    _, (_, one) = losskit.harmonic_loss(x[1:], w, [1], reduction="sum", grad=True)
    assert (grad_x[0] == 0).all() and np.isfinite(loss)
    assert_close(grad_w, one.astype(np.float64) / 2)


def test_coinciding_points_are_smooth(dtype):
    """A feature on its centre: the loss is next to 0, and keeps its digits."""
    w = np.eye(4, dtype=dtype) * 3
    loss = losskit.harmonic_loss(w, w, np.arange(4), n=8.0, reduction="none")
    assert_close(loss[:, None], np.full((4, 1), math.log1p(3 * (1e-4 / (18 + 1e-4)) ** 8)))


def test_matrices_of_precision_agree(rng):
    x, w, y = rng.normal(0, 1, (9, 4)), rng.normal(0, 1, (6, 4)), rng.integers(0, 6, 9)
    diagonal = rng.random(4)
    options = dict(distance="mahalanobis", grad=True)
    loss, gradients = losskit.harmonic_loss(x, w, y, precision=diagonal, **options)
    full, of_full = losskit.harmonic_loss(x, w, y, precision=np.diag(diagonal), **options)
    assert_close(full, loss)
    for a, b in zip(gradients[:2], of_full):
        assert_close(b, a)
    assert_close(np.diag(of_full[2]), gradients[2])
    none, of_none = losskit.harmonic_loss(x, w, y, **options)
    ones, of_ones = losskit.harmonic_loss(x, w, y, precision=np.ones(4), **options)
    assert none == ones and len(of_none) == 2 and all((a == b).all() for a, b in zip(of_none, of_ones))


# --- Scores ----------------------------------------------------------------------------------------------------------


@given(st.integers(0, 40), st.integers(1, 90), st.integers(1, 9), st.integers(1, 20), st.integers(0, 2**32 - 1), st.booleans())
def test_scores_follow_their_definition(count, others, dimensions, classes, seed, double):
    rng = np.random.default_rng(seed)
    dtype = np.float64 if double else np.float32
    x, train = (rng.normal(0, 1, (length, dimensions)).astype(dtype) for length in (count, others))
    if count and seed % 2:
        train[:: 1 + seed % 5] = x[0]
    y, alpha = rng.integers(0, classes, others), float(rng.choice([1.0, dimensions, 0.3, 40.0]))
    scores = losskit.singular_kernel_scores(x, train, y, num_classes=classes, alpha=alpha)
    r = np.sqrt(((x[:, None].astype(np.float64) - train[None]) ** 2).sum(-1))
    with np.errstate(all="ignore"):
        k = (r.min(1, keepdims=True) / r) ** alpha
    k = np.where((r == 0).any(1, keepdims=True), (r == 0) * 1.0, k)
    expected = np.zeros((count, classes))
    np.add.at(expected.T, y, k.T)
    close(scores, expected / k.sum(1, keepdims=True))


def test_scores_have_their_limits(rng):
    x, train, y = rng.normal(0, 1, (9, 3)), rng.normal(0, 1, (30, 3)), rng.integers(0, 4, 30)
    nearest = y[((x[:, None] - train[None]) ** 2).sum(-1).argmin(1)]
    assert (losskit.singular_kernel_scores(x, train, y, num_classes=4, alpha=1e5).argmax(1) == nearest).all()
    votes = losskit.singular_kernel_scores(x, train, y, num_classes=4, alpha=1e-9)
    np.testing.assert_allclose(votes, np.broadcast_to(np.bincount(y, minlength=4) / 30, (9, 4)), rtol=1e-7)
    x[3, 1] = np.nan
    scores = losskit.singular_kernel_scores(x, train, y, num_classes=4)
    assert np.isnan(scores[3]).all() and np.isfinite(np.delete(scores, 3, 0)).all()


# --- The interface ---------------------------------------------------------------------------------------------------


def test_refusals():
    loss, logits, scores = losskit.harmonic_loss, losskit.harmonic_logits, losskit.singular_kernel_scores
    assert_error("UNSUPPORTED", loss, X, W, Y, reduction="none", grad=True)
    assert_error("INVALID_TARGET", loss, X, W, [0, 3])
    assert_error("INVALID_TARGET", loss, X, W, [0, -1])
    assert_error("INVALID_TARGET", loss, X, W, [0.0, 1.0])
    assert_error("INVALID_VALUE", loss, X, W, Y, sample_weight=[1, -1])
    assert_error("INVALID_SHAPE", loss, X, W, [0])
    assert_error("INVALID_SHAPE", loss, X, [[1.0, 2.0, 3.0]], Y)
    assert_error("INVALID_SHAPE", loss, X, np.zeros((0, 2)), Y)
    assert_error("INVALID_SHAPE", logits, np.zeros((2, 0)), np.zeros((3, 0)))
    assert_error("INVALID_SHAPE", logits, [[1.0]], [[2.0]], distance="chebyshev_soft")
    assert_error("INVALID_SHAPE", logits, X, W, distance="mahalanobis", precision=[1.0])
    assert_error("INVALID_SHAPE", losskit.harmonic_logits_vjp, X, W, X)
    assert_error("INVALID_PARAMETER", logits, X, W, distance="euclid")
    assert_error("INVALID_PARAMETER", loss, X, W, Y, reduction="all")
    for name, bad in itertools.product(["n", "eps", "p", "temperature", "smooth", "min_denom"], [0, -1.0, np.nan, np.inf]):
        assert_error("INVALID_PARAMETER", logits, X, W, **{name: bad})
    for name in ("threshold", "weight_power"):
        assert_error("INVALID_PARAMETER", logits, X, W, **{name: np.nan})
    assert_error("INVALID_PARAMETER", scores, X, W, [0, 1, 1], num_classes=2, alpha=0.0)
    assert_error("INVALID_TARGET", scores, X, W, [0, 1, 2], num_classes=2)
    assert_error("INVALID_SHAPE", scores, X, W, [0, 1, 1], num_classes=0)
    assert_error("INVALID_SHAPE", scores, X, np.zeros((0, 2)), [], num_classes=2)


def raw_calls(dtype, count=19, dimensions=5, classes=11):
    rng = np.random.default_rng(5)
    array = lambda *shape: rng.normal(0, 1, shape).astype(dtype)  # noqa: E731
    sizes = dict(count=count, dimensions=dimensions, classes=classes)
    for distance in DISTANCES if count == 19 else ["euclidean", "mahalanobis", "cosine"]:
        parameters = {key: value for key, value in DEFAULTS.items() if key != "precision"}
        model = dict(**sizes, distance=distance, **parameters, precision=array(dimensions) ** 2, precision_is_matrix=False)
        x, w, centres = array(count, dimensions), array(classes, dimensions), rng.integers(0, classes, count)
        yield RawCall("harmonic_logits", dtype, ["logits"], x=x, w=w, **model, logits=array(count, classes))
        yield RawCall(
            "harmonic_logits_vjp", dtype, ["grad_x", "grad_w"], x=x, w=w, grad_output=array(count, classes), **model,
            grad_x=array(count, dimensions), grad_w=array(classes, dimensions),
        )  # fmt: skip
        yield RawCall(
            "harmonic_loss", dtype, ["loss", "grad_x", "grad_w", "grad_precision"], x=x, w=w, y=centres, **model,
            reduction="mean", sample_weight=array(count) ** 2, loss=array(1), grad_x=array(count, dimensions),
            grad_w=array(classes, dimensions), grad_precision=array(dimensions),
        )  # fmt: skip
    yield RawCall(
        "singular_kernel_scores", dtype, ["scores"], x=array(count, dimensions), train_x=array(classes, dimensions),
        train_y=rng.integers(0, 3, classes), count=count, dimensions=dimensions, train_count=classes, num_classes=3,
        alpha=1.5, scores=array(count, 3),
    )  # fmt: skip


OPTIONAL = {"precision", "sample_weight", "loss", "grad_x", "grad_w", "grad_precision"}


def test_interface_refuses(dtype):
    for call in raw_calls(dtype):
        assert call() == "OK", call.name
        for key, value in call.arguments.items():
            if isinstance(value, np.ndarray):
                assert call(**{key: None}) == ("OK" if key in OPTIONAL else "NULL_POINTER"), (call.name, key)
            if key in ("count", "dimensions", "classes", "train_count", "num_classes"):
                for bad in (-1, -(2**63), 2**62, 2**63 - 1):
                    assert call(**{key: bad}) == "INVALID_SHAPE", (call.name, key, bad)
                if key != "count":
                    assert call(**{key: 0}) == "INVALID_SHAPE"
        assert call(count=2**40, dimensions=2**40) == "INVALID_SHAPE"
        if call.name == "harmonic_loss":
            bad = call.arguments["y"].copy()
            bad[3] = 11
            assert call(y=bad) == "INVALID_TARGET"
            assert call(sample_weight=-call.arguments["sample_weight"]) == "INVALID_VALUE"
            assert call(reduction="none", loss=np.zeros(19, dtype)) == "UNSUPPORTED"


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("sizes", [(1, 2, 1), (8, 8, 8), (9, 17, 7), (33, 3, 16)])
def test_kernels_stay_inside(sizes, side, dtype):
    for call in raw_calls(dtype, *sizes):
        call.assert_stays_inside(side)


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for distance in %r:
        for rows, classes, dimensions in ((300, 900, 6), (37, 9, 65)):
            x, w = (rng.normal(0, 1, (length, dimensions)).astype(real) for length in (rows, classes))
            y, g = rng.integers(0, classes, rows), rng.normal(0, 1, (rows, classes)).astype(real)
            precision = rng.random(dimensions).astype(real) if distance == "mahalanobis" else None
            key = f"{distance} {real.__name__} {rows}"
            loss, gradients = losskit.harmonic_loss(x, w, y, distance=distance, precision=precision, grad=True, n=3.0)
            results[key + " loss"] = np.asarray(loss)
            for i, gradient in enumerate(gradients):
                results[f"{key} gradient {i}"] = gradient
            results[key + " logits"] = losskit.harmonic_logits(x, w, distance=distance, precision=precision)
            for i, gradient in enumerate(losskit.harmonic_logits_vjp(x, w, g, distance=distance, precision=precision)):
                results[f"{key} vjp {i}"] = gradient
    results[f"scores {real.__name__}"] = losskit.singular_kernel_scores(x, w, rng.integers(0, 4, 9), num_classes=4)
""" % (DISTANCES,)


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS)
