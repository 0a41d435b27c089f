"""Multi-label losses: judged by NumPy float64 formulas written from the definitions, and by finite differences."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_error, assert_gradient, assert_same_bits, row_shapes

import losskit
from losskit import binary_cross_entropy_with_logits as bce

INF, NAN = math.inf, math.nan
REDUCTIONS = ["none", "mean", "sum"]


# --- The definition, in NumPy ----------------------------------------------------------------------------------------


def reference(z, t, weight=1.0, pos_weight=1.0):
    """Value, derivative and the size of the derivative's terms, of each element. A side of weight 0 does not count."""
    z, t, weight, q = (np.asarray(x, np.float64) for x in (z, t, weight, pos_weight))
    with np.errstate(all="ignore"):
        negative = np.where((t == 1) & ~np.isnan(z), 0, (1 - t) * np.logaddexp(0, z))
        positive = np.where((t == 0) & ~np.isnan(z), 0, q * t * np.logaddexp(0, -z))
        p, n = np.exp(-np.logaddexp(0, -z)), np.exp(-np.logaddexp(0, z))
        up, down = (1 - t) * p, q * t * n
        return weight * (negative + positive), weight * (up - down), weight * (up + down)


def along_leading(s, z):
    return np.broadcast_to(np.reshape(s, np.shape(s) + (1,) * (z.ndim - np.ndim(s))), z.shape).astype(np.float64)


def check(actual, z, t, *, weight=None, pos_weight=None, sample_weight=None, reduction="mean"):
    """Compares (loss, gradient), each element with its own size."""
    loss, gradient = actual
    real = gradient.dtype
    assert loss.dtype == real == z.dtype and gradient.shape == z.shape
    ones = lambda w: 1.0 if w is None else w  # noqa: E731
    value, derivative, size = reference(z, t, ones(weight), ones(pos_weight))
    s = along_leading(ones(sample_weight), z)
    total = s.sum()
    with np.errstate(all="ignore"):
        scale = s * (1.0 if reduction != "mean" else 1 / total if total else 0.0)
        wanted = value * (s if reduction == "none" else scale)
        if reduction != "none":
            wanted = wanted.sum() if total else np.float64(0)
        derivative, size = derivative * scale, size * scale
    tolerance = 3e-6 if real == np.float32 else 1e-12
    for a, b, allowed in ((loss, wanted, np.abs(wanted)), (gradient, derivative, size)):
        a, b = np.asarray(a, np.float64), np.asarray(b).astype(real).astype(np.float64)
        assert a.shape == b.shape
        with np.errstate(all="ignore"):
            same = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= tolerance * allowed + np.finfo(real).tiny)
        assert same.all(), f"{a[~same][:3]}, expected {b[~same][:3]}"


@st.composite
def elements(draw, special=True):
    """(z, t, rng): logits of all sizes; targets hard, soft or both."""
    shape, _ = draw(row_shapes())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    z = rng.normal(0, draw(st.sampled_from([1e-3, 1, 5, 30, 1e4])), shape)
    if special and draw(st.booleans()):
        z = np.where(rng.random(shape) < 0.3, rng.choice([INF, -INF, NAN, 0.0, 1e-40, 88.0, -104.0], shape), z)
    t = rng.random(shape)
    t = np.where(rng.random(shape) < draw(st.sampled_from([0, 0.5, 1])), t, np.round(t))
    real = draw(st.sampled_from([np.float32, np.float64]))
    return z.astype(real), t.astype(real), rng


# --- Values and gradients --------------------------------------------------------------------------------------------


def test_worked_example(dtype):
    z, t = np.array([[2, -1, 0.5]], dtype), np.array([[1, 0, 0]], dtype)
    loss, gradient = bce(z, t, pos_weight=[3, 1, 1], grad=True)
    assert loss.dtype == gradient.dtype == dtype
    np.testing.assert_allclose(loss, 0.5560409, rtol=1e-6)
    np.testing.assert_allclose(gradient, [[-0.1192029, 0.08964714, 0.2074864]], rtol=1e-6)
    assert bce(z, t, pos_weight=[3, 1, 1]) == loss


