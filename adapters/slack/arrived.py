"""An arrival with what was found out about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.slack.envelope import conversation_of
from adapters.slack.workspaces import Workspace
from bot.activity import Activity, Person


@dataclass(frozen=True)
class Arrived:
    """Something a member of a served workspace did; `activity` is whole."""

    activity: Activity
    workspace: Workspace
    person: Person
    payload: Mapping[str, Any]

    @property
    def user(self) -> str:
        """The user's id."""
        return str(self.activity.address["user"])

    @property
    def trigger(self) -> str:
        """What lets a modal be opened, once and within three seconds; empty when there is nothing."""
        return str(self.payload.get("trigger_id") or "")

    @property
    def own_conversation(self) -> str:
        """The id of the person's own conversation with the bot."""
        return conversation_of(self.activity.address)
