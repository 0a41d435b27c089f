"""Post-hoc calibrators: judged by NumPy formulas, a Newton's method written from its definition, SciPy and scikit-learn."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits, logit_arrays

import losskit

P = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
Z = np.array([[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]])
YZ = np.array([0, 1, 0, 2])
C = np.array([0.1, 0.35, 0.4, 0.65, 0.8, 0.9])
R = np.array([0, 0, 1, 0, 1, 1])
TWO = np.array([[1, 0], [0.5, -0.5], [-1, 1], [0, 0.8], [0.3, 0.1], [2, -1], [1, 0], [-1, 1]])
YTWO = np.array([0, 1, 1, 0, 1, 0, 1, 0])
MEMBERS = np.array([[1, 1], [1, 0], [1, 1], [1, 0], [1, 1], [1, 0]])
PRECISIONS = pytest.mark.parametrize("dtype", [np.float32, np.float64])


def softmax(z):
    e = np.exp(z - z.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def quietly(function, *arguments, **parameters):
    """Without the warning of fits that have no minimum."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return function(*arguments, **parameters)


def newton(evaluate, x, tolerance=1e-10):
    """The family's method: ``evaluate`` gives value, gradient and Hessian."""
    x = np.array(x, float)
    for _ in range(100):
        value, gradient, hessian = evaluate(x)
        if np.abs(gradient).max() <= tolerance:
            break
        damping = 1e-12 * max(1, np.trace(hessian) / x.size)
        step = np.linalg.solve(hessian + damping * np.eye(x.size), gradient)
        for halving in range(41):
            trial = x - 0.5**halving * step
            if evaluate(trial)[0] <= value - 1e-4 * 0.5**halving * gradient @ step:
                break
        else:
            break
        x = trial
    return x, evaluate(x)[0]


def logistic(features, targets):
    def evaluate(x):
        u = features @ x
        p = 0.5 * (1 + np.tanh(u / 2))
        value = np.mean(targets * np.logaddexp(0, -u) + (1 - targets) * np.logaddexp(0, u))
        return value, features.T @ (p - targets) / len(u), (features.T * (p * (1 - p))) @ features / len(u)

    return newton(evaluate, np.zeros(features.shape[1]))


def binary_data(seed, n, dtype, *, ties=False):
    rng = np.random.default_rng(seed)
    conf = rng.beta(1.5, 1.2, n).astype(dtype)
    if ties:
        conf = (np.round(conf * 8) / 8).astype(dtype)
    return conf, (rng.random(n) < conf.astype(float) ** 1.4).astype(np.int64)


def fit_close(actual, expected, dtype):
    for a, e in zip(actual, expected):
        np.testing.assert_allclose(np.asarray(a, float), e, rtol=1e-5 if dtype == np.float32 else 2e-6, atol=1e-6)


# --- Fits of few parameters ------------------------------------------------------------------------------------------


@PRECISIONS
@pytest.mark.parametrize("n", [2, 7, 300, 40_000])
@pytest.mark.parametrize("smoothing", [True, False])
def test_platt_scaling(dtype, n, smoothing):
    rng = np.random.default_rng(n)
    scores = rng.normal(0.3, 2, n).astype(dtype)
    y = (rng.random(n) < 1 / (1 + np.exp(-0.7 * scores + 0.5))).astype(int)
    y[:2] = 0, 1
    if n == 2 and not smoothing:
        return
    positives, negatives = y.sum(), (1 - y).sum()
    targets = np.where(y == 1, (positives + 1) / (positives + 2), 1 / (negatives + 2)) if smoothing else y.astype(float)
    (a, b), loss = logistic(np.stack([scores.astype(float), np.ones(n)], 1), targets)
    fit_close(losskit.platt_scaling_fit(scores, y, target_smoothing=smoothing), (a, b, loss), dtype)


def test_platt_scaling_agrees_with_sklearn():
    calibration = pytest.importorskip("sklearn.calibration")
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 1.5, 500)
    y = (rng.random(500) < 1 / (1 + np.exp(-scores))).astype(int)
    slope, intercept = calibration._sigmoid_calibration(scores, y)
    a, b, _ = losskit.platt_scaling_fit(scores, y)
    np.testing.assert_allclose([a, b], [-slope, -intercept], rtol=1e-4)


@PRECISIONS
@pytest.mark.parametrize("variant", ["abm", "am", "ab"])
@pytest.mark.parametrize("direction", [1, -1, 0])
def test_beta_calibration(dtype, variant, direction):
    probs, y = binary_data(5, 400, dtype)
    if direction < 0:
        y = 1 - y  # both coefficients would be negative
    elif direction == 0:
        y = (np.abs(probs - 0.5) < 0.2).astype(int)  # one of them
    p = np.clip(probs.astype(float), 1e-12, 1 - 1e-12)
    left, right, one = np.log(p), -np.log1p(-p), np.ones_like(p)

    def fit(*features):
        return logistic(np.stack(features, 1), y.astype(float)) if features else (np.zeros(0), np.log(2))

    if variant == "am":
        (a, c), loss = fit(left + right, one)
        b = a
        if a < 0:
            a = b = 0
            (c,), loss = fit(one)
    else:
        shift = np.log(2) if variant == "ab" else 0
        more = () if variant == "ab" else (one,)
        left, right = left + shift, right - shift
        (a, b, *c), loss = fit(left, right, *more)
        if a < 0:
            a = 0
            (b, *c), loss = fit(right, *more)
            if b < 0:
                b = 0
                c, loss = fit(*more)
        elif b < 0:
            b = 0
            (a, *c), loss = fit(left, *more)
            if a < 0:
                a = 0
                c, loss = fit(*more)
        c = (a - b) * np.log(2) if variant == "ab" else c[0]
    found = losskit.beta_calibration_fit(probs, y, variant=variant)
    fit_close(found, (a, b, c, loss), dtype)
    assert found[0] >= 0 and found[1] >= 0
    applied = losskit.beta_calibration_apply(probs, a=a, b=b, c=c)
    assert applied.dtype == dtype
    expected = 1 / (1 + np.exp(-(a * np.log(p) - b * np.log1p(-p) + c)))
    assert_close(applied, expected, axis=None)


