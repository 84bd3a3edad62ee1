"""The slices on which diameters were measured, with outline and both lines: a row per lesion, a column per visit."""

from __future__ import annotations

import numpy as np

from ..analysis import Analysis
from ..analysis.lesions import COMPONENTS
from ..analysis.responding import PLANES
from ..lesion.following import FollowedLesion
from ..measures import DISCLAIMER, Image
from . import canvas, colours, slices, words

ROWS, COLUMNS = 4, 6
CELL, GAP, HEAD, FOOT, LABELS, MARGIN = 220, 10, 34, 26, 46, 14
SIDE = 1.35  # of a cell over the largest diameter of its lesion at any visit
SMALLEST = 40.0  # mm
LINE_COLOURS = ((0.95, 0.90, 0.25), (1.00, 0.60, 0.20))
BY_READER = (1.00, 0.35, 0.70)


def picture(analysis: Analysis, language: str = "english") -> bytes | None:
    """A PNG of the largest lesions at the last visits; None where no lesion has an outline."""
    seen = [lesion for lesion in analysis.lesions if lesion.outline is not None]
    if not seen:
        return None
    largest: dict[str, float] = {}
    for lesion in seen:
        largest[lesion.lesion] = max(largest.get(lesion.lesion, 0.0), lesion.tracked.volume.value)
    names = sorted(sorted(largest, key=lambda name: -largest[name])[:ROWS])
    shown = {lesion.visit for lesion in seen}
    visits = [visit for visit in analysis.patient.visits if visit.id in shown][-COLUMNS:]
    there = {(lesion.lesion, lesion.visit): lesion for lesion in seen}
    drawn = canvas.Canvas(
        MARGIN + HEAD + len(names) * (CELL + FOOT + GAP) + 24,
        LABELS + len(visits) * (CELL + GAP) + MARGIN,
        colours.PAPER,
    )
    for column, visit in enumerate(visits):
        left = LABELS + column * (CELL + GAP)
        drawn.text(
            words.date_words(visit, language), MARGIN + 10, left + CELL / 2, 15, colours.INK, bold=True, across=0.5
        )
    for row, name in enumerate(names):
        top = MARGIN + HEAD + row * (CELL + FOOT + GAP)
        drawn.text(name, top + CELL / 2, MARGIN, 16, colours.INK, bold=True)
        longest = max(found.outline.lines["reader"].longest for (which, _), found in there.items() if which == name)
        width = max(SIDE * longest, SMALLEST)
        for column, visit in enumerate(visits):
            left = LABELS + column * (CELL + GAP)
            lesion = there.get((name, visit.id))
            if lesion is None:
                drawn.fill(top, left, CELL, CELL, colours.ABSENT)
                continue
            drawn.paste(_cell(analysis, lesion, width), top, left)
            lines = lesion.outline.lines[analysis.choices.rule]
            size = f"{lines.longest:.1f} x {lines.perpendicular:.1f} mm"
            drawn.text(size, top + CELL + 12, left + CELL / 2, 13, colours.INK, across=0.5)
    drawn.text(DISCLAIMER, drawn.pixels.shape[0] - 14, MARGIN, 12, colours.FAINT_INK)
    return drawn.png()


def _cell(analysis: Analysis, lesion: FollowedLesion, width: float) -> np.ndarray:
    """The measured slice around a lesion, width mm wide, with outline and lines; RGB ``(CELL, CELL, 3)``."""
    anatomy = analysis.images[lesion.visit, "T1CE"]
    lines = lesion.outline.lines[analysis.choices.rule]
    normal = anatomy.affine[:3, lines.slice_axis]
    axes = slices.frame(anatomy.affine, PLANES[int(np.abs(normal).argmax())])
    middle = np.concatenate([lines.longest_ends, lines.perpendicular_ends]).mean(axis=0)
    across, down, through = axes @ middle
    half = width / 2
    box = np.array([[across - half, across + half], [down - half, down + half]])
    plane = slices.planes(axes, box, np.array([through]), width / CELL)
    pixels = slices.cut(anatomy, plane, np.eye(4))[:CELL, :CELL]
    brain = anatomy.array[analysis.brains[lesion.visit]] if lesion.visit in analysis.brains else anatomy.array
    low, high = np.percentile(brain, (1, 99.8))
    rgb = slices.grey(pixels, 1.0, float(low), float(high))
    rgb = np.pad(rgb, ((0, CELL - rgb.shape[0]), (0, CELL - rgb.shape[1]), (0, 0)))
    for region in analysis.patient.regions:
        mask = analysis.regions.get((lesion.visit, region.name))
        drawn_as_it = COMPONENTS.get(region.purpose) == lesion.outline.component
        if region.visit == lesion.visit and drawn_as_it and mask is not None:
            coverage = slices.cut(Image(mask.array, mask.affine), plane, np.eye(4))[:CELL, :CELL]
            slices.draw_outline(rgb, coverage, colours.OWN, 1.2)
    to_pixels = np.linalg.inv(plane.affine)
    by_reader = analysis.choices.rule in lesion.by_reader
    for number, ends in enumerate((lines.longest_ends, lines.perpendicular_ends)):
        places = ends @ to_pixels[:3, :3].T + to_pixels[:3, 3]
        line = places[:, 1::-1]
        canvas.stroke(rgb, [line], 3.4, slices.HALO)
        canvas.stroke(rgb, [line], 2.0, BY_READER if by_reader else LINE_COLOURS[number])
    return rgb
