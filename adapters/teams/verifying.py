"""Whether a request is really the Bot Connector's, about our app, and from a tenant that we serve.

Forbidden (403) is a tenant that is not ours; every other fault is Forged (401). The token is looked at before the
body, and the body is held against the token before anybody reads it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import jwt

from adapters.teams.keys import SigningKeys

ISSUER = "https://api.botframework.com"
SKEW = 300
"""Seconds by which clocks may differ."""
CHANNEL_ID = "msteams"
"""The one channel of the Bot Framework whose word on who somebody is counts; others let the client say it."""
MAX_TOKEN = 16_000


class Forged(Exception):
    """The request is not the Bot Connector's; `reason` is a word for logs and metrics, for nobody else."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Forbidden(Exception):
    """The request is genuine, and from a tenant that is not served."""


@dataclass(frozen=True)
class Token:
    """What a genuine token vouches for."""

    service_url: str
    endorsements: frozenset[str]


class Verifier:
    """Checks tokens and the activities that they come with."""

    def __init__(self, keys: SigningKeys, app_id: str, tenants: Iterable[str], service_urls: Iterable[str]) -> None:
        self._keys, self._app_id = keys, app_id
        self._tenants = frozenset(tenant.casefold() for tenant in tenants)
        self._service_urls = tuple(service_urls)

    async def token_of(self, header: str) -> Token:
        """Return what an Authorization header vouches for; raises Forged, and Unavailable while there are no keys."""
        scheme, _, raw = header.partition(" ")
        if scheme.casefold() != "bearer" or not raw or len(raw) > MAX_TOKEN:
            raise Forged("no_bearer")
        try:
            told = jwt.get_unverified_header(raw)
        except jwt.PyJWTError as error:
            raise Forged("malformed_token") from error
        kid = told.get("kid")
        if told.get("alg") != "RS256" or not isinstance(kid, str) or not kid:
            raise Forged("algorithm")
        key = await self._keys.find(kid)
        if key is None:
            raise Forged("unknown_key")
        try:
            claims = jwt.decode(
                raw,
                key.key,
                algorithms=["RS256"],
                audience=self._app_id,
                issuer=ISSUER,
                leeway=SKEW,
                options={"require": ["exp", "nbf", "iss", "aud"], "strict_aud": True},
            )
        except jwt.PyJWTError as error:
            raise Forged(_WORDS.get(type(error), "token")) from error
        service_url = claims.get("serviceurl")
        if not isinstance(service_url, str) or not service_url:
            raise Forged("no_serviceurl")
        return Token(service_url, key.endorsements)

    def check(self, token: Token, activity: Mapping[str, Any]) -> str:
        """Return the activity's tenant; raises Forged or Forbidden when it doesn't fit the token."""
        service_url = activity.get("serviceUrl")
        if not isinstance(service_url, str) or service_url.rstrip("/") != token.service_url.rstrip("/"):
            raise Forged("serviceurl")
        if not is_allowed_url(service_url, self._service_urls):
            raise Forged("foreign_serviceurl")
        channel = activity.get("channelId")
        if channel != CHANNEL_ID or channel not in token.endorsements:
            raise Forged("endorsement")
        tenants = tenants_of(activity)
        if len(tenants) != 1 or not tenants <= self._tenants:
            raise Forbidden
        return next(iter(tenants))


def tenants_of(activity: Mapping[str, Any]) -> frozenset[str]:
    """Return the tenants that an activity names, in lower case; a genuine one names one."""
    data, conversation = activity.get("channelData"), activity.get("conversation")
    tenant = data.get("tenant") if isinstance(data, Mapping) else None
    named = (
        tenant.get("id") if isinstance(tenant, Mapping) else None,
        conversation.get("tenantId") if isinstance(conversation, Mapping) else None,
    )
    return frozenset(str(name).casefold() for name in named if name)


def is_allowed_url(url: str, allowed: Iterable[str]) -> bool:
    """Tell whether a service URL is one of those allowed, or lies below one: our token is sent there."""
    try:
        asked = urlsplit(url)
        port = asked.port
    except ValueError:
        return False
    path = asked.path.rstrip("/") + "/"
    if asked.username is not None or asked.password is not None or asked.query or asked.fragment or "\\" in url:
        return False
    if any(part in (".", "..") for part in path.split("/")) or "%" in path:
        return False
    for base in map(urlsplit, allowed):
        is_same_host = (asked.scheme, asked.hostname, port) == (base.scheme, base.hostname, base.port)
        if is_same_host and path.startswith(base.path.rstrip("/") + "/"):
            return True
    return False


_WORDS: dict[type[Exception], str] = {
    jwt.ExpiredSignatureError: "expired",
    jwt.ImmatureSignatureError: "not_yet_valid",
    jwt.InvalidAudienceError: "audience",
    jwt.InvalidIssuerError: "issuer",
    jwt.MissingRequiredClaimError: "missing_claim",
    jwt.InvalidSignatureError: "signature",
}
