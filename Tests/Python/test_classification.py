"""Classification losses: judged by NumPy float64 formulas written from the definitions, and by finite differences."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import (
    RawCall,
    assert_close,
    assert_error,
    assert_gradient,
    assert_same_bits,
    logit_arrays,
)

import losskit

INF, NAN = math.inf, math.nan
REDUCTIONS = ["none", "mean", "sum"]
GAMMAS = [0, 0.3, 1, 2, 3.7]
IGNORE = -100
INT64 = np.iinfo(np.int64)

Z = [[2, -1, 0.5], [0, 1, -2]]
Y = [0, 2]


# --- The definitions, in NumPy ---------------------------------------------------------------------------------------


def statistics(z):
    """log((1 − p)/p) of every class, from which p, 1 − p and ν = −log p follow; all NaN in a row without probabilities."""
    with np.errstate(all="ignore"):
        x = z - z.max(-1, keepdims=True)
        e = np.exp(x)
        others = e.sum(-1, keepdims=True) - e
        best = np.argmax(z, -1)[..., None]
        without = e.copy()
        np.put_along_axis(without, best, 0, -1)
        np.put_along_axis(others, best, without.sum(-1, keepdims=True), -1)
        a = np.log(others) - x
    undefined = np.isnan(z).any(-1) | (z == INF).any(-1) | (z == -INF).all(-1)
    a[undefined] = NAN
    return a


def terms(z, gamma=0, detach=False):
    """Of every class: p, and value and slope ψ = dv/dν of v = (1 − p)^γ ν."""
    with np.errstate(all="ignore"):
        a = statistics(z)
        p, q, nu = np.exp(-np.logaddexp(0, a)), np.exp(-np.logaddexp(0, -a)), np.logaddexp(0, a)
        power = q**gamma + 0 * q
        ratio = np.where(q == 0, 1, nu / np.where(q == 0, 1, q))
        slope = np.where(p == 0, 0, gamma * p * power * ratio)
        value = np.where(q == 0, 0, power * nu)
        return p, q, value, power if detach else power + slope


def row_reference(z, coefficients, gamma=0, detach=False):
    """Loss Σ_k c_k v_k and gradient p_j Σ_k c_k ψ_k − c_j ψ_j of every row (rows last), and the size of its terms.

    Terms with c = 0 do not count.
    """
    p, q, value, psi = terms(z, gamma, detach)
    with np.errstate(all="ignore"):
        counts = coefficients != 0
        undefined = np.isnan(p).any(-1)
        loss = np.array(np.where(counts, coefficients * value, 0).sum(-1))
        own = np.where(counts, coefficients * psi, 0)
        rest = own.sum(-1, keepdims=True) - own
        gradient = p * rest - q * own
        size = np.maximum(np.abs(p * own.sum(-1, keepdims=True)), np.abs(own)).max(-1)
    loss[undefined] = gradient[undefined] = NAN
    return loss, gradient, size


def reduced(losses, gradient, s, denominator, reduction):
    """The rows' losses and gradients (rows last) as the reduction joins them."""
    with np.errstate(all="ignore"):
        scale = 1.0 if reduction != "mean" else 1 / denominator if denominator else 0.0
        gradient = gradient * (s * scale)[..., None]
        losses = losses * s
        if reduction == "none":
            return losses, gradient
        return (losses.sum() * scale if scale else 0.0), gradient


def one_hot(y, classes, counts):
    return (np.where(counts, y, -1)[..., None] == np.arange(classes)).astype(float)


def check(actual, expected, size, slack, axis):
    """Compares (loss, gradient): losses by themselves, gradients by the size of their rows.

    ``slack`` is how many times as large the error of a row may be.
    """
    loss, gradient = actual
    wanted_loss, wanted_gradient = expected
    real = gradient.dtype
    tolerance = 3e-6 if real == np.float32 else 1e-12
    tiny = np.finfo(real).tiny

    def near(a, b, allowed):
        with np.errstate(all="ignore"):
            b = b.astype(real).astype(np.float64)  # an infinity where it is too large
            a = a.astype(np.float64)
            same = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= allowed + tiny)
        worst = np.unravel_index(np.argmin(same), same.shape) if same.size else ()
        assert same.all(), f"at {worst}: {a[worst]!r}, expected {b[worst]!r}"

    loss, wanted_loss = np.asarray(loss), np.asarray(wanted_loss)
    assert loss.shape == wanted_loss.shape and loss.dtype == real
    if loss.shape == slack.shape:
        near(loss, wanted_loss, tolerance * slack * np.abs(wanted_loss))
    else:
        near(loss, wanted_loss, tolerance * np.max(slack, initial=1) * np.abs(wanted_loss))
    gradient = np.moveaxis(gradient, axis, -1)
    assert gradient.shape == wanted_gradient.shape
    near(gradient, wanted_gradient, (tolerance * slack * size)[..., None])


def slack_of(z, gamma, real):
    """Differences of logits are rounded, to 2^-24 of themselves: what a small 1 − p = e^{−gap} then has for an error."""
    if real != np.float32:
        return np.ones(z.shape[:-1])
    with np.errstate(all="ignore"):
        top = np.sort(np.where(np.isfinite(z), z, -INF), -1)[..., -2:]
        gap = top[..., -1] - top[..., 0]
    gap = np.where(np.isfinite(gap), np.minimum(gap, 120), 0)
    return np.maximum(1, (1 + gamma) * (1 / 3 + gap * 2**-24 / 3e-6))


# --- Inputs ----------------------------------------------------------------------------------------------------------


