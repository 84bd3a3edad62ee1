"""An assessment as a reader meets it: conclusion, ledger, context, what is missing and what would change it."""

import datetime
import itertools
import math

import pytest

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.assessment import CriteriaSet, EffectWindows, assess_visit, default_criteria
from PseudoProgressionAnalyzerLib.assessment.assess import conclusion
from PseudoProgressionAnalyzerLib.assessment.combination import Sum
from PseudoProgressionAnalyzerLib.measures import CONCLUSIONS, Event, InputError, Message, Region, Series

from .simple import DATES, EARLY, LATE, as_bytes, codes, measured, patient, said

ADC = "10^-6 mm^2/s"


def rows(visit, **values):
    units = {"ADC_mean": ADC, "APTw_mean": "%", "volume": "mL"}
    return [measured(name, value, units.get(name, "1"), visit) for name, value in values.items()]


def judged(visit, events=(), **values):
    return assess_visit(patient(events), visit, rows(visit, **values))


LOW = {"rCBV_ratio_mean": 0.9, "Cho_NAA_molar": 0.7, "ADC_mean": 1700.0}
HIGH = {"rCBV_ratio_mean": 4.0, "Cho_NAA_molar": 3.0, "ADC_mean": 900.0}


def test_the_reviews_case_early():
    # A week after radiotherapy, larger lesion, low blood volume and Cho/NAA: pseudoprogression.
    found = judged(EARLY, volume=20.0, rCBV_ratio_mean=1.0, Cho_NAA_molar=0.8)
    assert found.conclusion == "favours_pseudoprogression"
    assert found.probability[0] < 0.25 < found.prior[0]
    assert said(found.context, "facts_for_effect").parameters == {"facts": "Cho_NAA, rCBV"}


@pytest.mark.parametrize(
    ("visit", "values", "expected"),
    [
        (EARLY, HIGH, "favours_true_progression"),
        (LATE, HIGH, "favours_true_progression"),
        (EARLY, LOW, "favours_pseudoprogression"),
        (LATE, LOW, "favours_radiation_necrosis"),
        (EARLY, {}, "insufficient"),
        (EARLY, {"rCBV_ratio_mean": 3.0}, "insufficient"),  # early blood volume alone says little
        (LATE, LOW | {"Cho_NAA_molar": 3.0}, "mixed"),
    ],
)
def test_conclusions(visit, values, expected):
    assert judged(visit, **values).conclusion == expected


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        (0, "favours_pseudoprogression"),
        (91, "favours_pseudoprogression"),
        (92, "favours_treatment_effect"),
        (182, "favours_treatment_effect"),
        (183, "favours_radiation_necrosis"),
        (None, "favours_treatment_effect"),
    ],
)
def test_treatment_effect_is_named_by_its_windows(day, expected):
    against = Sum(0.1, (0.1, 0.05, 0.3), (-8.0,), 0.01)
    assert conclusion(against, day, EffectWindows()) == expected
    assert conclusion(against, day, EffectWindows(0, 1)) in CONCLUSIONS


@pytest.mark.parametrize(
    ("weights", "side", "expected"),
    [
        ((3.1,), 0.95, "favours_true_progression"),
        ((2.9,), 0.99, "insufficient"),  # less than a likelihood ratio of 2
        ((2.0, -2.0), 0.7, "mixed"),
        ((3.1,), 0.85, "mixed"),
        ((-1.0, 2.5), 0.99, "mixed"),  # the prior alone carries it: the evidence does not point there
        ((-3.1,), 0.05, "favours_pseudoprogression"),
        ((-3.1,), 0.5, "mixed"),
    ],
)
def test_limits_of_the_conclusions(weights, side, expected):
    assert conclusion(Sum(0.5, (0.5, 0.4, 0.6), weights, side), 7, EffectWindows()) == expected


def test_insufficient_has_no_probability_and_the_prior_stands_apart():
    found = judged(EARLY)
    assert found.probability is None and found.evidence == ()
    assert found.prior[0] == pytest.approx(0.5975)
    assert codes(found.context)[0] == "prior_early"


def test_taking_tests_away_leads_to_insufficient():
    whole = dict(LOW)
    centres = []
    while whole:
        centres.append(judged(LATE, **whole))
        whole.popitem()
    centres.append(judged(LATE))
    found = [item.probability[0] for item in centres if item.probability]
    assert found == sorted(found) and centres[-1].conclusion == "insufficient"
    assert max(b - a for a, b in itertools.pairwise(found)) < 0.35


