"""Stories: a table in DynamoDB is master of the registry of deployments."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import CloudError, Conflict
from sandbox.delivery.seed import DEPLOYMENTS, TABLE
from tests.stories.releases import WEB
from tests.support.stage import Stage, Theatre


async def known(stage: Stage) -> dict[str, str]:
    return {d.key: d.account for d in await stage.application.services.deployments.all()}


async def test_the_registry_follows_the_table_and_takes_nothing_of_a_foreign_account(
    theatre: Theatre, tmp_path: Path
) -> None:
    async with theatre.open_stage(tmp_path, deployment_table=TABLE) as stage:
        table = stage.aws("dynamodb")

        def puts(name: str, account: str) -> None:
            fields = {"id": name, "type": "silo", "account": account, "region": "eu-west-1"}
            table.put_item(TableName=TABLE, Item={key: {"S": value} for key, value in fields.items()})

        boss = stage.speaker("Bo Diaz", email="bo@corp.example")
        await boss.says("import the deployments")
        boss.hears(f"follows the table {TABLE}, with {len(DEPLOYMENTS)} deployments", "added")
        first = await known(stage)
        assert len(first) == len(DEPLOYMENTS)
        puts("umbrella", WEB)
        puts("intruder", "999999999999")
        table.delete_item(TableName=TABLE, Key={"id": {"S": "acme"}})
        await boss.says("import the deployments")
        boss.hears("1 added: silo-umbrella", "retired", "silo-acme", "silo-intruder: the account 999999999999")
        assert set(await known(stage)) == {*first, "silo-umbrella"} - {"silo-acme"}
        puts("acme", WEB)
        await boss.says("import the deployments")
        boss.hears("1 back again: silo-acme")
        assert (await known(stage))["silo-acme"] == WEB
        await boss.says(f"add silo stranger in {WEB} eu-central-1")
        boss.hears(f"The table {TABLE} is master of the deployments, and has no silo-stranger")


async def test_a_scan_that_breaks_off_changes_nothing_and_what_is_ours_stays_ours(
    theatre: Theatre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with theatre.open_stage(tmp_path, deployment_table=TABLE) as stage:
        services = stage.application.services
        boss = stage.speaker("Bo Diaz", email="bo@corp.example")
        await boss.says("import the deployments")
        boss.hears("added")
        before = await known(stage)
        person = await services.people.of_email("bo@corp.example", name="Bo")
        listed = await services.deployments.all()
        await services.deployments.keep([replace(listed[0], tier="production")], person, surface="test")
        pages = services.cloud.pages

        async def breaks_off(service: str, operation: str, *names: Any, **parameters: Any) -> AsyncIterator[Any]:
            async for item in pages(service, operation, *names, **parameters):
                yield item
                if operation == "Scan":
                    raise CloudError("InternalServerError", "the second page is not there", operation=operation)

        monkeypatch.setattr(services.cloud, "pages", breaks_off)
        await boss.says("import the deployments")
        boss.does_not_hear("retired")
        assert await known(stage) == before
        monkeypatch.undo()
        await boss.says("import the deployments")
        boss.hears("Nothing has changed")
        assert [d.tier for d in await services.deployments.all()][:2] == ["production", listed[1].tier]
        with pytest.raises(Conflict, match=f"The table {TABLE} is master"):
            await services.deployments.keep([replace(listed[0], region="eu-west-3")], person, surface="test")
