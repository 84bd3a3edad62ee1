"""What volumes, sequences, label maps and segments of the scene could be to a patient.

Role, visit and date are guessed, with the reason, from DICOM headers, files, names and the subject hierarchy.
"""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import slicer
from vtkmodules.vtkCommonCore import vtkCollection

from ..formats.sidecars import read_sidecar, stem
from ..measures import PURPOSES, InputError, Message
from ..patient.choosing import TIME_SERIES
from ..patient.descriptions import contrast_said, kind_said
from ..patient.dicom import read_dicom_series
from ..patient.roles import purpose_of_label, region_of_name, role_of_name
from ..patient.visits import group_studies
from . import nodes
from .nodes import marked
from .segments import segment_mask

REGIONS = PURPOSES
_DATE = re.compile(r"(?<!\d)((?:19|20)\d\d)[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12]\d|3[01])(?!\d)")
_NUMBER = re.compile(r"(?:visit|time ?point|scan|study|tp|fu|v|t|_|-|\s)[ _-]?(\d{1,2})$", re.IGNORECASE)
_SLICERS_NUMBER = re.compile(r"(.+)_(\d+)$")
"""How Slicer calls what has the name of a node that is there already: T1CE, T1CE_1, T1CE_2."""
MOST_LABELS = 20


@dataclass
class Candidate:
    """A node, or a segment of one, that could belong to the patient; the user confirms or corrects it.

    role: of ``ROLES``, of ``REGIONS`` for what was drawn, empty where nothing says it. segment: id of the segment, or
    the label of a label map as text. dimensions: 3, or 4 of a time series. visit: the name of the visit. file: that it
    was loaded from, where it has one.
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
    file: Path | None = None

    @property
    def drawn(self) -> bool:
        """Whether it is a region."""
        return bool(self.segment)

    @property
    def region(self) -> str:
        """The name of the region: that of a mask without date and number, which tell visits; lesions of one name are
        compared over time."""
        if self.node.IsA("vtkMRMLSegmentationNode"):
            return self.name
        whole = self.node.GetName()
        return (_without_visit(whole) or whole) + self.name[len(whole) :]


def candidates(scene: object, files_of: Callable[[object], Sequence[Path]] = lambda node: ()) -> list[Candidate]:
    """All volumes, volume sequences, label maps and segments of the scene that are not ours, with guessed roles.

    files_of: the DICOM files that a node was loaded from, where a database knows them: then their headers say role,
    date and acquisition; else names, folders and a sidecar beside the file do, and the study in the subject hierarchy.
    A volume that holds a few whole numbers, as Slicer loads a mask file unless told otherwise, is offered as regions.
    """
    proxies = _proxies(scene)
    volumes = [node for node in _of_class(scene, "vtkMRMLScalarVolumeNode") if node not in proxies]
    found = []
    for node in volumes:
        found += _labels(scene, node) if _is_mask(node) else [_volume(scene, node, files_of(node))]
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


def _of_class(scene: object, name: str) -> list[object]:
    """Nodes of exactly this class that are the user's own and shown."""
    every = [scene.GetNthNodeByClass(number, name) for number in range(scene.GetNumberOfNodesByClass(name))]
    exact = [node for node in every if node.GetClassName() == name]
    return [node for node in exact if not marked(node, "kind") and not node.GetHideFromEditors()]


def _proxies(scene: object) -> list[object]:
    """The volumes that show a frame of a sequence."""
    found = vtkCollection()
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLSequenceBrowserNode")):
        scene.GetNthNodeByClass(number, "vtkMRMLSequenceBrowserNode").GetAllProxyNodes(found)
    return [found.GetItemAsObject(number) for number in range(found.GetNumberOfItems())]


def _is_mask(node: object) -> bool:
    """Whether a volume holds background and a few labels: no image of a head does."""
    image = nodes.get_image(node)
    if image is None or image.array.min() != 0 or not 0 < image.array.max() <= MOST_LABELS:
        return False
    return image.array.dtype.kind in "iu" or bool((image.array == np.round(image.array)).all())


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
        # Slicer counts 0, 1, 2 "s" where a file does not say the times
        counted = np.array_equal(times, np.arange(len(times)))
        if not counted and steps.min() > 0 and np.allclose(steps, steps.mean(), rtol=0.02):
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
    file = _file_of(node)
    role, reason = _role_of_name(name)
    if not role and file is not None:
        role, reason = _role_of_name(stem(file))
    fields = _sidecar(file) if file is not None and role else {}
    return Candidate(node, name, role, reason, "", _date_of(scene, node), dimensions, "", fields, file)


def _file_of(node: object) -> Path | None:
    storage = node.GetStorageNode()
    name = marked(node, "file") or (storage.GetFileName() if storage is not None else "")
    return Path(name) if name else None


def _sidecar(file: Path) -> dict[str, Any]:
    """Acquisition as the sidecar beside the file says; nothing where it cannot be read: what is needed is asked for."""
    try:
        return read_sidecar(file)
    except InputError:
        return {}


