"""An analysis in the scene: nodes, frames, codes, hierarchy; and the left of the patient stays left."""

import dataclasses
import json

import numpy as np
import pytest
import slicer
from vtkmodules.vtkCommonCore import vtkIdList

from PseudoProgressionAnalyzerLib.imaging.resampling import resample, transform_points, voxel_centres
from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene, share_images
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked, marked, to_world
from PseudoProgressionAnalyzerLib.scene.save import open_scene, save_mrb
from PseudoProgressionAnalyzerLib.scene.segments import segment_mask, segment_of


@pytest.fixture(scope="module")
def module_app():
    return application()


@pytest.fixture
def app(module_app):
    """One scene for all tests that leave it as it was."""
    return module_app


@pytest.fixture(scope="module")
def patient(module_app, analysis, phantom):
    return build_scene(module_app, analysis, phantom.assessment_json)


def children(tree, item):
    ids = vtkIdList()
    tree.GetItemChildren(item, ids)
    return [ids.GetId(number) for number in range(ids.GetNumberOfIds())]


def test_everything_hangs_on_the_patient(patient, analysis, phantom):
    assert {(marked(n, "visit"), marked(n, "name")) for n in linked(patient, Kind.IMAGE)} == set(analysis.images)
    assert {(marked(n, "visit"), marked(n, "name")) for n in linked(patient, Kind.MAP)} == set(analysis.maps)
    for kind in (Kind.LESION, Kind.REFERENCE, Kind.VISIT_TO_REFERENCE, Kind.BRAIN):
        assert {marked(node, "visit") for node in linked(patient, kind)} == set(phantom.visits)
    assert json.loads(patient.GetText())["patient"]["id"] == "case 1"
    assert find(patient, Kind.ASSESSMENT).GetText() == phantom.assessment_json


def test_subject_hierarchy_is_patient_visit_series(app, patient, analysis, phantom):
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(app.scene)
    (top,) = [item for item in children(tree, tree.GetSceneItemID()) if tree.GetItemLevel(item) == "Patient"]
    assert tree.GetItemName(top) == "case 1"
    studies = [item for item in children(tree, top) if tree.GetItemLevel(item) == "Study"]
    assert [tree.GetItemName(item) for item in studies] == [
        "2023-01-10, day 29",
        "2023-03-01, day 79",
        "2023-06-05, day 175",
    ]
    for study, visit in zip(studies, phantom.visits, strict=True):
        held = [tree.GetItemDataNode(item) for item in children(tree, study)]
        assert {marked(node, "visit") for node in held} == {visit}
        kinds = [marked(node, "kind") for node in held]
        assert {Kind.IMAGE, Kind.MAP, Kind.LESION, Kind.REFERENCE, Kind.VISIT_TO_REFERENCE} <= set(kinds)
    loose = {marked(tree.GetItemDataNode(item), "kind") for item in children(tree, top) if tree.GetItemDataNode(item)}
    assert loose == {Kind.PATIENT, Kind.MEASUREMENTS, Kind.ASSESSMENT}


def test_building_again_changes_nothing(app, patient, analysis, phantom):
    before = phantom.node_ids(app.scene)
    volumes = linked(patient, Kind.IMAGE) + linked(patient, Kind.MAP)
    pixels = [node.GetImageData().GetMTime() for node in volumes]
    assert build_scene(app, analysis, phantom.assessment_json) is patient
    assert phantom.node_ids(app.scene) == before
    assert [node.GetImageData().GetMTime() for node in volumes] == pixels
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(app.scene)
    assert len(children(tree, tree.GetSceneItemID())) == 1


def test_building_step_by_step_ends_in_the_same_scene(patient, analysis, phantom):
    app = application()
    early = dataclasses.replace(
        analysis,
        visit_to_reference={},
        series_to_visit={key: np.eye(4) for key in analysis.images},
        maps={},
        brains={},
        references={},
        measurements=[],
        assessments=[],
    )
    build_scene(app, early)
    first = find(nodes.patient_node(app.scene), Kind.IMAGE, phantom.visits[1], "T1CE")
    assert first.GetParentTransformNode() is None
    at_once, patient = patient, build_scene(app, analysis, phantom.assessment_json)
    assert find(patient, Kind.IMAGE, phantom.visits[1], "T1CE") is first
    assert patient.GetText() == at_once.GetText()
    for kind in (Kind.IMAGE, Kind.MAP, Kind.LESION, Kind.REFERENCE):
        for node in linked(patient, kind):
            twin = find(at_once, kind, marked(node, "visit"), marked(node, "name"))
            assert np.array_equal(to_world(node), to_world(twin))


