"""AWS throttles, fails and half-finishes: what can be cured by waiting is, the rest is explained."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.dialogue import dialogue
from bot.errors import CloudError
from bot.services import Services
from bot.workflow.model import Waiting
from intents.account_vending.facts import FactReader
from intents.account_vending.workflow import VendingWorkflow
from tests.core.clock import HandClock
from tests.stories.errands import asks_for_an_account, is_ordered
from tests.support.stage import Approver, Speaker, Stage, Theatre, eventually
from tests.support.theatre import on_every_channel


class ForgetfulCatalog:
    """Service Catalog while it doesn't know a record that it has just made."""

    async def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Refuse every call."""
        raise CloudError("ResourceNotFoundException", "There is no such record.", operation=operation)


async def test_a_record_is_gone_only_when_it_stays_so() -> None:
    clock = HandClock()
    services = cast(Services, SimpleNamespace(clock=clock))
    workflow = VendingWorkflow(services, cast(FactReader, ForgetfulCatalog()))
    row = Waiting(1, "qm-1", "rec-1", {}, clock.now() - timedelta(minutes=30), False, 1)
    payload: dict[str, Any] = {}
    looks = []
    for _ in range(4):
        verdict = (await workflow.look_at_records([replace(row, payload=payload)]))[1]
        payload |= verdict.payload
        looks.append(verdict.ready)
        clock.move(minutes=4)
    assert looks == [False, False, False, True]


def ordered_products(stage: Stage) -> list[str]:
    """Return the names of provisioned products that the sandbox was not seeded with."""
    products = stage.aws("servicecatalog").scan_provisioned_products()["ProvisionedProducts"]
    return [product["Name"] for product in products if not product["Id"].startswith("pp-seed")]


async def test_a_slow_look_at_aws_puts_off_no_later_one(stage: Stage, ana: Speaker, bo: Approver) -> None:
    """Business time stands still but for the jump during the look, so a next look counted from its end never comes."""
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("hang", operations=["DescribeRecord"], when="after")
    await bo.approves()

    async def is_looking() -> bool:
        return any(call["status"] is None for call in await stage.calls("DescribeRecord"))

    await eventually(is_looking, lambda: "nobody looks at the record")
    await stage.advance(minutes=25)
    await stage.switches_off("hang")
    await ana.hears_later("is ready:")


async def test_throttling_is_survived_in_the_dialogue_and_in_the_work(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("throttling", times=3)
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("throttling", operations=["ProvisionProduct"], times=2)
    await bo.approves()
    await ana.hears_later("is ordered", within=30)
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")
    assert len(ordered_products(stage)) == 1


async def test_an_order_whose_answer_was_lost_is_not_ordered_twice(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("connection_reset", operations=["ProvisionProduct"], times=1, when="after")
    await bo.approves()
    await ana.hears_later("is ordered", within=30)
    assert len(ordered_products(stage)) == 1
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")


async def test_an_aws_that_takes_calls_and_answers_none_holds_nobody_up(
    stage: Stage, ana: Speaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialogue, "PATIENCE", 3.0)
    await stage.switches_on("hang", operations=["SearchProducts"])
    await ana.says("I need a sandbox account in Demos for held-up@corp.example")
    ana.hears("AWS takes too long to answer", "say “continue” to try again")
    await stage.switches_off("hang")
    monkeypatch.setattr(dialogue, "PATIENCE", 20.0)
    await ana.says("continue")
    ana.hears("Create the Sandbox account held-up-sandbox in OU Demos")


async def test_aws_that_does_not_answer_is_told_and_the_form_is_kept(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos")
    await stage.switches_on("access_denied", operations=["SearchProducts"])
    await ana.says("team-x@corp.example")
    ana.hears("AWS refused SearchProducts with AccessDeniedException")
    ana.does_not_hear("Shall I go ahead?")
    await stage.switches_off("access_denied")
    await ana.says("continue")
    ana.hears("Create the Sandbox account team-x-sandbox in OU Demos")


async def test_a_refused_order_is_told_with_awss_own_words(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("access_denied", operations=["ProvisionProduct"])
    await bo.approves()
    await ana.hears_later("failed", "AWS refused ProvisionProduct with AccessDeniedException", "platform team")
    view = await stage.view(order)
    assert view["state"] == "failed"
    [step] = [s for s in view["steps"] if s["name"] == "order the account"]
    assert step["state"] == "failed"
    assert "AccessDenied" in step["error"]
    assert step["aws_request_ids"]


@on_every_channel
async def test_requesters_read_no_arns_and_operators_read_awss_own_words(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("access_denied", operations=["ProvisionProduct"])
    await bo.approves()
    await ana.hears_later("AWS refused ProvisionProduct")
    ana.hears("the role that I use lacks the permission servicecatalog:ProvisionProduct")
    ana.does_not_hear("arn:")
    await ana.says(f"status of {order}")
    ana.hears("order the account", "lacks the permission servicecatalog:ProvisionProduct")
    ana.does_not_hear("arn:")
    operator = stage.speaker("Bo Lee")
    await operator.says(f"status of {order}")
    operator.hears("User: arn:aws:", "is not authorized to perform: servicecatalog:ProvisionProduct")
    assert "arn:" not in str((await stage.view(order))["steps"])
    recorded = await stage.application.services.audit.list(request=order, limit=100)
    assert any("User: arn:aws:" in str(entry["payload"]) for entry in recorded.items)


@on_every_channel
async def test_a_refused_order_is_sent_once_an_operator_retries_it(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("access_denied", operations=["ProvisionProduct"])
    await bo.approves()
    await ana.hears_later(f"an operator can say “retry {order}")
    await stage.switches_off("access_denied")
    operator = stage.speaker("Bo Lee")
    await operator.says(f"retry {order}")
    await ana.hears_later("is ordered")
    await stage.advance(minutes=25)
    await stage.reaches(order, "succeeded")
    assert len(ordered_products(stage)) == 1


async def test_what_was_asked_for_anew_meanwhile_is_not_retried(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("access_denied", operations=["ProvisionProduct"])
    await bo.approves()
    await ana.hears_later("failed")
    await asks_for_an_account(ana)
    operator = stage.speaker("Bo Lee")
    await operator.says(f"retry {order}")
    operator.hears("team-x@corp.example is part of another open request by now")
    assert (await stage.view(order))["state"] == "failed"


async def test_an_order_that_aws_never_answered_for_is_kept_trying_with_one_token(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await stage.switches_on("server_error", operations=["ProvisionProduct"])
    await bo.approves()
    await stage_is_retrying(stage, order, 4)
    await stage.switches_off("server_error")
    await stage.switches_on("access_denied", operations=["ProvisionProduct"])
    await stage.advance(minutes=1)
    await ana.hears_later("stands", "ProvisionProduct: AccessDenied", "platform team should look", "second time")
    await stage.switches_off("access_denied")
    await stage.advance(minutes=30)
    await ana.hears_later("is ordered")
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")
    assert len(ordered_products(stage)) == 1
    await ana.heard_once("stands", "is ordered", "is ready:")
    ana.does_not_hear("failed")


async def stage_is_retrying(stage: Stage, order: str, tries: int) -> None:
    """Wait until the order was tried that often and the segment that tried it has ended."""

    async def has_ended() -> bool:
        steps = [s for s in (await stage.view(order))["steps"] if s["name"] == "order the account"]
        return bool(steps) and steps[0]["attempts"] == tries and steps[0]["state"] == "failed"

    await eventually(has_ended, lambda: f"{order} was not tried {tries} times", within=30)


async def test_an_outcome_that_can_not_be_read_never_fails_the_request(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    order = await is_ordered(stage, ana, bo)
    await stage.switches_on("access_denied", operations=["DescribeProvisionedProduct"])
    await stage.advance(minutes=25)
    await ana.hears_later("stands", "DescribeProvisionedProduct: AccessDenied", "platform team should look")
    for _ in range(3):
        await stage.advance(hours=2)
        assert (await stage.view(order))["state"] == "running"
    ana.does_not_hear("failed", "sk again")
    await stage.switches_off("access_denied")
    await stage.advance(hours=1)
    await ana.hears_later("is ready:")
    await ana.heard_once("stands", "is ready:")


async def test_a_record_that_may_not_be_read_is_told_once(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await is_ordered(stage, ana, bo)
    await stage.switches_on("access_denied", operations=["DescribeRecord"])
    await stage.advance(minutes=1)
    await ana.hears_later("stands", "DescribeRecord: AccessDenied", "should look at record")
    await stage.advance(minutes=30)
    await stage.switches_off("access_denied")
    await stage.advance(minutes=1)
    await ana.hears_later("is ready:")
    await ana.heard_once("stands", "is ready:")


async def test_an_order_that_takes_hours_is_told_once(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await is_ordered(stage, ana, bo)
    await stage.switches_on("server_error", operations=["DescribeRecord"])
    await stage.advance(hours=2, minutes=1)
    await ana.hears_later("stands", "should look at record")
    await stage.switches_off("server_error")
    await stage.advance(minutes=1)
    await ana.hears_later("is ready:")
    await ana.heard_once("should look at record")


async def test_a_failed_order_says_that_there_is_no_account(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("provisioning_failed", message="The Availability Zone is on holiday.")
    order = await is_ordered(stage, ana, bo)
    await stage.advance(minutes=25)
    await ana.hears_later("failed", "before there was an account", "The Availability Zone is on holiday", "ask again")
    ana.does_not_hear("TAINTED")
    view = await stage.view(order)
    assert view["state"] == "failed"
    assert view["outcome"]["product_status"] == "ERROR"
    assert "account_id" not in view["outcome"]
    await ana.heard_once("before there was an account")
    assert await stage.calls("TerminateProvisionedProduct") == []


async def test_a_tainted_account_is_named_and_never_terminated(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("tainted")
    order = await is_ordered(stage, ana, bo)
    await stage.advance(minutes=25)
    await ana.hears_later("failed", "after the account was made", "TAINTED", "update the provisioned product")
    ana.hears("Don't terminate it")
    view = await stage.view(order)
    assert view["state"] == "failed"
    assert view["outcome"]["product_status"] == "TAINTED"
    accounts = stage.aws("organizations").list_accounts()["Accounts"]
    [made] = [a["Id"] for a in accounts if a["Email"] == "team-x@corp.example"]
    await ana.says(f"status of {order}")
    ana.hears(made)
    assert await stage.calls("TerminateProvisionedProduct") == []


async def test_an_ou_that_left_control_tower_is_told_apart(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on(
        "provisioning_failed", message="The organizational unit Demos is not registered with AWS Control Tower."
    )
    await is_ordered(stage, ana, bo)
    await stage.advance(minutes=25)
    await ana.hears_later("Ask again with an OU that is registered with Control Tower")


async def test_records_that_can_not_be_read_now_are_looked_at_again(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await is_ordered(stage, ana, bo)
    await stage.switches_on("server_error", operations=["DescribeRecord"])
    await stage.advance(minutes=25)
    await ana.says("status")
    ana.hears("Being carried out")
    await stage.switches_off("server_error")
    await stage.advance(minutes=1)
    await ana.hears_later("is ready:", within=30)
    await ana.heard_once("is ready:")


async def test_observe_mode_asks_and_shows_and_changes_nothing(theatre: Theatre, tmp_path: Path) -> None:
    async with theatre.open_stage(tmp_path, mode="observe") as stage:
        ana, bo = stage.speaker("Ana Lopez"), stage.approver()
        await ana.says("I need a sandbox account in Demos for team-x@corp.example")
        await ana.says("yes")
        ana.hears("Observe mode: whatever they decide, nothing will be changed")
        await bo.opens_the_mail()
        await bo.approves()
        await ana.hears_later("nothing was changed")
        await stage.reaches(ana.request, "cancelled")
        assert await stage.calls("ProvisionProduct") == []
