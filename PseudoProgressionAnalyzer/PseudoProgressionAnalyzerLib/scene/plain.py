"""The words of the project as JSON values and back, number by number.

Parameters of messages, details of events and acquisition fields are JSON values already: a tuple among them comes back
as a list. JSON knows no number that is not finite: such a one comes back as None.
"""

from __future__ import annotations

import dataclasses
import datetime
import functools
import math
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np


def to_plain(value: Any) -> Any:
    """A dataclass, or anything made of dataclasses, dates, paths, arrays and JSON values, as JSON value."""
    if dataclasses.is_dataclass(value):
        return {field.name: to_plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(name): to_plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_plain(inner) for inner in value]
    if isinstance(value, (set, frozenset)):
        return sorted(to_plain(inner) for inner in value)
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, (np.ndarray, np.generic)):
        return to_plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def from_plain(kind: Any, value: Any) -> Any:
    """A value of the type ``kind`` from what ``to_plain`` made of it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if value is None or kind is Any:
        return value
    if origin in (typing.Union, types.UnionType):
        return from_plain(next(argument for argument in arguments if argument is not type(None)), value)
    if dataclasses.is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: from_plain(hints[name], inner) for name, inner in value.items()})
    if kind is datetime.date:
        return datetime.date.fromisoformat(value)
    if kind is Path:
        return Path(value)
    if origin is tuple:
        each = [arguments[0]] * len(value) if arguments[1:] == (...,) else arguments
        return tuple(from_plain(argument, inner) for argument, inner in zip(each, value, strict=True))
    if origin is frozenset:
        return frozenset(from_plain(arguments[0], inner) for inner in value)
    if kind is np.ndarray:
        return np.array(value, dtype=float)
    if origin is list:
        return [from_plain(arguments[0], inner) for inner in value]
    if origin in (dict, Mapping) and arguments:
        return {name: from_plain(arguments[1], inner) for name, inner in value.items()}
    return value


_hints = functools.cache(typing.get_type_hints)
