"""Groups kept elsewhere: power comes from ids that the directory maps, and never from a name or a stale answer."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import select

from bot.audit import Audit
from bot.database.tables import audit, audit_payloads
from bot.directory import Directory
from bot.errors import NotFound, QuartermasterError, Refused, SettingsError, Unavailable
from bot.groups import Groups
from tests.approvals.desk import Desk, open_desk

FINANCE, OTHERS = "T0CORP/S0FINANCE", "T0CORP/S0OTHERS"
MAPPED = {"groups": [{"name": "finance", "kept_in": "slack", "id": FINANCE}]}
DEMAND = """
@id("finance-decides") @reason("Finance decides.") @approvals("1") @from("group:finance")
permit (principal, action == Action::"require", resource is Request);
"""


class Keeper:
    """A source with two groups, of which one bears names of power; answers or fails as it is told."""

    def __init__(self) -> None:
        self.groups: dict[str, tuple[str, ...]] = {FINANCE: ("cy@corp.example",), OTHERS: ("eve@corp.example",)}
        self.fault: QuartermasterError | None = None
        self.asked: list[str] = []

    async def members(self, group: str) -> tuple[str, ...]:
        """Return who is in a group."""
        self.asked.append(group)
        if self.fault is not None:
            raise self.fault
        return self.groups[group]


def groups_of(desk: Desk, keeper: Keeper) -> Groups:
    """Return what reads the desk's groups, as a process would after a start."""
    record = Audit(desk.database, desk.clock)
    made = Groups(
        desk.database, desk.clock, record, desk.directory, pace=timedelta(minutes=5), keep=timedelta(hours=12)
    )
    made.connect("slack", keeper)
    return made


async def test_who_was_removed_from_a_group_is_refused_at_the_next_press(tmp_path: Path) -> None:
    async with open_desk(tmp_path, DEMAND, file=MAPPED) as desk:
        keeper = Keeper()
        groups = groups_of(desk, keeper)
        await groups.refresh()
        first, second = await desk.place(), await desk.place()
        assert await desk.asked(first) == {"cy@corp.example": None}
        assert await desk.decide("cy", first) == "approved"
        keeper.groups[FINANCE] = ("dee@corp.example",)
        desk.clock.move(minutes=5)
        await groups.refresh()
        with pytest.raises(Refused):
            await desk.decide("cy", second)
        async with desk.database.read() as connection:
            query = select(audit_payloads.c.payload).join(audit, audit.c.seq == audit_payloads.c.seq)
            rows = (await connection.execute(query.where(audit.c.kind == "group.changed"))).scalars().all()
        assert [(r["joined"], r["left"]) for r in rows] == [
            (["cy@corp.example"], []),
            (["dee@corp.example"], ["cy@corp.example"]),
        ]


async def test_nobody_gains_power_by_the_name_of_a_group_that_the_directory_does_not_map(tmp_path: Path) -> None:
    async with open_desk(tmp_path, people={"bo": [], "eve": []}, file=MAPPED) as desk:
        keeper = Keeper()
        await groups_of(desk, keeper).refresh()
        assert keeper.asked == [FINANCE]
        eve, request = await desk.person("eve"), await desk.requests.find(await desk.place())
        for name in ("approvers", "operators", "break-glass", "finance", OTHERS, "default-approvers"):
            keeper.groups[name] = ("eve@corp.example",)
            desk.directory.take_members({("slack", OTHERS): ("eve@corp.example",), ("slack", name): (eve.email,)})
            assert desk.directory.groups_of(eve.email) == ()
            assert not desk.policy.may_approve(eve, request.subject, channel="slack").allowed
            assert not desk.policy.may_break_glass(eve, request.subject, channel="console").allowed


async def test_the_last_answer_counts_while_a_source_is_silent_and_is_dropped_when_too_old(tmp_path: Path) -> None:
    async with open_desk(tmp_path, DEMAND, file=MAPPED) as desk:
        keeper = Keeper()
        await groups_of(desk, keeper).refresh()
        keeper.fault = Unavailable("Slack can't be reached.")
        desk.open_again()
        groups = groups_of(desk, keeper)
        await groups.load()
        assert (groups.fault, desk.directory.members("finance")) == ("", ("cy@corp.example",))
        desk.clock.move(minutes=50)
        await groups.refresh()
        assert groups.fault == "finance: read 50 minutes ago, what was read then counts: Slack can't be reached."
        assert desk.directory.members("finance") == ("cy@corp.example",)
        request = await desk.place()
        desk.clock.move(hours=12)
        await groups.refresh()
        assert "nobody is in it" in groups.fault
        assert desk.directory.members("finance") == ()
        with pytest.raises(Refused):
            await desk.decide("cy", request)


async def test_a_group_that_is_gone_and_a_mapping_that_was_taken_out_give_nothing(tmp_path: Path) -> None:
    async with open_desk(tmp_path, file=MAPPED) as desk:
        keeper = Keeper()
        groups = groups_of(desk, keeper)
        await groups.refresh()
        assert desk.directory.groups_of("cy@corp.example") == ("finance",)
        desk.directory_file.write_text("people: []", encoding="utf-8")
        assert desk.directory.groups_of("cy@corp.example") == ()
        desk.directory_file.write_text(yaml.safe_dump(MAPPED), encoding="utf-8")
        assert desk.directory.groups_of("cy@corp.example") == ("finance",)
        keeper.fault = NotFound("Slack has no user group S0FINANCE.")
        desk.clock.move(minutes=5)
        await groups.refresh()
        assert desk.directory.groups_of("cy@corp.example") == ()
        assert "no user group" in groups.fault


async def test_replicas_share_what_one_of_them_has_read(tmp_path: Path) -> None:
    async with open_desk(tmp_path, file=MAPPED) as desk:
        one, other = Keeper(), Keeper()
        await groups_of(desk, one).refresh()
        other.groups[FINANCE] = ()
        await groups_of(desk, other).refresh()
        assert other.asked == []
        assert desk.directory.members("finance") == ("cy@corp.example",)


def test_a_source_that_is_off_is_refused_at_start(tmp_path: Path) -> None:
    file = tmp_path / "directory.yml"
    file.write_text(yaml.safe_dump(MAPPED), encoding="utf-8")
    unconnected: Any = None
    groups = Groups(
        unconnected, unconnected, unconnected, Directory(file, ()), pace=timedelta(1), keep=timedelta(hours=1)
    )
    with pytest.raises(SettingsError, match="finance is kept in slack, which is off"):
        groups.check()


@pytest.mark.parametrize(
    ("kept_in", "id"),
    [("slack", "finance"), ("slack", "S0FINANCE"), ("entra", "Finance"), ("identity-center", "finops"), ("okta", "1")],
)
def test_groups_are_mapped_by_ids_and_never_by_names(tmp_path: Path, kept_in: str, id: str) -> None:
    file = tmp_path / "directory.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "finance", "kept_in": kept_in, "id": id}]}), encoding="utf-8")
    with pytest.raises(SettingsError, match=r"groups\.0"):
        Directory(file, ())
