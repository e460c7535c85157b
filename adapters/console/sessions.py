"""Sessions in the database, and the cookies that name them.

A session's cookie holds a random token; the database holds its SHA-256, who signed in, how and until when. So a
session can be ended from elsewhere, and who reads the database can't act as anybody. Other cookies (which
conversation is shown, the way through a sign-in) are signed by us; nothing in them is secret to their bearer.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import delete, insert, select, update
from starlette.requests import HTTPConnection
from starlette.responses import Response

from bot.activity import Person, clean_text
from bot.database import Transaction
from bot.database.tables import console_sessions
from bot.services import Services

SESSION_HOURS = 12
SESSION = "session"
TALK = "talk"
SIGNIN = "signin"
LIFETIMES = {SESSION: SESSION_HOURS * 3600, TALK: 90 * 24 * 3600, SIGNIN: 600}
"""Seconds that each kind of cookie counts."""

FORGOTTEN = timedelta(days=30)
"""Time after which the row of a session that is over goes."""

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

Way = Literal["", "dev", "oidc"]


@dataclass(frozen=True)
class Session:
    """A browser's session; the token is in the cookie alone. Nobody is signed in while `person_id` is empty."""

    token: str
    person_id: str = ""
    way: Way = ""
    issuer: str = ""

    @staticmethod
    def nobody() -> Session:
        """Return a session of nobody's: it is kept nowhere, so no form of it is ever taken."""
        return Session(secrets.token_urlsafe(32))

    @property
    def id(self) -> str:
        """What the database knows the session by."""
        return hashlib.sha256(self.token.encode()).hexdigest()

    @property
    def csrf(self) -> str:
        """What goes into every form, made from what neither another site nor the database knows."""
        return hmac.new(self.token.encode(), b"csrf", hashlib.sha256).hexdigest()


class Sessions:
    """The only place that writes the table console_sessions; its moments are real time."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def begin(
        self,
        person: Person,
        way: Way,
        *,
        issuer: str = "",
        browser: str = "",
        instead_of: Session | None = None,
    ) -> Session:
        """Return a new session of that person's, with a new token; `instead_of` ends in the same transaction."""
        session = Session(secrets.token_urlsafe(32), person.id, way, issuer)
        now = self._services.clock.wall()
        row = {
            "id": session.id,
            "person_id": person.id,
            "way": way,
            "issuer": issuer,
            "browser": clean_text(browser)[:200],
            "created_at": now,
            "expires_at": now + timedelta(seconds=LIFETIMES[SESSION]),
        }

        async def work(transaction: Transaction) -> None:
            await transaction.execute(insert(console_sessions).values(**row))
            if instead_of is not None:
                await _end(transaction, now, console_sessions.c.id == instead_of.id)
            await transaction.execute(delete(console_sessions).where(console_sessions.c.expires_at < now - FORGOTTEN))
            if way == "oidc":
                payload = {"issuer": issuer, "session": session.id[:12]}
                await self._services.audit.record(transaction, "person.signed_in", person_id=person.id, payload=payload)

        await self._services.database.write(work)
        return session

    async def find(self, token: str) -> Session | None:
        """Return the session of that token, None when there is none, or it ended or lapsed."""
        if not _TOKEN.fullmatch(token):
            return None
        digest = hashlib.sha256(token.encode()).hexdigest()
        query = select(console_sessions).where(console_sessions.c.id == digest, *self._still_counts())
        async with self._services.database.read() as connection:
            row = (await connection.execute(query)).first()
        return Session(token, row.person_id, row.way, row.issuer) if row else None

    async def counts(self, session: Session) -> bool:
        """Tell whether the session goes on, on whichever replica it was begun or ended."""
        query = select(console_sessions.c.id).where(console_sessions.c.id == session.id, *self._still_counts())
        async with self._services.database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def end(self, session: Session) -> None:
        """Let no copy of the session's cookie count any more."""
        await self._end_where(console_sessions.c.id == session.id)

    async def end_all(self, person: Person) -> None:
        """End every session of that person's, in all browsers."""
        await self._end_where(console_sessions.c.person_id == person.id)

    async def _end_where(self, condition: Any) -> None:
        now = self._services.clock.wall()

        async def work(transaction: Transaction) -> None:
            await _end(transaction, now, condition)

        await self._services.database.write(work)

    def _still_counts(self) -> tuple[Any, Any]:
        return console_sessions.c.ended_at.is_(None), console_sessions.c.expires_at > self._services.clock.wall()


async def _end(transaction: Transaction, now: datetime, condition: Any) -> None:
    still = console_sessions.c.ended_at.is_(None)
    await transaction.execute(update(console_sessions).where(condition, still).values(ended_at=now))


class CookieJar:
    """Reads and writes our cookies; the key that signs them is shared by all replicas."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._key = ""
        url = urlsplit(services.settings.public_url)
        self.is_secure = url.scheme == "https"
        # Browsers keep one jar for all ports of a host: two bots on one machine must not mix theirs up.
        self._prefix = "__Host-quartermaster" if self.is_secure else f"quartermaster-{url.port or 80}"

    def name_of(self, kind: str) -> str:
        """Return the cookie's name."""
        return f"{self._prefix}-{kind}"

    async def read(self, request: HTTPConnection, kind: str) -> dict[str, Any] | None:
        """Return what we signed, None when the cookie is missing, changed, too old or another kind's."""
        text = request.cookies.get(self.name_of(kind), "")
        if not text:
            return None
        try:
            value = (await self._signer(kind)).loads(text, max_age=LIFETIMES[kind])
        except BadData:
            return None
        return value if isinstance(value, dict) else None

    async def write(self, response: Response, kind: str, value: dict[str, Any]) -> None:
        """Set a signed cookie."""
        self._set(response, kind, str((await self._signer(kind)).dumps(value)))

    def erase(self, response: Response, kind: str) -> None:
        """Take the cookie away."""
        response.delete_cookie(self.name_of(kind), path="/", secure=self.is_secure, httponly=True, samesite="lax")

    def token_of(self, request: HTTPConnection) -> str:
        """Return what the browser gives for its session's token."""
        return request.cookies.get(self.name_of(SESSION), "")

    def write_session(self, response: Response, session: Session) -> None:
        """Set the session's cookie, or take it away when nobody is signed in."""
        if session.person_id:
            self._set(response, SESSION, session.token)
        else:
            self.erase(response, SESSION)

    def _set(self, response: Response, kind: str, text: str) -> None:
        response.set_cookie(
            self.name_of(kind),
            text,
            max_age=LIFETIMES[kind],
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    async def _signer(self, kind: str) -> URLSafeTimedSerializer:
        if not self._key:
            self._key = await self._services.keepsake("console-session-key")
        return URLSafeTimedSerializer(
            self._key, salt=f"console-{kind}", signer_kwargs={"digest_method": hashlib.sha256}
        )
