"""One scale for images in other units, and coil shading that is known."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.imaging.intensity import Scale, matched, tissue_scale, without_bias
from PseudoProgressionAnalyzerLib.measures import Image, InputError


def test_another_gain_and_offset_are_taken_out_whatever_enhances(head):
    before = head(spacing=(3.0, 3.0, 3.0), lesion_radius=14)
    after = head(spacing=(3.0, 3.0, 3.0), lesion_radius=24, seed=1)
    other = Image(after.image.array * 0.37 + 55, after.image.affine)
    scales = [
        tissue_scale(image, case.brain, [case.lesion]) for image, case in ((before.image, before), (other, after))
    ]
    same = matched(other, scales[1], scales[0])
    normal = before.brain & ~after.lesion
    assert np.abs(same.array - before.image.array)[normal].mean() < 45  # noise of two images: 25 each
    assert np.abs(other.array - before.image.array)[normal].mean() > 200
    factor, offset = scales[1].to(scales[0])
    assert factor == pytest.approx(1 / 0.37, rel=0.03)
    assert offset == pytest.approx(-55 / 0.37, rel=0.1)


def test_by_hand():
    assert Scale(10, 30).to(Scale(100, 140)) == (2.0, 80.0)


def test_too_little_tissue_is_said(head):
    case = head(spacing=(4.0, 4.0, 4.0))
    with pytest.raises(InputError) as caught:
        tissue_scale(case.image, case.brain, [case.brain])
    assert caught.value.message.code == "intensity_no_tissue"


def test_known_shading_goes(head):
    case = head(spacing=(3.0, 3.0, 3.0))
    k, j, i = np.meshgrid(*(np.linspace(-1, 1, n) for n in case.brain.shape), indexing="ij")
    shading = np.exp(0.35 * i - 0.25 * j * k)
    shaded = Image((case.image.array * shading).astype(np.float32), case.image.affine)
    white = case.brain & (case.image.array > 900) & (case.image.array < 1100)

    def spread(image):
        return image.array[white].std() / image.array[white].mean()

    assert spread(without_bias(shaded, case.brain)) < 0.5 * spread(shaded)
    with pytest.raises(InputError) as caught:
        without_bias(shaded, np.zeros_like(case.brain))
    assert caught.value.message.code == "brain_not_found"
