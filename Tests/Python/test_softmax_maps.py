"""Relatives of softmax: judged by NumPy float64 formulas written from the definitions, and by finite differences."""

import itertools
import math

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
SLACK = {np.dtype(np.float32): 3e-6, np.dtype(np.float64): 1e-12}


# --- The definitions, in NumPy: rows last, float64 -------------------------------------------------------------------


def softmax(x, temperature=1.0):
    m = x.max(-1, keepdims=True)
    e = np.exp((x - np.where(np.isfinite(m), m, 0)) / temperature)
    return e / e.sum(-1, keepdims=True)


def log_softmax(x):
    m = x.max(-1, keepdims=True)
    x = x - np.where(np.isfinite(m), m, 0)
    return x - np.log(np.exp(x).sum(-1, keepdims=True))


def log_sigmoid(x):
    return -np.logaddexp(0, -x)


def spherical(z, eps=0.0):
    f, derivative = np.where(z == -INF, 0, z**2 + eps), np.where(z == -INF, 0, 2 * z)
    return f, derivative


def taylor(z, order=2):
    terms = [z**i / math.factorial(i) for i in range(order + 1)]
    return tuple(np.where(z == -INF, 0, sum(terms[:n])) for n in (order + 1, order))


def stable(z):
    f = np.where(z < 0, 1 / (1 - np.minimum(z, 0)), 1 + z)
    return f, np.where(z < 0, f**2, 1.0)


def normalized(function):
    """p, log p and their vector-Jacobian products, of f and f'."""

    def p(z, **parameters):
        f, _ = function(z, **parameters)
        s = f.sum(-1, keepdims=True)
        return np.where((s == 0) & (function is spherical), 1 / z.shape[-1], f / s)

    def vjp(z, g, **parameters):
        f, derivative = function(z, **parameters)
        s = f.sum(-1, keepdims=True)
        inner = (f * g).sum(-1, keepdims=True) / s
        return np.where((s == 0) & (function is spherical), 0, derivative / s * (g - inner))

    def log_p(z, **parameters):
        return np.log(p(z, **parameters))

    def log_vjp(z, g, **parameters):
        f, derivative = function(z, **parameters)
        ratio = np.where(f == 0, 0, derivative / f)
        return ratio * g - derivative / f.sum(-1, keepdims=True) * g.sum(-1, keepdims=True)

    return p, vjp, log_p, log_vjp


SPHERICAL, TAYLOR, STABLE = normalized(spherical), normalized(taylor), normalized(stable)
FUNCTIONS = {"spherical_softmax": spherical, "taylor_softmax": taylor, "stablemax": stable}


def hardmax(z):
    return np.eye(z.shape[-1])[np.nan_to_num(z.argmax(-1))] if z.size else z.copy()


MAPS = {  # name -> formula, parameters
    "softmin": (lambda z, temperature=1.0: softmax(-z, temperature), {"temperature": [1.0, 0.3, 40.0]}),
    "two_pass_softmax": (softmax, {}),
    "hardmax": (hardmax, {}),
    "spherical_softmax": (SPHERICAL[0], {"eps": [0.0, 1e-3, 2.0]}),
    "taylor_softmax": (TAYLOR[0], {"order": [2, 4, 6]}),
    "log_taylor_softmax": (TAYLOR[2], {"order": [2, 4, 6]}),
    "stablemax": (STABLE[0], {}),
    "log_stablemax": (STABLE[2], {}),
    "sigsoftmax": (lambda z: softmax(z + log_sigmoid(z)), {}),
}
VJPS = {  # of those that take z: name -> formula, parameters
    "spherical_softmax": (SPHERICAL[1], {"eps": [0.0, 1e-3, 2.0]}),
    "taylor_softmax": (TAYLOR[1], {"order": [2, 4, 6]}),
    "log_taylor_softmax": (TAYLOR[3], {"order": [2, 4, 6]}),
    "stablemax": (STABLE[1], {}),
    "log_stablemax": (STABLE[3], {}),
}


def along(axis, function, *arrays, **parameters):
    """A formula of rows applied along an axis, in float64; rows with NaN, or +inf (-inf for softmin), are NaN."""
    with np.errstate(all="ignore"):
        arrays = [np.moveaxis(np.asarray(array, np.float64), axis, -1) for array in arrays]
        return np.moveaxis(function(*arrays, **parameters), -1, axis)


def undefined_rows(z, axis, bad=INF):
    return (np.isnan(z) | (z == bad)).any(axis, keepdims=True)


def close(actual, reference, scale=None, axis=-1):
    """As `assert_close`, or by the size of the terms that the reference is a difference of."""
    with np.errstate(over="ignore"):
        reference = np.asarray(reference).astype(actual.dtype)
    if scale is None:
        return assert_close(actual, reference, axis=axis)
    np.testing.assert_array_equal(np.isnan(actual), np.isnan(reference))
    known = np.isfinite(reference) & np.isfinite(actual)
    np.testing.assert_array_equal(actual[~known], reference[~known])
    allowed = np.broadcast_to(SLACK[actual.dtype] * scale + np.finfo(actual.dtype).tiny, actual.shape)
    assert (np.abs(actual.astype(np.float64)[known] - reference[known]) <= allowed[known]).all()


# --- Worked examples -------------------------------------------------------------------------------------------------

