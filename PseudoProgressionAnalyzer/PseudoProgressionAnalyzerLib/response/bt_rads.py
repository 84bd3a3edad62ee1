"""BT-RADS: the tree from what the reader sees against the visit before to a category, section 7 of the rules.

The categories are those of btrads.com (7.1 to 7.8); the tree was read in one program only (7.9 to 7.12), whose answers
to what is unknown are not taken over (7.15). Its own numbers, 10 % for unchanged and 40 % for major, are choices of
that program (7.13): they count only where the user enters them as settings.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..measures import Message
from .categories import UNDATED, in_order
from .exploring import Judgement, Trial, by_value, categories, decisive, explore
from .inputs import CHANGES, Course, VisitInputs, checked
from .published import limit, published, readings
from .settings import Settings
from .sizes import change
from .steroids import SETTING, change_of_dose
from .verdict import Option, Verdict

NAME = "BT_RADS"

DOMAINS: dict[str, tuple[Any, ...]] = {
    "enhancement": CHANGES,
    "flair": CHANGES,
    "outranks": ("enhancement", "flair"),
    "major": (True, False),
    "progressive": (True, False),
    "steroid_effect_likely": (True, False),
    "dose_since_prior": ("lower", "same", "higher"),
    "antiangiogenic": (True, False),
    "antiangiogenic_before": (True, False),
    "early": (True, False),
    "both_improved_on_drug": ("1a", "1b"),
    SETTING: readings(SETTING),
}


def category(facts: Trial) -> Judgement:
    """The category of a visit."""
    if not facts.prior:
        return "0", (Message("response_bt_rads_new_baseline", {"rule": "7.1"}),)
    changes = {facts.enhancement, facts.flair}
    if changes == {"same"}:
        return "2", (Message("response_bt_rads_unchanged", {"rule": "7.4"}),)
    if changes == {"better", "worse"}:
        changes = {facts.enhancement if facts.outranks == "enhancement" else facts.flair}
    return worse(facts) if "worse" in changes else improved(facts)


def improved(facts: Trial) -> Judgement:
    """1b where a drug or a rising steroid dose may explain it, else 1a (7.9, 7.10)."""
    if facts.antiangiogenic and not facts.antiangiogenic_before:
        if facts.flair != "better":
            return "1b", (Message("response_bt_rads_first_on_drug", {"rule": "7.9"}),)
        return facts.both_improved_on_drug, (Message("response_bt_rads_both_on_drug", {"rule": "7.9"}),)
    if not facts.antiangiogenic and facts.dose_since_prior == "higher" and facts.steroid_effect_likely:
        return "1b", (Message("response_bt_rads_steroid_effect", {"rule": "7.10"}),)
    return "1a", (Message("response_bt_rads_improved", {"rule": "7.2"}),)


def worse(facts: Trial) -> Judgement:
    """3a within 90 days of radiotherapy (7.11); later by what is worse, by how much and for how long (7.12)."""
    if facts.early:
        return "3a", (Message("response_bt_rads_early", {"rule": "7.11"}),)
    if not (facts.enhancement == "worse" and facts.flair == "worse"):
        return "3b", (Message("response_bt_rads_one_worse", {"rule": "7.12"}),)
    if facts.major:
        return "4", (Message("response_bt_rads_major", {"rule": "7.12"}),)
    if facts.progressive:
        return "4", (Message("response_bt_rads_progressive", {"rule": "7.12"}),)
    return "3c", (Message("response_bt_rads_minor", {"rule": "7.12"}),)


def judge_bt_rads(course: Course, settings: Settings | None = None) -> list[Verdict]:
    """Every visit of a patient against the one before. Raises InputError as ``inputs.checked``."""
    settings = settings or Settings()
    visits = sorted((visit for visit in checked(course).visits if visit.date is not None), key=lambda visit: visit.date)
    found = {visit.visit: _verdict(course, visits, at, settings) for at, visit in enumerate(visits)}
    undated = (Option(UNDATED, (Message("response_undated"),)),)
    return [found.get(visit.visit) or Verdict(visit.visit, NAME, "reader", undated, undated) for visit in course.visits]


def published_share(category: str) -> Message | None:
    """The published share of true progression in a category, to be shown beside it: never evidence.

    The category is made of the facts that the evidence counts already. None where nothing is published.
    """
    shares = published()["bt_rads_true_progression"].get(category)
    if shares is None:
        return None
    shown = {"category": category, "low": shares[0], "high": shares[1], "source": published()["sources"]["S27"]}
    return Message("response_bt_rads_share", shown)


def _verdict(course: Course, visits: Sequence[VisitInputs], at: int, settings: Settings) -> Verdict:
    visit = visits[at]
    prior = visits[at - 1] if at > 0 and visit.surgery is None else None
    facts = _facts(course, visits, at, prior, settings)
    outcomes = explore(category, facts, DOMAINS)
    first = {outcome.category: Option(outcome.category, outcome.reasons) for outcome in reversed(outcomes)}
    options = tuple(first[code] for code in in_order(categories(outcomes)))
    names = decisive(outcomes)
    unknowns = tuple(Message(f"response_unknown_bt_rads_{name}") for name in names if name != SETTING)
    depends_on = ()
    if SETTING in names:
        results = "; ".join(
            f"{key}: {', '.join(in_order(codes))}" for key, codes in by_value(outcomes, SETTING).items()
        )
        depends_on = (Message("response_depends_on_steroid_factors", {"results": results}),)
    shares = [published_share(option.category) for option in options]
    return Verdict(
        visit.visit,
        NAME,
        "reader",
        options,
        options,
        baseline=prior.visit if prior else "",
        unknowns=unknowns,
        depends_on=depends_on,
        notes=tuple(share for share in shares if share is not None),
    )


def _facts(
    course: Course, visits: Sequence[VisitInputs], at: int, prior: VisitInputs | None, settings: Settings
) -> dict[str, Any]:
    visit, said = visits[at], visits[at].comparison
    facts: dict[str, Any] = {
        "prior": prior is not None,
        "enhancement": said.enhancement,
        "flair": said.flair,
        "outranks": None,
        "major": said.major,
        "progressive": said.progressive,
        "steroid_effect_likely": said.steroid_effect_likely,
        "dose_since_prior": None,
        "antiangiogenic": visit.antiangiogenic,
        "antiangiogenic_before": None,
        "early": _early(course, visit),
        "both_improved_on_drug": None,
        SETTING: settings.steroid_factors,
    }
    if prior is None:
        return facts
    facts["dose_since_prior"] = change_of_dose(prior.steroid, visit.steroid, settings.steroid_tolerance)
    facts["antiangiogenic_before"] = prior.antiangiogenic
    percents = {part: _percent_of_volume(visits, at, part) for part in ("enhancing", "non_enhancing")}
    for name, part in (("enhancement", "enhancing"), ("flair", "non_enhancing")):
        if facts[name] is None and None not in (percents[part], settings.bt_rads_unchanged):
            small = abs(percents[part]) <= settings.bt_rads_unchanged
            facts[name] = "same" if small else "worse" if percents[part] > 0 else "better"
    if said.major is None and settings.bt_rads_major is not None and None not in percents.values():
        facts["major"] = max(percents.values()) >= settings.bt_rads_major
    return facts


def _percent_of_volume(visits: Sequence[VisitInputs], at: int, part: str) -> float | None:
    """Change in % of the volume of a part since the visit before; None where it is unknown or was zero."""
    names = {lesion.name for visit in visits[at - 1 : at + 1] for lesion in visit.tumour((part,))}
    return change(visits, at - 1, at, frozenset(names), "volume").percent.value


def _early(course: Course, visit: VisitInputs) -> bool | None:
    """Whether the visit lies within 90 days after radiotherapy."""
    ends = course.ends_by(visit.date)
    if ends is None:
        return None
    days = [(visit.date - end).days for end in ends]
    return any(0 <= day < limit("after_radiotherapy_bt_rads") for day in days)
