"""The contralateral reference against a head whose tissues are known."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.imaging.midline import Plane
from PseudoProgressionAnalyzerLib.imaging.reference import contralateral_white_matter
from PseudoProgressionAnalyzerLib.imaging.resampling import voxel_centres
from PseudoProgressionAnalyzerLib.measures import Image

MIDDLE = Plane(np.array([1.0, 0, 0]), 0.0)


@pytest.fixture(scope="module")
def case(head):
    return head()


def codes(flags):
    return {flag.code for flag in flags}


def test_white_matter_opposite_the_lesion(case):
    region, flags = contralateral_white_matter(case.image, case.brain, case.lesion, MIDDLE)
    assert 1 <= region.array.sum() * region.voxel_volume <= 5
    assert voxel_centres(region.array, region.affine)[:, 0].min() > 0  # the lesion is on the left
    assert case.image.array[region.array].mean() == pytest.approx(1000, rel=0.03)  # the head's white matter
    assert codes(flags) == {"reference_without_flair"}


def test_oedema_on_flair_is_avoided(case):
    plain, _ = contralateral_white_matter(case.image, case.brain, case.lesion, MIDDLE)
    water = np.full(case.image.shape, 100.0) + np.random.default_rng(0).normal(0, 3, case.image.shape)
    points = voxel_centres(np.ones(case.image.shape, dtype=bool), case.image.affine)
    middle = voxel_centres(plain.array, plain.affine).mean(axis=0)
    oedema = (np.linalg.norm(points - middle, axis=1) < 14).reshape(case.image.shape)
    water[oedema] = 300
    flair = Image(water, case.image.affine)
    region, flags = contralateral_white_matter(case.image, case.brain, case.lesion, MIDDLE, flair=flair)
    assert region.array.any() and not (region.array & oedema).any()
    assert (plain.array & oedema).any()  # without FLAIR the same check fails
    assert "reference_without_flair" not in codes(flags)


def test_bilateral_disease_is_said(case):
    both = case.lesion | case.lesion[:, :, ::-1]
    _, flags = contralateral_white_matter(case.image, case.brain, both, MIDDLE)
    assert "reference_bilateral" in codes(flags)


def test_without_lesion_or_tissue_it_says_so(case):
    nothing = np.zeros_like(case.lesion)
    assert "reference_no_lesion" in codes(contralateral_white_matter(case.image, case.brain, nothing, MIDDLE)[1])
    right_side = voxel_centres(np.ones(case.image.shape, dtype=bool), case.image.affine)[:, 0] > 5
    left = case.brain & ~right_side.reshape(case.image.shape)
    region, flags = contralateral_white_matter(case.image, left, case.lesion, MIDDLE)
    assert not region.array.any() and "reference_not_found" in codes(flags)


def test_oedema_in_a_single_thick_slice_is_avoided(head):
    case = head(spacing=(2.0, 2.0, 6.5))
    plain, _ = contralateral_white_matter(case.image, case.brain, case.lesion, MIDDLE)
    slice_ = int(np.argmax(plain.array.sum(axis=(1, 2))))
    oedema = np.zeros(case.image.shape, dtype=bool)
    oedema[slice_, 20:-20, 55:-15] = True  # right of the midline
    water = np.where(oedema, 300.0, 100.0) + np.random.default_rng(0).normal(0, 3, case.image.shape)
    flair = Image(water, case.image.affine)
    region, _ = contralateral_white_matter(case.image, case.brain, case.lesion, MIDDLE, flair=flair)
    assert (plain.array & oedema).any() and not (region.array & oedema).any()
