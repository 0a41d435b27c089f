"""Fenchel-Young losses: judged by L = Ω*(z) + Ω(t) - <z, t> in extended precision, from the definition of Ω alone."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits, logit_arrays
from test_sparse import entmax, entmax15, normmax, positive_power, sparsemax

import losskit

INF, NAN = math.inf, math.nan
LONG = np.longdouble


# --- The definitions -------------------------------------------------------------------------------------------------


def softmax(z):
    e = np.exp(z - z.max())
    return e / e.sum()


def logistic(z):
    return np.exp(-np.logaddexp(0, -z))


def x_log_x(p):
    return np.where(p > 0, p * np.log(np.where(p > 0, p, 1)), 0)


def tsallis(p, alpha):
    return (positive_power(p, alpha).sum() - 1) / (alpha * (alpha - 1))


# name -> (Python call's parameters, Ω, argmax, is it over the simplex?)
LOSSES = {
    "sparsemax_loss": ({}, lambda p: ((p * p).sum() - 1) / 2, sparsemax),
    "entmax15_loss": ({}, lambda p: tsallis(p, 1.5), entmax15),
    "entmax_loss": ({}, lambda p: tsallis(p, 1.5), entmax15),
    "entmax_loss, 1": (dict(alpha=1.0), lambda p: x_log_x(p).sum(), softmax),
    "entmax_loss, 1.1": (dict(alpha=1.1), lambda p: tsallis(p, LONG("1.1")), lambda z: entmax(z, 1.1)),
    "entmax_loss, 1.25": (dict(alpha=1.25), lambda p: tsallis(p, LONG(1.25)), lambda z: entmax(z, 1.25)),
    "entmax_loss, 1.75": (dict(alpha=1.75), lambda p: tsallis(p, LONG(1.75)), lambda z: entmax(z, 1.75)),
    "normmax_loss": ({}, lambda p: (p * p).sum() ** LONG(0.5) - 1, normmax),
    "normmax_loss, 1.5": (
        dict(alpha=1.5),
        lambda p: positive_power(p, LONG(1.5)).sum() ** (1 / LONG(1.5)) - 1,
        lambda z: normmax(z, 1.5),
    ),
    "fenchel_young_loss": ({}, lambda p: x_log_x(p).sum(), softmax),
    "fenchel_young_loss, gini": (dict(regularizer="gini"), lambda p: ((p * p).sum() - 1) / 2, sparsemax),
    "fenchel_young_loss, tsallis": (dict(regularizer="tsallis"), lambda p: tsallis(p, 1.5), entmax15),
    "fenchel_young_loss, norm": (
        dict(regularizer="norm", alpha=2.0),
        lambda p: (p * p).sum() ** LONG(0.5) - 1,
        normmax,
    ),
    "fenchel_young_loss, l2": (dict(regularizer="l2"), lambda p: (p * p).sum() / 2, lambda z: z),
    "fenchel_young_loss, logistic": (
        dict(regularizer="logistic"),
        lambda p: (x_log_x(p) + x_log_x(1 - p)).sum(),
        logistic,
    ),
}


def call(name, *arguments, **parameters):
    return getattr(losskit, name.split(",")[0])(*arguments, **{**LOSSES[name][0], **parameters})


def reference_row(name, z, t):
    """(L, dL/dz): Ω* is <z, p> - Ω(p) at the maximiser, and only the second order of p's rounding shows in it."""
    _, omega, argmax = LOSSES[name]
    whole = name.endswith((", l2", ", logistic"))
    # On the simplex a shift of z adds (1 - Σ t) times itself. Masked classes take no part.
    shift = 0 if whole else z.max()
    p = argmax(z)
    x, wide = (z - shift).astype(LONG), t.astype(LONG)
    masked = np.isneginf(z)
    if name.endswith("l2"):
        p = np.where(masked & (t == 0), 0, p)
    inner = np.where(masked & (p == 0), 0, np.where(masked, 0, x) * (p - wide)).sum()
    value = inner - omega(p.astype(LONG)) + omega(wide)
    if not whole:
        value += shift * (1 - wide.sum())
    if (masked & (t > 0)).any():
        value = INF
    gradient = p - t
    if not whole and t.max() == 1 and np.count_nonzero(t) == 1:  # 1 - p_y without cancellation
        gradient[t == 1] = -p[t == 0].sum()
    return float(value), gradient