Z3, G3, S3 = [[1.0, 2.0, 3.0]], [[1.0, 0.0, 2.0]], [[1.0, -2.0, 3.0]]
EXAMPLES = {
    "softmin": (lambda a: losskit.softmin(a(Z3)), [[0.665241, 0.2447285, 0.09003057]]),
    "masked_softmax": (lambda a: losskit.masked_softmax(a(Z3), [[1, 0, 1]]), [[0.1192029, 0, 0.8807971]]),
    "causal_softmax": (
        lambda a: losskit.causal_softmax(a([[[1, 2], [3, 5]]])),
        [[[1, 0], [0.1192029, 0.8807971]]],
    ),
    "softmax_with_sink": (lambda a: losskit.softmax_with_sink(a([[1, 2]]), a([0])), [[0.2447285, 0.665241]]),
    "grad_z with sink": (lambda a: sink_example(a)[0], [[-0.3035738, 0.5052829]]),
    "grad_sink": (lambda a: sink_example(a)[1], [-0.2017091]),
    "extexp_sum": (lambda a: np.stack(losskit.extexp_sum(a(Z3))), [[1.887055], [4]]),
    "extexp_sum, large": (lambda a: np.stack(losskit.extexp_sum(a([[1000, -1000]]))), [[0.8094652], [1443]]),
    "two_pass_softmax": (lambda a: losskit.two_pass_softmax(a([[1000, 999]])), [[0.7310586, 0.2689414]]),
    "online_softmax_stats": (lambda a: np.stack(losskit.online_softmax_stats(a([[1, 3, 2]]))), [[3], [1.503215]]),
    "online_softmax_merge": (lambda a: np.stack(losskit.online_softmax_merge(*map(a, (3, 1.5, 5, 1.1)))), [5, 1.303003]),
    "online_softmax_combine, lse": (lambda a: combine_example(a)[0], [1.313262]),
    "online_softmax_combine": (lambda a: combine_example(a)[1], [[2.462117]]),
    "spherical_softmax": (lambda a: losskit.spherical_softmax(a(S3)), [[0.07142857, 0.2857143, 0.6428571]]),
    "spherical_softmax_vjp": (
        lambda a: losskit.spherical_softmax_vjp(a(S3), a(G3)),
        [[-0.05102041, 0.3877551, 0.2755102]],
    ),
    "taylor_softmax": (lambda a: losskit.taylor_softmax(a(S3)), [[0.2083333, 0.08333333, 0.7083333]]),
    "log_taylor_softmax": (lambda a: losskit.log_taylor_softmax(a(S3)), [[-1.568616, -2.484907, -0.3448405]]),
    "taylor_softmax_vjp": (lambda a: losskit.taylor_softmax_vjp(a(S3), a(G3)), [[-0.1041667, 0.1354167, 0.125]]),
    "stablemax": (lambda a: losskit.stablemax(a(S3)), [[0.3157895, 0.05263158, 0.6315789]]),
    "log_stablemax": (lambda a: losskit.log_stablemax(a(S3)), [[-1.15268, -2.944439, -0.4595323]]),
    "log_stablemax_vjp": (
        lambda a: losskit.log_stablemax_vjp(a(S3), a(G3)),
        [[0.02631579, -0.05263158, 0.02631579]],
    ),
    "harmonic_max": (lambda a: losskit.harmonic_max(a([[1, 2, 4]])), [[0.7619048, 0.1904762, 0.04761905]]),
    "harmonic_max_vjp": (
        lambda a: losskit.harmonic_max_vjp(a([[1, 2, 4]]), losskit.harmonic_max(a([[1, 2, 4]])), a(G3)),
        [[-0.2176871, 0.1632653, -0.02721088]],
    ),
    "sigsoftmax": (lambda a: losskit.sigsoftmax(a(S3)), [[0.09401937, 0.0007632531, 0.9052174]]),
    "sdm_activation": (
        lambda a: losskit.sdm_activation(a(Z3), a([3]), a([0.5])),
        [[0.1214172, 0.271497, 0.6070858]],
    ),
    "sdm_activation, log": (
        lambda a: losskit.sdm_activation(a(Z3), a([3]), a([0.5]), log=True),
        [[-1.310099, -0.810099, -0.310099]],
    ),
    "softmax_step_radius": (
        lambda a: losskit.softmax_step_radius(a([[1, -1], [0, 0.5]]), a([[0, 2], [1, 1]])),
        [1.862096, 6.283185],
    ),
    "softmax_step_radius, bound": (lambda a: losskit.softmax_step_radius(a([[1, 0, -2]])), [1.047198]),
    "perp_grad": (lambda a: losskit.perp_grad(a([1, 0, 1]), a([1, 2, 0])), [0.5270463, 2.108185, -0.5270463]),
    "softmax_regression_loss": (lambda a: regression_example(a)[0], 0.07201298),
    "softmax_regression_loss, grad_x": (lambda a: regression_example(a)[1][1], [0.03512079, -0.1173329]),
    "one_step_gd_predictor": (
        lambda a: losskit.one_step_gd_predictor(a([[1, 0], [1, 1]]), a([2, 1]), a([[1, 2]]), eta=0.5),
        [2.5],
    ),
}


def sink_example(a):
    z, sink = a([[1, 2]]), a([0])
    return losskit.softmax_with_sink_vjp(z, sink, losskit.softmax_with_sink(z, sink), a([[1, 3]]))


def combine_example(a):
    return losskit.online_softmax_combine(a([0]), a([[1]]), a([1]), a([[3]]))


def regression_example(a):
    return losskit.softmax_regression_loss(a([[1, 0], [0, 1], [1, 1]]), a([0.5, -0.5]), a([0.2, 0.3, 0.5]), grad=True)


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name, dtype):
    function, expected = EXAMPLES[name]
    result = function(lambda values: np.array(values, dtype))
    assert result.dtype == dtype
    assert_close(result, np.array(expected), tolerance=3e-6 if dtype == np.float32 else 6e-7)


# --- Maps of rows ----------------------------------------------------------------------------------------------------


@given(logit_arrays(), st.sampled_from(sorted(MAPS)), st.data())
def test_maps_follow_their_definitions(drawn, name, data):
    z, axis = drawn
    formula, choices = MAPS[name]
    parameters = {key: data.draw(st.sampled_from(values)) for key, values in choices.items()}
    p = getattr(losskit, name)(z, axis=axis, **parameters)
    expected = along(axis, formula, z, **parameters)
    bad = np.isnan(z).any(axis, keepdims=True) if name == "hardmax" else undefined_rows(z, axis, -INF if name == "softmin" else INF)
    expected = np.where(bad, NAN, expected)
    close(p, expected, axis=axis)
    if name == "hardmax":
        np.testing.assert_array_equal(p, expected)


@given(logit_arrays(), st.sampled_from(sorted(VJPS)), st.data())
def test_vjps_follow_their_definitions(drawn, name, data):
    z, axis = drawn
    formula, choices = VJPS[name]
    parameters = {key: data.draw(st.sampled_from(values)) for key, values in choices.items()}
    g = np.random.default_rng(z.size).normal(0, 1, z.shape).astype(z.dtype)
    actual = getattr(losskit, name + "_vjp")(z, g, axis=axis, **parameters)
    expected = np.where(undefined_rows(z, axis), NAN, along(axis, formula, z, g, **parameters))
    # Differences of two terms, which their rounding is measured by.
    function, log = FUNCTIONS[name.removeprefix("log_")], name.startswith("log_")

    def terms(z, g, **parameters):
        f, derivative = function(z, **parameters)
        if log:
            return np.abs(np.where(f == 0, 0, derivative / f)) * (np.abs(g) + f / f.sum(-1, keepdims=True) * np.abs(g).sum(-1, keepdims=True))
        return np.abs(derivative) / f.sum(-1, keepdims=True) * np.abs(g).max(-1, keepdims=True)

    scale = np.nan_to_num(along(axis, terms, z, g, **parameters), posinf=np.finfo(z.dtype).max)
    close(actual, expected, scale=np.broadcast_to(scale.max(axis, keepdims=True, initial=0), z.shape))


