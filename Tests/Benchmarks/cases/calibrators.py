"""Post-hoc calibrators."""

import losskit
import numpy as np
from contest import Contest, close, compare


@compare(
    "Calibration", "temperature fit, {}×{}", ((50_000, 1000),),
    peer="torch LBFGS", needs=["temperature_scaling_fit"], target=10, threads=(1, 2),
)  # fmt: skip
def temperature_scaling_fit(rows, classes):
    import torch

    rng = np.random.default_rng(rows)
    logits = rng.normal(0, 2, (rows, classes)).astype(np.float32)
    y = rng.integers(0, classes, rows)
    logits[np.arange(rows), y] += rng.normal(4, 4, rows).astype(np.float32)
    z, target = torch.from_numpy(logits), torch.from_numpy(y)

    def peer():
        """As the calibration papers' code does it; 1/T is convex, and so a fair parameter."""
        beta = torch.ones(1, requires_grad=True)
        optimizer = torch.optim.LBFGS([beta], max_iter=50, line_search_fn="strong_wolfe")

        def closure():
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(z * beta, target)
            loss.backward()
            return loss

        optimizer.step(closure)
        return np.float32(1 / beta.item())

    return Contest(lambda: losskit.temperature_scaling_fit(logits, y)[0], peer, close(1e-3))


@compare(
    "Calibration", "isotonic calibration fit, {}, {}", ((1_000_000, "float32"), (1_000_000, "float64")),
    peer="scikit-learn", needs=["isotonic_calibration_fit"], target=5,
)  # fmt: skip
def isotonic_calibration_fit(count, dtype):
    """The peer gets doubles: in float32 its sums are off by 3e-3."""
    from sklearn.isotonic import IsotonicRegression

    rng = np.random.default_rng(count)
    conf = rng.random(count).astype(dtype)
    doubles = conf.astype(np.float64)
    correct = (rng.random(count) < conf).astype(np.int64)

    def ours():
        x, y = losskit.isotonic_calibration_fit(conf, correct)
        return losskit.isotonic_calibration_apply(conf[:1000], x, y)

    def peer():
        return IsotonicRegression(out_of_bounds="clip").fit(doubles, correct).predict(doubles[:1000])

    return Contest(ours, peer, close(1e-5))


@compare(
    "Calibration", "isotonic regression, {} {}", ((1_000_000, "noisy"), (1_000_000, "sorted")),
    peer="scikit-learn", needs=["isotonic_regression"], target=5,
)  # fmt: skip
def isotonic_regression(count, kind):
    from sklearn.isotonic import isotonic_regression as peer

    values = np.linspace(0, 1, count)
    if kind == "noisy":
        values += np.random.default_rng(count).normal(0, 1, count)
    return Contest(lambda: losskit.isotonic_regression(values), lambda: peer(values), close(1e-9))


@compare("Calibration", "Platt scaling fit, {}", ((1_000_000,),), peer="scikit-learn", needs=["platt_scaling_fit"])
def platt_scaling_fit(count):
    from sklearn.calibration import _sigmoid_calibration

    rng = np.random.default_rng(count)
    scores = rng.normal(0, 2, count)
    y = (rng.random(count) < 1 / (1 + np.exp(-scores))).astype(np.int64)
    return Contest(
        lambda: np.array(losskit.platt_scaling_fit(scores, y)[:2]),
        lambda: -np.array(_sigmoid_calibration(scores, y)),
        close(1e-3),
    )