@st.composite
def labelled(draw, special=True):
    """(z, axis, y, class weights, sample weights, reduction): weights None or not, some of them 0, some rows ignored."""
    z, axis = draw(logit_arrays(special))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    classes = z.shape[axis]
    rows = np.delete(z.shape, axis)
    y = rng.integers(0, classes, rows)
    if draw(st.booleans()):  # right as a rule
        with np.errstate(all="ignore"):
            y = np.where(rng.random(rows) < 0.8, np.argmax(np.nan_to_num(z, nan=-INF), axis), y)
    y = np.where(rng.random(rows) < draw(st.sampled_from([0, 0.2, 1])), IGNORE, y)
    weights = lambda n: np.where(rng.random(n) < 0.2, 0, rng.gamma(1, 1, n)).astype(z.dtype)  # noqa: E731
    class_weight = weights(classes) if draw(st.booleans()) else None
    sample_weight = weights(tuple(rows)) if draw(st.booleans()) else None
    return z, axis, y, class_weight, sample_weight, draw(st.sampled_from(REDUCTIONS))


def in_float64(z, axis, class_weight, sample_weight):
    """z with its rows last, and both weights, 1 where absent."""
    z = np.moveaxis(z, axis, -1).astype(np.float64)
    w = np.ones(z.shape[-1]) if class_weight is None else class_weight.astype(np.float64)
    s = np.ones(z.shape[:-1]) if sample_weight is None else sample_weight.astype(np.float64)
    return z, w, s


def dense_targets(z, axis, seed):
    """Like probabilities, one-hot ones among them, with some zeros."""
    rng = np.random.default_rng(seed)
    t = rng.gamma(0.5, 1, np.moveaxis(z, axis, -1).shape)
    t[rng.random(t.shape) < 0.2] = 0
    hot = rng.integers(0, t.shape[-1], t.shape[:-1])
    certain = (rng.random(t.shape[:-1]) < 0.3) | (t.sum(-1) == 0)
    t[certain] = one_hot(hot, t.shape[-1], True)[certain]
    return np.moveaxis(t / t.sum(-1, keepdims=True), -1, axis).astype(z.dtype)


# --- Worked examples -------------------------------------------------------------------------------------------------

