"""Whether Entra gives the bot a token, and the keys of Teams can be fetched; nothing is sent."""

from __future__ import annotations

from collections.abc import Sequence

from bot.doctor import Check, Finding, Patient, failed, ok
from bot.errors import QuartermasterError


def checks(patient: Patient) -> Sequence[Check]:
    """Return the checks of Teams."""
    settings = patient.settings

    async def token() -> Finding:
        return await _token(patient) if settings.uses_teams else ok("off: TEAMS_APP_ID is not set")

    async def keys() -> Finding:
        return await _keys(patient) if settings.uses_teams else ok("off, with Teams")

    return Check("teams", token), Check("teams keys", keys)


async def _token(patient: Patient) -> Finding:
    import httpx

    from adapters.teams.tokens import token_source

    settings = patient.settings
    async with httpx.AsyncClient() as http:
        try:
            await token_source(settings, http).token()
        except QuartermasterError as error:
            return failed(
                error.detail, error.next_step or "Let the bot reach TEAMS_LOGIN_URL, if need be by HTTPS_PROXY."
            )
    served = ", ".join(settings.teams_allowed_tenants)
    return ok(f"{served} may write to {settings.public_url.rstrip('/')}/api/messages")


async def _keys(patient: Patient) -> Finding:
    import httpx

    from adapters.teams.keys import SigningKeys
    from adapters.teams.verifying import CHANNEL_ID

    url = patient.settings.teams_openid_url
    async with httpx.AsyncClient() as http:
        keys = SigningKeys(http, url)
        try:
            await keys.find("")
        except QuartermasterError as error:
            return failed(f"{error.detail} ({url})", "Let the bot reach TEAMS_OPENID_URL, if need be by HTTPS_PROXY.")
        finally:
            await keys.close()
    if not keys.are_endorsed(CHANNEL_ID):
        return failed(f"none of the keys at {url} signs for Teams", "Set TEAMS_OPENID_URL to your cloud's metadata.")
    return ok(f"fetched from {url}")
