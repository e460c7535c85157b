"""What an action does when it begins and ends: revisions are fetched, and what is doomed fails in its tool's words."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from random import Random
from typing import TYPE_CHECKING, Any

from sandbox.delivery.model import ActionRun, Execution, Pipeline
from sandbox.delivery.stack_outcomes import fail_stack, mend_stack
from sandbox.delivery.structures import fill, waits

if TYPE_CHECKING:
    from sandbox.world import World

_FAILURES = {
    "CodeBuild": ("JobFailed", "Build terminated with state: FAILED. Phase: BUILD, Code: COMMAND_EXECUTION_ERROR"),
    "CloudFormation": ("JobFailed", "Action execution failed: the stack could not be updated"),
    "CodeDeploy": ("JobFailed", "Deployment failed: the overall deployment failed because a hook failed"),
    "CodeCommit": ("JobFailed", "The source could not be fetched"),
}
_OTHER = ("JobFailed", "The action failed")


def begin(run: ActionRun, action: Mapping[str, Any]) -> None:
    """Prepare what an action waits for."""
    kind = action["actionTypeId"]
    if (kind["category"], kind["provider"]) == ("Invoke", "Lambda"):
        run.detail["job"] = {"id": str(uuid.uuid4()), "due": run.started_at, "token": "", "is_answered": False}


def problem_of(world: World, pipeline: Pipeline, execution: Execution, run: ActionRun) -> tuple[str, str] | None:
    """What is wrong when an action's time is over: code and message; None if it ends well."""
    action = world.delivery.execution_structure(execution).action(run.stage, run.action)
    kind = action["actionTypeId"]
    if waits(action):
        return ("TimeoutError", "The action was not answered within its time.")
    doom = execution.doom
    if doom and (doom["stage"], doom["action"]) == (run.stage, run.action):
        execution.doom = {}
        if kind["provider"] == "CloudFormation" and run.due is not None:
            fail_stack(world, pipeline, run, run.due, doom["message"], doom.get("resource", ""))
        return doom["code"], doom["message"]
    if kind["provider"] == "CloudFormation" and run.due is not None:
        mend_stack(world, pipeline, run, run.due)
    if kind["category"] == "Source":
        return fetch(world, pipeline, execution, action)
    return None


def draw_doom(world: World, pipeline: Pipeline, execution: Execution, draw: Random) -> dict[str, Any]:
    """What of an execution is going to fail from where it stands, by chance or by the fault pipeline_failed."""
    chance, choice = draw.random(), draw.random()
    fault = world.faults.take("pipeline_failed", subject=pipeline.name)
    if fault is None and chance >= pipeline.failing:
        return {}
    structure = world.delivery.execution_structure(execution)
    may_fail = [
        (stage, number)
        for stage, number in structure.shares
        if stage >= execution.stage
        and (not execution.target or stage == execution.stage)
        and structure.action(stage, number)["actionTypeId"]["category"] != "Source"
    ]
    named = dict(fault or {})
    wanted = [
        (stage, number)
        for stage, number in may_fail
        if named.get("stage") in (None, structure.stages[stage]["name"])
        and named.get("action") in (None, structure.action(stage, number)["name"])
    ]
    if not (wanted or may_fail):
        return {}
    found = wanted or may_fail
    stage, number = found[int(choice * len(found))]
    code, usual = _FAILURES.get(structure.action(stage, number)["actionTypeId"]["provider"], _OTHER)
    doom = {"stage": stage, "action": number, "code": code, "message": named.get("message") or usual}
    return {**doom, **({"resource": named["resource"]} if "resource" in named else {})}


def fetch(world: World, pipeline: Pipeline, execution: Execution, action: Mapping[str, Any]) -> tuple[str, str] | None:
    """Note which revision a source action brings: the one it is pinned to, or the newest there is."""
    configuration = {name: fill(value, pipeline.values) for name, value in action.get("configuration", {}).items()}
    kept = execution.revisions.setdefault(action["name"], {})
    repository = world.delivery.repositories.get(
        f"{pipeline.account_id}/{pipeline.region}/{configuration.get('RepositoryName', '')}"
    )
    if repository is None:
        kept.setdefault("revisionId", "unknown")
        return None
    branch = configuration.get("BranchName", "main")
    wanted = kept.get("revisionId") or repository.branches.get(branch)
    commit = repository.commits.get(wanted or "")
    if commit is None:
        return "JobFailed", f"The commit {wanted or branch} does not exist in the repository {repository.name}."
    kept["revisionId"], kept["summary"], kept["at"] = commit.id, commit.message.partition("\n")[0], commit.at
    kept["url"] = (
        f"https://{pipeline.region}.console.aws.amazon.com/codesuite/codecommit/repositories/{repository.name}"
        f"/commit/{commit.id}"
    )
    return None
