"""Cases, and how two contestants are measured against each other."""

import gc
import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Optional

import losskit
import numpy as np


@dataclass
class Contest:
    """Two functions of no arguments that do the same work; ``agree`` raises unless their results match."""

    ours: Callable[[], Any]
    peer: Callable[[], Any]
    agree: Callable[[Any, Any], None]


@dataclass
class Case:
    """One row of the table. ``prepare`` makes the data and returns the contest, so that data live only while needed."""

    family: str
    title: str
    peer: str
    prepare: Callable[..., Contest]
    arguments: tuple[Any, ...]
    target: Optional[float]
    needs: tuple[str, ...]
    modules: tuple[str, ...]
    threads: tuple[int, ...]


@dataclass
class Result:
    case: Case
    threads: int
    skipped: str = ""
    ours: float = 0.0
    peer: float = 0.0
    ratio: float = 0.0  # of the medians
    pairwise: float = 0.0  # median of the rounds' ratios


_cases: list[Case] = []

MODULES = {
    "torch": ("torch",),
    "torchvision": ("torch", "torchvision"),
    "torchmetrics": ("torch", "torchmetrics"),
    "OpenCV": ("cv2",),
    "SciPy": ("scipy",),
    "scikit-learn": ("sklearn",),
    "netcal": ("netcal",),
    "onnxruntime": ("onnxruntime",),
}


def compare(family, title, sizes=((),), *, peer, needs, target=None, threads=(1,)):
    """Declares cases, one for each tuple of ``sizes``: the decorated function gets it and returns a Contest.

    ``title`` is a format string over the sizes. ``needs`` names the LossKit functions used. ``target`` is the ratio hoped
    for on one thread, one number or one for each size.
    """

    def register(prepare):
        targets = target if isinstance(target, tuple) else (target,) * len(sizes)
        for arguments, aim in zip(sizes, targets, strict=True):
            counts = [f"{n:,}".replace(",", " ") if isinstance(n, int) and n >= 10_000 else n for n in arguments]
            modules = MODULES.get(peer.split(" ")[0], ())
            _cases.append(
                Case(family, title.format(*counts), peer, prepare, arguments, aim, tuple(needs), modules, threads)
            )
        return prepare

    return register


_FIRST = ["softmax", "classification", "multilabel", "detection", "calibration"]  # then the others


def load_cases(folder):
    """The cases that the files of a folder declare."""
    order = {name: place for place, name in enumerate(_FIRST)}
    for path in sorted(folder.glob("*.py"), key=lambda path: (order.get(path.stem, len(order)), path.stem)):
        spec = importlib.util.spec_from_file_location(f"cases_{path.stem}", path)
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return _cases


def close(tolerance):
    """Agreement of arrays, or tuples of them: the error relative to the largest magnitude is at most ``tolerance``."""

    def check(ours, peer):
        if isinstance(ours, tuple):
            for one, other in zip(ours, peer, strict=True):
                check(one, other)
            return
        one, other = np.asarray(ours, np.float64), np.asarray(peer, np.float64)
        assert one.shape == other.shape, f"shapes {one.shape} and {other.shape}"
        error = np.max(np.abs(one - other), initial=0) / max(np.max(np.abs(other), initial=0), 1e-300)
        assert error <= tolerance, f"they differ by {error:.2g}"

    return check


def use_threads(count):
    """Gives all contestants so many threads. They were loaded with OMP_NUM_THREADS=1."""
    losskit.set_num_threads(count)
    for name, setter in (("torch", "set_num_threads"), ("cv2", "setNumThreads")):
        if importlib.util.find_spec(name):
            getattr(importlib.import_module(name), setter)(count)


def run(case, quick, progress):
    """The results of a case, one for each number of threads."""
    reason = _obstacle(case)
    if reason:
        progress(case, reason)
        return [Result(case, threads, skipped=reason) for threads in case.threads]
    results = []
    for threads in case.threads:
        use_threads(threads)
        try:
            contest = case.prepare(*case.arguments)
            contest.agree(contest.ours(), contest.peer())
            result = _measure(case, threads, contest, quick)
        except AssertionError as error:
            result = Result(case, threads, skipped=f"the results do not agree: {error}")
        except Exception as error:  # one contestant's trouble should not end the run
            result = Result(case, threads, skipped=f"{type(error).__name__}: {error}")
        progress(case, result)
        results.append(result)
        contest = None
        gc.collect()
    return results


def _obstacle(case):
    absent = [name for name in case.needs if not hasattr(losskit, name)]
    if absent:
        return f"losskit.{absent[0]} does not exist yet"
    for module in case.modules:
        try:
            importlib.import_module(module)
        except ImportError:
            return f"{module} is not installed"
    return ""


def _measure(case, threads, contest, quick):
    """Turn and turn about, A B A B …, so that what disturbs the machine disturbs both."""
    budget, at_least, at_most, round_time = (1.0, 3, 15, 0.002) if quick else (4.0, 5, 61, 0.01)
    first = [_time(function, 1) for function in (contest.ours, contest.peer)]
    repeats = [max(1, round(round_time / seconds)) for seconds in first]
    if max(first) > 10:
        at_least = 1  # minutes would add little
    times = ([], [])
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        while len(times[0]) < at_most and (len(times[0]) < at_least or time.perf_counter() - start < budget):
            for side, function in enumerate((contest.ours, contest.peer)):
                times[side].append(_time(function, repeats[side]))
    finally:
        gc.enable()
    ours, peer = map(statistics.median, times)
    pairwise = statistics.median(b / a for a, b in zip(*times))
    return Result(case, threads, ours=ours, peer=peer, ratio=peer / ours, pairwise=pairwise)


def _time(function, repeats):
    start = time.perf_counter()
    for _ in range(repeats):
        function()
    return (time.perf_counter() - start) / repeats
