"""What the disease does to the head at one visit: lesion, necrosis, oedema, mass effect, blood volume and leakage."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import ndimage

from ..measures import Image
from . import grids
from .anatomy import Head, paint
from .plans import Lesion
from .tissues import TISSUES

REACH = 60.0
"""Millimetres beyond the lesion's edge at which its mass effect ends."""
MARGIN = 3.0
"""Millimetres between the lesion and the inner surface of the skull."""
WHITE_PURITY = 0.98
"""Share from which a fine voxel counts as white matter in the truth."""


@dataclass(frozen=True)
class Pattern:
    """What stays the same of a patient's disease from visit to visit: smooth random fields in head space.

    perfusion: factor on the blood volume of tissue that is not lesion.
    """

    surface: Image
    rim: Image
    oedema: Image
    leakage: Image
    blood: Image
    perfusion: Image


@dataclass
class State:
    """The head at one visit, on the fine grid.

    tissues: shares by name, float32 (k, j, i). blood_volume: mL per mL of the enhancing tissue; t2_star_share: 0 to 1,
    how much of its leakage acts on T2*; core_and_rim: share of the lesion with its core; float32 (k, j, i), 0 far from
    the lesion. perfusion: as in Pattern, on its own nodes.
    """

    tissues: dict[str, np.ndarray]
    affine: np.ndarray
    blood_volume: np.ndarray
    t2_star_share: np.ndarray
    core_and_rim: np.ndarray
    perfusion: Image


def make_pattern(rng: np.random.Generator, like: Image) -> Pattern:
    """Fields of a patient over the box of an axis-aligned image."""
    lengths = {"surface": 6.0, "rim": 5.0, "oedema": 8.0, "leakage": 6.0, "blood": 5.0, "perfusion": 12.0}
    fields = {name: grids.smooth_field(rng, like, length) for name, length in lengths.items()}
    fields["perfusion"].array = 1 + 0.08 * fields["perfusion"].array
    return Pattern(**fields)


def diseased(head: Head, centre: np.ndarray, lesion: Lesion, pattern: Pattern) -> State:
    """The head with a lesion around a centre (head space, R, A, S, mm)."""
    tissues = {name: share.copy() for name, share in head.tissues.items()}
    reach = lesion.radius + REACH
    box = grids.box_of(head.depth.shape, head.affine, centre - reach, centre + reach)
    affine, depth = grids.box_affine(head.affine, box), head.depth[box]
    shape = depth.shape
    _displace(tissues, head, box, centre, lesion)

    level = lesion_level(shape, affine, centre, lesion, pattern.surface)
    near_fluid = ndimage.uniform_filter(tissues["fluid"][box], 7)  # large in ventricles, small in sulci
    whole = grids.soft_step(-level) * grids.soft_step((-MARGIN - depth) / 2) * np.clip(1.5 - 2 * near_fluid, 0, 1)
    rim = lesion.rim * (1 + 0.4 * grids.resampled(pattern.rim, shape, affine))
    core = np.minimum(grids.soft_step(-level - rim), whole) * (lesion.rim < lesion.radius)
    for share in tissues.values():
        share[box] *= 1 - whole
    extent = lesion.oedema * (1 + 0.35 * grids.resampled(pattern.oedema, shape, affine))
    oedema = np.clip((extent - level) / 5, 0, 1) * tissues["white"][box]
    tissues["white"][box] -= oedema

    weight = whole - core
    blood = np.exp(0.25 * grids.resampled(pattern.blood, shape, affine))
    blood *= TISSUES["white"].blood_volume * lesion.blood_volume_ratio / weighted_mean(blood, weight)
    leakage = grids.resampled(pattern.leakage, shape, affine)
    threshold = np.quantile(leakage[weight > 0.5], 1 - lesion.t2_star_share)

    def filled(part: np.ndarray) -> np.ndarray:
        whole_grid = np.zeros(head.depth.shape, np.float32)
        whole_grid[box] = part
        return whole_grid

    tissues.update(oedema=filled(oedema), necrosis=filled(core), enhancing=filled(weight))
    return State(
        tissues,
        head.affine,
        blood_volume=filled(blood),
        t2_star_share=filled(np.clip((leakage - threshold) / 0.5 + 0.5, 0, 1)),
        core_and_rim=filled(whole),
        perfusion=pattern.perfusion,
    )


