"""Tokens as the Bot Connector signs them."""

from __future__ import annotations

import time
from functools import cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key

ISSUER = "https://api.botframework.com"
KID, UNENDORSED = "key-of-the-fake", "key-for-another-channel"


@cache
def key(name: str) -> RSAPrivateKey:
    """Return a private key, made once a run; any name but “ours” is a forger's."""
    return generate_private_key(public_exponent=65537, key_size=2048)


def published() -> dict[str, Any]:
    """Return the key set as it is served; one key is not endorsed for Teams."""
    public = jwt.algorithms.RSAAlgorithm.to_jwk(key("ours").public_key(), as_dict=True)
    own = {**public, "use": "sig", "kid": KID, "endorsements": ["msteams", "webchat"]}
    return {"keys": [own, {**own, "kid": UNENDORSED, "endorsements": ["directline", ""]}]}


def claims_of(app_id: str, service_url: str) -> dict[str, Any]:
    """Return what a genuine token says."""
    now = int(time.time())
    return {"iss": ISSUER, "aud": app_id, "nbf": now - 5, "exp": now + 3600, "serviceurl": service_url}


def genuine(app_id: str, service_url: str) -> dict[str, str]:
    """Return the headers of a genuine request."""
    token = jwt.encode(claims_of(app_id, service_url), key("ours"), algorithm="RS256", headers={"kid": KID})
    return {"authorization": f"Bearer {token}"}
