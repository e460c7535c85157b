"""Identity Store: the people and groups behind IAM Identity Center."""

from __future__ import annotations

from typing import Any

from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.identities import IDENTITY_STORE_ID, Group, User, find_user, membership_id, new_id
from sandbox.landing_zone import HOME_REGION, MANAGEMENT_ACCOUNT
from sandbox.registry import Context, Parameters, Service, page_of, serve

operation = serve(Service("identitystore", signing_name="identitystore"))

_STORE_ARN = f"arn:aws:identitystore::{MANAGEMENT_ACCOUNT}:identitystore/{IDENTITY_STORE_ID}"
_NOT_ATTRIBUTES = ("IdentityStoreId", "UserName")


@operation("ListUsers")
def list_users(context: Context, parameters: Parameters) -> dict[str, Any]:
    """All users, or the one whose UserName is filtered by."""
    _require_store(context, parameters)
    name = _read_filter(parameters, "username")
    users = [
        _describe_user(user)
        for user in context.world.zone.users.values()
        if name is None or user.user_name.casefold() == name.casefold()
    ]
    return _listed(context, parameters, "Users", users)


@operation("DescribeUser")
def describe_user(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One user."""
    _require_store(context, parameters)
    return _describe_user(_require_user(context, parameters["UserId"]))


@operation("GetUserId")
def get_user_id(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The id of the user with a unique attribute: ``userName`` or ``emails.value``, compared case-folded."""
    _require_store(context, parameters)
    path, value = _read_unique_attribute(parameters, "USER")
    if path not in ("username", "emails.value"):
        raise _invalid("The valid attribute paths are userName and emails.value.")
    names = {"user_name": value} if path == "username" else {"email": value}
    user = find_user(context.world.zone.users, **names)
    if user is None:
        raise _not_found("USER", value)
    return {"IdentityStoreId": IDENTITY_STORE_ID, "UserId": user.id, "UserArn": _arn("user", user.id)}


@operation("CreateUser")
def create_user(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a user; ConflictException when the name or the address is taken."""
    _require_store(context, parameters)
    if context.account != MANAGEMENT_ACCOUNT:
        raise AwsError("AccessDeniedException", f"{context.caller} may not change {IDENTITY_STORE_ID}.")
    name = parameters.get("UserName")
    names = parameters.get("Name", {})
    if not name or not parameters.get("DisplayName") or not names.get("FamilyName") or not names.get("GivenName"):
        raise _invalid("UserName, DisplayName, Name.FamilyName and Name.GivenName are needed.")
    attributes = {member: value for member, value in parameters.items() if member not in _NOT_ATTRIBUTES}
    user = User(new_id(), name, attributes, context.now, context.now)
    for taken in [{"user_name": name}, *({"email": email} for email in user.emails)]:
        if find_user(context.world.zone.users, **taken) is not None:
            raise AwsError(
                "ConflictException",
                f"A user with {'UserName' if 'user_name' in taken else 'the e-mail'} {next(iter(taken.values()))} "
                "exists already.",
                Reason="UNIQUENESS_CONSTRAINT_VIOLATION",
            )
    context.world.zone.users[user.id] = user
    context.world.changed()
    return {
        "IdentityStoreId": IDENTITY_STORE_ID,
        "UserId": user.id,
        "UserArn": _arn("user", user.id),
        "Revision": "1",
    }


@operation("ListGroups")
def list_groups(context: Context, parameters: Parameters) -> dict[str, Any]:
    """All groups, or the one whose DisplayName is filtered by."""
    _require_store(context, parameters)
    name = _read_filter(parameters, "displayname")
    groups = [
        _describe_group(group)
        for group in context.world.zone.groups.values()
        if name is None or group.name.casefold() == name.casefold()
    ]
    return _listed(context, parameters, "Groups", groups)


@operation("DescribeGroup")
def describe_group(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One group."""
    _require_store(context, parameters)
    return _describe_group(_require_group(context, parameters["GroupId"]))


@operation("GetGroupId")
def get_group_id(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The id of the group with a unique attribute: ``displayName``, compared case-folded."""
    _require_store(context, parameters)
    path, value = _read_unique_attribute(parameters, "GROUP")
    if path != "displayname":
        raise _invalid("The valid attribute path is displayName.")
    for group in context.world.zone.groups.values():
        if group.name.casefold() == value.casefold():
            return {"IdentityStoreId": IDENTITY_STORE_ID, "GroupId": group.id, "GroupArn": _arn("group", group.id)}
    raise _not_found("GROUP", value)


@operation("ListGroupMemberships")
def list_group_memberships(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The members of a group."""
    _require_store(context, parameters)
    group = _require_group(context, parameters["GroupId"])
    memberships = [_describe_membership(group, user_id) for user_id in group.members]
    return _listed(context, parameters, "GroupMemberships", memberships)


@operation("ListGroupMembershipsForMember")
def list_group_memberships_for_member(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The groups that a user is in."""
    _require_store(context, parameters)
    user = _require_user(context, parameters["MemberId"].get("UserId", ""))
    memberships = [
        _describe_membership(group, user.id) for group in context.world.zone.groups.values() if user.id in group.members
    ]
    return _listed(context, parameters, "GroupMemberships", memberships)


@operation("IsMemberInGroups")
def is_member_in_groups(context: Context, parameters: Parameters) -> dict[str, Any]:
    """For each group asked about, whether a user is in it."""
    _require_store(context, parameters)
    user = _require_user(context, parameters["MemberId"].get("UserId", ""))
    groups = [_require_group(context, identifier) for identifier in parameters["GroupIds"]]
    return {
        "Results": [
            {"GroupId": group.id, "MemberId": {"UserId": user.id}, "MembershipExists": user.id in group.members}
            for group in groups
        ]
    }


def _require_store(context: Context, parameters: Parameters) -> None:
    if context.region != HOME_REGION or parameters["IdentityStoreId"] not in (IDENTITY_STORE_ID, _STORE_ARN):
        raise _not_found("IDENTITY_STORE", parameters["IdentityStoreId"])


def _require_user(context: Context, identifier: str) -> User:
    user = context.world.zone.users.get(_bare(identifier))
    if user is None:
        raise _not_found("USER", identifier)
    return user


def _require_group(context: Context, identifier: str) -> Group:
    group = context.world.zone.groups.get(_bare(identifier))
    if group is None:
        raise _not_found("GROUP", identifier)
    return group


def _bare(identifier: str) -> str:
    """An id that may have been given as an ARN."""
    return identifier.rpartition("/")[2]


def _read_filter(parameters: Parameters, attribute: str) -> str | None:
    for entry in parameters.get("Filters", []):
        if entry["AttributePath"].casefold() != attribute:
            raise _invalid(f"The attribute path {entry['AttributePath']} can't be filtered by.")
        return str(entry["AttributeValue"])
    return None


def _read_unique_attribute(parameters: Parameters, kind: str) -> tuple[str, str]:
    identifier = parameters["AlternateIdentifier"]
    if len(identifier) != 1:
        raise _invalid("AlternateIdentifier must have exactly one of ExternalId and UniqueAttribute.")
    if "ExternalId" in identifier:
        # Nobody here comes from an identity provider outside.
        raise _not_found(kind, identifier["ExternalId"]["Id"])
    attribute = identifier["UniqueAttribute"]
    if not isinstance(attribute["AttributeValue"], str):
        raise _invalid("AttributeValue must be a text.")
    return attribute["AttributePath"].casefold(), attribute["AttributeValue"]


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _not_found(kind: str, identifier: str) -> AwsError:
    return AwsError("ResourceNotFoundException", f"{kind} not found: {identifier}", ResourceType=kind)


def _arn(kind: str, identifier: str) -> str:
    return f"arn:aws:identitystore:::{kind}/{identifier}"


def _describe_user(user: User) -> dict[str, Any]:
    return {
        **user.attributes,
        "IdentityStoreId": IDENTITY_STORE_ID,
        "UserId": user.id,
        "UserArn": _arn("user", user.id),
        "UserName": user.user_name,
        "UserStatus": "ENABLED",
        "Revision": "1",
        "CreatedAt": moment(user.created_at),
        "UpdatedAt": moment(user.updated_at),
    }


def _describe_group(group: Group) -> dict[str, Any]:
    return {
        "IdentityStoreId": IDENTITY_STORE_ID,
        "GroupId": group.id,
        "GroupArn": _arn("group", group.id),
        "DisplayName": group.name,
        "Description": group.description,
        "Revision": "1",
        "CreatedAt": moment(group.created_at),
        "UpdatedAt": moment(group.created_at),
    }


def _describe_membership(group: Group, user_id: str) -> dict[str, Any]:
    identifier = membership_id(group.id, user_id)
    return {
        "IdentityStoreId": IDENTITY_STORE_ID,
        "MembershipId": identifier,
        "MembershipArn": _arn("membership", identifier),
        "GroupId": group.id,
        "MemberId": {"UserId": user_id},
        "CreatedAt": moment(group.members[user_id]),
    }


def _listed(context: Context, parameters: Parameters, member: str, entries: list[Any]) -> dict[str, Any]:
    page, following = page_of(context, parameters, entries, cursor="NextToken", size="MaxResults", default_size=100)
    return {member: page, **({"NextToken": following} if following else {})}
