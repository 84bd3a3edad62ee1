"""What every tissue of the simulated head is: relaxation, blood volume and metabolites at 3 T.

Sources. T1 of white and grey matter, cerebrospinal fluid and arterial blood, water density of the four, T2* of arterial
and venous blood: Donahue et al. 2016, NeuroImage, doi 10.1016/j.neuroimage.2016.09.007, table 1 (Lu 2004, 2005, Zhao
2007). T2 of white and grey matter, fluid, blood and fat: Atlas, Magnetic Resonance Imaging of the Brain and Spine,
table 2.1. Blood volume of grey and white matter: PMC3121008, table 3. Mean transit times: Helenius et al. 2003,
doi 10.1034/j.1600-0455.2003.00104.x. NAA and choline of normal brain: PMC9244865, table 3. Everything else is chosen
to look right; none of it is a claim about patients.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Tissue:
    """density: of water, relative to fluid. t1, t2, t2_star: s. blood_volume: mL per mL. transit_time: s.
    contrast: mmol/L of contrast agent in the tissue minutes after the injection. naa, cho: mmol/L."""

    density: float
    t1: float
    t2: float
    t2_star: float
    blood_volume: float = 0.0
    transit_time: float = 4.0
    contrast: float = 0.0
    naa: float = 0.0
    cho: float = 0.0


TISSUES = {
    "white": Tissue(0.73, 0.758, 0.077, 0.048, 0.0210, 4.3, 0.010, naa=12.5, cho=2.4),
    "grey": Tissue(0.89, 1.209, 0.085, 0.052, 0.0525, 3.0, 0.025, naa=12.5, cho=2.0),
    "fluid": Tissue(1.00, 4.300, 2.200, 0.200),
    "artery": Tissue(0.87, 1.664, 0.165, 0.052, 1.0, contrast=0.60),
    "vein": Tissue(0.87, 1.584, 0.080, 0.020, 1.0, contrast=0.60),
    "mucosa": Tissue(0.85, 1.300, 0.090, 0.040, 0.05, 5.0, 0.25),
    "muscle": Tissue(0.75, 1.400, 0.040, 0.025, 0.01, 6.0, 0.04),
    "fat": Tissue(0.58, 0.380, 0.133, 0.030),
    "enhancing": Tissue(0.88, 1.500, 0.120, 0.060, 0.0210, 4.3),
    "necrosis": Tissue(0.95, 2.400, 0.250, 0.110, 0.0020, 6.0, 0.015, naa=0.3, cho=0.3),
    "oedema": Tissue(0.84, 1.250, 0.130, 0.070, 0.0180, 4.8, 0.012, naa=7.5, cho=2.2),
}
"""Tissues by name. Blood volume, contrast and metabolites of enhancing tissue belong to a visit's lesion."""

FAT_SUPPRESSION = 0.06
"""Share of the fat signal that echo-planar imaging keeps."""
