"""What each view of the timeline shows, written into the view itself: its bar is too narrow for a date beside a slider.

The views are Slicer's own; what is added here goes with them.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import slicer
import vtk
from slicer.util import VTKObservationMixin

from ..scene import check_view, timeline
from ..scene.nodes import patient_node
from ..scene.timeline_layout import enlarged_view
from ..scene.timeline_look import letters
from ..scene.timeline_overlays import fit_legends, legend_units
from ..scene.timeline_rows import page_of, shown_rows, state_of
from ..scene.timeline_views import column_of, exchanged, row_of, title_of

LOWER_RIGHT, UPPER_LEFT, RIGHT_EDGE, LEFT_EDGE = 1, 2, 5, 6  # places of vtkCornerAnnotation
SIZE = 13  # points
CHARACTER = 7.0  # pixels that a character of this size takes, on average
LABEL, A_DATE, DATE = "PPAViewLabel", "2023-05-08", re.compile(r"\d{4}-\d\d-\d\d")
BUTTONS, SLIDER, NUMBER = 110, 50, 105  # pixels that the buttons of a bar, a slider and its number take at least


class ViewTitles(VTKObservationMixin):
    """Date, days since radiotherapy and row in the upper left corner of each view, and at its sides which side of the
    patient lies there; below a colour legend its unit. Where another module put a volume of its own into a view, that
    is its title. ``resized()`` is called when a view is new or got another width, and its title may need other lines;
    ``exchanged()`` when a view got other images, see ``catch_up``; ``moved()`` with each step of a scroll."""

    def __init__(self):
        VTKObservationMixin.__init__(self)
        self.resized: Callable[[], None] = lambda: None
        self.exchanged: Callable[[], None] = lambda: None
        self.moved: Callable[[], None] = lambda: None
        self._corners: dict[str, tuple[object, object]] = {}
        self._sizes: dict[str, tuple[int, ...]] = {}
        self._bars: dict[str, tuple[str, Callable[[], None]]] = {}
        self._images: dict[str, tuple[str, str]] = {}
        self._others: dict[str, str] = {}  # titles of views that show something else than their row
        self._behind = False

    def update(self, application: object) -> None:
        """Writes the titles as the timeline is now, and gives all bars the same width."""
        patient, manager = patient_node(application.scene), slicer.app.layoutManager()
        if manager is None or patient is None or not patient.GetText():  # a saved scene opens: its text comes last
            return
        self._behind = False
        rows, page = shown_rows(patient), page_of(patient)
        alone = enlarged_view(application)
        width = manager.viewport().width / (max(state_of(patient).get("columns", 1), 1) if alone is None else 1)
        views = [(node, manager.sliceWidget(node.GetLayoutName())) for node in timeline.view_nodes(application)]
        views = [(node, widget) for node, widget in views if widget is not None]
        fit_legends(patient)
        units = legend_units(patient)
        for node, widget in views:
            row, room = row_of(node), min(width, widget.width)  # the user may have made its column narrower
            corner = self._corner(node, widget)
            title, other = title_of(patient, rows[row]) if row < len(rows) else "", check_view.beside(patient, node)
            title = f"{title} with {other}" if other else title  # two visits in one view are never under one date
            images = self._follow_images(node)
            strange = "" if other else exchanged(patient, page, rows, node)
            self._others[node.GetLayoutName()] = strange
            said = lines("", strange, room) if strange else lines(node.GetLayoutLabel(), title, room)
            _write(corner, UPPER_LEFT, "\n".join(said), widget)
            unit = units.get(node.GetID(), "") if images[1] else ""
            _write(corner, LOWER_RIGHT, short_unit(unit, width), widget)
            self._changed(node)
            with_slider = bool(images[0]) and (column_of(node) == 0 or node is alone)
            self._bar(node, widget, with_slider, room)

    def catch_up(self, application: object) -> None:
        """The titles follow images that were exchanged since they were written: a label and a picture never part."""
        if self._behind:
            self.update(application)

    def forget(self) -> None:
        """The views are gone."""
        self.removeObservers()
        for renderer, corner in self._corners.values():
            renderer.RemoveViewProp(corner)
        self._corners.clear()
        self._sizes.clear()
        self._bars.clear()
        self._images.clear()
        self._others.clear()

    def _label_of(self, node: object) -> str:
        return self._others.get(node.GetLayoutName()) or node.GetLayoutLabel()

    def _follow_images(self, node: object) -> tuple[str, str]:
        """The ids of the images that a view shows; it is told when they become others."""
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(node)
        if not self.hasObserver(composite, vtk.vtkCommand.ModifiedEvent, self._images_changed):
            self.addObserver(composite, vtk.vtkCommand.ModifiedEvent, self._images_changed)
        images = self._images[node.GetLayoutName()] = _images(composite)
        return images

    def _images_changed(self, composite: object, event: object = None) -> None:
        name, images = composite.GetLayoutName(), _images(composite)
        if self._images.get(name, images) != images:
            self._images[name] = images
            self._behind = True
            self.exchanged()

    def _bar(self, node: object, widget: object, with_slider: bool, width: float) -> None:
        name = node.GetLayoutName()

        def fit_again() -> None:
            present = slicer.app.layoutManager().sliceWidget(name)  # the layout may have made it again
            if present is not None:
                self._bar(node, present, with_slider, present.width)

        self._bars[name] = self._label_of(node), fit_again
        _fit_bar(widget.sliceController(), self._label_of(node), with_slider, width)

    def _corner(self, node: object, widget: object) -> object:
        name = node.GetLayoutName()
        renderer = widget.sliceView().renderWindow().GetRenderers().GetFirstRenderer()
        known = self._corners.get(name)
        if known is not None and known[0] is renderer and renderer.HasViewProp(known[1]):
            return known[1]
        corner = vtk.vtkCornerAnnotation()
        corner.SetMaximumFontSize(SIZE)
        corner.SetMinimumFontSize(SIZE)
        corner.SetNonlinearFontScaleFactor(1)
        corner.GetTextProperty().SetColor(1.0, 1.0, 1.0)
        corner.GetTextProperty().SetShadow(True)
        renderer.AddViewProp(corner)
        widget.sliceView().cornerAnnotation().SetVisibility(False)  # Slicer's names of the volumes would lie under ours
        self._corners[name] = renderer, corner
        self._sizes[name] = _size(node)
        self._bars.pop(name, None)
        self.resized()
        if not self.hasObserver(node, vtk.vtkCommand.ModifiedEvent, self._changed):
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self._changed)
        return corner

    def _changed(self, node: object, event: object = None) -> None:
        """A view that was turned shows other sides. Called with each step of a scroll: it must cost nothing."""
        name = node.GetLayoutName()
        if name not in self._corners:
            return
        if event is not None:
            self.moved()
        corner = self._corners[name][1]
        left, right = letters(node)
        if corner.GetText(LEFT_EDGE) != left or corner.GetText(RIGHT_EDGE) != right:
            corner.SetText(LEFT_EDGE, left)
            corner.SetText(RIGHT_EDGE, right)
        label, fit_again = self._bars.get(name, ("", None))
        new_size = _size(node) != self._sizes.get(name)
        if fit_again is not None and (new_size or label != self._label_of(node)):
            fit_again()
        if new_size:
            self._sizes[name] = _size(node)
            self.resized()


def _size(node: object) -> tuple[int, ...]:
    """Width and height (pixels): legends are fitted to the one, titles to the other."""
    return tuple(node.GetDimensions()[:2])


def _images(composite: object) -> tuple[str, str]:
    """Ids of the image and of what lies over it."""
    return composite.GetBackgroundVolumeID() or "", composite.GetForegroundVolumeID() or ""


def lines(label: str, row: str, width: float) -> list[str]:
    """Title and row of a view in as many lines as its width (pixels) needs."""
    fits = (width - 2 * CHARACTER) / CHARACTER
    dated = [label] if len(label) <= fits else label.split(", ")
    what = [row] if len(row) <= fits else row.replace(" over ", "\nover ").split("\n")
    return [line for line in (*dated, *what) if line]


def short_unit(unit: str, width: float) -> str:
    """The unit of a legend beside the brain: where a third of the view (width in pixels) has no room for all of it,
    what it is compared with is left to the row's title, and to the view when it is enlarged."""
    return unit if len(unit) * CHARACTER < width / 3 else unit.split(" to ")[0].split(" of ")[0]


