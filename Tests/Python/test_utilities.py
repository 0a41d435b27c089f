"""Classification utilities and scores: judged by NumPy float64 formulas written from the definitions."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support import RawCall, assert_close, assert_error, assert_same_bits, row_shapes

import losskit

INF, NAN = math.inf, math.nan


def filter_normalize(d, w, mode="filter", eps=1e-10):
    d, w = d.astype(np.float64), w.astype(np.float64)
    axes = None if mode == "layer" else tuple(range(1, d.ndim))
    norms = [np.sqrt((x**2).sum(axes, keepdims=True)) for x in (w, d)]
    return d * norms[0] / (norms[1] + eps)


def relative_signal_strength(clean, noisy):
    clean, noisy = clean.astype(np.float64), noisy.astype(np.float64)
    with np.errstate(all="ignore"):
        numerator, denominator = noisy.max(-1, keepdims=True) - noisy, clean.max(-1, keepdims=True) - clean
        return np.where(denominator == 0, INF, numerator / denominator).min(-1)


def test_worked_examples(dtype):
    d, w = np.array([[3, 4], [1, 0]], dtype), np.array([[0, 2], [0.6, 0.8]], dtype)
    assert_close(losskit.filter_normalize(d, w), [[1.2, 1.6], [1, 0]], tolerance=3e-7)
    clean, noisy = np.array([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]], dtype), np.array([[0.5, 0.3, 0.2], [0.3, 0.4, 0.3]], dtype)
    strength = losskit.relative_signal_strength(clean, noisy)
    assert strength.dtype == dtype
    assert_close(strength, [0.4, 0], tolerance=1e-6)


@given(row_shapes(), st.integers(0, 2**32 - 1), st.sampled_from(["filter", "layer"]), st.sampled_from([np.float32, np.float64]))
def test_filter_normalize_follows_its_definition(drawn, seed, mode, real):
    shape, _ = drawn
    rng = np.random.default_rng(seed)
    d, w = (rng.normal(0, rng.choice([1e-12, 1, 1e3]), shape).astype(real) for _ in range(2))
    if d.size:
        w[0] = 0
    for eps in (1e-10, 0.5):
        assert_close(losskit.filter_normalize(d, w, mode=mode, eps=eps), filter_normalize(d, w, mode, eps))


def test_filters_without_length(dtype):
    zero, one = np.zeros((2, 3), dtype), np.ones((2, 3), dtype)
    for eps in (0, 1e-10):
        assert (losskit.filter_normalize(zero, one, eps=eps) == 0).all()
        assert (losskit.filter_normalize(one, zero, eps=eps) == 0).all()
    bad = one.copy()
    bad[0, 1] = NAN
    out = losskit.filter_normalize(one, bad)
    assert np.isnan(out[0]).all() and np.isfinite(out[1]).all()


@given(row_shapes(), st.integers(0, 2**32 - 1), st.sampled_from([np.float32, np.float64]), st.booleans())
def test_signal_strength_follows_its_definition(drawn, seed, real, coarse):
    shape, axis = drawn
    rng = np.random.default_rng(seed)
    posteriors = [rng.gamma(1, 1, shape) for _ in range(2)]
    posteriors = [p / p.sum(axis, keepdims=True) for p in posteriors]
    if coarse:  # with ties
        posteriors = [p.round(1) for p in posteriors]
    clean, noisy = (p.astype(real) for p in posteriors)
    strength = losskit.relative_signal_strength(clean, noisy, axis=axis)
    expected = relative_signal_strength(*(np.moveaxis(p, axis, -1) for p in (clean, noisy)))
    assert_close(strength[..., None], expected[..., None])


def test_signal_strength_of_undefined_rows(dtype):
    clean = np.tile(np.array([0.5, 0.5, 0], dtype), (5, 8))
    noisy = np.tile(np.array([0.2, 0.3, 0.5], dtype), (5, 8))
    expected = relative_signal_strength(clean, noisy)
    clean[1, 3], noisy[2, 20], noisy[3, 0] = NAN, NAN, INF
    strength = losskit.relative_signal_strength(clean, noisy)
    assert np.isnan(strength).tolist() == [False, True, True, True, False]
    assert_close(strength[[0, 4]], expected[[0, 4]])
    assert losskit.relative_signal_strength(np.full((1, 4), 0.25, dtype), np.array([[1, 0, 0, 0]], dtype)) == INF
    assert losskit.relative_signal_strength(np.ones((1, 1), dtype), np.ones((1, 1), dtype)) == INF
    assert losskit.relative_signal_strength(np.ones((0, 3), dtype), np.ones((0, 3), dtype)).shape == (0,)


def test_arguments_are_checked():
    assert_error("INVALID_SHAPE", losskit.filter_normalize, np.ones((2, 3)), np.ones((3, 2)))
    assert_error("INVALID_SHAPE", losskit.filter_normalize, 1.0, 1.0)
    assert_error("INVALID_PARAMETER", losskit.filter_normalize, np.ones((2, 3)), np.ones((2, 3)), mode="row")
    for eps in (-1, NAN, INF):
        assert_error("INVALID_PARAMETER", losskit.filter_normalize, np.ones((2, 3)), np.ones((2, 3)), eps=eps)
    assert_error("INVALID_SHAPE", losskit.relative_signal_strength, np.ones((2, 3)), np.ones((3, 2)))
    assert_error("INVALID_SHAPE", losskit.relative_signal_strength, np.ones((2, 0)), np.ones((2, 0)))


def calls(dtype, rows=3, columns=5):
    rng = np.random.default_rng(8)
    a, b = rng.random((2, rows, columns)).astype(dtype)
    for mode in ("filter", "layer"):
        yield RawCall(
            "filter_normalize", dtype, ["out"], direction=a, weight=b, filters=rows, width=columns, mode=mode, eps=1e-10,
            out=np.empty_like(a),
        )  # fmt: skip
    yield RawCall(
        "relative_signal_strength", dtype, ["strength"], p_clean=a, p_noisy=b, outer=rows, classes=columns, inner=1,
        strength=np.empty(rows, dtype),
    )  # fmt: skip


def test_interface_refuses(dtype):
    for call in calls(dtype):
        assert call() == "OK"
        for pointer in [key for key, value in call.arguments.items() if isinstance(value, np.ndarray)]:
            assert call(**{pointer: None}) == "NULL_POINTER"
        sizes = [key for key in call.arguments if key in ("filters", "size", "outer", "classes", "inner")]
        for size, bad in itertools.product(sizes, (-1, -(2**63), 2**62, 2**63 - 1)):
            assert call(**{size: bad}) == "INVALID_SHAPE", (size, bad)


@pytest.mark.parametrize("side", ["begin", "end"])
def test_nothing_beyond_the_arrays_is_touched(side, dtype):
    for shape in ((1, 1), (3, 33), (19, 7), (3, 65)):
        for call in calls(dtype, *shape):
            call.assert_stays_inside(side)


def test_direction_may_be_scaled_in_place(dtype, rng):
    d, w = rng.normal(0, 1, (2, 20, 50)).astype(dtype)
    for mode in ("filter", "layer"):
        expected = losskit.filter_normalize(d, w, mode=mode)
        mine = d.copy()
        call = RawCall("filter_normalize", dtype, [], direction=mine, weight=w, filters=20, width=50, mode=mode, eps=1e-10, out=mine)
        assert call() == "OK"
        assert mine.tobytes() == expected.tobytes()


BITS = """
rng = np.random.default_rng(3)
for real in (np.float32, np.float64):
    for shape in ((300, 1100), (20000, 10), (3, 5)):
        a, b = rng.random((2, *shape)).astype(real)
        for mode in ("filter", "layer"):
            results[f"{mode} {real.__name__} {shape}"] = losskit.filter_normalize(a, b, mode=mode)
        results[f"{real.__name__} {shape}"] = losskit.relative_signal_strength(a, b)
"""


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits(BITS)
