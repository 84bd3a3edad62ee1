"""The signal curve of a voxel: the right voxel through all transforms, in per cent of its baseline, as a plot."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.placing import voxel_at
from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.curve_plot import changed_file, curves_of, file_entry, show_curves
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked
from PseudoProgressionAnalyzerLib.scene.read import read_scene

VISIT = "2023-03-01"


@pytest.fixture
def drawn(app, analysis):
    """The scene's own analysis, with curves as the job makes them."""
    build_scene(app, analysis)
    found = read_scene(app.scene).analysis
    rate = np.array([0, 0, 0, 0, 8.0, 3, 1, 1])
    found.curves[VISIT, "DSC"] = {
        "time": np.arange(8) * 1.5,
        "lesion_signal": 50 * np.exp(-0.06 * rate),
        "reference_rate": rate,
        "frames": np.array([1, 4, 4, 6]),
    }
    return found


def test_a_point_of_the_scene_finds_its_voxel(drawn, phantom):
    grid = drawn.maps[VISIT, "rCBV"]
    to_world = phantom.to_reference[VISIT] @ phantom.dsc_to_visit @ grid.affine
    for voxel in ((0, 0, 0), (3, 7, 11), (19, 33, 33)):
        world = to_world @ [*voxel[::-1], 1]
        assert voxel_at(drawn, VISIT, "DSC", grid, world[:3]) == voxel
        assert voxel_at(drawn, VISIT, "DSC", grid, world[:3] + 0.4 * to_world[:3, 0]) == voxel
    assert voxel_at(drawn, VISIT, "DSC", grid, (to_world @ [-1, 0, 0, 1])[:3]) is None


def test_curves_are_per_cent_of_their_own_baseline(drawn):
    signal = np.array([300.0, 200, 200, 200, 100, 150, 190, 190])  # the first frame is before the steady state
    found = curves_of(drawn, VISIT, signal)
    assert found["voxel"][4] == 50
    assert found["voxel"][0] == 150
    assert found["reference"][4] == pytest.approx(100 * np.exp(-0.03 * 8))
    assert found["lesion"][4] == pytest.approx(100 * np.exp(-0.06 * 8))
    assert "voxel" not in curves_of(drawn, VISIT)
    assert "voxel" not in curves_of(drawn, VISIT, np.zeros(8))


def test_the_plot_holds_the_curves_and_marks_and_is_not_saved(app, drawn):
    patient = nodes.patient_node(app.scene)
    chart = show_curves(patient, drawn, VISIT, curves_of(drawn, VISIT, np.linspace(200, 100, 8)), "a title")
    assert chart.GetTitle() == "a title"
    assert chart.GetNumberOfPlotSeriesNodes() == 5
    bolus = find(patient, Kind.CURVE, name="bolus table").GetTable()
    assert [bolus.GetValue(row, 0).ToDouble() for row in (0, 1)] == [6.0, 6.0]  # frame 4 of 1.5 s
    again = show_curves(patient, drawn, VISIT, curves_of(drawn, VISIT), "without a voxel")
    assert again is chart
    assert chart.GetNumberOfPlotSeriesNodes() == 4
    assert all(not node.GetSaveWithScene() for node in linked(patient, Kind.CURVE))


def test_a_series_that_changed_on_disk_is_named(app, drawn):
    patient = nodes.patient_node(app.scene)
    entry = file_entry(patient, VISIT)
    assert entry["role"] == "DSC"
    assert changed_file(entry) is None
    assert changed_file({**entry, "sha256": "0"}).code == "scene_file_changed"
    gone = {**entry, "files": ["/nowhere.nii"], "path": "/nowhere.nii"}
    assert changed_file(gone).code == "scene_file_missing"
    assert changed_file({}) is None
