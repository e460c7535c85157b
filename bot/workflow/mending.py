"""What operators do about a failed request: retry what failed, or record a step as done by hand."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from bot.activity import Person, clean_text
from bot.card import Card, Text
from bot.database import Transaction
from bot.database.tables import steps, waits
from bot.errors import Conflict, Invalid, NotFound
from bot.people import shown
from bot.requests import STATE_WORDS, RequestRecord
from bot.services import Services
from bot.workflow.run import APART, BY_HAND

RETRY, RETRIES = "retry", "retries"
"""Notes on a request: where a retry goes on, and how many there were."""
MAX_REASON = 1000


class Mending:
    """Decided by policy (action "override") at each call, and recorded."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def retry(self, request_id: str, by: Person, *, owner: str = "") -> RequestRecord:
        """Run what failed again, from where it failed; steps that succeeded are not repeated.

        `owner` is that of the REST key it came through, which reaches its own requests only. Raises NotFound, Refused,
        or Conflict when the request has not failed or can only be asked for again.
        """
        record = await self._allowed(request_id, by, owner)

        async def work(transaction: Transaction) -> None:
            await self._go_on(transaction, record.id, by, f"Request {record.id} is tried again by {shown(by)}.")

        await self._services.database.write(work)
        return await self._services.requests.find(record.id)

    async def record_done(
        self, request_id: str, step: str, reason: str, by: Person, *, owner: str = ""
    ) -> RequestRecord:
        """Record a failed step as done by hand, with the reason; then the request goes on by itself.

        `step` is the step's name, or its beginning if that is enough; `owner` is as with `retry`. Raises NotFound,
        Refused, Invalid (no reason) or Conflict (no such failed step, or one on whose result others depend).
        """
        record = await self._allowed(request_id, by, owner)
        reason = clean_text(reason)
        if not reason:
            raise Invalid("Say why the step is done, so that the record tells it.", field="reason")
        if len(reason) > MAX_REASON:
            raise Invalid(f"reason: at most {MAX_REASON} characters; this has {len(reason)}.", field="reason")
        name = await self._failed_step(record, step)

        async def work(transaction: Transaction) -> None:
            mine = (steps.c.request_id == record.id, steps.c.name == name, steps.c.state == "failed")
            values = {"state": BY_HAND, "error": f"done by hand by {shown(by)}: {reason}"}
            changed = await transaction.execute(update(steps).where(*mine).values(**values))
            if changed.rowcount != 1:
                raise Conflict(f"The step “{name}” has just changed; look at request {record.id} again.")
            await self._services.audit.record(
                transaction,
                "step.done_by_hand",
                person_id=by.id,
                request_id=record.id,
                payload={"step": name, "reason": reason, "by": by.email},
            )
            text = f"Request {record.id}: {shown(by)} recorded the step “{name}” as done by hand. It goes on."
            await self._go_on(transaction, record.id, by, text)

        await self._services.database.write(work)
        return await self._services.requests.find(record.id)

    async def _allowed(self, request_id: str, by: Person, owner: str) -> RequestRecord:
        record = await self._services.requests.find(request_id)
        decision = self._services.policy.may_override(by, record.subject)
        foreign = bool(owner) and record.owner != owner
        if foreign or (not decision.allowed and not self._services.policy.may_see(by, record.subject).allowed):
            raise NotFound(f"There is no request {record.id}.", next_step="Say “my requests” to see yours.")
        decision.require()
        return record

    async def steps_to_record(self, record: RequestRecord) -> tuple[str, ...]:
        """Return the names of failed steps that may be recorded as done by hand."""
        return tuple(n for n in await self._failed(record) if n in record.notes.get(APART, ()))

    async def _go_on(self, transaction: Transaction, request_id: str, by: Person, text: str) -> None:
        requests = self._services.requests
        record = await requests.read(transaction.connection, request_id)
        if record is None:
            raise NotFound(f"There is no request {request_id}.")
        if record.state != "failed":
            raise Conflict(f"Request {record.id} has not failed: it is {STATE_WORDS[record.state]}.")
        point = record.notes.get(RETRY)
        if not point:
            advice = (record.outcome or {}).get("next") or "Ask for it anew."
            raise Conflict(f"Request {record.id} can't be tried again from here.", next_step=advice)
        for resource in record.plan.touches:
            if resource.exclusive and await requests.is_open_on(transaction, resource.kind, resource.name):
                raise Conflict(
                    f"{resource.name} is part of another open request by now, so {record.id} is not tried again.",
                    next_step="Look at that request first.",
                )
        number = int(record.notes.get(RETRIES, 0)) + 1
        if not await requests.move(transaction, record.id, ("failed",), "running", outcome=None):
            raise Conflict(f"Request {record.id} is being tried again already.")
        await requests.note(transaction, record.id, **{RETRIES: number, RETRY: None})
        await transaction.execute(
            insert(waits).values(
                request_id=record.id,
                kind="timer",
                key=f"{record.id}:{record.version}:retry{number}",
                segment=point["segment"],
                payload=point["payload"],
                attempt=0,
                due_at=self._services.clock.now(),
                noticed=False,
            )
        )
        await self._services.audit.record(
            transaction, "request.retried", person_id=by.id, request_id=record.id, payload={"number": number}
        )
        card = Card(f"Tried again: {record.plan.summary}", (Text(text),), request=record.id)
        await self._services.conversations.notify(
            transaction, record.conversation, f"{record.id}:retry:{number}", text, card, record.id
        )
        transaction.then(lambda: self._services.signals.set("scheduler"))

    async def _failed_step(self, record: RequestRecord, wanted: str) -> str:
        failed = await self._failed(record)
        apart = [name for name in failed if name in record.notes.get(APART, ())]
        folded = wanted.strip().strip("“”\"'").casefold()
        found = [n for n in apart if n.casefold() == folded] or [n for n in apart if n.casefold().startswith(folded)]
        if folded and len(found) == 1:
            return str(found[0])
        if any(n.casefold() == folded for n in failed):
            raise Conflict(f"Others depend on what the step “{wanted}” yields, so it can't be recorded as done.")
        listed = ", ".join(f"“{n}”" for n in apart) or "none that can be"
        raise Conflict(f"Request {record.id} has no failed step “{wanted[:60]}”; failed: {listed}.")

    async def _failed(self, record: RequestRecord) -> list[str]:
        query = select(steps.c.name).where(steps.c.request_id == record.id, steps.c.state == "failed")
        async with self._services.database.read() as connection:
            return [r.name for r in (await connection.execute(query.order_by(steps.c.seq))).all()]