def test_scaling_binning_on_many_samples():
    for n_bins in (1, 7, 40):
        conf, y = binary_data(2, 333, np.float64)
        s = np.log(conf / (1 - conf))
        (a, b), _ = logistic(np.stack([s, np.ones_like(s)], 1), y.astype(float))
        g = 1 / (1 + np.exp(-(a * s + b)))
        runs = np.array_split(np.sort(g), n_bins)
        inner = [(p[-1] + q[0]) / 2 for p, q in zip(runs, runs[1:])]
        values = [run.mean() for run in runs]
        found = losskit.scaling_binning_fit(conf, y, n_bins=n_bins)
        fit_close(found, (a, b, [0, *inner, 1], values), np.float64)


@pytest.mark.parametrize(
    "fit",
    [
        lambda s, y: losskit.platt_scaling_fit(s, y, target_smoothing=False),
        lambda s, y: losskit.beta_calibration_fit(s, y),
        lambda s, y: losskit.scaling_binning_fit(s, y),
        lambda s, y: losskit.vector_scaling_fit(np.stack([-s, s], 1), y),
    ],
)
def test_separable_data_warn(fit):
    s, y = np.linspace(0.1, 0.9, 8), np.repeat([0, 1], 4)
    with pytest.warns(RuntimeWarning, match="has not converged"):
        fit(s, y)


# --- Fits with a parameter for each class ----------------------------------------------------------------------------


def class_data(seed, n, classes, dtype=np.float64):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, classes, n)
    y[:classes] = np.arange(min(n, classes))
    logits = rng.normal(0, 1.2, (n, classes))
    logits[np.arange(n), y] += rng.normal(1, 1.5, n)
    return logits.astype(dtype), y


def multinomial(design, start, y, penalty):
    """``design[n, C, K]``: scores are its product with K parameters."""
    n = len(y)
    own = design[np.arange(n), y]

    def evaluate(x):
        scores = design @ x
        p = softmax(scores)
        shift = scores.max(1)
        value = np.mean(np.log(np.exp(scores - shift[:, None]).sum(1)) + shift - scores[np.arange(n), y])
        mean = np.einsum("nc,nck->nk", p, design)
        hessian = np.einsum("nc,nck,ncl->kl", p, design, design) - mean.T @ mean
        gradient = mean.mean(0) - own.mean(0) + penalty * x
        return value + (penalty * x * x).sum() / 2, gradient, hessian / n + np.diag(penalty)

    return newton(evaluate, start, 1e-9)


@PRECISIONS
@pytest.mark.parametrize("n, classes", [(40, 2), (300, 3), (700, 9)])
def test_vector_scaling(dtype, n, classes):
    logits, y = class_data(n, n, classes, dtype)
    design = np.zeros((n, classes, 2 * classes))
    for c in range(classes):
        design[:, c, c], design[:, c, classes + c] = logits[:, c], 1
    x, nll = multinomial(design, np.repeat([1.0, 0.0], classes), y, np.zeros(2 * classes))
    b = x[classes:] - x[classes:].mean()
    fit_close(losskit.vector_scaling_fit(logits, y), (x[:classes], b, nll), dtype)


@PRECISIONS
@pytest.mark.parametrize("n, classes", [(30, 2), (257, 3), (600, 6)])
@pytest.mark.parametrize("kind", ["matrix", "dirichlet"])
def test_matrix_scaling(dtype, n, classes, kind):
    logits, y = class_data(n, n, classes)
    given_ = (logits if kind == "matrix" else softmax(logits)).astype(dtype)
    features = given_.astype(float) if kind == "matrix" else np.log(np.clip(given_.astype(float), 1e-12, 1))
    features = np.concatenate([features, np.ones((n, 1))], 1)
    width = classes + 1
    design = np.einsum("cd,nk->ncdk", np.eye(classes), features).reshape(n, classes, -1)
    start = np.eye(classes, width)
    penalty = np.where(start == 1, 0, 2 * 0.01 / (classes * (classes - 1)))
    penalty[:, classes] = 2 * 0.02 / classes
    x, value = multinomial(design, start.ravel(), y, penalty.ravel())
    x = x.reshape(classes, width)
    fit = losskit.matrix_scaling_fit if kind == "matrix" else losskit.dirichlet_calibration_fit
    fit_close(fit(given_, y, reg_lambda=0.01, reg_mu=0.02), (x[:, :classes], x[:, classes], value), dtype)


def test_many_classes_take_another_method_to_the_same_minimum():
    classes, n = 40, 900
    logits, y = class_data(0, n, classes)
    w, b, objective = losskit.matrix_scaling_fit(logits, y, reg_lambda=5.0, reg_mu=1.0)
    scores = logits @ w.T + b
    residual = softmax(scores)
    residual[np.arange(n), y] -= 1
    slope = residual.T @ logits / n + 2 * 5.0 / (classes * (classes - 1)) * w * (1 - np.eye(classes))
    assert np.abs(slope).max() < 1e-7
    assert np.abs(residual.mean(0) + 2 * 1.0 * b / classes).max() < 1e-7
    nll = -np.log(softmax(scores)[np.arange(n), y]).mean()
    off = w * (1 - np.eye(classes))
    expected = nll + 5.0 / (classes * (classes - 1)) * (off**2).sum() + 1.0 / classes * (b**2).sum()
    np.testing.assert_allclose(objective, expected, rtol=1e-9)


