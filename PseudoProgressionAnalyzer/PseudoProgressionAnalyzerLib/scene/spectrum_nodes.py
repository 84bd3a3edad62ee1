"""A spectrum of any vendor as Slicer's table and plot, so that it can be looked at without a patient."""

from __future__ import annotations

import numpy as np
import slicer
from vtkmodules.vtkCommonCore import vtkDoubleArray, vtkStringArray
from vtkmodules.vtkCommonDataModel import vtkTable

from ..formats.spectra_axis import CENTRE
from ..formats.spectra_lcmodel import FitElsewhere
from ..measures import Spectra
from ..spectroscopy.water import remove_water
from .nodes import set_columns
from .spectrum_plot import SERIES

SHOWN = (0.2, 4.3)  # ppm
METABOLITES = (1.8, 3.4)  # ppm: from NAA to choline
COLOURS = {name: colour for name, (colour, _width) in SERIES.items()} | {"magnitude": (0.0, 0.45, 0.70)}
BROADENING = 2.0  # Hz of exponential line broadening: for the eye alone


def spectrum(spectra: Spectra) -> tuple[np.ndarray, np.ndarray]:
    """ppm, falling as people read it, and the magnitude spectrum of the voxel that shows most of NAA, creatine and
    choline (not of scalp, whose fat is stronger), with its water removed, both ``(points,)``.

    Magnitude, because the phase is not known before a fit.
    """
    flat = spectra.fid.reshape(-1, spectra.fid.shape[-1])
    ppm = CENTRE - np.fft.fftfreq(flat.shape[-1], spectra.dwell_time) / spectra.spectrometer_frequency
    chosen = flat
    if len(flat) > 1:
        lines = (ppm >= METABOLITES[0]) & (ppm <= METABOLITES[1])
        sizes = np.abs(np.fft.fft(flat, axis=-1)[:, lines])
        heights = sizes.max(axis=1) - np.median(sizes, axis=1)  # the foot of water or fat is no line
        chosen = flat[[np.argmax(heights)]]
    (decay,) = remove_water(chosen, spectra.dwell_time, spectra.spectrometer_frequency)
    time = np.arange(decay.size) * spectra.dwell_time
    values = np.abs(np.fft.fft(decay * np.exp(-np.pi * BROADENING * time)))
    order = np.argsort(-ppm)
    ppm, values = ppm[order], values[order]
    shown = (ppm >= SHOWN[0]) & (ppm <= SHOWN[1])
    return ppm[shown], values[shown]


def put_results(scene: object, results: dict[str, FitElsewhere], name: str) -> list[object]:
    """What another fit found, by voxel: a table of amounts and their errors (%), of one voxel with curves its
    chart too; returns the nodes."""
    table = vtkTable()
    columns: dict[str, list[str | float]] = {"voxel": [], "metabolite": [], "amount": [], "error (%)": []}
    for voxel, one in results.items():
        for metabolite, amount in one.amplitude.items():
            for title, cell in zip(columns, (voxel, metabolite, amount, one.error[metabolite]), strict=True):
                columns[title].append(cell)
    for title, cells in columns.items():
        if title == "voxel" and len(results) == 1:
            continue
        array = vtkStringArray() if title in ("voxel", "metabolite") else vtkDoubleArray()
        array.SetName(title)
        for cell in cells:
            array.InsertNextValue(cell)
        table.AddColumn(array)
    node = scene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} amounts")
    node.SetAndObserveTable(table)
    (one, *others) = results.values()
    curves = {"data": one.data, "fit": one.fit, "baseline": one.baseline}
    curves = {title: values for title, values in curves.items() if values is not None}
    if others or one.ppm is None or not curves or any(values.shape != one.ppm.shape for values in curves.values()):
        return [node]
    return [node, *_chart(scene, name, one.ppm, curves, "signal")]


def put_spectrum(scene: object, spectra: Spectra, name: str) -> list[object]:
    """Table, plot series and chart nodes of a spectrum; no layout is switched."""
    ppm, values = spectrum(spectra)
    return _chart(scene, name, ppm, {"magnitude": values}, "magnitude")


def _chart(scene: object, name: str, ppm: np.ndarray, curves: dict[str, np.ndarray], axis: str) -> list[object]:
    """Table, plot series and chart nodes of curves over ppm."""
    table_node = scene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} spectrum")
    set_columns(table_node, {"ppm": ppm} | curves, np.float64)
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", f"{name} spectrum")
    nodes = [table_node]
    for title in curves:
        series = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name if len(curves) == 1 else f"{name} {title}")
        series.SetAndObserveTableNodeID(table_node.GetID())
        series.SetXColumnName("ppm")
        series.SetYColumnName(title)
        series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
        series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
        series.SetColor(*COLOURS[title])
        chart.AddAndObservePlotSeriesNodeID(series.GetID())
        nodes.append(series)
    chart.SetXAxisTitle("ppm")
    chart.SetYAxisTitle(axis)
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(SHOWN[1], SHOWN[0])  # from left to right downwards, as spectra are read
    chart.SetLegendVisibility(len(curves) > 1)
    return [*nodes, chart]
