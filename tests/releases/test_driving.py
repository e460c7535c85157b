"""Driving: nothing starts during a freeze, nor in an account that may not be deployed into any more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from bot.releases.rollouts import Rollout, Rollouts, Target
from bot.requests import RequestRecord
from bot.services import Services
from intents.releases.driving import Driving
from intents.releases.events import Events
from intents.releases.experiment_gates import ExperimentGates
from intents.releases.following import Following
from intents.releases.gates import Gates
from tests.releases.test_following import NOW, ROLLOUT, TARGET, Table


class _Seen:
    """What driving did: whom it started, and why it paused."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, freeze: object = None, allowed: Sequence[str] = ()) -> None:
        self.started, self.paused = list[str](), list[str]()
        self.table = Table(replace(TARGET, state="waiting", detail={}))

        async def write(work: Callable[[object], Awaitable[Any]]) -> Any:
            return await work(None)

        async def ids() -> frozenset[str]:
            return frozenset(allowed)

        async def start(chosen: Sequence[Target], rollout: Rollout, record: RequestRecord) -> None:
            self.started += [t.key for t in chosen]

        async def targets(request_id: str, *, states: Sequence[str] = (), **_: object) -> list[Target]:
            return [self.table.target] if self.table.target.state in states else []

        monkeypatch.setattr(self.table, "targets", targets)
        services = SimpleNamespace(
            clock=SimpleNamespace(now=lambda: NOW),
            database=SimpleNamespace(write=write),
            house=SimpleNamespace(freeze_of=lambda component, at: freeze),
            deployable=SimpleNamespace(ids=ids),
            settings=SimpleNamespace(deployment_ous=("Workloads",)),
        )
        following = SimpleNamespace(start=start)
        self._driving = Driving(
            cast(Services, services),
            cast(Rollouts, self.table),
            cast(Following, following),
            cast(Gates, None),
            cast(ExperimentGates, None),
            cast(Events, None),
        )

        async def pause(record: object, rollout: object, reason: str, origin: object) -> None:
            self.paused.append(reason)

        monkeypatch.setattr(self._driving, "pause", pause)

    async def runs(self, hotfix: str = "") -> None:
        """Let a wave with one waiting target go on."""
        record = SimpleNamespace(id="qm-1", plan=SimpleNamespace(effects={"hotfix": hotfix}))
        await self._driving._run(ROLLOUT, cast(RequestRecord, record), {0: {"waiting": 1}})


FREEZE = SimpleNamespace(name="Year end", until=NOW)


async def test_a_freeze_that_begins_meanwhile_halts_all_but_a_hotfix(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _Seen(monkeypatch, freeze=FREEZE, allowed=[TARGET.account])
    await seen.runs()
    assert not seen.started
    assert seen.paused == ["shop is frozen (Year end) until 2026-11-25 10:00 UTC"]
    await seen.runs(hotfix="card payments fail")
    assert seen.started == ["pool-1"]


async def test_nothing_starts_in_an_account_that_has_left_the_ous(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = _Seen(monkeypatch, allowed=["999999999999"])
    await seen.runs()
    assert not seen.started
    assert (seen.table.target.state, seen.table.target.why) == (
        "failed",
        "its account 111111111111 is no active one under Workloads any more",
    )
