"""PseudoProgressionAnalyzer: the 3D Slicer module. Thin: the work is done in PseudoProgressionAnalyzerLib."""

import pathlib

import slicer
import vtk
from slicer.i18n import tr as _
from slicer.i18n import translate
from slicer.parameterNodeWrapper import parameterNodeWrapper
from slicer.ScriptedLoadableModule import (
    ScriptedLoadableModule,
    ScriptedLoadableModuleLogic,
    ScriptedLoadableModuleTest,
    ScriptedLoadableModuleWidget,
)
from slicer.util import VTKObservationMixin

LIBRARY = "PseudoProgressionAnalyzerLib"
TUTORIAL = "https://github.com/PseudoProgressionAnalyzer/SlicerPseudoProgressionAnalyzer/blob/main/Docs/tutorial.md"


class PseudoProgressionAnalyzer(ScriptedLoadableModule):
    """What Slicer shows of the module."""

    def __init__(self, parent):
        ScriptedLoadableModule.__init__(self, parent)
        self.parent.title = _("PseudoProgression Analyzer")
        self.parent.categories = [translate("qSlicerAbstractCoreModule", "Quantification")]
        self.parent.dependencies = ["Segmentations", "SegmentEditor", "SubjectHierarchy"]
        self.parent.contributors = ["PseudoProgressionAnalyzer contributors"]
        self.parent.helpText = _(
            "Serial studies of a glioblastoma patient side by side, perfusion and spectroscopy in the drawn region, "
            "and what they favour: pseudoprogression or true progression. For research and teaching. "
            "Not for clinical use."
        )
        self.parent.helpText += "<p>" + _(
            "Begin in Patient with Load example and follow the {tutorial}: load, align and compute, look, draw, decide."
        ).format(tutorial=f'<a href="{TUTORIAL}">{_("tutorial")}</a>')
        self.parent.acknowledgementText = _("The example cases use the ICBM 152 brain template.")
        slicer.app.connect("startupCompleted()", registerSampleData)
        slicer.app.connect("startupCompleted()", registerLayout)
        slicer.app.connect("startupCompleted()", registerStatistics)
        slicer.app.connect("startupCompleted()", registerHierarchyPlugin)
        slicer.app.connect("startupCompleted()", registerOpening)


def registerLayout():
    """Scenes with a timeline open without a warning, also before this module is opened."""
    from PseudoProgressionAnalyzerLib.scene.timeline_layout import announce_layout

    announce_layout(slicer.mrmlScene.GetFirstNodeByClass("vtkMRMLLayoutNode"))


def registerStatistics():
    """Adds the map measures to the Segment Statistics module, where that is loaded."""
    if hasattr(slicer.modules, "segmentstatistics"):
        from PseudoProgressionAnalyzerLib.desktop.statistics_plugin import register

        register()


def registerHierarchyPlugin():
    """The patient's icon in the subject hierarchy, and a way from a volume to this module."""
    from PseudoProgressionAnalyzerLib.desktop.PseudoProgressionSubjectHierarchyPlugin import register

    register()


def registerOpening():
    """A scene with a patient opens with this module, as it was saved, also where nobody has chosen the module yet."""
    from PseudoProgressionAnalyzerLib.desktop.opening import Opening

    Opening(slicer.mrmlScene, openModule)


def openModule():
    """Opens the module where it has not been opened yet, which brings the timeline back; an open one does so itself."""
    if slicer.util.mainWindow() is not None and not hasattr(slicer.modules, "PseudoProgressionAnalyzerWidget"):
        slicer.util.selectModule("PseudoProgressionAnalyzer")


def registerSampleData():
    """Adds the example cases to the Sample Data module."""
    import SampleData

    from PseudoProgressionAnalyzerLib import cases

    category = "PseudoProgressionAnalyzer"
    SampleData.SampleDataLogic.registerCustomSampleDataCategory(category, title=_("PseudoProgression Analyzer"))
    icon = str(pathlib.Path(__file__).parent / "Resources" / "Icons" / "PseudoProgressionAnalyzer.png")
    for name in cases.names():
        SampleData.SampleDataLogic.registerCustomSampleDataSource(
            category=category,
            sampleName=name,
            uris=[],  # made here, not downloaded
            fileNames=[],
            thumbnailFileName=icon,
            customDownloader=loadExample,
        )


