"""Every message of this part has a sentence, and every sentence a message."""

import json
import re
from importlib import resources

from PseudoProgressionAnalyzerLib import lesion, texts


def test_codes_and_sentences_are_the_same():
    sources = [file.read_text(encoding="utf-8") for file in resources.files(lesion).iterdir() if file.suffix == ".py"]
    used = {code for source in sources for code in re.findall(r'"(lesion_[a-z_]+)"', source)}
    sentences = json.loads((resources.files(texts) / "english" / "lesion.json").read_text(encoding="utf-8"))
    assert used == sentences.keys()
