"""The package as such: errors, inputs of every kind, documentation, settings."""

import array
import ast
import doctest
import inspect
import os
import pickle
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from support import REPOSITORY, assert_close, assert_error, assert_same_bits, guarded, run_with_isa

import losskit
from losskit import _core, _prototypes

PUBLIC = [name for name in losskit.__all__ if callable(getattr(losskit, name))]
FUNCTIONS = [name for name in PUBLIC if inspect.isfunction(getattr(losskit, name))]
WRAPPERS = [name for name in FUNCTIONS if name in _prototypes.FUNCTIONS]
PACKAGE = Path(losskit.__file__).parent


def sigmoid(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-np.asarray(x, np.float64)))


# --- The library -----------------------------------------------------------------------------------------------------


def test_version_is_that_of_the_sources():
    assert losskit.__version__ == (REPOSITORY / "Sources/LossKit/VERSION").read_text().strip()
    assert losskit.__version__ == _core.library.losskit_version().decode()


def test_the_instruction_set_can_be_lowered():
    assert losskit.isa_name() in ("baseline", "avx2", "avx512", "neon")
    if losskit.isa_name() != "neon":
        assert str(run_with_isa("baseline", "")["__isa__"]) == "baseline"


def test_number_of_threads():
    assert losskit.get_num_threads() == 1
    losskit.set_num_threads(3)
    assert losskit.get_num_threads() == 3
    for bad in (0, -1, 257, 2**40, 1.5, "2", None):
        assert_error("INVALID_PARAMETER", losskit.set_num_threads, bad)
    assert losskit.get_num_threads() == 3


def test_bits_do_not_depend_on_instruction_set_or_threads():
    assert_same_bits("""
x = np.random.default_rng(1).standard_normal(200_003) * 20
results["f32"] = losskit.sigmoid(x.astype(np.float32))
results["f64"] = losskit.sigmoid(x)
""")


def test_importing_is_silent():
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    command = [sys.executable, "-W", "error", "-c", "import losskit; losskit.sigmoid([1.0])"]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")


def test_the_package_does_not_print():
    # What the command prints is its purpose.
    for path in set(PACKAGE.glob("*.py")) - {PACKAGE / "__main__.py", PACKAGE / "_report.py"}:
        for node in ast.walk(ast.parse(path.read_text())):
            is_print = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
            assert not is_print, f"{path.name}:{node.lineno}"


def test_a_missing_or_foreign_library_is_an_import_error(tmp_path):
    environment = {**os.environ, "LOSSKIT_LIBRARY": str(tmp_path / "none.so"), "PYTHONPATH": str(PACKAGE.parent)}
    run = subprocess.run([sys.executable, "-c", "import losskit"], env=environment, capture_output=True, text=True)
    assert run.returncode == 1 and "none.so" in run.stderr


def test_every_c_function_has_a_wrapper():
    sources = "".join(path.read_text() for path in PACKAGE.glob("_*.py") if path.name != "_prototypes.py")
    # Accumulators are called by their kind: f"{kind}_accumulator_size".
    called = set(re.findall(r'"(\w+)"', sources))
    kinds = {name.split("_accumulator_")[0] for name in called if "_accumulator_" in name}
    called |= {f"{kind}{name}" for kind in kinds for name in re.findall(r'f"\{[\w.]*kind\}(_accumulator_\w+)"', sources)}
    wanted = [name.removesuffix("_dense") for name in _prototypes.FUNCTIONS if not name.endswith("_workspace_size")]
    missing = [name for name in wanted if name not in called]
    assert not missing


@pytest.mark.parametrize("name", sorted(_prototypes.FUNCTIONS))
def test_every_c_function_is_in_the_library(name):
    generic, _ = _prototypes.FUNCTIONS[name]
    for dtype in (np.dtype(np.float32), np.dtype(np.float64)) if generic else (None,):
        assert callable(_core._functions[name, dtype])


