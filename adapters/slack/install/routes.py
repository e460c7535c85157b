"""`GET /slack/install` sends a person to Slack to install the app; `GET /slack/oauth_redirect` takes them back.

The state that Slack hands back must be in the cookie of the browser that began, must be one that we issued, and
works once for ten minutes. Where people are sent is never taken from the request.
"""

from __future__ import annotations

import hmac
import html
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp
import structlog
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.install.allowed import AllowList
from adapters.slack.install.scopes import SCOPES
from adapters.slack.install.stores import InstallationStore, Place, StateStore
from bot.audit import Audit
from bot.database import Database, Transaction
from bot.errors import Invalid, Refused, Unauthenticated, Unavailable
from bot.settings import Settings

log = structlog.get_logger(__name__)

COOKIE = "qm_slack_install"
SECONDS = 600
"""How long somebody may take at Slack."""
INSTALL, REDIRECT = "/slack/install", "/slack/oauth_redirect"
AGAIN = f"Begin again at {INSTALL}."
NO_STORE = {"cache-control": "no-store"}


class Installing:
    """The two routes."""

    def __init__(
        self,
        settings: Settings,
        store: InstallationStore,
        states: StateStore,
        allowed: AllowList,
        client: AsyncWebClient,
        database: Database,
        audit: Audit,
        installed: Callable[[Place], None],
    ) -> None:
        self._settings, self._store, self._states, self._allowed = settings, store, states, allowed
        self._client, self._database, self._audit, self._installed = client, database, audit, installed
        self._redirect_uri = settings.public_url.rstrip("/") + REDIRECT

    async def begin(self, request: Request) -> Response:
        """Send the person to Slack, with a new state that only this browser can bring back."""
        state = await self._states.async_issue()
        query = {
            "client_id": self._settings.slack_client_id,
            "scope": ",".join(SCOPES),
            "user_scope": "",
            "redirect_uri": self._redirect_uri,
            "state": state,
        }
        response = RedirectResponse(f"{_authorize_url(self._settings)}?{urlencode(query)}", 302, NO_STORE)
        response.set_cookie(
            COOKIE,
            state,
            max_age=SECONDS,
            path=REDIRECT,
            secure=self._redirect_uri.startswith("https:"),
            httponly=True,
            samesite="lax",
        )
        return response

    async def finish(self, request: Request) -> Response:
        """Take the person back from Slack and keep the installation.

        Raises Unauthenticated for a state that isn't this browser's or was used, Invalid for what Slack refused,
        Refused for a workspace that is not allowed, Unavailable when Slack does not answer.
        """
        await self._check_state(request)
        if error := request.query_params.get("error"):
            raise Invalid(_said_of(error), next_step=AGAIN)
        code = request.query_params.get("code", "")
        if not code:
            raise Invalid("Slack sent no code.", next_step=AGAIN)
        installation = await self._exchange(code)
        place = Place.of(installation)
        await self._check_allowed(installation, place)

        async def work(transaction: Transaction) -> None:
            await self._store.save_within(transaction, installation)
            payload = {
                "team": place.team_id,
                "organization": place.enterprise_id,
                "by": installation.user_id,
                "scopes": ",".join(installation.bot_scopes or ()),
            }
            await self._audit.record(transaction, "slack.installed", payload=payload)

        await self._database.write(work)
        self._installed(place)
        log.info("slack.installed", place=str(place))
        response = HTMLResponse(_installed_page(installation), headers=NO_STORE)
        response.delete_cookie(COOKIE, path=REDIRECT)
        return response

    async def _check_state(self, request: Request) -> None:
        state, kept = request.query_params.get("state", ""), request.cookies.get(COOKIE, "")
        is_ours = bool(state) and hmac.compare_digest(state.encode(), kept.encode())
        if not is_ours or not await self._states.async_consume(state):
            raise Unauthenticated(
                "This installation was not begun in this browser, took longer than ten minutes, or is done already.",
                next_step=AGAIN,
            )

    async def _exchange(self, code: str) -> Installation:
        """Return what Slack grants for the code."""
        settings = self._settings
        try:
            granted = await self._client.oauth_v2_access(
                client_id=settings.slack_client_id,
                client_secret=settings.slack_client_secret,
                code=code,
                redirect_uri=self._redirect_uri,
            )
            token = granted.get("access_token")
            if granted.get("token_type") != "bot" or not isinstance(token, str):
                raise Invalid("Slack granted no token for a bot.", next_step=AGAIN)
            known = await self._client.auth_test(token=token)
        except SlackApiError as error:
            raise Invalid(_said_of(str(error.response.get("error", ""))), next_step=AGAIN) from error
        except (SlackClientError, aiohttp.ClientError, TimeoutError, ValueError) as error:
            raise Unavailable("Slack does not answer as it should.", next_step=AGAIN) from error
        return _installation(granted.data, known.data)

    async def _check_allowed(self, installation: Installation, place: Place) -> None:
        if place.team_id is None:
            is_allowed = self._allowed.has_organization(place.enterprise_id)
        else:
            is_allowed = self._allowed.has(place.team_id, place.enterprise_id)
        if is_allowed:
            return
        log.warning("slack.install_refused", place=str(place), by=installation.user_id)
        try:
            await self._client.auth_revoke(token=installation.bot_token)
        except (SlackClientError, aiohttp.ClientError, TimeoutError) as error:
            log.warning("slack.not_revoked", place=str(place), error=type(error).__name__)
        raise Refused(
            f"The {'organization' if place.team_id is None else 'workspace'} {place} may not use this bot; what Slack "
            "granted was given back.",
            next_step="Whoever runs the bot can add that id to SLACK_ALLOWED_TEAMS.",
        )


