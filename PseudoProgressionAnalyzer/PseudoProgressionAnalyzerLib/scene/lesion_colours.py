"""The colours of lesions: those of one visit differ, and a lesion has the same one in every visit once it is known
which lesion it is."""

from __future__ import annotations

import numpy as np

from ..analysis import Analysis
from ..imaging.resampling import transform_points
from ..measures import Image
from .display import LESION_COLOUR
from .nodes import Kind, linked, marked
from .segments import regions_of, segment_mask

LESION_COLOURS = (LESION_COLOUR, (0.84, 0.37, 0.00), (0.94, 0.89, 0.26), (0.00, 0.45, 0.70))
"""Cyan, then vermillion, yellow and blue of Okabe and Ito's set for any colour vision."""
_SAME = 0.01  # of a channel: a colour loses its last digits when it is saved


def colour_lesions(patient: object, analysis: Analysis) -> None:
    """Gives the lesions of all visits their colours, by ``analysis.lesions``; a colour that the user gave stays."""
    purposes = {(region.visit, region.name): region.purpose for region in analysis.patient.regions}
    for node in linked(patient, Kind.LESION):
        visit, found = marked(node, "visit"), []
        for segment_id, name in regions_of(node).items():
            segment = node.GetSegmentation().GetSegment(segment_id)
            present = _number_of(segment.GetColor())
            if purposes.get((visit, name)) == "lesion" and present is not None:
                found.append((_identity(analysis, visit, segment_mask(node, segment_id)), present, segment))
        taken: set[int] = set()
        for identity, present, segment in sorted(found, key=lambda each: each[0] is None):
            wanted = present if identity is None else identity
            left = [number for number in range(len(LESION_COLOURS)) if number not in taken]
            number = left[0] if wanted in taken and left else wanted
            taken.add(number)
            if number != present:
                segment.SetColor(*LESION_COLOURS[number])


def _number_of(colour: tuple[float, float, float]) -> int | None:
    """Which of our colours it is; None where the user gave it."""
    same = np.abs(np.array(LESION_COLOURS) - colour).max(axis=1) < _SAME
    return int(np.argmax(same)) if same.any() else None


def _identity(analysis: Analysis, visit: str, mask: Image) -> int | None:
    """The number of the colour of the first lesion whose middle lies in a mask; None where that is not known."""
    numbers = [
        int(lesion.lesion.removeprefix("L")) - 1
        for lesion in analysis.lesions
        if lesion.visit == visit and lesion.outline is not None and lesion.outline.component == "enhancing"
        and _holds(mask, lesion.outline.centre)
    ]  # fmt: skip
    return min(numbers) % len(LESION_COLOURS) if numbers else None


def _holds(mask: Image, point: tuple[float, float, float]) -> bool:
    """Whether the voxel at a point (RAS mm) is True in a cropped mask."""
    index = np.rint(transform_points(np.linalg.inv(mask.affine), np.array([point]))[0]).astype(int)[::-1]
    return bool(np.all(index >= 0) and np.all(index < mask.shape) and mask.array[tuple(index)])
