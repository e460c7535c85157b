"""What pipelines consist of: declarations shared by many, and how an execution's time is spread over their actions."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

_WEIGHTS = {"Source": 0.5, "Build": 4.0, "Test": 2.5, "Deploy": 4.0, "Compute": 2.0, "Invoke": 1.0}
_WAITING = (("Approval", "Manual"), ("Invoke", "Lambda"))
"""Actions that end when somebody says so."""
_BESIDE = 0.8
"""Of several actions at once, each takes this much of the one before it."""


class Structure:
    """A pipeline's declaration without its name and version; the same text is the same structure."""

    def __init__(self, declaration: Mapping[str, Any]) -> None:
        self.text = json.dumps(declaration, sort_keys=True, separators=(",", ":"))
        self.digest = hashlib.sha256(self.text.encode()).hexdigest()[:20]
        self.declaration: dict[str, Any] = json.loads(self.text)

    @cached_property
    def stages(self) -> list[dict[str, Any]]:
        """The stages as declared."""
        return list(self.declaration["stages"])

    @cached_property
    def mode(self) -> str:
        """SUPERSEDED, QUEUED or PARALLEL."""
        return str(self.declaration.get("executionMode", "SUPERSEDED"))

    @cached_property
    def groups(self) -> list[list[list[int]]]:
        """Of each stage: which actions begin at once, in the order of their runOrder."""
        return [self._group(stage["actions"]) for stage in self.stages]

    @cached_property
    def shares(self) -> dict[tuple[int, int], float]:
        """Of each timed action, by stage and number: which part of the execution's time it takes."""
        weights: dict[tuple[int, int], float] = {}
        total = 0.0
        for stage, groups in enumerate(self.groups):
            for group in groups:
                timed = [n for n in group if not waits(self.stages[stage]["actions"][n])]
                heaviest = max((_weight(self.stages[stage]["actions"][n]) for n in timed), default=0.0)
                total += heaviest
                for place, number in enumerate(timed):
                    weights[stage, number] = heaviest * _BESIDE**place
        return {where: weight / total for where, weight in weights.items()}

    @cached_property
    def sources(self) -> dict[str, dict[str, Any]]:
        """The source actions by name."""
        return {a["name"]: a for a in self.stages[0]["actions"] if a["actionTypeId"]["category"] == "Source"}

    def find_stage(self, name: str) -> int | None:
        """The number of a stage by its name."""
        return next((n for n, stage in enumerate(self.stages) if stage["name"] == name), None)

    def action(self, stage: int, number: int) -> dict[str, Any]:
        """One action as declared."""
        found: dict[str, Any] = self.stages[stage]["actions"][number]
        return found

    def filled(self, values: Mapping[str, str]) -> dict[str, Any]:
        """The declaration with a pipeline's values in its placeholders, written as {id}."""
        return json.loads(fill(self.text, values)) if values else self.declaration

    @staticmethod
    def _group(actions: list[dict[str, Any]]) -> list[list[int]]:
        orders = sorted({int(action.get("runOrder", 1)) for action in actions})
        return [[n for n, action in enumerate(actions) if action.get("runOrder", 1) == order] for order in orders]


def fill(text: str, values: Mapping[str, str]) -> str:
    """A text with values in its placeholders."""
    for name, value in values.items():
        text = text.replace("{" + name + "}", value)
    return text


def waits(action: Mapping[str, Any]) -> bool:
    """Whether an action waits for somebody rather than for time to pass."""
    kind = action["actionTypeId"]
    return (kind["category"], kind["provider"]) in _WAITING


def _weight(action: Mapping[str, Any]) -> float:
    return _WEIGHTS.get(action["actionTypeId"]["category"], 1.0)


def _action(
    name: str, category: str, provider: str, configuration: Mapping[str, str], takes: str = "", gives: str = ""
) -> dict[str, Any]:
    made: dict[str, Any] = {
        "name": name,
        "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
        "runOrder": 1,
        "configuration": dict(configuration),
        "inputArtifacts": [{"name": takes}] if takes else [],
        "outputArtifacts": [{"name": gives}] if gives else [],
    }
    return made


def _stages(*, is_approved: bool, is_tested: bool) -> Iterator[dict[str, Any]]:
    source = {"RepositoryName": "{component}", "BranchName": "main", "PollForSourceChanges": "false"}
    yield {"name": "Source", "actions": [_action("Source", "Source", "CodeCommit", source, gives="Source")]}
    build = {"ProjectName": "{component}-build"}
    yield {"name": "Build", "actions": [_action("Build", "Build", "CodeBuild", build, "Source", "Built")]}
    if is_approved:
        words = {"CustomData": "{type} {id} of {component} is about to change in {region}."}
        yield {"name": "Approve", "actions": [_action("Approve", "Approval", "Manual", words)]}
    deploy = {
        "ActionMode": "CREATE_UPDATE",
        "StackName": "{component}-{type}-{id}",
        "TemplatePath": "Built::template.json",
        "Capabilities": "CAPABILITY_IAM",
        "RoleArn": "arn:aws:iam::{account}:role/Deployer",
    }
    yield {"name": "Deploy", "actions": [{**_action("Deploy", "Deploy", "CloudFormation", deploy, "Built")}]}
    if is_tested:
        verify = {"ProjectName": "{component}-verify"}
        yield {"name": "Verify", "actions": [_action("Verify", "Test", "CodeBuild", verify, "Built")]}


def of_deployments(
    toolchain: str, *, mode: str = "SUPERSEDED", is_approved: bool = False, is_tested: bool = True
) -> Structure:
    """What the pipelines of deployments share; placeholders are {component}, {type}, {id}, {account} and {region}."""
    return Structure(
        {
            "roleArn": f"arn:aws:iam::{toolchain}:role/Pipelines",
            "artifactStore": {"type": "S3", "location": f"corp-artifacts-{toolchain}"},
            "stages": list(_stages(is_approved=is_approved, is_tested=is_tested)),
            "executionMode": mode,
            "pipelineType": "V2",
        }
    )
