"""One catalogue: message codes into sentences.

The catalogue is a folder of JSON files per language, one file for each part of the library that speaks. Each maps a
code to a sentence with ``{named}`` places for the message's parameters, or, where the user can do something about it,
to an object with ``what`` and ``remedy``. Codes are never translated.
"""

from __future__ import annotations

import functools
import json
from importlib import resources

from ..measures import Message


@functools.cache
def catalogue(language: str = "english") -> dict[str, dict[str, str]]:
    """All sentences of a language by code, as ``what`` and ``remedy`` (may be empty).

    Raises ValueError when two files define the same code.
    """
    entries: dict[str, dict[str, str]] = {}
    for file in sorted(resources.files(__package__).joinpath(language).iterdir(), key=lambda file: file.name):
        if not file.name.endswith(".json"):
            continue
        for code, entry in json.loads(file.read_text(encoding="utf-8")).items():
            if code in entries:
                raise ValueError(f"texts/{language}/{file.name}: the code {code!r} stands in another file too")
            entries[code] = {"what": entry, "remedy": ""} if isinstance(entry, str) else entry
    return entries


class _Given(dict):
    """Parameters of a message; what an older scene or file did not keep is shown as unknown."""

    def __missing__(self, name: str) -> str:
        return "?"


def what(message: Message, language: str = "english") -> str:
    """What the message says, without the remedy. An unknown code is shown with its parameters, never dropped."""
    entry = catalogue(language).get(message.code)
    if entry is None:
        shown = ", ".join(f"{name}={value}" for name, value in message.parameters.items())
        return f"{message.code} ({shown})" if shown else message.code
    return entry["what"].format_map(_Given(message.parameters))


def remedy(message: Message, language: str = "english") -> str:
    """What the user can do about it; empty when there is nothing to do."""
    entry = catalogue(language).get(message.code)
    return entry["remedy"].format_map(_Given(message.parameters)) if entry else ""


def sentence(message: Message, language: str = "english") -> str:
    """What the message says and what to do about it."""
    return " ".join(part for part in (what(message, language), remedy(message, language)) if part)
