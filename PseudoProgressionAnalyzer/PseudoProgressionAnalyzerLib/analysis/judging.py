"""The last step: an assessment as of each visit, and the outcome that came after it."""

from __future__ import annotations

from dataclasses import replace

from ..assessment import assess_visit, outcome_after, why_not_assessed
from ..measures import Assessment, Message
from . import Analysis, responding
from .aligning import failed_alignments


def assess_visits(analysis: Analysis) -> None:
    """One assessment for every visit after radiotherapy, each from what was known by then, and what came after it."""
    visits = [visit.id for visit in analysis.patient.visits if why_not_assessed(analysis.patient, visit.id) is None]
    analysis.assessments = [assess(analysis, visit) for visit in visits]
    analysis.outcome = {visit: outcome(analysis, visit) for visit in visits}


def assess(analysis: Analysis, as_of: str) -> Assessment:
    """The assessment as of a visit: it sees only measurements and events dated up to that visit.

    Criteria and prior are those of ``analysis.rules``. Raises InputError for a visit before the end of radiotherapy.
    """
    rules = analysis.rules
    found = assess_visit(
        analysis.patient,
        as_of,
        analysis.measurements,
        criteria=rules.criteria_set(),
        prior=rules.prior(as_of),
        windows=rules.windows,
    )
    by_then = [visit.id for visit in analysis.patient.visits if analysis.patient.was_there(visit.id, as_of)]
    doubted = failed_alignments(analysis, by_then)
    return replace(found, context=(*found.context, *responding.context(analysis, as_of), *doubted))


def outcome(analysis: Analysis, as_of: str) -> tuple[Message, ...]:
    """What came after a visit: sizes and events, categories that later scans changed, and alignments that failed."""
    patient = analysis.patient
    found = (*outcome_after(patient, as_of, analysis.measurements), *responding.outcome(analysis, as_of))
    on = [visit.id for visit in patient.visits if patient.was_there(as_of, visit.id)]
    return (*found, *failed_alignments(analysis, on)) if found else ()
