"""Making and keeping cases: names, errors, interruption, cache."""

import json

import pytest

from PseudoProgressionAnalyzerLib import cases, texts
from PseudoProgressionAnalyzerLib.cases import folder
from PseudoProgressionAnalyzerLib.measures import InputError


@pytest.fixture
def quick(monkeypatch):
    """Stands in for the simulation; returns the list of calls."""
    calls = []

    def write(case, directory, progress):
        progress(0.5)
        (directory / "truth.json").write_text(json.dumps({"answer": case.answer}))
        calls.append(case.name)

    monkeypatch.setattr(folder, "write_case", write)
    return calls


def test_names_and_descriptions():
    assert cases.names() == ["pseudoprogression", "true_progression", "radiation_necrosis"]
    assert all(len(cases.describe(name)) > 40 for name in cases.names())


@pytest.mark.parametrize("call", [cases.describe, cases.cached, lambda name: cases.make(name, "anywhere")])
def test_unknown_case_names_the_known_ones(call):
    with pytest.raises(InputError) as raised:
        call("nonsense")
    said = texts.sentence(raised.value.message)
    assert "nonsense" in said and "true_progression" in said


def test_make_fills_a_new_or_an_empty_folder(quick, tmp_path):
    shares = []
    made = cases.make("pseudoprogression", tmp_path / "deep" / "new", progress=shares.append)
    assert json.loads((made / "truth.json").read_text())["answer"] == "pseudoprogression"
    assert shares == [0.5]
    empty = tmp_path / "empty"
    empty.mkdir()
    assert cases.make("true_progression", empty) == empty and (empty / "truth.json").exists()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["deep", "empty"]


def test_make_writes_nothing_over(quick, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    for target in (tmp_path, tmp_path / "mine.txt"):
        with pytest.raises(InputError) as raised:
            cases.make("pseudoprogression", target)
        assert raised.value.message.code == "case_folder_in_use"
    assert (tmp_path / "mine.txt").read_text() == "mine" and not quick


@pytest.mark.parametrize("stop", [KeyboardInterrupt, InputError("template_package_missing")])
def test_what_is_interrupted_leaves_nothing(monkeypatch, tmp_path, stop):
    def write(case, directory, progress):
        (directory / "half.nii.gz").write_text("half")
        raise stop

    monkeypatch.setattr(folder, "write_case", write)
    with pytest.raises((KeyboardInterrupt, InputError)):
        cases.make("pseudoprogression", tmp_path / "case")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(quick, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError) as raised:
        cases.make("pseudoprogression", tmp_path / "file" / "case")
    assert raised.value.message.code == "case_folder_not_writable"
    assert str(tmp_path / "file") in texts.sentence(raised.value.message)


def test_cached_makes_once(quick, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = cases.cached("pseudoprogression")
    assert cases.cached("pseudoprogression") == first and quick == ["pseudoprogression"]
    assert first.is_relative_to(tmp_path) and (first / "truth.json").exists()


def test_cache_forgets_what_other_source_made(quick, monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = cases.cached("pseudoprogression")
    monkeypatch.setattr(cases, "_version", lambda: "other")
    assert cases.cached("pseudoprogression") != first and len(quick) == 2


def test_another_process_may_be_quicker(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))

    def write(case, directory, progress):
        (directory / "truth.json").write_text("{}")
        done = cases.cache_folder() / cases._version() / case.name
        done.mkdir()
        (done / "truth.json").write_text('{"by": "other"}')

    monkeypatch.setattr(folder, "write_case", write)
    assert json.loads((cases.cached("pseudoprogression") / "truth.json").read_text()) == {"by": "other"}


@pytest.mark.parametrize(
    ("platform", "expected"), [("linux", ".cache"), ("darwin", "Library/Caches"), ("win32", "AppData")]
)
def test_cache_folder_of_the_platform(monkeypatch, tmp_path, platform, expected):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(cases.sys, "platform", platform)
    monkeypatch.setattr(cases.Path, "home", lambda: tmp_path)
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "AppData"))
    assert cases.cache_folder() == tmp_path / expected / "pseudoprogression-analyzer" / "cases"
