"""AWS Cost Explorer: what the accounts spent, and what they are expected to spend."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from datetime import date
from statistics import NormalDist
from typing import Any

from sandbox.clock import moment
from sandbox.cost_filters import BadFilter, read_expression
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.spending import Line, following_month, list_lines, project, write_dollars

operation = serve(Service("ce", signing_name="ce", bad_page="InvalidNextTokenException", failed="InternalFailure"))

_PAGE_ROWS = 2_000
_MONTHS_KEPT = 14
_MOST_GROUPS = 2
_MOST_FORECAST_DAYS = {"DAILY": 93, "MONTHLY": 366}
_COSTS = {
    "AmortizedCost": "AMORTIZED_COST",
    "BlendedCost": "BLENDED_COST",
    "NetAmortizedCost": "NET_AMORTIZED_COST",
    "NetUnblendedCost": "NET_UNBLENDED_COST",
    "UnblendedCost": "UNBLENDED_COST",
}
"""Nothing is reserved or discounted here, so all of them are the same amounts."""


@operation("GetCostAndUsage")
def get_cost_and_usage(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Costs by day or month, in groups or in total; a long answer continues in the same or the next period."""
    now = context.now
    today = moment(now).date()
    start, end = _read_period(parameters)
    _check_past(start, end, today)
    _check_granularity(parameters)
    metrics = _read_metrics(parameters)
    keys = _read_groups(parameters)
    lines = _read_lines(context, parameters)

    rows: list[tuple[tuple[date, date], tuple[str, ...] | None, int]] = []
    for period in _list_periods(start, end, parameters["Granularity"]):
        sums: dict[tuple[str, ...], int] = defaultdict(int)
        for line in lines:
            group = tuple(_key_of(line, key) for key in keys)
            sums[group] += line.cost_between(*period, now)
        if keys:
            rows += [(period, group, amount) for group, amount in sorted(sums.items()) if amount]
        if not keys or not any(sums.values()):
            rows.append((period, None, sums.get((), 0)))
    page, following = page_of(context, parameters, rows, cursor="NextPageToken", size="", default_size=_PAGE_ROWS)

    results: dict[tuple[date, date], dict[str, Any]] = {}
    for period, group_keys, amount in page:
        result = results.setdefault(
            period,
            {
                "TimePeriod": {"Start": period[0].isoformat(), "End": period[1].isoformat()},
                "Total": {},
                "Groups": [],
                # A month's bill is final only after its end.
                "Estimated": period[1] > today.replace(day=1),
            },
        )
        amounts = {metric: _describe_amount(amount) for metric in metrics}
        if group_keys is not None:
            result["Groups"].append({"Keys": list(group_keys), "Metrics": amounts})
        elif not keys:
            result["Total"] = amounts
    answer: dict[str, Any] = {
        "ResultsByTime": list(results.values()),
        "DimensionValueAttributes": _describe_accounts(context, lines) if "LINKED_ACCOUNT" in keys else [],
    }
    if keys:
        answer["GroupDefinitions"] = [{"Type": "DIMENSION", "Key": key} for key in keys]
    if following:
        answer["NextPageToken"] = following
    return answer


