"""Softmax family: judged by NumPy float64 formulas written from the definitions, finite differences and exact sums."""

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

TEMPERATURES = [1.0, 1.0, 0.1, 0.37, 2.5, 1e-3, 1e-30, 1e3, 1e30]
INF, NAN = math.inf, math.nan


# --- The definitions, in NumPy ---------------------------------------------------------------------------------------


def in_float64(function):
    """Calls with float64 arrays and lets infinities and NaN pass without a word."""

    def call(*arrays, **parameters):
        with np.errstate(all="ignore"):
            return function(*(np.asarray(a, np.float64) for a in arrays), **parameters)

    return call


@in_float64
def reference_softmax(z, temperature=1.0, axis=-1):
    e = np.exp((z - z.max(axis, keepdims=True)) / temperature)
    return e / e.sum(axis, keepdims=True)


@in_float64
def reference_softmax_vjp(p, g, temperature=1.0, axis=-1):
    return p * (g - (p * g).sum(axis, keepdims=True)) / temperature


@in_float64
def reference_log_softmax(z, temperature=1.0, axis=-1):
    x = (z - z.max(axis, keepdims=True)) / temperature
    return x - np.log(np.exp(x).sum(axis, keepdims=True))


@in_float64
def reference_log_softmax_vjp(log_p, g, temperature=1.0, axis=-1):
    return (g - np.exp(log_p) * g.sum(axis, keepdims=True)) / temperature


@in_float64
def reference_logsumexp(z, weights, axis=-1):
    """Rows last. Entries of weight 0 do not take part."""
    z, weights = np.moveaxis(z, axis, -1), np.broadcast_to(np.moveaxis(weights, axis, -1), np.moveaxis(z, axis, -1).shape)
    z = np.where(weights > 0, z, -INF)
    m = z.max(-1, keepdims=True)
    shift = np.where(np.isfinite(m), m, 0)
    return (shift + np.log(np.where(weights > 0, weights * np.exp(z - shift), 0).sum(-1, keepdims=True)))[..., 0]


@in_float64
def reference_logsumexp_vjp(z, lse, g, weights, axis=-1):
    lse, g = np.expand_dims(lse, axis), np.expand_dims(g, axis)
    return np.where((weights > 0) & (lse != -INF), g * weights * np.exp(z - lse), 0)


@in_float64
def reference_sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


@in_float64
def reference_log_sigmoid(x):
    return -np.logaddexp(0, -x)


@in_float64
def reference_softplus(x, beta=1.0, threshold=20.0):
    return np.where(beta * x > threshold, x, np.logaddexp(0, beta * x) / beta)


def close(actual, reference, **options):
    """What the reference rounds to, which may be an infinity, is what float32 is judged by."""
    with np.errstate(over="ignore"):
        assert_close(actual, np.asarray(reference).astype(np.asarray(actual).dtype), **options)


def close_each(actual, reference, tolerance=None):
    """Every element by itself, not by the largest of a row."""
    actual = np.asarray(actual)
    close(actual[..., None], np.asarray(reference)[..., None], tolerance=tolerance)


# --- Worked examples -------------------------------------------------------------------------------------------------

Z = [[1.0, 2.0, 3.0]]
G = [[1.0, 0.0, 2.0]]
X = [-2.0, 0.0, 3.0]
EXAMPLES = {
    "softmax": (lambda z, g, x: losskit.softmax(z), [[0.09003057, 0.2447285, 0.665241]]),
    "softmax_vjp": (
        lambda z, g, x: losskit.softmax_vjp(losskit.softmax(z), g),
        [[-0.03785898, -0.3476398, 0.3854988]],
    ),
    "log_softmax": (lambda z, g, x: losskit.log_softmax(z), [[-2.407606, -1.407606, -0.407606]]),
    "log_softmax_vjp": (
        lambda z, g, x: losskit.log_softmax_vjp(losskit.log_softmax(z), g),
        [[0.7299083, -0.7341854, 0.004277133]],
    ),
    "logsumexp": (lambda z, g, x: losskit.logsumexp(z), [3.407606]),
    "logsumexp, weighted": (lambda z, g, x: losskit.logsumexp(z, weights=g[0]), [3.758624]),
    "sigmoid": (lambda z, g, x: losskit.sigmoid(x), [0.1192029, 0.5, 0.9525741]),
    "log_sigmoid": (lambda z, g, x: losskit.log_sigmoid(x), [-2.126928, -0.6931472, -0.04858735]),
    "softplus": (lambda z, g, x: losskit.softplus(x), [0.126928, 0.6931472, 3.048587]),
    "softplus, sharp": (lambda z, g, x: losskit.softplus(x, beta=2, threshold=5), [0.009074964, 0.3465736, 3]),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name, dtype):
    function, expected = EXAMPLES[name]
    result = function(*(np.array(a, dtype) for a in (Z, G, X)))
    assert result.dtype == dtype
    assert_close(result, np.array(expected), tolerance=3e-6 if dtype == np.float32 else 6e-7)


