"""What was shown of insights in a conversation, for what is said next to go on from."""

from __future__ import annotations

from sqlalchemy import select

from bot.card import Card
from bot.database.tables import messages
from bot.services import Services
from intents.insights.cards import references_in

LOOKED_BACK = 20
"""Messages of a conversation that are looked at for what was shown."""
_WORDS_BETWEEN = 3
"""Answers without a card, such as that a name is not known, after which what was shown before still counts."""


async def recent_cards(services: Services, conversation: str) -> list[Card]:
    """Return the cards of a conversation, newest first."""
    return [card for card in await _newest(services, conversation) if card is not None]


async def just_shown(services: Services, conversation: str) -> list[Card]:
    """Return the cards of insights that were shown last, newest first: none once something else was shown."""
    found: list[Card] = []
    silent = 0
    for card in await _newest(services, conversation):
        if card is None:
            silent += 1
            if silent > _WORDS_BETWEEN:
                break
        elif card.asked or references_in(card):
            found.append(card)
        else:
            break
    return found


async def _newest(services: Services, conversation: str) -> list[Card | None]:
    """Return what the bot said last, newest first: its card, None where it said words alone."""
    query = select(messages.c.card).where(messages.c.conversation == conversation, messages.c.role == "bot")
    async with services.database.read() as connection:
        rows = (await connection.execute(query.order_by(messages.c.seq.desc()).limit(LOOKED_BACK))).all()
    return [Card.from_dict(row.card) if row.card else None for row in rows]
