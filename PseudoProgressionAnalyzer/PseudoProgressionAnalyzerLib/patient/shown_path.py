"""How a file is called where others read it: folders may name the patient."""

from __future__ import annotations

from pathlib import Path

from .folder import date_of_study

BIDS_FOLDERS = ("anat", "perf", "pet", "mrs")


def shown_path(path: Path) -> str:
    """A file by its own name, behind that of its folder where this one says a study's date or is one of BIDS. Any other
    folder is left out: of DICOM files that lie together it is the patient's, with the patient's name as a rule."""
    folder = Path(path).parent.name
    told = folder in BIDS_FOLDERS or date_of_study(folder) is not None
    return f"{folder}/{path.name}" if told else path.name
