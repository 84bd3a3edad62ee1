"""One lesion of one visit with everything that was measured of it, as it is kept and shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from .diameters import Diameters
from .estimate import Estimate
from .matching import TrackedLesion
from .shape import Shape


@dataclass(frozen=True)
class Outline:
    """What the outline of a lesion measures, whichever lesion it is.

    component: ``enhancing`` or ``non_enhancing``. centre: RAS mm of the visit, of a voxel of the lesion near its
    centre. lines: by rule of ``diameters.RULES``, in RAS mm of the visit. shape, and sphere: the shape that a perfect
    sphere has at this size and voxel size. beside: name to number: ``necrotic_fraction``, ``contrast_uptake_fraction``,
    ``high_dose_fraction`` (0 to 1), ``distance_to_cavity`` (mm), ``ventricle_contact`` (mm2); what was not drawn or
    could not be told is not there.
    """

    component: str
    centre: tuple[float, float, float]
    lines: dict[str, Diameters]
    shape: Shape
    sphere: Shape
    beside: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class FollowedLesion:
    """A lesion at one visit: which one it is, what it measures, and what became of it.

    outline: None once it has vanished or merged into another. by_reader: rules whose lines the reader drew. since: the
    earlier visit that change_per_month (mL/month) and doubling_time (days) compare with; both None where there is none
    or where lesions merged or split since.
    """

    tracked: TrackedLesion
    outline: Outline | None = None
    by_reader: tuple[str, ...] = ()
    since: str = ""
    change_per_month: Estimate | None = None
    doubling_time: Estimate | None = None

    @property
    def visit(self) -> str:
        """The id of the visit."""
        return self.tracked.visit

    @property
    def lesion(self) -> str:
        """The identity over all visits."""
        return self.tracked.lesion
