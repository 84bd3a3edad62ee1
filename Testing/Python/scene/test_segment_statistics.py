"""A segment in any volume: hand-made values, and the same numbers as the module's own measurements."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find
from PseudoProgressionAnalyzerLib.scene.segment_statistics import measure_segment
from PseudoProgressionAnalyzerLib.scene.segments import put_segment, segment_of

FINE = np.diag([1.0, 1, 1, 1])
COARSE = np.diag([2.0, 2, 2, 1]) + np.array([[0, 0, 0, 0.5]] * 3 + [[0, 0, 0, 0]])
"""Each voxel covers eight of the fine ones exactly."""


@pytest.fixture
def scene(app):
    """A coarse volume of 10 left and 4 right of a plane, and a segment that takes half a voxel of the right side."""
    values = np.full((8, 8, 8), 4.0)
    values[:, :, :4] = 10.0
    volume = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "perfusion")
    nodes.set_image(volume, Image(values, COARSE))
    segmentation = app.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    mask = np.zeros((16, 16, 16), bool)
    mask[2:10, 2:10, 4:9] = True  # two whole coarse columns and half of the third
    put_segment(segmentation, "tumor", "lesion", Image(mask, FINE))
    white = np.zeros((16, 16, 16), bool)
    white[2:10, 2:10, 12:16] = True
    put_segment(segmentation, "NAWM", "reference", Image(white, FINE))
    return volume, segmentation


def test_weights_are_shares_of_voxels(scene):
    """4 x 4 x (2 whole of 10 and one half of 4): mean (2 * 10 + 0.5 * 4) / 2.5 = 8.8."""
    volume, segmentation = scene
    found = measure_segment(segmentation, segment_of(segmentation, "tumor"), volume)
    assert found["mean"] == pytest.approx(8.8)
    assert found["median"] == pytest.approx(10.0)
    assert found["covered_percent"] == pytest.approx(100.0)
    assert found["effective_voxels"] == pytest.approx(16 * 2.5**2 / 2.25)  # Kish: (sum w)^2 / sum w^2
    assert found["ratio_mean"] == pytest.approx(8.8 / 4.0)


def test_what_is_named_after_white_matter_and_is_not_healthy_is_no_reference(scene):
    """The mean of NAWM alone is 4; with the 10 of the oedema the ratio would be smaller."""
    volume, segmentation = scene
    wet = np.zeros((16, 16, 16), bool)
    wet[10:16, 10:16, :8] = True
    put_segment(segmentation, "white matter edema", "free", Image(wet, FINE))
    found = measure_segment(segmentation, segment_of(segmentation, "tumor"), volume)
    assert found["ratio_mean"] == pytest.approx(8.8 / 4.0)


def test_the_volume_may_stand_under_a_transform(app, scene):
    volume, segmentation = scene
    expected = measure_segment(segmentation, segment_of(segmentation, "tumor"), volume)
    turn = np.eye(4)
    turn[:2, :2], turn[:3, 3] = [[0.8, -0.6], [0.6, 0.8]], (30, -4, 5)
    transform = app.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode")
    transform.SetMatrixTransformToParent(nodes.to_vtk(turn))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    moved = measure_segment(segmentation, segment_of(segmentation, "tumor"), volume)
    assert moved.get("mean") != pytest.approx(expected["mean"])
    segmentation.SetAndObserveTransformNodeID(transform.GetID())
    assert measure_segment(segmentation, segment_of(segmentation, "tumor"), volume) == pytest.approx(expected)


def test_what_cannot_be_trusted_is_absent(app, scene):
    volume, segmentation = scene
    one = np.zeros((16, 16, 16), bool)
    one[4, 4, 4] = True
    put_segment(segmentation, "dot", "lesion", Image(one, FINE))
    assert set(measure_segment(segmentation, segment_of(segmentation, "dot"), volume)) == {
        "effective_voxels", "covered_percent"
    }  # fmt: skip
    values = nodes.get_image(volume).array
    values[:, :, 2:4] = np.nan
    found = measure_segment(segmentation, segment_of(segmentation, "tumor"), volume)
    assert found["covered_percent"] == pytest.approx(20.0)
    assert "mean" not in found
    assert measure_segment(segmentation, segment_of(segmentation, "tumor"), None) == {}


def test_no_ratio_without_reference_tissue(scene):
    volume, segmentation = scene
    segmentation.GetSegmentation().RemoveSegment(segment_of(segmentation, "NAWM"))
    assert "ratio_mean" not in measure_segment(segmentation, segment_of(segmentation, "tumor"), volume)


def test_the_same_numbers_as_our_own_table(app, analysis, phantom):
    """Of the lesion in the ratio map: mean and 95th percentile of measurements.csv; a ratio has no ratio."""
    patient = build_scene(app, analysis)
    visit = phantom.visits[0]
    node, volume = find(patient, Kind.LESION, visit), find(patient, Kind.MAP, visit, "rCBV_ratio")
    found = measure_segment(node, segment_of(node, "lesion"), volume)
    rows = {
        row.name: row.value
        for row in analysis.measurements
        if (row.visit, row.region, row.kind, row.compared_to) == (visit, "lesion", "own", "")
    }
    assert found["mean"] == pytest.approx(rows["rCBV_ratio_mean"], rel=1e-6)
    assert found["p95"] == pytest.approx(rows["rCBV_ratio_p95"], rel=1e-6)
    assert "ratio_mean" not in found
    plain = measure_segment(node, segment_of(node, "lesion"), find(patient, Kind.MAP, visit, "rCBV"))
    white = find(patient, Kind.REFERENCE, visit)
    (segment,) = white.GetSegmentation().GetSegmentIDs()
    reference = measure_segment(white, segment, find(patient, Kind.MAP, visit, "rCBV"))["mean"]
    assert plain["ratio_mean"] == pytest.approx(plain["mean"] / reference)


def test_what_lies_beyond_the_volume_is_not_covered(scene):
    """Of the four planes of coarse voxels that the segment fills the volume shows the upper three, then one."""
    volume, segmentation = scene
    whole = nodes.get_image(volume)
    for first, percent in ((2, 75.0), (4, 25.0)):
        affine = COARSE.copy()
        affine[:3, 3] += affine[:3, 2] * first
        nodes.set_image(volume, Image(whole.array[first:].copy(), affine))
        found = measure_segment(segmentation, segment_of(segmentation, "tumor"), volume)
        assert found["covered_percent"] == pytest.approx(percent)
        assert ("mean" in found) == (percent > 50)
