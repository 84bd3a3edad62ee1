"""A patient with all corrections as patient.json: reading its folder again with this file gives the same patient."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..formats.json_files import read_json
from ..measures import DISCLAIMER, Event, InputError, Patient, Series, Visit
from .editing import studies_of
from .folder import relative
from .patient_file import NAME, read_patient_file


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
    roles = dict(there.get("roles", {}))
    for visit in every:
        for series in (*visit.series, *visit.set_aside):
            for name, role in _stated_role(series, folder):
                roles[name] = role
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


def _stated_role(series: Series, folder: Path) -> list[tuple[str, str]]:
    """What patient.json must say of a series: only what the user stated, and which file was displaced by that."""
    code = series.reason.code if series.reason else ""
    name = series.uid if series.files else relative(folder, series.path)
    if code == "role_stated":
        return [(name, series.role or "ignore")]
    if code == "series_another_chosen" and not series.files and not series.role:
        return [(name, "ignore")]
    return []


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
