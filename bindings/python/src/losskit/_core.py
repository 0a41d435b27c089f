"""Calls into the library: finding it, checking arrays, turning statuses into exceptions.

The wrappers of the kernel families live in one module a family; each is a docstring and a few lines that say how arrays
and parameters map to the C call. Everything they share is here.
"""

from __future__ import annotations

import ctypes
import inspect
import os
import re
import textwrap
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional, Tuple, TypeVar

import numpy as np

from . import _prototypes

__all__ = ["LossKitError"]


class LossKitError(ValueError):
    """A call was refused; no output was written.

    Attributes
    ----------
    status : str
        The library's status, such as ``"INVALID_TARGET"``.
    """

    def __init__(self, status: str, message: str):
        super().__init__(message)
        self.status = status


_STATUS_NAMES = {value: name.upper() for name, value in _prototypes.ENUMS["Status"].items()}
OK = _prototypes.ENUMS["Status"]["ok"]
BUFFER_TOO_SMALL = _prototypes.ENUMS["Status"]["buffer_too_small"]


def fail(status: str, name: str, detail: str = "") -> LossKitError:
    """The exception for a status; ``detail`` says what in particular is wrong."""
    code = _prototypes.ENUMS["Status"][status.lower()]
    meaning = _prototypes.STATUS_MEANING[code]
    return LossKitError(status, f"{name}: {status}: {detail or meaning}")


# --- The library -----------------------------------------------------------------------------------------------------


def _find_library() -> str:
    override = os.environ.get("LOSSKIT_LIBRARY")
    if override:
        return override
    for folder in (Path(__file__).parent, *Path(__file__).parents[4:5]):
        for candidate in (folder / "liblosskit.so.1", folder / "build" / "liblosskit.so.1"):
            if candidate.exists():
                return str(candidate)
    raise ImportError("liblosskit.so.1 is not beside the package; set LOSSKIT_LIBRARY to its path")


_CTYPES = {
    "p": ctypes.c_void_p,
    "n": ctypes.c_ssize_t,
    "i": ctypes.c_int32,
    "l": ctypes.c_int64,
    "u": ctypes.c_uint64,
    "d": ctypes.c_double,
    "b": ctypes.c_bool,
}

library = ctypes.CDLL(_find_library())
library.losskit_version.restype = ctypes.c_char_p
library.losskit_isa_name.restype = ctypes.c_char_p


class _Function(NamedTuple):
    entry: Callable[..., int]
    kinds: Tuple[str, ...]


def _bind(name: str, suffix: str, arguments: Tuple[Tuple[str, str], ...]) -> _Function:
    entry = getattr(library, "losskit_" + name + suffix)
    kinds = tuple(kind for _, kind in arguments)
    entry.argtypes = [_CTYPES["i" if kind.startswith("e:") else kind] for kind in kinds]
    entry.restype = ctypes.c_int32
    return _Function(entry, kinds)


_functions: dict[Tuple[str, str], _Function] = {}
for _name, (_generic, _arguments) in _prototypes.FUNCTIONS.items():
    for _suffix in ("_f32", "_f64") if _generic else ("",):
        _functions[_name, _suffix] = _bind(_name, _suffix, _arguments)

_SUFFIX = {np.dtype(np.float32): "_f32", np.dtype(np.float64): "_f64", None: ""}


def call_status(name: str, dtype: Optional[np.dtype], *arguments: Any) -> int:
    """Calls ``losskit_<name>`` in the precision of ``dtype`` (None: the function has only one form).

    Arrays stand for their pointers, None for NULL, and strings for the values of an enumeration. Returns the status.
    """
    function = _functions[name, _SUFFIX[dtype]]
    converted = []
    for kind, argument in zip(function.kinds, arguments, strict=True):
        if kind == "p":
            argument = argument.ctypes.data if isinstance(argument, np.ndarray) else argument
        elif kind.startswith("e:"):
            values = _prototypes.ENUMS[kind[2:]]
            if argument not in values:
                raise fail("INVALID_PARAMETER", name, f"{argument!r} is not one of {', '.join(map(repr, values))}")
            argument = values[argument]
        converted.append(argument)
    try:
        return function.entry(*converted)
    except ctypes.ArgumentError as error:
        raise fail("INVALID_PARAMETER", name, str(error)) from None


