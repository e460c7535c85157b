"""How the app proves itself to Entra: by a secret, a certificate, a workload's own token, or as a managed identity."""

from __future__ import annotations

import asyncio
import base64
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

import httpx
import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import load_pem_private_key

RESOURCE = "https://api.botframework.com"
"""The Bot Connector, as Entra calls it."""
ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ASSERTED = 300
"""Seconds for which what we sign counts."""


class Refused(Exception):
    """No token was given; the words say with what status and code, and hold nothing secret."""


class Proof(Protocol):
    """One way to prove who the app is."""

    @property
    def advice(self) -> str:
        """What to look after when it is refused."""
        ...

    async def fetch(self, http: httpx.AsyncClient, resource: str = RESOURCE) -> dict[str, Any]:
        """Return access_token and expires_in (seconds). Raises Refused, OSError, or what httpx raises."""
        ...


@dataclass(frozen=True)
class Secret:
    """A client secret; `login` is the tenant's base at Entra."""

    login: str
    app_id: str
    secret: str = field(repr=False)
    advice: ClassVar[str] = "See whether TEAMS_APP_SECRET has lapsed, and TEAMS_TENANT_ID is the app's own tenant."

    async def fetch(self, http: httpx.AsyncClient, resource: str = RESOURCE) -> dict[str, Any]:
        """Return a token."""
        return await _ask(http, self.login, self.app_id, resource, client_secret=self.secret)


@dataclass(frozen=True)
class Certificate:
    """A certificate whose private key signs a short-lived assertion (RFC 7523); the file is read each time."""

    login: str
    app_id: str
    path: Path
    advice: ClassVar[str] = "See whether the certificate in TEAMS_APP_CERTIFICATE is the app's, and has not lapsed."

    async def fetch(self, http: httpx.AsyncClient, resource: str = RESOURCE) -> dict[str, Any]:
        """Return a token."""
        signed = await asyncio.to_thread(self._sign)
        return await _ask(
            http, self.login, self.app_id, resource, client_assertion_type=ASSERTION, client_assertion=signed
        )

    def _sign(self) -> str:
        pem = self.path.read_bytes()
        try:
            key, certificate = load_pem_private_key(pem, None), x509.load_pem_x509_certificate(pem)
        except (ValueError, TypeError) as error:
            raise Refused("TEAMS_APP_CERTIFICATE holds no certificate with a private key that needs no password") from (
                error
            )
        thumb = base64.urlsafe_b64encode(certificate.fingerprint(hashes.SHA256())).rstrip(b"=").decode()
        now = int(time.time())
        claims = {
            "aud": f"{self.login}/oauth2/v2.0/token",
            "iss": self.app_id,
            "sub": self.app_id,
            "jti": str(uuid.uuid4()),
            "nbf": now - 60,
            "exp": now + ASSERTED,
        }
        signer: Any = key
        return jwt.encode(claims, signer, algorithm="PS256", headers={"x5t#S256": thumb})


@dataclass(frozen=True)
class FederatedToken:
    """A token that the platform keeps fresh in a file, such as a pod's own, and that the app was told to trust."""

    login: str
    app_id: str
    path: Path
    advice: ClassVar[str] = "See whether the app has a federated credential for the issuer and subject of that token."

    async def fetch(self, http: httpx.AsyncClient, resource: str = RESOURCE) -> dict[str, Any]:
        """Return a token."""
        own = (await asyncio.to_thread(self.path.read_text)).strip()
        return await _ask(
            http, self.login, self.app_id, resource, client_assertion_type=ASSERTION, client_assertion=own
        )


@dataclass(frozen=True)
class ManagedIdentity:
    """The identity that Azure gives to a machine or an App Service; with `header`, as the latter wants to be asked."""

    url: str
    app_id: str
    header: str = field(default="", repr=False)
    advice: ClassVar[str] = "See whether the identity of TEAMS_APP_ID is assigned to what the bot runs on."

    async def fetch(self, http: httpx.AsyncClient, resource: str = RESOURCE) -> dict[str, Any]:
        """Return a token."""
        version = "2019-08-01" if self.header else "2018-02-01"
        asked = {"api-version": version, "resource": resource, "client_id": self.app_id}
        headers = {"X-IDENTITY-HEADER": self.header} if self.header else {"Metadata": "true"}
        told = _read(await http.get(self.url, params=asked, headers=headers))
        if "expires_in" not in told and "expires_on" in told:  # App Service tells the moment
            told["expires_in"] = float(told["expires_on"]) - time.time()
        return told


async def _ask(http: httpx.AsyncClient, login: str, app_id: str, resource: str, **proof: str) -> dict[str, Any]:
    form = {"grant_type": "client_credentials", "client_id": app_id, "scope": f"{resource}/.default", **proof}
    return _read(await http.post(f"{login}/oauth2/v2.0/token", data=form))


def _read(answer: httpx.Response) -> dict[str, Any]:
    try:
        told = answer.json()
    except ValueError:
        told = {}
    told = told if isinstance(told, dict) else {}
    if answer.status_code != 200:
        raise Refused(f"{answer.status_code} {str(told.get('error', ''))[:60]}".strip())
    return told
