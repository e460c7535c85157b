"""`python -m bot chaos stop`: works with the settings alone."""

from __future__ import annotations

import pytest

from bot.commands import main
from sandbox.server import Sandbox


@pytest.mark.parametrize("is_there", [True, False])
def test_it_engages_every_lever_and_says_where_it_could_not(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], is_there: bool
) -> None:
    with Sandbox(speed=0) as sandbox:
        monkeypatch.setenv("AWS_ENDPOINT_URL", sandbox.url)
        monkeypatch.setenv("DATABASE_URL", "postgresql://nobody@127.0.0.1:9/gone")
        if not is_there:
            sandbox.faults.switch("access_denied", True, {"operations": ["UpdateSafetyLeverState"], "times": 1})
        status = main(["chaos", "stop", "--reason", "production is on fire"])
        levers = list(sandbox.world.zone.levers.values())
    told = capsys.readouterr().out
    assert status == (0 if is_there else 1)
    assert levers == [{"status": "engaged", "reason": "production is on fire"}] * (2 if is_there else 1)
    assert ("FAILED" in told) == (not is_there)
