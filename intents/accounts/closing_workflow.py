"""The work of closing: unmanage → close → follow PENDING_CLOSURE until the account is closed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

import structlog

from bot.account_factory import PRODUCT, AccountFactory
from bot.card import Card, Text
from bot.closed_accounts import closing_times, remember_closed
from bot.database import Transaction
from bot.errors import CloudError, without_arns
from bot.intent import Segment
from bot.services import Services
from bot.workflow.model import Failed, Notice, SegmentResult, Verdict, Wait, Waiting, Watcher
from bot.workflow.run import Run
from intents.accounts.operations import Operation
from intents.accounts.outcomes import done
from intents.accounts.quota import count_closures

log = structlog.get_logger(__name__)

CLOSURE = "account-closure"
LOOK = timedelta(minutes=15)
FEW = 10
"""Accounts up to which each is asked for; more are found in one listing of the organization."""
LONG = timedelta(days=3)
"""A closure that takes longer than this has its requester told."""
SETTLING = timedelta(hours=1)
"""How long an account may still look active after AWS has accepted its closing."""
NOT_FOUND = "AccountNotFoundException"
ACTIVE, PENDING, SUSPENDED, GONE = "ACTIVE", "PENDING_CLOSURE", "SUSPENDED", "GONE"
_QUOTA = re.compile(r"quota|exceed", re.IGNORECASE)


class ClosingWorkflow:
    """Segments: start → queue, order, settle (unmanage) → close → closed."""

    def __init__(self, services: Services, factory: AccountFactory) -> None:
        self._services, self._factory = services, factory
        self._unmanaging = Operation(services, "let go of the account", self._unmanage, self.close)

    def segments(self) -> Mapping[str, Segment]:
        """Return the segments by name."""
        return {"start": self.start, **self._unmanaging.segments(), "close": self.close, "closed": self.closed}

    def watchers(self) -> tuple[Watcher, ...]:
        """Return the batched watchers."""
        return (*self._unmanaging.watchers(), Watcher(CLOSURE, LOOK, self.look_at_closures))

    async def start(self, run: Run) -> SegmentResult:
        """Unmanage first what Account Factory made."""
        if run.request.plan.effects.get(PRODUCT):
            return await self._unmanaging.queue(run)
        return await self.close(run)

    async def _unmanage(self, run: Run, token: str) -> str:
        answer = await self._factory.ask_aws(
            "servicecatalog",
            "TerminateProvisionedProduct",
            ProvisionedProductId=run.request.plan.effects["provisioned_product_id"],
            TerminateToken=token,
        )
        return str(answer["RecordDetail"]["RecordId"])

    async def close(self, run: Run) -> SegmentResult:
        """Have AWS close the account. CloseAccount takes no token, so the account is looked at first."""
        effects = run.request.plan.effects
        await run.begin_changing()
        if effects.get(PRODUCT):
            run.stand()  # it is unmanaged by now: what began must be brought to its end
        try:
            await run.step("close the account", lambda: self._ask_to_close(effects["account_id"]))
        except CloudError as error:
            if error.code == "ConstraintViolationException" and _QUOTA.search(error.message):
                return await self._refused_by_quota(run, error)
            if error.retryable:
                run.stand()  # no answer is no refusal
            raise
        await run.step("remember its root address", lambda: self._remember(run))
        await self._services.organization.changed()
        text = (
            f"Request {run.request.id}: AWS is closing the account {_shown(run)} (PENDING_CLOSURE). Nobody can sign in "
            "to it any more. I will tell you here when it is closed."
        )
        card = Card(f"Being closed: {run.request.plan.summary}", (Text(text),), request=run.request.id)
        return Wait(CLOSURE, effects["account_id"], "closed", state="running", notice=Notice("closing", text, card))

    async def _ask_to_close(self, account_id: str) -> str:
        status = await self._status(account_id)
        if status != ACTIVE:
            return status
        try:
            await self._factory.ask_aws("organizations", "CloseAccount", AccountId=account_id)
        except CloudError as error:
            if error.code != "AccountAlreadyClosedException":
                raise
        return PENDING

    async def _remember(self, run: Run) -> bool:
        effects = run.request.plan.effects

        async def work(transaction: Transaction) -> None:
            await remember_closed(
                transaction, self._services.clock, run.request.id, effects["account_id"], effects["root_email"]
            )

        await self._services.database.write(work)
        return True

    async def _refused_by_quota(self, run: Run, error: CloudError) -> Failed:
        organization, now = await self._services.organization.recent(), self._services.clock.now()
        closures = count_closures(organization.accounts, await closing_times(self._services.database), now)
        when = f"From {closures.next_free:%Y-%m-%d} on" if closures.next_free else "Within 30 days"
        text = f"AWS refuses to close the account {_shown(run)}: {without_arns(error.message)}"
        left = " It is not managed by Control Tower any more." if run.request.plan.effects.get(PRODUCT) else ""
        step = (
            f"At most {closures.quota} accounts may be closed in any 30 days. {when} an operator can retry "
            f"{run.request.id}; nothing before that is done again."
        )
        card = Card(f"Refused: {run.request.plan.summary}", (Text(text + left), Text(step)), tone="bad")
        notice = Notice("quota", f"Request {run.request.id} failed. {text}{left} {step}", card)
        return Failed(notice, text + left, step, retry={"segment": "close", "payload": {}})

    async def look_at_closures(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        """Tell which accounts are closed by now; all at once when there are many."""
        now, verdicts = self._services.clock.now(), {}
        known = await self._statuses() if len(waiting) > FEW else {}
        for row in waiting:
            try:
                status = known.get(row.key, GONE) if known else await self._status(row.key)
            except CloudError as error:
                log.warning("accounts.closure_unread", request=row.request_id, account=row.key, code=error.code)
                continue
            is_active = status == ACTIVE and now - row.since > SETTLING
            notice = _long(row.request_id, row.since) if status == PENDING and now - row.since > LONG else None
            is_over = is_active or status in (SUSPENDED, GONE)
            verdicts[row.seq] = Verdict(ready=is_over, payload={"status": status}, notice=notice)
        return verdicts

    async def closed(self, run: Run) -> SegmentResult:
        """Tell that the account is closed, or that AWS has reopened it."""
        run.stand()
        await self._services.organization.changed()
        email = run.request.plan.effects["root_email"]
        if run.payload.get("status") == ACTIVE:
            text = f"The account {_shown(run)} is active: AWS did not close it, or it was reopened."
            step = f"An operator can retry {run.request.id}."
            card = Card(f"Not closed: {run.request.plan.summary}", (Text(text), Text(step)), tone="bad")
            notice = Notice("failed", f"Request {run.request.id} failed. {text} {step}", card)
            return Failed(notice, text, step, retry={"segment": "close", "payload": {}})
        text = f"The account {_shown(run)} is closed (SUSPENDED). {email} can never be used for another account."
        return done(run, text, "For 90 days AWS Support can reopen it; then it is deleted with all that is inside.")

    async def _status(self, account_id: str) -> str:
        try:
            account = (await self._factory.ask_aws("organizations", "DescribeAccount", AccountId=account_id))["Account"]
        except CloudError as error:
            if error.code == NOT_FOUND:
                return GONE
            raise
        return _as_status(account)

    async def _statuses(self) -> dict[str, str]:
        return {a["Id"]: _as_status(a) for a in (await self._services.organization.now()).accounts}


def _as_status(account: Mapping[str, str]) -> str:
    """Return the status; the newer member State calls "closed" what Status calls "suspended"."""
    return SUSPENDED if account.get("State") == "CLOSED" else str(account.get("Status") or account.get("State"))


def _shown(run: Run) -> str:
    return str(dict(run.request.plan.details)["Account"])


def _long(request_id: str, since: datetime) -> Notice:
    text = (
        f"The closing of request {request_id} has been pending since {since:%Y-%m-%d}, longer than usual. "
        "Your platform team should look at the account in AWS Organizations; I keep looking."
    )
    return Notice("pending-long", text, Card("Still being closed", (Text(text),), tone="warning", request=request_id))
