"""The public tables of treated gliomas as courses, to see that real gaps break nothing.

MU-Glioma-Post (TCIA, doi 10.7937/7K9K-3C83). Its volumes were joined to its visits by row order: figures from it are
indicative only.
"""

import csv
import datetime
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from PseudoProgressionAnalyzerLib.lesion.volume import banded
from PseudoProgressionAnalyzerLib.response import Course, Lesion, SteroidDose, VisitInputs

TABLE = "longitudinal/MU-Glioma-Post_tables/derived_mu_series.csv"
DIAGNOSIS = datetime.date(2000, 1, 1)
SMALLEST = 0.524
"""mL of a ball of 10 mm: what is smaller is assumed not measurable where the rest is assumed benign."""


def rows(file: Path) -> dict[str, list[dict[str, str]]]:
    """The rows of each patient."""
    found: dict[str, list[dict[str, str]]] = {}
    with file.open(newline="") as table:
        for row in csv.DictReader(table):
            found.setdefault(row["pid"], []).append(row)
    return found


def day(text: str) -> datetime.date | None:
    """Days after diagnosis as a date, None for an empty cell."""
    return DIAGNOSIS + datetime.timedelta(days=float(text)) if text else None


def courses(file: Path, benign: bool) -> Iterator[tuple[str, Course]]:
    """Patient and course. benign: everything that the table leaves out is assumed to be without change."""
    assumed = {
        "new_lesion": False, "nonmeasurable_progression": False, "leptomeningeal": False, "flair_worse": False,
        "outside_field": False, "clinical": "stable", "steroid": SteroidDose(0.0), "antiangiogenic": False,
    } if benign else {}  # fmt: skip
    for patient, lines in rows(file).items():
        visits = []
        for row in lines:
            millilitres = float(row["et"]) / 1000
            measurable = millilitres >= SMALLEST if benign else None
            whole = Lesion("enhancement", volume=banded(millilitres, np.ones(3)), measurable=measurable)
            visits.append(VisitInputs(f"tp{row['tp']}", day(row["day"]), (whole,), **assumed))
        end = day(lines[0]["rt_end"])
        yield patient, Course(tuple(visits), radiotherapy_ends=None if end is None else (end,))
