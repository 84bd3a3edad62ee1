"""A voxel's spectrum as plot nodes, and which voxel a point of the scene lies in."""

from dataclasses import replace

import numpy as np
import pytest
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonTransforms import vtkGeneralTransform
from vtkmodules.vtkFiltersCore import vtkMassProperties, vtkTriangleFilter

from PseudoProgressionAnalyzerLib.analysis.placing import voxel_at
from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.display import Scale, chosen_scale
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked
from PseudoProgressionAnalyzerLib.scene.save import open_scene, save_mrb
from PseudoProgressionAnalyzerLib.scene.spectrum_cell import hide_cell, mark_cell
from PseudoProgressionAnalyzerLib.scene.spectrum_plot import (
    OVERLAP,
    choose_whole_grid,
    show_grid,
    show_spectrum,
    whole_grid,
    write_overlaps,
)
from PseudoProgressionAnalyzerLib.scene.timeline_overlays import range_of, set_range


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
            assert voxel_at(analysis, visit, "MRSI", found, inside[:3]) == voxel
        assert voxel_at(analysis, visit, "MRSI", found, (to_world @ [0, 0, 0.6, 1])[:3]) is None
        assert voxel_at(analysis, visit, "MRSI", found, (to_world @ [5.6, 0, 0, 1])[:3]) is None


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


def test_each_voxel_fills_the_height_of_the_plot(patient, analysis, phantom):
    """A weak voxel after a strong one is no flat line."""
    curves = analysis.spectra_fits[phantom.visits[0], "MRSI"].curves((0, 0, 2))
    weak = replace(curves, data=curves.data / 50, fit=curves.fit / 50, baseline=curves.baseline / 50)
    heights = []
    for each in (curves, weak, curves):
        chart = show_spectrum(patient, each, "voxel")
        table = find(patient, Kind.SPECTRUM, name="table").GetTable()
        drawn = np.stack([vtk_to_numpy(table.GetColumnByName(name)) for name in ("data", "fit", "baseline", "rest")])
        low, high = chart.GetYAxisRange()
        assert not chart.GetYAxisRangeAuto() and low < drawn.min() and drawn.max() < high
        assert np.ptp(drawn) / (high - low) > 0.85
        heights.append(high - low)
    assert np.allclose(heights, [heights[0], heights[0] / 50, heights[0]], rtol=1e-5)


def test_overlap_maps_show_what_counts(patient, analysis, phantom):
    write_overlaps(patient, analysis)
    for visit in phantom.visits[:2]:
        found = analysis.spectra_fits[visit, "MRSI"]
        shown = nodes.get_image(find(patient, Kind.MAP, visit, OVERLAP)).array
        assert shown.shape == found.shape and not np.isfinite(shown[~found.accepted]).any()
        values = shown[np.isfinite(shown)]
        assert ((values > 0) & (values <= 1 + 1e-6)).all()


def shown(patient, analysis, name):
    """Low and high colour, and threshold, in each visit."""
    visits = [visit for visit, map_name in analysis.maps if map_name == name]
    displays = [find(patient, Kind.MAP, visit, name).GetDisplayNode() for visit in visits]
    return [(one.GetWindowLevelMin(), one.GetWindowLevelMax(), one.GetLowerThreshold()) for one in displays]


def test_the_whole_grid_is_coloured_and_the_scale_comes_back(patient, analysis):
    name = "Cho_NAA_molar"
    values = np.concatenate(
        [one.array.ravel() for (_visit, map_name), one in analysis.maps.items() if map_name == name]
    )
    before = shown(patient, analysis, name)
    assert whole_grid(patient) is None
    for _ in range(2):  # twice is as once
        choose_whole_grid(patient, True)
        for (low, high, threshold), (_, high_before, _) in zip(shown(patient, analysis, name), before, strict=True):
            assert threshold < np.nanmin(values)
            assert low <= np.nanpercentile(values, 6) and high == high_before
    choose_whole_grid(patient, False)
    assert np.allclose(shown(patient, analysis, name), before)


