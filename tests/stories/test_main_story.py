"""From a sentence to an account id: the main job, on every channel and on both databases."""

from __future__ import annotations

import pytest

from tests.stories.errands import answers_the_questions, see_it_through
from tests.support.stage import Approver, Speaker, Stage
from tests.support.theatre import on_every_channel, on_every_database

ORIGINAL = (
    "Hi I want a new account please",
    "Hi I would like to get an account",
    "I need a new account on AWS",
    "I want to create a new account",
    "I would like to create a new account",
    "I would like to get a new AWS account",
)
OUR_OWN = (
    "hey, could we please get another AWS account for the data team?",
    "I'd like a playground in Experiment",
    "can you set up a prod account for billing@corp.example",
    "please provision a sandbox account under Demos with root address lab-7@corp.example",
    "we need a dev environment in AWS, the mailbox is lab-8@corp.example",
    "new account in Workloads/Test please",
    "spin up an account for lab-9+aws@corp.example in Experiment",
    "my team needs its own AWS account",
    "order a production account called checkout-prod in Workloads/Prod for checkout@corp.example",
    "open an AWS account named lab-ten for us",
)


@on_every_channel
async def test_everything_in_one_sentence_goes_straight_to_the_plan(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await ana.says("I need a sandbox account in Demos for team-x+aws@corp.example")
    ana.hears("Create the Sandbox account team-x-aws-sandbox in OU Demos", "team-x+aws@corp.example")
    await ana.presses("Yes, go ahead")
    ana.hears("bo@corp.example", "I will tell you here what becomes of it")
    account = await see_it_through(stage, ana, bo)
    await ana.hears_later("https://d-9067c0ffee.awsapps.com/start")
    made = stage.aws("organizations").describe_account(AccountId=account)["Account"]
    assert made["Email"] == "team-x+aws@corp.example"
    assert made["Name"] == "team-x-aws-sandbox"


@on_every_channel
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


@on_every_database
async def test_a_yes_in_words_leads_to_a_ready_account(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await ana.says("I need a new account on AWS")
    await answers_the_questions(ana, "team-x@corp.example")
    ana.hears("Shall I go ahead?")
    await ana.says("yes")
    await see_it_through(stage, ana, bo)


async def test_the_first_prompt_is_the_original_bots(stage: Stage) -> None:
    caller = stage.client()
    names = {"UserEmail": "test@corp.example", "UserName": "TestUser-Name", "UserLastname": "TestUser-Lastname"}
    answer = await caller.post("/account", json={**names, "UserInput": "Hi, I would like a new account please!"})
    assert answer.json()["response"] == ("Hi TestUser-Name, what account type do you want? Production or Sandbox?")


@pytest.mark.parametrize("sentences", [ORIGINAL, OUR_OWN], ids=["original", "our own"])
async def test_every_sentence_reaches_a_ready_account(stage: Stage, bo: Approver, sentences: tuple[str, ...]) -> None:
    people = {}
    for number, sentence in enumerate(sentences, 1):
        ana = stage.speaker(f"Ana{number} Lopez")
        await ana.says(sentence)
        await answers_the_questions(ana, f"mailbox-{number}@corp.example")
        await ana.says("yes")
        people[ana.request] = ana
    for request in people:
        await bo.opens_the_mail(about=request)
        await bo.approves()
    while {view["state"] for view in await stage.requests()} & {"approved", "queued", "running"}:
        running = [view["id"] for view in await stage.requests() if view["state"] == "running"]
        for request in running:
            await people[request].hears_later("is ordered")
        await stage.advance(minutes=25)
        for request in running:
            await people[request].hears_later("is ready:")
    views = await stage.requests()
    assert [view["state"] for view in views] == ["succeeded"] * len(sentences)
    assert len({view["outcome"]["account_id"] for view in views}) == len(sentences)
