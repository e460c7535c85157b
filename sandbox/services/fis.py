"""AWS Fault Injection Service: experiments from their start to their end, and the safety lever."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from sandbox.chaos_model import ENDED, Experiment, experiment_arn
from sandbox.errors import AwsError
from sandbox.experiments import (
    SECONDS_TO_INITIATE,
    lever_of,
    new_experiment_id,
    progress_of,
    running_in,
    settle_experiments,
    stop,
)
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.services.fis_shapes import describe_experiment, summarize_experiment
from sandbox.world import without_nothing

operation = serve(Service("fis", signing_name="fis", denied_status=403, throttled_status=429))

MOST_RUNNING = 5
LEVER = "default"


@operation("StartExperiment")
def start_experiment(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Begin a run of a template; the same client token and parameters return the run that they began."""
    zone, where = context.world.zone, (context.account, context.region)
    fingerprint = hashlib.sha256(json.dumps(parameters, sort_keys=True, default=str).encode()).hexdigest()
    for known in zone.experiments.values():
        if (known.account_id, known.region) == where and known.token == parameters["clientToken"]:
            if known.fingerprint != fingerprint:
                raise AwsError("ConflictException", "The client token was used with other parameters.")
            return {"experiment": describe_experiment(known)}
    template = zone.experiment_templates.get(parameters["experimentTemplateId"])
    if template is None or (template.account_id, template.region) != where:
        raise AwsError(
            "ResourceNotFoundException", f"Experiment template {parameters['experimentTemplateId']} not found."
        )
    if len(running_in(context.world, *where)) >= MOST_RUNNING:
        raise AwsError(
            "ServiceQuotaExceededException",
            f"The number of active experiments would exceed the limit of {MOST_RUNNING}.",
        )
    mode = parameters.get("experimentOptions", {}).get("actionsMode", "run-all")
    experiment = Experiment(
        id=new_experiment_id("EXP"),
        template_id=template.id,
        account_id=context.account,
        region=context.region,
        token=parameters["clientToken"],
        fingerprint=fingerprint,
        actions_mode=mode,
        role_arn=template.role_arn,
        targets=template.targets,
        actions=template.actions,
        stop_conditions=template.stop_conditions,
        options={**template.options, "actionsMode": mode},
        tags=dict(parameters.get("tags", {})),
        accounts=template.accounts,
        created_at=context.now,
        due=context.now + SECONDS_TO_INITIATE,
        progress=progress_of(template.actions),
    )
    zone.experiments[experiment.id] = experiment
    context.world.changed()
    return {"experiment": describe_experiment(experiment)}


@operation("StopExperiment")
def stop_experiment(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Have a run stop; ValidationException for one that has ended."""
    experiment = _find(context, parameters["id"])
    if experiment.status in ENDED:
        raise AwsError(
            "ValidationException", f"Experiment {experiment.id} has already ended: it is {experiment.status}."
        )
    stop(context.world, experiment, context.now, "Experiment was stopped.")
    return {"experiment": describe_experiment(experiment)}


@operation("GetExperiment")
def get_experiment(context: Context, parameters: Parameters) -> dict[str, Any]:
    """One run with each of its actions."""
    return {"experiment": describe_experiment(_find(context, parameters["id"]))}


@operation("ListExperiments")
def list_experiments(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The runs of the account and Region, newest first."""
    found = [
        e
        for e in context.world.zone.experiments.values()
        if (e.account_id, e.region) == (context.account, context.region)
        and parameters.get("experimentTemplateId") in (None, e.template_id)
    ]
    found.sort(key=lambda e: (-e.created_at, e.id))
    page, following = page_of(context, parameters, found, cursor="nextToken", size="maxResults", default_size=100)
    return without_nothing({"experiments": [summarize_experiment(e) for e in page], "nextToken": following})


@operation("ListExperimentResolvedTargets")
def list_experiment_resolved_targets(context: Context, parameters: Parameters) -> dict[str, Any]:
    """What the targets of a run came to, once they are resolved."""
    experiment = _find(context, parameters["experimentId"])
    wanted = parameters.get("targetName")
    if wanted is not None and wanted not in experiment.targets:
        raise AwsError("ResourceNotFoundException", f"Experiment {experiment.id} has no target {wanted}.")
    found = [
        {
            "resourceType": experiment.targets[name]["resourceType"],
            "targetName": name,
            "targetInformation": {"arn": arn},
        }
        for name, arns in sorted(experiment.resolved.items())
        if wanted in (None, name)
        for arn in arns
    ]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="maxResults", default_size=100)
    return without_nothing({"resolvedTargets": page, "nextToken": following})


@operation("ListExperimentTargetAccountConfigurations")
def list_experiment_target_account_configurations(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The target accounts of a multi-account run."""
    experiment = _find(context, parameters["experimentId"])
    found = [
        {"accountId": account, "roleArn": entry["roleArn"], "description": entry["description"]}
        for account, entry in sorted(experiment.accounts.items())
    ]
    page, following = page_of(context, parameters, found, cursor="nextToken", size="maxResults", default_size=50)
    return without_nothing({"targetAccountConfigurations": page, "nextToken": following})


@operation("GetSafetyLever")
def get_safety_lever(context: Context, parameters: Parameters) -> dict[str, Any]:
    """How the account's lever in this Region stands."""
    _require_lever(parameters)
    return {"safetyLever": _describe_lever(context)}


@operation("UpdateSafetyLeverState")
def update_safety_lever_state(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Engage the lever, which stops every run and lets none begin, or disengage it."""
    _require_lever(parameters)
    settle_experiments(context.world)
    state = {"status": parameters["state"]["status"], "reason": parameters["state"]["reason"]}
    context.world.zone.levers[f"{context.account}/{context.region}"] = state
    if state["status"] == "engaged":
        for experiment in running_in(context.world, context.account, context.region):
            if experiment.status != "pending":
                stop(context.world, experiment, context.now, "Experiment was stopped: the safety lever was engaged.")
    context.world.changed()
    return {"safetyLever": _describe_lever(context)}


def _describe_lever(context: Context) -> dict[str, Any]:
    state = lever_of(context.world, context.account, context.region)
    status = state["status"]
    if status == "engaged" and running_in(context.world, context.account, context.region):
        status = "engaging"
    arn = experiment_arn("safety-lever", context.account, context.region, LEVER)
    return {"id": LEVER, "arn": arn, "state": {"status": status, "reason": state["reason"]}}


def _require_lever(parameters: Parameters) -> None:
    if parameters["id"] != LEVER:
        raise AwsError("ResourceNotFoundException", f"Safety lever {parameters['id']} not found.")


def _find(context: Context, identifier: str) -> Experiment:
    experiment = context.world.zone.experiments.get(identifier)
    if experiment is None or (experiment.account_id, experiment.region) != (context.account, context.region):
        raise AwsError("ResourceNotFoundException", f"Experiment {identifier} not found.")
    return experiment
