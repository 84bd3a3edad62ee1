"""Corrections that the user makes: roles, dates, visits and events, each as a new Patient; the old one stays as it was.

What the user states is certain: it has confidence 1 and the reason ``role_stated``, and ``patient_file_of`` writes it
into patient.json, so that a correction is made once.
"""

from __future__ import annotations

import datetime
from dataclasses import replace

from ..formats.dicom_files import is_dicom, read_dicom_file
from ..formats.series import mask_fits, read_series_header
from ..measures import ROLES, Event, InputError, LeftOut, Message, Patient, Region, Series, Visit
from .changes import add_changes
from .choosing import NOT_USED, check_role, name_of, open_roles, settle_roles
from .dose import lies_on
from .event_fields import check_event

# Warnings that follow from roles and dates: said anew after each correction.
_FOLLOW = ("acquired_otherwise", "study_date_unknown", "session_date_unknown")
# Doubts of one series that are settled once the user has stated its role.
_SETTLED = ("role_uncertain", "contrast_unknown", "file_not_recognised")


def key(series: Series) -> tuple[str, str, str]:
    """What tells one series of a patient from every other."""
    return str(series.path), series.part, series.uid


def set_role(patient: Patient, visit_id: str, series: Series, role: str, dimensions: int | None = None) -> Patient:
    """The series in another role; ``NOT_USED`` sets it aside. The series that had the role is set aside; of an open
    role (``choosing.open_roles``) the others are.

    dimensions: 3 or 4 of its voxels where they are known. Raises InputError: ``unknown_visit``, ``unknown_role``,
    ``not_a_time_series``, ``unexpected_time_series``, ``edit_fields_missing`` (no echo or repetition time for a DSC).
    """
    if role and role not in ROLES:
        raise InputError("unknown_role", role=role, known=", ".join(ROLES))
    if role:
        check_role(series, role, dimensions)
    edited = _copy(patient)
    visit = edited.visit(visit_id)
    every = [other for other in (*visit.series, *visit.set_aside) if key(other) != key(series)]
    if len(every) == len(visit.series) + len(visit.set_aside):
        raise InputError("edit_series_gone", series=series.description or series.path.name, visit=visit_id)
    stated = Message("role_stated", {"role": role or "ignore"})
    changed = replace(series, role=role, confidence=1.0, reason=stated)
    chosen = {"series": name_of(series), "role": role, "chosen": name_of(series)}
    displaced = [
        replace(other, role=NOT_USED, confidence=1.0, reason=Message("series_another_chosen", chosen))
        for other in every
        if role and other.role == role
    ]
    visit.series = [other for other in every if other.role and other.role != role] + ([changed] if role else [])
    visit.set_aside = [other for other in every if not other.role] + displaced + ([] if role else [changed])
    shown = {str(series.path), *(str(path) for path in series.files)}
    visit.warnings = [
        warning
        for warning in visit.warnings
        if not (warning.code in _SETTLED and _same_file(str(warning.parameters.get("file", "")), shown))
    ]
    return settled(edited)


def set_date(patient: Patient, visit_id: str, date: datetime.date | None) -> Patient:
    """The visit on another day, or on an unknown one; its id stays, visits come into date order."""
    edited = _copy(patient)
    visit = edited.visit(visit_id)
    visit.date = date
    visit.warnings = [warning for warning in visit.warnings if warning.code != "study_date_differs"]
    return settled(edited)


def studies_of(visit: Visit) -> list[str]:
    """The studies that a visit's series come from, in their order."""
    return list(dict.fromkeys(series.study for series in (*visit.series, *visit.set_aside) if series.study))


def move_study(patient: Patient, study: str, visit_id: str, date: datetime.date | None = None) -> Patient:
    """A study into another visit; into a new one of this id where there is none (on date, else on the visit's that it
    leaves). Regions go with the T1CE that they were drawn on, a radiotherapy dose with the series that it lies on.

    Raises InputError: ``edit_study_unknown``, and ``edit_role_taken`` where the visit has a series of such a role.
    """
    edited = _copy(patient)
    source = next((visit for visit in edited.visits if study in studies_of(visit)), None)
    if source is None:
        raise InputError("edit_study_unknown", study=study)
    target = next((visit for visit in edited.visits if visit.id == visit_id), None)
    if target is None:
        if not visit_id or any(left.visit.id == visit_id for left in edited.left_out):
            raise InputError("edit_visit_id", visit=visit_id)
        target = Visit(visit_id, date if date is not None else source.date)
        edited.visits.append(target)
    if target is source:
        return edited
    moved = [series for series in source.series if series.study == study]
    every = (*source.series, *source.set_aside)
    for dose in (series for series in source.series if series.role == "RTDOSE" and series not in moved):
        under = [series.study for series in every if lies_on(dose, series)]
        moved += [dose] if set(under) == {study} else []
    for series in moved:
        if (other := target.of_role(series.role)) is not None:
            raise InputError("edit_role_taken", visit=target.id, role=series.role, series=name_of(other))
    names = {region.name for region in edited.regions if region.visit == target.id}
    go = [number for number, region in enumerate(edited.regions) if _goes(region, source, study)]
    for number in go:
        region = edited.regions[number]
        if region.name in names:
            raise InputError("edit_region_taken", visit=target.id, region=region.name)
        edited.regions[number] = replace(region, visit=target.id)
    target.series += moved
    target.set_aside += [series for series in source.set_aside if series.study == study]
    source.series = [series for series in source.series if series not in moved]
    source.set_aside = [series for series in source.set_aside if series.study != study]
    paths = [str(path) for series in (*moved, *target.set_aside) for path in (series.path, *series.files)]
    target.warnings += [w for w in source.warnings if str(w.parameters.get("file", "")) in paths]
    source.warnings = [w for w in source.warnings if str(w.parameters.get("file", "")) not in paths]
    edited.visits = [visit for visit in edited.visits if visit.series or visit.set_aside]
    return settled(edited)


