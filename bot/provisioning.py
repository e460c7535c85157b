"""Service Catalog orders, changes and endings: placed once, whatever breaks on the way, and followed to their end.

Any intent that provisions can use it: `place` makes the call with a token that was kept before, `watcher` follows
the records of all requests at once, `read_outcome` tells what became of one.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.card import Card, Text
from bot.errors import CloudError
from bot.services import Services
from bot.workflow.checking import failure
from bot.workflow.mending import RETRIES
from bot.workflow.model import Failed, Notice, Verdict, Waiting, Watcher
from bot.workflow.run import Run

log = structlog.get_logger(__name__)

POLL = timedelta(seconds=30)
ENDED = ("SUCCEEDED", "FAILED")
CHANGING = ("UNDER_CHANGE", "PLAN_IN_PROGRESS")
GONE = "GONE"
"""Status of a provisioned product that Service Catalog does not know any more."""
NOT_FOUND = "ResourceNotFoundException"
SETTLING = timedelta(minutes=10)
"""AWS is eventually consistent: only what is not found for as long is taken to be gone."""
MISSING, SENT, FIRST = "missing_since", "call_may_be_out", "call_first_out"
"""Notes, ISO 8601: SENT, when a call left whose answer was not heard, none while every call was surely refused;
FIRST, when the first of all calls left."""
AT_ONCE = 8
_THROTTLED = re.compile("Throttl|TooManyRequests|RequestLimit|SlowDown")


class Provisioning:
    """Calls Service Catalog through one role and Region, and watches records under one kind of wait."""

    def __init__(self, services: Services, *, kind: str, overdue: timedelta) -> None:
        self._services, self.kind, self._overdue = services, kind, overdue

    async def ask_catalog(self, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call Service Catalog in Control Tower's home Region through the management role. Raises CloudError."""
        settings = self._services.settings
        return await self._services.cloud.call(
            "servicecatalog",
            operation,
            region=settings.control_tower_region,
            role=settings.management_role_arn,
            **parameters,
        )

    def watcher(self) -> Watcher:
        """Return the watcher that follows all records waited for under `kind`."""
        return Watcher(self.kind, POLL, self._look)

    async def place(
        self,
        run: Run,
        step: str,
        order: Callable[[str], Awaitable[dict[str, Any]]],
        find: Callable[[str, str], Awaitable[dict[str, str]]],
    ) -> dict[str, str] | Failed:
        """Make the call and return its "record" and "product", or how it was refused.

        `order(token)` makes the call and returns its answer. `find(token, since)` looks for what an earlier call,
        whose answer got lost, may have begun, and returns the same as this, or {}. Safe to repeat: the token is kept
        before the call. Raises CloudError for what a wait may cure.
        """
        retries = int(run.request.notes.get(RETRIES, 0))
        token = f"{run.request.id}-{run.request.version}" + (f"-{retries}" if retries else "")

        async def send() -> dict[str, str]:
            before, now = await self._sent_at(run), self._services.clock.now().isoformat()
            # Kept before the call: a process that dies before its answer must not leave what nobody looks for.
            first = await self._noted(run, FIRST) or now
            await run.note(provision_token=token, **{_of_this_try(run, SENT): now, _of_this_try(run, FIRST): first})
            try:
                answer = await order(token)
            except CloudError as error:
                if not error.retryable or _THROTTLED.search(error.code):
                    # This call did nothing; an earlier one still may have.
                    await run.note(**{_of_this_try(run, SENT): before})
                raise
            detail = answer["RecordDetail"]
            return {"record": detail["RecordId"], "product": detail["ProvisionedProductId"]}

        try:
            return await run.step(step, send)
        except CloudError as refusal:
            return await self._behind(run, refusal, lambda since: find(token, since))

    async def _behind(
        self, run: Run, refusal: CloudError, find: Callable[[str], Awaitable[dict[str, str]]]
    ) -> dict[str, str] | Failed:
        """Return what an unheard call began, or the failure once there is surely nothing; raises otherwise."""
        sent = await self._sent_at(run)
        if sent:
            run.stand()
        if refusal.retryable:
            raise refusal
        step = (
            f"Show AWS request id {refusal.request_id or '(none)'} to your platform team. When that is mended, an "
            f"operator can say “retry {run.request.id}”, or you ask again."
        )
        text = refusal.plain
        if not sent:
            return failure(run.request, f"{text} Nothing was changed.", step)

        async def look() -> dict[str, str]:
            try:
                return await find(await self._noted(run, FIRST) or sent)
            except CloudError as error:
                log.warning("provisioning.unseen", operation=error.operation, code=error.code)
                return {"unseen": error.code}

        seen = await run.step("look for a call that went out", look)
        if "record" in seen:
            return seen
        if "unseen" in seen or self._services.clock.now() - datetime.fromisoformat(sent) < SETTLING:
            raise refusal
        return failure(run.request, f"{text} An earlier try had no answer; nothing came of it.", step)

    async def _sent_at(self, run: Run) -> str:
        return await self._noted(run, SENT)

    async def _noted(self, run: Run, name: str) -> str:
        return str((await self._services.requests.find(run.request.id)).notes.get(_of_this_try(run, name)) or "")

    async def find_record(self, product_id: str, record_type: str, since: str) -> dict[str, str]:
        """Return the newest record of a type that a provisioned product has had since then; {} without one."""
        told = await self.ask_catalog(
            "ListRecordHistory",
            AccessLevelFilter={"Key": "Account", "Value": "self"},
            SearchFilter={"Key": "provisionedproduct", "Value": product_id},
        )
        begun = datetime.fromisoformat(since) - SETTLING  # clocks differ a little
        for record in told.get("RecordDetails") or ():
            if record.get("RecordType") == record_type and record["CreatedTime"] >= begun:
                return {"record": record["RecordId"], "product": product_id}
        return {}

    async def _look(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        """Tell which records have ended; one that can't be read now is looked at again, and told of."""
        places = asyncio.Semaphore(AT_ONCE)

        async def look(row: Waiting) -> tuple[int, Verdict]:
            async with places:
                return await self._look_at(row)

        return dict(await asyncio.gather(*(look(row) for row in waiting)))

    async def _look_at(self, row: Waiting) -> tuple[int, Verdict]:
        now = self._services.clock.now()
        is_overdue = now - row.since > self._overdue
        try:
            record = await self.ask_catalog("DescribeRecord", Id=row.key)
        except CloudError as error:
            log.warning("provisioning.record_unread", request=row.request_id, record=row.key, code=error.code)
            if error.code == NOT_FOUND:
                since = row.payload.get(MISSING) or now.isoformat()
                is_gone = now - datetime.fromisoformat(since) >= SETTLING
                return row.seq, Verdict(ready=is_gone, payload={MISSING: since})
            is_told = is_overdue or not error.retryable
            return row.seq, Verdict(ready=False, notice=_unread(row, error) if is_told else None)
        if record["RecordDetail"]["Status"] in ENDED:
            return row.seq, Verdict(ready=True, payload={MISSING: None})
        notice = _late(row, self._overdue) if is_overdue else None
        return row.seq, Verdict(ready=False, payload={MISSING: None}, notice=notice)

    async def read_outcome(self, record_id: str, product_id: str) -> dict[str, Any]:
        """Return how a record and its product stand, JSON types only.

        Keys: record_status, product_status (GONE without a product), errors (texts), outputs (as AWS tells them;
        whoever keeps them withholds what is secret first). Raises CloudError.
        """
        try:
            record = await self.ask_catalog("DescribeRecord", Id=record_id)
        except CloudError as error:
            if error.code != NOT_FOUND:
                raise
            reason = f"Service Catalog no longer knows the record {record_id}"
            return {"record_status": "FAILED", "product_status": GONE, "errors": [reason], "outputs": []}
        detail = record["RecordDetail"]
        errors = [e.get("Description") or e.get("Code", "") for e in detail.get("RecordErrors", ())]
        try:
            described = await self.ask_catalog("DescribeProvisionedProduct", Id=product_id)
            product = described["ProvisionedProductDetail"]
        except CloudError as error:
            if error.code != NOT_FOUND:
                raise
            product = {"Status": GONE}
        if product.get("StatusMessage") and product["StatusMessage"] not in errors:
            errors.append(product["StatusMessage"])
        return {
            "record_status": detail["Status"],
            "product_status": product["Status"],
            "errors": [e for e in errors if e],
            "outputs": [dict(o) for o in record.get("RecordOutputs", ())],
        }


def is_under_way(outcome: Mapping[str, Any]) -> bool:
    """Tell whether an outcome is not the last word: the record or its product is still being worked on."""
    return outcome["record_status"] not in ENDED or outcome["product_status"] in CHANGING


def _unread(row: Waiting, error: CloudError) -> Notice:
    text = (
        f"The order of request {row.request_id} stands, but AWS can't be asked about it just now "
        f"({error.operation}: {error.code}). Your platform team should look at record {row.key} in Service Catalog; "
        "I keep looking and will tell you here. Don't ask for it a second time."
    )
    return Notice("unread", text, Card("Waiting for AWS", (Text(text),), tone="warning", request=row.request_id))


def _late(row: Waiting, overdue: timedelta) -> Notice:
    text = (
        f"Service Catalog has worked on request {row.request_id} for more than {overdue.total_seconds() / 3600:g} "
        f"hours, far longer than usual. Your platform team should look at record {row.key} in Service Catalog; I keep "
        "looking and will tell you here."
    )
    return Notice("overdue", text, Card("Overdue", (Text(text),), tone="warning", request=row.request_id))


def _of_this_try(run: Run, note: str) -> str:
    """Return the name of a note of the try that an operator has begun: each makes calls of its own."""
    retries = int(run.request.notes.get(RETRIES, 0))
    return f"{note}:{retries}" if retries else note
