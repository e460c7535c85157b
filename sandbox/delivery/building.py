"""Builds, those that people start and those of pipelines alike: their phases, and the log that each has written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.clock import moment
from sandbox.delivery.bus import put_event
from sandbox.delivery.ids import find_run, run_id
from sandbox.delivery.model import Execution, Pipeline
from sandbox.delivery.provisioning import carry_out
from sandbox.delivery.structures import fill
from sandbox.delivery.tool_model import Build, Project
from sandbox.delivery.tools import project_of

if TYPE_CHECKING:
    from sandbox.world import World

BUILD_SECONDS = (90.0, 300.0)
# Phase, and its part of a build's time
_PHASES = (
    ("SUBMITTED", 0.0),
    ("QUEUED", 0.03),
    ("PROVISIONING", 0.08),
    ("DOWNLOAD_SOURCE", 0.05),
    ("INSTALL", 0.16),
    ("PRE_BUILD", 0.1),
    ("BUILD", 0.46),
    ("POST_BUILD", 0.07),
    ("UPLOAD_ARTIFACTS", 0.03),
    ("FINALIZING", 0.02),
)
_FAILING = "BUILD"
_COMMANDS = {
    "INSTALL": ("make install", "Installed 214 packages"),
    "PRE_BUILD": ("make lint", "No findings"),
    "BUILD": ("make deployable", "Synthesizing the stack"),
    "POST_BUILD": ("make report", "Report written"),
}
_TOLD_BY_TESTS = "FAILED tests/test_orders.py::test_an_order_is_priced - assert 503 == 200\n1 failed, 148 passed"
"""What stands in the log when a build's failure was not given words of its own."""
_STATUSES = {"InProgress": "IN_PROGRESS", "Succeeded": "SUCCEEDED", "Failed": "FAILED", "Abandoned": "STOPPED"}


@dataclass(frozen=True)
class Seen:
    """A build as it shows: `seconds` is all of its time, `ended_at` None for as long as it runs."""

    id: str
    project: str
    account_id: str
    region: str
    number: int
    started_at: float
    seconds: float
    ended_at: float | None
    status: str
    problem: str
    initiator: str
    source_version: str
    variables: dict[str, str]

    def phases(self, now: float) -> Iterator[tuple[str, float, float | None, str]]:
        """Phase, when it began, when it ended (None if it goes on) and how."""
        at = self.started_at
        until = now if self.ended_at is None else self.ended_at
        # A build that fails is given up in one phase, so that phase takes what is left of the time.
        for name, share in _PHASES:
            is_failing = self.status in ("FAILED", "STOPPED") and self._is_last(at, share, until, name)
            end = until if is_failing and self.ended_at is not None else at + share * self.seconds
            if end > until:
                yield name, at, None, "IN_PROGRESS"
                return
            yield name, at, end, self.status if is_failing else "SUCCEEDED"
            if is_failing:
                break
            at = end
        if self.ended_at is not None:
            yield "COMPLETED", self.ended_at, self.ended_at, "SUCCEEDED"

    def log(self, now: float) -> list[tuple[float, str]]:
        """Times and lines of what it has written so far."""
        lines: list[tuple[float, str]] = []
        for name, begun, ended, status in self.phases(now):
            if name in ("SUBMITTED", "QUEUED", "PROVISIONING", "COMPLETED"):
                continue
            lines.append((begun, f"Entering phase {name}"))
            command, told = _COMMANDS.get(name, ("", ""))
            if command:
                lines.append((begun, f"Running command {command}"))
            if ended is None:
                break
            if status == "FAILED":
                told = _TOLD_BY_TESTS if self.problem.startswith("Build terminated") else self.problem
                lines += [(ended, line) for line in told.splitlines()]
                lines.append((ended, f"Command did not execute successfully {command} exit status 2"))
            elif command:
                lines.append((ended, told))
            lines.append((ended, f"Phase complete: {name} State: {status}"))
            if status == "FAILED":
                why = f"Error while executing command: {command}. Reason: exit status 2"
                lines.append((ended, f"Phase context status code: COMMAND_EXECUTION_ERROR Message: {why}"))
        return [(at, f"[Container] {moment(at):%Y/%m/%d %H:%M:%S} {line}\n") for at, line in lines]

    def _is_last(self, at: float, share: float, until: float, name: str) -> bool:
        return name == _FAILING if self.status == "FAILED" else at + share * self.seconds >= until


