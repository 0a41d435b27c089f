"""The command line: ``python -m losskit calibrate predictions.npz --report out/``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Optional

from ._core import LossKitError
from ._report import ReportError, calibrate


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not between 0 and 1")
    return value


def _bins(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} is not between 1 and 10000")
    return value


def main(arguments: Optional[list[str]] = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m losskit", description="Tools for predictions in files.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    command = commands.add_parser(
        "calibrate",
        help="measure how well predictions are calibrated, and calibrate them",
        description="Prints calibration measures of the predictions before and after temperature, vector and isotonic "
        "calibration, fitted on a part of the samples and measured on the others.",
    )
    command.add_argument("file", type=Path, help=".npz file with arrays logits or probs, [N, C] or [N], and y, [N]")
    command.add_argument("--report", type=Path, metavar="FOLDER", help="write report.json and pictures to this folder")
    command.add_argument("--bins", type=_bins, default=15, help="bins of the errors and diagrams (15)")
    command.add_argument("--split", type=_fraction, default=0.5, help="share of the samples that calibrators see (0.5)")
    command.add_argument("--seed", type=int, default=0, help="of the random split (0)")
    options = parser.parse_args(arguments)
    if options.seed < 0:
        parser.error("--seed must not be negative")
    try:
        calibrate(options.file, options.report, n_bins=options.bins, split=options.split, seed=options.seed)
    except (ReportError, LossKitError) as error:
        print(f"losskit: error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
