"""Checking an alignment by eye leaves the timeline as it was."""

import slicer

from PseudoProgressionAnalyzerLib.scene import check_view, timeline
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, patient_node


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
