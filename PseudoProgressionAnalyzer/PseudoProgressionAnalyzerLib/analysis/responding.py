"""The response of each visit by every criterion, from the followed lesions and what events and readings state."""

from __future__ import annotations

import dataclasses
import itertools

from ..lesion.diameters import Diameters
from ..lesion.estimate import Estimate
from ..lesion.following import FollowedLesion
from ..measures import Message
from ..response import CRITERIA, Course, Lesion, course_with, respond, sized
from ..response.categories import BASELINE, BEFORE_BASELINE, NOT_APPLICABLE, UNDATED, in_words
from ..response.verdict import Option, Verdict
from . import Analysis
from .lesions import follow_lesions

PLANES = ("sagittal", "coronal", "axial")
MOSTLY = 0.5
"""Share of necrosis from which a lesion counts as mostly necrotic: more than half of it."""
WHOLE = 0.99
"""Share of a lesion in the high-dose region from which it lies inside, and below 1 - WHOLE outside: only voxels at its
edge are forgiven. How much of a lesion decides is recalled only (1.40), so that both are shown in between."""
SILENT = (BASELINE, BEFORE_BASELINE, UNDATED, NOT_APPLICABLE)
"""Categories that say nothing about how a lesion changed."""
LATER = {
    "response_confirmed": "response_later_confirmed",
    "response_not_confirmed": "response_later_not_confirmed",
    "response_baseline_enhancement": "response_later_baseline",
    "response_held": "response_later_lesser",
    "response_not_held": "response_later_not_held",
    "response_steroid_lowered": "response_later_steroid_lowered",
    "response_steroid_progression": "response_later_steroid_progression",
}
"""Why later scans made another category of a visit, and the sentence of the outcome that says so."""


def update_lesions(analysis: Analysis) -> None:
    """Lesions and responses again after an edit; only outlines that changed are measured."""
    follow_lesions(analysis)
    judge_responses(analysis)


def judge_responses(analysis: Analysis) -> None:
    """``analysis.response`` by the present choices. Raises InputError as ``response.judge`` and ``course_with``."""
    analysis.response = respond(course(analysis), analysis.choices)


def course(analysis: Analysis) -> Course:
    """What the rules look at."""
    lesions: dict[str, list[Lesion]] = {}
    for lesion in analysis.lesions:
        if lesion.outline is not None:
            lesions.setdefault(lesion.visit, []).append(_as_input(analysis, lesion))
    found = course_with(analysis.patient, lesions)
    choices = analysis.choices
    return dataclasses.replace(found, tumour=choices.tumour, treatment_start=choices.treatment_start)


def context(analysis: Analysis, visit_id: str) -> tuple[Message, ...]:
    """The categories of a visit as of it: context of its assessment, never evidence. Nothing later enters."""
    found = []
    for criterion in CRITERIA:
        response = analysis.response.of(visit_id, criterion)
        if response is None or {*response.area.possible, *response.volume.possible} <= set(SILENT):
            continue
        name = _name(criterion)
        area, volume = _words(response.area.provisional), _words(response.volume.provisional)
        if area == volume:
            found.append(Message("response_as_of_both", {"criterion": name, "category": area}))
        else:
            found.append(Message("response_as_of", {"criterion": name, "area": area, "volume": volume}))
    tree = analysis.response.bt_rads_of(visit_id)
    if tree is not None and not set(tree.possible) <= {"0", *SILENT}:
        found.append(Message("response_bt_rads_as_of", {"categories": _words(tree.provisional)}))
        found += tree.notes if tree.category is not None else ()
    return (*found, Message("response_only_shown")) if found else ()


def outcome(analysis: Analysis, visit_id: str) -> tuple[Message, ...]:
    """What later scans made of the categories of a visit: its outcome, where that differs from what was said then."""
    found = []
    date = analysis.patient.visit(visit_id).date
    if date is None or not any(other.date is not None and other.date > date for other in analysis.patient.visits):
        return ()
    for criterion in CRITERIA:
        response = analysis.response.of(visit_id, criterion)
        settled = [verdict for verdict in (response.area, response.volume) if _settled(verdict)] if response else []
        for message, verdicts in itertools.groupby(settled, _later):
            shown = {"criterion": _name(criterion), "measure": " and ".join(verdict.measure for verdict in verdicts)}
            found.append(Message(message.code, {**shown, **message.parameters}))
    return tuple(found)


def _later(verdict: Verdict) -> Message:
    """What later scans made of a category, and which of them did."""
    option = verdict.final[0]
    why, found = (option.reasons[0].code, option.reasons[0].parameters) if option.reasons else ("", {})
    if len(verdict.final) == 1:
        code = LATER.get(why, "response_later")
    else:
        code = "response_later_baseline_open" if why == "response_baseline_enhancement" else "response_later_open"
    shown = {"then": _words(verdict.provisional), "final": _words(verdict.final), "dated": option.dated}
    return Message(code, {**found, **shown})


def _name(criterion: str) -> str:
    return criterion.replace("_", " ")


def _settled(verdict: Verdict) -> bool:
    then, later = ({option.category for option in options} for options in (verdict.provisional, verdict.final))
    return then != later and not later <= set(SILENT)


def _words(options: tuple[Option, ...]) -> str:
    return in_words(option.category for option in options)


def _as_input(analysis: Analysis, lesion: FollowedLesion) -> Lesion:
    outline, beside = lesion.outline, lesion.outline.beside
    lines = outline.lines[analysis.choices.rule]
    dose = beside.get("high_dose_fraction")
    return sized(
        lesion.lesion,
        lines,
        lesion.tracked.volume,
        component=outline.component,
        plane=_plane(analysis, lesion.visit, lines),
        field=None if dose is None else "inside" if dose >= WHOLE else "outside" if dose <= 1 - WHOLE else "both",
        relatives=lesion.tracked.relatives,
        cystic=beside.get("necrotic_fraction", 0.0) > MOSTLY,
    )


def _plane(analysis: Analysis, visit_id: str, lines: Diameters) -> str:
    """The anatomical plane nearest to that of the diameters."""
    normal = analysis.images[visit_id, "T1CE"].affine[:3, lines.slice_axis]
    return PLANES[int(abs(normal).argmax())]


def product_band(lesion: FollowedLesion, rule: str, spacing: tuple[float, float, float]) -> Estimate:
    """The product of both diameters in mm2 with how far one voxel at each end of both moves it.

    spacing: mm along ``(i, j, k)``. The band is that of the grid alone, no 95 % interval: readers differ by more.
    """
    lines = lesion.outline.lines[rule]
    edge = max(length for axis, length in enumerate(spacing) if axis != lines.slice_axis)
    low = max(lines.longest - edge, 0.0) * max(lines.perpendicular - edge, 0.0)
    return Estimate(lines.product, "mm2", low, (lines.longest + edge) * (lines.perpendicular + edge))
