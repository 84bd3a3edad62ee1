"""Spectroscopy on the report: the grid of voxels over the anatomy, and the spectra of lesion and reference tissue."""

from __future__ import annotations

import base64
from html import escape

import numpy as np

from ..analysis import Analysis
from ..analysis.fitting_spectra import REFERENCE, overlap_with, shown_ratio
from ..analysis.measuring_spectra import measured_role
from ..measures import Image
from ..spectroscopy import Fit
from . import colours, slices, words
from .canvas import Canvas
from .figures import PROGRESSION
from .markup import Markup
from .scales import nice_ticks, nice_top
from .spectrum_words import lines_of, numbers_line, ratios_of, why_uncertain
from .svg import FAINT, GRID, INK, document, line, text

SHOWN = "Cho_NAA_molar"
PIXEL = 0.5  # mm
MARGIN = 18.0  # mm around the grid
LEGEND = 92  # pixels beside the picture
OPACITY = 0.55
EDGE = (0.72, 0.75, 0.80)
WIDTH, HEIGHT, RESIDUAL = 430, 190, 46
LEFT, RIGHT, TOP, HEADROOM = 8, 8, 22, 16
DATA, BASELINE, REST = "#40454d", "#0072b2", "#009e73"
PPM = (0.2, 4.0)
BESIDE = {"Cho": "end", "Cr": "start"}  # so near to one another that their names stand on their outer sides


def spectra_parts(markup: Markup, analysis: Analysis) -> list[str]:
    """HTML of every visit with spectra: grid, spectra and numbers; empty without any."""
    shown = [visit.id for visit in markup.patient.visits if measured_role(analysis, visit.id)]
    if not shown:
        return []
    top = scale_top(analysis)
    parts = [f"<p>{markup.say('spectra_how')} {markup.say('spectra_grid_how')}</p>"]
    for visit_id in shown:
        figures = [grid_figure(markup, analysis, visit_id, top), *_spectra(markup, analysis, visit_id)]
        parts.append(f"<h3>{markup.visit(visit_id)}</h3>")
        parts.append(f'<div class="spectra">{"".join(figure for figure in figures if figure)}</div>')
    return parts


def scale_top(analysis: Analysis) -> float:
    """The end of the colour scale of all visits: the highest 99th percentile of any visit, made round."""
    grids = [visit for visit, role in analysis.spectra_fits if role == "MRSI" and (visit, SHOWN) in analysis.maps]
    shown = [_values(analysis, visit)[0] for visit in grids]
    ends = [np.percentile(one[np.isfinite(one)], 99) for one in shown if np.isfinite(one).any()]
    return nice_top(float(max(ends))) if ends else 1.0


def _values(analysis: Analysis, visit_id: str) -> tuple[np.ndarray, np.ndarray]:
    """Cho/NAA of every accepted voxel ``(k, j, i)``, and whether it is a lower bound (1), an upper one (-1) or a value
    (0)."""
    shown, fit = analysis.maps[visit_id, SHOWN], analysis.spectra_fits[visit_id, "MRSI"]
    _, (least, most) = shown_ratio(fit, "tCho", "tNAA")
    return np.where(shown.quality, shown.array, np.nan), least.astype(int) - most


def grid_figure(markup: Markup, analysis: Analysis, visit_id: str, top: float) -> str:
    """The grid's slice with most of the lesion as picture; empty where there is no grid."""
    found = analysis.spectra_fits.get((visit_id, "MRSI"))
    if found is None or (visit_id, SHOWN) not in analysis.maps:
        return ""
    picture = grid_picture(analysis, visit_id, top)
    data = base64.b64encode(picture.png()).decode("ascii")
    alt = markup.say("spectra_grid_alt", visit=visit_id)
    caption = markup.say("spectra_grid_caption")
    return f'<figure><img src="data:image/png;base64,{data}" alt="{alt}"><figcaption>{caption}</figcaption></figure>'


