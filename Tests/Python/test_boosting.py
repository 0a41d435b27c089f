"""Boosting objectives: judged by formulas in extended precision, written from the definitions, and by differences."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_same_bits, logit_arrays

import losskit

INF, NAN = math.inf, math.nan
GAMMAS = [0, 0.3, 1, 2, 3.7]
Z = [[2, -1, 0.5], [0, 1, -2]]
Y = [0, 2]


# --- The definitions, in extended precision --------------------------------------------------------------------------
#
# Each gives the gradient, the Hessian, and the size of the Hessian's terms, which may cancel; some that of the gradient's.


def of_rows(z, t):
    """p and 1 − p of every class, the rows last; NaN in rows without probabilities. t in [0, 1]."""
    z = z.astype(np.longdouble)
    x = z - z.max(-1, keepdims=True)
    e = np.exp(x)
    best = np.argmax(z, -1)[..., None]
    others = e.sum(-1, keepdims=True) - e
    rest = e.copy()
    np.put_along_axis(rest, best, 0, -1)
    np.put_along_axis(others, best, rest.sum(-1, keepdims=True), -1)
    total = 1 + rest.sum(-1, keepdims=True)
    p, q, nu = e / total, others / total, np.log1p(rest.sum(-1, keepdims=True)) - x
    undefined = np.isnan(z).any(-1) | (z == INF).any(-1) | (z == -INF).all(-1)
    for array in (p, q, nu):
        array[undefined] = NAN
    d = np.where(p > 0.5, (1 - t) - q, p - t)
    return p, q, nu, d


def softmax_reference(z, t, hess="lightgbm"):
    p, q, _, d = of_rows(z, t)
    classes = z.shape[-1]
    factor = {"exact": 1, "xgboost": 2, "lightgbm": classes / np.longdouble(classes - 1) if classes > 1 else 1}[hess]
    return d, factor * p * q, factor * p * q


def at(array, t):
    return (array * t).sum(-1, keepdims=True, where=t > 0)


def focal_reference(z, t, gamma=2.0, alpha=1.0):
    """α is one factor a class."""
    p, q, nu, d = of_rows(z, t)
    p_y, q_y, log_p = at(p, t), at(q, t), -at(nu, t)
    p_log_p = np.where(p_y == 0, 0, p_y * log_p)
    safe = np.where(q_y == 0, 1, q_y)
    phi1 = gamma * safe ** (gamma - 1) * p_log_p - q_y ** np.longdouble(gamma)
    phi2 = 0 if gamma == 0 else gamma * safe ** np.longdouble(gamma - 2) * (q_y * (2 * p_y + p_log_p) - (gamma - 1) * p_y * p_log_p)
    factor = at(np.broadcast_to(alpha, t.shape).astype(np.longdouble), t)
    return -factor * phi1 * d, *sums(factor * phi2 * d**2, -factor * phi1 * p * q)


def poly1_reference(z, t, epsilon=1.0):
    p, q, _, d = of_rows(z, t)
    p_y, q_y = at(p, t), at(q, t)
    psi, size = line(1, epsilon, p_y, q_y)
    hessian, hessian_size = sums(psi * p * q, -epsilon * p_y * d**2)
    return psi * d, hessian, hessian_size + size * p * q, size * np.abs(d)


def line(a, b, p, q):
    """a + b p, from the end at which p is, and the size of its terms."""
    return np.where(p > 0.5, sums(a + b, -b * q), sums(a, b * p))


def sums(a, b):
    return np.array([a + b, np.abs(a) + np.abs(b)])


def of_scores(f, y):
    s = 2 * y - 1
    m = s * f.astype(np.longdouble)
    return s, 1 / (1 + np.exp(-m)), 1 / (1 + np.exp(m)), -np.logaddexp(0, -m)


def logistic_reference(f, y):
    _, p, q, _ = of_scores(f, np.ones_like(f))
    terms = np.where(p > 0.5, (1 - y) + q, p + y)
    return np.where(p > 0.5, (1 - y) - q, p - y), p * q, p * q, terms


def squared_error_reference(z, t):
    return z - t.astype(np.longdouble), np.ones_like(z), np.ones_like(z)


def sigmoid_focal_reference(f, y, alpha=0.25, gamma=2.0):
    s, p, q, log_p = of_scores(f, y)
    weight = 1 if alpha is None or alpha < 0 else np.where(y > 0, alpha, 1 - np.float64(alpha))
    scale = weight * q ** np.longdouble(gamma)
    p_log_p = np.where(p == 0, 0, p * log_p)
    b = gamma * p_log_p - q
    hessian, size = sums(scale * q * (gamma * p_log_p + (gamma + 1) * p), -scale * gamma * p * b)
    return s * scale * b, hessian, size


def poly1_sigmoid_reference(f, y, epsilon=1.0):
    s, p, q, _ = of_scores(f, y)
    slope, slope_size = line(1, epsilon, p, q)
    curvature, curvature_size = line(1 - epsilon, 2 * epsilon, p, q)
    return -s * q * slope, p * q * curvature, p * q * curvature_size, q * slope_size


def check(actual, reference, weight, min_hess, axis, slack=1.0):
    """Errors are judged by the largest of a row; those of the Hessian by its terms."""
    real = actual[0].dtype
    tolerance = 3e-6 if real == np.float32 else 1e-12
    grad, hess, size, *grad_size = (np.asarray(array * weight) for array in reference)
    hess = np.where(hess < min_hess, min_hess, hess)
    sizes = [*grad_size, np.abs(grad)][0], np.maximum(size, np.abs(hess))
    for array, expected, size in zip(actual, (grad, hess), sizes):
        assert array.dtype == real
        array = np.moveaxis(array, axis, -1) if expected.ndim else array
        expected = expected.astype(np.float64)
        assert array.shape == expected.shape
        if not array.size:
            continue
        allowed = tolerance * slack * np.where(np.isfinite(size), size, 0).max(-1, keepdims=True)
        with np.errstate(all="ignore"):
            same = (array == expected) | (np.isnan(array) & np.isnan(expected))
            same |= np.abs(array.astype(np.float64) - expected) <= allowed + np.finfo(real).tiny
        worst = np.unravel_index(np.argmin(same), same.shape)
        assert same.all(), f"at {worst}: {array[worst]!r}, expected {expected[worst]!r}"


def slack_of(z, exponent):
    """Differences of logits are rounded, to 2^-24 of themselves: what a small 1 − p = e^{−gap} then has for an error."""
    if z.dtype != np.float32:
        return 1.0
    with np.errstate(all="ignore"):
        finite = np.where(np.isfinite(z), z, 0)
        gap = np.minimum(finite.max(-1, keepdims=True) - finite.min(-1, keepdims=True), 120)
    return np.maximum(1, exponent * (1 / 3 + gap * 2**-24 / 3e-6))


# --- Inputs ----------------------------------------------------------------------------------------------------------

ROW_KERNELS = {
    "softmax_grad_hess": (softmax_reference, [dict(hess=mode) for mode in ("exact", "xgboost", "lightgbm")] + [{}]),
    "focal_grad_hess": (focal_reference, [dict(gamma=gamma) for gamma in GAMMAS] + [{}]),
    "poly1_grad_hess": (poly1_reference, [dict(epsilon=epsilon) for epsilon in (0.0, -1.0, 2.5)] + [{}]),
}
SCORE_KERNELS = {
    "logistic_grad_hess": (logistic_reference, [{}]),
    "squared_error_grad_hess": (squared_error_reference, [{}]),
    "sigmoid_focal_grad_hess": (
        sigmoid_focal_reference,
        [dict(alpha=alpha, gamma=gamma) for alpha in (0.25, 0, 1, None, -1) for gamma in GAMMAS] + [{}],
    ),
    "poly1_sigmoid_grad_hess": (poly1_sigmoid_reference, [dict(epsilon=epsilon) for epsilon in (0.0, -1.0, 3.0)] + [{}]),
}
FLOORS = {"logistic_grad_hess": 0.0, "softmax_grad_hess": 0.0}  # by default


def floor_of(name, draw):
    """(what is passed, the floor that follows)."""
    if name == "squared_error_grad_hess":
        return {}, -INF
    chosen = draw(st.sampled_from([..., None, 0.0, 0.01, -0.1, 1e-16]))
    if chosen is ...:
        return {}, FLOORS.get(name, -INF)
    return dict(min_hess=chosen), -INF if chosen is None else chosen


def draw_weights(draw, shape, dtype):
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return np.where(rng.random(shape) < 0.2, 0, rng.gamma(1, 1, shape)).astype(dtype) if draw(st.booleans()) else None


def one_hot(y, classes):
    return (y[..., None] == np.arange(classes)).astype(np.float64)


# --- The definitions hold --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ROW_KERNELS)
@given(st.data())
def test_rows_follow_their_definition(name, data):
    draw = data.draw
    reference, choices = ROW_KERNELS[name]
    z, axis = draw(logit_arrays())
    classes, rows = z.shape[axis], tuple(np.delete(z.shape, axis))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    parameters = dict(draw(st.sampled_from(choices)))
    passed, floor = floor_of(name, draw)
    weight = draw_weights(draw, rows, z.dtype)
    y = rng.integers(0, classes, rows)
    target, t = y, one_hot(y, classes)
    if name == "softmax_grad_hess" and draw(st.booleans()):
        t = rng.dirichlet(np.full(classes, 0.3), rows).astype(z.dtype)
        target = np.moveaxis(t, -1, axis)
    alpha = {}
    if name == "focal_grad_hess" and draw(st.booleans()):
        alpha = dict(alpha=draw(st.sampled_from([0.25, rng.random(classes).astype(z.dtype)])))
    actual = getattr(losskit, name)(z, target, sample_weight=weight, axis=axis, **parameters, **passed, **alpha)
    last = np.moveaxis(z, axis, -1)
    with np.errstate(all="ignore"):
        expected = reference(last, t, **parameters, **alpha)
        s = np.ones(rows) if weight is None else weight.astype(np.float64)
        slack = slack_of(last, 2 + parameters.get("gamma", 2.0))
        check(actual, expected, s[..., None], floor, axis, slack)


@pytest.mark.parametrize("name", SCORE_KERNELS)
@given(st.data())
def test_scores_follow_their_definition(name, data):
    draw = data.draw
    reference, choices = SCORE_KERNELS[name]
    real = draw(st.sampled_from([np.float32, np.float64]))
    shape = tuple(draw(st.lists(st.sampled_from([0, 1, 2, 3, 7, 16, 17, 70, 1100]), min_size=0, max_size=2)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    f = rng.normal(0, draw(st.sampled_from([1e-3, 1, 30, 1e4])), shape)
    if name != "squared_error_grad_hess":
        f = np.where(rng.random(shape) < 0.1, rng.choice([INF, -INF, NAN, 0.0], shape), f)
    f = f.astype(real)
    y = rng.integers(0, 2, shape).astype(real)
    if name == "logistic_grad_hess" and draw(st.booleans()):
        y = rng.random(shape).astype(real)
    parameters, (passed, floor) = dict(draw(st.sampled_from(choices))), floor_of(name, draw)
    weighted = draw(st.integers(0, len(shape)))
    weight = draw_weights(draw, shape[:weighted], real)
    actual = getattr(losskit, name)(f, y, sample_weight=weight, **parameters, **passed)
    with np.errstate(all="ignore"):
        s = np.ones(()) if weight is None else weight.astype(np.float64)
        s = s.reshape(s.shape + (1,) * (len(shape) - s.ndim))
        expected = (array * s for array in reference(f, y.astype(np.float64), **parameters))
        each = [np.asarray(array)[..., None] for array in actual]
        slack = (2 + parameters.get("gamma", 2.0)) if real == np.float32 else 2 + parameters.get("gamma", 2.0)
        check(each, [np.asarray(array)[..., None] for array in expected], 1, floor, -1, slack)


EXAMPLES = [
    ("logistic_grad_hess", ([1.5, -0.5], [1, 1]), {}, [-0.1824255, -0.6224593], [0.1491465, 0.2350037]),
    (
        "softmax_grad_hess", (Z, Y), {},
        [[-0.214403, 0.03911257, 0.1752904], [0.2594965, 0.7053845, -0.964881]],
        [[0.2526515, 0.05637417, 0.2168455], [0.2882371, 0.3117258, 0.05082852]],
    ),
    ("squared_error_grad_hess", ([[1, 2]], [[0, 2.5]]), {}, [[1, -0.5]], [[1, 1]]),
    (
        "sigmoid_focal_grad_hess", ([1.5, -0.5, -3], [1, 1, 1]), {},
        [-0.004257776, -0.131538, -0.2816875], [0.01018484, 0.1232654, -0.005022217],
    ),
    ("poly1_sigmoid_grad_hess", ([1.5, -0.5], [1, 1]), {}, [-0.331572, -0.857463], [0.2438767, 0.1774469]),
    (
        "focal_grad_hess", (Z, Y), {},
        [[-0.02728467, 0.004977421, 0.02230725], [0.3004871, 0.8168088, -1.117296]],
        [[0.06236081, 0.006144722, 0.04575312], [0.2169117, 0.1992651, -0.0381864]],
    ),
    (
        "poly1_grad_hess", (Z, Y), {},
        [[-0.3828373, 0.06983929, 0.312998], [0.2686097, 0.7301569, -0.9987667]],
        [[0.264643, 0.0659059, 0.2339936], [0.1965416, 0.1976415, 0.002380064]],
    ),
    ("newton_targets", ([-0.3, 0.2], [0.21, 0.16]), {}, [1.428571, -1.25], [0.21, 0.16]),
    ("newton_targets", ([-0.3, 0.2], [0.21, 0.16]), dict(order="first"), [0.3, -0.2], [1, 1]),
]  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[0])
def test_worked_example(example, dtype):
    name, (first, second), parameters, *expected = example
    second = np.asarray(second, None if np.asarray(second).dtype.kind == "i" else dtype)
    results = getattr(losskit, name)(np.asarray(first, dtype), second, **parameters)
    assert len(results) == 2
    for result, wanted in zip(results, expected):
        assert result.dtype == dtype
        assert_close(result, wanted, tolerance=3e-6 if dtype == np.float32 else 4e-7)


# --- They are derivatives --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, parameters, loss",
    [
        ("softmax_grad_hess", dict(hess="exact"), losskit.cross_entropy),
        ("focal_grad_hess", dict(gamma=1.7, alpha=[1, 0.3, 2, 0.7]), losskit.focal_loss),
        ("focal_grad_hess", dict(gamma=0.4), losskit.focal_loss),
        ("poly1_grad_hess", dict(epsilon=0.6), None),
    ],
)
def test_rows_are_derivatives(name, parameters, loss, rng):
    z, y = rng.normal(0, 1.5, (6, 4)), rng.integers(0, 4, 6)
    rows = np.arange(6)

    def values(z):
        if loss is None:
            p = losskit.softmax(z)[rows, y]
            return -np.log(p) + parameters["epsilon"] * (1 - p)
        return loss(z, y, reduction="none", **{key: value for key, value in parameters.items() if key != "hess"})

    grad, hess = getattr(losskit, name)(z, y, **parameters)
    h = 1e-3
    for j in range(4):
        step = h * np.eye(4)[j]
        f1, f2, b1, b2 = (values(z + k * step) for k in (1, 2, -1, -2))
        np.testing.assert_allclose(grad[:, j], (8 * (f1 - b1) - (f2 - b2)) / (12 * h), atol=1e-9)
        np.testing.assert_allclose(
            hess[:, j], (16 * (f1 + b1) - (f2 + b2) - 30 * values(z)) / (12 * h * h), atol=1e-8
        )


@pytest.mark.parametrize(
    "name, parameters, loss",
    [
        ("logistic_grad_hess", {}, lambda f, y: losskit.softplus(f) - y * f),
        ("sigmoid_focal_grad_hess", dict(gamma=1.7), lambda f, y: losskit.sigmoid_focal_loss(f, y, gamma=1.7, reduction="none")),
        ("poly1_sigmoid_grad_hess", dict(epsilon=0.6), lambda f, y: -losskit.log_sigmoid((2 * y - 1) * f) + 0.6 * losskit.sigmoid((1 - 2 * y) * f)),
        ("squared_error_grad_hess", {}, lambda z, t: (z - t) ** 2 / 2),
    ],
)  # fmt: skip
def test_scores_are_derivatives(name, parameters, loss, rng):
    f, y = rng.normal(0, 2, 50), rng.integers(0, 2, 50).astype(float)
    grad, hess = getattr(losskit, name)(f, y, **parameters)
    h = 1e-3
    f1, f2, b1, b2 = (loss(f + k * h, y) for k in (1, 2, -1, -2))
    np.testing.assert_allclose(grad, (8 * (f1 - b1) - (f2 - b2)) / (12 * h), atol=1e-9)
    np.testing.assert_allclose(hess, (16 * (f1 + b1) - (f2 + b2) - 30 * loss(f, y)) / (12 * h * h), atol=1e-8)


# --- Edges -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("width", [3, 40, 700])
@pytest.mark.parametrize("name", ROW_KERNELS)
def test_special_rows(name, width, dtype):
    """A NaN stays in its row, masked classes have no part, and probabilities of 1 have derivatives of 0."""
    kernel = getattr(losskit, name)
    z = np.zeros((7, width), dtype)
    z[0, 1], z[1, 1], z[2], z[3, 1], z[4, 0] = NAN, INF, -INF, -INF, -INF
    z[5, 0], z[6, 1] = 1e4, 1e4
    for axis in (1, 0):
        grad, hess = kernel(np.ascontiguousarray(z.swapaxes(0, 1)) if axis == 0 else z, np.zeros(7, int), axis=axis)
        grad, hess = (grad.T, hess.T) if axis == 0 else (grad, hess)
        assert np.isnan(grad[:3]).all() and np.isnan(hess[:3]).all()
        assert np.isfinite(grad[3:]).all() and np.isfinite(hess[3:]).all()
        assert grad[3, 1] == 0 and hess[3, 1] == 0
        assert grad[4, 0] == -1 and hess[4, 0] == 0
        assert (grad[5] == 0).all() and (hess[5] == 0).all()
        assert grad[6, 0] == -1 and grad[6, 1] == 1 and (grad[6, 2:] == 0).all()


@pytest.mark.parametrize("name", ROW_KERNELS)
def test_one_class(name, dtype):
    for array in getattr(losskit, name)(np.array([[3.0], [-1e4]], dtype), [0, 0]):
        assert (array == 0).all() and array.shape == (2, 1)


@pytest.mark.parametrize("gamma", [0.01, 0.5, 1, 1.5, 2, 30])
def test_focal_derivatives_are_finite_up_to_certainty(gamma, dtype):
    margin = np.linspace(0, 800, 801).astype(dtype)
    z = np.stack([margin, np.zeros_like(margin)], -1)
    for y in (0, 1):
        for array in losskit.focal_grad_hess(z, np.full(801, y), gamma=gamma, sample_weight=np.full(801, 1e3)):
            assert np.isfinite(array).all()
        for sign in (1, -1):
            for array in losskit.sigmoid_focal_grad_hess(sign * margin, np.full(801, y), gamma=gamma):
                assert np.isfinite(array).all()


def test_layouts_agree(dtype, rng):
    """The class-major layout of LightGBM, a view without a copy, has the bits of the row-major one's derivatives."""
    z, y, s = rng.normal(0, 2, (50, 5)).astype(dtype), rng.integers(0, 5, 50), rng.random(50).astype(dtype)
    for name in ROW_KERNELS:
        kernel = getattr(losskit, name)
        for a, b in zip(kernel(z, y, sample_weight=s), kernel(z.T.copy(), y, sample_weight=s, axis=0)):
            np.testing.assert_array_equal(a, b.T)


