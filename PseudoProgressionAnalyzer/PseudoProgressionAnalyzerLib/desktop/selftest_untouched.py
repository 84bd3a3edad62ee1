"""What of Slicer must be as before once the module was used and the scene closed; for the self-test."""

from __future__ import annotations

from collections import Counter
from typing import Any

import qt
import slicer

KEPT = ("SelectionNode", "InteractionNode", "CrosshairNode", "UnitNode", "ColorNode", "SegmentEditorNode", "ViewNode",
        "SliceNode", "SliceCompositeNode", "PlotViewNode", "TableViewNode", "LayoutNode")  # fmt: skip
"""Kinds of nodes that are Slicer's own: as many as before."""
OF_PANEL = ("PPACurve", "PPASpectrum")
"""Singleton tags of plot views that stay with the panel's sections, whatever the scene."""
OURS = "PseudoProgressionAnalyzer/"
"""Settings of the module itself; Slicer writes others of its own meanwhile (log files, limits of units)."""
OF_SLICER = ("LogFiles/", "DatabaseDirectory", "RecentlyLoadedFiles", "ioManager/", "/minimum", "/maximum")


def state_of_slicer() -> dict[str, Any]:
    """Layout, views, units, selection, keys, colours, editors and settings as they are now."""
    scene, manager, window = slicer.mrmlScene, slicer.app.layoutManager(), slicer.util.mainWindow()
    selection = scene.GetNodeByID("vtkMRMLSelectionNodeSingleton")
    settings = qt.QSettings()
    views = {}
    for name in manager.sliceViewNames():
        widget = manager.sliceWidget(name)
        composite, node = widget.sliceLogic().GetSliceCompositeNode(), widget.mrmlSliceNode()
        views[name] = (
            composite.GetLinkedControl(), composite.GetHotLinkedControl(), composite.GetDoPropagateVolumeSelection(),
            composite.GetInteractionFlagsModifier(), node.GetViewGroup(), node.GetOrientation(), widget.visible,
        )  # fmt: skip
    crosshair = scene.GetFirstNodeByClass("vtkMRMLCrosshairNode")
    interaction = scene.GetFirstNodeByClass("vtkMRMLInteractionNode")
    return {
        "layout": manager.layout,
        "views": views,
        "nodes": {kind: _number(scene, f"vtkMRML{kind}") for kind in KEPT},
        "units": {name: selection.GetUnitNodeID(name) for name in ("length", "area", "volume", "time", "intensity")},
        "selection": selection.GetActivePlaceNodeClassName(),
        "mouse": (interaction.GetCurrentInteractionMode(), interaction.GetPlaceModePersistence()),
        "crosshair": (crosshair.GetCrosshairMode(), crosshair.GetCrosshairBehavior()),
        "keys": Counter(one.key.toString() for one in window.findChildren(qt.QShortcut) if _elsewhere(one)),
        "windows": Counter(one.className() for one in slicer.app.topLevelWidgets() if one.visible),
        "settings": {
            key: _plain(settings.value(key))
            for key in settings.allKeys()
            if not key.startswith(OURS) and not any(part in key for part in OF_SLICER)
        },
    }


def assert_untouched(test: object, before: dict[str, Any]) -> None:
    """Compares with what ``state_of_slicer`` found, part by part."""
    now = state_of_slicer()
    for part, value in before.items():
        test.assertEqual(value, now[part], f"{part} of Slicer changed")


def _plain(value: Any) -> Any:
    """A setting the same whether it was set or read: Qt writes True as true, 1.0 as 1 and an empty list as nothing, and
    reads text."""
    parts = value if isinstance(value, (list, tuple)) else () if value is None else (value,)
    text = ", ".join(map(str, parts)).lower()
    try:
        return float(text)
    except ValueError:
        return text


def _number(scene: object, kind: str) -> int:
    """How many nodes of a kind there are that are not the panel's own."""
    nodes = [scene.GetNthNodeByClass(number, kind) for number in range(scene.GetNumberOfNodesByClass(kind))]
    return sum(node.GetSingletonTag() not in OF_PANEL for node in nodes)


def _elsewhere(shortcut: object) -> bool:
    """Whether a key works outside of the module's panel, which may keep keys while it is on the screen."""
    panel = slicer.modules.PseudoProgressionAnalyzerWidget.parent
    return shortcut.parent() is not None and not panel.isAncestorOf(shortcut.parent())
