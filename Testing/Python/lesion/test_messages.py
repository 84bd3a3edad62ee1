"""Every message of this part has a sentence, and every sentence of its catalogue is said somewhere."""

import json
import re
from importlib import resources
from pathlib import Path

from PseudoProgressionAnalyzerLib import lesion, texts

LIBRARY = Path(next(iter(lesion.__path__))).parent


def test_codes_and_sentences_are_the_same():
    said = {file: file.read_text(encoding="utf-8") for file in LIBRARY.rglob("*.py")}
    own = " ".join(source for file, source in said.items() if file.parent.name == "lesion")
    sentences = json.loads((resources.files(texts) / "english" / "lesion.json").read_text(encoding="utf-8"))
    assert set(re.findall(r'"(lesion_[a-z_]+)"', own)) <= sentences.keys()
    everything = " ".join(said.values())
    assert [code for code in sentences if f'"{code}"' not in everything] == []
