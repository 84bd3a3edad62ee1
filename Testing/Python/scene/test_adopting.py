"""A patient from nodes of the scene: guessed, corrected, placed right, and nothing of the user's changed."""

import datetime
import json
import pathlib

import numpy as np
import pytest
import slicer

from PseudoProgressionAnalyzerLib.analysis.reading import read_visit
from PseudoProgressionAnalyzerLib.measures import Image, InputError
from PseudoProgressionAnalyzerLib.scene import nodes, timeline
from PseudoProgressionAnalyzerLib.scene.adopting import adopt, given_again, remember_sources
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.candidates import candidates
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find
from PseudoProgressionAnalyzerLib.scene.read import missing_files, read_scene
from PseudoProgressionAnalyzerLib.scene.segments import put_segment, regions_of, segment_mask
from PseudoProgressionAnalyzerLib.scene.time_series import put_time_series
from PseudoProgressionAnalyzerLib.scene.timeline_kept_out import remember_drawn

AFFINE = np.array([[-1.0, 0, 0, 10], [0, -1, 0, 20], [0, 0, 2, -5], [0, 0, 0, 1]])
SHAPE = (6, 7, 8)


def volume(app, name, affine=AFFINE, start=1):
    node = app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", name)
    nodes.set_image(node, Image(np.arange(start, start + np.prod(SHAPE), dtype=np.int16).reshape(SHAPE), affine))
    return node


def found(app):
    return {each.name: each for each in candidates(app.scene)}


def guessed(app):
    return {name: (each.role, each.visit) for name, each in found(app).items()}


def refused(code, work):
    with pytest.raises(InputError) as caught:
        work()
    assert caught.value.message.code == code


def snapshot(app):
    """Everything of the scene that a saved file would hold."""
    app.scene.SetSaveToXMLString(1)
    app.scene.SetURL("/scene.mrml")
    app.scene.Commit()
    return app.scene.GetSceneXMLString()


# what is what


def test_roles_and_visits_from_names(app):
    for name in (
        "T1CE_1",
        "flair 2",
        "5: t1_mprage_tra KM",
        "t2_tirm_dark-fluid",
        "2023-05-08 T1CE",
        "20230508_rCBV",
        "x",
    ):
        volume(app, name)
    assert guessed(app) == {
        "T1CE_1": ("T1CE", "visit 1"),
        "flair 2": ("FLAIR", "visit 2"),
        "5: t1_mprage_tra KM": ("T1CE", "visit 1"),
        "t2_tirm_dark-fluid": ("FLAIR", "visit 1"),
        "2023-05-08 T1CE": ("T1CE", "2023-05-08"),
        "20230508_rCBV": ("rCBV", "2023-05-08"),
        "x": ("", "visit 1"),
    }


def test_dates_from_the_studies_of_the_subject_hierarchy(app):
    tree = slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(app.scene)
    attribute = slicer.vtkMRMLSubjectHierarchyConstants.GetDICOMStudyDateAttributeName()
    subject = tree.CreateSubjectItem(tree.GetSceneItemID(), "someone")
    for date, roles in (("20230110", ("T1CE", "FLAIR")), ("20230116", ("rCBV",)), ("20230508", ("T1CE",))):
        study = tree.CreateStudyItem(subject, "study")
        tree.SetItemAttribute(study, attribute, date)
        for role in roles:
            tree.CreateItem(study, volume(app, role))
    held = [(each.role, each.visit, each.date) for each in candidates(app.scene)]
    day = datetime.date
    assert held == [
        ("T1CE", "2023-01-10", day(2023, 1, 10)),
        ("FLAIR", "2023-01-10", day(2023, 1, 10)),
        ("rCBV", "2023-01-10", day(2023, 1, 16)),  # six days later and no second T1CE: the same visit
        ("T1CE", "2023-05-08", day(2023, 5, 8)),
    ]


