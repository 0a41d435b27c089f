"""Losses of single scores: judged by NumPy float64 formulas written from the definitions, and by finite differences."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits, row_shapes

import losskit

INF, NAN = math.inf, math.nan
E = math.e
REDUCTIONS = ["none", "mean", "sum"]


# --- The definitions, in NumPy: value, derivative, and the sizes of what may cancel in them --------------------------


def sp(x):
    return np.logaddexp(0, x)


def sig(x):
    return np.exp(-np.logaddexp(0, -x))


def hinge(u):
    return np.maximum(0, u)


def weight_of(t, alpha):
    return 1.0 if alpha is None or alpha < 0 else alpha * t + (1 - alpha) * (1 - t)


def focal_parts(z, t, gamma):
    """Cross-entropy, 1 − p_t, p − t and the focal loss with its derivative, for t = 0 or 1."""
    s = 2 * t - 1
    ce, q, p = sp(-s * z), sig(-s * z), sig(s * z)
    modulation = np.where(p == 0, 0, gamma * p * -ce) if gamma else np.zeros_like(z)
    return ce, q, -s * q, q**gamma * ce, s * q**gamma * (modulation - q)


def sigmoid_focal_star_loss(z, t, alpha=-1.0, gamma=2.0, beta=1.0):
    s, a = 2 * t - 1, weight_of(t, alpha)
    u = gamma * s * z + beta
    return a * sp(-u) / gamma, -s * a * sig(-u), (0, 0)


def poly1_sigmoid_focal_loss(z, t, alpha=0.25, gamma=2.0, epsilon=1.0):
    s, a = 2 * t - 1, weight_of(t, alpha)
    _, q, _, focal, slope = focal_parts(z, t, gamma)
    second = -s * epsilon * (gamma + 1) * sig(s * z) * q ** (gamma + 1)
    sizes = a * focal + np.abs(epsilon * q ** (gamma + 1)), np.abs(a * slope) + np.abs(second)
    return a * focal + epsilon * q ** (gamma + 1), a * slope + second, sizes


def halted_focal_loss(z, t, alpha=-1.0, gamma=2.0, side="positive"):
    a = weight_of(t, alpha)
    ce, _, residual, focal, slope = focal_parts(z, t, gamma)
    easy = ((2 * t - 1) * z > 0) & ((t == 1) | (side == "both"))
    offset = math.log(2) * (1 - 2.0**-gamma)
    return a * np.where(easy, ce - offset, focal), a * np.where(easy, residual, slope), (a * np.where(easy, ce + 1, 0), 0)


def tail(value, slope):
    return lambda m, _: (np.where(m <= 1, 1 - m, value(np.maximum(m, 1))), np.where(m <= 1, -1, slope(np.maximum(m, 1.0))))


def angle(m):
    """2 atan m − 1, of which most cancels near its zero."""
    return (2 * np.arctan(np.asarray(m, np.longdouble)) - 1).astype(np.float64)


def inv_log(m):
    q = np.log1p((m - 1) / E)
    return np.where(q == INF, -E, -E * q / (1 + q))


PHI = {
    "logistic": lambda m, g: (sp(-m), -sig(-m)),
    "hinge": lambda m, g: (hinge(g - m), -1.0 * (m < g)),
    "squared_hinge": lambda m, g: (hinge(g - m) ** 2, -2 * hinge(g - m)),
    "smoothed_hinge": lambda m, g: (np.where(m <= 0, 0.5 - m, hinge(1 - m) ** 2 / 2), np.where(m <= 0, -1, -hinge(1 - m))),
    "modified_huber": lambda m, g: (np.where(m < -1, -4 * m, hinge(1 - m) ** 2), np.where(m < -1, -4, -2 * hinge(1 - m))),
    "sparsemax": lambda m, g: (np.where(m <= -1, -m, hinge(1 - m) ** 2 / 4), np.where(m <= -1, -1, -hinge(1 - m) / 2)),
    "exponential": lambda m, g: (np.exp(-m), -np.exp(-m)),
    "perceptron": lambda m, g: (hinge(-m), -1.0 * (m < 0)),
    "savage": lambda m, g: (sig(-m) ** 2, -2 * sig(-m) ** 2 * sig(m)),
    "tangent": lambda m, g: (angle(m) ** 2, 4 * angle(m) / (1 + m * m)),
    "unhinged": lambda m, g: (1 - m, -1.0 + 0 * np.where(np.isinf(m), 0, m)),
    "sigmoid": lambda m, g: (sig(-m), -sig(m) * sig(-m)),
    "ramp": lambda m, g: (np.clip((1 - m) / 2, 0, 1), -0.5 * (abs(m) < 1)),
    "square": lambda m, g: ((1 - m) ** 2, -2 * (1 - m)),
    "sqrt_hinge": tail(lambda m: -2 * np.sqrt(m - 1), lambda m: -1 / np.sqrt(m - 1)),
    "log_hinge": tail(lambda m: -np.log(m), lambda m: -1 / m),
    "inv_hinge": tail(lambda m: np.where(m == INF, -1, (1 - m) / m), lambda m: -1 / m**2),
    "inv_log_hinge": tail(inv_log, lambda m: -E / ((m + E - 1) * np.log(m + E - 1) ** 2)),
    "exp_hinge": tail(lambda m: np.expm1(1 - m), lambda m: -np.exp(1 - m)),
}


def binary_margin_loss(f, y, kind="logistic", margin=1.0):
    m = y * f
    value, slope = PHI[kind](m, margin)
    return np.where(np.isnan(m), m, value), np.where(np.isnan(m), m, y * slope), (0, 0)


def soft_margin_loss(f, y):
    return binary_margin_loss(f, y)


def hinge_embedding_loss(x, y, margin=1.0):
    value = np.where(y == 1, x, hinge(margin - x))
    return value, np.where(np.isnan(x), x, np.where(y == 1, 1, -1.0 * (x < margin))), (0, 0)


# name -> reference, parameters to draw from, the two targets
LOSSES = {
    "sigmoid_focal_star_loss": (
        sigmoid_focal_star_loss,
        dict(alpha=[-1.0, None, 0, 0.3, 1], gamma=[2.0, 4, 0.37], beta=[1.0, 0, -2.3]),
        (0, 1),
    ),
    "poly1_sigmoid_focal_loss": (
        poly1_sigmoid_focal_loss,
        dict(alpha=[0.25, None, 0, 1], gamma=[2.0, 0, 1, 0.4, 3.3], epsilon=[1.0, 0, -1, 2.5]),
        (0, 1),
    ),
    "halted_focal_loss": (
        halted_focal_loss,
        dict(alpha=[-1.0, None, 0.25], gamma=[2.0, 0, 1, 3.3], side=["positive", "both"]),
        (0, 1),
    ),
    "binary_margin_loss": (binary_margin_loss, dict(kind=list(PHI), margin=[1.0, 0.1, -3]), (-1, 1)),
    "soft_margin_loss": (soft_margin_loss, {}, (-1, 1)),
    "hinge_embedding_loss": (hinge_embedding_loss, dict(margin=[1.0, 0.1, 0, 7.3]), (-1, 1)),
}
CASES = [(name, kind) for name in LOSSES for kind in (PHI if name == "binary_margin_loss" else [None])]


def check(actual, name, x, t, parameters, sample_weight, reduction):
    """Compares (loss, gradient), each element with its own size, or what cancels in it."""
    loss, gradient = actual
    real = gradient.dtype
    assert loss.dtype == real == x.dtype and gradient.shape == x.shape
    s = np.ones(x.shape) if sample_weight is None else sample_weight.astype(np.float64)
    s = np.broadcast_to(s.reshape(s.shape + (1,) * (x.ndim - s.ndim)), x.shape)
    with np.errstate(all="ignore"):
        value, slope, (size, slope_size) = LOSSES[name][0](x.astype(np.float64), t.astype(np.float64), **parameters)
        value, slope, size = value.astype(real).astype(np.float64), slope.astype(real).astype(np.float64), np.abs(size)
        slope_size = np.maximum(slope_size, np.abs(slope))
        scale = 1.0 if reduction != "mean" else 1 / s.sum() if s.sum() else 0.0
        size, value, slope = np.maximum(size, np.abs(value)) * s, value * s, slope * s * scale
        slope_size = slope_size * s * scale
        if reduction != "none":
            value = value.sum() * scale if s.sum() else np.float64(0)
            size = size.sum() * scale
        # What rounds to 0 or underflows on the way has an absolute error.
        tolerance, tiny = (3e-6, 1e-37) if real == np.float32 else (1e-12, 1e-300)
        for a, b, allowed in ((loss, value, size), (gradient, slope, slope_size)):
            a, b = np.asarray(a, np.float64), np.asarray(b)
            assert a.shape == b.shape
            same = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= tolerance * allowed + tiny)
            large = np.finfo(real).max / 4
            same |= (np.abs(b) > large) & ((np.abs(a) > large) | np.isnan(a))  # sums of floats beyond their range
            assert same.all(), f"{a[~same][:3]}, expected {b[~same][:3]} for {np.asarray(x)[~same][:3] if a.shape else x}"


@st.composite
def elements(draw, targets):
    shape, _ = draw(row_shapes())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    x = rng.normal(0, draw(st.sampled_from([1e-3, 1, 5, 30, 1e4])), shape)
    if draw(st.booleans()):
        special = [INF, -INF, NAN, 0, 1, -1, 1e-40, 88, -104, 1.0000001, 2.3]
        x = np.where(rng.random(shape) < 0.3, rng.choice(special, shape), x)
    real = draw(st.sampled_from([np.float32, np.float64]))
    t = rng.choice(targets, shape)
    depth = draw(st.sampled_from([None, 0, 1, 2, len(shape)]))
    sample_weight = None if depth is None else rng.gamma(1, 1, shape[:depth]).astype(real)
    return x.astype(real), t.astype(draw(st.sampled_from([real, np.int64]))), sample_weight, draw(st.sampled_from(REDUCTIONS))


# --- Values and gradients --------------------------------------------------------------------------------------------

Z, T = [1.5, -0.5, 0.2], [1, 1, 0]
EXAMPLES = {
    "sigmoid_focal_star_loss": ((Z, T), {}, [0.009074964, 0.3465736, 0.218744], [-0.01798621, -0.5, 0.3543437]),
    "poly1_sigmoid_focal_loss": ((Z, T), {}, [0.007746664, 0.3355283, 0.3471929], [-0.01914814, -0.4046985, 0.5120857]),
    "halted_focal_loss": ((Z, T), {}, [-0.3184471, 0.3774116, 0.2412913], [-0.1824255, -0.5261518, 0.3834667]),
    "binary_margin_loss": (([1.5, -0.5, 3], [1, 1, -1]), dict(kind="modified_huber"), [0, 2.25, 12], [0, -3, 4]),
    "soft_margin_loss": (([1.5, -0.5, 3], [1, 1, -1]), {}, [0.2014133, 0.974077, 3.048587], [-0.1824255, -0.6224593, 0.9525741]),
    "hinge_embedding_loss": (([0.4, 0.4, 1.7], [1, -1, -1]), {}, [0.4, 0.6, 0], [1, -1, 0]),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name, dtype):
    (x, t), options, loss, gradient = EXAMPLES[name]
    actual = getattr(losskit, name)(np.array(x, dtype), t, **options, reduction="none", grad=True)
    for result, expected in zip(actual, (loss, gradient)):
        assert result.dtype == dtype
        np.testing.assert_allclose(result, expected, rtol=3e-6, atol=3e-7)


@pytest.mark.parametrize("name, kind", CASES)
@given(st.data())
def test_follows_its_definition(name, kind, data):
    _, choices, targets = LOSSES[name]
    x, t, sample_weight, reduction = data.draw(elements(targets))
    parameters = {key: data.draw(st.sampled_from(values)) for key, values in choices.items()}
    if kind:
        parameters["kind"] = kind
    options = dict(parameters, sample_weight=sample_weight, reduction=reduction)
    actual = getattr(losskit, name)(x, t, **options, grad=True)
    check(actual, name, x, t, parameters, sample_weight, reduction)
    assert np.array_equal(getattr(losskit, name)(x, t, **options), actual[0], equal_nan=True)


@pytest.mark.parametrize("name, kind", CASES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_the_gradient_is_the_gradient(name, kind, reduction, rng):
    x = rng.uniform(-3, 3, (4, 3))
    for kink in (-1, 0, 1):
        x[np.abs(np.abs(x) - abs(kink)) < 0.05] += 0.11
    t = rng.choice(LOSSES[name][2], (4, 3))
    upstream = rng.normal(0, 1, (4, 3)) if reduction == "none" else 1.0
    options = dict(reduction=reduction, sample_weight=rng.random(4) + 0.1, **(dict(kind=kind) if kind else {}))
    function = getattr(losskit, name)
    gradient = function(x, t, **options, grad=True)[1]
    assert_gradient(lambda x: (function(x, t, **options) * upstream).sum(), x, gradient * upstream, tolerance=1e-7)


def test_soft_targets_of_poly1(rng):
    z, t = rng.normal(0, 2, 12), rng.random(12)
    for gamma in (0, 1, 2, 0.7):
        function = lambda z: losskit.poly1_sigmoid_focal_loss(z, t, gamma=gamma, epsilon=1.7, reduction="sum")  # noqa: B023, E731
        gradient = losskit.poly1_sigmoid_focal_loss(z, t, gamma=gamma, epsilon=1.7, reduction="sum", grad=True)[1]
        assert_gradient(function, z, gradient)
        plain = losskit.sigmoid_focal_loss(z, t, gamma=gamma, reduction="none")
        assert_close(losskit.poly1_sigmoid_focal_loss(z, t, gamma=gamma, epsilon=0, reduction="none"), plain)


def test_halted_focal_loss_is_continuous():
    for gamma in (0.5, 2, 5):
        for t, side in ((1, "positive"), (0, "both")):
            each = losskit.halted_focal_loss([-1e-12, 1e-12], [t, t], gamma=gamma, side=side, reduction="none")
            assert abs(each[0] - each[1]) < 1e-11


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", LOSSES)
def test_nothing(name, reduction, dtype):
    for shape in ((0,), (3, 0)):
        x = np.empty(shape, dtype)
        loss, gradient = getattr(losskit, name)(x, x, reduction=reduction, grad=True)
        assert gradient.shape == shape and (loss.shape == shape if reduction == "none" else loss == 0)
    x = np.array([[1, -2], [3, 4]], dtype)
    loss, gradient = getattr(losskit, name)(x, np.ones((2, 2)), sample_weight=np.zeros(2), reduction=reduction, grad=True)
    assert (loss == 0).all() and (gradient == 0).all()


def test_a_nan_stays_where_it_is(dtype):
    x = np.linspace(-2, 2, 40).astype(dtype)
    other = x.copy()
    other[7] = NAN
    for name, kind in CASES:
        t = np.resize(LOSSES[name][2], x.shape)
        options = dict(reduction="none", grad=True, **(dict(kind=kind) if kind else {}))
        for a, b in zip(getattr(losskit, name)(x, t, **options), getattr(losskit, name)(other, t, **options)):
            assert np.isnan(b[7]), (name, kind)
            b[7] = a[7]
            assert a.tobytes() == b.tobytes()


# --- Refusals --------------------------------------------------------------------------------------------------------


def test_arguments_are_checked():
    x = np.zeros((2, 3))
    for name, (_, _, targets) in LOSSES.items():
        function, t = getattr(losskit, name), np.full((2, 3), targets[1])
        assert_error("INVALID_SHAPE", function, x, t[:1])
        assert_error("INVALID_SHAPE", function, x, t, sample_weight=np.ones(3))
        assert_error("INVALID_VALUE", function, x, t, sample_weight=[1, -1])
        assert_error("INVALID_PARAMETER", function, x, t, reduction="average")
        if name == "poly1_sigmoid_focal_loss":
            continue
        for bad, place in itertools.product((NAN, 0.5, 2, -1 - targets[0]), ((0, 0), (1, 2))):
            wrong = t.astype(np.float64)
            wrong[place] = bad
            assert_error("INVALID_TARGET", function, x, wrong)
    bad = dict(gamma=(-1, NAN, INF), alpha=(1.1, NAN), epsilon=(NAN, INF), beta=(NAN, INF), margin=(NAN, -INF), side=("all",), kind=("",))
    for name, (_, choices, targets) in LOSSES.items():
        for key, value in ((key, value) for key in choices for value in bad[key]):
            assert_error("INVALID_PARAMETER", getattr(losskit, name), x, np.full((2, 3), targets[1]), **{key: value})
    assert_error("INVALID_PARAMETER", losskit.sigmoid_focal_star_loss, x, x, gamma=0)


SCALARS = dict(alpha=0.3, gamma=2.0, beta=1.0, epsilon=1.0, margin=1.0, kind="tangent", side="both")


def calls(dtype, rows=3, columns=5):
    rng = np.random.default_rng(8)
    for name, (_, choices, targets) in LOSSES.items():
        names = {"binary_margin_loss": "fy", "soft_margin_loss": "fy", "hinge_embedding_loss": "xy"}.get(name, "zt")
        for reduction in REDUCTIONS:
            yield names, RawCall(
                name,
                dtype,
                ["loss", "grad"],
                **{names[0]: rng.normal(0, 3, (rows, columns)).astype(dtype), names[1]: rng.choice(targets, (rows, columns)).astype(dtype)},
                rows=rows,
                columns=columns,
                **{key: SCALARS[key] for key in choices},
                reduction=reduction,
                sample_weight=rng.random(rows).astype(dtype),
                loss=np.empty((rows, columns) if reduction == "none" else 1, dtype),
                grad=np.empty((rows, columns), dtype),
            )


def test_interface_refuses(dtype):
    for names, call in calls(dtype):
        assert call() == "OK"
        arrays = [key for key, value in call.arguments.items() if isinstance(value, np.ndarray)]
        for pointer in arrays:
            assert call(**{pointer: None}) == ("NULL_POINTER" if pointer in names else "OK"), pointer
        for size, bad in itertools.product(("rows", "columns"), (-1, -(2**63), 2**62, 2**63 - 1)):
            assert call(**{size: bad}) == "INVALID_SHAPE", (size, bad)
        for size in ("rows", "columns"):
            assert call(**{**dict.fromkeys(arrays), size: 0}) == "OK"
        weight = call.arguments["sample_weight"].copy()
        weight[-1] = NAN
        assert call(sample_weight=weight) == "INVALID_VALUE"


@pytest.mark.parametrize("side", ["begin", "end"])
def test_nothing_beyond_the_arrays_is_touched(side, dtype):
    for shape in ((1, 1), (1, 37), (37, 1), (5, 33)):
        for _, call in calls(dtype, *shape):
            call.assert_stays_inside(side)


# --- Aggregate responses ---------------------------------------------------------------------------------------------


def aggregate(f, bag, ybar, level="interpolated", rho=0.5, loss="square", bag_reduction="mean"):
    f, ybar = f.astype(np.float64), ybar.astype(np.float64)
    share = {"bag": 0, "instance": 1}.get(level, rho)
    q = f if loss == "square" else sig(f)

    def of_bag(t, values):
        if loss == "square":
            return (t - values.mean()) ** 2
        p, n = sig(values).mean(), sig(-values).mean()
        return -(t * np.log(p) if t else 0) - ((1 - t) * np.log(n) if t != 1 else 0)

    filled = np.unique(bag)
    each = (q - ybar[bag]) ** 2 if loss == "square" else sp(f) - ybar[bag] * f
    bags = np.mean([of_bag(ybar[b], f[bag == b]) for b in filled])
    instances = each.mean() if bag_reduction == "instances" else np.mean([each[bag == b].mean() for b in filled])
    return (1 - share) * bags + share * instances


AGGREGATES = list(itertools.product(["bag", "instance", "interpolated"], ["square", "logistic"], ["mean", "instances"]))


@pytest.mark.parametrize("level, loss, bag_reduction", AGGREGATES)
def test_aggregate_loss_follows_its_definition(level, loss, bag_reduction, dtype, rng):
    options = dict(level=level, loss=loss, bag_reduction=bag_reduction, rho=0.3)
    for count, bags in ((1, 1), (5, 2), (40, 60), (300, 7), (1000, 1)):
        f = rng.normal(0, 2, count).astype(dtype)
        bag = rng.integers(0, bags, count)
        ybar = rng.random(bags).astype(dtype)
        value, gradient = losskit.aggregate_loss(f, bag, ybar, **options, grad=True)
        assert value.dtype == gradient.dtype == dtype
        np.testing.assert_allclose(value, aggregate(f, bag, ybar, **options), rtol=3e-6 if dtype == np.float32 else 1e-12)
        assert losskit.aggregate_loss(f, bag, ybar, **options) == value
        if dtype == np.float64 and count <= 40:
            assert_gradient(lambda f: losskit.aggregate_loss(f, bag, ybar, **options), f, gradient)  # noqa: B023


def test_aggregate_loss_at_its_limits(dtype):
    f, bag, ybar = np.array([0.5, 1.5, -1, 2, 0], dtype), [0, 0, 1, 1, 1], np.array([0.75, 0.25], dtype)
    value, gradient = losskit.aggregate_loss(f, bag, ybar, rho=0.25, grad=True)
    np.testing.assert_allclose(value, 0.2604167, rtol=1e-6)
    np.testing.assert_allclose(gradient, [0.0625, 0.1875, -0.08333333, 0.1666667, 0], rtol=1e-6, atol=1e-7)
    value, gradient = losskit.aggregate_loss(f[:0], [], ybar, grad=True)
    assert value == 0 and gradient.shape == (0,)
    for level in ("bag", "instance"):
        # Certain instances, right and wrong ones, beyond the exponentials' range.
        value, gradient = losskit.aggregate_loss(
            np.array([800, 900, -900, -800], dtype), [0, 0, 1, 1], np.array([1, 1], dtype), level=level, loss="logistic", grad=True
        )
        assert np.isfinite(gradient).all() and (gradient[:2] == 0).all()
        assert value == INF if level == "bag" else value == 425
    f[3] = NAN
    value, gradient = losskit.aggregate_loss(f, bag, ybar, grad=True)
    assert np.isnan(value) and np.isfinite(gradient[:2]).all() and np.isnan(gradient[2:]).all()
    value, gradient = losskit.aggregate_loss(f, bag, ybar, level="instance", grad=True)
    assert np.isnan(gradient).tolist() == [False, False, False, True, False]


def test_aggregate_loss_checks_its_arguments():
    f, bag, ybar = np.zeros(3), np.zeros(3, int), np.zeros(2)
    for bad in (-1, 2, 2**40):
        assert_error("INVALID_TARGET", losskit.aggregate_loss, f, [0, 1, bad], ybar)
    assert_error("INVALID_TARGET", losskit.aggregate_loss, f, bag, [])
    assert_error("INVALID_SHAPE", losskit.aggregate_loss, f, bag[:2], ybar)
    assert_error("INVALID_SHAPE", losskit.aggregate_loss, [f], bag, ybar)
    for options in (dict(rho=NAN), dict(rho=-0.1), dict(rho=1.1), dict(level="x"), dict(loss="x"), dict(bag_reduction="sum")):
        assert_error("INVALID_PARAMETER", losskit.aggregate_loss, f, bag, ybar, **options)
    call = RawCall(
        "aggregate_loss", np.float64, ["loss", "grad"], f=f, bag=bag, ybar=ybar, count=3, bags=2, level="bag", rho=0.5,
        response="logistic", bag_reduction="mean", loss=np.empty(1), grad=np.empty(3),
    )  # fmt: skip
    assert call() == "OK"
    for pointer in ("f", "bag", "ybar", "loss", "grad"):
        assert call(**{pointer: None}) == ("OK" if pointer in call.outputs else "NULL_POINTER")
    for size, bad in itertools.product(("count", "bags"), (-1, 2**62)):
        assert call(**{size: bad}) == "INVALID_SHAPE"


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for shape in ((70, 1100), (70001,), (3, 5)):
        x, y = rng.normal(0, 4, shape).astype(real), rng.choice([-1, 1], shape)
        for kind in %r:
            results[f"{kind} {real.__name__} {shape}"] = losskit.binary_margin_loss(x, y, kind=kind, grad=True)[1]
            results[f"{kind} {real.__name__} {shape} sum"] = np.asarray(losskit.binary_margin_loss(x, y, kind=kind))
        for name in ("halted_focal_loss", "sigmoid_focal_star_loss", "poly1_sigmoid_focal_loss"):
            for i, part in enumerate(getattr(losskit, name)(x, y > 0, gamma=2.7, grad=True)):
                results[f"{name} {real.__name__} {shape} {i}"] = np.asarray(part)
    f, bag = rng.normal(0, 1, 999).astype(real), rng.integers(0, 40, 999)
    for loss in ("square", "logistic"):
        results[f"{loss} {real.__name__}"] = losskit.aggregate_loss(f, bag, rng.random(40).astype(real), loss=loss, grad=True)[1]
""" % (list(PHI),)


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS)


# --- PyTorch ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("name", ["soft_margin_loss", "hinge_embedding_loss"])
def test_agrees_with_torch(name, reduction, dtype, rng):
    torch = pytest.importorskip("torch")
    x, y = rng.normal(0, 4, (40, 13)).astype(dtype), rng.choice([-1, 1], (40, 13)).astype(dtype)
    tensor = torch.tensor(x, requires_grad=True)
    loss = getattr(torch.nn.functional, name)(tensor, torch.tensor(y), reduction=reduction)
    loss.sum().backward()
    ours = getattr(losskit, name)(x, y, reduction=reduction, grad=True)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    np.testing.assert_allclose(ours[0], loss.detach().numpy(), rtol=tolerance, atol=tolerance)
    np.testing.assert_allclose(ours[1], tensor.grad.numpy(), rtol=tolerance, atol=tolerance)
