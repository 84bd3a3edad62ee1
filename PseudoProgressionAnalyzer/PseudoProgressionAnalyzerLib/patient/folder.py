"""A patient folder into a Patient: one sub-folder per study date, images named by role, an optional patient.json.

Nothing is computed and no voxel is read here: only names, headers and sidecars, so that ``inspect`` is immediate.
"""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

import numpy as np

from ..formats.images import SUFFIXES, frame_interval, orientation_said, places_apart, read_header, same_grid
from ..formats.series import SPECTRA, mask_fits, read_series_header
from ..formats.sidecars import missing_fields, read_sidecar, stem
from ..formats.spectra import ENDINGS, WATER, read_spectra_header
from ..measures import DISCLAIMER, Image, InputError, Message, Patient, Region, Series, Visit
from .choosing import NEEDED_FIELDS, TIME_SERIES, Facts, another_chosen, choose, name_of, set_open, warn_of_roles
from .patient_file import NAME, read_patient_file
from .roles import region_of_name, role_of_name
from .visits import DEFAULT_WINDOW_DAYS, group_studies

RATIO_MAPS = ("Cho_NAA_molar", "Cho_NAA_area", "Cho_Cr_molar", "Cho_Cr_area")
RATIO_MAP_FIELDS = ("RatioKind", "EchoTime", "MagneticFieldStrength", "Method")
COMPANION = "companion"  # of spectra: read with them
RESULT = "result"  # of another fit of spectra: said, and not measured
RESULTS = (".coord", ".table")
ONE_VOXEL = Image(np.zeros((1, 1, 1)), np.eye(4))
_HEAD, _SLAB = 150.0, 60.0  # mm: an image wider than the one in two directions and thinner than the other (own choice)
_ONE_PLACE = 1.0  # mm that two statements of a place may differ by (own choice)
_SAME_TIME = 0.05  # of the time between two frames: what differs by more is another time (own choice)
_DATED = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[_ -].*)?")
_RUN = re.compile(r"_run-(\d+)_")
_CLOCK = re.compile(r"(\d{1,2}):(\d{1,2}):(\d{1,2}(?:\.\d*)?)")
# Study and series folders of The Cancer Imaging Archive: 11-19-1991-MR RCBV-34567/12.000000-T1post-73420.
_ARCHIVE_STUDY = re.compile(r"(\d{2})-(\d{2})-(\d{4})-.*")
_ARCHIVE_SERIES = re.compile(r"[\d.]+-(.+)-\w+")


