"""The simulated head: a brain in a skull, asymmetric, the same every time, right side right."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.cases import anatomy, grids, vessels
from PseudoProgressionAnalyzerLib.measures import Image


def millilitres(share):
    return float(share.sum(dtype=float)) / 1000


def test_shares_never_exceed_one(patient):
    tissues = patient.state.tissues
    assert min(share.min() for share in tissues.values()) > -1e-5
    assert sum(tissues.values()).max() < 1 + 1e-4


def test_volumes_are_those_of_a_head(patient):
    tissues = patient.head.tissues
    assert 400 < millilitres(tissues["white"]) < 800
    assert 600 < millilitres(tissues["grey"]) < 1100
    inside = millilitres(patient.head.depth < 0)
    assert 1300 < inside < 2300
    assert millilitres(tissues["white"] * (patient.head.depth > 1.0)) < 0.5  # no brain outside the skull


def test_bone_encloses_the_brain(patient):
    """From the centre outwards every ray meets brain, then a gap of hardly any signal (bone), then scalp."""
    total = sum(patient.head.tissues.values())
    for direction in [(1, 0, 0.3), (-1, 0, 0.3), (0, 1, 0.5), (0, -1, 0.5), (0, 0, 1), (0.6, 0.6, 0.5)]:
        unit = np.array(direction) / np.linalg.norm(direction)
        points = np.arange(0, 130, 0.5)[:, None] * unit + (0, -20, 10)
        index = np.rint(points - patient.head.affine[:3, 3]).astype(int)
        index = index[np.all((index >= 0) & (index < total.shape[::-1]), axis=1)]
        depth, signal = (array[tuple(index.T[::-1])] for array in (patient.head.depth, total))
        skull = (depth > 1.0) & (depth < 7.0)
        assert signal[depth < -2].min() > 0.9
        assert signal[skull].min() < 0.15
        assert signal[depth > 7.5].max() > 0.9


def test_head_is_not_symmetric_but_the_template_is(patient, read_template):
    white = patient.head.tissues["white"]
    x_first = patient.head.affine[0, 3]
    assert x_first == -(white.shape[2] - 1) / 2  # so that a flip mirrors about x = 0
    mirrored = white[:, :, ::-1]
    assert np.corrcoef(white.ravel()[::7], mirrored.ravel()[::7])[0, 1] < 0.9
    other = read_template["wm"].array
    assert np.corrcoef(other.ravel()[::7], other[:, :, ::-1].ravel()[::7])[0, 1] == pytest.approx(1)


def test_head_follows_its_own_warp(patient, read_template):
    """The template at the template's point is the head at the head's point; unwarped points do not fit as well."""
    rng = np.random.default_rng(5)
    points = rng.uniform((-55, -80, -20), (55, 50, 60), (200, 3))
    white, template = patient.head.tissues["white"], read_template["wm"]

    def at(image, affine, where):
        index = tuple(np.rint(where - affine[:3, 3]).astype(int)[:, ::-1].T)
        return image[index]

    expected = at(template.array, template.affine, points)
    followed = at(white, patient.head.affine, np.array([patient.head.head_point(point) for point in points]))
    ignored = at(white, patient.head.affine, points)
    assert np.corrcoef(expected, followed)[0, 1] > 0.93 > np.corrcoef(expected, ignored)[0, 1]


def test_head_point_inverts_the_warp(patient):
    for point in [(33.0, -20.0, 33.0), (-40.0, 10.0, 5.0), (0.0, -90.0, 0.0)]:
        found = patient.head.head_point(point) * (-1, -1, 1)
        back = np.array(patient.head.template_from_head.TransformPoint(found.tolist())) * (-1, -1, 1)
        assert np.linalg.norm(back - point) < 0.1


def test_lateral_is_positive_on_the_right(patient):
    lateral, affine = patient.head.lateral, patient.head.affine
    for x in (-40, 40):
        k, j, i = (round(value) for value in (np.array([x, -20, 20]) - affine[:3, 3])[::-1])
        assert np.sign(lateral[k, j, i]) == np.sign(x)


def test_the_same_numbers_make_the_same_head(read_template, monkeypatch):
    monkeypatch.setattr(anatomy, "FINE_SHAPE", (90, 120, 110))  # a part of the head, for speed
    first, again, other = (anatomy.make_head(read_template, np.random.default_rng(seed)) for seed in (5, 5, 6))
    for name, share in first.tissues.items():
        assert share.any(), name
        assert np.array_equal(share, again.tissues[name]) and not np.array_equal(share, other.tissues[name]), name


def test_vessels_reach_both_sides(patient):
    artery = patient.head.tissues["artery"]
    right = artery[:, :, artery.shape[2] // 2 :].sum() / artery.sum()
    assert 0.35 < right < 0.65
    paths = vessels.both_sides(vessels.TUBES[0], np.random.default_rng(1), 0.8)
    assert len(paths) == 2 and not np.allclose(paths[0] * (-1, 1, 1), paths[1], atol=0.1)


def test_painting_keeps_proportions():
    tissues = {"white": np.full((1, 1, 2), 0.6), "grey": np.full((1, 1, 2), 0.2)}
    anatomy.paint(tissues, (slice(None),) * 3, "grey", np.array([[[0.5, 0.0]]]))
    assert np.allclose(tissues["white"], [[[0.3, 0.6]]]) and np.allclose(tissues["grey"], [[[0.6, 0.2]]])
    anatomy.paint(tissues, (slice(None),) * 3, "air", np.array([[[1.0, 0.0]]]))
    assert np.allclose(sum(tissues.values()), [[[0.0, 0.8]]])


def test_fine_grid_is_one_millimetre():
    assert np.array_equal(Image(np.empty((1, 1, 1)), anatomy.fine_affine()).spacing, (1, 1, 1))
    assert grids.NODE_SPACING == 4.0
