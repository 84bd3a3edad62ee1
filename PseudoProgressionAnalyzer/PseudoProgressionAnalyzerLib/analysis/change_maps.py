"""What changed voxel by voxel from one visit to another: of the T1CE, or of a ratio map. Shown, never measured."""

from __future__ import annotations

import numpy as np

from ..imaging.registration import UNCERTAINTY_LIMIT
from ..imaging.resampling import resample
from ..measures import Image, InputError, Map
from . import Analysis
from .aligning import visit_to_visit
from .reading import lesion_of

ANATOMY = "T1CE"
NORMAL = 100.0
"""What the median of the brain outside the lesions is scaled to in both visits: so that one unit is one per cent."""
COMPARABLE = ("rCBV_ratio", "CBF_ratio", "Cho_NAA_molar", "Cho_NAA_area", "Cho_Cr_molar", "Cho_Cr_area", "ADC", "APTw")
"""Maps whose values mean the same in two visits: ratios to reference tissue, and quantities."""


def changes_to_show(analysis: Analysis, earlier: str, later: str) -> list[str]:
    """Names of what both visits have and can be compared: ``T1CE`` and comparable maps."""
    names = [ANATOMY] if all((visit, ANATOMY) in analysis.images for visit in (earlier, later)) else []
    return names + [name for name in COMPARABLE if all((visit, name) in analysis.maps for visit in (earlier, later))]


def change_map(analysis: Analysis, earlier: str, later: str, name: str) -> Map:
    """Later minus earlier on the later visit's grid; the earlier one is resampled once, by linear interpolation.

    Of the T1CE in per cent of the normal brain's median in each visit (brain without lesions), of a map in its unit.
    NaN where one of the two has no trusted value. Raises InputError: ``change_missing``; ``change_unaligned`` and
    ``change_withheld`` where the alignment cannot be trusted voxel by voxel; ``change_other_kind`` where units or
    methods differ.
    """
    for visit in (earlier, later):
        _demand_trust(analysis, visit)
    if name not in changes_to_show(analysis, earlier, later):
        raise InputError("change_missing", name=name, earlier=earlier, later=later)
    if name == ANATOMY:
        before, after = (_relative(analysis, visit) for visit in (earlier, later))
        unit, method = "%", "T1CE over the median of the brain outside the lesions"
    else:
        before, after = (analysis.maps[visit, name] for visit in (earlier, later))
        if before.unit != after.unit or before.method != after.method:
            raise InputError("change_other_kind", name=name, earlier=earlier, later=later)
        unit, method = after.unit, after.method
    to_later = np.linalg.inv(_to_anatomy(analysis, later, name)) @ visit_to_visit(analysis, earlier, later)
    to_later = to_later @ _to_anatomy(analysis, earlier, name)
    moved = resample(Image(_trusted(before), before.affine), after, to_later, outside=np.nan)
    change = _trusted(after) - moved.array
    return Map(
        change.astype(np.float32),
        after.affine,
        name=f"{name}_change",
        unit=unit,
        method=f"{method}; {later} minus {earlier}",
        quality=np.isfinite(change),
    )


def _demand_trust(analysis: Analysis, visit: str) -> None:
    known = analysis.alignment.get(visit)
    if visit not in analysis.visit_to_reference or known is None:
        raise InputError("change_unaligned", visit=visit)
    doubts = [m.code for m in analysis.messages.get(visit, []) if m.code.startswith("registration_")]
    uncertainty = known.get("uncertainty")
    if doubts or uncertainty is None or uncertainty > UNCERTAINTY_LIMIT:
        said = "unknown" if uncertainty is None else round(uncertainty, 1)
        raise InputError("change_withheld", visit=visit, uncertainty=said, limit=UNCERTAINTY_LIMIT)


def _to_anatomy(analysis: Analysis, visit: str, name: str) -> np.ndarray:
    return np.eye(4) if name == ANATOMY else analysis.series_to_visit[visit, name]


def _relative(analysis: Analysis, visit: str) -> Image:
    """The visit's T1CE in per cent of the median of its normal brain, NaN outside of the brain."""
    image, brain = analysis.images[visit, ANATOMY], analysis.brains[visit]
    lesion = lesion_of(analysis, visit)
    normal = brain if lesion is None else brain & ~lesion
    median = float(np.median(image.array[normal])) if normal.any() else 0.0
    if not median > 0:
        raise InputError("change_missing", name=ANATOMY, earlier=visit, later=visit)
    inside = brain if lesion is None else brain | lesion  # a lesion at the surface may lie outside of the brain mask
    return Image(np.where(inside, image.array * (NORMAL / median), np.nan).astype(np.float32), image.affine)


def _trusted(image: Image) -> np.ndarray:
    quality = getattr(image, "quality", None)
    return image.array if quality is None else np.where(quality, image.array, np.nan)