def install_router(installing: Installing) -> APIRouter:
    """Return the routes."""
    router = APIRouter(include_in_schema=False)
    router.add_api_route(INSTALL, installing.begin, methods=["GET"], response_model=None)
    router.add_api_route(REDIRECT, installing.finish, methods=["GET"], response_model=None)
    return router


def _authorize_url(settings: Settings) -> str:
    """Return where people grant access: on the host of the Web API."""
    api = urlsplit(settings.slack_api_url)
    return f"{api.scheme}://{api.netloc}/oauth/v2/authorize"


def _installation(granted: Any, known: Any) -> Installation:
    """Return the answer of oauth.v2.access, with what auth.test adds, as the SDK keeps it."""
    team, organization = granted.get("team") or {}, granted.get("enterprise") or {}
    is_org_wide = bool(granted.get("is_enterprise_install"))
    place = Place(None if is_org_wide else team.get("id"), organization.get("id"))
    if place == Place(None, None):
        raise Invalid("Slack did not say which workspace this is.", next_step=AGAIN)
    return Installation(
        app_id=granted.get("app_id") or "",
        enterprise_id=place.enterprise_id,
        enterprise_name=organization.get("name"),
        enterprise_url=known.get("url") if is_org_wide else None,
        team_id=place.team_id,
        team_name=team.get("name"),
        bot_token=granted["access_token"],
        bot_id=known.get("bot_id"),
        bot_user_id=granted.get("bot_user_id") or known.get("user_id"),
        bot_scopes=granted.get("scope") or "",
        bot_refresh_token=granted.get("refresh_token"),
        bot_token_expires_in=granted.get("expires_in"),
        user_id=(granted.get("authed_user") or {}).get("id") or "unknown",
        is_enterprise_install=is_org_wide,
        token_type="bot",  # noqa: S106 - the kind of token, not a token
    )


_WORDS = {
    "access_denied": "You did not allow it, so nothing was installed.",
    "bad_client_secret": "Slack does not accept SLACK_CLIENT_SECRET.",
    "invalid_client_id": "Slack does not know SLACK_CLIENT_ID.",
    "bad_redirect_uri": "The app's redirect URL at Slack must be PUBLIC_URL/slack/oauth_redirect.",
    "code_already_used": "Slack's code was used already.",
    "invalid_code": "Slack does not know the code that came back.",
    "invalid_team_for_non_distributed_app": "The app is not distributed, so only its own workspace can install it.",
}


def _said_of(error: str) -> str:
    """Return a sentence for Slack's error code; of one we don't know, which anybody may have written, the letters."""
    shown = "".join(c for c in error if c.isascii() and (c.isalnum() or c == "_"))[:60]
    return _WORDS.get(error, f"Slack refused the installation ({shown or 'without a reason'}).")


def _installed_page(installation: Installation) -> str:
    name = html.escape(installation.team_name or installation.enterprise_name or "your organization")
    query = {"app": installation.app_id} | ({"team": installation.team_id} if installation.team_id else {})
    link = html.escape("https://slack.com/app_redirect?" + urlencode(query))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width">'
        f"<title>Installed</title><h1>Quartermaster is installed in {name}</h1>"
        "<p>Send it a message, mention it in a channel, or say <code>/ops help</code>.</p>"
        f'<p><a href="{link}" rel="noreferrer">Open it in Slack</a></p></html>'
    )