@given(logit_arrays(), st.sampled_from(["softmin", "masked_softmax"]), st.sampled_from([1.0, 0.1, 7.0]))
def test_vjps_of_probabilities(drawn, name, temperature):
    z, axis = drawn
    p = losskit.softmax(np.where(np.isnan(z) | (z == INF), 0, z), axis=axis)
    p = np.where(np.isnan(p), 0, p).astype(z.dtype)
    g = np.random.default_rng(z.size).normal(0, 1, z.shape).astype(z.dtype)
    p64, g64 = p.astype(np.float64), g.astype(np.float64)
    expected = p64 * (g64 - (p64 * g64).sum(axis, keepdims=True)) / temperature
    if name == "masked_softmax":
        g[p == 0] = NAN
    actual = getattr(losskit, name + "_vjp")(p, g, temperature=temperature, axis=axis)
    scale = np.abs(p64 * g64).max(axis, keepdims=True, initial=0) / temperature
    close(actual, -expected if name == "softmin" else expected, scale=scale)


@given(logit_arrays(), st.sampled_from([1.0, 0.2, 30.0]), st.booleans(), st.integers(0, 2**32 - 1))
def test_masked_softmax(drawn, temperature, per_element, seed):
    z, axis = drawn
    rng = np.random.default_rng(seed)
    mask = rng.random(z.shape if per_element else z.shape[axis]) < rng.choice([0.0, 0.3, 0.9, 1.0])
    p = losskit.masked_softmax(z, mask, temperature=temperature, axis=axis)
    full = mask if mask.shape == z.shape else mask.reshape([-1 if d == axis % z.ndim else 1 for d in range(z.ndim)])
    full = np.broadcast_to(full, z.shape)
    visible = np.where(full, z, -INF)
    expected = along(axis, softmax, visible, temperature=temperature)
    empty = (visible == -INF).all(axis, keepdims=True)
    expected = np.where(undefined_rows(visible, axis), NAN, np.where(empty, 0, expected))
    close(p, np.where(full, expected, 0), axis=axis)


@pytest.mark.parametrize("offset", [0, 2, -3, 40, -40, 2**62, -(2**62)])
@pytest.mark.parametrize("shape", [(2, 5, 7), (1, 40, 33), (3, 6, 600), (2, 70, 200), (2, 3, 9, 4), (0, 4, 3), (2, 0, 3)])
def test_causal_softmax(shape, offset, dtype, rng):
    z, g = (rng.normal(0, 5, shape).astype(dtype) for _ in range(2))
    queries, keys = shape[-2:]
    seen = np.broadcast_to(np.arange(keys) <= np.arange(queries)[:, None] + offset, shape)
    z[~seen], g[~seen] = NAN, NAN
    if queries > 4:
        z[..., 4, 0] = -INF
        z[0, ..., 3, :] = np.where(seen[0, ..., 3, :], -INF, NAN)
    scale = 0.37
    with np.errstate(all="ignore"):
        x = np.where(seen, scale * z.astype(np.float64), -INF)
        expected = np.where((x == -INF).all(-1, keepdims=True), 0, softmax(x)) if x.size else x
    p = losskit.causal_softmax(z, scale=scale, offset=offset)
    close(p, expected)
    grad = losskit.causal_softmax_vjp(p, g, scale=scale, offset=offset)
    product = np.where(seen, p.astype(np.float64) * np.where(seen, g, 0), 0)
    expected = scale * (product - p * product.sum(-1, keepdims=True))
    close(grad, np.where(seen, expected, 0), scale=np.abs(product).max(-1, keepdims=True, initial=0))


@given(logit_arrays(), st.integers(0, 2**32 - 1))
def test_softmax_with_sink(drawn, seed):
    z, axis = drawn
    rng = np.random.default_rng(seed)
    per_row = np.delete(z.shape, axis % z.ndim)
    sink = rng.choice([0.0, -INF, 3.5, -80.0, 100.0, 1e4, NAN], per_row).astype(z.dtype)
    beside = np.expand_dims(sink, axis)
    both = np.concatenate([z, beside], axis)
    expected = along(axis, softmax, both)
    expected = np.where(undefined_rows(both, axis), NAN, expected)
    p = losskit.softmax_with_sink(z, sink, axis=axis)
    of_z, of_sink = np.split(expected, [z.shape[axis]], axis)
    close(p, of_z, axis=axis)
    g = rng.normal(0, 1, z.shape).astype(z.dtype)
    grad_z, grad_sink = losskit.softmax_with_sink_vjp(z, sink, p, g, axis=axis)
    p64 = p.astype(np.float64)
    product = (p64 * g).sum(axis, keepdims=True)
    scale = np.abs(p64 * g).max(axis, keepdims=True, initial=0)
    close(grad_z, p64 * (g - product), scale=scale)
    close(np.expand_dims(grad_sink, axis), -of_sink * product, scale=3 * of_sink * np.abs(p64 * g).sum(axis, keepdims=True))


def test_sink_probabilities_far_below_the_largest(dtype):
    z, g = np.array([[0.25, 90]], dtype), np.array([[0, 1]], dtype)
    for sink in (3.3, 60.1, 20.7):
        s = np.array([sink], dtype)
        _, grad_sink = losskit.softmax_with_sink_vjp(z, s, losskit.softmax_with_sink(z, s), g)
        expected = -math.exp(float(s[0]) - 90)
        np.testing.assert_allclose(grad_sink, expected, rtol=3e-6 if dtype == np.float32 else 1e-12)


@given(logit_arrays())
def test_sums_with_exponents(drawn):
    z, axis = drawn
    mantissa, exponent = losskit.extexp_sum(z, axis=axis)
    m, s = losskit.online_softmax_stats(z, axis=axis)
    z64 = z.astype(np.float64)
    with np.errstate(all="ignore"):
        maximum = z64.max(axis)
        shift = np.where(np.isfinite(maximum), maximum, 0)
        total = np.exp(z64 - np.expand_dims(shift, axis)).sum(axis)
    undefined = np.squeeze(undefined_rows(z, axis), axis)
    np.testing.assert_array_equal(m, np.where(np.isnan(z).any(axis), NAN, maximum))
    close(np.asarray(s), np.where(undefined, NAN, np.where(maximum == -INF, 0, total)), axis=None)
    assert np.isnan(mantissa[undefined]).all() and np.isnan(exponent[undefined]).all()
    nothing = maximum == -INF
    assert (mantissa[nothing] == 0).all() and (exponent[nothing] == -INF).all()
    good = ~undefined & ~nothing
    mantissa, exponent = (np.asarray(a)[good].astype(np.float64) for a in (mantissa, exponent))
    assert (exponent == np.round(exponent)).all() and (np.abs(exponent - shift[good] / math.log(2)) <= 0.5001).all()
    # m · 2^e = s · e^max
    expected = total[good] * np.exp(np.float64(1) * (shift[good] - exponent * math.log(2)))
    np.testing.assert_allclose(mantissa, expected, rtol=3e-6 if z.dtype == np.float32 else 1e-11)


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("count", [20, 130, 5000, 70001, 10**6])
def test_two_pass_sums_are_good_for_long_rows(count, axis, dtype, rng):
    rows = [np.zeros(count), np.log(rng.random(count)), rng.normal(0, 3, count), np.arange(count) / count * 200]
    z = np.stack(rows if count < 10**6 else rows[2:], 1 - axis).astype(dtype)
    p = losskit.two_pass_softmax(z, axis=axis)
    np.testing.assert_allclose([math.fsum(row) for row in np.moveaxis(p, axis, 1)], 1, rtol=2e-6 if dtype == np.float32 else 1e-12)
    close(p, along(axis, softmax, z), axis=axis)


@pytest.mark.parametrize("width", [3, 40, 3000])
def test_two_pass_rows_that_fall_back(width, dtype):
    limit = 2.0**19 if dtype == np.float32 else 2.0**40
    base = np.linspace(-1, 1, 16 * width).reshape(16, width).astype(dtype)
    z = base.copy()
    z[1, :], z[3, :2], z[5, :2] = -3 * limit, (2 * limit, 2 * limit), (-INF, NAN)
    z[7, :], z[9, 1:], z[11, 0], z[13, 1:] = -INF, -INF, INF, -1e9
    p = losskit.two_pass_softmax(z)
    for row, expected in ((1, np.full(width, 1 / width)), (3, [0.5, 0.5] + [0] * (width - 2)), (5, np.full(width, NAN))):
        np.testing.assert_allclose(p[row], expected, rtol=1e-6)
    assert np.isnan(p[7]).all() and np.isnan(p[11]).all()
    for row in (9, 13):
        assert p[row, 0] == 1 and (p[row, 1:] == 0).all()
    assert p[::2].tobytes() == losskit.two_pass_softmax(base)[::2].tobytes()


def test_softmax_of_rows_beyond_the_caches(dtype, rng):
    count = (1 << 22) + 5
    z = rng.standard_normal((1, count), np.float32).astype(dtype) * 4
    z[0, ::1001] = -INF
    for temperature in (1.0, 0.25):
        p = losskit.softmax(z, temperature=temperature)
        close(p, softmax(z.astype(np.float64), temperature))
    losskit.set_num_threads(2)
    assert losskit.softmax(z, temperature=0.25).tobytes() == p.tobytes()
    z[0, 17] = NAN
    assert np.isnan(losskit.softmax(z)).all()


# --- Streaming -------------------------------------------------------------------------------------------------------


def test_merged_statistics_are_those_of_the_whole(dtype, rng):
    z = rng.normal(0, 30, (50, 300)).astype(dtype)
    z[3, :200], z[4], z[5, 200:] = -INF, -INF, -INF
    parts = [losskit.online_softmax_stats(part) for part in np.split(z, [7, 200], 1)]
    m, s = parts[0]
    for part in parts[1:]:
        m, s = losskit.online_softmax_merge(m, s, *part)
    whole = losskit.online_softmax_stats(z)
    np.testing.assert_array_equal(m, whole[0])
    close(s, whole[1].astype(np.float64), axis=None)
    special = np.array([NAN, 1.0, INF, -INF], dtype)
    m, s = losskit.online_softmax_merge(special, np.ones(4, dtype), special[::-1].copy(), np.ones(4, dtype))
    np.testing.assert_array_equal(m, [NAN, INF, INF, NAN])
    assert np.isnan(s).all()


def test_combined_parts_are_the_whole_attention(dtype, rng):
    z, v = rng.normal(0, 4, (40, 70)), rng.normal(0, 1, (70, 19))
    z[:, :] += rng.choice([0, 1e4, -1e4], (40, 1))
    z[2, :30] = -INF
    exact = softmax(z) @ v
    lse = np.log(np.exp(z - z.max(1, keepdims=True)).sum(1)) + z.max(1)
    parts = []
    for part in (slice(0, 30), slice(30, 70)):
        with np.errstate(all="ignore"):
            m = z[:, part].max(1)
            parts += [m + np.log(np.exp(z[:, part] - m[:, None]).sum(1)), softmax(z[:, part]) @ v[part]]
    parts[0][2], parts[1][2] = -INF, 0
    parts64 = [part.astype(dtype).astype(np.float64) for part in parts]
    combined = losskit.online_softmax_combine(*(part.astype(dtype) for part in parts))
    if dtype == np.float64:
        np.testing.assert_allclose(combined[0], lse, rtol=1e-11)
        np.testing.assert_allclose(combined[1], exact, atol=1e-9)
    difference = parts64[0] - parts64[2]
    w = np.exp(log_sigmoid(difference))[:, None], np.exp(log_sigmoid(-difference))[:, None]
    close(combined[0], np.logaddexp(parts64[0], parts64[2]), axis=None)
    close(combined[1], w[0] * parts64[1] + w[1] * parts64[3])
    nothing = np.full(2, -INF, dtype)
    lse, out = losskit.online_softmax_combine(nothing, np.ones((2, 3), dtype), nothing, np.ones((2, 3), dtype))
    assert (lse == -INF).all() and (out == 0).all()


def test_combine_vjp_is_the_gradient(rng):
    inputs = [rng.normal(0, 1, 4), rng.normal(0, 1, (4, 5)), rng.normal(0, 1, 4), rng.normal(0, 1, (4, 5))]
    g_lse, g_out = rng.normal(0, 1, 4), rng.normal(0, 1, (4, 5))
    grads = losskit.online_softmax_combine_vjp(*inputs, g_lse, g_out)
    for index, grad in enumerate(grads):

        def value(x, index=index):
            lse, out = losskit.online_softmax_combine(*(x if i == index else a for i, a in enumerate(inputs)))
            return (lse * g_lse).sum() + (out * g_out).sum()

        assert_gradient(value, inputs[index], grad)
    single = losskit.online_softmax_combine_vjp(*(a.astype(np.float32) for a in (*inputs, g_lse, g_out)))
    for grad, expected in zip(single, grads):
        np.testing.assert_allclose(grad, expected, atol=2e-6)


