"""By what the visits of a patient are assessed, as the user chose it: criteria, priors, windows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..formats.json_files import read_json
from .criteria_set import CriteriaSet, default_criteria, site_criteria
from .prior import stated_prior

Prior = tuple[float, float, float]


@dataclass(frozen=True)
class EffectWindows:
    """Days after radiotherapy by which a treatment effect is named; between them it is 'treatment effect'.

    Pseudoprogression has a usual range of 2 to 6 months, radiation necrosis of 3 to 12 months (Taylor 2022, Sci Rep,
    10.1038/s41598-022-16726-x): before 3 months only the first, after 6 months only the second.
    """

    pseudoprogression_until: int = 91
    necrosis_from: int = 183


@dataclass(frozen=True)
class Rules:
    """The choices; plain values, so that a scene keeps them.

    criteria_name, criteria: name and content of a site's own criteria file, empty for the default set alone. priors:
    visit id to (median, low, high) of the probability of true progression; that of the empty id holds for all visits
    that have none of their own. Without one the prior is that of the time since radiotherapy.
    """

    criteria_name: str = ""
    criteria: dict[str, Any] = field(default_factory=dict)
    priors: dict[str, Prior] = field(default_factory=dict)
    windows: EffectWindows = field(default_factory=EffectWindows)

    def criteria_set(self) -> CriteriaSet:
        """The criteria that count. Raises InputError ``criteria_field`` and ``criteria_twice``."""
        return site_criteria(self.criteria, self.criteria_name) if self.criteria else default_criteria()

    def prior(self, visit_id: str) -> Prior | None:
        """The user's prior for a visit, if any."""
        return self.priors.get(visit_id, self.priors.get(""))

    def with_criteria(self, file: Path | None) -> Rules:
        """The same with another criteria file, read now; None: with the default set. Raises InputError as
        ``formats.json_files.read_json``, ``criteria_field`` and ``criteria_twice``."""
        if file is None:
            return replace(self, criteria_name="", criteria={})
        content = read_json(Path(file))
        site_criteria(content, str(file))
        return replace(self, criteria_name=Path(file).name, criteria=content)

    def with_prior(self, prior: Sequence[float] | None, visit_id: str = "") -> Rules:
        """The same with another prior for one visit, or for all (empty id); None takes it back. Raises InputError
        ``prior_invalid``."""
        others = {} if not visit_id else {name: kept for name, kept in self.priors.items() if name != visit_id}
        added = {} if prior is None else {visit_id: stated_prior(prior)[0]}
        return replace(self, priors=others | added)
