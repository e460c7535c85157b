"""Sign-in at an OpenID Connect provider: authorization code with PKCE, state and nonce, by Authlib.

Where the provider's metadata sends us is looked at before we go there, see `adapters.console.endpoints`.
"""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
from authlib.deprecate import AuthlibDeprecationWarning
from joserfc.errors import JoseError
from starlette.requests import Request
from starlette.responses import Response

from adapters.console.endpoints import checked_metadata
from adapters.console.freshness import Freshness
from bot.errors import Refused, SettingsError, Unauthenticated, Unavailable
from bot.settings import Settings, is_loopback_host

with warnings.catch_warnings():
    # Authlib would rather have httpx's successor; it works with both, and we have the one.
    warnings.filterwarnings("ignore", "The httpx module is deprecated", AuthlibDeprecationWarning)
    from authlib.integrations.starlette_client import OAuth, OAuthError

SIGNATURES = frozenset({"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"})
"""Algorithms of id_tokens that count: signed with the provider's own key, never with a shared secret."""

LEEWAY = 60
"""Seconds that the provider's clock may be off."""


@dataclass(frozen=True)
class Identity:
    """Whom the provider vouches for. (issuer, subject) never changes; the rest may."""

    issuer: str
    subject: str
    email: str
    name: str
    given_name: str
    family_name: str
    at: datetime | None = None
    """When the person proved who they are (`auth_time`), None when the provider does not say."""
    acr: str = ""

    @property
    def platform_id(self) -> str:
        """The id under which the identity is linked to a person."""
        return f"{self.issuer}|{self.subject}"


