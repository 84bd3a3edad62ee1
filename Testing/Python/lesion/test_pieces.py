"""Pieces of a region against counting by hand and against labels of the whole mask."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from PseudoProgressionAnalyzerLib.lesion.pieces import piece_sizes, remark_on_pieces

SHAPE = (9, 30, 24)


def drawn(*boxes):
    mask = np.zeros(SHAPE, bool)
    for box in boxes:
        mask[tuple(slice(first, end) for first, end in box)] = True
    return mask


LESION = ((2, 6), (3, 8), (4, 14))  # 200 voxels


@pytest.mark.parametrize(
    ("island", "sizes"),
    [
        (((2, 6), (8, 9), (14, 15)), [204]),  # touches by an edge
        (((6, 7), (8, 9), (14, 15)), [201]),  # by a corner
        (((6, 7), (8, 9), (15, 16)), [200, 1]),  # a voxel between, no plane free of both
        (((2, 6), (9, 10), (4, 14)), [200, 40]),  # an empty plane between
        (((8, 9), (29, 30), (22, 24)), [200, 2]),  # in the far corner
    ],
)
def test_by_hand(island, sizes):
    assert piece_sizes(drawn(LESION, island)) == sizes


boxes = st.builds(
    lambda first, size: tuple((a, a + n) for a, n in zip(first, size, strict=True)),
    st.tuples(*(st.integers(0, n - 1) for n in SHAPE)),
    st.tuples(*[st.integers(1, 5)] * 3),
)


@settings(max_examples=60, deadline=None)
@given(st.lists(boxes, max_size=7), st.lists(boxes, max_size=3))
def test_random_regions(painted, erased):
    mask = drawn(*painted) & ~drawn(*erased)
    labels, count = ndimage.label(mask, np.ones((3, 3, 3)))
    assert piece_sizes(mask) == sorted(np.bincount(labels.ravel(), minlength=count + 1)[1:].tolist(), reverse=True)


def test_the_remark_says_how_many_and_how_much():
    assert remark_on_pieces(drawn()) == remark_on_pieces(drawn(LESION)) == ()
    (flag,) = remark_on_pieces(drawn(LESION, ((0, 1), (0, 1), (0, 2)), ((8, 9), (20, 22), (20, 24))))
    assert (flag.code, flag.parameters) == ("lesion_pieces", {"pieces": 3, "percent": 4.8})  # 10 of 210
