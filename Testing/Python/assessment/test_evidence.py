"""One measurement against one published cut-off."""

import math
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from PseudoProgressionAnalyzerLib.assessment.criteria_set import default_criteria
from PseudoProgressionAnalyzerLib.assessment.evidence import (
    Circumstances,
    hold,
    imagined,
    likelihood_ratio,
    probability_beyond,
)
from PseudoProgressionAnalyzerLib.assessment.spreads import CutOffSpreads
from PseudoProgressionAnalyzerLib.measures import Message

from .simple import codes, measured

CRITERIA = {criterion.id: criterion for criterion in default_criteria().criteria}
SPREADS = CutOffSpreads(default_criteria().criteria)
ADC = "10^-6 mm^2/s"
LATE = Circumstances(200)
EARLY = Circumstances(7)
AFTER_BEVACIZUMAB = Circumstances(200, frozenset({"bevacizumab"}))


def held(measurement, criterion="DSC-01", circumstances=LATE):
    return hold(measurement, CRITERIA[criterion], circumstances, SPREADS)


@pytest.mark.parametrize(
    ("beyond", "sensitivity", "specificity", "ratio"),
    [
        (1.0, 0.84, 0.78, 0.84 / 0.22),  # LR+ 3.82
        (0.0, 0.84, 0.78, 0.16 / 0.78),  # LR- 0.205
        (0.5, 0.84, 0.78, 1.0),
        (0.5, 0.94, 0.50, 1.0),
        (1.0, 0.94, 0.50, 1.88),  # rules out, does not rule in
        (0.0, 0.94, 0.50, 0.12),
        (0.9, 0.80, 0.90, (0.9 * 0.8 + 0.1 * 0.2) / (0.9 * 0.1 + 0.1 * 0.9)),  # 0.74 / 0.18 = 4.11
    ],
)
def test_likelihood_ratio_by_hand(beyond, sensitivity, specificity, ratio):
    assert likelihood_ratio(beyond, sensitivity, specificity) == pytest.approx(ratio)


def test_odds_ratio_is_the_ratio_of_both_likelihood_ratios():
    # 0.84 * 0.78 / (0.16 * 0.22) = 18.6
    odds = likelihood_ratio(1.0, 0.84, 0.78) / likelihood_ratio(0.0, 0.84, 0.78)
    assert odds == pytest.approx(0.84 * 0.78 / (0.16 * 0.22)) == pytest.approx(18.6, abs=0.05)


@given(
    distance=st.floats(0.01, 3),
    spread=st.floats(0.01, 3),
    more=st.floats(1.0, 10),
    accuracy=st.tuples(st.floats(0.55, 0.99), st.floats(0.55, 0.99)),
    side=st.sampled_from([1, -1]),
)
def test_more_spread_never_makes_one_test_surer(distance, spread, more, accuracy, side):
    near = abs(math.log(likelihood_ratio(probability_beyond(side * distance, spread), *accuracy)))
    far = abs(math.log(likelihood_ratio(probability_beyond(side * distance, spread * more), *accuracy)))
    assert far <= near + 1e-12


def test_spread_by_hand():
    # rCBV 2.98 against 1.49: ln 2 = 0.693. Repeatability 31 %: sqrt(ln(1 + 0.0961)) = 0.303, larger than the
    # measurement's own error ln(1.1/0.9)/3.92 = 0.051. Pooled limits 0.9 to 2.15: ln(2.389)/sqrt 12 = 0.2514.
    found = held(measured("rCBV_ratio_mean", 2.98))
    assert found.distance == pytest.approx(math.log(2))
    assert found.measurement_spread == pytest.approx(0.3029, abs=2e-4)
    assert found.cut_off_spread == pytest.approx(0.2514, abs=2e-4)
    assert found.probability_beyond == pytest.approx(0.9609, abs=5e-4)  # Phi(0.6931 / 0.3936 = 1.761)


def test_a_wide_interval_replaces_the_repeatability():
    found = held(measured("rCBV_ratio_mean", 2.0, low=0.5, high=8.0))
    assert found.measurement_spread == pytest.approx(math.log(16) / (2 * 1.959964))


