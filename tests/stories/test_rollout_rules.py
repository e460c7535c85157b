"""Roll-outs within rules: limits, maintenance windows, and hosts that may be asked between waves."""

from __future__ import annotations

from datetime import timedelta

from tests.stories.releases import TENANTS, is_rolling, knows, stands, targets
from tests.support.stage import Approver, Speaker, Stage


async def test_a_running_wave_keeps_its_limits_and_each_tenants_hours(stage: Stage, ana: Speaker, bo: Approver) -> None:
    now = stage.application.services.clock.now()
    day = (now + timedelta(days=2)).strftime("%a")
    await knows(stage, *TENANTS[:4], {**TENANTS[4], "window": f"{day} 02:00-05:00 UTC"})
    request = await is_rolling(stage, ana, bo, "everyone, at most 1 per account")
    await stage.advance(seconds=10)
    await stands(stage, request, running=3, waiting=2)
    assert {t.key for t in await targets(stage, request) if t.state == "waiting"} == {"pool-2", "silo-initech"}
    await stage.advance(minutes=25)
    await stands(stage, request, succeeded=3, running=1, waiting=1)
    await stage.advance(minutes=25)
    await stands(stage, request, succeeded=4, waiting=1)
    opens = (now + timedelta(days=2)).replace(hour=2, minute=30)
    await stage.advance(seconds=(opens - stage.application.services.clock.now()).total_seconds())
    await stands(stage, request, succeeded=4, running=1)


async def test_only_hosts_that_were_named_are_asked_between_waves(stage: Stage, ana: Speaker, bo: Approver) -> None:
    await knows(stage)
    await ana.says("roll out 2.4.1")
    ana.hears("In which waves?")
    await ana.says("pool-1, then everyone, check http://169.254.169.254/latest/meta-data")
    ana.hears("169.254.169.254 may not be asked between waves", "RELEASE_CHECK_HOSTS")
    assert await stage.calls("StartPipelineExecution") == []


async def test_deployments_are_named_in_the_sentence_that_opens_it_and_everyone_is_asked_for_waves(
    stage: Stage, ana: Speaker
) -> None:
    await knows(stage)
    await ana.says("deploy 2.4.1 to pool-1 + pool-2")
    ana.hears("Roll out shop 2.4.1", "pool-1, pool-2", "(yes or no)")
    await ana.says("no")
    await ana.says("roll out 2.4.1 to everyone")
    ana.hears("In which waves?")
    await ana.says("cancel")
    await ana.says("roll out 2.4.1 to acme only")
    ana.hears("Roll out shop 2.4.1", "silo-acme", "(yes or no)")
