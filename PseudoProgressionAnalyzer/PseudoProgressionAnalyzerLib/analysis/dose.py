"""Radiotherapy dose in a visit, and the high-dose region that the rules of the first 12 weeks ask for.

The high-dose region is what lies within the 80 % isodose (``response/published.json``, rule 1.30). The source does not
say of what: here it is 80 % of the prescribed dose. Where no dose can be told, nothing is inside and nothing outside.
"""

from __future__ import annotations

import datetime

import numpy as np
from scipy import ndimage

from ..imaging.resampling import transform_points
from ..measures import Event, InputError, Map, Message, Series
from ..patient.dose import ALIGNED, PRESCRIBED, TRANSFORM, lies_on
from ..response.published import limit
from . import Analysis
from .aligning import visit_to_visit
from .reading import ANATOMICAL, voxels_of, warn

NAME = "RTDOSE"
UNIT = "Gy"
UNITS = ("GY", "GRAY")
HIGHEST = 200.0
"""Gy above which no treatment of a glioma reaches, even after two courses: then the units are wrong. Own choice."""


def read_dose_map(analysis: Analysis, visit_id: str) -> None:
    """The map ``RTDOSE`` (Gy) of a visit that has a dose, on its own grid; absent with its reason where it cannot be
    used: ``dose_units``, ``dose_implausible``, ``dose_not_aligned``, ``dose_series_unused``, and as ``voxels_of``."""
    analysis.maps.pop((visit_id, NAME), None)
    earlier = analysis.absent.pop((visit_id, NAME), ())
    if visit_id in analysis.messages:
        analysis.messages[visit_id] = [said for said in analysis.messages[visit_id] if said not in earlier]
    series = analysis.patient.visit(visit_id).of_role(NAME)
    if series is None:
        return
    file = str(series.path)
    try:
        units = str(series.acquisition.get("Units", ""))
        if units.strip().upper() not in UNITS:
            raise InputError("dose_units", file=file, units=units or "not said", field="Units")
        image = voxels_of(analysis, series)
        highest = float(np.nanmax(image.array))
        if image.array.ndim != 3 or not 0 < highest <= HIGHEST or np.nanmin(image.array) < 0:
            raise InputError("dose_implausible", file=file, highest=round(highest, 2))
        to_visit = _to_visit(analysis, visit_id, series)
    except InputError as error:
        analysis.absent[visit_id, NAME] = (error.message,)
        warn(analysis, visit_id, error.message)
        return
    kind = str(series.acquisition.get("DoseType", "")).lower()
    method = f"planned dose{f', {kind}' if kind else ''}"
    analysis.maps[visit_id, NAME] = Map(image.array.astype(np.float32), image.affine, NAME, UNIT, method)
    analysis.series_to_visit[visit_id, NAME] = to_visit


def _to_visit(analysis: Analysis, visit_id: str, series: Series) -> np.ndarray:
    """4x4 from a dose's RAS mm to those of its visit's T1CE, over the series that it lies on, whatever role that plays
    by now. A plain image lies on the coordinates of the T1CE.

    Raises InputError ``dose_not_aligned`` (it lies on no series), ``dose_series_unused`` (on one that plays no role).
    """
    name = {"file": str(series.path), "series": series.description or series.path.name}
    roles = ("T1CE",)
    if series.files:
        if not series.acquisition.get(ALIGNED):
            raise InputError("dose_not_aligned", **name)
        used = [one.role for one in analysis.patient.visit(visit_id).series if lies_on(series, one)]
        roles = [role for role in ANATOMICAL if role in used and (visit_id, role) in analysis.series_to_visit]
        if not roles:
            raise InputError("dose_series_unused", visit=visit_id, **name)
    to_image = np.array(series.acquisition.get(TRANSFORM, np.eye(4)), float)
    return analysis.series_to_visit.get((visit_id, roles[0]), np.eye(4)) @ to_image


def dose_visit(analysis: Analysis, visit_id: str) -> str:
    """The visit with the dose map as known by a visit; empty where there is none, or where several visits have one."""
    found = _dose_visits(analysis, visit_id)
    return found[0] if len(found) == 1 else ""


def _dose_visits(analysis: Analysis, visit_id: str) -> list[str]:
    """The visits with a dose map, without those that came after a visit."""
    found = [visit for visit, name in analysis.maps if name == NAME and visit in analysis.visit_to_reference]
    return [visit for visit in found if analysis.patient.was_there(visit, visit_id)]


def _courses(analysis: Analysis, own: datetime.date | None, day: datetime.date | None) -> list[Event]:
    """The courses of radiotherapy that a dose may be of, as known on a day: of those that began by the visit in which
    it lies (own) the last one; where none did, that visit was planned on, and it is the first one after. All that are
    known where dates do not tell them apart."""
    courses = [(event, event.date or event.end) for event in analysis.patient.events if event.kind == "radiotherapy"]
    if own is not None and all(start is not None for _, start in courses):
        before = [start for _, start in courses if start <= own]
        theirs = max(before) if before else min((start for _, start in courses), default=None)
        courses = [(event, start) for event, start in courses if start == theirs]
        if before:
            return [event for event, _ in courses]
    return [event for event, start in courses if None in (start, day) or start <= day]


