"""Who owns an account, whose are mine, what did it spend: also for accounts older than the bot."""

from __future__ import annotations

import pytest

from tests.stories.accounts import DEMO_BOOTH, PLAYGROUND, WEBSHOP, day, tag
from tests.support.stage import Speaker, Stage
from tests.support.theatre import on_every_channel, on_every_database


@on_every_channel
async def test_everybody_learns_who_owns_an_account_by_id_name_or_root_address(stage: Stage, ana: Speaker) -> None:
    tag(stage, DEMO_BOOTH, owner="Cy@corp.example", cost_centre="cc-7", expires=day(stage, days=40))
    for named in (DEMO_BOOTH, "4444-6666-7777", "Demo Booth", "demo-booth", "demo-booth@corp.example"):
        await ana.says(f"who owns {named}?")
        ana.hears("Demo Booth", "cy@corp.example", "cc-7", day(stage, days=40))
    await ana.says("who owns Webshop Prod?")
    ana.hears("nobody is named as its owner", f"change the owner of account {WEBSHOP}")


@on_every_database
async def test_mine_are_those_that_name_me(stage: Stage, ana: Speaker) -> None:
    await ana.says("my accounts")
    ana.hears("No account names ana@corp.example as its owner")
    tag(stage, DEMO_BOOTH, owner="ana@corp.example", account_type="Sandbox")
    tag(stage, WEBSHOP, owner="cy@corp.example")
    await ana.says("which accounts are mine?")
    ana.hears("Your accounts", "Demo Booth", DEMO_BOOTH, "Sandbox")
    ana.does_not_hear("Webshop")


@on_every_channel
async def test_owners_learn_what_an_account_spent_and_others_do_not(stage: Stage, ana: Speaker) -> None:
    tag(stage, WEBSHOP, owner="ana@corp.example")
    await ana.says("what did Webshop Prod spend last month?")
    ana.hears("Webshop Prod (666677778888) spent $", "Amazon Relational Database Service", "Together", "$")
    await ana.says("who owns it?")
    ana.hears("Webshop Prod", "ana@corp.example")
    await ana.says("what did it spend?")
    ana.hears("Webshop Prod (666677778888) has spent $", "so far")
    await ana.says(f"what did {DEMO_BOOTH} spend?")
    ana.hears("shown to the account's owner and to operators")
    ana.does_not_hear("$")


async def test_when_an_account_expires_is_told_by_its_name(stage: Stage, ana: Speaker) -> None:
    tag(stage, DEMO_BOOTH, owner="ana@corp.example", expires=day(stage, days=45))
    await ana.says("when does Demo Booth expire?")
    ana.hears(f"Demo Booth ({DEMO_BOOTH}) expires on {day(stage, days=45)}")
    await ana.says("who owns Webshop Prod?")
    await ana.says("when does it expire?")
    ana.hears(f"Webshop Prod ({WEBSHOP}) does not expire")
    await ana.says("which accounts expire soon?")
    ana.hears("None of your accounts expires within 30 days", "The next is Demo Booth", day(stage, days=45))


async def test_what_several_accounts_spent_is_one_answer(stage: Stage, ana: Speaker) -> None:
    await ana.says("what did my accounts spend?")
    ana.hears("No account names ana@corp.example as its owner")
    tag(stage, WEBSHOP, owner="ana@corp.example")
    tag(stage, DEMO_BOOTH, owner="ana@corp.example")
    for said in (
        "what did my accounts spend?",
        "what do my accounts cost?",
        "how much did my accounts spend last month",
    ):
        await ana.says(said)
        ana.hears("Your accounts together: $", f"Webshop Prod ({WEBSHOP})", f"Demo Booth ({DEMO_BOOTH})", "Together")
        ana.does_not_hear(PLAYGROUND)
    await ana.says("what did we spend last month?")
    ana.hears("shown to the account's owner and to operators")
    operator = stage.speaker("Bo Diaz", email="bo@corp.example")
    await operator.says("what did we spend last month?")
    operator.hears("All accounts together: $", "other accounts", "Together")


async def test_the_budget_is_told_beside_the_spend(stage: Stage, ana: Speaker) -> None:
    tag(stage, WEBSHOP, owner="ana@corp.example")
    stage.aws("budgets").create_budget(
        AccountId="111122223333",
        Budget={
            "BudgetName": "webshop",
            "BudgetLimit": {"Amount": "5000", "Unit": "USD"},
            "CostFilters": {"LinkedAccount": [WEBSHOP]},
            "TimeUnit": "MONTHLY",
            "BudgetType": "COST",
        },
    )
    await ana.says(f"how much did account {WEBSHOP} cost last month?")
    ana.hears("Its budget “webshop” is $5,000.00 a month", "% is spent")


async def test_operators_see_accounts_without_an_owner_and_all_that_expire(stage: Stage, ana: Speaker) -> None:
    operator = stage.speaker("Bo Lee")
    tag(stage, DEMO_BOOTH, owner="ana@corp.example", expires=day(stage, days=3))
    tag(stage, PLAYGROUND, owner="cy@corp.example", expires=day(stage, days=9))
    tag(stage, WEBSHOP, owner="cy@corp.example", expires=day(stage, days=90))
    await ana.says("accounts without an owner")
    ana.hears("shown to the account's owner and to operators")
    await operator.says("which accounts have no owner?")
    operator.hears("8 of 11 accounts name no owner", "Experiment One")
    await ana.says("which accounts expire soon?")
    ana.hears("Demo Booth", "in 3 days")
    ana.does_not_hear("Playground")
    assert ana.sees_button("Renew Demo Booth for 30 days")
    await operator.says("which accounts expire soon?")
    operator.hears("Demo Booth", "in 3 days", "Playground", "in 9 days")
    operator.does_not_hear("Webshop")


@pytest.mark.parametrize("named", ["Webshop", "network"])
async def test_between_two_accounts_none_is_guessed(ana: Speaker, named: str) -> None:
    await ana.says(f"who owns {named}?")
    ana.hears(f"There is no account called “{named}”", "Say which by its id")
    ana.does_not_hear("nobody is named")


async def test_which_account_is_asked_when_none_was_spoken_of(ana: Speaker) -> None:
    await ana.says("what did it spend?")
    ana.hears("I don't know which account you mean", "its id, its name or its root e-mail")
    await ana.says("who owns 999999999999?")
    ana.hears("The organization has no account 999999999999")
