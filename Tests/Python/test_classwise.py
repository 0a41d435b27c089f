"""Losses of embeddings and a class matrix: judged by NumPy float64 formulas written from the definitions."""

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits

import losskit

INF, NAN = math.inf, math.nan
IGNORE = -100


def whole(actual, expected, tolerance=None):
    """Close, measured by the largest magnitude of the array."""
    assert_close(actual, expected, axis=None, tolerance=tolerance)


# --- Linear cross-entropy --------------------------------------------------------------------------------------------


def reference_lce(e, c, y, *, bias=None, ignore=IGNORE, softcap=None, shift=0, reduction="mean", lse_grad=None):
    """(loss, lse, (grad_e, grad_c, grad_bias)) in float64, with the whole array of scores."""
    e64, c64 = e.astype(np.float64), c.astype(np.float64)
    used, targets = (e64[..., : e.shape[-2] - shift, :], y[..., shift:]) if e.ndim > 1 else (e64, y)
    x, t = used.reshape(-1, e.shape[-1]), targets.reshape(-1)
    keep = t != ignore
    x, t = x[keep], t[keep]
    rows = np.arange(len(t))
    with np.errstate(all="ignore"):
        s = x @ c64.T + (0 if bias is None else bias.astype(np.float64))
        slope = np.ones_like(s)
        if softcap is not None:
            slope = 1 / np.cosh(s / softcap) ** 2
            s = softcap * np.tanh(s / softcap)
        m = s.max(1, keepdims=True, initial=-INF)
        z = np.exp(s - m)
        z[np.isnan(m[:, 0])] = NAN
        lse = (m + np.log(z.sum(1, keepdims=True)))[:, 0]
        others = z.copy()
        others[rows, t] = 0
        nu = np.where(
            s[rows, t] == m[:, 0], np.log1p(others.sum(1)), lse - s[rows, t]
        )  # exact where the target has nearly all
        p = z / z.sum(1, keepdims=True)
        scale = 1 / max(1, len(t)) if reduction == "mean" else 1
        g = p * scale
        g[rows, t] = -scale * others.sum(1) / z.sum(1)
        if lse_grad is not None:
            g += lse_grad.reshape(-1)[keep][:, None] * p
        g *= slope
    place = np.flatnonzero(keep)
    loss, all_lse = np.zeros(targets.size), np.zeros(targets.size)
    loss[place], all_lse[place] = nu, lse
    grad_used = np.zeros((targets.size, e.shape[-1]))
    grad_used[place] = g @ c64
    grad_e = np.zeros(e.shape)
    (grad_e[..., : e.shape[-2] - shift, :] if e.ndim > 1 else grad_e)[...] = grad_used.reshape(used.shape)
    if reduction == "none":
        value = loss.reshape(targets.shape)
    else:
        value = nu.sum() * scale
    return value, all_lse.reshape(targets.shape), (grad_e, g.T @ x, g.sum(0))


