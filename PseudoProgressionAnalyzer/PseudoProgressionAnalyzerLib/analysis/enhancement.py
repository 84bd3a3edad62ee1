"""What contrast added to a visit's T1, and whether what was drawn as enhancing really took it up."""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..imaging.resampling import resample
from ..lesion.labels import contradictions
from ..lesion.subtraction import Subtraction, subtract, supported_fraction
from ..measures import InputError, Map, Message
from . import Analysis
from .reading import drawn_as, lesion_of, warn

NAME = "T1_subtraction"
KEPT_FROM_EDGE = 6.0
"""mm of brain at its surface, along the axes, that are not compared: vessels and dura there enhance in everybody. Own
choice."""
ENOUGH_UPTAKE = 0.5
"""Share of a lesion that must brighten, else it is said. Own choice: it only makes a remark."""
_MOST_VOXELS = 200_000  # of reference tissue that the line is fitted to: more tell nothing more


def find_uptake(analysis: Analysis, visit_id: str) -> None:
    """The map ``T1_subtraction`` (% of the brain's signal after contrast) where the visit has a T1 before contrast.

    Warns where the enhancing region does not brighten, or another compartment more (``lesion_not_enhancing``,
    ``lesion_other_enhances``, ``lesion_uptake_little``), and where the images cannot be subtracted.
    """
    pre, post = (analysis.images.get((visit_id, role)) for role in ("T1", "T1CE"))
    if pre is None or post is None:
        return
    moved = resample(pre, post, analysis.series_to_visit[visit_id, "T1"], outside=np.nan)
    brain = analysis.brains[visit_id]
    try:
        found = subtract(moved.array, post.array, _reference(analysis, visit_id))
    except InputError as error:
        warn(analysis, visit_id, Message("lesion_subtraction_failed", {"visit": visit_id}), error.message)
        return
    analysis.maps[visit_id, NAME] = Map(
        np.where(brain, found.delta, np.float32(np.nan)),
        post.affine,
        name=NAME,
        unit="%",
        method="T1CE minus what T1 predicts by a line through brain that does not enhance (Ellingson 2017)",
        quality=brain & np.isfinite(found.delta),
    )
    analysis.series_to_visit[visit_id, NAME] = np.eye(4)
    analysis.uptake_noise[visit_id] = found.noise
    check_uptake(analysis, visit_id)


def uptake_of(analysis: Analysis, visit_id: str) -> Subtraction | None:
    """What ``find_uptake`` found in a visit, None where there is nothing."""
    values = analysis.maps.get((visit_id, NAME))
    if values is None or visit_id not in analysis.uptake_noise:
        return None
    return Subtraction(values.array, analysis.uptake_noise[visit_id])


def check_uptake(analysis: Analysis, visit_id: str) -> None:
    """Warns where the regions of a visit contradict its contrast uptake."""
    uptake, lesion = uptake_of(analysis, visit_id), lesion_of(analysis, visit_id)
    if uptake is None or lesion is None:
        return
    others = {name: drawn_as(analysis, visit_id, name) for name in ("necrosis", "oedema", "cavity")}
    masks = {"enhancement": lesion} | {name: mask for name, mask in others.items() if mask is not None}
    dark, brighter = contradictions(masks, uptake)
    if dark is not None:
        warn(analysis, visit_id, Message("lesion_not_enhancing", {"visit": visit_id, "uptake": round(dark, 1)}))
    if brighter:
        warn(analysis, visit_id, Message("lesion_other_enhances", {"visit": visit_id, "compartment": brighter}))
    share = supported_fraction(lesion, uptake)
    if dark is None and share is not None and share < ENOUGH_UPTAKE:
        warn(analysis, visit_id, Message("lesion_uptake_little", {"visit": visit_id, "percent": round(100 * share)}))


def _reference(analysis: Analysis, visit_id: str) -> np.ndarray:
    """Brain away from its surface and from what was drawn, thinned to a number that is enough."""
    brain, spacing = analysis.brains[visit_id], analysis.images[visit_id, "T1CE"].spacing[::-1]
    reach = 2 * np.ceil(KEPT_FROM_EDGE / spacing).astype(int) + 1
    inside = ndimage.uniform_filter(brain.astype(np.float32), tuple(reach)) > 1 - 1e-4  # nothing but brain around
    if not inside.any():
        inside = brain.copy()
    for purpose in ("lesion", "necrosis", "cavity"):
        drawn = drawn_as(analysis, visit_id, purpose)
        if drawn is not None:
            inside &= ~drawn
    places = np.flatnonzero(inside)
    chosen = np.zeros(brain.size, bool)
    chosen[places[:: max(1, len(places) // _MOST_VOXELS)]] = True
    return chosen.reshape(brain.shape)
