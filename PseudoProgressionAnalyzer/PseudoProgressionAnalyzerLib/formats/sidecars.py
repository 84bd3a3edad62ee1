"""The JSON sidecar beside an image: acquisition in BIDS names and units, or what a map holds."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from ..measures import InputError, Message
from .images import SUFFIXES
from .json_files import read_json

# What a clinical head scanner can do, wide enough for all of them: a value outside is a wrong unit, not a protocol.
PLAUSIBLE = {
    "EchoTime": (0.0005, 0.7, "s"),
    "RepetitionTime": (0.002, 30.0, "s"),
    "InversionTime": (0.0, 10.0, "s"),
    "FlipAngle": (0.1, 180.0, "degrees"),
    "MagneticFieldStrength": (0.05, 10.5, "T"),
    "PostLabelingDelay": (0.0, 10.0, "s"),
    "LabelingDuration": (0.0, 10.0, "s"),
}


PER_IMAGE = ("FlipAngle", "PostLabelingDelay", "LabelingDuration")
"""Of a time series these may be one for each of its images."""


def stem(path: Path) -> str:
    """The file name without its image ending (``DSC`` of ``DSC.nii.gz``)."""
    for suffix in SUFFIXES:
        if path.name.lower().endswith(suffix):
            return path.name[: -len(suffix)]
    return path.stem


def sidecar_path(path: Path) -> Path:
    """Where the sidecar of an image stands: the same name with the ending ``.json``."""
    return path.with_name(stem(path) + ".json")


def read_sidecar(path: Path) -> dict[str, Any]:
    """The fields of the image's sidecar; empty when there is none.

    Raises InputError: ``json_syntax``, ``json_not_an_object``, and ``field_implausible`` for a number outside of what
    a head scanner can do (most often milliseconds where BIDS wants seconds).
    """
    file = sidecar_path(path)
    if not file.exists():
        return {}
    fields = read_json(file)
    check_fields(file, fields)
    return fields


def check_fields(file: Path, fields: dict[str, Any]) -> None:
    """Takes lists of one number for the number, however often it stands there. Raises InputError ``field_implausible``
    for a number outside of what a head scanner can do."""
    for name, (low, high, unit) in PLAUSIBLE.items():
        if name not in fields:
            continue
        several = fields[name] if isinstance(fields[name], list) else []
        if len(several) == 1 or (name not in PER_IMAGE and several and several.count(several[0]) == len(several)):
            fields[name] = several[0]
        values = fields[name] if isinstance(fields[name], list) else [fields[name]]
        for value in values:
            number = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
            if not number or not low <= value <= high:
                raise InputError(
                    "field_implausible", file=str(file), field=name, value=value, low=low, high=high, unit=unit
                )


def missing_fields(path: Path, fields: dict[str, Any], needed: tuple[str, ...]) -> Message | None:
    """A message that names the sidecar and the needed fields it lacks, or one that is a list where one number is
    needed; None where all are there."""
    for name in needed:
        if isinstance(fields.get(name), list):
            shown = ", ".join(map(str, fields[name][:8])) or "empty"
            return Message("field_several", {"file": str(sidecar_path(path)), "field": name, "values": shown})
    absent = [name for name in needed if name not in fields]
    if not absent:
        return None
    return Message("fields_missing", {"file": str(sidecar_path(path)), "fields": ", ".join(absent)})
