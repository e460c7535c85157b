"""What the outbox hands over becomes messages in Slack: once, in order, paced, and cards updated where they stand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import structlog
from sqlalchemy import func, select

from adapters.slack.blocks import LABEL, Block, Rendered, fit, link, mrkdwn, render
from adapters.slack.envelope import CHANNEL, LOCAL
from adapters.slack.homes import Homes
from adapters.slack.pacing import Pacer
from adapters.slack.places import Place, Places, place_of
from adapters.slack.posting import GONE, Posting
from adapters.slack.standing import SlackStanding
from adapters.slack.web import RateLimited, SlackRefused, Web
from adapters.slack.words import shorten
from bot.answered import Answered, answered_by
from bot.card import Button, Card
from bot.card_copies import CardCopies, Copy
from bot.channel import Delivery, DeliveryFailed
from bot.conversations import Message
from bot.database.tables import messages
from bot.errors import QuartermasterError, Unavailable
from bot.request_card import ENDED, Audience
from bot.services import Services

log = structlog.get_logger(__name__)


class SlackSender:
    """Delivers the outbox channel "slack": {"kind": "message"}, {"kind": "card"} and what asks for approval."""

    def __init__(
        self,
        services: Services,
        web: Web,
        places: Places,
        cards: CardCopies,
        pacer: Pacer,
        posting: Posting,
        homes: Homes,
    ) -> None:
        self._standing_cards = SlackStanding(services, web, places, pacer, posting, self._render)
        self._services, self._web, self._places, self._cards, self._pacer = services, web, places, cards, pacer
        self._posting, self._homes = posting, homes

    async def __call__(self, delivery: Delivery) -> None:
        """Deliver one row; raises DeliveryFailed."""
        try:
            match delivery.payload.get("kind"):
                case "message":
                    await self._message(delivery)
                case "card":
                    await self._refresh(str(delivery.payload.get("place")))
                case "ask":
                    await self._cards.ask_everybody(delivery)
                case "ask_one":
                    await self._ask_one(delivery)
                case "standing":
                    await self._standing_cards.show(str(delivery.payload.get("key")))
                case "reply":
                    await self._services.standing.pass_on(delivery.payload)
                case "homes":
                    await self._homes.show_anew(delivery)
                case kind:
                    raise DeliveryFailed(f"Slack knows no message of kind {kind!r}.", retryable=False)
        except RateLimited as error:
            raise DeliveryFailed(error.detail, retryable=True, retry_after=error.retry_after) from error
        except SlackRefused as error:
            raise DeliveryFailed(error.detail, retryable=error.code in _MENDABLE) from error
        except Unavailable as error:
            raise DeliveryFailed(error.detail, retryable=True) from error

    async def _message(self, delivery: Delivery) -> None:
        """Say what the bot has said; news of a request whose card stands here goes into the card."""
        answered = await answered_by(self._services, CHANNEL, int(delivery.payload["seq"]))
        if answered is None:
            return
        message = answered.message
        if answered.is_news and answered.request:
            copies = await self._cards.copies(answered.request, message.conversation)
            if copies:
                for copy in copies:
                    await self._refresh(copy.place)
                await self._ping(delivery, answered, copies[0])
                return
        address = answered.address
        if address and address["channel"] and ":@" in message.conversation:
            address = {**address, "channel": "", "thread": ""}  # said where others read, answered in person
        place = await self._places.find(
            message.conversation, address, is_push=answered.is_push, request=answered.request
        )
        if place is None:
            log.warning("slack.nowhere_to_say", conversation=message.conversation)
            return
        request = message.card.request if message.card else ""
        audience: Audience = "requester" if request and await self._cards.is_first(request, message) else "reader"
        extra = _offer(message, answered.form)
        standing = await self._standing(message, audience) if request else None
        # The one card of a request shows from the first how it stands; an answer about it stays until that is old.
        is_the_card = standing is not None and audience == "requester"
        rendered = standing if standing and is_the_card else self._render(message.text, message.card, extra)
        if about := answered.address.get("about"):
            rendered = await self._attributed(rendered, answered, about)
        if place.response_url and not request and await self._posting.answer_privately(place, rendered):
            return
        posted = await self._posting.post(delivery, place, rendered, answers=answered.activity.get("key", ""))
        await self._end_status(place, answered.address)
        stands = await self._services.standing.of_message(message.seq) if answered.is_news else None
        if stands:
            await self._standing_cards.begin(stands, delivery, place, posted, rendered)
            return
        await self._posting.show_pictures(delivery, place, message)
        if standing:
            where = place_of(place.served, posted.channel, posted.ts)
            copy = Copy(where, request, message.conversation, audience, message.text)
            await self._cards.keep(copy, digest_of(standing))

    async def _attributed(self, rendered: Rendered, answered: Answered, about: Mapping[str, str]) -> Rendered:
        """Say above the first answer whose message it is about, and who asked."""
        key, seq = answered.activity["key"], answered.message.seq
        first = select(func.min(messages.c.seq)).where(messages.c.inbox_key == key, messages.c.role == "bot")
        async with self._services.database.read() as connection:
            if (await connection.execute(first)).scalar_one() != seq:
                return rendered
        shown = link("Show it", about["link"]) if about["link"].startswith("https://") else ""
        words = f"<@{answered.address['user']}> asked about a message of {shorten(about['name'], LABEL)}. {shown}"
        above: Block = {"type": "context", "elements": [mrkdwn(words.strip())]}
        return Rendered(rendered.text, fit([above], rendered.blocks, self._services.settings.public_url))

    async def _end_status(self, place: Place, answered: dict[str, Any]) -> None:
        """Take the typing status away: Slack does that itself only for answers in the status's own thread."""
        if not place.dm or place.channel or place.thread or not answered.get("asked"):
            return
        with suppress(QuartermasterError):  # it goes by itself in two minutes
            asked = str(answered["asked"])
            await self._web.call(
                place.token, "assistant_threads_setStatus", channel_id=place.dm, thread_ts=asked, status=""
            )

    async def _standing(self, message: Message, audience: Audience) -> Rendered:
        """Return the card of the request that a message is about, as it stands now."""
        request = message.card.request if message.card else ""
        return self._render("", await self._cards.card(request, audience, message.text))

    def _render(self, text: str, card: Card | None, extra: Sequence[Button] = ()) -> Rendered:
        return render(text, card, console=self._services.settings.public_url, extra=extra)

    async def _ping(self, delivery: Delivery, news: Answered, copy: Copy) -> None:
        """Say where the card stands that a request is over: an update alone notifies nobody."""
        record = await self._services.requests.find(news.request)
        if not record.is_final or news.message.seq != await self._cards.newest_news(record.id):
            return
        place = await self._places.find(record.conversation, {}, is_push=True, request=record.id)
        if place is None:
            return
        mention = f"<@{place.user}> " if place.user and place.channel else ""
        words = f"{mention}Your request {record.id} {ENDED.get(record.state, 'is over')}; its card says more."
        _, channel, ts = copy.place.split("/")
        link = await self._permalink(place, channel, ts)
        text = f"{words} {link}".strip()
        block = {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
        await self._posting.post(delivery, place, Rendered(text, [block]))

    async def _permalink(self, place: Place, channel: str, ts: str) -> str:
        try:
            told = await self._web.call(place.token, "chat_getPermalink", channel=channel, message_ts=ts)
        except QuartermasterError:
            return ""
        url = str(told.get("permalink") or "")
        return f"<{url}|Show it>" if url.startswith("https://") else ""

    async def _refresh(self, place: str) -> None:
        """Show a request's card as it stands, if it does not yet."""
        copy = await self._cards.copy(place)
        if copy is None:
            return
        card = await self._cards.card(copy.request, copy.audience, copy.said)
        rendered = self._render("", card)
        digest = digest_of(rendered)
        if digest == copy.shown:
            return
        served, channel, ts = place.split("/")
        token = await self._places.token_of(served)
        if not token:
            return
        if not channel.startswith("D") and await self._places.is_shared(token, served.partition("@")[0], channel):
            await self._withdraw(copy, token, channel, ts)
            return
        await self._pacer.wait(channel)
        try:
            await self._web.call(
                token, "chat_update", channel=channel, ts=ts, text=rendered.text, blocks=rendered.blocks
            )
        except SlackRefused as error:
            if error.code not in GONE:
                raise
            await self._cards.drop(place)
            return
        await self._cards.mark(place, digest)

    async def _withdraw(self, copy: Copy, token: str, channel: str, ts: str) -> None:
        """Empty a copy in a channel that people of other organisations came to read; what follows is told in person."""
        text = f"People from other organisations read this channel now: request {copy.request} goes on elsewhere."
        rendered = self._render(text, None)
        await self._pacer.wait(channel)
        with suppress(SlackRefused):  # the message is gone, or the bot was removed: there is nothing left to empty
            await self._web.call(
                token, "chat_update", channel=channel, ts=ts, text=rendered.text, blocks=rendered.blocks
            )
        await self._cards.drop(copy.place)

    async def _ask_one(self, delivery: Delivery) -> None:
        """Ask for approval in the approvers' channel, or one approver in person."""
        payload = delivery.payload
        record = await self._services.requests.find(str(payload["request_id"]))
        if record.version != payload["version"] or record.state != "awaiting_approval":
            return
        place = await self._places.of_approver(str(payload.get("approver", "")))
        if place is None:
            return
        audience: Audience = "approver"
        card = await self._cards.card(record.id, audience, "")
        rendered = self._render("", card)
        posted = await self._posting.post(delivery, place, rendered)
        await self._cards.keep(
            Copy(place_of(place.served, posted.channel, posted.ts), record.id, "", audience, ""), digest_of(rendered)
        )


def _offer(message: Message, form: dict[str, Any]) -> list[Button]:
    """Offer the form to who is asked a question, below the last thing that was said."""
    if not form:
        return []
    value = json.dumps({"conversation": message.conversation, "intent": form["intent"]})
    return [Button("Fill in a form", LOCAL + "form", value)]


def digest_of(rendered: Rendered) -> str:
    """Return what tells two renderings apart."""
    return hashlib.sha256(json.dumps([rendered.text, rendered.blocks]).encode()).hexdigest()


_MENDABLE = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "missing_scope",
        "not_allowed_token_type",
        "ekm_access_denied",
        "org_login_required",
        "not_in_channel",
    }
)
"""Refusals that somebody can mend in Slack's settings while the row waits."""
