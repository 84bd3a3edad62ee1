"""patient.json: visits, roles, events and regions as the user states them.

The schema for people and editors is ``schemas/patient.schema.json``. The checks here need no schema library (3D Slicer
has none) and name the JSON path of what is wrong.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path, PurePosixPath
from typing import Any

from ..formats.json_files import read_json
from ..measures import EVENT_KINDS, PURPOSES, ROLES, Event, InputError
from .event_fields import check_event

NAME = "patient.json"
KEYS = ("patient", "disclaimer", "visits", "roles", "events", "regions", "visit_window_days")
_UID = re.compile(r"[0-2](\.\d+){4,}( .+)?")  # a DICOM series by its UID (PS3.5 section 9), or a part of it


def read_patient_file(folder: Path) -> dict[str, Any]:
    """The checked content of the folder's patient.json; an empty one when there is none.

    Returns a dict with ``patient`` (str or None), ``visits`` (list of dicts ``id``, ``date``, ``studies``, ``include``,
    and ``dated``: whether it states a date, if only that none is known), ``roles`` (file, folder of a DICOM series,
    series UID, or ``name_of_part``, to role or ``ignore``), ``events`` (list of Event), ``regions`` (list of dicts) and
    ``visit_window_days`` (int or None). Raises InputError ``json_syntax`` or ``patient_file_field``.
    """
    file = folder / NAME
    content = read_json(file) if file.exists() else {}
    for key in content:
        _demand(key in KEYS, file, key, f"one of {', '.join(KEYS)}")
    patient = content.get("patient")
    _demand(patient is None or (isinstance(patient, str) and patient.strip()), file, "patient", "a name that is a text")
    window = content.get("visit_window_days")
    _demand(
        window is None or (isinstance(window, int) and not isinstance(window, bool) and 0 <= window <= 90),
        file,
        "visit_window_days",
        "a number of days from 0 to 90",
    )
    return {
        "patient": patient,
        "visit_window_days": window,
        "visits": [_visit(entry, file, f"visits[{n}]") for n, entry in enumerate(_list(content, "visits", file))],
        "roles": _roles(content.get("roles", {}), folder, file),
        "events": [_event(entry, file, f"events[{n}]") for n, entry in enumerate(_list(content, "events", file))],
        "regions": [
            _region(entry, folder, file, f"regions[{n}]") for n, entry in enumerate(_list(content, "regions", file))
        ],
    }


def name_of_part(uid: str, part: str) -> str:
    """What roles call one of several images (echoes, components, derived ones) of a DICOM series; part: its key."""
    return f"{uid} {part}"


def _demand(holds: Any, file: Path, where: str, wanted: str) -> None:
    if not holds:
        raise InputError("patient_file_field", file=str(file), field=where, wanted=wanted)


def _list(content: dict[str, Any], key: str, file: Path) -> list[Any]:
    entries = content.get(key, [])
    _demand(isinstance(entries, list), file, key, "a list")
    return entries


def _object(entry: Any, keys: tuple[str, ...], file: Path, where: str) -> dict[str, Any]:
    _demand(isinstance(entry, dict), file, where, "an object")
    for key in entry:
        _demand(key in keys, file, f"{where}.{key}", f"one of {', '.join(keys)}")
    return entry


def _date(value: Any, file: Path, where: str) -> datetime.date | None:
    if value is None:
        return None
    try:
        return datetime.date.fromisoformat(value)
    except (TypeError, ValueError):
        raise InputError("patient_file_field", file=str(file), field=where, wanted="a date as YYYY-MM-DD") from None


def _relative(value: Any, folder: Path, file: Path, where: str) -> str:
    """A path inside the patient folder, as text with forward slashes; nothing outside of it is ever read."""
    inside = isinstance(value, str) and value.strip() and not PurePosixPath(value).is_absolute()
    inside = inside and (folder / value).resolve().is_relative_to(folder.resolve())
    _demand(inside, file, where, "a path inside the patient folder")
    return PurePosixPath(value).as_posix()


def _visit(entry: Any, file: Path, where: str) -> dict[str, Any]:
    entry = _object(entry, ("id", "date", "studies", "include"), file, where)
    _demand(isinstance(entry.get("id"), str) and entry["id"].strip(), file, f"{where}.id", "a text")
    studies = entry.get("studies", [entry["id"]])
    _demand(isinstance(studies, list) and all(isinstance(s, str) for s in studies), file, f"{where}.studies", "folders")
    include = entry.get("include", True)
    _demand(isinstance(include, bool), file, f"{where}.include", "true or false")
    date = _date(entry.get("date"), file, f"{where}.date")
    return {"id": entry["id"], "date": date, "dated": "date" in entry, "studies": studies, "include": include}


def _roles(entry: Any, folder: Path, file: Path) -> dict[str, str]:
    _demand(isinstance(entry, dict), file, "roles", "an object from file to role")
    allowed = (*ROLES, "lesion", "reference", "ignore")
    roles = {}
    for path, role in entry.items():
        where = f"roles[{path!r}]"
        _demand(role in allowed, file, where, f"one of {', '.join(allowed)}")
        if _UID.fullmatch(path):
            roles[path] = role
            continue
        relative = _relative(path, folder, file, where)
        _demand((folder / relative).exists(), file, where, "a file that exists in the patient folder")
        roles[relative] = role
    return roles


def _event(entry: Any, file: Path, where: str) -> Event:
    entry = _object(entry, ("kind", "date", "end", "details"), file, where)
    _demand(entry.get("kind") in EVENT_KINDS, file, f"{where}.kind", f"one of {', '.join(EVENT_KINDS)}")
    date, end = (_date(entry.get(key), file, f"{where}.{key}") for key in ("date", "end"))
    _demand(date is None or end is None or end >= date, file, f"{where}.end", "a date not before its beginning")
    details = entry.get("details", {})
    _demand(isinstance(details, dict), file, f"{where}.details", "an object")
    event = Event(entry["kind"], date, end, details)
    try:
        check_event(event)
    except InputError as error:
        said = error.message.parameters
        raise InputError(
            "patient_file_field", file=str(file), field=f"{where}.details.{said['field']}", wanted=said["wanted"]
        ) from error
    return event


def _region(entry: Any, folder: Path, file: Path, where: str) -> dict[str, Any]:
    entry = _object(entry, ("name", "visit", "purpose", "file", "label", "carried"), file, where)
    for key in ("name", "visit"):
        _demand(isinstance(entry.get(key), str) and entry[key].strip(), file, f"{where}.{key}", "a text")
    _demand(entry.get("purpose") in PURPOSES, file, f"{where}.purpose", f"one of {', '.join(PURPOSES)}")
    relative = _relative(entry.get("file"), folder, file, f"{where}.file")
    _demand((folder / relative).is_file(), file, f"{where}.file", "a file that exists in the patient folder")
    label = entry.get("label")
    _demand(
        label is None or (isinstance(label, int) and not isinstance(label, bool) and label > 0),
        file,
        f"{where}.label",
        "a whole number above zero",
    )
    carried = entry.get("carried", False)
    _demand(isinstance(carried, bool), file, f"{where}.carried", "true or false")
    return {**entry, "file": relative, "label": label, "carried": carried}
