"""Registration against poses that are known: of a head given by formulas, and of a real serial pair."""

import time
from concurrent.futures import CancelledError
from types import SimpleNamespace

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.imaging import agreement, registration, resampling
from PseudoProgressionAnalyzerLib.imaging.head import Head
from PseudoProgressionAnalyzerLib.measures import Image, InputError


def largest_error(found, truth, points):
    return np.linalg.norm(
        resampling.transform_points(found, points) - resampling.transform_points(truth, points), axis=1
    ).max()


@pytest.fixture(scope="module")
def pair(head, posed):
    """A head, and the same in thick slices, turned and shifted, with a larger lesion."""
    fixed = head()
    moving = head(posed((14, -9, 17), (12, -18, 9)), spacing=(1.6, 1.6, 5.0), lesion_radius=20, seed=1)
    result = registration.register_rigid(
        fixed.image, moving.image, exclude_fixed=fixed.lesion, exclude_moving=moving.lesion
    )
    return fixed, moving, result


def test_known_pose_is_found(pair):
    _, moving, result = pair
    truth = np.linalg.inv(moving.pose)
    points = resampling.voxel_centres(moving.brain, moving.image.affine)[::500]
    assert largest_error(result.moving_to_fixed, truth, points) < 1.0
    assert largest_error(np.eye(4), truth, points) > 1.0  # the start fails the same check
    assert result.trusted and result.uncertainty < registration.UNCERTAINTY_LIMIT
    assert result.agreement <= result.agreement_before


def test_the_uncertainty_covers_the_error_and_rises_with_it(pair, head, posed):
    """Known poses: of the pair, and of a slab of it with so much noise that less can be told."""
    fixed, moving, result = pair

    def mean_error(found, case):
        points = resampling.voxel_centres(case.brain, case.image.affine)[::500]
        truth = np.linalg.inv(case.pose)
        ends = (resampling.transform_points(matrix, points) for matrix in (found.moving_to_fixed, truth))
        return np.linalg.norm(np.subtract(*ends), axis=1).mean()

    assert set(result.spread) == {"samples", "starts", "metrics", "halves"}
    assert mean_error(result, moving) < result.uncertainty < 1.0
    rng = np.random.default_rng(3)
    slab = head(posed((4, -3, 5), (3, -4, 2)), spacing=(2.0, 2.0, 6.0), extent=(200, 230, 54), seed=2)
    noisy = Image(slab.image.array + rng.normal(0, 250, slab.image.shape).astype(np.float32), slab.image.affine)
    found = registration.register_rigid(
        fixed.image, noisy, fixed_mask=fixed.brain, moving_mask=slab.brain, exclude_fixed=fixed.lesion
    )
    assert found.uncertainty > result.uncertainty
    assert mean_error(found, slab) < found.uncertainty


def one_sided(case):
    """The case's head with dark places on its left side that the right one lacks."""
    index = np.stack(np.meshgrid(*map(np.arange, case.image.shape), indexing="ij")[::-1], axis=-1)
    to_head = np.linalg.inv(case.pose) @ case.image.affine
    points = index @ to_head[:3, :3].T + to_head[:3, 3]
    array = case.image.array.copy()
    for place in ((-30, -30, 0), (-25, -10, 40), (-45, -10, 10), (-30, -45, 25), (-20, 45, 0)):
        array[np.linalg.norm(points - place, axis=-1) < 18] *= 0.3
    return Head(Image(array, case.image.affine), case.brain)


def test_a_mirror_image_is_told_from_the_head(head, posed):
    """Fits of the image as it is and of its mirror image, with the moving image the right way round and mirrored."""
    fixed, moving = head(lesion_radius=0), head(posed((6, -4, 7), (5, -8, 4)), lesion_radius=0, seed=1)
    watch, there = SimpleNamespace(stopped=False), one_sided(moving)
    level = registration.Level(one_sided(fixed), there, registration._LOOKS[1])
    right, found = level.register(moving.pose, np.zeros(3), watch, 1)
    assert largest_error(found, moving.pose, there.brain_points()) < 1.0
    mirrored = registration._mirrored(one_sided(fixed), there, found, watch)
    assert mirrored > registration._MIRRORED * right  # the less, the better
    turned = there.mirroring @ found @ np.diag([-1.0, 1.0, 1.0, 1.0])
    back = registration._mirrored(one_sided(fixed), there.mirrored(), turned, watch)
    assert back < registration._MIRRORED * mirrored
    assert back == pytest.approx(right, rel=0.05)


