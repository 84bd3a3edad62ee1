"""Grey windows of one kind of image, matched across the visits: what is set in one visit holds for all."""

from __future__ import annotations

import json
from collections.abc import Sequence

import numpy as np

from .nodes import Kind, linked, mark, marked

Window = tuple[float, float]
"""Black and white level, in the image's own unit."""


def keep_matched(node: object, window: Window) -> None:
    """Remembers the window in which equal tissue looks as in the other visits (``display.grey_windows``)."""
    mark(node, window=json.dumps([float(level) for level in window]))


def window_of(node: object) -> Window:
    """The window that an image is shown in."""
    display = node.GetDisplayNode()
    return display.GetWindowLevelMin(), display.GetWindowLevelMax()


def set_by_user(node: object) -> bool:
    """Whether an image is shown in another window than the one that was matched for it."""
    black, white = _matched(node)
    return white > black and not np.allclose(window_of(node), (black, white), rtol=0, atol=1e-4 * (white - black))


def match_windows(patient: object, node: object, but: Sequence[object] = ()) -> None:
    """Gives the same kind of image of all other visits, but for these, the window that one has now: each level lies as
    far from the black and the white of its own matched window as it does there. Nothing where a matched window is not
    known."""
    black, white = _matched(node)
    if not white > black:
        return
    shares = [(level - black) / (white - black) for level in window_of(node)]
    for other in linked(patient, Kind.IMAGE):
        low, high = _matched(other)
        if other is node or other in but or marked(other, "name") != marked(node, "name") or not high > low:
            continue
        window = [low + share * (high - low) for share in shares]
        if not np.allclose(window_of(other), window, rtol=1e-6, atol=1e-6 * (high - low)):
            display = other.GetDisplayNode()
            change = display.StartModify()
            display.SetAutoWindowLevel(False)
            display.SetWindowLevelMinMax(*window)
            display.EndModify(change)


def _matched(node: object) -> Window:
    """The remembered window; both levels equal where there is none."""
    black, white = json.loads(marked(node, "window") or "[0, 0]")
    return black, white
