"""CodeDeploy's deployments: one for each start, however often it is asked for, and none after a halt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import CloudError
from bot.releases.rollouts import Rollout, Rollouts, Target
from bot.services import Services
from intents.releases.codedeploy import LIMIT, CodeDeploy, Where
from intents.releases.following import Following
from intents.releases.pipeline_runs import PipelineRuns
from intents.releases.shift_runs import ShiftRuns
from tests.releases.test_following import NOW, RECORD, ROLLOUT, TARGET, Table

SHIFT = {
    "platform": "Lambda",
    "application": "prices",
    "group": "production",
    "unit": "prices",
    "label": "live",
    "config": "CodeDeployDefault.LambdaCanary10Percent5Minutes",
    "alarms": ["errors"],
    "from": "7",
    "to": "8",
    "expects": 330.0,
}
SHIFTED = replace(TARGET, pipeline="", shift=SHIFT)
GOING_BACK = replace(SHIFTED, purpose="back")


class Group:
    """A deployment group with one function; `loses` so many answers to CreateDeployment."""

    def __init__(self, loses: int = 0, *, runs: str = "7") -> None:
        self.loses, self.version = loses, runs
        self.made = dict[str, dict[str, Any]]()
        self.stopped, self.batches = list[tuple[str, bool]](), list[int]()

    async def runs(self, where: Where, shift: Mapping[str, Any]) -> str:
        return self.version

    async def create(
        self, where: Where, shift: Mapping[str, Any], before: str, after: str, words: str, *, is_back: bool
    ) -> str:
        if any(one["status"] == "InProgress" for one in self.made.values()):
            raise CloudError(LIMIT, "already has an active Deployment", operation="any", retryable=True)
        name = f"d-{len(self.made)}"
        self.made[name] = {"deploymentId": name, "status": "InProgress", "description": words, "after": after}
        if self.loses:
            self.loses -= 1
            raise CloudError("ReadTimeoutError", "no answer", operation="any", retryable=True)
        return name

    async def listed(
        self, where: Where, shift: Mapping[str, Any], since: datetime, *, under_way: bool = False
    ) -> list[str]:
        return [n for n, one in reversed(self.made.items()) if not under_way or one["status"] == "InProgress"]

    async def deployments(self, where: Where, ids: Sequence[str]) -> dict[str, dict[str, Any]]:
        self.batches.append(len(ids))
        return {name: self.made[name] for name in ids if name in self.made}

    async def stop(self, where: Where, deployment: str, *, takes_back: bool) -> None:
        self.stopped.append((deployment, takes_back))

    async def events(self, where: Where, deployment: str) -> list[Mapping[str, Any]]:
        return [
            {"lifecycleEventName": "BeforeAllowTraffic", "status": "Succeeded"},
            {
                "lifecycleEventName": "AllowTraffic",
                "status": "Failed",
                "diagnostics": {"message": "PASSWORD=hunter2hunter2"},
            },
        ]


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at


def following(table: Table, group: Group, clock: Clock | None = None) -> Following:
    async def write(work: Callable[[object], Awaitable[Any]]) -> Any:
        return await work(None)

    async def released(*_: object) -> None:
        pass

    services = SimpleNamespace(
        clock=clock or Clock(),
        database=SimpleNamespace(write=write),
        deployments=SimpleNamespace(released=released),
    )
    both = (cast(Services, services), cast(Rollouts, table))
    shifts = ShiftRuns(*both, cast(CodeDeploy, group))
    return Following(*both, cast(PipelineRuns, SimpleNamespace(looks=lambda targets, rollout: [])), shifts)


async def looks(table: Table, group: Group, rollout: Rollout, clock: Clock, *, times: int = 2) -> None:
    """Look so often, half a minute apart."""
    for _ in range(times):
        await following(table, group, clock).follow(rollout, RECORD, is_held=False)
        table.target, clock.at = replace(table.target, look_at=None), clock.at + timedelta(seconds=30)


@pytest.mark.parametrize(("target", "phase"), [(SHIFTED, "running"), (GOING_BACK, "back")])
async def test_a_start_whose_answer_was_lost_is_found_by_its_token_and_not_begun_twice(
    target: Target, phase: Any
) -> None:
    rollout = replace(ROLLOUT, phase=phase)
    table, group = Table(target, rollout), Group(loses=1, runs="8" if phase == "back" else "7")
    await looks(table, group, rollout, Clock())
    assert len(group.made) == 1
    assert (table.target.state, table.target.execution) == ("running", "d-0")
    assert group.made["d-0"]["description"] == "Quartermaster qm-1-0-1: shop 2.4.1"
    assert group.made["d-0"]["after"] == ("7" if phase == "back" else "8")


async def test_one_that_was_lost_and_ended_meanwhile_is_found_as_well() -> None:
    table, group, clock = Table(SHIFTED), Group(loses=1), Clock()
    await looks(table, group, ROLLOUT, clock, times=1)
    group.made["d-0"]["status"] = "Succeeded"
    await looks(table, group, ROLLOUT, clock)
    assert len(group.made) == 1
    assert (table.target.state, table.target.execution) == ("succeeded", "d-0")


async def test_whoever_takes_over_after_a_kill_before_the_call_begins_it_once_some_time_later() -> None:
    asked = replace(SHIFTED, detail={"asked_at": NOW.isoformat(), "expects": 330.0})
    table, group, clock = Table(asked), Group(), Clock()
    await looks(table, group, ROLLOUT, clock, times=1)
    assert not group.made  # the call of the one that was killed may come yet
    await looks(table, group, ROLLOUT, clock, times=1)
    assert (table.target.state, list(group.made)) == ("running", ["d-0"])


async def test_a_halt_that_comes_between_leaves_what_never_began_waiting() -> None:
    asked = replace(SHIFTED, detail={"asked_at": (NOW - timedelta(minutes=1)).isoformat()})
    paused = replace(ROLLOUT, phase="paused")
    table, group = Table(asked, paused), Group()
    await looks(table, group, paused, Clock(), times=1)
    assert (table.target.state, group.made) == ("waiting", {})
    for phase in ("paused", "stopping", "back"):
        halted = replace(ROLLOUT, phase=phase)
        fresh = Table(SHIFTED, halted)
        await looks(fresh, group, ROLLOUT, Clock(), times=1)  # read just before the halt
        assert not group.made, phase


async def test_somebody_elses_deployment_is_waited_for_and_named() -> None:
    table, group, clock = Table(SHIFTED), Group(), Clock()
    group.made["d-theirs"] = {"deploymentId": "d-theirs", "status": "InProgress", "description": "by hand"}
    await looks(table, group, ROLLOUT, clock)
    assert (table.target.state, table.target.why) == (
        "starting",
        "waits for the deployment d-theirs, which is not ours",
    )
    group.made["d-theirs"]["status"] = "Succeeded"
    await looks(table, group, ROLLOUT, clock, times=1)
    assert (table.target.state, table.target.execution) == ("running", "d-1")


async def test_what_runs_already_begins_nothing_and_what_was_changed_by_hand_is_not_overwritten() -> None:
    there, changed = Table(SHIFTED), Table(SHIFTED)
    group = Group(runs="8")
    await looks(there, group, ROLLOUT, Clock(), times=1)
    assert there.target.state == "succeeded"
    group.version = "9"
    await looks(changed, group, ROLLOUT, Clock(), times=1)
    assert changed.target.why == "prices:live is at 9, not at 7 as planned: somebody has changed it since"
    assert not group.made


async def test_what_is_about_to_be_taken_back_is_not_taken_to_be_there() -> None:
    table, group, clock = Table(SHIFTED), Group(runs="8"), Clock()
    group.made["d-back"] = {"deploymentId": "d-back", "status": "InProgress"}
    await looks(table, group, ROLLOUT, clock, times=1)
    assert (table.target.state, table.target.why) == ("starting", "waits for the deployment d-back, which is not ours")
    group.made["d-back"]["status"], group.version = "Succeeded", "7"
    await looks(table, group, ROLLOUT, clock, times=1)
    assert (table.target.state, table.target.execution) == ("running", "d-1")


async def test_stopping_takes_the_traffic_back_also_where_the_start_was_never_answered() -> None:
    stopping = replace(ROLLOUT, phase="stopping")
    table, group, clock = Table(SHIFTED), Group(loses=1), Clock()
    await looks(table, group, ROLLOUT, clock, times=1)
    await following(table, group, clock).stop([table.target], stopping)
    assert group.stopped == [("d-0", True)]
    group.made["d-0"] |= {"status": "Stopped", "rollbackInfo": {"rollbackDeploymentId": "d-1"}}
    group.made["d-1"] = {"deploymentId": "d-1", "status": "InProgress"}
    await looks(table, group, stopping, clock)
    assert table.target.state == "running"  # until its traffic is where it was
    group.made["d-1"]["status"] = "Succeeded"
    await looks(table, group, stopping, clock, times=1)
    assert (table.target.state, table.target.why) == ("stopped", "was stopped, and taken back by d-1")


async def test_a_way_back_that_is_stopped_is_not_turned_round_once_more() -> None:
    back, group = replace(ROLLOUT, phase="back"), Group(runs="8")
    table, clock = Table(GOING_BACK, back), Clock()
    await looks(table, group, back, clock, times=1)
    await following(table, group, clock).stop([table.target], replace(back, phase="stopping"))
    assert group.stopped == [("d-0", False)]


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (
            {"code": "ALARM_ACTIVE", "message": "… Activated alarms: <errors> <more>"},
            "the alarm errors and more fired; CodeDeploy takes it back by d-9",
        ),
        (
            {"code": "HOOK_EXECUTION_FAILURE", "message": "a hook failed"},
            "AllowTraffic: PASSWORD=[withheld]; CodeDeploy takes it back by d-9",
        ),
        (
            {"code": "MANUAL_STOP", "message": "x"},
            "its deployment was stopped in CodeDeploy; CodeDeploy takes it back by d-9",
        ),
    ],
)
async def test_a_failure_names_the_alarm_or_the_event_and_what_takes_it_back(error: dict[str, str], why: str) -> None:
    group, clock = Group(), Clock()
    table = Table(replace(SHIFTED, state="running", execution="d-0", detail={}, started_at=NOW))
    group.made["d-0"] = {"deploymentId": "d-0", "status": "Stopped", "errorInformation": error}
    group.made["d-0"]["rollbackInfo"] = {"rollbackDeploymentId": "d-9"}
    await looks(table, group, ROLLOUT, clock, times=1)
    assert table.target.state == "failed"
    assert "hunter2" not in table.target.why
    assert table.target.why == why
    assert table.target.detail["rolled_back_by"] == "d-9"


async def test_those_of_one_account_and_region_are_looked_at_in_one_call_by_25() -> None:
    group = Group()
    group.made = {f"d-{n}": {"deploymentId": f"d-{n}", "status": "InProgress"} for n in range(60)}
    running = replace(SHIFTED, state="running", detail={}, started_at=NOW)
    all_of_them = [replace(running, key=f"pool-{n}", execution=f"d-{n}") for n in range(60)]
    elsewhere = replace(running, key="silo-1", execution="d-1", region="us-east-1")
    table = Table(running)

    async def targets(request_id: str, **_: object) -> list[Target]:
        return [*all_of_them, elsewhere]

    table.targets = targets  # type: ignore[method-assign]
    await following(table, group).follow(ROLLOUT, RECORD, is_held=False)
    assert sorted(group.batches) == [1, 10, 25, 25]
