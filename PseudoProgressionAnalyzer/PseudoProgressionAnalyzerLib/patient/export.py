"""A patient with all corrections as patient.json: reading its folder again with this file gives the same patient."""

from __future__ import annotations

import contextlib
import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

from ..formats.dicom_files import is_dicom, read_dicom_file
from ..formats.json_files import read_json
from ..measures import DISCLAIMER, Event, InputError, Patient, Series, Visit
from .dicom import stated_role
from .editing import studies_of
from .folder import date_of_study, relative
from .patient_file import NAME, name_of_part, read_patient_file


def patient_file_of(patient: Patient, folder: Path) -> dict[str, Any]:
    """The content of patient.json for the folder that the patient was read from.

    What the folder's present patient.json says of files, regions and visits that are not read is kept. Raises
    InputError ``edit_no_folder`` where a visit has no study in a folder (a patient made from volumes in the scene), and
    ``edit_other_folder`` where nothing of the patient lies in this folder: it may be another patient's.
    """
    folder = Path(folder)
    there = read_json(folder / NAME) if (folder / NAME).exists() else {}
    read_patient_file(folder)  # never build on a broken file
    every = [*patient.visits, *(left.visit for left in patient.left_out)]
    for visit in every:
        if not studies_of(visit):
            raise InputError("edit_no_folder", visit=visit.id)
    if not lies_in(patient, folder):
        raise InputError("edit_other_folder", folder=str(folder))
    visits = _visits(patient, every, folder, there.get("visits", []))
    roles = _roles([series for visit in every for series in (*visit.series, *visit.set_aside)], folder, there)
    content: dict[str, Any] = {"disclaimer": DISCLAIMER, "patient": patient.id, "visits": visits, "roles": roles}
    content["events"] = [_event(event) for event in patient.events]
    regions = _regions(patient, folder, there.get("regions", []))
    window = {name: there[name] for name in ("visit_window_days",) if name in there}
    return content | window | ({"regions": regions} if regions else {})


def lies_in(patient: Patient, folder: Path) -> bool:
    """Whether any series of the patient was read from below a folder."""
    every = (*patient.visits, *(left.visit for left in patient.left_out))
    paths = [series.path for visit in every for series in (*visit.series, *visit.set_aside)]
    return any(path.resolve().is_relative_to(Path(folder).resolve()) for path in paths)


def folder_of(patient: Patient) -> Path | None:
    """The folder that the patient's study folders stand in; None where no path names one, as of DICOM files."""
    for series in (series for visit in patient.visits for series in visit.series if series.study):
        for parent in series.path.parents:
            if parent.name == series.study:
                return parent.parent
    return None


def write_patient_file(patient: Patient, folder: Path) -> Path:
    """Writes patient.json into the patient's folder: whole or not at all; the earlier one stays beside it as
    patient.json.before. Raises InputError as ``patient_file_of``; OSError when the folder cannot be written."""
    path = Path(folder) / NAME
    text = json.dumps(patient_file_of(patient, folder), indent=2, ensure_ascii=False) + "\n"
    temporary = path.with_suffix(".json.partial")
    try:
        temporary.write_text(text, encoding="utf-8")
        if path.exists():
            shutil.copyfile(path, path.with_suffix(".json.before"))  # a copy: at no moment is there none
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    return path


