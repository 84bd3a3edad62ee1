"""DICOM RT dose, the prescription of its plan, and registrations between frames of reference, as plain values.

Sources: DICOM PS3.3 C.8.8.3 (RT Dose: what the stored values, units and planes are), C.8.8.10 (RT Prescription: target
doses) and C.20.2 (Spatial Registration).
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from ..measures import Image, InputError
from .dicom_files import Frame, read_dataset, read_dicom_file
from .dicom_pixels import stored_frames
from .dicom_series import SAME_DIRECTION, UNEVEN, check_frame
from .images import point_transform_ras_from_lps, ras_from_lps

DOSE, PLAN, REGISTRATION = "RT Dose Storage", "RT Plan Storage", "Spatial Registration Storage"
WHOLE = ("PLAN", "MULTI_PLAN")
"""Summations that are the dose of a whole treatment: of one plan, of several."""
KINDS = ("PHYSICAL", "EFFECTIVE")
RIGID = 1e-3  # by how much a matrix may miss being a rotation
AXIAL = (1, 0, 0, 0, 1, 0)
SAME_PLANE = 0.05  # mm
T = TypeVar("T")


@dataclass(frozen=True)
class DoseHeader:
    """What a dose file says of itself without its voxels.

    frame_of_reference: UID of the space that it lies in, empty where not said; plan: UID of its plan; kind:
    ``PHYSICAL`` or ``EFFECTIVE`` (weighed by biological effect); grid: shape and affine, without values.
    """

    frame_of_reference: str
    plan: str
    kind: str
    grid: Image


def read_dose_header(path: Path) -> DoseHeader:
    """What a dose file is.

    Raises InputError as ``read_dicom_file``, ``dose_units`` (not Gy), ``dose_summation`` (a beam, a fraction),
    ``dose_type`` (an error), ``dicom_tag_missing``, ``dicom_geometry``, ``dose_planes`` (planes that are missing or
    unevenly spaced).
    """
    return _careful(lambda: _header(path), path)


def _header(path: Path) -> DoseHeader:
    header, dataset = read_dicom_file(path), read_dataset(path, pixels=False)
    units, summation, kind = (_word(dataset, one) for one in ("DoseUnits", "DoseSummationType", "DoseType"))
    if units != "GY":
        raise InputError("dose_units", file=str(path), units=units or "not said", field="DoseUnits")
    if summation not in WHOLE:
        raise InputError("dose_summation", file=str(path), summation=summation or "not said")
    if kind not in KINDS:
        raise InputError("dose_type", file=str(path), kind=kind or "not said")
    _scaling(dataset, path)
    plans = dataset.get("ReferencedRTPlanSequence") or []
    plan = str(plans[0].get("ReferencedSOPInstanceUID") or "") if len(plans) else ""
    grid = _grid(header.frames, dataset, path)
    return DoseHeader(str(dataset.get("FrameOfReferenceUID") or ""), plan, kind, grid)


def read_dose(path: Path) -> Image:
    """Dose in Gy, float32 ``(k, j, i)``; errors as ``read_dose_header`` and ``stored_frames``, ``dicom_pixels_wrong``
    where pixels and planes differ in number."""
    grid = read_dose_header(path).grid
    stored = stored_frames(path)
    if stored.shape != grid.shape:
        raise InputError("dicom_pixels_wrong", file=str(path))
    scaling = _scaling(read_dataset(path, pixels=False), path)
    return Image((stored.astype(np.float64) * scaling).astype(np.float32), grid.affine)


def prescribed_dose(path: Path) -> tuple[float, ...]:
    """The different doses in Gy that a plan prescribes to its targets, highest first; empty where it names none.

    Errors as ``read_dataset``, ``dicom_tag_wrong``.
    """
    return _careful(lambda: _prescribed(path), path)


def _prescribed(path: Path) -> tuple[float, ...]:
    doses = set()
    for reference in read_dataset(path, pixels=False).get("DoseReferenceSequence") or []:
        if _word(reference, "DoseReferenceType") == "TARGET" and reference.get("TargetPrescriptionDose") is not None:
            doses.add(_numbers(reference, "TargetPrescriptionDose", path, 1)[0])
    return tuple(sorted(doses, reverse=True))


def registrations(path: Path) -> dict[str, np.ndarray]:
    """Frame of reference UID to 4x4: RAS mm of that frame to those of the file's own frame (which is there too).

    Frames that are registered by more than a rigid matrix are left out. Errors as ``read_dataset``,
    ``dicom_tag_wrong``.
    """
    return _careful(lambda: _registrations(path), path)


def _registrations(path: Path) -> dict[str, np.ndarray]:
    dataset = read_dataset(path, pixels=False)
    found = {}
    for item in dataset.get("RegistrationSequence") or []:
        frame, matrix = str(item.get("FrameOfReferenceUID") or ""), np.eye(4)
        for step in item.get("MatrixRegistrationSequence") or []:
            for one in step.get("MatrixSequence") or []:  # in the order in which they are applied
                matrix = (
                    np.array(_numbers(one, "FrameOfReferenceTransformationMatrix", path, 16)).reshape(4, 4) @ matrix
                )
        turn = matrix[:3, :3]
        rigid = np.allclose(turn @ turn.T, np.eye(3), atol=RIGID) and np.linalg.det(turn) > 0
        if frame and rigid and np.allclose(matrix[3], [0, 0, 0, 1], atol=RIGID):
            found[frame] = point_transform_ras_from_lps(matrix)
    own = str(dataset.get("FrameOfReferenceUID") or "")
    return found | ({own: np.eye(4)} if own else {})


def _grid(frames: tuple[Frame, ...], dataset: Dataset, path: Path) -> Image:
    """Shape and affine: planes lie along the normal of the first, at the offsets that ``GridFrameOffsetVector`` says.

    Offsets begin with zero, or (axial planes alone) with the z of the first plane and are z then.
    """
    name = {"file": str(path), "series": path.name}
    if not frames:
        raise InputError("dicom_no_pixels", file=str(path))
    first = frames[0]
    check_frame(first, name)
    offsets = np.array(_numbers(dataset, "GridFrameOffsetVector", path))
    if len(offsets) != len(frames) or len(offsets) < 2:
        raise InputError("dose_planes", file=str(path), planes=len(frames), offsets=len(offsets))
    row, column = np.array(first.orientation[:3]), np.array(first.orientation[3:])
    normal = np.cross(row, column)
    if offsets[0] != 0:
        axial = np.abs(np.array(first.orientation) - AXIAL).max() < SAME_DIRECTION
        if not axial or abs(offsets[0] - first.position[2]) > SAME_PLANE:
            raise InputError("dicom_geometry", tag="GridFrameOffsetVector", **name)
    steps = np.diff(offsets)
    if not steps.all() or np.abs(steps - steps.mean()).max() > UNEVEN * abs(steps.mean()):
        raise InputError("dose_planes", file=str(path), planes=len(frames), offsets=len(offsets))
    affine = np.eye(4)
    affine[:3, 0], affine[:3, 1] = row * first.spacing[1], column * first.spacing[0]
    affine[:3, 2] = normal * (offsets[-1] - offsets[0]) / (len(offsets) - 1)
    affine[:3, 3] = first.position
    shape = (len(frames), first.rows, first.columns)
    return Image(np.broadcast_to(np.zeros((), np.uint8), shape), ras_from_lps(affine))


def _scaling(dataset: Dataset, path: Path) -> float:
    """Gy that a stored value of one stands for."""
    scaling = _numbers(dataset, "DoseGridScaling", path, 1)[0]
    if scaling <= 0:
        raise InputError("dicom_tag_wrong", file=str(path), tag="DoseGridScaling", value=scaling)
    return scaling


def _careful(read: Callable[[], T], path: Path) -> T:
    """What read gives; damaged bytes make the parser raise almost anything, also late, at first access."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return read()
    except InputError:
        raise
    except Exception as error:
        raise InputError("dicom_unreadable", file=str(path), detail=type(error).__name__) from error


def _word(dataset: Dataset, keyword: str) -> str:
    return str(dataset.get(keyword) or "").strip().upper()


def _numbers(dataset: Dataset, keyword: str, path: Path, count: int | None = None) -> tuple[float, ...]:
    """The finite numbers of an element, as many as count where that is given."""
    found = dataset.get(keyword)
    if found is None or found == "":
        raise InputError("dicom_tag_missing", file=str(path), tag=keyword)
    numbers = tuple(float(one) for one in (found if isinstance(found, MultiValue) else [found]))
    if not all(map(math.isfinite, numbers)) or count not in (None, len(numbers)):
        raise InputError("dicom_tag_wrong", file=str(path), tag=keyword, value=str(found)[:60])
    return numbers
