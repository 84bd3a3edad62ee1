"""How well a DSC acquisition follows the consensus protocol for high-grade glioma."""

from __future__ import annotations

from dataclasses import dataclass

from ..measures import Message

# Boxerman 2020, Neuro-Oncology 22:1262 (consensus; abstract): full-dose preload and bolus at 60 degrees, or full-dose
# bolus without preload at 30 degrees; gradient echo with these echo times in s.
ECHO_TIMES = {1.5: (0.040, 0.050), 3.0: (0.020, 0.035)}
FLIP_ANGLE = {True: 60.0, False: 30.0}  # degrees, with and without preload
# How far from these counts as following them: this library's choice.
FLIP_ANGLE_TOLERANCE = 5.0  # degrees
FIELD_TOLERANCE = 0.3  # T
ECHO_TIME_TOLERANCE = 0.001  # s


@dataclass(frozen=True)
class ProtocolGrade:
    """grade: ``recommended``, ``departs`` or ``unknown``; reasons: what departs and what is not known."""

    grade: str
    reasons: tuple[Message, ...]


def protocol_grade(
    *, echo_time: float | None, flip_angle: float | None, field_strength: float | None, preload: bool | None
) -> ProtocolGrade:
    """Grade of a single-echo gradient-echo DSC protocol; None where a value is not known.

    echo_time: s; flip_angle: degrees; field_strength: T; preload: whether a dose was given before. Repetition time and
    number of frames take no part in the grade: no verified limits for them stand here, and what they do to the noise is
    in the standard errors of ``relative_cbv``.
    """
    reasons: list[Message] = []
    departs = False
    for name, value in (
        ("EchoTime", echo_time), ("FlipAngle", flip_angle), ("MagneticFieldStrength", field_strength),
        ("preload", preload),
    ):  # fmt: skip
        if value is None:
            reasons.append(Message("dsc_protocol_unknown", {"field": name}))
    field = min(ECHO_TIMES, key=lambda one: abs(one - field_strength)) if field_strength is not None else None
    if field is not None and abs(field - field_strength) > FIELD_TOLERANCE:
        reasons.append(Message("dsc_protocol_field", {"value": field_strength}))
        departs = True
    elif field is not None and echo_time is not None:
        low, high = ECHO_TIMES[field]
        if not low - ECHO_TIME_TOLERANCE <= echo_time <= high + ECHO_TIME_TOLERANCE:
            departs = True
            ms = {"value": round(1000 * echo_time, 1), "low": round(1000 * low), "high": round(1000 * high)}
            reasons.append(Message("dsc_protocol_echo_time", {**ms, "field": field}))
    if flip_angle is not None and preload is not None and abs(flip_angle - FLIP_ANGLE[preload]) > FLIP_ANGLE_TOLERANCE:
        departs = True
        code = "dsc_protocol_flip_angle_preload" if preload else "dsc_protocol_flip_angle"
        reasons.append(Message(code, {"value": flip_angle, "expected": FLIP_ANGLE[preload]}))
    unknown = any(reason.code == "dsc_protocol_unknown" for reason in reasons)
    return ProtocolGrade("departs" if departs else "unknown" if unknown else "recommended", tuple(reasons))
