"""Yes, no, and what is neither."""

from __future__ import annotations

import pytest

from adapters.lex.engine.answers import Answer, read_answer
from adapters.lex.engine.text import clean


@pytest.mark.parametrize(
    "text",
    [
        "yes",
        "Yes!",
        "yep",
        "yeah sure",
        "sure thing",
        "go ahead please",
        "ok do it",
        "please do",
        "absolutely",
        "sounds good to me",
        "lgtm",
        "why not",
        "yes yes yes",
        "yessss",
        "ok thanks",
        "of course",
        "that's right",
        "k",
        "no problem, go ahead",
        "make it so",
        "I confirm",
        "fine by me",
        "+1",
        ":thumbsup:",
        "\u2705",
        "no wait, yes",
    ],
)
def test_hears_yes(text: str) -> None:
    assert read_answer(clean(text)).answer is Answer.YES


@pytest.mark.parametrize(
    "text",
    [
        "no",
        "Nope.",
        "nah",
        "don't",
        "dont do it",
        "please don't",
        "not now",
        "not yet",
        "no thanks",
        "no way",
        "never mind",
        "cancel that",
        "I'd rather not",
        "not sure",
        "don't go ahead",
        "do not proceed",
        "hold on",
        "no, don't create it",
        "yes, no wait, no",
        "I don't want that",
        "not ok",
        "absolutely not",
        "I don't think so",
        "-1",
        "\N{THUMBS DOWN SIGN}",
        "that's not right",
        "no I decided to wait for my boss",
    ],
)
def test_hears_no(text: str) -> None:
    assert read_answer(clean(text)).answer is Answer.NO


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hm",
        "maybe",
        "yes or no",
        "yes but later",
        "ok if it is cheap",
        "sure, after the review",
        "please explain",
        "what does it cost",
        "yes and delete the old one",
        "\N{THUMBS UP SIGN}\N{THUMBS DOWN SIGN}",
        "go to hell",
        "right account?",
        "is it good",
        "should I do it",
    ],
)
def test_hears_neither(text: str) -> None:
    assert read_answer(clean(text)).answer is Answer.UNCLEAR


ASKED = "create the sandbox account go live team y sandbox in ou demos".split()


@pytest.mark.parametrize(
    "text", ["team-y", "team y", "ops.go", "ok@corp.example", "team-ok", "sandbox account y", "k-9", "go live"]
)
def test_a_part_of_a_name_is_no_consent(text: str) -> None:
    assert read_answer(clean(text), ASKED).answer is Answer.UNCLEAR


@pytest.mark.parametrize("text", ["team-n", "n@corp.example", "no-reply@corp.example", "stop-gap"])
def test_a_part_of_a_name_is_no_refusal(text: str) -> None:
    assert read_answer(clean(text), ASKED).answer is Answer.UNCLEAR


@pytest.mark.parametrize(
    "text", ["yes, create team-y-sandbox", "yes-please", "y", "Y!", "y please", "okey-dokey", "go-ahead"]
)
def test_a_yes_beside_the_name_that_was_asked_about_is_one(text: str) -> None:
    assert read_answer(clean(text), ASKED).answer is Answer.YES
