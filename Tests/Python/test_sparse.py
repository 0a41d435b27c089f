"""Sparse maps: judged by NumPy float64 formulas written from the definitions (thresholds by sorting or bisection)."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits, logit_arrays

import losskit

INF, NAN = math.inf, math.nan


# --- The definitions, one row at a time ------------------------------------------------------------------------------


def sparsemax_threshold(z):
    """(tau, k) by sorting."""
    s = np.sort(z)[::-1] - z.max()
    sums, r = np.cumsum(s), np.arange(1, z.size + 1)
    k = r[1 + r * s > sums].max()
    return (sums[k - 1] - 1) / k + z.max(), k


def sparsemax(z):
    s = np.sort(z - z.max())[::-1]
    k = sparsemax_threshold(z)[1]
    return np.maximum(z - z.max() - (s[:k].sum() - 1) / k, 0)


def entmax15(z):
    x = (z - z.max()) / 2
    s = np.sort(x)[::-1]
    s = s[s > -1]
    r = np.arange(1, s.size + 1)
    mean = np.cumsum(s) / r
    spread = np.cumsum(s**2) - r * mean**2
    tau = mean - np.sqrt(np.maximum((1 - spread) / r, 0))
    return np.maximum(x - tau[(tau <= s).sum() - 1], 0) ** 2


def bisected(x, powers):
    """The u = max(x + top, 0) for which the sum of ``powers`` of it is 1. x has maximum 0."""
    low, high = 0.0, 1.0
    while low < (top := (low + high) / 2) < high:
        low, high = (top, high) if powers(np.maximum(x + top, 0)).sum() < 1 else (low, top)
    return np.maximum(x + high, 0)


def positive_power(u, exponent):
    return np.where(u > 0, np.where(u > 0, u, 1) ** exponent, 0)


def entmax(z, alpha):
    p = positive_power(bisected((alpha - 1) * (z - z.max()), lambda u: positive_power(u, 1 / (alpha - 1))), 1 / (alpha - 1))
    return p / p.sum()


def normmax(z, alpha=2.0):
    u = positive_power(bisected(z - z.max(), lambda u: positive_power(u, alpha / (alpha - 1))), 1 / (alpha - 1))
    return u / u.sum()


def capped_simplex_projection(z, k=2.0):
    x = z - z.max()
    finite = np.isfinite(x)
    if finite.sum() < k:
        return np.full(z.shape, NAN)
    low, high = x[finite].min() - 1.5, 0.0
    while low < (tau := (low + high) / 2) < high:
        low, high = (tau, high) if np.clip(x - tau, 0, 1).sum() >= k else (low, tau)
    p = np.clip(x - low, 0, 1)
    inside = (p > 0) & (p < 1)
    if inside.any():
        p = np.clip(x - (x[inside].sum() + (p == 1).sum() - k) / inside.sum(), 0, 1)
    return p


def sparse_softmax(z, k=10):
    top = np.argsort(-z, kind="stable")[:k]
    p = np.zeros(z.shape)
    e = np.exp(z[top] - z.max())
    p[top] = e / e.sum()
    return p if np.isfinite(p).all() else np.full(z.shape, NAN)


def rowwise(function, axis, *arrays, **parameters):
    """The reference of all rows; a row without a finite maximum is NaN."""
    z = np.moveaxis(np.asarray(arrays[0], np.float64), axis, -1)
    others = [np.moveaxis(np.asarray(a, np.float64), axis, -1) for a in arrays[1:]]
    result = np.empty(z.shape)
    with np.errstate(all="ignore"):
        for row in np.ndindex(z.shape[:-1]):
            rest = [a[row] for a in others]
            result[row] = function(z[row], *rest, **parameters) if np.isfinite(z[row].max()) else NAN
    return np.moveaxis(result, -1, axis)


MAPS = {
    "sparsemax": (sparsemax, {}),
    "entmax15": (entmax15, {}),
    "entmax, 1.01": (entmax, dict(alpha=1.01)),
    "entmax, 1.25": (entmax, dict(alpha=1.25)),
    "entmax, 1.5": (entmax, dict(alpha=1.5)),
    "entmax, 1.8": (entmax, dict(alpha=1.8)),
    "entmax, 2": (entmax, dict(alpha=2.0)),
    "normmax": (normmax, {}),
    "normmax, 1.3": (normmax, dict(alpha=1.3)),
    "normmax, 3": (normmax, dict(alpha=3.0)),
    "capped_simplex_projection": (capped_simplex_projection, {}),
    "capped_simplex_projection, 0.3": (capped_simplex_projection, dict(k=0.3)),
    "sparse_softmax": (sparse_softmax, {}),
    "sparse_softmax, 1": (sparse_softmax, dict(k=1)),
    "sparse_softmax, 40": (sparse_softmax, dict(k=40)),
}


def call(name, *arrays, axis=-1, **parameters):
    return getattr(losskit, name.split(",")[0])(*arrays, **parameters, axis=axis)


def fitting(name, parameters, classes):
    """The parameters, with a k that is not above the number of classes."""
    if name.startswith("capped"):
        return dict(parameters, k=min(parameters.get("k", 2.0), classes))
    return parameters


def assert_map_close(actual, reference, axis, tolerance=None):
    finite = np.isfinite(reference).all(axis, keepdims=True) & np.ones(reference.shape, bool)
    assert np.isnan(actual[~finite]).all()
    assert_close(actual, np.where(finite, reference, np.asarray(actual, np.float64)), axis=axis, tolerance=tolerance)


# --- Values ----------------------------------------------------------------------------------------------------------

Z, G = [[1.0, 0.5, -1.0]], [[1.0, 2.0, 3.0]]
EXAMPLES = {
    "sparsemax": (lambda z, g: losskit.sparsemax(z), [[0.75, 0.25, 0]]),
    "sparsemax_vjp": (lambda z, g: losskit.sparsemax_vjp(losskit.sparsemax(z), g), [[-0.5, 0.5, 0]]),
    "entmax15": (lambda z, g: losskit.entmax15(z), [[0.6739926, 0.3260074, 0]]),
    "entmax15_vjp": (lambda z, g: losskit.entmax15_vjp(losskit.entmax15(z), g), [[-0.3367599, 0.3367599, 0]]),
    "entmax": (lambda z, g: losskit.entmax(z, 1.3), [[0.6427293, 0.3436138, 0.01365687]]),
    "entmax_vjp": (
        lambda z, g: losskit.entmax_vjp(losskit.entmax(z, 1.3), 1.3, g)[0],
        [[-0.3342655, 0.2577871, 0.07647837]],
    ),
    "entmax_vjp, alpha": (lambda z, g: losskit.entmax_vjp(losskit.entmax(z, 1.3), [1.3], g)[1], [-0.4027355]),
    "normmax": (lambda z, g: losskit.normmax(z), [[0.6889822, 0.3110178, 0]]),
    "normmax_vjp": (lambda z, g: losskit.normmax_vjp(losskit.normmax(z), g), [[-0.4319594, 0.4319594, 0]]),
    "capped": (
        lambda z, g: losskit.capped_simplex_projection(np.array([[2, 1, 0.5, -1]], z.dtype)),
        [[1, 0.75, 0.25, 0]],
    ),
    "sparse_softmax": (
        lambda z, g: losskit.sparse_softmax(np.array([[1, 3, 2, 0]], z.dtype), k=2),
        [[0, 0.7310586, 0.2689414, 0]],
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name, dtype):
    function, expected = EXAMPLES[name]
    result = function(np.array(Z, dtype), np.array(G, dtype))
    assert result.dtype == dtype
    assert_close(result, np.array(expected), tolerance=3e-6 if dtype == np.float32 else 6e-7)


@given(logit_arrays(), st.sampled_from(sorted(MAPS)))
def test_map_follows_its_definition(drawn, name):
    z, axis = drawn
    function, parameters = MAPS[name]
    parameters = fitting(name, parameters, z.shape[axis])
    if np.isnan(z).any():
        assert_error("INVALID_VALUE", call, name, z, axis=axis, **parameters)
        z = np.where(np.isnan(z), z.dtype.type(0), z)
    assert_map_close(call(name, z, axis=axis, **parameters), rowwise(function, axis, z, **parameters), axis)


@pytest.mark.parametrize("scale", [0, 1e-4, 0.3, 3])
@pytest.mark.parametrize("name", MAPS)
def test_long_rows(name, scale, dtype, rng):
    function, parameters = MAPS[name]
    z = (rng.normal(0, scale, (2, 100_003)) + 3).astype(dtype)
    z[1, 50_000:] = z[1, 0]  # many ties
    # The rounding of 10^5 terms, made larger by a power below 1.
    tolerance = 1e-11 if dtype == np.float64 else None
    assert_map_close(call(name, z, **parameters), rowwise(function, -1, z, **parameters), -1, tolerance)


@pytest.mark.parametrize("classes", [20, 80, 97, 129, 1000])
def test_selection_among_ties(classes, dtype, rng):
    """The k largest are found in several ways, by the number of classes and k."""
    z = rng.normal(0, 2, (37, classes)).astype(dtype)
    z[5:20] = np.round(z[5:20])
    z[20], z[21, 3:] = 1, -INF
    for k in (1, 2, 8, 9, 15, 16, 17, 40):
        expected = rowwise(sparse_softmax, -1, z, k=k)
        assert_map_close(losskit.sparse_softmax(z, k=k), expected, -1)
        channel_first = np.ascontiguousarray(z.T)
        assert_map_close(losskit.sparse_softmax(channel_first, k=k, axis=0), expected.T, 0)


@pytest.mark.parametrize("alpha", [2.2, 3.0, 5.0])
def test_entmax_sparser_than_sparsemax(alpha, dtype):
    """A logit at the threshold has an infinite derivative: these rows have none there."""
    z = np.array([[0, 0, 0, 0], [0, -0.1, -0.2, -9], [1e4, 1e4 - 0.125, 0, 0], [0, -0.01, -0.01, -INF]], dtype)
    assert_close(losskit.entmax(z, alpha), rowwise(entmax, -1, z, alpha=alpha), tolerance=3e-6 if dtype == np.float32 else 1e-11)


def test_alpha_per_row(rng, dtype):
    z = rng.normal(0, 2, (3, 20, 5)).astype(dtype)
    alpha = rng.uniform(1.05, 2, (3, 5))
    p, g = losskit.entmax(z, alpha, axis=1), rng.normal(0, 1, z.shape).astype(dtype)
    grad_z, grad_alpha = losskit.entmax_vjp(p, alpha, g, axis=1)
    assert grad_alpha.shape == alpha.shape and grad_alpha.dtype == dtype
    total = 0.0
    for i, j in np.ndindex(3, 5):
        single = losskit.entmax(z[i, :, j], alpha[i, j])
        assert_close(p[i, :, j], single.astype(np.float64))
        one, d_alpha = losskit.entmax_vjp(single, float(alpha[i, j]), g[i, :, j])
        assert_close(grad_z[i, :, j], one.astype(np.float64), tolerance=1e-5 if dtype == np.float32 else 1e-11)
        assert math.isclose(grad_alpha[i, j], d_alpha, rel_tol=1e-4 if dtype == np.float32 else 1e-9)
        total += float(losskit.entmax_vjp(single, 1.3, g[i, :, j])[1])
    if dtype == np.float64:
        assert math.isclose(losskit.entmax_vjp(p, 1.3, g, axis=1)[1], total, rel_tol=1e-9)


@given(logit_arrays(special=False))
def test_support(drawn):
    z, axis = drawn
    tau, k = losskit.sparsemax_support(z, axis=axis)
    rows = np.moveaxis(z.astype(np.float64), axis, -1)
    assert np.shape(tau) == np.shape(k) == rows.shape[:-1] and np.asarray(k).dtype == np.int64
    expected = [sparsemax_threshold(rows[row]) for row in np.ndindex(rows.shape[:-1])]
    assert_close(np.ravel(tau), np.array([e[0] for e in expected]).ravel(), axis=None)
    assert np.ravel(k).tolist() == [e[1] for e in expected]
    assert losskit.sparsemax_support([1.0, 0.5, -1.0]) == (0.25, 2)


# --- Gradients -------------------------------------------------------------------------------------------------------

VJPS = {name: MAPS[name] for name in MAPS if not name.startswith(("sparse_softmax, 40", "entmax, 1.01"))}


def vjp(name, z, g, axis=-1, **parameters):
    p = call(name, z, axis=axis, **parameters)
    if name.startswith("entmax,"):
        return losskit.entmax_vjp(p, parameters["alpha"], g, axis=axis)[0]
    kept = parameters if name.startswith("normmax") else {}
    return getattr(losskit, name.split(",")[0] + "_vjp")(p, g, axis=axis, **kept)


@pytest.mark.parametrize("name", VJPS)
@pytest.mark.parametrize("shape, axis", [((3, 5), -1), ((2, 40), -1), ((2, 7, 3), 1), ((1, 1), -1)])
def test_vjp_by_finite_differences(name, shape, axis, rng):
    parameters = fitting(name, VJPS[name][1], shape[axis])
    z, g = rng.normal(0, 1, shape), rng.normal(0, 1, shape)
    value = lambda z: (call(name, z, axis=axis, **parameters) * g).sum()  # noqa: E731
    assert_gradient(value, z, vjp(name, z, g, axis, **parameters), step=1e-6, tolerance=1e-7)


@pytest.mark.parametrize("alpha", [1.2, 1.5, 1.7, 2.0])
def test_gradient_of_alpha(alpha, rng):
    z, g = rng.normal(0, 1, (4, 30)), rng.normal(0, 1, (4, 30))
    gradient = losskit.entmax_vjp(losskit.entmax(z, alpha), alpha, g)[1]
    # A way around the exact forms of 1.5 and 2: one alpha for each row.
    value = lambda a: (losskit.entmax(z, np.full(4, a[0])) * g).sum()  # noqa: E731
    assert_gradient(value, [alpha], [gradient], step=1e-6, tolerance=1e-6)


@given(logit_arrays(special=False), st.sampled_from(sorted(VJPS)), st.integers(0, 2**32 - 1))
def test_vjp_follows_its_definition(drawn, name, seed):
    z, axis = drawn
    parameters = fitting(name, VJPS[name][1], z.shape[axis])
    g = np.random.default_rng(seed).normal(0, 1, z.shape).astype(z.dtype)
    p = call(name, z, axis=axis, **parameters)
    alpha = {"sparsemax": 2.0, "entmax15": 1.5}.get(name, parameters.get("alpha", 2.0))
    base = name.split(",")[0]

    def reference(p, g):
        if base == "sparse_softmax":
            return p * (g - (p * g).sum())
        s = positive_power(p, 2 - alpha) if base != "capped_simplex_projection" else ((p > 0) & (p < 1)).astype(float)
        if base == "normmax":
            scale = positive_power(p, alpha).sum() ** ((alpha - 1) / alpha) / (alpha - 1)
            return scale * (g * s - (g * s).sum() * p - (g * p).sum() * (s - p * s.sum()))
        return s * (g - (s * g).sum() / s.sum()) if s.any() else 0 * s

    expected = rowwise(reference, axis, p, g)
    actual = vjp(name, z, g, axis, **parameters)
    # Jacobians times g: what is left may be much smaller than what is taken off.
    size = np.abs(g).max(axis, keepdims=True, initial=0) * np.maximum(1, np.abs(expected).max(axis, keepdims=True, initial=0))
    tolerance = 6e-6 if z.dtype == np.float32 else 1e-11
    assert (np.abs(actual - expected) <= tolerance * size).all()


@pytest.mark.parametrize("name", ["sparsemax", "entmax15", "sparse_softmax"])
@pytest.mark.parametrize("axis", [0, 1])
def test_vjp_reads_the_support_alone(name, axis, dtype, rng):
    weights = {"sparsemax": np.sign, "entmax15": np.sqrt, "sparse_softmax": lambda p: p}[name]
    p = (rng.random((70, 1053)) * (rng.random((70, 1053)) < 0.01)).astype(dtype)
    g = rng.normal(0, 1, p.shape).astype(dtype)
    p[5], p[40] = 0, rng.random(1053) / 1053  # one without support, one with many
    s = weights(p.astype(np.float64))
    total = 1 if name == "sparse_softmax" else np.maximum(s.sum(1, keepdims=True), 1e-300)
    expected = s * (g - (s * g).sum(1, keepdims=True) / total)
    g[p == 0] = NAN
    p, g, expected = (np.ascontiguousarray(array if axis == 1 else array.T) for array in (p, g, expected))
    actual = getattr(losskit, name + "_vjp")(p, g, axis=axis)
    assert (np.abs(actual - expected) <= (6e-6 if dtype == np.float32 else 1e-11)).all()


# --- Refusals, memory, bits ------------------------------------------------------------------------------------------


def map_calls(dtype, outer=3, classes=5, inner=2):
    shape = (outer, classes, inner)
    rng = np.random.default_rng(5)
    array = lambda: rng.normal(0, 1, shape).astype(dtype)  # noqa: E731
    sizes = dict(outer=outer, classes=classes, inner=inner)
    exponents = [(np.array(1.3), False), (np.full((outer, inner), 1.7), True)]
    yield RawCall("sparsemax", dtype, ["p"], z=array(), p=array(), **sizes)
    yield RawCall("entmax15", dtype, ["p"], z=array(), p=array(), **sizes)
    for alpha, per_row in exponents:
        given = dict(alpha=alpha, alpha_per_row=per_row, **sizes)
        yield RawCall("entmax", dtype, ["p"], z=array(), p=array(), n_iter=50, **given)
        p, outputs = losskit.softmax(array(), axis=1), dict(grad_z=array(), grad_alpha=array()[:, 0].copy())
        yield RawCall("entmax_vjp", dtype, ["grad_z", "grad_alpha"], p=p, grad_output=array(), **outputs, **given)
    for alpha in (2.0, 1.4):
        yield RawCall("normmax", dtype, ["p"], z=array(), p=array(), alpha=alpha, n_iter=50, **sizes)
    yield RawCall("capped_simplex_projection", dtype, ["p"], z=array(), p=array(), k=min(2.0, classes), **sizes)
    yield RawCall("sparse_softmax", dtype, ["p"], z=array(), p=array(), k=3, **sizes)
    for name in ("sparsemax", "entmax15", "normmax", "capped_simplex_projection", "sparse_softmax"):
        extra = dict(alpha=2.0) if name == "normmax" else {}
        p = losskit.softmax(array(), axis=1)
        yield RawCall(name + "_vjp", dtype, ["grad_z"], p=p, grad_output=array(), grad_z=array(), **extra, **sizes)


def test_interface_refuses(dtype):
    for call in map_calls(dtype):
        assert call() == "OK", call.name
        arrays = [key for key, value in call.arguments.items() if isinstance(value, np.ndarray)]
        for pointer in arrays:
            optional = call.name == "entmax_vjp" and pointer.startswith("grad_") and pointer != "grad_output"
            assert call(**{pointer: None}) == ("OK" if optional else "NULL_POINTER"), (call.name, pointer)
        for size, bad in itertools.product(("outer", "classes", "inner"), (-1, -(2**63), 2**62, 2**63 - 1)):
            assert call(**{size: bad}) == "INVALID_SHAPE", (call.name, size, bad)
        assert call(classes=0) == "INVALID_SHAPE" and call(outer=0, **dict.fromkeys(arrays)) == "OK"
        if "n_iter" in call.arguments:
            assert call(n_iter=0) == "INVALID_PARAMETER"
        for bad in (1.0, 0.5, -1.0, NAN, INF):
            if "alpha" in call.arguments:
                array = isinstance(call.arguments["alpha"], np.ndarray)
                assert call(alpha=np.full((3, 2), bad) if array else bad) == "INVALID_PARAMETER", (call.name, bad)
        if call.name == "capped_simplex_projection":
            assert {call(k=bad) for bad in (0.0, -1.0, 5.5, NAN)} == {"INVALID_PARAMETER"} and call(k=5.0) == "OK"
        if call.name == "sparse_softmax":
            assert call(k=0) == call(k=-3) == "INVALID_PARAMETER" and call(k=2**40) == "OK"
        if "z" in call.arguments:
            z = call.arguments["z"].copy()
            z.flat[-1] = NAN
            assert call(z=z) == "INVALID_VALUE"
    z = np.zeros((2, 3))
    assert_error("INVALID_SHAPE", losskit.entmax, z, [1.5, 1.5, 1.5])
    assert_error("INVALID_SHAPE", losskit.sparsemax_vjp, z, z[:1])
    assert_error("INVALID_PARAMETER", losskit.sparse_softmax, z, k=2.5)
    assert losskit.sparsemax(np.zeros((0, 3))).shape == (0, 3)


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (17, 3, 1), (3, 33, 1), (20, 70, 1), (2, 1053, 1), (2, 70, 7), (3, 18, 33)])
def test_nothing_beyond_the_arrays_is_touched(shape, side, dtype):
    for call in map_calls(dtype, *shape):
        call.assert_stays_inside(side)


@pytest.mark.parametrize("shape", [(33, 5, 1), (20, 70, 1), (3, 1100, 1), (2, 70, 5), (5, 6, 40)])
def test_in_place(shape, dtype):
    for call in map_calls(dtype, *shape):
        assert call() == "OK"
        output, source = call.outputs[0], "z" if "z" in call.arguments else "grad_output"
        expected, shared = call.arguments[output].copy(), call.arguments[source].copy()
        assert RawCall(call.name, dtype, [], **{**call.arguments, source: shared, output: shared})() == "OK"
        assert shared.tobytes() == expected.tobytes(), call.name


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for shape, axis in (((40, 1100), 1), ((2000, 10), 1), ((300, 80), 1), ((2, 99, 299), 1), ((70001,), 0), ((3, 5), 0)):
        for scale in (0.01, 3):
            z, g = (rng.normal(0, scale, shape).astype(real) for _ in range(2))
            z.flat[::97] = -np.inf
            maps = dict(
                sparsemax=losskit.sparsemax(z, axis=axis), entmax15=losskit.entmax15(z, axis=axis),
                normmax=losskit.normmax(z, axis=axis), sparse_softmax=losskit.sparse_softmax(z, k=3, axis=axis),
                capped_simplex_projection=losskit.capped_simplex_projection(z, axis=axis),
            )
            maps.update({name + "_vjp": getattr(losskit, name + "_vjp")(p, g, axis=axis) for name, p in maps.items()})
            maps["entmax"] = losskit.entmax(z, 1.3, axis=axis)
            maps["grad_z"], maps["grad_alpha"] = losskit.entmax_vjp(maps["entmax"], 1.3, g, axis=axis)
            maps["tau"], maps["k"] = losskit.sparsemax_support(z, axis=axis)
            for name, result in maps.items():
                results[f"{name} {real.__name__} {shape} {scale}"] = np.asarray(result)
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS)
