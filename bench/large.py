"""A plan in a large company: 800 accounts, 60 OUs, an account type with access, budget and rules."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import httpx

from bench.product import Product

ACCOUNTS, OUS = 800, 60
PLANS = 20
HOUSE = """
account_types:
  - name: Sandbox
    budget: {monthly_usd: 100}
    access: [{group: developers, permission_set: CorpDeveloperAccess}]
suggested_ous: [Demos]
root_email_domains: [corp.example]
"""


def measure_plans(folder: Path) -> tuple[float, list[float], list[int]]:
    """Return the seconds of a first plan, and of further ones with the AWS calls that each took."""
    house = folder / "house.yml"
    house.write_text(HOUSE, encoding="utf-8")
    size = ["--accounts", str(ACCOUNTS), "--ous", str(OUS)]
    # Time stands still: what recurs by itself must not be counted with the plans.
    command = [sys.executable, "-m", "sandbox", "--port", "0", "--speed", "0", *size]
    sandbox = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        said = sandbox.stdout.readline() if sandbox.stdout else ""
        found = re.search(r"http://\S+", said)
        if found is None:
            raise RuntimeError(f"the sandbox did not start: {said}")
        with Product(folder / "var", AWS_ENDPOINT_URL=found[0], HOUSE_FILE=str(house)) as product:
            return _plan(product, found[0])
    finally:
        sandbox.terminate()
        sandbox.wait(20)


def _plan(product: Product, sandbox: str) -> tuple[float, list[float], list[int]]:
    first = _seconds(product, 0)
    seconds, calls = [], []
    for number in range(1, PLANS + 1):
        before = _quiet(sandbox)
        seconds.append(_seconds(product, number))
        calls.append(_last_call(sandbox) - before)
    return first, seconds, calls


def _seconds(product: Product, number: int) -> float:
    begun = time.perf_counter()
    sentence = f"I need a sandbox account in Demos for bench-large-{number}@corp.example"
    answer = product.say(sentence, conversation=f"large-{number}", email=f"person{number}@corp.example")
    if "Shall I go ahead?" not in answer["messages"][-1]["text"]:
        raise RuntimeError(f"no plan: {answer}")
    return time.perf_counter() - begun


def _quiet(sandbox: str) -> int:
    """Wait until no more calls come; return the last one's number."""
    last, now = -1, _last_call(sandbox)
    while last != now:
        time.sleep(0.5)
        last, now = now, _last_call(sandbox)
    return now


def _last_call(sandbox: str) -> int:
    calls = httpx.get(f"{sandbox}/_sandbox/calls", timeout=30, trust_env=False).json()
    return int(calls[-1]["number"]) if calls else 0
