"""What a reader must know beside the sum, and what was not known: it weighs nothing."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ..measures import Event, Measurement, Message
from .as_of import Known, begin

CONFIRMATION_DAYS = 28
"""Earliest day of a confirmation scan: RANO 2.0 asks for one after 4 or 8 weeks (Wen 2023, J Clin Oncol 41:5187)."""
TWELVE_WEEKS = 84
"""RANO 2010 and 2.0 treat growth in the first 12 weeks after radiotherapy differently (Wen 2010, 2023)."""

ASKED = ("bevacizumab", "dexamethasone", "immunotherapy", "clinical_status", "MGMT", "IDH")
COMPARED = (
    "Manufacturer",
    "ManufacturersModelName",
    "MagneticFieldStrength",
    "EchoTime",
    "RepetitionTime",
    "FlipAngle",
)


def context(known: Known, lesion: str, other_lesions: Sequence[str]) -> list[Message]:
    """What is known of time, region, growth, treatment, clinic and scanner, in this order."""
    messages = list(known.messages)
    if known.day is not None:
        messages.append(Message("day_after_radiotherapy", {"days": known.day}))
    messages.append(Message("assessed_lesion", {"region": lesion}) if lesion else Message("no_own_lesion"))
    if other_lesions:
        messages.append(Message("other_lesions", {"regions": ", ".join(other_lesions)}))
    messages += _growth(known.rows, lesion)
    for kind in ("surgery", "biopsy", "bevacizumab", "immunotherapy", "dexamethasone", "clinical_status"):
        messages += [_event(event) for event in _after_radiotherapy(known, kind)]
    messages += [Message("reirradiation", {"date": _date(event)}) for event in known.of_kind("radiotherapy")[1:]]
    messages += [_molecular(event) for kind in ("MGMT", "IDH") for event in known.of_kind(kind)[-1:]]
    messages += _scanner(known)
    messages += _dates(known)
    return messages


def unknown(known: Known) -> list[Message]:
    """What was asked for and not stated: unknown, never 'no'."""
    given = {event.kind for event in known.events}
    return [Message("not_stated", {"event": kind}) for kind in ASKED if kind not in given]


def _growth(rows: Sequence[Measurement], lesion: str) -> list[Message]:
    return [
        Message("lesion_growth", {"percent": round(row.value), "visit": row.compared_to})
        for row in rows
        if (row.name, row.kind, row.region) == ("volume_percent", "own", lesion) and row.value is not None
    ]


def _after_radiotherapy(known: Known, kind: str) -> list[Event]:
    """Events of a kind that matter for the lesion after radiotherapy: not the operation that came before it."""
    courses = known.of_kind("radiotherapy")
    if kind not in ("surgery", "biopsy") or not courses:
        return known.of_kind(kind)
    return [event for event in known.of_kind(kind) if begin(event) > begin(courses[0])]


def _event(event: Event) -> Message:
    """One message per event; details that are not stated are shown as not stated."""
    details = {"date": _date(event)}
    if event.kind == "biopsy":
        details |= {
            "tumour": percent_words(event, "viable_tumour_percent"),
            "effect": percent_words(event, "treatment_effect_percent"),
        }
    elif event.kind == "dexamethasone":
        details["dose"] = event.details.get("dose_mg_per_day", "not stated")
    elif event.kind == "clinical_status":
        details["status"] = event.details.get("status", "not stated")
    return Message(f"given_{event.kind}", details)


def _molecular(event: Event) -> Message:
    name = "methylated" if event.kind == "MGMT" else "mutated"
    state = event.details.get(name)
    shown = "unknown" if state is None else name if state else f"not {name}"
    return Message(f"given_{event.kind}", {"state": shown})


def _scanner(known: Known) -> list[Message]:
    """Acquisition that differs from the visit before, role by role, where both say it."""
    if known.earlier is None:
        return []
    found = []
    for series in sorted(known.visit.series, key=lambda series: series.role):
        before = known.earlier.of_role(series.role)
        for field in COMPARED if before else ():
            now, then = series.acquisition.get(field), before.acquisition.get(field)
            if now is not None and then is not None and now != then:
                shown = {"role": series.role, "field": field, "now": str(now), "then": str(then)}
                found.append(Message("acquisition_changed", {**shown, "visit": known.earlier.id}))
    return found


def _dates(known: Known) -> list[Message]:
    """When the question begins to answer itself."""
    if known.visit.date is None:
        return []
    day = datetime.timedelta(days=1)
    found = [Message("confirmation_from", {"date": (known.visit.date + CONFIRMATION_DAYS * day).isoformat()})]
    if known.day is not None and known.day < TWELVE_WEEKS:
        line = known.visit.date + (TWELVE_WEEKS - known.day) * day
        found.append(Message("twelve_weeks_on", {"date": line.isoformat()}))
    return found


def percent_words(event: Event, name: str) -> str:
    """A percentage of an event's details, or that it is not stated."""
    value = event.details.get(name)
    return "not stated" if value is None else f"{value} %"


def _date(event: Event) -> str:
    day = begin(event)
    return day.isoformat() if day else "unknown"
