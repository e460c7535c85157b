"""IAM Identity Center's permission sets, and who has which in which account."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.identities import Group
    from sandbox.world import World

_INSTANCE_ID = "ssoins-7223c0ffee5a4d10"
INSTANCE_ARN = f"arn:aws:sso:::instance/{_INSTANCE_ID}"
SECONDS_TO_ASSIGN = 20.0
ADMINISTRATOR_ACCESS = "AWSAdministratorAccess"
READ_ONLY_ACCESS = "AWSReadOnlyAccess"


@dataclass(frozen=True)
class PermissionSet:
    """A permission set of the house; they can't be changed."""

    name: str
    description: str
    session_duration: str

    @property
    def arn(self) -> str:
        """Its ARN, always the same for its name."""
        return f"arn:aws:sso:::permissionSet/{_INSTANCE_ID}/ps-{hashlib.sha256(self.name.encode()).hexdigest()[:16]}"


@dataclass
class Assignment:
    """A principal that has a permission set in an account."""

    account_id: str
    permission_set_arn: str
    principal_type: str
    principal_id: str

    @property
    def key(self) -> str:
        """What it is kept under."""
        return "|".join((self.account_id, self.permission_set_arn, self.principal_type, self.principal_id))


@dataclass
class AssignmentRequest:
    """A wish to create or delete an assignment; it is decided when it comes due.

    `refusal` is the reason it will fail for, known from the start.
    """

    id: str
    kind: str
    account_id: str
    permission_set_arn: str
    principal_type: str
    principal_id: str
    created_at: float
    due: float
    status: str = "IN_PROGRESS"
    refusal: str | None = None

    @property
    def assignment(self) -> Assignment:
        """What is to be created or deleted."""
        return Assignment(self.account_id, self.permission_set_arn, self.principal_type, self.principal_id)


PERMISSION_SETS = {
    entry.arn: entry
    for entry in (
        PermissionSet(ADMINISTRATOR_ACCESS, "Full access to AWS services and resources", "PT1H"),
        PermissionSet("AWSPowerUserAccess", "Full access except to users, groups and the organization", "PT1H"),
        PermissionSet(READ_ONLY_ACCESS, "Sees everything, changes nothing", "PT1H"),
        PermissionSet("CorpDeveloperAccess", "Builds and deploys, within the house's boundary", "PT8H"),
        PermissionSet("CorpBillingAccess", "Sees costs, keeps budgets", "PT4H"),
    )
}


def arn_of(name: str) -> str:
    """The ARN of the permission set of that name."""
    return next(arn for arn, entry in PERMISSION_SETS.items() if entry.name == name)


def seed_assignments(account_ids: Iterable[str], groups: Iterable[Group]) -> dict[str, Assignment]:
    """The platform group administers every account, and the auditors read it."""
    ids = {group.name: group.id for group in groups}
    made = [
        Assignment(account_id, arn_of(permission_set), "GROUP", ids[group])
        for account_id in account_ids
        for group, permission_set in (("platform", ADMINISTRATOR_ACCESS), ("auditors", READ_ONLY_ACCESS))
    ]
    return {assignment.key: assignment for assignment in made}


def request_assignment(world: World, kind: str, wanted: Assignment, refusal: str | None) -> AssignmentRequest:
    """Put a creation or deletion on its way; `settle_assignments` ends it."""
    now = world.clock.now()
    request = AssignmentRequest(
        id=str(uuid.uuid4()),
        kind=kind,
        account_id=wanted.account_id,
        permission_set_arn=wanted.permission_set_arn,
        principal_type=wanted.principal_type,
        principal_id=wanted.principal_id,
        created_at=now,
        due=now + SECONDS_TO_ASSIGN,
        refusal=refusal,
    )
    world.zone.assignment_requests[request.id] = request
    world.changed()
    return request


def is_under_change(world: World, wanted: Assignment) -> bool:
    """Whether this assignment is being created or deleted right now."""
    return any(
        request.status == "IN_PROGRESS" and request.assignment == wanted
        for request in world.zone.assignment_requests.values()
    )


def settle_assignments(world: World) -> None:
    """End every request that has come due."""
    now = world.clock.now()
    for request in world.zone.assignment_requests.values():
        if request.status != "IN_PROGRESS" or request.due > now:
            continue
        if request.refusal is not None:
            request.status = "FAILED"
        elif request.kind == "creation":
            world.zone.assignments[request.assignment.key] = request.assignment
            request.status = "SUCCEEDED"
        else:
            world.zone.assignments.pop(request.assignment.key, None)
            request.status = "SUCCEEDED"
        world.changed()
