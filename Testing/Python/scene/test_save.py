"""Scene files: whole or not at all; opening and closing again and again leaves nothing behind."""

import gc
import zipfile
from pathlib import Path

import pytest
import slicer

from PseudoProgressionAnalyzerLib.measures import InputError
from PseudoProgressionAnalyzerLib.scene import nodes, timeline
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.build import build_scene
from PseudoProgressionAnalyzerLib.scene.read import read_scene
from PseudoProgressionAnalyzerLib.scene.save import close_scene, open_scene, save_mrb


@pytest.fixture
def file(app, analysis, tmp_path):
    build_scene(app, analysis)
    save_mrb(app.scene, tmp_path / "scene.mrb")
    return tmp_path / "scene.mrb"


def resident_kilobytes() -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


def test_the_bundle_holds_one_scene_and_its_data(file):
    names = zipfile.ZipFile(file).namelist()
    assert [name for name in names if name.endswith(".mrml")] == ["scene/scene.mrml"]
    assert any("rCBV_ratio" in name for name in names)
    assert list(file.parent.iterdir()) == [file]


def test_saving_over_a_file_is_all_or_nothing(file):
    class Full:
        """A scene on a disk that is full."""

        def WriteToMRB(self, path, picture, messages):  # noqa: N802
            Path(path).write_bytes(b"half")
            return False

    before = file.read_bytes()
    with pytest.raises(InputError) as caught:
        save_mrb(Full(), file)
    assert caught.value.message.code == "scene_not_saved"
    assert file.read_bytes() == before
    assert list(file.parent.iterdir()) == [file]


def test_saving_leaves_the_scene_as_it_was(app, file, analysis):
    patient = nodes.patient_node(app.scene)
    assert patient is not None
    assert read_scene(app.scene).analysis.measurements == analysis.measurements


def test_a_missing_file(app, tmp_path):
    with pytest.raises(InputError) as caught:
        open_scene(app, tmp_path / "no.mrb")
    assert caught.value.message.code == "file_missing"


@pytest.mark.parametrize("damage", ["not a bundle", "truncated", "flipped", "no scene inside"])
def test_a_damaged_file_leaves_the_present_scene(app, file, damage, analysis):
    content = file.read_bytes()
    if damage == "not a bundle":
        file.write_bytes(b"something else")
    elif damage == "truncated":
        file.write_bytes(content[: len(content) // 2])
    elif damage == "flipped":
        middle = len(content) // 2
        file.write_bytes(
            content[:middle] + bytes(255 - byte for byte in content[middle : middle + 64]) + content[middle + 64 :]
        )
    else:
        with zipfile.ZipFile(file, "w") as bundle:
            bundle.writestr("scene/readme.txt", "nothing")
    with pytest.raises(InputError) as caught:
        open_scene(app, file)
    assert caught.value.message.code == "scene_unreadable"
    assert read_scene(app.scene).analysis.measurements == analysis.measurements


def test_closing_empties_the_scene(app, file, phantom):
    other = application()
    empty = phantom.node_ids(other.scene)
    open_scene(other, file)
    timeline.show(other)
    close_scene(other)
    assert nodes.patient_node(other.scene) is None
    assert phantom.node_ids(other.scene) == empty


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_ten_rounds_leave_no_node_no_observer_and_no_memory(file, phantom):
    app = application()
    broker = slicer.vtkEventBroker.GetInstance()
    ids, observers, memory = [], [], []
    for _ in range(12):
        open_scene(app, file)
        timeline.show(app)
        assert read_scene(app.scene).messages == []
        timeline.hide(app)
        close_scene(app)
        gc.collect()
        ids.append(phantom.node_ids(app.scene))
        observers.append(broker.GetNumberOfObservations())
        memory.append(resident_kilobytes())
    # the first two rounds fill caches; from then on ten rounds must stay
    assert ids[2:] == [ids[2]] * 10
    assert observers[2:] == [observers[2]] * 10
    assert memory[-1] < 1.05 * memory[2]
