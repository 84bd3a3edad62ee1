"""The timeline's views in Slicer's window: made by the layout, given equal room, and led back to where they looked."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

import slicer

from ..scene.timeline_views import unlinked, view_nodes
from .view_titles import ViewTitles

NEARLY = 0.1


def arrange(application: object, titles: ViewTitles, look: Callable[[], None]) -> None:
    """Titles, equal shares of the window, and where to look, once the layout has made its views.

    The bars of new views know their volumes only after pending events, and until then pull the slice to 0: meanwhile
    nothing is drawn, no view moves another, and keys and mouse wait.
    """
    if slicer.util.mainWindow() is None:
        return
    with unlinked(application), slicer.util.RenderBlocker():
        _settle()
        own_menu_entries(application)
        titles.update(application)
        _settle()  # bars without sliders ask for less room
        even_out()
        _settle()  # a bar that lost its slider asks for less only now
        even_out()
        _settle()
        look()
        _settle()


@contextlib.contextmanager
def window_as_large() -> Iterator[None]:
    """Slicer's window is no larger afterwards: new views ask for more room than they need once they are arranged."""
    window = slicer.util.mainWindow() if slicer.app.layoutManager() is not None else None
    size = None if window is None else (window.width, window.height)
    try:
        yield
    finally:
        if window is not None and not window.isMaximized() and window.width > size[0]:
            window.resize(*size)
            _settle()


def own_menu_entries(application: object) -> None:
    """Gives entries of the bars' menus that are widgets to their menus. Slicer's are children of the very widget that
    they show, which no one deletes: each view that was closed left three of them behind, with all that is in them."""
    import qt  # a session without a desktop has none

    manager = slicer.app.layoutManager()
    for node in view_nodes(application):
        widget = manager.sliceWidget(node.GetLayoutName()) if manager is not None else None
        for entry in widget.sliceController().findChildren(qt.QWidgetAction) if widget is not None else ():
            shown = entry.defaultWidget()
            if shown is not None and entry.parent() == shown and shown.parent() is not None:
                entry.setParent(shown.parent())


def even_out(nearly: bool = False) -> None:
    """Gives all rows and columns of the layout the same share of the window. nearly: only where shares differ by less
    than a tenth, as after the panel or the window got another size, and not where the user wants them to."""
    import qt  # a session without a desktop has none

    manager = slicer.app.layoutManager()
    splitters = manager.viewport().findChildren(qt.QSplitter) if manager is not None else []
    for splitter in splitters:
        sizes = splitter.sizes()
        if not nearly or 1 < max(sizes) - min(sizes) < NEARLY * max(sizes):
            splitter.setSizes([1000] * splitter.count())


def _settle() -> None:
    import qt  # a session without a desktop has none

    qt.QCoreApplication.processEvents(qt.QEventLoop.ExcludeUserInputEvents)
