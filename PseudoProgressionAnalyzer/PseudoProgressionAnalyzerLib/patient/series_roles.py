"""Which role a DICOM series plays: headers first, then its description, then its timing; always with the reason.

Confidence is an order, not a probability: 0.95 where a header element says it, 0.85 where header and description agree
on less than that, 0.8 where only the description says it, 0.6 where it follows from when it was acquired, 0.5 from
timing alone. Below ``SURE`` the user is asked to confirm.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from ..formats.dicom_series import Arrangement, Part
from ..measures import Message
from .descriptions import contrast_said, kind_said

SURE = 0.7
# Short and long, s: T1 weighting has a TE below 30 ms and a short TR, T2 weighting a TE above 90 ms and a TR above
# 1.5 s (IMAIOS e-MRI, Signal weighting; TR 0.35 to 0.8 s for T1 by spin echo). In between nothing is guessed.
SHORT_ECHO, LONG_ECHO = 0.030, 0.090
SHORT_REPETITION, LONG_REPETITION = 0.8, 1.5
# Gradient echoes later than that weigh T2*.
SHORT_GRADIENT_ECHO = 0.010
# CSF (T1 about 4 s) is nulled at T1 (ln 2 - ln(1 + exp(-TR/T1))): 1.7 s at TR 4.8 s, 2.5 s at TR 10 s; T1-weighted
# inversion recovery (TI 0.4 to 1.1 s) and fat nulling (0.15 to 0.18 s) lie below.
NULLS_CSF = 1.5
# A bolus passage with its baseline takes tens of time points (Boxerman 2020, Neuro-Oncology 22:1262: baseline of 30 to
# 50 frames, 120 in all); calibration and averaging series have a few.
BOLUS_TIMES = 20

IMAGES = ("MR Image Storage", "Enhanced MR Image Storage", "Legacy Converted Enhanced MR Image Storage")
PET = (
    "Positron Emission Tomography Image Storage",
    "Enhanced PET Image Storage",
    "Legacy Converted Enhanced PET Image Storage",
)
# Enhanced MR says what an image weighs (PS3.3 C.8.13.3.3.1.6).
CONTRASTS = {"T1": "T1", "T2": "T2", "FLUID_ATTENUATED": "FLAIR"}
MAP_WORDS = {
    "ADC": "ADC",
    "RCBV": "rCBV",
    "RELCBV": "rCBV",
    "CBV": "rCBV",
    "RCBF": "CBF",
    "RELCBF": "CBF",
    "CBF": "CBF",
}


@dataclass(frozen=True)
class Guess:
    """role: empty where the series is not used; ``lesion`` for a mask. open: whether contrast was given is unknown."""

    role: str
    confidence: float
    reason: Message
    contrast_unknown: bool = False


def guess_role(part: Part, arranged: Arrangement | None) -> Guess:
    """The role of a series; arranged is None where its frames make no volume."""
    header = part.header
    text = header.description or header.protocol
    said = kind_said(text)
    name = text or header.series_uid

    def unused(why: str) -> Guess:
        return Guess("", 0.0, Message(f"series_{why}", {"series": name}))

    def by_header(role: str, tag: str, value: object, confidence: float = 0.95) -> Guess:
        return Guess(role, confidence, Message("role_from_header", {"role": role, "tag": tag, "value": value}))

    def by_description(role: str, confidence: float = 0.8) -> Guess:
        return Guess(role, confidence, Message("role_from_description", {"role": role, "text": text}))

    if said and said[1] == "lesion":
        return by_description("lesion")
    if header.sop_class in PET:
        return by_header("PET", "SOPClassUID", header.tracer or "PET, tracer not said")
    if header.sop_class == "Parametric Map Storage":
        return by_description(said[1]) if said and said[1] in MAP_WORDS.values() else unused("map")
    tcia_map = (
        "Secondary Capture" in header.sop_class and said and said[1] in ("rCBV", "sRCBV", "CBF", "ADC") and arranged
    )
    if tcia_map and header.modality == "MR" and not header.colour:
        return by_description(said[1], 0.8)
    if header.sop_class not in IMAGES:
        return unused("capture" if "Secondary Capture" in header.sop_class else "not_mr")
    if header.colour:
        return unused("colour")
    words = {word.upper() for frame in part.frames[:1] for word in frame.image_type}
    if "LOCALIZER" in words or (said and said[0] == "localiser"):
        return unused("localiser")
    if words & {"SUB", "SUBTRACTION"} or (said and said[0] == "subtraction"):
        return unused("subtraction")
    if part.frames[0].component in "PI":
        return unused("phase")
    if words & {"PROJECTION IMAGE", "MIP", "MINIP"}:
        return unused("projection")
    for word, role in MAP_WORDS.items():
        if word in words:
            return by_header(role, "ImageType", word)
    weights = [b for b in part.b_values if b > 0]
    if weights or words & {"DIFFUSION", "TRACEW", "FA", "TENSOR"}:
        return by_description("ADC") if said and said[1] == "ADC" else unused("diffusion")
    times = _times(part, arranged)
    labels = set(arranged.labels) - {""} if arranged is not None else set()
    if labels:
        return by_header("ASL", "ASLContext", ", ".join(sorted(labels)))
    if "ASL" in words or (said and said[1] == "ASL"):
        if times > 1:
            return by_header("ASL", "ImageType", "ASL", 0.9) if "ASL" in words else by_description("ASL")
        return unused("asl_difference")
    if said and said[1] is None:
        return unused(said[0])
    if times > 1:
        return _time_series(part, times, said, text, by_header, by_description, unused)
    if said and said[1] in MAP_WORDS.values():
        return by_description(said[1])
    if said and said[1] == "APTw":
        return by_description("APTw")
    if said and said[1] == "DSC":
        return unused("single_perfusion_image")
    return _anatomy(part, said[1] if said else None, text, unused)


def _times(part: Part, arranged: Arrangement | None) -> int:
    """Time points; where the frames make no volume, as many as the fullest slice has."""
    if arranged is not None:
        return arranged.shape[0] if len(arranged.shape) == 4 else 1
    return max(Counter(frame.position for frame in part.frames if frame.position is not None).values(), default=1)


def _time_series(part, times, said, text, by_header, by_description, unused) -> Guess:
    """A series over time: DSC by contrast agent, echo-planar readout and number of time points."""
    header = part.header
    if said and said[1] == "DSC":
        return by_description("DSC", 0.95 if header.echo_planar and header.contrast else 0.85)
    perfusion = "PERFUSION" in header.acquisition_contrast
    if times >= BOLUS_TIMES and header.echo_planar and (header.contrast or perfusion):
        return by_header("DSC", "ContrastBolusAgent", header.contrast or "PERFUSION", 0.9)
    return unused("time_series")


def _anatomy(part: Part, said: str | None, text: str, unused) -> Guess:
    """T1, T1CE, T2 or FLAIR."""
    timed, header = weighting(part), CONTRASTS.get(part.header.acquisition_contrast)
    weight, confidence = (said, 0.8) if said else (header, 0.95) if header else (timed, 0.5)
    if said and said in (timed, header):
        confidence = 0.85
    if weight is None:
        return unused("unknown")
    if said and timed and {said, timed} == {"T1", "T2"}:
        confidence = 0.5
    reason = (
        Message("role_from_description", {"role": weight, "text": text})
        if said
        else Message("role_from_header", {"role": weight, "tag": "AcquisitionContrast", "value": header})
        if header
        else Message("role_from_timing", {"role": weight, **_timing(part)})
    )
    if weight != "T1":
        return Guess(weight, confidence, reason)
    agent, described = part.header.contrast, contrast_said(text)
    if agent and described is not False:
        return Guess(
            "T1CE",
            0.95 if said else 0.8,
            Message("role_contrast_header", {"role": "T1CE", "agent": agent, "text": text}),
        )
    if agent:
        return Guess("T1", 0.6, Message("role_contrast_conflict", {"role": "T1", "agent": agent, "text": text}))
    if described:
        return Guess(
            "T1CE", 0.85 if said else 0.6, Message("role_contrast_description", {"role": "T1CE", "text": text})
        )
    if described is False or agent == "":
        return Guess("T1", max(confidence, 0.85), reason)
    return Guess("T1", confidence, reason, contrast_unknown=True)


def _timing(part: Part) -> dict[str, str]:
    fields = part.header.acquisition
    return {
        name: f"{fields[field] * 1000:.4g} ms" if field in fields else "not said"
        for name, field in {"echo": "EchoTime", "repetition": "RepetitionTime", "inversion": "InversionTime"}.items()
    }


def weighting(part: Part) -> str | None:
    """T1, T2 or FLAIR from the sequence's times; None where they leave it open."""
    fields = part.header.acquisition
    echo, repetition, inversion = (fields.get(name) for name in ("EchoTime", "RepetitionTime", "InversionTime"))
    if echo is None:
        return None
    if inversion is not None and inversion >= NULLS_CSF and echo > SHORT_ECHO:
        return "FLAIR"
    if part.header.gradient_echo and echo <= SHORT_GRADIENT_ECHO:
        prepared = inversion is not None and inversion < NULLS_CSF
        return "T1" if prepared or (repetition is not None and repetition <= SHORT_REPETITION) else None
    if (
        echo < SHORT_ECHO
        and not part.header.gradient_echo
        and repetition is not None
        and repetition <= SHORT_REPETITION
    ):
        return "T1"
    if echo >= LONG_ECHO and repetition is not None and repetition >= LONG_REPETITION and not part.header.inversion:
        return "T2"
    return None
