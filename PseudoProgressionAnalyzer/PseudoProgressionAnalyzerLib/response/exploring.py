"""What is possible when something is unknown: a rule is tried with every value of each unknown that it asks for.

An unknown is only tried when the rule asks for it, so that a rule that is decided without it never depends on it. The
categories that are possible can therefore only become more when something becomes unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ..measures import Message

Judgement = tuple[str, tuple[Message, ...]]
"""A category with its reasons."""


@dataclass(frozen=True)
class Variants:
    """A value that depends on a disputed setting: one value (None when unknown) for each of its readings."""

    setting: str
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Outcome:
    """A category that a rule gives, its reasons and the values that were tried for what is unknown."""

    category: str
    reasons: tuple[Message, ...]
    tried: Mapping[str, Any]


class _UnknownError(Exception):
    """A rule asks for a fact that is unknown."""


class Trial:
    """What a rule sees: every fact by name, an unknown one with the value that is being tried."""

    def __init__(self, facts: Mapping[str, Any], tried: Mapping[str, Any]):
        self._facts, self._tried = facts, tried

    def __getattr__(self, name: str) -> Any:
        value = self._facts[name]
        if isinstance(value, Variants):
            value = value.values[getattr(self, value.setting)]
        if value is None:
            if name not in self._tried:
                raise _UnknownError(name)
            value = self._tried[name]
        return value


def explore(
    rule: Callable[[Trial], Judgement], facts: Mapping[str, Any], domains: Mapping[str, tuple[Any, ...]]
) -> list[Outcome]:
    """All outcomes of a rule. facts: name to value, ``Variants`` or None; domains: name to the values of an unknown."""
    outcomes, pending = [], [{}]
    while pending:
        tried = pending.pop()
        try:
            category, reasons = rule(Trial(facts, tried))
        except _UnknownError as unknown:
            name = unknown.args[0]
            pending += [{**tried, name: value} for value in domains[name]]
        else:
            outcomes.append(Outcome(category, reasons, tried))
    return outcomes


def categories(outcomes: list[Outcome]) -> set[str]:
    """All categories that are possible."""
    return {outcome.category for outcome in outcomes}


def by_value(outcomes: list[Outcome], name: str) -> dict[Any, set[str]]:
    """Value tried for an unknown to the categories that it leaves possible."""
    found: dict[Any, set[str]] = {}
    for outcome in outcomes:
        if name in outcome.tried:
            found.setdefault(outcome.tried[name], set()).add(outcome.category)
    return found


def decisive(outcomes: list[Outcome]) -> list[str]:
    """The unknowns that change what is possible, in alphabetical order; all that were tried where none does alone."""
    if len(categories(outcomes)) == 1:
        return []
    tried = sorted({name for outcome in outcomes for name in outcome.tried})
    alone = [name for name in tried if len({frozenset(found) for found in by_value(outcomes, name).values()}) > 1]
    return alone or tried
