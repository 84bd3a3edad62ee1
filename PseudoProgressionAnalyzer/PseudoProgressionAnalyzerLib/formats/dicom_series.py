"""Frames of DICOM files into series, and the frames of a series into volumes in space and time.

Geometry: DICOM PS3.3 C.7.6.2.1.1. Slices are ordered along their normal, time points by what the header says about
time; the order of files on disk never matters.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from ..measures import Image, InputError, Message
from .dicom_files import DAY, UNDATED, DicomFile, Frame
from .images import ras_from_lps

# Direction cosines and positions are written with six or more decimals; what differs by more is another grid.
SAME_DIRECTION = 1e-3
SAME_PLACE = 0.05  # mm
# A slice that lies off its even place by more than this part of the spacing would be measured in the wrong place.
UNEVEN = 0.1
# More voxels than that do not fit into the memory of a clinical workstation (8 GiB as float32).
MOST_VOXELS = 2**31


@dataclass(frozen=True)
class Part:
    """Frames of one DICOM series that make one image or time series.

    key: what sets it apart from other parts of the same series (echo time, component, kind of image, matrix).
    """

    key: str
    headers: tuple[DicomFile, ...] = field(repr=False)
    frames: tuple[Frame, ...] = field(repr=False)

    @property
    def header(self) -> DicomFile:
        """The header of the part's first file."""
        return self.headers[0]

    @property
    def b_values(self) -> list[float]:
        """Diffusion weightings in s/mm2."""
        return sorted({frame.b_value for frame in self.frames if frame.b_value is not None})


@dataclass(frozen=True)
class Arrangement:
    """Where the frames of a part belong.

    frames: ``[time][k]``, or ``[time][0]`` for mosaics; shape: ``(k, j, i)`` or ``(time, k, j, i)``; affine: index to
    RAS mm; interval: s between time points, None when it is not known; labels: per time point, as BIDS names them.
    """

    frames: tuple[tuple[Frame, ...], ...] = field(repr=False)
    shape: tuple[int, ...]
    affine: np.ndarray
    interval: float | None
    labels: tuple[str, ...]
    notes: tuple[Message, ...]

    @property
    def grid(self) -> Image:
        """Shape and affine; the array is empty memory."""
        return Image(np.broadcast_to(np.zeros((), np.uint8), self.shape), self.affine)


def by_series(files: Iterable[DicomFile]) -> dict[str, list[DicomFile]]:
    """Files by series UID; a file that is there twice counts once."""
    series: dict[str, dict[str, DicomFile]] = {}
    for file in files:
        series.setdefault(file.series_uid, {}).setdefault(file.sop_uid, file)
    return {uid: list(members.values()) for uid, members in series.items()}


def split(files: list[DicomFile]) -> list[Part]:
    """The parts of one series: echoes, components and derived images apart, diffusion weightings together."""
    groups: dict[str, list[tuple[DicomFile, Frame]]] = {}
    for file in files:
        for frame in file.frames or ():
            groups.setdefault(_key(frame), []).append((file, frame))
    parts = []
    for key, members in groups.items():
        members.sort(key=lambda member: (member[1].instance, str(member[1].file), member[1].number))
        headers = tuple(dict.fromkeys(file.path for file, _ in members))
        first = {file.path: file for file, _ in members}
        parts.append(Part(key, tuple(first[path] for path in headers), tuple(frame for _, frame in members)))
    return sorted(parts, key=lambda part: part.key)


def _key(frame: Frame) -> str:
    echo = "" if frame.echo_time is None else f"TE {frame.echo_time * 1000:.4g} ms, "
    return f"{echo}{frame.component}, {'/'.join(frame.image_type)}, {frame.columns}x{frame.rows}"


