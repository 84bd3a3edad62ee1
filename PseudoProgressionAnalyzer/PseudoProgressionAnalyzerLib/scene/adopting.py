"""A patient from volumes and segmentations that are in the scene already.

Nothing of the user's nodes is changed: the patient gets volumes of its own, which share the voxels where that is
possible and lie where the user's volumes lie, with the transforms that those stand under.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..analysis import Analysis
from ..imaging.resampling import resample
from ..measures import Image, InputError, Patient, Region, Series, Visit
from ..patient.choosing import check_role
from ..patient.editing import settled
from . import nodes
from .build import SOURCE
from .candidates import Candidate
from .nodes import PREFIX, to_world
from .segments import segment_mask


def adopt(chosen: Sequence[Candidate], patient_id: str = "patient") -> tuple[Analysis, dict[str, object]]:
    """An analysis of the chosen nodes, its voxels in ``given`` and its regions drawn, and the nodes by the uid of the
    series that they became; nothing is put into the scene yet.

    Raises InputError: ``nothing_to_measure``, ``adopt_role_twice``, ``adopt_geometry`` (a transform that is no rigid
    motion), ``adopt_empty``, ``edit_fields_missing`` (of a DSC), ``adopt_region_visit``, ``region_outside``.
    """
    visits: dict[str, Visit] = {}
    sources: dict[str, object] = {}
    analysis = Analysis(Patient(patient_id, []))
    for each in chosen:
        if not each.role or each.drawn:
            continue
        visit = visits.setdefault(each.visit, Visit(each.visit, each.date))
        visit.date = visit.date or each.date
        other = visit.of_role(each.role)
        if other is not None:
            raise InputError(
                "adopt_role_twice", role=each.role, visit=visit.id, first=other.description, name=each.name
            )
        uid = f"{SOURCE}{len(sources)}"
        fields = dict(each.acquisition)
        series = Series(each.role, Path(each.name), fields, 1.0, each.reason, uid=uid, description=each.name)
        check_role(series, each.role, each.dimensions)
        visit.series.append(series)
        analysis.given[uid] = _voxels(each)
        sources[uid] = each.node
    for each in chosen:
        if each.role and each.drawn:
            _add_region(analysis, visits, each)
    analysis.patient.visits = list(visits.values())
    analysis.patient = settled(analysis.patient)
    if not any(visit.of_role("T1CE") for visit in analysis.patient.visits):
        raise InputError("nothing_to_measure")
    return analysis, sources


def remember_sources(patient_node: object, sources: dict[str, object]) -> None:
    """Links the patient to the user's nodes that it was made from, so that what is not computed yet can still be read
    after the scene was saved and opened again."""
    for uid, node in sources.items():
        patient_node.SetNodeReferenceID(PREFIX + uid, node.GetID())


def given_again(patient_node: object, patient: Patient) -> dict[str, Image]:
    """The voxels of every series that comes from a node which is still in the scene, by the series' uid."""
    every = [*patient.visits, *(left.visit for left in patient.left_out)]
    found = {}
    for series in (series for visit in every for series in (*visit.series, *visit.set_aside)):
        node = patient_node.GetNodeReference(PREFIX + series.uid) if series.uid.startswith(SOURCE) else None
        if node is not None:
            dimensions = 4 if node.IsA("vtkMRMLSequenceNode") else 3
            source = Candidate(node, series.description, series.role, series.reason, "", None, dimensions)
            found[series.uid] = _voxels(source)
    return found


def _voxels(candidate: Candidate) -> Image:
    """The values ``(k, j, i)`` or ``(time, k, j, i)`` where they lie in the scene."""
    node = candidate.node
    if candidate.dimensions == 4:
        frames = [nodes.get_image(node.GetNthDataNode(number)) for number in range(node.GetNumberOfDataNodes())]
        if len({frame.shape for frame in frames}) != 1:
            raise InputError("adopt_geometry", name=candidate.name)
        return Image(np.stack([frame.array for frame in frames]), _placed(node, frames[0].affine, candidate.name))
    image = nodes.get_image(node)
    if image is None:
        raise InputError("adopt_empty", name=candidate.name)
    return Image(image.array, _placed(node, image.affine, candidate.name))


def _placed(node: object, affine: np.ndarray, name: str) -> np.ndarray:
    """4x4 of the voxels in the scene, through the transforms that the node stands under: rigid ones alone."""
    parent = node.GetParentTransformNode() if node.IsA("vtkMRMLTransformableNode") else None
    if parent is not None and not parent.IsTransformToWorldLinear():
        raise InputError("adopt_geometry", name=name)
    world = to_world(node) if parent is not None else np.eye(4)
    if not np.allclose(world[:3, :3] @ world[:3, :3].T, np.eye(3), atol=1e-4) or np.linalg.det(world[:3, :3]) < 0:
        raise InputError("adopt_geometry", name=name)
    return world @ affine


def _add_region(analysis: Analysis, visits: dict[str, Visit], each: Candidate) -> None:
    """A drawn region on the grid of its visit's T1CE."""
    visit = visits.get(each.visit)
    anatomy = visit.of_role("T1CE") if visit else None
    if anatomy is None:
        raise InputError("adopt_region_visit", region=each.name, visit=each.visit)
    grid = analysis.given[anatomy.uid]
    if each.node.IsA("vtkMRMLSegmentationNode"):
        mask = segment_mask(each.node, each.segment)
    else:
        image = nodes.get_image(each.node)
        mask = Image(image.array == int(each.segment), image.affine)
    placed = Image(mask.array, _placed(each.node, mask.affine, each.name))
    drawn = resample(placed, grid, np.eye(4), interpolation="nearest").array > 0
    if not drawn.any():
        raise InputError("region_outside", region=each.name, visit=each.visit)
    taken = {region.name for region in analysis.patient.regions if region.visit == visit.id}
    plain = each.region
    name, number = plain, 2
    while name in taken:
        name, number = f"{plain} {number}", number + 1
    analysis.patient.regions.append(Region(name, visit.id, each.role, Path()))
    analysis.regions[visit.id, name] = Image(drawn, grid.affine)
