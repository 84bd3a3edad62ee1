"""Coded words for segments and maps, so that other programs know what they hold.

Codes: SNOMED CT (SCT) as listed in 3D Slicer's terminologies (Modules/Loadable/Terminologies/Resources), DICOM (DCM)
and UCUM as listed in DICOM PS3.16 and pydicom's ``pydicom.sr.codedict``.
"""

from __future__ import annotations

import slicer

_SEGMENTS = "Segmentation category and type - 3D Slicer General Anatomy list"
_ANATOMY = "Anatomic codes - DICOM master list"
_ALTERED = ("SCT", "49755003", "Morphologically Altered Structure")
_STRUCTURE = ("SCT", "123037004", "Anatomical Structure")
_TISSUE = ("SCT", "85756007", "Tissue")
_BRAIN = ("SCT", "12738006", "Brain")
_NONE = ("", "", "")

# A mass: whether it is neoplasm or treatment effect is the question, not the label.
_PURPOSES = {
    "lesion": (_ALTERED, ("SCT", "4147007", "Mass"), _BRAIN),
    "non_enhancing": (_ALTERED, ("SCT", "4147007", "Mass"), _BRAIN),
    "necrosis": (_ALTERED, ("SCT", "6574001", "Necrosis"), _BRAIN),
    "oedema": (_ALTERED, ("SCT", "79654002", "Edema"), _BRAIN),
    "cavity": (_TISSUE, _TISSUE, _BRAIN),
    "ventricles": (_STRUCTURE, ("SCT", "35764002", "Brain ventricle"), _NONE),
    "high_dose": (_TISSUE, _TISSUE, _BRAIN),
    "proposal": (_ALTERED, ("SCT", "4147007", "Mass"), _BRAIN),
    "reference": (_STRUCTURE, ("SCT", "68523003", "Cerebral White Matter"), _NONE),
    "free": (_TISSUE, _TISSUE, _BRAIN),
}

_QUANTITIES = {
    "rCBV": ("126398", "DCM", "Relative Regional Blood Volume"),
    "rCBV_ratio": ("126398", "DCM", "Relative Regional Blood Volume"),
    "rCBV_uncorrected": ("126398", "DCM", "Relative Regional Blood Volume"),
    "rCBV_uncorrected_ratio": ("126398", "DCM", "Relative Regional Blood Volume"),
    "sRCBV": ("126398", "DCM", "Relative Regional Blood Volume"),
    "rCBF": ("126397", "DCM", "Relative Regional Blood Flow"),
    "rCBF_ratio": ("126397", "DCM", "Relative Regional Blood Flow"),
    "MTT": ("113052", "DCM", "Mean Transit Time"),
    "CBF": ("113055", "DCM", "Regional Cerebral Blood Flow"),
    "ADC": ("113041", "DCM", "Apparent Diffusion Coefficient"),
    "Cho_Cr_molar": ("113081", "DCM", "Choline/Creatine Ratio"),
    "Cho_Cr_area": ("113081", "DCM", "Choline/Creatine Ratio"),
}

_UNITS = {
    "1": ("1", "UCUM", "no units"),
    "s": ("s", "UCUM", "second"),
    "1/s": ("/s", "UCUM", "/s"),
    "%": ("%", "UCUM", "Percent"),
    "ml/100 g/min": ("ml/[100]g/min", "UCUM", "milliliter per 100 gram per minute"),
    "ml/100g/min": ("ml/[100]g/min", "UCUM", "milliliter per 100 gram per minute"),
    "mm2/s": ("mm2/s", "UCUM", "mm2/s"),
    "Gy": ("Gy", "UCUM", "Gy"),
    "um2/s": ("um2/s", "UCUM", "um2/s"),
}


def terminology_entry(purpose: str) -> str:
    """The terminology of a segment for a region's purpose, one of ``PURPOSES``.

    Context, category, type, type modifier, anatomic context, region and region modifier, joined by ``~``; each code is
    scheme, value and meaning joined by ``^``.
    """
    category, kind, region = _PURPOSES[purpose]
    anatomy = _ANATOMY if region != _NONE else ""
    parts = (_SEGMENTS, category, kind, _NONE, anatomy, region, _NONE)
    return "~".join(part if isinstance(part, str) else "^".join(part) for part in parts)


def code_map(node: object, name: str, unit: str) -> None:
    """Gives a volume node the coded quantity and unit of a map where codes are known and it has others."""
    if name in _QUANTITIES and _differs(node.GetVoxelValueQuantity(), *_QUANTITIES[name]):
        node.SetVoxelValueQuantity(_coded(*_QUANTITIES[name]))
    if unit in _UNITS and _differs(node.GetVoxelValueUnits(), *_UNITS[unit]):
        node.SetVoxelValueUnits(_coded(*_UNITS[unit]))


def _differs(entry: object | None, value: str, scheme: str, meaning: str) -> bool:
    return entry is None or (entry.GetCodeValue(), entry.GetCodingSchemeDesignator()) != (value, scheme)


def _coded(value: str, scheme: str, meaning: str) -> object:
    entry = slicer.vtkCodedEntry()
    entry.SetValueSchemeMeaning(value, scheme, meaning)
    return entry