@st.composite
def linear_problems(draw):
    """Embeddings on a grid on which scores are exact in float32 too, so that rounding begins with the softmax."""
    dtype = draw(st.sampled_from([np.float32, np.float64]))
    dimension = draw(st.one_of(st.sampled_from([1, 7, 8, 16, 31, 33, 255, 256, 257, 600, 1030]), st.integers(1, 70)))
    classes = draw(st.one_of(st.sampled_from([1, 2, 7, 8, 9, 63, 64, 65, 256, 257, 1100]), st.integers(1, 600)))
    shape = draw(st.one_of(st.just((draw(st.integers(0, 70)),)), st.just((draw(st.integers(1, 4)), draw(st.integers(0, 40))))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.sampled_from([0.25, 1, 4])) if dimension < 100 else 0.25
    e = (rng.integers(-8, 9, (*shape, dimension)) / 8 * size).astype(dtype)
    c = (rng.integers(-8, 9, (classes, dimension)) / 8).astype(dtype)
    y = rng.integers(0, classes, shape)
    y[rng.random(shape) < draw(st.sampled_from([0, 0.3, 1]))] = IGNORE
    bias = (rng.integers(-8, 9, classes) / 2).astype(dtype) if draw(st.booleans()) else None
    options = dict(softcap=draw(st.sampled_from([None, 0.5, 3.0, 30.0])), shift=draw(st.integers(0, max(0, shape[-1] - 1))))
    return e, c, y, bias, options


@given(linear_problems(), st.sampled_from(["mean", "sum", "none"]), st.sampled_from([None, "auto"]))
def test_linear_cross_entropy_follows_its_definition(problem, reduction, filter_eps):
    e, c, y, bias, options = problem
    loss, lse, gradients = reference_lce(e, c, y, bias=bias, reduction=reduction, **options)
    grad = reduction != "none"
    results = losskit.linear_cross_entropy(
        e, c, y, bias=bias, reduction=reduction, return_lse=True, grad=grad, filter_eps=filter_eps, **options
    )
    tolerance = 3e-6 if e.dtype == np.float32 else 1e-12
    whole(results[0], loss)
    whole(results[1], lse)
    if grad:
        assert len(results[2]) == (2 if bias is None else 3)
        for actual, expected in zip(results[2], gradients):
            whole(actual, expected, tolerance)
    alone = losskit.linear_cross_entropy(e, c, y, bias=bias, reduction=reduction, **options)
    assert alone.tobytes() == results[0].tobytes()


@pytest.mark.parametrize("rows, dimension, classes", [(1300, 20, 5000), (700, 1100, 2500), (100, 40, 9000)])
def test_large_problems(rows, dimension, classes, dtype, rng):
    """Several units of rows and of classes, several stripes and blocks, and runs along the dimension."""
    e = rng.normal(0, 1 / math.sqrt(dimension), (rows, dimension)).astype(dtype)
    c = rng.normal(0, 2, (classes, dimension)).astype(dtype)
    y, bias = rng.integers(0, classes, rows), rng.normal(0, 1, classes).astype(dtype)
    y[::7] = IGNORE
    e[::7] = NAN  # ignored rows may hold anything
    loss, lse, gradients = losskit.linear_cross_entropy(e, c, y, bias=bias, return_lse=True, grad=True)
    expected = reference_lce(np.where(np.isnan(e), 0, e), c, y, bias=bias)
    for actual, other in zip((loss, lse, *gradients), (*expected[:2], *expected[2])):
        whole(actual, other)


def test_linear_cross_entropy_examples(dtype):
    e, c = np.array([[1, 0.5], [-0.5, 2]], dtype), np.array([[0.5, 1], [-1, 0.25], [2, -1]], dtype)
    bias = np.array([0.1, -0.2, 0], dtype)
    loss, gradients = losskit.linear_cross_entropy(e, c, [0, 2], bias=bias, softcap=3.0, grad=True)
    np.testing.assert_allclose(loss, 2.610244, rtol=1e-6)
    expected = (
        [[0.2815473, -0.4767096], [-0.4292219, 0.4837045]],
        [[-0.3856561, 0.3528425], [-0.04634931, 0.2833361], [0.3213185, -0.3053777]],
        [-0.0218757, 0.1579912, 0.01062721],
    )
    for actual, other in zip(gradients, expected):
        np.testing.assert_allclose(actual, other, rtol=2e-6, atol=1e-7)


@pytest.mark.parametrize("softcap", [None, 2.0])
def test_linear_gradients_are_gradients(softcap, rng):
    e, c, bias = rng.normal(0, 1, (2, 4, 3)), rng.normal(0, 1, (5, 3)), rng.normal(0, 1, 5)
    y = rng.integers(0, 5, (2, 4))
    y[1, 2] = IGNORE
    for reduction in ("mean", "sum"):
        options = dict(softcap=softcap, shift=1, reduction=reduction)
        _, (grad_e, grad_c, grad_bias) = losskit.linear_cross_entropy(e, c, y, bias=bias, grad=True, **options)
        assert_gradient(lambda e: losskit.linear_cross_entropy(e, c, y, bias=bias, **options), e, grad_e)  # noqa: B023
        assert_gradient(lambda c: losskit.linear_cross_entropy(e, c, y, bias=bias, **options), c, grad_c)  # noqa: B023
        assert_gradient(lambda b: losskit.linear_cross_entropy(e, c, y, bias=b, **options), bias, grad_bias)  # noqa: B023


def raw_linear(dtype, e, c, y, outer, length, **changes):
    shapes = dict(loss=(), lse=(y.size,), grad_e=e.shape, grad_c=c.shape, grad_bias=(len(c),))
    outputs = {name: np.full(shape, 7.25, dtype) for name, shape in shapes.items()}
    arguments = dict(
        e=e, c=c, targets=y, outer=outer, length=length, dimension=c.shape[1], vocabulary=len(c), bias=None,
        ignore_index=IGNORE, softcap=INF, shift=0, filter_eps=0.0, reduction="mean", lse_grad=None, **outputs,
    )  # fmt: skip
    return RawCall("linear_cross_entropy", dtype, list(outputs), **{**arguments, **changes}), outputs


def test_a_gradient_of_lse_joins(dtype, rng):
    """The squared log-sum-exp as a penalty: its gradient is 2 lse of each row."""
    e, c, y = rng.normal(0, 1, (40, 5)).astype(dtype), rng.normal(0, 1, (70, 5)).astype(dtype), rng.integers(0, 70, 40)
    y[3] = IGNORE
    u = (2 * losskit.linear_cross_entropy(e, c, y, return_lse=True, softcap=3.0)[1]).astype(dtype)
    call, outputs = raw_linear(dtype, e, c, y, 1, 40, lse_grad=u, softcap=3.0, reduction="sum")
    assert call() == "OK"
    _, _, gradients = reference_lce(e, c, y, softcap=3.0, reduction="sum", lse_grad=u)
    for name, expected in zip(("grad_e", "grad_c", "grad_bias"), gradients):
        whole(outputs[name], expected)


def test_special_scores(dtype):
    """Far apart, masked, infinite and NaN: each row alone."""
    c = np.array([[1, 0], [-1, 0], [0, 1], [0.5, 0.5]], dtype)
    e = np.array([[1e4, -1e4], [-1e4, 1e4], [1, 2], [NAN, 0], [INF, 1], [2, 1], [0, 0]], dtype)
    y = np.array([0, 0, 2, 1, 0, 3, 2])
    loss, lse = losskit.linear_cross_entropy(e, c, y, reduction="none", return_lse=True)
    expected, expected_lse, _ = reference_lce(e[[0, 1, 2, 5, 6]], c, y[[0, 1, 2, 5, 6]], reduction="none")
    assert_close(loss[[0, 1, 2, 5, 6]], expected)
    assert_close(lse[[0, 1, 2, 5, 6]], expected_lse)
    assert np.isnan(loss[[3, 4]]).all()
    _, (grad_e, grad_c) = losskit.linear_cross_entropy(e, c, y, grad=True)
    assert np.isnan(grad_e[[3, 4]]).all() and np.isfinite(grad_e[[0, 1, 2, 5, 6]]).all()
    assert np.isnan(grad_c).all()

    # A bias of -inf masks a class; a masked target has an infinite loss and a defined gradient.
    bias = np.array([0, -INF, 0, 0], dtype)
    y = np.array([1, 0])
    loss, (grad_e, grad_c, grad_bias) = losskit.linear_cross_entropy(
        e[[2, 5]], c, y, bias=bias, grad=True, reduction="sum"
    )
    assert loss == INF and np.isfinite(grad_e).all() and np.isfinite(grad_c).all()
    left = [0, 2, 3]
    s = e[[2, 5]].astype(np.float64) @ c[left].T
    p = np.exp(s) / np.exp(s).sum(1, keepdims=True)
    g = np.zeros((2, 4))
    g[:, left] = p
    g[[0, 1], y] -= 1
    whole(grad_bias, g.sum(0))
    whole(grad_e, g @ c)
    # No class is left, and a score of +inf.
    for b in (-INF, INF):
        bias = np.full(4, b, dtype)
        loss, lse = losskit.linear_cross_entropy(e[2:3], c, [0], bias=bias, return_lse=True, reduction="none")
        assert np.isnan(loss[0]) and lse[0] == b


def test_a_sure_target_keeps_its_digits(dtype):
    """Where p_y is close to 1, the loss is 1 - p_y, and so is the gradient."""
    c = np.array([[1.0], [0], [0]], dtype)
    for x in (10, 30, 60, 80):
        e = np.array([[x]], dtype)
        loss, (grad_e, grad_c) = losskit.linear_cross_entropy(e, c, [0], grad=True)
        expected = math.log1p(2 * math.exp(-x))
        np.testing.assert_allclose(loss, expected, rtol=3e-6 if dtype == np.float32 else 1e-12)
        np.testing.assert_allclose(grad_e, -2 / (2 + math.exp(x)), rtol=3e-6 if dtype == np.float32 else 1e-12)
    # The softcap's factor, nearly 0, does as well.
    loss, (grad_e, _) = losskit.linear_cross_entropy(np.array([[9]], dtype), c, [1], softcap=1.0, grad=True)
    p = math.exp(math.tanh(9)) / (math.exp(math.tanh(9)) + 2)
    np.testing.assert_allclose(grad_e, p / math.cosh(9) ** 2, rtol=3e-6 if dtype == np.float32 else 1e-12)


def test_linear_cross_entropy_of_nothing(dtype):
    c = np.ones((3, 2), dtype)
    for e, y in ((np.ones((0, 2)), np.ones(0, int)), (np.ones((2, 2)), [IGNORE] * 2), (np.ones((2, 0, 2)), np.ones((2, 0), int))):
        e = e.astype(dtype)
        for reduction in ("mean", "sum"):
            loss, lse, (grad_e, grad_c) = losskit.linear_cross_entropy(
                e, c, y, reduction=reduction, grad=True, return_lse=True
            )
            assert loss == 0 and not lse.any() and not grad_e.any() and not grad_c.any() and grad_e.shape == e.shape
        assert not losskit.linear_cross_entropy(e, c, y, reduction="none").any()
    # One class.
    loss, (grad_e, grad_c) = losskit.linear_cross_entropy(np.ones((3, 2), dtype), c[:1], [0, 0, 0], grad=True)
    assert loss == 0 and not grad_e.any() and not grad_c.any()
    # A scalar target; an ignored index among the classes.
    one = losskit.linear_cross_entropy(np.ones(2, dtype), c, 1)
    np.testing.assert_allclose(one, math.log(3), rtol=1e-6)
    assert losskit.linear_cross_entropy(np.ones((2, 2), dtype), c, [1, 1], ignore_index=1) == 0


@pytest.mark.parametrize("filter_eps", ["auto", 1e-6, 1e-3, 0.3, INF])
def test_filtering_stays_within_its_bound(filter_eps, dtype, rng):
    rows, dimension, classes = 300, 24, 1500
    c = rng.normal(0, 1, (classes, dimension)).astype(dtype)
    y = rng.integers(0, classes, rows)
    e = (c[y] * rng.choice([0.2, 1.5], (rows, 1)) + rng.normal(0, 0.3, (rows, dimension))).astype(dtype)
    bias = np.zeros(classes, dtype)
    plain = losskit.linear_cross_entropy(e, c, y, bias=bias, grad=True)
    filtered = losskit.linear_cross_entropy(e, c, y, bias=bias, grad=True, filter_eps=filter_eps)
    assert filtered[0] == plain[0] and (filtered[1][2] == plain[1][2]).all()
    eps = float(np.finfo(dtype).eps) / 32 if filter_eps == "auto" else filter_eps
    rounding = 1e-6 if dtype == np.float32 else 1e-13
    grad_e, grad_c = (np.abs(a.astype(np.float64) - b) for a, b in zip(filtered[1][:2], plain[1][:2]))
    if eps < INF:
        assert (grad_e <= eps / rows * np.abs(c).sum(0) + rounding * np.abs(plain[1][0]).max()).all()
        assert (grad_c <= eps / rows * np.abs(e).sum(0) + rounding * np.abs(plain[1][1]).max()).all()
    if filter_eps == 0.3:
        assert grad_e.any() and grad_c.any(), "nothing was filtered"
    if eps == INF:
        assert not filtered[1][0].any() and not filtered[1][1].any()


def test_a_kept_tile_is_kept_whole(dtype):
    """One class of many reaches the threshold: its tile of 64 classes by 32 rows counts, the others do not."""
    rows, classes = 64, 192
    e, c = np.zeros((rows, 1), dtype), np.ones((classes, 1), dtype)
    bias = np.zeros(classes, dtype)
    bias[70] = 3  # p = 0.095 there, else 0.0047
    y = np.full(rows, 70)
    e[:] = 1
    _, (_, grad_c, _) = losskit.linear_cross_entropy(e, c, y, bias=bias, grad=True, filter_eps=0.05)
    assert (grad_c[64:128] != 0).all() and not grad_c[:64].any() and not grad_c[128:].any()


def test_extra_memory_is_small():
    """With a limit of 48 MiB above what the arrays take: the scores alone would be 250 MiB."""
    code = """
import sys; sys.path[:0] = {path!r}
import resource
import numpy as np, losskit
e, c = np.ones((2048, 32), np.float32), np.ones((32000, 32), np.float32)
y = np.arange(2048)
losskit.linear_cross_entropy(e[:9], c[:9], y[:9], grad=True)
pages = int(open("/proc/self/statm").read().split()[0])
limit = pages * resource.getpagesize() + (48 << 20)
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
loss, _ = losskit.linear_cross_entropy(e, c, y, grad=True)
assert abs(loss - np.log(32000)) < 1e-4
try:
    losskit.linear_cross_entropy(np.ones((40, 1 << 18), np.float32), c[:3, :1].repeat(1 << 18, 1), y[:40] % 3)
    raise SystemExit("no error")
except (MemoryError, losskit.LossKitError) as error:
    assert getattr(error, "status", "OUT_OF_MEMORY") == "OUT_OF_MEMORY"
"""
    code = code.format(path=[entry for entry in sys.path if entry])
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120, env={"OMP_NUM_THREADS": "1"})
    assert run.returncode == 0, run.stderr.decode()


