"""Open insights of 1,000 accounts in 3 Regions, from a sandbox that throttles like AWS: ours against a plain client.

Two questions, one for each source. DevOps Guru lists an organization; the plain client asks account by account, as
its console does. CloudWatch knows accounts only, so that both ask each; the plain client does it one after the other,
and waits as the SDK does when it is throttled. Its figures are taken from a share of the accounts, and said to be.
"""

from __future__ import annotations

import asyncio
import re
import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.config import Config
from botocore.exceptions import ClientError

from bot.database.migrating import migrate
from bot.insights import Found, Question
from bot.main import Application
from bot.settings import load_settings
from intents.insights.asking import Watcher
from intents.insights.filters import Filters

ACCOUNTS, REGIONS = 1_000, 3
SHARE = 60
"""Accounts that the plain client is timed with: all would take it a quarter of an hour and more."""
LIMITS = (
    ("devops-guru:ListOrganizationInsights", 2, 2),
    ("cloudwatch:DescribeAlarms", 9, 9),
)
"""Calls a second of one account in one Region, and how many at once: CloudWatch's published quota; DevOps Guru has
none that is published, and is taken to be slower."""
AT_RANDOM = 0.05
"""Share of the calls that is throttled whatever their rate: AWS's limits are shared with others' calls."""


@dataclass(frozen=True)
class Run:
    """One question: what it took, and how many insights came of it."""

    calls: int
    throttled: int
    seconds: float
    found: int
    missing: int


def measure_insights(folder: Path) -> list[tuple[str, str]]:
    """Return what to print: ours, the plain client's, and the ratios."""
    rows: list[tuple[str, str]] = []
    with _sandbox() as url:
        for operation, rate, burst in LIMITS:
            fault = {"name": "rate_limits", "operations": [operation], "rate_a_second": rate, "burst": burst}
            chance = {"name": "throttling", "operations": [operation], "rate": AT_RANDOM}
            for wish in (fault, chance):
                httpx.post(f"{url}/_sandbox/faults", json=wish, timeout=30, trust_env=False).raise_for_status()
            service = operation.partition(":")[0]
            (folder / service).mkdir(parents=True)
            ours, growth = asyncio.run(_ours(folder / service, url, service))
            plain = _plain(url, service)
            rows += _rows(service, ours, plain, growth)
    return rows


def _rows(service: str, ours: Run, plain: Run, growth: float) -> list[tuple[str, str]]:
    times = ACCOUNTS / SHARE
    plain_seconds, plain_calls = plain.seconds * times, plain.calls * times
    return [
        (f"{service}: {ACCOUNTS:,} accounts × {REGIONS} Regions, calls", f"{ours.calls:,}"),
        (f"{service}: of them throttled, all asked again", f"{ours.throttled:,}"),
        (f"{service}: parts lost to throttling", f"{ours.missing}"),
        (f"{service}: wall time", f"{ours.seconds:.1f} s"),
        (f"{service}: open insights found", f"{ours.found:,}"),
        (f"{service}: memory that asking five times more added", f"{growth:.1f} MiB"),
        (f"{service}: plain client, parts lost to throttling", f"{plain.missing * times:.0f}"),
        (f"{service}: plain client, calls ({SHARE} accounts × {times:.0f})", f"{plain_calls:,.0f}"),
        (f"{service}: plain client, wall time (likewise)", f"{plain_seconds:,.0f} s"),
        (f"{service}: calls, plain client's as a multiple of ours", f"{plain_calls / ours.calls:.1f} ×"),
        (f"{service}: wall time, plain client's as a multiple of ours", f"{plain_seconds / ours.seconds:.1f} ×"),
    ]


async def _ours(folder: Path, url: str, service: str) -> tuple[Run, float]:
    settings = load_settings(
        aws_endpoint_url=url, var_dir=folder, port=0, insight_providers=(service,), log_level="error"
    )
    application = Application(settings)
    await asyncio.to_thread(migrate, settings.database_url)
    await application.services.database.start()
    try:
        watcher = Watcher(application.services)
        names, regions = await watcher.surroundings()
        await watcher.scope(Filters(), names, regions)  # who is where is read once in five minutes, not a question
        run, found = await _ask(watcher, url, service)
        # A first round more fills what is kept; the rounds after it must add nothing.
        await _again(watcher, regions)
        before = resident()
        for _ in range(5):
            await _again(watcher, regions)
        growth = resident() - before
        return Run(run.calls, run.throttled, run.seconds, len(found.insights), len(found.missing)), growth
    finally:
        for close in application.services.closers:
            await close()
        await application.services.database.close()


