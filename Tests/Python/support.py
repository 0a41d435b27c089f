"""What tests of kernels need: judges of accuracy, gradient checks, guarded memory, runs under another instruction set."""

import ctypes
import io
import mmap
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

REPOSITORY = Path(__file__).resolve().parents[2]

# --- Accuracy --------------------------------------------------------------------------------------------------------


def assert_close(actual, reference, *, axis=-1, tolerance=None):
    """Compares a result with its float64 reference.

    The error may be 3e-6 (float32) or 1e-12 (float64) of the largest finite magnitude in the row along ``axis``; None
    compares with the largest of the whole array. Below the smallest normal number precision ends. NaN and infinities
    have to be where the reference has them.
    """
    actual, reference = np.asarray(actual), np.asarray(reference, np.float64)
    assert actual.shape == reference.shape, f"shape {actual.shape}, expected {reference.shape}"
    if tolerance is None:
        tolerance = 3e-6 if actual.dtype == np.float32 else 1e-12
    finite = np.isfinite(reference)
    np.testing.assert_array_equal(actual[~finite].astype(np.float64), reference[~finite])
    assert np.isfinite(actual[finite]).all(), "a NaN or an infinity where the reference is finite"
    if not finite.any():
        return
    magnitude = np.where(finite, np.abs(reference), 0)
    scale = magnitude.max(axis=None if reference.ndim == 0 else axis, keepdims=True)
    excess = np.where(finite, np.abs(actual - np.where(finite, reference, 0)), 0) - tolerance * scale
    excess -= np.finfo(actual.dtype).tiny
    worst = np.unravel_index(np.argmax(excess), excess.shape)
    assert excess[worst] <= 0, (
        f"at {tuple(map(int, worst))}: {actual[worst]!r}, expected {reference[worst]!r} "
        f"(error {abs(actual[worst] - reference[worst]):.3g}, allowed {(excess[worst] - abs(actual[worst] - reference[worst])) * -1:.3g})"
    )


def finite_difference(function, x, step=1e-3):
    """The gradient of a real function at the float64 array ``x``, by central differences of fourth order."""
    x = np.array(x, np.float64)
    gradient = np.empty_like(x)
    for index in np.ndindex(x.shape):
        value = x[index]
        samples = []
        for multiple in (1, -1, 2, -2):
            x[index] = value + multiple * step
            samples.append(float(function(x)))
        x[index] = value
        gradient[index] = (8 * (samples[0] - samples[1]) - (samples[2] - samples[3])) / (12 * step)
    return gradient


def assert_gradient(function, x, gradient, *, step=1e-3, tolerance=1e-8):
    """Checks ``gradient`` against finite differences of ``function`` at ``x`` (float64, away from kinks)."""
    expected = finite_difference(function, x, step)
    gradient = np.asarray(gradient)
    assert gradient.shape == expected.shape
    scale = max(1.0, np.abs(expected).max(initial=0))
    np.testing.assert_allclose(gradient, expected, rtol=0, atol=tolerance * scale)


def assert_error(status, function, *arguments, **parameters):
    """The call is refused with this status, by a message that names function and status. Returns the error."""
    import losskit

    with pytest.raises(losskit.LossKitError) as caught:
        function(*arguments, **parameters)
    assert caught.value.status == status, str(caught.value)
    assert status in str(caught.value)
    return caught.value


# --- Rows of logits --------------------------------------------------------------------------------------------------

# Beside the borders of vectors, of transposed tiles and of runs, and anything else.
CLASSES = st.one_of(
    st.sampled_from([1, 2, 3, 7, 8, 9, 15, 16, 17, 31, 32, 33, 34, 64, 127, 128, 129, 255, 256, 257, 1000]),
    st.integers(1, 1100),
)
ROWS = st.one_of(st.sampled_from([0, 1, 2, 7, 8, 9, 15, 16, 17, 33]), st.integers(0, 70))


@st.composite
def row_shapes(draw):
    """(shape, axis): rows as they are, or along an axis of an array with up to four."""
    if draw(st.booleans()):
        return (draw(ROWS), draw(CLASSES)), draw(st.sampled_from([-1, 1]))
    shape = draw(st.lists(st.one_of(st.integers(1, 5), st.sampled_from([0, 16, 19, 33])), min_size=0, max_size=3))
    axis = draw(st.integers(0, len(shape)))
    classes = draw(CLASSES if np.prod(shape) < 100 else st.sampled_from([1, 2, 5, 17, 40]))
    shape.insert(axis, classes)
    return tuple(shape), draw(st.sampled_from([axis, axis - len(shape)]))


