"""What approvers decide, or don't, and what the requester hears of it: each turn of fate once."""

from __future__ import annotations

import asyncio
import json
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from adapters.email.catcher import MailCatcher
from bot.channel import Delivery
from bot.database import Transaction
from bot.settings import SANDBOX_TOPICS
from tests.stories.errands import asks_for_an_account, is_ordered, see_it_through
from tests.stories.news import has_heard, listens
from tests.support.stage import Approver, Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel

TOPIC = "arn:aws:sns:us-east-1:123456789012:approvals"


@on_every_channel
async def test_a_rejection_is_heard_with_its_reason(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=request)
    bo.reads("Create the Sandbox account team-x-sandbox in OU Demos", "team-x@corp.example", "ana@corp.example")
    await bo.rejects("Use the shared one first")
    await ana.hears_later("Rejected: Create the Sandbox account", "Use the shared one first")
    await stage.advance(hours=1)
    assert (await stage.view(request))["state"] == "rejected"
    assert await stage.calls("ProvisionProduct") == []
    await ana.heard_once("Rejected: Create the Sandbox account")


async def test_a_rejection_without_a_reason_is_asked_for_one(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=request)
    assert await bo.decides("reject", "  ") == 422
    assert (await stage.view(request))["state"] == "awaiting_approval"
    await bo.rejects("Too many already")
    await ana.hears_later("Too many already")


@on_every_channel
async def test_an_approval_lapses_after_two_days(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=request)
    await stage.advance(hours=47, minutes=55)
    assert (await stage.view(request))["state"] == "awaiting_approval"
    await stage.advance(minutes=6)
    await ana.hears_later("expired", "48 hours", "Nothing was done")
    assert await bo.decides("approve") == 410
    assert (await stage.view(request))["state"] == "expired"
    await ana.heard_once("nobody decided within")
    assert await stage.calls("ProvisionProduct") == []


