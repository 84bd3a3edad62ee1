"""The whole grid of simulated cohorts as a table: how well the assessment's probabilities fit what happened.

Run it from the project's root: ``python Testing/Benchmarks/calibration.py [development|held_out] [patients per cell]``.
It takes a quarter of an hour. Settings may be looked at on the development seed; the held-out seed is for a single look
at the settings as they are published. ``--figure FILE`` writes the calibration curves as an SVG.
"""

import argparse
import sys
from itertools import product
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Python"))

import calibration_figure
from assessment import calibration, cohort

CORRELATIONS = (0.0, 0.3, 0.5, 0.7)
PRIOR_ERRORS = (-0.15, 0.0, 0.15)
MISSING = ("random", "informative")
ERRORS = (False, True)
PREVALENCE = (0.60, 0.72)  # what the prior says, early and late, rounded
OPTIMISM = (0.05, 0.10)  # how far true accuracies lie below the published ones, beside the grid
MIDDLE = {(correlation, 0.0) for correlation in (0.3, 0.5)}  # correlation, prior error: said before the held-out look
COLUMNS = (
    "ece", "ece_naive", "log_loss", "log_loss_naive", "log_loss_naive_pooled", "log_loss_prevalence",
    "log_loss_oracle", "brier", "brier_naive", "brier_prevalence", "coverage", "oracle_coverage", "decided",
    "decided_right",
)  # fmt: skip
SEEDS = {"development": 8, "held_out": 4711}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("seed", nargs="?", choices=SEEDS, default="development")
    parser.add_argument("patients", nargs="?", type=int, default=2000)
    parser.add_argument("--figure", type=Path)
    options = parser.parse_args()
    grid = list(product(CORRELATIONS, PRIOR_ERRORS, MISSING, ERRORS, (0.0,)))
    beside = [(0.5, 0.0, "random", error, optimism) for error in ERRORS for optimism in OPTIMISM]
    print("| correlation | prior error | missing | error | optimism | " + " | ".join(COLUMNS) + " |")
    print("|---" * (5 + len(COLUMNS)) + "|")
    found, curves = {}, {}
    for number, cell in enumerate([*grid, *beside]):
        judged = _judged(cell, (SEEDS[options.seed], number), options.patients)
        found[cell] = calibration.summary(judged)
        curves[cell] = calibration.curve(judged.ours, judged.truth), calibration.curve(judged.naive, judged.truth)
        correlation, prior_error, missing, error, optimism = cell
        where = f"{correlation} | {prior_error:+.2f} | {missing} | {'added' if error else 'inside'} | {optimism:.2f}"
        print(f"| {where} | " + " | ".join(f"{found[cell][name]:.3f}" for name in COLUMNS) + " |", flush=True)
    _summary({cell: found[cell] for cell in grid})
    if options.figure:
        middle, worst = (0.5, 0.0, "random", True, 0.0), max(grid, key=lambda cell: found[cell]["ece"])
        titles = {middle: "Middle of the grid", worst: "Worst cell of the grid"}
        calibration_figure.write(options.figure, {titles[cell]: curves[cell] for cell in (middle, worst)})


def _judged(cell: tuple, seed: tuple[int, int], patients: int) -> calibration.Judged:
    correlation, prior_error, missing, error, optimism = cell
    cases = cohort.simulate(
        seed,
        patients=patients,
        sites=patients // 50,
        correlation=correlation,
        prevalence=tuple(share + prior_error for share in PREVALENCE),
        missing=missing,
        error=error,
        optimism=optimism,
    )
    return calibration.judge(cases)


def _summary(found: dict[tuple, dict[str, float]]) -> None:
    """What the grid says as a whole."""
    middle = [row["ece"] for cell, row in found.items() if cell[:2] in MIDDLE]
    worst = max(found, key=lambda cell: found[cell]["ece"])
    print(f"\nmiddle of the grid ({len(middle)} cells): calibration error {np.mean(middle):.3f} in the mean, ", end="")
    print(f"{min(middle):.3f} to {max(middle):.3f}, below 0.05 in {sum(error < 0.05 for error in middle)}")
    print(f"worst cell {worst[:4]}: {found[worst]['ece']:.3f} (plain product {found[worst]['ece_naive']:.3f})")
    for other in ("naive", "naive_pooled", "prevalence"):
        fewer = sum(row["log_loss"] < row[f"log_loss_{other}"] for row in found.values())
        print(f"log loss below that of {other}: {fewer} of {len(found)} cells")
    for name in ("coverage", "oracle_coverage"):
        values = [row[name] for row in found.values()]
        print(f"{name}: {min(values):.3f} to {max(values):.3f}, mean {np.mean(values):.3f}")


if __name__ == "__main__":
    main()
