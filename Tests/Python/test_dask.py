"""The example of a cluster: trees of accumulators, on Dask's schedulers, have the bits of a single process."""

import importlib.util
import os
import subprocess
import sys

import numpy as np
import pytest
from support import REPOSITORY

import losskit

array = pytest.importorskip("dask.array", reason="the example of a cluster needs dask[array]")
EXAMPLE = REPOSITORY / "bindings" / "python" / "examples" / "dask_calibration.py"


@pytest.fixture(scope="module")
def example():
    spec = importlib.util.spec_from_file_location("dask_calibration", EXAMPLE)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("chunk", [1, 7, 100, 333, 1000, 5000])
@pytest.mark.parametrize("scheduler", ["synchronous", "threads"])
def test_trees_have_the_bits_of_the_whole(example, chunk, scheduler, rng, dtype):
    rows = 50 if chunk == 1 else 1000
    probs = rng.dirichlet(np.full(4, 0.5), rows).astype(dtype).clip(0, 1)
    y = rng.integers(0, 4, rows)
    data = array.from_array(probs, chunks=(chunk, 2)), array.from_array(y, chunks=77)
    report = example.accumulate(*data, n_bins=10).compute(scheduler=scheduler)
    assert report == example.empty(10).add(probs, y)
    (count, _, _, _), ece, _ = report.reliability.result()
    assert count.sum() == rows and report.scores.result()[0] == rows
    np.testing.assert_allclose(ece, losskit.expected_calibration_error(probs.astype(float), y, n_bins=10), rtol=1e-12)


def test_data_are_made_chunk_by_chunk(example):
    report = example.accumulate(*example.chunked(2500, 3, 1000)).compute(scheduler="synchronous")
    single = example.empty(15)
    for start in (0, 1000, 2000):
        single.add(*example.predictions(start, min(1000, 2500 - start), 3))
    assert report == single and "2500 rows" in report.summary()


def test_on_a_local_cluster():
    pytest.importorskip("distributed")
    run = subprocess.run([sys.executable, str(EXAMPLE), "600000", "5"], capture_output=True, text=True, timeout=120,
                         env={**os.environ, "PYTHONPATH": ":".join(filter(None, sys.path))})  # fmt: skip
    assert run.returncode == 0, run.stderr
    assert "600000 rows" in run.stdout and "the same bits" in run.stdout
