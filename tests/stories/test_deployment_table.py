"""Stories: a table in DynamoDB is master of the registry of deployments."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.errors import CloudError, Conflict
from sandbox.delivery.seed import DEPLOYMENTS, TABLE
from tests.stories.accounts import is_approved
from tests.stories.releases import WEB
from tests.support.stage import Approver, Speaker, Stage, Theatre, eventually
from tests.support.theatre import on_every_channel


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
        puts("stranger", "444466667777")
        await boss.says(f"add silo stranger in {WEB} eu-central-1")
        boss.hears(f"The table {TABLE} has a record stranger already: silo in 444466667777, eu-west-1")


@on_every_channel
@pytest.mark.settings(deployment_table=TABLE)
async def test_a_deployment_is_added_to_the_table_and_taken_out_of_it(stage: Stage, ana: Speaker, bo: Approver) -> None:
    table = stage.aws("dynamodb")

    def record(name: str) -> dict[str, Any] | None:
        found: dict[str, Any] | None = table.get_item(TableName=TABLE, Key={"id": {"S": name}}).get("Item")
        return found

    boss = stage.speaker("Bo Diaz", email="bo@corp.example")
    await boss.says("import the deployments")
    before = await known(stage)
    await ana.says(f"add silo umbrella in {WEB} eu-central-1")
    ana.hears("Add silo-umbrella", f"its record is written into {TABLE}, which is master")
    request = await is_approved(ana, bo)
    await ana.hears_later("silo-umbrella-pipeline is being made")
    assert record("umbrella") is None
    await stage.advance(minutes=6)
    await stage.reaches(request, "succeeded")
    wanted = {"id": "umbrella", "type": "silo", "account": WEB, "region": "eu-central-1"}
    assert record("umbrella") == {name: {"S": value} for name, value in wanted.items()}
    await boss.says("import the deployments")
    boss.hears("Nothing has changed")
    assert await known(stage) == {**before, "silo-umbrella": WEB}
    await ana.says("remove silo umbrella")
    ana.hears("Remove silo-umbrella", f"its record is taken out of {TABLE}, which is master")
    request = await is_approved(ana, bo)
    await ana.hears_later("silo-umbrella is being retired")
    await stage.advance(minutes=6)
    await stage.reaches(request, "succeeded")
    assert record("umbrella") is None
    assert await known(stage) == before
    await boss.says("import the deployments")
    boss.hears("Nothing has changed")


@pytest.mark.settings(deployment_table=TABLE)
async def test_a_record_that_somebody_else_has_written_meanwhile_is_neither_replaced_nor_taken_out(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    table = stage.aws("dynamodb")
    boss = stage.speaker("Bo Diaz", email="bo@corp.example")
    await boss.says("import the deployments")

    def puts(region: str) -> None:
        fields = {"id": "umbrella", "type": "silo", "account": WEB, "region": region}
        table.put_item(TableName=TABLE, Item={name: {"S": value} for name, value in fields.items()})

    await ana.says(f"add silo umbrella in {WEB} eu-central-1")
    request = await is_approved(ana, bo)
    await ana.hears_later("silo-umbrella-pipeline is being made")
    puts("us-east-1")
    await stage.advance(minutes=6)
    await ana.hears_later(f"The table {TABLE} has a record umbrella already, which says otherwise")
    await stage.reaches(request, "failed")
    puts("eu-central-1")
    await boss.says(f"retry {request}")
    await stage.advance(seconds=20)
    await stage.reaches(request, "succeeded")
    await ana.says("remove silo umbrella")
    request = await is_approved(ana, bo)
    await ana.hears_later("silo-umbrella is being retired")
    puts("us-east-1")
    await stage.advance(minutes=6)
    await ana.hears_later("speaks of another place by now, so it is left there")
    await stage.reaches(request, "failed")
    assert table.get_item(TableName=TABLE, Key={"id": {"S": "umbrella"}})["Item"]["region"] == {"S": "us-east-1"}


@pytest.mark.settings(deployment_table=TABLE)
async def test_the_registry_follows_by_itself_every_five_minutes(stage: Stage) -> None:
    await stage.advance(minutes=6)

    async def has_followed() -> bool:
        return len(await known(stage)) == len(DEPLOYMENTS)

    await eventually(has_followed, lambda: "nobody follows the table")


@pytest.mark.settings(deployment_table=TABLE)
async def test_rest_and_csv_change_no_place_that_the_table_has_not_told(stage: Stage) -> None:
    boss = stage.speaker("Bo Diaz", email="bo@corp.example")
    await boss.says("import the deployments")
    before, client = await known(stage), stage.client()
    one = {"id": "umbrella", "type": "silo", "account": WEB, "region": "eu-west-1"}
    answer = await client.post("/v1/deployments", json={"user": {"email": "bo@corp.example"}, "deployments": [one]})
    assert answer.status_code == 409
    assert f"The table {TABLE} is master" in answer.json()["detail"]
    text = ",".join(one) + "\n" + ",".join(one.values()) + "\n"
    answer = await client.post("/v1/deployments", json={"user": {"email": "bo@corp.example"}, "csv": text})
    assert answer.status_code == 409
    assert await known(stage) == before


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
