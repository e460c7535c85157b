"""The rules of approvals that have no story of their own elsewhere, told once on each channel."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import Refused
from tests.stories.errands import PLAN, asks_for_an_account
from tests.support.stage import Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel, takes_slack

ROOT = Path(__file__).parents[2]
RULES = """
@id("trials-need-nobody") @reason("Trials cost little.") @approvals("0")
permit (principal, action == Action::"require", resource is Request) when { context.unit == OU::"Experiment" };
@id("deciders-then-heads") @reason("Somebody looks at new accounts.")
@approvals("1") @from("group:deciders") @then("group:heads") @after("8")
permit (principal, action == Action::"require", resource is Request) when { context.unit == OU::"Demos" };
@id("signed-in-afresh") @reason("This address is delicate.") @approvals("1") @sign_in("15") @acr("mfa")
permit (principal, action == Action::"require", resource is Request)
when { context.values has RootEmail && context.values.RootEmail == "vault@corp.example" };
"""
DIRECTORY = """
people:
  - {email: ana@corp.example, groups: [deciders]}
  - {email: bo@corp.example, groups: [deciders]}
  - {email: hal@corp.example, groups: [heads]}
  - {email: gil@corp.example, groups: [break-glass]}
  - {email: ola@corp.example, groups: [operators]}
"""


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    policies = Path(shutil.copytree(ROOT / "policies", tmp_path / "policies"))
    (policies / "rules.cedar").write_text(RULES, encoding="utf-8")
    directory = tmp_path / "directory.yml"
    directory.write_text(DIRECTORY, encoding="utf-8")
    async with theatre.open_stage(
        tmp_path,
        policy_dir=policies,
        directory_file=directory,
        slack=takes_slack(request),
        teams=takes_slack(request, "teams"),
    ) as stage:
        yield stage


@on_every_channel
async def test_what_needs_nobody_is_said_before_the_yes_and_begins_with_it(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Experiment for team-x@corp.example")
    ana.hears("nobody needs to approve it", "Trials cost little.")
    await ana.presses(PLAN)
    await ana.hears_later("is ordered")
    assert await stage.approver("bo@corp.example").mails() == []


@on_every_channel
async def test_requesters_never_wait_for_themselves_and_hear_who_was_asked_as_well(stage: Stage, ana: Speaker) -> None:
    bo, hal = stage.approver("bo@corp.example"), stage.approver("hal@corp.example")
    request = await asks_for_an_account(ana)
    ana.hears("bo@corp.example")
    ana.does_not_hear("ana@corp.example was asked", "ana@corp.example and")
    await ana.says("what waits for me?")
    ana.hears("Nothing waits for your decision.")
    await bo.receives_a_notice(about=request)
    await stage.advance(hours=9)
    await ana.hears_later("Nobody has decided about request", "so hal@corp.example was asked as well", "It lapses on")
    await hal.opens_the_mail(about=request)
    await hal.approves()
    await ana.hears_later("was approved by hal@corp.example")
    assert await stage.approver("ana@corp.example").mails() == []


@on_every_channel
async def test_a_broken_glass_is_heard_by_who_asked_and_reviewed_by_somebody_else(stage: Stage, ana: Speaker) -> None:
    request, services = await asks_for_an_account(ana), stage.application.services
    gil = await services.people.of_email("gil@corp.example")
    await services.approvals.sign_ins.record(gil, "session", stage.application.clock.wall(), "mfa")
    await services.approvals.glass.break_glass(
        request, 1, gil, "The site is <b>down</b>", surface="console", session="session"
    )
    await ana.hears_later("gil@corp.example has broken the glass", "The site is <b>down</b>")
    await ana.hears_later("is ordered")
    await ana.says("open reviews")
    ana.hears(request, "The site is <b>down</b>")
    await ana.says(f"review {request}: quite right")
    ana.hears("looked at by somebody else")
    ola = stage.speaker("Ola", email="ola@corp.example")
    await ola.says(f"review {request}: rightly so")
    ola.hears("is recorded")
    await ana.hears_later("has reviewed request", "rightly so")


@on_every_channel
async def test_a_link_is_not_enough_where_a_fresh_sign_in_is_asked_for(stage: Stage, ana: Speaker) -> None:
    request, services = await asks_for_an_account(ana, "vault@corp.example"), stage.application.services
    bo = stage.approver("bo@corp.example")
    await bo.opens_the_mail(about=request)
    assert await bo.decides("approve") == 403
    bo.reads("sign-in within the last 15 minutes")
    person, wall = await services.people.of_email("bo@corp.example"), stage.application.clock.wall()
    for session, moment, acr in (("stolen", wall - timedelta(minutes=16), "mfa"), ("weak", wall, "password")):
        await services.approvals.sign_ins.record(person, session, moment, acr)
        with pytest.raises(Refused, match="sign-in within the last 15 minutes"):
            await services.approvals.decide_as(request, 1, person, "approve", "", surface="console", session=session)
    assert (await stage.view(request))["state"] == "awaiting_approval"
    await services.approvals.sign_ins.record(person, "fresh", wall, "mfa")
    await services.approvals.decide_as(request, 1, person, "approve", "", surface="console", session="fresh")
    await ana.hears_later("was approved by bo@corp.example")


@on_every_channel
async def test_when_everybody_is_away_the_requester_hears_it_before_anybody_is_asked(
    stage: Stage, ana: Speaker
) -> None:
    services, until = stage.application.services, stage.application.clock.now() + timedelta(days=5)
    for name in ("bo", "hal"):
        person = await services.people.of_email(f"{name}@corp.example")
        await services.approvals.stand_in(person, "", until, channel="console")
    await ana.says("I need a sandbox account in Demos for team-x@corp.example")
    ana.hears("Nobody could approve this", "bo@corp.example", "Ask your platform team")
    assert await stage.requests() == []
    assert await stage.approver("hal@corp.example").mails() == []
