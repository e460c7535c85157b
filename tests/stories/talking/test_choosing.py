"""Which of several is meant: by its place among those offered, by name, or asked when two were named."""

from __future__ import annotations

import pytest

from bot.dialogue.choosing import picked
from tests.support.stage import Speaker

pytestmark = pytest.mark.asyncio(loop_scope="module")

FIRST, SECOND = "OU Workloads/Prod", "OU Platform/Prod"


@pytest.mark.parametrize(
    ("answer", "where"),
    [
        ("1", FIRST),
        ("the first one", FIRST),
        ("first please", FIRST),
        ("I'd like the former", FIRST),
        ("2", SECOND),
        ("the second", SECOND),
        ("option 2.", SECOND),
        ("the last one, please", SECOND),
    ],
)
async def test_one_of_two_ous_is_chosen_by_its_place(ana: Speaker, answer: str, where: str) -> None:
    await ana.says("I need a sandbox account in Prod for root-p1@corp.example")
    ana.hears("There are 2 OUs called “Prod”", "Workloads/Prod or Platform/Prod")
    await ana.says(answer)
    ana.hears(where, "Shall I go ahead?")


async def test_whatever_is_offered_is_chosen_by_its_place(ana: Speaker) -> None:
    await ana.says("I need an account")
    ana.hears("Production or Sandbox?")
    await ana.says("the second one")
    await ana.says("root-p2@corp.example")
    ana.hears("choose Experiment or Demos")
    await ana.says("2")
    ana.hears("Create the Sandbox account root-p2-sandbox in OU Demos")


