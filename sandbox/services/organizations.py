"""AWS Organizations: the root, its OUs and accounts."""

from __future__ import annotations

from typing import Any

from sandbox.clock import moment
from sandbox.closing import close_account
from sandbox.errors import AwsError
from sandbox.landing_zone import (
    MANAGEMENT_ACCOUNT,
    ORGANIZATION_ID,
    ROOT_ID,
    account_arn,
    unit_arn,
)
from sandbox.model import Account, OrganizationalUnit
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import World

operation = serve(
    Service(
        "organizations",
        signing_name="organizations",
        invalid="InvalidInputException",
        bad_page="InvalidInputException",
        throttled="TooManyRequestsException",
        failed="ServiceException",
    )
)

_ROOT = {
    "Id": ROOT_ID,
    "Arn": f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:root/{ORGANIZATION_ID}/{ROOT_ID}",
    "Name": "Root",
    "PolicyTypes": [{"Type": "SERVICE_CONTROL_POLICY", "Status": "ENABLED"}],
}
_MAX_TAGS = 50
_FULL_ACCESS = {
    "Id": "p-FullAWSAccess",
    "Arn": "arn:aws:organizations::aws:policy/service_control_policy/p-FullAWSAccess",
    "Name": "FullAWSAccess",
    "Description": "Allows access to every operation",
    "Type": "SERVICE_CONTROL_POLICY",
    "AwsManaged": True,
}


@operation("DescribeOrganization")
def describe_organization(context: Context, _parameters: Parameters) -> dict[str, Any]:
    """Any member account may ask for this."""
    arn = f"arn:aws:organizations::{MANAGEMENT_ACCOUNT}:organization/{ORGANIZATION_ID}"
    return {
        "Organization": {
            "Id": ORGANIZATION_ID,
            "Arn": arn,
            "FeatureSet": "ALL",
            "MasterAccountArn": account_arn(MANAGEMENT_ACCOUNT),
            "MasterAccountId": MANAGEMENT_ACCOUNT,
            "MasterAccountEmail": context.world.zone.accounts[MANAGEMENT_ACCOUNT].email,
            "AvailablePolicyTypes": _ROOT["PolicyTypes"],
        }
    }


@operation("ListRoots")
def list_roots(context: Context, parameters: Parameters) -> dict[str, Any]:
    """An organization has exactly one root."""
    _require_management_account(context)
    return _listed(context, parameters, "Roots", [_ROOT])


