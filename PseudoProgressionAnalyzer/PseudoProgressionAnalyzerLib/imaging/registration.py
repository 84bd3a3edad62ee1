"""Rigid registration of two images of one head, with how far it can be trusted.

Rigid only: a deformable one would change the volumes that are to be compared.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from ..measures import Image, Message
from . import agreement, resampling
from .head import Head
from .search import Level, Look, Watch, apart, displacement, mean, rigid
from .spread import spread

UNCERTAINTY_LIMIT = 2.0
"""Uncertainty in mm above which voxelwise change is not to be trusted: own choice, about one voxel of the maps that are
compared. It was chosen when the uncertainty was the spread of samples alone, and stays: the limit is on the error, of
which that spread was a small part and the uncertainty is an estimate from above (``Docs/serial_studies.md``)."""

OF_UNCERTAINTY = ("registration_uncertain", "registration_uncertainty_unknown")
"""Codes of ``doubts_of``."""

# All numbers below are own choices, but for the recipe of starts and levels, which was measured on real serial pairs
# (Testing/Benchmarks/registration.py).
_START_ANGLES = (-20.0, 0.0, 20.0)  # degrees about the left-right and the head-foot axis
_LOOKS = (
    Look(4.0, 20_000, 4.0, 0.1, 60, whole=True),
    Look(2.0, 40_000, 1.0, 0.02, 100),
    Look(1.5, 40_000, 0.5, 0.005, 100),
)
_KEPT = 3  # starts that go on from the coarse level
_SEEDS = (1, 2)  # of the samples: two fits each way on the last level
_SAME = 2.0  # mm within which two results are one place
_RIVAL = 0.98  # of the best mutual information: another place that good leaves the answer open
_MIRRORED = 1.1
"""Of the mutual information of the images as they are: from there on the mirror image fits better. A head without any
difference between its sides has 1; on three real pairs it was 0.48 to 0.66, with one image mirrored the inverse."""
_OVERLAP = 0.6  # of the fixed brain that the moving image must have seen


@dataclass(frozen=True)
class Registration:
    """A rigid transform and how far it can be trusted.

    moving_to_fixed: 4x4, RAS mm. spread: mm, the largest mean displacement of the brain between the result and other
    fits: ``samples``, the four that it is the mean of (two samples of voxels, moving to fixed and fixed to moving), and
    ``starts``, ``metrics`` and ``halves`` of ``imaging.spread``. uncertainty: mm, the root of their summed squares, as
    of independent contributions; infinite where a fit failed, so that it is not known. agreement_before, agreement: the
    distance of the images' edges in mm before and after (``agreement.edge_distance``; None where it could not be told).
    """

    moving_to_fixed: np.ndarray
    uncertainty: float
    agreement_before: float | None
    agreement: float | None
    flags: tuple[Message, ...] = ()
    spread: dict[str, float] = field(default_factory=dict)

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against comparing the two images voxel by voxel."""
        return not self.flags


def doubts_of(uncertainty: float) -> list[Message]:
    """What an uncertainty (mm; not finite: unknown) says against comparing voxel by voxel."""
    if not np.isfinite(uncertainty):
        return [Message("registration_uncertainty_unknown")]
    told = {"uncertainty": uncertainty, "limit": UNCERTAINTY_LIMIT}
    return [Message("registration_uncertain", told)] if uncertainty > UNCERTAINTY_LIMIT else []


