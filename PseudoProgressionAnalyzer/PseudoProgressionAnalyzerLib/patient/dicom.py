"""A folder with DICOM files anywhere below it into a Patient, whatever the folders are called.

Only headers are read here, but for series that may be copies of each other. The patient stays anonymous unless
patient.json names it.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..formats.dicom_files import DicomFile, dicom_paths, read_dicom_file
from ..formats.dicom_segments import SEGMENTATIONS, fits
from ..formats.dicom_series import Arrangement, Part, arrange, by_series, split
from ..formats.images import same_grid
from ..formats.series import QUANTITIES, SPECTRA
from ..formats.spectra import read_spectra_header
from ..formats.spectra_siemens import CLASSIC
from ..measures import Image, InputError, Message, Patient, Region, Series, Visit
from .changes import add_changes
from .choosing import Facts, another_chosen, choose, open_roles, set_open, warn_of_roles
from .dicom_doubts import other_date, other_person, same_images
from .dose import RADIOTHERAPY, add_doses
from .folder import add_stated_regions, relative
from .patient_file import NAME, name_of_part, read_patient_file
from .roles import purpose_of_label
from .series_roles import SURE, Guess, guess_role
from .visits import DEFAULT_WINDOW_DAYS, group_studies

# Echo times at which DSC weighs best, s: Boxerman 2020 (Neuro-Oncology 22:1262), below and above 2 T.
DSC_ECHO = {False: (0.040, 0.050), True: (0.020, 0.035)}
SPECTROSCOPY = ("MR Spectroscopy Storage", CLASSIC)
WATER_WORDS = ("water", "wref", "_ref", " ref", "unsupp", "nows")


@dataclass
class _Candidate:
    """A series that could play a role. trouble: why its frames make no volume."""

    part: Part
    arranged: Arrangement | None
    trouble: Message | None
    guess: Guess
    stated: bool = False

    @property
    def name(self) -> str:
        header = self.part.header
        return header.description or header.protocol or f"series {header.series_number}"


@dataclass
class _Study:
    name: str
    uid: str
    date: datetime.date | None
    day_offset: float | None
    files: list[DicomFile] = field(default_factory=list)
    candidates: list[_Candidate] = field(default_factory=list)
    segmentations: list[DicomFile] = field(default_factory=list)
    others: list[tuple[DicomFile, str | None]] = field(default_factory=list)

    @property
    def roles(self) -> frozenset[str]:
        """Roles that its series play."""
        return frozenset(candidate.guess.role for candidate in self.candidates if candidate.arranged is not None)


def read_dicom_patient(folder: Path) -> Patient:
    """The patient whose DICOM files lie below the folder, visits in date order.

    Raises InputError ``patients_mixed``, ``birth_dates_mixed``, ``folder_empty``, and those of patient.json. Files that
    cannot be read stand in ``Patient.problems``.
    """
    return _patient(dicom_paths(folder), read_patient_file(folder), folder)


def read_dicom_files(paths: Iterable[Path]) -> Patient:
    """The patient whose DICOM files these are, wherever they lie, as from a database; errors as
    ``read_dicom_patient``."""
    nowhere = Path("database")  # nothing is stated beside the files of a database
    patient = _patient(paths, read_patient_file(nowhere), nowhere)
    add_changes(patient.visits)
    return patient


def read_dicom_series(paths: Iterable[Path]) -> tuple[Series, datetime.date | None] | None:
    """What the files of one series are, with the date of the study; None where they make no single image. Errors as
    ``read_dicom_file``."""
    files = [read_dicom_file(path) for path in paths]
    parts = split(files) if files else []
    if len(parts) != 1:
        return None
    try:
        arranged = arrange(parts[0])
    except InputError:
        return None
    candidate = _Candidate(parts[0], arranged, None, guess_role(parts[0], arranged))
    header = parts[0].header
    return _series(candidate, {header.path.parent: set()}), None if header.dates_removed else header.date


def _patient(paths: Iterable[Path], stated: dict[str, Any], folder: Path) -> Patient:
    problems: list[Message] = []
    files: list[DicomFile] = []
    for path in paths:
        if stated_role(stated["roles"], folder, path) == "ignore":
            continue
        try:
            files.append(read_dicom_file(path))
        except InputError as error:
            problems.append(error.message)
    _check_one_person(files)
    if not files and not problems:
        raise InputError("folder_empty", folder=str(folder))
    folders: dict[Path, set[str]] = {}
    for file in files:
        folders.setdefault(file.path.parent, set()).add(file.series_uid)
    treatment = [file for file in files if file.sop_class in RADIOTHERAPY]
    studies = _studies([file for file in files if file.sop_class not in RADIOTHERAPY], stated["roles"], folder)
    patient = Patient(stated["patient"] or "patient", [], stated["events"], [], problems)
    together = {name for one in stated["visits"] for name in one["studies"]}
    for visit_id, date, members in _visits(studies, stated, folder, problems):
        visit = Visit(visit_id, date)
        visit.warnings += other_person(visit, [file for one in members for file in one.files], files)
        for one in members:
            visit.warnings += other_date(visit, one.date, one.files)
        _take_copies_out(visit, members, folders)
        _fill(visit, members, folders, problems, together=any({one.name, one.uid} & together for one in members))
        if not visit.series and not visit.set_aside and not any(study.segmentations for study in members):
            continue
        patient.visits.append(visit)
        _add_regions(patient, visit, members)
    said = {file.path: stated_role(stated["roles"], folder, file.path, file.series_uid) for file in treatment}
    add_doses(patient, treatment, said)
    add_stated_regions(folder, patient, stated)
    return patient


def stated_role(roles: dict[str, str], folder: Path, path: Path, uid: str = "", part: str = "") -> str | None:
    """The role that patient.json states for a file: by part and UID of its series, its path or a folder above it."""
    for name in (name_of_part(uid, part), uid) if uid else ():
        if name in roles:
            return roles[name]
    shown = relative(folder, path)
    while shown not in ("", "."):
        if shown in roles:
            return roles[shown]
        shown = shown.rpartition("/")[0]
    return None


def _check_one_person(files: Iterable[DicomFile]) -> None:
    """Refuses to mix two people. Ids are the user's own data on their own screen; names are never shown."""
    first: dict[str, DicomFile] = {}
    for file in files:
        if file.person:
            first.setdefault(file.person, file)
    if len(first) > 1:
        one, other = list(first.items())[:2]
        raise InputError(
            "patients_mixed",
            count=len(first),
            first=one[0],
            first_file=str(one[1].path),
            second=other[0],
            file=str(other[1].path),
        )
    births: dict[str, DicomFile] = {}
    for file in files:
        if file.birth:
            births.setdefault(file.birth, file)
    if len(births) > 1:
        one, other = list(births.values())[:2]
        raise InputError("birth_dates_mixed", patient=one.person, first_file=str(one.path), file=str(other.path))


