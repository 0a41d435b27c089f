"""A minimal writer of ONNX models, in place of a package for one operator."""


_TYPES = {"float32": 1, "int64": 7}  # ONNX's numbers of element types


def one_operator(operator, shape, **integers):
    """The bytes of a model y = operator(x) on float32 arrays of one shape, with integer attributes."""
    return _model(operator, [("float32", shape)], ("float32", shape), 13, integers)


def operator_on(operator, arrays, result_type, result_rank):
    """The bytes of a model of an operator on arrays like these, under the names x0, x1, …; its result has any sizes."""
    kinds = [(str(array.dtype), array.shape) for array in arrays]
    return _model(operator, kinds, (result_type, [f"n{axis}" for axis in range(result_rank)]), 11, {})


def _model(operator, inputs, output, operator_set, integers):
    names = ["x"] if len(inputs) == 1 else [f"x{index}" for index in range(len(inputs))]
    attributes = [(5, [(1, name), (3, value), (20, 2)]) for name, value in integers.items()]
    node = [*((1, name) for name in names), (2, "y"), (4, operator), *attributes]
    tensors = [(11, _tensor(name, *kind)) for name, kind in zip(names, inputs)]
    graph = [(1, node), (2, "graph"), *tensors, (12, _tensor("y", *output))]
    return _message([(1, 8), (7, graph), (8, [(2, operator_set)])])  # IR version 8


def _tensor(name, kind, shape):
    dimensions = [(1, [(2 if isinstance(size, str) else 1, size)]) for size in shape]
    return [(1, name), (2, [(1, [(1, _TYPES[kind]), (2, dimensions)])])]


def _message(fields):
    """Protocol buffers: (field number, integer | text | nested fields) in order."""
    out = b""
    for number, value in fields:
        if isinstance(value, int):
            out += _varint(number << 3) + _varint(value)
        else:
            payload = value.encode() if isinstance(value, str) else _message(value)
            out += _varint(number << 3 | 2) + _varint(len(payload)) + payload
    return out


def _varint(value):
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])
