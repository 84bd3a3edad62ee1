"""Each fact enters once: every input has exactly one place, in the prior, in one group of tests, or in the context.

A *fact* is what one kind of measurement says: several statistics of one map, and several published cut-offs of one
measure, are one fact. Facts of one group are strongly correlated tests, facts of different groups less so. What weighs
nothing is context: growth of the lesion is what raises the question, BT-RADS and RANO categories are made of the other
inputs, and for molecular markers and clinical course no sensitivity and specificity was read.
"""

from __future__ import annotations

import re

PRIOR = ("time_since_radiotherapy",)

CONTEXT = (
    "volume", "longest_diameter", "perpendicular_diameter", "BT_RADS", "reirradiation", "surgery", "biopsy",
    "temozolomide", "bevacizumab", "immunotherapy", "dexamethasone", "clinical_status", "reading", "MGMT", "IDH",
    "acquisition", "rCBV_ratio_outside", "CBF_ratio_outside",
)  # fmt: skip

# group -> fact -> measurements
GROUPS: dict[str, dict[str, tuple[str, ...]]] = {
    "perfusion": {
        "rCBV": (
            "rCBV_ratio_mean", "rCBV_ratio_median", "rCBV_ratio_p25", "rCBV_ratio_p75", "rCBV_ratio_p90",
            "rCBV_ratio_p95", "rCBV_ratio_hotspot", "rCBV_ratio_skewness", "rCBV_ratio_kurtosis",
            "rCBV_uncorrected_ratio_mean", "FTB_low", "FTB_middle", "FTB_high", "PRM_decreased", "PRM_unchanged",
            "PRM_increased", "sRCBV_mean", "sRCBV_median", "sRCBV_p95",
        ),
        "rCBF": ("rCBF_ratio_mean", "rCBF_ratio_median"),
        "PSR": ("PSR_mean", "rPSR_mean"),
        "rPH": ("rPH_mean",),
        "K2": ("K2_mean",),
        "transit": ("MTT_mean", "Tmax_mean", "ATT_mean"),
        "Ktrans": ("Ktrans_mean", "Ktrans_median", "Ktrans_max"),
        "Ve": ("Ve_median",),
        "Vp": ("Vp_mean", "Vp_median", "Vp_ratio_mean"),
        "iAUC": ("iAUC_mean",),
        "CBF": ("CBF_mean", "CBF_ratio_mean", "CBF_ratio_median", "CBF_ratio_p95", "ASL_visual_score"),
        "contrast_clearance": ("contrast_clearance",),
    },
    "metabolism": {
        "Cho_NAA": (
            "Cho_NAA_molar", "Cho_NAA_area", "Cho_NAA_molar_mean_spectrum", "Cho_index_molar", "Cho_NAA_ratio",
        ),
        "NAA": ("NAA_molar",),
        "NAA_Cr": ("NAA_Cr_molar", "NAA_Cr_molar_mean_spectrum"),
        "LipLac": ("LipLac_molar",),
        "LipLac_Cr": ("LipLac_Cr_molar", "Lip13Lac_Cr_molar", "Lac_Cr_molar"),
        "Cho_Cr": ("Cho_Cr_molar", "Cho_Cr_area", "Cho_nCr_area", "Cho_Cr_molar_mean_spectrum"),
        "Ins_Cr": ("Ins_Cr_molar",),
        "Glx_Cr": ("Glx_Cr_molar",),
        "APTw": ("APTw_mean", "APTw_max"),
        "PET": ("TBRmax", "TBRmean", "TSRmax", "FDG_visual_score"),
    },
    "cellularity_and_shape": {
        "ADC": ("ADC_mean",),
        "central_restriction": ("central_restriction",),
        "subependymal_enhancement": ("subependymal_enhancement",),
        "sphericity": ("sphericity",),
    },
    "histology": {"histology": ("viable_tumour_percent",)},
    "clinical_course": {},
}  # fmt: skip


ONE_VOICE = {
    "MRS": ("Cho_NAA", "NAA", "NAA_Cr", "LipLac", "LipLac_Cr", "Cho_Cr", "Ins_Cr", "Glx_Cr"),
}
"""Facts of one signal, one voice in the sum: ratios of one spectrum share their peaks, and NAA would count twice."""


def places() -> dict[str, tuple[str, str]]:
    """Every input to its (place, fact): place is ``prior``, ``context`` or a group; the fact is empty outside groups.

    Raises ValueError when an input has two places.
    """
    entries = [(name, ("prior", "")) for name in PRIOR] + [(name, ("context", "")) for name in CONTEXT]
    for group, facts in GROUPS.items():
        entries += [(name, (group, fact)) for fact, names in facts.items() for name in names]
    found: dict[str, tuple[str, str]] = {}
    for name, place in entries:
        if name in found:
            raise ValueError(f"{name} has two places: {found[name]} and {place}")
        found[name] = place
    return found


PLACES = places()


def fact_of(measure: str) -> str:
    """The fact that a measurement belongs to. One that a site brings itself is a fact of its own."""
    return PLACES.get(measure, ("", measure))[1]


def voice_of(measure: str) -> str:
    """The voice with which a measurement enters the sum: its fact, or what that shares its signal with."""
    fact = fact_of(measure)
    return next((voice for voice, facts in ONE_VOICE.items() if fact in facts), fact)


def quantity_of(measure: str) -> str:
    """The measure without its statistic: what published cut-offs of different statistics have in common."""
    return re.sub(r"_?(mean|median|max|p95|hotspot)$", "", measure)
