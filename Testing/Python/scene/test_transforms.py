"""Transforms that the user edits in the scene of a running session: never written over, taken as the user's own."""

import copy

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.aligning import is_users, trust
from PseudoProgressionAnalyzerLib.analysis.run import steps
from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.scene import nodes
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, linked, put
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.transforms import matrix_of, take_transforms, transform_nodes

FIRST, SECOND, THIRD = "2023-01-10", "2023-03-01", "2023-06-05"


@pytest.fixture
def analysis(analysis):
    """One of the test's own, with all steps done."""
    own = copy.deepcopy(analysis)
    own.finished |= {(step.code, step.visit) for step in steps(own)}
    return own


@pytest.fixture
def patient(app, analysis):
    return build_scene(app, analysis)


@pytest.fixture
def edited(phantom):
    """Another rigid matrix than any of the phantom's, and what sets it in a node."""
    matrix = phantom.rigid((1, 2, 3), (4, 5, 6))

    def edit(node, to=matrix):
        node.SetMatrixTransformToParent(nodes.to_vtk(to))
        return to

    return edit


def test_nothing_is_taken_of_what_was_written(app, patient, analysis):
    before = set(analysis.finished)
    assert take_transforms(patient, analysis) == []
    build_scene(app, analysis)
    assert take_transforms(patient, analysis) == []
    assert analysis.finished == before


def test_an_edited_transform_outlives_a_build_and_is_taken_as_the_users_own(app, patient, analysis, edited):
    node = find(patient, Kind.VISIT_TO_REFERENCE, SECOND)
    matrix = edited(node)
    build_scene(app, analysis)
    np.testing.assert_allclose(matrix_of(node), matrix)
    (message,) = take_transforms(patient, analysis)
    assert (message.code, message.parameters) == ("scene_transform_changed", {"visit": SECOND})
    np.testing.assert_allclose(analysis.visit_to_reference[SECOND], matrix)
    assert is_users(analysis, SECOND) and trust(analysis, SECOND) == "own"
    assert trust(analysis, THIRD) != "own"
    assert not {step for step, _ in analysis.finished} & {"step_ratios", "step_measure", "step_assess"}
    assert take_transforms(patient, analysis) == []
    build_scene(app, analysis)
    np.testing.assert_allclose(matrix_of(node), matrix)
    assert trust(read_scene(app.scene).analysis, SECOND) == "own"


def test_what_is_computed_after_it_was_taken_is_written(app, patient, analysis, edited):
    """As when the user gives the computed transform back."""
    node, computed = find(patient, Kind.VISIT_TO_REFERENCE, SECOND), analysis.visit_to_reference[SECOND]
    edited(node)
    take_transforms(patient, analysis)
    analysis.visit_to_reference[SECOND] = computed
    build_scene(app, analysis)
    np.testing.assert_allclose(matrix_of(node), computed)


@pytest.mark.parametrize(("visit", "to"), [(SECOND, np.diag([1.3, 1, 1, 1])), (FIRST, np.eye(4) + np.eye(4, k=3))])
def test_one_that_cannot_be_used_is_put_aside(app, patient, analysis, edited, visit, to):
    """One that scales; and of the reference visit, any."""
    node, before, finished = (
        find(patient, Kind.VISIT_TO_REFERENCE, visit),
        dict(analysis.visit_to_reference),
        set(analysis.finished),
    )
    edited(node, to)
    build_scene(app, analysis)
    np.testing.assert_allclose(matrix_of(node), to)
    (message,) = take_transforms(patient, analysis)
    assert message.code == "scene_transform_unusable"
    np.testing.assert_allclose(matrix_of(app.scene.GetFirstNodeByName(message.parameters["name"])), to)
    np.testing.assert_allclose(matrix_of(node), before[visit])
    np.testing.assert_allclose(analysis.visit_to_reference[visit], before[visit])
    assert analysis.finished == finished and not is_users(analysis, visit)


def test_a_series_that_is_moved_stays_where_it_was_put(app, patient, analysis, edited, phantom):
    node = find(patient, Kind.SERIES_TO_VISIT, SECOND, "rCBV")
    matrix = edited(node)
    build_scene(app, analysis)
    np.testing.assert_allclose(matrix_of(node), matrix)
    (message,) = take_transforms(patient, analysis)
    assert message.code == "scene_series_moved"
    np.testing.assert_allclose(analysis.series_to_visit[SECOND, "rCBV"], matrix)
    assert ("step_ratios", SECOND) not in analysis.finished
    edited(node, np.diag([1, 1, 2, 1]))
    (message,) = take_transforms(patient, analysis)
    assert message.code == "scene_series_unusable"
    np.testing.assert_allclose(matrix_of(node), matrix)
    np.testing.assert_allclose(analysis.series_to_visit[SECOND, "rCBV"], matrix)


def test_a_series_that_lies_on_the_t1ce_again_has_no_transform_of_before(app, patient, analysis):
    assert not np.array_equal(analysis.series_to_visit[SECOND, "rCBV"], np.eye(4))
    analysis.series_to_visit[SECOND, "rCBV"] = np.eye(4)
    build_scene(app, analysis)
    np.testing.assert_array_equal(matrix_of(find(patient, Kind.SERIES_TO_VISIT, SECOND, "rCBV")), np.eye(4))
    np.testing.assert_array_equal(read_scene(app.scene).analysis.series_to_visit[SECOND, "rCBV"], np.eye(4))


@pytest.mark.parametrize("by", ["the user", "registration"])
def test_a_change_between_visits_goes_with_the_transform_that_it_was_made_by(app, patient, analysis, edited, by):
    for later, since in ((SECOND, FIRST), (THIRD, FIRST)):
        node = put(patient, "vtkMRMLScalarVolumeNode", "change", Kind.CHANGE, later, f"T1CE_change {later}")
        nodes.set_image(node, Image(np.zeros((2, 2, 2)), np.eye(4)))
        nodes.mark(node, since=since)
    if by == "the user":
        edited(find(patient, Kind.VISIT_TO_REFERENCE, SECOND))
        take_transforms(patient, analysis)
    else:
        analysis.visit_to_reference[SECOND] = np.eye(4)
        build_scene(app, analysis)
    assert [nodes.marked(node, "visit") for node in linked(patient, Kind.CHANGE)] == [THIRD]


@pytest.mark.parametrize("noted", [True, False])
def test_transforms_that_are_not_those_of_the_text_are_the_users(app, patient, analysis, edited, noted):
    """Also where one was taken, and the scene saved before that was written; and in scenes of before, which note no
    matrix."""
    if not noted:
        for each in transform_nodes(patient):
            each.RemoveAttribute("PseudoProgressionAnalyzer.matrix")
    assert read_scene(app.scene).messages == []
    edited(find(patient, Kind.VISIT_TO_REFERENCE, SECOND))
    if noted:
        take_transforms(patient, analysis)
    content = read_scene(app.scene)
    assert "scene_transform_changed" in [message.code for message in content.messages]
    assert trust(content.analysis, SECOND) == "own"
