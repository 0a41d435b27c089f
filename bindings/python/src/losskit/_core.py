"""Calls into the library: finding it, checking arrays, turning statuses into exceptions.

The wrappers of the kernel families live in one module a family; each is a docstring and a few lines that say how arrays
and parameters map to the C call. Everything they share is here.
"""

from __future__ import annotations

import ctypes
import math
import os
import struct
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Optional

import numpy as np

from . import _prototypes
from ._documentation import documented as documented

__all__ = ["LossKitError"]


# --- Errors ----------------------------------------------------------------------------------------------------------


class LossKitError(ValueError):
    """A call was refused; no output was written.

    The message says which function, which status, and what in particular is wrong.

    Attributes
    ----------
    status : str
        The library's status, such as ``"INVALID_TARGET"``.

    Examples
    --------
    >>> import losskit
    >>> try:
    ...     losskit.sigmoid(["a", "b"])
    ... except losskit.LossKitError as error:
    ...     print(error.status)
    INVALID_VALUE
    """

    def __init__(self, status: str, message: str):
        super().__init__(message)
        self.status = status

    def __reduce__(self) -> tuple[type[LossKitError], tuple[str, str]]:
        return type(self), (self.status, str(self))


_STATUS_NAMES = {value: name.upper() for name, value in _prototypes.ENUMS["Status"].items()}
OK = _prototypes.ENUMS["Status"]["ok"]
BUFFER_TOO_SMALL = _prototypes.ENUMS["Status"]["buffer_too_small"]


def fail(status: str, name: str, detail: str = "") -> LossKitError:
    """The exception for a status; ``detail`` says what in particular is wrong."""
    code = _prototypes.ENUMS["Status"][status.lower()]
    meaning = _prototypes.STATUS_MEANING[code]
    return LossKitError(status, f"{name}: {status}: {detail or meaning}")


# --- The library -----------------------------------------------------------------------------------------------------


def _load() -> ctypes.CDLL:
    """The library that ``make build`` left in the checkout around this file, or the one inside the package (a wheel)."""
    candidates = [Path(folder) / "liblosskit.so.1" for folder in sys.modules[__package__].__path__]
    for checkout in Path(__file__).parents[4:5]:
        if (checkout / "Sources" / "LossKit").is_dir():
            candidates.insert(0, checkout / "build" / "liblosskit.so.1")
    override = os.environ.get("LOSSKIT_LIBRARY")
    path = Path(override) if override else next((path for path in candidates if path.exists()), None)
    if path is None:
        raise ImportError("no liblosskit.so.1 at " + " or ".join(map(str, candidates)) + "; run `make build`")
    loaded = ctypes.CDLL(str(path))
    loaded.losskit_version.restype = ctypes.c_char_p
    loaded.losskit_isa_name.restype = ctypes.c_char_p
    version = loaded.losskit_version().decode()
    if version != _prototypes.VERSION:
        raise ImportError(f"{path} is LossKit {version}, but this package wants {_prototypes.VERSION}")
    return loaded


library = _load()

# Kind of an argument (see _prototypes) -> how ctypes passes it, how struct checks it.
_KINDS: dict[str, tuple[Any, str]] = {
    "p": (ctypes.c_void_p, "P"),
    "n": (ctypes.c_ssize_t, "n"),
    "i": (ctypes.c_int32, "i"),
    "l": (ctypes.c_int64, "q"),
    "u": (ctypes.c_uint64, "Q"),
    "d": (ctypes.c_double, "d"),
    "b": (ctypes.c_bool, "?"),
}


_Memory = ctypes.c_char * 0


