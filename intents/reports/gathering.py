"""Puts a month together: from our own record, the organization, Cost Explorer and Identity Center.

What can't be read is said in a note; the other figures stand.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import structlog

from bot.accounts import Account, Accounts
from bot.costs import spent_by
from bot.errors import CloudError
from bot.hours import WorkingHours
from bot.services import Services
from intents.reports.figures import AccountEvent, Leaver, Report, Spending, spread_of
from intents.reports.months import Month, zone_of
from intents.reports.recorded import Recorded

log = structlog.get_logger(__name__)

PATIENCE = 15.0
"""Seconds of wall time after which a report goes without what AWS has not told."""
ACTIVE = "ACTIVE"
DISABLED = "DISABLED"


class Gatherer:
    """Reads everything that a report needs; changes nothing."""

    def __init__(self, services: Services, hours: WorkingHours | None) -> None:
        self._services, self._hours = services, hours
        self._recorded = Recorded(services, hours)
        self._accounts = Accounts(services)
        self.patience = PATIENCE

    async def report(self, month: Month, *, for_somebody: bool = True) -> Report:
        """Return a month's report; what AWS does not tell now is left out, and noted.

        `for_somebody`: who waits for it gets it after a few seconds, with or without what AWS has to tell.
        """
        begin, end = month.bounds(zone_of(self._hours))
        vended = await self._recorded.vended(begin, end)
        recorded = Report(
            month=month,
            closed=await self._closed({}, begin, end),
            asked=await self._recorded.asked(begin, end),
            ended=await self._recorded.ended(begin, end),
            ready=spread_of([time for _, _, time in vended]),
            approval=spread_of(await self._recorded.approval_times(begin, end)),
            in_working_time=self._hours is not None,
            failures=await self._recorded.failures(begin, end),
        )
        try:
            async with asyncio.timeout(self.patience if for_somebody else None):
                return await self._with_what_aws_tells(recorded, {a: r for a, r, _ in vended}, begin, end)
        except TimeoutError:
            log.warning("report.aws_silent", seconds=self.patience)
            note = "Accounts, spending and leavers are left out: AWS does not answer."
            return replace(recorded, notes=(note,), is_cut=True)

    async def _with_what_aws_tells(
        self, recorded: Report, vended: Mapping[str, str], begin: datetime, end: datetime
    ) -> Report:
        try:
            accounts = {account.id: account for account in await self._accounts.all()}
        except CloudError as error:
            log.warning("report.accounts_unread", code=error.code, operation=error.operation)
            note = (
                f"Accounts, spending and leavers could not be read: AWS answered {error.operation} with {error.code}."
            )
            return replace(recorded, notes=(note,), is_cut=error.retryable)
        notes: list[str] = []
        return replace(
            recorded,
            opened=await self._opened(accounts, vended, begin, end),
            closed=await self._closed(accounts, begin, end),
            spending=await self._spending(accounts, recorded.month, notes),
            leavers=await self._leavers(accounts, notes),
            notes=tuple(notes),
        )

    async def _opened(
        self, accounts: Mapping[str, Account], vended: Mapping[str, str], begin: datetime, end: datetime
    ) -> tuple[AccountEvent, ...]:
        """Return the accounts that joined the organization, whoever had them made."""
        organization = await self._services.organization.for_plan(fresh=False)
        joined = {
            entry["Id"]: datetime.fromisoformat(entry["JoinedTimestamp"])
            for entry in organization.accounts
            if entry["JoinedTimestamp"]
        }
        found = [
            AccountEvent(known.id, known.name, known.owner, joined[known.id], vended.get(known.id, ""))
            for known in accounts.values()
            if known.id in joined and begin <= joined[known.id] < end
        ]
        return tuple(sorted(found, key=lambda event: (event.at, event.account_id)))

    async def _closed(
        self, accounts: Mapping[str, Account], begin: datetime, end: datetime
    ) -> tuple[AccountEvent, ...]:
        found = []
        for account_id, at in (await self._recorded.closed(begin, end)).items():
            known = accounts.get(account_id)
            found.append(AccountEvent(account_id, known.name if known else "", known.owner if known else "", at))
        return tuple(sorted(found, key=lambda event: (event.at, event.account_id)))

    async def _spending(self, accounts: Mapping[str, Account], month: Month, notes: list[str]) -> tuple[Spending, ...]:
        try:
            spent = await self._costs(month)
        except CloudError as error:
            log.warning("report.costs_unread", code=error.code, operation=error.operation)
            notes.append(f"Spending could not be read: Cost Explorer answered {error.code}.")
            return ()
        found = []
        for account_id, dollars in spent.items():
            known = accounts.get(account_id)
            found.append(Spending(account_id, known.name if known else "", known.kind if known else "", dollars))
        return tuple(sorted(found, key=lambda one: (-one.dollars, one.account_id)))

    async def _costs(self, month: Month) -> dict[str, Decimal]:
        """Return US dollars by account id. Cost Explorer counts its days in UTC, and none that lie ahead."""
        until = min(month.after.first, self._services.clock.now().astimezone(UTC).date() + timedelta(days=1))
        role = self._services.settings.management_role_arn
        return await spent_by(self._services.cloud, role, "LINKED_ACCOUNT", month.first, until)

    async def _leavers(self, accounts: Mapping[str, Account], notes: list[str]) -> tuple[Leaver, ...]:
        """Return owners and requesters whom nobody lists any more; none when Identity Center can't be read."""
        try:
            known = await self._people()
        except CloudError as error:
            log.warning("report.people_unread", code=error.code, operation=error.operation)
            notes.append(f"Leavers could not be told: Identity Center answered {error.operation} with {error.code}.")
            return ()
        if not known:
            notes.append("Leavers could not be told: Identity Center lists nobody.")
            return ()
        known |= set(self._services.directory.everybody())
        owned: dict[str, list[str]] = defaultdict(list)
        for account in accounts.values():
            if account.owner and account.status == ACTIVE:
                owned[account.owner].append(account.id)
        asked = await self._recorded.open_requests()
        gone = sorted({*owned, *asked} - known)
        return tuple(Leaver(email, tuple(owned.get(email, ())), tuple(asked.get(email, ()))) for email in gone)

    async def _people(self) -> set[str]:
        """Return the case-folded addresses and user names of all in Identity Center who are not disabled."""
        found: set[str] = set()
        for instance in await self._listing("sso-admin", "ListInstances", "Instances"):
            store = instance["IdentityStoreId"]
            for user in await self._listing("identitystore", "ListUsers", "Users", IdentityStoreId=store):
                if user.get("UserStatus") == DISABLED:
                    continue
                found |= {entry.get("Value", "").casefold() for entry in user.get("Emails", ())}
                found.add(str(user.get("UserName", "")).casefold())
        return {address for address in found if address}

    async def _listing(self, service: str, operation: str, result: str, **parameters: Any) -> list[dict[str, Any]]:
        settings = self._services.settings
        pages = self._services.cloud.pages(
            service,
            operation,
            result,
            region=settings.control_tower_region,
            role=settings.management_role_arn,
            **parameters,
        )
        return [entry async for entry in pages]
