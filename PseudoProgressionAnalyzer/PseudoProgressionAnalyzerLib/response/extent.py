"""Extent of resection by residual volume after the first operation (RANO resect, 9.13 to 9.15).

Absolute residual volume counts, percentages do not. The sub-classes are recalled only (9.16) and left out.
"""

from __future__ import annotations

from .published import limit


def resection_classes(enhancing: float | None, non_enhancing: float | None, biopsy: bool = False) -> tuple[int, ...]:
    """Classes that are possible: 1 supramaximal, 2 maximal, 3 submaximal resection of enhancement, 4 biopsy.

    enhancing, non_enhancing: residual volume in mL, None when unknown.
    """
    if biopsy:
        return (4,)
    if enhancing is None:
        return (1, 2, 3)
    if enhancing > 0:
        return (3,)
    if non_enhancing is None:
        return (1, 2)
    return (1,) if non_enhancing <= limit("supramaximal_residue") else (2,)