def test_low_values_of_diffusion_speak_for_progression():
    assert held(measured("ADC_mean", 1000, ADC), "ADC-02").distance > 0
    assert held(measured("ADC_mean", 1500, ADC), "ADC-02").distance < 0


@pytest.mark.parametrize(
    ("unit", "value"),
    [
        ("mm^2/s", 1.0e-3),
        ("mm2/s", 1.0e-3),
        ("10^-3 mm^2/s", 1.0),
        ("10-3 mm2/s", 1.0),
        ("um^2/s", 1000.0),
        ("um2/s", 1000.0),
    ],
)
def test_diffusivities_are_compared_in_one_unit(unit, value):
    assert held(measured("ADC_mean", value, unit), "ADC-02").distance == pytest.approx(math.log(1.3))


def test_a_linear_scale_has_its_spread_in_its_unit():
    found = held(measured("APTw_mean", 3.0, "%", error=0.02), "APT-01", EARLY)
    assert found.distance == pytest.approx(0.58)
    # No repeatability and one limit only: medians of the others, in per cent of the limit.
    assert found.cut_off_spread == pytest.approx(2.42 * SPREADS.typical)
    assert {"evidence_repeatability_assumed", "evidence_cut_off_spread_assumed"} <= set(codes(found.reasons))


def test_signs_are_certain_and_one_sided_in_words():
    present, absent = (held(measured("subependymal_enhancement", x), "MRI-01") for x in (1.0, 0.0))
    assert (present.probability_beyond, absent.probability_beyond) == (1.0, 0.0)
    restricted = held(measured("central_restriction", 1.0), "ADC-03")
    assert restricted.probability_beyond == 0.0  # present speaks for necrosis


REFUSED = [
    (measured("rCBV_ratio_mean", None), "DSC-01", LATE, "evidence_no_value"),
    (measured("rCBV_ratio_mean", float("nan")), "DSC-01", LATE, "evidence_not_finite"),
    (measured("rCBV_ratio_mean", 2.0, high=float("inf")), "DSC-01", LATE, "evidence_not_finite"),
    (measured("rCBV_ratio_mean", -0.2), "DSC-01", LATE, "evidence_not_positive"),
    (measured("rCBV_ratio_mean", 2.0, low=2.5), "DSC-01", LATE, "evidence_interval_inconsistent"),
    (measured("rCBV_ratio_mean", 2.0, "mL"), "DSC-01", LATE, "evidence_unit_differs"),
    (measured("ADC_mean", 1000, "unknown"), "ADC-02", LATE, "evidence_unit_differs"),
    (measured("ADC_mean", 1000, ADC), "ADC-01", LATE, "evidence_outside_window"),
    (measured("APTw_mean", 3.0, "%"), "APT-01", LATE, "evidence_outside_window"),
    (measured("TBRmax", 3.0), "FET-01", Circumstances(200, tracer="FET"), "evidence_outside_window"),
    (measured("TBRmax", 3.0), "FET-02", Circumstances(200), "evidence_other_tracer"),
    (measured("TBRmax", 3.0), "FET-02", Circumstances(200, tracer="MET"), "evidence_other_tracer"),
    (measured("central_restriction", 1), "ADC-03", AFTER_BEVACIZUMAB, "evidence_not_after"),
    (
        measured("rCBV_ratio_mean", 0.8), "DSC-01", AFTER_BEVACIZUMAB,
        "evidence_perfusion_after_bevacizumab",
    ),
    (
        measured("Cho_NAA_molar", 2, flags=(Message("ratio_map_origin_unknown"),)), "MRS-01", LATE, "evidence_quality",
    ),
    (measured("rCBV_ratio_mean", 2.0), "DSC-07", LATE, "evidence_statistic_not_read"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "criterion", "there", "code"), REFUSED, ids=[code for *_, code in REFUSED])
def test_what_has_no_weight_says_why(row, criterion, there, code):
    found = held(row, criterion, there)
    assert not found.used and code in codes(found.reasons)


def test_the_same_within_window_and_tracer_is_used():
    assert held(measured("ADC_mean", 1000, ADC), "ADC-01", Circumstances(61)).used
    assert not held(measured("ADC_mean", 1000, ADC), "ADC-01", Circumstances(62)).used
    assert held(measured("TBRmax", 3.0), "FET-02", Circumstances(200, tracer="FET")).used


