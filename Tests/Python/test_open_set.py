"""Confidence, out-of-distribution and open-set scores: judged by NumPy float64 formulas written from the definitions."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits, logit_arrays

import losskit

INF, NAN = math.inf, math.nan
Z = [[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]]
Y = [0, 1, 0, 2]
X, YX = [[1, 0], [1.2, 0.2], [0, 1], [0.1, 1.4]], [0, 0, 1, 1]
W, B, M = [[1, -0.5], [-0.3, 1]], [0, 0.1], [[1.1, 0.1], [0.05, 1.2]]
PRECISION = [[2, 0.5], [0.5, 1]]
SIMPLEX = [[1, 0], [-0.5, 0.8660254037844386], [-0.5, -0.8660254037844386]]


def examples(dtype):
    """name -> (what the library gives, what it has to give)"""
    a = lambda x: np.array(x, dtype)  # noqa: E731
    return {
        "msp": (losskit.msp_score(a(Z)), [0.665241, 0.8437947, 0.5922011, 0.5465494]),
        "msp, grad": (
            losskit.msp_score(a(Z), grad=True)[1],
            [
                [0.2226954, -0.1628034, -0.05989202],
                [-0.03544787, 0.1318052, -0.09635731],
                [-0.2127116, 0.241499, -0.02878738],
                [-0.0666526, -0.1811806, 0.2478332],
            ],
        ),
        "max_logit": (losskit.max_logit_score(a(Z)), [2, 3, 1.5, 0.5]),
        "max_logit, grad": (losskit.max_logit_score(a(Z), grad=True)[1], [[1, 0, 0], [0, 1, 0], [0, 1, 0], [0, 0, 1]]),
        "margin": (losskit.margin_score(a(Z)), [0.4205125, 0.7295995, 0.233013, 0.2150504]),
        "margin, grad": (
            losskit.margin_score(a(Z), grad=True)[1],
            [
                [0.3854988, -0.3476398, -0.03785898],
                [-0.03065052, 0.2281625, -0.197512],
                [-0.4428836, 0.4542105, -0.01132695],
                [-0.02622575, -0.402788, 0.4290137],
            ],
        ),
        "entropy": (losskit.entropy_score(a(Z)), [0.8323956, 0.5242666, 0.8250302, 0.9528076]),
        "entropy, grad": (
            losskit.entropy_score(a(Z), grad=True)[1],
            [
                [-0.2825875, 0.1407704, 0.1418171],
                [0.111141, -0.2990582, 0.1879173],
                [0.07143493, -0.1783242, 0.1068893],
                [0.1404057, 0.05016343, -0.1905692],
            ],
        ),
        "energy": (losskit.energy_score(a(Z)), [-2.407606, -3.169846, -2.023909, -1.104131]),
        "energy, grad": (
            losskit.energy_score(a(Z), grad=True)[1],
            [
                [-0.665241, -0.2447285, -0.09003057],
                [-0.04201007, -0.8437947, -0.1141952],
                [-0.3591881, -0.5922011, -0.04861082],
                [-0.1219517, -0.331499, -0.5465494],
            ],
        ),
        "joint_energy": (losskit.joint_energy(a(Z), Y), [-2, -3, -1, -0.5]),
        "joint_energy, grad": (
            losskit.joint_energy(a(Z), Y, grad=True)[1],
            [[-1, 0, 0], [0, -1, 0], [-1, 0, 0], [0, 0, -1]],
        ),
        "energy_weight": (losskit.energy_weight(a(Z)), [0.4009926, 0.3114297, 0.4655457, 0.7191989]),
        "energy_weight, grad": (
            losskit.energy_weight(a(Z), grad=True)[1],
            [
                [-0.09813253, -0.03610094, -0.01328079],
                [-0.003910223, -0.07853892, -0.01062909],
                [-0.0687618, -0.113369, -0.009305898],
                [-0.04737453, -0.1287773, -0.2123179],
            ],
        ),
        "generalized_entropy": (losskit.generalized_entropy(a(Z)), [-2.483843, -2.337033, -2.466306, -2.529692]),
        "generalized_entropy, grad": (
            losskit.generalized_entropy(a(Z), grad=True)[1],
            [
                [0.1130961, -0.04674359, -0.06635254],
                [-0.07861893, 0.1731083, -0.09448937],
                [-0.01334153, 0.07979212, -0.06645058],
                [-0.05736109, -0.01207575, 0.06943684],
            ],
        ),
        "mahalanobis": (losskit.mahalanobis_score(a(X), a(M), a(PRECISION)), [-0.04, -0.04, -0.055, -0.055]),
        "mahalanobis, grad": (
            losskit.mahalanobis_score(a(X), a(M), a(PRECISION), grad=True)[1],
            [[0.5, 0.3], [-0.5, -0.3], [0.4, 0.45], [-0.4, -0.45]],
        ),
        "relative_mahalanobis": (
            losskit.relative_mahalanobis_score(a(X), a(M), a(PRECISION), a([0.5, 0.5]), a(np.eye(2))),
            [0.46, 0.54, 0.445, 0.915],
        ),
        "relative_mahalanobis, grad": (
            losskit.relative_mahalanobis_score(a(X), a(M), a(PRECISION), a([0.5, 0.5]), a(np.eye(2)), grad=True)[1],
            [[1.5, -0.7], [0.9, -0.9], [-0.6, 1.45], [-1.2, 1.35]],
        ),
        "knn_ood": (losskit.knn_ood_score(a(X), a(M), k=1), [-0.09062884, -0.07447157, -0.04163957, -0.0296638]),
        "costarr": (
            losskit.costarr_score(a(X), a(W), a(B), a([[1, 0.2, 1, -0.1], [0.2, 1, -0.1, 1]])),
            [0.7682047, 0.8211193, 0.8162175, 0.9972307],
        ),
        "costarr_fit": (losskit.costarr_fit(a(X), YX, a(W), a(B))[0], [[1.1, 0.1, 1.1, -0.05], [0.05, 1.2, -0.015, 1.2]]),
        "pec": (losskit.pec_score(a([[[1, 2], [0, 1]]]), a([[1, 1]])), [[-0.5, -0.5]]),
        "pec, grad": (losskit.pec_score(a([[[1, 2], [0, 1]]]), a([[1, 1]]), grad=True)[1], [[[0, -1], [1, 0]]]),
        "loki": (losskit.loki_scores(a([[0.6, 0.4]]), a([[0, 1, 2], [2, 1, 0]])), [[-1.6, -1, -2.4]]),
        "loki, grad": (losskit.loki_scores(a([[0.6, 0.4]]), a([[0, 1, 2], [2, 1, 0]]), grad=True)[1], [[-5, -5]]),
        "simplex": (losskit.simplex_open_set_score(a(X), a(SIMPLEX)), [-1e-12, -0.2828427, -0.5176381, -0.8031991]),
        "simplex, grad": (
            losskit.simplex_open_set_score(a(X), a(SIMPLEX), grad=True)[1],
            [[0, 0], [-0.7071068, -0.7071068], [-0.9659258, -0.2588191], [-0.7470127, -0.6648097]],
        ),
        "sdm_distance_quantile": (losskit.sdm_distance_quantile(a([0.2, 0.9]), a([0.1, 0.3, 0.5, 0.2]), [0, 0, 1, 1]), [0.5, 0]),
        "sdm_rescaled_similarity": (losskit.sdm_rescaled_similarity([0, 10], a([0.5, 0.9])), [0.3465736, 2.236416]),
        "sdm_class_thresholds": (
            losskit.sdm_class_thresholds(
                a([0.5, 0.9, 0.95, 0.7, 0.8, 0.9]), [0, 0, 1, 0, 1, 1], a([1, 2, 3, 1, 2, 3]), num_classes=2, alpha=0.6
            )[0],
            [0.7, 0.9],
        ),
    }


@pytest.mark.parametrize("name", examples(np.float64))
def test_worked_example(name, dtype):
    result, expected = examples(dtype)[name]
    assert result.dtype == dtype
    assert_close(result, np.array(expected, np.float64), tolerance=3e-6 if dtype == np.float32 else 6e-7)


def test_worked_examples_of_integers_and_float64():
    assert losskit.loki_predict([[0.6, 0.4]], [[0, 1, 2], [2, 1, 0]]).tolist() == [1]
    assert losskit.sdm_similarity([0, 1, 1], [0, 1, 0], [[0, 1, 2], [1, 0, 2]], [0, 1]).tolist() == [1, 1]
    assert_close(losskit.sdm_dkw_error([0, 10, 1000]), np.array([1, 0.4294694, 0.04294694]), tolerance=1e-7)
    assert losskit.sdm_dkw_error(0) == 1
    assert_close(losskit.simplex_vertices(3), np.array(SIMPLEX))
    means, low, high = losskit.costarr_fit(X, YX, W, B)
    assert (low, round(high, 12)) == (-0.6, 1.47)
    means, precision = losskit.mahalanobis_fit(X, YX, num_classes=2)
    assert_close(means, np.array(M))
    assert_close(precision, np.array([[4000, -1600], [-1600, 1000]]) / 9, tolerance=1e-10)


# --- Scores of logits ------------------------------------------------------------------------------------------------


def log_softmax(z):
    m = z.max()
    return z - m - np.log1p(np.exp(np.delete(z, z.argmax()) - m).sum())


def softmax(z):
    return np.exp(log_softmax(z))


def one_hot(n, k):
    return (np.arange(n) == k).astype(float)


def msp(z):
    p, m = softmax(z), z.argmax()
    rest = np.delete(p, m).sum()
    gradient = -p[m] * p
    gradient[m] = p[m] * rest
    return p[m], gradient


def max_logit(z):
    return z.max(), one_hot(z.size, z.argmax())


def margin(z):
    p, first = softmax(z), z.argmax()
    if z.size == 1:
        return p[0], np.zeros(1)
    others = np.where(np.arange(z.size) == first, -np.inf, z)
    second = int(np.flatnonzero((others == others.max()) & (np.arange(z.size) != first))[0])
    value = -p[first] * np.expm1(z[second] - z[first])
    gradient = -p * value
    gradient[first] = p[first] * (np.delete(p, first).sum() + p[second])
    gradient[second] = -p[second] * (1 + value)
    return value, gradient


def entropy(z, normalize=False):
    logp = log_softmax(z)
    p = np.exp(logp)
    finite = np.where(p > 0, logp, 0)
    value = -(p * finite).sum()
    distance = np.where(p > 0, z.max() - z, 0)
    divisor = np.log(z.size) if normalize and z.size > 1 else 1
    return value / divisor, p * (distance - (p * distance).sum()) / divisor


def logsumexp(z):
    return z.max() + np.log1p(np.exp(np.delete(z, z.argmax()) - z.max()).sum())


def energy(z, temperature=1.0):
    return -temperature * logsumexp(z / temperature), -softmax(z / temperature)


def weight(z):
    e = -logsumexp(z)
    softplus = abs(e) + np.log1p(np.exp(-abs(e)))
    return 1 / softplus, np.sign(e) / (1 + np.exp(-abs(e))) / softplus**2 * softmax(z)


def generalized(z, gamma=0.1, m=100):
    if z.size == 1:
        return 0.0, np.zeros(1)
    z = z - z.max()
    logp, first = log_softmax(z), z.argmax()
    others = np.delete(z, first)
    p, log_rest = np.exp(logp), np.log1p(-np.minimum(np.exp(logp), 0.6))
    if np.isfinite(others.max()):
        log_rest[first] = others.max() + np.log(np.exp(others - others.max()).sum()) - logsumexp(z)
    else:
        log_rest[first] = -np.inf
    kept = np.zeros(z.size, bool)
    kept[np.argsort(-z, kind="stable")[:m]] = True
    q = np.where(kept, np.exp(gamma * (logp + log_rest)), 0)
    rest = np.exp(log_rest)
    # s (1 − p), which is finite where 1 − p vanishes; s of the first times p_j by way of p_j / (1 − p_1).
    t = -gamma * q * (rest - p)
    s = np.where(np.arange(z.size) == first, 0, t / np.where(rest > 0, rest, 1))
    ratio = np.exp(logp - log_rest[first]) if np.isfinite(log_rest[first]) else np.zeros(z.size)
    gradient = s - p * s.sum() - ratio * t[first]
    gradient[first] = t[first] - p[first] * s.sum()
    return -q.sum(), gradient


SCORES = {
    "msp_score": (msp, {}),
    "max_logit_score": (max_logit, {}),
    "margin_score": (margin, {}),
    "entropy_score": (entropy, {}),
    "entropy_score, normalized": (entropy, dict(normalize=True)),
    "energy_score": (energy, {}),
    "energy_score, 0.5": (energy, dict(temperature=0.5)),
    "energy_score, 30": (energy, dict(temperature=30.0)),
    "energy_weight": (weight, {}),
    "generalized_entropy": (generalized, {}),
    "generalized_entropy, 3": (generalized, dict(gamma=0.5, m=3)),
    "generalized_entropy, 20": (generalized, dict(gamma=1.5, m=20)),
}
# Where a row has no probabilities: (all masked, some +inf)
SPECIAL = {"energy_score": (INF, -INF), "energy_weight": (0, 0), "max_logit_score": (-INF, INF)}


def score(name, z, **parameters):
    return getattr(losskit, name.split(",")[0])(z, **SCORES[name][1], **parameters)


@given(logit_arrays(), st.sampled_from(sorted(SCORES)))
def test_score_follows_its_definition(drawn, name):
    z, axis = drawn
    value, grad = score(name, z, grad=True, axis=axis)
    np.testing.assert_array_equal(value, score(name, z, axis=axis))
    assert value.dtype == grad.dtype == z.dtype and grad.shape == z.shape
    rows, gradients = (np.moveaxis(array, axis, -1) for array in (z.astype(np.float64), grad))
    assert value.shape == rows.shape[:-1]
    function, parameters = SCORES[name]
    for index in np.ndindex(rows.shape[:-1]):
        row, mine, slope = rows[index], np.asarray(value[index]), gradients[index]
        if np.isnan(row).any():
            assert np.isnan(mine) or (row.max() == INF or INF in row), (row, mine)
            continue
        if not np.isfinite(row.max()):
            masked, infinite = SPECIAL.get(name.split(",")[0], (NAN, NAN))
            np.testing.assert_array_equal(mine, masked if row.max() < 0 else infinite)
            continue
        with np.errstate(all="ignore"):
            expected, gradient = function(row, **parameters)
        # Differences of logits are rounded once, and the exponential of one that is large makes that larger: it shows where
        # little else is left, in the entropy of certain rows, and in powers.
        loose = 3 if name.startswith(("generalized", "entropy")) else 1
        tolerance = loose * (3e-6 if z.dtype == np.float32 else 1e-12)
        # An energy near 0 is the difference of the largest logit and a logarithm.
        scale = max(abs(expected), abs(row.max()) if name.startswith("energy_score") else 0)
        assert abs(mine - expected) <= tolerance * scale + np.finfo(z.dtype).tiny, (mine, expected)
        # The formula above subtracts numbers near 1.
        allowed = tolerance * np.abs(gradient).max() + 1e-15 + np.finfo(z.dtype).tiny
        assert (np.abs(slope - gradient) <= allowed).all(), (slope, gradient)
        assert (slope[row == -INF] == 0).all() or name.startswith("max_logit")


@pytest.mark.parametrize("name", SCORES)
@pytest.mark.parametrize("shape, axis", [((3, 5), -1), ((2, 40), -1), ((2, 7, 3), 1), ((1, 1), -1), ((1, 2), -1)])
def test_gradient_by_finite_differences(name, shape, axis, rng):
    z = rng.normal(0, 2, shape)
    assert_gradient(lambda z: score(name, z, axis=axis).sum(), z, score(name, z, grad=True, axis=axis)[1], step=1e-4)


@pytest.mark.parametrize("name", SCORES)
def test_long_rows(name, dtype, rng):
    z = (rng.normal(0, 2, (2, 50_003)) + 3).astype(dtype)
    z[1, 30_000:] = z[1].max()  # many ties
    value, grad = score(name, z, grad=True)
    for i in range(2):
        expected, gradient = SCORES[name][0](z[i].astype(np.float64), **SCORES[name][1])
        tolerance = None if dtype == np.float32 else 1e-11
        assert_close(value[i], np.float64(expected), tolerance=tolerance)
        assert_close(grad[i], gradient, tolerance=tolerance)


def test_certain_rows_keep_their_digits(dtype):
    """What is left beside a probability of nearly 1 is not lost."""
    z = np.array([[30, 0, -1], [60, 0, 0.5], [0, -25, -26]], dtype)
    for name in SCORES:
        value, grad = score(name, z, grad=True)
        for i in range(len(z)):
            expected, gradient = SCORES[name][0](z[i].astype(np.float64), **SCORES[name][1])
            loose = 3e-6 if dtype == np.float32 else 1e-12
            # Exponents of large differences are rounded.
            np.testing.assert_allclose(value[i], expected, rtol=4 * loose, err_msg=name)
            assert_close(grad[i], gradient, tolerance=4 * loose)


def test_single_rows_and_ties(dtype):
    z = np.array([1, 3, 3, 2], dtype)
    assert losskit.max_logit_score(z, grad=True)[1].tolist() == [0, 1, 0, 0]
    value, grad = losskit.margin_score(z, grad=True)
    assert value == 0 and np.ndim(value) == 0
    assert_close(grad, margin(z.astype(np.float64))[1])
    assert losskit.generalized_entropy(z[:1]) == 0
    assert losskit.msp_score(np.zeros((0, 3), dtype)).shape == (0,)


def test_joint_energy(dtype, rng):
    z = rng.normal(0, 1, (3, 4, 5)).astype(dtype)
    y = rng.integers(0, 4, (3, 5))
    value, grad = losskit.joint_energy(z, y, grad=True, axis=1)
    np.testing.assert_array_equal(value, -np.take_along_axis(z, y[:, None], 1)[:, 0])
    expected = np.zeros(z.shape)
    np.put_along_axis(expected, y[:, None], -1, 1)
    np.testing.assert_array_equal(grad, expected)
    # Cross-entropy is the joint energy less the free energy.
    losses = losskit.cross_entropy(z, y, reduction="none", axis=1)
    np.testing.assert_allclose(losses, value - losskit.energy_score(z, axis=1), rtol=1e-4 if dtype == np.float32 else 1e-10)
    assert_error("INVALID_TARGET", losskit.joint_energy, z, np.full((3, 5), 4), axis=1)
    assert_error("INVALID_SHAPE", losskit.joint_energy, z, y)


def test_raw_calls_of_row_scores(dtype):
    z, score, grad = np.zeros((2, 3), dtype), np.zeros(2, dtype), np.zeros((2, 3), dtype)
    sizes = dict(logits=z, outer=2, classes=3, inner=1, grad=grad)
    calls = {
        "msp_score": dict(score=score),
        "max_logit_score": dict(score=score),
        "margin_score": dict(score=score),
        "entropy_score": dict(score=score, normalize=False),
        "energy_score": dict(score=score, temperature=1.0),
        "energy_weight": dict(weight=score),
        "generalized_entropy": dict(score=score, gamma=0.1, m=2),
    }
    for name, arguments in calls.items():
        output = "weight" if name == "energy_weight" else "score"
        call = RawCall(name, dtype, [output, "grad"], **sizes, **arguments)
        assert call() == "OK"
        assert call(grad=None) == "OK"
        for changes, status in [
            (dict(logits=None), "NULL_POINTER"),
            ({output: None}, "NULL_POINTER"),
            (dict(outer=-1), "INVALID_SHAPE"),
            (dict(classes=0), "INVALID_SHAPE"),
            (dict(outer=2**62), "INVALID_SHAPE"),
        ]:
            assert call(**changes) == status, (name, changes)
        for side in ("start", "end"):
            call.inside_guards(side)
    call = RawCall("energy_score", dtype, ["score", "grad"], **sizes, **calls["energy_score"])
    for temperature in (0, -1, NAN, INF):
        assert call(temperature=temperature) == "INVALID_PARAMETER"
    call = RawCall("generalized_entropy", dtype, ["score", "grad"], **sizes, **calls["generalized_entropy"])
    for changes in (dict(gamma=0), dict(gamma=NAN), dict(m=0)):
        assert call(**changes) == "INVALID_PARAMETER"


# --- Scores of features ----------------------------------------------------------------------------------------------

SHAPES = st.tuples(st.integers(0, 40), st.integers(1, 40), st.integers(1, 20), st.integers(0, 2**32 - 1))
DTYPES = st.sampled_from([np.float32, np.float64])


def tolerance_of(dtype, loose=1):
    return loose * (3e-6 if dtype == np.float32 else 1e-12)


def spd(rng, d, dtype):
    a = rng.normal(0, 1, (d, d))
    return (a @ a.T / d + 0.1 * np.eye(d)).astype(dtype)


@given(SHAPES, DTYPES)
def test_mahalanobis_scores(drawn, dtype):
    n, d, c, seed = drawn
    rng = np.random.default_rng(seed)
    x, means = rng.normal(3, 2, (n, d)).astype(dtype), rng.normal(3, 2, (c, d)).astype(dtype)
    precision, precision0, mean0 = spd(rng, d, dtype), spd(rng, d, dtype), rng.normal(0, 1, d).astype(dtype)
    precision = (precision + precision.T) / 2
    xs, ms, ps, p0, m0 = (array.astype(np.float64) for array in (x, means, precision, precision0, mean0))
    differences = xs[:, None] - ms
    distances = np.einsum("ncd,de,nce->nc", differences, ps, differences)
    score, grad = losskit.mahalanobis_score(x, means, precision, scale=0.5, grad=True)
    best = distances.argmin(1)
    slopes = differences[np.arange(n), best] @ ps
    assert_close(score, -0.5 * distances.min(1), axis=None, tolerance=tolerance_of(dtype))
    assert_close(grad, -slopes, tolerance=tolerance_of(dtype))
    np.testing.assert_array_equal(score, losskit.mahalanobis_score(x, means, precision, scale=0.5))
    score, grad = losskit.relative_mahalanobis_score(x, means, precision, mean0, precision0, grad=True)
    background = np.einsum("nd,de,ne->n", xs - m0, p0, xs - m0)
    np.testing.assert_array_equal(score, losskit.relative_mahalanobis_score(x, means, precision, mean0, precision0))
    assert_close(score, background - distances.min(1), axis=None, tolerance=tolerance_of(dtype, 3))
    assert_close(grad, 2 * (xs - m0) @ (p0 + p0.T) / 2 - 2 * slopes, tolerance=tolerance_of(dtype, 10))


def test_mahalanobis_gradients_and_special_values(rng):
    x, means, p, p0 = rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (5, 3)), spd(rng, 3, float), spd(rng, 3, float)
    m0 = rng.normal(0, 1, 3)
    f = lambda x: losskit.mahalanobis_score(x, means, p).sum()  # noqa: E731
    assert_gradient(f, x, losskit.mahalanobis_score(x, means, p, grad=True)[1])
    f = lambda x: losskit.relative_mahalanobis_score(x, means, p, m0, p0).sum()  # noqa: E731
    assert_gradient(f, x, losskit.relative_mahalanobis_score(x, means, p, m0, p0, grad=True)[1])
    x[1, 2] = NAN
    score, grad = losskit.mahalanobis_score(x, means, p, grad=True)
    assert np.isnan(score).tolist() == [False, True, False, False] and np.isnan(grad[1]).all()
    # Equally near: the first.
    score, grad = losskit.mahalanobis_score([[0.0]], [[1.0], [-1.0], [1.0]], [[1.0]], grad=True)
    assert score == [-1] and grad.tolist() == [[2]]
    assert_error("INVALID_PARAMETER", losskit.mahalanobis_score, x, means, p, scale=INF)
    assert_error("INVALID_SHAPE", losskit.mahalanobis_score, x, means[:0], p)
    assert_error("INVALID_SHAPE", losskit.mahalanobis_score, x, means, p[:2])


def fitted(x, y, classes):
    means = np.array([x[y == c].mean(0) if (y == c).any() else np.zeros(x.shape[1]) for c in range(classes)])
    deviations = x - means[y]
    values, vectors = np.linalg.eigh(deviations.T @ deviations / len(x))
    keep = values > x.shape[1] * 2.2e-16 * np.abs(values).max()
    return means, vectors[:, keep] / values[keep] @ vectors[:, keep].T


@pytest.mark.parametrize("n, d, c", [(1, 1, 1), (300, 1, 3), (300, 7, 3), (200, 17, 5), (500, 64, 10), (400, 130, 4)])
def test_mahalanobis_fit(n, d, c, dtype, rng):
    y = rng.integers(0, c, n)
    x = (rng.normal(0, 1, (n, d)) @ np.diag(rng.uniform(0.5, 2, d)) + rng.normal(0, 3, (c, d))[y]).astype(dtype)
    means, precision = losskit.mahalanobis_fit(x, y, num_classes=c + 1)
    expected_means, expected = fitted(x.astype(np.float64), y, c + 1)
    assert means.dtype == precision.dtype == dtype
    assert_close(means, expected_means, axis=None)
    assert_close(precision, expected, axis=None, tolerance=3e-6 if dtype == np.float32 else 1e-10)


def test_mahalanobis_fit_of_degenerate_samples(rng):
    # Fewer samples than dimensions: the pseudo-inverse, and no part of it outside their span.
    x, y = rng.normal(0, 1, (6, 20)), np.array([0, 0, 0, 1, 1, 1])
    _, precision = losskit.mahalanobis_fit(x, y, num_classes=2)
    deviations = x - np.array([x[:3].mean(0), x[3:].mean(0)])[y]
    np.testing.assert_allclose(precision, np.linalg.pinv(deviations.T @ deviations / 6, hermitian=True, rcond=1e-13), atol=1e-9)
    # No spread at all, huge and tiny numbers.
    assert (losskit.mahalanobis_fit([[1.0, 2.0]] * 3, [0, 0, 0], num_classes=1)[1] == 0).all()
    for scale in (1e-120, 1e120):
        _, scaled = losskit.mahalanobis_fit(np.array(X[:3]) * scale, YX[:3], num_classes=2)
        _, plain = losskit.mahalanobis_fit(X[:3], YX[:3], num_classes=2)
        np.testing.assert_allclose(scaled * scale**2, plain, rtol=1e-9)
    assert_error("INVALID_SHAPE", losskit.mahalanobis_fit, np.zeros((0, 2)), [], num_classes=2)
    assert_error("INVALID_TARGET", losskit.mahalanobis_fit, X, [0, 0, 1, 2], num_classes=2)
    assert_error("INVALID_VALUE", losskit.mahalanobis_fit, [[NAN, 1]], [0], num_classes=1)
    assert_error("INVALID_SHAPE", losskit.mahalanobis_fit, X, YX, num_classes=0)


@given(SHAPES, DTYPES, st.integers(1, 30))
def test_knn_score(drawn, dtype, k):
    n, d, m, seed = drawn
    rng = np.random.default_rng(seed)
    x, bank = rng.normal(0, 1, (n, d)).astype(dtype), rng.normal(0, 1, (m, d)).astype(dtype)
    bank[rng.random(m) < 0.1] = 0
    if n:
        x[0] = bank[0]
    unit = lambda a: a / np.maximum(np.linalg.norm(a, axis=1, keepdims=True), 1e-12)  # noqa: E731
    distances = np.linalg.norm(unit(x.astype(float))[:, None] - unit(bank.astype(float)), axis=2)
    expected = -np.sort(distances, axis=1)[:, min(k, m) - 1]
    np.testing.assert_allclose(losskit.knn_ood_score(x, bank, k=k), expected, rtol=tolerance_of(dtype), atol=1e-15)


def test_knn_refusals():
    assert_error("INVALID_PARAMETER", losskit.knn_ood_score, X, M, k=0)
    assert_error("INVALID_SHAPE", losskit.knn_ood_score, X, np.zeros((0, 2)))
    assert_error("INVALID_VALUE", losskit.knn_ood_score, X, [[NAN, 1]])
    assert_error("INVALID_VALUE", losskit.knn_ood_score, [[INF, 1]], M)


@given(SHAPES, DTYPES)
def test_costarr(drawn, dtype):
    n, d, c, seed = drawn
    rng = np.random.default_rng(seed)
    x, w, b = (rng.normal(0, 1, shape).astype(dtype) for shape in ((n + 1, d), (c, d), (c,)))
    y = rng.integers(0, c, n + 1)
    means, low, high = losskit.costarr_fit(x, y, w, b)
    xs, ws, bs = (array.astype(np.float64) for array in (x, w, b))
    z = xs @ ws.T + bs
    right = z.argmax(1) == y
    expected = np.zeros((c, 2 * d))
    for k in range(c):
        members = (y == k) & right if ((y == k) & right).any() else y == k
        if members.any():
            expected[k] = np.concatenate([xs, xs * ws[k]], 1)[members].mean(0)
    assert_close(means, expected, axis=None)
    assert_close([low, high] + np.zeros(2, dtype), np.array([z.min(), z.max()]), tolerance=tolerance_of(dtype, 3))
    best = z.argmax(1)
    v, m = np.concatenate([xs, xs * ws[best]], 1), means.astype(np.float64)[best]
    norms = np.linalg.norm(v, axis=1) * np.linalg.norm(m, axis=1)
    cosine = np.where(norms > 0, (v * m).sum(1) / np.where(norms > 0, norms, 1), 0)
    for lo, hi in ((None, None), (-1.0, 2.0), (1.0, 1.0)):
        bottom, top = z.min() if lo is None else lo, z.max() if hi is None else hi
        share = np.clip((z.max(1) - bottom) / (top - bottom), 0, 1) if top > bottom else 1
        score = losskit.costarr_score(x, w, b, means, logit_min=lo, logit_max=hi)
        assert score.dtype == dtype
        np.testing.assert_allclose(score, (1 + cosine) / 2 * share, rtol=0, atol=tolerance_of(dtype))


def test_costarr_edges():
    assert losskit.costarr_score(np.zeros((0, 2)), W, B, np.zeros((2, 4))).shape == (0,)
    assert losskit.costarr_score([[0.0, 0.0]], W, B, np.zeros((2, 4))).tolist() == [0.5]
    assert_error("INVALID_PARAMETER", losskit.costarr_score, X, W, B, np.zeros((2, 4)), logit_min=NAN)
    assert_error("INVALID_PARAMETER", losskit.costarr_score, X, W, B, np.zeros((2, 4)), logit_max=INF)
    assert_error("INVALID_SHAPE", losskit.costarr_score, X, W, B, np.zeros((2, 2)))
    assert_error("INVALID_VALUE", losskit.costarr_score, [[NAN, 1]], W, B, np.zeros((2, 4)))
    assert_error("INVALID_TARGET", losskit.costarr_fit, X, [0, 1, 2, 0], W, B)
    assert_error("INVALID_SHAPE", losskit.costarr_fit, np.zeros((0, 2)), [], W, B)


@given(SHAPES, DTYPES)
def test_pec(drawn, dtype):
    n, d, c, seed = drawn
    rng = np.random.default_rng(seed)
    s, t = rng.normal(0, 1, (n, c, d)).astype(dtype), rng.normal(0, 1, (n, d)).astype(dtype)
    score, grad = losskit.pec_score(s, t, grad=True)
    error = s.astype(np.float64) - t.astype(np.float64)[:, None]
    assert_close(score, -(error**2).mean(2))
    assert_close(grad, -2 * error / d)
    if n:
        s[0, 0, 0] = NAN
        score = losskit.pec_score(s, t)
        assert np.isnan(score[0, 0]) and not np.isnan(np.delete(score.ravel(), 0)).any()
    assert_error("INVALID_SHAPE", losskit.pec_score, s[..., :0], t[:, :0])


@given(SHAPES, DTYPES, st.sampled_from([0.5, 1, 2, 3.3]))
def test_loki(drawn, dtype, power):
    n, k, labels, seed = drawn
    rng = np.random.default_rng(seed)
    p = rng.dirichlet(np.ones(k), n).astype(dtype)
    distance = rng.choice([0, 0.5, 1, 2, 7.25], (k, labels)).astype(dtype)
    scores, grad = losskit.loki_scores(p, distance, power=power, grad=True)
    powers = distance.astype(np.float64) ** power
    expected = -p.astype(np.float64) @ powers
    assert_close(scores, expected)
    assert_close(grad, np.broadcast_to(-powers.sum(1), (n, k)))
    prediction = losskit.loki_predict(p, distance, power=power)
    assert prediction.dtype == np.int64
    chosen = np.take_along_axis(expected, prediction[:, None], 1)[:, 0]
    np.testing.assert_allclose(chosen, expected.max(1, initial=-INF), rtol=1e-12)


def test_loki_edges():
    d = [[0, 1], [1, 0]]
    assert losskit.loki_predict([[0.5, 0.5]], d).tolist() == [0]
    assert np.isnan(losskit.loki_scores([[NAN, 0.5], [1, 0]], d)).tolist() == [[True, True], [False, False]]
    assert_error("INVALID_VALUE", losskit.loki_predict, [[NAN, 0.5]], d)
    assert_error("INVALID_VALUE", losskit.loki_scores, [[1.5, 0.5]], d)
    assert_error("INVALID_VALUE", losskit.loki_scores, [[1, 0]], [[0, -1], [1, 0]])
    assert_error("INVALID_PARAMETER", losskit.loki_scores, [[1, 0]], d, power=0)
    assert_error("INVALID_SHAPE", losskit.loki_scores, [[1, 0, 0]], d)
    p = np.array([[0.3, 0.7]])
    distance = [[0, 1.5, 2], [2, 1, 0.3]]
    f = lambda p: losskit.loki_scores(p, distance).sum()  # noqa: E731
    assert_gradient(f, p, losskit.loki_scores(p, distance, grad=True)[1])


@pytest.mark.parametrize("classes", [2, 3, 4, 17, 100])
def test_simplex_vertices(classes):
    v = losskit.simplex_vertices(classes, radius=2.5)
    gram = np.where(np.eye(classes) == 1, 1, -1 / (classes - 1)) * 2.5**2
    np.testing.assert_allclose(v @ v.T, gram, atol=1e-12)
    assert (np.triu(v, 1) == 0).all() and (np.diag(v) > 0).all()


def test_simplex_refusals():
    assert_error("INVALID_SHAPE", losskit.simplex_vertices, 1)
    assert_error("INVALID_SHAPE", losskit.simplex_vertices, -3)
    for radius in (0, -1, NAN, INF):
        assert_error("INVALID_PARAMETER", losskit.simplex_vertices, 3, radius=radius)
    assert_error("INVALID_SHAPE", losskit.simplex_open_set_score, X, np.zeros((0, 2)))


@given(SHAPES, DTYPES)
def test_simplex_score(drawn, dtype):
    n, d, c, seed = drawn
    rng = np.random.default_rng(seed)
    x, v = rng.normal(0, 1, (n, d)).astype(dtype), rng.normal(0, 1, (c, d)).astype(dtype)
    score, grad = losskit.simplex_open_set_score(x, v, grad=True)
    difference = x.astype(np.float64)[:, None] - v
    distance = np.linalg.norm(difference, axis=2)
    best = distance.argmin(1)
    assert_close(score, -distance.min(1))
    assert_close(grad, -difference[np.arange(n), best] / distance.min(1)[:, None])


def test_simplex_gradient(rng):
    x, v = rng.normal(0, 1, (4, 3)), rng.normal(0, 1, (5, 3))
    f = lambda x: losskit.simplex_open_set_score(x, v).sum()  # noqa: E731
    assert_gradient(f, x, losskit.simplex_open_set_score(x, v, grad=True)[1])
    score, grad = losskit.simplex_open_set_score([[NAN, 0.0], [1.0, 0.0]], SIMPLEX, grad=True)
    assert np.isnan(score[0]) and np.isnan(grad[0]).all() and score[1] == -1e-12


# --- Similarity, distance, magnitude ---------------------------------------------------------------------------------


@given(st.integers(0, 20), st.integers(0, 6), st.integers(1, 15), st.integers(0, 2**32 - 1))
def test_sdm_similarity(n, k, t, seed):
    rng = np.random.default_rng(seed)
    y, p = rng.integers(0, 2, t), rng.integers(0, 2, t)
    neighbors, pred = rng.integers(0, t, (n, k)), rng.integers(0, 2, n)
    good = (y[neighbors] == pred[:, None]) & (p[neighbors] == pred[:, None])
    expected = np.cumprod(good, axis=1).sum(1) if k else np.zeros(n)
    q = losskit.sdm_similarity(y, p, neighbors, pred)
    assert q.tolist() == expected.tolist() and q.dtype == np.int64
    if n and k:
        assert_error("INVALID_TARGET", losskit.sdm_similarity, y, p, np.full((n, k), t), pred)
        assert_error("INVALID_TARGET", losskit.sdm_similarity, y, p, np.full((n, k), -1), pred)


@given(st.integers(0, 20), st.integers(0, 60), st.integers(1, 4), DTYPES, st.integers(0, 2**32 - 1))
def test_sdm_distance_quantile(n, m, c, dtype, seed):
    rng = np.random.default_rng(seed)
    distance, samples = (rng.integers(0, 9, size).astype(dtype) for size in (n, m))
    classes = rng.integers(0, c, m)
    shares = np.ones((n, 1)) if m else np.zeros((n, 1))
    for k in range(classes.max(initial=-1) + 1):
        own = samples[classes == k]
        below = (own < distance[:, None]).sum(1) / max(1, own.size)
        shares = np.column_stack([shares, 1 - below if own.size else np.zeros(n)])
    quantile = losskit.sdm_distance_quantile(distance, samples, classes)
    assert_close(quantile, shares.min(1))


def test_sdm_edges(dtype):
    a = lambda x: np.array(x, dtype)  # noqa: E731
    assert losskit.sdm_distance_quantile(a([1]), a([1, 2]), [0, 2]).tolist() == [0]
    assert losskit.sdm_distance_quantile(a([1]), a([1, 2]), [0, 2**62]).tolist() == [0]
    assert losskit.sdm_distance_quantile(a([INF, -INF]), a([1, INF]), [0, 0]).tolist() == [0.5, 1]
    assert_error("INVALID_VALUE", losskit.sdm_distance_quantile, a([NAN]), a([1]), [0])
    assert_error("INVALID_VALUE", losskit.sdm_distance_quantile, a([1]), a([NAN]), [0])
    assert_error("INVALID_TARGET", losskit.sdm_distance_quantile, a([1]), a([1]), [-1])
    assert_error("INVALID_VALUE", losskit.sdm_rescaled_similarity, [-1], a([1]))
    assert_error("INVALID_VALUE", losskit.sdm_dkw_error, [-1])
    for alpha in (0, 1, NAN):
        assert_error("INVALID_PARAMETER", losskit.sdm_dkw_error, [1], alpha=alpha)
        assert_error("INVALID_PARAMETER", losskit.sdm_class_thresholds, a([1]), [0], a([1]), num_classes=1, alpha=alpha)
    q, cdf = np.arange(40), np.linspace(0, 1, 40).astype(dtype)
    assert_close(losskit.sdm_rescaled_similarity(q, cdf), cdf.astype(float) * np.log(2.0 + q))
    thresholds, least = losskit.sdm_class_thresholds(a([]), [], a([]), num_classes=3)
    assert thresholds.tolist() == [0, 0, 0] and least == INF
    assert_error("INVALID_VALUE", losskit.sdm_class_thresholds, a([NAN]), [0], a([1]), num_classes=1)
    assert_error("INVALID_TARGET", losskit.sdm_class_thresholds, a([1]), [1], a([1]), num_classes=1)
    assert_error("INVALID_SHAPE", losskit.sdm_class_thresholds, a([1]), [0], a([1]), num_classes=0)


def class_thresholds(output, y, similarity, classes, alpha):
    for cut in np.unique(similarity):
        thresholds = []
        for c in range(classes):
            own = np.sort(output[(y == c) & (similarity >= cut)])
            n = own.size
            thresholds.append(max(0, own[min(math.floor((1 - alpha) * n + 1e-9), n - 1)]) if n else 0)
        if min(thresholds) >= alpha:
            return thresholds, cut
    return [0] * classes, INF


@given(
    st.integers(0, 80), st.integers(1, 3), st.sampled_from([0.1, 0.5, 0.6, 0.75]), DTYPES, st.integers(0, 2**32 - 1)
)
def test_sdm_class_thresholds(n, c, alpha, dtype, seed):
    rng = np.random.default_rng(seed)
    similarity = rng.integers(0, 12, n).astype(dtype)
    # The more similar, the better.
    output = np.clip(rng.uniform(-0.2, 1, n) + similarity / 12, -0.3, 1).round(2).astype(dtype)
    y = rng.integers(0, c, n)
    thresholds, least = losskit.sdm_class_thresholds(output, y, similarity, num_classes=c, alpha=alpha)
    expected, cut = class_thresholds(output.astype(float), y, similarity, c, alpha)
    assert thresholds.dtype == dtype and least == cut
    assert_close(thresholds, np.array(expected, float))


# --- Threads and instruction sets ------------------------------------------------------------------------------------


def test_same_bits_everywhere():
    assert_same_bits("""
