"""From the raw outputs of heads to detections: against NumPy loops written from the definitions, and torchvision."""

import ctypes

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import assert_error, assert_same_bits, guarded

import losskit
from losskit import _core

REALS = [np.float32, np.float64]

# --- The definitions, in NumPy ---------------------------------------------------------------------------------------


def sigmoid(x):
    return np.exp(-np.logaddexp(0, -x))


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True, initial=-np.inf))
    return e / e.sum(-1, keepdims=True)


def corners(deltas, anchors, weights, clip=np.log(1000 / 16)):
    size = anchors[:, 2:] - anchors[:, :2]
    centre = anchors[:, :2] + size / 2 + deltas[:, :2] / weights[:2] * size
    half = size * np.exp(np.minimum(deltas[:, 2:] / weights[2:], clip)) / 2
    return np.concatenate([centre - half, centre + half], 1)


def about(points, distances):
    return np.concatenate([points - distances[:, :2], points + distances[:, 2:]], 1)


def expectations(logits):
    p = softmax(logits.reshape(len(logits), 4, -1))
    return (p * np.arange(p.shape[-1])).sum(-1)


def yolo(t, grid, strides, anchors, version):
    unit = strides[:, None] if version == "x" else anchors
    offset = {"v3": sigmoid, "v5": lambda u: 2 * sigmoid(u) - 0.5, "v7": lambda u: 2 * sigmoid(u) - 0.5, "x": np.copy}
    factor = {"v3": np.exp, "v5": lambda u: (2 * sigmoid(u)) ** 2, "v7": lambda u: (2 * sigmoid(u)) ** 2, "x": np.exp}
    centre = (offset[version](t[:, :2]) + grid) * strides[:, None]
    half = factor[version](t[:, 2:4]) * unit / 2
    return np.concatenate([centre - half, centre + half], 1)


def overlaps(box, others):
    extent = np.maximum(np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2]), 0)
    area = lambda b: (b[..., 2] - b[..., 0]) * (b[..., 3] - b[..., 1])  # noqa: E731
    shared = extent.prod(1)
    union = area(box) + area(others) - shared
    return np.where(union == 0, 0, shared / np.where(union == 0, 1, union))


def detections(
    scores, boxes, scopes, *, score_threshold, pre_nms_top_k, nms="hard", iou_threshold, sigma=0.5,
    soft_score_threshold=0.001, class_agnostic=False, multi_label=True, max_detections, image_size=None, min_size=0.0,
    background_index=None,
):  # fmt: skip
    """``scopes[a, c]`` says among which scores the best ``pre_nms_top_k`` are chosen."""
    candidates = {}
    for a, row in enumerate(scores):
        classes = [c for c in range(len(row)) if c != background_index]
        if not multi_label:
            classes = [max(classes, key=lambda c: (row[c], -c))]
        for c in classes:
            if row[c] > score_threshold:
                candidates.setdefault(scopes[a, c], []).append((a, c))
    chosen = []
    for scope in sorted(candidates):
        chosen += sorted(candidates[scope], key=lambda ac: -scores[ac])[:pre_nms_top_k]
    chosen.sort(key=lambda ac: -scores[ac])
    rows = []
    for a, c in chosen:
        box = boxes[a].copy()
        if image_size is not None:
            box = np.clip(box, 0, [image_size[1], image_size[0]] * 2)
        if not (min_size > 0 and min(box[2] - box[0], box[3] - box[1]) < min_size):
            rows.append((box, c, a))
    b = np.array([row[0] for row in rows]).reshape(-1, 4)
    labels, anchors = (np.array([row[i] for row in rows], np.int64) for i in (1, 2))
    s = scores[anchors, labels]
    left, kept, kept_scores = np.ones(len(s), bool), [], []
    while left.any() and len(kept) < max_detections:
        best = np.flatnonzero(left)[np.argmax(s[left])]
        if nms.startswith("soft") and s[best] < soft_score_threshold:
            break
        kept.append(best)
        kept_scores.append(s[best])
        left[best] = False
        overlap = overlaps(b[best], b) * (class_agnostic | (labels == labels[best]))
        if nms == "hard":
            left &= ~(overlap > iou_threshold)
        elif nms == "soft_linear":
            s = np.where(overlap > iou_threshold, s * (1 - overlap), s)
        elif nms == "soft_gaussian":
            s = s * np.exp(-(overlap**2) / sigma)
    return b[kept], np.array(kept_scores), labels[kept], anchors[kept]


