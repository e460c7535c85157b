"""Operators mend failed requests on their page; nobody else is offered or allowed to."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from bot.database import Transaction
from bot.database.tables import steps, waits
from bot.requests import RequestRecord
from bot.workflow.mending import RETRY
from bot.workflow.run import APART
from tests.console.stage import Stage

OLGA = "olga@corp.example"
"""Of the group operators."""


async def failed(stage: Stage, *, retry: bool = True) -> RequestRecord:
    """Return a request of Ana's whose budget could not be set."""
    record = await stage.ask("ana@corp.example")
    await stage.settle(
        record, "failed", text="The account is there, its budget is not.", next="An operator can mend it."
    )
    point = {"segment": "finish", "payload": {"account": "1"}} if retry else None

    async def work(transaction: Transaction) -> None:
        await stage.services.requests.note(transaction, record.id, **{RETRY: point, APART: ["set the budget"]})
        for name, state in (
            ("order the account", "failed"),
            ("set the budget", "failed"),
            ("tag the account", "succeeded"),
        ):
            row: dict[str, Any] = {"request_id": record.id, "name": name, "state": state, "attempts": 1}
            now = stage.clock.now()
            await transaction.execute(insert(steps).values(**row, aws_request_ids=[], started_at=now))

    await stage.services.database.write(work)
    return record


async def due(stage: Stage, record: RequestRecord) -> list[Any]:
    """Return what the scheduler would start for the request."""
    query = select(waits).where(waits.c.request_id == record.id, waits.c.kind == "timer", waits.c.done_at.is_(None))
    async with stage.services.database.read() as connection:
        return list((await connection.execute(query)).all())


async def test_an_operator_tries_again_from_where_it_failed(stage: Stage) -> None:
    record = await failed(stage)
    async with stage.visitor() as olga:
        await olga.become(OLGA)
        page = await olga.see(f"/requests/{record.id}")
        assert "Try again" in page.text
        done = await olga.submit(f"/requests/{record.id}/retry")
        again = await olga.submit(f"/requests/{record.id}/retry")
    assert (done.status_code, again.status_code) == (303, 409)
    assert (await stage.services.requests.find(record.id)).state == "running"
    assert [(w.segment, w.payload) for w in await due(stage, record)] == [("finish", {"account": "1"})]


async def test_a_step_is_recorded_as_done_by_hand_with_the_reason(stage: Stage) -> None:
    record = await failed(stage)
    async with stage.visitor() as olga:
        await olga.become(OLGA)
        page = await olga.see(f"/requests/{record.id}")
        assert "Done by hand: set the budget" in page.text
        assert "Done by hand: order the account" not in page.text
        unsaid = await olga.submit(f"/requests/{record.id}/done", step="set the budget", reason=" ")
        other = await olga.submit(f"/requests/{record.id}/done", step="order the account", reason="x")
        unknown = await olga.submit(f"/requests/{record.id}/done", step="<b>", reason="x")
        done = await olga.submit(f"/requests/{record.id}/done", step="set the budget", reason="finance <b>made</b> it")
        page = await olga.see(f"/requests/{record.id}")
    assert (unsaid.status_code, other.status_code, unknown.status_code, done.status_code) == (422, 409, 409, 303)
    assert "Others depend on what" in other.text
    assert "<b>" not in unknown.text.split("<main")[1]
    assert "finance &lt;b&gt;made&lt;/b&gt; it" in page.text
    assert len(await due(stage, record)) == 1


async def test_nobody_else_is_offered_or_allowed_to_mend(stage: Stage) -> None:
    record = await failed(stage)
    async with stage.visitor() as ana:
        page = await ana.see(f"/requests/{record.id}")
        retry = await ana.submit(f"/requests/{record.id}/retry")
        done = await ana.submit(f"/requests/{record.id}/done", step="set the budget", reason="x")
        await ana.become("cy@corp.example")
        await ana.see("/")
        hidden = await ana.submit(f"/requests/{record.id}/retry")
    assert "Mend it" not in page.text
    assert (retry.status_code, done.status_code, hidden.status_code) == (403, 403, 404)
    assert (await stage.services.requests.find(record.id)).state == "failed"


async def test_a_request_that_left_nothing_to_go_on_with_is_asked_anew(stage: Stage) -> None:
    record = await failed(stage, retry=False)
    async with stage.visitor() as olga:
        await olga.become(OLGA)
        page = await olga.see(f"/requests/{record.id}")
        refused = await olga.submit(f"/requests/{record.id}/retry")
    assert "Mend it" not in page.text
    assert refused.status_code == 409
    assert "tried again from here. An operator can mend it." in refused.text


async def test_a_pause_is_shown_on_what_it_holds(stage: Stage) -> None:
    record = await stage.ask("ana@corp.example")
    await stage.services.holding.pause(await stage.person(OLGA), "the network <i>moves</i>")
    async with stage.visitor() as ana:
        page = await ana.see(f"/requests/{record.id}")
        assert "Changes have been paused by olga@corp.example" in page.text
        assert "the network &lt;i&gt;moves&lt;/i&gt;" in page.text
        await stage.services.holding.resume(await stage.person(OLGA))
        assert "have been paused" not in (await ana.see(f"/requests/{record.id}")).text
