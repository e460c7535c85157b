"""Several approvals: counted by people, each place once, of the groups that were asked; none where none is needed."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from bot.errors import Conflict, Gone, Refused
from tests.approvals.desk import open_desk

TWO_OF_EACH = """
@id("two") @reason("Both teams look at it.") @approvals("2") @from("group:platform, group:finance") @each("yes")
permit (principal, action == Action::"require", resource is Request) when { resource.tier == "production" };
"""
TWO = """
@id("two") @reason("Two look at it.") @approvals("2") @from("group:platform")
permit (principal, action == Action::"require", resource is Request);
"""
NONE = """
@id("none") @reason("It is harmless.") @approvals("0")
permit (principal, action == Action::"require", resource is Request);
"""
PEOPLE = {"bo": ["platform"], "cy": ["platform"], "dee": ["platform", "finance"], "fay": ["finance"], "ana": []}


async def test_two_people_approve_one_of_each_group(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO_OF_EACH, PEOPLE) as desk:
        request = await desk.place(tier="production")
        assert set(await desk.asked(request)) == {f"{n}@corp.example" for n in ("bo", "cy", "dee", "fay")}
        assert await desk.decide("bo", request) == "awaiting_approval"
        assert await desk.starts(request) == 0
        with pytest.raises(Conflict, match="would add nothing"):
            await desk.decide("cy", request)
        assert await desk.decide("fay", request) == "approved"
        assert await desk.starts(request) == 1
        told = "\n".join(await desk.told(request))
        assert "waits for 1 more approval" in told
        assert "2 approvals of group platform and group finance, one of each" in told
        with pytest.raises(Conflict, match=r"bo@corp\.example and fay@corp\.example approved it on"):
            await desk.decide("dee", request)


async def test_somebody_of_both_groups_takes_one_place_only(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO_OF_EACH, PEOPLE) as desk:
        request = await desk.place(tier="production")
        assert await desk.decide("dee", request) == "awaiting_approval"
        with pytest.raises(Conflict, match="You have approved this already"):
            await desk.decide("dee", request)
        assert await desk.decide("fay", request) == "approved"


async def test_one_approval_is_enough_where_no_policy_asks_for_more(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO_OF_EACH, PEOPLE) as desk:
        assert await desk.decide("bo", await desk.place(tier="standard")) == "approved"


async def test_one_rejection_ends_it_whoever_approved_before(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO, PEOPLE) as desk:
        request = await desk.place()
        await desk.decide("bo", request)
        assert await desk.decide("cy", request, "reject", reason="Too dear") == "rejected"
        assert await desk.starts(request) == 0
        with pytest.raises(Conflict, match=r"cy@corp\.example rejected it"):
            await desk.decide("dee", request)


async def test_of_simultaneous_decisions_each_counts_once_and_one_ends_it(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO, PEOPLE) as desk:
        request = await desk.place()
        tries = [desk.decide(name, request) for name in ("bo", "cy", "dee", "bo", "cy", "dee")]
        outcomes = await asyncio.gather(*tries, return_exceptions=True)
        assert sum(isinstance(o, str) for o in outcomes) == 2
        assert all(isinstance(o, str | Conflict) for o in outcomes)
        assert await desk.starts(request) == 1


async def test_who_is_not_of_the_groups_adds_nothing_to_their_quorum(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO, PEOPLE | {"gil": ["approvers"]}) as desk:
        request = await desk.place()
        with pytest.raises(Refused) as refused:
            await desk.decide("fay", request)
        assert "Who could: bo@corp.example, cy@corp.example, dee@corp.example." in refused.value.sentence()
        with pytest.raises(Conflict, match="would add nothing"):
            await desk.decide("gil", request)


async def test_who_left_the_group_counts_no_more(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO, PEOPLE) as desk:
        request = await desk.place()
        await desk.decide("bo", request)
        desk.directory_file.write_text(
            "people: [{email: cy@corp.example, groups: [platform]}, {email: dee@corp.example, groups: [platform]}]"
        )
        assert await desk.decide("cy", request) == "awaiting_approval"
        assert await desk.decide("dee", request) == "approved"


async def test_a_place_whose_holder_left_is_asked_of_somebody_else(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO, {"bo": ["platform"], "cy": ["platform"], "ana": []}) as desk:
        request = await desk.place()
        await desk.decide("bo", request)
        await desk.looks_again()
        desk.directory_file.write_text("people: [{email: cy@corp.example, groups: [platform]}]", encoding="utf-8")
        await desk.looks_again()
        told = "\n".join(await desk.told(request))
        assert "bo@corp.example no longer decides" in told
        assert "The approval of bo@corp.example counts no more" in told
        assert "only cy@corp.example could decide it" in told
        with pytest.raises(Refused):
            await desk.decide("dee", request)
        desk.directory_file.write_text(
            "people: [{email: dee@corp.example, groups: [platform]}, {email: eve@corp.example, groups: [platform]}]"
        )
        await desk.looks_again()
        await desk.looks_again()
        assert {"dee@corp.example", "eve@corp.example"} <= set(await desk.asked(request))
        assert await desk.mailed("dee") == ["approval"]
        assert "dee@corp.example and eve@corp.example were asked instead" in (await desk.told(request))[-1]
        assert await desk.decide("dee", request) == "awaiting_approval"
        assert await desk.decide("eve", request) == "approved"


async def test_nobody_new_is_asked_while_all_who_were_asked_are_there(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO, {"bo": ["platform"], "cy": ["platform"]}) as desk:
        request = await desk.place()
        desk.directory_file.write_text(
            "people: ["
            + ", ".join(f"{{email: {n}@corp.example, groups: [platform]}}" for n in ("bo", "cy", "eve"))
            + "]"
        )
        await desk.looks_again()
        assert set(await desk.asked(request)) == {"bo@corp.example", "cy@corp.example"}
        with pytest.raises(Refused):
            await desk.decide("eve", request)


async def test_an_approval_counts_for_its_own_version_alone(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO, PEOPLE) as desk:
        request = await desk.place()
        await desk.decide("bo", request)
        await desk.amend(request)
        assert await desk.decide("cy", request) == "awaiting_approval"
        with pytest.raises(Gone, match="The plan has changed"):
            await desk.decide("dee", request, version=1)
        assert await desk.decide("bo", request) == "approved"


async def test_what_needs_nobody_goes_on_at_once_and_is_recorded(tmp_path: Path) -> None:
    async with open_desk(tmp_path, NONE, PEOPLE) as desk:
        request = await desk.place()
        assert (await desk.requests.find(request)).state == "approved"
        assert await desk.asked(request) == {}
        assert await desk.starts(request) == 1
        assert "approval.not_needed" in await desk.recorded(request)
        with pytest.raises(Conflict):
            await desk.decide("bo", request)


async def test_a_quorum_that_nobody_could_make_is_told_before_asking(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO, {"ana": ["platform"], "bo": ["platform"]}) as desk:
        obstacle = await desk.obstacle("ana")
        assert "needs 2 approvals of group platform" in obstacle
        assert "only bo@corp.example could decide it, yourself not counted" in obstacle
        assert "another approver" in obstacle
        assert await desk.obstacle("cy") == ""


async def test_others_are_asked_as_well_when_nobody_decides(tmp_path: Path) -> None:
    rules = TWO.replace('@from("group:platform")', '@from("group:platform") @then("group:heads") @after("24")')
    async with open_desk(tmp_path, rules, {"bo": ["platform"], "cy": ["platform"], "hal": ["heads"]}) as desk:
        request = await desk.place()
        await desk.decide("bo", request)
        with pytest.raises(Refused):
            await desk.decide("hal", request)
        desk.clock.move(hours=23)
        assert not await desk.fires("approval-escalation", request)
        desk.clock.move(hours=1)
        assert await desk.fires("approval-escalation", request)
        assert "hal@corp.example" in await desk.asked(request)
        assert (await desk.told(request))[-1] == (
            f"Not enough people have decided about request {request} yet, so hal@corp.example was asked as well."
        )
        assert await desk.decide("hal", request) == "approved"


async def test_two_policies_that_each_ask_one_of_another_group_are_met_by_one_of_each(tmp_path: Path) -> None:
    one = TWO.replace('"two"', '"platform"').replace('@approvals("2")', '@approvals("1")')
    rules = one + one.replace("platform", "finance")
    async with open_desk(tmp_path, rules, PEOPLE) as desk:
        request = await desk.place()
        assert await desk.decide("bo", request) == "awaiting_approval"
        with pytest.raises(Conflict, match="would add nothing"):
            await desk.decide("cy", request)
        desk.clock.move(hours=24)
        assert await desk.fires("approval-reminder", request)
        assert await desk.mailed("cy") == ["approval"], "an approval of theirs would add nothing, so no reminder"
        assert await desk.mailed("fay") == ["approval", "approval"]
        assert await desk.decide("fay", request) == "approved"


async def test_who_stands_in_for_whom_it_waits_for_is_reminded(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO_OF_EACH, {"bo": ["platform"], "cy": ["platform"], "fay": ["finance"]}) as desk:
        fay, week = await desk.person("fay"), desk.clock.now() + timedelta(days=7)
        await desk.approvals.stand_in(fay, "cy@corp.example", week, channel="console")
        request = await desk.place(tier="production")
        await desk.decide("bo", request)
        desk.clock.move(hours=24)
        assert await desk.fires("approval-reminder", request)
        assert (await desk.mailed("cy")).count("approval") == 2
        assert await desk.decide("cy", request) == "approved"


async def test_a_reminder_waits_until_its_reader_works(tmp_path: Path) -> None:
    hours = {"cy": {"hours": "Mon-Sun 09:00-17:00 Asia/Tokyo"}}
    async with open_desk(tmp_path, TWO, {"bo": ["platform"], "cy": ["platform"]}, directory=hours) as desk:
        request = await desk.place()
        desk.clock.move(hours=24)
        assert await desk.fires("approval-reminder", request)  # bo, at any hour; with cy it is 17:00
        desk.clock.move(hours=15)
        assert not await desk.fires("approval-reminder", request)
        desk.clock.move(hours=1)
        assert await desk.fires("approval-reminder", request)
