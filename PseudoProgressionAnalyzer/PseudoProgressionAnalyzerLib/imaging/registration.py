"""Rigid registration of two images of one head, with how far it can be trusted.

Rigid only: a deformable one would change the volumes that are to be compared.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from ..formats import images
from ..measures import Image, Message
from . import agreement, resampling
from .head import Head

UNCERTAINTY_LIMIT = 2.0
"""Uncertainty in mm above which voxelwise change is not to be trusted: own choice, about one voxel of the maps that are
compared."""

# All numbers below are own choices, but for the recipe of starts and levels, which was measured on real serial pairs
# (Testing/Benchmarks/registration.py).
_START_ANGLES = (-20.0, 0.0, 20.0)  # degrees about the left-right and the head-foot axis
_SPACINGS = (4.0, 2.0, 1.5)  # mm, cubic voxels, per level
_KEPT = 3  # starts that go on from the coarse level
_BINS = 32
_RADIUS = 60.0  # mm, about the brain's: as the unit of length it makes a radian and a unit of shift move the head alike
_UNIT_FROM_MM = np.diag([1 / _RADIUS, 1 / _RADIUS, 1 / _RADIUS, 1.0])
_RELAXATION = 0.7  # of the step after each change of direction
_MARGIN = 8.0  # mm around the brain that the finer levels see: the inner skull helps, jaw and scalp move
_SAMPLES = (20_000, 40_000, 40_000)  # voxels that the metric looks at, per level
_SEEDS = (1, 2)  # of the samples: two fits each way on the last level
_SAME = 2.0  # mm within which two results are one place
_RIVAL = 0.98  # of the best mutual information: another place that good leaves the answer open
_OVERLAP = 0.6  # of the fixed brain that the moving image must have seen


class CancelledError(Exception):
    """The caller asked to stop."""


@dataclass(frozen=True)
class Registration:
    """A rigid transform and how far it can be trusted.

    moving_to_fixed: 4x4, RAS mm. uncertainty: mm, the largest mean displacement of the brain between the result and the
    four fits that it is the mean of (two samples of voxels, moving to fixed and fixed to moving): how well the answer
    reproduces, which bounds the error from below. agreement_before, agreement: the distance of the images' edges in mm
    before and after (``agreement.edge_distance``; None where it could not be told).
    """

    moving_to_fixed: np.ndarray
    uncertainty: float
    agreement_before: float | None
    agreement: float | None
    flags: tuple[Message, ...] = ()

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against comparing the two images voxel by voxel."""
        return not self.flags


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
    """Moves the 3D image ``moving`` rigidly onto ``fixed``, both of one head.

    fixed_mask, moving_mask: bool ``(k, j, i)``, the brain (found when None). exclude_fixed, exclude_moving: bool, what
    may have changed (lesion, cavity): it is left out with a margin, as is padding. progress: called with 0 to 1.
    cancelled: asked many times a second; when it returns True, CancelledError is raised.

    Mattes mutual information of the heads on cubic voxels of 4 mm from nine rotations (every pair of -20, 0, 20 degrees
    about the left-right and the head-foot axis, brain centres laid upon each other) and from the scanner's own
    coordinates; the three best go on with the brains on cubic voxels of 2 mm; the best of them is refined on cubic
    voxels of 1.5 mm both ways, and the mean is taken. Never on native thick slices: there the metric is drawn to where
    the slices of both images coincide (by 5 mm on a real pair with 6.5 mm slices, while 2, 1.5 and 1 mm agreed within
    0.4 mm). Same input, same result, on any number of cores. Where the result's edges lie further apart than those of
    the scanner's own coordinates, the latter are returned: with a flag, unless both are one place.

    Flags: ``registration_uncertain``, ``registration_ambiguous``, ``registration_disagrees``,
    ``registration_start_kept``, ``registration_little_overlap``, ``registration_agreement_unknown``. Raises
    InputError ``registration_not_3d``, ``image_is_blank``, ``brain_not_found``, ``registration_mask_grid``, and
    CancelledError.
    """
    watch = _Watch(progress or (lambda fraction: None), cancelled or (lambda: False))
    fixed_side = Head(fixed, fixed_mask, exclude_fixed)
    watch.step(0.03)
    moving_side = Head(moving, moving_mask, exclude_moving)
    watch.step(0.06)
    points = fixed_side.brain_points()
    centre, shift = points.mean(axis=0), moving_side.brain_points().mean(axis=0) - points.mean(axis=0)
    starts = [np.eye(4)]
    for about_x, about_z in itertools.product(_START_ANGLES, _START_ANGLES):
        starts.append(_rigid(np.radians([about_x, 0.0, about_z]), shift, centre))

    coarse = _Level(fixed_side, moving_side, 0)
    found = watch.parallel(lambda start: coarse.register(start, centre, watch, _SEEDS[0]), starts, 0.06, 0.4)
    kept: list[np.ndarray] = []
    for _, matrix in sorted(found, key=lambda pair: pair[0])[:_KEPT]:
        if all(_displacement(matrix, other, points) > _SAME for other in kept):
            kept.append(matrix)
    middle = _Level(fixed_side, moving_side, 1)
    watch.step(0.4)
    found = watch.parallel(lambda start: middle.register(start, centre, watch, _SEEDS[0]), kept, 0.4, 0.6)
    found.sort(key=lambda pair: pair[0])
    best_value, best = found[0]
    rivals = [
        _displacement(matrix, best, points)
        for value, matrix in found[1:]
        if value < _RIVAL * best_value and _displacement(matrix, best, points) > _SAME
    ]

    forward, backward = _Level(fixed_side, moving_side, 2), _Level(moving_side, fixed_side, 2)
    watch.step(0.65)
    jobs = [(level, seed) for level in (forward, backward) for seed in _SEEDS]

    def fit(job):
        level, seed = job
        if level is forward:
            return level.register(best, centre, watch, seed)[1]
        return np.linalg.inv(level.register(np.linalg.inv(best), centre + shift, watch, seed)[1])

    fits = watch.parallel(fit, jobs, 0.65, 0.97)
    result = _mean(fits, centre)
    uncertainty = max(_displacement(one, result, points) for one in fits)
    return _judged(fixed_side, moving_side, np.linalg.inv(result), uncertainty, rivals, watch)


