"""Between waves: time to bake, insights, an answer over HTTP, failures that are allowed; what goes through freezes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.stories.experiments import TEST, in_account
from tests.stories.houses import open_house
from tests.stories.news import plays
from tests.stories.releases import WEB, is_in_phase, is_rolling, knows, recorded, stands
from tests.support.stage import Approver, Speaker, Stage, Theatre
from tests.support.theatre import on_every_channel

FREEZE = "freezes: [{name: Year end, since: 2020-01-01T00:00:00Z, until: 2190-01-01T00:00:00Z}]\n"
HOUSE = Path(__file__).parents[2] / "house.yml"
DIRECTORY = "people: [{email: hetty@corp.example, groups: [hotfix]}]\n"
SECRET = "what-nobody-may-see"
ERRORS = "checkout-staging-errors"
WATCHED = f"watch alarm arn:aws:cloudwatch:us-east-1:{TEST}:alarm:{ERRORS}"


def sets_alarm(stage: Stage, state: str) -> None:
    """Put the alarm that gates watch into a state."""
    watch = in_account(stage, TEST, "cloudwatch")
    watch.set_alarm_state(AlarmName=ERRORS, StateValue=state, StateReason="a rehearsal")


async def is_shut(stage: Stage, request: str) -> None:
    """Have the alarm fire while a roll-out bakes, so that it is halted."""
    await is_in_phase(stage, request, "gate")
    sets_alarm(stage, "ALARM")
    await stage.advance(seconds=40)
    await is_in_phase(stage, request, "paused")


class Health:
    """What answers checks: `status` can be changed, `asked` are the paths it was asked for."""

    def __init__(self) -> None:
        self.status, self.asked, self.host = "302 Found", list[str](), ""

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request, and hang up."""
        head = await reader.readuntil(b"\r\n\r\n")
        self.asked.append(head.split()[1].decode())
        lines = f"HTTP/1.1 {self.status}\r\nLocation: http://{self.host}/elsewhere\r\nContent-Length: {len(SECRET)}\r\n"
        writer.write(f"{lines}Connection: close\r\n\r\n{SECRET}".encode())
        await writer.drain()
        writer.close()


@asynccontextmanager
async def answering() -> AsyncIterator[Health]:
    """Run a server at a free port of this machine."""
    health = Health()
    server = await asyncio.start_server(health.answer, "127.0.0.1", 0)
    health.host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield health
    finally:
        server.close()
        await server.wait_closed()


async def test_a_wave_waits_until_the_one_before_it_has_baked(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    request = await is_rolling(stage, ana, bo, "pool-1, then pool-2, bake 30 minutes")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=1)
    await stage.advance(minutes=25)
    await is_in_phase(stage, request, "gate")
    await stage.advance(minutes=28)
    await ana.says("how far is the rollout?")
    ana.hears("baking for another", "min")
    await stands(stage, request, succeeded=1, waiting=1)
    await stage.advance(minutes=3)
    await stands(stage, request, succeeded=1, running=1)


@on_every_channel
async def test_an_insight_that_opens_meanwhile_shuts_the_gate_and_says_which(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    request = await is_rolling(stage, ana, bo, "pool-1, then pool-2, bake 2 hours, watch insights")
    await plays(stage, "lambda-duration", account=WEB, region="us-east-1")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=1)
    await stage.advance(minutes=25)
    await is_in_phase(stage, request, "gate")
    await stage.advance(minutes=20)
    await ana.hears_later("is paused: an insight of high severity was opened: Lambda p50", "continue the rollout")
    for offered in ("Continue", "Retry the gate", "Skip the gate", "Roll back"):
        assert ana.sees_button(offered)
    await stands(stage, request, succeeded=1, waiting=1)
    await ana.says("roll back")
    ana.hears("Rolling back everything", "1 deployment to go back")


async def test_a_host_is_really_asked_and_nothing_of_its_answer_but_the_status_is_told(
    theatre: Theatre, tmp_path: Path
) -> None:
    async with answering() as health, theatre.open_stage(tmp_path, release_check_hosts=(health.host,)) as stage:
        ana, bo = stage.speaker("Ana Lopez"), stage.approver()
        await knows(stage)
        url = f"http://{health.host}/health"
        request = await is_rolling(stage, ana, bo, f"pool-1, then pool-2, then acme, check {url}")
        await stage.advance(seconds=10)
        await stands(stage, request, running=1)
        await stage.advance(minutes=25)
        await ana.hears_later(f"is paused: {health.host} answered 302")
        assert set(health.asked) == {"/health"}  # where it points to is not asked
        record = await stage.application.services.requests.find(request)
        assert SECRET not in ana.transcript() + json.dumps(record.notes) + json.dumps(await stage.view(request))
        health.status = "204 No Content"
        await ana.says("continue the rollout")
        ana.hears("goes on")
        await stage.advance(seconds=10)
        await stands(stage, request, succeeded=1, running=1)
        asked = len(health.asked)
        await stage.advance(minutes=25)
        await ana.hears_later("Wave 3 of 3 begins")
        assert len(health.asked) == asked + 1


