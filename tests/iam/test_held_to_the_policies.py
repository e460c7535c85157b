"""The written policies suffice for whole stories, and the sandboxed AWS refuses whatever is not in them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from bot.cloud import acting_for
from bot.errors import CloudError
from tests.iam.conftest import NAMES, Held, OpenHeld
from tests.stories import accounts, test_account_closing, test_account_life, test_products, test_ready_means_ready
from tests.stories.errands import asks_for_an_account, see_it_through
from tests.support.stage import Stage
from tools.calls import MANAGEMENT, Call
from tools.iam import PLANNING, whole_policy
from tools.permissions import actions_of, is_read


def actions_called(calls: list[dict[str, object]]) -> set[str]:
    return {
        action
        for call in calls
        for action in actions_of(Call("", str(call["service"]), str(call["operation"]), MANAGEMENT, ""))
    }


def refused(calls: list[dict[str, object]]) -> list[object]:
    return [call["operation"] for call in calls if "Denied" in str(call["error"]) or call["status"] == 403]


async def test_an_account_is_vended_with_exactly_the_written_policy(held: Held) -> None:
    ana, bo = held.stage.speaker("Ana Lopez"), held.stage.approver()
    request = await asks_for_an_account(ana)
    await see_it_through(held.stage, ana, bo)
    calls = await held.calls()
    assert {call["operation"] for call in calls} >= {"ListAccounts", "SearchProducts", "ProvisionProduct"}
    assert not refused(calls)
    # What changes something is done in the request's own session; what only looks may be in either.
    changes = [call for call in calls if not is_read(call["operation"])]
    assert changes
    assert {call["tags"].get("quartermaster-request") for call in changes} == {request}
    assert any(not call["tags"] for call in calls)
    allowed = {action for s in whole_policy(MANAGEMENT, NAMES)["Statement"] for action in s["Action"]}
    assert actions_called(calls) <= allowed


async def finishes(stage: Stage) -> None:
    """Vend an account that gets tags, contacts, a budget, access, and has its baseline checked."""
    ana, bo = stage.speaker("Ana Lopez"), stage.approver()
    order = await test_ready_means_ready.is_made(stage, ana, bo)
    await ana.hears_later("has made the account")
    await stage.advance(seconds=30)
    await ana.hears_later("Ready: team-x-sandbox")
    assert set((await test_ready_means_ready.states_of(stage, order)).values()) == {"succeeded"}


async def lives(stage: Stage) -> None:
    """Ask about accounts, move one, and close another."""
    ana, bo = stage.speaker("Ana Lopez"), stage.approver()
    accounts.tag(stage, accounts.PLAYGROUND, owner="ana@corp.example", account_type="Sandbox")
    await ana.says("my accounts")
    ana.hears("Playground")
    await ana.says(f"what did {accounts.PLAYGROUND} spend?")
    ana.hears("$")
    await test_account_life.moves(stage, ana, bo)
    await test_account_closing.closes(stage, ana, bo)


async def orders_products(stage: Stage) -> None:
    """List what can be ordered, and order a bucket."""
    ana, bo = stage.speaker("Ana Lopez"), stage.approver()
    await ana.says("what can I order?")
    assert await test_products.has_a_bucket(stage, ana, bo)


async def reports(stage: Stage) -> None:
    """Ask for the monthly report."""
    bo = stage.speaker("Bo Berg", email="bo@corp.example")
    await bo.says("monthly report")
    bo.hears("Accounts opened", "Spent by")
    bo.does_not_hear("could not be")


async def looks_at_insights(stage: Stage) -> None:
    """Ask how the organization is, and about its gravest insight."""
    ana = stage.speaker("Ana Lopez")
    await ana.says("how healthy is the organization?")
    ana.hears("open insights in")
    await ana.presses("Insight 1")
    ana.hears("A deployment came")
    await ana.says("what is not watched?")
    ana.hears("Old Intranet", "only chosen stacks")


@pytest.mark.parametrize("story", [finishes, lives, orders_products, reports, looks_at_insights])
async def test_every_capability_needs_no_more_than_the_written_policies(
    open_held: OpenHeld, tmp_path: Path, story: Callable[[Stage], Awaitable[None]]
) -> None:
    house = tmp_path / "house.yml"
    house.write_text(test_ready_means_ready.HOUSE, encoding="utf-8")
    async with open_held(house_file=house) as held:
        await story(held.stage)
        calls = await held.calls()
        assert calls
        assert not refused(calls)
        allowed = {action for s in whole_policy(MANAGEMENT, NAMES)["Statement"] for action in s["Action"]}
        assert actions_called(calls) <= allowed
        looks = ("AssumeRole",)  # into a member account, to see what is inside
        changes = [call for call in calls if not is_read(call["operation"]) and call["operation"] not in looks]
        assert [call["operation"] for call in changes if not call["tags"]] == []


async def test_planning_without_a_permission_is_refused_and_operators_hear_which(held: Held) -> None:
    held.take_away("servicecatalog:SearchProducts")
    sentence = "I need a sandbox account in Demos for team-x@corp.example"
    bo = held.stage.speaker("Bo Berg", email="bo@corp.example")
    await bo.says(sentence)
    bo.hears("my role lacks the permission servicecatalog:SearchProducts", "docs/aws.md")
    ana = held.stage.speaker("Ana Lopez")
    await ana.says(sentence)
    ana.hears("AWS refused SearchProducts", "tell your platform team")
    ana.does_not_hear("permission")
    held.take_away()
    await ana.says("continue")
    ana.hears("Shall I go ahead?")


async def test_work_without_a_permission_ends_with_its_name_and_nothing_ordered(held: Held) -> None:
    held.take_away("servicecatalog:ProvisionProduct")
    ana, bo = held.stage.speaker("Ana Lopez"), held.stage.approver()
    request = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=request)
    await bo.approves()
    view = await held.stage.reaches(request, "failed")
    step = next(s for s in view["steps"] if s["name"] == "order the account")
    assert "lacks the permission servicecatalog:ProvisionProduct" in step["error"]
    emails = [a["Email"] for a in held.stage.aws("organizations").list_accounts()["Accounts"]]
    assert "team-x@corp.example" not in emails


async def test_a_call_outside_the_policy_is_refused_and_a_change_without_a_request_too(held: Held) -> None:
    cloud = held.stage.application.cloud
    with pytest.raises(CloudError) as caught:
        await cloud.call("sns", "CreateTopic", role=held.arn, Name="smuggled")
    assert caught.value.missing_permission == "sns:CreateTopic"
    assert not caught.value.retryable
    order = {
        "ProductName": held.stage.application.services.house.product_name,
        "ProvisioningArtifactName": "AWS Control Tower Account Factory",
        "ProvisionedProductName": "smuggled",
        "ProvisionToken": "smuggled",
    }
    with pytest.raises(CloudError) as caught:
        await cloud.call("servicecatalog", "ProvisionProduct", role=held.arn, **order)
    assert caught.value.missing_permission == "servicecatalog:ProvisionProduct"


async def test_a_session_is_tagged_with_its_request_and_can_be_with_nothing_else(held: Held) -> None:
    token = acting_for.set("qm-7k3m9qxa")
    try:
        await held.stage.application.cloud.call("organizations", "ListRoots", role=held.arn)
    finally:
        acting_for.reset(token)
    assert {"quartermaster-request": "qm-7k3m9qxa"} in [call["tags"] for call in await held.calls()]
    for tags in (
        [{"Key": "quartermaster-request", "Value": "anything"}],
        [{"Key": "quartermaster-request", "Value": "qm-7k3m9qxa"}, {"Key": "team", "Value": "platform"}],
    ):
        with pytest.raises(ClientError, match="sts:TagSession"):
            held.stage.aws("sts").assume_role(RoleArn=held.arn, RoleSessionName="bot", Tags=tags)


async def test_observe_mode_needs_the_planning_policies_alone(open_held: OpenHeld) -> None:
    async with open_held(mode="observe") as held:
        held.put(whole_policy(MANAGEMENT, NAMES, phases=(PLANNING,)))
        ana, bo = held.stage.speaker("Ana Lopez"), held.stage.approver()
        request = await asks_for_an_account(ana)
        await bo.opens_the_mail(about=request)
        await bo.approves()
        await held.stage.reaches(request, "cancelled")
        await ana.hears_later("Observe mode")
        calls = await held.calls()
        assert calls
        assert not refused(calls)
