"""Radiotherapy dose in a visit, and the high-dose region that the rules of the first 12 weeks ask for.

The high-dose region is what lies within the 80 % isodose (``response/published.json``, rule 1.30). The source does not
say of what: here it is 80 % of the prescribed dose. Where no dose can be told, nothing is inside and nothing outside.
"""

from __future__ import annotations

import numpy as np
from scipy import ndimage

from ..imaging.resampling import transform_points
from ..measures import InputError, Map, Message
from ..patient.dose import ALIGNED, PRESCRIBED, TRANSFORM
from ..response.published import limit
from . import Analysis
from .aligning import visit_to_visit
from .reading import voxels_of, warn

NAME = "RTDOSE"
UNIT = "Gy"
UNITS = ("GY", "GRAY")
HIGHEST = 200.0
"""Gy above which no treatment of a glioma reaches, even after two courses: then the units are wrong. Own choice."""


def read_dose_map(analysis: Analysis, visit_id: str) -> None:
    """The map ``RTDOSE`` (Gy) of a visit that has a dose, on its own grid; absent with its reason where it cannot be
    used: ``dose_units``, ``dose_implausible``, and as ``voxels_of``."""
    analysis.maps.pop((visit_id, NAME), None)
    analysis.absent.pop((visit_id, NAME), None)
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
    except InputError as error:
        analysis.absent[visit_id, NAME] = (error.message,)
        warn(analysis, visit_id, error.message)
        return
    kind = str(series.acquisition.get("DoseType", "")).lower()
    method = f"planned dose{f', {kind}' if kind else ''}"
    analysis.maps[visit_id, NAME] = Map(image.array.astype(np.float32), image.affine, NAME, UNIT, method)
    to_image = np.array(series.acquisition.get(TRANSFORM, np.eye(4)), float)
    to_visit = analysis.series_to_visit.get((visit_id, series.acquisition.get(ALIGNED, "T1CE")), np.eye(4))
    analysis.series_to_visit[visit_id, NAME] = to_visit @ to_image


def dose_visit(analysis: Analysis) -> str:
    """The visit with the dose map; empty where there is none, or where several visits have one."""
    found = _dose_visits(analysis)
    return found[0] if len(found) == 1 else ""


def _dose_visits(analysis: Analysis) -> list[str]:
    return [visit for visit, name in analysis.maps if name == NAME and visit in analysis.visit_to_reference]


def prescription(analysis: Analysis) -> tuple[float | None, tuple[Message, ...]]:
    """The prescribed dose in Gy with what must be said of it: the one dose that events of radiotherapy state, else the
    one that the dose's own plan prescribes; None where there is none, or several."""
    stated = {
        float(event.details["dose_gray"])
        for event in analysis.patient.events
        if event.kind == "radiotherapy" and event.details.get("dose_gray")
    }
    visit = dose_visit(analysis)
    series = analysis.patient.visit(visit).of_role(NAME) if visit else None
    planned = tuple(series.acquisition.get(PRESCRIBED, ())) if series is not None else ()
    if len(stated) == 1:
        dose = stated.pop()
        differs = planned and abs(max(planned) - dose) > 0.01 * dose
        told = {"stated": dose, "planned": max(planned, default=0.0)}
        return dose, (Message("dose_prescription_differs", told),) if differs else ()
    if not stated and len(planned) == 1 and planned[0] > 0:
        return float(planned[0]), ()
    several = ", ".join(f"{dose:g}" for dose in sorted(stated or planned))
    return None, (Message("dose_prescriptions", {"doses": several}) if several else Message("dose_no_prescription"),)


def high_dose_level(analysis: Analysis) -> tuple[float | None, tuple[Message, ...]]:
    """The dose in Gy from which tissue lies in the high-dose region, with what must be said; None where it is unknown,
    or where the map never reaches it."""
    visits, visit = _dose_visits(analysis), dose_visit(analysis)
    if not visit:
        several = {"count": len(visits), "file": ", ".join(visits)}
        return None, (Message("dose_several", several),) if visits else ()
    prescribed, said = prescription(analysis)
    if prescribed is None:
        return None, said
    level = prescribed * limit("high_dose_isodose") / 100
    highest = float(np.nanmax(analysis.maps[visit, NAME].array))
    if highest < level:
        reached = {"highest": round(highest, 1), "prescribed": prescribed, "level": round(level, 1)}
        return None, (*said, Message("dose_below_prescription", reached))
    used = {"visit": visit, "prescribed": prescribed, "level": round(level, 1), "percent": limit("high_dose_isodose")}
    return level, (*said, Message("dose_used", used))


def dose_within(analysis: Analysis, visit_id: str, mask: np.ndarray) -> np.ndarray | None:
    """The dose in Gy at each voxel of a mask (bool ``(k, j, i)`` on a visit's T1CE), in the order of ``argwhere``; NaN
    beyond the dose's grid. None where the patient has no dose. Linear between the dose's voxels."""
    visit = dose_visit(analysis)
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
    level = high_dose_level(analysis)[0]
    doses = dose_within(analysis, visit_id, mask) if level is not None else None
    if doses is None:
        return None
    inside, known = np.zeros(mask.shape, bool), np.zeros(mask.shape, bool)
    known[mask] = np.isfinite(doses)
    inside[mask] = np.nan_to_num(doses, nan=0.0) >= level
    return inside, known


def remark(analysis: Analysis) -> None:
    """What the dose is used for, or why it is not, into the messages of its visit; what was said before goes."""
    visits = _dose_visits(analysis)
    for noted in analysis.messages.values():
        noted[:] = [message for message in noted if message.code not in REMARKS]
    if visits:
        warn(analysis, visits[0], *high_dose_level(analysis)[1])


REMARKS = (
    "dose_used", "dose_prescription_differs", "dose_prescriptions", "dose_no_prescription", "dose_below_prescription",
    "dose_several",
)  # fmt: skip