def arrange(part: Part) -> Arrangement:
    """Slices in their places and time points in their order.

    Raises InputError: ``dicom_geometry``, ``dicom_orientations``, ``dicom_gantry_tilt``, ``dicom_missing_slices``,
    ``dicom_uneven_slices``, ``dicom_incomplete``, ``dicom_time_order``, ``dicom_time_points_missing``,
    ``dicom_too_large``; each names a file and the series.
    """
    name = {"file": str(part.header.path), "series": part.header.description or part.header.series_uid}
    for frame in part.frames:
        check_frame(frame, name)
    part = replace(part, frames=_past_midnight(part.frames))
    first = part.frames[0]
    rows, columns = first.rows, first.columns
    orientation = np.array(first.orientation)
    if any(np.abs(np.array(frame.orientation) - orientation).max() > SAME_DIRECTION for frame in part.frames):
        raise InputError("dicom_orientations", **name)
    if any(not np.allclose(frame.spacing, first.spacing, rtol=1e-3) for frame in part.frames):
        raise InputError("dicom_geometry", tag="PixelSpacing", **name)
    if first.mosaic is None:
        planes, origin, step = _planes(part, orientation, name)
    else:
        planes = [list(part.frames)]
        spacing = np.array(first.spacing)
        origin = first.mosaic.first_position(np.array(first.position), orientation, spacing, rows, columns)
        step = np.array(first.mosaic.normal) * (first.step or 0.0)
        if not first.step:
            raise InputError("dicom_geometry", tag="SpacingBetweenSlices", **name)
        rows, columns = rows // first.mosaic.side, columns // first.mosaic.side
    slices = first.mosaic.count if first.mosaic else len(planes)
    ordered, interval, notes = _in_time(part, planes, name)
    times = len(ordered)
    if times * slices * rows * columns > MOST_VOXELS:
        raise InputError("dicom_too_large", **name)
    affine = np.eye(4)
    affine[:3, 0] = orientation[:3] * first.spacing[1]
    affine[:3, 1] = orientation[3:] * first.spacing[0]
    affine[:3, 2] = step
    affine[:3, 3] = origin
    return Arrangement(
        frames=ordered,
        shape=(slices, rows, columns) if times == 1 else (times, slices, rows, columns),
        affine=ras_from_lps(affine),
        interval=interval if interval is not None else part.header.interval,
        labels=tuple(volume[0].label for volume in ordered),
        notes=notes,
    )


def check_frame(frame: Frame, name: dict[str, str]) -> None:
    """Raises InputError ``dicom_geometry`` when a frame does not say where it lies, or says it wrongly."""
    if frame.rows < 1 or frame.columns < 1:
        raise InputError("dicom_geometry", tag="Rows, Columns", **name)
    for tag in ("position", "orientation", "spacing"):
        if getattr(frame, tag) is None:
            raise InputError(
                "dicom_geometry", tag=f"Image{tag.capitalize()}" if tag != "spacing" else "PixelSpacing", **name
            )
    row, column = np.array(frame.orientation[:3]), np.array(frame.orientation[3:])
    perpendicular = abs(float(row @ column)) < 1e-2
    unit = abs(float(np.linalg.norm(row)) - 1) < 1e-2 and abs(float(np.linalg.norm(column)) - 1) < 1e-2
    if not (perpendicular and unit):
        raise InputError("dicom_geometry", tag="ImageOrientation", **name)
    if not all(0 < edge < 100 for edge in frame.spacing):
        raise InputError("dicom_geometry", tag="PixelSpacing", **name)


def _planes(
    part: Part, orientation: np.ndarray, name: dict[str, str]
) -> tuple[list[list[Frame]], np.ndarray, np.ndarray]:
    """Frames by slice along the normal, the first slice's position and the step from slice to slice (mm, LPS)."""
    normal = np.cross(orientation[:3], orientation[3:])
    by_distance = sorted(part.frames, key=lambda frame: float(np.dot(frame.position, normal)))
    planes: list[list[Frame]] = []
    places: list[float] = []
    for frame in by_distance:
        place = float(np.dot(frame.position, normal))
        if not places or place - places[-1] > SAME_PLACE:
            planes.append([])
            places.append(place)
        planes[-1].append(frame)
    counts = Counter(len(plane) for plane in planes)
    if len(counts) > 1:
        usual = max(counts)
        lacking = [number for number, plane in enumerate(planes, 1) if len(plane) < usual]
        raise InputError("dicom_incomplete", expected=usual, slices=len(lacking), of=len(planes), **name)
    first, last = np.array(planes[0][0].position), np.array(planes[-1][0].position)
    if len(planes) == 1:
        thickness = planes[0][0].step
        if not thickness or not 0 < thickness < 1000:
            raise InputError("dicom_geometry", tag="SliceThickness", **name)
        return planes, first, normal * thickness
    step = (last - first) / (len(planes) - 1)
    length = float(np.linalg.norm(step))
    gaps = np.diff(places)
    usual_gap = float(np.median(gaps))
    expected = np.array([first + number * step for number in range(len(planes))])
    found = np.array([plane[0].position for plane in planes])
    if np.abs((found - expected) @ normal).max() > UNEVEN * usual_gap:
        multiples = gaps / gaps.min()
        whole = np.abs(multiples - np.round(multiples)).max() < UNEVEN and gaps.max() > 1.5 * gaps.min()
        if whole:
            raise InputError("dicom_missing_slices", missing=int(np.round(multiples).sum()) - len(gaps), **name)
        raise InputError(
            "dicom_uneven_slices", smallest=round(float(gaps.min()), 2), largest=round(float(gaps.max()), 2), **name
        )
    stated = None if _numbered_without_gaps(part) else planes[0][0].gap  # some write the gap between slices alone
    if stated and round(length / stated) > 1 and abs(length / stated - round(length / stated)) < UNEVEN:
        missing = (round(length / stated) - 1) * (len(planes) - 1)
        raise InputError("dicom_missing_slices", missing=missing, **name)
    lean = math.degrees(math.acos(min(1.0, float(step @ normal) / length)))
    if lean > math.degrees(SAME_DIRECTION) * 5 or np.abs(found - expected).max() > max(UNEVEN * usual_gap, SAME_PLACE):
        raise InputError("dicom_gantry_tilt", degrees=round(lean, 1), **name)
    return planes, first, step