def test_missing_is_never_negative():
    without = judged(LATE, rCBV_ratio_mean=4.0)
    negative = judged(LATE, rCBV_ratio_mean=4.0, ADC_mean=1700.0)
    absent = assess_visit(
        patient(),
        LATE,
        [
            *rows(LATE, rCBV_ratio_mean=4.0),
            measured("ADC_mean", None, ADC, LATE, flags=(Message("lesion_map_outside"),)),
        ],
    )
    assert absent.probability == without.probability != negative.probability
    lines = [line for line in absent.evidence if line.measurement.name == "ADC_mean"]
    assert lines and not any(line.used for line in lines)
    assert all(line.likelihood_ratio is None and line.weight == 0 for line in lines)
    assert "ADC" in {m.parameters["test"] for m in absent.missing if m.code == "test_without_weight"}


def test_the_ledger_is_sorted_complete_and_adds_up():
    found = judged(LATE, **HIGH)
    weights = [abs(line.weight) for line in found.evidence]
    assert weights == sorted(weights, reverse=True)
    measures = {"rCBV_ratio_mean", "Cho_NAA_molar", "ADC_mean"}
    expected = {c.id for c in default_criteria().criteria if c.measure in measures}
    assert {line.criterion.id for line in found.evidence} == expected
    for line in found.evidence:
        assert line.criterion.citation and line.criterion.verified
        assert line.used or line.reasons
    odds = found.prior[0] / (1 - found.prior[0]) * 10 ** (sum(line.weight for line in found.evidence) / 10)
    assert min(odds / (1 + odds), 0.95) == pytest.approx(found.probability[0], abs=1e-4)


def test_a_line_says_what_part_of_its_weight_enters():
    found = judged(LATE, **HIGH)
    shared = [line for line in found.evidence if "evidence_share" in codes(line.reasons)]
    assert shared
    for line in shared:
        told = said(line.reasons, "evidence_share").parameters
        assert told["decibans"] == pytest.approx(10 * math.log10(line.likelihood_ratio), abs=0.01)
        assert told["decibans"] * told["percent"] / 100 == pytest.approx(line.weight, abs=0.06)


def test_a_limited_ratio_is_said():
    limited = [line for line in judged(LATE, Cho_NAA_molar=0.1).evidence if line.used]
    assert [line.likelihood_ratio for line in limited] == [0.1]
    assert said(limited[0].reasons, "evidence_limited").parameters == {"limit": 0.1}
    free = [line for line in judged(LATE, Cho_NAA_molar=1.2).evidence if line.used]
    assert "evidence_limited" not in codes(free[0].reasons)


def test_missing_tests_and_the_next_best_one():
    found = judged(EARLY, rCBV_ratio_mean=1.0)
    missing = {m.parameters["test"]: m.parameters for m in found.missing if m.code == "test_missing"}
    assert {"ADC", "APTw", "ASL", "MRS", "FET PET", "Contrast clearance"} <= set(missing) and "DSC" not in missing
    for effect in missing.values():
        assert effect["if_against"] < effect["if_for"]
    assert found.next_best_test.parameters["test"] in missing
    late = {m.parameters["test"] for m in judged(LATE, rCBV_ratio_mean=1.0).missing if m.code == "test_missing"}
    assert "APTw" not in late  # its cut-off was found in the first three months only
    weak = missing["ASL"]
    best = found.next_best_test.parameters
    assert best["if_for"] - best["if_against"] > weak["if_for"] - weak["if_against"]


def test_a_missing_test_does_what_it_is_said_to_do():
    before = judged(EARLY, Cho_NAA_molar=0.8)
    said_effect = next(m.parameters for m in before.missing if m.parameters.get("test") == "ADC")
    clear = judged(EARLY, Cho_NAA_molar=0.8, ADC_mean=100.0)
    assert 100 * clear.probability[0] == pytest.approx(said_effect["if_for"], abs=1)


