"""Typesets a page of a paper, so that the document detector has something realistic to look at.

Everything on it comes from packages that are installed anyway: matplotlib's fonts, formula and sample photograph.
"""

from __future__ import annotations

import io
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib import pyplot
from PIL import Image, ImageDraw, ImageFont

matplotlib.use("Agg")
WIDTH, HEIGHT = 1216, 1600  # twice the detector's input, the same proportions
MARGIN, GUTTER = 104, 40
COLUMN = (WIDTH - 2 * MARGIN - GUTTER) // 2
DATA = Path(matplotlib.get_data_path())

INTRODUCTION = """A detector scores thousands of candidate boxes and most of them repeat one another. Something has to
choose. The usual choice is greedy: take the best box, remove every other box that overlaps it by more than a threshold,
and go on with what is left. The rule is short, fast and harsh. Where two objects truly overlap, the weaker one is lost,
however sure the detector was of it."""
SOFTER = """Soft suppression removes nothing. Each box that overlaps the chosen one loses a part of its score, more
where the overlap is greater, and a single threshold at the end decides what a user gets to see. A neighbour that was
very likely real survives with a lower score; a duplicate sinks to the bottom of the list."""
LINEAR = """With the Gaussian form of the decay there is no threshold on the overlap at all. A box of score s that
overlaps the chosen box M keeps"""
SIGMA = """where the width of the bell says how patient we are. A small width comes close to the greedy rule, and a
large one leaves the list as the network wrote it."""
PAGES = """Pages of text are a good place to watch the difference. Captions lie close under their figures, titles
touch the paragraphs that they announce, and a table is also, if one insists, a block of text. Three readings of one
region then compete, and the detector is asked to be decided about something that is not."""
RESULTS = """Figure 2 and Table 1 say how much of its score a box keeps beside a better one. The greedy rule
knows all or nothing. The linear one leaps where it begins, and the Gaussian never does."""
CLOSING = """A score that was lowered is still a statement of belief, and it can be checked like any other: of all
the boxes that carry a score near 0.8, four in five should be right. Most networks promise more than that. A diagram of
confidence against accuracy shows by how much, and one temperature, fitted on pages that were kept aside, repairs the
greater part of it [3]."""
REFERENCES = [
    "[1] N. Bodla, B. Singh, R. Chellappa, L. Davis. Soft-NMS: improving object detection with one "
    "line of code. ICCV, 2017.",
    "[2] X. Li, W. Wang, L. Wu et al. Generalized focal loss: learning qualified and "
    "distributed bounding boxes. NeurIPS, 2020.",
    "[3] C. Guo, G. Pleiss, Y. Sun, K. Weinberger. On calibration of modern neural networks. ICML, 2017.",
    "[4] G. Yu, Q. Chang, W. Lv et al. PP-PicoDet: a better real-time object detector on mobile devices. 2021.",
]
DECAY = r"$s \; \leftarrow \; s \, \exp\left(-\,\mathrm{IoU}(M, b)^2 \,/\, \sigma\right)$"
OVERLAPS = (0.2, 0.4, 0.6, 0.8)
RULES = {
    "greedy, 0.5": lambda overlap: np.where(overlap > 0.5, 0, 1),
    "linear, 0.3": lambda overlap: np.where(overlap > 0.3, 1 - overlap, 1),
    "Gaussian, 0.2": lambda overlap: np.exp(-(overlap**2) / 0.2),
    "Gaussian, 0.5": lambda overlap: np.exp(-(overlap**2) / 0.5),
    "Gaussian, 1.0": lambda overlap: np.exp(-(overlap**2)),
}


def font(size: float, style: str = "") -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(DATA / "fonts" / "ttf" / f"STIXGeneral{style}.ttf"), size)


class Page:
    """A white sheet with a pen; every method returns the y coordinate below what it has set."""

    def __init__(self) -> None:
        self.image = Image.new("RGB", (WIDTH, HEIGHT), "white")
        self.pen = ImageDraw.Draw(self.image)

    def line(self, x: float, y: float, text: str, face: ImageFont.FreeTypeFont, anchor: str = "la") -> float:
        self.pen.text((x, y), text, "black", face, anchor=anchor)
        return y + 1.2 * face.size

    def paragraph(self, x: float, y: float, text: str, size: float = 21, indent: float = 0) -> float:
        """A column of justified text; ``indent`` moves the first line in, or the others if it is negative."""
        face, words = font(size), text.split()
        left = x + max(indent, 0)
        while words:
            room = x + COLUMN - left
            count = max(n for n in range(1, len(words) + 1) if n == 1 or face.getlength(" ".join(words[:n])) <= room)
            row, words = words[:count], words[count:]
            lengths = [face.getlength(word) for word in row]
            space = (room - sum(lengths)) / max(len(row) - 1, 1) if words else face.getlength(" ")
            for word, length in zip(row, lengths):
                self.line(left, y, word, face)
                left += length + space
            y, left = y + 1.22 * size, x + max(-indent, 0)
        return y

    def heading(self, x: float, y: float, text: str) -> float:
        return self.line(x, y + 14, text, font(25, "Bol")) + 8

    def picture(self, x: float, y: float, picture: Image.Image) -> float:
        self.image.paste(picture, (round(x), round(y)))
        return y + picture.height

    def table(self, x: float, y: float, rows: list[tuple[str, ...]]) -> float:
        stops = [x + 12, *np.linspace(x + 0.5 * COLUMN, x + COLUMN - 12, len(rows[0]) - 1)]
        for number, row in enumerate(rows):
            if number < 2:
                self.pen.line((x, y, x + COLUMN, y), "black", 3 - number)
            for stop, cell in zip(stops, row):
                self.line(stop, y + 6, cell, font(20, "" if number else "Bol"), "la" if stop == stops[0] else "ra")
            y += 34
        self.pen.line((x, y, x + COLUMN, y), "black", 3)
        return y + 8


