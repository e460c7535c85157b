"""Budgets: limits on the costs that Cost Explorer tells, and whom they warn."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in, refusal_of, vend

PLAYGROUND = "555566667777"
ANOTHER = "666677778888"
WARNING = {"NotificationType": "ACTUAL", "ComparisonOperator": "GREATER_THAN", "Threshold": 80.0}
MAIL = {"SubscriptionType": "EMAIL", "Address": "finops1@corp.example"}
TOPIC = {"SubscriptionType": "SNS", "Address": "arn:aws:sns:us-east-1:111122223333:costs"}


def budget(name: str = "playground", **changes: Any) -> dict[str, Any]:
    made = {
        "BudgetName": name,
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": "100", "Unit": "USD"},
        "CostFilters": {"LinkedAccount": [PLAYGROUND]},
        **changes,
    }
    return {key: value for key, value in made.items() if value is not None}


def create(aws: Aws, warnings: Any = (), **changes: Any) -> None:
    aws.client("budgets").create_budget(
        AccountId=MANAGEMENT_ACCOUNT, Budget=budget(**changes), NotificationsWithSubscribers=list(warnings)
    )


def described(aws: Aws, name: str = "playground", **options: Any) -> Any:
    answer = aws.client("budgets").describe_budget(AccountId=MANAGEMENT_ACCOUNT, BudgetName=name, **options)
    return answer["Budget"]


def warn(subscribers: list[dict[str, str]], **changes: Any) -> dict[str, Any]:
    return {"Notification": {**WARNING, **changes}, "Subscribers": subscribers}


def states(aws: Aws) -> list[str]:
    listed = aws.client("budgets").describe_notifications_for_budget(
        AccountId=MANAGEMENT_ACCOUNT, BudgetName="playground"
    )
    return [entry["NotificationState"] for entry in listed["Notifications"]]


def at_the_middle_of_a_month(aws: Aws) -> datetime:
    now = datetime.fromisoformat(aws.get("clock")["now"]).astimezone(UTC)
    target = (now.replace(day=1) + timedelta(days=32)).replace(day=15, hour=12, minute=0, second=0, microsecond=0)
    aws.advance((target - now).total_seconds() / 60)
    return target


def test_keeps_a_budget_once(aws: Aws) -> None:
    create(aws, [warn([MAIL])])
    call = aws.client("budgets").create_budget
    assert refusal_of(call, AccountId=MANAGEMENT_ACCOUNT, Budget=budget()) == "DuplicateRecordException"

    kept = described(aws)
    assert kept["BudgetLimit"] == {"Amount": "100", "Unit": "USD"}
    assert kept["CostFilters"] == {"LinkedAccount": [PLAYGROUND]}
    assert kept["TimePeriod"]["Start"].day == 1
    assert kept["CostTypes"]["IncludeTax"] is True
    assert [entry["BudgetName"] for entry in all_budgets(aws)] == ["playground"]


def all_budgets(aws: Aws, page_size: int = 100) -> list[Any]:
    pages = (
        aws.client("budgets")
        .get_paginator("describe_budgets")
        .paginate(AccountId=MANAGEMENT_ACCOUNT, PaginationConfig={"PageSize": page_size})
    )
    return [entry for page in pages for entry in page.get("Budgets", [])]


def test_pages_through_budgets_notifications_and_subscribers(aws: Aws) -> None:
    for number in range(5):
        create(aws, name=f"budget-{number}")
    assert [entry["BudgetName"] for entry in all_budgets(aws, 2)] == [f"budget-{number}" for number in range(5)]

    mails = [{"SubscriptionType": "EMAIL", "Address": f"dev{number}@corp.example"} for number in range(5)]
    create(aws, [warn(mails, Threshold=float(number)) for number in range(5)])
    client, asked = aws.client("budgets"), {"AccountId": MANAGEMENT_ACCOUNT, "BudgetName": "playground"}
    pages = client.get_paginator("describe_notifications_for_budget").paginate(
        **asked, PaginationConfig={"PageSize": 2}
    )
    thresholds = [entry["Threshold"] for page in pages for entry in page["Notifications"]]
    assert thresholds == [0, 1, 2, 3, 4]
    pages = client.get_paginator("describe_subscribers_for_notification").paginate(
        **asked, Notification={**WARNING, "Threshold": 3}, PaginationConfig={"PageSize": 2}
    )
    assert [entry for page in pages for entry in page["Subscribers"]] == mails


def test_counts_the_costs_that_cost_explorer_tells(aws: Aws) -> None:
    now = at_the_middle_of_a_month(aws)
    create(aws, CostFilters={"LinkedAccount": [PLAYGROUND], "Service": ["Amazon Simple Storage Service"]})
    create(
        aws,
        name="by-expression",
        CostFilters=None,
        FilterExpression={"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [PLAYGROUND]}},
        Metrics=["UnblendedCost"],
    )
    told = aws.client("ce").get_cost_and_usage(
        TimePeriod={"Start": f"{now:%Y-%m}-01", "End": f"{now:%Y-%m}-16"},
        Granularity="MONTHLY",
        Metrics=["UnblendedCost"],
        Filter={"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [PLAYGROUND]}},
        GroupBy=[{"Type": "DIMENSION", "Key": "SERVICE"}],
    )["ResultsByTime"][0]["Groups"]
    costs = {group["Keys"][0]: Decimal(group["Metrics"]["UnblendedCost"]["Amount"]) for group in told}

    spent = described(aws)["CalculatedSpend"]
    assert Decimal(spent["ActualSpend"]["Amount"]) == costs["Amazon Simple Storage Service"]
    assert Decimal(spent["ForecastedSpend"]["Amount"]) > Decimal(spent["ActualSpend"]["Amount"])
    shown = described(aws, "by-expression", ShowFilterExpression=True)
    assert Decimal(shown["CalculatedSpend"]["ActualSpend"]["Amount"]) == sum(costs.values())
    assert shown["FilterExpression"]["Dimensions"]["Values"] == [PLAYGROUND]
    assert "FilterExpression" not in described(aws, "by-expression")


def test_a_new_accounts_budget_has_no_forecast_yet(aws: Aws) -> None:
    create(aws, CostFilters={"LinkedAccount": [vend(aws)]})
    assert set(described(aws)["CalculatedSpend"]) == {"ActualSpend"}


def test_warns_once_the_threshold_is_crossed(aws: Aws) -> None:
    at_the_middle_of_a_month(aws)
    create(
        aws,
        [
            warn([MAIL]),
            warn([MAIL], NotificationType="FORECASTED"),
            warn([MAIL], Threshold=1_000_000.0, ThresholdType="ABSOLUTE_VALUE"),
        ],
        BudgetLimit={"Amount": "0.01", "Unit": "USD"},
    )
    assert states(aws) == ["ALARM", "ALARM", "OK"]

    aws.client("budgets").update_budget(
        AccountId=MANAGEMENT_ACCOUNT, NewBudget=budget(BudgetLimit={"Amount": "50000", "Unit": "USD"})
    )
    assert described(aws)["BudgetLimit"]["Amount"] == "50000"
    assert states(aws) == ["OK", "OK", "OK"]


def test_removes_a_budget_with_its_notifications(aws: Aws) -> None:
    create(aws, [warn([MAIL])])
    client, named = aws.client("budgets"), {"AccountId": MANAGEMENT_ACCOUNT, "BudgetName": "playground"}
    client.delete_budget(**named)

    for call in (client.delete_budget, client.describe_budget, client.describe_notifications_for_budget):
        assert refusal_of(call, **named) == "NotFoundException"
    assert refusal_of(client.update_budget, AccountId=MANAGEMENT_ACCOUNT, NewBudget=budget()) == "NotFoundException"
    create(aws)
    assert states(aws) == []


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"BudgetName": "n" * 101}, "InvalidParameterException"),
        ({"BudgetName": "team:x"}, "InvalidParameterException"),
        ({"BudgetName": "team\\x"}, "InvalidParameterException"),
        ({"BudgetName": "a/action/b"}, "InvalidParameterException"),
        ({"BudgetLimit": None}, "InvalidParameterException"),
        ({"BudgetLimit": {"Amount": "0", "Unit": "USD"}}, "InvalidParameterException"),
        ({"BudgetLimit": {"Amount": "many", "Unit": "USD"}}, "InvalidParameterException"),
        ({"BudgetLimit": {"Amount": "5", "Unit": "EUR"}}, "InvalidParameterException"),
        ({"TimeUnit": "WEEKLY"}, "InvalidParameterException"),
        ({"TimeUnit": "CUSTOM"}, "InvalidParameterException"),
        ({"BudgetType": "USAGE"}, "InvalidParameterException"),
        ({"CostFilters": {"Colour": ["red"]}}, "InvalidParameterException"),
        ({"CostFilters": {"LinkedAccount": []}}, "InvalidParameterException"),
        (
            {"FilterExpression": {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [PLAYGROUND]}}},
            "InvalidParameterException",
        ),
        ({"CostFilters": None, "FilterExpression": {"And": []}}, "InvalidParameterException"),
        (
            {"TimePeriod": {"Start": datetime(2026, 2, 1, tzinfo=UTC), "End": datetime(2026, 1, 1, tzinfo=UTC)}},
            "InvalidParameterException",
        ),
    ],
)
def test_refuses_a_budget_as_aws_does(aws: Aws, changes: dict[str, Any], code: str) -> None:
    wanted = {"AccountId": MANAGEMENT_ACCOUNT, "Budget": budget(**changes)}
    assert refusal_of(aws.client("budgets").create_budget, **wanted) == code
    assert all_budgets(aws) == []


@pytest.mark.parametrize(
    ("warnings", "code"),
    [
        ([warn([MAIL]), warn([MAIL], ThresholdType="PERCENTAGE")], "DuplicateRecordException"),
        ([warn([MAIL, MAIL])], "DuplicateRecordException"),
        ([warn([TOPIC, {**TOPIC, "Address": f"{TOPIC['Address']}-2"}])], "CreationLimitExceededException"),
        ([warn([{"SubscriptionType": "EMAIL", "Address": "nobody"}])], "InvalidParameterException"),
        ([warn([{"SubscriptionType": "SNS", "Address": "finops1@corp.example"}])], "InvalidParameterException"),
        ([warn([MAIL], NotificationType="RUMOUR")], "InvalidParameterException"),
        ([warn([MAIL], Threshold=float(number)) for number in range(11)], "InvalidParameterException"),
    ],
)
def test_a_budget_with_a_wrong_notification_is_not_made(aws: Aws, warnings: Any, code: str) -> None:
    wanted = {"AccountId": MANAGEMENT_ACCOUNT, "Budget": budget(), "NotificationsWithSubscribers": warnings}
    assert refusal_of(aws.client("budgets").create_budget, **wanted) == code
    assert all_budgets(aws) == []


def test_takes_ten_notifications_and_not_eleven(aws: Aws) -> None:
    create(aws)
    client, named = aws.client("budgets"), {"AccountId": MANAGEMENT_ACCOUNT, "BudgetName": "playground"}
    for number in range(10):
        client.create_notification(**named, **warn([MAIL, TOPIC], Threshold=float(number)))

    assert refusal_of(client.create_notification, **named, **warn([MAIL])) == "CreationLimitExceededException"
    assert refusal_of(client.create_notification, **named, **warn([MAIL], Threshold=3.0)) == "DuplicateRecordException"
    missing = {"AccountId": MANAGEMENT_ACCOUNT, "BudgetName": "nowhere"}
    assert refusal_of(client.create_notification, **missing, **warn([MAIL])) == "NotFoundException"
    asked = {**named, "Notification": {**WARNING, "Threshold": 99}}
    assert refusal_of(client.describe_subscribers_for_notification, **asked) == "NotFoundException"
    assert refusal_of(client.describe_budgets, AccountId=MANAGEMENT_ACCOUNT, NextToken="AAAA") == (
        "InvalidNextTokenException"
    )


def test_each_account_keeps_its_own_budgets(aws: Aws) -> None:
    create(aws)
    inside = client_in(aws, PLAYGROUND, "budgets")
    inside.create_budget(AccountId=PLAYGROUND, Budget=budget())

    assert [entry["BudgetName"] for entry in inside.describe_budgets(AccountId=PLAYGROUND)["Budgets"]] == ["playground"]
    assert refusal_of(inside.describe_budgets, AccountId=MANAGEMENT_ACCOUNT) == "AccessDeniedException"
    assert refusal_of(aws.client("budgets").describe_budgets, AccountId=ANOTHER) == "AccessDeniedException"


@pytest.mark.parametrize("unit", ["DAILY", "MONTHLY", "QUARTERLY", "ANNUALLY"])
def test_counts_from_the_beginning_of_its_period(aws: Aws, unit: str) -> None:
    at_the_middle_of_a_month(aws)
    long_ago = {"Start": datetime(2025, 1, 1, tzinfo=UTC)}
    create(aws, name="day", TimeUnit="DAILY", TimePeriod=long_ago)
    create(aws, name="this", TimeUnit=unit, TimePeriod=long_ago)

    day, this = (Decimal(described(aws, name)["CalculatedSpend"]["ActualSpend"]["Amount"]) for name in ("day", "this"))
    assert (this == day) if unit == "DAILY" else (this > day > 0)


def test_a_custom_period_is_counted_as_it_is(aws: Aws) -> None:
    now = at_the_middle_of_a_month(aws)
    period = {"Start": now - timedelta(days=10), "End": now - timedelta(days=5)}
    create(aws, TimeUnit="CUSTOM", TimePeriod=period)
    spent = described(aws)["CalculatedSpend"]
    aws.advance(3 * 24 * 60)

    assert spent["ActualSpend"] == spent["ForecastedSpend"] == described(aws)["CalculatedSpend"]["ActualSpend"]
    assert Decimal(spent["ActualSpend"]["Amount"]) > 0
