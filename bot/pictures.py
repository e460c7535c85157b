"""Pictures that a card carries itself, as data: URLs: no chat platform can fetch those."""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from bot.card import Card, Image

_DATA = re.compile(r"data:image/(png|jpeg|gif|svg\+xml);base64,([A-Za-z0-9+/=\s]+)")
MAX_BYTES = 5_000_000


@dataclass(frozen=True)
class Picture:
    """One picture, with the words that stand for it."""

    name: str
    content: bytes
    alt: str
    url: str
    """The data: URL that it has in the card."""
    number: int
    """Which of the card's own pictures it is, from 1 on."""


def pictures_of(card: Card | None) -> list[Picture]:
    """Return the pictures in a card itself; those at a public address are shown from there."""
    found: list[Picture] = []
    for item in card.items if card else ():
        if not isinstance(item, Image) or not (match := _DATA.fullmatch(item.url)):
            continue
        try:
            content = base64.b64decode(match[2], validate=False)
        except binascii.Error:
            continue
        if content and len(content) <= MAX_BYTES:
            kind = match[1].partition("+")[0]
            number = len(found) + 1
            found.append(Picture(f"picture-{number}.{kind}", content, item.alt or "a picture", item.url, number))
    return found
