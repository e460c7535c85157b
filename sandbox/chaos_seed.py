"""The seed's workloads, the alarms on them, and experiment templates: the web shop's checkout and catalogue."""

from __future__ import annotations

import uuid
from typing import Any

from sandbox.chaos_actions import CLUSTER, DATABASE, FUNCTION, INSTANCE, SUBNET, TASK
from sandbox.chaos_model import ExperimentTemplate, Machine, WorkloadAlarm
from sandbox.landing_zone import FOUNDED, HOME_REGION
from sandbox.model import LandingZone

WEBSHOP_PROD, WEBSHOP_TEST = "666677778888", "666688889999"
ORDERS = "orders-staging"
ZONES = tuple(HOME_REGION + letter for letter in "abc")
_WHERE = {"staging": WEBSHOP_TEST, "production": WEBSHOP_PROD}
_SIZES = {"staging": (2, 2), "production": (3, 4)}
"""Instances and tasks in each zone."""
_DEPLOYED_AS = {"checkout-prod": "checkout-service"}
"""What CloudFormation, and so whoever watches the account, calls a workload."""


def seed_chaos(zone: LandingZone) -> None:
    """Give a landing zone its workloads, alarms and templates, unless it has them."""
    if zone.experiment_templates:
        return
    for component in ("checkout", "catalogue"):
        for environment, account in _WHERE.items():
            _seed_workload(zone, component, environment, account)
    _seed_orders(zone)
    for template in (*_templates(), *_orders_templates()):
        zone.experiment_templates[template.id] = template


def template_id(name: str) -> str:
    """A seeded template's id by its name."""
    return "EXT" + _unique(f"template/{name}")[:15]


def alarm_arn(stack: str) -> str:
    """The ARN of a seeded workload's alarm."""
    environment = "staging" if stack.endswith("staging") else "production"
    return f"arn:aws:cloudwatch:{HOME_REGION}:{_WHERE[environment]}:alarm:{stack}-errors"


def _seed_workload(zone: LandingZone, component: str, environment: str, account: str) -> None:
    stack = f"{component}-{'prod' if environment == 'production' else environment}"
    tags = {"app": component, "environment": environment, "stack": stack}
    vpc = "vpc-0" + _unique(f"{stack}/vpc")[:16]
    instances, tasks = _SIZES[environment]
    for number, place in enumerate(ZONES):
        subnet = "subnet-0" + _unique(f"{stack}/{place}")[:16]
        base = {"VpcId": vpc}
        network = {**base, "CidrBlock": f"10.{number}.0.0/20", "AvailableIpAddressCount": 4_000}
        _add(zone, SUBNET, f"ec2:{HOME_REGION}:{account}:subnet/{subnet}", account, place, tags, network)
        for one in range(instances):
            name = "i-0" + _unique(f"{stack}/{place}/{one}")[:16]
            details = {**base, "InstanceType": "m7g.large", "ImageId": "ami-0c0ffee5a4db0c5e1"}
            arn = f"ec2:{HOME_REGION}:{account}:instance/{name}"
            _add(
                zone, INSTANCE, arn, account, place, {**tags, "Name": f"{stack}-{place[-1]}{one + 1}"}, details, subnet
            )
        for one in range(tasks):
            name = _unique(f"{stack}/task/{place}/{one}")
            arn = f"ecs:{HOME_REGION}:{account}:task/{stack}/{name}"
            details = {
                "clusterArn": f"arn:aws:ecs:{HOME_REGION}:{account}:cluster/{stack}",
                "group": f"service:{component}",
                "launchType": "FARGATE",
                "cpu": "512",
                "memory": "1024",
            }
            _add(zone, TASK, arn, account, place, tags, details, subnet)
    _watch(zone, stack, account)


