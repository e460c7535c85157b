"""How FIS describes templates, experiments and actions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.chaos_actions import ACTIONS, Action
from sandbox.chaos_model import Experiment, ExperimentTemplate, experiment_arn
from sandbox.clock import moment
from sandbox.world import without_nothing


def describe_experiment(experiment: Experiment) -> dict[str, Any]:
    """A run with its targets and actions."""
    return without_nothing(
        {
            **summarize_experiment(experiment),
            "roleArn": experiment.role_arn,
            "targets": experiment.targets,
            "actions": {
                name: without_nothing(
                    {
                        **action,
                        "state": {key: experiment.progress[name][key] for key in ("status", "reason")},
                        "startTime": _moment(experiment.progress[name]["start"]),
                        "endTime": _moment(experiment.progress[name]["end"]),
                    }
                )
                for name, action in experiment.actions.items()
            },
            "stopConditions": experiment.stop_conditions,
            "startTime": _moment(experiment.started_at),
            "endTime": _moment(experiment.ended_at),
            "targetAccountConfigurationsCount": len(experiment.accounts),
        }
    )


def summarize_experiment(experiment: Experiment) -> dict[str, Any]:
    """A run as lists show it."""
    state: dict[str, Any] = {"status": experiment.status, "reason": experiment.reason}
    if experiment.error:
        state["error"] = experiment.error
    return {
        "id": experiment.id,
        "arn": experiment_arn("experiment", experiment.account_id, experiment.region, experiment.id),
        "experimentTemplateId": experiment.template_id,
        "state": state,
        "creationTime": moment(experiment.created_at),
        "tags": experiment.tags,
        "experimentOptions": experiment.options,
    }


def describe_template(template: ExperimentTemplate) -> dict[str, Any]:
    """A template, whole."""
    return {
        **summarize_template(template),
        "targets": template.targets,
        "actions": template.actions,
        "stopConditions": template.stop_conditions,
        "roleArn": template.role_arn,
        "experimentOptions": template.options,
        "targetAccountConfigurationsCount": len(template.accounts),
    }


def summarize_template(template: ExperimentTemplate) -> dict[str, Any]:
    """A template as lists show it."""
    return {
        "id": template.id,
        "arn": experiment_arn("experiment-template", template.account_id, template.region, template.id),
        "description": template.description,
        "creationTime": moment(template.created_at),
        "lastUpdateTime": moment(template.updated_at),
        "tags": template.tags,
    }


def describe_action(action: Action, account: str, region: str) -> dict[str, Any]:
    """A kind of action with its parameters."""
    parameters: Mapping[str, Any] = {
        **{name: {"description": name, "required": True} for name in action.required},
        **{name: {"description": name, "required": False} for name in action.optional},
    }
    return {**summarize_action(action, account, region), "parameters": parameters}


def summarize_action(action: Action, account: str, region: str) -> dict[str, Any]:
    """A kind of action as lists show it."""
    targets = {action.target: {"resourceType": action.aims_at}} if action.target else {}
    return {
        "id": action.id,
        "arn": experiment_arn("action", account, region, action.id),
        "description": action.description,
        "targets": targets,
        "tags": {},
    }


def find_action(identifier: str) -> Action | None:
    """The kind of action of that id."""
    return ACTIONS.get(identifier)


def _moment(seconds: float | None) -> Any:
    return None if seconds is None else moment(seconds)