def test_headers_win_over_names(app, tmp_path):
    import sys
    from pathlib import Path

    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import dicom_writing as write

    timing = {"ScanningSequence": ["SE", "IR"], "EchoTime": 100, "RepetitionTime": 9000, "InversionTime": 2500}
    values = np.ones((3, 4, 5), np.uint16)
    files = write.volume(tmp_path, values, description="t2 tirm", date="20230301", **timing)
    volume(app, "a name that says nothing")
    (each,) = candidates(app.scene, lambda node: files)
    assert (each.role, each.date) == ("FLAIR", datetime.date(2023, 3, 1))
    assert each.acquisition["EchoTime"] == pytest.approx(0.1)
    (each,) = candidates(app.scene, lambda node: [tmp_path / "gone.dcm"])
    assert each.role == ""


def sequence(app, name="DSC", frames=5, echo=True, unit="s"):
    node = app.scene.AddNewNodeByClass("vtkMRMLSequenceNode", name)
    node.SetIndexUnit(unit)
    for number in range(frames):
        frame = slicer.vtkMRMLScalarVolumeNode()
        nodes.set_image(frame, Image(np.full(SHAPE, number, np.int16), AFFINE))
        node.SetDataNodeAtValue(frame, f"{number * (1.5 if unit == 's' else 1500)}")
    if echo:
        node.SetAttribute("MultiVolume.DICOM.EchoTime", "30")
    return node


@pytest.mark.parametrize("unit", ["s", "ms"])
def test_a_sequence_is_a_time_series_with_its_times(app, unit):
    sequence(app, unit=unit)
    (each,) = candidates(app.scene)
    assert (each.role, each.dimensions) == ("DSC", 4)
    assert each.acquisition == {"RepetitionTime": pytest.approx(1.5), "EchoTime": pytest.approx(0.03)}


def test_one_frame_of_a_time_series_is_not_taken_for_it(app):
    volume(app, "DSC")
    (each,) = candidates(app.scene)
    assert (each.role, each.reason.code) == ("", "series_single_perfusion_image")


def test_ours_hidden_and_empty_nodes_are_not_offered(app, analysis):
    build_scene(app, analysis)
    app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode", "T1CE without voxels")
    volume(app, "T1CE hidden").SetHideFromEditors(True)
    assert candidates(app.scene) == []


# files as Slicer's Add Data loads them: T1CE, T1CE_1, T1CE_2


def from_file(app, path, name=None, mask=False):
    node = volume(app, name or path.name.partition(".")[0])
    storage = app.scene.AddNewNodeByClass("vtkMRMLVolumeArchetypeStorageNode")
    storage.SetFileName(str(path))
    node.SetAndObserveStorageNodeID(storage.GetID())
    if mask:
        values = np.zeros(SHAPE, np.float32)
        values[2:4, 2:5, 3:6] = 1
        nodes.set_image(node, Image(values, AFFINE))
    return node


def test_dates_of_the_folders_that_files_lie_in(app, tmp_path):
    for number, day in enumerate(("2023-03-13", "2023-05-08")):
        for role in ("T1CE", "FLAIR", "lesion"):
            name = f"{role}_{number}" if number else role
            from_file(app, tmp_path / day / f"{role}.nii.gz", name, mask=role == "lesion")
    assert guessed(app) == {
        "T1CE": ("T1CE", "2023-03-13"), "T1CE_1": ("T1CE", "2023-05-08"),
        "FLAIR": ("FLAIR", "2023-03-13"), "FLAIR_1": ("FLAIR", "2023-05-08"),
        "lesion": ("lesion", "2023-03-13"), "lesion_1": ("lesion", "2023-05-08"),
    }  # fmt: skip
    analysis, _ = adopt(candidates(app.scene))
    assert [visit.date for visit in analysis.patient.visits] == [datetime.date(2023, 3, 13), datetime.date(2023, 5, 8)]
    # one name in both visits, or the lesion would not be compared over time
    assert [(r.visit, r.name, r.purpose) for r in analysis.patient.regions] == [
        ("2023-03-13", "lesion", "lesion"), ("2023-05-08", "lesion", "lesion")
    ]  # fmt: skip
    assert all(mask.array.sum() == 18 for mask in analysis.regions.values())


