"""The built-in cases as of their second visit, from the numbers that the main job measures in them (``make demo``)."""

import itertools

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.assessment import assess_visit
from PseudoProgressionAnalyzerLib.cases.plans import CASES
from PseudoProgressionAnalyzerLib.measures import Measurement, Patient, Region, Visit

from .simple import codes

# case: (conclusion, name: (value, low, high)) of the second visit.
MEASURED = {
    "pseudoprogression": (
        "favours_pseudoprogression",
        {
            "Cho_NAA_molar": (0.550, 0.53, 0.57),
            "NAA_Cr_molar": (0.80, 0.75, 0.85),
            "rCBV_ratio_mean": (1.05, 1.03, 1.08),
            "rCBV_ratio_p95": (1.67, None, None),
        },
    ),
    "true_progression": (
        "favours_true_progression",
        {
            "Cho_NAA_molar": (2.94, 2.80, 3.09),
            "NAA_Cr_molar": (0.373, 0.354, 0.392),
            "rCBV_ratio_mean": (2.99, 2.95, 3.04),
            "rCBV_ratio_p95": (4.72, None, None),
        },
    ),
    "radiation_necrosis": (
        "favours_radiation_necrosis",
        {
            "Cho_NAA_molar": (0.694, 0.651, 0.743),
            "NAA_Cr_molar": (0.749, 0.699, 0.802),
            "rCBV_ratio_mean": (0.655, 0.634, 0.676),
            "rCBV_ratio_p95": (1.47, 1.42, 1.55),
        },
    ),
}


def judged(name, values):
    case = CASES[name]
    visits = [Visit(plan.date.isoformat(), plan.date) for plan in case.visits]
    found = Patient(case.patient, visits, list(case.events), [Region("lesion", v.id, "lesion", None) for v in visits])
    second = visits[1].id
    rows = [
        Measurement(second, "lesion", "own", second, measure, value, "1", low, high)
        for measure, (value, low, high) in values.items()
    ]
    return assess_visit(found, second, rows)


@pytest.mark.parametrize("name", CASES)
def test_the_right_side_for_reasons_that_an_expert_accepts(name):
    conclusion, values = MEASURED[name]
    found = judged(name, values)
    assert found.conclusion == conclusion
    side = 1 if conclusion == "favours_true_progression" else -1
    assert {np.sign(line.weight) for line in found.evidence if line.used} <= {side, 0}
    assert side * (found.probability[0] - found.prior[0]) > 0.15
    # Before the second visit's outcome is known: the later biopsy of the necrosis is not in it.
    assert "given_biopsy" not in codes(found.context)


@pytest.mark.parametrize("name", CASES)
def test_taking_one_modality_after_another_away_leads_smoothly_to_insufficient(name):
    conclusion, values = MEASURED[name]
    side = 1 if conclusion == "favours_true_progression" else -1
    for order in itertools.permutations((("Cho_NAA_molar", "NAA_Cr_molar"), ("rCBV_ratio_mean", "rCBV_ratio_p95"))):
        left, found = dict(values), [judged(name, values)]
        for modality in order:
            left = {measure: value for measure, value in left.items() if measure not in modality}
            found.append(judged(name, left))
        sums = [side * sum(line.weight for line in item.evidence) for item in found]
        assert sums == sorted(sums, reverse=True) and sums[-1] == 0  # always towards nothing, never past it
        assert found[-1].conclusion == "insufficient" and found[-1].probability is None
        assert all(item.conclusion in (conclusion, "mixed", "insufficient") for item in found)


@pytest.mark.parametrize("name", CASES)
def test_a_value_that_slides_over_its_cut_off_never_jumps(name):
    _, values = MEASURED[name]
    sums = [
        sum(
            line.weight
            for line in judged(name, values | {"Cho_NAA_molar": (value, value * 0.95, value * 1.05)}).evidence
        )
        for value in np.geomspace(0.5, 4.0, 40)
    ]
    assert sums == sorted(sums) and max(np.diff(sums)) < 2.0  # decibans
