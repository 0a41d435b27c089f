"""Outputs that are not wanted: every loss gives its value or its gradient alone."""

import numpy as np
import pytest

from losskit._core import call

DTYPES = [np.dtype(np.float32), np.dtype(np.float64)]
MEAN, NONE = "mean", "none"


def losses(dtype, reduction):
    """name -> the input shape, and the arguments that come before `loss` and `grad`."""
    random = np.random.default_rng(3)
    z = random.normal(size=(37, 5)).astype(dtype)
    p = np.exp(z) / np.exp(z).sum(1, keepdims=True)
    y = random.integers(0, 5, 37)
    t = random.random((37, 5)).astype(dtype)
    rows = (37, 5, 1)
    return {
        "cross_entropy": (z, y, *rows, None, -100, 0.1, reduction, None),
        "cross_entropy_dense": (z, t, *rows, None, 0.0, reduction, None),
        "nll_loss": (z, y, *rows, None, -100, reduction, None),
        "focal_loss": (z, y, *rows, 2.0, None, False, reduction, None),
        "focal_loss_dense": (z, t, *rows, 2.0, None, False, reduction, None),
        "sigmoid_focal_loss": (z, t, 37, 5, 0.25, 2.0, reduction, None),
        "binary_cross_entropy_with_logits": (z, t, 37, 5, None, False, None, reduction, None),
        "brier_score": (p, y, 37, 5, False, None, reduction),
        "log_loss": (p, y, 37, 5, 1e-12, None, reduction),
    }


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("reduction", [NONE, MEAN])
@pytest.mark.parametrize("name", list(losses(DTYPES[0], MEAN)))
def test_value_and_gradient_do_not_need_each_other(name, reduction, dtype):
    arguments = losses(dtype, reduction)[name]
    per_element = name.startswith(("sigmoid", "binary"))
    shape = () if reduction == MEAN else (37, 5) if per_element else (37,)
    value, alone = np.full(shape, 7, dtype), np.full(shape, 7, dtype)
    gradient, gradient_alone = np.full((37, 5), 7, dtype), np.full((37, 5), 7, dtype)
    call(name, dtype, *arguments, value, gradient)
    call(name, dtype, *arguments, alone, None)
    call(name, dtype, *arguments, None, gradient_alone)
    call(name, dtype, *arguments, None, None)
    np.testing.assert_array_equal(value, alone)
    np.testing.assert_array_equal(gradient, gradient_alone)
    assert not (gradient == 7).any()


@pytest.mark.parametrize("name", list(losses(DTYPES[0], MEAN)))
def test_infinite_weights_are_refused(name):
    dtype = DTYPES[1]
    arguments = list(losses(dtype, MEAN)[name])
    place = len(arguments) - (2 if name in ("brier_score", "log_loss") else 1)
    for bad in (np.inf, np.nan, -1.0):
        arguments[place] = np.where(np.arange(37) == 20, bad, 1.0)
        with pytest.raises(ValueError, match="INVALID_VALUE"):
            call(name, dtype, *arguments, np.empty((), dtype), None)