def _take_copies_out(visit: Visit, studies: list[_Study], folders: dict[Path, set[str]]) -> None:
    """Sets series aside that hold the same images as another one, as after two exports: nobody has to choose then."""
    kept: list[_Candidate] = []
    every = [(study, candidate) for study in studies for candidate in study.candidates]
    for study, candidate in sorted(every, key=lambda one: not one[1].stated):
        twin = None
        if candidate.guess.role and candidate.arranged is not None:
            twins = [other for other in kept if other.guess.role == candidate.guess.role]
            pairs = [(other, (candidate.part, candidate.arranged), (other.part, other.arranged)) for other in twins]
            twin = next((other for other, *pair in pairs if same_images(*pair)), None)
            kept.append(candidate)
        if twin is not None and not candidate.stated:
            study.candidates = [other for other in study.candidates if other is not candidate]
            told = {"series": candidate.name, "role": candidate.guess.role, "chosen": twin.name}
            reason = Message("series_copy", told)
            visit.set_aside.append(replace(_series(candidate, folders), role="", reason=reason))


def _studies(files: list[DicomFile], roles: dict[str, str], folder: Path) -> list[_Study]:
    by_study: dict[str, list[DicomFile]] = {}
    for file in files:
        by_study.setdefault(file.study_uid, []).append(file)
    studies = []
    for uid, members in by_study.items():
        dates = [file.date for file in members if file.date is not None and not file.dates_removed]
        offsets = [file.day_offset for file in members if file.day_offset is not None]
        study = _Study("", uid, min(dates, default=None), min(offsets, default=None), members)
        for series in by_series(members).values():
            _sort_in(study, series, roles, folder)
        _contrast_by_order(study)
        studies.append(study)
    studies.sort(key=lambda study: (study.date is None, study.date or study.day_offset or 0, study.uid))
    names: dict[str, int] = {}
    for number, study in enumerate(studies, 1):
        name = study.date.isoformat() if study.date else f"study-{number}"
        names[name] = names.get(name, 0) + 1
        study.name = name if names[name] == 1 else f"{name}_{names[name]}"
    return studies


