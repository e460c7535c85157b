"""Each tier and rule, pressed on each surface: the same decision stands behind a button, a link and a form."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from bot.activity import Activity
from bot.approvals.pressing import decide_by
from bot.errors import QuartermasterError
from tests.approvals.desk import Desk, open_desk
from tests.approvals.test_attacks import SIGN_IN, link
from tests.approvals.test_delegates import away
from tests.approvals.test_quorum import TWO

CHATS = ("slack", "teams")
SURFACES = ("console", *CHATS, "email")
PEOPLE: dict[str, list[str]] = {"ana": ["platform"], "bo": ["platform"], "cy": ["platform"], "eve": []}
WHO = ("bo@corp.example", "cy@corp.example", "ana@corp.example")


async def press(
    desk: Desk, by: str, request: str, surface: str, decision: str = "approve", reason: str = "", token: str = ""
) -> str:
    """Decide as the surface does: by a mailed link, by a button of a chat, or in the console; return why not."""
    if surface in CHATS:
        services: Any = SimpleNamespace(approvals=desk.approvals)
        value, person = f"{request}:1", await desk.person(by)
        activity = Activity("k", surface, "c", person, kind="press", text=reason, verb=decision, value=value)
        return await decide_by(services, activity, decision)
    try:
        if surface == "email":
            token = token or await link(desk, request, by)
            await desk.approvals.decide(token, decision, reason, surface="email")
        else:
            await desk.decide(by, request, decision, reason=reason, surface=surface)
    except QuartermasterError as error:
        return error.sentence()
    return ""


async def state(desk: Desk, request: str) -> str:
    """Return how a request stands."""
    return (await desk.requests.find(request)).state


@pytest.mark.parametrize("surface", SURFACES)
async def test_one_approver_decides_and_a_rejection_needs_a_reason(tmp_path: Path, surface: str) -> None:
    async with open_desk(tmp_path, people=PEOPLE, approvers=WHO) as desk:
        first, second = await desk.place(), await desk.place()
        mailed = await link(desk, first, "cy")
        assert await press(desk, "bo", first, surface) == ""
        assert await state(desk, first) == "approved"
        late = await press(desk, "cy", first, surface, token=mailed)
        assert "bo@corp.example" in late, "the second hears who was first"
        assert "say why" in await press(desk, "bo", second, surface, "reject")
        assert await press(desk, "bo", second, surface, "reject", "too dear") == ""
        assert await state(desk, second) == "rejected"


@pytest.mark.parametrize("surface", SURFACES)
async def test_a_quorum_waits_for_the_second_person_and_counts_nobody_twice(tmp_path: Path, surface: str) -> None:
    async with open_desk(tmp_path, TWO, PEOPLE) as desk:
        request = await desk.place()
        assert await press(desk, "bo", request, surface) == ""
        assert await state(desk, request) == "awaiting_approval"
        again = await press(desk, "bo", request, "console")
        assert "already" in again
        assert await state(desk, request) == "awaiting_approval"
        assert await press(desk, "cy", request, surface) == ""
        assert await state(desk, request) == "approved"


@pytest.mark.parametrize("surface", SURFACES)
async def test_a_fresh_sign_in_is_had_in_the_console_alone(tmp_path: Path, surface: str) -> None:
    async with open_desk(tmp_path, SIGN_IN, PEOPLE, approvers=WHO) as desk:
        request = await desk.place()
        assert "asks for a sign-in within the last 15 minutes" in await press(desk, "bo", request, surface)
        assert await state(desk, request) == "awaiting_approval"
        await desk.approvals.sign_ins.record(await desk.person("bo"), "session", desk.clock.wall(), "mfa")
        assert await press(desk, "bo", request, surface) != "", "a proof counts in its own session"
        assert await desk.decide("bo", request, session="session") == "approved"


@pytest.mark.parametrize("surface", ["console", *CHATS])
async def test_who_asked_and_who_was_not_asked_decide_nothing_and_hear_why(tmp_path: Path, surface: str) -> None:
    async with open_desk(tmp_path, people=PEOPLE, approvers=WHO) as desk:
        request = await desk.place("ana")
        assert "Nobody may approve what they asked for themselves." in await press(desk, "ana", request, surface)
        assert "Only the people named as approvers" in await press(desk, "eve", request, surface)
        assert await state(desk, request) == "awaiting_approval"


@pytest.mark.parametrize("surface", ["console", *CHATS])
async def test_a_stand_in_decides_but_neither_theirs_nor_for_a_stand_in(tmp_path: Path, surface: str) -> None:
    async with open_desk(tmp_path, people=PEOPLE, approvers=("bo@corp.example",)) as desk:
        await away(desk, "bo", "cy")
        await away(desk, "cy", "eve")
        hers, theirs = await desk.place("cy"), await desk.place("ana")
        assert "Nobody may approve what they asked for themselves." in await press(desk, "cy", hers, surface)
        assert "Who could: bo@corp.example" in await press(desk, "eve", theirs, surface)
        assert await press(desk, "cy", theirs, surface) == ""
        assert (await state(desk, hers), await state(desk, theirs)) == ("awaiting_approval", "approved")


@pytest.mark.parametrize("surface", ["rest", "account"])
async def test_programs_approve_nothing(tmp_path: Path, surface: str) -> None:
    async with open_desk(tmp_path, people=PEOPLE, approvers=WHO) as desk:
        request = await desk.place()
        assert "never decides" in await press(desk, "bo", request, surface)
        assert await state(desk, request) == "awaiting_approval"