def test_each_output_may_be_absent(dtype):
    for call in calls(dtype):
        if call.name == "condensed_leaf_values":
            continue
        assert call() == "OK"
        expected = [call.arguments[output].copy() for output in call.outputs]
        for output, wanted, other in zip(call.outputs, expected, reversed(call.outputs)):
            assert call(**{other: None}) == "OK"
            assert call.arguments[output].tobytes() == wanted.tobytes(), (call.name, output)


def test_newton_targets(dtype, rng):
    grad, hess = rng.normal(0, 1, 100).astype(dtype), rng.normal(0, 1, 100).astype(dtype)
    hess[:4] = 0, -0.0, INF, NAN
    target, weight = losskit.newton_targets(grad, hess, eps=0.25)
    with np.errstate(all="ignore"):
        reference = -grad.astype(float) / np.maximum(hess.astype(float), 0.25)
    assert_close(target, reference)
    np.testing.assert_array_equal(weight, hess)
    assert losskit.newton_targets(0.5, 0.25)[0] == -2
    for bad in (0, -1, NAN, INF):
        assert_error("INVALID_PARAMETER", losskit.newton_targets, grad, hess, eps=bad)
    assert_error("INVALID_PARAMETER", losskit.newton_targets, grad, hess, order="third")
    assert_error("INVALID_SHAPE", losskit.newton_targets, grad, hess[:3])