# --- Heads: what a network gives, the call, and what is to come out --------------------------------------------------

SHAPES, STRIDES = [(8, 6), (4, 3), (2, 2)], [8, 16, 32]
LEVELS = [r * c for r, c in SHAPES]
ANCHORS = sum(LEVELS)


class Head:
    def __init__(self, name, classes, rng, real=np.float64):
        self.name, self.classes, self.real = name, classes, real
        self.points, self.strides = losskit.grid_points(SHAPES, STRIDES, dtype=real)
        self.grid, _ = losskit.grid_points(SHAPES, STRIDES, offset=0, in_pixels=False, dtype=real)
        self.logits = rng.normal(-2.0, 1.5, (ANCHORS, classes))
        self.quality = rng.normal(1, 2, ANCHORS)
        self.deltas = rng.normal(0, 0.5, (ANCHORS, 4))
        self.bins = rng.normal(0, 2, (ANCHORS, 4 * 8))
        side = self.strides[:, None] * rng.uniform(1, 4, (ANCHORS, 2))
        self.sizes = side
        self.anchors = np.concatenate([self.points - side / 2, self.points + side / 2], 1)
        for key in ("logits", "quality", "deltas", "bins", "sizes", "anchors"):
            setattr(self, key, getattr(self, key).astype(real))
        self.distances = np.abs(self.deltas) * 3

    def run(self, **options):
        """The detections, and a function that gives the boxes and scores that they are chosen from."""
        return getattr(self, self.name)(**options)

    def scores(self, activation="sigmoid"):
        return {"sigmoid": sigmoid, "softmax": softmax, "none": np.copy}[activation](self.logits.astype(np.float64))

    def retinanet(self, activation="sigmoid", weights=(1.0, 1.0, 1.0, 1.0), **options):
        found = losskit.retinanet_postprocess(
            self.logits, self.deltas, self.anchors, activation=activation, weights=weights, **options
        )
        return found, self.scores(activation), corners(self.deltas, self.anchors, np.array(weights))

    def ssd(self, **options):
        found = losskit.ssd_postprocess(self.logits, self.deltas, self.anchors, **options)
        return found, self.scores("softmax"), corners(self.deltas, self.anchors, np.array([10, 10, 5, 5]))

    def fcos(self, **options):
        found = losskit.fcos_postprocess(
            self.logits, self.distances, self.quality, self.points, self.strides, **options
        )
        scores = np.sqrt(self.scores() * sigmoid(self.quality)[:, None])
        return found, scores, about(self.points, self.distances * self.strides[:, None])

    def gfl(self, activation="sigmoid", **options):
        found = losskit.gfl_postprocess(
            self.logits, self.bins, self.points, self.strides, reg_max=7, activation=activation, **options
        )
        return found, self.scores(activation), about(self.points, expectations(self.bins) * self.strides[:, None])

    def yolo(self, version="v5", channels_first=False, activation="sigmoid", **options):
        is_v8 = version == "v8"
        parts = [self.bins] if is_v8 else [self.deltas, self.quality[:, None]]
        pred = np.concatenate([*parts, self.logits], 1)
        found = losskit.yolo_postprocess(
            np.ascontiguousarray(pred.T) if channels_first else pred, self.grid, self.strides,
            self.sizes if version in ("v3", "v5", "v7") else None, version=version, channels_first=channels_first,
            reg_max=7, activation=activation, **options,
        )  # fmt: skip
        if is_v8:
            boxes = about(self.grid + 0.5, expectations(self.bins)) * self.strides[:, None]
            return found, self.scores(activation), boxes
        quality = self.quality if activation == "none" else sigmoid(self.quality)
        boxes = yolo(self.deltas, self.grid, self.strides, self.sizes, version)
        return found, self.scores(activation) * quality[:, None], boxes