def test_an_interrupted_building_can_be_taken_up_again(patient, analysis, phantom):
    app, calls = application(), []

    def pause():
        calls.append(1)
        if len(calls) == 9:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        build_scene(app, analysis, phantom.assessment_json, pause)
    again = build_scene(app, analysis, phantom.assessment_json, pause)
    assert len(calls) > 25
    for kind in (Kind.IMAGE, Kind.MAP, Kind.BRAIN, Kind.LESION, Kind.REFERENCE, Kind.MEASUREMENTS):
        assert len(linked(again, kind)) == len(linked(patient, kind))


def test_transforms_are_named_by_their_direction(patient, phantom):
    for visit in phantom.visits:
        node = find(patient, Kind.VISIT_TO_REFERENCE, visit)
        assert node.GetName() == f"{visit} moving_to_fixed"
        assert (marked(node, "moving"), marked(node, "fixed")) == (visit, phantom.visits[0])
        assert np.allclose(to_world(find(patient, Kind.IMAGE, visit, "T1CE")), phantom.to_reference[visit], atol=1e-12)


def test_a_series_with_its_own_pose_is_nested(patient, phantom):
    for visit in phantom.visits:
        node = find(patient, Kind.MAP, visit, "rCBV")
        assert np.allclose(to_world(node), phantom.to_reference[visit] @ phantom.dsc_to_visit, atol=1e-12)
        inner = node.GetParentTransformNode()
        assert inner.GetParentTransformNode() is find(patient, Kind.VISIT_TO_REFERENCE, visit)
    assert find(patient, Kind.IMAGE, phantom.visits[1], "T1CE").GetParentTransformNode() is find(
        patient, Kind.VISIT_TO_REFERENCE, phantom.visits[1]
    )


def test_regions_have_the_geometry_and_the_transform_of_their_t1ce(patient, phantom):
    for visit in phantom.visits:
        image = find(patient, Kind.IMAGE, visit, "T1CE")
        for kind in (Kind.LESION, Kind.REFERENCE):
            node = find(patient, kind, visit)
            assert node.GetParentTransformNode() is image.GetParentTransformNode()
            assert node.GetNodeReference(node.GetReferenceImageGeometryReferenceRole()) is image


def test_lesion_and_reference_are_apart_and_named_by_standard_terms(patient, phantom):
    lesion = find(patient, Kind.LESION, phantom.visits[1]).GetSegmentation()
    reference = find(patient, Kind.REFERENCE, phantom.visits[1]).GetSegmentation()
    names = {lesion.GetSegment(i).GetName(): lesion.GetSegment(i).GetTerminology() for i in lesion.GetSegmentIDs()}
    assert set(names) == {"lesion", 'free, "odd" | name'}
    assert "SCT^4147007^Mass" in names["lesion"]
    assert "SCT^85756007^Tissue" in names['free, "odd" | name']
    (only,) = reference.GetSegmentIDs()
    assert "SCT^68523003^Cerebral White Matter" in reference.GetSegment(only).GetTerminology()


def test_maps_have_units_windows_and_thresholds_that_are_the_same_in_all_visits(patient, phantom):
    for name in ("rCBV_ratio", "Cho_NAA_molar"):
        displays = [node.GetDisplayNode() for node in linked(patient, Kind.MAP) if marked(node, "name") == name]
        assert len({(d.GetWindowLevelMin(), d.GetWindowLevelMax(), d.GetColorNodeID()) for d in displays}) == 1
        for display in displays:
            assert display.GetApplyThreshold()
            assert display.GetLowerThreshold() == pytest.approx(display.GetWindowLevelMin())
            assert display.GetInterpolate() == (name == "rCBV_ratio")
    ratio = find(patient, Kind.MAP, phantom.visits[0], "rCBV_ratio")
    assert marked(ratio, "unit") == "1"
    assert ratio.GetVoxelValueUnits().GetCodeValue() == "1"


def test_time_series_stay_on_disk_with_their_checksum(app, patient, analysis, phantom):
    files = json.loads(marked(patient, "files"))
    assert [(entry["visit"], entry["role"]) for entry in files] == [(visit, "DSC") for visit in phantom.visits]
    # SHA-256 of the text "a time series", by the command sha256sum
    expected = "81ab524898305f0242e59362cb5570666672eabf7835ff78270ce1616c88ccf2"
    assert {entry["sha256"] for entry in files} == {expected}
    for number in range(app.scene.GetNumberOfNodes()):
        assert not app.scene.GetNthNode(number).IsA("vtkMRMLSequenceNode")


