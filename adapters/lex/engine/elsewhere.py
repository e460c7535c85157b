"""What people ask of other bots: topics that a bot was not taught, as rivals of its own intents.

A bot's samples say what belongs to it, and nothing of what lies beside it: "restart the instance" is nearer to
"start an instance" than to anything else it knows. So the classifier also learns the work of platform teams, offices
and households by topics (`elsewhere.txt`, one a line), less those that the bot's own samples are about.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from adapters.lex.engine.features import words_of

TOPICS = Path(__file__).with_name("elsewhere.txt")
_BETWEEN = " | "

Topic = tuple[tuple[str, ...], ...]
"""The words of each of its sentences."""


@cache
def topics() -> tuple[Topic, ...]:
    """Every topic with its sentences, as the classifier reads them."""
    lines = TOPICS.read_text("utf-8").splitlines()
    return tuple(tuple(tuple(words_of(text)) for text in line.split(_BETWEEN)) for line in lines if line.strip())


def foreign(every: Sequence[Topic], outputs: Sequence[float], most: float) -> list[Topic]:
    """The topics whose sentences the bot's own intents claim less than `most` on the average.

    `outputs` are the leading outputs of all their sentences, one after the other.
    """
    kept: list[Topic] = []
    at = 0
    for topic in every:
        if sum(outputs[at : at + len(topic)]) / len(topic) < most:
            kept.append(topic)
        at += len(topic)
    return kept
