"""Who stands in while an approver is away: with dates, for them alone, and never for what they asked for."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.errors import Conflict, Invalid, NotFound, Refused
from bot.spoken_days import day_meant
from intents.approvals.away import SAID
from tests.approvals.desk import Desk, open_desk

TWO = """
@id("two") @reason("Two look at it.") @approvals("2") @from("group:platform")
permit (principal, action == Action::"require", resource is Request);
"""
PEOPLE: dict[str, list[str]] = {"ana": [], "bo": ["platform"], "cy": ["platform"], "dee": ["platform"], "eve": []}


async def away(desk: Desk, who: str, stand_in: str, **how: float) -> int:
    """Have somebody go away for a while; return about how many requests the stand-in was asked."""
    person, until = await desk.person(who), desk.clock.now() + timedelta(**(how or {"days": 7}))
    delegate = f"{stand_in}@corp.example" if stand_in else ""
    return (await desk.approvals.stand_in(person, delegate, until, channel="console"))[1]


async def test_a_stand_in_is_asked_and_decides_in_the_place_of_who_is_away(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        await away(desk, "bo", "eve")
        request = await desk.place()
        assert await desk.asked(request) == {"eve@corp.example": "bo@corp.example"}
        assert await desk.decide("eve", request) == "approved"
        assert "approved by eve@corp.example in the place of bo@corp.example" in "\n".join(await desk.told(request))


async def test_a_stand_in_is_asked_about_what_waits_already(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        request = await desk.place()
        with pytest.raises(Refused):
            await desk.decide("eve", request)
        assert await away(desk, "bo", "eve") == 1
        assert (await desk.asked(request))["eve@corp.example"] == "bo@corp.example"
        assert await desk.decide("eve", request) == "approved"


async def test_who_stands_in_is_mailed_when_an_absence_begins_that_was_named_ahead(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        request, begun = await desk.place(), desk.clock.now()
        person, since = await desk.person("bo"), begun + timedelta(hours=10)
        await desk.approvals.stand_in(
            person, "eve@corp.example", since + timedelta(days=1), since=since, channel="console"
        )
        await desk.looks_again()
        assert "eve@corp.example" not in await desk.asked(request)
        assert await desk.mailed("eve") == []
        desk.clock.move(hours=10)
        await desk.looks_again(begun)
        await desk.looks_again(begun)
        assert await desk.asked(request) == {"bo@corp.example": None, "eve@corp.example": "bo@corp.example"}
        assert await desk.mailed("eve") == ["approval", "news"]


async def test_it_ends_with_its_date_or_when_it_is_ended(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        await away(desk, "bo", "eve", hours=10)
        request = await desk.place()
        desk.clock.move(hours=10)
        with pytest.raises(Refused):
            await desk.decide("eve", request)
        await away(desk, "bo", "eve")
        assert await desk.approvals.delegations.end(await desk.person("bo")) == 1
        with pytest.raises(Refused):
            await desk.decide("eve", request)
        assert await desk.decide("bo", request) == "approved"


async def test_a_delegation_makes_no_self_approval(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        await away(desk, "bo", "ana")
        hers = await desk.place("ana")
        for who in ("ana", "ana+x@corp.example"):
            with pytest.raises(Refused):
                await desk.decide(who, hers)
        assert "and ana@corp.example may not decide this" in await desk.obstacle("ana")
        await away(desk, "bo", "eve")
        his = await desk.place("bo")
        for who in ("eve", "bo"):  # neither himself nor whom he picked
            with pytest.raises(Refused):
                await desk.decide(who, his)
        assert (await desk.requests.find(his)).state == "awaiting_approval"


async def test_nobody_stands_in_for_a_stand_in(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        await away(desk, "eve", "ana")
        with pytest.raises(Conflict, match="away until"):
            await away(desk, "bo", "eve")
        await desk.approvals.delegations.end(await desk.person("eve"))
        await away(desk, "bo", "dee")
        await away(desk, "dee", "eve")
        request = await desk.place("cy")
        with pytest.raises(Refused):
            await desk.decide("eve", request)


async def test_a_place_is_taken_once_by_its_holder_or_by_who_stands_in(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO, PEOPLE) as desk:
        request = await desk.place()
        await away(desk, "bo", "eve")
        assert await desk.decide("eve", request) == "awaiting_approval"
        with pytest.raises(Conflict, match=r"eve@corp\.example has decided in the place of bo@corp\.example"):
            await desk.decide("bo", request)
        with pytest.raises(Conflict, match=r"eve@corp\.example has decided in the place of bo@corp\.example"):
            await desk.decide("bo", request, "reject")
        assert await desk.decide("cy", request) == "approved"


async def test_an_approver_who_stands_in_for_another_is_one_person_still(tmp_path: Path) -> None:
    async with open_desk(tmp_path, TWO, PEOPLE) as desk:
        await away(desk, "bo", "cy")
        request = await desk.place()
        assert await desk.decide("cy", request) == "awaiting_approval"
        with pytest.raises(Conflict, match="You have approved this already"):
            await desk.decide("cy", request)
        await away(desk, "dee", "cy")
        assert "only cy@corp.example could decide it" in await desk.obstacle()


async def test_absences_without_a_stand_in_are_told_before_anybody_is_asked(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people={"ana": [], "bo": []}) as desk:
        await away(desk, "bo", "", hours=40)
        assert await desk.obstacle() == ""  # back before it lapses
        await away(desk, "bo", "", days=5)
        assert "bo@corp.example is away until 2026-03-06, and nobody stands in" in await desk.obstacle()


@pytest.mark.parametrize("stranger", ["eve@elsewhere.example", "bo+x@corp.example"])
async def test_neither_strangers_nor_oneself_stand_in(tmp_path: Path, stranger: str) -> None:
    async with open_desk(tmp_path, people=PEOPLE) as desk:
        until = desk.clock.now() + timedelta(days=3)
        with pytest.raises((Refused, Invalid)):
            await desk.approvals.stand_in(await desk.person("bo"), stranger, until, channel="console")
        with pytest.raises(Refused):
            await desk.approvals.stand_in(await desk.person("bo"), "eve@corp.example", until, channel="rest")
        for days in (-1, 100):
            with pytest.raises(Invalid):
                await away(desk, "bo", "eve", days=days)


@pytest.mark.parametrize(
    ("text", "until", "who"),
    [
        ("I am away until Monday, cy@corp.example stands in", "Monday", "cy@corp.example"),
        ("I'm on vacation until 3 December and cy@corp.example stands in for me.", "3 December", "cy@corp.example"),
        ("cy@corp.example stands in for me until tomorrow", "tomorrow", "cy@corp.example"),
        ("I will be out of office until 2026-12-03; nobody stands in", "2026-12-03", None),
        ("I am away until Friday", "Friday", None),
    ],
)
def test_an_absence_is_read_from_what_was_said(text: str, until: str, who: str | None) -> None:
    said = SAID.fullmatch(text)
    assert said is not None
    assert (said["until"] or said["until_too"], said["who"] or said["first"]) == (until, who)


@pytest.mark.parametrize(
    "text", ["is bo away until Monday?", "I am not away until Monday", "what if I am away until Monday", "I am away"]
)
def test_what_only_talks_about_an_absence_is_none(text: str) -> None:
    assert SAID.fullmatch(text) is None


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Monday", date(2026, 3, 9)),
        ("next friday", date(2026, 3, 6)),
        ("tomorrow", date(2026, 3, 3)),
        ("2026-04-01", date(2026, 4, 1)),
        ("the 3rd of March", date(2026, 3, 3)),
        ("March 2", date(2027, 3, 2)),
        ("the 3rd", date(2026, 3, 3)),
        ("the 2nd", date(2026, 4, 2)),
        ("31.12.", date(2026, 12, 31)),
        ("1.3.2027", date(2027, 3, 1)),
        ("the end of the month", date(2026, 4, 1)),
        ("30 February", None),
        ("soon", None),
    ],
)
def test_days_are_the_next_of_their_name(text: str, day: date | None) -> None:
    assert day_meant(text, date(2026, 3, 2)) == day


async def names_for(desk: Desk, by: str, absent: str, stand_in: str) -> None:
    """Have somebody say that another is away for a week, and who stands in."""
    until = desk.clock.now() + timedelta(days=7)
    delegate, away_one = (f"{name}@corp.example" if name else "" for name in (stand_in, absent))
    await desk.approvals.stand_in(await desk.person(by), delegate, until, channel="console", absent=away_one)


async def test_an_operator_names_who_stands_in_for_somebody_who_fell_ill(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people={**PEOPLE, "olga": ["operators"]}) as desk:
        request = await desk.place()
        await names_for(desk, "olga", "bo", "eve")
        assert (await desk.asked(request))["eve@corp.example"] == "bo@corp.example"
        assert await desk.mailed("bo") == ["approval", "news"]
        assert await desk.decide("eve", request) == "approved"
        olga, eve = await desk.person("olga"), await desk.person("eve")
        (made,) = await desk.approvals.delegations.of_others(olga)
        assert (made.named_by, await desk.approvals.delegations.of_others(eve)) == ("olga@corp.example", [])
        with pytest.raises(NotFound):
            await desk.approvals.delegations.end(eve, made.id)
        assert await desk.approvals.delegations.end(olga, made.id) == 1


async def test_nobody_chooses_who_decides_about_what_they_asked_for(tmp_path: Path) -> None:
    people = {**PEOPLE, "olga": ["operators"], "oz": ["operators"]}
    async with open_desk(tmp_path, people=people) as desk:
        await names_for(desk, "olga", "bo", "eve")
        own, others = await desk.place("olga"), await desk.place("ana")
        assert await desk.asked(own) == {"bo@corp.example": None}
        with pytest.raises(Refused):
            await desk.decide("eve", own)
        assert await desk.decide("eve", others) == "approved"
        assert await desk.decide("bo", own) == "approved"
        for by, stand_in in (("olga", "olga"), ("oz", "oz+x"), ("oz", "bo")):
            with pytest.raises(Invalid):
                await names_for(desk, by, "bo", stand_in)
        for by in ("ana", "cy", "eve"):
            with pytest.raises(Refused):
                await names_for(desk, by, "bo", "dee")
