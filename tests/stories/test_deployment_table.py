"""Stories: a table in DynamoDB is master of the registry of deployments."""

from __future__ import annotations

from pathlib import Path

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