DEFAULTS = {
    "retinanet": dict(score_threshold=0.05, pre_nms_top_k=1000, iou_threshold=0.5, max_detections=300),
    "ssd": dict(score_threshold=0.01, pre_nms_top_k=400, iou_threshold=0.45, max_detections=200, background_index=0),
    "fcos": dict(score_threshold=0.2, pre_nms_top_k=1000, iou_threshold=0.6, max_detections=100),
    "gfl": dict(score_threshold=0.05, pre_nms_top_k=1000, iou_threshold=0.6, max_detections=100),
    "yolo": dict(score_threshold=0.25, pre_nms_top_k=1000, iou_threshold=0.45, max_detections=300),
}  # fmt: skip
HEADS = list(DEFAULTS)


def check(head, own=None, tolerance=1e-11, **options):
    found, scores, boxes = head.run(**(own or {}), **options)
    scopes = np.zeros(scores.shape, np.int64)
    if head.name == "ssd":
        scopes += np.arange(head.classes)
    elif options.get("level_sizes") is not None:
        scopes += np.repeat(np.arange(len(options["level_sizes"])), options["level_sizes"])[:, None]
    options = {key: value for key, value in options.items() if key != "level_sizes"}
    expected = detections(scores, boxes, scopes, **{**DEFAULTS[head.name], **options})
    assert found[2].tolist() == expected[2].tolist() and found[3].tolist() == expected[3].tolist()
    np.testing.assert_allclose(found[0], expected[0], rtol=tolerance, atol=tolerance * 100)
    np.testing.assert_allclose(found[1], expected[1], rtol=tolerance)
    assert found[0].dtype == found[1].dtype == head.real and found[2].dtype == found[3].dtype == np.int64
    return found


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.parametrize("nms", ["hard", "soft_linear", "soft_gaussian", "none"])
@pytest.mark.parametrize("classes", [2, 5, 19])
def test_heads(name, nms, classes, rng):
    head = Head(name, classes, rng)
    assert len(check(head, nms=nms)[0]) > 0
    check(head, nms=nms, class_agnostic=True, score_threshold=0.1)
    check(head, nms=nms, multi_label=False, score_threshold=0.02)
    check(head, nms=nms, pre_nms_top_k=7, max_detections=11)
    check(head, nms=nms, pre_nms_top_k=0)
    check(head, nms=nms, image_size=(50, 40), min_size=6.0)
    check(head, nms=nms, score_threshold=-1.0, max_detections=10**6, iou_threshold=0.3)
    check(head, nms=nms, score_threshold=2.0)


@pytest.mark.parametrize("name", ["retinanet", "fcos", "gfl"])
def test_levels_are_selected_by_themselves(name, rng):
    head = Head(name, 6, rng)
    for sizes in (LEVELS, [ANCHORS], [0, *LEVELS, 0], [1] * ANCHORS):
        for top_k in (0, 1, 5, 10**9):
            check(head, level_sizes=sizes, pre_nms_top_k=top_k, score_threshold=0.02)
    run = lambda **options: head.run(**options)[0]  # noqa: E731
    assert_error("INVALID_SHAPE", run, level_sizes=[1, 2])
    assert_error("INVALID_SHAPE", run, level_sizes=[ANCHORS + 1, -1])
    assert_error("INVALID_SHAPE", run, level_sizes=[[ANCHORS]])


def test_outputs_may_be_lists_of_levels(rng):
    head = Head("gfl", 6, rng)
    split = lambda x: np.split(x, np.cumsum(LEVELS)[:-1])  # noqa: E731
    options = dict(reg_max=7, pre_nms_top_k=4)
    as_lists = losskit.gfl_postprocess(split(head.logits), split(head.bins), head.points, head.strides, **options)
    as_arrays = losskit.gfl_postprocess(
        head.logits, head.bins, head.points, head.strides, level_sizes=LEVELS, **options
    )
    for a, b in zip(as_lists, as_arrays):
        assert a.tobytes() == b.tobytes()
    head = Head("retinanet", 6, rng)
    as_lists = losskit.retinanet_postprocess(split(head.logits), split(head.deltas), head.anchors, pre_nms_top_k=4)
    assert as_lists[3].tolist() == check(head, level_sizes=LEVELS, pre_nms_top_k=4)[3].tolist()
    uneven, boxes = [np.zeros((2, 3)), np.zeros((2, 4))], np.zeros((4, 4))
    assert_error("INVALID_SHAPE", losskit.ssd_postprocess, uneven, boxes, boxes)


