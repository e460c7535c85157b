"""What settings of Slack and of Teams must not be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.errors import SettingsError
from bot.settings.hosts import is_loopback_host, is_near_host

if TYPE_CHECKING:
    from bot.settings.model import Settings

_SLACK_TOKENS = {"slack_bot_token": ("xoxb-", "xoxe.xoxb-"), "slack_app_token": ("xapp-",)}


def check_slack(settings: Settings) -> None:
    """Refuse settings of Slack that are mixed up or serve nobody; raises SettingsError."""
    for name, beginnings in _SLACK_TOKENS.items():
        if (token := getattr(settings, name)) and not token.startswith(beginnings):
            raise SettingsError(f"{name.upper()} must begin with {beginnings[0]}; this is another kind of token.")
    url = urlsplit(settings.slack_api_url)
    if url.scheme not in {"http", "https"} or not url.hostname or not settings.slack_api_url.endswith("/api/"):
        raise SettingsError(f"SLACK_API_URL must be a URL that ends in /api/; it is {settings.slack_api_url!r}.")
    if url.scheme == "http" and not is_loopback_host(url.hostname):
        raise SettingsError("SLACK_API_URL must be https: tokens are sent there.")
    if bool(settings.slack_client_id) != bool(settings.slack_client_secret):
        raise SettingsError("SLACK_CLIENT_ID and SLACK_CLIENT_SECRET belong together; set both or none.")
    if settings.slack_client_id and not settings.slack_allowed_teams:
        raise SettingsError(
            "SLACK_CLIENT_ID is set, but SLACK_ALLOWED_TEAMS is not: anybody's workspace could install the app.",
            next_step="Set SLACK_ALLOWED_TEAMS to the ids of your workspaces (T…).",
        )
    for team in settings.slack_allowed_teams:
        if not re.fullmatch(r"[TE][A-Z0-9]{2,30}", team):
            raise SettingsError(f"SLACK_ALLOWED_TEAMS: {team!r} is no id of a workspace; they look like T0123ABCD.")
    if (settings.slack_bot_token or settings.slack_client_id) and not (
        settings.slack_signing_secret or settings.slack_app_token
    ):
        raise SettingsError(
            "Slack has a token, but neither SLACK_SIGNING_SECRET nor SLACK_APP_TOKEN is set, so no event could come in."
        )
    if (settings.slack_signing_secret or settings.slack_app_token) and not settings.uses_slack:
        raise SettingsError(
            "Slack events would come in, but neither SLACK_BOT_TOKEN nor SLACK_CLIENT_ID is set to answer them."
        )
    if settings.slack_approvals_channel and not re.fullmatch(r"[CG][A-Z0-9]{2,30}", settings.slack_approvals_channel):
        raise SettingsError(
            f"SLACK_APPROVALS_CHANNEL is no id of a channel; it is {settings.slack_approvals_channel!r}.",
            next_step="Take the id (C…) from the channel's details in Slack, not its name.",
        )


_GUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def check_teams(settings: Settings) -> None:
    """Refuse settings of Teams that are mixed up or unsafe; raises SettingsError."""
    ways = settings.teams_credentials
    together = {
        "TEAMS_APP_ID": settings.teams_app_id,
        "TEAMS_APP_SECRET": ways,
        "TEAMS_TENANT_ID": settings.teams_tenant_id,
    }
    missing = [name for name, value in together.items() if not value]
    if 0 < len(missing) < len(together):
        raise SettingsError(
            f"Teams has some of its settings, but not {' and '.join(missing)}.",
            next_step="Set TEAMS_APP_ID, TEAMS_APP_SECRET (or what stands in its place) and TEAMS_TENANT_ID, or none.",
        )
    if len(ways) > 1:
        named = " and ".join(name.upper() for name in ways)
        raise SettingsError(f"The Teams app proves itself in one way, but {named} are set.")
    for path in (settings.teams_app_certificate, settings.teams_federated_token_file):
        if path and not path.is_file():
            raise SettingsError(f"{path} does not exist, and the Teams app is to prove itself with it.")
    if settings.teams_approvals_channel and not settings.teams_approvals_channel.startswith("19:"):
        raise SettingsError(
            f"TEAMS_APPROVALS_CHANNEL is no id of a channel; it is {settings.teams_approvals_channel!r}.",
            next_step="Copy the channel's link: the id is the part that begins with 19: (19%3A).",
        )
    ids = [("TEAMS_APP_ID", settings.teams_app_id), ("TEAMS_TENANT_ID", settings.teams_tenant_id)]
    for name, value in ids + [("TEAMS_ALLOWED_TENANTS", tenant) for tenant in settings.teams_allowed_tenants]:
        if value and not _GUID.fullmatch(value):
            raise SettingsError(f"{name}: {value!r} is no id of Entra; they look like {'-'.join(_EXAMPLE)}.")
    if not settings.teams_service_urls:
        raise SettingsError("TEAMS_SERVICE_URLS is empty, so no message could be sent to Teams.")
    urls = [
        ("TEAMS_OPENID_URL", settings.teams_openid_url),
        ("TEAMS_LOGIN_URL", settings.teams_login_url),
        ("TEAMS_GRAPH_URL", settings.teams_graph_url),
    ]
    for name, value in urls + [("TEAMS_SERVICE_URLS", url) for url in settings.teams_service_urls]:
        url = urlsplit(value)
        if url.scheme not in {"http", "https"} or not url.hostname or url.query or url.fragment or url.username:
            raise SettingsError(f"{name} must be a plain https URL; it is {value!r}.")
        if url.scheme == "http" and not is_loopback_host(url.hostname):
            raise SettingsError(f"{name} must be https: keys come from there, or tokens are sent there.")
    identity = urlsplit(settings.teams_identity_url)
    if settings.teams_identity_url and not (
        identity.scheme == "https" or (identity.scheme == "http" and is_near_host(identity.hostname or ""))
    ):
        raise SettingsError("TEAMS_IDENTITY_URL must be https, or http at an address of the machine's own network.")


_EXAMPLE = ("01234567", "89ab", "cdef", "0123", "456789abcdef")
