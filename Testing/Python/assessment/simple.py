"""A patient as in the review's figure 1, measurements, and assessments as bytes."""

import datetime
import json
from dataclasses import asdict

from PseudoProgressionAnalyzerLib.measures import Assessment, Event, Measurement, Message, Patient, Region, Visit

BEFORE, EARLY, LATE = "before", "early", "late"
DATES = {
    BEFORE: datetime.date(2020, 1, 10),
    EARLY: datetime.date(2020, 4, 1),
    LATE: datetime.date(2020, 9, 28),
}
RADIOTHERAPY_END = datetime.date(2020, 3, 25)  # EARLY is day 7, LATE day 187


def patient(events=(), dates=DATES, regions=None) -> Patient:
    """Three visits: before radiotherapy, a week after it, half a year after it."""
    course = Event("radiotherapy", datetime.date(2020, 2, 10), RADIOTHERAPY_END)
    lesions = [Region("lesion", visit, "lesion", None) for visit in dates] if regions is None else regions
    return Patient("P", [Visit(visit, date) for visit, date in dates.items()], [course, *events], lesions)


def measured(name, value, unit="1", visit=EARLY, error=0.1, **changes) -> Measurement:
    """An own measurement of the lesion with a 95 % interval of +- error (relative; None: no interval)."""
    known = value is not None and error is not None
    fields = {
        "visit": visit,
        "region": "lesion",
        "kind": "own",
        "drawn_in": visit,
        "name": name,
        "value": value,
        "unit": unit,
        "low": value - abs(value) * error if known else None,
        "high": value + abs(value) * error if known else None,
    }
    return Measurement(**(fields | changes))


def as_bytes(assessment: Assessment) -> bytes:
    """Everything that an assessment holds."""
    return json.dumps(asdict(assessment), sort_keys=True, allow_nan=False).encode()


def codes(messages) -> list[str]:
    return [message.code for message in messages]


def said(messages, code) -> Message:
    """The one message of a code."""
    found = [message for message in messages if message.code == code]
    assert len(found) == 1, codes(messages)
    return found[0]
