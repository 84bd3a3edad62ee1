"""A spectrum in the scene: lines where they were put, read from right to left, and no layout switched."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.measures import Spectra
from PseudoProgressionAnalyzerLib.scene.spectrum_nodes import SHOWN, put_spectrum, spectrum

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
    spectra.fid = spectra.fid.conj()
    ppm, values = spectrum(spectra)
    assert abs(ppm[np.argmax(values)] - 2.01) > 0.5


def test_it_is_read_from_right_to_left(app, spectra):
    table, series, chart = put_spectrum(app.scene, spectra, "voxel")
    ppm = table.GetTable().GetColumnByName("ppm")
    assert ppm.GetValue(0) > ppm.GetValue(1)
    assert tuple(chart.GetXAxisRange()) == SHOWN[::-1]
    assert series.GetTableNode() is table
    assert chart.GetNthPlotSeriesNode(0) is series
    assert app.scene.GetFirstNodeByClass("vtkMRMLLayoutNode") is None
