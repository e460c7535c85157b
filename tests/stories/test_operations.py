"""Operators pause everything, let it go on, and are the only ones who may."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.activity import Person
from bot.database.tables import waits
from bot.dialogue import dialogue
from bot.errors import Conflict, NotFound
from bot.holding import Holding
from bot.hours import WorkingHours
from bot.intent import Ask, Query
from bot.workflow.model import Notice
from intents.account_vending import cards
from tests.stories.errands import asks_for_an_account, is_ordered
from tests.support.stage import Approver, Speaker, Stage, Theatre, eventually
from tests.support.theatre import on_every_channel, on_every_database


def operator(stage: Stage, channel: str = "rest") -> Speaker:
    """Return one of those whom APPROVERS names: they may pause."""
    return stage.speaker("Bo Diaz", email="bo@corp.example", channel=channel)


@on_every_channel
async def test_paused_changes_wait_and_go_on_where_they_stood(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await operator(stage).says("pause changes because the network is being moved")
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await bo.approves()
    await ana.hears_later("was approved by")
    await stage.advance(minutes=10)
    await ana.says(f"status of {order}")
    ana.hears("paused by Bo Diaz", "the network is being moved", "goes on when they are resumed")
    assert await stage.calls("ProvisionProduct") == []
    await operator(stage).says("resume changes")
    await ana.hears_later("is ordered")
    await stage.advance(minutes=25)
    account = str((await stage.reaches(order, "succeeded"))["outcome"]["account_id"])
    await ana.hears_later(account)
    await ana.heard_once("was approved by", "is ordered", account)


@on_every_database
async def test_a_pause_in_the_midst_of_an_order_holds_its_next_step(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await is_ordered(stage, ana, bo)
    await operator(stage).says("pause changes")
    before = len(await stage.calls("DescribeProvisionedProduct"))
    await stage.advance(minutes=40)

    async def has_come_due() -> bool:
        due = select(waits.c.seq).where(waits.c.kind == "timer", waits.c.segment == "settle", waits.c.done_at.is_(None))
        async with stage.application.services.database.read() as connection:
            return (await connection.execute(due)).first() is not None

    await eventually(has_come_due, lambda: "the watcher did not see the order's end")
    await operator(stage).says("status")
    ana.does_not_hear("is ready:")
    assert len(await stage.calls("DescribeProvisionedProduct")) == before
    await operator(stage).says("resume changes")
    await ana.hears_later("is ready:")
    assert len(await stage.calls("ProvisionProduct")) == 1


@pytest.mark.parametrize(
    "words",
    ["are changes paused?", "don't pause everything", "how do I pause changes?"],
)
async def test_talking_about_a_pause_pauses_nothing(stage: Stage, words: str) -> None:
    op = operator(stage)
    await op.says(words)
    op.hears("Changes are not paused. Say “pause changes”")
    assert await stage.application.services.holding.paused() is None


@pytest.mark.parametrize("words", ["everything", "is everything ok?"])
async def test_a_word_of_a_command_is_none(stage: Stage, words: str) -> None:
    await operator(stage).says(words)
    assert await stage.application.services.holding.paused() is None


async def test_talking_about_the_end_of_a_pause_does_not_end_it(stage: Stage, ana: Speaker) -> None:
    op = operator(stage)
    await op.says("pause changes because the network is not up")
    for words in ("don't resume changes", "when do changes resume?", "should I resume changes?", "do not resume yet"):
        await op.says(words)
        op.hears("paused by Bo Diaz", "Say “resume changes”")
    await ana.says("why is everything paused?")
    ana.hears("the network is not up")
    ana.does_not_hear("Say “resume changes”")
    assert await stage.application.services.holding.paused()
    await op.says("could you please resume all changes?")
    op.hears("go on where they stood")


@on_every_channel
async def test_talking_about_cancelling_cancels_nothing(stage: Stage, ana: Speaker) -> None:
    order = await asks_for_an_account(ana)
    await ana.says(f"why was {order} cancelled")  # asks how it stands
    ana.hears("Waiting for approval")
    ana.does_not_hear("is cancelled")
    for words in ("should I cancel {}?", "{} should not be cancelled", "how do I cancel {}?"):
        await ana.says(words.format(order))
        ana.hears("Waiting for approval", "Nothing was cancelled", f"say “cancel {order}")
    await ana.says(f"can you cancel {order} please? I don't need it any more")
    ana.hears(f"Request {order} is cancelled")


@pytest.mark.parametrize("intent", ["RetryRequest", "RecordStep"])
async def test_a_key_that_speaks_for_an_operator_mends_no_request_of_another_key(
    stage: Stage, ana: Speaker, bo: Approver, intent: str
) -> None:
    await stage.switches_on("provisioning_failed")
    order = await is_ordered(stage, ana, bo)
    await stage.advance(minutes=40)
    await stage.reaches(order, "failed")
    query = stage.application.services.registry.get(intent)
    assert isinstance(query, Query)
    slots = {"RequestId": order, "StepName": "order the account", "DoneReason": "so I say"}
    with pytest.raises(NotFound, match=f"There is no request {order}"):
        await query.answer(Ask(Person("bo", "bo@corp.example"), slots, channel="rest", owner="another-team"))
    with pytest.raises(Conflict):
        await query.answer(Ask(Person("bo", "bo@corp.example"), slots, channel="rest"))


async def test_talking_about_a_second_try_tries_nothing(stage: Stage, ana: Speaker) -> None:
    order, op = await asks_for_an_account(ana), operator(stage)
    for words in ("don't retry {}", "should I retry {}?"):
        await op.says(words.format(order))
        op.hears("I have done nothing", "say “retry")


async def test_only_operators_pause_and_resume(stage: Stage, ana: Speaker) -> None:
    await ana.says("pause changes")
    ana.hears("No policy lets ana@corp.example do this", "Operators")
    op = operator(stage)
    await op.says("pause changes")
    op.hears("Changes have been paused by Bo Diaz")
    await ana.says("resume changes")
    ana.hears("No policy lets")
    await op.says("pause changes because of a second thought")
    op.does_not_hear("second thought")
    await op.presses("Resume changes")
    op.hears("go on where they stood")
    await op.says("resume changes")
    op.hears("Changes are not paused.")


async def test_pausing_and_resuming_are_recorded(stage: Stage) -> None:
    op = operator(stage)
    await op.says("pause changes because of an audit")
    await op.says("resume changes")
    answer = await stage.client().get("/v1/audit", params={"person": "bo@corp.example"})
    assert answer.status_code == 200, answer.text
    recorded = {entry["kind"]: entry["payload"] for entry in answer.json()["entries"]}
    assert recorded["changes.paused"] == {"by": "bo@corp.example", "reason": "of an audit"}
    assert recorded["changes.resumed"] == {"by": "bo@corp.example"}


async def test_what_can_only_be_asked_anew_is_not_tried_again(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await stage.switches_on("provisioning_failed", message="The Availability Zone is on holiday.")
    order = await is_ordered(stage, ana, bo)
    await ana.says(f"retry {order}")
    ana.hears("No policy lets")
    op = operator(stage)
    await op.says(f"retry {order}")
    op.hears("has not failed: it is being carried out")
    await stage.advance(minutes=25)
    await stage.reaches(order, "failed")
    await op.says(f"retry {order}")
    op.hears("can't be tried again from here", "ask again")
    await op.says(f"record step set the budget of {order} as done because finance made it")
    op.hears("has no failed step")
    await op.says("retry")
    op.hears("Say which request")


async def test_approval_time_counts_in_working_hours(theatre: Theatre, tmp_path: Path) -> None:
    hours = "Mon-Fri 09:00-17:00 Europe/Berlin DE-BE"
    async with theatre.open_stage(tmp_path, working_hours=hours, approval_hours=16) as stage:
        ana, bo = stage.speaker("Ana Lopez"), stage.approver()
        order = await asks_for_an_account(ana)
        await bo.opens_the_mail(about=order)
        view = await stage.view(order)
        working = WorkingHours.parse(hours)
        assert working is not None
        asked, lapses = (datetime.fromisoformat(view[name]) for name in ("created_at", "expires_at"))
        assert abs(lapses - working.add(asked, timedelta(hours=16))) < timedelta(minutes=1)
        assert lapses - asked > timedelta(hours=30), "two working days are more than 16 hours"
        half = working.add(asked, timedelta(hours=8)) + timedelta(minutes=2)
        await stage.advance(seconds=(half - asked).total_seconds())
        await bo.receives_a_notice(about=order)
        assert bo.mail["subject"].startswith("Reminder: ")
        assert (await stage.view(order))["state"] == "awaiting_approval"
        await stage.advance(seconds=(lapses - half).total_seconds() + 60)
        await ana.hears_later("expired: nobody decided within 16 working hours")


async def test_approvers_are_reminded_once_at_half_time(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    first = bo.path
    await stage.advance(hours=25)
    await bo.receives_a_notice(about=order)
    assert bo.mail["subject"].startswith("Reminder: Approval needed: ")
    assert bo.path != first
    await bo.approves()
    await ana.hears_later("was approved by")
    await stage.advance(hours=20)
    assert len([m for m in await bo.mails() if order in m["text"]]) == 2


async def test_nobody_is_reminded_of_what_is_decided(stage: Stage, ana: Speaker, bo: Approver) -> None:
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await bo.approves()
    await ana.hears_later("is ordered")
    await stage.advance(hours=25)
    await ana.hears_later("is ready:")
    assert len([m for m in await bo.mails() if order in m["text"]]) == 1


async def test_a_mistake_of_ours_is_tried_again_without_a_second_order(
    stage: Stage, ana: Speaker, bo: Approver, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = cards.ordered
    mistakes = iter([RuntimeError("a mistake of ours")])

    def slip(*given: Any) -> Notice:
        for mistake in mistakes:
            raise mistake
        return whole(*given)

    monkeypatch.setattr(cards, "ordered", slip)
    order = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=order)
    await bo.approves()
    await ana.hears_later("An unexpected error: RuntimeError: a mistake of ours", f"retry {order}")
    op = operator(stage)
    await op.says(f"retry {order}")
    op.hears("is tried again from where it failed")
    await ana.hears_later("is ordered")
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")
    tokens = {call["params"]["ProvisionToken"] for call in await stage.calls("ProvisionProduct")}
    assert len(tokens) == 1
    accounts = stage.aws("organizations").list_accounts()["Accounts"]
    assert sum(a["Email"] == "team-x@corp.example" for a in accounts) == 1


async def test_a_command_that_is_cut_off_after_it_acted_claims_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    pause = Holding.pause

    async def pause_and_hang(*arguments: Any, **options: Any) -> None:
        await pause(*arguments, **options)
        await asyncio.Event().wait()

    monkeypatch.setattr(Holding, "pause", pause_and_hang)
    monkeypatch.setattr(dialogue, "PATIENCE", 1.0)
    op = operator(stage)
    await op.says("pause changes")
    op.hears("I have stopped waiting", "It may have been done all the same")
    op.does_not_hear("No request was placed")
    await op.says("are changes paused?")
    op.hears("Changes have been paused by Bo Diaz")


async def test_help_names_what_operators_do_to_operators_alone(stage: Stage, ana: Speaker) -> None:
    await ana.says("help")
    ana.hears("I need a sandbox account", "my requests")
    ana.does_not_hear("pause changes", "resume changes", "retry qm-", "record step", "accounts without an owner")
    op = operator(stage)
    await op.says("help")
    op.hears("accounts without an owner", "pause changes", "resume changes", "retry qm-", "record step")