@pytest.mark.parametrize("version", ["v3", "v5", "v7", "v8", "x"])
@pytest.mark.parametrize("channels_first", [False, True])
def test_yolo_versions(version, channels_first, rng):
    for classes in (1, 3, 16, 33):
        head = Head("yolo", classes, rng)
        own = dict(version=version, channels_first=channels_first)
        for options in ({}, dict(multi_label=False), dict(score_threshold=0.01, pre_nms_top_k=9)):
            check(head, own, **options)
            check(head, dict(own, activation="softmax"), **options)
        head.logits, head.quality = sigmoid(head.logits), sigmoid(head.quality)
        check(head, dict(own, activation="none"))


def test_activations_and_background(rng):
    for activation in ("softmax", "none"):
        for name in ("retinanet", "gfl"):
            check(Head(name, 7, rng), dict(activation=activation))
    check(Head("retinanet", 7, rng), dict(weights=(10.0, 10.0, 5.0, 5.0)))
    for background in (None, 0, 3, 6):
        check(Head("ssd", 7, rng), background_index=background)
    head = Head("fcos", 4, rng)
    found = losskit.fcos_postprocess(head.logits, head.distances, None, head.points, head.strides)
    boxes = about(head.points, head.distances * head.strides[:, None])
    expected = detections(head.scores(), boxes, np.zeros((ANCHORS, 4)), **DEFAULTS["fcos"])
    assert found[3].tolist() == expected[3].tolist()


@pytest.mark.parametrize("real", REALS)
def test_chains_are_their_kernels_one_after_the_other(real, rng):
    """Bit by bit: what is decoded late is decoded as ever."""
    head = Head("retinanet", 9, rng, real)
    options = dict(score_threshold=0.03, pre_nms_top_k=37, iou_threshold=0.4, max_detections=50, image_size=(64, 48))
    points, strides = head.points, head.strides[:, None]
    half = real(0.5)
    pairs = [
        (head.retinanet(**options)[0], head.logits, losskit.decode_boxes(head.deltas, head.anchors), None, {}),
        (head.fcos(**options)[0], head.logits, losskit.distance_to_box(points, head.distances * strides),
         head.quality, {"objectness_mode": "sqrt"}),
        (head.gfl(**options)[0], head.logits,
         losskit.distance_to_box(points, losskit.dfl_decode(head.bins, reg_max=7) * strides), None, {}),
    ]  # fmt: skip
    for version in ("v3", "v5", "x"):
        boxes = losskit.decode_yolo(head.deltas, head.grid, head.strides, head.sizes, version=version)
        pairs.append((head.yolo(version, **options)[0], head.logits, boxes, head.quality, {}))
    distances = losskit.dfl_decode(head.bins, reg_max=7)
    boxes = losskit.distance_to_box(head.grid + half, distances) * strides
    for channels_first in (False, True):
        pairs.append((head.yolo("v8", channels_first, **options)[0], head.logits, boxes, None, {}))
    for found, logits, boxes, objectness, more in pairs:
        expected = losskit.detection_postprocess(logits, boxes, objectness, **options, **more)
        assert len(found[0]) > 5
        for a, b in zip(found, expected):
            assert a.tobytes() == b.tobytes()


