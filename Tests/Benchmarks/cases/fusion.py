"""Fusion of three models' boxes."""

import warnings

import losskit
import numpy as np
from contest import MODULES, Contest, compare

MODULES["ensemble-boxes"] = ("ensemble_boxes",)
MODELS = 3


def crowds(count, labels):
    """Boxes of three models around common objects, about nine to an object, in [0, 1]."""
    rng = np.random.default_rng(count)
    objects = np.concatenate([rng.random((count // 9 + 1, 2)), rng.uniform(0.02, 0.1, (count // 9 + 1, 2))], 1)
    chosen = rng.integers(0, len(objects), count)
    corner = objects[chosen, :2] + rng.normal(0, 0.003, (count, 2))
    boxes = np.concatenate([corner, corner + objects[chosen, 2:] * rng.uniform(0.9, 1.1, (count, 2))], 1)
    return np.clip(boxes, 0, 1), rng.random(count), chosen % labels, rng.integers(0, MODELS, count)


def against_ensemble_boxes(name, count, labels, boxes, scores, kinds, models):
    import ensemble_boxes

    parts = [[x[models == m] for m in range(MODELS)] for x in (boxes, scores, kinds)]

    def peer():
        with warnings.catch_warnings():  # it warns of each box that it drops
            warnings.simplefilter("ignore")
            return getattr(ensemble_boxes, name)(*parts)

    def agree(ours, theirs):
        """Its boxes are rounded to single precision: a box at the threshold may go elsewhere."""
        assert abs(len(ours[1]) - len(theirs[1])) <= max(1, count // 1000), f"{len(ours[1])} and {len(theirs[1])} boxes"
        if len(ours[1]) == len(theirs[1]):
            np.testing.assert_allclose(np.sort(ours[1])[::-1], theirs[1], atol=1e-2)

    return Contest(lambda: getattr(losskit, name)(boxes, scores, kinds, models), peer, agree)


@compare(
    "Detection", "Weighted boxes fusion, {} boxes of 3 models, {} labels", ((300, 5), (3000, 20), (10_000, 1)),
    peer="ensemble-boxes", needs=["weighted_boxes_fusion"], target=50,
)  # fmt: skip
def weighted_boxes_fusion(count, labels):
    return against_ensemble_boxes("weighted_boxes_fusion", count, labels, *crowds(count, labels))


@compare(
    "Detection", "Non-maximum weighted, {} boxes of 3 models, {} labels", ((3000, 20),),
    peer="ensemble-boxes", needs=["non_maximum_weighted"],
)  # fmt: skip
def non_maximum_weighted(count, labels):
    return against_ensemble_boxes("non_maximum_weighted", count, labels, *crowds(count, labels))
