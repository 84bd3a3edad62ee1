"""Views that are drawn one after the other, each in a turn of the event loop of its own.

Slicer draws all views that changed in one turn: a second of silence where a timeline of many views is new. Here nothing
is drawn while views change, and then one view at a turn, so that keys, the pointer and *Cancel* are heard between them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Container, Iterator

import slicer

from ..scene.timeline_layout import TAG

PREFIX = TAG.split("{")[0]
"""How names of the timeline's views begin."""
_depth = 0


@contextlib.contextmanager
def drawn_one_by_one(pause: Callable[[], None] | None = None) -> Iterator[None]:
    """Nothing is drawn inside; afterwards every view on the screen, with ``pause`` between two of them (by default one
    turn of the event loop). What pause raises is raised here, and the views are then drawn by Slicer when it comes to
    it. Within another ``drawn_one_by_one``, the outer one draws."""
    global _depth
    slicer.app.pauseRender()
    _depth += 1
    try:
        yield
    finally:
        _depth -= 1
        waiting = _views() if _depth == 0 else []
        for view in waiting:
            view.pauseRender()
        slicer.app.resumeRender()
        try:
            while waiting:
                view = waiting.pop(0)
                if view:  # the layout may have changed since
                    view.resumeRender()
                    view.forceRender()
                (pause or slicer.app.processEvents)()
        finally:
            for view in waiting:
                if view:
                    view.resumeRender()


def veil_new_views(known: Container[str] = ()) -> None:
    """Hides the inside of the timeline's views that are in no layout yet: a layout that shows many of them for the
    first time makes all their pictures on the graphics card in one turn. known: views that stay as they are."""
    for name in (name for name in _timeline_names() if name not in known):
        widget = slicer.app.layoutManager().sliceWidget(name)
        if widget is not None and not widget.visible:
            widget.sliceView().visible = False


def unveil(pause: Callable[[], None]) -> None:
    """Shows the inside of such views, one at a turn; of all of them also where pause raises."""
    widgets = [slicer.app.layoutManager().sliceWidget(name) for name in _timeline_names()]
    hidden = [widget.sliceView() for widget in widgets if widget is not None and widget.sliceView().isHidden()]
    try:
        while hidden:
            view = hidden.pop(0)
            if view:  # the layout may have changed since
                view.visible = True
                pause()
    finally:
        for view in hidden:
            if view:
                view.visible = True


@contextlib.contextmanager
def new_views_veiled(pause: Callable[[], None]) -> Iterator[Callable[[], None]]:
    """Gives a pause between views being made that hides the inside of those that were not there before. Afterwards
    they are shown one at a turn; at once where an error ends it, for a view must not stay black."""
    known = set(_timeline_names())
    try:
        yield lambda: (veil_new_views(known), pause())
    except BaseException:
        unveil(lambda: None)
        raise
    unveil(pause)


def _timeline_names() -> list[str]:
    manager = slicer.app.layoutManager()
    return [name for name in manager.sliceViewNames() if name.startswith(PREFIX)] if manager is not None else []


def _slice_widgets() -> list[object]:
    manager = slicer.app.layoutManager()
    widgets = [manager.sliceWidget(name) for name in manager.sliceViewNames()] if manager is not None else []
    return [widget for widget in widgets if widget is not None]


def _views() -> list[object]:
    """The slice and 3D views of the layout that are on the screen."""
    manager = slicer.app.layoutManager()
    if manager is None:
        return []
    volumes = [manager.threeDWidget(number) for number in range(manager.threeDViewCount)]
    views = [*(each.sliceView() for each in _slice_widgets()), *(each.threeDView() for each in volumes if each)]
    return [view for view in views if view.visible]
