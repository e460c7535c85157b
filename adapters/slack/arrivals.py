"""What Slack sends, read without asking anybody: which activity it is, or why it is none. Pure.

An arrival is an Activity that is not whole: who the person is, and what a view needs, is found behind the inbox.
Its `raw` is what Bolt dispatches there: the payload less whatever nobody reads, and less every text, since texts
may hold secrets; those stand in `text` and `value` alone, where the inbox takes them out.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from adapters.slack.words import decode, mentions, without_mention
from bot.activity import NOBODY, Activity, clean_text

CHANNEL = "slack"
Kind = Literal["events", "interactive", "slash_commands"]

FORM, REASON, START = "qm_form", "qm_decision", "qm_start"
"""Callback ids of our modals: all slots at once, a decision's reason, and a first sentence."""
ASK_ABOUT, ASK = "ask_quartermaster_message", "ask_quartermaster"
"""Callback ids of the message shortcut and the global shortcut."""
LOCAL = "slack_"
"""Beginning of the verbs that only this adapter knows."""
HANDLED_SUBTYPES = frozenset({"", "file_share", "thread_broadcast"})
EVENTS = frozenset({"app_home_opened", "app_uninstalled", "tokens_revoked"})


@dataclass(frozen=True)
class Ignored:
    """Why nothing is done about a payload."""

    reason: str


@dataclass(frozen=True)
class Reply:
    """A reply in a channel's thread, which is meant for us only if the thread is ours."""

    activity: Activity


def read(kind: Kind, payload: Mapping[str, Any]) -> Activity | Reply | Ignored:
    """Return what a payload is."""
    match kind:
        case "events":
            return _read_event(payload)
        case "slash_commands":
            return _read_command(payload)
        case "interactive":
            return _read_interaction(payload)


def conversation_of(team: str, user: str, channel: str = "", thread: str = "") -> str:
    """Return a conversation's id: a thread of a channel, else what a person and the bot say to each other."""
    return f"{CHANNEL}:{team}:{channel}:{thread}" if channel and thread else f"{CHANNEL}:{team}:@{user}"


def _read_event(payload: Mapping[str, Any]) -> Activity | Reply | Ignored:
    event = _mapping(payload.get("event"))
    kind = _text(event, "type")
    if kind in ("message", "app_mention"):
        return _read_message(payload, event)
    if kind not in EVENTS:
        return Ignored("unhandled")
    team, user = _text(payload, "team_id"), _text(event, "user")
    kept = {k: event[k] for k in ("type", "user", "channel", "tab", "event_ts", "tokens") if k in event}
    return Activity(
        key=_key(payload, "event", _text(payload, "event_id") or _digest(payload)),
        channel=CHANNEL,
        conversation=conversation_of(team, user),
        person=NOBODY,
        kind="press",
        verb=LOCAL + kind,
        value=f"{team}/{user}",
        address=_address(payload, team, user, dm=_text(event, "channel")),
        platform_id=_platform_id(payload, team, user),
        raw={"kind": "events", "payload": {**_envelope(payload), "event": kept}},
    )


def _read_message(payload: Mapping[str, Any], event: Mapping[str, Any]) -> Activity | Reply | Ignored:
    if event.get("bot_id") or event.get("bot_profile") or _text(event, "subtype") == "bot_message":
        return Ignored("bot")
    if _text(event, "subtype") not in HANDLED_SUBTYPES or event.get("hidden"):
        return Ignored("subtype")  # edits, deletions, joins, topics and the like say nothing to us
    user, channel, ts = _text(event, "user"), _text(event, "channel"), _text(event, "ts")
    if not user or not channel or not ts:
        return Ignored("malformed")
    bot = _bot_of(payload)
    if user == bot:
        return Ignored("own")
    team, text, thread = _team_of(payload), _text(event, "text"), _text(event, "thread_ts")
    is_direct = _text(event, "channel_type") == "im" or channel.startswith("D")
    is_mention = _text(event, "type") == "app_mention" or mentions(text, bot)
    if not is_direct and not is_mention and not thread:
        return Ignored("not_for_us")
    is_shared = bool(payload.get("is_ext_shared_channel"))
    home = _text(event, "user_team") or _text(event, "source_team") or _text(event, "team") or team
    address = _address(payload, team, user, dm=channel if is_direct else "", home=home)
    if is_direct:
        conversation = conversation_of(team, user)
        if thread and thread != ts:
            address["thread"] = thread
        address["asked"] = ts
    else:
        conversation = conversation_of(team, user, channel, thread or ts)
        address |= {"channel": channel, "thread": thread or ts, "is_shared": is_shared}
    said = without_mention(text, bot) if bot else _without_first_mention(text, is_mention)
    kept = {
        k: event[k] for k in ("type", "user", "channel", "channel_type", "ts", "thread_ts", "subtype") if k in event
    }
    activity = Activity(
        key=f"{CHANNEL}:{_text(payload, 'api_app_id')}:{team}:{channel}:{ts}",
        channel=CHANNEL,
        conversation=conversation,
        person=NOBODY,
        text=clean_text(decode(said)),
        address=address,
        platform_id=_platform_id(payload, home, user),
        raw={"kind": "events", "payload": {**_envelope(payload), "event": kept}},
    )
    if is_direct or is_mention:
        return activity
    address["is_reply"] = True
    return Reply(activity)