@st.composite
def logit_arrays(draw, special=True):
    """(logits, axis): near to each other and far apart; with ``special`` also masked classes, NaN, infinities and ties."""
    shape, axis = draw(row_shapes())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    z = rng.normal(draw(st.sampled_from([0, 100, -1e4])), draw(st.sampled_from([1e-3, 1, 5, 30, 1e4])), shape)
    if special and draw(st.booleans()):
        rows = np.moveaxis(z, axis, -1)  # a view
        for row in np.ndindex(rows.shape[:-1]):
            kind, some = rng.integers(0, 12), rng.random(rows.shape[-1]) < 0.3
            if kind < 3:
                rows[row][some] = (np.nan, np.inf, -np.inf)[kind]
            elif kind < 6:
                rows[row] = (-np.inf, 7.5, rng.integers(0, 3, rows.shape[-1]))[kind - 3]
    return z.astype(draw(st.sampled_from([np.float32, np.float64]))), axis


# --- The C interface -------------------------------------------------------------------------------------------------


class RawCall:
    """A call of the C function with named arguments, as ``call(**changes)``. It gives the name of the status.

    Whenever that is not OK, the outputs are as they were.
    """

    def __init__(self, name, dtype, outputs, /, **arguments):
        self.name, self.dtype, self.outputs, self.arguments = name, np.dtype(dtype), outputs, arguments

    def __call__(self, **changes):
        from losskit import _core

        values = {**self.arguments, **changes}
        for output in self.outputs:
            if values[output] is not None:
                values[output].fill(77)
        parameters = [parameter for parameter, _ in _core._prototypes.FUNCTIONS[self.name][1]]
        assert sorted(parameters) == sorted(values)
        code = _core.call_status(self.name, self.dtype, *(values[parameter] for parameter in parameters))
        status = {value: name for name, value in _core._prototypes.ENUMS["Status"].items()}[code].upper()
        if status != "OK":
            for output in self.outputs:
                assert values[output] is None or (values[output] == 77).all(), f"{output} was written"
        return status

    def inside_guards(self, side):
        """Runs with every array between its own data and a page that cannot be touched; gives the outputs."""
        arrays = {key: guarded(value, side) for key, value in self.arguments.items() if isinstance(value, np.ndarray)}
        assert self(**arrays) == "OK"
        return [arrays[output] for output in self.outputs]

    def assert_stays_inside(self, side):
        """Runs, and again inside guards: both give the same, which is returned."""
        assert self() == "OK", self.name
        expected = [self.arguments[output].copy() for output in self.outputs]
        for actual, wanted in zip(self.inside_guards(side), expected):
            assert actual.tobytes() == wanted.tobytes(), self.name
        return expected


# --- Guarded memory --------------------------------------------------------------------------------------------------

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
_PROT_NONE = 0


def guarded(array, side="end"):
    """A copy of the array whose data end (or begin) exactly at a page that cannot be touched.

    A kernel that reads or writes beyond it kills the process, so a test that comes back has shown that none does.
    """
    array = np.asarray(array)
    page = mmap.PAGESIZE
    pages = max(1, -(-array.nbytes // page))
    memory = mmap.mmap(-1, (pages + 1) * page)
    whole = np.frombuffer(memory, np.uint8)  # keeps the mapping alive
    guard = pages * page if side == "end" else 0
    if _libc.mprotect(whole.ctypes.data + guard, page, _PROT_NONE) != 0:
        raise OSError(ctypes.get_errno(), "mprotect")
    start = pages * page - array.nbytes if side == "end" else page
    copy = whole[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
    copy[...] = array
    return copy


# --- Other instruction sets and thread counts ------------------------------------------------------------------------

_PRELUDE = """
import sys
sys.path[:0] = {path!r}
import numpy as np
import losskit
losskit.set_num_threads({threads})
results = {{}}
"""
_POSTLUDE = """
np.savez(sys.stdout.buffer, __isa__=losskit.isa_name(), **results)
"""


def run_with_isa(isa, code, threads=1):
    """Runs Python code in a process of its own, under ``LOSSKIT_ISA=isa`` and with so many threads.

    The code finds ``np``, ``losskit`` and a dictionary ``results``, which it fills with arrays; they come back, and with
    them ``__isa__``, the instruction set that was used (a lower one if the processor lacks the one asked for).
    """
    script = _PRELUDE.format(path=[entry for entry in sys.path if entry], threads=threads) + code + _POSTLUDE
    environment = {**os.environ, "LOSSKIT_ISA": isa}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, timeout=120)
    assert run.returncode == 0, f"under {isa} with {threads} threads:\n{run.stderr.decode()}"
    with np.load(io.BytesIO(run.stdout)) as archive:
        return {key: archive[key] for key in archive.files}


def assert_same_bits(code, isas=("avx2", "avx512"), threads=(1, 2)):
    """The results of the code have the same bits under every instruction set with fused multiply-add and thread count."""
    first = None
    for isa in isas:
        for count in threads:
            results = run_with_isa(isa, code, count)
            used = str(results.pop("__isa__"))
            assert results, "the code left no results"
            first = first or results
            for key, array in results.items():
                same = array.dtype == first[key].dtype and array.tobytes() == first[key].tobytes()
                assert same, f"{key} differs under {used} with {count} threads"
