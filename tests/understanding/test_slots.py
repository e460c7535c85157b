"""Which stretch of a sentence fills which slot, and with what value."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest

from adapters.lex.engine import Engine
from adapters.lex.engine.moments import find_dates, find_durations, find_times
from adapters.lex.engine.numbers import find_numbers
from tests.understanding.conversation import ORGANIZATION, Person, ou_hints
from tests.understanding.vending_bot import ACCOUNT_TYPE, intent, slot, vending_definition


@pytest.mark.parametrize(
    ("text", "slots"),
    [
        ("a sandbox account in Sandbox", {"AccountType": "Sandbox", "AccountOU": "Sandbox"}),
        ("sandbox account, Sandbox OU", {"AccountType": "Sandbox", "AccountOU": "Sandbox"}),
        ("an account in the Sandbox OU", {"AccountOU": "Sandbox"}),
        ("I need a sandbox account", {"AccountType": "Sandbox"}),
        ("a prod account in Workloads/Prod", {"AccountType": "Production", "AccountOU": "Workloads/Prod"}),
        ("an account under Workloads/Prod", {"AccountOU": "Workloads/Prod"}),
        ("an account in Workloads / Test please", {"AccountOU": "Workloads / Test"}),
        ("new account of type Sandbox, OU: Demos", {"AccountType": "Sandbox", "AccountOU": "Demos"}),
        ("account type Sandbox, OU Sandbox", {"AccountType": "Sandbox", "AccountOU": "Sandbox"}),
        ("I want a sandbx acount", {"AccountType": "Sandbox"}),
        ("a sand box account please", {"AccountType": "Sandbox"}),
        ("an account called sandbox-42", {"AccountName": "sandbox-42"}),
        ("a pre-prod account", {}),
        ("a non-production account", {}),
        ("sandbox or production account?", {}),
        ("an account named Team Rocket in Demos", {"AccountName": "Team Rocket", "AccountOU": "Demos"}),
        ("an account in Finance", {"AccountOU": "Finance"}),
        ("a new account in AWS", {}),
        ("a new account, mail Foo.Bar+x@Sub.Corp.example!", {"RootEmail": "Foo.Bar+x@Sub.Corp.example"}),
        ("new account for <mailto:a@b.example|a@b.example>", {"RootEmail": "a@b.example"}),
        ("a sandbox account, no wait, production", {"AccountType": "Production"}),
        ("an account somewhere in Demos or Experiment", {}),
        (
            "create account type=sandbox ou=Demos email=x@corp.example name=foo-bar",
            {"AccountType": "Sandbox", "AccountOU": "Demos", "RootEmail": "x@corp.example", "AccountName": "foo-bar"},
        ),
        ("a new account for o'brien@corp.example", {"RootEmail": "o'brien@corp.example"}),
    ],
)
def test_each_stretch_fills_the_slot_that_its_surroundings_name(ana: Person, text: str, slots: dict[str, str]) -> None:
    ana.says(text)

    assert ana.intent == "AWSAccountVending"
    assert ana.slots == slots


@pytest.mark.parametrize("answer", ["Prod", "it's Prod", "put it in Prod please"])
def test_answer_to_an_open_question_beats_a_synonym_of_another_slot(someone: Callable[[], Person], answer: str) -> None:
    ana = someone().says("a sandbox account for a@b.example").says(answer)

    assert ana.slots == {"AccountType": "Sandbox", "RootEmail": "a@b.example", "AccountOU": "Prod"}


@pytest.mark.parametrize("answer", ["dunno", "not sure", "which ones are there?", "!!!", "hm", "\N{THINKING FACE}"])
def test_shrug_is_no_value_even_for_an_open_slot(ana: Person, answer: str) -> None:
    ana.says("a sandbox account for a@b.example").says(answer)

    assert ana.asked == "AccountOU"
    assert "AccountOU" not in ana.slots


@pytest.mark.parametrize("answer", ["a@b", "me at corp.example", "@corp.example", "a b@", "a@@b.example", "sandbox"])
def test_refuses_what_is_no_address(ana: Person, answer: str) -> None:
    assert ana.says("sandbox account").says(answer).asked == "RootEmail"


def test_original_value_keeps_the_words_and_resolves_beside_them(ana: Person) -> None:
    ana.says("a sandbox account in demos")
    value = ana.answer["sessionState"]["intent"]["slots"]["AccountOU"]["value"]

    assert value == {"originalValue": "demos", "interpretedValue": "demos", "resolvedValues": ["Demos"]}


def test_top_resolution_gives_the_listed_value(ana: Person) -> None:
    ana.says("a playground account")
    value = ana.answer["sessionState"]["intent"]["slots"]["AccountType"]["value"]

    assert value == {
        "originalValue": "playground",
        "interpretedValue": "Sandbox",
        "resolvedValues": ["Sandbox"],
    }


def test_top_resolution_refuses_what_is_not_listed_but_takes_hints() -> None:
    definition = vending_definition()
    closed = {"resolutionStrategy": "TopResolution"}
    definition["slotTypes"] = [
        {**entry, "valueSelectionSetting": closed} if entry["slotTypeName"] == "AccountOU" else entry
        for entry in definition["slotTypes"]
    ]
    engine = Engine(definition)
    order = "a sandbox account for a@b.example"
    stranger = Person(engine, "no-hints").says(order).says("infrastructure")
    insider = Person(engine, "hints", hints=ou_hints(ORGANIZATION)).says(order).says("infrastructure")

    assert stranger.asked == "AccountOU"
    assert insider.slots["AccountOU"] == "Infrastructure"


def test_patterned_slot_takes_only_what_matches(ana: Person) -> None:
    ana.says("status of my request").says("the one from yesterday")
    assert ana.asked == "RequestId"
    ana.says("qm-123")
    assert ana.asked == "RequestId"
    ana.says("it's `QM-1A2B3C4D`.")
    assert ana.slots == {"RequestId": "qm-1a2b3c4d"}


def test_plain_word_that_fits_a_pattern_is_an_id_only_where_one_belongs() -> None:
    definition = vending_definition()
    optional_prefix = {"regexFilter": {"pattern": "(qm-)?[2-9a-hjkmnp-z]{8}"}, "resolutionStrategy": "OriginalValue"}
    definition["slotTypes"][-1] = {**definition["slotTypes"][-1], "valueSelectionSetting": optional_prefix}
    engine = Engine(definition)

    assert Person(engine, "plain").says("please cancel my standard request").slots == {}
    assert Person(engine, "there").says("cancel qm-standard").slots == {"RequestId": "qm-standard"}
    assert Person(engine, "asked").says("please cancel my request").says("bcdfghjk").slots == {"RequestId": "bcdfghjk"}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("90 minutes", "PT90M"),
        ("1h30m", "PT1H30M"),
        ("two weeks", "P2W"),
        ("P1DT2H", "P1DT2H"),
        ("half an hour", "PT30M"),
        ("the last 12h", "PT12H"),
        ("1 day and 4 hours", "P1DT4H"),
        ("90s", "PT90S"),
        ("1.5 hours", "PT90M"),
        ("an hour and a half", "PT90M"),
        ("two and a half hours", "PT150M"),
        ("a fortnight", "P2W"),
        ("in the past week", "P1W"),
        ("soon", None),
    ],
)
def test_reads_durations(text: str, found: str | None) -> None:
    assert [one.values[0] for one in find_durations(text)] == ([found] if found else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("2024-05-17", "2024-05-17"),
        ("tomorrow", "2024-05-16"),
        ("next friday", "2024-05-17"),
        ("wednesday", "2024-05-22"),
        ("May 3", "2025-05-03"),
        ("3rd of June 2026", "2026-06-03"),
        ("next week", "2024-W21"),
        ("in 10 days", "2024-05-25"),
        ("last monday", "2024-05-13"),
        ("on the 3rd", "2024-06-03"),
        ("until the 15th", "2024-05-15"),
        ("the 31st", "2024-05-31"),
        ("show me the 2nd", None),
        ("by 31.12.", "2024-12-31"),
        ("3.2.2026", "2026-02-03"),
        ("31/12/2024", "2024-12-31"),
        ("12/31/2024", "2024-12-31"),
        ("in a fortnight", "2024-05-29"),
        ("by end of day", "2024-05-15"),
        ("until the end of the week", "2024-05-17"),
        ("by the end of this month", "2024-05-31"),
        ("3/4/2024", None),
        ("2.4.1", None),
        ("10.0.0.1", None),
        ("the 3rd one", None),
        ("the 32nd", None),
        ("2024-02-31", None),
        ("in qm-2024-05-17", None),
    ],
)
def test_reads_dates(text: str, found: str | None) -> None:
    wednesday = date(2024, 5, 15)

    assert [one.values[0] for one in find_dates(text, wednesday)] == ([found] if found else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("at 9am", "09:00"),
        ("12 p.m.", "12:00"),
        ("12am", "00:00"),
        ("14:30", "14:30"),
        ("half past three", "03:30"),
        ("quarter to 5", "04:45"),
        ("noon", "12:00"),
        ("5 o'clock", "05:00"),
        ("25:00", None),
        ("13pm", None),
    ],
)
def test_reads_times(text: str, found: str | None) -> None:
    assert [one.values[0] for one in find_times(text)] == ([found] if found else [])


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("42", "42"),
        ("1,200 units", "1200"),
        ("-3.5", "-3.5"),
        ("twenty five", "25"),
        ("two hundred and five", "205"),
        ("x42", None),
        ("10.0.0.1", None),
        ("a-1", None),
    ],
)
def test_reads_numbers(text: str, found: str | None) -> None:
    assert [one.values[0] for one in find_numbers(text)] == ([found] if found else [])


def _survey() -> Engine:
    questions = {
        "First": "AMAZON.FirstName",
        "Count": "AMAZON.Number",
        "Agreed": "AMAZON.Confirmation",
        "Code": "AMAZON.AlphaNumeric",
        "Start": "AMAZON.Time",
        "Note": "AMAZON.FreeFormInput",
    }
    survey = intent(
        "Survey", ("start the survey",), *(slot(name, kind, f"{name}?") for name, kind in questions.items())
    )
    return Engine(
        {
            "botName": "S",
            "localeId": "en_US",
            "nluIntentConfidenceThreshold": 0.4,
            "slotTypes": [],
            "intents": [survey],
        }
    )


def test_fills_every_built_in_type_in_answer_to_its_question() -> None:
    ana = Person(_survey(), "survey").says("start the survey")
    answers = (
        "my name is Zoë",
        "there are twelve",
        "sure",
        "ab12",
        "around half past nine",
        "Well, it's fine! No: great?",
    )
    for answer in answers:
        ana.says(answer)

    assert ana.slots == {
        "First": "Zoë",
        "Count": "12",
        "Agreed": "Yes",
        "Code": "ab12",
        "Start": "09:30",
        "Note": "Well, it's fine! No: great?",
    }
    assert ana.outcome == ("ReadyForFulfillment", "None")


def test_short_values_need_exact_spelling() -> None:
    regions: dict[str, Any] = {
        "slotTypeName": "Size",
        "slotTypeValues": [{"sampleValue": {"value": value}} for value in ("tiny", "huge")],
        "valueSelectionSetting": {"resolutionStrategy": "TopResolution"},
    }
    resize = intent("Resize", ("resize it",), slot("Size", "Size", "Which size?"))
    engine = Engine({"botName": "R", "localeId": "en_US", "slotTypes": [regions, ACCOUNT_TYPE], "intents": [resize]})

    assert Person(engine, "near-miss").says("resize it").says("tint").asked == "Size"
    assert Person(engine, "exact").says("resize it").says("TINY!").slots == {"Size": "tiny"}


@pytest.mark.parametrize("text", ["x!y@corp.example", "'<x>'@corp.example", "(a)b@corp.example", 'a"b@corp.example'])
def test_an_address_is_never_the_rest_of_something_longer(ana: Person, text: str) -> None:
    ana.says("I need a sandbox account in Demos").says(text)
    assert "RootEmail" not in ana.slots


@pytest.mark.parametrize("word", ["Sandbox", "Sandbx"])
def test_a_bare_value_of_two_slots_corrects_the_one_named_first(ana: Person, word: str) -> None:
    ana.says("I need a production account").says(word)
    assert ana.slots == {"AccountType": "Sandbox"}
    assert ana.asked == "RootEmail"
