"""What stories about roll-outs through CodeDeploy do again and again."""

from __future__ import annotations

import json
from typing import Any

import boto3

from tests.stories.releases import BOOTH, TEST, WEB
from tests.support.stage import Stage, eventually

PRICES = {
    "component": "shop",
    "id": "prices",
    "type": "pool",
    "account": WEB,
    "region": "us-east-1",
    "codedeploy": "lambda:shop-prices/production/shop-prices/live",
}
"""The sandbox's own function, watched by the alarm checkout-prod-errors."""
SERVICE = {**PRICES, "id": "web", "codedeploy": "ecs:shop-web/production/shop/shop-web"}
"""The sandbox's own service, watched by the same."""
ALARM = "checkout-prod-errors"


def silo(name: str, account: str = BOOTH) -> dict[str, str]:
    """Return the record of a function that `makes_functions` has made."""
    unit = f"shop-silo-{name}"
    target = f"lambda:{unit}/production/{unit}/live"
    return {"component": "shop", "id": name, "type": "silo", "account": account, "region": "us-east-1"} | {
        "codedeploy": target
    }


async def makes_functions(stage: Stage, *names: str, **wish: Any) -> list[dict[str, str]]:
    """Make functions with the versions 2.4.0, which runs, and 2.4.1, in two accounts by turns; return their records."""
    wish = {"accounts": [BOOTH, TEST], "regions": ["us-east-1"], "names": list(names)} | wish
    return await stage.makes_deployables(**wish)


def member(stage: Stage, service: str, account: str = WEB) -> Any:
    """Return a boto3 client of a member account, to change the world behind the bot's back."""
    arn = f"arn:aws:iam::{account}:role/Reader"
    given = stage.aws("sts").assume_role(RoleArn=arn, RoleSessionName="looks-around")["Credentials"]
    return boto3.client(
        service,
        endpoint_url=stage.aws_url,
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


def traffic(stage: Stage, function: str = "shop-prices", account: str = WEB) -> tuple[str, dict[str, float]]:
    """Return the version that has a function's traffic, and which others have a part of it."""
    alias = member(stage, "lambda", account).get_alias(FunctionName=function, Name="live")
    return alias["FunctionVersion"], alias.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})


def tasks(stage: Stage) -> str:
    """Return the revision of the task definition that has the service's traffic."""
    (service,) = member(stage, "ecs").describe_services(cluster="checkout-prod", services=["shop"])["services"]
    primary = next(s for s in service["taskSets"] if s["status"] == "PRIMARY")
    return str(primary["taskDefinition"]).rpartition("/")[2]


async def fires(stage: Stage, state: str = "ALARM") -> None:
    """Have the alarm of the sandbox's own function and service fire, or be well again, for at least half a minute."""
    watch = member(stage, "cloudwatch")
    watch.set_alarm_state(AlarmName=ALARM, StateValue=state, StateReason="a rehearsal")
    await stage.advance(seconds=40)


async def created(stage: Stage) -> list[dict[str, Any]]:
    """Return what CreateDeployment was asked for, with the AppSpec's properties as `spec`."""
    found = []
    for call in await stage.calls("CreateDeployment", "codedeploy"):
        content = json.loads(call["params"]["revision"]["appSpecContent"]["content"])
        (resource,) = (entry for listed in content["Resources"] for entry in listed.values())
        found.append({**call["params"], "spec": resource["Properties"]})
    return found


async def shifts(stage: Stage, function: str, weights: dict[str, float], account: str = WEB) -> None:
    """Wait until that much of a function's traffic goes to another version."""

    async def is_so() -> bool:
        return traffic(stage, function, account)[1] == weights

    await eventually(is_so, lambda: f"{function} has {traffic(stage, function, account)}")