def test_the_whole_grid_stays_when_maps_are_built_again_or_the_scene_is_opened(app, patient, analysis, tmp_path):
    name = "Cho_NAA_molar"
    choose_whole_grid(patient, True)
    before = shown(patient, analysis, name)
    build_scene(app, analysis)
    assert np.allclose(shown(patient, analysis, name), before)
    save_mrb(app.scene, tmp_path / "scene.mrb")
    other = application()
    open_scene(other, tmp_path / "scene.mrb")
    opened = nodes.patient_node(other.scene)
    assert whole_grid(opened) is True
    assert np.allclose(shown(opened, analysis, name), before)


def test_moving_the_upper_end_of_a_whole_grid_keeps_the_low_end_of_the_scale(app, patient, analysis):
    name = "Cho_NAA_molar"
    scale = range_of(app, name)
    choose_whole_grid(patient, True)
    low = shown(patient, analysis, name)[0][0]
    assert low < scale.low and range_of(app, name) == scale
    set_range(app, name, scale.low, 1.5 * scale.high)
    assert chosen_scale(patient, name) == Scale(scale.low, 1.5 * scale.high)
    assert {(one[0], one[1]) for one in shown(patient, analysis, name)} == {(low, 1.5 * scale.high)}
    choose_whole_grid(patient, False)
    (found,) = set(shown(patient, analysis, name))
    assert found == pytest.approx((scale.low, 1.5 * scale.high, scale.low))


def test_other_maps_are_no_grids(patient, analysis):
    before = shown(patient, analysis, "rCBV_ratio")
    choose_whole_grid(patient, True)
    show_grid(patient, "rCBV_ratio")
    assert shown(patient, analysis, "rCBV_ratio") == before


def test_the_voxel_of_the_spectrum_is_outlined_where_it_lies(patient, analysis, phantom):
    """Its box holds the points that ``voxel_at`` says lie in it, and no others; one box at a time."""
    for visit, voxel in ((phantom.visits[0], (0, 2, 1)), (phantom.visits[1], (0, 3, 4))):
        node, spectra = mark_cell(patient, analysis, visit, "MRSI", voxel), analysis.spectra_fits[visit, "MRSI"]
        assert node.GetDisplayNode().GetVisibility() and node.GetDisplayNode().GetVisibility2D()
        transform = vtkGeneralTransform()
        if node.GetParentTransformNode() is not None:
            node.GetParentTransformNode().GetTransformToWorld(transform)
        box = vtk_to_numpy(node.GetPolyData().GetPoints().GetData())
        world = np.array([transform.TransformPoint(*map(float, point)) for point in box])
        middle = world.mean(axis=0)
        for share, inside in ((0.98, True), (1.02, False)):
            for corner in world:
                found = voxel_at(analysis, visit, "MRSI", spectra, middle + share * (corner - middle))
                assert (found == voxel) is inside
        volume = abs(np.linalg.det(spectra.affine[:3, :3]))
        mass = vtkMassProperties()
        closed = vtkTriangleFilter()
        closed.SetInputData(node.GetPolyData())
        mass.SetInputConnection(closed.GetOutputPort())
        assert mass.GetVolume() == pytest.approx(volume, rel=1e-4)
        assert not node.GetSaveWithScene()
    assert len([one for one in linked(patient, Kind.SPECTRUM) if one.IsA("vtkMRMLModelNode")]) == 1
    hide_cell(patient)
    assert not node.GetDisplayNode().GetVisibility()
    hide_cell(None)


def test_data_and_what_is_left_of_them_are_told_apart(patient, analysis, phantom):
    """By lightness too, as in print or with no colour vision (CIE L* of sRGB); axes say their units."""
    found = analysis.spectra_fits[phantom.visits[0], "MRSI"]
    chart = show_spectrum(patient, found.curves((0, 0, 2)), "voxel")
    light = {}
    for name in ("data", "fit", "baseline", "rest"):
        linear = np.power(find(patient, Kind.SPECTRUM, name=name).GetColor(), 2.2)
        light[name] = 116 * np.cbrt(linear @ [0.2126, 0.7152, 0.0722]) - 16
    assert light["rest"] - light["data"] > 25 and light["fit"] - light["data"] > 20
    assert "(ppm)" in chart.GetXAxisTitle() and "units" in chart.GetYAxisTitle()