# --- Condensed trees -------------------------------------------------------------------------------------------------


@given(st.data())
def test_condensed_leaf_values(data):
    draw = data.draw
    real = draw(st.sampled_from([np.float32, np.float64]))
    rows, classes = draw(st.integers(0, 70)), draw(st.sampled_from([1, 2, 3, 16, 17, 300]))
    leaves = draw(st.integers(1, 9))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    t = one_hot(rng.integers(0, classes, rows), classes)
    residual = (t - rng.dirichlet(np.full(classes, 0.5), rows)).astype(real)
    leaf = rng.integers(0, leaves, rows)
    weight = draw_weights(draw, rows, real)
    if rows and draw(st.booleans()):
        residual[0, 0] = NAN
    value = losskit.condensed_leaf_values(residual, t, leaf, n_leaves=leaves, sample_weight=weight)
    assert value.dtype == real
    s = (np.ones(rows) if weight is None else weight.astype(float))[:, None]
    r = residual.astype(float)
    member = (leaf[:, None] == np.arange(leaves)).astype(float)
    with np.errstate(all="ignore"):
        step = np.array([(s * r)[leaf == leaf_].sum(0) for leaf_ in range(leaves)])
        size = member.T @ (s * np.abs(np.nan_to_num(r)))
        curvature = np.array([(s * (t - r) * (1 - t + r))[leaf == leaf_].sum(0) for leaf_ in range(leaves)])
        empty = np.abs(curvature) < (1e-30 if real == np.float32 else 1e-150)
        reference = np.where(empty, 0, (classes - 1) / classes * step / np.where(empty, 1, curvature))
        allowed = 1e-10 * size / np.where(empty, 1, np.abs(curvature)) + np.abs(reference) * np.finfo(real).eps
        same = (np.abs(value - reference) <= allowed) | (np.isnan(value) & np.isnan(reference)) | (value == reference.astype(real))
    assert same.all()


