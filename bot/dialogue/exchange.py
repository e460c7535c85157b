"""What one turn of a conversation has gathered, and what becomes of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.activity import Activity, clean_text
from bot.database import Transaction
from bot.dialogue.placing import Placing
from bot.dialogue.session import Session
from bot.intent import Answer, Ask, Intent
from bot.policy import refused
from bot.services import Services

Commit = Callable[[Transaction], Awaitable[None]]


@dataclass
class Decided:
    """A turn's outcome. `request` is the id of the request it concerned, if any."""

    answers: list[Answer]
    commit: Commit
    request: str = ""


@dataclass
class Exchange:
    """What one turn has gathered so far."""

    activity: Activity
    session: Session
    answers: list[Answer] = field(default_factory=list)
    place: Placing | None = None
    request: str = ""
    acts: bool = False
    """A command that acts at once was begun: when the turn is cut off, it may have been carried out."""
    denied: str = ""
    """Why the person was refused in the turn before, if they were."""
    refused: Mapping[str, Any] | None = None
    """What policy let the person not ask for, to be recorded."""
    missed: str = ""
    """What was not understood, to be kept for a person who teaches the bot."""
    names: tuple[str, ...] = ()
    """Values that the organization uses now, masked in what is kept of a sentence."""
    meant: str = ""
    """What the text stands for where that is something else: the list that "next page" goes on with."""
    is_follow_up: bool = False
    """Means something only after what was just shown, if anything."""
    is_among_others: bool = False
    """Said below something that the bot told of its own accord, where people talk about that with each other."""
    is_for_others: bool = False
    """Not meant for the bot: nothing is answered and nothing kept of it."""

    @property
    def may_be_for_others(self) -> bool:
        """Tell whether this was said in a conversation in which the person never spoke to the bot, or among others."""
        return self.activity.is_overheard and (self.session.version == 0 or self.is_among_others)

    def say(self, text: str) -> None:
        self.answers.append(Answer(text))

    def ask(self, slots: dict[str, str]) -> Ask:
        a = self.activity
        text = self.meant or clean_text(a.value if a.verb == "say" else a.text)
        return Ask(a.person, slots, a.conversation, a.channel, a.owner, text=text)


def require_may_ask(services: Services, turn: Exchange, intent: Intent, values: Mapping[str, str]) -> None:
    """Raise Refused when policy does not let the person ask for this."""
    person, channel = turn.activity.person, turn.activity.channel
    decision = services.policy.may_ask(person, intent.definition, intent.shape, dict(values), channel=channel)
    if not decision.allowed:
        raise refused("You may not ask for this.", decision)
