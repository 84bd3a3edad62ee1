"""Which role a file plays, from its name."""

from __future__ import annotations

import re

from ..measures import ROLES, Message

# Names that people and public data sets give to the same role (BraTS, TCIA Brain-Tumor-Progression and plain ones).
SYNONYMS = {
    "T1CE": ("t1c", "ct1", "t1gd", "t1post", "t1_post", "t1w_ce", "t1contrast", "t1_gd", "t1ce"),
    "T1": ("t1", "t1n", "t1w", "t1pre", "t1_pre", "t1prereg"),
    "T2": ("t2", "t2w", "t2reg"),
    "FLAIR": ("flair", "t2f", "t2_flair", "flairreg"),
    "DSC": ("dsc", "perfusion_dsc"),
    "rCBV": ("rcbv", "cbv", "nrcbvreg"),
    "sRCBV": ("srcbv", "srcbvreg"),
    "ASL": ("asl", "pasl", "casl", "pcasl"),
    "M0": ("m0", "m0scan"),
    "CBF": ("cbf", "ncbf"),
    "ADC": ("adc", "adcreg"),
    "APTw": ("apt", "aptw"),
    "RTDOSE": ("rt_dose", "dose"),
    "segmentation": ("seg", "segmentation", "tumormask"),
}
_LESION = re.compile(r"lesion|tumou?r|enhanc|neoplasm|gliom|gliob|gtv|laesion|tumeur|lesione|lesao", re.IGNORECASE)
_REFERENCE = re.compile(r"reference|nawm|white.?matter|contralateral|referenz", re.IGNORECASE)
# What is named after the tumour, and is not the part of it that enhances.
_OTHER = re.compile(
    r"edema|oedem|necro|nekro|cavit|cyst|resect|flair|non.?enhanc|peri.?(tumou?r|lesion)|whole.?tumou?r|tumou?r.?bed",
    re.IGNORECASE,
)

REGION_NAMES = {"lesion": "lesion", "masktumor": "lesion", "reference": "reference", "nawm": "reference"}

_ROLE_OF_NAME = {role.lower(): role for role in ROLES} | {
    name: role for role, names in SYNONYMS.items() for name in names
}

# Whole names of the same data sets: BraTS-GLI-00001-000-t1c, BraTS20_Training_001_t1ce, and of MU-Glioma-Post
# PatientID_0003_Timepoint_1_brain_t1c.
_WHOLE = re.compile(r"(?:brats|patientid)\w*_([a-z0-9]+)")


def role_of_name(stem: str) -> tuple[str | None, Message]:
    """The role of a file by its name without ending, with the reason; None when the name says nothing."""
    name = stem.lower().replace("-", "_")
    whole = _WHOLE.fullmatch(name)
    role = _ROLE_OF_NAME.get(whole[1] if whole else name)
    if role is None:
        return None, Message("role_unknown", {"name": stem})
    return role, Message("role_from_name", {"name": stem, "role": role})


def region_of_name(stem: str) -> str | None:
    """The purpose (``lesion`` or ``reference``) of a mask by its file name without ending, or None."""
    return REGION_NAMES.get(stem.lower())


def purpose_of_label(label: str) -> str:
    """What a segment or mask is drawn as by what it is called: ``lesion``, ``reference``, ``free`` where that is
    something else, empty where the name does not say it."""
    if _OTHER.search(label):
        return "free"
    return "lesion" if _LESION.search(label) else "reference" if _REFERENCE.search(label) else ""
