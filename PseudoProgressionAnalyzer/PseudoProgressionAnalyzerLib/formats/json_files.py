"""JSON files into plain objects, with errors that name the line."""

from __future__ import annotations

import codecs
import json
from pathlib import Path
from typing import Any

from ..measures import InputError


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file: UTF-8, or UTF-16 with its mark, which ``>`` writes in Windows PowerShell.

    Raises InputError ``file_missing``, ``json_syntax``, ``json_not_an_object``.
    """
    if not path.is_file():
        raise InputError("file_missing", file=str(path))
    try:
        raw = path.read_bytes()
        marked = raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        content = json.loads(raw.decode("utf-16" if marked else "utf-8-sig"))
    except json.JSONDecodeError as error:
        raise InputError("json_syntax", file=str(path), line=error.lineno, detail=error.msg) from error
    except UnicodeDecodeError as error:
        raise InputError("json_syntax", file=str(path), line="?", detail="not UTF-8 text") from error
    except (RecursionError, ValueError) as error:  # nested or numbers longer than Python takes
        raise InputError(
            "json_syntax", file=str(path), line="?", detail="nested too deep, or a number too long"
        ) from error
    if not isinstance(content, dict):
        raise InputError("json_not_an_object", file=str(path))
    return content
