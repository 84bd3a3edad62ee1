"""What changed voxel by voxel from one visit to another: of the T1CE, or of a ratio map. Shown, never measured."""

from __future__ import annotations

import numpy as np

from ..imaging.halfway import halfway, meet
from ..imaging.intensity import matched, tissue_scale, without_bias
from ..imaging.registration import UNCERTAINTY_LIMIT
from ..measures import Image, InputError, Map
from . import Analysis
from .aligning import by_voxel, visit_to_visit
from .mapping import UNIT_UNKNOWN
from .reading import lesion_of

ANATOMY = "T1CE"
NORMAL = 100.0
"""What the median of the brain outside the lesions is scaled to: so that one unit is one per cent."""
COMPARABLE = ("rCBV_ratio", "CBF_ratio", "Cho_NAA_molar", "Cho_NAA_area", "Cho_Cr_molar", "Cho_Cr_area", "ADC", "APTw")
"""Maps whose values mean the same in two visits: ratios to reference tissue, and quantities."""


def changes_to_show(analysis: Analysis, earlier: str, later: str) -> list[str]:
    """Names of what both visits have and can be compared: ``T1CE`` and comparable maps."""
    names = [ANATOMY] if all((visit, ANATOMY) in analysis.images for visit in (earlier, later)) else []
    return names + [name for name in COMPARABLE if all((visit, name) in analysis.maps for visit in (earlier, later))]


def change_map(analysis: Analysis, earlier: str, later: str, name: str) -> Map:
    """Later minus earlier, both resampled once (linear) halfway between the visits; in the RAS space of the later image
    or map, turned in it by half of what lies between the visits.

    Of the T1CE in per cent of the normal brain's median (brain without lesions), after the coil's shading was taken out
    and the earlier image brought to the later one's scale by two percentiles of normal tissue (``intensity``); of a map
    in its unit, as it is. NaN where one of the two has no trusted value. Raises InputError: ``change_missing``;
    ``change_unaligned`` and ``change_withheld`` where the alignment cannot be trusted voxel by voxel;
    ``change_unit_unknown`` where nobody said a map's unit; ``change_other_kind`` where units or methods differ.
    """
    for visit in (earlier, later):
        _demand_trust(analysis, visit)
    if name not in changes_to_show(analysis, earlier, later):
        raise InputError("change_missing", name=name, earlier=earlier, later=later)
    if name == ANATOMY:
        before, after = _on_one_scale(analysis, earlier, later)
        unit, method = "%", "T1CE over the median of the brain outside the lesions"
    else:
        before, after = (analysis.maps[visit, name] for visit in (earlier, later))
        nameless = [visit for visit in (earlier, later) if analysis.maps[visit, name].unit == UNIT_UNKNOWN]
        if nameless:
            raise InputError("change_unit_unknown", visits=", ".join(nameless))
        if before.unit != after.unit or before.method != after.method:
            raise InputError("change_other_kind", name=name, earlier=earlier, later=later)
        unit, method = after.unit, after.method
    before, after = (
        Image(_trusted(image), _to_anatomy(analysis, visit, name) @ image.affine)
        for image, visit in ((before, earlier), (after, later))
    )
    between = visit_to_visit(analysis, later, earlier)
    before, after, _ = meet(before, after, between)
    change = after.array - before.array
    return Map(
        change,
        np.linalg.inv(halfway(between) @ _to_anatomy(analysis, later, name)) @ after.affine,
        name=f"{name}_change",
        unit=unit,
        method=f"{method}; {later} minus {earlier}, halfway between both",
        quality=np.isfinite(change),
    )


def _demand_trust(analysis: Analysis, visit: str) -> None:
    known = analysis.alignment.get(visit)
    if visit not in analysis.visit_to_reference or known is None:
        raise InputError("change_unaligned", visit=visit)
    if not by_voxel(analysis, visit):
        uncertainty = known.get("uncertainty")
        said = "unknown" if uncertainty is None else round(uncertainty, 1)
        raise InputError("change_withheld", visit=visit, uncertainty=said, limit=UNCERTAINTY_LIMIT)


def _to_anatomy(analysis: Analysis, visit: str, name: str) -> np.ndarray:
    return np.eye(4) if name == ANATOMY else analysis.series_to_visit[visit, name]


def _on_one_scale(analysis: Analysis, earlier: str, later: str) -> tuple[Image, Image]:
    """Both T1CE in per cent of the median of the later one's normal brain, NaN outside of the brain."""
    scales, shown = [], []
    for visit in (earlier, later):
        image, brain, lesion = analysis.images[visit, ANATOMY], analysis.brains[visit], lesion_of(analysis, visit)
        normal = brain if lesion is None else brain & ~lesion
        image = without_bias(image, normal)  # the coil's shading moves with the head and would show as change
        scales.append(tissue_scale(image, normal))
        inside = brain if lesion is None else brain | lesion
        shown.append(Image(np.where(inside, image.array, np.float32(np.nan)), image.affine))
    before, after = matched(shown[0], *scales), shown[1]
    lesion = lesion_of(analysis, later)
    normal = analysis.brains[later] if lesion is None else analysis.brains[later] & ~lesion
    median = float(np.median(after.array[normal]))
    if not median > 0:
        raise InputError("change_missing", name=ANATOMY, earlier=earlier, later=later)
    return tuple(Image(image.array * np.float32(NORMAL / median), image.affine) for image in (before, after))


def _trusted(image: Image) -> np.ndarray:
    quality = getattr(image, "quality", None)
    return image.array if quality is None else np.where(quality, image.array, np.nan)
