"""Where every series of a visit lies on the visit's T1CE: the head moves between series, and within long ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..formats.images import same_grid
from ..formats.series import read_series_header
from ..imaging.head import Head
from ..imaging.motion import LEAST, Motion, find_motion, without_motion
from ..imaging.resampling import resample
from ..imaging.within import place_series
from ..measures import Image, InputError, Message, Series
from ..spectroscopy.result import Fit
from . import Analysis
from .reading import ANATOMICAL, voxels_of, warn

SOURCES = {"rCBV": "DSC", "sRCBV": "DSC", "CBF": "ASL"}
"""Maps that may have been made elsewhere from a time series that is here too."""
FEWEST_FRAMES = 3  # that motion can be told from


def place_images(
    analysis: Analysis,
    visit_id: str,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> None:
    """Registers the visit's other anatomical images to its T1CE; the header stays where nothing better was found."""
    tell = progress or (lambda share: None)
    roles = [role for role in ANATOMICAL if role != "T1CE" and (visit_id, role) in analysis.images]
    anatomy = _head(analysis, visit_id) if roles else None
    for number, role in enumerate(roles):
        try:
            placed = place_series(
                anatomy,
                analysis.images[visit_id, role],
                name=role,
                progress=lambda share, number=number: tell((number + share) / len(roles)),
                cancelled=cancelled,
            )
        except InputError as error:
            warn(analysis, visit_id, Message("series_not_placed", {"series": role}), error.message)
            continue
        analysis.series_to_visit[visit_id, role] = placed.series_to_visit
        warn(analysis, visit_id, *placed.flags)


def image_on_visit(analysis: Analysis, visit_id: str, role: str) -> Image | None:
    """An anatomical image in the RAS space of its visit's T1CE, on its own voxels; None where there is none."""
    image = analysis.images.get((visit_id, role))
    if image is None:
        return None
    return Image(image.array, analysis.series_to_visit.get((visit_id, role), np.eye(4)) @ image.affine)


def voxel_at(
    analysis: Analysis, visit_id: str, role: str, grid: Image | Fit, point: np.ndarray
) -> tuple[int, int, int] | None:
    """The voxel ``(k, j, i)`` of a grid of a visit's series that a point lies in (RAS mm of the reference visit, of the
    visit where that is not aligned yet); None outside."""
    to_reference = analysis.visit_to_reference.get(visit_id, np.eye(4)) @ analysis.series_to_visit[visit_id, role]
    index = np.linalg.inv(to_reference @ grid.affine) @ np.array([*point[:3], 1.0])
    voxel = tuple(int(place) for place in np.floor(index[2::-1] + 0.5))
    return voxel if all(0 <= v < n for v, n in zip(voxel, grid.shape, strict=True)) else None


def read_time_series(
    analysis: Analysis,
    visit_id: str,
    series: Series,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Image:
    """The voxels ``(time, k, j, i)`` of a time series without the head's motion, placed on the visit's T1CE.

    Sets ``series_to_visit[visit, role]`` and ``curves[visit, role + "_motion"]``: ``time`` (s; frame numbers where the
    header does not say), ``shift`` (mm, ``(time, 3)`` to the right, front and top), ``turn`` (degrees, ``(time, 3)``
    about the right, front and top axis), ``centre`` (RAS mm, what turns are about) and ``displacement`` (mean of the
    brain, mm). The motion is shown and taken out, not judged. Found once: what stands there already is used again.
    Raises InputError ``not_a_time_series``, and as ``voxels_of``.
    """
    tell, role = progress or (lambda share: None), series.role
    image = voxels_of(analysis, series)
    if image.array.ndim != 4:
        raise InputError("not_a_time_series", file=str(series.path), role=role)
    known = analysis.curves.get((visit_id, f"{role}_motion"))
    if known is not None and len(known["shift"]) == len(image.array) and (visit_id, role) in analysis.series_to_visit:
        found = Motion.of(known["shift"], known["turn"], known["centre"], np.array([known["centre"]]))
        return without_motion(image, found, displacement=known["displacement"])
    try:
        still, flags = _placed(analysis, visit_id, series, image, tell, cancelled)
    except InputError as error:
        analysis.series_to_visit[visit_id, role] = np.eye(4)
        still, flags = image, (Message("series_not_placed", {"series": role}), error.message)
    warn(analysis, visit_id, *flags)
    tell(1.0)
    return still


def _placed(analysis, visit_id, series, image, tell, cancelled) -> tuple[Image, tuple[Message, ...]]:
    """The series without motion, with what is to be said of it. Raises InputError where nothing can be told."""
    anatomy, role = _head(analysis, visit_id), series.role

    def place(mean: Image, begin: float, end: float) -> tuple[Message, ...]:
        placed = place_series(
            anatomy,
            mean,
            name=role,
            progress=lambda share: tell(begin + (end - begin) * share),
            cancelled=cancelled,
        )
        analysis.series_to_visit[visit_id, role] = placed.series_to_visit
        return placed.flags

    flags = place(_mean(image), 0.0, 0.15)
    to_series = np.linalg.inv(analysis.series_to_visit[visit_id, role])
    brain = resample(anatomy.brain, _mean(image), to_series, interpolation="nearest").array
    if len(image.array) < FEWEST_FRAMES or not brain.any():
        return image, flags
    motion = find_motion(image, brain, progress=lambda share: tell(0.15 + 0.65 * share), cancelled=cancelled)
    spacing = series.acquisition.get("RepetitionTime")
    analysis.curves[visit_id, f"{role}_motion"] = {
        "time": np.arange(len(image.array)) * float(spacing or 1.0),
        "shift": motion.shifts,
        "turn": motion.turns,
        "centre": motion.centre,
        "displacement": motion.displacement,
    }
    still = without_motion(image, motion)
    if still is not image:
        flags = place(_mean(still), 0.85, 1.0)
        told = {"series": role, "largest": float(motion.displacement.max()), "least": LEAST}
        told |= {"moved": int((motion.displacement > LEAST).sum()), "frames": len(image.array)}
        flags = (*flags, Message("series_motion", told))
    return still, flags


def map_to_visit(analysis: Analysis, visit_id: str, given: Series) -> np.ndarray:
    """4x4 of a map that was made elsewhere: that of its source series where it lies on the same voxels, else the
    header's, the identity."""
    role = SOURCES.get(given.role, "")
    to_visit = analysis.series_to_visit.get((visit_id, role))
    source = analysis.patient.visit(visit_id).of_role(role)
    if to_visit is None or source is None or np.array_equal(to_visit, np.eye(4)):
        return np.eye(4)
    return to_visit if same_grid(read_series_header(given), read_series_header(source)) else np.eye(4)


def _head(analysis: Analysis, visit_id: str) -> Head:
    return Head(analysis.images[visit_id, "T1CE"], analysis.brains[visit_id])


def _mean(series: Image) -> Image:
    total = np.zeros(series.shape, dtype=np.float32)
    for frame in series.array:
        total += np.nan_to_num(frame, nan=0.0, posinf=0.0, neginf=0.0)
    return Image(total / np.float32(len(series.array)), series.affine)
