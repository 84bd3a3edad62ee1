"""The whole grid of simulated cohorts as a table: how well the assessment's probabilities fit what happened.

Run it from the project's root: ``python Testing/Benchmarks/calibration.py [patients per cell]``. It takes some minutes.
"""

import sys
from itertools import product
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Python"))

from assessment import calibration, cohort

CORRELATIONS = (0.0, 0.3, 0.5, 0.7)
PRIOR_ERRORS = (-0.15, 0.0, 0.15)
MISSING = ("random", "informative")
ERRORS = (False, True)
PREVALENCE = (0.60, 0.72)  # what the prior says, early and late, rounded
COLUMNS = (
    "ece", "ece_naive", "log_loss", "log_loss_naive", "log_loss_naive_pooled", "log_loss_prevalence",
    "log_loss_oracle", "brier", "brier_naive", "brier_prevalence", "coverage", "oracle_coverage", "decided",
    "decided_right",
)  # fmt: skip
SEED = 8


def main(patients: int = 2000) -> None:
    print("| correlation | prior error | missing | error | " + " | ".join(COLUMNS) + " |")
    print("|---" * (4 + len(COLUMNS)) + "|")
    rows = []
    for correlation, error_of_prior, missing, error in product(CORRELATIONS, PRIOR_ERRORS, MISSING, ERRORS):
        cases = cohort.simulate(
            SEED,
            patients=patients,
            sites=patients // 50,
            correlation=correlation,
            prevalence=tuple(share + error_of_prior for share in PREVALENCE),
            missing=missing,
            error=error,
        )
        judged = calibration.judge(cases)
        found = calibration.summary(judged)
        rows.append(found)
        where = f"{correlation} | {error_of_prior:+.2f} | {missing} | {'added' if error else 'inside'}"
        print(f"| {where} | " + " | ".join(f"{found[name]:.3f}" for name in COLUMNS) + " |", flush=True)
        if (correlation, error_of_prior, missing) == (0.5, 0.0, "random"):
            curve = calibration.curve(judged.ours, judged.truth)
            print(f"<!-- curve, {where}: " + ", ".join(f"{mean:.3f}:{share:.3f}" for _, mean, share in curve) + " -->")
    worst = max(rows, key=lambda row: row["ece"])
    print(f"\nworst calibration error {worst['ece']:.3f}; cells with a log loss below that of")
    for other in ("log_loss_naive", "log_loss_naive_pooled", "log_loss_prevalence"):
        print(f"- {other}: {sum(row['log_loss'] < row[other] for row in rows)} of {len(rows)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:2]))
