"""The command line as a user meets it: exit status, one clear sentence, nothing half-written, nothing written over."""

import datetime
import json
import os
import subprocess
import sys
import zipfile

import numpy as np
import pytest

from PseudoProgressionAnalyzerLib import cases, commandline
from PseudoProgressionAnalyzerLib.analysis import Analysis
from PseudoProgressionAnalyzerLib.analysis.judging import assess_visits
from PseudoProgressionAnalyzerLib.analysis.measuring import measure_visits
from PseudoProgressionAnalyzerLib.analysis.run import steps
from PseudoProgressionAnalyzerLib.commandline import main
from PseudoProgressionAnalyzerLib.formats.images import write_image
from PseudoProgressionAnalyzerLib.measures import (
    DISCLAIMER,
    Event,
    Image,
    InputError,
    Map,
    Patient,
    Region,
    Series,
    Visit,
)
from PseudoProgressionAnalyzerLib.scene import save
from PseudoProgressionAnalyzerLib.scene.application import application
from PseudoProgressionAnalyzerLib.scene.pictures import ScenePictures
from PseudoProgressionAnalyzerLib.scene.read import read_scene


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
    assert printed.rstrip().endswith("No problem found.")


def test_inspect_never_calls_a_visit_with_warnings_free_of_problems(folder, capsys):
    put(folder, "2023-05-08", "FLAIR.nii.gz")  # a visit without its T1CE
    assert main(["inspect", str(folder)]) == 0
    printed = capsys.readouterr().out
    assert printed.count("  warning: ") == 1
    assert printed.rstrip().endswith("No problem found; 1 warning above.")


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


def test_a_cohort_goes_on_where_it_stopped(folder, tmp_path, capsys, monkeypatch):
    """A result that is there is left as it is, to the byte, and nothing is read; without one the job is done."""
    done = tmp_path / "done"
    done.mkdir()
    mark = done / "assessment.json"
    mark.write_text(json.dumps({"disclaimer": DISCLAIMER}))
    monkeypatch.setattr(commandline, "_run_job", lambda *arguments: pytest.fail("computed again"))
    assert main(["analyze", str(folder), "--output", str(done), "--skip-finished"]) == 0
    assert "finished before" in capsys.readouterr().err
    assert json.loads(mark.read_text()) == {"disclaimer": DISCLAIMER}
    monkeypatch.setattr(commandline, "_run_job", lambda *arguments: (_ for _ in ()).throw(InputError("unknown_visit")))
    assert main(["analyze", str(folder), "--output", str(tmp_path / "out"), "--skip-finished"]) == 2
    with pytest.raises(SystemExit) as refused:
        main(["analyze", str(folder), "--output", str(done), "--skip-finished", "--overwrite"])
    assert refused.value.code == 2


def run_as_program(*arguments, **environment):
    command = [sys.executable, "-m", "PseudoProgressionAnalyzerLib", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, env={**os.environ, **environment})


def test_a_name_that_the_terminal_cannot_show_is_no_error(tmp_path):
    put(tmp_path / "patient", "2023-01-10", "T1CE.nii.gz")
    (tmp_path / "patient" / "2023-01-10" / "\u75c5.txt.nii.gz").write_bytes(b"broken")
    for encoding in ("ascii", "cp1252", "utf-8"):
        ran = run_as_program("inspect", tmp_path / "patient", PYTHONIOENCODING=encoding)
        assert ran.returncode == 0, ran.stderr
        shown = "\u75c5" if encoding == "utf-8" else "\\u75c5"
        assert shown in ran.stdout.decode(encoding)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes end otherwise there")
def test_a_reader_that_has_enough_is_no_error(folder):
    command = (
        f'"{sys.executable}" -m PseudoProgressionAnalyzerLib inspect "{folder}" --json | true; echo ${{PIPESTATUS[0]}}'
    )
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True)
    assert ran.stdout.strip() == "0"
    assert ran.stderr == ""


def test_an_interruption_leaves_nothing(folder, tmp_path, capsys, monkeypatch):
    from PseudoProgressionAnalyzerLib.analysis import run

    def interrupt(analysis):
        raise KeyboardInterrupt

    monkeypatch.setattr(run, "steps", interrupt)
    assert main(["analyze", str(folder), "--output", str(tmp_path / "out")]) == 130
    assert "nothing half-written" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["patient"]


SECRET = "Doe_John"


