"""The patient's head on the fine grid: the template's brain made asymmetric, in skull, scalp and face.

The same head stands in all visits. Tissues are shares (0 to 1) of every fine voxel; what is missing to 1 is bone or
air, which give no signal.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import SimpleITK as sitk
from scipy import ndimage

from ..measures import Image
from . import grids, vessels

FINE_SHAPE = (206, 242, 190)
FINE_ORIGIN = (-94.5, -129.0, -97.0)
COARSE = 2.0
CLOSING = 12.0
SUBARACHNOID = 0.5
"""Millimetres: of the grid for distances, that fissures are closed over, of fluid around the closed brain."""


@dataclass
class Head:
    """tissues: shares by name, float32 (k, j, i). affine: fine voxels to head space (RAS mm). depth: mm to the inner
    surface of the skull, negative inside, float32 (k, j, i). lateral: mm to the right of the mid-plane, float32
    (k, j, i). template_from_head: of points, as SimpleITK has it."""

    tissues: dict[str, np.ndarray]
    affine: np.ndarray
    depth: np.ndarray
    lateral: np.ndarray
    template_from_head: sitk.Transform

    def head_point(self, template_point: tuple[float, float, float]) -> np.ndarray:
        """Where a point of template space (R, A, S, mm) lies in this head, to about 0.1 mm."""
        target = np.array(template_point, dtype=float) * (-1, -1, 1)
        point = target.copy()
        for _ in range(6):
            point += target - self.template_from_head.TransformPoint(point.tolist())
        return point * (-1, -1, 1)


def fine_affine() -> np.ndarray:
    """The fine grid's affine: 1 mm, axes along R, A, S."""
    affine = np.eye(4)
    affine[:3, 3] = FINE_ORIGIN
    return affine


def make_head(template: dict[str, Image], rng: np.random.Generator) -> Head:
    """A head from the template (as ``template.read_template`` gives it), different for every state of rng."""
    affine = fine_affine()
    like = Image(np.broadcast_to(np.float32(0), FINE_SHAPE), affine)
    components = _asymmetry(rng, like)
    template_from_head = grids.displacement(components)
    warped = {
        part: grids.resampled(_with_cord(image), FINE_SHAPE, affine, template_from_head)
        for part, image in template.items()
    }
    tissues = _brain(warped)
    depth, surface = _surfaces(warped["t1"] > 40, rng, like)
    lateral = grids.axes(FINE_SHAPE, affine)[0] + grids.resampled(components[0], FINE_SHAPE, affine)
    head = Head(tissues, affine, depth, lateral, template_from_head)
    _cover(head, surface, rng, like)
    _draw_spaces(head, surface, rng)
    _draw_vessels(head, rng, like)
    return head


def _with_cord(image: Image) -> Image:
    """The template's lowest slice, a cut through the medulla, carried on downwards as spinal cord."""
    down = 40
    affine = image.affine.copy()
    affine[2, 3] -= down
    return Image(np.concatenate([np.repeat(image.array[2:3], down + 2, axis=0), image.array[2:]]), affine)


def _asymmetry(rng: np.random.Generator, like: Image) -> list[Image]:
    """A smooth random displacement (mm) along R, A, S: broad between the sides, finer between the folds."""
    components = []
    for _ in range(3):
        broad, fine = grids.smooth_field(rng, like, 28.0), grids.smooth_field(rng, like, 9.0)
        components.append(Image(2.2 * broad.array + 1.0 * fine.array, broad.affine))
    return components


