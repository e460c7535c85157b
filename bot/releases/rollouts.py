"""Roll-outs as they stand: the phase of each, and what became of each of its targets. Who acts on it is elsewhere."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import Any, Literal

from sqlalchemy import func, insert, or_, select, update

from bot.clock import Clock
from bot.database import Database, Transaction
from bot.database.tables import component_locks, requests, rollout_targets, rollouts
from bot.errors import NotFound
from bot.releases.waves import Layout, Limits, Place, Strategy
from bot.releases.wording import say_strategy
from bot.requests import OPEN_STATES
from bot.rows import insert_new

Phase = Literal["running", "gate", "paused", "stopping", "back", "done"]
TargetState = Literal["waiting", "starting", "running", "succeeded", "failed", "skipped", "stopped", "back"]
ACTIVE: tuple[TargetState, ...] = ("starting", "running")
RELEASE, BACK = "release", "back"
"""What a target is changed for: the new version, or the way back from it."""
CHUNK = 500


@dataclass(frozen=True)
class Rules:
    """What of a strategy holds while its waves run, and its words."""

    words: str
    limits: Limits
    budget: int = 1
    budget_percent: float = 0.0
    gates: tuple[tuple[str, str], ...] = ()
    experiments: tuple[tuple[int, str], ...] = ()
    """Before which wave (from 0) which experiment has to go well; those of `gates` before each."""

    @staticmethod
    def of(strategy: Strategy, layout: Layout | None = None) -> Rules:
        """Return the rules of a strategy, and of the waves that it comes to."""
        words, between = say_strategy(strategy), layout.experiments if layout else ()
        return Rules(words, strategy.limits, strategy.budget, strategy.budget_percent, strategy.gates, between)

    @property
    def has_experiments(self) -> bool:
        """Whether an experiment has to go well anywhere between the waves."""
        return bool(self.experiments) or any(kind == "experiment" for kind, _ in self.gates)

    def halts(self, failed: int, size: int) -> bool:
        """Tell whether so many failures in a wave of that size use its budget up."""
        if self.budget_percent:
            return size > 0 and failed * 100 >= self.budget_percent * size
        return failed >= max(1, self.budget)


@dataclass(frozen=True)
class Rollout:
    """One roll-out; waves are numbered from 0, `waves` hold name, count and tenants of each."""

    request_id: str
    component: str
    version: str
    commit: str
    rules: Rules
    phase: Phase
    wave: int
    waves: tuple[Mapping[str, Any], ...]
    reason: str
    forgiven: int
    gates: Mapping[str, Any]
    started_at: datetime
    changed_at: datetime

    @property
    def due_gates(self) -> tuple[tuple[str, str], ...]:
        """The gates behind the current wave: (kind, value)."""
        here = tuple(("experiment", value) for wave, value in self.rules.experiments if wave == self.wave + 1)
        return (*self.rules.gates, *here)

    @property
    def is_shut(self) -> bool:
        """Whether it is halted by a gate behind the current wave that failed."""
        return self.phase == "paused" and bool(self.gates.get("failed")) and self.gates.get("wave") == self.wave


@dataclass(frozen=True)
class Target:
    """One deployment of a roll-out. `before` is what it ran: version, commit and execution."""

    request_id: str
    key: str
    number: int
    wave: int
    state: TargetState
    account: str
    region: str
    window: str
    pipeline: str
    tenants: int
    purpose: str
    token: str
    execution: str
    before: Mapping[str, str]
    attempt: int
    calls: int
    detail: Mapping[str, Any]
    started_at: datetime | None
    ended_at: datetime | None
    look_at: datetime | None
    shift: Mapping[str, Any] = field(default_factory=dict)
    """What CodeDeploy was approved to change; empty where a pipeline does."""

    @property
    def place(self) -> Place:
        """Where it is, as limits and windows see it."""
        return Place(self.key, self.account, self.region, self.window)

    @property
    def why(self) -> str:
        """What went wrong, in words; empty when nothing did."""
        return str(self.detail.get("why", ""))


class Rollouts:
    """The only place that writes the tables of roll-outs."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database, self._clock = database, clock

    async def begin(
        self,
        transaction: Transaction,
        rollout: Rollout,
        layout: Layout,
        executions: Mapping[str, str],
        shifts: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    ) -> bool:
        """Write down a roll-out and all its targets, once; tell whether it was new. `shifts` are theirs by key."""
        row = {
            "request_id": rollout.request_id,
            "component": rollout.component,
            "version": rollout.version,
            "commit_id": rollout.commit,
            "strategy": json.dumps(asdict(rollout.rules)),
            "phase": rollout.phase,
            "wave": rollout.wave,
            "waves": list(rollout.waves),
            "reason": "",
            "forgiven": 0,
            "gates": {},
            "started_at": rollout.started_at,
            "changed_at": rollout.started_at,
        }
        if not await insert_new(transaction, rollouts, row, on=["request_id"]):
            return False
        rows = [
            {
                "request_id": rollout.request_id,
                "key": d.key,
                "number": number,
                "wave": wave,
                "state": "waiting",
                "account": d.account,
                "region": d.region,
                "open_hours": d.window,
                "pipeline": d.pipeline,
                "tenants": d.tenants,
                "purpose": RELEASE,
                "token": "",
                "execution": "",
                "before": {"version": d.version, "commit": d.commit, "execution": executions.get(d.key, "")},
                "attempt": 0,
                "calls": 0,
                "detail": {},
                "shift": dict(shifts.get(d.key, {})),
            }
            for number, (wave, d) in enumerate((w, d) for w, wave in enumerate(layout.waves) for d in wave.members)
        ]
        for start in range(0, len(rows), CHUNK):
            await transaction.execute(insert(rollout_targets), rows[start : start + CHUNK])
        return True

    async def find(self, request_id: str) -> Rollout | None:
        """Return the roll-out of a request; None while it has not begun."""
        async with self._database.read() as connection:
            row = (await connection.execute(select(rollouts).where(rollouts.c.request_id == request_id))).first()
        return _rollout(row) if row else None

    async def read(self, transaction: Transaction, request_id: str) -> Rollout | None:
        """Like `find`, within a transaction."""
        row = (await transaction.execute(select(rollouts).where(rollouts.c.request_id == request_id))).first()
        return _rollout(row) if row else None

    async def targets(
        self,
        request_id: str,
        *,
        states: Sequence[str] = (),
        wave: int | None = None,
        limit: int | None = None,
        due: datetime | None = None,
    ) -> list[Target]:
        """Return targets in their order, of some states or one wave alone, or those to be looked at by a time."""
        query = select(rollout_targets).where(rollout_targets.c.request_id == request_id)
        if states:
            query = query.where(rollout_targets.c.state.in_(states))
        if wave is not None:
            query = query.where(rollout_targets.c.wave == wave)
        if due is not None:
            query = query.where(or_(rollout_targets.c.look_at.is_(None), rollout_targets.c.look_at <= due))
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(rollout_targets.c.number).limit(limit))).all()
        return [_target(row) for row in rows]

    async def places(self, request_id: str, states: Sequence[str]) -> list[Place]:
        """Return where the targets of some states are: of thousands, read for each start, no more than is needed."""
        column = rollout_targets.c
        query = select(column.key, column.account, column.region, column.open_hours).where(
            column.request_id == request_id, column.state.in_(states)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(column.number))).all()
        return [Place(*row) for row in rows]

    async def require(self, request_id: str) -> Rollout:
        """Return the roll-out of a request that has begun; raises NotFound otherwise."""
        found = await self.find(request_id)
        if found is None:
            raise NotFound(f"The roll-out of request {request_id} has not begun.")
        return found

    async def counts(self, request_id: str) -> dict[int, dict[str, int]]:
        """Return how many targets of each wave are in each state."""
        query = (
            select(rollout_targets.c.wave, rollout_targets.c.state, func.count())
            .where(rollout_targets.c.request_id == request_id)
            .group_by(rollout_targets.c.wave, rollout_targets.c.state)
        )
        found: dict[int, dict[str, int]] = defaultdict(dict)
        async with self._database.read() as connection:
            for wave, state, count in (await connection.execute(query)).all():
                found[wave][state] = count
        return dict(found)

    async def calls(self, request_id: str) -> int:
        """Return how many calls of CodePipeline and CodeDeploy a roll-out has made for its targets."""
        query = select(func.sum(rollout_targets.c.calls)).where(rollout_targets.c.request_id == request_id)
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one() or 0)

    async def move(
        self,
        transaction: Transaction,
        request_id: str,
        origin: Iterable[str],
        to: Phase,
        *,
        seen: Rollout | None = None,
        **values: Any,
    ) -> bool:
        """Change the phase if it is one of `origin`, and nobody has changed it since `seen`; tell whether it was."""
        query = update(rollouts).where(rollouts.c.request_id == request_id, rollouts.c.phase.in_(tuple(origin)))
        if seen is not None:
            query = query.where(rollouts.c.wave == seen.wave, rollouts.c.changed_at == seen.changed_at)
        changed = await transaction.execute(query.values(phase=to, changed_at=self._clock.now(), **values))
        return bool(changed.rowcount == 1)

    async def set(self, transaction: Transaction, request_id: str, **values: Any) -> None:
        """Change other columns of a roll-out."""
        await transaction.execute(update(rollouts).where(rollouts.c.request_id == request_id).values(**values))

    async def change(
        self, transaction: Transaction, target: Target, origin: Iterable[str], state: TargetState, **values: Any
    ) -> bool:
        """Change a target if it is in one of `origin`, and about the same try; tell whether it was."""
        changed = await transaction.execute(
            update(rollout_targets)
            .where(
                rollout_targets.c.request_id == target.request_id,
                rollout_targets.c.key == target.key,
                rollout_targets.c.token == target.token,
                rollout_targets.c.state.in_(tuple(origin)),
            )
            .values(state=state, **values)
        )
        return bool(changed.rowcount == 1)

    async def change_all(
        self, transaction: Transaction, request_id: str, origin: Iterable[str], state: TargetState, **values: Any
    ) -> int:
        """Change all targets that are in one of `origin`; returns how many were. `only_wave`, `only_keys`
        and `only_purpose` narrow them."""
        query = update(rollout_targets).where(
            rollout_targets.c.request_id == request_id, rollout_targets.c.state.in_(tuple(origin))
        )
        wave, keys = values.pop("only_wave", None), values.pop("only_keys", None)
        if (purpose := values.pop("only_purpose", None)) is not None:
            query = query.where(rollout_targets.c.purpose == purpose)
        if wave is not None:
            query = query.where(rollout_targets.c.wave == wave)
        if keys is not None:
            query = query.where(rollout_targets.c.key.in_(tuple(keys)))
        return int((await transaction.execute(query.values(state=state, **values))).rowcount)

    async def look_now(self, transaction: Transaction, executions: Iterable[str]) -> int:
        """Have the targets of these pipeline runs looked at; returns how many there are."""
        changed = await transaction.execute(
            update(rollout_targets)
            .where(rollout_targets.c.execution.in_(tuple(executions)), rollout_targets.c.state == "running")
            .values(look_at=self._clock.now())
        )
        return int(changed.rowcount)

    # ------------------------------------------------------------------------------ locks

    async def holder(self, component: str) -> str:
        """Return the request that has a component for itself; empty when it is free."""
        async with self._database.read() as connection:
            return str((await connection.execute(_holding(component))).scalar_one_or_none() or "")

    async def take(self, transaction: Transaction, component: str, request_id: str) -> bool:
        """Take a component; tell whether it is ours now. A lock whose request is over is free."""
        row = {"component": component, "request_id": request_id, "taken_at": self._clock.now()}
        if await insert_new(transaction, component_locks, row, on=["component"]):
            return True
        holder = (await transaction.execute(_holding(component))).scalar_one_or_none()
        if holder is not None:
            return bool(holder == request_id)
        # Of several that see it free, the first has it: the others find a holder that is not over.
        over = select(requests.c.id).where(requests.c.state.not_in(OPEN_STATES))
        changed = await transaction.execute(
            update(component_locks)
            .where(component_locks.c.component == component, component_locks.c.request_id.in_(over))
            .values(request_id=request_id, taken_at=self._clock.now())
        )
        return bool(changed.rowcount == 1)

    async def give(self, transaction: Transaction, component: str, request_id: str) -> None:
        """Have a request hold a component, whoever did before."""
        values = {"request_id": request_id, "taken_at": self._clock.now()}
        await transaction.execute(
            update(component_locks).where(component_locks.c.component == component).values(**values)
        )


