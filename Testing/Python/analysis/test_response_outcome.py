"""What later scans made of a category, as a radiologist reads it: what it was, which scan settled it, what stands."""

import dataclasses
import itertools
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from response.simple import course, lesion, of_area, postoperative, visit

from PseudoProgressionAnalyzerLib.analysis import Analysis, responding
from PseudoProgressionAnalyzerLib.measures import Patient, Visit
from PseudoProgressionAnalyzerLib.report import words
from PseudoProgressionAnalyzerLib.response import CRITERIA, SteroidDose, respond
from PseudoProgressionAnalyzerLib.response.categories import CATEGORIES

PRELIMINARY = "RANO 2.0 by area and volume. At this visit: preliminary progression, awaiting confirmation. "
PARTIAL = "RANO 2.0 by area and volume. At this visit: partial response (PR). "
COMPLETE = "RANO 2.0 by area and volume. At this visit: complete response (CR)"
RAISED = "RANO 2.0 by area and volume. At this visit: not assignable because of the steroid dose. "
UNMEASURED = dataclasses.replace(lesion("A", 9, 7), longest=None, perpendicular=None, volume=None)
BASELINE = "RANO 2.0 by area and volume. This visit is the baseline and has no category of its own. "


def areas(*later):
    """1000 mm2 inside the field on day 28, then (name, day, area) or (name, day, area, details)."""

    def at_day(name, day, area, details=None):
        return visit(name, day / 7, *([of_area("A", area, field="inside")] if area else []), **(details or {}))

    return course(at_day("baseline", 28, 1000), *(at_day(*entry) for entry in later))


def dosed(*doses):
    """20 mm throughout, with these doses from the baseline on, 8 weeks apart; None ends in clinical decline."""
    worse = {"clinical": "worse", "from_tumour": True}
    return course(
        *(
            visit(
                f"v{number}", 4 + 8 * number, lesion("A", 20), steroid=SteroidDose(dose or 6), **({} if dose else worse)
            )
            for number, dose in enumerate(doses)
        )
    )


def nodules(*later):
    return course(postoperative(), visit("month 1", 4, lesion("A", 14, 12)), *later)


def said(patient_course, name, criterion="RANO 2.0"):
    """The sentences of the outcome of a visit by one criterion."""
    visits = [Visit(found.visit, found.date) for found in patient_course.visits]
    analysis = Analysis(Patient("p", visits, [], []))
    analysis.response = respond(patient_course, analysis.choices)
    sentences = map(words.sentence, responding.outcome(analysis, name))
    return [sentence for sentence in sentences if sentence.startswith(f"{criterion} ")]


COMBINATIONS = {
    "confirmed": (
        areas(("first", 60, 1300), ("second", 95, 1700)), "first",
        PRELIMINARY + "The scan of second, 35 days later, confirms it: progressive disease (PD), dated back to this "
        "visit.",
    ),
    "not confirmed": (
        areas(("first", 60, 1300), ("second", 95, 1100)), "first",
        PRELIMINARY + "The scan of second, 35 days later, does not confirm it, which favours pseudoprogression.",
    ),
    "smaller but clinically worse": (
        areas(("first", 60, 1300), ("second", 95, 1100, {"clinical": "worse", "from_tumour": True})), "first",
        PRELIMINARY + "With the later scans one of these, not decided: growth that was not confirmed "
        "(favours pseudoprogression) or progressive disease (PD).",
    ),
    "early enhancement that fades": (
        nodules(visit("next", 8.5, lesion("A", 9, 7)), visit("month 3", 13)), "month 1",
        BASELINE + "Enhancement that had appeared since post-op did not grow further by next, 32 days later, which "
        "favours pseudoprogression.",
    ),
    "early enhancement, whether it grew is not known": (
        nodules(visit("next", 8.5, UNMEASURED), visit("month 3", 13)), "month 1",
        BASELINE + "Enhancement that may have appeared since post-op may not have grown further by next, 32 days "
        "later, which would favour pseudoprogression.",
    ),
    "partial response that nothing confirms": (
        areas(("first", 120, 300), ("second", 135, 700)), "first",
        PARTIAL + "No scan at least 4 weeks away confirms it, so that it counts as stable disease (SD).",
    ),
    "partial response shown again too late": (
        areas(("first", 120, 300), ("second", 420, 300)), "first",
        PARTIAL + "With the later scans one of these, not decided: partial response (PR) or stable disease (SD).",
    ),
    "complete response held as a partial one": (
        areas(("smaller", 120, 300), ("gone", 155, 0), ("new", 200, 900)), "gone",
        COMPLETE + ", which no scan at least 4 weeks away confirms. It holds as partial response (PR) (smaller, 35 "
        "days away).",
    ),
    "complete response that nothing confirms": (
        areas(("gone", 120, 0), ("back", 155, 1200)), "gone",
        COMPLETE + ". No scan at least 4 weeks away confirms it, so that it counts as stable disease (SD).",
    ),
    "steroid dose back": (
        dosed(2, 6, 2), "v1", RAISED + "On v2 the dose was back to that of the baseline: stable disease (SD).",
    ),
    "progression under the raised dose": (
        dosed(2, 6, 6, None), "v2",
        RAISED + "The tumour progressed on v3: progressive disease (PD), dated to v1, the first visit with the raised "
        "dose.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("combination", COMBINATIONS)
def test_every_combination_says_what_it_was_and_what_later_scans_made_of_it(combination):
    patient_course, name, sentence = COMBINATIONS[combination]
    assert said(patient_course, name) == [sentence]


def test_area_and_volume_stand_apart_where_they_differ():
    """No growth of the area, a tenfold volume: preliminary progression by volume alone."""
    patient_course = areas(("first", 60, 1000), ("second", 95, 1000))
    baseline, first, second = patient_course.visits
    volume = dataclasses.replace(first.lesions[0].volume, value=10 * first.lesions[0].volume.value)
    first = dataclasses.replace(first, lesions=(dataclasses.replace(first.lesions[0], volume=volume),))
    (sentence,) = said(dataclasses.replace(patient_course, visits=(baseline, first, second)), "first")
    assert sentence.startswith("RANO 2.0 by volume. At this visit: preliminary progression")


def test_nothing_is_said_where_later_scans_change_nothing():
    patient_course = areas(("first", 60, 1050), ("second", 95, 1050))
    assert said(patient_course, "first") == []


def test_no_sentence_of_any_course_shows_a_code_or_leaves_a_place_open():
    """Over all sizes, doses and gaps: every category that changes is told in words."""
    told = set()
    sizes, days = (0, 300, 1000, 1300, 1700), ((60, 95), (120, 155), (60, 400))
    for (one, other), (first, second), dose in itertools.product(itertools.product(sizes, sizes), days, (0.0, 6.0)):
        raised = {"steroid": SteroidDose(dose)}
        patient_course = areas(("first", first, one, raised), ("second", second, other))
        for criterion in CRITERIA:
            for sentence in said(patient_course, "first", criterion.replace("_", " ")):
                told.add(sentence)
                assert "?" not in sentence and "{" not in sentence and "response_" not in sentence
                assert not any(f" {code}." in sentence or f" {code} " in sentence for code in CATEGORIES if "_" in code)
    assert len(told) > 12