async def test_a_place_that_was_not_offered_is_no_choice(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Prod for root-p3@corp.example")
    await ana.says("the third")
    ana.does_not_hear("Shall I go ahead?")
    ana.hears("hat is the OU")


@pytest.mark.parametrize(
    ("words", "offered", "value"),
    [
        ("2", ("2", "1"), None),  # called so itself: the recogniser's own matter
        ("one", ("A", "B"), "A"),
        ("#2", ("A", "B"), "B"),
        ("the latter", ("A", "B"), "B"),
        ("the latter", ("A", "B", "C"), None),
        ("the former", ("A",), None),
        ("last", ("A", "B", "C"), "C"),
        ("3", ("A", "B"), None),
        ("0", ("A", "B"), None),
        ("1", (), None),
        ("the first account", ("A", "B"), None),
        ("12", ("A", "B"), None),
        ("first@corp.example", ("A", "B"), None),
    ],
)
async def test_a_place_in_a_list_is_read_strictly(words: str, offered: tuple[str, ...], value: str | None) -> None:
    assert picked(words, offered) == value


@pytest.mark.parametrize("joined", ["{} and {}", "{} or {}", "{}, {}", "{} / {}"])
async def test_two_addresses_at_once_are_asked_about(ana: Speaker, joined: str) -> None:
    both = joined.format("root-q1@corp.example", "root-q2@corp.example")
    await ana.says(f"I need a sandbox account in Demos for {both}")
    ana.hears("There can be only one root e-mail, and you named root-q1@corp.example and root-q2@corp.example.")
    ana.hears("hat e-mail should I use")
    ana.does_not_hear("Shall I go ahead?")
    await ana.says("the second")
    ana.hears("Root e-mail: root-q2@corp.example", "Shall I go ahead?")


@pytest.mark.parametrize(
    "said",
    [
        "I need a sandbox or production account in Demos for root-u1@corp.example",
        "I want a prod account and a playground one in Demos for root-u1@corp.example",
        "create a sandbox/production account in Demos for root-u1@corp.example",
        "create two accounts one sandbox one prod for root-u1@corp.example",
    ],
)
async def test_two_account_types_at_once_are_asked_about(ana: Speaker, said: str) -> None:
    await ana.says(said)
    ana.hears("There can be only one account type, and you named", "Sandbox", "Production")
    ana.does_not_hear("Shall I go ahead?")
    await ana.says("sandbox")
    ana.hears("Account type: Sandbox", "Shall I go ahead?")


async def test_an_account_type_ruled_out_is_no_second_one(ana: Speaker) -> None:
    await ana.says("I need a sandbox account, not a production one, in Demos for root-u2@corp.example")
    ana.does_not_hear("only one")


async def test_two_addresses_as_an_answer_are_asked_about_and_the_rest_is_kept(ana: Speaker) -> None:
    await ana.says("I need a sandbox account")
    await ana.says("root-r1@corp.example and root-r2@corp.example in Demos")
    ana.hears("There can be only one root e-mail")
    await ana.says("root-r1@corp.example")
    ana.hears("Create the Sandbox account root-r1-sandbox in OU Demos")


async def test_two_addresses_as_a_correction_take_the_first_one_out(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for root-s1@corp.example")
    ana.hears("Shall I go ahead?")
    await ana.says("use root-s2@corp.example or root-s3@corp.example")
    ana.hears("There can be only one root e-mail")
    ana.does_not_hear("Shall I go ahead?")
    await ana.says("1")
    ana.hears("Root e-mail: root-s2@corp.example", "Shall I go ahead?")


async def test_an_address_ruled_out_is_no_second_one(ana: Speaker) -> None:
    await ana.says("I need a sandbox account in Demos for root-t1@corp.example, not root-t2@corp.example")
    ana.does_not_hear("only one")
    ana.hears("Root e-mail: root-t1@corp.example")


@pytest.mark.parametrize("words", ["call it", "call the account", "name it", "the name is", "the name should be"])
@pytest.mark.parametrize("name", ["cancel", "stop", "no"])
async def test_a_name_that_is_a_stop_word_is_a_name(ana: Speaker, words: str, name: str) -> None:
    await ana.says("I need a sandbox account in Demos for root-u1@corp.example")
    await ana.says(f"{words} {name}")
    ana.hears(f"Create the Sandbox account {name} in OU Demos", "Shall I go ahead?")


@pytest.mark.parametrize("words", ["call it cancel", "call the account cancel", "the name is cancel"])
async def test_a_name_that_is_a_stop_word_is_kept_in_mid_form(ana: Speaker, words: str) -> None:
    await ana.says("I need a sandbox account")
    await ana.says(words)
    ana.does_not_hear("dropped", "cancelled")
    await ana.says("root-u2@corp.example")
    await ana.says("Demos")
    ana.hears("Create the Sandbox account cancel in OU Demos")


@pytest.mark.parametrize("words", ["yes please!", "yeah, go for it", "sure thing", "absolutely"])
async def test_a_yes_in_other_words_is_a_yes(ana: Speaker, words: str) -> None:
    mailbox = "".join(filter(str.isalpha, words))
    await ana.says(f"I need a sandbox account in Demos for {mailbox}@corp.example")
    await ana.says(words)
    ana.hears("is placed")
    await ana.says(words)
    ana.hears("There is no question open", "waiting for approval")


@pytest.mark.parametrize("words", ["nah", "no way", "not yet"])
async def test_a_no_in_other_words_is_a_no(ana: Speaker, words: str) -> None:
    await ana.says("I need a sandbox account in Demos for root-w1@corp.example")
    await ana.says(words)
    ana.hears("nothing was ordered")
    await ana.says(words)
    ana.hears("There is no question open")


@pytest.mark.parametrize("words", ["I need a new laptop", "book me a meeting room"])
async def test_other_things_are_not_ordered_and_it_is_said_what_can_be(ana: Speaker, words: str) -> None:
    await ana.says(words)
    ana.hears("did not understand", "I need a sandbox account", "help")
    ana.does_not_hear("what e-mail", "account type")


async def test_what_may_be_another_order_is_asked_back(ana: Speaker) -> None:
    await ana.says("I need a prod db")
    ana.hears("I am not sure what you mean", "product order", "Nothing was done")
    ana.does_not_hear("what e-mail", "account type")


async def test_several_accounts_are_taken_one_at_a_time(ana: Speaker) -> None:
    await ana.says("I need 3 sandbox accounts in Demos")
    ana.hears("accounts one at a time", "what e-mail should I use for the root account?")
