"""What stories about experiments do again and again."""

from __future__ import annotations

from typing import Any

import boto3

from tests.stories.accounts import is_approved
from tests.support.stage import Approver, Speaker, Stage, eventually

TEST, PROD = "666688889999", "666677778888"
OUTAGE = "run the AZ outage experiment on checkout-staging"


def in_account(stage: Stage, account: str, service: str) -> Any:
    """Return a client of somebody in a member account."""
    sts = stage.aws("sts")
    given = sts.assume_role(RoleArn=f"arn:aws:iam::{account}:role/Reader", RoleSessionName="looks")["Credentials"]
    return boto3.client(
        service,
        endpoint_url=sts.meta.endpoint_url,
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )


async def plans(ana: Speaker, words: str = OUTAGE) -> None:
    """Ask for an experiment, up to its plan or what stands against it."""
    await ana.says(words)
    ana.hears("What do you expect to stay true")
    await ana.says("orders go through all the time")


async def is_running(stage: Stage, ana: Speaker, bo: Approver, words: str = OUTAGE) -> str:
    """Have an experiment planned, approved and started, and seen to run; return its request."""
    await plans(ana, words)
    request = await is_approved(ana, bo)
    await ana.hears_later("has been started")
    await stage.advance(seconds=15)
    await shows(stage, request, "running. Experiment is running.")
    return request


async def shows(stage: Stage, request: str, sentence: str) -> None:
    """Wait until the watcher has put a sentence onto the request's card."""

    async def is_shown() -> bool:
        record = await stage.application.services.requests.find(request)
        return any(sentence in line[2] for line in record.notes.get("progress", ()))

    await eventually(is_shown, lambda: f"{request} never showed “{sentence}”")


def status_in_fis(stage: Stage, account: str = TEST) -> str:
    """Return how the newest run stands in FIS."""
    return str(in_account(stage, account, "fis").list_experiments()["experiments"][0]["state"]["status"])


async def has_started(stage: Stage, account: str = TEST) -> None:
    """Wait until FIS knows of a run, so that time can pass for it."""

    async def is_there() -> bool:
        return bool(in_account(stage, account, "fis").list_experiments()["experiments"])

    await eventually(is_there, lambda: "no experiment was started")
