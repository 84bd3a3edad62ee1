"""A spectrum of any vendor as Slicer's table and plot, so that it can be looked at without a patient."""

from __future__ import annotations

import numpy as np
import slicer
from vtkmodules.vtkCommonCore import vtkDoubleArray
from vtkmodules.vtkCommonDataModel import vtkTable

from ..formats.spectra_axis import CENTRE
from ..measures import Spectra

SHOWN = (0.2, 4.3)  # ppm
BROADENING = 2.0  # Hz of exponential line broadening: for the eye alone


def spectrum(spectra: Spectra) -> tuple[np.ndarray, np.ndarray]:
    """ppm, falling as people read it, and the magnitude spectrum of the voxel with the most signal, both ``(points,)``.

    Magnitude, because the phase is not known before a fit.
    """
    flat = spectra.fid.reshape(-1, spectra.fid.shape[-1])
    strongest = flat[np.argmax(np.einsum("vt,vt->v", flat, flat.conj()).real)]
    time = np.arange(strongest.size) * spectra.dwell_time
    values = np.abs(np.fft.fft(strongest * np.exp(-np.pi * BROADENING * time)))
    ppm = CENTRE - np.fft.fftfreq(strongest.size, spectra.dwell_time) / spectra.spectrometer_frequency
    order = np.argsort(-ppm)
    ppm, values = ppm[order], values[order]
    shown = (ppm >= SHOWN[0]) & (ppm <= SHOWN[1])
    return ppm[shown], values[shown]


def put_spectrum(scene: object, spectra: Spectra, name: str) -> list[object]:
    """Table, plot series and chart nodes of a spectrum; no layout is switched."""
    ppm, values = spectrum(spectra)
    table = vtkTable()
    for title, column in (("ppm", ppm), ("signal", values)):
        array = vtkDoubleArray()
        array.SetName(title)
        for value in column:
            array.InsertNextValue(float(value))
        table.AddColumn(array)
    table_node = scene.AddNewNodeByClass("vtkMRMLTableNode", f"{name} spectrum")
    table_node.SetAndObserveTable(table)
    series = scene.AddNewNodeByClass("vtkMRMLPlotSeriesNode", name)
    series.SetAndObserveTableNodeID(table_node.GetID())
    series.SetXColumnName("ppm")
    series.SetYColumnName("signal")
    series.SetPlotType(slicer.vtkMRMLPlotSeriesNode.PlotTypeScatter)
    series.SetMarkerStyle(slicer.vtkMRMLPlotSeriesNode.MarkerStyleNone)
    series.SetColor(0.0, 0.45, 0.70)
    chart = scene.AddNewNodeByClass("vtkMRMLPlotChartNode", f"{name} spectrum")
    chart.AddAndObservePlotSeriesNodeID(series.GetID())
    chart.SetXAxisTitle("ppm")
    chart.SetYAxisTitle("magnitude")
    chart.SetXAxisRangeAuto(False)
    chart.SetXAxisRange(SHOWN[1], SHOWN[0])  # from left to right downwards, as spectra are read
    chart.SetLegendVisibility(False)
    return [table_node, series, chart]