def reference(name, z, target, axis):
    """Losses of the rows and their gradients; ``target`` is dense, shaped as z."""
    rows, targets = (np.moveaxis(np.asarray(a, np.float64), axis, -1) for a in (z, target))
    losses, gradients = np.empty(rows.shape[:-1]), np.empty(rows.shape)
    with np.errstate(all="ignore"):
        for row in np.ndindex(losses.shape):
            if np.isfinite(rows[row].max()):
                losses[row], gradients[row] = reference_row(name, rows[row], targets[row])
            else:
                losses[row], gradients[row] = NAN, NAN
    return losses, np.moveaxis(gradients, -1, axis)


def one_hot(y, shape, axis):
    rows = np.zeros(np.moveaxis(np.empty(shape, np.int8), axis, -1).shape)
    np.put_along_axis(rows, y[..., None], 1, -1)
    return np.moveaxis(rows, -1, axis)


def assert_losses_close(actual, expected, z, axis, tolerance=None):
    """By the losses' sizes; a loss that is a small difference of what double precision gives, by that."""
    tolerance = tolerance or (3e-6 if actual.dtype == np.float32 else 1e-12)
    actual, expected = np.ravel(actual).astype(np.float64), np.ravel(expected)
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(actual[~finite], expected[~finite])
    assert (np.abs(actual - expected)[finite] <= tolerance * np.abs(expected[finite]) + 1e-14).all()


def assert_gradients_close(actual, expected, axis):
    finite = np.isfinite(expected)
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
    assert_close(np.where(finite, actual, 0).astype(actual.dtype), np.where(finite, expected, 0), axis=axis)


# --- Values and gradients --------------------------------------------------------------------------------------------

Z, Y = [[1, 0.4, -0.2], [0.3, 0.1, -2]], [0, 2]
EXAMPLES = [
    ("fenchel_young_loss", dict(regularizer="tsallis", alpha=1.3), [0.2802266, 2.687762],
     [[-0.3847047, 0.282538, 0.1021667], [0.5603873, 0.4377988, -0.9981861]]),
    ("sparsemax_loss", {}, [0.04, 2.46], [[-0.2, 0.2, 0], [0.6, 0.4, -1]]),
    ("entmax15_loss", {}, [0.1617246, 2.597587], [[-0.3229789, 0.2733333, 0.04964559], [0.5705337, 0.4294663, -1]]),
    ("entmax_loss", dict(alpha=1.25), [0.3205359, 2.716683],
     [[-0.3986048, 0.2849529, 0.1136519], [0.5555133, 0.437576, -0.9930893]]),
    ("normmax_loss", {}, [0.05968758, 2.5], [[-0.2657394, 0.2657394, 0], [0.5714286, 0.4285714, -1]]),
    ("sparse_softmax_loss", dict(k=2), [0.2014133, 3.313262], [[-0.1824255, 0, 0.1824255], [0.2689414, 0.7310586, -1]]),
]  # fmt: skip


@pytest.mark.parametrize("name, parameters, losses, gradients", EXAMPLES)
def test_worked_example(name, parameters, losses, gradients, dtype):
    z = np.array([[2, -1, 0.5], [0, 1, -2]] if name.startswith("sparse_") else Z, dtype)
    loss, grad = getattr(losskit, name)(z, Y, **parameters, reduction="none", grad=True)
    assert loss.dtype == grad.dtype == dtype
    tolerance = 3e-6 if dtype == np.float32 else 6e-7
    assert_close(loss, np.array(losses), tolerance=tolerance)
    assert_close(grad, np.array(gradients), tolerance=tolerance)


