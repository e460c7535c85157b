"""Keeps requests: finds, lists, shows and moves them between states."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, func, insert, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.activity import Person
from bot.audit import Audit
from bot.clock import Clock, iso
from bot.conversations import Conversations
from bot.database import Database, Transaction
from bot.database.tables import approvals, messages, people, requests, steps, touched, waits
from bot.errors import Conflict, Invalid, NotFound
from bot.paging import Page, decode_cursor, encode_cursor
from bot.people import shown
from bot.plan import Plan
from bot.policy import Policy
from bot.requests.record import (
    OPEN_STATES,
    STATE_WORDS,
    Filter,
    RequestRecord,
    State,
    TimelineEntry,
    no_request,
    request_id_of,
)
from bot.rows import insert_new

Observer = Callable[[Transaction, str], Awaitable[None]]
"""Is told a request's id, in the transaction that changes it."""
_NAMES = ("name", "given_name", "family_name")
ACCOUNTS = ("account", "root-email")
"""Kinds of resources that name an account."""
CANCELLABLE: tuple[State, ...] = ("awaiting_approval", "approved", "queued")


class Requests:
    """The only place that writes the table requests."""

    def __init__(
        self, database: Database, clock: Clock, audit: Audit, conversations: Conversations, policy: Policy
    ) -> None:
        self._database, self._clock, self._audit = database, clock, audit
        self._conversations, self._policy = conversations, policy
        self._observers: list[Observer] = []

    def observe(self, observer: Observer) -> None:
        """Name who hears of every request that is placed, moves to another state or goes on, as it is written."""
        self._observers.append(observer)

    async def changed(self, transaction: Transaction, request_id: str) -> None:
        """Tell the observers that something about a request is new."""
        for observer in self._observers:
            await observer(transaction, request_id)

    async def find(self, request_id: str) -> RequestRecord:
        """Return the request that the text names, with or without "qm-"; raises NotFound."""
        known = request_id_of(request_id)
        async with self._database.read() as connection:
            record = await self.read(connection, known)
        if record is None:
            raise no_request(known)
        return record

    async def read(self, connection: AsyncConnection, request_id: str) -> RequestRecord | None:
        """Return the request of that exact id through a given connection."""
        row = (await connection.execute(_joined().where(requests.c.id == request_id))).first()
        return _record(row) if row else None

    async def open_on(self, kind: str, resource: str) -> RequestRecord | None:
        """Return an open request that touches the resource, if there is one."""
        query = (
            _joined()
            .join(touched, touched.c.request_id == requests.c.id)
            .where(touched.c.kind == kind, touched.c.resource == resource, requests.c.state.in_(OPEN_STATES))
            .limit(1)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).first()
        return _record(row) if row else None

    async def is_open_on(self, transaction: Transaction, kind: str, resource: str) -> bool:
        """Tell whether an open request touches the resource, and keep others from it until the transaction ends."""
        if transaction.connection.dialect.name == "postgresql":
            # Two replicas may place at the same moment; on SQLite the one writer rules that out.
            lock = func.pg_advisory_xact_lock(func.hashtextextended(f"{kind}:{resource}", 0))
            await transaction.execute(select(lock))
        query = (
            select(requests.c.id)
            .join(touched, touched.c.request_id == requests.c.id)
            .where(touched.c.kind == kind, touched.c.resource == resource, requests.c.state.in_(OPEN_STATES))
            .limit(1)
        )
        return (await transaction.execute(query)).first() is not None

    async def list(self, wanted: Filter) -> Page[RequestRecord]:
        """Return requests newest first. Raises Invalid for a cursor that isn't ours."""
        query = _filtered(wanted).order_by(requests.c.created_at.desc(), requests.c.id.desc())
        async with self._database.read() as connection:
            rows = (await connection.execute(query.limit(wanted.limit + 1))).all()
        items = tuple(_record(r) for r in rows[: wanted.limit])
        more = len(rows) > wanted.limit
        return Page(items, encode_cursor(items[-1].created_at.isoformat(), items[-1].id) if more else "")

    async def running(self, connection: AsyncConnection) -> Sequence[RequestRecord]:
        """Return all requests that are being carried out, through a given connection."""
        return [_record(r) for r in (await connection.execute(_joined().where(requests.c.state == "running"))).all()]

    async def insert(self, transaction: Transaction, record: RequestRecord) -> None:
        """Store a new request and what it touches."""
        await transaction.execute(
            insert(requests).values(
                id=record.id,
                intent=record.intent,
                state=record.state,
                person_id=record.requester.id,
                owner=record.owner,
                conversation=record.conversation,
                tier=record.tier,
                slots=record.slots,
                plan=record.plan.as_dict(),
                digest=record.digest,
                version=record.version,
                notes={**record.notes, "requester": _names(record.requester)},
                outcome=record.outcome,
                expires_at=record.expires_at,
                created_at=record.created_at,
                updated_at=record.updated_at,
            )
        )
        await self.touch(transaction, record.id, ((t.kind, t.name) for t in record.plan.touches))
        await self.changed(transaction, record.id)

    async def touch(self, transaction: Transaction, request_id: str, resources: Iterable[tuple[str, str]]) -> None:
        """Record which resources a request touches; each once."""
        for kind, name in resources:
            row = {"request_id": request_id, "kind": kind, "resource": name[:255], "at": self._clock.now()}
            await insert_new(transaction, touched, row, on=["request_id", "kind", "resource"])

    async def lock(self, transaction: Transaction, request_id: str) -> None:
        """Keep other transactions from this request until the end: two decisions at once would not see each other."""
        same = {"updated_at": requests.c.updated_at}
        await transaction.execute(update(requests).where(requests.c.id == request_id).values(**same))

    async def move(
        self, transaction: Transaction, request_id: str, origin: tuple[State, ...], to: State, **values: Any
    ) -> bool:
        """Change the state if it is one of `origin`; tell whether it was. Other columns go along."""
        result = await transaction.execute(
            update(requests)
            .where(requests.c.id == request_id, requests.c.state.in_(origin))
            .values(state=to, updated_at=self._clock.now(), **values)
        )
        if result.rowcount != 1:
            return False
        await self.changed(transaction, request_id)
        return True

    async def note(self, transaction: Transaction, request_id: str, **notes: Any) -> None:
        """Add to the notes that the bot keeps for itself about a request."""
        row = (await transaction.execute(select(requests.c.notes).where(requests.c.id == request_id))).one()
        await transaction.execute(
            update(requests).where(requests.c.id == request_id).values(notes={**row.notes, **notes})
        )

    async def cancel(
        self,
        request_id: str,
        by: Person,
        *,
        surface: str,
        reason: str = "",
        owner: str | None = None,
        told_in: str = "",
    ) -> RequestRecord:
        """Withdraw a request that is not being carried out yet.

        Raises NotFound, Refused (policy) or Conflict (it is decided, running or over). `owner` limits to
        requests asked with that REST key: others are not found. `told_in` is the conversation in which the
        caller says so itself, so that the requester does not hear it twice.
        """
        record = await self.find(request_id)
        if owner is not None and record.owner != owner:
            raise NotFound(f"There is no request {record.id}.")
        decision = self._policy.may_cancel(by, record.subject).require()

        async def work(transaction: Transaction) -> None:
            now_final = {"outcome": _outcome("Cancelled.", "Ask again whenever you like."), "expires_at": None}
            if not await self.move(transaction, record.id, CANCELLABLE, "cancelled", **now_final):
                current = await self.read(transaction.connection, record.id)
                raise Conflict(_why_not_cancelled(current or record))
            await self.end_waits(transaction, record.id)
            await self._audit.record(
                transaction,
                "request.cancelled",
                person_id=by.id,
                request_id=record.id,
                payload={"surface": surface, "reason": reason, "policy": decision.policy},
            )
            if told_in == record.conversation:
                return
            text = f"Request {record.id} was cancelled by {shown(by)}; nothing was done."
            await self._conversations.notify(
                transaction, record.conversation, f"{record.id}:cancelled", text, None, record.id
            )

        await self._database.write(work)
        return await self.find(record.id)

    async def end_waits(self, transaction: Transaction, request_id: str) -> None:
        """Forget everything that a request waits for."""
        await transaction.execute(
            update(waits)
            .where(waits.c.request_id == request_id, waits.c.done_at.is_(None))
            .values(done_at=self._clock.now())
        )

    async def view(self, record: RequestRecord, *, whole: bool = False) -> dict[str, Any]:
        """Return the request as INTERFACES promises it over REST, JSON types only.

        `whole`, for operators: steps tell why they failed in AWS's own words, ARNs included.
        """
        async with self._database.read() as connection:
            decided = select(approvals).where(approvals.c.request_id == record.id)
            decisions = (await connection.execute(decided.order_by(approvals.c.version, approvals.c.asked_at))).all()
            done = (
                await connection.execute(select(steps).where(steps.c.request_id == record.id).order_by(steps.c.seq))
            ).all()
        plan, told = record.plan.as_dict(), await self._words_of_aws(record) if whole else {}
        return {
            "id": record.id,
            "intent": record.intent,
            "state": record.state,
            "requester": record.requester.email,
            "slots": record.slots,
            "plan": plan,
            "digest": record.digest,
            "version": record.version,
            "approvals": [
                {
                    "approver": a.approver,
                    "decision": a.decision,
                    "reason": a.reason,
                    "at": iso(a.decided_at),
                    "version": a.version,
                }
                for a in decisions
            ],
            "steps": [
                {
                    "name": s.name,
                    "state": s.state,
                    "attempts": s.attempts,
                    "error": told.get(s.name, s.error) if s.state == "failed" else s.error,
                    "aws_request_ids": s.aws_request_ids,
                    "started_at": iso(s.started_at),
                    "finished_at": iso(s.finished_at),
                }
                for s in done
            ],
            "outcome": record.outcome,
            "expires_at": iso(record.expires_at),
            "created_at": iso(record.created_at),
            "updated_at": iso(record.updated_at),
        }

    async def timeline(self, record: RequestRecord, *, whole: bool = False) -> Sequence[TimelineEntry]:
        """Return what happened to a request, oldest first; `whole` as for `view`."""
        entries = [TimelineEntry(record.created_at, "Asked", f"by {shown(record.requester)}")]
        aws = await self._words_of_aws(record) if whole else {}
        async with self._database.read() as connection:
            decided = select(approvals).where(approvals.c.request_id == record.id, approvals.c.decision.is_not(None))
            for a in (await connection.execute(decided)).all():
                good = a.decision == "approve"
                title = "Approved" if good else "Rejected"
                words = f"by {a.approver}" + (f": “{a.reason}”" if a.reason else "")
                entries.append(TimelineEntry(a.decided_at, title, words, "good" if good else "bad"))
            for s in (await connection.execute(select(steps).where(steps.c.request_id == record.id))).all():
                tone = "bad" if s.state == "failed" else "neutral"
                words = (aws.get(s.name, s.error) if s.state == "failed" else s.error) or s.state
                entries.append(TimelineEntry(s.started_at, s.name.capitalize(), words, tone))  # type: ignore[arg-type]
            told = select(messages).where(messages.c.request_id == record.id, messages.c.notice.is_not(None))
            for m in (await connection.execute(told)).all():
                entries.append(TimelineEntry(m.at, "Told the requester", m.text.partition("\n")[0]))
        if record.is_final and record.state in ("expired", "cancelled"):
            entries.append(TimelineEntry(record.updated_at, STATE_WORDS[record.state].capitalize(), "", "warning"))
        return sorted(entries, key=lambda e: e.at)

    async def _words_of_aws(self, record: RequestRecord) -> dict[str, str]:
        """Return why steps failed in AWS's own words, by their names: only the audit has them."""
        page = await self._audit.list(request=record.id, limit=100)
        found: dict[str, str] = {}
        for entry in page.items:  # newest first
            payload = entry["payload"] or {}
            if payload.get("error"):
                found.setdefault(str(payload.get("step", "")), str(payload["error"]))
        return found


