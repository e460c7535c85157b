"""E-mail addresses in a text: whole ones, and what looks like one but is none.

An address stands between blanks, brackets, quotes or punctuation; it is never the rest of something longer. What
a recogniser could not read as an address is handed to it as a stand-in, so that the sentence around it is
understood all the same and validation can say what is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from bot.errors import Invalid
from bot.people import checked_email

_SIMPLE = (
    r"[A-Za-z0-9_%&+-]+(?:[.'][A-Za-z0-9_%&+-]+)*"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])"
)
EMAIL = re.compile(rf"(?<![^\s<(\[{{\"'“‘«,;:=|/*`])(?<!\w[\"']){_SIMPLE}(?![\w@])")
"""An address in the shape that every recogniser reads."""
_WORD = re.compile(r"[^\s,;]+")
_PAIRS = {"<": ">", "(": ")", "[": "]", "{": "}", '"': '"', "'": "'", "“": "”", "‘": "’", "«": "»", "*": "*", "`": "`"}
_ENDINGS = "".join(_PAIRS.values()) + ".,;:!?…"
_PREFIX = re.compile(r"[A-Za-z-]+[:=]")
_IN_BRACKETS = re.compile(r"[^<>@]*<(?:mailto:)?([^<>]*@[^<>]*)>[\"'.,;:!?]*")
_BETWEEN = re.compile(r"[/|&+]")

_BESIDE_AN_ADDRESS = frozenset(
    "my mine our own the a this that it it's its is was be would will should can could may might let's let us have"
    " address addresses email e-mail mail mails mailbox inbox box list group team private personal work business shared"
    " company corporate root account use take try make put go with to as for at under one i i'd i'll i'm we we'd me"
    " please pls plz thanks thank you thx ok okay yes sure well hmm um just so then here think guess maybe probably"
    " mailto".split()
)
"""Words that name nothing but an address, or are courtesies."""


@dataclass(frozen=True)
class Heard:
    """A text, and the same with stand-ins for what looks like an address but can't be read as one."""

    text: str
    plain: str
    broken: Mapping[str, str] = field(default_factory=dict)

    def restored(self, value: str) -> str:
        """Return a value with what was said in place of the stand-ins."""
        for stand_in, said in self.broken.items():
            value = said.join(re.split(re.escape(stand_in), value, flags=re.IGNORECASE))
        return value

    def restored_all(self, values: Mapping[str, str]) -> dict[str, str]:
        """Return values by slot, each with what was said."""
        return {name: self.restored(value) for name, value in values.items()}


def is_bare_address(text: str) -> bool:
    """Tell whether a text is an address and nothing else."""
    return EMAIL.fullmatch(text.strip(_ENDINGS + "<([{ ")) is not None


def answers_with_address(text: str) -> bool:
    """Tell whether a text says no more than which address to take: "my own: x@corp.example", "use x@corp.example"."""
    if len(EMAIL.findall(text)) != 1:
        return False
    rest = EMAIL.sub(" ", text).casefold().replace("\u2019", "'")
    return all(word in _BESIDE_AN_ADDRESS for word in re.findall(r"[^\W_][\w'-]*", rest))


def hear(text: str) -> Heard:
    """Return a text with its unreadable addresses set aside."""
    plain, done = "", 0
    broken: dict[str, str] = {}
    for start, end in _unreadable(text):
        stand_in = f"unreadable-{len(broken) + 1}@address.invalid"
        broken[stand_in] = text[start:end]
        plain += text[done:start] + stand_in
        done = end
    return Heard(text, plain + text[done:], broken)


def _unreadable(text: str) -> Iterator[tuple[int, int]]:
    for match in _WORD.finditer(text):
        word = match[0]
        said = word.rstrip(".,;:!?…")
        if _looks_like_one(said) and not _is_readable(word):
            yield match.start(), match.start() + len(said)


def _looks_like_one(said: str) -> bool:
    """Tell whether a word means to be an address; "@ana" is a mention, and "me @ work" is none."""
    local, at, domain = said.rpartition("@")
    return bool(at) and (bool(local.strip("@")) or "." in domain.strip("."))


def _is_readable(word: str) -> bool:
    if bracketed := _IN_BRACKETS.fullmatch(word):
        return _is_simple(bracketed[1])
    inner = word
    while inner and inner[0] in _PAIRS:
        closer = _PAIRS[inner[0]]
        inner = inner[1:]
        if closer in inner.partition("@")[0]:  # '<x>'@…: the quotes are part of something longer
            return False
    inner = inner.rstrip(_ENDINGS)
    if (prefix := _PREFIX.match(inner)) and not _is_simple(inner):
        inner = inner[prefix.end() :]
    parts = _BETWEEN.split(inner) if inner.count("@") > 1 else [inner]
    return all(_is_simple(part) for part in parts)


def _is_simple(text: str) -> bool:
    if re.fullmatch(_SIMPLE, text) is None:
        return False
    try:
        checked_email(text)
    except Invalid:
        return len(text.partition("@")[0]) <= 64  # a shape that recognisers read: validation says what is wrong
    return True
