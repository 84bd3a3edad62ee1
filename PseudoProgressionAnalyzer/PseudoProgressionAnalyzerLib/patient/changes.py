"""What changed in how a role was acquired from one visit to the next: a change of numbers may come from that alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..measures import Message, Series, Visit

FIELDS = {
    "MagneticFieldStrength": "T", "Manufacturer": "", "ManufacturersModelName": "", "EchoTime": "s",
    "RepetitionTime": "s", "InversionTime": "s", "FlipAngle": "degrees", "SliceThickness": "mm",
    "MRAcquisitionType": "", "ContrastBolusIngredient": "",
}  # fmt: skip
# Scanners fit times to their raster and write 1.494 T for 1.5 T; a protocol changes by more.
ROUNDING = 0.02


def add_changes(visits: Sequence[Visit]) -> None:
    """Adds a warning to each visit for every series that was acquired otherwise than the one of the same role before.

    visits: in date order. Only fields that both series state are compared.
    """
    before: dict[str, tuple[Visit, Series]] = {}
    for visit in visits:
        for series in visit.series:
            if series.role in before:
                earlier, other = before[series.role]
                if changed := _changes(other.acquisition, series.acquisition):
                    visit.warnings.append(
                        Message(
                            "acquired_otherwise",
                            {
                                "role": series.role,
                                "visit": visit.id,
                                "since": earlier.id,
                                "changes": "; ".join(changed),
                            },
                        )
                    )
            before[series.role] = visit, series


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
