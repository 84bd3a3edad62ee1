"""The numbers of a built-in case beside its truth."""

from __future__ import annotations

import json
from pathlib import Path

from . import measurements_csv

# Key of truth.json, measurement name, words.
COMPARED = (
    ("volume", "volume", "lesion volume, mL"),
    ("rCBV_ratio", "rCBV_ratio_mean", "rCBV ratio, mean"),
    ("Cho_NAA", "Cho_NAA_molar", "Cho/NAA, molar"),
    ("Cho_Cr", "Cho_Cr_molar", "Cho/Cr, molar"),
)


def compare_with_truth(measurements: Path, truth: Path) -> str:
    """A table of measured value, true value and relative error, one row per visit and measure; beside the plain truth
    the same as an ideal scanner of these voxels would see it, where truth.json tells it."""
    rows = measurements_csv.read(measurements)
    known = json.loads(truth.read_text(encoding="utf-8"))
    lines = [
        f"{'visit':12} {'measure':20} {'measured':>10} {'true':>10} {'error':>8} {'in voxels':>10} {'error':>8}",
    ]
    for visit in known["visits"]:
        for key, name, words in COMPARED:
            found = [
                row.value
                for row in rows
                if (row.visit, row.name, row.kind, row.compared_to) == (visit["id"], name, "own", "")
            ]
            measured = found[0] if found else None
            shown = f"{measured:10.3f}" if measured is not None else f"{'absent':>10}"
            line = f"{visit['id']:12} {words:20} {shown} {_beside(measured, visit[key])}"
            seen = visit.get("in_voxels", {}).get(key)
            lines.append(line if seen is None else f"{line} {_beside(measured, seen)}")
    lines.append("in voxels: as an ideal scanner of the same voxels would see it, with an ideal outline")
    lines.append(f"final answer of the case: {known['answer']}")
    return "\n".join(lines)


def _beside(measured: float | None, true: float) -> str:
    error = f"{measured / true - 1:+8.1%}" if measured is not None and true else f"{'-':>8}"
    return f"{true:10.3f} {error}"
