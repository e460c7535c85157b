"""Conversations of several turns about one account."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.understanding.conversation import Person

WHOLE_ORDER = "create a production account in Demos for a@b.example"
ORDERED = {"AccountType": "Production", "AccountOU": "Demos", "RootEmail": "a@b.example"}


def test_asks_in_order_confirms_and_is_ready(ana: Person) -> None:
    ana.says("Hi, I would like a new account please!")
    assert ana.heard == "Hi Ana, what account type do you want? Production or Sandbox?"
    ana.says("a sandbox one")
    assert ana.heard.startswith("Ana, what e-mail should I use")
    ana.says("it's team+aws@corp.example.")
    assert ana.asked == "AccountOU"
    ana.says("put it in Demos")
    assert ana.asked == "ConfirmIntent"
    assert ana.heard == "Shall I create a Sandbox account in OU Demos with root e-mail team+aws@corp.example?"
    ana.says("go ahead")
    assert ana.outcome == ("ReadyForFulfillment", "Confirmed")
    assert ana.asked == "Close"


def test_takes_everything_from_one_sentence(ana: Person) -> None:
    ana.says("I need a sandbox account in Demos for team-x+aws@corp.example called payments dev")

    assert ana.asked == "ConfirmIntent"
    assert ana.slots == {
        "AccountType": "Sandbox",
        "AccountOU": "Demos",
        "RootEmail": "team-x+aws@corp.example",
        "AccountName": "payments dev",
    }


def test_takes_two_answers_at_once_while_asked_for_one(ana: Person) -> None:
    ana.says("new account").says("sandbox, and the mail is me@corp.example")

    assert ana.asked == "AccountOU"
    assert ana.slots == {"AccountType": "Sandbox", "RootEmail": "me@corp.example"}


def test_takes_an_answer_to_another_question_and_asks_again(ana: Person) -> None:
    ana.says("new account").says("me@corp.example")

    assert ana.slots == {"RootEmail": "me@corp.example"}
    assert ana.asked == "AccountType"


@pytest.mark.parametrize(
    ("correction", "slot", "value"),
    [
        ("no, make that Sandbox", "AccountType", "Sandbox"),
        ("actually use x@y.example", "RootEmail", "x@y.example"),
        ("in Experiment please", "AccountOU", "Experiment"),
        ("no, not production, sandbox", "AccountType", "Sandbox"),
        ("change it from production to sandbox", "AccountType", "Sandbox"),
        ("the OU should be Infrastructure", "AccountOU", "Infrastructure"),
        ("instead of Demos put it in Workloads/Test", "AccountOU", "Workloads/Test"),
        ("yes, but in Experiment", "AccountOU", "Experiment"),
        ("wrong email, it is c@d.example", "RootEmail", "c@d.example"),
        ("change the name to apollo", "AccountName", "apollo"),
        ('call it "Data Science (EU)"', "AccountName", "Data Science (EU)"),
        ("I'd like to create a sandbox account instead", "AccountType", "Sandbox"),
    ],
)
def test_corrects_one_slot_while_confirming_and_asks_again(ana: Person, correction: str, slot: str, value: str) -> None:
    ana.says(WHOLE_ORDER).says(correction)

    assert ana.slots == {**ORDERED, slot: value}
    assert ana.asked == "ConfirmIntent"
    assert ana.outcome == ("InProgress", "None")
    assert value in ana.heard or slot == "AccountName"


def test_corrects_an_earlier_slot_while_asked_for_the_next(ana: Person) -> None:
    ana.says("new account").says("sandbox").says("no, make that Production")

    assert ana.slots == {"AccountType": "Production"}
    assert ana.asked == "RootEmail"


def test_asks_for_the_slot_that_is_called_wrong(ana: Person) -> None:
    ana.says(WHOLE_ORDER).says("no, the email is wrong")
    assert ana.asked == "RootEmail"

    ana.says("right@corp.example")
    assert ana.slots == {**ORDERED, "RootEmail": "right@corp.example"}
    assert ana.asked == "ConfirmIntent"


def test_asks_again_for_a_value_that_is_ruled_out(ana: Person) -> None:
    ana.says(WHOLE_ORDER).says("not Demos")
    assert ana.asked == "AccountOU"

    ana.says("Infrastructure")
    assert ana.slots == {**ORDERED, "AccountOU": "Infrastructure"}


def test_corrects_the_spelling_of_an_open_value(ana: Person) -> None:
    ana.says("a sandbox account for a@b.example").says("Workloads/Prdo")
    assert ana.asked == "ConfirmIntent"

    assert ana.says("Workloads/Prod").slots["AccountOU"] == "Workloads/Prod"


@pytest.mark.parametrize(
    "yes", ["yes", "yep", "sure", "go ahead", "ok do it", "please do", "YES!!", "y", "\N{THUMBS UP SIGN}"]
)
def test_confirms_by_many_words(ana: Person, yes: str) -> None:
    ana.says(WHOLE_ORDER).says(yes)

    assert ana.outcome == ("ReadyForFulfillment", "Confirmed")
    assert ana.slots == ORDERED


@pytest.mark.parametrize(
    "no", ["no", "nope", "don't", "not now", "no thanks", "never mind", "I changed my mind", "cancel"]
)
def test_declines_by_many_words(ana: Person, no: str) -> None:
    ana.says(WHOLE_ORDER).says(no)

    assert ana.outcome == ("Failed", "Denied")
    assert ana.asked == "Close"
    assert ana.heard == "Then the order is not placed."


@pytest.mark.parametrize(
    "hedge", ["yes but wait", "yes if the quota allows", "maybe", "yes or no?", "sure, tomorrow", "hm"]
)
def test_takes_no_hedged_answer_for_a_yes(ana: Person, hedge: str) -> None:
    ana.says(WHOLE_ORDER).says(hedge)

    assert ana.outcome == ("InProgress", "None")
    assert ana.asked == "ConfirmIntent"


def test_falls_back_after_the_retries_of_a_slot(ana: Person) -> None:
    ana.says("create an account")
    for attempt in ("dunno", "hm", "let me think"):
        assert ana.says(attempt).asked == "AccountType"
    ana.says("no idea")

    assert ana.intent == "FallbackIntent"
    assert ana.asked == "Close"


def test_falls_back_after_the_retries_of_a_confirmation(ana: Person) -> None:
    ana.says(WHOLE_ORDER)
    for attempt in ("hm", "maybe", "perhaps"):
        assert ana.says(attempt).asked == "ConfirmIntent"

    assert ana.says("who knows").intent == "FallbackIntent"


def test_counts_retries_afresh_for_each_question(ana: Person) -> None:
    ana.says("create an account").says("dunno").says("hm").says("well").says("sandbox")
    for attempt in ("dunno", "hm", "well"):
        assert ana.says(attempt).asked == "RootEmail"


@pytest.mark.parametrize(
    ("text", "intent"),
    [
        ("my requests", "MyRequests"),
        ("help", "Help"),
        ("what's the status of qm-aaaa1111?", "RequestStatus"),
        ("cancel qm-aaaa1111", "CancelRequest"),
    ],
)
@pytest.mark.parametrize("reached", [(), ("sandbox",), ("sandbox", "a@b.example"), ("sandbox", "a@b.example", "Demos")])
def test_switches_to_another_intent_from_every_question(
    ana: Person, reached: tuple[str, ...], text: str, intent: str
) -> None:
    ana.says("new account")
    for line in reached:
        ana.says(line)

    assert ana.says(text).intent == intent


def test_answer_that_sounds_like_another_intent_stays_an_answer(ana: Person) -> None:
    ana.says("cancel my request").says("qm-1a2b3c4d")

    assert ana.intent == "CancelRequest"
    assert ana.slots == {"RequestId": "qm-1a2b3c4d"}
    assert ana.outcome == ("ReadyForFulfillment", "None")


def test_starts_afresh_after_the_end(someone: Callable[[], Person]) -> None:
    ana = someone()
    ana.says(WHOLE_ORDER).says("yes").says("new account")

    assert ana.asked == "AccountType"
    assert ana.slots == {}


def test_sessions_do_not_mix(someone: Callable[[], Person]) -> None:
    ana, bo = someone(), someone()
    ana.says("new account")
    bo.says("cancel my request")
    ana.says("sandbox")

    assert bo.asked == "RequestId"
    assert ana.asked == "RootEmail"
