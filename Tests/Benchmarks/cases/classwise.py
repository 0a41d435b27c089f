"""Losses of embeddings and a class matrix. `python classwise.py` measures the memory instead of the time."""

import ctypes
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

SIZES = (2048, 512, 32000)  # rows, dimension, vocabulary


def linear_data(rows, dimension, vocabulary, alike=0.0):
    """Embeddings, class matrix and targets; with ``alike`` > 0 the embeddings resemble their targets' classes."""
    rng = np.random.default_rng(rows)
    e = (rng.standard_normal((rows, dimension)) * 0.3).astype(np.float32)
    c = (rng.standard_normal((vocabulary, dimension)) * 0.3).astype(np.float32)
    y = rng.integers(0, vocabulary, rows)
    return e + np.float32(alike) * c[y], c, y


def torch_loss(e, c, y):
    """torch's forward and backward of the product and its cross-entropy."""
    import torch

    e, c, y = (torch.from_numpy(array) for array in (e, c, y))
    e.requires_grad_()
    c.requires_grad_()

    def run():
        e.grad = c.grad = None
        loss = torch.nn.functional.cross_entropy(e @ c.T, y)
        loss.backward()
        return loss.detach(), (e.grad, c.grad)

    return run


def fused_multiply_adds():
    """A function that spends the time of so many fused multiply-adds of floats, on registers alone."""
    source = """
    typedef float v __attribute__((ext_vector_type(16)));
    #define STEP(i) a##i = __builtin_elementwise_fma(a##i, x, y);
    #define ALL(F) F(0) F(1) F(2) F(3) F(4) F(5) F(6) F(7) F(8) F(9) F(10) F(11)
    #define START(i) v a##i = (v)(i * 1e-3f);
    #define JOIN(i) sum += a##i;
    float fma_only(long n) {
      v x = 0.999f, y = 1e-4f, sum = 0;
      ALL(START)
      for (long k = 0; k < n; k += 12 * 16) { ALL(STEP) }
      ALL(JOIN)
      return sum[0] + sum[7];
    }
    """
    with tempfile.TemporaryDirectory() as folder:
        library = Path(folder) / "fma.so"
        command = ["clang", "-O2", "-march=native", "-mprefer-vector-width=512", "-shared", "-fPIC", "-xc", "-", "-o", library]
        subprocess.run(command, input=source.encode(), check=True)
        function = ctypes.CDLL(str(library)).fma_only
    function.argtypes, function.restype = [ctypes.c_long], ctypes.c_float
    return function


def declare():
    import losskit
    from contest import Contest, close, compare

    def near(ours, peer):
        """Where a model is sure, torch's small losses and gradients have few digits."""
        for one, other in zip((ours[0], *ours[1]), (peer[0], *peer[1])):
            assert np.abs(np.asarray(one) - np.asarray(other)).max() <= 2e-6

    def linear(title, alike, agree, target, **options):
        @compare(
            "Classification losses", "linear cross-entropy, " + title + ", {}×{}×{}", (SIZES,),
            peer="torch", needs=["linear_cross_entropy"], target=target, threads=(1, 2),
        )  # fmt: skip
        def contest(*sizes):
            e, c, y = linear_data(*sizes, alike)
            ours = lambda: losskit.linear_cross_entropy(e, c, y, grad=True, **options)  # noqa: E731
            return Contest(ours, torch_loss(e, c, y), agree)

    linear("value and gradient", 0.0, close(2e-5), 0.83)
    linear("value and gradient, a sure model, small gradients left out", 1.0, near, 0.83, filter_eps="auto")

    def peak(title, products, grad):
        @compare(
            "Classification losses", "linear cross-entropy, " + title + ", {}×{}×{}", (SIZES,),
            peer="its multiply-adds alone", needs=["linear_cross_entropy"], target=0.7,
        )  # fmt: skip
        def contest(*sizes):
            """The ratio is the share of the processor's peak that is reached."""
            e, c, y = linear_data(*sizes)
            function, count = fused_multiply_adds(), products * int(np.prod(sizes))
            return Contest(
                lambda: losskit.linear_cross_entropy(e, c, y, grad=grad), lambda: function(count), lambda ours, peer: None
            )

    peak("value", 1, False)
    peak("value and gradient", 4, True)


def peak_memory(which):
    """Prints by how much a call raises the peak of the resident set, in bytes: results and extra memory."""
    e, c, y = linear_data(*SIZES)
    if which == "torch":
        import torch

        torch.set_num_threads(1)
        call = torch_loss(e, c, y)
        small = torch_loss(e[:9].copy(), c[:9].copy(), y[:9] % 9)
    else:
        import losskit

        call = lambda: losskit.linear_cross_entropy(e, c, y, grad=True)  # noqa: E731
        small = lambda: losskit.linear_cross_entropy(e[:9], c[:9], y[:9] % 9, grad=True)  # noqa: E731
    small()  # what a first call loads
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew
    before = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    results = call()
    status = Path("/proc/self/status").read_text()
    after = int(status.split("VmHWM:")[1].split()[0]) * 1024
    print(after - before - sum(np.asarray(array).nbytes for array in results[1]))


if __name__ != "__main__":
    declare()
elif len(sys.argv) > 1:
    peak_memory(sys.argv[1])
else:
    extra = {}
    for which in ("torch", "LossKit"):
        extra[which] = int(subprocess.run([sys.executable, __file__, which], check=True, capture_output=True).stdout)
        print(f"{which}: {extra[which] / 2**20:.1f} MiB beyond inputs and gradients")
    print(f"ratio: {extra['torch'] / extra['LossKit']:.0f}")
