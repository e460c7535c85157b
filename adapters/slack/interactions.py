"""Buttons, forms and shortcuts, read without asking anybody: which activity each is, or why it is none. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from adapters.slack.envelope import (
    ASK,
    ASK_ABOUT,
    CHANNEL,
    FORM,
    LOCAL,
    REASON,
    START,
    Ignored,
    address_of,
    conversation_of,
    digest_of_payload,
    key_of,
    mapping_of,
    platform_id_of,
    text_of,
)
from adapters.slack.words import decode
from bot.activity import NOBODY, Activity, clean_text


def read_interaction(payload: Mapping[str, Any]) -> Activity | Ignored:
    """Return what an interaction is."""
    kind = text_of(payload, "type")
    user = mapping_of(payload.get("user"))
    team = text_of(mapping_of(payload.get("team")), "id") or text_of(user, "team_id")
    who = text_of(user, "id")
    if not team or not who:
        return Ignored("malformed")
    home = text_of(user, "team_id") or team
    common: dict[str, Any] = {
        "channel": CHANNEL,
        "person": NOBODY,
        "platform_id": platform_id_of(payload, home, who),
        "key": key_of(payload, kind, text_of(payload, "trigger_id") or digest_of_payload(payload)),
    }
    names = ("type", "api_app_id", "team", "enterprise", "user", "trigger_id", "callback_id", "is_enterprise_install")
    kept: dict[str, Any] = {k: payload[k] for k in names if k in payload}
    address = address_of(payload, team, who, home=home)
    match kind:
        case "block_actions":
            return _read_press(payload, common, kept, address)
        case "view_submission":
            return _read_submission(payload, common, kept, address)
        case "shortcut" if text_of(payload, "callback_id") == ASK:
            verb = LOCAL + "start"
            raw = {"kind": "interactive", "payload": kept}
            place = conversation_of(address)
            return Activity(
                **common, conversation=place, kind="press", verb=verb, value=home + who, address=address, raw=raw
            )
        case "message_action" if text_of(payload, "callback_id") == ASK_ABOUT:
            return _read_message_action(payload, common, kept, address)
    return Ignored("unhandled")


def _read_press(
    payload: Mapping[str, Any], common: Mapping[str, Any], kept: dict[str, Any], address: dict[str, Any]
) -> Activity | Ignored:
    actions = payload.get("actions")
    action = mapping_of(actions[0]) if isinstance(actions, list) and actions else {}
    verb, _, _ = text_of(action, "action_id").partition(":")
    if not verb or verb == LOCAL + "link":
        return Ignored("unhandled")
    value = text_of(action, "value") or text_of(mapping_of(action.get("selected_option")), "value")
    container, view = mapping_of(payload.get("container")), mapping_of(payload.get("view"))
    channel, ts = text_of(container, "channel_id"), text_of(container, "message_ts")
    thread = text_of(container, "thread_ts") or text_of(mapping_of(payload.get("message")), "thread_ts") or ts
    if channel and not channel.startswith("D") and not container.get("is_ephemeral"):
        address |= {"channel": channel, "thread": thread}
        conversation = conversation_of(address, channel, thread)
    else:
        conversation = conversation_of(address)
        if container.get("is_ephemeral"):
            address["response_url"] = text_of(payload, "response_url")
        elif channel:
            address["dm"] = channel
            address["thread"] = thread if thread != ts else ""
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
    view = mapping_of(payload.get("view"))
    callback, metadata = text_of(view, "callback_id"), metadata_of(view)
    said = answers_of(view)
    conversation = text_of(metadata, "conversation") or conversation_of(address)
    parts = conversation.split(":")
    if len(parts) == 4:
        address |= {"channel": parts[2], "thread": parts[3]}
    kept["view"] = {k: view[k] for k in ("id", "type", "callback_id", "private_metadata") if k in view}
    raw = {"kind": "interactive", "payload": kept}
    whole = {**common, "conversation": conversation, "address": address, "raw": raw}
    match callback:
        case _ if callback == FORM:
            value = json.dumps({"intent": text_of(metadata, "intent"), "slots": said}, ensure_ascii=False)
            return Activity(**whole, kind="press", verb="submit", value=value)
        case _ if callback == REASON:
            value = f"{text_of(metadata, 'request')}:{text_of(metadata, 'version')}"
            verb = LOCAL + ("approve" if text_of(metadata, "decision") == "approve" else "reject")
            return Activity(
                **whole, kind="press", verb=f"{verb}_now", value=value, text=clean_text(said.get("reason", ""))
            )
        case _ if callback == START:
            if about := mapping_of(metadata.get("about")):
                address["about"] = {name: text_of(about, name) for name in ("name", "link")}
            return Activity(**whole, text=clean_text(said.get("text", "")))
    return Ignored("unhandled")


def _read_message_action(
    payload: Mapping[str, Any], common: Mapping[str, Any], kept: dict[str, Any], address: dict[str, Any]
) -> Activity | Ignored:
    message, channel = mapping_of(payload.get("message")), text_of(mapping_of(payload.get("channel")), "id")
    ts = text_of(message, "thread_ts") or text_of(message, "ts")
    if channel and ts and not channel.startswith("D"):
        address |= {"channel": channel, "thread": ts}
    conversation = conversation_of(address, address["channel"], address["thread"])
    author = text_of(message, "user")
    about = {"user": author, "ts": text_of(message, "ts"), "channel": channel}
    raw = {"kind": "interactive", "payload": {**kept, "channel": {"id": channel}, "about": about}}
    words = clean_text(decode(text_of(message, "text")))
    whole = {**common, "conversation": conversation, "address": address, "raw": raw}
    if author == address["user"]:
        return Activity(**whole, text=words)
    return Activity(**whole, kind="press", verb=LOCAL + "about", value=words)


def answers_of(view: Mapping[str, Any]) -> dict[str, str]:
    """Return what was filled into a modal, by block id; what was left empty is not there."""
    found: dict[str, str] = {}
    for block, actions in mapping_of(mapping_of(view.get("state")).get("values")).items():
        for answer in mapping_of(actions).values():
            given = mapping_of(answer)
            value = text_of(given, "value") or text_of(mapping_of(given.get("selected_option")), "value")
            if value := clean_text(value):
                found[str(block)] = value
    return found


def metadata_of(view: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what we gave a modal to carry; empty when it is not ours."""
    try:
        return mapping_of(json.loads(text_of(view, "private_metadata") or "{}"))
    except ValueError:
        return {}
