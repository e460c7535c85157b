"""A version for 10,000 deployments: time against the ideal, calls of AWS, memory, and one at a time beside it.

The bot runs here, the sandbox in a process of its own whose time stands still between the steps it is advanced by: the
bot has looked at everything that a step made due before the next one. The ideal is what the same waves and limits take
when each deployment begins in the instant in which another one's end lets it.
"""

from __future__ import annotations

import asyncio
import heapq
import re
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
from sqlalchemy import func, select

from bench.insights import resident
from bot.clock import FollowingClock
from bot.cloud import Cloud
from bot.database.tables import waits
from bot.intent import Change
from bot.main import Application, build_cloud
from bot.ordering import place_request
from bot.releases.registry import deployment_from
from bot.releases.rollouts import Rollouts, Target
from bot.settings import load_settings

ROOT = Path(__file__).parent.parent
DEPLOYMENTS = 10_000
MINUTES = (3, 20)
FAILING = 0.02
AT_ONCE = 500
WAVES = f"canary, then 10 %, then everyone, at most {AT_ONCE} at once, stop after 50 % failures"
STEP = 5.0
"""Simulated seconds by which time is advanced: as often as roll-outs are looked at."""
ACCOUNTS = ("444466667777", "555566667777", "666677778888", "666688889999")
QUEUE = "https://sqs.us-east-1.amazonaws.com/111122223333/quartermaster-releases"
RULES = """
@id("bench-runs-at-once") @reason("A measurement.") @approvals("0")
permit (principal, action == Action::"require", resource is Request);
"""
PATIENCE = 120.0
"""Real seconds that one step may take."""
_OVER = ("succeeded", "failed", "stopped", "paused")


