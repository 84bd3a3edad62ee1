"""The brain's mask against the known brain of a simulated head and of skull-stripped real cases."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.imaging.brain import brain_mask, complete_by_symmetry
from PseudoProgressionAnalyzerLib.measures import Image, InputError


def dice(first, second):
    return 2 * (first & second).sum() / (first.sum() + second.sum())


@pytest.mark.parametrize("spacing", [(2.0, 2.0, 2.0), (1.6, 1.6, 6.5)])
def test_brain_of_a_simulated_head(head, spacing):
    case = head(spacing=spacing)
    assert dice(brain_mask(case.image), case.brain) > 0.93
    assert dice(case.image.array > 500, case.brain) < 0.93  # a plain threshold fails the same check


def test_skull_stripped_brain_is_all_of_it(head):
    case = head()
    stripped = Image(np.where(case.brain, case.image.array, 0), case.image.affine)
    assert dice(brain_mask(stripped), case.brain) > 0.99


def test_padding_and_missing_values_do_not_matter(head):
    case = head()
    padded = np.pad(case.image.array, ((0, 5), (0, 0), (0, 0)))
    padded[-1] = np.nan
    found = brain_mask(Image(padded, case.image.affine))
    assert dice(found[:-5], case.brain) > 0.93 and not found[-4:].any()


def test_a_drawn_lesion_at_the_surface_belongs_to_the_brain(head):
    """What looks like bone or scalp is missed by its values, and in when it is drawn, without the scalp beyond."""
    case = head()
    affine = case.image.affine
    index = np.stack(np.meshgrid(*map(np.arange, case.brain.shape), indexing="ij")[::-1], axis=-1)
    points = index @ affine[:3, :3].T + affine[:3, 3]
    lesion = np.linalg.norm(points - [-64, 30, 15], axis=-1) < 9
    assert (lesion & ~brain_mask(case.image)).sum() > 0.3 * lesion.sum()
    found = brain_mask(case.image, lesion)
    assert not (lesion & ~found).any()
    assert dice(found, case.brain | lesion) > 0.93


def test_what_one_side_lacks_comes_from_the_other(head):
    """An enhancing lesion at the surface, as bright as scalp: missed by its values, and in without being drawn."""
    case = head(spacing=(1.6, 1.6, 6.5))
    affine = case.image.affine
    index = np.stack(np.meshgrid(*map(np.arange, case.brain.shape), indexing="ij")[::-1], axis=-1)
    points = index @ affine[:3, :3].T + affine[:3, 3]
    lesion = (np.linalg.norm(points - [-60, 20, 12], axis=-1) < 15) & case.brain
    image = Image(np.where(lesion, 1900.0, case.image.array).astype(np.float32), affine)
    by_values = brain_mask(image)
    assert (lesion & by_values).sum() < 0.3 * lesion.sum()
    found = complete_by_symmetry(image, by_values)
    assert (lesion & found).sum() > 0.9 * lesion.sum()
    assert dice(found, case.brain) > 0.93 and not (by_values & ~found).any()


def test_a_whole_mask_stays_as_it_is(head, posed):
    for case in (head(), head(pose=posed((6, -8, 10), (5, 9, -4)), lesion_radius=20)):
        mask = brain_mask(case.image)
        assert dice(complete_by_symmetry(case.image, mask), mask) > 0.995
    stripped = Image(np.where(case.brain, case.image.array, 0), case.image.affine)
    assert np.array_equal(complete_by_symmetry(stripped, case.brain), case.brain)


def test_no_brain_is_said(head):
    with pytest.raises(InputError) as caught:
        brain_mask(Image(np.pad(np.ones((6, 6, 6)), 20), np.eye(4)))
    assert caught.value.message.code == "brain_not_found"


def test_real_skull_stripped_case(reference_data):
    image = read_image(reference_data("longitudinal/BrainLesion_deep_quality_estimation") / "t1c.nii.gz")
    assert dice(brain_mask(image), image.array > 0) > 0.99
