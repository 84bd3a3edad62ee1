"""A scene with its logics where no application runs."""

import slicer

from PseudoProgressionAnalyzerLib.scene.application import application


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
    before = phantom.node_ids(app.scene)
    node = slicer.vtkMRMLSliceNode()
    node.SetLayoutName("own")
    node = app.scene.AddNode(node)
    logic = app.slice_logic(node)
    assert app.slice_logic(node) is logic
    assert logic.GetSliceNode() is node
    assert len(phantom.node_ids(app.scene)) == len(before) + 5
    app.remove_view(node)
    assert phantom.node_ids(app.scene) == before
    assert app.logic.GetSliceLogics().GetNumberOfItems() == 0


def test_a_view_without_a_logic_is_removed_too(app, phantom):
    before = phantom.node_ids(app.scene)
    node = slicer.vtkMRMLSliceNode()
    node.SetLayoutName("own")
    app.remove_view(app.scene.AddNode(node))
    assert phantom.node_ids(app.scene) == before