def _bind(name: str, dtype: Optional[np.dtype[Any]]) -> Callable[[tuple[Any, ...]], int]:
    """The C function of one precision, as a function of the tuple of its arguments.

    A small kernel takes less time than calling it, so this is where calls are made cheap: what is known of the arguments
    is looked up once. ctypes cuts integers that do not fit and refuses NumPy's scalars; struct does neither, so the
    arguments make the round trip through its packed form.
    """
    generic, arguments = _prototypes.FUNCTIONS[name]
    if generic != (dtype is not None):
        raise KeyError(f"{name} has {'two precisions' if generic else 'one form'}")
    suffix = f"_f{8 * dtype.itemsize}" if dtype is not None else ""
    kinds = [_KINDS["i" if kind.startswith("e:") else kind] for _, kind in arguments]
    entry = getattr(library, f"losskit_{name}{suffix}")
    entry.argtypes = [ctype for ctype, _ in kinds]
    entry.restype = ctypes.c_int32
    pointers = [index for index, (_, kind) in enumerate(arguments) if kind == "p"]
    modes = [(index, _prototypes.ENUMS[kind[2:]]) for index, (_, kind) in enumerate(arguments) if kind[:2] == "e:"]
    layout = struct.Struct("@" + "".join(code for _, code in kinds))
    pack, unpack, address_of, memory_of = layout.pack, layout.unpack, ctypes.addressof, _Memory.from_buffer

    def invoke(arguments: tuple[Any, ...]) -> int:
        values = list(arguments)
        if len(values) != len(kinds):
            raise TypeError(f"losskit_{name} takes {len(kinds)} arguments, not {len(values)}")
        for index in pointers:
            array = values[index]
            if array is None:
                values[index] = 0
                continue
            if type(array) is int:  # an address
                continue
            try:
                values[index] = address_of(memory_of(array))
            except TypeError:  # a read-only buffer: the slower way, `ctypes.data` takes longer than many a kernel
                if not array.flags.c_contiguous:
                    raise
                values[index] = array.ctypes.data
        for index, codes in modes:
            mode = values[index]
            if not isinstance(mode, str) or mode not in codes:
                raise _refusal(name, index, mode, "one of " + ", ".join(map(repr, codes)))
            values[index] = codes[mode]
        try:
            return entry(*unpack(pack(*values)))
        except (struct.error, OverflowError, TypeError, ValueError):
            raise _misfit(name, layout.format[1:], values) from None

    return invoke


_WANTED = {"d": "a real number", "?": "True or False", "Q": "an integer from 0 to 2^64 - 1", "i": "a 32-bit integer"}


def _misfit(name: str, codes: str, values: list[Any]) -> Exception:
    """Why the values cannot be passed."""
    for index, (code, value) in enumerate(zip(codes, values)):
        try:
            struct.pack(code, value)
        except Exception:
            return _refusal(name, index, value, _WANTED.get(code, "a 64-bit integer"))
    return AssertionError("one of them does not fit")


def _refusal(name: str, index: int, value: Any, wanted: str) -> LossKitError:
    argument = _prototypes.FUNCTIONS[name][1][index][0]
    return fail("INVALID_PARAMETER", name, f"{argument} must be {wanted}, not {value!r}")


class _Functions(dict[tuple[str, Optional["np.dtype[Any]"]], Callable[[tuple[Any, ...]], int]]):
    """The functions bound so far; others are bound when they are first called."""

    def __missing__(self, key: tuple[str, Optional[np.dtype[Any]]]) -> Callable[[tuple[Any, ...]], int]:
        function = self[key] = _bind(*key)
        return function


_functions = _Functions()


def call_status(name: str, dtype: Optional[np.dtype[Any]], *arguments: Any) -> int:
    """Calls ``losskit_<name>`` in the precision of ``dtype`` (None: the function has only one form).

    Arrays, which must be C-contiguous and of the C function's types, stand for their pointers (an address does as well),
    None for NULL, and strings for the values of an enumeration. Returns the status.
    """
    return _functions[name, dtype](arguments)


def call(name: str, dtype: Optional[np.dtype[Any]], *arguments: Any) -> None:
    """As :func:`call_status`, but raises :class:`LossKitError` for any status other than OK."""
    status = _functions[name, dtype](arguments)
    if status != OK:
        raise fail(_STATUS_NAMES[status], name)


# --- Arrays ----------------------------------------------------------------------------------------------------------

_FLOAT32: np.dtype[Any] = np.dtype(np.float32)
_FLOAT64: np.dtype[Any] = np.dtype(np.float64)
_INT64: np.dtype[Any] = np.dtype(np.int64)
_SINGLE = frozenset((np.float16, np.float32))  # in either byte order


