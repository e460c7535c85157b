"""AWS Budgets: limits on what may be spent, held against the same costs that Cost Explorer tells."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sandbox.budget_notices import add_notification
from sandbox.budget_spend import calculate, read_filter
from sandbox.budgeting import Budget
from sandbox.clock import moment
from sandbox.cost_filters import BadFilter
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.spending import write_dollars

operation = serve(
    Service(
        "budgets",
        signing_name="budgets",
        invalid="InvalidParameterException",
        bad_page="InvalidNextTokenException",
        failed="InternalErrorException",
    )
)

_NAME = re.compile(r"[^:\\]{1,100}")
_UNWANTED_IN_NAMES = re.compile(r"/action/|<script>.*</script>", re.IGNORECASE)
_MOST_BUDGETS = 20_000
_FOR_EVER = datetime(2087, 6, 15, tzinfo=UTC).timestamp()
_COST_TYPES = {
    "IncludeTax": True,
    "IncludeSubscription": True,
    "UseBlended": False,
    "IncludeRefund": True,
    "IncludeCredit": True,
    "IncludeUpfront": True,
    "IncludeRecurring": True,
    "IncludeOtherSubscription": True,
    "IncludeSupport": True,
    "IncludeDiscount": True,
    "UseAmortized": False,
}
_NOT_SERVED = ("PlannedBudgetLimits", "AutoAdjustData")
_KEPT = (
    "BudgetName",
    "BudgetLimit",
    "CostFilters",
    "CostTypes",
    "TimeUnit",
    "BudgetType",
    "FilterExpression",
    "Metrics",
)


@operation("CreateBudget")
def create_budget(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a budget with its notifications, all or nothing."""
    _require_own_account(context, parameters)
    budget = Budget(
        context.account,
        parameters["Budget"]["BudgetName"],
        _read_definition(context, parameters["Budget"]),
        context.now,
    )
    budgets = context.world.zone.budgets
    if budget.key in budgets:
        raise AwsError("DuplicateRecordException", f"The budget {budget.name} exists already.")
    if len(_own_budgets(context)) >= _MOST_BUDGETS:
        raise AwsError("CreationLimitExceededException", f"An account can have {_MOST_BUDGETS} budgets.")
    for entry in parameters.get("NotificationsWithSubscribers", []):
        add_notification(budget, entry["Notification"], entry["Subscribers"])
    budgets[budget.key] = budget
    context.world.changed()
    return {}