def prescription(analysis: Analysis, visit_id: str) -> tuple[float | None, tuple[Message, ...]]:
    """The prescribed dose in Gy as known on the day of a visit, with what must be said of it: the one that the dose's
    own course of radiotherapy states, else the one that its plan prescribes. None where there is none or several, and
    for a visit before that course."""
    visit = analysis.patient.visit(dose_visit(analysis, visit_id))
    day = analysis.patient.visit(visit_id).date
    courses = _courses(analysis, visit.date, day)
    starts = [event.date or event.end for event in courses]
    if day is not None and any(start is not None and start > day for start in starts):
        return None, ()
    stated = [event.details.get("dose_gray") for event in courses]
    planned = tuple(visit.of_role(NAME).acquisition.get(PRESCRIBED, ()))
    if len(stated) == 1 and stated[0]:
        dose = float(stated[0])
        differs = planned and abs(max(planned) - dose) > 0.01 * dose
        told = {"stated": dose, "planned": max(planned, default=0.0)}
        return dose, (Message("dose_prescription_differs", told),) if differs else ()
    if not any(stated) and len(planned) == 1 and planned[0] > 0:
        return float(planned[0]), ()
    several = ", ".join(f"{dose:g}" if dose else "?" for dose in (stated if any(stated) else planned))
    percent = {"percent": limit("high_dose_isodose")}
    unknown = Message("dose_prescriptions", {"doses": several, **percent})
    return None, (unknown if several else Message("dose_no_prescription", percent),)


def high_dose_level(analysis: Analysis, visit_id: str) -> tuple[float | None, tuple[Message, ...]]:
    """The dose in Gy from which tissue lies in the high-dose region, as known on the day of a visit, with what must be
    said; None where it is unknown, or where the map never reaches it."""
    visits, visit = _dose_visits(analysis, visit_id), dose_visit(analysis, visit_id)
    if not visit:
        several = {"count": len(visits), "file": ", ".join(visits)}
        return None, (Message("dose_several", several),) if visits else ()
    prescribed, said = prescription(analysis, visit_id)
    if prescribed is None:
        return None, said
    percent = limit("high_dose_isodose")
    level = prescribed * percent / 100
    highest = float(np.nanmax(analysis.maps[visit, NAME].array))
    told = {"prescribed": prescribed, "level": round(level, 1), "percent": percent}
    if highest < level:
        return None, (*said, Message("dose_below_prescription", {"highest": round(highest, 1), **told}))
    return level, (*said, Message("dose_used", {"visit": visit, **told}))


def dose_within(analysis: Analysis, visit_id: str, mask: np.ndarray) -> np.ndarray | None:
    """The dose in Gy at each voxel of a mask (bool ``(k, j, i)`` on a visit's T1CE), in the order of ``argwhere``; NaN
    beyond the dose's grid. None where no dose was known by then. Linear between the dose's voxels."""
    visit = dose_visit(analysis, visit_id)
    if not visit:
        return None
    dose, anatomy = analysis.maps[visit, NAME], analysis.images[visit_id, "T1CE"]
    to_dose = np.linalg.inv(analysis.series_to_visit[visit, NAME]) @ visit_to_visit(analysis, visit_id, visit)
    to_index = np.linalg.inv(dose.affine) @ to_dose @ anatomy.affine
    places = transform_points(to_index, np.argwhere(mask)[:, ::-1].astype(float))
    return ndimage.map_coordinates(dose.array, places.T[::-1], order=1, mode="constant", cval=np.nan)


def high_dose_within(analysis: Analysis, visit_id: str, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Which voxels of a mask lie in the high-dose region, and of which that is known: two bool ``(k, j, i)``, False
    beyond the mask. None where nothing can be told."""
    level = high_dose_level(analysis, visit_id)[0]
    doses = dose_within(analysis, visit_id, mask) if level is not None else None
    if doses is None:
        return None
    inside, known = np.zeros(mask.shape, bool), np.zeros(mask.shape, bool)
    known[mask] = np.isfinite(doses)
    inside[mask] = np.nan_to_num(doses, nan=0.0) >= level
    return inside, known


def remark(analysis: Analysis) -> None:
    """What the dose is used for, or why it is not, as known by the last visit, into the messages of its visit; what was
    said before goes. The lists are made anew: others may be reading them."""
    for visit, noted in analysis.messages.items():
        analysis.messages[visit] = [message for message in noted if message.code not in REMARKS]
    aligned = [visit for visit in analysis.patient.visits if visit.id in analysis.visit_to_reference]
    last = max(aligned, key=lambda visit: str(visit.date or ""), default=None)
    visits = _dose_visits(analysis, last.id) if last else []
    if visits:
        warn(analysis, visits[0], *high_dose_level(analysis, last.id)[1])


REMARKS = (
    "dose_used", "dose_prescription_differs", "dose_prescriptions", "dose_no_prescription", "dose_below_prescription",
    "dose_several",
)  # fmt: skip