def as_array(x: Any, name: str = "losskit") -> np.ndarray:
    """Any array-protocol or DLPack object on the CPU, or nested sequences, as a NumPy array, without a copy if possible.

    ``name`` is the function that the error names if there is no way.
    """
    if type(x) is np.ndarray:
        return x
    try:
        if hasattr(x, "requires_grad"):  # torch tensors that require grad refuse NumPy
            x = x.detach()
        if not hasattr(x, "__array__") and hasattr(x, "__dlpack__"):
            return np.from_dlpack(x)
        return np.asarray(x)
    except (TypeError, ValueError, RuntimeError, BufferError) as error:
        raise fail("INVALID_VALUE", name, f"{type(x).__name__} does not give a CPU array: {error}") from error


def _plain(array: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    """The array as C sees arrays: dense, row-major, aligned, in native byte order. Itself if it already is."""
    flags = array.flags
    if array.dtype is dtype and flags.c_contiguous and flags.aligned:
        return array
    array = np.asarray(array, dtype, order="C")
    return array if array.flags.aligned else array.copy()


def as_reals(name: str, *arrays: Any) -> tuple[Any, ...]:
    """The arrays as C-contiguous float32 or float64: float64 if any of them needs it. None stays None.

    Returns ``(dtype, array, ...)``. float16 goes to float32; integers and bools go to float64.
    """
    precision = _FLOAT32
    loaded = []
    for array in arrays:
        if array is not None:
            array = as_array(array, name)
            kind = array.dtype
            if kind is not _FLOAT32 and kind.type not in _SINGLE:
                if kind.kind not in "fiub":
                    raise fail("INVALID_VALUE", name, f"an array of {kind} where real numbers are wanted")
                precision = _FLOAT64
        loaded.append(array)
    return (precision, *[array if array is None else _plain(array, precision) for array in loaded])


def as_integers(name: str, what: str, x: Any) -> np.ndarray:
    """Targets or indices of any integer width (or bools) as C-contiguous int64."""
    array = as_array(x, name)
    if array.dtype.kind not in "iub" and not (array.size == 0 and array.dtype.kind == "f"):  # an empty list is float64
        raise fail("INVALID_TARGET", name, f"{what} must be integers, not {array.dtype}")
    if array.dtype.type is np.uint64 and array.size and int(array.max()) > np.iinfo(np.int64).max:
        raise fail("INVALID_TARGET", name, f"{what} does not fit in int64")
    return _plain(array, _INT64)


class Rows(NamedTuple):
    """An array seen as rows of classes along one axis: element (o, c, i) at ``(o * classes + c) * inner + i``."""

    outer: int
    classes: int
    inner: int
    shape: tuple[int, ...]  # of the per-row results: the array's shape without the axis


def rows_of(name: str, x: np.ndarray, axis: int = -1) -> Rows:
    """How the library sees the rows of ``x`` along ``axis``."""
    shape = x.shape
    if not shape:
        raise fail("INVALID_SHAPE", name, "a scalar has no rows")
    try:
        if not -len(shape) <= axis < len(shape):
            raise fail("INVALID_PARAMETER", name, f"axis {axis} is out of range for {len(shape)} dimensions")
        axis %= len(shape)
        before, after = shape[:axis], shape[axis + 1 :]
    except TypeError:
        raise fail("INVALID_PARAMETER", name, f"axis must be an integer, not {axis!r}") from None
    return Rows(math.prod(before), shape[axis], math.prod(after), before + after)


def check_shape(name: str, what: str, x: Optional[np.ndarray], shape: tuple[int, ...]) -> None:
    """Raises unless ``x`` is None or has the shape."""
    if x is not None and x.shape != shape:
        raise fail("INVALID_SHAPE", name, f"{what} has shape {x.shape}, expected {shape}")


def scalar(x: np.ndarray) -> Any:
    """A 0-d result as a NumPy scalar, which is what NumPy's own reductions give."""
    return x[()]
