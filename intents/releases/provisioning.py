"""Making a deployment's pipeline, and taking it away: by a build of a CodeBuild project, or as a CloudFormation stack.

Both are begun with a token that follows from the request, after a look for what an earlier try has begun, and followed
by one batched watcher each.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog

from bot.errors import CloudError, Conflict, without_arns
from bot.requests import RequestRecord
from bot.services import Services
from bot.withholding import withhold_named
from bot.workflow.model import Verdict, Waiting, Watcher
from intents.releases.deployment_planning import digest_of_template
from intents.releases.toolchain import Toolchain

log = structlog.get_logger(__name__)

BUILD, STACK = "deployment-build", "deployment-stack"
POLL = timedelta(seconds=15)
A_CALL = 100
LINES = 8
LOOKED_BACK = 50
"""Newest builds of the project among which one is looked for whose start was not heard of."""
NAMES = {"COMPONENT": "component", "DEPLOYMENT_TYPE": "type", "DEPLOYMENT_ID": "id", "DEPLOYMENT_ACCOUNT": "account",
         "DEPLOYMENT_REGION": "region"}  # fmt: skip
"""What the project is told, and the effects that say it."""
PARAMETERS = {"Component": "component", "DeploymentType": "type", "DeploymentId": "id", "DeploymentAccount": "account",
              "DeploymentRegion": "region"}  # fmt: skip
"""The parameters that the template has to declare."""
OURS = "quartermaster-request"


class Provisioning:
    """Calls CodeBuild and CloudFormation through the toolchain role, in the toolchain's Region."""

    def __init__(self, services: Services, toolchain: Toolchain) -> None:
        self._services, self._cloud, self._toolchain = services, services.cloud, toolchain

    def tool(self) -> dict[str, str]:
        """Return what makes pipelines here, as JSON types: kind and name, of a template its digest too.

        Raises Conflict when the settings name nothing.
        """
        settings = self._services.settings
        if settings.deployment_project:
            return {"kind": "codebuild", "name": settings.deployment_project}
        if settings.deployment_template:
            path = Path(settings.deployment_template)
            return {"kind": "cloudformation", "name": path.name, "digest": digest_of_template(self._template())}
        raise Conflict(
            "Pipelines of deployments are not made from here: nothing is named that makes them.",
            next_step="Whoever runs the bot sets DEPLOYMENT_PROJECT or DEPLOYMENT_TEMPLATE, see docs/releases.md.",
        )

    def watchers(self) -> tuple[Watcher, ...]:
        """Return the watchers of all builds and of all stacks."""
        return Watcher(BUILD, POLL, self._look_at_builds), Watcher(STACK, POLL, self._look_at_stacks)

    # ------------------------------------------------------------------------------ CodeBuild

    async def build(self, record: RequestRecord, what: Mapping[str, str], action: str, try_: int) -> str:
        """Start a build for a deployment, or find the one that was started for the same try; return its id."""
        token = f"{record.id}-{record.version}-{try_}"
        if found := await self._started(token):
            return found
        variables = {name: what[effect] for name, effect in NAMES.items()} | {"ACTION": action, "REQUEST": token}
        answer = await self._cloud.call(
            "codebuild",
            "StartBuild",
            region=self._toolchain.region,
            role=self._services.settings.toolchain_role_arn,
            projectName=self._services.settings.deployment_project,
            idempotencyToken=token,
            environmentVariablesOverride=[
                {"name": name, "value": value, "type": "PLAINTEXT"} for name, value in variables.items()
            ],
        )
        return str(answer["build"]["id"])

    async def _started(self, token: str) -> str:
        listed = await self._cloud.call(
            "codebuild",
            "ListBuildsForProject",
            region=self._toolchain.region,
            role=self._services.settings.toolchain_role_arn,
            projectName=self._services.settings.deployment_project,
            sortOrder="DESCENDING",
        )
        for build in await self._builds(listed.get("ids", [])[:LOOKED_BACK]):
            given = {v["name"]: v["value"] for v in build.get("environment", {}).get("environmentVariables", ())}
            if given.get("REQUEST") == token:
                return str(build["id"])
        return ""

    async def _builds(self, ids: Sequence[str]) -> list[Mapping[str, Any]]:
        if not ids:
            return []
        answer = await self._cloud.call(
            "codebuild",
            "BatchGetBuilds",
            region=self._toolchain.region,
            role=self._services.settings.toolchain_role_arn,
            ids=list(ids),
        )
        found: list[Mapping[str, Any]] = answer.get("builds", [])
        return found

    async def _look_at_builds(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        verdicts: dict[int, Verdict] = {}
        for start in range(0, len(waiting), A_CALL):
            rows = waiting[start : start + A_CALL]
            found = {str(b["id"]): b for b in await self._builds(list(dict.fromkeys(row.key for row in rows)))}
            for row in rows:
                build = found.get(row.key)
                status = str(build["buildStatus"]) if build else "GONE"
                phase = str(build.get("currentPhase", "")) if build else ""
                ended = status != "IN_PROGRESS"
                mark = "running" if not ended else "done" if status == "SUCCEEDED" else "failed"
                line = (mark, "Build", phase.replace("_", " ").casefold() or status.casefold())
                verdicts[row.seq] = Verdict(ended, {"status": status}, progress=[line])  # type: ignore[list-item]
        return verdicts

    async def why_build_failed(self, build_id: str, status: str) -> str:
        """Return in words how a build ended, with the last lines of its log; secrets in them are withheld."""
        said = f"The build {build_id} ended as {status.replace('_', ' ').casefold()}."
        try:
            build = await self._toolchain.build(build_id)
            logs: Mapping[str, Any] = (build or {}).get("logs", {})
            if logs.get("groupName") and logs.get("streamName"):
                lines = await self._toolchain.log_tail(logs["groupName"], logs["streamName"], LINES)
                shown = " / ".join(withhold_named(line)[:300] for line in lines if line.strip())
                said += f" Its log ends with: {shown}"
        except CloudError as error:
            log.warning("releases.log_unread", build=build_id, error=error.detail)
            said += f" Its log can't be read just now ({error.code})."
        return without_arns(said)

    # ------------------------------------------------------------------------------ CloudFormation

    def _template(self) -> str:
        try:
            return Path(self._services.settings.deployment_template).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Conflict(
                f"The template {Path(self._services.settings.deployment_template).name} can't be read just now.",
                next_step="Whoever runs the bot looks at DEPLOYMENT_TEMPLATE.",
            ) from error

    async def create_stack(self, record: RequestRecord, what: Mapping[str, str], try_: int) -> str:
        """Create the stack of a pipeline, called as the pipeline is, and return its id; one of ours is found again."""
        name, tags = what["pipeline"], {"component": "component", "type": "type", "id": "id"}
        known = await self._stack(name)
        if known is not None and {t["Key"]: t["Value"] for t in known.get("Tags", ())}.get(OURS) == record.id:
            if try_ == 0 or known["StackStatus"] not in ("ROLLBACK_COMPLETE", "CREATE_FAILED", "ROLLBACK_FAILED"):
                return str(known["StackId"])
            await self.delete_stack(str(known["StackId"]), f"{record.id}-clear-{try_}")
            raise Conflict(
                f"What an earlier try left of the stack {name} is being deleted.", next_step="Retry it then."
            )
        answer = await self._cloud.call(
            "cloudformation",
            "CreateStack",
            region=self._toolchain.region,
            role=self._services.settings.toolchain_role_arn,
            StackName=name,
            TemplateBody=self._template(),
            Parameters=[{"ParameterKey": key, "ParameterValue": what[e]} for key, e in PARAMETERS.items()],
            Capabilities=["CAPABILITY_NAMED_IAM"],
            ClientRequestToken=f"{record.id}-{record.version}-{try_}",
            Tags=[{"Key": k, "Value": what[e]} for k, e in tags.items()] + [{"Key": OURS, "Value": record.id}],
        )
        return str(answer["StackId"])

    async def delete_stack(self, named: str, token: str) -> str:
        """Delete the stack of a pipeline and return its id; empty when there is none."""
        known = await self._stack(named)
        if known is None:
            return ""
        await self._cloud.call(
            "cloudformation",
            "DeleteStack",
            region=self._toolchain.region,
            role=self._services.settings.toolchain_role_arn,
            StackName=str(known["StackId"]),
            ClientRequestToken=token,
        )
        return str(known["StackId"])

    async def _stack(self, named: str) -> Mapping[str, Any] | None:
        try:
            answer = await self._cloud.call(
                "cloudformation",
                "DescribeStacks",
                region=self._toolchain.region,
                role=self._services.settings.toolchain_role_arn,
                StackName=named,
            )
        except CloudError as error:
            if error.code == "ValidationError" and "does not exist" in error.message:
                return None
            raise
        found: Mapping[str, Any] = answer["Stacks"][0]
        return found

    async def delete_member_stack(self, what: Mapping[str, str], token: str) -> str:
        """Delete the stack that a pipeline has deployed, in its account; return its id, empty when there is none."""
        known = await self._member_stack(what["account"], what["region"], what["stack"])
        if known is None or known["StackStatus"] == "DELETE_COMPLETE":
            return ""
        await self._cloud.call(
            "cloudformation",
            "DeleteStack",
            region=what["region"],
            role=self._services.settings.member_role(what["account"]),
            StackName=str(known["StackId"]),
            ClientRequestToken=token,
        )
        return str(known["StackId"])

    async def _member_stack(self, account: str, region: str, named: str) -> Mapping[str, Any] | None:
        try:
            answer = await self._cloud.call(
                "cloudformation",
                "DescribeStacks",
                region=region,
                role=self._services.settings.member_role(account),
                StackName=named,
            )
        except CloudError as error:
            if error.code == "ValidationError" and "does not exist" in error.message:
                return None
            raise
        found: Mapping[str, Any] = answer["Stacks"][0]
        return found

    async def _look_at_stacks(self, waiting: Sequence[Waiting]) -> Mapping[int, Verdict]:
        async def one(row: Waiting) -> Verdict | None:
            try:
                place = row.payload.get("member")
                found = await (self._member_stack(place["account"], place["region"], row.key) if place
                               else self._stack(row.key))  # fmt: skip
            except CloudError as error:
                log.warning("releases.stack_unread", stack=row.key, error=error.detail)
                return None
            status = str(found["StackStatus"]) if found else "DELETE_COMPLETE"
            why = without_arns(str((found or {}).get("StackStatusReason", "")))[:300]
            ended = not status.endswith("_IN_PROGRESS")
            mark = "running" if not ended else "failed" if "FAILED" in status or "ROLLBACK" in status else "done"
            line = (mark, "Stack", status.replace("_", " ").casefold())
            return Verdict(ended, {"status": status, "why": why}, progress=[line])  # type: ignore[list-item]

        found = await asyncio.gather(*map(one, waiting))
        return {row.seq: verdict for row, verdict in zip(waiting, found, strict=True) if verdict is not None}