def lesion_level(
    shape: tuple[int, int, int], affine: np.ndarray, centre: np.ndarray, lesion: Lesion, surface: Image
) -> np.ndarray:
    """About the distance in mm to the lesion's surface, negative inside, float32 (k, j, i).

    An ellipsoid of the lesion's volume whose surface is moved in and out by the smooth random field surface. With
    irregularity 0 it is a sphere and the distance is exact.
    """
    x, y, z = (axis - np.float32(c) for axis, c in zip(grids.axes(shape, affine), centre, strict=True))
    stretch = 1 + lesion.irregularity
    turn = grids.rotation_matrix(20.0, 30.0, -25.0)
    squared = sum(
        ((row[0] * x + row[1] * y + row[2] * z) / axis) ** 2
        for row, axis in zip(turn, (stretch, 1.0, 1 / stretch), strict=True)
    )
    bulge = lesion.irregularity * lesion.radius * np.tanh(grids.resampled(surface, shape, affine))
    return (np.sqrt(squared) - lesion.radius - bulge).astype(np.float32)


def weighted_mean(values: np.ndarray, weight: np.ndarray) -> float:
    """The mean of values, each counting by its weight."""
    return float((values * weight).sum(dtype=float) / weight.sum(dtype=float))


def truth(state: State, contralateral: np.ndarray) -> dict[str, float]:
    """Volumes (mL) and mean blood volume ratio of the enhancing lesion, counted on the fine grid.

    contralateral: bool (k, j, i) of the other hemisphere, whose pure white matter is the normal-appearing white matter.
    """
    voxel = abs(np.linalg.det(state.affine[:3, :3])) / 1000.0
    enhancing, necrosis, oedema = (state.tissues[name] for name in ("enhancing", "necrosis", "oedema"))
    reference = normal_blood_volume(state, contralateral)
    return {
        "volume": float(enhancing.sum(dtype=float)) * voxel,
        "necrosis_volume": float(necrosis.sum(dtype=float)) * voxel,
        "oedema_volume": float(oedema.sum(dtype=float)) * voxel,
        "rCBV_ratio": weighted_mean(state.blood_volume, enhancing) / reference,
    }


def normal_blood_volume(state: State, contralateral: np.ndarray) -> float:
    """Mean blood volume (mL per mL) of normal-appearing white matter; contralateral as in ``truth``."""
    normal = contralateral & (state.tissues["white"] > WHITE_PURITY)
    perfusion = grids.resampled(state.perfusion, normal.shape, state.affine)
    return TISSUES["white"].blood_volume * float(perfusion[normal].mean(dtype=float))


def _displace(tissues: dict[str, np.ndarray], head: Head, box: tuple, centre: np.ndarray, lesion: Lesion) -> None:
    """Pushes what lies inside the skull away from the lesion: most at its edge, not at all at the skull."""
    depth, fine = head.depth[box], grids.box_affine(head.affine, box)
    shape, affine = grids.node_grid(Image(depth, fine))
    offsets = [axis - c for axis, c in zip(grids.axes(shape, affine), centre, strict=True)]
    distance = np.sqrt(sum(offset**2 for offset in offsets)) + 1e-3
    beyond = np.clip((distance - lesion.radius) / REACH, 0, 1)
    push = lesion.mass_effect * np.minimum(distance / lesion.radius, 1) * (1 - beyond) ** 2
    push *= np.clip(-grids.resampled(Image(head.depth, head.affine), shape, affine) / 14, 0, 1)
    field = grids.displacement([Image(-push * offset / distance, affine) for offset in offsets])
    inside = grids.soft_step(-depth)
    for name in ("white", "grey", "fluid", "artery", "vein", "mucosa"):
        share = tissues[name][box]
        moved = grids.resampled(Image(head.tissues[name], head.affine), depth.shape, fine, field)
        share += (moved - share) * inside


def biopsied(head: Head, centre: np.ndarray) -> None:
    """Draws the burr hole and the needle's track from the side into the lesion's centre (head space, mm)."""
    direction = np.array([np.sign(centre[0]) * 0.62, 0.12, 0.775])
    direction /= np.linalg.norm(direction)
    ends = np.array([centre, centre + 100 * direction])
    box = grids.box_of(head.depth.shape, head.affine, ends.min(axis=0) - 7, ends.max(axis=0) + 7)
    depth = head.depth[box]
    points = grids.axes(depth.shape, grids.box_affine(head.affine, box))
    offsets = [axis - np.float32(c) for axis, c in zip(points, centre, strict=True)]
    along = sum(offset * d for offset, d in zip(offsets, direction, strict=True))
    aside = np.sqrt(np.maximum(sum(offset**2 for offset in offsets) - along**2, 0))
    hole = grids.soft_step(5.5 - aside) * grids.soft_step(depth) * grids.soft_step(9.0 - depth) * (along > 0)
    paint(head.tissues, box, "muscle", 0.7 * hole)
    track = 0.8 * grids.soft_step(1.0 - aside) * grids.soft_step(-depth) * (along > 0)
    paint(head.tissues, box, "fluid", track)
