"""The subject hierarchy: patient, then visits as studies in date order, then what belongs to each."""

from __future__ import annotations

import slicer
from vtkmodules.vtkCommonCore import vtkIdList

from ..measures import Patient, Visit
from .nodes import PREFIX, Kind, linked, marked

_OF_VISITS = (
    Kind.VISIT_TO_REFERENCE, Kind.SERIES_TO_VISIT, Kind.IMAGE, Kind.MAP, Kind.LESION, Kind.REFERENCE, Kind.PROPOSAL,
    Kind.LINE, Kind.PICTURE,
)  # fmt: skip
_OF_PATIENT = (Kind.MEASUREMENTS, Kind.ASSESSMENT)


def arrange(scene: object, patient_node: object, patient: Patient) -> None:
    """Sorts the patient's nodes into the subject hierarchy; items that are there already are moved, not doubled."""
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    top = _item(tree, tree.GetSceneItemID(), "patient", patient.id, patient.id, tree.CreateSubjectItem)
    tree.CreateItem(top, patient_node)
    for visit in patient.visits:
        study = _item(tree, top, "visit", visit.id, visit_title(patient, visit), tree.CreateStudyItem)
        if visit.date is not None:
            constants = slicer.vtkMRMLSubjectHierarchyConstants
            tree.SetItemAttribute(study, constants.GetDICOMStudyDateAttributeName(), visit.date.strftime("%Y%m%d"))
        for kind in _OF_VISITS:
            for node in linked(patient_node, kind):
                if marked(node, "visit") == visit.id:
                    tree.CreateItem(study, node)
    for kind in _OF_PATIENT:
        for node in linked(patient_node, kind):
            tree.CreateItem(top, node)


def visit_title(patient: Patient, visit: Visit) -> str:
    """A visit's date and day after the end of radiotherapy, short enough for a view's bar."""
    date = visit.date.isoformat() if visit.date else visit.id
    day = patient.day(visit)
    return date if day is None else f"{date}, day {day}"


def _item(tree: object, parent: int, attribute: str, value: str, title: str, create: object) -> int:
    """The child item with this attribute of ours, created when there is none."""
    children = vtkIdList()
    tree.GetItemChildren(parent, children)
    for number in range(children.GetNumberOfIds()):
        item = children.GetId(number)
        if tree.GetItemAttribute(item, PREFIX + attribute) == value:
            tree.SetItemName(item, title)
            return item
    item = create(parent, title)
    tree.SetItemAttribute(item, PREFIX + attribute, value)
    return item