class IdentityProvider:
    """The provider at OIDC_ISSUER; its metadata and keys are read when first needed."""

    def __init__(self, settings: Settings) -> None:
        url = urlsplit(settings.oidc_issuer)
        if url.scheme != "https" and not (url.scheme == "http" and is_loopback_host(url.hostname or "")):
            raise SettingsError(f"OIDC_ISSUER must be an https URL; it is {settings.oidc_issuer!r}.")
        self._settings = settings
        self._client: Any = OAuth().register(
            "oidc",
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            server_metadata_url=settings.oidc_issuer.rstrip("/") + "/.well-known/openid-configuration",
            client_kwargs={"scope": "openid email profile", "code_challenge_method": "S256", "timeout": 10},
        )

    @property
    def redirect_uri(self) -> str:
        """Where the provider sends people back to; register it there."""
        return self._settings.public_url.rstrip("/") + "/signin/callback"

    async def begin(self, request: Request, transit: dict[str, Any], wanted: Freshness | None = None) -> Response:
        """Return the redirect to the provider; state, nonce and verifier are put into `transit`.

        With `wanted` the provider is told to ask the person anew, and in which ways. Raises Unavailable when the
        provider does not answer.
        """
        request.scope["session"] = transit
        more: dict[str, str] = {}
        if wanted is not None:
            # prompt makes it ask even within max_age; max_age makes it tell auth_time (OIDC Core 3.1.2.1).
            more = {"prompt": "login", "max_age": str(int(wanted.max_age.total_seconds()))}
            if wanted.acr:
                more["acr_values"] = " ".join(wanted.acr)
        try:
            await self._check_metadata()
            response: Response = await self._client.authorize_redirect(request, self.redirect_uri, **more)
        except (httpx.HTTPError, ValueError, RuntimeError) as error:
            raise _unreachable() from error
        return response

    async def finish(self, request: Request, transit: dict[str, Any], wanted: Freshness | None = None) -> Identity:
        """Return who came back; raises Unauthenticated for what doesn't verify, Refused without address.

        With `wanted`, also Unauthenticated unless the provider says that it asked just now, and in one of the ways.
        """
        request.scope["session"] = transit
        state = request.query_params.get("state", "")
        if not any(key.endswith(f"_{state}") for key in transit) or not state:
            raise Unauthenticated(
                "This sign-in was not started in this browser, or it took too long.", next_step="Try again."
            )
        try:
            metadata = await self._check_metadata()
            self._check_sender(request, metadata)
            options = {
                "iss": {"essential": True, "value": metadata["issuer"]},
                "aud": {"essential": True, "value": self._settings.oidc_client_id},
                "sub": {"essential": True},
            }
            token = await self._client.authorize_access_token(request, claims_options=options, leeway=LEEWAY)
        except httpx.HTTPError as error:
            raise _unreachable() from error
        except OAuthError as error:
            raise Unauthenticated(
                f"The identity provider did not sign you in ({error.error}).", next_step="Try again."
            ) from error
        except (JoseError, ValueError, KeyError, TypeError, RuntimeError) as error:
            raise _untrusted() from error
        claims = token.get("userinfo")
        if not claims:
            raise _untrusted()
        identity = self._identity(dict(claims) | await self._asked_for(token, claims), claims)
        if wanted is not None:
            wanted.require(identity.at, identity.acr, datetime.now(UTC))
        return identity

    def _check_sender(self, request: Request, metadata: dict[str, Any]) -> None:
        """Raise ValueError when the answer names another issuer, or none where ours always does (RFC 9207)."""
        named = request.query_params.get("iss")
        if named is None and not metadata.get("authorization_response_iss_parameter_supported"):
            return
        if named != metadata["issuer"]:
            raise ValueError("the answer comes from another issuer")

    async def _asked_for(self, token: Any, claims: Any) -> dict[str, Any]:
        """Return what the userinfo endpoint adds when the id_token lacks the address or whether it is verified.

        An address and the word that it is verified count only when they belong together (OIDC Core 5.1, 5.3).
        """
        metadata = await self._client.load_server_metadata()
        is_whole = claims.get("email") and "email_verified" in claims
        if is_whole or not metadata.get("userinfo_endpoint"):
            return {}
        try:
            info = await self._client.userinfo(token=token)
        except (httpx.HTTPError, ValueError) as error:
            raise _unreachable() from error
        if info.get("sub") != claims["sub"]:
            raise _untrusted()
        added = {k: v for k, v in info.items() if k not in claims}
        if not claims.get("email"):
            return added | {k: info.get(k) for k in ("email", "email_verified")}
        if info.get("email") != claims["email"]:
            added.pop("email_verified", None)
        return added

    def _identity(self, claims: dict[str, Any], signed: Any) -> Identity:
        """Return the identity that the claims describe; how it was proven counts only as the id_token says."""
        email = claims.get("email")
        if not isinstance(email, str) or not email:
            raise Refused(
                "Your identity provider did not tell your e-mail address, and the bot knows people by it.",
                next_step="Ask its administrators to release the claim “email” to this application.",
            )
        verified = claims.get("email_verified")
        if verified is None:
            raise Refused(
                f"Your identity provider does not tell whether {email} is verified, so the bot can't go by it.",
                next_step="Ask its administrators to send the claim “email_verified” to this application.",
            )
        # Some providers send the words as strings (Amazon Cognito does).
        if verified is not True and verified != "true":
            raise Refused(f"Your identity provider says that {email} is not verified.", next_step="Verify it there.")
        texts = {k: v if isinstance(v := claims.get(k), str) else "" for k in ("name", "given_name", "family_name")}
        acr = signed.get("acr")
        return Identity(
            str(claims["iss"]),
            str(claims["sub"]),
            email,
            **texts,
            at=_moment(signed.get("auth_time")),
            acr=acr if isinstance(acr, str) else "",
        )

    async def _check_metadata(self) -> dict[str, Any]:
        """Return the provider's metadata; the issuer named there must be ours (OIDC Discovery 4.3)."""
        metadata: dict[str, Any] = await self._client.load_server_metadata()
        if str(metadata.get("issuer", "")).rstrip("/") != self._settings.oidc_issuer.rstrip("/"):
            raise ValueError(f"the provider calls itself {metadata.get('issuer')!r}")
        checked_metadata(metadata)
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = sorted(SIGNATURES.intersection(offered)) or ["RS256"]
        return metadata


def _moment(value: Any) -> datetime | None:
    """Return a NumericDate as a moment; None for what is none, or lies ahead of us."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value <= time.time() + LEEWAY:
        return None
    return datetime.fromtimestamp(value, UTC)


def _unreachable() -> Unavailable:
    return Unavailable("The identity provider does not answer as it should.", next_step="Try again in a minute.")


def _untrusted() -> Unauthenticated:
    return Unauthenticated("What the identity provider said about you does not verify.", next_step="Try again.")
