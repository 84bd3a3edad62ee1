"""RANO criteria for high-grade glioma of 2010 (Wen, J Clin Oncol 28:1963), sections 1 and 1b of the rules."""

from __future__ import annotations

from ..measures import Message
from .categories import PD, STEROID, TWELVE_WEEKS
from .conditions import allowed_by_steroid, better_but_not_measurable, depth, grows
from .criterion import Criterion
from .exploring import Judgement, Trial
from .measurability import measurable_2010
from .references import POST_OPERATIVE


def category(facts: Trial) -> Judgement:
    """The category of a visit; progression is tested before response (9.6)."""
    if facts.failed_to_return:
        return PD, (Message("response_no_return", {"rule": "1.21"}),)
    if facts.early and facts.viable_tumour:
        return PD, (Message("response_viable_tumour", {"rule": "1.31"}),)
    reason = enhancing_progression(facts) or other_progression(facts)
    if reason is None:
        return response(facts)
    if not facts.early:
        alone = reason.code == "response_decline"
        return PD, (reason, Message("response_no_trial_entry", {"rule": "1.37"})) if alone else (reason,)
    if enhancing_progression(facts) is not None and facts.outside_field:
        return PD, (reason, Message("response_outside_field", {"rule": "1.30"}))
    return TWELVE_WEEKS, (reason, Message("response_within_twelve_weeks", {"rule": "1.33"}))


def enhancing_progression(facts: Trial) -> Message | None:
    """Growth on a stable or rising steroid dose (1.15, 1.36), or any new lesion (1.19, 1.35)."""
    if facts.new_lesion:
        return Message("response_new_lesion", {"rule": "1.19"})
    if grows(facts) and facts.dose_since_nadir != "lower":
        return Message("response_growth", {"rule": "1.15"})
    return None


def other_progression(facts: Trial) -> Message | None:
    """Non-measurable disease (1.16), T2/FLAIR on a stable or rising dose (1.17), clinical deterioration (1.20)."""
    if facts.nonmeasurable_progression:
        return Message("response_nonmeasurable", {"rule": "1.16"})
    if facts.flair_worse and facts.dose_since_nadir != "lower":
        return Message("response_flair", {"rule": "1.17"})
    if facts.decline:
        return Message("response_decline", {"rule": "1.20"})
    return None


def response(facts: Trial) -> Judgement:
    """CR, PR or SD: all conditions (1.23); growth or T2/FLAIR increase on a falling steroid dose is no progression."""
    if facts.flair_worse:
        return STEROID, (Message("response_flair_on_lower_steroid", {"rule": "1.17"}),)
    found, reasons = allowed_by_steroid(facts, depth(facts))
    if grows(facts):
        reasons = (*reasons, Message("response_growth_on_lower_steroid", {"rule": "1.15"}))
    return found, (*reasons, *better_but_not_measurable(facts))


RANO_2010 = Criterion(
    name="RANO_2010",
    rule=category,
    baseline=POST_OPERATIVE,
    measurable=measurable_2010,
    most_targets="most_targets_2010",
    most_targets_mixed="most_targets_2010",
    twelve_weeks="twelve_weeks_2010",
    thickest_slice={"enhancing": "thick_slice"},
    twelve_weeks_included=False,
)