# --- Rows ------------------------------------------------------------------------------------------------------------


@given(logit_arrays(), st.sampled_from(TEMPERATURES))
def test_softmax_follows_its_definition(drawn, temperature):
    z, axis = drawn
    p = losskit.softmax(z, temperature=temperature, axis=axis)
    close(p, reference_softmax(z, temperature=temperature, axis=axis), axis=axis)
    defined = ~np.isnan(p)
    assert (p[defined] >= 0).all() and (p[defined & (z == -INF)] == 0).all()


@given(logit_arrays(), st.sampled_from(TEMPERATURES))
def test_log_softmax_follows_its_definition(drawn, temperature):
    z, axis = drawn
    log_p = losskit.log_softmax(z, temperature=temperature, axis=axis)
    close(log_p, reference_log_softmax(z, temperature=temperature, axis=axis), axis=axis)


@given(logit_arrays(), st.sampled_from(TEMPERATURES), st.integers(0, 2**32 - 1))
def test_vjps_follow_their_definition(drawn, temperature, seed):
    z, axis = drawn
    g = np.random.default_rng(seed).normal(0, 1, z.shape).astype(z.dtype)
    p, log_p = losskit.softmax(z, axis=axis), losskit.log_softmax(z, axis=axis)
    options = dict(temperature=temperature, axis=axis)
    for actual, expected, terms in (
        (losskit.softmax_vjp(p, g, **options), reference_softmax_vjp(p, g, **options), p.astype(np.float64) * g),
        (losskit.log_softmax_vjp(log_p, g, **options), reference_log_softmax_vjp(log_p, g, **options), g.astype(np.float64)),
    ):
        # Both are differences of two terms, which is what their rounding is measured by.
        size = np.abs(terms).max(axis, keepdims=True, initial=0) / temperature
        np.testing.assert_array_equal(np.isnan(actual), np.isnan(expected))
        known = ~np.isnan(expected)
        tolerance = 3e-6 if z.dtype == np.float32 else 1e-12
        allowed = np.broadcast_to(tolerance * size + np.finfo(z.dtype).tiny, z.shape)
        assert (np.abs(actual[known] - expected[known]) <= allowed[known]).all()


@given(logit_arrays(), st.sampled_from(["none", "class", "element"]), st.integers(0, 2**32 - 1))
def test_logsumexp_follows_its_definition(drawn, form, seed):
    z, axis = drawn
    rng = np.random.default_rng(seed)
    shape = {"none": (), "class": z.shape[axis], "element": z.shape}[form]
    weights = np.where(rng.random(shape) < 0.2, 0, rng.gamma(1, 1, shape) * rng.choice([1e-3, 1, 1e3])).astype(z.dtype)
    along = weights
    if form == "none":
        weights, along = None, np.ones([1] * z.ndim)
    elif form == "class":
        along = weights.reshape([-1 if d == axis % z.ndim else 1 for d in range(z.ndim)])
    lse = losskit.logsumexp(z, weights=weights, axis=axis)
    expected = reference_logsumexp(z, along, axis=axis)
    # Sums near 1 have a logarithm near 0: what is exact is the shifted logarithm, to the last bits of the shift.
    with np.errstate(all="ignore"):
        size = np.abs(np.where(np.isfinite(z) & (along > 0), z, 0)).max(axis, initial=1)
    close(lse / size.astype(z.dtype), expected / size, axis=None, tolerance=None)
    g = rng.normal(0, 1, lse.shape).astype(z.dtype)
    actual = losskit.logsumexp_vjp(z, lse, g, weights=weights, axis=axis)
    expected = reference_logsumexp_vjp(z, lse, g, along, axis=axis)
    close(actual, expected, axis=axis)


