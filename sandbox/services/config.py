"""AWS Config: the recorders that Control Tower keeps running in governed accounts and Regions."""

from __future__ import annotations

import hashlib
from typing import Any

from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.governance import RECORDER_NAME, has_recorder
from sandbox.registry import Context, Parameters, Service, serve

operation = serve(Service("config", signing_name="config", failed="InternalFailure"))


@operation("DescribeConfigurationRecorders")
def describe_configuration_recorders(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The recorder of the caller's account and Region, if it is governed."""
    if not _is_shown(context, parameters):
        return {"ConfigurationRecorders": []}
    return {
        "ConfigurationRecorders": [
            {
                "arn": _arn(context),
                "name": RECORDER_NAME,
                "roleARN": f"arn:aws:iam::{context.account}:role/aws-controltower-ConfigRecorderRole",
                "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True, "resourceTypes": []},
                "recordingMode": {"recordingFrequency": "CONTINUOUS"},
                "recordingScope": "PAID",
            }
        ]
    }


@operation("DescribeConfigurationRecorderStatus")
def describe_configuration_recorder_status(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Whether the recorder is recording."""
    if not _is_shown(context, parameters):
        return {"ConfigurationRecordersStatus": []}
    has_stopped = context.world.faults.take("recorder_stopped") is not None
    joined_at = context.world.zone.accounts[context.account].joined_at
    status = {
        "arn": _arn(context),
        "name": RECORDER_NAME,
        "recording": not has_stopped,
        "lastStatus": "NotApplicable" if has_stopped else "Success",
        "lastStartTime": moment(joined_at),
        "lastStatusChangeTime": moment(joined_at),
    }
    if has_stopped:
        status["lastStopTime"] = moment(context.now)
    return {"ConfigurationRecordersStatus": [status]}


def _is_shown(context: Context, parameters: Parameters) -> bool:
    """Whether there is a recorder to show; NoSuchConfigurationRecorderException for one named that isn't there."""
    exists = has_recorder(context.world, context.account, context.region)
    names = parameters.get("ConfigurationRecorderNames", [])
    if names and "Arn" in parameters:
        raise AwsError("ValidationException", "Give names or an ARN, not both.")
    missing = [name for name in names if not exists or name != RECORDER_NAME]
    if "Arn" in parameters and (not exists or parameters["Arn"] != _arn(context)):
        missing.append(parameters["Arn"])
    if missing:
        raise AwsError(
            "NoSuchConfigurationRecorderException", f"Cannot find configuration recorder {', '.join(missing)}."
        )
    return exists and "ServicePrincipal" not in parameters


def _arn(context: Context) -> str:
    identifier = hashlib.sha256(f"{context.account}/{context.region}".encode()).hexdigest()[:16]
    return f"arn:aws:config:{context.region}:{context.account}:configuration-recorder/{RECORDER_NAME}/{identifier}"
