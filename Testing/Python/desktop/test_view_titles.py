"""Titles of views: everything is said, in as many lines as the width needs."""

from types import SimpleNamespace

import pytest

pytest.importorskip("slicer", reason="slicer-core cannot be loaded here", exc_type=ImportError)

import slicer
import vtk

from PseudoProgressionAnalyzerLib.desktop.view_titles import CHARACTER, ViewTitles, bar_label, lines, short_unit
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.nodes import Kind, mark

TITLE, ROW = "2023-05-08, day 7", "Cho/NAA (molar) over T1CE"


@pytest.mark.parametrize(
    ("width", "expected"),
    [
        (400, [TITLE, ROW]),
        (150, [TITLE, "Cho/NAA (molar)", "over T1CE"]),
        (130, ["2023-05-08", "day 7", "Cho/NAA (molar)", "over T1CE"]),
    ],
)
def test_what_does_not_fit_goes_to_the_next_line(width, expected):
    found = lines(TITLE, ROW, width)
    assert found == expected
    assert all(len(line) * CHARACTER < width for line in found)
    assert "".join(found).replace(" ", "").replace(",", "") == (TITLE + ROW).replace(" ", "").replace(",", "")


def test_a_scene_that_opens_may_have_a_patient_without_text(monkeypatch):
    """Its nodes come one after the other, and views are drawn meanwhile."""
    app = application()
    mark(app.scene.AddNewNodeByClass("vtkMRMLTextNode"), kind=Kind.PATIENT)
    manager = SimpleNamespace(viewport=lambda: SimpleNamespace(width=800))
    monkeypatch.setattr(slicer, "app", SimpleNamespace(layoutManager=lambda: manager), False)
    ViewTitles().update(app)


@pytest.mark.parametrize(
    ("label", "room", "expected"),
    [
        (f"{TITLE}, since 2023-03-13", 40, f"{TITLE}, since 2023-03-13"),
        (f"{TITLE}, since 2023-03-13", 20, TITLE),
        (TITLE, 12, "2023-05-08"),
        (TITLE, 5, "05-08"),
        (TITLE, 4, ""),
        ("2023-03-13, day -49", 18, "2023-03-13"),
        ("T1CE", 3, ""),
        ("2023-03-13: no map", 12, "2023-03-13"),
    ],
)
def test_the_date_stays_in_a_bar_that_has_no_room_for_more(label, room, expected):
    assert bar_label(label, lambda text: len(text) <= room) == expected


@pytest.mark.parametrize(
    ("unit", "width", "expected"),
    [
        ("ratio to reference tissue", 271, "ratio"),
        ("ratio to reference tissue", 820, "ratio to reference tissue"),
        ("% of reference tissue", 271, "%"),
        ("mL/100 g/min", 271, "mL/100 g/min"),
    ],
)
def test_a_unit_does_not_run_over_the_brain(unit, width, expected):
    assert short_unit(unit, width) == expected


def test_images_that_are_exchanged_are_told_once_and_nothing_else_is():
    """A title follows when another module puts a volume of its own into the view; scrolling costs nothing."""
    app, titles, told = application(), ViewTitles(), []
    node = app.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    node.SetLayoutName("PPA_0_0")
    composite = app.scene.AddNewNodeByClass("vtkMRMLSliceCompositeNode")
    composite.SetLayoutName("PPA_0_0")
    own, other = (app.scene.AddNewNodeByClass("vtkMRMLScalarVolumeNode").GetID() for _ in range(2))
    composite.SetBackgroundVolumeID(own)
    titles.exchanged = lambda: told.append(composite.GetBackgroundVolumeID())
    titles.update = lambda app: told.append("written")
    titles._follow_images(node)
    titles.catch_up(app)
    composite.SetForegroundOpacity(0.3)
    node.GetSliceToRAS().SetElement(2, 3, 40.25)
    node.UpdateMatrices()
    assert told == []
    composite.SetBackgroundVolumeID(other)
    composite.SetForegroundOpacity(0.4)
    titles.catch_up(app)
    assert told == [other, "written"]


def test_a_bar_says_what_is_shown():
    """Not the date of its column over a volume of another visit."""
    app, titles = application(), ViewTitles()
    node = app.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    node.SetLayoutName("PPA_0_0")
    node.SetLayoutLabel(TITLE)
    assert titles._label_of(node) == TITLE
    titles._others["PPA_0_0"] = "2023-03-13 T1CE"
    assert titles._label_of(node) == "2023-03-13 T1CE"
    assert lines("", "2023-03-13 T1CE", 400) == ["2023-03-13 T1CE"]


def test_each_step_of_a_scroll_is_told():
    """So that the scene learns where the views look once they rest."""
    app, titles, told = application(), ViewTitles(), []
    node = app.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    node.SetLayoutName("PPA_0_0")
    titles._corners["PPA_0_0"] = None, vtk.vtkCornerAnnotation()
    titles.addObserver(node, vtk.vtkCommand.ModifiedEvent, titles._changed)
    titles.moved = lambda: told.append(node.GetSliceToRAS().GetElement(2, 3))
    titles._changed(node)
    assert told == []  # written anew, not moved
    node.GetSliceToRAS().SetElement(2, 3, 40.25)
    node.UpdateMatrices()
    assert told[-1] == 40.25


def test_a_bar_is_fitted_again_to_another_size_or_title_of_its_view():
    app, titles, told = application(), ViewTitles(), []
    node = app.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    node.SetLayoutName("PPA_0_0")
    node.SetLayoutLabel(TITLE)
    titles._corners["PPA_0_0"] = None, vtk.vtkCornerAnnotation()
    titles._changed(node)
    titles._bars["PPA_0_0"] = TITLE, lambda: told.append(node.GetLayoutLabel())
    titles.resized = lambda: told.append("resized")
    titles._changed(node)
    assert told == []
    node.SetDimensions(node.GetDimensions()[0], 133, 1)
    titles._changed(node)
    assert told == [TITLE, "resized"]
    node.SetLayoutLabel("2023-03-13: no map")
    titles._changed(node)
    assert told == [TITLE, "resized", "2023-03-13: no map"]


def test_a_view_that_is_new_is_told(monkeypatch):
    """So that clicks and scrolling are heard in it too, when the timeline was off meanwhile."""
    app, titles, told = application(), ViewTitles(), []
    node = app.scene.AddNewNodeByClass("vtkMRMLSliceNode")
    node.SetLayoutName("PPA_0_0")
    window, plain = vtk.vtkRenderWindow(), vtk.vtkCornerAnnotation()
    window.AddRenderer(vtk.vtkRenderer())
    view = SimpleNamespace(renderWindow=lambda: window, cornerAnnotation=lambda: plain)
    widget = SimpleNamespace(sliceView=lambda: view)
    titles.resized = lambda: told.append(node.GetLayoutName())
    titles._corner(node, widget)
    titles._corner(node, widget)
    assert told == ["PPA_0_0"]
    window.RemoveRenderer(window.GetRenderers().GetFirstRenderer())
    window.AddRenderer(vtk.vtkRenderer())  # the layout made it again
    titles._corner(node, widget)
    assert told == ["PPA_0_0"] * 2
