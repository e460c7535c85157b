"""Anchors: what the head of the chain was at a moment, signed, to be kept where the database's owner can't change it.

An anchor is one JSON object: {"anchor": {"at", "hash", "position", "version": 1}, "key", "signature"}. The signature is
over the canonical JSON of "anchor"; "key" says by which key, as the first 16 digits of the SHA-256 of the public one.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bot.errors import SettingsError
from bot.plan import canonical

VERSION = 1


class BadAnchor(ValueError):
    """What claims to be an anchor and is none of ours; the message says why."""


@dataclass(frozen=True)
class Anchor:
    """The chain's hash at a position, and when that was (RFC 3339, UTC)."""

    position: int
    hash: str
    at: str

    def statement(self) -> dict[str, Any]:
        """Return what is signed."""
        return {"at": self.at, "hash": self.hash, "position": self.position, "version": VERSION}


class Signer(Protocol):
    """Whoever signs anchors: a key of ours, or one that never leaves a service such as KMS."""

    @property
    def key_id(self) -> str:
        """Which key that is."""
        ...

    async def sign(self, message: bytes) -> bytes:
        """Return the signature; raises CloudError when a service does not give one."""
        ...


class Ed25519Signer:
    """Signs with the key of a setting (RFC 8032)."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key

    @staticmethod
    def of(text: str) -> Ed25519Signer:
        """Return the signer for 32 bytes in base64; raises SettingsError."""
        return Ed25519Signer(Ed25519PrivateKey.from_private_bytes(_bytes_of(text, "AUDIT_SIGNING_KEY")))

    @property
    def public_key(self) -> bytes:
        """The 32 bytes with which others verify."""
        return self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @property
    def key_id(self) -> str:
        """The public key's fingerprint."""
        return key_id_of(self.public_key)

    async def sign(self, message: bytes) -> bytes:
        """Return the signature."""
        return self._key.sign(message)


def key_id_of(public_key: bytes) -> str:
    """Return the fingerprint by which anchors name a key."""
    return hashlib.sha256(public_key).hexdigest()[:16]


def public_keys(texts: Iterable[str]) -> dict[str, bytes]:
    """Return public keys, given in base64, by their fingerprints; raises SettingsError."""
    keys = (_bytes_of(text, "AUDIT_PUBLIC_KEYS") for text in texts)
    return {key_id_of(key): key for key in keys}


async def signed(anchor: Anchor, signer: Signer) -> bytes:
    """Return the anchor's object, one line of JSON."""
    signature = await signer.sign(canonical(anchor.statement()))
    whole = {
        "anchor": anchor.statement(),
        "key": signer.key_id,
        "signature": base64.b64encode(signature).decode(),
    }
    return canonical(whole)


def checked(text: bytes | str, keys: dict[str, bytes]) -> Anchor:
    """Return the anchor in an object or a line of the log that one of these keys has signed; raises BadAnchor."""
    try:
        whole = json.loads(text)
        statement = whole["anchor"]
        signature = base64.b64decode(whole["signature"], validate=True)
        anchor = Anchor(int(statement["position"]), str(statement["hash"]), str(statement["at"]))
        key = keys.get(str(whole["key"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadAnchor("is no anchor") from error
    if statement != anchor.statement():
        raise BadAnchor("says more than an anchor says, or is of another version")
    if key is None:
        raise BadAnchor(f"is signed with the key {str(whole['key'])[:16]}, which is none of AUDIT_PUBLIC_KEYS")
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, canonical(statement))
    except InvalidSignature as error:
        raise BadAnchor("is not signed by the key that it names") from error
    return anchor


def _bytes_of(text: str, setting: str) -> bytes:
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise SettingsError(f"{setting} must be 32 bytes in base64.", next_step="Make one: python -m bot audit key")
    return key