def test_linear_cross_entropy_refuses(dtype):
    e, c, y = np.ones((2, 3, 4), dtype), np.ones((5, 4), dtype), np.array([[0, 1, 2], [3, 4, IGNORE]])
    call, outputs = raw_linear(dtype, e, c, y, 2, 3)
    assert call() == "OK"
    for array in outputs.values():
        array[...] = 7.25
    for name in ("outer", "length", "dimension", "vocabulary"):
        assert call(**{name: -1}) == "INVALID_SHAPE"
    assert call(dimension=0) == call(vocabulary=0) == call(length=1 << 61) == "INVALID_SHAPE"
    for changes in (dict(shift=3), dict(shift=-1), dict(softcap=0.0), dict(softcap=NAN), dict(filter_eps=-1.0), dict(filter_eps=NAN)):
        assert call(**changes) == "INVALID_PARAMETER"
    for name in ("e", "c", "targets"):
        assert call(**{name: None}) == "NULL_POINTER"
    for bad in (5, -1, -99, 1 << 40):
        wrong = y.copy()
        wrong[1, 1] = bad
        assert call(targets=wrong) == "INVALID_TARGET"
        wrong = y.copy()
        wrong[0, 0] = bad  # not used with a shift
        assert call(targets=wrong, shift=1) == "OK"
        for array in outputs.values():
            array[...] = 7.25
    assert call(reduction="none") == "UNSUPPORTED"
    assert call(reduction="none", grad_e=None, grad_c=None, grad_bias=None, loss=np.empty(6, dtype)) == "OK"
    for outputs in (dict(loss=None), dict(lse=None), dict(grad_e=None), dict(grad_c=None), dict(grad_bias=None)):
        assert call(**outputs) == "OK"

    name = losskit.linear_cross_entropy
    assert_error("INVALID_SHAPE", name, e, c[:, :3], y)
    assert_error("INVALID_SHAPE", name, e, c[0], y)
    assert_error("INVALID_SHAPE", name, e, c, y[0])
    assert_error("INVALID_SHAPE", name, e, c, y, bias=[0.0])
    assert_error("INVALID_PARAMETER", name, e, c, y, shift=3)
    assert_error("INVALID_PARAMETER", name, e, c, y, shift=-1)
    assert_error("INVALID_PARAMETER", name, e, c, y, shift=0.5)
    assert_error("INVALID_PARAMETER", name, e, c, y, softcap=-1)
    assert_error("INVALID_PARAMETER", name, e, c, y, filter_eps="some")
    assert_error("INVALID_PARAMETER", name, e, c, y, reduction="all")
    assert_error("INVALID_TARGET", name, e, c, y + 0.5)
    assert_error("UNSUPPORTED", name, e, c, y, reduction="none", grad=True)


