"""An estimate as one row of measurements.csv."""

from __future__ import annotations

from ..lesion.estimate import Estimate
from ..measures import Measurement, Message


def row_of(
    estimate: Estimate,
    *,
    visit: str,
    region: str,
    kind: str,
    drawn_in: str,
    name: str,
    compared_to: str = "",
    reference: str = "",
    method: str = "",
    flags: tuple[Message, ...] = (),
) -> Measurement:
    """The estimate of a measure of this name, with where it comes from; flags: what is said beside its own."""
    return Measurement(
        visit=visit,
        region=region,
        kind=kind,
        drawn_in=drawn_in,
        name=name,
        value=estimate.value,
        unit=estimate.unit,
        low=estimate.low,
        high=estimate.high,
        compared_to=compared_to,
        reference=reference,
        method=method,
        flags=(*estimate.flags, *flags),
    )
