"""The pointer in the views: one click as a point and the visit of its column, and lines that were moved."""

from __future__ import annotations

from collections.abc import Callable

import qt
import slicer
from slicer.util import VTKObservationMixin

from ..scene.nodes import marked


class LesionClick(VTKObservationMixin):
    """Waits for one click when switched on; ``clicked(visit id, (r, a, s) mm of the scene)`` tells of it.

    The visit is empty where the view shows no image of a visit.
    """

    def __init__(self, clicked: Callable[[str, list[float]], None]):
        VTKObservationMixin.__init__(self)
        self._clicked = clicked
        self._node = None

    def start(self) -> None:
        """Begins to wait: the pointer places one point."""
        self.stop()
        self._node = slicer.mrmlScene.AddNewNodeByClass("vtkMRMLMarkupsFiducialNode", "lesion click")
        self._node.SetSaveWithScene(False)
        self._node.SetHideFromEditors(True)
        self._node.CreateDefaultDisplayNodes()
        self._node.GetDisplayNode().SetPointLabelsVisibility(False)
        self.addObserver(self._node, slicer.vtkMRMLMarkupsNode.PointPositionDefinedEvent, self._defined)
        slicer.modules.markups.logic().SetActiveList(self._node)
        self._interaction().SwitchToSinglePlaceMode()

    def stop(self) -> None:
        """Waits no more."""
        self.removeObservers()
        node, self._node = self._node, None
        if node is not None:
            self._interaction().SwitchToViewTransformMode()
            if slicer.mrmlScene.IsNodePresent(node):
                slicer.mrmlScene.RemoveNode(node)

    def _defined(self, node: object, event: object) -> None:
        point = [0.0, 0.0, 0.0]
        node.GetNthControlPointPositionWorld(node.GetNumberOfControlPoints() - 1, point)
        visit = visit_under_pointer()
        # The node must not go away while it tells of its point.
        qt.QTimer.singleShot(0, lambda: (self.stop(), self._clicked(visit, point)))

    @staticmethod
    def _interaction() -> object:
        return slicer.app.applicationLogic().GetInteractionNode()


class LineWatch(VTKObservationMixin):
    """Tells ``moved()`` when the user let go of an end of a line, once the event is over."""

    def __init__(self, moved: Callable[[], None]):
        VTKObservationMixin.__init__(self)
        self._moved = moved
        self._lines: list[object] = []

    def watch(self, lines: list[object]) -> None:
        """Watches these lines from now on, and no others."""
        if lines == self._lines:
            return
        self.removeObservers()
        self._lines = lines
        for line in lines:
            self.addObserver(line, slicer.vtkMRMLMarkupsNode.PointEndInteractionEvent, self._let_go)

    def _let_go(self, line: object, event: object) -> None:
        qt.QTimer.singleShot(0, self._moved)


def visit_under_pointer() -> str:
    """The visit whose image the view under the pointer shows; empty where there is none."""
    crosshair = slicer.mrmlScene.GetSingletonNode("default", "vtkMRMLCrosshairNode")
    view = crosshair.GetCursorPositionXYZ([0.0, 0.0, 0.0]) if crosshair is not None else None
    composite = slicer.app.applicationLogic().GetSliceLogic(view) if view is not None else None
    image = composite.GetBackgroundLayer().GetVolumeNode() if composite is not None else None
    return marked(image, "visit") if image is not None else ""
