"""Groups of Identity Center, read through the port from the sandbox."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from adapters.aws import BotoCloud
from adapters.identity_center import IdentityCenterGroups
from bot.errors import NotFound
from bot.settings import load_settings
from sandbox.identities import IDENTITY_STORE_ID
from sandbox.server import Sandbox


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    sandbox = Sandbox(speed=0).start()
    yield sandbox
    sandbox.stop()


async def test_members_are_found_by_a_groups_id_one_by_one_and_in_a_listing(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(aws_endpoint_url=sandbox.url)
    cloud = BotoCloud(settings)
    try:
        listed = cloud.pages("identitystore", "ListGroups", "Groups", IdentityStoreId=IDENTITY_STORE_ID)
        ids = {group["DisplayName"]: group["GroupId"] async for group in listed}
        groups = IdentityCenterGroups(cloud, settings)
        finops = {"finops1@corp.example", "finops2@corp.example"}
        assert set(await groups.members(ids["finops"])) == finops
        monkeypatch.setattr("adapters.identity_center.SEVERAL", 1)
        assert set(await groups.members(ids["finops"])) == finops
        with pytest.raises(NotFound):
            await groups.members("9067c0ffee-00000000-0000-0000-0000-000000000000")
    finally:
        cloud.close()