def _numbered_without_gaps(part: Part) -> bool:
    """Whether the instance numbers of all frames follow each other, so that none between them was lost."""
    numbers = {frame.instance for frame in part.frames}
    return len(numbers) == len(part.frames) == max(numbers) - min(numbers) + 1


def _past_midnight(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    """Frames whose times have no date, those after midnight a day later: no series lasts half a day."""
    times = [frame.acquired for frame in frames]
    if None in times or any(time // DAY != UNDATED for time in times) or max(times) - min(times) < DAY / 2:
        return frames
    noon = (UNDATED + 0.5) * DAY
    return tuple(replace(frame, acquired=frame.acquired + DAY * (frame.acquired < noon)) for frame in frames)


def _in_time(
    part: Part, planes: list[list[Frame]], name: dict[str, str]
) -> tuple[tuple[tuple[Frame, ...], ...], float | None, tuple[Message, ...]]:
    """Volumes ``[time][k]`` in acquisition order, the interval between them (s) and notes on the order."""
    if len(planes[0]) == 1:
        return (tuple(plane[0] for plane in planes),), None, ()
    usable = [clock for clock in ("temporal", "acquired", "trigger", "acquisition") if _tells_time(planes, clock)]
    notes: tuple[Message, ...] = ()
    if usable:
        ordered = _sorted(planes, usable[0])
        if usable[0] == "temporal":
            _check_all_there(part, planes, name)
            others = [clock for clock in ("acquired", "trigger") if clock in usable]
            if others and _sorted(planes, others[0]) != ordered:
                raise InputError("dicom_time_order", **name)
    else:
        if any(len({frame.instance for frame in plane}) < len(plane) for plane in planes):
            raise InputError("dicom_time_order", **name)
        ordered = _sorted(planes, "instance")
        notes = (Message("dicom_time_by_instance", dict(name)),)
    interval = None
    for clock in ("acquired", "trigger"):
        times = [getattr(frame, clock) for frame in ordered[0]]
        if None in times or len(set(times)) < len(times):
            continue
        steps = np.diff(np.array(times))
        rounded = 1.0 if all(time == round(time) for time in times) else 0.0  # a clock of whole seconds
        interval = float(np.mean(steps) if rounded else np.median(steps))
        # The clock of an uneven series cannot be told by one number.
        if np.abs(steps - interval).max() > max(0.25 * interval, rounded):
            notes += (
                Message(
                    "dicom_uneven_times",
                    {**name, "smallest": round(float(steps.min()), 2), "largest": round(float(steps.max()), 2)},
                ),
            )
        break
    return tuple(zip(*ordered, strict=True)), interval, notes


def _tells_time(planes: list[list[Frame]], clock: str) -> bool:
    """Whether a clock sets the frames of every slice apart, together with label or control."""
    values = [[(getattr(frame, clock), frame.label) for frame in plane] for plane in planes]
    if any(value is None for plane in values for value, _ in plane):
        return False
    if any(len(set(plane)) < len(plane) for plane in values):
        return False
    if all(len({value for value, _ in plane}) == 1 for plane in values):
        return False
    counted = clock in ("temporal", "acquisition")
    return not counted or all(set(plane) == set(values[0]) for plane in values)


def _sorted(planes: list[list[Frame]], clock: str) -> list[list[Frame]]:
    return [sorted(plane, key=lambda frame: (getattr(frame, clock), frame.instance)) for plane in planes]


def _check_all_there(part: Part, planes: list[list[Frame]], name: dict[str, str]) -> None:
    """Refuses a series that lacks whole time points: its time axis would be wrong."""
    there = {frame.temporal for frame in planes[0]}
    expected = max(part.header.temporal_positions or 0, max(there) - min(there) + 1)
    if len(there) < expected:
        raise InputError("dicom_time_points_missing", there=len(there), expected=expected, **name)
