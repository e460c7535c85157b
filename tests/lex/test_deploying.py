"""`lex deploy` against the sandboxed Lex: what it makes, what it leaves alone, how runs go on for each other."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable
from typing import Any

import pytest

from adapters.lex.building.deploying import BuildFailed
from bot.cloud import Cloud
from bot.errors import CloudError, Conflict
from tests.lex.conftest import PAINT, READS, Rig, intent, slot


class Killed(BaseException):
    """The process dies here."""


class Dying:
    """AWS for a process that is killed once so many of its changing calls have had their effect."""

    def __init__(self, cloud: Cloud, calls: int) -> None:
        self._cloud, self._left = cloud, calls

    async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
        answer = await self._cloud.call(service, operation, **parameters)
        if not operation.startswith(READS):
            self._left -= 1
            if self._left == 0:
                raise Killed(operation)
        return answer

    def pages(self, *names: Any, **parameters: Any) -> Any:
        raise AssertionError("deployments list page by page")


async def test_what_is_deployed_understands_what_the_definition_says(rig: Rig) -> None:
    done = await rig.deployer().deploy()
    assert (done.version, done.changed) == ("1", True)
    assert rig.serving() == (done.alias_id, "1")
    assert rig.hears("good morning")["name"] == "Greet"
    understood = rig.hears("paint it scarlet")
    assert understood["slots"]["Colour"]["value"]["interpretedValue"] == "red"
    assert rig.hears("what is the weather like in Paris")["name"] != "Paint"
    detail = rig.models.describe_bot_version(botId=done.bot_id, botVersion="1")
    assert detail["botStatus"] == "Available"


async def test_the_second_run_makes_no_changing_call(rig: Rig) -> None:
    first = await rig.deployer().deploy()
    rig.forget_calls()
    again = await rig.deployer().deploy()
    assert rig.changing_calls() == []
    assert (again.changed, again.alias_id, again.version) == (False, first.alias_id, first.version)
    assert (await rig.deployer().diff()).moves == ()


async def test_only_what_differs_is_changed(rig: Rig) -> None:
    await rig.deployer().deploy()
    rig.forget_calls()
    rig.definition["intents"][0]["sampleUtterances"].append({"utterance": "good day to you"})
    difference = await rig.deployer().diff()
    assert [(str(s), s.differences) for s in difference.steps] == [
        ("update intent Greet", ("utterances: + good day to you",))
    ]
    assert rig.changing_calls() == []
    done = await rig.deployer().deploy()
    assert rig.changing_calls() == ["UpdateIntent", "BuildBotLocale", "CreateBotVersion", "UpdateBotAlias"]
    assert rig.serving() == (done.alias_id, "2")
    assert rig.hears("good day to you")["name"] == "Greet"


async def test_every_kind_of_change_arrives_and_is_then_left_alone(rig: Rig) -> None:
    await rig.deployer().deploy()
    definition = rig.definition
    definition["nluIntentConfidenceThreshold"] = 0.5
    definition["slotTypes"][0]["slotTypeValues"].append({"sampleValue": {"value": "green"}})
    definition["slotTypes"].append({**definition["slotTypes"][1], "slotTypeName": "Floor"})
    paint = definition["intents"][1]
    paint["slots"].reverse()
    paint["slotPriorities"] = [{"slotName": "Room", "priority": 1}, {"slotName": "Colour", "priority": 2}]
    paint["slots"][0]["slotTypeName"] = "Floor"
    paint["intentConfirmationSetting"]["promptSpecification"]["maxRetries"] = 4
    rig.add_intent("Clean", "clean the {Room}", slots=(slot("Room", "Room"),))
    done = await rig.deployer().deploy()
    assert {str(s) for s in done.steps} == {
        "update locale ",
        "update slot type Colour",
        "create slot type Floor",
        "create intent Clean",
        "update slot Paint.Room",
        "create slot Clean.Room",
        "update intent Paint",
        "update intent Clean",
    }
    assert rig.hears("paint it green")["slots"]["Colour"]["value"]["interpretedValue"] == "green"
    assert rig.hears("clean the hall")["name"] == "Clean"
    rig.forget_calls()
    assert not (await rig.deployer().deploy()).changed
    assert rig.changing_calls() == []


async def test_what_was_changed_by_hand_is_put_right(rig: Rig) -> None:
    await rig.deployer().deploy()
    draft = rig.draft()
    [greet] = [i for i in rig.models.list_intents(**draft)["intentSummaries"] if i["intentName"] == "Greet"]
    rig.models.update_intent(
        **draft, intentId=greet["intentId"], intentName="Greet", fulfillmentCodeHook={"enabled": True}
    )
    done = await rig.deployer().deploy()
    assert [str(s) for s in done.steps] == ["update intent Greet"]
    assert rig.models.describe_intent(**draft, intentId=greet["intentId"]).get("fulfillmentCodeHook") is None
    assert rig.serving() == (done.alias_id, "1"), "what version 1 says is what is wanted"


async def test_what_was_removed_stays_until_it_is_pruned(rig: Rig) -> None:
    rig.add_intent("Clean", "clean the {Room}", slots=(slot("Room", "Room"),))
    await rig.deployer().deploy()
    rig.definition["intents"].pop()
    paint = rig.definition["intents"][1]
    paint["slots"].pop()
    paint["slotPriorities"].pop()
    paint["sampleUtterances"].pop()
    rig.definition["slotTypes"].pop()
    kept = await rig.deployer().deploy()
    assert [str(s) for s in kept.stays] == ["delete slot Paint.Room", "delete intent Clean", "delete slot type Room"]
    assert rig.hears("clean the hall")["name"] == "Clean"
    understood = rig.hears("paint it red")
    assert understood["slots"]["Colour"]["value"]["interpretedValue"] == "red"
    assert understood["state"] == "InProgress", "Lex asks for the confirmation, not for a slot that nobody wants"
    rig.forget_calls()
    assert not (await rig.deployer().deploy()).changed
    pruned = await rig.deployer().deploy(prune=True)
    assert [str(s) for s in pruned.steps if s.verb == "delete"] == [str(s) for s in kept.stays]
    assert rig.hears("clean the hall")["name"] != "Clean"
    rig.forget_calls()
    assert not (await rig.deployer().deploy(prune=True)).changed
    assert rig.changing_calls() == []


async def test_killed_at_any_call_the_next_run_completes_it(make_rig: Callable[[], Rig]) -> None:
    def small() -> Rig:
        rig = make_rig()
        rig.definition["slotTypes"].pop()
        rig.definition["intents"] = [intent("Paint", "paint it {Colour}", slots=(slot("Colour", "Colour"),))]
        return rig

    rig = small()
    await rig.deployer().deploy()
    whole = [operation for operation in rig.changing_calls() if operation != "CreateServiceLinkedRole"]
    assert len(whole) == len(set(whole)) == 9, "one call of each kind"
    for calls in range(1, len(whole) + 1):
        victim = small()
        with pytest.raises(Killed):
            await victim.deployer(cloud=Dying(rig.cloud, calls)).deploy()
        assert victim.changing_calls() == whole[:calls]
        await victim.deployer().deploy()
        assert victim.changing_calls() == whole, "the next run makes the calls that were left, and none again"
        assert victim.hears("paint it red")["state"] == "InProgress"


async def test_two_runs_at_once_end_in_one_bot_that_is_whole(rig: Rig) -> None:
    first, second = await asyncio.gather(rig.deployer().deploy(), rig.deployer().deploy())
    assert (first.bot_id, first.alias_id) == (second.bot_id, second.alias_id)
    assert rig.hears("paint it red")["name"] == "Paint"
    rig.forget_calls()
    assert not (await rig.deployer().deploy()).changed
    assert rig.changing_calls() == []


@pytest.mark.parametrize("interrupted", ["CreateIntent", "BuildBotLocale", "CreateBotVersion", "CreateBotAlias"])
async def test_two_runs_that_want_different_things_never_serve_a_mixture(rig: Rig, interrupted: str) -> None:
    # One definition greets otherwise; the other can leave. One is deployed in the midst of the other's deployment.
    rig.definition["intents"][0]["sampleUtterances"].pop()
    new = rig.deployer(environment="new")

    class Interrupted(Dying):
        async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
            if operation == interrupted and self._left:
                self._left = 0
                await new.deploy(prune=True)
            return await self._cloud.call(service, operation, **parameters)

    rig.definition = copy.deepcopy(PAINT)
    rig.add_intent("Leave", "good bye")
    await rig.deployer(cloud=Interrupted(rig.cloud, 1), environment="old").deploy(prune=True)
    assert said(rig, "new") == {"Greet": ["good morning"], "Paint": PAINTED, "FallbackIntent": []}
    greeted = ["good morning", "hello there"]
    assert said(rig, "old") == {"Greet": greeted, "Paint": PAINTED, "Leave": ["good bye"], "FallbackIntent": []}


PAINTED = [sample["utterance"] for sample in PAINT["intents"][1]["sampleUtterances"]]


def said(rig: Rig, environment: str) -> dict[str, list[str]]:
    """Return the utterances by intent of the version that is served."""
    where = {**rig.draft(), "botVersion": rig.serving(environment)[1]}
    rows = rig.models.list_intents(**where)["intentSummaries"]
    entries = [rig.models.describe_intent(**where, intentId=row["intentId"]) for row in rows]
    return {e["intentName"]: [s["utterance"] for s in e.get("sampleUtterances", [])] for e in entries}


async def test_a_draft_changed_between_build_and_version_is_not_served(rig: Rig) -> None:
    class Meddling(Dying):
        async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
            if operation == "CreateBotVersion" and self._left:
                self._left = 0
                draft = rig.draft()
                made = rig.models.create_intent(
                    **draft, intentName="Smuggled", sampleUtterances=[{"utterance": "let me in"}]
                )
                assert made["intentId"]
                rig.models.build_bot_locale(**draft)
                rig.sandbox.world.clock.advance(60)
            return await self._cloud.call(service, operation, **parameters)

    done = await rig.deployer(cloud=Meddling(rig.cloud, 1)).deploy(prune=True)
    assert done.version == "2"
    assert rig.hears("let me in")["name"] != "Smuggled"


async def test_a_failed_build_names_the_utterance_and_leaves_the_alias_alone(rig: Rig) -> None:
    before = await rig.deployer().deploy()
    rig.add_intent("Leave", "good bye", "leave the {Building}")
    with pytest.raises(BuildFailed) as caught:
        await rig.deployer().deploy()
    assert "'leave the {Building}'" in caught.value.detail
    assert "intent Leave" in caught.value.detail
    assert rig.serving() == (before.alias_id, before.version)
    assert rig.hears("good morning")["name"] == "Greet"
    assert len(rig.models.list_bot_versions(botId=before.bot_id)["botVersionSummaries"]) == 2, "DRAFT and 1"
    rig.definition["intents"][-1]["sampleUtterances"].pop()
    assert (await rig.deployer().deploy()).version == "2"


async def test_a_build_that_fails_in_lex_itself_says_why(rig: Rig) -> None:
    rig.sandbox.faults.switch("build_failed", True, {"times": 1})
    with pytest.raises(BuildFailed, match="utterance: 'hello there'"):
        await rig.deployer().deploy()
    assert rig.models.list_bot_aliases(botId=rig.bot_id())["botAliasSummaries"][0]["botAliasName"] == "TestBotAlias"
    assert (await rig.deployer().deploy()).version == "1"


async def test_throttling_that_outlasts_the_sdk_is_waited_out(rig: Rig) -> None:
    class Throttled(Dying):
        async def call(self, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
            if operation == "CreateSlotType" and self._left:
                self._left -= 1
                raise CloudError("ThrottlingException", "Rate exceeded", operation=operation, retryable=True)
            return await self._cloud.call(service, operation, **parameters)

    began = rig.sandbox.world.clock.now()
    assert (await rig.deployer(cloud=Throttled(rig.cloud, 4)).deploy()).changed
    assert rig.hears("good morning")["name"] == "Greet"
    assert rig.sandbox.world.clock.now() - began > 15, "longer and longer waits lie between the tries"


async def test_lost_answers_make_nothing_twice(rig: Rig) -> None:
    lost = ["CreateBot", "CreateBotLocale", "CreateSlotType", "CreateIntent", "CreateSlot", "CreateBotAlias"]
    rig.sandbox.faults.switch("connection_reset", True, {"operations": lost, "times": 9, "when": "after"})
    await rig.deployer().deploy()
    assert rig.sandbox.faults.peek("connection_reset") is None, "every first answer was lost"
    assert rig.bot_id()
    assert rig.serving()[1] == "1"
    names = [i["intentName"] for i in rig.models.list_intents(**rig.draft())["intentSummaries"]]
    assert sorted(names) == ["FallbackIntent", "Greet", "Paint"]


async def test_each_environment_is_an_alias_of_its_own(rig: Rig) -> None:
    await rig.deployer(environment="staging").deploy()
    rig.add_intent("Leave", "good bye")
    await rig.deployer(environment="production").deploy()
    assert (rig.serving("staging")[1], rig.serving("production")[1]) == ("1", "2")
    rig.forget_calls()
    await rig.deployer(environment="staging").deploy()
    # The version that says it is there: it is neither built nor made again.
    assert rig.changing_calls() == ["UpdateBotAlias"]
    assert rig.serving("staging")[1] == "2"


async def test_rolling_back_points_at_the_version_before_and_deploying_at_the_newest(rig: Rig) -> None:
    await rig.deployer().deploy()
    rig.add_intent("Leave", "good bye")
    await rig.deployer().deploy()
    assert rig.hears("good bye")["name"] == "Leave"
    assert await rig.deployer().rollback() == ("2", "1")
    assert rig.hears("good bye")["name"] != "Leave"
    with pytest.raises(Exception, match="No earlier version than 1 is left"):
        await rig.deployer().rollback()
    assert await rig.deployer().rollback("2") == ("1", "2")
    rig.forget_calls()
    assert await rig.deployer().rollback("2") == ("2", "2")
    assert rig.changing_calls() == []
    with pytest.raises(Exception, match="There is no version 9"):
        await rig.deployer().rollback("9")
    await rig.deployer().rollback()
    rig.forget_calls()
    assert (await rig.deployer().deploy()).version == "2"
    assert rig.changing_calls() == ["UpdateBotAlias"]


async def test_a_deployment_of_older_content_is_rolled_back_to_the_newer_version(rig: Rig) -> None:
    await rig.deployer().deploy()
    rig.add_intent("Leave", "good bye")
    await rig.deployer().deploy()
    rig.definition["intents"] = [one for one in rig.definition["intents"] if one["intentName"] != "Leave"]
    assert (await rig.deployer().deploy(prune=True)).version == "1"
    assert await rig.deployer().rollback() == ("1", "2")
    assert rig.hears("good bye")["name"] == "Leave"
    assert await rig.deployer().rollback() == ("2", "1"), "back in numbers, since it was rolled back already"
    with pytest.raises(Exception, match="No earlier version than 1 is left"):
        await rig.deployer().rollback()


async def test_a_bot_of_that_name_that_is_not_ours_is_left_alone(rig: Rig) -> None:
    rig.models.create_bot(
        botName=rig.name,
        roleArn="arn:aws:iam::111122223333:role/somebody/elses",
        dataPrivacy={"childDirected": False},
        idleSessionTTLInSeconds=300,
    )
    await rig.pause(10)
    rig.forget_calls()
    with pytest.raises(Conflict, match="has not made"):
        await rig.deployer().deploy()
    assert rig.changing_calls() == []


async def test_a_missing_permission_is_named(rig: Rig) -> None:
    rig.sandbox.faults.switch("access_denied", True, {"operations": ["CreateIntent"]})
    with pytest.raises(CloudError) as caught:
        await rig.deployer().deploy()
    assert "CreateIntent" in caught.value.missing_permission
    rig.sandbox.faults.clear()
    assert (await rig.deployer().deploy()).version == "1"


async def test_a_large_bot_is_learnt_while_it_is_built_and_nobody_waits_for_it(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    learnt: list[str] = []
    is_learnt = threading.Event()

    class Learner:
        def __init__(self, definition: dict[str, Any]) -> None:
            learnt.append(definition["botName"])
            is_learnt.set()

    monkeypatch.setattr("adapters.lex.engine.Engine", Learner)
    for number in range(20):
        rig.definition["intents"].append(intent(f"Extra{number}", f"do the extra thing {number}"))
    await rig.deployer().deploy()
    assert is_learnt.wait(60)
    assert len(learnt) == 1
