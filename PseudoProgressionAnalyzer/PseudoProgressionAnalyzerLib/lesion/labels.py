"""What the numbers of a segmentation mean, and whether the one called enhancing really took up contrast.

The dictionaries of common segmentations contradict each other: a wrong one measures necrosis as tumour without any
error. In the LUMIERE data set a published table had the two exchanged; the images told so, as the true enhancing label
brightened after contrast in 51 of 52 studies (prateekkarkare/lumiere-rano, docs/volume_audit.html).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from ..measures import InputError, Message
from .subtraction import Subtraction

COMPARTMENTS = ("enhancement", "necrosis", "oedema", "cavity")

CONVENTIONS = MappingProxyType(
    {
        "BraTS until 2021": {1: "necrosis", 2: "oedema", 4: "enhancement"},
        "BraTS 2023": {1: "necrosis", 2: "oedema", 3: "enhancement"},
        "BraTS 2024 post-treatment": {1: "necrosis", 2: "oedema", 3: "enhancement", 4: "cavity"},
        "MU-Glioma-Post": {1: "necrosis", 2: "oedema", 3: "enhancement", 4: "cavity"},
        "DeepBraTumIA": {1: "enhancement", 2: "necrosis", 3: "oedema"},
        "HD-GLIO": {1: "oedema", 2: "enhancement"},
    }
)
"""Label to compartment; necrosis stands for the whole core that does not enhance, oedema for all other T2/FLAIR
abnormality. Sources: BraTS by the files of both kinds of one case and the 2024 scheme (NETC 1, SNFH 2, ET 3, RC 4) as
published with its data; MU-Glioma-Post by the sheets of its volume workbook (Label1 to Label4); DeepBraTumIA by the
contrast uptake and 599 of 599 volume files (lumiere-rano, above), HD-GLIO by its label_schema.py."""


def possible_conventions(labels: np.ndarray) -> list[str]:
    """Names of the conventions that know every label of an integer segmentation ``(k, j, i)``."""
    present = _present(labels)
    return [name for name, meaning in CONVENTIONS.items() if present <= meaning.keys()]


def compartments(labels: np.ndarray, convention: str) -> dict[str, np.ndarray]:
    """Bool mask ``(k, j, i)`` of each compartment that the convention has, empty ones included.

    Raises InputError: ``lesion_convention_unknown``, ``lesion_label_unknown`` (a label that the convention lacks).
    """
    meaning = _meaning(convention)
    if unknown := _present(labels) - meaning.keys():
        raise InputError("lesion_label_unknown", field="labels", labels=sorted(unknown), convention=convention)
    return {name: labels == label for label, name in meaning.items()}


def check_enhancement(labels: np.ndarray, convention: str, uptake: Subtraction) -> tuple[Message, ...]:
    """Why the labels cannot mean what the convention says, from their contrast uptake; empty where they can.

    The label called enhancing must brighten more than reference tissue, and more than every other label, at the median;
    where there is none, no other label may brighten by more than the noise (one standard deviation). Codes:
    ``lesion_label_not_enhancing``, ``lesion_label_other_enhances``. Errors as ``compartments``.
    """
    shown = {"convention": convention}
    uptake_of, brighter = contradictions(compartments(labels, convention), uptake)
    messages = []
    if uptake_of is not None:
        messages.append(Message("lesion_label_not_enhancing", {**shown, "uptake": round(uptake_of, 1)}))
    if brighter:
        messages.append(Message("lesion_label_other_enhances", {**shown, "compartment": brighter}))
    return tuple(messages)


def contradictions(masks: Mapping[str, np.ndarray], uptake: Subtraction) -> tuple[float | None, str]:
    """The median uptake (%) of ``enhancement`` where it is not positive, and the compartment that brightens more.

    masks: compartment to bool ``(k, j, i)``. None and an empty name where nothing contradicts.
    """
    medians = {}
    for name, mask in masks.items():
        delta = uptake.delta[mask]
        delta = delta[np.isfinite(delta)]
        if delta.size:
            medians[name] = float(np.median(delta))
    enhancement = medians.pop("enhancement", None)
    brightest = max(medians, key=medians.__getitem__, default="")
    bar = uptake.noise if enhancement is None else enhancement
    dark = enhancement if enhancement is not None and enhancement <= 0 else None
    return dark, brightest if brightest and medians[brightest] > bar else ""


def _present(labels: np.ndarray) -> set[int]:
    return {int(label) for label in np.unique(labels) if label != 0}


def _meaning(convention: str) -> dict[int, str]:
    if convention not in CONVENTIONS:
        raise InputError("lesion_convention_unknown", convention=convention, known=", ".join(CONVENTIONS))
    return CONVENTIONS[convention]
