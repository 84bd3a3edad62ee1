"""One catalogue: message codes into sentences.

The catalogue is a folder of JSON files per language, one file for each part of the library that speaks; each maps
a code to a sentence with ``{named}`` places for the message's parameters. Codes are never translated.
"""

from __future__ import annotations

import functools
import json
from importlib import resources

from ..measures import Message


@functools.cache
def catalogue(language: str = "english") -> dict[str, str]:
    """All sentences of a language by their code. Raises ValueError when two files define the same code."""
    sentences: dict[str, str] = {}
    for file in sorted(resources.files(__package__).joinpath(language).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".json"):
            for code, sentence_ in json.loads(file.read_text(encoding="utf-8")).items():
                if code in sentences:
                    raise ValueError(f"texts/{language}/{file.name}: the code {code!r} stands in another file too")
                sentences[code] = sentence_
    return sentences


def sentence(message: Message, language: str = "english") -> str:
    """The message as a sentence. An unknown code is shown as it is with its parameters, never dropped."""
    template = catalogue(language).get(message.code)
    if template is None:
        shown = ", ".join(f"{name}={value}" for name, value in message.parameters.items())
        return f"{message.code} ({shown})" if shown else message.code
    return template.format(**message.parameters)
