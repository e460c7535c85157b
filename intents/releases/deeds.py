"""What all deeds about roll-outs have in common: which one is meant, who may, and the record of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.activity import Person
from bot.database import Transaction
from bot.errors import Conflict, Invalid, NotFound
from bot.releases.rollouts import Rollout, Rollouts
from bot.requests import Filter, RequestRecord
from bot.requests.record import OFFERS
from bot.services import Services
from intents.releases.cards import offers_of
from intents.releases.definitions import ROLL_OUT

Work = Callable[[Transaction, Rollout], Awaitable[str]]
STEER = "steer"
"""The action that policies decide about: everything but pausing and stopping."""


class Unchanged(str):
    """What is told of a deed that was done before: nothing is written, and nothing recorded."""


class Deeds:
    """Finds roll-outs, asks the policy, and writes what is done in one transaction with the record of it."""

    def __init__(self, services: Services, rollouts: Rollouts) -> None:
        self._services, self._rollouts = services, rollouts

    async def record(self, named: str, conversation: str, owner: str | None, by: Person) -> RequestRecord:
        """Return the roll-out's request that is meant: named, the newest here, else the only one under way."""
        requests = self._services.requests
        if named:
            record = await requests.find(named)
            foreign = owner is not None and record.owner != owner
            if foreign or record.intent != ROLL_OUT or not self._may_see(by, record):
                raise NotFound(f"There is no roll-out {record.id}.", next_step="Say “how far is the rollout?”.")
            return record
        here = await requests.list(Filter(conversation=conversation, intent=ROLL_OUT, owner=owner, limit=1))
        if here.items and not here.items[0].is_final:
            return here.items[0]
        wanted = Filter(intent=ROLL_OUT, state=("queued", "running", "paused", "stopping"), owner=owner, limit=20)
        open_ones = [r for r in (await requests.list(wanted)).items if self._may_see(by, r)]
        if len(open_ones) == 1:
            return open_ones[0]
        if open_ones:
            listed = ", ".join(f"{r.id} ({r.plan.effects['component']})" for r in open_ones)
            raise Invalid(f"Several roll-outs are under way: {listed}.", next_step="Say which, by its id.")
        if here.items:
            return here.items[0]
        raise NotFound("No roll-out is under way.", next_step="Say “roll out 2.4.1” to begin one.")

    def _may_see(self, by: Person, record: RequestRecord) -> bool:
        return self._services.policy.may_see(by, record.subject).allowed

    def _may_steer(self, by: Person, record: RequestRecord, surface: str) -> None:
        self._services.policy.may(by, STEER, record.subject, channel=surface).require()

    async def _do(
        self, record: RequestRecord, by: Person, surface: str, deed: str, work: Work, phase: str, **payload: object
    ) -> str:
        """Do something to a roll-out in one transaction with the record of it; returns what is told."""
        services = self._services
        has_failed = any(wave.get("failed") for wave in (await self._rollouts.counts(record.id)).values())

        async def whole(transaction: Transaction) -> str:
            await services.requests.lock(transaction, record.id)
            rollout = await self._rollouts.read(transaction, record.id)
            if rollout is None:
                raise Conflict(f"The roll-out of request {record.id} has not begun.")
            holder = await self._rollouts.holder(rollout.component)
            if phase in ("running", "back") and holder not in ("", record.id):
                raise Conflict(
                    f"{rollout.component} was taken by request {holder}, so request {record.id} can't go on."
                )
            said = await work(transaction, rollout)
            if isinstance(said, Unchanged):
                return said
            if phase:
                offers = offers_of(phase, record.id, failed=has_failed)
                await services.requests.note(transaction, record.id, **{OFFERS: offers})
            await services.requests.changed(transaction, record.id)
            about = {"by": by.email, "surface": surface, "said": said, **payload}
            await services.audit.record(
                transaction, f"rollout.{deed}", person_id=by.id, request_id=record.id, payload=about
            )
            return said

        return await services.database.write(whole)


def too_late(record: RequestRecord, rollout: Rollout) -> Conflict:
    """Return what is told where a roll-out is in a phase in which a deed can't be done any more."""
    words = {"stopping": "is being stopped", "back": "is being rolled back", "done": "is over"}
    return Conflict(f"The roll-out of request {record.id} {words.get(rollout.phase, 'is ' + rollout.phase)}.")
