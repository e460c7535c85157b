"""AssumeRole's rules: who a role trusts, and which tags and policies a session may be given."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.authorization import actions_of, condition_keys
from sandbox.errors import AwsError
from sandbox.model import Role
from sandbox.policies import MalformedPolicy, Statement, Verdict, decide, read_policy
from sandbox.sessions import Caller
from sandbox.world import World

MAX_CHAINED_SECONDS = 3_600
_MAX_POLICY = 2_048


def check_trust(world: World, caller: Caller, role: Role, region: str, parameters: Mapping[str, Any]) -> None:
    """AccessDenied unless the role's trust policy lets the caller assume it, tag it and name its source identity.

    Unlike in real AWS, a trust policy alone never replaces the identity policy of a caller that has one.
    """
    keys = condition_keys(world, caller, region, parameters)
    statements = [
        statement for statement in read_policy(role.trust_policy, is_trust_policy=True) if _names(statement, caller)
    ]
    for action in actions_of("sts", "AssumeRole", parameters):
        if decide(statements, action, role.arn, keys) is not Verdict.ALLOWED:
            raise deny(caller, action, role.arn)


def deny(caller: Caller, action: str, arn: str) -> AwsError:
    """The error for a role that can't be assumed."""
    message = f"User: {caller.arn} is not authorized to perform: {action} on resource: {arn}"
    return AwsError("AccessDenied", message, status=403)


def choose_tags(caller: Caller, parameters: Mapping[str, Any]) -> tuple[dict[str, str], list[str]]:
    """A session's tags and which of them go on to further roles; InvalidParameterValue if they can't be.

    Tags that are transitive in the caller's session are inherited and can't be set anew.
    """
    given = [(tag["Key"], tag["Value"]) for tag in parameters.get("Tags", [])]
    keys = [key.lower() for key, _ in given]
    if len(set(keys)) != len(keys):
        raise _invalid("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
    if any(key.startswith("aws:") for key in keys):
        raise _invalid("Tag keys must not begin with aws:, which is reserved.")
    transitive = list(parameters.get("TransitiveTagKeys", []))
    if not {key.lower() for key in transitive} <= set(keys):
        raise _invalid("The specified transitive tag key must be included in the requested tags.")
    inherited = {key: caller.session_tags[key] for key in caller.transitive_keys}
    if {key.lower() for key in inherited} & set(keys):
        raise _invalid(
            "One of the specified tag keys can't be set because it conflicts with a transitive tag key "
            "from the calling session."
        )
    return {**inherited, **dict(given)}, [*inherited, *transitive]


def choose_source_identity(caller: Caller, arn: str, parameters: Mapping[str, Any]) -> str:
    """A session's source identity; once set, it goes on to every further role and can't be changed."""
    asked = str(parameters.get("SourceIdentity", ""))
    if caller.source_identity and asked not in ("", caller.source_identity):
        raise deny(caller, "sts:SetSourceIdentity", arn)
    return caller.source_identity or asked


def check_session_policy(parameters: Mapping[str, Any]) -> str:
    """A session policy that can be simulated, or none; MalformedPolicyDocument, PackedPolicyTooLarge."""
    if parameters.get("PolicyArns"):
        raise AwsError("ValidationError", "Managed policies aren't simulated here; pass the policy itself as Policy.")
    policy = str(parameters.get("Policy", ""))
    if len(policy) > _MAX_POLICY:
        raise AwsError("PackedPolicyTooLargeException", f"A session policy may have {_MAX_POLICY} characters.")
    if policy:
        try:
            read_policy(policy)
        except MalformedPolicy as error:
            raise AwsError("MalformedPolicyDocumentException", str(error)) from error
    return policy


def check_duration(caller: Caller, role: Role | None, seconds: int) -> None:
    """ValidationError for a session longer than the role, or chaining roles, allows."""
    if role is not None and seconds > role.max_session_seconds:
        message = "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
        raise AwsError("ValidationError", message)
    if caller.role_arn and seconds > MAX_CHAINED_SECONDS:
        message = "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."
        raise AwsError("ValidationError", message)


def _names(statement: Statement, caller: Caller) -> bool:
    own = {"*", caller.account, f"arn:aws:iam::{caller.account}:root", caller.arn}
    return bool(own.union([caller.role_arn] if caller.role_arn else []) & set(statement.principals))


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)
