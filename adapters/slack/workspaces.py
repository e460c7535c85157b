"""Which workspaces are served, and with which token: one by settings, or many that installed the app."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from adapters.slack.web import SlackRefused, Web
from bot.errors import Unavailable

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Workspace:
    """One workspace, or a whole Enterprise Grid organisation, that has the app; `token` is the bot's.

    `team_id` is empty for an organisation's installation; `enterprise_id`, `bot_id` and `app_id` may be.
    """

    team_id: str
    enterprise_id: str
    bot_user_id: str
    bot_id: str
    app_id: str
    token: str = field(repr=False)

    @property
    def home(self) -> str:
        """What its people belong to, and are known by: the organisation, else the workspace."""
        return self.enterprise_id or self.team_id


class Workspaces(Protocol):
    """Finds the workspace that an event came from."""

    async def find(
        self, team_id: str, enterprise_id: str = "", is_enterprise_install: bool = False
    ) -> Workspace | None:
        """Return the workspace with a token that is valid now, None when it is not served.

        Raises Unavailable when that can't be known at the moment.
        """
        ...

    async def first(self) -> Workspace | None:
        """Return a workspace that is served, None when there is none yet."""
        ...

    async def everywhere(self) -> list[Workspace]:
        """Return all that are served, in the order in which approvers are looked for, wherever a request came from."""
        ...

    async def forget(self, team_id: str, enterprise_id: str = "") -> None:
        """Serve a workspace no longer: the app was uninstalled, or its tokens were revoked."""
        ...


class SingleWorkspace:
    """The workspace whose bot token the settings hold; Slack is asked once which one that is."""

    def __init__(self, web: Web, token: str) -> None:
        self._web, self._token = web, token
        self._known: Workspace | None = None
        self._asking = asyncio.Lock()
        self._is_gone = False

    async def find(
        self, team_id: str, enterprise_id: str = "", is_enterprise_install: bool = False
    ) -> Workspace | None:
        """Return the workspace if the token is its own; raises Unavailable when Slack does not tell."""
        known = await self.first()
        if known is None:
            return None
        by_team = bool(team_id) and team_id == known.team_id
        by_organisation = is_enterprise_install and bool(enterprise_id) and enterprise_id == known.enterprise_id
        return known if by_team or by_organisation else None

    async def first(self) -> Workspace | None:
        """Return the workspace, None once the app was uninstalled."""
        if self._is_gone:
            return None
        async with self._asking:
            if self._known is None:
                self._known = await self._ask()
        return self._known

    async def everywhere(self) -> list[Workspace]:
        """Return the workspace."""
        known = await self.first()
        return [known] if known else []

    async def forget(self, team_id: str, enterprise_id: str = "") -> None:
        """Serve it no longer; with the next start the token is tried again."""
        known = self._known
        if known is not None and team_id == known.team_id:
            log.warning("slack.uninstalled", team=team_id)
            self._is_gone = True

    async def _ask(self) -> Workspace:
        try:
            told = await self._web.call(self._token, "auth_test")
        except SlackRefused as error:
            raise Unavailable(
                f"Slack does not take SLACK_BOT_TOKEN: {error.code}.",
                next_step="Copy the bot token anew from the app's page.",
            ) from error
        return Workspace(
            team_id=str(told.get("team_id") or ""),
            enterprise_id=str(told.get("enterprise_id") or ""),
            bot_user_id=str(told.get("user_id") or ""),
            bot_id=str(told.get("bot_id") or ""),
            app_id=str(told.get("app_id") or ""),
            token=self._token,
        )