def loadExample(source):
    """Sample Data's button: simulates the case the first time and loads it."""
    slicer.util.selectModule("PseudoProgressionAnalyzer")
    widget = slicer.modules.PseudoProgressionAnalyzerWidget
    if widget.panel.refuses():
        return []
    cases = widget.ui.exampleSelector
    cases.setCurrentIndex(cases.findData(source.sampleName))
    widget.panel.sections["patient"].load_example()
    return []


@parameterNodeWrapper
class PseudoProgressionAnalyzerParameterNode:
    """A choice of the interface; the patient, the timeline's rows and all results have nodes of their own in the scene.

    showTimeline - whether the visits are shown side by side
    """

    showTimeline: bool = False


class PseudoProgressionAnalyzerWidget(ScriptedLoadableModuleWidget, VTKObservationMixin):
    """The module's panel: life cycle only, its parts stand in PseudoProgressionAnalyzerLib.desktop."""

    def __init__(self, parent=None) -> None:
        ScriptedLoadableModuleWidget.__init__(self, parent)
        VTKObservationMixin.__init__(self)
        self.logic = None
        self.panel = None
        self._parameterNode = None
        self._parameterNodeGuiTag = None

    def setup(self) -> None:
        """Called when the module is opened for the first time."""
        ScriptedLoadableModuleWidget.setup(self)
        from PseudoProgressionAnalyzerLib.desktop.panel import Panel, load_sections

        uiWidget = slicer.util.loadUI(self.resourcePath("UI/PseudoProgressionAnalyzer.ui"))
        self.layout.addWidget(uiWidget)
        self.ui = load_sections(uiWidget, self.resourcePath("UI"))
        uiWidget.setMRMLScene(slicer.mrmlScene)
        self.logic = PseudoProgressionAnalyzerLogic()
        self.panel = Panel(self.ui, self.logic.session, self.moduleName)
        for event, slot in (
            (slicer.mrmlScene.StartCloseEvent, self.onSceneStartClose),
            (slicer.mrmlScene.EndCloseEvent, self.onSceneEndClose),
            (slicer.mrmlScene.EndImportEvent, self.onSceneEndImport),
        ):
            self.addObserver(slicer.mrmlScene, event, slot)
        self.showFirst()
        self.initializeParameterNode()
        self.panel.open_patient()
        self.panel.restore_timeline(self._parameterNode.showTimeline)

    def cleanup(self) -> None:
        """Called when the application closes or the module is reloaded."""
        self.setParameterNode(None)
        if self.panel is not None:
            self.panel.close()
            self.panel.still.forget()
            self.logic.session.forget()  # a timeline that waits for its scene has no panel any more
        self.removeObservers()

    def enter(self) -> None:
        """Called each time the user opens this module. The timeline stays as it was left."""
        self.initializeParameterNode()
        self.panel.enter()

    def exit(self) -> None:
        """Called each time the user opens another module: no effect listens to the views any more."""
        self.panel.exit()
        self.setParameterNode(None)

    def onReload(self) -> None:
        """The library's modules are read again too, not only this file."""
        import sys

        for name in [name for name in sys.modules if name.split(".")[0] == LIBRARY]:
            del sys.modules[name]
        ScriptedLoadableModuleWidget.onReload(self)

    def onSceneStartClose(self, caller, event) -> None:
        self.panel.close_patient()
        self.setParameterNode(None)

    def onSceneEndClose(self, caller, event) -> None:
        if self.parent.isEntered:
            self.initializeParameterNode()
        self.panel.refresh()

    def onSceneEndImport(self, caller, event) -> None:
        self.setParameterNode(None)
        self.showFirst()
        if self.parent.isEntered:
            self.initializeParameterNode()
        self.panel.scene_opened(self.logic.getParameterNode().showTimeline)

    def showFirst(self) -> None:
        """A patient that nobody has seen yet, in a scene of the command line, comes with the timeline on."""
        from PseudoProgressionAnalyzerLib.scene.timeline_rows import never_shown

        if never_shown(slicer.mrmlScene):
            self.logic.getParameterNode().showTimeline = True

    def initializeParameterNode(self) -> None:
        """The parameter node exists and drives the panel."""
        self.setParameterNode(self.logic.getParameterNode())

    def setParameterNode(self, node: "PseudoProgressionAnalyzerParameterNode | None") -> None:
        if self._parameterNode is not None:
            self._parameterNode.disconnectGui(self._parameterNodeGuiTag)
            self.removeObserver(self._parameterNode, vtk.vtkCommand.ModifiedEvent, self.onParametersChanged)
        self._parameterNode = node
        if node is not None:
            self._parameterNodeGuiTag = node.connectGui(self.ui)
            self.addObserver(node, vtk.vtkCommand.ModifiedEvent, self.onParametersChanged)

    def onParametersChanged(self, caller=None, event=None) -> None:
        """The interface's choices take effect."""
        self.panel.show_timeline(self._parameterNode.showTimeline)


