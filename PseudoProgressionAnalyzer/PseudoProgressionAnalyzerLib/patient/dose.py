"""Radiotherapy dose of a patient's DICOM files: which one counts, on which series it lies, what was prescribed.

A dose lies in the frame of reference of the images that it was planned on. It is used where a series of the patient's
has that frame, or where a DICOM registration leads from it to one: nothing here registers a planning CT.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from ..formats.dicom_dose import DOSE, PLAN, REGISTRATION, DoseHeader, prescribed_dose, read_dose_header, registrations
from ..formats.dicom_files import DicomFile, read_dicom_file
from ..measures import Image, InputError, Message, Patient, Series, Visit

ROLE = "RTDOSE"
RADIOTHERAPY = (DOSE, PLAN, REGISTRATION)
ALIGNED, TRANSFORM, PRESCRIBED = "AlignedWith", "TransformToSeries", "PrescribedDoses"
"""Fields of a dose's acquisition: UIDs of the series of its visit that it lies on, 4x4 from its RAS mm to theirs (rows;
absent where they are the same), and the target doses of its plan in Gy."""
# T1CE first: all else is placed on it.
_PREFERRED = ("T1CE", "T1", "T2", "FLAIR")
MOST_APART = 1.0
"""mm by which two registrations of the same frames may differ within a dose's grid. Own choice: the largest error that
an alignment here may have."""


def add_doses(patient: Patient, files: Sequence[DicomFile], stated: dict[Path, str]) -> None:
    """Puts the one usable dose into the visit of the series that it lies on; others are set aside with their reason, as
    are plans and registrations.

    files: those of ``RADIOTHERAPY``; stated: path to role (``RTDOSE`` or ``ignore``) where patient.json says one. Of
    several usable doses none is used unless patient.json names one: nobody knows here how they add up.
    """
    if not patient.visits:
        return
    plans = dict(_read_beside(patient, files, PLAN, prescribed_dose))
    known = [frames for _, frames in _read_beside(patient, files, REGISTRATION, registrations)]
    usable: list[tuple[Visit, Series]] = []
    for file in (file for file in files if file.sop_class == DOSE):
        said, own = stated.get(file.path), _own(file)
        if said == "ignore":
            _visit_of(patient, file).set_aside.append(replace(own, reason=Message("role_stated", {"role": "ignore"})))
            continue
        try:
            header = read_dose_header(file.path)
            own.acquisition.update(Units="Gy", DoseType=header.kind)
            if header.plan in plans:
                own.acquisition[PRESCRIBED] = list(plans[header.plan])
            found = _placed(patient, own, header, known)
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


def lies_on(dose: Series, series: Series) -> bool:
    """Whether a DICOM dose lies on a series."""
    return bool(series.uid) and series.uid in dose.acquisition.get(ALIGNED, ())


def _own(file: DicomFile) -> Series:
    """A file as a series that is not used, of no study of a visit."""
    return Series("", file.path, {}, 0.0, None, (file.path,), "", file.series_uid, file.description or file.series_uid)


def _read_beside(
    patient: Patient, files: Sequence[DicomFile], kind: str, read: Callable[[Path], Any]
) -> list[tuple[str, Any]]:
    """What the files of a kind say, with their UIDs; they are listed as set aside, damaged ones with a warning."""
    found = []
    for file in (file for file in files if file.sop_class == kind):
        visit, reason = _visit_of(patient, file), Message("series_beside_dose", {"kind": kind.removesuffix(" Storage")})
        try:
            found.append((file.sop_uid, read(file.path)))
        except InputError as error:
            reason = error.message
            visit.warnings.append(reason)
        visit.set_aside.append(replace(_own(file), reason=reason))
    return found


def _placed(
    patient: Patient, series: Series, header: DoseHeader, known: Sequence[dict[str, np.ndarray]]
) -> tuple[Visit, Series]:
    """The visit whose images the dose lies on, and the dose as its series. known: what each registration says.

    Raises InputError ``dose_frame_unknown`` (it does not say where it lies), ``dose_not_aligned``,
    ``dose_registrations_differ``.
    """
    name = {"file": str(series.path), "series": series.description}
    if not header.frame_of_reference:
        raise InputError("dose_frame_unknown", **name)
    frames, acquisition, code = _frames(patient), dict(series.acquisition), "role_dose_frame"
    there = header.frame_of_reference
    if there not in frames:
        to_others = _registered(there, known)
        there = next((frame for frame in frames if frame in to_others), None)
        if there is None:
            raise InputError("dose_not_aligned", **name)
        apart = _apart(to_others[there], header.grid)
        if apart > MOST_APART:
            raise InputError("dose_registrations_differ", apart=round(apart, 1), **name)
        acquisition[TRANSFORM] = to_others[there][0].tolist()
        code = "role_dose_registered"
    visit, role, uids = frames[there]
    acquisition[ALIGNED] = uids
    reason = Message(code, {"series": role})
    return visit, replace(series, role=ROLE, acquisition=acquisition, confidence=0.95, reason=reason)


def _frames(patient: Patient) -> dict[str, tuple[Visit, str, list[str]]]:
    """Frames of reference with visit, role and UIDs of the series that lie in each: those that are used first, then
    those that were set aside and could be; earlier visits and the T1CE first."""
    series = [
        (one is not visit.of_role(role), number, role, one)
        for number, visit in enumerate(patient.visits)
        for role in _PREFERRED
        for one in (*visit.series, *visit.set_aside)
        if one.files and role in (one.role, one.reason.parameters.get("role") if one.reason else None)
    ]
    found: dict[str, tuple[Visit, str, list[str]]] = {}
    for _, number, role, one in sorted(series, key=lambda entry: entry[:2]):
        frame = read_dicom_file(one.files[0]).frame_of_reference
        visit, _, uids = found.setdefault(frame, (patient.visits[number], role, []))
        if visit is patient.visits[number]:
            uids.append(one.uid)
    found.pop("", None)
    return found


def _registered(frame: str, known: Sequence[dict[str, np.ndarray]]) -> dict[str, list[np.ndarray]]:
    """Frames that registrations lead to from one: UID to every 4x4, RAS mm of the one to those of the other."""
    found: dict[str, list[np.ndarray]] = {}
    for frames in (frames for frames in known if frame in frames):
        for other, matrix in frames.items():
            found.setdefault(other, []).append(np.linalg.inv(matrix) @ frames[frame])
    return found


def _apart(matrices: Sequence[np.ndarray], grid: Image) -> float:
    """mm by which 4x4s differ at most at the corners of a grid."""
    corners = np.array(list(product(*((0, count - 1) for count in grid.shape[::-1]), (1,))), float)
    places = [(matrix @ grid.affine @ corners.T)[:3] for matrix in matrices]
    return float(max(np.linalg.norm(one - other, axis=0).max() for one in places for other in places))


def _visit_of(patient: Patient, file: DicomFile) -> Visit:
    """The visit in which a dose that is not used is listed: the nearest to its study, else the first."""
    dated = [visit for visit in patient.visits if visit.date is not None and file.date is not None]
    return min(dated, key=lambda visit: abs((visit.date - file.date).days), default=patient.visits[0])
