"""Contrast uptake of what was drawn: a true lesion, blood that was bright before, a wrong label, no T1 at all."""

import sys
from pathlib import Path

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.analysis.enhancement import NAME, find_uptake, uptake_of
from PseudoProgressionAnalyzerLib.measures import Image, Region

sys.path.insert(0, str(Path(__file__).resolve().parent))
from followed import LEFT, RIGHT, balls, followed_patient, grid

BALL, BLOOD = [(RIGHT, 9.0)], [(LEFT, 8.0)]


@pytest.fixture
def analysis():
    """T1 and T1CE with different scales; a lesion that enhances, and blood that is bright in both."""
    made = followed_patient([BALL])
    shape, affine = grid(0)
    random = np.random.default_rng(5)
    tissue = 100 + 15 * (random.random(shape) > 0.5) + 80.0 * balls(BLOOD, 0)
    lesion = balls(BALL, 0)
    made.images["v0", "T1"] = Image(tissue + random.normal(0, 2, shape), affine)
    made.images["v0", "T1CE"] = Image(3 * (tissue + 60 * lesion) + 40 + random.normal(0, 6, shape), affine)
    made.series_to_visit["v0", "T1"] = np.eye(4)
    return made


def codes(analysis):
    return [message.code for message in analysis.messages.get("v0", [])]


def test_the_lesion_takes_up_contrast_and_blood_does_not(analysis):
    find_uptake(analysis, "v0")
    delta = analysis.maps["v0", NAME].array
    signal = np.median(analysis.images["v0", "T1CE"].array)
    assert np.median(delta[balls(BALL, 0)]) == pytest.approx(100 * 180 / signal, rel=0.1)
    assert abs(np.median(delta[balls(BLOOD, 0)])) < 2 * analysis.uptake_noise["v0"]
    assert codes(analysis) == []
    assert uptake_of(analysis, "v0").noise == analysis.uptake_noise["v0"]


def test_blood_drawn_as_enhancing_is_named(analysis):
    analysis.regions["v0", "lesion"] = Image(balls(BLOOD, 0), grid(0)[1])
    find_uptake(analysis, "v0")
    assert set(codes(analysis)) & {"lesion_not_enhancing", "lesion_uptake_little"}


def test_exchanged_labels_are_named(analysis):
    shape, affine = grid(0)
    core = balls([(RIGHT, 5.0)], 0)
    ring = balls(BALL, 0) & ~core
    image = analysis.images["v0", "T1CE"]
    image.array[core] -= 180
    analysis.regions["v0", "lesion"], analysis.regions["v0", "dead"] = Image(core, affine), Image(ring, affine)
    analysis.patient.regions.append(Region("dead", "v0", "necrosis", Path()))
    find_uptake(analysis, "v0")
    assert "lesion_other_enhances" in codes(analysis)
    assert analysis.messages["v0"][-1].parameters["visit"] == "v0"
    analysis.messages.clear()
    analysis.regions["v0", "lesion"], analysis.regions["v0", "dead"] = Image(ring, affine), Image(core, affine)
    find_uptake(analysis, "v0")
    assert codes(analysis) == []
    assert shape == core.shape


def test_images_that_are_unlike_are_named_and_nothing_is_made(analysis):
    analysis.images["v0", "T1"].array[:] = -analysis.images["v0", "T1"].array
    find_uptake(analysis, "v0")
    assert codes(analysis) == ["lesion_subtraction_failed", "lesion_subtraction_unlike"]
    assert ("v0", NAME) not in analysis.maps


def test_without_a_t1_before_contrast_nothing_is_said(analysis):
    del analysis.images["v0", "T1"]
    find_uptake(analysis, "v0")
    assert analysis.maps == {}
    assert codes(analysis) == []
