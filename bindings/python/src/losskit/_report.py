"""The report of ``python -m losskit calibrate``: measures, calibrators and pictures of one file of predictions."""

from __future__ import annotations

import json
import math
import warnings
import zipfile
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

import numpy as np

from . import _calibration_errors, _calibrators, _classification_metrics, _proper_scores, _softmax


class ReportError(ValueError):
    """A file that no report can be made of; the message says why."""


class Predictions(NamedTuple):
    """Logits ``[N, C]``, the probabilities that were given or follow from them, ``[N, C]`` or ``[N]``, and labels."""

    logits: np.ndarray
    probs: np.ndarray
    y: np.ndarray

    def select(self, rows: np.ndarray) -> Predictions:
        return Predictions(self.logits[rows], self.probs[rows], self.y[rows])


# --- Reading ---------------------------------------------------------------------------------------------------------


def load(path: Path) -> Predictions:
    """Reads ``logits`` or ``probs``, and ``y``, from a ``.npz`` file."""
    arrays = _read(path)
    if "y" not in arrays:
        raise ReportError(f"{path} has no array y (labels); it has {_listed(arrays)}")
    if ("logits" in arrays) == ("probs" in arrays):
        raise ReportError(f"{path} must have either an array probs or an array logits; it has {_listed(arrays)}")
    what = "logits" if "logits" in arrays else "probs"
    scores, y = arrays[what], arrays["y"]
    _check(what, scores, y)
    if what == "logits":
        # A single logit is that of class 1 against class 0.
        logits = scores if scores.ndim == 2 else np.stack([np.zeros_like(scores), scores], 1)
        probs = _softmax.softmax(logits)
        return Predictions(logits, probs if scores.ndim == 2 else probs[:, 1], y)
    if scores.ndim == 2:
        return Predictions(np.log(np.maximum(scores, 1e-12)), scores, y)
    clipped = np.clip(scores.astype(np.float64), 1e-12, 1 - 1e-12)
    log_odds = np.log(clipped) - np.log1p(-clipped)
    return Predictions(np.stack([np.zeros_like(log_odds), log_odds], 1), scores, y)


