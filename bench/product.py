"""A whole product on free ports, started as a newcomer starts it, and measured from outside."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any

import httpx

START_LIMIT = 60.0


class Product:
    """`python -m bot run` in a process of its own; a context manager that ends it."""

    def __init__(self, var_dir: Path, **settings: str) -> None:
        environment = {k: v for k, v in os.environ.items() if k not in ("AWS_ENDPOINT_URL", "DATABASE_URL")}
        self._environment = {**environment, "PORT": "0", "VAR_DIR": str(var_dir), **settings}
        self.seconds_to_first_answer = 0.0

    def __enter__(self) -> Product:
        """Start, and wait for the first answer to a person's sentence."""
        begun = time.perf_counter()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bot", "run"], env=self._environment, stdout=subprocess.PIPE, text=True
        )
        try:
            self.client = httpx.Client(base_url=self._address(), timeout=30, trust_env=False)
            answer = self.say("Hi, I would like a new account please!", conversation="first")
            self.seconds_to_first_answer = time.perf_counter() - begun
            if "account type" not in answer["messages"][0]["text"]:
                raise RuntimeError(f"unexpected first answer: {answer}")
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End it as Ctrl-C does."""
        self.client.close()
        self._end()

    def _end(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(20)

    def _address(self) -> str:
        end = time.perf_counter() + START_LIMIT
        out = self._process.stdout
        while out and time.perf_counter() < end:
            found = re.search(r"http://127\.0\.0\.1:\d+", out.readline())
            if found:
                return found[0]
        raise RuntimeError("the product did not start")

    def say(self, text: str, *, conversation: str, email: str = "ana@corp.example") -> dict[str, Any]:
        """Play one turn over REST."""
        body = {"user": {"email": email, "name": "Ana"}, "conversation": conversation, "text": text}
        answer = self.client.post("/v1/messages", json=body)
        answer.raise_for_status()
        found: dict[str, Any] = answer.json()
        return found

    def vend(self, address: str) -> float:
        """Play the main job from a sentence to an account id; return its seconds."""
        begun = time.perf_counter()
        conversation = f"vend-{address}"
        self.say(f"I need a sandbox account in Demos for {address}", conversation=conversation)
        request = self.say("yes", conversation=conversation)["request"]["id"]
        token = self._token(request)
        self.client.post(f"/account/confirm/{token}", data={"decision": "approve"}).raise_for_status()
        end = time.perf_counter() + START_LIMIT
        while time.perf_counter() < end:
            state = self.client.get(f"/v1/requests/{request}").json()["state"]
            if state == "succeeded":
                return time.perf_counter() - begun
            if state in ("failed", "rejected"):
                break
            time.sleep(0.05)
        raise RuntimeError(f"request {request} did not succeed")

    def _token(self, request: str) -> str:
        end = time.perf_counter() + 10
        while time.perf_counter() < end:
            for mail in self.client.get("/dev/mail", headers={"Accept": "application/json"}).json():
                found = re.search(r"/account/confirm/([\w-]+)", mail["text"])
                if request in mail["text"] and found:
                    return found[1]
            time.sleep(0.05)
        raise RuntimeError("no approval mail")

    def metric(self, name: str) -> float:
        """Return the sum over all labels of one Prometheus sample name."""
        lines = self.client.get("/metrics").text.splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines if re.match(rf"{name}(\{{|\s)", line))

    def memory(self) -> dict[str, float]:
        """Return resident memory in MiB of the bot and of the sandbox (Linux)."""
        found = {"bot": _resident(self._process.pid)}
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        found["sandbox"] = sum(_resident(int(child)) for child in children)
        return found


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0
