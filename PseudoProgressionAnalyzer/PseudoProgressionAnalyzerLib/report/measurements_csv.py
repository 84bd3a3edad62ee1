"""``measurements.csv``: every measurement as a row of text, and back.

The first line is ``# `` and the disclaimer. Unknown fields are empty; flags are message codes joined by ``;``. Numbers
have ``words.STORED_DIGITS`` significant digits.
"""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

from ..measures import DISCLAIMER, InputError, Measurement, Message, Patient
from . import words, writing

COLUMNS = (
    "patient", "visit", "date", "day", "compared_to", "region", "kind", "drawn_in", "name", "value", "low", "high",
    "unit", "reference", "method", "flags",
)  # fmt: skip
NUMBERS = ("value", "low", "high")
KINDS = ("own", "fixed", "followed")


def record(patient: Patient, measurement: Measurement) -> dict[str, Any]:
    """One measurement by column, with its flags as messages: a row of the table and an object of the JSON file.

    A value that is not finite becomes None with the flag ``value_not_finite``.
    """
    visit = patient.visit(measurement.visit)
    measurement = words.cleaned(measurement)
    row = {column: getattr(measurement, column, None) for column in COLUMNS}
    return row | {
        "patient": patient.id,
        "date": visit.date.isoformat() if visit.date else None,
        "day": patient.day(visit),
        **{column: words.finite(row[column]) for column in NUMBERS},
    }


def text(patient: Patient, measurements: list[Measurement]) -> str:
    """The whole table as text."""
    output = io.StringIO()
    output.write(f"# {DISCLAIMER}\n")
    table = csv.writer(output, lineterminator="\n")
    table.writerow(COLUMNS)
    for measurement in measurements:
        row = record(patient, measurement)
        row["flags"] = ";".join(flag.code for flag in row["flags"])
        table.writerow(_cell(row[column]) for column in COLUMNS)
    return output.getvalue()


def write(patient: Patient, measurements: list[Measurement], path: Path) -> None:
    """Writes the table."""
    writing.write_file(path, text(patient, measurements))


def read(path: Path) -> list[Measurement]:
    """The measurements of a table; flags come back as codes without their parameters.

    Raises InputError: ``file_missing``, ``table_not_text`` (not UTF-8), ``table_not_measurements`` (first line or
    columns are others), ``table_row`` (a row with too few or too many cells, or a cell that cannot be read).
    """
    if not path.is_file():
        raise InputError("file_missing", file=str(path))
    try:
        content = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError("table_not_text", file=str(path)) from error
    first, _, rest = content.partition("\n")
    table = csv.reader(io.StringIO(rest, newline=""))
    if not first.startswith("# ") or tuple(next(table, ())) != COLUMNS:
        raise InputError("table_not_measurements", file=str(path), columns=",".join(COLUMNS))
    return [_measurement(cells, path, table.line_num + 1) for cells in table]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.{words.STORED_DIGITS}g}" if isinstance(value, float) else str(value)


def _measurement(cells: list[str], path: Path, line: int) -> Measurement:
    def fault(field: str, value: str) -> InputError:
        return InputError("table_row", file=str(path), line=line, field=field, value=value)

    if len(cells) != len(COLUMNS):
        raise fault("cells", str(len(cells)))
    row = dict(zip(COLUMNS, cells, strict=True))
    numbers: dict[str, float | None] = {}
    for column in NUMBERS:
        try:
            numbers[column] = float(row[column]) if row[column] else None
        except ValueError:
            raise fault(column, row[column]) from None
        if numbers[column] is not None and not math.isfinite(numbers[column]):
            raise fault(column, row[column])
    if row["kind"] not in KINDS:
        raise fault("kind", row["kind"])
    flags = tuple(Message(code) for code in row["flags"].split(";") if code)
    plain = ("visit", "region", "kind", "drawn_in", "name", "unit", "compared_to", "reference", "method")
    return Measurement(**{column: row[column] for column in plain}, **numbers, flags=flags)