# --- The sigmoid loss of a halfspace ---------------------------------------------------------------------------------


def reference_halfspace(x, w, y, sigma, s, reduction):
    x, w, y = (np.asarray(a, np.float64) for a in (x, w, y))
    s = np.ones(y.shape) if s is None else s.astype(np.float64)
    norm = np.sqrt((w**2).sum())
    unit = w / norm
    h = x @ unit
    with np.errstate(over="ignore"):
        l = 1 / (1 + np.exp(y * h / sigma))  # noqa: E741
        g = -l / (1 + np.exp(-y * h / sigma)) / sigma * y
    factor = s * (1 / s.sum() if s.sum() else 0) if reduction == "mean" else s
    g = (g * factor)[..., None]
    rows = g * (x - h[..., None] * unit) / norm
    loss = s * l if reduction == "none" else (l * factor).sum()
    return loss, (g * unit, rows.reshape(-1, w.size).sum(0))


@given(
    st.integers(0, 70), st.sampled_from([1, 2, 7, 8, 9, 33, 300, 700]), st.sampled_from([0.01, 0.1, 1.0, 30.0]),
    st.sampled_from(["none", "mean", "sum"]), st.sampled_from([None, "some", "zero"]), st.integers(0, 2**32 - 1),
    st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_halfspace_follows_its_definition(count, dimension, sigma, reduction, weights, seed, dtype):
    rng = np.random.default_rng(seed)
    x, w = rng.normal(0, 1, (count, dimension)).astype(dtype), (rng.normal(0, 1, dimension) + 0.1).astype(dtype)
    y = rng.choice([-1, 1], count)
    s = None if weights is None else (rng.random(count) * (weights == "some")).astype(dtype)
    loss, gradients = reference_halfspace(x, w, y, sigma, s, reduction)
    options = dict(sigma=sigma, reduction=reduction, sample_weight=s)
    if reduction == "none":
        whole(losskit.halfspace_sigmoid_loss(x, w, y, **options), loss)
        return
    actual, (grad_x, grad_w) = losskit.halfspace_sigmoid_loss(x, w, y, **options, grad=True)
    whole(actual, loss)
    whole(grad_x, gradients[0])
    if dimension > 1:
        whole(grad_w, gradients[1])
    else:
        np.testing.assert_allclose(grad_w, 0, atol=1e-14 / sigma)


def test_halfspace_example_and_gradients(rng):
    x, w, y = np.array([[1, 0.5], [-0.5, 2]]), np.array([3.0, 4]), [1, -1]
    loss, (grad_x, grad_w) = losskit.halfspace_sigmoid_loss(x, w, y, sigma=1.0, grad=True)
    np.testing.assert_allclose(loss, 0.5273882, rtol=1e-6)
    np.testing.assert_allclose(grad_x, [[-0.05898358, -0.07864477], [0.05048951, 0.06731934]], rtol=1e-6)
    np.testing.assert_allclose(grad_w, [-0.02940667, 0.022055], rtol=1e-6)
    x, w, y, s = rng.normal(0, 1, (3, 2, 5)), rng.normal(0, 1, 5), rng.choice([-1.0, 1], (3, 2)), rng.random((3, 2))
    for reduction in ("mean", "sum"):
        options = dict(sigma=0.7, sample_weight=s, reduction=reduction)
        _, (grad_x, grad_w) = losskit.halfspace_sigmoid_loss(x, w, y, grad=True, **options)
        assert_gradient(lambda x: losskit.halfspace_sigmoid_loss(x, w, y, **options), x, grad_x)  # noqa: B023
        assert_gradient(lambda w: losskit.halfspace_sigmoid_loss(x, w, y, **options), w, grad_w)  # noqa: B023


def test_halfspace_special_values(dtype):
    x, w, y = np.array([[1, 2], [NAN, 0], [3, -1]], dtype), np.array([1, 1], dtype), np.array([1, 1, -1], dtype)
    loss = losskit.halfspace_sigmoid_loss(x, w, y, reduction="none")
    assert np.isnan(loss[1]) and np.isfinite(loss[[0, 2]]).all()
    loss, (grad_x, grad_w) = losskit.halfspace_sigmoid_loss(x, w, y, grad=True)
    assert np.isnan(grad_x[1]).all() and np.isfinite(grad_x[[0, 2]]).all() and np.isnan(grad_w).all() and np.isnan(loss)
    # Only the direction of w counts, however long it is.
    ends = np.finfo(dtype)
    x = x[[0, 2]]
    plain = losskit.halfspace_sigmoid_loss(x, w, [1, -1])
    for size in (ends.tiny, 1e-20, 1e20, ends.max / 2):
        np.testing.assert_allclose(losskit.halfspace_sigmoid_loss(x, w * dtype.type(size), [1, -1]), plain, rtol=1e-6)
    far = losskit.halfspace_sigmoid_loss(x * 1000, w, [1, -1], reduction="none")
    assert far[0] == 0 and far[1] == 1
    assert np.isnan(losskit.halfspace_sigmoid_loss(x, np.array([0, NAN], dtype), [1, -1]))


def test_halfspace_refuses(dtype):
    x, w, y = np.ones((3, 2), dtype), np.ones(2, dtype), np.array([1, -1, 1], dtype)
    outputs = dict(loss=np.full((), 7.25, dtype), grad_x=np.full((3, 2), 7.25, dtype), grad_w=np.full(2, 7.25, dtype))
    call = RawCall(
        "halfspace_sigmoid_loss", dtype, list(outputs), x=x, w=w, y=y, count=3, dimension=2, sigma=0.1, reduction="mean",
        sample_weight=None, **outputs,
    )  # fmt: skip
    assert call(count=-1) == call(dimension=0) == call(count=1 << 61) == "INVALID_SHAPE"
    for sigma in (0.0, -1.0, NAN, INF):
        assert call(sigma=sigma) == "INVALID_PARAMETER"
    assert call(w=np.zeros(2, dtype)) == "INVALID_PARAMETER"
    assert call(x=None) == call(w=None) == call(y=None) == "NULL_POINTER"
    for bad in (0, 2, NAN):
        assert call(y=np.array([1, bad, 1], dtype)) == "INVALID_TARGET"
    for bad in (-1, NAN, INF):
        assert call(sample_weight=np.array([1, bad, 1], dtype)) == "INVALID_VALUE"
    assert call(reduction="none") == "UNSUPPORTED"
    assert call() == "OK"
    assert_error("INVALID_SHAPE", losskit.halfspace_sigmoid_loss, x, np.ones(3), y)
    assert_error("INVALID_SHAPE", losskit.halfspace_sigmoid_loss, x, np.ones((2, 1)), y)
    assert_error("UNSUPPORTED", losskit.halfspace_sigmoid_loss, x, w, y, reduction="none", grad=True)
    loss, (grad_x, grad_w) = losskit.halfspace_sigmoid_loss(x[:0], w, y[:0], grad=True)
    assert loss == 0 and grad_x.shape == (0, 2) and not grad_w.any()


# --- Gaussian naive Bayes --------------------------------------------------------------------------------------------


def reference_fit(x, y, classes, eps, shared):
    x = x.astype(np.float64)
    mean, var, prior = np.zeros((classes, x.shape[1])), np.zeros((classes, x.shape[1])), np.full(classes, -INF)
    for c in range(classes):
        mine = x[y == c]
        if len(mine):
            mean[c], var[c] = mine.mean(0), mine.var(0) + eps
            prior[c] = math.log(len(mine) / len(x))
    return mean, (np.exp(prior)[:, None] * var).sum(0, keepdims=True) if shared else var, prior


def reference_logits(x, mean, var, prior):
    x, mean, var, prior = (a.astype(np.float64) for a in (x, mean, var, prior))
    z = prior - ((x[..., None, :] - mean) ** 2 / var).sum(-1) / 2
    return z - np.log(2 * np.pi * var).sum(-1) / 2 if len(var) > 1 else z


@given(
    st.integers(1, 70), st.sampled_from([1, 2, 7, 8, 9, 40, 300]), st.integers(1, 9), st.booleans(),
    st.sampled_from([0, 100]), st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]),
)  # fmt: skip
def test_naive_bayes_follows_its_definition(count, dimension, classes, shared, centre, seed, dtype):
    rng = np.random.default_rng(seed)
    x, y = rng.normal(centre, 2, (count, dimension)).astype(dtype), rng.integers(0, classes, count)
    fit = losskit.gaussian_naive_bayes_fit(x, y, num_classes=classes, eps=0.01, shared_variance=shared)
    expected = reference_fit(x, y, classes, 0.01, shared)
    whole(fit[0], expected[0])
    whole(fit[1], expected[1])
    whole(fit[2], expected[2])
    mean, var, prior = (a.astype(dtype) for a in (rng.normal(0, 1, (classes, dimension)), fit[1] + 0.1, rng.normal(0, 1, classes)))
    z = losskit.gaussian_naive_bayes_logits(x, mean, var, prior)
    assert_close(z, reference_logits(x, mean, var, prior))
    g = rng.normal(0, 1, z.shape).astype(dtype)
    vjp = losskit.gaussian_naive_bayes_logits_vjp(x, mean, var, prior, g)
    g64 = g.astype(np.float64)[..., None]
    terms = g64 * (x[:, None, :].astype(np.float64) - mean) / np.broadcast_to(var, mean.shape).astype(np.float64)
    assert_close(vjp, -terms.sum(1))


