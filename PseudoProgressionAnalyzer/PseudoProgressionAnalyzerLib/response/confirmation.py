"""What later scans make of a category: confirmed, not confirmed, dated back. Outcome, never evidence for the visit.

A confirming scan lies at least 4 weeks from the visit (10.5), before any operation. Later than 16 weeks it confirms
only if the user says how late it may be (9.9): else both answers stay possible.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ..measures import Message
from .categories import CR, PD, PR, PRELIMINARY, PSEUDOPROGRESSION, RANK, SD, STEROID
from .published import limit

LATE = "late"


@dataclass(frozen=True)
class Seen:
    """A visit with the categories that are possible as of it.

    scored: whether it has references; operated: whether an operation lies between the visit before and this one.
    dose_lowered: whether the steroid dose is not above that of its baseline (None when unknown). decline: whether
    deterioration or leptomeningeal disease may speak against pseudoprogression.
    """

    visit: str
    date: datetime.date
    possible: frozenset[str]
    scored: bool
    operated: bool
    dose_lowered: bool | None
    decline: bool


@dataclass(frozen=True)
class Settled:
    """A final category, the visit that progression is dated to (empty where there is none) and why."""

    category: str
    dated: str = ""
    reasons: tuple[Message, ...] = ()


def settle(
    seen: Sequence[Seen],
    at: int,
    further: Callable[[int, int], bool | None] | None,
    resolves_steroid: bool,
    longest: int | None,
) -> list[Settled]:
    """The final categories of a visit that are possible, one for each category that is possible as of it.

    further(at, later): whether the later scan confirms preliminary progression, None when unknown; None in its place
    where the rule is not known. resolves_steroid: whether 3.32 and 3.33 settle what the steroid dose forbade. longest:
    days after which a scan no longer confirms a response.
    """
    found: list[Settled] = []
    for category in sorted(seen[at].possible):
        if category == PRELIMINARY:
            found += _preliminary(seen, at, further)
        elif category in RANK:
            found += _response(seen, at, category, longest)
        elif category == STEROID and resolves_steroid:
            found += _steroid(seen, at)
        else:
            found.append(Settled(category, seen[at].visit if category == PD else ""))
    return found


def confirming(seen: Sequence[Seen], at: int) -> int | None:
    """The first scan at least 4 weeks later, without an operation in between."""
    for later in range(at + 1, len(seen)):
        if seen[later].operated:
            return None
        if _days(seen, at, later) >= limit("confirmation"):
            return later
    return None


def _days(seen: Sequence[Seen], one: int, other: int) -> int:
    return abs((seen[other].date - seen[one].date).days)


def _exactly_four_weeks(seen: Sequence[Seen], one: int, other: int) -> tuple[Message, ...]:
    """Sources differ between "at least" and "more than" 4 weeks: exactly 28 days is flagged (10.5)."""
    if _days(seen, one, other) != limit("confirmation"):
        return ()
    return (Message("response_exactly_four_weeks", {"visit": seen[other].visit}),)


def _preliminary(seen: Sequence[Seen], at: int, further: Callable[[int, int], bool | None] | None) -> list[Settled]:
    """Confirmed and dated back (3.42), or pseudoprogression (3.43)."""
    later = confirming(seen, at)
    if later is None:
        return [Settled(PRELIMINARY, reasons=(Message("response_awaits_confirmation"),))]
    if further is None:
        return [Settled(PRELIMINARY, reasons=(Message("response_confirmation_not_read"),))]
    shown = {"visit": seen[later].visit, "days": _days(seen, at, later)}
    flags = _exactly_four_weeks(seen, at, later)
    confirmed = Settled(PD, seen[at].visit, (Message("response_confirmed", shown), *flags))
    refuted = Settled(PSEUDOPROGRESSION, reasons=(Message("response_not_confirmed", shown), *flags))
    answer = further(at, later)
    if answer:
        return [confirmed]
    if answer is None:
        return [confirmed, refuted]
    if seen[later].decline:
        reasons = (Message("response_not_confirmed_but_worse", shown), *flags)
        return [Settled(PD, seen[later].visit, reasons), Settled(PSEUDOPROGRESSION, reasons=reasons)]
    return [refuted]


def _response(seen: Sequence[Seen], at: int, category: str, longest: int | None) -> list[Settled]:
    """Held over at least 4 weeks (1.24, 3.29), else stable (9.8); a complete response may be held as partial."""
    answers = [_held(seen, at, category, step, longest) for step in (1, -1)]
    held = next((other for answer, other in answers if answer is True), None)
    if held is not None:
        shown = {"category": category, "visit": seen[held].visit, "days": _days(seen, at, held)}
        reasons = (Message("response_held", shown), *_exactly_four_weeks(seen, at, held))
        return [Settled(category, reasons=reasons)]
    if category == CR:
        lesser = _response(seen, at, PR, longest)
    else:
        lesser = [Settled(SD, reasons=(Message("response_not_held", {"category": category}),))]
    late = [other for answer, other in answers if answer == LATE]
    if late:
        shown = {"category": category, "visit": seen[late[0]].visit, "days": _days(seen, at, late[0])}
        return [Settled(category, reasons=(Message("response_confirmed_late", shown),)), *lesser]
    if any(answer is None for answer, _ in answers):
        return [Settled(category, reasons=(Message("response_maybe_held", {"category": category}),)), *lesser]
    return lesser


def _held(
    seen: Sequence[Seen], at: int, category: str, step: int, longest: int | None
) -> tuple[bool | str | None, int]:
    """Whether a response holds from one visit over at least 4 weeks in one direction of time, and until which visit."""
    sure, before = True, at
    other = at + step
    while 0 <= other < len(seen):
        later = max(other, before)
        if seen[later].operated or not seen[other].scored:
            break
        holds = {RANK.get(found, 0) >= RANK[category] for found in seen[other].possible}
        if True not in holds:
            break
        sure = sure and holds == {True}
        gap = _days(seen, before, other)
        if gap > (limit("late_confirmation") if longest is None else longest):
            return (LATE if longest is None else False), other
        if _days(seen, at, other) >= limit("confirmation"):
            return (True if sure else None), other
        before, other = other, other + step
    return False, at


def _steroid(seen: Sequence[Seen], at: int) -> list[Settled]:
    """Back to the baseline dose: stable (3.32). Progression before that: dated to the first raised dose (3.33)."""
    observe = Settled(STEROID, reasons=(Message("response_steroid_observe"),))
    if seen[at].dose_lowered:
        return [observe]
    first = at
    while first > 0 and not seen[first].operated and seen[first - 1].possible == {STEROID}:
        first -= 1
    found = [observe] if seen[at].dose_lowered is None else []
    for later in range(at + 1, len(seen)):
        if seen[later].operated:
            break
        shown = {"visit": seen[later].visit}
        if PD in seen[later].possible:
            found.append(Settled(PD, seen[first].visit, (Message("response_steroid_progression", shown),)))
            if len(seen[later].possible) == 1:
                return found
        if seen[later].dose_lowered is not False:
            found.append(Settled(SD, reasons=(Message("response_steroid_lowered", shown),)))
            if seen[later].dose_lowered:
                return found
    return [*found, observe]
