"""A BIDS subject into a Patient: sessions as visits, roles from suffix and entities, sidecars with their inheritance.

Source: Brain Imaging Data Structure 1.10 (entities, ``ce`` of contrast-enhanced images, sessions and scans files,
inheritance principle, ``aslcontext``).
"""

from __future__ import annotations

import csv
import datetime
import re
from pathlib import Path
from typing import Any

from ..formats.images import SUFFIXES, read_header, same_grid
from ..formats.json_files import read_json
from ..formats.series import SPECTRA
from ..formats.sidecars import check_fields, missing_fields, stem
from ..formats.spectra import read_spectra_header
from ..measures import Image, InputError, Message, Patient, Region, Series, Visit
from .choosing import NEEDED_FIELDS, TIME_SERIES, warn_of_roles
from .folder import add_stated_regions, choose_series, relative
from .patient_file import read_patient_file
from .roles import purpose_of_label

ROLES = {
    "T1w": "T1", "T2w": "T2", "FLAIR": "FLAIR", "asl": "ASL", "m0scan": "M0", "dsc": "DSC", "pet": "PET", "cbf": "CBF",
    "rCBV": "rCBV", "cbv": "rCBV", "ADC": "ADC", "APTw": "APTw", "mrsi": "MRSI", "svs": "MRS",
}  # fmt: skip
MASKS = ("mask", "dseg", "roi")
_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")


def is_bids(folder: Path) -> bool:
    """Whether a folder is a BIDS subject, or a data set with subjects."""
    inside = [entry for entry in folder.iterdir() if entry.is_dir()]
    if _SUBJECT.fullmatch(folder.name) and any(
        entry.name.startswith("ses-") or entry.name in ("anat", "perf", "pet") for entry in inside
    ):
        return True
    return any(_SUBJECT.fullmatch(entry.name) for entry in inside)


def read_bids(folder: Path) -> Patient:
    """The subject in a folder, sessions in date order (undated ones by their label, last).

    Raises InputError ``subjects_several`` (naming two), ``folder_empty``, and those of patient.json.
    """
    root, subject = folder.parent, folder
    if not _SUBJECT.fullmatch(folder.name):
        subjects = sorted(e for e in folder.iterdir() if e.is_dir() and _SUBJECT.fullmatch(e.name))
        if len(subjects) > 1:
            raise InputError(
                "subjects_several",
                file=str(folder),
                count=len(subjects),
                first=subjects[0].name,
                second=subjects[1].name,
            )
        root, subject = folder, subjects[0]
    stated = read_patient_file(folder)
    patient = Patient(stated["patient"] or subject.name, [], stated["events"])
    sessions = sorted(entry for entry in subject.glob("ses-*") if entry.is_dir()) or [subject]
    dates = _session_dates(subject)
    for session in sessions:
        visit_id = session.name if session != subject else "ses-1"
        date = dates.get(visit_id) or _scan_date(session)
        said = next((visit for visit in stated["visits"] if session.name in visit["studies"]), None)
        if said is not None and not said["include"]:
            continue
        if said is not None:
            visit_id, date = said["id"], said["date"] if said["dated"] else date
        visit = Visit(visit_id, date)
        if date is None:
            visit.warnings.append(Message("session_date_unknown", {"visit": visit_id}))
        _read_session(root, folder, session, visit, patient, stated["roles"])
        if visit.series or visit.set_aside:
            patient.visits.append(visit)
    if not patient.visits and not patient.problems:
        raise InputError("folder_empty", folder=str(folder))
    patient.visits.sort(key=lambda visit: (visit.date is None, visit.date or datetime.date.max, visit.id))
    add_stated_regions(folder, patient, stated)
    return patient


def entities(name: str) -> tuple[dict[str, str], str]:
    """Entities and suffix of a BIDS name without its ending: ``({"sub": "01", "ce": "gd"}, "T1w")``."""
    *pairs, suffix = name.split("_")
    return dict(pair.split("-", 1) for pair in pairs if "-" in pair), suffix


def _read_session(
    root: Path, folder: Path, session: Path, visit: Visit, patient: Patient, stated_roles: dict[str, str]
) -> None:
    derived = sorted((root / "derivatives").glob(f"*/{session.relative_to(root).as_posix()}"))
    paths = [path for place in (session, *derived) for path in sorted(place.rglob("*"))]
    masks: list[tuple[Path, dict[str, str]]] = []
    found: list[tuple[Series, Image]] = []
    for path in paths:
        if not path.name.lower().endswith(SUFFIXES) or path.name.startswith("."):
            continue
        named, suffix = entities(stem(path))
        role = ROLES.get(suffix)
        if role == "T1" and "ce" in named:
            role = "T1CE"
        reason = Message("role_from_name", {"name": path.name, "role": role})
        stated = stated_roles.get(relative(folder, path))
        if stated is not None:
            role, reason = stated, Message("role_stated", {"role": stated})
        if role == "ignore" or suffix == "mrsref":  # a water reference goes with its spectra
            continue
        if suffix in MASKS and stated is None:
            masks.append((path, named))
        elif role is None:
            visit.warnings.append(Message("file_not_recognised", {"file": relative(folder, path)}))
        else:
            found += _read_series(root, path, role, reason, stated is not None, patient, session.name)
    choose_series(visit, found, [path for path, _ in masks])
    for series in visit.series:
        _check_series(series, patient)
    warn_of_roles(visit)
    anatomy = visit.of_role("T1CE")
    for path, named in masks:
        _add_mask(folder, path, named, visit, patient, anatomy)


