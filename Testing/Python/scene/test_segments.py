"""Regions as segments: exact on oblique grids, in shared labelmaps, under transforms and after saving."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.save import open_scene, save_mrb
from PseudoProgressionAnalyzerLib.scene.segments import (
    fingerprint,
    on_grid,
    put_segment,
    regions_of,
    segment_mask,
    segment_of,
)

SHAPE = (20, 40, 36)
NAMES = ('odd | name: "a", 100 %', "b", "c")


@pytest.fixture
def affine():
    directions, _ = np.linalg.qr(np.random.default_rng(1).normal(size=(3, 3)))
    matrix = np.eye(4)
    matrix[:3, :3] = directions * [0.9, 1.1, 3.3]
    matrix[:3, 3] = [1 / 3, -20.123456, 5]
    return matrix


@pytest.fixture
def masks():
    """A speckled block, a small one beside it and one that overlaps the first."""
    random = np.random.default_rng(2)
    array = np.zeros((3, *SHAPE), dtype=bool)
    array[0, 5:12, 10:25, 8:20] = random.random((7, 15, 12)) > 0.5
    array[1, 15:18, 30:34, 28:33] = True
    array[2, 9:16, 18:30, 12:30] = True
    return dict(zip(NAMES, array, strict=True))


@pytest.fixture
def drawn(app, affine, masks):
    volume = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1CE")
    nodes.set_image(volume, Image(np.zeros(SHAPE, np.float32), affine))
    node = app.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "regions")
    node.SetReferenceImageGeometryParameterFromVolumeNode(volume)
    for name, mask in masks.items():
        put_segment(node, name, "lesion", Image(mask, affine))
    return node


def check(node, masks, affine):
    assert sorted(regions_of(node).values()) == sorted(masks)
    for name, mask in masks.items():
        found = segment_mask(node, segment_of(node, name))
        assert np.array_equal(on_grid(found, Image(mask, affine)).array, mask)
        assert found.array.any(axis=(1, 2)).all()  # cropped to what is drawn


def test_every_voxel_comes_back(drawn, masks, affine):
    check(drawn, masks, affine)


def test_segments_in_one_labelmap_are_told_by_their_value(drawn, masks, affine):
    segmentation = drawn.GetSegmentation()
    segmentation.CollapseBinaryLabelmaps(False)
    assert segmentation.GetNumberOfLayers() == 2  # two of three share one
    values = [segmentation.GetSegment(segment).GetLabelValue() for segment in segmentation.GetSegmentIDs()]
    assert sorted(values) == [1, 1, 2]
    check(drawn, masks, affine)


def test_under_a_transform_voxels_and_own_frame_stay(app, drawn, masks, affine):
    transform = app.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "move")
    transform.SetMatrixTransformToParent(
        nodes.to_vtk(np.array([[0, -1, 0, 9], [1, 0, 0, 8], [0, 0, 1, 7], [0, 0, 0, 1]]))
    )
    drawn.SetAndObserveTransformNodeID(transform.GetID())
    check(drawn, masks, affine)


def test_after_saving(app, drawn, masks, affine, tmp_path):
    save_mrb(app.scene, tmp_path / "scene.mrb")
    other = application()
    open_scene(other, tmp_path / "scene.mrb")
    node = other.scene.GetFirstNodeByName("regions")
    check(node, masks, affine)
    assert "Mass" in node.GetSegmentation().GetSegment(segment_of(node, "b")).GetTerminology()


def test_writing_again_changes_one_region_only(drawn, masks, affine):
    masks["b"] = np.roll(masks["b"], (-2, -1, -3), axis=(0, 1, 2))
    put_segment(drawn, "b", "lesion", Image(masks["b"], affine))
    check(drawn, masks, affine)
    modified = drawn.GetSegmentation().GetMTime()
    put_segment(drawn, "b", "lesion", Image(masks["b"], affine))
    assert drawn.GetSegmentation().GetMTime() == modified  # nothing to do


def test_an_empty_segment_is_an_empty_mask(drawn, affine):
    segment = drawn.GetSegmentation().AddEmptySegment("new", "new")
    assert not segment_mask(drawn, segment).array.any()
    put_segment(drawn, "b", "lesion", Image(np.zeros(SHAPE, bool), affine))
    assert not segment_mask(drawn, segment_of(drawn, "b")).array.any()


def test_a_renamed_segment_is_still_the_region(drawn):
    segment = segment_of(drawn, "b")
    drawn.GetSegmentation().GetSegment(segment).SetName("other")
    assert regions_of(drawn)[segment] == "b"


def test_on_another_grid_the_nearest_voxel_counts(affine):
    mask = Image(np.ones((4, 6, 6), dtype=bool), np.diag([1.0, 1, 1, 1]))
    coarse = np.diag([2.0, 2, 2, 1])
    coarse[:3, 3] = [0.5, 0.5, 0.5]
    whole = on_grid(mask, Image(np.zeros((5, 5, 5)), coarse)).array
    assert whole[:2, :3, :3].all()
    assert whole.sum() == 2 * 3 * 3


def test_fingerprints_tell_an_edited_mask(affine):
    mask = np.ones((3, 4, 5), dtype=bool)
    edited = mask.copy()
    edited[1, 1, 1] = False
    moved = affine.copy()
    moved[0, 3] += 1
    prints = {fingerprint(Image(mask, affine)), fingerprint(Image(edited, affine)), fingerprint(Image(mask, moved))}
    assert len(prints) == 3
    assert fingerprint(Image(mask.copy(), affine + 1e-12)) == fingerprint(Image(mask, affine))
