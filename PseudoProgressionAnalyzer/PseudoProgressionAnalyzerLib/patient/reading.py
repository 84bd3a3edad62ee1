"""The one way into a patient folder: looks at what is there and reads it."""

from __future__ import annotations

from pathlib import Path

from ..formats.images import SUFFIXES
from ..formats.sidecars import stem
from ..measures import InputError, Message, Patient
from .changes import add_changes
from .folder import date_of_study, read_patient, spectra_role
from .roles import role_of_name


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
    dicom = next(dicom_paths(folder), None)
    if dicom is None:
        return read_patient(folder)
    if not _has_named_images(folder):
        return read_dicom_patient(folder)
    patient = read_patient(folder)
    unused = next((path for path in dicom_paths(folder) if spectra_role(path) is None), None)
    for visit in patient.visits[:1] if unused else []:
        visit.warnings.append(Message("dicom_beside_images", {"file": str(unused)}))
    return patient


def _has_named_images(folder: Path) -> bool:
    """Whether a dated sub-folder holds an image named by its role: masks alone may lie beside DICOM files."""
    return any(
        path.name.lower().endswith(SUFFIXES) and role_of_name(stem(path))[0] is not None
        for study in folder.iterdir()
        if study.is_dir() and date_of_study(study.name) is not None
        for path in study.rglob("*")
    )
