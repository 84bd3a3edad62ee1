"""Shifts and couplings of the metabolites, macromolecules and lipids of the brain.

Sources: chemical shifts and coupling constants at 37 degrees C, pH 7: Govindaraju et al., NMR Biomed 2000;13:129-153
and Govind et al., J Magn Reson Imaging 2015 (updates), in the compilation of the FID-A simulation toolbox. Positions,
widths and relative amplitudes of macromolecules and lipids, and the soft ratios: defaults of LCModel 6.3 (source code,
CHSIMU and CHRATO).
"""

from __future__ import annotations

from dataclasses import dataclass, field

PHOSPHORUS = (-0.5, 0.5)
NITROGEN_14 = (-1.0, 0.0, 1.0)


@dataclass(frozen=True)
class SpinSystem:
    """Protons that are coupled with one another.

    shifts: ppm; couplings: Hz between two protons by their numbers; copies: how often the system stands in the molecule
    (or its protons, for a singlet); heteronuclei: (magnetic quantum numbers, coupling in Hz to each coupled proton).
    """

    shifts: tuple[float, ...]
    couplings: dict[tuple[int, int], float] = field(default_factory=dict)
    copies: float = 1
    heteronuclei: tuple[tuple[tuple[float, ...], dict[int, float]], ...] = ()


def _singlet(shift: float, protons: float) -> SpinSystem:
    return SpinSystem((shift,), copies=protons)


METABOLITES: dict[str, tuple[SpinSystem, ...]] = {
    "Ala": (
        SpinSystem(
            (1.4667, 1.4667, 1.4667, 3.7746),
            {(0, 1): -14.366, (0, 2): -14.366, (1, 2): -14.366, (0, 3): 7.234, (1, 3): 7.234, (2, 3): 7.234},
        ),
    ),
    "Asp": (SpinSystem((3.8914, 2.8011, 2.6533), {(0, 1): 3.647, (0, 2): 9.107, (1, 2): -17.426}),),
    "Cr": (_singlet(3.027, 3), _singlet(3.913, 2)),
    "PCr": (_singlet(3.029, 3), _singlet(3.930, 2)),
    "GABA": (
        SpinSystem(
            (3.0128, 3.0128, 1.8890, 1.8890, 2.2840, 2.2840),
            {
                (0, 1): -12.021,
                (0, 2): 5.372,
                (0, 3): 7.127,
                (1, 2): 10.578,
                (1, 3): 6.982,
                (2, 3): -13.121,
                (2, 4): 7.755,
                (2, 5): 7.432,
                (3, 4): 6.173,
                (3, 5): 7.933,
                (4, 5): -10.744,
            },
        ),
    ),
    "Gln": (
        SpinSystem(
            (3.753, 2.129, 2.109, 2.432, 2.454),
            {
                (0, 1): 5.847,
                (0, 2): 6.5,
                (1, 2): -14.504,
                (1, 3): 9.165,
                (1, 4): 6.347,
                (2, 3): 6.324,
                (2, 4): 9.209,
                (3, 4): -15.371,
            },
        ),
    ),
    "Glu": (
        SpinSystem(
            (3.7433, 2.0375, 2.1200, 2.3378, 2.3520),
            {
                (0, 1): 7.331,
                (0, 2): 4.651,
                (1, 2): -14.849,
                (1, 3): 6.413,
                (1, 4): 8.406,
                (2, 3): 8.478,
                (2, 4): 6.875,
                (3, 4): -15.915,
            },
        ),
    ),
    "GSH": (
        _singlet(3.769, 2),
        SpinSystem((4.5608, 2.9264, 2.9747), {(0, 1): 7.09, (0, 2): 4.71, (1, 2): -14.06}),
        SpinSystem(
            (3.769, 2.159, 2.146, 2.510, 2.560),
            {
                (0, 1): 6.34,
                (0, 2): 6.36,
                (1, 2): -15.48,
                (1, 3): 6.7,
                (1, 4): 7.6,
                (2, 3): 7.6,
                (2, 4): 6.7,
                (3, 4): -15.92,
            },
        ),
    ),
    "GPC": (
        SpinSystem((3.212,), copies=9, heteronuclei=((NITROGEN_14, {0: 0.57}),)),
        SpinSystem(
            (4.312, 4.312, 3.659, 3.659),
            {(0, 1): -9.32, (0, 2): 3.1, (0, 3): 5.9, (1, 2): 5.9, (1, 3): 3.1, (2, 3): -9.32},
            heteronuclei=((PHOSPHORUS, {0: 6.03, 1: 6.03}), (NITROGEN_14, {0: 2.67, 1: 2.67})),
        ),
        SpinSystem(
            (3.605, 3.672, 3.903, 3.871, 3.946),
            {(0, 1): -14.78, (0, 2): 5.77, (1, 2): 4.53, (2, 3): 5.77, (2, 4): 4.53, (3, 4): -14.78},
            heteronuclei=((PHOSPHORUS, {3: 6.03, 4: 6.03}),),
        ),
    ),
    "PCh": (
        _singlet(3.208, 9),
        SpinSystem(
            (4.2805, 4.2805, 3.641, 3.641),
            {(0, 1): -14.89, (0, 2): 2.284, (0, 3): 7.231, (1, 2): 7.326, (1, 3): 2.235, (2, 3): -14.19},
            heteronuclei=((PHOSPHORUS, {0: 6.298, 1: 6.249}), (NITROGEN_14, {0: 2.86, 1: 2.772})),
        ),
    ),
    "Ins": (
        SpinSystem(
            (3.5217, 4.0538, 3.5217, 3.6144, 3.2690, 3.6144),
            {(0, 1): 2.889, (1, 2): 3.006, (2, 3): 9.997, (3, 4): 9.485, (4, 5): 9.482, (0, 5): 9.998},
        ),
    ),
    "-CrCH2": (_singlet(3.930, -2),),
    "sIns": (_singlet(3.340, 6),),
    "Gly": (_singlet(3.548, 2),),
    "Lac": (SpinSystem((4.0974, 1.3142, 1.3142, 1.3142), {(0, 1): 6.933, (0, 2): 6.933, (0, 3): 6.933}),),
    "NAA": (
        _singlet(2.008, 3),
        SpinSystem((7.8205, 4.3817, 2.6727, 2.4863), {(0, 1): 6.4, (1, 2): 3.861, (1, 3): 9.821, (2, 3): -15.592}),
    ),
    "NAAG": (
        _singlet(2.042, 3),
        SpinSystem((4.607, 2.721, 2.519, 8.26), {(0, 1): 4.412, (0, 2): 9.515, (0, 3): 7.32, (1, 2): -15.91}),
        SpinSystem(
            (4.128, 2.049, 1.881, 2.180, 2.190, 7.95),
            {
                (0, 1): 4.61,
                (0, 2): 8.42,
                (1, 2): -14.28,
                (1, 3): 10.56,
                (1, 4): 6.09,
                (2, 3): 4.9,
                (2, 4): 11.11,
                (3, 4): -15.28,
                (0, 5): 7.46,
            },
        ),
    ),
    "Tau": (
        SpinSystem((3.4206, 3.4206, 3.2459, 3.2459), {(0, 2): 6.742, (0, 3): 6.464, (1, 2): 6.403, (1, 3): 6.792}),
    ),
}
"""Each a tuple of spin systems; amplitudes count protons, so that equal amplitudes are equal concentrations.

-CrCH2 is what water suppression takes from the creatine line beside the water.
"""

