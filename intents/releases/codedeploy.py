"""CodeDeploy in members' accounts: its groups and deployments, and the functions and services that they change."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bot.releases.rollouts import Target
from bot.releases.waves import Deployment
from bot.services import Services

AT_ONCE = 12
"""Calls under way at a time; CodeDeploy takes few a second of an account, and waits are short."""
A_CALL = 25
"""Deployments that BatchGetDeployments tells of."""
LOOKED_AT = 20
"""Revisions of a family of task definitions among which a version is looked for, the newest first."""
LIMIT = "DeploymentLimitExceededException"
ENDED = ("Succeeded", "Failed", "Stopped")
UNDER_WAY = ("Created", "Queued", "InProgress", "Baking", "Ready")
_EVENTS = ("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM")


class Where(NamedTuple):
    """An account and a Region."""

    account: str
    region: str

    @staticmethod
    def of(one: Target | Deployment) -> Where:
        """Return where a target or a deployment is."""
        return Where(one.account, one.region)


class CodeDeploy:
    """Reads and steers deployments through the role in each member account. Everything raises CloudError."""

    def __init__(self, services: Services) -> None:
        self._services, self._cloud = services, services.cloud
        self._turns = asyncio.Semaphore(AT_ONCE)

    # ------------------------------------------------------------------------------ what there is

    async def group(self, where: Where, application: str, group: str) -> Mapping[str, Any]:
        """Return a deployment group: configuration, alarms, platform, services."""
        answer = await self._deploy(where, "GetDeploymentGroup", applicationName=application, deploymentGroupName=group)
        found: Mapping[str, Any] = answer["deploymentGroupInfo"]
        return found

    async def alias(self, where: Where, function: str, alias: str) -> str:
        """Return the version that a function's alias points to."""
        async with self._turns:
            answer = await self._cloud.call(
                "lambda",
                "GetAlias",
                region=where.region,
                role=self._services.settings.member_role(where.account),
                FunctionName=function,
                Name=alias,
            )
        return str(answer["FunctionVersion"])

    async def versions(self, where: Where, function: str) -> list[tuple[int, str]]:
        """Return number and description of a function's published versions, oldest first."""
        pages = self._cloud.pages(
            "lambda",
            "ListVersionsByFunction",
            "Versions",
            region=where.region,
            role=self._services.settings.member_role(where.account),
            FunctionName=function,
        )
        async with self._turns:
            listed = [v async for v in pages]
        return sorted((int(v["Version"]), str(v.get("Description", ""))) for v in listed if v["Version"].isdecimal())

    async def service(self, where: Where, cluster: str, service: str) -> Mapping[str, Any] | None:
        """Return an ECS service with its task sets; None where there is none."""
        answer = await self._tasks(where, "DescribeServices", cluster=cluster, services=[service])
        found: Sequence[Mapping[str, Any]] = answer.get("services", ())
        return found[0] if found else None

    async def definitions(self, where: Where, family: str) -> list[str]:
        """Return the ARNs of the newest task definitions of a family, newest first."""
        answer = await self._tasks(
            where, "ListTaskDefinitions", familyPrefix=family, status="ACTIVE", sort="DESC", maxResults=LOOKED_AT
        )
        return [str(arn) for arn in answer.get("taskDefinitionArns", ())]

    async def tags_of_definition(self, where: Where, arn: str) -> dict[str, str]:
        """Return the tags of a task definition."""
        answer = await self._tasks(where, "DescribeTaskDefinition", taskDefinition=arn, include=["TAGS"])
        return {str(tag["key"]): str(tag["value"]) for tag in answer.get("tags", ())}

    async def runs(self, where: Where, shift: Mapping[str, Any]) -> str:
        """Return what has the traffic of what a shift changes: a version, or the ARN of a task definition."""
        if shift["platform"] == "Lambda":
            return await self.alias(where, shift["unit"], shift["label"])
        return primary_of(await self.service(where, shift["cluster"], shift["unit"]))

    # ------------------------------------------------------------------------------ deployments

    async def create(
        self, where: Where, shift: Mapping[str, Any], before: str, after: str, words: str, *, is_back: bool
    ) -> str:
        """Begin to shift the traffic, and return the deployment; called twice, it would begin a second one.

        A way back goes all at once, and is held up by no alarm: it may be the alarm's reason that it goes.
        """
        content = app_spec(shift, before, after)
        digest = hashlib.sha256(content.encode()).hexdigest()
        config = f"CodeDeployDefault.{shift['platform']}AllAtOnce" if is_back else shift["config"]
        more: dict[str, Any] = {"autoRollbackConfiguration": {"enabled": True, "events": list(_EVENTS)}}
        if is_back:
            more = {
                "autoRollbackConfiguration": {"enabled": False},
                "overrideAlarmConfiguration": {"enabled": False, "alarms": []},
            }
        answer = await self._deploy(
            where,
            "CreateDeployment",
            applicationName=shift["application"],
            deploymentGroupName=shift["group"],
            deploymentConfigName=config,
            description=words[:250],
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content, "sha256": digest}},
            **more,
        )
        return str(answer["deploymentId"])

    async def listed(
        self, where: Where, shift: Mapping[str, Any], since: datetime, *, under_way: bool = False
    ) -> list[str]:
        """Return the ids of a group's deployments since a time, or of those that are under way, newest first."""
        narrowed: dict[str, Any] = {"createTimeRange": {"start": since}}
        if under_way:
            narrowed = {"includeOnlyStatuses": list(UNDER_WAY)}
        answer = await self._deploy(
            where,
            "ListDeployments",
            applicationName=shift["application"],
            deploymentGroupName=shift["group"],
            **narrowed,
        )
        return [str(one) for one in answer.get("deployments", ())]

    async def deployments(self, where: Where, ids: Sequence[str]) -> dict[str, Mapping[str, Any]]:
        """Return how up to 25 deployments stand, by id; those that there are none of are left out."""
        answer = await self._deploy(where, "BatchGetDeployments", deploymentIds=list(ids))
        return {str(one["deploymentId"]): one for one in answer.get("deploymentsInfo", ())}

    async def stop(self, where: Where, deployment: str, *, takes_back: bool) -> None:
        """Have a deployment stop, and its traffic go back; one that has ended is no trouble."""
        await self._deploy(where, "StopDeployment", deploymentId=deployment, autoRollbackEnabled=takes_back)

    async def events(self, where: Where, deployment: str) -> list[Mapping[str, Any]]:
        """Return the lifecycle events of a deployment's target, in their order."""
        listed = (await self._deploy(where, "ListDeploymentTargets", deploymentId=deployment)).get("targetIds", [])
        if not listed:
            return []
        answer = await self._deploy(
            where, "BatchGetDeploymentTargets", deploymentId=deployment, targetIds=list(listed[:1])
        )
        found: Sequence[Mapping[str, Any]] = answer.get("deploymentTargets", ())
        told = next((one.get("lambdaTarget") or one.get("ecsTarget") or {} for one in found), {})
        return list(told.get("lifecycleEvents", ()))

    async def alarms(self, where: Where, names: Sequence[str]) -> list[tuple[str, str]]:
        """Return which of these alarms fire, and why each does."""
        answer = await self._cloud.call(
            "cloudwatch",
            "DescribeAlarms",
            region=where.region,
            role=self._services.settings.member_role(where.account),
            AlarmNames=list(names)[:100],
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            StateValue="ALARM",
        )
        listed = [*answer.get("MetricAlarms", ()), *answer.get("CompositeAlarms", ())]
        return [(str(a["AlarmName"]), str(a.get("StateReason", ""))) for a in listed]

    async def _deploy(self, where: Where, operation: str, **parameters: Any) -> dict[str, Any]:
        role = self._services.settings.member_role(where.account)
        async with self._turns:
            return await self._cloud.call("codedeploy", operation, region=where.region, role=role, **parameters)

    async def _tasks(self, where: Where, operation: str, **parameters: Any) -> dict[str, Any]:
        role = self._services.settings.member_role(where.account)
        async with self._turns:
            return await self._cloud.call("ecs", operation, region=where.region, role=role, **parameters)