@pytest.mark.parametrize("axis", [0, 1])
def test_vjps_are_gradients(axis, rng):
    z, g = rng.normal(0, 2, (4, 5)), rng.normal(0, 1, (4, 5))
    options = dict(temperature=0.7, axis=axis)
    pull = lambda function: lambda z: (function(z, **options) * g).sum()  # noqa: E731
    assert_gradient(pull(losskit.softmax), z, losskit.softmax_vjp(losskit.softmax(z, **options), g, **options))
    log_p = losskit.log_softmax(z, **options)
    assert_gradient(pull(losskit.log_softmax), z, losskit.log_softmax_vjp(log_p, g, **options))
    h = rng.normal(0, 1, z.shape[1 - axis])
    for weights in (None, rng.random(z.shape[axis]), rng.random(z.shape)):
        lse = losskit.logsumexp(z, weights=weights, axis=axis)
        actual = losskit.logsumexp_vjp(z, lse, h, weights=weights, axis=axis)
        assert_gradient(lambda z: (losskit.logsumexp(z, weights=weights, axis=axis) * h).sum(), z, actual)  # noqa: B023


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("count", [3, 20, 130, 5000, 10**6])
def test_row_sums_are_good_for_long_rows(count, axis, dtype, rng):
    """The row sum that softmax divides by is what makes its row add up to 1."""
    rows = [np.zeros(count), np.log(rng.random(count)), rng.normal(0, 3, count), -np.arange(count) / count * 20]
    z = np.stack(rows if count < 10**6 else rows[:2], 1 - axis).astype(dtype)
    p = losskit.softmax(z, axis=axis)
    sums = [math.fsum(row) for row in np.moveaxis(p, axis, 1)]
    np.testing.assert_allclose(sums, 1, rtol=2e-6 if dtype == np.float32 else 1e-12)
    lse = losskit.logsumexp(z, axis=axis)
    np.testing.assert_allclose(lse, reference_logsumexp(z, np.ones([1, 1]), axis=axis), rtol=2e-6, atol=2e-6)


@pytest.mark.parametrize("inner", [1, 5])
def test_special_rows(inner, dtype):
    """Every special row stays alone: those around it have the bits that they have without it."""
    rows = {
        "nan": ([0, NAN, 1], [NAN] * 3, [NAN] * 3, NAN),
        "inf": ([0, INF, 1], [NAN] * 3, [NAN] * 3, INF),
        "two inf": ([INF, INF, 1], [NAN] * 3, [NAN] * 3, INF),
        "inf and nan": ([INF, NAN, 1], [NAN] * 3, [NAN] * 3, NAN),
        "all masked": ([-INF] * 3, [NAN] * 3, [NAN] * 3, -INF),
        "nan and masked": ([-INF, NAN, -INF], [NAN] * 3, [NAN] * 3, NAN),
        "one left": ([-INF, -5, -INF], [0, 1, 0], [-INF, 0, -INF], -5),
        "two left": ([2, -INF, 2], [0.5, 0, 0.5], [-math.log(2), -INF, -math.log(2)], 2 + math.log(2)),
        "far": ([1e4, -1e4, 0], [1, 0, 0], [0, -2e4, -1e4], 1e4),
        "near the end of the range": ([3e38, -3e38, 3e38], [0.5, 0, 0.5], None, 3e38),
    }
    for width in (3, 40, 700):  # transposed, long, and long in several runs
        base = np.linspace(-1, 1, 23 * width * inner).reshape(23, width, inner).astype(dtype)
        z = base.copy()
        places = dict(zip(rows, range(1, 23, 2)))
        for name, (row, *_) in rows.items():
            z[places[name]] = -INF if name not in ("nan", "inf") else 0
            z[places[name], width - 3 :] = np.array(row)[:, None]
        p, log_p = losskit.softmax(z, axis=1), losskit.log_softmax(z, axis=1)
        lse = losskit.logsumexp(z, axis=1)
        for name, (_, expected_p, expected_log, expected_lse) in rows.items():
            i, filled = places[name], name in ("nan", "inf")
            close(p[i, width - 3 :], np.repeat(np.array(expected_p)[:, None], inner, 1), axis=0)
            if expected_log is not None:
                close(log_p[i, width - 3 :], np.repeat(np.array(expected_log)[:, None], inner, 1), axis=0)
            close(lse[i], np.full(inner, expected_lse))
            if filled:
                assert np.isnan(p[i]).all() and np.isnan(log_p[i]).all()
        others = np.setdiff1d(np.arange(23), list(places.values()))
        for function, result in ((losskit.softmax, p), (losskit.log_softmax, log_p), (losskit.logsumexp, lse)):
            assert result[others].tobytes() == function(base, axis=1)[others].tobytes()


