"""What comes in from Teams, and what becomes of it: chats, channels, installs, people, repeats."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
import structlog
from sqlalchemy import func, select

from bot.database.tables import identities, inbox, people
from tests.support.stage.waiting import eventually
from tests.support.teams.signing import bearer
from tests.support.teams.talking import PATH
from tests.teams.conftest import Scene

pytestmark = pytest.mark.asyncio(loop_scope="module")

MUTATIONS = 40
THREAD = "19:{}@thread.tacv2;messageid={}"


def thread(scene: Scene) -> str:
    number = scene.framework.number()
    return THREAD.format(number, number)


async def count(scene: Scene, query: Any) -> int:
    async with scene.stage.application.services.database.read() as connection:
        return int((await connection.execute(query)).scalar_one())


async def test_a_personal_chat_is_answered_in_place(scene: Scene) -> None:
    ana = scene.member()
    assert (await ana.sends(ana.message("I need a new account"))).content == b""
    await scene.settles()
    assert "what account type do you want?" in scene.read(ana.personal)


async def test_a_group_chat_is_answered_when_the_bot_is_mentioned_and_only_then(scene: Scene) -> None:
    ana, group = scene.member(), f"19:{scene.framework.number()}@thread.v2"
    for text in ("I need a new account", "<at>Bo</at> I need a new account"):
        await ana.sends(ana.activity("message", group, "groupChat", text=text))
    await scene.settles()
    assert scene.said(group) == []
    await ana.sends(ana.mention("I need a new account", group, "groupChat"))
    await scene.settles()
    assert "what account type do you want?" in scene.read(group)


async def test_a_channel_is_answered_in_its_thread(scene: Scene) -> None:
    ana, here = scene.member(), thread(scene)
    elsewhere = here.partition(";")[0] + f";messageid={scene.framework.number()}"
    await ana.sends(ana.mention("I need a new account", here))
    await ana.sends(ana.mention("help", elsewhere))
    await scene.settles()
    assert "what account type do you want?" in scene.read(here)
    assert "what account type do you want?" not in scene.read(elsewhere)
    assert scene.said(elsewhere)


async def test_two_people_in_one_thread_have_a_form_each(scene: Scene) -> None:
    ana, cy, here = scene.member(), scene.member("Cy Young"), thread(scene)
    await ana.sends(ana.mention("I need a new account", here))
    await cy.sends(cy.mention("no", here))
    await ana.sends(ana.mention("Sandbox", here))
    await scene.settles()
    assert "what e-mail should I use for the root account?" in scene.read(here)


async def test_a_mention_alone_asks_for_help(scene: Scene) -> None:
    ana, here = scene.member(), thread(scene)
    await ana.sends(ana.mention("", here))
    await scene.settles()
    assert "account" in scene.read(here)


async def test_what_was_typed_reaches_the_dialogue_as_it_was_typed(scene: Scene) -> None:
    ana = scene.member()
    activity = ana.message("help <b> & &amp; </b>")
    await ana.sends(activity)
    await scene.settles()
    async with scene.stage.application.services.database.read() as connection:
        query = select(inbox.c.body).where(inbox.c.key.contains(activity["id"]))
        body = (await connection.execute(query)).scalar_one()
    assert body["text"] == "help <b> & &amp; </b>"


async def test_an_activity_that_comes_twice_counts_once(scene: Scene) -> None:
    ana = scene.member()
    activity = ana.message("I need a new account")
    for _ in range(3):
        assert (await ana.sends(activity)).status_code == 200
    await scene.settles()
    assert len(scene.said(ana.personal)) == 1


async def test_a_press_that_comes_twice_counts_once_and_is_acknowledged_twice(scene: Scene) -> None:
    ana = scene.member()
    await ana.sends(ana.message("I need a new account"))
    await scene.settles()
    press = ana.press(scene.buttons(ana.personal)["Sandbox"])
    for _ in range(2):
        answer = await ana.sends(press)
        assert answer.status_code == 200
        assert answer.json()["type"] == "application/vnd.microsoft.card.adaptive"
    await scene.settles()
    assert scene.read(ana.personal).count("what e-mail should I use for the root account?") == 1


async def test_a_choice_of_many_comes_back_as_the_value_it_stands_for(scene: Scene) -> None:
    ana = scene.member()
    await ana.sends(ana.message("I need a new account"))
    await scene.settles()
    action = {"type": "Action.Execute", "verb": "fill", "data": {"choice": "AccountType=Sandbox"}}
    await ana.sends(ana.press(action))
    await scene.settles()
    assert "what e-mail should I use for the root account?" in scene.read(ana.personal)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "approve",
        {"action": None},
        {"action": {"verb": ""}},
        {"action": {"verb": 7, "data": []}},
        {"action": {"verb": "teams_removed", "data": {}}},
    ],
)
async def test_a_press_that_says_nothing_gets_a_clean_answer_and_is_not_kept(scene: Scene, value: Any) -> None:
    ana = scene.member()
    answer = await ana.sends(ana.activity("invoke", name="adaptiveCard/action", value=value))
    assert answer.status_code == 200
    assert answer.json()["statusCode"] == 400


async def test_an_unknown_invoke_is_not_implemented(scene: Scene) -> None:
    ana = scene.member()
    assert (await ana.sends(ana.activity("invoke", name="composeExtension/query", value={}))).status_code == 501


@pytest.mark.parametrize("kind", ["messageReaction", "messageUpdate", "event", "endOfConversation", "x", "", None])
async def test_other_activities_are_taken_and_ignored(scene: Scene, kind: Any) -> None:
    ana = scene.member()
    before = await count(scene, select(func.count()).select_from(inbox))
    assert (await ana.sends(ana.activity(kind, text="I need a new account"))).status_code == 200
    assert await count(scene, select(func.count()).select_from(inbox)) == before


async def test_the_bot_does_not_answer_itself_or_other_bots(scene: Scene) -> None:
    ana = scene.member()
    for sender in (scene.tenant.bot, "28:another-bot"):
        activity = {**ana.message("help"), "from": {"id": sender, "aadObjectId": ana.told["aadObjectId"]}}
        assert (await ana.sends(activity)).status_code == 200
    await scene.settles()
    assert scene.said(ana.personal) == []


async def test_an_install_is_welcomed_once_and_somebody_else_joining_is_not(scene: Scene) -> None:
    ana = scene.member()
    added = ana.activity("conversationUpdate", membersAdded=[{"id": scene.tenant.bot}])
    for activity in (added, added, ana.activity("conversationUpdate", membersAdded=[{"id": ana.told["id"]}])):
        assert (await ana.sends(activity)).status_code == 200
    await scene.settles()
    assert scene.read(ana.personal).count("Hello, I am Quartermaster") == 1
    await ana.sends(ana.press(scene.buttons(ana.personal)["What can you do?"]))
    await scene.settles()
    assert len(scene.said(ana.personal)) == 2


async def test_where_it_was_uninstalled_the_bot_says_nothing_more_until_it_is_spoken_to(scene: Scene) -> None:
    ana, here = scene.member(), thread(scene)
    await ana.sends(ana.mention("help", here))
    await scene.settles()
    whole = here.partition(";")[0]
    await ana.sends(ana.activity("installationUpdate", whole, "channel", action="remove"))
    await scene.settles()
    services = scene.stage.application.services
    place = f"teams:{scene.tenant.id}:{here}"
    record = await services.conversations.get(place)
    assert record is not None
    assert record.address["is_gone"]
    before = len(scene.said(here))
    await services.database.write(lambda t: services.conversations.notify(t, place, "news-1", "News", None, ""))
    await scene.settles()
    assert len(scene.said(here)) == before
    await ana.sends(ana.mention("help", here))
    await scene.settles()
    assert len(scene.said(here)) > before


async def test_a_person_is_a_tenant_and_an_object_id_tied_once(scene: Scene) -> None:
    ana = scene.member()
    address = ana.told["email"]
    await ana.sends(ana.message("help"))
    await scene.settles()
    ana.told["email"] = ana.told["userPrincipalName"] = "somebody.else@corp.example"
    await ana.sends(ana.message("help"))
    await scene.settles()
    tied = (
        select(people.c.email)
        .join(identities, identities.c.person_id == people.c.id)
        .where(identities.c.platform_id == f"{scene.tenant.id}/{ana.told['aadObjectId']}")
    )
    async with scene.stage.application.services.database.read() as connection:
        assert list((await connection.execute(tied)).scalars()) == [address]


@pytest.mark.parametrize(
    "told",
    [
        {"userRole": "guest"},
        {"userRole": "anonymous"},
        {"tenantId": "ffffffff-0000-0000-0000-000000000000"},
        {"userPrincipalName": "ana_else.example#EXT#@corp.onmicrosoft.com"},
    ],
)
async def test_guests_and_people_from_elsewhere_are_told_so_and_order_nothing(
    scene: Scene, told: dict[str, str]
) -> None:
    ana = scene.member(**told)
    await ana.sends(ana.message("I need a new account"))
    await scene.settles()
    assert "members of the organisation" in scene.read(ana.personal)
    assert await count(scene, select(func.count()).where(people.c.email == ana.told["email"])) == 0


async def test_whoever_the_roster_knows_under_another_id_is_not_believed(scene: Scene) -> None:
    ana, bo = scene.member(), scene.member()
    activity = {**ana.message("help"), "from": {"id": ana.told["id"], "aadObjectId": bo.told["aadObjectId"]}}
    await ana.sends(activity)
    await scene.settles()
    assert "members of the organisation" in scene.read(ana.personal)


async def test_somebody_without_an_address_is_told_what_to_do(scene: Scene) -> None:
    ana = scene.member(email="", userPrincipalName="")
    await ana.sends(ana.message("I need a new account"))
    await scene.settles()
    assert "Tell me your address at work" in scene.read(ana.personal)


async def test_nobody_in_the_roster_is_answered_nothing_and_the_log_says_why(scene: Scene) -> None:
    ana = scene.member()
    del scene.tenant.members[ana.told["id"]]
    with structlog.testing.capture_logs() as logged:
        await ana.sends(ana.message("I need a new account"))
        await scene.settles()
    assert scene.said(ana.personal) == []
    assert "teams.not_in_roster" in [entry["event"] for entry in logged]


async def test_while_the_roster_does_not_answer_the_activity_keeps_its_place(scene: Scene) -> None:
    ana = scene.member()
    scene.tenant.answers.append((503, {}))
    await ana.sends(ana.message("I need a new account"))
    await scene.settles()
    assert "what account type do you want?" in scene.read(ana.personal)


async def test_who_waits_longer_than_a_moment_sees_that_somebody_types(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.teams.completing.MOMENT", 0.0)
    ana, here = scene.member(), thread(scene)
    await ana.sends(ana.mention("help", here))
    await ana.sends(ana.message("help"))

    async def is_seen() -> bool:
        return ana.personal in scene.tenant.typing

    await eventually(is_seen, lambda: "nobody typed")
    await scene.settles()
    assert here not in scene.tenant.typing  # channels show no such thing


async def test_no_mutation_of_a_genuine_activity_breaks_the_bot(scene: Scene) -> None:
    chance = random.Random(5)
    ana = scene.member()
    headers = bearer(scene.tenant.app_id, scene.tenant.service_url)
    odd: list[Any] = [None, "", 0, -1.5, True, [], {}, [[]], {"id": {}}, "\x00", "\ud800", "x" * 5000, {"tenant": []}]
    before = len(scene.tenant.sent)
    for _ in range(MUTATIONS):
        verb = chance.choice(["none", "fill", "submit", "teams_view", "teams_form", "teams_approve", "teams_reject"])
        press = ana.press({"verb": verb, "data": {"value": "qm-12345678:1", "seq": 1, "intent": "x", "reason": "y"}})
        activity = chance.choice([ana.message("zzz"), ana.mention("", "19:a"), press, press])
        holder: Any = activity
        while True:
            name = chance.choice(list(holder))
            if isinstance(holder[name], dict) and holder[name] and chance.random() < 0.6:
                holder = holder[name]
                continue
            holder[name] = chance.choice(odd)
            break
        answer = await ana.client.post(PATH, content=json.dumps(activity), headers=headers)
        assert answer.status_code in (200, 400, 401, 403, 501), (answer.status_code, activity)
    await scene.settles()
    assert len(scene.tenant.sent) > before
