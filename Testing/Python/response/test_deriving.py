"""Inputs from a patient's events and measurements: what is stated, and nothing else."""

import datetime

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.lesion.diameters import diameters
from PseudoProgressionAnalyzerLib.measures import Event, Measurement, Patient, Visit
from PseudoProgressionAnalyzerLib.response import CRITERIA, SteroidDose, course_of, judge
from PseudoProgressionAnalyzerLib.response.inputs import NOT_ENDED

START, END = datetime.date(2023, 3, 20), datetime.date(2023, 5, 1)
DATES = {"V0": datetime.date(2023, 3, 13), "V1": datetime.date(2023, 5, 29), "V2": datetime.date(2023, 9, 4)}
RADIOTHERAPY = Event("radiotherapy", START, END)


def patient(*events, dates=DATES):
    return Patient("P", [Visit(name, date) for name, date in dates.items()], [RADIOTHERAPY, *events])


def row(visit, name, value, unit, region="lesion", **changes):
    details = {"kind": "own", "drawn_in": visit, "low": None, "high": None, "compared_to": "", **changes}
    return Measurement(visit=visit, region=region, name=name, value=value, unit=unit, **details)


def stated(visit, *events, field):
    return {seen.visit: getattr(seen, field) for seen in course_of(patient(*events), []).visits}[visit]


def test_own_lesions_come_from_rows():
    rows = [
        row("V1", "volume", 10.0, "mL", low=8.0, high=12.0),
        row("V1", "longest_diameter", 30.0, "mm"),
        row("V1", "perpendicular_diameter", 20.0, "mm"),
        row("V2", "volume", 16.0, "mL"),
        row("V2", "volume", 6.0, "mL", compared_to="V1"),
        row("V2", "volume", 99.0, "mL", region="carried", kind="fixed"),
        row("V2", "rCBV_ratio_mean", 2.0, "1", region="elsewhere"),
    ]
    visits = {seen.visit: seen for seen in course_of(patient(), rows).visits}
    (one,) = visits["V1"].lesions
    assert (one.name, one.volume.low, one.longest, one.perpendicular) == ("lesion", 8.0, 30.0, 20.0)
    (two,) = visits["V2"].lesions
    assert (two.volume.value, two.longest) == (16.0, None)
    assert visits["V0"].lesions == ()
    assert not visits["V1"].all_drawn


def test_shapes_say_whether_a_lesion_can_be_measured():
    mask = np.zeros((20, 20, 20), bool)
    mask[4:16, 4:16, 4:16] = True
    rows = [row(visit, "volume", 1.7, "mL") for visit in ("V1", "V2")]
    shapes = {(visit, "lesion"): diameters(mask, np.eye(4)) for visit in ("V1", "V2")}
    found = course_of(patient(), rows, shapes).visits[1].lesions[0]
    assert (found.slices, found.slice_spacing, found.extents) == (12, 1.0, (12.0, 12.0, 12.0))
    assert found.volume.value == 1.7


def test_a_patient_without_statements_is_never_decided_by_silence():
    """Growth of 60 %: what nobody stated stays open, and asks for what would decide."""
    rows = [row("V1", "volume", 10.0, "mL"), row("V2", "volume", 10.0, "mL")]
    for criterion in ("RANO_2010", "mRANO", "RANO_2.0"):
        verdict = judge(course_of(patient(), rows), criterion)[2].volume
        assert verdict.category is None
        assert {"SD"} < set(verdict.possible)
        assert "response_unknown_decline" in [message.code for message in verdict.unknowns]


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([Event("dexamethasone", DATES["V0"], details={"dose_mg_per_day": 4})], SteroidDose(4)),
        ([Event("dexamethasone", DATES["V0"], details={"dose_mg_per_day": 20, "drug": "prednisone"})],
         SteroidDose(20, "prednisone")),
        ([Event("dexamethasone", DATES["V0"], DATES["V1"], {"dose_mg_per_day": 4})], None),  # ended, then unknown
        ([Event("dexamethasone", DATES["V2"] + datetime.timedelta(days=1), details={"dose_mg_per_day": 4})], None),
        ([Event("dexamethasone", DATES["V0"], details={"dose_mg_per_day": 4}),
          Event("dexamethasone", DATES["V1"], details={"dose_mg_per_day": 0})], SteroidDose(0)),
        ([Event("dexamethasone", DATES["V0"])], None),
    ],
)  # fmt: skip
def test_steroid_dose_on_the_day_of_the_scan(events, expected):
    assert stated("V2", *events, field="steroid") == expected


