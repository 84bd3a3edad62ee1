"""An analysis as it was known by one of its visits: a report as of then shows nothing that came later."""

from __future__ import annotations

import dataclasses
import datetime
import math
from typing import Any

import numpy as np

from ..assessment import outcome_after
from ..assessment.as_of import known_by
from ..measures import Message
from ..response import Choices
from . import Analysis
from .aligning import is_users
from .responding import judge_responses, outcome

BY_VISIT = (
    "images", "brains", "visit_to_reference", "alignment", "series_to_visit", "maps", "curves", "spectra_fits",
    "region_spectra", "absent", "dsc_choices", "regions", "midlines", "references", "uptake_noise", "parts",
    "reader_lines", "messages", "outlines", "overlaps",
)  # fmt: skip
"""Fields that are kept by visit: their keys are a visit's id or begin with one."""


def is_latest(analysis: Analysis, as_of: str) -> bool:
    """Whether no visit with an assessment comes after this one; also where none is named (empty)."""
    return as_of in ("", *(found.as_of for found in analysis.assessments[-1:]))


def known_analysis(analysis: Analysis, as_of: str) -> tuple[Analysis, int]:
    """(the analysis without anything that was not known by a visit, how many visits that leaves out).

    Visits that are dated later, or not at all, are absent with all that was drawn, made, measured or judged in them or
    against them; so are later events, and the end of those that had not ended. Categories of response and outcome are
    judged again without them; assessments are the same, because they never saw more. A visit without a date knows only
    itself. As of the latest assessed visit, or of none (empty), nothing is left out: what came after it is outcome, and
    stands apart. The analysis that was given stays as it was.

    Raises InputError ``unknown_visit``.
    """
    if is_latest(analysis, as_of):
        return analysis, 0
    patient = analysis.patient
    now = known_by(patient, as_of, ())
    day = now.visit.date
    ids = {as_of, *(visit.id for visit in patient.visits if day and visit.date and visit.date <= day)}
    dropped = {visit.id for visit in patient.visits} - ids
    of_then = {name: _without(getattr(analysis, name), dropped) for name in BY_VISIT}
    kept = dataclasses.replace(
        analysis,
        **of_then,
        patient=dataclasses.replace(
            patient,
            visits=[visit for visit in patient.visits if visit.id in ids],
            events=list(now.events),
            regions=[region for region in patient.regions if region.visit in ids],
            problems=[found for found in patient.problems if not _about(found, dropped)],
            left_out=[],
        ),
        measurements=[row for row in analysis.measurements if not {row.visit, row.drawn_in, row.compared_to} & dropped],
        lesions=[lesion for lesion in analysis.lesions if lesion.visit in ids],
        assessments=[found for found in analysis.assessments if found.as_of in ids],
        choices=_choices_of_then(analysis, day),
        finished={step for step in analysis.finished if step[1] not in dropped},
    )
    kept.region_spectra = {key: fit for key, fit in kept.region_spectra.items() if key[1] not in dropped}
    if analysis.reference_visit in dropped:
        _align_to_the_first(kept)
    if analysis.response.responses:
        judge_responses(kept)
    kept.outcome = {
        found.as_of: (
            *outcome_after(kept.patient, found.as_of, kept.measurements), *outcome(kept, found.as_of),
        )
        for found in kept.assessments
    }  # fmt: skip
    return kept, len(dropped)


def _without(found: dict[Any, Any], dropped: set[str]) -> dict[Any, Any]:
    return {key: value for key, value in found.items() if (key[0] if isinstance(key, tuple) else key) not in dropped}


def _about(message: Message, dropped: set[str]) -> bool:
    """Whether a message names one of these visits, be it as the folder of a file."""
    return any(name in str(value) for name in dropped for value in message.parameters.values())


def _choices_of_then(analysis: Analysis, day: datetime.date | None) -> Choices:
    """The user's choices, without a treatment that had not begun."""
    choices = analysis.choices
    later = choices.treatment_start is not None and day is not None and choices.treatment_start > day
    return dataclasses.replace(choices, treatment_start=None) if later else choices


def _align_to_the_first(kept: Analysis) -> None:
    """Takes the earliest aligned visit as reference where the user had chosen a later one.

    Each visit reaches it through the visit of before, so that both uncertainties add (as independent errors); the
    distances of edges were those to the visit of before, and are not known.
    """
    aligned = [visit.id for visit in kept.patient.visits if visit.id in kept.visit_to_reference]
    if not aligned:
        kept.reference_visit = ""
        return
    first = aligned[0]
    back = np.linalg.inv(kept.visit_to_reference[first])
    own = kept.alignment.get(first, {}).get("uncertainty")
    trust = {}
    for visit in aligned:
        found = kept.alignment.get(visit, {})
        both = (found.get("uncertainty"), own)
        known = {} if None in both else {"uncertainty": math.hypot(*both)}
        trust[visit] = found if is_users(kept, visit) else known
    trust[first] = {"uncertainty": 0.0}
    kept.visit_to_reference = {visit: back @ matrix for visit, matrix in kept.visit_to_reference.items()}
    kept.visit_to_reference[first] = np.eye(4)
    kept.alignment, kept.reference_visit = trust, first