LOG_P = [[-0.5, -1.5, -2], [-3, -0.1, -2.5]]
WEIGHT = [1, 2, 0.5]
EXAMPLES = {
    "nll_loss": (
        (LOG_P, Y, dict(weight=WEIGHT)),
        1.166667,
        [[-0.6666667, 0, 0], [0, 0, -0.3333333]],
    ),
    "cross_entropy": (
        (Z, Y, dict(weight=WEIGHT, label_smoothing=0.1)),
        1.40096,
        [[-0.08976201, -0.01793481, 0.1076968], [0.07580977, 0.2220341, -0.2978439]],
    ),
    "focal_loss": (
        (Z, Y, dict(reduction="none")),
        [0.01109275, 3.117915],
        [[-0.02728467, 0.004977421, 0.02230725], [0.3004871, 0.8168088, -1.117296]],
    ),
    "sigmoid_focal_loss": (
        ([1.5, -0.5, 0.2], [1, 1, 0], dict(reduction="none")),
        [0.001675712, 0.0943529, 0.1809685],
        [-0.004257776, -0.131538, 0.2876],
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name, dtype):
    (z, target, options), loss, gradient = EXAMPLES[name]
    options = {key: np.array(value, dtype) if key == "weight" else value for key, value in options.items()}
    actual = getattr(losskit, name)(np.array(z, dtype), target, **options, grad=True)
    assert actual[0].dtype == actual[1].dtype == dtype
    for result, expected in zip(actual, (loss, gradient)):
        np.testing.assert_allclose(result, expected, rtol=4e-6 if dtype == np.float32 else 6e-7)
    assert np.array_equal(getattr(losskit, name)(np.array(z, dtype), target, **options), actual[0])


# --- Cross-entropy and negative log-likelihood -----------------------------------------------------------------------


@given(labelled(), st.sampled_from([0, 0, 0.1, 0.9, 1]))
def test_cross_entropy_follows_its_definition(drawn, smoothing):
    z, axis, y, class_weight, sample_weight, reduction = drawn
    actual = losskit.cross_entropy(
        z, y, weight=class_weight, label_smoothing=smoothing, reduction=reduction, sample_weight=sample_weight, grad=True,
        axis=axis,
    )  # fmt: skip
    rows, w, s = in_float64(z, axis, class_weight, sample_weight)
    counts = y != IGNORE
    hot = one_hot(y, rows.shape[-1], counts)
    losses, gradient, size = row_reference(rows, w * ((1 - smoothing) * hot + smoothing / rows.shape[-1]))
    losses, gradient = np.where(counts, losses, 0), np.where(counts[..., None], gradient, 0)
    denominator = (s * w[np.where(counts, y, 0)] * counts).sum()
    expected = reduced(losses, gradient, s, denominator, reduction)
    size = np.abs(gradient).max(-1) if smoothing == 0 else size
    size = reduced(losses, size[..., None], s, denominator, reduction)[1][..., 0]
    check(actual, expected, size, slack_of(rows, 0, z.dtype), axis)


@given(labelled(), st.sampled_from([0, 0, 0.1, 1]), st.integers(0, 2**32 - 1))
def test_dense_cross_entropy_follows_its_definition(drawn, smoothing, seed):
    z, axis, _, class_weight, sample_weight, reduction = drawn
    t = dense_targets(z, axis, seed)
    actual = losskit.cross_entropy(
        z, t, weight=class_weight, label_smoothing=smoothing, reduction=reduction, sample_weight=sample_weight, grad=True,
        axis=axis,
    )  # fmt: skip
    rows, w, s = in_float64(z, axis, class_weight, sample_weight)
    t = np.moveaxis(t, axis, -1).astype(np.float64)
    losses, gradient, size = row_reference(rows, w * ((1 - smoothing) * t + smoothing / rows.shape[-1]))
    expected = reduced(losses, gradient, s, s.sum(), reduction)
    size = reduced(losses, size[..., None], s, s.sum(), reduction)[1][..., 0]
    check(actual, expected, size, slack_of(rows, 0, z.dtype), axis)


@given(labelled())
def test_nll_loss_follows_its_definition(drawn):
    log_p, axis, y, class_weight, sample_weight, reduction = drawn
    actual = losskit.nll_loss(
        log_p, y, weight=class_weight, reduction=reduction, sample_weight=sample_weight, grad=True, axis=axis
    )
    rows, w, s = in_float64(log_p, axis, class_weight, sample_weight)
    counts = y != IGNORE
    weight = np.where(counts, w[np.where(counts, y, 0)], 0)
    at_target = np.take_along_axis(rows, np.where(counts, y, 0)[..., None], -1)[..., 0]
    with np.errstate(all="ignore"):
        losses = np.where(counts, -at_target * weight, 0)
        losses[(weight == 0) & np.isinf(at_target)] = 0
    gradient = -one_hot(y, rows.shape[-1], counts) * weight[..., None]
    expected = reduced(losses, gradient, s, (s * weight).sum(), reduction)
    size = np.abs(expected[1]).max(-1, initial=0)
    if reduction != "none":  # losses of both signs cancel: judged by their sizes
        with np.errstate(all="ignore"):
            scale = 1 if reduction == "sum" or not (s * weight).sum() else 1 / (s * weight).sum()
            total = np.abs(losses * s).sum() * scale
        if np.isfinite(total):
            tolerance = 3e-6 if log_p.dtype == np.float32 else 1e-12
            assert abs(actual[0] - expected[0]) <= tolerance * total
            expected = (np.float64(actual[0]), expected[1])
    check(actual, expected, size, np.ones(rows.shape[:-1]), axis)


@pytest.mark.parametrize("ignore_index", [0, 2, -1, INT64.min, INT64.max])
def test_any_integer_can_mark_ignored_rows(ignore_index, dtype):
    z = np.array([[2, -1, 0.5], [NAN, INF, -INF], [0, 1, -2]], dtype)
    y = np.array([1, ignore_index, 1])
    for function in (losskit.cross_entropy, losskit.nll_loss):
        for smoothing in ({}, {"label_smoothing": 0.1}) if function is losskit.cross_entropy else ({},):
            for reduction in REDUCTIONS:
                options = dict(ignore_index=ignore_index, reduction=reduction, grad=True, **smoothing)
                loss, gradient = function(z, y, **options)
                kept, kept_gradient = function(z[::2], y[::2], **options)
                assert (gradient[1] == 0).all()
                np.testing.assert_array_equal(gradient[::2], kept_gradient)
                np.testing.assert_array_equal(loss[::2] if reduction == "none" else loss, kept)
                assert reduction != "none" or loss[1] == 0


# --- Focal losses ----------------------------------------------------------------------------------------------------


@given(labelled(), st.sampled_from(GAMMAS), st.booleans(), st.sampled_from(["none", "scalar", "class"]))
def test_focal_loss_follows_its_definition(drawn, gamma, detach, alpha_form):
    z, axis, y, class_weight, sample_weight, reduction = drawn
    y = np.where(y == IGNORE, z.shape[axis] - 1, y)
    alpha = {"none": None, "scalar": z.dtype.type(0.25), "class": class_weight}[alpha_form]
    actual = losskit.focal_loss(
        z, y, gamma=gamma, alpha=alpha, detach_modulator=detach, reduction=reduction, sample_weight=sample_weight,
        grad=True, axis=axis,
    )  # fmt: skip
    rows, w, s = in_float64(z, axis, class_weight if alpha_form == "class" else None, sample_weight)
    w = w * (0.25 if alpha_form == "scalar" else 1)
    losses, gradient, _ = row_reference(rows, w * one_hot(y, rows.shape[-1], True), gamma, detach)
    expected = reduced(losses, gradient, s, s.sum(), reduction)
    size = np.abs(expected[1]).max(-1, initial=0)
    check(actual, expected, size, slack_of(rows, gamma, z.dtype), axis)


@given(labelled(), st.sampled_from(GAMMAS), st.booleans(), st.integers(0, 2**32 - 1))
def test_dense_focal_loss_follows_its_definition(drawn, gamma, detach, seed):
    z, axis, _, alpha, sample_weight, reduction = drawn
    t = dense_targets(z, axis, seed)
    actual = losskit.focal_loss(
        z, t, gamma=gamma, alpha=alpha, detach_modulator=detach, reduction=reduction, sample_weight=sample_weight,
        grad=True, axis=axis,
    )  # fmt: skip
    rows, w, s = in_float64(z, axis, alpha, sample_weight)
    t = np.moveaxis(t, axis, -1).astype(np.float64)
    losses, gradient, size = row_reference(rows, w * t, gamma, detach)
    expected = reduced(losses, gradient, s, s.sum(), reduction)
    size = reduced(losses, size[..., None], s, s.sum(), reduction)[1][..., 0]
    check(actual, expected, size, slack_of(rows, gamma, z.dtype), axis)


def sigmoid_focal_reference(z, t, alpha, gamma):
    """Value and derivative of each element."""
    z, t = z.astype(np.float64), t.astype(np.float64)
    with np.errstate(all="ignore"):
        p, q = np.exp(-np.logaddexp(0, -z)), np.exp(-np.logaddexp(0, z))
        positive = np.where(t == 0, 0, t * np.logaddexp(0, -z))
        negative = np.where(t == 1, 0, (1 - t) * np.logaddexp(0, z))
        ce = positive + negative
        wrong = p * (1 - t) + q * t  # 1 − p_t
        a = 1.0 if alpha is None or alpha < 0 else alpha * t + (1 - alpha) * (1 - t)
        power = np.where(np.isnan(z), NAN, wrong**gamma)
        inner = np.where((wrong == 0) | (p * q == 0), 0, gamma * (1 - 2 * t) * (p * q / np.where(wrong == 0, 1, wrong)) * ce)
        residual = p * (1 - t) - q * t
        size = a * power * (np.abs(inner) + p * (1 - t) + q * t)
        value = np.where(wrong == 0, 0 if gamma else ce, power * ce)
        return a * np.where(np.isnan(z), NAN, value), a * power * (residual + inner), size


@given(
    logit_arrays(),
    st.sampled_from(GAMMAS),
    st.sampled_from([0.25, 0.9, -1, None]),
    st.sampled_from(["hard", "soft"]),
    st.sampled_from([None, 0, 1, 2]),
    st.sampled_from(REDUCTIONS),
    st.integers(0, 2**32 - 1),
)
def test_sigmoid_focal_loss_follows_its_definition(drawn, gamma, alpha, kind, weighted_axes, reduction, seed):
    z, _ = drawn
    rng = np.random.default_rng(seed)
    t = (rng.integers(0, 2, z.shape) if kind == "hard" else rng.random(z.shape)).astype(z.dtype)
    leading = z.shape[: weighted_axes or 0]
    s = None if weighted_axes is None else rng.gamma(1, 1, leading).astype(z.dtype)
    actual = losskit.sigmoid_focal_loss(z, t, alpha=alpha, gamma=gamma, reduction=reduction, sample_weight=s, grad=True)
    losses, gradient, size = (x[..., None] for x in sigmoid_focal_reference(z, t, alpha, gamma))
    weights = np.ones(z.shape) if s is None else np.broadcast_to(
        s.astype(np.float64).reshape(leading + (1,) * (z.ndim - len(leading))), z.shape
    )
    expected = reduced(losses[..., 0], gradient, weights, weights.sum(), reduction)
    size = reduced(losses[..., 0], size, weights, weights.sum(), reduction)[1][..., 0]
    slack = 1 + gamma * np.minimum(np.abs(np.nan_to_num(z.astype(np.float64))), 100) / 50
    check((actual[0], actual[1][..., None]), expected, size, slack, -1)


def test_sigmoid_focal_loss_at_infinity(dtype):
    z = np.array([INF, -INF, INF, -INF], dtype)
    for gamma, alpha in itertools.product(GAMMAS, (-1, 0.25)):
        loss, gradient = losskit.sigmoid_focal_loss(z, [1, 0, 0, 1], gamma=gamma, alpha=alpha, reduction="none", grad=True)
        np.testing.assert_array_equal(loss, [0, 0, INF, INF])
        np.testing.assert_allclose(gradient, [0, 0, 1, -1] if alpha < 0 else [0, 0, 0.75, -0.25], rtol=1e-6)


@pytest.mark.parametrize("gamma", [0.01, 0.05, 0.13, 0.5, 1, 2, 30])
def test_focal_losses_are_finite_up_to_certainty(gamma, dtype):
    """(1 − p)^{γ−1} has no limit, the gradient does."""
    gaps = np.arange(0, 120 if dtype == np.float32 else 760, 0.25)
    for width in (2, 40):
        z = np.full((len(gaps), width), -INF, dtype)
        z[:, 0], z[:, 1] = gaps, 0
        for target in (np.zeros(len(gaps), int), one_hot(np.zeros(len(gaps), int), width, True)):
            loss, gradient = losskit.focal_loss(z, target, gamma=gamma, reduction="none", grad=True)
            assert np.isfinite(loss).all() and np.isfinite(gradient).all() and (np.diff(loss) <= 0).all()
    loss, gradient = losskit.sigmoid_focal_loss(z[:, 0], np.ones(len(gaps)), gamma=gamma, reduction="none", grad=True)
    assert np.isfinite(loss).all() and np.isfinite(gradient).all() and (np.diff(loss) <= 0).all()
    assert (np.diff(gradient[gaps > 3]) >= 0).all()


# --- Accuracy --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes, inner", [(2, 1), (5, 1), (5, 3), (40, 1), (700, 1)])
@pytest.mark.parametrize("dense", [False, True], ids=["index", "dense"])
def test_small_and_large_losses_are_good_in_relative_terms(classes, inner, dense, dtype):
    """p_y from 1 − 1e-20 to 1e-20: each row is judged by its own size, against 40 digits."""
    gaps = np.array([-46, -30, -16.1, -5, -1e-3, 0, 1e-3, 1, 5, 11.5, 16.1, 23, 30, 46])
    z = np.full((len(gaps), classes, inner), -60.0, dtype)
    z[:, 0], z[:, 1] = gaps[:, None], 0
    z[:, 2:] += gaps[:, None, None]
    target = np.zeros((len(gaps), inner), int)
    options = dict(reduction="none", grad=True, axis=1)
    if dense:
        target = np.moveaxis(one_hot(target, classes, True), -1, 1).astype(dtype)
    loss, gradient = losskit.cross_entropy(z, target, **options)
    focal, focal_gradient = losskit.focal_loss(z, target, gamma=2, **options)
    tolerance = 3e-6 if dtype == np.float32 else 1e-14
    with mpmath.workdps(40):
        for i in range(len(gaps)):
            e = [mpmath.exp(mpmath.mpf(float(v))) for v in z[i, :, 0]]
            q = sum(e[1:]) / sum(e)
            nu = -mpmath.log1p(-q) if q < 0.5 else -mpmath.log(e[0] / sum(e))
            psi = q**2 + 2 * (1 - q) * q * nu
            for actual, exact, factor in (
                (loss[i], nu, 1),
                (gradient[i, 0], -q, 1),
                (focal[i], q**2 * nu, 3),
                (focal_gradient[i, 0], -q * psi, 3),
            ):
                allowed = factor * tolerance * abs(float(exact)) + np.finfo(dtype).tiny
                assert (np.abs(actual.astype(np.float64) - float(exact)) <= allowed).all(), (gaps[i], actual, exact)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_gradients_are_gradients(reduction, weighted, rng):
    z = rng.normal(0, 1.5, (4, 5, 2))
    y = rng.integers(0, 5, (4, 2))
    t = rng.dirichlet(np.ones(5), (4, 2)).transpose(0, 2, 1)
    s = rng.random((4, 2)) + 0.1 if weighted else None
    w = rng.random(5) + 0.1 if weighted else None
    upstream = rng.normal(0, 1, (4, 2)) if reduction == "none" else 1.0
    cases = [(losskit.nll_loss, y, dict(weight=w))]
    for target, smoothing in itertools.product((y, t), (0, 0.2)):
        cases.append((losskit.cross_entropy, target, dict(weight=w, label_smoothing=smoothing)))
    for target, gamma in itertools.product((y, t), GAMMAS):
        cases.append((losskit.focal_loss, target, dict(alpha=w, gamma=gamma)))
    options = dict(reduction=reduction, sample_weight=s, axis=1)
    for function, target, parameters in cases:
        gradient = function(z, target, **parameters, **options, grad=True)[1]
        scale = upstream[:, None] if reduction == "none" else 1
        value = lambda z: (function(z, target, **parameters, **options) * upstream).sum()  # noqa: B023, E731
        assert_gradient(value, z, gradient * scale, tolerance=1e-7)
    for t, gamma, alpha in itertools.product((y, rng.random((4, 2))), GAMMAS, (0.25, None)):
        parameters = dict(gamma=gamma, alpha=alpha, reduction=reduction, sample_weight=s)
        gradient = losskit.sigmoid_focal_loss(z[:, 0], t, **parameters, grad=True)[1]
        value = lambda z: (losskit.sigmoid_focal_loss(z, t, **parameters) * upstream).sum()  # noqa: B023, E731
        assert_gradient(value, z[:, 0], gradient * upstream, tolerance=1e-7)


def test_a_detached_modulator_is_a_constant(rng):
    z, y = rng.normal(0, 2, (6, 4)), rng.integers(0, 4, 6)
    p = losskit.softmax(z)
    hot = one_hot(y, 4, True)
    modulator = (1 - (p * hot).sum(1)) ** 2
    gradient = losskit.focal_loss(z, y, detach_modulator=True, reduction="none", grad=True)[1]
    np.testing.assert_allclose(gradient, modulator[:, None] * (p - hot), rtol=1e-12)
    dense = losskit.focal_loss(z, hot, detach_modulator=True, reduction="none", grad=True)[1]
    np.testing.assert_allclose(dense, gradient, rtol=1e-9, atol=1e-15)


def test_dense_targets_that_are_one_hot_agree_with_integers(dtype, rng):
    z, y = rng.normal(0, 3, (30, 7)).astype(dtype), rng.integers(0, 7, 30)
    hot = one_hot(y, 7, True).astype(dtype)
    for function, options in (
        (losskit.cross_entropy, {}),
        (losskit.cross_entropy, {"label_smoothing": 0.1}),
        (losskit.focal_loss, {}),
        (losskit.focal_loss, {"gamma": 0.5, "alpha": np.arange(7, dtype=dtype)}),
    ):
        for a, b in zip(function(z, y, **options, grad=True), function(z, hot, **options, grad=True)):
            assert_close(a, np.asarray(b, np.float64))


# --- Special rows ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width, inner", [(3, 1), (3, 5), (40, 1), (700, 1)])
def test_special_rows(width, inner, dtype):
    """A row with NaN or without probabilities is NaN; masked classes have gradient 0; other rows keep their bits."""
    base = np.linspace(-1, 1, 11 * width * inner).reshape(11, width, inner).astype(dtype)
    y = np.full((11, inner), width - 1)
    z = base.copy()
    z[1, 0] = NAN
    z[3, 1] = INF
    z[5] = -INF
    z[7, 1] = -INF
    z[9, width - 1] = -INF
    t = np.moveaxis(one_hot(y, width, True), -1, 1).astype(dtype)
    for function, target, options in (
        (losskit.cross_entropy, y, {}),
        (losskit.cross_entropy, t, {}),
        (losskit.focal_loss, y, {}),
        (losskit.focal_loss, t, {}),
        (losskit.focal_loss, y, {"gamma": 0.3}),
        (losskit.focal_loss, t, {"gamma": 0.3}),
        (losskit.focal_loss, y, {"gamma": 0}),
        (losskit.focal_loss, y, {"detach_modulator": True}),
    ):
        options = dict(options, reduction="none", axis=1, grad=True)
        loss, gradient = function(z, target, **options)
        plain_loss, plain_gradient = function(base, target, **options)
        for row in (0, 2, 4, 6, 8, 10):
            assert loss[row].tobytes() == plain_loss[row].tobytes()
            assert gradient[row].tobytes() == plain_gradient[row].tobytes()
        for row in (1, 3, 5):
            assert np.isnan(loss[row]).all() and np.isnan(gradient[row]).all(), (function, row)
        assert np.isfinite(loss[7]).all() and (gradient[7, 1] == 0).all() and np.isfinite(gradient[7]).all()
        assert (loss[9] == INF).all() and np.isfinite(gradient[9]).all()
        np.testing.assert_allclose(gradient[9, width - 1], -1, rtol=1e-6)
        for reduction in ("mean", "sum"):
            assert np.isnan(function(z, target, **{**options, "reduction": reduction})[0])


def test_terms_without_weight_do_not_meet_infinity(dtype):
    """0 · ∞ never occurs: neither with a target of 0 nor with a class weight of 0."""
    for width in (3, 40):
        z = np.zeros((2, width), dtype)
        z[:, 1] = -INF
        w = np.ones(width, dtype)
        w[1] = 0
        t = np.zeros((2, width), dtype)
        t[:, 0] = 1
        exact = math.log(width - 1)
        for loss in (
            losskit.cross_entropy(z, t, reduction="none"),
            losskit.focal_loss(z, t, gamma=0, reduction="none"),
            losskit.cross_entropy(z, [0, 0], reduction="none", weight=w),
        ):
            np.testing.assert_allclose(loss, exact, rtol=1e-6)
        for smoothing, target in itertools.product((0.0, 0.3), ([0, 0], t)):
            loss, gradient = losskit.cross_entropy(z, target, weight=w, label_smoothing=smoothing, grad=True)
            # Σ_c w_c t'_c ν: every class that counts has the same ν.
            share = 1 - smoothing + smoothing * (width - 1) / width
            np.testing.assert_allclose(loss, exact * share, rtol=1e-6)
            assert np.isfinite(gradient).all() and (gradient[:, 1] == 0).all()
        t[:, 0], t[:, 1] = 0.5, 0.5
        assert np.isfinite(losskit.cross_entropy(z, t, weight=w)) and np.isfinite(losskit.focal_loss(z, t, alpha=w))
        for reduction in REDUCTIONS:
            for function, key in ((losskit.cross_entropy, "weight"), (losskit.focal_loss, "alpha")):
                loss, gradient = function(z, [1, 1], **{key: w}, reduction=reduction, grad=True)
                assert (loss == 0).all() and (gradient == 0).all()
        assert losskit.nll_loss(z, [1, 1], weight=w) == 0


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_one_class(reduction, dtype):
    z = np.array([[3], [-1e4]], dtype)
    for function, target in itertools.product((losskit.cross_entropy, losskit.focal_loss), ([0, 0], np.ones((2, 1)))):
        loss, gradient = function(z, target, reduction=reduction, grad=True)
        assert (loss == 0).all() and (gradient == 0).all()


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_mean_over_nothing_is_zero(reduction, dtype):
    for shape, axis in (((0, 3), 1), ((2, 3, 0), 1)):
        z = np.empty(shape, dtype)
        rows = np.delete(shape, axis)
        y = np.empty(rows, int)
        for function, target in (
            (losskit.cross_entropy, y),
            (losskit.cross_entropy, z),
            (losskit.nll_loss, y),
            (losskit.focal_loss, y),
            (losskit.focal_loss, z),
        ):
            loss, gradient = function(z, target, reduction=reduction, axis=axis, grad=True)
            assert gradient.shape == shape and gradient.dtype == loss.dtype == dtype
            assert loss.shape == tuple(rows) if reduction == "none" else loss == 0
        loss, gradient = losskit.sigmoid_focal_loss(z, z, reduction=reduction, grad=True)
        assert gradient.shape == shape and (loss.shape == shape if reduction == "none" else loss == 0)
    z = np.array([[1, 2, 3], [NAN, INF, 0]], dtype)
    for function in (losskit.cross_entropy, losskit.nll_loss):
        loss, gradient = function(z, [IGNORE, IGNORE], reduction=reduction, grad=True)
        assert (loss == 0).all() and (gradient == 0).all()
    z, zeros = np.array([[1, 2, 3], [2, 1, 0]], dtype), np.zeros(2, dtype)
    for function, options in (
        (losskit.cross_entropy, {"sample_weight": zeros}),
        (losskit.cross_entropy, {"weight": np.zeros(3, dtype)}),
        (losskit.cross_entropy, {"weight": np.array([0, 0, 1], dtype), "label_smoothing": 0}),
        (losskit.nll_loss, {"sample_weight": zeros}),
        (losskit.nll_loss, {"weight": np.zeros(3, dtype)}),
        (losskit.focal_loss, {"sample_weight": zeros}),
    ):
        loss, gradient = function(z, [0, 1], reduction=reduction, grad=True, **options)
        assert (loss == 0).all() and (gradient == 0).all()


@pytest.mark.parametrize("rows", [1000, 100_003])
def test_sums_over_rows_keep_their_digits(rows, dtype, rng):
    z, y = rng.normal(0, 1, (rows, 3)).astype(dtype), rng.integers(0, 3, rows)
    each = losskit.cross_entropy(z, y, reduction="none").astype(np.float64)
    np.testing.assert_allclose(losskit.cross_entropy(z, y, reduction="sum"), math.fsum(each), rtol=6e-8)
    np.testing.assert_allclose(losskit.cross_entropy(z, y), math.fsum(each) / rows, rtol=6e-8)


# --- Refusals --------------------------------------------------------------------------------------------------------


def test_arguments_are_checked():
    z, y, t = np.zeros((2, 3)), np.array([0, 1]), np.full((2, 3), 1 / 3)
    losses = (losskit.cross_entropy, losskit.nll_loss, losskit.focal_loss)
    for function in losses:
        for bad in (-1, 3, INT64.max, INT64.min, 2**32, 2**32 + 1, -(2**32)):
            for place in (0, 1):
                target = y.copy()
                target[place] = bad
                assert_error("INVALID_TARGET", function, z, target)
                if function is losskit.cross_entropy:
                    assert_error("INVALID_TARGET", function, z, target, label_smoothing=0.1)
                    assert_error("INVALID_TARGET", function, z, target, weight=np.ones(3))
        assert_error("INVALID_TARGET", function, z, [0.0, 1.0])
        assert_error("INVALID_SHAPE", function, z, [0, 1, 2])
        assert_error("INVALID_SHAPE", function, z, y, sample_weight=np.ones(3))
        assert_error("INVALID_SHAPE", function, np.zeros((2, 0)), y)
        assert_error("INVALID_SHAPE", function, 1.0, y)
        for reduction in ("average", "", None, 0):
            assert_error("INVALID_PARAMETER", function, z, y, reduction=reduction)
        for bad in (-1, NAN, -1e-30):
            assert_error("INVALID_VALUE", function, z, y, sample_weight=[1, bad])
        if function is not losskit.focal_loss:
            assert_error("INVALID_SHAPE", function, z, y, weight=np.ones(2))
            for bad in (-1, NAN):
                assert_error("INVALID_VALUE", function, z, y, weight=[1, bad, 1])
    assert_error("INVALID_TARGET", losskit.focal_loss, z, [0, -100])
    assert_error("INVALID_SHAPE", losskit.focal_loss, z, y, alpha=np.ones(2))
    for bad in (-0.1, 1.1, NAN, INF):
        for target in (y, t):
            assert_error("INVALID_PARAMETER", losskit.cross_entropy, z, target, label_smoothing=bad)
    for bad in (-0.1, NAN, INF, -INF):
        for target in (y, t):
            assert_error("INVALID_PARAMETER", losskit.focal_loss, z, target, gamma=bad)
        assert_error("INVALID_PARAMETER", losskit.sigmoid_focal_loss, z, t, gamma=bad)
    for bad in (1.1, NAN, INF):
        assert_error("INVALID_PARAMETER", losskit.sigmoid_focal_loss, z, t, alpha=bad)
    for bad in (-1, NAN):
        assert_error("INVALID_VALUE", losskit.sigmoid_focal_loss, z, t, sample_weight=[1, bad])
        assert_error("INVALID_VALUE", losskit.cross_entropy, z, t, sample_weight=[1, bad])
        assert_error("INVALID_VALUE", losskit.focal_loss, z, t, sample_weight=[1, bad])
    assert_error("INVALID_SHAPE", losskit.sigmoid_focal_loss, z, t[:1])
    assert_error("INVALID_SHAPE", losskit.sigmoid_focal_loss, z, t, sample_weight=np.ones(3))


def calls(dtype, outer=3, classes=5, inner=2):
    rng = np.random.default_rng(8)
    shape, rows = (outer, classes, inner), (outer, inner)
    array = lambda: rng.normal(0, 1, shape).astype(dtype)  # noqa: E731
    y = rng.integers(0, classes, rows)
    per_class, per_row = rng.random(classes).astype(dtype), rng.random(rows).astype(dtype)
    outputs = ["loss", "grad"]
    sizes = dict(outer=outer, classes=classes, inner=inner)
    for reduction in REDUCTIONS:
        shared = dict(
            reduction=reduction,
            sample_weight=per_row,
            loss=np.empty(rows if reduction == "none" else 1, dtype),
            grad=np.empty(shape, dtype),
        )
        ignoring = dict(weight=per_class, ignore_index=-100, **sizes, **shared)
        focal = dict(gamma=1.5, alpha=per_class, detach_modulator=False, **sizes, **shared)
        for smoothing in (0.0, 0.1):
            yield RawCall("cross_entropy", dtype, outputs, z=array(), target=y, label_smoothing=smoothing, **ignoring)
        yield RawCall("nll_loss", dtype, outputs, log_p=array(), target=y, **ignoring)
        dense = dict(weight=per_class, label_smoothing=0.1, **sizes, **shared)
        yield RawCall("cross_entropy_dense", dtype, outputs, z=array(), target=array(), **dense)
        yield RawCall("focal_loss", dtype, outputs, z=array(), target=y, **focal)
        yield RawCall("focal_loss_dense", dtype, outputs, z=array(), target=array(), **focal)
        elements = dict(rows=outer, columns=classes * inner, alpha=0.25, gamma=1.5)
        each = dict(shared, sample_weight=rng.random(outer).astype(dtype))
        each["loss"] = np.empty(shape if reduction == "none" else 1, dtype)
        yield RawCall("sigmoid_focal_loss", dtype, outputs, z=array(), t=array(), **elements, **each)


def test_interface_refuses(dtype):
    optional = {"weight", "alpha", "sample_weight", "loss", "grad"}
    for call in calls(dtype):
        assert call() == "OK", call.name
        arguments = call.arguments
        arrays = [key for key, value in arguments.items() if isinstance(value, np.ndarray)]
        sizes = [key for key in arguments if key in ("outer", "classes", "inner", "rows", "columns")]
        for pointer in arrays:
            assert call(**{pointer: None}) == ("OK" if pointer in optional else "NULL_POINTER"), (call.name, pointer)
        for size, bad in itertools.product(sizes, (-1, -(2**63), 2**62, 2**63 - 1)):
            assert call(**{size: bad}) == "INVALID_SHAPE", (call.name, size, bad)
        if "classes" in sizes:
            assert call(classes=0) == "INVALID_SHAPE" and call(classes=2**31, outer=1, inner=1) == "INVALID_SHAPE"
        nothing = {**dict.fromkeys(arrays), sizes[0]: 0}
        assert call(**nothing) == "OK"
        if arguments["reduction"] != "none":
            assert call(**{**nothing, "loss": arguments["loss"]}) == "OK" and arguments["loss"] == 0
        if arguments["target" if "target" in arguments else "t"].dtype == np.int64:
            for bad, place in itertools.product((-1, 5, -101, INT64.min, INT64.max, 2**32), (0, -1)):
                target = arguments["target"].copy()
                target.flat[place] = bad
                assert call(target=target) == "INVALID_TARGET", (call.name, bad)
        for parameter, values in dict(
            label_smoothing=(-1e-9, 1.0001, NAN), gamma=(-1e-9, INF, NAN), **({"alpha": (1.01, NAN)} if "rows" in sizes else {})
        ).items():  # fmt: skip
            if parameter in arguments:
                for bad in values:
                    assert call(**{parameter: bad}) == "INVALID_PARAMETER", (call.name, parameter, bad)
        for weights, bad, place in itertools.product({"weight", "sample_weight"} & set(arguments), (-1, NAN, INF), (0, -1)):
            array = arguments[weights].copy()
            array.flat[place] = bad
            assert call(**{weights: array}) == "INVALID_VALUE", (call.name, weights)


# --- Memory ----------------------------------------------------------------------------------------------------------

SHAPES = [
    (1, 1, 1), (3, 5, 1), (17, 3, 1), (5, 17, 1), (3, 33, 1), (9, 131, 1), (2, 2053, 1), (2, 3, 7), (1, 7, 19), (3, 18, 33),
]  # fmt: skip


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_beyond_the_arrays_is_touched(shape, side, dtype):
    for call in calls(dtype, *shape):
        call.assert_stays_inside(side)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_value_does_not_depend_on_whether_the_gradient_is_wanted(shape, dtype):
    for call in calls(dtype, *shape):
        assert call() == "OK"
        expected = call.arguments["loss"].copy()
        assert call(grad=None) == "OK"
        assert call.arguments["loss"].tobytes() == expected.tobytes()


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for shape, axis in (((300, 1100), 1), ((20000, 10), 1), ((4, 19, 999), 1), ((70001, 1), 1), ((3, 5), 0)):
        z, t = rng.normal(0, 9, shape).astype(real), rng.random(shape).astype(real)
        rows, classes = tuple(np.delete(shape, axis)), shape[axis]
        y, s, w = rng.integers(0, classes, rows), rng.random(rows).astype(real), rng.random(classes).astype(real)
        z.flat[::97] = -np.inf
        z[np.isneginf(z).all(axis, keepdims=True) & np.ones_like(z, bool)] = 1
        for reduction in ("none", "mean", "sum"):
            for name, result in dict(
                ce=losskit.cross_entropy(z, y, weight=w, sample_weight=s, reduction=reduction, axis=axis, grad=True),
                smooth=losskit.cross_entropy(z, y, label_smoothing=0.1, reduction=reduction, axis=axis, grad=True),
                dense=losskit.cross_entropy(z, t, sample_weight=s, reduction=reduction, axis=axis, grad=True),
                nll=losskit.nll_loss(z, y, weight=w, reduction=reduction, axis=axis, grad=True),
                focal=losskit.focal_loss(z, y, gamma=1.3, reduction=reduction, axis=axis, grad=True),
                focal_dense=losskit.focal_loss(z, t, alpha=w, reduction=reduction, axis=axis, grad=True),
                sigmoid=losskit.sigmoid_focal_loss(z, t, reduction=reduction, grad=True),
            ).items():
                for part, array in zip(("loss", "grad"), result):
                    results[f"{name} {reduction} {part} {real.__name__} {shape}"] = np.asarray(array)
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS, threads=(1, 2, 3))


