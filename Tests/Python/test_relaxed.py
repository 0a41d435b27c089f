"""Random numbers, relaxed top-k, sorting and sampling, mixtures of experts: judged by NumPy float64 formulas written from
the definitions, integer arithmetic for the generator, finite differences for every gradient."""

import itertools
import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits, logit_arrays

import losskit

INF, NAN = math.inf, math.nan
few = settings(max_examples=25)


def rows_last(*arrays, axis):
    return [np.moveaxis(np.asarray(a, np.float64), axis, -1) for a in arrays]


def close_difference(actual, expected, terms, axis=-1):
    """Compares along ``axis`` what is a difference of terms. float32 is computed in double, so only float64 loses to them."""
    tolerance, own = (3e-6, 1e-13) if actual.dtype == np.float32 else (1e-12, 1e-12)
    largest = [np.abs(each).max(axis, keepdims=True, initial=0) for each in (expected, terms)]
    allowed = tolerance * largest[0] + own * largest[1] + np.finfo(actual.dtype).tiny
    assert (np.abs(actual - expected) <= allowed).all()


def special_rows(dtype):
    """(kind, logits): rows of five with something special in them."""
    rows = {
        "inf": [0, INF, 1, -1, 2],
        "two inf": [INF, 1, INF, -1, 2],
        "masked": [-INF, 1, 0.5, -INF, 0.25],
        "all masked": [-INF] * 5,
        "ties": [1, 1, 1, 0, 1],
        "far": [1e4, -1e4, 0, 1e4, -1e4],
    }
    return [(kind, np.array([row], dtype)) for kind, row in rows.items()]


# --- The generator ---------------------------------------------------------------------------------------------------

WORD = 2**32 - 1


def philox_words(counter, key):
    """Ten rounds, in integers."""
    x, key = list(counter), list(key)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * x[0], 0xCD9E8D57 * x[2]
        x = [(p1 >> 32) ^ x[1] ^ key[0], p1 & WORD, (p0 >> 32) ^ x[3] ^ key[1], p0 & WORD]
        key = [(key[0] + 0x9E3779B9) & WORD, (key[1] + 0xBB67AE85) & WORD]
    return x


def unit(a, b):
    return min((float((a >> 5) * 2**26 + (b >> 6)) + 0.5) * 2.0**-53, 1 - 2.0**-53)


def reference_uniforms(n, seed=0, offset=0, stream=0):
    """(U of words 0 and 1, U of words 2 and 3) of each element."""
    pairs = []
    for i in range(n):
        place = (i + offset) % 2**64
        words = philox_words((place & WORD, place >> 32, stream & WORD, stream >> 32), (seed & WORD, seed >> 32))
        pairs.append((unit(*words[:2]), unit(*words[2:])))
    return np.array(pairs, np.float64).reshape(n, 2).T


def reference_normal(n, **stream):
    with mpmath.workdps(40):
        pairs = reference_uniforms(n, **stream).T
        return np.array([
            float(mpmath.sqrt(-2 * mpmath.log(mpmath.mpf(u))) * mpmath.cospi(2 * mpmath.mpf(v))) for u, v in pairs
        ])  # fmt: skip


def reference_gumbel(n, **stream):
    with mpmath.workdps(40):
        return np.array([float(-mpmath.log(-mpmath.log(mpmath.mpf(u)))) for u in reference_uniforms(n, **stream)[0]])


STREAMS = [
    {},
    dict(seed=42),
    dict(seed=2**64 - 1, offset=2**64 - 7, stream=2**64 - 1),
    dict(seed=0x299F31D0A4093822, offset=0x85A308D3243F6A88, stream=0x0370734413198A2E),
    dict(seed=5, offset=2**32 - 3),
    dict(seed=7, stream=1 << 32),
]


def test_the_published_answers():
    assert philox_words((0, 0, 0, 0), (0, 0)) == [0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8]
    counter, key = (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344), (0xA4093822, 0x299F31D0)
    assert philox_words(counter, key) == [0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1]
    for stream, words in (({}, philox_words((0, 0, 0, 0), (0, 0))), (STREAMS[3], philox_words(counter, key))):
        assert losskit.philox_uniform(n=1, **stream)[0] == unit(*words[:2])
    np.testing.assert_allclose(losskit.philox_uniform(n=2, seed=7), [0.9545971286, 0.4069604039], atol=1e-10)
    np.testing.assert_allclose(losskit.philox_normal(n=2, seed=7), [0.2297081606, 0.6326745269], atol=1e-10)


@pytest.mark.parametrize("stream", STREAMS, ids=str)
def test_random_numbers_follow_their_definition(stream):
    n = 61
    np.testing.assert_array_equal(losskit.philox_uniform(n=n, **stream), reference_uniforms(n, **stream)[0])
    np.testing.assert_allclose(losskit.philox_normal(n=n, **stream), reference_normal(n, **stream), rtol=2e-15)
    np.testing.assert_allclose(losskit.philox_gumbel(n=n, **stream), reference_gumbel(n, **stream), rtol=1e-14, atol=1e-15)


@pytest.mark.parametrize("name", ["philox_uniform", "philox_normal", "philox_gumbel"])
def test_streams(name):
    function = getattr(losskit, name)
    all_of_it = function(n=100_000, seed=9, offset=11)
    for n in (0, 1, 7, 8, 9, 17, 4097):  # any part of it, in any size
        for start in (0, 3, 5000):
            assert function(n=n, seed=9, offset=11 + start).tobytes() == all_of_it[start : start + n].tobytes()
    single = np.empty(100_000, np.float32)
    losskit._core.call(name, single.dtype, single.size, 9, 11, 0, single)
    assert single.tobytes() == all_of_it.astype(np.float32).tobytes()
    mean, variance = {
        "philox_uniform": (0.5, 1 / 12), "philox_normal": (0, 1), "philox_gumbel": (np.euler_gamma, math.pi**2 / 6)
    }[name]  # fmt: skip
    assert abs(all_of_it.mean() - mean) < 4 * math.sqrt(variance / all_of_it.size)
    assert abs(all_of_it.var() / variance - 1) < 0.03
    for n, status in ((-1, "INVALID_SHAPE"), (2**62, "INVALID_SHAPE"), ("x", "INVALID_SHAPE")):
        assert_error(status, function, n=n)
    for bad in (dict(seed=-1), dict(offset=2**64), dict(stream=0.5)):
        assert_error("INVALID_PARAMETER", function, n=1, **bad)


# --- The definitions, in NumPy ---------------------------------------------------------------------------------------


def sigmoid(x):
    with np.errstate(over="ignore"):
        return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def reference_soft_topk(z, k, alpha):
    """(p, log p) by bisection; rows last, k for each row. What sums to k is kept as small terms and a count."""
    k = np.broadcast_to(np.asarray(k, np.int64), z.shape[:-1])[..., None]
    low = z.min(-1, keepdims=True) - (12 + np.log(z.shape[-1])) / alpha
    high = z.max(-1, keepdims=True) + (12 + np.log(z.shape[-1])) / alpha
    for _ in range(110):
        middle = low + (high - low) / 2
        x = alpha * (z - middle)
        small = np.where(x > 0, -1, 1) * sigmoid(-np.abs(x))
        excess = ((x > 0).sum(-1, keepdims=True) - k) + small.sum(-1, keepdims=True)
        low, high = np.where(excess > 0, middle, low), np.where(excess > 0, high, middle)
    # Where all terms underflow, the root is the middle between the k-th largest and the next.
    ordered = -np.sort(-z, -1)
    above, below = np.take_along_axis(ordered, k - 1, -1), np.take_along_axis(ordered, k, -1)
    x = alpha * (z - np.where(alpha * (above - below) > 1400, below + (above - below) / 2, low))
    return sigmoid(x), np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


def reference_soft_topk_vjp(p, g, alpha):
    v = p * (1 - p)
    total = v.sum(-1, keepdims=True)
    with np.errstate(all="ignore"):
        return alpha * (v * g - np.where(total == 0, 0, v / total) * (v * g).sum(-1, keepdims=True))


def reference_log_soft_topk_vjp(log_p, g, alpha):
    p, complement = np.exp(log_p), -np.expm1(log_p)
    u, v = alpha * complement * g, p * complement
    total = v.sum(-1, keepdims=True)
    with np.errstate(all="ignore"):
        return u - np.where(total == 0, 0, v / total) * u.sum(-1, keepdims=True)


