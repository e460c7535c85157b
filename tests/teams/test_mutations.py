"""A genuine token with a body that was tampered with anywhere: a clean answer, and nothing stored that can't be."""

from __future__ import annotations

import copy
import json
import random
from types import SimpleNamespace
from typing import Any

import structlog

from adapters.teams.invoking import words
from adapters.teams.receiving import Receiver
from adapters.teams.route import PATH
from bot.activity import Activity
from sandbox.teams.framework import BotFramework
from tests.support.teams.signing import bearer
from tests.teams.test_forgeries import Gate

MUTATIONS = 10_000
ODD: list[Any] = [
    None,
    "",
    0,
    -1.5,
    True,
    [],
    {},
    [[]],
    {"id": {}},
    "\x00",
    "\ud800",
    "x" * 5000,
    {"tenant": []},
    ["a"],
]


class Keeper:
    """Stands where the inbox would, and is as strict as the database."""

    async def receive(self, activity: Activity) -> bool:
        """Fail for what could not be stored, or would count as whole although its person is nobody."""
        text = json.dumps(activity.as_dict(), ensure_ascii=False)
        text.encode()
        assert "\\u0000" not in text
        assert 0 < len(activity.key) <= 255
        assert 0 < len(activity.conversation) <= 255
        assert activity.raw
        return True


class Kept:
    """Has nothing to say before a press is kept."""

    async def look(self, activity: Activity) -> None:
        return None

    async def next_state(self, activity: Activity) -> dict[str, Any]:
        return words("Got it.")


def mutate(activity: Any, chance: random.Random) -> None:
    """Replace or take out one thing, at any depth."""
    holder = activity
    while True:
        name = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        if isinstance(holder[name], dict | list) and holder[name] and chance.random() < 0.6:
            holder = holder[name]
        elif isinstance(holder, dict) and len(holder) > 1 and chance.random() < 0.2:
            del holder[name]
            return
        else:
            holder[name] = copy.deepcopy(chance.choice(ODD))
            return


async def test_no_tampering_with_a_body_is_answered_with_a_fault_of_ours() -> None:
    framework, chance = BotFramework(), random.Random(7)
    gate = Gate(framework)
    services: Any = SimpleNamespace(settings=SimpleNamespace(teams_app_id=gate.tenant.app_id), inbox=Keeper())
    gate.receive = Receiver(services, Kept()).receive  # type: ignore[method-assign]
    ana, seen = gate.ana, set()
    headers = bearer(gate.tenant.app_id, gate.tenant.service_url)
    added = [{"id": gate.tenant.bot}]
    with structlog.testing.capture_logs():
        for _ in range(MUTATIONS):
            activity = chance.choice(
                [
                    ana.message("hello"),
                    ana.mention("hello", "19:a"),
                    ana.press({"type": "Action.Execute", "verb": "say", "data": {"value": "x"}}),
                    ana.activity("conversationUpdate", membersAdded=copy.deepcopy(added)),
                ]
            )
            for _ in range(chance.choice([1, 1, 2, 3])):
                mutate(activity, chance)
            body = bytearray(json.dumps(activity).encode())
            if chance.random() < 0.1:
                body[chance.randrange(len(body))] = chance.randrange(256)
            seen.add((await gate.client.post(PATH, content=bytes(body), headers=headers)).status_code)
    assert seen == {200, 400, 401, 403, 501}
    await gate.client.aclose()
    await gate.http.aclose()
    framework.close()
