"""JSON files as editors and shells write them."""

import json

import pytest

from PseudoProgressionAnalyzerLib.formats.json_files import read_json
from PseudoProgressionAnalyzerLib.measures import InputError

CONTENT = {"patient": "J\u00fcrgen \u75c5"}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_as_windows_and_others_write_it(tmp_path, encoding):
    path = tmp_path / "patient.json"
    path.write_text(json.dumps(CONTENT, ensure_ascii=False), encoding=encoding)
    assert read_json(path) == CONTENT


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b'{"patient": "J\xfcrgen"}', "json_syntax"),  # Latin-1
        (b"\xff\xfe{", "json_syntax"),  # half a character of UTF-16
        (b'{"a": }', "json_syntax"),
        (b"[1]", "json_not_an_object"),
    ],
)
def test_what_is_no_json_is_a_sentence(tmp_path, raw, code):
    path = tmp_path / "patient.json"
    path.write_bytes(raw)
    with pytest.raises(InputError) as refused:
        read_json(path)
    assert refused.value.message.code == code
