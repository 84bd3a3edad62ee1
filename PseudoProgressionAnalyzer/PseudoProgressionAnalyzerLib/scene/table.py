"""Measurements in a table node: typed columns for people and plots, and every measurement exactly as it is.

Slicer saves tables as text: numbers get six significant digits, and quotation marks, tabs and line ends in a cell break
the table when it is read. The columns therefore keep no such character, and the exact measurements stand as JSON in an
attribute of the node: that is what is read. In number columns NaN stands for what is absent: they know no other word.
"""

from __future__ import annotations

import json
import math

from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkTable

from ..measures import Measurement, Patient
from .nodes import mark, marked
from .plain import from_plain, to_plain

COLUMNS = (
    "patient", "visit", "date", "day", "compared_to", "region", "kind", "drawn_in", "name", "value", "low", "high",
    "unit", "reference", "method", "flags",
)  # fmt: skip
"""Those of measurements.csv."""
NUMBERS = ("day", "value", "low", "high")


def write_table(node: object, patient: Patient, measurements: list[Measurement]) -> None:
    """Replaces the content of a table node by these measurements."""
    table = vtkTable()
    rows = [_row(patient, measurement) for measurement in measurements]
    for name in COLUMNS:
        column = vtkDoubleArray() if name in NUMBERS else vtkStringArray()
        column.SetName(name)
        for row in rows:
            column.InsertNextValue(row[name])
        table.AddColumn(column)
    mark(node, records=json.dumps(to_plain(measurements), allow_nan=False))
    node.SetAndObserveTable(table)
    for name in COLUMNS:
        node.SetColumnProperty(name, "type", "double" if name in NUMBERS else "string")
        if name in NUMBERS:
            node.SetColumnProperty(name, "nullValue", "nan")  # else an absent number is read back as zero


def read_table(node: object) -> list[Measurement]:
    """The measurements of a table node, number by number as they were written."""
    return from_plain(list[Measurement], json.loads(marked(node, "records") or "[]"))


def _row(patient: Patient, measurement: Measurement) -> dict[str, str | float]:
    visit = patient.visit(measurement.visit)
    row = {name: getattr(measurement, name, "") for name in COLUMNS} | {
        "patient": patient.id,
        "date": visit.date.isoformat() if visit.date else "",
        "day": patient.day(visit),
        "flags": ";".join(flag.code for flag in measurement.flags),
    }
    shown = {name: " ".join(value.replace('"', "'").split()) for name, value in row.items() if name not in NUMBERS}
    return shown | {name: math.nan if row[name] is None else float(row[name]) for name in NUMBERS}
