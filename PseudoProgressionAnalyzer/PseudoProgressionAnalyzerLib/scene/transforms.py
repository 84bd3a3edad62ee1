"""The transforms of visits and of their series as nodes: written, and taken where the user edited one in the scene.

Each node notes the matrix that was written into it. Where it holds another one, that is the user's: it is never written
over, it counts as the user's own as soon as it is taken, and one that cannot be used is put aside first.
"""

from __future__ import annotations

import json

import numpy as np

from ..analysis import Analysis
from ..analysis.aligning import is_rigid, make_users
from ..analysis.correcting import FOLLOWING
from ..measures import Message
from . import nodes
from .nodes import ANATOMY, Kind, find, linked, mark, marked, put
from .noting import same

CLASS = "vtkMRMLLinearTransformNode"
RATIOS = ("step_reference_tissue", "step_ratios")
"""Steps of a visit that read where its series lie."""


def put_visit_transform(patient: object, visit: str, fixed: str, matrix: np.ndarray) -> object:
    """The node of a visit's transform (4x4, RAS mm of the visit to those of the visit ``fixed``)."""
    node = put(patient, CLASS, f"{visit} moving_to_fixed", Kind.VISIT_TO_REFERENCE, visit)
    return _write(patient, node, matrix, visit, fixed)


def put_series_transform(patient: object, visit: str, series: str, matrix: np.ndarray) -> object | None:
    """The node of a series' transform to the T1CE of its visit, under the visit's own; None where there is none and the
    series lies on the T1CE."""
    fixed = f"{visit} {ANATOMY}"
    if find(patient, Kind.SERIES_TO_VISIT, visit, series) is None and np.array_equal(matrix, np.eye(4)):
        return None
    title = f"{visit} {series} to {fixed} moving_to_fixed"
    node = put(patient, CLASS, title, Kind.SERIES_TO_VISIT, visit, series)
    _write(patient, node, matrix, f"{visit} {series}", fixed)
    parent = find(patient, Kind.VISIT_TO_REFERENCE, visit)
    node.SetAndObserveTransformNodeID(parent.GetID() if parent else None)
    return node


def transform_nodes(patient: object) -> list[object]:
    """The nodes of all transforms of the patient."""
    return linked(patient, Kind.VISIT_TO_REFERENCE) + linked(patient, Kind.SERIES_TO_VISIT)


def written(node: object, said: object = None) -> np.ndarray:
    """The 4x4 that was written into a node, as the patient's text says it; where that says nothing (in scenes of
    before) what the node notes, or holds. The node notes it from now on."""
    if said is not None:
        _note(node, np.array(said, dtype=float))
    elif not marked(node, "matrix"):
        _note(node, matrix_of(node))
    return np.array(json.loads(marked(node, "matrix")))


def take_transforms(patient: object, analysis: Analysis) -> list[Message]:
    """Takes transforms that were edited in the scene into the analysis, as the user's own, and reopens the steps that
    read them; says which. One that cannot be used is put aside, and what was written holds again."""
    return [
        (_take_series if marked(node, "name") else _take_visit)(patient, node, analysis)
        for node in transform_nodes(patient)
        if _edited(node)
    ]


def matrix_of(node: object) -> np.ndarray:
    """The 4x4 of a linear transform node to its parent."""
    matrix = nodes.to_vtk(np.eye(4))
    node.GetMatrixTransformToParent(matrix)
    return nodes.from_vtk(matrix)


def _take_visit(patient: object, node: object, analysis: Analysis) -> Message:
    visit, matrix = marked(node, "visit"), matrix_of(node)
    if visit == analysis.reference_visit or not is_rigid(matrix):
        return Message("scene_transform_unusable", {"visit": visit, "name": _put_aside(node)})
    _moved(patient, node, matrix)
    analysis.visit_to_reference[visit] = matrix
    make_users(analysis, visit)
    analysis.finished -= {(step, "") for step in FOLLOWING}
    return Message("scene_transform_changed", {"visit": visit})


def _take_series(patient: object, node: object, analysis: Analysis) -> Message:
    visit, series, matrix = marked(node, "visit"), marked(node, "name"), matrix_of(node)
    if not is_rigid(matrix):
        return Message("scene_series_unusable", {"visit": visit, "series": series, "name": _put_aside(node)})
    _moved(patient, node, matrix)
    analysis.series_to_visit[visit, series] = matrix
    analysis.finished -= {(step, visit) for step in RATIOS} | {(step, "") for step in FOLLOWING}
    return Message("scene_series_moved", {"visit": visit, "series": series})


def _write(patient: object, node: object, matrix: np.ndarray, moving: str, fixed: str) -> object:
    if not _edited(node):
        if not np.array_equal(matrix_of(node), matrix):  # all that stands under it is drawn again
            node.SetMatrixTransformToParent(nodes.to_vtk(matrix))
        _moved(patient, node, matrix)
    mark(node, moving=moving, fixed=fixed, convention="RAS mm of moving to RAS mm of fixed")
    return node


def _edited(node: object) -> bool:
    return bool(marked(node, "matrix")) and not same(matrix_of(node), json.loads(marked(node, "matrix")))


def _moved(patient: object, node: object, matrix: np.ndarray) -> None:
    """Notes what a node holds now. Changes between visits that were made by what it held before do not stay."""
    if marked(node, "matrix") and not same(matrix, json.loads(marked(node, "matrix"))):
        visit = marked(node, "visit")
        for change in linked(patient, Kind.CHANGE):
            if visit in (marked(change, "visit"), marked(change, "since")):
                node.GetScene().RemoveNode(change)
    _note(node, matrix)


def _note(node: object, matrix: np.ndarray) -> None:
    mark(node, matrix=json.dumps(matrix.tolist()))


def _put_aside(node: object) -> str:
    """Keeps what a node holds in another one, which is nobody's but the user's, and writes back what was written.
    Returns the new node's name."""
    scene = node.GetScene()
    kept = scene.AddNewNodeByClass(CLASS, scene.GenerateUniqueName(f"{node.GetName()} edited"))
    kept.SetMatrixTransformToParent(nodes.to_vtk(matrix_of(node)))
    node.SetMatrixTransformToParent(nodes.to_vtk(written(node)))
    return kept.GetName()
