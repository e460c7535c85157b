"""Which revision a version names for each of CodeDeploy's targets, read before a roll-out, and pinned in its plan.

Of a function it is the newest published version whose description begins with the version (`2.4.1` or `v2.4.1`); of a
service the newest task definition of its family that is tagged `version`.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Mapping, Sequence
from typing import Any

from bot.errors import CloudError
from bot.releases.codedeploy import CodeDeployTarget, codedeploy_of
from bot.releases.waves import Deployment
from bot.services import Services
from intents.releases.codedeploy import CodeDeploy, Where, primary_of
from intents.releases.shift_planning import config_of, expected_seconds

TAG = "version"
Shifts = dict[str, dict[str, Any]]


class ShiftFacts:
    """Reads everything anew, in each target's own account and Region."""

    def __init__(self, services: Services, codedeploy: CodeDeploy) -> None:
        self._services, self._codedeploy = services, codedeploy

    async def of(self, listed: Sequence[Deployment], version: str, traffic: str, allowed: frozenset[str]) -> Shifts:
        """Return what is to be shifted of each target, by its key; of what can't be, `why` not. Raises CloudError.

        Accounts that may not be deployed into are not looked at.
        """
        named = ((d, codedeploy_of(d.codedeploy)) for d in listed if d.account in allowed)
        found = [(d, target) for d, target in named if target is not None]
        told = await asyncio.gather(*(self._one(Where.of(d), target, version, traffic) for d, target in found))
        return {d.key: one for (d, _), one in zip(found, told, strict=True)}

    async def firing(self, listed: Sequence[Deployment], shifts: Shifts) -> list[dict[str, str]]:
        """Return which alarms fire now that watch what is to be shifted, by key; what can't be read is left out."""
        watched: dict[Where, dict[str, list[str]]] = {}
        for deployment in listed:
            for name in shifts.get(deployment.key, {}).get("alarms", ()):
                watched.setdefault(Where.of(deployment), {}).setdefault(name, []).append(deployment.key)

        async def one(where: Where, names: Mapping[str, list[str]]) -> list[dict[str, str]]:
            try:
                firing = await self._codedeploy.alarms(where, list(names))
            except CloudError:
                return []
            return [{"key": key, "alarm": name} for name, _ in firing for key in names.get(name, ())]

        rows = await asyncio.gather(*(one(where, names) for where, names in watched.items()))
        return sorted((row for listed in rows for row in listed), key=lambda row: (row["key"], row["alarm"]))

    async def _one(self, where: Where, target: CodeDeployTarget, version: str, traffic: str) -> dict[str, Any]:
        try:
            group = await self._codedeploy.group(where, target.application, target.group)
            if group.get("computePlatform") != target.platform:
                return {"why": f"{target.application} is of the platform {group.get('computePlatform', 'Server')}"}
            alarms = group.get("alarmConfiguration", {})
            shift = {
                "platform": target.platform,
                "application": target.application,
                "group": target.group,
                "unit": target.unit,
                "label": target.label,
                "config": config_of(target.platform, traffic) or str(group["deploymentConfigName"]),
                "alarms": sorted(a["name"] for a in alarms.get("alarms", ())) if alarms.get("enabled") else [],
            }
            read = self._function if target.platform == "Lambda" else self._service
            found = await read(where, target, version, group)
        except CloudError as error:
            if error.retryable:
                raise
            return {"why": f"{error.message or error.code}".rstrip(".")}
        if "why" in found:
            return found
        if found["from"] == found["to"]:
            return {"why": f"has {version} already"}
        return {**shift, **found, "expects": expected_seconds(shift, group)}

    async def _function(
        self, where: Where, target: CodeDeployTarget, version: str, group: Mapping[str, Any]
    ) -> dict[str, Any]:
        runs, versions = await asyncio.gather(
            self._codedeploy.alias(where, target.unit, target.label), self._codedeploy.versions(where, target.unit)
        )
        named = [number for number, description in versions if _says(description, version)]
        if not named:
            return {"why": f"no version of {target.unit} is described as {version}"}
        return {"from": runs, "to": str(named[-1])}

    async def _service(
        self, where: Where, target: CodeDeployTarget, version: str, group: Mapping[str, Any]
    ) -> dict[str, Any]:
        services = group.get("ecsServices", ())
        cluster = next((str(s["clusterName"]) for s in services if s.get("serviceName") == target.unit), "")
        if not cluster:
            return {"why": f"the group {target.group} deploys to another service than {target.unit}"}
        service, to = await asyncio.gather(
            self._codedeploy.service(where, cluster, target.unit), self._definition(where, target.label, version)
        )
        balancers = [b for one in (service or {}).get("taskSets", ()) for b in one.get("loadBalancers", ())]
        if not primary_of(service) or not balancers:
            return {"why": f"the service {target.unit} has no tasks behind a load balancer that CodeDeploy changes"}
        if not to:
            return {"why": f"no task definition of {target.label} is tagged {TAG} {version}"}
        return {
            "from": primary_of(service),
            "to": to,
            "cluster": cluster,
            "container": str(balancers[0]["containerName"]),
            "port": int(balancers[0]["containerPort"]),
        }

    async def _definition(self, where: Where, family: str, version: str) -> str:
        for arn in await self._codedeploy.definitions(where, family):
            if (await self._codedeploy.tags_of_definition(where, arn)).get(TAG, "").removeprefix("v") == version:
                return arn
        return ""


def _says(description: str, version: str) -> bool:
    first = re.split(r"[\s:,;]", description.strip(), maxsplit=1)[0]
    return first.removeprefix("v") == version
