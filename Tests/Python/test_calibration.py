"""Calibration family: judged by NumPy float64 formulas written from the definitions, and by exact sums."""

import ctypes
import itertools
import math
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import assert_error, assert_same_bits, finite_difference, guarded

import losskit
from losskit._core import library

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
YP = np.array([0, 1, 2, 2])
Z = np.array([[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]])
YZ = np.array([0, 1, 0, 2])
C = np.array([0.1, 0.35, 0.4, 0.65, 0.8, 0.9])
R = np.array([0, 0, 1, 0, 1, 1])

BINNINGS = ["uniform", "quantile", "midpoint", "rank"]
EDGES = ["right", "left", "left_extra"]
NORMS = ["l1", "l2", "max"]
MODES = ["top", "classwise"]


# --- The definitions, in NumPy ---------------------------------------------------------------------------------------


def reference_bins(conf, n_bins, binning, edge):
    """Bin of each confidence, and the edges."""
    conf = np.asarray(conf, np.float64) + 0.0
    n = len(conf)
    total = n_bins + (edge == "left_extra")
    order = np.argsort(conf, kind="stable")
    ascending = conf[order]
    if binning == "rank":
        index = np.empty(n, np.int64)
        index[order] = [k * n_bins // n for k in range(n)]
        ranks = [-(-b * n // n_bins) for b in range(1, n_bins)]
        return index, [0.0, *[ascending[r] if r < n else 1.0 for r in ranks], 1.0], total
    if binning == "uniform":
        inner = [b / n_bins for b in range(1, n_bins)]
    elif n == 0:
        inner = []
    elif binning == "quantile":
        inner = []
        for b in range(1, n_bins):
            below, part = divmod((n - 1) * b, n_bins)
            low, high = ascending[below], ascending[min(below + 1, n - 1)]
            inner.append(low + (high - low) * (part / n_bins))
    else:
        runs = np.array_split(ascending, min(n_bins, n))
        inner = sorted({(a[-1] + b[0]) / 2 for a, b in zip(runs, runs[1:])})
    if edge == "right":
        index = np.array([sum(e < c for e in inner) for c in conf], np.int64)
    else:
        index = np.array([sum(e <= c for e in inner) for c in conf], np.int64)
        if edge == "left_extra":
            index[conf >= 1] = n_bins
    return index, [0.0, *inner, *[1.0] * (n_bins - len(inner))], total


def reference_views(probs, y, mode):
    """(column, confidences, hits) of each view; column of the top label is one a row."""
    probs = np.asarray(probs, np.float64)
    if probs.ndim == 1:
        return [(np.zeros(len(y), np.int64), probs, np.asarray(y) == 1)]
    if mode == "top":
        column = probs.argmax(1)
        return [(column, probs[np.arange(len(y)), column], column == y)]
    return [(np.full(len(y), k), probs[:, k], np.asarray(y) == k) for k in range(probs.shape[1])]


def reference_error(probs, y, n_bins=15, norm="l1", binning="uniform", edge="right", mode="top"):
    """Value, gradient, and whether one bin alone comes near the maximum.

    The sums of a bin are correctly rounded, so that gaps of 0 are seen.
    """
    probs = np.asarray(probs, np.float64)
    matrix = probs if probs.ndim == 2 else probs[:, None]
    views = reference_views(probs, y, mode)
    n = len(y)
    gradient = np.zeros(matrix.shape)
    if n == 0:
        return np.nan, gradient.reshape(probs.shape), True
    binned = []
    for column, conf, hit in views:
        index, _, total = reference_bins(conf, n_bins, binning, edge)
        excess = [math.fsum([*conf[index == b], *-hit[index == b].astype(float)]) for b in range(total)]
        binned.append((column, index, np.array(excess), np.bincount(index, minlength=total)))
    gaps = [excess / np.maximum(count, 1) for _, _, excess, count in binned]
    per_view = {
        "l1": [np.abs(excess).sum() / n for _, _, excess, _ in binned],
        "l2": [math.sqrt((count / n * gap**2).sum()) for (_, _, _, count), gap in zip(binned, gaps)],
        "max": [np.abs(gap).max() for gap in gaps],
    }[norm]
    value = {"l1": np.mean, "l2": lambda e: math.sqrt(np.mean(np.square(e))), "max": np.max}[norm](per_view)
    worst_view = int(np.argmax(per_view))
    for k, (column, index, excess, count) in enumerate(binned):
        if norm == "l1":
            slope = np.sign(excess) / (n * len(views))
        elif norm == "l2":
            slope = gaps[k] / (n * len(views) * value) if value > 0 else np.zeros(len(excess))
        else:
            slope = np.zeros(len(excess))
            worst = int(np.argmax(np.abs(gaps[k])))
            if k == worst_view and count[worst]:
                slope[worst] = np.sign(excess[worst]) / count[worst]
        gradient[np.arange(n), column] = slope[index]
    near = sum((np.abs(gap) > np.max(per_view) - 1e-9).sum() for gap in gaps) if norm == "max" else 1
    return value, gradient.reshape(probs.shape), near == 1


def close(actual, expected, **tolerance):
    single = np.asarray(actual).dtype == np.float32
    np.testing.assert_allclose(actual, expected, **{"rtol": 2e-6 if single else 1e-12, "atol": 1e-14, **tolerance})


@st.composite
def confidences(draw, shape, n_bins, dtype):
    """Numbers in [0, 1]: on edges and beside them, 0, 1, ties, tiny and ordinary ones."""
    borders = [b / n_bins for b in range(n_bins + 1)]
    special = [0.0, 1.0, 0.5, 1e-30, float(np.finfo(dtype).tiny), *borders]
    number = st.one_of(
        st.sampled_from(special),
        st.sampled_from(borders).map(lambda e: float(np.nextafter(dtype.type(e), dtype.type(0)))),
        st.sampled_from(borders).map(lambda e: float(min(np.nextafter(dtype.type(e), dtype.type(2)), 1))),
        st.floats(0, 1),
    )
    size = int(np.prod(shape))
    return np.array(draw(st.lists(number, min_size=size, max_size=size)), dtype).reshape(shape)


dtypes = st.sampled_from([np.dtype(np.float32), np.dtype(np.float64)])


@st.composite
def labelled(draw):
    """(probs, y, n_bins): binary or with classes."""
    dtype = draw(dtypes)
    n = draw(st.sampled_from([0, 1, 2, 3, 7, 8, 15, 16, 17, 33]))
    classes = draw(st.sampled_from([0, 1, 2, 3, 9]))
    n_bins = draw(st.sampled_from([1, 2, 3, 5, 7, 10, 15, 49]))
    probs = draw(confidences((n, classes) if classes else (n,), n_bins, dtype))
    y = draw(st.lists(st.integers(0, max(classes - 1, 0) if classes else 1), min_size=n, max_size=n))
    return probs, np.array(y, np.int64), n_bins


# --- Reliability bins ------------------------------------------------------------------------------------------------


def test_worked_example_of_bins(dtype):
    count, conf, acc, edges = losskit.reliability_bins(C.astype(dtype), R, n_bins=3)
    assert count.tolist() == [1, 3, 2] and conf.dtype == acc.dtype == edges.dtype == dtype
    np.testing.assert_allclose(conf, [0.1, 0.4666667, 0.85], rtol=1e-6)
    np.testing.assert_allclose(acc, [0, 0.3333333, 1], rtol=1e-6)
    np.testing.assert_allclose(edges, [0, 0.3333333, 0.6666667, 1], rtol=1e-6)


@pytest.mark.parametrize("binning", BINNINGS)
@pytest.mark.parametrize("edge", EDGES)
@given(data=st.data())
def test_bins_follow_their_definition(binning, edge, data):
    dtype = data.draw(dtypes)
    n = data.draw(st.sampled_from([0, 1, 2, 5, 8, 13, 16, 40]))
    n_bins = data.draw(st.sampled_from([1, 2, 3, 6, 10, 15, 50]))
    conf = data.draw(confidences((n,), n_bins, dtype))
    correct = np.array(data.draw(st.lists(st.integers(0, 1), min_size=n, max_size=n)), np.int64)
    count, conf_mean, acc_mean, edges = losskit.reliability_bins(
        conf, correct, n_bins=n_bins, binning=binning, edge=edge
    )
    index, expected_edges, total = reference_bins(conf, n_bins, binning, edge)
    assert count.tolist() == np.bincount(index, minlength=total).tolist()
    for b in range(total):
        inside = conf[index == b].astype(np.float64)
        close(conf_mean[b], math.fsum(inside) / max(len(inside), 1), atol=1e-36)
        close(acc_mean[b], correct[index == b].sum() / max(len(inside), 1))
    np.testing.assert_array_equal(edges, np.array(expected_edges, dtype))


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("n_bins", [1, 2, 3, 7, 10, 15, 49, 100, 1000, 12345, 2**20])
def test_borders_belong_to_the_right_bin(dtype, edge, n_bins):
    some = np.unique(np.linspace(0, n_bins, 2000).astype(np.int64))
    border = (some / n_bins).astype(dtype)
    conf = np.concatenate(
        [border, np.nextafter(border, dtype.type(0)), np.minimum(np.nextafter(border, dtype.type(2)), 1)]
    )
    count = losskit.reliability_bins(conf, np.zeros(len(conf), int), n_bins=n_bins, edge=edge)[0]
    inner = np.arange(1, n_bins) / n_bins
    index = np.searchsorted(inner, conf.astype(np.float64), side="left" if edge == "right" else "right")
    if edge == "left_extra":
        index[conf == 1] = n_bins
    np.testing.assert_array_equal(count, np.bincount(index, minlength=n_bins + (edge == "left_extra")))


def test_sums_do_not_depend_on_order(dtype, rng):
    conf = np.concatenate([rng.random(5000) ** 8, rng.random(500) * 1e-18]).astype(dtype)
    correct = rng.integers(0, 2, len(conf))
    first = losskit.reliability_bins(conf, correct)
    order = rng.permutation(len(conf))
    for a, b in zip(first, losskit.reliability_bins(conf[order], correct[order])):
        assert a.tobytes() == b.tobytes()
    inside = conf.astype(np.float64) <= 1 / 15
    assert first[1][0] == dtype.type(math.fsum(conf[inside].astype(np.float64)) / inside.sum())


def test_equal_mass_bins_of_many_samples(rng):
    conf = (rng.integers(0, 400, 30_000) / 399).astype(np.float32)
    correct = rng.integers(0, 2, len(conf))
    for binning in BINNINGS[1:]:
        for edge in EDGES:
            index, edges, total = reference_bins(conf, 20, binning, edge)
            count, _, acc, actual = losskit.reliability_bins(conf, correct, n_bins=20, binning=binning, edge=edge)
            assert count.tolist() == np.bincount(index, minlength=total).tolist()
            hits = np.bincount(index, correct, minlength=total)
            np.testing.assert_allclose(acc, hits / np.maximum(count, 1), rtol=1e-6)
            np.testing.assert_array_equal(actual, np.array(edges, np.float32))


# --- Calibration errors ----------------------------------------------------------------------------------------------


def test_worked_examples_of_errors():  # (as float32, 0.6 is beyond the edge 3 / 5)
    quarter = np.array([[-1, 0, 0], [0, -1, 0], [-1, 0, 0], [0, 0, -1]]) / 4
    for function in (losskit.calibration_error, losskit.expected_calibration_error):
        value, gradient = function(P, YP, n_bins=5, grad=True)
        close(value, 0.15), close(gradient, quarter)
    value, gradient = losskit.maximum_calibration_error(P, YP, n_bins=5, grad=True)
    close(value, 0.3), close(gradient, [[-1, 0, 0], [0, 0, 0], [0, 0, 0], [0, 0, 0]])
    value, gradient = losskit.static_calibration_error(P, YP, n_bins=5, grad=True)
    signs = [[-1, 1, -1], [1, -1, 1], [1, 1, -1], [1, 1, -1]]
    close(value, 0.3), close(gradient, np.array(signs) / 12)
    value, gradient = losskit.calibration_error(P, YP, n_bins=5, norm="l2", mode="classwise", grad=True)
    expected = [
        [-0.07872958, 0.05248639, -0.09185118],
        [0.03936479, -0.1049728, 0.07872958],
        [0.131216, 0.07872958, -0.09185118],
        [0.03936479, 0.05248639, -0.1049728],
    ]
    np.testing.assert_allclose(value, 0.3175426, rtol=1e-6)
    np.testing.assert_allclose(gradient, expected, rtol=1e-5)


@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("binning", BINNINGS)
@given(data=labelled(), edge=st.sampled_from(EDGES), mode=st.sampled_from(MODES))
def test_errors_follow_their_definition(norm, binning, data, edge, mode):
    probs, y, n_bins = data
    parameters = dict(n_bins=n_bins, norm=norm, binning=binning, edge=edge, mode=mode)
    value, gradient = losskit.calibration_error(probs, y, **parameters, grad=True)
    expected, expected_gradient, is_clear = reference_error(probs, y, **parameters)
    close(value, expected, rtol=2e-6 if probs.dtype == np.float32 else 1e-11)
    # Unclear: it may hang on the last bit which bin attains the maximum. Gaps near 2**-120 are as confidences count.
    if is_clear and not 0 < expected < 1e-25:
        close(gradient, expected_gradient, rtol=2e-6 if probs.dtype == np.float32 else 1e-9, atol=1e-9)
    assert losskit.calibration_error(probs, y, **parameters) == value or len(y) == 0


@pytest.mark.parametrize("classes", [1, 2, 5, 8, 10, 16, 17, 31, 40, 100])
@pytest.mark.parametrize("mode", MODES)
def test_errors_at_every_tile_shape(dtype, classes, mode, rng):
    for n in (1, 7, 16, 130):
        probs = rng.dirichlet(np.full(classes, 0.3), n).astype(dtype).clip(0, 1)
        y = rng.integers(0, classes, n)
        for norm in NORMS:
            value, gradient = losskit.calibration_error(guarded(probs), guarded(y), norm=norm, mode=mode, grad=True)
            expected, expected_gradient, _ = reference_error(probs, y, norm=norm, mode=mode)
            close(value, expected, rtol=2e-6 if dtype == np.float32 else 1e-11)
            close(gradient, expected_gradient, rtol=2e-6 if dtype == np.float32 else 1e-9, atol=1e-9)


def test_ties_take_the_first_class(dtype):
    probs = np.array([[0.25, 0.25, 0.25, 0.25], [0.1, 0.4, 0.1, 0.4]], dtype)
    value, gradient = losskit.calibration_error(probs, [0, 1], grad=True)
    assert np.nonzero(gradient)[1].tolist() == [0, 1]
    close(value, (0.75 + 0.6) / 2)


def test_the_gradient_is_that_of_the_error(rng):
    """Where no confidence crosses an edge and no gap changes its sign, the error is differentiable."""
    probs = rng.dirichlet(np.ones(4), 60)
    y = rng.integers(0, 4, 60)
    for norm, mode, binning in itertools.product(NORMS, MODES, BINNINGS):
        parameters = dict(n_bins=4, norm=norm, mode=mode, binning="rank" if binning == "rank" else "uniform")
        gradient = losskit.calibration_error(probs, y, **parameters, grad=True)[1]
        numeric = finite_difference(lambda p: losskit.calibration_error(p, y, **parameters), probs, 1e-7)
        np.testing.assert_allclose(gradient, numeric, atol=1e-6)


def test_a_perfect_bin_has_no_gradient(dtype):
    value, gradient = losskit.calibration_error(
        np.array([0.5, 0.5, 0.25, 0.25, 0.25, 0.25], dtype), [0, 1, 0, 1, 0, 0], grad=True
    )
    assert value == 0 and not gradient.any()
    value, gradient = losskit.calibration_error(np.array([0.5, 0.5], dtype), [0, 1], norm="l2", grad=True)
    assert value == 0 and not gradient.any()


def test_no_samples(dtype):
    for probs in (np.empty((0, 3), dtype), np.empty(0, dtype)):
        for norm, binning, mode in itertools.product(NORMS, BINNINGS, MODES):
            value, gradient = losskit.calibration_error(probs, [], norm=norm, binning=binning, mode=mode, grad=True)
            assert np.isnan(value) and gradient.shape == probs.shape
    for edge in EDGES:
        for binning in BINNINGS:
            for part in losskit.reliability_bins(np.empty(0, dtype), [], binning=binning, edge=edge)[:3]:
                assert not part.any() and len(part) == 15 + (edge == "left_extra")
    for function in (losskit.brier_score, losskit.log_loss):
        assert function(np.empty((0, 3), dtype), []) == 0
        assert function(np.empty(0, dtype), [], reduction="none").shape == (0,)


def test_leading_axes_are_rows():
    value, gradient = losskit.calibration_error(P.reshape(2, 2, 3), YP.reshape(2, 2), grad=True)
    flat, flat_gradient = losskit.calibration_error(P, YP, grad=True)
    assert value == flat and gradient.tobytes() == flat_gradient.tobytes() and gradient.shape == (2, 2, 3)
    assert losskit.log_loss(P.reshape(2, 2, 3), YP.reshape(2, 2), reduction="none").shape == (2, 2)


def test_agrees_with_torchmetrics(rng):
    torch = pytest.importorskip("torch")
    functional = pytest.importorskip("torchmetrics.functional.classification")
    probs = rng.dirichlet(np.full(6, 0.4), 3000).astype(np.float32).clip(0, 1)
    y = rng.integers(0, 6, 3000)
    for norm in NORMS:
        expected = functional.multiclass_calibration_error(
            torch.from_numpy(probs), torch.from_numpy(y), 6, n_bins=15, norm=norm
        )
        actual = losskit.calibration_error(probs, y, norm=norm, edge="left_extra")
        np.testing.assert_allclose(actual, float(expected), rtol=1e-4)


# --- Proper scores ---------------------------------------------------------------------------------------------------


def reference_losses(name, probs, y, scale_by_half=False, eps=1e-12):
    probs = np.asarray(probs, np.float64)
    y = np.asarray(y)
    if name == "brier_score":
        hot = y if probs.ndim == 1 else np.eye(probs.shape[1])[y]
        half = 0.5 if scale_by_half else 1
        losses = half * (probs - hot) ** 2
        return (losses if probs.ndim == 1 else losses.sum(1)), 2 * half * (probs - hot)
    hot = np.where(y == 1, 1.0, -1.0) if probs.ndim == 1 else np.eye(probs.shape[1])[y]
    given_ = np.where(y == 1, probs, 1 - probs) if probs.ndim == 1 else probs[np.arange(len(y)), y]
    with np.errstate(divide="ignore", over="ignore"):
        slope = np.where(given_ > eps, -1 / given_, 0)
        return -np.log(np.maximum(given_, eps)), hot * (slope if probs.ndim == 1 else slope[:, None])


def test_worked_examples_of_scores(dtype):
    value, gradient = losskit.brier_score(P.astype(dtype), YP, grad=True)
    close(value, 0.405)
    close(gradient, [[-0.15, 0.1, 0.05], [0.05, -0.2, 0.15], [0.25, 0.15, -0.4], [0.1, 0.1, -0.2]])
    value, gradient = losskit.log_loss(P.astype(dtype), YP, grad=True)
    np.testing.assert_allclose(value, 0.746941, rtol=1e-6)
    np.testing.assert_allclose(
        gradient, [[-0.3571429, 0, 0], [0, -0.4166667, 0], [0, 0, -1.25], [0, 0, -0.4166667]], rtol=1e-6
    )


@pytest.mark.parametrize("name", ["brier_score", "log_loss"])
@pytest.mark.parametrize("reduction", ["none", "sum", "mean"])
@given(data=labelled(), weighted=st.booleans(), option=st.booleans(), seed=st.integers(0, 2**32))
def test_scores_follow_their_definition(name, reduction, data, weighted, option, seed):
    probs, y, _ = data
    random = np.random.default_rng(seed)
    weights = (random.random(len(y)) * (random.random(len(y)) < 0.8)).astype(probs.dtype) if weighted else None
    option = {"scale_by_half": option} if name == "brier_score" else {"eps": 1e-3 if option else 1e-12}
    losses, slopes = reference_losses(name, probs, y, **option)
    w = np.ones(len(y)) if weights is None else weights.astype(np.float64)
    if reduction == "mean":
        w = w / w.sum() if w.sum() else np.zeros(len(y))
    expected = w * losses if reduction == "none" else (w * losses).sum()
    value, gradient = getattr(losskit, name)(probs, y, sample_weight=weights, reduction=reduction, grad=True, **option)
    close(value, expected, rtol=3e-6 if probs.dtype == np.float32 else 1e-12)
    close(gradient, slopes * (w if probs.ndim == 1 else w[:, None]), rtol=3e-6 if probs.dtype == np.float32 else 1e-12)


def test_gradients_of_scores_by_finite_differences(rng):
    probs = rng.dirichlet(np.ones(5), 12) * 0.8 + 0.05
    y = rng.integers(0, 5, 12)
    weights = rng.random(12)
    for function in (losskit.brier_score, losskit.log_loss):
        for p, labels in ((probs, y), (probs[:, 0], y % 2)):
            gradient = function(p, labels, sample_weight=weights, grad=True)[1]
            numeric = finite_difference(lambda q: function(q, labels, sample_weight=weights), p, 1e-4)
            np.testing.assert_allclose(gradient, numeric, atol=1e-8)


def test_nan_stays_in_its_row(dtype):
    probs = P.astype(dtype)
    probs[1, 1] = np.nan
    for function in (losskit.brier_score, losskit.log_loss):
        losses, gradient = function(probs, YP, reduction="none", grad=True)
        assert np.isnan(losses).tolist() == [False, True, False, False]
        assert np.isnan(gradient[1, 1]) and np.isfinite(gradient[[0, 2, 3]]).all()
        assert np.isnan(function(probs, YP))


def test_impossible_outcomes():
    value, gradient = losskit.log_loss([[0.0, 1.0]], [0], grad=True)
    assert value == pytest.approx(-math.log(1e-12)) and not gradient.any()
    value, gradient = losskit.log_loss([[0.0, 1.0]], [0], eps=0, grad=True)
    assert value == np.inf and not gradient.any()


def test_large_scores(dtype, rng):
    for shape in ((100_000,), (30_000, 5), (40, 5000)):
        probs = rng.random(shape).astype(dtype)
        y = rng.integers(0, shape[1] if len(shape) > 1 else 2, shape[0])
        for name in ("brier_score", "log_loss"):
            losses, _ = reference_losses(name, probs, y)
            close(getattr(losskit, name)(probs, y), losses.mean(), rtol=2e-6 if dtype == np.float32 else 1e-12)


# --- Temperature scaling ---------------------------------------------------------------------------------------------


def tempered(logits, y, beta):
    """Mean negative log-likelihood and its derivative with respect to beta."""
    z = np.asarray(logits, np.float64)
    rows = np.arange(len(y))
    with np.errstate(invalid="ignore"):
        shifted = beta * (z - z.max(1, keepdims=True))
        p = np.exp(shifted)
        mass = p.sum(1)
        mean = np.where(p > 0, p * z, 0).sum(1) / mass
    return (np.log(mass) - shifted[rows, y]).mean(), (mean - z[rows, y]).mean()


def reference_temperature(logits, y, t_min=0.01, t_max=100.0):
    low, high = 1 / t_max, 1 / t_min
    if tempered(logits, y, low)[1] >= 0:
        beta = low
    elif tempered(logits, y, high)[1] <= 0:
        beta = high
    else:
        for _ in range(200):
            beta = (low + high) / 2
            low, high = (beta, high) if tempered(logits, y, beta)[1] < 0 else (low, beta)
    return 1 / beta, tempered(logits, y, beta)[0]


def test_worked_example_of_temperature(dtype):
    temperature, nll = losskit.temperature_scaling_fit(Z.astype(dtype), YZ)
    np.testing.assert_allclose([temperature, nll], [0.4880899, 0.4575499], rtol=1e-6)
    assert temperature.dtype == nll.dtype == dtype


@given(
    seed=st.integers(0, 2**32),
    dtype=dtypes,
    n=st.sampled_from([1, 2, 7, 8, 9, 50]),
    classes=st.sampled_from([1, 2, 3, 8, 10, 16, 17, 50]),
    scale=st.sampled_from([0.0, 0.01, 1.0, 30.0, 1000.0]),
    skill=st.sampled_from([0.0, 0.3, 1.0, 3.0]),
    masked=st.booleans(),
    shift=st.sampled_from([0.0, 1e4]),
)
def test_temperature_is_the_minimum(seed, dtype, n, classes, scale, skill, masked, shift):
    random = np.random.default_rng(seed)
    logits = (random.standard_normal((n, classes)) * scale + shift).astype(dtype)
    utility = skill / max(scale, 1e-3) * (logits.astype(np.float64) - shift) + random.gumbel(size=(n, classes))
    y = utility.argmax(1)
    if masked and classes > 1:
        logits[np.arange(n), (y + 1) % classes] = -np.inf
    temperature, nll = losskit.temperature_scaling_fit(logits, y)
    expected, expected_nll = reference_temperature(logits, y)
    single = dtype == np.float32
    np.testing.assert_allclose(nll, expected_nll, rtol=1e-6 if single else 1e-9, atol=1e-7 if single else 1e-12)
    at_result = tempered(logits, y, 1 / float(temperature))[0]
    np.testing.assert_allclose(at_result, expected_nll, rtol=1e-6 if single else 1e-9, atol=1e-7 if single else 1e-12)
    assert 0.01 * (1 - 1e-6) <= temperature <= 100 * (1 + 1e-6)


def test_temperature_is_accurate(dtype, rng):
    for n, classes in ((2000, 10), (300, 100), (40, 3001)):
        logits = (3 * rng.standard_normal((n, classes))).astype(dtype)
        y = (0.4 * logits + rng.gumbel(size=(n, classes))).argmax(1)
        expected = reference_temperature(logits, y)
        np.testing.assert_allclose(
            losskit.temperature_scaling_fit(logits, y), expected, rtol=1e-6 if dtype == np.float32 else 1e-11
        )


def test_temperature_at_its_limits():
    separable = np.eye(3)
    assert losskit.temperature_scaling_fit(separable, [0, 1, 2])[0] == pytest.approx(0.01)
    assert losskit.temperature_scaling_fit(separable, [1, 2, 0])[0] == pytest.approx(100)
    assert losskit.temperature_scaling_fit(np.ones((4, 3)), [0, 1, 2, 0]) == (
        pytest.approx(100),
        pytest.approx(math.log(3)),
    )
    assert losskit.temperature_scaling_fit(Z, YZ, t_min=2, t_max=2)[0] == 2
    # 1/(1/49) is not 49.
    assert losskit.temperature_scaling_fit(np.zeros((2, 3)), [0, 1], t_max=49)[0] == 49
    assert losskit.temperature_scaling_fit([[9.0, 0.0]], [0], t_min=49, t_max=98)[0] == 49
    assert losskit.temperature_scaling_fit([[-np.inf, 3.0]], [1]) == (pytest.approx(100), 0)


# --- The accumulator -------------------------------------------------------------------------------------------------


def filled(probs, y, n_bins=15, edge="right"):
    return losskit.ReliabilityAccumulator(n_bins, edge).update(probs, y)


@pytest.mark.parametrize("edge", EDGES)
def test_accumulator_gives_what_all_data_at_once_give(dtype, edge, rng):
    probs = rng.dirichlet(np.full(4, 0.3), 5000).astype(dtype).clip(0, 1)
    y = rng.integers(0, 4, 5000)
    accumulator = losskit.ReliabilityAccumulator(12, edge)
    for part in np.array_split(np.arange(5000), 7):
        accumulator.update(probs[part], y[part])
    bins, ece, mce = accumulator.result()
    column = probs.argmax(1)
    expected = losskit.reliability_bins(probs.max(1).astype(np.float64), column == y, n_bins=12, edge=edge)
    for a, b in zip(bins, expected):
        assert a.tobytes() == b.tobytes()
    close(dtype.type(ece), losskit.calibration_error(probs, y, n_bins=12, edge=edge))
    close(dtype.type(mce), losskit.calibration_error(probs, y, n_bins=12, edge=edge, norm="max"))


@given(data=st.data())
def test_merging_is_associative_and_commutative_to_the_last_bit(data):
    dtype = data.draw(dtypes)
    probs = data.draw(confidences((30,), 5, dtype))
    y = np.array(data.draw(st.lists(st.integers(0, 1), min_size=30, max_size=30)))
    whole = filled(probs, y, 5)
    parts = np.split(np.arange(30), sorted(data.draw(st.lists(st.integers(0, 30), min_size=3, max_size=3))))
    a, b, c, d = ((lambda part=part: filled(probs[part], y[part], 5)) for part in parts)
    left = a().merge(b()).merge(c()).merge(d())
    right = d().merge(c().merge(b().merge(a())))
    assert whole.to_bytes() == left.to_bytes() == right.to_bytes()
    order = np.array(data.draw(st.permutations(range(30))))
    assert filled(probs[order], y[order], 5) == whole
    one_by_one = losskit.ReliabilityAccumulator(5)
    for i in order:
        one_by_one.update(probs[i : i + 1], y[i : i + 1])
    assert one_by_one == whole


def test_accumulator_bytes(rng):
    accumulator = filled(rng.random(100), rng.integers(0, 2, 100), 4, "left")
    data = accumulator.to_bytes()
    words = np.frombuffer(data, "<i8")
    assert data[:8] == b"LKRELIA1" and words[1:4].tolist() == [4, 1, 0] and len(words) == 4 + 6 * 5
    bins = words[4:].reshape(5, 6)
    assert bins[:, 0].sum() == 100 and (bins[:, 3:] >= 0).all() and (bins[:, 3:] < 2**40).all()
    copy = losskit.ReliabilityAccumulator.from_bytes(data)
    assert copy == accumulator and (copy.n_bins, copy.edge) == (4, "left")
    assert pickle.loads(pickle.dumps(accumulator)) == accumulator
    assert copy.update([0.5], [1]) != accumulator
    assert accumulator != data and "100 samples" in repr(accumulator)


def test_sums_are_exact():
    conf = np.array([1.0, 2.0**-24, 2.0**-60, 2.0**-120, 2.0**-121, 3 * 2.0**-121, 1 - 2.0**-53])
    words = np.frombuffer(filled(conf, np.zeros(7, int), 1).to_bytes(), "<i8")[4:10].tolist()
    units = 2**120 + 2**96 + 2**60 + 1 + 1 + 2 + (2**120 - 2**67)  # halves go to even, but not to 0
    assert words[0] == 7 and words[1] == 0
    assert (words[2] << 120) + (words[3] << 80) + (words[4] << 40) + words[5] == units


def test_empty_accumulator():
    accumulator = losskit.ReliabilityAccumulator()
    (count, conf, acc, edges), ece, mce = accumulator.update([], []).update(np.empty((0, 3)), []).result()
    assert not count.any() and not conf.any() and not acc.any() and np.isnan(ece) and np.isnan(mce)
    np.testing.assert_array_equal(edges, np.arange(16) / 15)


def test_a_full_accumulator_refuses_more():
    words = np.frombuffer(filled([0.5], [1], 1).to_bytes(), "<i8").copy()
    words[4:10] = [2**60, 0, 2**59, 0, 0, 0]
    half = losskit.ReliabilityAccumulator.from_bytes(words.tobytes())
    twice = losskit.ReliabilityAccumulator.from_bytes(words.tobytes()).merge(half)
    before = twice.to_bytes()
    assert_error("INVALID_VALUE", twice.merge, half)
    assert_error("INVALID_VALUE", twice.update, [0.5], [1])
    assert twice.to_bytes() == before


# --- The picture -----------------------------------------------------------------------------------------------------


def test_reliability_diagram(tmp_path, rng):
    matplotlib = pytest.importorskip("matplotlib")
    matplotlib.use("Agg")
    from matplotlib import pyplot

    from losskit.plot import reliability_diagram

    probs = rng.dirichlet(np.full(4, 0.5), 500)
    y = rng.integers(0, 4, 500)
    ax = reliability_diagram(probs, y)
    ax.figure.savefig(tmp_path / "reliability.png")
    ece = losskit.expected_calibration_error(probs, y)
    assert ax.get_legend().get_title().get_text() == f"ECE {100 * ece:.2f} %"
    accuracies = losskit.reliability_bins(probs.max(1), probs.argmax(1) == y)[2]
    heights = [bar.get_height() for bar in ax.containers[0]]
    np.testing.assert_allclose(heights, accuracies[np.unique(np.ceil(probs.max(1) * 15).astype(int) - 1)])
    figure, own = pyplot.subplots()
    assert reliability_diagram(C, R, n_bins=3, ax=own) is own
    assert reliability_diagram([], [], ax=own) is own
    figure.savefig(tmp_path / "binary.png")
    assert (tmp_path / "reliability.png").stat().st_size > 5000
    pyplot.close("all")


def test_without_matplotlib_the_error_is_clear(monkeypatch):
    import losskit.plot

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match="pip install matplotlib"):
        losskit.plot.reliability_diagram(P, YP)


# --- Bits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [3, 10, 40])
def test_bits_do_not_depend_on_instruction_set_or_threads(classes):
    code = f"""
rng = np.random.default_rng(3)
probs = rng.dirichlet(np.full({classes}, 0.4), 210_000 // {classes}).clip(0, 1)
y = rng.integers(0, {classes}, len(probs))
for dtype in (np.float32, np.float64):
    p = probs.astype(dtype)
    kind = p.dtype.name
    for norm in ("l1", "l2", "max"):
        for mode in ("top", "classwise"):
            for binning in ("uniform", "rank"):
                value, grad = losskit.calibration_error(p, y, norm=norm, mode=mode, binning=binning, grad=True)
                results[f"{{kind}} {{norm}} {{mode}} {{binning}}"] = value
                results[f"{{kind}} {{norm}} {{mode}} {{binning}} grad"] = grad
    results[kind + " accumulator"] = np.frombuffer(losskit.ReliabilityAccumulator().update(p, y).to_bytes(), np.uint8)
"""
    assert_same_bits(code, isas=("baseline", "avx2", "avx512"))
    code += """
    weights = p[:, 0]
    results[kind + " brier"], results[kind + " brier grad"] = losskit.brier_score(p, y, sample_weight=weights, grad=True)
    results[kind + " log"], results[kind + " log grad"] = losskit.log_loss(p, y, grad=True)
    results[kind + " fit"] = np.array(losskit.temperature_scaling_fit(np.log(p + 1e-3), y))
"""
    assert_same_bits(code)


# --- Errors ----------------------------------------------------------------------------------------------------------

ERRORS = [
    losskit.calibration_error,
    losskit.expected_calibration_error,
    losskit.maximum_calibration_error,
    losskit.static_calibration_error,
]
SCORES = [losskit.brier_score, losskit.log_loss]


@pytest.mark.parametrize("function", ERRORS + SCORES, ids=lambda f: f.__name__)
def test_bad_data_are_refused(function, dtype):
    for classes, n in ((0, 1), (0, 40), (3, 2), (3, 40), (20, 21)):
        probs = np.full((n, classes) if classes else (n,), 0.3, dtype)
        y = np.zeros(n, np.int64)
        function(probs, y)
        for where in (0, probs.size // 2, probs.size - 1):
            for bad in (-0.1, 1.0001, np.inf, -np.inf, np.nan, -np.finfo(dtype).tiny):
                if np.isnan(bad) and function in SCORES:
                    continue
                spoiled = probs.copy()
                spoiled.flat[where] = bad
                assert_error("INVALID_VALUE", function, spoiled, y)
        for where in (0, n // 2, n - 1):
            for bad in (-1, max(classes, 2), 2**32, 2**40 + 1, -(2**63), 2**63 - 1):
                spoiled = y.copy()
                spoiled[where] = bad
                assert_error("INVALID_TARGET", function, probs, spoiled)
    probs = np.full((4, 3), -0.0, dtype)
    function(probs, [0, 0, 0, 0])
    assert_error("INVALID_SHAPE", function, P, YP[:3])
    assert_error("INVALID_SHAPE", function, P[:, :0], YP)
    assert_error("INVALID_SHAPE", function, 0.5, 1)
    assert_error("INVALID_TARGET", function, P, YP + 0.5)


def test_bad_data_of_bins_are_refused(dtype):
    for binning in BINNINGS:
        for bad in (-0.1, 1.1, np.nan, np.inf):
            assert_error(
                "INVALID_VALUE", losskit.reliability_bins, np.array([0.5, bad], dtype), [0, 1], binning=binning
            )
            assert_error(
                "INVALID_VALUE", losskit.calibration_error, np.array([0.5, bad], dtype), [0, 1], binning=binning
            )
        for bad in (-1, 2):
            assert_error(
                "INVALID_TARGET", losskit.reliability_bins, np.array([0.5, 0.1], dtype), [0, bad], binning=binning
            )
            for mode in MODES:
                assert_error(
                    "INVALID_TARGET",
                    losskit.calibration_error,
                    P.astype(dtype),
                    [0, 1, 2, 3],
                    binning=binning,
                    mode=mode,
                )
    assert_error("INVALID_SHAPE", losskit.reliability_bins, [0.5], [0, 1])


def test_bad_parameters_are_refused():
    for bad in (0, -1, 2**24 + 1, 2**62, 1.5, None):
        for function in ERRORS:
            assert_error("INVALID_PARAMETER", function, P, YP, n_bins=bad)
        assert_error("INVALID_PARAMETER", losskit.reliability_bins, C, R, n_bins=bad)
        assert_error("INVALID_PARAMETER", losskit.ReliabilityAccumulator, bad)
    for name in ("norm", "binning", "edge", "mode"):
        assert_error("INVALID_PARAMETER", losskit.calibration_error, P, YP, **{name: "other"})
    assert_error("INVALID_PARAMETER", losskit.ReliabilityAccumulator, 5, "other")
    for function in SCORES:
        assert_error("INVALID_PARAMETER", function, P, YP, reduction="other")
        for bad in (-1e-9, np.nan, np.inf):
            assert_error("INVALID_VALUE", function, P, YP, sample_weight=[1, 1, bad, 1])
        assert_error("INVALID_SHAPE", function, P, YP, sample_weight=[1, 1])
    for bad in (-1e-9, 1, np.nan, np.inf):
        assert_error("INVALID_PARAMETER", losskit.log_loss, P, YP, eps=bad)


def test_bad_fits_are_refused(dtype):
    fit = losskit.temperature_scaling_fit
    logits = Z.astype(dtype)
    for bad in (np.nan, np.inf):
        spoiled = logits.copy()
        spoiled[3, 2] = bad
        assert_error("INVALID_VALUE", fit, spoiled, YZ)
    spoiled = logits.copy()
    spoiled[0, 0] = -np.inf
    assert_error("INVALID_VALUE", fit, spoiled, YZ)
    for bad in (-1, 3, 2**32):
        assert_error("INVALID_TARGET", fit, logits, [0, 1, bad, 2])
    for limits in ((0, 1), (-1, 1), (2, 1), (0.1, np.inf), (np.nan, 1), (0.1, np.nan), (5e-324, 1)):
        assert_error("INVALID_PARAMETER", fit, logits, YZ, t_min=limits[0], t_max=limits[1])
    assert_error("INVALID_SHAPE", fit, logits[:0], YZ[:0])
    assert_error("INVALID_SHAPE", fit, logits[:, :0], YZ)
    assert_error("INVALID_SHAPE", fit, logits, YZ[:2])


def test_refused_batches_leave_the_accumulator_alone():
    accumulator = filled(P, YP)
    before = accumulator.to_bytes()
    assert_error("INVALID_VALUE", accumulator.update, [[0.5, 0.5], [0.5, np.nan]], [0, 1])
    assert_error("INVALID_TARGET", accumulator.update, P, YP + 1)
    assert_error("INVALID_SHAPE", accumulator.merge, losskit.ReliabilityAccumulator(14))
    assert_error("INVALID_SHAPE", accumulator.merge, losskit.ReliabilityAccumulator(15, "left"))
    assert accumulator.to_bytes() == before


def test_what_is_no_state_is_refused():
    data = filled(C, R, 2).to_bytes()
    good = np.frombuffer(data, "<i8")
    losskit.ReliabilityAccumulator.from_bytes(data)
    spoiled = [b"", data[:8], data[:-1], data + b"\0", bytes(len(data)), b"x" + data[1:]]
    for word, value in [
        (1, 0),
        (1, -1),
        (1, 3),
        (1, 2**62),
        (2, 3),
        (2, -1),
        (2, 2**32),
        (3, 1),
        (4, -1),
        (4, 2**62),
        (5, 7),
        (5, -1),
        (6, -1),
        (6, 100),
        (7, 2**40),
        (8, -1),
        (9, 2**41),
    ]:
        copy = good.copy()
        copy[word] = value
        spoiled.append(copy.tobytes())
    for bad in spoiled:
        assert_error("INVALID_VALUE", losskit.ReliabilityAccumulator.from_bytes, bad)


OK, NULL_POINTER, INVALID_SHAPE, INVALID_PARAMETER, BUFFER_TOO_SMALL = 0, 1, 2, 4, 6


def pointer(array):
    return None if array is None else ctypes.c_void_p(array.ctypes.data)


@pytest.mark.parametrize("suffix", ["_f32", "_f64"])
def test_null_pointers_and_sizes_in_c(suffix):
    """Of each function: its data may not be null, its outputs may; sizes may be neither negative nor huge."""
    n, size, real = ctypes.c_ssize_t, ctypes.c_ssize_t, ctypes.c_double
    dtype = np.float32 if suffix == "_f32" else np.float64
    probs, y, out = P.astype(dtype), YP.copy(), np.full(20, 7, dtype)
    modes = [ctypes.c_int32(0)] * 4
    # name -> arguments after (data, y, count, classes), of which the last are outputs
    calls = {
        "calibration_error": ([n(5), *modes], 2),
        "expected_calibration_error": ([n(5)], 2),
        "maximum_calibration_error": ([n(5)], 2),
        "static_calibration_error": ([n(5)], 2),
        "brier_score": ([ctypes.c_bool(False), None, ctypes.c_int32(1)], 2),
        "log_loss": ([real(1e-12), None, ctypes.c_int32(1)], 2),
        "temperature_scaling_fit": ([real(0.01), real(100)], 2),
    }
    for name, (parameters, outputs) in calls.items():
        entry = getattr(library, f"losskit_{name}{suffix}")
        argtypes, entry.argtypes = entry.argtypes, None
        try:
            x, labels, nothing = pointer(probs), pointer(y), [None] * outputs
            assert entry(x, labels, n(4), size(3), *parameters, *nothing) == OK, name
            assert entry(None, labels, n(4), size(3), *parameters, *nothing) == NULL_POINTER, name
            assert entry(x, None, n(4), size(3), *parameters, *nothing) == NULL_POINTER, name
            for count, classes in ((-1, 3), (4, -1), (2**62, 3), (2**40, 2**40), (2, 2**62), (2**63 - 1, 2**63 - 1)):
                given_ = [pointer(out)] + [None] * (outputs - 1)
                assert entry(x, labels, n(count), size(classes), *parameters, *given_) == INVALID_SHAPE, (
                    name,
                    count,
                    classes,
                )
            if name != "temperature_scaling_fit":
                assert entry(None, None, n(0), size(3), *parameters, *nothing) == OK, name
            else:
                assert entry(None, None, n(0), size(3), *parameters, *nothing) == INVALID_SHAPE
        finally:
            entry.argtypes = argtypes
    assert (out == 7).all()

    bins = getattr(library, f"losskit_reliability_bins{suffix}")
    argtypes, bins.argtypes = bins.argtypes, None
    conf = C.astype(dtype)
    try:
        for binning in range(4):
            mode = (ctypes.c_int32(binning), ctypes.c_int32(0))
            assert bins(pointer(conf), pointer(R), n(6), n(3), *mode, None, None, None, None) == OK
            assert bins(None, pointer(R), n(6), n(3), *mode, None, None, None, None) == NULL_POINTER
            assert bins(pointer(conf), None, n(6), n(3), *mode, None, None, None, None) == NULL_POINTER
            assert bins(pointer(conf), pointer(R), n(-1), n(3), *mode, None, None, None, None) == INVALID_SHAPE
            assert bins(pointer(conf), pointer(R), n(2**62), n(3), *mode, None, None, None, None) == INVALID_SHAPE
            assert bins(pointer(conf), pointer(R), n(6), n(0), *mode, None, None, None, None) == INVALID_PARAMETER
        for bad in (-1, 4, 99):
            assert bins(pointer(conf), pointer(R), n(6), n(3), bad, 0, None, None, None, None) == INVALID_PARAMETER
    finally:
        bins.argtypes = argtypes


def test_null_pointers_and_sizes_of_the_accumulator_in_c():
    n = ctypes.c_ssize_t
    names = ["size", "init", "check", "update_f32", "update_f64", "merge", "result"]
    entries = {name: getattr(library, "losskit_reliability_accumulator_" + name) for name in names}
    saved = {name: entry.argtypes for name, entry in entries.items()}
    for entry in entries.values():
        entry.argtypes = None
    try:
        bytes_ = n()
        assert entries["size"](n(2), ctypes.byref(bytes_)) == OK and bytes_.value == 80 + 48 * 2
        assert entries["size"](n(2), None) == NULL_POINTER
        for bad in (0, -1, 2**24 + 1, 2**62):
            assert entries["size"](n(bad), ctypes.byref(bytes_)) == INVALID_PARAMETER
        buffer = np.zeros(200, np.uint8)
        state = guarded(buffer[: bytes_.value])
        odd = buffer[1 : 1 + bytes_.value]  # no alignment is needed
        for memory in (state, odd):
            address = pointer(memory)
            size = n(memory.size)
            assert entries["init"](None, size, n(2), 0) == NULL_POINTER
            assert entries["init"](address, n(-1), n(2), 0) == INVALID_SHAPE
            assert entries["init"](address, size, n(0), 0) == INVALID_PARAMETER
            assert entries["init"](address, size, n(2), 3) == INVALID_PARAMETER
            assert entries["init"](address, n(memory.size - 1), n(2), 0) == BUFFER_TOO_SMALL
            assert not memory.any()
            assert entries["init"](address, size, n(2), 0) == OK
            assert entries["check"](address, size, None, None) == OK
            assert entries["check"](None, size, None, None) == NULL_POINTER
            assert entries["check"](address, n(-5), None, None) == INVALID_SHAPE
            for suffix, dtype in (("_f32", np.float32), ("_f64", np.float64)):
                update, conf = entries["update" + suffix], C.astype(dtype)
                assert update(None, size, pointer(conf), pointer(R), n(6), n(0)) == NULL_POINTER
                assert update(address, size, None, pointer(R), n(6), n(0)) == NULL_POINTER
                assert update(address, size, pointer(conf), None, n(6), n(0)) == NULL_POINTER
                assert update(address, size, pointer(conf), pointer(R), n(-1), n(0)) == INVALID_SHAPE
                assert update(address, size, pointer(conf), pointer(R), n(2), n(-3)) == INVALID_SHAPE
                assert update(address, size, pointer(conf), pointer(R), n(2**61), n(8)) == INVALID_SHAPE
                assert update(address, size, None, None, n(0), n(0)) == OK
                assert update(address, size, pointer(conf), pointer(R), n(6), n(0)) == OK
            assert entries["merge"](address, size, None, size) == NULL_POINTER
            assert entries["merge"](None, size, address, size) == NULL_POINTER
            assert entries["merge"](address, size, address, size) == OK  # twice itself
            assert entries["result"](None, size, *[None] * 6) == NULL_POINTER
            assert entries["result"](address, size, *[None] * 6) == OK
            count = np.empty(2, np.int64)
            assert entries["result"](address, size, pointer(count), *[None] * 5) == OK
            assert count.tolist() == [12, 12]
    finally:
        for name, entry in entries.items():
            entry.argtypes = saved[name]
