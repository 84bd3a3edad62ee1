"""What was found in a patient folder and what is missing, for people and for programs, without computing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from .. import texts
from ..formats.series import read_series_header
from ..measures import DISCLAIMER, Message, Patient, Series
from ..patient.folder import relative
from .words import day_words

EXPECTED = (("T1CE",), ("FLAIR",), ("DSC", "rCBV"), ("MRSI", "MRS", "Cho_NAA_molar", "Cho_NAA_area"))
"""Roles of which one of each group is wanted; the first is named where none is there."""


def inspection(patient: Patient, folder: Path) -> dict[str, Any]:
    """The content of ``inspect --json``: patient, visits with their series, and problems."""
    return {
        "disclaimer": DISCLAIMER,
        "patient": patient.id,
        "visits": [
            {
                "id": visit.id,
                "date": visit.date.isoformat() if visit.date else None,
                "day": patient.day(visit),
                "when": day_words(patient, visit),
                "series": [_series(series, folder) for series in visit.series],
                "set_aside": [_set_aside(series, folder) for series in visit.set_aside],
                "regions": [
                    {"name": region.name, "purpose": region.purpose, "file": relative(folder, region.path)}
                    for region in patient.regions
                    if region.visit == visit.id
                ],
                "missing": [roles[0] for roles in EXPECTED if not any(map(visit.of_role, roles))],
                "warnings": [texts.sentence(warning) for warning in visit.warnings],
            }
            for visit in patient.visits
        ],
        "problems": [_problem(problem) for problem in patient.problems],
    }


def inspection_table(found: dict[str, Any]) -> str:
    """The same as a table that people read."""
    lines = [found["disclaimer"], ""]
    for visit in found["visits"]:
        when = ", ".join(part for part in (visit["date"] or "date unknown", visit["when"]) if part)
        lines.append(f"Visit {visit['id']} ({when})")
        rows = [
            (
                series["role"],
                series["file"],
                "x".join(map(str, series["shape"])),
                " x ".join(f"{edge:.2f}" for edge in series["spacing"]) + " mm",
                f"{series['confidence']:.0%}: {series['reason']}",
            )
            for series in visit["series"]
        ]
        rows += [(region["purpose"], region["file"], "", "", region["name"]) for region in visit["regions"]]
        lines += [f"  {line}" for line in _columns(rows)]
        if visit["set_aside"]:
            lines.append("  there, but not used:")
            lines += [f"    {name}: {reason}" for name, reason in _named(visit)]
        if visit["missing"]:
            lines.append(f"  not there: {', '.join(visit['missing'])}")
        lines += [f"  warning: {warning}" for warning in visit["warnings"]]
        lines.append("")
    if found["problems"]:
        lines.append("To be mended before anything is computed:")
        lines += [f"  - {problem['message']} {problem['remedy']}" for problem in found["problems"]]
    else:
        count = sum(len(visit["warnings"]) for visit in found["visits"])
        above = f"; {count} warning{'s' if count > 1 else ''} above" if count else ""
        lines.append(f"No problem found{above}.")
    return "\n".join(lines)


def _named(visit: dict[str, Any]) -> list[tuple[str, str]]:
    """Name and reason of each series that is set aside, with its file where another one has the same description."""
    descriptions = Counter(series["description"] for series in (*visit["series"], *visit["set_aside"]))
    named = []
    for series in visit["set_aside"]:
        description, file = series["description"], series["file"]
        name = f"{description} ({file})" if descriptions[description] > 1 else description
        named.append((name if description else file, series["reason"]))
    return named


def _series(series: Series, folder: Path) -> dict[str, Any]:
    header = read_series_header(series)
    return {
        "file": relative(folder, series.path),
        "uid": series.uid,
        "description": series.description,
        "role": series.role,
        "confidence": series.confidence,
        "reason": texts.sentence(series.reason) if series.reason else "",
        "shape": list(header.array.shape[::-1]),
        "spacing": [round(float(edge), 4) for edge in header.spacing],
        "acquisition": series.acquisition,
    }


def _set_aside(series: Series, folder: Path) -> dict[str, Any]:
    return {
        "file": relative(folder, series.path),
        "uid": series.uid,
        "description": series.description,
        "reason": texts.sentence(series.reason) if series.reason else "",
    }


def _problem(problem: Message) -> dict[str, str]:
    return {
        "file": str(problem.parameters.get("file", "")),
        "message": texts.what(problem),
        "remedy": texts.remedy(problem),
    }


def _columns(rows: list[tuple[str, ...]]) -> list[str]:
    widths = [max((len(row[column]) for row in rows), default=0) for column in range(5)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
