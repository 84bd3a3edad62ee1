"""What changed in how a role was acquired from one visit to the next: a change of numbers may come from that alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..measures import Message, Visit

FIELDS = {
    "MagneticFieldStrength": "T", "Manufacturer": "", "ManufacturersModelName": "", "EchoTime": "s",
    "RepetitionTime": "s", "InversionTime": "s", "FlipAngle": "degrees", "SliceThickness": "mm",
    "MRAcquisitionType": "", "ContrastBolusIngredient": "",
}  # fmt: skip
# Scanners fit times to their raster and write 1.494 T for 1.5 T; a protocol changes by more.
ROUNDING = 0.02


def add_changes(visits: Sequence[Visit]) -> None:
    """Adds the warnings of ``changes_of`` to each visit. visits: in date order."""
    for number, visit in enumerate(visits):
        visit.warnings += changes_of(visit, visits[:number])


def changes_of(visit: Visit, earlier: Sequence[Visit]) -> list[Message]:
    """A warning for every series of the visit that was acquired otherwise than the last one of its role before.

    earlier: in date order. Only fields that both series state are compared.
    """
    found = []
    for series in visit.series:
        before = next((other for other in reversed(earlier) if other.of_role(series.role)), None)
        changed = _changes(before.of_role(series.role).acquisition, series.acquisition) if before else []
        if changed:
            shown = {"role": series.role, "visit": visit.id, "since": before.id, "changes": "; ".join(changed)}
            found.append(Message("acquired_otherwise", shown))
    return found


def _changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    found = []
    for name, unit in FIELDS.items():
        old, new = before.get(name), now.get(name)
        if old is None or new is None:
            continue
        if isinstance(old, (int, float)) and isinstance(new, (int, float)):
            if abs(new - old) > ROUNDING * max(abs(old), abs(new)):
                found.append(f"{name} {old:.4g} to {new:.4g} {unit}".strip())
        elif str(old).strip().lower() != str(new).strip().lower():
            found.append(f"{name} {old} to {new}")
    return found
