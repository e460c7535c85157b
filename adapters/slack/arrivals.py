"""What Slack sends, read without asking anybody: which activity it is, or why it is none. Pure.

An arrival is an Activity that is not whole: who the person is, and what a view needs, is found behind the inbox.
Its `raw` is what Bolt dispatches there: the payload less whatever nobody reads, and less every text, since texts
may hold secrets; those stand in `text` and `value` alone, where the inbox takes them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from adapters.slack.envelope import (
    CHANNEL,
    LOCAL,
    Ignored,
    address_of,
    bot_of,
    conversation_of,
    digest_of_payload,
    key_of,
    mapping_of,
    platform_id_of,
    team_of,
    text_of,
)
from adapters.slack.interactions import read_interaction
from adapters.slack.words import decode, mentions, without_mention
from bot.activity import NOBODY, Activity, clean_text

Kind = Literal["events", "interactive", "slash_commands"]

HANDLED_SUBTYPES = frozenset({"", "file_share", "thread_broadcast"})
EVENTS = frozenset({"app_home_opened", "app_uninstalled", "tokens_revoked"})
SLACKBOT = "USLACKBOT"
"""Slack's own bot, which counts as a person for Slack."""


@dataclass(frozen=True)
class Reply:
    """A reply in a channel's thread, which is meant for us only if the thread is ours."""

    activity: Activity
    is_below_ours: bool = False
    """Whether the bot itself began the thread."""


def read(kind: Kind, payload: Mapping[str, Any]) -> Activity | Reply | Ignored:
    """Return what a payload is."""
    match kind:
        case "events":
            return _read_event(payload)
        case "slash_commands":
            return _read_command(payload)
        case "interactive":
            return read_interaction(payload)


def _read_event(payload: Mapping[str, Any]) -> Activity | Reply | Ignored:
    event = mapping_of(payload.get("event"))
    kind = text_of(event, "type")
    if text_of(payload, "type") == "app_rate_limited":
        return Ignored("app_rate_limited")
    if kind in ("message", "app_mention"):
        return _read_message(payload, event)
    if kind not in EVENTS:
        return Ignored("unhandled")
    team, user = team_of(payload), text_of(event, "user")
    kept = {k: event[k] for k in ("type", "user", "channel", "tab", "event_ts", "tokens") if k in event}
    address = address_of(payload, team, user, dm=text_of(event, "channel"))
    return Activity(
        key=key_of(payload, "event", text_of(payload, "event_id") or digest_of_payload(payload)),
        channel=CHANNEL,
        conversation=conversation_of(address),
        person=NOBODY,
        kind="press",
        verb=LOCAL + kind,
        value=f"{team}/{user}",
        address=address,
        platform_id=platform_id_of(payload, team, user),
        raw={"kind": "events", "payload": {**_envelope(payload), "event": kept}},
    )


def _read_message(payload: Mapping[str, Any], event: Mapping[str, Any]) -> Activity | Reply | Ignored:
    if event.get("bot_id") or event.get("bot_profile") or text_of(event, "subtype") == "bot_message":
        return Ignored("bot")
    if text_of(event, "subtype") not in HANDLED_SUBTYPES or event.get("hidden"):
        return Ignored("subtype")  # edits, deletions, joins, topics and the like say nothing to us
    user, channel, ts = text_of(event, "user"), text_of(event, "channel"), text_of(event, "ts")
    if not user or not channel or not ts:
        return Ignored("malformed")
    bot = bot_of(payload)
    if user in (bot, SLACKBOT):
        return Ignored("own" if user == bot else "bot")
    team, text, thread = team_of(payload), text_of(event, "text"), text_of(event, "thread_ts")
    is_direct = text_of(event, "channel_type") == "im" or channel.startswith("D")
    is_mention = text_of(event, "type") == "app_mention" or mentions(text, bot)
    if not is_direct and not is_mention and not thread:
        return Ignored("not_for_us")
    is_shared = bool(payload.get("is_ext_shared_channel"))
    home = text_of(event, "user_team") or text_of(event, "source_team") or text_of(event, "team") or team
    address = address_of(payload, team, user, dm=channel if is_direct else "", home=home)
    if is_direct:
        conversation = conversation_of(address)
        if thread and thread != ts:
            address["thread"] = thread
        address["asked"] = ts
    else:
        conversation = conversation_of(address, channel, thread or ts)
        address |= {"channel": channel, "thread": thread or ts, "is_shared": is_shared}
    said = without_mention(text, bot) if bot else _without_first_mention(text, is_mention)
    kept = {
        k: event[k] for k in ("type", "user", "channel", "channel_type", "ts", "thread_ts", "subtype") if k in event
    }
    activity = Activity(
        key=f"{CHANNEL}:{text_of(payload, 'api_app_id')}:{team}:{channel}:{ts}",
        channel=CHANNEL,
        conversation=conversation,
        person=NOBODY,
        text=clean_text(decode(said)),
        address=address,
        platform_id=platform_id_of(payload, home, user),
        raw={"kind": "events", "payload": {**_envelope(payload), "event": kept}},
    )
    if is_direct or is_mention:
        return activity
    return Reply(replace(activity, is_overheard=True), bool(bot) and text_of(event, "parent_user_id") == bot)


def _read_command(payload: Mapping[str, Any]) -> Activity | Ignored:
    team, user = text_of(payload, "team_id"), text_of(payload, "user_id")
    if not team or not user or not text_of(payload, "command"):
        return Ignored("malformed")
    names = ("api_app_id", "team_id", "enterprise_id", "is_enterprise_install", "channel_id", "user_id", "command")
    kept = {k: payload[k] for k in names if k in payload}
    address = address_of(payload, team, user, response_url=text_of(payload, "response_url"))
    return Activity(
        key=key_of(payload, "command", text_of(payload, "trigger_id") or digest_of_payload(payload)),
        channel=CHANNEL,
        conversation=conversation_of(address),
        person=NOBODY,
        text=clean_text(decode(text_of(payload, "text"))) or "help",
        address=address,
        platform_id=platform_id_of(payload, team, user),
        raw={"kind": "slash_commands", "payload": {**kept, "trigger_id": text_of(payload, "trigger_id")}},
    )


def _envelope(payload: Mapping[str, Any]) -> dict[str, Any]:
    names = ("type", "api_app_id", "event_id", "event_time", "enterprise_id", "is_ext_shared_channel", "authorizations")
    return {**{k: payload[k] for k in names if k in payload}, "team_id": team_of(payload)}


def _without_first_mention(text: str, is_mention: bool) -> str:
    if not is_mention or not text.lstrip().startswith("<@"):
        return text
    return text.lstrip().partition(">")[2].lstrip(" :,")
