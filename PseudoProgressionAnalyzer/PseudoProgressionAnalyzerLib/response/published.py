"""What was published, as data: every rule's mark and sources, every limit with its rule, every dispute.

Rules have the numbers of their tables: 1 RANO 2010, 2 mRANO, 3 RANO 2.0, 4 RANO-LGG, 5 iRANO, 6 PET RANO, 7 BT-RADS,
8 clinical status and steroids, 9 volume, surgery and extent of resection, 10 points where sources disagree. Marks say
how a rule was read; rules marked R are recalled only, never a default, and give no limit.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any


@functools.cache
def published() -> dict[str, Any]:
    """The table ``published.json``: marks, sources, rules, limits, disputed, recalled, steroid factors, BT-RADS."""
    return json.loads(resources.files(__package__).joinpath("published.json").read_text(encoding="utf-8"))


def limit(name: str) -> float:
    """A published limit in the unit of its row. Raises KeyError for an unknown name."""
    return published()["limits"][name]["value"]


def citation(rule: str) -> str:
    """Mark and sources of a rule, as ``V2: Sakata A 2025, ...``; a recalled rule has no source."""
    row = published()["rules"][rule]
    sources = "; ".join(published()["sources"][source] for source in row["sources"])
    return f"{row['mark']}: {sources}" if sources else f"{row['mark']}: {published()['marks'][row['mark']]}"


def readings(setting: str) -> tuple[str, ...]:
    """The readings of a disputed setting."""
    return tuple(published()["disputed"][setting]["readings"])


def switchable() -> tuple[str, ...]:
    """The recalled rules that a user may switch on (``Settings.recalled``)."""
    return tuple(rule for rule, row in published()["recalled"].items() if row["can_be_switched_on"])
