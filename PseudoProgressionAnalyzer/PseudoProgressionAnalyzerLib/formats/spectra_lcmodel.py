"""Files of LCModel: spectra (RAW, H2O) and results of fits made elsewhere (COORD, TABLE, CSV).

Source: LCModel and LCMgui user's manual, sections 5 and 11.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..measures import InputError, Spectra
from .spectra_fields import needed
from .spectra_geometry import nowhere

NUMBER = r"[-+]?\d+\.?\d*(?:[Ee][-+]?\d+)?"
CONCENTRATION = re.compile(rf"^\s*({NUMBER})\s+(\d+)%\s+({NUMBER})\s*(\S+)\s*$")


@dataclass(frozen=True)
class FitElsewhere:
    """amplitude and error (standard deviation, %) by name; curves on the ppm axis where the file holds them."""

    amplitude: dict[str, float]
    error: dict[str, float]
    ppm: np.ndarray | None = None
    data: np.ndarray | None = None
    fit: np.ndarray | None = None
    baseline: np.ndarray | None = None


def read(path: Path, *, dwell_time: float | None = None, frequency: float | None = None) -> Spectra:
    """The spectrum of a RAW or H2O file, which has no place and seldom states dwell time (s) and frequency (MHz).

    Raises InputError ``spectra_fields`` where the frequency is missing, ``spectra_field``, ``spectra_dwell_time`` where
    no dwell time is known, ``spectra_unreadable``.
    """
    text = path.read_text(encoding="latin-1")
    head, _, body = text.rpartition("$END")
    fields = {name.lower(): value.strip("' ") for name, value in re.findall(r"(\w+)\s*=\s*('[^']*'|[^\s,$]+)", head)}
    try:
        values = np.array(body.split(), float)
        fid = values.reshape(-1, 2) @ np.array([1, 1j])
    except ValueError as error:
        raise InputError("spectra_unreadable", file=str(path), detail="values are not pairs of numbers") from error
    frequency = frequency or needed(path, fields, "hzpppm")
    dwell_time = dwell_time or (needed(path, fields, "deltat") if fields.get("deltat") else None)
    if dwell_time is None:
        raise InputError("spectra_dwell_time", file=str(path))
    return Spectra(
        fid[None, None, None].astype(np.complex64),
        dwell_time,
        frequency,
        needed(path, fields, "echot") * 1e-3 if fields.get("echot") else None,
        "1H",
        nowhere(),
        sequence=fields.get("seq", "") if fields.get("seq", "") in ("PRESS", "STEAM") else "",
    )


def read_results_of(path: Path) -> dict[str, FitElsewhere]:
    """The results in a COORD, TABLE or CSV file, by voxel in words (empty where there is one).

    Raises InputError ``spectra_unreadable``.
    """
    if path.suffix.lower() != ".csv":
        return {"": read_result(path)}
    found = read_results(path)
    single = len(found) == 1
    return {"" if single else f"row {row}, column {column}": one for (row, column), one in found.items()}


def read_result(path: Path) -> FitElsewhere:
    """Amplitudes and errors of a TABLE or COORD file, of the latter with its curves.

    Raises InputError ``spectra_unreadable``.
    """
    try:
        text = path.read_text(encoding="latin-1")
    except OSError as error:
        raise InputError("spectra_unreadable", file=str(path), detail=type(error).__name__) from error
    rows = [match for line in text.splitlines() if (match := CONCENTRATION.match(line))]
    if not rows:
        raise InputError("spectra_unreadable", file=str(path), detail="no table of concentrations")
    amplitude = {row[4]: float(row[1]) for row in rows}
    error = {row[4]: float(row[2]) for row in rows}
    curves = []
    length = re.search(r"(\d+) points on ppm-axis", text)
    if length:
        for title in (
            "points on ppm-axis = NY",
            "NY phased data points follow",
            "NY points of the fit",
            "NY background",
        ):
            place = text.find(title)
            numbers = text[text.index("\n", place) :].split()[: int(length[1])] if place >= 0 else []
            try:
                curves.append(np.array(numbers, float))
            except ValueError:
                raise InputError("spectra_unreadable", file=str(path), detail=title) from None
    curves = [curve if curve.size else None for curve in curves] + [None] * 4
    return FitElsewhere(amplitude, error, *curves[:4])


def read_results(path: Path) -> dict[tuple[int, int], FitElsewhere]:
    """The voxels (row, column) of a CSV file. Raises InputError ``spectra_unreadable``."""
    try:
        with path.open(encoding="latin-1") as file:  # other tables may be large
            names = [name.strip() for name in file.readline().split(",")]
            lines = [line.split(",") for line in file if line.strip()] if names[:2] == ["Row", "Col"] else []
    except OSError as error:
        raise InputError("spectra_unreadable", file=str(path), detail=type(error).__name__) from error
    if names[:2] != ["Row", "Col"]:
        raise InputError("spectra_unreadable", file=str(path), detail="no table of voxels")
    found = {}
    for number, line in enumerate(lines, 2):
        try:
            cells = dict(zip(names, (float(cell) for cell in line), strict=True))
        except ValueError as error:
            raise InputError("spectra_unreadable", file=str(path), detail=f"line {number}") from error
        metabolites = [name for name in names[2:] if f"{name} %SD" in cells]
        found[int(cells["Row"]), int(cells["Col"])] = FitElsewhere(
            {name: cells[name] for name in metabolites}, {name: cells[f"{name} %SD"] for name in metabolites}
        )
    return found
