"""Anything dated after a visit changes nothing in what is said as of it: lesions, response, assessment."""

import copy
import dataclasses
import datetime
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from followed import BALLS, RIGHT, followed_patient

from PseudoProgressionAnalyzerLib.analysis.judging import assess
from PseudoProgressionAnalyzerLib.analysis.lesion_rows import lesion_rows
from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
from PseudoProgressionAnalyzerLib.analysis.responding import update_lesions
from PseudoProgressionAnalyzerLib.measures import PURPOSES, Event, Image, Map, Region, Series
from PseudoProgressionAnalyzerLib.response import CRITERIA

NUMBER, AS_OF = 4, "v2"  # visits, and the third of them: six and twelve weeks after it come two more
STATED = (
    ("radiotherapy", {"dose_gray": 30.0}),
    ("radiotherapy", {"ended": False}),
    ("surgery", {}),
    ("biopsy", {"viable_tumour": True}),
    ("bevacizumab", {}),
    ("bevacizumab", {"given": False}),
    ("immunotherapy", {}),
    ("dexamethasone", {"dose_mg_per_day": 12.0}),
    ("clinical_status", {"status": "worse", "from_tumour": True}),
    ("reading", {"new_lesion": True, "flair_worse": True, "outside_field": True, "all_lesions_drawn": True}),
    ("IDH", {"mutated": True}),
    ("MGMT", {"methylated": True}),
)


def patient():
    """Four visits with growing lesions in the first weeks after radiotherapy; of therapy little is known."""
    made = followed_patient(BALLS[:NUMBER], weeks=3)
    made.patient.events.append(Event("dexamethasone", made.patient.visits[0].date, details={"dose_mg_per_day": 2.0}))
    return made


def judged(analysis):
    measure_visits(analysis)
    update_lesions(analysis)
    return analysis


def said_as_of(analysis, visit=AS_OF):
    """All that is said as of a visit and of the visits before it."""
    known = [one.id for one in analysis.patient.visits if one.date <= analysis.patient.visit(visit).date]
    rows = [row for row in lesion_rows(analysis) if row.visit in known]
    found = [analysis.response.of(one, criterion) for one in known for criterion in CRITERIA]
    verdicts = [verdict for both in found for verdict in (both.area, both.volume)]
    verdicts += [analysis.response.bt_rads_of(one) for one in known]
    then = [(v.provisional, v.baseline, v.nadir, v.from_baseline, v.from_nadir) for v in verdicts]
    return repr((rows, then, [assess(analysis, one) for one in known]))


@pytest.fixture(scope="module")
def before():
    return judged(patient())


@pytest.fixture
def later(before):
    """A copy to which later things may be added."""
    made = copy.copy(before)
    made.patient = copy.deepcopy(before.patient)
    for name in ("regions", "maps", "series_to_visit", "images", "messages", "outlines", "overlaps", "given"):
        setattr(made, name, dict(getattr(before, name)))
    return made


@pytest.mark.parametrize(("kind", "details"), STATED, ids=[kind for kind, _ in STATED])
def test_a_later_event_changes_nothing(before, later, kind, details):
    """On the day of a later visit without an end, and on the day after this one with an end."""
    first = later.patient.visit(AS_OF).date + datetime.timedelta(days=1)
    for day, end in ((later.patient.visit("v3").date, None), (first, first + datetime.timedelta(days=20))):
        later.patient.events = [*before.patient.events, Event(kind, day, end, dict(details))]
        assert said_as_of(judged(later)) == said_as_of(before)


@pytest.mark.parametrize("purpose", PURPOSES)
def test_what_is_drawn_in_a_later_visit_changes_nothing(before, later, purpose):
    anatomy = later.images["v3", "T1CE"]
    later.patient.regions.insert(0, Region("later", "v3", purpose, Path("none"), carried=True))
    later.regions["v3", "later"] = Image(np.ones(anatomy.shape, bool), anatomy.affine)
    assert said_as_of(judged(later)) == said_as_of(before)


@pytest.mark.parametrize("visit", ["v0", "v2", "v3"])
def test_a_high_dose_region_holds_from_the_visit_on_in_which_it_was_drawn(later, visit):
    """So the test before can fail; where a dose lies says the same."""
    anatomy = later.images[visit, "T1CE"]
    later.patient.regions.append(Region("field", visit, "high_dose", Path("none")))
    later.regions[visit, "field"] = Image(np.ones(anatomy.shape, bool), anatomy.affine)
    shares = {row.visit: row.value for row in lesion_rows(judged(later)) if row.name == "high_dose_fraction"}
    assert sorted(shares) == [f"v{number}" for number in range(int(visit[1]), NUMBER)]
    assert set(shares.values()) == {1.0}


def test_a_dose_on_a_later_visit_changes_nothing(before, later):
    anatomy = later.images["v3", "T1CE"]
    array = np.full(anatomy.shape, 60.0, np.float32)
    later.patient.events[0] = dataclasses.replace(later.patient.events[0], details={"dose_gray": 60.0})
    later.patient.visits[3].series.append(Series("RTDOSE", Path("dose"), {"Units": "Gy"}))
    later.maps["v3", "RTDOSE"] = Map(array, anatomy.affine, "RTDOSE", "Gy", "planned dose")
    later.series_to_visit["v3", "RTDOSE"] = np.eye(4)
    found = {row.visit: row.value for row in lesion_rows(judged(later)) if row.name == "high_dose_fraction"}
    assert found == {"v3": 1.0}
    with_dose = said_as_of(later)
    later.maps.pop(("v3", "RTDOSE"))
    assert said_as_of(judged(later)) == with_dose


def test_the_later_visits_themselves_change_nothing(before):
    cut = followed_patient(BALLS[:3], weeks=3)
    cut.patient.events = list(before.patient.events)
    assert said_as_of(judged(cut)) == said_as_of(before)
    moved = followed_patient([*BALLS[:3], [(RIGHT, 20.0)]], weeks=3)
    moved.patient.events = list(before.patient.events)
    assert said_as_of(judged(moved)) == said_as_of(before)


def test_the_same_check_fails_for_what_came_in_time(before, later):
    later.patient.events.append(Event("biopsy", later.patient.visit(AS_OF).date, None, {"viable_tumour": True}))
    assert said_as_of(judged(later)) != said_as_of(before)
    anatomy = later.images["v1", "T1CE"]
    later.patient.events.pop()
    later.patient.regions.append(Region("field", "v1", "high_dose", Path("none")))
    later.regions["v1", "field"] = Image(np.ones(anatomy.shape, bool), anatomy.affine)
    assert said_as_of(judged(later)) != said_as_of(before)
