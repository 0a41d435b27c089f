"""Pictures of calibration. Needs matplotlib: ``pip install matplotlib``."""

from __future__ import annotations

from typing import Any, Tuple

import numpy as np

from ._calibration_errors import ReliabilityAccumulator

__all__ = ["reliability_diagram"]

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
        each.yaxis.set_label_coords(-0.1, 0.5)
    ax.tick_params(labelbottom=False)
    _clean(strip)
    strip.grid(False)


def _clean(ax: Any) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.spines[["left", "bottom"]].set_color(_FAINT)
    ax.tick_params(colors=_INK, labelsize=9, length=3)
    ax.grid(axis="y", color=_FAINT, alpha=0.25, linewidth=0.6)
    ax.set_axisbelow(True)
