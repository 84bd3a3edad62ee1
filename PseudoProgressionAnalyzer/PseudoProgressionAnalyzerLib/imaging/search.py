"""One level of a search for a rigid transform: mutual information of two heads on cubic voxels."""

from __future__ import annotations

import contextlib
import copy
import os
from concurrent.futures import CancelledError, ThreadPoolExecutor, wait
from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy.spatial.transform import Rotation

from ..formats import images
from ..measures import Image
from . import resampling
from .head import Head

MARGIN = 8.0
"""mm around the brain that all but the coarsest level see: the inner skull helps, jaw and scalp move. Own choice."""

# own choices
_BINS = 32
_RADIUS = 60.0  # mm, about the brain's: as the unit of length it makes a radian and a unit of shift move the head alike
_UNIT_FROM_MM = np.diag([1 / _RADIUS, 1 / _RADIUS, 1 / _RADIUS, 1.0])
_RELAXATION = 0.7  # of the step after each change of direction


@dataclass(frozen=True)
class Look:
    """How a level looks: cubic voxels of this spacing (mm), at most so many samples; first and last step of the descent
    (mm), most steps; whole: all of the heads, not only what lies in and around the brain."""

    spacing: float
    samples: int
    first: float
    last: float
    steps: int
    whole: bool = False


class Watch:
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


class Level:
    """Both images as one level of the search sees them."""

    def __init__(self, fixed: Head, moving: Head, look: Look):
        fixed, moving = fixed.cubic(look.spacing), moving.cubic(look.spacing)
        if look.whole:  # the outline of the head tells most from afar
            fixed_mask, moving_mask = (
                np.ones(side.image.shape, dtype=bool) if side.excluded is None else ~side.excluded
                for side in (fixed, moving)
            )
        else:
            fixed_mask = fixed.included() & fixed.near_brain(MARGIN)
            moving_mask = moving.included()
        self._fixed, self._moving = _in_units(fixed.bounded()), _in_units(moving.bounded())
        self._fixed_mask = _in_units(Image(fixed_mask, fixed.image.affine))
        self._moving_mask = _in_units(Image(moving_mask, moving.image.affine))
        self._where = Image(fixed_mask, fixed.image.affine)
        self._share = min(1.0, look.samples / max(int(fixed_mask.sum()), 1))
        self._look = look

    def narrowed(self, samples: int, half: tuple[np.ndarray, np.ndarray] | None = None) -> Level:
        """The same with at most so many samples, and of one half of the fixed head alone: half is a RAS point and the
        direction in which the half lies from it."""
        level = copy.copy(self)
        mask = self._where.array
        if half is not None:
            point, direction = half
            index = np.argwhere(mask)
            ras = resampling.transform_points(self._where.affine, index[:, ::-1].astype(float))
            mask = np.zeros_like(mask)
            mask[tuple(index[(ras - point) @ direction > 0].T)] = True
            level._fixed_mask = _in_units(Image(mask, self._where.affine))
        level._share = min(1.0, samples / max(int(mask.sum()), 1))
        return level

    def register(
        self, start: np.ndarray, centre: np.ndarray, watch: Watch, seed: int, *, correlate: bool = False
    ) -> tuple[float, np.ndarray]:
        """Metric value (the less the better) and the matrix of fixed to moving RAS points, from a starting one;
        infinite and the start itself where the fit failed.

        correlate: by the correlation of the values instead of their mutual information, for images of one contrast.
        """
        lps = images.point_transform_ras_from_lps(_UNIT_FROM_MM @ start @ np.linalg.inv(_UNIT_FROM_MM))
        middle = images.LPS_TO_RAS[:3, :3] @ centre / _RADIUS
        transform = sitk.Euler3DTransform()
        transform.SetCenter(middle.tolist())
        transform.SetMatrix(lps[:3, :3].ravel().tolist(), 1e-6)
        transform.SetTranslation((lps[:3, :3] @ middle + lps[:3, 3] - middle).tolist())
        method = sitk.ImageRegistrationMethod()
        if correlate:
            method.SetMetricAsCorrelation()
        else:
            method.SetMetricAsMattesMutualInformation(_BINS)
        method.SetMetricFixedMask(self._fixed_mask)
        method.SetMetricMovingMask(self._moving_mask)
        method.SetMetricSamplingStrategy(method.RANDOM)
        method.SetMetricSamplingPercentage(self._share, seed)
        method.SetInterpolator(sitk.sitkLinear)
        method.SetOptimizerAsRegularStepGradientDescent(
            self._look.first / _RADIUS,
            self._look.last / _RADIUS,
            self._look.steps,
            _RELAXATION,
            gradientMagnitudeTolerance=1e-8,
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
        value = method.GetMetricValue()
        return (value, found) if np.isfinite(value) else (np.inf, start)


def _in_units(image: Image) -> sitk.Image:
    return images.to_sitk(Image(image.array, _UNIT_FROM_MM @ image.affine))


def rigid(angles: np.ndarray, shift: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """4x4: a rotation (radians about x, y, z) about the centre, then a shift in mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_euler("xyz", angles).as_matrix()
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return matrix


def mean(matrices: list[np.ndarray], centre: np.ndarray) -> np.ndarray:
    """The mean of rigid matrices that lie close together: of their rotations and of where they take the centre."""
    rotation = Rotation.from_matrix([matrix[:3, :3] for matrix in matrices]).mean().as_matrix()
    moved = np.mean([matrix[:3, :3] @ centre + matrix[:3, 3] for matrix in matrices], axis=0)
    mean = np.eye(4)
    mean[:3, :3], mean[:3, 3] = rotation, moved - rotation @ centre
    return mean


def displacement(first: np.ndarray, second: np.ndarray, points: np.ndarray) -> float:
    """Mean distance in mm between where two matrices take the points."""
    difference = resampling.transform_points(first, points) - resampling.transform_points(second, points)
    return float(np.linalg.norm(difference, axis=1).mean())


def apart(first: tuple[float, np.ndarray], second: tuple[float, np.ndarray], points: np.ndarray) -> float:
    """As ``displacement``, of two fits as ``Level.register`` returns them; infinite where one of them failed."""
    if not np.isfinite([first[0], second[0]]).all():
        return np.inf
    return displacement(first[1], second[1], points)
