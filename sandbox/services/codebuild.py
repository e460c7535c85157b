"""AWS CodeBuild: projects and builds, those of pipelines among them."""

from __future__ import annotations

import uuid
from random import Random
from typing import Any

from sandbox.clock import moment
from sandbox.delivery.building import BUILD_SECONDS, Seen, arn_of, builds_of, end, find_build, tell
from sandbox.delivery.tool_model import Build, Project
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import without_nothing

operation = serve(
    Service("codebuild", signing_name="codebuild", invalid="InvalidInputException", bad_page="InvalidInputException")
)

_PAGE = 100
_KEPT = ("description", "source", "artifacts", "environment", "serviceRole", "timeoutInMinutes", "sourceVersion")
_NO_SOURCE = {"type": "NO_SOURCE"}


@operation("ListProjects")
def list_projects(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The names of the caller's projects."""
    prefix = f"{context.account}/{context.region}/"
    found = sorted(p.name for key, p in context.world.delivery.projects.items() if key.startswith(prefix))
    return _listed(context, parameters, "projects", found)


@operation("BatchGetProjects")
def batch_get_projects(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Projects by name or ARN; those that aren't there are named."""
    found = {name: _lookup(context, name) for name in parameters["names"]}
    there = [_describe_project(project) for project in found.values() if project is not None]
    missing = [name for name, project in found.items() if project is None]
    return {"projects": there, **({"projectsNotFound": missing} if missing else {})}


@operation("CreateProject")
def create_project(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a project."""
    if _lookup(context, parameters["name"]) is not None:
        arn = f"arn:aws:codebuild:{context.region}:{context.account}:project/{parameters['name']}"
        raise AwsError("ResourceAlreadyExistsException", f"Project already exists: {arn}")
    key = f"{context.account}/{context.region}/{parameters['name']}"
    declared = {name: parameters[name] for name in _KEPT if name in parameters}
    tags = {entry["key"]: entry["value"] for entry in parameters.get("tags", [])}
    now = context.now
    project = Project(key, parameters["name"], context.account, context.region, now, now, declared, tags)
    context.world.delivery.keep("projects", key, project)
    return {"project": _describe_project(project)}


@operation("UpdateProject")
def update_project(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change a project."""
    project = _require(context, parameters["name"])
    project.declared |= {name: parameters[name] for name in _KEPT if name in parameters}
    project.updated_at = context.now
    context.world.delivery.changed("projects", project.key)
    return {"project": _describe_project(project)}


@operation("DeleteProject")
def delete_project(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a project with its builds; one that isn't there doesn't matter."""
    project = _lookup(context, parameters["name"])
    if project is not None:
        delivery = context.world.delivery
        for build in [build for build in delivery.builds.values() if build.project == project.key]:
            delivery.drop("builds", build.id)
        delivery.drop("projects", project.key)
    return {}


@operation("StartBuild")
def start_build(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Start a build; the same idempotencyToken again is the same build."""
    project = _require(context, parameters["projectName"])
    token = parameters.get("idempotencyToken", "")
    delivery = context.world.delivery
    for known in delivery.builds.values() if token else ():
        if (known.project, known.token) == (project.key, token):
            return {"build": _describe(_seen(context, known), context.now)}
    given = [*project.declared.get("environment", {}).get("environmentVariables", [])]
    given += parameters.get("environmentVariablesOverride", [])
    project.begun += 1
    delivery.changed("projects", project.key)
    build = Build(
        id=f"{project.name}:{uuid.uuid4()}",
        project=project.key,
        number=project.begun,
        started_at=context.now,
        seconds=Random(f"{project.name}/{project.begun}").uniform(*BUILD_SECONDS),
        due=None,
        initiator=context.caller.rpartition("/")[2],
        source_version=parameters.get("sourceVersion", ""),
        token=token,
        variables={entry["name"]: entry["value"] for entry in given},
    )
    fault = context.world.faults.take("build_run_failed", subject=project.name)
    if fault is not None:
        build.problem = str(fault["message"])
    delivery.keep("builds", build.id, build)
    delivery.schedule("builds", build, context.now + build.seconds * (0.9 if fault is not None else 1))
    tell(context.world, build, context.now)
    return {"build": _describe(_seen(context, build), context.now)}


@operation("StopBuild")
def stop_build(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Stop a build that somebody started; one that has ended stays as it is."""
    build = context.world.delivery.builds.get(parameters["id"])
    if build is None:
        raise AwsError("ResourceNotFoundException", f"Build {parameters['id']} does not exist.")
    if build.ended_at is None:
        end(context.world, build, "STOPPED", context.now)
    return {"build": _describe(_seen(context, build), context.now)}


@operation("RetryBuild")
def retry_build(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Start a build again with the same variables."""
    build = context.world.delivery.builds.get(parameters.get("id", ""))
    if build is None:
        raise AwsError("ResourceNotFoundException", f"Build {parameters.get('id')} does not exist.")
    given = [{"name": name, "value": value} for name, value in build.variables.items()]
    again = {
        "projectName": context.world.delivery.projects[build.project].name,
        "environmentVariablesOverride": given,
        "idempotencyToken": parameters.get("idempotencyToken", ""),
    }
    return dict(start_build(context, again))


@operation("BatchGetBuilds")
def batch_get_builds(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Builds by their ids; those that aren't there are named."""
    found = {i: find_build(context.world, context.account, context.region, _short(i)) for i in parameters["ids"]}
    there = [_describe(seen, context.now) for seen in found.values() if seen is not None]
    missing = [identifier for identifier, seen in found.items() if seen is None]
    return {"builds": there, **({"buildsNotFound": missing} if missing else {})}


@operation("ListBuildsForProject")
def list_builds_for_project(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The ids of a project's builds, newest first."""
    project = _require(context, parameters["projectName"])
    found = [seen.id for seen in builds_of(context.world, context.account, context.region, project.name)]
    return _sorted_ids(context, parameters, found)


@operation("ListBuilds")
def list_builds(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The ids of all builds, newest first."""
    return _sorted_ids(context, parameters, [s.id for s in builds_of(context.world, context.account, context.region)])


def _sorted_ids(context: Context, parameters: Parameters, ids: list[str]) -> dict[str, Any]:
    return _listed(context, parameters, "ids", ids[::-1] if parameters.get("sortOrder") == "ASCENDING" else ids)


def _listed(context: Context, parameters: Parameters, member: str, entries: list[str]) -> dict[str, Any]:
    page, following = page_of(context, parameters, entries, cursor="nextToken", size="", default_size=_PAGE)
    return without_nothing({member: page or None, "nextToken": following})


def _lookup(context: Context, name: str) -> Project | None:
    name = name.rpartition(":project/")[2]
    return context.world.delivery.projects.get(f"{context.account}/{context.region}/{name}")


def _require(context: Context, name: str) -> Project:
    project = _lookup(context, name)
    if project is None:
        raise AwsError("ResourceNotFoundException", f"Project cannot be found: {name}")
    return project


def _short(identifier: str) -> str:
    return identifier.rpartition(":build/")[2]


def _seen(context: Context, build: Build) -> Seen:
    found = find_build(context.world, context.account, context.region, build.id)
    if found is None:
        raise AwsError("ResourceNotFoundException", f"Build {build.id} does not exist.")
    return found


def _describe_project(project: Project) -> dict[str, Any]:
    return {
        "name": project.name,
        "arn": f"arn:aws:codebuild:{project.region}:{project.account_id}:project/{project.name}",
        "created": moment(project.created_at),
        "lastModified": moment(project.updated_at),
        "tags": [{"key": key, "value": value} for key, value in project.tags.items()],
        **project.declared,
    }


def _describe(seen: Seen, now: float) -> dict[str, Any]:
    phases = list(seen.phases(now))
    group, stream = f"/aws/codebuild/{seen.project}", seen.id.rpartition(":")[2]
    where = f"arn:aws:logs:{seen.region}:{seen.account_id}:log-group:{group}"
    home = f"https://console.aws.amazon.com/cloudwatch/home?region={seen.region}"
    return without_nothing(
        {
            "id": seen.id,
            "arn": arn_of(seen.account_id, seen.region, seen.id),
            "buildNumber": seen.number,
            "startTime": moment(seen.started_at),
            "endTime": None if seen.ended_at is None else moment(seen.ended_at),
            "currentPhase": phases[-1][0],
            "buildStatus": seen.status,
            "buildComplete": seen.ended_at is not None,
            "projectName": seen.project,
            "sourceVersion": seen.source_version or None,
            "resolvedSourceVersion": seen.source_version or None,
            "initiator": seen.initiator,
            "phases": [_phase(seen, *phase) for phase in phases],
            "source": {"type": "CODEPIPELINE"} if seen.initiator.startswith("codepipeline/") else _NO_SOURCE,
            "environment": {
                "type": "LINUX_CONTAINER",
                "image": "aws/codebuild/standard:7.0",
                "computeType": "BUILD_GENERAL1_SMALL",
                "environmentVariables": [{"name": n, "value": v} for n, v in seen.variables.items()],
            },
            "logs": {
                "groupName": group,
                "streamName": stream,
                "deepLink": f"{home}#logsV2:log-groups/log-group/{group}/log-events/{stream}",
                "cloudWatchLogsArn": f"{where}:log-stream:{stream}",
            },
        }
    )


def _phase(seen: Seen, name: str, begun: float, ended: float | None, status: str) -> dict[str, Any]:
    phase: dict[str, Any] = {"phaseType": name, "startTime": moment(begun)}
    if name == "COMPLETED" or ended is None:
        return phase
    phase |= {"phaseStatus": status, "endTime": moment(ended), "durationInSeconds": round(ended - begun)}
    if status == "FAILED":
        phase["contexts"] = [{"statusCode": "COMMAND_EXECUTION_ERROR", "message": seen.problem}]
    return phase
