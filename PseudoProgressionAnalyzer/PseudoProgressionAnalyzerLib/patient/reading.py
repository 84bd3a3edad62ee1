"""The one way into a patient folder: looks at what is there and reads it."""

from __future__ import annotations

from pathlib import Path

from ..formats.images import SUFFIXES
from ..measures import InputError, Message, Patient
from .changes import add_changes
from .folder import read_patient


def read(folder: Path) -> Patient:
    """The patient in a folder: a BIDS subject, dated sub-folders with images, or DICOM files anywhere below.

    What the user must mend before anything is computed stands in ``Patient.problems``; what they should know of each
    visit, with what changed in its acquisition since the visit before, in its ``warnings``. Raises InputError
    ``folder_missing``, ``folder_empty``, ``patients_mixed``, ``subjects_several``, ``patient_file_field``,
    ``json_syntax``.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError("folder_missing", folder=str(folder))
    patient = _read(folder)
    add_changes(patient.visits)
    return patient


def _read(folder: Path) -> Patient:
    from ..formats.dicom_files import dicom_paths
    from .bids import is_bids, read_bids
    from .dicom import read_dicom_patient

    if is_bids(folder):
        return read_bids(folder)
    images = any(path.name.lower().endswith(SUFFIXES) for path in folder.glob("*/*"))
    images = images or any(path.name.lower().endswith(SUFFIXES) for path in folder.glob("*/*/*"))
    dicom = next(dicom_paths(folder), None)
    if dicom is None or images:
        patient = read_patient(folder)
        if dicom is not None and patient.visits:
            patient.visits[0].warnings.append(Message("dicom_beside_images", {"file": str(dicom)}))
        return patient
    return read_dicom_patient(folder)
