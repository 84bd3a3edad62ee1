"""Every visit rigidly to one reference visit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..imaging.registration import register_rigid
from . import Analysis
from .reading import lesion_of, warn


def choose_reference_visit(analysis: Analysis) -> None:
    """The visit with the finest T1CE; the earliest of those within 5 % of the finest voxel volume."""
    volumes = {visit: image.voxel_volume for (visit, role), image in analysis.images.items() if role == "T1CE"}
    order = [visit.id for visit in analysis.patient.visits if visit.id in volumes]
    finest = min(volumes.values())
    analysis.reference_visit = next(visit for visit in order if volumes[visit] <= 1.05 * finest)


def align_visit(
    analysis: Analysis,
    visit_id: str,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """The transform of a visit to the reference visit, with what is known of its trust."""
    reference = analysis.reference_visit
    if visit_id == reference:
        analysis.visit_to_reference[visit_id] = np.eye(4)
        analysis.alignment[visit_id] = {"uncertainty": 0.0}
        return
    fixed, moving = analysis.images[reference, "T1CE"], analysis.images[visit_id, "T1CE"]
    registration = register_rigid(
        fixed,
        moving,
        exclude_fixed=lesion_of(analysis, reference),
        exclude_moving=lesion_of(analysis, visit_id),
        progress=progress,
        cancelled=cancelled,
    )
    analysis.visit_to_reference[visit_id] = registration.moving_to_fixed
    analysis.alignment[visit_id] = {"uncertainty": registration.uncertainty}
    warn(analysis, visit_id, *registration.flags)