def read_patient(folder: Path) -> Patient:
    """The patient in a folder, visits in date order.

    What the user must mend before anything is computed stands in ``Patient.problems``; what they should know in each
    visit's ``warnings``. Raises InputError ``folder_missing``, ``folder_empty``, ``patient_file_field``,
    ``json_syntax``.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InputError("folder_missing", folder=str(folder))
    stated = read_patient_file(folder)
    problems: list[Message] = []
    studies = _studies(folder, stated, problems)
    if not studies:
        if problems:
            return Patient(stated["patient"] or "patient", [], stated["events"], [], problems)
        raise InputError("folder_empty", folder=str(folder))
    visits: list[Visit] = []
    regions: list[Region] = []
    for visit_id, date, names in _visits(folder, studies, stated, problems):
        visit = Visit(visit_id, date)
        found: list[tuple[Series, Image]] = []
        for name in names:
            found += _read_study(folder, name, visit, regions, stated["roles"], problems)
        masks = [region.path for region in regions if region.visit == visit.id]
        together = any(set(names) <= set(one["studies"]) for one in stated["visits"])
        choose_series(visit, found, masks, together=together)
        _check_visit(folder, visit, regions, problems)
        visits.append(visit)
    patient = Patient(stated["patient"] or "patient", visits, stated["events"], regions, problems)
    add_stated_regions(folder, patient, stated)
    return patient


def relative(folder: Path, path: Path) -> str:
    """A path below the patient folder as text with forward slashes; other paths as they are."""
    try:
        return path.relative_to(folder).as_posix()
    except ValueError:
        return str(path)


def _studies(folder: Path, stated: dict[str, Any], problems: list[Message]) -> dict[str, datetime.date | None]:
    """Study folders by name with the date that their name says; None where only patient.json can say it."""
    named_in_file = {name for visit in stated["visits"] for name in visit["studies"]}
    studies: dict[str, datetime.date | None] = {}
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith("."):
            continue
        if not entry.is_dir():
            if entry.name.lower().endswith(SUFFIXES):
                problems.append(Message("image_outside_study", {"file": str(entry)}))
            continue
        date = date_of_study(entry.name)
        if date is None and entry.name not in named_in_file:
            if _is_result(entry):
                continue
            problems.append(Message("folder_not_a_date", {"file": str(entry), "name": entry.name}))
            continue
        studies[entry.name] = date
    for name in sorted(named_in_file - set(studies)):
        problems.append(Message("study_missing", {"file": str(folder / NAME), "name": name}))
    return studies


def _is_result(folder: Path) -> bool:
    """Whether a folder is a result that this program wrote beside the studies."""
    mark = folder / "assessment.json"
    if not mark.is_file():
        return False
    with mark.open("rb") as file:
        return DISCLAIMER.encode() in file.read(4096)


def date_of_study(name: str) -> datetime.date | None:
    """The date that the name of a study folder says, as YYYY-MM-DD or as in The Cancer Imaging Archive; else None."""
    match, archive = _DATED.fullmatch(name), _ARCHIVE_STUDY.fullmatch(name)
    try:
        if match:
            return datetime.date.fromisoformat(match[1])
        return datetime.date(int(archive[3]), int(archive[1]), int(archive[2])) if archive else None
    except ValueError:
        return None


def _said_name(path: Path) -> str:
    """The name that says what an image is: its own, or that of its series folder where only that says a role."""
    own, series = stem(path), _ARCHIVE_SERIES.fullmatch(path.parent.name)
    known = region_of_name(own) or role_of_name(own)[0]
    return series[1] if series and not known and date_of_study(path.parent.name) is None else own


def _visits(
    folder: Path, studies: dict[str, datetime.date | None], stated: dict[str, Any], problems: list[Message]
) -> list[tuple[str, datetime.date | None, list[str]]]:
    """(visit id, date, study folders): as stated in patient.json, the rest by the window rule; undated ones last."""
    visits: list[tuple[str, datetime.date | None, list[str]]] = []
    taken: set[str] = set()
    for visit in stated["visits"]:
        names = [name for name in visit["studies"] if name in studies]
        taken.update(names)
        dates = [studies[name] for name in names if studies[name] is not None]
        if names and visit["include"]:
            visits.append((visit["id"], visit["date"] if visit["dated"] else min(dates, default=None), names))
    free = [
        (name, date, frozenset(role for _, role in _files_with_roles(folder, name, stated["roles"])))
        for name, date in studies.items()
        if name not in taken and date is not None
    ]
    window = DEFAULT_WINDOW_DAYS if stated["visit_window_days"] is None else stated["visit_window_days"]
    for names in group_studies(free, stated["events"], window):
        date = studies[names[0]]
        visits.append((date.isoformat(), date, names))
    ids = [visit_id for visit_id, _, _ in visits]
    for visit_id in sorted({visit_id for visit_id in ids if ids.count(visit_id) > 1}):
        problems.append(Message("visit_twice", {"file": str(folder / NAME), "visit": visit_id}))
    return sorted(visits, key=lambda visit: (visit[1] is None, visit[1] or datetime.date.max, visit[0]))


def _files_with_roles(folder: Path, study: str, stated_roles: dict[str, str]) -> list[tuple[Path, str]]:
    """Images of a study folder with their role: ``lesion`` and ``reference`` for masks, ``ignore`` where patient.json
    says so, empty when unknown."""
    found = []
    archive = _ARCHIVE_STUDY.fullmatch(study)
    for path in sorted((folder / study).rglob("*") if archive else (folder / study).iterdir()):
        role = stated_roles.get(relative(folder, path)) or spectra_role(path)
        if path.name.startswith(".") or role == COMPANION:
            continue
        if role is None and path.name.lower().endswith(SUFFIXES):
            name = _said_name(path)
            role = region_of_name(name) or role_of_name(name)[0] or ""
        if role is not None:
            found.append((path, role))
    return found


def spectra_role(path: Path) -> str | None:
    """The role of a file of spectra by its name (``MRSI.nii.gz``, ``MRS.rda``); COMPANION for the water reference and
    the second file of a pair, RESULT for what LCModel made of spectra; None for other files."""
    if path.name.lower().endswith(RESULTS):
        return RESULT
    for ending in ENDINGS:
        if path.name.lower().endswith(ending):
            name = path.name[: -len(ending)]
            role = role_of_name(name.removesuffix(WATER))[0]
            if role in SPECTRA:
                paired = ending == ".sdat" and any(path.with_suffix(other).is_file() for other in (".SPAR", ".spar"))
                return COMPANION if name.endswith(WATER) or paired else role
    return None


def _read_study(
    folder: Path,
    study: str,
    visit: Visit,
    regions: list[Region],
    stated_roles: dict[str, str],
    problems: list[Message],
) -> list[tuple[Series, Image]]:
    """The study's series that could play a role in the visit, with their headers; adds its masks to the regions."""
    found: list[tuple[Series, Image]] = []
    for path, role in _files_with_roles(folder, study, stated_roles):
        if role == RESULT:
            visit.warnings.append(Message("spectra_results", {"file": relative(folder, path)}))
            continue
        if role in ("", "ignore"):
            reason = Message("role_stated", {"role": role}) if role else role_of_name(_said_name(path))[1]
            visit.set_aside.append(Series("", path, {}, 1.0 if role else 0.0, reason, study=study))
            if not role:
                visit.warnings.append(Message("file_not_recognised", {"file": relative(folder, path)}))
            continue
        try:
            header, said = read_spectra_header(path) if role in SPECTRA else (read_header(path), {})
            acquisition = said | ({} if role in ("lesion", "reference") else read_sidecar(path))
        except InputError as error:
            problems.append(error.message)
            continue
        shown = relative(folder, path)
        if role in SPECTRA and "EchoTime" not in acquisition:
            visit.warnings.append(Message("spectra_echo_time_unknown", {"file": shown}))
        if role in ("lesion", "reference"):
            if header.array.ndim != 3:
                problems.append(Message("mask_not_3d", {"file": str(path)}))
            elif any((region.visit, region.purpose) == (visit.id, role) for region in regions):
                problems.append(Message("mask_twice", {"file": str(path), "visit": visit.id, "purpose": role}))
            else:
                regions.append(Region(role, visit.id, role, path))
            continue
        if role in TIME_SERIES and header.array.ndim != 4:
            problems.append(Message("not_a_time_series", {"file": str(path), "role": role}))
            continue
        if role not in (*TIME_SERIES, "M0", "MRS", "MRSI") and header.array.ndim != 3:
            problems.append(
                Message("unexpected_time_series", {"file": str(path), "role": role, "frames": len(header.array)})
            )
            continue
        reason = Message("role_stated", {"role": role}) if shown in stated_roles else role_of_name(_said_name(path))[1]
        sure = 1.0 if shown in stated_roles else 0.9
        found.append((Series(role, path, acquisition, sure, reason, study=study), header))
    return found


