"""What the project deployment-provisioning is for: it makes a deployment's pipeline, or retires it with its stack."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.delivery.model import TERMINAL
from sandbox.delivery.seed import PROVISIONING_PROJECT, add_pipeline, deployment_structure
from sandbox.delivery.tool_model import Build, Project
from sandbox.stacks import delete_stack

if TYPE_CHECKING:
    from sandbox.world import World

_ID = re.compile(r"[A-Za-z0-9@_-]{1,40}")


def carry_out(world: World, project: Project, build: Build, at: float) -> str:
    """Do what a build was started for; what went wrong, or nothing.

    The environment says what: COMPONENT, DEPLOYMENT_TYPE, DEPLOYMENT_ID, DEPLOYMENT_ACCOUNT, DEPLOYMENT_REGION, and
    ACTION, which is provision or retire. Both may be repeated.
    """
    if project.name != PROVISIONING_PROJECT:
        return ""
    given = build.variables
    missing = [
        name for name in ("DEPLOYMENT_TYPE", "DEPLOYMENT_ID", "COMPONENT") if not _ID.fullmatch(given.get(name, ""))
    ]
    if missing:
        return f"{missing[0]} is not set, or not usable"
    kind, identifier = given["DEPLOYMENT_TYPE"], given["DEPLOYMENT_ID"]
    account, region = given.get("DEPLOYMENT_ACCOUNT", ""), given.get("DEPLOYMENT_REGION", project.region)
    home = (project.account_id, project.region)
    pipeline = world.delivery.pipeline_in(*home, f"{kind}-{identifier}-pipeline")
    if given.get("ACTION", "provision") == "retire":
        if pipeline is None:
            return ""
        executions = [world.delivery.executions[one] for one in pipeline.executions]
        if any(execution.status not in TERMINAL for execution in executions):
            return f"{pipeline.name} is running"
        for execution in executions:
            world.delivery.drop("executions", execution.id)
        world.delivery.drop("pipelines", pipeline.key)
        _delete_stack(world, pipeline.values, at)
        return ""
    owner = world.zone.accounts.get(account)
    if owner is None or owner.status != "ACTIVE":
        return f"Need to perform AWS calls for account {account or 'none'}, but it is not an active account here"
    if pipeline is None:
        values = {
            "component": given["COMPONENT"],
            "type": kind,
            "id": identifier,
            "account": account,
            "region": region,
        }
        add_pipeline(world.delivery, deployment_structure(), values, at, home=home)
    return ""


def _delete_stack(world: World, values: dict[str, str], at: float) -> None:
    name = "{component}-{type}-{id}".format(**values) if values else ""
    for stack in list(world.zone.stacks.values()):
        where = (stack.account_id, stack.region, stack.name)
        if where == (values.get("account"), values.get("region"), name) and stack.deleted_at is None:
            delete_stack(world.zone, stack, at)
            world.changed()
