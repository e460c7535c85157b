"""AWS IAM, as far as roles go: their trust policies, inline policies and tags."""

from __future__ import annotations

import json
import re
import secrets
import string
from typing import Any
from urllib.parse import quote

from sandbox.clock import moment
from sandbox.errors import AwsError
from sandbox.model import Role
from sandbox.policies import MalformedPolicy, read_policy
from sandbox.registry import Context, Parameters, Service, page_of, serve

operation = serve(
    Service(
        "iam",
        signing_name="iam",
        invalid="ValidationError",
        bad_page="ValidationError",
        throttled="Throttling",
        denied="AccessDenied",
        failed="ServiceFailureException",
        denied_status=403,
    )
)

_ID_ALPHABET = string.ascii_uppercase + string.digits
_LINKED_ROLES = {"lexv2.amazonaws.com": "AWSServiceRoleForLexV2Bots"}
_MAX_TRUST_POLICY = 2_048
_MAX_INLINE_POLICIES = 10_240
_MAX_TAGS = 50
_WHITE = re.compile(r"\s+")


@operation("CreateRole")
def create_role(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a role; its name is free of case and used once in an account."""
    name, path, trust = parameters["RoleName"], parameters.get("Path", "/"), parameters["AssumeRolePolicyDocument"]
    if any(role.name.lower() == name.lower() for role in _roles(context)):
        raise AwsError("EntityAlreadyExistsException", f"Role with name {name} already exists.")
    _check_policy(trust, is_trust_policy=True)
    if _size(trust) > _MAX_TRUST_POLICY:
        raise _over_limit(f"Cannot exceed quota for ACLSizePerRole: {_MAX_TRUST_POLICY}")
    role = Role(
        arn=f"arn:aws:iam::{context.account}:role{path}{name}",
        name=name,
        path=path,
        account_id=context.account,
        role_id="AROA" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(17)),
        created_at=context.now,
        trust_policy=trust,
        description=parameters.get("Description", ""),
        max_session_seconds=parameters.get("MaxSessionDuration", 3_600),
        tags=_merge_tags({}, parameters.get("Tags", [])),
    )
    context.world.zone.roles[role.arn] = role
    context.world.changed()
    return {"Role": _describe(role)}


@operation("GetRole")
def get_role(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One role with its trust policy."""
    return {"Role": _describe(_find(context, parameters))}


@operation("CreateServiceLinkedRole")
def create_service_linked_role(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make the role that a service works with; of those that the sandbox serves Lex V2 has such."""
    service, suffix = parameters["AWSServiceName"], parameters.get("CustomSuffix", "")
    if service not in _LINKED_ROLES:
        raise AwsError("InvalidInput", f"The sandbox knows no service-linked role of {service}.", status=400)
    name = _LINKED_ROLES[service] + (f"_{suffix}" if suffix else "")
    if any(role.name.lower() == name.lower() for role in _roles(context)):
        raise AwsError(
            "InvalidInput",
            f"Service role name {name} has been taken in this account, please try a different suffix.",
            status=400,
        )
    trusted = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    path = f"/aws-service-role/{service}/"
    role = Role(
        arn=f"arn:aws:iam::{context.account}:role{path}{name}",
        name=name,
        path=path,
        account_id=context.account,
        role_id="AROA" + "".join(secrets.choice(_ID_ALPHABET) for _ in range(17)),
        created_at=context.now,
        trust_policy=json.dumps({"Version": "2012-10-17", "Statement": [trusted]}),
        description=parameters.get("Description", ""),
    )
    context.world.zone.roles[role.arn] = role
    context.world.changed()
    return {"Role": _describe(role)}


@operation("DeleteRole")
def delete_role(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Remove a role that has no policies."""
    role = _find(context, parameters)
    if role.policies:
        raise AwsError("DeleteConflictException", "Cannot delete entity, must delete policies first.")
    del context.world.zone.roles[role.arn]
    context.world.changed()
    return {}


@operation("TagRole")
def tag_role(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add tags, or change their values."""
    role = _find(context, parameters)
    role.tags = _merge_tags(role.tags, parameters["Tags"])
    context.world.changed()
    return {}


@operation("PutRolePolicy")
def put_role_policy(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Add or replace an inline policy; from then on the role's sessions are held to its policies."""
    role = _find(context, parameters)
    document = parameters["PolicyDocument"]
    _check_policy(document)
    policies = {**role.policies, parameters["PolicyName"]: document}
    if sum(map(_size, policies.values())) > _MAX_INLINE_POLICIES:
        message = f"Maximum policy size of {_MAX_INLINE_POLICIES} bytes exceeded for role {role.name}"
        raise _over_limit(message)
    role.policies = policies
    context.world.changed()
    return {}


@operation("GetRolePolicy")
def get_role_policy(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One inline policy."""
    role, name = _find(context, parameters), parameters["PolicyName"]
    _require_policy(role, name)
    return {"RoleName": role.name, "PolicyName": name, "PolicyDocument": quote(role.policies[name], safe="")}


@operation("ListRolePolicies")
def list_role_policies(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The names of a role's inline policies."""
    names = sorted(_find(context, parameters).policies)
    page, following = page_of(context, parameters, names, cursor="Marker", size="MaxItems", default_size=100)
    answer: dict[str, Any] = {"PolicyNames": page, "IsTruncated": following is not None}
    return {**answer, "Marker": following} if following else answer


@operation("DeleteRolePolicy")
def delete_role_policy(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Take an inline policy away; a role without any is held to nothing."""
    role, name = _find(context, parameters), parameters["PolicyName"]
    _require_policy(role, name)
    del role.policies[name]
    context.world.changed()
    return {}


def _roles(context: Context) -> list[Role]:
    return [role for role in context.world.zone.roles.values() if role.account_id == context.account]


def _find(context: Context, parameters: Parameters) -> Role:
    name = parameters["RoleName"]
    for role in _roles(context):
        if role.name == name:
            return role
    raise AwsError("NoSuchEntityException", f"The role with name {name} cannot be found.")


def _require_policy(role: Role, name: str) -> None:
    if name not in role.policies:
        raise AwsError("NoSuchEntityException", f"The role policy with name {name} cannot be found.")


def _check_policy(document: str, *, is_trust_policy: bool = False) -> None:
    try:
        read_policy(document, is_trust_policy=is_trust_policy)
    except MalformedPolicy as error:
        raise AwsError("MalformedPolicyDocumentException", str(error)) from error


def _size(document: str) -> int:
    # White space doesn't count.
    return len(_WHITE.sub("", document))


def _merge_tags(tags: dict[str, str], given: list[dict[str, str]]) -> dict[str, str]:
    merged = {**tags, **{tag["Key"]: tag["Value"] for tag in given}}
    if len(merged) > _MAX_TAGS:
        raise _over_limit(f"The number of tags has reached the maximum limit of {_MAX_TAGS}.")
    return merged


def _over_limit(message: str) -> AwsError:
    return AwsError("LimitExceededException", message)


def _describe(role: Role) -> dict[str, Any]:
    return {
        "Path": role.path,
        "RoleName": role.name,
        "RoleId": role.role_id,
        "Arn": role.arn,
        "CreateDate": moment(role.created_at),
        "AssumeRolePolicyDocument": quote(role.trust_policy, safe=""),
        "Description": role.description,
        "MaxSessionDuration": role.max_session_seconds,
        "Tags": [{"Key": key, "Value": value} for key, value in role.tags.items()],
    }
