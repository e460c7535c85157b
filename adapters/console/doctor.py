"""Whether people can sign in to the console."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from bot.doctor import Check, Finding, Patient, failed, ok, warning
from bot.settings import Settings


def checks(patient: Patient) -> Sequence[Check]:
    """Return the check of the sign-in."""
    settings = patient.settings

    async def console() -> Finding:
        if settings.uses_oidc:
            return await _look_at_provider(settings)
        if settings.is_embedded:
            return ok(f"open to this machine, as {settings.dev_user}")
        return warning("closed: nobody can sign in", "Set OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.")

    return (Check("console", console),)


async def _look_at_provider(settings: Settings) -> Finding:
    url = settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration"
    try:
        async with httpx.AsyncClient(timeout=5) as client:
            found = (await client.get(url)).raise_for_status().json()
    except (httpx.HTTPError, ValueError) as error:
        return failed(f"{url} can't be read ({type(error).__name__})", "Check OIDC_ISSUER and the network.")
    issuer = found.get("issuer", "") if isinstance(found, dict) else ""
    if issuer.rstrip("/") != settings.oidc_issuer.rstrip("/"):
        return failed(f"{url} speaks for the issuer {issuer!r}", f"Set OIDC_ISSUER={issuer}")
    if not (settings.oidc_client_id and settings.oidc_client_secret):
        return failed("the client at the issuer is not named", "Set OIDC_CLIENT_ID and OIDC_CLIENT_SECRET.")
    return ok(f"people sign in at {issuer}")
