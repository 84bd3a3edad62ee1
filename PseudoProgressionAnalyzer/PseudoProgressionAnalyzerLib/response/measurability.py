"""Whether a lesion is large enough to be measured, by each criterion.

True, False, or None where a size that decides is unknown. The reader's word comes first (clear margins, 1.4).
"""

from __future__ import annotations

from .inputs import Lesion
from .published import limit


def measurable_2010(lesion: Lesion, measure: str) -> bool | None:
    """RANO 2010 (1.1, 1.3): both diameters at least 10 mm, or twice a slice spacing above 5 mm, on two slices."""
    if lesion.measurable is not None:
        return lesion.measurable
    minimum, spacing = limit("measurable_diameter"), lesion.slice_spacing
    if spacing is not None and spacing > limit("thick_slice"):
        minimum = limit("thick_slice_factor") * spacing
    return _all_reach(
        (lesion.longest, minimum),
        (lesion.perpendicular, minimum),
        (lesion.slices, limit("measurable_slices")),
        (spacing, 0),
    )


def measurable_rano_2(lesion: Lesion, measure: str) -> bool | None:
    """RANO 2.0: by area a short axis of 10 mm on two slices (3.6), by volume 10 mm in three directions (3.8)."""
    if lesion.measurable is not None:
        return lesion.measurable
    if measure == "volume":
        return _all_reach(*((extent, limit("measurable_extent")) for extent in lesion.extents or (None,)))
    return _all_reach(
        (lesion.perpendicular, limit("measurable_short_axis")), (lesion.slices, limit("measurable_slices"))
    )


def measurable_on_pet(millilitres: float) -> bool | None:
    """PET RANO (6.3): more than 0.5 mL above the threshold of uptake; None at exactly 0.5 mL (10.22)."""
    return None if millilitres == limit("pet_measurable") else millilitres > limit("pet_measurable")


def _all_reach(*sizes: tuple[float | None, float]) -> bool | None:
    if any(size is not None and size < least for size, least in sizes):
        return False
    return None if any(size is None for size, _ in sizes) else True
