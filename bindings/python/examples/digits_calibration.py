"""Trains a small network on handwritten digits, finds it too sure of itself, and repairs that with one number.

Losses, gradients, temperature and calibration error are LossKit's; the rest is a network of two matrices in NumPy. It
learns from few digits for many epochs, as networks with more parameters than data do: it ends up right on every digit
that it has seen, and as confident about those that it has not.
"""

from __future__ import annotations

import sys
from pathlib import Path

import losskit
import losskit.plot
import matplotlib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

matplotlib.use("Agg")
from matplotlib import pyplot  # noqa: E402

TRAINING, VALIDATION, HIDDEN, EPOCHS = 80, 500, 32, 3000


class Network:
    """64 pixels → hidden units (rectified) → 10 classes, trained by gradient descent with momentum."""

    def __init__(self, random: np.random.Generator):
        sizes = (64, HIDDEN), (HIDDEN, 10)
        self.weights = [random.normal(0, np.sqrt(2 / shape[0]), shape).astype(np.float32) for shape in sizes]
        self.speeds = [np.zeros_like(weight) for weight in self.weights]

    def logits(self, pixels: np.ndarray) -> np.ndarray:
        self.hidden = np.maximum(pixels @ self.weights[0], 0)
        return self.hidden @ self.weights[1]

    def learn(self, pixels: np.ndarray, digits: np.ndarray, rate: float = 0.3, momentum: float = 0.9) -> float:
        loss, slope = losskit.cross_entropy(self.logits(pixels), digits, grad=True)
        hidden_slope = slope @ self.weights[1].T * (self.hidden > 0)
        for weight, speed, gradient in zip(
            self.weights, self.speeds, (pixels.T @ hidden_slope, self.hidden.T @ slope)
        ):
            speed *= momentum
            speed -= rate * gradient
            weight += speed
        return float(loss)


def main(folder: Path) -> None:
    pixels, digits = load_digits(return_X_y=True)
    pixels = (pixels / 16).astype(np.float32)
    pixels, rest, digits, rest_digits = train_test_split(
        pixels, digits, train_size=TRAINING, stratify=digits, random_state=7
    )
    validation, test, validation_digits, test_digits = train_test_split(
        rest, rest_digits, train_size=VALIDATION, stratify=rest_digits, random_state=7
    )

    network = Network(np.random.default_rng(7))
    for _ in range(EPOCHS):
        loss = network.learn(pixels, digits)
    temperature, _ = losskit.temperature_scaling_fit(network.logits(validation), validation_digits)

    logits = network.logits(test)
    print(f"Digits: {len(pixels)} to learn from, {len(validation)} to calibrate with, {len(test)} to test on")
    print(f"  loss on the training digits after {EPOCHS} epochs   {loss:.5f}")
    print(f"  temperature that suits the validation digits  {temperature:.3f}")
    print("                             accuracy    NLL     ECE")
    figure, axes = pyplot.subplots(1, 2, figsize=(11, 5.6), layout="constrained")
    for name, scaled, ax in zip(("before", "after"), (logits, logits / np.float32(temperature)), axes):
        probabilities = losskit.softmax(scaled)
        likelihood = losskit.cross_entropy(scaled, test_digits)
        error = losskit.expected_calibration_error(probabilities, test_digits)
        accuracy = np.mean(probabilities.argmax(1) == test_digits)
        print(f"  {name + ' temperature scaling':26} {accuracy:7.1%}   {likelihood:.3f}   {error:.3f}")
        losskit.plot.reliability_diagram(probabilities, test_digits, ax=ax)
        ax.set_title(f"{name} temperature scaling")
    figure.savefig(folder / "digits_calibration.png", dpi=130)
    print(f"  {folder / 'digits_calibration.png'}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "out"))