@pytest.mark.parametrize("below", ["", "anat"])
def test_folders_without_dates_tell_visits_where_roles_repeat(app, tmp_path, below):
    for number, folder in enumerate(("after", "before")):
        for role in ("T1CE", "FLAIR"):
            from_file(app, tmp_path / folder / below / f"{role}.nii.gz", f"{role}_{number}" if number else role)
    assert {name: visit for name, (_, visit) in guessed(app).items()} == {
        "T1CE": "after", "FLAIR": "after", "T1CE_1": "before", "FLAIR_1": "before",
    }  # fmt: skip


def test_folders_of_one_visit_are_no_visits(app, tmp_path):
    from_file(app, tmp_path / "anat" / "T1CE.nii.gz")
    from_file(app, tmp_path / "perf" / "CBF.nii.gz")
    assert {visit for _, visit in guessed(app).values()} == {"visit 1"}


def test_numbers_that_slicer_gave_count_from_the_second(app, tmp_path):
    for name in ("T1CE", "T1CE_1", "T1CE_2"):
        from_file(app, tmp_path / "all" / f"{name}.nii.gz", name)
    from_file(app, tmp_path / "elsewhere" / "lesion_2.nii.gz", "lesion_2", mask=True)
    assert {name: visit for name, (_, visit) in guessed(app).items()} == {
        "T1CE": "visit 1", "T1CE_1": "visit 2", "T1CE_2": "visit 3", "lesion_2": "visit 2",
    }  # fmt: skip


def test_several_labels_keep_their_numbers(app):
    node = from_file(app, pathlib.Path("seg_1.nii.gz"), mask=True)
    array = nodes.get_image(node).array
    array[0, 0, 0] = 4
    names = {each.name: each.region for each in candidates(app.scene)}
    assert names == {"seg_1 label 1": "seg label 1", "seg_1 label 4": "seg label 4"}
    array[0, 0, 0] = 4.5
    assert [each.drawn for each in candidates(app.scene)] == [False]  # no mask


@pytest.mark.parametrize(
    ("node", "segment", "role"),
    [
        ("Segmentation", "enhancing tumor", "lesion"), ("tumor", "Segment_1", "lesion"), ("tumor", "NAWM", "reference"),
        ("tumor", "non-enhancing", ""), ("tumor", "peritumoral edema", ""), ("Segmentation", "resection cavity", ""),
    ],
)  # fmt: skip
def test_what_segments_are_by_their_names(app, node, segment, role):
    """The name of a segment says more than that of its segmentation."""
    segmentation = app.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", node)
    put_segment(segmentation, segment, "free", Image(np.ones((2, 2, 2), bool), np.eye(4)))
    assert [(each.name, each.role) for each in candidates(app.scene)] == [(segment, role)]


def test_a_sidecar_says_the_times_of_a_series(app, tmp_path):
    (tmp_path / "DSC.json").write_text(json.dumps({"EchoTime": 0.03, "RepetitionTime": 1.5}))
    node = sequence(app, "DSC", echo=False, unit="")
    nodes.mark(node, file=str(tmp_path / "DSC.nii.gz"))
    (each,) = candidates(app.scene)
    assert each.acquisition == {"EchoTime": 0.03, "RepetitionTime": 1.5}
    (tmp_path / "DSC.json").write_text(json.dumps({"EchoTime": 30, "RepetitionTime": 1.5}))  # ms: asked for instead
    (each,) = candidates(app.scene)
    assert each.acquisition == {}


def test_frames_that_were_only_counted_say_no_times(app):
    node = app.scene.AddNewNodeByClass("vtkMRMLSequenceNode", "DSC")
    node.SetIndexUnit("s")
    for number in range(4):
        frame = slicer.vtkMRMLScalarVolumeNode()
        nodes.set_image(frame, Image(np.full(SHAPE, number, np.int16), AFFINE))
        node.SetDataNodeAtValue(frame, str(number))
    (each,) = candidates(app.scene)
    assert each.acquisition == {}