def choose_series(visit: Visit, found: list[tuple[Series, Image]], masks: list[Path], *, together: bool = True) -> None:
    """Adds series with their headers to the visit: one for each role, the others set aside with the reason.

    masks: what was drawn in the visit; together: whether the user said that its studies belong together.
    """
    grids = []
    for path in masks:
        try:
            grids.append(read_header(path))
        except InputError:  # said where the mask is read
            continue
    looks = list(dict.fromkeys(series.study for series, _ in found if series.role == "T1CE"))
    for role in dict.fromkeys(series.role for series, _ in found):
        several = [(series, header) for series, header in found if series.role == role]
        times = _times([series for series, _ in several])
        facts = [
            Facts(
                header if role != "MRS" else ONE_VOXEL,  # neither a larger nor a smaller voxel is the better one
                stated=series.confidence == 1.0,
                drawn_on=role == "T1CE" and any(same_grid(grid, header) for grid in grids),
                with_t1ce=series.study in looks,
                original="DERIVED" not in series.acquisition.get("ImageType", ()),
                later=time,
                look=series.study if not together and len(looks) > 1 and series.study in looks else "",
            )
            for (series, header), time in zip(several, times, strict=True)
        ]
        chosen, why = choose([(series, one) for (series, _), one in zip(several, facts, strict=True)])
        if chosen is None:
            set_open(visit, role, [series for series, _ in several])
            continue
        visit.series.append(chosen)
        visit.set_aside += [another_chosen(several[n][0], role, name_of(chosen), fact) for n, fact in why.items()]
    for series in visit.series:
        visit.warnings += _doubts_of_header(series)