BROAD: dict[str, tuple[tuple[float, float, float], ...]] = {
    "Lip13a": ((1.28, 0.15, 2.0),),
    "Lip13b": ((1.28, 0.089, 2.0),),
    "Lip09": ((0.89, 0.14, 3.0),),
    "Lip20": ((2.04, 0.15, 1.33), (2.25, 0.15, 0.67), (2.8, 0.20, 0.87)),
    "MM09": ((0.91, 0.14, 3.0),),
    "MM12": ((1.21, 0.15, 2.0),),
    "MM14": ((1.43, 0.17, 2.0),),
    "MM17": ((1.67, 0.15, 2.0),),
    "MM20": ((2.08, 0.15, 1.33), (2.25, 0.20, 0.33), (1.95, 0.15, 0.33), (3.0, 0.20, 0.40)),
}
"""Macromolecules and lipids as Gaussians: (ppm, full width at half maximum in ppm, protons)."""

BROAD_SPREAD: dict[str, tuple[float, float, float]] = {
    "Lip13a": (0.01, 0.05, 0.035),
    "Lip13b": (0.01, 0.001, 0.035),
    "Lip09": (0.02, 0.05, 0.035),
    "Lip20": (0.005, 0.05, 0.025),
    "MM09": (0.02, 0.03, 0.015),
    "MM12": (0.01, 0.05, 0.02),
    "MM14": (0.02, 0.03, 0.02),
    "MM17": (0.03, 0.02, 0.02),
    "MM20": (0.005, 0.03, 0.01),
}
"""Standard deviation of the position, expected extra width and its standard deviation, all in ppm."""