@given(
    st.sampled_from(HEADS), st.integers(0, 40), st.integers(1, 20), st.sampled_from(REALS),
    st.sampled_from([-2.0, 0.0, 0.1, 0.5]), st.integers(0, 30), st.booleans(), st.integers(0, 2**32 - 1),
)  # fmt: skip
def test_ties_and_sizes(name, anchors, classes, real, threshold, top_k, multi_label, seed):
    """Scores of which many are equal: which are chosen, and in which order, is fixed."""
    rng = np.random.default_rng(seed)
    logits = rng.choice([-3, -1, 0, 1, 2.0], (anchors, classes)).astype(real)
    zeros = lambda n: np.zeros((anchors, n), real)  # noqa: E731
    ones, anchor_boxes = np.ones(anchors, real), np.tile(np.array([[0, 0, 1, 1]], real), (anchors, 1))
    options = dict(
        score_threshold=threshold, pre_nms_top_k=top_k, nms="none", multi_label=multi_label, max_detections=10**6
    )
    scopes, more = np.zeros((anchors, classes), np.int64), {}
    if name == "retinanet":
        sizes = np.bincount(rng.integers(0, 3, anchors), minlength=3)
        found = losskit.retinanet_postprocess(logits, zeros(4), anchor_boxes, level_sizes=sizes, **options)
        scopes += np.repeat(np.arange(3), sizes)[:, None]
    elif name == "ssd":
        found = losskit.ssd_postprocess(logits, zeros(4), anchor_boxes, **options)
        scopes, more = scopes + np.arange(classes), {"background_index": 0}
    elif name == "fcos":
        found = losskit.fcos_postprocess(logits, zeros(4), ones * 50, zeros(2), ones, **options)
    elif name == "gfl":
        found = losskit.gfl_postprocess(logits, zeros(4), zeros(2), ones, reg_max=0, **options)
    else:
        pred = np.concatenate([zeros(4), 50 * np.ones((anchors, 1), real), logits], 1)
        found = losskit.yolo_postprocess(pred, zeros(2), ones, version="x", **options)
    if classes == 1 and name == "ssd":
        assert len(found[0]) == 0
        return
    # The scores as they are computed: equal ones are to be exactly equal.
    scores = np.empty((anchors, classes))
    _, s, c, a = losskit.detection_postprocess(
        logits, anchor_boxes, ones * 50 if name == "fcos" else None, objectness_mode="sqrt", score_threshold=-np.inf,
        activation="softmax" if name == "ssd" else "sigmoid", nms="none", pre_nms_top_k=10**6, max_detections=10**6,
    )  # fmt: skip
    scores[a, c] = s
    expected = detections(scores, np.zeros((anchors, 4)), scopes, iou_threshold=0.5, **options, **more)
    assert found[2].tolist() == expected[2].tolist() and found[3].tolist() == expected[3].tolist()


@pytest.mark.parametrize("real", REALS)
def test_values_that_are_no_numbers(real, rng):
    for name in HEADS:
        head = Head(name, 5, rng, real)
        head.logits[3, 2] = np.nan
        head.quality[3] = 50
        assert_error("INVALID_VALUE", head.run)
        head.logits[3] = -np.inf if name != "ssd" else [0, 0, -np.inf, 0, 0]
        assert np.isfinite(head.run()[0][1]).all()
    head = Head("yolo", 5, rng, real)
    head.quality[7] = np.nan
    assert_error("INVALID_VALUE", head.run)
    # Boxes of NaN neither suppress nor are suppressed.
    head = Head("fcos", 3, rng, real)
    head.distances[:] = np.nan
    found = head.run(iou_threshold=0.0)[0]
    assert len(found[0]) == 100 or len(found[0]) == len(head.run(nms="none")[0][0])


def test_nothing_in_nothing_out():
    for real in REALS:
        empty = lambda *shape: np.empty(shape, real)  # noqa: E731
        for found in (
            losskit.retinanet_postprocess(empty(0, 3), empty(0, 4), empty(0, 4)),
            losskit.ssd_postprocess(empty(4, 0), empty(4, 4), empty(4, 4), background_index=None),
            losskit.fcos_postprocess(empty(0, 3), empty(0, 4), empty(0), empty(0, 2), empty(0), level_sizes=[0, 0]),
            losskit.gfl_postprocess(empty(0, 3), empty(0, 68), empty(0, 2), empty(0)),
            losskit.yolo_postprocess(empty(0, 85), empty(0, 2), empty(0), empty(0, 2)),
            losskit.yolo_postprocess(empty(6, 5), empty(6, 2), empty(6), empty(6, 2)),
        ):
            assert [x.shape for x in found] == [(0, 4), (0,), (0,), (0,)]


