"""Fields of a header of spectra, as numbers; which one is missing or no number is named."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from ..measures import InputError

Kind = TypeVar("Kind")


def needed(path: Path, fields: Mapping[str, Any], name: str, kind: Callable[[Any], Kind] = float) -> Kind:
    """The field as this kind of value, of a list its first. Raises InputError ``spectra_fields`` (it is not there) and
    ``spectra_field`` (it cannot be read)."""
    value = fields.get(name)
    if isinstance(value, (list, tuple)):
        value = value[0] if value else None
    if value is None or value == "":
        raise InputError("spectra_fields", file=str(path), fields=name)
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        raise InputError("spectra_field", file=str(path), field=name, value=str(value)[:40]) from error