def drawn(figure: pyplot.Figure) -> Image.Image:
    """A matplotlib figure as a Pillow image."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=100)
    pyplot.close(figure)
    return Image.open(buffer).convert("RGB")


def formula(text: str) -> Image.Image:
    with matplotlib.rc_context({"mathtext.fontset": "stix"}):
        figure = pyplot.figure(figsize=(COLUMN / 100, 0.7))
        figure.text(0.46, 0.5, text, size=19, ha="center", va="center")
        figure.text(0.98, 0.5, "(1)", size=15, ha="right", va="center", family="STIXGeneral")
        return drawn(figure)


def decay_plot() -> Image.Image:
    overlap = np.linspace(0, 1, 501)
    figure, axes = pyplot.subplots(figsize=(COLUMN / 100, 2.8), layout="constrained")
    for rule, style in ("greedy, 0.5", "--"), ("linear, 0.3", "-."), ("Gaussian, 0.5", "-"):
        axes.plot(overlap, RULES[rule](overlap), style, label=rule)
    axes.set(xlabel="overlap with the chosen box", ylabel="score kept")
    axes.grid(alpha=0.3)
    axes.legend()
    return drawn(figure)


def typeset() -> Image.Image:
    """The page, as an RGB image of 1216 × 1600 pixels."""
    page, left, right = Page(), MARGIN, MARGIN + COLUMN + GUTTER
    page.line(left, 52, "Notes on Detection, Vol. 7 (2026)", font(18, "Italic"))
    page.line(WIDTH - MARGIN, 52, "Softer suppression for crowded pages", font(18, "Italic"), "ra")
    page.pen.line((left, 80, WIDTH - MARGIN, 80), "black", 1)
    page.line(WIDTH / 2, 116, "Softer Suppression for Crowded Pages", font(46, "Bol"), "ma")
    page.line(WIDTH / 2, 184, "A short study of greedy and gentle ways to choose among boxes", font(24, "Italic"), "ma")

    y = page.heading(left, 232, "1  Introduction")
    y = page.paragraph(left, y, INTRODUCTION)
    y = page.paragraph(left, y, SOFTER, indent=24) + 14
    portrait = Image.open(DATA / "sample_data" / "grace_hopper.jpg").convert("RGB")
    portrait = portrait.crop((0, 20, portrait.width, 420)).resize((400, 313))
    y = page.picture(left + (COLUMN - 400) / 2, y, portrait) + 10
    y = page.paragraph(left, y, "Figure 1: A portrait. It has one object, and every rule agrees on it.", 18) + 10
    y = page.heading(left, y, "2  The Gaussian decay")
    y = page.paragraph(left, y, LINEAR)
    y = page.picture(left, y, formula(DECAY))
    y = page.paragraph(left, y, SIGMA)
    y = page.paragraph(left, y, PAGES, indent=24)

    y = page.picture(right, 244, decay_plot()) + 8
    y = page.paragraph(right, y, "Figure 2: What a box keeps of its score under the three rules.", 18) + 6
    y = page.heading(right, y, "3  Results")
    y = page.paragraph(right, y, RESULTS) + 18
    y = page.paragraph(right, y, "Table 1: Part of the score kept at four overlaps, by rule.", 18) + 4
    kept = [(rule, *(f"{decay(overlap):.2f}" for overlap in OVERLAPS)) for rule, decay in RULES.items()]
    y = page.table(right, y, [("Rule", *map(str, OVERLAPS)), *kept]) + 6
    y = page.heading(right, y, "4  Are the scores honest?")
    y = page.paragraph(right, y, CLOSING)
    y = page.heading(right, y, "References")
    for reference in REFERENCES:
        y = page.paragraph(right, y, reference, 17, indent=-26) + 4
    page.line(WIDTH / 2, HEIGHT - 62, "41", font(18), "ma")
    return page.image
