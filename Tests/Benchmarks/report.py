"""Tables of the results."""

import datetime
import importlib.metadata
import os
import platform
from itertools import groupby

import losskit

HEADINGS = ["case", "peer", "LossKit", "peer's", "ratio", "pairwise", "target"]


def progress(case, outcome):
    """One line as soon as a case is done."""
    if isinstance(outcome, str) or outcome.skipped:
        print(f"{case.title:<58} skipped: {outcome if isinstance(outcome, str) else outcome.skipped}", flush=True)
        return
    threads = f", {outcome.threads} threads" if outcome.threads > 1 else ""
    times = f"{duration(outcome.ours):>9} against {duration(outcome.peer):>9}"
    print(f"{case.title + threads:<58} {times}  {outcome.ratio:8.2f}x  {case.peer}", flush=True)


def duration(seconds):
    """Three digits and a unit."""
    for unit, size in (("s", 1), ("ms", 1e-3), ("µs", 1e-6), ("ns", 1e-9)):
        if seconds >= size:
            value = seconds / size
            return f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"
    return "0"


def ratio(value):
    return f"{value:.2f}×" if value < 10 else f"{value:.0f}×"


def row(result):
    case = result.case
    if result.skipped:
        return [case.title, case.peer, "—", "—", "—", "—", f"skipped: {result.skipped}"]
    met = ""
    if case.target is not None and result.threads == 1:
        met = f"≥ {case.target:g}× " + ("met" if result.ratio >= case.target else "missed")
    times = [duration(result.ours), duration(result.peer)]
    return [case.title, case.peer, *times, ratio(result.ratio), ratio(result.pairwise), met]


def sections(results):
    """(title, results) by number of threads, then by family, in the order of the cases."""
    for threads in sorted({result.threads for result in results}):
        chosen = [result for result in results if result.threads == threads]
        for family, members in groupby(chosen, key=lambda result: result.case.family):
            yield f"{family}, {'one thread' if threads == 1 else f'{threads} threads'}", list(members)


def terminal(results):
    lines = []
    for title, members in sections(results):
        rows = [HEADINGS, *(row(result) for result in members if not result.skipped)]
        if len(rows) == 1:
            continue
        widths = [max(len(cells[column]) for cells in rows) for column in range(len(HEADINGS))]
        lines += ["", title]
        lines += ["  " + "  ".join(cell.ljust(width) for cell, width in zip(cells, widths)).rstrip() for cells in rows]
    return "\n".join([*lines, "", summary(results)])


def summary(results):
    aimed = [result for result in results if result.case.target and result.threads == 1 and not result.skipped]
    met = sum(result.ratio >= result.case.target for result in aimed)
    skipped = sum(bool(result.skipped) for result in results)
    return f"{len(results) - skipped} measured, {skipped} skipped; {met} of {len(aimed)} targets met."


def markdown(results):
    lines = [
        "# Benchmark results",
        "",
        "Written by `make bench`. Ratio: the peer's median time over LossKit's, so above 1 LossKit is faster. Pairwise: the",
        "median of the ratios of neighbouring rounds. Contestants agreed on the result, then took turns in one process.",
        "float32 unless said otherwise. A row that says *output given* measures the kernel alone; others allocate the result in",
        "every call, and from 32 MB on that means new memory, whose page faults may cost more than the kernel.",
        "",
        f"* {datetime.date.today().isoformat()}, {processor()}, {platform.system()}",
        f"* LossKit {losskit.__version__}, instruction set {losskit.isa_name()}; Python {platform.python_version()}",
        f"* Peers: {versions()}",
        "",
        summary(results),
    ]
    for title, members in sections(results):
        lines += ["", f"## {title}", "", "| " + " | ".join(HEADINGS) + " |", "| --- | --- |" + " ---: |" * 4 + " --- |"]
        lines += ["| " + " | ".join(row(result)) + " |" for result in members]
    return "\n".join(lines) + "\n"


def processor():
    name, caches = platform.machine(), ""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            fields = dict(line.split(":", 1) for line in file.read().split("\n\n")[0].split("\n") if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        name = fields.get("model name", name)
        caches = f", {fields['cache size']} L2 cache" if "cache size" in fields else ""
    except OSError:
        pass
    return f"{name}, {os.cpu_count()} logical processors{caches}"


def versions():
    found = []
    for package in ("numpy", "torch", "torchvision", "torchmetrics", "opencv-python-headless", "scipy", "onnxruntime"):
        try:
            found.append(f"{package} {importlib.metadata.version(package)}")
        except importlib.metadata.PackageNotFoundError:
            pass
    return ", ".join(found)
