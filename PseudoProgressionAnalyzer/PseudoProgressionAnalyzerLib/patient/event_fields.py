"""What can be said of each kind of event, and the check of it: one list for the panel's table and for patient.json.

Details that are not listed here are kept and not judged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from ..measures import EVENT_KINDS, Event, InputError


@dataclass(frozen=True)
class EventField:
    """One detail of an event.

    form: ``number`` (with unit, from low to high), ``choice`` (of choices), ``yes_no`` or ``text``.
    """

    name: str
    form: str
    unit: str = ""
    low: float = 0.0
    high: float = math.inf
    choices: tuple[str, ...] = ()


_PERCENT = {"form": "number", "unit": "%", "low": 0.0, "high": 100.0}
_HISTOLOGY = (
    EventField("viable_tumour_percent", **_PERCENT),
    EventField("treatment_effect_percent", **_PERCENT),
    EventField("viable_tumour", "yes_no"),
)
_GIVEN = EventField("given", "yes_no")
_SEEN = (
    "all_lesions_drawn", "new_lesion", "nonmeasurable_progression", "leptomeningeal", "flair_worse", "outside_field",
)  # fmt: skip
_COMPARED = ("better", "same", "worse")  # than in the visit before
FIELDS: dict[str, tuple[EventField, ...]] = {
    "surgery": _HISTOLOGY,
    "biopsy": _HISTOLOGY,
    "radiotherapy": (
        EventField("dose_gray", "number", "Gy"),
        EventField("fractions", "number"),
        EventField("ended", "yes_no"),
    ),
    "temozolomide": (EventField("schedule", "choice", choices=("concomitant", "adjuvant")), _GIVEN),
    "bevacizumab": (_GIVEN,),
    "immunotherapy": (_GIVEN,),
    "dexamethasone": (EventField("dose_mg_per_day", "number", "mg per day"), EventField("drug", "text")),
    "clinical_status": (
        EventField("status", "choice", choices=("improved", "stable", "worse")),
        EventField("from_tumour", "yes_no"),
    ),
    "reading": (
        *(EventField(name, "yes_no") for name in _SEEN),
        EventField("enhancement", "choice", choices=_COMPARED),
        EventField("flair", "choice", choices=_COMPARED),
        *(EventField(name, "yes_no") for name in ("major", "progressive", "steroid_effect_likely")),
    ),
    "MGMT": (EventField("methylated", "yes_no"),),
    "IDH": (EventField("mutated", "yes_no"),),
}
"""Details by kind of event. A detail that is not stated is unknown, never zero and never no."""


def check_event(event: Event) -> None:
    """Raises InputError ``event_field`` where kind, dates or details are not as they must be."""
    if event.kind not in EVENT_KINDS:
        raise InputError("event_field", event=event.kind, field="kind", wanted=f"one of {', '.join(EVENT_KINDS)}")
    if event.date is not None and event.end is not None and event.end < event.date:
        raise InputError("event_field", event=event.kind, field="end", wanted="a date not before its beginning")
    fields = {field.name: field for field in FIELDS[event.kind]}
    for name, value in event.details.items():
        if name in fields and not _fits(fields[name], value):
            raise InputError("event_field", event=event.kind, field=name, wanted=_wanted(fields[name]))
    shares = [event.details.get(name) for name in ("viable_tumour_percent", "treatment_effect_percent")]
    if None not in shares and sum(shares) > 100:
        wanted = "at most what viable tumour leaves of 100 %"
        raise InputError("event_field", event=event.kind, field="treatment_effect_percent", wanted=wanted)


def _fits(field: EventField, value: Any) -> bool:
    if field.form == "yes_no":
        return isinstance(value, bool)
    if field.form == "number":
        number = isinstance(value, (int, float)) and not isinstance(value, bool)
        return number and math.isfinite(value) and field.low <= value <= field.high
    return isinstance(value, str) and (not field.choices or value in field.choices)


def _wanted(field: EventField) -> str:
    if field.form == "yes_no":
        return "yes or no"
    if field.form == "choice":
        return f"one of {', '.join(field.choices)}"
    if field.form == "text":
        return "a text"
    upper = f" to {field.high:g}" if math.isfinite(field.high) else " or more"
    return f"a number from {field.low:g}{upper} {field.unit}".strip()


def parse_detail(field: EventField, text: str) -> Any:
    """The value that a cell of a table holds, None where it is empty; what cannot be read stays text, for the check."""
    text = text.strip()
    if not text:
        return None
    if field.form == "yes_no":
        return {"yes": True, "no": False}.get(text.lower(), text)
    if field.form == "number":
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            return text
        return int(number) if number.is_integer() else number
    return text


def detail_words(value: Any) -> str:
    """A detail as it is shown and typed."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
