"""How a file is called where others read it: folders may name the patient."""

from __future__ import annotations

from pathlib import Path

from .folder import date_of_study

BIDS_FOLDERS = ("anat", "perf", "pet", "mrs")


def shown_path(path: Path) -> str:
    """A file by its own name, behind the date that its folder says, or the folder where that is one of BIDS. Anything
    else is left out: of DICOM files that lie together the folder is the patient's, with the patient's name as a rule,
    which may stand behind a date too."""
    folder = Path(path).parent.name
    date = date_of_study(folder)
    told = date.isoformat() if date is not None else folder if folder in BIDS_FOLDERS else ""
    return f"{told}/{path.name}" if told else path.name
