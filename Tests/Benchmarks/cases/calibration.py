"""Calibration metrics."""

import losskit
import numpy as np
from contest import Contest, close, compare


@compare(
    "Calibration", "expected calibration error, {}×{}", ((1_000_000, 10),),
    peer="torchmetrics", needs=["expected_calibration_error"], target=10, threads=(1, 2),
)  # fmt: skip
def expected_calibration_error(rows, classes):
    import torch
    from torchmetrics.functional.classification import multiclass_calibration_error

    rng = np.random.default_rng(rows)
    probs = rng.standard_gamma(0.5, (rows, classes)).astype(np.float32)
    probs /= probs.sum(1, keepdims=True)
    y = rng.integers(0, classes, rows)
    tensors = torch.from_numpy(probs), torch.from_numpy(y)

    def peer():
        return multiclass_calibration_error(*tensors, num_classes=classes, n_bins=15, norm="l1", validate_args=False)

    return Contest(lambda: losskit.expected_calibration_error(probs, y, n_bins=15), peer, close(1e-4))
