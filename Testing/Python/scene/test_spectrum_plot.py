"""A voxel's spectrum as plot nodes, and which voxel a point of the scene lies in."""

import numpy as np
import pytest
from vtkmodules.util.numpy_support import vtk_to_numpy

from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked
from PseudoProgressionAnalyzerLib.scene.spectrum_plot import (
    OVERLAP,
    show_spectrum,
    show_whole_grid,
    voxel_at,
    write_overlaps,
)


@pytest.fixture
def patient(app, analysis, phantom):
    return build_scene(app, analysis, phantom.assessment_json)


def test_a_point_of_the_scene_lies_in_its_voxel(analysis, phantom):
    """The second visit's head lies elsewhere: the point goes through its transform."""
    for visit in phantom.visits[:2]:
        found = analysis.spectra_fits[visit, "MRSI"]
        to_world = analysis.visit_to_reference[visit] @ found.affine
        for voxel in ((0, 0, 0), (0, 3, 4), (0, 2, 1)):
            inside = to_world @ [voxel[2] + 0.4, voxel[1] - 0.4, voxel[0] + 0.3, 1]
            assert voxel_at(analysis, visit, "MRSI", inside[:3]) == voxel
        assert voxel_at(analysis, visit, "MRSI", (to_world @ [0, 0, 0.6, 1])[:3]) is None
        assert voxel_at(analysis, visit, "MRSI", (to_world @ [5.6, 0, 0, 1])[:3]) is None


def test_the_chart_holds_the_curves_and_follows_another_voxel(patient, analysis, phantom):
    found = analysis.spectra_fits[phantom.visits[0], "MRSI"]
    for voxel in ((0, 0, 2), (0, 3, 1)):
        chart = show_spectrum(patient, found.curves(voxel), f"voxel {voxel}")
        table = find(patient, Kind.SPECTRUM, name="table").GetTable()
        for number, name in enumerate(("data", "fit", "baseline")):
            assert np.array_equal(vtk_to_numpy(table.GetColumnByName(name)), found.spectra[voxel][number])
        rest = vtk_to_numpy(table.GetColumnByName("rest"))
        assert rest.min() >= found.spectra[voxel][:2].max() - 1e-5  # above the spectrum
        assert np.allclose(np.diff(rest), np.diff(found.spectra[voxel][0] - found.spectra[voxel][1]), atol=1e-5)
        assert chart.GetTitle() == f"voxel {voxel}"
    assert chart.GetNumberOfPlotSeriesNodes() == 4
    assert chart.GetXAxisRange()[0] > chart.GetXAxisRange()[1]  # high ppm on the left
    assert not any(node.GetSaveWithScene() for node in linked(patient, Kind.SPECTRUM))
    assert len(linked(patient, Kind.SPECTRUM)) == 6


def test_overlap_maps_show_what_counts(patient, analysis, phantom):
    write_overlaps(patient, analysis)
    for visit in phantom.visits[:2]:
        found = analysis.spectra_fits[visit, "MRSI"]
        shown = nodes.get_image(find(patient, Kind.MAP, visit, OVERLAP)).array
        assert shown.shape == found.shape and not np.isfinite(shown[~found.accepted]).any()
        values = shown[np.isfinite(shown)]
        assert ((values > 0) & (values <= 1 + 1e-6)).all()


def test_the_whole_grid_is_coloured_and_the_scale_comes_back(patient, analysis, phantom):
    name = "Cho_NAA_molar"
    visits = [visit for visit, map_name in analysis.maps if map_name == name]
    displays = [find(patient, Kind.MAP, visit, name).GetDisplayNode() for visit in visits]
    values = np.concatenate([analysis.maps[visit, name].array.ravel() for visit in visits])
    before = [(one.GetWindowLevelMin(), one.GetWindowLevelMax(), one.GetLowerThreshold()) for one in displays]
    for _ in range(2):  # twice is as once
        show_whole_grid(patient, name, True)
        for display, (_, high, _) in zip(displays, before, strict=True):
            assert display.GetLowerThreshold() < np.nanmin(values)
            assert display.GetWindowLevelMin() <= np.nanpercentile(values, 6) and display.GetWindowLevelMax() == high
    show_whole_grid(patient, name, False)
    after = [(one.GetWindowLevelMin(), one.GetWindowLevelMax(), one.GetLowerThreshold()) for one in displays]
    assert np.allclose(after, before)
