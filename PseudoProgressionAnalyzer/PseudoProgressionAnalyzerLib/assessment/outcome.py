"""What came after a visit, apart from its evidence: later size of the lesion, histology and operations."""

from __future__ import annotations

from collections.abc import Sequence

from ..lesion.change import percent_change, within_error
from ..lesion.estimate import estimate_of
from ..measures import Measurement, Message, Patient
from .as_of import begin
from .context import percent_words
from .lesions import assessed_lesion


def outcome_after(patient: Patient, visit_id: str, measurements: Sequence[Measurement]) -> tuple[Message, ...]:
    """What is dated later than the visit, in order of date; empty where nothing is.

    Raises InputError ``unknown_visit``.
    The lesion is the one that the visit's assessment is about; later sizes are compared with its size in the visit.
    """
    visit = patient.visit(visit_id)
    if visit.date is None:
        return (Message("outcome_visit_undated", {"visit": visit.id}),)
    lesion, _ = assessed_lesion(patient, visit.id, measurements)
    volumes = {
        row.visit: row
        for row in measurements
        if (row.name, row.kind, row.region, row.compared_to) == ("volume", "own", lesion, "") and row.value is not None
    }
    dated = [
        (other.date, _size(volumes.get(visit.id), volumes.get(other.id), other.id, (other.date - visit.date).days))
        for other in patient.visits
        if other.date is not None and other.date > visit.date
    ]
    for event in patient.events:
        day = begin(event)
        if day is None or day <= visit.date or event.kind not in ("biopsy", "surgery"):
            continue
        shown = {
            "date": day.isoformat(),
            "tumour": percent_words(event, "viable_tumour_percent"),
            "effect": percent_words(event, "treatment_effect_percent"),
        }
        dated.append((day, Message(f"outcome_{event.kind}", shown)))
    return tuple(message for _, message in sorted(dated, key=lambda entry: (entry[0], str(entry[1]))))


def _size(then: Measurement | None, later: Measurement | None, visit: str, days: int) -> Message:
    """The lesion's later volume against that of the visit (mL); within error where the interval of the change holds
    zero, as everywhere."""
    if then is None or later is None or then.value == 0:
        return Message("outcome_no_volume", {"visit": visit, "days": days})
    percent = within_error(percent_change(estimate_of(then), estimate_of(later)))
    change = "within_error" if percent.flags else "larger" if percent.value > 0 else "smaller"
    shown = {"visit": visit, "days": days, "percent": round(abs(percent.value)), "then": round(then.value, 1)}
    return Message(f"outcome_volume_{change}", {**shown, "later": round(later.value, 1)})
