"""Taking a patient out of the scene again whose loading was stopped: nothing of it stays."""

from __future__ import annotations

import slicer

from .nodes import PREFIX, Kind, linked


def take_away(patient: object) -> None:
    """Removes a patient's node, all nodes that hang on it with how they are shown and stored, and its place in the
    subject hierarchy. What was in the scene before stays."""
    scene = patient.GetScene()
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    top = tree.GetItemParent(tree.GetItemByDataNode(patient)) if tree.GetItemByDataNode(patient) else 0
    kinds = [kind for name, kind in vars(Kind).items() if name.isupper()]
    found = [patient, *(node for kind in kinds for node in linked(patient, kind))]
    found += [part for node in found for part in _parts(node)]
    for node in reversed(found):
        if scene.IsNodePresent(node):
            scene.RemoveNode(node)
    if top and tree.HasItemAttribute(top, PREFIX + "patient"):
        tree.RemoveItem(top, False, True)


def _parts(node: object) -> list[object]:
    """How a node is shown and stored."""
    parts = []
    if node.IsA("vtkMRMLDisplayableNode"):
        parts += [node.GetNthDisplayNode(number) for number in range(node.GetNumberOfDisplayNodes())]
    if node.IsA("vtkMRMLStorableNode"):
        parts += [node.GetNthStorageNode(number) for number in range(node.GetNumberOfStorageNodes())]
    return [part for part in parts if part is not None]
