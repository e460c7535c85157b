"""AWS CodePipeline: pipelines themselves, as they are declared, listed, tagged and deleted."""

from __future__ import annotations

from typing import Any

from sandbox.clock import moment
from sandbox.delivery.declaring import check_declaration
from sandbox.delivery.model import TERMINAL, Pipeline
from sandbox.delivery.structures import Structure
from sandbox.errors import AwsError
from sandbox.registry import Context, Parameters, Service, page_of, serve
from sandbox.world import without_nothing

SERVICE = Service("codepipeline", signing_name="codepipeline", bad_page="InvalidNextTokenException")
operation = serve(SERVICE)

_PAGE = 1_000
_MOST_TAGS = 50


@operation("ListPipelines")
def list_pipelines(context: Context, parameters: Parameters) -> dict[str, Any]:
    """The pipelines of the caller's account and Region, by name."""
    prefix = f"{context.account}/{context.region}/"
    pipelines = context.world.delivery.pipelines
    keys = sorted(key for key in pipelines if key.startswith(prefix))
    page, following = page_of(context, parameters, keys, cursor="nextToken", size="maxResults", default_size=_PAGE)
    return without_nothing({"pipelines": [_summary(context, pipelines[key]) for key in page], "nextToken": following})


@operation("GetPipeline")
def get_pipeline(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A pipeline as declared, in its current version or an earlier one."""
    pipeline = find_pipeline(context, parameters["name"])
    version = parameters.get("version", pipeline.version)
    if version > pipeline.version:
        raise AwsError("PipelineVersionNotFoundException", f"{pipeline.name} has no version {version}.")
    return {
        "pipeline": declaration_of(context, pipeline, version),
        "metadata": {
            "pipelineArn": pipeline.arn,
            "created": moment(pipeline.created_at),
            "updated": moment(pipeline.updated_at),
        },
    }


@operation("CreatePipeline")
def create_pipeline(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Make a pipeline; unlike in AWS, it waits for somebody to start it."""
    declared = dict(parameters["pipeline"])
    name = declared["name"]
    if context.world.delivery.pipeline_in(context.account, context.region, name) is not None:
        raise AwsError("PipelineNameInUseException", f"A pipeline with the name '{name}' already exists.")
    check_declaration(declared)
    tags = _tags(parameters.get("tags", []))
    pipeline = Pipeline(
        key=f"{context.account}/{context.region}/{name}",
        name=name,
        account_id=context.account,
        region=context.region,
        structures=[context.world.delivery.share(_structure(declared))],
        created_at=context.now,
        updated_at=context.now,
        tags=tags,
    )
    context.world.delivery.keep("pipelines", pipeline.key, pipeline)
    return {"pipeline": declaration_of(context, pipeline), **({"tags": parameters["tags"]} if tags else {})}


@operation("UpdatePipeline")
def update_pipeline(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Declare a pipeline anew, as its next version; what runs goes on as it was."""
    declared = dict(parameters["pipeline"])
    pipeline = find_pipeline(context, declared["name"])
    check_declaration(declared)
    delivery = context.world.delivery
    pipeline.structures.append(delivery.share(_structure(declared)))
    pipeline.updated_at = context.now
    delivery.changed("pipelines", pipeline.key)
    return {"pipeline": declaration_of(context, pipeline)}


@operation("DeletePipeline")
def delete_pipeline(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Delete a pipeline and what it has run; one that isn't there doesn't matter."""
    delivery = context.world.delivery
    pipeline = delivery.pipeline_in(context.account, context.region, parameters["name"])
    if pipeline is not None:
        delete(context, pipeline)
    return {}


@operation("ListTagsForResource")
def list_tags_for_resource(context: Context, parameters: Parameters) -> dict[str, Any]:
    """A pipeline's tags."""
    pipeline = _by_arn(context, parameters["resourceArn"])
    entries = [{"key": key, "value": value} for key, value in pipeline.tags.items()]
    page, following = page_of(context, parameters, entries, cursor="nextToken", size="maxResults", default_size=100)
    return without_nothing({"tags": page, "nextToken": following})


@operation("TagResource")
def tag_resource(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Tag a pipeline."""
    pipeline = _by_arn(context, parameters["resourceArn"])
    tags = {**pipeline.tags, **_tags(parameters["tags"])}
    if len(tags) > _MOST_TAGS:
        raise AwsError("TooManyTagsException", f"A resource can have {_MOST_TAGS} tags.")
    pipeline.tags = tags
    context.world.delivery.changed("pipelines", pipeline.key)
    return {}


@operation("UntagResource")
def untag_resource(context: Context, parameters: Parameters) -> dict[str, Any]:
    """Take tags off a pipeline."""
    pipeline = _by_arn(context, parameters["resourceArn"])
    pipeline.tags = {key: value for key, value in pipeline.tags.items() if key not in parameters["tagKeys"]}
    context.world.delivery.changed("pipelines", pipeline.key)
    return {}


def find_pipeline(context: Context, name: str) -> Pipeline:
    """A pipeline of the caller's account and Region; PipelineNotFoundException without it."""
    pipeline = context.world.delivery.pipeline_in(context.account, context.region, name)
    if pipeline is None:
        raise AwsError(
            "PipelineNotFoundException", f"Account {context.account} does not have a pipeline with name '{name}'"
        )
    return pipeline


def declaration_of(context: Context, pipeline: Pipeline, version: int = 0) -> dict[str, Any]:
    """A pipeline's declaration with its name and version, and its values filled in."""
    structure = context.world.delivery.structure_of(pipeline, version)
    return {"name": pipeline.name, "version": version or pipeline.version, **structure.filled(pipeline.values)}


def delete(context: Context, pipeline: Pipeline) -> None:
    """Remove a pipeline with its executions."""
    delivery = context.world.delivery
    for identifier in pipeline.executions:
        delivery.drop("executions", identifier)
    delivery.drop("pipelines", pipeline.key)


def is_idle(context: Context, pipeline: Pipeline) -> bool:
    """Whether nothing of a pipeline is under way."""
    executions = context.world.delivery.executions
    return all(executions[identifier].status in TERMINAL for identifier in pipeline.executions)


def _summary(context: Context, pipeline: Pipeline) -> dict[str, Any]:
    declared = context.world.delivery.structure_of(pipeline).declaration
    return {
        "name": pipeline.name,
        "version": pipeline.version,
        "pipelineType": declared.get("pipelineType", "V1"),
        "executionMode": declared.get("executionMode", "SUPERSEDED"),
        "created": moment(pipeline.created_at),
        "updated": moment(pipeline.updated_at),
    }


def _structure(declared: dict[str, Any]) -> Structure:
    kept = {name: value for name, value in declared.items() if name not in ("name", "version")}
    kept.setdefault("executionMode", "SUPERSEDED")
    kept.setdefault("pipelineType", "V1")
    for stage in kept["stages"]:
        for action in stage["actions"]:
            action.setdefault("runOrder", 1)
    return Structure(kept)


def _tags(entries: list[dict[str, str]]) -> dict[str, str]:
    if len(entries) > _MOST_TAGS:
        raise AwsError("TooManyTagsException", f"A resource can have {_MOST_TAGS} tags.")
    if any(entry["key"].lower().startswith("aws:") for entry in entries):
        raise AwsError("InvalidTagsException", "Tag keys must not begin with aws:.")
    return {entry["key"]: entry["value"] for entry in entries}


def _by_arn(context: Context, arn: str) -> Pipeline:
    *_, region, account, name = arn.split(":")
    pipeline = context.world.delivery.pipeline_in(account, region, name)
    if pipeline is None or account != context.account:
        raise AwsError("ResourceNotFoundException", f"There is no {arn}.")
    return pipeline
