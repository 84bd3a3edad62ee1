"""The Segment Editor works in the chosen visit, whoever chose it, and no stroke is lost on the way there."""

import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace
from unittest.mock import MagicMock

import numpy as np
import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

import slicer
from vtkmodules.vtkRenderingCore import vtkRenderWindowInteractor

from PseudoProgressionAnalyzerLib.scene import timeline
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, find, patient_node
from PseudoProgressionAnalyzerLib.scene.timeline_layout import ACTIVE_COLOUR
from PseudoProgressionAnalyzerLib.scene.timeline_steps import next_lesion, next_visit
from PseudoProgressionAnalyzerLib.scene.timeline_views import column_of, view_at

FIRST, SECOND = "2023-01-10", "2023-03-01"
PAINTS = ("LeftButtonPressEvent", "LeftButtonReleaseEvent", "MouseMoveEvent")


class Brush:
    """Slicer's Segment Editor as far as a stroke needs it (qMRMLSegmentEditorWidget, qSlicerSegmentEditorPaintEffect):
    it listens from ``setupViewObservations`` on, in the views that show its segmentation; the brush has its size only
    after a move, and a stroke is what lies between press and release, painted with the release."""

    def __init__(self, interactors):
        self.interactors, self.heard, self.painted = interactors, [], []
        self.effect, self.sized, self.points, self.segment = "", False, None, ""

    def setMRMLSegmentEditorNode(self, node):  # noqa: N802
        self.node = node

    def mrmlSegmentEditorNode(self):  # noqa: N802
        return self.node

    def setSegmentationNode(self, node):  # noqa: N802
        self.segmentation = node
        if self.node is not None:
            self.node.SetAndObserveSegmentationNode(node)

    def segmentationNode(self):  # noqa: N802
        return self.segmentation

    def setCurrentSegmentID(self, segment):  # noqa: N802
        self.segment = segment

    def currentSegmentID(self):  # noqa: N802
        return self.segment

    def activeEffect(self):  # noqa: N802
        return SimpleNamespace(name=self.effect, deactivate=lambda: None) if self.effect else None

    def setActiveEffect(self, effect):  # noqa: N802
        self.effect, self.sized, self.points = "", False, None

    def setActiveEffectByName(self, name):  # noqa: N802
        self.setActiveEffect(None)
        self.effect = name

    def setupViewObservations(self):  # noqa: N802
        self.removeViewObservations()
        display = self.segmentation.GetDisplayNode()
        for view_id, interactor in self.interactors.items():
            if view_id in display.GetViewNodeIDs():
                self.heard += [(interactor, interactor.AddObserver(event, self.hear, 1.0)) for event in PAINTS]

    def removeViewObservations(self):  # noqa: N802
        for interactor, tag in self.heard:
            interactor.RemoveObserver(tag)
        self.heard = []

    def hear(self, interactor, event):
        if not self.effect:
            return
        if event == "MouseMoveEvent":
            self.sized = True
            if self.points is not None:
                self.points.append(interactor.GetEventPosition())
        elif event == "LeftButtonPressEvent":
            self.points = [*(self.points or []), interactor.GetEventPosition()]
        elif self.points is not None:
            self.painted += [self.points] if self.sized else []
            self.points = None

    def __getattr__(self, name):
        return lambda *arguments: None


