"""The pages of roll-outs: how far each wave is, what failed and why, who is behind, and the brake."""

from __future__ import annotations

import pytest

from adapters.console.rollout_pages import skew_of
from bot.database import Transaction
from bot.releases.registry import deployment_from
from bot.releases.rollouts import Rollouts
from tests.console.sample_rollout import with_rollout
from tests.console.stage import Stage


async def _phase(stage: Stage, request: str) -> str:
    return (await Rollouts(stage.services.database, stage.services.clock).require(request)).phase


async def test_shows_a_bar_for_each_wave_and_names_what_failed(stage: Stage) -> None:
    record = await with_rollout(stage)
    async with stage.visitor() as ana:
        page = (await ana.see(f"/rollouts/{record.id}")).text
        assert page.count('class="bar-chart"') == 3
        assert '<rect class="bad" x="0.0" width="50.0" height="4"/>' in page
        assert "0 of 2 done, 1 running, 1 failed" in page
        assert "&lt;script&gt;alert(1)" in page
        assert "<script>alert" not in page
        assert 'aria-current="step"' in page
        partial = await ana.get(f"/rollouts/{record.id}/progress")
        assert partial.text.startswith('<div id="progress"')
        listed = (await ana.see("/rollouts")).text
        assert "1 of 6 done" in listed
        assert "Behind: pool-2 (unknown)" in listed
        other = await stage.ask("ana@corp.example")
        assert (await ana.get(f"/rollouts/{other.id}")).status_code == 404


async def test_everybody_brakes_and_only_some_let_it_go_on(stage: Stage) -> None:
    record = await with_rollout(stage)
    path = f"/rollouts/{record.id}"
    async with stage.visitor() as ana, stage.visitor() as cy:
        page = (await ana.see(path)).text
        assert all(words in page for words in ("Continue", "Retry what failed", "Roll everything back", "Stop it"))
        assert (await ana.submit(f"{path}/steer", deed="resume")).status_code == 303
        assert await _phase(stage, record.id) == "running"
        await cy.become("cy@corp.example")
        page = (await cy.see(path)).text
        assert "Pause" in page
        assert "Roll everything back" not in page
        assert (await cy.submit(f"{path}/steer", deed="pause")).status_code == 303
        assert await _phase(stage, record.id) == "paused"
        refused = await cy.submit(f"{path}/steer", deed="resume")  # forged: the page offers no such button
        assert refused.status_code == 403
        assert "No policy lets" in refused.text
        assert (await cy.submit(f"{path}/steer", deed="explode")).status_code == 422
        assert (await cy.post(f"{path}/steer", data={"deed": "resume"})).status_code == 403  # without the form's token
        assert await _phase(stage, record.id) == "paused"


async def test_a_gate_that_failed_can_be_tried_again_or_skipped(stage: Stage) -> None:
    record, rollouts = await with_rollout(stage), Rollouts(stage.services.database, stage.services.clock)

    async def shut(transaction: Transaction) -> None:
        await rollouts.change_all(transaction, record.id, ("failed", "running"), "succeeded")
        gates = {"wave": 1, "since": stage.clock.now().isoformat(), "failed": [["insights", ""]]}
        await rollouts.set(transaction, record.id, reason="an insight was opened", gates=gates)

    await stage.services.database.write(shut)
    path = f"/rollouts/{record.id}"
    async with stage.visitor() as ana:
        page = (await ana.see(path)).text
        assert all(words in page for words in ("Continue", "Retry the gate", "Skip the gate", "an insight was opened"))
        for deed in ("retry", "retry", "skip"):
            assert (await ana.submit(f"{path}/steer", deed=deed)).status_code in (303, 409)
            assert await _phase(stage, record.id) == "gate"


@pytest.mark.parametrize(
    ("versions", "parts", "behind"),
    [
        (("2.10.0", "2.9.0"), [("shade0", "2.10.0"), ("shade1", "2.9.0")], ("pool-2 (2.9.0)",)),
        (("", ""), [("unknown", "unknown")], ()),
        (("2.4.1", ""), [("shade0", "2.4.1"), ("unknown", "unknown")], ("pool-2 (unknown)",)),
    ],
)
def test_the_newest_version_comes_first_and_others_are_behind_it(
    versions: tuple[str, str], parts: list[tuple[str, str]], behind: tuple[str, ...]
) -> None:
    fields = {"component": "shop", "type": "pool", "account": "666677778888", "region": "us-east-1"}
    pools = [deployment_from({**fields, "id": str(n), "version": v}) for n, v in enumerate(versions, 1)]
    skew = skew_of("shop", pools)
    assert [(shade, version) for shade, version, _ in skew.versions] == parts
    assert skew.behind == behind
    assert sum(width for _, _, width in skew.bar.parts) == pytest.approx(100)
