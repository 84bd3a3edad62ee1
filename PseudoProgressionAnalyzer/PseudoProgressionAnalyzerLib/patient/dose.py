"""Radiotherapy dose of a patient's DICOM files: which one counts, on which series it lies, what was prescribed.

A dose lies in the frame of reference of the images that it was planned on. It is used where a series of the patient's
has that frame, or where a DICOM registration leads from it to one: nothing here registers a planning CT.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from ..formats.dicom_dose import DOSE, PLAN, REGISTRATION, prescribed_dose, read_dose_header, registrations
from ..formats.dicom_files import DicomFile, read_dicom_file
from ..measures import InputError, Message, Patient, Series, Visit

ROLE = "RTDOSE"
RADIOTHERAPY = (DOSE, PLAN, REGISTRATION)
ALIGNED, TRANSFORM, PRESCRIBED = "AlignedWith", "TransformToSeries", "PrescribedDoses"
"""Fields of a dose's acquisition: role of the series that it lies on, 4x4 from its RAS mm to those of that series
(rows; absent where they are the same), and the target doses of its plan in Gy."""
# T1CE first: all else is placed on it.
_PREFERRED = ("T1CE", "T1", "T2", "FLAIR")


def add_doses(patient: Patient, files: Sequence[DicomFile], stated: dict[Path, str]) -> None:
    """Puts the one usable dose into the visit of the series that it lies on; others are set aside with their reason.

    files: those of ``RADIOTHERAPY``; stated: path to role (``RTDOSE`` or ``ignore``) where patient.json says one. Of
    several usable doses none is used unless patient.json names one: nobody knows here how they add up.
    """
    if not patient.visits:
        return
    usable: list[tuple[Visit, Series]] = []
    for file in (file for file in files if file.sop_class == DOSE):
        said = stated.get(file.path)
        own = Series("", file.path, {}, 0.0, None, (file.path,), uid=file.series_uid)
        own = replace(own, description=file.description or file.series_uid)  # of no study of the visit
        if said == "ignore":
            _visit_of(patient, file).set_aside.append(replace(own, reason=Message("role_stated", {"role": "ignore"})))
            continue
        try:
            found = _placed(patient, own, files)
        except InputError as error:
            visit = _visit_of(patient, file)
            visit.set_aside.append(replace(own, reason=error.message))
            visit.warnings.append(error.message)
            continue
        reason = Message("role_stated", {"role": ROLE}) if said == ROLE else found[1].reason
        usable.append((found[0], replace(found[1], reason=reason)))
    named = [one for one in usable if stated.get(one[1].path) == ROLE] or usable
    chosen = named[0] if len(named) == 1 else None
    for visit, series in usable:
        if chosen is not None and series is chosen[1]:
            visit.series.append(series)
            continue
        reason = Message("dose_several", {"count": len(named), "file": str(series.path)})
        if chosen is not None:
            other = {"series": series.description, "role": ROLE, "chosen": chosen[1].description}
            reason = Message("series_another_chosen", other)
        elif not any(warning.code == reason.code for warning in visit.warnings):
            visit.warnings.append(reason)
        visit.set_aside.append(replace(series, role="", reason=reason))


def _placed(patient: Patient, series: Series, files: Sequence[DicomFile]) -> tuple[Visit, Series]:
    """The visit whose images the dose lies on, and the dose as its series.

    Raises InputError ``dose_frame_unknown`` (it does not say where it lies), ``dose_not_aligned``, and as
    ``read_dose_header``.
    """
    header = read_dose_header(series.path)
    name = {"file": str(series.path), "series": series.description}
    if not header.frame_of_reference:
        raise InputError("dose_frame_unknown", **name)
    frames = _frames(patient)
    acquisition: dict[str, Any] = {"Units": "Gy", "DoseType": header.kind}
    plan = next((file for file in files if file.sop_class == PLAN and file.sop_uid == header.plan), None)
    if plan is not None:
        acquisition[PRESCRIBED] = list(prescribed_dose(plan.path))
    if header.frame_of_reference in frames:
        visit, role = frames[header.frame_of_reference]
        reason = Message("role_dose_frame", {"series": role})
    else:
        to_others = _registered(header.frame_of_reference, files)
        there = next((frame for frame in frames if frame in to_others), None)
        if there is None:
            raise InputError("dose_not_aligned", **name)
        visit, role = frames[there]
        acquisition[TRANSFORM] = to_others[there].tolist()
        reason = Message("role_dose_registered", {"series": role})
    acquisition[ALIGNED] = role
    return visit, replace(series, role=ROLE, acquisition=acquisition, confidence=0.95, reason=reason)


def _frames(patient: Patient) -> dict[str, tuple[Visit, str]]:
    """Frames of reference of the series that are used, with visit and role; earlier visits and the T1CE first."""
    found: dict[str, tuple[Visit, str]] = {}
    for visit in patient.visits:
        for role in _PREFERRED:
            series = visit.of_role(role)
            if series is not None and series.files:
                frame = read_dicom_file(series.files[0]).frame_of_reference
                if frame:
                    found.setdefault(frame, (visit, role))
    return found


def _registered(frame: str, files: Sequence[DicomFile]) -> dict[str, np.ndarray]:
    """Frames that registrations lead to from one: UID to 4x4, RAS mm of the one to those of the other."""
    found: dict[str, np.ndarray] = {}
    for file in (file for file in files if file.sop_class == REGISTRATION):
        known = registrations(file.path)
        if frame in known:
            for other, matrix in known.items():
                found.setdefault(other, np.linalg.inv(matrix) @ known[frame])
    return found


def _visit_of(patient: Patient, file: DicomFile) -> Visit:
    """The visit in which a dose that is not used is listed: the nearest to its study, else the first."""
    dated = [visit for visit in patient.visits if visit.date is not None and file.date is not None]
    return min(dated, key=lambda visit: abs((visit.date - file.date).days), default=patient.visits[0])
