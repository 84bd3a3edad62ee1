"""The last step: an assessment as of each visit, and the outcome that came after it."""

from __future__ import annotations

from ..assessment import assess_visit
from ..assessment.outcome import outcome_after
from ..measures import Assessment, Patient
from . import Analysis


def assess_visits(analysis: Analysis) -> None:
    """One assessment for every visit that is not known to lie before the end of radiotherapy, each from what was known
    by then."""
    analysis.assessments = []
    for visit in analysis.patient.visits:
        day = analysis.patient.day(visit)
        if visit.id not in analysis.visit_to_reference or (day is not None and day < 0):
            continue
        analysis.assessments.append(assess(analysis, visit.id))
        analysis.outcome[visit.id] = outcome_after(analysis.patient, visit.id, analysis.measurements)


def assess(analysis: Analysis, as_of: str) -> Assessment:
    """The assessment as of a visit: it sees only measurements and events dated up to that visit."""
    patient: Patient = analysis.patient
    return assess_visit(patient, as_of, analysis.measurements)