def _seed_orders(zone: LandingZone) -> None:
    """Orders, in staging alone: functions over a database cluster with a writer and a reader."""
    account, tags = WEBSHOP_TEST, {"app": "orders", "environment": "staging", "stack": ORDERS}
    members = [f"{ORDERS}-{number + 1}" for number in range(2)]
    for name, place in zip(members, ZONES, strict=False):
        details = {"DBInstanceClass": "db.r6g.large", "Engine": "aurora-postgresql", "DBClusterIdentifier": ORDERS}
        _add(zone, DATABASE, f"rds:{HOME_REGION}:{account}:db:{name}", account, place, tags, details)
    cluster: dict[str, Any] = {
        "Engine": "aurora-postgresql",
        "Status": "available",
        "DBClusterMembers": [{"DBInstanceIdentifier": m, "IsClusterWriter": m == members[0]} for m in members],
    }
    _add(zone, CLUSTER, f"rds:{HOME_REGION}:{account}:cluster:{ORDERS}", account, ZONES[0], tags, cluster)
    for purpose in ("take", "price", "reserve", "confirm"):
        arn = f"lambda:{HOME_REGION}:{account}:function:{ORDERS}-{purpose}"
        _add(zone, FUNCTION, arn, account, "", tags, {"Runtime": "python3.13", "MemorySize": 512})
    _watch(zone, ORDERS, account)


def _orders_templates() -> list[ExperimentTemplate]:
    writer = {
        **_target(CLUSTER, {"stack": ORDERS}, "ALL"),
        "parameters": {"writerAvailabilityZoneIdentifiers": ZONES[0]},
    }
    delay = {"duration": "PT5M", "startupDelayMilliseconds": "2000", "invocationPercentage": "100"}
    return [
        _template(
            f"db-failover-{ORDERS}",
            "Failover of the orders database, whose writer changes its zone",
            "staging",
            ORDERS,
            {"clusters": writer},
            {
                "Failover": _action("aws:rds:failover-db-cluster", "Change the writer", {"Clusters": "clusters"}),
                "Settle": _action("aws:fis:wait", "Let it settle", {}, {"duration": "PT2M"}, ["Failover"]),
            },
        ),
        _template(
            f"slow-functions-{ORDERS}",
            "Half of the orders functions begin two seconds late",
            "staging",
            ORDERS,
            {"functions": _target(FUNCTION, {"stack": ORDERS}, "PERCENT(50)")},
            {"Delay": _action("aws:lambda:invocation-add-delay", "Delay them", {"Functions": "functions"}, delay)},
        ),
    ]


def _watch(zone: LandingZone, stack: str, account: str) -> None:
    alarm = WorkloadAlarm(
        name=f"{stack}-errors",
        account_id=account,
        region=HOME_REGION,
        namespace="AWS/ApplicationELB",
        metric="HTTPCode_Target_5XX_Count",
        dimension=("LoadBalancer", f"app/{stack}/{_unique(stack)[:16]}"),
        unit="Count",
        watches={"stack": stack},
        usual=4.0,
        worst=420.0,
        threshold=190.0,
        states=[[FOUNDED, "OK", "Threshold Crossed: 1 datapoint was not greater than the threshold (190.0)."]],
    )
    zone.workload_alarms[alarm.arn] = alarm


def _add(
    zone: LandingZone,
    kind: str,
    arn: str,
    account: str,
    place: str,
    tags: dict[str, str],
    details: dict[str, Any],
    subnet: str = "",
) -> None:
    machine = Machine(f"arn:aws:{arn}", kind, account, HOME_REGION, place, dict(tags), details, subnet)
    zone.machines[machine.arn] = machine