WIDTHS = {"NAA": 0.2, "NAAG": 0.2, "Cr": 1.0, "PCr": 1.0, "GPC": 0.8, "PCh": 0.8, "Ins": 0.3}
WIDTH_OTHERS = 1.4
WIDTHS_ALIKE = (
    ("NAA", "NAAG"), ("Cr", "PCr"), ("GPC", "PCh"), ("Ins",), ("Glu", "Gln"),
    ("Ala", "Asp", "GABA", "GSH", "Lac", "Tau", "sIns", "-CrCH2"),
)  # fmt: skip
WIDTH_SPREAD = 0.6
"""Hz: Lorentzian width of each metabolite beyond what all share; which ones have one width; and the standard deviation
of what a study has from these.

Only differences count: here those to NAA. About the mean of three kinds of evidence:

- Published T2 at 3 T, as 1 / (pi T2). Creatine +0.6 to +1.0, choline -0.1 to +0.6 (white and grey matter: NAA 264 and
  226, creatine 155 and 137, choline 202 and 207 ms, Zaaraoui, Magn Reson Med 2007;57:983; 343 and 258, 166 and 146, 218
  and 248 ms, Wyss, Magn Reson Med 2018;80:452 as listed in Osprey; 168, 126 and 174 ms, table 3 of PMC9244865).
  Myo-inositol +0.1 to +1.0, glutamate and glutamine +0.7 to +1.7, the smaller ones +1.1 to +2.4 (161 and 237, 124 to
  168 and 111 to 129, 89 to 170 ms, Wyss; 160 to 170 ms of the first three, Choi, ISMRM 2010, 3330).
- What the 64 voxels of a real grid at 3 T have in common by this fit: creatine +0.9, choline +0.8, myo-inositol -0.3,
  glutamate +1.6 (the table ``mrsi`` of ``Testing/Benchmarks/spectroscopy.py`` prints it; no other program's basis set
  or result went in).
- The practice of published fits with simulated bases: all alike, but for 0.4 / s (DESDT2 of LCModel 6.3), or NAA and
  myo-inositol narrower by 1.5 Hz (basis set of LCModel's test).

They differ by 0.6 Hz and more, and that is the spread. At 1.5 T, where T2 is longer, no full set of published values
was found: the same is expected there. Choline over NAA changes by a tenth with 1 Hz at 3 T, so that no fixed set will
do.
"""

SUMS: dict[str, tuple[str, ...]] = {
    "tNAA": ("NAA", "NAAG"),
    "tCho": ("GPC", "PCh"),
    "tCr": ("Cr", "PCr"),
    "Glx": ("Glu", "Gln"),
    "Lip13": ("Lip13a", "Lip13b"),
    "LipLac": ("Lip13a", "Lip13b", "Lac"),
}

_LIP13 = {"Lip13a": 1.0, "Lip13b": 1.0}
_MM09 = {"MM09": 1.0}
_BIG_3 = {"NAA": 1.0, "NAAG": 1.0, "Cr": 1.0, "PCr": 1.0, "GPC": 3.0, "PCh": 3.0}


@dataclass(frozen=True)
class SoftRatio:
    """An amplitude expected at ratio times a weighted sum, give or take deviation times (that sum plus others)."""

    name: str
    over: dict[str, float]
    ratio: float
    deviation: float
    others: dict[str, float] = field(default_factory=dict)


SOFT_RATIOS = (
    SoftRatio("Lip09", _LIP13, 0.267, 0.1, {"MM12": 1.0}),
    SoftRatio("Lip20", _LIP13, 0.15, 0.07, {"MM12": 1.0}),
    SoftRatio("MM20", _MM09, 1.5, 0.375, {"Lip09": 1.0}),
    SoftRatio("MM12", _MM09, 0.3, 0.1, {"Lip09": 1.0}),
    SoftRatio("MM14", _MM09, 0.75, 0.45, {"Lip09": 1.0}),
    SoftRatio("MM17", _MM09, 0.375, 0.3, {"Lip09": 1.0}),
    SoftRatio("-CrCH2", {"Cr": 1.0, "PCr": 1.0}, 0.1, 0.25),
    SoftRatio("Asp", _BIG_3, 0.05, 0.05),
    SoftRatio("GABA", _BIG_3, 0.03, 0.03),
    SoftRatio("sIns", _BIG_3, 0.01, 0.01),
    SoftRatio("Tau", _BIG_3, 0.05, 0.05),
    SoftRatio("GSH", {"GSH": 1.0, "Gln": 1.0}, 0.286, 0.126),
    SoftRatio("NAAG", {"NAA": 1.0}, 0.15, 0.15),
)
