"""How far a value moves when it is measured again, and how far published cut-offs of one measure lie apart."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence

from ..measures import Criterion
from .published import log_spread, repeatability, table
from .registry import fact_of, quantity_of


def repeat_spread(criterion: Criterion) -> tuple[float, float | None]:
    """(standard deviation on the criterion's scale, the variation assumed or None where one was published).

    Of a fact whose repeatability nobody published, the median of the published ones is assumed. A coefficient of
    variation c is sqrt(ln(1 + c^2)) on the logarithmic scale (log-normal distribution).
    """
    known = repeatability()
    own = known.get(fact_of(criterion.measure))
    variation = statistics.median(known.values()) if own is None else own
    spread = log_spread(variation) if criterion.scale == "log" else variation * abs(criterion.cut_off)
    return spread, variation if own is None else None


class CutOffSpreads:
    """How far the published cut-offs of one measure lie apart: standard deviation of their logarithms.

    From the range that a pooled result prints for its studies (as of a uniform distribution: range / sqrt 12), else
    from the studies of the same quantity in the criteria. Where only one study has looked for a limit its spread is
    unknown, and the median spread of the other measures is assumed.
    """

    def __init__(self, criteria: Sequence[Criterion]):
        limits: dict[tuple[str, str, str], dict[str, list[float]]] = {}
        for criterion in criteria:
            if criterion.scale == "category" or not criterion.cut_off or "unit_not_read" in criterion.shown_only:
                continue
            studies = limits.setdefault(self._key(criterion), {})
            studies.setdefault(criterion.citation, []).append(math.log(criterion.cut_off))
        self._studied = {
            key: statistics.stdev(statistics.fmean(found) for found in studies.values())
            for key, studies in limits.items()
            if len(studies) > 1
        }
        self._pooled = {
            row["measure"]: math.log(row["cut_offs"][1] / row["cut_offs"][0]) / math.sqrt(12)
            for row in table("pooled")["rows"]
            if "measure" in row
        }
        self.typical = statistics.median([*self._studied.values(), *self._pooled.values()])

    @staticmethod
    def _key(criterion: Criterion) -> tuple[str, str, str]:
        return quantity_of(criterion.measure), criterion.tracer, criterion.unit

    def of(self, criterion: Criterion) -> tuple[float, bool]:
        """(standard deviation of the natural logarithm, whether it is the assumed one)."""
        found = self._pooled.get(criterion.measure, self._studied.get(self._key(criterion)))
        return (self.typical, True) if found is None else (found, False)