@pytest.fixture
def analysis(tmp_path):
    """Two visits of a box of a head with a lesion that grows, as the job leaves them; SECRET names the patient."""
    shape, affine = (12, 16, 14), np.diag([5.0, 5.0, 5.0, 1.0])
    affine[:3, 3] = -5 * (np.array(shape[::-1]) - 1) / 2
    k, j, i = np.indices(shape)
    head = (abs(k - 5.5) < 5) & (abs(j - 7.5) < 7) & (abs(i - 6.5) < 6)
    visits, regions = [], []
    made = Analysis(
        Patient(SECRET, visits, [Event("radiotherapy", None, datetime.date(2022, 12, 1))], regions), "2023-01-10"
    )
    for number, name in enumerate(("2023-01-10", "2023-03-01")):
        place = tmp_path / SECRET / name
        dsc = place / "DSC.nii.gz"
        visits.append(Visit(name, datetime.date.fromisoformat(name), [Series("T1CE", place / "T1CE.nii.gz")]))
        visits[-1].series.append(Series("DSC", dsc, uid="1.2.826", files=(dsc,)))
        regions.append(Region("lesion", name, "lesion", place / "lesion.nii.gz", carried=number == 0))
        lesion = (k - 6) ** 2 + (j - 10) ** 2 + (i - 4) ** 2 < (4, 7)[number]
        made.images[name, "T1CE"] = Image((100.0 * head + 80 * lesion + k + j).astype(np.float32), affine)
        made.brains[name] = head
        made.visit_to_reference[name] = np.eye(4)
        made.series_to_visit |= {(name, "T1CE"): np.eye(4), (name, "rCBV_ratio"): np.eye(4)}
        made.regions[name, "lesion"] = Image(lesion, affine)
        made.references[name] = Image((i > 9) & (j > 8) & head, affine)
        ratio = np.where(lesion, 2.0 + number / 3, 0.9 + 0.01 * j)
        made.maps[name, "rCBV_ratio"] = Map(ratio, affine, "rCBV_ratio", "1", "made up", head)
    measure_visits(made)
    assess_visits(made)
    made.finished = {(step.code, step.visit) for step in steps(made)}
    return made


@pytest.fixture
def job(analysis, monkeypatch):
    """The command with the analysis in place of what a folder holds."""
    monkeypatch.setattr(commandline, "_run_job", lambda *given: analysis)


def test_the_scene_holds_what_the_report_says(analysis, job, tmp_path, capsys):
    out = tmp_path / "out"
    assert main(["analyze", str(tmp_path), "--output", str(out)]) == 0
    printed = capsys.readouterr().out.split("\n")
    main_files = ["assessment.json", "measurements.csv", "report.html", "scene.mrb", "timeline.png"]
    assert printed == [*(str(out / name) for name in main_files), f"{out / 'maps'}{os.sep} (6 files)", ""]
    opened = application()
    save.open_scene(opened, out / "scene.mrb")
    content = read_scene(opened.scene)
    assert content.messages == []
    assert content.analysis.patient.id == "anonymous"
    assert len(analysis.measurements) > 10
    assert content.analysis.measurements == analysis.measurements
    assert content.assessment_json == (out / "assessment.json").read_text()
    assert content.analysis.assessments == analysis.assessments


@pytest.mark.parametrize("shown", [False, True])
def test_the_scene_names_the_patient_only_when_asked(job, tmp_path, shown):
    """Neither the patient, nor a folder above the study's, nor the scanner's own number of a series."""
    out = tmp_path / "out"
    assert main(["analyze", ".", "--output", str(out), *["--show-patient"] * shown]) == 0
    with zipfile.ZipFile(out / "scene.mrb") as bundle:
        held = b"".join(name.encode() + bundle.read(name) for name in bundle.namelist())
    for word in (SECRET, str(tmp_path), "1.2.826"):
        assert (word.encode() in held) == shown, word
    assert b"2023-01-10/DSC.nii.gz" in held


def test_the_timelines_grey_pictures_are_those_that_the_scene_shows(analysis, job, tmp_path, monkeypatch):
    asked = []
    cell = ScenePictures.cell
    monkeypatch.setattr(ScenePictures, "cell", lambda self, *what: asked.append(what[:2]) or cell(self, *what))
    assert main(["analyze", ".", "--output", str(tmp_path / "out")]) == 0
    visits = [visit.id for visit in analysis.patient.visits]
    assert sorted(asked) == sorted((visit, "T1CE") for visit in visits)  # maps are laid over them in the report


def test_without_slicer_core_the_rest_is_written(job, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "PseudoProgressionAnalyzerLib.scene.application", None)
    out = tmp_path / "out"
    assert main(["analyze", ".", "--output", str(out)]) == 0
    names = {path.name for path in out.iterdir()}
    assert names == {"assessment.json", "measurements.csv", "report.html", "timeline.png", "maps"}
    captured = capsys.readouterr()
    assert "scene.mrb" not in captured.out
    (note,) = [line for line in captured.err.splitlines() if "slicer-core" in line]
    assert "pip install slicer-core" in note


def test_a_scene_that_cannot_be_saved_leaves_nothing(job, tmp_path, capsys, monkeypatch):
    def full(scene, path):
        raise InputError("scene_not_saved", file=str(path), detail="the disk is full")

    monkeypatch.setattr(save, "save_mrb", full)
    assert main(["analyze", ".", "--output", str(tmp_path / "out")]) == 2
    assert "the disk is full" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


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


def test_the_default_criteria_can_be_edited_and_given_back(tmp_path, capsys):
    assert main(["criteria"]) == 0
    content = json.loads(capsys.readouterr().out)
    assert len(content["criteria"]) == 54 and content["leave_out"] == ["*"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--prior", "0.6", "0.7", "0.8"], "prior"),
        (["--criteria", "broken.json"], "broken.json, line 2"),
        (["--criteria", "absent.json"], "absent.json"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_computed(options, said, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.json").write_text('{"criteria":\n [}')
    monkeypatch.setattr(commandline, "_run_job", lambda *given: pytest.fail("computed"))
    assert main(["analyze", str(tmp_path), "--output", str(tmp_path / "out"), *options]) == 2
    assert said in capsys.readouterr().err and not (tmp_path / "out").exists()
