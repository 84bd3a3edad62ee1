"""What makes one criterion differ from another, beside its rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .exploring import Judgement, Trial
from .sizes import Measurable


@dataclass(frozen=True)
class Criterion:
    """A criterion of the RANO family.

    rule: a visit's facts to its category. baseline: policy of ``references``. measurable: of ``measurability``.
    most_targets, most_targets_mixed, twelve_weeks: names of limits. twelve_weeks_included: whether the last day counts.
    thickest_slice: component to the limit from which on slices are called thick.
    parts: whether non-enhancing parts are judged. adds_other_lesions: whether what grows beside the targets joins the
    sum. further_growth_confirms: whether preliminary progression is confirmed by further growth; still_above_confirms:
    number of the recalled rule by which a scan still above the limit does. resolves_steroid: whether a category that
    the steroid dose forbade is settled by what follows.
    """

    name: str
    rule: Callable[[Trial], Judgement]
    baseline: str
    measurable: Measurable
    most_targets: str
    most_targets_mixed: str
    twelve_weeks: str
    twelve_weeks_included: bool
    thickest_slice: Mapping[str, str]
    parts: bool = False
    adds_other_lesions: bool = False
    further_growth_confirms: bool = False
    still_above_confirms: str = ""
    resolves_steroid: bool = False
