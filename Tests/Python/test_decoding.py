"""Encoding and decoding of boxes against NumPy float64 formulas written from their definitions."""

import losskit
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from losskit import _core
from support import RawCall, assert_close, assert_error, assert_gradient, assert_same_bits

REALS = (np.float32, np.float64)
COUNTS = st.one_of(st.sampled_from([0, 1, 7, 8, 9, 15, 16, 17, 33]), st.integers(0, 70))
SEEDS = st.integers(0, 2**32 - 1)
VERSIONS = ("v3", "v5", "v7", "x")


def random_boxes(rng, n, extent=100, side=30):
    center, size = rng.random((n, 2)) * extent, 1 + rng.random((n, 2)) * side
    return np.concatenate([center - size / 2, center + size / 2], 1)


# --- encode_boxes ----------------------------------------------------------------------------------------------------


def reference_encode(boxes, anchors, weights):
    boxes, anchors = boxes.astype(np.float64), anchors.astype(np.float64)
    with np.errstate(all="ignore"):
        size, anchor = boxes[:, 2:] - boxes[:, :2], anchors[:, 2:] - anchors[:, :2]
        shift = (boxes[:, :2] + boxes[:, 2:]) / 2 - (anchors[:, :2] + anchors[:, 2:]) / 2
        return np.concatenate([weights[:2] * shift / anchor, weights[2:] * np.log(size / anchor)], 1)


def test_encode_boxes_example():
    deltas = [[0.1, 0, 0.2, -1]]
    boxes = losskit.decode_boxes(deltas, [[0, 0, 10, 20]])
    np.testing.assert_allclose(losskit.encode_boxes(boxes, [[0, 0, 10, 20]]), deltas, atol=1e-14)


@settings(max_examples=60, deadline=None)
@given(
    n=COUNTS,
    seed=SEEDS,
    real=st.sampled_from(REALS),
    spread=st.sampled_from([1e-3, 0.1, 30]),
    far=st.sampled_from([0, 2048]),
)
def test_encode_boxes(n, seed, real, spread, far):
    """Also for boxes that are nearly their anchors, far from the origin."""
    rng = np.random.default_rng(seed)
    anchors = (random_boxes(rng, n) + far).astype(real)
    boxes = np.sort((anchors + rng.normal(0, spread, (n, 4))).astype(real).reshape(n, 2, 2), 1).reshape(n, 4)
    weights = np.array([10, 9, 5, 4.0])
    got = losskit.encode_boxes(boxes, anchors, weights=weights)
    assert got.dtype == real
    # In double precision the reference's own differences of large numbers limit what can be asked for.
    tolerance = 3e-6 if real == np.float32 else 1e-12 * max(1, 1e3 / spread)
    assert_close(got, reference_encode(boxes, anchors, weights), tolerance=tolerance)
    again = losskit.decode_boxes(
        losskit.encode_boxes(boxes.astype(float), anchors.astype(float)), anchors.astype(float), clip=np.inf
    )
    known = np.isfinite(again).all(1)
    np.testing.assert_allclose(again[known], boxes[known], rtol=1e-10)


def test_encode_boxes_edges():
    anchor = [[0.0, 0, 10, 20]]
    got = losskit.encode_boxes([[3, 4, 3, 2]], anchor)
    assert got[0, 2] == -np.inf and np.isnan(got[0, 3]) and got[0, :2].tolist() == [-0.2, -0.35]
    assert np.isnan(losskit.encode_boxes([[np.nan, 4, 3, 9]], anchor)).tolist() == [[True, False, True, False]]
    assert losskit.encode_boxes([], []).shape == (0, 4)
    assert_error("INVALID_SHAPE", losskit.encode_boxes, anchor, anchor * 2)
    for bad in (0, -1, np.nan, np.inf):
        for place in range(4):
            weights = [1.0] * 4
            weights[place] = bad
            assert_error("INVALID_PARAMETER", losskit.encode_boxes, anchor, anchor, weights=weights)
    assert_error("INVALID_PARAMETER", losskit.encode_boxes, anchor, anchor, weights=(1, 1))


