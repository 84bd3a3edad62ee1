"""Immunotherapy RANO criteria of 2015 (Okada, Lancet Oncol 16:e534), section 5 of the rules.

Read in its abstract only. When the follow-up scan is due and what it is compared with (5.6) and that RANO 2010 holds
after 6 months (5.7) is recalled only; the first is left out, the second switched off.
"""

from __future__ import annotations

from dataclasses import replace

from ..measures import Message
from .categories import NOT_APPLICABLE, NOT_VERIFIED, PD, PRELIMINARY
from .exploring import Judgement, Trial
from .rano_2010 import RANO_2010
from .rano_2010 import category as rano_2010


def category(facts: Trial) -> Judgement:
    """RANO 2010, but within 6 months of immunotherapy progression on images waits for confirmation (5.1, 5.3).

    It does not wait where the patient is significantly worse (5.2), or has not returned for it.
    """
    if facts.immunotherapy == "none":
        return NOT_APPLICABLE, (Message("response_no_immunotherapy", {"rule": "5.1"}),)
    if facts.immunotherapy == "late" and "5.7" not in facts.recalled:
        return NOT_VERIFIED, (Message("response_late_immunotherapy", {"rule": "5.7"}),)
    found, reasons = rano_2010(facts)
    if found != PD or facts.immunotherapy == "late" or facts.failed_to_return:
        return found, reasons
    if facts.decline:
        return PD, (*reasons, Message("response_decline", {"rule": "5.2"}))
    if facts.early and facts.viable_tumour:
        return found, reasons
    return PRELIMINARY, (*reasons, Message("response_confirm_immunotherapy", {"rule": "5.1"}))


IRANO = replace(RANO_2010, name="iRANO", rule=category)
