"""The state behind the sandbox's own services: the landing zone, its clock and what is kept of them."""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable
from threading import Condition, Event, RLock
from typing import Any

from sandbox import landing_zone
from sandbox.chaos_seed import seed_chaos
from sandbox.clock import SimulatedClock
from sandbox.delivery.seed import seed_delivery
from sandbox.delivery.state import PREFIX, Delivery
from sandbox.faults import Faults
from sandbox.growth import seed_grown
from sandbox.lex_sessions import LexSessions
from sandbox.model import Account, LandingZone, OrganizationalUnit, from_document
from sandbox.store import Store, UnusableState

Recognize = Callable[..., dict[str, Any]]

_ID_ALPHABET = string.ascii_lowercase + string.digits


class World:
    """One landing zone under one lock.

    Whoever changes it calls `changed`; `save` then keeps it before the change is answered.
    """

    def __init__(
        self,
        store: Store,
        speed: float,
        faults: Faults,
        seed: Callable[[], LandingZone] = seed_grown,
    ) -> None:
        self.lock = RLock()
        self._stirred = Event()
        self.moved = Event()
        self._arrived = Condition()
        self._arrivals = 0
        self.is_closed = False
        self.faults = faults
        self.engines: dict[str, tuple[object, Recognize]] = {}
        self.lex_sessions = LexSessions()
        self._store = store
        self._seed = seed
        kept = store.load("landing_zone")
        try:
            self.zone: LandingZone = seed() if kept is None else from_document(kept)
        except TypeError as error:
            raise UnusableState("The state is another version's; remove the file.") from error
        landing_zone.furnish(self.zone)
        seed_chaos(self.zone)
        self.delivery = Delivery.load(store) or seed_delivery()
        kept_clock = store.load("clock")
        self.clock = SimulatedClock(
            speed=speed,
            resume_at=None if kept_clock is None else float(kept_clock["now"]),
            keep=lambda now: store.save("clock", {"now": now}),
        )
        self._unsaved = kept is None
        self.save()

    def changed(self) -> None:
        """Note that the landing zone differs from what was last kept."""
        self._unsaved = True

    def stir(self) -> None:
        """Wake who waits for something to happen: a post was queued, or the clock was moved."""
        self._stirred.set()
        self.moved.set()

    def wait_until_stirred(self, seconds: float) -> None:
        """Wait for that, at most so many real seconds."""
        self._stirred.wait(seconds)
        self._stirred.clear()

    @property
    def arrivals(self) -> int:
        """How often something was announced; tells who waits whether it missed anything."""
        return self._arrivals

    def announce(self) -> None:
        """Wake who waits for messages."""
        with self._arrived:
            self._arrivals += 1
            self._arrived.notify_all()

    def wait_for_arrivals(self, seen: int, seconds: float) -> bool:
        """Wait until something was announced since then, at most so many real seconds; False once all is over."""
        with self._arrived:
            self._arrived.wait_for(lambda: self.is_closed or self._arrivals != seen, timeout=seconds)
            return not self.is_closed

    def close(self) -> None:
        """Let go of who waits."""
        self.is_closed = True
        self.announce()

    def save(self) -> None:
        """Keep the landing zone if it has changed, and of deliveries what has."""
        with self.lock:
            if self._unsaved:
                self._store.save("landing_zone", self.zone)
                self._unsaved = False
            self.delivery.save(self._store)

    def reset(self) -> None:
        """Back to the seed; Lex bots, registered and built, and the clock's time stay (it never goes backwards).

        So do the sessions of roles: their credentials are still with callers, who must not become somebody else.
        """
        with self.lock:
            was = self.zone
            self.zone = self._seed()
            self.zone.bots, self.zone.lex_bots, self.zone.sessions = was.bots, was.lex_bots, was.sessions
            self._store.save_all(dict.fromkeys(self._store.load_all(PREFIX)))
            self.delivery = seed_delivery()
            self.changed()
            self.save()

    def children_of(self, parent_id: str) -> list[OrganizationalUnit]:
        """The OUs right below a root or an OU."""
        return [unit for unit in self.zone.units.values() if unit.parent_id == parent_id]

    def accounts_in(self, parent_id: str) -> list[Account]:
        """The accounts right below a root or an OU."""
        return [account for account in self.zone.accounts.values() if account.parent_id == parent_id]

    def is_parent(self, identifier: str) -> bool:
        """Whether accounts and OUs can be below it."""
        return identifier == landing_zone.ROOT_ID or identifier in self.zone.units

    def path_of(self, identifier: str) -> str:
        """The path of a root, OU or account as Organizations writes it (with a slash at the end)."""
        if identifier == landing_zone.ROOT_ID:
            return f"{landing_zone.ORGANIZATION_ID}/{identifier}/"
        unit = self.zone.units.get(identifier)
        parent = unit.parent_id if unit else self.zone.accounts[identifier].parent_id
        return f"{self.path_of(parent)}{identifier}/"

    def account_quota(self) -> float:
        """How many accounts the organization may have right now."""
        applied = self.zone.quotas["organizations/L-E619E033"]
        fault = self.faults.peek("quota")
        if fault is None:
            return applied
        return float(min(applied, fault.get("limit", len(self.zone.accounts))))

    def new_account_id(self) -> str:
        """Twelve random digits that no account has ever had."""
        while True:
            candidate = str(secrets.randbelow(9 * 10**11) + 10**11)
            if candidate not in self.zone.accounts and candidate not in self.zone.closures:
                return candidate

    def new_id(self, prefix: str) -> str:
        """An id as Service Catalog makes them."""
        return prefix + "-" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(13))


def without_nothing(members: dict[str, Any]) -> dict[str, Any]:
    """A structure without the members that have no value."""
    return {name: value for name, value in members.items() if value is not None}