@pytest.mark.parametrize(
    ("date", "details", "expected"),
    [
        (DATES["V2"], {"status": "worse", "from_tumour": True}, ("worse", True)),
        (DATES["V2"], {"status": "worse"}, ("worse", None)),
        (DATES["V1"], {"status": "worse"}, (None, None)),  # that was the visit before
        (DATES["V2"] + datetime.timedelta(days=1), {"status": "worse"}, (None, None)),
        (DATES["V2"], {"status": "well"}, (None, None)),
    ],
)
def test_clinical_status_belongs_to_the_visit_after_it(date, details, expected):
    event = Event("clinical_status", date, details=details)
    assert (stated("V2", event, field="clinical"), stated("V2", event, field="from_tumour")) == expected


def test_nano_levels_are_not_summed():
    """8.1, 8.3, 8.4 (S22), 8.6 and 10.12: domains are stored; no status follows from them (8.5 is recalled only)."""
    event = Event("clinical_status", DATES["V2"], details={"gait": 2, "language": 1})
    assert stated("V2", event, field="clinical") is None


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ([], None),
        ([Event("bevacizumab", DATES["V1"])], True),
        ([Event("bevacizumab", DATES["V0"], DATES["V1"])], False),
        ([Event("bevacizumab", None, details={"given": False})], False),
        ([Event("bevacizumab", None)], None),
    ],
)
def test_antiangiogenic_treatment(events, expected):
    assert stated("V2", *events, field="antiangiogenic") is expected


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ({"viable_tumour": True}, True),
        ({"viable_tumour_percent": 80}, True),  # 1.32 (S3): more than 70 %
        ({"viable_tumour_percent": 40}, None),
        ({"viable_tumour_percent": 0}, False),
        ({}, None),
    ],
)
def test_histology(details, expected):
    """1.32 (S3) is an example, not a limit: in between it is open. A biopsy counts for the first visit after it."""
    event = Event("biopsy", DATES["V1"] + datetime.timedelta(days=10), details=details)
    assert stated("V2", event, field="viable_tumour") is expected
    assert stated("V1", event, field="viable_tumour") is False


def test_an_operation_counts_for_the_first_scan_after_it():
    on_the_day = Event("surgery", DATES["V1"])
    assert stated("V1", on_the_day, field="surgery") is None
    assert stated("V2", on_the_day, field="surgery") == DATES["V1"]
    first = Event("surgery", DATES["V0"] - datetime.timedelta(days=2))
    assert stated("V0", first, field="surgery") == first.date


def test_radiotherapy_without_an_end_is_unknown():
    assert course_of(patient(), []).radiotherapy_ends == (END,)
    without = Patient("P", [Visit("V0", DATES["V0"])], [Event("radiotherapy", START)])
    assert course_of(without, []).radiotherapy_ends is None
    assert course_of(Patient("P", [Visit("V0", DATES["V0"])]), []).radiotherapy_ends is None


def test_a_course_that_goes_on_is_judged_like_one_that_ends_later():
    """Every visit so far stands where it stands once the end is known: before the baseline after radiotherapy."""
    visits = [Visit("V0", START - datetime.timedelta(days=3)), Visit("V1", START + datetime.timedelta(days=20))]
    by_end = [Event("radiotherapy", START, END), Event("radiotherapy", START, details={"ended": False})]
    ended, goes_on = (course_of(Patient("P", visits, [event]), []) for event in by_end)
    assert ended.radiotherapy_ends == (END,) and goes_on.radiotherapy_ends == (NOT_ENDED,)
    unknown = course_of(Patient("P", visits, [Event("radiotherapy", START)]), [])

    def found(course):
        return [(entry.area.possible, entry.volume.possible) for name in CRITERIA for entry in judge(course, name)]

    assert found(ended) == found(goes_on) != found(unknown)
    notes = [message.code for entry in judge(goes_on, "mRANO") for message in entry.area.notes]
    assert "response_before_baseline_goes_on" in notes


def test_immunotherapy_and_idh():
    found = course_of(patient(Event("immunotherapy", DATES["V1"]), Event("IDH", None, details={"mutated": True})), [])
    assert (found.immunotherapy, found.immunotherapy_start, found.idh_mutant) == (True, DATES["V1"], True)
    assert course_of(patient(), []).immunotherapy is None


def test_events_without_a_date_are_named():
    found = course_of(patient(Event("surgery", None), Event("MGMT", None)), [])
    assert [message.parameters for message in found.messages] == [{"event": "surgery"}]


def test_undated_visits_stay_undated():
    found = course_of(patient(dates={**DATES, "V3": None}), [])
    assert [response.volume.possible for response in judge(found, "RANO_2.0")][-1] == ("undated",)