def _read(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        raise ReportError(f"{path}: no such file")
    try:
        archive = np.load(path, allow_pickle=False)
        if isinstance(archive, np.ndarray):
            raise ReportError(f"{path} is one array, not a .npz file of several (numpy.savez)")
        with archive:
            return {name: archive[name] for name in archive.files}
    except ReportError:
        raise
    except (ValueError, OSError, EOFError, KeyError, zipfile.BadZipFile) as error:
        raise ReportError(f"{path} is not a readable .npz file: {error}") from error


def _listed(arrays: dict[str, np.ndarray]) -> str:
    return ", ".join(f"{name}{list(array.shape)}" for name, array in sorted(arrays.items())) or "none"


def _check(what: str, scores: np.ndarray, y: np.ndarray) -> None:
    if scores.dtype.kind not in "fiu":
        raise ReportError(f"{what} holds {scores.dtype}, not real numbers")
    if scores.ndim not in (1, 2) or (scores.ndim == 2 and scores.shape[1] < 2):
        raise ReportError(f"{what} has shape {scores.shape}, expected [N, C] with C >= 2, or [N]")
    if y.dtype.kind not in "iub":
        raise ReportError(f"y holds {y.dtype}, not integer labels")
    if y.shape != scores.shape[:1]:
        raise ReportError(f"y has shape {y.shape}, but {what} has {scores.shape[0]} rows")
    if len(y) < 4:
        raise ReportError(f"{len(y)} samples are too few: half of them fit, half of them test")
    classes = scores.shape[1] if scores.ndim == 2 else 2
    if y.min() < 0 or y.max() >= classes:
        bad = int(np.argmax((y < 0) | (y >= classes)))
        raise ReportError(f"y[{bad}] is {y[bad]}, expected a label from 0 to {classes - 1}")
    good = np.isfinite(scores) if what == "logits" else (scores >= 0) & (scores <= 1)
    if not good.all():
        index = tuple(map(int, np.argwhere(~good)[0]))
        wanted = "a finite number" if what == "logits" else "a probability in [0, 1]"
        raise ReportError(f"{what}{list(index)} is {scores[index]}, expected {wanted}")


# --- Calibrators -----------------------------------------------------------------------------------------------------


class Calibrator(NamedTuple):
    """What a fit came to, for the JSON, and how it is applied."""

    parameters: dict[str, Any]
    apply: Callable[[Predictions], np.ndarray]


def _shaped(probs: np.ndarray, like: Predictions) -> np.ndarray:
    return probs[:, 1] if like.probs.ndim == 1 else probs


def _temperature(data: Predictions) -> Calibrator:
    temperature, _ = _calibrators.temperature_scaling_fit(data.logits, data.y)
    return Calibrator(
        {"temperature": float(temperature)}, lambda data: _shaped(_softmax.softmax(data.logits / temperature), data)
    )


def _vector(data: Predictions) -> Calibrator:
    w, b, _ = _calibrators.vector_scaling_fit(data.logits, data.y)
    return Calibrator(
        {"w": w.tolist(), "b": b.tolist()}, lambda data: _shaped(_softmax.softmax(data.logits * w + b), data)
    )


def _isotonic(data: Predictions) -> Calibrator:
    """Binary: a map of the probability. Else one map for each class against the others, and the results normalised."""

    def fit(probs: np.ndarray, hits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return _calibrators.isotonic_calibration_fit(probs, hits.astype(np.int64))

    if data.probs.ndim == 1:
        maps = [fit(data.probs, data.y == 1)]
    else:
        maps = [fit(np.ascontiguousarray(column), data.y == c) for c, column in enumerate(data.probs.T)]

    def apply(data: Predictions) -> np.ndarray:
        if data.probs.ndim == 1:
            return _calibrators.isotonic_calibration_apply(data.probs, *maps[0])
        columns = [_calibrators.isotonic_calibration_apply(p, *knots) for p, knots in zip(data.probs.T, maps)]
        probs = np.stack(columns, 1)
        total = probs.sum(1, keepdims=True)
        # Where no class has any probability left, what was given is all that is known.
        return np.clip(np.where(total > 0, probs / np.where(total > 0, total, 1), data.probs), 0, 1)

    return Calibrator({"knots": [{"x": x.tolist(), "y": y.tolist()} for x, y in maps]}, apply)


CALIBRATORS: dict[str, Callable[[Predictions], Calibrator]] = {
    "temperature": _temperature,
    "vector": _vector,
    "isotonic": _isotonic,
}


# --- Measures --------------------------------------------------------------------------------------------------------


def measures(probs: np.ndarray, y: np.ndarray, n_bins: int) -> dict[str, float]:
    """The table's numbers of one set of probabilities."""
    is_binary = probs.ndim == 1
    rows = np.stack([1 - probs, probs], 1) if is_binary else probs
    wrong = (rows.argmax(1) != y).astype(np.float64)
    auroc = _classification_metrics.roc_auc if is_binary else _classification_metrics.roc_auc_multiclass
    results = {
        "accuracy": 1 - wrong.mean(),
        "NLL": _proper_scores.log_loss(probs, y),
        "Brier": _proper_scores.brier_score(probs, y),
        "ECE": _calibration_errors.expected_calibration_error(probs, y, n_bins=n_bins),
        "MCE": _calibration_errors.maximum_calibration_error(probs, y, n_bins=n_bins),
        "class-wise ECE": _calibration_errors.static_calibration_error(probs, y, n_bins=n_bins),
        "ACE": _calibration_errors.adaptive_calibration_error(probs, y, n_ranges=n_bins),
        "KS": _calibration_errors.ks_calibration_error(probs, y),
        "AUROC": auroc(probs, y),
        "AURC": _proper_scores.aurc(rows.max(1).astype(np.float64), wrong)[0],
    }
    return {name: float(value) for name, value in results.items()}


def format_table(columns: dict[str, dict[str, float]]) -> str:
    """Measures in rows, calibrators in columns."""
    names = list(next(iter(columns.values())))
    width = max(map(len, names))
    lines = [" " * width + "".join(f"  {column:>12}" for column in columns)]
    for name in names:
        values = (columns[column][name] for column in columns)
        lines.append(f"{name:<{width}}" + "".join(f"  {value:>12.6f}" for value in values))
    return "\n".join(lines)


# --- The report ------------------------------------------------------------------------------------------------------


def calibrate(
    path: Path, report: Optional[Path], *, n_bins: int = 15, split: float = 0.5, seed: int = 0, echo: Any = print
) -> dict[str, Any]:
    """Measures the predictions of a file, fits calibrators on a part of them, and measures these on the rest.

    Prints the table; with ``report`` writes ``report.json`` and, if matplotlib is installed, pictures to that folder.
    Returns what the JSON holds.
    """
    data = load(path)
    order = np.random.default_rng(seed).permutation(len(data.y))
    fitted = min(max(int(round(split * len(order))), 1), len(order) - 1)
    fit, test = data.select(np.sort(order[:fitted])), data.select(np.sort(order[fitted:]))
    columns, parameters, notes, after = {"uncalibrated": measures(test.probs, test.y, n_bins)}, {}, [], {}
    for name, make in CALIBRATORS.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            calibrator = make(fit)
        notes += [str(warning.message) for warning in caught]
        after[name] = calibrator.apply(test)
        columns[name] = measures(after[name], test.y, n_bins)
        parameters[name] = calibrator.parameters
    classes = data.logits.shape[1]
    echo(f"{path}: {len(data.y):,} samples of {classes} classes; {len(fit.y):,} to fit, {len(test.y):,} to test\n")
    echo(format_table(columns))
    for note in notes:
        echo(f"\nnote: {note}")
    result = {
        "file": str(path),
        "samples": len(data.y),
        "classes": classes,
        "fit_samples": len(fit.y),
        "test_samples": len(test.y),
        "bins": n_bins,
        "seed": seed,
        "measures": columns,
        "calibrators": parameters,
        "notes": notes,
    }
    if report is not None:
        best = min(after, key=lambda name: columns[name]["NLL"])
        pictures = _write(report, result, test, after[best], best, n_bins)
        echo(f"\n{report}: report.json" + "".join(f", {name}" for name in pictures))
        if not pictures:
            echo("no pictures: matplotlib is not installed (pip install matplotlib)")
    return result


def _write(
    folder: Path, result: dict[str, Any], test: Predictions, after: np.ndarray, best: str, n_bins: int
) -> list[str]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.json").write_text(json.dumps(_without_nan(result), indent=2) + "\n", encoding="utf-8")
        return _draw(folder, test, after, best, n_bins)
    except OSError as error:
        raise ReportError(f"cannot write to {folder}: {error}") from error


def _without_nan(value: Any) -> Any:
    """NaN and infinities, which JSON does not know, as null."""
    if isinstance(value, dict):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _draw(folder: Path, test: Predictions, after: np.ndarray, best: str, n_bins: int) -> list[str]:
    try:
        import matplotlib
    except ImportError:
        return []
    matplotlib.use("Agg")  # files, no windows
    from matplotlib import pyplot

    from . import plot

    titles = ("uncalibrated", f"{best} calibration")
    pictures = {
        "reliability.png": lambda: plot.reliability_diagram(test.probs, test.y, n_bins=n_bins),
        "confidence.png": lambda: plot.confidence_histogram(test.probs, test.y, n_bins=n_bins),
        "roc.png": lambda: plot.roc_diagram(test.probs, test.y),
        "precision_recall.png": lambda: plot.precision_recall_diagram(test.probs, test.y),
        "risk_coverage.png": lambda: plot.risk_coverage_diagram(test.probs, test.y),
        "before_after.png": lambda: plot.calibration_comparison(
            test.probs, after, test.y, n_bins=n_bins, titles=titles
        ),
    }
    for name, draw in pictures.items():
        drawn = draw()
        figure = getattr(drawn, "figure", None) or drawn
        figure.savefig(folder / name, dpi=150)
        pyplot.close(figure)
    return list(pictures)


