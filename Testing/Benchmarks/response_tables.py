"""Categories of a public table of treated gliomas by every criterion: how often, how often undecided, and why.

Run it from the project's root with the reference data in place: ``python Testing/Benchmarks/response_tables.py``. The
table holds volumes and dates only, and its volumes were joined by row order: the figures are indicative. It is judged
twice: with what the table says alone, and with everything else assumed to be without change.
"""

import os
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "Python"))

from response.treated_gliomas import TABLE, courses

from PseudoProgressionAnalyzerLib.response import CRITERIA, Settings, judge, judge_bt_rads

PROJECT = Path(__file__).resolve().parents[2]
NOT_SCORED = {"baseline", "before_baseline", "undated", "not_applicable"}


def table(title: str, counts: Counter, most: int = 12) -> None:
    """The commonest entries, one to a line."""
    print(f"  {title}")
    for name, count in counts.most_common(most):
        print(f"    {count:5d}  {name}")


def show(file: Path, benign: bool) -> None:
    """All figures of one way of reading the table."""
    print("Everything else assumed without change" if benign else "What the table says alone")
    patients = [patient for _, patient in courses(file, benign)]
    print(f"  {len(patients)} patients, {sum(len(patient.visits) for patient in patients)} visits")
    together: dict[tuple[int, str], dict[str, str]] = {}
    for criterion in CRITERIA:
        as_of, final, undecided, disputed, within = Counter(), Counter(), Counter(), Counter(), Counter()
        scored = 0
        for number, patient in enumerate(patients):
            for response in judge(patient, criterion):
                verdict = response.volume
                if set(verdict.possible) <= NOT_SCORED:
                    as_of[verdict.possible[0]] += 1
                    continue
                scored += 1
                as_of[" or ".join(verdict.possible)] += 1
                final[" or ".join(option.category for option in verdict.final)] += 1
                if len(verdict.possible) > 1:
                    undecided.update(message.code.removeprefix("response_unknown_") for message in verdict.unknowns)
                    disputed.update(message.code.removeprefix("response_depends_on_") for message in verdict.depends_on)
                elif verdict.category in ("PD", "preliminary_PD"):
                    codes = {message.code for message in verdict.notes}
                    within["progression with a change within the measurement error"] += "response_within_error" in codes
                    within["progression with the limit within the error"] += "response_limit_within_error" in codes
                    within["progression"] += 1
                together.setdefault((number, response.visit), {})[criterion] = " or ".join(verdict.possible)
        several = sum(count for name, count in as_of.items() if " or " in name)
        print(f"\n  {criterion}: {scored} visits scored by volume, cannot say {several}")
        table("as of the visit", as_of)
        table("with what came later", final)
        table("what was unknown", undecided)
        table("what sources dispute", disputed)
        table("measurement error", within)
    pairs = Counter()
    for found in together.values():
        names = [name for name in CRITERIA if name in found]
        for place, one in enumerate(names):
            for other in names[place + 1 :]:
                pairs[f"{one} and {other}: {'same' if found[one] == found[other] else 'different'}"] += 1
    table("criteria side by side", pairs)
    chosen = Settings(bt_rads_unchanged=10.0, bt_rads_major=40.0)
    tree = Counter(" or ".join(verdict.possible) for patient in patients for verdict in judge_bt_rads(patient, chosen))
    table("BT-RADS with 10 % and 40 % of enhancing volume as entered limits", tree)
    print()


if __name__ == "__main__":
    file = Path(os.environ.get("PPA_REFERENCE_DATA", PROJECT.parent / "shared" / "data")) / TABLE
    if not file.exists():
        print(f"skipped: reference data missing: {file} (set PPA_REFERENCE_DATA)")
        sys.exit()
    for benign in (False, True):
        show(file, benign)
