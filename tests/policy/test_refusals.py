"""What was refused is on record, masked, and decided once more by changed policies."""

from __future__ import annotations

import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from sqlalchemy import select

from bot.audit import Audit
from bot.commands.policies import _what_if
from bot.database.tables import audit, audit_payloads
from bot.errors import Refused
from bot.intent import Change, Definition, Slot, SlotType, Value
from bot.ordering import place_request
from bot.policy.refusals import KIND, keep_refusal
from bot.services import Services
from bot.settings import Settings
from tests.approvals.desk import Desk, open_desk

CLOSING = Definition(
    "CloseAccount",
    "closing",
    "Close.",
    (),
    slots=(Slot("Colour", SlotType("Colour", (Value("green"),))), Slot("Why", SlotType("Why", listed=False))),
)
SAID = {
    "Account": "111122223333",
    "Relation": "other",
    "Colour": "green",
    "Why": "cy@corp.example left in December 2026",
    "owner": "cy@corp.example",
    "owner_mailbox": "ana@corp.example",
}


async def refuse(desk: Desk, **values: str) -> None:
    """Have ana ask for what she may not, as the dialogue does."""
    ana = await desk.person("ana")
    decision = desk.policy.may_ask(ana, CLOSING, "change", {**SAID, **values}, channel="slack")
    with pytest.raises(Refused) as refused:
        decision.require()
    asked = refused.value.asked
    assert asked is not None
    record = Audit(desk.database, desk.clock)
    await desk.database.write(lambda transaction: keep_refusal(transaction, record, ana, CLOSING, asked))


async def test_what_was_said_is_masked_and_what_policies_decide_by_is_kept(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people={"ana": []}) as desk:
        await refuse(desk)
        async with desk.database.read() as connection:
            query = select(audit_payloads.c.payload).join(audit, audit.c.seq == audit_payloads.c.seq)
            (payload,) = (await connection.execute(query.where(audit.c.kind == KIND))).scalars().all()
    kept = payload["values"]
    assert (kept["Account"], kept["Relation"], kept["Colour"]) == ("111122223333", "other", "green")
    assert kept["owner_mailbox"] == "{self}"
    assert (payload["intent"], payload["channel"]) == ("CloseAccount", "slack")
    assert "cy@corp.example" not in str(payload)
    assert "2026" not in str(payload)


async def test_what_if_tells_which_refusals_would_be_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async with open_desk(tmp_path, people={"ana": []}) as desk:
        desk.clock.at = desk.clock.at.now(desk.clock.at.tzinfo)
        await refuse(desk)
        await refuse(desk, owner_mailbox="cy@corp.example")
        changed = Path(shutil.copytree(desk.policies, tmp_path / "changed"))
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'test.sqlite'}",
            policy_dir=desk.policies,
            directory_file=desk.directory_file,
        )
        assert await _what_if(settings, changed, 31) == 0
        (changed / "more.cedar").write_text(
            '@id("own") @reason("Own ones may be closed.") permit (principal, action == Action::"ask", resource) '
            'when { context.channel == "slack" && context.values has owner_mailbox && '
            "context.values.owner_mailbox == principal.mailbox };",
            encoding="utf-8",
        )
        assert await _what_if(settings, changed, 31) == 1
    told = capsys.readouterr().out
    assert "ana@corp.example asked for CloseAccount" in told
    assert "allowed (own): Own ones may be closed." in told
    assert "1 decisions about 0 requests and 2 refusals" in told


async def test_a_decision_that_was_refused_is_on_record_and_decided_once_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with open_desk(tmp_path, people={"ana": [], "bo": [], "eve": []}) as desk:
        desk.clock.at = desk.clock.at.now(desk.clock.at.tzinfo)
        request = await desk.place()
        for who in ("eve", "ana"):
            with pytest.raises(Refused):
                await desk.decide(who, request, surface="slack")
        async with desk.database.read() as connection:
            query = select(audit.c.person_id, audit_payloads.c.payload).join(
                audit_payloads, audit_payloads.c.seq == audit.c.seq
            )
            rows = (await connection.execute(query.where(audit.c.kind == "approval.refused"))).all()
        assert [row.person_id for row in rows] == [(await desk.person(who)).id for who in ("eve", "ana")]
        assert [row.payload["policy"] for row in rows] == ["", "four-eyes"]
        assert rows[0].payload["surface"] == "slack"
        changed = Path(shutil.copytree(desk.policies, tmp_path / "changed"))
        (changed / "more.cedar").write_text(
            '@id("eve") @reason("Eve decides.") permit (principal == Person::"eve@corp.example", '
            'action == Action::"approve", resource);',
            encoding="utf-8",
        )
        settings = Settings(
            database_url=f"sqlite:///{tmp_path / 'test.sqlite'}",
            policy_dir=desk.policies,
            directory_file=desk.directory_file,
        )
        assert await _what_if(settings, changed, 31) == 1
    assert "eve@corp.example decides on slack" in capsys.readouterr().out


async def test_what_a_route_of_rest_refuses_is_decided_by_its_channel_and_kept(tmp_path: Path) -> None:
    rule = (
        '@id("not-by-programs") @reason("Accounts are closed by people.") forbid (principal, action == Action::"ask", '
        'resource == Intent::"CloseAccount") when { context.channel == "rest" };'
    )
    async with open_desk(tmp_path, rule, {"ana": ["operators"]}) as desk:
        record, intent = Audit(desk.database, desk.clock), SimpleNamespace(definition=CLOSING, shape="change")
        services = SimpleNamespace(
            policy=desk.policy, requests=desk.requests, audit=record, database=desk.database, clock=desk.clock
        )
        with pytest.raises(Refused, match="Accounts are closed by people"):
            await place_request(
                cast(Services, services),
                cast(Change, intent),
                {**SAID, "Relation": "owner"},
                await desk.person("ana"),
                conversation="rest:1",
                channel="rest",
            )
        (row,) = (await record.list()).items
    assert (row["kind"], row["payload"]["policy"], row["payload"]["channel"]) == (KIND, "not-by-programs", "rest")
    assert "cy@corp.example" not in str(row)
