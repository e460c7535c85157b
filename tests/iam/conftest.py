"""A stage whose management role is held to a policy by the sandboxed AWS."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.landing_zone import HOME_REGION, MANAGEMENT_ACCOUNT, ORGANIZATION_ID
from sandbox.sessions import DEFAULT_CALLER
from tests.support.stage import Stage, Theatre
from tests.support.theatre import theatre
from tools.iam import GUIDE, whole_policy
from tools.permissions import Names

__all__ = ["theatre"]

NAMES = Names(
    region=HOME_REGION, management=MANAGEMENT_ACCOUNT, organization=ORGANIZATION_ID, bot=MANAGEMENT_ACCOUNT, topic="*"
)
_numbers = itertools.count(1)


@dataclass
class Held:
    """A running bot, and the role that it is held to."""

    stage: Stage
    role: str
    arn: str

    def take_away(self, *actions: str) -> None:
        """Let the role do everything that the written policy says but for these actions."""
        self.put(without(whole_policy("management", NAMES), *actions))

    def put(self, policy: Mapping[str, Any]) -> None:
        """Give the role this policy alone."""
        self.stage.aws("iam").put_role_policy(
            RoleName=self.role, PolicyName="quartermaster", PolicyDocument=json.dumps(policy)
        )

    async def calls(self) -> list[dict[str, Any]]:
        """Return the calls that the role has made, oldest first."""
        answer = await self.stage._sandbox.get("/_sandbox/calls")
        return [call for call in answer.json() if call["role"] == self.arn]


def without(policy: Mapping[str, Any], *actions: str) -> dict[str, Any]:
    """Return the policy with these actions taken out."""
    kept = []
    for statement in policy["Statement"]:
        left = [action for action in statement["Action"] if action not in actions]
        kept += [{**statement, "Action": left}] if left else []
    return {**policy, "Statement": kept}


def trust_policy(trusted: str = DEFAULT_CALLER) -> str:
    """Return the guide's trust policy of the management role, for the sandbox's own user unless another is named."""
    documents = re.findall(r"```json\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    trust: str = next(document for document in documents if '"Principal"' in document)
    return trust.replace("arn:aws:iam::BOT_ACCOUNT:role/Quartermaster", trusted)


OpenHeld = Callable[..., AbstractAsyncContextManager[Held]]


@pytest.fixture
def open_held(theatre: Theatre, tmp_path: Path) -> OpenHeld:
    """Return what opens a stage with a management role that has exactly the written policy."""

    @asynccontextmanager
    async def opening(*, trusted: str = DEFAULT_CALLER, **settings: Any) -> AsyncIterator[Held]:
        # A name of its own: clients of an earlier test's role would be the sandbox's own user now.
        role = f"QuartermasterManagement{next(_numbers)}"
        arn = f"arn:aws:iam::{MANAGEMENT_ACCOUNT}:role/{role}"
        async with theatre.open_stage(tmp_path, management_role_arn=arn, **settings) as stage:
            stage.aws("iam").create_role(RoleName=role, AssumeRolePolicyDocument=trust_policy(trusted))
            held = Held(stage, role, arn)
            held.take_away()
            yield held

    return opening


@pytest.fixture
async def held(open_held: OpenHeld) -> AsyncIterator[Held]:
    """A bot whose management role has exactly the written policy."""
    async with open_held() as opened:
        yield opened