async def _ask(watcher: Watcher, url: str, service: str) -> tuple[Run, Found]:
    names, regions = await watcher.surroundings()
    before = _last_call(url)
    begun = time.perf_counter()
    found = await watcher.find(Filters(), names, regions, Question(), whole=True)
    seconds = time.perf_counter() - begun
    calls = _calls_since(url, before, service)
    throttled = sum("hrottl" in (call["error"] or "") for call in calls)
    return Run(len(calls), throttled, seconds, len(found.insights), len(found.missing)), found


async def _again(watcher: Watcher, regions: tuple[str, ...]) -> None:
    """Ask anew about some accounts, and from memory about the others."""
    names, _ = await watcher.surroundings()
    for account in names.organization.accounts[:40]:
        for region in regions:
            watcher.reader.forget(account["Id"], region)
    await watcher.find(Filters(), names, regions, Question(), whole=True)


def _plain(url: str, service: str) -> Run:
    """Ask account by account and Region by Region, one after the other."""
    session = boto3.Session(aws_access_key_id="bench", aws_secret_access_key="bench")  # noqa: S106
    config = Config(retries={"mode": "standard", "max_attempts": 8})

    def client(name: str, region: str = "us-east-1", **keys: str) -> Any:
        return session.client(name, region_name=region, endpoint_url=url, config=config, **keys)

    listed = client("organizations").get_paginator("list_accounts").paginate()
    accounts = [account["Id"] for page in listed for account in page["Accounts"]][:SHARE]
    regions = ("us-east-1", "eu-central-1", "eu-west-1")
    gurus = {region: client("devops-guru", region) for region in regions}
    sts = client("sts")
    before, begun, found, missing = _last_call(url), time.perf_counter(), 0, 0
    for account in accounts:
        for region in regions:
            try:
                if service == "devops-guru":
                    for kind, key in (("REACTIVE", "ReactiveInsights"), ("PROACTIVE", "ProactiveInsights")):
                        status = {"Ongoing": {"Type": kind}}
                        answer = gurus[region].list_organization_insights(StatusFilter=status, AccountIds=[account])
                        found += len(answer.get(key, ()))
                else:
                    role = f"arn:aws:iam::{account}:role/AWSControlTowerExecution"
                    keys = sts.assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"]
                    inside = client(
                        "cloudwatch",
                        region,
                        aws_access_key_id=keys["AccessKeyId"],
                        aws_secret_access_key=keys["SecretAccessKey"],
                        aws_session_token=keys["SessionToken"],
                    )
                    found += len(inside.describe_alarms(StateValue="ALARM")["MetricAlarms"])
            except ClientError:
                missing += 1
    seconds = time.perf_counter() - begun
    calls = _calls_since(url, before, service)
    return Run(len(calls), sum("hrottl" in (c["error"] or "") for c in calls), seconds, found, missing)


@contextmanager
def _sandbox() -> Iterator[str]:
    """Run a sandbox of that size beside us; its time stands still."""
    size = ["--accounts", str(ACCOUNTS), "--ous", "60", "--regions", str(REGIONS)]
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--speed", "0", *size]
    sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        said = sandbox.stdout.readline() if sandbox.stdout else ""
        found = re.search(r"http://\S+", said)
        if found is None:
            raise RuntimeError(f"the sandbox did not start: {said}")
        yield found[0]
    finally:
        sandbox.terminate()
        sandbox.wait(20)


def _calls_since(url: str, number: int, service: str) -> list[dict[str, Any]]:
    query = {"since": str(number), "service": service}
    calls: list[dict[str, Any]] = httpx.get(f"{url}/_sandbox/calls", params=query, timeout=60, trust_env=False).json()
    return calls


def _last_call(url: str) -> int:
    calls = httpx.get(f"{url}/_sandbox/calls", timeout=60, trust_env=False).json()
    return int(calls[-1]["number"]) if calls else 0


def resident() -> float:
    """Return this process's memory in MiB, where Linux tells it as it is now; else its highest."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
        return pages * resource.getpagesize() / 2**20
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    import logging
    import tempfile

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(f"{datetime.now(UTC):%Y-%m-%d}")
    with tempfile.TemporaryDirectory() as folder:
        for name, figure in measure_insights(Path(folder)):
            print(f"{name:<80} {figure:>12}")
