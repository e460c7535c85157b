"""The work: a place in Control Tower, the order with its token kept first, the record watched to its end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.errors import CloudError
from bot.intent import Segment
from bot.places import CHECK, Places
from bot.requests import RequestRecord
from bot.services import Services
from bot.workflow.checking import check_again
from bot.workflow.model import Failed, SegmentResult, Verdict, Wait, Waiting, Watcher
from bot.workflow.run import Run
from intents.account_vending import cards
from intents.account_vending.completion import FINISH, Completion
from intents.account_vending.facts import FactReader

log = structlog.get_logger(__name__)

RECORD = "provisioning-record"
NOT_FOUND = "ResourceNotFoundException"
POLL = timedelta(seconds=30)
ENDED = ("SUCCEEDED", "FAILED")
OVERDUE = timedelta(hours=2)
"""An order that takes longer than this has its requester told who should look."""
SETTLING = timedelta(minutes=10)
"""AWS is eventually consistent: only what is not found for as long is taken to be gone."""
THROTTLED = re.compile("Throttl|TooManyRequests|RequestLimit|SlowDown")
"""Codes with which AWS surely did nothing."""
MISSING, SENT = "missing_since", "order_may_be_out"
"""SENT, a note: when a call left whose answer was not heard, ISO 8601; none while every call was surely refused."""


class VendingWorkflow:
    """Segments: start (wait for a place) → order (ProvisionProduct) → settle (tell the outcomes apart) → finish."""

    def __init__(self, services: Services, facts: FactReader) -> None:
        self._services, self._facts = services, facts
        self._completion = Completion(services, facts)
        self._places = Places(services)

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments by name."""
        return {"start": self.start, "order": self.order, "settle": self.settle, FINISH: self._completion.finish}

    def watchers(self) -> tuple[Watcher, ...]:
        """Return the batched watchers: of Control Tower's places, and of provisioning records."""
        return (self._places.watcher(), Watcher(RECORD, POLL, self.look_at_records))

    async def start(self, run: Run) -> SegmentResult:
        """Line up for one of Control Tower's places."""
        return self._places.wait(run.request, "order")

    async def order(self, run: Run) -> SegmentResult:
        """Order the account. The token is kept before the call, so a repeat finds the same record."""
        run.retry_from("start")
        if run.payload.get(CHECK) and not run.stands:
            changed = await check_again(run, "check the plan before ordering")
            if changed:
                return changed
        await run.begin_changing()
        try:
            ordered = await run.step("order the account", lambda: self._provision(run))
        except CloudError as error:
            found = await self._order_behind(run, error)
            if isinstance(found, Failed):
                return found
            ordered = found
        await run.note(**ordered)
        await self._services.organization.changed()
        notice = cards.ordered(run.request, ordered["record"])
        return Wait(RECORD, ordered["record"], "settle", ordered, state="running", notice=notice)

    async def _provision(self, run: Run) -> dict[str, str]:
        effects, before = run.request.plan.effects, await self._sent_at(run)
        token = _token_of(run.request)
        # Kept before the call: a process that dies before its answer must not leave an order that nobody looks for.
        await run.note(provision_token=token, **{SENT: self._services.clock.now().isoformat()})
        try:
            answer = await self._facts.call(
                "servicecatalog",
                "ProvisionProduct",
                ProductId=effects["product_id"],
                ProvisioningArtifactId=effects["artifact_id"],
                PathId=effects["path_id"],
                ProvisionedProductName=effects["provisioned_product_name"],
                ProvisioningParameters=[{"Key": k, "Value": v} for k, v in effects["parameters"].items()],
                ProvisionToken=token,
            )
        except CloudError as error:
            if not error.retryable or THROTTLED.search(error.code):
                await run.note(**{SENT: before})  # this call did nothing; an earlier one still may have
            raise
        detail = answer["RecordDetail"]
        return {"record": detail["RecordId"], "product": detail["ProvisionedProductId"]}

    async def _order_behind(self, run: Run, refusal: CloudError) -> dict[str, str] | Failed:
        """Return the order that an unheard call placed, or the failure once there is surely none; raises otherwise.

        No answer is no refusal: a later refusal must not make people order an account a second time.
        """
        sent = await self._sent_at(run)
        if sent:
            run.stand()
        if refusal.retryable:
            raise refusal
        name, token = run.request.plan.effects["provisioned_product_name"], _token_of(run.request)

        async def look() -> dict[str, str]:
            try:
                product = await self._facts.named(name)
            except CloudError as error:
                log.warning("vending.order_unseen", operation=error.operation, code=error.code)
                return {"unseen": error.code}
            if product is None or product.get("IdempotencyToken", token) != token:
                return {}
            return {"record": product["LastProvisioningRecordId"], "product": product["Id"]}

        seen = await run.step("look for an order that went out", look)
        if "record" in seen:
            return seen
        if "unseen" in seen or not sent:
            raise refusal
        if self._services.clock.now() - datetime.fromisoformat(sent) < SETTLING:
            raise refusal
        return cards.never_ordered(run.request, refusal)

    async def _sent_at(self, run: Run) -> str | None:
        sent: str | None = (await self._services.requests.find(run.request.id)).notes.get(SENT)
        return sent

    async def look_at_records(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        """Tell which records have ended; one that can't be read now is looked at again, and told of."""
        return dict(await asyncio.gather(*(self._look_at_record(row) for row in waiting)))

    async def _look_at_record(self, row: Waiting) -> tuple[int, Verdict]:
        now = self._services.clock.now()
        is_overdue = now - row.since > OVERDUE
        try:
            record = await self._facts.call("servicecatalog", "DescribeRecord", Id=row.key)
        except CloudError as error:
            log.warning("vending.record_unread", request=row.request_id, record=row.key, code=error.code)
            if error.code == NOT_FOUND:
                since = row.payload.get(MISSING) or now.isoformat()
                is_gone = now - datetime.fromisoformat(since) >= SETTLING
                return row.seq, Verdict(ready=is_gone, payload={MISSING: since})
            is_told = is_overdue or not error.retryable
            notice = cards.unread(row.request_id, row.key, error) if is_told else None
            return row.seq, Verdict(ready=False, notice=notice)
        if record["RecordDetail"]["Status"] in ENDED:
            return row.seq, Verdict(ready=True, payload={MISSING: None})
        notice = cards.overdue(row.request_id, row.key) if is_overdue else None
        return row.seq, Verdict(ready=False, payload={MISSING: None}, notice=notice)

    async def settle(self, run: Run) -> SegmentResult:
        """Read what became of the order, and tell AVAILABLE, TAINTED and ERROR apart."""
        run.stand()
        record_id, product_id = run.payload["record"], run.payload["product"]

        async def read() -> dict[str, Any]:
            outcome = await self._outcome(record_id, product_id)
            if outcome["product_status"] == "TAINTED" and "AccountId" not in outcome["outputs"]:
                # A failed record has no outputs, and its account is the first thing that people ask for.
                email = run.request.plan.effects["parameters"]["AccountEmail"]
                outcome["outputs"] |= await self._facts.account_with(email)
            return outcome

        outcome = await run.step("read the outcome", read)
        if outcome["record_status"] == "SUCCEEDED" and outcome["product_status"] == "AVAILABLE":
            if not outcome["outputs"].get("AccountId"):
                return cards.failed(run.request, {**outcome, "errors": ["the order succeeded without an AccountId"]})
            return await self._completion.begin(run, outcome["outputs"])
        now = self._services.clock.now()
        missing = (run.payload.get(MISSING) or now.isoformat()) if outcome["product_status"] == "GONE" else None
        may_appear = missing is not None and now - datetime.fromisoformat(missing) < SETTLING
        is_changing = outcome["product_status"] in ("UNDER_CHANGE", "PLAN_IN_PROGRESS")
        if outcome["record_status"] not in ENDED or is_changing or may_appear:
            due = now + POLL
            number = int(run.payload.get("looks", 0)) + 1
            payload = {**run.payload, "looks": number, MISSING: missing}
            return Wait("timer", f"{record_id}:settle{number}", "settle", payload, due=due)
        return cards.failed(run.request, outcome)

    async def _outcome(self, record_id: str, product_id: str) -> dict[str, Any]:
        try:
            record = await self._facts.call("servicecatalog", "DescribeRecord", Id=record_id)
        except CloudError as error:
            if error.code != NOT_FOUND:
                raise
            return {
                "record_status": "FAILED",
                "product_status": "GONE",
                "errors": [f"Service Catalog no longer knows the order {record_id}"],
                "outputs": {},
            }
        detail = record["RecordDetail"]
        errors = [e.get("Description") or e.get("Code", "") for e in detail.get("RecordErrors", ())]
        try:
            described = await self._facts.call("servicecatalog", "DescribeProvisionedProduct", Id=product_id)
            product = described["ProvisionedProductDetail"]
        except CloudError as error:
            if error.code != NOT_FOUND:
                raise
            product = {"Status": "GONE"}
        if product.get("StatusMessage") and product["StatusMessage"] not in errors:
            errors.append(product["StatusMessage"])
        outputs = {o["OutputKey"]: o.get("OutputValue", "") for o in record.get("RecordOutputs", ())}
        return {
            "record_status": detail["Status"],
            "product_status": product["Status"],
            "errors": [e for e in errors if e],
            "outputs": outputs,
        }


def _token_of(request: RequestRecord) -> str:
    return f"{request.id}-{request.version}"
