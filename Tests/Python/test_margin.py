"""Margin losses of rows: judged by NumPy float64 formulas written from the definitions, and by finite differences."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits, logit_arrays

import losskit

INF, NAN = math.inf, math.nan
REDUCTIONS = ["none", "mean", "sum"]
Y = [0, 2]


# --- The definitions, in NumPy: losses and gradients of rows ---------------------------------------------------------


def sp(x):
    return np.logaddexp(0, x)


def sig(x):
    return np.exp(-np.logaddexp(0, -x))


def one_hot(y, classes):
    return np.arange(classes) == y[:, None]


def at(z, y):
    return np.take_along_axis(z, y[:, None], -1)


def power(u, p):
    return np.maximum(u, 0) ** p, p * np.maximum(u, 0) ** (p - 1) * (u > 0)


def multi_margin_loss(z, y, p=1, margin=1.0, weight=None):
    hot, classes = one_hot(y, z.shape[1]), z.shape[1]
    w = 1.0 if weight is None else weight.astype(np.float64)[y][:, None]
    u = np.where(hot | (z == -INF), -INF, margin + (z - at(z, y)))
    value, slope = power(u, p)
    slope = np.where(w == 0, 0, w * slope / classes)
    return np.where(w == 0, 0, w * value / classes).sum(-1), np.where(hot, -slope.sum(-1, keepdims=True), slope)


def rival(z, y):
    """The best class beside the target, and its logit."""
    others = np.where(one_hot(y, z.shape[1]), -INF, z)
    best = np.argmax(others, -1)
    return best, others.max(-1)


def two_classes(z, y, other, slope, other_slope=None):
    hot, of_other = one_hot(y, z.shape[1]), one_hot(other, z.shape[1])
    other_slope = slope if other_slope is None else other_slope
    return np.where(hot, -slope[:, None], np.where(of_other, other_slope[:, None], 0.0))


def crammer_singer_loss(z, y, margin=1.0, p=1):
    best, score = rival(z, y)
    value, slope = power(margin + (score - at(z, y)[:, 0]), p)
    return value, two_classes(z, y, best, slope)


def categorical_hinge(z, y):
    best, score = rival(z, y)
    u = 1 + np.maximum(0, score) - at(z, y)[:, 0]
    return np.maximum(u, 0), two_classes(z, y, best, 1.0 * (u > 0), 1.0 * ((u > 0) & (score > 0)))


def multiclass_perceptron_loss(z, y):
    best = np.argmax(z, -1)
    return z.max(-1) - at(z, y)[:, 0], two_classes(z, y, best, 1.0 * (best != y))


def llw_hinge_loss(z, y):
    u = np.where(one_hot(y, z.shape[1]), -INF, z + 1 / (z.shape[1] - 1))
    return np.maximum(u, 0).sum(-1), 1.0 * (u > 0)


def one_vs_rest_svm_loss(z, y, p=2, penalty=1.0):
    s = np.where(one_hot(y, z.shape[1]), 1, -1)
    value, slope = power(1 - s * z, p)
    return penalty * value.mean(-1), -penalty * s * slope / z.shape[1]


def ovr_loss(z, y):
    hot = one_hot(y, z.shape[1])
    return sp(np.where(hot, -z, z)).sum(-1), np.where(hot, -sig(-z), sig(z))


def log_likelihood(z, y):
    """−log softmax(z)_y; 1 − p without cancellation."""
    hot = one_hot(y, z.shape[1])
    e = np.exp(z - z.max(-1, keepdims=True))
    own, others = at(e, y)[:, 0], np.where(hot, 0, e).sum(-1)
    small = np.log1p(others / np.where(own > 0, own, 1))
    nu = np.where(own > 0.1, small, np.log(e.sum(-1)) - (at(z, y)[:, 0] - z.max(-1)))
    return nu, np.where(hot, -(others / e.sum(-1))[:, None], e / e.sum(-1, keepdims=True))


def sovr_loss(z, y, fraction=0.4, lam=0.4):
    margins = np.where(undefined(z), NAN, rival(z, y)[1] - at(z, y)[:, 0])
    chosen = np.zeros(len(z), bool)
    chosen[np.argsort(-margins, kind="stable")[: math.floor(fraction * len(z) + 1e-9)]] = True
    (nu, of_nu), (rest, of_rest) = log_likelihood(z, y), ovr_loss(z, y)
    return np.where(chosen, lam * rest, nu), np.where(chosen[:, None], lam * of_rest, of_nu)


def legendretron_loss(u, y):
    value, gradient = log_likelihood(np.concatenate([u, np.zeros((len(u), 1))], 1), y)
    return value, gradient[:, :-1]


def undefined(z):
    return np.isnan(z).any(-1) | (z == INF).any(-1) | (z == -INF).all(-1)


# name -> reference, parameters to draw from, the least number of classes
LOSSES = {
    "multi_margin_loss": (multi_margin_loss, dict(p=[1, 2], margin=[1.0, 0.1, -0.7, 30]), 1),
    "crammer_singer_loss": (crammer_singer_loss, dict(p=[1, 2], margin=[1.0, 0.1, 30]), 2),
    "categorical_hinge": (categorical_hinge, {}, 1),
    "multiclass_perceptron_loss": (multiclass_perceptron_loss, {}, 1),
    "llw_hinge_loss": (llw_hinge_loss, {}, 2),
    "one_vs_rest_svm_loss": (one_vs_rest_svm_loss, dict(p=[1, 2], penalty=[1.0, 0.3]), 1),
    "ovr_loss": (ovr_loss, {}, 1),
    "sovr_loss": (sovr_loss, dict(fraction=[0.4, 0, 1, 0.77], lam=[0.4, 1, 3]), 1),
    "legendretron_loss": (legendretron_loss, {}, 1),
}
BATCH = ("sovr_loss",)


def slack_of(z, name):
    """Differences of logits are rounded, to 2^-24 of themselves: what a small 1 − p = e^{−gap} then has for an error."""
    if name not in ("sovr_loss", "legendretron_loss"):
        return np.ones(len(z))
    if name == "legendretron_loss":
        z = np.concatenate([z, np.zeros((len(z), 1))], 1)
    with np.errstate(all="ignore"):
        top = np.sort(np.where(np.isfinite(z), z, -INF), -1)[:, -2:]
        gap = top[:, -1] - top[:, 0]
    return np.maximum(1, 1 / 3 + np.where(np.isfinite(gap), np.minimum(gap, 120), 0) * 2**-24 / 3e-6)


def check(actual, name, z, axis, y, parameters, sample_weight, reduction):
    """Compares (loss, gradient): losses by themselves, gradients by the largest of their rows."""
    loss, gradient = actual
    real = z.dtype
    rows = np.moveaxis(z, axis, -1).astype(np.float64)
    shape, rows = rows.shape[:-1], rows.reshape(-1, rows.shape[-1])
    s = np.ones(len(rows)) if sample_weight is None else sample_weight.astype(np.float64).ravel()
    with np.errstate(all="ignore"):
        value, slope = LOSSES[name][0](rows, y.ravel(), **parameters)
        extra = np.concatenate([rows, np.zeros((len(rows), 1))], 1) if name == "legendretron_loss" else rows
        bad = undefined(extra)
        value, slope = np.where(bad, NAN, value), np.where(bad[:, None], NAN, slope)
        scale = 1.0 if reduction != "mean" else 1 / s.sum() if s.sum() else 0.0
        value, slope = value * s, slope * (s * scale)[:, None]
        tolerance = (3e-6 if real == np.float32 else 1e-12) * (slack_of(rows, name) if real == np.float32 else 1)
        tiny = 1e-37 if real == np.float32 else 1e-300
        allowed = tolerance * np.abs(value)
        if reduction == "none":
            value, allowed = value.reshape(shape), np.reshape(allowed, shape)
        else:
            value = value.sum() * scale if s.sum() else np.float64(0)
            allowed = np.max(tolerance, initial=0) * np.abs(value)
        assert loss.shape == value.shape and loss.dtype == gradient.dtype == real

        def near(a, b, allowed):
            b = b.astype(real).astype(np.float64)
            same = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= allowed + tiny)
            assert same.all(), f"{a[~same][:3]}, expected {b[~same][:3]}"

        near(np.asarray(loss, np.float64), np.asarray(value), allowed)
        gradient = np.moveaxis(gradient, axis, -1).reshape(rows.shape).astype(np.float64)
        largest = np.where(np.isfinite(slope), np.abs(slope), 0).max(-1, initial=0)
        near(gradient, slope, (tolerance * largest)[:, None])


@st.composite
def labelled(draw, name):
    z, axis = draw(logit_arrays())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = np.delete(z.shape, axis)
    classes = z.shape[axis] + (name == "legendretron_loss")
    y = rng.integers(0, classes, rows)
    if draw(st.booleans()):  # right as a rule
        y = np.where(rng.random(rows) < 0.8, np.argmax(np.nan_to_num(z, nan=-INF), axis), y)
    sample_weight = rng.gamma(1, 1, rows).astype(z.dtype) if draw(st.booleans()) else None
    parameters = {key: draw(st.sampled_from(values)) for key, values in LOSSES[name][1].items()}
    if name == "multi_margin_loss" and draw(st.booleans()):
        weight = rng.gamma(1, 1, classes)
        parameters["weight"] = np.where(rng.random(classes) < 0.2, 0, weight).astype(z.dtype)
    return z, axis, y, parameters, sample_weight, draw(st.sampled_from(REDUCTIONS))


# --- Values and gradients --------------------------------------------------------------------------------------------

A = [[1.2, 0.9, 0.5], [0.2, 1, -0.3]]
Z = [[2, -1, 0.5], [0, 1, -2]]
U = [[1, -0.5], [0.3, 2]]
EXAMPLES = {
    "multi_margin_loss": (A, {}, [0.3333333, 1.266667], [[-0.6666667, 0.3333333, 0.3333333], [0.3333333, 0.3333333, -0.6666667]]),
    "crammer_singer_loss": (A, {}, [0.7, 2.3], [[-1, 1, 0], [0, 1, -1]]),
    "categorical_hinge": (A, {}, [0.7, 2.3], [[-1, 1, 0], [0, 1, -1]]),
    "multiclass_perceptron_loss": (A, {}, [0, 1.3], [[0, 0, 0], [0, 1, -1]]),
    "llw_hinge_loss": (A, {}, [2.4, 2.2], [[0, 1, 1], [1, 1, 0]]),
    "ovr_loss": (Z, {}, [1.414267, 4.133337], [[-0.1192029, 0.2689414, 0.6224593], [0.5, 0.7310586, -0.8807971]]),
    "sovr_loss": (
        Z,
        dict(fraction=0.5, reduction="mean"),
        0.947323,
        [[-0.1072015, 0.01955629, 0.0876452], [0.1, 0.1462117, -0.1761594]],
    ),
    "legendretron_loss": (U, {}, [0.4643688, 2.27613], [[-0.3714683, 0.1402444], [0.1386046, 0.7587145]]),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name, dtype):
    z, options, loss, gradient = EXAMPLES[name]
    actual = getattr(losskit, name)(np.array(z, dtype), Y, **{"reduction": "none", **options}, grad=True)
    for result, expected in zip(actual, (loss, gradient)):
        assert result.dtype == dtype
        np.testing.assert_allclose(result, expected, rtol=3e-6, atol=3e-7)


@pytest.mark.parametrize("name", LOSSES)
@given(st.data())
def test_follows_its_definition(name, data):
    z, axis, y, parameters, sample_weight, reduction = data.draw(labelled(name))
    options = dict(parameters, sample_weight=sample_weight, reduction=reduction, axis=axis)
    function = getattr(losskit, name)
    if z.shape[axis] < LOSSES[name][2]:
        assert_error("INVALID_SHAPE", function, z, y, **options)
        return
    actual = function(z, y, **options, grad=True)
    check(actual, name, z, axis, y, parameters, sample_weight, reduction)
    assert np.array_equal(function(z, y, **options), actual[0], equal_nan=True)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_gradient_is_the_gradient(name, reduction, rng):
    z, y = rng.normal(0, 2, (5, 4)), rng.integers(0, 4, 5)
    upstream = rng.normal(0, 1, 5) if reduction == "none" else 1.0
    function = getattr(losskit, name)
    for p in LOSSES[name][1].get("p", [None]):
        options = dict(reduction=reduction, sample_weight=rng.random(5) + 0.1, **({"p": p} if p else {}))
        if name == "multi_margin_loss":
            options["weight"] = rng.random(4)
        gradient = function(z, y, **options, grad=True)[1] * (upstream if reduction != "none" else upstream[:, None])
        assert_gradient(lambda z: (function(z, y, **options) * upstream).sum(), z, gradient, step=1e-4, tolerance=1e-7)  # noqa: B023


def test_small_differences_of_large_scores(dtype):
    """margin − z_y + z_k cancels: its digits are those of the scores, not of their rounded sums."""
    z = (np.arange(-3, 4) * 2.0**-9 + 4097).astype(dtype)[None]
    for margin in (0.001, 2.0**-9, 0.1):
        for y in range(7):
            exact = np.maximum(0, margin - z[0, y].astype(float) + z[0].astype(float))
            exact[y] = 0
            loss = losskit.multi_margin_loss(z, [y], margin=margin)
            np.testing.assert_allclose(loss, exact.mean(), rtol=3e-6 if dtype == np.float32 else 1e-9)


def test_ties_go_to_the_lowest_class(dtype):
    for classes in (3, 40, 1000):
        z = np.zeros((3, classes), dtype)
        y = [0, classes - 1, 1]
        for name in ("crammer_singer_loss", "multiclass_perceptron_loss", "categorical_hinge"):
            shift = dtype.type(2 if name == "categorical_hinge" else 0)
            gradient = getattr(losskit, name)(z + shift, y, reduction="none", grad=True)[1]
            expected = np.zeros((3, classes))
            if name == "multiclass_perceptron_loss":
                expected[1, [0, -1]] = expected[2, [0, 1]] = 1, -1
            else:
                expected[0, [1, 0]] = expected[1, [0, -1]] = expected[2, [0, 1]] = 1, -1
            np.testing.assert_array_equal(gradient, expected)


def test_classes_can_be_masked(dtype):
    """−inf beside the target takes no part; at the target it makes what is unbounded infinite."""
    z = np.array([[1, -INF, 0.5, 2]] * 2, dtype)
    for name in LOSSES:
        if name in ("llw_hinge_loss", "one_vs_rest_svm_loss", "multi_margin_loss"):  # these know the number of classes
            continue
        options = dict(reduction="none", grad=True, **({"fraction": 1} if name == "sovr_loss" else {}))
        loss, gradient = getattr(losskit, name)(z, [0, 2], **options)
        kept, kept_gradient = getattr(losskit, name)(np.delete(z, 1, 1), [0, 1], **options)
        assert_close(loss, kept)
        assert_close(np.delete(gradient, 1, 1), kept_gradient)
        assert (gradient[:, 1] == 0).all()
        loss, gradient = getattr(losskit, name)(z[:1], [1], **options)
        assert loss == INF and not np.isnan(gradient).any(), name


def test_undefined_rows_stay_by_themselves(dtype):
    """NaN and +inf, at the target and beside it, and rows without a class."""
    z = np.tile(np.array([1, 0.5, 2], dtype), (7, 1))
    z[1, 0] = z[2, 1] = NAN
    z[3, 0] = z[4, 1] = INF
    z[5] = -INF
    for name, (_, choices, _) in LOSSES.items():
        bad = [1, 2, 3, 4] if name == "legendretron_loss" else [1, 2, 3, 4, 5]  # its reference class is not masked
        for key, value in [(key, value) for key in choices if key != "margin" for value in choices[key]] or [("axis", -1)]:
            loss, gradient = getattr(losskit, name)(z, np.zeros(7, int), reduction="none", grad=True, **{key: value})
            assert np.flatnonzero(np.isnan(loss)).tolist() == bad, name
            assert np.isnan(gradient[bad]).all() and not np.isnan(np.delete(gradient, bad, 0)).any(), name


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_nothing(name, reduction, dtype):
    function = getattr(losskit, name)
    z = np.empty((0, 4), dtype)
    loss, gradient = function(z, [], reduction=reduction, grad=True)
    assert gradient.shape == (0, 4) and (loss.shape == (0,) if reduction == "none" else loss == 0)
    loss, gradient = function(np.ones((3, 4), dtype), [0, 1, 2], sample_weight=np.zeros(3), reduction=reduction, grad=True)
    assert (loss == 0).all() and (gradient == 0).all()


def test_switching_breaks_ties_by_row(dtype):
    z = np.tile(np.array([[1, 2, 0]], dtype), (7, 1))
    y = np.full(7, 0)
    for n in range(8):
        loss = losskit.sovr_loss(z, y, fraction=n / 7, lam=1, reduction="none")
        ovr, ce = losskit.ovr_loss(z[:1], y[:1]), losskit.cross_entropy(z[:1], y[:1])
        assert_close(loss, np.array([ovr] * n + [ce] * (7 - n)))
    many = np.random.default_rng(1).normal(0, 3, (3000, 3)).round(1).astype(dtype)
    y = np.arange(3000) % 3
    for fraction in (0.1, 0.5, 0.9995):
        loss, gradient = losskit.sovr_loss(many, y, fraction=fraction, reduction="none", grad=True)
        value, slope = sovr_loss(many.astype(np.float64), y, fraction=fraction)
        assert_close(loss[:, None], value[:, None], tolerance=1e-5 if dtype == np.float32 else None)
        assert_close(gradient, slope, tolerance=1e-5 if dtype == np.float32 else None)


# --- Weights of the support vector machine ---------------------------------------------------------------------------


def test_weights_are_regularised(dtype, rng):
    z, y, w = rng.normal(0, 1, (4, 3)).astype(dtype), [0, 1, 2, 0], rng.normal(0, 1, (3, 2, 2)).astype(dtype)
    plain, plain_gradient = losskit.one_vs_rest_svm_loss(z, y, grad=True)
    square = (w.astype(np.float64) ** 2).sum()
    for regularizer, value, gradient in (("none", 0, 0 * w), ("mean", square / 12, w / 6), ("half_sum", square / 2, w)):
        loss, (grad_z, grad_w) = losskit.one_vs_rest_svm_loss(z, y, w=w, regularizer=regularizer, grad=True)
        assert_close(loss, plain + value, tolerance=1e-6 if dtype == np.float32 else None)
        np.testing.assert_array_equal(grad_z, plain_gradient)
        assert grad_w.shape == w.shape and grad_w.dtype == dtype
        assert_close(grad_w, gradient, axis=None)
        assert losskit.one_vs_rest_svm_loss(z, y, w=w, regularizer=regularizer) == loss
    loss, (grad_z, grad_w) = losskit.one_vs_rest_svm_loss(
        np.array(Z, dtype), Y, w=np.array([[0.5, -1]], dtype), regularizer="half_sum", grad=True
    )
    np.testing.assert_allclose(loss, 3.333333, rtol=1e-6)
    np.testing.assert_allclose(grad_z, [[0, 0, 0.5], [0.3333333, 0.6666667, -1]], rtol=1e-6)
    np.testing.assert_array_equal(grad_w, [[0.5, -1]])
    loss, (_, grad_w) = losskit.one_vs_rest_svm_loss(z[:0], [], w=[2.0], regularizer="half_sum", grad=True)
    assert loss == 2 and grad_w.tolist() == [2]
    assert_error("INVALID_PARAMETER", losskit.one_vs_rest_svm_loss, z, y, regularizer="mean")
    assert_error("INVALID_PARAMETER", losskit.one_vs_rest_svm_loss, z, y, w=w, regularizer="mean", reduction="none")


# --- Log-probabilities with a reference class ------------------------------------------------------------------------


@given(logit_arrays(), st.integers(0, 2**32 - 1))
def test_log_softmax_plus_is_a_log_softmax(drawn, seed):
    u, axis = drawn
    axis %= u.ndim
    with_reference = np.concatenate([u, np.zeros_like(u.take([0], axis))], axis)
    log_p = losskit.log_softmax_plus(u, axis=axis)
    np.testing.assert_array_equal(log_p, losskit.log_softmax(with_reference, axis=axis))
    g = np.random.default_rng(seed).normal(0, 1, log_p.shape).astype(u.dtype)
    full = losskit.log_softmax_vjp(log_p, g, axis=axis)
    gradient = losskit.log_softmax_plus_vjp(log_p, g, axis=axis)
    assert gradient.shape == u.shape
    expected = np.moveaxis(full, axis, -1)[..., :-1]
    assert_close(np.moveaxis(gradient, axis, -1), expected, tolerance=2e-5 if u.dtype == np.float32 else 1e-11)


def test_log_softmax_plus_limits(dtype):
    log_p = losskit.log_softmax_plus(np.array(U, dtype))
    loss, gradient = losskit.legendretron_loss(np.array(U, dtype), Y, reduction="none", grad=True)
    np.testing.assert_allclose(-log_p[[0, 1], Y], loss, rtol=1e-6)
    g = np.zeros((2, 3), dtype)
    g[[0, 1], Y] = -1
    np.testing.assert_allclose(losskit.log_softmax_plus_vjp(log_p, g), gradient, rtol=1e-5, atol=1e-7)
    assert losskit.log_softmax_plus(np.empty((3, 0), dtype)).tolist() == [[0]] * 3
    assert losskit.log_softmax_plus(np.empty((0, 3), dtype)).shape == (0, 4)
    assert losskit.log_softmax_plus_vjp(np.zeros((3, 1), dtype), np.ones((3, 1), dtype)).shape == (3, 0)
    assert_error("INVALID_SHAPE", losskit.log_softmax_plus_vjp, np.zeros((3, 0)), np.zeros((3, 0)))
    assert_error("INVALID_SHAPE", losskit.log_softmax_plus_vjp, log_p, g[:1])
    assert_error("INVALID_TARGET", losskit.legendretron_loss, U, [0, 3])


# --- Refusals --------------------------------------------------------------------------------------------------------


def test_arguments_are_checked():
    z = np.zeros((2, 3))
    bad = dict(
        p=(0, 3, 1.5, None), margin=(NAN, INF), penalty=(0, -1, NAN, INF), fraction=(-0.1, 1.1, NAN), lam=(-1, NAN, INF)
    )  # fmt: skip
    for name, (_, choices, _) in LOSSES.items():
        function = getattr(losskit, name)
        for wrong in ([0, -1], [0, 4], [2**40, 0]):
            assert_error("INVALID_TARGET", function, z, wrong)
        assert_error("INVALID_SHAPE", function, z, [0])
        assert_error("INVALID_SHAPE", function, z, [0, 1], sample_weight=np.ones(3))
        assert_error("INVALID_VALUE", function, z, [0, 1], sample_weight=[1, NAN])
        assert_error("INVALID_PARAMETER", function, z, [0, 1], reduction="average")
        for key in choices:
            for value in bad[key]:
                assert_error("INVALID_PARAMETER", function, z, [0, 1], **{key: value})
    assert_error("INVALID_VALUE", losskit.multi_margin_loss, z, [0, 1], weight=[1, 1, -1])
    assert_error("INVALID_SHAPE", losskit.multi_margin_loss, z, [0, 1], weight=[1, 1])


SCALARS = dict(p=("power", "squared"), margin=("margin", 1.0), penalty=("penalty", 2.0), fraction=("fraction", 0.4), lam=("lam", 0.4))


def calls(dtype, shape=(2, 5, 3)):
    rng = np.random.default_rng(8)
    outer, classes, inner = shape
    rows = outer * inner
    for name, (_, choices, _) in LOSSES.items():
        for reduction in REDUCTIONS:
            extra = dict(SCALARS[key] for key in choices)
            outputs = ["loss", "grad"]
            if name == "multi_margin_loss":
                extra["weight"] = rng.random(classes).astype(dtype)
            if name == "one_vs_rest_svm_loss":
                extra.update(w=rng.random(6).astype(dtype), weight_count=6, grad_w=np.empty(6, dtype))
                extra["regularizer"] = "none" if reduction == "none" else "mean"
                outputs = [*outputs, "grad_w"]
            yield RawCall(
                name,
                dtype,
                outputs,
                **{"u" if name == "legendretron_loss" else "z": rng.normal(0, 3, shape).astype(dtype)},
                target=rng.integers(0, classes, rows),
                outer=outer,
                classes=classes,
                inner=inner,
                **extra,
                reduction=reduction,
                sample_weight=rng.random(rows).astype(dtype),
                loss=np.empty(rows if reduction == "none" else 1, dtype),
                grad=np.empty(shape, dtype),
            )


def test_interface_refuses(dtype):
    for call in calls(dtype):
        assert call() == "OK"
        arrays = [key for key, value in call.arguments.items() if isinstance(value, np.ndarray)]
        for pointer in arrays:
            required = pointer in ("z", "u", "target")
            status = "NULL_POINTER" if required else "OK"
            if pointer == "w" and call.arguments["regularizer"] != "none":
                status = "INVALID_PARAMETER"
            assert call(**{pointer: None}) == status, (call.name, pointer)
        for size, bad in itertools.product(("outer", "classes", "inner"), (-1, -(2**63), 2**62, 2**63 - 1)):
            assert call(**{size: bad}) == "INVALID_SHAPE", (call.name, size, bad)
        assert call(classes=0) == "INVALID_SHAPE"
        if "weight_count" in call.arguments:
            assert call(weight_count=-1) == "INVALID_SHAPE"
        target = call.arguments["target"].copy()
        target[-1] = 6
        assert call(target=target) == "INVALID_TARGET"
        weight = call.arguments["sample_weight"].copy()
        weight[-1] = NAN
        assert call(sample_weight=weight) == "INVALID_VALUE"


@pytest.mark.parametrize("side", ["begin", "end"])
def test_nothing_beyond_the_arrays_is_touched(side, dtype):
    for shape in ((1, 2, 1), (3, 33, 1), (19, 7, 1), (2, 5, 17), (3, 65, 1)):
        for call in calls(dtype, shape):
            call.assert_stays_inside(side)


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for shape in ((300, 1100), (20000, 10), (4, 19, 99), (3, 5), (700, 40)):
        z = rng.normal(0, 3, shape).astype(real)
        z[rng.random(shape) < 0.2] = 1
        y, s = rng.integers(0, shape[1], shape[:1] + shape[2:]), rng.random(shape[:1] + shape[2:]).astype(real)
        for name in %r:
            for i, part in enumerate(getattr(losskit, name)(z, y, sample_weight=s, grad=True, axis=1)):
                results[f"{name} {real.__name__} {shape} {i}"] = np.asarray(part)
""" % (list(LOSSES),)


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS)


# --- PyTorch ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("p", [1, 2])
@pytest.mark.parametrize("weighted", [False, True])
def test_multi_margin_loss_agrees_with_torch(reduction, p, weighted, dtype, rng):
    torch = pytest.importorskip("torch")
    z, y = rng.normal(0, 2, (40, 13)).astype(dtype), rng.integers(0, 13, 40)
    weight = rng.random(13).astype(dtype) if weighted else None
    tensor = torch.tensor(z, requires_grad=True)
    loss = torch.nn.functional.multi_margin_loss(
        tensor, torch.tensor(y), p=p, margin=0.7, weight=None if weight is None else torch.tensor(weight), reduction=reduction
    )
    loss.sum().backward()
    ours = losskit.multi_margin_loss(z, y, p=p, margin=0.7, weight=weight, reduction=reduction, grad=True)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(ours[0], loss.detach().numpy(), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(ours[1], tensor.grad.numpy(), rtol=tolerance, atol=tolerance)
