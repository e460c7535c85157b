"""AWS CodeDeploy: deployments, how far their traffic has shifted, and stopping them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sandbox.clock import moment
from sandbox.delivery import shifting
from sandbox.delivery.app_specs import read_app_spec
from sandbox.delivery.lifecycle import hooks_of
from sandbox.delivery.tool_model import Application, EcsService, Shift
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, page_of, serve
from sandbox.services.codedeploy import SERVICE, find_application, find_group, require_config
from sandbox.world import without_nothing

operation = serve(SERVICE)

_MOST_AT_ONCE = 25
_TARGETS = {"Lambda": "LambdaTarget", "ECS": "ECSTarget"}


@operation("CreateDeployment")
def create_deployment(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Begin to deploy; one deployment a group at a time. There is no token: look before you repeat."""
    application = find_application(context, parameters["applicationName"])
    name = parameters.get("deploymentGroupName")
    if name is None:
        raise AwsError("DeploymentGroupNameRequiredException", "Deployment group name is required.")
    group = find_group(application, name)
    busy = next((s for s in _shifts(context, application, name) if s.status not in shifting.ENDED), None)
    if busy is not None:
        message = f"The Deployment Group '{name}' already has an active Deployment '{busy.id}'"
        raise AwsError("DeploymentLimitExceededException", message)
    config = parameters.get("deploymentConfigName", group["deploymentConfigName"])
    require_config(application, config)
    if "revision" not in parameters:
        raise AwsError("RevisionRequiredException", "A revision is required.")
    target = read_app_spec(application.platform, parameters["revision"])
    alias = f"{context.account}/{context.region}/{target.function}:{target.alias}"
    if application.platform == "Lambda" and alias not in context.world.delivery.aliases:
        raise AwsError("InvalidRevisionException", f"There is no alias {target.alias} of {target.function}.")
    service = _service_of(context, group) if application.platform == "ECS" else None
    settings = {**group}
    if "autoRollbackConfiguration" in parameters:
        settings["autoRollbackConfiguration"] = parameters["autoRollbackConfiguration"]
    if "overrideAlarmConfiguration" in parameters:
        settings["alarmConfiguration"] = parameters["overrideAlarmConfiguration"]
    shift = Shift(
        id=shifting.new_id(),
        application=application.key,
        group=name,
        config=config,
        revision=parameters["revision"],
        created_at=context.now,
        platform=application.platform,
        plan=shifting.plan_of(config),
        settings=settings,
        alias=alias if application.platform == "Lambda" else "",
        service=service.key if service else "",
        before=service.task if service else target.before,
        after=target.after,
        description=parameters.get("description", ""),
    )
    shifting.begin(context.world, shift, context.now)
    return {"deploymentId": shift.id}


