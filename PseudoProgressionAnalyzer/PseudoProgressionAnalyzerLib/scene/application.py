"""The MRML scene and its logics: those of the Slicer desktop where it runs, else a scene without any application."""

from __future__ import annotations

from dataclasses import dataclass

import slicer
from vtkmodules.vtkCommonCore import vtkCollection


@dataclass(frozen=True)
class Application:
    """A scene with the logics that give it life.

    scene: vtkMRMLScene; logic: vtkMRMLApplicationLogic; desktop: whether both belong to a running Slicer desktop, which
    then makes and removes the slice logics of its views itself.
    """

    scene: object
    logic: object
    desktop: bool

    def slice_logic(self, slice_node: object) -> object | None:
        """The vtkMRMLSliceLogic of a slice view node; made where no desktop makes it, None where the desktop has none
        (a view that is not in the layout)."""
        logic = self.logic.GetSliceLogic(slice_node)
        if logic is None and not self.desktop:
            logic = slicer.vtkMRMLSliceLogic()
            logic.SetMRMLApplicationLogic(self.logic)
            logic.SetMRMLScene(self.scene)
            logic.SetSliceNode(slice_node)
            self.logic.GetSliceLogics().AddItem(logic)
        return logic

    def remove_view(self, slice_node: object) -> None:
        """Removes a slice view node with its composite node and with what its slice logic made: model, display and
        transform of the slice stay behind when the desktop removes a view.

        The logic lets go of its volumes first: Slicer's data probe keeps the logics of views that are gone.
        """
        logic = self.logic.GetSliceLogic(slice_node)
        composite = slicer.vtkMRMLSliceLogic.GetSliceCompositeNode(slice_node)
        nodes = [slice_node, composite]
        if composite is not None:
            composite.SetBackgroundVolumeID(None)
            composite.SetForegroundVolumeID(None)
        if logic is not None:
            for layer in (logic.GetBackgroundLayer(), logic.GetForegroundLayer(), logic.GetLabelLayer()):
                if layer is not None:
                    layer.SetVolumeNode(None)
            nodes += [logic.GetSliceModelNode(), logic.GetSliceModelDisplayNode(), logic.GetSliceModelTransformNode()]
            if not self.desktop:
                self.logic.GetSliceLogics().RemoveItem(logic)
                logic.SetSliceNode(None)
                logic.SetMRMLScene(None)
        for node in nodes:
            if node is not None and self.scene.IsNodePresent(node):
                self.scene.RemoveNode(node)


def application() -> Application:
    """The desktop's scene and logics, or a new scene of its own with colours and subject hierarchy."""
    if hasattr(slicer, "app"):
        return Application(slicer.mrmlScene, slicer.app.applicationLogic(), desktop=True)
    scene = slicer.vtkMRMLScene()
    logic = slicer.vtkSlicerApplicationLogic()
    logic.SetMRMLScene(scene)
    logic.SetSliceLogics(vtkCollection())
    logic.GetColorLogic().SetMRMLScene(scene)
    scene.RegisterNodeClass(slicer.vtkMRMLColorLegendDisplayNode())
    slicer.vtkSlicerSegmentationsModuleLogic().SetMRMLScene(scene)  # registers how segments are converted
    slicer.vtkSlicerMarkupsLogic().SetMRMLScene(scene)  # registers how markups are stored
    slicer.vtkMRMLSubjectHierarchyNode.GetSubjectHierarchyNode(scene)
    return Application(scene, logic, desktop=False)
