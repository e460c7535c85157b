"""Who is in IAM Identity Center: the person who will sign in first, the groups, the permission sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from bot.errors import CloudError
from intents.account_vending.kept import Kept

PERSON_KEPT = 60.0
"""Seconds for which it is remembered whether somebody exists."""
_ABSENT = "ResourceNotFoundException"


class Calling(Protocol):
    """Calls AWS through the management role, in Control Tower's Region."""

    async def call(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Return one operation's answer; raises CloudError."""
        ...


class IdentityCenter:
    """Looks people, groups and permission sets up. What it finds is kept for minutes."""

    def __init__(self, calling: Calling) -> None:
        self._calling, self._kept = calling, Kept()

    async def person(self, email: str, *, fresh: bool = False) -> Mapping[str, str]:
        """Return {"state": "exists" | "absent" | "unknown"}, with "first" and "last" of one who exists.

        Unknown, with "why", when Identity Center can't be asked: the order does not depend on it.
        """
        try:
            return await self._kept.get(
                f"person:{email}", lambda: self._find_person(email), seconds=PERSON_KEPT, fresh=fresh
            )
        except CloudError as error:
            return {"state": "unknown", "why": f"{error.operation}: {error.code}"}

    async def access(self, group: str, permission_set: str, *, fresh: bool = False) -> Mapping[str, str]:
        """Return {"instance", "group_id", "permission_set_arn"}, or an "error" that names what is missing.

        Raises CloudError.
        """
        arn, store = await self._instance()
        if not arn:
            return {"error": "IAM Identity Center has no instance here."}
        group_id = await self._kept.get(f"group:{group}", lambda: self._find_group(store, group), fresh=fresh)
        if not group_id:
            return {"error": f"Identity Center has no group “{group}”."}
        sets = await self._kept.get("permission-sets", lambda: self._list_permission_sets(arn), fresh=fresh)
        if permission_set not in sets and not fresh:
            sets = await self._kept.get("permission-sets", lambda: self._list_permission_sets(arn), fresh=True)
        if permission_set not in sets:
            return {"error": f"Identity Center has no permission set “{permission_set}”."}
        return {"instance": arn, "group_id": group_id, "permission_set_arn": sets[permission_set]}

    async def _instance(self) -> tuple[str, str]:
        """Return the instance's ARN and its identity store's id; empty without one."""

        async def read() -> tuple[str, str]:
            found = (await self._calling.call("sso-admin", "ListInstances")).get("Instances", ())
            return (found[0]["InstanceArn"], found[0]["IdentityStoreId"]) if found else ("", "")

        return await self._kept.get("instance", read)

    async def _find_person(self, email: str) -> Mapping[str, str]:
        _, store = await self._instance()
        if not store:
            return {"state": "unknown", "why": "there is no instance in this Region"}
        wanted = {"UniqueAttribute": {"AttributePath": "userName", "AttributeValue": email}}
        found = await self._look("GetUserId", IdentityStoreId=store, AlternateIdentifier=wanted)
        if found is None:
            return {"state": "absent"}
        user = await self._look("DescribeUser", IdentityStoreId=store, UserId=found["UserId"])
        if user is None:
            return {"state": "absent"}
        name = user.get("Name", {})
        return {"state": "exists", "first": name.get("GivenName", ""), "last": name.get("FamilyName", "")}

    async def _find_group(self, store: str, group: str) -> str:
        wanted = {"UniqueAttribute": {"AttributePath": "displayName", "AttributeValue": group}}
        found = await self._look("GetGroupId", IdentityStoreId=store, AlternateIdentifier=wanted)
        return str(found["GroupId"]) if found else ""

    async def _look(self, operation: str, **parameters: Any) -> dict[str, Any] | None:
        try:
            return await self._calling.call("identitystore", operation, **parameters)
        except CloudError as error:
            if error.code != _ABSENT:
                raise
            return None

    async def _list_permission_sets(self, instance: str) -> dict[str, str]:
        """Return the ARNs of all permission sets by name."""
        named: dict[str, str] = {}
        following: dict[str, str] = {}
        while True:
            page = await self._calling.call("sso-admin", "ListPermissionSets", InstanceArn=instance, **following)
            for arn in page.get("PermissionSets", ()):
                described = await self._calling.call(
                    "sso-admin", "DescribePermissionSet", InstanceArn=instance, PermissionSetArn=arn
                )
                named[described["PermissionSet"]["Name"]] = arn
            if not page.get("NextToken"):
                return named
            following = {"NextToken": page["NextToken"]}