def test_coding_equals_torchvision():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    from torchvision.models.detection._utils import BoxCoder

    rng = np.random.default_rng(1)
    weights = (10.0, 10.0, 5.0, 5.0)
    coder = BoxCoder(weights)
    boxes, anchors = random_boxes(rng, 100), random_boxes(rng, 100)
    theirs = coder.encode_single(torch.from_numpy(boxes), torch.from_numpy(anchors)).numpy()
    deltas = losskit.encode_boxes(boxes, anchors, weights=weights)
    np.testing.assert_allclose(deltas, theirs, rtol=1e-6, atol=1e-6)
    theirs = coder.decode_single(torch.from_numpy(deltas), torch.from_numpy(anchors)).numpy()
    np.testing.assert_allclose(losskit.decode_boxes(deltas, anchors, weights=weights), theirs, rtol=1e-12, atol=1e-12)


# --- box_to_distance -------------------------------------------------------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(n=COUNTS, seed=SEEDS, real=st.sampled_from(REALS), largest=st.sampled_from([None, 0.1, 7, 16.5, np.inf]))
def test_box_to_distance(n, seed, real, largest):
    rng = np.random.default_rng(seed)
    boxes, points = random_boxes(rng, n).astype(real), (rng.random((n, 2)) * 100).astype(real)
    boxes[rng.random((n, 4)) < 0.1] = np.nan
    want = np.concatenate([points - boxes[:, :2], boxes[:, 2:] - points], 1)
    got = losskit.box_to_distance(points, boxes)
    np.testing.assert_array_equal(got, want)
    np.testing.assert_allclose(losskit.distance_to_box(points, got), boxes, atol=1e-4)
    for eps in (0.1, 0.0):
        got = losskit.box_to_distance(points, boxes, max_distance=largest, eps=eps)
        assert got.dtype == real
        np.testing.assert_array_equal(got, want if largest is None else want.clip(0, real(largest - eps)))


def test_box_to_distance_errors():
    assert losskit.box_to_distance([[5, 5]], [[4, 3, 8, 9]]).tolist() == [[1, 2, 3, 4]]
    assert losskit.box_to_distance([], []).shape == (0, 4)
    point, box = [[5, 5]], [[4, 3, 8, 9]]
    assert_error("INVALID_SHAPE", losskit.box_to_distance, point * 2, box)
    for parameters in (
        {"max_distance": -1},
        {"max_distance": 0.05},
        {"max_distance": np.nan},
        {"max_distance": 4, "eps": np.nan},
    ):
        assert_error("INVALID_PARAMETER", losskit.box_to_distance, point, box, **parameters)


# --- decode_yolo -----------------------------------------------------------------------------------------------------


def sigmoid(x):
    return np.where(x >= 0, 1 / (1 + np.exp(-np.abs(x))), np.exp(-np.abs(x)) / (1 + np.exp(-np.abs(x))))


def reference_yolo(pred, grid, stride, anchors, version):
    pred, grid, stride = (np.asarray(x, np.float64) for x in (pred, grid, stride))
    stride = stride[:, None]
    xy, wh = pred[:, :2], pred[:, 2:]
    with np.errstate(over="ignore"):
        if version == "x":
            center, size = (xy + grid) * stride, np.exp(wh) * stride
        elif version == "v3":
            center, size = (sigmoid(xy) + grid) * stride, np.exp(wh) * anchors
        else:
            center, size = (2 * sigmoid(xy) - 0.5 + grid) * stride, (2 * sigmoid(wh)) ** 2 * anchors
    return np.concatenate([center - size / 2, center + size / 2], 1)


def yolo_case(rng, n, real=np.float64, scale=2):
    return (
        rng.normal(0, scale, (n, 4)).astype(real), rng.integers(0, 80, (n, 2)).astype(real),
        rng.choice([8, 16, 32], n).astype(real), (rng.random((n, 2)) * 100 + 5).astype(real),
    )  # fmt: skip


def test_decode_yolo_examples():
    case = [[0.2, -0.3, 0.1, 0.4]], [[3, 5]], 8, [[10, 13]]
    np.testing.assert_allclose(losskit.decode_yolo(*case), [[23.28528, 33.48982, 34.30941, 52.12802]], rtol=1e-6)
    want = [[22.87282, 33.7076, 33.92453, 53.10132]]
    np.testing.assert_allclose(losskit.decode_yolo(*case, version="v3"), want, rtol=1e-6)