@pytest.mark.parametrize("classes", [3, 50])
def test_temperatures_at_the_ends_of_the_range(classes, dtype):
    z = np.full((2, classes), -INF, dtype)
    z[:, :3] = [[1, 2, 2], [1, 2, -INF]]
    for temperature in (1e-308, 1e-300, 1e-45, 1e-40):  # the maximum takes all
        p = losskit.softmax(z, temperature=temperature)
        np.testing.assert_allclose(p[:, :3], [[0, 0.5, 0.5], [0, 1, 0]])
        assert (p[:, 3:] == 0).all()
        log_p = losskit.log_softmax(z, temperature=temperature)
        np.testing.assert_allclose(log_p[:, 1], [-math.log(2), 0], rtol=1e-6)
        assert (log_p[:, 0] < -1e37).all() and (log_p[:, 3:] == -INF).all()
        vjp = losskit.softmax_vjp(p[1:], np.ones((1, classes), dtype), temperature=temperature)
        assert (vjp == 0).all()
    for temperature in (1e36, 1e37, 1e39, 1e46, 1e300, 1e308):  # all are equal, but masked ones stay masked
        p = losskit.softmax(z, temperature=temperature)
        np.testing.assert_allclose(p[:, :3], [[1 / 3] * 3, [0.5, 0.5, 0]], rtol=1e-6)
        assert (p[:, 3:] == 0).all()
        log_p = losskit.log_softmax(z, temperature=temperature)
        np.testing.assert_allclose(log_p[:, :3], [[-math.log(3)] * 3, [-math.log(2)] * 2 + [-INF]], rtol=1e-6)
        assert (log_p[:, 3:] == -INF).all()


def test_weights_of_zero_hide_what_is_there(dtype):
    for width in (4, 50):
        z = np.full((3, width), NAN, dtype)
        weights = np.zeros((3, width), dtype)
        z[:, 1], z[:, 2], z[0, 0], z[1, 0] = 1, 2, INF, -INF
        weights[:2, 1:3] = 1
        expected = [math.log(math.e + math.e**2)] * 2 + [-INF]
        lse = losskit.logsumexp(z, weights=weights)
        close(lse, expected)
        grad = losskit.logsumexp_vjp(z, lse, np.ones(3, dtype), weights=weights)
        p = 1 / (1 + math.e)
        expected = np.zeros((3, width))
        expected[:2, 1:3] = [p, 1 - p]
        close(grad, expected)
        close(losskit.logsumexp(z[:2], weights=weights[0]), [math.log(math.e + math.e**2)] * 2)


def test_one_class(dtype):
    z = np.array([[3], [-1e4]], dtype)
    g = np.array([[0.3], [-7]], dtype)
    assert (losskit.softmax(z) == 1).all() and (losskit.log_softmax(z) == 0).all()
    assert (losskit.softmax_vjp(losskit.softmax(z), g) == 0).all()
    assert (losskit.log_softmax_vjp(losskit.log_softmax(z), g) == 0).all()
    np.testing.assert_array_equal(losskit.logsumexp(z), z[:, 0])


