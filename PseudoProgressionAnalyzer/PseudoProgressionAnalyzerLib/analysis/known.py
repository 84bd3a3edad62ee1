"""An analysis as it was known by one of its visits: a report as of then shows nothing that came later."""

from __future__ import annotations

import dataclasses
import datetime
import math
import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..assessment.as_of import known_by
from ..imaging.registration import OF_UNCERTAINTY, doubts_of
from ..measures import Message, Patient
from ..response import Choices
from . import Analysis
from .aligning import USER, doubts, is_users
from .judging import outcome
from .responding import judge_responses

BY_VISIT = (
    "images", "brains", "visit_to_reference", "alignment", "series_to_visit", "maps", "curves", "spectra_fits",
    "region_spectra", "absent", "dsc_choices", "regions", "midlines", "references", "uptake_noise", "parts",
    "reader_lines", "messages", "outlines", "overlaps",
)  # fmt: skip
"""Fields that are kept by visit: their keys are a visit's id or begin with one."""


def is_latest(analysis: Analysis, as_of: str) -> bool:
    """Whether all that is known was known by this visit: no visit is dated later, and none beside it has no date, so
    that it may be later. Also where no visit is named (empty). Raises InputError ``unknown_visit``."""
    if not as_of:
        return True
    chosen = analysis.patient.visit(as_of)
    dates = [visit.date for visit in analysis.patient.visits if visit is not chosen]
    return not dates or (chosen.date is not None and None not in dates and max(dates) <= chosen.date)


def latest_assessed(analysis: Analysis) -> str:
    """The visit that is meant where none is chosen: the last that has an assessment, by date; empty where none has."""
    assessed = [analysis.patient.visit(found.as_of) for found in analysis.assessments]
    dated = [visit for visit in assessed if visit.date is not None]
    last = max(reversed(dated), key=lambda visit: visit.date, default=assessed[-1] if assessed else None)
    return last.id if last else ""


def known_analysis(analysis: Analysis, as_of: str) -> tuple[Analysis, int]:
    """(an analysis of what was known by a visit, how many visits that leaves out).

    Visits that are dated later, or not at all, are absent with all that was drawn, made, measured or judged in them or
    against them; so are later events, and the end of those that had not ended. Categories of response and outcome are
    judged again without them; assessments are the same, because they never saw more. A visit without a date knows only
    itself. Where none of the visits that are left out has a date, later events stay: they are outcome of the latest.
    Where ``is_latest`` nothing is left out: what came after it is outcome, and stands apart. What is not named here is
    left out: fields start empty. The analysis that was given stays as it was.

    Raises InputError ``unknown_visit``.
    """
    if is_latest(analysis, as_of):
        return analysis, 0
    patient = analysis.patient
    now = known_by(patient, as_of, ())
    day = now.visit.date
    latest = day is not None and all(visit.date is None or visit.date <= day for visit in patient.visits)
    ids = {as_of, *(visit.id for visit in patient.visits if day and visit.date and visit.date <= day)}
    dropped = {visit.id for visit in patient.visits} - ids
    of_then = {name: _without(getattr(analysis, name), dropped) for name in BY_VISIT}
    of_then["region_spectra"] = {key: fit for key, fit in of_then["region_spectra"].items() if key[1] in ids}
    of_then["messages"] = {visit: _not_about(said, dropped) for visit, said in of_then["messages"].items()}
    kept = Analysis(
        **of_then,
        patient=Patient(
            patient.id,
            [
                dataclasses.replace(visit, warnings=_not_about(visit.warnings, dropped))
                for visit in patient.visits
                if visit.id in ids
            ],
            patient.events if latest else list(now.events),
            [region for region in patient.regions if region.visit in ids],
            _not_about(patient.problems, dropped),
        ),
        reference_visit=analysis.reference_visit,
        measurements=[row for row in analysis.measurements if not {row.visit, row.drawn_in, row.compared_to} & dropped],
        lesions=[lesion for lesion in analysis.lesions if lesion.visit in ids],
        assessments=[found for found in analysis.assessments if found.as_of in ids],
        rules=dataclasses.replace(analysis.rules, priors=_without(analysis.rules.priors, dropped)),
        choices=_choices_of_then(analysis.choices, datetime.date.max if latest else day, dropped),
        finished={step for step in analysis.finished if step[1] not in dropped},
    )
    if analysis.reference_visit in dropped:
        _align_to_the_first(kept)
    if analysis.response.responses:
        judge_responses(kept)
    kept.outcome = {found.as_of: outcome(kept, found.as_of) for found in kept.assessments}
    return kept, len(dropped)


def _without(found: dict[Any, Any], dropped: set[str]) -> dict[Any, Any]:
    return {key: value for key, value in found.items() if (key[0] if isinstance(key, tuple) else key) not in dropped}


def _not_about(messages: Sequence[Message], dropped: set[str]) -> list[Message]:
    """The messages that name none of these visits, be it as a whole value, in a list, or as a part of a file's path."""

    def parts(value: Any) -> set[str]:
        if isinstance(value, (int, float)):
            return set()  # a number is never the name of a visit
        several = value if isinstance(value, (list, tuple)) else re.split(r", (?![^(]*\))", str(value))
        return {part for one in several for part in (str(one), *re.split(r"[\\/]", str(one)))}

    return [said for said in messages if not any(parts(value) & dropped for value in said.parameters.values())]


def _choices_of_then(choices: Choices, day: datetime.date | None, dropped: set[str]) -> Choices:
    """The user's choices, without a treatment that had not begun and a baseline that had not been scanned."""
    if choices.treatment_start is not None and (day is None or choices.treatment_start > day):
        choices = dataclasses.replace(choices, treatment_start=None)
    if choices.settings.baseline in dropped:
        choices = dataclasses.replace(choices, settings=dataclasses.replace(choices.settings, baseline=None))
    return choices


def _align_to_the_first(kept: Analysis) -> None:
    """Takes the earliest aligned visit as reference where the user had chosen a later one.

    Each visit reaches it through the visit of before. So both uncertainties add (as independent errors) and are judged
    anew, unknown where either is; all other doubts about either stay. The distances of edges were those to the visit
    of before, and are not known. Only of two transforms of the user is the way between them the user's own.
    """
    aligned = [visit.id for visit in kept.patient.visits if visit.id in kept.visit_to_reference]
    if not aligned:
        kept.reference_visit = ""
        return
    first, back = aligned[0], np.linalg.inv(kept.visit_to_reference[aligned[0]])
    doubted = {visit: doubts(kept, visit) for visit in aligned}
    trust = {first: {"uncertainty": 0.0}}
    for visit in aligned:
        said = [message for message in kept.messages.get(visit, []) if not message.code.startswith("registration_")]
        if visit != first and is_users(kept, visit) and is_users(kept, first):
            trust[visit] = {USER: 1.0}
        elif visit != first:
            both = [kept.alignment.get(one, {}).get("uncertainty", math.nan) for one in (first, visit)]
            together = math.hypot(*both)
            trust[visit] = {"uncertainty": together} if math.isfinite(together) else {}
            said += [
                message for one in (first, visit) for message in doubted[one] if message.code not in OF_UNCERTAINTY
            ]
            said += doubts_of(together)
        kept.messages[visit] = said
    kept.visit_to_reference = {visit: back @ matrix for visit, matrix in kept.visit_to_reference.items()}
    kept.visit_to_reference[first] = np.eye(4)
    kept.alignment, kept.reference_visit = trust, first
