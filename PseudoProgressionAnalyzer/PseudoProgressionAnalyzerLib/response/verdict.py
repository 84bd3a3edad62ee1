"""What is said about a visit by a criterion, measured by area or by volume, and how the two agree."""

from __future__ import annotations

from dataclasses import dataclass

from ..lesion.estimate import Estimate
from ..measures import Message
from .categories import in_words


@dataclass(frozen=True)
class Option:
    """A category that is possible, with its reasons. dated: id of the visit that progression is dated to."""

    category: str
    reasons: tuple[Message, ...] = ()
    dated: str = ""


@dataclass(frozen=True)
class Verdict:
    """The category of a visit by one criterion and one measure (``area`` or ``volume``).

    provisional: what is possible from what was known by the visit. final: with everything that came later: outcome of
    the visit, never evidence for it. Each holds one option when it is decided. baseline, nadir: ids of the reference
    visits, empty where there is none or more than one may be it. from_baseline, from_nadir: % change of the summed size
    with its 95 % interval where one is known, by part of the tumour. unknowns: what would narrow the categories.
    depends_on: disputed settings that change the result. notes: what to read beside it.
    """

    visit: str
    criterion: str
    measure: str
    provisional: tuple[Option, ...]
    final: tuple[Option, ...]
    baseline: str = ""
    nadir: str = ""
    from_baseline: dict[str, Estimate] | None = None
    from_nadir: dict[str, Estimate] | None = None
    unknowns: tuple[Message, ...] = ()
    depends_on: tuple[Message, ...] = ()
    notes: tuple[Message, ...] = ()

    @property
    def category(self) -> str | None:
        """The provisional category, None when more than one is possible."""
        return self.provisional[0].category if len(self.provisional) == 1 else None

    @property
    def final_category(self) -> str | None:
        """The final category, None when more than one is possible."""
        return self.final[0].category if len(self.final) == 1 else None

    @property
    def nadir_name(self) -> str:
        """What the size at ``nadir`` is: ``nadir``, the smallest since the baseline, or ``smallest_after``, that since
        radiotherapy, where the baseline lies before it and is smaller (RANO 2010 from 12 weeks on, 1.36)."""
        since, grown = self.from_baseline or {}, self.from_nadir or {}
        both = [(since[part].value, grown[part].value) for part in grown if part in since]
        larger = any(None not in pair and pair[1] < pair[0] for pair in both)
        return "smallest_after" if larger else "nadir"

    @property
    def possible(self) -> tuple[str, ...]:
        """The provisional categories that are possible."""
        return tuple(option.category for option in self.provisional)


@dataclass(frozen=True)
class Response:
    """A visit by one criterion, by area and by volume side by side. agreement: None when that cannot be said."""

    visit: str
    criterion: str
    area: Verdict
    volume: Verdict

    @property
    def agreement(self) -> bool | None:
        """True for the same category, False where no category is possible by both."""
        if self.area.category is not None and self.area.category == self.volume.category:
            return True
        return None if set(self.area.possible) & set(self.volume.possible) else False

    @property
    def message(self) -> Message:
        """How area and volume agree."""
        shown = {"area": in_words(self.area.possible), "volume": in_words(self.volume.possible)}
        if self.agreement:
            return Message("response_agree", shown)
        return Message("response_disagree" if self.agreement is False else "response_agreement_unknown", shown)