# --- PyTorch ---------------------------------------------------------------------------------------------------------


def torch_agrees(torch, function, z, ours, tolerance):
    tensor = torch.tensor(z, requires_grad=True)
    loss = function(tensor)
    loss.sum().backward()
    np.testing.assert_allclose(ours[0], loss.detach().numpy(), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(ours[1], tensor.grad.numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(40, 13), (5, 300), (3, 7, 20), (6, 4, 2, 3)])
def test_agrees_with_torch(shape, reduction, dtype, rng):
    torch = pytest.importorskip("torch")
    functional = torch.nn.functional
    z, w = rng.normal(0, 3, shape).astype(dtype), rng.random(shape[1]).astype(dtype)
    y = rng.integers(0, shape[1], np.delete(shape, 1))
    y.flat[::4] = IGNORE
    t = rng.random(shape).astype(dtype)
    tolerance = 2e-5 if dtype == np.float32 else 1e-12
    for target, weight, smoothing in itertools.product((y, t), (None, w), (0.0, 0.1)):
        options = dict(label_smoothing=smoothing, reduction=reduction)
        ours = losskit.cross_entropy(z, target, weight=weight, **options, grad=True, axis=1)
        tensors = dict(weight=None if weight is None else torch.tensor(weight))
        torch_agrees(torch, lambda z: functional.cross_entropy(z, torch.tensor(target), **tensors, **options), z, ours, tolerance)  # noqa: B023
    log_p = losskit.log_softmax(z, axis=1)
    for weight in (None, w):
        tensor = None if weight is None else torch.tensor(weight)
        ours = losskit.nll_loss(log_p, y, weight=weight, reduction=reduction, grad=True, axis=1)
        torch_agrees(torch, lambda z: functional.nll_loss(z, torch.tensor(y), weight=tensor, reduction=reduction), log_p, ours, tolerance)  # noqa: B023
    ours = losskit.sigmoid_focal_loss(z, (t > 0.5).astype(dtype), reduction=reduction, grad=True)
    ops = pytest.importorskip("torchvision.ops")
    torch_agrees(torch, lambda z: ops.sigmoid_focal_loss(z, torch.tensor(t > 0.5).to(z.dtype), reduction=reduction), z, ours, tolerance)