def _sort_in(study: _Study, series: list[DicomFile], roles: dict[str, str], folder: Path) -> None:
    """One DICOM series into the study: as segmentation, as candidates for a role, or as something else."""
    if series[0].sop_class in SEGMENTATIONS:
        study.segmentations += series
        return
    parts, first = split(series), series[0]
    if not parts or first.sop_class in SPECTROSCOPY:
        study.others.append((first, stated_role(roles, folder, first.path, first.series_uid)))
        return
    for part in parts:
        arranged, trouble = None, None
        try:
            arranged = arrange(part)
        except InputError as error:
            trouble = error.message
        candidate = _Candidate(part, arranged, trouble, guess_role(part, arranged))
        role = stated_role(roles, folder, part.header.path, part.header.series_uid, part.key)
        if role is not None:
            candidate.guess = Guess("" if role == "ignore" else role, 1.0, Message("role_stated", {"role": role}))
            candidate.stated = True
        study.candidates.append(candidate)


def _contrast_by_order(study: _Study) -> None:
    """A T1 of which nothing says whether contrast was given, acquired after contrast was given, is a T1CE."""
    given = [
        candidate.part.header.started
        for candidate in study.candidates
        if candidate.guess.role in ("DSC", "T1CE") and candidate.part.header.started is not None
    ]
    for candidate in study.candidates:
        started = candidate.part.header.started
        if candidate.guess.contrast_unknown and not candidate.stated and given and started is not None:
            reason = {"role": "T1", "text": candidate.name}
            if started > min(given):
                reason["role"] = "T1CE"
                candidate.guess = Guess("T1CE", 0.6, Message("role_after_contrast", reason))
            else:
                candidate.guess = replace(candidate.guess, contrast_unknown=False)


def _visits(
    studies: list[_Study], stated: dict[str, Any], folder: Path, problems: list[Message]
) -> list[tuple[str, datetime.date | None, list[_Study]]]:
    """(visit id, date, studies): as stated in patient.json, the rest by the window rule; undated ones last."""
    known = {study.name: study for study in studies} | {study.uid: study for study in studies}
    visits: list[tuple[str, datetime.date | None, list[_Study]]] = []
    taken: set[str] = set()
    for visit in stated["visits"]:
        for name in visit["studies"]:
            if name not in known:
                problems.append(Message("study_missing", {"file": str(folder / NAME), "name": name}))
        members = [known[name] for name in visit["studies"] if name in known]
        taken.update(study.uid for study in members)
        dates = [study.date for study in members if study.date is not None]
        if members and visit["include"]:
            visits.append((visit["id"], visit["date"] if visit["dated"] else min(dates, default=None), members))
    free = {study.name: study for study in studies if study.uid not in taken}
    dated = [(name, study.date, study.roles) for name, study in free.items() if study.date is not None]
    window = DEFAULT_WINDOW_DAYS if stated["visit_window_days"] is None else stated["visit_window_days"]
    for names in group_studies(dated, stated["events"], window):
        members = [free[name] for name in names]
        visits.append((members[0].date.isoformat(), members[0].date, members))
    ids = [visit_id for visit_id, _, _ in visits]
    for visit_id in sorted({visit_id for visit_id in ids if ids.count(visit_id) > 1}):
        problems.append(Message("visit_twice", {"file": str(folder / NAME), "visit": visit_id}))
    visits.sort(key=lambda visit: (visit[1] is None, visit[1] or datetime.date.max, visit[0]))
    return visits + [(name, None, [study]) for name, study in free.items() if study.date is None]


