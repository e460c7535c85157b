"""What CodeDeploy deploys to, made whole: an application with its group, and the function or the service behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.delivery.state import Delivery
from sandbox.delivery.tool_model import Alias, Application, EcsService, Function, TaskDefinition

GROUP, ALIAS, CLUSTER = "production", "live", "checkout-prod"
_EVENTS = ("DEPLOYMENT_FAILURE", "DEPLOYMENT_STOP_ON_ALARM", "DEPLOYMENT_STOP_ON_REQUEST")
_STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}


@dataclass(frozen=True)
class Deployable:
    """How one is made; `name` is what its application, and its function or its tasks' family, are called.

    `versions` are what was built of it, numbered from `first` on, of which `current` runs. `tags` are its group's.
    """

    name: str
    platform: str
    account: str
    region: str
    config: str
    versions: Sequence[str]
    current: str
    first: int = 1
    service: str = ""
    alarms: Sequence[str] = ()
    tags: dict[str, str] | None = None


def add_deployable(delivery: Delivery, wish: Deployable, at: float) -> Application:
    """Make one, in place of any that was called so."""
    where = f"{wish.account}/{wish.region}"
    service = wish.service or wish.name
    group: dict[str, Any] = {
        "id": f"00000000-0000-4000-8000-{len(delivery.applications):012d}",
        "deploymentConfigName": wish.config,
        "serviceRoleArn": f"arn:aws:iam::{wish.account}:role/CodeDeploy",
        "alarmConfiguration": {"enabled": bool(wish.alarms), "alarms": [{"name": name} for name in wish.alarms]},
        "autoRollbackConfiguration": {"enabled": True, "events": list(_EVENTS)},
        "deploymentStyle": dict(_STYLE),
    }
    numbers = {version: wish.first + number for number, version in enumerate(wish.versions)}
    if wish.platform == "ECS":
        group["ecsServices"] = [{"clusterName": CLUSTER, "serviceName": service}]
        _add_service(delivery, wish, service, numbers, at)
    else:
        _add_function(delivery, wish, numbers, at)
    application = Application(f"{where}/{wish.name}", wish.name, wish.account, wish.region, wish.platform, at)
    application.groups[GROUP] = group
    if wish.tags:
        application.tags[GROUP] = dict(wish.tags)
    delivery.keep("applications", application.key, application)
    return application


def _add_function(delivery: Delivery, wish: Deployable, numbers: dict[str, int], at: float) -> None:
    key = f"{wish.account}/{wish.region}/{wish.name}"
    versions: list[list[Any]] = [[str(number), version, at] for version, number in numbers.items()]
    delivery.keep("functions", key, Function(key, wish.name, wish.account, wish.region, versions))
    current = str(numbers[wish.current])
    alias = Alias(f"{key}:{ALIAS}", wish.name, ALIAS, wish.account, wish.region, current)
    delivery.keep("aliases", alias.key, alias)


def _add_service(delivery: Delivery, wish: Deployable, name: str, numbers: dict[str, int], at: float) -> None:
    where = f"{wish.account}/{wish.region}"
    for version, number in numbers.items():
        key = f"{where}/{wish.name}:{number}"
        image = {"name": "app", "image": f"{wish.name}:{version}", "portMappings": [{"containerPort": 8080}]}
        tags = {"version": version}
        made = TaskDefinition(key, wish.name, number, wish.account, wish.region, at, [image], tags)
        delivery.keep("task_definitions", key, made)
    key, task = f"{where}/{CLUSTER}/{name}", f"{wish.name}:{numbers[wish.current]}"
    delivery.keep("services", key, EcsService(key, CLUSTER, name, wish.account, wish.region, at, task))