def grid_picture(analysis: Analysis, visit_id: str, top: float) -> Canvas:
    """Anatomy in the plane of the grid's slice with most of the lesion, voxels coloured by Cho/NAA, lesion outlined."""
    found = analysis.spectra_fits[visit_id, "MRSI"]
    anatomy = analysis.images[visit_id, "T1CE"]
    overlaps = _lesion_overlaps(analysis, visit_id)
    weight = sum(overlaps.values()) if overlaps else found.accepted.astype(float)
    slice_number = int(weight.sum(axis=(1, 2)).argmax())
    axes = slices.frame(found.affine)
    grid = Image(np.ones(found.shape, bool), found.affine)
    box = slices.bounds(grid, axes, MARGIN)
    middle = found.affine @ [*((np.array(found.shape[:0:-1]) - 1) / 2), slice_number, 1]
    plane = slices.planes(axes, box, np.array([axes[2] @ middle[:3]]), PIXEL)
    to_visit = analysis.series_to_visit[visit_id, "MRSI"]
    to_plane = np.linalg.inv(to_visit)
    grey = slices.cut(anatomy, plane, to_plane)
    brain = slices.cut(Image(analysis.brains[visit_id], anatomy.affine), plane, to_plane, "nearest") > 0
    levels, low, high = slices.common_window([grey], [brain], np.zeros_like(brain))
    pixels = slices.grey(grey, levels[0], low, high)
    canvas = Canvas(pixels.shape[0], pixels.shape[1] + LEGEND, colours.PAPER)
    canvas.paste(pixels, 0, 0)
    values, bound = _values(analysis, visit_id)
    from_grid = np.linalg.inv(plane.affine)
    for j in range(found.shape[1]):
        for i in range(found.shape[2]):
            if np.isfinite(values[slice_number, j, i]):
                corners = _corners(found, from_grid, slice_number, j, i)
                _voxel(canvas, corners, values[slice_number, j, i] / top, bound[slice_number, j, i])
    for region in analysis.patient.regions:
        mask = analysis.regions.get((region.visit, region.name))
        if mask is not None and (region.visit, region.purpose) == (visit_id, "lesion"):
            lesion = Image(mask.array.astype(np.float32), mask.affine)
            inside = canvas.pixels[:, : pixels.shape[1]]
            slices.draw_outline(inside, slices.cut(lesion, plane, to_plane), colours.OWN, 1.6)
    _legend(canvas, pixels.shape[1] + 12, top)
    return canvas


def _corners(found: Fit, from_grid: np.ndarray, k: int, j: int, i: int) -> np.ndarray:
    """Corners of a voxel in its slice as (row, column) of the picture ``(4, 2)``."""
    index = np.array([[i + a, j + b, k, 1] for a, b in ((-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5))])
    return (index @ found.affine.T @ from_grid.T)[:, [1, 0]]


def _voxel(canvas: Canvas, corners: np.ndarray, share: float, bound: int) -> None:
    """One voxel, whose edges run along rows and columns of the picture; a white disc marks a lower bound (1), a black
    one an upper (-1)."""
    first, last = np.round(corners.min(axis=0)).astype(int), np.round(corners.max(axis=0)).astype(int)
    place = canvas.pixels[first[0] : last[0], first[1] : last[1]]
    place += OPACITY * (colours.heat(np.array(min(share, 1.0))) - place)
    canvas.line([*corners, corners[0]], 0.6, EDGE)
    if bound:
        canvas.disc(*corners.mean(axis=0), 2.5, colours.PAPER if bound > 0 else colours.INK)


def _legend(canvas: Canvas, left: int, top: float) -> None:
    height = canvas.pixels.shape[0] - 60
    shares = np.linspace(1, 0, height)[:, None, None] * np.ones((1, 14, 1))
    canvas.paste(colours.heat(shares[..., 0]), 40, left)
    canvas.text("Cho/NAA", 18, left, 13, colours.INK)
    for tick in nice_ticks(top):
        row = 40 + (height - 1) * (1 - tick / top)
        canvas.line([(row, left + 14), (row, left + 18)], 1, colours.INK)
        canvas.text(f"{tick:g}", row, left + 21, 12, colours.INK)


def _lesion_overlaps(analysis: Analysis, visit_id: str) -> dict[str, np.ndarray]:
    return {
        region.name: overlap_with(analysis, visit_id, "MRSI", analysis.regions[visit_id, region.name], visit_id)
        for region in analysis.patient.regions
        if (region.visit, region.purpose) == (visit_id, "lesion") and (visit_id, region.name) in analysis.regions
    }


