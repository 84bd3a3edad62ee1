"""A head given by formulas: sampled on any grid in any pose without resampling, with its truth."""

from types import SimpleNamespace

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib.measures import Image

# what a T1 image after contrast shows, arbitrary units
SCALP, SKULL, FLUID, GREY, WHITE, RIM = 1800.0, 120.0, 280.0, 750.0, 1000.0, 1700.0


def _inside(points, centre, radii):
    return sum(((along - c) / r) ** 2 for along, c, r in zip(points, centre, radii, strict=True)) < 1


def _values(points, lesion_radius):
    """Values, brain and lesion at points ``(3, ...)`` of the head's own RAS mm; the midline is the plane x = 0."""
    values = np.zeros(points.shape[1:])
    values[_inside(points, (0, 0, -5), (82, 102, 92))] = SCALP
    values[_inside(points, (0, 0, -5), (76, 96, 86))] = SKULL
    brain = _inside(points, (0, 0, 0), (68, 86, 66))
    values[brain] = GREY
    # folds of grey and white that differ between the sides by a smooth warp
    x, y, z = points
    bent = np.abs(x) + 1.5 * np.sin(y / 25) * np.sign(x)
    folds = np.sin(y / 7 + 0.3 * np.sin(z / 9)) * np.sin(z / 8) * np.cos(bent / 9)
    values[_inside(points, (0, 0, 0), (62, 80, 60)) & (folds > -0.3)] = WHITE
    values[_inside(points, (0, 0, 0), (48, 64, 46))] = WHITE
    values[brain & (np.abs(x) < 1.5) & (z > 5)] = FLUID
    for side in (-1, 1):
        values[_inside(points, (side * 10, 5, 8), (6, 26, 9))] = FLUID
    values[_inside(points, (0, -55, -38), (40, 28, 22))] = GREY
    lesion = _inside(points, (-38, 22, 15), np.full(3, max(lesion_radius, 1e-3)))
    values[lesion] = RIM
    values[_inside(points, (-38, 22, 15), np.full(3, max(lesion_radius - 4, 1e-3)))] = FLUID
    return values, brain, lesion


@pytest.fixture(scope="session")
def head():
    """A function: pose (4x4 RAS of the head to RAS of the scan), spacing (i, j, k) mm -> image, brain, lesion."""

    def make(pose=None, spacing=(2.0, 2.0, 2.0), lesion_radius=14.0, seed=0, extent=(200, 230, 200)):
        pose = np.eye(4) if pose is None else pose
        shape = [round(length / step) for length, step in zip(extent, spacing, strict=True)]
        affine = np.diag([*spacing, 1.0])
        affine[:3, 3] = -(np.array(shape) - 1) * np.array(spacing) / 2
        index = np.stack(np.meshgrid(*map(np.arange, shape[::-1]), indexing="ij")[::-1], axis=-1)
        to_head = np.linalg.inv(pose) @ affine
        # thick slices hold the mean over their thickness
        layers = max(round(spacing[2] / 2), 1)
        offsets = (np.arange(layers) + 0.5) / layers - 0.5
        layered = ((index + [0, 0, offset]) @ to_head[:3, :3].T + to_head[:3, 3] for offset in offsets)
        parts = [_values(np.ascontiguousarray(np.moveaxis(points, -1, 0)), lesion_radius) for points in layered]
        values, brain, lesion = (np.mean([part[n] for part in parts], axis=0) for n in range(3))
        noise = np.random.default_rng(seed).normal(0, 25, (2, *values.shape))
        values = np.hypot(values + noise[0], noise[1])  # magnitude image
        return SimpleNamespace(
            image=Image(values.astype(np.float32), affine), brain=brain > 0.5, lesion=lesion > 0.5, pose=pose
        )

    return make


@pytest.fixture(scope="session")
def posed():
    """A function: degrees about x, y, z and shift in mm -> 4x4 rigid matrix."""

    def make(degrees, shift=(0.0, 0.0, 0.0)):
        a, b, c = np.radians(degrees)
        about_x = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
        about_y = np.array([[np.cos(b), 0, np.sin(b)], [0, 1, 0], [-np.sin(b), 0, np.cos(b)]])
        about_z = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
        matrix = np.eye(4)
        matrix[:3, :3], matrix[:3, 3] = about_z @ about_y @ about_x, shift
        return matrix

    return make