def _holding(component: str) -> Any:
    return (
        select(component_locks.c.request_id)
        .join(requests, requests.c.id == component_locks.c.request_id)
        .where(component_locks.c.component == component, requests.c.state.in_(OPEN_STATES))
    )


def _rules(kept: Mapping[str, Any]) -> Rules:
    gates = tuple((kind, value) for kind, value in kept["gates"])
    experiments = tuple((wave, value) for wave, value in kept.get("experiments", ()))  # of before there were any
    limits = Limits(**kept["limits"])
    return Rules(kept["words"], limits, kept["budget"], kept["budget_percent"], gates, experiments)


def _rollout(row: Any) -> Rollout:
    return Rollout(
        request_id=row.request_id,
        component=row.component,
        version=row.version,
        commit=row.commit_id,
        rules=_rules(json.loads(row.strategy)),
        phase=row.phase,
        wave=row.wave,
        waves=tuple(row.waves),
        reason=row.reason,
        forgiven=row.forgiven,
        gates=row.gates,
        started_at=row.started_at,
        changed_at=row.changed_at,
    )


def _target(row: Any) -> Target:
    return Target(
        request_id=row.request_id,
        key=row.key,
        number=row.number,
        wave=row.wave,
        state=row.state,
        account=row.account,
        region=row.region,
        window=row.open_hours,
        pipeline=row.pipeline,
        tenants=row.tenants,
        purpose=row.purpose,
        token=row.token,
        execution=row.execution,
        before=row.before,
        attempt=row.attempt,
        calls=row.calls,
        detail=row.detail,
        started_at=row.started_at,
        ended_at=row.ended_at,
        look_at=row.look_at,
        shift=row.shift or {},
    )
