"""Every visit rigidly to one reference visit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..imaging.registration import register_rigid
from . import Analysis
from .reading import lesion_of, warn


def choose_reference_visit(analysis: Analysis) -> None:
    """The earliest visit with a T1CE, where none was chosen: so nothing that came later enters an earlier measurement,
    not even through the transforms."""
    if not analysis.reference_visit:
        visits = analysis.patient.visits
        analysis.reference_visit = next(visit.id for visit in visits if (visit.id, "T1CE") in analysis.images)


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


def visit_to_visit(analysis: Analysis, moving: str, fixed: str) -> np.ndarray:
    """4x4, RAS points of one visit to those of another; exactly the identity within a visit."""
    if moving == fixed:
        return np.eye(4)
    return np.linalg.inv(analysis.visit_to_reference[fixed]) @ analysis.visit_to_reference[moving]
