"""Whose approvals it takes, by policy: several people, people who have just signed in, stand-ins; and why not."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.stories.errands import asks_for_an_account
from tests.support.stage import Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel, takes_slack

ROOT = Path(__file__).parents[2]
RULES = """
@id("two-of-each") @reason("Both teams look at new accounts.")
@approvals("2") @from("group:deciders, group:finance") @each("yes")
permit (principal, action == Action::"require", resource is Request) when { resource.intent == "AWSAccountVending" };
@id("no-production") @reason("Production accounts are ordered by the platform team.")
forbid (principal, action == Action::"ask", resource is Intent)
when { context.environment in Environment::"production" } unless { principal in Group::"platform" };
"""
DIRECTORY = """
people:
  - {email: bo@corp.example, groups: [platform, deciders]}
  - {email: fay@corp.example, groups: [finance]}
  - {email: ana@corp.example, groups: [deciders]}
  - {email: cy@corp.example}
  - {email: ola@corp.example, groups: [operators]}
  - {email: gil@corp.example, groups: [break-glass]}
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
async def test_two_teams_approve_and_a_rejection_is_amended(stage: Stage, ana: Speaker) -> None:
    request = await asks_for_an_account(ana)
    bo, fay = stage.approver("bo@corp.example"), stage.approver("fay@corp.example")
    await bo.opens_the_mail(about=request)
    bo.reads_in_the_mail("2 approvals of group deciders and group finance", "A reply to this mail decides nothing")
    await bo.approves()
    bo.reads("It waits for the approval of others")
    assert await bo.decides("reject", "on second thoughts") == 409
    await ana.hears_later("approved by bo@corp.example", "waits for 1 more approval")
    await fay.opens_the_mail(about=request)
    await fay.rejects("Use the shared one <b>first</b>")
    await ana.hears_later("Use the shared one")
    assert await stage.calls("ProvisionProduct") == []
    await ana.says(f"amend {request}")
    ana.hears("as it was in", "team-x-sandbox")
    await ana.says("change the account name to team-x-play")
    ana.hears("team-x-play")
    await ana.says("yes")
    again = ana.request
    assert again != request
    for approver in (bo, fay):
        await approver.opens_the_mail(about=again)
        await approver.approves()
    await ana.hears_later("is ordered")


@on_every_channel
async def test_a_refusal_names_its_rule_and_who_could_help(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a production account in Demos for team-x@corp.example")
    ana.hears("Production accounts are ordered by the platform team.", "bo@corp.example")
    await ana.says("why?")
    ana.hears("The policy “no-production” decides this", "what may I do?")
    await ana.says("what may I do?")
    ana.hears("What you may do", "account", "Everybody who is known by an e-mail address may ask for an account")
    ana.does_not_hear("Pause changes")
    recorded = await stage.application.services.audit.list(limit=100)
    assert "request.refused" in [row["kind"] for row in recorded.items]


@pytest.mark.parametrize("ana", ["console", "slack", "teams"], indirect=True)
async def test_somebody_stands_in_for_an_approver(stage: Stage, ana: Speaker) -> None:
    cy = stage.approver("cy@corp.example")
    await ana.says("I am away until Monday, cy@corp.example stands in")
    ana.hears("cy@corp.example stands in for you until Mon", "Say “I am back” to end it")
    await ana.says("who stands in for me?")
    ana.hears("cy@corp.example stands in for you")
    await ana.says("what waits for me?")
    ana.hears("Nothing waits for your decision.")
    request = await asks_for_an_account(stage.speaker("Bo", email="bo@corp.example"))
    await ana.says("what waits for me?")
    ana.hears("Waiting for you", request, "bo@corp.example")
    await cy.opens_the_mail(about=request)
    cy.reads_in_the_mail("You stand in for ana@corp.example, who is away.")
    await cy.approves()
    await ana.says("I am back")
    ana.hears("Nobody stands in for you any more")


@pytest.mark.parametrize("channel", ["console", "slack", "teams"])
async def test_an_operator_says_who_stands_in_for_somebody_who_fell_ill(stage: Stage, channel: str) -> None:
    ola = stage.speaker("Ola", email="ola@corp.example", channel=channel)
    ana, cy = stage.speaker("Ana", email="ana@corp.example", channel=channel), stage.approver("cy@corp.example")
    request = await asks_for_an_account(stage.speaker("Dee", email="dee@corp.example"))
    await ana.says("Fay is away until Monday, Cy stands in for Fay")
    ana.hears("No policy lets ana@corp.example do this", "ola@corp.example")
    await ola.says("Fay is away until Monday, Dan stands in for Fay")
    ola.hears("The directory has nobody called “Dan”")
    await ola.says("Fay is away until Monday, ola@corp.example stands in for her")
    ola.hears("Who names a stand-in for somebody else can't take the place.")
    await ola.says("Fay is away until Monday, Cy stands in for Fay")
    ola.hears("cy@corp.example stands in for fay@corp.example until Mon", "One request waits for cy@corp.example now")
    ola.hears("I have told fay@corp.example by mail")
    await cy.opens_the_mail(about=request)
    cy.reads_in_the_mail("You stand in for fay@corp.example, who is away.")
    await ola.says("who is away?")
    ola.hears("cy@corp.example stands in for fay@corp.example")
    await ola.says("fay@corp.example is back")
    ola.hears("Nobody stands in for fay@corp.example any more")


@on_every_channel
async def test_chat_tells_where_the_glass_is_broken_and_breaks_none(stage: Stage, ana: Speaker) -> None:
    request = await asks_for_an_account(ana)
    await ana.says("break the glass")
    ana.hears("No policy lets ana@corp.example do this", "gil@corp.example", "Chat breaks no glass")
    gil = stage.speaker("Gil", email="gil@corp.example")
    await gil.says(f"break the glass for {request}: the site is down")
    gil.hears("Chat breaks no glass", f"/requests/{request}/break-glass")
    assert (await stage.view(request))["state"] == "awaiting_approval"


async def test_a_key_names_nobody_who_stands_in(stage: Stage) -> None:
    bo = stage.speaker("Bo", email="bo@corp.example")
    await bo.says("I am away until Monday, cy@corp.example stands in")
    bo.hears("A REST key may ask on behalf of people, but names nobody")
    ola = stage.speaker("Ola", email="ola@corp.example")
    await ola.says("Fay is away until Monday, Cy stands in for Fay")
    ola.hears("A REST key may ask on behalf of people, but names nobody")


async def test_nothing_is_reviewed_before_anything_went_on_without_approval(stage: Stage) -> None:
    bo = stage.speaker("Bo", email="bo@corp.example")
    await bo.says("open reviews")
    bo.hears("Nothing waits for a review of yours.")
    await bo.says("review qm-22222222: fine")
    bo.hears("There is no request qm-22222222")
