"""Breaking the glass: by named people, after a fresh sign-in, with a reason, loudly, and reviewed by somebody else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot.approvals.glass import BROKEN
from bot.database.tables import outbox
from bot.errors import Conflict, Invalid, QuartermasterError, Refused
from tests.approvals.desk import Desk, open_desk

PEOPLE = {"ana": ["break-glass"], "bo": [], "ola": ["operators"], "eve": []}
NEVER = """
@id("two") @reason("Two look at it.") @approvals("2") @from("group:nobody")
permit (principal, action == Action::"require", resource is Request);
"""


async def breaks(desk: Desk, who: str, request: str, **how: Any) -> str:
    """Have somebody break the glass who has just signed in, in the console; return how the request stands."""
    person = await desk.person(who)
    if how.pop("signs_in", True):
        await desk.approvals.sign_ins.record(person, "session", desk.clock.wall(), "mfa")
    given = {"surface": "console", "session": "session", "reason": "The site is down", **how}
    version = (await desk.requests.find(request)).version
    return (await desk.approvals.glass.break_glass(request, version, person, given.pop("reason"), **given)).state


async def mails(desk: Desk) -> dict[str, dict[str, Any]]:
    """Return the news that was mailed, by receiver."""
    async with desk.database.read() as connection:
        rows = (await connection.execute(select(outbox.c.payload).where(outbox.c.channel == "email"))).scalars()
        return {row["to"]: row for row in rows if row["kind"] == "news"}


async def test_a_named_person_goes_on_without_approvers_and_all_of_them_hear_of_it(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        request = await desk.place("ana")
        assert await breaks(desk, "ana", request) == "approved"
        assert await desk.starts(request) == 1
        told = await mails(desk)
        assert set(told) == {"bo@corp.example", "ola@corp.example"}
        assert "The reason given: “The site is down”" in told["bo@corp.example"]["lines"]
        assert "glass.broken" in await desk.recorded(request)
        assert (await desk.requests.find(request)).notes[BROKEN]["by"] == "ana@corp.example"
        assert [one.request for one in await desk.approvals.glass.open_reviews()] == [request]
        with pytest.raises(Conflict):
            await desk.decide("bo", request)


async def test_it_takes_the_right_the_second_factor_the_console_and_a_reason(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        request = await desk.place("ana")
        for who, how, error in (
            ("eve", {}, Refused),
            ("ola", {}, Refused),
            ("ana", {"signs_in": False}, Refused),
            ("ana", {"session": "stolen"}, Refused),
            ("ana", {"surface": "slack"}, Refused),
            ("ana", {"reason": " "}, Invalid),
        ):
            with pytest.raises(error):
                await breaks(desk, who, request, **how)
        desk.clock.move(minutes=6)
        with pytest.raises(Refused, match="within the last 5 minutes"):
            await breaks(desk, "ana", request, signs_in=False)
        assert (await desk.requests.find(request)).state == "awaiting_approval"
        assert await mails(desk) == {}


async def test_a_sign_in_without_the_factor_that_the_policy_names_is_not_enough(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        cedar = desk.policies / "requests.cedar"
        marked = '@id("named-people-break-the-glass")'
        cedar.write_text(cedar.read_text("utf-8").replace(marked, f'{marked} @acr("hardware")'), encoding="utf-8")
        request, ana = await desk.place("ana"), await desk.person("ana")
        with pytest.raises(Refused, match="within the last 5 minutes as “hardware”"):
            await breaks(desk, "ana", request)
        await desk.approvals.sign_ins.record(ana, "session", desk.clock.wall(), "hardware")
        assert await breaks(desk, "ana", request, signs_in=False) == "approved"


async def test_it_is_reviewed_once_by_somebody_else(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        request, glass = await desk.place("bo"), desk.approvals.glass
        await breaks(desk, "ana", request)
        for who in ("ana", "bo", "eve"):  # who broke it, who asked for it, who has no business
            with pytest.raises(QuartermasterError, match=r"can.t|somebody else|no request"):
                await glass.review(request, await desk.person(who), "fine", surface="console")
        ola = await desk.person("ola")
        with pytest.raises(Invalid):
            await glass.review(request, ola, " ", surface="console")
        assert (await glass.review(request, ola, "rightly so", surface="console")).reviewed_by == "ola@corp.example"
        assert await glass.open_reviews() == []
        with pytest.raises(Conflict):
            await glass.review(request, ola, "again", surface="console")
        assert "glass.reviewed" in await desk.recorded(request)


async def test_open_reviews_are_brought_to_mind_each_day(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        request = await desk.place("eve")
        await breaks(desk, "ana", request)
        await desk.approvals.glass.job.work(desk.clock.now())
        await desk.approvals.glass.job.work(desk.clock.now())
        async with desk.database.read() as connection:
            keys = list((await connection.execute(select(outbox.c.key))).scalars())
        assert sum(key.startswith("glass:") for key in keys) == 2  # one a day and person


async def test_the_glass_of_a_plan_that_changed_is_not_broken_a_second_time(tmp_path: Path) -> None:
    async with open_desk(tmp_path, NEVER, PEOPLE) as desk:
        request = await desk.place("eve")
        assert await breaks(desk, "ana", request) == "approved"
        await desk.amend(request)
        with pytest.raises(Conflict, match="its new plan needs approval"):
            await breaks(desk, "ana", request)
