"""Who a call comes from: found by its access key."""

from __future__ import annotations

from time import time

from sandbox.errors import AwsError
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from sandbox.world import World

DEFAULT_CALLER = f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:user/sandbox"


def identify_caller(world: World, access_key: str) -> tuple[str, str]:
    """Account id and ARN of a caller; an unknown access key is the management account's own user.

    ExpiredTokenException for temporary credentials past their (wall-clock) time.
    """
    session = world.zone.sessions.get(access_key)
    if session is None:
        return MANAGEMENT_ACCOUNT, DEFAULT_CALLER
    if session.expires_at <= time():
        raise AwsError("ExpiredTokenException", "The security token included in the request is expired", status=403)
    return (
        session.account_id,
        f"arn:aws:sts::{session.account_id}:assumed-role/{session.role_name}/{session.session_name}",
    )
