"""Everything that the main job leaves in its output folder, written together or not at all."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from ..analysis import Analysis
from ..analysis.known import known_analysis
from ..analysis.lesion_rows import lesion_rows
from ..formats.images import write_image
from ..measures import DISCLAIMER, Image, Message
from ..patient.shown_path import shown_path
from . import assessment_json, html, measurements_csv, timeline_png, words, writing
from .canvas import png

ANONYMOUS = "anonymous"
_DRAWN, _PAGE = 0.3, 0.3
"""Shares of the time that the timeline and the page take; the rest are maps."""


def check_output(folder: Path, overwrite: bool = False) -> None:
    """Whether results may be written here, asked before anything is computed; errors as ``writing.check_folder``."""
    writing.check_folder(folder, overwrite)


def shown_analysis(analysis: Analysis, show_patient: bool = False) -> Analysis:
    """The analysis as it may leave the house: unless show_patient without the patient's id, with files by their name
    and the date of their study alone (folders may name the patient), and without the series' own identifiers."""
    if show_patient:
        return analysis
    patient = dataclasses.replace(_without_places(analysis.patient), id=ANONYMOUS)
    for visit in patient.visits:
        for series in (*visit.series, *visit.set_aside):
            series.uid = series.description = ""
    return dataclasses.replace(analysis, patient=patient, messages=_without_places(analysis.messages))


def _without_places(value: Any) -> Any:
    """A copy of a dataclass, or of anything made of them, in which paths are what ``shown_path`` tells of them."""
    if isinstance(value, Message):
        return Message(value.code, words.shown_parameters(value))
    if isinstance(value, Path):
        return Path(shown_path(value))
    if dataclasses.is_dataclass(value):
        fields = dataclasses.fields(value)
        return dataclasses.replace(
            value, **{field.name: _without_places(getattr(value, field.name)) for field in fields}
        )
    if isinstance(value, dict):
        return {name: _without_places(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_without_places, value))
    return value


def write_results(
    analysis: Analysis,
    folder: Path,
    overwrite: bool = False,
    show_patient: bool = False,
    language: str = "english",
    pictures: timeline_png.Pictures | None = None,
    also: Callable[[Analysis, Path], None] | None = None,
    as_of: str = "",
    done: Callable[[float], None] = lambda share: None,
) -> list[Path]:
    """Writes report, timeline, tables and maps into a folder; returns where they stand.

    The patient is left out unless show_patient (``shown_analysis``). pictures: what the timeline's cells show. also: is
    given the shown analysis and the folder in which everything is put together, and may add files of its own. as_of:
    the visit whose assessment the report opens with, the latest unless said; of an earlier one nothing later is in any
    of the files (``analysis.known``). done: is told the share (0 to 1) that is finished; what it raises ends the work.

    Raises InputError ``unknown_visit`` and as ``writing.check_folder``; the folder is then, and after any other error,
    as it was before.
    """
    shown, not_used, pictures = _of_then(analysis, as_of, pictures)
    shown = shown_analysis(shown, show_patient)
    title = shown.patient.id if show_patient else None
    with writing.staged(folder, overwrite) as stage:
        timeline, strip = _timeline(shown, title, language, pictures, not_used, lambda share: done(_DRAWN * share))
        if timeline is not None:
            writing.write_file(stage / "timeline.png", timeline)
        done(_DRAWN)
        text = html.page(shown, timeline, title, language, as_of, not_used, strip)
        writing.write_file(stage / "report.html", text)
        done(_DRAWN + _PAGE)
        measurements_csv.write(shown.patient, [*shown.measurements, *lesion_rows(shown)], stage / "measurements.csv")
        assessment_json.write(shown, stage / writing.MARK, language, as_of, not_used)
        before = _DRAWN + _PAGE
        _write_maps(shown, stage / "maps", lambda share: done(before + share * (1 - before)))
        if also is not None:
            also(shown, stage)
        written = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    placed = [folder / path for path in written]
    _remove_stale(folder, placed)
    return placed


