"""RANO 2.0 (Wen 2023, J Clin Oncol 41:5187), section 3 of the rules."""

from __future__ import annotations

from ..measures import Message
from .categories import CR, PD, PR, PR_OR_MR, PRELIMINARY, SD
from .conditions import PREFIX, allowed_by_steroid, better_but_not_measurable, depth, grows
from .criterion import Criterion
from .exploring import Judgement, Trial
from .measurability import measurable_rano_2
from .references import POST_RADIOTHERAPY


def category(facts: Trial) -> Judgement:
    """The category of a visit; progression is tested before response (9.6)."""
    if facts.leptomeningeal:
        return PD, (Message("response_leptomeningeal", {"rule": "3.24"}),)
    reason = growth_or_new(facts)
    if reason is not None and not facts.early:
        return late_progression(facts, reason)
    if reason is not None:
        if facts.outside_field:
            return PD, (reason, Message("response_optional_confirmation", {"rule": "3.46"}))
        if facts.decline:
            return PD, (
                reason,
                Message("response_decline", {"rule": "3.20"}),
                Message("response_early_decline_not_read", {"rule": "3.48"}),
            )
        return PRELIMINARY, (reason, Message("response_confirm", {"rule": "3.41"}))
    if facts.decline:
        not_read = (Message("response_early_decline_not_read", {"rule": "3.48"}),) if facts.early else ()
        return PD, (Message("response_decline", {"rule": "3.20"}), *not_read)
    if flair_counts(facts) and facts.flair_worse:
        reasons = (Message("response_flair", {"rule": "3.52"}),)
        smaller = "enhancing" in facts.components and depth(facts) in (CR, PR)
        return PD, (*reasons, Message("response_pseudoresponse", {"rule": "3.54"})) if smaller else reasons
    return response(facts)


def growth_or_new(facts: Trial) -> Message | None:
    """Growth of either part (3.20, 3.56), a new measurable lesion (3.20), growth of a small one (3.25)."""
    if facts.new_measurable_lesion:
        return Message("response_new_measurable_lesion", {"rule": "3.20"})
    for component in facts.components:
        if grows(facts, PREFIX[component]):
            return Message("response_growth", {"rule": "3.20"})
    small = facts.nonmeasurable_growth
    if small == "at_limit":
        small = facts.limits == "inclusive"
    return Message("response_nonmeasurable_growth", {"rule": "3.25"}) if small else None


def late_progression(facts: Trial, reason: Message) -> Judgement:
    """After 12 weeks progression needs no confirmation unless the protocol asks (3.45, 10.19)."""
    if facts.late_confirmation:
        return PRELIMINARY, (reason, Message("response_confirm", {"rule": "3.45"}))
    if facts.immunotherapy != "none":
        return PD, (reason, Message("response_optional_confirmation", {"rule": "3.46"}))
    if facts.idh_mutant:
        return PD, (reason, Message("response_optional_confirmation", {"rule": "3.47"}))
    return PD, (reason, Message("response_protocol_may_confirm", {"rule": "3.45"}))


def flair_counts(facts: Trial) -> bool:
    """T2/FLAIR is left out for enhancing tumours (3.50) unless the drug acts on vessels (3.51, 3.52)."""
    return facts.components == ("enhancing",) and facts.antiangiogenic


def response(facts: Trial) -> Judgement:
    """The parts together (3.57 to 3.59), as far as the steroid dose allows."""
    sizes = [depth(facts, PREFIX[part], minor=part == "non_enhancing") for part in facts.components]
    found = sizes[0] if len(sizes) == 1 else combined(facts, *sizes)
    found, reasons = allowed_by_steroid(facts, found)
    unmeasured = [better_but_not_measurable(facts, PREFIX[part]) for part in facts.components]
    reasons += max(unmeasured, key=len)
    if found in (CR, PR) and "enhancing" in facts.components and facts.antiangiogenic:
        reasons += (Message("response_maybe_pseudoresponse", {"rule": "3.54"}),)
    return found, reasons


def combined(facts: Trial, enhancing: str, other: str) -> str:
    """Table 4 of S1 for both parts of a mixed tumour; CR with SD is disputed (10.3)."""
    pair = {enhancing, other}
    if pair == {SD} or pair == {CR}:
        return pair.pop()
    if pair == {CR, SD}:
        return SD if facts.mixed == "stable" else PR_OR_MR
    return PR_OR_MR


RANO_2 = Criterion(
    name="RANO_2.0",
    rule=category,
    baseline=POST_RADIOTHERAPY,
    measurable=measurable_rano_2,
    most_targets="most_targets",
    most_targets_mixed="most_targets_mixed",
    twelve_weeks="twelve_weeks",
    thickest_slice={"enhancing": "slice_thickness_3d", "non_enhancing": "slice_thickness_2d"},
    twelve_weeks_included=True,
    parts=True,
    adds_other_lesions=True,
    further_growth_confirms=True,
    still_above_confirms="10.4",
    resolves_steroid=True,
)
