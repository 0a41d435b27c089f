"""Softmax family."""

from __future__ import annotations

from typing import Any

import numpy as np

from ._core import as_reals, call, check_shape, documented

__all__ = ["sigmoid", "sigmoid_vjp"]


@documented
def sigmoid(x: Any) -> np.ndarray:
    """Logistic function, element by element.

    Examples
    --------
    >>> import losskit
    >>> losskit.sigmoid([-2.0, 0.0, 3.0]).round(4).tolist()
    [0.1192, 0.5, 0.9526]
    """
    dtype, x = as_reals("sigmoid", x)
    y = np.empty_like(x)
    call("sigmoid", dtype, x, x.size, y)
    return y


@documented
def sigmoid_vjp(y: Any, grad_output: Any) -> np.ndarray:
    """Vector-Jacobian product of the logistic function, `grad_output · y · (1 − y)`.

    Examples
    --------
    >>> import losskit
    >>> losskit.sigmoid_vjp([0.5, 0.9], [1.0, 2.0]).round(4).tolist()
    [0.25, 0.18]
    """
    dtype, y, grad_output = as_reals("sigmoid_vjp", y, grad_output)
    check_shape("sigmoid_vjp", "grad_output", grad_output, y.shape)
    grad = np.empty_like(y)
    call("sigmoid_vjp", dtype, y, grad_output, y.size, grad)
    return grad
