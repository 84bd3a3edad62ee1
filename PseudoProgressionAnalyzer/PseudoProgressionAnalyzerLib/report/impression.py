"""One line for what a criterion says of a visit, as a radiologist writes it: category, size, what is not known."""

from __future__ import annotations

from ..analysis import Analysis
from ..measures import Message, Patient
from ..response import Response, Verdict
from ..response.categories import BASELINE, BEFORE_BASELINE, in_words
from . import words


def impression(analysis: Analysis, response: Response, language: str = "english") -> str:
    """``PR, partial response: -62 % by area and -70 % by volume since the baseline of 2023-05-08 (...)``"""
    area, volume = response.area, response.volume
    both = {name: _categories(verdict, False, language) for name, verdict in (("area", area), ("volume", volume))}
    later = {name: _categories(verdict, True, language) for name, verdict in (("area", area), ("volume", volume))}
    parts = [_by_both(both, language) + _sizes(analysis, area, volume, language)]
    if later != both:
        heading = words.say(f"report_{heading_of_later(analysis.patient, response.visit)}", language)
        parts.append(f"{heading}: {_by_both(later, language)}")
    return ". ".join([*parts, *_unknown((*area.unknowns, *volume.unknowns), language)]) + "."


def tree_impression(verdict: Verdict, language: str = "english") -> str:
    """The same of BT-RADS, which has one verdict."""
    return ". ".join([_categories(verdict, False, language), *_unknown(verdict.unknowns, language)]) + "."


def with_other_baselines(analysis: Analysis, response: Response, language: str = "english") -> list[str]:
    """What a visit's categories would be with every other baseline, where that differs from what stands."""
    found = []
    for other in analysis.response.what_if:
        same = (other.area, other.volume) == (response.area.possible, response.volume.possible)
        here = (other.criterion, other.visit) == (response.criterion, response.visit)
        if here and not same and not set(other.area) <= {BASELINE, BEFORE_BASELINE}:
            said = {"area": in_words(other.area), "volume": in_words(other.volume)}
            date = words.date_words(analysis.patient.visit(other.baseline), language)
            found.append(words.say("report_with_baseline", language, visit=date, categories=_by_both(said, language)))
    return found


def references(patient: Patient, verdict: Verdict, language: str = "english") -> str:
    """The visits that a verdict compares with: baseline, and the one from which growth counts; of BT-RADS the one
    before."""
    dates = {
        name: words.date_words(patient.visit(visit), language) if visit else "-"
        for name, visit in (("baseline", verdict.baseline), ("nadir", verdict.nadir))
    }
    if verdict.measure == "reader":
        return words.say("report_compared_with", language, visit=dates["baseline"])
    return words.say("report_references", language, name=words.say(f"report_{verdict.nadir_name}", language), **dates)


def heading_of_later(patient: Patient, visit_id: str) -> str:
    """The label (``report_...``) of a visit's final category, where that is another one than at the visit."""
    no_scan_came_later = patient.visits[-1].id == visit_id
    return "unconfirmed" if no_scan_came_later else "later"


def _categories(verdict: Verdict, final: bool, language: str) -> str:
    """The category in words; where more than one is possible, all of them in short."""
    options = verdict.final if final else verdict.provisional
    if len(options) == 1:
        return words.label("category", options[0].category, language)
    named = [words.label("short", option.category, language) for option in options]
    return words.say("report_impression_open", language, first=", ".join(named[:-1]), last=named[-1])


def _by_both(said: dict[str, str], language: str) -> str:
    if said["area"] == said["volume"]:
        return said["area"]
    return words.say("report_impression_apart", language, **said)


def _sizes(analysis: Analysis, area: Verdict, volume: Verdict, language: str) -> str:
    """The changes since baseline and nadir of the first part of the tumour that has both, by area and by volume."""
    found = []
    for name, since in (("baseline", "from_baseline"), ("nadir", "from_nadir")):
        visit = getattr(area, name)
        if not visit or visit != getattr(volume, name) or (name == "nadir" and visit == area.baseline):
            continue
        by_area, by_volume = getattr(area, since) or {}, getattr(volume, since) or {}
        for part in [part for part in by_area if part in by_volume]:
            percents = [by_area[part].value, by_volume[part].value]
            if None not in percents:
                shown = dict(zip(("area", "volume"), (f"{round(one) + 0.0:+.0f}" for one in percents), strict=True))
                date = words.date_words(analysis.patient.visit(visit), language)
                of = words.say(f"report_impression_of_{part}", language)
                code = area.nadir_name if name == "nadir" else name
                found.append(words.say(f"report_impression_{code}", language, visit=date, part=of, **shown))
                break
    return f": {'; '.join(found)}" if found else ""


def _unknown(messages: tuple[Message, ...], language: str) -> list[str]:
    """What is not known: the first of it, and how much more there is."""
    different = list(dict.fromkeys(words.statement(message, language) for message in messages))
    if not different:
        return []
    first = different[0].rstrip(".")
    if len(different) == 1:
        return [first]
    return [words.say("report_impression_more", language, first=first, count=len(different) - 1)]
