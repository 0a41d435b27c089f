"""ECE, Brier score, log loss and a reliability diagram of data that are larger than one would like to hold, on Dask.

Every chunk of rows is turned into two small accumulators (their bytes: 80 + 48 a bin, and 96), and these are merged two by
two in a tree, wherever the workers are. Their sums are exact, so that the result has the bits of a single process over all
rows, however the data are cut and in whatever order the tree joins them.

    python dask_calibration.py [rows] [classes]

makes predictions chunk by chunk on a local cluster, with a model that is overconfident on purpose, and compares with a
single pass over the same chunks. `accumulate` takes any `dask.array`, such as `dask.array.from_zarr` gives, and any
scheduler.
"""

from __future__ import annotations

import sys
from typing import NamedTuple

import losskit
import numpy as np


class Report(NamedTuple):
    """The two accumulators of some rows."""

    reliability: losskit.ReliabilityAccumulator
    scores: losskit.ScoreAccumulator

    def add(self, probs: np.ndarray, y: np.ndarray) -> Report:
        self.reliability.update(probs, y)
        self.scores.update(probs, y)
        return self

    def summary(self) -> str:
        (count, conf, acc, edges), ece, mce = self.reliability.result()
        samples, brier, nll = self.scores.result()
        lines = [f"{samples} rows: ECE {ece:.6f}, MCE {mce:.6f}, Brier score {brier:.6f}, log loss {nll:.6f}", ""]
        lines.append("confidence       rows   mean    accuracy")
        for low, high, n, mean, share in zip(edges, edges[1:], count, conf, acc):
            if n:
                lines.append(f"{low:.2f} to {high:.2f} {n:10}   {mean:.4f}  {share:.4f}  {'#' * round(40 * share)}")
        return "\n".join(lines)


def empty(n_bins: int) -> Report:
    return Report(losskit.ReliabilityAccumulator(n_bins), losskit.ScoreAccumulator())


def of_chunk(probs: np.ndarray, y: np.ndarray, n_bins: int) -> Report:
    return empty(n_bins).add(probs, y)


def joined(a: Report, b: Report) -> Report:
    """Both reports; neither is changed, because a scheduler may use an input once more."""
    return Report(*(type(x).from_bytes(x.to_bytes()).merge(z) for x, z in zip(a, b)))


def accumulate(probs, y, n_bins: int = 15):
    """A `dask.delayed.Delayed` of the report of ``probs[N, C]`` with labels ``y[N]``, which are chunked alike by rows."""
    import dask

    chunk, join = dask.delayed(of_chunk), dask.delayed(joined)
    blocks = zip(probs.rechunk({1: -1}).to_delayed().ravel(), y.rechunk(probs.chunks[:1]).to_delayed().ravel())
    reports = [chunk(p, labels, n_bins) for p, labels in blocks] or [dask.delayed(empty)(n_bins)]
    while len(reports) > 1:
        pairs = [join(a, b) for a, b in zip(reports[::2], reports[1::2])]
        reports = pairs + reports[len(pairs) * 2 :]
    return reports[0]


def predictions(start: int, rows: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a model whose logits are half again too large. The same for the same start, on any machine."""
    rng = np.random.default_rng([2024, start])
    logits = 2 * rng.standard_normal((rows, classes), dtype=np.float32)
    y = (logits + rng.gumbel(size=logits.shape)).argmax(1)
    return losskit.softmax(1.5 * logits), y


def chunked(rows: int, classes: int, chunk: int):
    """The predictions as two arrays of chunks, which are made where they are needed and then forgotten."""
    import dask
    import dask.array

    starts = range(0, rows, chunk)
    make = dask.delayed(predictions, nout=2)
    parts = [(min(chunk, rows - start), *make(start, min(chunk, rows - start), classes)) for start in starts]
    probs = [dask.array.from_delayed(p, (n, classes), np.float32) for n, p, _ in parts]
    labels = [dask.array.from_delayed(t, (n,), np.int64) for n, _, t in parts]
    return dask.array.concatenate(probs), dask.array.concatenate(labels)


def main() -> None:
    from dask.distributed import Client, LocalCluster

    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000
    classes = int(sys.argv[2]) if len(sys.argv) > 2 else 10
    chunk = 250_000
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster, Client(cluster):
        report = accumulate(*chunked(rows, classes, chunk)).compute()
    print(report.summary())
    single = empty(15)
    for start in range(0, rows, chunk):
        single.add(*predictions(start, min(chunk, rows - start), classes))
    same = all(a.to_bytes() == b.to_bytes() for a, b in zip(report, single))
    print(f"\nA single process gives {'the same bits' if same else 'OTHER BITS'}.")
    if not same:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
