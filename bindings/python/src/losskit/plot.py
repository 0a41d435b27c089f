"""Pictures of calibration. Needs matplotlib: ``pip install matplotlib``."""

from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from ._calibration_errors import ReliabilityAccumulator
from ._classification_metrics import average_precision, precision_recall_curve, roc_auc, roc_curve
from ._core import as_array, as_integers, fail
from ._proper_scores import aurc, risk_coverage_curve

__all__ = [
    "calibration_comparison",
    "confidence_histogram",
    "precision_recall_diagram",
    "reliability_diagram",
    "risk_coverage_diagram",
    "roc_diagram",
]

# Two hues that colour-blind eyes tell apart, and greys for all that is not data.
_ACCURACY = "#2f6db3"
_GAP = "#e2703a"
_INK = "#2b2f36"
_FAINT = "#9aa1ab"


def _pyplot() -> Any:
    try:
        from matplotlib import pyplot
    except ImportError as error:
        raise ImportError("losskit.plot needs matplotlib: pip install matplotlib") from error
    return pyplot


def reliability_diagram(probs: Any, y: Any, *, n_bins: int = 15, ax: Any = None) -> Any:
    """Draws a reliability diagram: accuracy over confidence, the gaps between them, and how many samples each bin has.

    Where bars end on the diagonal, a confidence of 80 % is right 80 % of the time. Bars below it are overconfident.

    Parameters
    ----------
    probs : array_like
        Probabilities ``[N, C]``, of which the largest in a row is its confidence; or ``[N]``, that of class 1.
    y : array_like
        Labels.
    n_bins : int
        Number of bins of equal width.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default. A strip with the counts is put below it.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or that of the new figure (``.figure.savefig("reliability.png")``).
    """
    pyplot = _pyplot()
    bins, ece, _ = ReliabilityAccumulator(n_bins).update(probs, y).result()
    if ax is None:
        _, ax = pyplot.subplots(figsize=(5.2, 6.0), layout="constrained")
    is_binary = np.ndim(probs) == 1
    _draw_bars(ax, bins, ece, "share of class 1" if is_binary else "accuracy")
    _draw_counts(ax, bins, "probability of class 1" if is_binary else "confidence")
    return ax


def confidence_histogram(probs: Any, y: Any, *, n_bins: int = 15, ax: Any = None) -> Any:
    """Draws how many samples have which confidence, the right ones and the wrong ones apart.

    Two lines mark the mean confidence and the accuracy: where they coincide, confidence is right on average.

    Parameters
    ----------
    probs : array_like
        Probabilities ``[N, C]``, of which the largest in a row is its confidence; or ``[N]``, that of class 1.
    y : array_like
        Labels.
    n_bins : int
        Number of bins of equal width.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or that of the new figure.
    """
    ax = _axes(ax)
    is_binary = np.ndim(probs) == 1
    (count, conf, acc, edges), _, _ = ReliabilityAccumulator(n_bins).update(probs, y).result()
    hits = np.rint(count * acc)
    bars = {"align": "edge", "edgecolor": "white", "linewidth": 0.8}
    right, wrong = ("class 1", "class 0") if is_binary else ("right", "wrong")
    ax.bar(edges[:-1], hits, np.diff(edges), color=_ACCURACY, label=right, **bars)
    ax.bar(edges[:-1], count - hits, np.diff(edges), bottom=hits, color=_GAP, label=wrong, **bars)
    total = max(int(count.sum()), 1)
    lines = [("share of class 1" if is_binary else "accuracy", hits.sum() / total, "-")]
    lines.append(("mean probability" if is_binary else "mean confidence", (count * conf).sum() / total, (0, (4, 3))))
    for name, value, style in lines:
        if count.any():
            ax.axvline(value, color=_INK, linewidth=1.4, linestyle=style, label=f"{name} {100 * value:.1f} %")
    ax.set(xlim=(0, 1), ylim=(0, max(int(count.max(initial=0)), 1) * 1.08))
    ax.set_xlabel("probability of class 1" if is_binary else "confidence", color=_INK)
    ax.set_ylabel("samples", color=_INK)
    _legend(ax, "best")
    _clean(ax)
    return ax