def test_leave_one_out_names_what_carries_the_answer():
    found = judged(EARLY, rCBV_ratio_mean=1.0, Cho_NAA_molar=0.8)
    left = {message.parameters["fact"]: message for message in found.leave_one_out}
    assert left["MRS"].code == "without_fact_insufficient"
    without = judged(EARLY, Cho_NAA_molar=0.8)
    assert left["rCBV"].parameters["percent"] == round(100 * without.probability[0])


def test_bevacizumab_takes_the_weight_of_perfusion():
    found = judged(EARLY, [Event("bevacizumab", datetime.date(2020, 3, 28))], rCBV_ratio_mean=0.8)
    assert said(found.context, "given_bevacizumab").parameters == {"date": "2020-03-28"}
    assert found.conclusion == "insufficient"  # low blood volume after bevacizumab is not evidence
    none = Event("bevacizumab", None, details={"given": False})
    without = judged(LATE, [none], rCBV_ratio_mean=0.8)
    assert said(without.context, "not_given").parameters == {"event": "bevacizumab"}
    assert any(line.used for line in without.evidence)
    assert "bevacizumab" not in {m.parameters.get("event") for m in without.missing}


def test_molecular_markers_do_not_move_the_sum():
    marker = Event("MGMT", None, details={"methylated": True})
    assert judged(EARLY, [marker], **HIGH).probability == judged(EARLY, **HIGH).probability
    assert said(judged(EARLY, [marker], **HIGH).context, "given_MGMT").parameters == {"state": "methylated"}
    unknown = Event("MGMT", None)
    assert said(judged(EARLY, [unknown], **HIGH).context, "given_MGMT").parameters == {"state": "unknown"}


def test_dates_at_which_the_question_answers_itself():
    found = judged(EARLY, **HIGH)
    assert said(found.context, "confirmation_from").parameters == {"date": "2020-04-29"}  # 2020-04-01 + 28 days
    assert said(found.context, "twelve_weeks_on").parameters == {"date": "2020-06-17"}  # 2020-03-25 + 84 days
    assert "twelve_weeks_on" not in codes(judged(LATE, **HIGH).context)


def test_growth_is_context_and_moves_nothing():
    grown = [*rows(EARLY, **HIGH), measured("volume_percent", 300.0, "%", compared_to="before")]
    found = assess_visit(patient(), EARLY, grown)
    assert said(found.context, "lesion_growth").parameters["percent"] == "+300"
    assert found.probability == judged(EARLY, **HIGH).probability


def test_a_carried_region_stands_in_only_where_the_own_value_is_absent():
    own = rows(LATE, Cho_NAA_molar=3.0)
    carried = [
        measured("Cho_NAA_molar", 0.5, visit=LATE, kind="fixed", drawn_in=EARLY),
        measured("rCBV_ratio_mean", 4.0, visit=LATE, kind="fixed", drawn_in=EARLY),
    ]
    found = assess_visit(patient(), LATE, [*carried, *own])
    kinds = {line.measurement.name: line.measurement.kind for line in found.evidence if line.used}
    assert kinds == {"Cho_NAA_molar": "own", "rCBV_ratio_mean": "fixed"}
    for line in found.evidence:
        if line.used:
            assert ("evidence_fixed_region" in codes(line.reasons)) == (line.measurement.kind == "fixed")


def test_the_largest_lesion_is_assessed_and_free_regions_are_not():
    regions = [
        Region(name, EARLY, purpose, None) for name, purpose in (("a", "lesion"), ("b", "lesion"), ("c", "free"))
    ]
    found = assess_visit(
        patient(regions=regions),
        EARLY,
        [
            measured("volume", 3.0, "mL", region="a"),
            measured("volume", 9.0, "mL", region="b"),
            measured("Cho_NAA_molar", 0.5, region="a"),
            measured("Cho_NAA_molar", 3.0, region="b"),
            measured("rCBV_ratio_mean", 4.0, region="c", kind="fixed"),
        ],
    )
    assert said(found.context, "assessed_lesion").parameters == {"region": "b"}
    assert said(found.context, "other_lesions").parameters == {"regions": "a"}
    assert {(line.measurement.region, line.measurement.value) for line in found.evidence} == {("b", 3.0)}


def test_a_category_made_of_the_other_inputs_never_reaches_the_ledger():
    found = judged(LATE, BT_RADS=4.0, volume=20.0, **HIGH)
    assert as_bytes(found) == as_bytes(judged(LATE, volume=20.0, **HIGH))


