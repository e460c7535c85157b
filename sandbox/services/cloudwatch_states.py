"""CloudWatch's SetAlarmState: how people try out what watches an alarm."""

from __future__ import annotations

from typing import Any

from sandbox.errors import AwsError
from sandbox.experiments import set_alarm
from sandbox.registry import Context, Parameters
from sandbox.services.cloudwatch import operation
from sandbox.services.cloudwatch_workloads import workload_alarms


@operation("SetAlarmState")
def set_alarm_state(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Put an alarm on a workload into a state; after five minutes it follows its metric again."""
    for alarm in workload_alarms(context, parameters["AlarmName"]):
        set_alarm(context.world, alarm, parameters["StateValue"], parameters["StateReason"], context.now)
        return {}
    raise AwsError("ResourceNotFound", f"There is no alarm {parameters['AlarmName']} whose state can be set.")
