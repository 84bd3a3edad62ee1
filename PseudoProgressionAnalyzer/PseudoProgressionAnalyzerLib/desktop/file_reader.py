"""What Slicer's file dialogs and drag and drop open with this module: patient folders, spectra and time series."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path

import slicer
from vtkmodules.vtkCommonCore import vtkCommand

from .. import texts
from ..formats.images import read_header, read_image
from ..formats.sidecars import read_sidecar, stem
from ..formats.spectra import load
from ..formats.spectra_dicom import is_spectroscopy
from ..formats.spectra_lcmodel import read_results_of
from ..measures import InputError
from ..patient.patient_file import NAME, read_patient_file
from ..patient.roles import role_of_name
from ..scene.spectrum_nodes import put_results, put_spectrum
from ..scene.time_series import put_time_series
from ..scene.timeline_layout import LAYOUT_ID

NIFTI = (".nii", ".nii.gz")
SPECTRA = (".rda", ".sdat", ".spar", ".raw", ".7", *NIFTI)
DICOM = (".dcm", ".ima")
RESULTS = (".coord", ".table", ".csv")  # of fits by LCModel
NOT_SPECTRA = ("spectra_dicom_kind", "spectra_nifti_kind", "spectra_unreadable", "spectra_ge_revision", "file_missing")
"""Reasons for which a file is somebody else's; with any other it is one of spectra that cannot be used, and the user is
told why."""


def confidence(file: Path) -> float:
    """How sure it is that the file is ours, 0 to 1: a patient.json that can be read, a file with spectra (also one that
    cannot be used: nobody else would say why), LCModel's results, or a NIfTI file of several time points, where its
    name or its sidecar says that it is of perfusion."""
    name = file.name.lower()
    try:
        if file.name == NAME:
            read_patient_file(file.parent)
            return 0.9
        if name.endswith(NIFTI) and (shape := shape_of(file)):
            if len(shape) < 4:
                return 0.0
            return 0.8 if _is_perfusion(file) else 0.4  # below Slicer's own readers: most time series are none of ours
        if name.endswith(RESULTS):
            read_results_of(file)
            return 0.8
        if name.endswith(SPECTRA) or (name.endswith(DICOM) and is_spectroscopy(file)):
            return _of_spectra(file)
    except InputError:
        return 0.0
    return 0.0


def _of_spectra(file: Path) -> float:
    try:
        load(file)
    except InputError as error:
        return 0.0 if error.message.code in NOT_SPECTRA else 0.8
    return 0.8


def _is_perfusion(file: Path) -> bool:
    """As BIDS has it: the last part of the name, or how blood was labelled."""
    role, _ = role_of_name(stem(file).split("_")[-1])
    return role in ("DSC", "ASL") or "ArterialSpinLabelingType" in read_sidecar(file)


def shape_of(file: Path) -> tuple[int, ...]:
    """``(k, j, i)`` or ``(time, k, j, i)`` of a NIfTI image from its header; empty where it is none, as of spectra."""
    try:
        return read_header(file).array.shape
    except InputError:
        return ()


def open_file(file: Path, tell: Callable[[str], None] = logging.error) -> list[str]:
    """Opens a patient's folder in the panel, or puts a spectrum, LCModel's results or a time series into the scene; ids
    of the new nodes, empty where it failed. tell: is given the reason, or what is to be known of a spectrum."""
    before = {slicer.mrmlScene.GetNthNode(number).GetID() for number in range(slicer.mrmlScene.GetNumberOfNodes())}
    try:
        if file.name == NAME:
            slicer.util.selectModule("PseudoProgressionAnalyzer")
            widget = slicer.modules.PseudoProgressionAnalyzerWidget
            if widget.panel.refuses():
                return []
            widget.ui.folderPath.currentPath = str(file.parent)
            widget.panel.sections["patient"].load()
        elif file.name.lower().endswith(NIFTI) and len(shape_of(file)) == 4:
            _open_time_series(file)
        elif file.name.lower().endswith(RESULTS):
            show_chart(put_results(slicer.mrmlScene, read_results_of(file), file.name))
        else:
            spectra = load(file)
            for flag in spectra.flags:
                logging.warning(texts.sentence(flag))
            show_chart(put_spectrum(slicer.mrmlScene, spectra, file.name))
    except InputError as error:
        tell(texts.sentence(error.message))
        return []
    every = [slicer.mrmlScene.GetNthNode(number).GetID() for number in range(slicer.mrmlScene.GetNumberOfNodes())]
    return [node_id for node_id in every if node_id not in before]


def teller(reader: object) -> Callable[[str], None]:
    """What tells a reason in the log and in the message that Slicer shows of a file that it cannot open."""

    def tell(reason: str) -> None:
        logging.error(reason)
        reader.userMessages().AddMessage(vtkCommand.ErrorEvent, reason)

    return tell


def show_chart(made: list[object]) -> None:
    """Shows the chart among the nodes, or else the table, beside the slices; not while the timeline is shown, which
    stays as it is."""
    manager = slicer.app.layoutManager()
    if manager is None or manager.layout == LAYOUT_ID:
        return
    chart = next((node for node in made if node.IsA("vtkMRMLPlotChartNode")), None)
    if chart is not None:
        slicer.modules.plots.logic().ShowChartInLayout(chart)
    else:
        manager.setLayout(slicer.vtkMRMLLayoutNode.SlicerLayoutFourUpTableView)
        slicer.app.applicationLogic().GetSelectionNode().SetActiveTableID(made[0].GetID())
        slicer.app.applicationLogic().PropagateTableSelection()


def _open_time_series(file: Path) -> None:
    """The sequence with a browser, as Slicer's own readers of sequences leave it."""
    name = slicer.mrmlScene.GenerateUniqueName(stem(file))
    interval = read_sidecar(file).get("RepetitionTime")
    sequence = put_time_series(slicer.mrmlScene, read_image(file), interval, file, name)
    browser = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLSequenceBrowserNode", f"{name} browser")
    slicer.modules.sequences.logic().AddSynchronizedNode(sequence, None, browser)
