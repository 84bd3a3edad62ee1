"""The visits that a visit is compared with: its baseline, and from where on its nadir counts.

Only visits up to the judged one are looked at, so that later scans never change what was said. An operation resets
both references: the first scan after it is the new one and is not scored (9.4). Where the end of radiotherapy is
unknown every earlier visit may be the baseline: all of them are returned.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass

from ..measures import Message
from .categories import BASELINE, BEFORE_BASELINE
from .inputs import NOT_ENDED, Course, VisitInputs
from .published import limit

POST_OPERATIVE, POST_RADIOTHERAPY = "post_operative", "post_radiotherapy"
"""Baseline of a newly diagnosed tumour: RANO 2010 and iRANO (1.7, 5.5), mRANO and RANO 2.0 (2.1, 3.1)."""


@dataclass(frozen=True)
class Reference:
    """Indices of the baseline and of the first visit that may be the nadir."""

    baseline: int
    nadir_from: int


@dataclass(frozen=True)
class References:
    """What a visit may be compared with (empty when it is not scored: state says why), and how it was chosen."""

    candidates: tuple[Reference, ...] = ()
    state: str = ""
    messages: tuple[Message, ...] = ()


def references(
    course: Course, visits: Sequence[VisitInputs], at: int, policy: str, stated: str | None = None
) -> References:
    """The references of the visit at an index; visits: those of the course with a date, in order.

    stated: id of the baseline that the user chose; it holds until an operation.
    """
    start = max((index for index in range(at + 1) if visits[index].surgery is not None), default=0)
    ids = [visit.visit for visit in visits]
    if stated in ids and ids.index(stated) >= start:
        baseline, messages = ids.index(stated), (Message("response_baseline_stated", {"visit": stated}),)
        if baseline > at:
            return References(state=BEFORE_BASELINE, messages=messages)
    else:
        baseline, messages = _automatic(course, visits, start, at, policy)
        if stated in ids:
            messages += (Message("response_baseline_void", {"visit": stated}),)
        if baseline is None and _radiotherapy_end(course) is not None:
            return References(state=BEFORE_BASELINE, messages=messages)
    if baseline == at or start == at:
        return References(state=BASELINE, messages=messages)
    baselines = range(start, at) if baseline is None else (baseline,)
    candidates = [
        Reference(index, nadir_from)
        for index in baselines
        for nadir_from in _nadir_from(course, visits, index, at, policy)
    ]
    return References(tuple(dict.fromkeys(candidates)), messages=messages)


def _automatic(
    course: Course, visits: Sequence[VisitInputs], start: int, at: int, policy: str
) -> tuple[int | None, tuple[Message, ...]]:
    """The baseline by the criterion's policy among the visits from start to at, None where there is none or unknown."""
    first, end = visits[start], _radiotherapy_end(course)
    shown = {"visit": first.visit}
    if course.treatment_start is not None and (first.surgery is None or first.surgery < course.treatment_start):
        return _before_treatment(course.treatment_start, visits, start, at)
    if first.surgery is not None and end is not None and first.surgery > end:
        return start, (Message("response_baseline_after_operation", shown),)
    if policy == POST_OPERATIVE:
        return start, (_post_operative(first, end),)
    if course.radiotherapy_ends == ():
        return start, (Message("response_baseline_first", shown),)
    if end is None:
        return None, (Message("response_baseline_unknown"),)
    after = [index for index in range(start, at + 1) if visits[index].date > end]
    if not after:
        ended = Message("response_before_baseline", {"end": end.isoformat()})
        return None, (Message("response_before_baseline_goes_on") if end == NOT_ENDED else ended,)
    baseline = min(after, key=lambda index: (_days_outside((visits[index].date - end).days), index))
    days = (visits[baseline].date - end).days
    shown = {"visit": visits[baseline].visit, "days": days, "outside": _days_outside(days)}
    if shown["outside"]:
        return baseline, (Message("response_baseline_outside_window", shown),)
    return baseline, (Message("response_baseline_post_radiotherapy", shown),)


def _before_treatment(
    begin: datetime.date, visits: Sequence[VisitInputs], start: int, at: int
) -> tuple[int, tuple[Message, ...]]:
    """The last scan before a treatment that is not the first radiotherapy (3.2, 3.3)."""
    before = [index for index in range(start, at + 1) if visits[index].date <= begin]
    baseline = before[-1] if before else start
    days = (begin - visits[baseline].date).days
    shown = {"visit": visits[baseline].visit, "days": days, "most": limit("before_treatment")}
    within = 0 <= days <= limit("before_treatment")
    return baseline, (
        Message("response_baseline_before_treatment", shown)
        if within
        else Message("response_baseline_not_before_treatment", shown),
    )


def _post_operative(first: VisitInputs, radiotherapy_end: datetime.date | None) -> Message:
    if first.surgery is None or (radiotherapy_end is not None and first.date > radiotherapy_end):
        return Message("response_baseline_not_post_operative", {"visit": first.visit})
    shown = {
        "visit": first.visit,
        "days": (first.date - first.surgery).days,
        "most": limit("after_surgery"),
    }
    if shown["days"] <= shown["most"]:
        return Message("response_baseline_post_operative", shown)
    return Message("response_baseline_late_after_operation", shown)


def _radiotherapy_end(course: Course) -> datetime.date | None:
    """End of the first course of radiotherapy, None when unknown or none was given."""
    return min(course.radiotherapy_ends or (), default=None)


def _nadir_from(course: Course, visits: Sequence[VisitInputs], baseline: int, at: int, policy: str) -> tuple[int, ...]:
    """The first visit that may be the nadir; several where the end of radiotherapy is unknown.

    RANO 2010 compares from 12 weeks after radiotherapy on with the first scan after it or a smaller later one (1.36).
    """
    if policy == POST_RADIOTHERAPY or course.treatment_start is not None or course.radiotherapy_ends == ():
        return (baseline,)
    end = _radiotherapy_end(course)
    if end is None:
        return tuple(range(baseline, at))
    if (visits[at].date - end).days < limit("twelve_weeks_2010"):
        return (baseline,)
    return (next((index for index in range(baseline, at) if visits[index].date > end), baseline),)


def _days_outside(days: int) -> int:
    """Days that a scan lies outside the window after radiotherapy (3.1)."""
    return int(max(limit("baseline_first") - days, days - limit("baseline_last"), 0))
