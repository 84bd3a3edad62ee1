"""``timeline.png``: the visits side by side, the same slice of each, with maps, outlines and the course of the volume.

Columns are visits in their order, rows are what to compare. Everything is cut in one plane of the reference visit,
once, from the native images; grey window and colour scale are the same in every column. What the cells show can come
from elsewhere (``Pictures``); layout, outlines and words are drawn here. The picture never holds the patient's id: only
the title that the caller gives.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np

from ..analysis import Analysis
from ..measures import DISCLAIMER, Image, Measurement, Message, Visit
from . import colours, slices, words
from .aligned import IMAGE_ROWS, MAP_ROWS, Column, Place, Row, carried_regions, choose_place, cut_visit
from .canvas import Canvas, Colour, text_width
from .scales import nice_ticks, nice_top
from .therapy_figure import visit_lines

COLUMNS_PER_BLOCK = 5
WIDTH, HEIGHT = 1600, 1500  # pixels that the pictures of a full block may take
LARGEST_PICTURE = 430
STRIP_COLUMNS, STRIP_ROWS = 4, 2
MARGIN, GAP, LABELS, SCALE = 28, 10, 38, 118
_CUT = 0.3  # share of the time that cutting the visits takes; drawing takes the rest


class Letters(NamedTuple):
    """Heights of letters in pixels."""

    large: int
    middle: int
    small: int


LETTERS = LARGE, MIDDLE, SMALL = Letters(24, 18, 15)
STRIP_WIDTH, STRIP_LETTERS = 430, Letters(15, 12, 11)
"""Pixels at which a page shows the strip, beside a table, and the heights that its letters have there."""
LEGEND_ROWS = 27
# Colour, width and dashes of each kind of outline.
OWN_LINE = (colours.OWN, 2.0, None)
FIXED_LINE = (colours.FIXED, 1.6, (8.0, 8.0))
REFERENCE_LINE = (colours.REFERENCE, 1.8, (3.0, 4.5))


class Pictures(Protocol):
    """What the grey pictures show, when somebody else has drawn them: a scene that people will open. Windows are the
    same for all visits. Maps are laid over them here, in the report's own colours."""

    def cell(self, visit: str, image: str, plane: Image) -> np.ndarray | None:
        """A visit's image, ``(rows, columns, 3)`` from 0 to 1; None where there is none. plane: ``(1, rows, columns)``
        in the reference visit's RAS mm, first row on top; pixels show what lies at its voxel centres. Regions are not
        drawn."""


def sheet(
    analysis: Analysis,
    title: str | None = None,
    language: str = "english",
    pictures: Pictures | None = None,
    not_used: int = 0,
    done: Callable[[float], None] = lambda share: None,
) -> _Sheet:
    """What draws the timeline (``draw``) and its strip for a first page (``draw_strip``). pictures: where the grey
    pictures come from; without it they are made here. not_used: how many visits there are beside those of the
    analysis, which is said. done: is told the share (0 to 1) that is finished; what it raises ends the work.

    Raises InputError ``report_nothing_aligned`` where the reference visit has no T1CE.
    """
    place = choose_place(analysis)
    plane = place.plane(_pixel_size(analysis, place))
    columns = []
    for number, visit in enumerate(analysis.patient.visits):
        columns.append(cut_visit(analysis, visit, plane))
        done(_CUT * (number + 1) / len(analysis.patient.visits))
    note = f"{_place_words(analysis, place, language)} {words.not_used(analysis.patient, not_used, language)}".rstrip()
    return _Sheet(analysis, columns, plane, pictures or _Drawn(columns), note, title, language, done)


def description(analysis: Analysis, language: str = "english") -> str:
    """What the picture shows, for people who cannot see it."""
    volumes = []
    for visit in analysis.patient.visits:
        for row in words.own_values(analysis.measurements, visit, "volume"):
            value = words.quantity(row.value, None, None, row.unit)
            volumes.append(f"{words.date_words(visit, language)}: {value}")
    return words.say("report_timeline_description", language, volumes="; ".join(volumes) or "-")


