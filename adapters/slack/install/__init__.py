"""Installing the app in several workspaces by OAuth; on when SLACK_CLIENT_ID and SLACK_CLIENT_SECRET are set.

`build_install` returns None when it is off. Tables: slack_installations, slack_bots, slack_oauth_states.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import APIRouter
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.install.allowed import AllowList
from adapters.slack.install.rotation import SECONDS_FOR_A_CALL, Rotation
from adapters.slack.install.routes import SECONDS, Installing, install_router
from adapters.slack.install.sealing import Sealer, Unopenable, parse_keys
from adapters.slack.install.stores import InstallationStore, StateStore
from adapters.slack.install.workspaces import InstalledWorkspaces
from bot.errors import SettingsError
from bot.services import Services
from bot.settings import Settings, is_loopback_host

KEEPSAKE = "slack-token-key"
"""Name under which the embedded default keeps a key of its own."""


@dataclass(frozen=True)
class Install:
    """OAuth, built: routes, the workspaces installed, and what to call at start, at the end and for /readyz."""

    router: APIRouter
    workspaces: InstalledWorkspaces
    start: Callable[[], Awaitable[None]]
    stop: Callable[[], Awaitable[None]]
    ready: Callable[[], Awaitable[str]]


def build_install(services: Services) -> Install | None:
    """Build it from settings, None when it is off; raises SettingsError for what would be unsafe or can't work."""
    settings = services.settings
    check_install(settings)
    if not settings.slack_client_id:
        return None
    keys = parse_keys(settings.slack_token_key)
    sealer = Sealer(keys) if keys else None
    client = oauth_client(settings)
    allowed = AllowList(settings.slack_allowed_teams)
    store = InstallationStore(services.database, settings.slack_client_id, sealer)
    rotation = Rotation(
        store,
        client,
        services.database,
        services.clock,
        services.replica,
        client_id=settings.slack_client_id,
        client_secret=settings.slack_client_secret,
    )
    workspaces = InstalledWorkspaces(store, rotation, allowed, client, services.database, services.audit)
    states = StateStore(services.database, seconds=SECONDS)
    installing = Installing(
        settings,
        store,
        states,
        allowed,
        client,
        services.database,
        services.audit,
        installed=workspaces.notice,
    )

    async def start() -> None:
        if not keys:
            store.seal_with(Sealer(parse_keys([await services.keepsake(KEEPSAKE)])))
        try:
            await store.reseal()
        except Unopenable as error:
            raise SettingsError(
                "SLACK_TOKEN_KEY does not open the tokens that are kept.",
                next_step="Add the former key behind the new one, with a comma between.",
            ) from error

    return Install(install_router(installing), workspaces, start, rotation.finish, workspaces.fault)


def oauth_client(settings: Settings) -> AsyncWebClient:
    """Return a client at SLACK_API_URL that tries once: codes and refresh tokens can't be spent twice."""
    base_url = settings.slack_api_url.rstrip("/") + "/"
    return AsyncWebClient(base_url=base_url, timeout=SECONDS_FOR_A_CALL, retry_handlers=[])


def check_install(settings: Settings) -> None:
    """Refuse settings of OAuth that would be unsafe; raises SettingsError. `bot.settings` refuses the rest."""
    parse_keys(settings.slack_token_key)
    if not settings.slack_client_id:
        return
    if settings.slack_bot_token:
        raise SettingsError(
            "SLACK_BOT_TOKEN is set, and so is SLACK_CLIENT_ID: one is for a single workspace, the other for several.",
            next_step="Unset one of them.",
        )
    if not settings.slack_token_key and not settings.is_embedded:
        raise SettingsError(
            "SLACK_TOKEN_KEY is not set: the tokens of workspaces are kept sealed, and not beside their key.",
            next_step="Make one: openssl rand -base64 32",
        )
    url = urlsplit(settings.public_url)
    if url.scheme != "https" and not is_loopback_host(url.hostname or ""):
        raise SettingsError(f"Slack sends people back to https only; PUBLIC_URL is {settings.public_url!r}.")