@on_every_channel
async def test_a_gate_that_failed_is_tried_again_and_bakes_anew(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    request = await is_rolling(stage, ana, bo, f"pool-1, then pool-2, bake 5 minutes, {WATCHED}")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1, waiting=1)
    await stage.advance(minutes=25)
    await is_shut(stage, request)
    await ana.hears_later(f"is paused: the alarm {ERRORS} fires", "retry the gate", "skip the gate")
    await ana.says("retry the failed")
    ana.hears("The gates before wave 2", "are tried again", "bakes anew")
    await ana.says(f"retry the gate of {request}")
    ana.hears("are being looked at already")
    await stage.advance(seconds=40)
    await ana.hears_later(f"is paused: the alarm {ERRORS} fires")
    sets_alarm(stage, "OK")
    await ana.presses("Retry the gate")
    ana.hears("are tried again")
    await stage.advance(minutes=4)
    await is_in_phase(stage, request, "gate")
    await stands(stage, request, succeeded=1, waiting=1)
    await stage.advance(minutes=2)
    await stands(stage, request, succeeded=1, running=1)
    assert await recorded(stage, request, "rollout.gate_retried") == 2


@on_every_channel
async def test_a_gate_that_failed_is_skipped_alone_and_by_whom_is_told(
    stage: Stage, ana: Speaker, bo: Approver
) -> None:
    await knows(stage)
    gates = f"bake 5 minutes, {WATCHED}"
    request = await is_rolling(stage, ana, bo, f"pool-1, then pool-2, then acme, {gates}")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await is_shut(stage, request)
    await ana.hears_later(f"is paused: the alarm {ERRORS} fires")
    cy = stage.speaker("Cy Young")
    await cy.says(f"skip the gate of {request}")
    cy.hears("No policy lets")
    await ana.presses("Skip the gate")
    ana.hears("before wave 2", f"the alarm {ERRORS} fires", "is skipped", "looked at still: 5 min to bake")
    await ana.says("skip the gate")
    ana.hears("was skipped already")
    await stands(stage, request, succeeded=1, waiting=2)
    await stage.advance(minutes=6)
    await ana.hears_later("Wave 2 of 3 begins")
    await stage.advance(seconds=10)
    await stands(stage, request, succeeded=1, running=1)
    await ana.says("skip the gate")
    ana.hears("was skipped already")
    await stage.advance(minutes=25)
    await is_shut(stage, request)
    await ana.hears_later(f"is paused: the alarm {ERRORS} fires")  # what was skipped once is not gone for good
    await ana.says("continue the rollout")
    await stage.advance(seconds=10)
    await stands(stage, request, succeeded=2, running=1)
    await stage.advance(minutes=25)
    await stage.reaches(request, "succeeded")
    notes = (await stage.application.services.requests.find(request)).outcome["notes"]  # type: ignore[index]
    told = notes["Gates not kept"]
    assert ("before wave 2" in told, "before wave 3" in told, told.count(" by ")) == (True, True, 2)
    assert await recorded(stage, request, "rollout.gate_skipped") == 1


