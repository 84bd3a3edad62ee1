"""Where the user wants a file."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer


def file_to_save(title: str, name: str, kind: str, setting: str) -> Path | None:
    """The file that the user names, with the ending of ``name``, which is offered, also where only a name was typed:
    without one no other program would open it. None where they gave up. kind: as of ``QFileDialog``; setting: keeps the
    folder for the next time."""
    dialog = qt.QFileDialog(slicer.util.mainWindow(), title, slicer.util.settingsValue(setting, ""), kind)
    dialog.setAcceptMode(qt.QFileDialog.AcceptSave)
    dialog.setDefaultSuffix(Path(name).suffix[1:])  # so that the question before another file is replaced holds for it
    dialog.selectFile(name)
    chosen = Path(dialog.selectedFiles()[0]) if dialog.exec_() else None
    dialog.deleteLater()
    if chosen is not None:
        qt.QSettings().setValue(setting, str(chosen.parent))
    return chosen
