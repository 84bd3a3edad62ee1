"""Studies into visits: what is read together."""

from __future__ import annotations

import datetime
from collections.abc import Sequence

from ..measures import Event

DEFAULT_WINDOW_DAYS = 14


def group_studies(
    studies: Sequence[tuple[str, datetime.date, frozenset[str]]],
    events: Sequence[Event],
    window_days: int = DEFAULT_WINDOW_DAYS,
) -> list[list[str]]:
    """Studies that make one visit, in date order.

    studies: (name, date, roles that it holds). A study joins the visit before it when it lies within window_days of
    that visit's first study, no surgery or biopsy lies between (an operation on the day of the earlier study counts as
    after it), and it brings no second T1CE on another day, which would be a new look at the lesion.
    """
    ordered = sorted(studies, key=lambda study: (study[1], study[0]))
    operations = [event.date for event in events if event.kind in ("surgery", "biopsy") and event.date is not None]
    visits: list[list[str]] = []
    first: datetime.date | None = None
    last: datetime.date | None = None
    roles: set[str] = set()
    for name, date, held in ordered:
        together = first is not None and last is not None and (date - first).days <= window_days
        if together and date != last:
            together = not any(last <= operation <= date for operation in operations)
            together = together and not ("T1CE" in held and "T1CE" in roles)
        if together:
            visits[-1].append(name)
            roles |= held
        else:
            visits.append([name])
            first, roles = date, set(held)
        last = date
    return visits
