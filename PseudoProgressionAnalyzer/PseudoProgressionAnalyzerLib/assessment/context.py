"""What a reader must know beside the sum, and what was not known: it weighs nothing."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ..measures import Event, Measurement, Message
from ..patient.changes import changes_of
from .as_of import Known, begin

CONFIRMATION_DAYS = 28
"""Earliest day of a confirmation scan: RANO 2.0 asks for one after 4 or 8 weeks (Wen 2023, J Clin Oncol 41:5187)."""
TWELVE_WEEKS = 84
"""RANO 2010 and 2.0 treat growth in the first 12 weeks after radiotherapy differently (Wen 2010, 2023)."""

ASKED = ("bevacizumab", "dexamethasone", "immunotherapy", "clinical_status", "MGMT", "IDH")
ASKED_SINCE = ("surgery_after_radiotherapy", "biopsy_after_radiotherapy", "reirradiation")
"""Asked for like the others: that no such event was stated does not say that there was none."""


def context(known: Known, lesion: str, other_lesions: Sequence[str]) -> list[Message]:
    """What is known of time, region, growth, treatment, clinic and scanner, in this order."""
    messages = list(known.messages)
    if known.day is not None:
        messages.append(Message("day_after_radiotherapy", {"days": known.day}))
    messages.append(Message("assessed_lesion", {"region": lesion}) if lesion else Message("no_own_lesion"))
    if other_lesions:
        messages.append(Message("other_lesions", {"regions": ", ".join(other_lesions)}))
    messages += _growth(known.rows, lesion)
    for kind in ("surgery", "biopsy"):
        messages += [_tissue(event) for event in after_radiotherapy(known, kind)]
    for kind in ("bevacizumab", "immunotherapy"):
        messages += [Message(f"given_{kind}", {"date": _date(event)}) for event in known.of_kind(kind)]
        messages += [Message("not_given", {"event": kind}) for _ in _denied(known, kind)]
    messages += [Message("reirradiation", {"date": _date(event)}) for event in known.of_kind("radiotherapy")[1:]]
    messages += [*_steroids(known), *_status(known)]
    messages += [_molecular(event) for kind in ("MGMT", "IDH") for event in known.of_kind(kind)[-1:]]
    messages += _notes_on_early_growth(known)
    messages += changes_of(known.visit, known.before)
    messages += _dates(known)
    return messages


def unknown(known: Known) -> list[Message]:
    """What was asked for and not stated: unknown, never 'no'."""
    given = {event.kind for event in known.events}
    missing = [kind for kind in ASKED if kind not in given]
    since = [after_radiotherapy(known, kind) for kind in ("surgery", "biopsy")] + [known.of_kind("radiotherapy")[1:]]
    missing += [kind for kind, events in zip(ASKED_SINCE, since, strict=True) if not events]
    found = [Message("not_stated", {"event": kind}) for kind in missing]
    if "dexamethasone" in given and known.earlier is not None and _doses(known) is None:
        found.append(Message("steroid_change_unknown", {"visit": known.earlier.id}))
    return found


def after_radiotherapy(known: Known, kind: str) -> list[Event]:
    """Operations that matter for the lesion after radiotherapy: not the one that came before it."""
    courses = known.of_kind("radiotherapy")
    return [event for event in known.of_kind(kind) if not courses or begin(event) > begin(courses[0])]


def _growth(rows: Sequence[Measurement], lesion: str) -> list[Message]:
    """How the lesion changed; where it is smaller beyond its error, the prior is about other lesions."""
    found = []
    for row in rows:
        if (row.name, row.kind, row.region) == ("volume_percent", "own", lesion) and row.value is not None:
            shown = {"percent": f"{row.value:+.0f}", "visit": row.compared_to}
            found.append(Message("lesion_growth", shown))
            if row.value < 0 and row.high is not None and row.high < 0:
                found.append(Message("prior_of_growing_lesions", shown))
    return found


def _tissue(event: Event) -> Message:
    shown = {
        "date": _date(event),
        "tumour": percent_words(event, "viable_tumour_percent"),
        "effect": percent_words(event, "treatment_effect_percent"),
    }
    return Message(f"given_{event.kind}", shown)


def _denied(known: Known, kind: str) -> list[Event]:
    """The statement that there was none, where nothing else is stated."""
    return [] if known.of_kind(kind) else [event for event in known.events if event.kind == kind][-1:]


def _dose(known: Known, date: datetime.date | None) -> float | None:
    """Dexamethasone in mg per day on a date: of the last statement that holds then, None where there is none."""
    doses = [
        event.details.get("dose_mg_per_day")
        for event in known.of_kind("dexamethasone")
        if date and begin(event) <= date and (event.end is None or event.end >= date)
    ]
    return doses[-1] if doses else None


def _doses(known: Known) -> tuple[float, float] | None:
    """Doses (mg per day) at the visit before and now, None where one is unknown."""
    if known.earlier is None:
        return None
    doses = _dose(known, known.earlier.date), _dose(known, known.visit.date)
    return None if None in doses else doses


def _steroids(known: Known) -> list[Message]:
    doses = _doses(known)
    if doses is not None:
        change = "rising" if doses[1] > doses[0] else "falling" if doses[1] < doses[0] else "steady"
        shown = {"then": f"{doses[0]:g}", "now": f"{doses[1]:g}", "visit": known.earlier.id}
        return [Message(f"steroid_{change}", shown)]
    dose = _dose(known, known.visit.date)
    if dose is not None:
        return [Message("steroid_dose", {"now": f"{dose:g}"})]
    return [Message("given_dexamethasone", {"date": _date(event)}) for event in known.of_kind("dexamethasone")[-1:]]


def _status(known: Known) -> list[Message]:
    """The last clinical status that is known."""
    return [
        Message("given_clinical_status", {"date": _date(event), "status": event.details.get("status", "not stated")})
        for event in known.of_kind("clinical_status")[-1:]
    ]


def _notes_on_early_growth(known: Known) -> list[Message]:
    """What is published of clinical course and methylation in the first 12 weeks, where it is about this patient."""
    if known.day is None or known.day > TWELVE_WEEKS:
        return []
    doses = _doses(known)
    worse = [event.details.get("status") for event in known.of_kind("clinical_status")][-1:] == ["worse"]
    found = [Message("early_decline")] if worse or (doses is not None and doses[1] > doses[0]) else []
    methylated = [event.details.get("methylated") for event in known.of_kind("MGMT")][-1:] == [True]
    return [*found, Message("early_methylation")] if methylated else found


def _molecular(event: Event) -> Message:
    name = "methylated" if event.kind == "MGMT" else "mutated"
    state = event.details.get(name)
    shown = "unknown" if state is None else name if state else f"not {name}"
    return Message(f"given_{event.kind}", {"state": shown})


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