@given(logit_arrays(), st.sampled_from(sorted(LOSSES)), st.integers(0, 2**32 - 1))
def test_loss_follows_its_definition(drawn, name, seed):
    z, axis = drawn
    y = np.random.default_rng(seed).integers(0, z.shape[axis], np.moveaxis(z, axis, -1).shape[:-1])
    loss, grad = call(name, z, y, reduction="none", grad=True, axis=axis)
    expected, gradient = reference(name, z, one_hot(y, z.shape, axis), axis)
    assert_losses_close(np.asarray(loss), expected, z, axis)
    assert_gradients_close(grad, gradient, axis)


@given(logit_arrays(special=False), st.sampled_from(sorted(LOSSES)), st.integers(0, 2**32 - 1), st.booleans())
def test_dense_loss_follows_its_definition(drawn, name, seed, sparse):
    z, axis = drawn
    rng = np.random.default_rng(seed)
    t = rng.gamma(0.3, 1, z.shape) * (rng.random(z.shape) < (0.3 if sparse else 1)) + 1e-9
    t = (t / t.sum(axis, keepdims=True)).astype(z.dtype)
    t = np.where(t < 1e-8, z.dtype.type(0), t)
    loss, grad = call(name, z, t, reduction="none", grad=True, axis=axis)
    expected, gradient = reference(name, z, t, axis)
    # Terms as large as the logits are added up.
    spread = np.abs(np.moveaxis(z, axis, -1).astype(np.float64)).max(-1, initial=0) if z.size else np.zeros(expected.shape)
    epsilon = 3e-6 if z.dtype == np.float32 else 1e-12
    small = epsilon * (np.abs(expected) + 1e-3) + (1e-13 if not name.endswith(("l2", "logistic", "_loss", ", 1")) else 1e-6 * epsilon) * spread
    assert (np.abs(loss - expected) <= small).all()
    assert_gradients_close(grad, gradient, axis)


def reference_sparse_softmax(z, y, k):
    top = np.argsort(-z, kind="stable")[:k]
    q = np.zeros(z.shape)
    q[top] = softmax(z[top])
    value = np.log1p(np.exp(z[top[1:]] - z[top[0]]).sum()) + (z[top[0]] - z[y])
    gradient = q.copy()
    gradient[y] = -(q.sum() - q[y]) if q[y] < 0.5 else -np.delete(q, y).sum()
    if q[y] == 0:
        gradient[y] = -1
    return value, gradient


@given(logit_arrays(), st.sampled_from([1, 2, 10, 40, 2000]), st.integers(0, 2**32 - 1))
def test_sparse_softmax_loss_follows_its_definition(drawn, k, seed):
    z, axis = drawn
    rows = np.moveaxis(z, axis, -1).astype(np.float64)
    y = np.random.default_rng(seed).integers(0, z.shape[axis], rows.shape[:-1])
    loss, grad = losskit.sparse_softmax_loss(z, y, k=k, reduction="none", grad=True, axis=axis)
    grad, loss = np.moveaxis(grad, axis, -1), np.asarray(loss)
    with np.errstate(all="ignore"):
        for row in np.ndindex(rows.shape[:-1]):
            if not np.isfinite(rows[row].max()):
                assert np.isnan(loss[row]) and np.isnan(grad[row]).all()
                continue
            value, gradient = reference_sparse_softmax(rows[row], y[row], k)
            assert_losses_close(loss[row], value, z, axis, 3e-6 if z.dtype == np.float32 else 1e-12)
            assert_gradients_close(grad[row], gradient, -1)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("dense", [False, True])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_reductions_weights_and_finite_differences(name, dense, reduction, rng):
    z, s = rng.normal(0, 1, (4, 6)), np.array([0.5, 0, 2, 1])
    target = rng.dirichlet(np.ones(6), 4) if dense else rng.integers(0, 6, 4)
    loss, grad = call(name, z, target, reduction=reduction, sample_weight=s, grad=True)
    rows = call(name, z, target, reduction="none")
    expected = (rows * s).sum() / (s.sum() if reduction == "mean" else 1)
    assert math.isclose(loss, expected, rel_tol=1e-12)
    np.testing.assert_allclose(call(name, z, target, reduction="none", sample_weight=s), rows * s, rtol=1e-12)
    assert_gradient(lambda z: call(name, z, target, reduction=reduction, sample_weight=s), z, grad, step=1e-5, tolerance=1e-7)
    assert call(name, z, target, sample_weight=0 * s) == 0
    if not dense:
        assert call(name, z[:0], target[:0]) == 0 and call(name, z[:0], target[:0], reduction="none").shape == (0,)
        assert_losses_close(np.asarray(rows), [float(call(name, z, one_hot(target, z.shape, -1), reduction="none")[i]) for i in range(4)], z, -1, 1e-10)


