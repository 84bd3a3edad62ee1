"""Lesions proposed from a click or from another visit. A proposal is a start for drawing and never measured."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..imaging.resampling import resample
from ..lesion.proposal import LIMIT, Proposal, brightness, propose
from ..measures import Image
from . import Analysis
from .aligning import visit_to_visit
from .enhancement import uptake_of
from .reading import drawn_as

LEFT_OUT = ("cavity", "necrosis", "ventricles")


def bright_tissue(analysis: Analysis, visit_id: str) -> np.ndarray:
    """How bright each voxel of the visit's T1CE is against the brain around it (``lesion.proposal.brightness``).

    Takes most of the time of a proposal and does not depend on the click: keep it.
    """
    anatomy = analysis.images[visit_id, "T1CE"]
    brain = analysis.brains[visit_id]
    drawn = drawn_as(analysis, visit_id, "lesion")
    return brightness(anatomy.array, anatomy.affine, brain if drawn is None else brain | drawn)


def propose_lesion(
    analysis: Analysis,
    visit_id: str,
    bright: np.ndarray,
    points: Sequence[np.ndarray] = (),
    carried_from: str = "",
    limit: float = LIMIT,
) -> Proposal:
    """The lesion at some points (RAS mm of the visit), or the one that another visit's drawn lesion has become.

    What was drawn as cavity, necrosis or ventricle is left out, and what is no brighter after contrast than before,
    where the visit has a T1 before contrast. limit: standard deviations of the brain around it from which tissue counts
    as bright. Flags and errors as ``lesion.proposal.propose``.
    """
    anatomy, carried = analysis.images[visit_id, "T1CE"], None
    if carried_from:
        drawn = drawn_as(analysis, carried_from, "lesion")
        if drawn is not None:
            there = Image(drawn, analysis.images[carried_from, "T1CE"].affine)
            to_here = visit_to_visit(analysis, carried_from, visit_id)
            carried = resample(there, anatomy, to_here, interpolation="nearest").array > 0
        else:
            carried = np.zeros(anatomy.shape, bool)
    return propose(bright, anatomy.affine, points, carried=carried, excluded=_left_out(analysis, visit_id), limit=limit)


def visit_before(analysis: Analysis, visit_id: str) -> str:
    """The last visit before this one in which a lesion is drawn; empty where there is none."""
    order = [visit.id for visit in analysis.patient.visits if visit.id in analysis.visit_to_reference]
    for earlier in reversed(order[: order.index(visit_id)] if visit_id in order else []):
        drawn = drawn_as(analysis, earlier, "lesion")
        if drawn is not None and drawn.any():
            return earlier
    return ""


def _left_out(analysis: Analysis, visit_id: str) -> np.ndarray | None:
    found = [mask for name in LEFT_OUT if (mask := drawn_as(analysis, visit_id, name)) is not None]
    uptake = uptake_of(analysis, visit_id)
    if uptake is not None:
        with np.errstate(invalid="ignore"):
            found.append(uptake.delta <= uptake.limit)  # NaN is not left out: nothing is known there
    return np.logical_or.reduce(found) if found else None
