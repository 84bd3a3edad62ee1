"""A drawing surface without any graphics library: rectangles, lines, pictures and text into a PNG.

Positions are ``(row, column)`` in pixels from the top left corner; colours are three numbers from 0 to 1.
"""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import ArrayLike
from scipy import ndimage
from scipy.spatial import cKDTree
from vtkmodules.util.numpy_support import numpy_to_vtk, vtk_to_numpy
from vtkmodules.vtkCommonDataModel import vtkImageData
from vtkmodules.vtkIOImage import vtkPNGWriter
from vtkmodules.vtkRenderingCore import vtkTextProperty
from vtkmodules.vtkRenderingFreeType import vtkFreeTypeTools

from ..measures import DISCLAIMER

Colour = tuple[float, float, float]

_HALO = 4  # pixels that the halo of words reaches, and that words keep from the edges
_STEP = 0.25  # pixels between the points that stand for a line
_RESOLUTION = 72  # at 72 dots per inch a font size in points is one in pixels


class Canvas:
    """A picture to draw on.

    pixels: float ``(rows, columns, 3)`` from 0 to 1.
    """

    def __init__(self, rows: int, columns: int, colour: Colour):
        self.pixels = np.full((rows, columns, 3), colour, dtype=float)

    def paste(self, picture: np.ndarray, row: int, column: int) -> None:
        """Lays a picture ``(rows, columns, 3)`` with its top left corner here."""
        self.pixels[row : row + picture.shape[0], column : column + picture.shape[1]] = picture

    def fill(self, row: int, column: int, rows: int, columns: int, colour: Colour) -> None:
        """Fills a rectangle."""
        self.pixels[row : row + rows, column : column + columns] = colour

    def line(self, points: ArrayLike, width: float, colour: Colour, dash: tuple[float, float] | None = None) -> None:
        """Draws a smooth line through points ``(n, 2)``; dash: lengths drawn and left out, in pixels."""
        stroke(self.pixels, [np.asarray(points, dtype=float)], width, colour, dash)

    def disc(self, row: float, column: float, radius: float, colour: Colour) -> None:
        """Draws a filled disc."""
        self.line([(row, column)], 2 * radius, colour)

    def text(
        self,
        words: str,
        row: float,
        column: float,
        size: int,
        colour: Colour,
        *,
        bold: bool = False,
        across: float = 0.0,
        down: float = 0.5,
        upwards: bool = False,
        halo: bool = False,
    ) -> None:
        """Writes words; across and down (0 to 1) say which part of their box lies here, upwards turns them left, a halo
        makes them readable on any ground."""
        alpha = _glyphs(words, size, bold)
        if upwards:
            alpha = np.rot90(alpha)
        top = max(round(row - down * alpha.shape[0]), _HALO)
        left = max(round(column - across * alpha.shape[1]), _HALO)
        if halo:
            shade = np.clip(3 * ndimage.gaussian_filter(np.pad(alpha, _HALO), 1.5), 0, 1)
            self._lay(shade, top - _HALO, left - _HALO, (0.0, 0.0, 0.0))
        self._lay(alpha, top, left, colour)

    def _lay(self, alpha: np.ndarray, top: int, left: int, colour: Colour) -> None:
        """Lays a colour on the canvas; what reaches beyond its right and lower edge is cut off."""
        place = self.pixels[top : top + alpha.shape[0], left : left + alpha.shape[1]]
        blend(place, alpha[: place.shape[0], : place.shape[1]], colour)

    def png(self) -> bytes:
        """The picture as a PNG file, the disclaimer among its text fields."""
        return png(self.pixels)


def blend(pixels: np.ndarray, alpha: np.ndarray, colour) -> None:
    """Lays a colour over pixels ``(rows, columns, 3)`` in place, as thick as alpha ``(rows, columns)`` from 0 to 1."""
    pixels += alpha[..., np.newaxis] * (np.asarray(colour) - pixels)


def stroke(
    pixels: np.ndarray,
    lines: list[np.ndarray],
    width: float,
    colour: Colour,
    dash: tuple[float, float] | None = None,
) -> None:
    """Draws smooth lines, each through points ``(n, 2)``, into pixels; what lies outside of them is cut off.

    A pixel is covered by as much as its centre lies inside a line, one pixel wide at the edge; ends are round.
    """
    drawn = np.concatenate([_along(line, dash) for line in lines])
    reach = width / 2 + 0.5
    first = np.maximum(np.ceil(drawn.min(axis=0) - reach).astype(int), 0)
    last = np.minimum(np.floor(drawn.max(axis=0) + reach).astype(int) + 1, pixels.shape[:2])
    if np.any(last <= first):
        return
    window = pixels[first[0] : last[0], first[1] : last[1]]
    centres = np.stack(np.mgrid[first[0] : last[0], first[1] : last[1]], axis=-1)
    distance, _ = cKDTree(drawn).query(centres, distance_upper_bound=reach)
    blend(window, np.clip(reach - distance, 0, 1), colour)


def text_width(words: str, size: int, bold: bool = False) -> int:
    """How many pixels words take."""
    return _glyphs(words, size, bold).shape[1]


def png(pixels: np.ndarray) -> bytes:
    """A picture ``(rows, columns, 3)`` from 0 to 1 as a PNG file, the disclaimer among its text fields."""
    stored = (np.clip(pixels[::-1], 0, 1) * 255 + 0.5).astype(np.uint8)
    image = vtkImageData()
    image.SetDimensions(stored.shape[1], stored.shape[0], 1)
    image.GetPointData().SetScalars(numpy_to_vtk(stored.reshape(-1, 3), deep=True))
    writer = vtkPNGWriter()
    writer.SetInputData(image)
    writer.AddText("Disclaimer", DISCLAIMER)
    writer.WriteToMemoryOn()
    writer.Write()
    return vtk_to_numpy(writer.GetResult()).tobytes()


@functools.lru_cache(maxsize=512)
def _glyphs(words: str, size: int, bold: bool) -> np.ndarray:
    """Words as coverage ``(rows, columns)`` from 0 to 1, all of one height for one size."""
    style = vtkTextProperty()
    style.SetFontFamilyToArial()
    style.SetFontSize(size)
    style.SetBold(bold)
    image, extent = vtkImageData(), [0, 0]
    if not words or not vtkFreeTypeTools.GetInstance().RenderString(style, words, _RESOLUTION, image, extent):
        return np.zeros((size, 0))
    columns, rows, _ = image.GetDimensions()
    pixels = vtk_to_numpy(image.GetPointData().GetScalars()).reshape(rows, columns, -1)
    # The image is padded to powers of two above and to the right of the text.
    return pixels[: extent[1], : extent[0], 3][::-1] / 255.0


def _along(line: np.ndarray, dash: tuple[float, float] | None) -> np.ndarray:
    """Points ``(n, 2)`` close to one another along a line, where its dashes are drawn."""
    position = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    wanted = np.linspace(0, position[-1], math.ceil(position[-1] / _STEP) + 1)
    if dash is not None:
        wanted = wanted[wanted % sum(dash) <= dash[0]]
    return np.stack([np.interp(wanted, position, line[:, axis]) for axis in range(2)], axis=-1)
