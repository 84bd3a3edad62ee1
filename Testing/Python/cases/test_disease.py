"""Lesion, mass effect and truth against analytic shapes, hand calculation and independent counts."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import ndimage

from PseudoProgressionAnalyzerLib.cases import disease, grids, plans
from PseudoProgressionAnalyzerLib.cases.tissues import TISSUES
from PseudoProgressionAnalyzerLib.measures import Image

ROUND = replace(plans.UNTREATED, radius=17.3, irregularity=0.0)


def level_of(lesion, shape=(60, 60, 60)):
    affine = np.eye(4)
    affine[:3, 3] = -(shape[0] - 1) / 2
    surface = grids.smooth_field(np.random.default_rng(2), Image(np.empty(shape, np.bool_), affine), 6.0)
    return disease.lesion_level(shape, affine, np.array([0.4, -0.3, 0.2]), lesion, surface)


def test_a_round_lesion_has_the_volume_of_a_ball():
    volume = grids.soft_step(-level_of(ROUND)).sum()
    assert volume == pytest.approx(4 / 3 * np.pi * 17.3**3, rel=0.003)
    wrong = grids.soft_step(-level_of(replace(ROUND, radius=17.6))).sum()
    assert wrong != pytest.approx(4 / 3 * np.pi * 17.3**3, rel=0.003)


def test_an_irregular_lesion_is_no_ball():
    level = level_of(replace(ROUND, irregularity=0.26))
    inside = np.argwhere(level < 0) - 29.5
    reach = np.linalg.norm(inside, axis=1).max()
    assert len(inside) == pytest.approx(4 / 3 * np.pi * 17.3**3, rel=0.35)
    assert reach > 1.25 * 17.3


def test_truth_of_a_state_made_by_hand():
    """Two voxels of lesion (one of them half), one of necrosis, two of white matter on the other side."""
    shares = {
        "enhancing": [1.0, 0.5, 0.0, 0.0, 0.0, 0.0],
        "necrosis": [0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        "oedema": [0.0, 0.5, 0.0, 0.0, 0.0, 0.0],
        "white": [0.0, 0.0, 0.0, 1.0, 1.0, 0.6],
    }
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    row = {name: np.array(values, np.float32)[None, None] for name, values in shares.items()}
    state = disease.State(
        row,
        affine,
        blood_volume=np.array([0.06, 0.03, 9, 9, 9, 9], np.float32)[None, None],
        t2_star_share=np.zeros((1, 1, 6)),
        core_and_rim=np.zeros((1, 1, 6)),
        perfusion=Image(np.array([9, 9, 9, 0.9, 1.1, 9], np.float32)[None, None], affine),
    )
    found = disease.truth(state, contralateral=np.array([0, 0, 0, 1, 1, 1], bool)[None, None])
    assert found["volume"] == pytest.approx(1.5 * 0.008)
    assert found["necrosis_volume"] == pytest.approx(0.008)
    assert found["oedema_volume"] == pytest.approx(0.004)
    # Mean of 0.06 and half as much 0.03: 0.05. White matter: 0.021 times the mean of 0.9 and 1.1.
    assert found["rCBV_ratio"] == pytest.approx(0.05 / TISSUES["white"].blood_volume)


def test_truth_agrees_with_a_count_of_voxels(patient):
    found = disease.truth(patient.state, patient.head.lateral < -5)
    enhancing = patient.state.tissues["enhancing"]
    assert found["volume"] == pytest.approx(np.count_nonzero(enhancing > 0.5) / 1000, rel=0.02)
    assert 20 < found["volume"] < 40
    plan = patient.visit.lesion.blood_volume_ratio
    assert found["rCBV_ratio"] == pytest.approx(plan, rel=0.06) and found["rCBV_ratio"] != plan


def test_lesion_lies_on_its_side_with_rim_and_core(patient):
    tissues, affine = patient.state.tissues, patient.state.affine
    for name in ("enhancing", "necrosis"):
        mean = ndimage.center_of_mass(tissues[name])[::-1]
        assert np.linalg.norm(affine[:3, 3] + mean - patient.centre) < 9, name
    rim_distance = grids.signed_distance(tissues["necrosis"] > 0.5, 1.0)
    assert rim_distance[tissues["enhancing"] > 0.5].max() < 40
    assert (tissues["enhancing"] * (patient.head.depth > -1)).sum() == 0


def test_oedema_spreads_in_white_matter_only(patient):
    oedema = patient.state.tissues["oedema"]
    assert oedema.sum() > 20_000
    grey_before, grey_now = patient.head.tissues["grey"], patient.state.tissues["grey"]
    far = patient.state.core_and_rim == 0
    moved = np.abs(grey_now[far].sum() / grey_before[far].sum() - 1)
    assert moved < 0.1


def ventricle_centre(tissues, head):
    """Centre of mass (x, mm) of fluid deep in the head, above the third ventricle."""
    deep = (tissues["fluid"] > 0.6) & (head.depth < -28)
    x, _, z = grids.axes(deep.shape, head.affine)
    deep &= (z > 0) & (z < 40) & (np.abs(x) < 40)
    return float((x * deep).sum() / deep.sum())


def test_mass_effect_pushes_the_ventricles_to_the_other_side(patient):
    before = ventricle_centre(patient.head.tissues, patient.head)
    after = ventricle_centre(patient.state.tissues, patient.head)
    assert after < before - 1.5  # the lesion is on the right
    none = disease.diseased(
        patient.head, patient.centre, replace(plans.UNTREATED, radius=3.0, mass_effect=0.0), patient.pattern
    )
    assert ventricle_centre(none.tissues, patient.head) == pytest.approx(before, abs=0.1)


def test_skull_scalp_and_what_is_far_stay(patient):
    outside = patient.head.depth > 1
    far = patient.head.lateral < -60
    for name, share in patient.head.tissues.items():
        now = patient.state.tissues[name]
        assert np.array_equal(share[outside], now[outside]), name
        assert np.abs(share - now)[far].mean() < 2e-3, name


def test_visits_shrink_and_grow_as_the_case_says():
    """Enhancing volume by the lesion's surface and rim alone, on a small grid."""

    def enhancing(lesion):
        level = level_of(lesion, (100, 100, 100))
        return ((level < 0) & (level > -lesion.rim)).sum()

    volumes = {name: [enhancing(visit.lesion) for visit in case.visits] for name, case in plans.CASES.items()}
    first, second, third = volumes["pseudoprogression"]
    assert second > 2 * first and third < 0.5 * second
    assert volumes["true_progression"][0] < volumes["true_progression"][1] < volumes["true_progression"][2] / 1.4


def test_leakage_is_shared_as_planned(patient):
    inside = patient.state.tissues["enhancing"] > 0.5
    share = patient.state.t2_star_share[inside]
    assert (share > 0.5).mean() == pytest.approx(patient.visit.lesion.t2_star_share, abs=0.02)


def test_biopsy_opens_the_skull_on_the_lesions_side(patient):
    opened = replace(patient.head, tissues={name: share.copy() for name, share in patient.head.tissues.items()})
    disease.biopsied(opened, patient.centre)
    new = opened.tissues["muscle"] - patient.head.tissues["muscle"]
    hole = new > 0.3
    assert 100 < hole.sum() < 2000
    assert patient.head.lateral[hole].min() > 20
    assert ((patient.head.depth[hole] > -1) & (patient.head.depth[hole] < 10)).all()