def _read_command(payload: Mapping[str, Any]) -> Activity | Ignored:
    team, user = _text(payload, "team_id"), _text(payload, "user_id")
    if not team or not user or not _text(payload, "command"):
        return Ignored("malformed")
    names = ("api_app_id", "team_id", "enterprise_id", "is_enterprise_install", "channel_id", "user_id", "command")
    kept = {k: payload[k] for k in names if k in payload}
    address = _address(payload, team, user, response_url=_text(payload, "response_url"))
    return Activity(
        key=_key(payload, "command", _text(payload, "trigger_id") or _digest(payload)),
        channel=CHANNEL,
        conversation=conversation_of(team, user),
        person=NOBODY,
        text=clean_text(decode(_text(payload, "text"))) or "help",
        address=address,
        platform_id=_platform_id(payload, team, user),
        raw={"kind": "slash_commands", "payload": {**kept, "trigger_id": _text(payload, "trigger_id")}},
    )


def _read_interaction(payload: Mapping[str, Any]) -> Activity | Ignored:
    kind = _text(payload, "type")
    user = _mapping(payload.get("user"))
    team = _text(_mapping(payload.get("team")), "id") or _text(user, "team_id")
    who = _text(user, "id")
    if not team or not who:
        return Ignored("malformed")
    home = _text(user, "team_id") or team
    common: dict[str, Any] = {
        "channel": CHANNEL,
        "person": NOBODY,
        "platform_id": _platform_id(payload, home, who),
        "key": _key(payload, kind, _text(payload, "trigger_id") or _digest(payload)),
    }
    names = ("type", "api_app_id", "team", "enterprise", "user", "trigger_id", "callback_id", "is_enterprise_install")
    kept: dict[str, Any] = {k: payload[k] for k in names if k in payload}
    address = _address(payload, team, who, home=home)
    match kind:
        case "block_actions":
            return _read_press(payload, common, kept, address)
        case "view_submission":
            return _read_submission(payload, common, kept, address)
        case "shortcut" if _text(payload, "callback_id") == ASK:
            verb = LOCAL + "start"
            raw = {"kind": "interactive", "payload": kept}
            place = conversation_of(team, who)
            return Activity(
                **common, conversation=place, kind="press", verb=verb, value=home + who, address=address, raw=raw
            )
        case "message_action" if _text(payload, "callback_id") == ASK_ABOUT:
            return _read_message_action(payload, common, kept, address)
    return Ignored("unhandled")


def _read_press(
    payload: Mapping[str, Any], common: Mapping[str, Any], kept: dict[str, Any], address: dict[str, Any]
) -> Activity | Ignored:
    actions = payload.get("actions")
    action = _mapping(actions[0]) if isinstance(actions, list) and actions else {}
    verb, _, _ = _text(action, "action_id").partition(":")
    if not verb or verb == LOCAL + "link":
        return Ignored("unhandled")
    value = _text(action, "value") or _text(_mapping(action.get("selected_option")), "value")
    container, view = _mapping(payload.get("container")), _mapping(payload.get("view"))
    team, user = address["team"], address["user"]
    channel, ts = _text(container, "channel_id"), _text(container, "message_ts")
    thread = _text(container, "thread_ts") or _text(_mapping(payload.get("message")), "thread_ts") or ts
    if channel and not channel.startswith("D") and not container.get("is_ephemeral"):
        address |= {"channel": channel, "thread": thread}
        conversation = conversation_of(team, user, channel, thread)
    else:
        conversation = conversation_of(team, user)
        if container.get("is_ephemeral"):
            address["response_url"] = _text(payload, "response_url")
        elif channel:
            address["dm"] = channel
    kept["actions"] = [{k: action[k] for k in ("type", "action_id", "block_id", "action_ts") if k in action}]
    if view:
        kept["view"] = {k: view[k] for k in ("id", "type", "hash", "callback_id", "private_metadata") if k in view}
    kept["container"] = {
        k: container[k] for k in ("type", "channel_id", "message_ts", "is_ephemeral") if k in container
    }
    raw = {"kind": "interactive", "payload": kept}
    return Activity(**common, conversation=conversation, kind="press", verb=verb, value=value, address=address, raw=raw)