def _spectra(markup: Markup, analysis: Analysis, visit_id: str) -> list[str]:
    """Mean spectra of the visit's own lesions and of its reference tissue, or its single voxel."""
    found = []
    for (visit, drawn_in, region), fit in analysis.region_spectra.items():
        purpose = [r.purpose for r in analysis.patient.regions if (r.visit, r.name) == (drawn_in, region)]
        if visit == visit_id and drawn_in == visit_id and (region == REFERENCE or purpose in (["lesion"], ["free"])):
            found.append((region == REFERENCE, region or markup.say("spectra_reference"), fit))
    if (visit_id, "MRS") in analysis.spectra_fits:
        found.append((True, markup.say("spectra_single"), analysis.spectra_fits[visit_id, "MRS"]))
    found.sort(key=lambda item: item[0])
    return [
        f"<figure>{spectrum_figure(fit, title, markup.language)}"
        f"<figcaption>{escape(_caption(fit, markup.language))}</figcaption></figure>"
        for _, title, fit in found
        if np.isfinite(fit.snr).all()
    ]


def _caption(fit: Fit, language: str) -> str:
    """Quality and Cho/NAA, then what else can be measured, and why the rest cannot."""
    ratios = ratios_of(fit, language=language)[1:]
    others = [f"{one.label} {one.value}" for one in ratios if one.value != "-"]
    remarks = dict.fromkeys(one.remark for one in ratios if one.remark)
    return " ".join(
        ["; ".join([numbers_line(fit, language), *why_uncertain(fit, (0, 0, 0), language), *others]) + ".", *remarks]
    )


def spectrum_figure(fit: Fit, title: str, language: str = "english") -> str:
    """One spectrum as SVG: data, fit and baseline over ppm (high ppm on the left), what is left of the data above."""
    curves = fit.curves((0, 0, 0))
    inside = (curves.ppm >= PPM[0]) & (curves.ppm <= PPM[1])
    ppm = curves.ppm[inside]
    data, fitted, baseline = (values[inside] for values in (curves.data, curves.fit, curves.baseline))
    low, high = min(data.min(), baseline.min(), 0.0), max(data.max(), fitted.max())
    plot_top, bottom = TOP + RESIDUAL, TOP + RESIDUAL + HEIGHT
    scale = (HEIGHT - HEADROOM) / max(high - low, 1e-30)

    def x(values: np.ndarray | float) -> np.ndarray | float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (PPM[1] - values) / (PPM[1] - PPM[0])

    def path(values: np.ndarray, zero: float, colour: str, width: float) -> str:
        steps = " L".join(f"{a:.1f} {b:.1f}" for a, b in zip(x(ppm), zero - scale * values, strict=True))
        return f'<path d="M{steps}" fill="none" stroke="{colour}" stroke-width="{width}"/>'

    parts = [line(x(tick), plot_top, x(tick), bottom, GRID) for tick in range(1, 5)]
    rest = np.clip(data - fitted, -RESIDUAL / 2 / scale, RESIDUAL / 2 / scale)
    middle = TOP + RESIDUAL / 2
    parts += [line(LEFT, middle, WIDTH - RIGHT, middle, GRID), path(rest, middle, REST, 1)]
    zero = bottom + scale * low
    parts += [
        path(data, zero, DATA, 1.6),
        path(baseline, zero, BASELINE, 1.2),
        path(fitted, zero, PROGRESSION, 1.4),
        line(LEFT, bottom, WIDTH - RIGHT, bottom, INK),
    ]
    for tick in range(5):
        if PPM[0] <= tick <= PPM[1]:
            parts.append(line(x(tick), bottom, x(tick), bottom + 4, INK))
            parts.append(text(x(tick), bottom + 16, f"{tick}", INK, "middle"))
    for name, place in lines_of(fit):
        parts.append(text(x(place), plot_top + 10, name, FAINT, BESIDE.get(name, "middle"), size=10))
    parts += [
        text(WIDTH - RIGHT, bottom + 16, "ppm", FAINT, "end"),
        text(WIDTH - RIGHT, TOP + 10, words.say("report_spectra_units", language), FAINT, "end", size=10),  # of both
        text(LEFT, 14, title, INK, weight="bold"),
        text(LEFT, TOP + 10, words.say("report_spectra_residual", language), REST, size=10),
        *_key(language),
    ]
    return document(WIDTH, bottom + 22, f"{title}: {numbers_line(fit, language)}", parts)


def _key(language: str) -> list[str]:
    parts, right = [], WIDTH - RIGHT
    for code, colour in (("baseline", BASELINE), ("fit", PROGRESSION), ("data", DATA)):
        label = words.say(f"report_spectra_{code}", language)
        right -= 6.2 * len(label)  # no shorter than the word: each line stands right before its own
        parts.append(text(right, 14, label, INK, size=11))
        parts.append(line(right - 19, 10, right - 5, 10, colour, 2))
        right -= 33
    return parts
