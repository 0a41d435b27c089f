"""Trains LightGBM and XGBoost with LossKit's focal loss where one class is rare, and compares with their own objective.

The data are the 1797 handwritten digits of scikit-learn. Each digit in turn is the class that is looked for: 60 of its
pictures are kept, drawn at random, among the 1620 or so of the nine other digits, so that one sample in 28 is positive.
Half of them train 100 trees, a sixth calibrates the scores, a third tests. Both objectives begin at the log-odds of the
positives and have the same rounds, rate, depth and penalty. The focal loss has the α = 0.25 of its paper, γ = 1 and a
floor of 0.001 under its Hessian, which may be negative: chosen on other random splits than the ones used here.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

import losskit
import numpy as np
from scipy.special import logit
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, log_loss
from sklearn.model_selection import train_test_split

KEPT, ROUNDS, RATE, DEPTH, PENALTY, LEAST_HESSIAN = 60, 100, 0.1, 3, 1.0, 1e-3

Objective = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def focal(scores: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and Hessian of the focal loss: all that a booster wants to know."""
    return losskit.sigmoid_focal_grad_hess(scores, labels, alpha=0.25, gamma=1.0, min_hess=1e-3)


def train_lightgbm(x: np.ndarray, y: np.ndarray, objective: Objective | None) -> Callable[[np.ndarray], np.ndarray]:
    """LightGBM's raw scores as a function; with its own binary objective if there is no other."""
    import lightgbm

    parameters = dict(learning_rate=RATE, max_depth=DEPTH, num_leaves=2**DEPTH, lambda_l2=PENALTY, min_data_in_leaf=5)
    parameters.update(min_sum_hessian_in_leaf=LEAST_HESSIAN, num_threads=1, deterministic=True, verbose=-1)
    if objective is None:
        parameters["objective"] = "binary"
    else:
        parameters["objective"] = lambda scores, data: objective(scores, data.get_label())
    start = logit(y.mean())
    booster = lightgbm.train(parameters, lightgbm.Dataset(x, y, init_score=np.full(len(y), start)), ROUNDS)
    return lambda x: start + booster.predict(x, raw_score=True)


def train_xgboost(x: np.ndarray, y: np.ndarray, objective: Objective | None) -> Callable[[np.ndarray], np.ndarray]:
    """XGBoost's raw scores as a function; with its own logistic objective if there is no other."""
    import xgboost

    start = logit(y.mean())

    def matrix(x: np.ndarray, y: np.ndarray | None = None) -> xgboost.DMatrix:
        return xgboost.DMatrix(x, y, base_margin=np.full(len(x), start))

    parameters = dict(eta=RATE, max_depth=DEPTH, reg_lambda=PENALTY, min_child_weight=LEAST_HESSIAN, nthread=1)
    parameters["objective"] = "binary:logistic"
    custom = None if objective is None else lambda scores, data: objective(scores, data.get_label())
    booster = xgboost.train(parameters, matrix(x, y), ROUNDS, obj=custom)
    return lambda x: booster.predict(matrix(x), output_margin=True)


BOOSTERS = {"LightGBM": train_lightgbm, "XGBoost": train_xgboost}
OBJECTIVES = {"its own": None, "focal": focal}


def split(digit: int, seed: int) -> list[np.ndarray]:
    """(x, y) to train, calibrate and test with: y is 1 for the digit, of which few are kept."""
    pixels, digits = load_digits(return_X_y=True)
    kept = np.random.default_rng(seed).permutation(np.flatnonzero(digits == digit))[:KEPT]
    chosen = np.concatenate([np.flatnonzero(digits != digit), kept])
    x, y = pixels[chosen], (digits[chosen] == digit).astype(float)
    x, rest, y, rest_y = train_test_split(x, y, train_size=1 / 2, stratify=y, random_state=seed)
    held, test, held_y, test_y = train_test_split(rest, rest_y, train_size=1 / 3, stratify=rest_y, random_state=seed)
    return [x, y, held, held_y, test, test_y]


def compare(booster: str, digits: Iterable[int], seeds: Iterable[int]) -> dict[str, np.ndarray]:
    """For each objective and each digit and seed: average precision, and log-loss after calibration."""
    results: dict[str, list[tuple[float, float]]] = {name: [] for name in OBJECTIVES}
    for digit in digits:
        for seed in seeds:
            x, y, held, held_y, test, test_y = split(digit, seed)
            for name, objective in OBJECTIVES.items():
                scores = BOOSTERS[booster](x, y, objective)
                calibrator = LogisticRegression().fit(scores(held)[:, None], held_y)
                probabilities = calibrator.predict_proba(scores(test)[:, None])[:, 1]
                results[name].append((average_precision_score(test_y, scores(test)), log_loss(test_y, probabilities)))
    return {name: np.array(values) for name, values in results.items()}


def main(seeds: range) -> None:
    print(f"A rare digit among the others: {KEPT} pictures of it, each digit in turn, {len(seeds)} random splits")
    print(f"  {'':10} {'objective':10} average precision   log-loss, calibrated")
    for booster in BOOSTERS:
        results = compare(booster, range(10), seeds)
        for name, values in results.items():
            print(f"  {booster:10} {name:10} {values[:, 0].mean():17.4f} {values[:, 1].mean():22.4f}")
        difference = results["focal"] - results["its own"]
        mean, error = difference.mean(0), difference.std(0, ddof=1) / np.sqrt(len(difference))
        precision, loss = (f"{m:+.4f} ± {e:.4f}" for m, e in zip(mean, error))
        print(f"  {'':10} {'focal − its own':17} {precision} {loss:>22}")


if __name__ == "__main__":
    main(range(10, 10 + int(sys.argv[1] if len(sys.argv) > 1 else 4)))