@pytest.mark.parametrize("fit", [losskit.vector_scaling_fit, losskit.matrix_scaling_fit])
def test_a_hessian_that_overflows_leaves_the_fit_where_it_began(fit):
    """The squares of such logits are infinite: no step can be made, and the warning says so."""
    logits, y = class_data(5, 30, 4)
    logits[3, 2] = 1e300
    with pytest.warns(RuntimeWarning, match="not converged"):
        w, b, _ = fit(logits, y)
    np.testing.assert_array_equal(w, np.ones(4) if w.ndim == 1 else np.eye(4))
    np.testing.assert_array_equal(b, np.zeros(4))


# --- Temperatures ----------------------------------------------------------------------------------------------------


def mean_nll(logits, y, temperature):
    z = np.asarray(logits, float) / temperature
    shift = z.max(1, keepdims=True)
    return np.mean(np.log(np.exp(z - shift).sum(1)) + shift[:, 0] - z[np.arange(len(y)), y])


@given(st.integers(0, 2**32 - 1), st.integers(1, 60), st.integers(1, 20), st.sampled_from([1e-3, 1, 30, 3000]))
def test_temperature_scaling_is_a_minimum(seed, n, classes, scale):
    """It never changes the accuracy, and never raises the NLL on its fit set."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(0, scale, (n, classes))
    y = np.where(rng.random(n) < 0.5, logits.argmax(1), rng.integers(0, classes, n))
    temperature, nll = losskit.temperature_scaling_fit(logits, y)
    assert 0.01 <= temperature <= 100
    assert nll <= mean_nll(logits, y, 1) * (1 + 1e-12) + 1e-12
    np.testing.assert_allclose(nll, mean_nll(logits, y, temperature), rtol=1e-9, atol=1e-12)
    assert (np.argmax(logits / temperature, 1) == np.argmax(logits, 1)).all()
    for other in np.geomspace(0.01, 100, 60):
        assert nll <= mean_nll(logits, y, other) * (1 + 1e-12) + 1e-12


@PRECISIONS
@pytest.mark.parametrize("kind", ["mse", "ce"])
def test_ensemble_temperature_scaling(dtype, kind):
    optimize = pytest.importorskip("scipy.optimize")
    for seed in range(4):
        logits, y = class_data(seed, 200, 5, dtype)
        logits *= (3, 1, 0.3, 8)[seed]
        temperature, w, objective = losskit.ensemble_temperature_scaling_fit(logits, y, loss=kind)
        np.testing.assert_allclose(temperature, losskit.temperature_scaling_fit(logits, y)[0], rtol=1e-6)
        z = logits.astype(float)
        parts = np.stack([softmax(z / float(temperature)), softmax(z), np.full(z.shape, 0.2)])
        hot = np.eye(5)[y]

        def error(w, parts=parts, hot=hot, y=y):
            p = np.tensordot(w, parts, 1)
            return ((p - hot) ** 2).mean() if kind == "mse" else -np.log(p[np.arange(200), y]).mean()

        best = min(
            optimize.minimize(
                error, start, bounds=[(1e-12, 1)] * 3, constraints={"type": "eq", "fun": lambda w: w.sum() - 1},
                tol=1e-14,
            ).fun
            for start in ([1 / 3] * 3, [0.9, 0.05, 0.05])
        )  # fmt: skip
        assert w.min() >= 0 and abs(w.sum() - 1) < 1e-6
        np.testing.assert_allclose(objective, error(w.astype(float)), rtol=2e-6 if dtype == np.float32 else 1e-10)
        assert objective <= best * (1 + 1e-6)
    with pytest.warns(RuntimeWarning, match="max_iter"):
        losskit.ensemble_temperature_scaling_fit(Z, YZ, loss="ce", max_iter=2)


def test_ensemble_without_need_of_a_temperature():
    """Two components are the same one: a set with both has no single solution."""
    logits = np.log([[0.75, 0.25]] * 4)
    temperature, w, objective = losskit.ensemble_temperature_scaling_fit(logits, [0, 0, 0, 1])
    assert temperature == pytest.approx(1) and objective == pytest.approx(0.1875)
    np.testing.assert_allclose(w.sum(), 1)
    assert losskit.ensemble_temperature_scaling_fit([[3.0], [1.0]], [0, 0])[2] == 0


# --- Bins ------------------------------------------------------------------------------------------------------------


@PRECISIONS
@pytest.mark.parametrize("binning", ["uniform", "quantile", "midpoint"])
@pytest.mark.parametrize("n, n_bins, ties", [(1, 5, False), (4, 7, True), (500, 10, True), (3000, 15, False)])
def test_histogram_binning(dtype, binning, n, n_bins, ties):
    conf, correct = binary_data(n, n, dtype, ties=ties)
    count, _, accuracy, borders = losskit.reliability_bins(conf.astype(float), correct, n_bins=n_bins, binning=binning)
    edges, values = losskit.histogram_binning_fit(conf, correct, n_bins=n_bins, binning=binning)
    assert_close(edges, borders)
    assert_close(values, np.where(count > 0, accuracy, (borders[:-1] + borders[1:]) / 2))
    applied = losskit.binning_apply(conf, edges, values)
    index = (edges[1:-1][None, :] < conf[:, None]).sum(1)
    np.testing.assert_array_equal(applied, values[index])


def test_binning_apply_on_edges_and_shapes():
    edges, values = [0, 0.25, 0.25, 0.5, 1], [1, 2, 3, 4]
    conf = np.array([[0, 0.25, 0.26], [0.5, 0.51, 1]])
    np.testing.assert_array_equal(losskit.binning_apply(conf, edges, values), [[1, 1, 3], [3, 4, 4]])
    assert losskit.binning_apply(0.7, [0, 1], [0.25]) == 0.25
    assert_error("INVALID_VALUE", losskit.binning_apply, conf, [0, 0.5, 0.4, 0.6, 1], values)
    assert_error("INVALID_SHAPE", losskit.binning_apply, conf, [0, 1], values)
    assert_error("INVALID_SHAPE", losskit.binning_apply, conf, [0], [])


# --- Isotonic regression ---------------------------------------------------------------------------------------------


def pool(values, weights):
    """Blocks ``(mean, weight, length)`` of the increasing regression."""
    blocks = []
    for v, w in zip(values, weights):
        blocks.append([v, w, 1])
        while len(blocks) > 1 and blocks[-2][0] >= blocks[-1][0]:
            v2, w2, n2 = blocks.pop()
            v1, w1, n1 = blocks.pop()
            blocks.append([(v1 * w1 + v2 * w2) / (w1 + w2), w1 + w2, n1 + n2])
    return blocks


SEQUENCES = st.lists(st.integers(-20, 20), max_size=60).map(lambda v: np.array(v, float))


@given(SEQUENCES, st.booleans(), st.booleans(), st.sampled_from([np.float32, np.float64]))
def test_isotonic_regression(values, weighted, increasing, dtype):
    n = len(values)
    weights = np.random.default_rng(n).integers(1, 5, n).astype(dtype) if weighted else None
    w = np.ones(n) if weights is None else weights.astype(float)
    sign = 1 if increasing else -1
    blocks = pool(sign * values, w)
    expected = sign * np.repeat([b[0] for b in blocks], [b[2] for b in blocks]) if n else values
    fit, jacobian = losskit.isotonic_regression(
        values.astype(dtype), sample_weight=weights, increasing=increasing, grad=True
    )
    assert fit.dtype == dtype
    assert_close(fit, expected, axis=None)
    assert (np.diff(fit) * sign >= 0).all()  # monotone
    again = losskit.isotonic_regression(fit, sample_weight=weights, increasing=increasing)
    assert_close(again, expected, axis=None)  # idempotent
    number = np.repeat(np.arange(len(blocks)), [b[2] for b in blocks])
    share = (number[:, None] == number[None, :]) * w[None, :] / np.repeat([b[1] for b in blocks], [b[2] for b in blocks])[:, None] if n else np.zeros((0, 0))  # fmt: skip
    assert_close(jacobian, share, axis=None)
    g = np.random.default_rng(n).normal(size=n).astype(dtype)
    vjp = losskit.isotonic_regression_vjp(values.astype(dtype), g, sample_weight=weights, increasing=increasing)
    np.testing.assert_allclose(vjp, share.T @ g, rtol=0, atol=1e-5 if dtype == np.float32 else 1e-12)


def test_isotonic_gradient_by_finite_differences():
    rng = np.random.default_rng(3)
    values, g, w = rng.normal(size=30), rng.normal(size=30), rng.random(30) + 0.5
    gradient = losskit.isotonic_regression_vjp(values, g, sample_weight=w)
    assert_gradient(lambda v: losskit.isotonic_regression(v, sample_weight=w) @ g, values, gradient, step=1e-6)


def test_isotonic_regression_agrees_with_sklearn():
    isotonic = pytest.importorskip("sklearn.isotonic")
    rng = np.random.default_rng(0)
    for n in (1, 2, 1000, 100_000):
        values, w = np.linspace(0, 1, n) + rng.normal(0, 1, n), rng.random(n) + 0.1
        for increasing in (True, False):
            expected = isotonic.isotonic_regression(values, sample_weight=w, increasing=increasing)
            fit = losskit.isotonic_regression(values, sample_weight=w, increasing=increasing)
            np.testing.assert_allclose(fit, expected, rtol=1e-9, atol=1e-12)


@PRECISIONS
@pytest.mark.parametrize("n", [1023, 1024, 1025, 20_000])
def test_isotonic_regression_of_many_values(dtype, n):
    isotonic = pytest.importorskip("sklearn.isotonic")
    rng = np.random.default_rng(n)
    ramp, noise = np.linspace(-1, 1, n), rng.normal(0, 1, n)
    strays = np.where(rng.random(n) < 0.01, noise, ramp)
    for values in (ramp, -ramp, ramp + noise, ramp + noise / n, np.round(ramp + noise / 9, 1), strays):
        values = values.astype(dtype)
        for increasing in (True, False):
            fit = losskit.isotonic_regression(values, increasing=increasing)
            expected = isotonic.isotonic_regression(values.astype(float), increasing=increasing)
            np.testing.assert_allclose(fit, expected, rtol=0, atol=1e-7 if dtype == np.float32 else 1e-12)


@PRECISIONS
@pytest.mark.parametrize("n", [5, 39, 3000])
def test_ties_of_isotonic_regression_are_one_block(dtype, n):
    rng = np.random.default_rng(n)
    weights, g = (rng.random(n) + 1e-3).astype(dtype), rng.random(n).astype(dtype)
    share = weights / weights.sum(dtype=float)
    for value in (0.1, 2.5, 1 / 3):
        vjp = losskit.isotonic_regression_vjp(np.full(n, value, dtype), g, sample_weight=weights)
        np.testing.assert_allclose(vjp, share * g.sum(dtype=float), rtol=1e-6 if dtype == np.float32 else 1e-12)


@PRECISIONS
@pytest.mark.parametrize("n, place", [(1, 0), (9, 0), (9, 8), (2000, 0), (2000, 1000), (2000, 1999)])
def test_isotonic_regression_of_values_that_are_not_finite(dtype, n, place):
    for values in (np.linspace(0, 1, n), np.random.default_rng(n).normal(size=n)):
        for bad in (np.nan, np.inf, -np.inf):
            values = values.astype(dtype)
            values[place] = bad
            for increasing in (True, False):
                assert_error("INVALID_VALUE", losskit.isotonic_regression, values, increasing=increasing)
                assert_error("INVALID_VALUE", losskit.isotonic_regression_vjp, values, values, increasing=increasing)


@PRECISIONS
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("n, ties", [(1, False), (3, True), (400, True), (5000, False)])
def test_isotonic_calibration_agrees_with_sklearn(dtype, weighted, n, ties):
    isotonic = pytest.importorskip("sklearn.isotonic")
    conf, correct = binary_data(n, n, dtype, ties=ties)
    weights = np.random.default_rng(n).integers(0 if n > 3 else 1, 4, n).astype(dtype) if weighted else None
    x, y = losskit.isotonic_calibration_fit(conf, correct, sample_weight=weights)
    counted = conf if weights is None else conf[weights > 0]
    np.testing.assert_array_equal(x, np.unique(counted))
    peer = isotonic.IsotonicRegression(out_of_bounds="clip").fit(conf.astype(float), correct, sample_weight=weights)
    np.testing.assert_allclose(y, peer.predict(x.astype(float)), rtol=0, atol=1e-6 if dtype == np.float32 else 1e-12)
    where = np.linspace(0, 1, 777).astype(dtype)
    applied = losskit.isotonic_calibration_apply(where, x, y)
    assert_close(applied, np.interp(where.astype(float), x.astype(float), y.astype(float)))


@PRECISIONS
def test_centered_isotonic_calibration(dtype):
    for n, ties in ((1, False), (2, False), (60, True), (500, False)):
        conf, correct = binary_data(n, n, dtype, ties=ties)
        distinct, inverse = np.unique(conf.astype(float), return_inverse=True)
        weight = np.bincount(inverse).astype(float)
        blocks = pool(np.bincount(inverse, correct) / weight, weight)
        knots, start = [], 0
        for mean, _, length in blocks:
            part = slice(start, start + length)
            knots.append((np.average(distinct[part], weights=weight[part]) if length > 1 else distinct[start], mean))
            start += length
        if knots[0][0] > distinct[0]:
            knots.insert(0, (distinct[0], blocks[0][0]))
        if knots[-1][0] < distinct[-1]:
            knots.append((distinct[-1], blocks[-1][0]))
        x, y = losskit.isotonic_calibration_fit(conf, correct, centered=True)
        assert_close(x, np.array(knots)[:, 0])
        assert_close(y, np.array(knots)[:, 1])


# --- The correctness-aware loss --------------------------------------------------------------------------------------


def correctness_aware(z, y, balanced, reduction):
    """Value, and gradient of the reduced (or of the sum of the unreduced) losses, for rows."""
    with np.errstate(all="ignore"):
        p = np.exp(z - np.where(np.isfinite(z.max(1)), z.max(1), 0)[:, None]) if len(z) else z
        p = p / p.sum(1, keepdims=True)
        best = p.argmax(1) if len(z) else np.zeros(0, int)
        rows = np.arange(len(z))
        right = best == y
        conf = p[rows, best]
        accuracy = right.mean() if len(z) else 0
        w = np.where(right, 1 - accuracy, accuracy) if balanced else np.ones(len(z))
        if w.sum() == 0:
            w = np.ones(len(z))
        hot = np.eye(z.shape[1])[best]
        error = np.where(right, -(p * (1 - hot)).sum(1), conf)
        value = w * error**2
        gradient = (2 * w * error * conf)[:, None] * (hot * (p * (1 - hot)).sum(1)[:, None] - (1 - hot) * p)
        if reduction == "mean":
            value, gradient = value.sum() / max(w.sum(), 1e-300), gradient / max(w.sum(), 1e-300)
        return value.sum() if reduction == "sum" else value, gradient


@given(logit_arrays(special=False), st.booleans(), st.sampled_from(["mean", "sum", "none"]))
def test_correctness_aware_loss(data, balanced, reduction):
    z, axis = data
    rows = np.moveaxis(z, axis, -1)
    rng = np.random.default_rng(z.size)
    y = np.where(rng.random(rows.shape[:-1]) < 0.5, rows.argmax(-1), rng.integers(0, rows.shape[-1], rows.shape[:-1]))
    expected, gradient = correctness_aware(
        rows.reshape(-1, rows.shape[-1]).astype(float), y.ravel(), balanced, reduction
    )
    value, grad = losskit.correctness_aware_loss(z, y, balanced=balanced, reduction=reduction, grad=True, axis=axis)
    if reduction == "none":
        expected = expected.reshape(y.shape)
    tolerance = 1e-5 if z.dtype == np.float32 else 1e-11
    np.testing.assert_allclose(value, expected, rtol=tolerance, atol=1e-30)
    grad = np.moveaxis(grad, axis, -1).reshape(gradient.shape)
    assert_close(grad, gradient, tolerance=tolerance)
    alone = losskit.correctness_aware_loss(z, y, balanced=balanced, reduction=reduction, axis=axis)
    np.testing.assert_array_equal(alone, value)


def test_correctness_aware_gradient_by_finite_differences():
    rng = np.random.default_rng(8)
    z, y = rng.normal(0, 2, (9, 5)), rng.integers(0, 5, 9)
    for balanced in (True, False):
        for reduction in ("mean", "sum"):
            gradient = losskit.correctness_aware_loss(z, y, balanced=balanced, reduction=reduction, grad=True)[1]
            assert_gradient(
                lambda x, b=balanced, r=reduction: losskit.correctness_aware_loss(x, y, balanced=b, reduction=r),
                z, gradient, step=1e-4,
            )  # fmt: skip


@PRECISIONS
def test_correctness_aware_edge_cases(dtype):
    loss = losskit.correctness_aware_loss
    z = Z.astype(dtype)
    value, gradient = loss(np.zeros((0, 3), dtype), np.zeros(0, int), grad=True)
    assert value == 0 and gradient.shape == (0, 3)
    # Ties: the first of the largest is the prediction.
    np.testing.assert_allclose(loss(np.zeros((2, 2), dtype), [0, 1], balanced=False, reduction="none"), 0.25)
    _, gradient = loss(np.zeros((1, 2), dtype), [1], grad=True)
    np.testing.assert_allclose(gradient, [[0.25, -0.25]])
    # All right, or all wrong: the weights are 1.
    assert loss(z, z.argmax(1)) == loss(z, z.argmax(1), balanced=False)
    # Masked classes, and rows that are not numbers.
    masked = np.array([[1, -np.inf, 0], [np.nan, 0, 1], [np.inf, 0, 1], [0, 1, 2]], dtype)
    value, gradient = loss(masked, [0, 1, 2, 0], balanced=False, reduction="none", grad=True)
    assert np.isfinite(value[[0, 3]]).all() and np.isnan(value[[1, 2]]).all()
    assert gradient[0, 1] == 0 and np.isnan(gradient[[1, 2]]).all() and np.isfinite(gradient[[0, 3]]).all()
    huge = loss(np.array([[1e4, -1e4], [-1e4, 1e4]], dtype), [0, 0], balanced=False, reduction="none")
    np.testing.assert_array_equal(huge, [0, 1])
    assert_error("INVALID_TARGET", loss, z, [0, 1, 0, 3])
    assert_error("INVALID_SHAPE", loss, z, [0, 1])
    assert_error("INVALID_PARAMETER", loss, z, YZ, reduction="other")


# --- Groups ----------------------------------------------------------------------------------------------------------


def audit(p, y, groups, n_bins):
    index = np.minimum((p[:, None] >= np.arange(1, n_bins)[None, :] / n_bins).sum(1), n_bins - 1)
    mass, gap = np.zeros((groups.shape[1], n_bins)), np.zeros((groups.shape[1], n_bins))
    for g in range(groups.shape[1]):
        for b in range(n_bins):
            inside = (groups[:, g] != 0) & (index == b)
            mass[g, b] = inside.sum() / len(p)
            gap[g, b] = np.mean(y[inside] - p[inside]) if inside.any() else 0
    return index, mass, gap


@PRECISIONS
@pytest.mark.parametrize("n, n_bins", [(1, 1), (30, 4), (500, 10)])
def test_multicalibration(dtype, n, n_bins):
    p, y = binary_data(n, n, dtype)
    rng = np.random.default_rng(n)
    groups = (rng.random((n, 3)) < 0.5) * rng.integers(1, 9, (n, 3))
    _, mass, gap = audit(p.astype(float), y, groups, n_bins)
    found = losskit.multicalibration_audit(p, y, groups, n_bins=n_bins)
    for actual, expected in zip(found, (mass, gap, (mass * np.abs(gap)).max())):
        np.testing.assert_allclose(actual, expected, rtol=0, atol=2e-7 if dtype == np.float32 else 1e-13)
    moved, updates = p.astype(float), 0
    while updates < 50:
        index, mass, gap = audit(moved, y, groups, n_bins)
        violation = mass * np.abs(gap)
        if violation.max() <= 0.004:
            break
        g, b = np.unravel_index(violation.argmax(), violation.shape)
        members = (groups[:, g] != 0) & (index == b)
        moved[members] = np.clip(moved[members] + gap[g, b], 0, 1)
        updates += 1
    result = quietly(losskit.multicalibrate, p, y, groups, alpha=0.004, n_bins=n_bins, max_iter=50)
    assert result[1] == updates
    np.testing.assert_allclose(result[0], moved, rtol=0, atol=2e-7 if dtype == np.float32 else 1e-12)


def test_multicalibration_without_samples_groups_or_time():
    mass, gap, violation = losskit.multicalibration_audit([], [], np.zeros((0, 2)), n_bins=3)
    assert not mass.any() and not gap.any() and mass.shape == (2, 3) and np.isnan(violation)
    p, updates = losskit.multicalibrate([], [], np.zeros((0, 2)))
    assert p.shape == (0,) and updates == 0
    p, updates = losskit.multicalibrate(C, R, np.zeros((6, 0)))
    np.testing.assert_array_equal(p, C)
    assert updates == 0
    with pytest.warns(RuntimeWarning, match="violation"):
        p, updates = losskit.multicalibrate(C, R, MEMBERS, max_iter=0)
    np.testing.assert_array_equal(p, C)


@given(st.integers(0, 2**32 - 1), st.integers(0, 40), st.integers(1, 4))
def test_group_fairness(seed, n, num_groups):
    rng = np.random.default_rng(seed)
    pred, y, group = rng.integers(0, 2, n), rng.integers(0, 2, n), rng.integers(0, num_groups, n)
    rates, *spans = losskit.group_fairness(pred, y, group, num_groups=num_groups)

    def mean(x):
        return x.mean() if x.size else np.nan

    expected = np.array(
        [
            [mean(pred[g]), mean(pred[g & (y == 1)]), mean(pred[g & (y == 0)]), mean((pred == y)[g])]
            for g in (group == k for k in range(num_groups))
        ]
    )
    np.testing.assert_allclose(rates, expected, rtol=1e-14)

    def span(x):
        return np.nanmax(x) - np.nanmin(x) if not np.isnan(x).all() else np.nan

    dp, opp, fpr = (span(expected[:, k]) for k in range(3))
    eo = opp if np.isnan(fpr) else fpr if np.isnan(opp) else max(opp, fpr)
    np.testing.assert_allclose(spans, [dp, eo, opp], rtol=1e-13, atol=1e-15)


# --- Errors ----------------------------------------------------------------------------------------------------------

BINARY = {
    "platt_scaling_fit": losskit.platt_scaling_fit,
    "beta_calibration_fit": losskit.beta_calibration_fit,
    "histogram_binning_fit": losskit.histogram_binning_fit,
    "scaling_binning_fit": losskit.scaling_binning_fit,
    "isotonic_calibration_fit": losskit.isotonic_calibration_fit,
    "multicalibration_audit": lambda conf, y: losskit.multicalibration_audit(conf, y, np.ones((len(conf), 1))),
    "multicalibrate": lambda conf, y: losskit.multicalibrate(conf, y, np.ones((len(conf), 1)), max_iter=1),
}
ROWS_OF_LOGITS = [losskit.vector_scaling_fit, losskit.matrix_scaling_fit, losskit.ensemble_temperature_scaling_fit]


@PRECISIONS
@pytest.mark.parametrize("name", BINARY)
def test_bad_binary_data(name, dtype):
    function = BINARY[name]
    conf = C.astype(dtype)
    quietly(function, conf, R)
    for bad in (np.nan, np.inf, -np.inf, *((1.1, -0.1) if name != "platt_scaling_fit" else ())):
        spoiled = conf.copy()
        spoiled[5] = bad
        assert_error("INVALID_VALUE", function, spoiled, R)
    for bad in (-1, 2, 2**40):
        spoiled = R.copy()
        spoiled[3] = bad
        assert_error("INVALID_TARGET", function, conf, spoiled)
    assert_error("INVALID_SHAPE", function, conf, R[:3])
    if name.endswith("fit"):
        assert_error("INVALID_SHAPE", function, conf[:0], R[:0])


@PRECISIONS
@pytest.mark.parametrize("function", [*ROWS_OF_LOGITS, losskit.dirichlet_calibration_fit])
def test_bad_rows(function, dtype):
    rows = (P if function is losskit.dirichlet_calibration_fit else Z).astype(dtype)
    for bad in (np.nan, np.inf, *((1.5, -0.5) if function is losskit.dirichlet_calibration_fit else ())):
        spoiled = rows.copy()
        spoiled[3, 1] = bad
        assert_error("INVALID_VALUE", function, spoiled, YZ)
    for bad in (-1, 3, 2**40):
        assert_error("INVALID_TARGET", function, rows, [0, 1, bad, 2])
    assert_error("INVALID_SHAPE", function, rows[:0], YZ[:0])
    assert_error("INVALID_SHAPE", function, rows, YZ[:2])
    if function in (losskit.matrix_scaling_fit, losskit.dirichlet_calibration_fit):
        assert_error("INVALID_SHAPE", function, rows[:, :1], [0, 0, 0, 0])
        for bad in (-1, np.nan, np.inf):
            assert_error("INVALID_PARAMETER", function, rows, YZ, reg_lambda=bad)
            assert_error("INVALID_PARAMETER", function, rows, YZ, reg_mu=bad)


def test_bad_parameters():
    for eps in (0, -1, 0.5, 1, np.nan):
        assert_error("INVALID_PARAMETER", losskit.beta_calibration_fit, C, R, eps=eps)
        assert_error("INVALID_PARAMETER", losskit.scaling_binning_fit, C, R, eps=eps)
        assert_error("INVALID_PARAMETER", losskit.beta_calibration_apply, C, a=1, b=1, c=0, eps=eps)
    for eps in (0, 1, np.nan):
        assert_error("INVALID_PARAMETER", losskit.dirichlet_calibration_fit, P, YZ, eps=eps)
    for bad in (np.nan, np.inf):
        assert_error("INVALID_PARAMETER", losskit.beta_calibration_apply, C, a=bad, b=1, c=0)
    assert_error("INVALID_PARAMETER", losskit.beta_calibration_fit, C, R, variant="other")
    assert_error("INVALID_PARAMETER", losskit.histogram_binning_fit, C, R, binning="rank")
    for bad in (0, -1, 1.5):
        for function in (losskit.histogram_binning_fit, losskit.scaling_binning_fit):
            assert_error("INVALID_PARAMETER", function, C, R, n_bins=bad)
        assert_error("INVALID_PARAMETER", losskit.multicalibration_audit, C, R, MEMBERS, n_bins=bad)
    for bad in (0, 1, -1, np.nan):
        assert_error("INVALID_PARAMETER", losskit.multicalibrate, C, R, MEMBERS, alpha=bad)
    assert_error("INVALID_PARAMETER", losskit.multicalibrate, C, R, MEMBERS, max_iter=-1)
    for changes in ({"max_iter": 0}, {"tol": -1}, {"tol": np.nan}, {"loss": "other"}):
        assert_error("INVALID_PARAMETER", losskit.ensemble_temperature_scaling_fit, Z, YZ, **changes)
    for bad in (0, -1, 1.5, True):
        assert_error("INVALID_PARAMETER", losskit.group_fairness, R, R, R, num_groups=bad)
    assert_error("INVALID_TARGET", losskit.group_fairness, R, R, R, num_groups=1)
    assert_error("INVALID_TARGET", losskit.group_fairness, R + 1, R, R, num_groups=2)


@PRECISIONS
def test_bad_sequences(dtype):
    v = np.array([1, 2, 0], dtype)
    for function in (losskit.isotonic_regression, lambda v, **more: losskit.isotonic_regression_vjp(v, np.ones_like(v), **more)):
        for bad in (np.nan, np.inf, -np.inf):
            assert_error("INVALID_VALUE", function, np.array([1, bad, 0], dtype))
        for bad in (0, -1, np.nan, np.inf):
            assert_error("INVALID_VALUE", function, v, sample_weight=[1, bad, 1])
        assert_error("INVALID_SHAPE", function, v, sample_weight=[1, 1])
        assert_error("INVALID_SHAPE", function, v[None])
    for bad in (-1, np.nan, np.inf):
        assert_error("INVALID_VALUE", losskit.isotonic_calibration_fit, C, R, sample_weight=[1, 1, bad, 1, 1, 1])
    assert_error("INVALID_VALUE", losskit.isotonic_calibration_fit, C, R, sample_weight=np.zeros(6))
    assert_error("INVALID_VALUE", losskit.isotonic_calibration_apply, C, [0.5, 0.2], [0, 1])
    assert_error("INVALID_VALUE", losskit.isotonic_calibration_apply, C, [0.5, np.nan], [0, 1])
    assert_error("INVALID_SHAPE", losskit.isotonic_calibration_apply, C, [], [])


@PRECISIONS
def test_refused_calls_write_nothing(dtype):
    """Nulls, sizes and short buffers in C; whatever the status, RawCall looks at the outputs."""
    conf, z, p = C.astype(dtype), Z.astype(dtype), P.astype(dtype)
    flag = np.zeros(1, np.uint8)

    def out(*shape):
        return np.zeros(shape, dtype)

    fit = RawCall(
        "isotonic_calibration_fit", dtype, ("knots_x", "knots_y"), conf=conf, correct=R, count=6, sample_weight=None,
        centered=False, knots_x=out(7), knots_y=out(7), capacity=7, knot_count=np.zeros(1, np.intp),
    )  # fmt: skip
    assert fit() == "OK" and fit.arguments["knot_count"][0] == 6
    assert fit(capacity=5) == "BUFFER_TOO_SMALL" and fit.arguments["knot_count"][0] == 6
    assert fit(capacity=-1) == "INVALID_SHAPE"
    assert fit(count=-1) == "INVALID_SHAPE" and fit(count=2**62) == "INVALID_SHAPE"
    fit.inside_guards("end")
    fit.inside_guards("start")
    calls = [
        RawCall(
            "platt_scaling_fit", dtype, ("a", "b", "loss", "converged"), scores=conf, y=R, count=6,
            target_smoothing=True, a=out(1), b=out(1), loss=out(1), converged=flag.copy(),
        ),
        RawCall(
            "vector_scaling_fit", dtype, ("w", "b", "nll", "converged"), logits=z, y=YZ, count=4, classes=3, w=out(3),
            b=out(3), nll=out(1), converged=flag.copy(),
        ),
        RawCall(
            "dirichlet_calibration_fit", dtype, ("w", "b", "objective", "converged"), probs=p, y=YZ, count=4, classes=3,
            reg_lambda=0.1, reg_mu=0.1, eps=1e-12, w=out(3, 3), b=out(3), objective=out(1), converged=flag.copy(),
        ),
        RawCall(
            "correctness_aware_loss", dtype, ("loss", "grad"), logits=z, target=YZ, outer=4, classes=3, inner=1,
            balanced=True, reduction="mean", loss=out(1), grad=out(4, 3),
        ),
        RawCall(
            "isotonic_regression", dtype, ("output", "jacobian"), values=conf, count=6, sample_weight=None,
            increasing=True, output=out(6), jacobian=out(6, 6),
        ),
    ]  # fmt: skip
    for call in calls:
        call.inside_guards("end")
        call.inside_guards("start")
        assert call() == "OK"
        inputs = [k for k, v in call.arguments.items() if isinstance(v, np.ndarray) and k not in call.outputs]
        for name in inputs:
            assert call(**{name: None}) == "NULL_POINTER"
        size = "count" if "count" in call.arguments else "outer"
        for bad in (-1, 2**62):
            assert call(**{size: bad}) == "INVALID_SHAPE"


def test_same_bits():
    assert_same_bits("""
