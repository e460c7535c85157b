"""Ready is told only after the finishing steps: each can fail once and be mended alone, and nothing is done twice."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bot.workflow import run as running
from tests.stories.errands import asks_for_an_account
from tests.stories.houses import open_house
from tests.support.stage import Approver, Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel, on_every_database, takes_slack

HOUSE = """
account_types:
  - name: Sandbox
    expires_days: 30
    tags: {data: none}
    budget: {monthly_usd: 200, alerts: [50, 100], notify: [finops1@corp.example]}
    contacts:
      billing: {name: Fin Ops, title: Finance, email: finops1@corp.example, phone: "+1 555 0101"}
      security: {name: Sec One, title: Security, email: security1@corp.example, phone: "+1 555 0102"}
    access:
      - {group: developers, permission_set: CorpDeveloperAccess}
      - {group: finops, permission_set: CorpBillingAccess}
suggested_ous: [Demos]
"""
STEPS = {
    "tag the account": "TagResource",
    "set the billing contact": "PutAlternateContact",
    "make the budget": "CreateBudget",
    "let developers in as CorpDeveloperAccess": "CreateAccountAssignment",
    "check the baseline": "ListEnabledBaselines",
    "check the guardrails": "ListEnabledControls",
    "check CloudTrail": "DescribeTrails",
    "check AWS Config": "DescribeConfigurationRecorderStatus",
}
CHANGING = {
    "TagResource": 1,
    "PutAlternateContact": 2,
    "CreateBudget": 1,
    "CreateAccountAssignment": 2,
    "ProvisionProduct": 1,
}
"""How often each is to have taken effect in the end."""


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """A bot in a house whose sandboxes get something of everything."""
    database_url = request.getfixturevalue("postgres_url") if getattr(request, "param", "") == "postgresql" else ""
    async with open_house(
        theatre,
        tmp_path,
        HOUSE,
        database_url=database_url,
        slack=takes_slack(request),
        teams=takes_slack(request, "teams"),
    ) as stage:
        yield stage


async def is_made(stage: Stage, ana: Speaker, bo: Approver) -> str:
    """Order an account, and let Control Tower make it; return the request's id."""
    order = await is_approved(stage, ana, bo)
    await stage.advance(minutes=25)
    return order


async def is_approved(stage: Stage, ana: Speaker, bo: Approver) -> str:
    """Order an account and have it approved; return the request's id."""
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await bo.approves()
    await ana.hears_later("is ordered")
    return order


async def states_of(stage: Stage, order: str) -> dict[str, str]:
    """Return the finishing steps' states by name."""
    steps = (await stage.view(order))["steps"]
    return {s["name"]: s["state"] for s in steps if s["name"].startswith(("tag", "set", "make", "let", "check "))}


async def effects(stage: Stage) -> dict[str, int]:
    """Return how often each changing call has taken effect."""
    return {
        operation: sum(1 for call in await stage.calls(operation) if not call.get("error")) for operation in CHANGING
    }


async def mend(stage: Stage, order: str, step: str = "", reason: str = "") -> None:
    """Have the operator say, in the card's own words, to retry a request or to record one of its steps as done."""
    operator = stage.speaker("Bo Berg", email="bo@corp.example")
    if step:
        await operator.says(f"record step {step} of {order} as done because {reason}")
        operator.hears("Recorded.", order)
    else:
        await operator.says(f"retry {order}")
        operator.hears(order)


