"""From facts to the plan of a deployment that comes or goes, with what stands against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.plan import Check, Plan, Resource, digest_of
from intents.releases.deployment_definitions import ADD, REMOVE
from intents.releases.planning import ACCOUNT, COMPONENT, STACK, stack_of

DEPLOYMENT = "deployment"
"""The kind of resource that a deployment is: one change of it may be open at a time."""
MAKES = {"codebuild": "codebuild:StartBuild", "cloudformation": "cloudformation:CreateStack"}
RETIRES = {"codebuild": "codebuild:StartBuild", "cloudformation": "cloudformation:DeleteStack", "": ""}
FORGETTING: Mapping[str, str] = {"kind": "", "name": ""}
"""The tool by which nothing is taken away, of deployments that CodeDeploy changes."""


def plan_of_adding(facts: Mapping[str, Any]) -> Plan:
    """Return the plan of a new deployment. Pure: the same facts give the same plan."""
    key, component, account, order = facts["key"], facts["component"], facts["account"], facts["order"]
    is_there = facts["pipeline_tags"] is not None
    where = f"a new account, {facts['region']}" if order else f"{account['name']} ({account['id']}), {facts['region']}"
    first: tuple[tuple[str, str], ...] = ()
    if order:
        first = (("First", f"{order['summary']}: a request of its own, approved on its own; this one waits for it"),)
    return Plan(
        intent=ADD,
        summary=f"Add {key} of {component} in {account['id'] if account else 'a new account'}, {facts['region']}",
        effects={
            "call": "" if is_there else MAKES[facts["tool"]["kind"]],
            "component": component,
            "type": facts["kind"],
            "id": facts["id"],
            "account": account["id"] if account else "",
            "region": facts["region"],
            "pipeline": facts["pipeline"],
            "tool": facts["tool"],
            "order": {"intent": order["intent"], "slots": order["slots"]} if order else {},
            "registers": not facts["master"] or not facts["known"],
            "table": _writes_to(facts),
        },
        details=(
            ("Deployment", f"{key} of {component}"),
            ("Where", where),
            *first,
            ("Pipeline", f"{facts['pipeline']} " + ("is there already" if is_there else f"is made by {_by(facts)}")),
            *_table_row("its record is written into", _writes_to(facts)),
        ),
        checks=(*_adding_checks(facts), *_order_checks(order)),
        touches=(
            Resource(COMPONENT, component),
            *((Resource(ACCOUNT, account["id"]),) if account else ()),
            Resource(DEPLOYMENT, f"{component}/{key}", exclusive=True),
        ),
    )


def _writes_to(facts: Mapping[str, Any]) -> str:
    """Return the table that a new deployment's record is written into; empty where there is none, or it is there."""
    return "" if facts["known"] else str(facts["master"])


def _table_row(what: str, table: str) -> tuple[tuple[str, str], ...]:
    return (("Table", f"{what} {table}, which is master"),) if table else ()


def _by(facts: Mapping[str, Any]) -> str:
    kind, name = facts["tool"]["kind"], facts["tool"]["name"]
    return f"the CodeBuild project {name}" if kind == "codebuild" else f"the stack {facts['pipeline']} from {name}"


def _adding_checks(facts: Mapping[str, Any]) -> list[Check]:
    key, account, known, tags = facts["key"], facts["account"], facts["known"], facts["pipeline_tags"]
    checks = []
    if account and not facts["is_allowed"]:
        sentence = (
            f"{account['name']} ({account['id']}) is no active member of the organization under {facts['where']}."
        )
        checks.append(Check("Account", "fails", sentence, "Account", "Name an account that may be deployed into."))
    elif account:
        checks.append(Check("Account", "ok", f"{account['name']} is active and may be deployed into"))
    if known and (known["account"], known["region"]) != (account and account["id"], facts["region"]):
        sentence = f"{key} of {facts['component']} is known already, in {known['account']}, {known['region']}."
        step = f"Say “remove {key.replace('-', ' ', 1)}” first."
        if facts["master"]:
            step = f"Change its record in the table {facts['master']}, which is master; the registry follows it."
        checks.append(Check("Deployment", "fails", sentence, "Deployment", step))
    elif known and known["codedeploy"]:
        sentence = f"{key} of {facts['component']} is there already: CodeDeploy changes it ({known['codedeploy']})."
        checks.append(Check("Deployment", "fails", sentence, "Deployment", "Choose another name."))
    elif known and tags is not None:
        sentence = f"{key} of {facts['component']} is there already, with its pipeline {facts['pipeline']}."
        checks.append(Check("Deployment", "fails", sentence, "Deployment", "Choose another name."))
    elif (record := facts["record"]) and not _is_said_by(record, facts):
        place = f"{record.get('type', 'nothing')} in {record.get('account', '?')}, {record.get('region', '?')}"
        sentence = f"The table {facts['master']} has a record {facts['id']} already: {place}."
        checks.append(Check("Table", "fails", sentence, "Deployment", "Choose another name, or mend that record."))
    if tags is not None and not known:
        said = {
            "type": facts["kind"],
            "id": facts["id"],
            "account": account and account["id"],
            "region": facts["region"],
        }
        wrong = {n: tags.get(n, "nothing") for n, v in said.items() if tags.get(n) != v}
        if wrong:
            named = ", ".join(f"{name} {value}" for name, value in wrong.items())
            sentence = f"There is a pipeline {facts['pipeline']} already, which is tagged for another place: {named}."
            checks.append(
                Check("Pipeline", "fails", sentence, "Deployment", "Choose another name, or delete that pipeline.")
            )
        else:
            checks.append(Check("Pipeline", "ok", f"{facts['pipeline']} is there already; it is only written down"))
    return checks


