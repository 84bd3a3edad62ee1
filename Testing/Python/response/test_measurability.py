"""Measurable lesions: a published limit on either side of each size, and unknown where a size is."""

import dataclasses

import pytest

from PseudoProgressionAnalyzerLib.response import Lesion
from PseudoProgressionAnalyzerLib.response.measurability import measurable_2010, measurable_rano_2

from .simple import lesion


@pytest.mark.parametrize(
    ("longest", "perpendicular", "slices", "spacing", "expected"),
    [
        (10.0, 10.0, 2, 1.0, True),  # 1.1 (S7): at least 10 mm
        (14.0, 9.9, 2, 1.0, False),
        (14.0, 12.0, 1, 1.0, False),  # 1.1: on at least two slices
        (11.9, 11.9, 2, 6.0, False),  # 1.3 (S8): twice the spacing above 5 mm
        (14.0, 12.0, 2, 6.0, True),
        (10.0, 10.0, 2, 5.0, True),  # 10.16: at 5 mm both readings ask for 10 mm
    ],
)
def test_rano_2010(longest, perpendicular, slices, spacing, expected):
    one = lesion("A", longest, perpendicular, slices=slices, slice_spacing=spacing)
    assert measurable_2010(one, "area") is expected


@pytest.mark.parametrize(
    ("changes", "measure", "expected"),
    [
        ({}, "area", True),  # 3.6 (S1): short axis of 10 mm on two slices
        ({"perpendicular": 9.9}, "area", False),
        ({"slices": 1}, "area", False),
        ({}, "volume", True),  # 3.8 (S1): 10 mm in three directions
        ({"extents": (12.0, 10.0, 9.0)}, "volume", False),
        ({"slices": 1}, "volume", True),
    ],
)
def test_rano_2(changes, measure, expected):
    one = dataclasses.replace(lesion("A", 12, 10), **changes)
    assert measurable_rano_2(one, measure) is expected


def test_the_readers_word_comes_first():
    """1.4 (S7), 1.5 (S8): margins that are not clear, a cyst or a cavity are not measurable whatever their size."""
    unclear = lesion("A", 40, measurable=False)
    assert measurable_2010(unclear, "area") is False
    assert measurable_rano_2(unclear, "volume") is False
    assert measurable_rano_2(Lesion("A", measurable=True), "volume") is True


def test_unknown_sizes_leave_it_open_unless_another_decides():
    assert measurable_2010(lesion("A", 20, slices=None), "area") is None
    assert measurable_2010(lesion("A", 20, slice_spacing=None), "area") is None
    assert measurable_2010(lesion("A", 9, slices=None), "area") is False
    assert measurable_rano_2(lesion("A", 20, extents=None), "volume") is None
    assert measurable_rano_2(Lesion("A"), "area") is None