def _fill(
    visit: Visit, studies: list[_Study], folders: dict[Path, set[str]], problems: list[Message], *, together: bool
) -> None:
    """Chooses one series for every role and sets the others aside, each with its reason.

    together: whether the user said that these studies belong together: else two with a T1CE are two looks.
    """
    candidates = [candidate for study in studies for candidate in study.candidates]
    looks = [study.name for study in studies if "T1CE" in study.roles]
    if visit.date is None:
        visit.warnings.append(Message("study_date_unknown", {"visit": visit.id}))
    if len(looks) > 1 and not together:
        told = {"date": str(visit.date), "first": looks[0], "second": looks[1]}
        visit.warnings.append(Message("studies_on_one_date", told))
    rivals: dict[str, list[_Candidate]] = {}
    for candidate in candidates:
        series, role = _series(candidate, folders), candidate.guess.role
        if not role:
            visit.set_aside.append(series)
        elif role != "lesion" and candidate.arranged is None:
            visit.warnings.append(candidate.trouble)
            visit.set_aside.append(replace(series, role="", reason=candidate.trouble))
        elif role != "lesion":
            rivals.setdefault(role, []).append(candidate)
    for role, several in rivals.items():
        facts = [_facts(candidate, studies, looks, together) for candidate in several]
        chosen, why = choose(list(zip(several, facts, strict=True)))
        if chosen is None:
            set_open(visit, role, [_series(candidate, folders) for candidate in several])
            continue
        series = _series(chosen, folders)
        visit.series.append(series)
        _warn(visit, chosen, series, problems)
        for number, fact in why.items():
            visit.set_aside.append(another_chosen(_series(several[number], folders), role, chosen.name, fact))
    others = [other for study in studies for other in study.others]
    for file, role in sorted(others, key=lambda other: other[1] not in SPECTRA):  # those that the user named first
        reason = Message("series_no_image", {"series": file.description or file.sop_class})
        if file.sop_class in SPECTROSCOPY:
            reason = Message("role_stated", {"role": role}) if role == "ignore" else _add_spectra(visit, file, role)
            if reason is None:
                continue
        unused = Series("", file.path, dict(file.acquisition), 0.0, reason, (file.path,), uid=file.series_uid)
        visit.set_aside.append(replace(unused, description=file.description, study=file.study_uid))
    warn_of_roles(visit)


def _add_spectra(visit: Visit, file: DicomFile, stated: str | None) -> Message | None:
    """Spectra into the visit, the first series of each kind; else why they are set aside. stated: their role by the
    user's word."""
    name = file.description or file.series_uid
    try:
        grid, said = read_spectra_header(file.path)
    except InputError as error:
        visit.warnings.append(error.message)
        return error.message
    role = "MRS" if max(grid.shape) == 1 else "MRSI"
    other = visit.of_role(role)
    if other is not None:
        chosen = {"series": name, "role": role, "chosen": other.description or other.uid}
        return Message("series_another_chosen", chosen)
    if role != stated and any(word in name.lower() for word in WATER_WORDS):
        return Message("series_water_reference", {"series": name})
    reason = Message("role_from_header", {"role": role, "tag": "SOPClassUID", "value": file.sop_class})
    confidence = 0.95
    if role == stated:
        reason, confidence = Message("role_stated", {"role": role}), 1.0
    acquisition = {**file.acquisition, **said}
    series = Series(role, file.path, acquisition, confidence, reason, (file.path,), uid=file.series_uid)
    visit.series.append(replace(series, description=file.description, study=file.study_uid))
    return None


def _facts(candidate: _Candidate, studies: list[_Study], looks: list[str], together: bool) -> Facts:
    """What tells a series from others that could play the same role."""
    header = candidate.part.header
    echo = 0.0
    if candidate.guess.role == "DSC":
        low, high = DSC_ECHO[header.acquisition.get("MagneticFieldStrength", 3.0) > 2.0]
        time = candidate.part.frames[0].echo_time or 0.0
        echo = -max(low - time, time - high, 0.0)
    grid, role = candidate.arranged.grid, candidate.guess.role
    return Facts(
        grid,
        stated=candidate.stated,
        surer=candidate.guess.confidence >= SURE,
        drawn_on=role == "T1CE" and any(_drawn_on(study, grid) for study in studies),
        with_t1ce=header.study_uid in looks,
        echo_time=echo,
        original=candidate.part.frames[0].image_type[:1] != ("DERIVED",),
        later=(header.started or 0.0, header.series_number),
        look=header.study_uid if header.study_uid in looks and len(looks) > 1 and not together else "",
    )


def _drawn_on(study: _Study, grid: Image) -> bool:
    """Whether a mask or a segmentation of the study lies on the voxels of a grid."""
    masks = [one.arranged.grid for one in study.candidates if one.guess.role == "lesion" and one.arranged is not None]
    if any(same_grid(mask, grid) for mask in masks):
        return True
    for file in study.segmentations:
        try:
            if fits(file.path, grid):
                return True
        except InputError:  # said where the segmentation is read
            continue
    return False


