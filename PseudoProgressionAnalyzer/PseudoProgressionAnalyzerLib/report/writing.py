"""Writing what the job makes: whole or not at all, and never over what somebody else made."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from ..measures import DISCLAIMER, InputError

UNFINISHED = ".partial"
MARK = "assessment.json"
"""The file that says that a folder is an output of ours: the disclaimer stands in its first lines."""


def write_file(path: Path, content: str | bytes) -> None:
    """Writes a file under a temporary name beside it and renames it: readers see the old file or the new, never half.

    Text is written as UTF-8 with the line ends that it has.
    """
    data = content.encode("utf-8") if isinstance(content, str) else content
    # Not tempfile: its files are readable for the owner alone, and a rename keeps that.
    temporary = path.with_name(f".{path.name}.{os.getpid()}{UNFINISHED}")
    try:
        temporary.write_bytes(data)
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def is_own_output(folder: Path) -> bool:
    """Whether a folder holds an earlier output of ours."""
    mark = folder / MARK
    if not mark.is_file():
        return False
    with mark.open("rb") as file:
        return DISCLAIMER.encode() in file.read(4096)


def check_folder(folder: Path, overwrite: bool = False) -> None:
    """Whether the job may write here: a folder that does not exist, is empty, or (overwrite) is an output of ours.

    Raises InputError: ``output_not_a_folder``, ``output_not_writable``, ``output_not_ours``, ``output_exists``.
    """
    folder = folder.absolute()
    known = next(place for place in (folder, *folder.parents) if place.exists())
    if not known.is_dir():
        raise InputError("output_not_a_folder", file=str(known))
    if not os.access(known, os.W_OK | os.X_OK):
        raise InputError("output_not_writable", file=str(known))
    if known != folder or all(_unfinished(place) for place in folder.iterdir()):
        return
    if not is_own_output(folder):
        raise InputError("output_not_ours", file=str(folder))
    if not overwrite:
        raise InputError("output_exists", file=str(folder))


def _unfinished(place: Path) -> bool:
    """Whether this is where a result is put together, or was when its process was killed."""
    return place.name.startswith(".") and place.name.endswith(UNFINISHED)


def unused(parent: Path, name: str) -> Path:
    """A place in a folder that nothing has yet: the name, with what no file name may hold replaced, and a number where
    it is taken."""
    plain = plain_name(name)
    numbered = (f"{plain}_{number}" for number in itertools.count(2))
    return next(place for place in map(parent.joinpath, itertools.chain([plain], numbered)) if not place.exists())


def plain_name(name: str, taken: Collection[str] = ()) -> str:
    """A name with what no file name may hold replaced, and a number where another one has it already, be it in other
    letters (Windows and macOS do not tell them apart)."""
    plain, others = re.sub(r"[^\w.-]+", "_", name), {other.casefold() for other in taken}
    numbered = (f"{plain}_{number}" for number in itertools.count(2))
    return next(one for one in itertools.chain([plain], numbered) if one.casefold() not in others)


@contextlib.contextmanager
def staged(folder: Path, overwrite: bool = False) -> Iterator[Path]:
    """A folder to write into, whose files come to stand in ``folder`` when the block ends without an error.

    Nothing of ``folder`` changes before that, and nothing is left behind by an error or an interruption. Files in
    ``folder`` that the block did not write stay as they are. Errors as ``check_folder``.
    """
    check_folder(folder, overwrite)
    folder = folder.absolute()  # "." has neither a name nor a folder beside it
    folder.parent.mkdir(parents=True, exist_ok=True)
    # In a folder that is there already: beside it may be another disk, or nobody's to write to.
    place = folder if folder.exists() else folder.parent
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}.", suffix=UNFINISHED, dir=place) as temporary:
        inside = Path(temporary) / folder.name
        inside.mkdir()
        yield inside
        check_folder(folder, overwrite)
        _move_into(inside, folder)


def _move_into(source: Path, target: Path) -> None:
    """Moves the files of source into target, the mark first so that an interrupted move is still known as ours."""
    if not target.exists():
        source.replace(target)
        return
    for entry in sorted(source.iterdir(), key=lambda entry: (entry.name != MARK, entry.name)):
        if entry.is_dir():
            _move_into(entry, target / entry.name)
        else:
            entry.replace(target / entry.name)