@pytest.mark.parametrize("shape, axis", [((0, 5), 1), ((3, 0, 5), 2), ((4, 0), 0), ((2, 3, 0), 1)])
def test_no_rows(shape, axis, dtype):
    z = np.empty(shape, dtype)
    per_row = np.empty(np.delete(shape, axis), dtype)
    for result in (
        losskit.softmax(z, axis=axis),
        losskit.log_softmax(z, axis=axis),
        losskit.softmax_vjp(z, z, axis=axis),
        losskit.log_softmax_vjp(z, z, axis=axis),
        losskit.logsumexp_vjp(z, per_row, per_row, axis=axis),
    ):
        assert result.shape == shape and result.dtype == dtype
    assert losskit.logsumexp(z, axis=axis).shape == per_row.shape


# --- Gates -----------------------------------------------------------------------------------------------------------


def grid(dtype):
    """Numbers of all sizes and signs, and what is special."""
    sizes = np.concatenate([10.0 ** np.linspace(-37, 4, 300), np.linspace(0.01, 105, 500), [np.finfo(dtype).max / 8]])
    return np.concatenate([sizes, -sizes, [0, -0.0, INF, -INF, NAN]]).astype(dtype)


def test_gates_follow_their_definitions(dtype):
    x = grid(dtype)
    close_each(losskit.sigmoid(x), reference_sigmoid(x))
    close_each(losskit.log_sigmoid(x), reference_log_sigmoid(x))
    close_each(losskit.softplus(x), reference_softplus(x))
    for beta, threshold in itertools.product([0.25, 1, 4], [-3, 0, 5, 20, 50, INF, -INF]):
        actual = losskit.softplus(x, beta=beta, threshold=threshold)
        close_each(actual, reference_softplus(x, beta=beta, threshold=threshold))
        linear = beta * x.astype(np.float64) > threshold
        np.testing.assert_array_equal(actual[linear], x[linear])
    for beta in (0.1, 3.3):  # βx is rounded, which an exponential sees
        exact = reference_softplus(x, beta=beta, threshold=60)
        sees = np.abs(x) < 80 / beta
        np.testing.assert_allclose(losskit.softplus(x, beta=beta, threshold=60)[sees], exact[sees], rtol=1e-5)


def test_gates_against_many_digits():
    x = np.random.default_rng(1).uniform(-40, 40, 200)
    with mpmath.workdps(40):
        exact = [
            [float(f(mpmath.mpf(v))) for v in x]
            for f in (
                lambda v: 1 / (1 + mpmath.exp(-v)),
                lambda v: -mpmath.log1p(mpmath.exp(-v)),
                lambda v: mpmath.log1p(mpmath.exp(v)),
            )
        ]
    for function, expected in zip((losskit.sigmoid, losskit.log_sigmoid), exact):
        np.testing.assert_allclose(function(x), expected, rtol=1e-15)
    np.testing.assert_allclose(losskit.softplus(x, threshold=INF), exact[2], rtol=1e-15)


def test_gate_vjps_follow_their_definitions(dtype, rng):
    x = grid(dtype)
    g = rng.normal(0, 1, x.shape).astype(dtype)
    y = losskit.sigmoid(x)
    y64, g64 = y.astype(np.float64), g.astype(np.float64)
    close_each(losskit.sigmoid_vjp(y, g), g64 * y64 * (1 - y64))
    close_each(losskit.log_sigmoid_vjp(x, g), g64 * reference_sigmoid(-x.astype(np.float64)))
    for beta, threshold in itertools.product([0.25, 1, 4], [-3, 5, 20, INF, -INF]):
        scaled = beta * x.astype(np.float64)
        expected = np.where(scaled > threshold, g64, g64 * reference_sigmoid(scaled))
        close_each(losskit.softplus_vjp(x, g, beta=beta, threshold=threshold), expected)