def _without_visit(name: str) -> str:
    """A name without the date and the number that tell the visit."""
    plain = _DATE.sub("", name).strip(" _-:.")
    numbered = _NUMBER.search(plain)
    return plain[: numbered.start()].strip(" _-:.") if numbered else plain


def _role_of_name(name: str) -> tuple[str, Message]:
    role, reason = role_of_name(_DATE.sub("", name).strip(" _-:."))
    if role is None:
        role, reason = role_of_name(_without_visit(name))
    if role is not None:
        return role, reason
    said = kind_said(name)
    if said is None or said[1] is None or said[1] == "lesion":
        return "", Message("role_unknown", {"name": name})
    role = "T1CE" if said[1] == "T1" and contrast_said(name) else said[1]
    return role, Message("role_from_description", {"role": role, "text": name})


def _date_of(scene: object, node: object) -> datetime.date | None:
    """The date of the study in the subject hierarchy, else one that the node's name, a folder above it there, or the
    path of its file says, the nearest first."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    constants = slicer.vtkMRMLSubjectHierarchyConstants
    names, item = [node.GetName()], tree.GetItemByDataNode(node)
    while item and item != tree.GetSceneItemID():
        said = _date(tree.GetItemAttribute(item, constants.GetDICOMStudyDateAttributeName()))
        if said is not None:
            return said
        names.append(tree.GetItemName(item))
        item = tree.GetItemParent(item)
    file = _file_of(node)
    names += [file.name, *(parent.name for parent in file.parents)] if file is not None else []
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
    if not 0 < len(labels) <= MOST_LABELS:
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
    purpose = region_of_name(_without_visit(name)) or purpose_of_label(name) or purpose_of_label(node.GetName())
    purpose = "" if purpose == "free" else purpose  # of what is neither lesion nor reference the user knows more
    reason = Message("role_from_name" if purpose else "role_unknown", {"name": name, "role": purpose})
    return Candidate(node, name, purpose, reason, "", _date_of(scene, node), 3, segment, file=_file_of(node))


def _name_visits(found: list[Candidate]) -> None:
    """Visits by the dates, under the same rule as folders; what has no date by the folders of the files where those
    tell images of one role apart, else by numbers at the end of the names. A region goes to the visit of the image that
    it was drawn on, of its own date or folder."""
    images = [each for each in found if not each.drawn]
    by_date: dict[datetime.date, set[str]] = {}
    for each in images:
        if each.date is not None:
            by_date.setdefault(each.date, set()).add(each.role)
    grouped = group_studies([(d.isoformat(), d, frozenset(roles)) for d, roles in by_date.items()], [])
    visit_of = {name: names[0] for names in grouped for name in names}
    undated = [each for each in images if each.date is None]
    by_folder = _visits_by_folder(undated)
    names = {each.name for each in found}
    for each in images:
        if each.date is not None:
            each.visit = visit_of[each.date.isoformat()]
        else:
            each.visit = by_folder[each.file] if by_folder else f"visit {_number(each.name, names)}"
    for each in (each for each in found if each.drawn):
        image = _drawn_on(each, images)
        if image is not None:
            each.visit, each.date = image.visit, image.date
        else:
            each.visit = f"visit {_number(each.name, names)}"


def _drawn_on(region: Candidate, images: list[Candidate]) -> Candidate | None:
    """The image that a region was drawn on, or one beside it: of its folder, its date, its number."""
    drawn_on = region.node.GetNodeReference("referenceImageGeometryRef")
    named = {each.name for each in images}
    fits = (
        lambda image: image.node is drawn_on,
        lambda image: region.file is not None and image.file is not None and image.file.parent == region.file.parent,
        lambda image: region.date is not None and image.date == region.date,
        lambda image: image.date is None and _number(image.name, named) == _number(region.name, {*named, region.name}),
    )
    return next((image for fit in fits for image in images if fit(image)), images[0] if images else None)


def _number(name: str, names: set[str]) -> int:
    """The number of a visit that a name ends in, 1 without one; T1CE_1 is the second where Slicer gave the number."""
    given = _SLICERS_NUMBER.match(name)
    if given and given[1] in names:
        return int(given[2]) + 1
    numbered = _NUMBER.search(name)
    return int(numbered[1]) if numbered else 1


def _visits_by_folder(images: list[Candidate]) -> dict[Path, str]:
    """Visits called as the folders that tell images of one role apart; nothing where folders do not."""
    if not images or any(each.file is None for each in images):
        return {}
    common = Path(os.path.commonpath([each.file.parent for each in images]))
    folder_of = {each.file: next(iter(each.file.parent.relative_to(common).parts), "") for each in images}
    roles = [each.role for each in images if each.role]
    apart = {(each.role, folder_of[each.file]) for each in images if each.role}
    if "" in folder_of.values() or len(roles) == len(set(roles)) or len(apart) != len(roles):
        return {}
    return folder_of
