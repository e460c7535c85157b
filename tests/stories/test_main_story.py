"""From a sentence to an account id: the main job, on every channel and on both databases."""

from __future__ import annotations

from tests.support.stage import Approver, Speaker, Stage
from tests.support.theatre import on_every_channel, on_every_database

SENTENCE = "I need a sandbox account in Demos for team-x+aws@corp.example"


async def see_it_through(stage: Stage, ana: Speaker, bo: Approver) -> str:
    """Have the request that was just placed approved and carried out; return the account id."""
    request = ana.request
    await bo.opens_the_mail(about=request)
    await bo.approves()
    await ana.hears_later("was approved by", "is ordered")
    await stage.advance(minutes=25)
    await ana.hears_later("is ready:")
    view = await stage.view(request)
    assert view["state"] == "succeeded"
    return str(view["outcome"]["account_id"])


@on_every_channel
async def test_everything_in_one_sentence_goes_straight_to_the_plan(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await ana.says(SENTENCE)
    ana.hears("Create the Sandbox account team-x-aws-sandbox in OU Demos", "team-x+aws@corp.example")
    await ana.presses("Yes, go ahead")
    ana.hears("is placed", "bo@corp.example was asked to approve it")
    account = await see_it_through(stage, ana, bo)
    await ana.hears_later(account, "https://d-9067c0ffee.awsapps.com/start")
    made = stage.aws("organizations").describe_account(AccountId=account)["Account"]
    assert made["Email"] == "team-x+aws@corp.example"
    assert made["Name"] == "team-x-aws-sandbox"


@on_every_database
async def test_the_three_questions_lead_to_a_ready_account(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await ana.says("I need a new account on AWS")
    ana.hears("Hi Ana, what account type do you want? Production or Sandbox?")
    await ana.says("Sandbox")
    ana.hears("what e-mail should I use for the root account? Hint: use a restricted access mailbox")
    await ana.says("team-x@corp.example")
    ana.hears("what is the OU this account should belong to? Hint: choose Experiment or Demos")
    await ana.says("Demos")
    ana.hears("Create the Sandbox account team-x-sandbox in OU Demos", "Shall I go ahead?")
    await ana.says("yes")
    await see_it_through(stage, ana, bo)
