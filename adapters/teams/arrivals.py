"""What Teams sends, read without asking anybody: which activity it is, or why it is none. Pure.

An arrival is an Activity that is not whole: who the person is gets found behind the inbox. Texts stand in `text` and
`value` alone, where the inbox takes secrets out.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.activity import NOBODY, Activity, clean_text

CHANNEL = "teams"
CARD_ACTION = "adaptiveCard/action"
"""Name of the invoke that a pressed Action.Execute sends."""
LOCAL = "teams_"
"""Beginning of the verbs that only this adapter knows."""
INSTALLED, REMOVED = LOCAL + "installed", LOCAL + "removed"
NEWS = frozenset({"conversationUpdate", "installationUpdate"})
"""Types of what Teams itself tells; their ids name no message, so that no thread begins there."""
APPROVE, REJECT = LOCAL + "approve", LOCAL + "reject"
VIEW, FORM = LOCAL + "view", LOCAL + "form"
"""Verbs of what is only looked at: a request's card as one person may see it, and the form of an order."""
PRESSED = frozenset({APPROVE, REJECT, VIEW, FORM})
"""Verbs of ours that people press; the others only name what Teams itself tells."""
CHOICE = "choice"
"""Id of the Input.ChoiceSet in our cards; its values are those of the buttons that it stands for."""
REASON = "reason"
"""Id of the Input.Text in which a decision is explained."""
FIELD = "field."
"""Beginning of the ids of a form's inputs; the slot's name follows."""
MESSAGE = "seq"
"""What an action carries besides: the number of the message that it stands in."""
MOST = 200
"""Characters of a conversation's id: with a message's, it names where a card stands."""
_THREAD = ";messageid="
_AT = re.compile(r"<at[^>]*>(.*?)</at>", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Ignored:
    """Why nothing is done about an activity."""

    reason: str


def read(payload: Mapping[str, Any], app_id: str, tenant: str) -> Activity | Ignored:
    """Return what a verified activity is; `tenant` is the one that it is from."""
    conversation, sender = _mapping(payload.get("conversation")), _mapping(payload.get("from"))
    place = _text(conversation, "id")
    if not place:
        return Ignored("malformed")
    bot = _text(_mapping(payload.get("recipient")), "id")
    is_news = _text(payload, "type") in NEWS
    if _is_bot(_text(sender, "id"), bot):
        if not is_news:
            return Ignored("own")
        sender = {}  # an app that is installed for somebody may be named as who did it
    kind = _text(conversation, "conversationType") or ("groupChat" if conversation.get("isGroup") else "personal")
    if kind == "channel" and _THREAD not in place and not is_news:
        place += _THREAD + (_text(payload, "replyToId") or _text(payload, "id"))
    channel = _mapping(_mapping(payload.get("channelData")).get("channel"))
    address = {
        "service_url": _text(payload, "serviceUrl"),
        "conversation": place,
        "kind": kind,
        "tenant": tenant,
        "user": _text(sender, "id"),
        "is_shared": _text(channel, "type").casefold() == "shared",
    }
    common: dict[str, Any] = {
        "key": _key(payload, app_id, tenant),
        "channel": CHANNEL,
        "conversation": conversation_of(tenant, place),
        "person": NOBODY,
        "address": address,
        "platform_id": platform_id(tenant, _text(sender, "aadObjectId")),
        "raw": {"type": _text(payload, "type")},  # what has none counts as whole: its person would be nobody
    }
    match _text(payload, "type"):
        case "message":
            return _read_message(payload, common, bot, kind)
        case "invoke":
            return _read_press(payload, common)
        case "installationUpdate" if _text(payload, "action").startswith("add"):
            return Activity(**common, kind="press", verb=INSTALLED, value=place)
        case "conversationUpdate" if _names(payload.get("membersAdded"), bot):
            return Activity(**common, kind="press", verb=INSTALLED, value=place)
        case "conversationUpdate" if _names(payload.get("membersRemoved"), bot):
            return Activity(**common, kind="press", verb=REMOVED, value=place)
        case "installationUpdate" if _text(payload, "action").startswith("remove"):
            return Activity(**common, kind="press", verb=REMOVED, value=place)
    return Ignored("unhandled")


def conversation_of(tenant: str, place: str) -> str:
    """Return our id of a conversation of Teams; a thread of a channel is one of its own."""
    whole = f"{CHANNEL}:{tenant}:{place}"
    return whole if len(whole) <= MOST else f"{CHANNEL}:{tenant}:{hashlib.sha256(place.encode()).hexdigest()}"


def platform_id(tenant: str, object_id: str) -> str:
    """Return the immutable id of a user, empty for somebody who has none, such as a bot or a nameless guest."""
    return f"{tenant}/{object_id.casefold()}" if object_id else ""


def _read_message(payload: Mapping[str, Any], common: dict[str, Any], bot: str, kind: str) -> Activity | Ignored:
    if not common["platform_id"]:
        return Ignored("nobody")
    text, is_mentioned = _said(payload, bot)
    if kind != "personal" and not is_mentioned:
        return Ignored("not_for_us")
    if not text:
        if not is_mentioned:
            return Ignored("empty")
        text = "help"
    return Activity(**common, text=text)


def _said(payload: Mapping[str, Any], bot: str) -> tuple[str, bool]:
    """Return what was said without the mention of the bot, and whether there was one."""
    text = _text(payload, "text")
    is_mentioned = False
    entities = payload.get("entities")
    for entity in entities if isinstance(entities, list) else ():
        entity = _mapping(entity)
        if entity.get("type") != "mention" or _text(_mapping(entity.get("mentioned")), "id") != bot:
            continue
        is_mentioned = True
        if marked := _text(entity, "text"):
            text = text.replace(marked, " ")
    text = _AT.sub(lambda found: f"@{found[1]}", text)
    return clean_text(html.unescape(text).replace("\u00a0", " ")), is_mentioned


def _read_press(payload: Mapping[str, Any], common: dict[str, Any]) -> Activity | Ignored:
    action = _mapping(_mapping(payload.get("value")).get("action"))
    data, verb = _mapping(action.get("data")), _text(action, "verb")
    if not verb or (verb.startswith(LOCAL) and verb not in PRESSED) or not common["platform_id"]:
        return Ignored("malformed")
    value = _text(data, "value") or _text(data, CHOICE)
    if verb == "submit":
        value = json.dumps({"intent": _text(data, "intent"), "slots": answers_of(data)}, ensure_ascii=False)
    number = data.get(MESSAGE)
    raw = {**common["raw"], MESSAGE: number if isinstance(number, int) and 0 < number < 2**53 else 0}
    reason = clean_text(_text(data, REASON))
    return Activity(**{**common, "raw": raw}, kind="press", verb=verb, value=value, text=reason)


def answers_of(data: Mapping[str, Any]) -> dict[str, str]:
    """Return what was filled into a form, by slot; what was left empty is not there."""
    found = {str(name): clean_text(_text(data, str(name))) for name in data if str(name).startswith(FIELD)}
    return {name.removeprefix(FIELD): said for name, said in found.items() if said}


def _key(payload: Mapping[str, Any], app_id: str, tenant: str) -> str:
    named = _text(payload, "id") or hashlib.sha256(json.dumps(payload, sort_keys=True).encode()).hexdigest()
    place = _text(_mapping(payload.get("conversation")), "id")
    key = f"{CHANNEL}:{app_id}:{tenant}:{place}:{_text(payload, 'type')}:{named}"
    return key if len(key) <= 255 else f"{CHANNEL}:{app_id}:{tenant}:{hashlib.sha256(key.encode()).hexdigest()}"


def _is_bot(sender: str, bot: str) -> bool:
    return sender.startswith("28:") or (bool(bot) and sender == bot)


def _names(members: Any, bot: str) -> bool:
    return isinstance(members, list) and any(bot and _text(_mapping(m), "id") == bot for m in members)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: Mapping[str, Any], name: str) -> str:
    """Return a text that can be stored: no lone surrogates, no NUL."""
    found = value.get(name)
    if not isinstance(found, str):
        return ""
    return found.encode("utf-8", "replace").decode().replace("\x00", "")
