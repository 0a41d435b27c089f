"""Post-hoc calibrators: fits, and what applies them."""

from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from ._core import as_integers, as_reals, call, check_shape, documented, fail, scalar

__all__ = [
    "temperature_scaling_fit",
]


@documented
def temperature_scaling_fit(logits: Any, y: Any, *, t_min: float = 0.01, t_max: float = 100.0) -> Tuple[Any, Any]:
    """Temperature scaling: ``(T, nll)``, the T for which ``softmax(logits / T)`` is most likely, and its mean NLL.

    Examples
    --------
    >>> import losskit
    >>> logits = [[2, 1, 0], [0, 3, 1], [1, 1.5, -1], [-1, 0, 0.5]]
    >>> temperature, nll = losskit.temperature_scaling_fit(logits, [0, 1, 0, 2])
    >>> temperature.round(7).item(), nll.round(7).item()
    (0.4880899, 0.4575499)
    """
    name = "temperature_scaling_fit"
    dtype, logits = as_reals(name, logits)
    y = as_integers(name, "y", y)
    if logits.ndim == 0:
        raise fail("INVALID_SHAPE", name, "logits has shape (), expected [N, C]")
    check_shape(name, "y", y, logits.shape[:-1])
    temperature, nll = np.empty((), dtype), np.empty((), dtype)
    call(name, dtype, logits, y, y.size, logits.shape[-1], t_min, t_max, temperature, nll)
    return scalar(temperature), scalar(nll)
