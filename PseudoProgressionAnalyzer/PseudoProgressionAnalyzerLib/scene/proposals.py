"""Proposed lesions in the scene: a hatched segmentation of its own beside the visit's lesions, until it is accepted.

It is no region of the patient: nothing measures, saves or reads it as one.
"""

from __future__ import annotations

import json

import numpy as np

from ..measures import Image
from . import nodes
from .nodes import ANATOMY, Kind, find, mark, marked, put
from .segments import on_grid, put_segment, segment_mask, segment_of

NAME = "proposal"
HATCH = "hatch"
STRIPES = 4.0
"""mm from stripe to stripe of the hatch; half of it is filled."""


def show_proposal(
    patient: object,
    visit_id: str,
    mask: Image,
    points: list[np.ndarray],
    carried_from: str = "",
    region: tuple[str, str] | None = None,
) -> object:
    """Puts a proposal (bool ``(k, j, i)`` on the visit's T1CE) into the scene in place of an earlier one.

    points: the clicks that it rests on, RAS mm of the visit; further clicks are added to them. carried_from: the visit
    whose region it was proposed from; region: name and purpose of what it would be, None for a lesion. Returns the
    node.
    """
    anatomy = find(patient, Kind.IMAGE, visit_id, ANATOMY)
    node = put(patient, "vtkMRMLSegmentationNode", f"{visit_id} {NAME}, not measured", Kind.PROPOSAL, visit_id)
    node.SetAndObserveTransformNodeID(anatomy.GetTransformNodeID())
    node.SetReferenceImageGeometryParameterFromVolumeNode(anatomy)
    mark(node, points=json.dumps([[float(one) for one in point] for point in points]), carried_from=carried_from)
    mark(node, region=json.dumps(region) if region else "")
    put_segment(node, NAME, "proposal", mask)
    put_segment(node, HATCH, "proposal", Image(hatched(mask), mask.affine))
    node.CreateDefaultDisplayNodes()
    display = node.GetDisplayNode()
    display.SetPreferredDisplayRepresentationName2D("Binary labelmap")
    for name, outline, fill in ((NAME, True, False), (HATCH, False, True)):
        segment = segment_of(node, name)
        display.SetSegmentVisibility(segment, True)
        display.SetSegmentVisibility2DOutline(segment, outline)
        display.SetSegmentVisibility2DFill(segment, fill)
        display.SetSegmentOpacity2DFill(segment, 0.6)
    return node


def hatched(mask: Image) -> np.ndarray:
    """The part of a mask in oblique stripes, bool ``(k, j, i)``; only its own voxels are looked at."""
    held = np.nonzero(mask.array)
    along = mask.spacing[::-1] @ np.stack(held)
    hatch = np.zeros(mask.shape, bool)
    hatch[held] = (along / STRIPES) % 1.0 < 0.5
    return hatch


def proposal_of(patient: object, visit_id: str) -> tuple[object, list[np.ndarray]] | None:
    """The visit's proposal (segmentation node, clicks), or None."""
    node = find(patient, Kind.PROPOSAL, visit_id)
    if node is None:
        return None
    return node, [np.array(point) for point in json.loads(marked(node, "points") or "[]")]


def region_of_proposal(patient: object, visit_id: str) -> tuple[str, str] | None:
    """Name and purpose of the region that the visit's proposal would be; None for a lesion, or without a proposal."""
    node = find(patient, Kind.PROPOSAL, visit_id)
    region = marked(node, "region") if node is not None else ""
    return tuple(json.loads(region)) if region else None


def reject_proposal(patient: object, visit_id: str) -> None:
    """Takes a visit's proposal away."""
    node = find(patient, Kind.PROPOSAL, visit_id)
    if node is not None:
        patient.GetScene().RemoveNode(node)


def accept_proposal(
    patient: object, visit_id: str, name: str = "lesion", purpose: str = "lesion"
) -> tuple[object, str] | None:
    """Makes a visit's proposal one of its regions, or a part of one, and takes it away.

    name, purpose: of the region; one of that name is joined with the proposal. Returns (segmentation node, segment id)
    to be measured; None where there is no proposal.
    """
    found, lesions = proposal_of(patient, visit_id), find(patient, Kind.LESION, visit_id)
    if found is None or lesions is None:
        return None
    anatomy = nodes.get_image(find(patient, Kind.IMAGE, visit_id, ANATOMY))
    mask = on_grid(segment_mask(found[0], segment_of(found[0], NAME)), anatomy)
    segment = segment_of(lesions, name)
    if segment is not None:
        mask = Image(mask.array | on_grid(segment_mask(lesions, segment), anatomy).array, mask.affine)
    segment = put_segment(lesions, name, purpose, mask)
    reject_proposal(patient, visit_id)
    return lesions, segment