@operation("DescribeBudget")
def describe_budget(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One budget with what was spent."""
    return {"Budget": _describe(context, find_budget(context, parameters), parameters)}


@operation("DescribeBudgets")
def describe_budgets(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The account's budgets, each with what was spent."""
    _require_own_account(context, parameters)
    page, following = page_of(
        context, parameters, _own_budgets(context), cursor="NextToken", size="MaxResults", default_size=100
    )
    described = [_describe(context, budget, parameters) for budget in page]
    return {"Budgets": described, **({"NextToken": following} if following else {})}


@operation("UpdateBudget")
def update_budget(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Replace a budget by another of the same name; its notifications stay."""
    new = parameters["NewBudget"]
    budget = find_budget(context, {**parameters, "BudgetName": new["BudgetName"]})
    definition = _read_definition(context, new)
    if "TimePeriod" not in new or "Start" not in new["TimePeriod"]:
        definition["TimePeriod"]["Start"] = budget.definition["TimePeriod"]["Start"]
    if definition["TimeUnit"] != budget.definition["TimeUnit"] and "CUSTOM" in (
        definition["TimeUnit"],
        budget.definition["TimeUnit"],
    ):
        raise _invalid("A budget can't be changed from or to the time unit CUSTOM.")
    budget.definition, budget.updated_at = definition, context.now
    context.world.changed()
    return {}


@operation("DeleteBudget")
def delete_budget(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Remove a budget with its notifications."""
    del context.world.zone.budgets[find_budget(context, parameters).key]
    context.world.changed()
    return {}


def find_budget(context: Context, parameters: Parameters) -> Budget:
    """The budget named, of the caller's own account; NotFoundException if there is none."""
    _require_own_account(context, parameters)
    name = parameters["BudgetName"]
    budget = context.world.zone.budgets.get(f"{context.account}/{name}")
    if budget is None:
        raise AwsError("NotFoundException", f"There is no budget {name}. Create it first.")
    return budget


def _require_own_account(context: Context, parameters: Parameters) -> None:
    if parameters["AccountId"] != context.account:
        raise AwsError(
            "AccessDeniedException",
            f"User: {context.caller} is not authorized to perform: budgets:{context.operation} "
            f"on the budgets of the account {parameters['AccountId']}",
        )


def _own_budgets(context: Context) -> list[Budget]:
    return [budget for budget in context.world.zone.budgets.values() if budget.account_id == context.account]


def _read_definition(context: Context, given: Mapping[str, Any]) -> dict[str, Any]:
    """What to keep of a budget as its owner gave it; InvalidParameterException for what AWS would refuse."""
    if not _NAME.fullmatch(given["BudgetName"]) or _UNWANTED_IN_NAMES.search(given["BudgetName"]):
        raise _invalid(r"A budget's name has at most 100 characters, and neither : nor \ among them.")
    if given["BudgetType"] != "COST" or any(name in given for name in _NOT_SERVED):
        raise _invalid("The sandboxed AWS keeps budgets of the type COST with a fixed BudgetLimit only.")
    limit = given.get("BudgetLimit")
    if limit is None:
        raise _invalid("A cost budget needs a BudgetLimit.")
    if limit["Unit"] != "USD" or Decimal(limit["Amount"]) <= 0:
        raise _invalid("A budget's limit must be more than 0 USD.")
    if "FilterExpression" in given and ("CostFilters" in given or "CostTypes" in given):
        raise _invalid("Give either FilterExpression, or CostFilters and CostTypes.")
    definition = {name: given[name] for name in _KEPT if name in given}
    if "FilterExpression" not in definition:
        definition.setdefault("CostFilters", {})
        definition["CostTypes"] = {**_COST_TYPES, **given.get("CostTypes", {})}
    try:
        read_filter(definition)
    except BadFilter as error:
        raise _invalid(str(error)) from error
    definition["TimePeriod"] = _read_period(context, given)
    return definition


def _read_period(context: Context, given: Mapping[str, Any]) -> dict[str, float]:
    period = given.get("TimePeriod", {})
    if given["TimeUnit"] == "CUSTOM" and len(period) < 2:
        raise _invalid("A CUSTOM budget needs Start and End of its TimePeriod.")
    this_month = moment(context.now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    read = {
        "Start": _seconds(period["Start"]) if "Start" in period else this_month.timestamp(),
        "End": _seconds(period["End"]) if "End" in period else _FOR_EVER,
    }
    if read["Start"] >= read["End"]:
        raise _invalid("A budget's Start must be before its End.")
    return read


def _seconds(given: datetime) -> float:
    aware = given if given.tzinfo is not None else given.replace(tzinfo=UTC)
    return aware.timestamp()


def _describe(context: Context, budget: Budget, parameters: Parameters) -> dict[str, Any]:
    spend = calculate(context.world, budget)
    described = {
        **budget.definition,
        "TimePeriod": {name: moment(seconds) for name, seconds in budget.definition["TimePeriod"].items()},
        "LastUpdatedTime": moment(budget.updated_at),
        "CalculatedSpend": {"ActualSpend": {"Amount": write_dollars(spend.actual), "Unit": "USD"}},
        "HealthStatus": {"Status": "HEALTHY", "LastUpdatedTime": moment(budget.updated_at)},
    }
    if spend.forecast is not None:
        described["CalculatedSpend"]["ForecastedSpend"] = {"Amount": write_dollars(spend.forecast), "Unit": "USD"}
    if not parameters.get("ShowFilterExpression"):
        described.pop("FilterExpression", None)
        described.pop("Metrics", None)
    return described


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
