"""A patient from volumes and segmentations that are in the scene already.

Nothing of the user's nodes is changed: the patient gets volumes of its own, which share the voxels where that is
possible and lie where the user's volumes lie, with the transforms that those stand under.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import slicer

from ..analysis import Analysis
from ..imaging.resampling import resample
from ..measures import Image, InputError, Message, Patient, Region, Series, Visit
from ..patient.descriptions import contrast_said, kind_said
from ..patient.dicom import read_dicom_series
from ..patient.editing import TIME_SERIES, check_role, settled
from ..patient.roles import region_of_name, role_of_name
from ..patient.visits import group_studies
from . import nodes
from .build import SOURCE
from .focus import to_world
from .nodes import PREFIX, marked
from .segments import segment_mask

REGIONS = ("lesion", "reference", "free")
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_NUMBER = re.compile(r"(?:visit|time ?point|scan|study|tp|fu|v|t|_|-|\s)[ _-]?(\d{1,2})$", re.IGNORECASE)
_LESION = re.compile(r"lesion|tumou?r|enhanc|glio|gtv", re.IGNORECASE)
_REFERENCE = re.compile(r"reference|nawm|white.?matter|contralateral", re.IGNORECASE)


@dataclass
class Candidate:
    """A node, or a segment of one, that could belong to the patient; the user confirms or corrects it.

    role: of ``ROLES``, of ``REGIONS`` for what was drawn, empty where nothing says it. segment: id of the segment, or
    the label of a label map as text. dimensions: 3, or 4 of a time series. visit: the name of the visit.
    """

    node: object
    name: str
    role: str
    reason: Message
    visit: str
    date: datetime.date | None
    dimensions: int = 3
    segment: str = ""
    acquisition: dict[str, Any] = field(default_factory=dict)

    @property
    def drawn(self) -> bool:
        """Whether it is a region."""
        return bool(self.segment)


def candidates(scene: object, files_of: Callable[[object], Sequence[Path]] = lambda node: ()) -> list[Candidate]:
    """All volumes, volume sequences, label maps and segments of the scene that are not ours, with guessed roles.

    files_of: the DICOM files that a node was loaded from, where a database knows them: then their headers say role,
    date and acquisition; else names do, and the date of the study in the subject hierarchy.
    """
    found = [_volume(scene, node, files_of(node)) for node in _of_class(scene, "vtkMRMLScalarVolumeNode")]
    found += [_sequence(scene, node, files_of(node)) for node in _of_class(scene, "vtkMRMLSequenceNode")]
    for node in _of_class(scene, "vtkMRMLLabelMapVolumeNode"):
        found += _labels(scene, node)
    for node in _of_class(scene, "vtkMRMLSegmentationNode"):
        found += _segments(scene, node)
    every = [each for each in found if each is not None]
    for each in every:
        if each.dimensions == 3 and each.role in TIME_SERIES:
            each.role, each.reason = "", Message("series_single_perfusion_image")
    _name_visits(every)
    return every


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


def _of_class(scene: object, name: str) -> list[object]:
    """Nodes of exactly this class that are the user's own and shown."""
    every = [scene.GetNthNodeByClass(number, name) for number in range(scene.GetNumberOfNodesByClass(name))]
    exact = [node for node in every if node.GetClassName() == name]
    return [node for node in exact if not marked(node, "kind") and not node.GetHideFromEditors()]


def _volume(scene: object, node: object, files: Sequence[Path]) -> Candidate | None:
    if nodes.get_image(node) is None:
        return None
    return _guess(scene, node, node.GetName(), files, 3)


def _sequence(scene: object, node: object, files: Sequence[Path]) -> Candidate | None:
    frames = [node.GetNthDataNode(number) for number in range(node.GetNumberOfDataNodes())]
    if len(frames) < 2 or not all(frame is not None and frame.IsA("vtkMRMLScalarVolumeNode") for frame in frames):
        return None
    found = _guess(scene, node, node.GetName(), files, 4)
    factor = {"s": 1.0, "ms": 1e-3}.get((node.GetIndexUnit() or "").lower())
    if factor and "RepetitionTime" not in found.acquisition:
        try:
            times = np.array([float(node.GetNthIndexValue(number)) for number in range(len(frames))]) * factor
        except ValueError:
            return found
        steps = np.diff(times)
        if steps.min() > 0 and np.allclose(steps, steps.mean(), rtol=0.02):
            found.acquisition["RepetitionTime"] = float(steps.mean())
    for place in (node, frames[0]):
        text = place.GetAttribute("MultiVolume.DICOM.EchoTime")  # ms, as Slicer's importer of time series writes it
        if text and "EchoTime" not in found.acquisition:
            found.acquisition["EchoTime"] = float(text) / 1000
    return found


