"""Stopping while fifty experiments are watched: from the click to StopExperiment, and what watching costs in calls."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3
import httpx

from bot.intent import Change
from bot.main import Application
from bot.ordering import place_request
from bot.settings import load_settings
from sandbox.server import Sandbox

ROOT = Path(__file__).parent.parent
ACCOUNTS = (
    "444455556666", "444466667777", "555566667777", "666677778888", "666688889999",
    "777788889999", "777799990000", "888899990000", "222233334444", "333344445555",
)  # fmt: skip
EACH = 5
"""Experiments in each account: all that FIS lets run at once."""
WATCHED_FOR = 30.0
PATIENCE = 120.0
AT_ONCE = """
@id("bench-runs-at-once") @reason("A measurement.") @approvals("0")
permit (principal, action == Action::"require", resource is Request);
"""
LOOKING = ("ListExperiments", "GetExperiment", "DescribeAlarms", "ListExperimentResolvedTargets")


@dataclass(frozen=True)
class Measured:
    """Seconds from a click to the moment StopExperiment arrived, and the watcher's calls a minute."""

    clicks: list[float]
    calls_a_minute: float
    experiments: int


def measure_stopping() -> Measured:
    """Run fifty experiments in the sandbox in real time, watch them for a while, and stop each by a press."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(speed=1.0) as sandbox:
        return asyncio.run(_measure(Path(folder), sandbox))


async def _measure(folder: Path, sandbox: Sandbox) -> Measured:
    policies = Path(shutil.copytree(ROOT / "policies", folder / "policies"))
    (policies / "bench.cedar").write_text(AT_ONCE, encoding="utf-8")
    roles = ",".join(f"arn:aws:iam::{account}:role/QuartermasterChaos" for account in ACCOUNTS)
    settings = load_settings(
        aws_endpoint_url=sandbox.url,
        port=0,
        var_dir=folder,
        policy_dir=policies,
        chaos_role_arn=roles,
        log_level="error",
    )
    application = Application(settings)
    templates = [t for account in ACCOUNTS for t in _make_templates(sandbox, account)]
    await application.start()
    try:
        transport = httpx.ASGITransport(app=application.app, client=("127.0.0.1", 50_000))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=60) as client:
            requests = await _start(application, templates)
            begun = int(sandbox.calls.entries()[-1]["number"])
            await asyncio.sleep(WATCHED_FOR)
            watched = sandbox.calls.entries(since=begun)
            calls = sum(call["operation"] in LOOKING for call in watched)
            clicks = [await _click(application, client, sandbox, request) for request in requests]
    finally:
        await application.stop()
    return Measured(clicks, calls * 60 / WATCHED_FOR, len(requests))


def _make_templates(sandbox: Sandbox, account: str) -> list[str]:
    own = {"aws_access_key_id": "bench", "aws_secret_access_key": "bench", "region_name": "us-east-1"}
    sts = boto3.client("sts", endpoint_url=sandbox.url, **own)
    role = f"arn:aws:iam::{account}:role/Bench"
    given = sts.assume_role(RoleArn=role, RoleSessionName="bench")["Credentials"]
    fis = boto3.client(
        "fis",
        endpoint_url=sandbox.url,
        region_name="us-east-1",
        aws_access_key_id=given["AccessKeyId"],
        aws_secret_access_key=given["SecretAccessKey"],
        aws_session_token=given["SessionToken"],
    )
    wait = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT2H"}}
    made = []
    for number in range(EACH):
        name = f"bench-{account}-{number}"
        created = fis.create_experiment_template(
            clientToken=name,
            description="Waits for two hours",
            roleArn=role,
            actions={"Wait": wait},
            stopConditions=[{"source": "none"}],
            tags={"Name": name, "environment": "staging", "stack": name},
        )
        made.append(str(created["experimentTemplate"]["id"]))
    return made


async def _start(application: Application, templates: list[str]) -> list[str]:
    services = application.services
    intent = services.registry.get("StartExperiment")
    assert isinstance(intent, Change)
    person = await services.people.of_email("bench@corp.example")
    ids = []
    for template in templates:
        given = {"Experiment": template, "Expectation": "it is stopped in time"}
        placed = await place_request(
            services, intent, given, person, conversation=f"bench:{template}", channel="rest", owner=""
        )
        ids.append(placed.id)
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        notes = [(await services.requests.find(i)).notes.get("progress") or [["", "", ""]] for i in ids]
        if all("running" in lines[0][2] for lines in notes):
            return ids
        await asyncio.sleep(0.5)
    raise AssertionError("not all experiments were seen to run")


async def _click(application: Application, client: httpx.AsyncClient, sandbox: Sandbox, request: str) -> float:
    experiment = str((await application.services.requests.find(request)).notes["experiment"])
    body: dict[str, Any] = {
        "user": {"email": "somebody@corp.example"},
        "press": {"verb": "stop_request", "value": request},
    }
    clicked = time.time()
    answer = await client.post("/v1/messages", json=body)
    assert answer.status_code == 200, answer.text
    for call in sandbox.calls.entries("fis", "StopExperiment"):
        if call["params"]["id"] == experiment:
            return datetime.fromisoformat(call["wall"]).timestamp() - clicked
    raise AssertionError(f"nobody asked FIS to stop {experiment}: {answer.text}")


if __name__ == "__main__":
    measured = measure_stopping()
    ordered = sorted(measured.clicks)
    print(f"experiments watched: {measured.experiments}")
    print(f"calls a minute for watching them: {measured.calls_a_minute:.0f}")
    print(
        f"click to StopExperiment: p50 {ordered[len(ordered) // 2] * 1000:.0f} ms, slowest {ordered[-1] * 1000:.0f} ms"
    )
