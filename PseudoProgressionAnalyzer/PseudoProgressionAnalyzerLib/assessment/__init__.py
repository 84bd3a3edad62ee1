"""Criteria as cited data, evidence held against them, and its honest sum."""

from .as_of import why_not_assessed
from .assess import assess_visit
from .criteria_set import CriteriaSet, default_criteria, editable_criteria, site_criteria
from .outcome import outcome_after
from .rules import EffectWindows, Rules

__all__ = [
    "CriteriaSet",
    "EffectWindows",
    "Rules",
    "assess_visit",
    "default_criteria",
    "editable_criteria",
    "outcome_after",
    "site_criteria",
    "why_not_assessed",
]
