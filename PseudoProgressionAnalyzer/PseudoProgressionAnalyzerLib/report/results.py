"""Everything that the main job leaves in its output folder, written together or not at all."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path

import numpy as np

from ..analysis import Analysis
from ..formats.images import write_image
from ..measures import DISCLAIMER, Image
from . import assessment_json, html, measurements_csv, timeline_png, words, writing
from .canvas import png

ANONYMOUS = "anonymous"


def check_output(folder: Path, overwrite: bool = False) -> None:
    """Whether results may be written here, asked before anything is computed; errors as ``writing.check_folder``."""
    writing.check_folder(folder, overwrite)


def write_results(
    analysis: Analysis,
    folder: Path,
    overwrite: bool = False,
    show_patient: bool = False,
    language: str = "english",
) -> list[Path]:
    """Writes report, timeline, tables and maps into a folder; returns where they stand.

    The patient's id is left out unless show_patient. Raises InputError as ``writing.check_folder``; the folder is then,
    and after any other error, as it was before.
    """
    patient = analysis.patient if show_patient else dataclasses.replace(analysis.patient, id=ANONYMOUS)
    shown = dataclasses.replace(analysis, patient=patient)
    title = patient.id if show_patient else None
    with writing.staged(folder, overwrite) as stage:
        timeline = None
        if (analysis.reference_visit, "T1CE") in analysis.images:
            timeline = png(timeline_png.picture(shown, title, language))
            writing.write_file(stage / "timeline.png", timeline)
        html.write(shown, stage / "report.html", timeline, title, language)
        measurements_csv.write(patient, analysis.measurements, stage / "measurements.csv")
        assessment_json.write(shown, stage / writing.MARK, language)
        _write_maps(analysis, stage / "maps")
        written = sorted(path.relative_to(stage) for path in stage.rglob("*") if path.is_file())
    placed = [folder / path for path in written]
    _remove_stale(folder, placed)
    return placed


def _remove_stale(folder: Path, placed: list[Path]) -> None:
    """Takes away what an earlier result left here and this one does not have; other people's files stay."""
    if folder / "timeline.png" not in placed:
        (folder / "timeline.png").unlink(missing_ok=True)
    for sidecar in (folder / "maps").glob("*.json"):
        if sidecar not in placed and DISCLAIMER in sidecar.read_text(encoding="utf-8", errors="replace"):
            for ending in (".json", ".nii.gz", "_trusted.nii.gz"):
                sidecar.with_name(sidecar.stem + ending).unlink(missing_ok=True)


def _write_maps(analysis: Analysis, folder: Path) -> None:
    """Every map on its own grid with a sidecar that says what it holds, and beside it where it can be trusted.

    Untrusted voxels hold NaN. ITK reads that as 0, hence the mask.
    """
    if analysis.maps:
        folder.mkdir()
    for (visit, name), map_ in analysis.maps.items():
        stem = re.sub(r"[^\w.-]+", "_", f"{visit}_{name}")  # a visit's id may hold what a file name may not
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