def _visits(patient: Patient, every: list[Visit], folder: Path, there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every visit with its studies, those of the present file that are not read too: their folders may be away."""
    left = {out.visit.id for out in patient.left_out}
    known = {study for visit in every for study in studies_of(visit)}
    away = {problem.parameters["name"] for problem in patient.problems if problem.code == "study_missing"}
    visits = []
    for visit in every:
        date = visit.date.isoformat() if visit.date else None
        entry = {"id": visit.id, "date": date, "studies": studies_of(visit)}
        entry["studies"] += [study for study in _studies_of_masks(patient, visit, folder) if study not in known]
        before = [study for other in there if other["id"] == visit.id for study in _stated_studies(other)]
        entry["studies"] += [study for study in before if study in away]
        visits.append(entry if visit.id not in left else {**entry, "include": False})
    known |= {study for entry in visits for study in entry["studies"]}
    others = [entry for entry in there if not known & set(_stated_studies(entry))]
    return visits + [entry for entry in others if entry.get("include") is False or away & set(_stated_studies(entry))]


def _stated_studies(entry: dict[str, Any]) -> list[str]:
    return entry.get("studies", [entry["id"]])


def _studies_of_masks(patient: Patient, visit: Visit, folder: Path) -> list[str]:
    """Studies that hold masks of a visit, and nothing else of it as a rule."""
    every = [*patient.regions, *(region for left in patient.left_out for region in left.regions)]
    found = []
    for path in (region.path for region in every if region.visit == visit.id and region.path.is_file()):
        if is_dicom(path):
            with contextlib.suppress(InputError):  # said where the mask is read
                found.append(read_dicom_file(path).study_uid)
        elif date_of_study(study := relative(folder, path).partition("/")[0]) is not None:
            found.append(study)
    return list(dict.fromkeys(found))


def _roles(every: list[Series], folder: Path, there: dict[str, Any]) -> dict[str, str]:
    """What patient.json must say of series: only what the user stated, and which file was displaced by that. What the
    present one says of files that are not read is kept, of those that are it holds no longer."""
    uids = Counter(series.uid for series in every if series.files)
    roles = dict(there.get("roles", {}))
    for series in (series for series in every if series.files):
        for name in (series.uid, name_of_part(series.uid, series.part)):
            roles.pop(name, None)
    before = dict(roles)
    for series in every:
        code, name = series.reason.code if series.reason else "", _name(series, folder, uids)
        displaced = not series.files and not series.role and code == "series_another_chosen"
        by_path = bool(series.files) and stated_role(before, folder, series.files[0]) is not None  # holds no longer
        if code == "role_stated":
            roles[name] = series.role or "ignore"
        elif displaced or by_path:
            roles[name] = "ignore"
    return roles


def _name(series: Series, folder: Path, uids: Counter[str]) -> str:
    """What roles call a series: its path, of DICOM its UID where nothing else has that, else its part or its file."""
    if not series.files:
        return relative(folder, series.path)
    if uids[series.uid] == 1:
        return series.uid
    return name_of_part(series.uid, series.part) if series.part else relative(folder, series.files[0])


def _event(event: Event) -> dict[str, Any]:
    entry: dict[str, Any] = {"kind": event.kind, "date": event.date.isoformat() if event.date else None}
    if event.end is not None:
        entry["end"] = event.end.isoformat()
    return entry | ({"details": dict(event.details)} if event.details else {})


def _regions(patient: Patient, folder: Path, there: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Regions that a file holds, those that could not be read too; those drawn since stand in the scene and its
    files."""
    every = [*patient.regions, *(region for left in patient.left_out for region in left.regions)]
    found = [entry for entry in there if _not_read(patient, entry, folder)]
    stated = {(entry["visit"], entry["name"]) for entry in there}
    for region in every:
        file = relative(folder, region.path)
        inside = file != str(region.path) and region.path.is_file() and not region.files
        told = (region.visit, region.name) in stated or region.carried or region.label is not None
        if inside and (told or region.name != region.purpose):
            entry = {"name": region.name, "visit": region.visit, "purpose": region.purpose, "file": file}
            entry |= {"label": region.label} if region.label is not None else {}
            found.append(entry | ({"carried": True} if region.carried else {}))
    return found


def _not_read(patient: Patient, entry: dict[str, Any], folder: Path) -> bool:
    """Whether the patient's problems say why a stated region is not among its regions, or its visit is not used and
    was never read."""
    known = {visit.id for visit in (*patient.visits, *(left.visit for left in patient.left_out))}
    files = {str(problem.parameters.get("file")) for problem in patient.problems}
    return entry["visit"] not in known or str(folder / entry["file"]) in files
