"""Tissue as evidence: the share of viable tumour in a sample, with a cap of its own.

The share v of viable tumour is taken as the chance that the sample speaks for tumour, and counts as every soft result:
LR = (v a + (1 - v) (1 - a)) / (v (1 - a) + (1 - v) a), which is 1 for half tumour, half treatment effect. The accuracy
a of the result caps it at a / (1 - a). It follows from two published numbers and no cut-off:

- Pathologists who read the same sections agree with kappa. Two readers who are right equally often, on both sides alike
  and independently, agree with kappa = (2 r - 1)^2, so r = (1 + sqrt(kappa)) / 2.
- A biopsy stands for the lesion with probability s; an operation is taken to. Then a = s r + (1 - s) (1 - r).

Numbers and sources: ``tables/histology.json``. That v is read as a chance is our choice: no threshold was read.
"""

from __future__ import annotations

import math

from ..measures import Criterion, Event, Measurement, Message
from .as_of import Known, begin
from .context import after_radiotherapy
from .evidence import Held
from .published import table

MEASURE = "viable_tumour_percent"


def accuracy(kind: str) -> float:
    """How often tissue of this kind (``biopsy`` or ``surgery``) is on the right side."""
    known = table("histology")
    right = (1 + math.sqrt(known["agreement"]["kappa"])) / 2
    if kind == "surgery":
        return right
    stands = known["sampling"]["represented"] / known["sampling"]["biopsies"]
    return stands * right + (1 - stands) * (1 - right)


def criterion(kind: str) -> Criterion:
    """The cap as a criterion: counted as the cases of the study of agreement, half of them on each side."""
    known = table("histology")
    sources = [known["agreement"]] if kind == "surgery" else [known["agreement"], known["sampling"]]
    share, half = accuracy(kind), known["agreement"]["cases"] // 2
    return Criterion(
        id=f"HIST-{'S' if kind == 'surgery' else 'B'}",
        group="histology",
        measure=MEASURE,
        unit="%",
        statistic="share of the sample",
        direction="high",
        cut_off=50.0,
        sensitivity=share,
        specificity=share,
        sensitivity_interval=None,
        specificity_interval=None,
        positives=half,
        negatives=half,
        window=(None, None),
        population="suspected recurrence after chemoradiation, operated",
        citation="; ".join(source["citation"] for source in sources),
        doi="; ".join(source["doi"] for source in sources),
        verified="; ".join(source["verified"] for source in sources),
        modality="Histology",
        scale="category",
        population_kind="glioblastoma",
    )


def tissue(known: Known) -> list[Held]:
    """The latest sample between the visit before and this one, as evidence; earlier ones are about another lesion."""
    events = [event for kind in ("biopsy", "surgery") for event in after_radiotherapy(known, kind)]
    since = [event for event in events if known.earlier is None or begin(event) > known.earlier.date]
    for event in sorted(since, key=begin, reverse=True):
        share = _share(event)
        if share is not None:
            row = Measurement(
                known.visit.id, "sample", "own", known.visit.id, MEASURE, round(100 * share, 1), "%",
                method=f"{event.kind} on {begin(event).isoformat()}",
            )  # fmt: skip
            cap = accuracy(event.kind) / (1 - accuracy(event.kind))
            reasons = (Message("evidence_tissue_cap", {"limit": round(cap, 1)}),)
            return [Held(criterion(event.kind), row, True, reasons, factor=1.0, share=share)]
    return []


def _share(event: Event) -> float | None:
    """Viable tumour among viable tumour and treatment effect, 0 to 1; None where the first is not stated."""
    tumour, effect = (event.details.get(name) for name in ("viable_tumour_percent", "treatment_effect_percent"))
    if tumour is None:
        found = event.details.get("viable_tumour")
        return None if found is None else float(found)
    if effect is None:
        return tumour / 100
    return tumour / (tumour + effect) if tumour + effect else None