def _read_series(
    root: Path, path: Path, role: str, reason: Message, stated: bool, patient: Patient, study: str
) -> list[tuple[Series, Image]]:
    """The series of an image with its header; nothing where it cannot play the role, which is a problem."""
    try:
        header, said = read_spectra_header(path) if role in SPECTRA else (read_header(path), {})
        acquisition = said | inherited_sidecar(root, path)
    except InputError as error:
        patient.problems.append(error.message)
        return []
    name = {"file": str(path), "role": role}
    if role in TIME_SERIES and header.array.ndim != 4:
        patient.problems.append(Message("not_a_time_series", name))
    elif role not in (*TIME_SERIES, "M0", "PET", "MRS", "MRSI") and header.array.ndim != 3:
        patient.problems.append(Message("unexpected_time_series", {**name, "frames": len(header.array)}))
    else:
        labels = _asl_labels(path) if role == "ASL" else []
        if labels and len(labels) == len(header.array):
            acquisition["ASLContext"] = labels
        return [(Series(role, path, acquisition, 1.0 if stated else 0.95, reason, study=study), header)]
    return []


def _check_series(series: Series, patient: Patient) -> None:
    """A chosen series says what is needed of it."""
    path, acquisition = series.path, series.acquisition
    lacking = missing_fields(path, acquisition, NEEDED_FIELDS.get(series.role, ()))
    if lacking is not None:
        patient.problems.append(lacking)
    labels = _asl_labels(path) if series.role == "ASL" else []
    frames = len(read_header(path).array) if labels else 0
    if len(labels) != frames:
        told = {"file": str(_asl_table(path)), "rows": len(labels), "frames": frames}
        patient.problems.append(Message("asl_context_length", told))


def _asl_table(path: Path) -> Path:
    return path.with_name(stem(path).removesuffix("_asl") + "_aslcontext.tsv")


def _asl_labels(path: Path) -> list[str]:
    """What each time point of an ASL series is, from ``*_aslcontext.tsv``; empty without one."""
    return [row.get("volume_type", "") for row in _rows(_asl_table(path))]


def _add_mask(
    folder: Path, path: Path, named: dict[str, str], visit: Visit, patient: Patient, anatomy: Series | None
) -> None:
    purpose = purpose_of_label(" ".join(named.get(key, "") for key in ("label", "desc")))
    if purpose in ("", "free") or anatomy is None:
        visit.warnings.append(Message("file_not_recognised", {"file": relative(folder, path)}))
        return
    try:
        if not same_grid(read_header(path), read_header(anatomy.path)):
            shown = {"file": str(path), "image": relative(folder, anatomy.path)}
            patient.problems.append(Message("mask_on_other_grid", shown))
            return
    except InputError as error:
        patient.problems.append(error.message)
        return
    if any((region.visit, region.name) == (visit.id, purpose) for region in patient.regions):
        patient.problems.append(Message("mask_twice", {"file": str(path), "visit": visit.id, "purpose": purpose}))
        return
    patient.regions.append(Region(purpose, visit.id, purpose, path))


def inherited_sidecar(root: Path, path: Path) -> dict[str, Any]:
    """The fields of every sidecar that applies to an image, nearer ones winning.

    Raises InputError as ``read_sidecar``.
    """
    named, suffix = entities(stem(path))
    folders = [folder for folder in (path.parent, *path.parent.parents) if folder == root or root in folder.parents]
    fields: dict[str, Any] = {}
    for folder in reversed(folders):
        for file in sorted(folder.glob(f"*{suffix}.json")):
            of_file, its_suffix = entities(file.stem)
            if its_suffix == suffix and of_file.items() <= named.items():
                found = read_json(file)
                check_fields(file, found)
                fields |= found
    return fields


def _session_dates(subject: Path) -> dict[str, datetime.date]:
    """Session to date from ``*_sessions.tsv``."""
    dates = {}
    for file in sorted(subject.glob("*_sessions.tsv")):
        for row in _rows(file):
            date = _date(row.get("acq_time", ""))
            if date is not None:
                dates[row.get("session_id", "")] = date
    return dates


def _scan_date(session: Path) -> datetime.date | None:
    dates = [_date(row.get("acq_time", "")) for file in session.glob("*_scans.tsv") for row in _rows(file)]
    return min((date for date in dates if date is not None), default=None)


def _date(text: str) -> datetime.date | None:
    try:
        return datetime.date.fromisoformat(text[:10])
    except ValueError:
        return None


def _rows(file: Path) -> list[dict[str, str]]:
    if not file.is_file():
        return []
    with file.open(encoding="utf-8-sig", errors="replace", newline="") as table:
        return [
            {k: v for k, v in row.items() if k and isinstance(v, str)} for row in csv.DictReader(table, delimiter="\t")
        ]
