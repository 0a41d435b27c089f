"""Every loss of rows against LossKit's own cross-entropy: value and gradient of the same logits, output given.

A loss that costs about as much as cross-entropy shows that the engine does the work. The goal is 1.5 times its cost.
"""

import math

import losskit
import numpy as np
from contest import Contest, compare
from losskit import _core

# What stands between the shape and the reduction in the C call, by name; what is not here is null.
VALUES = {
    "alpha": 1.5, "beta": 1.0, "eps": 1e-6, "epsilon": 1.0, "fraction": 0.4, "gamma": 2.0, "ignore_index": -100, "k": 1,
    "label_smoothing": 0.0, "lam": 0.4, "log_end": 0.75, "log_zero": math.log(1e-4), "m": 1.0, "margin": 1.0, "n": 2,
    "p": 1, "q": 0.7, "tau": 1.7, "a": 1.0, "b": 0.0, "active": "nce", "passive": "mae", "reduced": True,
    "power": "linear", "penalty": 1.0, "regularizer": "none", "weight_count": 0, "normalize": True, "detach_modulator": False,
    "epsilons": np.array([1.0, 0.5]), "alphas": np.array([1.0, 0.5]),
}  # fmt: skip

# Losses, and the values in which they differ from the above.
LOSSES = {
    "active_passive_loss": dict(alpha=1.0, gamma=0.5),
    "brier_loss": {},
    "categorical_hinge": {},
    "comp_sum_loss": {},
    "cross_entropy_from_probs": dict(eps=1e-7),
    "crammer_singer_loss": {},
    "encouraging_loss": dict(eps=1e-5),
    "entmax15_loss": {},
    "entmax_loss": {},
    "focal_loss": dict(alpha=None),
    "generalized_cross_entropy": dict(k=0.0),
    "legendretron_loss": {},
    "llw_hinge_loss": {},
    "log_spherical_softmax_loss": {},
    "log_taylor_softmax_loss": {},
    "mae_softmax_loss": {},
    "multi_margin_loss": {},
    "multiclass_perceptron_loss": {},
    "nll_loss": {},
    "normalized_cross_entropy": {},
    "normalized_focal_loss": dict(gamma=0.5),
    "normalized_generalized_cross_entropy": {},
    "normalized_mae_loss": {},
    "normalized_reverse_cross_entropy": {},
    "normmax_loss": dict(alpha=2.0),
    "one_vs_rest_svm_loss": {},
    "ovr_loss": {},
    "poly1_cross_entropy": {},
    "poly1_focal_loss": dict(alpha=None),
    "poly_loss": {},
    "poly_n_cross_entropy": {},
    "rescaled_square_loss": {},
    "reverse_cross_entropy": {},
    "router_z_loss": {},
    "sovr_loss": {},
    "sparse_softmax_loss": dict(k=10),
    "sparsemax_loss": {},
    "spherical_score_loss": {},
    "squentropy_loss": {},
    "stablemax_cross_entropy": {},
    "sum_exponential_loss": {},
    "symmetric_cross_entropy": dict(alpha=0.1),
    "z_loss": dict(eps=1e-12),
}


def call_of(name, z, y, values):
    """A call of the C function that writes into arrays of its own."""
    outputs = dict(loss=np.zeros((), z.dtype), grad=_core.empty(z.shape, z.dtype))
    given = {**VALUES, **values, **outputs, "target": y, "y": y, "reduction": "mean", "sample_weight": None}
    given.update(outer=len(z), classes=z.shape[1], inner=1)
    parameters = [parameter for parameter, _ in _core._prototypes.FUNCTIONS[name][1]]
    # The first array is the logits, whatever the function calls them.
    arguments = [z, *(given.get(parameter) for parameter in parameters[1:])]

    def call():
        _core.call(name, z.dtype, *arguments)
        return outputs["loss"], outputs["grad"]

    return call


def finite(ours, _):
    assert all(np.isfinite(result).all() for result in ours), "a result that is not finite"


for loss, differing in LOSSES.items():

    @compare(
        "Row losses against cross-entropy", loss + ", value and gradient, {}×{}", ((8192, 1000), (65536, 80)),
        peer="LossKit's cross_entropy", needs=[loss, "cross_entropy"], target=round(1 / 1.5, 2),
    )  # fmt: skip
    def row_loss(rows, classes, loss=loss, differing=differing):
        rng = np.random.default_rng(rows)
        z = (rng.standard_normal((rows, classes)) * 3).astype(np.float32)
        y = rng.integers(0, classes, rows)
        if loss == "cross_entropy_from_probs":
            z = losskit.softmax(z)
        peer = call_of("cross_entropy", z, y, {})
        return Contest(call_of(loss, z, y, differing), peer, finite)
