"""Amazon CloudWatch: alarms, their history, and the values of the metrics that the insights are about."""

from __future__ import annotations

import json
import math
import re
from typing import Any

from sandbox.alarms import HISTORY, PERIOD, Alarm, list_alarms, metric_values, usual
from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.services.cloudwatch_workloads import (
    describe_workload_alarms,
    tags_of,
    workload_changes,
    workload_values,
)
from sandbox.world import without_nothing

operation = serve(
    Service(
        "cloudwatch",
        signing_name="monitoring",
        invalid="InvalidParameterValue",
        bad_page="InvalidNextToken",
        throttled="Throttling",
        denied="AccessDenied",
        failed="InternalServiceFault",
        denied_status=403,
    )
)

_BAND = re.compile(r"ANOMALY_DETECTION_BAND\((\w+)(?:,\s*([\d.]+))?\)")
_MOST_POINTS = 100_800


@operation("DescribeAlarms")
def describe_alarms(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The alarms of the caller's account and Region, by name, narrowed to names, a prefix or a state."""
    named, prefix = parameters.get("AlarmNames"), parameters.get("AlarmNamePrefix", "")
    found = [
        alarm
        for alarm in list_alarms(context.world, context.account, context.region)
        if (not named or alarm.name in named)
        and alarm.name.startswith(prefix)
        and parameters.get("StateValue") in (None, alarm.state(context.now)[0])
    ]
    described = [_describe(alarm, context.now) for alarm in found] + describe_workload_alarms(context, parameters)
    described.sort(key=lambda alarm: str(alarm["AlarmName"]))
    page, following = page_of(context, parameters, described, cursor="NextToken", size="MaxRecords", default_size=50)
    return without_nothing({"MetricAlarms": page, "CompositeAlarms": [], "NextToken": following})


@operation("ListTagsForResource")
def list_tags_for_resource(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The tags of an alarm: its stack's, and its team's."""
    for alarm in list_alarms(context.world, context.account, context.region):
        if alarm.arn == parameters["ResourceARN"]:
            stack = {"Key": "aws:cloudformation:stack-name", "Value": alarm.kind.stack}
            return {"Tags": [stack, {"Key": "team", "Value": alarm.kind.stack.partition("-")[0]}]}
    if (tags := tags_of(context, parameters["ResourceARN"])) is not None:
        return {"Tags": tags}
    raise AwsError("ResourceNotFoundException", f"There is no alarm {parameters['ResourceARN']}.", status=404)


@operation("DescribeAlarmHistory")
def describe_alarm_history(context: Context, parameters: Parameters) -> dict[str, Any]:
    """When alarms changed their state, newest first, for 30 days."""
    begin, end = (_seconds(parameters.get(name)) for name in ("StartDate", "EndDate"))
    if parameters.get("HistoryItemType", "StateUpdate") != "StateUpdate":
        return {"AlarmHistoryItems": []}
    found = [
        (at, alarm.name, "OK" if state == "ALARM" else "ALARM", state, _reason(alarm, state))
        for alarm in list_alarms(context.world, context.account, context.region)
        if parameters.get("AlarmName") in (None, alarm.name)
        for at, state in alarm.changes(context.now)
    ]
    changes = [
        change
        for change in (*found, *workload_changes(context, parameters.get("AlarmName")))
        if change[0] >= context.now - HISTORY
        and (begin is None or change[0] >= begin)
        and (end is None or change[0] <= end)
    ]
    changes.sort(key=lambda change: change[0], reverse=parameters.get("ScanBy") != "TimestampAscending")
    page, following = page_of(context, parameters, changes, cursor="NextToken", size="MaxRecords", default_size=100)
    items = [
        {
            "AlarmName": name,
            "AlarmType": "MetricAlarm",
            "Timestamp": moment(at),
            "HistoryItemType": "StateUpdate",
            "HistorySummary": f"Alarm updated from {before} to {state}",
            "HistoryData": json.dumps({"version": "1.0", "newState": {"stateValue": state, "stateReason": reason}}),
        }
        for at, name, before, state, reason in page
    ]
    return without_nothing({"AlarmHistoryItems": items, "NextToken": following})


@operation("GetMetricData")
def get_metric_data(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Values of metrics, oldest first, and what anomaly detection expected of them."""
    begin, end = _seconds(parameters["StartTime"]), _seconds(parameters["EndTime"])
    if begin is None or end is None or begin >= end:
        raise AwsError("ValidationError", "The parameter StartTime must be less than the parameter EndTime.")
    stats = {q["Id"]: q["MetricStat"] for q in parameters["MetricDataQueries"] if "MetricStat" in q}
    results = []
    for query in parameters["MetricDataQueries"]:
        if not query.get("ReturnData", True):
            continue
        band = _BAND.fullmatch(query.get("Expression", ""))
        stat = query.get("MetricStat") or (stats.get(band[1]) if band else None)
        if stat is None:
            raise AwsError("ValidationError", f"Error in expression '{query['Id']}': The sandbox knows bands only.")
        period = int(stat["Period"])
        if (end - begin) / period > _MOST_POINTS:
            raise AwsError("ValidationError", "You have requested more data points than are returned at once.")
        times = [float(at) for at in range(60 * math.ceil(begin / 60), int(min(end, context.now)) + 1, period)]
        name = stat["Metric"]["MetricName"]
        resource = next((d["Value"] for d in stat["Metric"].get("Dimensions", ())), "")
        if band:
            middle = usual(context.world, context.account, context.region, name, resource)
            width = 0.12 * float(band[2] or 2) * (middle or 0.0)
            for label, sign in (("High", 1), ("Low", -1)):
                values = [max(0.0, (middle or 0.0) + sign * width)] * len(times) if middle is not None else []
                results.append(_result(query, f"{name} {label}", times if values else [], values))
        else:
            values = metric_values(
                context.world, context.account, context.region, name, resource, times
            ) or workload_values(context, name, resource, times)
            results.append(_result(query, name, times if values else [], values))
    if parameters.get("ScanBy", "TimestampDescending") == "TimestampDescending":
        for result in results:
            result["Timestamps"].reverse()
            result["Values"].reverse()
    return {"MetricDataResults": results, "Messages": []}


def _result(query: dict[str, Any], label: str, times: list[float], values: list[float]) -> dict[str, Any]:
    return {
        "Id": query["Id"],
        "Label": query.get("Label") or label,
        "Timestamps": [moment(at) for at in times],
        "Values": list(values),
        "StatusCode": "Complete",
    }


def _describe(alarm: Alarm, now: float) -> dict[str, Any]:
    state, at = alarm.state(now)
    metric = alarm.metric
    described = {
        "Namespace": metric.namespace,
        "MetricName": metric.name,
        "Dimensions": [{"Name": metric.dimension, "Value": alarm.kind.resource}],
    }
    return {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "AlarmDescription": f"{'Critical: ' if metric.when_wrong > 15 * metric.usually else ''}{alarm.kind.name}",
        "ActionsEnabled": True,
        "StateValue": state,
        "StateReason": _reason(alarm, state),
        "StateUpdatedTimestamp": moment(at),
        "StateTransitionedTimestamp": moment(at),
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanUpperThreshold",
        "ThresholdMetricId": "ad1",
        "Metrics": [
            {
                "Id": "m1",
                "MetricStat": {"Metric": described, "Period": PERIOD, "Stat": metric.stat},
                "ReturnData": True,
            },
            {"Id": "ad1", "Expression": "ANOMALY_DETECTION_BAND(m1, 2)", "Label": metric.name, "ReturnData": True},
        ],
    }


def _reason(alarm: Alarm, state: str) -> str:
    if state == "OK":
        return f"Threshold Crossed: {alarm.metric.name} is within the expected band again."
    return f"Thresholds Crossed: 1 out of the last 1 datapoints of {alarm.metric.name} was above the expected band."


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value.timestamp() if hasattr(value, "timestamp") else value)
