"""Amazon CloudWatch Logs, as far as builds write them: a group a project, a stream a build."""

from __future__ import annotations

from typing import Any

from sandbox.delivery.building import Seen, builds_of, find_build
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import without_nothing

operation = serve(
    Service("logs", signing_name="logs", invalid="InvalidParameterException", bad_page="InvalidParameterException")
)

_BUILDS = "/aws/codebuild/"
_MOST_EVENTS = 10_000


@operation("DescribeLogGroups")
def describe_log_groups(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The groups of the caller's projects."""
    prefix, where = parameters.get("logGroupNamePrefix", ""), f"{context.account}/{context.region}/"
    found = [
        {
            "logGroupName": _BUILDS + project.name,
            "creationTime": round(project.created_at * 1_000),
            "arn": f"arn:aws:logs:{context.region}:{context.account}:log-group:{_BUILDS}{project.name}:*",
            "storedBytes": 0,
        }
        for key, project in sorted(context.world.delivery.projects.items())
        if key.startswith(where) and (_BUILDS + project.name).startswith(prefix)
    ]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="limit", default_size=50)
    return without_nothing({"logGroups": page, "nextToken": following})


@operation("DescribeLogStreams")
def describe_log_streams(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The streams of a group, by name, or by their time."""
    project, prefix = _project(context, parameters), parameters.get("logStreamNamePrefix", "")
    builds = builds_of(context.world, context.account, context.region, project)
    builds = [seen for seen in builds if _stream_of(seen).startswith(prefix)]
    if parameters.get("orderBy", "LogStreamName") == "LogStreamName":
        builds.sort(key=_stream_of)
    else:
        builds.reverse()
    if parameters.get("descending"):
        builds.reverse()
    found = [_describe(context, seen) for seen in builds]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="limit", default_size=50)
    return without_nothing({"logStreams": page, "nextToken": following})


@operation("GetLogEvents")
def get_log_events(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What a build wrote: the newest lines, or from the start; the token of the end leads to the end again."""
    lines = _lines(context, _build(context, parameters, parameters["logStreamName"]), parameters)
    limit = parameters.get("limit", _MOST_EVENTS)
    token = parameters.get("nextToken")
    if token is None:
        start = 0 if parameters.get("startFromHead") else max(0, len(lines) - limit)
        stop = min(len(lines), start + limit)
    else:
        way, _, place = token.partition("/")
        if way not in ("f", "b") or not place.isdecimal():
            raise AwsError("InvalidParameterException", "The specified nextToken is invalid.")
        if way == "f":
            start = min(int(place), len(lines))
            stop = min(len(lines), start + limit)
        else:
            stop = min(int(place), len(lines))
            start = max(0, stop - limit)
    return {"events": lines[start:stop], "nextForwardToken": f"f/{stop}", "nextBackwardToken": f"b/{start}"}


@operation("FilterLogEvents")
def filter_log_events(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The lines of a group, or of some of its streams, that have all words of the pattern."""
    project, named = _project(context, parameters), parameters.get("logStreamNames")
    words = [word.strip('"') for word in parameters.get("filterPattern", "").split()]
    found = []
    for seen in reversed(builds_of(context.world, context.account, context.region, project)):
        stream = _stream_of(seen)
        if named is not None and stream not in named:
            continue
        for number, line in enumerate(_lines(context, seen, parameters)):
            if all(word in line["message"] for word in words):
                found.append({**line, "logStreamName": stream, "eventId": f"{stream}-{number}"})
    page, following = page_of(context, parameters, found, cursor="nextToken", size="limit", default_size=_MOST_EVENTS)
    return without_nothing({"events": page, "nextToken": following})


def _lines(context: Context, seen: Seen, parameters: Parameters) -> list[dict[str, Any]]:
    begin, end = parameters.get("startTime", 0), parameters.get("endTime", float("inf"))
    found = []
    for at, message in seen.log(context.now):
        stamp = round(at * 1_000)
        if begin <= stamp < end:
            found.append({"timestamp": stamp, "message": message, "ingestionTime": stamp})
    return found


def _project(context: Context, parameters: Parameters) -> str:
    group = parameters.get("logGroupName") or parameters.get("logGroupIdentifier", "").partition(":log-group:")[2]
    if not str(group).startswith(_BUILDS):
        raise AwsError("ResourceNotFoundException", "The specified log group does not exist.")
    return str(group).removeprefix(_BUILDS)


def _build(context: Context, parameters: Parameters, stream: str) -> Seen:
    project = _project(context, parameters)
    seen = find_build(context.world, context.account, context.region, f"{project}:{stream}")
    if seen is None:
        raise AwsError("ResourceNotFoundException", "The specified log stream does not exist.")
    return seen


def _stream_of(seen: Seen) -> str:
    return seen.id.rpartition(":")[2]


def _describe(context: Context, seen: Seen) -> dict[str, Any]:
    lines, stream = seen.log(context.now), _stream_of(seen)
    group = f"arn:aws:logs:{context.region}:{context.account}:log-group:{_BUILDS}{seen.project}"
    told: dict[str, Any] = {
        "logStreamName": stream,
        "creationTime": round(seen.started_at * 1_000),
        "arn": f"{group}:log-stream:{stream}",
        "storedBytes": 0,
    }
    if lines:
        told |= {
            "firstEventTimestamp": round(lines[0][0] * 1_000),
            "lastEventTimestamp": round(lines[-1][0] * 1_000),
        }
    return told