def _brain(warped: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """White, grey and fluid. The template is an average: its shares are made steeper, as in one person's brain."""
    mask = np.clip(warped["t1"] / 60.0 - 0.5, 0, 1)
    grey, white = (np.clip(warped[part], 0, 1) ** 1.6 for part in ("gm", "wm"))
    fluid = np.clip(1 - warped["gm"] - warped["wm"], 0, 1) ** 1.6
    scale = mask / np.maximum(grey + white + fluid, 1e-3)
    return {"white": white * scale, "grey": grey * scale, "fluid": fluid * scale}


def _surfaces(brain: np.ndarray, rng: np.random.Generator, like: Image) -> tuple[np.ndarray, np.ndarray]:
    """Signed distances (mm, negative inside) to the inside of the skull and to the skin, float32 (k, j, i)."""
    affine = like.affine.copy()
    affine[:3, :3] *= COARSE
    shape = tuple(size // int(COARSE) for size in FINE_SHAPE)
    coarse = brain[::2, ::2, ::2][: shape[0], : shape[1], : shape[2]]
    dilated = grids.signed_distance(coarse, COARSE) < CLOSING
    hull = grids.signed_distance(dilated, COARSE) + CLOSING - SUBARACHNOID
    hull = ndimage.gaussian_filter(hull, 1.0)

    x, y, z = grids.axes(shape, affine)
    thickness = grids.resampled(grids.smooth_field(rng, like, 25.0), shape, affine)
    cranium = hull - (11.5 + 1.0 * thickness + 4.0 * np.clip(-(y + 60) / 60, 0, 1) * np.clip((10 - z) / 40, 0, 1))
    face = (np.sqrt((x / 60) ** 2 + ((y - 34) / 62) ** 2 + ((z + 72) / 58) ** 2) - 1) * 60
    nose = (np.sqrt((x / 15) ** 2 + ((y - 88) / 22) ** 2 + ((z + 66) / 20) ** 2) - 1) * 16
    neck = (np.sqrt((x / 60) ** 2 + ((y + 32) / 64) ** 2 + (np.maximum(z + 68, 0) / 34) ** 2) - 1) * 60
    skin = cranium
    for part, blend in ((face, 14.0), (neck, 22.0), (nose, 8.0)):
        skin = _smooth_union(skin, part, blend)
    room = int(CLOSING / COARSE) + 2  # the closing must not reach the grid's edge, but for the neck that leaves it
    skin = grids.signed_distance(np.pad(skin < 0, room, mode="edge"), COARSE) < CLOSING
    skin = grids.signed_distance(skin, COARSE)[room:-room, room:-room, room:-room] + CLOSING
    skin = ndimage.gaussian_filter(skin, 0.8)
    return tuple(grids.resampled(Image(field, affine), FINE_SHAPE, like.affine, outside=99.0) for field in (hull, skin))


def _smooth_union(first: np.ndarray, second: np.ndarray, blend: float) -> np.ndarray:
    """The union of two signed distances with a fillet of about blend mm."""
    share = np.clip(0.5 + 0.5 * (second - first) / blend, 0, 1)
    return second + (first - second) * share - blend * share * (1 - share)


def _cover(head: Head, surface: np.ndarray, rng: np.random.Generator, like: Image) -> None:
    """Fluid under the skull, dura, the two tables of the skull with marrow between, muscle, fat and skin."""
    tissues, depth = head.tissues, head.depth
    _, y, z = grids.axes(FINE_SHAPE, head.affine)
    inside = grids.soft_step(-depth)
    for share in tissues.values():
        share *= inside
    tissues["fluid"] += np.clip(inside - sum(tissues.values()), 0, 1)

    streaks = grids.resampled(grids.smooth_field(rng, like, 4.0), FINE_SHAPE, head.affine)
    thickness = 6.8 + 0.9 * grids.resampled(grids.smooth_field(rng, like, 14.0), FINE_SHAPE, head.affine)
    base = np.clip((-22.0 - z + 0.12 * y) / 12, 0, 1)
    dura = grids.soft_step(depth) * grids.soft_step(0.9 - depth)
    marrow = grids.soft_step(depth - 2.4) * grids.soft_step(thickness - 1.6 - depth)
    outside_skull = grids.soft_step(depth - thickness) * grids.soft_step(-surface)
    skin = grids.soft_step(surface + 1.8)
    fat = grids.soft_step(surface + 5.5) * (1 - skin)
    deep = (1 - fat - skin) * np.clip(0.12 + 0.25 * streaks, 0, 0.9)
    tissues["mucosa"] = np.clip(0.35 + 0.15 * streaks, 0, 0.8) * dura
    tissues["fat"] = marrow * (0.55 + 0.12 * streaks) * (1 - 0.75 * base) + outside_skull * (fat + deep)
    tissues["muscle"] = outside_skull * (1 - fat - deep)
    tissues["artery"], tissues["vein"] = np.zeros((2, *FINE_SHAPE), np.float32)
    for name, share in tissues.items():
        tissues[name] = np.ascontiguousarray(np.clip(share, 0, 1), dtype=np.float32)


def _draw_spaces(head: Head, surface: np.ndarray, rng: np.random.Generator) -> None:
    """Orbits, sinuses and air ways, outside the skull's inner surface only."""
    for space in vessels.SPACES:
        for centre in vessels.both_sides(space, rng, 0.7):
            centre, radii = head.head_point(centre[0]), np.array(space.radii)
            box = grids.box_of(FINE_SHAPE, head.affine, centre - radii - 2, centre + radii + 2)
            x, y, z = grids.axes(head.depth[box].shape, grids.box_affine(head.affine, box))
            level = np.sqrt(sum(((p - c) / r) ** 2 for p, c, r in zip((x, y, z), centre, radii, strict=True)))
            share = grids.soft_step((1 - level) * radii.min())
            share = share * grids.soft_step(head.depth[box] - 1.5) * grids.soft_step(-surface[box] - 1.5)
            paint(head.tissues, box, space.tissue, share)


def _draw_vessels(head: Head, rng: np.random.Generator, like: Image) -> None:
    """Arteries, veins, sinuses, choroid plexus, falx and the small vessels of the brain's surface."""
    for tube in vessels.TUBES:
        for points in vessels.both_sides(tube, rng, 0.8):
            points = vessels.along(np.array([head.head_point(point) for point in points]), 1.0)
            radius = tube.radius * rng.uniform(0.85, 1.15)
            box = grids.box_of(
                FINE_SHAPE, head.affine, points.min(axis=0) - radius - 2, points.max(axis=0) + radius + 2
            )
            marks = np.ones(head.depth[box].shape, bool)
            index = np.rint(points - head.affine[:3, 3]).astype(int)[:, ::-1] - [part.start for part in box]
            keep = np.all((index >= 0) & (index < marks.shape), axis=1)
            marks[tuple(index[keep].T)] = False
            share = grids.soft_step(radius - ndimage.distance_transform_edt(marks)).astype(np.float32)
            if tube.tissue == "mucosa" and tube.mirrored:  # choroid plexus floats in the ventricle
                share *= head.tissues["fluid"][box]
            paint(head.tissues, box, tube.tissue, share)

    _draw_midline(head)
    tissues = head.tissues
    _, y, z = grids.axes(FINE_SHAPE, head.affine)
    near_cortex = ndimage.gaussian_filter(tissues["grey"], 2.0)
    blotches = grids.resampled(grids.smooth_field(rng, like, 4.0), FINE_SHAPE, head.affine)
    small = tissues["fluid"] * np.clip(near_cortex * 2 - 0.3, 0, 1) * np.clip(0.1 + 0.16 * blotches, 0, 0.6)
    small *= np.clip((z + 0.2 * y + 20) / 8, 0, 1)
    tissues["fluid"] -= small
    tissues["vein"] += small


def _draw_midline(head: Head) -> None:
    """The falx and the superior sagittal sinus in its edge."""
    box = grids.box_of(FINE_SHAPE, head.affine, np.array([-16.0, -999, -999]), np.array([16.0, 999, 999]))
    depth, aside = head.depth[box], np.abs(head.lateral[box])
    _, y, z = grids.axes(depth.shape, grids.box_affine(head.affine, box))
    falx = 0.7 * grids.soft_step(0.8 - aside) * head.tissues["fluid"][box] * np.clip((z - 0.3 * y + 8) / 6, 0, 1)
    paint(head.tissues, box, "mucosa", falx)
    sinus = grids.soft_step(3.4 + 0.45 * np.minimum(depth, 0) - aside) * grids.soft_step(-depth)
    sinus *= grids.soft_step(depth + 6.5) * np.clip((z + 14) / 4, 0, 1) * np.clip((z + 45 - 0.7 * y) / 8, 0, 1)
    paint(head.tissues, box, "vein", sinus)


def paint(tissues: dict[str, np.ndarray], box: tuple, name: str, share: np.ndarray) -> None:
    """Lets a share of each voxel of a box become one tissue ("air" is none), the others keeping their proportions."""
    for array in tissues.values():
        array[box] *= 1 - share
    if name in tissues:
        tissues[name][box] += share
