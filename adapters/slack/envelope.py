"""What every payload of Slack's holds alike: whose it is, and what it takes to answer. Pure."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

CHANNEL = "slack"
FORM, REASON, START = "qm_form", "qm_decision", "qm_start"
"""Callback ids of our modals: all slots at once, a decision's reason, and a first sentence."""
ASK_ABOUT, ASK = "ask_quartermaster_message", "ask_quartermaster"
"""Callback ids of the message shortcut and the global shortcut."""
LOCAL = "slack_"
"""Beginning of the verbs that only this adapter knows."""


@dataclass(frozen=True)
class Ignored:
    """Why nothing is done about a payload."""

    reason: str


def conversation_of(address: Mapping[str, Any], channel: str = "", thread: str = "") -> str:
    """Return a conversation's id: a thread of a channel, else what a person and the bot say to each other.

    With an organisation's installation it is the same whichever of its workspaces one looks at it from.
    """
    home = address["enterprise"] if address["is_enterprise_install"] and address["enterprise"] else address["team"]
    where = f"{channel}:{thread}" if channel and thread else f"@{address['user']}"
    return f"{CHANNEL}:{home}:{where}"


def address_of(
    payload: Mapping[str, Any], team: str, user: str, *, dm: str = "", home: str = "", response_url: str = ""
) -> dict[str, Any]:
    """Return what is needed to answer: `channel` and `thread`, or the person's own conversation (`dm`, if known)."""
    return {
        "team": team,
        "enterprise": enterprise_of(payload),
        "is_enterprise_install": is_org_wide(payload),
        "user": user,
        "home": home or team,
        "channel": "",
        "thread": "",
        "dm": dm,
        "response_url": response_url,
    }


def enterprise_of(payload: Mapping[str, Any]) -> str:
    """Return the organisation that has the app: in a shared channel, the sender's may be another."""
    authorization = authorization_of(payload)
    if authorization:
        return text_of(authorization, "enterprise_id")
    return text_of(payload, "enterprise_id") or text_of(mapping_of(payload.get("enterprise")), "id")


def is_org_wide(payload: Mapping[str, Any]) -> bool:
    """Tell whether the app is installed in the organisation, not in the one workspace."""
    told = (authorization_of(payload) or payload).get("is_enterprise_install")
    return str(told).lower() == "true"


def platform_id_of(payload: Mapping[str, Any], home: str, user: str) -> str:
    """Return how a user is known; in an organisation the same in all its workspaces."""
    return f"{enterprise_of(payload) or home}/{user}"


def team_of(payload: Mapping[str, Any]) -> str:
    """Return the workspace that has the app: in a shared channel, the sender's may be another."""
    return text_of(authorization_of(payload), "team_id") or text_of(payload, "team_id")


def bot_of(payload: Mapping[str, Any]) -> str:
    """Return the bot's own user id, as far as the payload tells."""
    found = authorization_of(payload)
    return text_of(found, "user_id") if found.get("is_bot", True) else ""


def authorization_of(payload: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the installation that an event is for; empty for what is no event."""
    listed = payload.get("authorizations")
    return mapping_of(listed[0]) if isinstance(listed, list) and listed else {}


def key_of(payload: Mapping[str, Any], kind: str, mark: str) -> str:
    """Return what tells one event, press or command from all others, however often it comes."""
    team = text_of(payload, "team_id") or text_of(mapping_of(payload.get("team")), "id")
    return f"{CHANNEL}:{text_of(payload, 'api_app_id')}:{team}:{kind}:{mark}"[:255]


def digest_of_payload(payload: Mapping[str, Any]) -> str:
    """Return what stands for a payload that names itself in no way."""
    return hashlib.sha256(json.dumps(payload, sort_keys=True, default=str).encode()).hexdigest()[:32]


def storable(payload: Any) -> Any:
    """Return a JSON value with texts that can be stored: no lone surrogates, no NUL. Raises RecursionError."""
    told = json.dumps(payload)  # a fraction of what a walk costs, which few payloads need
    return _storable(payload) if "\\ud" in told or "\\u0000" in told else payload


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _storable_text(value)
    if isinstance(value, dict):
        return {_storable_text(name): _storable(held) for name, held in value.items()}
    return [_storable(held) for held in value] if isinstance(value, list) else value


def _storable_text(text: str) -> str:
    return text.encode("utf-8", "replace").decode().replace("\x00", "")


def mapping_of(value: Any) -> Mapping[str, Any]:
    """Return a JSON object, an empty one in place of anything else."""
    return value if isinstance(value, Mapping) else {}


def text_of(mapping: Mapping[str, Any], name: str) -> str:
    """Return a text of an object, empty in place of anything else."""
    value = mapping.get(name)
    return value if isinstance(value, str) else ""
