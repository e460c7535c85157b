"""AWS STS: who am I, and credentials for a role in an account."""

from __future__ import annotations

import re
import secrets
import string
from datetime import UTC, datetime
from time import time
from typing import Any

from sandbox.assuming import (
    check_duration,
    check_session_policy,
    check_trust,
    choose_source_identity,
    choose_tags,
    deny,
)
from sandbox.errors import AwsError
from sandbox.model import RoleSession
from sandbox.registry import Context, Parameters, Service, serve

operation = serve(
    Service(
        "sts",
        signing_name="sts",
        invalid="ValidationError",
        throttled="Throttling",
        denied="AccessDenied",
        failed="InternalFailure",
        denied_status=403,
    )
)

_ROLE_ARN = re.compile(r"arn:aws:iam::(?P<account>\d{12}):role/(?:[\w+=,.@/-]*/)?(?P<name>[\w+=,.@-]{1,64})")
_KEY_ALPHABET = string.ascii_uppercase + "234567"


@operation("GetCallerIdentity")
def get_caller_identity(context: Context, _parameters: Parameters) -> dict[str, Any]:
    """The caller, as its access key tells."""
    session = context.world.zone.sessions.get(context.access_key)
    user_id = f"{session.role_id}:{session.session_name}" if session else "AIDASANDBOXUSER00000"
    return {"UserId": user_id, "Account": context.account, "Arn": context.caller}


@operation("AssumeRole")
def assume_role(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Credentials whose access key belongs to the role's account.

    A role made with CreateRole is held to its trust policy; any other role of an account that isn't closed can
    be assumed by everybody and may do everything.
    """
    arn = parameters["RoleArn"]
    found = _ROLE_ARN.fullmatch(arn)
    if found is None:
        raise AwsError("ValidationError", f"{arn} is invalid")
    world, caller = context.world, context.principal
    account = world.zone.accounts.get(found["account"])
    if account is None or account.status == "SUSPENDED":
        raise deny(caller, "sts:AssumeRole", arn)
    role = world.zone.roles.get(arn)
    tags, transitive_keys = choose_tags(caller, parameters)
    policy = check_session_policy(parameters)
    if role is not None:
        check_trust(world, caller, role, context.region, parameters)
    source_identity = choose_source_identity(caller, arn, parameters)
    seconds = parameters.get("DurationSeconds", 3_600)
    check_duration(caller, role, seconds)
    # Expiry counts in real time, because that is when the SDKs renew credentials.
    expires_at = time() + seconds
    session = RoleSession(
        access_key="ASIA" + _random(16),
        account_id=found["account"],
        role_name=found["name"],
        session_name=parameters["RoleSessionName"],
        role_id=role.role_id if role is not None else "AROA" + _random(17),
        expires_at=expires_at,
        role_arn=arn,
        tags=tags,
        transitive_keys=transitive_keys,
        source_identity=source_identity,
        policy=policy,
    )
    sessions = world.zone.sessions
    for expired in [key for key, known in sessions.items() if known.expires_at < time() - 86_400]:
        del sessions[expired]
    sessions[session.access_key] = session
    world.changed()
    assumed = f"arn:aws:sts::{session.account_id}:assumed-role/{session.role_name}/{session.session_name}"
    return {
        "Credentials": {
            "AccessKeyId": session.access_key,
            "SecretAccessKey": secrets.token_urlsafe(30),
            "SessionToken": secrets.token_urlsafe(90),
            "Expiration": datetime.fromtimestamp(int(expires_at), UTC),
        },
        "AssumedRoleUser": {"AssumedRoleId": f"{session.role_id}:{session.session_name}", "Arn": assumed},
        "PackedPolicySize": min(100, len(policy) // 20),
        **({"SourceIdentity": source_identity} if source_identity else {}),
    }


def _random(length: int) -> str:
    return "".join(secrets.choice(_KEY_ALPHABET) for _ in range(length))
