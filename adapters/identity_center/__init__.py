"""IAM Identity Center as a keeper of groups: who is in a group, by its id, through the management role."""

from __future__ import annotations

from typing import Any

from bot.cloud import Cloud
from bot.errors import CloudError, Invalid, NotFound, Unavailable
from bot.people import checked_email
from bot.services import Services
from bot.settings import Settings

SOURCE = "identity-center"
DISABLED = "DISABLED"
SEVERAL = 20
"""Members from which all users are listed, 100 a page, rather than looked up one by one."""


def connect(services: Services) -> None:
    """Have groups of Identity Center read by this."""
    services.groups.connect(SOURCE, IdentityCenterGroups(services.cloud, services.settings))


class IdentityCenterGroups:
    """Reads groups of the instance in Control Tower's Region."""

    def __init__(self, cloud: Cloud, settings: Settings) -> None:
        self._cloud, self._settings = cloud, settings

    async def members(self, group: str) -> tuple[str, ...]:
        """Return the addresses of a group's users, but for disabled ones. Raises NotFound or CloudError."""
        store = await self._store()
        try:
            listed = await self._listing(
                "identitystore", "ListGroupMemberships", "GroupMemberships", IdentityStoreId=store, GroupId=group
            )
        except CloudError as error:
            if error.code == "ResourceNotFoundException":
                raise NotFound(f"Identity Center has no group {group}.") from error
            raise
        members = {str(entry["MemberId"].get("UserId", "")) for entry in listed} - {""}
        users = await self._users(store, members)
        return tuple(address for user in users if (address := _address_of(user)))

    async def _store(self) -> str:
        """Return the identity store's id; asked each time, since an instance may be made anew."""
        instances = await self._listing("sso-admin", "ListInstances", "Instances")
        if not instances:
            raise Unavailable("IAM Identity Center has no instance in Control Tower's Region.")
        return str(instances[0]["IdentityStoreId"])

    async def _users(self, store: str, ids: set[str]) -> list[dict[str, Any]]:
        if len(ids) > SEVERAL:
            everybody = await self._listing("identitystore", "ListUsers", "Users", IdentityStoreId=store)
            return [user for user in everybody if user["UserId"] in ids]
        return [
            await self._cloud.call(
                "identitystore",
                "DescribeUser",
                region=self._settings.control_tower_region,
                role=self._settings.management_role_arn,
                IdentityStoreId=store,
                UserId=user,
            )
            for user in sorted(ids)
        ]

    async def _listing(self, service: str, operation: str, result: str, **parameters: Any) -> list[dict[str, Any]]:
        pages = self._cloud.pages(
            service,
            operation,
            result,
            region=self._settings.control_tower_region,
            role=self._settings.management_role_arn,
            **parameters,
        )
        return [entry async for entry in pages]


def _address_of(user: dict[str, Any]) -> str:
    """Return the primary address of a user who may sign in, empty if there is none."""
    if user.get("UserStatus") == DISABLED:
        return ""
    emails = user.get("Emails", ())
    primary = next((entry for entry in emails if entry.get("Primary")), emails[0] if emails else {})
    try:
        return checked_email(str(primary.get("Value", "")))
    except Invalid:
        return ""
