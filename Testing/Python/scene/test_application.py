"""A scene with its logics where no application runs."""

import slicer

from PseudoProgressionAnalyzerLib.scene.application import application, end_slice_logic


def test_scenes_are_apart(app):
    other = application()
    assert other.scene is not app.scene
    assert not app.desktop
    app.scene.AddNewNodeByClass("vtkMRMLTextNode", "here")
    assert other.scene.GetFirstNodeByName("here") is None


def test_colours_and_hierarchy_are_there(app):
    assert app.scene.GetNodeByID("vtkMRMLColorTableNodeGrey") is not None
    assert app.scene.GetSubjectHierarchyNode() is not None


def test_slice_logics_come_and_go(app, phantom):
    node = slicer.vtkMRMLSliceNode()
    node.SetLayoutName("own")
    node = app.scene.AddNode(node)
    before = phantom.node_ids(app.scene)
    logic = app.slice_logic(node)
    assert app.slice_logic(node) is logic
    assert logic.GetSliceNode() is node
    composite = logic.GetSliceCompositeNode()
    app.release_slice_logic(node)
    assert app.logic.GetSliceLogics().GetNumberOfItems() == 0
    app.scene.RemoveNode(composite)
    assert phantom.node_ids(app.scene) == before


def test_ending_a_logic_twice_does_no_harm(app):
    logic = slicer.vtkMRMLSliceLogic()
    logic.SetMRMLScene(app.scene)
    logic.AddSliceNode("own")
    end_slice_logic(logic)
    assert logic.GetMRMLScene() is None
