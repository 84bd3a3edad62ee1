"""One voxel's spectrum in words: its quality, every ratio with its interval, and what says little in it."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

import numpy as np

from ..analysis.measuring_spectra import RATIOS
from ..spectroscopy import Fit
from ..spectroscopy.regions import meaningful, unsuited
from ..spectroscopy.result import LEAST_SNR, MOST_ERROR, WIDEST
from . import words

SHOWN = {name: parts for name, parts in RATIOS.items() if parts[2] == "molar"}
LINES = (
    ("mI", "Ins", 3.56), ("Cho", "tCho", 3.21), ("Cr", "tCr", 3.03), ("Glx", "Glx", 2.35), ("NAA", "tNAA", 2.01),
    ("Lac", "Lac", 1.3), ("Lip", "Lip13", 1.3),
)  # fmt: skip
"""Name, amount and place (ppm) of the lines that are measured."""

Voxel = tuple[int, int, int]


@dataclass(frozen=True)
class Ratio:
    """A ratio of one voxel as people read it. error: Cramer-Rao bound of the first amount, %; remark: why it says
    little, empty where it does not."""

    label: str
    value: str
    error: str
    remark: str


def ratios_of(fit: Fit, voxel: Voxel = (0, 0, 0), language: str = "english") -> list[Ratio]:
    """Every ratio of a voxel; without a number where its echo time leaves nothing to be measured."""
    found = []
    for name, (numerator, denominator, kind) in SHOWN.items():
        if not (fit.holds(numerator) and fit.holds(denominator)):
            continue
        remarks = [words.statement(message, language) for message in unsuited(numerator, fit.protocol)]
        value, error = "-", "-"
        if meaningful(numerator, fit.protocol.echo_time):
            value = interval(*(part[voxel] for part in fit.ratio(numerator, denominator, kind)))
            error = percent_error(fit, numerator, voxel)
        found.append(Ratio(words.label("spectra_short", name, language), value, error, " ".join(remarks)))
    return found


def ratios_table(fit: Fit, voxel: Voxel = (0, 0, 0), language: str = "english") -> str:
    """The ratios as an HTML table for people; below it why some say little, and what is to be known of the spectra."""

    def cells(*texts: str) -> str:
        return "<tr>" + "".join(f"<td style='padding-right:12px'>{text}</td>" for text in texts) + "</tr>"

    found, notes = ratios_of(fit, voxel, language), []
    lines = [
        cells(
            *(
                f"<small>{words.say(f'report_spectra_{code}', language)}</small>"
                for code in ("ratio", "interval", "error")
            )
        )
    ]
    for one in found:
        if one.remark and one.remark not in notes:
            notes.append(one.remark)
        mark = f" <sup>{notes.index(one.remark) + 1}</sup>" if one.remark else ""
        lines.append(cells(escape(one.label) + mark, escape(one.value), escape(one.error)))
    below = [f"<small><sup>{number}</sup> {escape(note)}</small>" for number, note in enumerate(notes, 1)]
    below += [f"<small>{escape(words.statement(flag, language))}</small>" for flag in fit.flags]
    return f"<table>{''.join(lines)}</table>{'<br>'.join(below)}"


def interval(value: float, low: float, high: float) -> str:
    """A ratio with its 95 % interval, or the bound that is left of it."""
    if np.isfinite(value):
        return f"{value:.2f} ({low:.2f}-{high:.2f})"
    if np.isfinite(high):
        return f"< {high:.2f}"
    return f"> {low:.2f}" if low > 0 else "-"


def percent_error(fit: Fit, name: str, voxel: Voxel) -> str:
    """Cramer-Rao bound of an amount in per cent of it; above 100 %, as of what came out as nothing, no number."""
    amount, bound = fit.amplitude(name)[voxel], fit.bound(name)[voxel]
    return f"{100 * bound / amount:.0f} %" if bound <= amount else "> 100 %"


def numbers_line(fit: Fit, language: str = "english", voxel: Voxel = (0, 0, 0)) -> str:
    """Signal to noise, line width, Cramer-Rao bounds and Cho/NAA of one voxel's spectrum in words."""
    return words.say(
        "report_spectra_numbers",
        language,
        ratio=interval(*(part[voxel] for part in fit.ratio("tCho", "tNAA"))),
        snr=f"{fit.snr[voxel]:.0f}",
        width=f"{fit.fwhm[voxel]:.3f}",
        cho=percent_error(fit, "tCho", voxel),
        cr=percent_error(fit, "tCr", voxel),
        naa=percent_error(fit, "tNAA", voxel),
    )


def quality_line(fit: Fit, language: str = "english", voxel: Voxel = (0, 0, 0)) -> str:
    """How the spectrum was taken, its signal to noise and line width."""
    protocol = fit.protocol
    return words.say(
        "report_spectra_quality",
        language,
        sequence=protocol.sequence,
        echo_time=f"{1000 * protocol.echo_time:.0f}",
        frequency=f"{protocol.frequency:.1f}",
        snr=f"{fit.snr[voxel]:.0f}",
        width=f"{fit.fwhm[voxel]:.3f}",
    )


def why_not_accepted(fit: Fit, voxel: Voxel, language: str = "english") -> list[str]:
    """Why a voxel does not count, in words; empty where it is accepted."""
    if fit.accepted[voxel]:
        return []
    reasons = []
    if not fit.fwhm[voxel] <= WIDEST:
        reasons.append(words.say("report_spectra_wide", language, limit=WIDEST))
    if not fit.snr[voxel] >= LEAST_SNR:
        reasons.append(words.say("report_spectra_noisy", language, limit=LEAST_SNR))
    return reasons or [words.say("report_spectra_unsure", language, limit=round(100 * MOST_ERROR))]


def why_uncertain(fit: Fit, voxel: Voxel = (0, 0, 0), language: str = "english") -> list[str]:
    """Which of choline, creatine and NAA an accepted voxel knows badly, in words; empty where all are known well."""
    if not fit.accepted[voxel]:
        return []
    poor = [shown for shown, name in (("Cho", "tCho"), ("Cr", "tCr"), ("NAA", "tNAA")) if fit.uncertain(name)[voxel]]
    limit = round(100 * MOST_ERROR)
    return [words.say("report_spectra_uncertain", language, names=", ".join(poor), limit=limit)] if poor else []


def lines_of(fit: Fit) -> list[tuple[str, float]]:
    """Name and place (ppm) of the lines that say something in this spectrum, from high ppm to low; two at one place
    share a name."""
    found: dict[float, list[str]] = {}
    for shown, name, place in LINES:
        if fit.holds(name) and not unsuited(name, fit.protocol):
            found.setdefault(place, []).append(shown)
    return [(", ".join(names), place) for place, names in found.items()]