@pytest.mark.parametrize("margin", [0.5, 0.999, 1 - 1e-5, 1.0, 1.5, 30])
@pytest.mark.parametrize("name", [name for name in LOSSES if not name.startswith("fenchel")])
def test_confident_rows(name, margin):
    """Losses near 0 keep their digits: against mpmath, from two classes."""
    loss, grad = call(name, [[margin, 0.0]], [0], reduction="none", grad=True)
    alpha = {"sparsemax_loss": 2.0, "normmax_loss": 2.0}.get(name, LOSSES[name][0].get("alpha", 1.5))
    with mpmath.workdps(60):
        a, m = mpmath.mpf(alpha), mpmath.mpf(margin)
        if alpha == 1:
            q = 1 / (1 + mpmath.exp(m))
            value = mpmath.log1p(mpmath.exp(-m))
        else:
            scale, power = (1, a / (a - 1)) if name.startswith("norm") else (a - 1, 1 / (a - 1))
            sum_of = lambda top: top**power + max(top - scale * m, 0) ** power  # noqa: E731
            low, high = mpmath.mpf(0), mpmath.mpf(1)
            for _ in range(250):
                low, high = ((low + high) / 2, high) if sum_of((low + high) / 2) < 1 else (low, (low + high) / 2)
            u, v = high, max(high - scale * m, 0)
            w = [x ** (1 / (a - 1)) for x in (u, v)]
            p, q = (x / sum(w) for x in w)
            if name.startswith("norm"):
                value = m * p - (p**a + q**a) ** (1 / a) + 1 - m
            else:
                value = m * p - (p**a + q**a - 1) / (a * (a - 1)) - m
        # A threshold in double precision leaves 1e-16 of uncertainty in what is above it.
        tolerance = 1e-12 + 1e-15 / max(float(q ** (a - 1)) if alpha > 1 else 1, 1e-15) / min(1, alpha - 1 or 1)
        assert abs(loss[0] - value) <= tolerance * abs(value) + 1e-40, (loss, value)
        assert abs(grad[0, 1] - q) <= tolerance * q + 1e-40 and abs(grad[0, 0] + q) <= tolerance * q + 1e-40


# --- Refusals, memory, bits ------------------------------------------------------------------------------------------


def loss_calls(dtype, outer=3, classes=5, inner=2):
    rng = np.random.default_rng(5)
    shape = (outer, classes, inner)
    sizes = dict(outer=outer, classes=classes, inner=inner, reduction="none")
    for name, extra in (
        ("sparsemax_loss", {}), ("entmax15_loss", {}), ("entmax_loss", dict(alpha=1.3)), ("normmax_loss", dict(alpha=1.4)),
        *(("fenchel_young_loss", dict(regularizer=r, alpha=1.3)) for r in ("shannon", "gini", "tsallis", "norm", "l2", "logistic")),
        ("sparse_softmax_loss", dict(k=3)),
    ):  # fmt: skip
        for dense in (False, True) if name != "sparse_softmax_loss" else (False,):
            target = rng.dirichlet(np.ones(classes), (outer, inner)).swapaxes(1, 2).astype(dtype).copy() if dense else None
            given = dict(
                z=rng.normal(0, 1, shape).astype(dtype), sample_weight=np.ones((outer, inner), dtype),
                loss=np.zeros((outer, inner), dtype), grad=np.zeros(shape, dtype), **sizes, **extra,
            )  # fmt: skip
            given["y" if name == "sparse_softmax_loss" else "target"] = target if dense else rng.integers(0, classes, (outer, inner))
            yield RawCall(name + "_dense" * dense, dtype, ["loss", "grad"], **given)


