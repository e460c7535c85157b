"""AWS CloudTrail: the organization's trail, as every account sees it."""

from __future__ import annotations

import re
from typing import Any

from sandbox.alarms import identifier
from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.governance import TRAIL_ARN, TRAIL_NAME
from sandbox.insights import list_insights
from sandbox.landing_zone import FOUNDED, HOME_REGION, MANAGEMENT_ACCOUNT, ORGANIZATION_ID
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import without_nothing

operation = serve(
    Service("cloudtrail", signing_name="cloudtrail", invalid="InvalidParameterException", failed="InternalFailure")
)

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,126}[A-Za-z0-9]")
_ARN = re.compile(r"arn:aws:cloudtrail:[a-z0-9-]+:\d{12}:trail/[A-Za-z0-9._-]{3,128}")


@operation("DescribeTrails")
def describe_trails(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The trail; outside its own account and Region it is a shadow trail."""
    names = parameters.get("trailNameList", [])
    for name in names:
        _check_name(name)
    shown = _is_at_home(context) or parameters.get("includeShadowTrails", True)
    if not shown or (names and not any(_is_meant(context, name) for name in names)) or _is_missing(context):
        return {"trailList": []}
    return {
        "trailList": [
            {
                "Name": TRAIL_NAME,
                "TrailARN": TRAIL_ARN,
                "HomeRegion": HOME_REGION,
                "S3BucketName": f"aws-controltower-logs-222233334444-{HOME_REGION}",
                "S3KeyPrefix": ORGANIZATION_ID,
                "IncludeGlobalServiceEvents": True,
                "IsMultiRegionTrail": True,
                "IsOrganizationTrail": True,
                "LogFileValidationEnabled": True,
                "HasCustomEventSelectors": False,
                "HasInsightSelectors": False,
            }
        ]
    }


@operation("GetTrailStatus")
def get_trail_status(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Whether the trail is logging; a shadow trail is found by its ARN only."""
    name = parameters["Name"]
    _check_name(name)
    if not _is_meant(context, name) or _is_missing(context):
        raise AwsError("TrailNotFoundException", f"Unknown trail: {name} in {context.account}")
    return {
        "IsLogging": True,
        "StartLoggingTime": moment(FOUNDED),
        "LatestDeliveryTime": moment(context.now - context.now % 300),
    }


_KEPT = 90 * 86_400.0
_LOOKED_UP_BY = ("EventName", "EventSource", "ResourceName", "ResourceType")


@operation("LookupEvents")
def lookup_events(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What was done in the caller's account and Region around its insights, newest first, for 90 days."""
    begin, end = (_seconds(parameters.get(name)) for name in ("StartTime", "EndTime"))
    attributes = parameters.get("LookupAttributes", [])
    if len(attributes) > 1 or any(a["AttributeKey"] not in _LOOKED_UP_BY for a in attributes):
        raise AwsError("InvalidLookupAttributesException", f"One of {', '.join(_LOOKED_UP_BY)} may be looked up by.")
    found = []
    for insight in list_insights(context.world, {context.account}, context.region):
        for event in insight.kind.events:
            at = insight.start + 60 * event.minutes
            entry = {
                "EventId": identifier(insight.id, event.name),
                "EventName": event.name,
                "EventSource": event.source,
                "EventTime": moment(at),
                "ReadOnly": "false",
                "Username": "deployer",
                "Resources": [{"ResourceType": insight.kind.resource_type, "ResourceName": insight.kind.resource}],
            }
            is_then = context.now - _KEPT <= at <= min(context.now, end or context.now) and at >= (begin or 0.0)
            if is_then and all(_has(entry, a["AttributeKey"], a["AttributeValue"]) for a in attributes):
                found.append((at, entry))
    found.sort(key=lambda pair: pair[0], reverse=True)
    page, following = page_of(
        context, parameters, [e for _, e in found], cursor="NextToken", size="MaxResults", default_size=50
    )
    return without_nothing({"Events": page, "NextToken": following})


def _has(entry: dict[str, Any], key: str, value: str) -> bool:
    if key in ("EventName", "EventSource"):
        return bool(entry[key] == value)
    return any(resource[key] == value for resource in entry["Resources"])


def _seconds(value: Any) -> float | None:
    return None if value is None else float(value.timestamp() if hasattr(value, "timestamp") else value)


def _is_at_home(context: Context) -> bool:
    return context.account == MANAGEMENT_ACCOUNT and context.region == HOME_REGION


def _is_meant(context: Context, name: str) -> bool:
    return name == TRAIL_ARN or (name == TRAIL_NAME and _is_at_home(context))


def _is_missing(context: Context) -> bool:
    return context.world.faults.take("trail_missing") is not None


def _check_name(name: str) -> None:
    if name.startswith("arn:"):
        if not _ARN.fullmatch(name):
            raise AwsError("CloudTrailARNInvalidException", f"{name} is not the ARN of a trail.")
    elif not _NAME.fullmatch(name):
        raise AwsError("InvalidTrailNameException", f"{name!r} is not a valid name of a trail.")