def page(
    analysis: Analysis,
    show_patient: bool = False,
    language: str = "english",
    pictures: timeline_png.Pictures | None = None,
    as_of: str = "",
    done: Callable[[float], None] = lambda share: None,
) -> str:
    """The page of ``report.html`` as text; arguments as ``write_results``."""
    shown, not_used, pictures = _of_then(analysis, as_of, pictures)
    shown = shown_analysis(shown, show_patient)
    title = shown.patient.id if show_patient else None
    timeline, strip = _timeline(shown, title, language, pictures, not_used, lambda share: done(0.6 * share))
    done(0.6)
    text = html.page(shown, timeline, title, language, as_of, not_used, strip)
    done(1.0)
    return text


def _timeline(
    shown: Analysis,
    title: str | None,
    language: str,
    pictures: timeline_png.Pictures | None,
    not_used: int,
    done: Callable[[float], None],
) -> tuple[bytes | None, bytes | None]:
    """The PNG of the timeline and of its strip for the first page, None where nothing is aligned."""
    if (shown.reference_visit, "T1CE") not in shown.images:
        return None, None
    sheet = timeline_png.sheet(shown, title, language, pictures, not_used, done)
    return png(sheet.draw()), png(sheet.draw_strip())


def _of_then(
    analysis: Analysis, as_of: str, pictures: timeline_png.Pictures | None
) -> tuple[Analysis, int, timeline_png.Pictures | None]:
    """(what was known by a visit, how many visits that leaves out, the pictures in its space)."""
    known, not_used = known_analysis(analysis, as_of)
    if pictures is not None and known.reference_visit != analysis.reference_visit and known.reference_visit:
        pictures = _Moved(pictures, analysis.visit_to_reference[known.reference_visit])
    return known, not_used, pictures


class _Moved:
    """Pictures of planes that are given in the space of another visit. to_reference: 4x4, its RAS to the pictures'."""

    def __init__(self, pictures: timeline_png.Pictures, to_reference: np.ndarray):
        self.pictures, self.to_reference = pictures, to_reference

    def cell(self, visit: str, image: str, plane: Image) -> np.ndarray | None:
        """As ``Pictures.cell``."""
        moved = dataclasses.replace(plane, affine=self.to_reference @ plane.affine)
        return self.pictures.cell(visit, image, moved)


def _remove_stale(folder: Path, placed: list[Path]) -> None:
    """Takes away what an earlier result left here and this one does not have; other people's files stay."""
    for name in ("timeline.png", "scene.mrb", "report.pdf"):
        if folder / name not in placed:
            (folder / name).unlink(missing_ok=True)
    for sidecar in (folder / "maps").glob("*.json"):
        if sidecar not in placed and DISCLAIMER in sidecar.read_text(encoding="utf-8", errors="replace"):
            for ending in (".json", ".nii.gz", "_trusted.nii.gz"):
                sidecar.with_name(sidecar.stem + ending).unlink(missing_ok=True)


def _write_maps(analysis: Analysis, folder: Path, done: Callable[[float], None]) -> None:
    """Every map on its own grid with a sidecar that says what it holds, and beside it where it can be trusted.

    Untrusted voxels hold NaN. ITK reads that as 0, hence the mask.
    """
    if analysis.maps:
        folder.mkdir()
    stems: list[str] = []
    for number, ((visit, name), map_) in enumerate(analysis.maps.items()):
        done(number / len(analysis.maps))
        stem = writing.plain_name(f"{visit}_{name}", stems)  # a visit's id may hold what a file name may not
        stems.append(stem)
        trusted = np.isfinite(map_.array) & (True if map_.quality is None else map_.quality)
        write_image(
            Image(np.where(trusted, map_.array, np.nan).astype(np.float32), map_.affine), folder / f"{stem}.nii.gz"
        )
        write_image(Image(trusted, map_.affine), folder / f"{stem}_trusted.nii.gz")
        sidecar = {
            "Disclaimer": DISCLAIMER,
            "Name": name,
            "Visit": visit,
            "Units": map_.unit,
            "Method": map_.method,
            "RatioKind": ratio_kind(name),
            "Trusted": f"{stem}_trusted.nii.gz",
            "Remarks": [words.sentence(flag) for flag in map_.flags],
        }
        writing.write_file(folder / f"{stem}.json", json.dumps(sidecar, indent=2) + "\n")


def ratio_kind(name: str) -> str | None:
    """What a map is a ratio of: amounts, peak areas, or the value in the reference tissue; None for other maps."""
    endings = {"molar": "molar", "area": "area", "ratio": "reference"}
    return endings.get(name.rsplit("_", 1)[-1])
