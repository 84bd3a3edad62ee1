"""What the perfusion tests share: the phantom and the name of an error together with its sentence."""

import importlib.util
import json
from importlib import resources
from pathlib import Path

import pytest

from PseudoProgressionAnalyzerLib import texts
from PseudoProgressionAnalyzerLib.measures import InputError


def _module(name: str):
    """A module of this folder, which is no package."""
    specification = importlib.util.spec_from_file_location(name, Path(__file__).with_name(f"{name}.py"))
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def phantom():
    """The module ``phantom``."""
    return _module("phantom")


@pytest.fixture(scope="session")
def sentences():
    """The sentences of the perfusion part by their code."""
    return json.loads(resources.files(texts).joinpath("english", "perfusion.json").read_text(encoding="utf-8"))


@pytest.fixture
def code_of(sentences):
    """A function that calls, expects an InputError and gives its code, for which there is a sentence."""

    def code(call, *arguments, **options):
        with pytest.raises(InputError) as error:
            call(*arguments, **options)
        message = error.value.message
        assert sentences[message.code].format(**message.parameters)
        return message.code

    return code
