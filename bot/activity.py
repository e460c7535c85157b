"""An Activity comes in: one thing a person said or pressed, whatever the channel it came through."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Any, Literal

MAX_TEXT = 1024
"""Characters that one message may have (Lex V2 RecognizeText)."""


@dataclass(frozen=True)
class Person:
    """A corporate identity. `id` is ours and opaque; `email` is case-folded; names never decide anything."""

    id: str
    email: str
    name: str = ""
    given_name: str = ""
    family_name: str = ""

    @property
    def called(self) -> str:
        """How to address the person: the given name, else the name, else the e-mail's local part."""
        return self.given_name or self.name or self.email.partition("@")[0]

    def full_name(self) -> tuple[str, str]:
        """Return (first, last) name; a one-word name serves as both."""
        given, family = self.given_name, self.family_name
        if not given:
            given, _, family = (self.name or self.email.partition("@")[0]).strip().partition(" ")
        return given.strip(), (family.strip() or given.strip())


NOBODY = Person("", "")
"""Stands in an activity for a person who is not known yet."""


@dataclass(frozen=True)
class Activity:
    """One message or one press of a button.

    `key` deduplicates: (channel, app, workspace, event id) joined by the adapter, at most 255 characters.
    `conversation` is our opaque id, unique across channels; `address` is what the channel's adapter needs
    to answer later (JSON types only). `verb` and `value` are those of the pressed Button.
    """

    key: str
    channel: str
    conversation: str
    person: Person
    kind: Literal["message", "press"] = "message"
    text: str = ""
    verb: str = ""
    value: str = ""
    owner: str = ""
    """Name of the REST key that vouches for the person; empty on channels that verify people themselves."""
    address: dict[str, Any] = field(default_factory=dict)
    platform_id: str = ""
    """Immutable id of who said it, on channels that find out behind the inbox who that is; `person` is NOBODY then."""
    is_overheard: bool = False
    """Said where the bot takes part, without naming it: who never spoke to it there may mean somebody else."""
    raw: dict[str, Any] = field(default_factory=dict)
    """What the platform sent, for channels that make a whole activity of it behind the inbox; see Inbox.complete_by."""

    @property
    def is_urgent(self) -> bool:
        """Presses and stop words are handled at once, however many other conversations wait."""
        return self.kind == "press" or self.text.strip().casefold().rstrip(".!") in STOP_WORDS

    def as_dict(self) -> dict[str, Any]:
        """Return plain JSON types; `from_dict` is the inverse."""
        return {
            **vars(self),
            "person": dict(vars(self.person)),
        }  # asdict copies what nobody changes, and takes its time

    @staticmethod
    def from_dict(data: dict[str, Any]) -> Activity:
        """Rebuild an activity from `as_dict`'s output."""
        return Activity(**{**data, "person": Person(**data["person"])})


STOP_WORDS = frozenset(
    "cancel|stop|abort|quit|never mind|nevermind|forget it|forget about it|cancel that|cancel it|cancel this|"
    "stop it|stop that|stop this|stop now|stop it now|abort it|drop it|leave it|exit|scrap that|scratch that".split("|")
)
"""Whole messages that end the form being filled in, in any recogniser."""


def clean_text(text: str) -> str:
    """Return text as NFC without control characters or lone surrogates, runs of blanks made one.

    Newlines and tabs become blanks. Emoji and all scripts stay.
    """
    text = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").replace("\ufffd", "")
    text = unicodedata.normalize("NFC", text)
    kept = (" " if c in "\t\n\r\v\f\u2028\u2029" else c for c in text)
    visible = "".join(c for c in kept if unicodedata.category(c) not in {"Cc", "Cs"} and c not in _BIDI)
    return " ".join(visible.split())


_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200b\ufeff")