@given(
    elements(),
    st.sampled_from(["none", "column", "element", "row", "scalar"]),
    st.booleans(),
    st.sampled_from([None, 0, 1, 2, 3]),
    st.sampled_from(REDUCTIONS),
)
def test_follows_its_definition(drawn, weight_form, has_pos_weight, weighted_axes, reduction):
    z, t, rng = drawn
    positive = lambda shape: rng.gamma(1, 1, shape).astype(z.dtype)  # noqa: E731
    shape = {"column": z.shape[-1:], "element": z.shape, "row": z.shape[:-1] + (1,), "scalar": ()}.get(weight_form)
    if weighted_axes is not None and weighted_axes >= z.ndim:  # each element is a row of its own: one weight for all
        q_shape = (1,)
    else:
        q_shape = z.shape[-1:]
    options = dict(
        weight=None if shape is None else positive(shape),
        pos_weight=positive(q_shape) + z.dtype.type(1e-3) if has_pos_weight else None,
        sample_weight=None if weighted_axes is None else positive(z.shape[:weighted_axes]),
        reduction=reduction,
    )
    actual = bce(z, t, **options, grad=True)
    check(actual, z, t, **options)
    assert np.array_equal(bce(z, t, **options), actual[0], equal_nan=True)


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("weighted", [False, True])
def test_the_gradient_is_the_gradient(reduction, weighted, rng):
    z, t = rng.normal(0, 2, (4, 3)), rng.random((4, 3))
    t[:2] = np.round(t[:2])
    upstream = rng.normal(0, 1, (4, 3)) if reduction == "none" else 1.0
    options = dict(reduction=reduction)
    if weighted:
        options.update(weight=rng.random((4, 3)), pos_weight=rng.random(3) + 0.5, sample_weight=rng.random(4))
    gradient = bce(z, t, **options, grad=True)[1]
    assert_gradient(lambda z: (bce(z, t, **options) * upstream).sum(), z, gradient * upstream, tolerance=1e-8)


def test_small_losses_keep_their_digits(dtype):
    """The loss of a confident right answer is e^{−|z|}, its gradient as well."""
    z = np.linspace(10, 87 if dtype == np.float32 else 700, 400).astype(dtype)
    for sign, target in ((1, 1), (-1, 0)):
        t = np.full_like(z, target)
        loss, gradient = bce(sign * z, t, reduction="none", grad=True)
        exact = np.log1p(np.exp(-z.astype(np.float64)))
        np.testing.assert_allclose(loss, exact, rtol=3e-6 if dtype == np.float32 else 1e-12)
        exact = -sign / (1 + np.exp(z.astype(np.float64)))
        np.testing.assert_allclose(gradient, exact, rtol=3e-6 if dtype == np.float32 else 1e-12)


def test_infinite_and_undefined_logits(dtype):
    z = np.array([INF, -INF, INF, -INF, INF, -INF, NAN, NAN, NAN], dtype)
    t = np.array([1, 0, 0, 1, 0.5, 0.5, 0, 1, 0.5], dtype)
    loss, gradient = bce(z, t, reduction="none", grad=True)
    np.testing.assert_array_equal(loss, [0, 0] + [INF] * 4 + [NAN] * 3)
    np.testing.assert_array_equal(gradient, [0, 0, 1, -1, 0.5, -0.5] + [NAN] * 3)
    many = np.tile(np.linspace(-2, 2, 50).astype(dtype), (3, 1))
    other = many.copy()
    other[1, 7] = NAN
    for a, b in zip(bce(many, many > 0, reduction="none", grad=True), bce(other, many > 0, reduction="none", grad=True)):
        assert np.isnan(b[1, 7])
        b[1, 7] = a[1, 7]
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(0,), (0, 3), (3, 0), (2, 0, 4)])
def test_nothing(shape, reduction, dtype):
    z = np.empty(shape, dtype)
    for options in ({}, {"sample_weight": np.empty(shape[:1], dtype)}, {"pos_weight": np.ones(shape[-1:], dtype)}):
        loss, gradient = bce(z, z, reduction=reduction, grad=True, **options)
        assert gradient.shape == shape and (loss.shape == shape if reduction == "none" else loss == 0)


