"""Random numbers; relaxed top-k, sorting and sampling; gates of mixtures of experts."""

from __future__ import annotations

from typing import Any, Optional

import numpy as np

from ._core import as_integers, as_reals, call, check_shape, documented, empty, fail, rows_of, scalar

__all__ = ["philox_gumbel", "philox_normal", "philox_uniform"]


# --- Random numbers --------------------------------------------------------------------------------------------------


def _draw(name: str, n: int, seed: int, offset: int, stream: int) -> np.ndarray:
    """``n`` numbers in double precision; float32 calls of C give these, rounded."""
    try:
        output = empty((int(n),), np.dtype(np.float64))
    except (TypeError, ValueError, MemoryError):
        raise fail("INVALID_SHAPE", name, f"n must be a number of elements that fits into memory, not {n!r}") from None
    call(name, output.dtype, output.size, seed, offset, stream, output)
    return output


@documented
def philox_uniform(*, n: int, seed: int = 0, offset: int = 0, stream: int = 0) -> np.ndarray:
    """Random numbers, uniform in (0, 1).

    Parameters
    ----------
    n : int
        How many.

    Examples
    --------
    >>> import losskit
    >>> losskit.philox_uniform(n=3, seed=42).round(7).tolist()
    [0.6129599, 0.9877187, 0.8258668]
    """
    return _draw("philox_uniform", n, seed, offset, stream)


@documented
def philox_normal(*, n: int, seed: int = 0, offset: int = 0, stream: int = 0) -> np.ndarray:
    """Random numbers of the standard normal distribution.

    Parameters
    ----------
    n : int
        How many.

    Examples
    --------
    >>> import losskit
    >>> losskit.philox_normal(n=3, seed=42).round(7).tolist()
    [0.8864975, -0.1566096, -0.4941005]
    """
    return _draw("philox_normal", n, seed, offset, stream)


@documented
def philox_gumbel(*, n: int, seed: int = 0, offset: int = 0, stream: int = 0) -> np.ndarray:
    """Random numbers of the standard Gumbel distribution.

    Parameters
    ----------
    n : int
        How many.

    Examples
    --------
    >>> import losskit
    >>> losskit.philox_gumbel(n=3, seed=42, offset=5).round(7).tolist()
    [-0.1446776, -0.3984503, -0.025878]
    """
    return _draw("philox_gumbel", n, seed, offset, stream)
