"""Who calls: the owner of a bearer key, a person with a key of their own, or the newcomer on their own machine.

A key of API_KEYS names its owner and the mail domain of those it may speak for. It sees what was asked with keys of
that owner and nothing else. A person's own key (`bot.keys`) speaks for and sees that person's alone, within its scopes.
No route here approves anything.
"""

from __future__ import annotations

import hashlib
import hmac
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlsplit

from starlette.requests import Request

from adapters.rest.problems import TooMany
from bot.activity import Person
from bot.clock import Clock
from bot.errors import Refused, Unauthenticated
from bot.guard import address_of, is_newcomer
from bot.keys import PREFIX, SCOPES, Keys
from bot.settings import ApiKey, Settings

OPEN = "open"
"""Owner of what is asked without a key, in the embedded default."""

WRONG_KEYS = 20
"""Wrong keys that one client may send at once."""
SECONDS_PER_WRONG_KEY = 3.0
CLIENTS = 10_000
"""Clients that are remembered; the longest silent is forgotten first."""


class KeyRefused(Refused):
    """The key itself may not do that, whoever it speaks for."""


class OwnKey(ApiKey):
    """A key that a person made for themselves: it speaks for nobody else, and may what its scopes say."""

    def __init__(self, person: Person, scopes: tuple[str, ...]) -> None:
        super().__init__("", f"person:{person.id}", "")
        self.person, self.scopes = person, scopes

    def may_speak_for(self, email: str) -> bool:
        """Tell whether that is the person themselves."""
        return email == self.person.email


@dataclass(frozen=True)
class Caller:
    """Whoever sent this request; `key` is None for the newcomer."""

    owner: str
    key: ApiKey | None = None

    @property
    def own(self) -> OwnKey | None:
        """The key, if it is a person's own."""
        return self.key if isinstance(self.key, OwnKey) else None

    @property
    def sees(self) -> str | None:
        """The owner whose requests are shown, None for all: the newcomer is alone on the machine.

        A person's own key is limited to what its person asked for, by whatever way: see `own`.
        """
        return self.owner if self.key and not self.own else None

    def require(self, scope: str) -> None:
        """Raise Refused unless the caller may do that; `scope` is empty for what no person's own key may."""
        if self.own and scope not in self.own.scopes:
            raise KeyRefused(
                f"This key may not do that: {SCOPES[scope]}." if scope else "No person's own key may do that.",
                next_step="Make a key with that scope in the console, under your name." if scope else "",
            )

    @property
    def mark(self) -> str:
        """A short hash that stands for the owner in ids."""
        kind = "own" if self.own else "key" if self.key else "open"
        return hashlib.sha256(f"{kind}\n{self.owner}".encode()).hexdigest()[:16]

    def speak_for(self, email: str) -> None:
        """Raise Refused unless the caller may speak for that case-folded address."""
        if self.own and not self.own.may_speak_for(email):
            raise KeyRefused(
                f"This key speaks for {self.own.person.email} alone.",
                next_step="Send that address, or use a key that its own person has made.",
            )
        if self.key and not self.key.may_speak_for(email):
            raise KeyRefused(
                f"This key speaks only for addresses at {self.key.domain}.",
                next_step="Use a key for that person's domain; whoever runs the bot sets them in API_KEYS.",
            )


class WrongKeys:
    """Counts wrong keys per client in bounded memory: a bucket that refills with time.

    A client that guessed too often is turned away before its key is looked at, unless that very key was
    right from there before: one broken caller behind a shared address does not lock out the others.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._spent: OrderedDict[str, tuple[float, datetime]] = OrderedDict()
        self._proven: OrderedDict[tuple[str, bytes], None] = OrderedDict()

    def check(self, client: str, digest: bytes) -> None:
        """Raise TooMany when this client has to wait."""
        if (client, digest) in self._proven:
            return
        over = self._level(client) - (WRONG_KEYS - 1)
        if over > 0:
            raise TooMany(
                "Too many wrong keys came from your address.",
                retry_after=int(over * SECONDS_PER_WRONG_KEY) + 1,
                next_step="Wait, then send a key of API_KEYS.",
            )

    def failed(self, client: str) -> None:
        """Count one wrong key."""
        self._spent[client] = (self._level(client) + 1, self._clock.wall())
        self._spent.move_to_end(client)
        if len(self._spent) > CLIENTS:
            self._spent.popitem(last=False)

    def succeeded(self, client: str, digest: bytes) -> None:
        """Remember that this key was right from there."""
        self._proven[(client, digest)] = None
        self._proven.move_to_end((client, digest))
        if len(self._proven) > CLIENTS:
            self._proven.popitem(last=False)

    def _level(self, client: str) -> float:
        spent, at = self._spent.get(client, (0.0, self._clock.wall()))
        refilled = (self._clock.wall() - at).total_seconds() / SECONDS_PER_WRONG_KEY
        return max(0.0, spent - refilled)


class Door:
    """Lets callers in, or says why not."""

    def __init__(self, settings: Settings, clock: Clock, own_keys: Keys) -> None:
        self._settings, self._own_keys = settings, own_keys
        self._keys = tuple((key, _digest(key.secret.encode())) for key in settings.keys)
        self._wrong = WrongKeys(clock)

    @property
    def needs_key(self) -> bool:
        """Whether keys are set; without any only the newcomer is let in."""
        return bool(self._keys)

    async def admit(self, request: Request) -> Caller:
        """Return the caller; raises Unauthenticated, Refused or TooMany."""
        given = request.headers.get("authorization", "").partition(" ")[2].strip()
        if self._keys or given.startswith(PREFIX):
            return await self._by_key(request)
        return self._newcomer(request)

    async def _by_key(self, request: Request) -> Caller:
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        if scheme.casefold() != "bearer" or not secret.strip():
            raise Unauthenticated("A key is needed.", next_step="Send one of API_KEYS as “Authorization: Bearer …”.")
        client = address_of(request)
        digest = _digest(secret.strip().encode("latin-1", "replace"))
        self._wrong.check(client, digest)
        # Every key is compared, so that the time taken tells nothing about which came close.
        matches = [key for key, known in self._keys if hmac.compare_digest(known, digest)]
        if not matches and (found := await self._own_keys.find(secret.strip())):
            key, person = found
            matches = [OwnKey(person, key.scopes)]
        if not matches:
            self._wrong.failed(client)
            raise Unauthenticated(
                "That key is not one of API_KEYS, nor one that somebody made and that still counts.",
                next_step="Check it with whoever runs the bot, or make one in the console.",
            )
        self._wrong.succeeded(client, digest)
        return Caller(matches[0].owner, matches[0])

    def _newcomer(self, request: Request) -> Caller:
        if not is_newcomer(self._settings, request) or _is_cross_site(request):
            raise Refused(
                "REST is off here: no keys are set, and without keys it answers only on the machine itself, "
                "while AWS is the sandbox.",
                next_step="Set API_KEYS=key:owner:domain and send the key as “Authorization: Bearer …”.",
            )
        return Caller(OPEN)


def _is_cross_site(request: Request) -> bool:
    """Tell whether a page of somebody else's, open in the newcomer's browser, sent this."""
    if request.headers.get("sec-fetch-site", "none") not in {"same-origin", "none"}:
        return True
    origin = request.headers.get("origin")
    return origin is not None and urlsplit(origin).netloc != request.headers.get("host")


def _digest(secret: bytes) -> bytes:
    return hashlib.sha256(secret).digest()
