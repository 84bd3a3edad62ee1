"""Windows matched across visits, by hand calculation."""

import pytest

from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find
from PseudoProgressionAnalyzerLib.scene.windows import keep_matched, match_windows, window_of


@pytest.fixture
def images(app, analysis, phantom):
    """The patient and the T1CE of its three visits: the same tissue is 0 to 100, 10 to 410 and unknown in them."""
    patient = build_scene(app, analysis)
    nodes = [find(patient, Kind.IMAGE, visit, "T1CE") for visit in phantom.visits]
    for node, window in zip(nodes, ((0, 100), (10, 410), (0, 0)), strict=True):
        keep_matched(node, window)
        node.GetDisplayNode().SetWindowLevelMinMax(*(window if window[1] else (5, 50)))
    return patient, nodes


def test_what_is_set_in_one_visit_holds_in_all(images):
    patient, (first, second, third) = images
    first.GetDisplayNode().SetWindowLevelMinMax(20, 60)
    match_windows(patient, first)
    assert window_of(first) == (20, 60)
    assert window_of(second) == pytest.approx((90, 250))
    assert window_of(third) == (5, 50), "nothing is known of it"
    second.GetDisplayNode().SetWindowLevelMinMax(-390, 810)  # one white below, two above
    match_windows(patient, second)
    assert window_of(first) == pytest.approx((-100, 200))


def test_many_changes_lead_back_to_where_they_began(images):
    """Also through a window without any width, from which no scale could be taken."""
    patient, (first, second, _) = images
    for window in ((50, 50), (99, 100), (0, 100)):
        first.GetDisplayNode().SetWindowLevelMinMax(*window)
        match_windows(patient, first)
    assert window_of(second) == pytest.approx((10, 410))


def test_an_image_without_a_matched_window_changes_no_other(images):
    patient, (first, second, third) = images
    third.GetDisplayNode().SetWindowLevelMinMax(1, 2)
    match_windows(patient, third)
    assert window_of(first) == (0, 100) and window_of(second) == (10, 410)


def test_windows_of_a_new_scene_are_known_as_matched(app, analysis, phantom):
    patient = build_scene(app, analysis)
    nodes = [find(patient, Kind.IMAGE, visit, "T1CE") for visit in phantom.visits]
    before = [window_of(node) for node in nodes]
    black, white = before[0]
    nodes[0].GetDisplayNode().SetWindowLevelMinMax(black, black + 2 * (white - black))
    match_windows(patient, nodes[0])
    for (low, high), node in zip(before, nodes, strict=True):
        assert window_of(node) == pytest.approx((low, low + 2 * (high - low)), rel=1e-5)
