"""What was not understood: masked, sealed, kept for 30 days, so that a person may teach it to the bot.

Only how something was asked is of use; so values (addresses, ids, numbers, quoted words, names that the organization
uses) are replaced by what they are before anything is kept, and the rest is sealed with AES-256-GCM under MISSES_KEY.
Who said it, and where, is not kept at all.
"""

from __future__ import annotations

import base64
import binascii
import os
import re
import secrets
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, insert, select

from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import misses
from bot.errors import SettingsError
from bot.settings import Settings
from bot.workflow.periodic import Job

DAYS = 30
_KEY_BYTES, _NONCE_BYTES = 32, 12
_PLACE = b"quartermaster misses"
_LONGEST = 300
_SHORTEST_NAME = 3
_MASKS = (
    (re.compile(r"\[withheld\]"), "{secret}"),
    (re.compile(r"https?://\S+", re.IGNORECASE), "{link}"),
    (re.compile(r"\barn:[\w-]+:\S+", re.IGNORECASE), "{arn}"),
    (re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+"), "{email}"),
    (re.compile(r"\"[^\"]{1,200}\"|“[^”]{1,200}”|(?<!\w)'[^']{1,200}'(?!\w)"), "{quoted}"),
    (re.compile(r"\bqm-\w+", re.IGNORECASE), "{request}"),
    (re.compile(r"\b\d{12}\b"), "{account}"),
    (re.compile(r"\b(?=[\w./-]*\d)(?=[\w./-]*[^\W\d])[\w][\w./-]*\b"), "{id}"),
    (re.compile(r"\b\d[\d.,:/-]*\b"), "{number}"),
    (re.compile(r"\b\w+(?:[-_/]\w+)+\b"), "{name}"),
    (re.compile(r"(?<=\w )(?!I\b|I'|AWS\b|OU\b|SSO\b)[A-Z]\w+(?: [A-Z]\w+)*"), "{name}"),
)


@dataclass(frozen=True)
class Miss:
    """One sentence that was not understood, masked, and when."""

    text: str
    at: datetime


class Misses:
    """Keeps sentences sealed; without a key it keeps none."""

    def __init__(self, database: Database, clock: Clock, key: bytes | None) -> None:
        self._database, self._clock = database, clock
        self._cipher = AESGCM(key) if key else None
        self.job = Job("misses.forget", timedelta(days=1), self._forget_old)

    async def note(self, transaction: Transaction, text: str, names: Iterable[str] = ()) -> None:
        """Keep a sentence, masked; `names` are values known to the organization, masked wherever they stand."""
        if self._cipher is None:
            return
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = nonce + self._cipher.encrypt(nonce, mask(text, names)[:_LONGEST].encode(), _PLACE)
        row = {"at": self._clock.now(), "sealed": base64.b64encode(sealed).decode()}
        await transaction.execute(insert(misses).values(row))

    async def read(self) -> list[Miss]:
        """Return what is kept and opens with this key, oldest first; what is older than 30 days counts as gone."""
        if self._cipher is None:
            return []
        since = self._clock.now() - timedelta(days=DAYS)
        async with self._database.read() as connection:
            rows = await connection.execute(select(misses).where(misses.c.at >= since).order_by(misses.c.id))
            kept = rows.all()
        opened = ((_open(self._cipher, row.sealed), row.at) for row in kept)
        return [Miss(text, at) for text, at in opened if text is not None]

    async def _forget_old(self, _: datetime) -> None:
        before = self._clock.now() - timedelta(days=DAYS)

        async def work(transaction: Transaction) -> None:
            await transaction.execute(delete(misses).where(misses.c.at < before))

        await self._database.write(work)


def _open(cipher: AESGCM, sealed: str) -> str | None:
    """What was sealed; None for another key's, or what is damaged."""
    try:
        raw = base64.b64decode(sealed, validate=True)
        return cipher.decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _PLACE).decode()
    except (InvalidTag, binascii.Error, ValueError):
        return None


def mask(text: str, names: Iterable[str] = ()) -> str:
    """Return a sentence with what looks like a value, or is one of `names`, replaced by what it is."""
    for name in sorted({name for name in names if len(name) >= _SHORTEST_NAME}, key=len, reverse=True):
        text = re.sub(rf"(?<!\w){re.escape(name)}(?!\w)", "{name}", text, flags=re.IGNORECASE)
    for pattern, shown in _MASKS:
        text = _outside_masks(pattern, shown, text)
    return text


def _outside_masks(pattern: re.Pattern[str], shown: str, text: str) -> str:
    pieces: Sequence[str] = re.split(r"(\{\w+\})", text)
    return "".join(piece if number % 2 else pattern.sub(shown, piece) for number, piece in enumerate(pieces))


def parse_key(text: str) -> bytes | None:
    """Return the key of MISSES_KEY; None when it is not set. Raises SettingsError unless it is 32 bytes in base64."""
    if not text:
        return None
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY_BYTES:
        raise SettingsError(
            "MISSES_KEY must be 32 random bytes in base64.", next_step="Make one: openssl rand -base64 32"
        )
    return key


def key_of(settings: Settings) -> bytes | None:
    """Return the key to seal with: MISSES_KEY, else the embedded default's own file in VAR_DIR, made when missing."""
    key = parse_key(settings.misses_key)
    if key is not None:
        return key
    file = settings.var_dir / "misses.key"
    try:
        if settings.is_embedded and not file.exists():
            file.parent.mkdir(parents=True, exist_ok=True)
            made = base64.b64encode(secrets.token_bytes(_KEY_BYTES))
            with suppress(FileExistsError), open(file, "xb", opener=_open_private) as stream:
                stream.write(made)
        return parse_key(file.read_text("ascii"))
    except OSError:
        return None


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