@pytest.mark.parametrize(("interval", "unit", "last"), [(1.5, "s", "6"), (None, "", "4")])
def test_a_time_series_of_a_file_becomes_a_sequence(app, interval, unit, last, tmp_path):
    values = np.arange(5 * np.prod(SHAPE), dtype=np.int16).reshape(5, *SHAPE)
    node = put_time_series(app.scene, Image(values, AFFINE), interval, tmp_path / "2023-05-08" / "DSC.nii", "DSC")
    assert (node.GetIndexUnit(), node.GetNthIndexValue(4)) == (unit, last)
    assert np.array_equal(nodes.get_image(node.GetNthDataNode(3)).array, values[3])
    (each,) = candidates(app.scene)
    assert (each.role, each.dimensions, each.visit) == ("DSC", 4, "2023-05-08")
    assert each.acquisition == ({"RepetitionTime": 1.5} if interval else {})


# into a patient


@pytest.fixture
def two_visits(app):
    """T1CE of two visits, the second under a transform of the user, a FLAIR, a drawn lesion and a label map."""
    volume(app, "T1CE 1")
    second = volume(app, "T1CE 2", start=500)
    volume(app, "FLAIR 1")
    transform = app.scene.AddNewNodeByClass("vtkMRMLLinearTransformNode", "mine")
    turn = np.eye(4)
    turn[:2, :2], turn[:3, 3] = [[0.8, -0.6], [0.6, 0.8]], (3, 4, 5)
    transform.SetMatrixTransformToParent(nodes.to_vtk(turn))
    second.SetAndObserveTransformNodeID(transform.GetID())
    segmentation = app.scene.AddNewNodeByClass("vtkMRMLSegmentationNode", "Segmentation")
    segmentation.CreateDefaultDisplayNodes()
    segmentation.SetReferenceImageGeometryParameterFromVolumeNode(second)
    segmentation.SetAndObserveTransformNodeID(transform.GetID())
    mask = np.zeros(SHAPE, bool)
    mask[2:4, 2:5, 3:6] = True
    put_segment(segmentation, "tumor", "lesion", Image(mask, AFFINE))
    labels = app.scene.AddNewNodeByClass("vtkMRMLLabelMapVolumeNode", "lesion 1")
    nodes.set_image(labels, Image(mask.astype(np.uint8) * 3, AFFINE))
    return mask, turn


def test_everything_lies_where_it_lay(app, two_visits):
    mask, turn = two_visits
    analysis, _ = adopt(candidates(app.scene))
    assert [(visit.id, {s.role for s in visit.series}) for visit in analysis.patient.visits] == [
        ("visit 1", {"T1CE", "FLAIR"}), ("visit 2", {"T1CE"})
    ]  # fmt: skip
    for visit in ("visit 1", "visit 2"):
        read_visit(analysis, visit)
    assert np.allclose(analysis.images["visit 2", "T1CE"].affine, turn @ AFFINE)
    assert analysis.images["visit 2", "T1CE"].array[0, 0, 0] == 500
    assert np.allclose(analysis.images["visit 1", "T1CE"].affine, AFFINE)
    assert np.array_equal(analysis.regions["visit 2", "tumor"].array, mask)
    assert np.array_equal(analysis.regions["visit 1", "lesion"].array, mask)
    assert {(r.visit, r.purpose) for r in analysis.patient.regions} == {("visit 1", "lesion"), ("visit 2", "lesion")}


