"""The command line: the whole job without a screen.

Exit status 0, or 2 with one clear sentence on standard error for anything that the user can mend, or 130 after Ctrl-C.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from . import __version__, texts
from .measures import DISCLAIMER, InputError, Message


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; see ``pseudoprogression --help``."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # a name that the terminal cannot show is no error
    options = _parser().parse_args(arguments)
    try:
        options.run(options)
        sys.stdout.flush()
    except InputError as error:
        print(f"pseudoprogression: {texts.sentence(error.message)}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # who read our output has enough of it; Python must not try again when it ends
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        print(f"pseudoprogression: {error.filename or ''}: {error.strerror or error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\npseudoprogression: stopped; nothing half-written was left.", file=sys.stderr)
        return 130
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pseudoprogression",
        description=f"Serial imaging of glioblastoma after radiotherapy: evidence for pseudoprogression or true "
        f"progression. {DISCLAIMER}",
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    analyze = commands.add_parser("analyze", help="read, align, map, measure and assess a patient; write the report")
    analyze.add_argument("patient", type=Path, help="DICOM or BIDS folder, or one with a sub-folder per study date")
    _add_output(analyze)
    _add_rules(analyze)
    analyze.set_defaults(run=_analyze)

    inspect = commands.add_parser("inspect", help="print what is there and what is missing, without computing")
    inspect.add_argument("patient", type=Path)
    inspect.add_argument("--json", action="store_true", help="for programs")
    inspect.set_defaults(run=_inspect)

    cases = commands.add_parser("cases", help="list the built-in example cases")
    cases.set_defaults(run=_cases)

    demo = commands.add_parser("demo", help="run the main job on a built-in case and compare with its truth")
    demo.add_argument("case", nargs="?", help="name of the case (see cases); the first by default")
    _add_output(demo)
    _add_rules(demo)
    demo.set_defaults(run=_demo)

    criteria = commands.add_parser(
        "criteria", help="print the default criteria as a file to edit and give to --criteria"
    )
    criteria.set_defaults(run=_criteria)
    return parser


def _add_output(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--output", type=Path, required=True, metavar="DIR", help="folder for report, tables and maps")
    already = parser.add_mutually_exclusive_group()
    already.add_argument("--overwrite", action="store_true", help="replace an earlier result in DIR")
    already.add_argument(
        "--skip-finished",
        action="store_true",
        help="do nothing where DIR holds a result already, whatever it was made with: to go on with a cohort",
    )
    parser.add_argument("--pdf", action="store_true", help="also write report.pdf (needs the extra 'pdf')")
    parser.add_argument("--show-patient", action="store_true", help="write the patient's id from patient.json")
    parser.add_argument(
        "--as-of",
        default="",
        metavar="VISIT",
        help="write what was known by this visit alone; by the latest unless given",
    )


def _add_rules(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--criteria", type=Path, metavar="FILE", help="a site's own criteria (see criteria)")
    parser.add_argument(
        "--prior",
        type=float,
        nargs=3,
        metavar=("MEDIAN", "LOW", "HIGH"),
        help="probability of true progression before any test; from time since radiotherapy when not given",
    )


def _finished(options: argparse.Namespace) -> bool:
    """Whether the output holds a result already, which is to be left as it is."""
    from .report.writing import is_own_output

    return options.skip_finished and is_own_output(options.output)


def _analyze(options: argparse.Namespace) -> None:
    from .analysis.known import known_analysis
    from .report import printing
    from .report.results import check_output, shown_analysis, write_results

    if _finished(options):
        print(f"{options.output}: finished before, left as it is", file=sys.stderr)
        return
    check_output(options.output, options.overwrite)
    if options.pdf:
        printing.check_possible()
    analysis = _run_job(options.patient, _rules(options), options.as_of)
    known, not_used = known_analysis(analysis, options.as_of)
    with_scene = _with_scene(shown_analysis(known, options.show_patient), options.as_of, not_used)
    if known.reference_visit != analysis.reference_visit:
        with_scene.pop("pictures", None)  # of another space than that in which the timeline is cut
    if options.pdf:
        with_scene["also"] = _with_pdf(with_scene.get("also"))
    with _Progress() as show:
        show(Message("step_write"), 0.0)
        written = write_results(
            analysis,
            options.output,
            overwrite=options.overwrite,
            show_patient=options.show_patient,
            as_of=options.as_of,
            **with_scene,
        )
    for path in written:
        if path.parent == options.output:
            print(path)
    if maps := sum(path.parent != options.output for path in written):
        print(f"{options.output / 'maps'}{os.sep} ({maps} files)")


def _with_pdf(also: Callable[[Any, Path], None] | None) -> Callable[[Any, Path], None]:
    """What adds ``report.pdf`` to the files that are put together, after what another adds."""
    from .report import printing, writing

    def add(shown: Any, stage: Path) -> None:
        if also is not None:
            also(shown, stage)
        writing.write_file(stage / "report.pdf", printing.pdf((stage / "report.html").read_text(encoding="utf-8")))

    return add


def _with_scene(shown: object, as_of: str, not_used: int) -> dict[str, Any]:
    """What ``write_results`` needs to draw the shown analysis as Slicer does and to add ``scene.mrb``; empty, with a
    note for the user, where slicer-core cannot be imported."""
    from .report import assessment_json

    try:
        from .scene.application import application
        from .scene.build import build_scene
        from .scene.pictures import ScenePictures
        from .scene.save import save_mrb
    except ImportError as error:
        print(f"  note: {texts.sentence(Message('scene_not_made', {'detail': str(error)}))}", file=sys.stderr)
        return {}
    made = application()
    build_scene(made, shown, assessment_json.text(shown, as_of=as_of, not_used=not_used))
    return {
        "pictures": ScenePictures(made.scene),
        "also": lambda _, stage: save_mrb(made.scene, stage / "scene.mrb"),
    }


def _rules(options: argparse.Namespace):
    """By what is assessed, read before anything is computed."""
    from .assessment import Rules

    return Rules().with_criteria(options.criteria).with_prior(options.prior)


def _run_job(patient_folder: Path, rules, as_of: str = ""):
    from .analysis.run import run, start
    from .patient import read

    # The absolute path: reports leave out folders that may name the patient, and cannot tell where a relative one is.
    patient = read(patient_folder.absolute())
    if as_of:
        patient.visit(as_of)  # an unknown one is said before anything is computed
    analysis = start(patient)
    analysis.rules = rules
    with _Progress() as show:
        run(analysis, progress=show)
    for visit, messages in analysis.messages.items():
        for message in messages:
            print(f"  note, {visit}: {texts.sentence(message)}", file=sys.stderr)
    return analysis


class _Progress:
    """One line per step on standard error: what is being done, and the seconds it took."""

    def __init__(self):
        self.message: Message | None = None
        self.began = 0.0

    def __enter__(self) -> Callable[[Message, float], None]:
        return self.show

    def show(self, message: Message, share: float) -> None:
        if message == self.message:
            return
        self._finish()
        self.message, self.began = message, time.monotonic()
        print(f"[{share:4.0%}] {texts.sentence(message)}", end="", flush=True, file=sys.stderr)

    def _finish(self) -> None:
        if self.message is not None:
            print(f" ({time.monotonic() - self.began:.1f} s)", file=sys.stderr)

    def __exit__(self, *reason: object) -> None:
        self._finish()
        self.message = None


def _inspect(options: argparse.Namespace) -> None:
    from .patient import read
    from .report.inspection import inspection, inspection_table

    patient = read(options.patient)
    found = inspection(patient, options.patient)
    if options.json:
        print(json.dumps(found, indent=2, default=str))
    else:
        print(inspection_table(found))


def _cases(options: argparse.Namespace) -> None:
    from . import cases

    for name in cases.names():
        print(f"{name}: {cases.describe(name)}")


def _criteria(options: argparse.Namespace) -> None:
    from .assessment import editable_criteria

    print(json.dumps(editable_criteria(), indent=2))


def _demo(options: argparse.Namespace) -> None:
    from . import cases
    from .report.results import check_output
    from .report.truth import compare_with_truth

    if not _finished(options):
        check_output(options.output, options.overwrite)
    name = options.case or cases.names()[0]
    print(f"Built-in case: {name} (simulated, made once and kept)", file=sys.stderr)
    with _Progress() as show:
        folder = cases.cached(name, progress=lambda share: show(Message("step_simulate"), share))
    options.patient = folder
    _analyze(options)
    print(compare_with_truth(options.output / "measurements.csv", folder / "truth.json"))
    print(f"\nOpen {options.output / 'report.html'}")