rng = np.random.default_rng(1)
for dtype in (np.float32, np.float64):
    key = np.dtype(dtype).name
    for classes in (10, 150):
        z = rng.normal(0, 3, (3000, classes)).astype(dtype)
        for name in ("msp", "max_logit", "margin", "entropy", "energy"):
            results[name + key + str(classes)], results["d" + name + key + str(classes)] = getattr(
                losskit, name + "_score")(z, grad=True)
        results["w" + key + str(classes)], results["dw" + key + str(classes)] = losskit.energy_weight(z, grad=True)
        results["g" + key + str(classes)], results["dg" + key + str(classes)] = losskit.generalized_entropy(z, m=7, grad=True)
    x = rng.normal(0, 1, (3000, 33)).astype(dtype)
    y = rng.integers(0, 5, 3000)
    means, precision = losskit.mahalanobis_fit(x, y, num_classes=5)
    results["means" + key], results["precision" + key] = means, precision
    results["m" + key], results["dm" + key] = losskit.mahalanobis_score(x, means, precision, grad=True)
    results["r" + key], results["dr" + key] = losskit.relative_mahalanobis_score(
        x, means, precision, means[0], precision, grad=True)
    results["knn" + key] = losskit.knn_ood_score(x, x[:500], k=7)
    weight, bias = rng.normal(0, 1, (6, 33)).astype(dtype), np.zeros(6, dtype)
    fitted = losskit.costarr_fit(x, y, weight, bias)
    results["fit" + key], results["costarr" + key] = fitted[0], losskit.costarr_score(x, weight, bias, fitted[0])
    results["pec" + key] = losskit.pec_score(x.reshape(1000, 3, 33), x[:1000])
    p = rng.dirichlet(np.ones(12), 3000).astype(dtype)
    results["loki" + key] = losskit.loki_scores(p, rng.uniform(0, 3, (12, 40)).astype(dtype), power=1.5)
    results["simplex" + key] = losskit.simplex_open_set_score(x, means)
""")
