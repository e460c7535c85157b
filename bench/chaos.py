"""Stopping while fifty experiments are watched: from the click to StopExperiment, and what watching costs in calls.

The bot runs in a process of its own and is clicked on over a socket; the sandbox notes when each call came.
"""

from __future__ import annotations

import shutil
import time
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import boto3

from bench.product import Product
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


def measure_stopping(folder: Path) -> Measured:
    """Run fifty experiments in the sandbox in real time, watch them for a while, and stop each by a press."""
    policies = Path(shutil.copytree(ROOT / "policies", folder / "policies"))
    (policies / "bench.cedar").write_text(AT_ONCE, encoding="utf-8")
    roles = ",".join(f"arn:aws:iam::{account}:role/QuartermasterChaos" for account in ACCOUNTS)
    with Sandbox(speed=1.0) as sandbox:
        templates = [t for account in ACCOUNTS for t in _make_templates(sandbox, account)]
        settings = {"AWS_ENDPOINT_URL": sandbox.url, "POLICY_DIR": str(policies), "CHAOS_ROLE_ARN": roles}
        with Product(folder, **settings, LOG_LEVEL="error") as product:
            runs = _start(product, templates)
            begun = int(sandbox.calls.entries()[-1]["number"])
            time.sleep(WATCHED_FOR)
            calls = sum(call["operation"] in LOOKING for call in sandbox.calls.entries(since=begun))
            clicks = [_click(product, sandbox, request, experiment) for request, experiment in runs.items()]
    return Measured(clicks, calls * 60 / WATCHED_FOR, len(runs))


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


def _start(product: Product, templates: list[str]) -> dict[str, str]:
    """Have each template run; return the experiments by their requests, once all are seen to run."""
    ids = []
    for template in templates:
        body = {"user": {"email": "bench@corp.example"}, "template": template, "expectation": "it is stopped in time"}
        answer = product.client.post("/v1/chaos/runs", json=body, headers={"Idempotency-Key": template})
        answer.raise_for_status()
        ids.append(str(answer.json()["id"]))
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        runs = [product.client.get(f"/v1/chaos/runs/{i}").json() for i in ids]
        if all(any("running. " in line["sentence"] for line in run["progress"]) for run in runs):
            return {run["id"]: run["experiment"] for run in runs}
        time.sleep(1)
    raise RuntimeError("not all experiments were seen to run")


def _click(product: Product, sandbox: Sandbox, request: str, experiment: str) -> float:
    press = {"verb": "stop_request", "value": request}
    body: dict[str, Any] = {"user": {"email": "somebody@corp.example"}, "press": press}
    clicked = time.time()
    product.client.post("/v1/messages", json=body).raise_for_status()
    for call in sandbox.calls.entries("fis", "StopExperiment"):
        if call["params"]["id"] == experiment:
            return datetime.fromisoformat(call["wall"]).timestamp() - clicked
    raise RuntimeError(f"nobody asked FIS to stop {experiment}")
