"""How fast Slack is acknowledged: beside a stock slack-bolt app under FastAPI, and while turns are being handled.

Both servers get the same signed bodies over the same connections, in runs that alternate, one process each. Ours
stores every event before it acknowledges it and dispatches it through Bolt behind that; the stock app checks the
signature and runs one listener that does nothing. The events of the comparison come from a workspace that is not
served, so that both do no more than that; those of the second part are whole turns.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from sandbox.server import Sandbox
from tests.support.slack.standin import Message, StandIn, Workspace

SECRET = "a-signing-secret-for-the-bench"  # noqa: S105 - made up for the bench
CONNECTIONS, EVENTS, RUNS = 64, 600, 4
TURNS_A_SECOND, SECONDS = 20, 15


@dataclass(frozen=True)
class Acks:
    """What was measured."""

    ours: float
    stock: float
    """Events a second, medians of the runs."""
    p50: float
    p99: float
    """Seconds to the acknowledgement while turns are being handled."""

    @property
    def ratio(self) -> float:
        """Ours as a multiple of the stock app."""
        return self.ours / self.stock


def body_of(team: str, bot: str, number: int, run: str, user: str = "U061F7AUR", channel: str = "C0LAN2Q65") -> bytes:
    """Return an app_mention as Slack sends it, of about 1,000 bytes."""
    ts = f"{int(time.time())}.{number:06d}"
    text = "my requests"
    elements = [{"type": "user", "user_id": bot}, {"type": "text", "text": f" {text}"}]
    event = {
        "user": user,
        "type": "app_mention",
        "ts": ts,
        "client_msg_id": f"7a4f6c1e-2d53-4b56-9b1f-{number:012d}",
        "text": f"<@{bot}> {text}",
        "team": team,
        "blocks": [
            {"type": "rich_text", "block_id": "Vq7", "elements": [{"type": "rich_text_section", "elements": elements}]}
        ],
        "channel": channel,
        "event_ts": ts,
    }
    whole = {
        "token": "XXYYZZXXYYZZXXYYZZXXYYZZ",
        "team_id": team,
        "api_app_id": "A0987ZYXWVU",
        "event": event,
        "type": "event_callback",
        "event_id": f"Ev{run}{number:08d}",
        "event_time": int(time.time()),
        "authorizations": [{"team_id": team, "user_id": bot, "is_bot": True, "is_enterprise_install": False}],
        "is_ext_shared_channel": False,
        "event_context": "4-eyJldCI6ImFwcF9tZW50aW9uIiwidGlkIjoiVDAxMjNBQkNERUYiLCJhaWQiOiJBMDk4N1pZWFdWVSJ9",
    }
    return json.dumps(whole, separators=(",", ":")).encode()


def request_of(body: bytes, port: int) -> bytes:
    """Return the signed request as it goes over the wire."""
    at = int(time.time())
    digest = hmac.new(SECRET.encode(), b"v0:%d:%s" % (at, body), hashlib.sha256).hexdigest()
    head = (
        f"POST /slack/events HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
        f"X-Slack-Request-Timestamp: {at}\r\nX-Slack-Signature: v0={digest}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def acknowledged(reader: asyncio.StreamReader) -> None:
    """Read one answer; anything but 200 ends the measurement."""
    head = await reader.readuntil(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200"), head
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:") and (length := int(line.split(b":")[1])):
            await reader.readexactly(length)


async def throughput(port: int, requests: list[bytes]) -> float:
    """Return the events a second that are acknowledged over a few connections."""
    left = iter(requests)

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for request in left:
            writer.write(request)
            await acknowledged(reader)
        writer.close()

    begun = time.perf_counter()
    await asyncio.gather(*(one() for _ in range(CONNECTIONS)))
    return len(requests) / (time.perf_counter() - begun)


async def latencies(port: int, requests: list[bytes]) -> list[float]:
    """Return how long each acknowledgement took when events come at a steady pace."""
    taken: list[float] = []

    async def one(request: bytes) -> None:
        begun = time.perf_counter()
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        await acknowledged(reader)
        taken.append(time.perf_counter() - begun)
        writer.close()

    tasks = []
    begun = time.perf_counter()
    for n, request in enumerate(requests):
        await asyncio.sleep(max(0.0, begun + n / TURNS_A_SECOND - time.perf_counter()))
        tasks.append(asyncio.create_task(one(request)))
    await asyncio.gather(*tasks)
    return taken


@contextmanager
def served(arguments: list[str], port: int, **environment: str) -> Iterator[None]:
    """Run a server in a process of its own until the block ends."""
    process = subprocess.Popen(
        [sys.executable, *arguments], env={**os.environ, **environment}, stdout=subprocess.DEVNULL
    )
    try:
        end = time.monotonic() + 60
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{arguments} does not answer")
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    """Return a port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure_acks() -> Acks:
    """Measure both servers in alternating runs, then ours while turns are being handled."""
    standin = StandIn()
    sandbox = Sandbox(speed=0).start()
    workspace = standin.workspace()
    ours, stock = free_port(), free_port()
    with tempfile.TemporaryDirectory() as folder:
        bot = {
            "PORT": str(ours),
            "VAR_DIR": folder,
            "AWS_ENDPOINT_URL": sandbox.url,
            "SMTP_URL": "smtp://127.0.0.1:9",
            "SLACK_SIGNING_SECRET": SECRET,
            "SLACK_BOT_TOKEN": workspace.token,
            "SLACK_API_URL": standin.api_url,
            "LOG_LEVEL": "error",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        here = {"PYTHONPATH": str(Path(__file__).parents[1]), "STOCK_SECRET": SECRET}
        stock_app = ["-m", "uvicorn", "bench.stock_slack:app", "--port", str(stock), "--log-level", "error"]
        with served(["-m", "bot", "serve"], ours, **bot), served(stock_app, stock, **here):
            found = asyncio.run(_alternate(ours, stock))
            turns = asyncio.run(latencies(ours, _turns(workspace, ours)))
    standin.close()
    sandbox.stop()
    turns.sort()
    return Acks(*found, turns[len(turns) // 2], turns[int(len(turns) * 0.99)])


async def _alternate(ours: int, stock: int) -> tuple[float, float]:
    rates: dict[int, list[float]] = {ours: [], stock: []}
    for run in range(RUNS + 1):
        for port in (ours, stock) if run % 2 else (stock, ours):
            bodies = [body_of("T0NOTSERVED", "U0LAN0Z89", n, f"{run}x{port}") for n in range(EVENTS)]
            rate = await throughput(port, [request_of(body, port) for body in bodies])
            if run:  # the first is for warming up
                rates[port].append(rate)
            await _drained(ours)
    return statistics.median(rates[ours]), statistics.median(rates[stock])


async def _drained(port: int) -> None:
    """Wait until everything that was stored is handled, so that no run pays for the one before."""
    before = -1.0
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        while True:
            told = (await client.get("/metrics")).text
            handled = re.findall(r'^quartermaster_activities_total{channel="slack",outcome="\w+"} (\S+)$', told, re.M)
            count = sum(map(float, handled))
            if count == before:
                return
            before = count
            await asyncio.sleep(1.5)


def _turns(workspace: Workspace, port: int) -> list[bytes]:
    user = workspace.user("ana@corp.example", "Ana Lopez")
    channels = [workspace.channel(f"room-{n}") for n in range(40)]
    requests = []
    for n in range(TURNS_A_SECOND * SECONDS):
        channel = channels[n % len(channels)]
        body = body_of(workspace.team, workspace.bot_user, n, "turn", user, channel)
        ts = json.loads(body)["event"]["ts"]
        workspace.messages.append(Message(ts, channel, user, "my requests", []))
        requests.append(request_of(body, port))
    return requests


if __name__ == "__main__":
    acks = measure_acks()
    print(f"ours {acks.ours:,.0f}/s, stock slack-bolt {acks.stock:,.0f}/s: {acks.ratio:.2f} ×")
    print(
        f"acknowledged while {TURNS_A_SECOND} turns/s are handled: "
        f"p50 {acks.p50 * 1e3:.1f} ms, p99 {acks.p99 * 1e3:.1f} ms"
    )
