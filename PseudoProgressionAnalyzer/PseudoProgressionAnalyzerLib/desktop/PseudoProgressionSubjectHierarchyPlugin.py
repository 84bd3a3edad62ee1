"""The patient in Slicer's subject hierarchy: its own icon and words, and a way from a volume to this module."""

from __future__ import annotations

from pathlib import Path

import qt
import slicer
from AbstractScriptedSubjectHierarchyPlugin import AbstractScriptedSubjectHierarchyPlugin
from slicer.i18n import tr as _

MODULE = "PseudoProgressionAnalyzer"
ICON = Path(__file__).parents[2] / "Resources" / "Icons" / f"{MODULE}.png"
PATIENT = (f"{MODULE}.kind", "patient")


class PseudoProgressionSubjectHierarchyPlugin(AbstractScriptedSubjectHierarchyPlugin):
    """Owns the text node that holds the patient; images, regions and transforms stay with Slicer's own plugins, which
    can do more with them."""

    filePath = __file__  # noqa: N815 (Slicer reads it by this name)

    def __init__(self, scriptedPlugin):  # noqa: N803 (Slicer's name)
        scriptedPlugin.name = MODULE
        AbstractScriptedSubjectHierarchyPlugin.__init__(self, scriptedPlugin)
        self.action = qt.QAction(_("Analyze serial studies..."), scriptedPlugin)
        self.action.connect("triggered()", self.open)

    def canAddNodeToSubjectHierarchy(self, node, parentItemID):  # noqa: N802, N803
        """How sure it is that the node is the patient's."""
        return 1.0 if node is not None and node.GetAttribute(PATIENT[0]) == PATIENT[1] else 0.0

    def canOwnSubjectHierarchyItem(self, itemID):  # noqa: N802, N803
        """How sure it is that the item is the patient's."""
        return self.canAddNodeToSubjectHierarchy(_node(itemID), None)

    def roleForPlugin(self):  # noqa: N802
        """What an item of this plugin is called."""
        return "Serial studies"

    def icon(self, itemID):  # noqa: N803
        """The module's icon for the patient."""
        return qt.QIcon(str(ICON)) if self.canOwnSubjectHierarchyItem(itemID) else qt.QIcon()

    def visibilityIcon(self, visible):  # noqa: N802
        """None: there is nothing to show or hide."""
        return qt.QIcon()

    def tooltip(self, itemID):  # noqa: N803
        """What the item is."""
        return _("Serial studies of a patient: opens in PseudoProgression Analyzer")

    def editProperties(self, itemID):  # noqa: N802, N803
        """A double click opens the module."""
        slicer.util.selectModule(MODULE)

    def itemContextMenuActions(self):  # noqa: N802
        """What a right click offers."""
        return [self.action]

    def showContextMenuActionsForItem(self, itemID):  # noqa: N802, N803
        """On the patient, on volumes, sequences and segmentations."""
        node = _node(itemID)
        kinds = ("vtkMRMLScalarVolumeNode", "vtkMRMLSequenceNode", "vtkMRMLSegmentationNode")
        self.action.visible = node is not None and (
            self.canOwnSubjectHierarchyItem(itemID) > 0 or any(node.IsA(kind) for kind in kinds)
        )

    def open(self):
        """Opens the module; where the scene has no patient yet, with the volumes that it could be made of."""
        slicer.util.selectModule(MODULE)
        panel = slicer.modules.PseudoProgressionAnalyzerWidget.panel
        if not panel.refuses() and panel.session.analysis is None:
            panel.sections["patient"].choose_volumes()


def register() -> None:
    """Adds the plug-in once, however often the module is loaded: Slicer remembers what it has loaded by its name."""
    if not hasattr(slicer, PseudoProgressionSubjectHierarchyPlugin.__name__):
        plugin = slicer.qSlicerSubjectHierarchyScriptedPlugin(None)
        plugin.setPythonSource(PseudoProgressionSubjectHierarchyPlugin.filePath)


def _node(item: int) -> object | None:
    tree = slicer.qSlicerSubjectHierarchyPluginHandler.instance().subjectHierarchyNode()
    return tree.GetItemDataNode(item) if tree is not None and item else None