def _guess(scene: object, node: object, name: str, files: Sequence[Path], dimensions: int) -> Candidate:
    """Role, date and acquisition from the DICOM headers where there are files, else from names."""
    if files:
        try:
            read = read_dicom_series(files)
        except InputError:
            read = None
        if read is not None:
            series, date = read
            date = date or _date_of(scene, node)
            return Candidate(node, name, series.role, series.reason, "", date, dimensions, "", series.acquisition)
    role, reason = _role_of_name(name)
    return Candidate(node, name, role, reason, "", _date_of(scene, node), dimensions)


def _role_of_name(name: str) -> tuple[str, Message]:
    plain = _DATE.sub("", name).strip(" _-:.")
    role, reason = role_of_name(plain)
    if role is None and (numbered := _NUMBER.search(plain)):
        role, reason = role_of_name(plain[: numbered.start()].strip(" _-:."))
    if role is not None:
        return role, reason
    said = kind_said(name)
    if said is None or said[1] is None or said[1] == "lesion":
        return "", Message("role_unknown", {"name": name})
    role = "T1CE" if said[1] == "T1" and contrast_said(name) else said[1]
    return role, Message("role_from_description", {"role": role, "text": name})


def _date_of(scene: object, node: object) -> datetime.date | None:
    """The date of the study in the subject hierarchy, else one that the node's name or a folder above it says."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    constants = slicer.vtkMRMLSubjectHierarchyConstants
    names, item = [node.GetName()], tree.GetItemByDataNode(node)
    while item and item != tree.GetSceneItemID():
        said = _date(tree.GetItemAttribute(item, constants.GetDICOMStudyDateAttributeName()))
        if said is not None:
            return said
        names.append(tree.GetItemName(item))
        item = tree.GetItemParent(item)
    return next((date for date in map(_date, names) if date is not None), None)


def _date(text: str) -> datetime.date | None:
    match = _DATE.search(text or "")
    try:
        return datetime.date(*map(int, match.groups())) if match else None
    except ValueError:
        return None


def _labels(scene: object, node: object) -> list[Candidate]:
    image = nodes.get_image(node)
    labels = [int(label) for label in np.unique(image.array) if label != 0] if image is not None else []
    if not 0 < len(labels) <= 20:
        return []
    names = [node.GetName() if len(labels) == 1 else f"{node.GetName()} label {label}" for label in labels]
    return [_region(scene, node, n, str(label)) for n, label in zip(names, labels, strict=True)]


def _segments(scene: object, node: object) -> list[Candidate]:
    segmentation = node.GetSegmentation()
    found = []
    for segment_id in segmentation.GetSegmentIDs():
        if segment_mask(node, segment_id).array.any():
            found.append(_region(scene, node, segmentation.GetSegment(segment_id).GetName(), segment_id))
    return found


def _region(scene: object, node: object, name: str, segment: str) -> Candidate:
    purpose = region_of_name(name) or ("reference" if _REFERENCE.search(name) else "")
    purpose = purpose or ("lesion" if _LESION.search(name) or _LESION.search(node.GetName()) else "")
    reason = Message("role_from_name" if purpose else "role_unknown", {"name": name, "role": purpose})
    return Candidate(node, name, purpose, reason, "", _date_of(scene, node), 3, segment)


def _name_visits(found: list[Candidate]) -> None:
    """Visits by the dates, under the same rule as folders; what has no date by a number at the end of its name, and a
    region goes to the visit of the image that it was drawn on."""
    images = [each for each in found if not each.drawn]
    by_date: dict[datetime.date, set[str]] = {}
    for each in images:
        if each.date is not None:
            by_date.setdefault(each.date, set()).add(each.role)
    grouped = group_studies([(d.isoformat(), d, frozenset(roles)) for d, roles in by_date.items()], [])
    visit_of = {name: names[0] for names in grouped for name in names}
    for each in images:
        numbered = _NUMBER.search(each.name)
        fallback = f"visit {int(numbered[1])}" if numbered else "visit 1"
        each.visit = visit_of[each.date.isoformat()] if each.date is not None else fallback
    for each in (each for each in found if each.drawn):
        drawn_on = each.node.GetNodeReference("referenceImageGeometryRef")
        image = next((other for other in images if other.node is drawn_on), None)
        if image is None:
            same_day = [o for o in images if o.date is not None and o.date == each.date]
            image = (same_day or images or [None])[0]
        if image is not None:
            each.visit, each.date = image.visit, image.date


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
    name, number = each.name, 2
    while name in taken:
        name, number = f"{each.name} {number}", number + 1
    analysis.patient.regions.append(Region(name, visit.id, each.role, Path()))
    analysis.regions[visit.id, name] = Image(drawn, grid.affine)
