"""Whether this machine's clock agrees with AWS's: signatures hold for five minutes only."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import boto3
import httpx

from adapters.aws.sandbox import sandbox_clock
from bot.doctor import Check, Finding, Patient, failed, ok, warning
from bot.doctor.examining import in_thread
from bot.settings import Settings

FATAL, NOTABLE = timedelta(minutes=5), timedelta(seconds=30)
"""Skews from which AWS refuses signatures (SigV4), and from which it is told."""


def checks(patient: Patient) -> Sequence[Check]:
    """Return the check of the clock."""

    async def clock() -> Finding:
        return await _look(patient.settings)

    return (Check("clock", clock),)


async def _look(settings: Settings) -> Finding:
    url = settings.aws_endpoint_url or await in_thread(lambda: _sts_url(settings.aws_region))
    try:
        async with httpx.AsyncClient(timeout=5, trust_env=not settings.is_sandbox) as client:
            asked = datetime.now(UTC)
            answer = await client.get(url)
            took = datetime.now(UTC) - asked
    except httpx.HTTPError as error:
        return failed(
            f"{url} does not answer ({type(error).__name__})", "Check the network, AWS_REGION and AWS_ENDPOINT_URL."
        )
    told = answer.headers.get("date")
    if not told:
        return warning(f"{url} tells no time")
    skew = asked + took / 2 - parsedate_to_datetime(told)
    finding = judge(skew)
    if finding.state == "ok" and settings.is_sandbox:
        now, speed = await sandbox_clock(settings)()
        return ok(f"business time is the sandbox's: {now:%Y-%m-%d %H:%M} UTC, {speed:g} times as fast")
    return finding


def judge(skew: timedelta) -> Finding:
    """Return what a skew means; positive when this machine's clock is ahead. AWS tells whole seconds."""
    seconds = abs(skew.total_seconds())
    where = "ahead of" if skew > timedelta() else "behind"
    if seconds >= FATAL.total_seconds():
        return failed(f"{seconds:.0f} s {where} AWS, which refuses more than 300", "timedatectl set-ntp true")
    if seconds >= NOTABLE.total_seconds():
        return warning(f"{seconds:.0f} s {where} AWS", "timedatectl set-ntp true")
    return ok(f"agrees with AWS to {max(1, round(seconds))} s")


def _sts_url(region: str) -> str:
    return str(boto3.Session().client("sts", region_name=region).meta.endpoint_url)
