"""Motion of the head between the frames of a time series, found frame by frame and taken out.

A bolus of contrast agent darkens each tissue differently, so a frame is not compared with the reference as it is: the
frame may be any smooth function of the reference, brighter or darker towards each side, and may hold more or less of
the changes that the whole series shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ..measures import Image, InputError
from . import resampling

# All own choices, held against known motion of simulated heads with and without a bolus in the tests.
_SPACING = 4.0  # mm: frames are looked at on about this spacing, never coarser than they are
_SMOOTHING = 3.0  # mm, standard deviation of the Gaussian before; along thick slices half a slice
_MARGIN = 6.0  # mm around the brain: its outline tells most
_RADIUS = 60.0  # mm, about the brain's: makes a radian and a mm move the head alike
_STEPS = 12  # most Gauss-Newton steps per frame
_STILL = 0.01  # mm: a step that moves the head less ends the search
_POINTS = 12_000  # most voxels that are compared
_APART = 1.0  # mm: two starts closer than this are one
_POWERS = 3  # of the reference that a frame may be made of
_CHANGES = 2  # patterns of change of the whole series that a frame may hold
_TUKEY = 4.685  # standard deviations beyond which a voxel does not count (Tukey's biweight)
_MAD = 1.4826  # median absolute deviation to standard deviation of a normal distribution
_PASSES = 2  # the second one against the mean of the frames as they lie after the first
LEAST = 0.7
"""mm that the brain must have moved on the average before a frame is resampled. Own choice: on simulated heads that lie
still the darkening by the bolus looks like up to 0.54 mm of motion (other frames: like less than 0.1 mm), and a shift
that small does less harm than interpolation."""


@dataclass(frozen=True)
class Motion:
    """Where the head lies in each frame.

    frame_to_reference: ``(time, 4, 4)``, RAS mm of a frame to RAS mm of the series' mean position. centre: RAS mm
    ``(3,)`` of the brain, about which the head turns; points: ``(n, 3)`` RAS mm of the brain.
    """

    frame_to_reference: np.ndarray
    centre: np.ndarray
    points: np.ndarray

    @classmethod
    def of(cls, shifts: np.ndarray, turns: np.ndarray, centre: np.ndarray, points: np.ndarray) -> Motion:
        """The motion of these shifts and turns, as its properties of these names give them."""
        to_frame = [_placed(shift, turn, centre) for shift, turn in zip(shifts, np.radians(turns), strict=True)]
        return cls(np.linalg.inv(to_frame), np.asarray(centre), points)

    @cached_property
    def shifts(self) -> np.ndarray:
        """How far the brain's centre lies off in each frame, mm ``(time, 3)`` to the right, front and top."""
        to_frame = np.linalg.inv(self.frame_to_reference)
        return to_frame[:, :3, :3] @ self.centre + to_frame[:, :3, 3] - self.centre

    @cached_property
    def turns(self) -> np.ndarray:
        """How far the head is turned in each frame, degrees ``(time, 3)`` about the right, front and top axis."""
        return Rotation.from_matrix(np.linalg.inv(self.frame_to_reference)[:, :3, :3]).as_rotvec(degrees=True)

    @cached_property
    def displacement(self) -> np.ndarray:
        """Mean distance of the brain from its mean position in each frame, mm ``(time,)``."""
        moved = [resampling.transform_points(matrix, self.points) - self.points for matrix in self.frame_to_reference]
        return np.linalg.norm(moved, axis=2).mean(axis=1)