def test_a_left_anterior_superior_marker_stays_there_through_transform_and_file(app, patient, tmp_path, phantom):
    """The marker lies left, anterior and superior in the reference visit; each visit has another head pose."""
    save_mrb(app.scene, tmp_path / "scene.mrb")
    other = application()
    open_scene(other, tmp_path / "scene.mrb")
    for scene in (app.scene, other.scene):
        patient = nodes.patient_node(scene)
        for visit in phantom.visits:
            node = find(patient, Kind.IMAGE, visit, "T1CE")
            image = nodes.get_image(node)
            marker = transform_points(to_world(node), voxel_centres(image.array > 170, image.affine)).mean(axis=0)
            assert np.allclose(marker, phantom.lesion_centre, atol=0.7)
            assert marker[0] < -15  # left
            assert marker[1] > 15  # anterior
            assert marker[2] > 10  # superior
            mirrored = transform_points(to_world(node), voxel_centres(image.array[:, :, ::-1] > 170, image.affine))
            assert not np.allclose(mirrored.mean(axis=0), phantom.lesion_centre, atol=5)


def test_applying_a_transform_node_is_resampling_with_its_matrix(app, phantom):
    """The same image moved by a node and by resampling: what is left, right and where agrees within 0.1 mm."""
    matrix = phantom.rigid((7, -11, 13), (5, -8, 6))
    shape = (40, 44, 48)
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = [-47, -43, -39]
    spots = [(-20, 10, 5), (12, -18, -8), (4, 16, 14)]
    array = np.zeros(shape, dtype=np.float32)
    for spot in spots:
        distance = (np.indices(shape)[::-1] * 2.0 + affine[:3, 3].reshape(3, 1, 1, 1)) - np.reshape(spot, (3, 1, 1, 1))
        array += np.exp(-(distance**2).sum(axis=0) / (2 * 4.0**2)).astype(np.float32)
    volume = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "moving")
    nodes.set_image(volume, Image(array, affine))
    transform = app.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "moving_to_fixed")
    transform.SetMatrixTransformToParent(nodes.to_vtk(matrix))
    volume.SetAndObserveTransformNodeID(transform.GetID())
    resampled = resample(Image(array, affine), Image(np.zeros(shape), affine), matrix)
    wrong = resample(Image(array, affine), Image(np.zeros(shape), affine), np.linalg.inv(matrix))

    def centres(values, frame):
        found = []
        for spot in spots:
            moved = transform_points(matrix, np.array([spot], dtype=float))[0]
            points = transform_points(frame, np.argwhere(values > -1)[:, ::-1].astype(float))
            near = (np.linalg.norm(points - moved, axis=1) < 9).reshape(values.shape)
            weights = values[near]
            found.append(np.average(points[near.ravel()], axis=0, weights=np.maximum(weights, 1e-9)))
        return np.array(found)

    by_node = centres(array, to_world(volume) @ affine)
    by_resampling = centres(resampled.array, affine)
    assert np.abs(by_node - by_resampling).max() < 0.1
    assert np.abs(by_node - centres(wrong.array, affine)).max() > 0.5  # the inverse transform fails the same check


def test_a_ball_in_the_lesion_is_where_it_was_drawn(patient, analysis, phantom):
    """Independent of build: the lesion in the scene's world against its definition."""
    visit = phantom.visits[2]
    node = find(patient, Kind.LESION, visit)
    mask = segment_mask(node, segment_of(node, "lesion"))
    points = transform_points(to_world(node), voxel_centres(mask.array, mask.affine))
    assert np.linalg.norm(points - phantom.lesion_centre, axis=1).max() <= 9.0 + 1e-6


def test_shared_images_are_the_nodes_own(phantom, tmp_path):
    app = application()
    analysis = phantom.make_analysis(tmp_path)
    before = {key: image.array.copy() for key, image in analysis.images.items()}
    patient = build_scene(app, analysis)
    share_images(patient, analysis)
    for (visit, role), image in analysis.images.items():
        assert np.may_share_memory(image.array, nodes.get_image(find(patient, Kind.IMAGE, visit, role)).array)
        assert np.array_equal(image.array, before[visit, role])
    kept = find(patient, Kind.IMAGE, *next(iter(analysis.images))).GetImageData()
    assert build_scene(app, analysis) is patient
    assert find(patient, Kind.IMAGE, *next(iter(analysis.images))).GetImageData() is kept
    app.scene.Clear(False)
    assert all(np.array_equal(image.array, before[key]) for key, image in analysis.images.items())  # outlive the scene