def _doubts_of_header(series: Series) -> list[Message]:
    """What the header of a plain image leaves open or says otherwise than the sidecar."""
    if series.role in SPECTRA:
        return []
    found = [] if orientation_said(series.path) else [Message("orientation_unsaid", {"file": str(series.path)})]
    if (apart := places_apart(series.path)) > _ONE_PLACE:
        found.append(Message("header_places_differ", {"file": str(series.path), "apart": float(f"{apart:.2g}")}))
    if series.role == "T1CE":
        grid = read_header(series.path)
        thin, middle, _ = sorted(np.array(grid.shape)[::-1] * grid.spacing)
        if thin < _SLAB < _HEAD < middle:
            told = {"file": str(series.path), "covered": round(float(thin))}
            found.append(Message("slab_or_voxel_size", {**told, "edge": round(float(grid.spacing.max()), 2)}))
    if series.role == "DSC":
        stated, interval = series.acquisition.get("RepetitionTime"), frame_interval(series.path)
        if stated and interval and abs(stated - interval) > _SAME_TIME * interval:
            told = {"file": str(series.path), "header": float(f"{interval:.4g}"), "sidecar": float(f"{stated:.4g}")}
            found.append(Message("frame_time_differs", told))
    return found


def _times(several: list[Series]) -> list[tuple[int, float] | None]:
    """When each of several series was acquired, to be compared: the day that its study's name says, and the run that
    its BIDS name or the time of day in s that its sidecar says. None for all where these are not of one kind."""
    kinds, times = set(), []
    for series in several:
        date, run = date_of_study(series.study), _RUN.search(series.path.name)
        clock = _CLOCK.fullmatch(str(series.acquisition.get("AcquisitionTime", "")))
        kinds.add((series.study if date is None else "", "run" if run else "clock" if clock else ""))
        hours, minutes, seconds = map(float, clock.groups()) if clock else (0.0, 0.0, 0.0)
        within = float(run[1]) if run else 3600 * hours + 60 * minutes + seconds
        times.append((date.toordinal() if date else 0, within))
    known = len(kinds) == 1 and all(kind for _, kind in kinds)
    return times if known else [None] * len(several)


def _check_visit(folder: Path, visit: Visit, regions: list[Region], problems: list[Message]) -> None:
    """The chosen series say what is needed of them, T1CE is there, and the visit's masks have its grid."""
    for series in visit.series:
        lacking = missing_fields(series.path, series.acquisition, NEEDED_FIELDS.get(series.role, ()))
        if lacking is not None:
            problems.append(lacking)
        if series.role in RATIO_MAPS:
            unsaid = missing_fields(series.path, series.acquisition, RATIO_MAP_FIELDS)
            if unsaid is not None:
                visit.warnings.append(Message("ratio_map_unsaid", dict(unsaid.parameters)))
    warn_of_roles(visit)
    anatomy = visit.of_role("T1CE")
    if anatomy is None:
        return
    grid = read_header(anatomy.path)
    for region in regions:
        if region.visit == visit.id and not same_grid(read_header(region.path), grid):
            problems.append(
                Message("mask_on_other_grid", {"file": str(region.path), "image": relative(folder, anatomy.path)})
            )


def add_stated_regions(folder: Path, patient: Patient, stated: dict[str, Any]) -> None:
    """Regions of patient.json: they complete a mask found by name (label, carried), or add one. Those of visits that
    are not used wait with them."""
    visit_ids = {visit.id for visit in patient.visits}
    unused = {visit["id"] for visit in stated["visits"] if not visit["include"]} - visit_ids
    for entry in (entry for entry in stated["regions"] if entry["visit"] not in unused):
        path = folder / entry["file"]
        if entry["visit"] not in visit_ids:
            patient.problems.append(
                Message(
                    "region_visit_unknown",
                    {
                        "file": str(folder / NAME),
                        "region": entry["name"],
                        "visit": entry["visit"],
                        "known": ", ".join(sorted(visit_ids)),
                    },
                )
            )
            continue
        region = Region(entry["name"], entry["visit"], entry["purpose"], path, entry["label"], entry["carried"])
        found = [
            number
            for number, known in enumerate(patient.regions)
            if known.path == path and known.visit == region.visit and known.purpose == region.purpose
        ]
        if found:
            patient.regions[found[0]] = region
            continue
        anatomy = patient.visit(entry["visit"]).of_role("T1CE")
        try:
            if anatomy is not None and not mask_fits(path, read_series_header(anatomy)):
                patient.problems.append(
                    Message("mask_on_other_grid", {"file": str(path), "image": relative(folder, anatomy.path)})
                )
                continue
        except InputError as error:
            patient.problems.append(error.message)
            continue
        patient.regions.append(region)