def call(name: str, dtype: Optional[np.dtype], *arguments: Any) -> None:
    """As :func:`call_status`, but raises :class:`LossKitError` for any status other than OK."""
    status = call_status(name, dtype, *arguments)
    if status != OK:
        raise fail(_STATUS_NAMES[status], name)


# --- Arrays ----------------------------------------------------------------------------------------------------------


def as_array(x: Any) -> np.ndarray:
    """Any array-protocol or DLPack object on the CPU, or nested sequences, as a NumPy array, without a copy if possible."""
    if isinstance(x, np.ndarray):
        return x
    if hasattr(x, "detach"):  # torch tensors that require grad refuse NumPy
        x = x.detach()
    if not hasattr(x, "__array__") and hasattr(x, "__dlpack__"):
        return np.from_dlpack(x)
    return np.asarray(x)


def as_reals(name: str, *arrays: Any) -> Tuple[Any, ...]:
    """The arrays as C-contiguous float32 or float64: float64 if any of them needs it. None stays None.

    Returns ``(dtype, array, ...)``.
    """
    loaded = [None if x is None else as_array(x) for x in arrays]
    kinds = [x.dtype for x in loaded if x is not None]
    for kind in kinds:
        if kind.kind not in "fiub":
            raise fail("INVALID_VALUE", name, f"an array of {kind} where real numbers are wanted")
    single = all(kind in (np.float32, np.float16) for kind in kinds)
    dtype = np.dtype(np.float32 if single else np.float64)
    return (dtype, *(None if x is None else np.ascontiguousarray(x, dtype) for x in loaded))


def as_integers(name: str, what: str, x: Any) -> np.ndarray:
    """Targets or indices of any integer width (or whole-number bools) as C-contiguous int64."""
    array = as_array(x)
    if array.size == 0 and array.dtype.kind == "f":
        array = array.astype(np.int64)
    if array.dtype.kind not in "iub":
        raise fail("INVALID_TARGET", name, f"{what} must be integers, not {array.dtype}")
    if array.dtype == np.uint64 and array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise fail("INVALID_TARGET", name, f"{what} does not fit in int64")
    return np.ascontiguousarray(array, np.int64)


class Rows(NamedTuple):
    """An array seen as rows of classes along one axis: element (o, c, i) at ``(o * classes + c) * inner + i``."""

    outer: int
    classes: int
    inner: int
    shape: Tuple[int, ...]  # of the per-row results: the array's shape without the axis


def rows_of(name: str, x: np.ndarray, axis: int = -1) -> Rows:
    if x.ndim == 0:
        raise fail("INVALID_SHAPE", name, "a scalar has no rows")
    if not -x.ndim <= axis < x.ndim:
        raise fail("INVALID_PARAMETER", name, f"axis {axis} is out of range for {x.ndim} dimensions")
    axis %= x.ndim
    shape = x.shape[:axis] + x.shape[axis + 1 :]
    outer = int(np.prod(x.shape[:axis], dtype=np.int64))
    inner = int(np.prod(x.shape[axis + 1 :], dtype=np.int64))
    return Rows(outer, x.shape[axis], inner, shape)


def check_shape(name: str, what: str, x: Optional[np.ndarray], shape: Tuple[int, ...]) -> None:
    if x is not None and x.shape != shape:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {x.shape}, expected {shape}")


def scalar(x: np.ndarray) -> Any:
    """A 0-d result as a NumPy scalar, which is what NumPy's own reductions give."""
    return x[()]


# --- Documentation ---------------------------------------------------------------------------------------------------

F = TypeVar("F", bound=Callable[..., Any])


def documented(function: F) -> F:
    """Puts the C function's documentation (formula, parameters, reference) into the wrapper's docstring.

    The wrapper's own docstring gives the summary and the example; the library's text goes between the two.
    """
    own = inspect.cleandoc(function.__doc__ or "")
    shared = _prototypes.DOCUMENTATION.get(function.__name__, "").strip()
    # The summary is the wrapper's; the C text's first paragraph repeats it.
    body = shared.split("\n\n", 1)[1] if "\n\n" in shared else ""
    parts = re.split(r"(?m)^(?=Examples?\n-+$)", own, maxsplit=1)
    example = parts[1] if len(parts) > 1 else ""
    texts = [parts[0].rstrip(), "Notes\n-----\nOf the C function:\n\n" + textwrap.dedent(body) if body else "", example]
    function.__doc__ = "\n\n".join(text for text in texts if text)
    return function
