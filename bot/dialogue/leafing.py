"""Leafing: “next page” and “more” go on with the list that was shown last, as its own button does."""

from __future__ import annotations

import re

from sqlalchemy import select

from bot.card import Card
from bot.database import Database
from bot.database.tables import messages

NEXT = "Next page"
"""The title of the button, of the verb "say", that every list has while there is more of it."""
LOOKED_BACK = 20
"""Messages that are looked at: somebody may have asked about some entries meanwhile."""
_ON = re.compile(
    r"(?:(?:can|could) (?:i|you|we) )?(?:(?:show|see|give|list|get)(?: me| us)? )?"
    r"(?:(?:the |some )?(?:next|more|rest)(?: (?:page|ones?|of (?:them|those|it)|entries|results))?)"
)

_PICKED = re.compile(
    r"(?:(?:show|open|give|and|what about)(?: me)? )?(?:the|number|no\.?|insight) "
    r"(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|last|\d{1,3}(?:st|nd|rd|th)?)(?: one)?"
)


def picks_of_list(words: str) -> bool:
    """Tell whether a text, folded and without courtesies, names a place in a list and says nothing else."""
    return _PICKED.fullmatch(words.rstrip(" ?")) is not None


def leafs_on(words: str) -> bool:
    """Tell whether a text, folded and without courtesies, asks for more of what was shown and says nothing else."""
    return _ON.fullmatch(words.rstrip(" ?")) is not None


async def following(database: Database, conversation: str) -> str:
    """Return what the newest list with a next page says for it; empty where none was shown."""
    query = select(messages.c.card).where(messages.c.conversation == conversation).order_by(messages.c.seq.desc())
    async with database.read() as connection:
        newest = (await connection.execute(query.limit(LOOKED_BACK))).scalars().all()
    for card in newest:
        buttons = Card.from_dict(card).buttons if card else ()
        if found := next((b.value for b in buttons if (b.title, b.verb) == (NEXT, "say")), ""):
            return found
    return ""