def test_naive_bayes_examples_and_gradients(rng):
    x, y = [[1, 2], [3, 4], [0, 0], [2, -2]], [0, 0, 1, 1]
    mean, var, prior = losskit.gaussian_naive_bayes_fit(x, y, num_classes=2)
    np.testing.assert_allclose(mean, [[2, 3], [1, -1]])
    np.testing.assert_allclose(var, [[1, 1]])
    np.testing.assert_allclose(prior, [-0.6931472] * 2, rtol=1e-6)
    z = losskit.gaussian_naive_bayes_logits([[1, 1]], mean, [[1, 2]], prior)
    np.testing.assert_allclose(z, [[-2.193147, -1.693147]], rtol=1e-6)
    x, mean, prior, g = (rng.normal(0, 1, shape) for shape in ((2, 3, 4), (5, 4), 5, (2, 3, 5)))
    for rows in (1, 5):
        var = rng.random((rows, 4)) + 0.5
        vjp = losskit.gaussian_naive_bayes_logits_vjp(x, mean, var, prior, g)
        assert_gradient(lambda x: (losskit.gaussian_naive_bayes_logits(x, mean, var, prior) * g).sum(), x, vjp)  # noqa: B023


@pytest.mark.parametrize("shared", [False, True])
def test_an_empty_class_is_never_chosen(shared, dtype, rng):
    x, y = rng.normal(0, 1, (20, 3)).astype(dtype), rng.integers(0, 2, 20) * 2
    fit = losskit.gaussian_naive_bayes_fit(x, y, num_classes=4, shared_variance=shared)
    assert (fit[2][[1, 3]] == -INF).all() and not fit[0][[1, 3]].any()
    assert fit[1].shape == ((1, 3) if shared else (4, 3)) and (shared or not fit[1][[1, 3]].any())
    z = losskit.gaussian_naive_bayes_logits(x, *fit)
    assert (z[:, [1, 3]] == -INF).all() and np.isfinite(z[:, [0, 2]]).all()
    p = losskit.softmax(z)
    vjp = losskit.gaussian_naive_bayes_logits_vjp(x, *fit, losskit.softmax_vjp(p, rng.normal(0, 1, z.shape).astype(dtype)))
    assert np.isfinite(vjp).all()
    x[4, 1] = NAN
    z = losskit.gaussian_naive_bayes_logits(x, *fit)
    assert np.isnan(z[4]).all() and not np.isnan(np.delete(z, 4, 0)).any()


