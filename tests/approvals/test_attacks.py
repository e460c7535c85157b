"""Attacks on decisions: links of others, replayed links, forwarded mails, stolen sessions, names, hostile reasons."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from bot.activity import Person
from bot.database.tables import approvals
from bot.errors import Conflict, Gone, NotFound, Refused
from tests.approvals.desk import Desk, open_desk

SIGN_IN = """
@id("sign-in") @reason("It is delicate.") @approvals("1") @sign_in("15") @acr("mfa")
permit (principal, action == Action::"require", resource is Request);
"""
PEOPLE: dict[str, list[str]] = {"ana": [], "bo": [], "cy": []}


async def link(desk: Desk, request: str, approver: str) -> str:
    """Return the token of the link that was mailed to an approver."""
    mine = (approvals.c.request_id == request, approvals.c.approver == f"{approver}@corp.example")
    async with desk.database.read() as connection:
        found = (
            await connection.execute(select(approvals.c.id).where(*mine).order_by(approvals.c.version.desc()))
        ).first()
    assert found is not None
    minted = await desk.approvals.mint(found.id)
    assert minted is not None
    return minted[0]


async def test_a_link_decides_once_for_its_own_request_and_version(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        first, second = await desk.place(), await desk.place()
        token = await link(desk, first, "bo")
        for guess in ("", "x" * 43, token[:-1], token + "A", token.swapcase()):
            with pytest.raises(NotFound):
                await desk.approvals.decide(guess, "approve", "", surface="email")
        await desk.approvals.decide(token, "approve", "", surface="email")
        with pytest.raises(Conflict):
            await desk.approvals.decide(token, "approve", "", surface="email")
        assert (await desk.requests.find(second)).state == "awaiting_approval"
        stale = await link(desk, second, "bo")
        await desk.amend(second)
        with pytest.raises(Gone):
            await desk.approvals.decide(stale, "approve", "", surface="email")


async def test_a_forwarded_mail_or_a_stolen_session_is_not_enough_where_a_sign_in_is_asked_for(tmp_path: Path) -> None:
    async with open_desk(tmp_path, SIGN_IN, PEOPLE) as desk:
        request, bo = await desk.place(), await desk.person("bo")
        token = await link(desk, request, "bo")
        assert (await desk.approvals.look(token)).page == f"https://bot.corp.example/requests/{request}"
        for decision in ("approve", "reject"):
            with pytest.raises(Refused) as refused:
                await desk.approvals.decide(token, decision, "because", surface="email")
            assert f"https://bot.corp.example/requests/{request}" in refused.value.sentence()
        for surface in ("slack", "teams", "console"):
            with pytest.raises(Refused, match="sign-in within the last 15 minutes"):
                await desk.decide("bo", request, surface=surface)
            assert "sign-in within" in await desk.approvals.objection(request, 1, bo, surface=surface)
        sign_ins = desk.approvals.sign_ins
        await sign_ins.record(bo, "weak", desk.clock.wall(), "password")
        await sign_ins.record(bo, "old", desk.clock.wall() - timedelta(minutes=16), "mfa")
        await sign_ins.record(await desk.person("cy"), "another's", desk.clock.wall(), "mfa")
        for session in ("weak", "old", "another's", "unknown"):
            with pytest.raises(Refused):
                await desk.decide("bo", request, session=session)
        await sign_ins.record(bo, "fresh", desk.clock.wall(), "mfa")
        assert await desk.decide("bo", request, session="fresh") == "approved"


async def test_a_name_that_looks_like_an_approver_decides_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        request = await desk.place()
        eve = await desk.people.of_email("eve@corp.example", name="bo@corp.example", given_name="bo@corp.example")
        for impostor in (eve, Person("p_bo", "eve@corp.example", name="Bo"), Person("", "BO@corp.example ")):
            with pytest.raises(Refused):
                await desk.approvals.decide_as(request, 1, impostor, "approve", "", surface="slack")
        with pytest.raises(Refused):
            await desk.decide("bo", request, surface="rest")


@pytest.mark.parametrize(
    "reason", ["<script>alert(1)</script>", "*bold* <!channel> <https://evil.example|ok>", "a\u202eb\x00c"]
)
async def test_a_hostile_reason_is_told_as_words(tmp_path: Path, reason: str) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        request = await desk.place()
        await desk.decide("bo", request, "reject", reason=reason)
        told = (await desk.told(request))[-1]
        assert "\u202e" not in told
        assert "\x00" not in told
        assert f"was rejected by bo@corp.example: “{reason[:4]}" in told or "“ab" in told
