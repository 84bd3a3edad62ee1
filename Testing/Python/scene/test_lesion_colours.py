"""Colours of lesions: apart in a visit, the same for one lesion in all visits, and the user's own stay."""

import copy
import itertools

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.responding import update_lesions
from PseudoProgressionAnalyzerLib.measures import Image, Region
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.lesion_colours import LESION_COLOURS, colour_lesions
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find
from PseudoProgressionAnalyzerLib.scene.region_list import add_region
from PseudoProgressionAnalyzerLib.scene.segments import segment_of

FIRST, SECOND, THIRD = "2023-01-10", "2023-03-01", "2023-06-05"

DICHROMATS = {
    "no deficiency": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
"""What is seen of linear sRGB, at severity 1 (Machado, Oliveira and Fernandes 2009)."""
TO_XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)
"""Of linear sRGB, D65."""


def lab(colour, seen):
    """CIE L*a*b* of sRGB (0 to 1) as it is seen."""
    colour = np.array(colour)
    linear = np.where(colour <= 0.04045, colour / 12.92, ((colour + 0.055) / 1.055) ** 2.4)
    x, y, z = TO_XYZ @ np.clip(seen @ linear, 0, 1) / TO_XYZ.sum(axis=1)
    x, y, z = (np.cbrt(one) if one > 216 / 24389 else 841 / 108 * one + 4 / 29 for one in (x, y, z))
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("name", DICHROMATS)
def test_every_colour_vision_tells_them_apart(name):
    seen = [lab(colour, np.array(DICHROMATS[name])) for colour in LESION_COLOURS]
    assert min(np.linalg.norm(one - other) for one, other in itertools.combinations(seen, 2)) > 30


@pytest.fixture
def analysis(analysis):
    """A copy that a test may change."""
    return copy.deepcopy(analysis)


def draw(analysis, visit, name, offset):
    """The lesion of a visit once more, as far as this away in the reference visit (mm): a second one."""
    known = analysis.regions[visit, "lesion"]
    voxels = np.linalg.solve((analysis.visit_to_reference[visit] @ known.affine)[:3, :3], np.array(offset, float))
    moved = np.roll(known.array, tuple(np.rint(voxels[::-1]).astype(int)), axis=(0, 1, 2))
    analysis.regions[visit, name] = Image(moved, known.affine)
    analysis.patient.regions.append(Region(name, visit, "lesion", known))


def colours(patient, analysis):
    """The number of the colour of each lesion, by visit and name."""
    found = {}
    for region in analysis.patient.regions:
        if region.purpose == "lesion":
            node = find(patient, Kind.LESION, region.visit)
            segment_id = segment_of(node, region.name)
            colour = node.GetSegmentation().GetSegment(segment_id).GetColor()
            found[region.visit, region.name] = int(np.argmin(np.abs(np.array(LESION_COLOURS) - colour).sum(axis=1)))
    return found


def test_a_second_lesion_has_another_colour_at_once(app, analysis):
    """Before anything is drawn in it, and before it is known which lesion it is."""
    analysis.lesions = []
    patient = build_scene(app, analysis)
    for _number in range(2):
        add_region(app.scene, analysis, SECOND, "lesion")
    found = colours(patient, analysis)
    assert [found[SECOND, name] for name in ("lesion", "lesion 2", "lesion 3")] == [0, 1, 2]
    assert found[FIRST, "lesion"] == found[THIRD, "lesion"] == 0


def test_a_lesion_has_its_colour_in_every_visit_whatever_it_is_called(app, analysis):
    """In the third visit the names are the other way round."""
    away = (0, -50, 0)
    draw(analysis, SECOND, "other", away)
    draw(analysis, THIRD, "other", away)
    regions = analysis.regions
    regions[THIRD, "lesion"], regions[THIRD, "other"] = regions[THIRD, "other"], regions[THIRD, "lesion"]
    update_lesions(analysis)
    assert {one.lesion for one in analysis.lesions} == {"L1", "L2"}, "the check needs two lesions"
    patient = build_scene(app, analysis)
    assert colours(patient, analysis) == {
        (FIRST, "lesion"): 0,
        (SECOND, "lesion"): 0,
        (SECOND, "other"): 1,
        (THIRD, "lesion"): 1,
        (THIRD, "other"): 0,
    }


def test_the_users_own_colour_stays(app, analysis):
    update_lesions(analysis)
    patient = build_scene(app, analysis)
    node = find(patient, Kind.LESION, FIRST)
    segment = node.GetSegmentation().GetSegment(segment_of(node, "lesion"))
    segment.SetColor(1.0, 0.0, 0.0)
    colour_lesions(patient, analysis)
    assert segment.GetColor() == (1.0, 0.0, 0.0)
    _node, added = add_region(app.scene, analysis, FIRST, "lesion")
    assert np.allclose(node.GetSegmentation().GetSegment(added).GetColor(), LESION_COLOURS[0])
