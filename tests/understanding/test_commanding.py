"""What acts at once is done when it is said outright, and not when it is asked about, forbidden or told of."""

from __future__ import annotations

import pytest

from bot.dialogue.commanding import commands
from bot.intent import Definition, Query
from intents.operations.mending import RecordStep, RetryRequest
from intents.operations.pausing import PauseChanges, ResumeChanges
from intents.requests.queries import CancelRequest

ACTING: tuple[type[Query], ...] = (PauseChanges, ResumeChanges, RetryRequest, RecordStep, CancelRequest)
FILLED = {"{RequestId}": "qm-7k3m9qxa", "{StepName}": "set the budget", "{DoneReason}": "it was not there"}
OUTRIGHT = ("{}", "{} please", "ok, {}!", "could you please {}?", "can you {} for me", "we need to {}", "no, {}")
NOT_OUTRIGHT = (
    "don't {}",
    "don\u2019t {}",
    "please do not {}",
    "never {}",
    "can you not {}",
    "should I {}?",
    "how do I {}?",
    "who may {}",
    "what happens if I {}?",
    "I did not say {}",
    "is it time to {}",
    "if nobody objects, {}",
)


def define(query: type[Query]) -> Definition:
    """Return an intent's definition, which needs no service."""
    return query.define(query.__new__(query))


def said(query: type[Query]) -> list[str]:
    """Return its utterances and examples, with values in their slots."""
    sentences = [*define(query).utterances, *define(query).examples]
    for slot, value in FILLED.items():
        sentences = [sentence.replace(slot, value) for sentence in sentences]
    return sentences


@pytest.mark.parametrize("query", ACTING)
@pytest.mark.parametrize("frame", OUTRIGHT)
def test_every_utterance_is_a_command_also_politely(query: type[Query], frame: str) -> None:
    assert [s for s in said(query) if not s.startswith("I ") and not commands(frame.format(s), define(query))] == []


@pytest.mark.parametrize("query", ACTING)
@pytest.mark.parametrize("frame", NOT_OUTRIGHT)
def test_no_question_refusal_or_condition_is_a_command(query: type[Query], frame: str) -> None:
    assert [s for s in said(query) if commands(frame.format(s), define(query))] == []


@pytest.mark.parametrize("words", ["everything", "all", "changes", "no changes", "everything is broken", "ok?"])
def test_what_holds_no_verb_is_no_command(words: str) -> None:
    assert not commands(words, define(PauseChanges))


@pytest.mark.parametrize(
    "words",
    [
        "cancle qm-7k3m9qxa",
        "I no longer need qm-7k3m9qxa",
        "I don't need qm-7k3m9qxa any longer, drop it",
        "qm-7k3m9qxa is not needed any more",
        "cancel qm-7k3m9qxa, I don't need it any more",
        "cancel qm-7k3m9qxa because it was not what I wanted",
    ],
)
def test_what_is_not_needed_may_be_cancelled(words: str) -> None:
    assert commands(words, define(CancelRequest))


@pytest.mark.parametrize(
    "words",
    [
        "why was qm-7k3m9qxa cancelled",
        "somebody cancelled qm-7k3m9qxa",
        "I don't want qm-7k3m9qxa cancelled",
        "I don't need to cancel qm-7k3m9qxa",
        "cancel qm-7k3m9qxa if it is not approved by five",
        "withdraw qm-7k3m9qxa?",
    ],
)
def test_what_tells_of_cancelling_cancels_nothing(words: str) -> None:
    assert not commands(words, define(CancelRequest))
