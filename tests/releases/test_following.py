"""Following a run: what was asked for is found again rather than asked twice, and nothing begins after a halt."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import CloudError
from bot.releases.rollouts import Rollout, Rollouts, Rules, Target
from bot.releases.waves import Limits, Place
from bot.requests import RequestRecord
from bot.services import Services
from intents.releases.following import Following
from intents.releases.pipeline_runs import PipelineRuns
from intents.releases.shift_runs import ShiftRuns
from intents.releases.toolchain import Toolchain

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
COMMIT, FORMER = "7a1985db49c1", "1b1985db49c1"
SOURCE = {"action": "Source", "provider": "CodeCommit", "repository": "shop", "branch": "main"}
RECORD = cast(RequestRecord, SimpleNamespace(id="qm-1", plan=SimpleNamespace(effects={"source": SOURCE})))
ROLLOUT = Rollout(
    "qm-1", "shop", "2.4.1", COMMIT, Rules("everyone", Limits(parallel=5)), "running", 0,
    ({"name": "everyone", "count": 1, "tenants": 1},), "", 0, {}, NOW, NOW,
)  # fmt: skip
TARGET = Target(
    "qm-1", "pool-1", 0, 0, "starting", "111111111111", "eu-west-1", "", "pool-1-pipeline", 1, "release", "qm-1-0-1",
    "", {"version": "2.4.0", "commit": FORMER, "execution": "good"}, 1, 0, {"is_new": True}, None, None, None,
)  # fmt: skip
BACK = replace(TARGET, purpose="back")


class Table:
    """One target and its roll-out, as the database would have them."""

    def __init__(self, target: Target, rollout: Rollout = ROLLOUT) -> None:
        self.target, self.rollout = target, rollout

    async def read(self, transaction: object, request_id: str) -> Rollout:
        return self.rollout

    async def targets(self, request_id: str, **_: object) -> list[Target]:
        return [self.target]

    async def places(self, request_id: str, states: Sequence[str]) -> list[Place]:
        return [t.place for t in await self.targets(request_id, states=states)]

    async def change(
        self, transaction: object, target: Target, origin: Sequence[str], state: str, **values: Any
    ) -> bool:
        if self.target.token != target.token or self.target.state not in origin:
            return False
        values.pop("seconds", None)  # which no Target has
        self.target = replace(self.target, state=state, **values)  # type: ignore[arg-type]
        return True


class Pipelines:
    """Runs of one pipeline, newest first; `loses` so many answers to what begins one."""

    def __init__(self, loses: int = 0) -> None:
        self.runs: list[dict[str, Any]] = []
        self.loses, self.stopped, self.tokens = loses, list[str](), dict[str, str]()
        self.doing: list[dict[str, str]] = []

    async def executions(self, pipeline: str, most: int = 10) -> list[Mapping[str, Any]]:
        return [*self.runs]

    def _begins(self, commit: str, kind: str) -> str:
        run = {"pipelineExecutionId": f"run-{len(self.runs)}", "status": "InProgress", "executionType": kind}
        self.runs.insert(0, {**run, "sourceRevisions": [{"revisionId": commit}]})
        return str(run["pipelineExecutionId"])

    def _answers(self, run: str) -> str:
        if self.loses:
            self.loses -= 1
            raise CloudError("EndpointConnectionError", "no answer", operation="any", retryable=True)
        return run

    async def start(self, pipeline: str, token: str, source: object, commit: str) -> str:
        if token not in self.tokens:
            self.tokens[token] = self._begins(commit, "STANDARD")
        return self._answers(self.tokens[token])

    async def roll_back(self, pipeline: str, stage: str, target: str) -> str:
        return self._answers(self._begins(FORMER, "ROLLBACK"))

    async def stop(self, pipeline: str, execution: str, reason: str, *, abandon: bool = False) -> None:
        self.stopped.append(f"{execution} abandoned" if abandon else execution)

    async def state(self, pipeline: str) -> Mapping[str, Any]:
        actions = [{"actionName": f"a{n}", "latestExecution": latest} for n, latest in enumerate(self.doing)]
        own = {"pipelineExecutionId": "run-0", "status": "InProgress"}
        return {"stageStates": [{"stageName": "Gate", "latestExecution": own, "actionStates": actions}]}


class NoShifts:
    """Nothing here is changed by CodeDeploy."""

    def looks(self, targets: Sequence[Target], rollout: Rollout) -> list[object]:
        assert not targets
        return []


def _following(table: Table, pipelines: Pipelines) -> Following:
    async def write(work: Callable[[object], Awaitable[Any]]) -> Any:
        return await work(None)

    services = SimpleNamespace(clock=SimpleNamespace(now=lambda: NOW), database=SimpleNamespace(write=write))
    both = (cast(Services, services), cast(Rollouts, table))
    return Following(*both, PipelineRuns(*both, cast(Toolchain, pipelines)), cast(ShiftRuns, NoShifts()))


async def _looks_twice(table: Table, pipelines: Pipelines, rollout: Rollout) -> None:
    for _ in range(2):
        await _following(table, pipelines).follow(rollout, RECORD, is_held=False)
        table.target = replace(table.target, look_at=None)


async def test_a_rollback_whose_answer_was_lost_is_found_and_not_begun_twice() -> None:
    rollout = replace(ROLLOUT, phase="back")
    table, pipelines = Table(BACK, rollout), Pipelines(loses=1)
    await _looks_twice(table, pipelines, rollout)
    assert len(pipelines.runs) == 1
    assert (table.target.state, table.target.execution) == ("running", "run-0")


async def test_a_start_whose_answer_was_lost_does_not_wait_for_its_own_run() -> None:
    table, pipelines = Table(TARGET), Pipelines(loses=1)
    await _looks_twice(table, pipelines, ROLLOUT)
    assert len(pipelines.runs) == 1
    assert (table.target.state, table.target.execution) == ("running", "run-0")


async def test_stopping_stops_also_a_run_whose_start_was_never_answered() -> None:
    table, pipelines = Table(TARGET), Pipelines(loses=1)
    await _following(table, pipelines).follow(ROLLOUT, RECORD, is_held=False)
    await _following(table, pipelines).stop([table.target], ROLLOUT)
    assert pipelines.stopped == ["run-0"]
    assert (table.target.state, table.target.execution) == ("running", "run-0")


ASKS, WORKS = {"status": "InProgress", "token": "t"}, {"status": "InProgress"}


@pytest.mark.parametrize(
    ("doing", "wanted"),
    [([ASKS], "run-0 abandoned"), ([ASKS, WORKS], "run-0"), ([WORKS], "run-0"), ([], "run-0")],
    ids=["an approval", "an approval beside a build", "a build", "nothing yet"],
)
async def test_stopping_abandons_what_waits_for_people_and_nothing_else(
    doing: list[dict[str, str]], wanted: str
) -> None:
    detail = {"approval": {"stage": "Gate"}}
    table, pipelines = Table(replace(TARGET, state="running", execution="run-0", detail=detail)), Pipelines()
    pipelines.doing = doing
    await _following(table, pipelines).stop([table.target], ROLLOUT)
    assert pipelines.stopped == [wanted]


async def test_nothing_begins_once_a_roll_out_is_halted_or_goes_back() -> None:
    for phase in ("paused", "stopping", "back"):
        halted = replace(ROLLOUT, phase=phase)
        table, pipelines = Table(TARGET, halted), Pipelines()
        await _following(table, pipelines).follow(halted, RECORD, is_held=False)
        await _following(table, pipelines).follow(ROLLOUT, RECORD, is_held=False)  # read just before the halt
        assert not pipelines.runs, phase


async def test_a_replica_that_comes_late_does_not_undo_what_another_has_found() -> None:
    table, pipelines = Table(TARGET), Pipelines()
    await _following(table, pipelines).follow(ROLLOUT, RECORD, is_held=False)
    late = Table(TARGET)
    late.change = table.change  # type: ignore[method-assign]
    await _following(late, pipelines).follow(ROLLOUT, RECORD, is_held=False)
    assert (table.target.state, table.target.execution) == ("running", "run-0")
    assert len(pipelines.runs) == 1
