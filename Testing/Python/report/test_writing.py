"""Writing whole or not at all, and never over what somebody else made."""

import stat
from pathlib import Path

import pytest

from PseudoProgressionAnalyzerLib.measures import DISCLAIMER, InputError
from PseudoProgressionAnalyzerLib.report import writing


def write_own(folder, content="old"):
    folder.mkdir(exist_ok=True)
    (folder / writing.MARK).write_text(f'{{"disclaimer": "{DISCLAIMER}"}}')
    (folder / "report.html").write_text(content)


def names(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_a_file_is_replaced_as_a_whole(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    writing.write_file(path, "new\n")
    assert path.read_bytes() == b"new\n"
    assert names(tmp_path) == ["a.txt"]


def test_a_failed_write_leaves_the_old_file_and_nothing_else(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("old")

    def fail(self, data):
        raise OSError("disk full")

    monkeypatch.setattr("pathlib.Path.write_bytes", fail)
    with pytest.raises(OSError, match="disk full"):
        writing.write_file(path, "new")
    assert path.read_text() == "old"
    assert names(tmp_path) == ["a.txt"]


def test_files_come_together_and_are_readable_as_any_other(tmp_path):
    target = tmp_path / "new" / "out"
    with writing.staged(target) as stage:
        (stage / "maps").mkdir()
        (stage / "maps" / "m.txt").write_text("m")
        (stage / "a.txt").write_text("a")
        assert not target.exists()
    assert names(tmp_path) == ["new", "new/out", "new/out/a.txt", "new/out/maps", "new/out/maps/m.txt"]
    other = tmp_path / "other"
    other.mkdir()
    assert stat.S_IMODE(target.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
@pytest.mark.parametrize("exists", [False, True])
def test_an_error_or_interruption_leaves_everything_as_it_was(tmp_path, error, exists):
    target = tmp_path / "out"
    if exists:
        write_own(target)
    before = names(tmp_path)
    with pytest.raises(error), writing.staged(target, overwrite=True) as stage:
        (stage / "report.html").write_text("half")
        raise error
    assert names(tmp_path) == before
    assert not exists or (target / "report.html").read_text() == "old"


def test_an_own_output_is_replaced_only_when_asked_and_other_files_stay(tmp_path):
    target = tmp_path / "out"
    write_own(target)
    (target / "my notes.txt").write_text("mine")
    with pytest.raises(InputError) as refused, writing.staged(target):
        pass
    assert refused.value.message.code == "output_exists"
    with writing.staged(target, overwrite=True) as stage:
        write_own(stage, "new")
    assert (target / "report.html").read_text() == "new"
    assert (target / "my notes.txt").read_text() == "mine"


@pytest.mark.parametrize("overwrite", [False, True])
def test_a_folder_of_somebody_else_is_never_written_into(tmp_path, overwrite):
    (tmp_path / "report.html").write_text("somebody's")
    (tmp_path / writing.MARK).write_text("{}")
    with pytest.raises(InputError) as refused:
        writing.check_folder(tmp_path, overwrite)
    assert refused.value.message.code == "output_not_ours"


def test_an_empty_folder_is_fine_and_a_file_is_not(tmp_path):
    writing.check_folder(tmp_path)
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError) as refused:
        writing.check_folder(file)
    assert refused.value.message.code == "output_not_a_folder"


def test_a_new_place_is_never_one_that_is_taken(tmp_path):
    assert writing.unused(tmp_path, "report_2023-05-08").name == "report_2023-05-08"
    (tmp_path / "report_2023-05-08").mkdir()
    (tmp_path / "report_2023-05-08_2").write_text("")
    assert writing.unused(tmp_path, "report_2023-05-08").name == "report_2023-05-08_3"
    assert writing.unused(tmp_path, "report_a/b: c").parent == tmp_path


def test_the_present_folder_can_be_written_into(tmp_path, monkeypatch):
    """It has no name and no parent as it is written."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    with writing.staged(Path()) as stage:
        write_own(stage)
    assert names(tmp_path) == ["here", "here/assessment.json", "here/report.html"]


def test_in_a_folder_that_exists_nothing_is_asked_of_what_lies_beside(tmp_path):
    """It may be a disk of its own: files move within it alone."""
    out = tmp_path / "out"
    out.mkdir()
    with writing.staged(out) as stage:
        assert out in stage.parents
        write_own(stage)
    assert names(out) == ["assessment.json", "report.html"]


def test_what_a_killed_process_left_does_not_make_a_folder_somebody_elses(tmp_path):
    out = tmp_path / "out"
    (out / ".out.abc.partial" / "out").mkdir(parents=True)
    writing.check_folder(out)
    (out / "thesis.txt").write_text("mine")
    with pytest.raises(InputError) as refused:
        writing.check_folder(out)
    assert refused.value.message.code == "output_not_ours"


def test_where_nothing_can_be_written_is_said_before_anything_is_computed(tmp_path, monkeypatch):
    file = tmp_path / "file"
    file.write_text("")
    with pytest.raises(InputError) as refused:
        writing.check_folder(file / "study" / "out")
    assert refused.value.message.code == "output_not_a_folder"
    monkeypatch.setattr("os.access", lambda path, mode: path != tmp_path)
    with pytest.raises(InputError) as refused:
        writing.check_folder(tmp_path / "study" / "out")
    assert refused.value.message.code == "output_not_writable"
    assert refused.value.message.parameters["file"] == str(tmp_path)
