"""The command line as a user meets it: exit status, one clear sentence, nothing half-written, nothing written over."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib import cases
from PseudoProgressionAnalyzerLib.commandline import main
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import DISCLAIMER, Image


def put(folder, study, name, shape=(4, 5, 6)):
    path = folder / study / name
    path.parent.mkdir(parents=True, exist_ok=True)
    write_image(Image(np.random.default_rng(0).integers(0, 99, shape).astype(np.int16), np.eye(4)), path)
    return path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "patient"
    put(folder, "2023-01-10", "T1CE.nii.gz")
    return folder


def test_inspect_prints_a_table(folder, capsys):
    assert main(["inspect", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert DISCLAIMER in printed
    assert "Visit 2023-01-10" in printed
    assert "6x5x4" in printed
    assert "not there: FLAIR, DSC" in printed


def test_inspect_for_programs(folder, capsys):
    (folder / "2023-01-10" / "FLAIR.nii.gz").write_bytes(b"broken")
    assert main(["inspect", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    visit = found["visits"][0]
    assert (visit["id"], visit["date"]) == ("2023-01-10", "2023-01-10")
    series = visit["series"][0]
    assert series["file"] == "2023-01-10/T1CE.nii.gz"
    assert series["role"] == "T1CE"
    assert series["shape"] == [6, 5, 4]
    assert series["spacing"] == [1.0, 1.0, 1.0]
    assert {"confidence", "reason", "acquisition"} <= set(series)
    problem = found["problems"][0]
    assert problem["file"].endswith("FLAIR.nii.gz")
    assert problem["message"]
    assert problem["remedy"]


def test_cases_are_listed(capsys):
    assert main(["cases"]) == 0
    printed = capsys.readouterr().out
    for name in cases.names():
        assert name in printed


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["analyze", "{missing}", "--output", "{out}"], "no such folder"),
        (["inspect", "{missing}"], "no such folder"),
        (["demo", "no-such-case", "--output", "{out}"], "no-such-case"),
    ],
)
def test_what_the_user_can_mend_is_one_sentence(tmp_path, capsys, arguments, words):
    names = {"missing": tmp_path / "missing", "out": tmp_path / "out"}
    assert main([argument.format(**names) for argument in arguments]) == 2
    errors = capsys.readouterr().err
    assert words in errors
    assert "Traceback" not in errors
    assert not (tmp_path / "out").exists()


def test_a_problem_stops_the_job_before_anything_is_written(folder, tmp_path, capsys):
    put(folder, "8 May", "T1CE.nii.gz")
    assert main(["analyze", str(folder), "--output", str(tmp_path / "out")]) == 2
    errors = capsys.readouterr().err
    assert "8 May" in errors
    assert "YYYY-MM-DD" in errors
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("overwrite", [[], ["--overwrite"]])
def test_nothing_of_the_user_is_written_over(folder, tmp_path, capsys, overwrite):
    out = tmp_path / "out"
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    assert main(["analyze", str(folder), "--output", str(out), *overwrite]) == 2
    assert "out" in capsys.readouterr().err
    assert [path.name for path in out.iterdir()] == ["thesis.txt"]
    assert (out / "thesis.txt").read_text() == "mine"


def test_an_interruption_leaves_nothing(folder, tmp_path, capsys, monkeypatch):
    from PseudoProgressionAnalyzerLib.analysis import run

    def interrupt(analysis):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "steps", interrupt)
    assert main(["analyze", str(folder), "--output", str(tmp_path / "out")]) == 130
    assert "nothing half-written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["patient"]


def test_the_installed_command_runs():
    """The module can be started as a program; with PPA_TEST_WHEEL it is the installed wheel and not the source tree."""
    run = subprocess.run(
        [
            sys.executable,
            "-c",
            "import PseudoProgressionAnalyzerLib.commandline as c; print(c.__file__); c.main(['cases'])",
        ],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    if os.environ.get("PPA_TEST_WHEEL"):
        assert "site-packages" in run.stdout
