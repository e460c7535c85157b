"""FIS's templates: what can be run, on what, and until which alarm; and the kinds of actions."""

from __future__ import annotations

from typing import Any

from sandbox.chaos_actions import ACTIONS, RESOURCE_TYPES
from sandbox.chaos_model import ExperimentTemplate, seconds_of
from sandbox.chaos_targets import is_selection_mode
from sandbox.errors import AwsError
from sandbox.experiments import new_experiment_id
from sandbox.registry import Context, Parameters, page_of
from sandbox.services.fis import operation
from sandbox.services.fis_shapes import (
    describe_action,
    describe_template,
    find_action,
    summarize_action,
    summarize_template,
)
from sandbox.world import without_nothing


@operation("ListExperimentTemplates")
def list_experiment_templates(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The templates of the account and Region."""
    found = [
        t
        for t in context.world.zone.experiment_templates.values()
        if (t.account_id, t.region) == (context.account, context.region)
    ]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="maxResults", default_size=100)
    return without_nothing({"experimentTemplates": [summarize_template(t) for t in page], "nextToken": following})


@operation("GetExperimentTemplate")
def get_experiment_template(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One template, whole."""
    return {"experimentTemplate": describe_template(_find(context, parameters["id"]))}


@operation("CreateExperimentTemplate")
def create_experiment_template(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a template; ValidationException for what could never run."""
    _check(parameters)
    options = {
        "accountTargeting": "single-account",
        "emptyTargetResolutionMode": "fail",
        **parameters.get("experimentOptions", {}),
    }
    template = ExperimentTemplate(
        id=new_experiment_id("EXT"),
        account_id=context.account,
        region=context.region,
        description=parameters["description"],
        role_arn=parameters["roleArn"],
        targets=dict(parameters.get("targets", {})),
        actions=dict(parameters["actions"]),
        stop_conditions=list(parameters["stopConditions"]),
        tags=dict(parameters.get("tags", {})),
        options=options,
        created_at=context.now,
        updated_at=context.now,
    )
    context.world.zone.experiment_templates[template.id] = template
    context.world.changed()
    return {"experimentTemplate": describe_template(template)}


@operation("UpdateExperimentTemplate")
def update_experiment_template(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Change a template; runs under way keep what they began with."""
    template = _find(context, parameters["id"])
    fresh = {
        "targets": parameters.get("targets", template.targets),
        "actions": parameters.get("actions", template.actions),
        "stopConditions": parameters.get("stopConditions", template.stop_conditions),
    }
    _check(fresh)
    template.targets, template.actions = dict(fresh["targets"]), dict(fresh["actions"])
    template.stop_conditions = list(fresh["stopConditions"])
    template.description = parameters.get("description", template.description)
    template.updated_at = context.now
    context.world.changed()
    return {"experimentTemplate": describe_template(template)}


@operation("DeleteExperimentTemplate")
def delete_experiment_template(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Remove a template."""
    template = _find(context, parameters["id"])
    del context.world.zone.experiment_templates[template.id]
    context.world.changed()
    return {"experimentTemplate": describe_template(template)}


@operation("ListTargetAccountConfigurations")
def list_target_account_configurations(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The target accounts of a multi-account template."""
    template = _find(context, parameters["experimentTemplateId"])
    found = [
        {"accountId": account, "roleArn": entry["roleArn"], "description": entry["description"]}
        for account, entry in sorted(template.accounts.items())
    ]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="maxResults", default_size=50)
    return without_nothing({"targetAccountConfigurations": page, "nextToken": following})


@operation("ListActions")
def list_actions(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The kinds of actions that there are."""
    page, following = page_of(
        context, parameters, list(ACTIONS.values()), cursor="nextToken", size="maxResults", default_size=100
    )
    entries = [summarize_action(action, context.account, context.region) for action in page]
    return without_nothing({"actions": entries, "nextToken": following})


@operation("GetAction")
def get_action(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One kind of action."""
    action = find_action(parameters["id"])
    if action is None:
        raise AwsError("ResourceNotFoundException", f"Action {parameters['id']} not found.")
    return {"action": describe_action(action, context.account, context.region)}


def _find(context: Context, identifier: str) -> ExperimentTemplate:
    template = context.world.zone.experiment_templates.get(identifier)
    if template is None or (template.account_id, template.region) != (context.account, context.region):
        raise AwsError("ResourceNotFoundException", f"Experiment template {identifier} not found.")
    return template


def _check(parameters: Parameters) -> None:
    targets, actions = parameters.get("targets", {}), parameters["actions"]
    for name, target in targets.items():
        if target["resourceType"] not in RESOURCE_TYPES:
            raise _invalid(f"Target {name}: the resource type {target['resourceType']} is not supported.")
        if not is_selection_mode(target["selectionMode"]):
            raise _invalid(f"Target {name}: the selection mode {target['selectionMode']} is not valid.")
        if not target.get("resourceArns") and not target.get("resourceTags") and not target.get("parameters"):
            raise _invalid(f"Target {name}: resource ARNs, tags or parameters must be given.")
    for name, action in actions.items():
        kind = find_action(action["actionId"])
        if kind is None:
            raise _invalid(f"Action {name}: the action {action['actionId']} does not exist.")
        given = action.get("parameters", {})
        for wanted in kind.required:
            if wanted not in given:
                raise _invalid(f"Action {name}: the parameter {wanted} is required.")
        if kind.lasts in given and seconds_of(given[kind.lasts]) is None:
            raise _invalid(f"Action {name}: {given[kind.lasts]} is not a duration.")
        for aim in action.get("targets", {}).values():
            if aim not in targets or targets[aim]["resourceType"] != kind.aims_at:
                raise _invalid(f"Action {name}: the target {aim} is missing, or of another type.")
        if unknown := set(action.get("startAfter", ())) - set(actions):
            raise _invalid(f"Action {name}: it starts after {min(unknown)}, which does not exist.")
    for condition in parameters["stopConditions"]:
        if condition["source"] not in ("none", "aws:cloudwatch:alarm"):
            raise _invalid(f"The stop condition source {condition['source']} is not valid.")


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
