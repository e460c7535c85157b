"""What the home tab offers at a press."""

from __future__ import annotations

from pathlib import Path

from adapters.lex.engine import Engine
from adapters.slack.home import offer
from bot.clock import SystemClock
from bot.lexshape import lex_definition
from bot.main import build_cloud, build_services, discover
from bot.settings import load_settings


def test_a_press_begins_what_it_says_and_changes_nothing_by_itself(tmp_path: Path) -> None:
    settings = load_settings(aws_endpoint_url="http://127.0.0.1:1", var_dir=tmp_path)
    registry = discover(build_services(settings, SystemClock(), build_cloud(settings)))
    engine = Engine(lex_definition(registry))
    buttons = {}
    for n, intent in enumerate(registry.intents.values()):
        if intent.definition.examples:
            (block,) = offer(intent, n)
            buttons[intent.definition.name] = block.get("accessory", {}).get("value", "")
    for name, sentence in buttons.items():
        if sentence:
            answer = engine.recognize_text(session_id=f"press-{name}", text=sentence)
            assert answer["sessionState"]["intent"]["name"] == name, sentence
    for name in ("PauseChanges", "ResumeChanges", "RetryRequest", "RecordStep", "CancelRequest"):
        assert buttons[name] == "", f"{name} acts at once"
    assert buttons["AWSAccountVending"]
