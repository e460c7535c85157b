"""What accounts spend, from Cost Explorer, and the budgets they have."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from bot.accounts import GLOBAL_REGION
from bot.costs import spent_by
from bot.errors import CloudError
from bot.services import Services


class Costs:
    """Reads Cost Explorer and Budgets through the management role."""

    def __init__(self, services: Services) -> None:
        self._services = services

    async def by_service(self, account_id: str, start: date, end: date) -> dict[str, Decimal]:
        """Return US dollars by service, dearest first, from one day up to (not with) another."""
        of_the_account = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [account_id]}}
        return await self._sums("SERVICE", start, end, Filter=of_the_account)

    async def by_account(self, start: date, end: date) -> dict[str, Decimal]:
        """Return US dollars by account id for the whole organization, dearest first."""
        return await self._sums("LINKED_ACCOUNT", start, end)

    async def _sums(self, dimension: str, start: date, end: date, **wanted: Any) -> dict[str, Decimal]:
        role = self._services.settings.management_role_arn
        return await spent_by(self._services.cloud, role, dimension, start, end, **wanted)

    async def last_days(self, account_id: str, today: date, days: int) -> Decimal:
        """Return what was spent in the last so many days, today included."""
        by_service = await self.by_service(account_id, today - timedelta(days=days - 1), today + timedelta(days=1))
        return sum(by_service.values(), Decimal(0))

    async def budget(self, account_id: str) -> Mapping[str, Any] | None:
        """Return the monthly cost budget of an account as Budgets describes it; None if there is none."""
        management = (await self._call("organizations", "DescribeOrganization"))["Organization"]["MasterAccountId"]
        page: dict[str, str] = {}
        while True:
            try:
                answer = await self._call("budgets", "DescribeBudgets", AccountId=management, **page)
            except CloudError as error:
                if error.code == "NotFoundException":
                    return None
                raise
            for budget in answer.get("Budgets", ()):
                if budget.get("BudgetType") == "COST" and _accounts_in(budget) == {account_id}:
                    found: Mapping[str, Any] = budget
                    return found
            if not answer.get("NextToken"):
                return None
            page = {"NextToken": answer["NextToken"]}

    async def _call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        role = self._services.settings.management_role_arn
        return await self._services.cloud.call(service, operation, region=GLOBAL_REGION, role=role, **parameters)


def _accounts_in(budget: Mapping[str, Any]) -> set[str]:
    """Return the accounts that a budget is about, in the older and the newer way to say so."""
    named = {v for v in (budget.get("CostFilters") or {}).get("LinkedAccount", ())}
    dimension = (budget.get("FilterExpression") or {}).get("Dimensions", {})
    if dimension.get("Key") == "LINKED_ACCOUNT":
        named |= set(dimension.get("Values", ()))
    return named


def dollars(amount: Decimal) -> str:
    """Return an amount for people, such as $1,234.50."""
    return f"${amount:,.2f}"


def month_before(day: date) -> date:
    """Return the first day of the month before a day's."""
    return (day.replace(day=1) - timedelta(days=1)).replace(day=1)
