"""A spectrum in the scene: lines where they were put, read from right to left, and no layout switched."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.formats.spectra_lcmodel import FitElsewhere
from PseudoProgressionAnalyzerLib.measures import Spectra
from PseudoProgressionAnalyzerLib.scene.spectrum_nodes import SHOWN, put_results, put_spectrum, spectrum

FREQUENCY, DWELL, POINTS = 123.2, 1 / 2000, 2048


@pytest.fixture
def spectra():
    """Lines of NAA and choline in one voxel of two, in the sense of NIfTI-MRS: metabolites at positive frequency."""
    time = np.arange(POINTS) * DWELL
    lines = sum(
        h * np.exp(2j * np.pi * (4.65 - ppm) * FREQUENCY * time - 8 * time) for ppm, h in ((2.01, 2), (3.21, 1))
    )
    fid = np.zeros((1, 1, 2, POINTS), complex)
    fid[0, 0, 1] = lines
    fid[0, 0, 0] = 0.01 * lines[::-1]
    return Spectra(fid, DWELL, FREQUENCY, 0.03, "1H", np.eye(4))


def test_lines_stand_where_they_were_put(spectra):
    ppm, values = spectrum(spectra)
    assert ppm[np.argmax(values)] == pytest.approx(2.01, abs=0.01)
    choline = (ppm > 3.1) & (ppm < 3.3)
    assert ppm[choline][np.argmax(values[choline])] == pytest.approx(3.21, abs=0.01)
    assert values[choline].max() / values.max() == pytest.approx(0.5, abs=0.05)


def test_a_turned_axis_would_fail(spectra):
    spectra.fid = spectra.fid[:, :, 1:].conj()
    ppm, values = spectrum(spectra)
    assert abs(ppm[np.argmax(values)] - 2.01) > 0.5


def test_the_voxel_is_one_of_brain_and_its_water_is_gone(spectra):
    """A second voxel holds a hundred times as much fat, both a foot of water that is higher than any line."""
    time = np.arange(POINTS) * DWELL
    spectra.fid[0, 0, 0] = 100 * np.exp(2j * np.pi * (4.65 - 1.3) * FREQUENCY * time - 60 * time)
    spectra.fid += 40 * np.exp(2j * np.pi * 2.0 * time - 20 * time)
    ppm, values = spectrum(spectra)
    assert ppm[np.argmax(values)] == pytest.approx(2.01, abs=0.01)


def test_it_is_read_from_right_to_left(app, spectra):
    table, series, chart = put_spectrum(app.scene, spectra, "voxel")
    ppm = table.GetTable().GetColumnByName("ppm")
    assert ppm.GetValue(0) > ppm.GetValue(1)
    assert tuple(chart.GetXAxisRange()) == SHOWN[::-1]
    assert series.GetTableNode() is table
    assert chart.GetNthPlotSeriesNode(0) is series
    assert app.scene.GetFirstNodeByClass("vtkMRMLLayoutNode") is None


def test_results_of_another_fit_are_a_table_and_their_curves(app):
    ppm = np.linspace(4.0, 0.2, 20)
    one = FitElsewhere({"NAA": 8.5, "Cr": 6.0}, {"NAA": 4.0, "Cr": 5.0}, ppm, ppm + 1, ppm, 0 * ppm)
    table, curves, *series, chart = put_results(app.scene, {"": one}, "svs.COORD")
    shown = table.GetTable()
    names = [shown.GetColumnName(number) for number in range(shown.GetNumberOfColumns())]
    assert names == ["metabolite", "amount", "error (%)"]
    assert [shown.GetValue(0, column).ToString() for column in range(3)] == ["NAA", "8.5", "4"]
    assert len(series) == 3 and chart.GetNumberOfPlotSeriesNodes() == 3 and chart.GetLegendVisibility()
    assert curves.GetTable().GetColumnByName("data").GetValue(0) == pytest.approx(5.0)
    several = {"row 1, column 1": one, "row 1, column 2": one}
    (table,) = put_results(app.scene, several, "grid.csv")
    assert table.GetTable().GetNumberOfRows() == 4 and table.GetTable().GetColumnName(0) == "voxel"
