"""What Slicer pays whenever it starts, whether the module is used or not: no part of the library that is heavy."""

import subprocess
import sys
from pathlib import Path

MODULE = Path(__file__).resolve().parents[3] / "PseudoProgressionAnalyzer"
HEAVY = ("scipy", "SimpleITK", "pydicom", "nilearn")

START = """
import sys, types

class Any(type):
    def __getattr__(cls, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return Any(name, (), {"__init__": lambda self, *given, **named: None})

class Stub(types.ModuleType):
    __getattr__ = Any.__getattr__

for name in ("slicer", "slicer.i18n", "slicer.parameterNodeWrapper", "slicer.ScriptedLoadableModule", "slicer.util",
             "vtk", "qt", "ctk", "SampleData", "SegmentStatistics", "SegmentStatisticsPlugins",
             "AbstractScriptedSubjectHierarchyPlugin"):
    sys.modules[name] = Stub(name)
sys.modules["SegmentStatistics"].SegmentStatisticsLogic = types.SimpleNamespace(
    registeredPlugins=[], registerPlugin=lambda plugin: None
)
sys.modules["AbstractScriptedSubjectHierarchyPlugin"].AbstractScriptedSubjectHierarchyPlugin.filePath = ""
import PseudoProgressionAnalyzer as module
for register in (
    module.registerSampleData, module.registerStatistics, module.registerHierarchyPlugin, module.registerOpening
):
    try:
        register()
    except (AttributeError, TypeError) as error:  # of the stubs; what is imported was imported before
        print(register.__name__, error, file=sys.stderr)
%s
print(*[name for name in %r if name in sys.modules])
"""


def loaded(also: str = "") -> str:
    done = subprocess.run(
        [sys.executable, "-c", START % (also, HEAVY)], cwd=MODULE, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "ImportError" not in done.stderr and "ModuleNotFound" not in done.stderr
    return done.stdout.strip()


def test_starting_slicer_loads_nothing_heavy():
    assert loaded() == ""


def test_the_check_sees_what_is_heavy():
    assert loaded("import PseudoProgressionAnalyzerLib.cases.folder") == "scipy SimpleITK"
