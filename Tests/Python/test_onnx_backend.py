"""ONNX's own backend tests of the operators that LossKit has, with the data that the `onnx` package brings.

They are the node tests of six operators, and the models converted from PyTorch that use one, which have the older
semantics of Softmax. The node tests named `…_expanded` have the same inputs and outputs, with a graph of other operators
in the place of the one that is tested: SoftmaxCrossEntropyLoss becomes LogSoftmax and NegativeLogLikelihoodLoss and is
run; what becomes arithmetic alone has no operator of LossKit to run.
"""

import importlib
from pathlib import Path

import numpy as np
import pytest

import losskit

onnx = pytest.importorskip("onnx", reason="the `onnx` package is not installed")

# Operator -> the module of its node tests, and how many tests there are at least.
OPERATORS = {
    "Softmax": ("softmax", 7),
    "LogSoftmax": ("logsoftmax", 7),
    "Hardmax": ("hardmax", 7),
    "NegativeLogLikelihoodLoss": ("negativeloglikelihoodloss", 18),
    "SoftmaxCrossEntropyLoss": ("softmax_cross_entropy_loss", 34),
    "NonMaxSuppression": ("nonmaxsuppression", 10),
}


# --- The operators, in terms of LossKit ------------------------------------------------------------------------------


def row_map(function):
    """An operator of rows: along one axis since opset 13; before, of all axes from one on, made into one."""

    def operator(x, *, opset, axis=None):
        if opset >= 13:
            return function(x, axis=-1 if axis is None else axis)
        axis = range(x.ndim)[1 if axis is None else axis]
        return function(x.reshape(int(np.prod(x.shape[:axis])), -1)).reshape(x.shape)

    return operator


def negative_log_likelihood_loss(log_p, target, weight=None, *, opset, reduction="mean", ignore_index=-100):
    return losskit.nll_loss(log_p, target, weight=weight, ignore_index=ignore_index, reduction=reduction, axis=1)


def softmax_cross_entropy_loss(x, target, weight=None, *, opset, reduction="mean", ignore_index=-100):
    loss = losskit.cross_entropy(x, target, weight=weight, ignore_index=ignore_index, reduction=reduction, axis=1)
    return loss, losskit.log_softmax(x, axis=1)


def non_max_suppression(boxes, scores, limit=0, iou_threshold=0.0, score_threshold=None, *, opset, center_point_box=0):
    limit, iou_threshold, score_threshold = (
        x if x is None else np.asarray(x).item() for x in (limit, iou_threshold, score_threshold)
    )
    return losskit.onnx_non_max_suppression(
        boxes, scores, max_output_boxes_per_class=limit, iou_threshold=iou_threshold, score_threshold=score_threshold,
        center_point_box=center_point_box,
    )  # fmt: skip


IMPLEMENTATIONS = {
    "Softmax": row_map(losskit.softmax),
    "LogSoftmax": row_map(losskit.log_softmax),
    "Hardmax": row_map(losskit.hardmax),
    "NegativeLogLikelihoodLoss": negative_log_likelihood_loss,
    "SoftmaxCrossEntropyLoss": softmax_cross_entropy_loss,
    "NonMaxSuppression": non_max_suppression,
    "Constant": lambda *, opset, value: onnx.numpy_helper.to_array(value),
    "Identity": lambda x, *, opset: x,
    "Neg": lambda x, *, opset: -x,
    "Reshape": lambda x, shape, *, opset: x.reshape([n or x.shape[i] for i, n in enumerate(shape)]),
    "Shape": lambda x, *, opset: np.array(x.shape),
    "Transpose": lambda x, *, opset, perm: x.transpose(perm),
}


def run(model, inputs):
    """The outputs of a model whose nodes all have an implementation."""
    opset = next(entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx"))
    constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    names = [value.name for value in model.graph.input if value.name not in constants]
    values = {**constants, **dict(zip(names, inputs))}
    for node in model.graph.node:
        attributes = {item.name: onnx.helper.get_attribute_value(item) for item in node.attribute}
        attributes = {name: value.decode() if isinstance(value, bytes) else value for name, value in attributes.items()}
        arguments = [values[name] if name else None for name in node.input]
        results = IMPLEMENTATIONS[node.op_type](*arguments, opset=opset, **attributes)
        values.update(zip(node.output, results if isinstance(results, tuple) else [results]))
    return [values[value.name] for value in model.graph.output]


# --- The tests -------------------------------------------------------------------------------------------------------


def node_tests():
    """ONNX's modules add their tests to a list when they are imported."""
    for module, _ in OPERATORS.values():
        importlib.import_module(f"onnx.backend.test.case.node.{module}")
    cases = importlib.import_module("onnx.backend.test.case.node")._NodeTestCases
    return [case for case in cases if any(node.op_type in OPERATORS for node in case.model.graph.node)]


def converted_tests():
    """(name, model, folder) of the models on disk that have one of the operators."""
    for path in sorted(Path(onnx.__file__).parent.glob("backend/test/data/*/*/model.onnx")):
        model = onnx.load(path)
        if path.parts[-3] != "node" and any(node.op_type in OPERATORS for node in model.graph.node):
            yield path.parent.name, model, path.parent


def assert_outputs(actual, expected, rtol=1e-3, atol=1e-7):
    """LossKit takes float16 as float32; ONNX's tests name their tolerance."""
    assert len(actual) == len(expected)
    for result, wanted in zip(actual, expected):
        assert np.shape(result) == np.shape(wanted)
        np.testing.assert_allclose(np.asarray(result, np.float64), np.asarray(wanted, np.float64), rtol=rtol, atol=atol)


NODE_TESTS = node_tests()
CONVERTED_TESTS = list(converted_tests())
NAMES = {case.name for case in NODE_TESTS}


@pytest.mark.parametrize("case", NODE_TESTS, ids=lambda case: case.name)
def test_node(case):
    for inputs, outputs in case.data_sets:
        assert_outputs(run(case.model, inputs), outputs, case.rtol, case.atol)


@pytest.mark.parametrize("case", CONVERTED_TESTS, ids=lambda case: case[0])
def test_converted_model(case):
    _, model, folder = case
    data_sets = sorted(folder.glob("test_data_set_*"))
    assert data_sets

    def arrays(data_set, kind):
        for number in range(len(list(data_set.glob(f"{kind}_*.pb")))):
            yield onnx.numpy_helper.to_array(onnx.load_tensor(data_set / f"{kind}_{number}.pb"))

    for data_set in data_sets:
        assert_outputs(run(model, arrays(data_set, "input")), list(arrays(data_set, "output")))


@pytest.mark.parametrize("operator", OPERATORS)
def test_none_is_left_out(operator):
    """As many tests run as this was written with, or more; what does not run is arithmetic."""
    tests = {case.name for case in NODE_TESTS if case.model.graph.node[0].op_type == operator}
    assert len(tests) >= OPERATORS[operator][1]
    for case in importlib.import_module("onnx.backend.test.case.node")._NodeTestCases:
        original = case.name.split("_expanded")[0]
        if original in tests and case.name not in NAMES:
            assert case.name != original
            assert not {node.op_type for node in case.model.graph.node} & set(OPERATORS)
