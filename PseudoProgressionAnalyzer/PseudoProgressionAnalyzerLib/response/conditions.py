"""Conditions that several criteria share: limits of change, response and stable disease."""

from __future__ import annotations

from ..measures import Message
from .categories import CR, MR, PR, SD, STEROID
from .exploring import Judgement, Trial
from .published import limit

PREFIX = {"enhancing": "", "non_enhancing": "non_enhancing_"}
"""What the names of a part's facts begin with."""


def reaches(facts: Trial, percent: float, least: float) -> bool:
    """Whether a change reaches a limit in %.

    Sources write both "at least" and "more than" (10.1): that matters where the change, printed with one decimal,
    equals the limit, and is then the setting ``limits``.
    """
    shown = round(percent, 1)
    return facts.limits == "inclusive" if shown == least else shown > least


def grows(facts: Trial, prefix: str = "") -> bool:
    """Whether the sum is above the nadir by the limit of progression (1.15, 3.20)."""
    percent = getattr(facts, f"{prefix}from_nadir")
    return reaches(facts, percent, limit(f"{facts.measure}_growth")) and getattr(facts, f"{prefix}nadir_measurable")


def depth(facts: Trial, prefix: str = "", minor: bool = False) -> str:
    """Size alone against the baseline: CR, PR, MR (where there is one) or SD.

    Without a measurable lesion at the baseline the best is SD (1.12, 3.28, 9.10). Exactly 50 % (65 %) that is no
    partial response is a minor one (10.2).
    """
    if not getattr(facts, f"{prefix}measurable"):
        return SD
    if getattr(facts, f"{prefix}gone"):
        return CR
    smaller = -getattr(facts, f"{prefix}from_baseline")
    if reaches(facts, smaller, limit(f"{facts.measure}_response")):
        return PR
    return MR if minor and reaches(facts, smaller, limit(f"{facts.measure}_minor")) else SD


def allowed_by_steroid(facts: Trial, category: str) -> Judgement:
    """The category that the images have, unless the steroid dose forbids it.

    Complete response needs no steroid above replacement (1.8, 1.9), every other one a dose not above that of the
    baseline (1.11, 1.13, 3.20). What stands instead is neither stable disease nor progression (3.31, 10.14); for
    vanished enhancement under steroids no source says (10.15).
    """
    if category == CR:
        if facts.replacement_only:
            return CR, (Message("response_complete", {"rule": "1.9"}),)
        return STEROID, (Message("response_gone_under_steroid", {"rule": "1.9"}),)
    if facts.dose == "higher":
        return STEROID, (Message("response_steroid_higher", {"category": category, "rule": "3.31"}),)
    return category, (Message("response_by_size", {"category": category}),)


def better_but_not_measurable(facts: Trial, prefix: str = "") -> tuple[Message, ...]:
    """A note where nothing could be measured at the baseline, so that nothing can respond (E8)."""
    return () if getattr(facts, f"{prefix}measurable") else (Message("response_not_measurable", {"rule": "3.28"}),)