def _series(candidate: _Candidate, folders: dict[Path, set[str]]) -> Series:
    part, header = candidate.part, candidate.part.header
    files = tuple(file.path for file in part.headers)
    parents = {path.parent for path in files}
    own = len(parents) == 1 and len(files) > 1 and folders[files[0].parent] == {header.series_uid}
    acquisition = dict(header.acquisition)
    if part.frames[0].echo_time and "EchoTime" in acquisition:
        acquisition["EchoTime"] = part.frames[0].echo_time
    arranged = candidate.arranged
    if arranged is not None and len(arranged.shape) == 4:
        if arranged.interval is not None and arranged.interval > 0:
            if "RepetitionTime" in acquisition:
                acquisition["RepetitionTimeExcitation"] = acquisition["RepetitionTime"]
            acquisition["RepetitionTime"] = arranged.interval
        if any(arranged.labels):
            acquisition["ASLContext"] = list(arranged.labels)
    real = part.frames[0].real
    if candidate.guess.role in QUANTITIES and real is not None and real[2]:
        acquisition["Units"] = real[2]
    if header.tracer:
        acquisition["TracerName"] = header.tracer
    return Series(
        candidate.guess.role,
        files[0].parent if own else files[0],
        acquisition,
        candidate.guess.confidence,
        candidate.guess.reason,
        files,
        part.key,
        header.series_uid,
        candidate.name,
        header.study_uid,
    )


def _warn(visit: Visit, candidate: _Candidate, series: Series, problems: list[Message]) -> None:
    """What the user should know of a series that is used."""
    name = {"series": candidate.name, "role": series.role, "file": str(series.path)}
    visit.warnings += candidate.arranged.notes
    for header in candidate.part.headers[:1]:
        for tag, value in header.implausible:
            visit.warnings.append(Message("dicom_field_implausible", {**name, "tag": tag, "value": value}))
    if candidate.guess.confidence < SURE:
        visit.warnings.append(Message("role_uncertain", name))
    if candidate.guess.contrast_unknown:
        visit.warnings.append(Message("contrast_unknown", name))
    if series.role == "DSC":
        lacking = [field for field in ("EchoTime", "RepetitionTime") if field not in series.acquisition]
        if lacking:
            problems.append(Message("dicom_fields_missing", {**name, "fields": ", ".join(lacking)}))
    if series.role == "ASL" and "ASLContext" not in series.acquisition:
        visit.warnings.append(Message("asl_order_unknown", name))


def _add_regions(patient: Patient, visit: Visit, studies: list[_Study]) -> None:
    """Segments and mask series drawn on the visit's T1CE, or on one of those that could be it."""
    anatomy = visit.of_role("T1CE")
    possible = open_roles(visit).get("T1CE", []) if anatomy is None else [anatomy]
    candidates = [candidate for study in studies for candidate in study.candidates]
    grids = [one.arranged.grid for one in candidates if any(_is(one, series) for series in possible)]

    def add(name: str, purpose: str, path: Path, label: int | None, files: tuple[Path, ...], on_grid: bool) -> None:
        shown = {"file": str(path), "region": name, "visit": visit.id}
        if not on_grid:
            visit.warnings.append(Message("region_on_other_grid", shown))
            return
        taken = {region.name for region in patient.regions if region.visit == visit.id}
        number, unique = 2, name
        while unique in taken:
            unique, number = f"{name} {number}", number + 1
        patient.regions.append(Region(unique, visit.id, purpose, path, label, files=files))

    for candidate in candidates:
        if candidate.guess.role == "lesion":
            files = tuple(file.path for file in candidate.part.headers)
            placed = candidate.arranged
            same = placed is not None and any(same_grid(placed.grid, grid) for grid in grids)
            add("lesion", "lesion", files[0], None, files, same)
    for file in (file for study in studies for file in study.segmentations):
        try:
            on_grid = any(fits(file.path, grid) for grid in grids)
        except InputError as error:
            visit.warnings.append(error.message)
            continue
        for number, label in file.segments:
            add(label or f"segment {number}", purpose_of_label(label) or "free", file.path, number, (), on_grid)


def _is(candidate: _Candidate, series: Series) -> bool:
    header = candidate.part.header
    return candidate.arranged is not None and (header.series_uid, candidate.part.key) == (series.uid, series.part)
