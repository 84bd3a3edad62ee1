"""What DICOM headers contradict each other in: whose images these are, when they were acquired, what is there twice."""

from __future__ import annotations

import datetime
from collections.abc import Iterable

import numpy as np

from ..formats.dicom_files import DicomFile
from ..formats.dicom_pixels import read_arranged, stored_frames
from ..formats.dicom_series import Arrangement, Part
from ..formats.images import same_grid
from ..measures import InputError, Message, Visit

SCANNED = ("MR", "PT")
"""Modalities whose headers come from a scanner; what was made of images later may call a person otherwise."""
NEXT_DAY = 1  # day by which images may be later than their study: it may run beyond midnight


def other_person(visit: Visit, files: Iterable[DicomFile], every: Iterable[DicomFile]) -> list[Message]:
    """That name or sex in a visit's files differ from the first ones of the folder (every): one id may have been given
    to two people. A name of which words are missing is the same name. Names are never shown."""
    images = [file for file in every if file.modality in SCANNED]
    named = next((file for file in images if file.name), None)
    sexed = next((file for file in images if file.sex), None)
    for file in (file for file in files if file.modality in SCANNED):
        other = {}
        if file.name and not (file.name <= named.name or file.name >= named.name):
            other["name"] = named
        if file.sex and file.sex != sexed.sex:
            other["sex"] = sexed
        if other:
            first = next(iter(other.values())).path
            told = {"visit": visit.id, "fields": ", ".join(other), "file": str(file.path), "first_file": str(first)}
            return [Message("person_differs", told)]
    return []


def other_date(visit: Visit, date: datetime.date | None, files: Iterable[DicomFile]) -> list[Message]:
    """That a study of this date holds no image that was acquired then, unless the user stated the visit's date so."""
    days = [file.acquired for file in files if file.acquired and not file.dates_removed]
    if not days or date is None or visit.date is None:
        return []
    nearest = min(days, key=lambda day: abs((day - date).days))
    if min(abs((nearest - day).days) for day in (date, visit.date)) <= NEXT_DAY:
        return []
    told = {"visit": visit.id, "date": date.isoformat(), "acquired": nearest.isoformat()}
    return [Message("study_date_differs", told)]


def same_images(one: tuple[Part, Arrangement], other: tuple[Part, Arrangement]) -> bool:
    """Whether two series hold the same values in the same places, acquired at the same time; voxels are read only where
    headers do not tell them apart."""
    parts, arranged = zip(one, other, strict=True)
    started = {part.header.started for part in parts} - {None}
    if parts[0].key != parts[1].key or len(started) > 1 or arranged[0].shape != arranged[1].shape:
        return False
    if not same_grid(arranged[0].grid, arranged[1].grid):
        return False
    times, slices = len(arranged[0].frames), len(arranged[0].frames[0])
    frames = [one.frames[times // 2][slices // 2] for one in arranged]
    try:  # most that differ are told apart by one frame
        if not np.array_equal(*(stored_frames(frame.file)[frame.number] for frame in frames)):
            return False
        return np.array_equal(*(read_arranged(one, quantity=False) for one in arranged))
    except InputError:  # said where the series is read
        return False