def _is_said_by(record: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Tell whether a record of the table says what is asked for, so that it is only to be followed."""
    account = facts["account"] and facts["account"]["id"]
    wanted = {"type": facts["kind"], "account": account, "region": facts["region"]}
    return all(record.get(name) == value for name, value in wanted.items())


def _order_checks(order: Mapping[str, Any] | None) -> list[Check]:
    if not order:
        return []
    checks = [Check(c["name"], c["result"], c["sentence"], c["slot"], c["next_step"]) for c in order["checks"]]
    if not order["is_covered"]:
        sentence = f"No version may be rolled out to accounts in the OU {order['unit']}."
        step = f"Name an OU under {order['where']}."
        checks.append(Check("OU", "fails", sentence, "AccountOU", step))
    return checks


def plan_of_removing(facts: Mapping[str, Any]) -> Plan:
    """Return the plan of a deployment's end. Pure: the same facts give the same plan."""
    one = facts["deployment"]
    key, component, pipeline = facts["key"], one["component"], facts["pipeline"]
    stack = stack_of(component, key)
    tenants = f"{one['tenants']} tenant" + ("" if one["tenants"] == 1 else "s")
    how = _by({**facts, "pipeline": pipeline}) if facts["is_provisioned"] else "nothing: it has none"
    deletes = f"the pipeline {pipeline}, and the stack {stack} with what it holds; this can't be undone"
    if is_forgotten := facts["tool"] == FORGETTING:
        deletes = f"nothing: {one['codedeploy']} is only forgotten here, and runs on"
    return Plan(
        intent=REMOVE,
        summary=f"Remove {key} of {component} in {one['account']}, {one['region']}"
        + ("" if is_forgotten else ", with its stacks"),
        effects={
            "call": RETIRES[facts["tool"]["kind"]],
            "component": component,
            "type": one["kind"],
            "id": one["id"],
            "account": one["account"],
            "region": one["region"],
            "pipeline": pipeline,
            "stack": stack,
            "tool": facts["tool"],
            "provisioned": facts["is_provisioned"],
            "table": facts["master"],
        },
        details=(
            ("Deployment", f"{key} of {component}, {tenants}, version {one['version'] or 'unknown'}"),
            ("Where", f"{one['account']}, {one['region']}"),
            ("Deletes", deletes),
            ("By", how),
            *_table_row("its record is taken out of", facts["master"]),
        ),
        checks=tuple(_removing_checks(facts)),
        tier="production",
        touches=(
            Resource(COMPONENT, component),
            Resource(ACCOUNT, one["account"]),
            Resource(STACK, stack),
            Resource(DEPLOYMENT, f"{component}/{key}", exclusive=True),
        ),
    )


def _removing_checks(facts: Mapping[str, Any]) -> list[Check]:
    one, checks = facts["deployment"], []
    if facts["holder"]:
        sentence = f"Request {facts['holder']} holds {one['component']}: it is being rolled out, or changed."
        step = "Ask again when that is over, or stop it."
        checks.append(Check("Roll-outs", "fails", sentence, next_step=step))
    else:
        checks.append(Check("Roll-outs", "ok", f"nothing is rolling {one['component']} out"))
    if facts["running"]:
        sentence = f"{facts['pipeline']} is running: {facts['running'][:8]}."
        checks.append(Check("Pipeline", "fails", sentence, next_step="Ask again when its run has ended."))
    return checks


def digest_of_template(text: str) -> str:
    """Return what a template is known by in a plan."""
    return digest_of({"template": text})[:16]
