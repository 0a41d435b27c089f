"""A minimal writer of ONNX models, in place of a package for one operator."""


def one_operator(operator, shape, **integers):
    """The bytes of a model y = operator(x) on float32 arrays of one shape, with integer attributes."""
    attributes = [(5, [(1, name), (3, value), (20, 2)]) for name, value in integers.items()]
    node = [(1, "x"), (2, "y"), (4, operator), *attributes]
    graph = [(1, node), (2, "graph"), (11, _tensor("x", shape)), (12, _tensor("y", shape))]
    return _message([(1, 8), (7, graph), (8, [(2, 13)])])  # IR version 8, operator set 13


def _tensor(name, shape):
    dimensions = [(1, [(1, size)]) for size in shape]
    return [(1, name), (2, [(1, [(1, 1), (2, dimensions)])])]


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