def _pixel_size(analysis: Analysis, place: Place) -> float:
    """The mm per pixel at which the pictures of a block fit their width and height."""
    across = min(len(analysis.patient.visits), COLUMNS_PER_BLOCK)
    named = {name for _, name in (*analysis.images, *analysis.maps)}
    down = sum(row.name in named for row in (*IMAGE_ROWS, *MAP_ROWS))
    width, height = place.box[:, 1] - place.box[:, 0]
    return max(width / LARGEST_PICTURE, width * across / WIDTH, height * down / HEIGHT)


def _place_words(analysis: Analysis, place: Place, language: str) -> str:
    """Which slice is shown, and why."""
    reference = words.date_words(analysis.patient.visit(analysis.reference_visit), language)
    shown = {"slice": place.number, "slices": place.of, "reference": reference}
    code = "report_slice_best" if place.has_lesion else "report_slice_middle"
    return words.sentence(Message(code, shown), language)


class _Drawn:
    """Grey pictures made from the cut visits, through one window for all of them."""

    def __init__(self, columns: list[Column]):
        self.columns = {column.visit.id: column for column in columns}
        images = dict.fromkeys(name for column in columns for name in column.images)
        self.windows = {name: self._window(name) for name in images}

    def cell(self, visit: str, image: str, plane: Image) -> np.ndarray | None:
        """As ``Pictures.cell``, in the plane that the visits were cut in."""
        column = self.columns[visit]
        if image not in column.images:
            return None
        levels, low, high = self.windows[image]
        return slices.grey(column.images[image], levels[visit], low, high)

    def _window(self, name: str) -> tuple[dict[str, float], float, float]:
        """Grey level by visit id and the common window of an image."""
        shown = [column for column in self.columns.values() if name in column.images]
        lesions = np.maximum.reduce([column.own for column in self.columns.values()]) >= 0.5
        levels, low, high = slices.common_window(
            [column.images[name] for column in shown], [column.brain for column in shown], lesions
        )
        return {column.visit.id: level for column, level in zip(shown, levels, strict=True)}, low, high