def test_gate_vjps_are_gradients(rng):
    x, g = rng.normal(0, 2, 12), rng.normal(0, 1, 12)
    assert_gradient(lambda x: (losskit.sigmoid(x) * g).sum(), x, losskit.sigmoid_vjp(losskit.sigmoid(x), g))
    assert_gradient(lambda x: (losskit.log_sigmoid(x) * g).sum(), x, losskit.log_sigmoid_vjp(x, g))
    options = dict(beta=1.7, threshold=30)
    assert_gradient(lambda x: (losskit.softplus(x, **options) * g).sum(), x, losskit.softplus_vjp(x, g, **options))


@pytest.mark.parametrize("shape", [(), (0,), (7,), (2, 0, 3), (3, 5, 11)])
def test_gates_keep_the_shape(shape, dtype):
    x = np.full(shape, 0.5, dtype)
    for function in (losskit.sigmoid, losskit.log_sigmoid, losskit.softplus):
        assert function(x).shape == shape and function(x).dtype == dtype
    for function in (losskit.sigmoid_vjp, losskit.log_sigmoid_vjp, losskit.softplus_vjp):
        assert function(x, x).shape == shape


# --- Refusals --------------------------------------------------------------------------------------------------------


def test_shapes_and_parameters_are_checked():
    z, g = np.zeros((2, 3)), np.zeros((2, 3))
    for bad in (0, -1, NAN, INF, -INF):
        for function, inputs in (
            (losskit.softmax, (z,)),
            (losskit.log_softmax, (z,)),
            (losskit.softmax_vjp, (z, g)),
            (losskit.log_softmax_vjp, (z, g)),
        ):
            assert_error("INVALID_PARAMETER", function, *inputs, temperature=bad)
        assert_error("INVALID_PARAMETER", losskit.softplus, z, beta=bad)
        assert_error("INVALID_PARAMETER", losskit.softplus_vjp, z, g, beta=bad)
    assert_error("INVALID_PARAMETER", losskit.softplus, z, threshold=NAN)
    assert_error("INVALID_PARAMETER", losskit.softplus_vjp, z, g, threshold=NAN)
    for function in (losskit.softmax, losskit.log_softmax, losskit.logsumexp):
        assert_error("INVALID_SHAPE", function, 1.0)
        assert_error("INVALID_SHAPE", function, np.zeros((3, 0)))
        assert_error("INVALID_SHAPE", function, np.zeros((0, 3)), axis=0)
        for axis in (2, -3, 1.5, None):
            assert_error("INVALID_PARAMETER", function, z, axis=axis)
    for function in (losskit.softmax_vjp, losskit.log_softmax_vjp, losskit.sigmoid_vjp, losskit.softplus_vjp):
        assert_error("INVALID_SHAPE", function, z, g[:1])
        assert_error("INVALID_SHAPE", function, z, g.T)
    assert_error("INVALID_SHAPE", losskit.logsumexp, z, weights=np.ones(2))
    assert_error("INVALID_SHAPE", losskit.logsumexp, z, weights=np.ones((1, 3)))
    assert_error("INVALID_SHAPE", losskit.logsumexp_vjp, z, np.zeros(3), np.zeros(2))
    assert_error("INVALID_SHAPE", losskit.logsumexp_vjp, z, np.zeros(2), np.zeros((2, 1)))
    for bad in (-1, -1e-30, NAN, -INF):
        for place in (0, 2):
            weights = np.ones(3)
            weights[place] = bad
            assert_error("INVALID_VALUE", losskit.logsumexp, z, weights=weights)
            assert_error("INVALID_VALUE", losskit.logsumexp, z, weights=np.stack([np.ones(3), weights]))
            assert_error("INVALID_VALUE", losskit.logsumexp_vjp, z, np.zeros(2), np.zeros(2), weights=weights)


def row_calls(dtype, outer=3, classes=5, inner=2):
    shape = (outer, classes, inner)
    rng = np.random.default_rng(5)
    array = lambda: rng.normal(0, 1, shape).astype(dtype)  # noqa: E731
    per_row = lambda: rng.normal(0, 1, (outer, inner)).astype(dtype)  # noqa: E731
    sizes = dict(outer=outer, classes=classes, inner=inner)
    with_temperature = dict(**sizes, temperature=1.0)
    for per_element in (False, True):
        weights = np.ones(shape if per_element else classes, dtype)
        weighted = dict(**sizes, weights=weights, weights_per_element=per_element)
        yield RawCall("logsumexp", dtype, ["lse"], z=array(), lse=per_row(), **weighted)
        yield RawCall(
            "logsumexp_vjp", dtype, ["grad_z"], z=array(), lse=per_row() + 3, grad_output=per_row(), grad_z=array(), **weighted
        )
    yield RawCall("softmax", dtype, ["p"], z=array(), p=array(), **with_temperature)
    yield RawCall("log_softmax", dtype, ["log_p"], z=array(), log_p=array(), **with_temperature)
    for name, first in (("softmax_vjp", "p"), ("log_softmax_vjp", "log_p")):
        inputs = {first: array(), "grad_output": array(), "grad_z": array()}
        yield RawCall(name, dtype, ["grad_z"], **inputs, **with_temperature)


def gate_calls(dtype, count=37):
    rng = np.random.default_rng(6)
    array = lambda: rng.normal(0, 1, count).astype(dtype)  # noqa: E731
    soft = dict(beta=1.0, threshold=20.0)
    yield RawCall("sigmoid", dtype, ["y"], x=array(), count=count, y=array())
    yield RawCall("log_sigmoid", dtype, ["y"], x=array(), count=count, y=array())
    yield RawCall("softplus", dtype, ["y"], x=array(), count=count, y=array(), **soft)
    yield RawCall("sigmoid_vjp", dtype, ["grad"], y=array(), grad_output=array(), count=count, grad=array())
    yield RawCall("log_sigmoid_vjp", dtype, ["grad"], x=array(), grad_output=array(), count=count, grad=array())
    yield RawCall("softplus_vjp", dtype, ["grad"], x=array(), grad_output=array(), count=count, grad=array(), **soft)


def test_interface_refuses(dtype):
    for call in [*row_calls(dtype), *gate_calls(dtype)]:
        assert call() == "OK", call.name
        arrays = [key for key, value in call.arguments.items() if isinstance(value, np.ndarray)]
        sizes = [key for key in call.arguments if key in ("outer", "classes", "inner", "count")]
        for pointer in arrays:
            assert call(**{pointer: None}) == ("OK" if pointer == "weights" else "NULL_POINTER"), (call.name, pointer)
        for size, bad in itertools.product(sizes, (-1, -(2**63), 2**62, 2**63 - 1)):
            assert call(**{size: bad}) == "INVALID_SHAPE", (call.name, size, bad)
        nothing = dict.fromkeys(arrays)
        if "classes" in sizes:
            assert call(classes=0) == "INVALID_SHAPE" and call(classes=0, outer=0) == "INVALID_SHAPE"
            assert call(classes=2**31, outer=1, inner=1) == "INVALID_SHAPE"
            assert call(outer=2**40, inner=2**40) == "INVALID_SHAPE"
            assert call(outer=0, **nothing) == call(inner=0, **nothing) == "OK"
        else:
            assert call(count=0, **nothing) == "OK"
        for parameter in {"temperature", "beta"} & set(call.arguments):
            for bad in (0.0, -1.0, NAN, INF):
                assert call(**{parameter: bad}) == "INVALID_PARAMETER", (call.name, parameter, bad)
        if "threshold" in call.arguments:
            assert call(threshold=NAN) == "INVALID_PARAMETER"
        if "weights" in call.arguments:
            for bad, place in itertools.product((-1, NAN), (0, -1)):
                weights = call.arguments["weights"].copy()
                weights.flat[place] = bad
                assert call(weights=weights) == "INVALID_VALUE"


# --- Memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize(
    "shape", [(1, 1, 1), (3, 5, 1), (17, 3, 1), (5, 17, 1), (3, 33, 1), (9, 131, 1), (2, 2053, 1), (2, 3, 7), (1, 7, 19), (3, 18, 33)]
)
def test_nothing_beyond_the_arrays_is_touched(shape, side, dtype):
    for call in row_calls(dtype, *shape):
        call.assert_stays_inside(side)


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("count", [1, 7, 8, 9, 15, 16, 17, 33, 1003])
def test_gates_stay_inside(count, side, dtype):
    for call in gate_calls(dtype, count):
        call.inside_guards(side)


