"""Every DICOM series and every image of the reference data: its role with the reason, and whether it loads.

Run ``python Testing/Benchmarks/roles.py``. DICOM files are judged by their headers, images by their names (files of
data sets that name nothing have no role by themselves: a user would state it). The last column is the shape that was
read with all pixels, or the sentence that refuses the file.
"""

from __future__ import annotations

import os
from pathlib import Path

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.formats.dicom_files import dicom_paths, read_dicom_file
from PseudoProgressionAnalyzerLib.formats.dicom_pixels import read_arranged
from PseudoProgressionAnalyzerLib.formats.dicom_segments import SEGMENTATIONS, read_segment
from PseudoProgressionAnalyzerLib.formats.dicom_series import arrange, by_series, split
from PseudoProgressionAnalyzerLib.formats.images import SUFFIXES, read_image
from PseudoProgressionAnalyzerLib.formats.sidecars import stem
from PseudoProgressionAnalyzerLib.measures import InputError, Message
from PseudoProgressionAnalyzerLib.patient.bids import ROLES as BIDS
from PseudoProgressionAnalyzerLib.patient.bids import entities
from PseudoProgressionAnalyzerLib.patient.roles import region_of_name, role_of_name
from PseudoProgressionAnalyzerLib.patient.series_roles import guess_role

PROJECT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("PPA_REFERENCE_DATA", PROJECT.parent / "shared" / "data"))
PARTS = ("longitudinal", "perfusion")


def row(name: str, role: str, confidence: float | None, reason: Message, loaded: str) -> None:
    """One line of the table."""
    sure = "" if confidence is None else f"{confidence:.2f}"
    print(f"{name} | {role or '-'} | {sure} | {texts.sentence(reason)} | {loaded}", flush=True)


def short(path: Path) -> str:
    """A path below the reference data."""
    return path.relative_to(DATA).as_posix()


def dicom_rows(folder: Path) -> None:
    """The DICOM series below a folder."""
    files = []
    for path in dicom_paths(folder):
        try:
            files.append(read_dicom_file(path))
        except InputError as error:
            row(short(path), "", None, error.message, "not read")
    for series in by_series(files).values():
        first = series[0]
        if first.sop_class in SEGMENTATIONS:
            for number, label in first.segments:
                reason = Message("role_from_name", {"name": label, "role": "segmentation"})
                row(f"{short(first.path)} segment {number}", "segmentation", None, reason, own_grid(first.path, number))
            continue
        parts = split(series)
        if not parts:
            reason = Message("series_no_image", {"series": first.description or first.sop_class})
            row(short(first.path), "", None, reason, f"{len(series)} files, no image")
        for part in parts:
            arranged, loaded = None, ""
            try:
                arranged = arrange(part)
                loaded = " x ".join(map(str, read_arranged(arranged, True).shape))
            except InputError as error:
                loaded = texts.sentence(error.message)
            guess = guess_role(part, arranged)
            where = short(first.path.parent if len(series) > 1 else first.path)
            name = f"{where} ({part.header.description or part.header.protocol or part.header.series_number})"
            row(name, guess.role, guess.confidence, guess.reason, loaded)


def own_grid(path: Path, number: int) -> str:
    """That a segment can be refused or read only on an image: here there is none."""
    try:
        read_segment(path, number, read_image(path))
    except InputError as error:
        return texts.sentence(error.message)
    return "read"


def image_rows(folder: Path) -> None:
    """The NIfTI and NRRD images below a folder."""
    for path in sorted(folder.rglob("*")):
        if not path.name.lower().endswith(SUFFIXES):
            continue
        name = stem(path)
        role, reason = region_of_name(name), Message("role_from_name", {"name": name, "role": region_of_name(name)})
        if role is None:
            role, reason = role_of_name(name)
        if role is None and (bids := BIDS.get(entities(name)[1])):
            role, reason = bids, Message("role_from_name", {"name": name, "role": bids})
        try:
            loaded = " x ".join(map(str, read_image(path).array.shape))
        except InputError as error:
            loaded = texts.sentence(error.message)
        row(short(path), role or "", None, reason, loaded)


def main() -> None:
    if not DATA.is_dir():
        print("The reference data are missing; set PPA_REFERENCE_DATA.")
        return
    print("file | role | confidence | reason | read as")
    for part in PARTS:
        dicom_rows(DATA / part)
        image_rows(DATA / part)


if __name__ == "__main__":
    main()