@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_no_weight_at_all(reduction, dtype):
    z = np.array([[1, -2], [3, 4]], dtype)
    loss, gradient = bce(z, z > 0, sample_weight=np.zeros(2, dtype), reduction=reduction, grad=True)
    assert (loss == 0).all() and (gradient == 0).all()


def test_single_numbers(dtype):
    loss, gradient = bce(dtype.type(0), dtype.type(1), grad=True)
    assert gradient.shape == () and abs(loss - math.log(2)) < 1e-6 and gradient == -0.5


@pytest.mark.parametrize("count", [1000, 250_007])
def test_sums_keep_their_digits(count, dtype, rng):
    z, t = rng.normal(0, 1, count).astype(dtype), rng.integers(0, 2, count)
    each = bce(z, t, reduction="none").astype(np.float64)
    np.testing.assert_allclose(bce(z, t, reduction="sum"), math.fsum(each), rtol=6e-8)
    np.testing.assert_allclose(bce(z, t), math.fsum(each) / count, rtol=6e-8)


# --- Refusals --------------------------------------------------------------------------------------------------------


def test_arguments_are_checked():
    z, t = np.zeros((2, 3)), np.zeros((2, 3))
    assert_error("INVALID_SHAPE", bce, z, t[:1])
    assert_error("INVALID_SHAPE", bce, z, t.T)
    assert_error("INVALID_SHAPE", bce, z, t, weight=np.ones(2))
    assert_error("INVALID_SHAPE", bce, z, t, weight=np.ones((3, 2, 3)))
    assert_error("INVALID_SHAPE", bce, z, t, pos_weight=np.ones(2))
    assert_error("INVALID_SHAPE", bce, z, t, sample_weight=np.ones(3))
    assert_error("INVALID_SHAPE", bce, z, t, sample_weight=np.ones((2, 1)))
    for reduction in ("average", None, 1):
        assert_error("INVALID_PARAMETER", bce, z, t, reduction=reduction)
    for place in itertools.product(range(2), range(3)):
        bad_target = t.copy()
        bad_target[place] = NAN
        assert_error("INVALID_TARGET", bce, z, bad_target)
    for bad in (-1, -1e-30, NAN):
        assert_error("INVALID_VALUE", bce, z, t, weight=[1, 1, bad])
        assert_error("INVALID_VALUE", bce, z, t, weight=np.where(np.eye(2, 3), bad, 1))
        assert_error("INVALID_VALUE", bce, z, t, sample_weight=[1, bad])
        assert_error("INVALID_VALUE", bce, z, t, pos_weight=[1, bad, 1])
    assert_error("INVALID_VALUE", bce, z, t, pos_weight=[1, 0, 1])


def calls(dtype, rows=3, columns=5):
    rng = np.random.default_rng(8)
    array = lambda *shape: rng.random(shape).astype(dtype)  # noqa: E731
    for reduction, per_element in itertools.product(REDUCTIONS, (False, True)):
        yield RawCall(
            "binary_cross_entropy_with_logits",
            dtype,
            ["loss", "grad"],
            z=array(rows, columns) * 9 - 4,
            t=array(rows, columns),
            rows=rows,
            columns=columns,
            weight=array(rows, columns) if per_element else array(columns),
            weight_per_element=per_element,
            pos_weight=array(columns) + dtype.type(0.1),
            reduction=reduction,
            sample_weight=array(rows),
            loss=np.empty((rows, columns) if reduction == "none" else 1, dtype),
            grad=np.empty((rows, columns), dtype),
        )


