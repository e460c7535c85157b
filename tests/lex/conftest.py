"""A sandboxed Lex on one port, whose time passes while somebody waits, and deployers of a small bot to it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from adapters.aws.cloud import BotoCloud
from adapters.lex.building import Deployer, Target
from bot.cloud import Cloud
from bot.settings import load_settings
from sandbox.server import Sandbox

READS = ("Describe", "List", "Get")
_names = itertools.count(1)


def prompt(text: str) -> dict[str, Any]:
    """Return a prompt that says one text."""
    return {"messageGroups": [{"message": {"plainTextMessage": {"value": text}}}], "maxRetries": 2}


def slot(name: str, slot_type: str) -> dict[str, Any]:
    """Return a required slot."""
    setting = {"slotConstraint": "Required", "promptSpecification": prompt(f"Which {name}?")}
    return {"slotName": name, "slotTypeName": slot_type, "valueElicitationSetting": setting}


def intent(name: str, *utterances: str, slots: tuple[dict[str, Any], ...] = ()) -> dict[str, Any]:
    """Return an intent that asks for its slots in order, and for a yes if it has any."""
    shape: dict[str, Any] = {
        "intentName": name,
        "description": f"What {name} does.",
        "sampleUtterances": [{"utterance": utterance} for utterance in utterances],
        "slots": list(slots),
        "slotPriorities": [{"slotName": s["slotName"], "priority": n} for n, s in enumerate(slots, 1)],
    }
    if slots:
        shape["intentConfirmationSetting"] = {
            "promptSpecification": prompt("Shall I?"),
            "declinationResponse": {"messageGroups": prompt("OK, nothing was done.")["messageGroups"]},
            "declinationNextStep": {"dialogAction": {"type": "EndConversation"}},
        }
    return shape


PAINT: dict[str, Any] = {
    "localeId": "en_US",
    "nluIntentConfidenceThreshold": 0.4,
    "slotTypes": [
        {
            "slotTypeName": "Colour",
            "valueSelectionSetting": {"resolutionStrategy": "TopResolution"},
            "slotTypeValues": [
                {"sampleValue": {"value": "red"}, "synonyms": [{"value": "scarlet"}]},
                {"sampleValue": {"value": "blue"}},
            ],
        },
        {
            "slotTypeName": "Room",
            "valueSelectionSetting": {"resolutionStrategy": "OriginalValue"},
            "slotTypeValues": [{"sampleValue": {"value": "east wing"}}],
        },
    ],
    "intents": [
        intent("Greet", "good morning", "hello there"),
        intent(
            "Paint",
            "paint it {Colour}",
            "paint the {Room} in {Colour}",
            slots=(slot("Colour", "Colour"), slot("Room", "Room")),
        ),
        {"intentName": "FallbackIntent", "parentIntentSignature": "AMAZON.FallbackIntent"},
    ],
}


class Rig:
    """One bot in the sandboxed Lex, of a name of its own."""

    def __init__(self, sandbox: Sandbox, cloud: Cloud, client: Any) -> None:
        self.sandbox, self.cloud, self.models = sandbox, cloud, client("lexv2-models")
        self.runtime = client("lexv2-runtime")
        self.name = f"Painter-{next(_names)}"
        self.definition: dict[str, Any] = copy.deepcopy(PAINT)
        self._mark = 0
        self.forget_calls()

    def deployer(self, *, cloud: Cloud | None = None, environment: str = "production", **changes: Any) -> Deployer:
        """Return a deployer of the definition; waiting lets simulated time pass."""
        target = Target("us-east-1", environment=environment, bot_name=self.name)
        return Deployer(cloud or self.cloud, target, self.definition, self.pause, **changes)

    async def pause(self, seconds: float) -> None:
        """Let the time pass."""
        self.sandbox.world.clock.advance(seconds)

    def forget_calls(self) -> None:
        """Count calls from here on."""
        self._mark = max((call["number"] for call in self.sandbox.calls.entries()), default=0)

    def changing_calls(self) -> list[str]:
        """Return the operations called since that change something."""
        calls = self.sandbox.calls.entries(since=self._mark)
        return [call["operation"] for call in calls if not call["operation"].startswith(READS)]

    def bot_id(self) -> str:
        """Return the id of the one bot of that name."""
        rows = self.models.list_bots(maxResults=200)["botSummaries"]
        [found] = [row["botId"] for row in rows if row["botName"] == self.name]
        return str(found)

    def serving(self, environment: str = "production") -> tuple[str, str]:
        """Return the id of the alias and the version that it points at."""
        rows = self.models.list_bot_aliases(botId=self.bot_id())["botAliasSummaries"]
        [found] = [(row["botAliasId"], row["botVersion"]) for row in rows if row["botAliasName"] == environment]
        return found

    def hears(self, text: str, environment: str = "production") -> dict[str, Any]:
        """Say something to the alias, in a conversation of its own; return the intent it understood."""
        alias, _ = self.serving(environment)
        answer = self.runtime.recognize_text(
            botId=self.bot_id(), botAliasId=alias, localeId="en_US", sessionId=f"s-{next(_names)}", text=text
        )
        found: dict[str, Any] = answer["sessionState"]["intent"]
        return found

    def draft(self) -> dict[str, Any]:
        """Return where the draft's locale is, as parameters."""
        return {"botId": self.bot_id(), "botVersion": "DRAFT", "localeId": "en_US"}

    def add_intent(self, *arguments: Any, **options: Any) -> None:
        """Add an intent to the definition."""
        self.definition["intents"].append(intent(*arguments, **options))


@pytest.fixture(scope="session")
def lex_sandbox() -> Iterator[Sandbox]:
    """The sandboxed AWS; bots outlive a reset, so each test has a name of its own."""
    with Sandbox(speed=0) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def lex_cloud(lex_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """AWS as the bot calls it; making boto3's clients takes longer than a test."""
    cloud = BotoCloud(load_settings(aws_endpoint_url=lex_sandbox.url, var_dir=tmp_path_factory.mktemp("lex")))
    yield cloud
    cloud.close()


@pytest.fixture(scope="session")
def lex_client(lex_sandbox: Sandbox) -> Any:
    """Make boto3's clients, each once."""
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = boto3.client(
                service,
                endpoint_url=lex_sandbox.url,
                region_name="us-east-1",
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
        return made[service]

    return client


@pytest.fixture
def make_rig(lex_sandbox: Sandbox, lex_cloud: Cloud, lex_client: Any) -> Callable[[], Rig]:
    """Make bots that are not there yet."""
    lex_sandbox.faults.clear()
    return lambda: Rig(lex_sandbox, lex_cloud, lex_client)


@pytest.fixture
def rig(make_rig: Callable[[], Rig]) -> Rig:
    """A bot that is not there yet."""
    return make_rig()