def test_errors(rng):
    heads = {name: Head(name, 3, rng) for name in HEADS}
    for name, head in heads.items():
        for bad in (
            dict(score_threshold=np.nan), dict(iou_threshold=np.nan), dict(sigma=-1), dict(pre_nms_top_k=-1),
            dict(soft_score_threshold=np.nan), dict(max_detections=-1), dict(min_size=np.nan), dict(nms="matrix"),
            dict(image_size=(-1, 5)), dict(image_size=(5, np.nan)),
        ):  # fmt: skip
            assert_error("INVALID_PARAMETER", lambda: head.run(**bad))
    assert_error("INVALID_PARAMETER", lambda: heads["retinanet"].run(weights=(1, 0, 1, 1)))
    assert_error("INVALID_PARAMETER", lambda: heads["ssd"].run(background_index=3))
    assert_error("INVALID_PARAMETER", lambda: heads["yolo"].run(version="v1"))
    h = heads["gfl"]
    assert_error("INVALID_SHAPE", losskit.gfl_postprocess, h.logits, h.bins, h.points, h.strides, reg_max=8)
    assert_error("INVALID_SHAPE", losskit.gfl_postprocess, h.logits[1:], h.bins, h.points, h.strides, reg_max=7)
    assert_error("INVALID_SHAPE", losskit.fcos_postprocess, h.logits, h.distances, h.quality[1:], h.points, h.strides)
    assert_error("INVALID_SHAPE", losskit.yolo_postprocess, h.logits[:, :2], h.grid, h.strides, h.sizes)
    pred = np.concatenate([h.deltas, h.quality[:, None], h.logits], 1)
    assert_error("NULL_POINTER", losskit.yolo_postprocess, pred, h.grid, h.strides)


def test_grid_points(dtype):
    points, strides = losskit.grid_points([(2, 3), (0, 5), (1, 1)], [4, 8, 16], dtype=dtype)
    assert points.tolist() == [[2, 2], [6, 2], [10, 2], [2, 6], [6, 6], [10, 6], [8, 8]]
    assert strides.tolist() == [4] * 6 + [16] and points.dtype == strides.dtype == dtype
    cells, _ = losskit.grid_points([(1, 2)], [4], offset=0, in_pixels=False, dtype=dtype)
    assert cells.tolist() == [[0, 0], [1, 0]]
    assert losskit.grid_points([], [])[0].shape == (0, 2)
    assert_error("INVALID_SHAPE", losskit.grid_points, [(-1, 2)], [4])
    assert_error("INVALID_PARAMETER", losskit.grid_points, [(1, 2)], [4], offset=np.inf)


# --- Workspaces and buffers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nms", ["hard", "soft_gaussian", "none"])
@pytest.mark.parametrize("name", HEADS)
def test_workspaces(name, nms, dtype, rng):
    """The size that is asked for suffices, to the byte, and too small a one is refused; capacities likewise."""
    head = Head(name, 6, rng, dtype.type)
    entry = f"{name}_postprocess"
    recorded = []
    original = _core.call
    module = losskit._decoding
    try:
        module.call = lambda *arguments: recorded.append(arguments) or original(*arguments)
        expected = head.run(nms=nms, pre_nms_top_k=20, score_threshold=0.02)[0]
    finally:
        module.call = original
    _, real, *arguments = recorded[0]
    size, count = ctypes.c_ssize_t(), ctypes.c_ssize_t()
    arguments[-3] = ctypes.addressof(count)
    sizes = {"retinanet": (0,), "fcos": (0,), "ssd": (), "gfl": (0, 7)}
    measured = (ANCHORS, 6, *sizes[name]) if name != "yolo" else (ANCHORS, 11, "v5", 7)
    _core.call(f"{entry}_workspace_size", None, *measured, 20, ctypes.addressof(size))
    for side in ("start", "end"):
        workspace = guarded(np.full(size.value, 255, np.uint8), side)
        for array in arguments[-8:-4]:
            array[:] = 77
        _core.call(entry, real, *arguments[:-2], workspace, size.value)
        assert count.value == len(expected[0])
        for array, wanted in zip(arguments[-8:-4], expected):
            assert array[: len(wanted)].tobytes() == wanted.tobytes()
            assert (array[len(wanted) :] == 77).all()
    small = _core._prototypes.ENUMS["Status"]["buffer_too_small"]
    for array in arguments[-8:-4]:
        array[:] = 77
    count.value = -1
    assert _core.call_status(entry, real, *arguments[:-2], np.zeros(8, np.uint8), 8) == small and count.value == -1
    assert _core.call_status(entry, real, *arguments[:-4], 1, *arguments[-3:]) == small
    assert count.value == len(expected[0]) > 1
    assert all((array == 77).all() for array in arguments[-8:-4])
    ok = _core.call_status(entry, real, *arguments[:-8], None, None, None, None, *arguments[-4:])
    assert ok == 0


# --- Others ----------------------------------------------------------------------------------------------------------