@pytest.mark.parametrize("version", VERSIONS)
@settings(max_examples=30, deadline=None)
@given(n=COUNTS, seed=SEEDS, real=st.sampled_from(REALS), scale=st.sampled_from([0.1, 2, 30]))
def test_decode_yolo(version, n, seed, real, scale):
    case = yolo_case(np.random.default_rng(seed), n, real, scale)
    got = losskit.decode_yolo(*case, version=version)
    assert got.dtype == real
    with np.errstate(over="ignore"):
        want = reference_yolo(*case, version).astype(real)  # of large logits, sizes are infinite
    assert_close(got, want)
    if version == "x":
        np.testing.assert_array_equal(losskit.decode_yolo(*case[:3], version="x"), got)
    # Cells and strides may be integers, and the stride one number: the predictions decide the precision.
    same = losskit.decode_yolo(
        case[0], case[1].astype(int), case[2].astype(int), case[3].tolist() or np.empty((0, 2)), version=version
    )
    assert same.dtype == real
    np.testing.assert_array_equal(same, got)


@pytest.mark.parametrize("version", VERSIONS)
def test_decode_yolo_vjp(version):
    rng = np.random.default_rng(len(version))
    pred, grid, stride, anchors = yolo_case(rng, 19)
    weights = rng.normal(0, 1, (19, 4))
    got = losskit.decode_yolo_vjp(pred, grid, stride, anchors, weights, version=version)
    assert_gradient(
        lambda x: (reference_yolo(x, grid, stride, anchors, version) * weights).sum(), pred, got, tolerance=1e-8
    )
    single = [x.astype(np.float32) for x in (pred, grid, stride, anchors, weights)]
    wide = [x.astype(np.float64) for x in single]
    got = losskit.decode_yolo_vjp(*single, version=version)
    assert got.dtype == np.float32
    assert_close(got, losskit.decode_yolo_vjp(*wide, version=version))
    with np.errstate(all="ignore"):
        extreme = losskit.decode_yolo_vjp([[-500, 500, -500, 0], [0, np.nan, 0, -np.inf]], [[1, 1]] * 2, 8, [[2, 2]] * 2, np.ones((2, 4)) * [1, 2, 3, 4], version=version)  # fmt: skip
    assert np.isfinite(extreme[0]).all() and np.isnan(extreme[1]).tolist() == [False, version != "x", False, False]
    assert abs(extreme[0, 2]) < 1e-200 and extreme[1, 3] == 0


def test_decode_yolo_errors():
    case = np.zeros((2, 4)), np.zeros((2, 2)), np.ones(2), np.ones((2, 2))
    assert losskit.decode_yolo([], [], [], []).shape == (0, 4)
    for place, bad in ((0, np.zeros((2, 3))), (1, np.zeros((1, 2))), (2, np.ones(3)), (3, np.ones((2, 3)))):
        wrong = list(case)
        wrong[place] = bad
        assert_error("INVALID_SHAPE", losskit.decode_yolo, *wrong)
        assert_error("INVALID_SHAPE", losskit.decode_yolo_vjp, *wrong, np.zeros((2, 4)))
    assert_error("INVALID_SHAPE", losskit.decode_yolo_vjp, *case, np.zeros((1, 4)))
    assert_error("INVALID_PARAMETER", losskit.decode_yolo, *case, version="v8")
    assert_error("NULL_POINTER", losskit.decode_yolo, *case[:3])


# --- dfl_decode: peaked distributions --------------------------------------------------------------------------------


def bin_distances(logits, reg_max):
    """The means, and i - mean, in extended precision."""
    z = logits.astype(np.longdouble).reshape(len(logits), 4, reg_max + 1)
    p = np.exp(z - z.max(-1, keepdims=True))
    p /= p.sum(-1, keepdims=True)
    bins = np.arange(reg_max + 1)
    mean = (p * bins).sum(-1)
    return mean, p, (p[..., None, :] * (bins[:, None] - bins)).sum(-1)