def bar_label(label: str, fits: Callable[[str], bool]) -> str:
    """As much of a title as the bar of its view has room for, in whole words: of ``2023-05-08, day 7, since
    2023-03-13`` all, without the last, the first, its month and day, or nothing."""
    parts = label.split(", ")
    shorter = [", ".join(parts[:number]) for number in range(len(parts), 0, -1)]
    date = parts[0].split(":")[0]  # a view that is empty says why
    shorter += [date, date[5:]] if DATE.fullmatch(date) else [date]
    return next((text for text in shorter if fits(text)), "")


def _write(corner: object, place: int, text: str, widget: object) -> None:
    if corner.GetText(place) != text:
        corner.SetText(place, text)
        widget.sliceView().scheduleRender()


def _label(bar: object) -> object:
    """The label of a bar, our own: Slicer writes all of a view's title into its own with each step of a scroll, and
    what does not fit is cut at both ends. slicer.util's own search looks at each child in Python: 10 ms a bar."""
    import qt  # a session without a desktop has none

    label = bar.findChild(qt.QLabel, LABEL)
    if label is None:
        full = bar.findChild(qt.QLabel, "ViewLabel")
        label = qt.QLabel(full.parent())
        label.objectName = LABEL
        label.styleSheet = full.styleSheet
        label.setAlignment(full.alignment)
        row = full.parent().layout()
        row.insertWidget(row.indexOf(full), label)
        full.visible = False
    return label


def _fit_bar(bar: object, text: str, with_slider: bool, width: float) -> None:
    """One slider moves all views: it stands in the first column, and in a view that is shown alone. What does not fit
    gives way, so that no bar is wider than its column: the number beside the slider, then words of the label, which
    the view's corner says too; the date last."""
    import qt  # a session without a desktop has none

    slider, label = bar.sliceOffsetSlider(), _label(bar)
    slider.visible = with_slider
    slider.setSizePolicy(qt.QSizePolicy.Ignored, qt.QSizePolicy.Preferred)  # it takes what the label leaves
    slider.parent().layout().setStretchFactor(slider, 1)
    long = label.fontMetrics().horizontalAdvance
    room = width - BUTTONS - (SLIDER if with_slider else 0)
    label.text = bar_label(text, lambda part: long(part) < room)
    label.setMinimumWidth(min(long(label.text), long(A_DATE)))  # the slider gives way, and the window can be narrower
    label.visible = bool(label.text) or not with_slider
    slider.spinBoxVisible = with_slider and long(label.text) + NUMBER < room