def test_interface_refuses(dtype):
    for call in loss_calls(dtype):
        assert call() == "OK", call.name
        target = "y" if "y" in call.arguments else "target"
        for pointer in ("z", target, "sample_weight", "loss", "grad"):
            wanted = "NULL_POINTER" if pointer in ("z", target) else "OK"
            assert call(**{pointer: None}) == wanted, (call.name, pointer)
        for size, bad in itertools.product(("outer", "classes", "inner"), (-1, 2**62)):
            assert call(**{size: bad}) == "INVALID_SHAPE", (call.name, size)
        assert call(classes=0) == "INVALID_SHAPE"
        assert call(sample_weight=np.full((3, 2), -1, dtype)) == "INVALID_VALUE"
        if not call.name.endswith("_dense"):
            for bad in (-1, 5, -100, 2**40):
                wrong = call.arguments[target].copy()
                wrong[1, 1] = bad
                assert call(**{target: wrong}) == "INVALID_TARGET"
        regularizer = call.arguments.get("regularizer", call.name)
        for bad in (0.99, NAN, INF, -2.0):
            if "alpha" in call.arguments:
                uses = regularizer in ("tsallis", "norm") or "max" in regularizer
                assert call(alpha=bad) == ("INVALID_PARAMETER" if uses else "OK"), (call.name, regularizer)
        if "alpha" in call.arguments and ("norm" in regularizer or "entmax" in regularizer or regularizer == "tsallis"):
            assert call(alpha=1.0) == ("INVALID_PARAMETER" if "norm" in regularizer else "OK")
        if "k" in call.arguments:
            assert call(k=0) == call(k=-1) == "INVALID_PARAMETER" and call(k=2**40) == "OK"
    assert_error("INVALID_PARAMETER", losskit.fenchel_young_loss, Z, Y, regularizer="none")


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (17, 3, 1), (20, 70, 1), (2, 1053, 1), (2, 70, 7), (3, 18, 33)])
def test_nothing_beyond_the_arrays_is_touched(shape, side, dtype):
    for call in loss_calls(dtype, *shape):
        call.assert_stays_inside(side)


def test_one_class(dtype):
    for name in LOSSES:
        if not name.endswith(("l2", "logistic")):
            loss, grad = call(name, np.array([[3], [-2]], dtype), [0, 0], reduction="none", grad=True)
            assert not loss.any() and not grad.any(), name


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for shape, axis in (((40, 1100), 1), ((2000, 10), 1), ((300, 80), 1), ((2, 99, 299), 1), ((7001,), 0), ((3, 5), 0)):
        for scale in (0.01, 3):
            z = rng.normal(0, scale, shape).astype(real)
            y = rng.integers(0, shape[axis], np.moveaxis(z, axis, -1).shape[:-1])
            for name, target, options in [
                (name, target, options)
                for target in (y, losskit.softmax(-z, axis=axis))
                for name, options in (
                    ("sparsemax_loss", {}), ("entmax15_loss", {}), ("entmax_loss", dict(alpha=1.3)), ("normmax_loss", {}),
                    *(("fenchel_young_loss", dict(regularizer=r)) for r in ("shannon", "norm", "l2", "logistic")),
                )
            ] + [("sparse_softmax_loss", y, {})]:
                loss, grad = getattr(losskit, name)(z, target, **options, grad=True, axis=axis)
                key = f"{name} {options} {target is y} {real.__name__} {shape} {scale}"
                results[key], results[key + " grad"] = np.asarray(loss), grad
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS)
