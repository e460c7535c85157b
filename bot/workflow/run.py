"""A Run is what a segment sees: its request, its payload, and durable steps."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import structlog
from sqlalchemy import select, update

from bot.cloud import seen_request_ids
from bot.database import Transaction
from bot.database.engine import Work
from bot.database.tables import steps
from bot.errors import CloudError, QuartermasterError, Unavailable, without_arns
from bot.intent import Change
from bot.metrics import STEP_RETRIES
from bot.requests import RequestRecord
from bot.requests.record import State
from bot.rows import insert_new
from bot.services import Services
from bot.workflow.keeping import until_kept

log = structlog.get_logger(__name__)

T = TypeVar("T")
STANDS = "stands"
"""In a waiting row's payload: something was done, so that AWS's failures don't end the request."""
CHANGING = "changing"
"""The note on a request whose first change has begun: its plan can't be put up for approval again."""
APART = "steps_apart"
"""The note on a request that names its steps which stand alone: those that an operator may record as done."""
BY_HAND = "done by hand"
PAUSES = (0.5, 1.0, 2.0)
"""Seconds between tries within a step; what takes longer to cure ends the segment, to be run again later."""


class Checkpoint(Protocol):
    """Runs a coroutine function once and keeps its JSON result, so that a repeat of the segment reads it back."""

    async def __call__(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Return the kept result of the step `name`, running `work` if there is none yet."""
        ...


class Withdrawn(Exception):
    """The request was cancelled before its first change; the segment ends without a word."""


class Held(Exception):
    """Changes are paused: the segment ends before its next step and is run again when they are resumed."""


class StillRunning(Exception):
    """What a step that stands alone has begun goes on in AWS; raised by its work, with words for people."""


@dataclass(frozen=True)
class Attempt:
    """What became of a step that stands alone; `error` is for people, `retryable` says that time may cure it.

    `running`: its work has raised StillRunning. Run the step again later: its work looks how far it is.
    """

    name: str
    ok: bool
    error: str = ""
    retryable: bool = False
    running: bool = False


class Run:
    """One execution of one segment. Steps run at least once: each must be safe to repeat."""

    def __init__(
        self,
        services: Services,
        request: RequestRecord,
        intent: Change,
        payload: Mapping[str, Any],
        attempt: int,
        checkpoint: Checkpoint,
    ) -> None:
        self.services, self.request, self.intent = services, request, intent
        self.payload, self.attempt = payload, attempt
        self.stands = bool(payload.get(STANDS, False))
        self.retry: Mapping[str, Any] | None = None
        self._checkpoint = checkpoint

    async def step(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        """Run a step and keep its JSON result; shown on the request with its tries and AWS request ids.

        Retries what a short wait can cure; raises CloudError otherwise, and Held while changes are paused.
        """
        if await self.services.holding.paused():
            raise Held(name)
        return await self._checkpoint(name, lambda: self._recorded(name, work))

    async def try_step(self, name: str, work: Callable[[], Awaitable[Any]]) -> Attempt:
        """Run a step that stands alone: what it ends with is returned, and its failure ends nothing.

        What has succeeded in an earlier run of the segment, or was recorded as done by hand, is not done again.
        """

        async def unless_done() -> dict[str, Any]:
            if await self._state_of(name) in ("succeeded", BY_HAND):
                return {"ok": True}
            await self.note(**{APART: sorted({*await self._apart(), name})})
            try:
                await self._recorded(name, work)
            except CloudError as error:
                words = without_arns(f"{error.code}: {error.message}")
                return {"ok": False, "error": words, "retryable": error.retryable}
            except Unavailable:
                raise  # says nothing about the step: the segment is run anew when the part is back
            except QuartermasterError as error:
                return {"ok": False, "error": error.sentence(), "retryable": False}
            except StillRunning as running:
                return {"ok": False, "error": str(running), "retryable": True, "running": True}
            except Exception as error:  # a mistake of ours in one step must not lose the others
                log.exception("step.failed", step=name)
                return {"ok": False, "error": f"{type(error).__name__}: {error}", "retryable": False}
            return {"ok": True}

        if await self.services.holding.paused():
            raise Held(name)
        return Attempt(name, **await self._checkpoint(name, unless_done))

    def stand(self) -> None:
        """Say that something was done, or may have been: from here on no failure of AWS ends the request.

        The segment is run again, with growing pauses, for as long as AWS fails or refuses to answer; so are
        the segments that are run for the same wait after this one.
        """
        self.stands = True

    def retry_from(self, segment: str) -> None:
        """Say where an operator's retry goes on should this segment fail; without it, at this segment again."""
        self.retry = {"segment": segment, "payload": {}}

    async def begin_changing(self) -> None:
        """Move the request to running; call before the first change. Raises Withdrawn when it was cancelled."""

        async def work(transaction: Transaction) -> bool:
            origin: tuple[State, ...] = ("approved", "queued", "running")
            if not await self.services.requests.move(transaction, self.request.id, origin, "running"):
                return False
            await self.services.requests.note(transaction, self.request.id, **{CHANGING: True})
            return True

        if not await self._keep(work):
            raise Withdrawn(self.request.id)

    async def note(self, **notes: Any) -> None:
        """Keep something on the request before it is used, such as the token of the call that follows."""

        async def work(transaction: Transaction) -> None:
            await self.services.requests.note(transaction, self.request.id, **notes)

        await self._keep(work)

    async def _recorded(self, name: str, work: Callable[[], Awaitable[T]]) -> T:
        tries = 0
        while True:
            tries += 1
            await self._begin(name)
            ids: list[str] = []
            token = seen_request_ids.set(ids)
            try:
                result = await work()
            except CloudError as error:
                await self._end(name, "failed", ids, f"{error.code}: {error.message}")
                if not error.retryable or tries > len(PAUSES):
                    raise
                STEP_RETRIES.labels(self.request.intent).inc()
                log.warning("step.retry", step=name, tries=tries, error=error.code)
                await asyncio.sleep(PAUSES[tries - 1])
            except StillRunning:
                await self._end(name, "running", ids, None)
                raise
            except Exception as error:
                words = (
                    error.sentence() if isinstance(error, QuartermasterError) else f"{type(error).__name__}: {error}"
                )
                await self._end(name, "failed", ids, words)
                raise
            else:
                await self._end(name, "succeeded", ids, None)
                return result
            finally:
                seen_request_ids.reset(token)

    async def _begin(self, name: str) -> None:
        now = self.services.clock.now()
        row = {
            "request_id": self.request.id,
            "name": name,
            "state": "running",
            "attempts": 1,
            "aws_request_ids": [],
            "started_at": now,
        }

        async def work(transaction: Transaction) -> None:
            if not await insert_new(transaction, steps, row, on=["request_id", "name"]):
                again = {"state": "running", "attempts": steps.c.attempts + 1}
                await transaction.execute(update(steps).where(*self._mine(name)).values(**again))

        await self._keep(work)

    async def _end(self, name: str, state: str, ids: list[str], error: str | None) -> None:
        async def work(transaction: Transaction) -> None:
            found = (await transaction.execute(steps.select().where(*self._mine(name)))).one()
            kept = [*found.aws_request_ids, *ids][-20:]
            values = {
                "state": state,
                "error": without_arns(error) if error else None,  # AWS's own words are the audit's
                "aws_request_ids": kept,
                "finished_at": self.services.clock.now(),
            }
            await transaction.execute(update(steps).where(*self._mine(name)).values(**values))
            if ids:
                await self.services.audit.record_step(
                    transaction,
                    request_id=self.request.id,
                    digest=self.request.digest,
                    step=name,
                    state=state,
                    aws_request_ids=ids,
                    error=error,
                )

        await self._keep(work)

    async def _state_of(self, name: str) -> str:
        async with self.services.database.read() as connection:
            query = select(steps.c.state).where(*self._mine(name))
            return str((await connection.execute(query)).scalar_one_or_none() or "")

    async def _apart(self) -> list[str]:
        return list((await self.services.requests.find(self.request.id)).notes.get(APART, ()))

    async def _keep(self, work: Work[T]) -> T:
        return await until_kept(lambda: self.services.database.write(work))

    def _mine(self, name: str) -> tuple[Any, Any]:
        return steps.c.request_id == self.request.id, steps.c.name == name