def roc_diagram(scores: Any, y: Any, *, ax: Any = None) -> Any:
    """Draws the receiver operating characteristic: true over false positive rate, and the area under it.

    Parameters
    ----------
    scores : array_like
        Scores ``[N]`` of class 1 with labels 0 and 1; or ``[N, C]`` with labels of C classes: then there is a faint curve
        for each class against the others, and one for all pairs of sample and class pooled (micro-average).
    y : array_like
        Labels.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or that of the new figure.
    """
    ax = _axes(ax, square=True)
    ax.plot([0, 1], [0, 1], color=_INK, linewidth=1.2, linestyle=(0, (4, 3)), label="chance")

    def draw(scores: Any, y: Any, **style: Any) -> None:
        fpr, tpr, _ = roc_curve(scores, y)
        ax.plot(fpr, tpr, **style)

    _draw_curves("roc_diagram", draw, lambda scores, y: f"AUROC {roc_auc(scores, y):.4f}", scores, y)
    ax.set(xlim=(0, 1), ylim=(0, 1.005))
    ax.set_xlabel("false positive rate", color=_INK)
    ax.set_ylabel("true positive rate", color=_INK)
    _legend(ax, "lower right")
    _clean(ax)
    return ax


def precision_recall_diagram(scores: Any, y: Any, *, ax: Any = None) -> Any:
    """Draws precision over recall, in steps as average precision counts them, and the average precision.

    Parameters
    ----------
    scores : array_like
        Scores ``[N]`` of class 1 with labels 0 and 1; or ``[N, C]`` with labels of C classes, drawn as by
        :func:`roc_diagram`.
    y : array_like
        Labels.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or that of the new figure.
    """
    ax = _axes(ax, square=True)

    def draw(scores: Any, y: Any, **style: Any) -> None:
        precision, recall, _ = precision_recall_curve(scores, y)
        ax.step(recall, precision, where="pre", **style)

    share = _draw_curves(
        "precision_recall_diagram", draw, lambda scores, y: f"average precision {average_precision(scores, y):.4f}",
        scores, y,
    )  # fmt: skip
    ax.axhline(share, color=_INK, linewidth=1.2, linestyle=(0, (4, 3)), label="chance")
    ax.set(xlim=(0, 1), ylim=(0, 1.005))
    ax.set_xlabel("recall", color=_INK)
    ax.set_ylabel("precision", color=_INK)
    _legend(ax, "lower left")
    _clean(ax)
    return ax


def risk_coverage_diagram(probs: Any, y: Any, *, ax: Any = None) -> Any:
    """Draws the error rate among the most confident predictions over their share of all, and the area under it.

    The dashed curve is that of an ideal confidence, which puts all right predictions before the wrong ones.

    Parameters
    ----------
    probs : array_like
        Probabilities ``[N, C]``; or ``[N]``, that of class 1.
    y : array_like
        Labels.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure by default.

    Returns
    -------
    matplotlib.axes.Axes
        ``ax``, or that of the new figure.
    """
    ax = _axes(ax)
    probs, y = as_array(probs, "risk_coverage_diagram"), as_integers("risk_coverage_diagram", "y", y)
    if probs.ndim == 1:
        probs = np.stack([1 - probs, probs], 1)
    wrong = (probs.argmax(1) != y).astype(float)
    if wrong.size:
        confidence = probs.max(1).astype(float)
        ideal, least = risk_coverage_curve(-wrong, wrong)
        ax.plot(ideal, least, color=_INK, linewidth=1.2, linestyle=(0, (4, 3)), label="ideal confidence")
        area, _ = aurc(confidence, wrong)
        ax.plot(*risk_coverage_curve(confidence, wrong), color=_ACCURACY, linewidth=2, label=f"AURC {area:.4f}")
        _legend(ax, "upper left")
    ax.set_xlim(0, 1)
    ax.set_ylim(bottom=0)
    ax.set_xlabel("coverage", color=_INK)
    ax.set_ylabel("error rate", color=_INK)
    _clean(ax)
    return ax


def calibration_comparison(
    before: Any, after: Any, y: Any, *, n_bins: int = 15, titles: Tuple[str, str] = ("before", "after")
) -> Any:
    """Draws two reliability diagrams side by side: before and after calibration.

    Parameters
    ----------
    before : array_like
        Probabilities ``[N, C]`` or ``[N]``.
    after : array_like
        The same after calibration.
    y : array_like
        Labels.
    n_bins : int
        Number of bins of equal width.
    titles : tuple of str
        What stands above the two.

    Returns
    -------
    matplotlib.figure.Figure
        The figure.
    """
    figure, axes = _pyplot().subplots(1, 2, figsize=(10, 6), layout="constrained")
    for ax, probs, title in zip(axes, (before, after), titles):
        reliability_diagram(probs, y, n_bins=n_bins, ax=ax)
        ax.set_title(title, color=_INK, fontweight="bold")
    return figure