def test_naive_bayes_refuses(dtype):
    x, y = np.ones((3, 2), dtype), np.array([0, 1, 1])
    outputs = dict(mean=np.full((2, 2), 7.25, dtype), variance=np.full((2, 2), 7.25, dtype), log_prior=np.full(2, 7.25, dtype))
    call = RawCall(
        "gaussian_naive_bayes_fit", dtype, list(outputs), x=x, y=y, count=3, dimension=2, num_classes=2, eps=1e-9,
        shared_variance=False, **outputs,
    )  # fmt: skip
    assert call(count=0) == call(dimension=0) == call(num_classes=0) == call(count=1 << 61) == "INVALID_SHAPE"
    assert call(num_classes=1 << 57) == "INVALID_SHAPE"
    for eps in (-1.0, NAN, INF):
        assert call(eps=eps) == "INVALID_PARAMETER"
    assert call(x=None) == call(y=None) == "NULL_POINTER"
    for bad in (-1, 2, 1 << 40):
        assert call(y=np.array([0, bad, 1])) == "INVALID_TARGET"
    assert call(mean=None) == call(variance=None) == call(log_prior=None) == call() == "OK"

    mean, var, prior = np.ones((2, 2), dtype), np.ones((1, 2), dtype), np.zeros(2, dtype)
    for name, last in (("gaussian_naive_bayes_logits", "out"), ("gaussian_naive_bayes_logits_vjp", "grad_x")):
        more = dict(grad_output=np.ones((3, 2), dtype)) if last == "grad_x" else {}
        arguments = dict(x=x, mean=mean, variance=var, log_prior=prior, **more, count=3, dimension=2, num_classes=2, shared_variance=True)
        call = RawCall(name, dtype, [last], **arguments, **{last: np.full((3, 2), 7.25, dtype)})
        assert call(count=-1) == call(dimension=0) == call(num_classes=0) == call(num_classes=1 << 56) == "INVALID_SHAPE"
        for pointer in ("x", "mean", "variance", "log_prior", last, *more):
            assert call(**{pointer: None}) == "NULL_POINTER"
        assert call() == call(count=0, x=None) == "OK"
    logits = losskit.gaussian_naive_bayes_logits
    assert logits(x[:0], mean, var, prior).shape == (0, 2)
    assert_error("INVALID_SHAPE", logits, x, mean[:, :1], var, prior)
    assert_error("INVALID_SHAPE", logits, x, mean, np.ones((3, 2)), prior)
    assert_error("INVALID_SHAPE", logits, x, mean, var, prior[:1])
    assert_error("INVALID_SHAPE", losskit.gaussian_naive_bayes_logits_vjp, x, mean, var, prior, np.ones((3, 3)))
    assert_error("INVALID_SHAPE", losskit.gaussian_naive_bayes_fit, x, y, num_classes=0)
    assert_error("INVALID_SHAPE", losskit.gaussian_naive_bayes_fit, x[:0], y[:0], num_classes=2)


