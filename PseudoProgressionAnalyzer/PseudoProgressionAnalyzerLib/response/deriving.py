"""The inputs of the rules from a patient's events and measurements.

What nobody stated stays None. What only a reader can say (new lesions, T2/FLAIR, leptomeningeal disease, targets,
comparison with the visit before) comes from events of the kind ``reading`` on the day of the visit.
"""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from collections.abc import Mapping, Sequence

from ..lesion.diameters import Diameters
from ..lesion.estimate import estimate_of
from ..measures import Event, InputError, Measurement, Message, Patient, goes_on
from .inputs import CHANGES, NOT_ENDED, STATUSES, Comparison, Course, Lesion, VisitInputs, sized
from .published import limit
from .steroids import SteroidDose

READING = {
    "all_lesions_drawn": "all_drawn",
    "new_lesion": "new_lesion",
    "nonmeasurable_progression": "nonmeasurable_progression",
    "leptomeningeal": "leptomeningeal",
    "flair_worse": "flair_worse",
    "outside_field": "outside_field",
}
"""Details of a ``reading`` (true or false each) and the field of VisitInputs that they state. Others: ``enhancement``
and ``flair`` (better, same or worse than the visit before), ``major``, ``progressive`` and ``steroid_effect_likely``
(BT-RADS: ``Comparison``), ``targets`` (names of the target lesions), ``not_tumour`` (name of a lesion to what it
is)."""

COMPARED = ("enhancement", "flair", "major", "progressive", "steroid_effect_likely")
KNOWN = (*READING, *COMPARED, "targets", "not_tumour")


def course_of(
    patient: Patient, measurements: Sequence[Measurement], shapes: Mapping[tuple[str, str], Diameters] | None = None
) -> Course:
    """The course of a patient whose lesions are rows of measurements.

    Each visit's own lesions come from the rows ``volume`` (mL), ``longest_diameter`` and ``perpendicular_diameter``
    (mm); a lesion keeps its name over visits. shapes: (visit, region) to ``lesion.diameters``, with slices and extents
    that no row holds: without them it is unknown whether a lesion can be measured. Events as ``course_with``.
    """
    drawn = [row for row in measurements if row.kind == "own" and not row.compared_to]
    lesions = {
        visit.id: _lesions([row for row in drawn if row.visit == visit.id], visit.id, shapes or {})
        for visit in patient.visits
    }
    return course_with(patient, lesions)


def course_with(patient: Patient, lesions: Mapping[str, Sequence[Lesion]]) -> Course:
    """The course of a patient with these lesions by visit id.

    Events: radiotherapy with its end (``ended`` false says that it had not come); surgery; bevacizumab and
    immunotherapy from their date on (``given`` false says that there was none); dexamethasone with ``dose_mg_per_day``
    and ``drug`` (dexamethasone where not stated); clinical_status with ``status`` and ``from_tumour``; biopsy with
    ``viable_tumour`` or ``viable_tumour_percent``; IDH with ``mutated``; reading on the day of a visit with the details
    of ``READING``. An event without a date is left out, which a message says; so does one for a reading on a day
    without a visit. Raises InputError ``response_reading`` (a detail that cannot have this value); details that are not
    known are named in a message.
    """
    visits = sorted((visit for visit in patient.visits if visit.date), key=lambda visit: visit.date)
    before = {later.id: earlier.date for earlier, later in itertools.pairwise(visits)}
    inputs = []
    for visit in patient.visits:
        found = tuple(lesions.get(visit.id, ()))
        stated = _stated(patient.events, before.get(visit.id), visit.date) if visit.date else {}
        inputs.append(_read(VisitInputs(visit.id, visit.date, found, **stated), patient.events))
    days = {visit.date for visit in visits}
    readings = {event.date for event in patient.events if event.kind == "reading" and event.date is not None}
    astray = sorted(date.isoformat() for date in readings - days)
    courses = [event for event in patient.events if event.kind == "radiotherapy"]
    immunotherapy = [event for event in patient.events if event.kind == "immunotherapy"]
    given = [event for event in immunotherapy if _given(event)]
    idh = [event.details["mutated"] for event in patient.events if event.kind == "IDH" and "mutated" in event.details]
    ends, unended = _ends(courses)
    undated = sorted({e.kind for e in patient.events if not (e.date or e.end) and _given(e)} - {"IDH", "MGMT"})
    return Course(
        visits=tuple(inputs),
        radiotherapy_ends=ends,
        unended=unended,
        immunotherapy=bool(given) if immunotherapy else None,
        immunotherapy_start=min((event.date for event in given if event.date), default=None),
        idh_mutant=idh[-1] if idh else None,
        messages=(
            *(Message("response_event_undated", {"event": kind}) for kind in undated),
            *(Message("response_reading_without_visit", {"date": date}) for date in astray),
            *(Message("response_reading_unknown", {"name": name}) for name in _unknown_details(patient.events)),
        ),
    )


def _ends(courses: Sequence[Event]) -> tuple[tuple[datetime.date, ...] | None, tuple[datetime.date, ...]]:
    """Last days of the courses of radiotherapy, and first days of those after the first whose last day is unknown."""
    ends = sorted(NOT_ENDED if goes_on(event) else event.end for event in courses if goes_on(event) or event.end)
    begins = [event.date for event in courses if not goes_on(event) and event.end is None]
    if not ends or None in begins or any(begin <= ends[0] for begin in begins):
        return None, ()
    return tuple(ends), tuple(sorted(begins))