# --- Gradients -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("axis", [0, 1])
def test_vjps_are_gradients(axis, rng):
    z, g = rng.normal(0, 2, (4, 5)), rng.normal(0, 1, (4, 5))
    z[np.abs(z) < 0.02] += 0.1  # stablemax has a kink in its second derivative at 0
    pull = lambda function, **options: lambda z: (function(z, **options) * g).sum()  # noqa: E731
    for name, (_, choices) in VJPS.items():
        for values in itertools.product(*choices.values()):
            options = dict(zip(choices, values), axis=axis)
            vjp = getattr(losskit, name + "_vjp")(z, g, **options)
            assert_gradient(pull(getattr(losskit, name), **options), z, vjp, tolerance=1e-7)
    p = losskit.softmin(z, temperature=0.7, axis=axis)
    assert_gradient(pull(losskit.softmin, temperature=0.7, axis=axis), z, losskit.softmin_vjp(p, g, temperature=0.7, axis=axis))
    vjp = losskit.sigsoftmax_vjp(z, losskit.sigsoftmax(z, axis=axis), g, axis=axis)
    assert_gradient(pull(losskit.sigsoftmax, axis=axis), z, vjp)
    d = np.abs(z) + 0.5
    for n in (1.0, 2.0, 7.5):
        vjp = losskit.harmonic_max_vjp(d, losskit.harmonic_max(d, n=n, axis=axis), g, n=n, axis=axis)
        assert_gradient(pull(losskit.harmonic_max, n=n, axis=axis), d, vjp, tolerance=1e-7)
    sink = rng.normal(0, 1, np.delete(z.shape, axis))
    grad_z, grad_sink = losskit.softmax_with_sink_vjp(z, sink, losskit.softmax_with_sink(z, sink, axis=axis), g, axis=axis)
    assert_gradient(lambda z: (losskit.softmax_with_sink(z, sink, axis=axis) * g).sum(), z, grad_z)
    assert_gradient(lambda sink: (losskit.softmax_with_sink(z, sink, axis=axis) * g).sum(), sink, grad_sink)
    q, quantile = rng.random(len(sink)) * 5, rng.random(len(sink))
    for log, change in ((False, True), (True, False), (True, True)):
        options = dict(log=log, change_of_base=change, q_offset=1.5, axis=axis)
        out = losskit.sdm_activation(z, q, quantile, **options)
        vjp = losskit.sdm_activation_vjp(q, quantile, out, g, **options)
        assert_gradient(lambda z: (losskit.sdm_activation(z, q, quantile, **options) * g).sum(), z, vjp)  # noqa: B023


# --- Harmonic max and the SDM activation -----------------------------------------------------------------------------


@given(logit_arrays(special=False), st.sampled_from([0.5, 1.0, 2.0, 28.0, 64.0]), st.integers(0, 2**32 - 1))
def test_harmonic_max(drawn, n, seed):
    z, axis = drawn
    rng = np.random.default_rng(seed)
    d = np.abs(z) * rng.choice([1, 1, 0, INF], z.shape, p=[0.6, 0.36, 0.02, 0.02]).astype(z.dtype)
    d = np.where(np.isnan(d), 0, d).astype(z.dtype)
    p = losskit.harmonic_max(d, n=n, axis=axis)
    with np.errstate(all="ignore"):
        d64 = d.astype(np.float64)
        least = d64.min(axis, keepdims=True)
        power = np.where(d64 == least, 1, (least / d64) ** n)
        expected = np.where(least == INF, NAN, power / power.sum(axis, keepdims=True))
    close(p, expected, axis=axis)
    g = rng.normal(0, 1, z.shape).astype(z.dtype)
    actual = losskit.harmonic_max_vjp(d, p, g, n=n, axis=axis)
    p64 = p.astype(np.float64)
    with np.errstate(all="ignore"):
        factor = np.where(d64 == 0, 0, -n / d64)
        expected = factor * p64 * (g - (p64 * g).sum(axis, keepdims=True))
        expected = np.where((d64 == 0) & (least == 0), 0, expected)
        scale = np.abs(factor) * p64 * np.abs(g).max(axis, keepdims=True, initial=0)
    close(actual, expected, scale=np.nan_to_num(scale, posinf=0).max(axis, keepdims=True, initial=0) + np.zeros(z.shape))
    if d.size:
        d.flat[-1] = NAN
        assert np.isnan(losskit.harmonic_max(d, n=n, axis=axis).flat[-1])
        d.flat[-1] = -1e-30
        assert_error("INVALID_VALUE", losskit.harmonic_max, d, n=n, axis=axis)
        assert_error("INVALID_VALUE", losskit.harmonic_max_vjp, d, p, g, n=n, axis=axis)