def _judged(fixed, moving, moving_to_fixed, uncertainty, rivals, watch) -> Registration:
    """The transform with its agreement and flags, or the start where that agrees better."""
    flags = []

    fixed_edges, moving_edges = agreement.edges(fixed), agreement.edges(moving)
    before = agreement.edge_distance(fixed_edges, moving_edges, np.eye(4))
    after = agreement.edge_distance(fixed_edges, moving_edges, moving_to_fixed)
    if before is not None and (after is None or after > before):
        moved = _displacement(moving_to_fixed, np.eye(4), moving.brain_points())
        if moved > _SAME:
            flags.append(Message("registration_start_kept", {"before": before, "moved": moved}))
        moving_to_fixed, after = np.eye(4), before
    if after is None:
        flags.append(Message("registration_agreement_unknown"))
    elif after > agreement.LIMIT:
        flags.append(Message("registration_disagrees", {"distance": after, "limit": agreement.LIMIT}))
    if uncertainty > UNCERTAINTY_LIMIT:
        flags.append(Message("registration_uncertain", {"uncertainty": uncertainty, "limit": UNCERTAINTY_LIMIT}))
    if rivals:
        flags.append(Message("registration_ambiguous", {"distance": max(rivals)}))
    index = resampling.transform_points(np.linalg.inv(moving_to_fixed @ moving.image.affine), fixed.brain_points())
    seen = np.all((index >= -0.5) & (index <= np.array(moving.image.shape)[::-1] - 0.5), axis=1).mean()
    if seen < _OVERLAP:
        flags.append(Message("registration_little_overlap", {"percent": 100 * float(seen)}))
    watch.step(1.0)
    return Registration(moving_to_fixed, float(uncertainty), before, after, tuple(flags))


class _Watch:
    """Tells the caller how far the work is, and the work whether to stop."""

    def __init__(self, progress, cancelled):
        self._progress, self._cancelled, self.stopped = progress, cancelled, False

    def step(self, fraction: float) -> None:
        self._progress(fraction)
        self.check()

    def check(self) -> None:
        self.stopped = self.stopped or self._cancelled()
        if self.stopped:
            raise CancelledError

    def parallel(self, work, items, begin, end) -> list:
        """The work on each item, in order, on as many threads as there are cores; asks the caller from this one."""
        with _one_thread_each(), ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
            jobs = [pool.submit(work, item) for item in items]
            waiting = set(jobs)
            while waiting:
                try:
                    self.step(begin + (end - begin) * (1 - len(waiting) / len(jobs)))
                except BaseException:
                    self.stopped = True
                    pool.shutdown(cancel_futures=True)
                    raise
                waiting = wait(waiting, timeout=0.05).not_done
            return [job.result() for job in jobs]


