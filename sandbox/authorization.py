"""Whether a caller may make a call, by the inline policies of the role it has assumed.

The rule: a session of a role that was made with CreateRole *and has inline policies* is held to them; every
action of a call must be allowed on every resource of it (see `sandbox.resource_arns`) and denied on none. A
session policy, passed to AssumeRole, must allow it as well. Everybody else may do everything, so that nothing
has to be set up: the user of the embedded default, sessions of roles that don't exist, and sessions of roles
without inline policies. GetCallerIdentity needs no permission. Condition keys: aws:PrincipalTag/…,
aws:RequestTag/…, aws:TagKeys, aws:RequestedRegion, aws:PrincipalArn, aws:PrincipalAccount, aws:SourceIdentity,
and for AssumeRole sts:ExternalId, sts:RoleSessionName, sts:SourceIdentity and sts:TransitiveTagKeys.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.policies import Statement, Verdict, decide, read_policy
from sandbox.resource_arns import resources_of
from sandbox.sessions import Caller
from sandbox.world import World

# Signing names that aren't the prefix of the service's actions
_PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
# What only looks at budgets is one action, and what changes them another.
_BUDGET_VIEWS = ("Describe", "List")


def authorize(
    world: World, caller: Caller, *, signing_name: str, operation: str, region: str, parameters: Mapping[str, Any]
) -> str | None:
    """Why a call is refused, as AWS words it, or None if it may be made."""
    prefix = _PREFIXES.get(signing_name, signing_name)
    role = world.zone.roles.get(caller.role_arn)
    layers: list[tuple[str, tuple[Statement, ...]]] = []
    if role is not None and role.policies:
        statements = [statement for text in role.policies.values() for statement in read_policy(text)]
        layers.append(("identity-based", tuple(statements)))
    if caller.session_policy:
        layers.append(("session", read_policy(caller.session_policy)))
    if not layers or (prefix, operation) == ("sts", "GetCallerIdentity"):
        return None
    keys = condition_keys(world, caller, region, parameters)
    if prefix == "iam":
        parameters = {**_path_of_role(world, caller, parameters), **parameters}
    for action in actions_of(prefix, operation, parameters):
        for alternatives in resources_of(prefix, caller.account, region, parameters):
            reason = _find_reason(layers, action, alternatives, keys)
            if reason:
                shown = "" if alternatives[0].endswith(":*") else f" on resource: {alternatives[0]}"
                return f"User: {caller.arn} is not authorized to perform: {action}{shown} {reason}"
    return None


def actions_of(prefix: str, operation: str, parameters: Mapping[str, Any]) -> list[str]:
    """The actions that a call needs, in the form of service:Action."""
    if prefix == "budgets" and operation not in ("TagResource", "UntagResource", "ListTagsForResource"):
        return ["budgets:ViewBudget" if operation.startswith(_BUDGET_VIEWS) else "budgets:ModifyBudget"]
    if (prefix, operation) == ("s3", "ListBuckets"):
        return ["s3:ListAllMyBuckets"]
    actions = [f"{prefix}:{operation}"]
    if actions == ["sts:AssumeRole"]:
        actions += ["sts:TagSession"] if parameters.get("Tags") else []
        actions += ["sts:SetSourceIdentity"] if parameters.get("SourceIdentity") else []
    return actions


def condition_keys(
    world: World, caller: Caller, region: str, parameters: Mapping[str, Any]
) -> dict[str, tuple[str, ...]]:
    """What conditions can ask about: the caller and its tags, the Region, and the tags in the request."""
    role = world.zone.roles.get(caller.role_arn)
    principal_tags = {**(role.tags if role is not None else {}), **caller.session_tags}
    request_tags = _request_tags(parameters)
    keys: dict[str, tuple[str, ...]] = {
        f"aws:principaltag/{key}".lower(): (value,) for key, value in principal_tags.items()
    }
    keys |= {f"aws:requesttag/{key}".lower(): (value,) for key, value in request_tags.items()}
    keys["aws:requestedregion"] = (region,)
    keys["aws:principalarn"] = (caller.role_arn or caller.arn,)
    keys["aws:principalaccount"] = (caller.account,)
    named = {
        "aws:sourceidentity": caller.source_identity,
        "sts:externalid": parameters.get("ExternalId"),
        "sts:rolesessionname": parameters.get("RoleSessionName"),
        "sts:sourceidentity": parameters.get("SourceIdentity"),
    }
    keys |= {name: (value,) for name, value in named.items() if isinstance(value, str) and value}
    if request_tags:
        keys["aws:tagkeys"] = tuple(request_tags)
    if parameters.get("TransitiveTagKeys"):
        keys["sts:transitivetagkeys"] = tuple(parameters["TransitiveTagKeys"])
    return keys


def _find_reason(
    layers: Iterable[tuple[str, tuple[Statement, ...]]],
    action: str,
    alternatives: tuple[str, ...],
    keys: Mapping[str, tuple[str, ...]],
) -> str:
    for kind, statements in layers:
        verdicts = [decide(statements, action, resource, keys) for resource in alternatives]
        if Verdict.DENIED in verdicts:
            return f"with an explicit deny in {'an identity-based' if kind != 'session' else 'a session'} policy"
        if Verdict.ALLOWED not in verdicts:
            return f"because no {kind} policy allows the {action} action"
    return ""


def _path_of_role(world: World, caller: Caller, parameters: Mapping[str, Any]) -> dict[str, str]:
    """A role's path, which is part of its ARN, and which calls about the role don't name."""
    for role in world.zone.roles.values():
        if (role.account_id, role.name) == (caller.account, parameters.get("RoleName")):
            return {"Path": role.path}
    return {}


def _request_tags(parameters: Mapping[str, Any]) -> dict[str, str]:
    for name in ("Tags", "tags"):
        tags = parameters.get(name)
        if isinstance(tags, Mapping):
            return {str(key): str(value) for key, value in tags.items()}
        if isinstance(tags, list):
            return {
                str(tag.get("Key", tag.get("key", ""))): str(tag.get("Value", tag.get("value", ""))) for tag in tags
            }
    return {}
