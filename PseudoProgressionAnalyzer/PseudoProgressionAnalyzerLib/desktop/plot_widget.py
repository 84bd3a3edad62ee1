"""Slicer's plot widget inside the panel, with a view of its own: no layout of the views is touched."""

from __future__ import annotations

import qt
import slicer


def plot_widget(holder: object, tag: str, name: str, height: int) -> object:
    """A qMRMLPlotWidget of this height (pixels) in the layout of holder; its view node has the singleton tag."""
    view = slicer.mrmlScene.GetSingletonNode(tag, "vtkMRMLPlotViewNode")
    if view is None:
        view = slicer.vtkMRMLPlotViewNode()
        view.SetSingletonTag(tag)
        view.SetName(name)
        view.SetLayoutLabel(name)
        view.SetLayoutName(tag)
        view.SetSaveWithScene(False)  # it belongs to the panel
        view = slicer.mrmlScene.AddNode(view)
    plot = slicer.qMRMLPlotWidget()
    plot.setMRMLScene(slicer.mrmlScene)
    plot.setMRMLPlotViewNode(view)
    plot.setMinimumHeight(height)
    plot.setSizePolicy(qt.QSizePolicy.Expanding, qt.QSizePolicy.Fixed)
    holder.layout().addWidget(plot)
    return plot