@on_every_channel
async def test_ready_is_told_after_every_step_and_the_card_shows_each(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await is_made(stage, ana, bo)
    await ana.hears_later("has made the account team-x-sandbox", "let developers in as CorpDeveloperAccess")
    ana.does_not_hear("is ready:")
    await stage.advance(seconds=30)
    await ana.hears_later(
        "Ready: team-x-sandbox", "tag the account", "set the billing contact", "set the security contact"
    )
    ana.hears("make the budget", "let developers in", "let finops in", "check the baseline", "check AWS Config")
    assert set((await states_of(stage, order)).values()) == {"succeeded"}
    assert await effects(stage) == CHANGING
    await ana.heard_once("has made the account", "Ready: team-x-sandbox")


@on_every_database
async def test_what_was_agreed_is_found_in_aws(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await is_made(stage, ana, bo)
    bo.reads_in_the_mail("owner: ana@corp.example", "200.00 USD a month", "50 % and 100 %", "finops1@corp.example")
    bo.reads_in_the_mail("Fin Ops, Finance", "developers as CorpDeveloperAccess", "30 days after it is made")
    await ana.hears_later("has made the account")
    await stage.advance(seconds=30)
    account = (await stage.reaches(order, "succeeded"))["outcome"]["account_id"]
    tags = stage.aws("organizations").list_tags_for_resource(ResourceId=account)["Tags"]
    named = {tag["Key"]: tag["Value"] for tag in tags}
    day = named.pop("expires")
    assert named == {
        "data": "none",
        "owner": "ana@corp.example",
        "account-type": "Sandbox",
        "quartermaster-request": order,
    }
    made = stage.aws("organizations").describe_account(AccountId=account)["Account"]["JoinedTimestamp"]
    assert 29 <= (day_of(day) - made.date()).days <= 31
    contact = stage.aws("account").get_alternate_contact(AccountId=account, AlternateContactType="BILLING")
    assert contact["AlternateContact"]["EmailAddress"] == "finops1@corp.example"
    assert_budget(stage, account)
    assert holders(stage, account) >= {"developers", "finops"}


def day_of(text: str) -> date:
    """Return the day that is written so."""
    return date.fromisoformat(text)


def assert_budget(stage: Stage, account: str) -> None:
    """Check the account's budget, and who hears of it."""
    budgets, management = stage.aws("budgets"), stage.aws("sts").get_caller_identity()["Account"]
    name = f"quartermaster-{account}"
    budget = budgets.describe_budget(AccountId=management, BudgetName=name)["Budget"]
    assert float(budget["BudgetLimit"]["Amount"]) == 200
    assert budget["CostFilters"] == {"LinkedAccount": [account]}
    notices = budgets.describe_notifications_for_budget(AccountId=management, BudgetName=name)["Notifications"]
    assert sorted(n["Threshold"] for n in notices) == [50, 100]
    told = budgets.describe_subscribers_for_notification(
        AccountId=management, BudgetName=name, Notification={k: v for k, v in notices[0].items() if "State" not in k}
    )
    assert {s["Address"] for s in told["Subscribers"]} == {"ana@corp.example", "finops1@corp.example"}


def holders(stage: Stage, account: str) -> set[str]:
    """Return the groups that have something in the account."""
    sso, store = stage.aws("sso-admin"), stage.aws("identitystore")
    instance = sso.list_instances()["Instances"][0]
    arn = instance["InstanceArn"]
    sets = sso.list_permission_sets_provisioned_to_account(InstanceArn=arn, AccountId=account)["PermissionSets"]
    ids = {
        a["PrincipalId"]
        for one in sets
        for a in sso.list_account_assignments(InstanceArn=arn, AccountId=account, PermissionSetArn=one)[
            "AccountAssignments"
        ]
        if a["PrincipalType"] == "GROUP"
    }
    groups = store.list_groups(IdentityStoreId=instance["IdentityStoreId"])["Groups"]
    return {g["DisplayName"] for g in groups if g["GroupId"] in ids}


@pytest.mark.parametrize(("step", "operation"), STEPS.items(), ids=[name.replace(" ", "-") for name in STEPS])
async def test_a_step_that_aws_refuses_is_told_and_retried_alone_by_an_operator(
    stage: Stage, ana: Speaker, bo: Approver, step: str, operation: str
) -> None:
    order = await is_approved(stage, ana, bo)
    await stage.switches_on("access_denied", operations=[operation])
    await stage.advance(minutes=25)
    await settled(stage, order, "failed")
    await ana.hears_later("failed", "was made, but", "not ready yet", step, "AccessDenied", f"retry {order}")
    view = await stage.view(order)
    assert view["state"] == "failed"
    assert step in view["outcome"]["failed_steps"]
    assert view["outcome"]["account_id"]
    await stage.switches_off("access_denied")
    before = {s["name"]: s["attempts"] for s in view["steps"] if s["state"] == "succeeded"}
    await mend(stage, order)
    await stage.advance(seconds=30)
    after = await settled(stage, order)
    assert {s["name"]: s["attempts"] for s in after["steps"] if s["name"] in before} == before
    assert await effects(stage) == CHANGING
    await ana.hears_later("is ready:")


async def settled(stage: Stage, order: str, state: str = "succeeded") -> dict[str, Any]:
    """Let time pass until the request has ended so."""
    for _ in range(8):
        try:
            return await stage.reaches(order, state, within=2)
        except AssertionError:
            await stage.advance(seconds=60)
    return await stage.reaches(order, state)


async def test_what_aws_throttles_is_tried_again_by_the_bot_with_growing_pauses(
    stage: Stage, ana: Speaker, bo: Approver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "PAUSES", ())
    order = await is_approved(stage, ana, bo)
    await stage.switches_on("throttling", operations=["CreateBudget", "CreateAccountAssignment"])
    await stage.advance(minutes=25)
    await ana.hears_later("has made the account", "make the budget", "I go on by myself", within=40)
    assert (await states_of(stage, order))["make the budget"] == "failed"
    assert (await stage.view(order))["state"] == "running"
    await stage.switches_off("throttling")
    view = await settled(stage, order)
    assert view["outcome"]["account_id"]
    assert await effects(stage) == CHANGING
    await ana.heard_once("is ready:")
    ana.does_not_hear("failed")


async def test_an_assignment_that_fails_in_the_background_is_asked_for_again(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    order = await is_approved(stage, ana, bo)
    await stage.switches_on("assignment_failed", times=1)
    await stage.advance(minutes=25)
    await ana.hears_later("has made the account")
    await stage.advance(seconds=30)
    view = await settled(stage, order)
    assert holders(stage, view["outcome"]["account_id"]) >= {"developers", "finops"}
    assert len(await stage.calls("CreateAccountAssignment")) == 3
    await ana.hears_later("is ready:")


@pytest.mark.parametrize(
    ("fault", "step", "words"),
    [
        ("baseline_failed", "check the baseline", "could not enable its baseline"),
        ("trail_missing", "check CloudTrail", "no CloudTrail trail"),
        ("recorder_stopped", "check AWS Config", "recorder in the account has stopped"),
    ],
)
async def test_what_is_not_as_it_should_be_is_told_and_can_be_recorded_as_done(
    stage: Stage, ana: Speaker, bo: Approver, fault: str, step: str, words: str
) -> None:
    order = await is_approved(stage, ana, bo)
    await stage.switches_on(fault)
    await stage.advance(minutes=25)
    await ana.hears_later("has made the account")
    await stage.advance(seconds=30)
    await ana.hears_later("not ready yet", words, f"record step {step} of {order} as done because")
    await mend(stage, order, step, "looked at it by hand")
    await ana.hears_later(f"recorded the step “{step}” as done by hand")
    view = await settled(stage, order)
    assert {s["name"]: s["state"] for s in view["steps"]}[step] == "done by hand"
    assert await effects(stage) == CHANGING


async def test_a_step_with_many_words_is_recorded_in_the_words_of_the_card(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    order = await is_approved(stage, ana, bo)
    await stage.switches_on("access_denied", operations=["CreateAccountAssignment"])
    await stage.advance(minutes=25)
    await settled(stage, order, "failed")
    await mend(stage, order, "let developers in as CorpDeveloperAccess", "the group has it by another way")
    await settled(stage, order, "failed")
    await stage.switches_off("access_denied")
    await mend(stage, order)
    view = await settled(stage, order)
    assert holders(stage, view["outcome"]["account_id"]) >= {"finops"}
    assert len([c for c in await stage.calls("CreateAccountAssignment") if not c["error"]]) == 1


async def test_a_group_that_is_not_there_is_told_before_anything_is_ordered(theatre: Theatre, tmp_path: Path) -> None:
    house = HOUSE.replace("group: finops", "group: finance")
    async with open_house(theatre, tmp_path, house) as stage:
        ana = stage.speaker("Ana Lopez")
        await ana.says("I need a sandbox account in Demos for team-x@corp.example")
        ana.hears("Identity Center has no group “finance”.", "platform team")
        ana.does_not_hear("Shall I go ahead?")


async def test_an_account_that_is_being_finished_takes_no_place_in_control_tower(
    theatre: Theatre, tmp_path: Path
) -> None:
    async with open_house(theatre, tmp_path, HOUSE, control_tower_capacity=1) as stage:
        ana, bo, cy = stage.speaker("Ana Lopez"), stage.approver(), stage.speaker("Cy Young")
        await is_made(stage, ana, bo)
        await ana.hears_later("has made the account")
        order = await asks_for_an_account(cy, "other@corp.example")
        await bo.opens_the_mail(about=order)
        await bo.approves()
        await cy.hears_later("is ordered")
        ana.does_not_hear("is ready:")
