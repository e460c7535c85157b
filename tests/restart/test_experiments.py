"""Experiments outlive whoever started them: any replica stops them, and none is left without somebody who watches."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.restart.people import Requester
from tests.restart.processes import BotProcess, SandboxProcess, until
from tests.restart.rig import Rig

TAKEN_OVER = 30.0
"""Seconds within which a living replica has taken a run over."""


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A rig whose time passes slowly enough that experiments are still running when somebody is killed."""
    with Rig(tmp_path, speed=5.0) as built:
        built.sandbox.start()
        yield built


def run_of(requester: Requester) -> dict[str, Any]:
    answer = requester.bot.client.get(f"/v1/chaos/runs/{requester.request}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def runs(rig: Rig, bot: BotProcess, words: str) -> Requester:
    """Have an experiment asked for, approved, and seen to run."""
    ana = Requester(bot, "chaos")
    ana.says(words)
    ana.says("orders go through all the time")
    ana.says("yes")
    assert rig.approver.approves(bot, ana.request) == 200
    until(lambda: any("running. " in line["sentence"] for line in run_of(ana)["progress"]), "it is seen to run")
    return ana


@pytest.mark.postgres
def test_any_replica_stops_what_a_killed_one_has_started(rig: Rig, sandbox: SandboxProcess, postgres_url: str) -> None:
    one, other = (rig.bot(name, DATABASE_URL=postgres_url) for name in ("one", "two"))
    one.start()
    ana = runs(rig, one, "run the AZ outage experiment on checkout-staging")
    other.start()  # the first watches by now: the second has to take its run over
    one.kill()
    killed, looked = time.monotonic(), len(sandbox.calls("ListExperiments"))
    until(lambda: len(sandbox.calls("ListExperiments")) > looked + 1, "the other replica watches it", TAKEN_OVER)
    assert time.monotonic() - killed < TAKEN_OVER
    ana.bot = other
    answer = other.client.post(f"/v1/chaos/runs/{ana.request}/stop", json={})
    assert answer.status_code == 200, answer.text
    assert len(sandbox.calls("StopExperiment")) == 1, "FIS is asked before the caller is answered"
    ana.waits_until("stopped", seconds=TAKEN_OVER)
    assert len(sandbox.calls("StartExperiment")) == 1


def test_a_lease_that_lapsed_while_nobody_was_there_stops_the_run_first_of_all(
    rig: Rig, sandbox: SandboxProcess
) -> None:
    bot = rig.bot("bot", CHAOS_LEASE_MINUTES="4")
    bot.start()
    ana = runs(rig, bot, "run the AZ outage experiment on catalogue-prod")
    bot.kill()
    sandbox.advance(300)
    assert sandbox.calls("StopExperiment") == []
    bot.start()
    until(lambda: sandbox.calls("StopExperiment"), "the lease is looked at after the start")
    ana.waits_until("stopped")
    assert "nobody said in time" in run_of(ana)["text"]