def _outcome(text: str, next_step: str, **yields: Any) -> dict[str, Any]:
    return {"text": text, "next": next_step, **yields}


def _why_not_cancelled(record: RequestRecord) -> str:
    if record.state == "running":
        return f"Request {record.id} is being carried out and can't be called back."
    return f"Request {record.id} is {STATE_WORDS[record.state]} already."


def _names(person: Person) -> dict[str, str]:
    return {name: getattr(person, name) for name in _NAMES}


def _joined() -> Select[Any]:
    names = (people.c.email, people.c.name, people.c.given_name, people.c.family_name)
    return select(requests, *names).join(people, people.c.id == requests.c.person_id)


def _filtered(wanted: Filter) -> Select[Any]:
    query = _joined()
    # A person's or an account's requests are few: found by their own index, and then looked through. SQLite, which
    # keeps no statistics, would rather take the index of all that are in a state; it has none of what is computed.
    is_narrow = bool(wanted.account or wanted.requester or wanted.person_id)
    state, intent = (func.coalesce(c, "") if is_narrow else c for c in (requests.c.state, requests.c.intent))
    if wanted.state:
        query = query.where(state.in_(wanted.state))
    if wanted.intent:
        query = query.where(intent == wanted.intent)
    if wanted.requester:
        # By id, so that the index of a person's requests is used, in their order.
        asker = select(people.c.id).where(people.c.email == wanted.requester.strip().casefold())
        query = query.where(requests.c.person_id == asker.scalar_subquery())
    if wanted.person_id:
        query = query.where(requests.c.person_id == wanted.person_id)
    if wanted.account:
        named = (touched.c.kind.in_(ACCOUNTS), touched.c.resource == wanted.account.strip().casefold())
        query = query.where(requests.c.id.in_(select(touched.c.request_id).where(*named)))
    if wanted.conversation:
        query = query.where(requests.c.conversation == wanted.conversation)
    if wanted.owner is not None:
        query = query.where(requests.c.owner == wanted.owner)
    if wanted.since:
        query = query.where(requests.c.created_at >= wanted.since)
    if wanted.until:
        query = query.where(requests.c.created_at < wanted.until)
    if wanted.waits_for:
        # Not EXISTS: PostgreSQL would make a join of it, and may walk through all requests for that.
        asked = (
            select(approvals.c.id)
            .where(
                approvals.c.request_id == requests.c.id,
                approvals.c.version == requests.c.version,
                approvals.c.approver == wanted.waits_for.casefold(),
                approvals.c.decision.is_(None),
            )
            .limit(1)
            .correlate(requests)
            .scalar_subquery()
        )
        query = query.where(requests.c.state == "awaiting_approval", asked.is_not(None))
    if wanted.cursor:
        at, request_id = decode_cursor(wanted.cursor, 2)
        try:
            moment = datetime.fromisoformat(at)
        except ValueError as error:
            raise Invalid("cursor: this is not a cursor of ours.", field="cursor") from error
        if moment.tzinfo is None:
            raise Invalid("cursor: this is not a cursor of ours.", field="cursor")
        query = query.where(tuple_(requests.c.created_at, requests.c.id) < tuple_(moment, request_id))
    return query


def _record(row: Any) -> RequestRecord:
    # As named when the request was placed: a later renaming must not change what was approved.
    named = row.notes.get("requester") or {n: getattr(row, n) for n in _NAMES}
    requester = Person(row.person_id, row.email, **{n: named[n] for n in _NAMES})
    return RequestRecord(
        id=row.id,
        intent=row.intent,
        state=row.state,
        requester=requester,
        owner=row.owner,
        conversation=row.conversation,
        tier=row.tier,
        slots=row.slots,
        plan=Plan.from_dict(row.plan),
        digest=row.digest,
        version=row.version,
        notes=row.notes,
        outcome=row.outcome,
        expires_at=row.expires_at,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
