"""What a roll-out drives its targets with: the port that runs of all kinds are behind, and what they share."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Protocol

from bot.database import Transaction
from bot.errors import without_arns
from bot.releases.rollouts import BACK, Rollout, Rollouts, Target
from bot.requests import RequestRecord
from bot.services import Services
from bot.withholding import withhold_named

Write = Callable[[Transaction], Awaitable[None]]
Look = Awaitable[Write | None]
"""What comes of a look at a target: a change to be written, or None when there is none."""
AGAIN = timedelta(seconds=20)
BUSY = timedelta(seconds=60)
NOTHING_BEFORE = "NothingToGoBackTo"


class Runs(Protocol):
    """Runs of one kind, each of which changes one target; what they do can all be repeated."""

    def looks(self, targets: Sequence[Target], rollout: Rollout) -> list[Look]:
        """Look at targets that run, and tell of each what became of it."""
        ...

    def ask_to_start(self, target: Target, rollout: Rollout, record: RequestRecord) -> Look:
        """Start a target's run; one that was asked for before is found again, and not started twice."""
        ...

    def stop(self, target: Target, rollout: Rollout) -> Look:
        """Have a target's run stop, also where nobody knows yet whether its start has come to one."""
        ...


class Changes:
    """How runs of all kinds write what became of their targets."""

    def __init__(self, services: Services, rollouts: Rollouts) -> None:
        self._services, self._rollouts = services, rollouts

    async def may_ask(self, target: Target, rollout: Rollout, **values: Any) -> bool:
        """Note that a start is about to be asked for; tell whether it may: not once the roll-out was halted."""

        async def work(transaction: Transaction) -> bool:
            current = await self._rollouts.read(transaction, rollout.request_id)
            if current is None or current.phase != rollout.phase:
                return False
            return await self._rollouts.change(transaction, target, ("starting",), "starting", **values)

        return await self._services.database.write(work)

    def to(self, target: Target, state: str, **values: Any) -> Write:
        """Return the change of a target to a state, which is made only while it is as it was seen."""

        async def work(transaction: Transaction) -> None:
            # Only what is still as it was seen: another replica may have found its run meanwhile.
            await self._rollouts.change(transaction, target, (target.state,), state, **values)  # type: ignore[arg-type]

        return work

    def end(self, target: Target, state: str, detail: Mapping[str, Any], **values: Any) -> Write:
        """Return the change of a target whose run is over."""
        return self.to(target, state, ended_at=self._services.clock.now(), detail=dict(detail), **values)

    def done(self, target: Target, rollout: Rollout, version: str, commit: str, calls: int) -> Write:
        """Return the change of a target that has what it was to have, with what runs there from now on."""
        now = self._services.clock.now()
        seconds = (now - target.started_at).total_seconds() if target.started_at else None
        state = "back" if target.purpose == BACK else "succeeded"

        async def work(transaction: Transaction) -> None:
            values: dict[str, Any] = {"ended_at": now, "seconds": seconds, "calls": calls, "detail": {}}
            if await self._rollouts.change(transaction, target, (target.state,), state, **values):  # type: ignore[arg-type]
                await self._services.deployments.released(
                    transaction, rollout.component, target.key, version, commit, target.execution, now
                )

        return work


def told(words: str) -> str:
    """Return what a tool said as people may see it: without ARNs, and without secrets that it names."""
    lines = (withhold_named(line) for line in words.splitlines())
    return without_arns("\n".join(lines))[:500]


def has_not_asked(target: Target) -> bool:
    """Tell whether it is sure that the start of a target in "starting" was not asked for yet."""
    return not target.execution and bool(target.detail.get("is_new") or target.detail.get("busy"))