@pytest.fixture
def desk(made_session, analysis, monkeypatch):
    """Editors and presses around a timeline of two visits with two rows. ``mouse(view, *events)`` is a real mouse: the
    crosshair follows its moves."""
    qt, words = MagicMock(), ModuleType("slicer.i18n")
    words.tr = lambda text: text
    for name in [name for name, module in sys.modules.items() if ".desktop" in name and hasattr(module, "qt")]:
        monkeypatch.delitem(sys.modules, name)  # of tests that made up another Qt
    monkeypatch.setitem(sys.modules, "qt", qt)
    monkeypatch.setitem(sys.modules, "slicer.i18n", words)
    session, scene = made_session, made_session.application.scene
    scene.RegisterNodeClass(slicer.vtkMRMLSegmentEditorNode())
    crosshair = slicer.vtkMRMLCrosshairNode()
    crosshair.SetSingletonTag("default")
    crosshair = scene.AddNode(crosshair)
    build_scene(session.application, analysis)
    session.show_timeline(True)
    views = timeline.view_nodes(session.application)
    interactors = {view.GetID(): vtkRenderWindowInteractor() for view in views}
    for view in views:

        def follow(interactor, event, view=view):
            crosshair.SetCursorPositionXYZ([*interactor.GetEventPosition(), 0.0], view)

        interactors[view.GetID()].AddObserver("MouseMoveEvent", follow)

    def widget(view):
        seen = SimpleNamespace(interactor=lambda: interactors[view.GetID()])
        return SimpleNamespace(sliceView=lambda: seen, mrmlSliceNode=lambda: view)

    widgets = {view.GetLayoutName(): widget(view) for view in views}
    manager = SimpleNamespace(sliceViewNames=lambda: list(widgets), sliceWidget=widgets.get)
    monkeypatch.setattr(slicer, "mrmlScene", scene, False)
    monkeypatch.setattr(slicer, "qMRMLSegmentEditorWidget", lambda: Brush(interactors), False)
    editors_module = import_module("PseudoProgressionAnalyzerLib.desktop.editors")
    pointer = import_module("PseudoProgressionAnalyzerLib.desktop.pointer")
    monkeypatch.setattr(editors_module, "close_gaps", lambda editor, strokes: None)
    monkeypatch.setattr(editors_module, "slicer", slicer)
    session.titles.update = lambda application: None
    slicer.app.layoutManager = lambda: manager
    fronts = []
    editors = editors_module.Editors(
        MagicMock(), lambda edits: None, fronts.append, on_pointer=lambda view: session.choose_view(view)
    )
    editors.soon = MagicMock()
    editors.open()
    presses = pointer.Presses(session.choose_view)
    presses.follow()
    monkeypatch.setattr(slicer, "app", slicer.app, False)

    def mouse(view, *events, to=(60, 40)):
        interactor = interactors[view.GetID()]
        interactor.SetEventInformation(*to, 0, 0)
        for event in events:
            interactor.InvokeEvent(event)

    yield SimpleNamespace(
        session=session,
        editors=editors,
        fronts=fronts,
        mouse=mouse,
        at=lambda *place: view_at(session.application, *place),
    )
    presses.forget()
    editors.close()


def amber(desk):
    """The visits whose column has the amber bar."""
    views = timeline.view_nodes(desk.session.application)
    page = [FIRST, SECOND]
    return [page[column_of(view)] for view in views if np.allclose(view.GetLayoutColor(), ACTIVE_COLOUR)]


PRESS, RELEASE, MOVE = "LeftButtonPressEvent", "LeftButtonReleaseEvent", "MouseMoveEvent"


@pytest.mark.parametrize(
    "chosen",
    [
        lambda desk: desk.mouse(desk.at(1, 1), MOVE, PRESS, RELEASE),
        lambda desk: next_visit(desk.session.application),
        lambda desk: [next_lesion(desk.session.application) for _step in range(2)],
        lambda desk: desk.session.go_to_visit(SECOND),
    ],
    ids=["click", "key", "next lesion", "plot or row of a table"],
)
def test_the_editor_is_that_of_the_amber_visit(desk, chosen):
    assert (desk.editors.visit, amber(desk), desk.fronts) == (FIRST, [FIRST], [FIRST])
    desk.editors.editor.setActiveEffectByName("Paint")
    chosen(desk)
    assert (desk.editors.visit, amber(desk), desk.fronts) == (SECOND, [SECOND], [FIRST, SECOND])
    node = find(patient_node(slicer.mrmlScene), Kind.LESION, SECOND)
    assert desk.editors.editor.segmentationNode() is node
    assert desk.editors.editor.activeEffect().name == "Paint"
    desk.mouse(desk.at(0, 0), MOVE)
    assert desk.editors.visit == SECOND, "the pointer that goes by chooses nothing"


def test_the_editor_under_the_pointer_is_ready_before_the_press(desk):
    """Making one takes a third of a second, in which a stroke would lose its way."""
    assert list(desk.editors.editors) == [(FIRST, Kind.LESION)]
    desk.mouse(desk.at(1, 0), MOVE)
    assert (SECOND, Kind.LESION) in desk.editors.editors and desk.editors.visit == FIRST


def test_one_of_slicers_own_views_chooses_its_visit_once(desk, monkeypatch):
    """Every move of the pointer is heard, and choosing reads the whole patient."""
    scene, asked = slicer.mrmlScene, []
    view = scene.AddNewNodeByClass("vtkMRMLSliceNode")
    view.SetLayoutName("Red")
    composite = scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetLayoutName("Red")
    composite.SetBackgroundVolumeID(find(patient_node(scene), Kind.IMAGE, SECOND, "T1CE").GetID())
    monkeypatch.setattr(desk.editors.strokes, "follow", lambda view: None)
    monkeypatch.setattr(desk.editors, "on_pointer", lambda view: (asked.append(view), desk.session.choose_view(view)))
    for _move in range(3):
        desk.editors._pointer_moved(SimpleNamespace(GetCursorPositionXYZ=lambda place: view))
    assert desk.editors.visit == SECOND and asked == [view]


