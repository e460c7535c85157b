"""Carrying a request out: runs segments, and records what each ended with in one transaction."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import structlog
from sqlalchemy import insert, select, update

from bot.approvals.office import APPROVERS, CHANGES, REQUIREMENT
from bot.card import Card, Facts, Text
from bot.cloud import acting_for
from bot.database import Transaction
from bot.database.tables import waits
from bot.dialogue.form import checks_of
from bot.errors import CloudError, QuartermasterError, Unavailable, without_arns
from bot.intent import Change
from bot.plan import Plan, difference
from bot.policy import Requirement
from bot.requests import RequestRecord
from bot.services import Services
from bot.workflow.checking import check_again, failure
from bot.workflow.durable import DurableWorkflows, StepFailed
from bot.workflow.keeping import until_kept
from bot.workflow.mending import RETRIES, RETRY
from bot.workflow.model import Done, Failed, Notice, SegmentResult, Wait
from bot.workflow.run import CHANGING, STANDS, Held, Run, Withdrawn

log = structlog.get_logger(__name__)

REPLAN = "replan"
OBSERVED = "observed"
AGAIN = ":again"
HELD = ":held"
START = "start"
RETRY_AFTER = (30, 60, 120, 300, 600, 900, 1800)
"""Seconds of business time until a segment that AWS refused for now is run again.

After the last the request has failed; one of which something was done already goes on at the last pace.
"""
TELL_AFTER = 3
"""Times that AWS may fail a request of which something was done, until the requester hears of it."""
SINCE = "waiting_since"
"""In a waiting row's payload: when the wait began, ISO 8601."""