def _lesions(
    rows: Sequence[Measurement], visit: str, shapes: Mapping[tuple[str, str], Diameters]
) -> tuple[Lesion, ...]:
    found = []
    for region in dict.fromkeys(row.region for row in rows):
        values = {row.name: row for row in rows if row.region == region}
        row = values.get("volume")
        volume = estimate_of(row) if row else None
        if (visit, region) in shapes:
            found.append(sized(region, shapes[visit, region], volume))
            continue
        lines = [values.get(name) for name in ("longest_diameter", "perpendicular_diameter")]
        longest, perpendicular = (line.value if line else None for line in lines)
        if volume is not None or longest is not None:
            found.append(Lesion(region, volume=volume, longest=longest, perpendicular=perpendicular))
    return tuple(found)


def _read(visit: VisitInputs, events: Sequence[Event]) -> VisitInputs:
    """The visit with what a reader said of its images; the last reading of a day has the last word on each detail."""
    said: dict[str, object] = {}
    for event in events:
        if event.kind == "reading" and event.date is not None and event.date == visit.date:
            said |= {name: value for name, value in event.details.items() if value is not None}
    for name, value in said.items():
        if name in KNOWN and not _understood(name, value):
            raise InputError("response_reading", field=f"{visit.visit}: reading.{name}", value=value)
    targets, not_tumour = said.get("targets"), said.get("not_tumour", {})
    lesions = tuple(
        dataclasses.replace(
            lesion,
            target=lesion.target if targets is None else lesion.name in targets,
            not_tumour=not_tumour.get(lesion.name, lesion.not_tumour),
        )
        for lesion in visit.lesions
    )
    stated = {entry: said[name] for name, entry in READING.items() if name in said}
    compared = Comparison(**{name: said[name] for name in COMPARED if name in said})
    return dataclasses.replace(visit, lesions=lesions, comparison=compared, **stated)


def _unknown_details(events: Sequence[Event]) -> list[str]:
    """Details of readings that nobody asks for."""
    return sorted({name for event in events if event.kind == "reading" for name in event.details} - set(KNOWN))


def _understood(name: str, value: object) -> bool:
    """Whether a detail of a reading is known and of the right kind."""
    if name in ("enhancement", "flair"):
        return value in CHANGES
    if name == "targets":
        return isinstance(value, (list, tuple)) and all(isinstance(entry, str) for entry in value)
    if name == "not_tumour":
        return isinstance(value, Mapping) and all(isinstance(entry, str) for entry in value.values())
    return name in (*READING, *COMPARED) and isinstance(value, bool)


def _stated(events: Sequence[Event], before: datetime.date | None, date: datetime.date) -> dict[str, object]:
    """What events say of a visit; before: day of the visit before it.

    Clinical status and histology count for the first visit after them. An operation on the day of a visit counts as
    after it.
    """

    def since_last(kind: str, same_day: bool = True) -> list[Event]:
        days = [event for event in events if event.kind == kind and event.date is not None]
        first = datetime.date.min if before is None else before + datetime.timedelta(days=1 if same_day else 0)
        last = date if same_day else date - datetime.timedelta(days=1)
        return sorted((event for event in days if first <= event.date <= last), key=lambda event: event.date)

    status = [event for event in since_last("clinical_status") if event.details.get("status") in STATUSES]
    surgery = since_last("surgery", same_day=False)
    histology = [_viable(event) for event in since_last("biopsy")]
    return {
        "steroid": _dose(events, date),
        "clinical": status[-1].details["status"] if status else None,
        "from_tumour": status[-1].details.get("from_tumour") if status else None,
        "viable_tumour": True if True in histology else None if None in histology else False,
        "surgery": surgery[-1].date if surgery else None,
        "antiangiogenic": _treated([event for event in events if event.kind == "bevacizumab"], date),
    }


def _viable(event: Event) -> bool | None:
    """Whether histology proves viable tumour: as stated, or above the example of 70 % (1.32); None in between."""
    if "viable_tumour" in event.details:
        return event.details["viable_tumour"]
    percent = event.details.get("viable_tumour_percent")
    if percent is None:
        return None
    return True if percent > limit("viable_nuclei") else False if percent == 0 else None


def _dose(events: Sequence[Event], date: datetime.date) -> SteroidDose | None:
    """The dose on a day by the last event that began by then; unknown once that has ended."""
    begun = [event for event in events if event.kind == "dexamethasone" and event.date and event.date <= date]
    last = max(begun, key=lambda event: event.date, default=None)
    if last is None or last.details.get("dose_mg_per_day") is None or (last.end is not None and last.end < date):
        return None
    return SteroidDose(last.details["dose_mg_per_day"], last.details.get("drug", "dexamethasone"))


def _given(event: Event) -> bool:
    return event.details.get("given") is not False


def _treated(events: Sequence[Event], date: datetime.date) -> bool | None:
    """Whether a drug is given on a day: None when nothing is stated by then or a course has no date."""
    events = [event for event in events if event.date is None or event.date <= date]
    given = [event for event in events if _given(event)]
    if any(event.date is not None and date <= (event.end or date) for event in given):
        return True
    return None if not events or any(event.date is None for event in given) else False