def reference_softmax(x, axis=-1):
    with np.errstate(all="ignore"):
        e = np.exp(x - x.max(axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)


def reference_softmax_vjp(p, g, axis=-1):
    return p * (g - (p * g).sum(axis, keepdims=True))


def one_hot(p):
    return (np.arange(p.shape[-1]) == p.argmax(-1)[..., None]).astype(np.float64)


def reference_neuralsort(s, tau=1.0, hard=False):
    """Of one list."""
    n = len(s)
    spread = np.abs(s[:, None] - s).sum(1)
    p = reference_softmax(((n + 1 - 2 * np.arange(1, n + 1)[:, None]) * s - spread) / tau)
    return one_hot(p) if hard else p


def reference_neuralsort_vjp(s, p, g, tau=1.0):
    n = len(s)
    gradient = reference_softmax_vjp(p, g)
    c = gradient.sum(0)
    factors = n + 1 - 2 * np.arange(1, n + 1)
    return (factors @ gradient - ((c[:, None] + c) * np.sign(s[:, None] - s)).sum(1)) / tau


def reference_softsort(s, tau=1.0, power=1.0):
    return reference_softmax(-(np.abs(np.sort(s)[::-1, None] - s) ** power) / tau)


def reference_softsort_vjp(s, p, g, tau=1.0, power=1.0):
    order = np.argsort(-s, kind="stable")
    distance = s[order][:, None] - s
    slope = np.where(distance == 0, 0, np.abs(distance) ** (power - 1)) * np.sign(distance)
    h = -(power / tau) * reference_softmax_vjp(p, g) * slope
    result = -h.sum(0)
    result[order] += h.sum(1)
    return result


def reference_gates(h, k, renormalize):
    order = np.argsort(-h, -1, kind="stable")[..., :k]
    chosen = np.zeros(h.shape, bool)
    np.put_along_axis(chosen, order, True, -1)
    p = reference_softmax(np.where(chosen, h, -INF) if renormalize else h)
    return np.where(np.isnan(p), NAN, np.where(chosen, p, 0)), order


def reference_scores(z, noise_logits, seed):
    """h of rows, with the noise."""
    noise = losskit.philox_normal(n=z.size, seed=seed).reshape(z.shape)
    return z + noise * np.logaddexp(0, noise_logits), noise


def reference_load_balance(z, k):
    n, c = z.shape
    order = np.argsort(-z, -1, kind="stable")[:, :k]
    f = np.bincount(order.ravel(), minlength=c) / (n * k)
    p = reference_softmax(z)
    return c * (f * p.mean(0)).sum(), c / n * p * (f - (p * f).sum(-1, keepdims=True))


def reference_importance(gates, eps):
    n, c = gates.shape
    if c == 1:
        return 0.0, np.zeros_like(gates)
    total = gates.sum(0)
    mean, variance = total.mean(), total.var(ddof=1)
    d = mean**2 + eps
    gradient = 2 * (total - mean) / ((c - 1) * d) - 2 * variance * mean / (c * d**2)
    return variance / d, np.broadcast_to(gradient, gates.shape)


def reference_router_z(z):
    """Per row: losses, gradients."""
    with np.errstate(all="ignore"):
        m = z.max(-1, keepdims=True)
        m = np.where(np.isfinite(m), m, 0)
        lse = m + np.log(np.exp(z - m).sum(-1, keepdims=True))
        return lse[..., 0] ** 2, 2 * lse * reference_softmax(z)


def reference_voronoi(theta, bias, theta_true, bias_true, blocks, k):
    distance = np.linalg.norm(theta[:, None] - theta_true, axis=-1)
    cell = distance.argmin(1)
    cuts = np.cumsum(blocks)[:-1]
    norms = np.array([
        [np.linalg.norm(part) for part in np.split(t - theta_true[l], cuts)] for t, l in zip(theta, cell)
    ]).reshape(len(theta), len(blocks))  # fmt: skip
    weight = np.exp(bias)
    surplus = np.array([weight[cell == l].sum() - np.exp(bias_true[l]) for l in range(len(theta_true))])
    cost = np.array([(weight * norms.sum(1))[cell == l].sum() for l in range(len(theta_true))]) + np.abs(surplus)
    chosen = np.argsort(-cost, kind="stable")[:k]
    grad_theta, grad_bias = np.zeros_like(theta), np.zeros_like(bias)
    for j in np.flatnonzero(np.isin(cell, chosen)):
        parts = np.split(theta[j] - theta_true[cell[j]], cuts)
        grad_theta[j] = weight[j] * np.concatenate([p / (n or 1) for p, n in zip(parts, norms[j])])
        grad_bias[j] = weight[j] * (norms[j].sum() + np.sign(surplus[cell[j]]))
    return cost[chosen].sum(), (grad_theta, grad_bias)


def reference_ens(f, y, noise, lam, tail, shift):
    m = y * f
    with np.errstate(all="ignore"):
        r = np.exp(noise) if lam == 0 else np.maximum(1 + lam * noise, 0) ** (1 / lam)
    d = np.sort(np.maximum(-r, -1))
    g = np.empty_like(m)
    g[np.argsort(m, kind="stable")] = d
    with np.errstate(all="ignore"):
        g = (np.where(m > 1, g / m, g) if tail else g) - shift
        return g * m, g * y


# --- Worked examples -------------------------------------------------------------------------------------------------

Z4, G4 = [[1.0, 2, 3, 0]], [[1.0, 0, 2, 0]]
S3, G3 = [[1.0, 3, 2]], [[[1.0, 2, 3], [0, 0, 0], [0, 0, 0]]]
ROUTED = [[1.0, 3, 2, 0]]
TOKENS = [[1.0, 0], [2, 1], [0, 3]]
ROUTER = [[2.0, -1, 0.5], [0, 1, -2]]
F = ([1.5, -0.5, 3, 0.2], [1.0, 1, 1, -1])
VORONOI = ([[0.0, 1], [2, 2]], [0, 0.5], [[0.0, 0], [2, 1]], [0.0, 0])
EXAMPLES = {
    "philox_uniform": (lambda a: losskit.philox_uniform(n=3, seed=42), [0.6129599, 0.9877187, 0.8258668]),
    "philox_normal": (lambda a: losskit.philox_normal(n=3, seed=42), [0.8864975, -0.1566096, -0.4941005]),
    "philox_gumbel": (lambda a: losskit.philox_gumbel(n=3, seed=42, offset=5), [-0.1446776, -0.3984503, -0.02587805]),
    "soft_topk": (lambda a: losskit.soft_topk(a(Z4), k=2), [[0.3775407, 0.6224593, 0.8175745, 0.1824255]]),
    "soft_topk_vjp": (
        lambda a: losskit.soft_topk_vjp(losskit.soft_topk(a(Z4), k=2), a(G4)),
        [[0.07188171, -0.163122, 0.1947666, -0.1035263]],
    ),
    "log_soft_topk": (lambda a: losskit.log_soft_topk(a(Z4), k=2), [[-0.974077, -0.474077, -0.2014133, -1.701413]]),
    "neuralsort": (
        lambda a: losskit.neuralsort(a(S3)),
        [[[0.01321289, 0.7213992, 0.2653879], [0.2119416, 0.2119416, 0.5761169], [0.7213992, 0.01321289, 0.2653879]]],
    ),
    "neuralsort_vjp": (
        lambda a: losskit.neuralsort_vjp(a(S3), losskit.neuralsort(a(S3)), a(G3)),
        [[-0.04963454, -0.1819189, 0.2315534]],
    ),
    "softsort": (
        lambda a: losskit.softsort(a(S3)),
        [[[0.09003057, 0.665241, 0.2447285], [0.2119416, 0.2119416, 0.5761169], [0.665241, 0.09003057, 0.2447285]]],
    ),
    "softsort_vjp": (
        lambda a: losskit.softsort_vjp(a(S3), losskit.softsort(a(S3)), a(G3)),
        [[-0.1039581, -0.1029114, 0.2068695]],
    ),
    "gumbel_softmax": (lambda a: losskit.gumbel_softmax(a([[1.0, 2, 3]]), seed=3), [[0.1409093, 0.05895329, 0.8001375]]),
    "topk_gating": (lambda a: losskit.topk_gating(a(ROUTED))[0], [[0, 0.7310586, 0.2689414, 0]]),
    "topk_gating, switch": (
        lambda a: losskit.topk_gating(a(ROUTED), renormalize=False)[0],
        [[0, 0.6439143, 0.2368828, 0]],
    ),
    "topk_gating, noise": (
        lambda a: losskit.topk_gating(a(ROUTED), a([[0.0] * 4]), seed=7)[0],
        [[0, 0.6578541, 0.3421459, 0]],
    ),
    "moe_load_balance_loss": (lambda a: losskit.moe_load_balance_loss(a(TOKENS)), 1.002121),
    "moe_importance_loss": (lambda a: losskit.moe_importance_loss(a([[1.0, 0], [0.5, 0.5]])), 0.5),
    "router_z_loss": (lambda a: losskit.router_z_loss(a(TOKENS)), 5.456574),
    "router_z_loss, rows": (lambda a: losskit.router_z_loss(a(ROUTER), reduction="none"), [5.023476, 1.819834]),
    "router_z_loss, gradient": (
        lambda a: losskit.router_z_loss(a(ROUTER), reduction="none", grad=True)[1],
        [[3.521535, 0.1753269, 0.7857607], [0.7001278, 1.903145, 0.09475199]],
    ),
    "soft_moe_weights, dispatch": (
        lambda a: losskit.soft_moe_weights(a([[0.0, 1], [2, 1]]))[0],
        [[0.1192029, 0.5], [0.8807971, 0.5]],
    ),
    "soft_moe_weights, combine": (
        lambda a: losskit.soft_moe_weights(a([[0.0, 1], [2, 1]]))[1],
        [[0.2689414, 0.7310586], [0.7310586, 0.2689414]],
    ),
    "voronoi_moe_loss": (lambda a: losskit.voronoi_moe_loss(*map(a, VORONOI), blocks=(1, 1)), 3.297443),
    "ens_loss": (
        lambda a: losskit.ens_loss(*map(a, F), seed=7, reduction="none"),
        [-1.000001, 0.5000005, -1.000003, 0.2000002],
    ),
    "ens_loss, gradient": (
        lambda a: losskit.ens_loss(*map(a, F), seed=7, reduction="none", grad=True)[1],
        [-0.6666677, -1.000001, -0.3333343, 1.000001],
    ),
    "ens_loss, noise": (
        lambda a: losskit.ens_loss(*map(a, F), noise=a([-1, -0.5, -2, 0.3]), lam=0.5),
        0.09062405,
    ),
    "ens_loss, noise, gradient": (
        lambda a: losskit.ens_loss(*map(a, F), noise=a([-1, -0.5, -2, 0.3]), lam=0.5, grad=True)[1],
        [-0.04166692, -0.2500002, -2.5e-07, 0.1406253],
    ),
}


@pytest.mark.parametrize("name", EXAMPLES)
def test_worked_example(name, dtype):
    function, expected = EXAMPLES[name]
    result = function(lambda x: np.array(x, dtype))
    assert result.dtype == (np.float64 if name.startswith("philox") else dtype)
    assert_close(result, np.array(expected), tolerance=3e-6 if dtype == np.float32 else 6e-7)
    if name.startswith("topk_gating"):
        for noise in (None, np.zeros((1, 4))):
            assert losskit.topk_gating(np.array(ROUTED, dtype), noise, seed=7)[1].tolist() == [[1, 2]]


# --- Soft top-k ------------------------------------------------------------------------------------------------------


@few
@given(logit_arrays(special=False), st.sampled_from([0.05, 1, 1, 1, 7, 100]), st.booleans(), st.integers(0, 2**32 - 1))
def test_soft_topk_follows_its_definition(drawn, alpha, per_row, seed):
    z, axis = drawn
    classes = z.shape[axis]
    rng = np.random.default_rng(seed)
    if classes == 1:
        assert_error("INVALID_PARAMETER", losskit.soft_topk, z, k=1, axis=axis)
        return
    shape = np.moveaxis(z, axis, -1).shape[:-1]
    k = rng.integers(1, classes, shape) if per_row else int(rng.integers(1, classes))
    options = dict(alpha=alpha, axis=axis)
    p, log_p = losskit.soft_topk(z, k=k, **options), losskit.log_soft_topk(z, k=k, **options)
    expected = [np.moveaxis(e, -1, axis) for e in reference_soft_topk(*rows_last(z, axis=axis), np.asarray(k), alpha)]
    # The reference's own root is a double: its last place times alpha is what it cannot know.
    own = np.abs(z).max(initial=1) * alpha * 4e-16
    tolerance = max(3e-6 if z.dtype == np.float32 else 1e-12, own)
    assert_close(p, expected[0], axis=axis, tolerance=tolerance)
    assert_close(log_p, expected[1], axis=axis, tolerance=tolerance)
    g = rng.normal(0, 1, z.shape).astype(z.dtype)
    for name, output in (("soft_topk_vjp", p), ("log_soft_topk_vjp", log_p)):
        expected = globals()["reference_" + name](*rows_last(output, g, axis=axis), alpha)
        actual = np.moveaxis(getattr(losskit, name)(output, g, **options), axis, -1)
        factor = 1 if name == "soft_topk_vjp" else 1 - np.exp(rows_last(output, axis=axis)[0])
        close_difference(actual, expected, alpha * factor * rows_last(g, axis=axis)[0])


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("alpha", [1.0, 0.3, 5.0])
def test_soft_topk_gradients(axis, alpha, rng):
    z, g = rng.normal(0, 1, (5, 6)), rng.normal(0, 1, (5, 6))
    options = dict(alpha=alpha, axis=axis)
    p, log_p = losskit.soft_topk(z, k=2, **options), losskit.log_soft_topk(z, k=2, **options)
    np.testing.assert_allclose(p.sum(axis), 2, rtol=1e-14)
    assert_gradient(lambda z: (losskit.soft_topk(z, k=2, **options) * g).sum(), z, losskit.soft_topk_vjp(p, g, **options))
    actual = losskit.log_soft_topk_vjp(log_p, g, **options)
    assert_gradient(lambda z: (losskit.log_soft_topk(z, k=2, **options) * g).sum(), z, actual)


def test_soft_topk_of_special_rows(dtype):
    for kind, z in special_rows(dtype):
        p, log_p = losskit.soft_topk(z, k=2)[0], losskit.log_soft_topk(z, k=2)[0]
        if "inf" in kind:
            assert np.isnan(p).all() and np.isnan(log_p).all()
        elif kind == "masked":
            finite = z[0] > -INF
            expected = reference_soft_topk(z[:, finite].astype(np.float64), 2, 1.0)
            assert_close(p[finite], expected[0][0])
            assert (p[~finite] == 0).all() and (log_p[~finite] == -INF).all()
            assert (losskit.soft_topk_vjp(p, np.ones_like(p))[~finite] == 0).all()
            np.testing.assert_array_equal(losskit.soft_topk(z, k=3)[0], finite)  # all that are left
        elif kind == "all masked":
            assert (p == 0).all() and (log_p == -INF).all()
        elif kind == "ties":
            assert p[0] == p[1] == p[2] == p[4]
            np.testing.assert_allclose(p.sum(), 2, rtol=1e-6)
        else:
            np.testing.assert_array_equal(p, [1, 0, 0, 1, 0])
    # The root lies in the middle of a gap, however wide; steep and flat ones have it too.
    far = np.array([[1e3, 0, -5e3]], dtype)
    np.testing.assert_allclose(losskit.log_soft_topk(far, k=2), [[0, 0, -2500]], atol=1e-9)
    np.testing.assert_allclose(losskit.soft_topk(far, k=1, alpha=1e-200), [[1 / 3] * 3], rtol=1e-6)
    np.testing.assert_array_equal(losskit.soft_topk(far, k=1, alpha=1e300), [[1, 0, 0]])
    wide = np.array([[-1, 1, 0, 0]], dtype) * np.finfo(dtype).max
    np.testing.assert_allclose(losskit.soft_topk(wide, k=2), [[0, 1, 0.5, 0.5]], rtol=1e-6)
    saturated = np.array([[1, 1, 0, 0]], dtype)
    assert (losskit.soft_topk_vjp(saturated, saturated) == 0).all()


@pytest.mark.parametrize("count", [10_000, 300_000])
def test_soft_topk_of_long_rows(count, dtype, rng):
    """The bounds of the root are wide enough where most of the sum comes from the many that are far below."""
    z = np.stack([rng.normal(0, 1, count), np.where(np.arange(count) == 7, 25, 0)]).astype(dtype)
    for k in (1, 100):
        p = losskit.soft_topk(z, k=k)
        np.testing.assert_allclose(p.astype(np.float64).sum(-1), k, rtol=1e-6 if dtype == np.float32 else 1e-12)
        assert_close(p[0], reference_soft_topk(z[:1].astype(np.float64), k, 1.0)[0][0], tolerance=3e-6 if dtype == np.float32 else 1e-11)


# --- Relaxed sorting -------------------------------------------------------------------------------------------------

SORTS = {
    "neuralsort": (reference_neuralsort, reference_neuralsort_vjp, [{}]),
    "softsort": (reference_softsort, reference_softsort_vjp, [dict(power=p) for p in (1, 1, 2, 1.5, 3)]),
}


@pytest.mark.parametrize("name", SORTS)
@given(data=st.data())
def test_sorts_follow_their_definition(name, data):
    forward, backward, choices = SORTS[name]
    lists, items = data.draw(st.integers(0, 5)), data.draw(st.one_of(st.sampled_from([1, 2, 7, 8, 9, 16, 17]), st.integers(1, 40)))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    real = data.draw(st.sampled_from([np.float32, np.float64]))
    s = rng.normal(data.draw(st.sampled_from([0, 100, -1e4])), data.draw(st.sampled_from([1e-2, 1, 30])), (lists, items))
    if data.draw(st.booleans()):
        s = np.round(s)  # ties
    s = s.astype(real)
    options = {**data.draw(st.sampled_from(choices)), "tau": data.draw(st.sampled_from([1, 0.3, 10]))}
    lengths = rng.integers(0, items + 1, lists) if name == "neuralsort" and data.draw(st.booleans()) else None
    taken = np.full(lists, items) if lengths is None else lengths
    more = {} if lengths is None else dict(lengths=lengths)
    for n, row in zip(taken, s):
        row[n:] = NAN  # what takes no part is not looked at
    p = getattr(losskit, name)(s, **options, **more)
    g = rng.normal(0, 1, p.shape).astype(real)
    expected, gradient = np.zeros(p.shape), np.zeros(s.shape)
    hard = np.zeros(p.shape)
    for i, n in enumerate(taken):
        exact, middle = s[i, :n].astype(np.float64), s[i, 0].astype(np.float64) if n else 0
        if n == 0:
            continue
        expected[i, :n, :n] = forward(exact - middle, **options)
        hard[i, :n, :n] = one_hot(expected[i, :n, :n])
        gradient[i, :n] = backward(exact, p[i, :n, :n].astype(np.float64), g[i, :n, :n].astype(np.float64), **options)
    assert_close(p, expected, tolerance=3e-6 if real == np.float32 else 1e-10)
    actual = getattr(losskit, name + "_vjp")(s, p, g, **options, **more)
    size = np.abs(gradient).max(initial=0) + items / options["tau"] * 1e-3
    np.testing.assert_allclose(actual, gradient, rtol=0, atol=size * (3e-6 if real == np.float32 else 1e-10))
    if name == "neuralsort":
        actual = losskit.neuralsort(s, hard=True, **options, **more)
        largest = np.sort(expected, -1)
        clear = items == 1 or (largest[..., -1] - largest[..., -2] > 1e-9) | (largest[..., -1] == 0)
        np.testing.assert_array_equal(actual[clear], hard[clear])
        assert (actual.sum(-1) == (np.arange(items) < taken[:, None])).all()


@pytest.mark.parametrize("tau", [1.0, 0.5])
def test_sort_gradients(tau, rng):
    s, g = rng.permutation(21).reshape(3, 7) / 5, rng.normal(0, 1, (3, 7, 7))
    cases = [("neuralsort", {}), ("neuralsort", dict(lengths=[7, 4, 0]))]
    cases += [("softsort", dict(power=power)) for power in (1, 2, 1.5)]
    for name, options in cases:
        function, options = getattr(losskit, name), dict(tau=tau, **options)
        actual = getattr(losskit, name + "_vjp")(s, function(s, **options), g, **options)
        assert_gradient(lambda s: (function(s, **options) * g).sum(), s, actual)  # noqa: B023


def test_sorts_of_special_lists(dtype):
    for kind, s in special_rows(dtype):
        p, q = losskit.neuralsort(s)[0], losskit.softsort(s)[0]
        if "inf" in kind:
            assert np.isnan(p).all() and np.isnan(q).all()
        elif kind == "masked":
            assert np.isnan(p).all() and np.isnan(q[3:]).all()
            np.testing.assert_allclose(q[:3][:, [1, 2, 4]], reference_softsort(np.array([1, 0.5, 0.25])), rtol=1e-6)
            assert (q[:3][:, [0, 3]] == 0).all()
            g = np.eye(5, dtype=dtype)
            g[3:] = 0
            vjp = losskit.softsort_vjp(s, np.nan_to_num(q)[None], g[None], power=2)
            assert np.isfinite(vjp).all() and (vjp[0, [0, 3]] == 0).all()
        elif kind == "ties":
            assert (p[:, 0] == p[:, 1]).all() and (q[:, 0] == q[:, 4]).all()
            ties = losskit.neuralsort(s, hard=True)[0].argmax(-1)
            assert ties[0] == 0 and ties[-1] == 3
    one = np.array([[3]], dtype)
    assert losskit.neuralsort(one) == losskit.softsort(one) == 1
    assert losskit.neuralsort_vjp(one, one[None], one[None]) == losskit.softsort_vjp(one, one[None], one[None]) == 0
    # Sharp enough, they sort.
    s = np.array([[0.3, 0.9, -0.4, 0.5]], dtype)
    for function in (losskit.neuralsort, losskit.softsort):
        np.testing.assert_allclose(function(s, tau=1e-3)[0] @ s[0], np.sort(s[0])[::-1], rtol=1e-6)
    assert losskit.neuralsort(np.zeros((2, 0, 3))).shape == (2, 0, 3, 3)
    assert losskit.softsort(np.zeros(4)).shape == (4, 4)


# --- Gumbel-softmax --------------------------------------------------------------------------------------------------


@few
@given(logit_arrays(special=False), st.sampled_from([1, 0.1, 3]), st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_gumbel_softmax_follows_its_definition(drawn, tau, seed, offset):
    z, axis = drawn
    (rows,) = rows_last(z, axis=axis)
    noise = losskit.philox_gumbel(n=z.size, seed=seed, offset=offset).reshape(rows.shape)
    expected = np.moveaxis(reference_softmax((rows - rows.max(-1, keepdims=True) + noise) / tau), -1, axis)
    options = dict(tau=tau, seed=seed, offset=offset, axis=axis)
    y = losskit.gumbel_softmax(z, **options)
    assert_close(y, expected, axis=axis, tolerance=3e-6 if z.dtype == np.float32 else 4e-12)
    hard = losskit.gumbel_softmax(z, hard=True, **options)
    np.testing.assert_array_equal(np.moveaxis(hard, axis, -1), one_hot(np.moveaxis(expected, axis, -1)))
    g = np.random.default_rng(3).normal(0, 1, z.shape).astype(z.dtype)
    own, upstream = rows_last(y, g, axis=axis)
    actual = losskit.gumbel_softmax_vjp(y, g, tau=tau, axis=axis)
    close_difference(np.moveaxis(actual, axis, -1), reference_softmax_vjp(own, upstream) / tau, own * upstream / tau)


def test_gumbel_softmax_samples(dtype, rng):
    for kind, z in special_rows(dtype):
        for hard in (False, True):
            y = losskit.gumbel_softmax(z, hard=hard, seed=1)[0]
            if "inf" in kind or kind == "all masked":
                assert np.isnan(y).all()
            else:
                np.testing.assert_allclose(y.sum(), 1, rtol=1e-6)
                assert (y[z[0] == -INF] == 0).all()
    z = np.tile(np.array([0, 1, 2, -INF], dtype), (20000, 1))
    share = losskit.gumbel_softmax(z, hard=True, seed=4).mean(0)
    np.testing.assert_allclose(share, reference_softmax(z[0].astype(np.float64)), atol=0.015)
    z, g = rng.normal(0, 1, (4, 5)), rng.normal(0, 1, (4, 5))
    vjp = losskit.gumbel_softmax_vjp(losskit.gumbel_softmax(z, tau=0.7, seed=2), g, tau=0.7)
    assert_gradient(lambda z: (losskit.gumbel_softmax(z, tau=0.7, seed=2) * g).sum(), z, vjp)
    assert (losskit.gumbel_softmax(np.ones((3, 1), dtype)) == 1).all()


# --- Gates -----------------------------------------------------------------------------------------------------------


@few
@given(logit_arrays(special=False), st.booleans(), st.booleans(), st.booleans(), st.integers(0, 2**32 - 1))
def test_topk_gating_follows_its_definition(drawn, noisy, renormalize, ties, seed):
    z, axis = drawn
    if ties and not noisy:
        z = np.round(z)
    rng = np.random.default_rng(seed)
    k = int(rng.integers(1, z.shape[axis] + 1))
    noise_logits = rng.normal(0, 2, z.shape).astype(z.dtype) if noisy else None
    (rows,) = rows_last(z, axis=axis)
    h, noise = rows, None
    if noisy:
        h, noise = reference_scores(rows, *rows_last(noise_logits, axis=axis), seed)
    options = dict(renormalize=renormalize, seed=seed, axis=axis)
    gates, indices = losskit.topk_gating(z, noise_logits, k=k, **options)
    expected, order = reference_gates(h, k, renormalize)
    np.testing.assert_array_equal(np.moveaxis(indices, axis, -1), order)
    tolerance = 3e-6 if z.dtype == np.float32 else 1e-11
    assert_close(gates, np.moveaxis(expected, -1, axis), axis=axis, tolerance=tolerance)
    g = rng.normal(0, 1, z.shape).astype(z.dtype)
    (own_gates, upstream) = rows_last(gates, g, axis=axis)
    p, mask = (own_gates, 1) if renormalize else (reference_softmax(h), np.zeros(h.shape))
    if not renormalize:
        np.put_along_axis(mask, order, 1, -1)
    expected = reference_softmax_vjp(p, mask * upstream)
    actual = losskit.topk_gating_vjp(z, noise_logits, indices, gates, g, **options)
    terms = p * mask * upstream
    # Without renormalisation P is made again, from h: its own rounding in float64 is the reference's as well.
    slack = 0 if renormalize else 30
    close_difference(np.moveaxis(actual[0], axis, -1), expected, (1 + slack) * terms)
    if not noisy:
        assert actual[1] is None
        return
    slope = noise * sigmoid(rows_last(noise_logits, axis=axis)[0])
    close_difference(np.moveaxis(actual[1], axis, -1), expected * slope, (1 + slack) * terms * np.abs(slope).max(initial=0))


@pytest.mark.parametrize("renormalize", [False, True])
def test_topk_gating_gradients(renormalize, rng):
    z, noise, g = rng.permutation(24).reshape(4, 6) / 7, rng.normal(0, 1, (4, 6)), rng.normal(0, 1, (4, 6))
    options = dict(renormalize=renormalize, seed=3)
    for noise_logits in (None, noise):
        gates, indices = losskit.topk_gating(z, noise_logits, k=3, **options)
        assert ((gates != 0).sum(-1) == 3).all()
        with_z, with_noise = losskit.topk_gating_vjp(z, noise_logits, indices, gates, g, **options)
        value = lambda z, n: (losskit.topk_gating(z, n, k=3, **options)[0] * g).sum()  # noqa: E731
        assert_gradient(lambda z: value(z, noise_logits), z, with_z, step=1e-4)  # noqa: B023
        if noise_logits is not None:
            assert_gradient(lambda n: value(z, n), noise_logits, with_noise, step=1e-4)


def test_topk_gating_of_special_rows(dtype):
    for kind, z in special_rows(dtype):
        for renormalize, noise in itertools.product((True, False), (None, np.full(z.shape, -50, dtype))):
            gates, indices = losskit.topk_gating(z, noise, k=3, renormalize=renormalize)
            if "inf" in kind or kind == "all masked":
                assert np.isnan(gates).all()
            elif noise is None:
                expected, order = reference_gates(z.astype(np.float64), 3, renormalize)
                np.testing.assert_array_equal(indices, order)
                assert_close(gates, expected)
            if noise is None:
                np.testing.assert_array_equal(indices, np.argsort(-z, -1, kind="stable")[:, :3])
    z = np.array([[1, 2, 3]], dtype)
    gates, indices = losskit.topk_gating(z, np.array([[0, INF, 0]], dtype))
    assert np.isfinite(indices).all() and indices.min() >= 0 and indices.max() < 3
    # A gradient that nobody asked for may hold anything.
    gates, indices = losskit.topk_gating(z, k=1)
    g = np.array([[NAN, INF, 2]], dtype)
    np.testing.assert_array_equal(losskit.topk_gating_vjp(z, None, indices, gates, g)[0], [[0, 0, 0]])
    assert np.isfinite(losskit.topk_gating_vjp(z, None, indices, gates, g, renormalize=False)[0]).all()
    for bad in (-1, 3):
        assert_error("INVALID_TARGET", losskit.topk_gating_vjp, z, None, [[bad]], gates, gates)


@pytest.mark.parametrize("rows, classes", [(3, 70_000), (2, 5000)])
def test_topk_gating_of_many_experts(rows, classes, dtype, rng):
    z = np.round(rng.normal(0, 50, (rows, classes))).astype(dtype)
    gates, indices = losskit.topk_gating(z, k=1000)
    np.testing.assert_array_equal(indices, np.argsort(-z, -1, kind="stable")[:, :1000])
    assert ((gates == 0).sum(-1) >= classes - 1000).all()


# --- Losses of mixtures of experts -----------------------------------------------------------------------------------


@few
@given(logit_arrays(special=False), st.booleans(), st.integers(0, 2**32 - 1))
def test_load_balance_loss_follows_its_definition(drawn, ties, seed):
    z, axis = drawn
    if ties:
        z = np.round(z)
    k = int(np.random.default_rng(seed).integers(1, z.shape[axis] + 1))
    loss, grad = losskit.moe_load_balance_loss(z, k=k, grad=True, axis=axis)
    (rows,) = rows_last(z, axis=axis)
    flat = rows.reshape(-1, rows.shape[-1])
    if len(flat) == 0:
        assert loss == 0 and grad.size == 0
        return
    value, gradient = reference_load_balance(flat, k)
    tolerance = 3e-6 if z.dtype == np.float32 else 1e-12
    assert_close(loss, value, tolerance=tolerance)
    f = np.bincount(np.argsort(-flat, -1, kind="stable")[:, :k].ravel(), minlength=flat.shape[1]) / (k * len(flat))
    size = flat.shape[1] / len(flat) * reference_softmax(flat) * f.max()
    allowed = tolerance * (np.abs(gradient).max(-1, keepdims=True) + size.max(-1, keepdims=True)) + np.finfo(z.dtype).tiny
    assert (np.abs(np.moveaxis(grad, axis, -1).reshape(flat.shape) - gradient) <= allowed).all()


@given(st.integers(0, 70), st.integers(1, 70), st.sampled_from([1e-10, 0.3]), st.booleans(), st.integers(0, 2**32 - 1))
def test_importance_loss_follows_its_definition(rows, columns, eps, single, seed):
    gates = np.random.default_rng(seed).random((rows, columns)).astype(np.float32 if single else np.float64)
    loss, grad = losskit.moe_importance_loss(gates, eps=eps, grad=True)
    value, gradient = reference_importance(gates.astype(np.float64), eps) if rows else (0, gates)
    tolerance = 3e-6 if single else 1e-10
    assert_close(loss, value, tolerance=tolerance)
    assert_close(grad, gradient, tolerance=tolerance)


@given(logit_arrays(), st.sampled_from(["none", "mean", "sum"]), st.booleans(), st.integers(0, 2**32 - 1))
def test_router_z_loss_follows_its_definition(drawn, reduction, weighted, seed):
    z, axis = drawn
    (rows,) = rows_last(z, axis=axis)
    weight = np.ones(rows.shape[:-1])
    rng = np.random.default_rng(seed)
    if weighted:
        weight = np.where(rng.random(weight.shape) < 0.2, 0, rng.gamma(1, 1, weight.shape)).astype(z.dtype).astype(np.float64)
    loss, grad = losskit.router_z_loss(
        z, reduction=reduction, sample_weight=weight if weighted else None, grad=True, axis=axis
    )
    losses, gradients = reference_router_z(rows)
    total = weight.sum() if reduction == "mean" else 1
    with np.errstate(all="ignore"):
        expected = losses * weight
        if reduction != "none":
            expected = np.float64(0) if total == 0 or rows.size == 0 else expected.sum() / total
        factor = 0 if total == 0 else weight / total
        gradient = np.moveaxis(gradients * np.expand_dims(factor, -1) if total else gradients * 0, -1, axis)
        # What is squared is a difference of the maximum and a logarithm: its rounding is measured by these.
        size = np.abs(np.where(np.isfinite(rows), rows, 0)).max(-1, initial=0) + np.log(rows.shape[-1] + 1)
        lse = np.sqrt(losses)
        tolerance = 3e-6 if z.dtype == np.float32 else 1e-12
        allowed = tolerance * weight * size * (lse + size)
    if reduction != "none":
        allowed = allowed.sum() / (total or 1)
    with np.errstate(over="ignore", invalid="ignore"):
        as_float = expected.astype(z.dtype)
    np.testing.assert_array_equal(np.isfinite(loss), np.isfinite(as_float))
    known = np.isfinite(as_float)
    assert (np.abs(np.asarray(loss, np.float64) - expected)[known] <= np.asarray(allowed)[known] + 1e-30).all()
    rows_of_grad, rows_of_gradient = np.moveaxis(grad, axis, -1), np.moveaxis(gradient, axis, -1)
    np.testing.assert_array_equal(np.isnan(rows_of_grad), np.isnan(rows_of_gradient))
    scale = tolerance * np.expand_dims((factor if total else 0) * (size + 1) * 2 + np.zeros(lse.shape), -1)
    known = ~np.isnan(rows_of_gradient)
    assert (np.abs(rows_of_grad - rows_of_gradient) <= scale + 1e-30)[known].all()


def test_gradients_of_losses(rng):
    z = rng.permutation(40).reshape(8, 5) / 9
    for k in (1, 2, 5):
        assert_gradient(lambda z: losskit.moe_load_balance_loss(z, k=k), z, losskit.moe_load_balance_loss(z, k=k, grad=True)[1])  # noqa: B023
    gates = rng.random((4, 5))
    assert_gradient(losskit.moe_importance_loss, gates, losskit.moe_importance_loss(gates, grad=True)[1])
    weight = rng.random(8)
    for reduction in ("mean", "sum"):
        options = dict(reduction=reduction, sample_weight=weight)
        assert_gradient(lambda z: losskit.router_z_loss(z, **options), z, losskit.router_z_loss(z, **options, grad=True)[1])  # noqa: B023
    theta, bias, theta_true, bias_true = (rng.normal(0, 1, s) for s in ((7, 6), (7,), (3, 6), (3,)))
    for k in (1, 2, 3):
        options = dict(blocks=(1, 3, 2), k=k)
        _, (with_theta, with_bias) = losskit.voronoi_moe_loss(theta, bias, theta_true, bias_true, **options, grad=True)
        assert_gradient(lambda t: losskit.voronoi_moe_loss(t, bias, theta_true, bias_true, **options), theta, with_theta, step=1e-4)  # noqa: B023
        assert_gradient(lambda b: losskit.voronoi_moe_loss(theta, b, theta_true, bias_true, **options), bias, with_bias, step=1e-4)  # noqa: B023


def test_special_values_of_losses(dtype):
    nan = np.array([[0, NAN]], dtype)
    assert np.isnan(losskit.moe_importance_loss(nan)) and np.isnan(losskit.router_z_loss(nan))
    for kind, z in special_rows(dtype):
        z = np.concatenate([z, z * 0 if kind == "far" else np.zeros_like(z)])
        value, grad = losskit.router_z_loss(z, reduction="none", grad=True)
        balance, slope = losskit.moe_load_balance_loss(z, k=2, grad=True)
        if "inf" in kind or kind == "all masked":
            assert value[0] == INF and np.isnan(grad[0]).all() and np.isfinite(grad[1]).all()
            assert np.isnan(balance) and np.isnan(slope[0]).all() and np.isfinite(slope[1]).all()
        else:
            assert (grad[z == -INF] == 0).all() and np.isfinite(value).all()
            assert_close(balance, reference_load_balance(z.astype(np.float64), 2)[0])
    empty = np.zeros((0, 4), dtype)
    for function in (losskit.moe_load_balance_loss, losskit.moe_importance_loss, losskit.router_z_loss):
        value, grad = function(empty, grad=True)
        assert value == 0 and grad.shape == (0, 4) and value.dtype == grad.dtype == dtype
    one = np.array([[3], [-2]], dtype)
    assert losskit.moe_importance_loss(one) == 0 and losskit.moe_load_balance_loss(one) == 1
    assert (losskit.moe_importance_loss(one, grad=True)[1] == 0).all()


@given(st.lists(st.integers(0, 4), max_size=1), st.integers(0, 40), st.integers(1, 40), st.booleans(), st.integers(0, 2**32 - 1))
def test_soft_moe_weights_follow_their_definition(groups, tokens, slots, single, seed):
    rng = np.random.default_rng(seed)
    z, g, h = (rng.normal(0, 3, (*groups, tokens, slots)).astype(np.float32 if single else np.float64) for _ in range(3))
    dispatch, combine = losskit.soft_moe_weights(z)
    tolerance = 3e-6 if single else 1e-12
    if z.size:
        assert_close(dispatch, reference_softmax(z.astype(np.float64), -2), axis=-2, tolerance=tolerance)
        assert_close(combine, reference_softmax(z.astype(np.float64), -1), axis=-1, tolerance=tolerance)
    actual = losskit.soft_moe_weights_vjp(dispatch, combine, g, h)
    assert actual.shape == z.shape
    if z.size:
        d, c, g, h = (a.astype(np.float64) for a in (dispatch, combine, g, h))
        expected = reference_softmax_vjp(d, g, -2) + reference_softmax_vjp(c, h, -1)
        np.testing.assert_allclose(actual, expected, rtol=0, atol=tolerance * max(np.abs(d * g).max(), np.abs(c * h).max()))


def test_soft_moe_gradient(rng):
    z, g, h = (rng.normal(0, 1, (5, 3)) for _ in range(3))
    value = lambda z: sum((w * g).sum() for w, g in zip(losskit.soft_moe_weights(z), (g, h)))  # noqa: E731
    assert_gradient(value, z, losskit.soft_moe_weights_vjp(*losskit.soft_moe_weights(z), g, h))


@given(st.integers(0, 9), st.integers(1, 5), st.integers(1, 9), st.booleans(), st.integers(0, 2**32 - 1))
def test_voronoi_loss_follows_its_definition(experts, true_experts, parameters, single, seed):
    rng = np.random.default_rng(seed)
    real = np.float32 if single else np.float64
    shapes = ((experts, parameters), (experts,), (true_experts, parameters), (true_experts,))
    arrays = [rng.normal(0, 1, shape).astype(real) for shape in shapes]
    arrays[0][rng.random(experts) < 0.3] = arrays[2][0]  # on the spot
    cuts = np.sort(rng.integers(0, parameters + 1, rng.integers(0, 3)))
    blocks = np.diff([0, *cuts, parameters])
    k = int(rng.integers(1, true_experts + 1))
    loss, gradients = losskit.voronoi_moe_loss(*arrays, blocks=blocks, k=k, grad=True)
    value, expected = reference_voronoi(*(a.astype(np.float64) for a in arrays), blocks, k)
    tolerance = 3e-6 if single else 1e-12
    assert_close(loss, value, tolerance=tolerance)
    for actual, gradient in zip(gradients, expected):
        assert_close(actual, gradient, axis=None, tolerance=tolerance)
    if k == true_experts:
        assert losskit.voronoi_moe_loss(*arrays, blocks=blocks) == loss


# --- EnsLoss ---------------------------------------------------------------------------------------------------------


@given(st.data())
def test_ens_loss_follows_its_definition(data):
    n = data.draw(st.one_of(st.sampled_from([0, 1, 2, 15, 16, 17, 41]), st.integers(0, 300)))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    real = data.draw(st.sampled_from([np.float32, np.float64]))
    f = rng.normal(0, data.draw(st.sampled_from([1, 1e4, 1e-3])), n)
    if data.draw(st.booleans()):
        f = np.round(f)  # ties, and 0 of both signs
    y = rng.choice([-1.0, 1.0], n)
    lam = data.draw(st.sampled_from([0, 0, 0.5, -0.6, 1, -1, 2.5, 1e-3]))
    options = dict(lam=lam, tail=data.draw(st.booleans()), shift=data.draw(st.sampled_from([1e-6, 0, 0.5])))
    seed = data.draw(st.integers(0, 2**64 - 1))
    f = f.astype(real)
    noise = rng.normal(0, 1.5, n).astype(real) if data.draw(st.booleans()) else None
    xi = losskit.philox_normal(n=n, seed=seed).astype(real) if noise is None else noise
    weight = rng.random(n).astype(real) if data.draw(st.booleans()) else None
    losses, gradients = reference_ens(f.astype(np.float64), y, xi.astype(np.float64), **options)
    w = np.ones(n) if weight is None else weight.astype(np.float64)
    tolerance = 3e-6 if real == np.float32 else 1e-12
    for reduction in ("none", "sum", "mean"):
        loss, grad = losskit.ens_loss(
            f, y, seed=seed, noise=noise, **options, reduction=reduction, sample_weight=weight, grad=True
        )
        scale = w / (w.sum() if reduction == "mean" and n else 1)
        assert grad.dtype == loss.dtype == real
        assert_close(grad, gradients * scale, axis=None, tolerance=tolerance)
        if reduction == "none":
            assert_close(loss, losses * scale, axis=None, tolerance=tolerance)
        else:
            assert abs(loss - (losses * scale).sum()) <= tolerance * np.abs(losses * scale).sum() + 1e-30


def test_ens_loss_of_special_values(dtype):
    f = np.array([NAN, INF, -INF, 0.5, 2], dtype)
    y = np.array([1, 1, 1, -1, 1], dtype)
    noise = np.array([0.5, -3, NAN, -1, -2], dtype)
    expected = reference_ens(f.astype(np.float64), y.astype(np.float64), noise.astype(np.float64), 0, True, 1e-6)
    actual = losskit.ens_loss(f, y, noise=noise, reduction="none", grad=True)
    for a, e in zip(actual, expected):
        np.testing.assert_array_equal(np.isnan(a), np.isnan(e))
        np.testing.assert_allclose(a, e, rtol=1e-6)
    for lam in (2, -2):  # 1 + λξ is not positive for some
        noise = np.array([-3, 3, 0.1, 0.2, 1], dtype)
        assert np.isfinite(losskit.ens_loss(f[3:].repeat(3)[:5], y, noise=noise, lam=lam))
    assert losskit.ens_loss(np.zeros(0, dtype), [], sample_weight=[]) == 0
    assert losskit.ens_loss(np.zeros(0, dtype), [], reduction="none").shape == (0,)
    assert losskit.ens_loss(f[3:], y[3:], seed=1) != losskit.ens_loss(f[3:], y[3:], seed=2)


# --- Refusals --------------------------------------------------------------------------------------------------------

ROW_SIZES = ("outer", "classes", "inner")


def calls(dtype, outer=3, classes=5, inner=2):
    rng = np.random.default_rng(5)
    shape = (outer, classes, inner)
    array = lambda *s: rng.normal(0, 1, s or shape).astype(dtype)  # noqa: E731
    rows = dict(zip(ROW_SIZES, shape))
    n, k = outer * inner, min(2, classes)
    call = lambda name, outputs, **a: RawCall(name, dtype, outputs, **a)  # noqa: E731
    for name in ("philox_uniform", "philox_normal", "philox_gumbel"):
        yield call(name, ["output"], count=n * classes, seed=1, offset=2, stream=3, output=array(n * classes))
    if classes > 1:
        for per_row in (False, True):
            numbers = np.full(n if per_row else 1, 1, np.int64)
            common = dict(**rows, k=numbers, k_per_row=per_row, alpha=1.0, n_iter=64, z=array())
            yield call("soft_topk", ["p"], **common, p=array())
            yield call("log_soft_topk", ["log_p"], **common, log_p=array())
    unit = rng.random(shape).astype(dtype)
    yield call("soft_topk_vjp", ["grad_z"], p=unit, grad_output=array(), **rows, alpha=1.0, grad_z=array())
    yield call("log_soft_topk_vjp", ["grad_z"], log_p=-unit, grad_output=array(), **rows, alpha=1.0, grad_z=array())
    yield call("gumbel_softmax", ["y"], z=array(), **rows, tau=1.0, hard=True, seed=1, offset=2, y=array())
    yield call("gumbel_softmax_vjp", ["grad_z"], y_soft=unit, grad_output=array(), **rows, tau=1.0, grad_z=array())
    lists = dict(lists=outer, items=classes, tau=1.0, s=array(outer, classes))
    square = (outer, classes, classes)
    lengths = rng.integers(0, classes + 1, outer)
    yield call("neuralsort", ["p"], **lists, hard=False, lengths=lengths, p=array(*square))
    yield call("softsort", ["p"], **lists, power=1.5, p=array(*square))
    pulled = dict(**lists, p=array(*square), grad_output=array(*square), grad_s=array(outer, classes))
    yield call("neuralsort_vjp", ["grad_s"], **pulled, lengths=lengths)
    yield call("softsort_vjp", ["grad_s"], **pulled, power=1.5)
    gating = dict(z=array(), noise_logits=array(), **rows, k=k, seed=1)
    indices = rng.integers(0, classes, (n, k))
    for renormalize in (False, True):
        yield call("topk_gating", ["gates", "indices"], **gating, renormalize=renormalize, gates=array(), indices=indices.copy())
        yield call(
            "topk_gating_vjp", ["grad_z", "grad_noise_logits"], **gating, renormalize=renormalize, gates=unit,
            indices=indices, grad_output=array(), grad_z=array(), grad_noise_logits=array(),
        )  # fmt: skip
    losses = dict(loss=array(1), grad=array())
    yield call("moe_load_balance_loss", ["loss", "grad"], z=array(), **rows, k=k, **losses)
    flat = dict(gates=array(n, classes), rows=n, columns=classes, eps=1e-10, loss=array(1), grad=array(n, classes))
    yield call("moe_importance_loss", ["loss", "grad"], **flat)
    weight = np.ones((outer, inner), dtype)
    yield call("router_z_loss", ["loss", "grad"], z=array(), **rows, reduction="mean", sample_weight=weight, **losses)
    grouped = dict(zip(("groups", "tokens", "slots"), shape))
    yield call("soft_moe_weights", ["dispatch", "combine"], z=array(), **grouped, dispatch=array(), combine=array())
    yield call(
        "soft_moe_weights_vjp", ["grad_z"], **grouped, dispatch=unit, combine=unit, grad_dispatch=array(),
        grad_combine=array(), grad_z=array(),
    )  # fmt: skip
    yield call(
        "voronoi_moe_loss", ["loss", "grad_theta", "grad_bias"], theta=array(outer, classes), bias=array(outer),
        theta_true=array(inner, classes), bias_true=array(inner), block_sizes=np.array([1, classes - 1]), experts=outer,
        true_experts=inner, parameters=classes, blocks=2, k=1, loss=array(1), grad_theta=array(outer, classes),
        grad_bias=array(outer),
    )  # fmt: skip
    yield call(
        "ens_loss", ["loss", "grad"], f=array(n), y=rng.choice([-1, 1], n).astype(dtype), count=n, seed=1, lam=0.5,
        noise=array(n), tail=True, shift=1e-6, reduction="mean", sample_weight=np.ones(n, dtype), loss=array(1), grad=array(n),
    )  # fmt: skip


OPTIONAL = {"lengths", "noise_logits", "sample_weight", "loss", "grad", "grad_theta", "grad_bias", "noise"}
OPTIONAL_OF = {
    "topk_gating": {"indices"},
    "topk_gating_vjp": {"grad_z", "grad_noise_logits"},
    "soft_moe_weights": {"dispatch", "combine"},
}
SIZES = {*ROW_SIZES, "count", "lists", "items", "rows", "columns", "groups", "tokens", "slots", "experts", "true_experts"}
SIZES |= {"parameters", "blocks"}
POSITIVE = {"classes", "items", "columns", "slots", "true_experts", "parameters", "blocks"}
BAD_PARAMETERS = {
    "alpha": (0.0, -1.0, NAN, INF),
    "tau": (0.0, -1.0, NAN, INF),
    "power": (0.5, NAN, INF),
    "eps": (-1.0, NAN, INF),
    "lam": (NAN, INF),
    "shift": (NAN, -INF),
    "n_iter": (0, -1),
}
SORTING = {"soft_topk", "log_soft_topk", "gumbel_softmax", "neuralsort", "softsort", "neuralsort_vjp", "softsort_vjp"}
SORTING |= {"topk_gating", "moe_load_balance_loss"}


def test_interface_refuses(dtype):
    for call in calls(dtype):
        assert call() == "OK", call.name
        arrays = [key for key, value in call.arguments.items() if isinstance(value, np.ndarray)]
        optional = OPTIONAL | OPTIONAL_OF.get(call.name, set())
        for pointer in arrays:
            assert call(**{pointer: None}) == ("OK" if pointer in optional else "NULL_POINTER"), (call.name, pointer)
        for size in SIZES & set(call.arguments):
            for bad in (-1, -(2**63), 2**62, 2**63 - 1, *([0] if size in POSITIVE else [])):
                assert call(**{size: bad}) == "INVALID_SHAPE", (call.name, size, bad)
        for size in {"outer", "inner", "count", "lists", "rows", "groups", "tokens"} & set(call.arguments):
            assert call(**{size: 0}, **dict.fromkeys(arrays)) == "OK", (call.name, size)
        for parameter, values in BAD_PARAMETERS.items():
            for bad in values if parameter in call.arguments else ():
                assert call(**{parameter: bad}) == "INVALID_PARAMETER", (call.name, parameter, bad)
        if "k" in call.arguments:
            most = 5 if "classes" in call.arguments else 2
            if "k_per_row" in call.arguments:
                for bad, place in itertools.product((0, -1, 5, 2**62), (0, -1)):
                    k = call.arguments["k"].copy()
                    k[place] = bad
                    assert call(k=k) == "INVALID_PARAMETER"
            else:
                assert call(k=0) == call(k=most + 1) == "INVALID_PARAMETER"
        if call.name in SORTING:
            for name in {"z", "s", "noise_logits"} & set(call.arguments):
                for place in (0, -1):
                    bad = call.arguments[name].copy()
                    bad.flat[place] = NAN
                    more = dict(lengths=None) if "lengths" in call.arguments else {}
                    assert call(**{name: bad}, **more) == "INVALID_VALUE", (call.name, name)
        if "lengths" in call.arguments:
            assert call(lengths=np.array([0, 6, 1])) == call(lengths=np.array([0, 5, -1])) == "INVALID_VALUE"
        if "sample_weight" in call.arguments:
            for bad in (-1, NAN, INF):
                weight = call.arguments["sample_weight"].copy()
                weight.flat[-1] = bad
                assert call(sample_weight=weight) == "INVALID_VALUE"
        if "block_sizes" in call.arguments:
            for bad in ([2, 2], [6, -1], [3, 3]):
                assert call(block_sizes=np.array(bad)) == "INVALID_SHAPE"
        if call.name == "ens_loss":
            for bad in (0, 2, NAN):
                y = call.arguments["y"].copy()
                y[-1] = bad
                assert call(y=y) == "INVALID_TARGET"
        if call.name == "topk_gating_vjp":
            assert call(indices=call.arguments["indices"] + 5) == "INVALID_TARGET"


def test_wrappers_refuse():
    z = np.zeros((2, 3))
    for bad in (1.5, "a", [1, 2, 3]):
        assert_error("INVALID_SHAPE" if isinstance(bad, list) else "INVALID_PARAMETER", losskit.soft_topk, z, k=bad)
        assert_error("INVALID_SHAPE" if isinstance(bad, list) else "INVALID_VALUE", losskit.neuralsort, z, lengths=bad) if bad != 1.5 else None
    for bad in (0, 4, 1.5):
        assert_error("INVALID_PARAMETER", losskit.topk_gating, z, k=bad)
    assert_error("INVALID_SHAPE", losskit.topk_gating, z, z.T)
    assert_error("INVALID_SHAPE", losskit.topk_gating_vjp, z, None, [1, 2], z, z)
    for function in (losskit.soft_topk_vjp, losskit.log_soft_topk_vjp, losskit.gumbel_softmax_vjp):
        assert_error("INVALID_SHAPE", function, z, z.T)
    assert_error("INVALID_SHAPE", losskit.neuralsort_vjp, z, z, z)
    assert_error("INVALID_SHAPE", losskit.softsort_vjp, z, np.zeros((2, 3, 3)), z)
    assert_error("INVALID_SHAPE", losskit.soft_moe_weights, z[0])
    assert_error("INVALID_SHAPE", losskit.soft_moe_weights_vjp, z, z, z, z.T)
    assert_error("INVALID_SHAPE", losskit.ens_loss, z, z)
    assert_error("INVALID_SHAPE", losskit.ens_loss, z[0], z[0], noise=z[0, :2])
    assert_error("INVALID_SHAPE", losskit.voronoi_moe_loss, z, [0, 0], z, [0], blocks=(3,))
    assert_error("INVALID_SHAPE", losskit.voronoi_moe_loss, z, [0, 0], z, [0, 0], blocks=(1.5, 1.5))
    assert_error("INVALID_PARAMETER", losskit.voronoi_moe_loss, z, [0, 0], z, [0, 0], blocks=(3,), k=3)
    assert_error("INVALID_PARAMETER", losskit.router_z_loss, z, reduction="max")
    assert_error("INVALID_SHAPE", losskit.router_z_loss, z, sample_weight=[1, 2, 3])


# --- Memory ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 5, 1), (17, 3, 1), (5, 17, 2), (3, 33, 1), (2, 70, 3), (1, 7, 19)])
def test_nothing_beyond_the_arrays_is_touched(shape, side, dtype):
    for call in calls(dtype, *shape):
        call.assert_stays_inside(side)


@pytest.mark.parametrize("shape", [(33, 5, 1), (7, 40, 1), (2, 70, 5), (5, 6, 40)])
def test_in_place(shape, dtype):
    """The output may be the input of a map, the incoming gradient of a vector-Jacobian product."""
    places = {"soft_topk": ("z", "p"), "log_soft_topk": ("z", "log_p"), "gumbel_softmax": ("z", "y"), "topk_gating": ("z", "gates")}
    places |= {name: ("grad_output", "grad_z") for name in ("soft_topk_vjp", "log_soft_topk_vjp", "gumbel_softmax_vjp", "topk_gating_vjp")}
    places["soft_moe_weights_vjp"] = ("grad_dispatch", "grad_z")
    for call in calls(dtype, *shape):
        if call.name not in places:
            continue
        assert call() == "OK"
        source, output = places[call.name]
        expected, shared = call.arguments[output].copy(), call.arguments[source].copy()
        assert RawCall(call.name, dtype, [], **{**call.arguments, source: shared, output: shared})() == "OK"
        assert shared.tobytes() == expected.tobytes(), call.name


BITS = """
rng = np.random.default_rng(3)
for name in ("philox_uniform", "philox_normal", "philox_gumbel"):
    results[name] = getattr(losskit, name)(n=100_003, seed=8, offset=2**32 - 9)
for real in (np.float32, np.float64):
    for shape, axis in (((300, 1100), 1), ((9000, 10), 1), ((4, 19, 99), 1), ((70001,), 0)):
        z, g = (rng.normal(0, 9, shape).astype(real) for _ in range(2))
        k = 3
        p, log_p = losskit.soft_topk(z, k=k, axis=axis), losskit.log_soft_topk(z, k=k, alpha=0.3, axis=axis)
        y = losskit.gumbel_softmax(z, seed=3, axis=axis)
        gates, indices = losskit.topk_gating(z, g, k=k, seed=5, axis=axis)
        balance, zloss = (f(z, grad=True, axis=axis) for f in (losskit.moe_load_balance_loss, losskit.router_z_loss))
        vjps = losskit.topk_gating_vjp(z, g, indices, gates, g, renormalize=False, seed=5, axis=axis)
        for name, result in dict(
            p=p, log_p=log_p, y=y, gates=gates, indices=indices, balance=balance[0], balance_grad=balance[1], zloss=zloss[0],
            zloss_grad=zloss[1], p_vjp=losskit.soft_topk_vjp(p, g, axis=axis), vjp=vjps[0], noise_vjp=vjps[1],
            log_p_vjp=losskit.log_soft_topk_vjp(log_p, g, alpha=0.3, axis=axis),
        ).items():
            results[f"{name} {real.__name__} {shape}"] = np.asarray(result)
    s, g = rng.normal(0, 2, (50, 31)).astype(real), rng.normal(0, 2, (50, 31, 31)).astype(real)
    for name, options in (("neuralsort", {}), ("softsort", dict(power=1.5))):
        p = getattr(losskit, name)(s, **options)
        results[f"{name} {real.__name__}"] = p
        results[f"{name}_vjp {real.__name__}"] = getattr(losskit, name + "_vjp")(s, p, g, **options)
    f = rng.normal(0, 2, 90_001).astype(real)
    results[f"ens {real.__name__}"], results[f"ens_grad {real.__name__}"] = losskit.ens_loss(f, np.sign(f), lam=0.4, grad=True)
    gates = rng.random((5000, 33)).astype(real)
    results[f"importance {real.__name__}"], results[f"importance_grad {real.__name__}"] = losskit.moe_importance_loss(gates, grad=True)
    weights = losskit.soft_moe_weights(gates)
    results[f"dispatch {real.__name__}"], results[f"combine {real.__name__}"] = weights
    results[f"moe_vjp {real.__name__}"] = losskit.soft_moe_weights_vjp(*weights, gates, gates)
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS, threads=(1, 3))