@pytest.mark.parametrize("reg_max", [1, 7, 16, 40])
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("scale", [1, 8, 20])
def test_dfl_decode_vjp_of_peaks(reg_max, real, scale):
    """Where one bin has nearly all probability the gradient is small, and still good to the last digits."""
    rng = np.random.default_rng(reg_max)
    logits = rng.normal(0, scale, (12, 4 * (reg_max + 1))).astype(real)
    mean, p, apart = bin_distances(logits, reg_max)
    got = losskit.dfl_decode(logits, reg_max=reg_max)
    # The rounding of a logit's distance from the largest, up to 100 here, is in all that follows from it.
    tolerance = 1e-5 if real == np.float32 else 3e-14
    np.testing.assert_allclose(got, mean.astype(float), rtol=tolerance, atol=1e-37)
    grad = rng.normal(0, 1, (12, 4)).astype(real)
    want = (p * apart * grad[..., None]).astype(float).reshape(48, -1)
    assert_close(losskit.dfl_decode_vjp(logits, grad, reg_max=reg_max).reshape(48, -1), want, tolerance=tolerance)


# --- Raw calls, in place, instruction sets ---------------------------------------------------------------------------


@pytest.mark.parametrize("real", REALS)
def test_raw_calls(real):
    n, rng = 19, np.random.default_rng(0)
    boxes, anchors = random_boxes(rng, n).astype(real), random_boxes(rng, n).astype(real)
    pred, grid, stride, sizes = yolo_case(rng, n, real)
    coder = dict(weight_x=1.0, weight_y=1.0, weight_width=1.0, weight_height=1.0)
    cases = {
        "encode_boxes": ("deltas", "boxes", dict(boxes=boxes, anchors=anchors, count=n, **coder)),
        "box_to_distance": (
            "distances", "boxes", dict(points=grid, boxes=boxes, count=n, has_max_distance=True, max_distance=9.0, eps=0.1),
        ),
        "decode_yolo": ("boxes", "pred", dict(pred=pred, grid=grid, stride=stride, anchors=sizes, count=n, version="v5")),
        "decode_yolo_vjp": (
            "grad_pred", "pred", dict(pred=pred, grid=grid, stride=stride, anchors=sizes, grad_output=boxes, count=n, version="v5"),
        ),
    }  # fmt: skip
    for name, (output, source, arguments) in cases.items():
        call = RawCall(name, real, [output], **arguments, **{output: np.empty((n, 4), real)})
        assert call() == "OK"
        assert call(count=-1) == call(count=2**61) == "INVALID_SHAPE"
        for key, value in {**arguments, output: 0}.items():
            if isinstance(value, np.ndarray) or key == output:
                optional = name == "decode_yolo_vjp" and key == "grid"
                assert call(**{key: None}) == ("OK" if optional else "NULL_POINTER"), (name, key)
        separate = call.inside_guards("end")[0].copy()
        call.inside_guards("begin")
        copy = arguments[source].copy()
        order = [parameter for parameter, _ in _core._prototypes.FUNCTIONS[name][1]]
        values = {**arguments, source: copy, output: copy}
        assert _core.call_status(name, np.dtype(real), *(values[key] for key in order)) == 0
        np.testing.assert_array_equal(copy, separate)


def test_same_bits():
    assert_same_bits(
        """
rng = np.random.default_rng(0)
n = 20000
boxes = rng.random((n, 4)) * 50
boxes[:, 2:] += boxes[:, :2] + 1
for real in (np.float32, np.float64):
    a, b = boxes.astype(real), boxes[::-1].astype(real)
    cells = rng.normal(0, 3, (n, 4)).astype(real), a[:, :2].copy(), a[:, 2].copy(), a[:, 2:].copy()
    deltas = results["encode" + real.__name__] = losskit.encode_boxes(b, a)
    results["decode" + real.__name__] = losskit.decode_boxes(deltas, a)
    results["distance" + real.__name__] = losskit.box_to_distance(a[:, :2].copy(), b, max_distance=7)
    for version in ("v3", "v5", "x"):
        results[version + real.__name__] = losskit.decode_yolo(*cells, version=version)
        results[version + "vjp" + real.__name__] = losskit.decode_yolo_vjp(*cells, b, version=version)
    logits = rng.normal(0, 5, (3000, 68)).astype(real)
    results["dfl" + real.__name__] = losskit.dfl_decode(logits)
    results["dflvjp" + real.__name__] = losskit.dfl_decode_vjp(logits, b[:3000])
"""
    )