def test_a_dab_in_another_column_is_painted_there_and_only_there(desk):
    """One click and no move after it: the editor that comes by the press knows neither the press nor the brush."""
    first = desk.editors.editor
    first.setActiveEffectByName("Paint")
    desk.mouse(desk.at(1, 0), MOVE)
    desk.mouse(desk.at(1, 0), PRESS)
    desk.mouse(desk.at(1, 0), RELEASE)
    assert desk.editors.editor.painted == [[(60, 40)]]
    assert first.painted == []
    assert [stroke.points for stroke in desk.editors.strokes.take()] == [[(60, 40), (60, 40)]]


def test_a_dab_after_a_key_is_painted_under_a_pointer_that_rests(desk):
    desk.editors.editor.setActiveEffectByName("Paint")
    desk.mouse(desk.at(1, 0), MOVE)
    next_visit(desk.session.application)
    desk.mouse(desk.at(1, 0), PRESS)
    desk.mouse(desk.at(1, 0), RELEASE)
    assert desk.editors.editor.painted == [[(60, 40)]]


def test_a_stroke_is_heard_once(desk):
    """Not twice, where the press is told anew."""
    desk.editors.editor.setActiveEffectByName("Paint")
    for view in (desk.at(0, 0), desk.at(1, 0)):
        desk.mouse(view, MOVE, PRESS)
        desk.mouse(view, MOVE, RELEASE, to=(70, 40))
        assert desk.editors.editor.painted == [[(60, 40), (70, 40)]]


@pytest.mark.parametrize("interrupt", ["another module", "a key"])
def test_a_stroke_that_is_interrupted_ends_where_it_is(desk, interrupt):
    """The effect would drop it where it is switched off with the button down."""
    first = desk.editors.editor
    first.setActiveEffectByName("Paint")
    desk.mouse(desk.at(0, 0), MOVE, PRESS)
    desk.mouse(desk.at(0, 0), MOVE, to=(70, 40))
    if interrupt == "a key":
        next_visit(desk.session.application)
    else:
        desk.editors.listen(False)
    assert first.painted == [[(60, 40), (70, 40)]]
    desk.mouse(desk.at(0, 0), RELEASE)
    assert len(first.painted) == 1
    assert desk.editors.resting == "Paint"


def test_where_there_is_nothing_to_draw_on_no_editor_of_another_visit_draws(desk):
    """Reference tissue of a visit that has none; the effect comes back where there is."""
    desk.editors.editor.setActiveEffectByName("Paint")
    desk.editors.editor.mrmlSegmentEditorNode().SetAttribute("BrushAbsoluteDiameter", "33")
    desk.editors.turn_to(Kind.REFERENCE)
    slicer.mrmlScene.RemoveNode(find(patient_node(slicer.mrmlScene), Kind.REFERENCE, SECOND))
    next_visit(desk.session.application)
    assert desk.editors.editor is None and desk.editors.visit == SECOND and desk.fronts[-1] == SECOND
    desk.mouse(desk.at(1, 0), MOVE, PRESS, RELEASE)
    assert not any(editor.painted for editor in desk.editors.editors.values())
    desk.editors.turn_to(Kind.LESION)
    assert desk.editors.editor.activeEffect().name == "Paint"
    assert desk.editors.editor.mrmlSegmentEditorNode().GetAttribute("BrushAbsoluteDiameter") == "33"


def test_a_view_that_is_shown_alone_is_the_chosen_one(desk):
    """Whoever chose it; but not in place of one that the user just enlarged, which is about to be chosen."""
    enlarging = import_module("PseudoProgressionAnalyzerLib.desktop.enlarging")
    layout = desk.session.application.scene.AddNewNodeByClass("vtkMRMLLayoutNode")
    made = enlarging.Enlarging(desk.session.application, lambda look: None, lambda view: None)
    made.timer = SimpleNamespace(active=False)
    made.follow(desk.at(1, 0))
    assert made.alone is None, "all views are shown"
    layout.AddMaximizedViewNode(desk.at(0, 0))
    made.follow(desk.at(1, 0))
    assert made.alone is desk.at(1, 0)
    made.timer.active = True
    made.follow(desk.at(0, 0))
    assert made.alone is desk.at(1, 0)
