"""Who may import whom, and other rules of the house that the sources themselves must keep."""

import ast
import subprocess
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[2]
LIBRARY = PROJECT / "PseudoProgressionAnalyzer" / "PseudoProgressionAnalyzerLib"

# Each floor may import only from the floors named before it; parts of one floor never import each other.
FLOORS = [
    {"measures"},
    {"texts"},
    {"formats"},
    {"patient"},
    {"imaging"},
    {"perfusion", "spectroscopy", "markers"},
    {"lesion"},
    {"response"},
    {"assessment"},
    {"analysis"},
    {"scene", "report", "cases"},
    {"commandline", "desktop"},
    {"__main__"},
]
# Only these speak to people in sentences; the others hand messages on as values.
SPEAKERS = {"texts", "report", "commandline", "desktop"}
# The three signal parts know arrays, units and acquisition parameters: no files.
ARRAYS_ONLY = {"perfusion", "spectroscopy", "markers"}
ALLOWED_OUTSIDE = {
    "slicer": {"scene", "desktop"},
    "qt": {"desktop"},
    "ctk": {"desktop"},
    "vtk": {"lesion", "imaging", "report", "scene", "desktop"},
    "pydicom": {"formats"},
}


def floor_of(part: str) -> int:
    return next(number for number, floor in enumerate(FLOORS) if part in floor)


def part_of(path: Path) -> str:
    return path.relative_to(LIBRARY).parts[0].removesuffix(".py")


def imports(source: str, depth: int):
    """(part of our library or None, outside package or None) for every import in a source, at any depth of it."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for name in node.names:
                yield None, name.name.split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield None, (node.module or "").split(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.level == depth:
            for name in [node.module] if node.module else [name.name for name in node.names]:
                yield name.split(".")[0], None


def breaches(part: str, source: str, depth: int) -> list[str]:
    """What a source of a part imports although the walls forbid it."""
    found = []
    for ours, outside in imports(source, depth):
        if ours is not None and ours not in (part, "__version__"):
            if floor_of(ours) >= floor_of(part):
                found.append(f"{part} imports {ours}, which is not below it")
            if ours == "texts" and part not in SPEAKERS:
                found.append(f"{part} speaks in sentences")
            if part in ARRAYS_ONLY and ours != "measures":
                found.append(f"{part} knows arrays only, not {ours}")
        if outside is not None:
            root = "vtk" if outside == "vtkmodules" else outside
            if part not in ALLOWED_OUTSIDE.get(root, {part}):
                found.append(f"{part} imports {outside}")
            if outside == "PseudoProgressionAnalyzerLib":
                found.append("imports inside the library are relative")
    return found


def sources() -> list[Path]:
    return [path for path in sorted(LIBRARY.rglob("*.py")) if path != LIBRARY / "__init__.py"]


def test_there_are_sources():
    assert len(sources()) > 10


@pytest.mark.parametrize("path", sources(), ids=lambda path: path.relative_to(LIBRARY).as_posix())
def test_imports_only_from_the_floors_below(path):
    depth = len(path.relative_to(LIBRARY).parts)
    assert breaches(part_of(path), path.read_text(encoding="utf-8"), depth) == []


@pytest.mark.parametrize(
    ("part", "source"),
    [
        ("imaging", "from ..lesion import volume"),
        ("perfusion", "from ..spectroscopy import fit"),
        ("perfusion", "from ..formats.images import read_image"),
        ("cases", "from ..report import html"),
        ("patient", "def late():\n    from ..assessment.prior import prior"),
        ("assessment", "from .. import texts"),
        ("imaging", "import slicer"),
        ("scene", "import qt"),
        ("perfusion", "from vtkmodules.vtkCommonCore import vtkPoints"),
        ("report", "from PseudoProgressionAnalyzerLib.analysis import Analysis"),
    ],
)
def test_a_breach_is_found(part, source):
    assert breaches(part, source, depth=2)


def tracked(*patterns: str) -> list[Path]:
    listing = subprocess.run(["git", "ls-files", *patterns], cwd=PROJECT, capture_output=True, text=True)
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    return [PROJECT / line for line in listing.stdout.splitlines()]


def test_sources_are_ascii():
    for path in tracked("*.py", "*.ui", "*.json", "*.txt", "*.toml", "Makefile", "*.s4ext", "*.cff"):
        if path.exists():
            assert path.read_bytes().isascii(), path


def test_every_test_folder_mirrors_a_part_of_the_library():
    parts = {part_of(path) for path in sources()}
    for folder in (PROJECT / "Testing" / "Python").iterdir():
        if folder.is_dir() and not folder.name.startswith(("_", ".")):
            assert folder.name in parts | {"module"}, folder.name
