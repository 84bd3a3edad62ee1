"""Checking an alignment by eye leaves the timeline as it was."""

import numpy as np
import slicer

from PseudoProgressionAnalyzerLib.scene import check_view, timeline
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, get_image, linked, patient_node, to_vtk


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
    assert check_view.show(app, third, first, 0.5)  # one visit at a time
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
