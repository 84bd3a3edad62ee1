"""The image filters of the timeline's views work in one thread.

VTK starts new threads for each filter of each view at each step of a scroll, and waits for all of them. A slice is so
small that this takes longer than the work: with twelve views a step began hundreds of threads.
"""

from __future__ import annotations

import slicer

from ..scene.timeline_views import view_nodes


def work_in_one_thread(application: object) -> None:
    """Sets it for all filters that the timeline's views have now: layers of images, and outlines of regions."""
    manager, seen = slicer.app.layoutManager(), set()
    for node in view_nodes(application):
        logic, widget = application.slice_logic(node), manager.sliceWidget(node.GetLayoutName())
        images = logic.GetImageDataConnection() if logic is not None else None
        if images is not None:
            limit(images.GetProducer(), seen)
        for mapper in _mappers(widget.sliceView().renderWindow()) if widget is not None else []:
            limit(mapper, seen)


def limit(last: object, seen: set[object]) -> None:
    """Limits a vtkAlgorithm and all that it depends on; ``seen`` holds those that are limited already."""
    waiting = [last]
    while waiting:
        filter_ = waiting.pop()
        if filter_ is None or filter_ in seen:
            continue
        seen.add(filter_)
        if filter_.IsA("vtkThreadedImageAlgorithm") and filter_.GetNumberOfThreads() != 1:
            filter_.SetNumberOfThreads(1)
        for port in range(filter_.GetNumberOfInputPorts()):
            connections = range(filter_.GetNumberOfInputConnections(port))
            waiting += [filter_.GetInputConnection(port, number).GetProducer() for number in connections]


def _mappers(window: object) -> list[object]:
    """The mappers of all that a view draws."""
    renderers, found = window.GetRenderers(), []
    for number in range(renderers.GetNumberOfItems()):
        props = renderers.GetItemAsObject(number).GetViewProps()
        every = [props.GetItemAsObject(each) for each in range(props.GetNumberOfItems())]
        found += [prop.GetMapper() for prop in every if hasattr(prop, "GetMapper")]
    return found
