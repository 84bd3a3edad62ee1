"""Which of a visit's measurements an assessment is about."""

from __future__ import annotations

from collections.abc import Sequence

from ..measures import Measurement, Patient


def assessed_lesion(
    patient: Patient, visit_id: str, measurements: Sequence[Measurement]
) -> tuple[str, tuple[str, ...]]:
    """(name of the visit's own lesion that is assessed, names of its other lesions): the largest by volume.

    The name is empty where the visit has no lesion of its own.
    """
    own = [row for row in measurements if row.visit == visit_id and row.kind == "own" and not row.compared_to]
    own = [row for row in own if _purpose(patient, row) == "lesion"]
    volumes = {row.region: row.value or 0.0 for row in own if row.name == "volume"}
    names = sorted({row.region for row in own}, key=lambda name: (-volumes.get(name, 0.0), name))
    return (names[0], tuple(names[1:])) if names else ("", ())


def chosen_rows(patient: Patient, rows: Sequence[Measurement], lesion: str) -> list[Measurement]:
    """One measurement of each name: the lesion's own, or one carried into the visit where there is no own value.

    rows: the visit's measurements in a fixed order, without changes between visits.
    """
    values = [row for row in rows if not row.compared_to and _purpose(patient, row) == "lesion"]
    chosen = []
    for name in sorted({row.name for row in values}):
        own = [row for row in values if (row.name, row.kind, row.region) == (name, "own", lesion)]
        carried = [row for row in values if (row.name, row.kind) == (name, "fixed")]
        carried.sort(key=lambda row: row.region != lesion)
        measured = [row for row in (*own, *carried) if row.value is not None]
        chosen += (measured or own or carried)[:1]
    return chosen


def _purpose(patient: Patient, row: Measurement) -> str:
    """What the measured region was drawn as; a lesion where the patient's regions do not say."""
    regions = [region for region in patient.regions if region.name == row.region and region.visit == row.drawn_in]
    return regions[0].purpose if regions else "lesion"
