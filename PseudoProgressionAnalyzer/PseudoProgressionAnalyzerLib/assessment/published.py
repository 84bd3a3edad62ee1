"""Published numbers beside the criteria: repeatability, shares of pseudoprogression, pooled results."""

from __future__ import annotations

import functools
import json
import math
from importlib import resources
from typing import Any

NORMAL_95 = 1.959963984540054
"""Standard normal quantile of 0.975."""


@functools.cache
def table(name: str) -> dict[str, Any]:
    """A table of this package: early, histology, pooled, prior, repeatability or review_numbers."""
    file = resources.files(__package__).joinpath("tables", f"{name}.json")
    return json.loads(file.read_text(encoding="utf-8"))


@functools.cache
def repeatability() -> dict[str, float]:
    """Within-subject coefficient of variation by fact.

    A 95 % limit of true change d of two scans is d = 1.96 sqrt(2) wCV (Bland and Altman); the variances of the two
    parts of a ratio add.
    """
    found = {}
    for row in table("repeatability")["rows"]:
        if "wcv" in row:
            found[row["fact"]] = row["wcv"]
        elif "wcv_parts" in row:
            found[row["fact"]] = math.hypot(*row["wcv_parts"])
        else:
            found[row["fact"]] = row["change_95"] / (NORMAL_95 * math.sqrt(2))
    return found


def log_spread(variation: float) -> float:
    """Standard deviation of the logarithm of what has a coefficient of variation, by a log-normal distribution."""
    return math.sqrt(math.log1p(variation**2))


def wilson(share: float, number: float) -> tuple[float, float]:
    """95 % interval of a share found in ``number`` patients (Wilson, J Am Stat Assoc 1927;22:209)."""
    z2 = NORMAL_95**2
    centre = (share + z2 / (2 * number)) / (1 + z2 / number)
    half = NORMAL_95 / (1 + z2 / number) * math.sqrt(share * (1 - share) / number + z2 / (4 * number**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def patients_of_interval(share: float, low: float, high: float) -> int:
    """How many patients a printed 95 % interval is worth: the group whose Wilson interval is as wide (at least 1)."""

    def too_narrow(number: int) -> bool:
        limits = wilson(share, number)
        return limits[1] - limits[0] <= high - low

    return next((number for number in range(2, 100_000) if too_narrow(number)), 100_000) - 1
