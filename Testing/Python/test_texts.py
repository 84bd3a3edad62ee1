"""The catalogue: every code that the library raises has a sentence, and every sentence fits its code's parameters."""

import ast
import json
import re
import string
from pathlib import Path

import pytest

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.measures import Message

LIBRARY = Path(__file__).resolve().parents[2] / "PseudoProgressionAnalyzer" / "PseudoProgressionAnalyzerLib"


def raised():
    """(file, code, names of parameters or None when they are not written out) of every Message and InputError."""
    for path in sorted(LIBRARY.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.args):
                continue
            first = node.args[0]
            if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
                continue
            if node.func.id == "InputError":
                names = {keyword.arg for keyword in node.keywords}
                yield path.name, first.value, None if None in names else names
            elif node.func.id == "Message":
                given = node.args[1] if len(node.args) > 1 else None
                names = set()
                if isinstance(given, ast.Dict) and all(isinstance(key, ast.Constant) for key in given.keys):
                    names = {key.value for key in given.keys}
                elif given is not None:
                    names = None
                yield path.name, first.value, names


CALLS = sorted(
    {(file, code, None if names is None else tuple(sorted(names))) for file, code, names in raised()}, key=str
)


def test_there_are_calls():
    assert len(CALLS) > 40


@pytest.mark.parametrize(("file", "code", "names"), CALLS)
def test_every_code_has_a_sentence_that_fits(file, code, names):
    entry = texts.catalogue().get(code)
    assert entry is not None, f"{file}: the code {code} has no sentence"
    if names is not None:
        used = {
            field.split(".")[0].split("[")[0]
            for part in (entry["what"], entry["remedy"])
            for _, field, _, _ in string.Formatter().parse(part)
            if field
        }
        assert used <= set(names), f"{file}: the sentence of {code} uses {used - set(names)}, which is not given"


def test_an_unknown_code_is_shown_and_not_dropped():
    assert texts.sentence(Message("no_such_code", {"a": 1})) == "no_such_code (a=1)"


def test_a_parameter_that_an_older_scene_did_not_keep_is_unknown():
    assert "?" in texts.sentence(Message("json_syntax", {"file": "a.json"}))


def test_no_sentence_diagnoses():
    for code, entry in texts.catalogue().items():
        assert "diagnos" not in (entry["what"] + entry["remedy"]).lower(), code


def strings(value):
    """All keys and strings of parsed JSON."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)
    elif isinstance(value, str):
        yield value


def written():
    """(words, patterns): strings, names of fields and of data, and what f-strings make of them."""
    words, patterns = set(), set()
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                words.add(node.value)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                words.add(node.target.id)
            elif isinstance(node, ast.keyword) and node.arg:
                words.add(node.arg)
            elif isinstance(node, ast.JoinedStr):
                parts = [re.escape(p.value) if isinstance(p, ast.Constant) else "(.+)" for p in node.values]
                if re.fullmatch(r"[\w.+()]*[a-z]_[\w.+()]*|[\w.+()]*_[a-z][\w.+()]*", "".join(parts)):
                    patterns.add("".join(parts))
    for path in LIBRARY.rglob("*.json"):
        if "texts" not in path.parts:
            words.update(strings(json.loads(path.read_text(encoding="utf-8"))))
    return words, patterns


WORDS, PATTERNS = written()


def put_together(code, patterns=frozenset(PATTERNS)):
    """Whether a code stands in the library, whole or as an f-string whose places are filled with what stands there."""
    if code in WORDS:
        return True
    matches = (re.fullmatch(pattern, code) for pattern in patterns)
    inner = patterns - {"report_(.+)"}
    return any(all(filled(part, inner) for part in match.groups()) for match in matches if match)


def filled(text, patterns):
    """Whether a place holds words of the library, one or several joined by underscores, or a shorter f-string."""
    if text.isdigit() or put_together(text, patterns):
        return True
    cuts = [place for place, letter in enumerate(text) if letter == "_"]
    return any(text[:cut] in WORDS and filled(text[cut + 1 :], frozenset()) for cut in cuts)


def test_no_sentence_is_dead():
    assert [code for code in texts.catalogue() if not put_together(code)] == []


@pytest.mark.parametrize("code", ["spectra_not_compared", "report_yes_by", "report_measure_no_such_measure"])
def test_a_sentence_that_nothing_says_is_found(code):
    assert not put_together(code)
