"""Modified RANO criteria of 2017 (Ellingson, Neurotherapeutics 14:307), section 2 of the rules.

Read in its abstract only: baseline after radiotherapy (2.1), no qualitative T2/FLAIR (2.4), one rubric for all
treatments (2.5), limits (2.9). Steroid dose, clinical status and new lesions are judged as in RANO 2010, which the
reasons say. How preliminary progression is confirmed is recalled only (2.8) and switched off.
"""

from __future__ import annotations

from ..measures import Message
from .categories import PD, PRELIMINARY
from .conditions import allowed_by_steroid, better_but_not_measurable, depth, grows
from .criterion import Criterion
from .exploring import Judgement, Trial
from .measurability import measurable_2010
from .references import POST_RADIOTHERAPY


def category(facts: Trial) -> Judgement:
    """The category of a visit: any progression on images is preliminary, at any time."""
    as_before = Message("response_as_rano_2010", {"rule": "2.5"})
    if facts.new_lesion:
        return PRELIMINARY, (Message("response_new_lesion", {"rule": "1.19"}), as_before)
    if grows(facts):
        return PRELIMINARY, (Message("response_growth", {"rule": "2.9"}),)
    if facts.nonmeasurable_progression:
        return PRELIMINARY, (Message("response_nonmeasurable", {"rule": "1.16"}), as_before)
    if facts.decline:
        return PD, (Message("response_decline", {"rule": "1.20"}), as_before)
    found, reasons = allowed_by_steroid(facts, depth(facts))
    return found, (*reasons, *better_but_not_measurable(facts))


MRANO = Criterion(
    name="mRANO",
    rule=category,
    baseline=POST_RADIOTHERAPY,
    measurable=measurable_2010,
    most_targets="most_targets_2010",
    most_targets_mixed="most_targets_2010",
    twelve_weeks="twelve_weeks",
    thickest_slice={"enhancing": "thick_slice"},
    twelve_weeks_included=True,
    still_above_confirms="2.8",
)