class Carrying:
    """What the workflow engine calls for each waiting row that has come due."""

    def __init__(self, services: Services, workflows: DurableWorkflows) -> None:
        self._services, self._workflows = services, workflows

    async def run_segment(self, wait: int) -> None:
        """Run the segment that a waiting row names and record its end. Safe to repeat as a whole."""
        row, record = await until_kept(lambda: self._load(wait))
        if record is None or record.is_final or record.state == "awaiting_approval":
            return
        acting_for.set(record.id)  # of this task alone
        with structlog.contextvars.bound_contextvars(request=record.id, segment=row.segment):
            result: SegmentResult
            intent = self._services.registry.get(record.intent)
            if not isinstance(intent, Change):
                return await self._conclude(wait, row.segment, record, _not_served(record))
            run = Run(self._services, record, intent, row.payload, row.attempt, self._workflows.checkpoint)
            try:
                if row.segment == REPLAN:
                    result = await self._replan(run)
                else:
                    result = await intent.segments()[row.segment](run)
            except Withdrawn:
                return
            except Held:
                result = self._again_when_resumed(row, run)
            except Unavailable:
                raise  # says nothing about the work: the segment is run anew when the part is back
            except CloudError as error:
                result = self._after_cloud_error(row, run, error)
            except (QuartermasterError, StepFailed) as error:
                look = "sk your platform team to look at the request's steps"
                step = f"A{look} before it is asked for again." if run.stands else f"Ask again, or a{look}."
                result = replace(failure(record, without_arns(str(error)), step), retry=run.retry or _point(row))
            except Exception as error:
                log.exception("segment.failed")
                step = (
                    "Nothing more is tried by itself. Ask your platform team to look at the request's steps; "
                    f"an operator can let it go on with “retry {record.id}”."
                )
                words = without_arns(f"An unexpected error: {type(error).__name__}: {error}")
                unexpected = failure(record, words, step)
                result = replace(unexpected, retry=run.retry or _point(row))
            final = result

            async def conclude() -> None:
                await self._conclude(wait, row.segment, record, final)

            await self._workflows.checkpoint(f"{row.segment}: conclude", conclude)

    def _again_when_resumed(self, row: Any, run: Run) -> Wait:
        """Have the segment run anew; the scheduler fires no timer before changes are resumed."""
        payload = {**row.payload, "attempt": row.attempt, STANDS: run.stands}
        key = f"{row.key.partition(HELD)[0][:200]}{HELD}{row.seq}"
        return Wait("timer", key, row.segment, payload, due=self._services.clock.now())

    async def _load(self, wait: int) -> tuple[Any, RequestRecord | None]:
        async with self._services.database.read() as connection:
            row = (await connection.execute(select(waits).where(waits.c.seq == wait))).one()
            return row, await self._services.requests.read(connection, row.request_id)

    async def _replan(self, run: Run) -> SegmentResult:
        """Before the first change: gather and plan again. Another digest asks again; failing checks refuse."""
        record = run.request
        changed = await check_again(run, "check the plan again")
        if changed:
            return changed
        if self._services.settings.mode == "observe":
            text = "Observe mode: planned, asked and approved, but nothing was changed."
            notice = Notice(OBSERVED, f"Request {record.id}: {text}")
            return Failed(notice, text, "Set MODE=live to have it carried out.")
        return Wait("timer", f"{record.id}:{record.version}:{START}", START, due=self._services.clock.now())

    def _after_cloud_error(self, row: Any, run: Run, error: CloudError) -> SegmentResult:
        record = run.request
        if run.stands or (error.retryable and row.attempt < len(RETRY_AFTER)):
            pause = RETRY_AFTER[min(row.attempt, len(RETRY_AFTER) - 1)]
            due = self._services.clock.now() + timedelta(seconds=pause)
            payload = {**row.payload, "attempt": row.attempt + 1, STANDS: run.stands}
            notice = None
            if run.stands:
                log.warning("segment.kept_trying", operation=error.operation, code=error.code, attempt=row.attempt)
                if not error.retryable or row.attempt + 1 >= TELL_AFTER:
                    notice = _still_trying(record, error)
            key = f"{row.key.partition(AGAIN)[0][:200]}{AGAIN}{row.attempt + 1}"
            return Wait("timer", key, row.segment, payload, due=due, notice=notice)
        refused = failure(
            record,
            error.plain,
            f"Show AWS request id {error.request_id or '(none)'} to your platform team. When that is mended, an "
            f"operator can say “retry {record.id}”, or you ask again.",
        )
        return replace(refused, retry=run.retry or _point(row))

    async def _conclude(self, wait: int, segment: str, record: RequestRecord, result: SegmentResult) -> None:
        async def work(transaction: Transaction) -> None:
            match result:
                case Wait():
                    await self._wait(transaction, wait, record, result)
                case Done():
                    await self._finish(transaction, record, result.state, result)
                case Failed():
                    # What observe mode leaves undone has not failed.
                    state = "cancelled" if result.notice.key == OBSERVED else "failed"
                    await self._finish(transaction, record, state, result)
                case Plan():
                    await self._ask_again(transaction, record, result)

        await until_kept(lambda: self._services.database.write(work))

    async def _wait(self, transaction: Transaction, wait: int, record: RequestRecord, result: Wait) -> None:
        """Write the row to wait on; once, also when the segment is concluded a second time after a crash."""
        payload = dict(result.payload)
        attempt = int(payload.pop("attempt", 0))
        payload.setdefault(SINCE, self._services.clock.now().isoformat())
        known = select(waits.c.seq).where(
            waits.c.request_id == record.id,
            waits.c.key == result.key,
            waits.c.kind == result.kind,
            waits.c.segment == result.then,
        )
        if (await transaction.execute(known)).first() is None:
            await transaction.execute(
                insert(waits).values(
                    request_id=record.id,
                    kind=result.kind,
                    key=result.key[:255],
                    segment=result.then,
                    payload=payload,
                    attempt=attempt,
                    due_at=result.due or self._services.clock.now(),
                    noticed=False,
                )
            )
        if result.state:
            await self._services.requests.move(transaction, record.id, ("approved", "queued", "running"), result.state)
        if result.notice:
            await self.tell(transaction, record, result.notice)
        transaction.then(lambda: self._services.signals.set("scheduler"))

    async def _finish(self, transaction: Transaction, record: RequestRecord, state: str, result: Done | Failed) -> None:
        outcome = {"text": result.text, "next": result.next_step, **result.yields}
        moved = await self._services.requests.move(
            transaction,
            record.id,
            ("approved", "queued", "running", "paused", "stopping"),
            state,  # type: ignore[arg-type]
            outcome=outcome,
        )
        if not moved:
            return
        await self._services.requests.end_waits(transaction, record.id)
        current = await self._services.requests.read(transaction.connection, record.id)
        retries = int(current.notes.get(RETRIES, 0)) if current else 0
        await self._services.requests.note(transaction, record.id, **{RETRY: getattr(result, "retry", None)})
        await self._services.audit.record(
            transaction, f"request.{state}", request_id=record.id, payload={"outcome": outcome}
        )
        # Each end after a retry is told anew.
        notice = replace(result.notice, key=f"{result.notice.key}:{retries}") if retries else result.notice
        await self.tell(transaction, record, notice)

    async def _ask_again(self, transaction: Transaction, record: RequestRecord, fresh: Plan) -> None:
        """The world has changed since the approval: a new version of the plan is put up."""
        services = self._services
        version = record.version + 1
        before = await services.requests.read(transaction.connection, record.id)
        if before is None or before.notes.get(CHANGING) or before.version != record.version:
            return
        changes = difference(record.plan, fresh)
        asked = services.approvals.notes(fresh, record.requester.email, record.slots)
        if Requirement.from_list(asked[REQUIREMENT]).is_none:
            # The requester has confirmed another plan than this one, so that somebody has to look.
            asked = {**asked, REQUIREMENT: Requirement().as_list(), APPROVERS: list(services.approvals.named(fresh))}
        moved = await services.requests.move(
            transaction,
            record.id,
            ("approved", "queued", "running"),  # running: admitted from the queue, and nothing done yet
            "awaiting_approval",
            plan=fresh.as_dict(),
            digest=fresh.digest,
            tier=fresh.tier,
            version=version,
            expires_at=services.approvals.expires_at(),
            notes={**record.notes, **asked, CHANGES: [list(change) for change in changes]},
        )
        if not moved:
            return
        current = await services.requests.read(transaction.connection, record.id)
        if current is None:
            return
        await services.approvals.ask(transaction, current)
        await services.audit.record(
            transaction,
            "request.replanned",
            request_id=record.id,
            payload={"version": version, "digest": fresh.digest, "changes": [list(c) for c in changes]},
        )
        rows = tuple((name, f"{before} → {after}") for name, before, after in changes)
        words = "; ".join(f"{name}: {value}" for name, value in rows) or "details that are not shown"
        text = (
            f"Request {record.id}: the plan has changed since it was approved. "
            "Nothing was done; the approvers are asked again."
        )
        items = (Text(text), Facts(rows) if rows else Text(f"What has changed: {words}."))
        card = Card(
            f"Asked again: {fresh.summary}", (*items, checks_of(fresh.checks)), tone="warning", request=record.id
        )
        await self.tell(transaction, record, Notice(f"replanned:{version}", f"{text} What has changed: {words}.", card))

    async def tell(self, transaction: Transaction, record: RequestRecord, notice: Notice) -> None:
        """Tell the requester, once per notice."""
        key = f"{record.id}:{notice.key}"[:255]
        await self._services.conversations.notify(
            transaction, record.conversation, key, notice.text, notice.card, record.id
        )

    async def mark_done(self, transaction: Transaction, seq: int) -> bool:
        """End a waiting row; tell whether it was still waiting."""
        result = await transaction.execute(
            update(waits)
            .where(waits.c.seq == seq, waits.c.done_at.is_(None))
            .values(done_at=self._services.clock.now())
        )
        return bool(result.rowcount == 1)


def _point(row: Any) -> dict[str, Any]:
    """Return where a retry goes on: the segment itself, which is safe to repeat."""
    return {"segment": row.segment, "payload": dict(row.payload)}


def _not_served(record: RequestRecord) -> Failed:
    text = f"The capability {record.intent} is not installed any more."
    return failure(record, text, "Ask your platform team to look at the request's steps.")


def _still_trying(record: RequestRecord, error: CloudError) -> Notice:
    text = (
        f"The order of request {record.id} stands, but AWS can't be asked about it just now "
        f"({error.operation}: {error.code}). I keep trying and will tell you here; don't ask for it a second time."
    )
    reference = f"AWS request id {error.request_id}" if error.request_id else "the request's steps"
    step = f"Your platform team should look: show them {reference}."
    card = Card(f"Waiting for AWS: {record.plan.summary}", (Text(text), Text(step)), tone="warning", request=record.id)
    return Notice("still-trying", f"{text} {step}", card)
