"""Cards as Block Kit: within the limits whatever is in them, and no words of others' that Slack takes for markup."""

from __future__ import annotations

import random
import re
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.slack.blocks import Rendered, render
from adapters.slack.words import decode, escape, mentions, shorten, without_mention
from bot.card import Button, Card, Checks, Facts, Image, Item, Link, Quote, Table, Text
from tests.support.slack.blockkit import check_message, texts
from tests.support.slack.talking import unescaped, words_of

CONSOLE = "https://qm.corp.example"
word = st.text(max_size=200)


class Dice(random.Random):
    """Makes cards of any size: small ones often, now and then something far past every limit."""

    def words(self) -> str:
        return self.choice(["", " ", "a", "<&>", "two words", "ä😀", "line\nline", "x y"]) * self.choice(
            [1, 1, 2, 40, 999]
        )

    def rows(self, width: int) -> tuple[tuple[str, ...], ...]:
        return tuple(tuple(self.words() for _ in range(width)) for _ in range(self.choice([0, 1, 3, 30])))

    def item(self) -> Item:
        width = self.randint(1, 4)
        url = self.choice(["https://corp.example/a.png", "data:image/png;base64,AA==", "file:///etc/x", self.words()])
        made: list[Item] = [
            Text(self.words(), self.random() < 0.3),
            Quote(self.words(), self.words()),
            Facts(self.rows(2)),  # type: ignore[arg-type]
            Table(tuple(self.words() for _ in range(width)), self.rows(width)),
            Checks(tuple(("done", name, words) for name, words in self.rows(2))),
            Image(url, self.words()),
            Link(self.words(), url),
        ]
        return self.choice(made)

    def button(self) -> Button:
        return Button(self.words(), self.choice(["fill", "say", "confirm"]), self.words(), "positive")

    def card(self) -> Card:
        return Card(
            self.words(),
            tuple(self.item() for _ in range(self.choice([0, 1, 4, 30]))),
            tuple(self.button() for _ in range(self.choice([0, 2, 9, 150]))),
            footer=self.words(),
            request=self.choice(["", "qm-7k3m9qxa"]),
        )


@settings(max_examples=150)
@given(st.integers(0, 2**32))
@example(149807601)  # a link of more characters than a section holds
@example(2358950)  # a choice without a value
def test_every_card_is_within_the_limits(seed: int) -> None:
    dice = Dice(seed)
    card = dice.card() if dice.random() < 0.9 else None
    rendered = render(dice.words(), card, console=CONSOLE)
    check_message(rendered.blocks, rendered.text)
    assert rendered.text


ATTACKS = [
    "<!channel> look",
    "<@U012AB3CD>",
    "<https://evil.example|https://aws.amazon.com>",
    "<#C012AB3CD|general>",
    "<!subteam^S012AB3CD>",
    "<!date^1392734382^{date}^https://evil.example|now>",
    "*bold* _it_ ~no~ `code` ```block```",
    "&lt;!here&gt;",
    "|> https://evil.example",
    "a\n&gt; quoted",
]


def _attacked(words: str) -> Rendered:
    card = Card(
        f"Title {words}",
        (
            Text(words),
            Text(words, subtle=True),
            Quote(words, words),
            Facts(((words, words),)),
            Table((words, "b"), ((words, words),)),
            Checks((("done", words, words),)),
            Image("https://corp.example/x.png", words),
            Link(words, f"https://corp.example/?q={words}"),
        ),
        (Button(words, "fill", words),),
        footer=words,
    )
    return render(words + " beside the card", card, console=CONSOLE)


