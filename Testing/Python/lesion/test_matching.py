"""Identities and events of simulated lesions that merge, split, vanish and return over eight visits."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.lesion.matching import GROWTHS, VisitLesions, label_lesions, track

RIGHT, LEFT, TOP = (18.0, 0.0, 0.0), (-18.0, 2.0, 0.0), (0.0, 4.0, 26.0)
BRIDGE = [((x, 1.0, 0.0), 5.0) for x in range(-12, 13, 4)]

COURSE = (  # spheres (centre in the reference visit, radius in mm) and the events expected of each identity
    ([(RIGHT, 9), (LEFT, 7)], {"L1": ("first",), "L2": ("first",)}),
    ([(RIGHT, 11), (LEFT, 7.1)], {"L1": (), "L2": ()}),
    ([(RIGHT, 11), (LEFT, 8), *BRIDGE], {"L1": ("merged",), "L2": ("merged",)}),
    ([(RIGHT, 10), (LEFT, 7)], {"L1": ("split",), "L2": ("split", "reappeared")}),
    ([(RIGHT, 7)], {"L1": (), "L2": ("vanished",)}),
    ([(RIGHT, 7)], {"L1": ()}),
    ([(RIGHT, 9), (LEFT, 6), (TOP, 5)], {"L1": (), "L2": ("reappeared",), "L3": ("new",)}),
    ([(RIGHT, 6), (TOP, 7)], {"L1": (), "L2": ("vanished",), "L3": ()}),
)
GROWTH = {  # of identities from one visit to the next, where the radius changes beyond the error band or not at all
    (1, "L1"): "growing", (1, "L2"): "within_error", (2, "L1"): "growing", (3, "L1"): "shrinking",
    (4, "L1"): "shrinking", (5, "L1"): "within_error", (6, "L1"): "growing", (7, "L1"): "shrinking",
    (7, "L3"): "growing",
}  # fmt: skip


def visit_of(phantoms, spheres, index, seed=7, moved=True):
    """The visit on a grid of its own, with the head elsewhere in the scanner."""
    rng = np.random.default_rng(seed + index)
    spacing, shape = (((1.0, 1.0, 1.0), (80, 90, 90)), ((0.9, 0.9, 4.0), (24, 100, 100)))[index % 2]
    affine = phantoms.grid(spacing, phantoms.rotation(rng) if index % 3 else np.eye(3), shape, mirrored=index % 2 == 0)
    to_reference = np.eye(4)
    if moved:
        angle = np.radians(rng.uniform(-25, 25))
        to_reference[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
        to_reference[:3, 3] = rng.uniform(-6, 6, 3)
    mask = np.zeros(shape, bool)
    for centre, radius in spheres:
        there = (np.linalg.inv(to_reference) @ [*centre, 1.0])[:3]
        k, j, i = np.indices(shape)
        points = np.stack([i, j, k], axis=-1) @ affine[:3, :3].T + affine[:3, 3]
        mask |= ((points - there) ** 2).sum(axis=-1) <= radius**2
    return VisitLesions(f"v{index}", label_lesions(mask, affine), affine, to_reference)


@pytest.fixture(scope="module")
def visits(phantoms):
    return [visit_of(phantoms, spheres, index) for index, (spheres, _) in enumerate(COURSE)]


def test_identities_and_events_over_eight_visits(visits):
    tracked = track(visits, tolerance=1.0)
    for index, (_, events) in enumerate(COURSE):
        found = {lesion.lesion: lesion.events for lesion in tracked if lesion.visit == f"v{index}"}
        assert found == events, index


def test_growth_is_called_only_beyond_the_error_band(visits):
    tracked = {(lesion.visit, lesion.lesion): lesion for lesion in track(visits, tolerance=1.0)}
    for (index, name), growth in GROWTH.items():
        assert tracked[f"v{index}", name].growth == growth, (index, name)
    assert {lesion.growth for lesion in tracked.values()} <= {*GROWTHS, None}
    change = tracked["v1", "L1"].change
    assert change.value == pytest.approx(100 * ((11 / 9) ** 3 - 1), abs=8)
    assert tracked["v2", "L2"].relatives == ("L1",)
    assert tracked["v2", "L2"].number is None
    assert tracked["v4", "L2"].change.value == -100


def test_merged_lesions_are_compared_together(visits):
    """Volume after the merger over the sum of both before it, not over the larger one alone."""
    tracked = {(lesion.visit, lesion.lesion): lesion for lesion in track(visits, tolerance=1.0)}
    before = visits[1].volume([1]).value + visits[1].volume([2]).value
    after = visits[2].volume([1]).value
    assert tracked["v2", "L1"].change.value == pytest.approx(100 * (after / before - 1))
    assert tracked["v2", "L2"].change == tracked["v2", "L1"].change


def test_without_the_registration_the_same_check_fails(visits):
    lost = [VisitLesions(visit.visit, visit.labels, visit.affine, np.eye(4)) for visit in visits]
    events = [
        {lesion.lesion: lesion.events for lesion in track(lost, 1.0) if lesion.visit == f"v{index}"}
        for index in range(len(COURSE))
    ]
    assert events != [expected for _, expected in COURSE]


def test_numbers_of_a_visit_do_not_matter(visits):
    """The same lesions with their numbers exchanged have the same identities in the same places."""
    tracked = track(visits, tolerance=1.0)
    exchanged = list(visits)
    swapped = np.array([0, 2, 1, 3])[visits[3].labels]
    exchanged[3] = VisitLesions("v3", swapped, visits[3].affine, visits[3].to_reference)
    again = track(exchanged, tolerance=1.0)
    assert {(one.visit, one.lesion, one.events) for one in tracked} == {
        (one.visit, one.lesion, one.events) for one in again
    }


def box_visit(name, *slices):
    labels = np.zeros((30, 40, 60), bool)
    for box in slices:
        labels[box] = True
    return VisitLesions(name, label_lesions(labels, np.eye(4)), np.eye(4), np.eye(4))


def test_neighbours_that_stay_apart_do_not_merge_within_the_tolerance():
    """Two lesions 2 mm apart, a registration uncertain by 3 mm."""
    left, right = np.s_[5:15, 5:15, 5:15], np.s_[5:15, 5:15, 17:25]
    events = [lesion.events for lesion in track([box_visit("a", left, right), box_visit("b", left, right)], 3.0)]
    assert events == [("first",), ("first",), (), ()]
    gone = track([box_visit("a", left, right), box_visit("b", left)], 3.0)
    assert [(lesion.lesion, lesion.events) for lesion in gone[2:]] == [("L1", ()), ("L2", ("vanished",))]


def test_a_small_lesion_that_misses_itself_by_the_registration_error_is_the_same():
    first, shifted = box_visit("a", np.s_[5:8, 5:8, 5:8]), box_visit("b", np.s_[5:8, 5:8, 9:12])
    assert [lesion.events for lesion in track([first, shifted], 2.0)] == [("first",), ()]
    assert [lesion.events for lesion in track([first, shifted], 1.0)] == [("first",), ("new",), ("vanished",)]


def test_visits_without_lesions_make_everything_vanish_and_return():
    lesion, nothing = np.s_[5:15, 5:15, 5:15], np.s_[0:0]
    tracked = track(
        [box_visit("a", nothing), box_visit("b", lesion), box_visit("c", nothing), box_visit("d", lesion)], 1
    )
    assert [(one.visit, one.lesion, one.events) for one in tracked] == [
        ("b", "L1", ("new",)), ("c", "L1", ("vanished",)), ("d", "L1", ("reappeared",)),
    ]  # fmt: skip
    assert track([], 1.0) == []


def test_a_tiny_lesion_grows_only_where_that_is_beyond_doubt():
    """0.064 mL has no published error: to 0.125 mL nothing can be said, to 8 mL it has grown."""
    tiny, little, large = (np.s_[5 : 5 + n, 5 : 5 + n, 5 : 5 + n] for n in (4, 5, 20))
    assert track([box_visit("a", tiny), box_visit("b", little)], 1.0)[1].growth == "unknown"
    assert track([box_visit("a", tiny), box_visit("b", large)], 1.0)[1].growth == "growing"
    assert track([box_visit("a", large), box_visit("b", tiny)], 1.0)[1].growth == "shrinking"


def test_pieces_are_numbered_by_size_and_specks_left_out():
    mask = np.zeros((20, 20, 20), bool)
    mask[1:4, 1:4, 1:4] = mask[10:16, 10:16, 10:16] = mask[18, 18, 1:5] = True
    mask[4, 4, 4] = True  # touches the first piece by a corner
    labels = label_lesions(mask, np.eye(4))
    assert np.bincount(labels.ravel()).tolist()[1:] == [216, 28]
    assert label_lesions(mask, np.eye(4), smallest=0.0, fewest=1).max() == 3


def test_specks_of_thick_slices_are_no_lesions():
    """Four voxels of 0.94 x 0.94 x 6.5 mm hold more than 0.02 mL: on such grids the number of voxels decides."""
    mask = np.zeros((10, 30, 30), bool)
    mask[4:6, 5:11, 5:11] = True
    mask[4, 20, 20:24] = True
    affine = np.diag([0.94, 0.94, 6.5, 1.0])
    assert label_lesions(mask, affine).max() == 1
    assert label_lesions(mask, affine, fewest=4).max() == 2
    alone = np.zeros_like(mask)
    alone[4, 20, 20:24] = True
    assert label_lesions(alone, affine).max() == 1, "what somebody drew is never nothing"
