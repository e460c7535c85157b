"""Amazon EventBridge: rules on the default bus, whose targets are queues and topics, and events of one's own."""

from __future__ import annotations

import json
from typing import Any

from sandbox.delivery.bus import put_event
from sandbox.delivery.patterns import BadPattern, matches, read_pattern
from sandbox.delivery.queue_model import Rule
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import without_nothing

operation = serve(Service("events", signing_name="events", failed="InternalException"))

_MOST_TARGETS = 5


@operation("PutRule")
def put_rule(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a rule, or change what it is for; its targets stay."""
    _require_default_bus(parameters)
    if "EventPattern" not in parameters:
        raise AwsError("ValidationException", "The sandbox runs no schedules: a rule needs an EventPattern.")
    try:
        read_pattern(parameters["EventPattern"])
    except BadPattern as error:
        raise AwsError("InvalidEventPatternException", str(error)) from error
    key = _key(context, parameters["Name"])
    rule = context.world.delivery.rules.get(key)
    if rule is None:
        rule = Rule(key, parameters["Name"], context.account, context.region, parameters["EventPattern"])
    rule.pattern, rule.state = parameters["EventPattern"], parameters.get("State", "ENABLED")
    rule.description = parameters.get("Description", "")
    context.world.delivery.keep("rules", key, rule)
    return {"RuleArn": rule.arn}


@operation("DescribeRule")
def describe_rule(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A rule by name."""
    return {**_describe(_find(context, parameters, "Name")), "CreatedBy": context.account}


@operation("ListRules")
def list_rules(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The rules of the caller's account and Region."""
    _require_default_bus(parameters)
    prefix = _key(context, parameters.get("NamePrefix", ""))
    found = [_describe(rule) for key, rule in sorted(context.world.delivery.rules.items()) if key.startswith(prefix)]
    page, following = page_of(context, parameters, found, cursor="NextToken", size="Limit", default_size=100)
    return without_nothing({"Rules": page, "NextToken": following})


@operation("EnableRule", "DisableRule")
def switch_rule(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Have a rule heard, or not."""
    rule = _find(context, parameters, "Name")
    rule.state = "ENABLED" if context.operation == "EnableRule" else "DISABLED"
    context.world.delivery.changed("rules", rule.key)
    return {}


@operation("DeleteRule")
def delete_rule(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a rule that has no targets; one that isn't there doesn't matter."""
    _require_default_bus(parameters)
    rule = context.world.delivery.rules.get(_key(context, parameters["Name"]))
    if rule is not None and rule.targets:
        raise AwsError("ValidationException", "Rule can't be deleted since it has targets.")
    context.world.delivery.drop("rules", _key(context, parameters["Name"]))
    return {}


@operation("PutTargets")
def put_targets(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add targets to a rule, or replace those of the same id."""
    rule = _find(context, parameters, "Rule")
    targets = dict(rule.targets)
    for target in parameters["Targets"]:
        if not target["Arn"].startswith(("arn:aws:sns:", "arn:aws:sqs:")) or "InputTransformer" in target:
            raise AwsError("ValidationException", "The sandbox delivers to queues and topics, and transforms nothing.")
        targets[target["Id"]] = dict(target)
    if len(targets) > _MOST_TARGETS:
        raise AwsError("LimitExceededException", f"A rule has at most {_MOST_TARGETS} targets.")
    rule.targets = targets
    context.world.delivery.changed("rules", rule.key)
    return {"FailedEntryCount": 0, "FailedEntries": []}


@operation("RemoveTargets")
def remove_targets(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Take targets off a rule."""
    rule = _find(context, parameters, "Rule")
    rule.targets = {name: target for name, target in rule.targets.items() if name not in parameters["Ids"]}
    context.world.delivery.changed("rules", rule.key)
    return {"FailedEntryCount": 0, "FailedEntries": []}


@operation("ListTargetsByRule")
def list_targets_by_rule(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A rule's targets."""
    return {"Targets": list(_find(context, parameters, "Rule").targets.values())}


@operation("PutEvents")
def put_events(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Put events of one's own on the bus."""
    entries = []
    for entry in parameters["Entries"]:
        problem = _problem_of(entry)
        if problem:
            entries.append({"ErrorCode": problem[0], "ErrorMessage": problem[1]})
            continue
        made = put_event(
            context.world,
            context.account,
            context.region,
            source=entry["Source"],
            detail_type=entry["DetailType"],
            detail=json.loads(entry["Detail"]),
            resources=entry.get("Resources", []),
            at=entry["Time"].timestamp() if hasattr(entry.get("Time"), "timestamp") else context.now,
        )
        entries.append({"EventId": made})
    return {"FailedEntryCount": sum("ErrorCode" in entry for entry in entries), "Entries": entries}


@operation("TestEventPattern")
def try_event_pattern(_context: Context, parameters: Parameters) -> dict[str, Any]:
    """Whether an event fits a pattern."""
    try:
        return {"Result": matches(read_pattern(parameters["EventPattern"]), json.loads(parameters["Event"]))}
    except (BadPattern, ValueError) as error:
        raise AwsError("InvalidEventPatternException", str(error)) from error


def _problem_of(entry: dict[str, Any]) -> tuple[str, str] | None:
    for name in ("Source", "DetailType", "Detail"):
        if not entry.get(name):
            return "InvalidArgument", f"Parameter {name} is not valid. Reason: {name} is a required argument."
    if entry["Source"].startswith("aws."):
        return "NotAuthorizedForSourceException", "Not authorized for the source."
    try:
        detail = json.loads(entry["Detail"])
    except ValueError:
        detail = None
    return None if isinstance(detail, dict) else ("MalformedDetail", "Detail is malformed.")


def _describe(rule: Rule) -> dict[str, Any]:
    return without_nothing(
        {
            "Name": rule.name,
            "Arn": rule.arn,
            "EventPattern": rule.pattern,
            "State": rule.state,
            "Description": rule.description or None,
            "EventBusName": "default",
        }
    )


def _find(context: Context, parameters: Parameters, named: str) -> Rule:
    _require_default_bus(parameters)
    rule = context.world.delivery.rules.get(_key(context, parameters[named]))
    if rule is None:
        raise AwsError("ResourceNotFoundException", f"Rule {parameters[named]} does not exist on EventBus default.")
    return rule


def _key(context: Context, name: str) -> str:
    return f"{context.account}/{context.region}/{name}"


def _require_default_bus(parameters: Parameters) -> None:
    bus = parameters.get("EventBusName", "default")
    if bus.rpartition("/")[2] != "default":
        raise AwsError("ResourceNotFoundException", f"Event bus {bus} does not exist.")
