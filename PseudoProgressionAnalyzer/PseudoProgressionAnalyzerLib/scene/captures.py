"""Pictures that came with a patient (secondary captures, vendors' colour maps) in the scene: RGB volumes under their
visit, to be looked at and never measured."""

from __future__ import annotations

import numpy as np
import slicer
from vtkmodules.util.numpy_support import numpy_to_vtk
from vtkmodules.vtkCommonDataModel import vtkImageData

from ..formats.dicom_pictures import Picture, frame_of_reference, read_picture
from ..measures import Patient, Series, Visit
from . import nodes
from .hierarchy import arrange
from .nodes import ANATOMY, Kind, find, linked, mark, marked, put

VIEWING_ONLY = "(viewing only)"
PAGE = np.diag([-1.0, -1.0, 1.0, 1.0])
"""Index to RAS mm of pages that lie nowhere: shown as they were saved, with voxels of 1 mm."""


def put_picture(patient: object, known: Patient, visit: Visit, series: Series, why: str) -> tuple[object, Picture]:
    """The volume node of a picture of the visit, and the picture. why: the sentence why nothing is measured in it.

    It can be laid over the visit's T1CE (``overlay`` is marked on the node) where its header says that it lies in the
    same coordinates. Raises InputError as ``formats.dicom_pictures.read_picture``.
    """
    picture = read_picture(series)
    title = name_of(series)
    node = put(patient, "vtkMRMLVectorVolumeNode", f"{visit.id} {title}", Kind.PICTURE, visit.id, title)
    node.SetVoxelVectorType(slicer.vtkMRMLVectorVolumeNode.VoxelVectorTypeColorRGB)
    node.SetIJKToRASMatrix(nodes.to_vtk(PAGE if picture.affine is None else picture.affine))
    node.SetAndObserveImageData(_colour_data(picture.pixels))
    if node.GetDisplayNode() is None:
        node.CreateDefaultDisplayNodes()
    node.SetDescription(why)
    node.SetSaveWithScene(False)  # names are often written into pictures: they are read again where they are asked for
    anatomy = visit.of_role(ANATOMY)
    frame = picture.frame_of_reference
    same = bool(frame) and anatomy is not None and frame_of_reference(anatomy) == frame
    mark(node, overlay="1" if same else "", placed="" if picture.affine is None else "1")
    place_pictures(patient)
    arrange(patient.GetScene(), patient, known)
    return node, picture


def name_of(series: Series) -> str:
    """What the picture is called in the scene and in the timeline's list of rows."""
    return f"{series.description or series.path.name} {VIEWING_ONLY}"


def place_pictures(patient: object) -> None:
    """Puts every picture that lies in space under its visit's transform, once there is one."""
    for node in linked(patient, Kind.PICTURE):
        parent = find(patient, Kind.VISIT_TO_REFERENCE, marked(node, "visit")) if marked(node, "placed") else None
        if node.GetTransformNodeID() != (parent.GetID() if parent else None):
            node.SetAndObserveTransformNodeID(parent.GetID() if parent else None)


def overlay_names(patient: object) -> list[str]:
    """Names of the pictures that can be laid over a T1CE."""
    pictures = [node for node in linked(patient, Kind.PICTURE) if marked(node, "overlay")]
    return list(dict.fromkeys(marked(node, "name") for node in pictures))


def overlay_of(patient: object, visit: str, name: str) -> object | None:
    """The visit's picture of this name that can be laid over its T1CE."""
    node = find(patient, Kind.PICTURE, visit, name)
    return node if node is not None and marked(node, "overlay") else None


def _colour_data(pixels: np.ndarray) -> vtkImageData:
    """``(k, j, i, 3)`` of uint8 as vtkImageData of three components."""
    data = vtkImageData()
    data.SetDimensions(*pixels.shape[2::-1])
    data.GetPointData().SetScalars(numpy_to_vtk(np.ascontiguousarray(pixels).reshape(-1, 3), deep=True))
    return data