def test_torchvision_agrees(rng):
    """Post-processing of the models of torchvision.models.detection, level by level."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("torchvision")
    from types import SimpleNamespace

    from torchvision.models.detection import FCOS, RetinaNet
    from torchvision.models.detection import _utils as coders
    from torchvision.models.detection.ssd import SSD

    tensor = lambda x: torch.from_numpy(np.ascontiguousarray(x))  # noqa: E731
    split = lambda x: [tensor(part)[None] for part in np.split(x, np.cumsum(LEVELS)[:-1])]  # noqa: E731
    anchors = lambda boxes: [[part[0] for part in split(boxes)]]  # noqa: E731
    image = (70, 60)

    def compare(found, theirs):
        assert len(found[0]) == len(theirs["boxes"]) > 10
        # Equal scores may come in another order there.
        np.testing.assert_allclose(found[1], theirs["scores"], rtol=1e-6)
        np.testing.assert_allclose(found[0], theirs["boxes"], rtol=1e-5, atol=1e-4)
        assert found[2].tolist() == theirs["labels"].tolist()

    head = Head("retinanet", 7, rng, np.float32)
    options = dict(level_sizes=LEVELS, image_size=image, pre_nms_top_k=30)
    settings = SimpleNamespace(
        score_thresh=0.05, topk_candidates=30, nms_thresh=0.5, detections_per_img=300,
        box_coder=coders.BoxCoder(weights=(1.0, 1.0, 1.0, 1.0)),
    )  # fmt: skip
    outputs = {"cls_logits": split(head.logits), "bbox_regression": split(head.deltas)}
    theirs = RetinaNet.postprocess_detections(settings, outputs, anchors(head.anchors), [image])[0]
    compare(head.run(**options)[0], theirs)

    head = Head("fcos", 7, rng, np.float32)
    half = head.strides[:, None] / 2
    outputs = {
        "cls_logits": split(head.logits), "bbox_regression": split(head.distances),
        "bbox_ctrness": split(head.quality[:, None]),
    }  # fmt: skip
    settings.score_thresh, settings.nms_thresh, settings.detections_per_img = 0.2, 0.6, 100
    settings.box_coder = coders.BoxLinearCoder(normalize_by_size=True)
    cells = np.concatenate([head.points - half, head.points + half], 1)
    theirs = FCOS.postprocess_detections(settings, outputs, anchors(cells), [image])[0]
    compare(head.run(**options)[0], theirs)

    head = Head("ssd", 7, rng, np.float32)
    settings = SimpleNamespace(
        score_thresh=0.01, topk_candidates=20, nms_thresh=0.45, detections_per_img=200,
        box_coder=coders.BoxCoder(weights=(10.0, 10.0, 5.0, 5.0)),
    )  # fmt: skip
    outputs = {"cls_logits": tensor(head.logits)[None], "bbox_regression": tensor(head.deltas)[None]}
    theirs = SSD.postprocess_detections(settings, outputs, [tensor(head.anchors)], [image])[0]
    compare(head.run(image_size=image, pre_nms_top_k=20)[0], theirs)


BITS = """
rng = np.random.default_rng(5)
shapes, strides = [(20, 16), (10, 8)], [8, 16]
for real in (np.float32, np.float64):
    points, s = losskit.grid_points(shapes, strides, dtype=real)
    n = len(points)
    logits, deltas, bins = (rng.normal(m, 1, (n, c)).astype(real) for m, c in ((-2, 13), (0, 4), (0, 64)))
    quality, distances = rng.normal(1, 1, n).astype(real), 3 * np.abs(deltas)
    anchors = np.concatenate([points - 16, points + 16], 1)
    pred = np.concatenate([deltas, quality[:, None], logits], 1)
    runs = dict(
        retinanet=losskit.retinanet_postprocess(logits, deltas, anchors, level_sizes=[320, 80]),
        ssd=losskit.ssd_postprocess(logits, deltas, anchors, nms="soft_gaussian"),
        fcos=losskit.fcos_postprocess(logits, distances, quality, points, s),
        gfl=losskit.gfl_postprocess(logits, bins, points, s, reg_max=15, nms="soft_linear"),
        v5=losskit.yolo_postprocess(pred, points, s, 2 * points, score_threshold=0.05),
        v8=losskit.yolo_postprocess(np.concatenate([bins, logits], 1), points, s, version="v8"),
    )
    for name, run in runs.items():
        for i, part in enumerate(run):
            results[f"{name} {real.__name__} {i}"] = part
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS)