import warnings
warnings.simplefilter("ignore")
rng = np.random.default_rng(0)
for dtype in (np.float32, np.float64):
    s = dtype.__name__
    conf = rng.beta(1.5, 1.2, 30000).astype(dtype)
    y = (rng.random(30000) < conf).astype(int)
    z = rng.normal(0, 2, (3000, 7)).astype(dtype)
    t = np.where(rng.random(3000) < 0.5, z.argmax(1), rng.integers(0, 7, 3000))
    def keep(name, values):
        for i, value in enumerate(values if isinstance(values, tuple) else (values,)):
            results[f"{name}{i}{s}"] = np.asarray(value)
    keep("platt", losskit.platt_scaling_fit(conf, y))
    keep("beta", losskit.beta_calibration_fit(conf, y))
    keep("applied", losskit.beta_calibration_apply(conf, a=0.7, b=1.2, c=0.1))
    keep("binning", losskit.scaling_binning_fit(conf, y))
    keep("isotonic", losskit.isotonic_calibration_fit(conf, y))
    keep("vector", losskit.vector_scaling_fit(z, t))
    keep("matrix", losskit.matrix_scaling_fit(z, t))
    keep("ensemble", losskit.ensemble_temperature_scaling_fit(z, t, loss="ce", max_iter=50))
    keep("aware", losskit.correctness_aware_loss(z, t, grad=True))
    keep("multi", losskit.multicalibrate(conf, y, rng.random((30000, 3)) < 0.5, alpha=0.001))
""")