# --- Errors ----------------------------------------------------------------------------------------------------------


def test_errors_are_value_errors_that_survive_pickling():
    error = assert_error("INVALID_VALUE", losskit.sigmoid, ["text"])
    assert isinstance(error, ValueError)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.status, str(copy)) == (losskit.LossKitError, "INVALID_VALUE", str(error))


def test_messages_name_the_function_the_status_and_the_reason():
    error = assert_error("INVALID_SHAPE", losskit.sigmoid_vjp, [0.5, 0.5], [1.0])
    assert str(error) == "sigmoid_vjp: INVALID_SHAPE: grad_output has shape (1,), expected (2,)"


def test_every_status_has_a_meaning():
    for status, code in _prototypes.ENUMS["Status"].items():
        assert _prototypes.STATUS_MEANING[code]
        assert _core.fail(status.upper(), "f").status == status.upper()


@pytest.mark.parametrize("value", [2.5, 2**63, -(2**63) - 1, "1", None, np.nan])
def test_sizes_that_c_would_cut_are_refused(value):
    x = np.zeros(1, np.float32)
    error = assert_error("INVALID_PARAMETER", _core.call, "sigmoid", x.dtype, x, value, x)
    assert "count must be a 64-bit integer" in str(error)


def test_numpy_integers_are_sizes():
    x = np.zeros(3, np.float32)
    _core.call("sigmoid", x.dtype, x, np.uint8(3), x)
    assert x.tolist() == [0.5] * 3


def test_a_wrong_number_of_arguments_is_a_type_error():
    with pytest.raises(TypeError, match="takes 3 arguments"):
        _core.call("sigmoid", np.dtype(np.float32), None, 0)


def test_statuses_of_the_library_become_errors():
    f32 = np.dtype(np.float32)
    assert _core.call_status("sigmoid", f32, None, 0, None) == _core.OK
    assert_error("INVALID_SHAPE", _core.call, "sigmoid", f32, None, -1, None)
    assert_error("NULL_POINTER", _core.call, "sigmoid", f32, None, 1, None)


# --- Inputs ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_type", "wanted"),
    [("f2", "f4"), ("f4", "f4"), (">f4", "f4"), ("f8", "f8"), (">f8", "f8"), ("g", "f8"), ("?", "f8")]
    + [(kind + size, "f8") for kind in "iu" for size in "1248"],
)
def test_precision_follows_the_input(given_type, wanted):
    x = np.array([0, 1, 1, 0], given_type)
    y = losskit.sigmoid(x)
    assert y.dtype == np.dtype(wanted)
    assert_close(y, sigmoid(x))


def test_the_widest_input_decides():
    y, g = np.full(2, 0.5, np.float32), np.ones(2)
    assert losskit.sigmoid_vjp(y, g).dtype == np.float64
    assert losskit.sigmoid_vjp(y, g.astype(np.float16)).dtype == np.float32


class OnlyDLPack:
    """What a library without the array protocol gives."""

    def __init__(self, x):
        self.x = x

    def __dlpack__(self, **options):
        return self.x.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.x.__dlpack_device__()


class OnlyArray:
    def __init__(self, x):
        self.x = x

    def __array__(self, dtype=None, copy=None):
        return np.asarray(self.x, dtype)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
@pytest.mark.parametrize(
    "wrap",
    [OnlyDLPack, OnlyArray, memoryview, np.ndarray.tolist, lambda x: tuple(map(tuple, x.tolist())), np.asmatrix],
    ids=["dlpack", "array", "memoryview", "list", "tuple", "matrix"],
)
def test_objects_that_hold_arrays(wrap):
    x = np.arange(6.0).reshape(2, 3)
    y = losskit.sigmoid(wrap(x))
    assert type(y) is np.ndarray
    assert_close(y, sigmoid(x))
    assert_close(losskit.sigmoid(array.array("f", [1, 2])), sigmoid([1, 2]))


