"""What the description of a series says, in the languages that people use at the scanner.

English, German, French, Spanish, Italian, Portuguese, Dutch, Polish, Turkish, Russian, Chinese and Japanese words for
contrast; the names of sequences are much the same everywhere.
"""

from __future__ import annotations

import re
import unicodedata

# Words in other scripts, as escapes: contrast (Russian), enhanced (Chinese), contrast-enhanced (Japanese); without.
_SCRIPTS = {
    "\u043a\u043e\u043d\u0442\u0440\u0430\u0441\u0442": " contrast ",
    "\u589e\u5f3a": " contrast ",
    "\u9020\u5f71": " contrast ",
    "\u0431\u0435\u0437": " without ",
    "\u5e73\u626b": " without ",
    "\u5358\u7d14": " without ",
}
_GIVEN = re.compile(
    r"\b(post(?! ?(op|rt|rad|treat|surg|proc|ther))|ce|gd|gad|gado\w*|km|kontrast\w*|contr|contrast\w*|kontr|mdc|mc|"
    r"enhanced|inj|inject\w*|injekt\w*|iniez\w*|inyec\w*|dotarem|gadovist|magnevist|multihance|prohance|clariscan|"
    r"elucirem|vueway|civ|t1 (w )?c)\b|\+ ?(c|gd|km|gado|k)?(?= |$)|\bc ?\+"
)
_MINUS = re.compile(r"(?<![a-z])(c|ce|gd|km)-(?=$|[\s_)\].,])", re.IGNORECASE)  # C-, beside C+
_NOT_GIVEN = re.compile(
    r"\b(s (?=contr)|o (?=km|kontr)|"
    r"pre(reg)?(?! ?(op|rt|rad|treat|surg|ther))|prae|nativ\w*|ohne|without|wo|w o|sans|sin|senza|sem|zonder|non|no|"
    r"bez|unenhanced|vor|avant|antes|prima|voor|plain|nc|oncesi|kontrastsiz|przed)\b"
)
# The first that fits says what a series is; a name with None is known and never measured.
_KINDS: tuple[tuple[str, str | None, str], ...] = (
    ("localiser", None, r"localizer|localiser|lokali\w*|scout|survey|loc|3 ?plane|topogram|aahead\w*|pilot|smartbrain"),
    ("capture", None, r"screen ?(save|shot|capture)|report|results?|key ?images?|dose|summary|phoenixzipreport"),
    ("subtraction", None, r"sub|subtra\w*|subtrak\w*|soustraction|sottrazione|resta"),
    ("lesion", "lesion", r"masktumor"),
    ("rCBV", "rCBV", r"n?rcbv(reg)?|cbv|relcbv|rel ?cbv|cor ?cbv|corrected ?cbv"),
    ("sRCBV", "sRCBV", r"srcbv(reg)?"),
    ("CBF", "CBF", r"n?cbf|relcbf|cerebral blood flow"),
    ("perfusion_map", None, r"mtt|ttp|tmax|pbp|t0|gbp|relmtt|ktrans|kep|leakage|dt1"),
    ("exponential", None, r"eadc( map)?|exp(onential)?( \w+){0,2} adc|exponential apparent diffusion"),
    ("relaxation_map", None, r"[tr][12] ?map\w*|mapit\w*"),
    ("APTw", "APTw", r"aptw?|mtr ?asym"),
    ("ADC", "ADC", r"adc(reg)?|apparent diffusion"),
    ("DSC by T2*", "DSC", r"(dsc|perf(usion)?|pwi) (\w+ )*t2 ?(\*|star)|t2 ?(\*|star) (\w+ )*(dsc|perf(usion)?|pwi)"),
    ("diffusion", None, r"dwi|dti|diff\w*|trace\w*|tensor|fa|colfa|b ?\d{3,4}|ep2d diff\w*|resolve|exp"),
    ("angiography", None, r"tof|mra|mrv|angio\w*|venc|pca|phase contrast|cemra"),
    ("susceptibility", None, r"swi|swan|venbold|t2 ?(star|s)|t2 ?\*|hemo\w*|qsm|mip|minip"),
    ("functional", None, r"bold|fmri|rest|resting|task"),
    ("calibration", None, r"calibration|asset|cal|b0|b1|field ?map|shim|ref scan|senseref"),
    ("permeability", None, r"dce|twist|tricks|permeab\w*"),
    ("ASL", "ASL", r"asl|p?c?asl|pcasl\w*|3dp?casl\w*|arterial spin\w*"),
    ("DSC", "DSC", r"dsc\w*|perf\w*|pwi|ep2d ?perf\w*|suscept\w*|bolus"),
    ("T1 by FLAIR", "T1", r"t1 ?(w )?flair\w*|t1 (\w+ )*(tirm|dark ?fluid)"),
    ("FLAIR", "FLAIR", r"flair(reg)?\w*|dark ?fluid|tirm|darkfluid"),
    ("T1", "T1", r"t1( ?w| ?reg)?|mprage|bravo|f?spgr|ir ?fspgr|mp2rage|tfl3d\w*|vibe|3dt1\w*"),
    ("T2", "T2", r"t2( ?w| ?reg)?|3dt2\w*"),
)  # fmt: skip
_PATTERNS = [(name, role, re.compile(rf"(?<![a-z0-9])({pattern})(?![a-z0-9])")) for name, role, pattern in _KINDS]


def plain(text: str) -> str:
    """A description in small ASCII letters, words set apart by one space; plus and star signs stay."""
    for word, meaning in _SCRIPTS.items():
        text = text.lower().replace(word, meaning)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    text = re.sub(r"[^a-z0-9+*]+", " ", text)
    text = re.sub(r"\b(t[12])(?=[a-z])", r"\1 ", text)
    return f" {text.strip()} "


def contrast_said(text: str) -> bool | None:
    """Whether a description says that contrast agent was given; None when it says nothing, or both."""
    words = plain(text)
    without = bool(_NOT_GIVEN.search(words) or _MINUS.search(text))
    given = bool(_GIVEN.search(words))
    if without and re.search(r" (post|apres|nach|dopo|despues|apos|w(?! o )|with|mit|avec|con|com|met) ", words):
        return None
    if without:
        return False
    return True if given else None


def kind_said(text: str) -> tuple[str, str | None] | None:
    """(kind, role or None where it is never measured) that a description names, or None when it names nothing."""
    words = plain(text)
    return next(((name, role) for name, role, pattern in _PATTERNS if pattern.search(words)), None)