def test_nothing_of_the_user_is_changed(app, two_visits):
    before, ids = snapshot(app), {app.scene.GetNthNode(n).GetID() for n in range(app.scene.GetNumberOfNodes())}
    user = {node_id: app.scene.GetNodeByID(node_id) for node_id in ids}
    times = {node_id: node.GetMTime() for node_id, node in user.items() if node.IsA("vtkMRMLDisplayableNode")}
    analysis, sources = adopt(candidates(app.scene))
    for visit in ("visit 1", "visit 2"):
        read_visit(analysis, visit)
    assert snapshot(app) == before
    node = build_scene(app, analysis)
    remember_sources(node, sources)
    for node_id, mtime in times.items():
        assert app.scene.GetNodeByID(node_id) is user[node_id]
        if user[node_id].IsA("vtkMRMLVolumeNode") or user[node_id].IsA("vtkMRMLSegmentationNode"):
            assert user[node_id].GetMTime() == mtime, node_id
    ours = find(node, Kind.IMAGE, "visit 2", "T1CE")
    assert ours.GetID() not in ids
    assert list(regions_of(find(node, Kind.LESION, "visit 2")).values()) == ["tumor"]
    assert segment_mask(
        find(node, Kind.LESION, "visit 2"), next(iter(regions_of(find(node, Kind.LESION, "visit 2"))))
    ).array.all()
    assert candidates(app.scene)[0].name == "T1CE 1"  # still the user's, still offered


def test_what_is_not_computed_yet_is_read_again_after_saving(app, two_visits):
    sequence(app, "DSC 1")
    analysis, sources = adopt(candidates(app.scene))
    read_visit(analysis, "visit 1")
    read_visit(analysis, "visit 2")
    node = build_scene(app, analysis)
    remember_sources(node, sources)
    again = read_scene(app.scene).analysis
    again.given = given_again(node, again.patient)
    assert set(again.given) == set(sources)
    dsc = again.patient.visit("visit 1").of_role("DSC")
    assert again.given[dsc.uid].array.shape == (5, *SHAPE)
    assert again.given[dsc.uid].array[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4]
    assert missing_files(app.scene) == []  # there never was a file


def test_choices_that_cannot_be(app, two_visits):
    every = candidates(app.scene)
    by_name = {each.name: each for each in every}
    refused("nothing_to_measure", lambda: adopt([by_name["FLAIR 1"]]))
    by_name["FLAIR 1"].role = "T1CE"
    refused("adopt_role_twice", lambda: adopt(every))
    by_name["FLAIR 1"].role = "DSC"
    refused("not_a_time_series", lambda: adopt(every))
    by_name["FLAIR 1"].role = ""
    by_name["tumor"].visit = "visit 9"
    refused("adopt_region_visit", lambda: adopt(every))
    by_name["tumor"].role = ""
    stretch = app.scene.GetFirstNodeByName("mine")
    stretch.SetMatrixTransformToParent(nodes.to_vtk(np.diag([1, 1, 1.3, 1])))
    refused("adopt_geometry", lambda: adopt(every))


def test_a_sequence_without_echo_time_says_what_it_lacks(app, two_visits):
    sequence(app, "DSC 1", echo=False)
    refused("edit_fields_missing", lambda: adopt(candidates(app.scene)))


def test_a_drawing_of_the_users_lies_over_no_other_visit(app, two_visits):
    """The timeline shows it as the region of its visit; Slicer would show it in every column."""
    red = app.scene.AddNewNodeByClass("vtkMRMLSliceNode", "Red")
    red.SetLayoutName("Red")
    chosen = candidates(app.scene)
    analysis, _ = adopt(chosen)
    for visit in ("visit 1", "visit 2"):
        read_visit(analysis, visit)
    patient = build_scene(app, analysis)
    remember_drawn(patient, [each.node for each in chosen if each.role and each.drawn])
    display = app.scene.GetFirstNodeByName("Segmentation").GetDisplayNode()
    before = snapshot_of(display)
    for _again in range(2):  # also of a scene that was saved with it
        timeline.show(app)
        columns = timeline.view_nodes(app)
        assert len(columns) > 1
        assert not any(display.IsDisplayableInView(view.GetID()) for view in columns)
        assert display.IsDisplayableInView(red.GetID())
    timeline.hide(app)
    assert snapshot_of(display) == before
    display.AddViewNodeID(red.GetID())  # limited by the user
    timeline.show(app)
    timeline.hide(app)
    assert display.GetViewNodeIDs() == (red.GetID(),)


def snapshot_of(display):
    """Where a display node shows what, and whether it says that it was kept out."""
    return display.GetViewNodeIDs(), display.GetVisibility(), nodes.marked(display, "kept_out")
