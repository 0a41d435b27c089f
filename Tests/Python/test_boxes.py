"""Boxes and masks against NumPy float64 formulas written from their definitions, and against torchvision where it is."""

import itertools
import math

import losskit
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from losskit import _core
from support import RawCall, assert_close, assert_error, assert_same_bits

REALS = (np.float32, np.float64)
FORMATS = ("xyxy", "xywh", "cxcywh")
COUNTS = st.one_of(st.sampled_from([0, 1, 2, 7, 8, 9, 15, 16, 17, 33, 70]), st.integers(0, 70))
COORDINATES = [0.0, -0.0, 1.0, 2.0, 2.5, -3.0, 7.0, 1e-20, 1e15, np.nan, np.inf, -np.inf]


def random_boxes(rng, n, real=np.float64, extent=100, side=30):
    center, size = rng.random((n, 2)) * extent, rng.random((n, 2)) * side
    return np.concatenate([center - size / 2, center + size / 2], 1).astype(real)


@st.composite
def box_lists(draw, special=True):
    """Two lists of boxes of one precision: scattered, far from the origin, and of few coordinates, also bad ones."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    real = draw(st.sampled_from(REALS))
    counts = draw(COUNTS), draw(st.one_of(COUNTS, st.sampled_from([255, 256, 257, 511, 512, 513, 700])))
    kind = draw(st.sampled_from(["scattered", "far", "whole"] + ["special"] * special))
    lists = [random_boxes(rng, n) for n in counts]
    if kind == "far":
        lists = [boxes + 4096 for boxes in lists]
    elif kind == "whole":
        lists = [rng.integers(-4, 5, boxes.shape).astype(float) for boxes in lists]
    elif kind == "special":
        lists = [rng.choice(COORDINATES, boxes.shape) for boxes in lists]
    return [boxes.astype(real) for boxes in lists]


# --- Pairwise matrices -----------------------------------------------------------------------------------------------


def overlaps(boxes1, boxes2, offset=0.0):
    a, b = boxes1[:, None], boxes2[None]
    extent = lambda low, high: high - low + offset  # noqa: E731
    width = np.maximum(extent(np.maximum(a[..., 0], b[..., 0]), np.minimum(a[..., 2], b[..., 2])), 0)
    height = np.maximum(extent(np.maximum(a[..., 1], b[..., 1]), np.minimum(a[..., 3], b[..., 3])), 0)
    intersection = width * height
    area = lambda box: extent(box[..., 0], box[..., 2]) * extent(box[..., 1], box[..., 3])  # noqa: E731
    union = area(a) + area(b) - intersection
    enclosing = [np.maximum(np.maximum(a[..., i + 2], b[..., i + 2]) - np.minimum(a[..., i], b[..., i]), 0) for i in (0, 1)]
    return np.where(union == 0, 0, intersection / union), union, *enclosing


def reference_iou(boxes1, boxes2, offset=0.0):
    return overlaps(boxes1, boxes2, offset)[0]


def reference_giou(boxes1, boxes2):
    iou, union, cw, ch = overlaps(boxes1, boxes2)
    area = cw * ch
    return iou - np.where(area == 0, 0, (area - union) / area)


def reference_diou(boxes1, boxes2, eps=1e-7):
    iou, _, cw, ch = overlaps(boxes1, boxes2)
    centers = [(boxes[:, :2] + boxes[:, 2:]) / 2 for boxes in (boxes1, boxes2)]
    return iou - ((centers[0][:, None] - centers[1][None]) ** 2).sum(-1) / (cw**2 + ch**2 + eps)


def reference_ciou(boxes1, boxes2, eps=1e-7):
    angle = [np.arctan2(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]) for boxes in (boxes1, boxes2)]
    v = 4 / np.pi**2 * (angle[0][:, None] - angle[1][None]) ** 2
    return reference_diou(boxes1, boxes2, eps) - v**2 / (1 - reference_iou(boxes1, boxes2) + v + eps)


PAIRWISE = {
    "box_iou": (reference_iou, {}),
    "generalized_box_iou": (reference_giou, {}),
    "distance_box_iou": (reference_diou, {"eps": 1e-7}),
    "complete_box_iou": (reference_ciou, {"eps": 1e-7}),
}
EXAMPLE = [[0, 0, 2, 2]], [[1, 1, 3, 4], [5, 5, 6, 6]]


@pytest.mark.parametrize(
    "name, expected",
    [
        ("box_iou", [[0.1111111, 0]]),
        ("generalized_box_iou", [[-0.1388889, -0.8611111]]),
        ("distance_box_iou", [[-0.01888889, -0.5625]]),
        ("complete_box_iou", [[-0.01916455, -0.5625]]),
    ],
)
def test_pairwise_examples(name, expected):
    np.testing.assert_allclose(getattr(losskit, name)(*EXAMPLE), expected, rtol=1e-6)


@pytest.mark.parametrize("name", PAIRWISE)
@settings(max_examples=60, deadline=None)
@given(lists=box_lists())
def test_pairwise(name, lists):
    reference, _ = PAIRWISE[name]
    got = getattr(losskit, name)(*lists)
    with np.errstate(all="ignore"):
        # Boxes that leave single precision on the way to their overlap are judged by what single precision makes of them.
        wide = [boxes.astype(np.float64) for boxes in lists]
        if got.dtype == np.float32 and any((np.abs(boxes) > 1e9).any() for boxes in lists):
            wide = lists
        want = reference(*wide)
    assert got.dtype == lists[0].dtype and got.shape == (len(lists[0]), len(lists[1]))
    known = np.isfinite(want)
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    tolerance = 3e-6 if got.dtype == np.float32 else 1e-12
    np.testing.assert_allclose(got[known], want[known], rtol=tolerance, atol=tolerance)


@settings(max_examples=60, deadline=None)
@given(lists=box_lists(), offset=st.sampled_from([0, 1]))
def test_box_iou_rounds_every_operation(lists, offset):
    with np.errstate(all="ignore"):
        want = reference_iou(*lists, lists[0].dtype.type(offset))
    got = losskit.box_iou(*lists, offset=offset)
    np.testing.assert_array_equal(got, want.astype(got.dtype))


def test_pairwise_degenerate():
    point, other, line = [[3, 3, 3, 3]], [[5, 3, 5, 3]], [[0, 3, 4, 3]]
    assert losskit.box_iou(point, point, offset=1).tolist() == [[1]]
    assert losskit.generalized_box_iou(point, point).tolist() == [[0]]
    assert losskit.generalized_box_iou(point, line).tolist() == [[0]]
    assert losskit.generalized_box_iou([[0, 0, 0, 0]], [[2, 2, 2, 2]]).tolist() == [[-1]]
    assert losskit.distance_box_iou(point, point).tolist() == [[0]]
    assert losskit.complete_box_iou(point, point).tolist() == [[0]]
    np.testing.assert_allclose(losskit.distance_box_iou(point, other), [[-1]], atol=1e-7)
    reversed_box = np.array([[2.0, 0, 0, 3]])  # the angle of its sides is in another quadrant
    for name, (reference, _) in PAIRWISE.items():
        got = getattr(losskit, name)(reversed_box, np.array(EXAMPLE[1], float))
        np.testing.assert_allclose(got, reference(reversed_box, np.array(EXAMPLE[1], float)), rtol=1e-12)


def test_pairwise_far_from_the_origin():
    """Centres are compared without loss: single precision is as good at 10^5 as at 0."""
    rng = np.random.default_rng(1)
    boxes = random_boxes(rng, 40, np.float32, 8, 4) + np.float32(1e5)
    wide = boxes.astype(np.float64)
    np.testing.assert_allclose(losskit.distance_box_iou(boxes, boxes), reference_diou(wide, wide), atol=1e-6)
    np.testing.assert_allclose(losskit.complete_box_iou(boxes, boxes), reference_ciou(wide, wide), atol=1e-6)


@pytest.mark.parametrize("name", PAIRWISE)
def test_pairwise_equals_torchvision(name):
    torch = pytest.importorskip("torch", reason="torch is not installed")
    ops = pytest.importorskip("torchvision", reason="torchvision is not installed").ops
    rng = np.random.default_rng(5)
    for real, whole in itertools.product(REALS, (False, True)):
        boxes = [random_boxes(rng, n, real) for n in (90, 130)]
        if whole:
            boxes = [np.concatenate([b[:, :2].round(), b[:, :2].round() + (b[:, 2:] - b[:, :2]).round() + 1], 1) for b in boxes]
        theirs = getattr(ops, name)(*map(torch.from_numpy, boxes)).numpy()
        ours = getattr(losskit, name)(*boxes)
        if name in ("box_iou", "generalized_box_iou"):
            np.testing.assert_array_equal(ours, theirs)
        else:
            np.testing.assert_allclose(ours, theirs, atol=2e-6 if real == np.float32 else 1e-14)


@pytest.mark.parametrize("name", PAIRWISE)
def test_pairwise_errors(name):
    function, (_, parameters) = getattr(losskit, name), PAIRWISE[name]
    for n, m in ((0, 3), (3, 0), (0, 0)):
        assert function(np.zeros((n, 4)), np.zeros((m, 4))).shape == (n, m)
    assert function([], []).shape == (0, 0)
    assert_error("INVALID_SHAPE", function, np.zeros((2, 3)), np.zeros((2, 4)))
    if "eps" in parameters:
        assert_error("INVALID_PARAMETER", function, *EXAMPLE, eps=-1e-9)
        assert_error("INVALID_PARAMETER", function, *EXAMPLE, eps=np.nan)
    if name == "box_iou":
        for offset in (0.5, -1, np.nan):
            assert_error("INVALID_PARAMETER", function, *EXAMPLE, offset=offset)
    output = {"box_iou": "iou", "generalized_box_iou": "giou", "distance_box_iou": "diou", "complete_box_iou": "ciou"}[name]
    for real in REALS:
        boxes = [np.array(x, real) for x in EXAMPLE]
        parameters = {"offset": 0.0} if name == "box_iou" else parameters
        call = RawCall(
            name, real, [output], boxes1=boxes[0], boxes2=boxes[1], count1=1, count2=2,
            **parameters, **{output: np.empty((1, 2), real)},
        )  # fmt: skip
        assert call() == "OK"
        assert call(count1=-1) == call(count2=-1) == call(count1=2**62) == call(count2=2**60) == "INVALID_SHAPE"
        assert call(boxes1=None) == call(boxes2=None) == call(**{output: None}) == "NULL_POINTER"
        for side in ("begin", "end"):
            call.inside_guards(side)


# --- Conversion, area, clipping, small boxes -------------------------------------------------------------------------


def to_corners(boxes, fmt):
    low, second = boxes[:, :2], boxes[:, 2:]
    if fmt == "xywh":
        return np.concatenate([low, low + second], 1)
    return np.concatenate([low - second / 2, low + second / 2], 1) if fmt == "cxcywh" else boxes


def from_corners(boxes, fmt):
    low, high = boxes[:, :2], boxes[:, 2:]
    if fmt == "xyxy":
        return boxes
    return np.concatenate([low if fmt == "xywh" else (low + high) / 2, high - low], 1)


def reference_convert(boxes, source, target):
    return boxes if source == target else from_corners(to_corners(boxes, source), target)


@settings(max_examples=60, deadline=None)
@given(lists=box_lists())
def test_box_convert(lists):
    boxes = lists[1]
    for source, target in itertools.product(FORMATS, FORMATS):
        got = losskit.box_convert(boxes, in_fmt=source, out_fmt=target)
        with np.errstate(all="ignore"):
            want = reference_convert(boxes, source, target)
        assert got.dtype == boxes.dtype
        np.testing.assert_array_equal(got, want)


def test_box_convert_vjp():
    rng = np.random.default_rng(2)
    for source, target in itertools.product(FORMATS, FORMATS):
        matrix = reference_convert(np.eye(4), source, target)  # row i: what becomes of the i-th number
        for real, n in itertools.product(REALS, (0, 1, 16, 37)):
            grad = rng.normal(0, 1, (n, 4)).astype(real)
            got = losskit.box_convert_vjp(grad, in_fmt=source, out_fmt=target)
            assert got.dtype == real
            assert_close(got, grad.astype(np.float64) @ matrix.T)


@settings(max_examples=40, deadline=None)
@given(lists=box_lists(), size=st.sampled_from([(0, 0), (5, 7), (60.5, 80.25), (np.inf, 3)]), least=st.sampled_from([0, 1, -2.0, 0.7, np.inf]))
def test_boxes_one_by_one(lists, size, least):
    boxes = lists[1]
    height, width = size
    with np.errstate(all="ignore"):
        sides = boxes[:, 2:] - boxes[:, :2]
        np.testing.assert_array_equal(losskit.box_area(boxes), sides[:, 0] * sides[:, 1])
        for fmt in ("xywh", "cxcywh"):
            np.testing.assert_array_equal(losskit.box_area(boxes, fmt=fmt), boxes[:, 2] * boxes[:, 3])
        want = boxes.clip(0, np.array([width, height, width, height], boxes.dtype))
        np.testing.assert_array_equal(losskit.clip_boxes_to_image(boxes, height=height, width=width), want)
        large = np.flatnonzero((sides >= boxes.dtype.type(least)).all(1))
        assert losskit.remove_small_boxes(boxes, min_size=least).tolist() == large.tolist()


def test_one_by_one_examples():
    assert losskit.box_convert([[1, 2, 5, 8]], in_fmt="xyxy", out_fmt="cxcywh").tolist() == [[3, 5, 4, 6]]
    assert losskit.box_area([[1, 2, 5, 8]]).tolist() == [24]
    assert losskit.clip_boxes_to_image([[-1, 2, 9, 8]], height=5, width=6).tolist() == [[0, 2, 6, 5]]
    for function, parameters in (
        (losskit.box_area, {}), (losskit.box_convert, dict(in_fmt="xywh", out_fmt="xyxy")),
        (losskit.clip_boxes_to_image, dict(height=1, width=1)), (losskit.remove_small_boxes, dict(min_size=1)),
    ):  # fmt: skip
        assert len(function([], **parameters)) == 0
        assert_error("INVALID_SHAPE", function, [[1, 2, 3]], **parameters)
    for bad in ("xyXY", "yxyx", None, 0):
        assert_error("INVALID_PARAMETER", losskit.box_convert, [[1, 2, 3, 4]], in_fmt=bad, out_fmt="xyxy")
        assert_error("INVALID_PARAMETER", losskit.box_convert_vjp, [[1, 2, 3, 4]], in_fmt="xyxy", out_fmt=bad)
        assert_error("INVALID_PARAMETER", losskit.box_area, [[1, 2, 3, 4]], fmt=bad)
    for size in ((-1, 5), (5, -1), (np.nan, 5), (5, np.nan)):
        assert_error("INVALID_PARAMETER", losskit.clip_boxes_to_image, [[1, 2, 3, 4]], height=size[0], width=size[1])
    assert_error("INVALID_PARAMETER", losskit.remove_small_boxes, [[1, 2, 3, 4]], min_size=np.nan)


@pytest.mark.parametrize("real", REALS)
def test_one_by_one_raw_calls(real):
    boxes = random_boxes(np.random.default_rng(0), 19, real)
    first = {"box_convert_vjp": "grad_output"}
    formats = {"in_fmt": "xywh", "out_fmt": "cxcywh"}
    for name, output, parameters in (
        ("box_convert", "converted", formats), ("box_convert_vjp", "grad", formats),
        ("clip_boxes_to_image", "clipped", {"height": 4.0, "width": 5.0}), ("box_area", "area", {"fmt": "xyxy"}),
    ):  # fmt: skip
        given_name = first.get(name, "boxes")
        shape = (19,) if name == "box_area" else (19, 4)
        call = RawCall(
            name, real, [output], **{given_name: boxes, output: np.empty(shape, real)}, count=19, **parameters
        )
        assert call() == "OK"
        assert call(count=-1) == call(count=2**61) == "INVALID_SHAPE"
        assert call(**{given_name: None}) == call(**{output: None}) == "NULL_POINTER"
        separate = call.inside_guards("end")[0].copy()
        call.inside_guards("begin")
        if name != "box_area":  # in place
            copy = boxes.copy()
            assert _core.call_status(name, np.dtype(real), copy, 19, *parameters.values(), copy) == 0
            np.testing.assert_array_equal(copy, separate)
    kept = np.zeros(1, np.int64)
    call = RawCall(
        "remove_small_boxes", real, ["keep"], boxes=boxes, count=19, min_size=-np.inf, keep=np.empty(19, np.int64),
        capacity=19, kept_count=kept,
    )  # fmt: skip
    assert call() == "OK" and kept[0] == 19
    assert call(capacity=18) == "BUFFER_TOO_SMALL" and kept[0] == 19
    assert call(capacity=0, keep=None) == "BUFFER_TOO_SMALL" and call(capacity=-1) == "INVALID_SHAPE"
    assert call(boxes=None) == call(keep=None) == call(kept_count=None) == "NULL_POINTER"
    assert call(min_size=np.nan) == "INVALID_PARAMETER"


# --- Masks -----------------------------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(
    counts=st.tuples(st.integers(0, 5), st.integers(0, 5)), seed=st.integers(0, 2**32 - 1),
    shape=st.sampled_from([(0, 3), (3, 0), (1, 1), (1, 16), (3, 5), (7, 9), (8, 8), (5, 33), (13, 40), (64, 65)]),
    share=st.sampled_from([0, 0.01, 0.5, 1]), kind=st.sampled_from([bool, np.uint8, np.int64, float]),
)  # fmt: skip
def test_masks(counts, seed, shape, share, kind):
    rng = np.random.default_rng(seed)
    masks = [(rng.random((n, *shape)) < share).astype(kind) * kind(3) for n in counts]
    sets = [[set(np.flatnonzero(mask)) for mask in each] for each in masks]
    want = [[len(a & b) / len(a | b) if a | b else 0 for b in sets[1]] for a in sets[0]]
    got = losskit.mask_iou(*masks)
    assert got.dtype == np.float64
    np.testing.assert_array_equal(got, np.reshape(want, counts))
    single = np.empty(counts, np.float32)
    raw = [np.ascontiguousarray(each != 0).view(np.uint8) for each in masks]
    assert _core.call_status("mask_iou", single.dtype, *raw, *counts, shape[0] * shape[1], single) == 0
    np.testing.assert_array_equal(single, got.astype(np.float32))

    boxes = []
    for mask in masks[0]:
        y, x = np.nonzero(mask)
        boxes.append([x.min(), y.min(), x.max(), y.max()] if len(x) else [0, 0, 0, 0])
    np.testing.assert_array_equal(losskit.masks_to_boxes(masks[0]), np.reshape(boxes, (counts[0], 4)))


def test_mask_examples_and_errors():
    mask = np.zeros((1, 3, 4), bool)
    mask[0, 1, 1] = mask[0, 2, 3] = True
    assert losskit.masks_to_boxes(mask).tolist() == [[1, 1, 3, 2]]
    assert losskit.mask_iou(mask, mask).tolist() == [[1]]
    assert losskit.masks_to_boxes([]).shape == (0, 4) and losskit.mask_iou([], mask).shape == (0, 1)
    assert_error("INVALID_SHAPE", losskit.masks_to_boxes, mask[0])
    assert_error("INVALID_SHAPE", losskit.mask_iou, mask, mask[:, :2])
    for real in REALS:
        raw = mask.view(np.uint8)
        call = RawCall("masks_to_boxes", real, ["boxes"], masks=raw, count=1, height=3, width=4, boxes=np.empty((1, 4), real))
        assert call() == "OK"
        assert call(count=-1) == call(height=-1) == call(width=2**62) == "INVALID_SHAPE"
        assert call(masks=None) == call(boxes=None) == "NULL_POINTER"
        call.inside_guards("end"), call.inside_guards("begin")
        call = RawCall("mask_iou", real, ["iou"], masks1=raw, masks2=raw, count1=1, count2=1, pixels=12, iou=np.empty(1, real))
        assert call() == "OK"
        assert call(count1=-1) == call(count2=-1) == call(pixels=-1) == call(pixels=2**62) == "INVALID_SHAPE"
        assert call(masks1=None) == call(masks2=None) == call(iou=None) == "NULL_POINTER"
        call.inside_guards("end"), call.inside_guards("begin")


def test_masks_to_boxes_equals_torchvision():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    ops = pytest.importorskip("torchvision", reason="torchvision is not installed").ops
    masks = np.random.default_rng(3).random((40, 30, 50)) < 0.003
    np.testing.assert_array_equal(losskit.masks_to_boxes(masks), ops.masks_to_boxes(torch.from_numpy(masks)).numpy())


def test_one_by_one_equals_torchvision():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    ops = pytest.importorskip("torchvision", reason="torchvision is not installed").ops
    boxes = random_boxes(np.random.default_rng(4), 500, np.float32)
    tensor = torch.from_numpy(boxes)
    for source, target in itertools.product(FORMATS, FORMATS):
        theirs = ops.box_convert(tensor, source, target).numpy()
        np.testing.assert_array_equal(losskit.box_convert(boxes, in_fmt=source, out_fmt=target), theirs)
        np.testing.assert_array_equal(losskit.box_area(boxes, fmt=source), ops.box_area(tensor, source).numpy())
    theirs = ops.clip_boxes_to_image(tensor, (40, 60)).numpy()
    np.testing.assert_array_equal(losskit.clip_boxes_to_image(boxes, height=40, width=60), theirs)
    for least in (0, 0.7, 5):
        theirs = ops.remove_small_boxes(tensor, least).tolist()
        assert losskit.remove_small_boxes(boxes, min_size=least).tolist() == theirs


# --- Rotated boxes ---------------------------------------------------------------------------------------------------


def corners(box):
    x, y, w, h, angle = box
    c, s = math.cos(angle), math.sin(angle)
    return [(x + c * u - s * v, y + s * u + c * v) for u, v in ((w / 2, h / 2), (-w / 2, h / 2), (-w / 2, -h / 2), (w / 2, -h / 2))]


def polygon_area(polygon):
    return abs(sum(p[0] * q[1] - q[0] * p[1] for p, q in zip(polygon, polygon[1:] + polygon[:1]))) / 2 if len(polygon) > 2 else 0


def shared_area(box1, box2):
    """Of rectangle 1, clipped by the four half-planes of rectangle 2."""
    middle = [(a + b) / 2 for a, b in zip(box1[:2], box2[:2])]
    polygon, clip = ([(x, y) for x, y in corners([*np.subtract(box[:2], middle), *box[2:]])] for box in (box1, box2))
    for p, q in zip(clip, clip[1:] + clip[:1]):
        side = lambda r: (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])  # noqa: B023, E731
        result = []
        for a, b in zip(polygon, polygon[1:] + polygon[:1]):
            sa, sb = side(a), side(b)
            if sa >= 0:
                result.append(a)
            if (sa > 0 > sb) or (sa < 0 < sb):
                t = sa / (sa - sb)
                result.append((a[0] + t * (b[0] - a[0]), a[1] + t * (b[1] - a[1])))
        polygon = result
    return polygon_area(polygon)


def reference_rotated(box1, box2, mode="iou", clockwise=True):
    box1, box2 = ([*map(float, box[:4]), float(box[4]) * (1 if clockwise else -1)] for box in (box1, box2))
    area1, area2 = box1[2] * box1[3], box2[2] * box2[3]
    if area1 < 1e-14 or area2 < 1e-14:
        return 0
    both = shared_area(box1, box2)
    return both / (area1 if mode == "iof" else area1 + area2 - both)


def rotated_boxes(rng, n, real=np.float64, kind="scattered"):
    boxes = np.concatenate([rng.random((n, 2)) * 40, 1 + rng.random((n, 2)) * 20, rng.uniform(-7, 7, (n, 1))], 1)
    if kind == "whole":  # sides that coincide, corners that touch
        boxes = np.concatenate([rng.integers(0, 6, (n, 2)), rng.integers(0, 5, (n, 2)), rng.integers(-4, 5, (n, 1)) * np.pi / 4], 1)
    elif kind == "thin":
        boxes[:, 3] *= 1e-3
    elif kind == "alike":
        boxes = boxes[:1] + rng.normal(0, 1e-9, (n, 5))
    elif kind == "far":
        boxes[:, :2] += 1e4
    return boxes.astype(real)


def test_box_iou_rotated_example():
    got = losskit.box_iou_rotated([[5, 5, 4, 2, 0.5235988]], [[5, 5, 4, 2, 0]])
    np.testing.assert_allclose(got, [[0.6233097]], rtol=1e-6)


@pytest.mark.parametrize("kind", ["scattered", "whole", "thin", "alike", "far"])
@pytest.mark.parametrize("real", REALS)
@pytest.mark.parametrize("mode", ["iou", "iof"])
def test_box_iou_rotated(kind, real, mode):
    rng = np.random.default_rng(len(kind))
    tolerance = 3e-6 if real == np.float32 else 1e-12
    for n, m, clockwise in ((9, 17, True), (17, 40, False), (1, 1, True)):
        boxes = rotated_boxes(rng, n + m, real, kind)
        boxes1, boxes2 = boxes[:n], boxes[n:]
        want = np.array([[reference_rotated(a, b, mode, clockwise) for b in boxes2] for a in boxes1])
        got = losskit.box_iou_rotated(boxes1, boxes2, mode=mode, clockwise=clockwise)
        assert got.dtype == real and (got >= 0).all() and (got <= 1 + tolerance).all()
        np.testing.assert_allclose(got, want, rtol=tolerance, atol=tolerance)
        pairs = losskit.box_iou_rotated(boxes2[:n], boxes1, mode=mode, clockwise=clockwise, aligned=True)
        turned = losskit.box_iou_rotated(boxes2[:n], boxes1, mode=mode, clockwise=clockwise)
        np.testing.assert_array_equal(pairs, np.diagonal(turned))


def test_box_iou_rotated_upright_is_exact():
    rng = np.random.default_rng(8)
    centers, sizes = rng.integers(0, 20, (60, 2)), 2 * rng.integers(1, 8, (60, 2))
    upright = np.concatenate([centers - sizes // 2, centers + sizes // 2], 1)
    boxes = np.concatenate([centers, sizes, np.zeros((60, 1))], 1).astype(float)
    np.testing.assert_array_equal(losskit.box_iou_rotated(boxes, boxes), losskit.box_iou(upright, upright))
    quarter = boxes[:, [0, 1, 3, 2, 4]] + [0, 0, 0, 0, np.pi / 2]
    np.testing.assert_allclose(losskit.box_iou_rotated(boxes, quarter), losskit.box_iou(upright, upright), atol=1e-14)


def test_box_iou_rotated_edges():
    box, nan, tiny = [3.0, 4, 2, 5, 0.3], np.nan, [3.0, 4, 1e-8, 1e-8, 0]
    for place in range(5):
        bad = list(box)
        bad[place] = nan
        for mode in ("iou", "iof"):
            for a, b in ((bad, box), (box, bad), (bad, bad)):
                assert np.isnan(losskit.box_iou_rotated([a], [b], mode=mode)).all()
                assert np.isnan(losskit.box_iou_rotated([box, a], [box, b], mode=mode, aligned=True)).tolist() == [False, True]
    assert losskit.box_iou_rotated([tiny], [tiny]).tolist() == [[0]]
    assert losskit.box_iou_rotated([[0, 0, -1, 3, 0]], [[0, 0, 1, 3, 0]]).tolist() == [[0]]
    assert losskit.box_iou_rotated([[0, 0, -1, -3, 0]], [[0, 0, 1, 3, 0]]).tolist() == [[1]]
    # Boxes that only touch share nothing, and large angles are angles.
    assert losskit.box_iou_rotated([[0, 0, 2, 2, 0]], [[2, 0, 2, 2, 0], [2, 2, 2, 2, 0]]).tolist() == [[0, 0]]
    for angle in (1e3, -1e5, 123456.789):
        want = reference_rotated([0, 0, 4, 1, angle], [0.5, 0, 3, 2, 1])
        np.testing.assert_allclose(losskit.box_iou_rotated([[0, 0, 4, 1, angle]], [[0.5, 0, 3, 2, 1]]), [[want]], rtol=1e-12)
    for shape in ((0, 3), (3, 0), (0, 0)):
        assert losskit.box_iou_rotated(np.zeros((shape[0], 5)), np.zeros((shape[1], 5))).shape == shape
    assert losskit.box_iou_rotated([], [], aligned=True).shape == (0,)
    assert_error("INVALID_SHAPE", losskit.box_iou_rotated, [box[:4]], [box])
    assert_error("INVALID_SHAPE", losskit.box_iou_rotated, [box], [box, box], aligned=True)
    assert_error("INVALID_PARAMETER", losskit.box_iou_rotated, [box], [box], mode="giou")


@pytest.mark.parametrize("real", REALS)
def test_box_iou_rotated_raw_calls(real):
    boxes = rotated_boxes(np.random.default_rng(0), 21, real)
    call = RawCall(
        "box_iou_rotated", real, ["overlaps"], boxes1=boxes, boxes2=boxes, count1=21, count2=21, mode="iou", aligned=False,
        clockwise=True, overlaps=np.empty((21, 21), real),
    )  # fmt: skip
    assert call() == "OK"
    assert call(count1=-1) == call(count2=-1) == call(count1=2**60) == call(count2=20, aligned=True) == "INVALID_SHAPE"
    assert call(boxes1=None) == call(boxes2=None) == call(overlaps=None) == "NULL_POINTER"
    call.inside_guards("end"), call.inside_guards("begin")


def test_box_iou_rotated_agrees_with_torchvision():
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("torchvision", reason="torchvision is not installed")
    rng = np.random.default_rng(6)
    boxes1, boxes2 = rotated_boxes(rng, 50), rotated_boxes(rng, 60)
    degrees = [torch.from_numpy(boxes * [1, 1, 1, 1, 180 / np.pi]) for boxes in (boxes1, boxes2)]
    theirs = torch.ops.torchvision.box_iou_rotated(*degrees).numpy()
    np.testing.assert_allclose(losskit.box_iou_rotated(boxes1, boxes2, clockwise=False), theirs, atol=1e-6)


# --- Instruction sets and threads ------------------------------------------------------------------------------------


def test_same_bits():
    assert_same_bits(
        """
rng = np.random.default_rng(0)
center, size = rng.random((1300, 2)) * 100, rng.random((1300, 2)) * 30
for real in (np.float32, np.float64):
    boxes = np.concatenate([center - size, center + size], 1).astype(real)
    turned = np.concatenate([center, size, rng.uniform(-4, 4, (1300, 1))], 1).astype(real)
    for name in ("box_iou", "generalized_box_iou", "distance_box_iou", "complete_box_iou"):
        results[name + real.__name__] = getattr(losskit, name)(boxes[:300], boxes)
    results["rotated" + real.__name__] = losskit.box_iou_rotated(turned[:100], turned)
    results["aligned" + real.__name__] = losskit.box_iou_rotated(turned, turned[::-1].copy(), aligned=True)
    results["convert" + real.__name__] = losskit.box_convert(boxes, in_fmt="cxcywh", out_fmt="xywh")
masks = rng.random((20, 50, 37)) < 0.3
results["masks"], results["bounds"] = losskit.mask_iou(masks, masks[::-1]), losskit.masks_to_boxes(masks)
"""
    )
