"""Checking an alignment by eye leaves the timeline as it was."""

import numpy as np
import pytest
import slicer

from PseudoProgressionAnalyzerLib.scene import check_view, timeline
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, get_image, linked, marked, patient_node, to_vtk


def shown(app):
    composites = [slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view) for view in timeline.view_nodes(app)]
    return [(c.GetBackgroundVolumeID(), c.GetForegroundVolumeID(), c.GetForegroundOpacity()) for c in composites]


def test_one_view_fades_and_comes_back(app, analysis, phantom):
    build_scene(app, analysis)
    timeline.show(app)
    first, second, third = phantom.visits
    before = shown(app)
    image = {visit: find(patient_node(app.scene), Kind.IMAGE, visit, "T1CE").GetID() for visit in phantom.visits}
    assert check_view.show(app, second, first, 0.25)
    changed = [now for was, now in zip(before, shown(app), strict=True) if was != now]
    assert changed == [(image[first], image[second], 0.25)]
    assert check_view.show(app, second, first, 0.75)
    assert check_view.is_shown(app, second) and not check_view.is_shown(app, third)
    assert check_view.show(app, third, first, 0.5)  # one visit at a time
    assert check_view.is_shown(app, third) and not check_view.is_shown(app, second)
    changed = [now for was, now in zip(before, shown(app), strict=True) if was != now]
    assert changed == [(image[first], image[third], 0.5)]
    check_view.hide(app)
    assert shown(app) == before
    assert not check_view.show(app, "no visit", first, 0.5)


def test_a_checkerboard_of_both_visits_and_nothing_left_of_it(app, analysis, phantom):
    node = build_scene(app, analysis)
    timeline.show(app)
    first, second, _ = phantom.visits
    before, nodes = shown(app), app.scene.GetNumberOfNodes()
    assert check_view.show_checkerboard(app, second, first)
    (board,) = linked(node, Kind.CHECK)
    changed = [now for was, now in zip(before, shown(app), strict=True) if was != now]
    assert changed == [(board.GetID(), None, 0.0)]
    assert board.GetHideFromEditors() and not board.GetSaveWithScene()
    assert not board.GetDisplayNode().GetSaveWithScene(), "a display without its volume is of no use"
    again = get_image(board).array.copy()
    assert check_view.show_checkerboard(app, second, first) and linked(node, Kind.CHECK) == [board]
    moved = np.eye(4)
    moved[0, 3] = 20
    find(node, Kind.VISIT_TO_REFERENCE, second).SetMatrixTransformToParent(to_vtk(moved))
    assert check_view.show_checkerboard(app, second, first)  # another transform, another board
    assert not np.array_equal(get_image(board).array, again)
    assert check_view.show(app, second, first, 0.5)
    check_view.hide(app)
    assert shown(app) == before
    assert not linked(node, Kind.CHECK) and app.scene.GetNumberOfNodes() == nodes
    assert not check_view.show_checkerboard(app, "no visit", first)


def names(app):
    """Label, background and foreground of each view."""
    found = []
    for view in timeline.view_nodes(app):
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view)
        ids = composite.GetBackgroundVolumeID(), composite.GetForegroundVolumeID()
        found.append((view.GetLayoutLabel(), *ids, composite.GetForegroundOpacity()))
    return found


@pytest.mark.parametrize("how", ["fade", "board"])
def test_another_page_shows_its_own_visits_after_a_check(app, analysis, phantom, how):
    build_scene(app, analysis)
    timeline.show(app, first=1, columns=2)
    right = names(app)
    timeline.turn_page(app, -1)
    first, second, _ = phantom.visits
    if how == "fade":
        assert check_view.show(app, second, first, 0.5)
    else:
        assert check_view.show_checkerboard(app, second, first)
    timeline.turn_page(app, 1)
    check_view.hide(app)
    assert names(app) == right


def test_a_slider_that_is_moved_after_the_page_fades_in_the_column_of_its_visit(app, analysis, phantom):
    build_scene(app, analysis)
    timeline.show(app, columns=2)
    first, second, third = phantom.visits
    image = {visit: find(patient_node(app.scene), Kind.IMAGE, visit, "T1CE").GetID() for visit in phantom.visits}
    check_view.show(app, second, first, 0.5)
    timeline.turn_page(app, 1)
    before = names(app)
    assert check_view.show(app, second, first, 0.25)
    ((was, now),) = [(was, now) for was, now in zip(before, names(app), strict=True) if was != now]
    assert was[1] == image[second] and now[1:] == (image[first], image[second], 0.25)
    assert third not in was[0]


def test_a_row_that_takes_the_place_of_a_checked_one_keeps_its_map(app, analysis, phantom):
    build_scene(app, analysis)
    timeline.show(app)
    rows = [row for row in timeline.shown_rows(patient_node(app.scene)) if row.overlay]
    first, second, _ = phantom.visits
    assert check_view.show(app, second, first, 0.5)
    timeline.choose_rows(app, rows)
    right = names(app)
    check_view.hide(app)
    assert names(app) == right and any(overlay for _label, _image, overlay, _opacity in right)


def test_a_view_that_was_given_something_else_by_hand_keeps_it(app, analysis, phantom):
    build_scene(app, analysis)
    timeline.show(app)
    first, second, third = phantom.visits
    assert check_view.show(app, second, first, 0.5)
    (view,) = [view for view in timeline.view_nodes(app) if marked(view, "check")]
    other = find(patient_node(app.scene), Kind.IMAGE, third, "T1CE").GetID()
    slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view).SetForegroundVolumeID(other)
    check_view.hide(app)
    assert slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(view).GetForegroundVolumeID() == other


def test_a_view_with_two_visits_says_whose_the_other_is(app, analysis, phantom):
    node = build_scene(app, analysis)
    timeline.show(app)
    first, second, _ = phantom.visits

    def told():
        return [check_view.beside(node, view) for view in timeline.view_nodes(app)]

    assert not any(told())
    assert check_view.show(app, second, first, 0.25)
    assert [other for other in told() if other] == [first]
    assert check_view.show_checkerboard(app, second, first)
    assert [other for other in told() if other] == [first]
    check_view.hide(app)
    assert not any(told())
