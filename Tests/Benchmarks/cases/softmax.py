"""Softmax and log-softmax of rows, as called and into memory that is already there.

A fresh output of 32 MB or more is new memory in every call, whose page faults cost more than the kernel (NumPy asks for
large pages, which makes them fewer). The targets are for the kernels, so for given outputs.
"""

import losskit
import numpy as np
from contest import Contest, close, compare
from losskit import _core

SHAPES = ((8192, 1024), (64, 131072), (100_000, 80), (4096, 64), (1_000_000, 10))


def logits(rows, classes, dtype=np.float32):
    return (np.random.default_rng(rows + classes).standard_normal((rows, classes)) * 3).astype(dtype)


def row_map(name, rows, classes):
    import torch

    z = logits(rows, classes)
    tensor, ours, peer = torch.from_numpy(z), getattr(losskit, name), getattr(torch, name)
    return Contest(lambda: ours(z), lambda: peer(tensor, -1), close(1e-5))


def row_map_into(name, rows, classes, dtype=np.float32):
    import torch

    tensor = torch.from_numpy(logits(rows, classes, dtype)).clone()  # torch's memory begins on a cache line: for both
    z, peer = tensor.numpy(), getattr(torch, name)
    ours_out, peer_out = torch.zeros_like(tensor).numpy(), torch.zeros_like(tensor)

    def ours():
        _core.call(name, z.dtype, z, rows, classes, 1, 1.0, ours_out)
        return ours_out

    return Contest(ours, lambda: peer(tensor, -1, out=peer_out), close(1e-5 if dtype == np.float32 else 1e-12))


for name in ("softmax", "log_softmax"):
    title = name.replace("_", "-")

    @compare("Softmax", title + " {}×{}", SHAPES, peer="torch", needs=[name], threads=(1, 2))
    def called(rows, classes, name=name):
        return row_map(name, rows, classes)

    @compare("Softmax", title + " {}×{}, output given", SHAPES, peer="torch", needs=[name], target=1.6)
    def into(rows, classes, name=name):
        return row_map_into(name, rows, classes)


@compare(
    "Softmax", "softmax {}×{}, float64, output given", ((8192, 1024), (100_000, 80)),
    peer="torch", needs=["softmax"], target=1.3,
)  # fmt: skip
def double_precision(rows, classes):
    return row_map_into("softmax", rows, classes, np.float64)


@compare("Softmax", "softmax {}×{}, share of a copy's speed", ((64, 131072),), peer="memcpy", needs=["softmax"], target=0.7)
def share_of_copy(rows, classes):
    """A copy reads and writes each element once, as a softmax must at least."""
    import torch

    z = torch.from_numpy(logits(rows, classes)).clone().numpy()
    copy = torch.zeros(rows, classes).numpy()
    ours = row_map_into("softmax", rows, classes).ours
    return Contest(ours, lambda: np.copyto(copy, z), lambda ours, peer: None)


@compare("Softmax", "softmax {}×{}", ((8192, 1024),), peer="SciPy", needs=["softmax"])
def against_scipy(rows, classes):
    import scipy.special

    z = logits(rows, classes)
    return Contest(lambda: losskit.softmax(z), lambda: scipy.special.softmax(z, axis=-1), close(1e-5))


@compare("Softmax", "softmax {}×{}, output given", ((8192, 1024), (100_000, 80)), peer="onnxruntime", needs=["softmax"])
def against_onnxruntime(rows, classes):
    import onnxruntime
    from onnx_model import one_operator

    z = logits(rows, classes)
    ours = row_map_into("softmax", rows, classes).ours
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    model = one_operator("Softmax", z.shape, axis=-1)
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    out = np.zeros_like(z)
    binding = session.io_binding()
    binding.bind_ortvalue_input("x", onnxruntime.OrtValue.ortvalue_from_numpy(z))
    binding.bind_output("y", "cpu", 0, np.float32, z.shape, out.ctypes.data)

    def peer():
        session.run_with_iobinding(binding)
        return out

    return Contest(ours, peer, close(1e-5))


@compare(
    "Softmax", "two-pass softmax {}×{}, output given", ((256, 16384), (64, 131072), (4, 4_000_000)),
    peer="LossKit's softmin", needs=["two_pass_softmax", "softmin"],
)  # fmt: skip
def two_passes(rows, classes):
    """Against three passes, which softmin always makes and softmax of all but very long rows."""
    z = logits(rows, classes)

    def contestant(name, *parameters):
        out = np.zeros_like(z)

        def run():
            _core.call(name, z.dtype, z, rows, classes, 1, *parameters, out)
            return out

        return run

    return Contest(contestant("two_pass_softmax"), contestant("softmin", 1.0), lambda ours, peer: None)


@compare("Softmax", "softmax {}×{}, output given", ((1, 16_000_000),), peer="torch", needs=["softmax"])
def one_long_row(rows, classes):
    return row_map_into("softmax", rows, classes)

