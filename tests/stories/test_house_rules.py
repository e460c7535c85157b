"""The house's own rules: its domains, names, questions, OUs and approvers, in every channel and in words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from tests.stories.errands import PLAN
from tests.stories.houses import RULES, open_house
from tests.support.stage import Approver, Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel, on_every_database, takes_slack


@pytest.fixture
async def stage(theatre: Theatre, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    """A bot in a house with rules; on SQLite, or on the database that the test is parametrised with."""
    database_url = request.getfixturevalue("postgres_url") if getattr(request, "param", "") == "postgresql" else ""
    async with open_house(
        theatre,
        tmp_path,
        RULES,
        database_url=database_url,
        slack=takes_slack(request),
        teams=takes_slack(request, "teams"),
    ) as stage:
        yield stage


async def answers_the_first_three(ana: Speaker) -> None:
    """Say what the original bot asked for."""
    await ana.says("I need a new account on AWS")
    ana.hears("what account type do you want? Production or Sandbox?")
    await ana.says("Sandbox")
    ana.hears("what e-mail should I use for the root account?")
    await ana.says("team-x@corp.example")
    ana.hears("what is the OU this account should belong to?")
    await ana.says("Demos")


@on_every_channel
async def test_the_houses_own_questions_follow_the_first_three_and_become_tags(stage: Stage, ana: Speaker) -> None:
    await answers_the_first_three(ana)
    ana.hears("e-mail address of the owner")
    await ana.says("lead@corp.example")
    ana.hears("What is the cost centre of this account?")
    await ana.says("4711")
    ana.hears("“4711” is no cost centre. Cost centres look like cc-4711.")
    await ana.says("cc-4711")
    ana.hears("What is the data class of this account? public, internal or secret?")
    await ana.says("internal")
    ana.hears("Create the Sandbox account team-x-sandbox in OU Demos")
    ana.hears("lead@corp.example", "cc-4711", "internal")
    ana.hears("owner: lead@corp.example", "cost-centre: cc-4711", "data-class: internal", "account-type: Sandbox")
    ana.hears("90 days after it is made")
    assert ana.sees_button(PLAN)


@on_every_channel
async def test_an_answer_to_the_houses_own_questions_can_be_corrected_any_time(stage: Stage, ana: Speaker) -> None:
    await answers_the_first_three(ana)
    await ana.says("lead@corp.example")
    await ana.says("cc-4711")
    await ana.says("change the owner to dev1@corp.example")
    ana.hears("OK, Owner: dev1@corp.example instead of lead@corp.example.", "data class of this account?")
    await ana.says("secret")
    assert ana.sees_button(PLAN)
    await ana.says("the cost centre should be cc-1234")
    ana.hears("OK, Cost centre: cc-1234 instead of cc-4711.", "cost-centre: cc-1234")
    await ana.says("make it public")
    ana.hears("OK, Data class: public instead of secret.", "data-class: public")
    await ana.says("use other@corp.example")
    ana.hears("OK, Root e-mail: other@corp.example instead of team-x@corp.example.", "owner: dev1@corp.example")


@pytest.mark.parametrize(
    ("sentence", "heard"),
    [
        (
            "I need a sandbox account in Demos for team-x@corp.example with cost centre cc-4711",
            ["e-mail address of the owner"],
        ),
        (
            "I need a sandbox account in Demos for x@corp.example with cost centre cc-4711 owned by lead@corp.example",
            ["data class of this account?"],
        ),
        (
            "I need a sandbox account in Demos for team-x@corp.example, data class secret, owner lead@corp.example",
            ["What is the cost centre"],
        ),
    ],
)
async def test_the_first_sentence_may_answer_them(stage: Stage, ana: Speaker, sentence: str, heard: list[str]) -> None:
    await ana.says(sentence)
    ana.hears(*heard)


@on_every_database
async def test_what_was_answered_is_in_the_approvers_mail_and_in_the_effects(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await answers_the_first_three(ana)
    await ana.says("lead@corp.example")
    await ana.says("cc-4711")
    await ana.says("internal")
    await ana.presses("Yes, go ahead")
    await bo.opens_the_mail(about=ana.request)
    bo.reads_in_the_mail("cc-4711", "lead@corp.example", "data-class: internal")
    effects = (await stage.view(ana.request))["plan"]["effects"]
    assert effects["finishing"]["tags"] == {
        "data": "none",
        "owner": "lead@corp.example",
        "cost-centre": "cc-4711",
        "data-class": "internal",
        "account-type": "Sandbox",
    }
    assert effects["finishing"]["expires_days"] == 90


@on_every_channel
async def test_the_owner_may_be_me_and_any_answer_is_asked_for_again_by_its_name(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for team-me@corp.example")
    ana.hears("owner of this account?")
    await ana.says("me")
    ana.hears("cost centre")
    await ana.says("cc-4711")
    await ana.says("secret")
    ana.hears("ana@corp.example", "cc-4711", "secret")
    await ana.says("change the data class")
    ana.hears("data class of this account?", "Or say “keep” to keep secret")
    await ana.says("public")
    ana.hears("Data class: public instead of secret")
    await ana.says("change the owner")
    ana.hears("owner of this account?", "Or say “keep” to keep ana@corp.example")
    await ana.says("keep")
    assert ana.sees_button("Yes, go ahead")


@on_every_channel
async def test_a_root_address_outside_the_houses_domains_is_refused_with_the_reason(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for team-x@mail.example")
    ana.hears("whoever reads the root mailbox owns the account", "at corp.example", "hat e-mail")
    await ana.says("team-x@corp.example.evil.example")
    ana.hears("whoever reads the root mailbox owns the account")
    await ana.says("team-x@CORP.example")
    ana.hears("e-mail address of the owner")


@on_every_channel
async def test_an_account_type_has_ous_of_its_own(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a production account for team-x@corp.example")
    ana.hears("what is the OU", "choose Workloads/Prod")
    ana.does_not_hear("Demos")
    await ana.says("Demos")
    ana.hears("Production accounts don't go into Demos. Choose Workloads/Prod.")
    await ana.says("which OUs are there?")
    ana.hears("OU: Workloads/Prod.")


async def test_an_ou_is_looked_at_again_when_the_account_type_changes(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for team-x@corp.example owned by lead@corp.example")
    await ana.says("cc-4711")
    await ana.says("secret")
    ana.hears("Shall I go ahead?")
    await ana.says("make it Production")
    ana.hears("Production accounts don't go into Demos.", "hoose Workloads/Prod")


@on_every_channel
async def test_a_name_is_asked_for_when_the_one_we_would_give_breaks_the_pattern(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for 42@corp.example owned by lead@corp.example")
    await ana.says("cc-4711")
    await ana.says("secret")
    ana.hears("What should the account be called?")
    await ana.says("42-things")
    ana.hears("is not how account names look here. Names look like team-purpose")
    await ana.says("call it team-web")
    ana.hears("Create the Sandbox account team-web in OU Demos")
    await ana.says("rename it to 7UP")
    ana.hears("“7UP” is not how account names look here.")


async def test_the_account_types_approvers_are_asked(stage: Stage, ana: Speaker) -> None:
    await ana.says("I need a production account in Workloads/Prod for team-x@corp.example owned by lead@corp.example")
    await ana.says("cc-4711")
    await ana.says("secret")
    await ana.presses("Yes, go ahead")
    ana.hears("cfo@corp.example was asked to approve it")
    cfo = stage.approver("cfo@corp.example")
    await cfo.opens_the_mail(about=ana.request)
    cfo.reads("Production")


async def says(stage: Stage, email: str, *texts: str) -> str:
    """Say things over REST without giving any name; return what is answered last."""
    async with httpx.AsyncClient(base_url=stage.url, timeout=60) as client:
        answer = ""
        for text in texts:
            body = {"user": {"email": email}, "conversation": "nameless", "text": text}
            answer = "\n".join(m["text"] for m in (await client.post("/v1/messages", json=body)).json()["messages"])
        return answer


ALL = "I need a sandbox account in Demos for team-x@corp.example owned by lead@corp.example"


async def test_names_are_asked_for_when_nobody_gives_them(stage: Stage) -> None:
    asked = await says(stage, "nobody@corp.example", ALL, "cc-4711", "secret")
    assert "What are your first and last name?" in asked
    assert "first and a last name" in await says(stage, "nobody@corp.example", "Ana")
    plan = await says(stage, "nobody@corp.example", "Ana Maria Lopez")
    assert "Ana Maria Lopez <nobody@corp.example>" in plan
    assert "will be created in Identity Center" in plan
    corrected = await says(stage, "nobody@corp.example", "my name is Bo Ek")
    assert "Bo Ek <nobody@corp.example>" in corrected


async def test_whoever_is_in_identity_center_is_not_asked_and_named_as_there(stage: Stage) -> None:
    plan = await says(stage, "dev1@corp.example", ALL, "cc-4711", "secret")
    assert "Dev One <dev1@corp.example>" in plan
    assert "exists in Identity Center" in plan


async def test_a_house_without_rules_asks_three_questions_and_then_the_confirmation(
    theatre: Theatre, tmp_path: Path
) -> None:
    async with theatre.open_stage(tmp_path) as plain:
        ana = plain.speaker("Ana Lopez")
        await answers_the_first_three(ana)
        ana.hears("Create the Sandbox account team-x-sandbox in OU Demos", "Shall I go ahead?")


async def test_settings_go_before_what_house_yml_says(theatre: Theatre, tmp_path: Path) -> None:
    async with theatre.open_stage(
        tmp_path, root_email_domains="mail.example", extra_slots="cost centre", account_name_pattern="x-.*"
    ) as strict:
        ana = strict.speaker("Ana Lopez")
        await ana.says("I need a sandbox account in Demos for team-x@corp.example")
        ana.hears("at mail.example")
        await ana.says("team-x@mail.example")
        ana.hears("What is the cost centre of this account?")
        await ana.says("cc-1")
        ana.hears("What should the account be called?")


async def test_rules_are_kept_to_the_end_of_an_order(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await asks_for_an_account_of_the_house(ana)
    await bo.opens_the_mail(about=ana.request)
    await bo.approves()
    await ana.hears_later("is ordered")


async def asks_for_an_account_of_the_house(ana: Speaker) -> None:
    """Order with all that the house wants to know."""
    await ana.says("I need a sandbox account in Demos for team-x@corp.example owned by lead@corp.example")
    await ana.says("cc-4711")
    await ana.says("internal")
    await ana.presses("Yes, go ahead")
