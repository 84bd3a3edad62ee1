"""Ratios of two uncertain amounts, and what stays of a ratio when its denominator may be nothing."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from ..measures import InputError

PROTONS = {"tCho": 9.0, "tNAA": 3.0, "tCr": 3.0}
"""Of the singlet that stands for each sum: N(CH3)3 at 3.2 ppm, CH3 at 2.0 ppm, CH3 at 3.0 ppm."""
Z = 1.959964  # 95 %


class Ratio(NamedTuple):
    """value, low and high (95 %) of a ratio; value is NaN where either amount cannot be told from zero.

    high is infinite where that is the denominator, low is 0 where it is the numerator.
    """

    value: np.ndarray
    low: np.ndarray
    high: np.ndarray


def fieller(
    numerator: np.ndarray,
    denominator: np.ndarray,
    numerator_variance: np.ndarray,
    denominator_variance: np.ndarray,
    covariance: np.ndarray,
) -> Ratio:
    """Ratio of two amounts >= 0 with its 95 % interval (Fieller, J R Stat Soc B 1954;16:175).

    The interval holds every ratio r >= 0 that numerator - r denominator = 0 does not contradict. Where the denominator
    cannot be told from zero it has no upper end, its lower one still counts, and there is no value; where the numerator
    cannot, its lower end is 0, its upper one still counts, and there is no value either: an amount that was not found
    is not zero. Any shapes that fit together.
    """
    a, b, saa, sbb, sab = np.broadcast_arrays(
        *(np.asarray(x, float) for x in (numerator, denominator, numerator_variance, denominator_variance, covariance))
    )
    square = b**2 - Z**2 * sbb
    middle = a * b - Z**2 * sab
    rest = a**2 - Z**2 * saa
    below, above = (square > 0) & (b > 0), (rest > 0) & (a > 0)  # which of them can be told from zero
    known = np.isfinite(square) & np.isfinite(middle) & np.isfinite(rest)
    with np.errstate(divide="ignore", invalid="ignore"):
        root = np.sqrt(np.maximum(middle**2 - square * rest, 0))
        # Both written so that no digits are lost where the two terms nearly cancel.
        lower = np.where(middle >= 0, rest / (middle + root), (middle - root) / square)
        upper = np.where(middle >= 0, (middle + root) / square, rest / (middle - root))
        value = np.where(below & above, a / b, np.nan)
    low = np.where(above, np.maximum(np.where(np.isfinite(lower), lower, 0), 0), 0)
    high = np.where(below, upper, np.inf)
    nothing = np.where(known, 0, np.nan)
    return Ratio(value + nothing, low + nothing, high + nothing)


def kind_factor(numerator: str, denominator: str, kind: str) -> float:
    """What turns a molar ratio into one of this kind: ``molar`` or ``area``.

    The area ratio compares the singlets as a console's peak areas would, without correction for relaxation: molar times
    protons over protons (tCho to tNAA or tCr: 9/3). Raises InputError ``spectra_ratio_kind``.
    """
    if kind == "molar":
        return 1.0
    if kind != "area" or numerator not in PROTONS or denominator not in PROTONS:
        raise InputError("spectra_ratio_kind", kind=kind, ratio=f"{numerator}/{denominator}", known=", ".join(PROTONS))
    return PROTONS[numerator] / PROTONS[denominator]