def test_condensed_worked_example(dtype):
    residual = np.array([[0.4, -0.1, -0.3], [-0.2, 0.5, -0.3], [0.6, -0.4, -0.2]], dtype)
    t = [[1, 0, 0], [0, 1, 0], [1, 0, 0]]
    value = losskit.condensed_leaf_values(residual, t, [0, 0, 1], n_leaves=3)
    expected = [[0.3333333, 0.7843137, -0.952381], [1.666667, -1.111111, -0.8333333], [0, 0, 0]]
    assert_close(value, expected, tolerance=3e-6 if dtype == np.float32 else 4e-7)
    assert_error("INVALID_TARGET", losskit.condensed_leaf_values, residual, t, [0, 0, 3], n_leaves=3)
    assert_error("INVALID_TARGET", losskit.condensed_leaf_values, residual, t, [0, -1, 0], n_leaves=3)
    assert_error("INVALID_SHAPE", losskit.condensed_leaf_values, residual, t, [0, 0, 0], n_leaves=-1)
    assert_error("INVALID_SHAPE", losskit.condensed_leaf_values, residual[0], t[0], [0], n_leaves=1)
    assert_error("INVALID_SHAPE", losskit.condensed_leaf_values, residual, t, [0, 0], n_leaves=1)
    assert losskit.condensed_leaf_values(np.zeros((0, 3), dtype), np.zeros((0, 3)), [], n_leaves=0).shape == (0, 3)