def test_early_blood_volume_counts_less_by_its_published_areas():
    # z(0.69) / z(0.88) = 0.4959 / 1.1750
    early, late = held(measured("rCBV_ratio_mean", 3.0), circumstances=EARLY), held(measured("rCBV_ratio_mean", 3.0))
    assert early.factor == pytest.approx(0.4959 / 1.1750, abs=1e-3) and late.factor == 1
    assert "evidence_weaker_early" in codes(early.reasons)
    assert held(measured("rCBV_ratio_mean", 3.0), circumstances=Circumstances(None)).factor == early.factor


def test_other_populations_and_unknown_days_count_half():
    assert held(measured("CBF_ratio_mean", 2.0), "ASL-01").factor == 0.5
    assert held(measured("ADC_mean", 1000, ADC), "ADC-01", Circumstances(None)).factor == 0.5


@pytest.mark.parametrize("flag", ["dsc_reference_small", "region_partly_outside"])
def test_doubtful_quality_counts_less_than_none(flag):
    flagged = measured("rCBV_ratio_mean", 3.0, flags=(Message(flag, {"voxels": 3, "percent": 60}),))
    assert held(flagged).factor == 0.5 * held(measured("rCBV_ratio_mean", 3.0)).factor


def test_a_missing_interval_is_said_and_never_surer():
    without, with_one = held(measured("rCBV_ratio_mean", 3.0, error=None)), held(measured("rCBV_ratio_mean", 3.0))
    assert "evidence_interval_unknown" in codes(without.reasons)
    assert without.probability_beyond <= with_one.probability_beyond


def test_an_interval_that_reaches_zero_says_nothing():
    assert held(measured("rCBV_ratio_mean", 3.0, low=0.0, high=9.0)).probability_beyond == 0.5


def test_probability_has_the_shape_of_the_distances():
    assert probability_beyond(np.array([-1.0, 0.0, 1.0]), 1.0) == pytest.approx([0.1587, 0.5, 0.8413], abs=1e-4)
    assert probability_beyond(np.array([-1.0, 0.0, 1.0]), 0.0) == pytest.approx([0.0, 0.5, 1.0])


def test_a_limit_moved_to_the_other_side_turns_the_evidence():
    criterion = replace(CRITERIA["DSC-01"], cut_off=4.0)
    moved = hold(measured("rCBV_ratio_mean", 3.0), criterion, LATE, SPREADS)
    assert moved.distance < 0 < held(measured("rCBV_ratio_mean", 3.0)).distance


def test_a_cut_off_of_rcbv_is_held_only_against_its_own_kind():
    """Martinez-Martinez 2014 did not correct for leakage (PMC5612612, table 5); of Kong 2011 that was not read."""
    rows = CRITERIA
    assert {c.measure for c in rows.values() if c.leakage_correction == "yes"} == {"rCBV_ratio_mean"}
    assert rows["DSC-04"].measure == "rCBV_uncorrected_ratio_mean"
    for criterion in rows.values():
        rcbv = re.match(r"rCBV_", criterion.measure)
        assert bool(criterion.leakage_correction) == bool(rcbv), criterion.id
    wrong = replace(rows["DSC-01"], leakage_correction="no")
    own = replace(wrong, measure="rCBV_uncorrected_ratio_mean")
    spreads = CutOffSpreads([wrong, own])
    refused = hold(measured("rCBV_ratio_mean", 2.0), wrong, LATE, spreads)
    assert not refused.used and "evidence_without_leakage_correction" in [reason.code for reason in refused.reasons]
    assert hold(measured("rCBV_uncorrected_ratio_mean", 2.0), own, LATE, spreads).used
    uncorrected = held(measured("rCBV_ratio_hotspot", 2.0), "DSC-18").reasons
    assert [reason.code for reason in uncorrected].count("evidence_without_leakage_correction") == 1
    assert not imagined(wrong, LATE, beyond=True).used and imagined(own, LATE, beyond=True).used
    unknown = hold(measured("rCBV_ratio_mean", 2.0), rows["DSC-01"], LATE, spreads)
    assert unknown.used and "evidence_leakage_correction_not_read" in [reason.code for reason in unknown.reasons]
