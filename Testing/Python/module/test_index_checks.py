"""What the Extensions Index's reviewers and robots look for, beside the files that ``test_extension_files`` checks."""

import ast
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
MODULE = PROJECT / "PseudoProgressionAnalyzer"
README = (PROJECT / "README.md").read_text(encoding="utf-8")
TUTORIAL = PROJECT / "Docs" / "tutorial.md"
# What Slicer brings itself, and its own modules.
BUNDLED = {
    "slicer", "vtk", "vtkmodules", "SimpleITK", "numpy", "scipy", "pydicom", "qt", "ctk", "SegmentStatisticsPlugins",
    "AbstractScriptedSubjectHierarchyPlugin", "PseudoProgressionAnalyzerLib",
}  # fmt: skip
LARGEST_FILE, LARGEST_CLONE = 2_000_000, 20_000_000  # bytes; the index allows a clone of 100 MB


def tracked() -> list[Path]:
    listing = subprocess.run(["git", "ls-files"], cwd=PROJECT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [PROJECT / line for line in listing.stdout.splitlines() if (PROJECT / line).is_file()]


def at_file_scope(path: Path):
    """Packages that are imported when the file is, whatever runs."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            yield from (name.name.split(".")[0] for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield (node.module or "").split(".")[0]


@pytest.mark.parametrize("path", sorted(MODULE.rglob("*.py")), ids=lambda path: path.relative_to(MODULE).as_posix())
def test_imports_at_file_scope_come_with_slicer(path):
    assert set(at_file_scope(path)) <= BUNDLED | set(sys.stdlib_module_names)


def test_an_import_that_slicer_lacks_is_found(tmp_path):
    (tmp_path / "file.py").write_text("import pandas\ndef later():\n    import torch\n")
    assert set(at_file_scope(tmp_path / "file.py")) == {"pandas"}


def test_nothing_runs_when_a_file_is_imported():
    """No call stands alone at file scope: only definitions, constants and what decorates them."""
    for path in MODULE.rglob("*.py"):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            alone = isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
            assert not alone or path.name == "__main__.py", f"{path.name}:{node.lineno}"


def test_no_program_is_fetched_and_nothing_is_sent():
    for path in MODULE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        assert not re.search(r"\b(urllib\.request|requests|socket|ftplib|smtplib|http\.client)\b", source), path.name
        assert "pip_install" not in source, path.name  # pip_ensure asks first


def test_the_clone_is_small():
    sizes = {path: path.stat().st_size for path in tracked()}
    assert sum(sizes.values()) < LARGEST_CLONE
    assert not [path.name for path, size in sizes.items() if size > LARGEST_FILE]


def test_the_name_tells_the_purpose_and_not_the_platform():
    assert not MODULE.name.startswith("Slicer")


def test_the_readme_begins_with_a_summary_and_a_picture():
    summary = README.split("\n\n")[1]
    assert 1 <= len(re.findall(r"[.?](?=\s|$)", summary.replace("?", "."))) <= 3
    pictures = re.findall(r"!\[[^\]]+\]\(([^)]+)\)", README)
    assert pictures
    for picture in pictures:
        assert (PROJECT / picture).is_file(), picture


def test_the_readme_says_what_reviewers_ask_for():
    text = README.lower()
    for wanted in (
        "tutorial",
        "not for clinical use",
        "apache license",
        "additional module paths",
        "limits",
        "nilearn",
    ):
        assert wanted in text, wanted


def test_the_tutorial_is_a_list_of_steps_with_pictures():
    text = TUTORIAL.read_text(encoding="utf-8")
    assert len(re.findall(r"^\d+\. ", text, re.MULTILINE)) >= 8
    for picture in re.findall(r"!\[[^\]]+\]\(([^)]+)\)", text):
        assert (TUTORIAL.parent / picture).resolve().is_file(), picture


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "Docs/tutorial.md", "Docs/developer.md"])
def test_links_lead_somewhere(name):
    page = PROJECT / name
    for link in re.findall(r"(?<!!)\[[^\]]+\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        assert link.startswith("https://") or (page.parent / link).exists(), link


def test_the_workflow_names_no_machine():
    text = (PROJECT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    assert "make test" in text
    assert "runUnitTest" in text
    assert not re.search(r"(?<![\w.$])/(home|work|root|usr|opt)/", text)


def test_the_workflow_tests_the_oldest_and_the_newest_python():
    text = (PROJECT / ".github" / "workflows" / "tests.yml").read_text(encoding="utf-8")
    tested = re.findall(r"\d\.\d+", re.search(r"python: \[(.*)\]", text)[1])
    said = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', (PROJECT / "pyproject.toml").read_text())
    assert tested == [f"3.{said[1]}", f"3.{int(said[2]) - 1}"]


@pytest.mark.skipif(shutil.which("make") is None, reason="there is no make here")
def test_make_benchmark_runs_each_script_that_runs_without_slicer():
    planned = subprocess.run(["make", "-n", "benchmark"], cwd=PROJECT, capture_output=True, text=True, check=True)
    scripts = {
        path.relative_to(PROJECT).as_posix(): path.read_text(encoding="utf-8")
        for path in (PROJECT / "Testing" / "Benchmarks").glob("*.py")
    }
    alone = {name for name, text in scripts.items() if "__main__" in text and "--python-script" not in text}
    assert set(re.findall(r"Testing/Benchmarks/\w+\.py", planned.stdout)) == alone
