"""Whether the correction for leakage decides on which side of published limits rCBV lies, and for whom a limit is."""

from __future__ import annotations

from collections.abc import Sequence

from ..measures import Criterion, Measurement, Message

CORRECTED, UNCORRECTED = "rCBV_ratio_mean", "rCBV_uncorrected_ratio_mean"


def leakage_decides(rows: Sequence[Measurement], criteria: Sequence[Criterion]) -> list[Message]:
    """A message with the limits that may weigh between the mean rCBV ratio with the correction and that without it,
    where there are any.

    rows: one measurement of each name, as of ``chosen_rows``; both are ratios to the same tissue.
    """
    found = {row.name: row for row in rows if row.value is not None}
    if CORRECTED not in found or UNCORRECTED not in found:
        return []
    with_it, without = found[CORRECTED], found[UNCORRECTED]
    place = [(row.region, row.kind, row.drawn_in) for row in (with_it, without)]
    low, high = sorted((with_it.value, without.value))
    weighing = [one for one in criteria if one.measure == CORRECTED and not one.shown_only]
    limits = {one.cut_off for one in weighing if one.cut_off is not None}
    between = [f"{limit:g}" for limit in sorted(limits) if low < limit <= high]
    if not between or place[0] != place[1]:
        return []
    shown = {"with": f"{with_it.value:.2f}", "without": f"{without.value:.2f}", "limits": ", ".join(between)}
    return [Message("leakage_decides", shown)]


def other_kind(row: Measurement, criterion: Criterion) -> bool:
    """Whether a limit of rCBV that was found without the correction is held against a value with it. One found with it
    is for values with it by its measure; of others the kind is not known (``not_read``)."""
    return criterion.leakage_correction == "no" and "uncorrected" not in row.name
