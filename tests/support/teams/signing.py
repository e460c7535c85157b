"""Tokens as the Bot Connector signs them, and as those do who would like to pass for it."""

from __future__ import annotations

import time
from collections.abc import Collection
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

KID, UNENDORSED = "key-of-the-stage", "key-for-another-channel"
ISSUER = "https://api.botframework.com"


@cache
def key(name: str) -> RSAPrivateKey:
    """Return a private key, made once a run; any name but “ours” is a forger's."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def published() -> dict[str, Any]:
    """Return the key set as it is served; one key is not endorsed for Teams."""
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key("ours").public_key(), as_dict=True)
    own = {**public, "use": "sig", "kid": KID, "endorsements": ["msteams", "webchat"]}
    return {"keys": [own, {**own, "kid": UNENDORSED, "endorsements": ["directline", ""]}]}


def bearer(
    app_id: str,
    service_url: str,
    *,
    kid: str = KID,
    by: str = "ours",
    alg: str = "RS256",
    secret: str | bytes = "",
    without: Collection[str] = (),
    **claims: Any,
) -> dict[str, str]:
    """Return the headers of a request; what is given differs from a genuine token, `without` leaves claims out."""
    now = int(time.time())
    told: dict[str, Any] = {
        "iss": ISSUER,
        "aud": app_id,
        "nbf": now - 5,
        "exp": now + 3600,
        "serviceurl": service_url,
        **claims,
    }
    kept = {name: value for name, value in told.items() if name not in without}
    signer: Any = key(by) if alg.startswith("RS") else None if alg == "none" else secret
    return {"authorization": f"Bearer {jwt.encode(kept, signer, algorithm=alg, headers={'kid': kid})}"}
