"""The Resource Groups Tagging API: what is tagged in an account and Region.

The management account finds the organization's tagged accounts in us-east-1, as real AWS does; a member
account finds what is inside it. Control Tower's own resources carry no tags, so they are never found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.chaos_actions import FUNCTION
from sandbox.errors import AwsError
from sandbox.landing_zone import HOME_REGION, MANAGEMENT_ACCOUNT, account_arn
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.services.ec2 import machines_of
from sandbox.stacks import resources_in

operation = serve(
    Service(
        "resourcegroupstaggingapi",
        signing_name="tagging",
        invalid="InvalidParameterException",
        bad_page="PaginationTokenExpiredException",
        throttled="ThrottledException",
        failed="InternalServiceException",
    )
)

_MOST = 100
_TAGS_A_PAGE = range(100, 501)
_DEFAULT = 50
# The type that the API's filter knows, where it isn't the last part of CloudFormation's in lower case
_TYPES = {
    "AWS::Logs::LogGroup": "logs:log-group",
    "AWS::RDS::DBInstance": "rds:db",
}


@operation("GetResources")
def get_resources(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The tagged resources that pass the filters: every key, any of its values, any of the types."""
    _check(parameters)
    wanted_types = parameters.get("ResourceTypeFilters", [])
    wanted_arns = parameters.get("ResourceARNList")
    filters = parameters.get("TagFilters", [])
    found = [
        {"ResourceARN": arn, "Tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
        for arn, kind, tags in _tagged(context)
        if (not wanted_types or any(wanted in (kind, kind.partition(":")[0]) for wanted in wanted_types))
        and (wanted_arns is None or arn in wanted_arns)
        and all(_passes(tags, wanted) for wanted in filters)
    ]
    page, following = page_of(
        context,
        parameters,
        found,
        cursor="PaginationToken",
        size="ResourcesPerPage",
        default_size=_DEFAULT,
    )
    return {"ResourceTagMappingList": page, "PaginationToken": following or ""}


def _tagged(context: Context) -> list[tuple[str, str, Mapping[str, str]]]:
    world = context.world
    found: list[tuple[str, str, Mapping[str, str]]] = []
    if (context.account, context.region) == (MANAGEMENT_ACCOUNT, HOME_REGION):
        found += [
            (account_arn(account.id), "organizations:account", world.zone.tags[account.id])
            for account in world.zone.accounts.values()
            if world.zone.tags.get(account.id)
        ]
    found += [
        (resource.arn, _type_of(resource.type), resource.tags)
        for resource in resources_in(world, context.account, context.region)
        if resource.tags
    ]
    found += [(m.arn, "lambda:function", m.tags) for m in machines_of(context, FUNCTION) if m.tags]
    base = f"arn:aws:codedeploy:{context.region}:{context.account}"
    for application in world.delivery.applications.values():
        if (application.account_id, application.region) == (context.account, context.region):
            for group, tags in application.tags.items():
                kind, name = (
                    ("deploymentgroup", f"{application.name}/{group}") if group else ("application", application.name)
                )
                found += [(f"{base}:{kind}:{name}", f"codedeploy:{kind}", tags)] if tags else []
    return found


def _type_of(kind: str) -> str:
    _, service, name = kind.split("::")
    return _TYPES.get(kind, f"{service}:{name}".lower())


def _passes(tags: Mapping[str, str], wanted: Mapping[str, Any]) -> bool:
    key, values = str(wanted["Key"]), wanted.get("Values", [])
    return key in tags and (not values or tags[key] in values)


def _check(parameters: Parameters) -> None:
    size = parameters.get("ResourcesPerPage")
    if size is not None and not 1 <= size <= _MOST:
        raise AwsError("InvalidParameterException", f"ResourcesPerPage must be from 1 to {_MOST}.")
    tags = parameters.get("TagsPerPage")
    if tags is not None and tags not in _TAGS_A_PAGE:
        raise AwsError("InvalidParameterException", "TagsPerPage must be from 100 to 500.")
    others = {"ResourceTypeFilters", "TagFilters", "ResourcesPerPage", "TagsPerPage", "PaginationToken"}
    if "ResourceARNList" in parameters and any(parameters.get(name) for name in others):
        raise AwsError("InvalidParameterException", "ResourceARNList can't be combined with other filters or paging.")
    if any("Key" not in wanted for wanted in parameters.get("TagFilters", [])):
        raise AwsError("InvalidParameterException", "A tag filter must have a key.")
