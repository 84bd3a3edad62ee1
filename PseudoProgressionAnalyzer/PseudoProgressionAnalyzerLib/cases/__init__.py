"""Simulated patients with known truth, made with forward models of their own.

A case is a patient folder as any user has one, and ``truth.json`` beside its visits: per visit ``volume`` (mL), mean
``rCBV_ratio`` and molar ``Cho_NAA`` and ``Cho_Cr`` of the enhancing lesion before sampling, noise and drawing,
``in_voxels`` (these three as an ideal scanner of the same voxels would see them, ``in_voxels.py``), ``head_to_visit``
(4x4, RAS mm: the pose of the head in the scanner), and the ``answer`` that follow-up gave.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from ..measures import InputError
from .plans import CASES, Case

if TYPE_CHECKING:
    from .folder import Progress


def names() -> list[str]:
    """The names of the built-in cases."""
    return list(CASES)


def describe(name: str) -> str:
    """What a case shows. Raises InputError ``unknown_case``."""
    return _case(name).description


def make(name: str, directory: Path, *, progress: Progress | None = None) -> Path:
    """Makes a case in a folder that does not exist yet or is empty, and returns that folder.

    The files are the same every time. progress is called with the share done, 0 to 1. What is interrupted
    leaves nothing behind. Raises InputError ``unknown_case``, ``case_folder_in_use``, ``case_folder_not_writable`` and
    as ``template.read_template``.
    """
    from .folder import write_case  # heavy, and Slicer asks for the names of the cases whenever it starts

    case, directory = _case(name), Path(directory).absolute()
    if directory.exists() and not (directory.is_dir() and not any(directory.iterdir())):
        raise InputError("case_folder_in_use", file=str(directory))
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        unfinished = tempfile.TemporaryDirectory(prefix=".making-", dir=directory.parent)
    except OSError as error:
        raise InputError("case_folder_not_writable", file=str(directory.parent), detail=error.strerror) from error
    with unfinished as parent:
        made = Path(parent, name)
        made.mkdir()
        write_case(case, made, progress or (lambda share: None))
        if directory.exists():
            directory.rmdir()
        made.replace(directory)
    return directory


def cached(name: str, *, progress: Progress | None = None) -> Path:
    """The folder of a case in the user's cache, made the first time. Raises InputError as ``make``."""
    case = _case(name)
    directory = cache_folder() / _version() / case.name
    if not directory.is_dir():
        try:
            make(name, directory, progress=progress)
        except (InputError, OSError):
            if not directory.is_dir():  # else another process was quicker
                raise
    return directory


def cache_folder() -> Path:
    """Where made cases are kept: XDG_CACHE_HOME, or what the platform has for it."""
    if os.environ.get("XDG_CACHE_HOME"):
        base = Path(os.environ["XDG_CACHE_HOME"])
    elif sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA", Path.home()))
    elif sys.platform == "darwin":
        base = Path.home() / "Library" / "Caches"
    else:
        base = Path.home() / ".cache"
    return base / "pseudoprogression-analyzer" / "cases"


def _version() -> str:
    """Names what makes the cases: it changes with every change of this package's source."""
    digest = hashlib.sha256()
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".py"):
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def _case(name: str) -> Case:
    if name not in CASES:
        raise InputError("unknown_case", case=name, known=", ".join(CASES))
    return CASES[name]
