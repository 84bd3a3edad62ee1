"""What Slicer's file dialogs and drag and drop open with this module: patient folders and spectra."""

from __future__ import annotations

import logging
from pathlib import Path

import slicer

from .. import texts
from ..formats.spectra import load
from ..measures import InputError
from ..patient.patient_file import NAME, read_patient_file
from ..scene.spectrum_nodes import put_spectrum

SPECTRA = (".rda", ".sdat", ".spar", ".nii", ".nii.gz", ".raw")


def confidence(file: Path) -> float:
    """How sure it is that the file is ours, 0 to 1: a patient.json that can be read, or a file with spectra."""
    try:
        if file.name == NAME:
            read_patient_file(file.parent)
            return 0.9
        if file.name.lower().endswith(SPECTRA):
            load(file)
            return 0.8
    except InputError:
        return 0.0
    return 0.0


def open_file(file: Path) -> list[str]:
    """Opens a patient's folder in the panel, or puts a spectrum into the scene; ids of the new nodes, empty where it
    failed: the reason is logged."""
    before = {slicer.mrmlScene.GetNthNode(number).GetID() for number in range(slicer.mrmlScene.GetNumberOfNodes())}
    try:
        if file.name == NAME:
            slicer.util.selectModule("PseudoProgressionAnalyzer")
            widget = slicer.modules.PseudoProgressionAnalyzerWidget
            widget.ui.folderPath.currentPath = str(file.parent)
            widget.panel.sections["patient"].load()
        else:
            put_spectrum(slicer.mrmlScene, load(file), file.name)
    except InputError as error:
        logging.error(texts.sentence(error.message))
        return []
    every = [slicer.mrmlScene.GetNthNode(number).GetID() for number in range(slicer.mrmlScene.GetNumberOfNodes())]
    return [node_id for node_id in every if node_id not in before]
