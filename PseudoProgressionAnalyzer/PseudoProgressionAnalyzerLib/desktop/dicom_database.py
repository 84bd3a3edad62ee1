"""Patients and files of Slicer's DICOM database. Reading the files is the library's work (``patient.dicom``)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import slicer

UIDS = "DICOM.instanceUIDs"


@dataclass(frozen=True)
class DatabasePatient:
    """A patient of the database. number: the database's own; label: the patient's ID and how many studies; never a
    name."""

    number: str
    label: str


def patients() -> list[DatabasePatient]:
    """Patients with at least one study, as the database lists them; empty where no database is open."""
    database = _database()
    found = []
    for number in database.patients() if database is not None else ():
        studies = database.studiesForPatient(number)
        if studies:
            identity = database.fieldForPatient("PatientID", number) or number
            found.append(DatabasePatient(number, f"{identity} ({len(studies)})"))
    return found


def files_of_patient(number: str) -> list[Path]:
    """All files of a patient."""
    database = _database()
    return [
        Path(file)
        for study in database.studiesForPatient(number)
        for series in database.seriesForStudy(study)
        for file in database.filesForSeries(series)
    ]


def files_of_node(node: object) -> list[Path]:
    """The DICOM files that a node was loaded from, as far as the database knows them; empty where one is unknown."""
    uids = (node.GetAttribute(UIDS) or "").split()
    database = _database()
    files = [database.fileForInstance(uid) for uid in uids] if database is not None else []
    return [Path(file) for file in files] if files and all(files) else []


def _database() -> object | None:
    database = getattr(slicer, "dicomDatabase", None)
    return database if database is not None and database.isOpen else None
