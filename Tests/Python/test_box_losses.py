"""Losses of boxes: judged by NumPy float64 formulas written from the definitions, finite differences, torchvision."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits, finite_difference

import losskit

INF, NAN = math.inf, math.nan
REDUCTIONS = ["none", "mean", "sum"]

# --- The definitions, in NumPy. `held` are the boxes that constants of the gradient are computed from. ----------------


class Pieces:
    """What the losses are made of: row i of b1 with row i of b2."""

    def __init__(self, b1, b2, eps):
        b1, b2 = (np.asarray(b, np.float64) for b in (b1, b2))
        iw, ih = (np.minimum(b1[:, i + 2], b2[:, i + 2]) - np.maximum(b1[:, i], b2[:, i]) for i in (0, 1))
        self.cw, self.ch = (np.maximum(b1[:, i + 2], b2[:, i + 2]) - np.minimum(b1[:, i], b2[:, i]) for i in (0, 1))
        self.w1, self.h1, self.w2, self.h2 = (b[:, i + 2] - b[:, i] for b in (b1, b2) for i in (0, 1))
        self.i = np.where((iw > 0) & (ih > 0), iw * ih, 0)
        self.u = self.w1 * self.h1 + self.w2 * self.h2 - self.i
        self.c, self.eps = self.cw * self.ch, eps
        self.iou = self.i / (self.u + eps)
        self.dx, self.dy = ((b2[:, i] + b2[:, i + 2] - b1[:, i] - b1[:, i + 2]) / 2 for i in (0, 1))
        self.distance = (self.dx**2 + self.dy**2) / (self.cw**2 + self.ch**2 + eps)
        self.v = 4 / math.pi**2 * (np.arctan2(self.w2, self.h2) - np.arctan2(self.w1, self.h1)) ** 2
        self.alpha = self.v / (1 - self.iou + self.v + eps)


def box_iou(p, held, form="linear"):
    return {"linear": 1 - p.iou, "square": 1 - p.iou**2, "log": -np.log(np.maximum(p.iou, p.eps))}[form]


def generalized(p, held):
    return 1 - p.iou + (p.c - p.u) / (p.c + p.eps)


def distance(p, held):
    return 1 - p.iou + p.distance


def complete(p, held):
    return distance(p, held) + held.alpha * p.v


def efficient(p, held, gamma=0.0):
    sizes = (p.w1 - p.w2) ** 2 / (p.cw**2 + p.eps) + (p.h1 - p.h2) ** 2 / (p.ch**2 + p.eps)
    return (distance(p, held) + sizes) * (held.iou**gamma if gamma > 0 else 1)


def scylla(p, held, theta=4.0):
    angle = 2 * abs(p.dx) * abs(p.dy) / (p.dx**2 + p.dy**2 + p.eps)
    rho = [(d / (c + p.eps)) ** 2 for d, c in ((p.dx, p.cw), (p.dy, p.ch))]
    omega = [abs(a - b) / (np.maximum(a, b) + p.eps) for a, b in ((p.w1, p.w2), (p.h1, p.h2))]
    distances = sum(1 - np.exp(-(2 - angle) * r) for r in rho)
    return 1 - p.iou + (distances + sum((1 - np.exp(-o)) ** theta for o in omega)) / 2


def positive_power(base, alpha):
    return np.where(base > 0, np.where(base > 0, base, 1) ** alpha, 0)


def alpha_iou(p, held, variant="iou", alpha=3.0):
    value = 1 - positive_power(p.iou, alpha)
    if variant == "giou":
        value = value + positive_power((p.c - p.u) / (p.c + p.eps), alpha)
    if variant in ("diou", "ciou"):
        value = value + positive_power(p.distance, alpha)
    return value + positive_power(held.alpha * p.v, alpha) if variant == "ciou" else value


LOSSES = {
    "box_iou_loss": (box_iou, [{}, {"form": "square"}, {"form": "log"}]),
    "generalized_box_iou_loss": (generalized, [{}]),
    "distance_box_iou_loss": (distance, [{}]),
    "complete_box_iou_loss": (complete, [{}]),
    "efficient_box_iou_loss": (efficient, [{}, {"gamma": 0.5}, {"gamma": 1.7}]),
    "scylla_box_iou_loss": (scylla, [{}, {"theta": 2.0}, {"theta": 5.5}]),
    "alpha_box_iou_loss": (
        alpha_iou, [{"variant": v, **a} for v in ("iou", "giou", "diou", "ciou") for a in ({}, {"alpha": 1.4})],
    ),
}  # fmt: skip
CASES = [(name, options) for name, (_, all_options) in LOSSES.items() for options in all_options]
NAMES = ["-".join([name, *map(str, options.values())]) for name, options in CASES]
case = pytest.mark.parametrize("name, options", CASES, ids=NAMES)


def reference(name, b1, b2, options, eps=1e-7, held=None):
    with np.errstate(all="ignore"):
        pieces = Pieces(b1, b2, eps)
        return LOSSES[name][0](pieces, Pieces(*held, eps) if held is not None else pieces, **options)


def slopes(name, b1, b2, options, eps=1e-7, step=1e-4):
    """The gradients of all pairs at once, by central differences of fourth order."""
    boxes = np.stack([b1, b2]).astype(np.float64)
    held = boxes.copy()
    gradient = np.empty_like(boxes)
    for side, coordinate in np.ndindex(2, 4):
        values = []
        for multiple in (1, -1, 2, -2):
            moved = boxes.copy()
            moved[side, :, coordinate] += multiple * step
            values.append(reference(name, *moved, options, eps, held))
        values = np.array(values)
        values[:, np.isinf(values).any(0)] = 0  # −ln 0 is clamped
        gradient[side, :, coordinate] = (8 * (values[0] - values[1]) - (values[2] - values[3])) / (12 * step)
    return gradient


def box_pairs(rng, n):
    """Pairs that overlap, lie inside each other or apart; no two coordinates of an axis are closer than 0.1."""
    axes = [rng.permuted(np.tile([0.0, 1.1, 2.5, 4.1], (n, 1)), axis=1) + rng.uniform(0, 0.9, (n, 4)) for _ in "xy"]
    low = [np.minimum(a[:, 0:3:2], a[:, 1:4:2]) for a in axes]
    high = [np.maximum(a[:, 0:3:2], a[:, 1:4:2]) for a in axes]
    pairs = np.stack([low[0], low[1], high[0], high[1]], -1)
    return pairs[:, 0].copy(), pairs[:, 1].copy()


# --- Examples, values, gradients -------------------------------------------------------------------------------------


def test_worked_examples():
    pair = [[0, 0, 2, 2]], [[1, 1, 3, 4]]
    for name, options, loss, grad1 in (
        ("box_iou_loss", {}, 0.8888889, [-0.02469136, -0.02469136, -0.09876543, -0.09876543]),
        ("box_iou_loss", {"form": "log"}, 2.197225, None),
        ("generalized_box_iou_loss", {}, 1.138889, [-0.1080247, -0.04552469, -0.1820988, -0.1820988]),
        ("distance_box_iou_loss", {}, 1.018889, [-0.03349136, -0.04309136, -0.1387654, -0.1587654]),
        ("complete_box_iou_loss", {}, 1.019165, [-0.0341896, -0.04239311, -0.1380672, -0.1594637]),
        ("efficient_box_iou_loss", {}, 1.081389, None),
        ("efficient_box_iou_loss", {"gamma": 0.5}, 0.360463, None),
        ("scylla_box_iou_loss", {}, 1.018772, [-0.02290809, -0.03764204, -0.13237, -0.1660176]),
        ("alpha_box_iou_loss", {}, 0.9986283, None),
        ("alpha_box_iou_loss", {"variant": "diou"}, 1.000825, None),
        ("alpha_box_iou_loss", {"variant": "ciou"}, 1.000825, None),
    ):
        value, (got, _) = getattr(losskit, name)(*pair, grad=True, **options)
        np.testing.assert_allclose(value, [loss], rtol=6e-7)
        if grad1 is not None:
            np.testing.assert_allclose(got, [grad1], rtol=6e-7)
    _, (_, grad2) = losskit.generalized_box_iou_loss(*pair, grad=True)
    np.testing.assert_allclose(grad2, [[0.2530864, 0.1820988, 0.03703704, 0.04552469]], rtol=6e-7)
    value, grad = losskit.distribution_focal_loss([[0, 1, 2]], [0.25], grad=True)
    np.testing.assert_allclose([value, *grad[0]], [2.157606, -0.6599694, -0.005271529, 0.665241], rtol=6e-7)
    np.testing.assert_allclose(losskit.quality_focal_loss([1.0], [0.3]), 0.1882757, rtol=6e-7)


@case
@pytest.mark.parametrize("eps", [1e-7, 0.1, 0.0])
def test_values_and_gradients(name, options, eps, rng):
    b1, b2 = box_pairs(rng, 120)
    loss, grads = getattr(losskit, name)(b1, b2, eps=eps, grad=True, **options)
    np.testing.assert_allclose(loss, reference(name, b1, b2, options, eps), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.stack(grads), slopes(name, b1, b2, options, eps), atol=3e-9)
    # Single precision, judged by double on the same numbers.
    b1, b2 = b1.astype(np.float32), b2.astype(np.float32)
    loss, grads = getattr(losskit, name)(b1, b2, eps=eps, grad=True, **options)
    expected, expected_grads = getattr(losskit, name)(
        b1.astype(np.float64), b2.astype(np.float64), eps=eps, grad=True, **options
    )
    assert loss.dtype == grads[0].dtype == np.float32
    np.testing.assert_allclose(loss, expected, rtol=3e-6)
    for grad, wanted in zip(grads, expected_grads):
        assert_close(grad, wanted)


@case
def test_boxes_that_are_almost_equal(name, options, rng):
    """1 − IoU is far smaller than the rounding of IoU."""
    b1 = np.cumsum(rng.uniform(10, 100, (300, 2, 2)), 1).reshape(300, 4).astype(np.float32)
    b2 = (b1 * (1 + 1e-5 * rng.normal(0, 1, b1.shape))).astype(np.float32)
    loss, grads = getattr(losskit, name)(b1, b2, grad=True, **options)
    exact, exact_grads = getattr(losskit, name)(b1.astype(np.float64), b2.astype(np.float64), grad=True, **options)
    np.testing.assert_allclose(loss, exact, rtol=5e-6)
    np.testing.assert_allclose(exact, reference(name, b1, b2, options), rtol=1e-8, atol=2e-15)
    for grad, wanted in zip(grads, exact_grads):
        assert_close(grad, wanted, tolerance=5e-6)


@case
def test_sides_that_both_boxes_share(name, options, rng):
    """Each gets half: the mean of the derivatives to the left and to the right, which central differences give."""
    b1, b2 = box_pairs(rng, 60)
    shared = rng.random(b1.shape) < 0.5
    shared[:10] = True  # equal boxes
    # No reversed boxes, and none that only touch.
    b1[:, :2] -= 5
    b1[:, 2:] += 5
    b2 = np.where(shared, b1, b1 + 1 - 2 * rng.random(b1.shape))
    loss, grads = getattr(losskit, name)(b1, b2, grad=True, **options)
    np.testing.assert_allclose(loss, reference(name, b1, b2, options), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(np.stack(grads), slopes(name, b1, b2, options, step=1e-7), atol=3e-6)
    # At equal boxes all that is left is what ε does.
    assert np.abs(np.stack(grads)[:, :10]).max() < 1e-7


@case
@pytest.mark.parametrize("real", [np.float32, np.float64])
def test_edges(name, options, real):
    run = getattr(losskit, name)
    point, box, far = [3, 3, 3, 3], [0, 0, 10, 10], [100, 100, 120, 130]
    b1 = np.array([point, point, box, box, box, [0, 0, 5, 5], box], real)
    b2 = np.array([point, box, point, far, [10, 0, 20, 10], [5, 5, 5, 9], box], real)
    loss, grads = run(b1, b2, grad=True, **options)
    np.testing.assert_allclose(loss, reference(name, b1, b2, options), rtol=3e-6, atol=1e-9)
    assert np.isfinite(np.stack(grads)).all()
    # A row of NaN or infinities is its own affair.
    whole = run(b1, b2, grad=True, reduction="sum", **options)
    for bad in (NAN, INF, -INF):
        spoilt = b1.copy()
        spoilt[3, 1] = bad
        value, spoilt_grads = run(spoilt, b2, grad=True, **options)
        others = np.arange(len(b1)) != 3
        assert value[others].tobytes() == loss[others].tobytes()
        for a, b in zip(spoilt_grads, grads):
            assert a[others].tobytes() == b[others].tobytes()
        if bad != bad:
            assert np.isnan(value[3]) and np.isnan(spoilt_grads[0][3]).any()
            assert np.isnan(run(spoilt, b2, reduction="sum", **options))
    assert np.isfinite(whole[0])
    empty, empty_grads = run(np.empty((0, 4), real), np.empty((0, 4), real), grad=True, **options)
    assert empty.shape == (0,) and empty_grads[0].shape == (0, 4)
    assert run([], [], reduction="mean", **options) == 0 == run([], [], reduction="sum", **options)


def test_infinite_boxes_have_no_overlap_to_speak_of():
    plane = [[-INF, -INF, INF, INF]]
    assert losskit.box_iou_loss([[0, 0, 1, 1]], plane).tolist() == [1]


@given(
    st.integers(0, 70), st.sampled_from(CASES), st.sampled_from(REDUCTIONS), st.booleans(),
    st.sampled_from([np.float32, np.float64]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_reductions_and_weights(n, case, reduction, weighted, real, seed):
    rng = np.random.default_rng(seed)
    name, options = case
    b1, b2 = (b.astype(real) for b in box_pairs(rng, n))
    weight = rng.choice([0, 0.5, 1, 3], n) if weighted else None
    rows, row_grads = getattr(losskit, name)(b1, b2, grad=True, **options)
    s = np.ones(n) if weight is None else weight
    loss, grads = getattr(losskit, name)(b1, b2, reduction=reduction, sample_weight=weight, grad=True, **options)
    scale = s if reduction == "none" else s / (s.sum() or 1) if reduction == "mean" else s
    expected = rows * s if reduction == "none" else (rows.astype(np.float64) * scale).sum()
    assert_close(loss, expected)
    for grad, row_grad in zip(grads, row_grads):
        assert_close(grad, row_grad.astype(np.float64) * scale[:, None])


def test_torchvision_agrees(rng):
    torch = pytest.importorskip("torch")
    ops = pytest.importorskip("torchvision").ops
    b1, b2 = box_pairs(rng, 300)
    b2[:20] = b1[:20]
    for name in ("generalized_box_iou_loss", "distance_box_iou_loss", "complete_box_iou_loss"):
        tensors = [torch.tensor(b, dtype=torch.float64, requires_grad=True) for b in (b1, b2)]
        theirs = getattr(ops, name)(*tensors)
        theirs.sum().backward()
        ours, grads = getattr(losskit, name)(b1, b2, grad=True)
        np.testing.assert_allclose(ours, theirs.detach(), atol=1e-9, err_msg=name)
        for grad, tensor in zip(grads, tensors):
            np.testing.assert_allclose(grad, tensor.grad, atol=1e-8, err_msg=name)


# --- Distributions and qualities -------------------------------------------------------------------------------------


def dfl(z, t):
    """Losses and gradients of rows."""
    z, t = np.asarray(z, np.float64), np.asarray(t, np.float64)
    lower = np.minimum(np.floor(t), z.shape[1] - 2).astype(int)
    rows = np.arange(len(z))
    target = np.zeros_like(z)
    target[rows, lower] += lower + 1 - t
    target[rows, lower + 1] += t - lower
    with np.errstate(all="ignore"):
        gaps = z - z.max(1, keepdims=True, initial=-INF)
        best = (gaps == 0) & (np.cumsum(gaps == 0, 1) == 1)
        rest = np.where(best, 0, np.exp(gaps)).sum(1, keepdims=True)  # so that log p and 1 − p do not cancel
        value = -np.where(target == 0, 0, target * (gaps - np.log1p(rest))).sum(1)
        return value, np.where(best, (1 - target) - rest / (1 + rest), np.exp(gaps) / (1 + rest) - target)


@given(
    st.integers(0, 70), st.one_of(st.integers(2, 40), st.sampled_from([2, 8, 17, 300])),
    st.sampled_from([1e-3, 1, 10, 1e4]), st.sampled_from([np.float32, np.float64]), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_distribution_focal_loss(n, bins, spread, real, seed):
    rng = np.random.default_rng(seed)
    z = rng.normal(0, spread, (n, bins)).astype(real)
    t = np.where(rng.random(n) < 0.3, rng.integers(0, bins, n), rng.uniform(0, bins - 1, n)).astype(real)
    masked = rng.random((n, bins)) < 0.05
    masked[:, 0] = False
    z[masked] = -INF
    rows, row_grads = dfl(z, t)
    s = rng.choice([0.5, 1.0, 2.0], n).astype(real)
    loss, grad = losskit.distribution_focal_loss(z, t, reduction="none", grad=True)
    assert_close(loss[:, None], rows[:, None])
    # p − t may cancel: what is left of it is as good as p.
    atol = 2e-7 if real == np.float32 else 1e-15
    np.testing.assert_allclose(grad, row_grads, rtol=10 * atol, atol=atol)
    for reduction in ("mean", "sum"):
        scale = s / (s.sum() or 1) if reduction == "mean" else s
        loss, grad = losskit.distribution_focal_loss(z, t, reduction=reduction, sample_weight=s, grad=True)
        assert_close(loss, (rows * scale).sum())
        scale = scale[:, None].astype(np.float64)
        np.testing.assert_allclose(grad, row_grads * scale, rtol=10 * atol, atol=atol * scale.max(initial=0))


def test_distribution_focal_loss_edges(rng):
    z = rng.normal(0, 2, (5, 9))
    t = np.array([0, 8, 3.25, 7.999, 0.5])
    _, grad = losskit.distribution_focal_loss(z, t, grad=True)
    assert_gradient(lambda x: dfl(x, t)[0].mean(), z, grad)
    # A confident and right prediction does not cancel, in single precision either.
    sure = np.zeros((1, 9), np.float32)
    sure[0, 4] = 20
    loss, grad = losskit.distribution_focal_loss(sure, [4], grad=True)
    np.testing.assert_allclose(loss, np.log1p(8 * np.exp(-20)), rtol=3e-6)
    np.testing.assert_allclose(grad[0, 4], -8 / (np.exp(20) + 8), rtol=3e-6)
    for bad in (NAN, INF):
        spoilt = z.copy()
        spoilt[2, 4] = bad
        value, grad = losskit.distribution_focal_loss(spoilt, t, reduction="none", grad=True)
        assert np.isnan(value).tolist() == [False, False, True, False, False]
        assert np.isnan(grad).all(1).tolist() == [False, False, True, False, False]
    assert losskit.distribution_focal_loss(np.empty((0, 4)), []) == 0
    z3, t3 = rng.normal(0, 1, (2, 3, 5)), rng.uniform(0, 4, (2, 3))
    assert losskit.distribution_focal_loss(z3, t3, reduction="none").shape == (2, 3)
    for bad in (-0.1, 8.001, NAN, INF):
        assert_error("INVALID_TARGET", losskit.distribution_focal_loss, z, [0, 1, bad, 0, 0])
    assert_error("INVALID_SHAPE", losskit.distribution_focal_loss, np.zeros((2, 1)), [0, 0])
    assert_error("INVALID_SHAPE", losskit.distribution_focal_loss, z, [0, 1])
    assert_error("INVALID_VALUE", losskit.distribution_focal_loss, z, t, sample_weight=[1, 1, -1, 1, 1])


def qfl(z, t, beta):
    z, t = np.asarray(z, np.float64), np.asarray(t, np.float64)
    with np.errstate(all="ignore"):
        positive, negative = np.exp(-np.logaddexp(0, -z)), np.exp(-np.logaddexp(0, z))
        linear = np.where(z > 0, 1 - t, -t)
        bce = np.where(linear == 0, 0, linear * z) + np.log1p(np.exp(-abs(z)))
        gap = (1 - t) * positive - t * negative
        curvature = positive * negative
        slope = beta * abs(gap) ** (beta - 1) * np.sign(gap) * np.where(curvature == 0, 0, curvature * bce)
        return abs(gap) ** beta * bce, np.where(gap == 0, 0, abs(gap) ** beta * gap + slope)


@pytest.mark.parametrize("beta", [2.0, 1.0, 0.0, 1.5, 3.0])
def test_quality_focal_loss(beta, dtype, rng):
    z = np.concatenate([rng.normal(0, 3, 300), [1e4, -1e4, 1e4, -1e4, INF, -INF, INF, -INF, 0, NAN]]).astype(dtype)
    t = np.concatenate([rng.choice([0, 1, 0.3, 0.75], 300), [0, 0, 1, 1, 1, 0, 0, 1, 0.5, 0.5]]).astype(dtype)
    values, derivatives = qfl(z, t, beta)
    loss, grad = losskit.quality_focal_loss(z, t, beta=beta, reduction="none", grad=True)
    assert_close(loss[:, None], values[:, None], tolerance=2e-5 if dtype == np.float32 else 1e-11)
    usual = slice(0, 306)
    rtol, atol = (2e-5, 1e-6) if dtype == np.float32 else (1e-11, 1e-13)
    np.testing.assert_allclose(grad[usual], derivatives[usual], rtol=rtol, atol=atol)
    assert grad[308] == 0 and np.isnan(loss[309])
    z, t = rng.normal(0, 2, (4, 5)), rng.uniform(0, 1, (4, 5))
    s = np.array([0.5, 1, 2, 0])
    loss, grad = losskit.quality_focal_loss(z, t, beta=beta, sample_weight=s, grad=True)
    mean = lambda x: (qfl(x, t, beta)[0] * s[:, None]).sum() / (5 * s.sum())  # noqa: E731
    np.testing.assert_allclose(loss, mean(z), rtol=1e-12)
    assert_gradient(mean, z, grad, tolerance=1e-7)
    np.testing.assert_allclose(losskit.quality_focal_loss(z, t, beta=beta, reduction="sum"), qfl(z, t, beta)[0].sum())
    for bad in (-0.1, 1.1, NAN):
        assert_error("INVALID_TARGET", losskit.quality_focal_loss, [0.0], [bad])
    assert_error("INVALID_PARAMETER", losskit.quality_focal_loss, [0.0], [1.0], beta=-1)
    assert losskit.quality_focal_loss([], []) == 0


# --- Errors, bits ----------------------------------------------------------------------------------------------------


@case
def test_errors(name, options, dtype):
    run = getattr(losskit, name)
    box = np.array([[0, 0, 2, 2], [1, 1, 3, 4]], dtype)
    for eps in (-1e-9, NAN, INF):
        assert_error("INVALID_PARAMETER", run, box, box, eps=eps)
    assert_error("INVALID_PARAMETER", run, box, box, reduction="average")
    assert_error("INVALID_SHAPE", run, box, box[:1])
    assert_error("INVALID_SHAPE", run, box[:, :3], box)
    for weight in ([1, -1], [NAN, 1], [INF, 1]):
        assert_error("INVALID_VALUE", run, box, box, sample_weight=weight)
    assert_error("INVALID_SHAPE", run, box, box, sample_weight=[1])
    for key in {"gamma", "theta", "alpha"} & set(options):
        for bad in (-1, NAN, INF):
            assert_error("INVALID_PARAMETER", run, box, box, **{key: bad})
    outputs = ("loss", "grad_boxes1", "grad_boxes2")
    loss, grad1, grad2 = np.empty(2, dtype), np.empty((2, 4), dtype), np.empty((2, 4), dtype)
    more = {"form": "linear"} if name == "box_iou_loss" else {}
    more = {"variant": "iou", "alpha": 3.0} if name == "alpha_box_iou_loss" else more
    more = {"gamma": 0.0} if name == "efficient_box_iou_loss" else more
    more = {"theta": 4.0} if name == "scylla_box_iou_loss" else more
    call = RawCall(
        name, dtype, outputs, boxes1=box, boxes2=box, count=2, eps=1e-7, reduction="none", sample_weight=None,
        loss=loss, grad_boxes1=grad1, grad_boxes2=grad2, **more,
    )  # fmt: skip
    assert call() == "OK"
    assert call(boxes1=None) == call(boxes2=None) == "NULL_POINTER"
    assert call(count=-1) == call(count=2**61) == "INVALID_SHAPE"
    assert call(eps=-1.0) == "INVALID_PARAMETER"
    assert call(sample_weight=np.array([1, -1], dtype)) == "INVALID_VALUE"
    assert call(loss=None) == call(grad_boxes1=None) == call(grad_boxes2=None) == "OK"
    assert call(boxes1=None, boxes2=None, count=0) == "OK"
    for side in ("start", "end"):
        call.inside_guards(side)


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for n in (5, 16, 777, 40000):
        corner = rng.uniform(0, 100, (2, n, 2))
        b1, b2 = np.concatenate([corner, corner + rng.uniform(0, 60, (2, n, 2))], -1).astype(real)
        b2[: n // 10] = b1[: n // 10]
        s = rng.random(n).astype(real)
        for name, options in %r:
            for reduction in ("none", "mean"):
                loss, grads = getattr(losskit, name)(b1, b2, sample_weight=s, reduction=reduction, grad=True, **options)
                key = f"{name} {options} {real.__name__} {n} {reduction}"
                results[key + " loss"] = np.asarray(loss)
                results[key + " grad"] = np.stack(grads)
        z, t = rng.normal(0, 3, (n, 17)).astype(real), rng.uniform(0, 16, n).astype(real)
        for i, part in enumerate(losskit.distribution_focal_loss(z, t, sample_weight=s, grad=True)):
            results[f"dfl {real.__name__} {n} {i}"] = np.asarray(part)
        for i, part in enumerate(losskit.quality_focal_loss(z, t[:, None] / 16 + 0 * z, beta=1.5, grad=True)):
            results[f"qfl {real.__name__} {n} {i}"] = np.asarray(part)
""" % (CASES,)


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS)
