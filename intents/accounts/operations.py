"""One operation of Account Factory on an account: a place in Control Tower, the order, its record watched to its end.

Segments: queue (wait for a place) → order → settle. The same watchers serve every intent of this folder.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.account_factory import DONE_WITH, AccountFactory
from bot.card import Card, Facts, Text
from bot.errors import CloudError, without_arns
from bot.intent import Segment
from bot.places import CHECK, Places
from bot.requests import RequestRecord
from bot.services import Services
from bot.workflow.checking import check_again
from bot.workflow.mending import RETRIES
from bot.workflow.model import Failed, Notice, SegmentResult, Verdict, Wait, Waiting, Watcher
from bot.workflow.run import Run

log = structlog.get_logger(__name__)

RECORD = "account-operation-record"
POLL = timedelta(seconds=30)
OVERDUE = timedelta(hours=2)
SETTLING = timedelta(minutes=10)
"""AWS is eventually consistent: only what is not found for as long is taken to be gone."""
ENDED = ("SUCCEEDED", "FAILED")
THROTTLED = re.compile("Throttl|TooManyRequests|RequestLimit|SlowDown")
"""Codes with which AWS surely did nothing."""
MISSING = "missing_since"
Order = Callable[[Run, str], Awaitable[str]]
"""Orders the operation with a token and returns the record's id."""
After = Callable[[Run], Awaitable[SegmentResult]]
"""What follows once the operation has succeeded."""


class Operation:
    """One Account Factory operation; `words` say what it is, such as "update the account"."""

    def __init__(self, services: Services, words: str, order: Order, after: After) -> None:
        self._services, self._factory = services, AccountFactory(services)
        self._words, self._order, self._after = words, order, after
        self._places = Places(services)

    def segments(self) -> dict[str, Segment]:
        """Return the segments by name; the intent's own "start" returns `queue`."""
        return {"queue": self.queue, "order": self.order, "settle": self.settle}

    def watchers(self) -> tuple[Watcher, ...]:
        """Return the batched watchers of places and of records."""
        return self._places.watcher(), Watcher(RECORD, POLL, self.look_at_records)

    async def queue(self, run: Run) -> SegmentResult:
        """Line up for one of Control Tower's places."""
        return self._places.wait(run.request, "order")

    async def order(self, run: Run) -> SegmentResult:
        """Order it. The token follows from the request, so that a repeat finds the same record."""
        run.retry_from("queue")
        if run.payload.get(CHECK) and not run.stands:
            changed = await check_again(run, "check the plan once more")
            if changed:
                return changed
        await run.begin_changing()
        token = f"{run.request.id}-{run.request.version}-{_retries(run.request)}"
        try:
            record = await run.step(self._words, lambda: self._order(run, token))
        except CloudError as error:
            if error.retryable and not THROTTLED.search(error.code):
                run.stand()  # no answer is no refusal: the order may be out, and its token finds it
            raise
        text = (
            f"Request {run.request.id}: Control Tower is asked to {self._words}. I will tell you here when it is done."
        )
        card = Card(f"Under way: {run.request.plan.summary}", (Text(text),), request=run.request.id)
        notice = Notice(f"ordered:{_retries(run.request)}", text, card)
        return Wait(RECORD, record, "settle", {"record": record}, state="running", notice=notice)

    async def look_at_records(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        """Tell which records have ended; one that can't be read now is looked at again."""
        now, verdicts = self._services.clock.now(), {}
        for row in waiting:
            try:
                outcome = await self._factory.outcome(row.key)
            except CloudError as error:
                log.warning("accounts.record_unread", request=row.request_id, record=row.key, code=error.code)
                if not error.retryable or now - row.since > OVERDUE:
                    verdicts[row.seq] = Verdict(ready=False, notice=_unread(row.request_id, row.key, error))
                continue
            missing = None
            if outcome["status"] == "GONE":
                missing = row.payload.get(MISSING) or now.isoformat()
            is_gone = missing is not None and now - datetime.fromisoformat(missing) >= SETTLING
            notice = _overdue(row.request_id, row.key) if now - row.since > OVERDUE else None
            is_over = outcome["status"] in ENDED or is_gone
            verdicts[row.seq] = Verdict(ready=is_over, payload={MISSING: missing}, notice=None if is_over else notice)
        return verdicts

    async def settle(self, run: Run) -> SegmentResult:
        """Read what became of it; another try is an operator's to begin, with a token of its own."""
        run.stand()
        outcome = await run.step("read what became of it", lambda: self._factory.outcome(run.payload["record"]))
        await run.note(**{DONE_WITH: True})
        await self._services.organization.changed()
        if outcome["status"] == "SUCCEEDED":
            return await self._after(run)
        reason = without_arns("; ".join(e.rstrip(". ") for e in outcome["errors"])) or "Service Catalog gave no reason"
        text = f"Control Tower could not {self._words}: {reason}."
        step = (
            f"Have your platform team look at record {run.payload['record']}; an operator can retry {run.request.id}."
        )
        items = (Text(text), Facts((("Service Catalog record", run.payload["record"]),)), Text(step))
        card = Card(f"Failed: {run.request.plan.summary}", items, tone="bad", request=run.request.id)
        await run.note(**{DONE_WITH: False})
        notice = Notice("failed", f"Request {run.request.id} failed. {text} {step}", card)
        return Failed(notice, text, step, retry={"segment": "queue", "payload": {}})


def _retries(request: RequestRecord) -> int:
    return int(request.notes.get(RETRIES, 0))


def _unread(request_id: str, record_id: str, error: CloudError) -> Notice:
    text = (
        f"Control Tower works on request {request_id}, but AWS can't be asked about it just now "
        f"({error.operation}: {error.code}). Your platform team should look at record {record_id} in Service Catalog; "
        "I keep looking and will tell you here. Don't ask for it a second time."
    )
    return Notice("unread", text, Card("Waiting for AWS", (Text(text),), tone="warning", request=request_id))


def _overdue(request_id: str, record_id: str) -> Notice:
    text = (
        f"Control Tower has worked on request {request_id} for more than two hours, far longer than usual. Your "
        f"platform team should look at record {record_id} in Service Catalog; I keep looking and will tell you here."
    )
    return Notice("overdue", text, Card("Overdue", (Text(text),), tone="warning", request=request_id))
