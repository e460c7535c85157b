"""AWS CodeDeploy: applications and their deployment groups, for Lambda functions and ECS services."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.clock import moment
from sandbox.delivery.shifting import configs, plan_of
from sandbox.delivery.tool_model import Application
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import without_nothing

SERVICE = Service(
    "codedeploy", signing_name="codedeploy", invalid="InvalidInputException", bad_page="InvalidNextTokenException"
)
operation = serve(SERVICE)

_DECLARED = (
    "serviceRoleArn",
    "alarmConfiguration",
    "autoRollbackConfiguration",
    "blueGreenDeploymentConfiguration",
    "deploymentStyle",
    "ecsServices",
    "loadBalancerInfo",
)


@operation("CreateApplication")
def create_application(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make an application."""
    name, key = parameters["applicationName"], _key(context, parameters["applicationName"])
    if key in context.world.delivery.applications:
        raise AwsError("ApplicationAlreadyExistsException", f"Application already exists: {name}")
    platform = parameters.get("computePlatform", "Server")
    if platform not in ("Lambda", "ECS"):
        raise AwsError("InvalidComputePlatformException", "The sandbox deploys to Lambda and ECS.")
    application = Application(key, name, context.account, context.region, platform, context.now)
    application.tags[""] = _tags(parameters)
    context.world.delivery.keep("applications", key, application)
    return {"applicationId": _id_of(application)}


