"""Robust, normalized, polynomial and substitute losses: judged by formulas written from the definitions, in extended
precision, and by finite differences."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import RawCall, assert_error, assert_gradient, assert_same_bits, logit_arrays

import losskit

INF, NAN = math.inf, math.nan
REDUCTIONS = ["none", "mean", "sum"]
LOG_ZERO = math.log(1e-4)

Z = [[2, -1, 0.5], [0, 1, -2]]
Y = [0, 2]
Z_ADV = [[1.5, -0.5, 0.7], [0.2, 1.1, -2.5]]


# --- The definitions, in extended precision --------------------------------------------------------------------------


def probabilities(z):
    """p, 1 − p and ν = −log p of every class; all NaN in a row without probabilities."""
    x = z - np.where(np.isfinite(z.max(-1, keepdims=True)), z.max(-1, keepdims=True), 0)
    e = np.exp(x)
    others = e.sum(-1, keepdims=True) - e
    best = np.argmax(z, -1)[..., None]
    without = e.copy()
    np.put_along_axis(without, best, 0, -1)
    np.put_along_axis(others, best, without.sum(-1, keepdims=True), -1)
    log_odds = np.log(others) - x  # of the other classes
    log_odds[np.isnan(z).any(-1) | (z == INF).any(-1) | (z == -INF).all(-1)] = NAN
    return np.exp(-np.logaddexp(0, log_odds)), np.exp(-np.logaddexp(0, -log_odds)), np.logaddexp(0, log_odds)


def one(nu):
    return np.where(np.isnan(nu), NAN, np.longdouble(1))


def at(a, y):
    return np.take_along_axis(a, y[..., None], -1)[..., 0]


def one_hot(z, y):
    return (y[..., None] == np.arange(z.shape[-1])).astype(z.dtype)


def of_target(formula):
    """A loss of p_y from value and ψ, and the size of what the value is a sum of, where that may cancel."""

    def reference(z, y, **parameters):
        p, q, nu = probabilities(z)
        value, psi, *size = formula(at(p, y), at(q, y), at(nu, y), C=z.shape[-1], **parameters)
        e = one_hot(z, y)
        residual = np.where(e == 1, -q, p)
        return value, np.where(residual == 0, 0, psi[..., None] * residual) + 0 * p, None, *size

    return reference


def power(p, q, nu, exponent):
    """(1 − p^q)/q and p^q."""
    return (nu, one(nu)) if exponent == 0 else (-np.expm1(-exponent * nu) / exponent, np.exp(-exponent * nu))


def truncated(p, q, nu, C, exponent, k):
    value, psi = power(p, q, nu, exponent)
    cut = p <= k if k > 0 else p < 0
    return np.where(cut, (1 - k**exponent) / exponent, value), np.where(cut, 0, psi)


def focal(p, q, nu, gamma, detach=False):
    modulator = q**gamma + 0 * q
    ratio = np.where(q == 0, 1, nu / np.where(q == 0, 1, q))
    slope = np.where(p == 0, 0, gamma * p * modulator * ratio)
    return np.where(q == 0, 0, modulator * nu), modulator if detach else modulator + slope


def encouraging(p, q, nu, C, end, eps):
    if C == 1:
        return nu, one(nu)
    beyond = q < 1 - end
    inverse = 0 if end == 1 else 1 / (1 - np.longdouble(end))
    tangent = (np.log(1 - np.longdouble(end)) if end < 1 else 0) - (1 - end - q) * inverse
    bonus = np.where(beyond, tangent, np.log(np.maximum(q, eps)))
    return nu + bonus, np.where(beyond, 1 + p * inverse, np.where(q < eps, 1, 1 / q)) + 0 * p, nu + np.abs(bonus)


def polynomial(q, c):
    degrees = range(1, len(c) + 1)
    return sum((c[j - 1] * q**j for j in degrees), 0 * q), sum((j * c[j - 1] * q ** (j - 1) for j in degrees), 0 * q)


def poly_n(p, q, nu, C, c, with_nu):
    value, slope = polynomial(q, c)
    return (nu + value, 1 + p * slope) if with_nu else (value, p * slope)


def poly1_focal(p, q, nu, C, gamma, epsilon):
    value, psi = focal(p, q, nu, gamma)
    return value + epsilon * q ** (gamma + 1), psi + epsilon * (gamma + 1) * p * q**gamma


def scaled(value, factor):
    """0 for a factor of 0, also where the value is infinite."""
    return np.where(np.isinf(value) & (np.asarray(factor) == 0), 0, factor * value)


def normalized(terms):
    """v_y / Σ_k v_k, from v and ψ of every class."""

    def reference(z, y, **parameters):
        p, q, nu = probabilities(z)
        v, psi = terms(p, q, nu, **parameters)
        e = one_hot(z, y) == 1
        own, own_psi = at(v, y)[..., None], at(psi, y)[..., None]
        others = np.where(e, 0, v).sum(-1, keepdims=True)
        total = own + others
        l = np.where(np.isinf(own), 1, own / total)
        rest = np.where(np.isinf(others), 1, others / total)
        psi_others = np.where(e, 0, psi)
        # p_j Σ_{k≠y} ψ_k − ψ_j, without the class itself where its probability is large
        besides = p * (psi_others.sum(-1, keepdims=True) - psi_others) - q * psi_others
        gradient = (rest * own_psi * np.where(e, -q, p) - l * np.where(e, p * psi_others.sum(-1, keepdims=True), besides)) / total
        size = l * np.abs(psi).max(-1, keepdims=True) / total  # of the terms, which cancel where p_y is 0
        return l[..., 0], np.where(np.isinf(total), 0, gradient), np.where(np.isinf(total), 0, size)[..., 0]

    return reference


def brier(z, t):
    """For dense targets, and with one-hot ones for integers."""
    p, q, _ = probabilities(z)
    difference = np.where(p > 0.5, (1 - t) - q, p - t)
    loss = (difference**2).sum(-1)
    product = p * difference
    rest = np.where(p > 0.5, 0, product).sum(-1, keepdims=True)
    gradient = 2 * p * np.where(p > 0.5, q * difference - rest, difference - product.sum(-1, keepdims=True))
    return loss, gradient


def spherical_score(z, y):
    p, _, _ = probabilities(z)
    e = one_hot(z, y) == 1
    others = np.where(e, 0, p**2).sum(-1)
    own = at(p, y)
    norm = np.sqrt(own**2 + others)
    ratio = np.where(e, -others[..., None], p**2) / norm[..., None] ** 2
    return others / (norm * (norm + own)), (own / norm)[..., None] * ratio


def z_loss(z, y, a=1, b=0, eps=1e-12):
    C, e = z.shape[-1], one_hot(z, y)
    z = np.where(np.isinf(z).any(-1, keepdims=True), NAN, z)
    d = z - at(z, y)[..., None]
    mean = d.mean(-1, keepdims=True)
    deviation = np.sqrt(((d - mean) ** 2).mean(-1, keepdims=True))
    flat = deviation == 0
    safe = np.where(flat, 1, deviation)
    score = np.where(flat, 0, -mean / (safe + eps))
    u = a * (b - score)
    slope = -np.exp(-np.logaddexp(0, -u)) / (safe + eps)
    gradient = slope * (e - 1 / np.longdouble(C) - score * (d - mean) / (C * safe))
    if C == 2:  # the bracket is 0 but for ε
        gradient = slope * (2 * e - 1) / 2 * eps / (safe + eps)
    return (np.logaddexp(0, u) / a)[..., 0], np.where(flat, 0, gradient)


def substitute(h, slope, infinities=True):
    def reference(z, y, **parameters):
        bad = np.isinf(z) if infinities else z == INF
        z = np.where((bad | np.isnan(z)).any(-1, keepdims=True), NAN, z)
        e = one_hot(z, y) == 1
        values = h(z, **parameters)
        own, others = at(values, y), np.where(e, 0, values).sum(-1)
        total = own + others
        slopes = slope(z, values)
        at_target = -np.where(slopes == 0, 0, slopes / values) * (others / total)[..., None]
        return np.log1p(others / own), np.where(e, at_target, slopes / total[..., None]) + 0 * total[..., None]

    return reference


def stable(z):
    return np.where(z < 0, 1 / (1 + np.abs(z)), 1 + np.abs(z))


def square(z, y, k=1, M=1):
    undefined = (np.isnan(z) | (z == INF)).any(-1)
    C, e = z.shape[-1], one_hot(z, y) == 1
    masked = np.where(z == -INF, 0, z)
    own = at(z, y)[..., None]
    loss = (k * (own[..., 0] - M) ** 2 + np.where(e, 0, masked**2).sum(-1)) / C
    gradient = np.where(e, k * (own - M), masked) * 2 / C
    return np.where(undefined, NAN, loss), np.where(undefined[..., None], NAN, gradient)


def squentropy(z, y):
    nu_loss, nu_gradient = PARTS["ce"](z, y)[:2]
    C, e = z.shape[-1], one_hot(z, y) == 1
    rest = np.where(e | (z == -INF), 0, z)
    factor = 1 / np.longdouble(C - 1) if C > 1 else 0
    return nu_loss + factor * (rest**2).sum(-1), nu_gradient + 2 * factor * rest


def added(*parts):
    def reference(z, y):
        results = [(weight, *part(z, y), None)[:4] for weight, part in parts]
        sizes = [abs(w) * np.abs(g).max(-1) if size is None else abs(w) * size for w, _, g, size in results]
        return sum(scaled(l, w) for w, l, _, _ in results), sum(scaled(g, w) for w, _, g, _ in results), sum(sizes)

    return reference


PARTS = {
    "ce": of_target(lambda p, q, nu, C: (nu, one(nu))),
    "fl": of_target(lambda p, q, nu, C: focal(p, q, nu, 0.5)),
    "nce": normalized(lambda p, q, nu: (nu, one(nu))),
    "nfl": normalized(lambda p, q, nu: focal(p, q, nu, 0.5)),
    "gce": of_target(lambda p, q, nu, C: power(p, q, nu, 0.7)),
    "ngce": normalized(lambda p, q, nu: power(p, q, nu, 0.7)),
    "mae": of_target(lambda p, q, nu, C: (q, p)),
    "nmae": of_target(lambda p, q, nu, C: (q / (C - 1), p / (C - 1))),
    "rce": of_target(lambda p, q, nu, C: (-LOG_ZERO * q, -LOG_ZERO * p)),
    "nrce": of_target(lambda p, q, nu, C: (q / (C - 1), p / (C - 1))),
}


def combined(a, b, alpha, beta):
    return ("active_passive_loss", dict(active=a, passive=b, alpha=alpha, beta=beta), added((alpha, PARTS[a]), (beta, PARTS[b])))


comp_sum = lambda tau: of_target(lambda p, q, nu, C: power(p, q, nu, tau - 1))  # noqa: E731

# Function, parameters, reference. The exponent that a rounded 1 − p is raised to decides what its error does.
CASES = [
    *[("comp_sum_loss", dict(tau=tau), comp_sum(tau)) for tau in (0, 0.6, 1, 1.7, 2)],
    ("sum_exponential_loss", {}, comp_sum(0)),
    *[
        ("generalized_cross_entropy", dict(q=q, k=k), of_target(lambda p, q, nu, C, a=q, k=k: truncated(p, q, nu, C, a, k)))
        for q, k in ((0.7, 0), (1, 0), (0.01, 0), (0.7, 0.3))
    ],
    ("mae_softmax_loss", {}, PARTS["mae"]),
    ("mae_softmax_loss", dict(reduced=False), of_target(lambda p, q, nu, C: (2 * q, 2 * p))),
    ("normalized_mae_loss", {}, PARTS["nmae"]),
    ("reverse_cross_entropy", {}, PARTS["rce"]),
    ("normalized_reverse_cross_entropy", {}, PARTS["nrce"]),
    (
        "symmetric_cross_entropy",
        dict(alpha=6, beta=0.1),
        of_target(lambda p, q, nu, C: (6 * nu - 0.1 * LOG_ZERO * q, 6 - 0.1 * LOG_ZERO * p)),
    ),
    ("symmetric_cross_entropy", dict(alpha=0), PARTS["rce"]),
    ("normalized_cross_entropy", {}, PARTS["nce"]),
    ("normalized_focal_loss", {}, PARTS["nfl"]),
    ("normalized_focal_loss", dict(gamma=2), normalized(lambda p, q, nu: focal(p, q, nu, 2))),
    (
        "normalized_focal_loss",
        dict(gamma=1.3, detach_modulator=True),
        normalized(lambda p, q, nu: focal(p, q, nu, 1.3, True)),
    ),
    ("normalized_generalized_cross_entropy", {}, PARTS["ngce"]),
    ("normalized_generalized_cross_entropy", dict(q=0.03), normalized(lambda p, q, nu: power(p, q, nu, 0.03))),
    combined("nce", "mae", 1, 1),
    combined("nce", "rce", 10, 0.1),
    combined("nfl", "rce", 1, 2),
    combined("mae", "ngce", 3, 1),
    combined("fl", "gce", 1, 0.5),
    combined("ce", "nrce", 0, 2),
    combined("nce", "nfl", 1, 2),
    combined("ngce", "nfl", 0.5, 1),
    combined("nce", "nce", 1, 2),
    ("brier_loss", {}, lambda z, y: brier(z, one_hot(z, y))),
    ("spherical_score_loss", {}, spherical_score),
    ("z_loss", {}, z_loss),
    ("z_loss", dict(a=0.5, b=1, eps=0.1), lambda z, y: z_loss(z, y, 0.5, 1, 0.1)),
    ("log_taylor_softmax_loss", {}, substitute(lambda z: ((1 + z) ** 2 + 1) / 2, lambda z, h: 1 + z)),
    ("log_spherical_softmax_loss", dict(eps=1e-3), substitute(lambda z: z**2 + np.float64(1e-3), lambda z, h: 2 * z)),
    ("stablemax_cross_entropy", {}, substitute(stable, lambda z, h: np.where(z < 0, h**2, 1), infinities=False)),
    ("rescaled_square_loss", dict(k=15, M=30), lambda z, y: square(z, y, 15, 30)),
    ("squentropy_loss", {}, squentropy),
    ("poly1_cross_entropy", {}, of_target(lambda p, q, nu, C: (nu + q, 1 + p))),
    ("poly_n_cross_entropy", dict(epsilons=[1, -0.5, 2]), of_target(lambda *a, C: poly_n(*a, C, [1, -0.5, 2], True))),
    ("poly_n_cross_entropy", dict(epsilons=[]), PARTS["ce"]),
    ("poly_loss", dict(alphas=[1, 0.5]), of_target(lambda *a, C: poly_n(*a, C, [1, 0.5], False))),
    ("poly_loss", dict(alphas=[]), of_target(lambda p, q, nu, C: (0 * q, 0 * q))),
    ("poly1_focal_loss", dict(epsilon=0.7), of_target(lambda *a, C: poly1_focal(*a, C, 2, 0.7))),
    *[
        ("encouraging_loss", dict(log_end=end, eps=eps), of_target(lambda *a, C, end=end, eps=eps: encouraging(*a, C, end, eps)))
        for end, eps in ((0.75, 1e-5), (0.5, 1e-5), (1, 1e-5))
    ],
]
TWO_CLASSES = {"normalized_mae_loss", "normalized_reverse_cross_entropy", "normalized_cross_entropy", "normalized_focal_loss",
               "normalized_generalized_cross_entropy", "active_passive_loss"}  # fmt: skip
NAMES = sorted({name for name, _, _ in CASES})


# --- Comparison ------------------------------------------------------------------------------------------------------


def gap_of(z):
    """How far the logits of a row lie apart, up to where probabilities vanish: differences are rounded to 2^-24 of it."""
    finite = np.isfinite(z)
    gap = np.where(finite, z, -INF).max(-1) - np.where(finite, z, INF).min(-1)
    return np.where(np.isfinite(gap), np.minimum(np.maximum(gap, 0), 120), 0)


def check(actual, wanted, z, weights, reduction, axis, real):
    """Compares the loss, and the gradient by the largest entry of its row."""
    loss, gradient = actual
    losses, wanted_gradient, gradient_size, loss_size = (*wanted, None, None)[:4]
    gradient_size = np.abs(wanted_gradient).max(-1, initial=0) if gradient_size is None else gradient_size
    loss_size = np.abs(losses) if loss_size is None else loss_size
    tolerance = 3e-6 if real == np.float32 else 1e-12
    eps = 2.0**-24 if real == np.float32 else 2.0**-53
    slack = np.maximum(1, 3 * (1 / 3 + gap_of(z) * eps / tolerance))
    total = weights.sum()
    scale = 1 if reduction != "mean" else 1 / total if total else 0
    with np.errstate(all="ignore"):
        losses = np.where(np.abs(losses) > np.finfo(real).max, INF, losses)
        # Where the loss is too large for a number the gradient is ∞ (p − e), with a p that may have vanished.
        isolated = np.isinf(losses)
        wanted_gradient = wanted_gradient * (weights * scale)[..., None]
        losses, loss_size, gradient_size = losses * weights, loss_size * weights, gradient_size * weights * scale
    gradient = np.moveaxis(gradient, axis, -1)
    assert gradient.shape == wanted_gradient.shape
    assert gradient.dtype == np.asarray(loss).dtype == real
    largest = np.where(np.isfinite(wanted_gradient), np.abs(wanted_gradient), 0).max(-1, initial=0)
    largest = np.maximum(largest, np.where(np.isfinite(gradient_size), gradient_size, 0))
    isolated &= (np.abs(gradient) == INF).any(-1) | (weights == 0)
    assert not np.isnan(gradient[isolated & (weights > 0)]).any()
    gradient, wanted_gradient = np.where(isolated[..., None], 0, gradient), np.where(isolated[..., None], 0, wanted_gradient)
    # Extended precision ends as well.
    near(gradient, wanted_gradient, (tolerance * slack * largest + 1e-17 * weights * scale)[..., None], real)
    allowed = np.where(np.isfinite(losses), tolerance * slack * loss_size + 1e-17 * weights, 0)
    if reduction != "none":
        losses, allowed = losses.sum() * scale if scale else np.longdouble(0), np.max(slack, initial=1) * allowed.sum() * scale
    near(np.asarray(loss), losses, allowed, real)


def near(a, b, allowed, real):
    with np.errstate(all="ignore"):
        b = np.where(np.abs(b) > np.finfo(real).max, np.sign(b) * INF, b)
        a = a.astype(np.longdouble)
        same = (a == b) | (np.isnan(a) & np.isnan(b)) | (np.abs(a - b) <= allowed + np.finfo(real).tiny)
    worst = np.unravel_index(np.argmin(same), same.shape) if same.size else ()
    assert same.all(), f"at {worst}: {a[worst]!r}, expected {b[worst]!r}, allowed {np.broadcast_to(allowed, a.shape)[worst]:.3g}"


@st.composite
def labelled(draw, smallest=1):
    """(z, axis, y, sample weights or None, reduction)"""
    z, axis = draw(logit_arrays())
    if z.shape[axis] < smallest:
        z = np.concatenate([z, z - 1], axis)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    rows = tuple(np.delete(z.shape, axis))
    y = rng.integers(0, z.shape[axis], rows)
    if draw(st.booleans()):  # right as a rule
        y = np.where(rng.random(rows) < 0.7, np.argmax(np.nan_to_num(z, nan=-INF), axis), y)
    s = np.where(rng.random(rows) < 0.2, 0, rng.gamma(1, 1, rows)).astype(z.dtype) if draw(st.booleans()) else None
    return z, axis, y, s, draw(st.sampled_from(REDUCTIONS))


def rows_last(z, axis, s):
    rows = np.moveaxis(z, axis, -1).astype(np.longdouble)
    return rows, np.ones(rows.shape[:-1]) if s is None else s.astype(np.float64)


@pytest.mark.parametrize("case", CASES, ids=[f"{name}-{i}" for i, (name, _, _) in enumerate(CASES)])
@given(data=st.data())
@settings(max_examples=25)
def test_it_follows_its_definition(case, data):
    name, parameters, reference = case
    z, axis, y, s, reduction = data.draw(labelled(2 if name in TWO_CLASSES else 1))
    actual = getattr(losskit, name)(z, y, **parameters, reduction=reduction, sample_weight=s, grad=True, axis=axis)
    rows, weights = rows_last(z, axis, s)
    with np.errstate(all="ignore"):
        wanted = reference(rows, y)
    check(actual, wanted, rows, weights, reduction, axis, z.dtype)
    without = getattr(losskit, name)(z, y, **parameters, reduction=reduction, sample_weight=s, axis=axis)
    np.testing.assert_array_equal(without, actual[0])


# --- Dense targets, second inputs ------------------------------------------------------------------------------------


def poly1(z, t, weight, epsilon):
    p, q, nu = probabilities(z)
    with np.errstate(all="ignore"):
        counts, factor = t != 0, t * weight
        loss = np.where(counts & (weight != 0), factor * nu, 0).sum(-1) + np.where(counts, epsilon * t * q, 0).sum(-1)
        psi = np.where(counts, factor + epsilon * t * p, 0)
        rest = psi.sum(-1, keepdims=True) - psi
        size = np.maximum(np.abs(psi), p * np.abs(psi).sum(-1, keepdims=True)).max(-1)
    undefined = np.isnan(p).any(-1)
    return np.where(undefined, NAN, loss), np.where(undefined[..., None], NAN, p * rest - q * psi), size


def dense_targets(z, axis, rng):
    """Like probabilities, with some zeros and some rows one-hot."""
    t = rng.gamma(0.5, 1, np.moveaxis(z, axis, -1).shape)
    t[rng.random(t.shape) < 0.2] = 0
    hot = rng.integers(0, t.shape[-1], t.shape[:-1])
    certain = (rng.random(t.shape[:-1]) < 0.3) | (t.sum(-1) == 0)
    t[certain] = one_hot(t, hot)[certain]
    return np.moveaxis(t / t.sum(-1, keepdims=True), -1, axis).astype(z.dtype)


@given(labelled(), st.integers(0, 2**32 - 1))
@settings(max_examples=40)
def test_dense_brier_loss_follows_its_definition(drawn, seed):
    z, axis, _, s, reduction = drawn
    t = dense_targets(z, axis, np.random.default_rng(seed))
    actual = losskit.brier_loss(z, t, reduction=reduction, sample_weight=s, grad=True, axis=axis)
    rows, weights = rows_last(z, axis, s)
    t = np.moveaxis(t, axis, -1).astype(np.longdouble)
    with np.errstate(all="ignore"):
        loss, gradient = brier(rows, t)
        p, q, _ = probabilities(rows)
        difference = np.abs(np.where(p > 0.5, (1 - t) - q, p - t))
        size = 2 * (p * (difference + (p * difference).sum(-1, keepdims=True))).max(-1)
    check(actual, (loss, gradient, size), rows, weights, reduction, axis, z.dtype)


@given(labelled(), st.integers(0, 2**32 - 1), st.sampled_from([0, 0.1, 1]), st.booleans(), st.booleans())
@settings(max_examples=60)
def test_poly1_cross_entropy_follows_its_definition(drawn, seed, smoothing, is_dense, is_weighted):
    z, axis, y, s, reduction = drawn
    rng = np.random.default_rng(seed)
    rows, weights = rows_last(z, axis, s)
    C = rows.shape[-1]
    weight = np.where(rng.random(C) < 0.2, 0, rng.gamma(1, 1, C)).astype(z.dtype) if is_weighted else None
    target = dense_targets(z, axis, rng) if is_dense else y
    actual = losskit.poly1_cross_entropy(
        z, target, epsilon=0.7, label_smoothing=smoothing, weight=weight, reduction=reduction, sample_weight=s, grad=True,
        axis=axis,
    )  # fmt: skip
    t = np.moveaxis(target, axis, -1).astype(np.longdouble) if is_dense else one_hot(rows, y)
    w = np.ones(C) if weight is None else weight.astype(np.longdouble)
    wanted = poly1(rows, (1 - smoothing) * t + smoothing / np.longdouble(C), w, 0.7)
    check(actual, wanted, rows, weights, reduction, axis, z.dtype)


def test_the_factor_of_poly1_focal_loss_belongs_to_the_focal_part(dtype, rng):
    z, y, alpha = rng.normal(0, 3, (20, 5)).astype(dtype), rng.integers(0, 5, 20), np.array([0, 0.5, 1, 2, 3], dtype)
    options = dict(reduction="none", grad=True)
    both = losskit.poly1_focal_loss(z, y, alpha=alpha, epsilon=0.7, **options)
    focal_part = losskit.focal_loss(z, y, alpha=alpha, **options)
    rest = losskit.poly_loss(z, y, alphas=[0, 0, 0.7], **options)
    for sum_of, a, b in zip(both, focal_part, rest, strict=True):
        np.testing.assert_allclose(sum_of, a + b, rtol=1e-5, atol=1e-7)


def smooth_adversarial(z, z_adv, y, tau, rho, nu):
    loss, gradient = comp_sum(tau)(z / np.longdouble(rho), y)[:2]
    shift = z_adv - z
    shift[(z == z_adv) & (z == -INF)] = 0
    r = at(shift, y)[..., None] - shift
    r[(z == z_adv) & (z == -INF)] = 0
    norm = np.sqrt((r**2).sum(-1, keepdims=True))
    n = np.where(norm == 0, 0, r / np.where(norm == 0, 1, norm))
    b = nu * (one_hot(z, y) * n.sum(-1, keepdims=True) - n)
    return loss + nu * norm[..., 0], gradient / rho - b, b


@given(labelled(), st.integers(0, 2**32 - 1), st.sampled_from([(1, 2, 0.5), (1.7, 1, 1), (1, 1, 0)]))
@settings(max_examples=40)
def test_smooth_adversarial_loss_follows_its_definition(drawn, seed, parameters):
    z, axis, y, s, reduction = drawn
    change = np.random.default_rng(seed).normal(0, 0.3, z.shape).astype(z.dtype)
    with np.errstate(all="ignore"):
        z_adv = np.where(np.isfinite(z), z + change, z)
    tau, rho, nu = parameters
    loss, gradients = losskit.smooth_adversarial_comp_sum_loss(
        z, z_adv, y, tau=tau, rho=rho, nu=nu, reduction=reduction, sample_weight=s, grad=True, axis=axis
    )
    rows, weights = rows_last(z, axis, s)
    adversarial = np.moveaxis(z_adv, axis, -1).astype(np.longdouble)
    with np.errstate(all="ignore"):
        value, clean, attacked = smooth_adversarial(rows, adversarial, y, tau, rho, nu)
        size = np.maximum(np.abs(clean), np.abs(attacked)).max(-1)
    check((loss, gradients[0]), (value, clean, size), rows, weights, reduction, axis, z.dtype)
    attacked = np.where(np.isnan(attacked).any(-1, keepdims=True), NAN, attacked)
    check((loss, gradients[1]), (value, attacked, size), rows, weights, reduction, axis, z.dtype)


@given(labelled(), st.integers(0, 2**32 - 1), st.booleans(), st.booleans(), st.sampled_from([1e-7, 0.01]))
@settings(max_examples=60)
def test_cross_entropy_from_probs_follows_its_definition(drawn, seed, normalize, is_dense, eps):
    z, axis, y, s, reduction = drawn
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):
        p = np.exp(-np.abs(rng.normal(0, 3, z.shape))) * np.where(rng.random(z.shape) < 0.1, 0.99999, 0.5)
        p = np.where(rng.random(z.shape) < 0.1, 1e-6, p).astype(z.dtype)
        p[np.isnan(z)] = NAN
    target = dense_targets(p, axis, rng) if is_dense else y
    actual = losskit.cross_entropy_from_probs(
        p, target, eps=eps, normalize=normalize, reduction=reduction, sample_weight=s, grad=True, axis=axis
    )
    rows, weights = rows_last(p, axis, s)
    t = np.moveaxis(target, axis, -1).astype(np.longdouble) if is_dense else one_hot(rows, y)
    total = rows.sum(-1, keepdims=True) if normalize else np.longdouble(1)
    r = rows / total
    inside = (r >= eps) & (r <= 1 - eps)
    loss = -(t * np.log(np.clip(r, eps, 1 - np.longdouble(eps)))).sum(-1)
    v = np.where(inside, -t / np.where(inside, r, 1), 0)
    gradient = (v - (v * r).sum(-1, keepdims=True)) / total if normalize else v
    undefined = np.isnan(rows).any(-1)
    loss, gradient = np.where(undefined, NAN, loss), np.where(undefined[..., None], NAN, gradient)
    size = (np.abs(v) / total).max(-1)
    check(actual, (loss, gradient, size), np.zeros_like(rows), weights, reduction, axis, p.dtype)


@given(logit_arrays(), st.integers(0, 2**32 - 1), st.sampled_from(REDUCTIONS))
def test_hessian_vector_product_follows_its_definition(drawn, seed, reduction):
    z, axis = drawn
    v = np.random.default_rng(seed).normal(0, 1, z.shape).astype(z.dtype)
    out = losskit.softmax_cross_entropy_hvp(z, v, reduction=reduction, axis=axis)
    rows, weights = rows_last(z, axis, None)
    x = np.moveaxis(v, axis, -1).astype(np.longdouble)
    with np.errstate(all="ignore"):
        p = probabilities(rows)[0]
        shift = np.take_along_axis(x, np.argmax(p, -1)[..., None], -1)
        wanted = p * ((x - shift) - (p * (x - shift)).sum(-1, keepdims=True))
        size = (p * np.abs(x - shift)).max(-1)
    zero = np.zeros(rows.shape[:-1], z.dtype) if reduction == "none" else z.dtype.type(0)
    check((zero, out), (0 * weights, wanted, size), rows, weights, reduction, axis, z.dtype)


# --- Worked examples, finite differences -----------------------------------------------------------------------------

# Parameters, losses and gradients as the definitions give them.
EXAMPLES = [
    ("comp_sum_loss", dict(tau=1.7), [0.2220311, 1.291552], [[-0.1810801, 0.03303363, 0.1480464], [0.02488921, 0.0676559, -0.09254511]]),
    ("sum_exponential_loss", {}, [0.2729172, 27.47459], [[-0.2729172, 0.04978707, 0.2231302], [7.389056, 20.08554, -27.47459]]),
    ("generalized_cross_entropy", {}, [0.2220311, 1.291552], [[-0.1810801, 0.03303363, 0.1480464], [0.02488921, 0.0676559, -0.09254511]]),
    ("mae_softmax_loss", {}, [0.214403, 0.964881], [[-0.1684343, 0.03072672, 0.1377076], [0.009113263, 0.02477242, -0.03388568]]),
    ("reverse_cross_entropy", {}, [1.974724, 8.886882], [[-1.551338, 0.2830036, 1.268334], [0.08393626, 0.2281624, -0.3120987]]),
    ("symmetric_cross_entropy", {}, [1.998855, 9.221783], [[-1.572778, 0.2869148, 1.285863], [0.1098859, 0.2987009, -0.4085868]]),
    ("normalized_cross_entropy", {}, [0.04619341, 0.6635601], [[-0.05304006, 0.01529226, 0.0377478], [0.08053876, -0.006984387, -0.07355437]]),
    ("normalized_focal_loss", dict(gamma=0.5), [0.02294198, 0.7089862], [[-0.03657022, 0.009770722, 0.0267995], [0.106829, -0.03392319, -0.07290585]]),
    ("normalized_generalized_cross_entropy", {}, [0.08848641, 0.5220224], [[-0.0768335, 0.01509694, 0.06173656], [0.02269376, 0.003870805, -0.02656457]]),
    ("normalized_mae_loss", {}, [0.1072015, 0.4824405], [[-0.08421717, 0.01536336, 0.06885381], [0.004556632, 0.01238621, -0.01694284]]),
    ("normalized_reverse_cross_entropy", {}, [0.1072015, 0.4824405], [[-0.08421717, 0.01536336, 0.06885381], [0.004556632, 0.01238621, -0.01694284]]),
    ("active_passive_loss", dict(active="nce", passive="rce"), [2.020918, 9.550442], [[-1.604378, 0.2982958, 1.306082], [0.164475, 0.221178, -0.385653]]),
    ("brier_loss", {}, [0.07822515, 1.495901], [[-0.1229069, 0.01371212, 0.1091948], [-0.1409188, 0.245988, -0.1050692]]),
    ("spherical_score_loss", {}, [0.02515119, 0.9533254], [[-0.04842053, 0.002296386, 0.04612415], [0.005551632, 0.04102132, -0.04657295]]),
    ("z_loss", dict(a=0.5, b=1.0), [1.277077, 2.877796], [[-0.06422241, -0.06422241, 0.1284448], [0.1310592, -0.08737278, -0.04368639]]),
    ("log_taylor_softmax_loss", {}, [0.3541718, 1.504077], [[-0.1789474, 0, 0.2105263], [0.2222222, 0.4444444, 0.7777778]]),
    ("log_spherical_softmax_loss", {}, [0.271934, 0.2231439], [[-0.2380954, -0.3809522, 0.1904761], [0, 0.3999998, 0.2000002]]),
    ("stablemax_cross_entropy", {}, [0.5108256, 2.302585], [[-0.1333333, 0.05, 0.2], [0.3, 0.3, -0.3]]),
    ("rescaled_square_loss", dict(k=5.0, M=2.0), [0.4166667, 27], [[0, -0.6666667, 0.3333333], [0, 0.6666667, -13.33333]]),
    ("squentropy_loss", {}, [0.8663113, 3.849012], [[-0.214403, -0.9608874, 0.6752904], [0.2594965, 1.705385, -0.964881]]),
    ("poly1_cross_entropy", dict(label_smoothing=0.1), [0.6509406, 4.117405], [[-0.2993272, 0.03343329, 0.2658939], [0.2343651, 0.6943464, -0.9287114]]),
    ("poly_n_cross_entropy", dict(epsilons=[1.0, 0.5]), [0.4786986, 4.779391], [[-0.4189501, 0.0764272, 0.3425229], [0.2774029, 0.7540594, -1.031462]]),
    ("poly_loss", dict(alphas=[1.0, 0.5]), [0.2373873, 1.430379], [[-0.2045472, 0.03731462, 0.1672325], [0.01790648, 0.04867485, -0.06658133]]),
    ("poly1_focal_loss", {}, [0.02094856, 4.016214], [[-0.05051276, 0.009214817, 0.04129794], [0.3259404, 0.8859978, -1.211938]]),
    ("encouraging_loss", {}, [-1.287371, 3.313262], [[-0.8881403, 0.1620195, 0.7261208], [0.2689414, 0.7310586, -1]]),
    ("cross_entropy_from_probs", dict(z=[[0.2, 0.5, 0.3], [1, 1, 2]]), [1.609438, 0.6931472], [[-4, 1, 1], [0.25, 0.25, -0.25]]),
]  # fmt: skip


@pytest.mark.parametrize("example", EXAMPLES, ids=[name for name, *_ in EXAMPLES])
def test_worked_example(example, dtype):
    name, parameters, *wanted = example
    z = np.array(parameters.get("z", Z), dtype)
    parameters = {key: value for key, value in parameters.items() if key != "z"}
    actual = getattr(losskit, name)(z, Y, **parameters, reduction="none", grad=True)
    for result, expected in zip(actual, wanted, strict=True):
        assert result.dtype == dtype
        np.testing.assert_allclose(result, expected, rtol=6e-6 if dtype == np.float32 else 6e-7, atol=1e-7)


def test_worked_example_of_the_smooth_adversarial_loss(dtype):
    loss, gradients = losskit.smooth_adversarial_comp_sum_loss(
        np.array(Z, dtype), np.array(Z_ADV, dtype), Y, rho=2.0, nu=0.5, reduction="none", grad=True
    )
    np.testing.assert_allclose(loss, [1.138304, 2.565108], rtol=1e-6)
    wanted = [
        [[0.491246, -0.3438151, -0.1474308], [-0.2138788, -0.05212099, 0.2659998]],
        [[-0.6963471, 0.409616, 0.2867312], [0.3796283, 0.3253957, -0.705024]],
    ]
    np.testing.assert_allclose(gradients, wanted, rtol=1e-5)


def test_worked_example_of_the_hessian_vector_product(dtype):
    z, v = np.array(Z, dtype), np.array([[1, 0, -1], [0.5, 2, 0]], dtype)
    wanted = np.array([[0.3061419, -0.02387066, -0.2822713], [-0.2700105, 0.324112, -0.05410147]])
    for reduction, factor in (("none", 1), ("sum", 1), ("mean", 0.5)):
        np.testing.assert_allclose(losskit.softmax_cross_entropy_hvp(z, v, reduction=reduction), factor * wanted, rtol=3e-6)


@pytest.mark.parametrize("case", CASES, ids=[f"{name}-{i}" for i, (name, _, _) in enumerate(CASES)])
@pytest.mark.parametrize("classes", [2, 3, 40])
def test_gradient_by_finite_differences(case, classes, rng):
    name, parameters, _ = case
    if parameters.get("detach_modulator"):
        pytest.skip("the gradient of a detached modulator is not that of the loss")
    z, y, s = rng.normal(0, 1.5, (4, classes)), rng.integers(0, classes, 4), rng.gamma(1, 1, 4)
    function = lambda z: getattr(losskit, name)(z, y, **parameters, sample_weight=s)  # noqa: E731
    gradient = getattr(losskit, name)(z, y, **parameters, sample_weight=s, grad=True)[1]
    assert_gradient(function, z, gradient, tolerance=1e-7)


def test_gradients_of_other_inputs_by_finite_differences(rng):
    z, z_adv, y = rng.normal(0, 1, (4, 5)), rng.normal(0, 1, (4, 5)), rng.integers(0, 5, 4)
    t = rng.dirichlet(np.ones(5), 4)
    loss = lambda z, z_adv: losskit.smooth_adversarial_comp_sum_loss(z, z_adv, y, tau=0.6, rho=1.5)  # noqa: E731
    _, (grad, grad_adv) = losskit.smooth_adversarial_comp_sum_loss(z, z_adv, y, tau=0.6, rho=1.5, grad=True)
    assert_gradient(lambda z: loss(z, z_adv), z, grad)
    assert_gradient(lambda z_adv: loss(z, z_adv), z_adv, grad_adv)
    for function in (losskit.brier_loss, lambda z, t, **o: losskit.poly1_cross_entropy(z, t, weight=[1, 2, 3, 0, 1], **o)):
        assert_gradient(lambda z, f=function: f(z, t), z, function(z, t, grad=True)[1])
    p = rng.dirichlet(np.ones(5), 4) + 0.05
    for target in (y, t):
        for normalize in (True, False):
            f = lambda p, **o: losskit.cross_entropy_from_probs(p, target, normalize=normalize, **o)  # noqa: B023, E731
            assert_gradient(f, p, f(p, grad=True)[1], step=1e-4)


# --- Edge cases ------------------------------------------------------------------------------------------------------


def test_nearly_certain_rows_keep_their_digits(dtype):
    """1 − p is far below the last place of p: at the target, and at another class."""
    z = np.array([[0, 25, 1], [25, 0, 1], [9, 9, -30]], np.float64)
    for name, parameters, reference in CASES:
        if name in ("z_loss", "rescaled_square_loss", "encouraging_loss") or "log_" in name or "stable" in name:
            continue  # no softmax, or a value that crosses 0
        y = np.array([1, 1, 0])
        loss, gradient = getattr(losskit, name)(z.astype(dtype), y, **parameters, reduction="none", grad=True)
        with np.errstate(all="ignore"):
            wanted, wanted_gradient, *_ = reference(z.astype(np.longdouble), y)
        tolerance = 6e-6 if dtype == np.float32 else 1e-11
        np.testing.assert_allclose(loss, wanted.astype(float), rtol=tolerance, err_msg=name)
        largest = np.abs(wanted_gradient).max(-1, keepdims=True)
        assert (np.abs(gradient - wanted_gradient) <= tolerance * largest).all(), name


def test_two_classes_and_a_confident_mistake(dtype):
    """The gradient of a normalized loss vanishes with 1 − p of the other class."""
    z, y = np.array([[0, 20]], dtype), np.array([0])
    for name, parameters, reference in CASES:
        if name in TWO_CLASSES or name in ("brier_loss", "spherical_score_loss"):
            gradient = getattr(losskit, name)(z, y, **parameters, grad=True)[1]
            wanted = reference(z.astype(np.longdouble), y)[1]
            tolerance = 1e-5 if dtype == np.float32 else 1e-11
            assert np.abs(gradient - wanted).max() <= tolerance * np.abs(wanted).max(), (name, parameters)


@pytest.mark.parametrize("name", NAMES)
def test_no_rows_and_weights_of_zero_give_zero(name, dtype):
    parameters = {"poly_loss": {"alphas": [1.0]}, "poly_n_cross_entropy": {"epsilons": [1.0]}}.get(name, {})
    function = getattr(losskit, name)
    for reduction in ("mean", "sum"):
        loss, gradient = function(np.empty((0, 3), dtype), [], **parameters, reduction=reduction, grad=True)
        assert loss == 0 and gradient.shape == (0, 3)
    z = np.array(Z, dtype)
    loss, gradient = function(z, Y, **parameters, sample_weight=np.zeros(2, dtype), grad=True)
    assert loss == 0 and (gradient == 0).all()


def test_an_encouraging_loss_of_one_class_is_zero(dtype):
    loss, gradient = losskit.encouraging_loss(np.array([[3], [NAN]], dtype), [0, 0], reduction="none", grad=True)
    np.testing.assert_array_equal(loss, [0, NAN])
    np.testing.assert_array_equal(np.abs(gradient), [[0], [NAN]])


def test_probabilities_that_sum_to_zero_give_nan(dtype):
    for target in ([0], np.array([[1, 0]], dtype)):
        loss, gradient = losskit.cross_entropy_from_probs(np.zeros((1, 2), dtype), target, grad=True)
        assert np.isnan(loss) and np.isnan(gradient).all()


# --- What is refused -------------------------------------------------------------------------------------------------

REFUSED = [
    ("comp_sum_loss", dict(tau=[-0.1, NAN, INF])),
    ("generalized_cross_entropy", dict(q=[0, 1.1, NAN], k=[-0.1, 1, NAN])),
    ("reverse_cross_entropy", dict(log_zero=[0, 1, NAN, -INF])),
    ("symmetric_cross_entropy", dict(alpha=[NAN], beta=[INF], log_zero=[0])),
    ("normalized_focal_loss", dict(gamma=[-1, NAN])),
    ("normalized_generalized_cross_entropy", dict(q=[0, 1.1])),
    ("active_passive_loss", dict(alpha=[NAN], gamma=[-1], q=[0, 2], log_zero=[0], active=["kl"], passive=[""])),
    ("z_loss", dict(a=[0, -1, NAN], b=[NAN], eps=[-1, NAN])),
    ("log_spherical_softmax_loss", dict(eps=[0, -1, NAN])),
    ("rescaled_square_loss", dict(k=[NAN], M=[INF])),
    ("poly1_cross_entropy", dict(epsilon=[NAN], label_smoothing=[-0.1, 1.1, NAN])),
    ("poly_n_cross_entropy", dict(epsilons=[[NAN], [[1.0]]])),
    ("poly_loss", dict(alphas=[[INF], 1.0])),
    ("poly1_focal_loss", dict(gamma=[-1, INF], epsilon=[NAN])),
    ("encouraging_loss", dict(log_end=[0, 1.1, NAN], eps=[0, 1, NAN])),
    ("cross_entropy_from_probs", dict(eps=[0, 0.5, NAN])),
]


@pytest.mark.parametrize(("name", "refused"), REFUSED, ids=[name for name, _ in REFUSED])
def test_parameters_out_of_range_are_refused(name, refused):
    required = {"poly_loss": {"alphas": [1.0]}, "poly_n_cross_entropy": {"epsilons": [1.0]}}.get(name, {})
    for parameter, values in refused.items():
        for value in values:
            assert_error("INVALID_PARAMETER", getattr(losskit, name), Z, Y, **{**required, parameter: value})
    for value in (dict(rho=0), dict(nu=-1), dict(tau=NAN)):
        assert_error("INVALID_PARAMETER", losskit.smooth_adversarial_comp_sum_loss, Z, Z_ADV, Y, **value)


C_VALUES = dict(tau=1.0, q=0.7, k=0.5, reduced=True, log_zero=-4.0, alpha=None, beta=1.0, gamma=0.5, detach_modulator=False,
                active="nce", passive="mae", a=1.0, b=0.0, eps=1e-6, m=1.0, epsilon=1.0, label_smoothing=0.1, weight=None,
                n=2, epsilons=np.ones(2), alphas=np.ones(2), log_end=0.75, normalize=True)  # fmt: skip


@pytest.mark.parametrize("name", [*NAMES, "brier_loss_dense", "poly1_cross_entropy_dense", "cross_entropy_from_probs",
                                  "cross_entropy_from_probs_dense"])  # fmt: skip
def test_a_refused_call_writes_nothing(name, dtype):
    from losskit import _core

    parameters = [parameter for parameter, _ in _core._prototypes.FUNCTIONS[name][1]]
    first, target = parameters[:2]
    is_dense = name.endswith("_dense")
    arguments = {key: value for key, value in C_VALUES.items() if key in parameters}
    if name in ("symmetric_cross_entropy", "active_passive_loss"):
        arguments["alpha"] = 1.0
    arguments[first] = np.abs(np.array(Z, dtype)) + 1
    arguments[target] = np.ones((2, 3), dtype) if is_dense else np.array(Y)
    arguments.update(outer=2, classes=3, inner=1, reduction="mean", sample_weight=np.ones(2, dtype))
    call = RawCall(name, dtype, ("loss", "grad"), **arguments, loss=np.zeros((), dtype), grad=np.zeros((2, 3), dtype))
    assert call() == call(loss=None) == call(grad=None) == call(loss=None, grad=None, sample_weight=None) == "OK"
    assert call(outer=-1) == call(classes=0) == call(inner=-1) == call(outer=2**62, inner=4) == "INVALID_SHAPE"
    assert call(**{first: None}) == call(**{target: None}) == "NULL_POINTER"
    assert call(sample_weight=np.array([1, -1], dtype)) == "INVALID_VALUE"
    assert call(sample_weight=np.array([1, NAN], dtype)) == "INVALID_VALUE"
    if not is_dense:
        for bad in (-1, 3, -100, 2**40):
            assert call(**{target: np.array([0, bad])}) == "INVALID_TARGET"
    if name in TWO_CLASSES:
        assert call(classes=1) == "INVALID_SHAPE"
    if "weight" in parameters:
        assert call(weight=np.array([1, -1, 0], dtype)) == "INVALID_VALUE"
    for coefficients in {"epsilons", "alphas"} & set(parameters):
        assert call(**{coefficients: None}) == "NULL_POINTER" and call(**{coefficients: None, "n": 0}) == "OK"
        assert call(n=-1) == "INVALID_SHAPE"
    call.inside_guards("end"), call.inside_guards("begin")


def test_a_refused_call_of_the_others_writes_nothing(dtype):
    z = np.array(Z, dtype)
    call = RawCall(
        "smooth_adversarial_comp_sum_loss", dtype, ("loss", "grad_z", "grad_z_adv"), z=z, z_adv=z + 1, target=np.array(Y),
        outer=2, classes=3, inner=1, tau=1.0, rho=1.0, nu=1.0, reduction="mean", sample_weight=None,
        loss=np.zeros((), dtype), grad_z=np.zeros_like(z), grad_z_adv=np.zeros_like(z),
    )  # fmt: skip
    assert call() == call(loss=None, grad_z=None) == call(grad_z_adv=None) == "OK"
    assert call(z=None) == call(z_adv=None) == call(target=None) == "NULL_POINTER"
    assert call(target=np.array([0, 3])) == "INVALID_TARGET"
    assert call(sample_weight=np.array([-1, 1], dtype)) == "INVALID_VALUE"
    assert call(classes=0) == "INVALID_SHAPE"
    call = RawCall(
        "softmax_cross_entropy_hvp", dtype, ("out",), z=z, v=z, outer=2, classes=3, inner=1, reduction="none",
        out=np.zeros_like(z),
    )  # fmt: skip
    assert call() == "OK" and call(z=None) == call(v=None) == call(out=None) == "NULL_POINTER"
    assert call(classes=-1) == "INVALID_SHAPE" and call(outer=0, z=None, v=None, out=None) == "OK"


# --- Threads and instruction sets ------------------------------------------------------------------------------------

SAME_BITS = """
import inspect
rng = np.random.default_rng(1)
for shape, axis in (((400, 300), -1), ((3000, 20), -1), ((30, 7, 90), 1)):
    for dtype in (np.float32, np.float64):
        z = rng.normal(0, 3, shape).astype(dtype)
        y = rng.integers(0, shape[axis], np.delete(shape, axis))
        for name, parameters in {cases!r}:
            loss, grad = getattr(losskit, name)(z, y, **parameters, grad=True, axis=axis)
            results[f"{{name}}{{parameters}} {{shape}} {{dtype.__name__}}"] = np.append(grad.sum(0).ravel(), loss)
        t = np.abs(z)
        for name in ("brier_loss", "poly1_cross_entropy", "cross_entropy_from_probs"):
            loss, grad = getattr(losskit, name)(t if "probs" in name else z, t, grad=True, axis=axis)
            results[f"{{name}} dense {{shape}} {{dtype.__name__}}"] = np.append(grad.sum(0).ravel(), loss)
        loss, (a, b) = losskit.smooth_adversarial_comp_sum_loss(z, z[::-1].copy(), y, grad=True, axis=axis)
        results[f"adversarial {{shape}} {{dtype.__name__}}"] = np.append((a - 3 * b).sum(0).ravel(), loss)
        hvp = losskit.softmax_cross_entropy_hvp(z, t, axis=axis)
        results[f"hvp {{shape}} {{dtype.__name__}}"] = hvp.sum(0)
"""


def test_every_instruction_set_and_thread_count_gives_the_same_bits():
    assert_same_bits(SAME_BITS.format(cases=[(name, parameters) for name, parameters, _ in CASES]))
