"""Calibration errors and proper scores. What torchmetrics lacks (Brier score, log loss) is written in torch's terms."""

import losskit
import numpy as np
from contest import Contest, close, compare


def labelled(rows, classes):
    rng = np.random.default_rng(rows)
    probs = rng.standard_gamma(0.5, (rows, classes)).astype(np.float32)
    probs /= probs.sum(1, keepdims=True)
    return probs, rng.integers(0, classes, rows)


def torchmetrics_error(norm):
    """The contest of an error with 15 bins against torchmetrics."""

    def prepare(function, rows, classes):
        import torch
        from torchmetrics.functional.classification import multiclass_calibration_error

        probs, y = labelled(rows, classes)
        tensors = torch.from_numpy(probs), torch.from_numpy(y)

        def peer():
            return multiclass_calibration_error(*tensors, num_classes=classes, n_bins=15, norm=norm, validate_args=False)

        return Contest(lambda: function(probs, y, n_bins=15), peer, close(1e-4))

    return prepare


@compare(
    "Calibration", "expected calibration error, {}×{}", ((1_000_000, 10),),
    peer="torchmetrics", needs=["expected_calibration_error"], target=10, threads=(1, 2),
)  # fmt: skip
def expected_calibration_error(rows, classes):
    return torchmetrics_error("l1")(losskit.expected_calibration_error, rows, classes)


@compare(
    "Calibration", "maximum calibration error, {}×{}", ((1_000_000, 10),),
    peer="torchmetrics", needs=["maximum_calibration_error"], target=10,
)  # fmt: skip
def maximum_calibration_error(rows, classes):
    return torchmetrics_error("max")(losskit.maximum_calibration_error, rows, classes)


@compare(
    "Calibration", "Brier score, {}×{}", ((1_000_000, 10),),
    peer="torch", needs=["brier_score"], target=10,
)  # fmt: skip
def brier_score(rows, classes):
    import torch

    probs, y = labelled(rows, classes)
    p, t = torch.from_numpy(probs), torch.from_numpy(y)

    def peer():
        return (p - torch.nn.functional.one_hot(t, classes)).square().sum(1).mean()

    return Contest(lambda: losskit.brier_score(probs, y), peer, close(1e-5))


@compare(
    "Calibration", "log loss, {}×{}", ((1_000_000, 10),),
    peer="torch", needs=["log_loss"], target=10,
)  # fmt: skip
def log_loss(rows, classes):
    import torch

    probs, y = labelled(rows, classes)
    p, t = torch.from_numpy(probs), torch.from_numpy(y)

    def peer():  # as most training loops have it: all logarithms, then those of the labels
        return torch.nn.functional.nll_loss(p.clamp(min=1e-12).log(), t)

    return Contest(lambda: losskit.log_loss(probs, y), peer, close(1e-5))


@compare(
    "Calibration", "KS calibration error, {}×{}", ((1_000_000, 10),),
    peer="NumPy (as spline-calibration)", needs=["ks_calibration_error"], target=10,
)  # fmt: skip
def ks_calibration_error(rows, classes):
    probs, y = labelled(rows, classes)

    def peer():  # the steps of its KS.py: the top class of sorted rows, scores sorted, sums compared
        order = np.argsort(probs, axis=1)
        top = order[:, -1]
        scores, hits = np.take_along_axis(probs, top[:, None], 1)[:, 0], top == y
        order = np.argsort(scores)
        scores, hits = scores[order], hits[order]
        return np.abs(np.cumsum(scores / rows, dtype=np.float64) - np.cumsum(hits / rows)).max()

    return Contest(lambda: losskit.ks_calibration_error(probs, y), peer, close(1e-4))


@compare(
    "Calibration", "average calibration error (ACE), {}×{}", ((1_000_000, 10),),
    peer="netcal", needs=["average_calibration_error"], target=10,
)  # fmt: skip
def average_calibration_error(rows, classes):
    from netcal.metrics import ACE

    probs, y = labelled(rows, classes)
    return Contest(
        lambda: losskit.average_calibration_error(probs, y, n_bins=15), lambda: ACE(15).measure(probs, y), close(1e-4)
    )


@compare(
    "Calibration", "adaptive calibration error (ACE of Nixon et al.), {}×{}", ((1_000_000, 10),),
    peer="NumPy", needs=["adaptive_calibration_error"], target=10,
)  # fmt: skip
def adaptive_calibration_error(rows, classes):
    probs, y = labelled(rows, classes)

    def peer():
        total = 0.0
        for k in range(classes):
            order = np.argsort(probs[:, k], kind="stable")
            conf, hit = probs[order, k].astype(np.float64), y[order] == k
            total += sum(abs(c.mean() - h.mean()) for c, h in zip(np.array_split(conf, 15), np.array_split(hit, 15)))
        return total / (15 * classes)

    return Contest(lambda: losskit.adaptive_calibration_error(probs, y), peer, close(1e-3))