def test_torch_tensors():
    torch = pytest.importorskip("torch")
    x = torch.linspace(-3, 3, 12).reshape(3, 4)
    for tensor in (x, x.clone().requires_grad_(), x.T, x.half().float(), x.double()):
        assert_close(losskit.sigmoid(tensor), sigmoid(tensor.detach().numpy()))
    assert_error("INVALID_VALUE", losskit.sigmoid, x.bfloat16())
    assert _core.as_integers("f", "y", torch.tensor([1, 2], dtype=torch.int32)).tolist() == [1, 2]


def test_arrays_are_read_where_they_are():
    x = np.zeros((3, 4), np.float32)
    for source in (x, memoryview(x), OnlyDLPack(x), OnlyArray(x)):
        assert np.shares_memory(_core.as_reals("f", source)[1], x)


LAYOUTS = {
    "transposed": lambda x: np.asfortranarray(x),
    "reversed": lambda x: x[::-1, ::-1].copy()[::-1, ::-1],
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "big-endian": lambda x: x.astype(x.dtype.newbyteorder(">")),
    "broadcast": lambda x: np.broadcast_to(x[:1], x.shape),
    "unaligned": lambda x: np.frombuffer(b"?" + x.tobytes(), np.uint8)[1:].view(x.dtype).reshape(x.shape),
    "masked": lambda x: np.ma.masked_array(x),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_layouts(layout, dtype, rng):
    x = LAYOUTS[layout](rng.standard_normal((5, 7)).astype(dtype))
    y = losskit.sigmoid(x)
    assert y.dtype == dtype and y.shape == x.shape
    assert_close(y, sigmoid(x))


def test_inputs_may_be_read_only_and_are_not_written(dtype, rng):
    x = rng.standard_normal(50).astype(dtype)
    before = x.copy()
    x.flags.writeable = False
    assert_close(losskit.sigmoid(x), sigmoid(before))
    assert np.array_equal(x, before)


@pytest.mark.parametrize("shape", [(), (0,), (0, 3), (3, 0), (1,), (2, 3, 4)])
def test_shapes_are_kept(shape, dtype):
    y = losskit.sigmoid(np.zeros(shape, dtype))
    assert y.shape == shape and y.dtype == dtype and (y == 0.5).all()


@pytest.mark.parametrize(
    "bad",
    [1j, "text", ["a"], object(), None, [[1.0], [1.0, 2.0]], np.zeros(2, "M8[s]"), np.zeros(2, "V4"), {"a": 1}, [None]],
    ids=lambda bad: f"{type(bad).__name__}" if type(bad) is object else repr(bad),
)
def test_what_is_not_real_numbers_is_refused(bad):
    if bad is None:
        bad = np.array(None)
    assert_error("INVALID_VALUE", losskit.sigmoid, bad)


@given(hnp.arrays(st.sampled_from([np.float16, np.float32, np.float64]), hnp.array_shapes(max_dims=3, max_side=40)))
def test_sigmoid_of_anything(x):
    assert_close(losskit.sigmoid(x), np.where(np.isnan(x), np.nan, sigmoid(x)), axis=None)


@pytest.mark.parametrize("side", ["begin", "end"])
@pytest.mark.parametrize("count", [*range(1, 35), 1000, 4096])
def test_nothing_beyond_the_arrays_is_touched(count, side, dtype):
    x, y = guarded(np.zeros(count, dtype), side), guarded(np.ones(count, dtype), side)
    _core.call("sigmoid", dtype, x, count, y)
    assert (y == 0.5).all()


@pytest.mark.parametrize("kind", [kind + size for kind in "iu" for size in "1248"] + ["?", ">i2", ">u8"])
def test_integers_of_any_width(kind):
    y = _core.as_integers("f", "y", np.array([[1, 0], [0, 1]], kind)[:, ::-1])
    assert y.dtype == np.int64 and y.flags.c_contiguous and y.tolist() == [[0, 1], [1, 0]]


def test_integers_are_checked():
    assert _core.as_integers("f", "y", []).tolist() == []
    assert _core.as_integers("f", "y", np.array([2**63 - 1], np.uint64)).tolist() == [2**63 - 1]
    for bad in ([1.0], np.array([2**63], np.uint64), [2**70], ["1"], [1j], [None], np.zeros(2, "M8[s]")):
        assert_error("INVALID_TARGET", _core.as_integers, "f", "y", bad)


def test_rows():
    x = np.zeros((2, 3, 5, 7))
    assert _core.rows_of("f", x) == (30, 7, 1, (2, 3, 5))
    assert _core.rows_of("f", x, 1) == (2, 3, 35, (2, 5, 7))
    assert _core.rows_of("f", x, np.int8(-4)) == (1, 2, 105, (3, 5, 7))
    assert _core.rows_of("f", np.empty((2**30, 0, 2**29), np.uint8), 1) == (2**30, 0, 2**29, (2**30, 2**29))
    assert_error("INVALID_SHAPE", _core.rows_of, "f", np.array(1.0))
    for axis in (4, -5, 1.0, None, "1"):
        assert_error("INVALID_PARAMETER", _core.rows_of, "f", x, axis)


# --- Documentation ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PUBLIC)
def test_examples(name):
    finder, runner = doctest.DocTestFinder(recurse=True), doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    tests = finder.find(getattr(losskit, name), name, globs={})
    report = []
    for test in tests:
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)
    assert runner.tries > 0, f"{name} has no example"