@operation("GetCostForecast")
def get_cost_forecast(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What is expected by the last four weeks; DataUnavailableException while there are too few days to go by."""
    start, end = _read_period(parameters)
    _check_granularity(parameters)
    granularity = parameters["Granularity"]
    if parameters["Metric"] not in _COSTS.values():
        raise _invalid(f"The sandboxed AWS forecasts costs only, not {parameters['Metric']}.")
    if start < moment(context.now).date():
        raise _invalid("Start date must be today or later.")
    if (end - start).days > _MOST_FORECAST_DAYS[granularity]:
        raise _invalid(f"A {granularity} forecast may have {_MOST_FORECAST_DAYS[granularity]} days.")
    projection = project(_read_lines(context, parameters), context.now)
    if projection is None:
        raise AwsError("DataUnavailableException", "Insufficient amount of historical data to generate forecast.")

    level = parameters.get("PredictionIntervalLevel")
    results = []
    for first, last in _list_periods(start, end, granularity):
        days = (last - first).days
        mean = projection.mean * days
        result = {
            "TimePeriod": {"Start": first.isoformat(), "End": last.isoformat()},
            "MeanValue": write_dollars(mean),
        }
        if level is not None:
            margin = NormalDist().inv_cdf(0.5 + level / 200) * projection.deviation * math.sqrt(days)
            result["PredictionIntervalLowerBound"] = write_dollars(mean - margin)
            result["PredictionIntervalUpperBound"] = write_dollars(mean + margin)
        results.append(result)
    return {
        "Total": _describe_amount(projection.mean * (end - start).days),
        "ForecastResultsByTime": results,
    }


def _read_period(parameters: Parameters) -> tuple[date, date]:
    """The asked days, the last exclusive."""
    period = parameters["TimePeriod"]
    try:
        start, end = date.fromisoformat(period["Start"]), date.fromisoformat(period["End"])
    except ValueError as error:
        raise _invalid("Start and End must be dates such as 2025-01-31; times need the granularity HOURLY.") from error
    if start >= end:
        raise _invalid("Start date (and hour) should be before end date (and hour)")
    return start, end


def _check_past(start: date, end: date, today: date) -> None:
    months = today.year * 12 + today.month - 1 - _MONTHS_KEPT
    if start < date(months // 12, months % 12 + 1, 1):
        raise _invalid(f"You haven't enabled historical data beyond {_MONTHS_KEPT} months")
    if end > following_month(today):
        raise _invalid("end date past the beginning of next month")
    if start > today:
        raise AwsError("DataUnavailableException", "Data is not available. Please try to adjust the time period.")


def _check_granularity(parameters: Parameters) -> None:
    if parameters["Granularity"] == "HOURLY":
        raise _invalid("Hourly data granularity is not enabled.")


def _read_metrics(parameters: Parameters) -> list[str]:
    metrics = list(dict.fromkeys(parameters["Metrics"]))
    if not metrics:
        raise _invalid("At least one metric is needed.")
    for metric in metrics:
        if metric not in _COSTS:
            raise _invalid(f"The sandboxed AWS has the metrics {', '.join(_COSTS)}, not {metric}.")
    return metrics


def _read_groups(parameters: Parameters) -> list[str]:
    groups = parameters.get("GroupBy", [])
    keys = [str(group.get("Key")) for group in groups]
    if len(groups) > _MOST_GROUPS or len(set(keys)) < len(keys):
        raise _invalid(f"Group by at most {_MOST_GROUPS} different keys.")
    for group in groups:
        if group.get("Type") != "DIMENSION" or group.get("Key") not in ("LINKED_ACCOUNT", "SERVICE"):
            raise _invalid("The sandboxed AWS groups costs by the DIMENSION LINKED_ACCOUNT or SERVICE.")
    return keys


def _read_lines(context: Context, parameters: Parameters) -> list[Line]:
    try:
        return list_lines(context.world, context.account, read_expression(parameters.get("Filter")))
    except BadFilter as error:
        raise _invalid(str(error)) from error


def _list_periods(start: date, end: date, granularity: str) -> Iterator[tuple[date, date]]:
    while start < end:
        following = following_month(start) if granularity == "MONTHLY" else date.fromordinal(start.toordinal() + 1)
        yield start, min(following, end)
        start = following


def _key_of(line: Line, key: str) -> str:
    return line.account_id if key == "LINKED_ACCOUNT" else line.service


def _describe_amount(micros: float) -> dict[str, str]:
    return {"Amount": write_dollars(micros), "Unit": "USD"}


def _describe_accounts(context: Context, lines: list[Line]) -> list[dict[str, Any]]:
    accounts = context.world.zone.accounts
    return [
        {"Value": identifier, "Attributes": {"description": accounts[identifier].name}}
        for identifier in sorted({line.account_id for line in lines})
    ]


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
