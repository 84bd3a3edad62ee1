"""Tissue: a share of viable tumour, capped by sampling and by pathologists' agreement."""

import datetime
import math

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.assessment import assess_visit, default_criteria
from PseudoProgressionAnalyzerLib.assessment.histology import accuracy, criterion
from PseudoProgressionAnalyzerLib.measures import Event

from .simple import EARLY, LATE, codes, measured, patient, said

BIOPSY = datetime.date(2020, 9, 1)  # after EARLY, before LATE


def judged(details, kind="biopsy", date=BIOPSY, visit=LATE, rows=()):
    return assess_visit(patient([Event(kind, date, details=details)]), visit, rows)


def line(assessment):
    return next((item for item in assessment.evidence if item.measurement.name == "viable_tumour_percent"), None)


def test_accuracy_of_a_reader_by_simulated_pairs():
    """Pairs of readers with that accuracy agree with the published kappa, by simulation."""
    random = np.random.default_rng(1)
    truth = random.random(400_000) < 0.5
    readers = [np.where(random.random(truth.size) < accuracy("surgery"), truth, ~truth) for _ in range(2)]
    agreement = np.mean(readers[0] == readers[1])
    assert (agreement - 0.5) / 0.5 == pytest.approx(0.228, abs=0.01)


def test_a_biopsy_stands_for_the_lesion_in_16_of_21():
    right = (1 + math.sqrt(0.228)) / 2
    assert accuracy("surgery") == pytest.approx(right)
    assert accuracy("biopsy") == pytest.approx(16 / 21 * right + 5 / 21 * (1 - right))
    assert accuracy("biopsy") < accuracy("surgery") < 0.75


@pytest.mark.parametrize(
    ("details", "side"),
    [
        ({"viable_tumour_percent": 90, "treatment_effect_percent": 10}, 1),
        ({"viable_tumour_percent": 5, "treatment_effect_percent": 95}, -1),
        ({"viable_tumour_percent": 30, "treatment_effect_percent": 30}, 0),
        ({"viable_tumour": True}, 1),
        ({"viable_tumour": False}, -1),
    ],
)
def test_the_share_decides_the_side_and_the_cap_holds(details, side):
    found = line(judged(details))
    assert np.sign(round(found.weight, 3)) == side
    cap = accuracy("biopsy") / (1 - accuracy("biopsy"))
    assert 1 / cap < found.likelihood_ratio < cap
    assert said(found.reasons, "evidence_tissue_cap").parameters["limit"] == pytest.approx(cap, abs=0.05)
    assert "10.1007/s11060-018-03037-3" in found.criterion.doi and "10.1179/016164105X40057" in found.criterion.doi


def test_an_operation_weighs_more_than_a_biopsy():
    details = {"viable_tumour_percent": 100}
    assert line(judged(details, "surgery")).weight > line(judged(details)).weight > 0


@pytest.mark.parametrize(
    "found",
    [
        judged({}),
        judged({"treatment_effect_percent": 95}),
        judged({"viable_tumour_percent": 90}, date=datetime.date(2020, 3, 27)),  # before the visit before
        judged({"viable_tumour_percent": 90}, visit=EARLY),  # after the visit
        judged({"viable_tumour_percent": 90}, date=datetime.date(2020, 1, 15), visit=EARLY),  # before radiotherapy
    ],
)
def test_what_says_nothing_about_this_visit_does_not_weigh(found):
    assert line(found) is None and found.conclusion == "insufficient"


def test_histology_is_a_fact_of_its_own():
    rows = [measured("Cho_NAA_molar", 3.0, visit=LATE)]
    both = judged({"viable_tumour_percent": 90}, rows=rows)
    alone = judged({}, rows=rows)
    assert both.probability[0] > alone.probability[0]
    assert "given_biopsy" in codes(both.context)
    assert "histology" in {message.parameters["fact"] for message in both.leave_one_out}
    assert not [c for c in default_criteria().criteria if c.group == "histology"]
    assert criterion("biopsy").population_kind == "glioblastoma"
