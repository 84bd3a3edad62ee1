"""Squares of two images in turn, by values that can be told apart."""

import numpy as np

from PseudoProgressionAnalyzerLib.imaging.checkerboard import checkerboard
from PseudoProgressionAnalyzerLib.measures import Image


def test_cubes_in_turn_each_in_its_own_window():
    fixed = Image(np.full((4, 6, 8), 10.0), np.diag([1.0, 1, 2, 1]))
    moving = Image(np.full((20, 20, 20), 700.0), np.diag([1.0, 1, 1, 1]))
    shown = checkerboard(fixed, moving, np.eye(4), 2.0, ((0, 20), (0, 700))).array
    k, j, i = np.indices(fixed.shape)
    second = (k + j // 2 + i // 2) % 2 == 1  # 2 mm: one voxel along k, two along j and i
    assert shown.dtype == np.uint8
    assert (shown[second] == 255).all()
    assert (shown[~second] == 128).all()  # 10 of 0 to 20


def test_an_edge_goes_on_where_the_transform_is_right_and_breaks_where_it_is_not():
    ramp = np.broadcast_to(np.arange(40.0), (1, 12, 40)).copy()
    fixed, shift = Image(ramp, np.eye(4)), np.eye(4)
    shift[0, 3] = 5
    there = np.eye(4)
    there[0, 3] = -5
    moving = Image(ramp, there)  # the same image, 5 mm away
    right = checkerboard(fixed, moving, shift, 6.0, ((0, 40), (0, 40))).array[0, :, 6:34].astype(int)
    wrong = checkerboard(fixed, moving, np.eye(4), 6.0, ((0, 40), (0, 40))).array[0, :, 6:34].astype(int)
    assert np.abs(right[5] - right[6]).max() <= 1
    assert np.abs(wrong[5] - wrong[6]).min() >= 30  # 5 of 40 values, of 255 greys


def test_values_that_are_none_are_black():
    array = np.array([[[np.nan, -5.0, 50.0]]])
    shown = checkerboard(Image(array, np.eye(4)), Image(array, np.eye(4)), np.eye(4), 9.0, ((0, 10), (0, 10))).array
    assert shown.tolist() == [[[0, 0, 255]]]
