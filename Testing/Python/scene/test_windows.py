"""Windows matched across visits, by hand calculation."""

import copy

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.measures import Image
from PseudoProgressionAnalyzerLib.scene.application import application
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


def test_a_window_that_the_user_set_outlives_what_is_computed_and_loaded_later(app, analysis, phantom):
    """Brains that are found, and a visit that comes later: it is shown as the others are."""
    first, second, third = phantom.visits
    whole, early = analysis, copy.deepcopy(analysis)
    early.brains, early.references, early.maps = {}, {}, {}
    for role in [role for visit, role in early.images if visit == third]:
        del early.images[third, role]
    patient = build_scene(app, early)
    shown = find(patient, Kind.IMAGE, first, "T1CE")
    black, white = window_of(shown)
    shown.GetDisplayNode().SetWindowLevelMinMax(black + 7, white + 70)
    match_windows(patient, shown)
    also = find(patient, Kind.IMAGE, second, "T1CE")
    before = window_of(shown), window_of(also)
    build_scene(app, whole)
    assert (window_of(shown), window_of(also)) == before
    fresh = application()
    plain = build_scene(fresh, whole)
    matched = {visit: window_of(find(plain, Kind.IMAGE, visit, "T1CE")) for visit in phantom.visits}
    shares = [(level - matched[first][0]) / np.diff(matched[first])[0] for level in window_of(shown)]
    low, high = matched[third]
    later = window_of(find(patient, Kind.IMAGE, third, "T1CE"))
    assert later == pytest.approx([low + share * (high - low) for share in shares], rel=1e-5)
    assert later != pytest.approx(matched[third], rel=1e-3)


def test_a_window_that_nobody_set_follows_what_is_computed(app, analysis, phantom):
    early = copy.deepcopy(analysis)
    early.brains = {}
    patient = build_scene(app, early)
    build_scene(app, analysis)
    fresh = application()
    plain = build_scene(fresh, analysis)
    for visit in phantom.visits:
        node, other = (find(each, Kind.IMAGE, visit, "T1CE") for each in (patient, plain))
        assert window_of(node) == pytest.approx(window_of(other))


def test_an_image_that_is_exchanged_is_shown_in_a_window_of_its_own(app, analysis, phantom):
    """The window of the one before would show it black or white."""
    visit = phantom.visits[0]
    patient = build_scene(app, analysis)
    node = find(patient, Kind.IMAGE, visit, "T1CE")
    black, white = window_of(node)
    node.GetDisplayNode().SetWindowLevelMinMax(black + 7, white + 70)
    exchanged = copy.deepcopy(analysis)
    image = exchanged.images[visit, "T1CE"]
    exchanged.images[visit, "T1CE"] = Image(image.array * np.float32(100), image.affine)
    build_scene(app, exchanged)
    assert window_of(node) == pytest.approx((100 * black, 100 * white), rel=0.05)
