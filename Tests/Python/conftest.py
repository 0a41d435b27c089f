"""Finds the package, and what every test module shares. Helpers to import are in support.py."""

import os
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))
if "LOSSKIT_TEST_INSTALLED" not in os.environ:  # otherwise: the package that is installed, as a wheel's test wants
    sys.path.insert(0, str(HERE.parents[1] / "bindings" / "python" / "src"))

# `pytest --hypothesis-profile=thorough` searches further.
hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50, database=None)
hypothesis.settings.register_profile("thorough", deadline=None, max_examples=2000, database=None)
hypothesis.settings.load_profile("ci")


@pytest.fixture(params=[np.float32, np.float64], ids=["f32", "f64"])
def dtype(request):
    """Both precisions."""
    return np.dtype(request.param)


@pytest.fixture
def rng():
    """Random numbers, the same in every run."""
    return np.random.default_rng(20240229)


@pytest.fixture(autouse=True)
def one_thread():
    """A test may set the number of threads; the next one begins with one."""
    yield
    import losskit

    losskit.set_num_threads(1)