# --- The interface ---------------------------------------------------------------------------------------------------


def calls(dtype, outer=3, classes=5, inner=2):
    rng = np.random.default_rng(8)
    shape, rows = (outer, classes, inner), (outer, inner)
    array = lambda: rng.normal(0, 1, shape).astype(dtype)  # noqa: E731
    y = rng.integers(0, classes, rows)
    outputs = ["grad", "hess"]
    sizes = dict(outer=outer, classes=classes, inner=inner)
    made = lambda: dict(grad=np.empty(shape, dtype), hess=np.empty(shape, dtype))  # noqa: E731
    weighted = dict(sample_weight=rng.random(rows).astype(dtype), min_hess=0.01)
    call = lambda name, **arguments: RawCall(name, dtype, outputs, **arguments, **made())  # noqa: E731
    yield call("softmax_grad_hess", z=array(), target=y, hessian="xgboost", **sizes, **weighted)
    yield call("softmax_grad_hess_dense", z=array(), target=array(), hessian="exact", **sizes, **weighted)
    alpha = rng.random(classes).astype(dtype)
    yield call("focal_grad_hess", z=array(), y=y, gamma=1.5, alpha=alpha, **sizes, **weighted)
    yield call("poly1_grad_hess", z=array(), y=y, epsilon=0.5, **sizes, **weighted)
    for columns in (classes * inner, 1):
        matrix = dict(rows=outer * classes * inner // columns, columns=columns)
        binary = lambda: rng.integers(0, 2, shape).astype(dtype)  # noqa: E731
        weights = dict(sample_weight=rng.random(matrix["rows"]).astype(dtype))
        floored = dict(weights, min_hess=0.01)
        yield call("logistic_grad_hess", f=array(), y=binary(), **matrix, **floored)
        yield call("squared_error_grad_hess", z=array(), t=array(), **matrix, **weights)
        yield call("sigmoid_focal_grad_hess", f=array(), y=binary(), alpha=0.25, gamma=1.5, **matrix, **floored)
        yield call("poly1_sigmoid_grad_hess", f=array(), y=binary(), epsilon=0.5, **matrix, **floored)
    yield RawCall(
        "newton_targets", dtype, ["target", "weight"], grad=array(), hess=array(), count=outer * classes * inner,
        eps=1e-12, order="second", target=np.empty(shape, dtype), weight=np.empty(shape, dtype),
    )  # fmt: skip
    yield RawCall(
        "condensed_leaf_values", dtype, ["value"], residual=array(), t=array(), leaf=rng.integers(0, 4, outer),
        rows=outer, classes=classes * inner, n_leaves=4, sample_weight=rng.random(outer).astype(dtype),
        value=np.empty((4, classes * inner), dtype),
    )  # fmt: skip


def test_interface_refuses(dtype):
    for call in calls(dtype):
        assert call() == "OK", call.name
        optional = {"alpha", "sample_weight", *call.outputs} - {"value"}
        arguments = call.arguments
        arrays = [key for key, value in arguments.items() if isinstance(value, np.ndarray)]
        sizes = [key for key in arguments if key in ("outer", "classes", "inner", "rows", "columns", "count", "n_leaves")]
        for pointer in arrays:
            assert call(**{pointer: None}) == ("OK" if pointer in optional else "NULL_POINTER"), (call.name, pointer)
        for size, bad in itertools.product(sizes, (-1, -(2**63), 2**62, 2**63 - 1)):
            assert call(**{size: bad}) == "INVALID_SHAPE", (call.name, size, bad)
        if "classes" in sizes:
            assert call(classes=0) == "INVALID_SHAPE"
        nothing = {**dict.fromkeys(arrays), sizes[0]: 0}
        assert call(**{**nothing, "n_leaves": 0} if "n_leaves" in sizes else nothing) == "OK"
        target = "leaf" if "leaf" in arguments else "target" if "target" in arguments else "y"
        if target in arguments and target not in call.outputs:
            is_index = arguments[target].dtype == np.int64
            for place in (0, -1):
                wrong = (-1, 5, 2**32) if is_index else () if call.name.endswith("dense") else (-0.01, 1.01, NAN)
                if call.name.endswith("sigmoid_grad_hess") or call.name.startswith("sigmoid"):
                    wrong += (0.5,)
                for bad in wrong:
                    changed = arguments[target].copy()
                    changed.flat[place] = bad
                    assert call(**{target: changed}) == "INVALID_TARGET", (call.name, bad)
        for parameter, values in dict(
            gamma=(-1e-9, INF, NAN), epsilon=(INF, -INF, NAN), min_hess=(INF, NAN), eps=(0.0, -1.0, INF, NAN),
            **({"alpha": (1.01, NAN)} if "rows" in sizes else {}),
        ).items():  # fmt: skip
            if parameter in arguments:
                for bad in values:
                    assert call(**{parameter: bad}) == "INVALID_PARAMETER", (call.name, parameter, bad)
        if "sample_weight" in arguments:
            for bad, place in itertools.product((-1, NAN, INF), (0, -1)):
                array = arguments["sample_weight"].copy()
                array.flat[place] = bad
                assert call(sample_weight=array) == "INVALID_VALUE", call.name


def test_arguments_are_checked(dtype):
    z, y, f = np.zeros((4, 3), dtype), [0, 1, 2, 0], np.zeros(4, dtype)
    for name in ROW_KERNELS:
        kernel = getattr(losskit, name)
        assert_error("INVALID_TARGET", kernel, z, [0, 1, 2, 3])
        assert_error("INVALID_TARGET", kernel, z, np.zeros(4))
        assert_error("INVALID_SHAPE", kernel, z, y[:3])
        assert_error("INVALID_SHAPE", kernel, z, y, sample_weight=np.ones(3))
        assert_error("INVALID_PARAMETER", kernel, z, y, axis=2)
        assert_error("INVALID_PARAMETER", kernel, z, y, min_hess=NAN)
        assert [array.shape for array in kernel(z[:0], [])] == [(0, 3)] * 2
    assert_error("INVALID_PARAMETER", losskit.softmax_grad_hess, z, y, hess="catboost")
    assert_error("INVALID_SHAPE", losskit.focal_grad_hess, z, y, alpha=[1, 2])
    for name in SCORE_KERNELS:
        kernel = getattr(losskit, name)
        assert_error("INVALID_SHAPE", kernel, f, f[:3])
        assert_error("INVALID_SHAPE", kernel, f, f, sample_weight=np.ones(3))
        assert [array.shape for array in kernel(f[:0], f[:0])] == [(0,)] * 2
    assert losskit.logistic_grad_hess([1.5], [True])[0].dtype == np.float64


SHAPES = [
    (1, 1, 1), (3, 5, 1), (17, 3, 1), (5, 17, 1), (3, 33, 1), (9, 131, 1), (2, 2053, 1), (2, 3, 7), (1, 7, 19), (3, 18, 33),
]  # fmt: skip


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_beyond_the_arrays_is_touched(shape, side, dtype):
    for call in calls(dtype, *shape):
        call.assert_stays_inside(side)


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for shape, axis in (((300, 1100), 1), ((20000, 10), 1), ((4, 19, 999), 1), ((70001, 1), 1), ((3, 5), 0)):
        z, t = rng.normal(0, 9, shape).astype(real), rng.random(shape).astype(real)
        rows, classes = tuple(np.delete(shape, axis)), shape[axis]
        y, s, a = rng.integers(0, classes, rows), rng.random(rows).astype(real), rng.random(classes).astype(real)
        b = (t > 0.5).astype(real)
        z.flat[::97] = -np.inf
        z[np.isneginf(z).all(axis, keepdims=True) & np.ones_like(z, bool)] = 1
        w = s if axis == 1 and len(shape) == 2 else None
        for name, result in dict(
            softmax=losskit.softmax_grad_hess(z, y, sample_weight=s, axis=axis),
            dense=losskit.softmax_grad_hess(z, t, sample_weight=s, axis=axis),
            focal=losskit.focal_grad_hess(z, y, gamma=1.3, alpha=a, axis=axis),
            poly1=losskit.poly1_grad_hess(z, y, sample_weight=s, min_hess=0.0, axis=axis),
            logistic=losskit.logistic_grad_hess(z, t, sample_weight=w),
            squared=losskit.squared_error_grad_hess(z, t, sample_weight=w),
            sigmoid_focal=losskit.sigmoid_focal_grad_hess(z, b, gamma=1.3, sample_weight=w),
            poly1_sigmoid=losskit.poly1_sigmoid_grad_hess(z, b),
            newton=losskit.newton_targets(z, t),
            leaves=(losskit.condensed_leaf_values(
                t.reshape(shape[0], -1), b.reshape(shape[0], -1), np.arange(shape[0]) % 7, n_leaves=7),),
        ).items():
            for part, array in enumerate(result):
                results[f"{name} {part} {real.__name__} {shape}"] = array
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS, threads=(1, 2, 3))
