"""Standing cards in Slack: one message, updated in place, with its chart and its news in the thread below it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace

import structlog

from adapters.slack.blocks import Rendered
from adapters.slack.envelope import CHANNEL
from adapters.slack.pacing import Pacer
from adapters.slack.places import Place, Places, place_of
from adapters.slack.posting import GONE, Posted, Posting
from adapters.slack.web import SlackRefused, Web
from bot.card import Card
from bot.channel import Delivery
from bot.services import Services
from bot.standing import Standing

log = structlog.get_logger(__name__)


class SlackStanding:
    """Remembers where standing cards are, and shows them anew."""

    def __init__(
        self,
        services: Services,
        web: Web,
        places: Places,
        pacer: Pacer,
        posting: Posting,
        render: Callable[[str, Card | None], Rendered],
    ) -> None:
        self._services, self._web, self._places, self._pacer = services, web, places, pacer
        self._posting, self._render = posting, render

    async def begin(
        self, standing: Standing, delivery: Delivery, place: Place, posted: Posted, rendered: Rendered
    ) -> None:
        """Remember where a card stands that was just posted, so that replies are heard, and put the chart below it."""
        room, is_channel = standing.room, not standing.room.split(":")[2].startswith("@")
        thread = f"{room}:{posted.ts}" if is_channel and not place.thread else room
        where = place_of(place.served, posted.channel, posted.ts)
        await self._services.standing.begun(standing, thread, where, _digest(rendered))
        below = replace(place, channel=posted.channel, thread=place.thread or posted.ts)
        await self._posting.show_pictures(delivery, below, standing.message)

    async def show(self, key: str) -> None:
        """Show a card as it is now, if it does not yet; one that is still on its way will be up to date."""
        standing = await self._services.standing.get(key)
        if standing is None or not standing.place:
            return
        rendered = self._render(standing.message.text, standing.message.card)
        digest = _digest(rendered)
        if digest == standing.shown:
            return
        served, channel, ts = standing.place.split("/")
        token = await self._places.token_of(served)
        if not token:
            return
        if not channel.startswith("D") and await self._places.is_shared(token, served.partition("@")[0], channel):
            log.warning("slack.others_read_there", conversation=standing.room)
            return
        await self._pacer.wait(channel)
        try:
            await self._web.call(
                token, "chat_update", channel=channel, ts=ts, text=rendered.text, blocks=rendered.blocks
            )
        except SlackRefused as error:
            if error.code not in GONE:
                raise
            log.info("slack.card_gone", channel=CHANNEL, error=error.code)
        await self._services.standing.mark(key, digest)


def _digest(rendered: Rendered) -> str:
    return hashlib.sha256(json.dumps([rendered.text, rendered.blocks]).encode()).hexdigest()