def _read_submission(
    payload: Mapping[str, Any], common: Mapping[str, Any], kept: dict[str, Any], address: dict[str, Any]
) -> Activity | Ignored:
    view = _mapping(payload.get("view"))
    callback, metadata = _text(view, "callback_id"), metadata_of(view)
    said = answers_of(view)
    conversation = _text(metadata, "conversation") or conversation_of(address["team"], address["user"])
    parts = conversation.split(":")
    if len(parts) == 4:
        address |= {"channel": parts[2], "thread": parts[3]}
    kept["view"] = {k: view[k] for k in ("id", "type", "callback_id", "private_metadata") if k in view}
    raw = {"kind": "interactive", "payload": kept}
    whole = {**common, "conversation": conversation, "address": address, "raw": raw}
    match callback:
        case _ if callback == FORM:
            value = json.dumps({"intent": _text(metadata, "intent"), "slots": said}, ensure_ascii=False)
            return Activity(**whole, kind="press", verb="submit", value=value)
        case _ if callback == REASON:
            value = f"{_text(metadata, 'request')}:{_text(metadata, 'version')}"
            verb = LOCAL + ("approve" if _text(metadata, "decision") == "approve" else "reject")
            return Activity(
                **whole, kind="press", verb=f"{verb}_now", value=value, text=clean_text(said.get("reason", ""))
            )
        case _ if callback == START:
            return Activity(**whole, text=clean_text(said.get("text", "")))
    return Ignored("unhandled")


def _read_message_action(
    payload: Mapping[str, Any], common: Mapping[str, Any], kept: dict[str, Any], address: dict[str, Any]
) -> Activity | Ignored:
    message, channel = _mapping(payload.get("message")), _text(_mapping(payload.get("channel")), "id")
    ts = _text(message, "thread_ts") or _text(message, "ts")
    if channel and ts and not channel.startswith("D"):
        address |= {"channel": channel, "thread": ts}
    conversation = conversation_of(address["team"], address["user"], address["channel"], address["thread"])
    raw = {"kind": "interactive", "payload": {**kept, "channel": {"id": channel}}}
    return Activity(
        **common, conversation=conversation, text=clean_text(decode(_text(message, "text"))), address=address, raw=raw
    )


def answers_of(view: Mapping[str, Any]) -> dict[str, str]:
    """Return what was filled into a modal, by block id; what was left empty is not there."""
    found: dict[str, str] = {}
    for block, actions in _mapping(_mapping(view.get("state")).get("values")).items():
        for answer in _mapping(actions).values():
            given = _mapping(answer)
            value = _text(given, "value") or _text(_mapping(given.get("selected_option")), "value")
            if value := clean_text(value):
                found[str(block)] = value
    return found


def metadata_of(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what we gave a modal to carry; empty when it is not ours."""
    try:
        return _mapping(json.loads(_text(view, "private_metadata") or "{}"))
    except ValueError:
        return {}


def _address(
    payload: Mapping[str, Any], team: str, user: str, *, dm: str = "", home: str = "", response_url: str = ""
) -> dict[str, Any]:
    """Return what is needed to answer: `channel` and `thread`, or the person's own conversation (`dm`, if known)."""
    return {
        "team": team,
        "enterprise": _enterprise_of(payload),
        "is_enterprise_install": str(payload.get("is_enterprise_install")).lower() == "true",
        "user": user,
        "home": home or team,
        "channel": "",
        "thread": "",
        "dm": dm,
        "response_url": response_url,
    }


def _enterprise_of(payload: Mapping[str, Any]) -> str:
    return _text(payload, "enterprise_id") or _text(_mapping(payload.get("enterprise")), "id")


def _platform_id(payload: Mapping[str, Any], home: str, user: str) -> str:
    """Return how a user is known; in an organisation the same in all its workspaces."""
    return f"{_enterprise_of(payload) or home}/{user}"


def _envelope(payload: Mapping[str, Any]) -> dict[str, Any]:
    names = ("type", "api_app_id", "event_id", "event_time", "enterprise_id", "is_ext_shared_channel", "authorizations")
    return {**{k: payload[k] for k in names if k in payload}, "team_id": _team_of(payload)}


def _team_of(payload: Mapping[str, Any]) -> str:
    """Return the workspace that has the app: in a shared channel, the sender's may be another."""
    return _text(_authorization(payload), "team_id") or _text(payload, "team_id")


def _bot_of(payload: Mapping[str, Any]) -> str:
    found = _authorization(payload)
    return _text(found, "user_id") if found.get("is_bot", True) else ""


def _authorization(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    listed = payload.get("authorizations")
    return _mapping(listed[0]) if isinstance(listed, list) and listed else {}


def _without_first_mention(text: str, is_mention: bool) -> str:
    if not is_mention or not text.lstrip().startswith("<@"):
        return text
    return text.lstrip().partition(">")[2].lstrip(" :,")


def _key(payload: Mapping[str, Any], kind: str, mark: str) -> str:
    team = _text(payload, "team_id") or _text(_mapping(payload.get("team")), "id")
    return f"{CHANNEL}:{_text(payload, 'api_app_id')}:{team}:{kind}:{mark}"[:255]


def _digest(payload: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()[:32]


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(mapping: Mapping[str, Any], name: str) -> str:
    value = mapping.get(name)
    return value if isinstance(value, str) else ""