def test_an_unknown_uncertainty_is_flagged(pair):
    fixed, moving, result = pair
    heads = [Head(case.image, case.brain, case.lesion) for case in (fixed, moving)]
    watch = SimpleNamespace(step=lambda share: None)
    for halves, codes in ((0.3, []), (3.0, ["registration_uncertain"]), (np.inf, ["registration_uncertainty_unknown"])):
        spreads = {"samples": 0.1, "halves": halves}
        judged = registration._judged(*heads, result.moving_to_fixed, spreads, [], watch)
        assert [flag.code for flag in judged.flags] == codes


def test_identity_and_random_transforms_fail_the_agreement_check(pair, posed):
    fixed, moving, result = pair
    first, second = (agreement.edges(Head(case.image, None, case.lesion)) for case in (fixed, moving))
    assert agreement.edge_distance(first, second, result.moving_to_fixed) < agreement.LIMIT
    for wrong in (np.eye(4), posed((-9, 12, 6), (10, 8, -14)) @ result.moving_to_fixed):
        distance = agreement.edge_distance(first, second, wrong)
        assert distance is None or distance > agreement.LIMIT


def test_edges_of_a_thin_slab_tell_nothing(head, posed):
    """Slices of 6 mm whose voxel size is lost: edges lie so close that a head 5 mm out of place would pass."""
    true = [
        head(pose, spacing=(2.0, 2.0, 6.0), extent=(200, 230, 144), lesion_radius=0)
        for pose in (np.eye(4), posed((0, 0, 0), (0, 0, 5)))
    ]
    heads = [Head(case.image, case.brain) for case in true]
    assert agreement.head_distance(*heads, np.eye(4)) > agreement.LIMIT
    flat = [Image(case.image.array, np.diag([1.0, 1.0, 1.0, 1.0])) for case in true]
    thin = [Head(image, case.brain) for image, case in zip(flat, true, strict=True)]
    assert agreement.head_distance(*thin, np.eye(4)) is None
    watch = SimpleNamespace(step=lambda share: None)
    judged = registration._judged(*thin, np.eye(4), {"samples": 0.1}, [], watch)
    assert (judged.agreement_before, judged.agreement) == (None, None)
    assert [flag.code for flag in judged.flags] == ["registration_agreement_unknown"]


def test_cancelling_ends_soon(pair):
    fixed, moving, _ = pair
    asked = []

    def cancelled():
        asked.append(time.monotonic())
        return len(asked) > 6

    with pytest.raises(CancelledError):
        registration.register_rigid(
            fixed.image, moving.image, fixed_mask=fixed.brain, moving_mask=moving.brain, cancelled=cancelled
        )
    assert len(asked) == 7  # never asked again after it said yes


def test_wrong_input_is_said(pair):
    fixed, moving, _ = pair
    series = Image(fixed.image.array[None], fixed.image.affine)
    with pytest.raises(InputError) as caught:
        registration.register_rigid(series, moving.image)
    assert caught.value.message.code == "registration_not_3d"
    with pytest.raises(InputError) as caught:
        registration.register_rigid(fixed.image, moving.image, fixed_mask=moving.brain)
    assert caught.value.message.code == "registration_mask_grid"


def test_real_pair_follows_a_known_perturbation(reference_data, posed):
    folder = reference_data("longitudinal/SagaraBattousai_BrainTumorProgression") / "01"
    affine = np.diag([-0.94, -0.94, 6.5, 1.0])  # assumed: the files lost it
    fixed, moving = (Image(read_image(folder / f"{name}_Scan_T1.nii.gz").array, affine) for name in ("Pre", "Post"))
    lesions = [read_image(folder / f"{name}_Mask.nii.gz").array > 0 for name in ("Pre", "Post")]
    options = {"exclude_fixed": lesions[0], "exclude_moving": lesions[1]}
    plain = registration.register_rigid(fixed, moving, **options)
    turn = posed((18, -11, 15), (25, -20, 14))
    turned = registration.register_rigid(fixed, Image(moving.array, turn @ affine), **options)
    points = Head(moving).brain_points()
    assert largest_error(turned.moving_to_fixed @ turn, plain.moving_to_fixed, points) < 1.0
    assert largest_error(plain.moving_to_fixed @ turn, plain.moving_to_fixed, points) > 1.0
    assert plain.trusted and turned.trusted
    lesions[1] = lesions[1][..., ::-1]
    options = {"exclude_fixed": lesions[0], "exclude_moving": lesions[1]}
    mirrored = registration.register_rigid(fixed, Image(moving.array[..., ::-1], affine), **options)
    assert "registration_mirrored" in [flag.code for flag in mirrored.flags]
