"""The walk over a patient's visits: every criterion's provisional and final category for each of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..measures import InputError, Message
from .categories import BASELINE, BEFORE_BASELINE, PD, PRELIMINARY, PSEUDOPROGRESSION, UNDATED, in_order
from .conditions import PREFIX, grows
from .confirmation import Seen, Settled, confirming, settle
from .criterion import Criterion
from .exploring import Judgement, Outcome, Trial, by_value, categories, decisive, explore
from .findings import DOMAINS, Findings, components_of, gather
from .inputs import MEASURES, Course, VisitInputs, checked
from .irano import IRANO
from .mrano import MRANO
from .published import limit, published
from .rano_2 import RANO_2
from .rano_2010 import RANO_2010
from .references import POST_RADIOTHERAPY, Reference, References, references
from .settings import Settings
from .sizes import change
from .verdict import Option, Response, Verdict

CRITERIA: dict[str, Criterion] = {entry.name: entry for entry in (RANO_2010, MRANO, RANO_2, IRANO)}


def judge(course: Course, criterion: str, settings: Settings | None = None) -> list[Response]:
    """Every visit of a patient by one criterion of ``CRITERIA``, in the order of the course.

    Raises InputError: ``response_criterion`` (unknown), ``response_baseline`` (no such visit), those of ``checked``.
    """
    settings, ids = settings or Settings(), [visit.visit for visit in checked(course).visits]
    if criterion not in CRITERIA:
        raise InputError("response_criterion", field="criterion", criterion=criterion, known=", ".join(CRITERIA))
    if settings.baseline is not None and settings.baseline not in ids:
        raise InputError("response_baseline", field="baseline", visit=settings.baseline)
    by_measure = {measure: _Walk(course, CRITERIA[criterion], measure, settings).verdicts() for measure in MEASURES}
    return [
        Response(visit.visit, criterion, *(by_measure[measure][visit.visit] for measure in MEASURES))
        for visit in course.visits
    ]


def what_if(course: Course, criterion: str, settings: Settings | None = None) -> dict[str, list[Response]]:
    """``judge`` with every visit but the last as baseline: id of the baseline to the responses (10.9)."""
    settings = settings or Settings()
    dated = sorted((visit.date, visit.visit) for visit in course.visits if visit.date is not None)
    return {visit: judge(course, criterion, replace(settings, baseline=visit)) for _, visit in dated[:-1]}


@dataclass
class _Judged:
    """A visit while the walk goes on."""

    visit: VisitInputs
    references: References
    outcomes: list[Outcome]
    findings: list[tuple[Reference, Findings]]


class _Walk:
    """One criterion by one measure over the dated visits in order."""

    def __init__(self, course: Course, criterion: Criterion, measure: str, settings: Settings):
        self.course, self.criterion, self.measure, self.settings = course, criterion, measure, settings
        dated = [visit for visit in course.visits if visit.date is not None]
        self.visits = sorted(dated, key=lambda visit: visit.date)
        self.incomplete = len(dated) < len(course.visits)
        self.judged: list[_Judged] = []

    def verdicts(self) -> dict[str, Verdict]:
        """Visit id to verdict."""
        for at in range(len(self.visits)):
            self.judged.append(self._judge(at))
        seen = [self._seen(judged) for judged in self.judged]
        found = {judged.visit.visit: self._verdict(seen, at) for at, judged in enumerate(self.judged)}
        undated = (Option(UNDATED, (Message("response_undated"),)),)
        for visit in self.course.visits:
            if visit.date is None:
                found[visit.visit] = Verdict(visit.visit, self.criterion.name, self.measure, undated, undated)
        return found

    def _judge(self, at: int) -> _Judged:
        """The visit at an index from what was known by it."""
        chosen = references(self.course, self.visits, at, self.criterion.baseline, self.settings.baseline)
        judged = _Judged(self.visits[at], chosen, [], [])
        if not chosen.candidates:
            judged.outcomes.append(Outcome(chosen.state, chosen.messages, {}))
        for reference in chosen.candidates:
            findings = gather(
                self.course, self.visits, at, reference, self.criterion, self.measure, self.settings,
                self._accepted(at), self.incomplete,
            )  # fmt: skip
            judged.findings.append((reference, findings))
            judged.outcomes += explore(self.criterion.rule, findings.facts, DOMAINS)
        return judged

    def _accepted(self, at: int) -> tuple[int, bool] | None:
        """Index of the last preliminary progression that no scan up to this one confirmed, and whether that is sure."""
        if not self.criterion.further_growth_confirms:
            return None
        seen = [self._seen(judged) for judged in self.judged]
        here = self.visits[at]
        seen.append(Seen(here.visit, here.date, frozenset(), True, here.surgery is not None, None, False))
        for earlier in range(at - 1, -1, -1):
            later = confirming(seen, earlier)
            if PRELIMINARY not in seen[earlier].possible or later is None:
                continue
            answer = self._further(earlier, later)
            if answer is not True:
                return earlier, answer is False
        return None

    def _seen(self, judged: _Judged) -> Seen:
        possible = frozenset(categories(judged.outcomes))
        decline, lowered = True, None
        if judged.findings:
            facts = judged.findings[0][1].facts
            lowered = None if not isinstance(facts["dose"], str) else facts["dose"] != "higher"
            decline = facts["decline"] is not False or facts["leptomeningeal"] is not False
        operated = judged.visit.surgery is not None
        return Seen(judged.visit.visit, judged.visit.date, possible, bool(judged.findings), operated, lowered, decline)

    def _further(self, at: int, later: int) -> bool | None:
        """Whether the lesions that were growing or new grow further by the limit of progression (3.44)."""
        found = [findings for _, findings in self.judged[at].findings]
        return self._grown(at, later, frozenset().union(*(one.burden for one in found)), any(one.open for one in found))

    def _grown(self, at: int, later: int, burden: frozenset[str], is_open: bool) -> bool | None:
        percent = change(self.visits, at, later, burden, self.measure).percent
        return None if is_open else self._reached(percent.value)

    def _still_above(self, at: int, later: int) -> bool | None:
        """Whether they are still above the nadir of the earlier scan by the limit (recalled: 2.8, 10.4)."""
        answers = set()
        for reference, findings in self.judged[at].findings:
            nadirs = [grown.since for _, grown in findings.changes.values() if grown.since is not None]
            nadir = max(nadirs, default=reference.nadir_from)
            percent = change(self.visits, nadir, later, findings.burden, self.measure).percent
            if any(flag.code == "lesion_reference_zero" for flag in percent.flags):
                answers.add(any(lesion.present for lesion in self.visits[later].lesions))
            else:
                answers.add(None if findings.open else self._reached(percent.value))
        return answers.pop() if len(answers) == 1 else None

    def _reached(self, percent: float | None) -> bool | None:
        """Whether a change in % reaches the limit of progression; None when unknown or disputed at the limit."""
        if percent is None:
            return None
        shown, least = round(percent, 1), limit(f"{self.measure}_growth")
        if shown == least:
            return None if self.settings.limits is None else self.settings.limits == "inclusive"
        return shown > least

    def _settled(self, seen: Sequence[Seen], at: int) -> tuple[list[Settled], list[Message]]:
        """Final categories, and what the recalled rule would make of them where it is off and says otherwise."""
        recalled = self.criterion.still_above_confirms
        on = recalled in self.settings.recalled

        def final(still_above: bool) -> list[Settled]:
            further = self._still_above if still_above else self._further
            known = still_above or self.criterion.further_growth_confirms
            return settle(
                seen, at, further if known else None, self.criterion.resolves_steroid,
                self.settings.longest_confirmation,
            )  # fmt: skip

        settled, notes = final(on), []
        if recalled and not on:
            other = in_order({entry.category for entry in final(True)})
            if set(other) != {entry.category for entry in settled}:
                notes.append(Message("response_recalled", {"rule": recalled, "categories": ", ".join(other)}))
        elif on:
            notes.append(Message("response_recalled_on", {"rule": recalled}))
        return settled, notes

    def _verdict(self, seen: Sequence[Seen], at: int) -> Verdict:
        judged = self.judged[at]
        settled, notes = self._settled(seen, at)
        if judged.references.state == BASELINE:
            settled, notes = self._settled_baseline(at, settled), []
        single = judged.findings[0] if len(judged.findings) == 1 else None
        notes = [
            *judged.references.messages, *self._after_progression(at), *notes, *self._band(single),
            *self.course.messages,
        ]  # fmt: skip
        for message in single[1].notes if single else ():
            if message not in notes:
                notes.append(message)
        changes = single[1].changes if single else {}
        nadirs = {grown.since for _, grown in changes.values()} - {None}
        unknowns, depends_on = self._open(judged)
        return Verdict(
            visit=judged.visit.visit,
            criterion=self.criterion.name,
            measure=self.measure,
            provisional=_options((outcome.category, outcome.reasons, "") for outcome in judged.outcomes),
            final=_options((entry.category, entry.reasons, entry.dated) for entry in settled),
            baseline=self.visits[single[0].baseline].visit if single else "",
            nadir=self.visits[nadirs.pop()].visit if len(nadirs) == 1 else "",
            from_baseline={part: since.percent for part, (since, _) in changes.items()},
            from_nadir={part: grown.percent for part, (_, grown) in changes.items()},
            unknowns=unknowns,
            depends_on=depends_on,
            notes=tuple(notes),
        )

    def _settled_baseline(self, at: int, settled: list[Settled]) -> list[Settled]:
        """A baseline that a later one replaced; or new enhancement since the scan before that did not grow further.

        The second is the published case E3: what radiotherapy brought and time took away is pseudoprogression.
        """
        later = at + 1
        same_period = later < len(self.judged) and self.visits[later].surgery is None
        if same_period and self.judged[later].references.state == BASELINE:
            return [Settled(BEFORE_BASELINE)]
        if self.criterion.baseline != POST_RADIOTHERAPY or not self.criterion.further_growth_confirms or at == 0:
            return settled
        reference = Reference(at - 1, at - 1)
        before = gather(
            self.course, self.visits, at, reference, self.criterion, self.measure, self.settings, None, self.incomplete
        )
        facts, seen = before.facts, [self._seen(judged) for judged in self.judged]
        answer = confirming(seen, at)
        if self.visits[at].surgery is not None or facts["early"] is not True or answer is None:
            return settled
        signs = categories(explore(_enhancement, facts, DOMAINS))
        further = self._grown(at, answer, before.burden, before.open)
        if further or signs == {BASELINE}:
            return settled
        shown = {
            "since": seen[at - 1].visit, "visit": seen[answer].visit, "days": (seen[answer].date - seen[at].date).days,
        }  # fmt: skip
        faded = Settled(PSEUDOPROGRESSION, reasons=(Message("response_baseline_enhancement", shown),))
        return [faded] if signs == {PRELIMINARY} and further is False else [*settled, faded]

    def _open(self, judged: _Judged) -> tuple[tuple[Message, ...], tuple[Message, ...]]:
        """What would narrow the categories: unknown facts, and disputed settings with the results of each reading."""
        unknowns, depends_on = [], []
        names = decisive(judged.outcomes)
        if len(categories(judged.outcomes)) > 1 and len(judged.findings) > 1:
            unknowns.append(Message("response_unknown_radiotherapy_end"))
        for name in names:
            if name in published()["disputed"]:
                results = "; ".join(
                    f"{reading}: {', '.join(in_order(found))}"
                    for reading, found in sorted(by_value(judged.outcomes, name).items())
                )
                depends_on.append(Message(f"response_depends_on_{name}", {"results": results}))
            else:
                unknowns.append(Message(f"response_unknown_{name}"))
        return tuple(unknowns), tuple(depends_on)

    def _after_progression(self, at: int) -> list[Message]:
        """A note where progression was called before, since the last operation."""
        for earlier in range(at - 1, -1, -1):
            if self.visits[earlier + 1].surgery is not None:
                break
            if categories(self.judged[earlier].outcomes) == {PD}:
                return [Message("response_after_progression", {"visit": self.visits[earlier].visit})]
        return []

    def _band(self, single: tuple[Reference, Findings] | None) -> list[Message]:
        """Changes that lie within the measurement error, and limits that lie within the interval of a change."""
        found = []
        for part in components_of(self.course, self.criterion) if single else ():
            since_baseline, grown = single[1].changes[part]
            for entry, least in ((since_baseline, -limit(f"{self.measure}_response")),
                                 (grown, limit(f"{self.measure}_growth"))):  # fmt: skip
                low, high = entry.percent.low, entry.percent.high
                if None in (entry.since, low, high):
                    continue
                shown = {
                    "part": part, "visit": self.visits[entry.since].visit, "percent": round(entry.percent.value, 1),
                    "low": round(low, 1), "high": round(high, 1), "limit": least,
                }  # fmt: skip
                if low <= 0 <= high:
                    found.append(Message("response_within_error", shown))
                elif low <= least <= high:
                    found.append(Message("response_limit_within_error", shown))
        return found


def _enhancement(facts: Trial) -> Judgement:
    """Whether there is growth or a new lesion since the scan before the baseline."""
    grown = facts.new_lesion or any(grows(facts, PREFIX[part]) for part in facts.components)
    return PRELIMINARY if grown else BASELINE, ()


def _options(found) -> tuple[Option, ...]:
    """One option for each category, in the order of the tables, with the reasons of the first that gave it."""
    first: dict[str, Option] = {}
    for category, reasons, dated in found:
        first.setdefault(category, Option(category, tuple(reasons), dated))
    return tuple(first[category] for category in in_order(set(first)))
