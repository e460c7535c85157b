"""Cards as Teams shows them: within the rules whatever is in them, and nothing that people typed is more than words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.teams.rendering import FEW, MAX_BYTES, render
from bot.card import Button, Card, Checks, Facts, Image, Item, Link, Quote, Table, Text
from tests.support.teams.cards import check_activity, presses_of, words_of

CONSOLE = "https://ops.corp.example"
EVIL = "[click](https://evil.example) **bold** <at>Bo</at> <a href='https://evil.example'>x</a> {{DATE(2020)}}"
LONG = "ä“\\\n" * 40_000


def whole(words: str) -> Card:
    """Return a card with everything in it."""
    items = (
        Text(words),
        Text(words, subtle=True),
        Quote(words, "ana@corp.example"),
        Facts(((words, words), ("Name", ""))),
        Table((words, "b"), ((words, words),)),
        Checks((("done", words, words),)),
        Image("https://ops.corp.example/chart.png", words),
        Link(words, "https://ops.corp.example/x"),
    )
    return Card(words, items, (Button(words, "say", "x"),), footer=words, tone="bad", request="qm-12345678")


def checked(text: str, card: Card | None) -> dict[str, Any]:
    activity = render(text, card, console=CONSOLE)
    check_activity(json.loads(json.dumps(activity)), len(json.dumps(activity)))
    return activity


def objects(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from objects(part)
    elif isinstance(value, list):
        for part in value:
            yield from objects(part)


def test_what_people_typed_stands_where_no_markdown_is_read() -> None:
    activity = checked("", whole(EVIL))
    holders = {
        (o.get("type"), name)
        for o in objects(activity)
        for name, value in o.items()
        if isinstance(value, str) and EVIL in value
    }
    # Facts and TextBlocks would read Markdown; the title of a button and what notifies are plain by definition.
    read = {("TextRun", "text"), ("Action.Execute", "title"), ("Image", "altText"), ("AdaptiveCard", "fallbackText")}
    assert holders <= {*read, ("message", "summary")}
    assert not any(o.get("type") in ("TextBlock", "FactSet") for o in objects(activity))
    assert "entities" not in activity


def test_plain_words_are_sent_as_plain() -> None:
    assert checked(EVIL, None) == {"type": "message", "text": EVIL, "textFormat": "plain"}


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "msteams:/l/chat", ""])
def test_only_the_webs_addresses_lead_somewhere(url: str) -> None:
    activity = checked("", Card("t", (Link("here", url), Image(url, "a chart"))))
    assert not any("selectAction" in o or o.get("type") == "Image" for o in objects(activity))
    assert "here" in words_of(activity)


def test_what_is_too_large_is_shortened_with_a_link_and_keeps_its_buttons() -> None:
    rows = tuple((f"name {n}", "value " * 50) for n in range(400))
    items: tuple[Item, ...] = (Text("first"), *(Facts((row,)) for row in rows))
    card = Card("Many", items, (Button("Yes, go ahead", "confirm", "x"),), request="qm-12345678")
    activity = checked("", card)
    assert len(json.dumps(activity)) <= MAX_BYTES
    assert "first" in words_of(activity)
    assert f"{CONSOLE}/requests/qm-12345678" in words_of(activity)
    assert "Yes, go ahead" in presses_of(activity)


def test_long_words_without_a_card_are_shortened_with_a_link() -> None:
    activity = checked(LONG, None)
    assert activity["text"].endswith(CONSOLE)


def test_a_card_of_long_words_only_still_fits() -> None:
    checked(LONG, whole(LONG))


def test_a_few_choices_are_buttons_and_more_are_a_list() -> None:
    few = [Button(f"OU {n}", "fill", f"AccountOU=OU {n}") for n in range(FEW)]
    stop = Button("Stop", "say", "stop")
    assert not _list_of(checked("", Card("Which?", buttons=(*few, stop))))
    many = [*few, Button("One more", "fill", "AccountOU=One more")]
    activity = checked("", Card("Which?", buttons=(*many, stop)))
    assert [c["value"] for c in _list_of(activity)[0]["choices"]] == [b.value for b in many]
    titles = [o["title"] for o in objects(activity) if o.get("type") == "Action.Execute"]
    assert titles == ["Choose", "Stop"]
    assert presses_of(activity)["OU 3"]["data"] == {"choice": "AccountOU=OU 3"}


def _list_of(activity: dict[str, Any]) -> list[dict[str, Any]]:
    return [o for o in objects(activity) if o.get("type") == "Input.ChoiceSet"]


def test_words_that_the_card_says_are_not_said_twice() -> None:
    card = Card("Done", (Text("All is well."),))
    assert words_of(checked(card.as_text(), card)).count("All is well.") == 1
    assert words_of(checked("Done", card)).count("Done") == 1


words = st.text(max_size=60)


@settings(max_examples=60)
@given(words, words, st.lists(st.tuples(words, st.sampled_from(["fill", "say"]), words), max_size=15))
def test_whatever_is_in_a_card_it_is_one(text: str, title: str, buttons: list[tuple[str, str, str]]) -> None:
    card = Card(title, whole(text).items, tuple(Button(*b) for b in buttons))
    activity = render(text, card, console=CONSOLE)
    check_activity(activity, len(json.dumps(activity)))


def test_a_tables_numbers_take_no_room_from_its_sentences() -> None:
    rows = (("1", "Lambda p50 duration is anomalous in checkout-service"), ("10", "ECS memory will run out"))
    activity = checked("", Card("Insights", (Table(("", "Insight"), rows),)))
    (table,) = [found for found in objects(activity) if found.get("type") == "Table"]
    number, sentence = (column["width"] for column in table["columns"])
    assert sentence >= 5 * number