@contextlib.contextmanager
def _one_thread_each():
    """One ITK thread per metric: its sums depend on the order in which threads end."""
    before = sitk.ProcessObject.GetGlobalDefaultNumberOfThreads()
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
    try:
        yield
    finally:
        sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(before)


class _Level:
    """Both images as one level of the search sees them."""

    def __init__(self, fixed: Head, moving: Head, level: int):
        fixed, moving = fixed.cubic(_SPACINGS[level]), moving.cubic(_SPACINGS[level])
        if level == 0:  # the outline of the head tells most from afar
            fixed_mask, moving_mask = (
                np.ones(side.image.shape, dtype=bool) if side.excluded is None else ~side.excluded
                for side in (fixed, moving)
            )
        else:
            fixed_mask = fixed.included() & fixed.near_brain(_MARGIN)
            moving_mask = moving.included()
        self._fixed, self._moving = _in_units(fixed.bounded()), _in_units(moving.bounded())
        self._fixed_mask = _in_units(Image(fixed_mask, fixed.image.affine))
        self._moving_mask = _in_units(Image(moving_mask, moving.image.affine))
        self._share = min(1.0, _SAMPLES[level] / max(int(fixed_mask.sum()), 1))
        # (first step, last step) in mm, most steps
        self._first, self._last, self._steps = ((4.0, 0.1, 60), (1.0, 0.02, 100), (0.5, 0.005, 100))[level]

    def register(self, start: np.ndarray, centre: np.ndarray, watch: _Watch, seed: int) -> tuple[float, np.ndarray]:
        """Metric value (the less the better) and the matrix of fixed to moving RAS points, from a starting one."""
        lps = images.point_transform_ras_from_lps(_UNIT_FROM_MM @ start @ np.linalg.inv(_UNIT_FROM_MM))
        middle = images.LPS_TO_RAS[:3, :3] @ centre / _RADIUS
        transform = sitk.Euler3DTransform()
        transform.SetCenter(middle.tolist())
        transform.SetMatrix(lps[:3, :3].ravel().tolist(), 1e-6)
        transform.SetTranslation((lps[:3, :3] @ middle + lps[:3, 3] - middle).tolist())
        method = sitk.ImageRegistrationMethod()
        method.SetMetricAsMattesMutualInformation(_BINS)
        method.SetMetricFixedMask(self._fixed_mask)
        method.SetMetricMovingMask(self._moving_mask)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(self._share, seed)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            self._first / _RADIUS, self._last / _RADIUS, self._steps, _RELAXATION, gradientMagnitudeTolerance=1e-8
        )
        method.SetInitialTransform(transform, inPlace=True)
        method.AddCommand(sitk.sitkIterationEvent, lambda: method.StopRegistration() if watch.stopped else None)
        try:
            method.Execute(self._fixed, self._moving)
        except RuntimeError:  # this start lost the other image out of sight
            return np.inf, start
        found = np.eye(4)
        found[:3, :3] = np.array(transform.GetMatrix()).reshape(3, 3)
        found[:3, 3] = middle + transform.GetTranslation() - found[:3, :3] @ middle
        found = np.linalg.inv(_UNIT_FROM_MM) @ images.point_transform_ras_from_lps(found) @ _UNIT_FROM_MM
        return method.GetMetricValue(), found


def _in_units(image: Image) -> sitk.Image:
    return images.to_sitk(Image(image.array, _UNIT_FROM_MM @ image.affine))


def _rigid(angles: np.ndarray, shift: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """4x4: a rotation (radians about x, y, z) about the centre, then a shift in mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles).as_matrix()
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return matrix


def _mean(matrices: list[np.ndarray], centre: np.ndarray) -> np.ndarray:
    """The mean of rigid matrices that lie close together: of their rotations and of where they take the centre."""
    rotation = Rotation.from_matrix([matrix[:3, :3] for matrix in matrices]).mean().as_matrix()
    moved = np.mean([matrix[:3, :3] @ centre + matrix[:3, 3] for matrix in matrices], axis=0)
    mean = np.eye(4)
    mean[:3, :3], mean[:3, 3] = rotation, moved - rotation @ centre
    return mean


def _displacement(first: np.ndarray, second: np.ndarray, points: np.ndarray) -> float:
    """Mean distance in mm between where two matrices take the points."""
    difference = resampling.transform_points(first, points) - resampling.transform_points(second, points)
    return float(np.linalg.norm(difference, axis=1).mean())