@given(logit_arrays(), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
def test_sdm_activation(drawn, log, change_of_base, has_d, seed):
    z, axis = drawn
    rng = np.random.default_rng(seed)
    per_row = np.delete(z.shape, axis % z.ndim)
    q = rng.choice([0.0, 1.0, 5.0, 1000.0, math.e - 2], per_row).astype(z.dtype)
    d = rng.choice([0.0, 1.0, 0.3, 0.9], per_row).astype(z.dtype) if has_d else None
    options = dict(log=log, change_of_base=change_of_base, q_offset=1.001, axis=axis)
    out = losskit.sdm_activation(z, q, d, **options)
    base = np.expand_dims(np.log(1.001 + q.astype(np.float64)), axis)
    scale = base * (1 if d is None else np.expand_dims(d.astype(np.float64), axis))
    with np.errstate(all="ignore"):
        m = z.astype(np.float64).max(axis, keepdims=True)
        x = np.where(z == -INF, -INF, scale * (z - np.where(np.isfinite(m), m, 0)))  # the order that rounds less
    expected = along(axis, log_softmax if log else softmax, x)
    if log and change_of_base:
        expected = expected / base
    expected = np.where(undefined_rows(z, axis) | (z == -INF).all(axis, keepdims=True), NAN, expected)
    close(out, expected, axis=axis)
    g = rng.normal(0, 1, z.shape).astype(z.dtype)
    actual = losskit.sdm_activation_vjp(q, d, out, g, **options)
    out64, g64 = out.astype(np.float64), g.astype(np.float64)
    with np.errstate(all="ignore"):
        divisor = base if log and change_of_base else 1
        p = np.exp(out64 * divisor) if log else out64
        inner = (g64 if log else p * g64).sum(axis, keepdims=True)
        expected = scale / divisor * (g64 - p * inner) if log else scale * p * (g64 - inner)
        terms = np.abs(g64) + p * np.abs(g64).sum(axis, keepdims=True) if log else p * np.abs(g64).max(axis, keepdims=True, initial=0)
        terms = np.nan_to_num(terms).max(axis, keepdims=True, initial=0) * scale / divisor
    if log:  # e^x grows the rounding of x·ln b
        terms = terms * 30
    close(actual, expected, scale=terms)


def test_sdm_of_base_e_is_softmax(dtype, rng):
    z = rng.normal(0, 3, (7, 40)).astype(dtype)
    q = np.full(7, math.e - 2, dtype)
    np.testing.assert_allclose(losskit.sdm_activation(z, q), losskit.softmax(z), rtol=1e-5 if dtype == np.float32 else 1e-12)
    for wrong in (dict(q=-1.0), dict(q=NAN), dict(q=INF), dict(d=-0.1), dict(d=1.1), dict(d=NAN)):
        arrays = {"q": q.copy(), "d": np.ones(7, dtype)}
        for name, value in wrong.items():
            arrays[name][3] = value
        assert_error("INVALID_VALUE", losskit.sdm_activation, z, arrays["q"], arrays["d"])
        assert_error("INVALID_VALUE", losskit.sdm_activation_vjp, arrays["q"], arrays["d"], z, z)
    assert_error("INVALID_VALUE", losskit.sdm_activation, z, np.zeros(7, dtype), q_offset=1.0)
    assert_error("INVALID_PARAMETER", losskit.sdm_activation, z, q, q_offset=NAN)


# --- What is special -------------------------------------------------------------------------------------------------


def test_extreme_scores_do_not_overflow(dtype):
    largest, smallest = np.finfo(dtype).max, np.finfo(dtype).tiny
    third = losskit.spherical_softmax(np.array([[largest, -largest, largest], [smallest] * 3, [0, 0, 0]], dtype))
    np.testing.assert_allclose(third, 1 / 3, rtol=1e-6)
    third = losskit.spherical_softmax(np.full((1, 3), smallest, dtype), eps=1e-3)
    np.testing.assert_allclose(third, 1 / 3, rtol=1e-6)
    assert (losskit.spherical_softmax_vjp(np.zeros((2, 3), dtype), np.ones((2, 3), dtype)) == 0).all()
    z = np.array([[largest / 4, -largest / 4, 0]], dtype)
    log_p = losskit.log_stablemax(z)
    np.testing.assert_allclose(log_p, [[0, -2 * math.log(largest / 4), -math.log(largest / 4)]], rtol=1e-6, atol=1e-6)
    overflow = np.array([[np.sqrt(largest) * 4, 0, 1]], dtype)
    assert np.isnan(losskit.taylor_softmax(overflow)).all() and np.isnan(losskit.log_taylor_softmax(overflow)).all()
    for name in ("taylor_softmax", "stablemax"):
        log_p = getattr(losskit, "log_" + name)(np.array([[5.0], [-3.0], [1e4]], dtype))
        assert (log_p == 0).all()


def test_one_class(dtype):
    z = np.array([[3], [-1e3], [0.5]], dtype)
    g = np.array([[0.3], [-7], [2]], dtype)
    for name in ("softmin", "two_pass_softmax", "hardmax", "stablemax", "spherical_softmax", "taylor_softmax", "sigsoftmax"):
        assert (getattr(losskit, name)(z) == 1).all(), name
    for name in VJPS:
        np.testing.assert_allclose(getattr(losskit, name + "_vjp")(z, g), 0, atol=1e-6 if dtype == np.float32 else 1e-15)
    assert (losskit.harmonic_max(np.abs(z)) == 1).all()
    assert (losskit.masked_softmax(z, [True]) == 1).all() and (losskit.masked_softmax(z, [False]) == 0).all()


@pytest.mark.parametrize("shape, axis", [((0, 5), 1), ((3, 0, 5), 2), ((4, 0), 0), ((2, 3, 0), 1)])
def test_no_rows(shape, axis, dtype):
    z, per_row = np.empty(shape, dtype), np.empty(np.delete(shape, axis), dtype)
    for name in MAPS:
        assert getattr(losskit, name)(z, axis=axis).shape == shape
    for name in VJPS:
        assert getattr(losskit, name + "_vjp")(z, z, axis=axis).shape == shape
    assert losskit.masked_softmax(z, np.ones(shape[axis]), axis=axis).shape == shape
    assert losskit.softmax_with_sink_vjp(z, per_row, z, z, axis=axis)[1].shape == per_row.shape
    assert losskit.sdm_activation(z, per_row, axis=axis).shape == shape
    assert losskit.extexp_sum(z, axis=axis)[0].shape == per_row.shape
    assert losskit.softmax_step_radius(z, axis=axis).shape == per_row.shape


# --- Diagnostics and small objectives --------------------------------------------------------------------------------


@given(logit_arrays(), st.booleans())
def test_softmax_step_radius(drawn, with_logits):
    a, axis = drawn
    z = np.random.default_rng(a.size).normal(0, 30, a.shape).astype(a.dtype)
    radius = losskit.softmax_step_radius(a, z if with_logits else None, axis=axis)
    with np.errstate(all="ignore"):
        width = a.astype(np.float64).max(axis) - a.astype(np.float64).min(axis)
        exact = with_logits and a.shape[axis] == 2
        difference = np.diff(z.astype(np.float64), axis=axis).squeeze(axis) if exact else 0.0
        expected = np.sqrt(difference**2 + math.pi**2) / width
    close(np.asarray(radius), expected, axis=None if radius.ndim == 0 else -1, scale=np.abs(np.nan_to_num(expected, posinf=0)))


def test_perp_grad(dtype, rng):
    for count in (1, 7, 40, 1000, 200_003):
        w, g = (rng.normal(0, 1, count).astype(dtype) for _ in range(2))
        g64, w64 = g.astype(np.float64), w.astype(np.float64)
        o = g64 - (w64 @ g64) / (w64 @ w64 + 1e-30) * w64
        if count > 1:
            assert_close(losskit.perp_grad(w, g), o * np.linalg.norm(g64) / (np.linalg.norm(o) + 1e-30))
    w = rng.normal(0, 1, (30, 20)).astype(dtype)
    g = (3 * w.astype(np.float64) + 1e-3 * rng.normal(0, 1, w.shape)).astype(dtype)  # all but parallel
    out = losskit.perp_grad(w, g).astype(np.float64)
    assert abs((out * w).sum()) < 1e-3 * np.linalg.norm(out) * np.linalg.norm(w) * (1 if dtype == np.float32 else 1e-6)
    np.testing.assert_allclose(np.linalg.norm(out), np.linalg.norm(g), rtol=1e-6)
    np.testing.assert_allclose(losskit.perp_grad(np.zeros(5, dtype), np.arange(5, dtype=dtype)), np.arange(5))
    assert (losskit.perp_grad(w, np.zeros_like(w)) == 0).all()
    assert losskit.perp_grad(np.empty(0, dtype), np.empty(0, dtype)).shape == (0,)
    for bad in (-1.0, NAN, INF):
        assert_error("INVALID_PARAMETER", losskit.perp_grad, w, g, eps=bad)
    assert_error("INVALID_SHAPE", losskit.perp_grad, w, g[:3])


@pytest.mark.parametrize("rows, columns", [(1, 1), (3, 2), (17, 33), (300, 70), (5, 1100)])
def test_softmax_regression_loss(rows, columns, dtype, rng):
    a, x, b = (rng.normal(0, 1, shape).astype(dtype) for shape in ((rows, columns), columns, rows))
    a64, x64, b64 = (v.astype(np.float64) for v in (a, x, b))
    f = softmax(a64 @ x64)
    r = f - b64
    u = f * (r - f @ r)
    loss, (grad_a, grad_x) = losskit.softmax_regression_loss(a, x, b, grad=True)
    assert_close(np.asarray(loss), 0.5 * r @ r)
    assert loss == losskit.softmax_regression_loss(a, x, b)
    scale = np.abs(f).max() * np.abs(r).max()
    np.testing.assert_allclose(grad_a, np.outer(u, x64), atol=SLACK[dtype] * scale * np.abs(x64).max())
    np.testing.assert_allclose(grad_x, a64.T @ u, atol=SLACK[dtype] * scale * np.abs(a64).max())
    if dtype == np.float64 and rows * columns < 50:
        assert_gradient(lambda a: losskit.softmax_regression_loss(a, x, b), a, grad_a)
        assert_gradient(lambda x: losskit.softmax_regression_loss(a, x, b), x, grad_x)


@pytest.mark.parametrize("rows, columns, queries", [(2, 2, 1), (17, 33, 5), (100, 1100, 3), (0, 4, 3), (3, 4, 0), (5, 1, 2)])
@pytest.mark.parametrize("has_precond", [False, True])
def test_one_step_gd_predictor(rows, columns, queries, has_precond, dtype, rng):
    shapes = ((rows, columns), rows, (queries, columns), (columns, columns), queries)
    x, y, xq, precond, g = (rng.normal(0, 1, shape).astype(dtype) for shape in shapes)
    options = dict(eta=0.7, precond=precond if has_precond else None)
    x64, y64, xq64, p64, g64 = (v.astype(np.float64) for v in (x, y, xq, precond, g))
    matrix = p64 if has_precond else np.eye(columns)
    w, t = 0.7 * matrix @ (x64.T @ y64), 0.7 * matrix.T @ (xq64.T @ g64)
    prediction = losskit.one_step_gd_predictor(x, y, xq, **options)
    close(prediction, xq64 @ w, scale=np.sqrt(columns) * (np.abs(w).max(initial=0) + 1))
    grads = losskit.one_step_gd_predictor_vjp(x, y, xq, g, **options)
    for grad, expected in zip(grads, (np.outer(y64, t), x64 @ t, np.outer(g64, w))):
        close(grad, expected, scale=np.sqrt(columns) * (np.abs(expected).max(initial=0) + 1))
    if dtype == np.float64 and 0 < rows * columns * queries < 50:
        inputs = [x, y, xq]
        for index, grad in enumerate(grads):
            replaced = lambda v: [v if i == index else a for i, a in enumerate(inputs)]  # noqa: B023, E731
            assert_gradient(lambda v: losskit.one_step_gd_predictor(*replaced(v), **options) @ g, inputs[index], grad)  # noqa: B023


def test_objectives_refuse():
    a, x, b = np.zeros((3, 2)), np.zeros(2), np.zeros(3)
    assert_error("INVALID_SHAPE", losskit.softmax_regression_loss, a, x[:1], b)
    assert_error("INVALID_SHAPE", losskit.softmax_regression_loss, a, x, b[:2])
    assert_error("INVALID_SHAPE", losskit.softmax_regression_loss, a[:0], x, b[:0])
    assert_error("INVALID_SHAPE", losskit.one_step_gd_predictor, a, b, a[:, :1])
    assert_error("INVALID_SHAPE", losskit.one_step_gd_predictor, a, b, a, precond=a)
    assert_error("INVALID_PARAMETER", losskit.one_step_gd_predictor, a, b, a, eta=NAN)
    assert_error("INVALID_SHAPE", losskit.one_step_gd_predictor_vjp, a, b, a, np.zeros(2))


# --- Refusals and memory ---------------------------------------------------------------------------------------------


def row_calls(dtype, outer=3, classes=5, inner=2):
    """Every function of rows: inputs in [0.5, 1.5], so that all take them."""
    rng = np.random.default_rng(5)
    array = lambda: rng.uniform(0.5, 1.5, (outer, classes, inner)).astype(dtype)  # noqa: E731
    per_row = lambda: rng.uniform(0.1, 0.9, (outer, inner)).astype(dtype)  # noqa: E731
    sizes = dict(outer=outer, classes=classes, inner=inner)
    sdm = dict(**sizes, q=per_row(), d=per_row(), change_of_base=True, q_offset=2.0)
    of_z = dict(softmin=("p", {"temperature": 1.0}), hardmax=("y", {}), two_pass_softmax=("p", {}), stablemax=("p", {}))
    of_z |= dict(spherical_softmax=("p", {"eps": 0.1}), taylor_softmax=("p", {"order": 4}), sigsoftmax=("p", {}))
    of_z |= dict(log_taylor_softmax=("log_p", {"order": 4}), log_stablemax=("log_p", {}))
    for name, (output, parameters) in of_z.items():
        yield RawCall(name, dtype, [output], z=array(), **{output: array()}, **sizes, **parameters)
        if name in VJPS:
            arrays = dict(z=array(), grad_output=array(), grad_z=array())
            yield RawCall(name + "_vjp", dtype, ["grad_z"], **arrays, **sizes, **parameters)
    for name in ("softmin_vjp", "masked_softmax_vjp"):
        arrays = dict(p=array(), grad_output=array(), grad_z=array())
        yield RawCall(name, dtype, ["grad_z"], **arrays, **sizes, temperature=1.0)
    for per_element in (False, True):
        mask = (rng.random((outer, classes, inner) if per_element else classes) < 0.7).astype(np.uint8)
        arrays = dict(z=array(), mask=mask, p=array())
        yield RawCall("masked_softmax", dtype, ["p"], **arrays, mask_per_element=per_element, **sizes, temperature=1.0)
    yield RawCall("softmax_with_sink", dtype, ["p"], z=array(), sink=per_row(), p=array(), **sizes)
    arrays = dict(z=array(), sink=per_row(), p=array(), grad_output=array(), grad_z=array(), grad_sink=per_row())
    yield RawCall("softmax_with_sink_vjp", dtype, ["grad_z", "grad_sink"], **arrays, **sizes)
    yield RawCall("extexp_sum", dtype, ["mantissa", "exponent"], z=array(), mantissa=per_row(), exponent=per_row(), **sizes)
    yield RawCall("online_softmax_stats", dtype, ["m", "s"], z=array(), m=per_row(), s=per_row(), **sizes)
    yield RawCall("harmonic_max", dtype, ["p"], d=array(), p=array(), n=2.0, **sizes)
    arrays = dict(d=array(), p=array(), grad_output=array(), grad_d=array())
    yield RawCall("harmonic_max_vjp", dtype, ["grad_d"], **arrays, n=2.0, **sizes)
    arrays = dict(z=array(), p=array(), grad_output=array(), grad_z=array())
    yield RawCall("sigsoftmax_vjp", dtype, ["grad_z"], **arrays, **sizes)
    for logarithm in (False, True):
        yield RawCall("sdm_activation", dtype, ["out"], z=array(), out=array(), logarithm=logarithm, **sdm)
        arrays = dict(out=-array(), grad_output=array(), grad_z=array())
        yield RawCall("sdm_activation_vjp", dtype, ["grad_z"], **arrays, logarithm=logarithm, **sdm)
    yield RawCall("softmax_step_radius", dtype, ["radius"], a=array(), z=array(), radius=per_row(), **sizes)
    if inner == 1:
        arrays = dict(lse_a=per_row(), out_a=array(), lse_b=per_row(), out_b=array())
        sides = dict(rows=outer, width=classes)
        yield RawCall("online_softmax_combine", dtype, ["lse", "out"], **arrays, lse=per_row(), out=array(), **sides)
        grads = dict(grad_lse_a=per_row(), grad_out_a=array(), grad_lse_b=per_row(), grad_out_b=array())
        given = dict(grad_lse=per_row(), grad_out=array())
        yield RawCall("online_softmax_combine_vjp", dtype, list(grads), **arrays, **given, **grads, **sides)
        causal = dict(batch=1, queries=outer, keys=classes, scale=0.5, offset=1)
        yield RawCall("causal_softmax", dtype, ["p"], z=array(), p=array(), **causal)
        arrays = dict(p=array(), grad_output=array(), grad_z=array())
        yield RawCall("causal_softmax_vjp", dtype, ["grad_z"], **arrays, **causal)


def test_interface_refuses(dtype):
    for call in [*row_calls(dtype), *row_calls(dtype, inner=1)]:
        assert call() == "OK", call.name
        arrays = [key for key, value in call.arguments.items() if isinstance(value, np.ndarray)]
        sizes = {"outer", "classes", "inner", "rows", "width", "batch", "queries", "keys"} & set(call.arguments)
        for pointer in arrays:
            optional = pointer == "d" and call.name.startswith("sdm") or pointer == "z" and call.name.endswith("radius")
            assert call(**{pointer: None}) == ("OK" if optional else "NULL_POINTER"), (call.name, pointer)
        for size, bad in itertools.product(sizes, (-1, -(2**63), 2**62, 2**63 - 1)):
            assert call(**{size: bad}) == "INVALID_SHAPE", (call.name, size, bad)
        for size in {"classes", "width", "keys"} & sizes:
            assert call(**{size: 0}) == "INVALID_SHAPE"
        for size in {"outer", "inner", "rows", "batch", "queries"} & sizes:
            assert call(**{size: 0}, **dict.fromkeys(arrays)) == "OK"
        for parameter, bads in dict(
            temperature=(0.0, -1.0, NAN, INF), scale=(0.0, -1.0, NAN, INF), n=(0.0, -1.0, NAN, INF), eps=(-1.0, NAN, INF),
            order=(0, 1, 3, -2), q_offset=(NAN, INF),
        ).items():  # fmt: skip
            for bad in bads if parameter in call.arguments else ():
                assert call(**{parameter: bad}) == "INVALID_PARAMETER", (call.name, parameter, bad)


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 1), (17, 3, 1), (5, 17, 1), (3, 33, 1), (2, 2053, 1), (2, 3, 7), (3, 18, 33)])
def test_nothing_beyond_the_arrays_is_touched(shape, side, dtype):
    for call in row_calls(dtype, *shape):
        call.assert_stays_inside(side)