@operation("GetDeployment")
def get_deployment(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How a deployment stands."""
    return {"deploymentInfo": _describe(context, _find(context, parameters["deploymentId"]))}


@operation("BatchGetDeployments")
def batch_get_deployments(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How up to 25 deployments stand; one that isn't there is left out."""
    wanted = parameters["deploymentIds"]
    if len(wanted) > _MOST_AT_ONCE:
        raise AwsError("BatchLimitExceededException", f"At most {_MOST_AT_ONCE} deployments are read at once.")
    found = [context.world.delivery.shifts[i] for i in wanted if i in context.world.delivery.shifts]
    return {"deploymentsInfo": [_describe(context, shift) for shift in found if _is_own(context, shift)]}


@operation("ListDeployments")
def list_deployments(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The ids of deployments, newest first, narrowed to a group, to statuses and to a time."""
    shifts = [shift for shift in context.world.delivery.shifts.values() if _is_own(context, shift)]
    if "applicationName" in parameters:
        application = find_application(context, parameters["applicationName"])
        shifts = [shift for shift in shifts if shift.application == application.key]
    if "deploymentGroupName" in parameters:
        shifts = [shift for shift in shifts if shift.group == parameters["deploymentGroupName"]]
    wanted = parameters.get("includeOnlyStatuses")
    between = parameters.get("createTimeRange", {})
    begin, end = (_seconds(between.get(name)) for name in ("start", "end"))
    found = [
        shift.id
        for shift in sorted(shifts, key=lambda shift: shift.created_at, reverse=True)
        if (not wanted or shift.status in wanted)
        and (begin is None or shift.created_at >= begin)
        and (end is None or shift.created_at <= end)
    ]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="", default_size=100)
    return without_nothing({"deployments": page, "nextToken": following})


@operation("StopDeployment")
def stop_deployment(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Stop a deployment, and deploy what was there before if that is wished or the group's setting."""
    shift = _open(context, parameters["deploymentId"])
    shifting.stop(context.world, shift, context.now, rolls_back=parameters.get("autoRollbackEnabled"))
    return {"status": "Succeeded", "statusMessage": "No more actions will be performed for this deployment."}


@operation("ContinueDeployment")
def continue_deployment(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Shift the traffic of a deployment that waits for that."""
    shift = _open(context, parameters.get("deploymentId", ""))
    if shift.status != "Ready":
        raise AwsError("DeploymentIsNotInReadyStateException", f"The deployment {shift.id} is not ready.")
    shifting.allow(context.world, shift, context.now)
    return {}


@operation("ListDeploymentTargets")
def list_deployment_targets(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What a deployment deploys to: one function or one service."""
    return {"targetIds": [_target_id(_find(context, parameters["deploymentId"]))]}


@operation("GetDeploymentTarget")
def get_deployment_target(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How far a function or a service has come."""
    shift = _find(context, parameters["deploymentId"])
    if parameters["targetId"] != _target_id(shift):
        raise AwsError("DeploymentTargetDoesNotExistException", f"There is no target {parameters['targetId']}.")
    return {"deploymentTarget": _describe_target(context, shift)}


@operation("BatchGetDeploymentTargets")
def batch_get_deployment_targets(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How far the targets of a deployment have come."""
    shift = _find(context, parameters["deploymentId"])
    is_asked = _target_id(shift) in parameters["targetIds"]
    return {"deploymentTargets": [_describe_target(context, shift)] if is_asked else []}


def _shifts(context: Context, application: Application, group: str) -> list[Shift]:
    everything = context.world.delivery.shifts.values()
    return [shift for shift in everything if (shift.application, shift.group) == (application.key, group)]


def _is_own(context: Context, shift: Shift) -> bool:
    return shift.application.startswith(f"{context.account}/{context.region}/")


def _service_of(context: Context, group: dict[str, Any]) -> EcsService | None:
    named = (group.get("ecsServices") or [{}])[0]
    where = f"{context.account}/{context.region}/{named.get('clusterName', 'default')}/{named.get('serviceName', '')}"
    return context.world.delivery.services.get(where)


def _rollback_words(shift: Shift) -> str | None:
    if shift.rollback_by:
        by = shift.rollback_by
        return f"Deployment {shift.id} terminated. Automatic rollback is triggered with a DeploymentId {by}."
    if shift.rollback_of:
        return f"Deployment {shift.id} is triggered to roll back deployment {shift.rollback_of}."
    return None


def _find(context: Context, identifier: str) -> Shift:
    shift = context.world.delivery.shifts.get(identifier)
    if shift is None or not _is_own(context, shift):
        raise AwsError("DeploymentDoesNotExistException", f"The deployment {identifier} could not be found.")
    return shift


def _open(context: Context, identifier: str) -> Shift:
    shift = _find(context, identifier)
    if shift.status in shifting.ENDED:
        raise AwsError("DeploymentAlreadyCompletedException", f"The deployment {identifier} is completed.")
    return shift


def _describe(context: Context, shift: Shift) -> dict[str, Any]:
    application = shifting.application_of(context.world, shift)
    counts = dict.fromkeys(("Pending", "InProgress", "Succeeded", "Failed", "Skipped", "Ready"), 0)
    counts[_target_status(shift)] += 1
    info = {
        "rollbackDeploymentId": shift.rollback_by or None,
        "rollbackTriggeringDeploymentId": shift.rollback_of or None,
        "rollbackMessage": _rollback_words(shift),
    }
    members = ("autoRollbackConfiguration", "blueGreenDeploymentConfiguration", "deploymentStyle", "loadBalancerInfo")
    return without_nothing(
        {
            "applicationName": application.name,
            "deploymentGroupName": shift.group,
            "deploymentConfigName": shift.config,
            "deploymentId": shift.id,
            "revision": shift.revision,
            "status": shift.status,
            "errorInformation": {"code": shift.code, "message": shift.message} if shift.code else None,
            "createTime": moment(shift.created_at),
            "startTime": moment(shift.created_at),
            "completeTime": None if shift.ended_at is None else moment(shift.ended_at),
            "deploymentOverview": counts,
            "description": shift.description or None,
            "creator": shift.creator,
            "computePlatform": shift.platform,
            "rollbackInfo": without_nothing(info) or None,
            **{name: shift.settings[name] for name in members if name in shift.settings},
        }
    )


def _describe_target(context: Context, shift: Shift) -> dict[str, Any]:
    application = shifting.application_of(context.world, shift)
    events = [
        without_nothing(
            {
                "lifecycleEventName": name,
                "startTime": None if begun is None else moment(begun),
                "endTime": None if ended is None else moment(ended),
                "status": status,
                "diagnostics": {"errorCode": "ScriptFailed", "message": shift.message} if status == "Failed" else None,
            }
        )
        for name, begun, ended, status in hooks_of(shift)
    ]
    target: dict[str, Any] = {
        "deploymentId": shift.id,
        "targetId": _target_id(shift),
        "status": _target_status(shift),
        "lastUpdatedAt": moment(shift.ended_at or shift.shifting_since or shift.created_at),
        "lifecycleEvents": events,
    }
    if shift.platform == "Lambda":
        function, _, alias = shift.alias.rpartition("/")[2].partition(":")
        arn = f"arn:aws:lambda:{application.region}:{application.account_id}:function:{function}"
        target |= {
            "targetArn": f"{arn}:{alias}",
            "lambdaFunctionInfo": {
                "functionName": function,
                "functionAlias": alias,
                "currentVersion": shift.before,
                "targetVersion": shift.after,
                "targetVersionWeight": shift.weight / 100,
            },
        }
        return {"deploymentTargetType": _TARGETS[shift.platform], "lambdaTarget": target}
    sets = (("Blue", "PRIMARY", 100 - shift.weight, shift.before), ("Green", "ACTIVE", shift.weight, shift.after))
    target["taskSetsInfo"] = [
        {
            "identifer": f"ecs-svc/{task_set}",
            "desiredCount": 2,
            "pendingCount": 0,
            "runningCount": 2,
            "status": status,
            "trafficWeight": weight,
            "taskSetLabel": label,
        }
        for label, status, weight, task_set in sets
    ]
    return {"deploymentTargetType": _TARGETS[shift.platform], "ecsTarget": target}


def _target_id(shift: Shift) -> str:
    if shift.platform == "Lambda":
        return shift.alias.rpartition("/")[2]
    services = shift.settings.get("ecsServices") or [{}]
    return f"{services[0].get('clusterName', 'default')}:{services[0].get('serviceName', shift.group)}"


def _target_status(shift: Shift) -> str:
    return {"Created": "Pending", "Stopped": "Failed"}.get(shift.status, shift.status)


def _seconds(value: Any) -> float | None:
    if value is None:
        return None
    return value.timestamp() if isinstance(value, datetime) else float(value)