TITLES = ["Parameters", "Returns", "Raises", "See Also", "Notes", "References", "Examples"]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstrings_are_well_formed(name):
    function = getattr(losskit, name)
    documentation = inspect.getdoc(function)
    summary = documentation.split("\n")[0]
    assert summary.endswith((".", ":")) and len(summary) <= 120, summary
    titles = re.findall(r"(?m)^(\w[\w ]*)\n-{3,}$", documentation)
    assert titles == [title for title in TITLES if title in titles]
    for title in titles:
        assert f"{title}\n{'-' * len(title)}\n" in documentation
    if name in WRAPPERS:
        assert {"Parameters", "Returns", "Raises", "Examples"} <= set(titles)
    for line in documentation.split("\n"):
        assert len(line) <= 120, line


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_parameter_is_described(name):
    function = getattr(losskit, name)
    parameters = list(inspect.signature(function).parameters)
    section = re.search(r"(?ms)^Parameters\n-+\n(.*?)(?=^\w[\w ]*\n-{3,}$|\Z)", inspect.getdoc(function))
    described = re.findall(r"(?m)^(\w+(?:, \w+)*) :.*\n +\S", section[1]) if section else []
    assert [each for group in described for each in group.split(", ")] == parameters


@pytest.mark.parametrize("name", WRAPPERS)
def test_docstrings_do_not_speak_c(name):
    parameters = set(inspect.signature(getattr(losskit, name)).parameters)
    if parameters & {"count", "classes", "capacity"}:
        pytest.skip("its own parameters bear those names")
    documentation = inspect.getdoc(getattr(losskit, name))
    assert not re.search(r"`(outer|inner|count|classes)`|\[(outer|count)\b|\b(NULL|null|capacity|LOSSKIT_\w+)\b", documentation)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_signatures_are_annotated(name):
    signature = inspect.signature(getattr(losskit, name))
    assert signature.return_annotation is not inspect.Signature.empty
    assert all(each.annotation is not inspect.Parameter.empty for each in signature.parameters.values())


def test_names_are_sorted_out():
    assert len(set(losskit.__all__)) == len(losskit.__all__)
    for name in losskit.__all__:
        assert getattr(losskit, name) is not None
    assert (PACKAGE / "py.typed").exists()
