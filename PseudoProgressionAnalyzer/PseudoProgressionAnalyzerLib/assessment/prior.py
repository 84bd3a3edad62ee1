"""What is known before any test: the share of true progression among lesions with suspected progression, by time."""

from __future__ import annotations

import math

from ..measures import InputError, Message
from .published import table, wilson


def prior_for(day: int | None) -> tuple[tuple[float, float, float], Message]:
    """((median, low, high) of the probability of true progression, where it comes from).

    day: after the end of radiotherapy, None when unknown. The median is the pooled share of the studies of that time;
    the interval runs from the lowest to the highest limit of the single studies' own 95 % intervals, because referral
    and the rule of progression move the share from place to place. Among lesions already suspected, never among all
    treated patients. Source: the rows of ``tables/prior.json``.
    """
    known = table("prior")
    time = "unknown" if day is None else "early" if day <= known["last_early_day"] else "late"
    bands = {"early", "late"} if day is None else {time}
    rows = [row for row in known["rows"] if bands & set(row["bands"])]
    found = sum(row["pseudoprogression"] for row in rows)
    lesions = sum(row["lesions"] for row in rows)
    intervals = [wilson(row["pseudoprogression"] / row["lesions"], row["lesions"]) for row in rows]
    interval = (
        round(1 - found / lesions, 4),
        round(1 - max(high for _, high in intervals), 4),
        round(1 - min(low for low, _ in intervals), 4),
    )
    parameters = {
        "pseudoprogression": found,
        "lesions": lesions,
        "studies": len(rows),
        "percent": round(100 * interval[0]),
        "low": round(100 * interval[1]),
        "high": round(100 * interval[2]),
        "sources": "; ".join(f"{row['source']}: {row['pseudoprogression']}/{row['lesions']}" for row in rows),
    }
    return interval, Message(f"prior_{time}", parameters)


def stated_prior(prior: tuple[float, float, float]) -> tuple[tuple[float, float, float], Message]:
    """The user's own prior (median, low, high). Raises InputError ``prior_invalid``."""
    numbers = tuple(float(x) for x in prior)
    ordered = len(numbers) == 3 and all(math.isfinite(x) for x in numbers)
    if not (ordered and 0 < numbers[1] <= numbers[0] <= numbers[2] < 1):
        raise InputError("prior_invalid", given=", ".join(map(str, prior)))
    shown = dict(zip(("percent", "low", "high"), (round(100 * x) for x in numbers), strict=True))
    return numbers, Message("prior_stated", shown)
