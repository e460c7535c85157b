"""Workspaces that installed the app themselves: found by id, served only while they are allowed."""

from __future__ import annotations

import time
from datetime import UTC, datetime

import aiohttp
import structlog
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import Bot
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.install.allowed import AllowList
from adapters.slack.install.rotation import Rotation
from adapters.slack.install.sealing import Unopenable
from adapters.slack.install.stores import InstallationStore, Place
from adapters.slack.workspaces import Workspace
from bot.audit import Audit
from bot.database import Database, Transaction
from bot.errors import Unavailable

log = structlog.get_logger(__name__)

KEEP = 10.0
"""Seconds that a workspace found is remembered: as long as another replica may take to hear of its leaving."""
DEAD = frozenset({"account_inactive", "invalid_auth", "not_authed", "team_access_not_granted", "token_expired"}) | {
    "token_revoked"
}
"""What Slack says of a token that has no installation behind it any more."""


class InstalledWorkspaces:
    """Finds the bot's token for a workspace; see `adapters.slack.workspaces.Workspaces`."""

    def __init__(
        self,
        store: InstallationStore,
        rotation: Rotation,
        allowed: AllowList,
        client: AsyncWebClient,
        database: Database,
        audit: Audit,
    ) -> None:
        self._store, self._rotation, self._allowed, self._client = store, rotation, allowed, client
        self._database, self._audit = database, audit
        self._found: dict[tuple[str, str, bool], tuple[float, Workspace]] = {}

    async def find(
        self, team_id: str, enterprise_id: str = "", is_enterprise_install: bool = False
    ) -> Workspace | None:
        """Return the workspace with a token that works; None when it is not allowed or not installed.

        A workspace in an organization is found by its own installation or by the organization's: for the latter
        `enterprise_id` must be given. Raises Unavailable when its token has ended and can't be renewed.
        """
        asked = (team_id, enterprise_id, is_enterprise_install)
        until, workspace = self._found.get(asked, (0.0, None))
        if workspace is not None and time.monotonic() < until:
            return workspace
        self._found.pop(asked, None)
        place = await self._place(team_id, enterprise_id, is_enterprise_install)
        if place is None:
            return None
        try:
            bot = await self._store.async_find_bot(enterprise_id=place.enterprise_id, team_id=place.team_id)
            fresh = await self._rotation.fresh(bot) if bot else None
        except Unopenable as error:
            log.error("slack.token_not_opened", place=str(place), reason=error.detail)
            return None
        if fresh is None:
            return None
        if self._rotation.has_ended(fresh):
            raise Unavailable(
                f"The token of {place} has ended and can't be renewed ({self._rotation.faults.get(place, 'unknown')}).",
                next_step="Install the app there again, at /slack/install.",
            )
        workspace = _workspace(fresh, team_id, enterprise_id)
        self._found[asked] = (time.monotonic() + KEEP, workspace)
        return workspace

    async def first(self) -> Workspace | None:
        """Return the first of SLACK_ALLOWED_TEAMS, in the order given, where the app is installed."""
        found = await self.everywhere()
        return found[0] if found else None

    async def everywhere(self) -> list[Workspace]:
        """Return where the app is installed and allowed: first what SLACK_ALLOWED_TEAMS names, in its order."""
        order = {name: n for n, name in enumerate(self._allowed.ids)}
        places = await self._store.places()
        places.sort(key=lambda p: order.get(p.team_id or p.enterprise_id or "", len(order)))
        found = [await self.find(p.team_id or "", p.enterprise_id or "", p.team_id is None) for p in places]
        return [workspace for workspace in found if workspace is not None]

    async def forget(self, team_id: str, enterprise_id: str = "") -> None:
        """Forget the installation after app_uninstalled or tokens_revoked, if Slack confirms that its token is dead.

        Slack may tell late, or twice: what was installed anew since then stays. Raises Unavailable when Slack does
        not answer; may be repeated.
        """
        self.forget_found()
        own = await self._store.place_of(team_id) if team_id else None
        for place in [own, Place(None, enterprise_id) if enterprise_id else None]:
            if place is not None and await self._is_gone(place):
                await self._forget(place)

    def notice(self, place: Place) -> None:
        """Go by what was just installed at a place."""
        self._rotation.forgive(place)
        self.forget_found()

    def forget_found(self) -> None:
        """Look everything up anew."""
        self._found.clear()

    async def fault(self) -> str:
        """Return what is wrong with the tokens kept, empty when nothing is."""
        if not self._rotation.faults:
            return ""
        named = ", ".join(f"{place} ({word})" for place, word in self._rotation.faults.items())
        first = min(self._rotation.ends.values(), default=0.0)
        until = datetime.fromtimestamp(first, UTC).strftime("%Y-%m-%d %H:%M UTC")
        return f"tokens can't be renewed: {named}; install the app there again at /slack/install before {until}"

    async def _place(self, team_id: str, enterprise_id: str, is_enterprise_install: bool) -> Place | None:
        """Return the place whose token serves a workspace, if that place is allowed."""
        own = None if is_enterprise_install or not team_id else await self._store.place_of(team_id)
        if own is not None:
            return own if self._allowed.has(own.team_id, own.enterprise_id) else None
        if enterprise_id and self._allowed.has_organization(enterprise_id):
            return Place(None, enterprise_id)
        return None

    async def _is_gone(self, place: Place) -> bool:
        """Tell whether there is an installation whose token Slack no longer accepts."""
        try:
            bot = await self._store.async_find_bot(enterprise_id=place.enterprise_id, team_id=place.team_id)
        except Unopenable:
            return True
        if bot is None:
            return False
        try:
            await self._client.auth_test(token=bot.bot_token)
        except SlackApiError as error:
            if error.response.get("error") in DEAD:
                return True
            raise _silent() from error
        except (aiohttp.ClientError, TimeoutError) as error:
            raise _silent() from error
        return False

    async def _forget(self, place: Place) -> None:
        async def work(transaction: Transaction) -> None:
            await self._store.forget_within(transaction, place)
            payload = {"team": place.team_id, "organization": place.enterprise_id}
            await self._audit.record(transaction, "slack.uninstalled", payload=payload)

        await self._database.write(work)
        self._rotation.forgive(place)
        log.info("slack.uninstalled", place=str(place))


def _workspace(bot: Bot, team_id: str, enterprise_id: str) -> Workspace:
    return Workspace(
        team_id=team_id or bot.team_id or "",
        enterprise_id=bot.enterprise_id or enterprise_id,
        bot_user_id=bot.bot_user_id or "",
        bot_id=bot.bot_id or "",
        app_id=bot.app_id or "",
        token=bot.bot_token,
    )


def _silent() -> Unavailable:
    return Unavailable("Slack does not say whether the app is still installed.", next_step="Try again in a minute.")
