"""Softmax-free attention and its parts: judged by NumPy float64 formulas and finite differences."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits

import losskit

# --- The definitions, in NumPy ---------------------------------------------------------------------------------------


def in_float64(function):
    def call(*arrays, **parameters):
        with np.errstate(all="ignore"):
            return function(*(np.asarray(array, np.float64) for array in arrays), **parameters)

    return call


def swap(x):
    return np.swapaxes(x, -1, -2)


def differences(q, k):
    return q[..., :, None, :] - k[..., None, :, :]


@in_float64
def reference_kernel(q, k, scale=None):
    scale = 1 / (2 * math.sqrt(q.shape[-1])) if scale is None else scale
    return np.exp(-scale * (differences(q, k) ** 2).sum(-1))


@in_float64
def reference_kernel_vjp(q, k, K, g, scale=None):
    scale = 1 / (2 * math.sqrt(q.shape[-1])) if scale is None else scale
    terms = (-2 * scale * g * K)[..., None] * differences(q, k)
    return terms.sum(-2), -terms.sum(-3)


@in_float64
def reference_normalize(s):
    D = s.sum(-1)
    return s / np.sqrt(D[..., :, None] * D[..., None, :])


@in_float64
def reference_normalize_vjp(s, g):
    D = s.sum(-1)
    H = g * reference_normalize(s)
    h = H.sum(-1) + H.sum(-2)
    return g / np.sqrt(D[..., :, None] * D[..., None, :]) - (h / (2 * D))[..., None]


@in_float64
def reference_inverse(a, n_iter=20, ridge=0.01):
    P = a + ridge * np.eye(a.shape[-1])
    V = 1.8 / a.sum(-1).max(-1)[..., None, None] ** 2 * P
    for _ in range(n_iter):
        V = 2 * V - V @ P @ V
    return V


@in_float64
def reference_inverse_vjp(v, g):
    return -swap(v) @ g @ swap(v)


@in_float64
def reference_attention(q, landmarks, v, n_iter=20, ridge=0.01, symmetric=False, scale=None):
    K1, K2 = reference_kernel(q, landmarks, scale=scale), reference_kernel(landmarks, landmarks, scale=scale)
    Y = reference_inverse(K2, n_iter=n_iter, ridge=ridge)
    if symmetric:
        D = K2.sum(-1)
        Y = Y / np.sqrt(D[..., :, None] * D[..., None, :])
    return K1 @ (Y @ (swap(K1) @ v))


@in_float64
def reference_attention_vjp(q, landmarks, v, g, n_iter=20, ridge=0.01, symmetric=False, scale=None):
    K1, K2 = reference_kernel(q, landmarks, scale=scale), reference_kernel(landmarks, landmarks, scale=scale)
    Y0 = Y = reference_inverse(K2, n_iter=n_iter, ridge=ridge)
    D = K2.sum(-1)
    root = np.sqrt(D[..., :, None] * D[..., None, :])
    if symmetric:
        Y = Y0 / root
    B, A = swap(K1) @ v, swap(K1) @ g
    of_K1 = g @ swap(Y @ B) + v @ swap(swap(Y) @ A)
    of_Y = A @ swap(B)
    of_D = np.zeros_like(D)
    if symmetric:
        H = of_Y * Y
        of_D = -(H.sum(-1) + H.sum(-2)) / (2 * D)
        of_Y = of_Y / root
    of_K2 = reference_inverse_vjp(Y0, of_Y) + of_D[..., None]
    grad_q, first = reference_kernel_vjp(q, landmarks, K1, of_K1, scale=scale)
    second, third = reference_kernel_vjp(landmarks, landmarks, K2, of_K2, scale=scale)
    return grad_q, first + second + third, K1 @ swap(Y) @ A


# --- Worked examples -------------------------------------------------------------------------------------------------

Q, LANDMARKS, V = [[0, 0], [1, 0], [0, 2]], [[0, 0], [1, 1]], [[1], [2], [3]]
EXAMPLES = {
    "gaussian_kernel_matrix": ([[[1, 0]], [[0, 0], [1, 1]]], {}, [[0.7021885, 0.7021885]]),
    "symmetric_normalize": ([[[1, 0.5], [0.2, 1]]], {}, [[0.6666667, 0.372678], [0.1490712, 0.8333333]]),
    "symmetric_normalize_vjp": (
        [[[1, 0.5], [0.2, 1]], [[1, 2], [0, 1]]], {}, [[-0.02622978, 0.7978155], [-1.005009, -0.1716761]],
    ),
    "newton_inverse": ([[[1, 0.5], [0.5, 1]]], {}, [[1.311518, -0.6492663], [-0.6492663, 1.311518]]),
    "newton_inverse_vjp": (
        [[[1.311518, -0.6492663], [-0.6492663, 1.311518]], [[1, 0], [0, 0]]], {},
        [[-1.720079, 0.8515245], [0.8515245, -0.4215468]],
    ),
    "softmax_free_attention": ([Q, LANDMARKS, V], {}, [[3.11442], [3.041453], [1.653084]]),
    "softmax_free_attention, symmetric": (
        [Q, LANDMARKS, V], dict(symmetric=True), [[2.085919], [2.037048], [1.107172]],
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name, dtype):
    arrays, parameters, expected = EXAMPLES[name]
    result = getattr(losskit, name.split(",")[0])(*(np.array(array, dtype) for array in arrays), **parameters)
    assert result.dtype == dtype
    assert_close(result, expected, tolerance=3e-6 if dtype == np.float32 else 1e-6)


def test_worked_example_of_kernel_vjp(dtype):
    q, k = np.array([[1, 0]], dtype), np.array([[0, 0], [1, 1]], dtype)
    grad_q, grad_k = losskit.gaussian_kernel_matrix_vjp(q, k, losskit.gaussian_kernel_matrix(q, k), np.array([[1, 2]], dtype))
    np.testing.assert_allclose(grad_q, [[-0.4965223, 0.9930445]], rtol=3e-7)
    np.testing.assert_allclose(grad_k, [[0.4965223, 0], [0, -0.9930445]], rtol=3e-7)


# --- Definitions -----------------------------------------------------------------------------------------------------

SIZES = st.one_of(st.integers(1, 20), st.sampled_from([31, 33, 64, 70]))


@st.composite
def problems(draw):
    """(rng, dtype, leading, n, m, D, scale)"""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    leading = draw(st.sampled_from([(), (), (1,), (3,), (0,), (2, 9)]))
    n = draw(st.one_of(st.just(0), SIZES))
    return rng, dtype, leading, n, draw(SIZES), draw(st.integers(1, 40)), draw(st.sampled_from([None, 0.1, 3.0]))


def arrays_of(rng, dtype, *shapes):
    return [rng.normal(0, 1, shape).astype(dtype) for shape in shapes]


@given(problems())
def test_kernels_follow_their_definition(problem):
    rng, dtype, leading, n, m, dimensions, scale = problem
    q, k, g = arrays_of(rng, dtype, (*leading, n, dimensions), (*leading, m, dimensions), (*leading, n, m))
    if n:
        k[..., 0, :] = q[..., 0, :]
    K = losskit.gaussian_kernel_matrix(q, k, scale=scale)
    assert_close(K, reference_kernel(q, k, scale=scale))
    assert (K <= 1).all() and (not n or (K[..., 0, 0] == 1).all())
    results = losskit.gaussian_kernel_matrix_vjp(q, k, K, g, scale=scale)
    for result, expected in zip(results, reference_kernel_vjp(q, k, K, g, scale=scale)):
        assert_close(result, expected, axis=(-1, -2))


@given(problems())
def test_normalisation_follows_its_definition(problem):
    rng, dtype, leading, _, m, _, _ = problem
    s, g = np.abs(arrays_of(rng, dtype, (*leading, m, m))[0]), arrays_of(rng, dtype, (*leading, m, m))[0]
    assert_close(losskit.symmetric_normalize(s), reference_normalize(s))
    assert_close(losskit.symmetric_normalize_vjp(s, g), reference_normalize_vjp(s, g))


@given(problems(), st.integers(0, 30))
def test_inverses_follow_their_definition(problem, n_iter):
    rng, dtype, leading, _, m, _, _ = problem
    points, g = arrays_of(rng, dtype, (*leading, m, 8), (*leading, m, m))
    a = reference_kernel(points, points).astype(dtype)
    parameters = dict(n_iter=n_iter, ridge=float(rng.choice([0.01, 0.1])))
    inverse = losskit.newton_inverse(a, **parameters)
    assert_close(inverse, reference_inverse(a, **parameters), axis=(-1, -2), tolerance=None if dtype == np.float32 else 1e-11)
    assert_close(losskit.newton_inverse_vjp(inverse, g), reference_inverse_vjp(inverse, g), axis=(-1, -2))


@given(problems(), st.booleans(), st.sampled_from([0, 3, 20]))
@settings(max_examples=80)
def test_attention_follows_its_definition(problem, symmetric, n_iter):
    rng, dtype, leading, n, m, dimensions, scale = problem
    columns = int(rng.integers(1, 40))
    q, landmarks, v, g = arrays_of(
        rng, dtype, (*leading, n, dimensions), (*leading, m, dimensions), (*leading, n, columns), (*leading, n, columns)
    )
    parameters = dict(symmetric=symmetric, n_iter=n_iter, scale=scale)
    options = dict(axis=(-1, -2), tolerance=None if dtype == np.float32 else 1e-10)
    output = losskit.softmax_free_attention(q, landmarks, v, **parameters)
    assert_close(output, reference_attention(q, landmarks, v, **parameters), **options)
    results = losskit.softmax_free_attention_vjp(q, landmarks, v, g, **parameters)
    for result, expected in zip(results, reference_attention_vjp(q, landmarks, v, g, **parameters)):
        assert_close(result, expected, **options)


def test_gradients_are_derivatives(rng):
    q, k, g = rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (5, 3)), rng.normal(0, 1, (4, 5))
    grad_q, grad_k = losskit.gaussian_kernel_matrix_vjp(q, k, losskit.gaussian_kernel_matrix(q, k), g)
    assert_gradient(lambda x: (losskit.gaussian_kernel_matrix(x, k) * g).sum(), q, grad_q)
    assert_gradient(lambda x: (losskit.gaussian_kernel_matrix(q, x) * g).sum(), k, grad_k)
    s, g = rng.random((4, 4)) + 0.1, rng.normal(0, 1, (4, 4))
    grad = losskit.symmetric_normalize_vjp(s, g)
    assert_gradient(lambda x: (losskit.symmetric_normalize(x) * g).sum(), s, grad)
    # Sixty steps are as good as the inverse, which is what gradients are of.
    a = losskit.gaussian_kernel_matrix(q, q)
    inverse = losskit.newton_inverse(a, n_iter=60)
    assert_gradient(
        lambda x: (losskit.newton_inverse(x, n_iter=60) * g).sum(), a, losskit.newton_inverse_vjp(inverse, g),
        step=1e-5, tolerance=1e-6,
    )  # fmt: skip
    v, g = rng.normal(0, 1, (4, 2)), rng.normal(0, 1, (4, 2))
    for symmetric in (False, True):
        options = dict(symmetric=symmetric, n_iter=60)
        arrays = [q, k, v]
        for i, gradient in enumerate(losskit.softmax_free_attention_vjp(q, k, v, g, **options)):
            replaced = lambda x: (losskit.softmax_free_attention(*arrays[:i], x, *arrays[i + 1 :], **options) * g).sum()  # noqa: B023, E731
            assert_gradient(replaced, arrays[i], gradient, step=1e-4, tolerance=1e-7)


def test_enough_steps_give_the_inverse(rng):
    points = rng.normal(0, 1, (3, 30, 8))
    a = losskit.gaussian_kernel_matrix(points, points)
    exact = np.linalg.inv(a + 0.01 * np.eye(30))
    assert_close(losskit.newton_inverse(a, n_iter=60), exact, axis=(-1, -2), tolerance=1e-10)


def test_nan_stays_in_its_item(dtype, rng):
    q, k = rng.normal(0, 1, (3, 9, 4)).astype(dtype), rng.normal(0, 1, (3, 5, 4)).astype(dtype)
    v = rng.normal(0, 1, (3, 9, 2)).astype(dtype)
    clean, kernel = losskit.softmax_free_attention(q, k, v), losskit.gaussian_kernel_matrix(q, k)
    q[1, 3, 0] = np.nan
    result = losskit.softmax_free_attention(q, k, v)
    assert np.isnan(result[1]).all() and (result[[0, 2]] == clean[[0, 2]]).all()
    result = losskit.gaussian_kernel_matrix(q, k)
    assert np.isnan(result[1, 3]).all()
    result[1, 3] = kernel[1, 3]
    assert (result == kernel).all()
    q[1, 3, 0] = np.inf
    assert (losskit.gaussian_kernel_matrix(q, k)[1, 3] == 0).all()


# --- The interface ---------------------------------------------------------------------------------------------------


def test_refusals():
    bad_sums = [[1.0, -1.0], [1.0, 1.0]]
    assert_error("INVALID_VALUE", losskit.symmetric_normalize, bad_sums)
    assert_error("INVALID_VALUE", losskit.symmetric_normalize_vjp, bad_sums, bad_sums)
    assert_error("INVALID_SHAPE", losskit.symmetric_normalize, [[1.0, 2.0]])
    assert_error("INVALID_SHAPE", losskit.symmetric_normalize, [1.0])
    assert_error("INVALID_SHAPE", losskit.newton_inverse, np.zeros((0, 0)))
    assert_error("INVALID_PARAMETER", losskit.newton_inverse, [[1.0]], n_iter=-1)
    assert_error("INVALID_PARAMETER", losskit.newton_inverse, [[1.0]], n_iter=10001)
    assert_error("INVALID_PARAMETER", losskit.newton_inverse, [[1.0]], ridge=-0.5)
    assert_error("INVALID_SHAPE", losskit.newton_inverse_vjp, [[1.0]], [[1.0, 2.0]])
    assert_error("INVALID_SHAPE", losskit.gaussian_kernel_matrix, Q, [[1.0]])
    assert_error("INVALID_SHAPE", losskit.gaussian_kernel_matrix, Q, np.zeros((0, 2)))
    assert_error("INVALID_SHAPE", losskit.gaussian_kernel_matrix, np.zeros((2, 0)), np.zeros((2, 0)))
    assert_error("INVALID_SHAPE", losskit.softmax_free_attention, Q, LANDMARKS, [[1.0]])
    for bad in (0.0, -1.0, math.nan, math.inf):
        assert_error("INVALID_PARAMETER", losskit.gaussian_kernel_matrix, Q, Q, scale=bad)
        assert_error("INVALID_PARAMETER", losskit.softmax_free_attention, Q, LANDMARKS, V, scale=bad)
    assert losskit.newton_inverse(np.zeros((0, 2, 2))).shape == (0, 2, 2)
    grad_q, grad_k = losskit.gaussian_kernel_matrix_vjp(np.zeros((0, 2)), Q, np.zeros((0, 3)), np.zeros((0, 3)))
    assert grad_q.shape == (0, 2) and (grad_k == 0).all()


def raw_calls(dtype, batch=2, n=9, m=5, dimensions=3, value_dimensions=4):
    rng = np.random.default_rng(8)
    array = lambda *shape: np.abs(rng.normal(1, 0.3, shape)).astype(dtype)  # noqa: E731
    points = dict(batch=batch, n=n, m=m, dimensions=dimensions, scale=0.3)
    q, k, kernel, square = (batch, n, dimensions), (batch, m, dimensions), (batch, n, m), (batch, m, m)
    yield RawCall("gaussian_kernel_matrix", dtype, ["kernel"], q=array(*q), k=array(*k), **points, kernel=array(*kernel))
    yield RawCall(
        "gaussian_kernel_matrix_vjp", dtype, ["grad_q", "grad_k"], q=array(*q), k=array(*k), kernel=array(*kernel),
        grad_output=array(*kernel), **points, grad_q=array(*q), grad_k=array(*k),
    )  # fmt: skip
    sizes = dict(batch=batch, m=m)
    yield RawCall("symmetric_normalize", dtype, ["normalized"], s=array(*square), **sizes, normalized=array(*square))
    yield RawCall(
        "symmetric_normalize_vjp", dtype, ["grad"], s=array(*square), grad_output=array(*square), **sizes, grad=array(*square)
    )
    inverse = dict(n_iter=3, ridge=0.01)
    yield RawCall("newton_inverse", dtype, ["inverse"], a=array(*square), **sizes, **inverse, inverse=array(*square))
    yield RawCall(
        "newton_inverse_vjp", dtype, ["grad"], v=array(*square), grad_output=array(*square), **sizes, grad=array(*square)
    )
    values = (batch, n, value_dimensions)
    attention = dict(**points, value_dimensions=value_dimensions, **inverse, symmetric=True)
    inputs = dict(q=array(*q), landmarks=array(*k), v=array(*values))
    yield RawCall("softmax_free_attention", dtype, ["output"], **inputs, **attention, output=array(*values))
    yield RawCall(
        "softmax_free_attention_vjp", dtype, ["grad_q", "grad_landmarks", "grad_v"], **inputs, **attention,
        grad_output=array(*values), grad_q=array(*q), grad_landmarks=array(*k), grad_v=array(*values),
    )  # fmt: skip


def test_interface_refuses(dtype):
    for call in raw_calls(dtype):
        assert call() == "OK", call.name
        for key, value in call.arguments.items():
            if isinstance(value, np.ndarray):
                is_optional = call.name.endswith("_vjp") and key in ("grad_q", "grad_k", "grad_landmarks", "grad_v")
                assert call(**{key: None}) == ("OK" if is_optional else "NULL_POINTER"), (call.name, key)
            if key in ("batch", "n", "m", "dimensions", "value_dimensions"):
                for bad in (-1, -(2**63), 2**62, 2**63 - 1):
                    assert call(**{key: bad}) == "INVALID_SHAPE", (call.name, key, bad)
                if key not in ("batch", "n"):
                    assert call(**{key: 0}) == "INVALID_SHAPE"
        assert call(batch=2**40, m=2**40) == "INVALID_SHAPE"


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("sizes", [(1, 1, 1, 1, 1), (3, 8, 16, 5, 17), (11, 17, 9, 8, 3)])
def test_kernels_stay_inside(sizes, side, dtype):
    for call in raw_calls(dtype, *sizes):
        call.assert_stays_inside(side)


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for leading, n, m, dimensions, columns in (((), 700, 33, 40, 70), ((11,), 60, 17, 5, 9)):
        q, k = (rng.normal(0, 1, (*leading, rows, dimensions)).astype(real) for rows in (n, m))
        v, g = (rng.normal(0, 1, (*leading, n, columns)).astype(real) for _ in range(2))
        K, s = losskit.gaussian_kernel_matrix(q, k), losskit.gaussian_kernel_matrix(k, k)
        inverse = losskit.newton_inverse(s)
        for name, values in dict(
            kernel=[K], kernel_vjp=losskit.gaussian_kernel_matrix_vjp(q, k, K, K), inverse=[inverse],
            inverse_vjp=[losskit.newton_inverse_vjp(inverse, s)], normalize=[losskit.symmetric_normalize(s)],
            normalize_vjp=[losskit.symmetric_normalize_vjp(s, inverse)],
            attention=[losskit.softmax_free_attention(q, k, v)],
            attention_vjp=losskit.softmax_free_attention_vjp(q, k, v, g, symmetric=True),
        ).items():
            for i, value in enumerate(values):
                results[f"{name} {i} {real.__name__} {n}"] = value
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS)
