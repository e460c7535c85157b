"""CloudWatch's alarms on workloads: what `sandbox.services.cloudwatch` tells beside the alarms of insights."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sandbox.chaos_model import WorkloadAlarm
from sandbox.clock import moment
from sandbox.experiments import value_at
from sandbox.registry import Context, Parameters


def workload_alarms(context: Context, name: str | None = None) -> list[WorkloadAlarm]:
    """The workload alarms of the caller's account and Region, of that name if one is given."""
    return [
        alarm
        for alarm in context.world.zone.workload_alarms.values()
        if (alarm.account_id, alarm.region) == (context.account, context.region) and name in (None, alarm.name)
    ]


def describe_workload_alarms(context: Context, parameters: Parameters) -> list[dict[str, Any]]:
    """Those that DescribeAlarms is asked for."""
    named, prefix = parameters.get("AlarmNames"), parameters.get("AlarmNamePrefix", "")
    return [
        _describe(alarm)
        for alarm in workload_alarms(context)
        if (not named or alarm.name in named)
        and alarm.name.startswith(prefix)
        and parameters.get("StateValue") in (None, alarm.state)
    ]


def workload_changes(context: Context, name: str | None) -> list[tuple[float, str, str, str, str]]:
    """When workload alarms changed their state: time, alarm, old and new state, reason."""
    return [
        (at, alarm.name, before[1], state, reason)
        for alarm in workload_alarms(context, name)
        for before, (at, state, reason) in zip(alarm.states, alarm.states[1:], strict=False)
    ]


def workload_values(context: Context, metric: str, resource: str, times: Iterable[float]) -> list[float]:
    """The values of a workload's metric at these times; none of a metric that no workload has."""
    for alarm in workload_alarms(context):
        if (alarm.metric, alarm.dimension[1]) == (metric, resource):
            return [value_at(alarm, at) for at in times]
    return []


def tags_of(context: Context, arn: str) -> list[dict[str, str]] | None:
    """A workload alarm's tags; None when there is no such alarm."""
    for alarm in workload_alarms(context):
        if alarm.arn == arn:
            return [{"Key": key, "Value": value} for key, value in alarm.watches.items()]
    return None


def _describe(alarm: WorkloadAlarm) -> dict[str, Any]:
    at, state, reason = alarm.states[-1]
    name, value = alarm.dimension
    return {
        "AlarmName": alarm.name,
        "AlarmArn": alarm.arn,
        "AlarmDescription": f"Errors of {alarm.watches['stack']}",
        "ActionsEnabled": True,
        "StateValue": state,
        "StateReason": reason,
        "StateUpdatedTimestamp": moment(at),
        "StateTransitionedTimestamp": moment(at),
        "MetricName": alarm.metric,
        "Namespace": alarm.namespace,
        "Statistic": "Sum",
        "Dimensions": [{"Name": name, "Value": value}],
        "Period": alarm.period,
        "EvaluationPeriods": 1,
        "Threshold": alarm.threshold,
        "ComparisonOperator": "GreaterThanThreshold",
    }
