"""Settings of the library."""

from __future__ import annotations

from ._core import OK, fail, library

__all__ = ["get_num_threads", "isa_name", "set_num_threads"]


def set_num_threads(count: int) -> None:
    """Sets how many threads a call may use.

    Applies to calls that begin later, in all threads. Results do not depend on it.

    Parameters
    ----------
    count : int
        1 (the default) to 256; the calling thread is one of them.

    Raises
    ------
    LossKitError
        INVALID_PARAMETER if `count` is outside that range.

    Examples
    --------
    >>> import losskit
    >>> losskit.set_num_threads(2)
    >>> losskit.get_num_threads()
    2
    >>> losskit.set_num_threads(1)
    """
    in_range = isinstance(count, int) and 1 <= count <= 256
    if not in_range or library.losskit_set_num_threads(count) != OK:
        raise fail("INVALID_PARAMETER", "set_num_threads", f"count must be an integer from 1 to 256, not {count!r}")


def get_num_threads() -> int:
    """How many threads a call may use: what :func:`set_num_threads` set, 1 by default.

    Examples
    --------
    >>> import losskit
    >>> losskit.get_num_threads()
    1
    """
    count: int = library.losskit_get_num_threads()
    return count


def isa_name() -> str:
    """The instruction set in use: ``"avx512"``, ``"avx2"``, ``"baseline"`` (x86-64) or ``"neon"`` (aarch64).

    It is chosen by what the processor has. The environment variable ``LOSSKIT_ISA``, read at the first call, forces a
    lower one.

    Examples
    --------
    >>> import losskit
    >>> losskit.isa_name() in ("avx512", "avx2", "baseline", "neon")
    True
    """
    name: bytes = library.losskit_isa_name()
    return name.decode()