def find_build(world: World, account_id: str, region: str, identifier: str) -> Seen | None:
    """A build by its id, project:uuid; also one of a pipeline's."""
    delivery = world.delivery
    if (build := delivery.builds.get(identifier)) is not None:
        seen = _seen(build, delivery.projects[build.project])
        return seen if (seen.account_id, seen.region) == (account_id, region) else None
    project, _, unique = identifier.rpartition(":")
    found = find_run(unique)
    execution = delivery.executions.get(found[0]) if found else None
    if found is None or execution is None or found[1] >= len(execution.runs):
        return None
    pipeline = delivery.pipelines[execution.pipeline]
    seen_run = _seen_run(world, pipeline, execution, found[1])
    if seen_run is None or seen_run.project != project:
        return None
    return seen_run if (pipeline.account_id, pipeline.region) == (account_id, region) else None


def builds_of(world: World, account_id: str, region: str, project: str | None = None) -> list[Seen]:
    """All builds of an account and Region, newest first, of one project if it is named."""
    delivery = world.delivery
    found = [_seen(build, delivery.projects[build.project]) for build in delivery.builds.values()]
    for execution in delivery.executions.values():
        pipeline = delivery.pipelines[execution.pipeline]
        if (pipeline.account_id, pipeline.region) == (account_id, region):
            runs = (_seen_run(world, pipeline, execution, number) for number in range(len(execution.runs)))
            found += [run for run in runs if run is not None]
    kept = [s for s in found if (s.account_id, s.region) == (account_id, region) and project in (None, s.project)]
    return sorted(kept, key=lambda seen: seen.started_at, reverse=True)


def finish(world: World, identifier: str, due: float) -> None:
    """A build's time is over: it has failed if it had to, else it has done what its project is for."""
    build = world.delivery.builds.get(identifier)
    if build is None or build.due != due:
        return
    build.problem = build.problem or carry_out(world, world.delivery.projects[build.project], build, due)
    end(world, build, "FAILED" if build.problem else "SUCCEEDED", due)


def end(world: World, build: Build, status: str, at: float) -> None:
    """End a build, and tell so."""
    build.status, build.ended_at = status, at
    world.delivery.schedule("builds", build, None)
    tell(world, build, at)


def tell(world: World, build: Build, at: float) -> None:
    """Tell the bus how a build stands."""
    project = world.delivery.projects[build.project]
    arn = arn_of(project.account_id, project.region, build.id)
    put_event(
        world,
        project.account_id,
        project.region,
        source="aws.codebuild",
        detail_type="CodeBuild Build State Change",
        detail={
            "build-status": build.status,
            "project-name": project.name,
            "build-id": arn,
            "current-phase": "SUBMITTED" if build.ended_at is None else "COMPLETED",
            "version": "1",
        },
        resources=[arn],
        at=at,
    )


def arn_of(account_id: str, region: str, identifier: str) -> str:
    """A build's ARN."""
    return f"arn:aws:codebuild:{region}:{account_id}:build/{identifier}"


def _seen(build: Build, project: Project) -> Seen:
    return Seen(
        id=build.id,
        project=project.name,
        account_id=project.account_id,
        region=project.region,
        number=build.number,
        started_at=build.started_at,
        seconds=build.seconds,
        ended_at=build.ended_at,
        status=build.status,
        problem=build.problem,
        initiator=build.initiator,
        source_version=build.source_version,
        variables=build.variables,
    )


def _seen_run(world: World, pipeline: Pipeline, execution: Execution, number: int) -> Seen | None:
    run = execution.runs[number]
    structure = world.delivery.execution_structure(execution)
    action = structure.action(run.stage, run.action)
    if action["actionTypeId"]["provider"] != "CodeBuild":
        return None
    project = project_of(pipeline, action)
    is_over = run.status != "InProgress"
    given = {name: fill(value, pipeline.values) for name, value in action.get("configuration", {}).items()}
    return Seen(
        id=f"{project}:{run_id(execution.id, number)}",
        project=project,
        account_id=pipeline.account_id,
        region=pipeline.region,
        number=execution.number,
        started_at=run.started_at,
        seconds=execution.seconds * structure.shares[run.stage, run.action],
        ended_at=run.updated_at if is_over else None,
        status=_STATUSES[run.status],
        problem=run.message,
        initiator=f"codepipeline/{pipeline.name}",
        source_version=next((r["revisionId"] for r in execution.revisions.values() if "revisionId" in r), ""),
        variables={"PROJECT": given.get("ProjectName", "")},
    )
