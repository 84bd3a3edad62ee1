"""The categories that a visit can get, as codes that are never translated."""

from __future__ import annotations

from collections.abc import Iterable

CR, PR, MR, PR_OR_MR, SD, PD = "CR", "PR", "MR", "PR/MR", "SD", "PD"
PRELIMINARY = "preliminary_PD"
PSEUDOPROGRESSION = "pseudoprogression"
"""Preliminary progression that later scans did not confirm: only ever a final category, never evidence before."""
STEROID = "not_assignable_steroid"
"""Neither stable disease nor progression: the steroid dose forbids the category that the images would have."""
TWELVE_WEEKS = "not_decidable_within_12_weeks"
NOT_VERIFIED = "not_verified"
"""The rule that would decide is recalled only and switched off."""
NOT_APPLICABLE = "not_applicable"
BASELINE, BEFORE_BASELINE, UNDATED = "baseline", "before_baseline", "undated"

CATEGORIES = (
    CR, PR, MR, PR_OR_MR, SD, PRELIMINARY, PSEUDOPROGRESSION, PD, STEROID, TWELVE_WEEKS, NOT_VERIFIED, NOT_APPLICABLE,
    BASELINE, BEFORE_BASELINE, UNDATED,
)  # fmt: skip

BT_RADS = ("0", "1a", "1b", "2", "3a", "3b", "3c", "4")

RANK = {CR: 3, PR: 2, PR_OR_MR: 2, MR: 1}
"""Responses by depth: a response is held as long as no scan falls below its rank."""


IN_WORDS = {
    CR: "complete response (CR)",
    PR: "partial response (PR)",
    MR: "minor response (MR)",
    PR_OR_MR: "partial or minor response (PR/MR)",
    SD: "stable disease (SD)",
    PRELIMINARY: "preliminary progression, awaiting confirmation",
    PSEUDOPROGRESSION: "growth that was not confirmed (favours pseudoprogression)",
    PD: "progressive disease (PD)",
    STEROID: "not assignable because of the steroid dose",
    TWELVE_WEEKS: "no progression by itself within 12 weeks of radiotherapy",
    NOT_VERIFIED: "not known, as the rule that would decide is not verified",
    NOT_APPLICABLE: "not applicable",
    BASELINE: "baseline",
    BEFORE_BASELINE: "before the baseline",
    UNDATED: "date unknown",
}
"""Categories as people read them in a sentence; none says what a lesion is."""


def in_words(categories: Iterable[str]) -> str:
    """Categories in a sentence, ``stable disease (SD) or progressive disease (PD)``; scores of BT-RADS as they are."""
    return " or ".join(IN_WORDS.get(category, category) for category in categories)


def in_order(categories: set[str]) -> tuple[str, ...]:
    """Categories in the order of the tables."""
    return tuple(sorted(categories, key=(*CATEGORIES, *BT_RADS).index))