class PseudoProgressionAnalyzerLogic(ScriptedLoadableModuleLogic):
    """Everything that the buttons do, for use from Python; see PseudoProgressionAnalyzerLib.desktop.session."""

    def __init__(self) -> None:
        ScriptedLoadableModuleLogic.__init__(self)
        from PseudoProgressionAnalyzerLib.desktop.session import Session

        self.session = Session()

    def getParameterNode(self):
        return PseudoProgressionAnalyzerParameterNode(super().getParameterNode())

    def loadPatient(self, folder) -> None:
        """Reads a patient folder into the scene."""
        self.session.load(folder)

    def loadExample(self, name: str) -> None:
        """Loads a built-in case, simulated the first time."""
        self.session.load_example(name)

    def alignAndCompute(self) -> None:
        """Aligns the visits, makes the maps, measures and assesses."""
        self.session.compute()

    def setTimelineShown(self, shown: bool) -> None:
        """Shows the visits side by side, or brings back the earlier layout."""
        self.getParameterNode().showTimeline = shown  # the panel, where it is open, does it as its own long work
        self.session.show_timeline(shown)

    def setOverlayOpacity(self, opacity: float) -> None:
        """Opacity of the maps in the timeline, 0 to 1."""
        self.session.set_overlay_opacity(opacity)

    def measurements(self):
        """All measurements of the scene's patient."""
        return list(self.session.analysis.measurements) if self.session.analysis else []

    def assessment(self, asOf: str):
        """The assessment as of a visit."""
        return next(found for found in self.session.analysis.assessments if found.as_of == asOf)

    def setPrior(self, median: float, low: float, high: float, asOf: str = "") -> None:
        """A prior of the user's for one visit, or for all: probability of true progression before any test."""
        self.session.set_prior((median, low, high), asOf)

    def setCriteria(self, file=None) -> None:
        """A criteria file of the user's; without one the default criteria."""
        self.session.set_criteria(file)

    def saveReport(self, folder) -> list:
        """Writes report, timeline, tables and maps into a folder."""
        return self.session.save_report(folder)


class PseudoProgressionAnalyzerFileReader:
    """Slicer's file dialogs and drag and drop: a patient's folder by its patient.json, spectra of all vendors, and time
    series in NIfTI files."""

    def __init__(self, parent):
        self.parent = parent

    def description(self):
        return _("Serial studies, spectrum or time series")

    def fileType(self):
        return "PseudoProgressionAnalyzer"

    def extensions(self):
        patient, spectrum, both = _("Patient folder"), _("MR spectrum"), _("Time series or MR spectrum")
        results = _("LCModel results")
        return [
            f"{patient} (*.json)",
            *(f"{spectrum} (*.{ending})" for ending in ("rda", "sdat", "spar", "raw", "7", "dcm", "ima")),
            *(f"{results} (*.{ending})" for ending in ("coord", "table", "csv")),
            *(f"{both} (*.{ending})" for ending in ("nii", "nii.gz")),
        ]

    def canLoadFileConfidence(self, filePath):
        from PseudoProgressionAnalyzerLib.desktop.file_reader import confidence

        return confidence(pathlib.Path(filePath)) if self.parent.supportedNameFilters(filePath) else 0.0

    def load(self, properties):
        from PseudoProgressionAnalyzerLib.desktop.file_reader import open_file, teller

        self.parent.loadedNodes = open_file(pathlib.Path(properties["fileName"]), teller(self.parent))
        return bool(self.parent.loadedNodes)


class PseudoProgressionAnalyzerTest(ScriptedLoadableModuleTest):
    """The whole way in the real application: load, align, compute, draw, measure, assess, save, open again."""

    def setUp(self):
        slicer.mrmlScene.Clear()

    def runTest(self):
        from PseudoProgressionAnalyzerLib.desktop.selftest import walk, walk_patient

        self.setUp()
        walk(self)
        self.setUp()
        walk_patient(self)
