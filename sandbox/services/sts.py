"""AWS STS: who am I, and credentials for a role in an account."""

from __future__ import annotations

import re
import secrets
import string
from datetime import UTC, datetime
from time import time
from typing import Any

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
    """Credentials whose access key belongs to the role's account; any role of the organization will do."""
    arn = parameters["RoleArn"]
    found = _ROLE_ARN.fullmatch(arn)
    if found is None:
        raise AwsError("ValidationError", f"{arn} is invalid")
    if found["account"] not in context.world.zone.accounts:
        raise AwsError(
            "AccessDenied",
            f"User: {context.caller} is not authorized to perform: sts:AssumeRole on resource: {arn}",
            status=403,
        )
    # Expiry counts in real time, because that is when the SDKs renew credentials.
    expires_at = time() + parameters.get("DurationSeconds", 3_600)
    session = RoleSession(
        access_key="ASIA" + _random(16),
        account_id=found["account"],
        role_name=found["name"],
        session_name=parameters["RoleSessionName"],
        role_id="AROA" + _random(17),
        expires_at=expires_at,
    )
    sessions = context.world.zone.sessions
    for expired in [key for key, known in sessions.items() if known.expires_at < time() - 86_400]:
        del sessions[expired]
    sessions[session.access_key] = session
    context.world.changed()
    assumed = f"arn:aws:sts::{session.account_id}:assumed-role/{session.role_name}/{session.session_name}"
    return {
        "Credentials": {
            "AccessKeyId": session.access_key,
            "SecretAccessKey": secrets.token_urlsafe(30),
            "SessionToken": secrets.token_urlsafe(90),
            "Expiration": datetime.fromtimestamp(int(expires_at), UTC),
        },
        "AssumedRoleUser": {"AssumedRoleId": f"{session.role_id}:{session.session_name}", "Arn": assumed},
        "PackedPolicySize": 0,
    }


def _random(length: int) -> str:
    return "".join(secrets.choice(_KEY_ALPHABET) for _ in range(length))
