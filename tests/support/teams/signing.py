"""Tokens as those sign them who would like to pass for the Bot Connector."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import jwt

from sandbox.teams.signing import KID, claims_of, key


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
    told = {**claims_of(app_id, service_url), **claims}
    kept = {name: value for name, value in told.items() if name not in without}
    signer: Any = key(by) if alg.startswith("RS") else None if alg == "none" else secret
    return {"authorization": f"Bearer {jwt.encode(kept, signer, algorithm=alg, headers={'kid': kid})}"}
