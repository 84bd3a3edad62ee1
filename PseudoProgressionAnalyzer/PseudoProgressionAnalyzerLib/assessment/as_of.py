"""What was known by the day of a visit: nothing that is dated later ever reaches an assessment."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..measures import Event, Measurement, Message, Patient, Visit, first_course, goes_on

TIMELESS = ("MGMT", "IDH")
"""Properties of the tumour: taken as known where no date is given."""


@dataclass(frozen=True)
class Known:
    """What was known by a visit.

    day: after the end of the first course of radiotherapy, None when unknown. events: begun by then, in order of date;
    an end that lies later is removed, and of radiotherapy it stands in its place that it had not ended. rows: the
    visit's own measurements, without those that rest on a later visit. before: the dated visits before it, in order of
    date. messages: what is unknown about the dates.
    """

    visit: Visit
    day: int | None
    events: tuple[Event, ...]
    rows: tuple[Measurement, ...]
    before: tuple[Visit, ...]
    messages: tuple[Message, ...]

    @property
    def earlier(self) -> Visit | None:
        """The visit before this one, if any."""
        return self.before[-1] if self.before else None

    def of_kind(self, kind: str) -> list[Event]:
        """The known events of a kind that took place, in order of date."""
        return [event for event in self.events if event.kind == kind and took_place(event)]


def why_not_assessed(patient: Patient, visit_id: str) -> Message | None:
    """Why there is no assessment as of this visit, or None where there is one.

    A visit before radiotherapy, or during its first course, has none. Where the dates of the visit or of radiotherapy
    are unknown there is one, and it says so. Raises InputError ``unknown_visit``.
    """
    visit = patient.visit(visit_id)
    first = first_course(patient.events)
    if visit.date is None or first is None:
        return None
    if begin(first) > visit.date:
        return Message("visit_before_radiotherapy", {"visit": visit.id})
    if goes_on(first):
        return Message("visit_radiotherapy_goes_on", {"visit": visit.id})
    if first.end is not None and first.end > visit.date:
        return Message("visit_during_radiotherapy", {"visit": visit.id, "end": first.end.isoformat()})
    return None


def known_by(patient: Patient, visit_id: str, measurements: Sequence[Measurement]) -> Known:
    """What was known by the visit. A visit without a date knows only itself and what is timeless."""
    visit = patient.visit(visit_id)
    dates = {other.id: other.date for other in patient.visits}
    messages: list[Message] = []
    events, undated = _events(patient, visit)
    if visit.date is None:
        messages.append(Message("visit_undated", {"visit": visit.id}))
    messages += [Message("event_undated", {"event": kind}) for kind in undated]
    first, day = first_course(events), None
    if first is not None and first.end is not None:
        day = (visit.date - first.end).days
    elif first is not None:
        messages.append(Message("radiotherapy_end_unknown"))
    elif visit.date is not None:
        messages.append(Message("radiotherapy_unknown"))

    def by_then(other: str) -> bool:
        date = dates.get(other)
        return other in ("", visit.id) or (date is not None and visit.date is not None and date <= visit.date)

    rows = [row for row in measurements if row.visit == visit.id and by_then(row.drawn_in) and by_then(row.compared_to)]
    before = [other for other in patient.visits if other.date and visit.date and other.date < visit.date]
    before.sort(key=lambda other: other.date)
    return Known(visit, day, events, tuple(sorted(rows, key=_row_order)), tuple(before), tuple(messages))


def took_place(event: Event) -> bool:
    """False where it was stated that there was none (``given`` false)."""
    return event.details.get("given") is not False


def begin(event: Event) -> datetime.date | None:
    """First known day of an event."""
    return event.date or event.end


def _events(patient: Patient, visit: Visit) -> tuple[tuple[Event, ...], list[str]]:
    """(events begun by the visit in order of date, kinds of undated events that are left out)."""
    known, undated = [], set()
    for event in patient.events:
        day = begin(event)
        if day is None:
            if event.kind in TIMELESS or not took_place(event):
                known.append(event)
            else:
                undated.add(event.kind)
        elif visit.date is not None and day <= visit.date:
            later = event.end is not None and event.end > visit.date
            known.append(_begun(event) if later else event)
    order = sorted(
        known, key=lambda event: (str(begin(event) or ""), event.kind, sorted(map(str, event.details.items())))
    )
    return tuple(order), sorted(undated)


def _begun(event: Event) -> Event:
    """The event without its end, which had not come."""
    stated = {"ended": False} if event.kind == "radiotherapy" else {}
    return replace(event, end=None, details=event.details | stated)


def _row_order(row: Measurement) -> tuple:
    """A complete order, so that the order in which measurements come changes nothing."""
    return (
        row.name, row.kind, row.region, row.drawn_in, row.compared_to, row.method, row.reference, row.value is None,
        row.value or 0.0, str((row.low, row.high)),
    )  # fmt: skip
