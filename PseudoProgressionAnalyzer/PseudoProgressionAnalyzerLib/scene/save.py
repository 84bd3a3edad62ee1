"""Scenes in files: whole or not at all."""

from __future__ import annotations

import tempfile
import zipfile
import zlib
from pathlib import Path

import slicer

from ..measures import InputError
from . import timeline
from .application import Application


def save_mrb(scene: object, path: Path) -> None:
    """Writes the scene as .mrb beside a temporary name and renames it: never half a file.

    Raises InputError ``scene_not_saved``; OSError when the folder cannot be written.
    """
    path = Path(path).resolve()
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{path.stem}.", suffix=".partial", dir=path.parent) as folder:
        temporary = Path(folder) / path.name
        messages = slicer.vtkMRMLMessageCollection()
        if not scene.WriteToMRB(str(temporary), None, messages) or not temporary.is_file():
            raise InputError("scene_not_saved", file=str(path), detail=messages.GetAllMessagesAsString().strip())
        temporary.replace(path)


def open_scene(application: Application, path: Path) -> None:
    """Replaces the application's scene by the one of an .mrb file.

    The file is looked through before the present scene is closed. Raises InputError: ``file_missing``,
    ``scene_unreadable``.
    """
    path = Path(path).resolve()
    if not path.is_file():
        raise InputError("file_missing", file=str(path))
    scene = application.scene
    with tempfile.TemporaryDirectory() as folder:
        try:
            with zipfile.ZipFile(path) as bundle:
                if bundle.testzip() is not None:
                    raise zipfile.BadZipFile
                bundle.extractall(folder)
            content = next(Path(folder).glob("*/*.mrml"))
        except (zipfile.BadZipFile, zlib.error, StopIteration) as error:
            raise InputError("scene_unreadable", file=str(path)) from error
        messages = slicer.vtkMRMLMessageCollection()
        timeline.hide(application)
        scene.SetURL(str(content))
        if not scene.Connect(messages):
            raise InputError("scene_unreadable", file=str(path), detail=messages.GetAllMessagesAsString().strip())
    scene.SetURL(str(path))
    scene.SetRootDirectory(str(path.parent))


def close_scene(application: Application) -> None:
    """Empties the scene; the layout from before the timeline comes back first."""
    timeline.hide(application)
    application.scene.Clear(False)
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(application.scene)  # made anew: closing removes it