@pytest.mark.parametrize("shape", [(33, 5, 1), (7, 40, 1), (3, 1100, 1), (2, 70, 5), (5, 6, 40)])
def test_in_place(shape, dtype):
    for call in row_calls(dtype, *shape):
        output = call.outputs[0]
        source = next((key for key in ("grad_output", "out_a", "z", "d") if key in call.arguments), None)
        if call.name in ("online_softmax_combine_vjp", "extexp_sum", "online_softmax_stats", "softmax_step_radius"):
            continue
        output = "out" if call.name == "online_softmax_combine" else output
        assert call() == "OK"
        expected, shared = call.arguments[output].copy(), call.arguments[source].copy()
        assert RawCall(call.name, dtype, [], **{**call.arguments, source: shared, output: shared})() == "OK"
        assert shared.tobytes() == expected.tobytes(), call.name


def test_masks_of_other_types_and_shapes():
    z = np.zeros((2, 3))
    for mask in ([1, 0, 1], [True, False, True], np.array([[1.0, 0, 5]] * 2), np.array([[1, 0, 2]] * 2, np.int8)):
        np.testing.assert_array_equal(losskit.masked_softmax(z, mask), [[0.5, 0, 0.5]] * 2)
    assert_error("INVALID_SHAPE", losskit.masked_softmax, z, np.ones(2))
    assert_error("INVALID_SHAPE", losskit.masked_softmax, z, np.ones((1, 3)))
    assert_error("INVALID_SHAPE", losskit.causal_softmax, np.zeros(3))


