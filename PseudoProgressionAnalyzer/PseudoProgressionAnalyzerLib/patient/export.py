"""A patient with all corrections as patient.json: reading its folder again with this file gives the same patient."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from ..formats.json_files import read_json
from ..measures import DISCLAIMER, Event, InputError, Patient, Series, Visit
from .dicom import stated_role
from .editing import studies_of
from .folder import relative
from .patient_file import NAME, name_of_part, read_patient_file


def patient_file_of(patient: Patient, folder: Path) -> dict[str, Any]:
    """The content of patient.json for the folder that the patient was read from.

    What the folder's present patient.json says of files, regions and visits that are not read is kept. Raises
    InputError ``edit_no_folder`` where a visit has no study in a folder (a patient made from volumes in the scene).
    """
    folder = Path(folder)
    there = read_json(folder / NAME) if (folder / NAME).exists() else {}
    read_patient_file(folder)  # never build on a broken file
    every = [*patient.visits, *(left.visit for left in patient.left_out)]
    for visit in every:
        if not studies_of(visit):
            raise InputError("edit_no_folder", visit=visit.id)
    left = {out.visit.id for out in patient.left_out}
    visits = [_visit(visit, visit.id not in left) for visit in every]
    known = {study for visit in visits for study in visit["studies"]}
    visits += [
        entry
        for entry in there.get("visits", [])
        if entry.get("include") is False and not known & set(entry.get("studies", [entry["id"]]))
    ]
    roles = _roles([series for visit in every for series in (*visit.series, *visit.set_aside)], folder, there)
    content: dict[str, Any] = {"disclaimer": DISCLAIMER, "patient": patient.id, "visits": visits, "roles": roles}
    content["events"] = [_event(event) for event in patient.events]
    regions = _regions(patient, folder, there.get("regions", []))
    return content | ({"regions": regions} if regions else {})


def write_patient_file(patient: Patient, folder: Path) -> Path:
    """Writes patient.json into the patient's folder: whole or not at all; the earlier one stays beside it as
    patient.json.before. Raises InputError as ``patient_file_of``; OSError when the folder cannot be written."""
    path = Path(folder) / NAME
    text = json.dumps(patient_file_of(patient, folder), indent=2, ensure_ascii=False) + "\n"
    temporary = path.with_suffix(".json.partial")
    temporary.write_text(text, encoding="utf-8")
    if path.exists():
        path.replace(path.with_suffix(".json.before"))
    temporary.replace(path)
    return path


def _visit(visit: Visit, include: bool) -> dict[str, Any]:
    entry = {"id": visit.id, "date": visit.date.isoformat() if visit.date else None, "studies": studies_of(visit)}
    return entry if include else {**entry, "include": False}


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
    """Regions that a file holds; those drawn since stand in the scene and its files."""
    found = []
    every = [*patient.regions, *(region for left in patient.left_out for region in left.regions)]
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
