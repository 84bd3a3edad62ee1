"""How the lesions were measured, where that limits a comparison: slices, planes, cysts."""

from __future__ import annotations

from ..measures import Message
from .criterion import Criterion
from .inputs import VisitInputs
from .published import limit


def measuring_notes(
    reference: VisitInputs, visit: VisitInputs, names: frozenset[str], criterion: Criterion
) -> list[Message]:
    """What to say of the target lesions of a visit and its reference: it warns and rejects nothing (10.16)."""
    notes = []
    earlier = {lesion.name: lesion for lesion in reference.lesions}
    for lesion in visit.lesions:
        if lesion.name not in names or lesion.not_tumour:
            continue
        shown = {"lesion": lesion.name, "spacing": lesion.slice_spacing}
        thickest = limit(criterion.thickest_slice[lesion.component])
        if lesion.slice_spacing is not None and lesion.slice_spacing > thickest:
            notes.append(Message("response_thick_slices", {**shown, "limit": thickest, "criterion": criterion.name}))
        if lesion.cystic:
            notes.append(Message("response_solid_part", shown))
        before = earlier.get(lesion.name)
        if before is not None and before.plane and lesion.plane and before.plane != lesion.plane:
            planes = {"lesion": lesion.name, "visit": reference.visit, "then": before.plane, "now": lesion.plane}
            notes.append(Message("response_plane_differs", planes))
    return notes
