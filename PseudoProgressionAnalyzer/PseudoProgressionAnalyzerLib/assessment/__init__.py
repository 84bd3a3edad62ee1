"""Criteria as cited data, evidence held against them, and its honest sum."""

from .as_of import why_not_assessed
from .assess import EffectWindows, assess_visit
from .criteria_set import CriteriaSet, default_criteria, with_site_criteria
from .outcome import outcome_after

__all__ = [
    "CriteriaSet",
    "EffectWindows",
    "assess_visit",
    "default_criteria",
    "outcome_after",
    "why_not_assessed",
    "with_site_criteria",
]