def test_area_ratios_are_shown_without_a_molar_cut_off():
    found = judged(LATE, Cho_NAA_area=5.0)
    assert found.conclusion == "insufficient" and found.evidence == ()
    assert said(found.context, "no_criterion").parameters == {"measures": "Cho_NAA_area"}


def test_the_tracer_decides_which_criteria_are_held():
    def with_tracer(name):
        found = patient()
        found.visit(LATE).series.append(Series("PET", None, {"TracerName": name} if name else {}))
        return assess_visit(found, LATE, rows(LATE, TBRmax=3.5))

    assert [line.criterion.id for line in with_tracer("18F-FET").evidence if line.used] == ["FET-02"]
    assert not any(line.used for line in with_tracer("[11C]MET").evidence)
    assert {line.criterion.tracer for line in with_tracer("[11C]MET").evidence} == {"MET"}
    unknown = with_tracer("")
    assert len(unknown.evidence) > 3 and not any(line.used for line in unknown.evidence)


def test_a_prior_is_movable_and_said():
    found = assess_visit(patient(), EARLY, rows(EARLY, **HIGH), prior=(0.3, 0.2, 0.4))
    assert found.prior == (0.3, 0.2, 0.4) and found.context[0].code == "prior_stated"
    assert found.probability[0] < judged(EARLY, **HIGH).probability[0]
    with pytest.raises(InputError):
        assess_visit(patient(), EARLY, [], prior=(0.3, 0.4, 0.5))


def test_the_criteria_used_are_named():
    assert judged(EARLY).criteria_set == default_criteria().name
    own = CriteriaSet("mine", tuple(c for c in default_criteria().criteria if c.modality == "MRS"))
    found = assess_visit(patient(), EARLY, rows(EARLY, **HIGH), criteria=own)
    assert found.criteria_set == "mine"
    assert {line.criterion.modality for line in found.evidence} == {"MRS"}


def test_no_number_is_not_a_number():
    broken = rows(LATE, **HIGH) + [
        measured("CBF_ratio_mean", float("nan"), visit=LATE),
        measured("TBRmax", None, visit=LATE),
    ]
    found = assess_visit(patient(), LATE, broken)
    assert found.probability is not None
    # The measurement itself is shown as it came; nothing computed from it is.
    assert all(line.weight == 0 for line in found.evidence if line.measurement.name in ("CBF_ratio_mean", "TBRmax"))


def test_the_same_input_gives_the_same_bytes():
    assert as_bytes(judged(EARLY, **HIGH)) == as_bytes(judged(EARLY, **HIGH))


def test_every_reason_has_its_sentence():
    schema_reasons = {code for c in default_criteria().criteria for code in c.shown_only} | {"not_verified"}
    built = [f"evidence_{code}" for code in schema_reasons]
    built += [f"without_fact_{name}" for name in CONCLUSIONS] + [
        f"prior_{time}" for time in ("early", "late", "unknown")
    ]
    built += [f"given_{kind}" for kind in ("surgery", "biopsy", "bevacizumab", "immunotherapy", "dexamethasone")]
    built += [f"steroid_{change}" for change in ("rising", "falling", "steady")]
    built += ["given_clinical_status", "given_MGMT", "given_IDH", "outcome_biopsy", "outcome_surgery"]
    built += [f"outcome_volume_{change}" for change in ("smaller", "larger", "within_error")]
    assert set(built) <= set(texts.catalogue())
    events = [
        Event("bevacizumab", DATES[EARLY]),
        Event("biopsy", DATES[EARLY]),
        Event("dexamethasone", DATES[EARLY]),
        Event("immunotherapy", None, details={"given": False}),
        Event("MGMT", None, details={"methylated": True}),
        Event("clinical_status", DATES[EARLY], details={"status": "worse"}),
        Event("surgery", None),
    ]
    found = judged(LATE, events, **HIGH, APTw_mean=3.0, TBRmax=2.0, Cho_NAA_area=2.0, rCBV_ratio_p95=5.0)
    reasons = [reason for line in found.evidence for reason in line.reasons]
    best = judged(EARLY, events).next_best_test
    for message in (*found.context, *found.missing, *found.leave_one_out, best, *reasons):
        assert "{" not in texts.sentence(message) and message.code not in texts.sentence(message)
