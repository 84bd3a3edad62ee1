"""The mid-sagittal plane against a head whose plane is known, and under known rotations of a real brain."""

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.formats.images import read_image
from PseudoProgressionAnalyzerLib.imaging.brain import brain_mask
from PseudoProgressionAnalyzerLib.imaging.midline import Plane, find_midline
from PseudoProgressionAnalyzerLib.measures import Image


def angle(first, second):
    return np.degrees(np.arccos(np.clip(first @ second, -1, 1)))


def test_reflection_by_hand():
    plane = Plane(np.array([1.0, 0, 0]), 2.0)
    np.testing.assert_allclose(plane.reflect(np.array([[5.0, 1, 3]])), [[-1, 1, 3]])
    np.testing.assert_allclose(plane.mirror @ plane.mirror, np.eye(4))
    assert plane.distance(np.array([[5.0, 1, 3]]))[0] == 3  # right is positive


@pytest.mark.parametrize("degrees", [(4, -7, 12), (-8, 10, -14)])
def test_plane_of_a_turned_head_with_a_lesion(head, posed, degrees):
    case = head(posed(degrees, (6, -4, 8)), spacing=(2.5, 2.5, 2.5), lesion_radius=20)
    plane = find_midline(case.image, case.brain, exclude=case.lesion)
    truth = case.pose[:3, 0]  # the head's x axis
    assert angle(plane.normal, truth) < 1.5
    assert abs(plane.distance(case.pose[:3, 3][None])[0]) < 1.5
    assert angle(np.array([1.0, 0, 0]), truth) > 1.5  # the scanner's own plane fails the same check
    assert plane.normal[0] > 0


def test_rotations_of_a_real_brain_are_followed(reference_data, posed):
    folder = reference_data("longitudinal/BrainLesion_deep_quality_estimation")
    image = read_image(folder / "t1c.nii.gz")
    lesion = read_image(folder / "seg-BraTS23_1.nii.gz").array > 0
    brain = brain_mask(image)
    plain = find_midline(image, brain, exclude=lesion)
    turn = posed((8, -12, 10), (15, -10, 5))
    turned = find_midline(Image(image.array, turn @ image.affine), brain, exclude=lesion)
    assert angle(turned.normal, turn[:3, :3] @ plain.normal) < 1.0
    assert angle(turned.normal, plain.normal) > 5