def _mrkdwn(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [str(value["text"])] if value.get("type") == "mrkdwn" else []
        return own + [t for part in value.values() for t in _mrkdwn(part)]
    return [t for part in value for t in _mrkdwn(part)] if isinstance(value, list) else []


@pytest.mark.parametrize("words", ATTACKS)
def test_words_of_others_are_no_markup(words: str) -> None:
    rendered = _attacked(words)
    check_message(rendered.blocks, rendered.text)
    literal = {t for b in rendered.blocks if b["type"] == "rich_text" for t in texts(b)}
    for text in (t for t in (*texts(rendered.blocks), rendered.text) if t not in literal):
        for tag in re.findall(r"<[^>]*>?", text):
            assert re.fullmatch(r"<https://corp\.example/\?q=[^|<>]*\|[^|<>]*>", tag), f"{tag} in {text}"
    for text in _mrkdwn(rendered.blocks):
        assert "<!" not in text
        assert "<@" not in text
        assert not re.search(r"(?<!^)\*(?!$)", text.strip()), f"a mark that is not ours in {text}"


@pytest.mark.parametrize("words", ATTACKS)
def test_words_of_others_are_read_as_they_were_written(words: str) -> None:
    read = "\n".join(words_of(_attacked(words).blocks))
    for line in words.splitlines():
        assert line in read


def test_mrkdwn_of_ours_is_verbatim() -> None:
    def verbatim(value: Any) -> bool:
        if isinstance(value, dict):
            return (value.get("type") != "mrkdwn" or value.get("verbatim") is True) and all(
                map(verbatim, value.values())
            )
        return all(map(verbatim, value)) if isinstance(value, list) else True

    assert verbatim(_attacked("x").blocks)


def test_a_card_that_is_too_long_keeps_its_buttons_and_says_where_all_of_it_is() -> None:
    rows = tuple((f"name {n}", "v" * 1900) for n in range(40))
    card = Card(
        "Long", (Facts(rows),), (Button("Yes", "confirm", "d"), Button("No", "decline", "d")), request="qm-7k3m9qxa"
    )
    rendered = render("", card, console=CONSOLE)
    check_message(rendered.blocks, rendered.text)
    assert [e["text"]["text"] for e in rendered.blocks[-1]["elements"]] == ["Yes", "No"]
    assert any(f"{CONSOLE}/requests/qm-7k3m9qxa" in t for t in texts(rendered.blocks))
    assert rendered.blocks[0]["type"] == "header"


def test_few_choices_are_buttons_and_many_a_select() -> None:
    few = render(
        "Which?", Card("Which?", buttons=tuple(Button(f"c{n}", "fill", f"S=c{n}") for n in range(5))), console=CONSOLE
    )
    assert [e["type"] for e in few.blocks[-1]["elements"]] == ["button"] * 5
    many = render(
        "Which?", Card("Which?", buttons=tuple(Button(f"c{n}", "fill", f"S=c{n}") for n in range(9))), console=CONSOLE
    )
    assert [e["type"] for e in many.blocks[-1]["elements"]] == ["static_select"]
    assert len(many.blocks[-1]["elements"][0]["options"]) == 9


def test_a_question_is_not_asked_twice_in_one_message() -> None:
    rendered = render("Which OU?", Card("Which OU?", buttons=(Button("Demos", "fill", "S=Demos"),)), console=CONSOLE)
    assert words_of(rendered.blocks) == ["Which OU?"]


@given(word, st.integers(1, 300))
def test_a_shortened_text_fits_and_tears_no_entity(text: str, limit: int) -> None:
    short = shorten(text, limit)
    assert len(short) <= max(limit, 1)
    assert re.fullmatch(r"(?:[^&<>]|&amp;|&lt;|&gt;)*", short, re.DOTALL)


@given(word)
def test_what_is_escaped_is_read_as_it_was(text: str) -> None:
    assert unescaped(escape(text)) == text


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("mail <mailto:a@corp.example|a@corp.example>", "mail a@corp.example"),
        ("see <https://corp.example/x|corp.example/x>", "see corp.example/x"),
        ("see <https://corp.example/x>", "see https://corp.example/x"),
        ("in <#C1|general> and <#C2>", "in #general and #C2"),
        ("<!here> all", "@here all"),
        ("a &lt;b&gt; &amp;amp; c", "a <b> &amp; c"),
        ("for <@U123>", "for <@U123>"),
        ("1 < 2", "1 < 2"),
    ],
)
def test_slacks_markup_is_read_as_what_was_typed(sent: str, meant: str) -> None:
    assert decode(sent) == meant


def test_the_mention_of_the_bot_is_no_part_of_what_is_said() -> None:
    assert mentions("hi <@U1>", "U1")
    assert not mentions("hi <@U12>", "U1")
    assert without_mention("<@U1>: give me <@U12> an account", "U1") == "give me <@U12> an account"


CHECKS = Checks(
    (("done", "Account Factory", "version 4.0, path Portfolio"), ("failed", "OU", "Demos is not registered"))
)


def test_what_the_bot_formats_is_markdown_in_messages() -> None:
    rendered = render("", Card("Plan", (CHECKS, Quote("please, by Friday", "Bo Diaz"))), console=CONSOLE)
    check_message(rendered.blocks, rendered.text)
    marked = [b["text"] for b in rendered.blocks if b["type"] == "markdown"]
    assert marked == [
        "✓ **Account Factory**: version 4.0, path Portfolio  \n✗ **OU**: Demos is not registered",
        "**Bo Diaz** wrote:  \n> please, by Friday",
    ]


@pytest.mark.parametrize(
    "words",
    [
        *ATTACKS,
        "[AWS](https://evil.example)",
        "see https://evil.example",
        "www.evil.example",
        "_it_",
        "a `b`",
        "# big",
        "1. first",
        "- one",
        "+ one",
        ":tada: done",
        "a\nb",
        "![x](y)",
        "a | b",
        "back\\slash",
        "~~no~~",
        "![a]",
    ],
)
def test_words_that_mean_something_in_markdown_go_without_it(words: str) -> None:
    card = Card("Plan", (Checks((("done", words, "fine"),)), Quote(words, "Bo"), Checks((("done", "fine", words),))))
    rendered = render("", card, console=CONSOLE)
    assert not [b for b in rendered.blocks if b["type"] == "markdown"]
    assert all(line in "\n".join(words_of(rendered.blocks)) for line in words.splitlines())


def test_a_long_list_in_markdown_is_within_its_limits() -> None:
    rows = tuple(("done", f"check {n}", "all is well with it, as far as one can tell " * 3) for n in range(120))
    rendered = render("", Card("Plan", (Checks(rows),)), console=CONSOLE)  # type: ignore[arg-type]
    check_message(rendered.blocks, rendered.text)
    assert "shortened" in str(rendered.blocks)


def test_cancelling_asks_back() -> None:
    card = Card("Waiting", buttons=(Button("Cancel qm-7k3m9qxa", "cancel_request", "qm-7k3m9qxa", "destructive"),))
    rendered = render("", card, console=CONSOLE)
    check_message(rendered.blocks, rendered.text)
    (button,) = rendered.blocks[-1]["elements"]
    assert button["confirm"]["title"]["text"] == "Cancel this request?"
    assert "qm-7k3m9qxa" in button["confirm"]["text"]["text"]
    other = render("", Card("Plan", buttons=(Button("Yes", "confirm", "d"),)), console=CONSOLE)
    assert "confirm" not in other.blocks[-1]["elements"][0]
