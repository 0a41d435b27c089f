"""Draws detections: boxes on the page, their names and scores in the margins, where they hide nothing.

A filled label keeps the network's score; a hollow one was lowered, and says from what to what.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import matplotlib
from PIL import Image, ImageDraw, ImageFont

COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#0e8074", "#9467bd", "#c2429f", "#8c564b", "#5f6b7a", "#b8860b", "#e8601c"]
MARGIN, TOP, ROW = 150, 90, 26


class Detection(NamedTuple):
    box: tuple[float, float, float, float]
    name: str
    colour: int
    score: float  # after suppression
    first_score: float  # what the network said


def font(size: float, style: str = "") -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"DejaVuSans{style}.ttf"), size)


def annotated(page: Image.Image, title: str, detections: list[Detection]) -> Image.Image:
    """The page with its detections, on a wider sheet under a title."""
    sheet = Image.new("RGB", (page.width + 2 * MARGIN, page.height + TOP), "white")
    sheet.paste(page, (MARGIN, TOP))
    pen = ImageDraw.Draw(sheet, "RGBA")
    pen.rectangle((MARGIN, TOP, MARGIN + page.width, TOP + page.height), outline="#cccccc")
    pen.text((sheet.width / 2, TOP / 2), title, "black", font(30, "-Bold"), anchor="mm")
    free = {"left": 0.0, "right": 0.0}  # the first free row of each margin
    for detection in sorted(detections, key=lambda detection: (detection.box[1], detection.box[0])):
        colour = COLOURS[detection.colour]
        x1, y1, x2, y2 = (at + (TOP if axis % 2 else MARGIN) for axis, at in enumerate(detection.box))
        label = f"{detection.name.replace('_', ' ')} {detection.first_score:.2f}"
        lowered = f"{detection.score:.2f}" not in label
        if lowered:
            label += f" → {detection.score:.2f}"
        pen.rectangle((x1, y1, x2, y2), outline=colour, fill=colour + "18", width=2 if lowered else 3)
        side = "left" if x1 + x2 < sheet.width else "right"
        y = max(y1, free[side])
        free[side] = y + ROW + 2
        length = font(17).getlength(label) + 12
        left = 10 if side == "left" else sheet.width - 10 - length
        paper, ink = ("white", colour) if lowered else (colour, "white")
        pen.rounded_rectangle((left, y, left + length, y + ROW), 5, fill=paper, outline=colour, width=2)
        pen.text((left + 6, y + ROW / 2), label, ink, font(17), anchor="lm")
        edge, target = (left + length, x1) if side == "left" else (left, x2)
        pen.line((edge, y + ROW / 2, target, min(max(y + ROW / 2, y1), y2)), colour, 2)
    return sheet


def side_by_side(*pictures: Image.Image) -> Image.Image:
    sheet = Image.new("RGB", (sum(picture.width for picture in pictures), pictures[0].height), "white")
    x = 0
    for picture in pictures:
        sheet.paste(picture, (x, 0))
        x += picture.width
    return sheet