def _axes(ax: Any, *, square: bool = False) -> Any:
    """The axes to draw on, those of a new figure if none are given."""
    pyplot = _pyplot()
    if ax is None:
        _, ax = pyplot.subplots(figsize=(5.2, 5.0) if square else (6.2, 4.4), layout="constrained")
    return ax


def _draw_curves(name: str, draw: Any, describe: Any, scores: Any, y: Any) -> float:
    """The curve of one class, or those of all; gives the share of positives."""
    scores, y = as_array(scores, name), as_integers(name, "y", y)
    style = {"color": _ACCURACY, "linewidth": 2.0, "zorder": 3}
    if scores.ndim == 1:
        draw(scores, y, label=describe(scores, y), **style)
        return float(y.mean()) if y.size else 0.0
    if scores.ndim != 2 or y.shape != scores.shape[:1]:
        raise fail("INVALID_SHAPE", name, f"scores has shape {scores.shape}, y {y.shape}")
    classes = scores.shape[1]
    for c in range(classes):
        isolated = {"label": "each class"} if c == 0 else {}
        draw(scores[:, c], y == c, color=_ACCURACY, linewidth=0.8, alpha=0.35, **isolated)
    pooled = scores.ravel(), (y[:, None] == np.arange(classes)).ravel()
    draw(*pooled, label=f"all classes, {describe(*pooled)}", **style)
    return 1 / max(classes, 1)


def _legend(ax: Any, where: str) -> None:
    ax.legend(loc=where, frameon=True, framealpha=0.9, edgecolor="none", fontsize=9)


def _draw_bars(ax: Any, bins: Tuple[np.ndarray, ...], ece: float, height: str) -> None:
    count, conf, acc, edges = bins
    full = count > 0
    ax.plot([0, 1], [0, 1], color=_INK, linewidth=1.2, linestyle=(0, (4, 3)), label="perfect calibration", zorder=3)
    left, width = edges[:-1][full], np.diff(edges)[full]
    if full.any():
        ax.bar(left, acc[full], width, align="edge", color=_ACCURACY, edgecolor="white", linewidth=0.8, label=height)
        ax.bar(
            left,
            np.abs(conf - acc)[full],
            width,
            bottom=np.minimum(conf, acc)[full],
            align="edge",
            facecolor=(_GAP, 0.35),
            edgecolor=_GAP,
            hatch="////",
            linewidth=0.8,
            label="gap to mean confidence",
        )
    ax.set(xlim=(0, 1), ylim=(0, 1))
    ax.set_ylabel(height, color=_INK)
    title = "no samples" if np.isnan(ece) else f"ECE {100 * ece:.2f} %"
    legend = ax.legend(loc="upper left", title=title, frameon=True, framealpha=0.9, edgecolor="none", fontsize=9)
    legend.get_title().set(fontweight="bold", color=_INK)
    legend.set_alignment("left")
    _clean(ax)


def _draw_counts(ax: Any, bins: Tuple[np.ndarray, ...], width: str) -> None:
    count, _, _, edges = bins
    strip = ax.inset_axes((0, -0.27, 1, 0.2), sharex=ax)
    strip.bar(edges[:-1], count, np.diff(edges), align="edge", color=_FAINT, edgecolor="white", linewidth=0.8)
    strip.set_ylim(0, max(int(count.max()), 1) * 1.08)
    strip.set_yticks([count.max()] if count.any() else [], [f"{count.max():,}"] if count.any() else [])
    strip.set_ylabel("samples", color=_INK)
    strip.set_xlabel(width, color=_INK)
    for each in (ax, strip):
        each.yaxis.set_label_coords(-0.14, 0.5)
    ax.tick_params(labelbottom=False)
    _clean(strip)
    strip.grid(False)


def _clean(ax: Any) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(_FAINT)
    ax.tick_params(colors=_INK, labelsize=9, length=3)
    ax.grid(axis="y", color=_FAINT, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)
