"""Who is at the door: a browser's session, the person behind it, and what they hold a form token for."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from adapters.console.sessions import TALK, CookieJar, Session, Sessions
from bot.activity import Person
from bot.errors import Unauthenticated
from bot.guard import is_newcomer
from bot.services import Services

_TALK = re.compile(r"[0-9a-f]{16}")
MAX_TALKS = 8
"""Conversations that one browser remembers, one a person."""


class SignInNeeded(Unauthenticated):
    """Nobody is signed in, and there is an identity provider to do it."""

    title = "Please sign in"


class SignInNotConfigured(Unauthenticated):
    """Nobody is signed in, and there is no way to do it."""

    status = 403
    title = "Sign-in is not configured"


@dataclass
class Visit:
    """One request's view of its browser. What changes here is written to cookies when the answer leaves."""

    session: Session
    person: Person | None
    talks: dict[str, str]
    may_switch: bool
    """Whether this is the newcomer on their own machine, who may act as anybody."""
    session_changed: bool = False
    talks_changed: bool = False

    def sign_in(self, person: Person, session: Session) -> None:
        """Go on as that person in a new session."""
        self.person, self.session, self.session_changed = person, session, True

    def sign_out(self) -> None:
        """Go on as nobody."""
        self.person, self.session, self.session_changed = None, Session.nobody(), True

    def begin_talk(self) -> None:
        """Start a new conversation for the person who is signed in."""
        if self.person is None:
            raise SignInNeeded("Sign in to talk to the bot.")
        kept = {k: v for k, v in self.talks.items() if k != self.person.id}
        newest = dict(list(kept.items())[-(MAX_TALKS - 1) :])
        self.talks, self.talks_changed = {**newest, self.person.id: secrets.token_hex(8)}, True

    @property
    def conversation(self) -> str:
        """The id of the conversation that this browser shows to the person signed in."""
        if self.person is None:
            raise SignInNeeded("Sign in to talk to the bot.")
        if self.person.id not in self.talks:
            self.begin_talk()
        return f"console:{self.person.id}:{self.talks[self.person.id]}"

    def conversation_of(self, talk: str) -> str:
        """Return the id of the conversation that a page shows, which another tab may have left since.

        `talk` is its last part as the page knows it; it only ever names conversations of the person's own.
        """
        current = self.conversation
        return f"{current.rpartition(':')[0]}:{talk}" if _TALK.fullmatch(talk) else current


class Doorkeeper:
    """Opens a visit for each request and writes what changed when it ends."""

    def __init__(self, services: Services, cookies: CookieJar, sessions: Sessions) -> None:
        self._services, self._cookies, self._sessions = services, cookies, sessions

    async def open(self, request: Request) -> Visit:
        """Return who is there; on the newcomer's machine that is at least the development user."""
        settings = self._services.settings
        may_switch = not settings.uses_oidc and is_newcomer(settings, request)
        token = self._cookies.token_of(request)
        session = await self._sessions.find(token) if token else None
        person = await self._person_of(session, may_switch) if session else None
        talks = {k: v for k, v in (await self._cookies.read(request, TALK) or {}).items() if isinstance(v, str)}
        if session and person:
            return Visit(session, person, talks, may_switch)
        visit = Visit(Session.nobody(), None, talks, may_switch, session_changed=bool(token))
        if may_switch:
            newcomer = await self._services.people.of_email(settings.dev_user)
            visit.sign_in(newcomer, await self._sessions.begin(newcomer, "dev", browser=browser_of(request)))
        return visit

    async def close(self, visit: Visit, response: Response) -> None:
        """Write the cookies that changed."""
        if visit.session_changed:
            self._cookies.write_session(response, visit.session)
        if visit.talks_changed:
            await self._cookies.write(response, TALK, dict(visit.talks))

    def require(self, visit: Visit) -> Person:
        """Return the person signed in, or raise with what would sign them in."""
        if visit.person is not None:
            return visit.person
        if self._services.settings.uses_oidc:
            raise SignInNeeded("Sign in to go on.")
        raise SignInNotConfigured(
            "The console can't tell who you are.",
            next_step="Set OIDC_ISSUER, OIDC_CLIENT_ID and OIDC_CLIENT_SECRET to your identity provider's. "
            "Without them the console serves only its own machine, directly, with the sandboxed AWS.",
        )

    async def still_counts(self, visit: Visit) -> bool:
        """Tell whether a visit that lasts may go on: nobody has signed out of its session since it was opened."""
        return await self._sessions.counts(visit.session)

    async def _person_of(self, session: Session, may_switch: bool) -> Person | None:
        settings = self._services.settings
        if session.way == "oidc":
            counts = settings.uses_oidc and session.issuer == settings.oidc_issuer
        else:
            counts = session.way == "dev" and may_switch
        return await self._services.people.get(session.person_id) if counts else None


def visit_of(request: Request) -> Visit:
    """Return the visit that the console's routes opened for this request."""
    visit: Visit = request.state.visit
    return visit


def browser_of(request: Request) -> str:
    """Return what the browser calls itself, for people to tell their sessions apart."""
    return request.headers.get("user-agent", "")
