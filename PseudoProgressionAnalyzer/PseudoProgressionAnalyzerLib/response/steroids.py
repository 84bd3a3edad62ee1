"""Steroid doses: kept as entered, compared by every published conversion.

Published conversions differ (10.13): a verdict that changes with them depends on the setting ``steroid_factors``.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..measures import InputError
from .exploring import Variants
from .published import limit, published, readings

SETTING = "steroid_factors"


@dataclass(frozen=True)
class SteroidDose:
    """A daily dose as entered: mg per day of a drug of the table. Raises InputError ``response_steroid``."""

    mg_per_day: float
    drug: str = "dexamethasone"

    def __post_init__(self):
        drugs = [name for name in published()[SETTING]["potency"] if name != "rule"]
        if self.drug not in drugs:
            raise InputError("response_steroid_drug", field="drug", drug=self.drug, known=", ".join(drugs))
        if not (math.isfinite(self.mg_per_day) and self.mg_per_day >= 0):
            raise InputError("response_steroid_dose", field="mg_per_day", dose=self.mg_per_day)

    def dexamethasone(self, factors: str) -> float:
        """mg per day of dexamethasone with the same effect, by one of the published conversions."""
        return self.mg_per_day * published()[SETTING][factors][self.drug]


def change_of_dose(then: SteroidDose | None, now: SteroidDose | None, tolerance: float = 0.0) -> str | Variants | None:
    """``lower``, ``same`` or ``higher`` than then, by every conversion where they differ; None when a dose is unknown.

    tolerance: mg per day of dexamethasone within which a dose is the same.
    """
    if then is None or now is None:
        return None

    def change(factors: str) -> str:
        difference = now.dexamethasone(factors) - then.dexamethasone(factors)
        if abs(difference) <= tolerance + 1e-9:
            return "same"
        return "higher" if difference > 0 else "lower"

    return _one_or_variants({factors: change(factors) for factors in readings(SETTING)})


def replacement_only(dose: SteroidDose | None) -> bool | Variants | None:
    """Whether the dose is none or at most physiologic replacement (1.9, 8.12); None when unknown."""
    if dose is None:
        return None

    def within(factors: str) -> bool:
        hydrocortisone = dose.dexamethasone(factors) / published()[SETTING][factors]["hydrocortisone"]
        return hydrocortisone <= limit("replacement_hydrocortisone") + 1e-9

    return _one_or_variants({factors: within(factors) for factors in readings(SETTING)})


def _one_or_variants(values: dict[str, str] | dict[str, bool]) -> str | bool | Variants:
    return next(iter(values.values())) if len(set(values.values())) == 1 else Variants(SETTING, values)
