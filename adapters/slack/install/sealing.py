"""Tokens at rest: sealed with AES-256-GCM, each bound to the row and column that it belongs to.

A sealed text is `<key's id>.<base64url of nonce and ciphertext>`. The first key seals; every key opens, so that
keys can be changed: put the new one in front, start, and take the old one out. The place that a token belongs to is
authenticated with it: a ciphertext that somebody moves to another workspace's row does not open there.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import secrets
from collections.abc import Sequence

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import QuartermasterError, SettingsError

KEY_BYTES = 32
NONCE_BYTES = 12


class Unopenable(QuartermasterError):
    """A sealed text does not open; `has_key` tells whether its key is there, so that the text must be damaged."""

    title = "A kept secret does not open"

    def __init__(self, detail: str, *, has_key: bool) -> None:
        super().__init__(detail)
        self.has_key = has_key


class Sealer:
    """Seals and opens with a row of keys; the first is the one in use."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._ciphers = {_id_of(key): AESGCM(key) for key in keys}
        self._current = _id_of(keys[0])

    def seal(self, text: str, place: str) -> str:
        """Return the text sealed for its place; the same text is sealed differently each time."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        sealed = self._ciphers[self._current].encrypt(nonce, text.encode(), place.encode())
        return f"{self._current}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, place: str) -> str:
        """Return what was sealed; raises Unopenable for an unknown key, a changed text, or another place."""
        name, _, body = sealed.partition(".")
        cipher = self._ciphers.get(name)
        if cipher is None:
            raise Unopenable(f"It was sealed with a key that is not there ({name[:8]}).", has_key=False)
        try:
            raw = base64.b64decode(body, altchars=b"-_", validate=True)
            return cipher.decrypt(raw[:NONCE_BYTES], raw[NONCE_BYTES:], place.encode()).decode()
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise Unopenable("It is damaged, or was moved here from elsewhere.", has_key=True) from error

    def is_current(self, sealed: str) -> bool:
        """Tell whether it is sealed with the key in use."""
        return sealed.partition(".")[0] == self._current


def parse_keys(texts: Sequence[str]) -> tuple[bytes, ...]:
    """Return the keys of SLACK_TOKEN_KEY; raises SettingsError unless each is 32 bytes in base64."""
    return tuple(_parse_key(text) for text in texts)


def _parse_key(text: str) -> bytes:
    plain = text.strip().rstrip("=").replace("+", "-").replace("/", "_")
    try:
        key = base64.b64decode(plain + "=" * (-len(plain) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != KEY_BYTES:
        raise SettingsError(
            "SLACK_TOKEN_KEY must be 32 random bytes in base64 (several, the newest first, separated by commas).",
            next_step="Make one: openssl rand -base64 32",
        )
    return key


def _id_of(key: bytes) -> str:
    """Return the key's name: it says which key it was, and nothing about it."""
    return hashlib.sha256(b"quartermaster slack token key\0" + key).hexdigest()[:8]