def test_interface_refuses(dtype):
    for call in calls(dtype):
        assert call() == "OK"
        arguments = call.arguments
        arrays = [key for key, value in arguments.items() if isinstance(value, np.ndarray)]
        for pointer in arrays:
            assert call(**{pointer: None}) == ("NULL_POINTER" if pointer in ("z", "t") else "OK"), pointer
        for size, bad in itertools.product(("rows", "columns"), (-1, -(2**63), 2**62, 2**63 - 1)):
            assert call(**{size: bad}) == "INVALID_SHAPE", (size, bad)
        for size in ("rows", "columns"):
            nothing = {**dict.fromkeys(arrays), size: 0}
            assert call(**nothing) == "OK"
            if arguments["reduction"] != "none":
                assert call(**{**nothing, "loss": arguments["loss"]}) == "OK" and arguments["loss"] == 0
        for key, bad, status in (
            ("t", NAN, "INVALID_TARGET"),
            ("weight", -1, "INVALID_VALUE"),
            ("weight", NAN, "INVALID_VALUE"),
            ("sample_weight", -1, "INVALID_VALUE"),
            ("sample_weight", NAN, "INVALID_VALUE"),
            ("pos_weight", 0, "INVALID_VALUE"),
            ("pos_weight", NAN, "INVALID_VALUE"),
        ):
            for place in (0, -1):
                array = arguments[key].copy()
                array.flat[place] = bad
                assert call(**{key: array}) == status, (key, bad)


# --- Memory ----------------------------------------------------------------------------------------------------------

SHAPES = [(1, 1), (1, 37), (37, 1), (3, 5), (17, 16), (5, 33), (2, 1003)]


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("shape", SHAPES)
def test_nothing_beyond_the_arrays_is_touched(shape, side, dtype):
    for call in calls(dtype, *shape):
        expected = call.assert_stays_inside(side)
        assert call(grad=None) == "OK" and call.arguments["loss"].tobytes() == expected[0].tobytes()


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for shape in ((300, 1100), (20000, 10), (4, 19, 999), (70001,), (100003, 1), (3, 5)):
        z, t, w = rng.normal(0, 9, shape).astype(real), rng.random(shape).astype(real), rng.random(shape).astype(real)
        s, q = rng.random(shape[:1]).astype(real), rng.random(shape[-1:]).astype(real) + real(0.1)
        for reduction in ("none", "mean", "sum"):
            for name, options in dict(
                plain={}, rows=dict(sample_weight=s), columns=dict(pos_weight=q, weight=q), each=dict(weight=w),
            ).items():
                both = losskit.binary_cross_entropy_with_logits(z, t, reduction=reduction, grad=True, **options)
                for part, array in zip(("loss", "grad"), both):
                    results[f"{name} {reduction} {part} {real.__name__} {shape}"] = np.asarray(array)
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS, threads=(1, 2, 3))


# --- PyTorch ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reduction", REDUCTIONS)
@pytest.mark.parametrize("shape", [(50,), (40, 13), (3, 7, 20)])
def test_agrees_with_torch(shape, reduction, dtype, rng):
    torch = pytest.importorskip("torch")
    z, t = rng.normal(0, 4, shape).astype(dtype), rng.random(shape).astype(dtype)
    weights = (None, rng.random(shape).astype(dtype), rng.random(shape[-1]).astype(dtype))
    for weight, pos_weight in itertools.product(weights, (None, rng.random(shape[-1]).astype(dtype) + dtype.type(0.1))):
        tensor = torch.tensor(z, requires_grad=True)
        options = {key: None if w is None else torch.tensor(w) for key, w in (("weight", weight), ("pos_weight", pos_weight))}
        loss = torch.nn.functional.binary_cross_entropy_with_logits(tensor, torch.tensor(t), **options, reduction=reduction)
        loss.sum().backward()
        ours = bce(z, t, weight=weight, pos_weight=pos_weight, reduction=reduction, grad=True)
        tolerance = 1e-5 if dtype == np.float32 else 1e-12
        np.testing.assert_allclose(ours[0], loss.detach().numpy(), rtol=tolerance, atol=tolerance)
        np.testing.assert_allclose(ours[1], tensor.grad.numpy(), rtol=tolerance, atol=tolerance)