@operation("ListApplications")
def list_applications(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The names of the caller's applications."""
    prefix = _key(context, "")
    found = sorted(a.name for key, a in context.world.delivery.applications.items() if key.startswith(prefix))
    return _listed(context, parameters, "applications", found)


@operation("GetApplication")
def get_application(context: Context, parameters: Parameters) -> dict[str, Any]:
    """An application by name."""
    return {"application": _describe(find_application(context, parameters["applicationName"]))}


@operation("BatchGetApplications")
def batch_get_applications(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Applications by name; one that isn't there is left out."""
    known = context.world.delivery.applications
    keys = [_key(context, name) for name in parameters["applicationNames"]]
    return {"applicationsInfo": [_describe(known[key]) for key in keys if key in known]}


@operation("DeleteApplication")
def delete_application(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete an application with its deployments."""
    delivery, key = context.world.delivery, _key(context, parameters["applicationName"])
    for shift in [shift for shift in delivery.shifts.values() if shift.application == key]:
        delivery.drop("shifts", shift.id)
    delivery.drop("applications", key)
    return {}


@operation("CreateDeploymentGroup")
def create_deployment_group(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a deployment group."""
    application = find_application(context, parameters["applicationName"])
    name = parameters["deploymentGroupName"]
    if name in application.groups:
        raise AwsError("DeploymentGroupAlreadyExistsException", f"Deployment group already exists: {name}")
    config = parameters.get("deploymentConfigName", f"CodeDeployDefault.{application.platform}AllAtOnce")
    require_config(application, config)
    declared = {member: parameters[member] for member in _DECLARED if member in parameters}
    application.groups[name] = {**declared, "deploymentConfigName": config, "id": str(uuid.uuid4())}
    application.tags[name] = _tags(parameters)
    context.world.delivery.changed("applications", application.key)
    return {"deploymentGroupId": application.groups[name]["id"]}


@operation("UpdateDeploymentGroup")
def update_deployment_group(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change a deployment group, its name too."""
    application = find_application(context, parameters["applicationName"])
    former = parameters["currentDeploymentGroupName"]
    group = find_group(application, former)
    if "deploymentConfigName" in parameters:
        require_config(application, parameters["deploymentConfigName"])
    kept = (*_DECLARED, "deploymentConfigName")
    group |= {member: parameters[member] for member in kept if member in parameters}
    name = parameters.get("newDeploymentGroupName", former)
    application.groups[name] = application.groups.pop(former)
    application.tags[name] = application.tags.pop(former, {})
    context.world.delivery.changed("applications", application.key)
    return {"hooksNotCleanedUp": []}


@operation("GetDeploymentGroup")
def get_deployment_group(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A deployment group, with its last deployments."""
    application = find_application(context, parameters["applicationName"])
    return {"deploymentGroupInfo": _describe_group(context, application, parameters["deploymentGroupName"])}


@operation("BatchGetDeploymentGroups")
def batch_get_deployment_groups(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Deployment groups of an application; one that isn't there is left out."""
    application = find_application(context, parameters["applicationName"])
    named = [name for name in parameters["deploymentGroupNames"] if name in application.groups]
    return {"deploymentGroupsInfo": [_describe_group(context, application, name) for name in named]}


@operation("ListDeploymentGroups")
def list_deployment_groups(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The names of an application's deployment groups."""
    application = find_application(context, parameters["applicationName"])
    return {
        "applicationName": application.name,
        **_listed(context, parameters, "deploymentGroups", sorted(application.groups)),
    }


@operation("DeleteDeploymentGroup")
def delete_deployment_group(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a deployment group; one that isn't there doesn't matter."""
    application = find_application(context, parameters["applicationName"])
    application.groups.pop(parameters["deploymentGroupName"], None)
    application.tags.pop(parameters["deploymentGroupName"], None)
    context.world.delivery.changed("applications", application.key)
    return {"hooksNotCleanedUp": []}


@operation("TagResource")
def tag_resource(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Tag an application, or a deployment group."""
    application, group = _by_arn(context, parameters["ResourceArn"])
    found = {tag["Key"]: tag.get("Value", "") for tag in parameters["Tags"]}
    application.tags[group] = {**application.tags.get(group, {}), **found}
    context.world.delivery.changed("applications", application.key)
    return {}


@operation("ListTagsForResource")
def list_tags_for_resource(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The tags of an application, or of a deployment group."""
    application, group = _by_arn(context, parameters["ResourceArn"])
    return {"Tags": [{"Key": key, "Value": value} for key, value in application.tags.get(group, {}).items()]}


@operation("ListDeploymentConfigs")
def list_deployment_configs(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The names of the predefined configurations."""
    return _listed(context, parameters, "deploymentConfigsList", [*configs("ECS"), *configs("Lambda")])


@operation("GetDeploymentConfig")
def get_deployment_config(_context: Context, parameters: Parameters) -> dict[str, Any]:
    """How a predefined configuration shifts traffic."""
    name = parameters["deploymentConfigName"]
    platform = next((p for p in ("Lambda", "ECS") if name in configs(p)), None)
    if platform is None:
        raise AwsError("DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}")
    plan = plan_of(name)
    routing: dict[str, Any] = {"type": "AllAtOnce"}
    if len(plan) > 1:
        kind = "Canary" if "Canary" in name else "Linear"
        percentage, interval = round(plan[0][1]), round(plan[1][0] / 60)
        routing = {
            "type": f"TimeBased{kind}",
            f"timeBased{kind}": {f"{kind.lower()}Percentage": percentage, f"{kind.lower()}Interval": interval},
        }
    info = {"deploymentConfigName": name, "computePlatform": platform, "trafficRoutingConfig": routing}
    return {"deploymentConfigInfo": info}


def find_application(context: Context, name: str) -> Application:
    """An application of the caller's account and Region; ApplicationDoesNotExistException without it."""
    found = context.world.delivery.applications.get(_key(context, name))
    if found is None:
        raise AwsError("ApplicationDoesNotExistException", f"No application found for name: {name}")
    return found


def find_group(application: Application, name: str) -> dict[str, Any]:
    """A deployment group; DeploymentGroupDoesNotExistException without it."""
    if name not in application.groups:
        raise AwsError("DeploymentGroupDoesNotExistException", f"No Deployment Group found for name: {name}")
    return application.groups[name]


def require_config(application: Application, name: str) -> None:
    """DeploymentConfigDoesNotExistException for a configuration that the platform doesn't have."""
    if name not in configs(application.platform):
        raise AwsError("DeploymentConfigDoesNotExistException", f"No Deployment Configuration found for name: {name}")


def _describe(application: Application) -> dict[str, Any]:
    return {
        "applicationId": _id_of(application),
        "applicationName": application.name,
        "createTime": moment(application.created_at),
        "computePlatform": application.platform,
    }


def _describe_group(context: Context, application: Application, name: str) -> dict[str, Any]:
    group = dict(find_group(application, name))
    identifier = group.pop("id")
    shifts = [
        shift
        for shift in context.world.delivery.shifts.values()
        if (shift.application, shift.group) == (application.key, name)
    ]
    told: dict[str, Any] = {}
    for member, found in (
        ("lastAttemptedDeployment", shifts),
        ("lastSuccessfulDeployment", [s for s in shifts if s.status == "Succeeded"]),
    ):
        if found:
            last = max(found, key=lambda shift: shift.created_at)
            told[member] = without_nothing(
                {
                    "deploymentId": last.id,
                    "status": last.status,
                    "createTime": moment(last.created_at),
                    "endTime": None if last.ended_at is None else moment(last.ended_at),
                }
            )
    return {
        "applicationName": application.name,
        "deploymentGroupName": name,
        "deploymentGroupId": identifier,
        "computePlatform": application.platform,
        **group,
        **told,
    }


def _tags(parameters: Parameters) -> dict[str, str]:
    return {tag["Key"]: tag.get("Value", "") for tag in parameters.get("tags", [])}


def _by_arn(context: Context, arn: str) -> tuple[Application, str]:
    """An application by its ARN, or by the ARN of its group, with the group's name."""
    kind, _, named = arn.partition(f":{context.account}:")[2].partition(":")
    if kind not in ("application", "deploymentgroup"):
        raise AwsError("InvalidArnException", f"The ARN {arn} is none of an application or a deployment group.")
    name, _, group = named.partition("/")
    application = find_application(context, name)
    if group:
        find_group(application, group)
    return application, group


def _listed(context: Context, parameters: Parameters, member: str, entries: list[str]) -> dict[str, Any]:
    page, following = page_of(context, parameters, entries, cursor="nextToken", size="", default_size=100)
    return without_nothing({member: page, "nextToken": following})


def _key(context: Context, name: str) -> str:
    return f"{context.account}/{context.region}/{name}"


def _id_of(application: Application) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"codedeploy/{application.key}"))
