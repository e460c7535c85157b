"""What there is of each type of target, as its own service describes it, with its ARN as `_arn`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.cloud import Cloud
from intents.chaos.model import Place

INSTANCE, SUBNET, TASK = "aws:ec2:instance", "aws:ec2:subnet", "aws:ecs:task"
DATABASE, CLUSTER, FUNCTION = "aws:rds:db", "aws:rds:cluster", "aws:lambda:function"
_TASKS_A_CALL = 100


class Described:
    """Describes instances, subnets, tasks, databases and functions; other types by their tags alone.

    Zones of database clusters are those of their writers (`_zone`), as FIS takes them.
    """

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    async def all(self, place: Place, target: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Return everything of a target's type in a place, whatever its tags. Raises CloudError."""
        match target["resourceType"]:
            case "aws:ec2:instance":
                return await self._instances(place)
            case "aws:ec2:subnet":
                subnets = await self._listed(place, "ec2", "DescribeSubnets", "Subnets")
                return [{**s, "_arn": s["SubnetArn"]} for s in subnets]
            case "aws:ecs:task":
                return await self._tasks(place, target)
            case "aws:rds:db":
                found = await self._listed(place, "rds", "DescribeDBInstances", "DBInstances")
                return [{**d, "_arn": d["DBInstanceArn"]} for d in found]
            case "aws:rds:cluster":
                return await self._clusters(place)
            case "aws:lambda:function":
                return await self._functions(place)
            case other:
                tagged = await self._tagged(place, other)
                return [{"_arn": arn, "Tags": tags} for arn, tags in tagged.items()]

    async def _instances(self, place: Place) -> list[dict[str, Any]]:
        found = [
            {**i, "_arn": f"arn:aws:ec2:{place.region}:{r['OwnerId']}:instance/{i['InstanceId']}"}
            for r in await self._listed(place, "ec2", "DescribeInstances", "Reservations")
            for i in r["Instances"]
        ]
        return [i for i in found if i["State"]["Name"] != "terminated"]

    async def _tasks(self, place: Place, target: Mapping[str, Any]) -> list[dict[str, Any]]:
        cluster = target.get("parameters", {}).get("cluster")
        clusters = [cluster] if cluster else await self._listed(place, "ecs", "ListClusters", "clusterArns")
        found = []
        for one in clusters:
            arns = await self._listed(place, "ecs", "ListTasks", "taskArns", cluster=one)
            for start in range(0, len(arns), _TASKS_A_CALL):
                answer = await self._cloud.call(
                    "ecs",
                    "DescribeTasks",
                    region=place.region,
                    role=place.role,
                    cluster=one,
                    tasks=arns[start : start + _TASKS_A_CALL],
                    include=["TAGS"],
                )
                found += [{**t, "_arn": t["taskArn"]} for t in answer["tasks"]]
        return found

    async def _clusters(self, place: Place) -> list[dict[str, Any]]:
        clusters = await self._listed(place, "rds", "DescribeDBClusters", "DBClusters")
        databases = await self._listed(place, "rds", "DescribeDBInstances", "DBInstances") if clusters else []
        zones = {d["DBInstanceIdentifier"]: d.get("AvailabilityZone", "") for d in databases}
        found = []
        for one in clusters:
            writers = [m["DBInstanceIdentifier"] for m in one.get("DBClusterMembers", ()) if m.get("IsClusterWriter")]
            found.append({**one, "_arn": one["DBClusterArn"], "_zone": zones.get(writers[0], "") if writers else ""})
        return found

    async def _functions(self, place: Place) -> list[dict[str, Any]]:
        tags = await self._tagged(place, FUNCTION)  # Lambda lists functions without them
        functions = await self._listed(place, "lambda", "ListFunctions", "Functions")
        return [{**f, "_arn": f["FunctionArn"], "Tags": tags.get(f["FunctionArn"], [])} for f in functions]

    async def _tagged(self, place: Place, kind: str) -> dict[str, list[dict[str, str]]]:
        wanted = {"ResourceTypeFilters": [kind.removeprefix("aws:")]}
        tagged = await self._listed(
            place, "resourcegroupstaggingapi", "GetResources", "ResourceTagMappingList", **wanted
        )
        return {t["ResourceARN"]: t["Tags"] for t in tagged}

    async def _listed(self, place: Place, service: str, operation: str, result: str, **more: Any) -> list[Any]:
        pages = self._cloud.pages(service, operation, result, region=place.region, role=place.role, **more)
        return [entry async for entry in pages]