def register_rigid(
    fixed: Image,
    moving: Image,
    *,
    fixed_mask: np.ndarray | None = None,
    moving_mask: np.ndarray | None = None,
    exclude_fixed: np.ndarray | None = None,
    exclude_moving: np.ndarray | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Registration:
    """As ``register_heads``, of two 3D images.

    fixed_mask, moving_mask: bool ``(k, j, i)``, the brain (found when None). exclude_fixed, exclude_moving: bool, what
    may have changed (lesion, cavity): it is left out with a margin, as is padding. Raises InputError
    ``registration_not_3d``, ``image_is_blank``, ``brain_not_found``, ``registration_mask_grid``, and CancelledError.
    """
    heads = Head(fixed, fixed_mask, exclude_fixed), Head(moving, moving_mask, exclude_moving)
    return register_heads(*heads, progress=progress, cancelled=cancelled)


def register_heads(
    fixed_side: Head,
    moving_side: Head,
    *,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Registration:
    """Moves one image of a head rigidly onto another.

    progress: called with 0 to 1. cancelled: asked many times a second; when it returns True, CancelledError is raised.

    Mattes mutual information of the heads on cubic voxels of 4 mm from nine rotations (every pair of -20, 0, 20 degrees
    about the left-right and the head-foot axis, brain centres laid upon each other) and from the scanner's own
    coordinates; the three best go on with the brains on cubic voxels of 2 mm; the best of them is refined on cubic
    voxels of 1.5 mm both ways, and the mean is taken. Never on native thick slices: there the metric is drawn to where
    the slices of both images coincide (by 5 mm on a real pair with 6.5 mm slices, while 2, 1.5 and 1 mm agreed within
    0.4 mm). Same input, same result, on any number of cores. Where the result's edges lie further apart than those of
    the scanner's own coordinates, the latter are returned: with a flag, unless both are one place.

    Flags: ``registration_uncertain``, ``registration_uncertainty_unknown``, ``registration_ambiguous``,
    ``registration_mirrored`` (with left and right exchanged the images fit better), ``registration_disagrees``,
    ``registration_start_kept``, ``registration_little_overlap``, ``registration_agreement_unknown``. Raises
    concurrent.futures.CancelledError.
    """
    watch = Watch(progress or (lambda fraction: None), cancelled or (lambda: False))
    watch.step(0.06)
    points = fixed_side.brain_points()
    centre, shift = points.mean(axis=0), moving_side.brain_points().mean(axis=0) - points.mean(axis=0)
    starts = [np.eye(4)]
    for about_x, about_z in itertools.product(_START_ANGLES, _START_ANGLES):
        starts.append(rigid(np.radians([about_x, 0.0, about_z]), shift, centre))

    coarse = Level(fixed_side, moving_side, _LOOKS[0])
    found = watch.parallel(lambda start: coarse.register(start, centre, watch, _SEEDS[0]), starts, 0.06, 0.4)
    kept: list[np.ndarray] = []
    for _, matrix in sorted(found, key=lambda pair: pair[0])[:_KEPT]:
        if all(displacement(matrix, other, points) > _SAME for other in kept):
            kept.append(matrix)
    middle = Level(fixed_side, moving_side, _LOOKS[1])
    watch.step(0.4)
    found = watch.parallel(lambda start: middle.register(start, centre, watch, _SEEDS[0]), kept, 0.4, 0.6)
    found.sort(key=lambda pair: pair[0])
    best_value, best = found[0]
    rivals = [
        displacement(matrix, best, points)
        for value, matrix in found[1:]
        if value < _RIVAL * best_value and displacement(matrix, best, points) > _SAME
    ]

    mirrored = watch.parallel(lambda start: _mirrored(fixed_side, moving_side, start, watch), [best], 0.6, 0.65)[0]

    forward, backward = Level(fixed_side, moving_side, _LOOKS[2]), Level(moving_side, fixed_side, _LOOKS[2])
    watch.step(0.65)
    jobs = [(level, seed) for level in (forward, backward) for seed in _SEEDS]

    def fit(job):
        level, seed = job
        if level is forward:
            return level.register(best, centre, watch, seed)
        value, matrix = level.register(np.linalg.inv(best), centre + shift, watch, seed)
        return value, np.linalg.inv(matrix)

    fits = watch.parallel(fit, jobs, 0.65, 0.85)
    result = mean([matrix for _, matrix in fits], centre)
    spreads = {"samples": max(apart(one, (0.0, result), points) for one in fits)}
    spreads |= spread(middle, result, centre, points, watch, 0.85, 0.97)
    judged = _judged(fixed_side, moving_side, np.linalg.inv(result), spreads, rivals, watch)
    if mirrored >= _MIRRORED * best_value:
        return judged
    return replace(judged, flags=(Message("registration_mirrored"), *judged.flags))


def _mirrored(fixed_side: Head, moving_side: Head, found: np.ndarray, watch: Watch) -> float:
    """Metric value of the fixed head with the mirror image of the moving one.

    found: 4x4 of fixed to moving RAS points. The mirror image is laid where the halves of the fixed brain change
    sides (about the sagittal plane through its centre, which is nearly that of symmetry) and fitted from there.
    """
    centre = fixed_side.brain_points().mean(axis=0)
    sides = np.diag([-1.0, 1.0, 1.0, 1.0])
    sides[0, 3] = 2 * centre[0]
    matrix, mirror_image, value = moving_side.mirroring @ found @ sides, moving_side.mirrored(), np.inf
    for look in _LOOKS[:2]:
        value, matrix = Level(fixed_side, mirror_image, look).register(matrix, centre, watch, _SEEDS[0])
    return value


def _judged(fixed, moving, moving_to_fixed, spreads, rivals, watch) -> Registration:
    """The transform with its agreement and flags, or the start where that agrees better."""
    flags = []
    uncertainty = float(np.linalg.norm(list(spreads.values())))
    before, after = (agreement.head_distance(fixed, moving, matrix) for matrix in (np.eye(4), moving_to_fixed))
    if before is not None and (after is None or after > before):
        moved = displacement(moving_to_fixed, np.eye(4), moving.brain_points())
        if moved > _SAME:
            flags.append(Message("registration_start_kept", {"before": before, "moved": moved}))
        moving_to_fixed, after = np.eye(4), before
    if after is None:
        flags.append(Message("registration_agreement_unknown"))
    elif after > agreement.LIMIT:
        flags.append(Message("registration_disagrees", {"distance": after, "limit": agreement.LIMIT}))
    flags += doubts_of(uncertainty)
    if rivals:
        flags.append(Message("registration_ambiguous", {"distance": max(rivals)}))
    index = resampling.transform_points(np.linalg.inv(moving_to_fixed @ moving.image.affine), fixed.brain_points())
    seen = np.all((index >= -0.5) & (index <= np.array(moving.image.shape)[::-1] - 0.5), axis=1).mean()
    if seen < _OVERLAP:
        flags.append(Message("registration_little_overlap", {"percent": 100 * float(seen)}))
    watch.step(1.0)
    return Registration(moving_to_fixed, uncertainty, before, after, tuple(flags), spreads)