# --- Bits ------------------------------------------------------------------------------------------------------------


def test_results_have_the_same_bits_everywhere():
    assert_same_bits(
        """
rng = np.random.default_rng(3)
for dtype in (np.float32, np.float64):
    for rows, dimension, classes in ((1200, 33, 4500), (40, 300, 70), (300, 1100, 2300)):
        e = rng.normal(0, 0.3, (rows, dimension)).astype(dtype)
        c = rng.normal(0, 0.3, (classes, dimension)).astype(dtype)
        y = rng.integers(0, classes, rows)
        for number, options in enumerate(({}, dict(filter_eps=1e-3, bias=c[:, 0].copy(), softcap=4.0))):
            loss, lse, gradients = losskit.linear_cross_entropy(e, c, y, return_lse=True, grad=True, **options)
            for name, array in zip("lse loss e c b".split(), (lse, loss, *gradients)):
                results[f"{name} {number} {rows} {dtype.__name__}"] = np.asarray(array)
    x, w = rng.normal(0, 1, (20000, 300)).astype(dtype), rng.normal(0, 1, 300).astype(dtype)
    y = rng.integers(0, 3, len(x))
    loss, gradients = losskit.halfspace_sigmoid_loss(x, w, np.where(y, 1, -1), grad=True)
    results.update({f"halfspace {i} {dtype.__name__}": np.asarray(a) for i, a in enumerate((loss, *gradients))})
    fit = losskit.gaussian_naive_bayes_fit(x, y, num_classes=3, shared_variance=False)
    z = losskit.gaussian_naive_bayes_logits(x, *fit)
    vjp = losskit.gaussian_naive_bayes_logits_vjp(x, *fit, z)
    results.update({f"bayes {i} {dtype.__name__}": a for i, a in enumerate((*fit, z, vjp))})
"""
    )


def test_concurrent_calls_do_not_meet():
    """The pool belongs to one call at a time; the other one works alone, with the same results."""
    from concurrent.futures import ThreadPoolExecutor

    rng = np.random.default_rng(1)
    e, c, y = rng.normal(0, 1, (600, 8)), rng.normal(0, 1, (4500, 8)), rng.integers(0, 4500, 600)
    alone = losskit.linear_cross_entropy(e, c, y, grad=True)
    losskit.set_num_threads(2)
    try:
        with ThreadPoolExecutor(2) as pool:
            both = list(pool.map(lambda _: losskit.linear_cross_entropy(e, c, y, grad=True), range(2)))
    finally:
        losskit.set_num_threads(1)
    for loss, gradients in both:
        assert loss == alone[0] and all((a == b).all() for a, b in zip(gradients, alone[1]))
