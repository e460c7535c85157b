"""Who a call comes from: found by its access key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time

from sandbox.errors import AwsError
from sandbox.landing_zone import MANAGEMENT_ACCOUNT
from sandbox.world import World

DEFAULT_CALLER = f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:user/sandbox"


@dataclass(frozen=True)
class Caller:
    """A caller's account and ARN; of a role's session also the role, its session tags and its session policy."""

    account: str
    arn: str
    role_arn: str = ""
    session_tags: Mapping[str, str] = field(default_factory=dict)
    transitive_keys: tuple[str, ...] = ()
    source_identity: str = ""
    session_policy: str = ""


def identify_caller(world: World, access_key: str) -> Caller:
    """Who has an access key; an unknown one is the management account's own user.

    ExpiredTokenException for temporary credentials past their (wall-clock) time.
    """
    session = world.zone.sessions.get(access_key)
    if session is None:
        return Caller(MANAGEMENT_ACCOUNT, DEFAULT_CALLER)
    if session.expires_at <= time():
        raise AwsError("ExpiredTokenException", "The security token included in the request is expired", status=403)
    return Caller(
        account=session.account_id,
        arn=f"arn:aws:sts::{session.account_id}:assumed-role/{session.role_name}/{session.session_name}",
        role_arn=session.role_arn,
        session_tags=session.tags,
        transitive_keys=tuple(session.transitive_keys),
        source_identity=session.source_identity,
        session_policy=session.policy,
    )