class _Sheet:
    """The layout: heads, rows of pictures, scales and volumes for each block of columns, then legend, course, notes."""

    def __init__(
        self,
        analysis: Analysis,
        columns: list[Column],
        plane: Image,
        pictures: Pictures,
        note: str,
        title: str | None,
        language: str,
        done: Callable[[float], None],
    ):
        self.analysis, self.columns, self.note, self.title = analysis, columns, note, title
        self.done, self.drawn, self.letters = done, 0, LETTERS
        self.language = language
        # rows of maps and the strip show the same pictures again
        self.cell = functools.cache(lambda visit, image: pictures.cell(visit, image, plane))
        _, self.height, self.width = plane.shape
        self.across = min(len(columns), COLUMNS_PER_BLOCK)
        self.maps = [row for row in MAP_ROWS if any(row.name in column.maps for column in columns)]
        self.rows = [row for row in IMAGE_ROWS if any(row.name in column.images for column in columns)] + self.maps

    def draw(self) -> np.ndarray:
        """The whole picture as pixels ``(rows, columns, 3)`` from 0 to 1."""
        blocks = [self.columns[first : first + self.across] for first in range(0, len(self.columns), self.across)]
        head, foot = 82, 24 * max(len(self._volume_lines(column.visit)) for column in self.columns) + 16
        block_rows = head + len(self.rows) * (self.height + GAP) + foot
        course_rows = 260 if self._volumes() else 0
        columns = MARGIN + LABELS + self.across * (self.width + GAP) + (SCALE if self.maps else 0) + MARGIN
        columns = max(columns, 960)
        notes = 22 * len(_lines(self.note, columns - 2 * MARGIN)) + 36
        rows = 2 * MARGIN + 62 + len(blocks) * block_rows + LEGEND_ROWS * len(self._legend()) + course_rows + notes
        self.canvas = Canvas(rows, columns, colours.PAPER)
        self.left, self.right = MARGIN + LABELS, MARGIN + LABELS + self.across * (self.width + GAP) - GAP
        row = MARGIN
        self.canvas.text(
            self.title or self.say("report_timeline_title"), row + 14, MARGIN, LARGE, colours.INK, bold=True
        )
        row += 44
        for block in blocks:
            self._draw_block(block, row, head)
            row += block_rows
        self._draw_legend(row)
        row += LEGEND_ROWS * len(self._legend()) + 18
        if course_rows:
            self._draw_course(row, course_rows - 20, columns)
            row += course_rows
        for line in _lines(self.note, columns - 2 * MARGIN):
            self.canvas.text(line, row + 12, MARGIN, SMALL, colours.FAINT_INK)
            row += 22
        self.canvas.text(DISCLAIMER, row + 20, MARGIN, MIDDLE, colours.INK, bold=True)
        return self.canvas.pixels

    def draw_strip(self) -> np.ndarray:
        """The last visits alone, anatomy and the first map, with their dates: ``STRIP_COLUMNS`` and ``STRIP_ROWS`` at
        most, in letters that can be read where the whole is shown small."""
        rows = [*self.rows[:1], *self.maps[: STRIP_ROWS - 1]]
        shown = self.columns[-STRIP_COLUMNS:]
        width = 2 * MARGIN + LABELS + len(shown) * (self.width + GAP) + (SCALE if len(rows) > 1 else 0)
        self.letters = Letters(*(round(size * width / STRIP_WIDTH) for size in STRIP_LETTERS))
        head = 2 * self.letters.large + self.letters.small
        self.canvas = Canvas(head + len(rows) * (self.height + GAP), width, colours.PAPER)
        self.left = MARGIN + LABELS
        self._draw_pictures(shown, rows, 0, head)
        self.letters = LETTERS
        return self.canvas.pixels

    def say(self, code: str, **parameters) -> str:
        """A label in the picture's language."""
        return words.say(code, self.language, **parameters)

    def _draw_block(self, block: list[Column], top: int, head: int) -> None:
        self._draw_pictures(block, self.rows, top, head)
        for number, column in enumerate(block):
            left = self.left + number * (self.width + GAP)
            self._draw_volumes(column.visit, top + head + len(self.rows) * (self.height + GAP), left)

    def _draw_pictures(self, block: list[Column], rows: list[Row], top: int, head: int) -> None:
        for number, column in enumerate(block):
            left = self.left + number * (self.width + GAP)
            self._draw_head(column.visit, top, left)
            for place, row in enumerate(rows):
                row_top = top + head + place * (self.height + GAP)
                self._draw_cell(column, row, row_top, left)
        for place, row in enumerate(rows):
            row_top = top + head + place * (self.height + GAP)
            middle = row_top + self.height / 2
            self.canvas.text(
                self._row_label(row),
                middle,
                MARGIN + 12,
                self.letters.middle,
                colours.INK,
                bold=True,
                across=0.5,
                upwards=True,
            )
            if row in self.maps:
                self._draw_scale(row, row_top, self.left + len(block) * (self.width + GAP) + 8)

    def _row_label(self, row: Row) -> str:
        label = self.say(row.label)
        return self.say("report_row_over", what=label, base=self.say("report_row_t1ce")) if row in self.maps else label

    def _draw_head(self, visit: Visit, top: int, left: int) -> None:
        centre = left + self.width / 2
        date = words.date_words(visit, self.language)
        large, small = self.letters.large, self.letters.small
        self.canvas.text(date, top + large - 2, centre, large, colours.INK, bold=True, across=0.5)
        day = words.day_words(self.analysis.patient, visit, self.language)
        if self.letters is not LETTERS:
            day = words.short_day_words(self.analysis.patient, visit, self.language)
        for number, line in enumerate(_lines(day, self.width)):
            self.canvas.text(line, top + 2 * large + 20 * number, centre, small, colours.FAINT_INK, across=0.5)

    def _draw_cell(self, column: Column, row: Row, top: int, left_edge: int) -> None:
        """One picture with its outlines and the letters of the patient's sides, or a field that says what is absent."""
        self.drawn += 1
        self.done(min(_CUT + (1 - _CUT) * self.drawn / (len(self.columns) * len(self.rows)), 1.0))
        image = "T1CE" if row in self.maps else row.name
        there = image in column.images and (row not in self.maps or row.name in column.maps)
        cell = self.cell(column.visit.id, image) if there else None
        if cell is None:
            self.canvas.fill(top, left_edge, self.height, self.width, colours.ABSENT)
            absent = self.say("report_absent", what=self.say(row.label))
            if "T1CE" not in column.images:
                absent = self.say("report_not_aligned")
            centre = left_edge + self.width / 2
            self.canvas.text(absent, top + self.height / 2, centre, self.letters.middle, colours.FAINT_INK, across=0.5)
            return
        pixels = np.array(cell, dtype=float)
        if row in self.maps:
            slices.lay_over(pixels, *column.maps[row.name], row.top)
        slices.draw_outline(pixels, column.reference, *REFERENCE_LINE)
        slices.draw_outline(pixels, column.fixed, *FIXED_LINE)
        slices.draw_outline(pixels, column.own, *OWN_LINE)
        self.canvas.paste(pixels, top, left_edge)
        right, left = self.say("report_right_letter"), self.say("report_left_letter")
        size = self.letters.middle
        self.canvas.text(right, top + size - 2, left_edge + 8, size, colours.PAPER, bold=True, halo=True)
        right_edge = left_edge + self.width - 8
        self.canvas.text(left, top + size - 2, right_edge, size, colours.PAPER, bold=True, across=1.0, halo=True)

    def _draw_volumes(self, visit: Visit, top: int, left: int) -> None:
        for number, (line, bold) in enumerate(self._volume_lines(visit)):
            colour = colours.INK if bold else colours.FAINT_INK
            centre = left + self.width / 2
            self.canvas.text(line, top + 14 + 24 * number, centre, MIDDLE, colour, bold=bold, across=0.5)

    def _volume_lines(self, visit: Visit) -> list[tuple[str, bool]]:
        """The volumes of the visit's own lesions (bold), each with its change since an earlier visit, then its
        diameters and categories; none is wider than the picture."""
        lines = []
        for value in words.own_values(self.analysis.measurements, visit, "volume"):
            lines.append((f"{value.region}: {words.quantity(value.value, None, None, value.unit)}", True))
            for row in self.analysis.measurements:
                same = (row.visit, row.region, row.kind) == (value.visit, value.region, value.kind)
                if same and row.name == "volume_percent" and row.value is not None:
                    since = words.date_words(self.analysis.patient.visit(row.compared_to), self.language)
                    lines.append((self.say("report_change_since", change=f"{row.value:+.0f} %", visit=since), False))
        lines += [(line, False) for line in visit_lines(self.analysis, visit.id, self.language)]
        return [(part, bold) for line, bold in lines for part in _lines(line, self.width, MIDDLE, bold)]

    def _draw_scale(self, row: Row, top: int, left: int) -> None:
        """The colour scale of a map: 0 at the bottom, at the top what it ends with and everything above."""
        small = self.letters.small
        bar_top, bar_rows = top + 11 + small, self.height - 22 - 2 * small
        bar = colours.heat(np.linspace(1, 0, bar_rows))
        self.canvas.fill(bar_top - 1, left - 1, bar_rows + 2, 20, colours.INK)
        self.canvas.paste(np.repeat(bar[:, np.newaxis], 18, axis=1), bar_top, left)
        for value in nice_ticks(row.top):
            y = bar_top + (1 - value / row.top) * (bar_rows - 1)
            label = f"\u2265 {value:g}" if value == row.top else f"{value:g}"
            self.canvas.line([[y, left + 18], [y, left + 23]], 1.2, colours.INK)
            self.canvas.text(label, y, left + 28, small, colours.INK)
        unit = next(self.analysis.maps[key].unit for key in self.analysis.maps if key[1] == row.name)
        above = self.say("report_ratio") if unit == "1" else unit
        self.canvas.text(above, top + small // 2 - 1, left, small, colours.FAINT_INK)

    def _legend(self) -> list[tuple[str, Colour, float, tuple[float, float] | None]]:
        """What the outlines mean, only those that are there: words and line."""
        drawn_in = sorted(
            {
                words.date_words(self.analysis.patient.visit(region.visit), self.language)
                for region in carried_regions(self.analysis)
            }
        )
        entries = []
        if any(column.own.any() for column in self.columns):
            entries.append((self.say("report_legend_own"), *OWN_LINE))
        if drawn_in:
            entries.append((self.say("report_legend_fixed", visits=", ".join(drawn_in)), *FIXED_LINE))
        if any(column.reference.any() for column in self.columns):
            entries.append((self.say("report_legend_reference"), *REFERENCE_LINE))
        return entries

    def _draw_legend(self, top: int) -> None:
        for number, (text, colour, width, dash) in enumerate(self._legend()):
            row = top + 13 + LEGEND_ROWS * number
            self.canvas.fill(row - 11, self.left, 22, 46, colours.INK)
            self.canvas.line([[row, self.left + 6], [row, self.left + 40]], width, colour, dash)
            self.canvas.text(text, row, self.left + 54, SMALL, colours.INK)

    def _volumes(self) -> dict[str, list[Measurement]]:
        """Own volumes with a value and a date by region, in date order, where there are two or more."""
        found: dict[str, list[Measurement]] = {}
        for visit in self.analysis.patient.visits:
            for row in words.own_values(self.analysis.measurements, visit, "volume"):
                if visit.date is not None:
                    found.setdefault(row.region, []).append(row)
        return found if any(len(rows) > 1 for rows in found.values()) else {}

    def _draw_course(self, top: int, rows: int, columns: int) -> None:
        """Lesion volume over true dates with its intervals."""
        found = self._volumes()
        dates = {visit.id: visit.date for visit in self.analysis.patient.visits if visit.date is not None}
        days = {visit: (date - min(dates.values())).days for visit, date in dates.items()}
        end = nice_top(max(row.high or row.value for series in found.values() for row in series))
        left, right = self.left + 50, max(self.right, 700) - 50
        low, high = top + rows - 40, top + 48
        self.canvas.text(self.say("report_course_title"), top + 8, self.left, MIDDLE, colours.INK, bold=True)

        def place(visit: str, value: float) -> np.ndarray:
            share = days[visit] / max(max(days.values()), 1)
            return np.array([low - value / end * (low - high), left + 50 + share * (right - left - 100)])

        for value in nice_ticks(end):
            y = low - value / end * (low - high)
            self.canvas.line([[y, left], [y, right]], 1.0, colours.GRID)
            self.canvas.text(f"{value:g}", y, left - 8, SMALL, colours.FAINT_INK, across=1.0)
        for series in found.values():
            points = [place(row.visit, row.value) for row in series]
            if len(points) > 1:
                self.canvas.line(points, 2.4, colours.INK)
            for row, point in zip(series, points, strict=True):
                if row.low is not None and row.high is not None:
                    self.canvas.line([place(row.visit, row.low), place(row.visit, row.high)], 1.6, colours.INK)
                self.canvas.disc(*point, 5.5, colours.INK)
                above = place(row.visit, row.high or row.value)[0] - 16
                label = words.quantity(row.value, None, None, row.unit)
                self.canvas.text(label, above, point[1], MIDDLE, colours.INK, bold=True, across=0.5)
        shown = -math.inf
        for visit in sorted(days, key=days.get):
            column = place(visit, 0)[1]
            self.canvas.line([[low, column], [low + 6, column]], 1.4, colours.INK)
            if column - shown > 110:
                self.canvas.text(dates[visit].isoformat(), low + 20, column, SMALL, colours.INK, across=0.5)
                shown = column


def _lines(words_: str, width: int, size: int = SMALL, bold: bool = False) -> list[str]:
    """Words broken into lines of text that fit a width in pixels."""
    lines = [""]
    for word in words_.split():
        longer = f"{lines[-1]} {word}".strip()
        if text_width(longer, size, bold) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines
