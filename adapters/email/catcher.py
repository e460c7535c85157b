"""The mail catcher of the embedded default: an SMTP server that keeps mails as files and sends none."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bot.clock import iso
from bot.errors import SettingsError

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP as Protocol
    from aiosmtpd.smtp import Envelope, Session

MAX_KEPT = 1000
"""Mails that are kept; the oldest give way."""
MAX_BYTES = 2 * 1024 * 1024
"""Octets that one mail may have."""
CAUGHT_AT = "X-Caught-At"
"""Header with the business time at which a mail was caught."""


@dataclass(frozen=True)
class CaughtMail:
    """One mail as people read it."""

    id: str
    to: str
    subject: str
    text: str
    html: str
    at: datetime


class MailFolder:
    """Caught mails, one file each, so that they outlive the process and other processes see them.

    A name starts with the wall clock's time in nanoseconds, made to rise even when the clock does not: sorted
    names are the order of arrival. What people see is the time of `now`, which may run ahead of the wall.
    Methods block; call them in a thread.
    """

    def __init__(self, folder: Path, now: Callable[[], datetime], *, keep: int = MAX_KEPT) -> None:
        self._folder = folder
        self._now = now
        self._keep = keep

    def put(self, content: bytes, recipients: list[str]) -> str:
        """Write one mail, whole or not at all, and return its id; what is over the limit is removed."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        names = self._names()
        newest = int(names[-1].partition("-")[0]) if names else 0
        mail_id = f"{max(time.time_ns(), newest + 1):020d}-{secrets.token_hex(4)}"
        stamps = f"{CAUGHT_AT}: {iso(self._now())}\r\n"
        stamps += "".join(f"Delivered-To: {_one_line(r)}\r\n" for r in recipients)
        unfinished = self._folder / f".{mail_id}.part"
        with unfinished.open("wb") as file:
            file.write(stamps.encode("utf-8", "replace") + content)
            file.flush()
            os.fsync(file.fileno())
        unfinished.rename(self._folder / f"{mail_id}.eml")
        for name in names[: max(0, len(names) + 1 - self._keep)]:
            (self._folder / f"{name}.eml").unlink(missing_ok=True)
        return mail_id

    def newest_first(self, limit: int = MAX_KEPT) -> list[CaughtMail]:
        """Return the mails, the last one first; a file that vanishes meanwhile is left out."""
        found = (self._read(name) for name in reversed(self._names()[-limit:]))
        return [mail for mail in found if mail is not None]

    def _read(self, mail_id: str) -> CaughtMail | None:
        try:
            content = (self._folder / f"{mail_id}.eml").read_bytes()
        except FileNotFoundError:
            return None
        message = message_from_bytes(content)  # the old policy: ten times as fast, and it takes anything
        return CaughtMail(
            id=mail_id,
            to=", ".join(str(r) for r in message.get_all("Delivered-To", [])),
            subject=_header(message, "Subject"),
            text=_body(message, "text/plain"),
            html=_body(message, "text/html"),
            at=_caught_at(message, mail_id),
        )

    def _names(self) -> list[str]:
        return sorted(_mail_ids(self._folder)) if self._folder.is_dir() else []


def _mail_ids(folder: Path) -> Iterator[str]:
    for path in folder.glob("*.eml"):
        if path.stem.partition("-")[0].isdigit():
            yield path.stem


def _caught_at(message: Message, mail_id: str) -> datetime:
    """Return when a mail was caught; the stamp stands before everything that its sender wrote."""
    try:
        at = datetime.fromisoformat(str(message.get(CAUGHT_AT, "")))
    except ValueError:
        return datetime.fromtimestamp(int(mail_id.partition("-")[0]) / 1e9, UTC)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _header(message: Message, name: str) -> str:
    raw = _one_line(str(message.get(name, "")))
    try:
        return str(make_header(decode_header(raw)))
    except (HeaderParseError, LookupError, ValueError):
        return raw


def _body(message: Message, kind: str) -> str:
    part = next((p for p in message.walk() if p.get_content_type() == kind), None)
    payload = part.get_payload(decode=True) if part is not None else None
    if part is None or not isinstance(payload, bytes):
        return ""
    try:
        text = payload.decode(part.get_content_charset("utf-8"), "replace")
    except LookupError:  # a charset that nobody knows
        text = payload.decode("utf-8", "replace")
    return text.replace("\r\n", "\n")


def _one_line(text: str) -> str:
    return " ".join(text.split())


class MailCatcher:
    """An SMTP server on this process's event loop that puts each mail into the folder before it says 250."""

    def __init__(self, folder: MailFolder, host: str, port: int) -> None:
        self._folder = folder
        self._host = host
        self._port = port
        self._server: asyncio.Server | None = None
        self._sessions: set[Protocol] = set()

    @property
    def port(self) -> int | None:
        """The port that it listens on, None while it does not."""
        if self._server is None or not self._server.sockets:
            return None
        bound: int = self._server.sockets[0].getsockname()[1]
        return bound

    async def start(self) -> None:
        """Listen; raises SettingsError when the port can't be had or aiosmtpd is not installed."""
        try:
            from aiosmtpd.smtp import SMTP
        except ImportError as error:
            raise SettingsError(
                "The mail catcher needs aiosmtpd, which is not installed (requirements-sandbox.txt).",
                next_step="Set SMTP_URL, or MAIL_TRANSPORT=ses.",
            ) from error
        logging.getLogger("mail.log").setLevel(logging.WARNING)  # aiosmtpd tells of every command
        loop = asyncio.get_running_loop()

        def welcome() -> SMTP:
            session = SMTP(
                self,
                data_size_limit=MAX_BYTES,
                enable_SMTPUTF8=True,
                hostname="localhost",
                ident="Quartermaster mail catcher",
                loop=loop,
            )
            self._sessions = {s for s in self._sessions if s.transport is not None}
            self._sessions.add(session)
            return session

        try:
            self._server = await loop.create_server(welcome, self._host, self._port)
        except (OSError, OverflowError) as error:
            raise SettingsError(
                f"The mail catcher can't listen on {self._host}:{self._port} (PORT+2): {error}.",
                next_step="Choose another PORT, or set SMTP_URL.",
            ) from error

    async def stop(self) -> None:
        """Stop listening and close what is open; may be called twice."""
        if self._server is None:
            return
        server, self._server = self._server, None
        server.close()
        for session in self._sessions:
            if session.transport is not None:
                session.transport.close()
        self._sessions.clear()
        await server.wait_closed()

    async def handle_DATA(self, server: Protocol, session: Session, envelope: Envelope) -> str:
        """Keep one mail (aiosmtpd's hook)."""
        content: Any = envelope.content
        try:
            await asyncio.to_thread(self._folder.put, bytes(content or b""), list(envelope.rcpt_tos))
        except OSError as error:
            return f"452 {_one_line(error.strerror or 'the mail could not be stored')}"
        return "250 Caught"
