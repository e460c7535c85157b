"""Every folder under intents/ has what a reader looks for: stories, help, a valid Lex definition."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest

import intents
from adapters.lex.engine import Engine
from bot.clock import SystemClock
from bot.intent import Change, Intent, Registry
from bot.lexshape import lex_definition
from bot.main import build_cloud, build_services, discover
from bot.settings import load_settings

ROOT = Path(__file__).parents[2]
FOLDERS = sorted(m.name for m in pkgutil.iter_modules(intents.__path__))
LEX_NAME = re.compile(r"([0-9a-zA-Z][_-]?){1,100}")  # lexv2-models: Name


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    settings = load_settings(aws_endpoint_url="http://127.0.0.1:1", var_dir=tmp_path)
    return discover(build_services(settings, SystemClock(), build_cloud(settings)))


@pytest.mark.parametrize("folder", FOLDERS)
def test_has_stories_that_speak_of_it(folder: str, registry: Registry) -> None:
    names = [i.definition for i in registry.intents.values() if type(i).__module__.startswith(f"intents.{folder}")]
    stories = "\n".join(f.read_text(encoding="utf-8") for f in (ROOT / "tests" / "stories").rglob("*.py")).casefold()
    assert names
    for definition in names:
        said = [e.partition(" qm-")[0].casefold() for e in definition.examples]
        assert any(example in stories for example in said), f"no story says any of {said}"


def test_every_definition_is_valid_for_lex(registry: Registry) -> None:
    for intent in registry.intents.values():
        definition = intent.definition
        assert LEX_NAME.fullmatch(definition.name)
        assert definition.description
        assert definition.title
        slots = {s.name for s in definition.slots}
        for utterance in definition.utterances:
            assert set(re.findall(r"\{(\w+)\}", utterance)) <= slots, utterance
            assert len(utterance) <= 500
        assert len(set(map(str.casefold, definition.utterances))) == len(definition.utterances)
        for slot in definition.slots:
            assert not slot.required or slot.prompt, f"{definition.name}.{slot.name} has no question"
        if isinstance(intent, Change):
            assert definition.confirmation
            assert "start" in intent.segments()


def test_types_that_take_anything_have_samples_for_lex_to_learn_from(registry: Registry) -> None:
    slots = [slot for intent in registry.intents.values() for slot in intent.definition.slots]
    open_types = [s.type for s in slots if not (s.type.values or s.type.pattern or s.type.name.startswith("AMAZON."))]
    assert open_types
    for slot_type in open_types:
        assert len(set(slot_type.samples)) >= 3, slot_type.name


def test_no_utterance_belongs_to_two_intents(registry: Registry) -> None:
    owners: dict[str, str] = {}
    for intent in registry.intents.values():
        for utterance in intent.definition.utterances:
            assert owners.setdefault(utterance.casefold(), intent.definition.name) == intent.definition.name


def test_every_example_reaches_its_intent(registry: Registry) -> None:
    engine = Engine(lex_definition(registry))

    def reached(intent: Intent, example: str) -> str:
        answer = engine.recognize_text(session_id=f"example-{intent.definition.name}", text=example)
        return str(answer["sessionState"]["intent"]["name"])

    wrong = {
        example: reached(intent, example)
        for intent in registry.intents.values()
        for example in intent.definition.examples
        if reached(intent, example) != intent.definition.name
    }
    assert not wrong
