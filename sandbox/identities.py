"""IAM Identity Center's own directory: the people and groups that accounts are assigned to."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import Any

IDENTITY_STORE_ID = "d-9067c0ffee"
_DOMAIN = "corp.example"

# mailbox, given name, family name
_PEOPLE = (
    ("dev1", "Dev", "One"),
    ("dev2", "Dev", "Two"),
    ("dev3", "Dev", "Three"),
    ("dev4", "Dev", "Four"),
    ("lead", "Team", "Lead"),
    ("platform1", "Platform", "One"),
    ("platform2", "Platform", "Two"),
    ("approver", "First", "Approver"),
    ("auditor1", "Auditor", "One"),
    ("security1", "Security", "One"),
    ("finops1", "Finops", "One"),
    ("finops2", "Finops", "Two"),
)

# name, description, mailboxes of its members
_GROUPS = (
    ("platform", "Runs the landing zone", ("platform1", "platform2", "approver")),
    ("developers", "Builds in the accounts", ("dev1", "dev2", "dev3", "dev4", "lead")),
    ("auditors", "Reads everything, changes nothing", ("auditor1", "security1")),
    ("finops", "Watches what is spent", ("finops1", "finops2")),
)


@dataclass
class User:
    """A person; `attributes` holds the other members that CreateUser took, as it took them."""

    id: str
    user_name: str
    attributes: dict[str, Any]
    created_at: float
    updated_at: float

    @property
    def emails(self) -> list[str]:
        """The addresses, as they were given."""
        return [entry["Value"] for entry in self.attributes.get("Emails", []) if "Value" in entry]


@dataclass
class Group:
    """A group; `members` tells since when each user's id is in it."""

    id: str
    name: str
    description: str
    created_at: float
    members: dict[str, float] = field(default_factory=dict)


def seed_users(created_at: float) -> dict[str, User]:
    """The dozen people of a fresh sandbox, by id; deterministic."""
    users = {}
    for mailbox, given_name, family_name in _PEOPLE:
        identifier = _stable_id("user", mailbox)
        address = f"{mailbox}@{_DOMAIN}"
        attributes = describe_person(address, given_name, family_name)
        users[identifier] = User(identifier, address, attributes, created_at, created_at)
    return users


def seed_groups(created_at: float) -> dict[str, Group]:
    """The groups of a fresh sandbox, by id; deterministic."""
    groups = {}
    for name, description, mailboxes in _GROUPS:
        members = {_stable_id("user", mailbox): created_at for mailbox in mailboxes}
        identifier = _stable_id("group", name)
        groups[identifier] = Group(identifier, name, description, created_at, members)
    return groups


def describe_person(email: str, given_name: str, family_name: str) -> dict[str, Any]:
    """A user's attributes as CreateUser takes them."""
    return {
        "Name": {"GivenName": given_name, "FamilyName": family_name},
        "DisplayName": f"{given_name} {family_name}",
        "Emails": [{"Value": email, "Type": "work", "Primary": True}],
    }


def find_user(users: dict[str, User], *, user_name: str | None = None, email: str | None = None) -> User | None:
    """The user of that name or of that address, both compared case-folded."""
    for user in users.values():
        if user_name is not None and user.user_name.casefold() == user_name.casefold():
            return user
        if email is not None and email.casefold() in [known.casefold() for known in user.emails]:
            return user
    return None


def ensure_user(users: dict[str, User], email: str, given_name: str, family_name: str, now: float) -> User:
    """The user with that address as name or e-mail, made when there is none; safe to repeat."""
    known = find_user(users, user_name=email, email=email)
    if known is not None:
        return known
    user = User(new_id(), email, describe_person(email, given_name, family_name), now, now)
    users[user.id] = user
    return user


def new_id() -> str:
    """An id for a user, as the directory makes them."""
    return f"{IDENTITY_STORE_ID[2:]}-{uuid.uuid4()}"


def membership_id(group_id: str, user_id: str) -> str:
    """The id of a user's membership in a group; always the same for the two."""
    return _stable_id("membership", f"{group_id}/{user_id}")


def _stable_id(kind: str, name: str) -> str:
    return f"{IDENTITY_STORE_ID[2:]}-{uuid.uuid5(uuid.NAMESPACE_URL, f'{kind}/{name}')}"
