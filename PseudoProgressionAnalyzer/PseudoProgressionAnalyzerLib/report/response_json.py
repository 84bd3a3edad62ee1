"""The parts of ``assessment.json`` that hold lesions and responses. Their form stands in its schema."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..analysis import Analysis
from ..lesion.estimate import Estimate
from ..lesion.following import FollowedLesion
from ..measures import Message
from ..response import Option, Verdict
from . import words

Say = Callable[[Message], dict[str, Any]]


def lesions(analysis: Analysis, say: Say) -> list[dict[str, Any]]:
    """Every lesion of every visit by its identity; its numbers stand among the measurements, kind ``followed``."""
    return [_lesion(lesion, say) for lesion in analysis.lesions]


def responses(analysis: Analysis, say: Say) -> list[dict[str, Any]]:
    """Every visit by every criterion and by each measure; BT-RADS by what the reader sees.

    ``provisional`` was known by the visit; ``final`` is what later scans made of it: outcome, never evidence.
    """
    verdicts = [verdict for found in analysis.response.responses for verdict in (found.area, found.volume)]
    return [_verdict(verdict, say) for verdict in (*verdicts, *analysis.response.bt_rads)]


def _lesion(lesion: FollowedLesion, say: Say) -> dict[str, Any]:
    tracked, outline = lesion.tracked, lesion.outline
    change = _interval(tracked.change)
    if change is not None:
        change["flags"] = [say(flag) for flag in tracked.change.flags]
    return {
        "visit": lesion.visit,
        "lesion": lesion.lesion,
        "component": outline.component if outline is not None else None,
        "events": list(tracked.events),
        "relatives": list(tracked.relatives),
        "growth": tracked.growth,
        "change_percent": change,
        "centre": [words.finite(one) for one in outline.centre] if outline is not None else None,
        "lines_by_reader": list(lesion.by_reader),
    }


def _verdict(verdict: Verdict, say: Say) -> dict[str, Any]:
    return {
        "visit": verdict.visit,
        "criterion": verdict.criterion,
        "measure": verdict.measure,
        "provisional": [_option(option, say) for option in verdict.provisional],
        "final": [_option(option, say) for option in verdict.final],
        "baseline": verdict.baseline or None,
        "nadir": verdict.nadir or None,
        "from_baseline": {part: _interval(change) for part, change in (verdict.from_baseline or {}).items()},
        "from_nadir": {part: _interval(change) for part, change in (verdict.from_nadir or {}).items()},
        "unknowns": [say(message) for message in verdict.unknowns],
        "depends_on": [say(message) for message in verdict.depends_on],
        "notes": [say(message) for message in verdict.notes],
    }


def _option(option: Option, say: Say) -> dict[str, Any]:
    return {
        "category": option.category,
        "dated": option.dated or None,
        "reasons": [say(reason) for reason in option.reasons],
    }


def _interval(estimate: Estimate | None) -> dict[str, Any] | None:
    if estimate is None:
        return None
    return {name: words.finite(getattr(estimate, name)) for name in ("value", "low", "high")}
