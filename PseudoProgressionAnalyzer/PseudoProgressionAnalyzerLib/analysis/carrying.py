"""A region of one visit as a proposal for another: nothing is measured in it until the user accepts it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from ..imaging.resampling import overlap_weights
from ..measures import Image, InputError, Message, Region
from . import Analysis
from .aligning import doubts, visit_to_visit


@dataclass(frozen=True)
class Proposal:
    """A region that may become one of the patient's.

    region: what it would be. mask: bool ``(k, j, i)`` on the T1CE of its visit. drawn_in: the visit that it comes from.
    flags: what speaks against taking it as it is.
    """

    region: Region
    mask: Image
    drawn_in: str
    flags: tuple[Message, ...] = ()


def propose_region(analysis: Analysis, name: str, drawn_in: str, visit_id: str) -> Proposal:
    """A drawn region carried rigidly into another visit: its shape is the old one, to be drawn anew where it changed.

    A voxel of the other visit's T1CE belongs to it where the region covers at least half of it. Raises InputError
    ``unknown_visit``, ``proposal_not_drawn`` (no such region), ``proposal_no_anatomy``, ``change_unaligned``,
    ``proposal_outside`` (nothing of it lies in that image).
    """
    analysis.patient.visit(visit_id)
    drawn = analysis.regions.get((drawn_in, name))
    known = [region for region in analysis.patient.regions if (region.visit, region.name) == (drawn_in, name)]
    if drawn is None or not known:
        raise InputError("proposal_not_drawn", region=name, visit=drawn_in)
    anatomy = analysis.images.get((visit_id, "T1CE"))
    if anatomy is None:
        raise InputError("proposal_no_anatomy", visit=visit_id)
    for visit in (drawn_in, visit_id):
        if visit not in analysis.visit_to_reference:
            raise InputError("change_unaligned", visit=visit)
    mask = overlap_weights(drawn, anatomy, visit_to_visit(analysis, drawn_in, visit_id)) >= 0.5
    if not mask.any():
        raise InputError("proposal_outside", region=name, visit=visit_id)
    region = replace(known[0], visit=visit_id, carried=False, files=(), label=None)
    flags = (*doubts(analysis, drawn_in), *doubts(analysis, visit_id))
    return Proposal(region, Image(mask, anatomy.affine.copy()), drawn_in, flags)


def accept_proposal(analysis: Analysis, proposal: Proposal) -> None:
    """Makes the proposal one of the patient's regions: from now on it is measured.

    Raises InputError ``proposal_there`` where the visit has a region of that name: what was drawn is never replaced.
    """
    region = proposal.region
    if any((other.visit, other.name) == (region.visit, region.name) for other in analysis.patient.regions):
        raise InputError("proposal_there", region=region.name, visit=region.visit)
    analysis.patient.regions.append(region)
    analysis.regions[region.visit, region.name] = Image(np.array(proposal.mask.array), proposal.mask.affine)
    reopened = {("step_reference_tissue", region.visit), ("step_ratios", region.visit)}
    analysis.finished -= {*reopened, ("step_measure", ""), ("step_assess", "")}
