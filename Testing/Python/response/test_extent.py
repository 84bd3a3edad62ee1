"""Extent of resection (RANO resect, section 9)."""

import pytest

from PseudoProgressionAnalyzerLib.response.extent import resection_classes


@pytest.mark.parametrize(
    ("enhancing", "other", "biopsy", "expected"),
    [
        (0.0, 5.0, False, (1,)),  # 9.14 (S20): at most 5 cm3
        (0.0, 5.1, False, (2,)),  # 9.13 (S20)
        (0.0, None, False, (1, 2)),
        (0.4, 1.0, False, (3,)),  # 9.13: submaximal; the absolute residue counts (9.15)
        (None, None, False, (1, 2, 3)),
        (None, None, True, (4,)),
    ],
)
def test_classes(enhancing, other, biopsy, expected):
    """9.13, 9.14, 9.15; the sub-classes (9.16) are recalled only and left out."""
    assert resection_classes(enhancing, other, biopsy) == expected
