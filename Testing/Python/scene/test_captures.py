"""Pictures in the scene: in their colours, under their visit, over the T1CE where they lie, and never measured."""

import sys
from pathlib import Path

import numpy as np
import pytest
import slicer
from vtkmodules.util.numpy_support import vtk_to_numpy
from vtkmodules.vtkCommonMath import vtkMatrix4x4

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import dicom_writing as write

from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.reading import read_visit
from PseudoProgressionAnalyzerLib.analysis.run import start
from PseudoProgressionAnalyzerLib.formats.dicom_pictures import is_picture
from PseudoProgressionAnalyzerLib.patient import read
from PseudoProgressionAnalyzerLib.scene import timeline
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.candidates import candidates
from PseudoProgressionAnalyzerLib.scene.captures import put_picture
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, from_vtk, linked, marked
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.segment_statistics import measure_segment
from PseudoProgressionAnalyzerLib.scene.segments import put_segment
from PseudoProgressionAnalyzerLib.scene.timeline_rows import Row, available_rows

CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
VISIT = "2023-01-10"


def colour_slices(folder, name, frame, planes=3):
    """A colour map of this many slices; frame: UID of its coordinates, None for pages that lie nowhere."""
    random = np.random.default_rng(7)
    colours = random.integers(0, 255, (planes, 5, 6, 3), dtype=np.uint8)
    nowhere = {} if frame else {"ImagePositionPatient": None, "ImageOrientationPatient": None, "PixelSpacing": None}
    for k, plane in enumerate(colours):
        where = {"ImagePositionPatient": [0, 0, 2 * k]} if frame else nowhere
        dataset = write.instance(
            np.zeros((5, 6), np.uint8), series=name, number=k + 1, SeriesDescription=name, SOPClassUID=CAPTURE,
            SeriesNumber=9, FrameOfReferenceUID=frame, **where,
        )  # fmt: skip
        dataset.SamplesPerPixel, dataset.PhotometricInterpretation, dataset.PlanarConfiguration = 3, "RGB", 0
        dataset.PixelData = plane.tobytes()
        write.save(dataset, folder / name / f"{k}.dcm")
    return colours


@pytest.fixture
def patient(tmp_path):
    """A T1CE in coordinates 1.2.3, and pictures: in the same ones, in others, and in none."""
    values = np.arange(3 * 5 * 6, dtype=np.uint16).reshape(3, 5, 6)
    write.volume(tmp_path / "t1", values, FrameOfReferenceUID="1.2.3", ContrastBolusAgent="Gadobutrol")
    colours = {
        name: colour_slices(tmp_path, name, frame)
        for name, frame in (("CBF colour", "1.2.3"), ("elsewhere", "9.9"), ("screenshot", None))
    }
    return read(tmp_path), colours


@pytest.fixture
def shown(app, patient):
    found, colours = patient
    analysis = start(found)
    read_visit(analysis, VISIT)
    node = build_scene(app, analysis)
    visit = found.visit(VISIT)
    pictures = {series.description: series for series in visit.set_aside if is_picture(series)}
    assert set(pictures) == set(colours)
    placed = {name: put_picture(node, found, visit, series, "why")[0] for name, series in pictures.items()}
    return app, node, analysis, placed, colours


def test_colours_and_places_are_those_of_the_files(shown):
    _, _, _, placed, colours = shown
    for name, node in placed.items():
        values = vtk_to_numpy(node.GetImageData().GetPointData().GetScalars())
        assert np.array_equal(values.reshape(colours[name].shape), colours[name])
        assert node.GetVoxelVectorType() == node.VoxelVectorTypeColorRGB
        assert (node.GetDescription(), marked(node, "kind")) == ("why", Kind.PICTURE)
        assert not node.GetSaveWithScene()  # names may be written into it
    matrix = vtkMatrix4x4()
    placed["CBF colour"].GetIJKToRASMatrix(matrix)
    assert np.allclose(from_vtk(matrix), np.diag([-1, -1, 2, 1]))


def test_only_what_lies_in_the_coordinates_of_the_t1ce_is_laid_over_it(shown):
    app, node, _, placed, _ = shown
    rows = {row.overlay for row in available_rows(node)}
    assert "CBF colour (viewing only)" in rows
    assert not rows & {"elsewhere (viewing only)", "screenshot (viewing only)"}
    timeline.show(app, [Row("T1CE", "CBF colour (viewing only)")])
    (view,) = timeline.view_nodes(app)
    composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
    assert composite.GetForegroundVolumeID() == placed["CBF colour"].GetID()
    assert slicer.vtkSlicerColorLogic.GetColorLegendDisplayNode(placed["CBF colour"]) is None


def test_under_its_visit_and_along_with_its_transform(shown):
    app, node, analysis, placed, _ = shown
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(app.scene)
    for picture in placed.values():
        assert tree.GetItemName(tree.GetItemParent(tree.GetItemByDataNode(picture))) == VISIT
        assert picture.GetTransformNodeID() is None
    analysis.reference_visit = VISIT
    analysis.visit_to_reference[VISIT] = np.eye(4)
    build_scene(app, analysis)
    transform = find(node, Kind.VISIT_TO_REFERENCE, VISIT).GetID()
    assert placed["CBF colour"].GetTransformNodeID() == placed["elsewhere"].GetTransformNodeID() == transform
    assert placed["screenshot"].GetTransformNodeID() is None  # it lies nowhere


def test_nothing_is_measured_in_it(shown):
    app, node, analysis, placed, _ = shown
    segmentation = app.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "drawn")
    mask = np.ones((3, 5, 6), bool)
    image = analysis.images[VISIT, "T1CE"]
    segment = put_segment(segmentation, "drawn", "lesion", type(image)(mask, image.affine))
    segment = segment or segmentation.GetSegmentation().GetNthSegmentID(0)
    assert measure_segment(segmentation, segment, find(node, Kind.IMAGE, VISIT, "T1CE"))
    for picture in placed.values():
        assert measure_segment(segmentation, segment, picture) == {}
    assert not [each for each in candidates(app.scene) if each.node in placed.values()]
    again = read_scene(app.scene).analysis
    assert isinstance(again, Analysis) and set(again.images) == {(VISIT, "T1CE")} and not again.maps


def test_looked_at_twice_is_there_once(shown, patient):
    _, node, _, _, _ = shown
    found = patient[0]
    visit = found.visit(VISIT)
    series = next(series for series in visit.set_aside if series.description == "screenshot")
    put_picture(node, found, visit, series, "why")
    assert len(linked(node, Kind.PICTURE)) == 3
