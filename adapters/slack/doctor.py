"""Whether Slack takes the tokens, grants what the bot needs, and lets it connect; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence

from bot.doctor import Check, Finding, Patient, failed, ok
from bot.errors import QuartermasterError, SettingsError

MANIFEST = "python -m bot slack manifest"


def checks(patient: Patient) -> Sequence[Check]:
    """Return the checks of Slack."""
    settings = patient.settings

    async def slack() -> Finding:
        if not settings.uses_slack:
            return ok("off: neither SLACK_BOT_TOKEN nor SLACK_CLIENT_ID is set")
        if settings.slack_client_id:
            return _installable(patient)
        return await _token(patient)

    async def events() -> Finding:
        if not settings.uses_slack:
            return ok("off, with Slack")
        if not settings.slack_app_token:
            return ok(f"over HTTP, at {settings.public_url.rstrip('/')}/slack/events")
        return await _sockets(patient)

    return Check("slack", slack), Check("slack events", events)


def _installable(patient: Patient) -> Finding:
    """Look at the settings of OAuth."""
    from adapters.slack.install import check_install

    settings = patient.settings
    try:
        check_install(settings)
    except SettingsError as error:
        return failed(error.detail, error.next_step or "See docs/slack.md.")
    served = ", ".join(settings.slack_allowed_teams)
    return ok(f"{served} may install it at {settings.public_url.rstrip('/')}/slack/install")


async def _token(patient: Patient) -> Finding:
    """Look at the one workspace's token."""
    from slack_sdk.errors import SlackApiError

    from adapters.slack.install.scopes import SCOPES
    from adapters.slack.web import Web

    web = Web(patient.settings.slack_api_url)
    try:
        answer = await web.client(patient.settings.slack_bot_token).auth_test()
    except SlackApiError as error:
        word = error.response.get("error") or error.response.status_code
        return failed(
            f"Slack does not take SLACK_BOT_TOKEN ({word})",
            "Copy the Bot User OAuth Token anew from “Install App” on the app's page.",
        )
    finally:
        await web.close()
    headers = {name.lower(): value for name, value in answer.headers.items()}
    granted = {scope.strip() for scope in str(headers.get("x-oauth-scopes", "")).split(",")}
    if lacking := sorted(set(SCOPES) - granted):
        return failed(
            f"the app in {answer.get('team')} lacks the scopes {', '.join(lacking)}",
            f"{MANIFEST}; paste it under “App Manifest” on the app's page, then install the app again",
        )
    return ok(f"the app is in {answer.get('team')} ({answer.get('team_id')}), with all its scopes")


async def _sockets(patient: Patient) -> Finding:
    """Ask for the address of a connection, which is not opened."""
    from adapters.slack.web import SlackRefused, Web

    web = Web(patient.settings.slack_api_url)
    try:
        await web.call("", "apps_connections_open", app_token=patient.settings.slack_app_token)
    except SlackRefused as error:
        return failed(
            f"Slack does not take SLACK_APP_TOKEN ({error.code})",
            "Make an app-level token with the scope connections:write, and switch Socket Mode on, on the app's page.",
        )
    except QuartermasterError as error:
        return failed(
            error.detail, "Let the bot reach SLACK_API_URL and wss://*.slack.com, if need be through HTTPS_PROXY."
        )
    finally:
        await web.close()
    return ok("over Socket Mode")