def primary_of(service: Mapping[str, Any] | None) -> str:
    """Return the ARN of the task definition that has a service's traffic; empty where nothing has."""
    sets = (service or {}).get("taskSets", ())
    return next((str(one["taskDefinition"]) for one in sets if one.get("status") == "PRIMARY"), "")


def app_spec(shift: Mapping[str, Any], before: str, after: str) -> str:
    """Return the AppSpec by which a function's alias, or a service's tasks, come to be others. The same for the same.

    See the CodeDeploy User Guide, “AppSpec file structure”.
    """
    if shift["platform"] == "Lambda":
        kind, properties = (
            "AWS::Lambda::Function",
            {
                "Name": shift["unit"],
                "Alias": shift["label"],
                "CurrentVersion": before,
                "TargetVersion": after,
            },
        )
    else:
        balancer = {"ContainerName": shift["container"], "ContainerPort": shift["port"]}
        kind, properties = "AWS::ECS::Service", {"TaskDefinition": after, "LoadBalancerInfo": balancer}
    resource = {"Type": kind, "Properties": properties}
    return json.dumps({"version": 0.0, "Resources": [{"Target": resource}]}, sort_keys=True)


def short_of(revision: str) -> str:
    """Return a version or a task definition as people know it: 8, or shop-web:8."""
    return revision.rpartition("/")[2]