def find_motion(
    series: Image,
    brain: np.ndarray,
    *,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> Motion:
    """The rigid motion of the head in a time series.

    series: ``(time, k, j, i)``, at least three frames; brain: bool ``(k, j, i)``. Each frame F is fitted to the
    reference R, the mean of the frames, by Gauss-Newton least squares over six parameters of position (voxels that do
    not fit count less: Tukey's biweight) together with the linear ones of
    ``F = a0 + a1 R + a2 R^2 + a3 R^3 + R (b . x) + c1 P1 + c2 P2``. The P are the first principal patterns of what
    changes in the frames over time, without all that looks like motion of R; they let each tissue darken in its own
    way while a bolus passes. A second pass compares with the mean of the frames as they lie after the first one.
    Deterministic. Raises InputError ``motion_not_a_series``, ``registration_mask_grid``, ``brain_not_found``, and
    CancelledError.
    """
    if series.array.ndim != 4 or len(series.array) < 3:
        raise InputError("motion_not_a_series", dimension=series.array.ndim, frames=len(series.array))
    if brain.shape != series.shape:
        raise InputError("registration_mask_grid", mask="brain", shape=brain.shape, expected=series.shape)
    if not brain.any():
        raise InputError("brain_not_found")
    tell, asked = progress or (lambda share: None), cancelled or (lambda: False)
    frames = _Frames(series, brain)
    positions = np.zeros((len(series.array), 6))
    work = _PASSES * len(positions)
    for number in range(_PASSES):
        template = _Template(frames, positions)
        for time in range(len(positions)):
            if asked():
                raise CancelledError
            starts = [positions[time]] if number else [np.zeros(6), positions[max(time - 1, 0)]]
            if np.abs(starts[0] - starts[-1]).max() < _APART:
                del starts[:-1]
            positions[time] = template.fit(frames, time, starts)
            tell((number * len(positions) + time + 1) / work)
        positions -= np.median(positions, axis=0)
    matrices = np.linalg.inv([frames.matrix(position) for position in positions])
    points = resampling.voxel_centres(brain, series.affine)
    return Motion(matrices, frames.centre, points[:: max(len(points) // 1000, 1)])


def without_motion(series: Image, motion: Motion, *, displacement: np.ndarray | None = None) -> Image:
    """The series with the head of every frame where it lies on the average, float32 where anything was moved.

    Frames in which the brain moved by less than ``LEAST`` mm (displacement ``(time,)``, else the motion's own) stay as
    they are; the others are resampled once (third-order
    B-spline, no value below the frame's smallest). Voxels that a frame did not see hold its nearest value.
    """
    moved = np.flatnonzero((motion.displacement if displacement is None else displacement) > LEAST)
    if len(moved) == 0:
        return series
    array = series.array.astype(np.float32)
    for time in moved:
        to_frame = np.linalg.inv(series.affine) @ np.linalg.inv(motion.frame_to_reference[time]) @ series.affine
        turn = to_frame[:3, :3][::-1, ::-1]  # index order (k, j, i)
        frame = ndimage.affine_transform(array[time], turn, to_frame[:3, 3][::-1], order=3, mode="nearest")
        array[time] = np.maximum(frame, array[time].min())
    return Image(array, series.affine)


class _Frames:
    """The frames as the search sees them: smooth, on few voxels, as coefficients of splines."""

    def __init__(self, series: Image, brain: np.ndarray):
        spacing = series.spacing
        stride = np.maximum(np.floor(_SPACING / spacing + 1e-3), 1).astype(int)
        sigma = np.maximum(_SMOOTHING, spacing / 2) / spacing
        cut = tuple(slice(None, None, step) for step in stride[::-1])
        self.affine = series.affine.copy()
        self.affine[:3, :3] *= stride
        scale = np.percentile(series.array[len(series.array) // 2][brain], 90) or 1.0
        self.coefficients = np.stack(
            [
                ndimage.spline_filter(ndimage.gaussian_filter(_finite(frame) / scale, sigma[::-1])[cut])
                for frame in series.array
            ]
        ).astype(np.float32)
        near = ndimage.distance_transform_edt(~brain, sampling=spacing[::-1]) <= _MARGIN
        points = resampling.voxel_centres(near[cut], self.affine)
        self.points = points[:: max(math.ceil(len(points) / _POINTS), 1)]
        self.centre = resampling.voxel_centres(brain, series.affine).mean(axis=0)
        self._to_index = np.linalg.inv(self.affine)
        self._last = np.array(self.coefficients.shape[1:]) - 1.0

    def matrix(self, position: np.ndarray) -> np.ndarray:
        """4x4, reference to frame: shift in mm, then rotation vector in units of mm at the brain's radius."""
        return _placed(position[:3], position[3:] / _RADIUS, self.centre)

    def seen(self, time: int, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The frame's values at the points of the reference ``(n,)``, and which of them it shows."""
        index = resampling.transform_points(self._to_index @ self.matrix(position), self.points)[:, ::-1]
        inside = np.all((index >= 0) & (index <= self._last), axis=1)
        values = ndimage.map_coordinates(self.coefficients[time], index.T, order=3, mode="nearest", prefilter=False)
        return values, inside

    def mean(self, positions: np.ndarray) -> np.ndarray:
        """The mean of all frames at the points of the reference ``(n,)``, each in its position ``(time, 6)``."""
        if np.ptp(positions, axis=0).any():
            return np.mean([self.seen(time, position)[0] for time, position in enumerate(positions)], axis=0)
        # splines are linear in their coefficients: frames in one position are looked at once
        index = resampling.transform_points(self._to_index @ self.matrix(positions[0]), self.points)[:, ::-1]
        mean = self.coefficients.mean(axis=0)
        return ndimage.map_coordinates(mean, index.T, order=3, mode="nearest", prefilter=False)


class _Template:
    """What the frames are compared with: the mean of all as they lie now, its powers, and how the series changes."""

    def __init__(self, frames: _Frames, positions: np.ndarray):
        seen = np.stack([frames.seen(time, position)[0] for time, position in enumerate(positions)])
        mean = seen.mean(axis=0)
        offsets = (frames.points - frames.centre) / _RADIUS
        smooth = np.column_stack([*(mean**power for power in range(_POWERS + 1)), mean[:, None] * offsets])
        gradient = self._gradient(frames, positions)
        jacobian = np.hstack([gradient, np.cross(offsets, gradient)])
        known = np.hstack([smooth, jacobian])
        changes = seen - mean
        changes -= (changes @ np.linalg.pinv(known).T) @ known.T
        # the right singular vectors, by way of the few frames instead of the many points
        patterns = np.linalg.eigh(changes @ changes.T)[1][:, : -_CHANGES - 1 : -1].T @ changes
        lengths = np.linalg.norm(patterns, axis=1, keepdims=True)
        patterns = np.divide(patterns, lengths, out=np.zeros_like(patterns), where=lengths > 0)
        self._basis = np.hstack([smooth, patterns.T * np.sqrt(len(mean))])
        self._powers = mean, gradient, offsets

    @staticmethod
    def _gradient(frames: _Frames, positions: np.ndarray) -> np.ndarray:
        """Of the mean frame per mm, RAS ``(n, 3)``, by central differences of the splines."""
        step, columns = 1.0, []
        for axis in range(3):
            shift = np.zeros(6)
            shift[axis] = step
            ahead, behind = (frames.mean(positions + way * shift) for way in (1, -1))
            columns.append((ahead - behind) / (2 * step))
        return np.column_stack(columns)

    def fit(self, frames: _Frames, time: int, starts: list[np.ndarray]) -> np.ndarray:
        """The position of a frame from the best of the starts, or that start where nothing fits better."""
        start = min(starts, key=lambda start: self._misfit(frames, time, start)) if len(starts) > 1 else starts[0]
        position = start.copy()
        mean, gradient, offsets = self._powers
        weights = np.ones(len(mean))
        linear = None
        for _ in range(_STEPS):
            values, inside = frames.seen(time, position)
            if linear is None:
                linear = _solve(self._basis, values, inside.astype(float))
            slope = sum(power * linear[power] * mean ** (power - 1) for power in range(1, _POWERS + 1))
            slope = slope + offsets @ linear[_POWERS + 1 : _POWERS + 4]
            along = gradient * slope[:, None]
            jacobian = np.hstack([along, np.cross(offsets, along)])
            residual = values - self._basis @ linear
            spread = _MAD * np.median(np.abs(residual[inside])) or 1.0
            weights = np.where(inside, np.clip(1 - (residual / (_TUKEY * spread)) ** 2, 0, None) ** 2, 0.0)
            solved = _solve(np.hstack([jacobian, self._basis]), values, weights)
            step, linear = solved[:6], solved[6:]
            position = position - step
            if np.abs(step).max() < _STILL:
                return position
        return position if self._misfit(frames, time, position) < self._misfit(frames, time, start) else start

    def _misfit(self, frames, time, position) -> float:
        values, inside = frames.seen(time, position)
        residual = values - self._basis @ _solve(self._basis, values, inside.astype(float))
        return float(np.median(np.abs(residual[inside]))) if inside.any() else np.inf


def _placed(shift: np.ndarray, turn: np.ndarray, centre: np.ndarray) -> np.ndarray:
    """4x4: a turn (rotation vector, radians) about the centre, then a shift in mm."""
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(turn).as_matrix()
    matrix[:3, 3] = centre + shift - matrix[:3, :3] @ centre
    return matrix


def _solve(columns: np.ndarray, values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted least squares by the normal equations, with a ridge that only keeps them solvable."""
    weighted = columns * weights[:, None]
    normal = columns.T @ weighted
    ridge = 1e-9 * np.trace(normal) / len(normal)
    return np.linalg.solve(normal + ridge * np.eye(len(normal)), weighted.T @ values)


def _finite(frame: np.ndarray) -> np.ndarray:
    return np.nan_to_num(frame.astype(np.float32), nan=0.0, posinf=0.0, neginf=0.0)
