"""Looks through a channel or thread for what may have been written there before its answer was lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from adapters.slack.places import Place
from adapters.slack.web import Web

LOOK_BACK = 2000
"""Messages since a delivery was handed in that are looked through."""
SKEW = 60.0
"""Seconds by which Slack's clock and ours may differ."""


async def find_message(
    web: Web, place: Place, channel: str, since: datetime | None, is_it: Callable[[dict[str, Any]], bool]
) -> str:
    """Return the ts of the first message since then that is the one, empty when none is."""
    cursor, seen = "", 0
    while seen < LOOK_BACK:
        more: dict[str, Any] = {"channel": channel, "include_all_metadata": True, "limit": 100}
        if since:
            more["oldest"] = f"{since.timestamp() - SKEW:.6f}"
        if cursor:
            more["cursor"] = cursor
        if place.thread:
            told = await web.call(place.token, "conversations_replies", ts=place.thread, **more)
        else:
            told = await web.call(place.token, "conversations_history", **more)
        found = told.get("messages") or []
        for message in found:
            if is_it(message):
                return str(message.get("ts"))
        seen += max(1, len(found))
        cursor = str((told.get("response_metadata") or {}).get("next_cursor") or "")
        if not cursor:
            break
    return ""