BITS = """
import inspect
sys.path.insert(0, {tests!r})
import test_softmax_maps as maps
for real in (np.float32, np.float64):
    for shape in ((300, 1100, 1), (4000, 10, 1), (4, 19, 199), (1, 70001, 1), (2, 40000, 1)):
        for index, call in enumerate(maps.row_calls(np.dtype(real), *shape)):
            assert call() == "OK", call.name
            for output in call.outputs:
                results[f"{call.name} {output} {index} {real.__name__} {shape}"] = call.arguments[output].copy()
    w, g = (np.random.default_rng(2).normal(0, 1, 300000).astype(real) for _ in range(2))
    results[f"perp {real.__name__}"] = losskit.perp_grad(w, g)
    loss, grads = losskit.softmax_regression_loss(w.reshape(500, 600), g[:600], g[:500], grad=True)
    results[f"regression {real.__name__}"] = np.concatenate([loss[None], grads[0].ravel(), grads[1]])
    for i, grad in enumerate(losskit.one_step_gd_predictor_vjp(w.reshape(500, 600), g[:500], g.reshape(500, 600), w[:500])):
        results[f"predictor {i} {real.__name__}"] = grad
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    from pathlib import Path

    assert_same_bits(BITS.replace("{tests!r}", repr(str(Path(__file__).parent))), threads=(1, 3))
