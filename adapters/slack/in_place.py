"""Modals that are checked before they are acknowledged: what is wrong is told at its field."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import structlog

from adapters.slack.arrived import Arrived
from adapters.slack.deciding import Deciding
from adapters.slack.envelope import LOCAL
from adapters.slack.forms import Forms
from adapters.slack.persons import Persons
from adapters.slack.web import SlackRefused
from adapters.slack.workspaces import Workspaces
from bot.activity import Activity
from bot.errors import Unavailable
from bot.services import Services

log = structlog.get_logger(__name__)

IN_PLACE = 1.0
"""Seconds that may go by until it is known whose form it is: Slack waits three for the acknowledgement. What is not
checked in time is checked in the conversation."""


class InPlace:
    """Checks modals before they are acknowledged; see Receiver."""

    def __init__(
        self, services: Services, workspaces: Workspaces, persons: Persons, forms: Forms, deciding: Deciding
    ) -> None:
        self._services, self._workspaces, self._persons = services, workspaces, persons
        self._forms, self._deciding = forms, deciding

    async def check(self, activity: Activity, payload: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the acknowledgement that refuses a modal, None when it is to be kept and handled."""
        view = payload.get("view") or {}
        if activity.verb.startswith(LOCAL):
            return self._deciding.check(view, activity.text)
        if activity.verb != "submit":
            return None
        try:
            async with asyncio.timeout(IN_PLACE):
                arrived = await self._arrived(activity, payload)
        except (Unavailable, SlackRefused, TimeoutError) as error:
            log.info("slack.not_checked_in_place", error=str(error))
            return None
        return await self._forms.check(arrived, view) if arrived else None

    async def _arrived(self, activity: Activity, payload: Mapping[str, Any]) -> Arrived | None:
        address = activity.address
        workspace = await self._workspaces.find(
            address["team"], address["enterprise"], address["is_enterprise_install"]
        )
        if workspace is None:
            return None
        found = await self._persons.find(workspace, address["user"], address["home"])
        if found.person is None:
            return None
        return Arrived(replace(activity, raw={}, person=found.person), workspace, found.person, payload)