class Counted:
    """AWS, with each call counted by its service and operation."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self.calls: Counter[str] = Counter()

    async def call(
        self, service: str, operation: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> dict[str, Any]:
        """Call one operation."""
        self.calls[f"{service}:{operation}"] += 1
        return await self._cloud.call(service, operation, region=region, role=role, **parameters)

    async def pages(
        self, service: str, operation: str, result: str, /, *, region: str = "", role: str = "", **parameters: Any
    ) -> AsyncIterator[dict[str, Any]]:
        """Yield the entries of a listing; it counts as one call for each thousand entries, as it is asked for here."""
        self.calls[f"{service}:{operation}"] += 1
        async for entry in self._cloud.pages(service, operation, result, region=region, role=role, **parameters):
            yield entry

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)


@dataclass(frozen=True)
class Measured:
    """One roll-out; times in simulated seconds but for `wall`, memory in MiB."""

    targets: Sequence[Target]
    lengths: Mapping[str, float]
    took: float
    ideal: float
    calls: Counter[str]
    wall: float
    growth: float
    processor: float


def measure_rollouts(folder: Path, count: int = DEPLOYMENTS, *, is_told: bool = True) -> list[tuple[str, str]]:
    """Return what to print; without `is_told` no events come, and what runs is looked at."""
    measured = asyncio.run(_measure(folder, count, is_told=is_told))
    states = Counter(target.state for target in measured.targets)
    alone = sum(measured.lengths.values())
    calls = sum(measured.calls.values()) / count
    most = ", ".join(f"{name.partition(':')[2]} {n / count:.2f}" for name, n in measured.calls.most_common(6))
    how = "with events" if is_told else "without events"
    name = f"{count:,} deployments {how}, {AT_ONCE} at once"
    return [
        (f"{name}: simulated time", f"{measured.took / 60:.1f} min"),
        (f"{name}: the ideal of the same waves and limits", f"{measured.ideal / 60:.1f} min"),
        (f"{name}: time as a multiple of the ideal", f"{measured.took / measured.ideal:.3f} ×"),
        (f"{name}: one at a time, as the sample does", f"{alone / 60:,.0f} min"),
        (f"{name}: one at a time as a multiple of ours", f"{alone / measured.took:.0f} ×"),
        (f"{name}: succeeded / failed", f"{states['succeeded']:,} / {states['failed']:,}"),
        (f"{name}: calls of AWS for each", f"{calls:.2f}"),
        (f"{name}: of them {most}", ""),
        (f"{name}: memory that it added", f"{measured.growth:.0f} MiB"),
        (f"{name}: wall time", f"{measured.wall:.0f} s"),
        (f"{name}: processor time of the bot for each", f"{measured.processor / count * 1000:.1f} ms"),
    ]


async def _measure(folder: Path, count: int, *, is_told: bool) -> Measured:
    policies = Path(shutil.copytree(ROOT / "policies", folder / "policies"))
    (policies / "bench.cedar").write_text(RULES, encoding="utf-8")
    with _sandbox() as url:
        records = await asyncio.to_thread(_make_pipelines, url, count)
        settings = load_settings(
            aws_endpoint_url=url, var_dir=folder, port=0, policy_dir=policies, log_level="error",
            release_events_queue=QUEUE if is_told else "",
        )  # fmt: skip
        cloud = Counted(build_cloud(settings))
        async with _started(Application(settings, cloud=cloud)) as application:
            await _fill(application, records)
            lengths = _lengths(url)
            cloud.calls.clear()
            before, wall, processor = resident(), time.perf_counter(), time.process_time()
            request, most = await _roll_out(application, url)
            wall, processor = time.perf_counter() - wall, time.process_time() - processor
            rollouts = Rollouts(application.services.database, application.services.clock)
            rollout, targets = await rollouts.require(request), await rollouts.targets(request)
            calls = Counter({name: n for name, n in cloud.calls.items() if not name.startswith("sts:")})
        taken = {t.key: lengths[t.pipeline] for t in targets}
        taken |= _lengths_of_failed(url, [t for t in targets if t.state != "succeeded"])
        ends = max(t.ended_at for t in targets if t.ended_at)
        took = (ends - rollout.started_at).total_seconds()
        return Measured(targets, taken, took, _ideal(targets, taken), calls, wall, most - before, processor)


def _make_pipelines(url: str, count: int) -> list[dict[str, str]]:
    """Make them; return the records of their deployments."""
    wish = {"count": count, "minutes": MINUTES, "failing": FAILING, "seed": 10, "accounts": ACCOUNTS}
    answer = httpx.post(f"{url}/_sandbox/pipelines", json=wish, timeout=300, trust_env=False).raise_for_status()
    found: list[dict[str, str]] = answer.json()["deployments"]
    return found


async def _fill(application: Application, records: Sequence[Mapping[str, str]]) -> None:
    services = application.services
    ola = await services.people.of_email("ola@corp.example", name="Ola")
    await services.deployments.keep([deployment_from(record) for record in records], ola, surface="bench")


async def _roll_out(application: Application, url: str) -> tuple[str, float]:
    """Order it, and advance time until it is over; returns the request and the most memory that was seen."""
    services = application.services
    intent = services.registry.get("RollOut")
    if not isinstance(intent, Change):
        raise RuntimeError("roll-outs are not installed")
    ana = await services.people.of_email("ana@corp.example", name="Ana")
    given = {"Version": "2.4.1", "Waves": WAVES}
    record = await place_request(services, intent, given, ana, conversation="bench", channel="rest")
    most = resident()
    async with httpx.AsyncClient(base_url=url, timeout=60, trust_env=False) as client:
        while (state := (await services.requests.find(record.id)).state) not in _OVER:
            await _step(application, client)
            most = max(most, resident())
    if state != "succeeded":
        raise RuntimeError(f"the roll-out ended as {state}")
    return record.id, most


async def _step(application: Application, client: httpx.AsyncClient) -> None:
    """Advance time, and wait until what it made due was looked at."""
    (await client.post("/_sandbox/clock", json={"advance": STEP})).raise_for_status()
    clock = application.clock
    if not isinstance(clock, FollowingClock):
        raise RuntimeError("the bot does not follow the sandbox's clock")
    await clock.follow()
    application.services.signals.set("scheduler")
    due = select(func.count()).where(
        waits.c.done_at.is_(None), waits.c.due_at <= clock.now(), waits.c.kind.in_(("rollout", "timer"))
    )
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        async with application.services.database.read() as connection:
            if not (await connection.execute(due)).scalar_one():
                return
        await asyncio.sleep(0.02)
    raise RuntimeError("what was due was not looked at")


def _ideal(targets: Sequence[Target], lengths: Mapping[str, float]) -> float:
    """Return the seconds that the waves take if each begins in the instant in which it may, in the order they wait."""
    total = 0.0
    for wave in range(max(t.wave for t in targets) + 1):
        ends: list[float] = []
        last = 0.0
        for target in (t for t in targets if t.wave == wave):
            begin = heapq.heappop(ends) if len(ends) >= AT_ONCE else 0.0
            heapq.heappush(ends, begin + lengths[target.key])
            last = max(last, begin + lengths[target.key])
        total += last
    return total


def _lengths(url: str) -> dict[str, float]:
    """Return the seconds that each pipeline's next run takes unless it fails."""
    answer = httpx.get(f"{url}/_sandbox/pipelines", timeout=300, trust_env=False).raise_for_status()
    found: dict[str, float] = answer.json()["seconds"]
    return found


def _lengths_of_failed(url: str, targets: Sequence[Target]) -> dict[str, float]:
    pipelines = boto3.client(
        "codepipeline",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="bench",
        aws_secret_access_key="bench",  # noqa: S106
    )
    found = {}
    for target in targets:
        (run,) = pipelines.list_pipeline_executions(pipelineName=target.pipeline)["pipelineExecutionSummaries"]
        found[target.key] = (run["lastUpdateTime"] - run["startTime"]).total_seconds()
    return found


@asynccontextmanager
async def _started(application: Application) -> AsyncIterator[Application]:
    await application.start()
    try:
        yield application
    finally:
        await application.stop()


@contextmanager
def _sandbox() -> Iterator[str]:
    """Run a sandbox beside us; its time stands still but for what it is advanced by."""
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--speed", "0"]
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


if __name__ == "__main__":
    import logging
    import tempfile

    import structlog

    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    wanted = int(sys.argv[1]) if len(sys.argv) > 1 else DEPLOYMENTS
    with tempfile.TemporaryDirectory() as made:
        for title, figure in measure_rollouts(Path(made), wanted, is_told="--silent" not in sys.argv):
            print(f"{title:<150} {figure:>12}")