async def test_what_failed_is_tried_again_before_its_gate_is(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    await stage.switches_on("pipeline_failed", names=["pool-1-pipeline"], stage="Build", times=1)
    waves = f"pool-1 + pool-2, then acme, stop after 2 failures, bake 5 minutes, {WATCHED}"
    request = await is_rolling(stage, ana, bo, waves)
    await stage.advance(seconds=10)
    await stands(stage, request, running=2)
    await stage.advance(minutes=25)
    await is_shut(stage, request)
    await ana.hears_later(f"is paused: the alarm {ERRORS} fires", "retry the failed ones")
    sets_alarm(stage, "OK")
    await ana.presses("Retry failed")
    ana.hears("pool-1 of request", "is tried again", "then its gate")
    await stage.advance(seconds=10)
    await stands(stage, request, succeeded=1, running=1, waiting=1)
    await stage.advance(minutes=25)
    await is_in_phase(stage, request, "gate")
    await stage.advance(minutes=6)
    await ana.hears_later("Wave 2 of 2 begins")
    await stands(stage, request, succeeded=2)


async def test_the_next_wave_can_be_left_out(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    request = await is_rolling(stage, ana, bo, f"pool-1, then pool-2, then acme, bake 5 minutes, {WATCHED}")
    await stage.advance(seconds=10)
    await stands(stage, request, running=1)
    await stage.advance(minutes=25)
    await is_shut(stage, request)
    await ana.hears_later(f"is paused: the alarm {ERRORS} fires")
    await ana.says("skip the next wave")
    ana.hears("Wave 2", "pool-2", "is left out", "before wave 3")
    await stage.advance(seconds=40)  # the alarm fires still
    await ana.hears_later(f"is paused: the alarm {ERRORS} fires")
    await stands(stage, request, succeeded=1, skipped=1, waiting=1)
    await ana.says(f"skip wave 2 of {request}")
    ana.hears("left out already")
    await ana.says("skip wave 3")
    ana.hears("Wave 3", "is left out")
    await stage.advance(seconds=10)
    await stage.reaches(request, "succeeded")
    assert len(await stage.calls("StartPipelineExecution")) == 1
    assert await recorded(stage, request, "rollout.wave_skipped") == 2


async def test_a_share_of_a_wave_may_fail_and_no_more(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    await stage.switches_on("pipeline_failed", names=["pool-1-pipeline", "silo-acme-pipeline"], stage="Build")
    request = await is_rolling(stage, ana, bo, "pools, then acme, then everyone, stop after 50 % failures")
    await stage.advance(seconds=10)
    await stands(stage, request, running=3, waiting=2)
    await stage.advance(minutes=25)
    await ana.hears_later("Wave 2 of 3 begins")  # one of three has failed
    await stands(stage, request, succeeded=2, failed=1, running=1)
    await stage.advance(minutes=25)
    await ana.hears_later("is paused: in wave 2 failed: silo-acme")
    await stands(stage, request, succeeded=2, failed=2, waiting=1)


@pytest.mark.parametrize("channel", ["rest", "account", "console", "slack", "teams"])
async def test_a_hotfix_goes_through_a_freeze_with_approvers_of_its_own(
    theatre: Theatre, tmp_path: Path, channel: str
) -> None:
    directory = tmp_path / "directory.yml"
    directory.write_text(DIRECTORY, encoding="utf-8")
    rules = f"{HOUSE.read_text(encoding='utf-8')}\n{FREEZE}"
    chats: dict[str, Any] = {"slack": channel == "slack", "teams": channel == "teams"}
    async with open_house(theatre, tmp_path, rules, directory_file=directory, **chats) as stage:
        ana = stage.speaker("Ana Lopez", channel=channel)
        await knows(stage)
        await ana.says("roll out 2.4.1, all at once")
        ana.hears("shop is frozen: Year end", "as a hotfix because")
        await ana.says("as a hotfix because customers can't pay")
        ana.hears("HOTFIX: Roll out shop 2.4.1", "customers can't pay", "this hotfix goes through it")
        await ana.presses("Yes, go ahead")
        ana.hears("Asked to approve", "hetty@corp.example")
        hetty = stage.approver("hetty@corp.example")
        await hetty.opens_the_mail(about=ana.request)
        await hetty.approves()
        await ana.hears_later("has begun")
        await stage.advance(seconds=10)
        await stands(stage, ana.request, running=5)  # a freeze halts every other roll-out that is under way


@pytest.mark.parametrize(("fails", "starts"), [("", 5), ("pool-7", 3)])
async def test_one_at_a_time_does_what_the_sample_does(
    stage: Stage, ana: Speaker, bo: Approver, fails: str, starts: int
) -> None:
    await knows(stage)
    services = stage.application.services
    listed = await services.deployments.all("shop")
    if fails:
        await stage.switches_on("pipeline_failed", names=[f"{fails}-pipeline"], stage="Build")
    request = await is_rolling(stage, ana, bo, "one at a time")
    # The sample: each in the order of the list, the next when it has ended, none after the first that fails.
    for number in range(starts):
        await stage.advance(seconds=10)
        await stands(stage, request, succeeded=number, running=1, waiting=len(listed) - number - 1)
        begun = [c["params"]["name"] for c in await stage.calls("StartPipelineExecution")]
        assert begun == [d.pipeline for d in listed[: number + 1]]
        await stage.advance(minutes=25)
    await stage.reaches(request, "paused" if fails else "succeeded")
    await stage.advance(minutes=5)
    assert len(await stage.calls("StartPipelineExecution")) == starts
