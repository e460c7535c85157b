"""Signed cookies: who signed in, which conversation is theirs, and the way through a sign-in.

What a cookie says was written by us and not changed since; nothing in it is secret to its bearer.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import asdict, dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from itsdangerous import BadData, URLSafeTimedSerializer
from sqlalchemy import select
from starlette.requests import HTTPConnection
from starlette.responses import Response

from bot.database import Transaction
from bot.database.tables import idempotency
from bot.rows import insert_new
from bot.services import Services

SESSION_HOURS = 12
SESSION = "session"
TALK = "talk"
SIGNIN = "signin"
LIFETIMES = {SESSION: SESSION_HOURS * 3600, TALK: 90 * 24 * 3600, SIGNIN: 600}
"""Seconds that each kind of cookie counts, from the moment it was signed."""

SIGNED_OUT = "console-signed-out"
"""Scope of the rows that name ended sessions. Such a row outlives the cookie: rows are kept for days."""

Way = Literal["", "dev", "oidc"]


@dataclass(frozen=True)
class Session:
    """A browser's session. `person_id` is empty until somebody signed in; `csrf` goes into every form."""

    id: str
    csrf: str
    person_id: str = ""
    way: Way = ""
    issuer: str = ""

    @staticmethod
    def begin(person_id: str = "", way: Way = "", issuer: str = "") -> Session:
        """Return a new session: new id, new form token."""
        return Session(secrets.token_urlsafe(16), secrets.token_urlsafe(24), person_id, way, issuer)


class CookieJar:
    """Reads and writes our cookies; the signing key is shared by all replicas."""

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
        """Set the cookie."""
        response.set_cookie(
            self.name_of(kind),
            str((await self._signer(kind)).dumps(value)),
            max_age=LIFETIMES[kind],
            path="/",
            secure=self.is_secure,
            httponly=True,
            samesite="lax",
        )

    def erase(self, response: Response, kind: str) -> None:
        """Take the cookie away."""
        response.delete_cookie(self.name_of(kind), path="/", secure=self.is_secure, httponly=True, samesite="lax")

    async def read_session(self, request: HTTPConnection) -> Session | None:
        """Return the session of a request, if there is one that nobody signed out of."""
        value = await self.read(request, SESSION)
        try:
            session = Session(**value) if value else None
        except TypeError:
            return None  # written by another version of us
        if session and session.person_id and await self.is_ended(session):
            return None
        return session

    async def write_session(self, response: Response, session: Session) -> None:
        """Set the session's cookie."""
        await self.write(response, SESSION, asdict(session))

    async def end_session(self, session: Session) -> None:
        """Let no copy of the session's cookie count any more, on any replica."""
        row = {"scope": SIGNED_OUT, "key": session.id, "fingerprint": "", "created_at": self._services.clock.wall()}

        async def work(transaction: Transaction) -> None:
            await insert_new(transaction, idempotency, row, on=["scope", "key"])

        await self._services.database.write(work)

    async def is_ended(self, session: Session) -> bool:
        """Tell whether somebody signed out of the session, on whichever replica."""
        ended = select(idempotency.c.key).where(idempotency.c.scope == SIGNED_OUT, idempotency.c.key == session.id)
        async with self._services.database.read() as connection:
            return (await connection.execute(ended)).first() is not None

    async def _signer(self, kind: str) -> URLSafeTimedSerializer:
        if not self._key:
            self._key = await self._services.keepsake("console-session-key")
        return URLSafeTimedSerializer(
            self._key, salt=f"console-{kind}", signer_kwargs={"digest_method": hashlib.sha256}
        )
