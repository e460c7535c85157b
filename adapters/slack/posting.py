"""What is written to Slack once: messages, answers for one person's eyes, and pictures."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

import structlog

from adapters.slack.blocks import Rendered
from adapters.slack.pacing import Pacer
from adapters.slack.places import Place, Places
from adapters.slack.searching import find_message
from adapters.slack.streaming import Streams
from adapters.slack.web import SlackRefused, Web
from adapters.slack.words import shorten
from bot.channel import Delivery
from bot.conversations import Message
from bot.pictures import pictures_of

log = structlog.get_logger(__name__)

EVENT = "quartermaster_message"
"""Type of the metadata that marks our messages with the outbox's key: so a repeat finds what was posted before."""
GONE = frozenset({"message_not_found", "cant_update_message", "channel_not_found", "is_archived", "edit_window_closed"})
ELSEWHERE = frozenset({"not_in_channel", "channel_not_found", "is_archived", "restricted_action", "thread_not_found"})
"""Refusals of a channel after which an answer goes to the person directly."""


@dataclass(frozen=True)
class Posted:
    """Where a message stands now."""

    channel: str
    ts: str


class Posting:
    """Writes messages; what a try before may have written is looked for first."""

    def __init__(self, web: Web, places: Places, pacer: Pacer, streams: Streams) -> None:
        self._web, self._places, self._pacer, self._streams = web, places, pacer, streams

    async def post(self, delivery: Delivery, place: Place, rendered: Rendered, answers: str = "") -> Posted:
        """Post once: a try that may have arrived is looked for first. `answers` is the key of what is answered."""
        channel = await self._places.channel_of(place)
        if delivery.is_repeat and (found := await self._find(place, channel, delivery)):
            return found
        await self._pacer.wait(channel)
        message: dict[str, Any] = {
            "text": rendered.text,
            "blocks": rendered.blocks,
            "metadata": {"event_type": EVENT, "event_payload": {"key": delivery.key}},
        }
        if answers and place.thread and (posted := await self._end_stream(answers, place, channel, delivery, message)):
            return posted
        where = {"channel": channel, **({"thread_ts": place.thread} if place.thread else {})}
        try:
            answer = await self._web.call(
                place.token, "chat_postMessage", **where, **message, unfurl_links=False, unfurl_media=False
            )
        except SlackRefused as error:
            if place.channel and place.user and error.code in ELSEWHERE:
                return await self.post(delivery, place.in_person(), rendered)
            raise
        return Posted(str(answer.get("channel") or channel), str(answer.get("ts")))

    async def _end_stream(
        self, answers: str, place: Place, channel: str, delivery: Delivery, message: dict[str, Any]
    ) -> Posted | None:
        """Put a message in the place of the stream that its turn was shown with, if there is one."""
        stream = await self._streams.take(answers, place, channel, delivery)
        if stream is None:
            return None
        try:
            await self._streams.end(place.token, stream, **message)
        except SlackRefused as error:
            if error.code not in GONE:
                raise
            await self._streams.lost(stream)
            return None
        return Posted(channel, stream.ts)

    async def _find(self, place: Place, channel: str, delivery: Delivery) -> Posted | None:
        """Return where the message of a delivery stands already."""

        def is_it(message: dict[str, Any]) -> bool:
            return ((message.get("metadata") or {}).get("event_payload") or {}).get("key") == delivery.key

        ts = await find_message(self._web, place, channel, delivery.since, is_it)
        return Posted(channel, ts) if ts else None

    async def _has_picture(self, delivery: Delivery, place: Place, channel: str, name: str) -> bool:
        def is_it(message: dict[str, Any]) -> bool:
            return any(file.get("name") == name for file in message.get("files") or ())

        return bool(await find_message(self._web, place, channel, delivery.since, is_it))

    async def answer_privately(self, place: Place, rendered: Rendered) -> bool:
        """Answer where the command was typed, for its sender's eyes; False when Slack takes no more answers there."""
        body = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": rendered.text,
            "blocks": rendered.blocks,
        }
        try:
            await self._web.post(place.response_url, body)
        except SlackRefused as error:
            log.info("slack.response_url_used_up", error=error.code)
            return False
        return True

    async def show_pictures(self, delivery: Delivery, place: Place, message: Message) -> None:
        """Upload what a card shows that Slack can't fetch by itself; what a try before did upload is there by name."""
        mark = hashlib.sha256(delivery.key.encode()).hexdigest()[:12]
        for picture in pictures_of(message.card):
            channel, name = await self._places.channel_of(place), f"{mark}-{picture.name}"
            if delivery.is_repeat and await self._has_picture(delivery, place, channel, name):
                continue
            await self._web.call(
                place.token,
                "files_upload_v2",
                channel=channel,
                thread_ts=place.thread or None,
                content=picture.content,
                filename=name,
                title=shorten(picture.alt, 200),
                alt_txt=picture.alt,
                request_file_info=False,
            )
