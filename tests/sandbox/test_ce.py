"""Cost Explorer: the same account costs the same on the same day, whoever asks and however it is cut."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from sandbox.landing_zone import ACCOUNTS
from tests.sandbox.landing import Aws
from tests.sandbox.members import client_in, refusal_of, vend

PLAYGROUND, WEBSHOP_PROD, WEBSHOP_TEST = "555566667777", "666677778888", "666688889999"
ONE = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [PLAYGROUND]}}
BY_ACCOUNT = [{"Type": "DIMENSION", "Key": "LINKED_ACCOUNT"}]
BY_SERVICE = [{"Type": "DIMENSION", "Key": "SERVICE"}]


def today_of(aws: Aws) -> date:
    return datetime.fromisoformat(aws.get("clock")["now"]).astimezone(UTC).date()


def days(aws: Aws, before: int, until: int = 0) -> dict[str, str]:
    today = today_of(aws)
    return {
        "Start": (today - timedelta(days=before)).isoformat(),
        "End": (today - timedelta(days=until)).isoformat(),
    }


def ask(aws: Aws, **changes: Any) -> Any:
    asked = {"TimePeriod": days(aws, 7), "Granularity": "DAILY", "Metrics": ["UnblendedCost"], **changes}
    return aws.client("ce").get_cost_and_usage(**asked)


def total(answer: Any) -> Decimal:
    amounts = [result["Total"] for result in answer["ResultsByTime"]]
    amounts += [group["Metrics"] for result in answer["ResultsByTime"] for group in result["Groups"]]
    return sum((Decimal(entry["UnblendedCost"]["Amount"]) for entry in amounts if entry), Decimal())


def by_account(answer: Any) -> dict[str, Decimal]:
    sums: dict[str, Decimal] = {}
    for result in answer["ResultsByTime"]:
        for group in result["Groups"]:
            amount = Decimal(group["Metrics"]["UnblendedCost"]["Amount"])
            sums[group["Keys"][0]] = sums.get(group["Keys"][0], Decimal()) + amount
    return sums


def test_the_same_question_has_the_same_answer_and_days_are_their_own(aws: Aws) -> None:
    first, again = ask(aws, Filter=ONE), ask(aws, Filter=ONE)

    assert first["ResultsByTime"] == again["ResultsByTime"]
    assert len(first["ResultsByTime"]) == 7
    amounts = [result["Total"]["UnblendedCost"]["Amount"] for result in first["ResultsByTime"]]
    assert len(set(amounts)) == 7
    assert all(Decimal(amount) > 0 for amount in amounts)
    ends = [result["TimePeriod"]["End"] for result in first["ResultsByTime"]]
    assert ends[-1] == days(aws, 7)["End"]


def test_every_grouping_adds_up_to_the_total(aws: Aws) -> None:
    whole = total(ask(aws))

    assert whole > 0
    assert total(ask(aws, GroupBy=BY_ACCOUNT)) == whole
    assert total(ask(aws, GroupBy=BY_SERVICE)) == whole
    assert total(ask(aws, GroupBy=[*BY_ACCOUNT, *BY_SERVICE])) == whole
    assert total(ask(aws, Granularity="MONTHLY")) == whole


def test_production_costs_more_than_a_playground_and_each_account_is_named(aws: Aws) -> None:
    answer = ask(aws, GroupBy=BY_ACCOUNT)
    costs = by_account(answer)

    assert set(costs) == {entry[0] for entry in ACCOUNTS}
    assert costs[WEBSHOP_PROD] > costs[WEBSHOP_TEST] > costs[PLAYGROUND] > 0
    names = {entry["Value"]: entry["Attributes"]["description"] for entry in answer["DimensionValueAttributes"]}
    assert names[PLAYGROUND] == "Playground"
    assert answer["GroupDefinitions"] == BY_ACCOUNT


def test_filters_combine_by_and_or_and_not(aws: Aws) -> None:
    two = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [PLAYGROUND, WEBSHOP_PROD]}}
    storage = {"Dimensions": {"Key": "SERVICE", "Values": ["Amazon Simple Storage Service"]}}
    prod = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [WEBSHOP_PROD]}}

    def costs(expression: Any) -> dict[str, Decimal]:
        return by_account(ask(aws, GroupBy=BY_ACCOUNT, Filter=expression))

    assert set(costs(two)) == set(costs({"Or": [ONE, prod]})) == {PLAYGROUND, WEBSHOP_PROD}
    assert set(costs({"And": [two, {"Not": ONE}]})) == {WEBSHOP_PROD}
    assert PLAYGROUND not in costs({"Not": ONE})
    assert 0 < costs({"And": [ONE, storage]})[PLAYGROUND] < costs(ONE)[PLAYGROUND]
    nothing = ask(aws, Filter={"Dimensions": {"Key": "RECORD_TYPE", "Values": ["Tax"]}})
    assert total(nothing) == 0
    assert len(nothing["ResultsByTime"]) == 7


def test_pages_through_what_is_too_long_for_one_answer(aws: Aws) -> None:
    asked = {"TimePeriod": days(aws, 200), "GroupBy": BY_ACCOUNT}
    pages = [ask(aws, **asked)]
    while "NextPageToken" in pages[-1]:
        pages.append(ask(aws, **asked, NextPageToken=pages[-1]["NextPageToken"]))

    rows = [
        (result["TimePeriod"]["Start"], group["Keys"][0])
        for page in pages
        for result in page["ResultsByTime"]
        for group in result["Groups"]
    ]
    assert len(pages) == 2
    assert len(rows) == len(set(rows)) == 200 * len(ACCOUNTS)
    token = pages[0]["NextPageToken"]
    call = aws.client("ce").get_cost_and_usage
    other = {"TimePeriod": days(aws, 199), "Granularity": "DAILY", "Metrics": ["UnblendedCost"], "GroupBy": BY_ACCOUNT}
    assert refusal_of(call, **other, NextPageToken=token) == "InvalidNextTokenException"


def test_an_account_costs_nothing_before_it_exists_and_nothing_after_it_is_closed(aws: Aws) -> None:
    account_id = vend(aws)
    mine = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [account_id]}}
    aws.advance(3 * 24 * 60)
    assert total(ask(aws, Filter=mine, TimePeriod=days(aws, 40, 10))) == 0
    assert total(ask(aws, Filter=mine)) > 0

    aws.client("organizations").close_account(AccountId=account_id)
    before = total(ask(aws, Filter=mine, TimePeriod=days(aws, 7, -1)))
    aws.advance(5 * 24 * 60)
    assert total(ask(aws, Filter=mine, TimePeriod=days(aws, 4))) == 0
    assert total(ask(aws, Filter=mine, TimePeriod=days(aws, 12))) == before


def test_moving_an_account_rewrites_no_costs(aws: Aws) -> None:
    period = days(aws, 7)
    before = total(ask(aws, Filter=ONE, TimePeriod=period))
    aws.client("servicecatalog").terminate_provisioned_product(
        ProvisionedProductName="playground", TerminateToken="end"
    )
    aws.advance(10)

    assert total(ask(aws, Filter=ONE, TimePeriod=period)) == before


def test_today_is_counted_as_far_as_it_has_passed(aws: Aws) -> None:
    aws.advance(24 * 60 - 60 * datetime.fromisoformat(aws.get("clock")["now"]).hour + 120)
    today = days(aws, 0, -1)
    early = total(ask(aws, Filter=ONE, TimePeriod=today))
    aws.advance(8 * 60)
    late = total(ask(aws, Filter=ONE, TimePeriod=today))

    assert 0 < early < late
    assert ask(aws, TimePeriod=today)["ResultsByTime"][0]["Estimated"] is True
    assert ask(aws, TimePeriod=days(aws, 70, 69))["ResultsByTime"][0]["Estimated"] is False


def test_months_begin_at_the_first_and_are_cut_at_the_ends(aws: Aws) -> None:
    results = ask(aws, TimePeriod=days(aws, 100), Granularity="MONTHLY")["ResultsByTime"]
    starts = [result["TimePeriod"]["Start"] for result in results]
    ends = [result["TimePeriod"]["End"] for result in results]

    assert starts[0] == days(aws, 100)["Start"]
    assert all(start.endswith("-01") for start in starts[1:])
    assert ends[:-1] == starts[1:]
    assert ends[-1] == days(aws, 100)["End"]


def test_a_member_sees_its_own_costs_only(aws: Aws) -> None:
    inside = client_in(aws, PLAYGROUND, "ce")
    answer = inside.get_cost_and_usage(
        TimePeriod=days(aws, 7), Granularity="DAILY", Metrics=["UnblendedCost"], GroupBy=BY_ACCOUNT
    )

    assert set(by_account(answer)) == {PLAYGROUND}


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"TimePeriod": (7, 7)}, "ValidationException"),
        ({"TimePeriod": (7, 9)}, "ValidationException"),
        ({"TimePeriod": (480, 0)}, "ValidationException"),
        ({"TimePeriod": (7, -40)}, "ValidationException"),
        ({"TimePeriod": {"Start": "2025-02-31", "End": "2025-03-04"}}, "ValidationException"),
        ({"TimePeriod": {"Start": "yesterday", "End": "today"}}, "ValidationException"),
        ({"Granularity": "HOURLY"}, "ValidationException"),
        ({"Granularity": "YEARLY"}, "ValidationException"),
        ({"Metrics": []}, "ValidationException"),
        ({"Metrics": ["UsageQuantity"]}, "ValidationException"),
        ({"GroupBy": [{"Type": "TAG", "Key": "owner"}]}, "ValidationException"),
        ({"GroupBy": [{"Type": "DIMENSION", "Key": "REGION"}]}, "ValidationException"),
        ({"GroupBy": BY_ACCOUNT * 2}, "ValidationException"),
        ({"Filter": {}}, "ValidationException"),
        ({"Filter": {**ONE, "Not": ONE}}, "ValidationException"),
        ({"Filter": {"And": [ONE]}}, "ValidationException"),
        ({"Filter": {"Dimensions": {"Key": "REGION", "Values": ["us-east-1"]}}}, "ValidationException"),
        ({"Filter": {"Dimensions": {"Key": "SERVICE", "Values": []}}}, "ValidationException"),
        ({"Filter": {"Tags": {"Key": "owner", "Values": ["x"]}}}, "ValidationException"),
        ({"NextPageToken": "nonsense"}, "InvalidNextTokenException"),
    ],
)
def test_refuses_a_question_as_cost_explorer_does(aws: Aws, changes: dict[str, Any], code: str) -> None:
    period = changes.get("TimePeriod")
    if isinstance(period, tuple):
        changes = {**changes, "TimePeriod": days(aws, *period)}
    asked = {"TimePeriod": days(aws, 7), "Granularity": "DAILY", "Metrics": ["UnblendedCost"], **changes}
    assert refusal_of(aws.client("ce").get_cost_and_usage, **asked) == code


def test_has_no_data_of_days_to_come(aws: Aws) -> None:
    clock = datetime.fromisoformat(aws.get("clock")["now"])
    # Early in a month, so that tomorrow is no later than the beginning of the next one.
    aws.advance((32 - clock.day) * 24 * 60 if clock.day > 20 else 0)
    asked = {"TimePeriod": days(aws, -1, -2), "Granularity": "DAILY", "Metrics": ["UnblendedCost"]}

    assert refusal_of(aws.client("ce").get_cost_and_usage, **asked) == "DataUnavailableException"


def forecast(aws: Aws, **changes: Any) -> dict[str, Any]:
    return {"TimePeriod": days(aws, 0, -30), "Metric": "UNBLENDED_COST", "Granularity": "DAILY", **changes}


def test_forecasts_near_what_was_spent(aws: Aws) -> None:
    spent = total(ask(aws, TimePeriod=days(aws, 28), Filter=ONE)) / 28 * 30
    answer = aws.client("ce").get_cost_forecast(**forecast(aws, Filter=ONE, PredictionIntervalLevel=80))

    assert Decimal(answer["Total"]["Amount"]) == pytest.approx(spent, abs=Decimal("0.0001"))
    assert len(answer["ForecastResultsByTime"]) == 30
    first = answer["ForecastResultsByTime"][0]
    bounds = [first["PredictionIntervalLowerBound"], first["MeanValue"], first["PredictionIntervalUpperBound"]]
    assert sorted(map(Decimal, bounds)) == list(map(Decimal, bounds))


def test_forecasts_months_cut_at_the_ends(aws: Aws) -> None:
    asked = forecast(aws, TimePeriod=days(aws, 0, -70), Filter=ONE, Granularity="MONTHLY")
    results = aws.client("ce").get_cost_forecast(**asked)["ForecastResultsByTime"]
    periods = [result["TimePeriod"] for result in results]

    assert len(periods) >= 3
    assert [period["Start"] for period in periods[1:]] == [period["End"] for period in periods[:-1]]
    assert {"Start": periods[0]["Start"], "End": periods[-1]["End"]} == days(aws, 0, -70)
    assert "PredictionIntervalLowerBound" not in results[0]


def test_a_new_account_has_no_forecast_until_there_are_five_weeks_to_go_by(aws: Aws) -> None:
    mine = {"Dimensions": {"Key": "LINKED_ACCOUNT", "Values": [vend(aws)]}}
    call = aws.client("ce").get_cost_forecast
    assert refusal_of(call, **forecast(aws, Filter=mine)) == "DataUnavailableException"
    aws.advance(36 * 24 * 60)

    assert Decimal(call(**forecast(aws, Filter=mine))["Total"]["Amount"]) > 0


@pytest.mark.parametrize(
    "changes",
    [
        {"TimePeriod": (1, -10)},
        {"TimePeriod": (-3, -3)},
        {"TimePeriod": (0, -100)},
        {"Metric": "USAGE_QUANTITY"},
        {"Granularity": "HOURLY"},
        {"PredictionIntervalLevel": 100},
        {"Filter": {"And": [ONE]}},
    ],
)
def test_refuses_a_forecast_that_cannot_be_made(aws: Aws, changes: dict[str, Any]) -> None:
    period = changes.get("TimePeriod")
    if isinstance(period, tuple):
        changes = {**changes, "TimePeriod": days(aws, *period)}
    assert refusal_of(aws.client("ce").get_cost_forecast, **forecast(aws, **changes)) == "ValidationException"
