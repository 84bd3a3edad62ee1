"""Small things that all of the scene shares: marks and links of nodes, matrices, images in volume
nodes, and numbers in table nodes."""

from __future__ import annotations

import numpy as np
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData, vtkTable
from vtkmodules.vtkCommonMath import vtkMatrix4x4

from ..measures import Image

PREFIX = "PseudoProgressionAnalyzer."

ANATOMY = "T1CE"
"""The image of a visit whose grid and transform everything drawn in it has."""


class Kind:
    """What a node of ours is. The patient is the text node that the others hang on as node references, by kind."""

    PATIENT = "patient"
    IMAGE = "image"
    MAP = "map"
    CHANGE = "change"
    PLOT = "plot"
    SPECTRA = "spectra"
    REGION_SPECTRA = "region_spectra"
    SPECTRUM = "spectrum"
    CURVE = "curve"
    BRAIN = "brain"
    VISIT_TO_REFERENCE = "visit_to_reference"
    SERIES_TO_VISIT = "series_to_visit"
    CHECK = "check"
    PICTURE = "picture"
    LESION = "lesion"
    REFERENCE = "reference"
    PROPOSAL = "proposal"
    LINE = "line"
    MEASUREMENTS = "measurements"
    ASSESSMENT = "assessment"
    COLOURS = "colours"


def mark(node: object, **attributes: str) -> None:
    """Sets attributes of ours on a node; they are saved with the scene."""
    for name, value in attributes.items():
        node.SetAttribute(PREFIX + name, value)


def marked(node: object, name: str) -> str:
    """An attribute of ours; empty when the node does not have it."""
    return node.GetAttribute(PREFIX + name) or ""


def patient_node(scene: object) -> object | None:
    """The text node of the scene's patient, or None."""
    for number in range(scene.GetNumberOfNodesByClass("vtkMRMLTextNode")):
        node = scene.GetNthNodeByClass(number, "vtkMRMLTextNode")
        if marked(node, "kind") == Kind.PATIENT:
            return node
    return None


def linked(patient: object, kind: str) -> list[object]:
    """The patient's nodes of a kind that are still in the scene."""
    role = PREFIX + kind
    nodes = [patient.GetNthNodeReference(role, n) for n in range(patient.GetNumberOfNodeReferences(role))]
    return [node for node in nodes if node is not None]


def find(patient: object, kind: str, visit: str = "", name: str = "") -> object | None:
    """The patient's node of a kind, by visit and name; None when there is none."""
    return next(
        (node for node in linked(patient, kind) if (marked(node, "visit"), marked(node, "name")) == (visit, name)), None
    )


def put(patient: object, class_name: str, title: str, kind: str, visit: str = "", name: str = "") -> object:
    """The patient's node of a kind, added to the scene under this title when there is none."""
    node = find(patient, kind, visit, name)
    if node is None:
        node = patient.GetScene().AddNewNodeByClass(class_name, title)
        mark(node, kind=kind, visit=visit, name=name)
        patient.AddNodeReferenceID(PREFIX + kind, node.GetID())
    return node


def to_vtk(matrix: np.ndarray) -> vtkMatrix4x4:
    """A 4x4 array as vtkMatrix4x4."""
    target = vtkMatrix4x4()
    target.DeepCopy(np.asarray(matrix, dtype=float).ravel().tolist())
    return target


def from_vtk(matrix: vtkMatrix4x4) -> np.ndarray:
    """A vtkMatrix4x4 as 4x4 array."""
    return np.array([[matrix.GetElement(row, column) for column in range(4)] for row in range(4)])


def to_world(node: object) -> np.ndarray:
    """4x4 from a node's own RAS to the scene's, through the transforms that it stands under; of those that bend,
    none."""
    matrix, parent = vtkMatrix4x4(), node.GetParentTransformNode()
    if parent is not None and parent.IsTransformToWorldLinear():
        parent.GetMatrixTransformToWorld(matrix)
    return from_vtk(matrix)


def image_data(array: np.ndarray) -> vtkImageData:
    """A copy of an array ``(k, j, i)`` as vtkImageData; bool becomes uint8, 64-bit integers (not stored) float64."""
    if array.dtype == bool:
        array = array.astype(np.uint8)
    elif array.dtype.kind in "iu" and array.dtype.itemsize == 8:
        array = array.astype(np.float64)
    data = vtkImageData()
    data.SetDimensions(*array.shape[::-1])
    data.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(array).ravel(), deep=True))
    return data


def array_of(data: vtkImageData) -> np.ndarray:
    """The values of a one-component vtkImageData ``(k, j, i)``: no copy, writing into it writes into the image."""
    return vtk_to_numpy(data.GetPointData().GetScalars()).reshape(data.GetDimensions()[::-1])


def set_image(node: object, image: Image) -> None:
    """Gives a volume node a copy of the values and the geometry of a 3D image."""
    node.SetIJKToRASMatrix(to_vtk(image.affine))
    node.SetAndObserveImageData(image_data(image.array))


def get_image(node: object) -> Image | None:
    """The image of a volume node in its own RAS frame, without a copy of the values; None when it has no voxels."""
    data = node.GetImageData()
    if data is None or data.GetPointData().GetScalars() is None:
        return None
    matrix = vtkMatrix4x4()
    node.GetIJKToRASMatrix(matrix)
    return Image(array_of(data), from_vtk(matrix))


def set_columns(table: object, columns: dict[str, np.ndarray], dtype: type) -> None:
    """Gives a table node these columns of numbers ``(rows,)``, kept as dtype, in one step."""
    made = vtkTable()
    for name, values in columns.items():
        column = numpy_to_vtk(np.ascontiguousarray(values, dtype), deep=True)
        column.SetName(name)
        made.AddColumn(column)
    table.SetAndObserveTable(made)
