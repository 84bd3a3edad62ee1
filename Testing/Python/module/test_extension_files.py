"""Extension files: what 3D Slicer's build and the Extensions Index read must agree with what is there."""

import json
import re
import struct
from pathlib import Path

import pytest

PROJECT = Path(__file__).resolve().parents[3]
MODULE = PROJECT / "PseudoProgressionAnalyzer"
TOP = (PROJECT / "CMakeLists.txt").read_text()
CATALOGUE = json.loads((PROJECT / "PseudoProgressionAnalyzer.json").read_text())
DESCRIPTION = {
    line.split(" ", 1)[0]: line.split(" ", 1)[1]
    for line in (PROJECT / "PseudoProgressionAnalyzer.s4ext").read_text().splitlines()
    if line and not line.startswith("#")
}


def cmake_list(name: str) -> list[str]:
    text = (MODULE / "CMakeLists.txt").read_text()
    body = re.search(rf"set\({name}\n(.*?)\n  \)", text, re.DOTALL)[1]
    return [line.strip().replace("${MODULE_NAME}", "PseudoProgressionAnalyzer") for line in body.splitlines()]


def variable(name: str) -> str:
    """As the index reads it: one quoted text on one line."""
    return re.search(rf'set\({name} "([^"]*)"\)', TOP)[1]


def on_disk(*patterns: str) -> list[str]:
    return sorted(
        path.relative_to(MODULE).as_posix()
        for pattern in patterns
        for path in MODULE.glob(pattern)
        if path.is_file() and "__pycache__" not in path.parts
    )


def test_every_script_is_in_the_cmake_list():
    scripts = on_disk("*.py", "PseudoProgressionAnalyzerLib/**/*.py")
    assert cmake_list("MODULE_PYTHON_SCRIPTS") == scripts, "\n  ".join(["expected:", *scripts])


def test_every_resource_is_in_the_cmake_list():
    resources = sorted(
        set(on_disk("Resources/**/*", "PseudoProgressionAnalyzerLib/**/*"))
        - set(on_disk("PseudoProgressionAnalyzerLib/**/*.py"))
    )
    assert cmake_list("MODULE_PYTHON_RESOURCES") == resources, "\n  ".join(["expected:", *resources])


def test_a_tree_copied_by_the_lists_alone_imports(tmp_path):
    """What the package will hold is enough: nothing depends on a file that is not listed."""
    import shutil
    import subprocess
    import sys

    for name in (*cmake_list("MODULE_PYTHON_SCRIPTS"), *cmake_list("MODULE_PYTHON_RESOURCES")):
        target = tmp_path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(MODULE / name, target)
    code = (
        "import PseudoProgressionAnalyzerLib as library, pkgutil, importlib;"
        "print(library.__file__);"
        "[importlib.import_module(found.name) for found in"
        " pkgutil.walk_packages(library.__path__, library.__name__ + '.')"
        " if '.desktop' not in found.name and not found.name.endswith('__main__')];"
        "from PseudoProgressionAnalyzerLib import texts; from PseudoProgressionAnalyzerLib.measures import Message;"
        "print(texts.sentence(Message('step_measure')))"
    )
    run = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert str(tmp_path) in run.stdout
    assert "Measuring" in run.stdout


def test_the_catalogue_entry_is_valid():
    """The fields of the index's schema v1.0.2 (additionalProperties: false there)."""
    allowed = {
        "$schema", "build_dependencies", "build_subdirectory", "category", "dicom_support_rule", "enabled",
        "scm_revision", "scm_type", "scm_url", "tier",
    }  # fmt: skip
    assert set(CATALOGUE) <= allowed
    assert {"$schema", "category", "scm_url"} <= set(CATALOGUE)
    assert CATALOGUE["$schema"].endswith("slicer-extension-catalog-entry-schema-v1.0.2.json#")
    assert CATALOGUE["category"] in ("Quantification", "Neuroimaging")
    assert re.fullmatch(r"https://\S+\.git", CATALOGUE["scm_url"])
    assert CATALOGUE["scm_url"].rsplit("/", 1)[1].startswith("Slicer")
    assert CATALOGUE["tier"] in range(1, 6)
    assert "\r" not in (PROJECT / "PseudoProgressionAnalyzer.json").read_text()


def test_cmake_catalogue_and_description_agree():
    assert re.search(r"^project\(PseudoProgressionAnalyzer\)$", TOP, re.MULTILINE)
    assert variable("EXTENSION_DEPENDS") == DESCRIPTION["depends"] == "NA"
    assert CATALOGUE["build_dependencies"] == []
    assert DESCRIPTION["scmurl"] == CATALOGUE["scm_url"]
    assert DESCRIPTION["scmrevision"] == CATALOGUE["scm_revision"]
    assert DESCRIPTION["homepage"] == variable("EXTENSION_HOMEPAGE") == CATALOGUE["scm_url"].removesuffix(".git")
    assert DESCRIPTION["category"] == CATALOGUE["category"]
    assert DESCRIPTION["description"] == variable("EXTENSION_DESCRIPTION")
    assert DESCRIPTION["iconurl"] == variable("EXTENSION_ICONURL")
    assert DESCRIPTION["screenshoturls"] == variable("EXTENSION_SCREENSHOTURLS")


@pytest.mark.parametrize("name", ["EXTENSION_ICONURL", "EXTENSION_SCREENSHOTURLS"])
def test_the_pictures_are_raw_urls_of_files_that_exist(name):
    for url in variable(name).split():
        match = re.fullmatch(r"https://raw\.githubusercontent\.com/[^/]+/[^/]+/main/(.+\.png)", url)
        assert match, url
        assert (PROJECT / match[1]).is_file(), match[1]


def test_the_icon_has_128_pixels_and_fills_them():
    header = (PROJECT / "Resources" / "PseudoProgressionAnalyzer.png").read_bytes()[:24]
    assert struct.unpack(">II", header[16:24]) == (128, 128)


def test_the_licence_is_there():
    text = (PROJECT / "LICENSE.txt").read_text()
    assert "Apache License" in text
    assert "Version 2.0" in text


def test_the_help_of_the_module_leads_to_the_tutorial_of_this_project():
    address = re.search(r'^TUTORIAL = "(.*)"$', (MODULE / "PseudoProgressionAnalyzer.py").read_text(), re.MULTILINE)[1]
    home, _, path = address.partition("/blob/main/")
    assert home == variable("EXTENSION_HOMEPAGE") and (PROJECT / path).is_file()