def _templates() -> list[ExperimentTemplate]:
    found = []
    for environment in _WHERE:
        short = "prod" if environment == "production" else environment
        for component in ("checkout", "catalogue"):
            found.append(_az_outage(component, f"{component}-{short}", environment))
        checkout = {"app": "checkout", "stack": f"checkout-{short}"}
        tasks = _target(TASK, checkout, "PERCENT(50)")
        actions = {"StopTasks": _action("aws:ecs:stop-task", "Stop half of the tasks", {"Tasks": "tasks"})}
        found.append(
            _template(
                f"task-loss-checkout-{short}",
                "Loss of half of checkout's tasks",
                environment,
                f"checkout-{short}",
                {"tasks": tasks},
                actions,
            )
        )
    instances = _target(INSTANCE, {"stack": "checkout-staging"}, "COUNT(2)")
    actions = {
        "StopInstances": _action(
            "aws:ec2:stop-instances",
            "Stop two instances",
            {"Instances": "instances"},
            {"startInstancesAfterDuration": "PT5M"},
        ),
        "Rest": _action("aws:fis:wait", "Let it settle", {}, {"duration": "PT2M"}, ["StopInstances"]),
    }
    found.append(
        _template(
            "instance-loss-checkout-staging",
            "Loss of two checkout instances, then two minutes to settle",
            "staging",
            "checkout-staging",
            {"instances": instances},
            actions,
        )
    )
    unguarded = _template(
        "unguarded-catalogue-prod",
        "Stress of catalogue's tasks, watched by no alarm",
        "production",
        "catalogue-prod",
        {"tasks": _target(TASK, {"stack": "catalogue-prod"}, "ALL")},
        {
            "Stress": _action(
                "aws:ecs:task-cpu-stress", "Stress the CPUs", {"Tasks": "tasks"}, {"duration": "PT10M", "percent": "80"}
            )
        },
    )
    unguarded.stop_conditions = [{"source": "none"}]
    found.append(unguarded)
    both = _template(
        "region-drill-checkout",
        "Stress of checkout in staging and production at once",
        "production",
        "checkout-prod",
        {"tasks": _target(TASK, {"app": "checkout"}, "PERCENT(25)")},
        {
            "Stress": _action(
                "aws:ecs:task-cpu-stress", "Stress the CPUs", {"Tasks": "tasks"}, {"duration": "PT5M", "percent": "60"}
            )
        },
    )
    both.options["accountTargeting"] = "multi-account"
    both.accounts = {
        account: {"roleArn": _role(account), "description": f"Web shop, {environment}"}
        for environment, account in _WHERE.items()
    }
    found.append(both)
    return found


def _az_outage(component: str, stack: str, environment: str) -> ExperimentTemplate:
    filters = [
        {"path": "State.Name", "values": ["running"]},
        {"path": "Placement.AvailabilityZone", "values": [ZONES[0]]},
    ]
    targets = {
        "subnets": {**_target(SUBNET, {"stack": stack}, "ALL"), "parameters": {"availabilityZoneIdentifier": ZONES[0]}},
        "instances": {**_target(INSTANCE, {"stack": stack}, "ALL"), "filters": filters},
    }
    actions = {
        "CutNetwork": _action(
            "aws:network:disrupt-connectivity",
            f"Cut {ZONES[0]} off",
            {"Subnets": "subnets"},
            {"duration": "PT10M", "scope": "all"},
        ),
        "StopInstances": _action(
            "aws:ec2:stop-instances",
            f"Stop the instances in {ZONES[0]}",
            {"Instances": "instances"},
            {"startInstancesAfterDuration": "PT5M"},
        ),
        "Settle": _action("aws:fis:wait", "Let it settle", {}, {"duration": "PT2M"}, ["CutNetwork", "StopInstances"]),
    }
    return _template(
        f"az-outage-{stack}", f"Outage of an Availability Zone for {component}", environment, stack, targets, actions
    )


def _template(
    name: str, description: str, environment: str, stack: str, targets: dict[str, Any], actions: dict[str, Any]
) -> ExperimentTemplate:
    account = _WHERE[environment]
    return ExperimentTemplate(
        id=template_id(name),
        account_id=account,
        region=HOME_REGION,
        description=description,
        role_arn=_role(account),
        targets=targets,
        actions=actions,
        stop_conditions=[{"source": "aws:cloudwatch:alarm", "value": alarm_arn(stack)}],
        tags={"Name": name, "environment": environment, "stack": _DEPLOYED_AS.get(stack, stack)},
        options={"accountTargeting": "single-account", "emptyTargetResolutionMode": "fail"},
        created_at=FOUNDED,
        updated_at=FOUNDED,
    )


def _target(kind: str, tags: dict[str, str], mode: str) -> dict[str, Any]:
    return {"resourceType": kind, "resourceTags": tags, "selectionMode": mode}


def _action(
    action: str,
    description: str,
    targets: dict[str, str],
    parameters: dict[str, str] | None = None,
    after: list[str] | None = None,
) -> dict[str, Any]:
    made: dict[str, Any] = {"actionId": action, "description": description, "targets": targets}
    if parameters:
        made["parameters"] = parameters
    if after:
        made["startAfter"] = after
    return made


def _role(account: str) -> str:
    return f"arn:aws:iam::{account}:role/FaultInjection"


def _unique(name: str) -> str:
    return uuid.uuid5(uuid.NAMESPACE_URL, f"chaos/{name}").hex
