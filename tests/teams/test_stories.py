"""Stories of vending, over Teams: the same sentences as everywhere."""

from __future__ import annotations

import pytest

from tests.stories.errands import asks_for_an_account, see_it_through
from tests.support.stage import Approver, Speaker, Stage

over_teams = pytest.mark.parametrize("ana", ["teams"], indirect=True)


@over_teams
async def test_everything_in_one_sentence_goes_straight_to_the_plan(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await ana.says("I need a sandbox account in Demos for team-x+aws@corp.example")
    ana.hears("Create the Sandbox account team-x-aws-sandbox in OU Demos", "team-x+aws@corp.example")
    await ana.presses("Yes, go ahead")
    ana.hears("bo@corp.example", "I will tell you here what becomes of it")
    account = await see_it_through(stage, ana, bo)
    await ana.hears_later("https://d-9067c0ffee.awsapps.com/start")
    made = stage.aws("organizations").describe_account(AccountId=account)["Account"]
    assert made["Email"] == "team-x+aws@corp.example"


@over_teams
async def test_three_questions_lead_to_the_plan(ana: Speaker) -> None:
    await ana.says("I need a new account on AWS")
    ana.hears("what account type do you want? Production or Sandbox?")
    await ana.presses("Sandbox")
    ana.hears("what e-mail should I use for the root account? Hint: use a restricted access mailbox")
    await ana.says("team-x@corp.example")
    ana.hears("what is the OU this account should belong to? Hint: choose Experiment or Demos")
    await ana.presses("Demos")
    ana.hears("Create the Sandbox account team-x-sandbox in OU Demos")
    await ana.presses("No")
    ana.hears("nothing was ordered")


@over_teams
async def test_what_is_refused_is_told_and_nothing_is_made(stage: Stage, ana: Speaker, bo: Approver) -> None:
    request = await asks_for_an_account(ana)
    await bo.opens_the_mail(about=request)
    bo.reads("Create the Sandbox account team-x-sandbox in OU Demos", "team-x@corp.example", "ana@corp.example")
    await bo.rejects("Use the shared one first")
    await ana.hears_later("Rejected: Create the Sandbox account", "Use the shared one first")
    assert (await stage.view(request))["state"] == "rejected"
    assert await stage.calls("ProvisionProduct") == []
    await ana.heard_once("Rejected: Create the Sandbox account")
