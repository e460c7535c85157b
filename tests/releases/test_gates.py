"""Gates: what can't be read has not passed, and what can be is judged by what it says."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.errors import CloudError
from bot.insights import Found
from bot.releases.rollouts import Rollouts
from bot.requests import RequestRecord
from bot.services import Services
from intents.releases.experiment_gates import ExperimentGates
from intents.releases.gates import Gates
from intents.releases.toolchain import Toolchain
from tests.releases.test_following import NOW, ROLLOUT, TARGET, Table

RECORD = cast(RequestRecord, SimpleNamespace(id="qm-1"))


class _Experiments:
    """Begins nothing: it notes which gates were asked about, and answers what it was told to."""

    def __init__(self, *results: str) -> None:
        self.results, self.asked = list(results), list[int]()

    async def judge(self, record: object, rollout: object, gate: int) -> tuple[str, str]:
        """Tell how the experiment of a gate stands."""
        self.asked.append(gate)
        return self.results.pop(0), "an experiment"


def _gates(alarm: Any = None, found: Any = None, experiments: _Experiments | None = None) -> Gates:
    async def call(*_: object, **__: object) -> dict[str, Any]:
        if isinstance(alarm, CloudError):
            raise alarm
        return {"MetricAlarms": [{"StateValue": alarm}] if alarm else []}

    async def ongoing(regions: list[str]) -> Found:
        if isinstance(found, CloudError):
            raise found
        return cast(Found, found)

    settings = SimpleNamespace(toolchain_role_arn="", release_check_hosts=("status.corp.example",))
    services = SimpleNamespace(
        cloud=SimpleNamespace(call=call), settings=settings, insights=SimpleNamespace(ongoing=ongoing)
    )
    table = Table(replace(TARGET, state="succeeded"))
    toolchain = cast(Toolchain, SimpleNamespace(region="eu-west-1"))
    return Gates(
        cast(Services, services), cast(Rollouts, table), toolchain, cast(ExperimentGates, experiments or _Experiments())
    )


DENIED = CloudError("AccessDeniedException", "no", operation="any")


@pytest.mark.parametrize(
    ("gate", "world", "wanted"),
    [
        (("alarm", "errors"), {"alarm": "OK"}, "ok"),
        (("alarm", "errors"), {"alarm": "ALARM"}, "fails"),
        (("alarm", "errors"), {"alarm": "INSUFFICIENT_DATA"}, "waits"),
        (("alarm", "errors"), {"alarm": None}, "fails"),
        (("alarm", "errors"), {"alarm": DENIED}, "waits"),
        (("insights", ""), {"found": Found(())}, "ok"),
        (("insights", ""), {"found": Found((), ("eu-west-1 can't be read",))}, "waits"),
        (("insights", ""), {"found": Found((), (), 2)}, "waits"),
        (("insights", ""), {"found": DENIED}, "waits"),
        (("http", "https://status.corp.example@169.254.169.254/"), {}, "fails"),
        (("http", "https://169.254.169.254/latest"), {}, "fails"),
        (("http", "https://status.corp.example:8443/"), {}, "fails"),
        (("human", ""), {}, "waits"),
        (("unheard-of", ""), {}, "fails"),
    ],
)
async def test_a_gate_lets_through_only_what_it_has_seen_to_be_well(
    gate: tuple[str, str], world: dict[str, Any], wanted: str
) -> None:
    rollout = replace(
        ROLLOUT, phase="gate", rules=replace(ROLLOUT.rules, gates=(gate,)), gates={"since": NOW.isoformat()}
    )
    result, sentence, failed = await _gates(**world).judge(rollout, RECORD, NOW)
    assert (result, failed) == (wanted, (gate,) if wanted == "fails" else ()), sentence


async def test_what_somebody_skipped_is_not_asked_again_while_the_others_are() -> None:
    gates = (("alarm", "errors"), ("human", ""))
    rollout = replace(
        ROLLOUT, phase="gate", rules=replace(ROLLOUT.rules, gates=gates), gates={"skipped": [["alarm", "errors"]]}
    )
    assert (await _gates(alarm="ALARM").judge(rollout, RECORD, NOW)).result == "waits"


@pytest.mark.parametrize(
    ("alarm", "results", "asked", "wanted"),
    [
        ("OK", ("ok", "ok"), [1, 2], "ok"),
        ("OK", ("waits",), [1], "waits"),
        ("OK", ("ok", "fails"), [1, 2], "fails"),
        ("ALARM", (), [], "fails"),
    ],
    ids=["both go well", "one at a time", "the second fails", "none is begun while an alarm fires"],
)
async def test_experiments_run_one_after_the_other_and_only_while_nothing_else_fails(
    alarm: str, results: tuple[str, ...], asked: list[int], wanted: str
) -> None:
    experiments = _Experiments(*results)
    rules = replace(ROLLOUT.rules, gates=(("alarm", "errors"), ("experiment", "outage")), experiments=((1, "load"),))
    rollout = replace(ROLLOUT, phase="gate", wave=0, rules=rules, gates={"since": NOW.isoformat()})
    judged = await _gates(alarm=alarm, experiments=experiments).judge(rollout, RECORD, NOW)
    assert (judged.result, experiments.asked) == (wanted, asked)