@pytest.mark.parametrize("shape", [(33, 5, 1), (7, 40, 1), (3, 1100, 1), (2, 70, 5), (5, 6, 40)])
def test_in_place(shape, dtype):
    """The output may be the input of a map, the incoming gradient of a vector-Jacobian product."""
    for call in [*row_calls(dtype, *shape), *gate_calls(dtype, math.prod(shape))]:
        if call.name == "logsumexp":
            continue
        assert call() == "OK"
        (output,) = call.outputs
        expected = call.arguments[output].copy()
        source = "grad_output" if "grad_output" in call.arguments else "z" if "z" in call.arguments else "x"
        source = "z" if call.name == "logsumexp_vjp" else source
        shared = call.arguments[source].copy()
        in_place = RawCall(call.name, dtype, [], **{**call.arguments, source: shared, output: shared})
        assert in_place() == "OK"
        assert shared.tobytes() == expected.tobytes(), call.name


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for shape, axis in (((300, 1100), 1), ((20000, 10), 1), ((4, 19, 999), 1), ((70001,), 0), ((3, 5), 0)):
        z, g = (rng.normal(0, 9, shape).astype(real) for _ in range(2))
        z.flat[::97] = -np.inf
        weights = rng.random(shape[axis]).astype(real)
        p, log_p = losskit.softmax(z, temperature=0.7, axis=axis), losskit.log_softmax(z, axis=axis)
        lse = losskit.logsumexp(z, weights=weights, axis=axis)
        for name, result in dict(
            p=p, log_p=log_p, lse=lse, plain=losskit.logsumexp(z, axis=axis),
            p_vjp=losskit.softmax_vjp(p, g, axis=axis), log_p_vjp=losskit.log_softmax_vjp(log_p, g, axis=axis),
            lse_vjp=losskit.logsumexp_vjp(z, lse, lse, weights=weights, axis=axis),
            sigmoid=losskit.sigmoid(z), log_sigmoid=losskit.log_sigmoid(z), softplus=losskit.softplus(z, beta=1.3),
            sigmoid_vjp=losskit.sigmoid_vjp(p, g), log_sigmoid_vjp=losskit.log_sigmoid_vjp(z, g),
            softplus_vjp=losskit.softplus_vjp(z, g),
        ).items():
            results[f"{name} {real.__name__} {shape}"] = np.asarray(result)
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS, threads=(1, 2, 3))


# --- PyTorch ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("shape, dim", [((40, 13), 1), ((5, 300), 1), ((3, 7, 20), 1), ((6, 4, 2, 3), 0)])
def test_agrees_with_torch(shape, dim, dtype, rng):
    torch = pytest.importorskip("torch")
    z, g = (rng.normal(0, 4, shape).astype(dtype) for _ in range(2))
    z[..., 0] = 1.5
    for name, ours, vjp in (
        ("softmax", losskit.softmax, losskit.softmax_vjp),
        ("log_softmax", losskit.log_softmax, losskit.log_softmax_vjp),
    ):
        tensor = torch.tensor(z, requires_grad=True)
        output = getattr(torch, name)(tensor, dim)
        output.backward(torch.tensor(g))
        actual = ours(z, axis=dim)
        tolerance = 5e-6 if dtype == np.float32 else 1e-12
        close(actual, output.detach().numpy(), axis=dim, tolerance=tolerance)
        np.testing.assert_allclose(vjp(actual, g, axis=dim), tensor.grad.numpy(), atol=20 * tolerance)
    close(losskit.logsumexp(z, axis=dim), torch.logsumexp(torch.tensor(z), dim).numpy(), axis=None)
    x, functional = torch.tensor(z), torch.nn.functional
    close(losskit.sigmoid(z), torch.sigmoid(x).numpy(), axis=None)
    close(losskit.log_sigmoid(z), functional.logsigmoid(x).numpy(), axis=None)
    close(losskit.softplus(z, beta=2, threshold=5), functional.softplus(x, beta=2, threshold=5).numpy(), axis=None)