@operation("ListOrganizationalUnitsForParent")
def list_organizational_units_for_parent(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The OUs right below a parent."""
    _require_management_account(context)
    parent = _require_parent(context.world, parameters["ParentId"])
    units = [_describe_unit(context.world, unit) for unit in context.world.children_of(parent)]
    return _listed(context, parameters, "OrganizationalUnits", units)


@operation("ListAccounts")
def list_accounts(context: Context, parameters: Parameters) -> dict[str, Any]:
    """All accounts of the organization."""
    _require_management_account(context)
    return _listed_accounts(context, parameters, list(context.world.zone.accounts.values()))


@operation("ListAccountsForParent")
def list_accounts_for_parent(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The accounts right below a parent."""
    _require_management_account(context)
    parent = _require_parent(context.world, parameters["ParentId"])
    return _listed_accounts(context, parameters, context.world.accounts_in(parent))


@operation("ListChildren")
def list_children(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Ids of the accounts or OUs right below a parent."""
    _require_management_account(context)
    parent, kind = _require_parent(context.world, parameters["ParentId"]), parameters["ChildType"]
    found: list[Account] | list[OrganizationalUnit] = (
        context.world.accounts_in(parent) if kind == "ACCOUNT" else context.world.children_of(parent)
    )
    return _listed(context, parameters, "Children", [{"Id": child.id, "Type": kind} for child in found])


@operation("ListParents")
def list_parents(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The one parent of an account or OU."""
    _require_management_account(context)
    zone, child_id = context.world.zone, parameters["ChildId"]
    child = zone.accounts.get(child_id) or zone.units.get(child_id)
    if child is None:
        raise AwsError("ChildNotFoundException", f"There is no account or organizational unit {child_id}.")
    kind = "ROOT" if child.parent_id == ROOT_ID else "ORGANIZATIONAL_UNIT"
    return _listed(context, parameters, "Parents", [{"Id": child.parent_id, "Type": kind}])


@operation("DescribeAccount")
def describe_account(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One account."""
    _require_management_account(context)
    return {"Account": _describe_account(context.world, _require_account(context, parameters["AccountId"]))}


@operation("DescribeOrganizationalUnit")
def describe_organizational_unit(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One OU."""
    _require_management_account(context)
    unit = context.world.zone.units.get(parameters["OrganizationalUnitId"])
    if unit is None:
        raise AwsError(
            "OrganizationalUnitNotFoundException",
            "You specified an organizational unit that doesn't exist.",
        )
    return {"OrganizationalUnit": _describe_unit(context.world, unit)}


@operation("ListTagsForResource")
def list_tags_for_resource(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The tags of a root, OU or account."""
    _require_management_account(context)
    tags = context.world.zone.tags.get(_require_target(context, parameters["ResourceId"]), {})
    entries = [{"Key": key, "Value": value} for key, value in tags.items()]
    return _listed(context, parameters, "Tags", entries, size="")


@operation("TagResource")
def tag_resource(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add tags, or change their values."""
    _require_management_account(context)
    target = _require_target(context, parameters["ResourceId"])
    merged = {
        **context.world.zone.tags.get(target, {}),
        **{tag["Key"]: tag["Value"] for tag in parameters["Tags"]},
    }
    if len(merged) > _MAX_TAGS:
        raise AwsError(
            "ConstraintViolationException",
            f"A resource can have at most {_MAX_TAGS} tags.",
            Reason="MAX_TAG_LIMIT_EXCEEDED",
        )
    context.world.zone.tags[target] = merged
    context.world.changed()
    return {}


@operation("UntagResource")
def untag_resource(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Take tags away; keys that aren't there don't matter."""
    _require_management_account(context)
    tags = context.world.zone.tags.get(_require_target(context, parameters["ResourceId"]), {})
    for key in parameters["TagKeys"]:
        tags.pop(key, None)
    context.world.changed()
    return {}


@operation("MoveAccount")
def move_account(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Move an account from the parent it is in to another."""
    _require_management_account(context)
    account = _require_account(context, parameters["AccountId"])
    source, destination = parameters["SourceParentId"], parameters["DestinationParentId"]
    if not context.world.is_parent(source) or account.parent_id != source:
        raise AwsError("SourceParentNotFoundException", f"{account.id} is not in {source}.")
    if not context.world.is_parent(destination):
        raise AwsError("DestinationParentNotFoundException", f"There is no root or OU {destination}.")
    if source == destination:
        raise AwsError("DuplicateAccountException", f"{account.id} is in {destination} already.")
    account.parent_id = destination
    context.world.changed()
    return {}


@operation("CloseAccount")
def close_member_account(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Ask for the closure of a member account, which takes some hours."""
    _require_management_account(context)
    close_account(context.world, _require_account(context, parameters["AccountId"]))
    return {}


@operation("ListPolicies")
def list_policies(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Only AWS's own service control policy, which allows everything."""
    _require_management_account(context)
    return _listed(context, parameters, "Policies", _policies(parameters))


@operation("ListPoliciesForTarget")
def list_policies_for_target(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The policy that is attached everywhere."""
    _require_management_account(context)
    _require_target(context, parameters["TargetId"])
    return _listed(context, parameters, "Policies", _policies(parameters))


def _policies(parameters: Parameters) -> list[dict[str, Any]]:
    return [_FULL_ACCESS] if parameters["Filter"] == _FULL_ACCESS["Type"] else []


def _listed_accounts(context: Context, parameters: Parameters, accounts: list[Account]) -> dict[str, Any]:
    # Only a page is described, since describing all of a large organization takes long.
    answer = _listed(context, parameters, "Accounts", accounts)
    return {**answer, "Accounts": [_describe_account(context.world, account) for account in answer["Accounts"]]}


def _listed(
    context: Context,
    parameters: Parameters,
    member: str,
    entries: list[Any],
    *,
    size: str = "MaxResults",
) -> dict[str, Any]:
    page, following = page_of(context, parameters, entries, cursor="NextToken", size=size)
    return {member: page, **({"NextToken": following} if following else {})}


def _require_management_account(context: Context) -> None:
    if context.account != MANAGEMENT_ACCOUNT:
        raise AwsError("AccessDeniedException", "You don't have permissions to access this resource.")


def _require_parent(world: World, identifier: str) -> str:
    if not world.is_parent(identifier):
        raise AwsError("ParentNotFoundException", "You specified parent that doesn't exist.")
    return identifier


def _require_account(context: Context, identifier: str) -> Account:
    account = context.world.zone.accounts.get(identifier)
    if account is None:
        raise AwsError("AccountNotFoundException", "You specified an account that doesn't exist.")
    return account


def _require_target(context: Context, identifier: str) -> str:
    if not context.world.is_parent(identifier) and identifier not in context.world.zone.accounts:
        raise AwsError("TargetNotFoundException", "You specified a target that doesn't exist.")
    return identifier


def _describe_unit(world: World, unit: OrganizationalUnit) -> dict[str, Any]:
    return {"Id": unit.id, "Arn": unit_arn(unit.id), "Name": unit.name, "Path": world.path_of(unit.id)}


def _describe_account(world: World, account: Account) -> dict[str, Any]:
    return {
        "Id": account.id,
        "Arn": account_arn(account.id),
        "Email": account.email,
        "Name": account.name,
        "Status": account.status,
        # The older Status calls a closed account suspended.
        "State": "CLOSED" if account.status == "SUSPENDED" else account.status,
        "Paths": [world.path_of(account.id)],
        "JoinedMethod": account.joined_method,
        "JoinedTimestamp": moment(account.joined_at),
    }