async def test_the_mail_is_answered_once_only(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await asks_for_an_account(ana)
    await bo.opens_the_mail()
    await bo.approves()
    assert await bo.decides("reject", "changed my mind") == 409
    await ana.hears_later("is ordered")
    assert len(await stage.calls("ProvisionProduct")) == 1


async def test_every_turn_of_fate_is_heard_once(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await asks_for_an_account(ana)
    await see_it_through(stage, ana, bo)
    await stage.advance(hours=72)
    await ana.says("status")
    ana.hears("Done:")
    await ana.heard_once("is placed", "was approved by", "is ordered", "Ready: team-x-sandbox")


async def test_the_mail_says_what_is_to_be_done_and_until_when(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await asks_for_an_account(ana, "team-x+aws@corp.example")
    await bo.opens_the_mail(about=request)
    expires = (await stage.view(request))["expires_at"]
    bo.reads_in_the_mail("team-x-aws-sandbox", "team-x+aws@corp.example", "ou-c0rp-dem0dem0", "ana@corp.example")
    assert str(int(expires[8:10])) in bo.mail["text"]
    assert expires[11:16] in bo.mail["text"]


async def test_the_requester_is_not_asked_to_approve(theatre: Theatre, tmp_path: Path) -> None:
    async with theatre.open_stage(tmp_path, approvers="ana@corp.example,bo@corp.example") as stage:
        ana, bo, herself = stage.speaker("Ana Lopez"), stage.approver(), stage.approver("ana@corp.example")
        await asks_for_an_account(ana)
        await bo.opens_the_mail()
        assert await herself.mails() == []
        await bo.approves()
        await ana.hears_later("is ordered")


@pytest.mark.settings(approvers="Ana@corp.example")
@on_every_channel
async def test_a_lone_approver_is_told_at_once(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for team-x@corp.example")
    ana.hears("Nobody could approve this", "another approver")
    assert await stage.requests() == []
    assert await stage.approver("ana@corp.example").mails() == []


async def test_the_requester_may_not_approve_in_the_console(theatre: Theatre, tmp_path: Path) -> None:
    async with theatre.open_stage(tmp_path, approvers="ana@corp.example,bo@corp.example") as stage:
        ana = stage.speaker("Ana Lopez")
        request = await asks_for_an_account(ana)
        services = stage.application.services
        record = await services.requests.find(request)
        assert not await services.approvals.may_decide(record, record.requester)


@on_every_channel
async def test_a_request_is_cancelled_before_its_approval(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=request)
    await ana.says(f"cancel {request}")
    ana.hears(f"{request} is cancelled")
    assert await bo.decides("approve") == 410
    await ana.says(f"status of {request}")
    ana.hears("Cancelled")
    assert await stage.calls("ProvisionProduct") == []


async def test_a_request_is_cancelled_by_its_button(stage: Stage, ana: Speaker) -> None:
    request = await asks_for_an_account(ana)
    await ana.presses(f"Cancel {ana.request}")
    ana.hears(f"{request} is cancelled")
    await ana.presses(f"Cancel {ana.request}")
    ana.hears("already")
    assert (await stage.view(request))["state"] == "cancelled"


async def test_the_cancelling_is_heard_once(stage: Stage, ana: Speaker) -> None:
    request = await asks_for_an_account(ana)
    await ana.says(f"cancel {request}")
    await stage.advance(hours=72)
    await ana.says("my requests")
    await ana.heard_once(f"{request} is cancelled")


async def test_a_request_under_way_can_not_be_called_back(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await is_ordered(stage, ana, bo)
    await ana.says(f"cancel {request}")
    ana.hears("being carried out", "can't be called back")
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")


async def test_what_is_done_can_not_be_cancelled(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await asks_for_an_account(ana)
    await see_it_through(stage, ana, bo)
    await ana.says(f"cancel {request}")
    ana.hears("already")
    assert (await stage.view(request))["state"] == "succeeded"


async def test_cancel_without_an_id_never_guesses(stage: Stage, ana: Speaker) -> None:
    request = await asks_for_an_account(ana)
    await ana.says("cancel my request")
    ana.hears("Which request?")
    assert (await stage.view(request))["state"] == "awaiting_approval"


async def test_my_requests_and_status_tell_how_things_stand(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await asks_for_an_account(ana)
    await ana.says("my requests")
    ana.hears(request, "waiting for approval", "team-x-sandbox")
    await ana.says(f"status of {request.removeprefix('qm-')}")
    ana.hears("Waiting for approval", "bo@corp.example")
    await see_it_through(stage, ana, bo)
    await ana.says(f"STATUS {request.upper()}")
    ana.hears("Done", "is ready:")


async def test_a_shared_mailbox_gets_a_notice_that_decides_nothing(theatre: Theatre, tmp_path: Path) -> None:
    directory = tmp_path / "directory.yml"
    directory.write_text(
        "people:\n  - {email: cy@corp.example, groups: [approvers]}\nshared_mailboxes: [team@corp.example]\n"
    )
    async with theatre.open_stage(tmp_path, approvers="team@corp.example", directory_file=directory) as stage:
        ana, team = stage.speaker("Ana Lopez"), stage.approver("team@corp.example")
        request = await asks_for_an_account(ana)
        await team.receives_a_notice(about=request)
        assert "/account/confirm/" not in team.mail["text"] + team.mail["html"]
        assert f"/requests/{request}" in team.mail["text"]


async def test_who_is_no_longer_an_approver_decides_nothing(theatre: Theatre, tmp_path: Path) -> None:
    directory = tmp_path / "directory.yml"
    directory.write_text("approvals: [{ask: [bo@corp.example, cy@corp.example]}]\n", encoding="utf-8")
    async with theatre.open_stage(tmp_path, directory_file=directory) as stage:
        ana, bo, cy = stage.speaker("Ana Lopez"), stage.approver(), stage.approver("cy@corp.example")
        request = await asks_for_an_account(ana)
        await bo.opens_the_mail(about=request)
        await cy.opens_the_mail(about=request)
        directory.write_text("approvals: [{ask: [cy@corp.example, dee@corp.example]}]\n", encoding="utf-8")
        assert await bo.decides("approve") == 403
        assert await bo.decides("reject", "I still can, can't I?") == 403
        assert (await stage.view(request))["state"] == "awaiting_approval"
        await cy.approves()
        await ana.hears_later("was approved by cy@corp.example")


async def test_who_became_an_approver_after_the_asking_was_not_asked(theatre: Theatre, tmp_path: Path) -> None:
    directory = tmp_path / "directory.yml"
    directory.write_text("approvals: [{ask: [bo@corp.example]}]\n", encoding="utf-8")
    async with theatre.open_stage(tmp_path, directory_file=directory) as stage:
        ana = stage.speaker("Ana Lopez")
        request = await asks_for_an_account(ana)
        directory.write_text("approvals: [{ask: [bo@corp.example, dee@corp.example]}]\n", encoding="utf-8")
        services = stage.application.services
        record = await services.requests.find(request)
        bo, dee = [await services.people.of_email(f"{name}@corp.example") for name in ("bo", "dee")]
        assert await services.approvals.may_decide(record, bo)
        assert not await services.approvals.may_decide(record, dee)


@pytest.mark.parametrize(
    ("asks", "asked"),
    [("approver+me@corp.example", "approver@corp.example"), ("approver@corp.example", "approver+me@corp.example")],
)
async def test_a_tagged_address_is_the_same_person(theatre: Theatre, tmp_path: Path, asks: str, asked: str) -> None:
    async with theatre.open_stage(tmp_path, approvers=f"{asked},bo@corp.example") as stage:
        speaker, bo, herself = stage.speaker("Ana Lopez", email=asks), stage.approver(), stage.approver(asked)
        request = await asks_for_an_account(speaker)
        await bo.opens_the_mail(about=request)
        assert await herself.mails() == []
        services = stage.application.services
        record = await services.requests.find(request)
        assert not await services.approvals.may_decide(record, await services.people.of_email(asked))
        await bo.approves()
        await speaker.hears_later("was approved by bo@corp.example")


async def test_a_request_is_carried_out_for_the_names_it_was_placed_with(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    request = await asks_for_an_account(ana)
    people = stage.application.services.people
    await people.of_email("ana@corp.example", name="Eve Mallory", given_name="Eve", family_name="Mallory")
    await people.of_email("ana@corp.example", name="Mal Ware", authoritative=True)
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await ana.hears_later("is ordered")
    [order] = await stage.calls("ProvisionProduct")
    assert "Ana" in str(order)
    assert "Mal" not in str(order)


async def test_names_that_anybody_gives_do_not_replace_those_that_are_known(stage: Stage) -> None:
    people = stage.application.services.people
    first = await people.of_email("cy@corp.example", name="Cy Young")
    assert await people.of_email("cy@corp.example", name="The Boss", given_name="Boss") == first
    proven = await people.of_email("cy@corp.example", given_name="Cyrus", authoritative=True)
    assert (proven.id, proven.name, proven.given_name) == (first.id, "", "Cyrus")
    assert await people.of_email("cy@corp.example", name="The Boss") == proven
    assert await people.of_email("cy@corp.example", authoritative=True) == proven


async def test_each_call_is_greeted_by_the_names_it_posts(stage: Stage) -> None:
    client = stage.client()
    for name in ("TestUser-Name", "Other-Name"):
        call = {"UserEmail": "t@corp.example", "UserName": name, "UserLastname": "L", "UserInput": "I need an account"}
        said = (await client.post("/account", json=call)).json()["response"]
        assert said.startswith(f"Hi {name}, ")
        await client.post("/account", json={**call, "UserInput": "cancel"})


async def test_a_name_is_never_shown_without_its_address(theatre: Theatre, tmp_path: Path) -> None:
    async with theatre.open_stage(tmp_path) as stage:
        await stage.application.services.people.of_email("bo@corp.example", name="Cy <cy@corp.example>")
        ana, bo = stage.speaker("Ana Lopez"), stage.approver()
        await asks_for_an_account(ana)
        await bo.opens_the_mail()
        await bo.approves()
        await ana.hears_later("was approved by Cy cy corp.example <bo@corp.example>")


async def test_a_notice_that_can_not_be_delivered_is_told(theatre: Theatre, tmp_path: Path) -> None:
    directory = tmp_path / "directory.yml"
    directory.write_text(
        "people: [{email: cy@corp.example, groups: [approvers]}]\nshared_mailboxes: [team@corp.example]"
    )
    async with theatre.open_stage(
        tmp_path, approvers="team@corp.example", directory_file=directory, sns_approval_topic_arn=TOPIC
    ) as stage:
        ana = stage.speaker("Ana Lopez")
        request = await asks_for_an_account(ana)
        services = stage.application.services
        notice = {"kind": "approval_notice", "request_id": request, "version": 1}

        async def give_up(transaction: Transaction) -> None:
            mail = Delivery(f"{request}:1:notice:team", "email", {**notice, "to": "team@corp.example"}, 9)
            await services.approvals.on_given_up(transaction, mail, "No such mailbox.")
            stale = Delivery(f"{request}:2:notice:team", "email", {**notice, "to": "old@corp.example", "version": 2}, 9)
            await services.approvals.on_given_up(transaction, stale, "No such mailbox.")
            await services.approvals.on_given_up(
                transaction, Delivery(f"{request}:1:mysns", "sns", notice, 9), "No such topic."
            )

        await services.database.write(give_up)
        await ana.hears_later(f"The notice to team@corp.example about request {request} can't be delivered: No such")
        await ana.hears_later(f"The notice to the topic {TOPIC} about request {request} can't be delivered: No such")
        ana.does_not_hear("old@corp.example")


@on_every_channel
async def test_a_reply_to_the_mail_decides_nothing_however_it_comes_in(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    request = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=request)
    bo.reads_in_the_mail("A reply to this mail decides nothing")
    before = len(await bo.mails())
    quoted = "\n".join(f"> {line}" for line in bo.mail["text"].splitlines())
    reply = EmailMessage()
    settings = stage.application.settings
    reply["From"], reply["To"], reply["Subject"] = bo.email, settings.mail_from, f"Re: {bo.mail['subject']}"
    reply.set_content(f"approve\nyes, go ahead\ndecision=approve\n\n{quoted}\n")
    # By SMTP, to where our own mails go out; and as SES tells of mail that it received, over SNS.
    await asyncio.to_thread(_send, settings.host, _catcher_of(stage), reply)
    await listens(stage)
    received = {"notificationType": "Received", "mail": {"source": bo.email}, "content": reply.as_string()}
    for topic in SANDBOX_TOPICS:
        stage.aws("sns").publish(TopicArn=topic, Message=json.dumps(received))
    await has_heard(stage, len(SANDBOX_TOPICS))
    for path in ("/account/confirm", "/dev/mail", "/v1/messages", "/sns", "/mail", "/email/inbound"):
        answer = await stage.client().post(path, content=reply.as_bytes(), headers={"content-type": "message/rfc822"})
        assert answer.status_code >= 400, path
    await stage.advance(minutes=5)
    view = await stage.view(request)
    assert (view["state"], [a["decision"] for a in view["approvals"]]) == ("awaiting_approval", [None])
    assert len([m for m in await bo.mails() if m["id"] != bo.mail["id"]]) == before - 1
    await bo.approves()
    await ana.hears_later("was approved by")


def _catcher_of(stage: Stage) -> int:
    """Return the port to which our mails go here."""
    starts = [channel.start for channel in stage.application.channels if channel.name == "email"]
    catcher = getattr(starts[0], "__self__", None)
    assert isinstance(catcher, MailCatcher)
    assert catcher.port is not None
    return catcher.port


def _send(host: str, port: int, message: EmailMessage) -> None:
    with smtplib.SMTP(host, port) as relay:
        relay.send_message(message)
