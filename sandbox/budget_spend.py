"""What counts against a budget: its current period, and what was and will be spent in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.budgeting import Budget
from sandbox.clock import moment
from sandbox.cost_filters import Passes, read_cost_filters, read_expression
from sandbox.spending import following_month, list_lines, project, start_of, sum_costs
from sandbox.world import World

_MONTHS = {"MONTHLY": 1, "QUARTERLY": 3, "ANNUALLY": 12}


@dataclass(frozen=True)
class Spend:
    """Millionths of a dollar: spent in the period so far, and expected by its end (None: too early to tell)."""

    actual: float
    forecast: float | None


def read_filter(definition: dict[str, Any]) -> Passes:
    """Which costs a budget counts; BadFilter if its filter can't be read."""
    if "FilterExpression" in definition:
        return read_expression(definition["FilterExpression"])
    return read_cost_filters(definition.get("CostFilters", {}))


def find_period(definition: dict[str, Any], today: date) -> tuple[date, date]:
    """The first day of the budget's current period, and the first after it."""
    unit = definition["TimeUnit"]
    if unit == "CUSTOM":
        period = definition["TimePeriod"]
        return moment(period["Start"]).date(), moment(period["End"]).date()
    if unit == "DAILY":
        return today, today + timedelta(days=1)
    months = _MONTHS[unit]
    start = end = date(today.year, today.month - (today.month - 1) % months, 1)
    for _ in range(months):
        end = following_month(end)
    return start, end


def calculate(world: World, budget: Budget) -> Spend:
    """What was spent in the current period, and what will have been at its end."""
    now = world.clock.now()
    start, end = find_period(budget.definition, moment(now).date())
    # A budget counts nothing from before it began or after it ends.
    start = max(start, moment(budget.definition["TimePeriod"]["Start"]).date())
    end = min(end, moment(budget.definition["TimePeriod"]["End"]).date())
    lines = list_lines(world, budget.account_id, read_filter(budget.definition))
    actual = sum_costs(lines, start, end, now)
    projection = project(lines, now)
    if projection is None:
        return Spend(actual, None)
    days_left = max(0.0, start_of(end) - max(now, start_of(start))) / 86_400
    return Spend(actual, actual + projection.mean * days_left)


def is_in_alarm(budget: Budget, notification: dict[str, Any], spend: Spend) -> bool:
    """Whether a notification's threshold is crossed right now."""
    amount = spend.actual if notification["NotificationType"] == "ACTUAL" else spend.forecast
    limit = budget.definition.get("BudgetLimit")
    if amount is None or limit is None:
        return False
    threshold = Decimal(str(notification["Threshold"])) * 1_000_000
    if notification["ThresholdType"] == "PERCENTAGE":
        threshold = Decimal(limit["Amount"]) * threshold / 100
    operator = notification["ComparisonOperator"]
    if operator == "GREATER_THAN":
        return Decimal(amount) > threshold
    return Decimal(amount) < threshold if operator == "LESS_THAN" else Decimal(amount) == threshold
