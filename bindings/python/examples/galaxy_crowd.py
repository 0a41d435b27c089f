"""Finds galaxies in a crowd, and shows what each way of choosing among overlapping boxes makes of the candidates.

The image is a part of Hubble's eXtreme Deep Field. The detector compares the surroundings of every pixel with
elliptical blobs of five sizes and five shapes; the score of a box is the correlation with its blob. As every detector
does, it finds each galaxy many times. The three colours, seen by themselves, are three models for weighted boxes fusion.
"""

from __future__ import annotations

import sys
from pathlib import Path

import losskit
import numpy as np
from detection_picture import font, side_by_side
from packaged_file import packaged_file
from PIL import Image, ImageDraw
from scipy.ndimage import gaussian_filter, maximum_filter

FIELD = (372, 42, 572, 202)
SIZES, SHAPES = (8, 12, 18, 27, 40), (0.5, 0.71, 1, 1.41, 2)
SIDE = 3.4  # of a box, in standard deviations of its blob
WINDOW = 1.7  # of the surroundings, likewise
SMALLEST_SCORE, FAINTEST = 0.7, 0.7
OVERLAP = 0.2  # what boxes may have in common

SCALE, TITLE, EDGE = 2.4, 34, 4
KEPT, LOWERED, SPARED, CANDIDATE = "#ffe14d", "#e08a2e", "#57e389", "#d8d8d8"
FILTERS = ("#ff4d6a", "#5fd35f", "#5aa9ff")
LEGEND = "yellow: score as it was    orange: lowered score, or not in all filters    green: dropped by hard NMS"


def detect(light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes and scores of the blobs in an image: where the correlation is highest, for each size and shape."""
    light = np.arcsinh(light / 0.1)  # as astronomers do, lest the bright outshine the faint
    boxes, scores = [], []
    for size in SIZES:
        for shape in SHAPES:
            blob = size * np.array([shape**-0.5, shape**0.5]) / SIDE
            window = WINDOW * blob
            # The mean and variance of the blob under a Gaussian window, then of the image, then what they share.
            blob_mean = 1 / (1 + WINDOW**2)
            blob_variance = 1 / (1 + 2 * WINDOW**2) - blob_mean**2
            mean = gaussian_filter(light, window)
            variance = np.maximum(gaussian_filter(light**2, window) - mean**2, 1e-9)
            covariance = blob_mean * (gaussian_filter(light, (blob**-2 + window**-2) ** -0.5) - mean)
            correlation = covariance / np.sqrt(variance * blob_variance)
            found = (correlation == maximum_filter(correlation, 3)) & (correlation > SMALLEST_SCORE)
            found &= covariance / blob_variance > FAINTEST
            centres = np.argwhere(found)[:, ::-1] + 0.5
            half = blob[::-1] * SIDE / 2
            boxes.append(np.concatenate([centres - half, centres + half], 1))
            scores.append(correlation[found])
    return np.concatenate(boxes), np.concatenate(scores)


class Panel:
    """The field under a title, to draw boxes on."""

    def __init__(self, field: Image.Image, title: str):
        width, height = (round(side * SCALE) for side in field.size)
        self.image = Image.new("RGB", (width + 2 * EDGE, height + TITLE + EDGE), "white")
        self.image.paste(field.resize((width, height), Image.Resampling.BICUBIC), (EDGE, TITLE))
        self.pen = ImageDraw.Draw(self.image)
        self.pen.text((self.image.width / 2, TITLE / 2), title, "black", font(15, "-Bold"), anchor="mm")

    def box(self, box: np.ndarray, colour: str, width: int = 2, score: float | None = None) -> None:
        x1, y1, x2, y2 = box * SCALE + (EDGE, TITLE, EDGE, TITLE)
        x1, y1 = max(x1, EDGE), max(y1, TITLE)
        x2, y2 = min(x2, self.image.width - EDGE - 1), min(y2, self.image.height - EDGE - 1)
        self.pen.rectangle((x1, y1, x2, y2), outline=colour, width=width)
        if score is not None:
            self.pen.text((x1 + 1, y1 - 1), f"{score:.2f}".lstrip("0"), colour, font(9), anchor="lb")

    def scored_box(self, box: np.ndarray, score: float, is_lowered: bool) -> None:
        self.box(box, LOWERED if is_lowered else KEPT, 1 if is_lowered else 2, score)


def panels(field: Image.Image) -> list[Panel]:
    pixels = np.asarray(field, np.float64) / 255
    boxes, scores = detect(pixels.mean(2))
    before = Panel(field, f"Before: {len(boxes)} candidates")
    for box in boxes:
        before.box(box, CANDIDATE, 1)

    keep = losskit.nms(boxes, scores, iou_threshold=OVERLAP)
    hard = Panel(field, f"Hard NMS, IoU > {OVERLAP}: {len(keep)}")
    for i in keep:
        hard.scored_box(boxes[i], scores[i], False)

    chosen, lowered = losskit.soft_nms(boxes, scores, method="gaussian", sigma=0.5, score_threshold=0.4)
    soft = Panel(field, f"Soft-NMS, Gaussian, score ≥ 0.4: {len(chosen)}")
    for i, score in zip(chosen[::-1], lowered[::-1]):  # the best on top
        soft.scored_box(boxes[i], score, score < 0.95 * scores[i])

    spared = losskit.diou_nms(boxes, scores, iou_threshold=OVERLAP)
    distance = Panel(field, f"DIoU-NMS, DIoU > {OVERLAP}: {len(spared)}")
    for i in spared:
        distance.box(boxes[i], KEPT if i in keep else SPARED, 2, scores[i])

    parts = []
    for model in range(3):
        found, values = detect(pixels[..., model])
        best = losskit.nms(found, values, iou_threshold=OVERLAP)
        parts.append((found[best], values[best], np.full(len(best), model)))
    found, values, models = (np.concatenate(arrays) for arrays in zip(*parts))
    filters = Panel(field, f"Red, green and blue by themselves: {len(found)}")
    for box, model in zip(found, models):
        filters.box(box, FILTERS[model])

    one_label = np.zeros(len(found), np.int64)
    fused, means, _ = losskit.weighted_boxes_fusion(
        found, values, one_label, models, iou_threshold=2 * OVERLAP, normalized=False
    )
    fusion = Panel(field, f"Weighted boxes fusion of the three: {len(fused)}")
    for box, mean in zip(fused, means):
        fusion.scored_box(box, mean, mean < SMALLEST_SCORE)
    return [before, hard, soft, distance, filters, fusion]


def main(folder: Path) -> None:
    whole = Image.open(packaged_file("skimage", "data", "hubble_deep_field.jpg")).convert("RGB")
    images = [panel.image for panel in panels(whole.crop(FIELD))]
    rows = side_by_side(*images[:3]), side_by_side(*images[3:])
    sheet = Image.new("RGB", (rows[0].width, 2 * rows[0].height + TITLE), "white")
    for place, row in enumerate(rows):
        sheet.paste(row, (0, place * row.height))
    ImageDraw.Draw(sheet).text((sheet.width / 2, sheet.height - TITLE / 2), LEGEND, "black", font(13), anchor="mm")
    sheet.quantize(72, kmeans=2, dither=Image.Dither.NONE).save(folder / "galaxy_crowd.png", optimize=True)
    print(f"Galaxies in a crowd\n  {folder / 'galaxy_crowd.png'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
