"""slack-manifest.yml asks for what the code uses, and for nothing else."""

from __future__ import annotations

import ast
import hashlib
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml
from slack_sdk.web.async_client import AsyncWebClient

from adapters.lex.engine import Engine
from adapters.slack import arrivals, envelope
from adapters.slack.install.scopes import SCOPES
from bot.clock import SystemClock
from bot.commands.slack_manifest import MANIFEST, manifest
from bot.errors import SettingsError
from bot.lexshape import lex_definition
from bot.main import build_cloud, build_services, discover
from bot.settings import load_settings
from tests.slack.slack_methods import EVENTS, METHODS, OTHER_EVENTS

ROOT = Path(__file__).parents[2]
VENDORED = ROOT / "third_party" / "slack"
OURS = "https://qm.corp.example"


@pytest.fixture(scope="module")
def declared() -> dict[str, Any]:
    """The manifest as it lies in the repository."""
    found: dict[str, Any] = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return found


def trees() -> Iterator[ast.AST]:
    for file in sorted((ROOT / "adapters" / "slack").rglob("*.py")):
        yield ast.parse(file.read_text(encoding="utf-8"))


def methods_used() -> set[str]:
    """Return the SDK's names of the methods that the adapter calls, by name or as an attribute."""
    names = {node.attr for tree in trees() for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    names |= set(texts())
    api = {name for name, member in vars(AsyncWebClient).items() if callable(member) and not name.startswith("_")}
    return names & api


def texts() -> list[str]:
    """Return every text in the adapter's code that is no docstring."""
    found = []
    for tree in trees():
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
                found.append(node.value)
    return found


def event(name: str) -> dict[str, Any]:
    """Return a payload of that event, such as a person causes who speaks to the bot."""
    kind, _, where = name.partition(".")
    channel = {"im": "D1", "groups": "G1"}.get(where, "C1")
    inner = {"type": kind, "user": "U1", "channel": channel, "text": "<@UBOT> help", "ts": "2.1", "thread_ts": "1.1"}
    if where:
        inner["channel_type"] = {"channels": "channel", "groups": "group"}.get(where, where)
        inner["text"] = "help"
    return {
        "type": "event_callback",
        "api_app_id": "A1",
        "team_id": "T1",
        "event_id": "Ev1",
        "authorizations": [{"user_id": "UBOT", "team_id": "T1", "is_bot": True}],
        "event": inner,
    }


def test_it_has_the_shape_that_slack_asks_for(declared: dict[str, Any]) -> None:
    schema = json.loads((VENDORED / "manifest.schema.json").read_text(encoding="utf-8"))
    validator = jsonschema_rs.validator_for(schema)
    made = [manifest(OURS, socket=socket, oauth=oauth) for socket in (False, True) for oauth in (False, True)]
    for found in (declared, *made):
        assert [error.message for error in validator.iter_errors(found)] == []
    assert not validator.is_valid(declared | {"settings": {"interactivity": {}}})


def test_the_schema_is_slacks_own() -> None:
    digest = hashlib.sha256((VENDORED / "manifest.schema.json").read_bytes()).hexdigest()
    assert f"`{digest}`" in (VENDORED / "README.md").read_text(encoding="utf-8")
    assert "MIT License" in (VENDORED / "LICENSE").read_text(encoding="utf-8")


def test_every_method_that_is_called_has_known_scopes() -> None:
    used = methods_used()
    assert {"chat_postMessage", "auth_test", "oauth_v2_access"} <= used
    assert used - set(METHODS) == set(), "say in tests/slack/slack_methods.py which scopes these need"


def test_scopes_are_those_that_methods_events_and_features_need_and_no_more(declared: dict[str, Any]) -> None:
    features = declared["features"]
    needed = set().union(*(METHODS[name] for name in methods_used()))
    needed |= {EVENTS[name] for name in declared["settings"]["event_subscriptions"]["bot_events"]} - {""}
    needed |= {"commands"} if features["slash_commands"] or features["shortcuts"] else set()
    needed |= {"assistant:write"} if "agent_view" in features else set()
    scopes = declared["oauth_config"]["scopes"]
    assert set(scopes) == {"bot"}, "nothing is done in the name of people"
    assert set(scopes["bot"]) == needed
    assert scopes["bot"] == sorted(set(scopes["bot"]))


def test_oauth_asks_for_the_scopes_of_the_manifest(declared: dict[str, Any]) -> None:
    assert list(SCOPES) == declared["oauth_config"]["scopes"]["bot"]


def test_every_declared_event_is_handled(declared: dict[str, Any]) -> None:
    for name in declared["settings"]["event_subscriptions"]["bot_events"]:
        found = arrivals.read("events", event(name))
        assert not isinstance(found, envelope.Ignored), f"{name}: {found}"


def test_every_handled_event_is_declared(declared: dict[str, Any]) -> None:
    names = declared["settings"]["event_subscriptions"]["bot_events"]
    assert set(names) == set(EVENTS)
    assert names == sorted(names)
    assert {n.partition(".")[0] for n in names} >= arrivals.EVENTS
    for name in OTHER_EVENTS:
        assert isinstance(arrivals.read("events", event(name)), envelope.Ignored), f"{name} is handled, not declared"


def test_every_shortcut_is_declared_and_handled(declared: dict[str, Any]) -> None:
    shortcuts = {(s["type"], s["callback_id"]) for s in declared["features"]["shortcuts"]}
    assert shortcuts == {("message", envelope.ASK_ABOUT), ("global", envelope.ASK)}
    for kind, callback in shortcuts:
        payload = {
            "type": "message_action" if kind == "message" else "shortcut",
            "callback_id": callback,
            "team": {"id": "T1"},
            "user": {"id": "U1"},
            "channel": {"id": "C1"},
            "message": {"ts": "1.1", "text": "I need a sandbox account"},
            "trigger_id": "1.2.x",
        }
        assert not isinstance(arrivals.read("interactive", payload), envelope.Ignored), callback
        unknown = payload | {"callback_id": "another"}
        assert isinstance(arrivals.read("interactive", unknown), envelope.Ignored)


def test_every_command_is_declared_and_handled(declared: dict[str, Any]) -> None:
    commands = {c["command"] for c in declared["features"]["slash_commands"]}
    assert set(re.findall(r"(?<![\w/.:<-])/[a-z]+(?![\w/-])", "\n".join(texts()))) == commands
    for command in commands:
        payload = {"command": command, "text": "help", "team_id": "T1", "user_id": "U1", "trigger_id": "1.2.x"}
        assert not isinstance(arrivals.read("slash_commands", payload), envelope.Ignored)


def test_the_agent_view_is_used_and_the_legacy_one_is_not(declared: dict[str, Any]) -> None:
    features = declared["features"]
    assert "agent_view" in features
    assert "assistant_view" not in features
    assert not [name for name in features["agent_view"] if name.startswith("assistant")]
    assert features["app_home"] == {
        "home_tab_enabled": True,
        "messages_tab_enabled": True,
        "messages_tab_read_only_enabled": False,
    }


def test_what_the_agent_view_suggests_is_understood(declared: dict[str, Any], tmp_path: Path) -> None:
    settings = load_settings(aws_endpoint_url="http://127.0.0.1:1", var_dir=tmp_path)
    engine = Engine(lex_definition(discover(build_services(settings, SystemClock(), build_cloud(settings)))))
    prompts = declared["features"]["agent_view"]["suggested_prompts"]
    assert 2 <= len(prompts) <= 4
    for number, prompt in enumerate(prompts):
        if prompt["message"] != "help":  # which the dialogue answers itself
            answer = engine.recognize_text(session_id=f"prompt-{number}", text=prompt["message"])
            assert answer["sessionState"]["intent"]["name"] != "FallbackIntent", prompt


def test_all_addresses_are_ours_once_the_url_is_filled_in(declared: dict[str, Any]) -> None:
    found = manifest(OURS + "/", oauth=True)
    shown = json.dumps(found)
    assert "example.com" not in shown
    assert found["oauth_config"]["redirect_urls"] == [f"{OURS}/slack/oauth_redirect"]
    events = f"{OURS}/slack/events"
    assert found["settings"]["event_subscriptions"]["request_url"] == events
    assert found["settings"]["interactivity"]["request_url"] == events
    assert {c["url"] for c in found["features"]["slash_commands"]} == {events}
    assert found["settings"]["token_rotation_enabled"]
    assert found["settings"]["org_deploy_enabled"]
    assert found["oauth_config"]["scopes"] == declared["oauth_config"]["scopes"]


def test_a_single_workspace_gets_a_token_that_does_not_end() -> None:
    found = manifest(OURS)
    assert not found["settings"]["token_rotation_enabled"]
    assert "redirect_urls" not in found["oauth_config"]


def test_socket_mode_needs_no_address() -> None:
    found = manifest("", socket=True)
    assert found["settings"]["socket_mode_enabled"]
    assert "http" not in json.dumps(found)


@pytest.mark.parametrize("url", ["", "http://qm.corp.example", "qm.corp.example", "https://", OURS + "/?x=1"])
def test_an_address_that_slack_would_not_take_is_refused(url: str) -> None:
    with pytest.raises(SettingsError, match="public https address"):
        manifest(url)
    with pytest.raises(SettingsError, match="public https address"):
        manifest(url, socket=True, oauth=True)


def test_the_command_prints_it() -> None:
    command = [sys.executable, "-m", "bot", "slack", "manifest", "--url", OURS, "--oauth"]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert yaml.safe_load(said.stdout) == manifest(OURS, oauth=True)
