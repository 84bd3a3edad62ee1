"""The timeline's place in the layout of Slicer: columns side by side, the layout from before restored."""

from __future__ import annotations

from xml.sax.saxutils import escape

import slicer

from . import nodes
from .application import Application
from .focus import ORIENTATION
from .nodes import mark, marked
from .timeline_rows import Row

LAYOUT_ID = 730719
VIEW_GROUP = 7307
TAG = "PPA_{column}_{row}"
_TAGS = TAG.split("{")[0]
VIEW_COLOUR = "#8C8C8C"
BAR_COLOUR = tuple(int(VIEW_COLOUR[place : place + 2], 16) / 255 for place in (1, 3, 5))
ACTIVE_COLOUR = (1.0, 0.72, 0.10)
"""Of the bar of the view that keys act on: amber stands out from grey for every colour vision."""


def announce_layout(layout: object | None) -> None:
    """Makes the timeline's number known to a layout node, as Slicer's four views until the timeline is shown: scenes
    are saved with the number and not with what it means, and Slicer opens a number that it does not know as nothing."""
    if layout is not None:
        four = layout.GetLayoutDescription(layout.SlicerLayoutFourUpView)
        if not layout.AddLayoutDescription(LAYOUT_ID, four):
            layout.SetLayoutDescription(LAYOUT_ID, four)


def is_ours(name: str | None) -> bool:
    """Whether a view of this name belongs to the timeline."""
    return (name or "").startswith(_TAGS)


def layout_description(columns: int, rows: list[Row]) -> str:
    """The layout's XML: columns side by side, each with the same rows."""

    def view(column: int, row: int) -> str:
        tag = TAG.format(column=column, row=row)
        properties = {
            "orientation": ORIENTATION,
            "viewlabel": escape(rows[row].title),
            "viewcolor": VIEW_COLOUR,
            "viewgroup": VIEW_GROUP,
        }
        inner = "".join(
            f'<property name="{name}" action="default">{text}</property>' for name, text in properties.items()
        )
        return f'<item><view class="vtkMRMLSliceNode" singletontag="{tag}">{inner}</view></item>'

    def stack(column: int) -> str:
        inner = "".join(view(column, row) for row in range(len(rows)))
        return f'<item><layout type="vertical" split="true">{inner}</layout></item>'

    return f'<layout type="horizontal" split="true">{"".join(stack(column) for column in range(columns))}</layout>'


def enter_layout(application: Application, columns: int, rows: list[Row]) -> None:
    """Switches to the timeline's layout and remembers the one from before; nothing where there is no layout."""
    layout = _layout_node(application)
    if layout is None:
        return
    if layout.GetViewArrangement() != LAYOUT_ID:
        mark(layout, earlier_layout=str(layout.GetViewArrangement()))
    elif not _is_described(layout):  # of an opened scene: the number is saved and not what it means
        layout.SetViewArrangement(_earlier(layout))
    description = layout_description(columns, rows)
    if layout.GetViewArrangement() == LAYOUT_ID and layout.GetLayoutDescription(LAYOUT_ID) == description:
        return
    if not layout.AddLayoutDescription(LAYOUT_ID, description):
        layout.SetLayoutDescription(LAYOUT_ID, description)
    slicer.vtkMRMLSliceNode.AddDefaultSliceOrientationPresets(application.scene)  # closing a scene forgets them
    layout.SetViewArrangement(LAYOUT_ID)


def leave_layout(application: Application) -> None:
    """Restores the layout from before; one that the user chose meanwhile stays. None of our views stays alone."""
    layout, alone = _layout_node(application), enlarged_view(application)
    if layout is None:
        return
    if alone is not None:
        layout.RemoveMaximizedViewNode(alone)
    if layout.GetViewArrangement() == LAYOUT_ID:
        layout.SetViewArrangement(_earlier(layout))
    if _is_described(layout):
        announce_layout(layout)  # a scene that is opened later has other visits and rows
    layout.RemoveAttribute(nodes.PREFIX + "earlier_layout")


def enlarged_view(application: Application) -> object | None:
    """The timeline's view that is shown alone; None where all of them are."""
    layout = _layout_node(application)
    if layout is None:
        return None
    alone = [layout.GetMaximizedViewNode(number) for number in range(layout.GetNumberOfMaximizedViewNodes())]
    return next((node for node in alone if node is not None and is_ours(node.GetLayoutName())), None)


def in_layout(application: Application) -> bool:
    """Whether the timeline's layout is the present one and known; true where there is no layout."""
    layout = _layout_node(application)
    return layout is None or (layout.GetViewArrangement() == LAYOUT_ID and _is_described(layout))


def _is_described(layout: object) -> bool:
    """Whether the timeline's number stands for our views."""
    return layout.IsLayoutDescription(LAYOUT_ID) and _TAGS in layout.GetLayoutDescription(LAYOUT_ID)


def _earlier(layout: object) -> int:
    earlier = marked(layout, "earlier_layout")
    known = earlier.isdigit() and int(earlier) != LAYOUT_ID and layout.IsLayoutDescription(int(earlier))
    return int(earlier) if known else layout.SlicerLayoutFourUpView


def _layout_node(application: Application) -> object | None:
    return application.scene.GetFirstNodeByClass("vtkMRMLLayoutNode")
