"""Assessments and outcomes of visits that may not be comparable."""

import sys
from pathlib import Path

import numpy as np

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.judging import assess_visits
from PseudoProgressionAnalyzerLib.measures import Message
from PseudoProgressionAnalyzerLib.report.markup import Markup
from PseudoProgressionAnalyzerLib.report.summary import summary

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from assessment.simple import BEFORE, EARLY, LATE, measured, patient

DISAGREES = Message("registration_disagrees", {"distance": 2.7, "limit": 1.6})


def judged(failed):
    """Three visits, the lesion larger in the second and smaller in the third; failed: whose alignment failed."""
    rows = [measured("volume", size, "mL", visit) for visit, size in ((BEFORE, 12.0), (EARLY, 47.4), (LATE, 19.8))]
    analysis = Analysis(patient(), reference_visit=BEFORE, measurements=rows)
    for visit in (BEFORE, EARLY, LATE):
        analysis.visit_to_reference[visit], analysis.alignment[visit] = np.eye(4), {"uncertainty": 0.5}
    analysis.messages[failed] = [DISAGREES]
    assess_visits(analysis)
    return analysis


def doubted(messages):
    return [message.parameters["visit"] for message in messages if message.code == "alignment_failed"]


def test_an_alignment_that_failed_is_said_of_assessment_and_outcome_and_never_before_its_visit():
    for failed, of_assessments, of_outcomes in (
        (EARLY, {EARLY: [EARLY], LATE: [EARLY]}, {EARLY: [EARLY], LATE: []}),
        (LATE, {EARLY: [], LATE: [LATE]}, {EARLY: [LATE], LATE: []}),
        (BEFORE, {EARLY: [], LATE: []}, {EARLY: [], LATE: []}),  # the reference visit is aligned to itself
    ):
        analysis = judged(failed)
        assert {found.as_of: doubted(found.context) for found in analysis.assessments} == of_assessments
        assert {visit: doubted(said) for visit, said in analysis.outcome.items()} == of_outcomes


def test_page_one_says_beside_the_headline_which_visit_may_be_another_patient():
    analysis = judged(LATE)
    page = summary(Markup(analysis.patient), analysis.assessments[-1], analysis)
    assert page.count(f"The alignment of {LATE} failed") == 1
    assert page.index("The alignment of") < page.index("Key numbers")
