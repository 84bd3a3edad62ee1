"""How well probabilities fit what happened, for the library's sum and for two simpler answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from PseudoProgressionAnalyzerLib.assessment.assess import EffectWindows, conclusion
from PseudoProgressionAnalyzerLib.assessment.combination import combine
from PseudoProgressionAnalyzerLib.assessment.criteria_set import default_criteria
from PseudoProgressionAnalyzerLib.assessment.evidence import Circumstances, Held, hold
from PseudoProgressionAnalyzerLib.assessment.prior import prior_for
from PseudoProgressionAnalyzerLib.assessment.spreads import CutOffSpreads
from PseudoProgressionAnalyzerLib.measures import Measurement

from . import cohort

BINS = 10


@dataclass(frozen=True)
class Judged:
    """Arrays ``(patients,)``: truth, our probability with its shown interval, the naive products, the oracle's."""

    truth: np.ndarray
    ours: np.ndarray
    low: np.ndarray
    high: np.ndarray
    naive: np.ndarray
    naive_pooled: np.ndarray
    oracle: np.ndarray
    conclusions: np.ndarray


def judge(cases: list[cohort.Case]) -> Judged:
    """Every case as the library sees it: values, day and nothing else."""
    criteria = default_criteria().criteria
    spreads = CutOffSpreads(criteria)
    rows = []
    for case in cases:
        prior, _ = prior_for(case.day)
        there = Circumstances(case.day, tracer="FET")
        evidence = []
        for test in cohort.TESTS:
            if test.name in case.values:
                value, low, high = case.values[test.name]
                row = Measurement("v", "lesion", "own", "v", test.name, value, test.unit, low, high)
                evidence += [hold(row, c, there, spreads) for c in criteria if c.measure == test.name]
        total = combine(prior, evidence)
        found = conclusion(total, case.day, EffectWindows())
        rows.append(
            (
                case.progression,
                *total.shown,
                naive(prior[0], evidence),
                naive_pooled(prior[0], case),
                case.oracle,
                found,
            )
        )
    columns = list(zip(*rows, strict=True))
    return Judged(*(np.array(column, dtype=float) for column in columns[:7]), np.array(columns[7]))


def naive(prior: float, evidence: list[Held]) -> float:
    """Plain multiplication of the likelihood ratios of all criteria that hold, each value simply above or below.

    Counts get the usual half patient, because a printed 100 % would multiply by infinity.
    """
    odds = prior / (1 - prior)
    seen = set()
    for item in evidence:
        c = item.criterion
        if item.used and c.measure not in seen:
            seen.add(c.measure)
            sensitivity = (c.sensitivity * c.positives + 0.5) / (c.positives + 1)
            specificity = (c.specificity * c.negatives + 0.5) / (c.negatives + 1)
            positive = item.distance >= 0
            odds *= sensitivity / (1 - specificity) if positive else (1 - sensitivity) / specificity
    return odds / (1 + odds)


def naive_pooled(prior: float, case: cohort.Case) -> float:
    """The same with pooled accuracies and the middle of the published limits: what the cohort is made of on average."""
    odds = prior / (1 - prior)
    late = int(case.day > cohort.EARLY_DAYS)
    for test in cohort.TESTS:
        if test.name in case.values:
            sensitivity, specificity = test.sensitivity[0], test.specificity[0]
            positive = test.side * (case.values[test.name][0] - np.sqrt(np.prod(test.limits[late]))) >= 0
            odds *= sensitivity / (1 - specificity) if positive else (1 - sensitivity) / specificity
    return odds / (1 + odds)


def log_loss(probability: np.ndarray, truth: np.ndarray) -> float:
    """Mean negative log likelihood in nats; probabilities are kept off 0 and 1 by 1e-6."""
    p = np.clip(probability, 1e-6, 1 - 1e-6)
    return float(-np.mean(truth * np.log(p) + (1 - truth) * np.log(1 - p)))


def brier(probability: np.ndarray, truth: np.ndarray) -> float:
    """Mean squared difference."""
    return float(np.mean((probability - truth) ** 2))


def curve(probability: np.ndarray, truth: np.ndarray) -> list[tuple[int, float, float]]:
    """Calibration curve in equally filled bins: (patients, mean probability, share of progression)."""
    order = np.argsort(probability, kind="stable")
    return [
        (len(part), float(probability[part].mean()), float(truth[part].mean())) for part in np.array_split(order, BINS)
    ]


def calibration_error(probability: np.ndarray, truth: np.ndarray) -> float:
    """Expected calibration error: mean distance of the curve from the diagonal, weighted by patients."""
    bins = curve(probability, truth)
    return sum(number * abs(mean - share) for number, mean, share in bins) / sum(number for number, _, _ in bins)


def coverage(judged: Judged) -> float:
    """Share of patients in bins whose true share of progression lies within the bin's mean interval."""
    order = np.argsort(judged.ours, kind="stable")
    inside = [
        len(part)
        for part in np.array_split(order, 2 * BINS)
        if judged.low[part].mean() <= judged.truth[part].mean() <= judged.high[part].mean()
    ]
    return sum(inside) / len(order)


def oracle_coverage(judged: Judged) -> float:
    """Share of patients whose oracle probability, limited to what is shown, lies in the shown interval."""
    oracle = np.clip(judged.oracle, 0.05, 0.95)
    return float(np.mean((judged.low <= oracle) & (oracle <= judged.high)))


def summary(judged: Judged) -> dict[str, float]:
    """All figures of one cohort."""
    truth = judged.truth
    prevalence = np.full(truth.shape, truth.mean())
    decided = np.char.startswith(judged.conclusions, "favours")
    for_progression = judged.conclusions == "favours_true_progression"
    return {
        "ece": calibration_error(judged.ours, truth),
        "ece_naive": calibration_error(judged.naive, truth),
        "log_loss": log_loss(judged.ours, truth),
        "log_loss_naive": log_loss(judged.naive, truth),
        "log_loss_naive_pooled": log_loss(judged.naive_pooled, truth),
        "log_loss_prevalence": log_loss(prevalence, truth),
        "log_loss_oracle": log_loss(judged.oracle, truth),
        "brier": brier(judged.ours, truth),
        "brier_naive": brier(judged.naive, truth),
        "brier_prevalence": brier(prevalence, truth),
        "coverage": coverage(judged),
        "oracle_coverage": oracle_coverage(judged),
        "decided": float(decided.mean()),
        "decided_right": float((for_progression == truth.astype(bool))[decided].mean()),
        "insufficient": float((judged.conclusions == "insufficient").mean()),
    }
