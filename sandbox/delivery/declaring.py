"""What a pipeline's declaration must be like, beyond the shapes of the API's model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from sandbox.errors import AwsError

MOST_STAGES, MOST_ACTIONS, MOST_IN_STAGE = 50, 1_000, 100
"""CodePipeline's quotas on a pipeline."""


def check_declaration(declared: Mapping[str, Any]) -> None:
    """AwsError in CodePipeline's own codes for a structure that it refuses."""
    stages = declared["stages"]
    if len(stages) < 2:
        raise AwsError("InvalidStructureException", "Pipeline should have at least 2 stages")
    if len(stages) > MOST_STAGES or sum(len(stage["actions"]) for stage in stages) > MOST_ACTIONS:
        raise AwsError("LimitExceededException", f"A pipeline has at most {MOST_STAGES} stages.")
    if "artifactStore" not in declared and "artifactStores" not in declared:
        raise AwsError("InvalidStructureException", "A pipeline needs an artifact store.")
    if declared.get("executionMode", "SUPERSEDED") != "SUPERSEDED" and declared.get("pipelineType") != "V2":
        raise AwsError("InvalidStructureException", "Only a pipeline of type V2 can queue or run in parallel.")
    if (repeated := _repeated(stage["name"] for stage in stages)) is not None:
        raise AwsError("InvalidStageDeclarationException", f"The stage name {repeated} is used more than once.")
    made: set[str] = set()
    for number, stage in enumerate(stages):
        _check_stage(stage, is_first=number == 0, made=made)


def _check_stage(stage: Mapping[str, Any], *, is_first: bool, made: set[str]) -> None:
    actions, name = stage["actions"], stage["name"]
    if not 1 <= len(actions) <= MOST_IN_STAGE:
        raise AwsError("InvalidStageDeclarationException", f"Stage {name} must have 1 to {MOST_IN_STAGE} actions.")
    if (repeated := _repeated(action["name"] for action in actions)) is not None:
        raise AwsError("InvalidActionDeclarationException", f"The action name {repeated} is used twice in {name}.")
    for action in actions:
        is_source = action["actionTypeId"]["category"] == "Source"
        if is_source != is_first:
            where = "only the first stage may" if is_source else "the first stage must"
            raise AwsError("InvalidStructureException", f"Of a pipeline, {where} contain source actions.")
    for action in sorted(actions, key=lambda action: int(action.get("runOrder", 1))):
        for artifact in action.get("inputArtifacts", ()):
            if artifact["name"] not in made:
                raise AwsError(
                    "InvalidActionDeclarationException",
                    f"Action {action['name']} takes the artifact {artifact['name']}, which nothing before it makes.",
                )
        made.update(artifact["name"] for artifact in action.get("outputArtifacts", ()))


def _repeated(names: Any) -> str | None:
    return next((name for name, times in Counter(names).items() if times > 1), None)