def _goes(region: Region, source: Visit, study: str) -> bool:
    """Whether a region of a visit goes with a study that leaves it: with the T1CE; where several could be that, with
    the study that its file is from, else with the one of them on whose voxels alone it lies."""
    if region.visit != source.id:
        return False
    chosen = source.of_role("T1CE")
    possible = open_roles(source).get("T1CE", []) if chosen is None else [chosen]
    leaving = [series for series in possible if series.study == study]
    if len(leaving) in (0, len(possible)):
        return bool(leaving)
    try:
        own = read_dicom_file(region.path).study_uid if is_dicom(region.path) else ""
        studies = {series.study for series in possible} & {own, *region.path.parts}
        if len(studies) != 1:
            studies = {series.study for series in possible if mask_fits(region.path, read_series_header(series))}
    except (InputError, OSError):  # its file is gone: nothing tells where it was drawn
        return False
    return studies == {study}


def leave_out(patient: Patient, visit_id: str) -> Patient:
    """The patient without a visit; ``take_in`` brings it back as it was. Raises InputError ``edit_last_visit`` where no
    visit with a T1CE would be left."""
    edited = _copy(patient)
    visit = edited.visit(visit_id)
    edited.visits.remove(visit)
    if not any(other.of_role("T1CE") for other in edited.visits):
        raise InputError("edit_last_visit", visit=visit_id)
    edited.left_out.append(LeftOut(visit, [region for region in edited.regions if region.visit == visit_id]))
    edited.regions = [region for region in edited.regions if region.visit != visit_id]
    return settled(edited)


def take_in(patient: Patient, visit_id: str) -> Patient:
    """The patient with a visit that was left out."""
    edited = _copy(patient)
    left = next((left for left in edited.left_out if left.visit.id == visit_id), None)
    if left is None:
        raise InputError("unknown_visit", visit=visit_id, known=", ".join(left.visit.id for left in edited.left_out))
    edited.left_out.remove(left)
    edited.visits.append(left.visit)
    edited.regions += left.regions
    return settled(edited)


def set_events(patient: Patient, events: list[Event]) -> Patient:
    """The patient with these events, in date order, undated ones last; each is checked.

    Raises InputError ``event_field`` (naming kind, field and what is wanted).
    """
    for event in events:
        check_event(event)
    order = sorted(events, key=lambda event: (event.date or event.end or datetime.date.max, event.kind))
    return replace(_copy(patient), events=order)


def _same_file(said: str, paths: set[str]) -> bool:
    """Whether a warning speaks of one of these files; some name it below the patient folder."""
    return bool(said) and any(path == said or path.replace("\\", "/").endswith(f"/{said}") for path in paths)


def _copy(patient: Patient) -> Patient:
    """A patient whose lists can be changed without touching the other's."""

    def visit(old: Visit) -> Visit:
        return replace(old, series=list(old.series), warnings=list(old.warnings), set_aside=list(old.set_aside))

    return replace(
        patient,
        visits=[visit(old) for old in patient.visits],
        events=list(patient.events),
        regions=list(patient.regions),
        problems=list(patient.problems),
        left_out=[LeftOut(visit(left.visit), list(left.regions)) for left in patient.left_out],
    )


def settled(patient: Patient) -> Patient:
    """The same patient, its visits in date order (unknown dates last), with the warnings that follow from roles and
    dates said anew."""
    patient.visits.sort(key=lambda visit: (visit.date is None, visit.date or datetime.date.max, visit.id))
    for visit in patient.visits:
        visit.warnings = [warning for warning in visit.warnings if warning.code not in _FOLLOW]
        if visit.date is None:
            visit.warnings.append(Message("study_date_unknown", {"visit": visit.id}))
        settle_roles(visit)
    add_changes(patient.visits)
    return patient
